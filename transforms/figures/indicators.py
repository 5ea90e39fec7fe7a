"""From admitted figures to what is scored: precedence decides between sources, gaps stay gaps unless declared."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.library import Methodology
from transforms.figures.keys import IS_PART, UNIT_NODE, UNIT_NODE_EXTRACT
from transforms.figures.missing import imputed_zeros, partly_blank_findings, partly_blank_sums, possible_units
from transforms.figures.precedence import (
    FIGURE_KEY,
    FIGURE_VALUES,
    disagreement_findings,
    newest_forms,
    possible_addends,
    source_frame,
    sums_of_parts,
)
from transforms.figures.statements import entered_ranks, item_nodes, with_categories
from transforms.figures.sums import with_ratios, with_roll_up_sums
from transforms.figures.treatment import level_caps, with_treated_value

FIGURE = "figure_index"  # numbers the applicable rows: quicker to find again than by extract, sheet and row


class ResolvedFigures(NamedTuple):
    """What is scored, and how it came about.

    `reported`: one row per unit and leaf with a report (`raw_value`, `treated_value`, `status`, `extract_count`,
    `is_evidenced`, `is_score`, `population_key`, of a ratio `numerator` and `denominator`, of a sum over the regions
    below `members_counted`), region by region, as the engine reads it; `cap`: what values count for at most, by
    population and leaf (`cap`, null where too few values are known to derive it; `n`: of how many values); `entered`:
    finished scores, by unit and node (`score`); `entered_rank`: what was published of a node with or without its score
    (`category`, `rank`); `responding`: the units about which anything but blanks was sent, though it may not count
    (`unit_key`); `observation`: every figure sent and what became of it; `findings`: contradictions and replacements.
    """

    reported: pl.DataFrame
    cap: pl.DataFrame
    entered: pl.DataFrame
    entered_rank: pl.DataFrame
    responding: pl.DataFrame
    observation: pl.DataFrame
    findings: pl.DataFrame


def resolved_figures(
    admitted: pl.DataFrame, quarantined: pl.DataFrame, methodology: Methodology, design: Mapping[str, pl.DataFrame]
) -> ResolvedFigures:
    """What all admitted figures of a night come to. `design` are the frames of the methodology (`design_frames`).

    `admitted` has the rows of all extracts with `received_at` and `is_synthetic` of their receipts; `quarantined` is
    what quarantined rows were about. A sum of events or of repeated rows of which one was refused is not known, nor one
    of repeated rows of which one is blank.
    """
    units, nodes = design["unit"], design["node"]
    node = item_nodes(nodes)
    unit = units.select("unit_key", "label", "region_code", "region_level", "approach")

    def on_keys(rows: pl.DataFrame) -> pl.DataFrame:
        keyed = rows.join(node, on=["source_item", "statement"], how="left")
        return keyed.join(unit, on=["region_code", "region_level", "approach"], how="left")

    placed = with_categories(on_keys(admitted), methodology).join(
        source_frame(methodology.sources), on="source", how="left"
    )
    inside = pl.col("unit_key").is_not_null() & pl.col("node_key").is_not_null()
    exempt = placed.filter(inside).join(design["not_applicable"], on=UNIT_NODE, how="semi")
    applicable = placed.filter(inside).join(design["not_applicable"], on=UNIT_NODE, how="anti").with_row_index(FIGURE)
    about = [*UNIT_NODE_EXTRACT, "region_code", "received_at"]
    addends = possible_addends(quarantined, applicable, node, unit)
    every = pl.concat([on_keys(quarantined).drop_nulls(UNIT_NODE).select(about), addends.select(about)]).unique()
    form = ["source", "region_code"]
    newest = pl.concat([frame.select(*form, "received_at") for frame in (applicable, every)]).group_by(form).max()
    refused = every.join(newest, on=[*form, "received_at"], how="semi")
    repeated = applicable.filter("is_summed")
    partly_blank = partly_blank_sums(repeated)
    incomplete = pl.concat(
        [
            every.join(repeated, on="source", how="semi").select(UNIT_NODE_EXTRACT),
            partly_blank.select(UNIT_NODE_EXTRACT),
        ]
    )
    events = newest_forms(applicable.filter("is_event")).join(refused, on=UNIT_NODE_EXTRACT, how="anti")
    sums = sums_of_parts(pl.concat([events, repeated.join(incomplete, on=UNIT_NODE_EXTRACT, how="anti")]), methodology)
    alone = applicable.filter(~IS_PART).select(*FIGURE_KEY, *FIGURE_VALUES, FIGURE)
    stated = _with_state(pl.concat([alone, sums], how="diagonal"))
    used = stated.filter(pl.col("state") == "used")
    outside = (
        placed.filter(~inside)
        .group_by("source", "source_item", "approach")
        .len()
        .select(
            pl.lit("outside_edition").alias("check"),
            pl.format("{} / {} / {}", "source", "source_item", "approach").alias("subject"),
            pl.col("len").cast(pl.String).alias("observed"),
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    not_applicable = (
        exempt.group_by("source", "node_code")
        .len()
        .select(
            pl.lit("not_applicable").alias("check"),
            pl.format("{} / {}", "source", "node_code").alias("subject"),
            pl.col("len").cast(pl.String).alias("observed"),
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    is_figure = pl.col("statement") == "figure"
    leaves = used.filter(is_figure & pl.col("aggregation").is_null()).select(
        *UNIT_NODE,
        "value",
        "is_evidenced",
        extract="extract_sha256",
        is_score=pl.col("measure") == "score",
    )
    figures = with_roll_up_sums(with_ratios(_parts(leaves, nodes), methodology), design, methodology)
    reported, undefined, findings = _values(figures, units, nodes)
    entered = used.filter(is_figure & (pl.col("measure") == "score")).select(*UNIT_NODE, score="value")
    conflicting = stated.filter(pl.col("state") == "conflicting")
    possible = possible_units(quarantined, applicable, node, unit)
    answered = applicable.filter(pl.col("value").is_not_null())
    responding = pl.concat([answered.select("unit_key"), on_keys(quarantined).select("unit_key").drop_nulls()])
    unknown = pl.concat(
        [refused.select(UNIT_NODE), incomplete.select(UNIT_NODE), conflicting.select(UNIT_NODE), possible, undefined]
    )
    complete = pl.concat(
        [reported, imputed_zeros(applicable, reported, unknown, units, nodes, design["required_leaf"])], how="diagonal"
    )
    placed_figures = complete.join(units.select("unit_key", "population_key"), on="unit_key")
    caps = level_caps(placed_figures, methodology, design)
    return ResolvedFigures(
        with_treated_value(placed_figures, caps).sort(UNIT_NODE),
        caps,
        entered.sort(UNIT_NODE),
        entered_ranks(used, node, methodology),
        responding.unique().sort("unit_key"),
        _lineage(applicable, stated, pl.concat([refused.select(UNIT_NODE_EXTRACT), incomplete])),
        pl.concat(
            [
                disagreement_findings(stated),
                outside.cast(FINDING),
                not_applicable.cast(FINDING),
                findings,
                partly_blank_findings(partly_blank),
            ]
        ),
    )


def _parts(leaves: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """The figures of indicators: `numerator`, and of a ratio also `denominator` (null where it is not known)."""
    others = item_nodes(nodes).tail(-nodes.height).filter(statement="figure")
    divisor = others.select(denominator="node_code", divisor_key="node_key")
    ratios = nodes.join(divisor, on="denominator", how="left", maintain_order="left").select(
        "node_key", "divisor_key", "per", "unit", divided=pl.col("denominator").is_not_null()
    )
    divided_by = leaves.select("unit_key", divisor_key="node_key", denominator="value", divisor_extract="extract")
    return (
        leaves.rename({"value": "numerator"})
        .join(ratios, on="node_key", maintain_order="left")
        .with_columns((pl.col("divided") & ~pl.col("is_score")).alias("is_ratio"))
        .join(divided_by, on=["unit_key", "divisor_key"], how="left", maintain_order="left")
        .with_columns(pl.when("is_ratio").then(name).alias(name) for name in ("denominator", "divisor_extract"))
        .drop("divisor_key", "divided")
    )


def _values(
    worked: pl.DataFrame, units: pl.DataFrame, nodes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The values of indicators as `ResolvedFigures.reported`, without treatment; the keys where a ratio has none, as
    one of its parts is not known or it is divided by zero; and findings about ratios that cannot be.
    """
    named = worked.filter("is_impossible").join(nodes.select("node_key", "node_code"), on="node_key")
    findings = named.join(units.select("unit_key", "label"), on="unit_key").select(
        pl.lit("ratio_out_of_range").alias("check"),
        pl.format("{} / {}", "label", "node_code").alias("subject"),
        pl.format("{} / {}", "numerator", "denominator").alias("observed"),
        expected="domain",
    )
    good = pl.col("value").is_not_null() & ~pl.col("is_impossible")
    reported = worked.filter(good).select(
        *UNIT_NODE,
        raw_value="value",
        treated_value="value",
        numerator=pl.when("is_ratio").then("numerator"),
        denominator="denominator",
        status=pl.when(pl.col("value") == 0).then(pl.lit("reported_zero")).otherwise(pl.lit("reported")),
        extract_count="extract_count",
        members_counted="members_counted",
        is_evidenced="is_evidenced",
        is_score="is_score",
    )
    return reported, worked.filter(~good).select(UNIT_NODE), findings.cast(FINDING)


def _lineage(applicable: pl.DataFrame, stated: pl.DataFrame, incomplete: pl.DataFrame) -> pl.DataFrame:
    """Every row that was applicable, with what became of it: a part of a sum shares the state of the sum."""
    figures, parts = applicable.filter(~IS_PART), applicable.filter(IS_PART)
    rows = figures.join(stated.select(FIGURE, "state"), on=FIGURE, how="left")
    partial = incomplete.unique().with_columns(pl.lit("incomplete").alias("partial"))
    parts = parts.join(stated.select(*UNIT_NODE_EXTRACT, "state"), on=UNIT_NODE_EXTRACT, how="left")
    parts = parts.join(partial, on=UNIT_NODE_EXTRACT, how="left").with_columns(
        pl.when(pl.col("is_summed") & pl.col("value").is_null())
        .then(pl.lit("blank"))
        .otherwise(pl.coalesce("state", "partial"))
        .alias("state")
    )
    parts = parts.drop("partial")
    return pl.concat([rows, parts]).drop(FIGURE).with_columns(pl.col("state").fill_null("superseded"))


def _with_state(figures: pl.DataFrame) -> pl.DataFrame:
    """The figures with `state`.

    Of several for one unit and node, the source of the highest precedence counts, then what was received last. Where
    figures of the same worth and time still differ, none is used: nothing but chance could decide.
    """
    is_known = pl.col("value").is_not_null()
    # Nearly all keys have one figure, and looking at keys one by one is slow.
    is_single = figures.select(UNIT_NODE).is_unique()
    single = figures.filter(is_single).with_columns(
        pl.when(is_known).then(pl.lit("used")).otherwise(pl.lit("blank")).alias("state")
    )
    ordered = figures.filter(~is_single).sort(
        ~is_known,
        -pl.col("precedence"),
        pl.col("received_at"),
        pl.col("reference").is_null(),
        *("source", "extract_sha256", "sheet", "row"),
        descending=[False, False, True, False, False, False, False, False],
    )
    best = pl.col("value").first().over(UNIT_NODE)
    worth = pl.struct("precedence", "received_at")
    among_best = is_known & (worth == worth.first().over(UNIT_NODE))
    conflicting = pl.when(among_best).then("value").n_unique().over(UNIT_NODE) - (~among_best).any().over(
        UNIT_NODE
    ).cast(pl.UInt32)
    several = ordered.with_columns(
        pl.when(~is_known)
        .then(pl.lit("blank"))
        .when(among_best & (conflicting > 1))
        .then(pl.lit("conflicting"))
        .when(conflicting > 1)
        .then(pl.lit("superseded"))
        .when(pl.int_range(pl.len()).over(UNIT_NODE) == 0)
        .then(pl.lit("used"))
        .when(pl.col("value") == best)
        .then(pl.lit("confirming"))
        .otherwise(pl.lit("superseded"))
        .alias("state")
    )
    return pl.concat([single, several])
