"""Answers about editions: which there are, what one declares, and whether its rules hold."""

from dataclasses import dataclass
from typing import Any

from flows.results.answer import OK, Answer
from flows.results.page import Page
from flows.results.words import value
from schemas.errors import FAILED, MethodologyError, Problem
from schemas.methodology.corrections import Correction
from schemas.methodology.edition import Edition
from schemas.methodology.library import Library
from schemas.sentence import Sentence


@dataclass(frozen=True)
class EditionRow:
    """An edition whose rules hold."""

    edition: str
    title: Sentence
    status: str
    digest: str
    nodes: int
    problems: int = 0


@dataclass(frozen=True)
class BrokenEdition:
    """An edition that breaks rules, and how many."""

    edition: str
    problems: int


@dataclass(frozen=True)
class EditionList(Answer):
    """All editions."""

    editions: tuple[EditionRow | BrokenEdition, ...]

    def show(self, page: Page) -> None:
        """A row for each."""
        rows = [
            (each.edition, value(each.status), each.nodes, each.title)
            if isinstance(each, EditionRow)
            else (each.edition, value("broken"), None, _broken(each))
            for each in self.editions
        ]
        page.table(("edition", "status", "nodes", "title"), rows)


def edition_list(library: Library) -> EditionList:
    """All editions of the methodology."""
    return EditionList(tuple(_row(library, name) for name in library.editions))


def _row(library: Library, name: str) -> EditionRow | BrokenEdition:
    try:
        methodology = library.edition(name)
    except MethodologyError as error:
        return BrokenEdition(name, len(error.problems))
    edition = methodology.edition
    title = Sentence(edition.title_id, edition.title_en)
    return EditionRow(name, title, edition.status, methodology.digest, len(edition.nodes))


def _broken(edition: BrokenEdition) -> Sentence:
    command = f"kerawanan methodology check {edition.edition}"
    return Sentence(f"{edition.problems} masalah; {command}", f"{edition.problems} problem(s); {command}")


@dataclass(frozen=True)
class EditionAnswer(Answer):
    """The tree and the rules of an edition, and the corrections of its figures."""

    digest: str
    edition: Edition
    corrections: tuple[Correction, ...]

    def as_json(self) -> dict[str, Any]:
        """The edition as its files have it."""
        return {
            "digest": self.digest,
            **self.edition.model_dump(mode="json", by_alias=True),
            "nodes": [node.model_dump(mode="json") for node in self.edition.nodes],
            "corrections": [each.model_dump(mode="json") for each in self.corrections],
        }

    def show(self, page: Page) -> None:
        """The tree, the cut-offs, the corrections and the rules."""
        edition = self.edition
        title = Sentence(edition.title_id, edition.title_en)
        page.say(f"{page.words(title)} ({edition.edition}, {edition.status})", style="bold")
        when = f"{edition.period}; {edition.reference_period}"
        page.say(Sentence(f"periode {when}", f"period {when}"))
        page.say(Sentence(f"sidik {self.digest}", f"digest {self.digest}"))
        columns = ("node_code", "parent_code", "level", "weight", "normalisation", "aggregation", "evidence")
        rows = [
            (*(_cell(getattr(node, column)) for column in columns), Sentence(node.name_id, node.name_en))
            for node in edition.nodes
        ]
        page.table((*columns, "name_en"), rows, Sentence("Simpul", "Nodes"))
        rules = [
            (
                value(each.level),
                value(each.approach or "any"),
                each.node or value("any"),
                each.basis,
                each.evidence,
                each.note,
            )
            for each in edition.cut_offs
        ]
        page.table(
            ("level", "approach", "node", "basis", "evidence", "note"),
            rules,
            Sentence("Batas kategori, yang pertama cocok yang berlaku", "Cut-offs, first that applies"),
        )
        page.list(Sentence("Koreksi", "Corrections"), [f"{each.id}: {each.reason}" for each in self.corrections])
        missing = edition.missing
        page.say(
            Sentence(
                f"bobot: {edition.weights}; yang belum ada: daun {missing.leaf}, agregat {missing.aggregate}",
                f"weights: {edition.weights}; missing: leaf {missing.leaf}, aggregate {missing.aggregate}",
            )
        )
        page.say(Sentence(f"Keterbandingan: {edition.comparability}", f"Comparability: {edition.comparability}"))


def _cell(cell: object) -> str | float | None:
    return cell if cell is None or isinstance(cell, (str, int, float)) else str(cell)


@dataclass(frozen=True)
class EditionsChecked(Answer):
    """The rules that editions break; and the editions that were left out, as the regions are of one's own."""

    editions: tuple[str, ...]
    left_out: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """A broken rule is a failure."""
        return FAILED if self.problems else OK

    def show(self, page: Page) -> None:
        """Each broken rule, and the verdict."""
        for each in self.problems:
            row = Sentence(f", baris {each.row}", f", row {each.row}") if each.row else Sentence("", "")
            page.say(Sentence(f"{each.file}{row.id}: {each.sentence}", f"{each.file}{row.en}: {each.sentence}"))
        count, editions = len(self.problems), ", ".join(self.editions)
        verdict = (
            Sentence(f"{count} masalah", f"{count} problem(s)")
            if count
            else Sentence("semua aturan terpenuhi", "every rule holds")
        )
        page.say(
            Sentence(f"{editions}: {verdict.id}", f"{editions}: {verdict.en}"),
            style="bold red" if count else "bold green",
        )
        if self.left_out:
            listed = ", ".join(self.left_out)
            page.say(
                Sentence(
                    f"Tidak diperiksa, karena folder Anda mempunyai wilayah sendiri: {listed}",
                    f"Not checked, as your folder has regions of its own: {listed}",
                )
            )


def checked_editions(library: Library, edition: str | None) -> EditionsChecked:
    """Every rule of an edition, or of all that can be checked."""
    names = (edition,) if edition else tuple(library.editions_to_check)
    problems: dict[Problem, None] = {}
    for name in names:
        try:
            library.edition(name)
        except MethodologyError as error:
            problems |= dict.fromkeys(error.problems)
    left_out = () if edition else tuple(name for name in library.editions if name not in names)
    return EditionsChecked(names, left_out, tuple(problems))
