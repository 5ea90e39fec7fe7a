"""Answers about extracts of a store: which there are, and what became of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.night.intake import known_source
from flows.readers.pool import Readers
from flows.results.answer import FLAT, Answer, plain
from flows.results.examined import Examined, RefusedExtract, content_examined
from flows.results.page import Cell, Page
from flows.results.words import joined, value
from schemas.methodology.library import Library
from schemas.sentence import Sentence
from warehouse.extracts.raw_store import (
    RECEIPTS,
    Receipt,
    erasures,
    extract_called,
    read_extract,
    receipts,
    refusals,
    withdrawals,
)
from warehouse.snapshots.channels import snapshot_folder
from warehouse.store.sealed import read_sealed
from warehouse.store.store import Store


@dataclass(frozen=True)
class ReceiptFacts:
    """What is known of an extract since it was received."""

    source: str
    file_name: str
    sha256: str
    size: int
    received_at: datetime
    is_synthetic: bool


@dataclass(frozen=True)
class ReceivedExtract:
    """An extract of the store, and what became of it."""

    receipt: ReceiptFacts = field(metadata=FLAT)
    state: str


@dataclass(frozen=True)
class RefusedFile:
    """A file that was refused: the note of it."""

    note: Mapping[str, Any] = field(metadata=FLAT)
    received_at: str
    state: str = "refused"


@dataclass(frozen=True)
class ExtractList(Answer):
    """Every extract and refused file, in the order received."""

    extracts: tuple[ReceivedExtract | RefusedFile, ...]
    store: str

    def show(self, page: Page) -> None:
        """A row for each."""
        count = len(self.extracts)
        page.say(Sentence(f"{count} ekstrak di {self.store}", f"{count} extract(s) in {self.store}"))
        rows: list[tuple[Cell, ...]] = []
        for each in self.extracts:
            facts = each.note if isinstance(each, RefusedFile) else plain(each.receipt)
            received_at = str(facts.get("received_at") or facts["refused_at"])[:16].replace("T", " ")
            source = facts["source"] or value("unknown")
            rows.append((facts["sha256"][:12], source, facts["file_name"], received_at, value(each.state)))
        page.table(("extract", "source", "file", "received (UTC)", "state"), rows)


def extract_list(store: Store, source: str | None) -> ExtractList:
    """Every extract and refused file of the store, or of one source, with what became of it, in the order received."""
    names = sorted({each.split("/")[2] for each in store.keys(RECEIPTS)})
    withdrawn = withdrawals(store)
    erased = erasures(store)

    def state(receipt: Receipt) -> str:
        if receipt.sha256 in erased:
            return "erased"
        return "withdrawn" if (receipt.source, receipt.sha256) in withdrawn else "admitted"

    kept = [ReceivedExtract(_facts(each), state(each)) for each in receipts(store, [source] if source else names)]
    refused = [RefusedFile(note, note["refused_at"]) for note in refusals(store) if source in (None, note["source"])]
    return ExtractList((*kept, *refused), store.url)


def _facts(receipt: Receipt) -> ReceiptFacts:
    return ReceiptFacts(**{each.name: getattr(receipt, each.name) for each in fields(ReceiptFacts)})


@dataclass(frozen=True)
class Use:
    """What the latest candidate of an edition made of an extract's figures, by state."""

    edition: str
    snapshot_id: str
    figures: Mapping[str, int]


@dataclass(frozen=True)
class ExtractHistory(Answer):
    """What became of an extract: how it is read today, whether it was withdrawn (the note), and where it is used."""

    receipt: ReceiptFacts = field(metadata=FLAT)
    reading: Examined | RefusedExtract = field(metadata=FLAT)
    withdrawn: Mapping[str, Any] | None
    used_in: tuple[Use, ...]

    def show(self, page: Page) -> None:
        """How it is read, its receipt, and what became of its figures."""
        if isinstance(self.reading, RefusedExtract):
            name = self.reading.file_name
            page.say(
                Sentence(
                    f"{name}: menurut keterangan sumbernya hari ini, berkas ini ditolak: {self.reading.refused_id}",
                    f"{name}: as its source is declared today it is refused: {self.reading.refused}",
                ),
                style="red",
            )
        else:
            self.reading.show(page)
        size = self.receipt.size
        page.fact(Sentence("sha256", "sha256"), self.receipt.sha256, width=10)
        page.fact(Sentence("diterima", "received"), str(self.receipt.received_at), width=10)
        page.fact(Sentence("ukuran", "size"), Sentence(f"{size} byte", f"{size} bytes"), width=10)
        if note := self.withdrawn:
            page.fact(Sentence("ditarik", "withdrawn"), f"{note['withdrawn_at']}: {note['reason']}", width=10)
        for use in self.used_in:
            counted = joined(
                Sentence(f"{count} {value(state).id}", f"{count} {state}") for state, count in use.figures.items()
            )
            where = f"{use.edition}, {use.snapshot_id}"
            figures = Sentence(f"{counted.id} (dalam {where})", f"{counted.en} (in {where})")
            page.fact(Sentence("angka", "figures"), figures, width=10)
        self.reading.show_problems(page)


def extract_history(
    store: Store, name: str, library: Library, today: date, readers: Readers, marked: Path | None = None
) -> ExtractHistory:
    """What became of an extract: how it is read today, whether it was withdrawn, and what each edition's latest
    candidate made of its figures.
    """
    receipt = extract_called(store, name)
    known_source(receipt.source, library.sources)
    content = read_extract(store, receipt)
    return ExtractHistory(
        receipt=_facts(receipt),
        reading=content_examined(content, receipt.file_name, receipt.source, library, today, readers, marked),
        withdrawn=withdrawals(store).get((receipt.source, receipt.sha256)),
        used_in=tuple(_uses(store, receipt)),
    )


def _uses(store: Store, receipt: Receipt) -> Iterator[Use]:
    for pointer in store.keys("channels"):
        edition, channel = pointer.split("/")[1:]
        if channel != "candidate.json":
            continue
        snapshot_id = read_sealed(store, pointer)["snapshot_id"]
        lineage = store.local(f"{snapshot_folder(edition, snapshot_id)}/tables/observation.parquet")
        found = pl.scan_parquet(lineage).filter(extract_sha256=receipt.sha256, source=receipt.source)
        states = Counter(found.select("state").collect()["state"].to_list())
        if states:
            yield Use(edition, snapshot_id, dict(sorted(states.items())))


@dataclass(frozen=True)
class ExtractWithdrawn(Answer):
    """An extract that was withdrawn, and the note of it."""

    file_name: str
    note: Mapping[str, Any] = field(metadata=FLAT)

    def show(self, page: Page) -> None:
        """What that means."""
        extract = f"{self.file_name} ({self.note['sha256'][:12]})"
        page.say(
            Sentence(
                f"{extract} ditarik: mulai hari ini tidak lagi dihitung; berkasnya tetap tersimpan, dan malam-malam "
                "sebelumnya tidak berubah",
                f"{extract} is withdrawn: nights from today on do not count it; it stays in the store, and earlier "
                "nights are as they were",
            )
        )


@dataclass(frozen=True)
class ExtractErased(Answer):
    """An extract whose bytes were removed, and the note of it."""

    file_name: str
    note: Mapping[str, Any] = field(metadata=FLAT)

    def show(self, page: Page) -> None:
        """What stays."""
        extract = f"{self.file_name} ({self.note['sha256'][:12]})"
        page.say(Sentence(f"{extract} dihapus; catatannya tetap ada", f"{extract} is erased; a note of it stays"))
