"""The nodes of the engine: the tree with its weights, goalposts and cut-offs."""

from decimal import Decimal
from fractions import Fraction
from functools import cache

import polars as pl

from schemas.methodology.edition import Edition, Node
from schemas.methodology.library import Methodology


def node_frame(methodology: Methodology) -> pl.DataFrame:
    """The nodes of the tree, numbered; weights also as integers (`weight_units`), so that their sums are exact.

    `weight_scale` is how many units make the weight 1; `effective_weight` is the share of the whole index;
    `score_lowest` and `score_highest` bound the score: by the edition's scale where the node is normalised, else by its
    unit.
    """
    edition = methodology.edition
    nodes = sorted(edition.nodes, key=lambda node: node.node_code)
    keys = {node.node_code: key for key, node in enumerate(nodes, start=1)}
    decimals = max((-_exponent(node.weight) for node in nodes if node.weight is not None), default=0)
    scale = 10 ** max(decimals, 0)
    by_code = {node.node_code: node for node in nodes}

    children = edition.children()

    @cache
    def size(code: str) -> Fraction:
        """How much a node counts for in a sum above it: 1, or the weights below where it is itself an unscaled sum."""
        node = by_code[code]
        if node.aggregation != "sum" or node.normalisation != "none":
            return Fraction(1)
        return sum((Fraction(each.weight or 0) * size(each.node_code) for each in children[code]), Fraction(0))

    def counted(node: Node, parent: Node) -> Fraction:
        """What a node counts for among its siblings."""
        return Fraction(node.weight or 0) * (size(node.node_code) if parent.aggregation == "sum" else 1)

    @cache
    def whole(code: str) -> Fraction | None:
        """What the children of a node count for together; None where a weight is not known."""
        if any(each.weight is None for each in children[code]):
            return None
        return sum((counted(each, by_code[code]) for each in children[code]), Fraction(0))

    @cache
    def share(code: str) -> Fraction | None:
        """The share of a node in the whole index."""
        parent = by_code.get(by_code[code].parent_code or "")
        if parent is None:
            return Fraction(1)
        above, total = share(parent.node_code), whole(parent.node_code)
        return None if above is None or total is None else counted(by_code[code], parent) / total * above

    def domain(node: Node) -> tuple[Decimal | None, Decimal | None]:
        bounds = edition.scale if node.normalisation != "none" else methodology.dictionary.units[node.unit]
        return bounds.lowest, bounds.highest

    return pl.DataFrame(
        [
            {
                "node_key": keys[node.node_code],
                "parent_key": keys[node.parent_code] if node.parent_code else None,
                "node_code": node.node_code,
                "parent_node_code": node.parent_code,
                "node_level": node.level,
                "kind": node.kind,
                "name_id": node.name_id,
                "name_en": node.name_en,
                "weight": _float(node.weight),
                "weight_units": int(node.weight * scale) if node.weight is not None else 0,
                "weight_scale": scale,
                "effective_weight": None if (part := share(node.node_code)) is None else float(part),
                "score_lowest": _float(domain(node)[0]),
                "score_highest": _float(domain(node)[1]),
                "direction": node.direction,
                "unit": node.unit,
                "normalisation": node.normalisation,
                "aggregation": node.aggregation,
                "missing": edition.missing_rule(node),
                "children_expected": len(children[node.node_code]),
                "children_weight_units": _total([each.weight for each in children[node.node_code]], scale),
                "source_item": node.source_item,
                "denominator": node.denominator,
                "per": float(node.per),
                "evidence": node.evidence,
                "note": node.note,
            }
            for node in nodes
        ],
        schema={
            "node_key": pl.Int32,
            "parent_key": pl.Int32,
            "node_code": pl.String,
            "parent_node_code": pl.String,
            "node_level": pl.Int32,
            "kind": pl.String,
            "name_id": pl.String,
            "name_en": pl.String,
            "weight": pl.Float64,
            "weight_units": pl.Int64,
            "weight_scale": pl.Int64,
            "effective_weight": pl.Float64,
            "score_lowest": pl.Float64,
            "score_highest": pl.Float64,
            "direction": pl.Int32,
            "unit": pl.String,
            "normalisation": pl.String,
            "aggregation": pl.String,
            "missing": pl.String,
            "children_expected": pl.Int32,
            "children_weight_units": pl.Int64,
            "source_item": pl.String,
            "denominator": pl.String,
            "per": pl.Float64,
            "evidence": pl.String,
            "note": pl.String,
        },
    )


def _total(weights: list[Decimal | None], scale: int) -> int | None:
    """The weights together, in units; None where one of them is not known, so that nothing can be computed of them."""
    known = [weight for weight in weights if weight is not None]
    return int(sum(known, Decimal(0)) * scale) if len(known) == len(weights) else None


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _exponent(weight: Decimal) -> int:
    exponent = weight.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def goalpost_frame(edition: Edition, populations: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """The declared bounds of nodes: `population_key`, `node_key`, `lowest`, `highest`, `evidence`."""
    posts = pl.DataFrame(
        [
            (each.node, each.level, each.approach, _float(each.lowest), _float(each.highest), each.evidence)
            for each in edition.goalposts
        ],
        schema={
            "node_code": pl.String,
            "region_level": pl.String,
            "_approach": pl.String,
            "lowest": pl.Float64,
            "highest": pl.Float64,
            "evidence": pl.String,
        },
        orient="row",
    )
    return (
        posts.join(populations.select("population_key", "region_level", "approach"), on="region_level")
        .filter(pl.col("_approach").is_null() | (pl.col("_approach") == pl.col("approach")))
        .join(nodes.select("node_key", "node_code"), on="node_code")
        .select("population_key", "node_key", "lowest", "highest", "evidence")
    )


def cut_off_frame(edition: Edition, populations: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Every category span of every cut-off rule, for each population and node it speaks of.

    `rule_order` is the order in which rules are tried; `lower_parameter` and `upper_parameter` are bounds (fixed,
    frozen), multiples of the SD (mean_sd) or quantiles; `n_needed` is how many known scores the rule needs.
    """
    population = populations.select("population_key", "region_level", "approach", "regions")
    node_codes = nodes.select("node_key", "node_code")
    rows = [
        (order, rule.level, rule.approach, rule.node, rule.basis, rule.evidence, rule.is_derived, *span)
        for order, rule in enumerate(edition.cut_offs, start=1)
        for span in rule.spans()
    ]
    spans = pl.DataFrame(
        [[float(each) if isinstance(each, Decimal) else each for each in row] for row in rows],
        schema={
            "rule_order": pl.Int32,
            "region_level": pl.String,
            "_approach": pl.String,
            "_node": pl.String,
            "basis": pl.String,
            "evidence": pl.String,
            "is_derived": pl.Boolean,
            "category": pl.String,
            "lower_parameter": pl.Float64,
            "upper_parameter": pl.Float64,
            "closed_side": pl.String,
        },
        orient="row",
    )
    return (
        spans.join(population, on="region_level")
        .filter(pl.col("_approach").is_null() | (pl.col("_approach") == pl.col("approach")))
        .join(node_codes, how="cross")
        .filter(pl.col("_node").is_null() | (pl.col("_node") == pl.col("node_code")))
        .with_columns(pl.when("is_derived").then("regions").otherwise(0).cast(pl.Int32).alias("n_needed"))
        .drop("region_level", "approach", "regions", "_approach", "_node", "node_code", "is_derived")
    )
