"""Run records: what happened in every run, also in those that failed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.violations import DamagedStore
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


def run_records(store: Store) -> dict[str, str]:
    """When each recorded run started, by its id."""
    keys = [key for key in store.keys("runs") if key.endswith("/run.json")]
    found = {}
    for key, content in zip(keys, store.read_kept(keys), strict=True):
        try:
            found[key.split("/")[1]] = str(json.loads(content)["started_at"])
        except (ValueError, KeyError, TypeError):
            raise DamagedStore(f"{key}: the record of the run cannot be read.") from None
    return found
