"""An edition of the index: its tree of nodes, levels, cut-offs and roll-ups, with every rule they must keep."""

from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from schemas.errors import MethodologyError, Problem
from schemas.methodology.sources import Approach, Evidence, RegionLevel
from schemas.strict import Document, Strict, csv_rows, decimal_of, parsed

EDITION_FILE = "edition.yml"
NODES_FILE = "nodes.csv"
NODE_COLUMNS = (
    "node_code",
    "parent_code",
    "level",
    "kind",
    "name_id",
    "name_en",
    "weight",
    "direction",
    "unit",
    "normalisation",
    "aggregation",
    "missing",
    "source_item",
    "evidence",
    "note",
)


# Columns that a table of nodes may have: an indicator that is a ratio names the item it is divided by, and per how many
# of it the ratio is (100 for per cent; 1 where blank).
RATIO_COLUMNS = ("denominator", "per")


Closed = Literal["left", "right", "both", "neither"]


class Node(Strict):
    """One row of nodes.csv. `weight` is None for the root only; `aggregation` is None for leaves only."""

    node_code: str = Field(pattern=r"^[a-z0-9_.-]+$")
    parent_code: str | None
    level: int = Field(ge=1)
    kind: str
    name_id: str
    name_en: str
    weight: Decimal | None = Field(gt=0, le=1_000_000, decimal_places=9, allow_inf_nan=False)
    direction: Literal[1, -1]
    unit: str
    normalisation: Literal["none", "max", "min_max"]
    aggregation: Literal["arithmetic_mean", "geometric_mean", "sum"] | None
    missing: Literal["unknown", "zero", "complete", "rescale"] | None
    source_item: str | None
    evidence: Evidence
    note: str | None
    denominator: str | None = None
    per: Decimal = Field(default=Decimal(1), gt=0)


class Category(Strict):
    """A category of the edition's closed list, lowest first."""

    code: str
    name_id: str
    name_en: str


class LevelPlan(Strict):
    """A level that the edition scores: by which approaches, and how many regions make it complete.

    All valid regions of the level are scored, or those of `codes`. Bounds that are derived from the values of the level
    (maximum, minimum, caps) need the share `scaled_from` of its regions to be known.
    """

    level: RegionLevel
    approaches: tuple[Approach, ...] = Field(min_length=1)
    regions: int = Field(ge=1)
    ranked: bool
    codes: tuple[str, ...] = ()
    scaled_from: Decimal = Field(default=Decimal(1), gt=0, le=1)


class RollUp(Strict):
    """Regions of a level made of the regions below, where at least `min_share` of them are known.

    By the method mean their scores are the simple mean of those below; by the method sum the figures of their
    indicators (of a ratio, both of its parts) are the sums of those below, and they are scored like any other region.
    """

    source_level: RegionLevel = Field(alias="from")
    from_approach: Approach
    to: RegionLevel
    approach: Approach
    min_share: Decimal = Field(gt=0, le=1)
    method: Literal["mean", "sum"] = "mean"


class Boundary(Strict):
    """The bound between two neighbouring categories, and the one that the bound itself belongs to."""

    between: tuple[str, str]
    belongs_to: str
    at: Decimal | None = None
    sd: Decimal | None = None
    quantile: Decimal | None = Field(default=None, gt=0, lt=1)


class Interval(Strict):
    """A category whose scores are known to reach from `lower` to `upper`; what no interval holds is not classified."""

    category: str
    lower: Decimal | None = None
    upper: Decimal | None = None
    closed: Closed


class Span(NamedTuple):
    """A category between two parameters: bounds as they are (fixed, frozen), multiples of SD, or quantiles."""

    category: str
    lower: Decimal | None
    upper: Decimal | None
    closed_side: Closed


class CutOff(Strict):
    """A rule for the bounds of categories. The first rule of the edition that applies to a node counts."""

    level: RegionLevel
    approach: Approach | None = None
    node: str | None = None
    basis: Literal["fixed", "mean_sd", "quantile", "frozen"]
    evidence: Evidence
    note: str = ""
    boundaries: tuple[Boundary, ...] = ()
    intervals: tuple[Interval, ...] = ()

    @property
    def is_derived(self) -> bool:
        """Whether the bounds come from the scores themselves, so that all of them must be known."""
        return self.basis in ("mean_sd", "quantile")

    @model_validator(mode="after")
    def _has_bounds(self) -> Self:
        wanted = {"mean_sd": "sd", "quantile": "quantile"}.get(self.basis, "at")
        if bool(self.boundaries) == bool(self.intervals):
            raise ValueError("a cut-off rule has either boundaries or intervals.")
        if self.intervals and self.is_derived:
            raise ValueError(f"intervals are stated bounds; the basis {self.basis} takes boundaries with '{wanted}'.")
        for boundary in self.boundaries:
            given = [name for name in ("at", "sd", "quantile") if getattr(boundary, name) is not None]
            if given != [wanted]:
                raise ValueError(f"a boundary of the basis {self.basis} gives '{wanted}' and nothing else.")
            if boundary.belongs_to not in boundary.between:
                raise ValueError(f"belongs_to '{boundary.belongs_to}' is not one of {' and '.join(boundary.between)}.")
        return self

    def spans(self) -> tuple[Span, ...]:
        """The categories of this rule, lowest first, with their parameters."""
        if self.intervals:
            return tuple(Span(each.category, each.lower, each.upper, each.closed) for each in self.intervals)
        bounds = [
            next(value for value in (each.at, each.sd, each.quantile) if value is not None) for each in self.boundaries
        ]
        categories = [self.boundaries[0].between[0], *(each.between[1] for each in self.boundaries)]
        spans = []
        for index, category in enumerate(categories):
            left = index > 0 and self.boundaries[index - 1].belongs_to == category
            right = index < len(bounds) and self.boundaries[index].belongs_to == category
            closed: Closed = "both" if left and right else "left" if left else "right" if right else "neither"
            lower = bounds[index - 1] if index > 0 else None
            upper = bounds[index] if index < len(bounds) else None
            spans.append(Span(category, lower, upper, closed))
        return tuple(spans)


class Scale(Strict):
    """The ends of the edition's scale."""

    lowest: Decimal
    highest: Decimal


class Rounding(Strict):
    """Decimals of the figures as published; scores are kept unrounded."""

    decimals: int = Field(ge=0, le=9)


class MissingRule(Strict):
    """What a gap counts as, unless a node says otherwise."""

    leaf: Literal["unknown", "zero"]
    aggregate: Literal["complete", "rescale"]


class SeverityLevel(Strict):
    """What an event of a severity counts for."""

    multiplier: Decimal = Field(ge=0)
    evidence: Evidence


class Treatment(Strict):
    """A cap on the values of leaves: the quantile of all values known at the level, zeros that fill blanks included."""

    level: RegionLevel
    approach: Approach
    cap_quantile: Decimal = Field(gt=0, lt=1)
    evidence: Evidence
    note: str = ""


class Goalpost(Strict):
    """Declared bounds of a node at a level: what its values are scaled by, whatever the regions report.

    `max` takes `highest` only; `min_max` takes both. A value beyond a bound counts as the bound.
    """

    node: str
    level: RegionLevel
    approach: Approach | None = None
    lowest: Decimal | None = None
    highest: Decimal
    evidence: Evidence
    note: str = ""


class NotApplicable(Strict):
    """Leaves that there is nothing to report of within a region: what is sent of them is not used, and not missed."""

    within: str
    nodes: tuple[str, ...] = Field(min_length=1)
    evidence: Evidence
    note: str = ""


class Recompute(Strict):
    """Nights that a revision of the methodology computes anew: of an edition (this one where none is named)."""

    edition: str | None = None
    first: date = Field(alias="from")
    last: date = Field(alias="to")


class Edition(Strict):
    """One edition: edition.yml and the nodes of nodes.csv.

    `promotion` says who makes a candidate stable after the first: a person, or the gate where none of its rules is
    broken.
    """

    edition: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title_id: str
    title_en: str
    status: Literal["complete", "partial"]
    revision: int = Field(ge=1)
    period: str
    reference_period: str
    regions_date: date
    territory: str | None = None
    sources: tuple[str, ...] = Field(min_length=1)
    scale: Scale
    rounding: Rounding
    weights: Literal["shares", "points"]
    missing: MissingRule
    severities: dict[str, SeverityLevel] = Field(default_factory=dict)
    treatments: tuple[Treatment, ...] = ()
    goalposts: tuple[Goalpost, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()
    categories: tuple[Category, ...] = Field(min_length=1)
    region_levels: tuple[LevelPlan, ...] = Field(min_length=1)
    roll_ups: tuple[RollUp, ...] = ()
    promotion: Literal["person", "gate"] = "person"
    recomputes: tuple[Recompute, ...] = ()
    cut_offs: tuple[CutOff, ...] = ()
    comparability: str
    references: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = Field(default=(), exclude=True)

    @property
    def root(self) -> Node:
        """The index itself."""
        return next(node for node in self.nodes if node.parent_code is None)

    def children(self) -> dict[str, tuple[Node, ...]]:
        """The children of every node, in the order of nodes.csv; none for a leaf."""
        found: dict[str, list[Node]] = {node.node_code: [] for node in self.nodes}
        for node in self.nodes:
            if node.parent_code is not None:
                found[node.parent_code].append(node)
        return {code: tuple(nodes) for code, nodes in found.items()}

    def missing_rule(self, node: Node) -> str:
        """What a gap at this node counts as: its own rule, else the edition's."""
        return node.missing or (self.missing.aggregate if node.aggregation else self.missing.leaf)


def _number(text: str) -> Decimal | str | None:
    number = decimal_of(text)
    return (text or None) if number is None else number


def nodes_of(text: str, file: str) -> list[tuple[int, Node]]:
    """The rows of nodes.csv with their row numbers. Raises MethodologyError."""
    nodes: list[tuple[int, Node]] = []
    problems: list[Problem] = []
    for row, cells in csv_rows(text, file, NODE_COLUMNS, RATIO_COLUMNS):
        data = {
            **{name: cell or None for name, cell in cells.items()},
            **{name: cells[name] for name in ("node_code", "kind", "name_id", "name_en", "unit")},
            "level": _number(cells["level"]),
            "weight": _number(cells["weight"]),
            "per": _number(cells["per"] or "1"),
            "direction": {"1": 1, "-1": -1}.get(cells["direction"], cells["direction"]),
        }
        try:
            nodes.append((row, parsed(Node, Document(file, data, {(): row}), data)))
        except MethodologyError as error:
            problems += error.problems
    if problems:
        raise MethodologyError(problems)
    return nodes
