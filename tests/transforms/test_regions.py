"""Names and codes become the regions valid for an edition; nothing is guessed."""

from datetime import date

import polars as pl
import pytest

from schemas.methodology import Library
from schemas.regions import valid_regions
from transforms.regions import code_lookup, name_lookup, resolved

LIBRARY = Library()
OLD, NEW = date(2022, 7, 1), date(2026, 1, 1)

NAMES = {
    ("province", "Prov. DKI Jakarta"): "31",
    ("province", "DKI"): "31",
    ("province", "  provinsi   dki jakarta "): "31",
    ("province", "D.I. Yogyakarta"): "34",
    ("province", "DIY"): "34",
    ("province", "Kep. Riau"): "21",
    ("province", "PROPINSI KEP. BANGKA BELITUNG"): "19",
    ("province", "Papua"): "91",
    ("regency_city", "Kab. Bandung"): "32.04",
    ("regency_city", "KABUPATEN BANDUNG"): "32.04",
    ("regency_city", "Kota Bandung"): "32.73",
    ("regency_city", "Bandung"): None,
    ("regency_city", "Bogor"): None,
    ("regency_city", "Sleman"): "34.04",
    ("regency_city", "Kota Adm. Jakarta Pusat"): "31.71",
    ("regency_city", "Kab. Kep. Seribu"): "31.01",
    ("regency_city", "Kab. Pangkajene dan Kepulauan"): "73.10",
    ("regency_city", "Kab. Lima Puluh Kota"): "13.07",
    ("regency_city", "Kab. Tidak Ada"): None,
    ("regency_city", ""): None,
    ("national", "Indonesia"): "ID",
}


def by_name(text: str, level: str, on: date) -> str | None:
    lookup = name_lookup(valid_regions(LIBRARY.regions, on), LIBRARY.aliases, [level])
    found: str | None = resolved(pl.DataFrame({"region": [text]}), lookup, "name")["region_code"][0]
    return found


@pytest.mark.parametrize(("level", "text"), NAMES)
def test_names(level: str, text: str) -> None:
    assert by_name(text, level, OLD) == NAMES[level, text]


def test_a_region_has_the_code_of_the_edition() -> None:
    assert by_name("Kab. Merauke", "regency_city", OLD) == "91.01"
    assert by_name("Kab. Merauke", "regency_city", NEW) == "93.01"
    assert by_name("Papua Selatan", "province", OLD) is None
    assert by_name("Papua Selatan", "province", NEW) == "93"


@pytest.mark.parametrize(("on", "regencies", "provinces"), [(OLD, 514, 34), (NEW, 514, 38)])
def test_every_code_of_either_generation_and_every_name_resolves(on: date, regencies: int, provinces: int) -> None:
    valid = valid_regions(LIBRARY.regions, on)
    levels = ["province", "regency_city"]
    assert dict(valid["level"].value_counts().rows()) == {
        "national": 1,
        "province": provinces,
        "regency_city": regencies,
    }
    codes = code_lookup(LIBRARY.regions, valid, levels)
    assert codes["key"].is_duplicated().sum() == 0
    regions = LIBRARY.regions.filter(pl.col("level") == "regency_city")
    found = resolved(regions.select(region="code"), codes, "code")
    assert found["region_code"].null_count() == 0
    assert found["region_code"].n_unique() == 514
    names = name_lookup(valid, LIBRARY.aliases, ["regency_city"])
    wanted = valid.filter(pl.col("level") == "regency_city")
    for spelling in (
        pl.col("name"),
        pl.col("name").str.to_uppercase(),
        pl.col("name").str.replace("Kabupaten", "Kab."),
    ):
        told = resolved(wanted.select(spelling.alias("region"), "code"), names, "name")
        assert (told["region_code"] == told["code"]).all()


def test_every_parent_is_valid_when_its_child_is() -> None:
    for on in (OLD, NEW):
        valid = valid_regions(LIBRARY.regions, on)
        assert valid.drop_nulls("parent").join(valid, left_on="parent", right_on="code", how="anti").is_empty()
