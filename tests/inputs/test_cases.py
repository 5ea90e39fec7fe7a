"""Input cases are data: the bytes of an extract, what its source declares, and what must become of it."""

import hashlib
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pytest
import python_calamine

from schemas.contract.refusals import Refusal
from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from tests.inputs.make import HERE, all_cases, cut, flipped, made
from transforms.extracts.admission import Admission, admission, identified, over_limit
from transforms.extracts.parse import extract_rows
from transforms.formats import cells, containers, grids, ods, xlsx_sheet
from transforms.regions.lookup import Lookup, region_lookup

ON = date(2022, 7, 1)
CASES = all_cases()
MODULES = {"cells": cells, "containers": containers, "grids": grids, "ods": ods, "xlsx": xlsx_sheet}
PLACE = ["sheet", "row", "item"]
# Formats with checksums: what is damaged is refused, or reads as the whole one does.
CHECKED = [
    "long as csv in gzip",
    "long as csv in zip",
    "long as xlsx",
    "long as ods",
    "events as xlsx in gzip",
    "events as ods in zip",
]
UNCHECKED = ["long as csv", "long as xls", "long as json", "long as ndjson", "long as parquet"]


class Unopened:
    """In place of the library's workbook, where the case is dangerous to open."""

    @staticmethod
    def from_filelike(_: object) -> None:
        raise AssertionError("the workbook was opened")


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@cache
def looked_up(key: str, levels: tuple[str, ...], library: Library) -> Lookup:
    source = Source.model_validate({**CASES["nothing"]["source"], "region_key": key, "region_levels": levels})
    return region_lookup(library.reference, source, ON)


def read(content: bytes, entry: dict[str, Any], library: Library) -> tuple[pl.DataFrame, Admission, Source]:
    """What the source makes of an extract. Raises Refusal."""
    source = Source.model_validate(entry)
    rows = extract_rows(content, source)
    lookup = looked_up(source.region_key, source.region_levels, library)
    digest = hashlib.sha256(content).hexdigest()
    named = identified(rows, source="inputs", file_name="input", extract_sha256=digest)
    return rows, admission(named, source, library.corrections, lookup, library.dictionary), source


def assert_whole(rows: pl.DataFrame, found: Admission) -> None:
    """Every row is either admitted or in quarantine."""
    places = found.quarantine.select(PLACE).unique()
    assert rows.height == found.admitted.height + places.height
    assert found.admitted.select(PLACE).join(places, on=PLACE, how="inner", nulls_equal=True).is_empty()
    assert not found.quarantine["message_en"].is_null().any()


def told(reason: str) -> None:
    """A reason is one short sentence or two on one line, without what only programmers know."""
    assert reason.endswith((".", ".)")), reason
    assert len(reason.splitlines()) == 1, reason
    assert len(reason) < 700, reason
    reason.encode()


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    for place, value in case.get("limit", {}).items():
        module, _, constant = place.partition(".")
        monkeypatch.setattr(MODULES[module], constant, value)
        if constant == "LARGEST_CONTENT":
            monkeypatch.setattr(containers._bounded, "__defaults__", (value,))
    content, then = made(case), case["then"]
    if case.get("unopened"):
        monkeypatch.setattr(python_calamine, "CalamineWorkbook", Unopened)
    if "refused" in then:
        with pytest.raises(Refusal) as refusal:
            read(content, case["source"], library)
        told(str(refusal.value))
        missing = [word for word in then["refused"] if word not in str(refusal.value)]
        assert not missing, str(refusal.value)
        return
    rows, found, source = read(content, case["source"], library)
    values = found.admitted.sort("sheet", "row", maintain_order=True).select("region_code", "source_item", "value")
    admitted = [list(row) for row in values.rows()]
    quarantined = sorted(list(row) for row in found.quarantine.select("row", "rule").rows())
    if "admitted_count" in then:
        assert len(admitted) == then["admitted_count"]
        assert all(row in admitted for row in then["admitted_has"])
    else:
        assert admitted == then["admitted"]
    assert quarantined == sorted(then.get("quarantined", []))
    assert rows.height == then["rows"]
    assert_whole(rows, found)
    if "sheets" in then:
        assert sorted(rows["sheet"].unique()) == then["sheets"]
    if "words" in then:
        said = " ".join(found.quarantine["message_en"] + " " + found.quarantine["action_en"])
        assert all(word in said for word in then["words"]), said
    counts = pl.DataFrame({"extract_sha256": [hashlib.sha256(content).hexdigest()], "rows": [rows.height]})
    assert (not over_limit(found.admitted, counts, source).is_empty()) == then.get("over_limit", False)


@pytest.mark.parametrize("name", CHECKED + UNCHECKED)
def test_what_is_damaged_is_refused_or_whole(name: str, library: Library) -> None:
    case = CASES[name]
    whole = read(made(case), case["source"], library)[1].admitted.drop("extract_sha256")
    ways = [cut(case, step / 5) for step in range(1, 5)] + [flipped(case, step / 20) for step in range(20)]
    for way, content in enumerate(ways):
        try:
            rows, found, _ = read(content, case["source"], library)
        except Refusal as refusal:
            told(str(refusal))
            continue
        assert_whole(rows, found)
        if name in CHECKED:
            assert found.admitted.drop("extract_sha256").equals(whole), way


def test_cases_are_the_same_every_time() -> None:
    for case in {case["make"]: case for case in CASES.values() if "limit" not in case}.values():
        assert made(case) == made(case)


def test_fixtures_are_small_and_used() -> None:
    used = {case["with"]["name"] for case in CASES.values() if case["make"] == "fixture"}
    assert used == {path.name for path in (HERE / "fixtures").iterdir()}
    assert all(path.stat().st_size < 20_000 for path in (HERE / "fixtures").iterdir())
