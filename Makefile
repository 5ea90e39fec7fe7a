# Two commands do everything: `make run` and `make test`. The environment comes from requirements.lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
REAL := ikp-2024-published
SIMULATED := ikp-2024-simulated

.PHONY: setup run serve bench test test-slow check format lock docs site clean

setup: $(READY)

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
bench: $(READY)
	$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks.nights

test: $(READY)
	$(BIN)/pytest

test-slow: $(READY)
	$(BIN)/pytest -m slow

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar warehouse benchmarks
	$(BIN)/python docs/data_dictionary.py --check
	$(BIN)/python docs/diagrams.py --check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)
	$(BIN)/python docs/data_dictionary.py
	$(BIN)/python docs/diagrams.py

# The pages as a site in build/site, with a page for the code of every folder; any warning is an error.
site: $(READY)
	$(BIN)/python docs/build_site.py

# Resolves anew within the bounds of pyproject.toml. No address of a registry gets into the lock.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

lock: $(READY)
	$(LOCK) pyproject.toml --extra dev --group build -o requirements.lock
	$(LOCK) --group uv -o requirements-uv.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip install --quiet --system-certs --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
