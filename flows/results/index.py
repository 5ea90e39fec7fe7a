"""The index of a snapshot in short: its top, how many regions have which category, and what was reported."""

from collections import Counter
from dataclasses import dataclass, fields

import polars as pl

from flows.results.page import Page
from flows.results.words import joined, value
from schemas.methodology.regions import LEVELS
from schemas.sentence import Sentence
from warehouse.store.store import Store

SHOWN_ROWS = 10
OFFICE = ("region_code", "region_name", "approach")
REQUIRED_LEVELS = ("province", "regency_city")  # the levels whose offices are named when they sent nothing


@dataclass(frozen=True)
class TopRow:
    """A region among those with the highest scores."""

    rank: int | None
    region_code: str
    region_name: str
    score: float
    computed_score: float | None
    category: str | None
    origin: str


@dataclass(frozen=True)
class CategoryCount:
    """How many regions of a level and approach have a category."""

    region_level: str
    approach: str
    category: str | None
    regions: int


@dataclass(frozen=True)
class IndexSummary:
    """The top of the index, and how many regions each category has, per level and approach."""

    top_of: Sentence
    top: tuple[TopRow, ...]
    categories: tuple[CategoryCount, ...]

    def show(self, page: Page) -> None:
        """The regions with the highest scores, and how many have which category."""
        columns = [each.name for each in fields(TopRow)]
        rows = [
            (row.rank, row.region_code, row.region_name, row.score, row.computed_score, row.category, value(row.origin))
            for row in self.top
        ]
        page.table(columns, rows, Sentence(f"Teratas: {self.top_of.id}", f"Top of {self.top_of.en}"))
        counted: dict[tuple[str, str], list[Sentence]] = {}
        for each in self.categories:
            called = each.category
            counted.setdefault((each.region_level, each.approach), []).append(
                Sentence(
                    f"{each.regions} {called or 'tanpa kategori'}", f"{each.regions} {called or 'without category'}"
                )
            )
        nothing = Sentence("tidak ada wilayah yang mempunyai skor indeks", "no region has an index score")
        lines = [joined((population_sentence(*where), joined(parts)), ": ") for where, parts in counted.items()]
        page.list(Sentence("Kategori", "Categories"), lines or [nothing])


def population_sentence(level: str, approach: str) -> Sentence:
    """A level and an approach, in words."""
    return joined((value(level), value(approach)), " / ")


def index_summary(store: Store, base: str) -> IndexSummary:
    """The index of the snapshot in a folder, in short."""
    index = pl.read_parquet(store.local(f"{base}/tables/index_score.parquet")).filter(pl.col("score").is_not_null())
    where = ["region_level", "approach"]
    known = sorted(index.select(where).unique().rows(), key=lambda each: (LEVELS.index(each[0]), each[1]))
    ranked = set(index.filter(pl.col("rank").is_not_null()).select(where).unique().rows())
    level, approach = next(
        (each for each in known if each in ranked), known[-1] if known else ("no region", "no approach")
    )
    top = index.filter(region_level=level, approach=approach).sort("score", descending=True).head(SHOWN_ROWS)
    counted = Counter(index.select(*where, "category").rows())
    return IndexSummary(
        top_of=population_sentence(level, approach),
        top=tuple(TopRow(*row) for row in top.select(each.name for each in fields(TopRow)).rows()),
        categories=tuple(
            CategoryCount(of[0], of[1], of[2], count)
            for of, count in sorted(counted.items(), key=lambda each: str(each[0]))
        ),
    )


@dataclass(frozen=True)
class Reported:
    """How much of what is required of offices was reported, at a level and by an approach."""

    region_level: str
    approach: str
    offices: int
    offices_silent: int
    indicators_expected: int
    indicators_reported: int
    indicators_reported_zero: int
    indicators_imputed: int
    indicators_missing: int
    indicators_evidenced: int

    @property
    def sentence(self) -> Sentence:
        """The same in a sentence."""
        where = population_sentence(self.region_level, self.approach)
        return Sentence(
            id=f"{where.id}: {self.indicators_reported} dari {self.indicators_expected} indikator dilaporkan "
            f"({self.indicators_reported_zero} nihil, {self.indicators_evidenced} disertai bukti), "
            f"{self.indicators_imputed} dikosongkan dan dihitung nol, {self.indicators_missing} belum ada; "
            f"{self.offices_silent} dari {self.offices} kantor belum mengirim apa pun",
            en=f"{where.en}: {self.indicators_reported} of {self.indicators_expected} indicators reported "
            f"({self.indicators_reported_zero} as zero, {self.indicators_evidenced} with evidence), "
            f"{self.indicators_imputed} left blank and counted as zero, {self.indicators_missing} missing; "
            f"{self.offices_silent} of {self.offices} offices sent nothing",
        )


@dataclass(frozen=True)
class ReportingSummary:
    """What was reported, per level and approach, and which offices sent nothing."""

    reporting: tuple[Reported, ...]
    silent: tuple[str, ...]


def reporting_summary(store: Store, base: str) -> ReportingSummary:
    """What was reported in the snapshot in a folder."""
    if not store.exists(f"{base}/tables/reporting.parquet"):  # a snapshot of before there was the table
        return ReportingSummary((), ())
    offices = pl.read_parquet(store.local(f"{base}/tables/reporting.parquet"))
    counts = [each.name for each in fields(Reported) if each.name.startswith("indicators_")]
    per_level = offices.group_by("region_level", "approach").agg(
        pl.len().alias("offices"), pl.col("is_silent").sum().alias("offices_silent"), pl.col(counts).sum()
    )
    rows = [Reported(*row) for row in per_level.select(each.name for each in fields(Reported)).rows()]
    silent = offices.filter(pl.col("is_silent") & pl.col("region_level").is_in(REQUIRED_LEVELS))
    return ReportingSummary(
        reporting=tuple(sorted(rows, key=lambda each: (LEVELS.index(each.region_level), each.approach))),
        silent=tuple(silent.select(pl.format("{} {} / {}", *OFFICE)).to_series().to_list()),
    )
