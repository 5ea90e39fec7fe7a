"""Which rows of extracts are admitted, and which rule keeps the others out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from schemas.contract.dictionary import Dictionary
from schemas.contract.tables import polars_schema, row_violations
from schemas.contract.violations import FINDING
from schemas.methodology.corrections import Correction
from schemas.methodology.regions import level_key
from schemas.methodology.sources import Source, plain
from transforms.extracts.corrections import corrected, correction_frame
from transforms.extracts.problems import MOST_DESCRIBED, UNKNOWN_REGION, Checked, quarantine
from transforms.formats.numbers import day_expr, plain_expr, with_figure
from transforms.regions.dated import resolved_on_days
from transforms.regions.lookup import FOUND, Lookup
from transforms.regions.resolving import Resolved

LEVEL_DIFFERS = "level_and_name_differ"
NOT_FINITE = "^[+\u2212-]?(?:nan|inf|infinity|\u221e)$"
MOST_ROWS_NAMED = 20  # of rows that contradict each other, in one sentence


class Admission(NamedTuple):
    """What became of the rows of a source's extracts: every row is either admitted or in quarantine.

    `admitted`: rows with `region_code`, `region_level`, `source_item`, `approach`, `value` (null: sent as blank),
    `value_sent`, `correction`, `reference`, `figure_kind` (value; or category or rank, without a score);
    `quarantine`: one row per violation; `findings` about corrections;
    `refused_keys`: what quarantined rows were about, as far as that is known: reported, so not blank. Where the
    region is not known `region_code` is null, and `candidates` are the codes that it can be (null: any).
    `own_regions`: regions of the source's own that rows are about, admitted or not, and those they lie in (`code`,
    `level`, `name`, `parent`). `quarantined`: how many figures are in quarantine, per extract and `rule` (a figure that
    breaks two rules is under both), and without a rule, whichever it is; complete, also where not every violation
    is put into words.
    """

    admitted: pl.DataFrame
    quarantine: pl.DataFrame
    findings: pl.DataFrame
    refused_keys: pl.DataFrame
    own_regions: pl.DataFrame
    quarantined: pl.DataFrame


def identified(rows: pl.DataFrame, **identity: Any) -> pl.DataFrame:
    """The rows of an extract with what it is called (source, file_name, extract_sha256), and what else is known."""
    return rows.hstack([pl.Series(name, [value]).new_from_index(0, rows.height) for name, value in identity.items()])


def admission(
    read: pl.DataFrame,
    source: Source,
    corrections: Sequence[Correction],
    lookup: Lookup,
    dictionary: Dictionary,
) -> Admission:
    """Separate good rows from bad: the rows of one or more extracts of one source, as `identified` gives them."""
    found = checked(read, source, corrections, lookup, dictionary)
    rows, good = found.rows, found.good
    internal = (
        *(name for name in rows.columns if name.endswith("_column")),
        "position",
        *(name for name in FOUND if name not in ("region_code", "region_level")),
        "figure_text",
        "severity_text",
        *(["level"] if "level" in rows.columns else []),
        "is_ragged",
        "is_percent",
        "odd",
        "date",
    )
    kept_out = rows.filter(~pl.col("position").is_in(good["position"].implode()))
    about = ("region_code", "region_level", "source_item", "approach", "figure_kind")
    received = [name for name in ("source", "extract_sha256", "received_at") if name in rows.columns]
    keys = (
        kept_out.select(*about, *received, candidates="candidate_codes")
        .drop_nulls(["source_item", "approach", *received])
        .unique()
    )
    in_words = quarantine(found, lookup, dictionary, MOST_DESCRIBED)
    return Admission(good.drop(internal), in_words, found.findings, keys, found.own, _counted(found.violations, rows))


def checked(
    read: pl.DataFrame,
    source: Source,
    corrections: Sequence[Correction],
    lookup: Lookup,
    dictionary: Dictionary,
) -> Checked:
    """The rows of extracts of one source checked against every rule; nothing is put into words."""
    blank = [plain(token) for token in source.missing]
    items = pl.DataFrame(
        [
            (plain(label), each.item, each.approach, source.unit_of(each), each.measure or "value")
            for label, each in source.items.items()
        ],
        schema=dict.fromkeys(("_item", "source_item", "approach", "unit", "figure_kind"), pl.String),
        orient="row",
    )

    def with_region_and_item(frame: pl.DataFrame) -> Resolved:
        """The rows with the region and the item that they are about, and the regions of the source's own."""
        found = resolved_on_days(frame, lookup, source)
        rows = (
            found.rows.with_columns(plain_expr(pl.col("item")).alias("_item"))
            .join(items, on="_item", how="left", maintain_order="left", validate="m:1")
            .drop("_item")
        )
        return found._replace(rows=rows)

    words = {plain(word): float(position) for position, word in enumerate(source.categories, start=1)}
    category = plain_expr(pl.col("value_text")).replace_strict(words, default=None, return_dtype=pl.Float64)
    is_category = pl.col("figure_kind").eq_missing("category")
    is_blank = plain_expr(pl.col("value_text")).is_in(blank).fill_null(True)
    is_usable = ~is_blank & pl.col("odd").is_null()
    read_rows, own = with_region_and_item(read)
    read_as = with_figure(read_rows, source).with_columns(
        pl.when(is_category).then(category).otherwise("number").alias("number"),
        pl.when(is_category & ~is_blank & category.is_null())
        .then(pl.coalesce("odd", pl.lit("unknown_category")))
        .otherwise("odd")
        .alias("odd"),
    )
    reported = read_as.with_columns(
        pl.when(is_usable).then("number").alias("number"), pl.when(is_usable).then("figure_text").alias("figure_text")
    )
    severities = {plain(label): severity for label, severity in source.severities.items()}
    reported = reported.with_columns(
        pl.col("severity").alias("severity_text"),
        (
            pl.lit(source.severity, pl.String)
            if source.severity
            else plain_expr(pl.col("severity")).replace_strict(severities, default=None, return_dtype=pl.String)
        ).alias("severity"),
        (pl.col("source_item").is_not_null() & pl.lit(source.layout == "events")).alias("is_event"),
    )
    declared = with_region_and_item(correction_frame(corrections, read["source"].unique().to_list())).rows
    mended, findings = corrected(reported, declared, source)
    rows = mended.with_row_index("position").with_columns(
        pl.col("position").cast(pl.Int64), pl.col("unit").fill_null(source.unit)
    )
    violations = _violations(rows, source, lookup, dictionary)
    bad = violations["position"].unique()
    good = rows.filter(~pl.col("position").is_in(bad.implode()))
    repeated = _repeated(good if source.repeated == "quarantined" else good.clear())
    good = good.filter(~pl.col("position").is_in(repeated["position"].implode()))
    return Checked(rows, good, pl.concat([violations, repeated]), findings, own)


def over_limit(admitted: pl.DataFrame, counts: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The extracts of which more is quarantined than the source allows: `extract_sha256`, `rows`, `rows_quarantined`.

    `counts` has `extract_sha256` and `rows`.
    """
    kept = admitted.group_by("extract_sha256").agg(pl.len().alias("kept"))
    return (
        counts.join(kept, on="extract_sha256", how="left")
        .with_columns((pl.col("rows") - pl.col("kept").fill_null(0)).alias("rows_quarantined"))
        .filter(
            (pl.col("rows") >= source.limits.rows)
            & (pl.col("rows_quarantined") > pl.col("rows") * float(source.limits.quarantined_share))
        )
        .drop("kept")
    )


def _counted(broken: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """How many figures are in quarantine: `source`, `extract_sha256`, `rule` (null: whichever), `figures`."""
    known = [name for name in ("source", "extract_sha256") if name in rows.columns]
    sent = rows.select(known)

    def figures(rule: str | None, positions: pl.Series) -> pl.DataFrame:
        kept_out = sent[positions.unique()].group_by(known).agg(pl.len().alias("figures"))
        return kept_out.select(*known, pl.lit(rule, pl.String).alias("rule"), "figures")

    # One rule after the other: a row may break many, and all at once would take memory.
    by_rule = [figures(rule, broken.filter(rule=rule)["position"]) for rule in broken["rule"].unique()]
    return pl.concat([figures(None, broken["position"]), *by_rule]).sort(*known, "rule")


def quarantine_findings(quarantined: pl.DataFrame) -> pl.DataFrame:
    """One finding per source that has figures in quarantine: how many, and how many by each rule.

    `quarantined` are the counts of `Admission` for the extracts that count.
    """
    figures = quarantined.group_by("source", "rule").agg(pl.col("figures").sum()).sort("source", "rule")
    by_rule = figures.drop_nulls("rule")
    return (
        figures.filter(pl.col("rule").is_null())
        .join(
            by_rule.group_by("source", maintain_order=True).agg(
                pl.format("{} {}", "rule", "figures").str.join(", ").alias("expected")
            ),
            on="source",
        )
        .select(
            pl.lit("rows_quarantined").alias("check"),
            pl.col("source").alias("subject"),
            pl.col("figures").cast(pl.String).alias("observed"),
            "expected",
        )
        .cast(FINDING)
    )


def _violations(rows: pl.DataFrame, source: Source, lookup: Lookup, dictionary: Dictionary) -> pl.DataFrame:
    """`position`, `part` of the row that is wrong (region, item or value), `rule`, `expected`."""
    columns = list(polars_schema(dictionary, "_extract_row"))
    contract = pl.concat(
        row_violations(part.select("position", *columns), dictionary, "_extract_row", dictionary.units[unit])
        .with_columns(pl.lit(dictionary.units[unit].domain).alias("expected"))
        .select("position", pl.col("column").alias("part"), "rule", "expected")
        for (unit,), part in rows.group_by("unit")
    )
    has_region = pl.col("region").is_not_null()
    is_unknown = has_region & (pl.col("candidates") == 0) & pl.col("refused_by").is_null()
    labels = ", ".join(source.items)
    unknown_rule = UNKNOWN_REGION if source.region_key == "name" else "unknown_region_code"

    def broken(mask: pl.Expr, part: str, rule: str, expected: pl.Expr) -> pl.DataFrame:
        return rows.filter(mask).select(
            "position",
            pl.lit(part).alias("part"),
            pl.lit(rule).alias("rule"),
            expected.alias("expected"),
        )

    on_day = day_expr(pl.col("date"))
    units = dictionary.units
    is_counted = pl.col("is_event") | pl.col("unit").is_in([name for name, unit in units.items() if unit.whole])
    bad_severity = (
        pl.lit(bool(source.severities)) & pl.col("is_event") & pl.col("severity").is_null() & (pl.col("value") > 0)
    )
    no_number = pl.col("figure_text").is_not_null() & pl.col("value").is_null()
    endless = plain_expr(pl.col("figure_text")).str.contains(NOT_FINITE).fill_null(False)
    return pl.concat(
        [
            contract,
            broken(pl.col("is_ragged"), "value", "ragged_row", pl.lit(None, pl.String)),
            rows.drop_nulls("odd").select(
                "position", part=pl.lit("value"), rule="odd", expected=pl.lit(", ".join(source.categories) or None)
            ),
            _beyond_items(rows, source).join(contract, on=["position", "rule"], how="anti"),
            broken(no_number & ~endless, "value", "not_a_number", pl.lit(source.style.example)),
            broken(no_number & endless, "value", "not_finite", pl.lit(None, pl.String)),
            broken(
                is_counted & pl.col("value").is_finite() & (pl.col("value") != pl.col("value").floor()),
                "value",
                "not_whole",
                pl.col("value").cast(pl.String),
            ),
            broken(bad_severity, "severity", "unknown_severity", pl.lit(", ".join(source.severities))),
            broken(pl.col("date").is_not_null() & on_day.is_null(), "date", "bad_date", pl.lit(None, pl.String)),
            broken(
                pl.col("item").is_not_null() & pl.col("source_item").is_null(), "item", "unknown_item", pl.lit(labels)
            ),
            broken(_is_open(), "region", "ambiguous_region", pl.col("candidate_labels")),
            broken(is_unknown, "region", unknown_rule, pl.lit(None, pl.String)),
            rows.drop_nulls("refused_by").select(
                "position",
                part=pl.when(pl.col("refused_by") == LEVEL_DIFFERS).then(pl.lit("level")).otherwise(pl.lit("region")),
                rule="refused_by",
                expected="refused",
            ),
            _unknown_levels(rows, source, lookup),
        ]
    )


def _is_open() -> pl.Expr:
    """Whether the region of a row can be more than one, for no other reason."""
    return (pl.col("candidates") > 1) & pl.col("refused_by").is_null()


def _unknown_levels(rows: pl.DataFrame, source: Source, lookup: Lookup) -> pl.DataFrame:
    """The rows whose level is no word for one, as `_violations`."""
    if not source.columns.level:
        return pl.DataFrame(schema={"position": pl.Int64, **dict.fromkeys(("part", "rule", "expected"), pl.String)})
    key = level_key(pl.col("level"))
    known = lookup.level_words["key"].implode()
    words = ", ".join([*source.levels, *lookup.reference.level_words["word"]])
    return rows.filter(pl.col("level").is_not_null() & ~key.is_in(known)).select(
        "position", part=pl.lit("level"), rule=pl.lit("unknown_level"), expected=pl.lit(words)
    )


def _beyond_items(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The figures beyond the bounds of their item, as `_violations`."""
    bounds = pl.DataFrame(
        [
            (plain(label), _end(item.lowest, "-inf"), _end(item.highest, "inf"), item.domain)
            for label, item in source.items.items()
            if item.lowest is not None or item.highest is not None
        ],
        schema={"_item": pl.String, "_lowest": pl.Float64, "_highest": pl.Float64, "expected": pl.String},
        orient="row",
    )
    return (
        rows.select("position", "value", _item=plain_expr(pl.col("item")))
        .join(bounds, on="_item")
        .filter(pl.col("value").is_finite() & ~pl.col("value").is_between("_lowest", "_highest"))
        .select("position", pl.lit("value").alias("part"), pl.lit("out_of_range").alias("rule"), "expected")
    )


def _end(bound: Decimal | None, open_end: str) -> float:
    return float(open_end if bound is None else bound)


def _repeated(good: pl.DataFrame) -> pl.DataFrame:
    """Rows whose region and item the extract has before: repetitions where figures agree, else all."""
    same = ["extract_sha256", "region_code", "source_item", "approach", "figure_kind"]
    reported = (
        good.filter(pl.col("value").is_not_null() & ~pl.col("is_event"))
        .sort(pl.col("reference").is_null(), maintain_order=True)
        .select("position", "row", "value", *same)
    )
    reported = reported.filter(reported.select(same).is_duplicated())
    more = pl.col("row").len() - MOST_ROWS_NAMED
    rows = pl.col("row").head(MOST_ROWS_NAMED).cast(pl.String).str.join(", ")
    groups = (
        reported.group_by(same)
        .agg(
            pl.col("position").first().alias("kept"),
            pl.col("row").first().cast(pl.String).alias("first"),
            (pl.col("value").n_unique() == 1).alias("agree"),
            pl.len().alias("rows"),
            pl.when(pl.col("row").len() > MOST_ROWS_NAMED)
            .then(pl.format("{} and {} more", rows, more))
            .otherwise(rows)
            .alias("others"),
        )
        .filter(pl.col("rows") > 1)
    )
    return (
        reported.join(groups, on=same)
        .filter(~pl.col("agree") | (pl.col("position") != pl.col("kept")))
        .sort("position")
        .select(
            "position",
            pl.lit("value").alias("part"),
            pl.when("agree").then(pl.lit("repeated_row")).otherwise(pl.lit("conflicting_rows")).alias("rule"),
            pl.when("agree").then("first").otherwise("others").alias("expected"),
        )
    )
