"""Rows are put where their keys say; what stands nowhere is null, or the value declared for it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.engine.unit_nodes import placed_values

WORDS = ["rendah", "sedang", "tinggi", ""]


@st.composite
def placed(draw: st.DrawFn) -> tuple[list[str | None], list[int], int, str | None]:
    """Values, where they go, among how many, and what stands elsewhere."""
    size = draw(st.integers(0, 9))
    at = draw(st.lists(st.integers(0, size - 1), unique=True)) if size else []
    otherwise = draw(st.sampled_from([None, "missing", "sedang"]))
    word = st.sampled_from(WORDS) if otherwise else st.sampled_from([*WORDS, None])
    return draw(st.lists(word, min_size=len(at), max_size=len(at))), at, size, otherwise


@settings(deadline=None)
@given(placed(), st.sampled_from([WORDS, None]))
def test_words_stand_where_their_keys_say(
    given: tuple[list[str | None], list[int], int, str | None], enum: list[str] | None
) -> None:
    """Also where nothing is known, and with a dictionary of more words than stand there, as those of an enum."""
    values, at, size, otherwise = given
    column = pa.array(values, pa.string()).dictionary_encode()
    if enum:
        codes = pa.array([None if each is None else enum.index(each) for each in values], pa.uint8())
        column = pa.DictionaryArray.from_arrays(codes, pa.array(enum))
    found = placed_values(column, np.array(at, np.int64), size, otherwise)
    expected: list[str | None] = [otherwise] * size
    for position, value in zip(at, values, strict=True):
        expected[position] = value
    assert found.to_pylist() == expected
    assert sorted(found.dictionary.to_pylist()) == sorted({each for each in expected if each is not None})


@pytest.mark.parametrize("otherwise", [None, 0])
def test_numbers_stand_where_their_keys_say(otherwise: int | None) -> None:
    found = placed_values(pa.array([5, None, 7], pa.int64()), np.array([2, 0, 3], np.int64), 5, otherwise)
    assert found.to_pylist() == [otherwise, otherwise, 5, 7, otherwise]
