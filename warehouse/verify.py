"""Proof: everything is hashed again. Whatever was changed, removed or added is named."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.methodology import Library
from schemas.violations import DamagedStore, UsageError
from warehouse.channels import (
    CHANNELS,
    LOGS,
    UNFINISHED,
    WITHDRAWN_MARK,
    head,
    log_folder,
    named,
    pointer_key,
    snapshot_folder,
    stable_folder,
)
from warehouse.raw_store import ERASED, RECEIPTS, REFUSED, WITHDRAWN, erasures, raw_key, receipt_key
from warehouse.snapshots import MANIFEST, draft_hashes
from warehouse.store import Store, as_json, sealed, unsealed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

UNREADABLE = (OSError, ValueError, KeyError, TypeError)


class Damage(NamedTuple):
    """Something that was found: where, and one sentence."""

    where: str
    sentence: str


class Found(NamedTuple):
    """What is damaged, and what only lags behind the logs, as an interrupted run leaves it."""

    damage: list[Damage]
    lag: list[Damage]


def verify(store: Store, snapshot_id: str | None = None, key: "Ed25519PublicKey | None" = None) -> dict[str, Any]:
    """Hash again one snapshot (an unambiguous beginning will do) or all, with the extracts they rest on, and the logs,
    pointers, nights and stable tables of their editions. With a public key every entry of a log must be signed.

    Returns what was verified, the damage found, and what an interrupted run left to be finished by the next. Raises
    UsageError where there is nothing of that name.
    """
    folders = {"/".join(each.split("/")[:3]) for each in store.keys("snapshots")}
    chosen = sorted(each for each in folders if each.rpartition("/")[2].startswith(snapshot_id or ""))
    every = [*chosen, *store.keys("log"), *store.keys("channels"), *store.keys("nights"), *store.keys(UNFINISHED)]
    editions = sorted({each.split("/")[1] for each in (chosen if snapshot_id else every)})
    if not chosen and (snapshot_id or not editions):
        what = f"snapshot '{snapshot_id}'" if snapshot_id else "snapshot"
        raise UsageError(f"there is no {what} in {store.url}; 'kerawanan snapshots list' shows them.")
    damage: list[Damage] = []
    unfinished: list[Damage] = []
    for edition in editions:
        notes = {each.rpartition("/")[2].removesuffix(".json") for each in store.keys(f"{UNFINISHED}/{edition}")}
        found = _edition_found(store, edition, [each for each in chosen if each.split("/")[1] == edition], notes, key)
        damage += found.damage
        (unfinished if notes else damage).extend(found.lag)
        unfinished += [
            Damage(
                f"{UNFINISHED}/{edition}/{note}.json", "it did not come to its end; the next run brings it in order."
            )
            for note in sorted(notes)
        ]
    if not snapshot_id:
        damage += _raw_damage(store)
    return {
        "verified": [base.rpartition("/")[2] for base in chosen],
        "damage": [each._asdict() for each in dict.fromkeys(damage)],
        "unfinished": [each._asdict() for each in dict.fromkeys(unfinished)],
        "store": store.url,
    }


def _edition_found(
    store: Store, edition: str, chosen: list[str], notes: set[str], key: "Ed25519PublicKey | None"
) -> Found:
    """What is wrong with the logs of an edition, with snapshots, and with what is derived of the logs."""
    chains = [each for log in LOGS for each in _chain_damage(store, edition, log, key)]
    if chains:
        marked = _named(store, edition, "withdrawn")
        each_of = (snapshot_damage(store, base, marked.get(base.rpartition("/")[2])) for base in chosen)
        return Found([*chains, *(damage for each in each_of for damage in each)], [])
    logged, withdrawn, gone = (named(store, edition, log) for log in ("candidate", "withdrawn", "pruned"))
    found = Found([], [])
    for base in chosen:
        snapshot_id = base.rpartition("/")[2]
        if snapshot_id in gone:
            found.lag.append(Damage(base, "it was pruned, and is still there."))
        elif snapshot_id in logged:
            found.damage.extend(snapshot_damage(store, base, withdrawn.get(snapshot_id)))
        elif snapshot_id not in notes:
            found.damage.append(Damage(base, "no log names this snapshot."))
    for entry in withdrawn.values():
        mark = f"{snapshot_folder(edition, entry['snapshot_id'])}/{WITHDRAWN_MARK}"
        if entry["snapshot_id"] not in gone and not store.exists(mark):
            found.lag.append(Damage(mark, "the snapshot was withdrawn, and is not marked."))
    for channel in CHANNELS:
        _channel_found(store, edition, channel, found)
    for night_key in store.keys(f"nights/{edition}"):
        night = _opened(store, night_key)
        if night is None or str(night.get("snapshot_id")) not in logged:
            found.damage.append(Damage(night_key, "it was changed, or no log names the snapshot that it stands on."))
    return found


def _named(store: Store, edition: str, log: str) -> dict[str, dict[str, Any]]:
    """The snapshots that a log names; none where the log is damaged."""
    try:
        return named(store, edition, log)
    except DamagedStore:
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _opened(store: Store, key: str) -> dict[str, Any] | None:
    """What is sealed at a key; None where it was changed or is missing."""
    try:
        return unsealed(store.read(key))
    except UNREADABLE:
        return None


def _manifest(store: Store, base: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts of a snapshot, and the hash of each of its files."""
    data = json.loads(store.read(f"{base}/{MANIFEST}"))
    return data["kerawanan"], {each["path"]: each["hash"].removeprefix("sha256:") for each in data["resources"]}


def snapshot_damage(store: Store, base: str, withdrawn: Mapping[str, Any] | None) -> list[Damage]:
    """What is wrong with the snapshot in a folder: its files, the content of its tables, the extracts it rests on, and
    the mark of its withdrawal.
    """
    try:
        facts, files = _manifest(store, base)
        inputs = {(each["source"], each["sha256"]): each for each in facts["inputs"]}
    except UNREADABLE:
        return [Damage(f"{base}/{MANIFEST}", "the manifest is missing or cannot be read.")]
    listed = {f"{base}/{path}": expected for path, expected in files.items()}
    if withdrawn:
        listed[f"{base}/{WITHDRAWN_MARK}"] = _digest(sealed(withdrawn))
    present = set(store.keys(base))
    unknown = sorted(present - set(listed) - {f"{base}/{MANIFEST}"})
    damage = [Damage(key, "the file is not in the manifest.") for key in unknown]
    for key, expected in listed.items():
        if key not in present:
            if not key.endswith(f"/{WITHDRAWN_MARK}"):
                damage.append(Damage(key, "the file is missing."))
        elif _digest(store.read(key)) != expected:
            damage.append(Damage(key, "the file is not the one that was published: its SHA-256 differs."))
    damage += _input_damage(store, inputs)
    return damage or _content_damage(store, base, facts)


def _input_damage(store: Store, inputs: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[Damage]:
    """What is wrong with the extracts that a snapshot rests on, and with their receipts."""
    damage = []
    try:
        erased = erasures(store)
    except DamagedStore:
        return []  # which is named where raw extracts are looked at
    for (source, sha256), told in inputs.items():
        receipt, key = receipt_key(source, sha256), raw_key(sha256)
        kept = _opened(store, receipt)
        if kept is None or any(told.get(name) != value for name, value in kept.items() if name != "is_synthetic"):
            damage.append(Damage(receipt, "the receipt is missing, or not the one that the snapshot names."))
        if sha256 in erased:
            continue
        if not store.exists(key):
            damage.append(Damage(key, "the extract is missing."))
        elif _digest(store.read(key)) != sha256:
            damage.append(Damage(key, "the extract is not the one that was received: its SHA-256 differs."))
    return damage


def _raw_damage(store: Store) -> list[Damage]:
    damage = [
        Damage(key, "the extract is not the one that was received: its SHA-256 differs.")
        for key in store.keys("raw/sha256")
        if key != raw_key(_digest(store.read(key)))
    ]
    notes = [
        Damage(key, "the note was changed, or cannot be read.")
        for folder in (WITHDRAWN, ERASED, REFUSED)
        for key in store.keys(folder)
        if _opened(store, key) is None
    ]
    erased = {} if notes else erasures(store)
    for key in store.keys(RECEIPTS):
        receipt = _opened(store, key)
        if receipt is None or receipt_key(receipt["source"], receipt["sha256"]) != key:
            damage.append(Damage(key, "the receipt was changed, or speaks of another extract."))
        elif receipt["sha256"] not in erased and not store.exists(raw_key(str(receipt["sha256"]))):
            damage.append(Damage(raw_key(str(receipt["sha256"])), "the extract is missing."))
    known = (f"{WITHDRAWN}/", f"{ERASED}/", f"{REFUSED}/", f"{RECEIPTS}/", "raw/sha256/")
    added = [key for key in store.keys("raw") if not key.startswith(known)]
    return [*damage, *notes, *(Damage(key, "nothing is known of this file.") for key in added)]


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


def _chain_damage(store: Store, edition: str, log: str, public: "Ed25519PublicKey | None") -> list[Damage]:
    """What is wrong with the entries of a log, and with the manifests that they name."""
    from warehouse.signing import is_signed

    damage: list[Damage] = []
    previous: str | None = None
    gone = _named(store, edition, "pruned")
    for number, key in enumerate(store.keys(log_folder(edition, log)), start=1):
        entry = _opened(store, key)
        if entry is None:
            return [*damage, Damage(key, "the entry of the log was changed, or cannot be read.")]
        if entry["number"] != number or not key.endswith(f"/{number:06}.json"):
            damage.append(Damage(key, f"entry {number} of the log is missing or misnumbered."))
        if entry["previous_sha256"] != previous:
            damage.append(Damage(key, "the log was rewritten: the entry before is not the one it names."))
        signed = {name: value for name, value in entry.items() if name != "signature"}
        if public and not is_signed(public, as_json(signed), entry.get("signature")):
            damage.append(Damage(key, "the entry is not signed by the holder of the key."))
        previous = _digest(store.read(key))
        manifest = f"{snapshot_folder(edition, str(entry['snapshot_id']))}/{MANIFEST}"
        if entry["snapshot_id"] is None or entry["snapshot_id"] in gone:
            continue
        if not store.exists(manifest):
            damage.append(Damage(key, f"the snapshot {entry['snapshot_id']} it names is missing."))
        elif _digest(store.read(manifest)) != entry["manifest_sha256"]:
            damage.append(Damage(manifest, "the manifest is not the one that the log names."))
    return damage


def _channel_found(store: Store, edition: str, channel: str, found: Found) -> None:
    """Whether the pointer of a channel, and the stable tables, are what the log says, or said once."""
    entry, pointer = head(store, edition, channel), pointer_key(edition, channel)
    there = store.read(pointer) if store.exists(pointer) else None
    if there != (sealed(entry) if entry else None):
        earlier = {store.read(key) for key in store.keys(log_folder(edition, channel))}
        lags = there is None or there in earlier
        (found.lag if lags else found.damage).append(Damage(pointer, "the pointer does not say what the log says."))
    if channel != "stable":
        return
    shown = _shown(store, edition)
    if shown == _tables(store, edition, entry):
        return
    once = [each for each in named(store, edition, "stable").values() if each["snapshot_id"]]
    earlier_tables = [_tables(store, edition, each) for each in (None, *once)]
    if shown in earlier_tables or (store.is_remote and _is_mixed(shown, earlier_tables)):
        found.lag.append(Damage(stable_folder(edition), "the stable tables are not yet those that the log says."))
        return
    wanted = _tables(store, edition, entry)
    found.damage.extend(
        Damage(f"{stable_folder(edition)}/{name}", "it is not the table of the stable snapshot.")
        for name in sorted(wanted.keys() | shown.keys())
        if wanted.get(name) != shown.get(name)
    )


def _tables(store: Store, edition: str, entry: Mapping[str, Any] | None) -> dict[str, str]:
    """The hash of each table of the snapshot of an entry, by file name."""
    if entry is None:
        return {}
    try:
        _, files = _manifest(store, snapshot_folder(edition, entry["snapshot_id"]))
    except UNREADABLE:
        return {}
    return {path.removeprefix("tables/"): each for path, each in files.items() if path.startswith("tables/")}


def _shown(store: Store, edition: str) -> dict[str, str]:
    """The hash of each file that is shown as stable, by file name."""
    try:
        return {each.name: _digest(each.read_bytes()) for each in store.local(stable_folder(edition)).iterdir()}
    except OSError:
        return {}


def _is_mixed(shown: Mapping[str, str], tables: list[dict[str, str]]) -> bool:
    """Whether each file that is shown is a table of some stable snapshot: they are copied one by one on a server."""
    return all(any(each.get(name) == found for each in tables) for name, found in shown.items())
