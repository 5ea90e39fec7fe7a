"""What figures are of which node; categories and ranks that were published without a score."""

import polars as pl

from schemas.methodology.library import Methodology
from transforms.figures.keys import UNIT_NODE

# What can be published of a node instead of its score.
INSTEAD_OF_SCORE = ("category", "rank")


def item_nodes(nodes: pl.DataFrame) -> pl.DataFrame:
    """What is fed by an item: nodes, then items that ratios are divided by, then the categories and ranks of
    nodes without a score, coded as `node.category` and `node.rank`. Keys of the others come after those of nodes.
    """
    fed = nodes.select(
        "node_key", "node_code", "source_item", "aggregation", figure_kind=pl.lit("value"), of_key="node_key"
    )
    divisors = nodes.select(
        node_code="denominator", source_item="denominator", figure_kind=pl.lit("value"), of_key=pl.lit(None, pl.Int32)
    )
    instead = [
        nodes.select(
            node_code=pl.format("{}.{}", "node_code", pl.lit(kind)),
            source_item="source_item",
            figure_kind=pl.lit(kind),
            of_key="node_key",
        )
        for kind in INSTEAD_OF_SCORE
    ]
    others = pl.concat([divisors.drop_nulls("source_item").unique().sort("source_item"), *instead])
    keyed = others.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("node_key") + nodes.height,
        pl.lit(None, pl.String).alias("aggregation"),
    )
    return pl.concat([fed, keyed.select(fed.columns)])


def with_categories(rows: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The rows, categories as their position in the edition's list: sources have an order and words of their own."""
    ordinals = {category.code: ordinal for ordinal, category in enumerate(methodology.edition.categories, start=1)}
    words = pl.DataFrame(
        [
            (name, "category", float(position), float(ordinals[code]))
            for name, source in methodology.sources.items()
            for position, code in enumerate(source.categories.values(), start=1)
        ],
        schema={"source": pl.String, "figure_kind": pl.String, "value": pl.Float64, "_ordinal": pl.Float64},
        orient="row",
    )
    return (
        rows.join(words, on=["source", "figure_kind", "value"], how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("_ordinal", "value").alias("value"),
            pl.when(pl.col("_ordinal").is_not_null()).then("_ordinal").otherwise("value_sent").alias("value_sent"),
        )
        .drop("_ordinal")
    )


def entered_ranks(used: pl.DataFrame, node: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The categories and ranks of nodes as published: `unit_key`, `node_key`, `category`, `rank`."""
    codes = {float(ordinal): each.code for ordinal, each in enumerate(methodology.edition.categories, start=1)}
    without_score = used.filter(pl.col("figure_kind") != "value").join(node.select("node_key", "of_key"), on="node_key")
    category, rank = (
        without_score.filter(figure_kind=name).select("unit_key", "of_key", value="value") for name in INSTEAD_OF_SCORE
    )
    return (
        category.rename({"value": "category"})
        .join(rank.rename({"value": "rank"}), on=["unit_key", "of_key"], how="full", coalesce=True)
        .select(
            "unit_key",
            node_key="of_key",
            category=pl.col("category").replace_strict(codes, default=None, return_dtype=pl.String),
            rank=pl.col("rank").cast(pl.Int64),
        )
        .sort(UNIT_NODE)
    )
