"""Answers about extracts: what is wrong with a file, and what became of it."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.night.intake import Refused, known_source
from flows.readers.pool import Readers
from flows.results.answer import FLAT, IF_ANY, OK, Answer, key, plain
from flows.results.page import SHOWN_ROWS, Cell, Page
from flows.results.words import joined, value
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
MOST_IN_WORDS = 10_000  # violations that an answer has in words; it counts all


@dataclass(frozen=True)
class Problem:
    """A rule that cells of one column break: how many figures have it, and the first few sentences and places."""

    rule: str
    column: str | None
    figures: int
    sentences: int
    examples: tuple[Sentence, ...] | None
    action: Sentence = field(metadata=key("action_en"))
    places: tuple[Sentence, ...] | None

    def show(self, page: Page, number: int) -> None:
        """The problem with its number, and what stands where."""
        where = Sentence(f" di kolom {self.column}", f" in column {self.column}") if self.column else Sentence("", "")
        page.say(
            Sentence(
                f"{number:>3}. {self.rule}{where.id}: {self.figures} angka. {self.action.id}",
                f"{number:>3}. {self.rule}{where.en}: {self.figures} figure(s). {self.action.en}",
            ),
            style="yellow",
        )
        examples, places = self.examples or (), self.places or ()
        others, more = self.sentences - len(examples), self.figures - len(places)
        for sentence in examples:
            page.say(f"     {page.words(sentence)}")
        if others > 0:
            page.say(Sentence(f"     dan {others} lagi yang serupa", f"     and {others} others like it"))
        rest = [Sentence(f"dan {more} lagi", f"and {more} more")] if more > 0 else []
        page.say(f"     {page.words(joined((*places, *rest)))}")


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
        """The worst problems, those that keep out most figures first; one that many have is said once."""
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

    Regions are those valid `today`, as no edition is asked for. Where `marked` is a folder, the workbook that an office
    is sent back is written there. Raises Refusal where it cannot be.
    """
    try:
        content = file_content(path)
    except Refusal as refusal:
        return refused_extract(Refused.by(refusal, path.name, source_name, None), marked)
    return _examined(content, path.name, source_name, library, today, readers, marked)


def _examined(
    content: bytes,
    file_name: str,
    source_name: str,
    library: Library,
    today: date,
    readers: Readers,
    marked: Path | None = None,
) -> Examined | RefusedExtract:
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
        reading=_examined(content, receipt.file_name, receipt.source, library, today, readers, marked),
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
