"""What holds for every edition, whatever it declares and whatever is missing: checked on editions made by chance."""

import csv
import io
from collections import Counter

import polars as pl
import pytest
import yaml

from tests.generated import EDITION, generated, tables

MANY = 200
FEW = 10


@pytest.mark.parametrize("seeds", [range(FEW), pytest.param(range(FEW, MANY), marks=pytest.mark.slow)], ids=str)
def test_a_range_holds_what_it_ranges_over(seeds: range) -> None:
    index = pl.concat(
        tables(generated(seed), "index_score")["index_score"].with_columns(pl.lit(seed).alias("seed")) for seed in seeds
    )
    score, lowest, highest = pl.col("score"), pl.col("score_lowest"), pl.col("score_highest")
    rank, best, worst = pl.col("rank"), pl.col("rank_best"), pl.col("rank_worst")
    wrong = {
        "the score lies outside its range": (score < lowest) | (score > highest) | (lowest > highest),
        "the rank lies outside its range": (rank < best) | (rank > worst) | (best > worst),
        "there is no such place": (best < 1) | (worst > pl.col("regions_ranked")),
        "what was entered has a range": (pl.col("origin") == "entered")
        & (lowest.is_not_null() | highest.is_not_null()),
        "a place without a rank or an end": best.is_null() != (rank.is_null() | highest.is_null()),
        "a last place without a rank or an end": worst.is_null() != (rank.is_null() | lowest.is_null()),
    }
    for what, condition in wrong.items():
        assert index.filter(condition).is_empty(), what
    # Editions that show nothing prove nothing; a few cannot show everything.
    is_wide = lowest < highest
    shown = {
        "a range that is wider than its score": is_wide & score.is_not_null(),
        "a score at the end of its range": is_wide & ((score == lowest) | (score == highest)),
        "a rank that could be another": best < worst,
        "a range without a score": score.is_null() & lowest.is_not_null(),
        "a score without a range": score.is_not_null() & lowest.is_null(),
        **{origin: pl.col("origin") == origin for origin in ("computed", "entered", "rolled_up")},
    }
    found = {what: index.filter(condition)["seed"].n_unique() for what, condition in shown.items()}
    assert min(found.values()) >= len(seeds) // 20, found


@pytest.mark.slow
def test_the_editions_are_of_every_kind() -> None:
    kinds: Counter[tuple[str, object]] = Counter()
    for seed in range(MANY):
        files = generated(seed).files
        plan = yaml.safe_load(files[f"editions/{EDITION}/edition.yml"])
        nodes = list(csv.DictReader(io.StringIO(files[f"editions/{EDITION}/nodes.csv"])))
        kinds["depth", max(int(node["level"]) for node in nodes)] += 1
        for key in ("treatments", "goalposts", "not_applicable"):
            kinds["declares", key if key in plan else ""] += 1
        for column in ("aggregation", "normalisation", "missing", "direction", "denominator"):
            kinds.update({(column, node[column]) for node in nodes})
        for each in plan["roll_ups"]:
            kinds["method", each["method"]] += 1
            kinds["share of the regions below", each["min_share"]] += 1
        kinds["extracts", len(generated(seed).extracts)] += 1
    assert {value for key, value in kinds if key == "depth"} == {2, 3, 4, 5}
    assert {value for key, value in kinds if key == "missing"} == {"", "unknown", "zero", "complete", "rescale"}
    assert {value for key, value in kinds if key == "aggregation"} == {"", "arithmetic_mean", "geometric_mean", "sum"}
    assert {value for key, value in kinds if key == "normalisation"} == {"none", "max", "min_max"}
    assert {value for key, value in kinds if key == "declares"} == {"", "treatments", "goalposts", "not_applicable"}
    assert {value for key, value in kinds if key == "method"} == {"mean", "sum"}
    assert min(kinds.values()) >= MANY / 20, kinds


def test_an_edition_is_the_same_every_time() -> None:
    assert generated(7) == generated(7) != generated(8)
