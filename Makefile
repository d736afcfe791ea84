# Every target is listed by `make help`; what a target needs it builds.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do command -v $$name && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.headroom-stamp
SOURCES := headroom infra policies bootstrap sandbox metrics examples tests benchmarks
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --strip-extras --no-header
UNIT := not e2e and not cluster and not monitoring and not browser
# What runs side by side is printed one after the other, where make can do that.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Bytecode is kept, whatever the shell says: commands start in half the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check lint types quick slow e2e test-cluster test-monitoring test-browser test-recovery snapshots dashboards docs schema requirements bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST) | \
	  { [ -t 1 ] && cat || sed 's/\x1b\[[0-9;]*m//g'; }

setup: $(STAMP) ## Put the pinned environment and the `headroom` command into .venv

$(STAMP): requirements-setup.txt requirements-dev.txt pyproject.toml metrics/pyproject.toml
	@echo "setup: the environment in $(VENV) (about a minute the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "setup: $(PYTHON) is not Python 3.11 to 3.13; name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --require-hashes -r requirements-setup.txt
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e . -e ./metrics
	@touch $@
	@echo "setup: done; the command is $(BIN)/headroom"

demo: setup ## Bring the dev stack up on the sandbox, change it, take it down
	@$(BIN)/headroom demo

test: quick slow e2e ## All tests that need nothing heavier than the engine

test-all: check test test-cluster test-monitoring test-browser ## What CI runs

check: setup ## Lint, types, quick unit tests, side by side: about a minute and a half
	@echo "check: lint, types and quick unit tests, each shown as it ends: about a minute and a half on 2 cores"
	@$(MAKE) --no-print-directory --jobs 3 $(SYNC) lint types quick

lint: setup ## Format and lint as CI does
	@$(BIN)/ruff format --check $(wildcard $(SOURCES))
	@$(BIN)/ruff check $(wildcard $(SOURCES))
	@$(BIN)/lint-imports

types: setup ## Type-check
	@$(BIN)/ty check $(wildcard headroom infra policies bootstrap sandbox metrics examples benchmarks)

quick: setup ## Unit tests that take no time
	@echo "quick: about a minute and a half on 2 cores"
	@$(BIN)/pytest -n 2 -m "not slow and $(UNIT)"

slow: setup ## Unit tests that start processes, run the whole program, or try hundreds of platforms
	@echo "slow: 5 minutes on 2 idle cores"
	@$(BIN)/pytest -n 2 -m "slow and $(UNIT)"

e2e: setup ## Tests that run the real Pulumi engine on the sandbox
	@echo "e2e: the real engine (built once, about 4 minutes, where no pulumi is installed)"
	@$(BIN)/headroom sandbox engine
	@$(BIN)/pytest -n 2 -m "e2e and not recovery"

test-cluster: setup ## Tests that run the real Kubernetes API server and the real Kueue
	@echo "test-cluster: the servers (built once, about 10 minutes), then their tests"
	@$(BIN)/headroom sandbox engine
	@$(BIN)/python -m sandbox.tools kubernetes kueue helm
	@$(BIN)/pytest -m cluster

test-monitoring: setup ## Tests that run the real promtool, Prometheus, Pushgateway and image registry
	@echo "test-monitoring: the servers (built once, about 12 minutes), then their tests"
	@$(BIN)/python -m sandbox.tools promtool prometheus pushgateway registry
	@$(BIN)/pytest -n 2 -m monitoring --ignore tests/monitoring
	@$(BIN)/pytest -m monitoring tests/monitoring

test-browser: setup ## Tests that look at the audit's page in a real headless Chromium
	@$(INSTALL) --no-deps --require-hashes -r requirements-browser.txt
	@$(BIN)/pytest -m browser -rs

test-recovery: setup ## Crashes, faults and twenty first ups through the real engine (the long ones)
	@echo "test-recovery: the real engine many times, on a cloud that fails: 10 minutes on 2 idle cores"
	@$(BIN)/headroom sandbox engine
	@$(BIN)/pytest -m recovery -n 2

snapshots: setup ## Renew the resource graphs that the tests compare with; read the diff
	@$(BIN)/pytest tests/components --snapshot-update

dashboards: setup ## Write the Grafana dashboards
	@$(BIN)/python -m headroom.dashboards dashboards

docs: setup ## Write the pages about deliveries
	@for file in Pulumi.*.yaml; do name=$${file#Pulumi.}; $(BIN)/headroom docs -s "$${name%.yaml}" || exit; done

schema: setup ## Renew the JSON Schemas of the stack files and of the policies' settings
	@$(BIN)/headroom schema > stack.schema.json
	@$(BIN)/python -m policies.settings > policies/settings.schema.json

requirements: setup ## Compile the pinned requirements from pyproject.toml
	@$(COMPILE) pyproject.toml --output-file requirements.txt
	@$(COMPILE) pyproject.toml --extra live --output-file requirements-live.txt
	@$(COMPILE) --group setup --output-file requirements-setup.txt
	@$(COMPILE) pyproject.toml --extra live --group dev --output-file requirements-dev.txt
	@$(COMPILE) --no-deps --group browser --output-file requirements-browser.txt

bench: setup ## Measure: the program beside a bare one, the queues on the real Kueue, in one run
	@$(BIN)/headroom sandbox engine
	@$(BIN)/python -m sandbox.tools kubernetes kueue helm
	@$(BIN)/python -m benchmarks

clean: ## Remove what was built in the tree (the cache folder stays)
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
