"""Declared corrections: each changes the rows it names, where the extract still has what it expects."""

from collections.abc import Sequence

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.corrections import Correction
from schemas.methodology.sources import Source
from transforms.formats.numbers import number_expr, plain_expr, without_sign_of_zero

FIGURE_KEY = ["source", "region_code", "source_item", "approach"]


def correction_frame(corrections: Sequence[Correction], sources: Sequence[str]) -> pl.DataFrame:
    """The corrections of some sources: `source`, `region`, `item`, `correction`, `_expect`, `_value`."""
    return pl.DataFrame(
        [
            (each.source, each.region, each.item, each.id, each.expect, each.value)
            for each in corrections
            if each.source in sources
        ],
        schema=dict.fromkeys(("source", "region", "item", "correction", "_expect", "_value"), pl.String),
        orient="row",
    )


def corrected(rows: pl.DataFrame, declared: pl.DataFrame, source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of a source's extracts with `value`, the figure after corrections, and findings about the corrections.

    `rows` and `declared` say which unit and item they are about (`region_code`, `source_item`, `approach`), so that
    a spelling never decides. Adds `value_sent` (the figure as sent), `value` and `correction` (its id, or null). A row
    that has neither the figure its correction expects nor the right one already stays as it is and yields a critical
    finding.

    Where rows of one unit and item are added up, a correction is of one of them: the row that has what it expects. The
    others are not meant; where several have it, none is corrected.
    """
    is_summed = source.layout == "events" or source.repeated == "sum"
    together = [*FIGURE_KEY, "extract_sha256"] if is_summed else ["_row"]

    def number(column: str) -> pl.Expr:
        return number_expr(pl.col(column), source.style)

    is_number = pl.col("value_sent").is_not_null() & (pl.col("value_sent") == number("_expect"))
    is_text = plain_expr(pl.col("value_text")) == plain_expr(pl.col("_expect"))
    matched = (
        rows.with_row_index("_row")
        .with_columns(without_sign_of_zero(pl.coalesce("number", number("figure_text"))).alias("value_sent"))
        .join(
            declared.select(*FIGURE_KEY, "correction", "_expect", "_value").unique(
                FIGURE_KEY, keep="first", maintain_order=True
            ),
            on=FIGURE_KEY,
            how="left",
            maintain_order="left",
            validate="m:1",
        )
        .with_columns((is_number | is_text).fill_null(False).alias("_fits"))
        .with_columns((~pl.col("_fits") & (pl.col("value_sent") == number("_value"))).fill_null(False).alias("_mended"))
    )
    matched = pl.concat(
        [
            matched.filter(pl.col("correction").is_null()).with_columns(
                _fitting=pl.lit(0, pl.UInt32), _is_reported=False
            ),
            matched.filter(pl.col("correction").is_not_null()).with_columns(
                pl.col("_fits").sum().over(together).alias("_fitting"),
                # The row meant is another one, and the finding is about that.
                (~pl.col("_fits") & (pl.col("_fits").any() | (~pl.col("_mended") & pl.col("_mended").any())))
                .over(together)
                .alias("_is_reported"),
            ),
        ]
    ).sort("_row")
    matched = matched.with_columns((pl.col("_fits") & (pl.col("_fitting") == 1)).alias("_applies"))
    is_about = pl.col("correction").is_not_null() & pl.col("figure_text").is_not_null() & ~pl.col("_is_reported")
    found = matched.filter(is_about).select(
        pl.when("_applies")
        .then(pl.lit("correction_applied"))
        .when("_fits")
        .then(pl.lit("correction_ambiguous"))
        .when("_mended")
        .then(pl.lit("correction_fulfilled"))
        .otherwise(pl.lit("correction_expectation"))
        .alias("check"),
        pl.format("{} / {} / {}", "source", "region", "item").alias("subject"),
        pl.when(pl.col("_fits") & ~pl.col("_applies"))
        .then(pl.col("_fitting").cast(pl.String))
        .otherwise(pl.col("value_text").fill_null("-"))
        .alias("observed"),
        pl.when("_applies").then("_value").otherwise("_expect").alias("expected"),
    )
    unused = declared.join(matched, on="correction", how="anti").select(
        pl.lit("correction_unused").alias("check"),
        pl.format("{} / {}", "source", "correction").alias("subject"),
        pl.lit(None, pl.String).alias("observed"),
        pl.format("{} / {}", "region", "item").alias("expected"),
    )
    mended = matched.with_columns(
        pl.when("_applies").then(number("_value")).otherwise("value_sent").alias("value"),
        pl.when("_applies").then("correction").alias("correction"),
    )
    internal = [name for name in matched.columns if name.startswith("_")]
    return mended.drop(*internal, "number"), pl.concat([found.cast(FINDING), unused.cast(FINDING)]).unique()
