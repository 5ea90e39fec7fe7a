"""Questions about extracts: what a source reads in a file, what is wrong with it, what became of it, and what entry of
sources.yml a new file needs.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.night.intake import Refused, known_source
from flows.readers.pool import Readers
from schemas.contract.refusals import Refusal
from schemas.errors import MethodologyError
from schemas.methodology.coverage import key_problems
from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from transforms.extracts.admission import checked, identified, over_limit
from transforms.extracts.problems import frequent_sentences, problems, quarantine, wrong_cells
from transforms.regions.lookup import region_lookup
from warehouse.extracts.parsed import from_kept
from warehouse.extracts.raw_store import (
    RECEIPTS,
    Receipt,
    erasures,
    extract_called,
    file_content,
    read_extract,
    receipts,
    refusals,
    withdrawals,
)
from warehouse.outputs.marked import HEADINGS, MOST_LISTED, write_marked
from warehouse.snapshots.channels import snapshot_folder
from warehouse.store.store import Store, read_sealed
from warehouse.store.temporary import temporary_folder

SHOWN_LABELS = 20
MOST_TOLD = 10_000  # violations that an answer has in words; it counts all


def examined(
    path: Path, source_name: str, library: Library, today: date, readers: Readers, marked: Path | None = None
) -> dict[str, Any]:
    """What a file would be read as, without changing anything: rows, admitted rows, problems; or why it is refused.

    Regions are those valid `today`, as no edition is asked for. Where `marked` is a folder, the workbook that an office
    is sent back is written there. Raises Refusal where it cannot be.
    """
    try:
        content = file_content(path)
    except Refusal as refusal:
        return _refused(Refused.by(refusal, path.name, source_name, None), marked)
    return _examined(content, path.name, source_name, library, today, readers, marked)


def _examined(
    content: bytes,
    file_name: str,
    source_name: str,
    library: Library,
    today: date,
    readers: Readers,
    marked: Path | None = None,
) -> dict[str, Any]:
    source = library.sources[source_name]
    if wrong_keys := key_problems({source_name: source}, library.reference):
        raise MethodologyError(wrong_keys)
    lookup = region_lookup(library.reference, source, today)
    digest = hashlib.sha256(content).hexdigest()
    try:
        rows = from_kept(readers.rows(content, source))
    except Refusal as refusal:
        return _refused(Refused.by(refusal, file_name, source_name, digest), marked)
    named = identified(rows, source=source_name, file_name=file_name, extract_sha256=digest)
    found = checked(named, source, library.corrections, lookup, library.dictionary)
    counts = pl.DataFrame({"extract_sha256": [digest], "rows": [rows.height]})
    over = over_limit(found.good, counts, source)
    in_words = quarantine(found, lookup, library.dictionary, MOST_TOLD)
    answer = {
        "file_name": file_name,
        "source": source_name,
        "rows": rows.height,
        "rows_admitted": found.good.height,
        "rows_quarantined": rows.height - found.good.height,
        "is_over_limit": not over.is_empty(),
        "limit": f"{source.limits.quarantined_share:.0%}",
        "problems": problems(found, lookup, library.dictionary),
        "violations_found": found.violations.height,
        "violations": in_words.to_dicts(),
        "sayings": frequent_sentences(found, lookup, library.dictionary, SHOWN_LABELS),
        "corrections": found.findings.to_dicts(),
    }
    if marked and not found.violations.is_empty():
        cells = wrong_cells(found, lookup, library.dictionary, MOST_LISTED)
        answer["marked"] = _write_marked_copy(marked, content, file_name, source, cells, readers)
    return answer


def _refused(refused: Refused, marked: Path | None) -> dict[str, Any]:
    """What is answered of a file that is refused whole; the workbook that its office is sent back says nothing else."""
    row = dict.fromkeys(HEADINGS) | asdict(refused)
    answer: dict[str, Any] = {"file_name": refused.file_name, "source": refused.source, "refused": refused.reason}
    answer |= {"refused_id": refused.reason_id, "rule": refused.rule}
    if marked:
        file = _marked_file(marked, refused.file_name)
        write_marked(file, (), [row])
        answer["marked"] = str(file)
    return answer


def _marked_file(folder: Path, file_name: str) -> Path:
    name = Path(file_name).name.encode()[:200].decode(errors="ignore")
    return folder / f"{name}-perbaikan.xlsx"


def _write_marked_copy(
    folder: Path,
    content: bytes,
    file_name: str,
    source: Source,
    violations: Sequence[Mapping[str, Any]],
    readers: Readers,
) -> str:
    """Write the workbook that an office is sent back, its cells marked; its path. Raises Refusal."""
    file = _marked_file(folder, file_name)
    with temporary_folder() as work:
        made = work / "marked.xlsx"
        facts = {"source": source.model_dump_json(), "violations": violations, "file": str(made)}
        try:
            readers.answer("marked", content, **facts)
        except Refusal as refusal:
            raise Refusal("not_marked", file=file_name, reason=refusal) from refusal
        folder.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # a link is replaced, what it leads to is not
        shutil.move(made, file)
    return str(file)


def extract_list(store: Store, source: str | None) -> list[dict[str, Any]]:
    """Every extract and refused file of the store, or of one source, with what became of it, in the order received."""
    names = sorted({key.split("/")[2] for key in store.keys(RECEIPTS)})
    withdrawn = withdrawals(store)
    erased = erasures(store)

    def state(receipt: Receipt) -> str:
        if receipt.sha256 in erased:
            return "erased"
        return "withdrawn" if (receipt.source, receipt.sha256) in withdrawn else "admitted"

    kept = [{**_receipt_facts(each), "state": state(each)} for each in receipts(store, [source] if source else names)]
    refused = [
        {**note, "received_at": note["refused_at"], "state": "refused"}
        for note in refusals(store)
        if source in (None, note["source"])
    ]
    return kept + refused


def _receipt_facts(receipt: Receipt) -> dict[str, Any]:
    return {
        "source": receipt.source,
        "file_name": receipt.file_name,
        "sha256": receipt.sha256,
        "size": receipt.size,
        "received_at": receipt.received_at,
        "is_synthetic": receipt.is_synthetic,
    }


def extract_history(
    store: Store, name: str, library: Library, today: date, readers: Readers, marked: Path | None = None
) -> dict[str, Any]:
    """What became of an extract: how it is read today, whether it was withdrawn, and what each edition's latest
    candidate made of its figures.
    """
    receipt = extract_called(store, name)
    known_source(receipt.source, library.sources)
    content = read_extract(store, receipt)
    answer = _examined(content, receipt.file_name, receipt.source, library, today, readers, marked)
    note = withdrawals(store).get((receipt.source, receipt.sha256))
    return {
        **_receipt_facts(receipt),
        **answer,
        "withdrawn": note,
        "used_in": _uses(store, receipt),
    }


def _uses(store: Store, receipt: Receipt) -> list[dict[str, Any]]:
    """What the latest candidate of each edition made of an extract's figures, by state."""
    uses = []
    for key in store.keys("channels"):
        edition, channel = key.split("/")[1:]
        if channel != "candidate.json":
            continue
        entry = read_sealed(store, key)
        lineage = store.local(f"{snapshot_folder(edition, entry['snapshot_id'])}/tables/observation.parquet")
        found = pl.scan_parquet(lineage).filter(extract_sha256=receipt.sha256, source=receipt.source)
        states = Counter(found.select("state").collect()["state"].to_list())
        if states:
            figures = dict(sorted(states.items()))
            uses.append({"edition": edition, "snapshot_id": entry["snapshot_id"], "figures": figures})
    return uses


def proposal(path: Path, methodology: Path | None, readers: Readers) -> dict[str, Any]:
    """An entry of sources.yml to start from, for a file that no source reads yet. Raises Refusal."""
    told = str(methodology.resolve()) if methodology else None
    found: dict[str, Any] = json.loads(
        readers.answer("proposal", file_content(path), file_name=path.name, methodology=told)
    )
    return found


def checked_source(path: Path, source_name: str, library: Library, today: date, readers: Readers) -> dict[str, Any]:
    """What a source reads in a file: in which sheet, below which row, which column as what, and what is not known."""
    source = known_source(source_name, library.sources)
    try:
        content = file_content(path)
        tables = json.loads(readers.answer("tables", content, source=source.model_dump_json()))
    except Refusal as refusal:
        return {**_refused(Refused.by(refusal, path.name, source_name, None), None), "tables": []}
    answer = _examined(content, path.name, source_name, library, today, readers)
    answer["violations"] = answer.pop("sayings", [])
    return {**answer, "tables": tables}
