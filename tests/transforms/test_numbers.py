"""Numbers as people write them, and never a factor of a thousand off."""

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.contract.dictionary import packaged_styles
from schemas.contract.number_styles import NumberStyle
from schemas.contract.refusals import Refusal
from schemas.methodology.sources import Source
from tests.transforms.sent import ENTRY, LIBRARY, broken, figures, sent, source
from transforms.formats.cells import is_figure
from transforms.formats.numbers import number_expr, style_contradiction

REFERENCE = LIBRARY.reference.down_to("province")
SWISS = NumberStyle(grouping="'\u2019", decimal_mark=".", example="1'234.5")
FRENCH = NumberStyle(grouping=" ", decimal_mark=",", example="1 234,5")
BARE = NumberStyle(decimal_mark=",", example="1234,5")
STYLES = {**packaged_styles(), "swiss": SWISS, "french": FRENCH, "bare": BARE}

READ = {
    ("indonesian", "77,04"): 77.04,
    ("indonesian", "1.234,5"): 1234.5,
    ("indonesian", "1.234.567"): 1234567.0,
    ("indonesian", "100"): 100.0,
    ("indonesian", "-3,5"): -3.5,
    ("indonesian", "+3"): 3.0,
    ("indonesian", "0,0"): 0.0,
    ("indonesian", "77.04"): None,
    ("indonesian", "1.23"): None,
    ("indonesian", "12.34,5"): None,
    ("indonesian", "1,234.5"): None,
    ("indonesian", "1,2,3"): None,
    ("indonesian", ",5"): None,
    ("indonesian", "5,"): None,
    ("indonesian", "0.077"): None,
    ("indonesian", "01.234"): None,
    ("indonesian", "1.2345"): None,
    ("indonesian", "1.234 "): None,
    ("indonesian", "- 3"): None,
    ("indonesian", "--3"): None,
    ("indonesian", "3-"): None,
    ("indonesian", "(3)"): None,
    ("indonesian", "\u22123,5"): -3.5,
    ("indonesian", "\u20133"): None,
    ("indonesian", "-0"): 0.0,
    ("indonesian", "1e3"): 1000.0,
    ("indonesian", "1E5"): 100000.0,
    ("indonesian", "1,2E+03"): 1200.0,
    ("indonesian", "7,94123E+10"): 79412300000.0,
    ("indonesian", "-2,5e-1"): -0.25,
    ("indonesian", "2,5E\u22121"): 0.25,
    ("indonesian", "1.2E3"): None,
    ("indonesian", "1.234E3"): None,
    ("indonesian", "1,2E"): None,
    ("indonesian", "E3"): None,
    ("indonesian", "1,2E+0,3"): None,
    ("indonesian", "1 E3"): None,
    ("indonesian", "1,2x10^3"): None,
    ("indonesian", "1E999"): math.inf,
    ("indonesian", "-1E999999999999999999"): -math.inf,
    ("indonesian", "1E-999"): None,
    ("indonesian", "0E-999"): 0.0,
    ("indonesian", "1 234"): None,
    ("indonesian", "inf"): None,
    ("indonesian", "٣"): None,
    ("indonesian", ""): None,
    ("english", "1,234.5"): 1234.5,
    ("english", "88.95"): 88.95,
    ("english", "88,95"): None,
    ("english", "1.234,5"): None,
    ("english", "nan"): None,
    ("english", "1.2E+03"): 1200.0,
    ("english", "1,2E+03"): None,
    ("swiss", "1'234.5"): 1234.5,
    ("swiss", "1\u2019234\u2019567"): 1234567.0,
    ("swiss", "1'234\u2019567"): None,
    ("swiss", "12.5"): 12.5,
    ("swiss", "12,5"): None,
    ("swiss", "1,234"): None,
    ("french", "1 234,5"): 1234.5,
    ("french", "1\u202f234\u202f567,5"): 1234567.5,
    ("french", "1\u00a0234"): 1234.0,
    ("french", "1 23"): None,
    ("french", "0 123"): None,
    ("french", "1  234"): None,
    ("french", "1.234"): None,
    ("bare", "1234,5"): 1234.5,
    ("bare", "1.234"): None,
    ("bare", "1 234"): None,
}


def read(text: str, style: str) -> float | None:
    found: float | None = pl.select(number_expr(pl.lit(text), STYLES[style])).item()
    return found


@pytest.mark.parametrize(("style", "text"), READ)
def test_numbers(style: str, text: str) -> None:
    assert read(text, style) == READ[style, text]
    # What is refused by name, or because it would become a zero, is written like a number.
    is_kept = READ[style, text] is not None or text == "1E-999"
    assert STYLES[style].is_number(text) == is_kept
    assert math.copysign(1, read(text, style) or 0.0) == math.copysign(1, READ[style, text] or 0.0)


@given(st.integers(-(10**12), 10**12), st.integers(0, 6), st.booleans(), st.sampled_from(list(STYLES)))
def test_what_is_written_is_read_back(units: int, places: int, grouped: bool, name: str) -> None:
    style, value = STYLES[name], units / 10**places
    marks: dict[str, str | int | None] = {",": style.grouping[:1], ".": style.decimal_mark}
    text = f"{value:{',' if grouped else ''}.{places}f}".translate(str.maketrans(marks))
    assert read(text, name) == float(f"{value:.{places}f}")
    power = f"{value:.6E}".replace(".", style.decimal_mark)
    assert read(power, name) == float(f"{value:.6E}")


@pytest.mark.slow
@given(st.one_of(st.text(max_size=12), st.text("0123456789.,' +-eE%\u00a0\u2212", max_size=10)))
def test_any_text_is_a_number_or_nothing(text: str) -> None:
    for name, style in STYLES.items():
        found = read(text, name)
        assert found is None or found == found
        assert found is None or style.is_number(text)
        is_one = any(each.is_number(text.strip()) for each in STYLES.values())
        assert is_figure(text, STYLES.values()) == is_one or "%" in text


BROKEN: dict[str, tuple[dict[str, str], str]] = {
    "no example": ({"decimal_mark": ","}, "example"),
    "an example of another style": ({"grouping": ".", "decimal_mark": ",", "example": "1,234.5"}, "no number of its"),
    "an example without groups": (
        {"grouping": ".", "decimal_mark": ",", "example": "1234,5"},
        "no number of its style",
    ),
    "an example without decimals": ({"grouping": ".", "decimal_mark": ",", "example": "1.234"}, "no number of its"),
    "one mark for both": ({"grouping": ",.", "decimal_mark": ",", "example": "1.234,5"}, "differ from each other"),
    "a letter": ({"grouping": ".", "decimal_mark": "e", "example": "1.234e5"}, "'e' cannot be a mark"),
    "a digit": ({"grouping": "0", "decimal_mark": ",", "example": "10234,5"}, "'0' cannot be a mark"),
    "a sign": ({"grouping": "-", "decimal_mark": ",", "example": "1-234,5"}, "'-' cannot be a mark"),
    "a bracket": ({"grouping": "]", "decimal_mark": ",", "example": "1]234,5"}, "']' cannot be a mark"),
    "a space of its own": ({"grouping": "\u00a0", "decimal_mark": ",", "example": "1\u00a0234,5"}, "a plain space"),
    "a space before decimals": ({"decimal_mark": " ", "example": "1 5"}, "a space cannot be the decimal mark"),
    "two decimal marks": ({"decimal_mark": ",.", "example": "1,5"}, "decimal_mark"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_style_that_could_not_be_read_is_refused(name: str) -> None:
    entry, words = BROKEN[name]
    with pytest.raises(ValidationError) as caught:
        NumberStyle.model_validate(entry)
    assert words in str(caught.value)


# The style that is declared, what stands in the file, and the text that shows that it is another.
CONTRADICTIONS: dict[str, tuple[str, list[str], str | None]] = {
    "the other style beside what both read": ("indonesian", ["1.234", "77.04"], "77.04"),
    "only the other style": ("indonesian", ["0.5", "77.04"], "0.5"),
    "the other style once": ("indonesian", ["77.04", "12"], None),
    "the other style beside the declared one": ("indonesian", ["77.04", "12,5"], None),
    "a power of ten in the other style": ("indonesian", ["1.2E3", "1.234"], "1.2E3"),
    "declared English": ("english", ["1,234", "77,04"], "77,04"),
    "apostrophes beside what both read": ("indonesian", ["1.234", "1'234"], "1'234"),
    "apostrophes where the comma groups: nothing can be misread": ("english", ["1'234", "1'235", "12.5"], None),
    "spaces where the dot groups: nothing can be misread": ("indonesian", ["1 234", "1 235"], None),
    "spaces where the comma groups": ("english", ["1 234,5", "1,234"], "1 234,5"),
    "a third style of which both others are rivals": ("swiss", ["12,5", "1.234"], "12,5"),
    "no figures": ("indonesian", ["abc", "-"], None),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_style_is_compared_with_every_other_that_could_be_meant(name: str) -> None:
    style, texts, foreign = CONTRADICTIONS[name]
    assert style_contradiction(pl.Series(texts), STYLES[style], STYLES.values()) == foreign


def of_style(name: str, **different: Any) -> Source:
    styles = {each: style.model_dump() for each, style in STYLES.items()}
    return source(number_styles=styles, number_style=name, separator=";", unit="severity_sum", **different)


def test_a_style_of_ones_own_reads_what_is_written_in_it() -> None:
    text = "wilayah;hasil\n51;1'234.5\n14;12.5\n16;12,5\n52;1 234\n53;1.2E3\n"
    found = sent(text, of_style("swiss"), REFERENCE)
    assert figures(found) == [("51", "hasil", 1234.5), ("14", "hasil", 12.5), ("53", "hasil", 1200)]
    assert broken(found) == [(4, "hasil", "not_a_number"), (5, "hasil", "not_a_number")]
    assert "(1'234.5)" in found.quarantine["message_en"][0]
    found = sent("wilayah;hasil\n51;1\u00a0234,5\n14;1\u202f234\n16;12,5\n", of_style("french"), REFERENCE)
    assert figures(found) == [("51", "hasil", 1234.5), ("14", "hasil", 1234), ("16", "hasil", 12.5)]
    with pytest.raises(Refusal, match=r"not written in swiss style \(1'234\.5\).* column hasil has 12,5"):
        sent("wilayah;hasil\n51;12,5\n14;1.234\n", of_style("swiss"), REFERENCE)


def test_an_unknown_style_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="number_style: 'swiss' is not known; the dictionary has indonesian, eng"):
        Source.model_validate({**ENTRY, "number_style": "swiss"})
