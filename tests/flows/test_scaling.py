"""What scores are scaled by: nothing less than the level's declared coverage, or bounds that are declared."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import MethodologyError
from schemas.methodology.library import Library
from tests.conftest import Nights, Published
from tests.contract.recomputed import Snapshot
from tests.themes import CODES, EDITION, findings, index_of, sent, theme

WHOLE = ["11,383,,", "12,214,,", "13,100,,", "14,10,,", "15,0,,"]


def test_without_the_highest_region_nobody_takes_its_place(nights: Nights, tmp_path: Path) -> None:
    own = theme(tmp_path)
    night = nights.run(sent(tmp_path, *WHOLE[1:]), edition=EDITION, methodology=own)
    assert night.outcome == "held"
    assert set(index_of(nights, night).values()) == {(None, None, None)}
    assert not (nights.store / "stable").exists()
    assert findings(nights, night, "scaling_below") == [("province / input / kasus", "4", "5")]
    assert findings(nights, night, "scales_covered")[0][1:] == ("1", "<= 0")
    row = nights.table(night, "scaling", EDITION).filter(region_level="province", node_code="kasus").to_dicts()[0]
    assert (row["method"], row["highest"], row["n"], row["n_needed"], row["basis"]) == ("max", None, 4, 5, "derived")


def test_with_all_of_them_the_highest_is_the_top(nights: Nights, tmp_path: Path) -> None:
    night = nights.run(sent(tmp_path, *WHOLE), edition=EDITION, methodology=theme(tmp_path))
    assert night.outcome == "published"
    assert index_of(nights, night)["12"][:2] == (pytest.approx(100 * 214 / 383), 2)
    assert (nights.store / "stable/v1" / EDITION).exists()


def test_a_declared_bound_needs_no_coverage(nights: Nights, tmp_path: Path) -> None:
    post = 'goalposts: [{node: kasus, level: province, highest: 383, evidence: S, note: "from the book"}]'
    night = nights.run(sent(tmp_path, *WHOLE[1:]), edition=EDITION, methodology=theme(tmp_path, more=post))
    assert night.outcome == "published"
    index = index_of(nights, night)
    assert index["12"][0] == pytest.approx(55.87, abs=0.005)
    assert index["11"] == (None, None, None)
    row = nights.table(night, "scaling", EDITION).filter(region_level="province", node_code="kasus").to_dicts()[0]
    assert (row["highest"], row["n"], row["basis"], row["evidence"]) == (383, 4, "declared", "S")


def test_an_edition_may_ask_for_less_than_all(nights: Nights, tmp_path: Path) -> None:
    own = theme(tmp_path, coverage=", scaled_from: 0.8")
    night = nights.run(sent(tmp_path, *WHOLE[1:]), edition=EDITION, methodology=own)
    assert night.outcome == "published"
    assert index_of(nights, night)["12"][0] == 100


def test_beyond_a_declared_bound_a_value_counts_as_the_bound_and_is_named(nights: Nights, tmp_path: Path) -> None:
    posts = (
        "goalposts: [{node: kasus, level: province, lowest: 10, highest: 110, evidence: A},"
        "{node: survei, level: province, lowest: 20, highest: 60, evidence: A}]"
    )
    own = theme(tmp_path, method="min_max", more=posts)
    night = nights.run(
        sent(tmp_path, "11,0,20,", "12,60,60,", "13,400,10,", "14,n/a,40,"), edition=EDITION, methodology=own
    )
    index = index_of(nights, night)
    assert {code: score for code, (score, *_) in index.items()} == {"11": 50, "12": 25, "13": 100, "14": 50, "15": None}
    assert findings(nights, night, "beyond_goalpost") == [
        ("province / input / kasus", "0.0 - 400.0", "10.0 - 110.0"),
        ("province / input / survei", "10.0 - 60.0", "20.0 - 60.0"),
    ]


@pytest.mark.parametrize(
    ("post", "sentence"),
    [
        ("{node: nobody, level: province, highest: 9, evidence: A}", "which is not in nodes.csv"),
        ("{node: tema, level: province, highest: 9, evidence: A}", "which is not normalised"),
        ("{node: kasus, level: village, highest: 9, evidence: A}", "which is not scored here"),
        ("{node: kasus, level: province, lowest: 1, highest: 9, evidence: A}", "and no lowest"),
        ("{node: kasus, level: province, highest: 0, evidence: A}", "a highest above 0"),
        ("{node: survei, level: province, highest: 9, evidence: A}", "a lowest below its highest"),
    ],
)
def test_a_goalpost_that_means_nothing_is_refused(post: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(MethodologyError, match=sentence):
        Library(theme(tmp_path, more=f"goalposts: [{post}]")).edition(EDITION)


def _alike() -> Iterator[Any]:
    """All combinations; those are fast that have every two values of different parameters together."""
    bounds = [("mean_sd", "sd: 1"), ("quantile", "quantile: 0.5"), ("fixed", "at: 50")]
    for (one, method), (two, (basis, bound)) in product(enumerate(["max", "min_max", "none"]), enumerate(bounds)):
        for three, figures in enumerate(["0 0 0 0 0", "7 7 7 7 7"]):
            marks = () if (one + two) % 2 == three else pytest.mark.slow
            yield pytest.param(method, basis, bound, figures, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "basis", "bound", "figures"), list(_alike()))
def test_where_all_are_alike_nobody_is_first(
    method: str, basis: str, bound: str, figures: str, nights: Nights, tmp_path: Path
) -> None:
    own = theme(tmp_path, method=method, basis=basis, bound=bound)
    rows = [f"{code},{figure},," for code, figure in zip(CODES, figures.split(), strict=True)]
    night = nights.run(sent(tmp_path, *rows), edition=EDITION, methodology=own)
    assert {row[1:] for row in index_of(nights, night).values()} == {(None, None)}
    if method != "min_max":  # which has no score where all are equal
        assert ("province / input / tema", "0.01") in {
            (subject, unit) for subject, _, unit in findings(nights, night, "no_spread")
        }


def test_an_outsider_recomputes_what_was_scaled(nights: Nights, tmp_path: Path) -> None:
    own = theme(
        tmp_path,
        coverage=", scaled_from: 0.6",
        more="treatments: [{level: province, approach: input, cap_quantile: 0.7, evidence: A}]",
    )
    night = nights.run(
        sent(tmp_path, "11,383,40,", "12,214,n/a,", "13,n/a,75.5,", "14,10,12,64.25", "15,n/a,n/a,"),
        edition=EDITION,
        methodology=own,
    )
    assert Snapshot(nights.store / "snapshots" / EDITION / night.snapshot_id / "tables").differences() == []
    assert nights.table(night, "scaling", EDITION)["cap"].count() == 2


def test_an_outsider_recomputes_the_published_edition(bundled: Published) -> None:
    nights, night = bundled
    snapshot = Snapshot(nights.store / "snapshots/ikp-2024-published" / night.snapshot_id / "tables")
    assert snapshot.differences() == []
    assert len(snapshot.scores) > 100


@pytest.mark.slow
def test_one_slip_of_the_pen_does_not_become_stable(nights: Nights, tmp_path: Path) -> None:
    own = theme(tmp_path)
    night = nights.run(sent(tmp_path, *WHOLE[1:], f"11,{10**12},,"), edition=EDITION, methodology=own)
    assert night.outcome == "held"
    assert findings(nights, night, "values_plausible")[0][1:] == ("province / input / kasus / 11: 4.6729e+09", "<= 100")
    assert not (nights.store / "stable").exists()


@pytest.mark.slow
def test_means_of_equal_scores_stay_on_their_scale(nights: Nights, tmp_path: Path) -> None:
    own = theme(tmp_path, method="min_max")
    plan = own / "editions" / EDITION / "nodes.csv"
    leaves = "".join(
        f"x{place},tema,1,indicator,x,x,{weight},1,count,max,,,x{place},A,\n"
        for place, weight in enumerate(["0.1", "0.2", "0.7", "3.3", "0.000001"])
    )
    plan.write_text(plan.read_text() + leaves)
    sources = own / "sources.yml"
    items = "".join(f"    x{place}: {{item: x{place}, approach: input}}\n" for place in range(5))
    sources.write_text(sources.read_text().replace("  missing: [n/a]\n", f"{items}  missing: [n/a]\n", 1))
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    rows = [f"{code},{place},{place},3,3,3,3,3" for place, code in enumerate(CODES)]
    (inbox / "kantor-1.csv").write_text("\n".join(["kode,kasus,survei,x0,x1,x2,x3,x4", *rows, ""]))
    night = nights.run(inbox, edition=EDITION, methodology=own)
    scores = nights.table(night, "node_score", EDITION)["score"].drop_nulls()
    assert scores.max() == 100
    assert scores.min() == 0
