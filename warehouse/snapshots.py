"""Snapshots: immutable folders with the manifest written last, and the channels that say which of them counts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from schemas.dictionary import Dictionary
from schemas.manifest import SnapshotFile, manifest
from schemas.methodology import Library, Methodology
from schemas.violations import UsageError
from warehouse.content import content_hash, table_hashes
from warehouse.store import AlreadyThere, Store, as_json

MANIFEST = "datapackage.json"
CHANNELS = ("candidate", "stable")
PACKAGES = ("flows", "schemas", "transforms", "warehouse")


@dataclass(frozen=True)
class Draft:
    """A snapshot that is about to be published: its folder with `tables/`, `exports/` and `methodology/`, and facts."""

    folder: Path
    methodology: Methodology
    snapshot_id: str
    as_of: date
    created: datetime
    content_hash: str
    table_hashes: Mapping[str, str]
    inputs: Sequence[Mapping[str, Any]]
    is_synthetic: bool
    is_held: bool

    @property
    def edition(self) -> str:
        """The edition's name."""
        return self.methodology.edition.edition


class Damage(NamedTuple):
    """Something that `verify` found: where, and one sentence."""

    where: str
    sentence: str


def code_identity() -> dict[str, str]:
    """The code that runs: the version of the distribution, and a SHA-256 over its Python and SQL files."""
    total = hashlib.sha256()

    def add(folder: Traversable, path: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda each: each.name):
            if entry.is_dir() and entry.name != "__pycache__":
                add(entry, f"{path}/{entry.name}")
            elif entry.name.endswith((".py", ".sql")):
                content = entry.read_bytes()
                total.update(f"{path}/{entry.name}\0{len(content)}\0".encode() + content)

    for package in PACKAGES:
        add(files(package), package)
    return {"version": version("kerawanan"), "sha256": total.hexdigest()}


def log_entries(store: Store, edition: str, channel: str) -> list[dict[str, Any]]:
    """The entries of a channel's log, oldest first."""
    return [json.loads(store.read(key)) for key in store.keys(f"log/{edition}/{channel}")]


def _append(store: Store, draft_entry: Mapping[str, Any], edition: str, channel: str) -> None:
    """Append to a channel's log. The log is create-only: whoever loses a number takes the next."""
    while True:
        keys = store.keys(f"log/{edition}/{channel}")
        previous = hashlib.sha256(store.read(keys[-1])).hexdigest() if keys else None
        number = len(keys) + 1
        entry = {"number": number, "edition": edition, "channel": channel, **draft_entry, "previous_sha256": previous}
        try:
            store.create(f"log/{edition}/{channel}/{number:06}.json", as_json(entry))
        except AlreadyThere:
            continue
        store.replace(f"channels/{edition}/{channel}.json", as_json(entry))
        return


def snapshot_folder(edition: str, snapshot_id: str) -> str:
    """Where a snapshot lies."""
    return f"snapshots/{edition}/{snapshot_id}"


def read_manifest(store: Store, edition: str, snapshot_id: str) -> dict[str, Any]:
    """The manifest of a snapshot. Raises FileNotFoundError."""
    data: dict[str, Any] = json.loads(store.read(f"{snapshot_folder(edition, snapshot_id)}/{MANIFEST}"))
    return data


def snapshots(store: Store, edition: str | None = None) -> list[dict[str, Any]]:
    """The facts of all snapshots with a manifest, oldest first, each with the channels that stand on it."""
    prefix = f"snapshots/{edition}" if edition else "snapshots"
    found = [json.loads(store.read(key))["kerawanan"] for key in store.keys(prefix) if key.endswith(f"/{MANIFEST}")]
    for facts in found:
        facts["channels"] = [
            channel
            for channel in CHANNELS
            if (entries := log_entries(store, facts["edition"], channel))
            and entries[-1]["snapshot_id"] == facts["snapshot_id"]
        ]
    return sorted(found, key=lambda facts: (facts["created"], facts["snapshot_id"]))


def find_snapshot(store: Store, snapshot_id: str) -> dict[str, Any]:
    """The manifest of a snapshot by its id, or its unambiguous beginning. Raises UsageError."""
    hits = [facts for facts in snapshots(store) if facts["snapshot_id"].startswith(snapshot_id)]
    exact = [facts for facts in hits if facts["snapshot_id"] == snapshot_id] or hits
    if len(exact) != 1:
        known = "more than one snapshot begins so" if exact else "there is no such snapshot"
        raise UsageError(f"snapshot '{snapshot_id}': {known}; 'kerawanan snapshots list' shows them.")
    return read_manifest(store, exact[0]["edition"], exact[0]["snapshot_id"])


def publish_snapshot(store: Store, draft: Draft) -> tuple[str, bool]:
    """Publish a draft unless it says what the newest candidate already says.

    Returns the snapshot the night stands on, and whether it is new. The first good snapshot of an edition becomes
    stable by itself; synthetic ones never do, held ones neither.
    """
    candidates = log_entries(store, draft.edition, "candidate")
    newest = candidates[-1] if candidates else None
    says_the_same = newest is not None and (
        (newest["content_hash"], newest["methodology_digest"]) == (draft.content_hash, draft.methodology.digest)
    )
    if newest is not None and says_the_same:
        entry = newest
    else:
        entry = _write(store, draft, newest)
        _append(store, entry, draft.edition, "candidate")
    good = not draft.is_held and not draft.is_synthetic
    if good and not log_entries(store, draft.edition, "stable"):
        _append(
            store,
            {
                **{name: entry[name] for name in _ENTRY},
                "at": draft.created.isoformat(),
                "reason": "first good snapshot",
            },
            draft.edition,
            "stable",
        )
        store.switch(f"stable/v1/{draft.edition}", f"{snapshot_folder(draft.edition, entry['snapshot_id'])}/tables")
    night = {"edition": draft.edition, "as_of": draft.as_of.isoformat(), "snapshot_id": entry["snapshot_id"]}
    store.replace(f"nights/{draft.edition}/{draft.as_of}.json", as_json({**night, "run_id": draft.snapshot_id}))
    return str(entry["snapshot_id"]), not says_the_same


_ENTRY = ("snapshot_id", "content_hash", "methodology_digest", "manifest_sha256", "is_held")


def _write(store: Store, draft: Draft, newest: Mapping[str, Any] | None) -> dict[str, Any]:
    """Write the snapshot's files, the manifest last; the entry for the channel's log."""
    base = snapshot_folder(draft.edition, draft.snapshot_id)
    listed: list[SnapshotFile] = []
    for path in sorted(each for each in draft.folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        relative = path.relative_to(draft.folder).as_posix()
        store.create(f"{base}/{relative}", content)
        listed.append(SnapshotFile(relative, len(content), hashlib.sha256(content).hexdigest()))
    predecessor = newest and {name: newest[name] for name in ("snapshot_id", "content_hash", "manifest_sha256")}
    facts = {
        "snapshot_id": draft.snapshot_id,
        "edition": draft.edition,
        "as_of": draft.as_of.isoformat(),
        "created": draft.created.isoformat(),
        "content_hash": draft.content_hash,
        "table_hashes": dict(draft.table_hashes),
        "methodology_digest": draft.methodology.digest,
        "code": code_identity(),
        "is_synthetic": draft.is_synthetic,
        "is_held": draft.is_held,
        "predecessor": predecessor,
        "inputs": list(draft.inputs),
    }
    title, dictionary = draft.methodology.edition.title_en, draft.methodology.dictionary
    content = as_json(manifest(draft.edition, title, draft.created.isoformat(), listed, dictionary, facts))
    store.create(f"{base}/{MANIFEST}", content)
    return {
        "snapshot_id": draft.snapshot_id,
        "content_hash": draft.content_hash,
        "methodology_digest": draft.methodology.digest,
        "manifest_sha256": hashlib.sha256(content).hexdigest(),
        "is_held": draft.is_held,
        "at": draft.created.isoformat(),
        "reason": f"night {draft.as_of}",
    }


def draft_hashes(tables: Path, dictionary: Dictionary) -> tuple[dict[str, str], str]:
    """The content hashes of the tables of a draft, and the one of the whole."""
    hashes = table_hashes(tables, dictionary)
    return hashes, content_hash(hashes, dictionary)


def _manifest_facts(store: Store, base: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts of a snapshot, and the hash of each of its files."""
    data = json.loads(store.read(f"{base}/{MANIFEST}"))
    return data["kerawanan"], {each["path"]: each["hash"] for each in data["resources"]}


def snapshot_damage(store: Store, base: str) -> list[Damage]:
    """What is wrong with the snapshot in a folder: every file is hashed again, then every table's content."""
    try:
        facts, files = _manifest_facts(store, base)
    except (ValueError, KeyError, TypeError):
        return [Damage(f"{base}/{MANIFEST}", "the manifest cannot be read.")]
    listed = {f"{base}/{path}": expected for path, expected in files.items()}
    present = set(store.keys(base))
    unknown = sorted(present - set(listed) - {f"{base}/{MANIFEST}"})
    damage = [Damage(key, "the file is not in the manifest.") for key in unknown]
    for key, expected in listed.items():
        if key not in present:
            damage.append(Damage(key, "the file is missing."))
        elif f"sha256:{hashlib.sha256(store.read(key)).hexdigest()}" != expected:
            damage.append(Damage(key, "the file is not the one that was published: its SHA-256 differs."))
    if damage:
        return damage
    dictionary = Library(store.path(f"{base}/methodology")).dictionary
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
    """What is wrong with the channels of an edition: log chains, pointers, and the stable tables."""
    damage: list[Damage] = []
    for channel in CHANNELS:
        previous: str | None = None
        entry: dict[str, Any] | None = None
        for number, key in enumerate(store.keys(f"log/{edition}/{channel}"), start=1):
            content = store.read(key)
            entry = json.loads(content)
            assert entry is not None
            if entry["number"] != number or not key.endswith(f"/{number:06}.json"):
                damage.append(Damage(key, f"entry {number} of the log is missing or misnumbered."))
            if entry["previous_sha256"] != previous:
                damage.append(Damage(key, "the log was rewritten: the entry before is not the one it names."))
            manifest_key = f"{snapshot_folder(edition, entry['snapshot_id'])}/{MANIFEST}"
            if not store.exists(manifest_key):
                damage.append(Damage(key, f"the snapshot {entry['snapshot_id']} it names is missing."))
            elif hashlib.sha256(store.read(manifest_key)).hexdigest() != entry["manifest_sha256"]:
                damage.append(Damage(manifest_key, "the manifest is not the one that the log names."))
            previous = hashlib.sha256(content).hexdigest()
        pointer = f"channels/{edition}/{channel}.json"
        if entry and (not store.exists(pointer) or json.loads(store.read(pointer)) != entry):
            damage.append(Damage(pointer, "the pointer does not say what the end of the log says."))
        if entry and channel == "stable":
            damage += _stable_damage(store, edition, entry)
    return damage


def _stable_damage(store: Store, edition: str, entry: Mapping[str, Any]) -> list[Damage]:
    folder = store.path(f"stable/v1/{edition}")
    try:
        _, files = _manifest_facts(store, snapshot_folder(edition, entry["snapshot_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return []  # said already, of the snapshot itself
    expected = {path.removeprefix("tables/"): each for path, each in files.items() if path.startswith("tables/")}
    found = {
        path.name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in (folder.iterdir() if folder.is_dir() else ())
    }
    return [
        Damage(f"stable/v1/{edition}/{name}", "it is not the table of the stable snapshot.")
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def verify(store: Store, snapshot_id: str | None = None) -> dict[str, Any]:
    """Hash again one snapshot, or all of them, with the channel logs, pointers and stable tables of their editions.

    Returns what was verified and the damage found. Raises UsageError where there is nothing to verify.
    """
    folders = {key.removesuffix(f"/{MANIFEST}") for key in store.keys("snapshots") if key.endswith(f"/{MANIFEST}")}
    chosen = sorted(each for each in folders if snapshot_id is None or each.rpartition("/")[2] == snapshot_id)
    if not chosen:
        what = f"snapshot '{snapshot_id}'" if snapshot_id else "snapshot"
        raise UsageError(f"there is no {what} in {store.root}; 'kerawanan snapshots list' shows them.")
    damage = [each for base in chosen for each in snapshot_damage(store, base)]
    for edition in sorted({base.split("/")[1] for base in chosen}):
        damage += channel_damage(store, edition)
    verified = [base.rpartition("/")[2] for base in chosen]
    return {"verified": verified, "damage": [each._asdict() for each in damage], "store": str(store.root)}
