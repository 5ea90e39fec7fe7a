"""Cells and grids of cells, as every format is read to, and the bounds that hold for all of them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, NamedTuple

from schemas.dictionary import packaged_styles
from schemas.numbers import NumberStyle
from schemas.violations import Refusal
from transforms.numbers import PERCENT

LARGEST_GRID = 20_000_000  # cells
LARGEST_XML = 1_000_000_000  # bytes of a part of a workbook
MOST_COLUMNS = 16_384
WHOLE_ROW = -1

Odd = dict[tuple[int, int], str]
Area = tuple[tuple[int, int], tuple[int, int]]


class Grid(NamedTuple):
    """A table as it stands in a file: rows with their number, every cell as it was read (None or "" for a blank).

    `odd` tells cells (row number, column from 0; column -1: the whole row) whose value cannot be taken as it stands:
    the rule of the dictionary that they break, or `percent` for a number that is shown in per cent. `merged` are areas
    of merged cells, by their first and last row and column from 0.
    """

    sheet: str | None
    rows: Sequence[tuple[int, Sequence[object]]]
    odd: Odd
    merged: Sequence[Area] = ()


def cell_text(cell: object) -> str | None:
    """A cell as text: whole numbers without a fraction, dates in ISO 8601; None for a blank."""
    if cell is None or cell == "":
        return None
    number = float(cell) if isinstance(cell, Decimal) else cell
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return str(number)


def cell_number(cell: object) -> float | None:
    """The number of a number cell; None for anything else, text that looks like one included."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float, Decimal)):
        return None
    return float(cell)


def is_figure(cell: object, styles: Iterable[NumberStyle] | None = None) -> bool:
    """Whether a cell is a number, or a text that is one in one of some styles (those of the package), also in per
    cent.
    """
    if cell_number(cell) is not None:
        return True
    text = re.sub(PERCENT, "", (cell_text(cell) or "").strip())
    return any(style.is_number(text) for style in (packaged_styles().values() if styles is None else styles))


def too_far() -> Refusal:
    """The refusal of a sheet that is too large."""
    return Refusal("a sheet reaches too far or holds too much; remove stray cells far from the table.")


def whole_part(file: IO[bytes], most: int | None = None) -> bytes:
    """The bytes of a part of a workbook. Raises Refusal where it unpacks to too much."""
    return b"".join(bounded_blocks(file, most))


def bounded_blocks(file: IO[bytes], most: int | None = None) -> Iterator[bytes]:
    """The bytes of a part of a workbook, block by block. Raises Refusal where it unpacks to too much."""
    read = 0
    while block := file.read(1 << 20):
        read += len(block)
        if read > (most or LARGEST_XML):
            raise too_far()
        yield block


def parse_xml(
    xml: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    data: Callable[[str], None] | None = None,
) -> None:
    """Call back for every element and text. Raises Refusal for a document type, and ValueError for damaged XML."""
    from xml.parsers import expat

    def declared(*_: object) -> None:
        raise Refusal("the workbook declares a document type; save it anew.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError) as error:  # the latter for an encoding that does not exist
        raise ValueError(str(error)) from error
