"""Hostile files: each ends as it must, within 20 seconds of processor and 1 GB."""

import functools
import subprocess
import sys

import pytest

from schemas.methodology.library import Library
from tests.fuzz.hostile import CASES
from tests.fuzz.hostile.__main__ import verdict, wrong_with

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
def test_hostile_files_take_little() -> None:
    # In an interpreter of its own: a process forked from one with threads may hang.
    done = subprocess.run([sys.executable, "-m", "tests.fuzz.hostile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if ": ok: " not in line)
