"""What is wrong with rows, and the words for it: only as many sentences as somebody will read."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from schemas.contract.dictionary import Dictionary
from schemas.contract.violations import SENTENCES, quarantine_frame, with_sentences
from schemas.sentence import LANGUAGES, Language
from transforms.regions.lookup import Lookup, nearest_labels
from transforms.regions.written import UNCODED

# What a violation can be about: the part of the row, and the column with what was sent there.
PARTS = {
    "region": "region",
    "level": "level",
    "item": "item",
    "value": "value_text",
    "date": "date",
    "severity": "severity_text",
}
UNKNOWN_REGION = "unknown_region"  # the rule whose sentence names the nearest regions
# Violations that are put into words; nobody reads more, and words take time and memory.
MOST_DESCRIBED = 300_000
MOST_PROBLEMS = 100
EXAMPLES = 3  # sentences, and figures, of each problem


class Checked(NamedTuple):
    """Rows that were checked: `rows` with all that is known of them (by `position`), those that are `good`, and the
    `violations` of the others (`position`, `part` of the row that is wrong, `rule`, `expected`), not yet in words;
    `findings` about corrections; `own`: the regions of the source's own that rows are about or lie in.
    """

    rows: pl.DataFrame
    good: pl.DataFrame
    violations: pl.DataFrame
    findings: pl.DataFrame
    own: pl.DataFrame


def quarantine(found: Checked, lookup: Lookup, dictionary: Dictionary, most: int) -> pl.DataFrame:
    """The table `_quarantine`: the first violations in the order of the rows, in words."""
    violations = found.violations
    if violations.height > most:
        last = violations["position"].bottom_k(most).max()
        violations = violations.filter(pl.col("position") <= last)
    first = violations.sort("position", "part", "rule").head(most)
    return quarantine_frame(_with_nearest(_described(found._replace(violations=first)), lookup), dictionary)


def wrong_cells(found: Checked, lookup: Lookup, dictionary: Dictionary, most: int) -> list[dict[str, Any]]:
    """The first cells that are wrong, in words: as `_quarantine`, but once where a cell keeps out several figures, as a
    region that is not known does. Then `item` names all of them, and there is no `value_text`.
    """
    cell = ["extract_sha256", "sheet", "row", "column", "rule", "offending"]
    cells = (
        _described(found)
        .sort("position", "part", "rule")
        .with_columns(
            pl.col("item").str.join(", ").over(cell),
            pl.when(pl.len().over(cell) == 1).then("value_text").alias("value_text"),
        )
        .unique(cell, keep="first", maintain_order=True)
    )
    return quarantine_frame(_with_nearest(cells.head(most), lookup), dictionary).to_dicts()


def _with_nearest(described: pl.DataFrame, lookup: Lookup) -> pl.DataFrame:
    """Violations with what is `expected`: the nearest regions, where a name is that of none."""
    is_unknown = pl.col("rule") == UNKNOWN_REGION
    unknown_key = ["unknown_part", "unknown_level", "unknown_in"]
    nearest = nearest_labels(described.filter(is_unknown), lookup)
    return described.join(nearest, on=unknown_key, how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.when(is_unknown).then(pl.col("nearest").fill_null("-")).otherwise("expected").alias("expected")
    )


def as_written(text: pl.Expr) -> pl.Expr:
    """A path as people would write it."""
    return text.str.replace_all(UNCODED, "", literal=True).str.replace_all("\u00a0", " ")


def problems(found: Checked, lookup: Lookup, dictionary: Dictionary) -> list[dict[str, Any]]:
    """What is wrong with rows, the problem of most figures first; a problem is a rule that cells of one column break.

    Each has its `rule`, `column`, `action_id` and `action_en`; `figures` (how many have it) and `sentences` (how many
    different ones there are about it), both complete; and the first few of them, as `examples_id`, `examples_en`,
    `places_id` and `places_en`. Only the largest MOST_PROBLEMS have examples.
    """
    described = _described(found).sort("position", "part")
    what, sentence_key = ["rule", "column"], ["offending", "expected"]
    counted = (
        described.group_by(what, maintain_order=True)
        .agg(pl.col("position").n_unique().alias("figures"), pl.struct(sentence_key).n_unique().alias("sentences"))
        .sort("figures", descending=True, maintain_order=True)
    )
    shown = described.join(counted.head(MOST_PROBLEMS), on=what, how="semi", nulls_equal=True, maintain_order="left")

    def first(of: list[str]) -> pl.DataFrame:
        different = shown.unique([*what, *of], keep="first", maintain_order=True)
        return different.group_by(what, maintain_order=True).head(EXAMPLES)

    in_words = _in_words(first(sentence_key), lookup, dictionary)
    spoken = in_words.group_by(what, maintain_order=True).agg(
        *(pl.col(f"message_{each}").unique(maintain_order=True).alias(f"examples_{each}") for each in LANGUAGES),
        *(pl.col(f"action_{each}").first() for each in LANGUAGES),
    )
    positions = first(["position"]).group_by(what).agg(_position(each).alias(f"places_{each}") for each in LANGUAGES)
    joined = counted.join(spoken, on=what, how="left", nulls_equal=True, maintain_order="left")
    return joined.join(positions, on=what, how="left", nulls_equal=True, maintain_order="left").to_dicts()


def frequent_sentences(found: Checked, lookup: Lookup, dictionary: Dictionary, most: int) -> list[dict[str, Any]]:
    """The sentences that most figures need: `rule`, message and action in both languages, `rows` (how many figures)."""
    sentence_key = ["rule", "offending", "expected"]
    described = _described(found).sort("position", "part")
    counted = described.group_by(sentence_key, maintain_order=True).agg(pl.col("position").n_unique().alias("rows"))
    largest = counted.sort("rows", descending=True, maintain_order=True).head(most)
    firsts = described.unique(sentence_key, keep="first", maintain_order=True).join(
        largest, on=sentence_key, nulls_equal=True
    )
    in_words = _in_words(firsts, lookup, dictionary).sort("rows", descending=True, maintain_order=True)
    return in_words.select("rule", *SENTENCES, "rows").to_dicts()


def _in_words(described: pl.DataFrame, lookup: Lookup, dictionary: Dictionary) -> pl.DataFrame:
    return with_sentences(_with_nearest(described, lookup), dictionary)


def _described(found: Checked) -> pl.DataFrame:
    """The violations with the rows that they are about, and `column` and `offending`: what was sent, and where."""
    part = pl.col("part")
    return found.violations.join(found.rows, on="position", how="left", maintain_order="left").with_columns(
        _by_part(part, {name: f"{name}_column" for name in PARTS}).alias("column"),
        as_written(_by_part(part, PARTS)).alias("offending"),
        as_written(pl.col("region")),
    )


def _position(language: Language) -> pl.Expr:
    """The position of a figure, in words: sheet and row, region and item."""
    row, nothing = {"id": ("baris", "tanpa"), "en": ("row", "no")}[language]
    names = {"region": {"id": "wilayah", "en": "region"}, "item": {"id": "indikator", "en": "item"}}
    cell = pl.format("{} {}", pl.lit(row), "row")
    return pl.format(
        "{} ({} / {})",
        pl.when(pl.col("sheet").is_not_null()).then(pl.format("{} {}", "sheet", cell)).otherwise(cell),
        *(pl.col(name).fill_null(f"{nothing} {word[language]}") for name, word in names.items()),
    )


def _by_part(part: pl.Expr, columns: Mapping[str, str]) -> pl.Expr:
    """Of several columns the one that belongs to the part of the row that a violation is about."""
    chosen = pl.lit(None, pl.String)
    for name, column in columns.items():
        chosen = pl.when(part == name).then(column).otherwise(chosen)
    return chosen
