"""The results of the 2019 general election as KPU published them: every row of the real files, and what it comes to."""

import contextlib
import io
import json
import random
import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

import polars as pl
import pytest

from flows.cli import main
from flows.night.request import Night
from tests.conftest import ROOT, Nights, outside

REAL = ROOT.parent / "shared/real/kpu-2019"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="KPU's files of 2019 are not beside the repository")

EDITION, OVERSEAS = "kpu-2019-pungut-hitung", "kpu-2019-luar-negeri"
SOME = ("bali.csv", "luar-negeri.csv", "sumatera-barat.csv")
CONTESTS = ("pilpres", "dpr", "dprdprov", "dprdkab")
ITEMS = (
    *("tps", "tps_kosong", "tps_suara_ekstrem", "tps_gagal", "suara_total", "suara_tidak_sah", "ada_suara"),
    "semua_tidak_sah",
)
# An indicator is the quotient of two items.
QUOTIENTS = {
    "hasil_kosong": ("tps_kosong", "tps"),
    "suara_ekstrem": ("tps_suara_ekstrem", "tps"),
    "gagal_konsistensi": ("tps_gagal", "tps"),
    "suara_tidak_sah": ("suara_tidak_sah", "suara_total"),
    "semua_tidak_sah": ("semua_tidak_sah", "ada_suara"),
}
# DKI Jakarta elects no DPRD of regencies and cities; voters overseas elect the President and DPR.
JAKARTA, ABROAD = 25823, -99
PLACES = ("prov", "kab", "kec", "desa")
LEVELS = dict(zip(("province", "regency_city", "district", "village"), PLACES, strict=True))
ELECTION = date(2019, 4, 17)
SPELLED_OTHERWISE = {
    "DAERAH ISTIMEWA YOGYAKARTA",
    "KEPULAUAN SIAU TAGULANDANG BIARO",
    "KOTA PADANG SIDEMPUAN",
    "MALUKU TENGGARA BARAT",
    "PAHUWATO",
    "TOBA SAMOSIR",
}
NAMES = {
    13767: "TANJUNG SABA, PITAMEH NAN XX",
    13774: "PEGAMBIRAN, AMPALU NAN XX",
    14557: "LAMBANG SARI I, II, III",
}


@dataclass(frozen=True)
class Real:
    """Real files, and the nights that were run on them: of the country, and of what lies overseas."""

    files: tuple[Path, ...]
    nights: Nights
    night: Night
    overseas: Night
    ingested: Any

    def table(self, name: str, edition: str = EDITION) -> pl.DataFrame:
        return self.nights.table(self.night if edition == EDITION else self.overseas, name, edition)

    def read(self, name: str) -> pl.DataFrame:
        """What the country's night made of the rows of the files."""
        return pl.read_parquet(self.nights.folder / "work1" / f"{name}.parquet")

    @property
    def is_whole(self) -> bool:
        return len(self.files) == 35

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The rows as plain CSV has them, with `file_name` and `row`."""
        frames = []
        for file in self.files:
            frame = pl.read_csv(file, infer_schema=False).with_row_index("row", offset=2)
            figures = pl.col("^(kode|total|suara|tps).*$").cast(pl.Int64)
            frames.append(frame.with_columns(pl.col("row").cast(pl.Int64), figures, file_name=pl.lit(file.name)))
        return pl.concat(frames)

    @cached_property
    def expected(self) -> pl.DataFrame:
        """The rows with the items that they come to by themselves: votes are known where a polling station was
        validated, and then it is known how many were not.
        """
        checked, votes = pl.col("tps_tervalidasi") > 0, pl.col("suara_total")
        return self.rows.with_columns(
            pl.when(checked).then(pl.col("tps") - pl.col("tps_tervalidasi") - pl.col("tps_kosong")).alias("tps_gagal"),
            pl.when(checked).then(votes).alias("suara_total"),
            pl.when(checked).then("suara_tidak_sah").alias("suara_tidak_sah"),
            pl.when(checked).then((votes > 0).cast(pl.Int64)).alias("ada_suara"),
            pl.when(votes > 0).then((pl.col("suara_tidak_sah") == votes).cast(pl.Int64)).alias("semua_tidak_sah"),
        ).with_columns(
            applies=~(
                ((pl.col("kode_kpu_prov") == JAKARTA) & (pl.col("kontes") == "dprdkab"))
                | ((pl.col("kode_kpu_prov") == ABROAD) & pl.col("kontes").is_in(["dprdprov", "dprdkab"]))
            )
        )

    @property
    def here(self) -> pl.DataFrame:
        """The rows of the country."""
        return self.expected.filter(pl.col("kode_kpu_prov") != ABROAD)


def command(*arguments: object) -> Any:
    """The answer of the command line."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main([*map(str, arguments), "--format", "json"])
    assert code == 0, said.getvalue()[-2_000:]
    return json.loads(said.getvalue())


def ingest(nights: Nights, files: tuple[Path, ...]) -> Any:
    return command("ingest", "--source", "kpu-2019", "--store", nights.store, "--received-at", "2026-01-30", *files)


@pytest.fixture(scope="module", params=["some", pytest.param("all", marks=pytest.mark.slow)])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Real:
    every = sorted(REAL.glob("*.csv"))
    files = tuple(file for file in every if request.param == "all" or file.name in SOME)
    nights = Nights(tmp_path_factory.mktemp("kpu"))
    ingested = ingest(nights, files)
    return Real(files, nights, nights.run(None, EDITION), nights.run(None, OVERSEAS), ingested)


WHOLE = pytest.mark.parametrize("real", [pytest.param("all", marks=pytest.mark.slow)], indirect=True)


def region_codes() -> pl.DataFrame:
    """The codes of provinces, regencies and cities, by those of KPU."""
    codes = pl.read_csv(ROOT / "methodology/regions/codes.csv", infer_schema=False).filter(system="kpu")
    return codes.select(pl.col("code").cast(pl.Int64), "region_code")


def with_regions(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the codes of the regions that they lie in, by level, and the country."""
    known = region_codes()
    return (
        rows.join(known.select(kode_kpu_prov="code", province="region_code"), on="kode_kpu_prov", how="left")
        .join(known.select(kode_kpu_kab="code", regency_city="region_code"), on="kode_kpu_kab", how="left")
        .with_columns(
            pl.format("kpu:{}", "kode_kpu_kec").alias("district"),
            pl.format("kpu:{}", "kode_kpu_desa").alias("village"),
            pl.lit("ID").alias("national"),
        )
    )


def quotients(rows: pl.DataFrame) -> pl.DataFrame:
    """The two parts of every indicator and row, where both are known: `node_code`, `numerator`, `denominator`."""
    parts = [
        rows.filter("applies")
        .select(
            "^(national|province|regency_city|district|village|file_name)$",
            pl.format("{}_{}", pl.lit(indicator), "kontes").alias("node_code"),
            numerator=part,
            denominator=of_all,
        )
        .drop_nulls(["numerator", "denominator"])
        for indicator, (part, of_all) in QUOTIENTS.items()
    ]
    return pl.concat(parts)


def test_every_row_is_admitted_or_quarantined(real: Real) -> None:
    if real.is_whole:
        assert real.rows.height == 259_927
    admitted, quarantine = real.read("admitted"), real.read("quarantine")
    place = ["file_name", "row"]
    assert admitted.select(*place, "source_item").is_unique().all()
    counts = pl.concat([admitted.select(place), quarantine.select(*place, "item").unique().select(place)])
    counts = counts.group_by(place).len()
    assert counts.filter(pl.col("len") != len(ITEMS)).is_empty()
    assert counts.height == real.rows.height
    assert counts.join(real.rows, on=place, how="anti").is_empty()
    assert quarantine.group_by("rule").len().rows() == []  # nothing is wrong with what KPU published
    record = json.loads((real.nights.store / "runs/run-001/run.json").read_text())
    assert sum(each["rows"] for each in record["inputs"]) == len(ITEMS) * real.rows.height
    assert sum(each["rows_admitted"] for each in record["inputs"]) == admitted.height
    assert record["refused"] == []
    assert {each["file_name"] for each in record["inputs"]} == {file.name for file in real.files}


def test_every_figure_is_what_plain_csv_comes_to(real: Real) -> None:
    items = [pl.col(name).cast(pl.Float64) for name in ITEMS]
    named = pl.format("{}_{}", "item", "kontes").alias("source_item")
    told = (
        real.expected.select("file_name", "row", "kode_kpu_desa", "kontes", *items)
        .unpivot(
            ITEMS, index=["file_name", "row", "kode_kpu_desa", "kontes"], variable_name="item", value_name="expected"
        )
        .select("file_name", "row", named, "expected", code=pl.format("kpu:{}", "kode_kpu_desa"))
    )
    read = real.read("admitted").join(told, on=["file_name", "row", "source_item"], how="full")
    assert read.height == told.height
    assert read.filter(~pl.col("value").eq_missing(pl.col("expected"))).is_empty()
    assert read.filter(~pl.col("region_code").eq_missing(pl.col("code"))).is_empty()
    assert set(read["region_level"]) == {"village"}


@pytest.mark.parametrize("edition", [EDITION, OVERSEAS])
def test_a_range_holds_what_it_ranges_over_at_every_level(real: Real, edition: str) -> None:
    index = real.table("index_score", edition)
    assert outside(index).is_empty()
    if real.is_whole and edition == EDITION:
        regencies = index.filter(region_level="regency_city")
        assert regencies.filter(pl.col("score") == pl.col("score_highest")).height == 10
        provinces = index.filter(region_level="province")
        assert provinces.filter(pl.col("rank_worst") - pl.col("rank_best") >= 20).height == 19


@WHOLE
def test_the_counts_that_were_checked_by_hand(real: Real) -> None:
    by_contest = real.rows.group_by("kontes").agg(
        pl.len(), pl.col("tps_kosong", "tps_suara_ekstrem", "suara_tidak_sah", "suara_total").sum()
    )
    facts = {row["kontes"]: row for row in by_contest.to_dicts()}
    assert {each: facts[each]["len"] for each in CONTESTS} == dict(
        zip(CONTESTS, (82_342, 10_528, 83_529, 83_528), strict=True)
    )
    assert [facts[each]["tps_kosong"] for each in CONTESTS] == [0, 5_771, 79_093, 119_589]
    assert [facts[each]["tps_suara_ekstrem"] for each in CONTESTS] == [3, 1, 56, 31]
    shares = [round(facts[each]["suara_tidak_sah"] / facts[each]["suara_total"] * 100, 1) for each in CONTESTS]
    assert shares == [2.4, 4.7, 13.0, 6.7]
    admitted = real.read("admitted")
    sums = dict(admitted.group_by("source_item").agg(pl.col("value").sum()).rows())
    gagal = real.expected.group_by("kontes").agg(pl.col("tps_gagal").sum()).rows()
    for contest, failed in gagal:
        assert sums[f"tps_kosong_{contest}"] == facts[contest]["tps_kosong"]
        assert sums[f"tps_suara_ekstrem_{contest}"] == facts[contest]["tps_suara_ekstrem"]
        assert sums[f"tps_gagal_{contest}"] == failed
        share = sums[f"suara_tidak_sah_{contest}"] / sums[f"suara_total_{contest}"] * 100
        assert round(share, 1) == shares[CONTESTS.index(contest)]


def test_votes_of_no_validated_polling_station_are_missing_and_not_zero(real: Real) -> None:
    unchecked = real.rows.filter(tps_tervalidasi=0)
    if real.is_whole:
        assert unchecked.height == 52_115
    assert (
        unchecked.select(pl.col("suara_total", "suara_sah", "suara_tidak_sah", "total_pemilih").sum()).row(0)
        == (0,) * 4
    )
    votes = real.read("admitted").filter(pl.col("source_item").str.starts_with("suara_"))
    place = ["file_name", "row"]
    blank = votes.filter(pl.col("value").is_null())
    assert blank.height == 2 * unchecked.height
    assert blank.join(unchecked, on=place, how="anti").is_empty()
    told = votes.filter(pl.col("value").is_not_null())
    assert told.join(unchecked, on=place, how="semi").is_empty()
    assert told.height == 2 * (real.rows.height - unchecked.height)
    # And so it is in what is published: no ratio of votes there, neither reported nor filled in.
    named = with_regions(real.here.filter(pl.col("tps_tervalidasi") == 0, pl.col("applies")))
    for indicator in ("suara_tidak_sah", "semua_tidak_sah", "gagal_konsistensi"):
        nodes = named.select(region_code="village", node_code=pl.format("{}_{}", pl.lit(indicator), "kontes"))
        found = real.table("indicator_value").join(nodes, on=["region_code", "node_code"])
        assert found.height == nodes.height
        assert set(found["status"]) == {"missing"}
        assert (
            found.select("raw_value", "normalised_value", "numerator", "denominator").null_count().row(0)
            == (found.height,) * 4
        )


def test_rows_in_which_every_vote_is_invalid(real: Real) -> None:
    total, invalid = pl.col("suara_total"), pl.col("suara_tidak_sah")
    rows = real.rows.filter(total > 0, total == invalid)
    if real.is_whole:
        assert rows.height == 5
    flags = real.read("admitted").filter(pl.col("source_item").str.starts_with("semua_tidak_sah"))
    found = flags.filter(value=1).select("file_name", "row").sort("file_name", "row")
    assert found.equals(rows.select("file_name", "row").sort("file_name", "row"))
    assert set(flags["value"].drop_nulls()) <= {0, 1}


def test_villages_are_the_quotients_of_their_own_figures(real: Real) -> None:
    values = real.table("indicator_value").filter(region_level="village")
    told = quotients(with_regions(real.here)).rename({"village": "region_code"}).filter(pl.col("denominator") > 0)
    known = values.drop_nulls("raw_value")
    both = known.join(told, on=["region_code", "node_code"], how="full", suffix="_told")
    assert both.height == known.height == told.height
    for part in ("numerator", "denominator"):
        assert (both[part] == both[f"{part}_told"]).all()
    assert known["regions_counted"].null_count() == known.height
    assert set(known["extract_count"]) == {1}
    assert set(values["approach"]) == {"input"}


@pytest.mark.parametrize("level", ["district", "regency_city", "province", "national"])
def test_regions_above_have_the_sums_of_their_villages(real: Real, level: str) -> None:
    rows = with_regions(real.here)
    villages = rows.group_by(level).agg(pl.col("village").n_unique().alias("members"))
    sums = (
        quotients(rows)
        .group_by(level, "node_code")
        .agg(
            pl.col("numerator", "denominator").sum(),
            pl.len().alias("villages"),
            pl.col("file_name").n_unique().alias("files"),
        )
        .join(villages, on=level)
        .rename({level: "region_code"})
        .with_columns((pl.col("villages") >= 0.5 * pl.col("members")).alias("is_enough"))
    )
    values = real.table("indicator_value").filter(region_level=level)
    assert set(values["approach"]) == {"rollup"}
    known = values.drop_nulls("numerator")
    expected = sums.filter(pl.col("is_enough") & (pl.col("denominator") > 0))
    both = known.join(expected, on=["region_code", "node_code"], how="full", suffix="_told")
    assert both.height == known.height == expected.height
    assert (both["numerator"] == both["numerator_told"]).all()
    assert (both["denominator"] == both["denominator_told"]).all()
    assert (both["regions_counted"] == both["villages"]).all()
    assert (both["extract_count"] == both["files"]).all()
    # What is not known is so because too few villages are, or because nobody voted; nothing is filled in.
    unknown = values.filter(pl.col("numerator").is_null())
    assert set(unknown["status"]) <= {"missing", "not_applicable"}
    assert (
        unknown.select("raw_value", "treated_value", "normalised_value", "denominator", "regions_counted")
        .drop_nulls()
        .is_empty()
    )
    reasons = unknown.join(sums, on=["region_code", "node_code"], suffix="_told")
    assert reasons.filter(pl.col("is_enough") & (pl.col("denominator_told") > 0)).is_empty()


@pytest.mark.parametrize("edition", [EDITION, OVERSEAS])
def test_ratios_are_their_parts(real: Real, edition: str) -> None:
    values = real.table("indicator_value", edition)
    known = values.drop_nulls("numerator")
    assert known.height > 1_000 or edition == OVERSEAS
    ratio = known["numerator"] / known["denominator"] * 100
    assert ((known["raw_value"] - ratio).abs() < 1e-9).all()
    for column in ("treated_value", "normalised_value"):
        assert (known[column] == known["raw_value"]).all()
    assert known["raw_value"].is_between(0, 100).all()
    assert (known["status"] == "reported_zero").equals(known["raw_value"] == 0)
    assert values.filter(pl.col("numerator").is_null())["raw_value"].null_count() == values.height - known.height


def test_overseas_is_apart(real: Real) -> None:
    posts = {f"kpu:{code}" for code in real.rows.filter(kode_kpu_prov=ABROAD)["kode_kpu_desa"].unique()}
    assert len(posts) == 130
    for name in ("index_score", "node_score", "indicator_value", "reporting", "not_reported", "observation", "region"):
        table = real.table(name)
        codes = table["region_code" if "region_code" in table.columns else "code"]
        assert not codes.str.starts_with("kpu:-").any(), name
        assert "LN" not in codes.unique(), name
    index = real.table("index_score", OVERSEAS)
    assert dict(index["region_level"].value_counts().rows()) == {"province": 1, "regency_city": 130, "village": 130}
    assert set(index.filter(region_level="village")["region_code"]) == posts
    assert index.filter(region_level="province")["region_code"].to_list() == ["LN"]
    regions = real.table("region", OVERSEAS)
    parents = dict(regions.select("code", "parent").rows())
    for code in posts:
        above = [code]
        while parents.get(above[-1]):
            above.append(parents[above[-1]])
        assert above[-1] == "LN"
        assert len(above) == 4
    assert not any(re.match(r"\d", code) or code == "ID" for code in parents)
    told = {f"kpu:{code}" for code in real.rows["kode_kpu_desa"].unique()}
    here = set(real.table("index_score").filter(region_level="village")["region_code"])
    assert here | posts == told
    assert here & posts == set()


def test_overseas_is_computed_like_the_country(real: Real) -> None:
    rows = real.expected.filter(kode_kpu_prov=ABROAD).with_columns(village=pl.format("kpu:{}", "kode_kpu_desa"))
    told = quotients(rows)
    values = real.table("indicator_value", OVERSEAS)
    known = values.filter(region_level="village").drop_nulls("raw_value")
    both = known.join(
        told.filter(pl.col("denominator") > 0),
        left_on=["region_code", "node_code"],
        right_on=["village", "node_code"],
        how="full",
        suffix="_told",
    )
    assert both.height == known.height
    assert (both["numerator"] == both["numerator_told"]).all()
    # The place that all posts lie in has their sums where at least 65 of 130 are known.
    sums = (
        told.group_by("node_code").agg(pl.col("numerator", "denominator").sum(), pl.len()).filter(pl.col("len") >= 65)
    )
    place = values.filter(region_level="province").drop_nulls("numerator")
    assert sorted(place.select("node_code", "numerator", "denominator", "regions_counted").rows()) == sorted(
        sums.rows()
    )
    assert not place["node_code"].str.contains("dprd").any()
    score = dict(real.table("index_score", OVERSEAS).select("region_code", "score").rows())
    for village, scored in expected_scores(rows).items():
        assert score[village] == pytest.approx(scored, abs=1e-9)


@WHOLE
def test_what_is_not_elected_somewhere_is_neither_counted_nor_missed(real: Real) -> None:
    values = real.table("indicator_value").filter(pl.col("region_code").str.starts_with("31"))
    kept_out = values.filter(status="not_applicable")
    assert set(kept_out["node_code"].str.extract(r"_([a-z]+)$")) == {"dprdkab"}
    assert set(kept_out["region_level"]) == {"province", "regency_city"}
    villages = with_regions(real.here.filter(kode_kpu_prov=JAKARTA)).select("village").unique()
    exempt = real.table("indicator_value").filter(status="not_applicable", region_level="village")
    assert set(exempt["region_code"]) == set(villages["village"])
    assert exempt.height == len(QUOTIENTS) * villages.height


def test_there_are_as_many_regions_as_kpu_names(real: Real) -> None:
    counts = dict(real.table("index_score")["region_level"].value_counts().rows())
    sent = {level: real.here[f"kode_kpu_{place}"].n_unique() for level, place in LEVELS.items()}
    if real.is_whole:
        assert sent == {"province": 34, "regency_city": 514, "district": 7_201, "village": 83_399}
        assert counts == {"national": 1, **sent}
        assert real.rows["kode_kpu_kab"].n_unique() == 644
        assert real.rows["kode_kpu_desa"].n_unique() == 83_529
    assert counts == sent | {"national": 1, "province": 34, "regency_city": 514}
    findings = real.table("quality_result")
    assert findings.filter(pl.col("check").is_in(["own_region_differs", "ratio_out_of_range"])).is_empty()


def test_codes_are_those_of_kemendagri_down_to_regencies_and_of_kpu_below(real: Real) -> None:
    regions = real.table("region")
    index = real.table("index_score").select("region_level", "region_code", "region_name").unique()
    valid = regions.filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= ELECTION),
        pl.col("valid_to").is_null() | (pl.col("valid_to") > ELECTION),
    )
    for level, form in (("province", r"^\d\d$"), ("regency_city", r"^\d\d\.\d\d$")):
        codes = index.filter(region_level=level)["region_code"]
        assert codes.str.contains(form).all()
        assert set(codes) == set(valid.filter(level=level)["code"])
    # Of 2019: 34 provinces, Papua with the codes that it had then.
    assert {"91", "92", "91.71", "92.71"} <= set(index["region_code"])
    assert not {"93", "94", "95", "96"} & set(index["region_code"])
    for level, place in (("district", "kec"), ("village", "desa")):
        codes = index.filter(region_level=level)["region_code"]
        assert set(codes) == {f"kpu:{code}" for code in real.here[f"kode_kpu_{place}"].unique()}
        names = dict(index.filter(region_level=level).select("region_code", "region_name").rows())
        told = real.here.select(f"kode_kpu_{place}", {"kec": "kecamatan", "desa": "desa"}[place]).unique()
        assert all(names[f"kpu:{code}"] == name.strip() for code, name in told.rows())


def test_regencies_and_provinces_are_those_that_kpu_names(real: Real) -> None:
    """By their letters alone; names that differ even so are told one by one."""
    names = dict(real.table("region").select("code", "name").rows())
    told = with_regions(real.here).select("regency_city", "kabupaten_kota", "province", "provinsi").unique()
    assert told.null_count().sum_horizontal()[0] == 0
    assert told.height == told["regency_city"].n_unique() == told["kabupaten_kota"].n_unique()
    assert all(code.startswith(f"{above}.") for code, above in told.select("regency_city", "province").rows())

    def letters(name: str) -> str:
        return re.sub("[^A-Z]", "", re.sub("^(KABUPATEN (ADMINISTRASI )?|KOTA ADMINISTRASI )", "", name.upper()))

    pairs = {*told.select("kabupaten_kota", "regency_city").rows(), *told.select("provinsi", "province").rows()}
    other = {called for called, code in pairs if letters(called) != letters(names[code])}
    assert other == (SPELLED_OTHERWISE if real.is_whole else set())


def test_names_with_commas_are_read_whole(real: Real) -> None:
    index = real.table("index_score")
    for code, name in NAMES.items():
        rows = real.rows.filter(kode_kpu_desa=code)
        if rows.is_empty():
            assert not real.is_whole
            continue
        found = index.filter(region_code=f"kpu:{code}")
        assert found["region_name"].to_list() == [name]
        assert found["parent_region_code"].to_list() == [f"kpu:{rows['kode_kpu_kec'][0]}"]


def test_every_village_lies_in_one_district_regency_and_province(real: Real) -> None:
    regions = real.table("region")
    assert regions["code"].is_unique().all()
    place = regions.select("code", "level", "parent")
    village = place.filter(level="village")
    for level in ("district", "regency_city", "province", "national"):
        above = place.filter(level=level).select(parent="code", up="parent")
        joined = village.join(above, on="parent", how="left")
        assert joined.height == village.height == real.here["kode_kpu_desa"].n_unique()
        assert joined.filter(pl.col("parent").is_null()).is_empty()
        assert joined.join(above, on="parent", how="anti").is_empty()
        village = joined.select("code", parent="up")
    assert village["parent"].null_count() == village.height
    told = with_regions(real.here).select("village", "district", "regency_city", "province").unique()
    parents = dict(regions.select("code", "parent").rows())
    for lower, upper in (("village", "district"), ("district", "regency_city"), ("regency_city", "province")):
        assert all(parents[low] == high for low, high in told.select(lower, upper).unique().rows())


def test_every_row_of_every_table_finds_its_region(real: Real) -> None:
    for edition in (EDITION, OVERSEAS):
        known = real.table("region", edition).select("code")
        for name in ("index_score", "node_score", "indicator_value", "reporting", "not_reported", "observation"):
            table = real.table(name, edition)
            assert table.join(known, left_on="region_code", right_on="code", how="anti").is_empty(), (edition, name)
            if "parent_region_code" in table.columns:
                above = table.drop_nulls("parent_region_code")
                assert above.join(known, left_on="parent_region_code", right_on="code", how="anti").is_empty(), name


def expected_scores(rows: pl.DataFrame) -> dict[str, float]:
    """Scores of villages in plain Python: the mean over the contests that are known, then over such indicators."""
    shares: dict[str, dict[str, list[float]]] = {}
    for row in rows.filter("applies").to_dicts():
        told = shares.setdefault(row["village"], {})
        for indicator, (part, of_all) in QUOTIENTS.items():
            if row[part] is not None and row[of_all]:
                told.setdefault(indicator, []).append(row[part] / row[of_all] * 100)
    return {village: fmean(fmean(each) for each in told.values()) for village, told in shares.items() if told}


def test_scores_of_villages_are_what_plain_python_computes(real: Real) -> None:
    rows = real.here.with_columns(village=pl.format("kpu:{}", "kode_kpu_desa"))
    sample = random.Random(2019).sample(rows["village"].unique().sort().to_list(), 200)
    expected = expected_scores(rows.filter(pl.col("village").is_in(sample)))
    scores = dict(real.table("index_score").filter(region_level="village").select("region_code", "score").rows())
    assert {village: scores[village] for village in sample} == {
        village: pytest.approx(expected[village], abs=1e-9) if village in expected else None for village in sample
    }
    assert len(expected) > 190


def test_the_same_files_say_nothing_new(real: Real) -> None:
    assert len(real.ingested["admitted"]) == len(real.files)
    assert (real.ingested["known"], real.ingested["refused"]) == ([], [])
    again = ingest(real.nights, real.files)
    assert (again["admitted"], again["refused"]) == ([], [])
    assert {each["sha256"] for each in again["known"]} == {each["sha256"] for each in real.ingested["admitted"]}
    night = real.nights.run(None, EDITION)
    assert (night.outcome, night.snapshot_id, night.content_hash) == (
        "unchanged",
        real.night.snapshot_id,
        real.night.content_hash,
    )
    tomorrow = real.nights.run(None, EDITION, as_of=date(2026, 2, 1))
    assert (tomorrow.outcome, tomorrow.content_hash) == ("unchanged", real.night.content_hash)


def test_the_country_is_published(real: Real) -> None:
    assert real.night.outcome == "published"
    assert real.table("quality_result").filter(severity="critical").is_empty()
    index = real.table("index_score")
    for level in ("province", "regency_city"):
        ranks = index.filter(region_level=level)["rank"]
        assert ranks.null_count() == (0 if real.is_whole else ranks.len())


def test_overseas_is_published_beside_the_country(real: Real) -> None:
    assert real.overseas.outcome == "published"
