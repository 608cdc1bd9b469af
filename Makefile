SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9
TESTS_AT_ONCE ?= 4
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# Many short-lived processes start here; without bytecode each compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench soak docs clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv with everything that is locked in uv.lock

.venv/.ready: pyproject.toml uv.lock collector/browser/published.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Turnout needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) sync --locked --quiet --inexact --compile-bytecode
	@$(BIN)/turnout browser fetch --quiet || true
	@touch $@

# Once before the first run: pytest rewrites every test file, and would do so in each of its processes.
.venv/.compiled: .venv/.ready
	@$(BIN)/python -m pytest --collect-only --quiet >/dev/null || true
	@touch $@

run: setup ## start Turnout on this machine; ARGS="--port 9000" passes options on
	@exec $(BIN)/turnout up $(ARGS)

test: setup .venv/.compiled ## run the whole suite; ARGS="-k webhook" passes options on
	@$(BIN)/python -m pytest --numprocesses $(TESTS_AT_ONCE) $(ARGS)

check: setup ## format, lint, strict types, import direction
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_architecture.py

format: setup ## let ruff set the format and the order of imports
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

bench: setup ## measure speed; prints tables with their references
	@$(BIN)/python bench/run.py $(ARGS)

soak: setup ## try every fault at length: MINUTES=30, ARGS="-k F12"; leaves its table in soak-table.md
	@TURNOUT_SOAK_MINUTES=$(or $(MINUTES),30) TURNOUT_SOAK_TABLE=soak-table.md \
		$(BIN)/python -m pytest -m faults --timeout 0 $(ARGS)

docs: setup ## run every example in the documentation
	@$(BIN)/python -m pytest -q tests -k docs $(ARGS)

clean: ## remove what the other targets made, except your data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/clients/*/node_modules \
		tests/clients/.venvs tests/clients/go/.built tests/clients/java/.built
