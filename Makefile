# Two commands do everything: `make run` and `make test`. The environment of a run comes from requirements.lock; tests and
# checks add the rest, from requirements-dev.lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
UV := .uv/bin/uv
REAL := ikp-2024-published
SIMULATED := ikp-2024-simulated

.PHONY: setup dev dask run serve bench test test-slow check format lock docs site clean

setup: $(READY)

# What tests, checks and hooks need besides.
dev: $(READY_DEV)

# What `kerawanan backfill --runner dask` needs, and the workers of Dask.
dask: $(READY)
	$(INSTALL) --constraints requirements-dev.lock --no-build-isolation --editable '.[dask]'

run: $(READY)
	@echo "== Real figures, as published by Bawaslu and printed by the press"
	$(BIN)/kerawanan run --edition $(REAL) --inbox extracts/$(REAL)
	@echo "== SIMULATED: invented forms of 548 offices. Nothing below says anything about Indonesia"
	$(BIN)/python extracts/simulate_offices.py build/$(SIMULATED)
	$(BIN)/kerawanan run --edition $(SIMULATED) --inbox build/$(SIMULATED)

# Prefect's server with its pages, a work pool, the deployments of prefect.yaml and a worker, on this machine.
serve: $(READY)
	$(BIN)/python -m flows.server.serve

# The engine beside plain ways to do the same, up to the size of every polling station, and a year of nights at once;
# takes about twenty minutes.
bench: $(READY_DEV)
	$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks.nights

test: $(READY_DEV)
	$(BIN)/pytest

test-slow: $(READY_DEV)
	$(BIN)/pytest -m slow

check: $(READY_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar warehouse benchmarks
	$(BIN)/python docs/data_dictionary.py --check
	$(BIN)/python docs/diagrams.py --check

format: $(READY_DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY_DEV)
	$(BIN)/python docs/data_dictionary.py
	$(BIN)/python docs/diagrams.py

# The pages as a site in build/site, with a page for the code of every folder; any warning is an error.
site: $(READY_DEV)
	$(BIN)/python docs/build_site.py

# Resolves anew within the bounds of pyproject.toml. No address of a registry gets into a lock, and what both hold has
# one version.
LOCK := $(UV) pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

lock: $(UV)
	$(LOCK) --upgrade pyproject.toml --extra dask --extra dev --group build -o requirements-dev.lock
	$(LOCK) --upgrade --constraints requirements-dev.lock pyproject.toml --group build -o requirements.lock
	$(LOCK) --upgrade --group uv -o requirements-uv.lock

IMPORTED := flows.server.deploy, flows.server.nightly, flows.server.upkeep, flows.results.page, great_expectations, \
	pandera.polars, prefect.server.api.server, prefect.cli.server, prefect.cli.worker, prefect.cli.deploy, \
	prefect.workers.process, pyarrow.compute, pyarrow.parquet, python_calamine, rapidfuzz, xlrd, xlsxwriter

INSTALL := $(UV) pip install --quiet --system-certs --python $(BIN)/python

# What installs stands beside what runs.
$(UV): requirements-uv.lock
	$(PYTHON) -m venv --clear .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	touch $@

# Libraries bring tests of their own, which go. Bytecode is written of what runs, as a service may not write any.
$(READY): requirements.lock pyproject.toml $(UV)
	$(PYTHON) -m venv --clear --without-pip $(VENV)
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	cd $(VENV)/lib/python3*/site-packages && find numpy pandas pyarrow scipy -type d -name tests -prune -exec rm -r {} +
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import $(IMPORTED)"
	touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	$(INSTALL) --compile-bytecode --require-hashes -r requirements-dev.lock
	touch $@

clean:
	rm -rf $(VENV) .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
