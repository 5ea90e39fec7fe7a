"""Proof by repetition: a snapshot is computed again, from its raw extracts and the methodology it carries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flows.night.request import Request
from flows.night.steps import run_night
from schemas.errors import DamagedStore, MethodologyError, NothingToScore, UsageError, sentence_of
from schemas.sentence import Sentence
from warehouse.code import code_identity
from warehouse.engine.database import EngineLimits
from warehouse.extracts.raw_store import Receipt, admit_extract, erasures, read_extract, receipts
from warehouse.snapshots.channels import snapshot_folder
from warehouse.snapshots.snapshots import read_manifest
from warehouse.store.store import Store
from warehouse.store.temporary import temporary_folder


@dataclass(frozen=True)
class Rebuilt:
    """Whether a snapshot came out again, by its content hash; if not, what differs, or why it cannot be computed."""

    snapshot_id: str
    edition: str
    content_hash: str
    is_same: bool
    rebuilt_hash: str | None
    causes: tuple[Sentence, ...]


def rebuilt(store: Store, edition: str, snapshot_id: str, limits: EngineLimits) -> Rebuilt:
    """Whether a snapshot comes out again: a night in an empty store of the very same extracts, with the methodology it
    carries, as of its day; nothing that was kept of earlier readings is used.
    """
    facts = read_manifest(store, edition, snapshot_id)["kerawanan"]
    content_hash = facts["content_hash"]
    try:
        found = _night(store, facts, limits)
    except (UsageError, DamagedStore, NothingToScore, MethodologyError) as error:
        return Rebuilt(snapshot_id, edition, content_hash, False, None, (sentence_of(error),))
    is_same = found["content_hash"] == content_hash
    causes = () if is_same else tuple(_causes(facts, found))
    return Rebuilt(snapshot_id, edition, content_hash, is_same, found["content_hash"], causes)


def _night(store: Store, facts: Mapping[str, Any], limits: EngineLimits) -> dict[str, Any]:
    """The facts of the snapshot that comes out."""
    edition, created = facts["edition"], datetime.fromisoformat(facts["created"])
    base = snapshot_folder(edition, facts["snapshot_id"])
    with temporary_folder() as folder:
        fresh, work = Store(str(folder / "store")), folder / "work"
        work.mkdir()
        for each in _counted(store, facts):
            content = read_extract(store, each)
            admit_extract(
                *(fresh, content, each.file_name, each.source, each.is_synthetic, each.received_at, each.admitted_at)
            )
        request = Request(
            edition=edition,
            as_of=date.fromisoformat(facts["as_of"]),
            now=created,
            run_id=facts["snapshot_id"],
            store=fresh.url,
            work=work,
            methodology=store.local(f"{base}/methodology"),
            alone=True,
            limits=limits,
        )
        night = run_night(request)
        found: dict[str, Any] = read_manifest(fresh, edition, night.snapshot_id)["kerawanan"]
        return found


def _counted(store: Store, facts: Mapping[str, Any]) -> list[Receipt]:
    """The extracts that counted when the snapshot was made; those that were erased since, if no figure rests on them,
    cannot be missed.
    """
    counted = {(each["source"], each["sha256"]) for each in facts["extracts"]}
    used = {(each["source"], each["sha256"]) for each in facts["inputs"]}
    erased = erasures(store)
    known = receipts(store, sorted({source for source, _ in counted}))
    keyed = {(each.source, each.sha256): each for each in known}
    if missing := counted - keyed.keys():
        source, sha256 = min(missing)
        raise DamagedStore(
            f"the receipt of the extract {sha256[:12]} of {source} is missing.",
            f"tanda terima ekstrak {sha256[:12]} dari {source} tidak ada.",
        )
    return [each for key, each in keyed.items() if key in counted and (key in used or each.sha256 not in erased)]


def _causes(facts: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Sentence]:
    """What can be why a snapshot does not come out again, and where it differs."""
    now = code_identity()
    if facts["code"] != now:
        before, after = _code(facts["code"]), _code(now)
        yield Sentence(
            f"dihitung dengan kode program lain: {before.id}; kode ini {after.id}.",
            f"it was computed by other code: {before.en}; this is {after.en}.",
        )
    if facts["methodology_digest"] != found["methodology_digest"]:
        yield Sentence(
            "metodologi yang dibawanya bukan metodologi yang sidiknya disebut.",
            "the methodology that it carries is not the one whose digest it names.",
        )
    used, using = (
        {(each["source"], each["sha256"]): each for each in facts_of["inputs"]} for facts_of in (facts, found)
    )
    for key in sorted(used.keys() - using.keys()):
        extract = _extract(used[key])
        yield Sentence(
            f"ekstrak {extract.id} dipakai waktu itu, dan sekarang tidak.",
            f"the extract {extract.en} was used then, and is not now.",
        )
    for key in sorted(using.keys() - used.keys()):
        extract = _extract(using[key])
        yield Sentence(
            f"ekstrak {extract.id} dipakai sekarang, dan waktu itu tidak.",
            f"the extract {extract.en} is used now, and was not then.",
        )
    hashes = found["table_hashes"]
    differing = ", ".join(sorted(name for name, value in facts["table_hashes"].items() if hashes.get(name) != value))
    yield Sentence(f"tabel ini berbeda: {differing}.", f"these tables differ: {differing}.")


def _code(code: Mapping[str, Any]) -> Sentence:
    libraries = ", ".join(f"{name} {version}" for name, version in code["libraries"].items())
    name = f"{code['version']} {code['sha256'][:12]}"
    return Sentence(f"{name} dengan {libraries}", f"{name} with {libraries}")


def _extract(facts: Mapping[str, Any]) -> Sentence:
    name, source, digest = facts["file_name"], facts["source"], facts["sha256"][:12]
    return Sentence(f"{name} dari {source} ({digest})", f"{name} of {source} ({digest})")
