"""The data dictionary: what every published column, unit and rule means. Everything else is derived from it."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from schemas.contract.number_styles import NumberStyle
from schemas.errors import MethodologyError, Problem
from schemas.strict import Document, Strict, parsed, yaml_document, yaml_text

FILE = "dictionary.yml"

ColumnType = Literal["text", "integer", "number", "boolean", "date"]
Severity = Literal["critical", "warning", "info"]


class Unit(Strict):
    """A unit and its domain; an open end is None.

    `whole`: what is counted is whole, so that half a case is a misread figure. `additive`: figures of it may be added
    up, as counts may and shares may not. `weighted`: they are counts of events times the severity of these.
    """

    lowest: Decimal | None
    highest: Decimal | None
    whole: bool = False
    additive: bool = False
    weighted: bool = False
    meaning_en: str
    meaning_id: str

    @model_validator(mode="after")
    def _has_a_domain(self) -> Self:
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError("the lowest figure of a unit must be below the highest.")
        return self

    @property
    def domain(self) -> str:
        """The domain for people, as in '0 - 100'."""
        if self.lowest is None:
            return "-" if self.highest is None else f"<= {self.highest}"
        return f"{self.lowest} - {self.highest}" if self.highest is not None else f">= {self.lowest}"


class Column(Strict):
    """One quantity: its type, domain, meaning, when it is empty and where it comes from."""

    type: ColumnType
    meaning_en: str
    meaning_id: str
    source: str
    null_when: str | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    values: tuple[str, ...] = ()
    pattern: str | None = None


class Table(Strict):
    """A table: its columns in order, and the key that is its grain and its sort order.

    A `history` is over all nights, beside the snapshots. The content hash covers a table if `hashed`, and of its rows
    those with the values of `hashed_rows` (column: value).
    """

    title_en: str
    title_id: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    history: bool = False
    hashed: bool = True
    hashed_rows: dict[str, str] = Field(default_factory=dict)
    rules: dict[str, dict[Literal["required", "finite", "range"], str]] = Field(default_factory=dict)


class Rule(Strict):
    """What can be wrong: severity, a sentence in both languages, and (for rows of extracts) what to do.

    `scope` is that of its findings: those of the release depend on how figures were sent, or on what was stable.
    """

    severity: Severity
    scope: Literal["content", "release"] = "content"
    message_en: str
    message_id: str
    action_en: str = ""
    action_id: str = ""


class Kind(Strict):
    """What a file can be instead of what it should be, as sentences call it."""

    meaning_en: str
    meaning_id: str


class Measure(Strict):
    """What a rule of the gate can bound: a column of one of the marts it looks at (`warehouse/engine/sql/gate/`)."""

    mart: Literal["region", "population", "value", "finding", "intake"]
    meaning_en: str
    meaning_id: str


class Dictionary(Strict):
    """The whole data dictionary. `rules` are about rows and findings, `refusals` about files that are refused whole."""

    units: dict[str, Unit]
    number_styles: dict[str, NumberStyle] = Field(default_factory=dict)
    columns: dict[str, Column]
    tables: dict[str, Table]
    run_columns: tuple[str, ...]
    measures: dict[str, Measure] = Field(default_factory=dict)
    rules: dict[str, Rule]
    kinds: dict[str, Kind] = Field(default_factory=dict)
    refusals: dict[str, Rule] = Field(default_factory=dict)

    @property
    def published(self) -> dict[str, Table]:
        """The tables of snapshots; unpublished ones start with an underscore."""
        return {name: each for name, each in self.tables.items() if not (name.startswith("_") or each.history)}

    @property
    def histories(self) -> dict[str, Table]:
        """The tables over all nights."""
        return {name: table for name, table in self.tables.items() if table.history}

    def content_columns(self, table: str) -> tuple[str, ...]:
        """The columns that count towards the content hash: all but those of the run."""
        return tuple(name for name in self.tables[table].columns if name not in self.run_columns)


def dictionary_of(document: Document) -> Dictionary:
    """The dictionary of a YAML document. Raises MethodologyError."""
    dictionary = parsed(Dictionary, document, document.data)
    problems = [
        Problem(FILE, document.line(("tables", name, part)), f"table {name}: the column '{column}' is not described.")
        for name, table in dictionary.tables.items()
        for part, columns, known in (
            ("columns", table.columns, set(dictionary.columns)),
            ("key", table.key, set(table.columns)),
        )
        for column in columns
        if column not in known
    ]
    problems += [
        Problem(FILE, document.line(("tables", name, "rules")), f"table {name}: the rule '{rule}' is not described.")
        for name, table in dictionary.tables.items()
        for rules in table.rules.values()
        for rule in rules.values()
        if rule not in dictionary.rules
    ]
    if problems:
        raise MethodologyError(problems)
    return dictionary


@lru_cache(maxsize=4)
def dictionary_from(text: str) -> Dictionary:
    """The dictionary of a text; made once for all who have the same. Raises MethodologyError."""
    return dictionary_of(yaml_document(text, FILE))


@cache
def packaged_dictionary() -> Dictionary:
    """The dictionary of the package: what is known where no methodology is given."""
    return dictionary_from(files("methodology").joinpath(FILE).read_text(encoding="utf-8"))


def packaged_styles() -> dict[str, NumberStyle]:
    """The number styles of the package, by name."""
    return packaged_dictionary().number_styles


# What a user's dictionary.yml may add to; the rest is what readers of published tables rely on.
OPEN_SECTIONS: dict[str, type[Strict]] = {"units": Unit, "number_styles": NumberStyle}


def extended(text: str, addition: str) -> str:
    """The text of a dictionary with the units and number styles that an addition to it has.

    What the addition merely repeats changes nothing. Raises MethodologyError where it changes an entry, or adds to
    anything else.
    """
    base, added = yaml_document(text, FILE), yaml_document(addition, FILE)
    if not isinstance(added.data, dict):
        raise MethodologyError([Problem(FILE, 1, f"it has none of {', '.join(OPEN_SECTIONS)}; begin with one.")])
    data: dict[str, Any] = dict(base.data)
    problems: list[Problem] = []
    only = f"a folder of your own only adds {' and '.join(OPEN_SECTIONS)}"
    for section, entries in added.data.items():
        known = data.get(section)
        if section not in data:
            problems.append(Problem(FILE, added.line((section,)), f"'{section}' is not known; {only}."))
        elif not (isinstance(entries, dict) and isinstance(known, dict)):
            if entries is not None and entries != known:
                problems.append(Problem(FILE, added.line((section,)), f"{section} cannot be changed; {only}."))
        else:
            changed = {name: entry for name, entry in entries.items() if entry != known.get(name)}
            for name, entry in changed.items():
                row = added.line((section, name))
                if name in known:
                    problems.append(Problem(FILE, row, f"{section}: '{name}' is ours and cannot be changed; {only}."))
                elif section not in OPEN_SECTIONS:
                    problems.append(Problem(FILE, row, f"{section}: '{name}' cannot be added; {only}."))
                elif not re.fullmatch("[a-z][a-z0-9_]*", name):
                    sentence = f"{section}: '{name}' is no name; it begins with a small letter and has digits and _."
                    problems.append(Problem(FILE, row, sentence))
                else:
                    problems += _entry_problems(OPEN_SECTIONS[section], added, entry, (section, name))
            data[section] = known | changed
    if problems:
        raise MethodologyError(problems)
    return text if data == base.data else yaml_text(data)


def _entry_problems(kind: type[Strict], document: Document, entry: Any, location: tuple[str, ...]) -> Sequence[Problem]:
    try:
        parsed(kind, document, entry, location)
    except MethodologyError as error:
        return error.problems
    return ()
