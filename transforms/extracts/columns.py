"""The largest table of a file that no source describes: its header and its columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from schemas.contract.dictionary import packaged_styles
from schemas.contract.number_styles import NumberStyle
from schemas.contract.refusals import Refusal
from schemas.methodology.sources import Source, plain
from transforms.extracts.tables import joined_labels
from transforms.formats.cells import Grid, cell_number, cell_text, is_figure
from transforms.formats.containers import unpacked
from transforms.formats.grids import SIGNATURES, WORKBOOKS, grids
from transforms.formats.numbers import without_percent

GUESSED_HEADER = 30  # rows
BLANKS = ("-", "n/a", "na", "tidak ada data", "...")


@dataclass(frozen=True)
class Column:
    """A column of a table below its header."""

    label: str
    cells: Sequence[object] = field(repr=False)

    @cached_property
    def every(self) -> list[str | None]:
        """Each cell as text."""
        return [cell_text(cell) for cell in self.cells]

    @cached_property
    def counts(self) -> dict[str, int]:
        """The different texts, but those for blanks, and how many cells have each."""
        counts: dict[str, int] = {}
        for text in self.every:
            if text is not None and plain(text) not in (*BLANKS, "nihil"):
                counts[text] = counts.get(text, 0) + 1
        return counts

    @cached_property
    def is_figures(self) -> bool:
        """Whether most cells are numbers."""
        figures = sum(count for text, count in self.counts.items() if is_figure(text))
        return figures > 0.6 * sum(self.counts.values()) and bool(figures)

    def is_called(self, words: Sequence[str]) -> bool:
        """Whether one of some words is a word of its label."""
        return not set(re.split(r"[^a-z%]+", plain(self.label))).isdisjoint(words)

    def numbers(self, style: NumberStyle) -> list[float]:
        """The different numbers in a style, per cent as they are written."""
        digits = str.maketrans(dict.fromkeys(style.grouping, "") | {style.decimal_mark: "."})
        bare = (without_percent(text) for text in self.counts)
        return [float(text.translate(digits)) for text in bare if style.is_number(text) and text.isascii()]


def largest_grid(content: bytes, ending: str) -> tuple[Grid, dict[str, Any]]:
    """The largest table of a file, and what the entry has to say to find it again."""
    part = unpacked(content)[0].content
    kind = next((name for mark, name in SIGNATURES.items() if part.startswith(mark)), None)
    if kind and ending in ("csv", "json", "ndjson"):
        raise Refusal("kind_and_name_differ", kind=kind, ending=ending)
    probe: dict[str, Any] = {"sheet": "*"} if ending in WORKBOOKS else {}
    if ending in ("csv", "json", "ndjson"):
        probe = {"encoding": "detect"} | ({"separator": "detect"} if ending == "csv" else {})
    source = Source.model_validate(
        {
            "title": "?",
            "pattern": "?",
            "format": ending,
            "layout": "wide",
            "columns": {"region": ["?"]},
            "number_style": next(iter(packaged_styles())),
            "region_key": "name",
            "region_levels": ["province"],
            "unit": "count",
            "measure": "value",
            "items": {"?": {"item": "?", "approach": "input"}},
            "precedence": 0,
            "evidence": "A",
            **probe,
        }
    )
    every = [grid for ways in grids(content, source) for grid in ways]
    grid = max(every, key=lambda each: (sum(len(cells) > 1 for _, cells in each.rows), _width(each)))
    if ending in WORKBOOKS:
        probe = {"sheet": (grid.sheet or "*").rpartition("/")[2]}
    return grid, probe


def _width(grid: Grid) -> int:
    return max((len(cells) for _, cells in grid.rows), default=0)


def largest_table(grid: Grid) -> tuple[int, int, list[Column]]:
    """The position of the header, how many rows it has, and the columns below it.

    It is the row that looks most like a header: many different words, and rows below that fill its columns. Two rows,
    where the second gives names to columns that the first leaves without one of their own.
    """
    best, chosen = 0.0, 0
    for index in range(min(len(grid.rows), GUESSED_HEADER)):
        labels = [cell_text(cell) for cell in grid.rows[index][1]]
        words = [label for label in labels if label and cell_number(label) is None and not label[:1].isdigit()]
        below = [sum(cell_text(cell) is not None for cell in cells) for _, cells in grid.rows[index + 1 : index + 6]]
        likeness = len(set(words)) + 0.1 * min(below, default=0) - 0.2 * index
        if len(set(words)) > 1 and below and likeness > best:
            best, chosen = likeness, index
    if not best:
        raise Refusal("no_header")
    for first in (chosen, chosen - 1):
        if first >= 0 and _is_double(grid, first):
            chosen, depth = first, 2
            break
    else:
        depth = 1
    header = joined_labels(grid, chosen, depth)
    body = [cells for _, cells in grid.rows[chosen + depth :]]
    columns = [
        Column(label, [cells[i] if i < len(cells) else None for cells in body])
        for i, label in enumerate(header)
        if label
    ]
    return chosen, depth, columns


def _is_double(grid: Grid, index: int) -> bool:
    """Whether the row below another is a second row of labels: it has only words, and names what the first leaves blank
    or spans.
    """
    if index + 2 >= len(grid.rows):
        return False
    number, upper = grid.rows[index]
    lower = grid.rows[index + 1][1]
    words = [text for cell in lower if (text := cell_text(cell))]
    top = [text for cell in upper if (text := cell_text(cell))]
    if len(words) < 2 or len(top) < 2 or any(is_figure(cell) for cell in lower):
        return False
    spans = {
        column for (row, left), (_, right) in grid.merged if row + 1 == number for column in range(left, right + 1)
    }
    named = [i for i, cell in enumerate(lower) if cell_text(cell)]
    bare = [i for i in named if i >= len(upper) or not cell_text(upper[i]) or i in spans]
    return len(bare) >= 1 and len(named) < _width(grid) and len(set(named) - set(bare)) <= len(bare) * 2
