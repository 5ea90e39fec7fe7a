"""Hostile files: each ends as it must; and, in a process of its own, within 20 seconds and 1 GB."""

import functools
import json

import pytest

from schemas.methodology import Library
from tests.fuzz.hostile import CASES
from tests.fuzz.hostile.__main__ import ended, verdict, wrong_with

BIG = ("130,000", "60,000", "blank", "40 MB", "dictionary of")
AT_ODDS = ("twice", "two ids", "itself", "character", "repeated", "alternate", "otherwise")
# What is made and read in an instant; the others are big, or took all time or memory before.
SMALL = [
    name
    for name, case in CASES.items()
    if (case.rule or case.admitted or any(word in name for word in AT_ODDS)) and not any(word in name for word in BIG)
]


@functools.cache
def library() -> Library:
    return Library()


@pytest.mark.parametrize("name", SMALL)
def test_a_hostile_file_ends_as_it_must(name: str) -> None:
    case = CASES[name]
    assert not wrong_with(verdict(case.make(), case, library()), case)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_takes_little(name: str) -> None:
    found = ended(CASES[name])
    assert not found.wrong, json.dumps(found._asdict())
