"""The bundled edition reproduces what Bawaslu published."""

import csv
from pathlib import Path

import polars as pl
import pytest

from flows.night.request import Night
from schemas.methodology.library import Methodology
from schemas.methodology.regions import valid_regions
from tests.conftest import ROOT, Nights

REFERENCE = ROOT / "methodology/editions/ikp-2024-published/reference_scores.csv"

Bundled = tuple[Nights, Night]


def reference() -> list[dict[str, str]]:
    with REFERENCE.open(newline="") as file:
        return list(csv.DictReader(file))


def rows(bundled: Bundled, table: str, **where: str) -> pl.DataFrame:
    nights, night = bundled
    frame = nights.table(night, table)
    return frame.filter(**where) if where else frame


def test_every_published_score_is_published_again(bundled: Bundled) -> None:
    published = rows(bundled, "node_score")
    place = ["region_level", "region_code", "approach", "node_code"]
    found = {row[:4]: row[4] for row in published.select(*place, "score").rows()}
    stated = {tuple(each[name] for name in place): float(each["score"]) for each in reference() if each["score"]}
    assert len(stated) == 116
    assert {key: found[key] for key in stated} == stated


def test_cut_offs_of_provinces(bundled: Bundled) -> None:
    bounds = {
        row["category"]: row
        for row in rows(bundled, "cut_off", region_level="province", approach="input", node_code="ikp").to_dicts()
    }
    assert round(bounds["rendah"]["upper"], 3) == 21.702
    assert round(bounds["tinggi"]["lower"], 3) == 68.502
    assert bounds["sedang"]["lower"] == bounds["rendah"]["upper"]
    assert bounds["sedang"]["upper"] == bounds["tinggi"]["lower"]
    assert {row["closed_side"] for row in bounds.values()} == {"neither", "both"}
    assert bounds["sedang"]["closed_side"] == "both"
    assert {row["n"] for row in bounds.values()} == {34}


def test_provinces_by_category_and_rank(bundled: Bundled) -> None:
    index = rows(bundled, "index_score", region_level="province", approach="input")
    assert dict(index["category"].value_counts().rows()) == {"tinggi": 5, "sedang": 21, "rendah": 8}
    assert sorted(index["rank"]) == list(range(1, 35))
    assert set(index["regions_ranked"]) == {34}


@pytest.mark.parametrize(("code", "score", "computed"), [("31", 88.95, 88.951), ("32", 77.04, 77.045)])
def test_entered_beats_computed_which_stands_beside_it(
    bundled: Bundled, code: str, score: float, computed: float
) -> None:
    row = rows(bundled, "index_score", region_code=code, approach="input").to_dicts()[0]
    assert (row["score"], round(row["computed_score"], 3), row["origin"]) == (score, computed, "entered")
    assert (row["indicators_expected"], row["indicators_reported"], row["indicators_evidenced"]) == (4, 4, 4)


def test_categories_of_regencies_and_cities_without_rank(bundled: Bundled) -> None:
    index = rows(bundled, "index_score", region_level="regency_city").filter(pl.col("score").is_not_null())
    expected = {
        each["region_code"]: each["category"]
        for each in reference()
        if each["region_level"] == "regency_city" and each["node_code"] == "ikp" and each["score"]
    }
    assert len(expected) == 42
    assert dict(index.select("region_code", "category").rows()) == expected
    assert index["rank"].null_count() == 42


def test_published_categories_of_provinces(bundled: Bundled) -> None:
    found = dict(
        rows(bundled, "index_score", region_level="province", approach="input")["region_code", "category"].rows()
    )
    stated = {
        each["region_code"]: each["category"]
        for each in reference()
        if each["region_level"] == "province" and each["node_code"] == "ikp" and each["category"]
    }
    assert len(stated) == 34
    assert found == stated


def test_national_means(bundled: Bundled) -> None:
    nation = {row["approach"]: row for row in rows(bundled, "index_score", region_level="national").to_dicts()}
    assert round(nation["input"]["score"], 3) == 45.102
    assert (nation["input"]["origin"], nation["rollup"]["origin"]) == ("rolled_up", "computed")
    assert round(nation["input"]["computed_score"], 3) == 45.102
    assert round(nation["rollup"]["score"], 3) == 31.387


def test_kalimantan_timur_can_be_traced(bundled: Bundled) -> None:
    assert rows(bundled, "index_score", region_code="64", approach="input")["score"].to_list() == [74.04]
    told = rows(bundled, "observation", region_code="64", approach="input", node_code="ikp")
    assert sorted(told.select("state", "value_sent", "value", "source", "correction").rows()) == [
        ("confirming", 77.04, 74.04, "siaran-pers-provinsi", "kaltim-press-release-2022-12-16"),
        ("used", 74.04, 74.04, "buku-ikp-2024", None),
    ]
    assert told["reference"].null_count() == 0
    quality = rows(bundled, "quality_result").filter(pl.col("message_en").str.contains("77.04|77,04"))
    assert sorted(quality["check"]) == ["contradiction", "correction_applied"]


def test_contradictions_are_named_and_resolved_by_precedence(bundled: Bundled) -> None:
    found = rows(bundled, "quality_result", check="contradiction")
    assert sorted(found["subject"]) == [
        "32.04 Kabupaten Bandung / input / ikp",
        "33.11 Kabupaten Sukoharjo / input / ikp",
        "36.01 Kabupaten Pandeglang / input / ikp",
        "64 Kalimantan Timur / input / ikp",
    ]
    assert rows(bundled, "index_score", region_code="32.04")["score"].to_list() == [91.59]


def test_a_category_that_no_published_bound_decides_stays_unknown(bundled: Bundled) -> None:
    """Kalimantan Timur's 30.92 in partisipasi lies between the mean 17.23 and Jawa Barat's 42.07 (tinggi)."""
    dimension = rows(bundled, "node_score", node_code="partisipasi", region_level="province", approach="input")
    known = dict(dimension.filter(pl.col("score").is_not_null())["region_code", "category"].rows())
    assert known == {"31": "tinggi", "32": "tinggi", "34": "tinggi", "64": None}
    assert rows(bundled, "quality_result", check="unclassified")["subject"].to_list() == [
        "64 Kalimantan Timur / input / partisipasi"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("complete", [False, True])
def test_zero_in_partisipasi_is_sedang(nights: Nights, inbox: Path, methodology: Methodology, complete: bool) -> None:
    """Below full coverage by what is published, at full coverage because mean - SD is negative."""
    there = valid_regions(methodology.regions(), methodology.edition.regions_date)
    names = there.filter(level="province")["name"].to_list()
    known = {"DKI Jakarta", "Jawa Barat", "Kalimantan Timur", "DI Yogyakarta"}
    lines = [f"Prov. {name},-,-,-,0,-,alamat" for name in names if name not in known]
    file = inbox / "dimensi-provinsi-tambahan.csv"
    header = (inbox / "dimensi-provinsi.csv").read_text().splitlines()[0]
    file.write_text("\n".join([header, *(lines if complete else lines[:1])]) + "\n")
    night = nights.run(inbox)
    dimension = nights.table(night, "node_score").filter(
        node_code="partisipasi", region_level="province", approach="input"
    )
    zeros = dimension.filter(pl.col("score") == 0)
    assert zeros.height == (30 if complete else 1)
    assert set(zeros["category"]) == {"sedang"}
    if complete:
        bounds = nights.table(night, "cut_off").filter(node_code="partisipasi", approach="input", category="sedang")
        assert bounds["basis"].to_list() == ["mean_sd"]
        assert bounds["lower"][0] < 0
        assert "rendah" not in set(dimension["category"])


def test_contributions_add_up_where_the_parent_is_computed(bundled: Bundled) -> None:
    nodes = rows(bundled, "node_score", region_level="national", approach="rollup")
    parts = nodes.filter(pl.col("parent_node_code") == "ikp")
    root = nodes.filter(pl.col("node_code") == "ikp")
    assert parts["contribution"].sum() == pytest.approx(root["score"][0], abs=1e-9)
    assert rows(bundled, "node_score", region_code="31", approach="input")["contribution"].null_count() == 5


def test_every_region_of_the_reference_is_there(bundled: Bundled) -> None:
    region = rows(bundled, "region")
    assert dict(region.filter(pl.col("valid_to").is_null())["level"].value_counts().rows()) == {
        "national": 1,
        "province": 38,
        "regency_city": 514,
    }
    index = rows(bundled, "index_score")
    assert dict(
        index.group_by("region_level", "approach")
        .len()
        .select(pl.concat_str("region_level", pl.lit("/"), "approach"), "len")
        .rows()
    ) == {
        "national/input": 1,
        "national/rollup": 1,
        "province/input": 34,
        "province/rollup": 34,
        "regency_city/input": 514,
    }
