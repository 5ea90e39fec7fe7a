"""What differs between two snapshots is told: regions that moved, rows, columns, extracts, methodology."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import EDITION, Answer, Nights, Published
from warehouse.snapshots.diff import difference
from warehouse.store.store import Store

Cli = Callable[..., Answer]
PRESS = "siaran-pers-provinsi-2022-12-16.csv"


@pytest.fixture
def two(published: Published, inbox: Path) -> tuple[Nights, str, str]:
    """A night, and one with another figure of Bengkulu."""
    nights, first = published
    text = (inbox / PRESS).read_text()
    assert "Bengkulu;Input provinsi;3,79" in text
    (inbox / PRESS).write_text(text.replace("Bengkulu;Input provinsi;3,79", "Bengkulu;Input provinsi;23,79"))
    return nights, first.snapshot_id, nights.run(inbox).snapshot_id


@pytest.mark.slow
def test_moves_rows_and_extracts(two: tuple[Nights, str, str], kerawanan: Cli) -> None:
    nights, first, second = two
    found = difference(Store(str(nights.store)), first, second)
    assert not found.is_same_content
    bengkulu = found.regions[0]
    assert (bengkulu.region_name, bengkulu.approach) == ("Bengkulu", "input")
    assert bengkulu.change == pytest.approx(20)
    assert (bengkulu.rank_before, bengkulu.rank_after) == (34, 27)
    assert (bengkulu.category_before, bengkulu.category_after) == ("rendah", "sedang")
    # Seven provinces are overtaken, and the national mean moves.
    assert [(each.rank_after or 0) - (each.rank_before or 0) for each in found.regions[2:]] == [1] * 7
    tables = {each.table: each for each in found.tables}
    assert tables["index_score"].rows_changed == len(found.regions) == 9
    assert tables["index_score"].rows_added == tables["index_score"].rows_removed == 0
    assert not {"region", "methodology_node", "edition", "crosswalk"} & tables.keys()
    assert [each.file_name for each in found.inputs.added] == [PRESS]
    assert (found.inputs.removed, found.methodology) == ([], [])
    back = difference(Store(str(nights.store)), second, first)
    assert back.regions[0].change == pytest.approx(-20)
    assert [each.file_name for each in back.inputs.removed] == [PRESS]


@pytest.mark.slow
def test_said_in_text_json_and_markdown(two: tuple[Nights, str, str], kerawanan: Cli) -> None:
    nights, first, second = two
    ask = ("snapshots", "diff", first, second, "--store", nights.store)
    text = kerawanan(*ask)
    assert text.code == 0
    assert "9 region(s) have another score, rank or category" in text.out
    assert "3.79 > 23.79   34 > 27  rendah > sedang" in text.out
    assert kerawanan(*ask, "--format", "json").json["regions"][0]["region_code"] == "17"
    markdown = kerawanan(*ask, "--markdown").out
    assert "| province | input | 17 | Bengkulu | 20.000 | 3.790 | 23.790 | 34 | 27 | rendah | sedang |" in markdown
    same = kerawanan("snapshots", "diff", second, second, "--store", nights.store)
    assert "the same content" in same.out
    assert "No region has another score" in same.out
    assert "  - nothing" in same.out


@pytest.mark.slow
def test_a_published_night_says_what_it_changes(published: Published, inbox: Path, kerawanan: Cli) -> None:
    nights, _ = published
    (inbox / PRESS).write_text(
        (inbox / PRESS).read_text().replace("Bengkulu;Input provinsi;3,79", "Bengkulu;Input provinsi;4,79")
    )
    run = ("run", "--edition", EDITION, "--inbox", inbox, "--store", nights.store, "--format", "json")
    changes = kerawanan(*run).json["changes"]
    assert changes["regions_changed"] == 2
    assert [each["region_code"] for each in changes["regions"]] == ["17", "ID"]
    assert kerawanan(*run).json["changes"] is None


@pytest.mark.slow
def test_columns_and_tables_that_came_or_went(two: tuple[Nights, str, str]) -> None:
    nights, first, second = two
    tables = nights.store / "snapshots" / EDITION / first / "tables"
    (tables / "reporting.parquet").unlink()
    frame = pl.read_parquet(tables / "cut_off.parquet")
    frame.drop("n").with_columns(old=pl.lit(1), basis=pl.lit(1)).write_parquet(tables / "cut_off.parquet")
    found = {each.table: each for each in difference(Store(str(nights.store)), first, second).tables}
    assert found["cut_off"].columns_added == ("n",)
    assert found["cut_off"].columns_removed == ("old",)
    assert found["cut_off"].columns_retyped == ("basis",)
    assert found["reporting"].rows_added == 584


@pytest.mark.slow
def test_what_cannot_be_compared_is_said(two: tuple[Nights, str, str], kerawanan: Cli) -> None:
    nights, first, _ = two
    answer = kerawanan("snapshots", "diff", first, "nothing", "--store", nights.store)
    assert (answer.code, "no such snapshot" in answer.err) == (2, True)
    assert kerawanan("snapshots", "diff", "run-", first, "--store", nights.store).code == 2
