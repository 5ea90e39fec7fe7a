"""Gaps: what is not known, what makes a sum unknown, and what the edition counts a gap as."""

import polars as pl

from schemas.contract.violations import FINDING
from transforms.figures.keys import UNIT_NODE, UNIT_NODE_EXTRACT


def partly_blank_sums(repeated: pl.DataFrame) -> pl.DataFrame:
    """The sums of repeated rows of which some are blank and some are not: `figures` of how many `rows`."""
    counted = repeated.group_by(*UNIT_NODE_EXTRACT, "label", "node_code").agg(
        figures=pl.col("value").count(), rows=pl.len()
    )
    return counted.filter(pl.col("figures").is_between(1, pl.col("rows") - 1))


def partly_blank_findings(gaps: pl.DataFrame) -> pl.DataFrame:
    """Findings about the sums of `partly_blank_sums`."""
    return gaps.select(
        pl.lit("sum_incomplete").alias("check"),
        pl.format("{} / {} / {}", "source", "label", "node_code").alias("subject"),
        pl.col("figures").cast(pl.String).alias("observed"),
        pl.col("rows").cast(pl.String).alias("expected"),
    ).cast(FINDING)


def possible_units(
    quarantined: pl.DataFrame, applicable: pl.DataFrame, item_node: pl.DataFrame, unit_label: pl.DataFrame
) -> pl.DataFrame:
    """Which units quarantined rows without a known region can be about: those that the name can mean, or else all that
    their source reports nothing of. What such a unit left blank may have been reported: it is not known.
    """
    without_region = quarantined.filter(pl.col("region_code").is_null()).join(
        item_node, on=["source_item", "figure_kind"]
    )
    meant = (
        without_region.drop_nulls("candidates").with_columns(pl.col("candidates").str.split(" ")).explode("candidates")
    )
    meant = meant.select("node_key", "approach", region_code="candidates").join(
        unit_label, on=["region_code", "approach"]
    )
    silent = (
        without_region.filter(pl.col("candidates").is_null())
        .select("source", "node_key", "approach")
        .unique()
        .join(unit_label, on="approach")
        .join(applicable.select("source", "unit_key").unique(), on=["source", "unit_key"], how="anti")
    )
    return pl.concat([meant.select(UNIT_NODE), silent.select(UNIT_NODE)]).unique()


def imputed_zeros(
    applicable: pl.DataFrame,
    reported: pl.DataFrame,
    unknown: pl.DataFrame,
    units: pl.DataFrame,
    nodes: pl.DataFrame,
    required: pl.DataFrame,
) -> pl.DataFrame:
    """Zeros for the leaves that count as zero when left blank, in units that reported anything to the source that
    requires them.

    What was reported but not admitted, or reported in two ways, is `unknown`: not blank, and never zero.
    """
    gaps = (
        applicable.filter(pl.col("value").is_not_null())
        .select("source", "unit_key")
        .unique()
        .join(units.select("unit_key", "population_key"), on="unit_key")
        .join(required, on=["source", "population_key"])
        .join(nodes.filter(pl.col("missing") == "zero").select("node_key"), on="node_key", how="semi")
        .select(UNIT_NODE)
        .unique()
        .join(pl.concat([reported.select(UNIT_NODE), unknown]), on=UNIT_NODE, how="anti")
    )
    return gaps.select(
        *UNIT_NODE,
        raw_value=pl.lit(None, pl.Float64),
        treated_value=pl.lit(0.0),
        status=pl.lit("imputed"),
        extract_count=pl.lit(0, pl.Int32),
        is_evidenced=pl.lit(False),
        is_score=pl.lit(False),
    )
