"""Channels say which snapshot counts: create-only numbered logs, from which pointers and `stable/` are derived."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from warehouse.store import AlreadyThere, Store, as_json

CHANNELS = ("candidate", "stable")


def log_folder(edition: str, channel: str) -> str:
    """Where the log of a channel lies."""
    return f"log/{edition}/{channel}"


def log_entries(store: Store, edition: str, channel: str) -> list[dict[str, Any]]:
    """The entries of a channel's log, oldest first."""
    return [json.loads(store.read(key)) for key in store.keys(log_folder(edition, channel))]


def head(store: Store, edition: str, channel: str) -> dict[str, Any] | None:
    """The entry a channel stands on: of `stable` the last; of `candidate` the one of the latest night, so that
    replaying an earlier night never moves the channel back. None where the log is empty.
    """
    entries = log_entries(store, edition, channel)
    if channel == "candidate":
        return max(entries, key=lambda entry: (entry["as_of"], entry["number"]), default=None)
    return entries[-1] if entries else None


def append(store: Store, edition: str, channel: str, entry: Mapping[str, Any], *, only_first: bool = False) -> None:
    """Append to a channel's log; whoever loses a number takes the next, or leaves it if `only_first`."""
    while True:
        keys = store.keys(log_folder(edition, channel))
        if keys and only_first:
            return
        number = len(keys) + 1
        previous = hashlib.sha256(store.read(keys[-1])).hexdigest() if keys else None
        whole = {"number": number, "edition": edition, "channel": channel, **entry, "previous_sha256": previous}
        try:
            store.create(f"{log_folder(edition, channel)}/{number:06}.json", as_json(whole))
        except AlreadyThere:
            continue
        return


def settle(store: Store, edition: str) -> None:
    """Derive pointers and the stable folder from the logs; repairs what an interrupted run left undone."""
    for channel in CHANNELS:
        entry = head(store, edition, channel)
        if entry is None:
            continue
        pointer = f"channels/{edition}/{channel}.json"
        if not store.exists(pointer) or store.read(pointer) != as_json(entry):
            store.replace(pointer, as_json(entry))
        if channel == "stable":
            store.switch(f"stable/v1/{edition}", f"snapshots/{edition}/{entry['snapshot_id']}/tables")
