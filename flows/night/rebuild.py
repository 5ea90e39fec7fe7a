"""Proof by repetition: a snapshot is computed again, from its raw extracts and the methodology it carries."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flows.night.request import Request
from flows.night.steps import run_night
from schemas.errors import DamagedStore, MethodologyError, NothingToScore, UsageError
from warehouse.code import code_identity
from warehouse.engine.database import EngineLimits
from warehouse.extracts.raw_store import Receipt, admit_extract, erasures, read_extract, receipts
from warehouse.snapshots.channels import snapshot_folder
from warehouse.snapshots.snapshots import read_manifest
from warehouse.store.store import Store
from warehouse.store.temporary import temporary_folder


def rebuilt(store: Store, edition: str, snapshot_id: str, limits: EngineLimits) -> dict[str, Any]:
    """Whether a snapshot comes out again: a night in an empty store of the very same extracts, with the methodology it
    carries, as of its day; nothing that was kept of earlier readings is used.

    `is_same`: whether the content hash is the same; `causes`: if not, what differs, or why it cannot be computed.
    """
    facts = read_manifest(store, edition, snapshot_id)["kerawanan"]
    answer = {"snapshot_id": snapshot_id, "edition": edition, "content_hash": facts["content_hash"]}
    try:
        found = _night(store, facts, limits)
    except (UsageError, DamagedStore, NothingToScore, MethodologyError) as error:
        return {**answer, "is_same": False, "rebuilt_hash": None, "causes": [str(error)]}
    is_same = found["content_hash"] == facts["content_hash"]
    causes = [] if is_same else _causes(facts, found)
    return {**answer, "is_same": is_same, "rebuilt_hash": found["content_hash"], "causes": causes}


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
    places = {(each.source, each.sha256): each for each in known}
    if missing := counted - places.keys():
        source, sha256 = min(missing)
        raise DamagedStore(f"the receipt of the extract {sha256[:12]} of {source} is missing.")
    return [each for place, each in places.items() if place in counted and (place in used or each.sha256 not in erased)]


def _causes(facts: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What can be why a snapshot does not come out again, and where it differs."""
    causes = []
    now = code_identity()
    if facts["code"] != now:
        told = [
            f"{each['version']} {each['sha256'][:12]} with {_listed(each['libraries'])}"
            for each in (facts["code"], now)
        ]
        causes.append(f"it was computed by other code: {told[0]}; this is {told[1]}.")
    if facts["methodology_digest"] != found["methodology_digest"]:
        causes.append("the methodology that it carries is not the one whose digest it names.")
    before, after = (
        {(each["source"], each["sha256"]): each for each in facts_of["inputs"]} for facts_of in (facts, found)
    )
    causes += [
        f"the extract {each['file_name']} of {each['source']} ({each['sha256'][:12]}) {what}."
        for places, frame, what in (
            (before.keys() - after.keys(), before, "was used then, and is not now"),
            (after.keys() - before.keys(), after, "is used now, and was not then"),
        )
        for each in (frame[place] for place in sorted(places))
    ]
    differing = sorted(
        name for name, value in facts["table_hashes"].items() if found["table_hashes"].get(name) != value
    )
    causes.append(f"these tables differ: {', '.join(differing)}.")
    return causes


def _listed(libraries: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in libraries.items())
