"""Number formats of workbooks: whether what a cell shows is what it holds."""

import re
from functools import lru_cache

PERCENT, HIDES = "percent", "format_hides_value"
# Built-in formats of XLSX and XLS that are not plain numbers or dates, by their number.
BUILT_IN = {9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??"}
LONGEST_CODE = 500  # letters; programs write at most 255
# A piece of a format: text in quotes, an escaped letter, a letter that fills or is as wide, brackets, any other.
_PIECE = re.compile(r'"([^"]*)"|\\(.)|([*_])(.)|\[([^\]]*)\]|(General)|(E[+-])|(.)', re.DOTALL | re.IGNORECASE)
# Words that make a figure a multiple of what it is.
_MULTIPLES = re.compile(
    r"ribu|\brb\b|juta|\bjt\b|mil+iar|milyar|\bmn?\b|trili|\bk\b|\bm\b|thousand|million|billion", re.IGNORECASE
)
_CONDITION = re.compile(r"[<>=]")

Section = tuple[tuple[str, str], ...]


@lru_cache(maxsize=4096)
def is_plain(code: str) -> bool:
    """Whether a format shows every figure as it is, rounded at most, and every text."""
    return all(shown_as(code, value) is None for value in (1234567.5, -1234567.5, 0.0, "text"))


def shown_as(code: str, value: object) -> str | None:
    """The rule that a value breaks which is shown in a format; `percent` where that shows a number in per cent.

    None where the value is shown as it is, if rounded; a date that a reader knows as one is no number anyway.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, (int, float)):
        return _number_rule(code, (value > 0) - (value < 0))
    return _text_rule(code) if value != "" else None


@lru_cache(maxsize=4096)
def _sections(code: str) -> tuple[Section, ...]:
    """The sections of a format: of each its pieces, by kind (text, bracket, mark) and letters."""
    sections: list[list[tuple[str, str]]] = [[]]
    for quoted, escaped, filling, filled, bracket, general, exponent, mark in _PIECE.findall(code):
        if mark == ";":
            sections.append([])
        elif mark:
            sections[-1].append(("mark", mark))
        elif general or exponent:
            sections[-1].append(("mark", "G" if general else "E"))
        elif bracket:
            sections[-1].append(("bracket", bracket))
        elif filling != "_":
            sections[-1].append(("text", quoted + escaped + filled))
    return tuple(map(tuple, sections))


@lru_cache(maxsize=4096)
def _number_rule(code: str, sign: int) -> str | None:
    if len(code) > LONGEST_CODE:
        return HIDES
    sections = _sections(code)
    if any(kind == "bracket" and _CONDITION.search(written) for each in sections for kind, written in each):
        # Which one shows the figure depends on it: none of them may mislead.
        rules = {_section_rule(each, -1) for each in sections[:3]}
        return None if rules == {None} else PERCENT if rules == {PERCENT} else HIDES
    if sign < 0 and len(sections) > 1:
        return _section_rule(sections[1], -1) or (None if _has_sign(sections[1]) else HIDES)
    if sign == 0 and len(sections) > 2:
        # In accounts a zero is shown as a dash.
        marks, texts = _joined(sections[2], "mark"), _joined(sections[2], "text")
        return None if "-" in marks + texts and not re.search("[0#]", marks) else _section_rule(sections[2], 0)
    return _section_rule(sections[0], sign)


def _has_sign(section: Section) -> bool:
    """Whether a section for figures below zero shows that they are: by a sign or by brackets."""
    return any(
        kind != "bracket" and ("-" in written or "(" in written or "\u2212" in written) for kind, written in section
    )


def _joined(section: Section, kind: str) -> str:
    return "".join(written for each, written in section if each == kind)


def _section_rule(section: Section, sign: int) -> str | None:
    marks, texts = _joined(section, "mark"), _joined(section, "text")
    has_digits = re.search(r"\d", texts) or _MULTIPLES.search(texts)
    if "G" in marks or marks.strip() == "@":
        return HIDES if has_digits else None
    if re.search("[ymdhsb]", marks, re.IGNORECASE) or not re.search("[0#?]", marks):
        return HIDES  # a date of what is held as a number, or no figure at all
    # What is shown, with 0 for a digit; a point or comma that is only text is kept apart.
    shown = "".join(
        re.sub("[#?]", "0", written) if kind == "mark" else re.sub("[.,]", "\1", written)
        for kind, written in section
        if kind != "bracket"
    )
    misleads = (
        has_digits
        or "/" in marks  # a fraction
        or re.search("0,+(?![0,])", shown)  # in thousands
        or re.search("[0.,]\1+0|(?:^|[^\\w\1])\1+0", shown)  # a decimal sign that is none
        or (sign == 0 and "0" not in marks)  # nothing, for zero
        or (sign > 0 and re.search("[-(\u2212]", shown.partition("0")[0]))
        or marks.count("%") > 1
    )
    if misleads:
        return HIDES
    return PERCENT if "%" in marks else None


@lru_cache(maxsize=4096)
def _text_rule(code: str) -> str | None:
    if len(code) > LONGEST_CODE:
        return HIDES
    sections = _sections(code)
    of_text = [each for each in sections if ("mark", "@") in each]
    if len(sections) < 4 and not of_text:
        return None
    section = of_text[0] if of_text else sections[3]
    if not any(kind == "mark" and written in "@G" for kind, written in section):
        return HIDES
    return HIDES if re.search(r"\d", _joined(section, "text")) else None
