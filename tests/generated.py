"""Editions made by chance, with what was sent for them: any tree, rule, roll-up and gap that an edition can declare.

`generated(seed)` is the same edition every time. It is written as files, as a person would write them, and its extracts
go through admission, indicators and engine; `tables(edition, "index_score", ...)` are what is published of it.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from schemas.methodology.edition import NODE_COLUMNS
from schemas.methodology.library import Library, Methodology
from schemas.strict import yaml_text
from tests.transforms.sent import ENTRY, items
from tests.warehouse.prepared import write_prepared
from transforms.engine_tables.design import design_frames
from transforms.extracts.admission import admission, identified
from transforms.extracts.parse import extract_rows
from transforms.figures.indicators import resolved_figures
from transforms.regions.lookup import region_lookup
from warehouse.engine.database import EngineLimits, open_database, statement, used
from warehouse.engine.engine import Engine, Stamp

EDITION = "by-chance"
# Provinces and how many regencies they have.
PROVINCES = {"11": 1, "12": 2, "13": 3, "14": 4}
REGENCIES = [f"{code}.{place:02}" for code, count in PROVINCES.items() for place in range(1, count + 1)]
REGIONS = "\n".join(
    [
        "code,level,name,parent,kind,valid_from,valid_to,code_2020,code_bps",
        "ID,national,Indonesia,,negara,,,ID,",
        *(f"{code},province,Provinsi {code},ID,provinsi,,,{code}," for code in PROVINCES),
        *(f"{code},regency_city,Kabupaten {code},{code[:2]},kabupaten,,,{code}," for code in REGENCIES),
        "",
    ]
)
AGGREGATIONS = ("arithmetic_mean", "geometric_mean", "sum")
NORMALISATIONS = ("none", "max", "min_max")
SHARES = (0.2, 0.5, 0.6, 1)
DIVISOR = "divisor"


@dataclass(frozen=True)
class Part:
    """A node of the tree, with what stands in its row of nodes.csv."""

    code: str
    level: int
    row: dict[str, Any]
    children: tuple["Part", ...] = ()

    def parts(self) -> Iterator["Part"]:
        """The node and all below it."""
        yield self
        for child in self.children:
            yield from child.parts()

    @property
    def leaves(self) -> list["Part"]:
        return [part for part in self.parts() if not part.children]


@dataclass(frozen=True)
class Generated:
    """An edition, the files it is written as, and the extracts that were sent: name of the source, and the text."""

    seed: int
    files: dict[str, str]
    extracts: tuple[tuple[str, str], ...]


def generated(seed: int) -> Generated:
    """The edition of a seed."""
    luck = Random(seed)
    root = tree(luck)
    plan = plan_of(luck, root)
    approaches = [(each["level"], approach) for each in plan["region_levels"] for approach in each["approaches"]]
    codes = [part.code for part in root.parts()]
    told_of = sorted({approach for _, approach in approaches})
    kinds: dict[str, dict[str, Any]] = {"values": {"measure": "value"}, "scores": {"measure": "score"}}
    labels = {
        "values": [*(leaf.code for leaf in root.leaves), DIVISOR],
        "scores": codes,
    }
    sources = {
        name: ENTRY
        | kind
        | {
            "pattern": f"{name}*",
            "layout": "long",
            "columns": {"region": ["region"], "item": ["item"], "value": ["value"]},
            "region_levels": ["national", "province", "regency_city"],
            "unit": "severity_sum",
            "precedence": precedence,
            "items": {
                f"{label} {approach}": each
                for approach in told_of
                for label, each in items(*labels[name], approach=approach).items()
            },
        }
        for precedence, (name, kind) in enumerate(kinds.items())
    }
    nodes = [part.row for part in root.parts()]
    columns = (*NODE_COLUMNS, "denominator", "per")
    lines = [columns, *([row.get(column, "") for column in columns] for row in nodes)]
    return Generated(
        seed,
        {
            "regions/regions.csv": REGIONS,
            "sources.yml": written(sources),
            f"editions/{EDITION}/edition.yml": written(plan) + "regions_date: 2022-07-01\n",
            f"editions/{EDITION}/nodes.csv": "".join(",".join(map(str, line)) + "\n" for line in lines),
        },
        tuple(
            (name, "region,item,value\n" + "".join(f"{','.join(row)}\n" for row in rows))
            for name, rows in (
                ("values", list(values_sent(luck, root, approaches))),
                ("scores", list(scores_sent(luck, codes, approaches))),
            )
            if rows
        ),
    )


def written(document: dict[str, Any]) -> str:
    """A document as YAML without anchors: nothing in it is written by naming another part."""
    return yaml_text(json.loads(json.dumps(document)))


def tree(luck: Random) -> Part:
    """An index over two to five levels, its leaves alike or each of another kind."""
    depth = luck.randint(2, 5)
    widest = {2: 4, 3: 3, 4: 2, 5: 2}[depth]
    aggregations, normalisations = (
        luck.sample(choices, luck.randint(1, len(choices))) for choices in (AGGREGATIONS, NORMALISATIONS)
    )

    def part(code: str, level: int) -> Part:
        is_leaf = level == 1
        below = range(0 if is_leaf else luck.randint(1, widest))
        children = tuple(part(f"{code}.{each}", level - 1) for each in below)
        normalisation = luck.choice(normalisations)
        row = {
            "node_code": code,
            "parent_code": code.rpartition(".")[0],
            "level": level,
            "kind": "x",
            "name_id": code,
            "name_en": code,
            "weight": luck.choice((1, 1, 2, 3, 0.7)) if "." in code else "",
            "direction": luck.choice((1, -1)) if is_leaf and normalisation == "min_max" else 1,
            "unit": "severity_sum",
            "normalisation": normalisation,
            "aggregation": "" if is_leaf else luck.choice(aggregations),
            "missing": luck.choice(("", "", "unknown", "zero") if is_leaf else ("", "", "complete", "rescale")),
            "source_item": code,
            "evidence": "A",
        }
        if is_leaf and luck.random() < 0.15:
            row |= {"denominator": DIVISOR, "per": luck.choice((1, 100))}
        return Part(code, level, row, children)

    return part("i", depth)


def plan_of(luck: Random, root: Part) -> dict[str, Any]:
    """An edition of regencies, their provinces and the nation, each told of itself, rolled up or both."""
    roll_ups = []
    approaches: dict[str, list[str]] = {"national": [], "province": [], "regency_city": ["input"]}

    def roll_up(below: str, given: str, above: str) -> None:
        method, share = luck.choice(("mean", "mean", "sum")), luck.choice(SHARES)
        plan: dict[str, Any] = {"from": below, "from_approach": given, "to": above, "approach": "rollup"}
        roll_ups.append(plan | {"min_share": share, "method": method})
        approaches[above].append("rollup")

    if luck.random() < 0.3:
        approaches["province"].append("input")
    if luck.random() < 0.8:
        roll_up("regency_city", "input", "province")
    if not approaches["province"]:
        approaches["province"].append("input")
    # Means of sums and of means, of regencies or of provinces; sums are made of what was told only.
    below = [("regency_city", "input"), *(("province", given) for given in approaches["province"])]
    roll_up(*luck.choice(below), "national")
    if roll_ups[-1]["from_approach"] == "rollup":
        roll_ups[-1]["method"] = "mean"
    regions = {"national": 1, "province": len(PROVINCES), "regency_city": len(REGENCIES)}
    plan: dict[str, Any] = {
        "edition": EDITION,
        **dict.fromkeys(("title_id", "title_en", "comparability"), "By chance"),
        **dict.fromkeys(("period", "reference_period"), "2022"),
        "status": "complete",
        "revision": 1,
        "sources": ["values", "scores"],
        "scale": {"lowest": luck.choice((0, 0, 1)), "highest": 100},
        "rounding": {"decimals": 2},
        "weights": "points",
        "missing": {"leaf": luck.choice(("unknown", "zero")), "aggregate": luck.choice(("complete", "rescale"))},
        "categories": [{"code": "a", "name_id": "a", "name_en": "a"}],
        "region_levels": [
            {
                "level": level,
                "approaches": approaches[level],
                "regions": regions[level],
                "ranked": level != "national",
                "scaled_from": luck.choice((0.1, 0.1, 0.5, 1)),
            }
            for level in regions
        ],
        "roll_ups": roll_ups,
    }
    if luck.random() < 0.3:
        quantile = luck.choice((0.5, 0.8, 0.95))
        capped = {"level": "regency_city", "approach": "input", "cap_quantile": quantile, "evidence": "A"}
        plan["treatments"] = [capped]
    scaled = [part.row for part in root.parts() if part.row["normalisation"] != "none"]
    if scaled and luck.random() < 0.3:
        row = luck.choice(scaled)
        bounds = {"lowest": 1} if row["normalisation"] == "min_max" else {}
        post = {"node": row["node_code"], "level": "regency_city", "highest": 6, "evidence": "A"}
        plan["goalposts"] = [post | bounds]
    if luck.random() < 0.3:
        nodes = [leaf.code for leaf in root.leaves if luck.random() < 0.4] or [root.leaves[0].code]
        within = luck.choice([*PROVINCES, "13.02"])
        plan["not_applicable"] = [{"within": within, "nodes": nodes, "evidence": "A"}]
    return plan


def places(approaches: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Every region of every level, and the approaches it is scored by."""
    codes = {"national": ["ID"], "province": list(PROVINCES), "regency_city": REGENCIES}
    for level, approach in approaches:
        for code in codes[level]:
            yield code, approach


def values_sent(luck: Random, root: Part, approaches: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """What was reported: of some leaves all regions, of some a part, of some none, or all the same."""
    given = [each for each in approaches if each[1] == "input" or luck.random() < 0.15]
    draws: dict[str, Callable[[], str]] = {
        "small": lambda: str(luck.randint(0, 5)),
        "positive": lambda: str(luck.randint(3, 9)),
        "decimal": lambda: f"{luck.uniform(0, 100):.3f}",
        "large": lambda: str(luck.randint(0, 10**9)),
        "alike": lambda: "7",
        "zero": lambda: "0",
    }
    usual = luck.choice((0, 0.1, 0.3, 0.6))
    for code in (*(leaf.code for leaf in root.leaves), DIVISOR):
        draw = draws["positive" if code == DIVISOR else luck.choice([*draws, "small", "decimal", "positive"])]
        gaps = 0 if code == DIVISOR else luck.choice((usual, usual, usual, 0, 0.5, 0.97))
        for region, approach in places(given):
            if luck.random() >= gaps:
                yield region, f"{code} {approach}", draw()


def scores_sent(luck: Random, codes: list[str], approaches: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """What was sent as a finished score: of no node, here and there, or of some node in all regions."""
    often, whole = luck.choice((0, 0, 0, 0.05)), luck.random() < 0.2
    for code in codes:
        share = luck.choice((0.5, 1)) if whole and luck.random() < 0.2 else often
        for region, approach in places(approaches):
            if luck.random() < share:
                yield region, f"{code} {approach}", luck.choice(("0", "12.5", "50", "99.9", "100"))


def methodology_of(edition: Generated) -> Methodology:
    """The edition as it is read from its files."""
    with tempfile.TemporaryDirectory() as name:
        for file, text in edition.files.items():
            path = Path(name) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Library(Path(name)).edition(EDITION)


def prepared_of(edition: Generated, folder: Path) -> tuple[Methodology, Path]:
    """The edition, and the engine's tables of what was sent for it, in a folder below `folder`."""
    of = methodology_of(edition)
    read = []
    for number, (name, text) in enumerate(edition.extracts, start=1):
        rows = identified(
            extract_rows(text.encode(), of.sources[name]),
            source=name,
            file_name=f"{name}.csv",
            extract_sha256=f"{number:064}",
            received_at=datetime(2022, 8, number, tzinfo=UTC),
            is_synthetic=False,
        )
        known = region_lookup(of.reference, of.sources[name], of.edition.regions_date)
        read.append(admission(rows, of.sources[name], of.corrections, known, of.dictionary))
    frames = design_frames(of)
    admitted = pl.concat([each.admitted for each in read])
    refused = pl.concat([each.refused_keys for each in read])
    assert refused.is_empty(), edition.seed
    figures = resolved_figures(admitted, refused, of, frames)
    frames |= {"reported": figures.reported, "entered": figures.entered}
    return of, write_prepared(folder, frames, of.dictionary)


def tables(edition: Generated, *names: str) -> dict[str, pl.DataFrame]:
    """The published tables of these names."""
    with tempfile.TemporaryDirectory() as folder:
        of, prepared = prepared_of(edition, Path(folder))
        limits = EngineLimits(threads=1)
        with open_database(limits, [prepared]) as connection:
            engine = Engine(connection, prepared, of.edition, Stamp(date(2022, 12, 31), "s", False), limits)
            engine.score()
            engine.find_ranges()
            values = engine.values | dict(engine.unit_blocks[0]) | dict(engine.node_blocks[0])
            texts = {name: statement("sql/publish", name) for name in names}
            return {name: connection.sql(text, params=used(text, values)).pl() for name, text in texts.items()}
