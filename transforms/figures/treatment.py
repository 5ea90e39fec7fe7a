"""Outliers: caps, and the values that are scaled."""

from collections.abc import Mapping

import polars as pl

from schemas.methodology.library import Methodology


def level_caps(reported: pl.DataFrame, methodology: Methodology, design: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The caps of the edition's treatments: `population_key`, `node_key`, `cap`, `n`.

    A cap is the quantile of all values of the leaf that are known at the level, zeros that fill blanks included and
    finished scores left out, interpolated between neighbours. It is null where fewer are known than the level requires.
    """
    keys = ["population_key", "node_key"]
    parts = [pl.DataFrame(schema={"population_key": pl.Int32, "node_key": pl.Int32, "cap": pl.Float64, "n": pl.Int64})]
    for treatment in methodology.edition.treatments:
        level = design["population"].filter(region_level=treatment.level, approach=treatment.approach)
        counted = (
            reported.filter(~pl.col("is_score"))
            .join(level.select("population_key"), on="population_key", how="semi")
            .group_by(keys)
            .agg(
                pl.col("treated_value").quantile(float(treatment.cap_quantile), interpolation="linear").alias("cap"),
                pl.col("treated_value").count().cast(pl.Int64).alias("n"),
            )
            .join(design["node_expected"], on=keys)
        )
        is_covered = pl.col("n") >= pl.col("n_needed")
        parts.append(counted.select(*keys, cap=pl.when(is_covered).then("cap"), n="n"))
    return pl.concat(parts).unique(keys, keep="first", maintain_order=True).sort(keys)


def with_treated_value(reported: pl.DataFrame, caps: pl.DataFrame) -> pl.DataFrame:
    """The leaves with `treated_value` capped where the edition says so; null where the cap is not known."""
    capped = caps.select("population_key", "node_key", "cap", is_capped=pl.lit(True))
    treated = pl.when(pl.col("cap").is_not_null()).then(pl.min_horizontal("treated_value", "cap"))
    return (
        reported.join(capped, on=["population_key", "node_key"], how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("is_capped") & ~pl.col("is_score"))
            .then(treated)
            .otherwise("treated_value")
            .alias("treated_value")
        )
        .drop("cap", "is_capped")
    )
