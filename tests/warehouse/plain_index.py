"""The index and its range once more, in plain Python and slowly: what the engine's columns are compared with."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PathStep = tuple[int, str]
Scores = dict[PathStep, float]


@dataclass(frozen=True)
class Part:
    """A node of the tree; `children` is empty for a leaf."""

    code: str
    weight: int
    normalisation: str
    direction: int = 1
    aggregation: str = ""
    missing: str = "complete"
    children: tuple["Part", ...] = ()

    def parts(self) -> list["Part"]:
        """The node and all below it, children first."""
        return [*(part for child in self.children for part in child.parts()), self]


@dataclass(frozen=True)
class Told:
    """What was told of regions: values of leaves as reported and as filled in, finished scores, and leaves that there
    is nothing to report of.
    """

    regions: int
    values: Mapping[PathStep, float]
    filled: Mapping[PathStep, float]
    scores: Mapping[PathStep, float]
    exempt: frozenset[PathStep]


class Index:
    """The scores of all regions, and what the index of a region would be with other scores of leaves."""

    def __init__(self, root: Part, told: Told) -> None:
        self.root, self.told = root, told
        self.scale: dict[str, Callable[[float], float | None]] = {}
        self.exempt = set(told.exempt)
        self.scores: Scores = {}
        for part in root.parts():
            raw: dict[int, float] = {}
            for region in range(told.regions):
                if part.children and all((region, child.code) in self.exempt for child in part.children):
                    self.exempt.add((region, part.code))
                value = self._raw(part, region, self.scores)
                if value is not None:
                    raw[region] = value
            self.scale[part.code] = scale_of(part, list(raw.values()))
            for region, value in raw.items():
                score = self.scale[part.code](value)
                if score is not None:
                    self.scores[region, part.code] = score
            self.scores |= {place: score for place, score in told.scores.items() if place[1] == part.code}

    def _raw(self, part: Part, region: int, scores: Mapping[PathStep, float]) -> float | None:
        """A leaf's value, or what the scores of the children come to."""
        place = (region, part.code)
        if not part.children:
            return self.told.values.get(place, self.told.filled.get(place))
        asked = [child for child in part.children if (region, child.code) not in self.exempt]
        known = [child for child in asked if (region, child.code) in scores]
        if not known or (part.missing == "complete" and len(known) < len(asked)):
            return None
        together = sum(child.weight for child in known)
        found = [(child.weight, scores[region, child.code]) for child in known]
        if part.aggregation == "geometric_mean":
            if any(score == 0 for _, score in found):
                return 0.0
            return math.exp(math.fsum(weight * math.log(score) for weight, score in found) / together)
        total = math.fsum(weight * score for weight, score in found)
        whole = sum(child.weight for child in part.children)
        return total / together if part.aggregation == "arithmetic_mean" else total * whole / together

    def seen(self, leaf: str) -> list[float] | None:
        """The scores that a leaf's reports came to; None where there is no report of it."""
        told = [region for region in range(self.told.regions) if self.is_reported((region, leaf))]
        return [self.scores[region, leaf] for region in told if (region, leaf) in self.scores] if told else None

    def is_reported(self, place: PathStep) -> bool:
        """Whether a region told a leaf."""
        return place in self.told.values or place in self.told.scores

    def end(self, region: int, choose: Callable[[list[float]], float]) -> float | None:
        """An end of the index of a region: with what it did not report at an end of what was seen. A score that is
        known is not beyond the end. None where nothing was seen, or where a part was entered whole.
        """
        scores = dict(self.scores)
        changed: set[str] = set()
        unseen: set[str] = set()
        for part in self.root.parts():
            place = (region, part.code)
            if place in self.exempt:
                continue
            if place in self.told.scores:
                if part.children:
                    changed.add(part.code)
                    unseen.add(part.code)
                continue
            if part.children:
                below = {child.code for child in part.children}
                if not (below & changed and self._has_scale(part)):
                    continue
                changed.add(part.code)
                unseen |= {part.code} if below & unseen else set()
                raw = self._raw(part, region, scores)
                score = None if raw is None else self.scale[part.code](raw)
                if score is not None and part.normalisation != "none":
                    score = min(max(score, 0.0), 100.0)
            elif self.is_reported(place):
                continue
            else:
                changed.add(part.code)
                seen = self.seen(part.code)
                if seen is None:
                    unseen.add(part.code)
                score = choose(seen) if seen else None
            now = scores.pop(place, None)
            if score is not None:
                scores[place] = score if now is None else choose([score, now])
        return None if self.root.code in unseen else scores.get((region, self.root.code))

    def _has_scale(self, part: Part) -> bool:
        return self.scale[part.code](0.0) is not None

    def is_touched(self, region: int) -> bool:
        """Whether anything that a region did not report, or sent as a finished score of more than a leaf, reaches its
        index.
        """

        def touched(part: Part) -> bool:
            place = (region, part.code)
            if place in self.exempt:
                return False
            if place in self.told.scores:
                return bool(part.children)
            if part.children:
                return self._has_scale(part) and any(map(touched, part.children))
            return not self.is_reported(place) and self.seen(part.code) != []

        return touched(self.root)


def scale_of(part: Part, values: list[float]) -> Callable[[float], float | None]:
    """How values become scores of 0 to 100, by the values there are; None where that cannot be told."""
    if part.normalisation == "none":
        return lambda value: value
    if not values:
        return lambda _: None
    signed = [value * part.direction for value in values]
    lowest, highest = min(signed), max(signed)
    if part.normalisation == "max":
        return lambda value: 0.0 if highest == 0 else value / highest * 100
    return lambda value: None if highest == lowest else (value * part.direction - lowest) / (highest - lowest) * 100
