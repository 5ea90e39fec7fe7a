"""A source entry to start from, made of what stands in a file. What cannot be seen in the file is said, not guessed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl
from pydantic import ValidationError

from schemas.dictionary import packaged_styles
from schemas.regions import Reference
from schemas.sources import Source, plain
from schemas.violations import Refusal
from transforms.cells import Grid, cell_number, cell_text, is_figure
from transforms.containers import unpacked
from transforms.grids import SIGNATURES, WORKBOOKS, grids
from transforms.numbers import without_percent
from transforms.parse import joined_labels
from transforms.regions import name_key, names_of

ENDINGS = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "json": "json",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "parquet": "parquet",
    "xlsx": "xlsx",
    "xls": "xls",
    "ods": "ods",
}
GUESSED_HEADER = 30  # rows
SAMPLE = 500  # rows
SEVERITY_WORDS = ("tingkat", "severity", "level kejadian")
DATE_WORDS = ("tanggal", "date", "waktu")
EVIDENCE_WORDS = ("bukti", "evidence", "sumber", "tautan", "alamat")
TOTALS = ("jumlah", "total", "grand total", "jumlah total", "subtotal")
BLANKS = ("-", "n/a", "na", "tidak ada data", "...")


class Proposal(NamedTuple):
    """An entry for sources.yml, and what its reader has to look at."""

    entry: dict[str, Any]
    remarks: tuple[str, ...]


class Columns(NamedTuple):
    """The columns of a table below its header: labels, and a sample of the cells of each."""

    labels: tuple[str, ...]
    cells: tuple[tuple[object, ...], ...]


def proposed(content: bytes, file_name: str, reference: Reference) -> Proposal:
    """A source entry for a file. Regions are looked for by code, or by name down to regencies and cities.

    Raises Refusal where nothing in it looks like a table with regions and figures.
    """
    ending = next((ENDINGS[each] for each in reversed(file_name.lower().split(".")) if each in ENDINGS), None)
    if ending is None:
        known = ", ".join(f".{each}" for each in ENDINGS)
        raise Refusal(f"its name has no ending of a table ({known}, also .gz and .zip of them); rename it.")
    remarks: list[str] = []
    grid, dialect = _read(content, ending)
    header_row, depth, columns = _header(grid)
    if depth > 1:
        dialect |= {"header_rows": depth}
        remarks.append("The header seems to run over two rows; labels are joined, as in 'Skor / 2024'.")
    if header_row:
        remarks.append(f"{header_row} row(s) above the header are passed over: the header is found by its labels.")
    region, key, levels, share = _region_column(columns, reference)
    if share < 0.9:
        remarks.append(
            f"Only {share:.0%} of the regions in '{columns.labels[region]}' are known by {key}; look at them."
        )
    figures = [i for i in range(len(columns.labels)) if i != region and _is_figures(columns.cells[i])]
    if not figures:
        raise Refusal("no column beside the regions holds figures; is it the right sheet?")
    style = _style(columns, figures)
    if style is None:
        style = next(iter(packaged_styles()))
        examples = " or ".join(each.example for each in packaged_styles().values())
        remarks.append(f"No figure tells whether numbers are written {examples}; number_style is a guess.")
    entry = {
        "title": f"Extracts like {file_name}",
        "pattern": re.sub(r"[0-9]+", "*", file_name),
        "format": ending,
        **dialect,
        **_layout(columns, region, figures, remarks),
        "number_style": style,
        "region_key": key,
        "region_levels": levels,
        "unit": "count",
        "measure": "value",
    }
    said = {plain(text) for cells in columns.cells for cell in cells if (text := cell_text(cell))}
    if found := [cell_text(cell) for cell in columns.cells[region] if plain(cell_text(cell) or "") in TOTALS]:
        entry["totals"] = list(dict.fromkeys(found))
    entry["missing"] = [word for word in BLANKS if word in said] or ["-", "n/a"]
    if "nihil" in said:
        entry["zero"] = ["nihil"]
    entry |= {"precedence": 10, "evidence": "A"}
    remarks += [
        "unit is a guess; the units are in dictionary.yml (count, pct, share, score_100 ...).",
        "measure: value, where figures are made into scores; score, where they are finished scores.",
        "items: put what nodes.csv calls each of them (source_item); leave out labels that are not indicators.",
    ]
    try:
        Source.model_validate(entry)
    except ValidationError as error:
        raise Refusal("no entry can be made of its columns; is the column of the indicators filled?") from error
    return Proposal(entry, tuple(" ".join(remark.split()) for remark in remarks))


def _read(content: bytes, ending: str) -> tuple[Grid, dict[str, Any]]:
    """The largest table of a file, and what the entry has to say to find it again."""
    part = unpacked(content)[0].content
    kind = next((name for mark, name in SIGNATURES.items() if part.startswith(mark)), None)
    if kind and ending in ("csv", "json", "ndjson"):
        raise Refusal(f"it is {kind}, although its name ends in .{ending}; name it by what it is.")
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


def _header(grid: Grid) -> tuple[int, int, Columns]:
    """The row that looks most like a header: many different words, and rows below that fill its columns. Two rows,
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
        raise Refusal("no row looks like a header with labels; give the table one.")
    for first in (chosen, chosen - 1):
        if first >= 0 and _is_double(grid, first):
            chosen, depth = first, 2
            break
    else:
        depth = 1
    header = joined_labels(grid, chosen, depth)
    sample = [cells for _, cells in grid.rows[chosen + depth : chosen + depth + SAMPLE]]
    kept = [i for i, label in enumerate(header) if label]
    columns = tuple(tuple(cells[i] if i < len(cells) else None for cells in sample) for i in kept)
    return chosen, depth, Columns(tuple(header[i] for i in kept), columns)


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


def _region_column(columns: Columns, reference: Reference) -> tuple[int, str, list[str], float]:
    """The column whose cells are most often known as regions: its place, by what, of which levels, and how often."""
    codes = reference.regions.select("code", region_level="level", key="code")
    high = reference.down_to("regency_city")
    names = names_of(high, high.regions).join(codes.drop("key"), on="code").drop("code").unique()
    best: tuple[float, int, str, list[str]] = (0.0, 0, "", [])
    for index, cells in enumerate(columns.cells):
        texts = [text for cell in cells if (text := cell_text(cell)) and plain(text) not in TOTALS]
        if not texts:
            continue
        said = pl.DataFrame({"text": texts})
        keyed = {
            "name": said.select(key=name_key(pl.col("text"), reference.spellings)),
            "code": said.select(key=pl.col("text")),
        }
        for key, lookup in (("code", codes), ("name", names)):
            found = keyed[key].join(lookup, on="key", how="semi")
            share = found.height / len(texts)
            if share > best[0]:
                levels = found.join(lookup, on="key")["region_level"].unique(maintain_order=True).to_list()
                best = share, index, key, levels
    if best[0] < 0.3:
        raise Refusal("no column holds names or codes of regions that are known; which one names the region?")
    share, index, key, levels = best
    return index, key, levels, share


def _is_figures(cells: Sequence[object]) -> bool:
    told = [cell for cell in cells if (text := cell_text(cell)) and plain(text) not in (*BLANKS, "nihil")]
    return bool(told) and sum(is_figure(cell) for cell in told) > 0.6 * len(told)


def _style(columns: Columns, figures: Sequence[int]) -> str | None:
    """The style that figures kept as text are written in; None where none tells."""
    texts = [without_percent(cell) for i in figures for cell in columns.cells[i] if isinstance(cell, str)]
    fits = {name: sum(style.is_number(t) for t in texts) for name, style in packaged_styles().items()}
    if len(set(fits.values())) == 1:
        return None
    return max(fits, key=lambda name: fits[name])


def _layout(columns: Columns, region: int, figures: Sequence[int], remarks: list[str]) -> dict[str, Any]:
    """How figures stand in the table: an event per row, a figure per row, or a column per indicator."""
    labels = columns.labels

    def worded(words: Sequence[str]) -> list[int]:
        return [i for i, label in enumerate(labels) if i != region and any(word in plain(label) for word in words)]

    texts = [i for i in range(len(labels)) if i != region and i not in figures]
    severities, dates, evidence = worded(SEVERITY_WORDS), worded(DATE_WORDS), worded(EVIDENCE_WORDS)
    roles: dict[str, Any] = {"region": [labels[region]]}
    plain_figures = [i for i in figures if not _is_counter(columns.cells[i]) and i not in dates]
    if severities and plain_figures:
        numbered = [i for i in figures if i not in plain_figures and i not in dates]
        item = next((i for i in texts if i not in (*severities, *dates, *evidence)), None)
        item = numbered[-1] if numbered else item
        named = [i for i in figures if "indikator" in plain(labels[i]) or "indicator" in plain(labels[i])]
        item = named[0] if named else item
        value = next((i for i in reversed(plain_figures) if i != item), plain_figures[-1])
        if item is None:
            raise Refusal("it looks like a list of events, but no column names the indicator.")
        roles |= {"item": [labels[item]], "value": [labels[value]], "severity": [labels[severities[0]]]}
        roles |= {"date": [labels[dates[0]]]} if dates else {}
        roles |= {"evidence": [labels[evidence[0]]]} if evidence else {}
        words = dict.fromkeys(text for cell in columns.cells[severities[0]] if (text := cell_text(cell)))
        remarks.append("severities: put the edition's own names of severities on the right.")
        return {
            "layout": "events",
            "columns": roles,
            "severities": {word: _slug(word) for word in words} or {"?": "?"},
            "items": _items(columns.cells[item]),
        }
    references = [i for i in evidence if i in texts]
    roles |= {"reference": [labels[references[0]]]} if references else {}
    items = [i for i in texts if i not in references and _repeats(columns.cells[i])]
    usable = plain_figures or list(figures)
    if len(usable) == 1 and items:
        roles |= {"item": [labels[items[0]]], "value": [labels[usable[0]]]}
        return {"layout": "long", "columns": roles, "items": _items(columns.cells[items[0]])}
    return {
        "layout": "wide",
        "columns": roles,
        "items": {
            labels[i]: {"item": _slug(labels[i]), "approach": "input", **_unit(columns.cells[i])} for i in usable
        },
    }


def _unit(cells: Sequence[object]) -> dict[str, str]:
    """The unit of a column whose figures are mostly written in per cent."""
    texts = [text for cell in cells if (text := cell_text(cell))]
    return {"unit": "pct"} if sum(text.rstrip().endswith("%") for text in texts) > len(texts) / 2 else {}


def _is_counter(cells: Sequence[object]) -> bool:
    """Whether a column merely numbers its rows: 1, 2, 3 ..."""
    numbers = [cell_number(cell) if not isinstance(cell, str) else _whole(cell) for cell in cells if cell_text(cell)]
    return len(numbers) > 2 and numbers == [float(n) for n in range(1, len(numbers) + 1)]


def _whole(text: str) -> float | None:
    return float(text) if text.strip().isascii() and text.strip().isdigit() else None


def _repeats(cells: Sequence[object]) -> bool:
    said = [text for cell in cells if (text := cell_text(cell))]
    return bool(said) and len(set(said)) <= max(80, len(said) // 3)


def _items(cells: Sequence[object]) -> Mapping[str, dict[str, str]]:
    labels = dict.fromkeys(text for cell in cells if (text := cell_text(cell)))
    return {label: {"item": _slug(label), "approach": "input"} for label in labels}


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", plain(label)).strip("_") or "item"
