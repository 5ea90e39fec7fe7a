"""Declared corrections: what each changes, where, and what it expects to find."""

from collections.abc import Iterable
from datetime import date

from schemas.errors import MethodologyError, Problem
from schemas.methodology.sources import Evidence, Source, plain
from schemas.strict import Document, Strict, parsed

CORRECTIONS_FILE = "corrections.yml"


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
    declared_date: date


def corrections_of(document: Document) -> dict[str, tuple[Correction, Problem]]:
    """The corrections of a YAML document by id, each with its position (for messages). Raises MethodologyError."""
    if not isinstance(document.data, list | None):
        raise MethodologyError([Problem(document.file, 1, "corrections are a list; begin each with '- id:'.")])
    corrections = parsed(tuple[Correction, ...], document, tuple(document.data or ()))
    problems = []
    found: dict[str, tuple[Correction, Problem]] = {}
    for index, correction in enumerate(corrections):
        problem = Problem(document.file, document.line((index,)), "")
        if correction.id in found:
            problems.append(
                problem._replace(sentence=f"the correction '{correction.id}' stands twice; ids are unique.")
            )
        found[correction.id] = (correction, problem)
    if problems:
        raise MethodologyError(problems)
    return found


def correction_problems(corrections: Iterable[tuple[Correction, Problem]], sources: dict[str, Source]) -> list[Problem]:
    """Every rule that corrections break together and against their sources."""
    problems: list[Problem] = []
    by_target: dict[tuple[str, str, str], str] = {}
    for correction, problem in corrections:
        source = sources.get(correction.source)
        target = (correction.source, plain(correction.region), plain(correction.item))
        if source is None:
            sentence = f"correction {correction.id}: the source '{correction.source}' does not exist."
            problems.append(problem._replace(sentence=sentence))
        elif not source.style.is_number(correction.value):
            sentence = (
                f"correction {correction.id}: the value '{correction.value}' is not a number as the source writes them "
                f"({source.style.example})."
            )
            problems.append(problem._replace(sentence=sentence))
        if target in by_target:
            sentence = (
                f"correction {correction.id}: '{by_target[target]}' corrects the same region and item of the source."
            )
            problems.append(problem._replace(sentence=sentence))
        by_target[target] = correction.id
    return problems
