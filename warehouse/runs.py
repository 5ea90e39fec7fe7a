"""Run records: what happened in every run, also in those that failed."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from schemas.violations import DamagedStore, UsageError
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


def run_records(store: Store, *, but: Collection[str] = ()) -> list[dict[str, Any]]:
    """The records of all runs, or of all but some, oldest first. Raises DamagedStore."""
    keys = [each for each in store.keys("runs") if each.endswith("/run.json") and each.split("/")[1] not in but]
    found = []
    for key, content in zip(keys, store.read_kept(keys), strict=True):
        try:
            record: dict[str, Any] = json.loads(content)
            found.append((str(record["started_at"]), str(record["run_id"]), record))
        except (ValueError, KeyError, TypeError):
            raise DamagedStore(f"{key}: the record of the run cannot be read.") from None
    return [record for _, _, record in sorted(found, key=lambda each: each[:2])]


def find_run(store: Store, run_id: str) -> dict[str, Any]:
    """The record of a run by its id, or its unambiguous beginning. Raises UsageError."""
    hits = [record for record in run_records(store) if str(record["run_id"]).startswith(run_id)]
    exact = [record for record in hits if record["run_id"] == run_id] or hits
    if len(exact) != 1:
        known = "more than one run begins so" if exact else "there is no such run"
        raise UsageError(f"run '{run_id}': {known}; 'kerawanan runs list' shows them.")
    return exact[0]
