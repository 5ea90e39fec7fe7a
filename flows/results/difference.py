"""What differs between two snapshots, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from flows.results.answer import FLAT, Answer
from flows.results.page import SHOWN_ROWS, Page
from flows.results.words import value
from schemas.sentence import Sentence
from warehouse.snapshots.diff import MOVES, Difference, Move

MOVED_REGION = ("region_level", "approach", "region_code", "region_name", "change")


@dataclass(frozen=True)
class DifferenceAnswer(Answer):
    """What differs between two snapshots."""

    difference: Difference = field(metadata=FLAT)

    def show(self, page: Page) -> None:
        """The regions that moved, and what else differs."""
        diff = self.difference
        page.say(f"{diff.edition}: {diff.before.snapshot_id} > {diff.after.snapshot_id}", style="bold")
        page.say(verdict(diff))
        show_moves(page, diff.regions[:SHOWN_ROWS], len(diff.regions))
        page.list(Sentence("Perbedaan", "Differs"), difference_sentences(diff))


@dataclass(frozen=True)
class DifferenceInMarkdown(DifferenceAnswer):
    """The same, printed as Markdown."""

    def show(self, page: Page) -> None:
        """Print the Markdown."""
        from flows.results.markdown import difference_markdown

        page.say(difference_markdown(self.difference, page.language), end="")


@dataclass(frozen=True)
class Changes:
    """What a night changed: the first regions that moved, how many did, and what else differs."""

    difference: Difference = field(metadata=FLAT)
    regions_changed: int

    def show(self, page: Page) -> None:
        """The regions that moved, and what else differs."""
        before = self.difference.before.snapshot_id
        page.say(Sentence(f"Dibandingkan dengan {before}", f"Compared with {before}"))
        show_moves(page, self.difference.regions, self.regions_changed)
        page.list(Sentence("Perbedaan", "Differs"), difference_sentences(self.difference))


def verdict(diff: Difference) -> Sentence:
    """Whether the content is the same."""
    if diff.is_same_content:
        return Sentence("isinya sama", "the same content")
    return Sentence("isinya berbeda", "the content differs")


def moved(count: int) -> Sentence:
    """How many regions moved."""
    if not count:
        return Sentence(
            "Tidak ada wilayah yang berubah skor, peringkat, atau kategorinya",
            "No region has another score, rank or category",
        )
    return Sentence(
        f"{count} wilayah berubah skor, peringkat, atau kategorinya",
        f"{count} region(s) have another score, rank or category",
    )


def show_moves(page: Page, regions: Sequence[Move], count: int) -> None:
    """The regions that moved between two snapshots."""
    if not regions:
        page.say(moved(0))
        return
    rows = [
        (
            *(value(each.region_level), value(each.approach), each.region_code, each.region_name, each.change),
            f"{_shown(each.score_before)} > {_shown(each.score_after)}",
            f"{_shown(each.rank_before)} > {_shown(each.rank_after)}",
            f"{_shown(each.category_before)} > {_shown(each.category_after)}",
        )
        for each in regions
    ]
    page.table((*MOVED_REGION, *MOVES), rows, moved(count))


def _shown(cell: float | str | None) -> str:
    return "-" if cell is None else f"{cell:.2f}" if isinstance(cell, float) else str(cell)


WHAT = {"added": "ditambahkan", "removed": "dihapus", "retyped": "berubah jenis"}


def difference_sentences(diff: Difference) -> list[Sentence]:
    """The sentences of a difference beside the regions that moved: tables, extracts, methodology and code."""
    written = [
        Sentence(
            f"{each.table}: {each.rows_added} baris ditambahkan, {each.rows_removed} dihapus, {each.rows_changed} "
            "berubah",
            f"{each.table}: {each.rows_added} rows added, {each.rows_removed} removed, {each.rows_changed} changed",
        )
        for each in diff.tables
    ]
    for each in diff.tables:
        for what, columns in zip(WHAT, (each.columns_added, each.columns_removed, each.columns_retyped), strict=True):
            if columns:
                listed = ", ".join(columns)
                written.append(
                    Sentence(f"{each.table}: kolom {WHAT[what]}: {listed}", f"{each.table}: columns {what}: {listed}")
                )
    for part in fields(diff.inputs):
        for extract in getattr(diff.inputs, part.name):
            name = f"{extract.file_name} ({extract.source}, {extract.sha256[:12]})"
            written.append(Sentence(f"ekstrak {WHAT[part.name]}: {name}", f"extract {part.name}: {name}"))
    if diff.methodology:
        files = ", ".join(diff.methodology)
        written.append(Sentence(f"metodologi: {files}", f"methodology: {files}"))
    if diff.before.code != diff.after.code:
        written.append(Sentence("dihitung dengan kode program lain", "computed by other code"))
    return written or [Sentence("tidak ada", "nothing")]
