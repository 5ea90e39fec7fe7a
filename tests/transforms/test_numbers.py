"""Numbers as people write them, and never a factor of a thousand off."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.numbers import number_expr

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
    ("indonesian", "1e3"): None,
    ("indonesian", "inf"): None,
    ("indonesian", "٣"): None,
    ("indonesian", ""): None,
    ("english", "1,234.5"): 1234.5,
    ("english", "88.95"): 88.95,
    ("english", "88,95"): None,
    ("english", "1.234,5"): None,
    ("english", "nan"): None,
}


def read(text: str, style: str) -> float | None:
    found: float | None = pl.select(number_expr(pl.lit(text), style)).item()
    return found


@pytest.mark.parametrize(("style", "text"), READ)
def test_numbers(style: str, text: str) -> None:
    assert read(text, style) == READ[style, text]


@given(st.integers(-(10**12), 10**12), st.integers(0, 6), st.booleans(), st.sampled_from(["indonesian", "english"]))
def test_what_is_written_is_read_back(units: int, places: int, grouped: bool, style: str) -> None:
    value = units / 10**places
    text = f"{value:{',' if grouped else ''}.{places}f}"
    if style == "indonesian":
        text = text.translate(str.maketrans(",.", ".,"))
    assert read(text, style) == float(f"{value:.{places}f}")


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_nothing(text: str) -> None:
    for style in ("indonesian", "english"):
        found = read(text, style)
        assert found is None or found == found
