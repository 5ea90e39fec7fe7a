"""From admitted figures to what is scored: contradictions are settled by precedence, gaps stay gaps unless declared."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from schemas.methodology import Methodology
from schemas.sources import Source
from transforms.corrections import FINDING

PLACE = ["unit_key", "node_key"]


class Settled(NamedTuple):
    """What is scored, and how it came about.

    `reported`: one row per unit and leaf with a report (`raw_value`, `treated_value`, `status`, `extract_count`,
    `is_evidenced`, `is_score`); `entered`: finished scores, by unit and node (`score`);
    `observation`: every figure sent and what became of it; `findings`: contradictions and replacements.
    """

    reported: pl.DataFrame
    entered: pl.DataFrame
    observation: pl.DataFrame
    findings: pl.DataFrame


def source_frame(sources: Mapping[str, Source]) -> pl.DataFrame:
    """What sources are worth: `source`, `precedence`, `measure`."""
    return pl.DataFrame(
        [(name, source.precedence, source.measure) for name, source in sources.items()],
        schema={"source": pl.String, "precedence": pl.Int64, "measure": pl.String},
        orient="row",
    )


def settled(admitted: pl.DataFrame, methodology: Methodology, units: pl.DataFrame, nodes: pl.DataFrame) -> Settled:
    """Settle all admitted figures of a night.

    `admitted` has the rows of all extracts with `received_at` and `is_synthetic` of their receipts.
    """
    placed = (
        admitted.join(
            nodes.select("node_key", "node_code", "source_item", "aggregation"),
            on="source_item",
            how="left",
        )
        .join(
            units.select("unit_key", "label", "region_code", "region_level", "approach"),
            on=["region_code", "region_level", "approach"],
            how="left",
        )
        .join(source_frame(methodology.sources), on="source", how="left")
    )
    inside = pl.col("unit_key").is_not_null() & pl.col("node_key").is_not_null()
    stated = _with_state(placed.filter(inside))
    used = stated.filter(pl.col("state") == "used")
    outside = (
        placed.filter(~inside)
        .group_by("source", "source_item", "approach")
        .len()
        .select(
            pl.lit("outside_edition").alias("check"),
            pl.format("{} / {} / {}", "source", "source_item", "approach").alias("subject"),
            pl.col("len").cast(pl.String).alias("observed"),
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    reported = used.filter(pl.col("aggregation").is_null()).select(
        *PLACE,
        raw_value="value",
        treated_value="value",
        status=pl.when(pl.col("value") == 0).then(pl.lit("reported_zero")).otherwise(pl.lit("reported")),
        extract_count=pl.lit(1, pl.Int32),
        is_evidenced=pl.col("reference").is_not_null(),
        is_score=pl.col("measure") == "score",
    )
    entered = used.filter(pl.col("measure") == "score").select(*PLACE, score="value")
    return Settled(
        pl.concat([reported, _imputed(reported, nodes)]).sort(PLACE),
        entered.sort(PLACE),
        stated.drop("precedence", "measure", "aggregation"),
        pl.concat([_disagreements(stated), outside.cast(FINDING)]),
    )


def _with_state(figures: pl.DataFrame) -> pl.DataFrame:
    """The figures with `state`.

    Of several for one place, the source of the highest precedence counts, then what was received last. Where figures
    of the same worth and time still differ, none is used: nothing but chance could decide.
    """
    told = pl.col("value").is_not_null()
    ordered = figures.sort(
        ~told,
        -pl.col("precedence"),
        pl.col("received_at"),
        pl.col("reference").is_null(),
        *("source", "extract_sha256", "sheet", "row"),
        descending=[False, False, True, False, False, False, False, False],
    )
    best = pl.col("value").first().over(PLACE)
    worth = pl.struct("precedence", "received_at")
    among_best = told & (worth == worth.first().over(PLACE))
    torn = pl.when(among_best).then("value").n_unique().over(PLACE) - (~among_best).any().over(PLACE).cast(pl.UInt32)
    return ordered.with_columns(
        pl.when(~told)
        .then(pl.lit("blank"))
        .when(among_best & (torn > 1))
        .then(pl.lit("conflicting"))
        .when(torn > 1)
        .then(pl.lit("superseded"))
        .when(pl.int_range(pl.len()).over(PLACE) == 0)
        .then(pl.lit("used"))
        .when(pl.col("value") == best)
        .then(pl.lit("confirming"))
        .otherwise(pl.lit("superseded"))
        .alias("state")
    )


def _disagreements(stated: pl.DataFrame) -> pl.DataFrame:
    """Findings: sources that contradict each other in what they sent last, and figures a source replaced itself."""
    figures = stated.filter(pl.col("value").is_not_null()).with_columns(
        pl.format("{} / {}", "label", "node_code").alias("subject")
    )
    newest = pl.col("received_at") == pl.col("received_at").max().over(*PLACE, "source")
    said = pl.format("{} {}", "source", "value_sent")
    corrected = pl.when(pl.col("correction").is_not_null()).then(pl.format("{} -> {}", said, "value"))
    chosen = pl.when(pl.col("state") == "used").then(pl.format("{} ({})", "value", "source")).drop_nulls().first()
    contradictions = (
        figures.with_columns(chosen.over(PLACE).alias("expected"))
        .filter(newest & pl.col("expected").is_not_null())
        .group_by("subject", "expected")
        .agg(
            corrected.otherwise(said).unique().sort().str.join("; ").alias("observed"),
            pl.col("value_sent").n_unique().alias("figures"),
        )
        .filter(pl.col("figures") > 1)
        .select(pl.lit("contradiction").alias("check"), "subject", "observed", "expected")
    )
    own = [*PLACE, "source"]
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
        .agg(said.unique().sort().str.join("; ").alias("observed"))
        .select(
            pl.lit("conflicting_extracts").alias("check"),
            "subject",
            "observed",
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    return pl.concat([each.cast(FINDING) for each in (contradictions, conflicts, replaced)])


def _imputed(reported: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Zeros for the leaves that count as zero when left blank, in units that reported anything at all."""
    zero = nodes.filter(pl.col("missing") == "zero").select("node_key")
    gaps = reported.select("unit_key").unique().join(zero, how="cross").join(reported, on=PLACE, how="anti")
    return gaps.select(
        *PLACE,
        raw_value=pl.lit(None, pl.Float64),
        treated_value=pl.lit(0.0),
        status=pl.lit("imputed"),
        extract_count=pl.lit(0, pl.Int32),
        is_evidenced=pl.lit(False),
        is_score=pl.lit(False),
    )
