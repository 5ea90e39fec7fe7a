"""Publishing: a snapshot is an immutable folder whose manifest is written last, which is the commit."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.contract.dictionary import Dictionary
from schemas.contract.manifest import SnapshotFile, manifest
from schemas.errors import StorageError
from schemas.methodology.library import Methodology
from warehouse.code import code_identity
from warehouse.snapshots.channels import (
    MANIFEST,
    candidates,
    head,
    put_in_order,
    remove,
    snapshot_folder,
    under_way,
)
from warehouse.snapshots.content import content_hash, table_hashes
from warehouse.snapshots.nights import ENTRY, NightRecord, move_to
from warehouse.store.sealed import as_json
from warehouse.store.signing import Signer
from warehouse.store.store import AlreadyThere, Store


@dataclass(frozen=True)
class Draft:
    """A snapshot that is about to be published: its folder with `tables/`, `exports/` and `methodology/`, and facts.

    `extracts` are those that counted (source and digest), `inputs` those of them that could be read.
    """

    folder: Path
    methodology: Methodology
    snapshot_id: str
    as_of: date
    created: datetime
    extracts: Sequence[tuple[str, str]]
    inputs: Sequence[Mapping[str, Any]]
    inputs_digest: str
    is_synthetic: bool
    is_held: bool
    is_within_limits: bool
    candidate_only: bool = False

    @property
    def edition(self) -> str:
        """The edition's name."""
        return self.methodology.edition.edition


def publish_snapshot(store: Store, draft: Draft, signer: Signer | None = None) -> tuple[str, str, bool]:
    """Publish a draft, unless a candidate says the same (content and methodology) already.

    Returns the snapshot the night refers to, its content hash, and whether it is new. What becomes stable by itself is
    explained in `stand_on`.
    """
    edition = draft.edition
    store.sweep(draft.created - timedelta(days=1))
    hashes, content = draft_hashes(draft.folder / "tables", draft.methodology.dictionary)
    same = [
        entry
        for entry in candidates(store, edition)
        if (entry["content_hash"], entry["methodology_digest"]) == (content, draft.methodology.digest)
    ]
    night = NightRecord(edition, draft.as_of, draft.created, draft.snapshot_id, draft.inputs_digest, draft.is_held)
    policy = "nobody" if draft.candidate_only else draft.methodology.edition.promotion
    put_in_order(store, edition, draft.created)
    with under_way(store, edition, draft.snapshot_id, draft.created, draft.snapshot_id):
        if same:
            entry = {name: same[-1][name] for name in ENTRY}
        else:
            entry = _write(store, draft, hashes, content, head(store, edition, "candidate"))
        move_to(store, night, entry, policy, signer, is_new=not same)
    return str(entry["snapshot_id"]), content, entry["snapshot_id"] == draft.snapshot_id


def _write(
    store: Store, draft: Draft, hashes: Mapping[str, str], content_hash: str, newest: Mapping[str, Any] | None
) -> dict[str, Any]:
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
        "as_of": draft.as_of,
        "created": draft.created,
        "content_hash": content_hash,
        "table_hashes": dict(hashes),
        "methodology_digest": draft.methodology.digest,
        "code": code_identity(),
        "is_synthetic": draft.is_synthetic,
        "is_held": draft.is_held,
        "predecessor": predecessor,
        "extracts": [{"source": source, "sha256": sha256} for source, sha256 in draft.extracts],
        "inputs": list(draft.inputs),
    }
    title, dictionary = draft.methodology.edition.title_en, draft.methodology.dictionary
    content = as_json(manifest(draft.edition, title, draft.created.isoformat(), listed, dictionary, facts))
    try:
        store.create(f"{base}/{MANIFEST}", content)
    except AlreadyThere:  # an earlier try of the same run, before others published
        before = json.loads(store.read(f"{base}/{MANIFEST}"))
        if {**before["kerawanan"], "predecessor": None} != {**json.loads(content)["kerawanan"], "predecessor": None}:
            raise
        content = store.read(f"{base}/{MANIFEST}")
    if {f"{base}/{each.path}" for each in listed} - set(store.keys(base)):
        remove(store, base)
        raise StorageError(
            f"{base}: another run took this one for dead and removed its files; run the night again.",
            f"{base}: proses lain mengira proses ini mati dan menghapus berkasnya; jalankan lagi malam itu.",
        )
    return {
        "snapshot_id": draft.snapshot_id,
        "content_hash": content_hash,
        "methodology_digest": draft.methodology.digest,
        "manifest_sha256": hashlib.sha256(content).hexdigest(),
        "is_held": draft.is_held,
        "is_synthetic": draft.is_synthetic,
        "is_within_limits": draft.is_within_limits,
    }


def stable_tables(store: Store, edition: str) -> Path | None:
    """The folder of the tables that are stable, None where nothing is."""
    entry = head(store, edition, "stable")
    return store.local(f"{snapshot_folder(edition, entry['snapshot_id'])}/tables") if entry else None


def draft_hashes(tables: Path, dictionary: Dictionary) -> tuple[dict[str, str], str]:
    """The content hashes of the tables of a draft, and the one of the whole."""
    hashes = table_hashes(tables, dictionary)
    return hashes, content_hash(hashes, dictionary)
