"""Hostile XLS workbooks: records of BIFF8 in an OLE2 file, written by hand because nothing writes them wrong enough."""

import struct
from collections.abc import Callable, Sequence
from functools import partial

from tests.fuzz.hostile.case import GOOD, HEADER, Hostile

SECTOR = 512
FREE, CHAIN_END, OF_TABLE = -1, -2, -3


def ole(stream: bytes, small: bool = False) -> bytearray:
    """An OLE2 file with a stream `Workbook`: header, sector table, directory, stream; a small one in small sectors."""
    if not small:
        stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // SECTOR)
    tables = -(-(sectors + 8) // 120)
    head = bytearray(SECTOR)
    # Sectors: tables, directory, table of small sectors, stream.
    directory, small_table, first = tables, tables + 1, tables + 2
    struct.pack_into(
        "<8s16xHHHHH6xiiiiiiiii",
        head,
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        62,
        3,
        0xFFFE,
        9,
        6,
        0,
        tables,
        directory,
        0,
        4096,
        small_table if small else CHAIN_END,
        int(small),
        CHAIN_END,
        0,
    )
    for at in range(109):
        struct.pack_into("<i", head, 76 + 4 * at, at if at < tables else FREE)
    table = [OF_TABLE] * tables + [CHAIN_END, CHAIN_END]
    table += [*range(first + 1, first + sectors), CHAIN_END]
    table += [FREE] * (tables * SECTOR // 4 - len(table))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        letters = name.encode("utf-16-le") + b"\0\0"
        return struct.pack("<64sHBBiii36xiii", letters, len(letters), kind, 1, -1, -1, child, start, size, 0)

    root = entry("Root Entry", 5, 1, first if small else CHAIN_END, len(stream) if small else 0)
    entries = root + entry("Workbook", 2, -1, 0 if small else first, len(stream))
    minis = -(-len(stream) // 64)
    chain = [*range(1, minis), CHAIN_END] + [FREE] * (128 - minis) if small else [FREE] * 128
    return bytearray(
        bytes(head)
        + struct.pack(f"<{len(table)}i", *table)
        + entries.ljust(SECTOR, b"\0")
        + struct.pack("<128i", *chain[:128])
        + stream.ljust(sectors * SECTOR, b"\0")
    )


def record(kind: int, data: bytes = b"") -> bytes:
    """A record."""
    return struct.pack("<HH", kind, len(data)) + data


def text(said: str, wide: str = "<H") -> bytes:
    """A text with its length."""
    return struct.pack(wide, len(said)) + b"\0" + said.encode("latin-1")


def number(row: int, column: int, value: float, style: int = 15) -> bytes:
    """A number cell."""
    return record(0x203, struct.pack("<HHHd", row, column, style, value))


def label(row: int, column: int, said: str, style: int = 15) -> bytes:
    """A text cell."""
    return record(0x204, struct.pack("<HHH", row, column, style) + text(said))


def row(at: int, values: Sequence[object], style: int = 15) -> bytes:
    """The cells of a row; its last has the style."""
    styles = [15] * (len(values) - 1) + [style]
    return b"".join(
        label(at, column, value, used) if isinstance(value, str) else number(at, column, float(str(value)), used)
        for column, (value, used) in enumerate(zip(values, styles, strict=True))
    )


def font(is_struck: bool = False) -> bytes:
    """A font."""
    return record(
        0x31, struct.pack("<HHHHHBBBB", 220, 8 if is_struck else 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + text("Arial", "<B")
    )


def style(of_font: int = 0, of_format: int = 0, is_base: bool = False) -> bytes:
    """A cell format."""
    return record(
        0xE0, struct.pack("<HHHBBBBIIH", of_font, of_format, 0xFFF5 if is_base else 1, 32, 0, 0, 0xFC, 0, 0, 0x20C0)
    )


TABLE = row(0, HEADER) + row(1, GOOD)
BAD = ("Riau", "Pengaduan", 34)


def stream(
    cells: bytes = TABLE,
    code: str = "General",
    before: bytes = b"",
    strings: bytes = b"",
    sheets: int = 1,
    hidden: int = 0,
    base: int | None = None,
) -> bytes:
    """The records of a workbook. Style 16 has the format `code`, style 17 is struck out; font 5 is struck out."""
    begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 3000, 1997, 0, 0x600))
    fonts = font() * 4 + font(is_struck=True)
    formats = record(0x41E, struct.pack("<H", 200) + text(code))
    styles = style(is_base=True) * 15 + style() + style(0, 200) + style(5)
    names = [f"Data{at or ''}" for at in range(sheets)]
    head = begin + record(0x42, struct.pack("<H", 1200)) + fonts + formats + styles
    length = len(head) + sum(len(record(0x85, struct.pack("<IBB", 0, 0, 0) + text(name, "<B"))) for name in names)
    start = length + len(strings) + 4 if base is None else base
    bound = b"".join(record(0x85, struct.pack("<IBB", start, hidden, 0) + text(name, "<B")) for name in names)
    sheet = record(0x809, struct.pack("<HHHHII", 0x600, 16, 3000, 1997, 0, 0x600)) + before + cells + record(0x0A)
    return head + bound + strings + record(0x0A) + sheet


def book(*arguments: object, **more: object) -> bytes:
    """A workbook."""
    return bytes(ole(stream(*arguments, **more)))  # type: ignore[arg-type]


def patched(at: int, entry: int, small: bool = False) -> bytes:
    """A workbook with another entry at a place of its file."""
    file = ole(stream(), small=small)
    struct.pack_into("<i", file, at, entry)
    return bytes(file)


def strings(*each: bytes, count: int | None = None) -> bytes:
    """The table of shared texts, which may run over several records."""
    data = struct.pack("<II", count or len(each), count or len(each)) + b"".join(each)
    return record(0xFC, data[:8220]) + b"".join(
        record(0x3C, b"\0" + data[at : at + 8200]) for at in range(8220, len(data), 8200)
    )


def shared(at: int, column: int, which: int) -> bytes:
    """A cell with a shared text."""
    return record(0xFD, struct.pack("<HHHI", at, column, 15, which))


def rich(said: str, *runs: tuple[int, int]) -> bytes:
    """A shared text with other fonts from some letters on."""
    head = struct.pack("<HBH", len(said), 8, len(runs))
    return head + said.encode("latin-1") + b"".join(struct.pack("<HH", *run) for run in runs)


def row_facts(at: int, height: int = 255, options: int = 0) -> bytes:
    """The record of a row; 0x20 in options: hidden, 0x10: below a closed group."""
    return record(0x208, struct.pack("<HHHHHHI", at, 0, 3, height, 0, 0, 0x100 | options))


def columns(first: int, last: int, width: int = 2560, options: int = 0) -> bytes:
    """The record of columns; 1 in options: hidden."""
    return record(0x7D, struct.pack("<HHHHHH", first, last, width, 15, options, 0))


def _many_rows() -> bytes:
    return TABLE + b"".join(row(at, GOOD) for at in range(2, 3_000))


def _cases() -> list[Hostile]:
    def refused(name: str, make: Callable[[], bytes], word: str = "") -> Hostile:
        return Hostile(name, "xls", make, refused=word)

    def kept_out(name: str, make: Callable[[], bytes], rule: str, admitted: tuple[float, ...] = (12,)) -> Hostile:
        return Hostile(name, "xls", make, rule=rule, admitted=admitted)

    first = SECTOR + 4 * 3  # the entry of the first sector of the stream, after table, directory and small table
    codes = {
        "in thousands": "0,",
        "with a digit of text": '0"5"',
        "of nothing": ";;;",
        "as a fraction": "# ?/?",
        "with a false point": "0\\.0",
        "in thousands in words": '0" ribu"',
    }
    bad = TABLE + row(2, BAD)
    long = b"x" * 8_000
    return [
        refused("xls sector that follows itself", lambda: patched(first, 3)),
        Hostile("xls sector table that points to itself", "xls", lambda: patched(SECTOR, 0), admitted=(12,)),
        refused("xls directory that follows itself", lambda: patched(SECTOR + 4, 1)),
        refused("xls small sector that follows itself", lambda: patched(3 * SECTOR, 0, small=True)),
        refused("xls small sectors in a circle", lambda: patched(3 * SECTOR + 8, 1, small=True)),
        refused("xls small sector far away", lambda: patched(3 * SECTOR + 8, 2**31 - 1, small=True)),
        refused("xls table of tables that points to itself", lambda: patched(68, 3)),
        refused("xls directory entry that is its own sibling", lambda: patched(2 * SECTOR + 128 + 68, 1)),
        refused("xls directory entry that is its own child", lambda: patched(2 * SECTOR + 76, 0)),
        refused("xls stream of a size that nothing has", lambda: patched(2 * SECTOR + 128 + 120, 2**31 - 1)),
        Hostile(
            "xls sectors of a size that nothing has",
            "xls",
            lambda: bytes(ole(stream()))[:30] + b"\x1f\0" + bytes(ole(stream()))[32:],
            admitted=(12,),
        ),
        refused("xls 3,000 sheets are one", lambda: book(_many_rows(), sheets=3_000), "sheet"),
        refused("xls sheet that is the workbook", lambda: book(base=0)),
        refused("xls sheet beyond the end", lambda: book(base=10_000_000)),
        refused(
            "xls shared text of 1 MB",
            lambda: book(
                TABLE + b"".join(shared(at, column, 0) for at in range(2, 6_002) for column in range(4)),
                strings=strings(struct.pack("<HB", 65_000, 0) + b"x" * 65_000),
            ),
            "too",
        ),
        Hostile(
            "xls four thousand million shared texts",
            "xls",
            lambda: book(strings=strings(text("a"), count=0xFFFFFFFF)),
            admitted=(12,),
        ),
        refused("xls text that shared texts lack", lambda: book(TABLE + shared(2, 0, 7), strings=strings(text("a")))),
        refused("xls cell twice", lambda: book(TABLE + number(1, 2, 99)), "row 2"),
        refused("xls row twice", lambda: book(TABLE + row(1, BAD)), "row 2"),
        refused("xls cell beyond the last column", lambda: book(TABLE + number(2, 300, 1))),
        refused("xls record longer than the file", lambda: book(TABLE + struct.pack("<HH", 0x203, 0xFFFF))),
        refused("xls cut off", lambda: book(_many_rows())[:20_000]),
        refused("xls of one byte after its mark", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1x"),
        refused(
            "xls merges over each other",
            lambda: book(
                _many_rows()
                + b"".join(
                    record(0xE5, struct.pack("<H", 1_000) + struct.pack("<HHHH", 1, 65_535, 0, 255) * 1_000)
                    for _ in range(5)
                )
            ),
            "merged",
        ),
        refused(
            "xls cells of blanks without end",
            lambda: book(
                TABLE
                + b"".join(
                    record(0xBE, struct.pack("<HH", at, 0) + struct.pack("<H", 15) * 256 + struct.pack("<H", 255))
                    for at in range(2, 65_536)
                )
            ),
        ),
        kept_out("xls row hidden", lambda: book(bad, before=row_facts(2, options=0x20)), "hidden_row"),
        kept_out("xls row of no height", lambda: book(bad, before=row_facts(2, height=0)), "hidden_row"),
        kept_out(
            "xls rows hidden unless said",
            lambda: book(bad, before=record(0x225, struct.pack("<HH", 2, 255)) + row_facts(0) + row_facts(1)),
            "hidden_row",
        ),
        kept_out("xls column hidden", lambda: book(before=columns(2, 2, options=1)), "hidden_column", ()),
        kept_out("xls column of no width", lambda: book(before=columns(1, 255, width=0)), "hidden_column", ()),
        kept_out("xls sheet hidden", lambda: book(hidden=1), "hidden_row", ()),
        kept_out("xls sheet very hidden", lambda: book(hidden=2), "hidden_row", ()),
        kept_out("xls figure struck out", lambda: book(TABLE + row(2, BAD, 17)), "struck_out"),
        kept_out(
            "xls half a figure struck out",
            lambda: book(TABLE + row(2, BAD[:2]) + shared(2, 2, 0), strings=strings(rich("1234", (0, 5), (2, 0)))),
            "struck_out",
        ),
        *(
            kept_out(f"xls format {name}", partial(book, TABLE + row(2, BAD, 16), code), "format_hides_value")
            for name, code in codes.items()
        ),
        kept_out(
            "xls zeros not shown",
            lambda: book(
                TABLE + row(2, ("Riau", "Pengaduan", 0)),
                before=record(0x23E, struct.pack("<HHHHHHHI", 0x6A6, 0, 0, 64, 0, 0, 0, 0)),
            ),
            "format_hides_value",
        ),
        kept_out(
            "xls error",
            lambda: book(TABLE + row(2, BAD[:2]) + record(0x205, struct.pack("<HHHBB", 2, 2, 15, 7, 1))),
            "error_cell",
        ),
        kept_out(
            "xls several values in a cell",
            lambda: book(TABLE + row(2, ("Riau", "Pengaduan", "12\n34"))),
            "several_values",
        ),
        Hostile("xls as it is", "xls", lambda: book(bad), admitted=(12, 34)),
        Hostile("xls small", "xls", lambda: bytes(ole(stream(bad), small=True)), admitted=(12, 34)),
        Hostile(
            "xls negative zero", "xls", lambda: book(TABLE + row(2, ("Riau", "Pengaduan", -0.0))), admitted=(0, 12)
        ),
        Hostile(
            "xls notes in a long text",
            "xls",
            lambda: book(TABLE + shared(5, 4, 0), strings=strings(struct.pack("<HB", len(long), 0) + long)),
            admitted=(12,),
        ),
    ]


CASES = _cases()
