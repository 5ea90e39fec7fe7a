"""A user's own edition in his own folder runs through --methodology, and no code is touched."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Answer

Cli = Callable[..., Answer]

# Five levels; one node is scaled after aggregation; other weights (points), categories and cut-offs; three provinces.
NODES = """\
node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,source_item,evidence,note
risk,,5,index,Risiko,Risk,,1,score_100,none,arithmetic_mean,,,A,
before,risk,4,phase,Sebelum,Before,2,1,score_100,none,arithmetic_mean,,,A,
after,risk,4,phase,Sesudah,After,1,1,score_100,none,arithmetic_mean,,,A,
roll,before,3,theme,Daftar,Roll,1,1,score_100,none,sum,,,A,
count,after,3,theme,Hitung,Count,1,1,score_100,none,arithmetic_mean,rescale,,A,
errors,roll,2,part,Galat,Errors,1,1,severity_sum,max,sum,,,A,scaled by its maximum after its parts are added
delays,count,2,part,Tunda,Delays,3,1,score_100,none,arithmetic_mean,,,A,
trust,count,2,part,Percaya,Trust,1,1,score_100,none,arithmetic_mean,,,A,
double,errors,1,indicator,Ganda,Double entries,1,1,count,none,,,double,A,
missing_voter,errors,1,indicator,Hilang,Missing voters,2,1,count,none,,zero,missing_voter,A,
late,delays,1,indicator,Terlambat,Late,1,1,count,min_max,,,late,A,
survey,trust,1,indicator,Survei,Survey,1,-1,pct,min_max,,,survey,A,
"""

EDITION = """\
edition: risk-test
title_id: "Uji"
title_en: "Test"
status: complete
revision: 3
period: "2030"
reference_period: "2029"
regions_date: 2026-01-01
sources: [kantor]
scale: {lowest: 0, highest: 100}
rounding: {decimals: 1}
weights: points
missing: {leaf: unknown, aggregate: complete}
categories:
  - {code: aman, name_id: Aman, name_en: Safe}
  - {code: waspada, name_id: Waspada, name_en: Watch}
  - {code: rawan, name_id: Rawan, name_en: Prone}
  - {code: sangat-rawan, name_id: Sangat rawan, name_en: Very prone}
region_levels:
  - {level: national, approaches: [rollup], regions: 1, ranked: false}
  - {level: province, approaches: [input], regions: 4, ranked: true, codes: ["11", "12", "51", "93"], scaled_from: 0.5}
roll_ups:
  - {from: province, from_approach: input, to: national, approach: rollup, min_share: 0.1}
cut_offs:
  - level: province
    node: trust
    basis: quantile
    evidence: A
    boundaries:
      - {between: [aman, waspada], quantile: 0.25, belongs_to: waspada}
      - {between: [waspada, rawan], quantile: 0.5, belongs_to: rawan}
      - {between: [rawan, sangat-rawan], quantile: 0.75, belongs_to: sangat-rawan}
  - level: province
    basis: fixed
    evidence: A
    boundaries:
      - {between: [aman, waspada], at: 25, belongs_to: waspada}
      - {between: [waspada, rawan], at: 50, belongs_to: rawan}
      - {between: [rawan, sangat-rawan], at: 75, belongs_to: sangat-rawan}
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
  columns: {region: [kode]}
  number_style: english
  region_key: code
  region_levels: [province]
  unit: count
  measure: value
  items:
    double: {item: double, approach: input}
    missing: {item: missing_voter, approach: input}
    late: {item: late, approach: input}
    survey: {item: survey, approach: input, unit: pct}
  missing: [n/a]
  precedence: 1
  evidence: A
"""

# Four provinces by code, of which one is of the new generation.
DATA = """\
kode,double,missing,late,survey
11,10,5,0,80
12,2,n/a,10,20
93,0,20,5,50
51,"1,000",0,n/a,60
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    edition = tmp_path / "mine" / "editions" / "risk-test"
    edition.mkdir(parents=True)
    (edition / "edition.yml").write_text(EDITION)
    (edition / "nodes.csv").write_text(NODES)
    (tmp_path / "mine" / "sources.yml").write_text(SOURCES)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "kantor-a.csv").write_text(DATA)
    return tmp_path


def test_it_runs_and_computes_what_the_hand_computes(folder: Path, kerawanan: Cli) -> None:
    common = ("--methodology", folder / "mine", "--format", "json")
    assert kerawanan("methodology", "check", "risk-test", *common).code == 0
    answer = kerawanan(
        "run", "--edition", "risk-test", "--inbox", folder / "inbox", "--store", folder / "store", *common
    )
    assert answer.code == 0, answer.err
    tables = Path(answer.json["snapshot"]) / "tables"
    nodes = pl.read_parquet(tables / "node_score.parquet").filter(region_level="province", approach="input")

    def scores(node: str) -> dict[str, float | None]:
        return dict(
            nodes.filter(pl.col("node_code") == node, pl.col("children_present").is_not_null())
            .filter(pl.col("region_code").is_in(["11", "12", "51", "93"]))["region_code", "score"]
            .rows()
        )

    # errors = (double + 2 x missing, blank = 0), scaled by the largest, 1000
    assert scores("errors") == {"11": 2.0, "12": 0.2, "51": 100.0, "93": 4.0}
    assert scores("late") == {"11": 0.0, "12": 100.0, "51": None, "93": 50.0}
    # survey: 80 is best (direction -1)
    assert scores("survey") == pytest.approx({"11": 0.0, "12": 100.0, "51": 100 / 3, "93": 50.0})
    # count = (3 x delays + trust) / 4, over the known ones where one is missing
    assert scores("count") == pytest.approx({"11": 0.0, "12": 100.0, "51": 100 / 3, "93": 50.0})
    # risk = (2 x before + after) / 3
    expected = {"11": 4 / 3, "12": (0.4 + 100) / 3, "51": (200 + 100 / 3) / 3, "93": (8 + 50) / 3}
    assert scores("risk") == pytest.approx(expected)

    index = pl.read_parquet(tables / "index_score.parquet").filter(pl.col("score").is_not_null())
    ranks = dict(index.filter(region_level="province")["region_code", "rank"].rows())
    assert ranks == {"51": 1, "12": 2, "93": 3, "11": 4}
    categories = dict(index.filter(region_level="province")["region_code", "category"].rows())
    assert categories == {"51": "sangat-rawan", "12": "waspada", "93": "aman", "11": "aman"}
    trust = dict(nodes.filter(node_code="trust").drop_nulls("score")["region_code", "category"].rows())
    # quantiles of 0, 33.3, 50, 100: 25, 41.7, 62.5
    assert trust == {"11": "aman", "51": "waspada", "93": "rawan", "12": "sangat-rawan"}
    nation = index.filter(region_level="national")
    assert nation["origin"].to_list() == ["rolled_up"]
    assert nation["score"][0] == pytest.approx(sum(expected.values()) / 4)

    values = pl.read_parquet(tables / "indicator_value.parquet").filter(region_code="12")
    assert values.filter(node_code="missing_voter")["status"].to_list() == ["imputed"]
    assert pl.read_parquet(tables / "indicator_value.parquet").filter(region_code="51", node_code="missing_voter")[
        "status"
    ].to_list() == ["reported_zero"]
    # contributions add up to every computed parent, also to the one that was scaled
    parts = (
        nodes.drop_nulls("contribution").group_by("region_code", "parent_node_code").agg(pl.col("contribution").sum())
    )
    whole = parts.join(nodes, left_on=["region_code", "parent_node_code"], right_on=["region_code", "node_code"])
    assert whole.height == 4 * 8 - 1  # delays of 51 are not known
    assert whole.filter((pl.col("contribution") - pl.col("score")).abs() > 1e-9).is_empty()


def test_a_category_outside_the_list_is_refused(folder: Path, kerawanan: Cli) -> None:
    plan = folder / "mine/editions/risk-test/edition.yml"
    plan.write_text(plan.read_text().replace("rawan, sangat-rawan], at", "rawan, gawat], at"))
    answer = kerawanan("methodology", "check", "risk-test", "--methodology", folder / "mine")
    assert answer.code == 1
    assert "edition.yml, row" in answer.out
