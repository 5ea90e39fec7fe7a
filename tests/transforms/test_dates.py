"""A figure belongs to the region as it was on the row's own date: events of 1990 to 2024 by the names of then."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from schemas.methodology.regions import valid_regions
from tests.transforms.sent import LIBRARY, sent
from tests.transforms.sent import source as source_of

HIGH = LIBRARY.reference.down_to("regency_city")
BEFORE, TODAY = date(2022, 7, 1), date(2026, 1, 1)
DIVIDED, ENDED, OTHER, EARLY = (
    "divided_region",
    "region_ended",
    "region_of_another_time",
    "date_before_reference",
)
# What a row says, and what it is for editions of 2022-07-01 and of 2026: a code, or the rule that it breaks.
EVENTS: list[tuple[str, str, str, str]] = [
    ("1990-05-01", "Bali", "51", "51"),
    ("1995-03-01", "Irian Jaya", DIVIDED, DIVIDED),
    ("1995-03-01", "Papua", DIVIDED, DIVIDED),
    ("2002-06-01", "Irian Jaya", OTHER, OTHER),
    ("2002-06-01", "Papua", DIVIDED, DIVIDED),
    ("2010-06-01", "Papua", "91", DIVIDED),
    ("2010-06-01", "Irian Jaya", OTHER, OTHER),
    ("2023-06-01", "Papua", DIVIDED, "91"),
    ("2023-06-01", "Papua Tengah", DIVIDED, "94"),
    ("2010-06-01", "Papua Tengah", OTHER, OTHER),
    ("2005-06-01", "Irian Jaya Barat", "92", DIVIDED),
    ("2010-06-01", "Irian Jaya Barat", OTHER, OTHER),
    ("1998-06-01", "Irian Jaya Barat", OTHER, OTHER),
    ("2010-06-01", "Papua Barat", "92", DIVIDED),
    ("2023-06-01", "Papua Barat", DIVIDED, "92"),
    ("1998-05-01", "Timor Timur", ENDED, ENDED),
    ("2001-05-01", "Timor Timur", OTHER, OTHER),
    ("1998-05-01", "Maluku Utara", OTHER, OTHER),
    ("2000-05-01", "Maluku Utara", "82", "82"),
    ("1998-05-01", "Maluku", DIVIDED, DIVIDED),
    ("1999-10-04", "Maluku", "81", "81"),
    ("1999-06-01", "Jawa Barat", DIVIDED, DIVIDED),
    ("2005-06-01", "Jawa Barat", "32", "32"),
    ("2000-10-16", "Banten", OTHER, OTHER),
    ("2000-10-17", "Banten", "36", "36"),
    ("2001-06-01", "Riau", DIVIDED, DIVIDED),
    ("2010-06-01", "Riau", "14", "14"),
    ("2010-06-01", "Kepulauan Riau", "21", "21"),
    ("1999-06-01", "Sulawesi Utara", DIVIDED, DIVIDED),
    ("2005-06-01", "Sulawesi Utara", "71", "71"),
    ("2000-06-01", "Sumatera Selatan", DIVIDED, DIVIDED),
    ("2003-06-01", "Sulawesi Selatan", DIVIDED, DIVIDED),
    ("2005-06-01", "Sulawesi Barat", "76", "76"),
    ("2010-06-01", "Kalimantan Timur", DIVIDED, DIVIDED),
    ("2015-06-01", "Kalimantan Timur", "64", "64"),
    ("2010-06-01", "Kalimantan Utara", OTHER, OTHER),
    ("1975-01-01", "Bali", EARLY, EARLY),
    ("2010-06-01", "Kabupaten Ciamis", DIVIDED, DIVIDED),
    ("2015-06-01", "Kabupaten Ciamis", "32.07", "32.07"),
    ("2010-06-01", "Kabupaten Pangandaran", OTHER, OTHER),
    ("2015-06-01", "Kabupaten Pangandaran", "32.18", "32.18"),
    ("2014-07-22", "Kabupaten Buton", DIVIDED, DIVIDED),
    ("2014-07-23", "Kabupaten Buton", "74.04", "74.04"),
    ("2010-06-01", "Kabupaten Bulungan", "65.01", "65.01"),
    ("2010-06-01", "Kabupaten Nabire", "91.04", "94.01"),
    ("2024-06-01", "Kabupaten Nabire", "91.04", "94.01"),
    ("1995-06-01", "Kabupaten Bogor", EARLY, EARLY),
    ("2005-06-01", "Kabupaten Pangandaran", OTHER, OTHER),
    ("2024-02-14", "DI Yogyakarta", "34", "34"),
    ("kemarin", "Bali", "bad_date", "bad_date"),
]


def source(**different: Any) -> Any:
    entry: dict[str, Any] = {
        "layout": "long",
        "columns": {"region": ["wilayah"], "item": ["indikator"], "value": ["nilai"], "date": ["tanggal"]},
        "region_key": "name",
        "region_levels": ["province", "regency_city"],
        "items": {str(row): {"item": str(row), "approach": "input"} for row in range(len(EVENTS))},
    }
    return source_of(**{**entry, **different})


def events(rows: list[tuple[str, str]]) -> str:
    lines = [f"{day},{region},{place},1" for place, (day, region) in enumerate(rows)]
    return "\n".join(["tanggal,wilayah,indikator,nilai", *lines])


def became(rows: list[tuple[str, str]], on: date, of: Any | None = None) -> list[str]:
    """What each row became: the code of its region, or the rule that it breaks."""
    found = sent(events(rows), of or source(), HIGH, on)
    told = dict(found.admitted.select(pl.col("source_item").cast(pl.Int64), "region_code").rows())
    told |= dict(found.quarantine.select(pl.col("item").cast(pl.Int64), "rule").rows())
    return [told[place] for place in range(len(rows))]


@pytest.mark.parametrize("on", [BEFORE, TODAY])
def test_events_of_1990_to_2024_are_attributed_by_their_date(on: date) -> None:
    answers = became([(day, region) for day, region, _, _ in EVENTS], on)
    wanted = [then if on == BEFORE else now for _, _, then, now in EVENTS]
    wrong = [(event, answer) for event, want, answer in zip(EVENTS, wanted, answers, strict=True) if want != answer]
    assert not wrong


def test_every_refused_row_says_why_in_both_languages() -> None:
    found = sent(events([(day, region) for day, region, _, _ in EVENTS]), source(), HIGH, TODAY)
    bad = found.quarantine
    assert bad.height == sum(not now[0].isdigit() for *_, now in EVENTS)
    for name in ("message_id", "message_en", "action_id", "action_en"):
        assert bad[name].str.len_chars().min() > 10  # type: ignore[operator]
        assert not bad[name].str.contains(r"[{}]").any()
    said = dict(bad.select("row", "message_en").rows())
    indonesian = dict(bad.select("row", "message_id").rows())
    row = {event[:2]: number for number, event in enumerate(EVENTS, start=2)}
    whole = said[row["1995-03-01", "Irian Jaya"]]
    assert "1995-03-01; Papua (91) = Papua (91) + Papua Barat (92) (2003-01-27, UU 45/1999; Inpres 1/2003)" in whole
    assert "Papua Selatan (93)" in whole
    assert "Papua Barat Daya (96) (2022-12-08, UU 29/2022)" in whole
    assert "2001-05-01; Timor Timur (TT): 1976-07-17 – 1999-10-19" in said[row["2001-05-01", "Timor Timur"]]
    assert "1998-05-01; Maluku Utara (82): 1999-10-04 – ... (UU 46/1999)" in said[row["1998-05-01", "Maluku Utara"]]
    assert "1995-06-01; 2009-01-17" in said[row["1995-06-01", "Kabupaten Bogor"]]
    assert "Irian Jaya (91): ... – 2001-11-21" in indonesian[row["2010-06-01", "Irian Jaya"]]


def test_a_row_without_a_date_has_that_of_its_source() -> None:
    rows = [("", "Papua"), ("2023-06-01", "Papua"), ("2010-06-01", "Papua")]
    assert became(rows, TODAY) == ["91", "91", DIVIDED]
    assert became(rows, TODAY, source(regions_date=date(2019, 4, 17))) == [DIVIDED, "91", DIVIDED]


def test_a_name_that_is_not_used_any_more_stands_for_what_it_meant() -> None:
    rows = [("", "Irian Jaya"), ("", "Irian Jaya Barat"), ("", "Timor Timur"), ("", "NAD")]
    assert became(rows, BEFORE) == [DIVIDED, "92", ENDED, "11"]
    assert became(rows, TODAY) == [DIVIDED, DIVIDED, ENDED, "11"]


def test_a_code_is_one_of_its_day() -> None:
    rows = [
        ("2019-01-01", "94"),
        ("2023-01-01", "94"),
        ("2019-01-01", "91.04"),
        ("2010-01-01", "51"),
        ("2010-01-01", "94"),
    ]
    of = source(region_key="code")
    assert became(rows, TODAY, of) == [OTHER, "94", "94.01", EARLY, OTHER]
    # BPS calls Papua 94, in the generation of 34 provinces.
    assert became([("2019-01-01", "94"), ("1995-01-01", "82")], BEFORE, source(region_key="bps")) == ["91", OTHER]


def test_a_path_leads_through_the_province_of_its_day() -> None:
    path = [{"level": "province", "name": "provinsi"}, {"level": "regency_city", "name": "kabupaten"}]
    of = source(
        columns={"item": ["indikator"], "value": ["nilai"], "date": ["tanggal"]},
        region_path=path,
        region_levels=["regency_city"],
    )
    rows = ["2010-06-01,Kalimantan Timur,Bulungan,0,1", "2015-06-01,Kalimantan Utara,Bulungan,1,1"]
    rows += [
        "2015-06-01,Kalimantan Timur,Bulungan,2,1",
        "2010-06-01,Papua,Nabire,3,1",
        "2024-06-01,Papua Tengah,Nabire,4,1",
    ]
    found = sent("\n".join(["tanggal,provinsi,kabupaten,indikator,nilai", *rows]), of, HIGH, TODAY)
    assert found.admitted.sort("row")["region_code"].to_list() == ["65.01", "65.01", "94.01", "94.01"]
    assert found.quarantine["rule"].to_list() == ["unknown_region"]


def test_a_refused_row_leaves_only_the_regions_that_it_concerns_unknown() -> None:
    rows = [("1998-05-01", "Timor Timur"), ("1999-06-01", "Jawa Barat"), ("1998-06-01", "Maluku Utara")]
    found = sent(events(rows), source(), HIGH, TODAY).refused_keys
    # Of a region that has ended none of the edition's; null would mean any.
    assert found.sort("source_item")["candidates"].to_list() == ["", "32 36", "82"]


# Provinces with Timor Timur until 1999 and without those overseas, and regencies and cities, as they are written down.
COUNTS = {
    date(1976, 7, 17): (27, None),
    date(1999, 10, 20): (27, None),
    date(2001, 1, 1): (30, None),
    date(2003, 1, 1): (31, None),
    date(2004, 1, 1): (32, None),
    date(2005, 1, 1): (33, None),
    date(2009, 1, 17): (33, 497),
    date(2012, 11, 16): (33, 497),
    date(2012, 11, 17): (34, 501),
    date(2013, 12, 31): (34, 511),
    date(2014, 12, 31): (34, 514),
    date(2022, 7, 25): (37, 514),
    date(2022, 12, 8): (38, 514),
}


@pytest.mark.parametrize("on", COUNTS)
def test_the_counts_of_the_country_through_time(on: date) -> None:
    counts = dict(valid_regions(HIGH.regions, on)["level"].value_counts().rows())
    provinces, regencies = COUNTS[on]
    assert counts["province"] - 1 == provinces
    assert regencies is None or counts["regency_city"] == regencies


def test_every_founding_is_a_change_with_law_day_and_grade() -> None:
    changes = HIGH.changes
    assert changes.select("law", "evidence").null_count().row(0) == (0, 0)
    born = changes.filter(pl.col("from_code") != pl.col("to_code")).select(code="to_code", date="date")
    regions = HIGH.regions.filter(pl.col("code_2020").eq_missing(pl.col("code")) | (pl.col("level") == "province"))
    founded = regions.drop_nulls("valid_from").filter(pl.col("code") != "TT").select("code", date="valid_from")
    assert sorted(born.rows()) == sorted(founded.rows())
    rests = changes.group_by("date", "from_code").agg((pl.col("to_code") == pl.col("from_code")).any().alias("rest"))
    assert rests.filter(~pl.col("rest").fill_null(True))["from_code"].to_list() in ([], ["TT"])
