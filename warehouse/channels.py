"""Logs say which snapshots count: create-only and numbered, each entry naming the one before by its hash.

`candidate` and `stable` are channels: what pointers and `stable/` are derived from. `withdrawn` and `pruned` say which
snapshots are no longer to be used, and which are gone.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from warehouse.signing import Signer
from warehouse.store import AlreadyThere, Store, as_json, read_all_sealed, read_sealed, sealed

CHANNELS = ("candidate", "stable")
LOGS = (*CHANNELS, "withdrawn", "pruned")
WITHDRAWN_MARK = "WITHDRAWN.json"
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
    """The entries of a log, oldest first. Raises DamagedStore where one was changed."""
    return read_all_sealed(store, store.keys(log_folder(edition, log)))


def named(store: Store, edition: str, log: str) -> dict[str, dict[str, Any]]:
    """The snapshots that a log names, each with the last entry about it."""
    return {entry["snapshot_id"]: entry for entry in log_entries(store, edition, log)}


def candidates(store: Store, edition: str) -> list[dict[str, Any]]:
    """The entries about candidates that are there, oldest first; those that were withdrawn included."""
    gone = named(store, edition, "pruned")
    return [entry for entry in log_entries(store, edition, "candidate") if entry["snapshot_id"] not in gone]


def head(store: Store, edition: str, channel: str) -> dict[str, Any] | None:
    """The entry a channel stands on, never of what was withdrawn: of `stable` the last; of `candidate` the one of the
    latest night, so that replaying an earlier night never moves the channel back. None where there is none.
    """
    withdrawn = named(store, edition, "withdrawn")
    entries = candidates(store, edition) if channel == "candidate" else log_entries(store, edition, channel)
    good = [entry for entry in entries if entry["snapshot_id"] not in withdrawn]
    if channel == "candidate":
        return max(good, key=lambda entry: (entry["as_of"], entry["number"]), default=None)
    return good[-1] if good and good[-1]["snapshot_id"] else None


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
        keys = store.keys(log_folder(edition, log))
        if keys and only_first:
            return
        number = len(keys) + 1
        previous = hashlib.sha256(store.read(keys[-1])).hexdigest() if keys else None
        whole = {"number": number, "edition": edition, "channel": log, **entry, "previous_sha256": previous}
        plain = json.loads(as_json(whole))
        if signer:
            plain["signature"] = signer(as_json(plain))
        try:
            store.create(f"{log_folder(edition, log)}/{number:06}.json", sealed(plain))
        except AlreadyThere:
            continue
        return


def settle(store: Store, edition: str) -> None:
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
        gone = named(store, edition, "pruned")
        for snapshot_id, entry in named(store, edition, "withdrawn").items():
            mark = f"{snapshot_folder(edition, snapshot_id)}/{WITHDRAWN_MARK}"
            if snapshot_id not in gone and not store.exists(mark):
                store.create(mark, sealed(entry))
        for snapshot_id in gone:
            remove(store, snapshot_folder(edition, snapshot_id))
        if heads == {channel: head(store, edition, channel) for channel in CHANNELS}:
            return


def _point(store: Store, pointer: str, entry: Mapping[str, Any] | None) -> None:
    if entry is None:
        store.delete(pointer)
    elif not store.exists(pointer) or store.read(pointer) != sealed(entry):
        store.replace(pointer, sealed(entry))


def remove(store: Store, folder: str) -> None:
    """Remove a folder; of a snapshot the manifest first, so that nobody takes the rest for whole."""
    for key in sorted(store.keys(folder), key=lambda each: not each.endswith("/datapackage.json")):
        store.delete(key)


@contextmanager
def under_way(store: Store, edition: str, name: str, now: datetime) -> Iterator[None]:
    """Work on a store, noted before it begins and until it came to its end; first brings in order what earlier work,
    that is over, left unfinished.
    """
    sweep(store, edition, now)
    key = f"{UNFINISHED}/{edition}/{name}.json"
    store.replace(key, sealed({"begun_at": now.isoformat(), "host": platform.node(), "process": os.getpid()}))
    yield
    store.delete(key)


def sweep(store: Store, edition: str, now: datetime) -> None:
    """Bring in order what work that is over left: half a snapshot is removed, what the logs say is shown."""
    for key in store.keys(f"{UNFINISHED}/{edition}"):
        try:
            note = read_sealed(store, key)
        except FileNotFoundError:  # it came to its end meanwhile
            continue
        if not _is_over(note, now):
            continue
        snapshot_id = key.rpartition("/")[2].removesuffix(".json")
        if snapshot_id not in named(store, edition, "candidate"):
            remove(store, snapshot_folder(edition, snapshot_id))
        settle(store, edition)
        store.delete(key)


def _is_over(note: Mapping[str, Any], now: datetime) -> bool:
    """Whether the process that noted its work is gone, as far as can be told from here."""
    if note["host"] == platform.node() and os.name == "posix":
        try:
            os.kill(note["process"], 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
    return now - datetime.fromisoformat(note["begun_at"]) > LONGEST
