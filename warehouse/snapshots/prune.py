"""Removing old candidates and runs that nothing refers to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from warehouse.snapshots.channels import (
    give_up,
    named,
    put_in_order,
    remove,
    show_channels,
    snapshot_folder,
    under_way,
)
from warehouse.snapshots.runs import RECORD, run_folder, run_records
from warehouse.snapshots.snapshots import snapshots
from warehouse.store.sealed import read_sealed
from warehouse.store.signing import Signer
from warehouse.store.store import Store


def prune(
    store: Store, at: datetime, keep_days: int, signer: Signer | None = None, *, execute: bool = False
) -> dict[str, Any]:
    """What nobody refers to and is older than so many days: removed with `execute`, else only named.

    `snapshots`: those that never were stable, are no latest candidate, were not withdrawn, and that no night refers to;
    `runs`: records of runs that no night and no snapshot names. Extracts are always kept.
    """
    before = (at - timedelta(days=keep_days)).isoformat()
    nights = [read_sealed(store, key) for key in store.keys("nights")]
    snapshot_ids, run_ids = ({each[name] for each in nights} for name in ("snapshot_id", "run_id"))
    expired: list[dict[str, Any]] = []
    kept: set[str] = set()
    every = snapshots(store)
    was_stable = {name for edition in {each["edition"] for each in every} for name in named(store, edition, "stable")}
    for facts in every:
        is_used = facts["snapshot_id"] in snapshot_ids | was_stable or facts["channels"] or facts["withdrawn"]
        if is_used or facts["created"] >= before:
            kept.add(facts["snapshot_id"])
        else:
            expired.append(facts)
    runs = [
        record.run_id
        for record in run_records(store, at)
        if record.run_id not in run_ids | kept and record.started_at < before
    ]
    if execute:
        for facts in expired:
            _prune(store, facts, at, signer)
        for run_id in runs:
            # The record last: what is left of an interrupted try is found again.
            for key in sorted(store.keys(run_folder(run_id)), key=lambda each: each.endswith(f"/{RECORD}")):
                store.delete(key)
    shown = ("edition", "snapshot_id", "as_of", "created")
    return {
        "snapshots": [{name: facts[name] for name in shown} for facts in expired],
        "runs": runs,
        "keep_days": keep_days,
        "is_done": execute,
    }


def _prune(store: Store, facts: Mapping[str, Any], at: datetime, signer: Signer | None) -> None:
    edition, snapshot_id = facts["edition"], facts["snapshot_id"]
    put_in_order(store, edition, at)
    with under_way(store, edition, snapshot_id, at, snapshot_id):
        if snapshot_id not in named(store, edition, "candidate"):
            remove(store, snapshot_folder(edition, snapshot_id))  # its run was interrupted before any log named it
        elif give_up(store, edition, snapshot_id, at, signer):
            show_channels(store, edition)
