"""Declared corrections: each changes the rows it names, where the extract still has what it expects."""

from collections.abc import Sequence

import polars as pl

from schemas.sources import Correction, Source
from transforms.parse import number_expr, plain, plain_expr

# What is said about an extract as a whole: `check` names the rule of the dictionary.
FINDING = pl.Schema({"check": pl.String, "subject": pl.String, "observed": pl.String, "expected": pl.String})


def corrected(
    rows: pl.DataFrame, corrections: Sequence[Correction], source: Source
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of a source's extracts with `value`, the figure after corrections, and findings about the corrections.

    Adds `value_sent` (the figure as sent), `value` and `correction` (its id, or null). A row that does not have the
    figure its correction expects stays as it is and yields a critical finding.
    """
    sent = pl.coalesce("number", number_expr(pl.col("value_text"), source.number_style))
    declared = pl.DataFrame(
        [(each.source, plain(each.region), plain(each.item), each.id, each.expect, each.value) for each in corrections],
        schema=dict.fromkeys(("source", "_region", "_item", "correction", "_expect", "_value"), pl.String),
        orient="row",
    )
    joined = (
        rows.with_columns(
            sent.alias("value_sent"),
            plain_expr(pl.col("region")).alias("_region"),
            plain_expr(pl.col("item")).alias("_item"),
        )
        .join(declared, on=["source", "_region", "_item"], how="left", maintain_order="left")
        .with_columns(
            number_expr(pl.col("_expect"), source.number_style).eq_missing(pl.col("value_sent")).alias("_holds"),
        )
    )
    applies = pl.col("correction").is_not_null() & pl.col("_holds")
    findings = joined.filter(pl.col("correction").is_not_null()).select(
        pl.when("_holds").then(pl.lit("correction_applied")).otherwise(pl.lit("correction_expectation")).alias("check"),
        pl.format("{} / {} / {}", "source", "region", "item").alias("subject"),
        pl.col("value_text").fill_null("-").alias("observed"),
        pl.when("_holds").then("_value").otherwise("_expect").alias("expected"),
    )
    mended = joined.with_columns(
        pl.when(applies)
        .then(number_expr(pl.col("_value"), source.number_style))
        .otherwise("value_sent")
        .alias("value"),
        pl.when(applies).then("correction").alias("correction"),
    )
    return mended.drop("_region", "_item", "_expect", "_value", "_holds", "number"), findings.cast(FINDING)
