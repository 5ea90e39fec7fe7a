"""Proof: everything is hashed again. Whatever was changed, removed or added is named."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.methodology import Library
from schemas.violations import UsageError
from warehouse.channels import CHANNELS, head, log_folder
from warehouse.raw_store import ERASED, REFUSED, WITHDRAWN, erasures, raw_key
from warehouse.snapshots import MANIFEST, draft_hashes, snapshot_folder
from warehouse.store import Store

UNREADABLE = (OSError, ValueError, KeyError, TypeError)


class Damage(NamedTuple):
    """Something that was found: where, and one sentence."""

    where: str
    sentence: str


def verify(store: Store, snapshot_id: str | None = None) -> dict[str, Any]:
    """Hash again one snapshot (an unambiguous beginning will do) or all, with the extracts they rest on, and the
    channel logs, pointers, nights and stable tables of their editions.

    Returns what was verified and the damage found. Raises UsageError where there is nothing of that name.
    """
    folders = {"/".join(key.split("/")[:3]) for key in store.keys("snapshots")}
    chosen = sorted(each for each in folders if each.rpartition("/")[2].startswith(snapshot_id or ""))
    every = [*chosen, *store.keys("log"), *store.keys("channels"), *store.keys("nights")]
    editions = {each.split("/")[1] for each in (chosen if snapshot_id else every)}
    if not chosen and (snapshot_id or not editions):
        what = f"snapshot '{snapshot_id}'" if snapshot_id else "snapshot"
        raise UsageError(f"there is no {what} in {store.root}; 'kerawanan snapshots list' shows them.")
    damage = [each for base in chosen for each in snapshot_damage(store, base)]
    for edition in sorted(editions):
        damage += channel_damage(store, edition)
    if not snapshot_id:
        damage += _raw_damage(store)
    verified = [base.rpartition("/")[2] for base in chosen]
    unique = list(dict.fromkeys(damage))
    return {"verified": verified, "damage": [each._asdict() for each in unique], "store": str(store.root)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest(store: Store, base: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts of a snapshot, and the hash of each of its files."""
    data = json.loads(store.read(f"{base}/{MANIFEST}"))
    return data["kerawanan"], {each["path"]: each["hash"].removeprefix("sha256:") for each in data["resources"]}


def snapshot_damage(store: Store, base: str) -> list[Damage]:
    """What is wrong with the snapshot in a folder: its files, the content of its tables, the extracts it rests on."""
    try:
        facts, files = _manifest(store, base)
        rests_on = {raw_key(each["sha256"]): each["sha256"] for each in facts["inputs"]}
    except UNREADABLE:
        return [Damage(f"{base}/{MANIFEST}", "the manifest is missing or cannot be read.")]
    listed = {f"{base}/{path}": expected for path, expected in files.items()}
    present = set(store.keys(base))
    unknown = sorted(present - set(listed) - {f"{base}/{MANIFEST}"})
    damage = [Damage(key, "the file is not in the manifest.") for key in unknown]
    for key, expected in listed.items():
        if key not in present:
            damage.append(Damage(key, "the file is missing."))
        elif _digest(store.read(key)) != expected:
            damage.append(Damage(key, "the file is not the one that was published: its SHA-256 differs."))
    erased = erasures(store)
    for key, expected in rests_on.items():
        if expected in erased:
            continue
        if not store.exists(key):
            damage.append(Damage(key, "the extract is missing."))
        elif _digest(store.read(key)) != expected:
            damage.append(Damage(key, "the extract is not the one that was received: its SHA-256 differs."))
    return damage or _content_damage(store, base, facts)


def _raw_damage(store: Store) -> list[Damage]:
    damage = [
        Damage(key, "the extract is not the one that was received: its SHA-256 differs.")
        for key in store.keys("raw/sha256")
        if _digest(store.read(key)) != key.rpartition("/")[2]
    ]
    damage += [
        Damage(key, "the note cannot be read.")
        for folder in (WITHDRAWN, ERASED, REFUSED)
        for key in store.keys(folder)
        if _json(store, key) is None
    ]
    erased = {} if damage else erasures(store)
    for key in store.keys("raw/receipts"):
        receipt = _json(store, key)
        if receipt is None or receipt.get("sha256") != key.rpartition("/")[2].removesuffix(".json"):
            damage.append(Damage(key, "the receipt cannot be read, or speaks of another extract."))
        elif receipt["sha256"] not in erased and not store.exists(raw_key(str(receipt["sha256"]))):
            damage.append(Damage(raw_key(str(receipt["sha256"])), "the extract is missing."))
    return damage


def _content_damage(store: Store, base: str, facts: Mapping[str, Any]) -> list[Damage]:
    dictionary = Library(store.path(f"{base}/methodology"), alone=True).dictionary
    hashes, whole = draft_hashes(store.path(f"{base}/tables"), dictionary)
    damage = [
        Damage(f"{base}/tables/{name}.parquet", "its content hash is not the one in the manifest.")
        for name, found in hashes.items()
        if found != facts["table_hashes"].get(name)
    ]
    if whole != facts["content_hash"]:
        damage.append(Damage(f"{base}/{MANIFEST}", "the content hash of the snapshot is not that of its tables."))
    return damage


def channel_damage(store: Store, edition: str) -> list[Damage]:
    """What is wrong with the channels of an edition: log chains, pointers, nights, and the stable tables."""
    damage: list[Damage] = []
    for channel in CHANNELS:
        chain = _chain_damage(store, edition, channel)
        damage += chain
        if chain:
            continue
        try:
            entry = head(store, edition, channel)
        except UNREADABLE:
            damage.append(Damage(log_folder(edition, channel), "an entry of the log lacks what it must say."))
            continue
        if entry is None:
            continue
        pointer = f"channels/{edition}/{channel}.json"
        if _json(store, pointer) != entry:
            damage.append(Damage(pointer, "the pointer does not say what the log says."))
        if channel == "stable":
            damage += _stable_damage(store, edition, entry)
    for key in store.keys(f"nights/{edition}"):
        night = _json(store, key)
        if not night or not store.exists(f"{snapshot_folder(edition, str(night.get('snapshot_id')))}/{MANIFEST}"):
            damage.append(Damage(key, "the snapshot that the night stands on is missing, or the file cannot be read."))
    return damage


def _json(store: Store, key: str) -> dict[str, Any] | None:
    try:
        data = json.loads(store.read(key))
    except UNREADABLE:
        return None
    return data if isinstance(data, dict) else None


def _chain_damage(store: Store, edition: str, channel: str) -> list[Damage]:
    damage: list[Damage] = []
    previous: str | None = None
    for number, key in enumerate(store.keys(log_folder(edition, channel)), start=1):
        entry = _json(store, key)
        if entry is None:
            return [*damage, Damage(key, "the entry of the log cannot be read.")]
        if entry.get("number") != number or not key.endswith(f"/{number:06}.json"):
            damage.append(Damage(key, f"entry {number} of the log is missing or misnumbered."))
        if entry.get("previous_sha256") != previous:
            damage.append(Damage(key, "the log was rewritten: the entry before is not the one it names."))
        manifest_key = f"{snapshot_folder(edition, str(entry.get('snapshot_id')))}/{MANIFEST}"
        if not store.exists(manifest_key):
            damage.append(Damage(key, f"the snapshot {entry.get('snapshot_id')} it names is missing."))
        elif _digest(store.read(manifest_key)) != entry.get("manifest_sha256"):
            damage.append(Damage(manifest_key, "the manifest is not the one that the log names."))
        previous = _digest(store.read(key))
    return damage


def _stable_damage(store: Store, edition: str, entry: Mapping[str, Any]) -> list[Damage]:
    folder = store.path(f"stable/v1/{edition}")
    try:
        _, files = _manifest(store, snapshot_folder(edition, entry["snapshot_id"]))
        found = {path.name: _digest(path.read_bytes()) for path in folder.iterdir()}
    except UNREADABLE:
        return [Damage(f"stable/v1/{edition}", "the stable tables cannot be read.")]
    expected = {path.removeprefix("tables/"): each for path, each in files.items() if path.startswith("tables/")}
    return [
        Damage(f"stable/v1/{edition}/{name}", "it is not the table of the stable snapshot.")
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
