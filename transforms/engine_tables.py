"""The methodology as the frames the engine computes with: regions and nodes are integers there."""

from decimal import Decimal
from fractions import Fraction
from functools import cache

import polars as pl

from schemas.contract.violations import rule_frame
from schemas.methodology.edition import Edition, Node
from schemas.methodology.library import Methodology
from schemas.methodology.regions import Day, Reference, lineage, valid_regions
from transforms.regions.territories import divisions, laws


def population_frame(edition: Edition) -> pl.DataFrame:
    """The populations within which scores are normalised, ranked and classified: one per level and approach.

    `regions` is the number that makes the level complete, `scaled_from` the share of them that bounds are derived from;
    `is_roll_up` tells those whose scores are means of those of regions below.
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


def node_frame(methodology: Methodology) -> pl.DataFrame:
    """The nodes of the tree, numbered; weights also as integers (`weight_units`), so that their sums are exact.

    `weight_scale` is how many units make the weight 1; `effective_weight` is the share of the whole index;
    `score_lowest` and `score_highest` bound the score: by the edition's scale where the node is normalised, else by its
    unit.
    """
    edition = methodology.edition
    nodes = sorted(edition.nodes, key=lambda node: node.node_code)
    keys = {node.node_code: key for key, node in enumerate(nodes, start=1)}
    places = max((-_exponent(node.weight) for node in nodes if node.weight is not None), default=0)
    scale = 10 ** max(places, 0)
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


def roll_up_frame(edition: Edition, units: pl.DataFrame, regions: pl.DataFrame) -> pl.DataFrame:
    """Which units are rolled up into which, and how: `roll_up_key`, `method`, `target_key`, `member_key`, `min_share`,
    `members`.
    """
    place = units.select("unit_key", "region_level", "approach", "region_code")
    above = lineage(regions).rename({"code": "region_code"})
    inside = place.rename({"approach": "from_approach", "region_level": "from"}).join(above, on="region_code")
    parts = [
        inside.filter((pl.col("from") == each.source_level) & (pl.col("from_approach") == each.from_approach))
        .join(
            place.filter((pl.col("region_level") == each.to) & (pl.col("approach") == each.approach)).select(
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


def cut_off_frame(edition: Edition, populations: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Every category span of every cut-off rule, for each population and node it speaks of.

    `rule_order` is the order in which rules are tried; `lower_parameter` and `upper_parameter` are bounds (fixed,
    frozen), multiples of the SD (mean_sd) or quantiles; `n_needed` is how many known scores the rule needs.
    """
    place = populations.select("population_key", "region_level", "approach", "regions")
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
        spans.join(place, on="region_level")
        .filter(pl.col("_approach").is_null() | (pl.col("_approach") == pl.col("approach")))
        .join(node_codes, how="cross")
        .filter(pl.col("_node").is_null() | (pl.col("_node") == pl.col("node_code")))
        .with_columns(pl.when("is_derived").then("regions").otherwise(0).cast(pl.Int32).alias("n_needed"))
        .drop("region_level", "approach", "regions", "_approach", "_node", "node_code", "is_derived")
    )


def asked_frame(methodology: Methodology, populations: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Which leaves which populations are asked for by a source: `source`, `population_key`, `node_key`."""
    sources = methodology.sources
    asked = pl.DataFrame(
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
        asked.unique(maintain_order=True)
        .join(populations.select("population_key", "region_level", "approach"), on=["region_level", "approach"])
        .join(leaves.select("source_item", "node_key"), on="source_item")
        .select("source", "population_key", "node_key")
    )


def not_applicable_frame(
    edition: Edition, units: pl.DataFrame, nodes: pl.DataFrame, regions: pl.DataFrame
) -> pl.DataFrame:
    """The places that there is nothing to report of: `unit_key`, `node_key`; aggregates all of whose children are such
    included.
    """
    declared = pl.DataFrame(
        [(each.within, code) for each in edition.not_applicable for code in each.nodes],
        schema={"ancestor": pl.String, "node_code": pl.String},
        orient="row",
    )
    inside = lineage(regions).join(declared.select("ancestor").unique(), on="ancestor")
    places = (
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
            places.join(family, on="node_key")
            .group_by("unit_key", node_key="parent_key")
            .len()
            .join(above, on="node_key")
            .filter(pl.col("len") == pl.col("children_expected"))
        )
        places = pl.concat([places, empty.select("unit_key", "node_key")])
    return places.sort("node_key", "unit_key")


def crosswalk_frame(reference: Reference, regions: pl.DataFrame, regions_date: Day | None = None) -> pl.DataFrame:
    """Every region of any generation of codes with what it is today: `region_code`, `region_level`, `region_name`,
    `valid_from`, `valid_to`, `current_code`, `current_name`, `relation`, `carries`, `population_share`, `note`,
    `changed_on`, `law`.

    A region is the one of the edition's `regions_date`, or of the codes of before 2022 where that is later: how it was
    divided before is not told. Regions that have ended are not here.
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


def design_frames(methodology: Methodology, regions: pl.DataFrame | None = None) -> dict[str, pl.DataFrame]:
    """The frames that describe the methodology to the engine, by the name of the engine's table.

    `regions` are those of the edition (`Methodology.regions`) where sources bring some along.
    """
    edition = methodology.edition
    regions = methodology.regions() if regions is None else regions
    populations = population_frame(edition)
    units = unit_frame(methodology, regions)
    nodes = node_frame(methodology)
    members = roll_up_frame(edition, units, regions)
    not_applicable = not_applicable_frame(edition, units, nodes, regions)
    return {
        "population": populations,
        "unit": units,
        "node": nodes,
        "roll_up_member": members,
        "roll_up_exempt": roll_up_exempt_frame(members, not_applicable),
        "roll_up_rule": roll_up_rule_frame(edition),
        "node_expected": expected_frame(populations, units, nodes, not_applicable),
        "goalpost": goalpost_frame(edition, populations, nodes),
        "cut_off_span": cut_off_frame(edition, populations, nodes),
        "asked": asked_frame(methodology, populations, nodes),
        "not_applicable": not_applicable,
        "region_reference": region_frame(methodology.reference, regions),
        "crosswalk": crosswalk_frame(methodology.reference, methodology.regions(), edition.regions_date),
        "edition": edition_frame(edition),
        "rule": rule_frame(methodology.dictionary),
    }
