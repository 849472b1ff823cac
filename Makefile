# Needs Python 3.11 or newer; all else comes from requirements.lock.

PYTHON ?= python3
VENV ?= .venv

.PHONY: setup demo serve test test-system lint faults attacks bench bench-quick

setup: $(VENV)/installed

$(VENV)/installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --no-index -e .
	touch $@

demo: setup
	$(VENV)/bin/shopdsr demo

serve: setup
	$(VENV)/bin/shopdsr serve

test: setup
	$(VENV)/bin/pytest -n 2 --dist loadfile

$(VENV)/system/installed: tests/system/requirements.lock tests/system/package-lock.json
	$(PYTHON) -m venv --clear $(VENV)/system
	$(VENV)/system/bin/pip install --quiet --require-hashes -r tests/system/requirements.lock
	cp tests/system/package.json tests/system/package-lock.json $(VENV)/system
	$(VENV)/system/bin/npm ci --prefix $(VENV)/system --ignore-scripts --no-audit --no-fund
	touch $@

# Needs what is beside Python too, and installs it: pgbouncer and nginx where apt-get may. They are
# installed as on a machine in maintenance, so that neither starts by itself.
test-system: setup $(VENV)/system/installed
	PATH="$$PATH:/usr/sbin"; command -v pgbouncer && command -v nginx || (apt-get update -q && RUNLEVEL=1 apt-get install -yq --no-install-recommends pgbouncer nginx-light)
	$(VENV)/bin/pytest tests/system

faults: setup
	$(VENV)/bin/python -m tests.faults

attacks: setup
	$(VENV)/bin/python -m tests.attacks

lint: setup
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

$(VENV)/bench/installed: benchmarks/requirements.lock
	$(PYTHON) -m venv --clear $(VENV)/bench
	$(VENV)/bench/bin/pip install --quiet --require-hashes -r benchmarks/requirements.lock
	touch $@

bench: setup $(VENV)/bench/installed
	$(VENV)/bench/bin/python -m benchmarks

bench-quick: setup $(VENV)/bench/installed
	$(VENV)/bench/bin/python -m benchmarks --quick
