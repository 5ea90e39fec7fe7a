"""Reporting is not the event: what was reported, as zero, filled in or missing stays apart, from the figure to the
command's answer, and every index says how far it could lie from what it is for what was not reported.
"""

import io
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from flows.cli import main
from flows.night.request import Request
from flows.night.steps import admit, prepare, score, validate
from flows.results.markdown import night_markdown
from tests.conftest import ROOT, Answer, Nights, Published, night_answered, outside

Cli = Callable[..., Answer]
Rows = dict[str, tuple[Any, ...]]

EDITION = "tension-test"

# The index is (3 x unrest + access) / 4. unrest = threats + 2 x violence, scaled by its maximum; access is the mean of
# late and trust, both min-max, and trust the other way round: more is better.
NODES = """\
node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,source_item,evidence,note
tension,,3,index,Tegang,Tension,,1,score_100,none,arithmetic_mean,,,A,
unrest,tension,2,theme,Rusuh,Unrest,3,1,severity_sum,max,sum,,,A,
access,tension,2,theme,Akses,Access,1,1,score_100,none,arithmetic_mean,,,A,
threats,unrest,1,indicator,Ancaman,Threats,1,1,count,none,,,threats,A,
violence,unrest,1,indicator,Kekerasan,Violence,2,1,count,none,,,violence,A,
late,access,1,indicator,=1+1,@SUM(A1),1,1,count,min_max,,,late,A,
trust,access,1,indicator,Percaya,Trust,1,-1,pct,min_max,,,trust,A,
"""

PLAN = """\
edition: tension-test
title_id: "Uji"
title_en: "Test"
status: complete
revision: 1
period: "2030"
reference_period: "2029"
regions_date: 2026-01-01
sources: [kantor]
scale: {lowest: 0, highest: 100}
rounding: {decimals: 1}
weights: points
missing: {leaf: zero, aggregate: complete}
categories: [{code: semua, name_id: Semua, name_en: All}]
region_levels:
  # Scales rest on whatever is known, so that what is missing shows in ranges and not in scales.
  - {level: national, approaches: [rollup], regions: 1, ranked: false, scaled_from: 0.1}
  - level: province
    approaches: [input, rollup]
    regions: 4
    ranked: true
    scaled_from: 0.1
    codes: ["11", "12", "31", "51"]
  - level: regency_city
    approaches: [input]
    regions: 5
    ranked: true
    scaled_from: 0.1
    codes: ["11.01", "11.02", "11.03", "11.04", "11.05"]
roll_ups:
  - {from: regency_city, from_approach: input, to: province, approach: rollup, min_share: 0.4}
  - {from: province, from_approach: input, to: national, approach: rollup, min_share: 0.8}
comparability: "none"
"""

SOURCES = """\
kantor:
  title: "An office"
  pattern: "kantor-*.csv"
  format: csv
  separator: ","
  encoding: utf-8
  layout: wide
  columns: {region: [kode], reference: [alamat]}
  number_style: english
  region_key: code
  region_levels: [province, regency_city]
  unit: count
  measure: value
  items:
    threats: {item: threats, approach: input}
    violence: {item: violence, approach: input}
    late: {item: late, approach: input}
    trust: {item: trust, approach: input, unit: pct}
  precedence: 1
  evidence: A
"""

# 11.04 sends nothing, 11.05 a row of blanks; one figure of 11.03 is no number and is quarantined.
DATA = """\
kode,threats,violence,late,trust,alamat
11,10,5,0,80,
12,2,,10,20,
31,0,20,5,,https://example.org/31
51,,0,3,60,
11.01,4,1,2,50,https://example.org/11.01
11.02,8,,6,30,
11.03,0,banyak,,40,
11.05,,,,,
"""


def own(folder: Path, missing: str = "leaf: zero, aggregate: complete", plan: str = PLAN) -> Path:
    """A folder with the edition in `mine` and its data in `inbox`."""
    edition = folder / "mine" / "editions" / EDITION
    edition.mkdir(parents=True)
    (edition / "edition.yml").write_text(plan.replace("leaf: zero, aggregate: complete", missing))
    (edition / "nodes.csv").write_text(NODES)
    (folder / "mine" / "sources.yml").write_text(SOURCES)
    (folder / "inbox").mkdir()
    (folder / "inbox" / "kantor-a.csv").write_text(DATA)
    return folder


class Reported(NamedTuple):
    """A night on the edition: what the command said, how it is called again, and the folder of the snapshot."""

    text: str
    arguments: tuple[object, ...]
    snapshot: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.snapshot / "tables" / f"{name}.parquet")


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    folder = own(tmp_path_factory.mktemp("reported"))
    arguments = ("run", "--edition", EDITION, "--store", folder / "store", "--methodology", folder / "mine")
    said = io.StringIO()
    with redirect_stdout(said):
        assert main([str(each) for each in (*arguments, "--inbox", folder / "inbox")]) == 0
    (snapshot,) = (folder / "store" / "snapshots" / EDITION).iterdir()
    return Reported(said.getvalue(), arguments, snapshot)


def ranges(index: pl.DataFrame, level: str, approach: str) -> Rows:
    """Per region: score, score_lowest, score_highest, rank, rank_best, rank_worst."""
    chosen = index.filter(region_level=level, approach=approach)
    columns = ("region_code", "score", "score_lowest", "score_highest", "rank", "rank_best", "rank_worst")
    near = [
        tuple(None if value is None else pytest.approx(value, rel=1e-12) for value in row[1:])
        for row in chosen.select(columns).rows()
    ]
    return dict(zip(chosen["region_code"], near, strict=True))


def test_the_range_is_what_the_hand_computes(reported: Reported) -> None:
    index = reported.table("index_score")
    # Blanks count as zero. threats: 10 2 0 (0), violence: 5 (0) 20 0, late: 0 10 5 3, trust: 80 20 (0) 60.
    #   unrest = 20 2 40 0 of 40 -> 50 5 100 0       seen: threats 0..10, violence 0..20
    #   late = 0 100 50 30, trust = (80 - x) / 80 -> 0 75 100 25; access = 0 87.5 75 27.5
    #     seen: late 0..100, trust 0..75: nobody reported the 100 that the blank of 31 counts as
    #   index 11: (3 x 50 + 0) / 4 = 37.5, all reported
    #         12: (3 x 5 + 87.5) / 4 = 25.625
    #             lowest: violence 0, the same; highest: unrest = 2 + 2 x 20 = 42 of 40, so 100: (300 + 87.5) / 4
    #             above 96.875 is none, above 25.625 are 31 and 11
    #         31: (3 x 100 + 75) / 4 = 93.75
    #             lowest: trust 0, (300 + (50 + 0) / 2) / 4 = 81.25; highest: trust 100 as it counts, its score
    #         51: (0 + 27.5) / 4 = 6.875
    #             lowest: threats 0, the same; highest: unrest = 10 of 40, (3 x 25 + 27.5) / 4 = 25.625
    #             that is the score of 12: above it are 31 and 11, above 6.875 all three
    assert ranges(index, "province", "input") == {
        "11": (37.5, 37.5, 37.5, 2, 2, 2),
        "12": (25.625, 25.625, 96.875, 3, 1, 3),
        "31": (93.75, 81.25, 93.75, 1, 1, 1),
        "51": (6.875, 6.875, 25.625, 4, 3, 4),
    }
    # (37.5 + 25.625 + 93.75 + 6.875) / 4; (37.5 + 25.625 + 81.25 + 6.875) / 4; (37.5 + 96.875 + 93.75 + 25.625) / 4
    assert ranges(index, "national", "rollup") == {"ID": (40.9375, 37.8125, 63.4375, None, None, None)}
    # threats: 4 8 0 - -, violence: 1 (0) ? - -, late: 2 6 (0) - -, trust: 50 30 40 - -; the level is not complete
    #   unrest = 6 8 of 8 -> 75 100; late = 100/3 100 0; trust = 0 100 50; access = 50/3 100 25
    #     seen: threats 0..8, violence 1..1, late 100/3..100, trust 0..100
    #   11.01: (225 + 50/3) / 4 = 725/12      11.02: 100, and with violence 1: 10 of 8, so 100
    #   11.03: lowest: unrest 2 of 8, late 0 as it counts, (75 + 50 / 2) / 4 = 25; highest: (75 + (100 + 50) / 2) / 4
    #   11.04, 11.05: lowest: 2 of 8, (75 + (100/3 + 0) / 2) / 4 = 275/12; highest: 10 of 8, (300 + 100) / 4
    assert ranges(index, "regency_city", "input") == {
        "11.01": (725 / 12, 725 / 12, 725 / 12, None, None, None),
        "11.02": (100, 100, 100, None, None, None),
        "11.03": (None, 25, 37.5, None, None, None),
        "11.04": (None, 275 / 12, 100, None, None, None),
        "11.05": (None, 275 / 12, 100, None, None, None),
    }
    # score: 2 of 5 known, (725/12 + 1200/12) / 2; ends: (725 + 1200 + 300 + 275 + 275) / 12 / 5 and
    # (725 + 1200 + 450 + 1200 + 1200) / 12 / 5 = 79.6, which is less than the score
    nothing = (None,) * 6
    assert ranges(index, "province", "rollup") == {
        "11": (1925 / 24, 2775 / 60, 1925 / 24, None, None, None),
        **dict.fromkeys(("12", "31", "51"), nothing),
    }


def of_rule(folder: Path, missing: str, plan: str = PLAN) -> pl.DataFrame:
    """The index with another rule for what is missing: the steps of a night up to the tables."""
    return pl.read_parquet(scored(own(folder, missing, plan)) / "index_score.parquet")


def scored(folder: Path) -> Path:
    """The tables of the edition in a folder that `own` made."""
    request = Request(
        edition=EDITION,
        as_of=date(2026, 1, 31),
        now=datetime(2026, 1, 31, 1, tzinfo=UTC),
        run_id="run",
        store=str(folder / "store"),
        work=folder / "work",
        methodology=folder / "mine",
        inbox=folder / "inbox",
    )
    request.work.mkdir()
    validated = validate(request, admit(request))
    return score(request, validated, prepare(request, validated))


def test_what_is_not_known_has_a_range_and_no_score(tmp_path: Path) -> None:
    index = of_rule(tmp_path, "leaf: unknown, aggregate: complete")
    # Blanks are not known: unrest = 20 - 40 - of 40; late = 0 100 50 30; trust = (80 - x) / 60 -> 0 100 - 100/3
    #   seen: threats 0..10, violence 0..20, trust 0..100
    #   11: 37.5 as before
    #   12: access 100; lowest: unrest 2 of 40, (15 + 100) / 4; highest: 42 of 40, (300 + 100) / 4
    #   31: lowest: (300 + (50 + 0) / 2) / 4; highest: (300 + (50 + 100) / 2) / 4
    #   51: access (30 + 100/3) / 2 = 95/3; lowest: unrest 0, 95/12; highest: 10 of 40, (75 + 95/3) / 4 = 320/12
    # The level is not complete, so that there is no place to have.
    assert ranges(index, "province", "input") == {
        "11": (37.5, 37.5, 37.5, None, None, None),
        "12": (None, 28.75, 100, None, None, None),
        "31": (None, 81.25, 93.75, None, None, None),
        "51": (None, 95 / 12, 320 / 12, None, None, None),
    }
    # one of four scores is not enough, but all four ends are known
    assert ranges(index, "national", "rollup") == {
        "ID": (None, (450 + 345 + 975 + 95) / 48, (450 + 1200 + 1125 + 320) / 48, None, None, None)
    }
    # unrest = 6 - - of 6 -> 100; late = 0 100 -; trust = 0 100 50; seen: threats 0..8, violence 1..1, others 0..100
    #   11.01: (300 + 0) / 4      11.02: violence 1: 10 of 6, so (300 + 100) / 4
    #   11.03: unrest 2 of 6, (100 + (0 + 50) / 2) / 4 and (100 + (100 + 50) / 2) / 4
    #   11.04, 11.05: (100 + 0) / 4 and (300 + 100) / 4
    assert ranges(index, "regency_city", "input") == {
        "11.01": (75, 75, 75, None, None, None),
        "11.02": (None, 100, 100, None, None, None),
        "11.03": (None, 31.25, 43.75, None, None, None),
        "11.04": (None, 25, 100, None, None, None),
        "11.05": (None, 25, 100, None, None, None),
    }
    # (75 + 100 + 31.25 + 25 + 25) / 5, (75 + 100 + 43.75 + 100 + 100) / 5
    rolled = ranges(index, "province", "rollup")
    assert rolled["11"] == (None, 51.25, 83.75, None, None, None)


def test_what_is_computed_of_nodes_rolled_up_has_the_range_of_those_below(tmp_path: Path) -> None:
    enough = PLAN.replace("min_share: 0.8", "min_share: 0.5")
    index = of_rule(tmp_path, "leaf: unknown, aggregate: complete", enough)
    # Index and access of one and of two provinces are known, so the nation's index is computed of what is rolled up:
    # of unrest 75 and access (0 + 100 + 95/3) / 3. Its range is that of the provinces, up to 3095 / 48, and it itself.
    columns = "origin", "score", "score_lowest", "score_highest"
    (nation,) = index.filter(region_level="national").select(columns).rows()
    score = (225 + 395 / 9) / 4
    assert nation == ("computed", *map(pytest.approx, (score, (450 + 345 + 975 + 95) / 48, score)))


def test_an_office_whose_figures_do_not_count_is_not_silent(tmp_path: Path) -> None:
    folder = own(tmp_path)
    data = folder / "inbox" / "kantor-a.csv"
    data.write_text(data.read_text() + "11.04,banyak,,,,\n")
    tables = scored(folder)
    offices = pl.read_parquet(tables / "reporting.parquet")
    silent = dict(offices.select("region_code", "is_silent").rows())
    assert [code for code, is_silent in silent.items() if is_silent] == ["11.05"]


def test_a_score_of_what_is_known_has_a_range_over_all(tmp_path: Path) -> None:
    index = of_rule(tmp_path, "leaf: unknown, aggregate: rescale")
    # Weights are rescaled over what is known: unrest = 20, 2 x 3, 40, 0 x 3/2 of 40 -> 50 15 100 0
    #   access = 0, 100, 50 (late alone), 95/3; index = 37.5, (45 + 100) / 4, (300 + 50) / 4, 95/12
    # The ends are as where it is not known; above 28.75 are 31 and 11, above 320/12 also 12
    assert ranges(index, "province", "input") == {
        "11": (37.5, 37.5, 37.5, 2, 2, 2),
        "12": (36.25, 28.75, 100, 3, 1, 3),
        "31": (87.5, 81.25, 93.75, 1, 1, 1),
        "51": (95 / 12, 95 / 12, 320 / 12, 4, 4, 4),
    }


def test_where_all_is_reported_the_range_is_the_score_and_what_is_entered_has_none(bundled: Published) -> None:
    nights, night = bundled
    index = nights.table(night, "index_score")
    assert outside(index).is_empty()
    whole = index.filter(pl.col("indicators_reported") == pl.col("indicators_expected")).drop_nulls("score")
    computed = whole.filter(origin="computed")
    assert computed.select("region_level", "approach").rows() == [("national", "rollup")]
    for ends, column in ((("score_lowest", "score_highest"), "score"), (("rank_best", "rank_worst"), "rank")):
        assert all(computed[end].equals(computed[column]) for end in ends)
    # Nobody knows what an entered index rests on, nor the mean of such; that is so of all 34 provinces.
    every_end = ("score_lowest", "score_highest", "rank_best", "rank_worst")
    resting = index.filter(pl.col("origin").is_in(["entered", "rolled_up"]))
    assert resting.filter(region_level="province", approach="input")["rank"].count() == 34
    assert resting.select(every_end).null_count().row(0) == (resting.height,) * 4


def test_an_office_that_sent_a_finished_score_only_is_not_silent(bundled: Published) -> None:
    nights, night = bundled
    place = ["region_level", "approach", "region_code"]
    scored = nights.table(night, "index_score").filter(origin="entered", indicators_reported=0)
    assert scored.height > 20
    for name in ("reporting", "not_reported"):
        told = nights.table(night, name).join(scored, on=place, how="semi")
        assert told.select(place).n_unique() == scored.height
        assert not told["is_silent"].any()
        assert nights.table(night, name)["is_silent"].any()


def test_reported_zero_filled_in_and_missing_stay_apart(reported: Reported) -> None:
    values = reported.table("indicator_value").filter(approach="input")
    status = {row[:2]: row[2:] for row in values.select("region_code", "node_code", "status", "raw_value").rows()}
    assert status["11", "late"] == ("reported_zero", 0.0)
    assert status["12", "violence"] == ("imputed", None)
    assert status["31", "violence"] == ("reported", 20.0)
    assert status["11.03", "threats"] == ("reported_zero", 0.0)
    assert status["11.03", "violence"] == ("missing", None)  # said, but not as a number
    assert status["11.03", "late"] == ("imputed", None)
    for silent in ("11.04", "11.05"):
        assert {status[silent, leaf][0] for leaf in ("threats", "violence", "late", "trust")} == {"missing"}

    offices = reported.table("reporting")
    counts = [name for name in offices.columns if name.startswith("indicators_")]
    assert dict(zip(offices["region_code"], offices.select(*counts, "is_silent").rows(), strict=True)) == {
        # expected, reported, of which zero, filled in, missing, with evidence
        "11": (4, 4, 1, 0, 0, 0, False),
        "12": (4, 3, 0, 1, 0, 0, False),
        "31": (4, 3, 1, 1, 0, 3, False),
        "51": (4, 3, 1, 1, 0, 0, False),
        "11.01": (4, 4, 0, 0, 0, 4, False),
        "11.02": (4, 3, 0, 1, 0, 0, False),
        "11.03": (4, 2, 1, 1, 1, 0, False),
        "11.04": (4, 0, 0, 0, 4, 0, True),
        "11.05": (4, 0, 0, 0, 4, 0, True),
    }
    parts = pl.sum_horizontal("indicators_reported", "indicators_imputed", "indicators_missing")
    assert offices.filter(pl.col("indicators_expected") != parts).is_empty()

    gaps = reported.table("not_reported")
    place = ["region_level", "approach", "region_code"]
    of_values = values.join(offices, on=place, how="semi").filter(pl.col("status").is_in(["imputed", "missing"]))
    assert gaps.select(*place, "node_code", "status").equals(of_values.select(*place, "node_code", "status"))
    counted = gaps.group_by(place).agg(
        indicators_imputed=(pl.col("status") == "imputed").sum().cast(pl.Int64),
        indicators_missing=(pl.col("status") == "missing").sum().cast(pl.Int64),
    )
    same = offices.join(counted, on=[*place, "indicators_imputed", "indicators_missing"], how="semi")
    assert same.height == counted.height == offices.height - 2  # 11 and 11.01 reported all
    assert gaps.filter("is_silent")["region_code"].unique(maintain_order=True).to_list() == ["11.04", "11.05"]

    index = reported.table("index_score").join(offices, on=place, suffix="_asked")
    assert index.height == offices.height
    for name in ("expected", "reported", "evidenced"):
        assert index[f"indicators_{name}"].equals(index[f"indicators_{name}_asked"], check_names=False)


def test_the_workbook_says_whom_to_call(reported: Reported) -> None:
    file = reported.snapshot / "exports/not_reported.xlsx"
    book = CalamineWorkbook.from_path(str(file))
    assert book.sheet_names == ["Kantor tanpa laporan", "Indikator belum dilaporkan", "Cakupan per kantor"]
    silent, sent, coverage = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    place = ["region_level", "region_code", "region_name", "approach"]
    assert silent == [
        [*place, "indicators_missing"],
        ["regency_city", "11.04", "Kabupaten Aceh Tengah", "input", 4],
        ["regency_city", "11.05", "Kabupaten Aceh Barat", "input", 4],
    ]
    assert sent == [
        [*place, "node_code", "name_id", "name_en", "status"],
        ["province", "12", "Sumatera Utara", "input", "violence", "Kekerasan", "Violence", "imputed"],
        ["province", "31", "DKI Jakarta", "input", "trust", "Percaya", "Trust", "imputed"],
        ["province", "51", "Bali", "input", "threats", "Ancaman", "Threats", "imputed"],
        ["regency_city", "11.02", "Kabupaten Aceh Tenggara", "input", "violence", "Kekerasan", "Violence", "imputed"],
        ["regency_city", "11.03", "Kabupaten Aceh Timur", "input", "late", "=1+1", "@SUM(A1)", "imputed"],
        ["regency_city", "11.03", "Kabupaten Aceh Timur", "input", "violence", "Kekerasan", "Violence", "missing"],
    ]
    offices = reported.table("reporting")
    assert coverage[0] == [*place, *(name for name in offices.columns if name.startswith("indicators_"))]
    assert [tuple(row) for row in coverage[1:]] == offices.select(coverage[0]).rows()
    with zipfile.ZipFile(file) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) == 3
        assert not any(b"<f>" in archive.read(name) for name in sheets)


PROVINCES = (
    "province / input: 13 of 16 indicators reported (3 as zero, 3 with evidence), 3 left blank and counted as zero, "
    "0 missing; 0 of 4 offices sent nothing"
)
REGENCIES = (
    "regency_city / input: 9 of 20 indicators reported (1 as zero, 4 with evidence), 2 left blank and counted as zero, "
    "9 missing; 2 of 5 offices sent nothing"
)


def test_the_command_says_it_on_every_night(reported: Reported, kerawanan: Cli) -> None:
    again = kerawanan(*reported.arguments)
    answer = kerawanan(*reported.arguments, "--format", "json").json
    assert answer["outcome"] == "unchanged"
    workbook = str(reported.snapshot / "exports/not_reported.xlsx")
    for text in (reported.text, again.out):
        said = " ".join(text.split())
        for sentence in (PROVINCES, REGENCIES, f"Not reported {workbook}"):
            assert sentence in said
    assert answer["not_reported"] == workbook
    assert answer["silent"] == ["11.04 Kabupaten Aceh Tengah / input", "11.05 Kabupaten Aceh Barat / input"]
    province, regency = answer["reporting"]
    assert province == {
        "region_level": "province",
        "approach": "input",
        "offices": 4,
        "offices_silent": 0,
        "indicators_expected": 16,
        "indicators_reported": 13,
        "indicators_reported_zero": 3,
        "indicators_imputed": 3,
        "indicators_missing": 0,
        "indicators_evidenced": 3,
    }
    assert (regency["region_level"], regency["offices"], regency["offices_silent"]) == ("regency_city", 5, 2)
    markdown = night_markdown(night_answered(Path(answer["store"]), answer)).replace("\\", "")
    for sentence in (
        PROVINCES,
        REGENCIES,
        "## Offices that sent nothing",
        answer["silent"][0],
        "who has not reported what",
    ):
        assert sentence in markdown


def thinned(forms: Path, folder: Path, seed: int) -> Path:
    """Forms of which a fifth of the indicators that each reports is left out: all rows about them."""
    folder.mkdir()
    for form in sorted(forms.iterdir()):
        header, *rows = CalamineWorkbook.from_path(str(form)).get_sheet_by_name("Kejadian").to_python()
        place = header.index("Nomor indikator")
        numbers = sorted({row[place] for row in rows})
        luck = random.Random(f"{seed} {form.name}")
        left_out = set(luck.sample(numbers, round(len(numbers) / 5)))
        with xlsxwriter.Workbook(folder / form.name) as book:
            sheet = book.add_worksheet("Kejadian")
            for line, row in enumerate([header, *(row for row in rows if row[place] not in left_out)]):
                sheet.write_row(line, 0, [str(cell) if isinstance(cell, date) else cell for cell in row])
    return folder


@pytest.mark.slow
def test_with_a_fifth_of_the_reports_gone_every_range_is_wider(tmp_path: Path) -> None:
    simulated, forms = "ikp-2024-simulated", tmp_path / "forms"
    subprocess.run([sys.executable, str(ROOT / "extracts/simulate_offices.py"), str(forms)], check=True, cwd=ROOT)
    width = (pl.col("score_highest") - pl.col("score_lowest")).mean()
    is_wide = pl.col("rank_worst") > pl.col("rank_best")
    widths: list[dict[tuple[str, str], float]] = []
    wide, told = [], []
    for name, inbox in (("all", forms), ("fewer", thinned(forms, tmp_path / "thinned", 5))):
        nights = Nights(tmp_path / name)
        nights.folder.mkdir()
        night = nights.run(inbox, edition=simulated)
        index = nights.table(night, "index_score", simulated)
        ranked = index.filter(pl.col("region_level") != "national")
        assert ranked.select("score", "score_lowest", "rank_best", "rank_worst").null_count().sum_horizontal()[0] == 0
        assert outside(index).is_empty()
        whole = ranked.filter(pl.col("indicators_reported") == pl.col("indicators_expected"), approach="input")
        for ends, column in ((("score_lowest", "score_highest"), "score"), (("rank_best", "rank_worst"), "rank")):
            assert all(whole[end].equals(whole[column]) for end in ends)
        below = index.filter(region_level="regency_city").group_by(region_code="parent_region_code")
        means = below.agg(pl.mean("score_lowest", "score_highest"))
        above = index.filter(region_level="province", approach="rollup").join(means, on="region_code", suffix="_mean")
        assert above.height == 34
        for end in ("score_lowest", "score_highest"):
            assert above.filter((pl.col(end) - pl.col(f"{end}_mean")).abs() > 1e-9).is_empty()
        offices = nights.table(night, "reporting", simulated)
        told.append(offices.select(pl.sum("indicators_reported") / pl.sum("indicators_expected")).item())
        wide.append(ranked.select(is_wide.mean()).item())
        widths.append({row[:2]: row[2] for row in ranked.group_by("region_level", "approach").agg(width).rows()})
    assert told[1] == pytest.approx(0.8 * told[0], abs=0.01)
    assert wide[1] > wide[0]
    every, fewer = widths
    assert all(fewer[place] > 1.5 * every[place] > 0 for place in every), widths
