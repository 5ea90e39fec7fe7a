"""What is odd about the cells of an XLS: errors, hidden rows, per cent; told by the records of its stream (BIFF8)."""

import re
import struct
from collections.abc import Iterator

from transforms.cells import WHOLE_ROW, Odd, too_far

END, ROW, FORMULA, BOOLEAN_OR_ERROR, NUMBER, RK, RKS = 0x0A, 0x208, 0x06, 0x205, 0x203, 0x27E, 0xBD
SHEET, FORMAT, CELL_FORMAT = 0x85, 0x41E, 0xE0
TEXTS = (0xFD, 0x204, 0xD6, 0x201, 0xBE)  # texts and blanks
MOST_XLS_COLUMNS = 256
PERCENT_CODES = (9, 10)  # built-in formats 0% and 0.00%


def xls_oddities(content: bytes) -> dict[str, Odd]:
    """What is odd about the cells of each sheet. Raises ValueError where the file is damaged, Refusal
    where a cell lies where none can be.
    """
    try:
        stream = _stream(content)
        percent, sheets = _globals(stream)
        return {name: _odd_cells(stream, at, percent) for name, at in sheets.items()}
    except (struct.error, IndexError, KeyError, TypeError) as error:
        raise ValueError("its records are damaged") from error


def _refuse_far(column: int) -> None:
    if column >= MOST_XLS_COLUMNS:
        raise too_far()


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records from a place on to the end of their part: kind and data."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == END:
            return


def _text(data: bytes, at: int) -> str:
    """A text whose first byte tells its encoding."""
    return data[at + 1 :].decode("utf-16-le" if data[at] & 1 else "latin-1", "replace")


def _globals(stream: bytes) -> tuple[set[int], dict[str, int]]:
    """The cell formats that show a number in per cent, and where each sheet begins."""
    codes, formats = set(PERCENT_CODES), []
    sheets: dict[str, int] = {}
    for kind, data in _records(stream, 0):
        if kind == FORMAT and "%" in re.sub(r'"[^"]*"|\\.', "", _text(data, 4)):
            codes.add(struct.unpack_from("<H", data)[0])
        elif kind == CELL_FORMAT:
            formats.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == SHEET:
            sheets[_text(data, 7)] = struct.unpack_from("<I", data)[0]
    return {index for index, code in enumerate(formats) if code in codes}, sheets


def _odd_cells(stream: bytes, at: int, percent: set[int]) -> Odd:
    odd: Odd = {}
    for kind, data in _records(stream, at):
        if kind == ROW and struct.unpack_from("<H", data, 12)[0] & 0x20:
            odd[struct.unpack_from("<H", data)[0] + 1, WHOLE_ROW] = "hidden_row"
        elif kind in (NUMBER, RK, FORMULA, BOOLEAN_OR_ERROR):
            row, column, style = struct.unpack_from("<HHH", data)
            _refuse_far(column)
            is_error = data[12:14] == b"\xff\xff" and data[6] == 2 if kind == FORMULA else data[7]
            if kind in (FORMULA, BOOLEAN_OR_ERROR) and is_error:
                odd[row + 1, column] = "error_cell"
            elif style in percent:
                odd[row + 1, column] = "percent"
        elif kind in TEXTS:
            _refuse_far(struct.unpack_from("<H", data, 2)[0])
        elif kind == RKS:
            row, column = struct.unpack_from("<HH", data)
            _refuse_far(column)
            for index in range((len(data) - 6) // 6):
                if struct.unpack_from("<H", data, 4 + 6 * index)[0] in percent:
                    odd[row + 1, column + index] = "percent"
    return odd


def _stream(content: bytes) -> bytes:
    """The stream Workbook of an OLE2 file. Raises ValueError, IndexError and struct.error where it is damaged."""
    size = 1 << struct.unpack_from("<H", content, 30)[0]
    directory, _, cutoff, mini = struct.unpack_from("<iiii", content, 48)

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    def numbers(block: bytes) -> list[int]:
        return list(struct.unpack(f"<{len(block) // 4}i", block))

    difat = numbers(content[76:512])
    more = struct.unpack_from("<i", content, 68)[0]
    while more >= 0 and len(difat) * size < len(content):
        difat += (block := numbers(sector(more)))[:-1]
        more = block[-1]
    fat = [entry for number in difat if number >= 0 for entry in numbers(sector(number))]

    def chain(number: int, table: list[int]) -> list[int]:
        found = []
        while number >= 0:
            found.append(number)
            number = table[number]
            if len(found) > len(table):
                raise ValueError("its sectors run in a circle")
        return found

    entries = b"".join(sector(number) for number in chain(directory, fat))
    streams = {}
    for at in range(0, len(entries), 128):
        length = struct.unpack_from("<H", entries, at + 64)[0]
        name = entries[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        streams[name] = struct.unpack_from("<ii", entries, at + 116)
    start, length = streams.get("Workbook") or streams["Book"]
    if length >= cutoff:
        return b"".join(sector(number) for number in chain(start, fat))[:length]
    small = b"".join(sector(number) for number in chain(streams["Root Entry"][0], fat))
    minifat = [entry for number in chain(mini, fat) for entry in numbers(sector(number))]
    return b"".join(small[number * 64 : number * 64 + 64] for number in chain(start, minifat))[:length]
