"""What a file would be read as, and what is wrong with it."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows.night.intake import Refused
from flows.readers.pool import Readers
from flows.results.answer import IF_ANY, OK, Answer, key
from flows.results.page import SHOWN_ROWS, Page
from flows.results.words import joined
from schemas.contract.refusals import Refusal
from schemas.errors import WRONG_USAGE, MethodologyError
from schemas.methodology.coverage import key_problems
from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from schemas.sentence import Sentence
from transforms.extracts.admission import checked, identified, over_limit
from transforms.extracts.problems import frequent_sentences, problems, quarantine, wrong_cells
from transforms.regions.lookup import region_lookup
from warehouse.extracts.parsed import from_kept
from warehouse.extracts.raw_store import (
    file_content,
)
from warehouse.outputs.marked import HEADINGS, MOST_LISTED, write_marked
from warehouse.store.temporary import temporary_folder

SHOWN_LABELS = 20
MOST_IN_WORDS = 10_000  # violations that an answer has in words; it counts all


@dataclass(frozen=True)
class Problem:
    """A rule that cells of one column break: how many figures have it, and the first few sentences and positions."""

    rule: str
    column: str | None
    figures: int
    sentences: int
    examples: tuple[Sentence, ...] | None
    action: Sentence = field(metadata=key("action_en"))
    positions: tuple[Sentence, ...] | None = field(metadata=key("places"))

    def show(self, page: Page, number: int) -> None:
        """The problem with its number, examples and positions."""
        where = Sentence(f" di kolom {self.column}", f" in column {self.column}") if self.column else Sentence("", "")
        page.say(
            Sentence(
                f"{number:>3}. {self.rule}{where.id}: {self.figures} angka. {self.action.id}",
                f"{number:>3}. {self.rule}{where.en}: {self.figures} figure(s). {self.action.en}",
            ),
            style="yellow",
        )
        examples, positions = self.examples or (), self.positions or ()
        others, more = self.sentences - len(examples), self.figures - len(positions)
        for sentence in examples:
            page.say(f"     {page.words(sentence)}")
        if others > 0:
            page.say(Sentence(f"     dan {others} lagi yang serupa", f"     and {others} others like it"))
        rest = [Sentence(f"dan {more} lagi", f"and {more} more")] if more > 0 else []
        page.say(f"     {page.words(joined((*positions, *rest)))}")


@dataclass(frozen=True)
class Frequent:
    """A sentence that many figures need, and how many."""

    rule: str
    message: Sentence = field(metadata=key("message_en"))
    action: Sentence = field(metadata=key("action_en"))
    rows: int


@dataclass(frozen=True)
class Examined:
    """What a file is read as: how many figures, and what is wrong with those that are not admitted.

    `violations` are rows of the table `_quarantine`, `corrections` findings about declared corrections. `marked` is the
    workbook that an office is sent back, where one was written.
    """

    file_name: str
    source: str
    rows: int
    rows_admitted: int
    rows_quarantined: int
    is_over_limit: bool
    limit: str
    problems: tuple[Problem, ...]
    violations_found: int
    violations: tuple[Mapping[str, Any], ...]
    sayings: tuple[Frequent, ...]
    corrections: tuple[Mapping[str, Any], ...]
    marked: str | None = field(default=None, metadata=IF_ANY)

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it would be used."""
        return self.is_over_limit

    def show(self, page: Page) -> None:
        """How many figures are admitted."""
        page.say(
            Sentence(
                f"{self.file_name} sebagai {self.source}: {self.rows} angka, {self.rows_admitted} diterima, "
                f"{self.rows_quarantined} dikarantina",
                f"{self.file_name} as {self.source}: {self.rows} figures, {self.rows_admitted} admitted, "
                f"{self.rows_quarantined} quarantined",
            ),
            style="bold",
        )
        if self.is_over_limit:
            page.say(
                Sentence(
                    f"ditolak seluruhnya: lebih dari {self.limit} isinya salah, sehingga tidak ada yang akan dipakai",
                    f"refused whole: more than {self.limit} of it is wrong, so that nothing of it would be used",
                ),
                style="red",
            )

    def show_problems(self, page: Page) -> None:
        """The worst problems, those that keep out most figures first; one that many have is shown once."""
        for number, problem in enumerate(self.problems[:SHOWN_ROWS], start=1):
            problem.show(page, number)
        rest = len(self.problems) - SHOWN_ROWS
        if rest > 0:
            page.say(
                Sentence(
                    f"     ... dan {rest} masalah lagi (--format json menampilkan semuanya)",
                    f"     ... and {rest} more problems (--format json shows all)",
                )
            )
        if self.marked:
            page.fact(MARKED, self.marked, width=10)
        elif self.problems:
            page.say(
                Sentence(
                    "Untuk mengirimnya kembali dengan sel yang salah ditandai: --marked FOLDER",
                    "To send it back with the wrong cells marked: --marked FOLDER",
                )
            )


@dataclass(frozen=True)
class RefusedExtract:
    """A file that is refused whole, by which rule and why; `marked` is the workbook that its office is sent back."""

    file_name: str
    source: str
    refused: str
    refused_id: str
    rule: str
    marked: str | None = field(default=None, metadata=IF_ANY)

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it would be used."""
        return True

    def show(self, page: Page) -> None:
        """Why it is refused."""
        page.say(
            Sentence(f"{self.file_name}: ditolak: {self.refused_id}", f"{self.file_name}: refused: {self.refused}"),
            style="red",
        )

    def show_problems(self, page: Page) -> None:
        """Where the workbook is."""
        if self.marked:
            page.fact(MARKED, self.marked, width=10)


MARKED = Sentence("Ditandai", "Marked")


@dataclass(frozen=True)
class Validated(Answer):
    """What files would be read as."""

    extracts: tuple[Examined | RefusedExtract, ...]

    @property
    def exit_code(self) -> int:
        """A file that would be refused is wrong usage."""
        return WRONG_USAGE if any(each.is_refused for each in self.extracts) else OK

    def show(self, page: Page) -> None:
        """Each file, and what is wrong with it."""
        for each in self.extracts:
            each.show(page)
            each.show_problems(page)


def examined(
    path: Path, source_name: str, library: Library, today: date, readers: Readers, marked: Path | None = None
) -> Examined | RefusedExtract:
    """What a file would be read as, without changing anything: rows, admitted rows, problems; or why it is refused.

    Regions are those valid `today`, as no edition is given. Where `marked` is a folder, the workbook that an office
    is sent back is written there. Raises Refusal where it cannot be.
    """
    try:
        content = file_content(path)
    except Refusal as refusal:
        return refused_extract(Refused.by(refusal, path.name, source_name, None), marked)
    return content_examined(content, path.name, source_name, library, today, readers, marked)


def content_examined(
    content: bytes,
    file_name: str,
    source_name: str,
    library: Library,
    today: date,
    readers: Readers,
    marked: Path | None = None,
) -> Examined | RefusedExtract:
    """The same of the content of a file."""
    source = library.sources[source_name]
    if wrong_keys := key_problems({source_name: source}, library.reference):
        raise MethodologyError(wrong_keys)
    lookup = region_lookup(library.reference, source, today)
    digest = hashlib.sha256(content).hexdigest()
    try:
        rows = from_kept(readers.rows(content, source))
    except Refusal as refusal:
        return refused_extract(Refused.by(refusal, file_name, source_name, digest), marked)
    named = identified(rows, source=source_name, file_name=file_name, extract_sha256=digest)
    found = checked(named, source, library.corrections, lookup, library.dictionary)
    counts = pl.DataFrame({"extract_sha256": [digest], "rows": [rows.height]})
    over = over_limit(found.good, counts, source)
    file = None
    if marked and not found.violations.is_empty():
        cells = wrong_cells(found, lookup, library.dictionary, MOST_LISTED)
        file = _write_marked_copy(marked, content, file_name, source, cells, readers)
    return Examined(
        file_name=file_name,
        source=source_name,
        rows=rows.height,
        rows_admitted=found.good.height,
        rows_quarantined=rows.height - found.good.height,
        is_over_limit=not over.is_empty(),
        limit=f"{source.limits.quarantined_share:.0%}",
        problems=tuple(map(_problem, problems(found, lookup, library.dictionary))),
        violations_found=found.violations.height,
        violations=tuple(quarantine(found, lookup, library.dictionary, MOST_IN_WORDS).to_dicts()),
        sayings=tuple(map(_frequent, frequent_sentences(found, lookup, library.dictionary, SHOWN_LABELS))),
        corrections=tuple(found.findings.to_dicts()),
        marked=file,
    )


def _problem(row: Mapping[str, Any]) -> Problem:
    def listed(name: str) -> tuple[Sentence, ...] | None:
        both = row[f"{name}_id"], row[f"{name}_en"]
        return None if None in both else tuple(map(Sentence, *both))

    action = Sentence(row["action_id"], row["action_en"])
    counts = (row["figures"], row["sentences"])
    return Problem(row["rule"], row["column"], *counts, listed("examples"), action, listed("places"))


def _frequent(row: Mapping[str, Any]) -> Frequent:
    message, action = (Sentence(row[f"{name}_id"], row[f"{name}_en"]) for name in ("message", "action"))
    return Frequent(row["rule"], message, action, row["rows"])


def refused_extract(refused: Refused, marked: Path | None = None) -> RefusedExtract:
    """What is answered of a file that is refused whole."""
    file = None
    if marked:
        file = _marked_file(marked, refused.file_name)
        write_marked(file, (), [dict.fromkeys(HEADINGS) | asdict(refused)])
    why = (refused.reason, refused.reason_id, refused.rule)
    return RefusedExtract(refused.file_name, refused.source or "", *why, str(file) if file else None)


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
