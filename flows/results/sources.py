"""Answers about sources: which there are, what one reads in a file, and what entry a new file needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from flows.night.intake import Refused, known_source
from flows.readers.pool import Readers
from flows.results.answer import FLAT, OK, Answer, plain
from flows.results.examined import Examined, RefusedExtract, examined, refused_extract
from flows.results.page import Page
from schemas.contract.refusals import Refusal
from schemas.errors import WRONG_USAGE
from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from schemas.sentence import Sentence
from warehouse.extracts.raw_store import file_content


@dataclass(frozen=True)
class SourceRow:
    """A source in a list."""

    source: str
    title: str
    pattern: str
    format: str
    layout: str
    precedence: int
    synthetic: bool


@dataclass(frozen=True)
class SourceList(Answer):
    """All sources."""

    sources: tuple[SourceRow, ...]

    def show(self, page: Page) -> None:
        """A row for each."""
        columns = ("source", "format", "layout", "precedence", "pattern", "title")
        page.table(columns, [[getattr(each, column) for column in columns] for each in self.sources])


def source_list(sources: Mapping[str, Source]) -> SourceList:
    """All sources, by their names."""
    return SourceList(
        tuple(
            SourceRow(name, each.title, each.pattern, each.format, each.layout, each.precedence, each.synthetic)
            for name, each in sources.items()
        )
    )


@dataclass(frozen=True)
class TableRead:
    """A table that a source reads in a file: its position, which column is read as what, and what is left out."""

    sheet: str | None
    header_row: int
    columns: Mapping[str, str]
    missing: tuple[str, ...]
    columns_not_read: tuple[str, ...]
    rows_below: int
    totals_left_out: tuple[int, ...]
    rows_left_out: int
    left_out_have: Mapping[str, int]

    def show(self, page: Page) -> None:
        """What is read, and what is not."""
        row, rows, totals = self.header_row, self.rows_below, len(self.totals_left_out)
        page.say(
            Sentence(
                f"Lembar {self.sheet or '(berkas itu sendiri)'}: judul kolom di baris {row}",
                f"Sheet {self.sheet or '(the file)'}: header in row {row}",
            ),
            style="bold",
        )
        page.table(("read as", "column"), list(self.columns.items()))
        page.list(Sentence("Tidak ada", "Missing"), self.missing, style="yellow")
        page.list(Sentence("Kolom yang tidak dibaca", "Columns that are not read"), self.columns_not_read)
        page.say(
            Sentence(
                f"{rows} baris di bawahnya{f', {totals} di antaranya jumlah, tidak dibaca' if totals else ''}",
                f"{rows} rows below it{f', {totals} of them totals, left out' if totals else ''}",
            )
        )
        if self.rows_left_out:
            page.list(
                Sentence(
                    f"{self.rows_left_out} baris tidak dibaca, menurut 'where' pada sumbernya",
                    f"{self.rows_left_out} rows left out, as the source says in where",
                ),
                [f"{rows} x {have}" for have, rows in self.left_out_have.items()],
            )


@dataclass(frozen=True)
class SourceChecked(Answer):
    """What a source reads in a file, and what it does not know."""

    reading: Examined | RefusedExtract = field(metadata=FLAT)
    tables: tuple[TableRead, ...]

    @property
    def exit_code(self) -> int:
        """A file that cannot be read is wrong usage."""
        return WRONG_USAGE if isinstance(self.reading, RefusedExtract) else OK

    def as_json(self) -> dict[str, Any]:
        """The answer as data; its `violations` are the sentences that most figures need."""
        data: dict[str, Any] = plain(self)
        if self.tables or isinstance(self.reading, Examined):
            data["violations"] = data.pop("sayings", [])
        return data

    def show(self, page: Page) -> None:
        """The tables, and what is not admitted of them."""
        if isinstance(self.reading, RefusedExtract):
            self.reading.show(page)
        for table in self.tables:
            table.show(page)
        if isinstance(self.reading, Examined):
            self.reading.show(page)
            page.list(
                Sentence("Tidak diterima", "Not admitted"),
                [
                    Sentence(f"{each.rows} x {each.message.id}", f"{each.rows} x {each.message.en}")
                    for each in self.reading.sayings
                ],
            )


def checked_source(path: Path, source_name: str, library: Library, today: date, readers: Readers) -> SourceChecked:
    """What a source reads in a file: in which sheet, below which row, which column as what, and what is not known."""
    source = known_source(source_name, library.sources)
    try:
        tables = json.loads(readers.answer("tables", file_content(path), source=source.model_dump_json()))
    except Refusal as refusal:
        return SourceChecked(refused_extract(Refused.by(refusal, path.name, source_name, None)), ())
    reading = examined(path, source_name, library, today, readers)
    return SourceChecked(reading, tuple(TableRead(**each) for each in tables))


@dataclass(frozen=True)
class Proposal(Answer):
    """An entry of sources.yml to start from, its name, and what to look at in it."""

    name: str
    entry: str
    remarks: tuple[Sentence, ...]

    def show(self, page: Page) -> None:
        """The remarks as comments, and the entry."""
        for remark in self.remarks:
            page.say(f"# {page.words(remark)}")
        page.say(self.entry, end="")


def proposal(path: Path, methodology: Path | None, readers: Readers) -> Proposal:
    """An entry of sources.yml to start from, for a file that no source reads yet. Raises Refusal."""
    folder = str(methodology.resolve()) if methodology else None
    found = json.loads(readers.answer("proposal", file_content(path), file_name=path.name, methodology=folder))
    return Proposal(found["name"], found["entry"], tuple(Sentence(**each) for each in found["remarks"]))
