"""Snapshots: immutable folders whose manifest is written last, which is the commit."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from schemas.contract.dictionary import Dictionary
from schemas.contract.manifest import SnapshotFile, manifest
from schemas.errors import DamagedStore, StorageError, UsageError
from schemas.methodology.library import Methodology
from warehouse.code import code_identity
from warehouse.snapshots.channels import (
    CHANNELS,
    MANIFEST,
    append,
    candidates,
    give_up,
    gone,
    head,
    keep,
    log_entries,
    named,
    put_in_order,
    remove,
    settle,
    signed,
    snapshot_folder,
    stable_folder,
    under_way,
)
from warehouse.snapshots.content import content_hash, table_hashes
from warehouse.snapshots.runs import RECORD, found_something, run_folder, run_records
from warehouse.store.signing import Signer
from warehouse.store.store import READERS, AlreadyThere, Store, as_json, read_sealed, sealed


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


def read_manifest(store: Store, edition: str, snapshot_id: str) -> dict[str, Any]:
    """The manifest of a snapshot. Raises FileNotFoundError."""
    data: dict[str, Any] = json.loads(store.read(f"{snapshot_folder(edition, snapshot_id)}/{MANIFEST}"))
    return data


def snapshots(store: Store, edition: str | None = None) -> list[dict[str, Any]]:
    """The facts of all snapshots with a manifest, oldest first, each with the `channels` that stand on it, and why it
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
            raise DamagedStore(f"{key}: the manifest cannot be read.") from None
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
        raise UsageError(f"snapshot '{snapshot_id}': {known}; 'kerawanan snapshots list' shows them.")
    return read_manifest(store, exact[0]["edition"], exact[0]["snapshot_id"])


def publish_snapshot(store: Store, draft: Draft, signer: Signer | None = None) -> tuple[str, str, bool]:
    """Publish a draft, unless a candidate says the same (content and methodology) already.

    Returns the snapshot the night stands on, its content hash, and whether it is new. What becomes stable by itself is
    said in `stand_on`.
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
        _stand_on(store, night, entry, policy, signer, is_new=not same)
    return str(entry["snapshot_id"]), content, entry["snapshot_id"] == draft.snapshot_id


@dataclass(frozen=True)
class NightRecord:
    """A night that stands on a snapshot: which day, when and by which run it was found, of which inputs, and whether it
    was held.
    """

    edition: str
    as_of: date
    at: datetime
    run_id: str
    inputs_digest: str
    is_held: bool


# Who makes a snapshot stable by itself: nobody (nights that only make candidates), nobody but for the first good one
# (a person decides on later ones), or the gate.
Policy = Literal["nobody", "person", "gate"]


def stand_on(
    store: Store, night: NightRecord, entry: Mapping[str, Any], policy: Policy, signer: Signer | None = None
) -> None:
    """Let a night stand on the snapshot of a log entry: moves the candidate there, unless a later night has moved it,
    and writes down what the night stands on, last.

    By itself the first good snapshot of an edition becomes stable, and with the policy `gate` every later one that
    breaks no rule of the gate and never was stable. Held, synthetic and withdrawn ones never do.
    """
    put_in_order(store, night.edition, night.at)
    with under_way(store, night.edition, night.run_id, night.at):
        _stand_on(store, night, entry, policy, signer, is_new=False)


def _stand_on(
    store: Store,
    night: NightRecord,
    entry: Mapping[str, Any],
    policy: Policy,
    signer: Signer | None,
    *,
    is_new: bool,
) -> None:
    edition, snapshot_id, as_of = night.edition, entry["snapshot_id"], night.as_of.isoformat()
    if not is_new:
        keep(store, edition, snapshot_id)
    is_usable = _lead_to(store, night, entry, signer, is_new=is_new) and policy != "nobody"
    if is_usable and not (night.is_held or entry["is_held"] or entry["is_synthetic"]):
        whole = {**entry, "as_of": as_of, "appended_at": night.at}
        if not log_entries(store, edition, "stable"):
            keep(store, edition, snapshot_id)
            append(store, edition, "stable", whole | {"reason": "first good snapshot"}, signer, only_first=True)
        stable = head(store, edition, "stable")
        was_stable = snapshot_id in named(store, edition, "stable")
        if policy == "gate" and entry["is_within_limits"] and not was_stable and stable and stable["as_of"] <= as_of:
            keep(store, edition, snapshot_id)
            append(store, edition, "stable", whole | {"reason": "it breaks no rule of the gate"}, signer)
    settle(store, edition)
    _write_night(store, night, snapshot_id, signer)


def _lead_to(
    store: Store, night: NightRecord, entry: Mapping[str, Any], signer: Signer | None, *, is_new: bool
) -> bool:
    """Move the candidate to the snapshot of an entry, unless a later night moved it. False where it was withdrawn."""
    edition, as_of = night.edition, night.as_of.isoformat()
    if entry["snapshot_id"] in named(store, edition, "withdrawn"):
        return False
    now = head(store, edition, "candidate")
    if is_new or now is None or (now["snapshot_id"] != entry["snapshot_id"] and now["as_of"] <= as_of):
        whole = {**entry, "as_of": as_of, "appended_at": night.at, "reason": f"night {as_of}"}
        append(store, edition, "candidate", whole, signer)
    return True


def _write_night(store: Store, night: NightRecord, snapshot_id: str, signer: Signer | None) -> None:
    record = signed({**asdict(night), "snapshot_id": snapshot_id}, signer)
    store.replace(night_key(night.edition, night.as_of), sealed(record))


def night_records(store: Store, edition: str) -> dict[str, dict[str, Any]]:
    """What is written of the nights of an edition, by their days."""
    keys = store.keys(f"nights/{edition}")
    with ThreadPoolExecutor(READERS) as pool:  # they may change, so they are not kept
        found = pool.map(lambda key: read_sealed(store, key), keys)
        return {record["as_of"]: record for record in found}


def record_nights(
    store: Store,
    edition: str,
    nights: Sequence[tuple[NightRecord, str]],
    name: str,
    now: datetime,
    signer: Signer | None = None,
) -> None:
    """Let many nights stand on snapshots that are there, as `stand_on` does one by one, but for what becomes stable."""
    entries = named(store, edition, "candidate")
    put_in_order(store, edition, now)
    with under_way(store, edition, name, now):
        for snapshot_id in dict.fromkeys(each for _, each in nights):
            keep(store, edition, snapshot_id)
        for night, snapshot_id in nights:
            _lead_to(store, night, {each: entries[snapshot_id][each] for each in ENTRY}, signer, is_new=False)
        settle(store, edition)
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(lambda each: _write_night(store, each[0], each[1], signer), nights))


def night_key(edition: str, as_of: date) -> str:
    """Where it is written which snapshot a night stands on."""
    return f"nights/{edition}/{as_of}.json"


def recalled(
    store: Store, edition: str, as_of: date, inputs_digest: str, signer: Signer | None = None
) -> tuple[NightRecord, dict[str, Any]] | None:
    """An earlier night of the same inputs with the log entry of the snapshot it stands on; None where there is none.

    Looks at the latest night and at an earlier run of the same one; a held one is judged anew. Who signs believes only
    what it signed.
    """
    keys = store.keys(f"nights/{edition}")
    for key in {night_key(edition, as_of), *keys[-1:]} & set(keys):
        found = read_sealed(store, key)
        if found["inputs_digest"] != inputs_digest or found["is_held"] or (signer and not signer.has_signed(found)):
            continue
        entries = [each for each in candidates(store, edition) if each["snapshot_id"] == found["snapshot_id"]]
        if entries and found_something(store, found["run_id"]):
            times = {"as_of": date.fromisoformat(found["as_of"]), "at": datetime.fromisoformat(found["at"])}
            facts = {each.name: found[each.name] for each in fields(NightRecord)} | times
            return NightRecord(**facts), {name: entries[-1][name] for name in ENTRY}
    return None


def promote(store: Store, snapshot_id: str, at: datetime, reason: str, signer: Signer | None = None) -> dict[str, Any]:
    """Make a candidate stable, for a reason; an earlier one, to roll back. Raises UsageError where it is synthetic,
    withdrawn, stable or wrong.

    What only the rules of the gate hold, such as a large change, a person may promote: that is what the reason is for.
    """
    edition, entry, is_stable = _promotable(store, snapshot_id, at)
    if is_stable:
        raise UsageError(f"{entry['snapshot_id']} is stable already.")
    return _promote(store, edition, entry, at, reason, signer)


def promote_together(
    store: Store, snapshot_ids: Sequence[str], at: datetime, reason: str, signer: Signer | None = None
) -> list[dict[str, Any]]:
    """Make several candidates stable, or none: each is looked at before the first becomes it. Raises UsageError."""
    chosen = [_promotable(store, each, at) for each in snapshot_ids]
    return [
        _promote(store, edition, entry, at, reason, signer) for edition, entry, is_stable in chosen if not is_stable
    ]


def _promotable(store: Store, snapshot_id: str, at: datetime) -> tuple[str, dict[str, Any], bool]:
    """The edition of a snapshot that may become stable, what the log says of it, and whether it is stable already."""
    facts = find_snapshot(store, snapshot_id)["kerawanan"]
    edition, whole_id = facts["edition"], facts["snapshot_id"]
    put_in_order(store, edition, at)
    stable = head(store, edition, "stable")
    if facts["is_synthetic"]:
        raise UsageError(f"{whole_id} is simulated data; that is never promoted to stable.")
    if note := named(store, edition, "withdrawn").get(whole_id):
        raise UsageError(f"{whole_id} was withdrawn at {note['appended_at']} ({note['reason']}).")
    entry = _candidate(store, edition, whole_id)
    wrong = critical_sentences(store, edition, whole_id)
    if facts["is_held"] and wrong:
        raise UsageError(f"{whole_id} is held and its figures are wrong: {' '.join(wrong)} Mend that and run again.")
    return edition, entry, bool(stable and stable["snapshot_id"] == whole_id)


def _promote(
    store: Store, edition: str, entry: Mapping[str, Any], at: datetime, reason: str, signer: Signer | None
) -> dict[str, Any]:
    snapshot_id = entry["snapshot_id"]
    keep(store, edition, snapshot_id)
    with under_way(store, edition, f"promote-{snapshot_id}-{uuid.uuid4().hex[:6]}", at):
        append(store, edition, "stable", {**entry, "appended_at": at, "reason": reason}, signer)
        settle(store, edition)
    return {"edition": edition, "snapshot_id": snapshot_id, "stable": store.where(stable_folder(edition))}


def withdraw(store: Store, snapshot_id: str, at: datetime, reason: str, signer: Signer | None = None) -> dict[str, Any]:
    """Withdraw a snapshot, for a reason: it stays readable, marked, and no channel stands on it any more. Where it was
    stable, the one that was stable before is again; where there is none, nothing is. Raises UsageError.
    """
    facts = find_snapshot(store, snapshot_id)["kerawanan"]
    edition, whole_id = facts["edition"], facts["snapshot_id"]
    put_in_order(store, edition, at)
    withdrawn = named(store, edition, "withdrawn")
    if whole_id in withdrawn:
        raise UsageError(f"{whole_id} was withdrawn at {withdrawn[whole_id]['appended_at']} before.")
    entry = _candidate(store, edition, whole_id)
    keep(store, edition, whole_id)
    with under_way(store, edition, f"withdraw-{whole_id}-{uuid.uuid4().hex[:6]}", at):
        _roll_back(store, edition, whole_id, at, signer)
        append(store, edition, "withdrawn", entry | {"appended_at": at, "reason": reason}, signer)
        settle(store, edition)
    now = {channel: head(store, edition, channel) for channel in CHANNELS}
    return {
        "edition": edition,
        "snapshot_id": whole_id,
        **{channel: entry["snapshot_id"] if entry else None for channel, entry in now.items()},
    }


def _roll_back(store: Store, edition: str, snapshot_id: str, at: datetime, signer: Signer | None) -> None:
    """Where a snapshot that is to be withdrawn is stable, go back to what was stable before: in a new entry, as a log
    is never edited.
    """
    stable = head(store, edition, "stable")
    if stable is None or stable["snapshot_id"] != snapshot_id:
        return
    never = {*named(store, edition, "withdrawn"), snapshot_id, None}
    good = [each for each in log_entries(store, edition, "stable") if each["snapshot_id"] not in never]
    entry = {name: good[-1][name] if good else None for name in (*ENTRY, "as_of")}
    append(store, edition, "stable", entry | {"appended_at": at, "reason": f"{snapshot_id} is withdrawn"}, signer)


def prune(
    store: Store, at: datetime, keep_days: int, signer: Signer | None = None, *, execute: bool = False
) -> dict[str, Any]:
    """What nobody refers to and is older than so many days: removed with `execute`, else only named.

    `snapshots`: those that never were stable, are no latest candidate, were not withdrawn, and that no night stands on;
    `runs`: records of runs that no night and no snapshot names. Extracts are always kept.
    """
    before = (at - timedelta(days=keep_days)).isoformat()
    nights = [read_sealed(store, key) for key in store.keys("nights")]
    stood_on, told = ({each[name] for each in nights} for name in ("snapshot_id", "run_id"))
    expired: list[dict[str, Any]] = []
    kept: set[str] = set()
    every = snapshots(store)
    was_stable = {name for edition in {each["edition"] for each in every} for name in named(store, edition, "stable")}
    for facts in every:
        is_used = facts["snapshot_id"] in stood_on | was_stable or facts["channels"] or facts["withdrawn"]
        if is_used or facts["created"] >= before:
            kept.add(facts["snapshot_id"])
        else:
            expired.append(facts)
    runs = [
        record["run_id"]
        for record in run_records(store, at)
        if record["run_id"] not in told | kept and record["started_at"] < before
    ]
    if execute:
        for facts in expired:
            _prune(store, facts, at, signer)
        for run_id in runs:
            # The record last: what is left of an interrupted try is found again.
            for key in sorted(store.keys(run_folder(run_id)), key=lambda each: each.endswith(f"/{RECORD}")):
                store.delete(key)
    shown = ("edition", "snapshot_id", "as_of", "created")
    return {
        "snapshots": [{name: facts[name] for name in shown} for facts in expired],
        "runs": runs,
        "keep_days": keep_days,
        "is_done": execute,
    }


def _prune(store: Store, facts: Mapping[str, Any], at: datetime, signer: Signer | None) -> None:
    edition, snapshot_id = facts["edition"], facts["snapshot_id"]
    put_in_order(store, edition, at)
    with under_way(store, edition, snapshot_id, at, snapshot_id):
        if snapshot_id not in named(store, edition, "candidate"):
            remove(store, snapshot_folder(edition, snapshot_id))  # its run was interrupted before any log named it
        elif give_up(store, edition, snapshot_id, at, signer):
            settle(store, edition)


def _candidate(store: Store, edition: str, snapshot_id: str) -> dict[str, Any]:
    """What the log of candidates says of a snapshot that is there. Raises UsageError."""
    if snapshot_id in gone(store, edition):
        raise UsageError(f"{snapshot_id} was pruned; run the night again.")
    entry = named(store, edition, "candidate").get(snapshot_id)
    if entry is None:
        raise UsageError(f"{snapshot_id} never became a candidate: its run was interrupted. Run the night again.")
    return {name: entry[name] for name in (*ENTRY, "as_of")}


# What an entry of a channel's log says of the snapshot it names.
ENTRY = (
    "snapshot_id",
    "content_hash",
    "methodology_digest",
    "manifest_sha256",
    "is_held",
    "is_synthetic",
    "is_within_limits",
)


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
        raise StorageError(f"{base}: another run took this one for dead and removed its files; run the night again.")
    return {
        "snapshot_id": draft.snapshot_id,
        "content_hash": content_hash,
        "methodology_digest": draft.methodology.digest,
        "manifest_sha256": hashlib.sha256(content).hexdigest(),
        "is_held": draft.is_held,
        "is_synthetic": draft.is_synthetic,
        "is_within_limits": draft.is_within_limits,
    }


def critical_sentences(store: Store, edition: str, snapshot_id: str) -> list[str]:
    """What is critical in the figures of a snapshot themselves, whatever was stable beside it."""
    file = store.local(f"{snapshot_folder(edition, snapshot_id)}/tables/quality_result.parquet")
    rows = pq.read_table(file).to_pylist()
    # Snapshots of before the gate have no scope: all that is said there is said of the figures.
    return [
        row["message_en"] for row in rows if (row["severity"], row.get("scope", "content")) == ("critical", "content")
    ]


def stable_tables(store: Store, edition: str) -> Path | None:
    """The folder of the tables that are stable, None where nothing is."""
    entry = head(store, edition, "stable")
    return store.local(f"{snapshot_folder(edition, entry['snapshot_id'])}/tables") if entry else None


def draft_hashes(tables: Path, dictionary: Dictionary) -> tuple[dict[str, str], str]:
    """The content hashes of the tables of a draft, and the one of the whole."""
    hashes = table_hashes(tables, dictionary)
    return hashes, content_hash(hashes, dictionary)
