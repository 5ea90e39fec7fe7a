"""The methodology as the frames the engine computes with: regions and nodes are integers there."""

import polars as pl

from schemas.contract.dictionary import Dictionary
from schemas.contract.violations import rule_frame
from schemas.methodology.library import Methodology
from transforms.engine_tables.nodes import cut_off_frame, goalpost_frame, node_frame
from transforms.engine_tables.plan import (
    expected_frame,
    not_applicable_frame,
    required_leaf_frame,
    roll_up_exempt_frame,
    roll_up_frame,
    roll_up_rule_frame,
)
from transforms.engine_tables.units import crosswalk_frame, edition_frame, population_frame, region_frame, unit_frame


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
        "required_leaf": required_leaf_frame(methodology, populations, nodes),
        "not_applicable": not_applicable,
        "region_reference": region_frame(methodology.reference, regions),
        "crosswalk": crosswalk_frame(methodology.reference, methodology.regions(), edition.regions_date),
        "edition": edition_frame(edition),
        "rule": rule_frame(methodology.dictionary),
        "published_column": published_column_frame(methodology.dictionary),
    }


def published_column_frame(dictionary: Dictionary) -> pl.DataFrame:
    """The columns of published tables in their order: `table`, `position`, `column`, and `is_required` where the
    contract allows no gap.
    """
    return pl.DataFrame(
        [
            (name, position, column, dictionary.columns[column].null_when is None)
            for name, table in dictionary.published.items()
            for position, column in enumerate(table.columns, start=1)
        ],
        schema={"table": pl.String, "position": pl.Int32, "column": pl.String, "is_required": pl.Boolean},
        orient="row",
    )
