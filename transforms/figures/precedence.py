"""Where sources disagree: which figure counts, which are overridden, and the findings about them."""

from collections.abc import Mapping

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.sources import Source
from transforms.figures.keys import UNIT_NODE


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


def with_state(figures: pl.DataFrame) -> pl.DataFrame:
    """The figures with `state`.

    Of several for one unit and node, the source of the highest precedence counts, then what was received last. Where
    these still differ, none is used: nothing but chance could decide. Of equal ones the first by reference, source,
    extract, sheet and row is `used`, and the others are `confirming`.
    """
    is_known = pl.col("value").is_not_null()
    # Nearly all keys have one figure, and looking at keys one by one is slow.
    is_single = figures.select(UNIT_NODE).is_unique()
    single = figures.filter(is_single).with_columns(
        pl.when(is_known).then(pl.lit("used")).otherwise(pl.lit("blank")).alias("state")
    )
    ordered = figures.filter(~is_single).sort(
        ~is_known,
        -pl.col("precedence"),
        pl.col("received_at"),
        pl.col("reference").is_null(),
        *("source", "extract_sha256", "sheet", "row"),
        descending=[False, False, True, False, False, False, False, False],
    )
    best = pl.col("value").first().over(UNIT_NODE)
    rank = pl.struct("precedence", "received_at")
    among_best = is_known & (rank == rank.first().over(UNIT_NODE))
    best_values = pl.col("value").filter(among_best).n_unique().over(UNIT_NODE)
    several = ordered.with_columns(
        pl.when(~is_known)
        .then(pl.lit("blank"))
        .when(among_best & (best_values > 1))
        .then(pl.lit("conflicting"))
        .when(best_values > 1)
        .then(pl.lit("superseded"))
        .when(pl.int_range(pl.len()).over(UNIT_NODE) == 0)
        .then(pl.lit("used"))
        .when(pl.col("value") == best)
        .then(pl.lit("confirming"))
        .otherwise(pl.lit("superseded"))
        .alias("state")
    )
    return pl.concat([single, several])


def disagreement_findings(resolved: pl.DataFrame) -> pl.DataFrame:
    """Findings: sources that contradict each other in what they sent last, and figures a source replaced itself."""
    figures = resolved.filter(pl.col("value").is_not_null() & resolved.select(UNIT_NODE).is_duplicated()).with_columns(
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
