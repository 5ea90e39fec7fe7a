"""Figures that are added up: events of a form, and repeated rows of an extract."""

from collections.abc import Mapping

import polars as pl

from schemas.methodology.library import Methodology
from transforms.figures.keys import UNIT_NODE

EXTRACTS = ("extract", "divisor_extract")


def with_ratios(figures: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The figures with `value` (null where a ratio has none), and `is_impossible` where it lies outside `domain`, or is
    something of nothing.
    """
    domains = pl.DataFrame(
        [(name, each.lowest, each.highest, each.domain) for name, each in methodology.dictionary.units.items()],
        schema={"unit": pl.String, "lowest": pl.Float64, "highest": pl.Float64, "domain": pl.String},
        orient="row",
    )
    ratio = pl.when(pl.col("denominator") > 0).then(pl.col("numerator") / pl.col("denominator") * pl.col("per"))
    outside = ~pl.col("value").is_between("lowest", "highest")
    of_nothing = (pl.col("denominator") == 0) & (pl.col("numerator") > 0)
    return (
        figures.with_columns(pl.when("is_ratio").then(ratio).otherwise("numerator").alias("value"))
        .join(domains, on="unit", how="left", maintain_order="left")
        .with_columns((pl.col("is_ratio") & (outside | of_nothing).fill_null(False)).alias("is_impossible"))
    )


def with_roll_up_sums(own: pl.DataFrame, design: Mapping[str, pl.DataFrame], methodology: Methodology) -> pl.DataFrame:
    """The figures with their sums over the regions below, where enough of these are known: `members_counted`.

    Of a ratio both parts are summed, over the regions of which both are known. `extract_count` is of how many extracts
    a figure is made. A figure of a region's own takes precedence over a sum, unless it is a ratio of which a part is
    missing.
    """
    # Numbers are quicker to count than digests.
    numbered = (pl.when(pl.col(each).is_not_null()).then(pl.col(each).hash()).alias(each) for each in EXTRACTS)
    own = own.with_columns(numbered)
    is_other = (pl.col("extract") != pl.col("divisor_extract")).fill_null(False)
    counted = own.with_columns(
        (1 + is_other.cast(pl.Int32)).cast(pl.Int32).alias("extract_count"),
        pl.lit(None, pl.Int32).alias("members_counted"),
    ).drop(EXTRACTS)
    is_half = pl.col("value").is_null() & ~pl.col("is_impossible")
    parts = [counted.filter(~is_half)]
    is_known = pl.col("denominator").is_not_null() | ~pl.col("is_ratio")
    known = own.filter(~pl.col("is_score") & is_known & ~pl.col("is_impossible"))
    # Sorted, so that a sum has the same bits in whatever order the figures came.
    known = known.drop("value", "is_impossible", "lowest", "highest", "domain").sort(
        "node_key", "numerator", "denominator"
    )
    made_of = pl.col("extract").append(pl.col("divisor_extract")).drop_nulls()
    for below in design["roll_up_member"].filter(method="sum").partition_by("roll_up_key"):
        summed = (
            known.join(below, left_on="unit_key", right_on="member_key", maintain_order="left")
            .group_by("target_key", "node_key", maintain_order=True)
            .agg(
                pl.col("numerator", "denominator").sum(),
                pl.col("is_evidenced").any(),
                pl.col("is_score", "per", "unit", "is_ratio", "roll_up_key", "members", "min_share").first(),
                made_of.n_unique().cast(pl.Int32).alias("extract_count"),
                pl.len().cast(pl.Int32).alias("members_counted"),
            )
            .join(
                design["roll_up_exempt"],
                on=["roll_up_key", "target_key", "node_key"],
                how="left",
                maintain_order="left",
            )
            .with_columns(pl.col("members") - pl.col("exempt").fill_null(0))
            .filter(pl.col("members_counted") >= pl.col("members") * pl.col("min_share") - 1e-9)
            .with_columns(pl.when("is_ratio").then("denominator").alias("denominator"))
            .rename({"target_key": "unit_key"})
        )
        parts.append(with_ratios(summed, methodology).select(counted.columns))
    parts.append(counted.filter(is_half))
    return pl.concat(parts).unique(UNIT_NODE, keep="first", maintain_order=True)
