# The developers' manual. `make` alone lists the targets.
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
UV := .tools/bin/uv
EXTRAS := --extra console --extra scaled
STAMP := $(VENV)/.locked

.DEFAULT_GOAL := help
.PHONY: help setup lock run test lint types fuzz docs engines bench-ingest crash bench-follow bench-push bench-recognition bench-descriptions bench-standings bench-data-classes bench-bodies bench-identities bench-signals template-prior

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## make .venv with the locked dependencies, compiled: else each start would do that again
	@$(BIN)/python -m compileall -q src

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(STAMP): requirements.lock pyproject.toml | $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(STAMP)

run: setup ## take traffic in (a sample, or LOG=/path/to/access.log), show the inventory, serve the page (ONCE=1: show only)
	@LOG="$(LOG)" ONCE="$(ONCE)" PORT="$(PORT)" INGEST_OPTIONS="$(INGEST_OPTIONS)" samples/run.sh

lock: | $(UV) ## resolve the dependencies again and write requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	  --custom-compile-command 'make lock' $(EXTRAS) --group dev pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	  --custom-compile-command 'make lock' $(EXTRAS) --constraint requirements.lock pyproject.toml -o deploy/run.lock
	echo hatchling | $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	  --custom-compile-command 'make lock' - -o deploy/build.lock

engines: ## install the real engines that tests start (Debian, as root); without them those tests say they skip
	@./tests/engines.sh

test: setup engines lint types ## everything that must pass
	$(BIN)/pytest -n auto

lint: setup ## style, and the house's import contract
	$(BIN)/ruff format --check --quiet src tests bench samples
	$(BIN)/ruff check --quiet src tests bench samples
	$(BIN)/lint-imports --no-logo

types: setup ## strict types
	$(BIN)/mypy

bench-ingest: setup ## file to inventory against GoAccess (RUNS=3, LINES=2000000, GROWTH=--growth)
	@./tests/engines.sh goaccess:goaccess
	$(BIN)/python bench/ingest.py --runs $(or $(RUNS),3) --lines $(or $(LINES),2000000) $(GROWTH)

bench-follow: setup ## line written to visible in a query (SECONDS=60, RATE=5000, UPKEEP=60: seconds between upkeep)
	$(BIN)/python bench/follow.py --seconds $(or $(SECONDS),60) --rate $(or $(RATE),5000) --upkeep $(or $(UPKEEP),60)

bench-push: setup ## pushed calls a second, durable, while the inventory is read (RUNS=3, SECONDS=20)
	$(BIN)/python bench/push.py --runs $(or $(RUNS),3) --seconds $(or $(SECONDS),20)

bench-recognition: setup ## templates against descriptions, recorded traffic, kinds of identifiers, and their cost (ONLY=kinds)
	$(BIN)/python bench/recognition.py $(if $(ONLY),--only $(ONLY))

bench-descriptions: setup ## public descriptions: imported, counted, exported, imported again (VALIDATE=10: judge every tenth)
	$(BIN)/python bench/descriptions.py --validate $(or $(VALIDATE),10)

bench-standings: setup ## what judging many operations costs (OPERATIONS=100000)
	$(BIN)/python bench/standings.py --operations $(or $(OPERATIONS),100000)

bench-data-classes: setup ## data classes on labelled values: recall, false alarms, confusion, speed (SHOW=1: examples)
	$(BIN)/python bench/data_classes.py $(if $(SHOW),--show)

bench-bodies: setup ## calls with 2 kB bodies both ways through the real ingest, per CPU-second (RUNS=3, CALLS=40000)
	$(BIN)/python bench/bodies.py --runs $(or $(RUNS),3) --calls $(or $(CALLS),40000)

bench-identities: setup ## declared bots and agents recognised, browsers and libraries not (SHOW=1: what was not)
	$(BIN)/python bench/identities.py $(if $(SHOW),--show)

bench-signals: setup ## what content rules notice of attacks and of what is none, and their cost (SHOW=1: examples)
	$(BIN)/python bench/signals.py $(if $(SHOW),--show)

template-prior: setup ## learn the prior of templates from public descriptions (EXCLUDE=provider,…; OUT=file)
	$(BIN)/python bench/templating/train.py --exclude "$(EXCLUDE)" $(if $(OUT),--out $(OUT))

KILLS ?= 50
crash: setup ## kill -9 every process at random moments KILLS times, fill the disk, and count
	$(BIN)/python bench/crash.py --kills $(KILLS)

FUZZ ?= 2000
fuzz: setup ## break every format's records FUZZ times, others each run (a crash, a hang, a lost line or a secret fails)
	WARDGATE_FUZZ=$(FUZZ) $(BIN)/pytest tests/sources/test_conformance.py tests/test_hostile_ways.py -k "hostile or broken" -n auto --timeout=3600

docs: setup ## write the reference pages that are made from code
	$(BIN)/python docs/configuration_reference.py
	$(BIN)/python docs/reference_pages.py
	$(BIN)/python docs/views_reference.py
