"""What becomes stable, by the gate or by a person with a reason, and what is withdrawn again."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq

from schemas.errors import UsageError
from schemas.sentence import Sentence, spaced
from warehouse.snapshots.channels import (
    CHANNELS,
    append,
    gone,
    head,
    keep,
    log_entries,
    named,
    put_in_order,
    show_channels,
    snapshot_folder,
    stable_folder,
    under_way,
)
from warehouse.snapshots.nights import ENTRY
from warehouse.snapshots.snapshots import find_snapshot
from warehouse.store.signing import Signer
from warehouse.store.store import Store


def promote(store: Store, snapshot_id: str, at: datetime, reason: str, signer: Signer | None = None) -> dict[str, Any]:
    """Make a candidate stable, for a reason; an earlier one, to roll back. Raises UsageError where it is synthetic,
    withdrawn, stable or wrong.

    What only the rules of the gate hold, such as a large change, a person may promote: that is what the reason is for.
    """
    edition, entry, is_stable = _promotable(store, snapshot_id, at)
    if is_stable:
        name = entry["snapshot_id"]
        raise UsageError(f"{name} is stable already.", f"{name} sudah menjadi rilis stabil.")
    return _promote(store, edition, entry, at, reason, signer)


def promote_together(
    store: Store, snapshot_ids: Sequence[str], at: datetime, reason: str, signer: Signer | None = None
) -> list[dict[str, Any]]:
    """Make several candidates stable, or none: each is looked at before the first becomes it. Raises UsageError."""
    chosen = [_promotable(store, each, at) for each in snapshot_ids]
    return [
        _promote(store, edition, entry, at, reason, signer) for edition, entry, is_stable in chosen if not is_stable
    ]


def _promotable(store: Store, snapshot_id: str, at: datetime) -> tuple[str, dict[str, Any], bool]:
    """The edition of a snapshot that may become stable, what the log says of it, and whether it is stable already."""
    facts = find_snapshot(store, snapshot_id)["kerawanan"]
    edition, whole_id = facts["edition"], facts["snapshot_id"]
    put_in_order(store, edition, at)
    stable = head(store, edition, "stable")
    if facts["is_synthetic"]:
        raise UsageError(
            f"{whole_id} is simulated data; that is never promoted to stable.",
            f"{whole_id} adalah data simulasi; data simulasi tidak pernah menjadi rilis stabil.",
        )
    if note := named(store, edition, "withdrawn").get(whole_id):
        raise UsageError(
            f"{whole_id} was withdrawn at {note['appended_at']} ({note['reason']}).",
            f"{whole_id} ditarik pada {note['appended_at']} ({note['reason']}).",
        )
    entry = _candidate(store, edition, whole_id)
    wrong = critical_sentences(store, edition, whole_id)
    if facts["is_held"] and wrong:
        raise UsageError(
            f"{whole_id} is held and its figures are wrong: {wrong.en} Mend that and run again.",
            f"{whole_id} ditahan dan angkanya salah: {wrong.id} Perbaiki, lalu jalankan lagi.",
        )
    return edition, entry, bool(stable and stable["snapshot_id"] == whole_id)


def _promote(
    store: Store, edition: str, entry: Mapping[str, Any], at: datetime, reason: str, signer: Signer | None
) -> dict[str, Any]:
    snapshot_id = entry["snapshot_id"]
    keep(store, edition, snapshot_id)
    with under_way(store, edition, f"promote-{snapshot_id}-{uuid.uuid4().hex[:6]}", at):
        append(store, edition, "stable", {**entry, "appended_at": at, "reason": reason}, signer)
        show_channels(store, edition)
    return {"edition": edition, "snapshot_id": snapshot_id, "stable": store.where(stable_folder(edition))}


def withdraw(store: Store, snapshot_id: str, at: datetime, reason: str, signer: Signer | None = None) -> dict[str, Any]:
    """Withdraw a snapshot, for a reason: it stays readable, marked, and no channel points to it any more. Where it was
    stable, the one that was stable before is again; where there is none, nothing is. Raises UsageError.
    """
    facts = find_snapshot(store, snapshot_id)["kerawanan"]
    edition, whole_id = facts["edition"], facts["snapshot_id"]
    put_in_order(store, edition, at)
    withdrawn = named(store, edition, "withdrawn")
    if whole_id in withdrawn:
        before = withdrawn[whole_id]["appended_at"]
        raise UsageError(f"{whole_id} was withdrawn at {before} before.", f"{whole_id} sudah ditarik pada {before}.")
    entry = _candidate(store, edition, whole_id)
    keep(store, edition, whole_id)
    with under_way(store, edition, f"withdraw-{whole_id}-{uuid.uuid4().hex[:6]}", at):
        _roll_back(store, edition, whole_id, at, signer)
        append(store, edition, "withdrawn", entry | {"appended_at": at, "reason": reason}, signer)
        show_channels(store, edition)
    now = {channel: head(store, edition, channel) for channel in CHANNELS}
    return {
        "edition": edition,
        "snapshot_id": whole_id,
        **{channel: entry["snapshot_id"] if entry else None for channel, entry in now.items()},
    }


def _roll_back(store: Store, edition: str, snapshot_id: str, at: datetime, signer: Signer | None) -> None:
    """Where a snapshot that is to be withdrawn is stable, go back to what was stable before: in a new entry, as a log
    is never edited.
    """
    stable = head(store, edition, "stable")
    if stable is None or stable["snapshot_id"] != snapshot_id:
        return
    never = {*named(store, edition, "withdrawn"), snapshot_id, None}
    good = [each for each in log_entries(store, edition, "stable") if each["snapshot_id"] not in never]
    entry = {name: good[-1][name] if good else None for name in (*ENTRY, "as_of")}
    append(store, edition, "stable", entry | {"appended_at": at, "reason": f"{snapshot_id} is withdrawn"}, signer)


def _candidate(store: Store, edition: str, snapshot_id: str) -> dict[str, Any]:
    """What the log of candidates says of a snapshot that is there. Raises UsageError."""
    if snapshot_id in gone(store, edition):
        raise UsageError(
            f"{snapshot_id} was pruned; run the night again.",
            f"{snapshot_id} sudah dipangkas; jalankan lagi malamnya.",
        )
    entry = named(store, edition, "candidate").get(snapshot_id)
    if entry is None:
        raise UsageError(
            f"{snapshot_id} never became a candidate: its run was interrupted. Run the night again.",
            f"{snapshot_id} belum pernah menjadi calon: prosesnya terputus. Jalankan lagi malamnya.",
        )
    return {name: entry[name] for name in (*ENTRY, "as_of")}


def critical_sentences(store: Store, edition: str, snapshot_id: str) -> Sentence | None:
    """What is critical in the figures of a snapshot themselves, whatever was stable beside it; None where nothing."""
    file = store.local(f"{snapshot_folder(edition, snapshot_id)}/tables/quality_result.parquet")
    rows = pq.read_table(file).to_pylist()
    # Snapshots of before the gate have no scope: all findings there are about the figures.
    return spaced(
        Sentence(row["message_id"], row["message_en"])
        for row in rows
        if (row["severity"], row.get("scope", "content")) == ("critical", "content")
    )
