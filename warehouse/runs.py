"""Run records: what happened in every run, also in those that failed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.store import Store, as_json


def run_folder(run_id: str) -> str:
    """Where the record of a run lies."""
    return f"runs/{run_id}"


def write_run(store: Store, run_id: str, record: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Write a run's record: `files` (those that exist) under their names, then run.json."""
    for name, path in files.items():
        if path.exists():
            store.replace(f"{run_folder(run_id)}/{name}", path.read_bytes())
    store.replace(f"{run_folder(run_id)}/run.json", as_json(record))
