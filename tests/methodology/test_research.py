"""A data set as universities publish them, 33,571 rows by names: nearly all of it is admitted, and none to a wrong
region; posts overseas are admitted where an edition covers them, and said to be outside where none does.
"""

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from schemas.methodology.library import Library
from schemas.strict import yaml_text
from tests.conftest import Nights
from tests.research import ITEMS, PLACES, ROWS, Research, research

pytestmark = pytest.mark.slow
LEVELS = ("province", "regency_city", "district", "village")
SOURCE: dict[str, Any] = {
    "title": "A research data set",
    "pattern": "penelitian-*.csv",
    "format": "csv",
    "separator": ",",
    "encoding": "utf-8",
    "layout": "wide",
    "columns": {},
    "number_style": "english",
    "region_key": "name",
    "region_levels": ["village"],
    "region_path": [
        {"level": level, "name": name, **({"own_within": ["LN"]} if level != "province" else {})}
        for level, name in zip(LEVELS, PLACES, strict=True)
    ],
    "unit": "count",
    "measure": "value",
    "items": {name: {"item": name, "approach": "input", "unit": unit} for name, unit in ITEMS.items()},
    "precedence": 1,
    "evidence": "A",
}
NODES = """\
node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,source_item,evidence,note
penelitian,,2,index,Penelitian,Research,,1,score_100,none,arithmetic_mean,,,A,
miskin,penelitian,1,indicator,Miskin,Poor,1,1,share,min_max,,,poor,A,
margin,penelitian,1,indicator,Margin,Margin,1,1,pct,min_max,,,margin_percent,A,
"""
PLAN = """\
edition: {edition}
title_id: "Penelitian"
title_en: "Research"
status: complete
revision: 1
period: "2019"
reference_period: "2019"
regions_date: 2026-01-01
{territory}
sources: [penelitian]
scale: {{lowest: 0, highest: 100}}
rounding: {{decimals: 2}}
weights: points
missing: {{leaf: unknown, aggregate: rescale}}
categories: [{{code: semua, name_id: Semua, name_en: All}}]
region_levels:
  - {{level: {top}, approaches: [rollup], regions: 1, ranked: false}}
  - {{level: village, approaches: [input], regions: {villages}, ranked: true, scaled_from: 0.1}}
roll_ups:
  - {{from: village, from_approach: input, to: {top}, approach: rollup, min_share: 0.1}}
cut_offs: []
comparability: "none"
"""


class Studied(NamedTuple):
    """The data set, and a night of each edition on it."""

    data: Research
    tables: dict[str, dict[str, pl.DataFrame]]


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    folder = tmp_path_factory.mktemp("research")
    reference = Library().reference
    data = research(reference)
    inbox = folder / "inbox"
    inbox.mkdir()
    (inbox / "penelitian-2019.csv").write_text(data.text)
    villages = reference.regions.filter(pl.col("valid_to").is_null()).filter(level="village").height
    methodology = _methodology(
        folder / "methodology",
        {"negeri": ("", "national", villages), "ln": ("territory: LN", "province", len(data.overseas))},
    )
    tables = {}
    for edition in ("negeri", "ln"):
        nights = Nights(folder / edition)
        nights.folder.mkdir()
        night = nights.run(inbox, edition, methodology=methodology)
        assert night.outcome == "published", nights.record()
        tables[edition] = {name: nights.table(night, name, edition) for name in ("indicator_value",)} | {
            "quarantine": pl.read_parquet(nights.store / "runs/run-001/quarantine.parquet")
        }
    return Studied(data, tables)


def _methodology(folder: Path, editions: dict[str, tuple[str, str, int]]) -> Path:
    folder.mkdir()
    (folder / "sources.yml").write_text(yaml_text({"penelitian": SOURCE}))
    for name, (territory, top, villages) in editions.items():
        own = folder / "editions" / name
        own.mkdir(parents=True)
        (own / "nodes.csv").write_text(NODES.replace("penelitian,", f"{name},"))
        plan = PLAN.format(edition=name, territory=territory, top=top, villages=villages)
        (own / "edition.yml").write_text(plan)
    return folder


def test_nearly_all_is_admitted(studied: Studied) -> None:
    kept_out = studied.tables["negeri"]["quarantine"].filter(~pl.col("row").is_in([*studied.data.overseas]))
    assert kept_out.height <= 0.005 * (ROWS - len(studied.data.overseas)) * len(ITEMS)
    # What is no region is kept out, and little else.
    assert studied.data.misspelt <= set(kept_out["row"])


def test_no_figure_is_of_a_wrong_region(studied: Studied) -> None:
    sent = pl.read_csv(studied.data.text.encode(), infer_schema=False).with_row_index("row", 2)
    truth = pl.DataFrame(
        {"row": [*studied.data.truth], "region_code": [*studied.data.truth.values()]},
        schema_overrides={"row": pl.UInt32},
    )
    of_region = sent.join(truth, on="row").select("region_code", sent=pl.col("poor").cast(pl.Float64))
    told = _values(studied, "negeri")
    both = told.join(of_region, on="region_code", how="left")
    assert both.filter(pl.col("sent").is_null() | (pl.col("sent") != pl.col("raw_value"))).is_empty()
    assert told.height >= 0.995 * len(studied.data.truth)


def test_overseas_is_admitted_where_an_edition_covers_it(studied: Studied) -> None:
    sent = pl.read_csv(studied.data.text.encode(), infer_schema=False).with_row_index("row", 2)
    posts = sent.filter(pl.col("row").is_in([*studied.data.overseas]))
    told = _values(studied, "ln")
    assert sorted(told["raw_value"]) == sorted(map(float, posts["poor"]))
    assert told["region_code"].n_unique() == posts.height
    outside = studied.tables["negeri"]["quarantine"].filter(pl.col("row").is_in([*studied.data.overseas]))
    assert set(outside["rule"]) == {"outside_territory"}
    assert set(outside["row"]) == studied.data.overseas


def _values(studied: Studied, edition: str) -> pl.DataFrame:
    """What villages have of the indicator of the poor, as it is published."""
    return studied.tables[edition]["indicator_value"].filter(
        (pl.col("region_level") == "village") & (pl.col("node_code") == "miskin") & pl.col("raw_value").is_not_null()
    )
