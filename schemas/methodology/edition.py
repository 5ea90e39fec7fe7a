"""An edition of the index: its tree of nodes, levels, cut-offs and roll-ups, with every rule they must keep."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Literal, NamedTuple, Self, get_args

from pydantic import Field, model_validator

from schemas.errors import MethodologyError, Problem
from schemas.methodology.sources import Approach, Evidence, RegionLevel, Source
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


def tree_problems(
    rows: list[tuple[int, Node]], weights: str, units: set[str], is_partial: bool, file: str
) -> list[Problem]:
    """Every rule of the tree that is broken, with its row. A partial edition may leave weights unknown."""
    problems: list[Problem] = []
    first_row: dict[str, int] = {}
    by_code: dict[str, Node] = {}
    fed_by: dict[str, str] = {}
    children: dict[str, list[tuple[int, Node]]] = defaultdict(list)
    for row, node in rows:
        code = node.node_code
        if code in by_code:
            sentence = f"the node '{code}' stands in row {first_row[code]} already; codes are unique."
            problems.append(Problem(file, row, sentence))
        first_row.setdefault(code, row)
        by_code.setdefault(code, node)
        if node.parent_code:
            children[node.parent_code].append((row, node))
        if node.source_item:
            if node.source_item in fed_by:
                sentence = f"the source item '{node.source_item}' already feeds the node '{fed_by[node.source_item]}'."
                problems.append(Problem(file, row, sentence))
            fed_by.setdefault(node.source_item, code)
    roots = [(row, node) for row, node in rows if node.parent_code is None]
    if len(roots) != 1:
        names = ", ".join(node.node_code for _, node in roots) or "none"
        sentence = f"a tree has exactly one root (a node without parent_code); here: {names}."
        problems.append(Problem(file, roots[1][0] if roots else None, sentence))

    for row, node in rows:
        code = node.node_code
        parent = by_code.get(node.parent_code) if node.parent_code else None
        if node.parent_code and parent is None:
            sentence = f"the parent '{node.parent_code}' of the node '{code}' is not in the table."
            problems.append(Problem(file, row, sentence))
        path = [code]
        while parent is not None and parent.node_code not in path:
            path.append(parent.node_code)
            parent = by_code.get(parent.parent_code) if parent.parent_code else None
        if parent is not None:
            cycle = " > ".join([*path[path.index(parent.node_code) :], parent.node_code])
            if parent.node_code == code:
                problems.append(Problem(file, row, f"the node '{code}' is its own ancestor: {cycle}."))
            continue
        parent = by_code.get(node.parent_code) if node.parent_code else None
        if parent is not None and parent.level != node.level + 1:
            sentence = (
                f"the parent '{parent.node_code}' of '{code}' must be at level {node.level + 1}, not {parent.level}."
            )
            problems.append(Problem(file, row, sentence))
        sentences = _node_sentences(node, bool(children[code]), units, is_partial)
        problems += [Problem(file, row, sentence) for sentence in sentences]
        problems += _weight_problems(row, node, children[code], weights, file)
    return problems


def _node_sentences(node: Node, has_children: bool, units: set[str], is_partial: bool) -> list[str]:
    code = node.node_code
    sentences = []
    if node.parent_code and node.weight is None and not is_partial:
        sentences.append(f"the node '{code}' has no weight.")
    if not node.parent_code and node.weight is not None:
        sentences.append(f"the root '{code}' has a weight, but nothing above it to weigh in.")
    if node.unit not in units:
        sentences.append(f"the unit '{node.unit}' of '{code}' is not in the dictionary.")
    if has_children and node.aggregation is None:
        sentences.append(f"the node '{code}' has children but no aggregation.")
    if not has_children and node.aggregation is not None:
        sentences.append(f"the node '{code}' has the aggregation {node.aggregation} but no children.")
    if not has_children and node.level != 1:
        sentences.append(f"the node '{code}' has no children, so it is a leaf and stands at level 1, not {node.level}.")
    allowed = ("complete", "rescale") if has_children else ("unknown", "zero")
    if node.missing and node.missing not in allowed:
        sentences.append(f"the missing rule '{node.missing}' of '{code}' must be one of {', '.join(allowed)}.")
    if not has_children and not node.source_item:
        sentences.append(f"the leaf '{code}' has no source_item, so nothing can ever feed it.")
    if node.denominator and has_children:
        sentences.append(f"the node '{code}' has children, so it is no ratio and has no denominator.")
    if node.per != 1 and not node.denominator:
        sentences.append(f"the node '{code}' says per how many it is, but has no denominator.")
    if node.direction == -1 and (has_children or node.normalisation != "min_max"):
        sentences.append(f"direction -1 of '{code}' needs a leaf with min_max normalisation.")
    return sentences


def _weight_problems(row: int, node: Node, children: list[tuple[int, Node]], weights: str, file: str) -> list[Problem]:
    given = [child.weight for _, child in children if child.weight is not None]
    if weights != "shares" or node.aggregation in (None, "sum") or len(given) != len(children):
        return []
    total = sum(given, Decimal(0))
    if total == 1:
        return []
    rows = ", ".join(str(child_row) for child_row, _ in children)
    sentence = (
        f"the weights of the children of '{node.node_code}' (rows {rows}) add up to {total}, not to 1; correct them, "
        "or declare 'weights: points' in edition.yml."
    )
    return [Problem(file, row, sentence)]


def plan_problems(edition: Edition, sources: dict[str, Source], document: Document) -> list[Problem]:
    """Every rule of edition.yml that names something which does not exist or does not fit."""
    problems: list[Problem] = []

    def add(sentence: str, *location: str | int) -> None:
        problems.append(Problem(document.file, document.line(location), sentence))

    nodes = {node.node_code for node in edition.nodes}
    categories = [category.code for category in edition.categories]
    plans = {(plan.level, approach) for plan in edition.region_levels for approach in plan.approaches}
    if len(set(categories)) != len(categories):
        add("a category stands twice.", "categories")
    if edition.scale.lowest >= edition.scale.highest:
        add("scale: lowest must be below highest.", "scale")
    for index, name in enumerate(edition.sources):
        if name not in sources:
            add(f"the source '{name}' is not in sources.yml.", "sources", index)
            continue
        for category in sources[name].categories.values():
            if category not in categories:
                add(f"the category '{category}' of the source {name} is not in the edition's list.", "categories")
        every = sources[name].severity
        for severity in (*sources[name].severities.values(), *([every] if every else [])):
            if severity not in edition.severities:
                add(f"the severity '{severity}' of the source {name} has no multiplier here.", "severities")
    for index, treatment in enumerate(edition.treatments):
        if (treatment.level, treatment.approach) not in plans:
            add(f"treats {treatment.level}/{treatment.approach}, which is not scored here.", "treatments", index)
        if (treatment.level, treatment.approach) in [
            (each.level, each.approach) for each in edition.treatments[:index]
        ]:
            add(f"treats {treatment.level}/{treatment.approach} a second time.", "treatments", index)
    _check_goalposts(edition, plans, add)
    leaves = {node.node_code for node in edition.nodes if node.aggregation is None}
    for index, exempt in enumerate(edition.not_applicable):
        for code in exempt.nodes:
            if code not in leaves:
                add(f"'{code}' is no leaf of nodes.csv.", "not_applicable", index)
    levels = get_args(RegionLevel)
    stated = [plan.level for plan in edition.region_levels]
    for index, plan in enumerate(edition.region_levels):
        if len(set(plan.approaches)) != len(plan.approaches) or stated.index(plan.level) != index:
            add(f"the level {plan.level}, or one of its approaches, stands twice.", "region_levels", index)
    targets: list[tuple[str, str]] = []
    for index, roll_up in enumerate(edition.roll_ups):
        target = (roll_up.to, roll_up.approach)
        if target in targets:
            add(f"{roll_up.to}/{roll_up.approach} is rolled up to already.", "roll_ups", index)
        if levels.index(roll_up.to) >= levels.index(roll_up.source_level):
            add(f"{roll_up.to} does not lie above {roll_up.source_level}.", "roll_ups", index)
        below = (roll_up.source_level, roll_up.from_approach)
        if below in [(each.to, each.approach) for each in edition.roll_ups[index:]]:
            add(f"rolls up from {'/'.join(below)} before that is itself rolled up to.", "roll_ups", index)
        if roll_up.method == "sum" and below in [(each.to, each.approach) for each in edition.roll_ups[:index]]:
            add(f"sums {'/'.join(below)}, which is itself rolled up; sum what is reported.", "roll_ups", index)
        targets.append(target)
        if (roll_up.source_level, roll_up.from_approach) not in plans:
            add(f"rolls up from {roll_up.source_level}/{roll_up.from_approach}, not scored here.", "roll_ups", index)
        if (roll_up.to, roll_up.approach) not in plans:
            add(f"rolls up to {roll_up.to}/{roll_up.approach}, which is not scored here.", "roll_ups", index)
    for index, rule in enumerate(edition.cut_offs):
        where = ("cut_offs", index)
        if not any(level == rule.level and rule.approach in (None, approach) for level, approach in plans):
            add(f"cut-off for {rule.level}/{rule.approach or 'any approach'}, which is not scored here.", *where)
        if rule.node and rule.node not in nodes:
            add(f"cut-off for the node '{rule.node}', which is not in nodes.csv.", *where)
        spans = rule.spans()
        for span in spans:
            if span.category not in categories:
                add(f"the category '{span.category}' of a cut-off is not in the edition's list.", *where)
        if rule.boundaries and [span.category for span in spans] != categories:
            listed = ", ".join(categories)
            add(f"the boundaries of a cut-off must lie between the categories in their order ({listed}).", *where)
        for boundary, following in pairwise(rule.boundaries):
            if boundary.between[1] != following.between[0]:
                add(f"the boundary after '{boundary.between[1]}' starts at '{following.between[0]}'.", *where)
        if rule.intervals:
            for lower, upper in combinations(spans, 2):
                if lower.upper is None or upper.lower is None or lower.upper > upper.lower:
                    add(f"the intervals of '{lower.category}' and '{upper.category}' overlap.", *where)
        sides = [boundary.belongs_to == boundary.between[1] for boundary in rule.boundaries]
        if rule.boundaries and any(up and False in sides[:place] for place, up in enumerate(sides)):
            add(
                "where bounds fall together a score would have two categories: a bound that belongs below may not "
                "stand before one that belongs above.",
                *where,
            )
        for lower, upper in pairwise(spans):
            shared = lower.upper is not None and lower.upper == upper.lower
            if shared and lower.closed_side in ("right", "both") and upper.closed_side in ("left", "both"):
                add(f"the bound {lower.upper} belongs to both '{lower.category}' and '{upper.category}'.", *where)
        bounds = [bound for span in spans for bound in (span.lower, span.upper) if bound is not None]
        if bounds != sorted(bounds):
            add("the bounds of a cut-off must ascend with the categories.", *where)
    return problems


def _check_goalposts(edition: Edition, plans: set[tuple[RegionLevel, Approach]], add: Callable[..., None]) -> None:
    """Call `add` for every rule that goalposts break."""
    nodes = {node.node_code: node for node in edition.nodes}
    taken: set[tuple[str, str, str]] = set()
    for index, post in enumerate(edition.goalposts):
        where = ("goalposts", index)
        node = nodes.get(post.node)
        populations = {(level, way) for level, way in plans if level == post.level and post.approach in (None, way)}
        if not populations:
            add(f"a goalpost for {post.level}/{post.approach or 'any approach'}, which is not scored here.", *where)
        if node is None:
            add(f"a goalpost for the node '{post.node}', which is not in nodes.csv.", *where)
        elif node.normalisation == "none":
            add(f"a goalpost for '{post.node}', which is not normalised; nothing would be scaled by it.", *where)
        elif node.normalisation == "max" and (post.lowest is not None or post.highest <= 0):
            add(f"'{post.node}' is scaled by max: its goalpost has a highest above 0, and no lowest.", *where)
        elif node.normalisation == "min_max" and (post.lowest is None or post.lowest >= post.highest):
            add(f"'{post.node}' is scaled by min_max: its goalpost has a lowest below its highest.", *where)
        for level, way in populations:
            if (post.node, level, way) in taken:
                add(f"'{post.node}' has a goalpost for {level}/{way} already.", *where)
            taken.add((post.node, level, way))
