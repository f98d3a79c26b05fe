# One ritual: `make check` before a commit. Everything runs in .venv, made from the pinned lock file.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run setup test check lint bench train report lock wheel
.DEFAULT_GOAL := run

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==$$(sed -n 's/^torch==//p' requirements.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

run: setup
	$(BIN)/python app.py

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test

bench: setup
	$(BIN)/python -m benchmarks

train: setup
	$(BIN)/python -m engine.builtin.train

# What the built-in models reach under every strategy, budget and judge; hours, and it resumes.
report: setup
	$(BIN)/python -m benchmarks.builtin_report

wheel: setup
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .

# Resolve anew within pyproject's ranges; torch stays at the version whose CPU build is small.
lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet torch==2.13.0
	.venv-lock/bin/python -m pip install --quiet '.[dev,postgresql]'
	.venv-lock/bin/python -m pip freeze --exclude tts-ui | sed 's/+cpu$$//' > requirements.lock
	rm -rf .venv-lock
