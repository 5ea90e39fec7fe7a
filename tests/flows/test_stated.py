"""A category or a rank that was published without its score."""

from pathlib import Path

import polars as pl
import pytest

from schemas.errors import MethodologyError
from schemas.methodology.library import Library
from tests.conftest import Nights, Published
from tests.themes import EDITION, findings, sent, theme

ITEMS = """\
  categories: {Bawah: rendah, Atas: tinggi}
  items:
    indeks: {item: indeks, approach: input}
    kelas: {item: indeks, approach: input, measure: category}
    urutan: {item: indeks, approach: input, measure: rank}
"""


def told(folder: Path) -> Path:
    own = theme(folder, basis="fixed", bound="at: 50")
    sources = own / "sources.yml"
    sources.write_text(sources.read_text().replace("  items: {indeks: {item: indeks, approach: input}}\n", ITEMS))
    return own


def test_it_is_published_as_such_and_never_ranked(nights: Nights, tmp_path: Path) -> None:
    own = told(tmp_path)
    inbox = sent(tmp_path, "11,,,", "12,,,")
    rows = ["11,60,Atas,1", "12,40,atas,", "13,,ATAS,4", "14,,Bawah,", "15,,tengah,2,5"]
    (inbox / "siaran-1.csv").write_text("\n".join(["kode,indeks,kelas,urutan", *rows[:4], "15,,tengah,2.5", ""]))
    (inbox / "kantor-1.csv").unlink()
    night = nights.run(inbox, edition=EDITION, methodology=own)
    index = nights.table(night, "index_score", EDITION).filter(region_level="province")
    columns = ("region_code", "score", "category", "rank", "regions_ranked", "origin")
    assert index.select(columns).rows() == [
        ("11", 60, "tinggi", 1, None, "entered"),
        ("12", 40, "rendah", None, None, "entered"),
        ("13", None, "tinggi", 4, None, "entered_rank"),
        ("14", None, "rendah", None, None, "entered_category"),
        ("15", None, None, None, None, None),
    ]
    nodes = nights.table(night, "node_score", EDITION).filter(node_code="tema", region_level="province")
    assert nodes.select("region_code", "category", "rank", "origin").rows()[2:4] == [
        ("13", "tinggi", 4, "entered_rank"),
        ("14", "rendah", None, "entered_category"),
    ]
    assert findings(nights, night, "category_differs") == [("12 Sumatera Utara / input / tema", "tinggi", "rendah")]
    quarantine = pl.read_parquet(nights.store / "runs/run-001/quarantine.parquet")
    assert quarantine.select("row", "rule", "value_text").sort("rule").rows() == [
        (6, "not_whole", "2.5"),
        (6, "unknown_category", "tengah"),
    ]
    assert "Bawah, Atas" in quarantine.filter(rule="unknown_category")["action_id"][0]
    lineage = nights.table(night, "observation", EDITION)
    assert lineage.filter(node_code="tema.category")["value"].to_list() == [2, 2, 2, 1]


def test_words_that_nobody_knows_are_refused_on_load(tmp_path: Path) -> None:
    own = told(tmp_path)
    sources = own / "sources.yml"
    text = sources.read_text()
    sources.write_text(text.replace("Atas: tinggi", "Atas: puncak"))
    with pytest.raises(
        MethodologyError, match="the category 'puncak' of the source siaran is not in the edition's list"
    ):
        Library(own).edition(EDITION)
    sources.write_text(text.replace("  categories: {Bawah: rendah, Atas: tinggi}\n", ""))
    with pytest.raises(MethodologyError, match="declares its words for them"):
        Library(own).edition(EDITION)


def test_the_regions_of_2024_whose_category_alone_was_printed(bundled: Published) -> None:
    nights, night = bundled
    stated = nights.table(night, "index_score").filter(origin="entered_category")
    assert stated.height == 35
    assert stated["score"].null_count() == stated["rank"].null_count() == 35
    assert dict(stated["category"].value_counts().rows()) == {"tinggi": 13, "sedang": 20, "rendah": 2}
