"""How far an index could lie from what it is: the engine's columns against a plain recomputation, for random trees."""

import tempfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.methodology.edition import Node, RollUp
from schemas.methodology.library import Library, Methodology
from tests.warehouse.plain_index import Index, Part, Told
from tests.warehouse.prepared import NOT_A_RATIO, write_prepared
from transforms.engine_tables.design import design_frames
from warehouse.engine.database import EngineLimits, open_database, statement, used
from warehouse.engine.engine import Engine, Stamp

REGIONS = 5
NEAR = 1e-9
UNIT = 0.01  # of the published figures: what lies closer together is not ranked


@cache
def packaged() -> Methodology:
    """The packaged methodology with one nation of a few provinces in place of Indonesia."""
    library = Library().edition("ikp-2024-published")
    nation, province = library.edition.region_levels[:2]
    edition = library.edition.model_copy(
        update={
            "region_levels": (
                nation.model_copy(update={"regions": 1, "approaches": ("rollup",), "ranked": False}),
                # Scales rest on whatever is known, so that trees with gaps have scores.
                province.model_copy(
                    update={
                        "regions": REGIONS,
                        "approaches": ("input",),
                        "ranked": True,
                        "scaled_from": Decimal("0.01"),
                    }
                ),
            ),
            "cut_offs": (),
            "treatments": (),
            "weights": "points",
        }
    )
    empty = library.reference.regions.head(0)
    codes = [f"{region:02}" for region in range(REGIONS)]
    regions = pl.DataFrame(
        {
            "code": ["ID", *codes],
            "level": ["national", *["province"] * REGIONS],
            "name": ["x", *codes],
            "parent": [None, *["ID"] * REGIONS],
            "kind": "x",
        },
        schema_overrides=dict(empty.schema),
    )
    reference = replace(
        library.reference,
        regions=pl.concat([empty, regions], how="diagonal"),
        changes=library.reference.changes.clear(),
    )
    return Methodology(library.dictionary, library.sources, (), reference, edition, files={})


def nodes_of(part: Part, parent: str | None, level: int) -> list[Node]:
    node = Node.model_validate(
        {
            "node_code": part.code,
            "parent_code": parent,
            "level": level,
            "kind": "x",
            "name_id": part.code,
            "name_en": part.code,
            "weight": Decimal(part.weight) if parent else None,
            "direction": part.direction,
            "unit": "count",
            "normalisation": part.normalisation,
            "aggregation": part.aggregation or None,
            "missing": part.missing if part.children else None,
            "source_item": part.code,
            "evidence": "A",
            "note": None,
        }
    )
    return [node, *(each for child in part.children for each in nodes_of(child, part.code, level - 1))]


def of_the_engine(root: Part, told: Told, min_share: float) -> dict[str, dict[str, Any]]:
    """The rows of the index by code of region."""
    start = packaged()
    level = 1
    part = root
    while part.children:
        level, part = level + 1, part.children[0]
    roll_up = {"from": "province", "from_approach": "input", "to": "national", "approach": "rollup"}
    edition = start.edition.model_copy(
        update={
            "nodes": tuple(nodes_of(root, None, level)),
            "roll_ups": (RollUp.model_validate(roll_up | {"min_share": Decimal(str(min_share))}),),
        }
    )
    frames = design_frames(replace(start, edition=edition))
    unit = dict(frames["unit"].filter(region_level="province")["region_code", "unit_key"].rows())
    population = frames["unit"].filter(region_level="province")["population_key"][0]
    node = dict(frames["node"]["node_code", "node_key"].rows())
    leaves = {each.code for each in root.parts() if not each.children}

    def keys(place: tuple[int, str]) -> tuple[int, int]:
        return unit[f"{place[0]:02}"], node[place[1]]

    scores = {place: score for place, score in told.scores.items() if place[1] in leaves}
    rows = [
        (*keys(place), value, "imputed" if place in told.filled else "reported" if value else "reported_zero", scored)
        for values, scored in ((told.values, False), (told.filled, False), (scores, True))
        for place, value in values.items()
    ]
    schema = {"unit_key": pl.Int32, "node_key": pl.Int32, "treated_value": pl.Float64, "status": pl.String}
    frames["reported"] = pl.DataFrame(rows, schema=schema | {"is_score": pl.Boolean}, orient="row").with_columns(
        pl.lit(population).alias("population_key"),
        raw_value="treated_value",
        extract_count=pl.lit(1),
        is_evidenced=pl.lit(False),
        **NOT_A_RATIO,
    )
    entered = [(*keys(place), score) for place, score in told.scores.items()]
    frames["entered"] = pl.DataFrame(
        entered, schema={"unit_key": pl.Int32, "node_key": pl.Int32, "score": pl.Float64}, orient="row"
    )
    exempt = [keys(place) for place in told.exempt]
    frames["not_applicable"] = pl.DataFrame(exempt, schema=frames["not_applicable"].schema, orient="row")
    with tempfile.TemporaryDirectory() as folder:
        prepared = write_prepared(Path(folder), frames, start.dictionary)
        limits = EngineLimits(threads=1)
        with open_database(limits, [prepared]) as connection:
            engine = Engine(connection, prepared, edition, Stamp(date(2026, 1, 1), "s", False), limits)
            engine.score()
            engine.find_ranges()
            text = statement("sql/publish", "index_score")
            rows = connection.sql(text, params=used(text, engine.values)).pl()
    return {row["region_code"]: row for row in rows.to_dicts()}


VALUE = st.integers(0, 8).map(float)
SCORE = st.sampled_from([0.0, 12.5, 50.0, 100.0])
AGGREGATION = st.sampled_from(["arithmetic_mean", "geometric_mean", "sum"])
NORMALISATION = st.sampled_from(["none", "max", "min_max"])
MISSING = st.sampled_from(["complete", "rescale"])


@st.composite
def trees(draw: st.DrawFn) -> Part:
    """An index of one to three aggregates, each of one to three leaves."""

    def leaf(code: str) -> Part:
        normalisation = draw(NORMALISATION)
        direction = draw(st.sampled_from([1, -1])) if normalisation == "min_max" else 1
        return Part(code, draw(st.integers(1, 4)), normalisation, direction)

    def above(code: str, children: list[Part]) -> Part:
        rules = draw(NORMALISATION), 1, draw(AGGREGATION), draw(MISSING)
        return Part(code, draw(st.integers(1, 4)), *rules, children=tuple(children))

    middle = range(draw(st.integers(1, 3)))
    return above(
        "index", [above(f"m{m}", [leaf(f"m{m}l{each}") for each in range(draw(st.integers(1, 3)))]) for m in middle]
    )


@st.composite
def stories(draw: st.DrawFn) -> tuple[Part, Told, float]:
    """A tree, what was told of its nodes, and the share of regions that a roll-up asks for."""
    root = draw(trees())
    values: dict[tuple[int, str], float] = {}
    filled: dict[tuple[int, str], float] = {}
    scores: dict[tuple[int, str], float] = {}
    exempt: set[tuple[int, str]] = set()
    for part in root.parts():
        for region in range(REGIONS):
            luck = draw(st.integers(0, 19))
            if part.children:
                if all((region, child.code) in exempt for child in part.children):
                    exempt.add((region, part.code))
                elif luck == 0:
                    scores[region, part.code] = draw(SCORE)
            elif luck < 12:
                values[region, part.code] = draw(VALUE)
            elif luck < 15:
                filled[region, part.code] = 0.0
            elif luck == 15:
                scores[region, part.code] = draw(SCORE)
            elif luck == 16:
                exempt.add((region, part.code))
    return root, Told(REGIONS, values, filled, scores, frozenset(exempt)), draw(st.sampled_from([0.2, 0.6, 1.0]))


def compare(found: float | None, wanted: float | None, what: object) -> None:
    assert found == (None if wanted is None else pytest.approx(wanted, rel=NEAR, abs=NEAR)), what


def mean_where(values: list[float | None], min_share: float) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) >= len(values) * min_share else None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def test_the_range_is_what_a_plain_recomputation_finds(story: tuple[Part, Told, float]) -> None:
    root, told, min_share = story
    rows = of_the_engine(root, told, min_share)
    index = Index(root, told)
    scores = [index.scores.get((region, root.code)) for region in range(REGIONS)]
    ends = {
        name: [index.end(region, choose) for region in range(REGIONS)]
        for name, choose in (("score_lowest", min), ("score_highest", max))
    }
    for region in range(REGIONS):
        row = rows[f"{region:02}"]
        compare(row["score"], scores[region], "score")
        for name, rank in (("score_lowest", "rank_worst"), ("score_highest", "rank_best")):
            end = ends[name][region]
            compare(row[name], end, (name, region))
            others = [score for place, score in enumerate(scores) if place != region and score is not None]
            known = [score for score in scores if score is not None]
            if end is None or len(known) < REGIONS or max(known) - min(known) < UNIT:
                assert row[rank] is None
                continue
            # what differs by less than rounding may stand on either side
            first, last = (1 + sum(score > end + near for score in others) for near in (NEAR * 100, -NEAR * 100))
            assert first <= row[rank] <= last, (rank, region)
    for row in rows.values():
        assert_inside(row)
    nation = rows["ID"]
    if nation["origin"] != "computed":  # from aggregates that are rolled up
        compare(nation["score"], mean_where(scores, min_share), "score of the nation")
    touched = [index.is_touched(region) for region in range(REGIONS)]
    if not any(touched):
        assert nation["score_lowest"] == nation["score_highest"] == nation["score"]
        return
    possible = [region for region in range(REGIONS) if touched[region] or scores[region] is not None]
    for name, choose in (("score_lowest", min), ("score_highest", max)):
        known = [end for region in possible if (end := ends[name][region]) is not None]
        if len(possible) < REGIONS * min_share:
            continue  # computed of the ends of what is rolled up
        mean = sum(known) / len(known) if len(known) == len(possible) else None
        is_beyond = None not in (mean, nation["score"])
        compare(nation[name], choose([mean, nation["score"]]) if is_beyond else mean, name)


def assert_inside(row: dict[str, Any]) -> None:
    """A region's score and rank lie in their ranges, to the last bit, and neither range is the wrong way round."""
    for first, value, last in (("score_lowest", "score", "score_highest"), ("rank_best", "rank", "rank_worst")):
        known = [row[name] for name in (first, value, last) if row[name] is not None]
        assert known == sorted(known), row


def test_where_nothing_was_seen_there_is_a_score_but_no_range() -> None:
    root = Part("index", 1, "none", 1, "arithmetic_mean", "complete", (Part("a", 1, "none"), Part("b", 1, "max")))
    values = {(region, "a"): 10.0 * region for region in range(REGIONS)}
    told = Told(REGIONS, values, {(region, "b"): 0.0 for region in range(REGIONS)}, {(4, "index"): 7.0}, frozenset())
    rows = of_the_engine(root, told, 1.0)
    columns = ("score", "score_lowest", "score_highest", "rank", "rank_best", "rank_worst")
    assert {code: tuple(row[name] for name in columns) for code, row in rows.items()} == {
        "00": (0.0, None, None, 5, None, None),
        "01": (5.0, None, None, 4, None, None),
        "02": (10.0, None, None, 2, None, None),
        "03": (15.0, None, None, 1, None, None),
        "04": (7.0, None, None, 3, None, None),
        "ID": (7.4, None, None, None, None, None),
    }


RESCALED = Part("index", 1, "none", 1, "arithmetic_mean", "rescale", (Part("a", 1, "min_max"), Part("b", 1, "none")))


def test_a_leaf_without_a_scale_is_left_out_of_the_range_as_it_is_of_the_score() -> None:
    alike = {(region, "a"): 3.0 for region in range(REGIONS)}
    values = alike | {(0, "b"): 10.0, (1, "b"): 20.0, (2, "b"): 15.0}
    rows = of_the_engine(RESCALED, Told(REGIONS, values, {(3, "b"): 0.0}, {}, frozenset()), 1.0)
    found = {
        code: tuple(row[name] for name in ("score", "score_lowest", "score_highest")) for code, row in rows.items()
    }
    assert found["00"] == (10.0, 10.0, 10.0)
    # b alone makes the index; it was seen from 10 to 20, and the zero that a blank counts as is less
    assert found["03"] == (0.0, 0.0, 20.0)
    assert found["04"] == (None, 10.0, 20.0)


def test_so_it_is_where_it_was_not_reported() -> None:
    alike = {(region, "a"): 3.0 for region in range(REGIONS - 1)}
    told = Told(REGIONS, alike | {(region, "b"): 10.0 * region for region in range(REGIONS)}, {}, {}, frozenset())
    last = of_the_engine(RESCALED, told, 1.0)["04"]
    assert (last["score"], last["rank"]) == (40.0, 1)
    assert (last["score_lowest"], last["score_highest"], last["rank_best"], last["rank_worst"]) == (40.0, 40.0, 1, 1)


def test_so_it_is_with_an_aggregate() -> None:
    alike = Part("m", 1, "min_max", 1, "sum", "complete", (Part("a", 1, "none"),))
    other = Part("n", 1, "none", 1, "sum", "complete", (Part("b", 1, "none"),))
    root = Part("index", 1, "none", 1, "arithmetic_mean", "rescale", (alike, other))
    values = {(region, "a"): 3.0 for region in range(REGIONS - 1)}
    told = Told(REGIONS, values | {(region, "b"): 10.0 * region for region in range(REGIONS)}, {}, {}, frozenset())
    last = of_the_engine(root, told, 1.0)["04"]
    assert (last["score"], last["rank"]) == (40.0, 1)
    assert (last["score_lowest"], last["score_highest"], last["rank_best"], last["rank_worst"]) == (40.0, 40.0, 1, 1)
