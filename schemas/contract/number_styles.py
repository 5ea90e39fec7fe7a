"""Number styles: how people write numbers. Each is an entry of the data dictionary; no code knows one by its name."""

import re
from functools import cached_property
from typing import Self

from pydantic import Field, model_validator

from schemas.strict import Strict

# All of these are meant where a style groups with a space.
SPACES = "\u00a0\u2007\u2009\u202f"
MINUS = "\u2212"
SIGN = f"[+{MINUS}-]?"
# What cannot be a mark: it has another meaning in numbers, or in the patterns made of marks.
NO_MARKS = f"+-{MINUS}%^[]\\&~"


class NumberStyle(Strict):
    """How numbers are written: the marks that group digits by threes (any one of them, the same throughout a number;
    none: numbers are not grouped), the mark before the decimals, and a number so written.

    A number is digits with or without groups, decimals and a sign, or digits and decimals with a power of ten
    (1.2E+03). A group mark stands between three digits and one to three that do not begin with 0, so that neither 77.04
    nor 0.077 is a number where the dot groups.
    """

    grouping: str = ""
    decimal_mark: str = Field(min_length=1, max_length=1)
    example: str

    @model_validator(mode="after")
    def _is_clear(self) -> Self:
        marks = self.grouping + self.decimal_mark
        wrong = [mark for mark in marks if mark.isalnum() or mark in NO_MARKS or (mark.isspace() and mark != " ")]
        if wrong:
            raise ValueError(f"'{wrong[0]}' cannot be a mark of a number style; a plain space stands for every space.")
        if len(set(marks)) < len(marks):
            raise ValueError("the marks of a number style differ from each other: each means one thing.")
        if self.decimal_mark == " ":
            raise ValueError("a space cannot be the decimal mark.")
        shows_groups = not self.grouping or any(mark in self.example for mark in self.grouping)
        if not (self.is_number(self.example) and self.decimal_mark in self.example and shows_groups):
            raise ValueError(f"the example '{self.example}' is no number of its style with its marks; show one.")
        return self

    @cached_property
    def pattern(self) -> str:
        """A regular expression for the whole of a number, its spaces plain ones."""
        fraction = f"(?:[{self.decimal_mark}][0-9]+)?"
        grouped = [f"[1-9][0-9]{{0,2}}(?:[{mark}][0-9]{{3}})+{fraction}" for mark in self.grouping]
        return f"{SIGN}(?:{'|'.join([*grouped, f'[0-9]+{fraction}(?:[eE]{SIGN}[0-9]+)?'])})"

    def is_number(self, text: str) -> bool:
        """Whether a text is a number in this style."""
        return re.fullmatch(self.pattern, re.sub(f"[{SPACES}]", " ", text)) is not None

    def may_be_misread(self, other: "NumberStyle") -> bool:
        """Whether a text can be another number in the other style: what groups in one is the other's decimal mark."""
        return other.decimal_mark in self.grouping or self.decimal_mark in other.grouping
