"""A figure whose region cannot be told is never a zero of that region: what it can be about stays unknown."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.conftest import Answer

NODES = """\
node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,source_item,evidence,note
risk,,2,index,Risiko,Risk,,1,score_100,none,arithmetic_mean,,,A,
money,risk,1,indicator,Uang,Money,1,1,count,max,,zero,money,A,
staff,risk,1,indicator,Pegawai,Staff,1,1,count,max,,zero,staff,A,
"""
EDITION = """\
edition: names
title_id: "Uji"
title_en: "Test"
status: complete
revision: 1
period: "2030"
reference_period: "2029"
regions_date: 2026-01-01
sources: [recap, survey]
scale: {lowest: 0, highest: 100}
rounding: {decimals: 1}
weights: points
missing: {leaf: unknown, aggregate: complete}
categories: [{code: aman, name_id: Aman, name_en: Safe}]
region_levels:
  - {level: regency_city, approaches: [input], regions: 4, ranked: true, codes: ["35.07", "35.13", "35.73", "35.79"]}
comparability: "none"
"""
SOURCE = """\
{name}:
  title: "Invented"
  pattern: "{name}*.csv"
  format: csv
  separator: ";"
  encoding: utf-8
  layout: wide
  columns: {{region: [Wilayah]}}
  number_style: indonesian
  region_key: name
  region_levels: [regency_city]
  unit: count
  measure: value
  items: {{{item}: {{item: {item}, approach: input}}}}
  precedence: 1
  evidence: A
"""


def statuses(folder: Path, kerawanan: Callable[..., Answer], recap: str) -> dict[str, str]:
    edition, inbox = folder / "methodology/editions/names", folder / "inbox"
    for each in (edition, inbox):
        each.mkdir(parents=True)
    (edition / "nodes.csv").write_text(NODES)
    (edition / "edition.yml").write_text(EDITION)
    entries = (SOURCE.format(name=name, item=item) for name, item in (("recap", "money"), ("survey", "staff")))
    (folder / "methodology/sources.yml").write_text("".join(entries))
    (inbox / "recap.csv").write_text(recap)
    regions = ("Kab. Malang", "Kota Malang", "Kab. Probolinggo", "Kota Batu")
    (inbox / "survey.csv").write_text("Wilayah;staff\n" + "".join(f"{name};1\n" for name in regions))
    given = ("--methodology", folder / "methodology", "--inbox", inbox, "--store", folder / "store")
    answer = kerawanan("run", "--edition", "names", *given, "--format", "json")
    assert answer.code in (0, 3), answer.err  # what so small an index is held for does not matter here
    values = pl.read_parquet(Path(answer.json["snapshot"]) / "tables/indicator_value.parquet")
    return dict(values.filter(node_code="money").select("region_code", "status").rows())


def test_a_misspelt_name_leaves_unknown_what_its_source_says_nothing_of(
    tmp_path: Path, kerawanan: Callable[..., Answer]
) -> None:
    recap = "Wilayah;money\nKab. Malang;3\nKota Malang;4\nKab. Probolingo;9\n"
    found = statuses(tmp_path, kerawanan, recap)
    assert found == {"35.07": "reported", "35.73": "reported", "35.13": "missing", "35.79": "missing"}


def test_an_ambiguous_name_leaves_its_candidates_unknown(tmp_path: Path, kerawanan: Callable[..., Answer]) -> None:
    found = statuses(tmp_path, kerawanan, "Wilayah;money\nMalang;3\nKab. Probolinggo;9\nKota Batu;-\n")
    assert (found["35.07"], found["35.73"], found["35.13"]) == ("missing", "missing", "reported")


def test_a_blank_counts_as_zero_only_for_the_source_that_asks(tmp_path: Path, kerawanan: Callable[..., Answer]) -> None:
    """Kota Batu answered the survey, but never the recap: it is not calm, it is silent."""
    found = statuses(tmp_path, kerawanan, "Wilayah;money\nKab. Malang;3\nKota Malang;4\nKab. Probolinggo;9\n")
    assert found["35.79"] == "missing"
