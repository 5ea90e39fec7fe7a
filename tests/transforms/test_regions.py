"""Names and codes become the regions valid for an edition; nothing is guessed."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from schemas.methodology.library import Library
from schemas.methodology.regions import valid_regions
from schemas.methodology.sources import Source
from transforms.engine_tables.units import crosswalk_frame
from transforms.regions.lookup import FOUND, NEAR, Lookup, nearest_labels, region_lookup
from transforms.regions.resolving import resolved
from transforms.regions.territories import validity

REFERENCE = Library().reference
HIGH = REFERENCE.down_to("regency_city")
OLD, NEW = date(2022, 7, 1), date(2026, 1, 1)
CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "region_cases.yml").read_text())
LOOKUPS: dict[tuple[Any, ...], Lookup] = {}
UNKNOWN = dict.fromkeys(("unknown_part", "unknown_level", "unknown_in"), pl.String)
ANY = {
    "title": "t",
    "pattern": "*",
    "format": "csv",
    "separator": ",",
    "encoding": "utf-8",
    "layout": "long",
    "columns": {"region": ["r"], "item": ["i"], "value": ["v"]},
    "number_style": "english",
    "unit": "count",
    "measure": "value",
    "items": {"i": {"item": "i", "approach": "input"}},
    "precedence": 1,
    "evidence": "A",
}


def source(key: str, levels: tuple[str, ...], spoken: date | None = None) -> Source:
    return Source.model_validate({**ANY, "region_key": key, "region_levels": levels, "regions_date": spoken})


def lookup(key: str, levels: tuple[str, ...], on: date, spoken: date | None = None) -> Lookup:
    place = (key, levels, on, spoken)
    if place not in LOOKUPS:
        reference = REFERENCE if {"district", "village"} & {*levels} else HIGH
        LOOKUPS[place] = region_lookup(reference, source(key, levels, spoken), on)
    return LOOKUPS[place]


def found(texts: pl.Series, key: str, levels: tuple[str, ...], on: date, spoken: date | None = None) -> pl.DataFrame:
    rows = texts.to_frame("region")
    return resolved(rows, lookup(key, levels, on, spoken), source(key, levels, spoken)).rows


def asked(case: dict[str, Any]) -> tuple[str, tuple[str, ...], date, date | None]:
    return case["key"], tuple(case.get("levels", ("province", "regency_city"))), case["on"], case.get("source_on")


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 1_000
    assert {"is", "candidates", "nearest", "unknown", "part_of", "split_into"} <= {
        key for case in CASES for key in case
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["is", "candidates", "nearest", "unknown", "part_of", "split_into", "refused_by"])
def test_names_and_codes_of_the_table(kind: str) -> None:
    wrong = []
    cases = [case for case in CASES if kind in case]
    texts = {each: [case["text"] for case in cases if asked(case) == each] for each in map(asked, cases)}
    answers = {each: found(pl.Series(texts[each]), *each).rows_by_key("region", named=True) for each in texts}
    for case in cases:
        answer, known = answers[asked(case)][case["text"]][0], lookup(*asked(case))
        codes = (answer["candidate_codes"] or "").split()
        is_right = {
            "is": answer["region_code"] == case.get("is"),
            "candidates": answer["region_code"] is None and sorted(codes) == sorted(case.get("candidates", [])),
            "unknown": answer["region_code"] is None and answer["candidates"] == 0,
            "nearest": answer["region_code"] is None
            and answer["candidates"] == 0
            and f"({case.get('nearest')})" in nearest_labels(pl.DataFrame([answer]), known)["nearest"][0],
            "part_of": answer["refused_by"] == "divided_region" and codes == [case.get("part_of")],
            "split_into": answer["refused_by"] == "divided_region" and codes == case.get("split_into"),
            "refused_by": answer["region_code"] is None and answer["refused_by"] == case.get("refused_by"),
        }
        if not is_right[kind]:
            wrong.append((case, {name: answer[name] for name in FOUND}))
    assert not wrong, f"{len(wrong)} wrong: {wrong[:10]}"


@pytest.mark.parametrize("level", [None, "province", "regency_city"])
@pytest.mark.parametrize("text", ["Balli", "Bimo", "Serangg", "Jakart"])
def test_nearest_names_come_by_score_then_label(text: str, level: str | None) -> None:
    known = lookup("name", ("province", "regency_city"), NEW)
    unknown = pl.DataFrame({"unknown_part": [text], "unknown_level": [level], "unknown_in": [None]}, schema=UNKNOWN)
    names = known.known.filter(region_level=level) if level else known.known
    best: dict[str, float] = {}
    for key, label in names.select("key", "label").iter_rows():
        best[label] = max(best.get(label, 0), fuzz.ratio(text.upper(), key))
    near = sorted((label for label in best if best[label] >= NEAR), key=lambda label: (-best[label], label))
    for seed in range(5):
        mixed = known._replace(known=known.known.sample(fraction=1, shuffle=True, seed=seed))
        assert nearest_labels(unknown, mixed)["nearest"].to_list() == [", ".join(near[:3]) or "-"]


@pytest.mark.parametrize("on", [OLD, NEW])
def test_the_counts_of_the_reference(on: date) -> None:
    valid = valid_regions(REFERENCE.regions, on)
    provinces = 34 if on == OLD else 38
    counts = dict(valid["level"].value_counts().rows())
    assert counts["province"] == provinces + 1  # and overseas
    assert (counts["national"], counts["regency_city"]) == (1, 514)
    if on == NEW:
        assert (counts["district"], counts["village"]) == (7_285, 83_762)
        kinds = valid.filter(level="regency_city")["kind"].value_counts().rows()
        assert dict(kinds) == {"kabupaten": 416, "kota": 98}


@pytest.mark.parametrize("on", [date(2019, 4, 17), OLD, date(2022, 9, 1), NEW])
def test_every_valid_region_has_exactly_one_valid_parent(on: date) -> None:
    valid = valid_regions(REFERENCE.regions, on)
    assert valid["code"].is_unique().all()
    roots = valid.filter(pl.col("parent").is_null())["code"].to_list()
    assert sorted(roots) == ["ID", "LN"]
    assert valid.drop_nulls("parent").join(valid, left_on="parent", right_on="code", how="anti").is_empty()


SPELLINGS = {
    "official": pl.col("name"),
    "capitals": pl.col("name").str.to_uppercase(),
    "abbreviated": pl.col("name").str.replace("Kabupaten ", "KAB. ").str.replace("Kota ", "Kota  "),
    "without a space after the stop": pl.col("name").str.replace("Kabupaten ", "kab.").str.to_lowercase(),
    "kind behind": pl.format(
        "{}, {}",
        pl.col("name").str.replace("^(Kabupaten|Kota)( Administrasi)? ", ""),
        pl.col("name").str.extract("^(Kabupaten|Kota)").str.replace("Kabupaten", "Kab."),
    ),
    "an office": pl.format("Bawaslu {}", "name"),
    "joined": pl.col("name")
    .str.replace("^(Kabupaten|Kota)( Administrasi)? (.*)$", "$1 $3")
    .str.replace_all(r"\b \b", " "),
    "hyphens": pl.format(
        "{} {}",
        pl.col("name").str.extract("^(Kabupaten|Kota)"),
        pl.col("name").str.replace("^(Kabupaten|Kota)( Administrasi)? ", "").str.replace_all(" ", "-"),
    ),
    "no spaces": pl.format(
        "{} {}",
        pl.col("name").str.extract("^(Kabupaten|Kota)"),
        pl.col("name").str.replace("^(Kabupaten|Kota)( Administrasi)? ", "").str.replace_all(" ", ""),
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("on", [OLD, NEW])
def test_each_of_the_514_resolves_from_every_spelling(spelling: str, on: date) -> None:
    wanted = valid_regions(HIGH.regions, on).filter(level="regency_city")
    texts = wanted.select(SPELLINGS[spelling].alias("region")).to_series()
    answer = found(texts, "name", ("province", "regency_city"), on)
    wrong = answer.with_columns(wanted["code"]).filter(pl.col("region_code").ne_missing(pl.col("code")))
    assert wrong.is_empty(), wrong.select("region", "region_code", "candidate_labels").rows()


@pytest.mark.parametrize("on", [OLD, NEW])
def test_each_of_the_514_resolves_from_each_of_its_codes(on: date) -> None:
    regions = valid_regions(HIGH.regions, on).filter(level="regency_city").drop("code_bps")
    twins = HIGH.regions.filter(level="regency_city").select("code_2020", "code_bps", other="code")
    regions = regions.join(twins, on="code_2020")
    levels = ("province", "regency_city")
    for key, column in (("code", "code"), ("code", "code_2020"), ("code", "other"), ("bps", "code_bps")):
        for texts in (regions[column], regions[column].str.replace_all(".", "", literal=True)):
            assert found(texts, key, levels, on)["region_code"].equals(regions["code"].rename("region_code")), column
    kpu = REFERENCE.codes.filter(system="kpu").join(regions, left_on="region_code", right_on="code_2020")
    assert kpu["region_code"].n_unique() == 514
    answer = found(kpu["code"], "kpu", levels, on)["region_code"]
    assert answer.to_list() == kpu["code_right"].to_list()


@pytest.mark.slow
@settings(deadline=None)
@given(st.sampled_from(HIGH.regions["name"].to_list() + HIGH.aliases["alias"].to_list()), st.sampled_from([OLD, NEW]))
def test_resolution_is_idempotent(text: str, on: date) -> None:
    levels = ("national", "province", "regency_city")
    first = found(pl.Series([text]), "name", levels, on)["region_code"][0]
    if first is not None:
        assert found(pl.Series([first]), "code", levels, on)["region_code"][0] == first
        (name,) = valid_regions(HIGH.regions, on).filter(code=first)["name"]
        again = found(pl.Series([name]), "name", levels, on)
        assert first in again["candidate_codes"][0].split()


def test_old_to_new_to_old_returns() -> None:
    stands = validity(REFERENCE, NEW, OLD).select("code", "region_code", "refused_by")
    back = validity(REFERENCE, OLD, NEW).select("refused_by", region_code="code", again="region_code")
    there = stands.drop_nulls("region_code").join(back, on="region_code", how="left")
    assert there.filter(pl.col("again").ne_missing(pl.col("code"))).is_empty()
    moved = there.filter(pl.col("code") != pl.col("region_code"))
    assert moved.filter(pl.col("code").str.len_chars() == 5).height == 26
    # A province that was divided goes nowhere, and its parts come back as parts of it.
    refused = stands.filter(refused_by="divided_region")
    assert sorted(refused["code"]) == ["91", "92"]
    assert back.filter(refused_by="divided_region")["region_code"].sort().to_list() == [
        "91",
        "92",
        "93",
        "94",
        "95",
        "96",
    ]


def test_a_change_may_declare_that_figures_carry_over() -> None:
    from dataclasses import replace

    heir = (pl.col("from_code") == "91") & (pl.col("to_code") == "91")
    carrying = replace(HIGH, changes=HIGH.changes.with_columns(carries=heir | pl.col("carries")))
    stands = dict(validity(carrying, NEW, OLD).select("code", "region_code").rows())
    assert stands["91"] == "91"
    assert stands["92"] is None


def test_the_crosswalk_leads_from_every_code_to_today() -> None:
    walk = crosswalk_frame(HIGH, HIGH.regions)
    assert walk.select("region_code", "current_code").is_unique().all()
    # A region that has ended is none of today.
    assert set(walk["region_code"]) == set(HIGH.regions["code"]) - {"TT"}
    current = HIGH.regions.filter(pl.col("valid_to").is_null())["code"]
    assert walk["current_code"].is_in(current.implode()).all()
    assert dict(walk["relation"].value_counts().rows()) == {"same": 552, "recoded": 26, "divided": 6}
    assert walk.filter(region_code="91.27").select("current_code", "carries").rows() == [("94.07", True)]
    papua = walk.filter(region_code="91")
    assert papua["current_code"].to_list() == ["91", "93", "94", "95"]
    assert papua["population_share"].sum() == pytest.approx(1)
    assert not papua["carries"].any()


def test_codes_and_names_of_the_table_of_kemendagri() -> None:
    file = Path(__file__).parents[3] / "shared/ikp/region_codes_kabkota.csv"
    if not file.is_file():
        pytest.skip("the table of Kemendagri's codes is not beside the repository (../shared/ikp)")
    theirs = pl.read_csv(file, infer_schema=False).select(
        code="kode_kemendagri_2025",
        code_2020="kode_kemendagri_2020",
        code_bps="kode_bps_34prov",
        name=pl.col("nama").str.strip_chars(),
    )
    ours = valid_regions(HIGH.regions, NEW).filter(level="regency_city").select(theirs.columns)
    differing = ours.join(theirs, on=theirs.columns, how="anti")
    assert (ours.height, differing.rows()) == (514, [])


def test_800_000_names_take_seconds_not_minutes() -> None:
    """No clock: each distinct text is looked at once, so that many rows cost no more than few."""
    names = valid_regions(HIGH.regions, NEW).filter(level="regency_city")["name"]
    texts = pl.concat([names] * 1_600)
    answer = found(texts, "name", ("regency_city",), NEW)
    assert answer.height == texts.len() > 800_000
    assert answer["region_code"].null_count() == 0
