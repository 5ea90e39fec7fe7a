"""Run records: what happened in every run, also in those that failed or were killed."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.errors import DamagedStore, UsageError, did_you_mean
from warehouse.snapshots.channels import is_over, worker
from warehouse.store.store import Store, as_json

RECORD = "run.json"
BEGUN = "begun.json"  # there while a run is under way


def run_folder(run_id: str) -> str:
    """Where the record of a run lies."""
    return f"runs/{run_id}"


def is_recorded(store: Store, run_id: str) -> bool:
    """Whether a run came to its end and was written down."""
    return store.exists(f"{run_folder(run_id)}/{RECORD}")


def found_something(store: Store, run_id: str) -> bool:
    """Whether a run came to a snapshot, and was written down with what it found."""
    try:
        return bool(json.loads(store.read(f"{run_folder(run_id)}/{RECORD}"))["outcome"] != "failed")
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return False


def begin_run(store: Store, run_id: str, facts: Mapping[str, Any], now: datetime) -> None:
    """Note that a run is under way, and what is known of it until it ends: should it be killed, that is its record."""
    store.replace(f"{run_folder(run_id)}/{BEGUN}", as_json({"run_id": run_id, **facts, **worker(now)}))


def write_run(store: Store, run_id: str, record: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Write the record of a run that ended: `files` (those that exist) under their names, then run.json."""
    folder = run_folder(run_id)
    for name, path in files.items():
        if path.exists():
            store.replace(f"{folder}/{name}", path.read_bytes())
    store.replace(f"{folder}/{RECORD}", as_json(record))
    store.delete(f"{folder}/{BEGUN}")


def run_records(store: Store, now: datetime, *, but: Collection[str] = ()) -> list[dict[str, Any]]:
    """The records of all runs, or of all but some, oldest first. Of one that has not come to its end the outcome is
    `running`, or `killed` where its process is gone. Raises DamagedStore.
    """
    keys = [key for key in store.keys("runs") if key.split("/")[1] not in but]
    ended = [key for key in keys if key.endswith(f"/{RECORD}")]
    folders = {key.rpartition("/")[0] for key in ended}
    begun = [key for key in keys if key.endswith(f"/{BEGUN}") and key.rpartition("/")[0] not in folders]
    found = [_parsed(key, content) for key, content in zip(ended, store.read_kept(ended), strict=True)]
    for key in begun:
        try:
            found.append(_without_end(key, store.read(key), now))
        except FileNotFoundError:  # it came to its end meanwhile
            continue
    return sorted(found, key=lambda record: (str(record["started_at"]), str(record["run_id"])))


def _parsed(key: str, content: bytes) -> dict[str, Any]:
    try:
        record = json.loads(content)
        if {"run_id", "started_at"} <= set(record):
            return dict(record)
    except (ValueError, TypeError):
        pass
    raise DamagedStore(f"{key}: the record of the run cannot be read.")


def _without_end(key: str, content: bytes, now: datetime) -> dict[str, Any]:
    try:
        note = _parsed(key, content)
        if not is_over(note, now):
            return note | {"outcome": "running"}
        why = f"its process ended during {note['step']}; nothing more was written down."
    except (DamagedStore, KeyError):  # a machine that lost its power leaves such
        note = {"run_id": key.split("/")[1], "started_at": "", "nights": []}
        why = "what was noted when it began cannot be read."
    return note | {"outcome": "killed", "reason": " ".join(filter(None, (note.get("reason"), why)))}


def find_run(store: Store, run_id: str, now: datetime) -> dict[str, Any]:
    """The record of a run by its id, or its unambiguous beginning. Raises UsageError."""
    every = run_records(store, now)
    hits = [record for record in every if str(record["run_id"]).startswith(run_id)]
    exact = [record for record in hits if record["run_id"] == run_id] or hits
    if len(exact) != 1:
        known = "more than one run begins so" if exact else "there is no such run"
        known_id = "lebih dari satu proses berawalan demikian" if exact else "tidak ada proses itu"
        names = [] if exact else [str(record["run_id"]) for record in every]
        raise UsageError(
            f"run '{run_id}': {known}; 'kerawanan runs list' shows them.{did_you_mean(run_id, names)}",
            f"proses '{run_id}': {known_id}; 'kerawanan runs list' menampilkan semuanya."
            f"{did_you_mean(run_id, names, 'id')}",
        )
    return exact[0]
