"""The data dictionary: what every published column, unit and rule means. Everything else is derived from it."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from schemas.strict import Document, MethodologyError, Problem, Strict, parsed

FILE = "dictionary.yml"

ColumnType = Literal["text", "integer", "number", "boolean", "date"]
Severity = Literal["critical", "warning", "info"]


class Unit(Strict):
    """A unit and its domain; an open end is None. What is counted is whole: half a case is a misread figure."""

    lowest: Decimal | None
    highest: Decimal | None
    whole: bool = False
    meaning_en: str
    meaning_id: str

    @property
    def domain(self) -> str:
        """The domain for people, as in '0 - 100'."""
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
    """What can be wrong: severity, a sentence in both languages, and (for rows of extracts) what to do."""

    severity: Severity
    message_en: str
    message_id: str
    action_en: str = ""
    action_id: str = ""


class Measure(Strict):
    """What a rule of the gate can bound: a column of one of the marts it looks at (`warehouse/sql/gate/`)."""

    mart: Literal["region", "population", "value", "finding", "intake"]
    meaning_en: str
    meaning_id: str


class Dictionary(Strict):
    """The whole data dictionary."""

    units: dict[str, Unit]
    columns: dict[str, Column]
    tables: dict[str, Table]
    run_columns: tuple[str, ...]
    measures: dict[str, Measure] = Field(default_factory=dict)
    rules: dict[str, Rule]

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
