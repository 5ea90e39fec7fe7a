"""Logs say which snapshots count: create-only and numbered, each entry naming the one before by its hash.

`candidate` and `stable` are channels: what pointers and `stable/` are derived from. `withdrawn` says which snapshots
are no longer to be used. Beside the logs, a snapshot has a fate once: kept, as something refers to it, or pruned.
"""

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from schemas.errors import DamagedStore, UsageError
from warehouse.store.sealed import as_json, read_all_sealed, read_sealed, sealed
from warehouse.store.signing import Signer
from warehouse.store.store import AlreadyThere, Store

CHANNELS = ("candidate", "stable")
LOGS = (*CHANNELS, "withdrawn")
WITHDRAWN_MARK = "WITHDRAWN.json"
MANIFEST = "datapackage.json"
UNFINISHED = "unfinished"
# Work that is not finished after so long never will be, whatever machine it is of.
LONGEST = timedelta(days=1)


def log_folder(edition: str, log: str) -> str:
    """Where a log lies."""
    return f"log/{edition}/{log}"


def pointer_key(edition: str, channel: str) -> str:
    """Where the pointer of a channel lies."""
    return f"channels/{edition}/{channel}.json"


def stable_folder(edition: str) -> str:
    """Where the stable tables are shown; the number is the major version of their schema."""
    return f"stable/v1/{edition}"


def snapshot_folder(edition: str, snapshot_id: str) -> str:
    """Where a snapshot lies."""
    return f"snapshots/{edition}/{snapshot_id}"


def log_entries(store: Store, edition: str, log: str) -> list[dict[str, Any]]:
    """The entries of a log, oldest first. Raises DamagedStore where one was changed, is missing or of another log."""
    keys = store.keys(log_folder(edition, log))
    entries = read_all_sealed(store, keys)
    for number, (key, entry) in enumerate(zip(keys, entries, strict=True), start=1):
        expected = (number, edition, log)
        if (
            not key.endswith(f"/{number:06}.json")
            or tuple(map(entry.get, ("number", "edition", "channel"))) != expected
        ):
            raise DamagedStore(
                f"{key}: entry {number} of the log is missing, or this one is of another log.",
                f"{key}: catatan ke-{number} dalam log tidak ada, atau yang ini dari log lain.",
            )
    return entries


def named(store: Store, edition: str, log: str) -> dict[str, dict[str, Any]]:
    """The snapshots that a log names, each with the first entry about it."""
    return {entry["snapshot_id"]: entry for entry in reversed(log_entries(store, edition, log))}


def fate_key(edition: str, snapshot_id: str) -> str:
    """Where it is written whether a snapshot is kept or pruned."""
    return f"{log_folder(edition, 'fate')}/{snapshot_id}.json"


def keep(store: Store, edition: str, snapshot_id: str) -> None:
    """Say that something refers to a snapshot, before it does. Raises UsageError where it was pruned."""
    try:
        store.create(fate_key(edition, snapshot_id), sealed({"snapshot_id": snapshot_id, "fate": "kept"}))
    except AlreadyThere:
        raise UsageError(
            f"{snapshot_id} was pruned; run the night again.",
            f"{snapshot_id} sudah dipangkas; jalankan lagi malamnya.",
        ) from None


def give_up(store: Store, edition: str, snapshot_id: str, at: datetime, signer: Signer | None) -> bool:
    """Say that a snapshot may be removed; False where something refers to it meanwhile."""
    note = {"snapshot_id": snapshot_id, "fate": "pruned", "edition": edition, "pruned_at": at}
    try:
        store.create(fate_key(edition, snapshot_id), sealed(signed(note, signer)))
    except AlreadyThere:
        return snapshot_id in gone(store, edition)
    return True


def gone(store: Store, edition: str) -> set[str]:
    """The snapshots that were pruned."""
    fates = read_all_sealed(store, store.keys(log_folder(edition, "fate")))
    return {each["snapshot_id"] for each in fates if each["fate"] == "pruned"}


def candidates(store: Store, edition: str) -> list[dict[str, Any]]:
    """The entries about candidates that are there, oldest first; those that were withdrawn included."""
    removed = gone(store, edition)
    return [entry for entry in log_entries(store, edition, "candidate") if entry["snapshot_id"] not in removed]


def head(store: Store, edition: str, channel: str) -> dict[str, Any] | None:
    """The entry a channel points to, never of what was withdrawn: of `stable` the last; of `candidate` the one of the
    latest night, so that replaying an earlier night never moves the channel back. None where there is none.
    """
    withdrawn = named(store, edition, "withdrawn")
    entries = candidates(store, edition) if channel == "candidate" else log_entries(store, edition, channel)
    good = [entry for entry in entries if entry["snapshot_id"] not in withdrawn]
    if channel == "candidate":
        return max(good, key=lambda entry: (entry["as_of"], entry["number"]), default=None)
    return good[-1] if good and good[-1]["snapshot_id"] else None


def signed(facts: Mapping[str, Any], signer: Signer | None) -> dict[str, Any]:
    """Facts as they are stored, with the `signature` over them where there is who signs."""
    plain: dict[str, Any] = json.loads(as_json(facts))
    return plain | {"signature": signer(as_json(plain))} if signer else plain


def append(
    store: Store,
    edition: str,
    log: str,
    entry: Mapping[str, Any],
    signer: Signer | None = None,
    *,
    only_first: bool = False,
) -> None:
    """Append to a log; whoever loses a number takes the next, or leaves it if `only_first`."""
    while True:
        number = len(log_entries(store, edition, log)) + 1
        if number > 1 and only_first:
            return
        before = f"{log_folder(edition, log)}/{number - 1:06}.json"
        previous = hashlib.sha256(store.read(before)).hexdigest() if number > 1 else None
        whole = {"number": number, "edition": edition, "channel": log, **entry, "previous_sha256": previous}
        try:
            store.create(f"{log_folder(edition, log)}/{number:06}.json", sealed(signed(whole, signer)))
        except AlreadyThere:
            continue
        return


def show_channels(store: Store, edition: str) -> None:
    """Derive from the logs what is shown: pointers, the stable folder, marks of withdrawal, and that what was pruned is
    gone. Repairs what an interrupted run left undone, and goes on until nobody else has appended meanwhile.
    """
    while True:
        heads = {channel: head(store, edition, channel) for channel in CHANNELS}
        for channel, entry in heads.items():
            _point(store, pointer_key(edition, channel), entry)
        stable = heads["stable"]
        tables = f"{snapshot_folder(edition, stable['snapshot_id'])}/tables" if stable else None
        store.show(stable_folder(edition), tables)
        removed = gone(store, edition)
        for snapshot_id, entry in named(store, edition, "withdrawn").items():
            mark = f"{snapshot_folder(edition, snapshot_id)}/{WITHDRAWN_MARK}"
            if snapshot_id not in removed and not store.exists(mark):
                with suppress(AlreadyThere):
                    store.create(mark, sealed(entry))
        for snapshot_id in removed:
            remove(store, snapshot_folder(edition, snapshot_id))
        if heads == {channel: head(store, edition, channel) for channel in CHANNELS}:
            return


def _point(store: Store, pointer: str, entry: Mapping[str, Any] | None) -> None:
    if entry is None:
        store.delete(pointer)
        return
    try:
        is_right = store.read(pointer) == sealed(entry)
    except FileNotFoundError:
        is_right = False
    if not is_right:
        store.replace(pointer, sealed(entry))


def remove(store: Store, folder: str) -> None:
    """Remove a folder; of a snapshot the manifest first, so that nobody takes the rest for whole."""
    for key in sorted(store.keys(folder), key=lambda each: not each.endswith(f"/{MANIFEST}")):
        store.delete(key)


@contextmanager
def under_way(store: Store, edition: str, name: str, now: datetime, snapshot_id: str | None = None) -> Iterator[None]:
    """Work on a store, noted before it begins and until it came to its end. `snapshot_id`: what is half until then."""
    key = f"{UNFINISHED}/{edition}/{name}.json"
    note = {**worker(now), "snapshot_id": snapshot_id}
    store.replace(key, sealed(note))
    yield
    store.delete(key)


def put_in_order(store: Store, edition: str, now: datetime) -> None:
    """Bring in order what work that is over left: half a snapshot is removed, and what the logs say is shown."""
    for key in store.keys(f"{UNFINISHED}/{edition}"):
        try:
            note = read_sealed(store, key)
        except FileNotFoundError:  # it came to its end meanwhile
            continue
        except DamagedStore:
            note = {}
        if note and not is_over(note, now):
            continue
        half = note.get("snapshot_id")
        if half and half not in named(store, edition, "candidate"):
            remove(store, snapshot_folder(edition, half))
        store.delete(key)
    show_channels(store, edition)


def worker(now: datetime) -> dict[str, Any]:
    """Who works, and since when, as notes of work name it."""
    return {"begun_at": now, "host": platform.node(), "process": os.getpid()}


def is_over(note: Mapping[str, Any], now: datetime) -> bool:
    """Whether the process that noted its work is gone, as far as is known from here."""
    if note["host"] == platform.node() and os.name == "posix":
        try:
            os.kill(note["process"], 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is another's, and may have the number of one that is gone
            pass
    return now - datetime.fromisoformat(note["begun_at"]) > LONGEST


def is_log_key(key: str) -> bool:
    """Whether a key is one that logs have."""
    logs = "|".join(LOGS)
    return re.fullmatch(rf"log/[^/]+/(({logs})/\d{{6}}|fate/[^/]+)\.json", key) is not None
