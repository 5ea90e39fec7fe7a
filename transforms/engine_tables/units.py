"""The units of the engine: regions by level and approach, and what is known of regions."""

import polars as pl

from schemas.methodology.edition import Edition
from schemas.methodology.library import Methodology
from schemas.methodology.regions import Day, Reference, valid_regions
from transforms.regions.territories import divisions, laws


def population_frame(edition: Edition) -> pl.DataFrame:
    """The populations within which scores are normalised, ranked and classified: one per level and approach.

    `regions` is the number that makes the level complete, `scaled_from` the share of them that bounds are derived from;
    `is_roll_up` marks those whose scores are means of those of regions below.
    """
    rolled_up = {(each.to, each.approach) for each in edition.roll_ups if each.method == "mean"}
    return pl.DataFrame(
        [
            (
                *(key, plan.level, approach, plan.regions, plan.ranked),
                (plan.level, approach) in rolled_up,
                float(plan.scaled_from),
            )
            for key, (plan, approach) in enumerate(
                ((plan, approach) for plan in edition.region_levels for approach in plan.approaches), start=1
            )
        ],
        schema={
            "population_key": pl.Int32,
            "region_level": pl.String,
            "approach": pl.String,
            "regions": pl.Int32,
            "is_ranked": pl.Boolean,
            "is_roll_up": pl.Boolean,
            "scaled_from": pl.Float64,
        },
        orient="row",
    )


def unit_frame(methodology: Methodology, regions: pl.DataFrame) -> pl.DataFrame:
    """The units of the index: every valid region of a scored level, once per approach, numbered in published order.

    `label` is what findings call a unit.
    """
    valid = valid_regions(regions, methodology.edition.regions_date)
    chosen = [pl.col("code").is_in(plan.codes) for plan in methodology.edition.region_levels if plan.codes]
    levels = [plan.level for plan in methodology.edition.region_levels if plan.codes]
    whole = ~pl.col("region_level").is_in(levels)
    return (
        population_frame(methodology.edition)
        .join(valid, left_on="region_level", right_on="level", how="inner")
        .filter(pl.any_horizontal(whole, *chosen))
        .sort("region_level", "approach", "code")
        .select(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("unit_key"),
            "population_key",
            "region_level",
            "approach",
            region_code="code",
            region_name="name",
            parent_region_code="parent",
            label=pl.format("{} {} / {}", "code", "name", "approach"),
        )
    )


def crosswalk_frame(reference: Reference, regions: pl.DataFrame, regions_date: Day | None = None) -> pl.DataFrame:
    """Every region of any generation of codes with what it is today: `region_code`, `region_level`, `region_name`,
    `valid_from`, `valid_to`, `current_code`, `current_name`, `relation`, `carries`, `population_share`, `note`,
    `changed_on`, `law`.

    A region is the one of the edition's `regions_date`, or of the codes of before 2022 where that is later: how it was
    divided before is left out. Regions that have ended are not here.
    """
    today = regions.filter(pl.col("valid_to").is_null())
    twin = today.drop_nulls("code_2020").select("code_2020", twin="code")
    same = regions.join(twin, on="code_2020", how="left").select(
        region_code="code",
        current_code=pl.when(pl.col("valid_to").is_null()).then("code").otherwise("twin"),
        relation=pl.when(pl.col("valid_to").is_null()).then(pl.lit("same")).otherwise(pl.lit("recoded")),
        carries=pl.lit(True),
        population_share=pl.lit(1.0),
        note=pl.lit(None, pl.String),
        changed_on=pl.lit(None, pl.Date),
        law=pl.lit(None, pl.String),
    )
    recoded = regions.filter(pl.col("valid_to").is_not_null() & pl.col("code_2020").is_not_null())["valid_to"]
    changes = reference.changes.join(regions.select(from_code="code"), on="from_code", how="semi").filter(
        (pl.col("date") > pl.lit(regions_date, pl.Date)).fill_null(False)
        | (pl.col("date") >= pl.lit(recoded.min(), pl.Date)).fill_null(False)
    )
    divided = divisions(changes).select(
        *("region_code", "current_code"), pl.lit("divided").alias("relation"), *same.columns[3:]
    )
    whole = same.join(divided, on="region_code", how="anti")
    named = regions.select("valid_from", "valid_to", region_code="code", region_level="level", region_name="name")
    return (
        pl.concat([whole, divided])
        .drop_nulls("current_code")
        .join(named, on="region_code")
        .join(regions.select(current_code="code", current_name="name"), on="current_code", how="left")
        .sort("region_code", "current_code")
    )


def region_frame(reference: Reference, regions: pl.DataFrame) -> pl.DataFrame:
    """The regions with `law`: the one by which a region was founded or ended, as far as it is written down."""
    return regions.join(laws(reference), on="code", how="left", maintain_order="left")


def edition_frame(edition: Edition) -> pl.DataFrame:
    """What has to be known of the edition to put its figures beside others: one row."""
    return pl.DataFrame(
        {
            "title_id": [edition.title_id],
            "title_en": [edition.title_en],
            "status": [edition.status],
            "revision": [edition.revision],
            "reference_period": [edition.reference_period],
            "regions_date": [edition.regions_date],
            "territory": [edition.territory],
            "scale_lowest": [float(edition.scale.lowest)],
            "scale_highest": [float(edition.scale.highest)],
            "comparability": [edition.comparability],
            "reference": ["; ".join(edition.references) or None],
        },
        schema_overrides={"territory": pl.String, "reference": pl.String, "revision": pl.Int64},
    )
