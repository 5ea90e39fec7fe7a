"""What real files say, from end to end: rows of other years, events without severity, sums, a unit and a style of one's
own.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from schemas.contract.number_styles import NumberStyle
from schemas.methodology.library import Library
from tests.conftest import Answer
from tests.transforms.sent import source
from warehouse.extracts.parsed import parsed_key

Cli = Callable[..., Answer]

FILES = {
    "m/dictionary.yml": """\
units:
  change_pct: {lowest: null, highest: null, meaning_en: "change in per cent", meaning_id: "perubahan dalam persen"}
number_styles:
  swiss: {grouping: "'’", decimal_mark: ".", example: "1'234.5"}
""",
    "m/editions/coba/nodes.csv": """\
node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,source_item,evidence,note,denominator,per
risk,,2,index,Risiko,Risk,,1,score_100,none,arithmetic_mean,,,A,,,
kejadian,risk,1,indicator,Kejadian,Events,1,1,count,max,,zero,kejadian,A,,,
konflik,risk,1,indicator,Konflik,Conflict,1,1,severity_sum,max,,,konflik,A,,,
aduan,risk,1,indicator,Aduan,Complaints,1,1,pct,max,,,aduan,A,,pemilih,100
perubahan,risk,1,indicator,Perubahan,Change,1,1,change_pct,min_max,,,perubahan,A,,,
""",
    "m/editions/coba/edition.yml": """\
edition: coba
title_id: "Coba"
title_en: "Try"
status: complete
revision: 1
period: "2024"
reference_period: "2024"
regions_date: 2024-01-01
sources: [pers, kantor, aduan, kuesioner]
scale: {lowest: 0, highest: 100}
rounding: {decimals: 1}
weights: points
missing: {leaf: unknown, aggregate: complete}
severities: {ringan: {multiplier: 2, evidence: A}}
categories:
  - {code: aman, name_id: Aman, name_en: Safe}
  - {code: rawan, name_id: Rawan, name_en: Prone}
region_levels:
  - {level: province, approaches: [input], regions: 3, ranked: true, codes: ["51", "14", "31"]}
cut_offs:
  - level: province
    basis: fixed
    evidence: A
    boundaries:
      - {between: [aman, rawan], at: 50, belongs_to: rawan}
comparability: "none"
""",
    "m/sources.yml": """\
pers:
  title: "Kejadian menurut pers"
  pattern: "pers-*.csv"
  format: csv
  separator: ";"
  encoding: utf-8
  layout: events
  columns: {region: [Provinsi], item: [Jenis], date: [Tanggal], evidence: [Tautan]}
  number_style: indonesian
  region_key: name
  region_levels: [province]
  unit: count
  measure: value
  where: {Tahun: "2024", Status: [terkonfirmasi, Terverifikasi]}
  items: {"Kericuhan": {item: kejadian, approach: input}}
  precedence: 1
  evidence: A
kantor:
  title: "Konflik menurut kantor, semuanya ringan"
  pattern: "kantor-*.csv"
  format: csv
  separator: ";"
  encoding: utf-8
  layout: events
  columns: {region: [Provinsi], item: [Butir], value: [Jumlah]}
  severity: ringan
  number_style: indonesian
  region_key: name
  region_levels: [province]
  unit: severity_sum
  measure: value
  items: {"Konflik": {item: konflik, approach: input}}
  precedence: 1
  evidence: A
aduan:
  title: "Aduan per kecamatan, dijumlahkan"
  pattern: "aduan-*.csv"
  format: csv
  separator: ";"
  encoding: utf-8
  layout: wide
  columns: {region: [Provinsi]}
  number_style: indonesian
  region_key: name
  region_levels: [province]
  unit: count
  measure: value
  repeated: sum
  derived:
    semua: {add: [lk, pr]}
    lk: {add: [lk1, lk2]}
  items: {"aduan": {item: aduan, approach: input}, "semua": {item: pemilih, approach: input}}
  precedence: 1
  evidence: A
kuesioner:
  title: "Perubahan"
  pattern: "kues-*.csv"
  format: csv
  separator: ";"
  encoding: utf-8
  layout: wide
  columns: {region: [Provinsi]}
  number_style: swiss
  region_key: name
  region_levels: [province]
  unit: change_pct
  measure: value
  items: {"perubahan": {item: perubahan, approach: input}}
  precedence: 1
  evidence: A
""",
    "in/pers-1.csv": """\
Tahun;Provinsi;Jenis;Tanggal;Tautan;Status
2024;Bali;Kericuhan;2024-01-03;https://a;Terkonfirmasi
2024;Bali;Kericuhan;2024-01-04;https://b;terverifikasi
2023;Bali;Kericuhan;2023-01-04;https://b;terverifikasi
2024;Riau;Kericuhan;2024-02-04;https://b;terverifikasi
2024;Riau;Kericuhan;2024-02-05;https://b;hoaks
2024;DKI Jakarta;Kericuhan;2024-02-05;;terkonfirmasi
""",
    "in/kantor-1.csv": """\
Provinsi;Butir;Jumlah
Bali;Konflik;2
Bali;Konflik;1,2E+01
Riau;Konflik;0
DKI Jakarta;Konflik;7
""",
    "in/aduan-1.csv": """\
Provinsi;aduan;lk1;lk2;pr
Bali;1;1E2;50;150
Bali;2;100;50;50
Riau;5;1.000;0;1.000
DKI Jakarta;3;300;0;300
DKI Jakarta;3;300;0;300
""",
    "in/kues-1.csv": """\
Provinsi;perubahan
Bali;-1'234.5
Riau;12.5
DKI Jakarta;−3.5
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.slow
def test_it_runs_and_comes_to_what_the_hand_computes(folder: Path, kerawanan: Cli) -> None:
    given = ("--methodology", folder / "m")
    answer = kerawanan(
        "run", "--edition", "coba", "--inbox", folder / "in", "--store", folder / "store", *given, "--format", "json"
    )
    assert answer.code == 0, answer.err
    snapshot = Path(answer.json["snapshot"])
    values = pl.read_parquet(snapshot / "tables/indicator_value.parquet")
    told = {(region, node): value for region, node, value in values["region_code", "node_code", "raw_value"].rows()}
    assert {node: told["51", node] for node in ("kejadian", "konflik", "aduan", "perubahan")} == {
        "kejadian": 2,  # of three rows one is of 2023
        "konflik": (2 + 12) * 2,
        "aduan": 100 * (1 + 2) / (100 + 50 + 150 + 100 + 50 + 50),
        "perubahan": -1234.5,
    }
    assert {node: told["14", node] for node in ("kejadian", "konflik", "aduan")} == {
        "kejadian": 1,  # one of two rows is a rumour
        "konflik": 0,
        "aduan": 100 * 5 / 2000,
    }
    assert told["31", "perubahan"] == -3.5
    aduan = values.filter(region_code="51", node_code="aduan")["numerator", "denominator", "extract_count"]
    assert aduan.rows() == [(3, 500, 1)]
    # Every row of a sum is told of.
    lineage = pl.read_parquet(snapshot / "tables/observation.parquet").filter(region_code="51", node_code="aduan")
    assert sorted(lineage["row", "value", "state"].rows()) == [(2, 1, "used"), (3, 2, "used")]
    # The snapshot carries the unit and the style, and comes out again from what it carries.
    carried = Library(snapshot / "methodology", alone=True)
    assert "change_pct" in carried.dictionary.units
    assert carried.sources["kuesioner"].style.example == "1'234.5"
    assert kerawanan("snapshots", "verify", "--deep", "--store", folder / "store").code == 0


def test_a_check_shows_how_many_rows_are_not_asked_for(folder: Path, kerawanan: Cli) -> None:
    given = (folder / "in/pers-1.csv", "--source", "pers", "--methodology", folder / "m")
    answer = kerawanan("sources", "check", *given, "--format", "json").json
    assert (answer["rows"], answer["rows_admitted"]) == (4, 4)
    (table,) = answer["tables"]
    assert table["columns"]["where Tahun"] == "Tahun"
    assert table["rows_left_out"] == 2
    assert table["left_out_have"] == {"Tahun: 2023, Status: terverifikasi": 1, "Tahun: 2024, Status: hoaks": 1}
    shown = kerawanan("sources", "check", *given).out
    assert "2 rows left out, as the source says in where" in shown
    assert "1 x Tahun: 2024, Status: hoaks" in shown
    (folder / "in/pers-1.csv").write_text("Tahun;Provinsi;Jenis;Tanggal;Tautan;Status\n2019;Bali;Kericuhan;;;hoaks\n")
    answer = kerawanan("sources", "check", *given, "--format", "json")
    assert "none of its 1 rows is one that the source asks for" in answer.json["refused"]
    assert answer.json["tables"][0]["rows_left_out"] == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("m/sources.yml", "number_style: swiss", "number_style: swis", ["sources.yml, row 63", "'swis' is not known"]),
        ("m/sources.yml", "severity: ringan", "severity: berat", ["edition.yml, row", "severity 'berat'", "kantor"]),
        ("m/sources.yml", "{add: [lk1, lk2]}", "{add: [lk1, semua]}", ["in a circle: semua > lk > semua"]),
        ("m/sources.yml", "unit: change_pct", "unit: change", ["'change' is not a known unit"]),
        ("m/sources.yml", "repeated: sum", "repeated: sums", ["repeated", "sums"]),
        ("m/dictionary.yml", "change_pct: {", "change_pct: {lowset: 0, ", ["dictionary.yml, row 2", "lowset"]),
        ("m/dictionary.yml", "  swiss:", "  english:", ["dictionary.yml, row 4", "'english' is ours"]),
    ],
)
def test_a_mistake_is_named_with_file_and_row(
    file: str, old: str, new: str, words: list[str], folder: Path, kerawanan: Cli
) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    answer = kerawanan("methodology", "check", "coba", "--methodology", folder / "m")
    assert answer.code == 1
    said = " ".join(answer.out.split())
    assert all(word in said for word in words), said


def test_rows_that_were_read_before_are_read_anew_where_reading_changes() -> None:
    of = source()
    swiss = NumberStyle(grouping="'", decimal_mark=".", example="1'234.5")
    ways = [
        of,
        source(where={"tahun": "2024"}),
        source(where={"tahun": "2023"}),
        source(repeated="sum"),
        source(derived={"b": {"add": ["a"]}}),
        of.model_copy(update={"number_style": "indonesian"}),
        of.model_copy(update={"number_styles": {**of.number_styles, "swiss": swiss}}),
    ]
    assert len({parsed_key("0" * 64, way) for way in ways}) == len(ways)
    assert parsed_key("0" * 64, source()) == parsed_key("0" * 64, of)
