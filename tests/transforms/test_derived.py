"""Columns computed from others of the row, figures that are blank where another is zero, and items told in a column."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contract.refusals import Refusal
from schemas.errors import MethodologyError
from schemas.methodology.sources import Source
from schemas.methodology.sources_file import sources_of
from schemas.strict import yaml_document, yaml_text
from tests.inputs.make import xlsx
from tests.transforms.sent import ENTRY, LIBRARY, broken, figures, items, sent, source
from transforms.extracts.admission import Admission

REFERENCE = LIBRARY.reference.down_to("province")
A_NUMBER = "9" * 400

# What `hasil` is made of, the cells a, b and c of a row, and what it comes to: a figure, None for a blank, or a rule.
ROWS: dict[str, tuple[dict[str, Any], str, Any]] = {
    "a sum": ({"add": ["a", "b"]}, "2,3,", 5),
    "a sum of one": ({"add": ["a"]}, "2,,", 2),
    "a sum of three": ({"add": ["a", "b", "c"]}, "2,3,0.5", 5.5),
    "a sum that takes a column twice": ({"add": ["a", "a"]}, "2,,", 4),
    "a difference": ({"add": ["a"], "subtract": ["b"]}, "5,3,", 2),
    "a difference of several": ({"add": ["a"], "subtract": ["b", "c"]}, "9,3,2", 4),
    "a difference of nothing": ({"add": ["a"], "subtract": ["b"]}, "3,3,", 0),
    "a sum of zeros": ({"add": ["a", "b"]}, "0,0,", 0),
    "grouped thousands": ({"add": ["a", "b"]}, '"1,234.5",0.5,', 1235),
    "a blank in a sum": ({"add": ["a", "b"]}, ",3,", None),
    "a blank that is subtracted": ({"add": ["a"], "subtract": ["b"]}, "3,,", None),
    "only blanks": ({"add": ["a", "b"]}, ",,", None),
    "a word for nothing": ({"add": ["a", "b"]}, "-,3,", None),
    "a word for nothing, spelt otherwise": ({"add": ["a", "b"]}, "3, N/A ,", None),
    "a word": ({"add": ["a", "b"]}, "3,tiga,", "not_a_number"),
    "a word before a blank": ({"add": ["a", "b"]}, "tiga,,", "not_a_number"),
    "a number of another style": ({"add": ["a", "b"]}, '1,"1.234,5",', "not_a_number"),
    "less than nothing": ({"add": ["a"], "subtract": ["b"]}, "2,3,", "out_of_range"),
    "a negative figure that is outweighed": ({"add": ["a", "b"]}, "5,-2,", 3),
    "more than a number can be": ({"add": ["a", "b"]}, f"{A_NUMBER},1,", "not_finite"),
    "without end, and less the same": ({"add": ["a"], "subtract": ["b"]}, f"{A_NUMBER},{A_NUMBER},", "not_finite"),
    "more than the domain": ({"add": ["a", "b"]}, "1000000000000,1,", "out_of_range"),
    "all of it": ({"all_of": ["a", "b"]}, "3,3,", 1),
    "not all of it": ({"all_of": ["a", "b"]}, "2,3,", 0),
    "none of it": ({"all_of": ["a", "b"]}, "0,3,", 0),
    "all of nothing": ({"all_of": ["a", "b"]}, "0,0,", None),
    "a part of nothing": ({"all_of": ["a", "b"]}, "1,0,", None),
    "all of a blank": ({"all_of": ["a", "b"]}, "3,,", None),
    "a blank of all": ({"all_of": ["a", "b"]}, ",3,", None),
    "all of a word": ({"all_of": ["a", "b"]}, "3,semua,", "not_a_number"),
    "any": ({"any_of": "a"}, "3,,", 1),
    "a part of one": ({"any_of": "a"}, "0.5,,", 1),
    "none": ({"any_of": "a"}, "0,,", 0),
    "any of a blank": ({"any_of": "a"}, ",,", None),
    "any of a word for nothing": ({"any_of": "a"}, "n/a,,", None),
    "any of a word": ({"any_of": "a"}, "ada,,", "not_a_number"),
}


def made_of(made: dict[str, Any], **different: Any) -> Source:
    return source(derived={"hasil": made}, **different)


def outcome(found: Admission) -> Any:
    """The figure of an extract with one, or the rule by which it was quarantined."""
    return next((rule for _, _, rule in broken(found)), None) or found.admitted["value"][0]


@pytest.mark.parametrize("name", ROWS)
def test_what_a_column_comes_to(name: str) -> None:
    made, cells, expected = ROWS[name]
    # The second row shows that the number style is the declared one.
    found = sent(f'wilayah,a,b,c\n51,{cells}\n14,"1,000.5",1.5,1.5\n', made_of(made), REFERENCE)
    told = {row: rule for row, _, rule in broken(found)}
    value = dict(found.admitted.select("row", "value").rows())
    assert told.get(2, value.get(2)) == expected
    assert not isinstance(expected, str) or (2 in told and 2 not in value)


def test_what_cannot_be_computed_is_quarantined_where_it_would_stand_and_the_rest_is_kept() -> None:
    text = "wilayah,a,b\n51,1,2\n14,satu,2\n16,3,dua\n52,1,5\n53,4,4\n"
    of = made_of({"add": ["a"], "subtract": ["b"]}, items=items("hasil", "b"), unit="severity_sum")
    found = sent(text, of, REFERENCE)
    assert broken(found) == [
        (2, "hasil", "out_of_range"),
        (3, "hasil", "not_a_number"),
        (4, "b", "not_a_number"),
        (4, "hasil", "not_a_number"),
        (5, "hasil", "out_of_range"),
    ]
    assert figures(found) == [("51", "b", 2), ("14", "b", 2), ("52", "b", 5), ("53", "b", 4), ("53", "hasil", 0)]
    said = dict(found.quarantine.filter(item="hasil").select("row", "message_en").rows())
    assert said[2] == "-1 lies outside the domain 0 - 1000000000000."
    assert said[3] == '"satu" is not a number as this source writes them (1,234.5).'
    assert found.quarantine.filter(row=5, item="hasil")["value_text"].to_list() == ["-4"]
    assert set(found.quarantine["region"]) == {"51", "14", "16", "52"}


def test_numbers_as_indonesians_write_them() -> None:
    of = made_of({"add": ["a", "b"]}, number_style="indonesian", separator=";")
    found = sent("wilayah;a;b\n51;1.234,5;0,5\n14;1.000;2\n16;1,234.5;1\n", of, REFERENCE)
    assert figures(found) == [("51", "hasil", 1235), ("14", "hasil", 1002)]
    assert broken(found) == [(4, "hasil", "not_a_number")]
    with pytest.raises(Refusal, match=r"not written in indonesian style .* column a has 0\.5"):
        sent(
            "wilayah;a;b\n51;0.5;1\n14;1.500;1\n",
            made_of({"add": ["a"]}, items=items("a", "hasil"), separator=";", number_style="indonesian"),
            REFERENCE,
        )


def test_cells_of_a_workbook() -> None:
    table: list[list[Any]] = [
        ["wilayah", "a", "b"],
        ["51", 2, 3],
        ["14", 2.5, "3,5"],
        ["16", {"error": "#DIV/0!"}, 3],
        ["52", None, 3],
        ["53", True, 3],
        ["61", {"formula": "=1+1", "value": 2}, 3],
        ["62", {"date": "2019-04-17"}, 3],
    ]
    of = made_of({"add": ["a", "b"]}, format="xlsx", sheet="*", number_style="indonesian", items=items("b", "hasil"))
    found = sent(xlsx(table), of, REFERENCE)
    assert [row for row in figures(found) if row[1] == "hasil"] == [
        ("51", "hasil", 5),
        ("14", "hasil", 6),
        ("52", "hasil", None),
        ("61", "hasil", 5),
    ]
    assert broken(found) == [(4, "hasil", "error_cell"), (6, "hasil", "not_a_number"), (8, "hasil", "not_a_number")]
    assert found.admitted.filter(source_item="b").height == 7


# The cells a and b of a row, and what is known of a where it needs b.
NEEDS: dict[str, tuple[str, Any]] = {
    "a zero that stands beside a zero": ("0,0", None),
    "a zero that stands beside something": ("0,3", 0),
    "a figure that stands beside something": ("2,3", 2),
    "a blank that stands beside something": (",3", None),
    "a blank that stands beside a zero": (",0", None),
    "a zero that stands beside a fraction": ("0,0.0001", 0),
    "a zero that stands beside zero with a fraction": ("0,0.0", None),
    "a word that stands beside something": ("nol,3", "not_a_number"),
    "a zero that stands beside a blank": ("0,", None),
    "a zero that stands beside a word for a blank": ("0,n/a", None),
    "a zero that stands beside what is no number": ("0,tiga", "not_a_number"),
    "a blank that stands beside what is no number": (",tiga", "not_a_number"),
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_figure_is_not_known_where_what_it_needs_is_zero(name: str) -> None:
    cells, expected = NEEDS[name]
    found = sent(f"wilayah,a,b\n51,{cells}\n", source(items=items("a"), needs={"a": "b"}), REFERENCE)
    assert outcome(found) == expected


def test_what_is_needed_and_what_needs_it_may_be_derived() -> None:
    of = source(
        items=items("a", "ada", "beda"),
        derived={"ada": {"any_of": "a"}, "beda": {"add": ["b"], "subtract": ["a"]}},
        needs={"ada": "b", "a": "beda"},
    )
    found = sent("wilayah,a,b\n51,0,0\n14,0,3\n16,2,3\n52,2,2\n", of, REFERENCE)
    assert figures(found) == [
        *(("51", "a", None), ("51", "ada", None), ("51", "beda", 0)),
        *(("14", "a", 0), ("14", "ada", 0), ("14", "beda", 3)),
        *(("16", "a", 2), ("16", "ada", 1), ("16", "beda", 1)),
        *(("52", "a", None), ("52", "ada", 1), ("52", "beda", 0)),
    ]


# What `hasil` is made of through columns that are derived themselves, in whatever order they stand.
CHAIN = {
    "hasil": {"any_of": "selisih"},
    "selisih": {"add": ["semua"], "subtract": ["tiga"]},
    "semua": {"add": ["dua", "tiga"]},
    "dua": {"add": ["a", "b"]},
    "tiga": {"add": ["c"]},
}


def test_a_derived_column_may_be_computed_from_derived_ones() -> None:
    of = source(items=items("hasil", "selisih", "semua"), derived=CHAIN, needs={"semua": "dua"})
    found = sent("wilayah,a,b,c\n51,1,2,4\n14,0,0,4\n16,1,,4\n52,1,dua,4\n", of, REFERENCE)
    assert figures(found) == [
        *(("51", "hasil", 1), ("51", "selisih", 3), ("51", "semua", 7)),
        *(("14", "hasil", 0), ("14", "selisih", 0), ("14", "semua", None)),
        *(("16", "hasil", None), ("16", "selisih", None), ("16", "semua", None)),
    ]
    assert broken(found) == [(5, name, "not_a_number") for name in ("hasil", "selisih", "semua")]
    assert {'"dua" is not a number as this source writes them (1,234.5).'} == set(found.quarantine["message_en"])
    with pytest.raises(Refusal, match=r"columns are missing: c \("):
        sent("wilayah,a,b\n51,1,2\n", of, REFERENCE)


def test_many_derived_columns_of_each_other_are_no_burden() -> None:
    made = {f"k{n}": {"add": [f"k{n - 1}", f"k{n - 1}"] if n else ["a"]} for n in range(1000)}
    assert source(derived={**made, "hasil": {"add": ["k999"]}}).derived.keys() >= {"k0", "k999"}
    made = {f"k{n}": {"add": [f"k{n - 1}", f"k{n - 1}"] if n else ["a"]} for n in range(20)}
    found = sent("wilayah,a\n51,1\n", source(derived={**made, "hasil": {"add": ["k19"]}}), REFERENCE)
    assert figures(found) == [("51", "hasil", 2**19)]


def test_a_blank_of_a_column_that_is_only_computed_with_says_nothing() -> None:
    of = source(items=items("hasil"), derived={"hasil": {"add": ["a"]}}, needs={"hasil": "b"})
    found = sent("wilayah,a,b\n51,1,1\n14,,\n16,2,0\n", of, REFERENCE)
    assert figures(found) == [("51", "hasil", 1), ("14", "hasil", None), ("16", "hasil", None)]
    assert found.admitted["value_sent"].to_list() == [1, None, None]


# A table of one region and one contest in each row.
CONTESTS = {
    "columns": {"region": ["wilayah"], "item": ["kontes"]},
    "derived": {"gagal": {"add": ["tps"], "subtract": ["sah"]}},
    "items": {
        "presiden / tps": {"item": "tps_presiden", "approach": "input"},
        "presiden / gagal": {"item": "gagal_presiden", "approach": "input"},
        "DPR / tps": {"item": "tps_dpr", "approach": "rollup"},
    },
}


def test_an_item_is_told_by_a_column_and_the_name_of_another() -> None:
    table = "wilayah,kontes,sah,TPS\n51,presiden,3,5\n51,dpr,3,4\n14,  PRESIDEN ,1,2\n"
    found = sent(table, source(**CONTESTS), REFERENCE)
    assert figures(found) == [
        *(("51", "gagal_presiden", 2), ("51", "tps_presiden", 5), ("51", "tps_dpr", 4)),
        *(("14", "gagal_presiden", 1), ("14", "tps_presiden", 2)),
    ]
    assert dict(found.admitted.select("source_item", "approach").rows())["tps_dpr"] == "rollup"
    # A contest of which a column is not declared: that figure is no item, the others are kept.
    assert broken(found) == [(3, "kontes", "unknown_item")]
    assert found.quarantine["item"].to_list() == ["dpr / gagal"]


def test_items_that_are_unknown_or_blank_are_quarantined_figure_by_figure() -> None:
    table = "wilayah,kontes,sah,TPS\n51,presiden,3,5\n51,gubernur,3,4\n14,,1,2\n16, - ,1,2\n"
    found = sent(table, source(**CONTESTS), REFERENCE)
    assert broken(found) == [
        *((3, "kontes", "unknown_item"),) * 2,
        *((4, "kontes", "blank_item"),) * 2,
        *((5, "kontes", "unknown_item"),) * 2,
    ]
    told = found.quarantine.filter(row=3).sort("item")
    assert told["item"].to_list() == ["gubernur / gagal", "gubernur / tps"]
    assert told["value_text"].to_list() == ["1", "4"]
    assert "presiden / tps, presiden / gagal, DPR / tps" in told["action_en"][0]


def test_a_contest_that_stands_twice_for_a_region() -> None:
    table = "wilayah,kontes,sah,tps\n51,presiden,3,5\n51,Presiden,2,5\n14,presiden,1,2\n"
    found = sent(table, source(**CONTESTS), REFERENCE)
    assert figures(found) == [("51", "tps_presiden", 5), ("14", "gagal_presiden", 1), ("14", "tps_presiden", 2)]
    assert broken(found) == [
        (2, "gagal", "conflicting_rows"),
        (3, "gagal", "conflicting_rows"),
        (3, "tps", "repeated_row"),
    ]


MISSING: dict[str, tuple[str, dict[str, Any], str]] = {
    "a column that is added": ("wilayah,b\n51,1\n", {"derived": {"hasil": {"add": ["a"]}}}, "missing: a "),
    "a column that is subtracted": (
        "wilayah,a\n51,1\n",
        {"derived": {"hasil": {"add": ["a"], "subtract": ["b"]}}},
        "missing: b ",
    ),
    "a whole": ("wilayah,a\n51,1\n", {"derived": {"hasil": {"all_of": ["a", "b"]}}}, "missing: b "),
    "a column that a figure needs": ("wilayah,hasil\n51,1\n", {"needs": {"hasil": "b"}}, "missing: b "),
    "a column for the item": ("wilayah,tps,sah\n51,1,1\n", CONTESTS, "missing: kontes "),
    "a column for one of the items": ("wilayah,kontes,sah\n51,presiden,1\n", CONTESTS, "missing: tps "),
    "a column twice": ("wilayah,a,b,A\n51,1,1,1\n", {"derived": {"hasil": {"add": ["a", "b"]}}}, "a stands twice"),
    "a column that a figure needs twice": (
        "wilayah,hasil,b,b\n51,1,1,1\n",
        {"needs": {"hasil": "b"}},
        "b stands twice",
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_without_its_columns_an_extract_is_refused_whole(name: str) -> None:
    content, different, words = MISSING[name]
    with pytest.raises(Refusal) as refusal:
        sent(content, source(**different), REFERENCE)
    assert words in str(refusal.value)


# What differs from the entry, and words of the sentence it is refused with.
DECLARATIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({"derived": {"hasil": {}}}, ["a derived column has 'add'", "'all_of'", "'any_of'"]),
    "two things": ({"derived": {"hasil": {"add": ["a"], "any_of": "a"}}}, ["a derived column has 'add'"]),
    "all and any": ({"derived": {"hasil": {"all_of": ["a", "b"], "any_of": "a"}}}, ["a derived column has 'add'"]),
    "only less": ({"derived": {"hasil": {"subtract": ["a"]}}}, ["a derived column has 'add'"]),
    "less of a flag": ({"derived": {"hasil": {"any_of": "a", "subtract": ["b"]}}}, ["a derived column has 'add'"]),
    "all of one": ({"derived": {"hasil": {"all_of": ["a"]}}}, ["derived.hasil.all_of"]),
    "all of three": ({"derived": {"hasil": {"all_of": ["a", "b", "c"]}}}, ["derived.hasil.all_of"]),
    "any of several": ({"derived": {"hasil": {"any_of": ["a"]}}}, ["derived.hasil.any_of"]),
    "a sum of a text": ({"derived": {"hasil": {"add": "a"}}}, ["derived.hasil.add"]),
    "an unknown way": ({"derived": {"hasil": {"multiply": ["a"]}}}, ["multiply", "not a known key"]),
    "a list": ({"derived": ["hasil"]}, ["derived"]),
    "derived of itself": ({"derived": {"hasil": {"add": ["a", "hasil"]}}}, ["in a circle: hasil > hasil"]),
    "derived of each other": (
        {
            "items": items("hasil", "beda"),
            "derived": {
                "luar": {"add": ["hasil"]},
                "hasil": {"add": ["a", "beda"]},
                "beda": {"any_of": "antara"},
                "antara": {"add": ["b"], "subtract": ["hasil"]},
            },
        },
        ["in a circle: hasil > beda > antara > hasil"],
    ),
    "needs of what is no column": ({"needs": {"hasill": "a"}}, ["needs names 'hasill'", "no column of the items"]),
    "an item column below two rows of labels": (
        {"columns": {"region": ["w"], "item": ["kontes"]}, "items": items("presiden / tps"), "header_rows": 2},
        ["an item column", "one row"],
    ),
    "needs of two": ({"needs": {"hasil": ["a", "b"]}}, ["needs.hasil"]),
    "the layout long": (
        {
            "derived": {"hasil": {"add": ["a"]}},
            "layout": "long",
            "columns": {"region": ["w"], "item": ["i"], "value": ["v"]},
        },
        ["for the layout wide"],
    ),
    "needs in the layout long": (
        {"needs": {"hasil": "a"}, "layout": "long", "columns": {"region": ["w"], "item": ["i"], "value": ["v"]}},
        ["for the layout wide"],
    ),
    "items without their column": (
        {"columns": {"region": ["wilayah"], "item": ["kontes"]}},
        ["has an item column", "'item / column'"],
    ),
    "one item without its column": (
        {"columns": {"region": ["wilayah"], "item": ["kontes"]}, "items": items("presiden / tps", "tps")},
        ["has an item column", "'item / column'"],
    ),
    "an item that stands twice": (
        {**CONTESTS, "items": items("presiden / tps", "PRESIDEN  / TPS")},
        ["stands twice"],
    ),
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_broken_declaration_is_refused_with_a_sentence(name: str) -> None:
    different, words = DECLARATIONS[name]
    text = yaml_text({"kantor": {**ENTRY, **different}})
    with pytest.raises(MethodologyError) as caught:
        sources_of(yaml_document(text, "sources.yml"), LIBRARY.dictionary)
    matching = [each for each in caught.value.problems if all(word in each.sentence for word in words)]
    assert matching, [str(each) for each in caught.value.problems]
    for problem in caught.value.problems:
        assert problem.file == "sources.yml"
        assert problem.row
        assert re.fullmatch(r"[^\n]+\.", problem.sentence), problem


CELL = st.one_of(st.none(), st.integers(0, 10**9), st.decimals(0, 10**6, places=3, allow_nan=False))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8))
def test_any_figures_come_to_what_the_hand_computes(rows: list[tuple[Any, Any, Any]]) -> None:
    codes = ["11", "12", "13", "14", "15", "16", "17", "18"]
    lines = [
        ",".join([code, *("" if cell is None else str(cell) for cell in row)])
        for code, row in zip(codes, rows, strict=False)
    ]
    of = source(
        items=items("jumlah", "semua", "ada", "a"),
        derived={"jumlah": {"add": ["a", "b", "c"]}, "semua": {"all_of": ["a", "b"]}, "ada": {"any_of": "c"}},
        needs={"a": "b"},
    )
    found = sent("\n".join(["wilayah,a,b,c", *lines]) + "\n", of, REFERENCE)
    assert broken(found) == []
    told = {(region, item): value for region, item, value in figures(found)}
    for code, (a, b, c) in zip(codes, rows, strict=False):
        jumlah = None if None in (a, b, c) else float(a) + float(b) + float(c)
        assert told[code, "jumlah"] == (None if jumlah is None else pytest.approx(jumlah, rel=1e-12))
        assert told[code, "semua"] == (None if a is None or not b else float(float(a) == float(b)))
        assert told[code, "ada"] == (None if c is None else float(c > 0))
        assert told[code, "a"] == (None if a is None or not b else pytest.approx(float(a)))


IN_WORDS: dict[str, tuple[dict[str, Any], dict[str, Any], str, Any]] = {
    "a word for zero in a sum": ({"add": ["a", "b"]}, {}, "nihil,5", 5),
    "a word for zero as the whole": ({"all_of": ["a", "b"]}, {}, "5,nihil", None),
    "per cent in a sum": ({"add": ["a", "b"]}, {"unit": "pct"}, "12.5 %,5", 17.5),
}


@pytest.mark.parametrize("name", IN_WORDS)
def test_figures_in_words_are_computed_with(name: str) -> None:
    made, different, cells, expected = IN_WORDS[name]
    assert outcome(sent(f"wilayah,a,b\n51,{cells}\n", made_of(made, **different), REFERENCE)) == expected


def test_a_figure_is_not_known_where_what_it_needs_is_zero_in_a_word() -> None:
    found = sent("wilayah,a,b\n51,0,nihil\n", source(items=items("a"), needs={"a": "b"}), REFERENCE)
    assert outcome(found) is None


@pytest.mark.parametrize(("unit", "expected"), [("pct", 37.5), ("count", "not_a_number")])
def test_cells_shown_in_per_cent_are_computed_with_as_they_are_read_alone(unit: str, expected: Any) -> None:
    table: list[list[Any]] = [["wilayah", "a", "b"], ["51", {"percent": 0.125}, {"percent": 0.25}]]
    of = made_of({"add": ["a", "b"]}, format="xlsx", sheet="*", unit=unit)
    assert outcome(sent(xlsx(table), of, REFERENCE)) == expected
