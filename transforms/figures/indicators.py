"""From admitted figures to what is scored: precedence decides between sources, gaps stay gaps unless declared."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.library import Methodology
from transforms.figures.figure_kinds import entered_ranks, item_nodes, with_categories
from transforms.figures.keys import FIGURE_KEY, FIGURE_VALUES, IS_PART, ROW_INDEX, UNIT_NODE, UNIT_NODE_EXTRACT
from transforms.figures.missing import imputed_zeros, partly_blank_findings, partly_blank_sums, possible_units
from transforms.figures.precedence import disagreement_findings, source_frame, with_state
from transforms.figures.sums import (
    incomplete_sums,
    of_newest_forms,
    possible_addends,
    sums_of_known_parts,
    with_ratios,
    with_roll_up_sums,
)
from transforms.figures.treatment import level_caps, with_treated_value

IS_VALUE = pl.col("figure_kind") == "value"  # not a category or a rank


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


class KeyedRows(NamedTuple):
    """Rows by what they are of in the edition.

    `applicable`: admitted rows with their unit-node key, numbered; `not_applicable`: admitted rows of what is declared
    so; `outside`: admitted rows of no unit or no item of the edition; `quarantined`: what quarantined rows were about,
    keys null where they are not known.
    """

    applicable: pl.DataFrame
    not_applicable: pl.DataFrame
    outside: pl.DataFrame
    quarantined: pl.DataFrame


def resolved_figures(
    admitted: pl.DataFrame, quarantined: pl.DataFrame, methodology: Methodology, design: Mapping[str, pl.DataFrame]
) -> ResolvedFigures:
    """What all admitted figures of a night come to. `design` are the frames of the methodology (`design_frames`).

    `admitted` has the rows of all extracts with `received_at` and `is_synthetic` of their receipts; `quarantined` is
    what quarantined rows were about. A sum of events or of repeated rows of which one was quarantined is not known, nor
    one of repeated rows of which one is blank.
    """
    units, nodes = design["unit"], design["node"]
    item_node = item_nodes(nodes)
    unit_label = units.select("unit_key", "label", "region_code", "region_level", "approach")
    keyed = _keyed_rows(admitted, quarantined, item_node, unit_label, methodology, design["not_applicable"])
    applicable = keyed.applicable

    kept_out = _kept_out(keyed.quarantined, possible_addends(quarantined, applicable, item_node, unit_label))
    newest_kept_out = of_newest_forms(kept_out, applicable)
    partly_blank = partly_blank_sums(applicable.filter("is_summed"))
    incomplete = incomplete_sums(applicable, kept_out, partly_blank)
    sums = sums_of_known_parts(applicable, newest_kept_out, incomplete, methodology)
    resolved = with_state(pl.concat([_single_figures(applicable), sums], how="diagonal"))
    used = resolved.filter(pl.col("state") == "used")

    with_values = with_roll_up_sums(with_ratios(_parts(_leaves(used), nodes), methodology), design, methodology)
    reported, undefined, out_of_range = _values(with_values, units, nodes)
    conflicting = resolved.filter(pl.col("state") == "conflicting")
    possible = possible_units(quarantined, applicable, item_node, unit_label)
    unknown = pl.concat(
        [each.select(UNIT_NODE) for each in (newest_kept_out, incomplete, conflicting, possible, undefined)]
    )
    zeros = imputed_zeros(applicable, reported, unknown, units, nodes, design["required_leaf"])
    complete = pl.concat([reported, zeros], how="diagonal").join(
        units.select("unit_key", "population_key"), on="unit_key"
    )
    caps = level_caps(complete, methodology, design)
    return ResolvedFigures(
        reported=with_treated_value(complete, caps).sort(UNIT_NODE),
        cap=caps,
        entered=_entered(used),
        entered_rank=entered_ranks(used, item_node, methodology),
        responding=_responding(keyed),
        observation=_lineage(applicable, resolved, pl.concat([newest_kept_out.select(UNIT_NODE_EXTRACT), incomplete])),
        findings=pl.concat(
            [
                disagreement_findings(resolved),
                _counted_findings("outside_edition", keyed.outside, ("source", "source_item", "approach")),
                _counted_findings("not_applicable", keyed.not_applicable, ("source", "node_code")),
                out_of_range,
                partly_blank_findings(partly_blank),
            ]
        ),
    )


def _keyed_rows(
    admitted: pl.DataFrame,
    quarantined: pl.DataFrame,
    item_node: pl.DataFrame,
    unit_label: pl.DataFrame,
    methodology: Methodology,
    not_applicable: pl.DataFrame,
) -> KeyedRows:
    """The rows with their unit-node keys, admitted ones also with what their source is worth."""

    def with_keys(rows: pl.DataFrame) -> pl.DataFrame:
        of_node = rows.join(item_node, on=["source_item", "figure_kind"], how="left")
        return of_node.join(unit_label, on=["region_code", "region_level", "approach"], how="left")

    rows = with_categories(with_keys(admitted), methodology).join(
        source_frame(methodology.sources), on="source", how="left"
    )
    is_inside = pl.col("unit_key").is_not_null() & pl.col("node_key").is_not_null()
    inside = rows.filter(is_inside)
    return KeyedRows(
        inside.join(not_applicable, on=UNIT_NODE, how="anti").with_row_index(ROW_INDEX),
        inside.join(not_applicable, on=UNIT_NODE, how="semi"),
        rows.filter(~is_inside),
        with_keys(quarantined),
    )


def _kept_out(quarantined: pl.DataFrame, addends: pl.DataFrame) -> pl.DataFrame:
    """Which figures were quarantined, those included of which a row without a known region can be an addend."""
    about = [*UNIT_NODE_EXTRACT, "region_code", "received_at"]
    return pl.concat([quarantined.drop_nulls(UNIT_NODE).select(about), addends.select(about)]).unique()


def _single_figures(applicable: pl.DataFrame) -> pl.DataFrame:
    """The rows that are figures by themselves."""
    return applicable.filter(~IS_PART).select(*FIGURE_KEY, *FIGURE_VALUES, ROW_INDEX)


def _leaves(used: pl.DataFrame) -> pl.DataFrame:
    """The figures that feed leaves, or that ratios are divided by."""
    return used.filter(IS_VALUE & pl.col("aggregation").is_null()).select(
        *UNIT_NODE,
        "value",
        "is_evidenced",
        extract="extract_sha256",
        is_score=pl.col("measure") == "score",
    )


def _entered(used: pl.DataFrame) -> pl.DataFrame:
    """The finished scores."""
    return used.filter(IS_VALUE & (pl.col("measure") == "score")).select(*UNIT_NODE, score="value").sort(UNIT_NODE)


def _responding(keyed: KeyedRows) -> pl.DataFrame:
    """The units about which anything but blanks was sent, admitted or not."""
    answered = keyed.applicable.filter(pl.col("value").is_not_null())
    quarantined = keyed.quarantined.drop_nulls("unit_key")
    return pl.concat([answered.select("unit_key"), quarantined.select("unit_key")]).unique().sort("unit_key")


def _counted_findings(check: str, rows: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Findings about rows that do not count: how many, by some columns."""
    counted = rows.group_by(by).len()
    return counted.select(
        pl.lit(check).alias("check"),
        pl.format(" / ".join("{}" for _ in by), *by).alias("subject"),
        pl.col("len").cast(pl.String).alias("observed"),
        pl.lit(None, pl.String).alias("expected"),
    ).cast(FINDING)


def _parts(leaves: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """The figures of indicators: `numerator`, and of a ratio also `denominator` (null where it is not known)."""
    others = item_nodes(nodes).tail(-nodes.height).filter(figure_kind="value")
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
    with_values: pl.DataFrame, units: pl.DataFrame, nodes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The values of indicators as `ResolvedFigures.reported`, without treatment; the keys where a ratio has none, as
    one of its parts is not known or it is divided by zero; and findings about ratios that cannot be.
    """
    named = with_values.filter("is_impossible").join(nodes.select("node_key", "node_code"), on="node_key")
    findings = named.join(units.select("unit_key", "label"), on="unit_key").select(
        pl.lit("ratio_out_of_range").alias("check"),
        pl.format("{} / {}", "label", "node_code").alias("subject"),
        pl.format("{} / {}", "numerator", "denominator").alias("observed"),
        expected="domain",
    )
    good = pl.col("value").is_not_null() & ~pl.col("is_impossible")
    reported = with_values.filter(good).select(
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
    return reported, with_values.filter(~good).select(UNIT_NODE), findings.cast(FINDING)


def _lineage(applicable: pl.DataFrame, resolved: pl.DataFrame, incomplete: pl.DataFrame) -> pl.DataFrame:
    """Every row that was applicable, with what became of it: a part of a sum shares the state of the sum."""
    figures, parts = applicable.filter(~IS_PART), applicable.filter(IS_PART)
    rows = figures.join(resolved.select(ROW_INDEX, "state"), on=ROW_INDEX, how="left")
    partial = incomplete.unique().with_columns(pl.lit("incomplete").alias("partial"))
    parts = parts.join(resolved.select(*UNIT_NODE_EXTRACT, "state"), on=UNIT_NODE_EXTRACT, how="left")
    parts = parts.join(partial, on=UNIT_NODE_EXTRACT, how="left").with_columns(
        pl.when(pl.col("is_summed") & pl.col("value").is_null())
        .then(pl.lit("blank"))
        .otherwise(pl.coalesce("state", "partial"))
        .alias("state")
    )
    parts = parts.drop("partial")
    return pl.concat([rows, parts]).drop(ROW_INDEX).with_columns(pl.col("state").fill_null("superseded"))
