"""The index from events: 61 indicators in 12 subdimensions in 4 dimensions, and the simulated forms that feed it."""

import io
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from flows.night.request import Night
from schemas.methodology.library import Library
from tests.conftest import ROOT, Nights
from tests.contract.recomputed import Snapshot
from transforms.engine_tables.nodes import node_frame

SIMULATED = "ikp-2024-simulated"
HEADER = ["No", "Kode wilayah", "Nomor indikator", "Tanggal", "Tingkat", "Jumlah", "Bukti"]


def form(folder: Path, name: str, *rows: tuple[object, ...]) -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("Kejadian")
        for line, row in enumerate([HEADER, *([line, *row] for line, row in enumerate(rows, start=1))]):
            sheet.write_row(line, 0, row)
    folder.mkdir(exist_ok=True)
    (folder / f"simulasi-ikp-2024-{name}.xlsx").write_bytes(content.getvalue())


def simulate(folder: Path) -> Path:
    subprocess.run([sys.executable, str(ROOT / "extracts/simulate_offices.py"), str(folder)], check=True, cwd=ROOT)
    return folder


def test_the_tree_is_that_of_the_published_list() -> None:
    methodology = Library().edition("ikp-2024")
    edition = methodology.edition
    children = edition.children()
    by_level = {level: [node for node in edition.nodes if node.level == level] for level in (1, 2, 3, 4)}
    assert [len(by_level[level]) for level in (1, 2, 3, 4)] == [61, 12, 4, 1]
    dimensions = {node.node_code: node for node in by_level[3]}
    points = {
        code: sum(
            (Fraction(leaf.weight or 0) for part in children[code] for leaf in children[part.node_code]),
            Fraction(0),
        )
        for code in dimensions
    }
    total = sum(points.values())
    shares = {code: float(value / total) for code, value in points.items()}
    assert shares == {
        "konteks_sosial_politik": 0.27,
        "penyelenggaraan_pemilu": 0.38,
        "kontestasi": 0.25,
        "partisipasi": 0.10,
    }
    effective = dict(node_frame(methodology).select("node_code", "effective_weight").rows())
    assert {code: pytest.approx(effective[code]) for code in shares} == shares
    assert sum(effective[leaf.node_code] for leaf in by_level[1]) == pytest.approx(1)
    for leaf in by_level[1]:
        assert effective[leaf.node_code] == pytest.approx(float(Fraction(leaf.weight or 0) / total))
        assert 1 <= float(leaf.weight or 0) / 48 <= 4  # expert points
        assert leaf.evidence == "A"
    assert {level.evidence for level in edition.severities.values()} == {"A"}
    assert {treatment.evidence for treatment in edition.treatments} == {"A"}


@pytest.mark.slow
def test_events_are_summed_by_hand(nights: Nights, tmp_path: Path) -> None:
    inbox = tmp_path / "forms"
    form(
        inbox,
        "11",
        ("11", 1, "2019-04-17", "Berat", 2, "foto"),
        ("11", 1, "17/04/2019", "Ringan", 1, ""),
        ("11", 2, "", "", 0, ""),
        ("11", 3, "2019-04-17", "Parah", 1, ""),
        ("11", 4, "kemarin", "Ringan", 1, ""),
        ("11", 5, "", "", 2, ""),
        ("11", 62, "", "Ringan", 2, ""),
        ("11", 7, "", "Berat", 1, ""),
        ("11", 7, "", "Parah", 9, ""),
    )
    form(inbox, "12", ("12", 1, "2019-04-17", "Sedang", 1, ""), ("12", 17, "2019-04-17", "Sedang", 4, ""))
    night = nights.run(inbox, edition=SIMULATED)
    values = nights.table(night, "indicator_value", SIMULATED).filter(approach="input", region_level="province")
    found = {row[:2]: row[2:] for row in values.select("region_code", "node_code", "raw_value", "status").rows()}
    assert found["11", "i01"] == (7.0, "reported")
    assert found["11", "i02"] == (0.0, "reported_zero")
    assert found["11", "i06"] == (None, "imputed")
    # said, but not admitted: not blank, and so never zero
    assert {found["11", f"i0{number}"] for number in (3, 4, 5, 7)} == {(None, "missing")}
    assert found["12", "i01"] == (2.0, "reported")
    assert found["13", "i01"] == (None, "missing")
    quarantine = pl.read_parquet(nights.store / "runs/run-001/quarantine.parquet")
    assert quarantine.select("row", "rule").sort("row").rows() == [
        (5, "unknown_severity"),
        (6, "bad_date"),
        (7, "unknown_severity"),
        (8, "unknown_item"),
        (10, "unknown_severity"),
    ]
    index = nights.table(night, "index_score", SIMULATED)
    aceh = index.filter(region_code="11", approach="input").to_dicts()[0]
    assert aceh["score"] is None
    assert (aceh["indicators_expected"], aceh["indicators_reported"], aceh["indicators_evidenced"]) == (61, 2, 1)
    # The others could have more: there is no maximum to scale by, and nothing of the level is published as known.
    assert index.filter(region_code="12", approach="input")["score"].to_list() == [None]
    assert night.outcome == "held"
    nodes = nights.table(night, "node_score", SIMULATED).filter(region_code="12", approach="input")
    assert dict(
        nodes.filter(pl.col("node_code").is_in(["s01", "konteks_sosial_politik"]))["node_code", "score"].rows()
    ) == {
        "s01": 2.0 * 81,
        "konteks_sosial_politik": None,
    }
    quality = nights.table(night, "quality_result", SIMULATED).filter(check="scaling_below")
    below = {row[0]: row[1:] for row in quality.select("subject", "observed", "expected").rows()}
    assert below["province / input / konteks_sosial_politik"] == ("1", "34")
    form(inbox, "11-lagi", ("11", 2, "2019-04-17", "Ringan", 3, ""))
    again = nights.run(inbox, edition=SIMULATED)
    newer = nights.table(again, "indicator_value", SIMULATED).filter(region_code="11", approach="input")
    assert dict(newer.filter(pl.col("node_code").is_in(["i01", "i02"]))["node_code", "status"].rows()) == {
        "i01": "imputed",
        "i02": "reported",
    }
    # the newer form is whole: nothing of the older one, refused or not, counts any more
    assert newer.filter(node_code="i07")["status"].to_list() == ["imputed"]
    lineage = nights.table(night, "observation", SIMULATED).filter(region_code="11", node_code="i07")
    assert lineage["state"].to_list() == ["incomplete"]
    states = nights.table(again, "observation", SIMULATED).filter(region_code="11", node_code="i01")["state"]
    assert set(states) == {"superseded"}


@pytest.mark.slow
def test_forms_sent_together_that_differ_are_not_decided_by_chance(nights: Nights, tmp_path: Path) -> None:
    inbox = tmp_path / "forms"
    form(inbox, "11-a", ("11", 1, "", "Berat", 2, ""), ("11", 17, "", "Ringan", 1, ""))
    form(inbox, "11-b", ("11", 1, "", "Berat", 3, ""), ("11", 41, "", "Ringan", 1, ""))
    night = nights.run(inbox, edition=SIMULATED)
    values = nights.table(night, "indicator_value", SIMULATED).filter(region_code="11", approach="input")
    found = dict(values["node_code", "raw_value"].rows())
    assert (found["i01"], found["i17"], found["i41"]) == (None, 1.0, 1.0)
    assert values.filter(node_code="i01")["status"].to_list() == ["missing"]
    quality = nights.table(night, "quality_result", SIMULATED).filter(check="conflicting_extracts")
    assert quality["subject"].to_list() == ["11 Aceh / input / i01"]
    lineage = nights.table(night, "observation", SIMULATED).filter(region_code="11", node_code="i01")
    assert set(lineage["state"]) == {"conflicting"}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Nights, Night]:
    nights = Nights(tmp_path_factory.mktemp("simulated"))
    return nights, nights.run(simulate(nights.folder / "forms"), edition=SIMULATED)


@pytest.mark.slow
def test_an_outsider_recomputes_every_score_of_the_simulated_edition(simulated: tuple[Nights, Night]) -> None:
    nights, night = simulated
    snapshot = Snapshot(nights.store / "snapshots" / SIMULATED / night.snapshot_id / "tables")
    assert snapshot.differences() == []
    assert len(snapshot.scores) == len(snapshot.published)


def test_the_simulated_edition_is_whole_and_never_stable(simulated: tuple[Nights, Night]) -> None:
    nights, night = simulated
    record = nights.record()
    assert len(record["inputs"]) == 548
    assert record["refused"] == []
    index = nights.table(night, "index_score", SIMULATED)
    assert index["score"].null_count() == 0
    counts = index.group_by("region_level", "approach").len().sort("region_level", "approach").rows()
    assert counts == [
        ("national", "input", 1),
        ("national", "rollup", 1),
        ("province", "input", 34),
        ("province", "rollup", 34),
        ("regency_city", "input", 514),
    ]
    ranked = index.filter(pl.col("region_level") != "national")
    assert ranked["rank"].null_count() == 0
    assert ranked["category"].null_count() == 0
    for name in ("index_score", "node_score", "indicator_value"):
        assert nights.table(night, name, SIMULATED)["is_synthetic"].all()
    assert not (nights.store / "stable").exists()
    assert not (nights.store / f"log/{SIMULATED}/stable").exists()


def test_contributions_add_up_and_dimensions_reach_100(simulated: tuple[Nights, Night]) -> None:
    nights, night = simulated
    nodes = (
        nights.table(night, "node_score", SIMULATED)
        .filter(approach="input")
        .filter(pl.col("region_level") != "national")
    )
    assert nodes.filter(node_level=1)["node_code"].n_unique() == 61
    tops = nodes.filter(node_level=3).group_by("region_level", "node_code").agg(pl.col("score").max())
    assert set(tops["score"]) == {100.0}
    parts = (
        nodes.drop_nulls("contribution").group_by("region_code", "parent_node_code").agg(pl.col("contribution").sum())
    )
    whole = parts.join(nodes, left_on=["region_code", "parent_node_code"], right_on=["region_code", "node_code"])
    assert whole.height == 548 * 17
    assert whole.filter(
        (pl.col("contribution") - pl.col("score")).abs() > 1e-9 * (1 + pl.col("score").abs())
    ).is_empty()


def test_a_province_rolls_up_to_the_mean_of_its_regencies_and_cities(simulated: tuple[Nights, Night]) -> None:
    nights, night = simulated
    index = nights.table(night, "index_score", SIMULATED)
    below = index.filter(region_level="regency_city").group_by("parent_region_code").agg(pl.col("score").mean())
    above = index.filter(region_level="province", approach="rollup")
    joined = above.join(below, left_on="region_code", right_on="parent_region_code")
    assert joined.height == 34
    assert joined.filter((pl.col("score") - pl.col("score_right")).abs() > 1e-9).is_empty()
    assert set(above["origin"]) == {"rolled_up"}


def test_values_of_regencies_and_cities_are_capped_and_those_of_provinces_not(simulated: tuple[Nights, Night]) -> None:
    nights, night = simulated
    values = nights.table(night, "indicator_value", SIMULATED).drop_nulls("raw_value").filter(approach="input")
    cut = values.filter(pl.col("treated_value") < pl.col("raw_value"))
    assert set(cut["region_level"]) == {"regency_city"}
    assert 0.001 < cut.height / values.filter(region_level="regency_city").height < 0.02
    assert values.filter(pl.col("treated_value") > pl.col("raw_value")).is_empty()


@pytest.mark.slow
def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, simulated: tuple[Nights, Night]) -> None:
    first = simulated[0].folder / "forms"
    second = simulate(tmp_path / "again")
    assert all((second / file.name).read_bytes() == file.read_bytes() for file in first.iterdir())
