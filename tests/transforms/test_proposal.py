"""What is proposed for a file: which columns name regions, which are indicators, in which unit, and what was seen."""

from datetime import date

import pytest

from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from tests.research import ITEMS, PLACES, research
from tests.transforms.sent import sent
from transforms.extracts.proposal import Proposal, proposed

LIBRARY = Library()


def of(text: str) -> Proposal:
    return proposed(text.encode(), "berkas-2019.csv", LIBRARY.reference)


@pytest.mark.slow
def test_a_data_set_by_names_is_a_path_and_its_units() -> None:
    data = research(LIBRARY.reference, rows=1_500, overseas=40, misspelt=5)
    found = of(data.text)
    path = [(place["level"], place["name"]) for place in found.entry["region_path"]]
    assert path == list(zip(("province", "regency_city", "district", "village"), PLACES, strict=True))
    assert [place.get("own_within") for place in found.entry["region_path"]] == [None, ["LN"], ["LN"], ["LN"]]
    assert {label: item.get("unit", "count") for label, item in found.entry["items"].items()} == ITEMS
    said = " ".join(map(str, found.remarks))
    for seen in ("'id' (each number", "'year' (years: 2019)", "'tercile' holds words", "'poor' has decimals", "path"):
        assert seen in said
    read = sent(data.text, Source.model_validate(found.entry), LIBRARY.reference, date(2026, 1, 1))
    assert read.admitted.height >= len(ITEMS) * 1_490


REGIONS = "Kab. Bantul;{}\nKab. Sleman;{}\nKota Yogyakarta;{}\n"


@pytest.mark.parametrize(
    ("header", "cells", "items"),
    [
        ("Kab/Kota;Tahun;Kasus", ("2019;4", "2019;5", "2020;5"), {"Kasus": "count"}),
        ("Kab/Kota;Kasus", ("1999", "2000", "2001"), {"Kasus": "count"}),
        ("Kab/Kota;Kode;Kasus", ("7;4", "3;5", "9;5"), {"Kasus": "count"}),
        ("Kab/Kota;No;Kasus", ("1;4", "2;5", "3;5"), {"Kasus": "count"}),
        ("Kab/Kota;Hadir (%);Kasus", ("81,5;4", "82,5;5", "80,1;5"), {"Hadir (%)": "pct", "Kasus": "count"}),
        ("Kab/Kota;Hadir;Kasus", ("81,5%;4", "82,5%;5", "80,1%;5"), {"Hadir": "pct", "Kasus": "count"}),
        ("Kab/Kota;Miskin;Kasus", ("0,15;4", "0,25;5", "0,1;5"), {"Miskin": "share", "Kasus": "count"}),
        ("Kab/Kota;Kelas;Kasus", ("rendah;4", "tinggi;5", "rendah;5"), {"Kasus": "count"}),
    ],
)
def test_what_is_an_indicator_and_in_which_unit(header: str, cells: tuple[str, ...], items: dict[str, str]) -> None:
    found = of(f"{header}\n{REGIONS.format(*cells)}")
    assert found.entry["layout"] == "wide"
    assert {label: item.get("unit", "count") for label, item in found.entry["items"].items()} == items


def test_rows_of_a_region_that_differ_in_a_word_are_of_that_indicator() -> None:
    rows = [f"{region};{item};{n}" for n, region in enumerate(("Aceh", "Bali", "Riau")) for item in ("Uang", "ASN")]
    found = of("\n".join(["Provinsi;Indikator;Kasus", *rows, ""]))
    assert (found.entry["layout"], set(found.entry["items"])) == ("long", {"Uang", "ASN"})


def test_codes_go_before_names() -> None:
    found = of("prov,kab,kode,kasus\nACEH,Kab. Pidie,11.07,4\nACEH,Kab. Bireuen,11.11,5\nBALI,Kab. Badung,51.03,1\n")
    assert (found.entry["region_key"], found.entry["columns"]["region"]) == ("code", ["kode"])
    assert set(found.entry["items"]) == {"kasus"}


def test_a_capital_beside_a_regency_is_no_level() -> None:
    rows = "Kab. Bantul;Bantul;4\nKab. Sleman;Sleman;5\nKab. Gunungkidul;Wonosari;1\n"
    found = of(f"Kabupaten/Kota;Ibu kota;Kasus\n{rows}")
    assert "region_path" not in found.entry
    assert found.entry["region_levels"] == ["regency_city"]
