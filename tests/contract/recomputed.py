"""Every score once more, as an outsider would: from the published tables of a snapshot, and nothing else."""

import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

Row = dict[str, Any]
Region = tuple[str, str, str]  # level, approach, code


@dataclass
class Snapshot:
    """The published tables, and the scores that they come to."""

    tables: Path

    def rows(self, name: str) -> list[Row]:
        return pl.read_parquet(self.tables / f"{name}.parquet").to_dicts()

    def __post_init__(self) -> None:
        self.nodes = {row["node_code"]: row for row in self.rows("methodology_node")}
        self.children: dict[str, list[str]] = defaultdict(list)
        for code, row in self.nodes.items():
            if row["parent_node_code"]:
                self.children[row["parent_node_code"]].append(code)
        self.edition = self.rows("edition")[0]
        self.scaling = {(row["region_level"], row["approach"], row["node_code"]): row for row in self.rows("scaling")}
        self.values = {
            (row["region_level"], row["approach"], row["region_code"], row["node_code"]): row
            for row in self.rows("indicator_value")
        }
        self.published = {
            (row["region_level"], row["approach"], row["region_code"], row["node_code"]): row
            for row in self.rows("node_score")
        }
        self.regions = sorted({place[:3] for place in self.published})
        self.parents = {row["code"]: row["parent"] for row in self.rows("region")}
        self.roll_ups = [row for row in self.rows("roll_up") if row["method"] == "mean"]
        self.exempt = {place for place, row in self.values.items() if row["status"] == "not_applicable"}
        for code in sorted(self.nodes, key=lambda code: self.nodes[code]["node_level"]):
            below = self.children[code]
            for region in self.regions if below else []:
                if all((*region, child) in self.exempt for child in below):
                    self.exempt.add((*region, code))
        self.scores: dict[tuple[str, str, str, str], float] = {}
        self.computed: dict[tuple[str, str, str, str], float] = {}
        for code in sorted(self.nodes, key=lambda code: self.nodes[code]["node_level"]):
            self._score(code)

    def _score(self, code: str) -> None:
        """The scores of a node: computed, then rolled up, then as published where they were entered."""
        for region in self.regions:
            raw = self._aggregated(region, code) if self.children[code] else self._value(region, code)
            score = None if raw is None else self._scaled(region, code, raw)
            if score is not None:
                self.scores[*region, code] = self.computed[*region, code] = score
        self._enter(code)
        for rule in self.roll_ups:
            self._roll_up(rule, code)
            self._enter(code)

    def _enter(self, code: str) -> None:
        for region in self.regions:
            row = self.published[*region, code]
            if row["origin"] == "entered":
                self.scores[*region, code] = row["score"]

    def _value(self, region: Region, code: str) -> float | None:
        """The value that is scaled: what was reported, at most the cap; zero where the rule fills a blank."""
        row = self.values[*region, code]
        if row["status"] in ("missing", "not_applicable"):
            return None
        # A finished score of a leaf is no value: it is entered.
        if self.published[*region, code]["origin"] == "entered" and row["treated_value"] == row["normalised_value"]:
            return None
        value = 0.0 if row["status"] == "imputed" else row["raw_value"]
        scaling = self.scaling.get((*region[:2], code))
        if scaling and scaling["cap"] is not None:
            value = min(value, scaling["cap"])
        return value if row["treated_value"] is not None else None

    def _aggregated(self, region: Region, code: str) -> float | None:
        node = self.nodes[code]
        asked = [child for child in self.children[code] if (*region, child) not in self.exempt]
        known = [child for child in asked if (*region, child) in self.scores]
        if not known or (node["missing"] == "complete" and len(known) < len(asked)):
            return None
        weights = {child: self.nodes[child]["weight"] for child in self.children[code]}
        if None in weights.values():
            return None
        parts = [(weights[child], self.scores[*region, child]) for child in known]
        together = math.fsum(weight for weight, _ in parts)
        match node["aggregation"]:
            case "arithmetic_mean":
                return math.fsum(weight * score for weight, score in parts) / together
            case "sum":
                whole = math.fsum(weights.values())
                return math.fsum(weight * score for weight, score in parts) * whole / together
            case "geometric_mean":
                if min(score for _, score in parts) < 0:
                    return None
                if min(score for _, score in parts) == 0:
                    return 0.0
                return math.exp(math.fsum(weight * math.log(score) for weight, score in parts) / together)
        raise AssertionError(node["aggregation"])

    def _scaled(self, region: Region, code: str, value: float) -> float | None:
        scaling = self.scaling.get((*region[:2], code))
        if scaling is None:  # rolled up: the members are on the scale already
            return None
        bottom, top = self.edition["scale_lowest"], self.edition["scale_highest"]
        lowest, highest = scaling["lowest"], scaling["highest"]
        match scaling["method"]:
            case "none":
                return value
            case "max" if highest is not None:
                return 0.0 if highest == 0 else min(value / highest * top, top)
            case "min_max" if highest is not None and highest > lowest:
                share = (value - lowest) / (highest - lowest)
                share = 1 - share if self.nodes[code]["direction"] == -1 else share
                return float(bottom + min(max(share, 0.0), 1.0) * (top - bottom))
        return None

    def _roll_up(self, rule: Row, code: str) -> None:
        """The mean of the regions of a level below, where enough of them are known."""
        members: dict[str, list[Region]] = defaultdict(list)
        for region in self.regions:
            if region[:2] == (rule["from_region_level"], rule["from_approach"]):
                above: str | None = region[2]
                while above is not None:
                    members[above].append(region)
                    above = self.parents.get(above)
        for region in self.regions:
            if region[:2] != (rule["region_level"], rule["approach"]):
                continue
            asked = [each for each in members[region[2]] if (*each, code) not in self.exempt]
            known = [self.scores[*each, code] for each in asked if (*each, code) in self.scores]
            if known and len(known) >= len(asked) * rule["min_share"] - 1e-9:
                self.scores[*region, code] = math.fsum(known) / len(known)

    def differences(self) -> list[tuple[object, ...]]:
        """Every published score that is another one here, or is not one at all."""
        return [
            (place, row["score"], self.scores.get(place))
            for place, row in self.published.items()
            if (row["score"] is None) != (place not in self.scores)
            or (row["score"] is not None and abs(row["score"] - self.scores[place]) > 1e-9 * max(1, abs(row["score"])))
        ]
