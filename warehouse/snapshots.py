"""Snapshots: immutable folders whose manifest is written last, which is the commit."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from schemas.dictionary import Dictionary
from schemas.manifest import SnapshotFile, manifest
from schemas.methodology import Methodology
from schemas.violations import DamagedStore, UsageError
from warehouse.channels import CHANNELS, append, head, log_entries, settle
from warehouse.code import code_identity
from warehouse.content import content_hash, table_hashes
from warehouse.runs import run_folder
from warehouse.store import AlreadyThere, Store, as_json

MANIFEST = "datapackage.json"


@dataclass(frozen=True)
class Draft:
    """A snapshot that is about to be published: its folder with `tables/`, `exports/` and `methodology/`, and facts."""

    folder: Path
    methodology: Methodology
    snapshot_id: str
    as_of: date
    created: datetime
    inputs: Sequence[Mapping[str, Any]]
    inputs_digest: str
    is_synthetic: bool
    is_held: bool

    @property
    def edition(self) -> str:
        """The edition's name."""
        return self.methodology.edition.edition


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
    found = []
    for key in store.keys(prefix):
        if key.endswith(f"/{MANIFEST}"):
            try:
                found.append(json.loads(store.read(key))["kerawanan"])
            except (ValueError, KeyError, TypeError):
                raise DamagedStore(f"{key}: the manifest cannot be read.") from None
    for facts in found:
        heads = {channel: head(store, facts["edition"], channel) for channel in CHANNELS}
        facts["channels"] = [
            channel for channel, entry in heads.items() if entry and entry["snapshot_id"] == facts["snapshot_id"]
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


def publish_snapshot(store: Store, draft: Draft) -> tuple[str, str, bool]:
    """Publish a draft, unless a candidate says the same (content and methodology) already.

    Returns the snapshot the night stands on, its content hash, and whether it is new. The first good snapshot of an
    edition becomes stable by itself; synthetic ones never do, held ones neither.
    """
    edition = draft.edition
    hashes, content = draft_hashes(draft.folder / "tables", draft.methodology.dictionary)
    same = [
        entry
        for entry in log_entries(store, edition, "candidate")
        if (entry["content_hash"], entry["methodology_digest"]) == (content, draft.methodology.digest)
    ]
    night = NightRecord(
        edition, draft.as_of, draft.created, draft.snapshot_id, draft.inputs_digest, draft.is_synthetic, draft.is_held
    )
    if same:
        entry = {name: same[-1][name] for name in ENTRY}
    else:
        entry = _write(store, draft, hashes, content, head(store, edition, "candidate"))
    stand_on(store, night, entry, is_new=not same)
    return str(entry["snapshot_id"]), content, entry["snapshot_id"] == draft.snapshot_id


@dataclass(frozen=True)
class NightRecord:
    """A night that stands on a snapshot: which day, when and by which run it was found, and of which inputs."""

    edition: str
    as_of: date
    at: datetime
    run_id: str
    inputs_digest: str
    is_synthetic: bool
    is_held: bool


def stand_on(store: Store, night: NightRecord, entry: Mapping[str, Any], *, is_new: bool = False) -> None:
    """Let a night stand on the snapshot of a log entry: moves the candidate there, unless a later night has moved it;
    fills an empty stable channel; writes down what the night stands on, last.
    """
    edition = night.edition
    whole = {**entry, "as_of": night.as_of, "appended_at": night.at, "reason": f"night {night.as_of}"}
    now = head(store, edition, "candidate")
    if (
        is_new
        or now is None
        or (now["snapshot_id"] != entry["snapshot_id"] and now["as_of"] <= night.as_of.isoformat())
    ):
        append(store, edition, "candidate", whole)
    if not night.is_held and not night.is_synthetic:
        append(store, edition, "stable", whole | {"reason": "first good snapshot"}, only_first=True)
    settle(store, edition)
    record = {**asdict(night), "snapshot_id": entry["snapshot_id"]}
    store.replace(f"nights/{edition}/{night.as_of}.json", as_json(record))


def recalled(store: Store, edition: str, as_of: date, inputs_digest: str) -> tuple[NightRecord, dict[str, Any]] | None:
    """An earlier night of the same inputs with the log entry of the snapshot it stands on; None where there is none.

    Looks at the latest night and at an earlier run of the same one; a held one is judged anew.
    """
    keys = store.keys(f"nights/{edition}")
    for key in {f"nights/{edition}/{as_of}.json", *keys[-1:]} & set(keys):
        found = json.loads(store.read(key))
        if found.get("inputs_digest") != inputs_digest or found["is_held"]:
            continue
        entries = [
            each for each in log_entries(store, edition, "candidate") if each["snapshot_id"] == found["snapshot_id"]
        ]
        if entries and store.exists(f"{run_folder(found['run_id'])}/run.json"):
            times = {"as_of": date.fromisoformat(found["as_of"]), "at": datetime.fromisoformat(found["at"])}
            facts = {each.name: found[each.name] for each in fields(NightRecord)} | times
            return NightRecord(**facts), {name: entries[-1][name] for name in ENTRY}
    return None


def promote(store: Store, snapshot_id: str, at: datetime, reason: str) -> dict[str, Any]:
    """Make a candidate stable, for a reason. Raises UsageError where it is synthetic, stable or wrong.

    What only the rules of the gate hold, such as a large change, a person may promote: that is what the reason is for.
    """
    facts = find_snapshot(store, snapshot_id)["kerawanan"]
    edition, whole_id = facts["edition"], facts["snapshot_id"]
    stable = head(store, edition, "stable")
    if facts["is_synthetic"]:
        raise UsageError(f"{whole_id} is simulated data; that is never promoted to stable.")
    wrong = critical_sentences(store, edition, whole_id)
    if facts["is_held"] and wrong:
        raise UsageError(f"{whole_id} is held and its figures are wrong: {' '.join(wrong)} Mend that and run again.")
    if stable and stable["snapshot_id"] == whole_id:
        raise UsageError(f"{whole_id} is stable already.")
    candidates = log_entries(store, edition, "candidate")
    candidate = next((each for each in candidates if each["snapshot_id"] == whole_id), None)
    if candidate is None:
        raise UsageError(f"{whole_id} never became a candidate: its run was interrupted. Run the night again.")
    entry = {name: candidate[name] for name in (*ENTRY, "as_of")}
    append(store, edition, "stable", entry | {"appended_at": at, "reason": reason})
    settle(store, edition)
    return {"edition": edition, "snapshot_id": whole_id, "stable": str(store.path(f"stable/v1/{edition}"))}


# What an entry of a channel's log says of the snapshot it names.
ENTRY = ("snapshot_id", "content_hash", "methodology_digest", "manifest_sha256", "is_held")


def _write(
    store: Store, draft: Draft, hashes: Mapping[str, str], content_hash: str, newest: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Write the snapshot's files, the manifest last; the entry for the channel's log."""
    base = snapshot_folder(draft.edition, draft.snapshot_id)
    listed: list[SnapshotFile] = []
    for path in sorted(each for each in draft.folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        relative = path.relative_to(draft.folder).as_posix()
        _lay_down(store, f"{base}/{relative}", content)
        listed.append(SnapshotFile(relative, len(content), hashlib.sha256(content).hexdigest()))
    predecessor = newest and {name: newest[name] for name in ("snapshot_id", "content_hash", "manifest_sha256")}
    facts = {
        "snapshot_id": draft.snapshot_id,
        "edition": draft.edition,
        "as_of": draft.as_of,
        "created": draft.created,
        "content_hash": content_hash,
        "table_hashes": dict(hashes),
        "methodology_digest": draft.methodology.digest,
        "code": code_identity(),
        "is_synthetic": draft.is_synthetic,
        "is_held": draft.is_held,
        "predecessor": predecessor,
        "inputs": list(draft.inputs),
    }
    title, dictionary = draft.methodology.edition.title_en, draft.methodology.dictionary
    content = as_json(manifest(draft.edition, title, draft.created.isoformat(), listed, dictionary, facts))
    _lay_down(store, f"{base}/{MANIFEST}", content)
    return {
        "snapshot_id": draft.snapshot_id,
        "content_hash": content_hash,
        "methodology_digest": draft.methodology.digest,
        "manifest_sha256": hashlib.sha256(content).hexdigest(),
        "is_held": draft.is_held,
    }


def critical_sentences(store: Store, edition: str, snapshot_id: str) -> list[str]:
    """What is critical in the figures of a snapshot themselves, whatever was stable beside it."""
    file = store.path(f"{snapshot_folder(edition, snapshot_id)}/tables/quality_result.parquet")
    rows = pq.read_table(file).to_pylist()
    # Snapshots of before the gate have no scope: all that is said there is said of the figures.
    return [
        row["message_en"] for row in rows if (row["severity"], row.get("scope", "content")) == ("critical", "content")
    ]


def stable_tables(store: Store, edition: str) -> Path | None:
    """The folder of the tables that are stable, None where nothing is."""
    entry = head(store, edition, "stable")
    return store.path(f"{snapshot_folder(edition, entry['snapshot_id'])}/tables") if entry else None


def _lay_down(store: Store, key: str, content: bytes) -> None:
    """Create a file of a snapshot; one that an earlier try of the same run left whole is as good."""
    try:
        store.create(key, content)
    except AlreadyThere:
        if store.read(key) != content:
            raise


def draft_hashes(tables: Path, dictionary: Dictionary) -> tuple[dict[str, str], str]:
    """The content hashes of the tables of a draft, and the one of the whole."""
    hashes = table_hashes(tables, dictionary)
    return hashes, content_hash(hashes, dictionary)
