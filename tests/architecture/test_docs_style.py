"""How the pages are written: short lines, short sentences."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

LINE = 120
WORDS = 30
GENERATED = {"docs/data-dictionary.md"}
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "methodology").rglob("*.md")]
    if str(path.relative_to(ROOT)) not in GENERATED
)
ITEM = re.compile(r"^\s*(?:[-*>]|\d+\.)\s+")
END = re.compile(r"(?<=[.!?])[)*\"]*\s+(?=[(\"'*]*[A-Z\d`\[])")


def prose(text: str) -> Iterator[str]:
    """The lines of a page without code and tables; blank where one of them stood."""
    in_code = False
    for line in text.splitlines():
        is_fence = line.startswith("```")
        in_code = in_code != is_fence
        yield "" if in_code or is_fence or line.startswith(("    ", "|")) else line


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page: a piece of code is one word."""
    paragraphs: list[list[str]] = [[]]
    for line in prose(text):
        if not line.strip() or line.startswith("#") or ITEM.match(line):
            paragraphs.append([])
        paragraphs[-1].append(ITEM.sub("", line, count=1).strip())
    for paragraph in paragraphs:
        plain = re.sub(r"`[^`]*`", "`code`", " ".join(paragraph).strip())
        yield from (sentence for sentence in END.split(plain) if sentence)


@pytest.mark.parametrize("page", PAGES)
def test_lines_of_a_page_are_short(page: str) -> None:
    lines = list(prose((ROOT / page).read_text()))
    assert not [f"{number}: {line}" for number, line in enumerate(lines, 1) if len(line) >= LINE]


@pytest.mark.parametrize("page", PAGES)
def test_sentences_of_a_page_are_short(page: str) -> None:
    assert not [each for each in sentences((ROOT / page).read_text()) if len(each.split()) >= WORDS]


def test_a_long_sentence_is_found_wherever_it_stands() -> None:
    long = " ".join(["word"] * WORDS)
    for text in (f"{long}.", f"- {long}", f"One. {long}, ([link](page.md)).", f"> {long}", f"**{long}**"):
        assert max(len(each.split()) for each in sentences(text)) >= WORDS, text
    for text in (f"    {long}", f"```\n{long}\n```", f"| {long} |", f"`{long}`", f"{long[:100]}.\n\n{long[:50]}"):
        assert all(len(each.split()) < WORDS for each in sentences(text)), text


def test_no_page_is_left_out() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"} <= set(PAGES)
    assert all(Path(ROOT / page).exists() for page in GENERATED)
