"""Rules that an edition keeps: of its tree, what feeds it, its weights, levels, roll-ups, cut-offs and goalposts."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, pairwise
from typing import get_args

from schemas.errors import Problem
from schemas.methodology.edition import Edition, Node
from schemas.methodology.sources import Approach, RegionLevel, Source
from schemas.strict import Document


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
        if rule.boundaries and any(up and False in sides[:position] for position, up in enumerate(sides)):
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


def feeding_problems(rows: Sequence[tuple[int, Node]], sources: Mapping[str, Source], file: str) -> list[Problem]:
    """Every node that the sources of its edition do not feed, or feed with what it cannot take."""
    sent: dict[str, list[tuple[str, Source, str]]] = defaultdict(list)
    for name, source in sources.items():
        for item in source.items.values():
            if not item.measure:
                sent[item.item].append((name, source, source.unit_of(item)))
    problems = []
    for row, node in rows:
        for fed in (node.source_item, node.denominator):
            if fed and fed not in sent:
                sentence = f"the source item '{fed}' is sent by none of the edition's sources."
                problems.append(Problem(file, row, sentence))
        for name, source, unit in sent.get(node.source_item or "", ()):
            if source.measure == "value" and node.aggregation:
                sentence = f"the source {name} sends indicator values for '{node.node_code}', which is no leaf."
                problems.append(Problem(file, row, sentence))
            if unit != node.unit and not node.denominator:
                sentence = f"the unit of '{node.node_code}' is {node.unit}, but the source {name} sends it in {unit}."
                problems.append(Problem(file, row, sentence))
    return problems
