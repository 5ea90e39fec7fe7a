"""Figures that are sums of rows: repeated rows that a source says to add up, and events with and without severity."""

from typing import Any

import pytest

from schemas.errors import MethodologyError
from schemas.methodology.corrections import Correction
from schemas.methodology.edition import SeverityLevel
from schemas.methodology.library import Methodology
from schemas.methodology.sources_file import sources_of
from schemas.strict import yaml_document, yaml_text
from tests.transforms.sent import ENTRY, LIBRARY, items
from tests.transforms.test_ratios import ITEMS, ZERO, Outcome, all_of, counts, methodology, outcome, table

LONG = {"layout": "long", "columns": {"region": ["wilayah"], "item": ["butir"], "value": ["nilai"]}}
EVENTS: dict[str, Any] = {"layout": "events", "columns": {"region": ["wilayah"], "item": ["butir"], "value": ["nilai"]}}


def summed(nodes: str = ZERO, corrections: Any = (), **different: Any) -> Methodology:
    entry = counts(repeated="sum", **(LONG | different))
    return methodology(nodes, corrections=corrections, kantor=entry)


def rows(*told: str) -> str:
    return "\n".join(["wilayah,butir,nilai", *told]) + "\n"


def states(got: Outcome) -> list[tuple[Any, ...]]:
    return sorted(got.resolved.observation.select("row", "state").rows())


def test_rows_of_one_region_and_item_are_added_up() -> None:
    got = outcome(summed(), rows("11.01,jumlah,2", "11.02,jumlah,7", "11.01,jumlah,2", "11.01,JUMLAH,5"))
    assert (got.value("11.01", "jumlah"), got.value("11.02", "jumlah")) == (9, 7)
    assert got.values["11.01", "jumlah"]["extract_count"] == 1
    assert states(got) == [(2, "used"), (3, "used"), (4, "used"), (5, "used")]
    assert got.read[0].quarantine.is_empty()
    assert got.findings == {}


def test_without_it_repeated_rows_stay_in_quarantine() -> None:
    got = outcome(methodology(ZERO, kantor=counts(**LONG)), rows("11.01,jumlah,2", "11.01,jumlah,3", "11.02,jumlah,1"))
    assert got.value("11.01", "jumlah") is None
    assert set(got.read[0].quarantine["rule"]) == {"conflicting_rows"}


def test_a_wide_table_is_added_up_too_and_a_ratio_by_its_parts() -> None:
    of = methodology(ZERO, kantor=counts(repeated="sum"))
    got = outcome(of, table({"11.01": "1,1,4,2"}) + "11.01,2,1,4,3\n")
    assert got.parts("11.01") == (3, 8, None)
    assert (got.value("11.01"), got.value("11.01", "bagian"), got.value("11.01", "jumlah")) == (37.5, 0.25, 5)
    assert got.values["11.01", "persen"]["extract_count"] == 1


def test_the_order_of_rows_does_not_matter() -> None:
    of = summed(unit="severity_sum")
    parts = [f"11.01,jumlah,{value}" for value in ("0.1", "0.2", "0.3", "1000000000", "0.7")]
    assert {outcome(of, rows(*told)).value("11.01", "jumlah") for told in (parts, parts[::-1])} == {1000000001.3}


def test_a_sum_of_which_a_row_is_blank_is_not_known() -> None:
    got = outcome(summed(), rows("11.01,jumlah,2", "11.01,jumlah,n/a", "11.01,semua,4", "11.01,rusak,", "11.01,rusak,"))
    assert got.value("11.01", "jumlah") is None
    assert got.value("11.01") == "imputed"  # nothing was said of it
    assert got.findings == {"sum_incomplete": [("kantor / 11.01 Kabupaten 11 1 / input / jumlah", "1", "2")]}
    assert states(got) == [(2, "incomplete"), (3, "blank"), (4, "used"), (5, "blank"), (6, "blank")]


def test_a_partial_sum_is_never_filled_with_zero() -> None:
    got = outcome(summed(), rows("11.01,semua,4", "11.01,rusak,2", "11.01,rusak,n/a"))
    assert got.value("11.01") is None
    got = outcome(summed(), rows("11.01,semua,4", "11.01,rusak,2", "11.01,rusak,dua"))
    assert got.value("11.01") is None
    assert states(got) == [(2, "used"), (3, "incomplete")]


def test_a_word_that_reports_nothing_is_a_part_of_zero() -> None:
    assert outcome(summed(), rows("11.01,jumlah,2", "11.01,jumlah,nihil")).value("11.01", "jumlah") == 2


def test_a_sum_of_which_a_row_was_refused_is_not_known() -> None:
    got = outcome(summed(), rows("11.01,jumlah,2", "11.01,jumlah,-3", "11.02,jumlah,5"))
    assert got.value("11.01", "jumlah") is None
    assert got.value("11.02", "jumlah") == 5
    assert states(got) == [(2, "incomplete"), (4, "used")]
    # The region of a row is not known: it can be a part of any sum of the item in the extract, and of no other item.
    got = outcome(summed(), rows("11.01,jumlah,2", "11.01,semua,3", "99.99,jumlah,5"))
    assert got.value("11.01", "jumlah") is None
    assert (got.read[0].quarantine["rule"].to_list(), states(got)) == (
        ["unknown_region_code"],
        [(2, "incomplete"), (3, "used")],
    )


def test_what_was_sent_before_stands_where_the_newer_sum_is_not_known() -> None:
    older, newer = rows("11.01,jumlah,2", "11.01,jumlah,3"), rows("11.01,jumlah,4", "11.01,jumlah,n/a")
    assert outcome(summed(), older, newer).value("11.01", "jumlah") == 5
    # And a sum that was never known is not known because something newer of another item came.
    got = outcome(summed(), rows("11.01,jumlah,4", "11.01,jumlah,x"), rows("11.01,semua,3"))
    assert got.value("11.01", "jumlah") is None


def test_extracts_are_not_added_to_each_other() -> None:
    got = outcome(summed(), rows("11.01,jumlah,2", "11.01,jumlah,3"), rows("11.01,jumlah,4", "11.01,jumlah,4"))
    assert got.value("11.01", "jumlah") == 8
    assert min(got.resolved.observation.select("extract_sha256", "state").unique().rows())[1] == "superseded"
    assert got.values["11.01", "jumlah"]["extract_count"] == 1
    assert [each[1:] for each in got.findings["replaced"]] == [("kantor 5.0", "8.0")]


def test_sums_of_two_sources_contradict_each_other_as_figures_do() -> None:
    of = methodology(
        ZERO,
        kantor=counts(repeated="sum", **LONG),
        kpu=counts(precedence=20, items=items(*ITEMS)),
    )
    got = outcome(of, ("kantor", rows("11.01,jumlah,2", "11.01,jumlah,3"), 1), ("kpu", table({"11.01": "1,1,4,6"}), 1))
    assert got.value("11.01", "jumlah") == 6
    assert [each[1] for each in got.findings["contradiction"]] == ["kantor 5.0; kpu 6.0"]


def test_sums_are_summed_over_the_regions_below() -> None:
    told = [f"{code},jumlah,{value}" for code in all_of("11", "") for value in (1, 2)]
    got = outcome(summed(), rows(*told))
    assert (got.value("11", "jumlah"), got.values["11", "jumlah"]["members_counted"]) == (12, 4)


def correction(expect: str, value: str) -> Correction:
    return Correction.model_validate(
        {
            "id": "c",
            "source": "kantor",
            "region": "11.01",
            "item": "jumlah",
            "expect": expect,
            "value": value,
            "reason": "r",
            "reference": "r",
            "evidence": "A",
            "declared_date": "2026-01-01",
        }
    )


# What is expected and right, the rows, what the sum comes to, and what is found.
CORRECTED: dict[str, tuple[tuple[str, str], list[str], float, dict[str, list[tuple[str, str]]]]] = {
    "one row has it": (("5", "50"), ["3", "5", "7"], 60, {"correction_applied": [("5", "50")]}),
    "two rows have it": (("5", "50"), ["5", "5", "7"], 17, {"correction_ambiguous": [("2", "5")]}),
    "none has it": (("5", "50"), ["3", "7"], 10, {"correction_expectation": [("3", "5"), ("7", "5")]}),
    "it was mended": (("5", "50"), ["3", "50"], 53, {"correction_fulfilled": [("50", "5")]}),
    "one has it and another what is right": (("5", "3"), ["3", "5"], 6, {"correction_applied": [("5", "3")]}),
}


@pytest.mark.parametrize("name", CORRECTED)
@pytest.mark.parametrize("layout", ["long", "events"])
def test_a_correction_is_of_the_one_row_that_has_what_it_expects(name: str, layout: str) -> None:
    (expect, value), told, expected, found = CORRECTED[name]
    sent = rows(*(f"11.01,jumlah,{each}" for each in told))
    mended = [correction(expect, value)]
    of = summed(corrections=mended)
    if layout == "events":
        of = methodology(ZERO, corrections=mended, kantor=counts(**EVENTS))
    got = outcome(of, sent)
    assert got.value("11.01", "jumlah") == expected
    assert {check: [each[1:] for each in sorted(rows)] for check, rows in got.findings.items()} == found


def events(**different: Any) -> Methodology:
    of = methodology(ZERO, kantor=counts(**(EVENTS | different)))
    severities = {"ringan": SeverityLevel.model_validate({"multiplier": "1.5", "evidence": "A"})}
    object.__setattr__(of, "edition", of.edition.model_copy(update={"severities": severities}))
    return of


def test_events_of_one_declared_severity_count_by_it() -> None:
    got = outcome(events(severity="ringan"), rows("11.01,jumlah,2", "11.01,jumlah,1", "11.02,jumlah,0"))
    assert (got.value("11.01", "jumlah"), got.value("11.02", "jumlah")) == (4.5, 0)
    assert got.read[0].quarantine.is_empty()


def test_events_without_severity_are_counted() -> None:
    got = outcome(events(), rows("11.01,jumlah,2", "11.01,jumlah,1", "11.02,jumlah,0"))
    assert (got.value("11.01", "jumlah"), got.value("11.02", "jumlah")) == (3, 0)
    assert got.read[0].quarantine.is_empty()
    assert states(got) == [(2, "used"), (3, "used"), (4, "used")]


def test_rows_that_are_events_are_counted_where_no_column_counts_them() -> None:
    of = events(columns={"region": ["wilayah"], "item": ["butir"]})
    got = outcome(of, "wilayah,butir\n11.01,jumlah\n11.01,jumlah\n11.02,jumlah\n11.01,jumlahh\n")
    assert (got.value("11.01", "jumlah"), got.value("11.02", "jumlah")) == (2, 1)
    assert got.read[0].quarantine["rule"].to_list() == ["unknown_item"]


# What differs from a source of counts, and words of the sentence it is refused with.
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a sum of shares": ({"repeated": "sum", "unit": "pct"}, ["pct", "cannot be added up", "'hasil'", "count"]),
    "a sum of shares of an item": (
        {"repeated": "sum", "items": {"hasil": {"item": "hasil", "approach": "input", "unit": "share"}}},
        ["share", "cannot be added up"],
    ),
    "a sum of scores": ({"repeated": "sum", "measure": "score"}, ["scores cannot be added"]),
    "a sum of events": ({"repeated": "sum", **EVENTS}, ["events always are"]),
    "repeated rows of another kind": ({"repeated": "mean"}, ["repeated", "mean"]),
    "counted events in a unit of severities": ({**EVENTS, "unit": "severity_sum"}, ["are counted", "severity_sum"]),
    "counted events in shares": ({**EVENTS, "unit": "share"}, ["are counted", "share"]),
    "severities without their column": ({**EVENTS, "severities": {"a": "b"}}, ["severity column and severities"]),
    "a severity of all and a column": (
        {
            **EVENTS,
            "severity": "ringan",
            "severities": {"a": "ringan"},
            "columns": {**EVENTS["columns"], "severity": ["tingkat"]},
        },
        ["no such column"],
    ),
    "a severity of what are no events": ({"severity": "ringan"}, ["no events"]),
    "events without an item": ({**EVENTS, "columns": {"region": ["wilayah"]}}, ["the item column"]),
    "an unknown number style": ({"number_style": "swiss"}, ["'swiss' is not known", "indonesian, english"]),
    "number styles in a source": ({"number_styles": {}}, ["number_styles stand in dictionary.yml"]),
    "nothing asked for": ({"where": {"tahun": []}}, ["where.tahun"]),
    "a number asked for": ({"where": {"tahun": 2024}}, ["where.tahun", "2024", "quotes"]),
    "rows asked for by no column": ({"where": ["tahun"]}, ["where"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_source_that_cannot_be_meant_is_refused_with_a_sentence(name: str) -> None:
    different, words = REFUSED[name]
    text = yaml_text({"kantor": {**ENTRY, **different}})
    with pytest.raises(MethodologyError) as caught:
        sources_of(yaml_document(text, "sources.yml"), LIBRARY.dictionary)
    matching = [each for each in caught.value.problems if all(word in each.sentence for word in words)]
    assert matching, [str(each) for each in caught.value.problems]
    assert all(each.file == "sources.yml" and each.row and each.sentence.endswith(".") for each in matching)
