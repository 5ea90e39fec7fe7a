"""Sums of the rows of an extract (events of a form, repeated rows), ratios, and sums over the regions below."""

from collections.abc import Mapping

import polars as pl

from schemas.methodology.library import Methodology
from transforms.figures.keys import FIGURE_KEY, FIGURE_VALUES, IS_PART, UNIT_NODE, UNIT_NODE_EXTRACT

EXTRACTS = ("extract", "divisor_extract")


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


def possible_addends(
    quarantined: pl.DataFrame, applicable: pl.DataFrame, item_node: pl.DataFrame, unit_label: pl.DataFrame
) -> pl.DataFrame:
    """What quarantined rows without a known region can be about within their own extract, where rows are parts of sums:
    the regions that it reports, of these those that the name can mean.
    """
    reported_regions = (
        applicable.filter(IS_PART).select("source", "extract_sha256", "region_code", "region_level").unique()
    )
    can_be = pl.col("candidates").is_null() | pl.col("candidates").str.split(" ").list.contains(pl.col("region_code"))
    return (
        quarantined.filter(pl.col("region_code").is_null())
        .drop("region_code", "region_level")
        .join(reported_regions, on=["source", "extract_sha256"])
        .filter(can_be)
        .join(item_node, on=["source_item", "figure_kind"])
        .join(unit_label, on=["region_code", "region_level", "approach"])
    )


def of_newest_forms(kept_out: pl.DataFrame, applicable: pl.DataFrame) -> pl.DataFrame:
    """The quarantined figures of the newest form of their source and region: older forms do not count."""
    form = ["source", "region_code"]
    newest = pl.concat([frame.select(*form, "received_at") for frame in (applicable, kept_out)]).group_by(form).max()
    return kept_out.join(newest, on=[*form, "received_at"], how="semi")


def incomplete_sums(applicable: pl.DataFrame, kept_out: pl.DataFrame, partly_blank: pl.DataFrame) -> pl.DataFrame:
    """The sums of repeated rows of which a row was quarantined or is blank, by UNIT_NODE_EXTRACT."""
    lacking = kept_out.join(applicable.filter("is_summed"), on="source", how="semi")
    return pl.concat([lacking.select(UNIT_NODE_EXTRACT), partly_blank.select(UNIT_NODE_EXTRACT)])


def sums_of_known_parts(
    applicable: pl.DataFrame, newest_kept_out: pl.DataFrame, incomplete: pl.DataFrame, methodology: Methodology
) -> pl.DataFrame:
    """The sums of events and of repeated rows of which every part is known."""
    events = newest_forms(applicable.filter("is_event")).join(newest_kept_out, on=UNIT_NODE_EXTRACT, how="anti")
    repeated = applicable.filter("is_summed").join(incomplete, on=UNIT_NODE_EXTRACT, how="anti")
    return sums_of_parts(pl.concat([events, repeated]), methodology)


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
