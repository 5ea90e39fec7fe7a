"""Nights: which snapshot each night refers to, also where it had nothing new."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

from warehouse.snapshots.channels import (
    append,
    candidates,
    head,
    keep,
    log_entries,
    named,
    put_in_order,
    show_channels,
    signed,
    under_way,
)
from warehouse.snapshots.runs import found_something
from warehouse.store.sealed import read_sealed, sealed
from warehouse.store.signing import Signer
from warehouse.store.store import READERS, Store


@dataclass(frozen=True)
class NightRecord:
    """A night that refers to a snapshot: which day, when and by which run it was found, of which inputs, and whether it
    was held.
    """

    edition: str
    as_of: date
    at: datetime
    run_id: str
    inputs_digest: str
    is_held: bool


# Who makes a snapshot stable by itself: nobody (nights that only make candidates), nobody but for the first good one
# (a person decides on later ones), or the gate.
Policy = Literal["nobody", "person", "gate"]


def stand_on(
    store: Store, night: NightRecord, entry: Mapping[str, Any], policy: Policy, signer: Signer | None = None
) -> None:
    """Let a night refer to the snapshot of a log entry: moves the candidate there, unless a later night has moved it,
    and writes down what the night refers to, last.

    By itself the first good snapshot of an edition becomes stable, and with the policy `gate` every later one that
    breaks no rule of the gate and never was stable. Held, synthetic and withdrawn ones never do.
    """
    put_in_order(store, night.edition, night.at)
    with under_way(store, night.edition, night.run_id, night.at):
        move_to(store, night, entry, policy, signer, is_new=False)


def move_to(
    store: Store,
    night: NightRecord,
    entry: Mapping[str, Any],
    policy: Policy,
    signer: Signer | None,
    *,
    is_new: bool,
) -> None:
    """Let a night refer to a snapshot, within work on the store that is under way; `is_new` where it just made it."""
    edition, snapshot_id, as_of = night.edition, entry["snapshot_id"], night.as_of.isoformat()
    if not is_new:
        keep(store, edition, snapshot_id)
    is_usable = _lead_to(store, night, entry, signer, is_new=is_new) and policy != "nobody"
    if is_usable and not (night.is_held or entry["is_held"] or entry["is_synthetic"]):
        whole = {**entry, "as_of": as_of, "appended_at": night.at}
        if not log_entries(store, edition, "stable"):
            keep(store, edition, snapshot_id)
            append(store, edition, "stable", whole | {"reason": "first good snapshot"}, signer, only_first=True)
        stable = head(store, edition, "stable")
        was_stable = snapshot_id in named(store, edition, "stable")
        if policy == "gate" and entry["is_within_limits"] and not was_stable and stable and stable["as_of"] <= as_of:
            keep(store, edition, snapshot_id)
            append(store, edition, "stable", whole | {"reason": "it breaks no rule of the gate"}, signer)
    show_channels(store, edition)
    _write_night(store, night, snapshot_id, signer)


def _lead_to(
    store: Store, night: NightRecord, entry: Mapping[str, Any], signer: Signer | None, *, is_new: bool
) -> bool:
    """Move the candidate to the snapshot of an entry, unless a later night moved it. False where it was withdrawn."""
    edition, as_of = night.edition, night.as_of.isoformat()
    if entry["snapshot_id"] in named(store, edition, "withdrawn"):
        return False
    now = head(store, edition, "candidate")
    if is_new or now is None or (now["snapshot_id"] != entry["snapshot_id"] and now["as_of"] <= as_of):
        whole = {**entry, "as_of": as_of, "appended_at": night.at, "reason": f"night {as_of}"}
        append(store, edition, "candidate", whole, signer)
    return True


def _write_night(store: Store, night: NightRecord, snapshot_id: str, signer: Signer | None) -> None:
    record = signed({**asdict(night), "snapshot_id": snapshot_id}, signer)
    store.replace(night_key(night.edition, night.as_of), sealed(record))


def night_records(store: Store, edition: str) -> dict[str, dict[str, Any]]:
    """What is written of the nights of an edition, by their days."""
    keys = store.keys(f"nights/{edition}")
    with ThreadPoolExecutor(READERS) as pool:  # they may change, so they are not kept
        found = pool.map(lambda key: read_sealed(store, key), keys)
        return {record["as_of"]: record for record in found}


def record_nights(
    store: Store,
    edition: str,
    nights: Sequence[tuple[NightRecord, str]],
    name: str,
    now: datetime,
    signer: Signer | None = None,
) -> None:
    """Let many nights refer to snapshots that are there, as `stand_on` does one by one, but for what becomes stable."""
    entries = named(store, edition, "candidate")
    put_in_order(store, edition, now)
    with under_way(store, edition, name, now):
        for snapshot_id in dict.fromkeys(each for _, each in nights):
            keep(store, edition, snapshot_id)
        for night, snapshot_id in nights:
            _lead_to(store, night, {each: entries[snapshot_id][each] for each in ENTRY}, signer, is_new=False)
        show_channels(store, edition)
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(lambda each: _write_night(store, each[0], each[1], signer), nights))


def night_key(edition: str, as_of: date) -> str:
    """Where it is written which snapshot a night refers to."""
    return f"nights/{edition}/{as_of}.json"


def night_of_same_inputs(
    store: Store, edition: str, as_of: date, inputs_digest: str, signer: Signer | None = None
) -> tuple[NightRecord, dict[str, Any]] | None:
    """An earlier night of the same inputs with the log entry of the snapshot it refers to; None where there is none.

    Looks at the latest night and at an earlier run of the same one; a held one is judged anew. Who signs believes only
    what it signed.
    """
    keys = store.keys(f"nights/{edition}")
    for key in {night_key(edition, as_of), *keys[-1:]} & set(keys):
        found = read_sealed(store, key)
        if found["inputs_digest"] != inputs_digest or found["is_held"] or (signer and not signer.has_signed(found)):
            continue
        entries = [each for each in candidates(store, edition) if each["snapshot_id"] == found["snapshot_id"]]
        if entries and found_something(store, found["run_id"]):
            times = {"as_of": date.fromisoformat(found["as_of"]), "at": datetime.fromisoformat(found["at"])}
            facts = {each.name: found[each.name] for each in fields(NightRecord)} | times
            return NightRecord(**facts), {name: entries[-1][name] for name in ENTRY}
    return None


# What an entry of a channel's log says of the snapshot it names.
ENTRY = (
    "snapshot_id",
    "content_hash",
    "methodology_digest",
    "manifest_sha256",
    "is_held",
    "is_synthetic",
    "is_within_limits",
)
