"""What artifacts say, in Markdown: for people who open a run in Prefect's pages."""

import re
from collections.abc import Sequence
from dataclasses import fields

from flows.night.backfill import Backfill, Ended
from flows.results.backfill import backfill_sentence, stands_on
from flows.results.difference import difference_sentences, moved, verdict
from flows.results.index import CategoryCount
from flows.results.night import REFUSED, NightAnswer, refused_sentences
from flows.results.page import Cell
from flows.results.words import head, more, value
from schemas.sentence import Language, Sentence
from warehouse.snapshots.diff import Difference, Move

SHOWN = 20
TOP = ("rank", "region_code", "region_name", "score", "category", "origin")


def night_markdown(answer: NightAnswer, language: Language = "en", missed: Sequence[Ended] = ()) -> str:
    """The result of a night: outcome, top of the index, categories, quarantine, and where everything lies; and the
    nights before it that were missed, computed with it.
    """
    page = _Markdown(language)
    outcome, rows, admitted = value(answer.outcome), answer.rows, answer.rows_admitted
    page.title(
        Sentence(
            f"{answer.edition} per {answer.as_of}: {outcome.id}", f"{answer.edition} as of {answer.as_of}: {outcome.en}"
        )
    )
    if answer.is_synthetic:
        page.strong(
            Sentence(
                "DATA SIMULASI: tidak ada yang berlaku bagi Indonesia di sini.",
                "SIMULATED DATA: nothing here says anything about Indonesia.",
            )
        )
    page.line(
        Sentence(
            f"{answer.extracts} ekstrak ({answer.new_extract_count} baru), {rows} angka: {admitted} diterima dan "
            f"{rows - admitted} dikarantina.",
            f"{answer.extracts} extracts ({answer.new_extract_count} new), {rows} figures, of which {admitted} were "
            f"admitted and {rows - admitted} quarantined.",
        )
    )
    if answer.withdrawn:
        page.strong(Sentence("Snapshot ini sudah ditarik", "This snapshot was withdrawn"), answer.withdrawn)
    page.list(Sentence("Ditahan karena", "Held because"), answer.critical)
    page.list(Sentence("Perlu diperiksa", "Look at"), answer.warned)
    page.head(Sentence(f"Teratas: {answer.index.top_of.id}", f"Top of {answer.index.top_of.en}"))
    top = answer.index.top
    page.table(TOP, [(r.rank, r.region_code, r.region_name, r.score, r.category, value(r.origin)) for r in top])
    page.head(Sentence("Banyaknya wilayah per kategori", "Regions per category"))
    page.table([each.name for each in fields(CategoryCount)], [_category(each) for each in answer.index.categories])
    page.list(
        Sentence("Malam terlewat yang dihitung lebih dulu", "Nights that were missed, computed before"),
        [_missed(each) for each in missed],
    )
    page.list(REFUSED, refused_sentences(answer.refused))
    page.list(Sentence("Dikarantina", "Quarantined"), answer.quarantined or [Sentence("tidak ada", "nothing")])
    page.list(Sentence("Dilaporkan", "Reported"), [each.sentence for each in answer.reports.reporting])
    page.list(
        Sentence("Kantor yang belum mengirim apa pun", "Offices that sent nothing"),
        answer.reports.silent,
    )
    if answer.changes:
        page.changes(answer.changes.difference, answer.changes.regions_changed)
    page.list(Sentence("Dikoreksi", "Corrected"), answer.corrected)
    page.list(Sentence("Bertentangan", "Contradicted"), answer.contradicted)
    page.paths(answer)
    return page.text


def _category(each: CategoryCount) -> tuple[Cell, ...]:
    return value(each.region_level), value(each.approach), each.category, each.regions


def _missed(night: Ended) -> Sentence:
    outcome, why = value(night.outcome), night.reason
    return Sentence(
        f"{night.as_of}: {outcome.id}. {why.id or night.snapshot_id}",
        f"{night.as_of}: {outcome.en}. {why.en or night.snapshot_id}",
    )


def backfill_markdown(found: Backfill, language: Language = "en") -> str:
    """What a backfill would do, or how each of its nights ended."""
    page = _Markdown(language)
    page.title(Sentence("Selesai", "Done") if found.run_id else Sentence("Rencana", "Planned"), found.reason)
    page.line(backfill_sentence(found))
    if found.run_id:
        page.table(
            ("edition", "as_of", "outcome", "snapshot_id", "reason"),
            [(n.edition, str(n.as_of), value(n.outcome), n.snapshot_id, n.reason) for n in found.nights],
        )
    else:
        page.table(
            ("edition", "as_of", "state", "like"),
            [(n.edition, str(n.as_of), value(n.state), str(n.like) if n.like else None) for n in found.plan],
        )
    stable = [stands_on(each.edition, each.snapshot_id) for each in found.promoted]
    page.list(Sentence("Stabil", "Stable"), stable)
    page.list(Sentence("Tidak ditetapkan", "Not promoted"), [found.not_promoted] if found.not_promoted else [])
    return page.text


def difference_markdown(diff: Difference, language: Language = "en") -> str:
    """What differs between two snapshots."""
    page = _Markdown(language)
    both = f"{diff.before.snapshot_id} > {diff.after.snapshot_id}"
    page.title(Sentence(diff.edition, diff.edition), both)
    page.line(verdict(diff), end=".")
    page.changes(diff, len(diff.regions))
    return page.text


class _Markdown:
    """A document in one language, part by part. Texts are escaped: names of files and regions are input."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """The document."""
        return "\n\n".join(self._parts) + "\n"

    def title(self, what: Sentence, about: str | None = None) -> None:
        """Its title."""
        self._parts.append(f"# {what[self._language]}{f': {self._text(about)}' if about else ''}")

    def head(self, what: Sentence) -> None:
        """The title of a part."""
        self._parts.append(f"## {self._text(what)}")

    def line(self, what: Sentence, end: str = "") -> None:
        """A sentence."""
        text = what[self._language]
        self._parts.append(f"{text[:1].upper()}{text[1:]}{end}")

    def strong(self, what: Sentence, about: str | None = None) -> None:
        """A sentence that must not be overlooked."""
        self._parts.append(f"**{what[self._language]}**{f' {self._text(about)}' if about else ''}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """A table."""
        lines = [" | ".join(self._text(head(column)) for column in columns), " | ".join("---" for _ in columns)]
        lines += [" | ".join(self._text(cell) for cell in row) for row in rows]
        self._parts.append("\n".join(f"| {line} |" for line in lines))

    def list(self, title: Sentence, sentences: Sequence[Sentence | str]) -> None:
        """The first of some sentences below a title; nothing where there is none."""
        if sentences:
            rest = len(sentences) - SHOWN
            shown = [*sentences[:SHOWN], *([more(rest)] if rest > 0 else [])]
            self._parts.append(
                "\n".join([f"## {title[self._language]}\n", *(f"- {self._text(each)}" for each in shown)])
            )

    def changes(self, diff: Difference, regions_changed: int) -> None:
        """What differs from the snapshot before."""
        before = diff.before.snapshot_id
        self.head(Sentence(f"Dibandingkan dengan {before}", f"Compared with {before}"))
        self.line(moved(regions_changed), end=".")
        if diff.regions:
            columns = [each.name for each in fields(Move)]
            self.table(columns, [[_coded(each, name) for name in columns] for each in diff.regions[:SHOWN]])
        self.list(Sentence("Yang berbeda", "What differs"), difference_sentences(diff))

    def paths(self, answer: NightAnswer) -> None:
        """The paths of everything that a night wrote."""
        every = (
            (Sentence("snapshot", "snapshot"), answer.snapshot),
            (Sentence("stabil", "stable"), answer.stable),
            (Sentence("proses ini", "this run"), answer.run),
            (Sentence("gerbang", "gate"), answer.gate),
            (Sentence("siapa belum melaporkan apa", "who has not reported what"), answer.not_reported),
            (Sentence("riwayat semua malam", "history over all nights"), answer.history),
        )
        self.head(Sentence("Letak berkas", "Where it lies"))
        self._parts.append(
            "\n".join(f"- {label[self._language]}: {self._text(where)}" for label, where in every if where)
        )

    def _text(self, cell: Cell) -> str:
        """A value as text that Markdown shows as it is."""
        if cell is None:
            return ""
        shown = (
            cell[self._language] if isinstance(cell, Sentence) else f"{cell:.3f}" if isinstance(cell, float) else cell
        )
        return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", " ".join(str(shown).split()))


def _coded(move: Move, name: str) -> Cell:
    cell: Cell = getattr(move, name)
    return value(str(cell)) if name in ("region_level", "approach") else cell
