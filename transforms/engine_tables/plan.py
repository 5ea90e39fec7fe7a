"""What is computed of which units: roll-ups, what is required, and what does not apply."""

import polars as pl

from schemas.methodology.edition import Edition
from schemas.methodology.library import Methodology
from schemas.methodology.regions import lineage


def roll_up_frame(edition: Edition, units: pl.DataFrame, regions: pl.DataFrame) -> pl.DataFrame:
    """Which units are rolled up into which, and how: `roll_up_key`, `method`, `target_key`, `member_key`, `min_share`,
    `members`.
    """
    unit_keys = units.select("unit_key", "region_level", "approach", "region_code")
    above = lineage(regions).rename({"code": "region_code"})
    inside = unit_keys.rename({"approach": "from_approach", "region_level": "from"}).join(above, on="region_code")
    parts = [
        inside.filter((pl.col("from") == each.source_level) & (pl.col("from_approach") == each.from_approach))
        .join(
            unit_keys.filter((pl.col("region_level") == each.to) & (pl.col("approach") == each.approach)).select(
                "region_code", target_key="unit_key"
            ),
            left_on="ancestor",
            right_on="region_code",
        )
        .select(
            pl.lit(key, pl.Int32).alias("roll_up_key"),
            pl.lit(each.method).alias("method"),
            "target_key",
            member_key="unit_key",
            min_share=pl.lit(float(each.min_share)),
        )
        for key, each in enumerate(edition.roll_ups, start=1)
    ]
    schema = {
        "roll_up_key": pl.Int32,
        "method": pl.String,
        "target_key": pl.Int32,
        "member_key": pl.Int32,
        "min_share": pl.Float64,
    }
    members = pl.concat([pl.DataFrame(schema=schema), *parts])
    return members.with_columns(pl.len().over("roll_up_key", "target_key").cast(pl.Int32).alias("members"))


def expected_frame(
    populations: pl.DataFrame, units: pl.DataFrame, nodes: pl.DataFrame, not_applicable: pl.DataFrame
) -> pl.DataFrame:
    """How many regions have something to report of a node, and how many of them bounds are derived from:
    `population_key`, `node_key`, `regions`, `n_needed`.
    """
    exempt = (
        not_applicable.join(units.select("unit_key", "population_key"), on="unit_key")
        .group_by("population_key", "node_key")
        .agg(pl.len().cast(pl.Int32).alias("exempt"))
    )
    return (
        populations.select("population_key", "regions", "scaled_from")
        .join(nodes.select("node_key"), how="cross")
        .join(exempt, on=["population_key", "node_key"], how="left")
        .with_columns((pl.col("regions") - pl.col("exempt").fill_null(0)).alias("regions"))
        .select(
            "population_key",
            "node_key",
            "regions",
            n_needed=(pl.col("regions") * pl.col("scaled_from") - 1e-9).ceil().clip(lower_bound=1).cast(pl.Int32),
        )
        .sort("population_key", "node_key")
    )


def roll_up_rule_frame(edition: Edition) -> pl.DataFrame:
    """How levels are rolled up, as published: `from_region_level`, `from_approach`, `region_level`, `approach`,
    `method`, `min_share`.
    """
    columns = ("from_region_level", "from_approach", "region_level", "approach", "method")
    return pl.DataFrame(
        [
            (each.source_level, each.from_approach, each.to, each.approach, each.method, float(each.min_share))
            for each in edition.roll_ups
        ],
        schema={**dict.fromkeys(columns, pl.String), "min_share": pl.Float64},
        orient="row",
    )


def roll_up_exempt_frame(members: pl.DataFrame, not_applicable: pl.DataFrame) -> pl.DataFrame:
    """How many members of a roll-up have nothing to report: `roll_up_key`, `target_key`, `node_key`, `exempt`."""
    return (
        members.join(not_applicable, left_on="member_key", right_on="unit_key")
        .group_by("roll_up_key", "target_key", "node_key")
        .agg(pl.len().cast(pl.Int32).alias("exempt"))
        .sort("roll_up_key", "target_key", "node_key")
    )


def required_leaf_frame(methodology: Methodology, populations: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Which leaves a source requires of which populations: `source`, `population_key`, `node_key`."""
    sources = methodology.sources
    required = pl.DataFrame(
        [
            (name, level, item.approach, item.item)
            for name, source in sources.items()
            for item in source.items.values()
            if item.measure is None
            for level in source.region_levels
        ],
        schema=dict.fromkeys(("source", "region_level", "approach", "source_item"), pl.String),
        orient="row",
    )
    leaves = nodes.filter(pl.col("children_expected") == 0)
    return (
        required.unique(maintain_order=True)
        .join(populations.select("population_key", "region_level", "approach"), on=["region_level", "approach"])
        .join(leaves.select("source_item", "node_key"), on="source_item")
        .select("source", "population_key", "node_key")
    )


def not_applicable_frame(
    edition: Edition, units: pl.DataFrame, nodes: pl.DataFrame, regions: pl.DataFrame
) -> pl.DataFrame:
    """The unit-node keys that there is nothing to report of: `unit_key`, `node_key`; aggregates all of whose
    children are such included.
    """
    declared = pl.DataFrame(
        [(each.within, code) for each in edition.not_applicable for code in each.nodes],
        schema={"ancestor": pl.String, "node_code": pl.String},
        orient="row",
    )
    inside = lineage(regions).join(declared.select("ancestor").unique(), on="ancestor")
    exempt_keys = (
        units.select("unit_key", "region_code")
        .join(inside.rename({"code": "region_code"}), on="region_code")
        .join(declared, on="ancestor")
        .join(nodes.select("node_code", "node_key"), on="node_code")
        .select("unit_key", "node_key")
        .unique()
    )
    family = nodes.select("node_key", "parent_key")
    for level in range(2, edition.root.level + 1):
        above = nodes.filter(node_level=level).select("node_key", "children_expected")
        empty = (
            exempt_keys.join(family, on="node_key")
            .group_by("unit_key", node_key="parent_key")
            .len()
            .join(above, on="node_key")
            .filter(pl.col("len") == pl.col("children_expected"))
        )
        exempt_keys = pl.concat([exempt_keys, empty.select("unit_key", "node_key")])
    return exempt_keys.sort("node_key", "unit_key")
