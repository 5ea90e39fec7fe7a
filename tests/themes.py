"""A methodology with one thematic edition of five provinces, and files for it."""

from pathlib import Path
from typing import Any

from tests.conftest import Nights

EDITION = "tema"
CODES = ["11", "12", "13", "14", "15"]
PLAN = """\
edition: tema
title_id: "Tema"
title_en: "Theme"
status: complete
revision: 1
period: "2024"
reference_period: "2023"
regions_date: 2026-01-01
sources: [kantor, siaran]
scale: {{lowest: 0, highest: 100}}
rounding: {{decimals: 2}}
weights: points
missing: {{leaf: unknown, aggregate: {missing}}}
categories:
  - {{code: rendah, name_id: Rendah, name_en: Low}}
  - {{code: tinggi, name_id: Tinggi, name_en: High}}
region_levels:
  - {{level: national, approaches: [rollup], regions: 1, ranked: false}}
  - {{level: province, approaches: [input], regions: 5, ranked: true, codes: ["11", "12", "13", "14", "15"]{coverage}}}
roll_ups:
  - {{from: province, from_approach: input, to: national, approach: rollup, min_share: 0.5}}
cut_offs:
  - level: province
    basis: {basis}
    evidence: A
    boundaries:
      - {{between: [rendah, tinggi], {bound}, belongs_to: tinggi}}
comparability: "none"
{more}
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
    kasus: {item: kasus, approach: input}
    survei: {item: survei, approach: input, unit: pct}
  missing: [n/a]
  precedence: 1
  evidence: A
siaran:
  title: "Published totals"
  pattern: "siaran-*.csv"
  format: csv
  separator: ","
  encoding: utf-8
  layout: wide
  columns: {region: [kode]}
  number_style: english
  region_key: code
  region_levels: [province]
  unit: score_100
  measure: score
  items: {indeks: {item: indeks, approach: input}}
  precedence: 2
  evidence: S
"""
ONE_LEAF = """\
node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,source_item,evidence,note
tema,,2,index,Tema,Theme,,1,score_100,none,arithmetic_mean,,indeks,A,
kasus,tema,1,indicator,Kasus,Cases,1,1,count,{method},,,kasus,A,
survei,tema,1,indicator,Survei,Survey,1,-1,pct,min_max,,,survei,A,
"""


def theme(folder: Path, method: str = "max", more: str = "", coverage: str = "", **words: str) -> Path:
    """A methodology with one thematic edition."""
    here = folder / "methodology"
    (here / "editions" / EDITION).mkdir(parents=True, exist_ok=True)
    given = {"missing": "rescale", "basis": "mean_sd", "bound": "sd: 1"} | words
    (here / "sources.yml").write_text(SOURCES)
    (here / "editions" / EDITION / "edition.yml").write_text(PLAN.format(more=more, coverage=coverage, **given))
    (here / "editions" / EDITION / "nodes.csv").write_text(ONE_LEAF.format(method=method))
    return here


def sent(folder: Path, *rows: str) -> Path:
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "kantor-1.csv").write_text("\n".join(["kode,kasus,survei", *(row.rpartition(",")[0] for row in rows), ""]))
    totals = [f"{code},{score}" for code, *_, score in (row.split(",") for row in rows) if score]
    if totals:
        (inbox / "siaran-1.csv").write_text("\n".join(["kode,indeks", *totals, ""]))
    return inbox


def index_of(nights: Nights, night: Any) -> dict[str, tuple[Any, ...]]:
    index = nights.table(night, "index_score", EDITION).filter(region_level="province")
    return {row[0]: row[1:] for row in index.select("region_code", "score", "rank", "category").rows()}


def findings(nights: Nights, night: Any, check: str) -> list[tuple[Any, ...]]:
    found = nights.table(night, "quality_result", EDITION).filter(check=check)
    return found.select("subject", "observed", "expected").rows()
