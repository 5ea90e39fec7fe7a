"""Where sources disagree: which figure counts, which are overridden, and the findings about them."""

from collections.abc import Mapping

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.library import Methodology
from schemas.methodology.sources import Source
from transforms.figures.keys import IS_PART, UNIT_NODE


def source_frame(sources: Mapping[str, Source]) -> pl.DataFrame:
    """What sources are worth, and how their rows come to figures: `source`, `precedence`, `measure`; `is_summed`: rows
    of one unit and item are added up; `is_weighted`: events count by their severity.
    """
    return pl.DataFrame(
        [
            (name, source.precedence, source.measure, source.repeated == "sum", source.has_severities)
            for name, source in sources.items()
        ],
        schema={
            "source": pl.String,
            "precedence": pl.Int64,
            "measure": pl.String,
            "is_summed": pl.Boolean,
            "is_weighted": pl.Boolean,
        },
        orient="row",
    )


# A figure: what it is of and from where, and what it says.
FIGURE_KEY = (
    *UNIT_NODE,
    "label",
    "node_code",
    "aggregation",
    "statement",
    "source",
    "precedence",
    "measure",
    "received_at",
    "extract_sha256",
)


FIGURE_VALUES = ("value", "value_sent", "correction", "reference", "is_evidenced", "sheet", "row")


def newest_forms(events: pl.DataFrame) -> pl.DataFrame:
    """The events of the forms that count: a form replaces older ones of the same source and region whole."""
    return events.filter(pl.col("received_at") == pl.col("received_at").max().over("source", "region_code"))


def sums_of_parts(parts: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The figures that events and repeated rows come to, per extract, unit and leaf: the sum of their counts, of events
    whose severity is known of count x severity.
    """
    multipliers = {code: float(level.multiplier) for code, level in methodology.edition.severities.items()}
    severity = pl.col("severity").replace_strict(multipliers, default=0.0, return_dtype=pl.Float64)
    weight = pl.when("is_weighted").then(severity).otherwise(1.0)
    totals = (
        parts.sort("value", "severity")  # so that a sum has the same bits in whatever order rows were sent
        .group_by(FIGURE_KEY, maintain_order=True)
        .agg(
            (pl.col("value") * weight).sum().alias("total"),
            pl.col("value").is_not_null().any().alias("is_reported"),
            pl.lit(None, pl.String).alias("correction"),
            pl.lit(None, pl.String).alias("reference"),
            pl.col("is_evidenced").any(),
            pl.col("sheet").min(),
            pl.col("row").min(),
        )
    )
    value = pl.when("is_reported").then("total")
    return totals.with_columns(value.alias("value"), value.alias("value_sent")).select(*FIGURE_KEY, *FIGURE_VALUES)


def disagreement_findings(stated: pl.DataFrame) -> pl.DataFrame:
    """Findings: sources that contradict each other in what they sent last, and figures a source replaced itself."""
    figures = stated.filter(pl.col("value").is_not_null() & stated.select(UNIT_NODE).is_duplicated()).with_columns(
        pl.format("{} / {}", "label", "node_code").alias("subject")
    )
    newest = pl.col("received_at") == pl.col("received_at").max().over(*UNIT_NODE, "source")
    source_value = pl.format("{} {}", "source", "value_sent")
    corrected = pl.when(pl.col("correction").is_not_null()).then(pl.format("{} -> {}", source_value, "value"))
    chosen = pl.when(pl.col("state") == "used").then(pl.format("{} ({})", "value", "source")).drop_nulls().first()
    contradictions = (
        figures.with_columns(chosen.over(UNIT_NODE).alias("expected"))
        .filter(newest & pl.col("expected").is_not_null())
        .group_by("subject", "expected")
        .agg(
            corrected.otherwise(source_value).unique().sort().str.join("; ").alias("observed"),
            pl.col("value_sent").n_unique().alias("figures"),
        )
        .filter(pl.col("figures") > 1)
        .select(pl.lit("contradiction").alias("check"), "subject", "observed", "expected")
    )
    own = [*UNIT_NODE, "source"]
    newest_value = pl.col("value").sort_by("received_at").last().over(own)
    replaced = (
        figures.with_columns(newest_value.alias("newest"))
        .filter(~newest & (pl.col("value") != pl.col("newest")))
        .select(
            pl.lit("replaced").alias("check"),
            "subject",
            pl.format("{} {}", "source", "value").alias("observed"),
            pl.col("newest").cast(pl.String).alias("expected"),
        )
        .unique()
    )
    conflicts = (
        figures.filter(pl.col("state") == "conflicting")
        .group_by("subject")
        .agg(source_value.unique().sort().str.join("; ").alias("observed"))
        .select(
            pl.lit("conflicting_extracts").alias("check"),
            "subject",
            "observed",
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    return pl.concat([each.cast(FINDING) for each in (contradictions, conflicts, replaced)])


def possible_addends(
    refused: pl.DataFrame, reported: pl.DataFrame, node: pl.DataFrame, unit: pl.DataFrame
) -> pl.DataFrame:
    """What refused rows without a known region can be about within their own extract, where rows are parts of sums: the
    regions that it reports, of these those that the name can mean.
    """
    spoken = reported.filter(IS_PART).select("source", "extract_sha256", "region_code", "region_level").unique()
    can_be = pl.col("candidates").is_null() | pl.col("candidates").str.split(" ").list.contains(pl.col("region_code"))
    return (
        refused.filter(pl.col("region_code").is_null())
        .drop("region_code", "region_level")
        .join(spoken, on=["source", "extract_sha256"])
        .filter(can_be)
        .join(node, on=["source_item", "statement"])
        .join(unit, on=["region_code", "region_level", "approach"])
    )
