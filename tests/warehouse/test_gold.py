"""The engine against COINr, the field's reference toolkit (tests/gold)."""

import csv
import math
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.methodology.edition import Edition, Node
from schemas.methodology.library import Library, Methodology
from tests.warehouse.prepared import NOT_A_RATIO, write_prepared
from transforms.engine_tables.design import design_frames
from warehouse.engine.database import EngineLimits
from warehouse.engine.engine import Stamp, score_tables

GOLD = Path(__file__).parents[1] / "gold"


def frame(name: str) -> pl.DataFrame:
    return pl.read_csv(GOLD / f"{name}.csv", null_values=["NA", ""], infer_schema_length=None)


def tree(weights: dict[str, float] | None, aggregation: str, normalisation: str, missing: str) -> tuple[Node, ...]:
    with (GOLD / "input_meta.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Level"]]
    nodes = []
    for row in rows:
        code, leaf = row["iCode"].lower(), row["Level"] == "1"
        weight = weights[row["iCode"]] if weights else float(row["Weight"])
        nodes.append(
            Node.model_validate(
                {
                    "node_code": code,
                    "parent_code": row["Parent"].lower() or None,
                    "level": int(row["Level"]),
                    "kind": row["Type"],
                    "name_id": code,
                    "name_en": code,
                    "weight": Decimal(f"{weight:.6f}") if row["Parent"] else None,
                    "direction": int(row["Direction"]) if leaf and normalisation == "min_max" else 1,
                    "unit": "score_100",
                    "normalisation": normalisation if leaf else "none",
                    "aggregation": None if leaf else aggregation,
                    "missing": None if leaf else missing,
                    "source_item": code,
                    "evidence": "A",
                    "note": None,
                }
            )
        )
    return tuple(nodes)


def scored(
    folder: Path, values: pl.DataFrame, nodes: tuple[Node, ...], lowest: int, as_scores: bool, packaged: Methodology
) -> pl.DataFrame:
    """The nodes' scores of COINr's 60 units, which stand here as regions of one level."""
    units = sorted(values["uCode"])
    edition = packaged.edition.model_copy(
        update={
            "nodes": nodes,
            "scale": packaged.edition.scale.model_copy(update={"lowest": Decimal(lowest)}),
            "region_levels": (
                # COINr scales by what is observed, however much of it there is.
                packaged.edition.region_levels[1].model_copy(
                    update={"regions": 60, "approaches": ("input",), "scaled_from": Decimal("0.01")}
                ),
            ),
            "roll_ups": (),
            "cut_offs": (),
            "weights": "points",
        }
    )
    regions = pl.DataFrame(
        {
            "code": units,
            "level": "province",
            "name": units,
            "parent": None,
            "kind": "x",
            "valid_from": None,
            "valid_to": None,
            "code_2020": None,
            "code_bps": None,
        },
        schema=packaged.reference.regions.schema,
    )
    reference = replace(packaged.reference, regions=regions, changes=packaged.reference.changes.clear())
    methodology = Methodology(packaged.dictionary, packaged.sources, (), reference, edition, files={})
    frames = design_frames(methodology)
    place = (
        values.unpivot(index="uCode", variable_name="code", value_name="value")
        .drop_nulls("value")
        .with_columns(pl.col("code").str.to_lowercase(), pl.col("value").cast(pl.Float64))
        .join(frames["unit"].select("unit_key", uCode="region_code"), on="uCode")
        .join(frames["node"].select("node_key", code="node_code"), on="code")
    )
    frames["reported"] = place.select(
        pl.lit(1).alias("population_key"),
        "unit_key",
        "node_key",
        raw_value="value",
        treated_value="value",
        status=pl.lit("reported"),
        extract_count=pl.lit(1),
        **NOT_A_RATIO,
        is_evidenced=pl.lit(False),
        is_score=pl.lit(as_scores),
    )
    entered = place.select("unit_key", "node_key", score="value")
    frames["entered"] = entered if as_scores else entered.clear()
    prepared = write_prepared(folder, frames, packaged.dictionary)
    score_tables(prepared, edition, Stamp(date(2026, 1, 1), "s", False), EngineLimits(), folder / "tables")
    return pl.read_parquet(folder / "tables/node_score.parquet")


def assert_equal(found: pl.DataFrame, expected: pl.DataFrame, columns: list[str]) -> None:
    scores = {row[:2]: row[2:] for row in found.select("region_code", "node_code", "score", "rank").rows()}
    compared = 0
    for row in expected.iter_rows(named=True):
        for column in columns:
            score = scores[row["uCode"], column.lower()][0]
            if row[column] is None:
                assert score is None, (row["uCode"], column)
            else:
                assert math.isclose(score, row[column], rel_tol=1e-9, abs_tol=1e-9), (row["uCode"], column)
            compared += 1
        if "Rank_Index" in row:
            assert scores[row["uCode"], "index"][1] == row["Rank_Index"]
    assert compared == len(columns) * 60


AGGREGATES = ["Gov", "Par", "Sec", "Soc", "Inf", "Ctx", "Con", "Index"]


@pytest.fixture(scope="module")
def packaged() -> Methodology:
    return Library().edition("ikp-2024-published")


def test_weighted_arithmetic_means(tmp_path: Path, packaged: Methodology) -> None:
    nodes = tree(None, "arithmetic_mean", "none", "complete")
    found = scored(tmp_path, frame("chain_normalised"), nodes, 0, True, packaged)
    assert_equal(found, frame("agg_amean_w"), AGGREGATES)


def test_weighted_geometric_means(tmp_path: Path, packaged: Methodology) -> None:
    """COINr's were made on the scale 1..100."""
    values = frame("chain_normalised")
    values = values.with_columns(pl.exclude("uCode") * 0.99 + 1)
    found = scored(tmp_path, values, tree(None, "geometric_mean", "none", "complete"), 0, True, packaged)
    assert_equal(found, frame("agg_gmean_w"), AGGREGATES)


@pytest.mark.parametrize(("lowest", "name"), [(0, "norm_minmax_0_100"), (1, "norm_minmax_1_100")])
def test_min_max_in_both_directions(tmp_path: Path, packaged: Methodology, lowest: int, name: str) -> None:
    expected = frame(name)
    indicators = [column for column in expected.columns if column != "uCode"]
    values = frame("input_data").select("uCode", *indicators)
    found = scored(tmp_path, values, tree(None, "arithmetic_mean", "min_max", "rescale"), lowest, False, packaged)
    assert_equal(found, expected, indicators)


def test_gaps_with_rescaled_weights_and_ranks(tmp_path: Path, packaged: Methodology) -> None:
    weights = dict(frame("weights_W1").select("iCode", "Weight").rows())
    indicators = [f"i{number:02}" for number in range(1, 15)]
    values = frame("input_data").select("uCode", *indicators)
    nodes = tree(weights, "arithmetic_mean", "min_max", "rescale")
    found = scored(tmp_path, values, nodes, 1, False, packaged)
    assert_equal(found, frame("agg_na_amean"), AGGREGATES)


def test_effective_weights(packaged: Methodology) -> None:
    nodes = tree(None, "arithmetic_mean", "none", "complete")
    edition: Edition = packaged.edition.model_copy(update={"nodes": nodes, "weights": "points"})
    methodology: Any = Methodology(packaged.dictionary, packaged.sources, (), packaged.reference, edition, files={})
    from transforms.engine_tables.nodes import node_frame

    found = dict(node_frame(methodology).select("node_code", "effective_weight").rows())
    for row in frame("effective_weights").iter_rows(named=True):
        assert math.isclose(found[row["iCode"].lower()], row["EffWeight"], rel_tol=1e-12)
