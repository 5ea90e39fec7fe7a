"""Snapshots: immutable folders whose manifest is written last, which is the commit."""

import json
from typing import Any

from schemas.errors import DamagedStore, UsageError, did_you_mean
from warehouse.snapshots.channels import (
    CHANNELS,
    MANIFEST,
    head,
    named,
    snapshot_folder,
)
from warehouse.store.store import Store


def read_manifest(store: Store, edition: str, snapshot_id: str) -> dict[str, Any]:
    """The manifest of a snapshot. Raises FileNotFoundError."""
    data: dict[str, Any] = json.loads(store.read(f"{snapshot_folder(edition, snapshot_id)}/{MANIFEST}"))
    return data


def snapshots(store: Store, edition: str | None = None) -> list[dict[str, Any]]:
    """The facts of all snapshots with a manifest, oldest first, each with the `channels` that point to it, and why it
    was `withdrawn`, if it was.
    """
    keys = [
        key for key in store.keys(f"snapshots/{edition}" if edition else "snapshots") if key.endswith(f"/{MANIFEST}")
    ]
    found = []
    for key, content in zip(keys, store.read_kept(keys), strict=True):
        try:
            found.append(json.loads(content)["kerawanan"])
        except (ValueError, KeyError, TypeError):
            raise DamagedStore(f"{key}: the manifest cannot be read.", f"{key}: manifes tidak dapat dibaca.") from None
    for name in {facts["edition"] for facts in found}:
        heads = {channel: entry["snapshot_id"] for channel in CHANNELS if (entry := head(store, name, channel))}
        withdrawn = named(store, name, "withdrawn")
        for facts in found:
            if facts["edition"] == name:
                facts["channels"] = [each for each in heads if heads[each] == facts["snapshot_id"]]
                note = withdrawn.get(facts["snapshot_id"])
                facts["withdrawn"] = note and note["reason"]
    return sorted(found, key=lambda facts: (facts["created"], facts["snapshot_id"]))


def find_snapshot(store: Store, snapshot_id: str) -> dict[str, Any]:
    """The manifest of a snapshot by its id, or its unambiguous beginning. Raises UsageError."""
    hits = [facts for facts in snapshots(store) if facts["snapshot_id"].startswith(snapshot_id)]
    exact = [facts for facts in hits if facts["snapshot_id"] == snapshot_id] or hits
    if len(exact) != 1:
        known = "more than one snapshot begins so" if exact else "there is no such snapshot"
        known_id = "lebih dari satu snapshot berawalan demikian" if exact else "tidak ada snapshot itu"
        names = [] if exact else [facts["snapshot_id"] for facts in snapshots(store)]
        raise UsageError(
            f"snapshot '{snapshot_id}': {known}; 'kerawanan snapshots list' shows them."
            f"{did_you_mean(snapshot_id, names)}",
            f"snapshot '{snapshot_id}': {known_id}; 'kerawanan snapshots list' menampilkan semuanya."
            f"{did_you_mean(snapshot_id, names, 'id')}",
        )
    return read_manifest(store, exact[0]["edition"], exact[0]["snapshot_id"])
