"""Sources: how the files of a sender look, what its labels mean and what its word is worth."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.dictionary import Dictionary
from schemas.strict import Document, MethodologyError, Problem, Strict, parsed

SOURCES_FILE = "sources.yml"
CORRECTIONS_FILE = "corrections.yml"

Approach = Literal["input", "rollup"]
RegionLevel = Literal["national", "province", "regency_city", "district", "village", "polling_station"]
Evidence = Literal["S", "R", "I", "U", "A"]


class Item(Strict):
    """What a label of a source means: the item that nodes name in source_item, and its approach."""

    item: str
    approach: Approach


class Headers(Strict):
    """What a source calls the columns we read; the first one present counts."""

    region: tuple[str, ...] = Field(min_length=1)
    item: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()


class Source(Strict):
    """One entry of sources.yml."""

    title: str
    pattern: str
    format: Literal["csv", "xlsx"]
    layout: Literal["long", "wide"]
    columns: Headers
    number_style: Literal["indonesian", "english"]
    region_key: Literal["name", "code"]
    region_levels: tuple[RegionLevel, ...] = Field(min_length=1)
    unit: str
    measure: Literal["score", "value"]
    items: dict[str, Item] = Field(min_length=1)
    precedence: int
    evidence: Evidence
    separator: Literal[",", ";", "\t", "|"] | None = None
    encoding: Literal["utf-8", "utf-16", "cp1252"] | None = None
    sheet: str | None = None
    missing: tuple[str, ...] = ()
    synthetic: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.format == "csv" and not (self.separator and self.encoding):
            raise ValueError("a csv source declares its separator and encoding; they are never guessed.")
        if self.format == "xlsx" and not self.sheet:
            raise ValueError("an xlsx source declares the sheet that is read.")
        if self.layout == "long" and not (self.columns.item and self.columns.value):
            raise ValueError("a long source declares what it calls the item and the value column.")
        return self

    @property
    def number_example(self) -> str:
        """How this source writes numbers, for error messages."""
        return "1.234,5" if self.number_style == "indonesian" else "1,234.5"


class Correction(Strict):
    """A declared correction of a known error in a source."""

    id: str
    source: str
    region: str
    item: str
    expect: str
    value: str
    reason: str
    reference: str
    evidence: Evidence
    declared_on: date


def sources_of(document: Document, dictionary: Dictionary) -> dict[str, Source]:
    """The sources of a YAML document. Raises MethodologyError."""
    sources = parsed(dict[str, Source], document, document.data or {})
    problems = [
        Problem(document.file, document.line((name, "unit")), f"source {name}: '{source.unit}' is not a known unit.")
        for name, source in sources.items()
        if source.unit not in dictionary.units
    ]
    if problems:
        raise MethodologyError(problems)
    return sources


def corrections_of(document: Document, sources: dict[str, Source]) -> tuple[Correction, ...]:
    """The corrections of a YAML document. Raises MethodologyError."""
    corrections = parsed(tuple[Correction, ...], document, tuple(document.data or ()))
    problems: list[Problem] = []
    seen: set[tuple[str, str, str]] = set()
    for index, correction in enumerate(corrections):
        line = document.line((index,))
        target = (correction.source, correction.region, correction.item)
        if correction.source not in sources:
            sentence = f"correction {correction.id}: the source '{correction.source}' does not exist."
            problems.append(Problem(document.file, line, sentence))
        if target in seen:
            sentence = f"correction {correction.id}: another one corrects the same region and item of the same source."
            problems.append(Problem(document.file, line, sentence))
        seen.add(target)
    if problems:
        raise MethodologyError(problems)
    return corrections
