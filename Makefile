# Every target works from a fresh clone; a step that is done is not done again.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
PORT ?= 8000
DATA_DIR ?= .data

UV := .venv-uv/bin/uv
VENV := .venv/.installed

$(UV):
	@echo "Installing uv, the package installer ..."
	@$(PYTHON) -m venv .venv-uv && .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(VENV): pyproject.toml | $(UV)
	@echo "Installing the server and its tools into .venv ..."
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(UV) pip install --quiet --python .venv/bin/python --editable . --group dev
	@touch $@

.PHONY: help
help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: lint
lint: $(VENV) ## check format, style, types and the direction of imports
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports
