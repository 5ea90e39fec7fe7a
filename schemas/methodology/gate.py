"""Rules of the gate: what a release must keep to become stable, as a table that people review."""

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

from schemas.contract.dictionary import Dictionary
from schemas.errors import MethodologyError, Problem
from schemas.methodology.edition import Edition
from schemas.methodology.sources import Approach, RegionLevel
from schemas.strict import Document, Strict, csv_rows, parsed

GATE_FILE = "gate.csv"
COLUMNS = (
    "rule_code",
    "measure",
    "region_level",
    "approach",
    "node_code",
    "finding",
    "minimum",
    "maximum",
    "severity",
    "note",
)
# What each mart can be narrowed by; a rule that leaves a column blank judges all of it.
MARTS: Mapping[str, tuple[str, ...]] = {
    "region": ("region_level", "approach", "node_code"),
    "population": ("region_level", "approach", "node_code"),
    "value": ("region_level", "approach", "node_code"),
    "finding": ("finding",),
    "intake": (),
}
# The marts of scores: a rule that names no node judges the index itself.
OF_THE_INDEX = ("region", "population")


class GateRule(Strict):
    """One rule: a measure of the dictionary, where it is taken, and the bounds it must keep.

    A blank `node_code` is the index itself where scores are judged, and every leaf where values are. Bounds belong to
    what is allowed; a blank one is open.
    """

    rule_code: str
    measure: str
    region_level: RegionLevel | None
    approach: Approach | None
    node_code: str | None
    finding: str | None
    minimum: Decimal | None
    maximum: Decimal | None
    severity: Literal["critical", "warning"]
    note: str | None

    @property
    def allowed(self) -> str:
        """The bounds for people."""
        if self.minimum is None:
            return f"<= {self.maximum}"
        return f">= {self.minimum}" if self.maximum is None else f"{self.minimum} - {self.maximum}"


def gate_of(tables: Iterable[tuple[str, str]], dictionary: Dictionary, edition: Edition) -> tuple[GateRule, ...]:
    """The rules that hold for an edition, of tables (file, text) of which later ones replace rules of the same code.

    Raises MethodologyError with every broken rule.
    """
    rules: dict[str, GateRule] = {}
    problems: list[Problem] = []
    for file, text in tables:
        codes: set[str] = set()
        for row, cells in csv_rows(text, file, COLUMNS):
            data = {name: cell or None for name, cell in cells.items()}
            try:
                rule = parsed(GateRule, Document(file, data, {(): row}), data)
            except MethodologyError as error:
                problems += error.problems
                continue
            if rule.rule_code in codes:
                problems.append(Problem(file, row, f"the rule '{rule.rule_code}' stands twice."))
            codes.add(rule.rule_code)
            problems += [Problem(file, row, sentence) for sentence in _sentences(rule, dictionary, edition)]
            rules[rule.rule_code] = rule
    if problems:
        raise MethodologyError(problems)
    return tuple(rules.values())


def gate_text(rules: Iterable[GateRule]) -> str:
    """Rules as a table that `gate_of` reads back to the same."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(rule, column) for column in COLUMNS] for rule in rules)
    return text.getvalue()


def _sentences(rule: GateRule, dictionary: Dictionary, edition: Edition) -> list[str]:
    """What is wrong with a rule."""
    code = rule.rule_code
    if rule.measure not in dictionary.measures:
        known = ", ".join(dictionary.measures)
        return [f"the measure '{rule.measure}' of '{code}' is not in the dictionary; there are: {known}."]
    mart = MARTS[dictionary.measures[rule.measure].mart]
    sentences = [
        f"the measure '{rule.measure}' of '{code}' cannot be narrowed by {column}."
        for column in ("region_level", "approach", "node_code", "finding")
        if getattr(rule, column) and column not in mart
    ]
    if rule.minimum is None and rule.maximum is None:
        sentences.append(f"the rule '{code}' has neither minimum nor maximum.")
    if rule.minimum is not None and rule.maximum is not None and rule.minimum > rule.maximum:
        sentences.append(f"the minimum of '{code}' is above its maximum.")
    if rule.node_code and rule.node_code not in {node.node_code for node in edition.nodes}:
        sentences.append(f"the node '{rule.node_code}' of '{code}' is not in nodes.csv.")
    if rule.finding and rule.finding not in dictionary.rules:
        sentences.append(f"the finding '{rule.finding}' of '{code}' is no rule of the dictionary.")
    if rule.rule_code in dictionary.rules:
        sentences.append(f"'{code}' is a rule of the dictionary; give the rule of the gate another code.")
    return sentences
