"""Damage of one snapshot: files that are missing, changed, or do not say what its manifest says."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.errors import DamagedStore, MethodologyError, StorageError
from schemas.methodology.library import Library
from warehouse.extracts.raw_store import ERASED, raw_key, receipt_key
from warehouse.snapshots.channels import (
    MANIFEST,
    WITHDRAWN_MARK,
)
from warehouse.snapshots.publish import draft_hashes
from warehouse.store.sealed import sealed, unsealed
from warehouse.store.store import Store

# What reading something that was tampered with can end in.
UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError),
    *(DamagedStore, MethodologyError, StorageError),
)


class Damage(NamedTuple):
    """Something that was found: where, and one sentence."""

    where: str
    sentence: str


def guarded(where: str, look: Callable[..., list[Damage]], *about: Any) -> list[Damage]:
    """What a look finds; that it cannot be read, where it was tampered with so that the look itself fails."""
    try:
        return look(*about)
    except UNREADABLE:
        return [Damage(where, "it cannot be read as what it should be.")]


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def opened(store: Store, key: str) -> dict[str, Any] | None:
    """What is sealed at a key; None where it was changed or is missing."""
    try:
        return unsealed(store.read(key))
    except UNREADABLE:
        return None


def manifest(store: Store, base: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts of a snapshot, and the hash of each of its files."""
    data = json.loads(store.read(f"{base}/{MANIFEST}"))
    return data["kerawanan"], {each["path"]: each["hash"].removeprefix("sha256:") for each in data["resources"]}


def snapshot_damage(store: Store, base: str, withdrawn: Mapping[str, Any] | None) -> list[Damage]:
    """What is wrong with the snapshot in a folder: its files, the content of its tables, the extracts it rests on, and
    the mark of its withdrawal.
    """
    facts, files = manifest(store, base)
    listed = {f"{base}/{path}": expected for path, expected in files.items()}
    if withdrawn:
        listed[f"{base}/{WITHDRAWN_MARK}"] = digest(sealed(withdrawn))
    present = set(store.keys(base))
    unknown = sorted(present - set(listed) - {f"{base}/{MANIFEST}"})
    damage = [Damage(key, "the file is not in the manifest.") for key in unknown]
    for key, expected in listed.items():
        if key not in present:
            if not key.endswith(f"/{WITHDRAWN_MARK}"):
                damage.append(Damage(key, "the file is missing."))
        elif digest(store.read(key)) != expected:
            damage.append(Damage(key, "the file is not the one that was published: its SHA-256 differs."))
    damage += [each for declared in facts["inputs"] for each in _input_damage(store, declared)]
    return damage or _content_damage(store, base, facts)


def _input_damage(store: Store, declared: Mapping[str, Any]) -> Iterator[Damage]:
    """What is wrong with an extract that a snapshot rests on, and with its receipt."""
    receipt, key = receipt_key(declared["source"], declared["sha256"]), raw_key(declared["sha256"])
    kept = opened(store, receipt)
    if kept is None or any(declared.get(name) != value for name, value in kept.items() if name != "is_synthetic"):
        yield Damage(receipt, "the receipt is missing, or not the one that the snapshot names.")
    if store.exists(f"{ERASED}/{declared['sha256']}.json"):
        return
    if not store.exists(key):
        yield Damage(key, "the extract is missing.")
    elif digest(store.read(key)) != declared["sha256"]:
        yield Damage(key, "the extract is not the one that was received: its SHA-256 differs.")


def _content_damage(store: Store, base: str, facts: Mapping[str, Any]) -> list[Damage]:
    dictionary = Library(store.local(f"{base}/methodology"), alone=True).dictionary
    hashes, whole = draft_hashes(store.local(f"{base}/tables"), dictionary)
    damage = [
        Damage(f"{base}/tables/{name}.parquet", "its content hash is not the one in the manifest.")
        for name, found in hashes.items()
        if found != facts["table_hashes"].get(name)
    ]
    if whole != facts["content_hash"]:
        damage.append(Damage(f"{base}/{MANIFEST}", "the content hash of the snapshot is not that of its tables."))
    return damage
