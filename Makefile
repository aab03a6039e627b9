.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help: ## show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

install: $(VENV)/installed ## create .venv with everything in it

$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Headwater needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: install ## break a pipeline on purpose and see what Headwater says
	$(BIN)/headwater demo $(ARGS)

check: install ## everything that needs no service: format, lint, types, room contracts, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not broker"

test: check ## check, then the stories on a real Kafka and Valkey, which the tests start themselves
	$(BIN)/pytest -m broker

bench: install ## the benchmarks, with their peers, floors and dummies
	$(BIN)/python -m benchmarks

bench-index: install ## trace and explain over a million batches and ten million predictions, in full
	$(BIN)/python -m benchmarks.index $(ARGS)

up: ## Kafka, Redis, Prometheus, Grafana, Alertmanager and Headwater in containers
	docker compose up --build --detach --wait

down: ## stop and remove the containers (the volumes stay)
	docker compose down

lock: ## resolve the dependencies anew
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --quiet --output-file requirements.lock

.PHONY: help install demo check test bench bench-index up down lock
