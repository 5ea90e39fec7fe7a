"""Declared corrections: each changes the rows it names, where the extract still has what it expects."""

from collections.abc import Sequence

import polars as pl

from schemas.sources import Correction, Source, plain
from transforms.parse import number_expr, plain_expr

# What is found about extracts: `check` names the rule of the dictionary.
FINDING = pl.Schema({"check": pl.String, "subject": pl.String, "observed": pl.String, "expected": pl.String})


def corrected(
    rows: pl.DataFrame, corrections: Sequence[Correction], source: Source
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of a source's extracts with `value`, the figure after corrections, and findings about the corrections.

    Adds `value_sent` (the figure as sent), `value` and `correction` (its id, or null). A row that has neither the
    figure its correction expects nor the right one already stays as it is and yields a critical finding.
    """

    def number(column: str) -> pl.Expr:
        return number_expr(pl.col(column), source.number_style)

    names = rows["source"].unique().to_list()
    declared = pl.DataFrame(
        [
            (each.source, plain(each.region), plain(each.item), each.id, each.expect, each.value)
            for each in corrections
            if each.source in names
        ],
        schema=dict.fromkeys(("source", "_region", "_item", "correction", "_expect", "_value"), pl.String),
        orient="row",
    )
    sent = pl.coalesce("number", number("value_text"))
    as_number = pl.col("value_sent").eq_missing(number("_expect")) & pl.col("value_sent").is_not_null()
    as_text = plain_expr(pl.col("value_text")) == plain_expr(pl.col("_expect"))
    matched = (
        rows.with_columns(
            sent.alias("value_sent"),
            plain_expr(pl.col("region")).alias("_region"),
            plain_expr(pl.col("item")).alias("_item"),
        )
        .join(declared, on=["source", "_region", "_item"], how="left", maintain_order="left")
        .with_columns((as_number | as_text).fill_null(False).alias("_applies"))
        .with_columns(
            (~pl.col("_applies") & pl.col("value_sent").eq(number("_value"))).fill_null(False).alias("_mended")
        )
    )
    found = matched.filter(pl.col("correction").is_not_null()).select(
        pl.when("_applies")
        .then(pl.lit("correction_applied"))
        .when("_mended")
        .then(pl.lit("correction_fulfilled"))
        .otherwise(pl.lit("correction_expectation"))
        .alias("check"),
        pl.format("{} / {} / {}", "source", "region", "item").alias("subject"),
        pl.col("value_text").fill_null("-").alias("observed"),
        pl.when("_applies").then("_value").otherwise("_expect").alias("expected"),
    )
    unused = declared.join(matched, on="correction", how="anti").select(
        pl.lit("correction_unused").alias("check"),
        pl.format("{} / {}", "source", "correction").alias("subject"),
        pl.lit(None, pl.String).alias("observed"),
        pl.format("{} / {}", "_region", "_item").alias("expected"),
    )
    mended = matched.with_columns(
        pl.when("_applies").then(number("_value")).otherwise("value_sent").alias("value"),
        pl.when("_applies").then("correction").alias("correction"),
    )
    internal = [name for name in matched.columns if name.startswith("_")]
    return mended.drop(*internal, "number"), pl.concat([found.cast(FINDING), unused.cast(FINDING)]).unique()
