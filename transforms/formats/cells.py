"""Cells and grids of cells, as every format is read to, and the bounds that hold for all of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from schemas.contract.dictionary import packaged_styles
from schemas.contract.number_styles import NumberStyle
from schemas.contract.refusals import Refusal
from transforms.formats.numbers import without_percent

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

LARGEST_GRID = 5_000_000  # cells
LARGEST_TEXT = 250_000_000  # letters of all cells together
LARGEST_XML = 250_000_000  # bytes of a part of a workbook
MOST_ODD = 1_000_000  # cells of a sheet whose format is looked at one by one
MOST_COLUMNS = 16_384
DEEPEST = 100  # elements within each other
WHOLE_ROW = -1
EVERY_ROW = 0

Odd = dict[tuple[int, int], str]
Area = tuple[tuple[int, int], tuple[int, int]]


class Grid(NamedTuple):
    """A table as a file has it: rows with their number, every cell as it was read (None or "" for a blank).

    `odd` names cells (row number, column from 0; column -1: the whole row; row 0: every row) whose value cannot be
    taken as it stands: the rule of the dictionary that they break, or `percent` for a number that is shown in per cent.
    `merged` are areas of merged cells, by their first and last row and column from 0.
    """

    sheet: str | None
    rows: Sequence[tuple[int, Sequence[object]]]
    odd: Odd
    merged: Sequence[Area] = ()


@dataclass
class Look:
    """What a look at a sheet finds that readers of values do not: what is odd about cells, as in `Grid`; formats of
    cells that may show something else than they hold; merged areas; whether zeros are shown.
    """

    odd: Odd = field(default_factory=dict)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    shows_zeros: bool = True


Cells = Sequence[Sequence[object]]
Sheets = list[tuple[str, Cells, Look]]


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
    text = without_percent(cell_text(cell) or "")
    return any(style.is_number(text) for style in (packaged_styles().values() if styles is None else styles))


def too_far() -> Refusal:
    """The refusal of a sheet that is too large."""
    return Refusal("reaches_too_far")


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


def is_true(written: str | None) -> bool:
    """Whether an attribute that is true or false is true, in any spelling; what is neither counts as true."""
    return written is not None and written.strip().lower() not in ("", "0", "false", "off", "no")


def local(tag: str) -> str:
    """The name of an element or attribute without its prefix."""
    return tag.rpartition(":")[2]


def xml_parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    data: Callable[[str], None] | None = None,
) -> "XMLParserType":
    """A parser that calls back for every element and text; it refuses a document type."""
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    return parser


def parse_xml(parser: "XMLParserType", xml: bytes) -> None:
    """Parse XML in UTF-8. Raises Refusal for another encoding, and ValueError for damage."""
    if xml.startswith((b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")):
        raise Refusal("not_utf8")
    parser.XmlDeclHandler = _refuse_encoding
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError) as error:  # the latter for an encoding that does not exist
        raise ValueError(str(error)) from error


def _refuse_document_type(*_: object) -> None:
    raise Refusal("document_type")


def _refuse_encoding(_: str, encoding: str | None, __: int) -> None:
    if (encoding or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Refusal("other_xml_encoding", encoding=encoding)


def refuse_between(*_: object) -> None:
    """Refuse comments and the like between letters, which readers leave out, each in its own way."""
    raise Refusal("comments_among_figures")
