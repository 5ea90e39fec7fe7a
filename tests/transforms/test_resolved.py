"""What a name leaves open is resolved by what is sent with it, or not at all: by the steps below, by what else the
extract names, by the level that a row states, by what its source declares of bare names.
"""

import csv
import io
import random
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from pydantic import ValidationError

from schemas.methodology.coverage import key_problems
from schemas.methodology.library import Library
from schemas.methodology.regions import valid_regions
from schemas.methodology.sources import Source
from tests.transforms.sent import LIBRARY, source
from transforms.extracts.admission import Admission, admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import Lookup, region_lookup

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "resolved_cases.yml").read_text())
TODAY = date(2026, 1, 1)
LEVELS = ("province", "regency_city", "district", "village")
NAMES = dict(zip(LEVELS, ("provinsi", "kabkota", "kecamatan", "desa"), strict=True))
LOOKUPS: dict[str, Lookup] = {}


def asked(path: Sequence[str] = (), level: Sequence[str] = (), own: bool = False, **different: Any) -> Source:
    """A source that names regions by the names of a path, or of one column."""
    within = {"own_within": ["LN"]} if own else {}
    places = [{"level": each, "name": NAMES[each], **(within if each != "province" else {})} for each in path]
    where = {"region_path": places} if path else {}
    columns = {"level": level, **({} if path else {"region": ["wilayah"]})}
    levels = [path[-1]] if path else ["province", "regency_city"]
    return source(**where, columns=columns, region_key="name", region_levels=levels, **different)


def looked_up(of: Source, territory: tuple[str | None, ...] | None = None) -> Lookup:
    key = f"{of.region_path} {of.region_key} {of.region_levels} {of.bare_name} {of.levels} {territory}"
    if key not in LOOKUPS:
        lowest = "village" if of.region_path and of.region_path[-1].level == "village" else "district"
        LOOKUPS[key] = region_lookup(LIBRARY.reference.down_to(lowest), of, TODAY, territory)
    return LOOKUPS[key]


def extract(of: Source, rows: Iterable[Sequence[str]], name: str = "a", header: Sequence[str] = ()) -> pl.DataFrame:
    """The rows of an extract with these cells, each with its number as its figure."""
    path = [column for place in of.region_path for column in place.columns]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*(header or [*(path or ["wilayah"]), *of.columns.level]), "hasil"])
    writer.writerows([*cells, str(number)] for number, cells in enumerate(rows, start=1))
    return identified(extract_rows(text.getvalue().encode(), of), source="kantor", file_name=name, extract_sha256=name)


def read(of: Source, *extracts: pl.DataFrame, territory: tuple[str | None, ...] | None = None) -> Admission:
    return admission(pl.concat(extracts), of, (), looked_up(of, territory), LIBRARY.dictionary)


def told(of: Admission, name: str = "a") -> dict[int, tuple[str, str]]:
    """By the number of the row: the region that it is about; or the rule that keeps it out, and its sentence."""
    good = of.admitted.filter(file_name=name).select(pl.col("value").cast(pl.Int64), "region_code", pl.lit(""))
    bad = of.quarantine.filter(file_name=name).select(pl.col("value_text").cast(pl.Int64), "rule", "message_en")
    return {number: (what, says) for number, what, says in [*good.rows(), *bad.rows()]}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_resolves_a_name(case: dict[str, Any], seed: int) -> None:
    """Whatever the order of rows, and whatever other extracts say."""
    of = asked(case.get("path", ()), **case.get("by", {}))
    rows = random.Random(seed).sample(case["rows"], len(case["rows"]))
    cells = [[cell for cell in row if isinstance(cell, str)] for row in rows]
    expected = [dict(pair for each in row if isinstance(each, dict) for pair in each.items()) for row in rows]
    here = extract(of, cells)
    other = [[*pair, *("" for _ in of.region_path[2:]), *("" for _ in of.columns.level)] for pair in OTHERS]
    answers = told(
        read(of, extract(of, other if of.region_path else [["Bali", *("" for _ in of.columns.level)]], "b"), here)
    )
    for number, (row, wanted) in enumerate(zip(cells, expected, strict=True), start=1):
        what, says = answers[number]
        assert what == wanted.get("is", wanted.get("rule")), (row, what, says)
        assert wanted.get("says", "") in says, says


OTHERS = (("BANTEN", "KOTA SERANG"), ("JAWA BARAT", "KOTA BANDUNG"), ("PAPUA BARAT DAYA", "KOTA SORONG"))


def test_an_extract_resolves_nothing_of_another() -> None:
    of = asked(("province", "regency_city"))
    bare, both = [["BANTEN", "SERANG"]], [["BANTEN", "SERANG"], ["BANTEN", "KOTA SERANG"]]
    for order in (1, -1):
        found = read(of, *[extract(of, bare, "bare"), extract(of, both, "both")][::order])
        assert told(found, "bare")[1][0] == "ambiguous_region"
        assert {number: what for number, (what, _) in told(found, "both").items()} == {1: "36.04", 2: "36.73"}


def villages() -> pl.DataFrame:
    """Every village of today with the names of what it lies in: `code`, and a column for each level."""
    valid = valid_regions(LIBRARY.reference.regions, TODAY)
    places = valid.filter(level="village").select("code", "parent", desa="name")
    for level in LEVELS[2::-1]:
        step = valid.filter(level=level).select(pl.col("name").alias(NAMES[level]), parent="code", up="parent")
        places = places.join(step, on="parent", maintain_order="left").drop("parent").rename({"up": "parent"})
    return places


@pytest.mark.parametrize(("share", "provinces"), [(1, ("36", "96", "75", "17")), (16, ())])
def test_every_row_made_of_a_village_is_admitted_as_it_or_not_at_all(share: int, provinces: tuple[str, ...]) -> None:
    made = villages().with_columns(pl.col("kabkota").str.replace("^(Kabupaten|Kota)( Administrasi)? ", ""))
    if provinces:
        made = made.filter(pl.col("code").str.slice(0, 2).is_in(provinces))
    made = made.gather_every(share).with_columns(pl.col("provinsi", "kabkota", "kecamatan").str.to_uppercase())
    assert made.height > 4_000
    of = asked(LEVELS)
    found = read(of, extract(of, made.select(*NAMES.values()).iter_rows()))
    numbered = made.with_row_index("value", offset=1).with_columns(pl.col("value").cast(pl.Float64))
    wrong = found.admitted.join(numbered, on="value").filter(pl.col("region_code") != pl.col("code"))
    assert wrong.select("region", "region_code", "code").rows() == []
    assert set(found.quarantine["rule"]) <= {"ambiguous_region"}
    # What is left are villages of one name in one district: nobody could tell.
    assert found.admitted.height >= 0.999 * made.height


OVERSEAS = ("Luar Negeri", "+LUAR NEGERI", "luar negeri")


def test_regions_overseas_are_called_by_their_names() -> None:
    of = asked(LEVELS, own=True)
    rows = [
        ["Luar Negeri", "Uni Emirat Arab", "Abu Dhabi", "Abu Dhabi"],
        ["+Luar Negeri", "UNI EMIRAT ARAB", "Dubai", "Dubai"],
        ["LUAR NEGERI", "Uruguay", "Montevideo", "..."],
    ]
    found = read(of, extract(of, rows), territory=("LN",))
    place = "name:LN/UNIEMIRATARAB"
    assert [what for what, _ in (told(found)[number] for number in (1, 2, 3))] == [
        f"{place}/ABUDHABI/ABUDHABI",
        f"{place}/DUBAI/DUBAI",
        "unknown_region",
    ]
    assert set(found.own_regions.filter(level="regency_city").select("code", "parent").rows()) == {
        (place, "LN"),
        ("name:LN/URUGUAY", "LN"),
    }


@pytest.mark.parametrize("own", [True, False])
def test_an_edition_that_does_not_cover_overseas_says_so(own: bool) -> None:
    of = asked(LEVELS, own=own)
    rows = [["Luar Negeri", "Mesir", "Kairo", "Kairo"], ["BALI", "JEMBRANA", "NEGARA", "BALUK"]]
    found = read(of, extract(of, rows), territory=(None,))
    rule, says = told(found)[1]
    assert (rule, "Luar Negeri (LN), which this edition does not cover" in says) == ("outside_territory", True)
    assert told(found)[2] == ("51.01.01.2002", "")
    assert found.own_regions.is_empty()
    assert found.refused_keys["candidates"].to_list() == ["LN"]  # and says nothing of any other region


def coded(own: bool = True) -> Source:
    """A source with codes and names, and regions of its own overseas and below regencies."""
    within = {"regency_city": ["LN"], "district": ["ID", "LN"], "village": ["ID", "LN"]} if own else {}
    path = [
        {"level": each, "code": f"kode_{name}", "name": name, "own_within": within.get(each, [])}
        for each, name in NAMES.items()
    ]
    return source(region_path=path, columns={}, region_key="kpu", region_levels=["village"])


@pytest.mark.slow
def test_rows_overseas_without_codes_among_rows_with_codes() -> None:
    of = coded()
    rows = [
        ["Luar Negeri", "", "Uruguay", "", "Montevideo", "", "Montevideo", ""],
        ["Luar Negeri", "-99.0", "Mesir", "-98.0", "Kairo", "-97.0", "Kairo", "-96.0"],
        ["Bali", "", "Jembrana", "", "Negara", "", "Baluk", ""],
        ["Luar Negeri", "-99", "Uruguay", "", "Montevideo", "", "Montevideo", ""],
    ]
    found = read(of, extract(of, rows), territory=("LN",))
    answers = told(found)
    assert [answers[number][0] for number in range(1, 5)] == [
        "name:LN/URUGUAY/MONTEVIDEO/MONTEVIDEO",
        "kpu:-96",
        "region_without_code",
        "blank_region",
    ]
    assert "Bali › Jembrana › Negara › Baluk" in answers[3][1]
    here = told(read(of, extract(of, rows), territory=(None,)))
    assert [here[number][0] for number in (1, 2)] == ["outside_territory", "kpu:-96"]
    undeclared = told(read(coded(own=False), extract(coded(own=False), rows[:1]), territory=("LN",)))
    assert undeclared[1][0] == "region_without_code"


def test_what_a_source_may_declare() -> None:
    for different, words in (
        ({"levels": {"Tk. I": "province"}}, "declare it as columns.level"),
        ({"bare_name": "regency", "region_key": "code", "columns": {"region": ["w"]}}, "by name"),
    ):
        with pytest.raises(ValidationError, match=words):
            source(**{"region_key": "name", **different})
    for of in (asked(bare_name="kerajaan"), asked(level=["tingkat"], levels={"x": "kerajaan"})):
        (problem,) = key_problems({"kantor": of}, LIBRARY.reference)
        assert "'kerajaan' is no word for a level" in problem.sentence
        assert "kabupaten" in problem.sentence
    assert key_problems({"kantor": asked(level=["t"], levels={"x": "KAB."}, bare_name="City")}, LIBRARY.reference) == []


def test_words_for_levels_are_data() -> None:
    words = Library().reference.level_words
    assert {"provinsi", "kabupaten", "kota", "province", "regency", "city"} <= set(words["word"])
