"""The input cases as bytes, the same every time; `python -m tests.inputs.make FOLDER` writes them for a look."""

import csv
import gzip
import io
import json
import struct
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
import yaml

HERE = Path(__file__).parent
MOMENT = (2022, 7, 1, 0, 0, 0)
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
HIDDEN = ' table:visibility="collapse"'
ODS_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
ODS_SPACES = " ".join(f'xmlns:{name}="{ODS_NAMES}:{name}:1.0"' for name in ("office", "table", "text"))
ODS_SPACES += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'

Recipe = Mapping[str, Any]
Rows = Sequence[Sequence[Any]]


def made(case: Recipe) -> bytes:
    """The bytes of a case or of a part of one: `make` names a function of this file, `with` has its arguments."""
    return MAKERS[case["make"]](**case.get("with", {}))


def text(content: str, encoding: str = "utf-8", mark: bool = False, ends: str = "\n") -> bytes:
    return (("\ufeff" if mark else "") + content.replace("\n", ends)).encode(encoding)


def raw(content: str) -> bytes:
    """Bytes written as text of Latin-1 with escapes."""
    return content.encode("latin-1")


def repeated(head: str, line: str, count: int, tail: str = "") -> bytes:
    return (head + line * count + tail).encode()


def fixture(name: str) -> bytes:
    """A file that was saved by LibreOffice from the workbook that `xls_workbooks` has under this name."""
    return (HERE / "fixtures" / name).read_bytes()


def as_csv(rows: Rows, separator: str = ";") -> bytes:
    """Numbers are written in Indonesian style."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    for row in rows:
        writer.writerow([str(cell).replace(".", ",") if isinstance(cell, float) else cell for cell in row])
    return written.getvalue().encode()


def records(rows: Rows) -> list[dict[str, Any]]:
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def as_json(rows: Rows) -> bytes:
    return json.dumps(records(rows), ensure_ascii=False).encode()


def as_ndjson(rows: Rows) -> bytes:
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in records(rows)).encode()


def as_parquet(rows: Rows, types: Mapping[str, str] | None = None) -> bytes:
    """`types` casts columns, by the name of a Polars type, or decimal.N for one of N places."""
    frame = pl.DataFrame(rows[1:], schema=list(rows[0]), orient="row", strict=False)
    for name, kind in (types or {}).items():
        places = kind.partition(".")[2]
        if places:
            frame = frame.with_columns(pl.Series(name, [Decimal(str(each)) for each in frame[name]]))
        frame = frame.with_columns(pl.col(name).cast(pl.Decimal(20, int(places)) if places else getattr(pl, kind)))
    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()


def parquet_of(columns: Mapping[str, Sequence[Any]], names: Sequence[str] = (), kinds: Sequence[str] = ()) -> bytes:
    """Parquet with what a frame cannot have: two columns of one name, types that few writers use, lists."""
    arrays = [
        pa.array(values, _arrow_type(kind))
        for values, kind in zip(columns.values(), kinds or [""] * len(columns), strict=True)
    ]
    written = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(names or columns)), written)
    return written.getvalue()


def _arrow_type(kind: str) -> Any:
    """The type of a text such as decimal128.20.2; None where it is to be inferred."""
    name, *arguments = kind.split(".")
    return getattr(pa, name)(*(int(each) if each.isdigit() else each for each in arguments)) if name else None


def wide_parquet(columns: int) -> bytes:
    written = io.BytesIO()
    pl.DataFrame({f"k{number}": [1] for number in range(columns)}).write_parquet(written)
    return written.getvalue()


def wide_json(keys: int) -> bytes:
    return json.dumps([{f"k{number}": 1 for number in range(keys)}]).encode()


def xlsx(
    rows: Rows | None = None,
    sheets: Mapping[str, Rows] | None = None,
    merged: Sequence[str] = (),
    hidden: Sequence[int] = (),
) -> bytes:
    """A workbook, of one sheet `Data` or of several; `merged` and `hidden` (rows from 1) are of all of them.

    A cell is a scalar or tells what is special: {percent: 0.125}, {formula: "=1+1", value: 2}, {error: "#REF!"},
    {date: "2019-04-17"}, {number: 1, shown: "0.0"}.
    """
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(*MOMENT)})  # noqa: DTZ001
        for name, table in (sheets or {"Data": rows or []}).items():
            sheet = book.add_worksheet(name)
            for area in merged:
                sheet.merge_range(area, "")
            for at, row in enumerate(table):
                for column, cell in enumerate(row):
                    _write_cell(book, sheet, at, column, cell)
            for number in hidden:
                sheet.set_row(number - 1, None, None, {"hidden": True})
    return written.getvalue()


def _write_cell(book: Any, sheet: Any, row: int, column: int, cell: Any) -> None:
    match cell:
        case None:
            pass
        case {"percent": share}:
            sheet.write_number(row, column, share, book.add_format({"num_format": "0.0%"}))
        case {"formula": formula, "value": value}:
            sheet.write_formula(row, column, formula, None, value)
        case {"error": error}:
            sheet.write_formula(row, column, "=1/0", None, error)
        case {"date": day}:
            form = book.add_format({"num_format": "dd/mm/yyyy"})
            sheet.write_datetime(row, column, date.fromisoformat(day), form)
        case {"number": number, "shown": shown}:
            sheet.write_number(row, column, number, book.add_format({"num_format": shown}))
        case str():
            sheet.write_string(row, column, cell)
        case _:
            sheet.write(row, column, cell)


def far_cell(row: int, column: int) -> bytes:
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(*MOMENT)})  # noqa: DTZ001
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["Wilayah", "Indikator", "Nilai"])
        sheet.write(row - 1, column - 1, "x")
    return written.getvalue()


def ods(rows: Rows | None = None, sheets: Mapping[str, Rows] | None = None, hidden: Sequence[int] = ()) -> bytes:
    """A workbook as OpenDocument. Cells as for `xlsx`, and {text: ..., rows: 2, columns: 1} for a merged one,
    {covered: true} for what it covers, {text: ..., repeated: 5} for one that stands for several.
    """
    tables = []
    for name, table in (sheets or {"Data": rows or []}).items():
        lines = [
            f"<table:table-row{HIDDEN * (number in hidden)}>{''.join(map(_ods_cell, row))}</table:table-row>"
            for number, row in enumerate(table, start=1)
        ]
        tables.append(f'<table:table table:name="{escape(name)}">{"".join(lines)}</table:table>')
    return ods_of(f"<office:spreadsheet>{''.join(tables)}</office:spreadsheet>")


def ods_of(body: str, head: str = "") -> bytes:
    """An OpenDocument workbook with this body of its content."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content {ODS_SPACES} office:version="1.2">'
        f"<office:body>{body}</office:body></office:document-content>"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{ODS_NAMES}:manifest:1.0"/>'
    parts = {"mimetype": MIMETYPE, "content.xml": content, "META-INF/manifest.xml": manifest}
    return _archive((name, part.encode()) for name, part in parts.items())


def _ods_cell(cell: Any) -> str:
    more = ""
    if isinstance(cell, Mapping):
        if cell.get("covered"):
            return "<table:covered-table-cell/>"
        more += f' table:number-columns-repeated="{cell["repeated"]}"' if "repeated" in cell else ""
        more += f' table:number-rows-spanned="{cell["rows"]}"' if "rows" in cell else ""
        more += f' table:number-columns-spanned="{cell.get("columns", 1)}"' if "rows" in cell else ""
        more += f' table:formula="of:{escape(cell["formula"])}"' if "formula" in cell else ""
    match cell:
        case {"percent": share}:
            kind, shown = f'"percentage" office:value="{share}"', f"{share:.1%}"
        case {"date": day}:
            kind, shown = f'"date" office:date-value="{day}"', day
        case {"error": error}:
            kind = '"string" office:string-value="" calcext:value-type="error"'
            more, shown = ' table:formula="of:=1/0"', error
        case {"text": content}:
            kind, shown = '"string"', content
        case {"formula": _, "value": value}:
            if value == "":
                return f"<table:table-cell{more}/>"
            kind, shown = f'"float" office:value="{value}"', str(value)
        case None:
            return "<table:table-cell/>"
        case bool():
            kind, shown = f'"boolean" office:boolean-value="{str(cell).lower()}"', str(cell).upper()
        case int() | float():
            kind, shown = f'"float" office:value="{cell}"', str(cell)
        case _:
            kind, shown = '"string"', cell
    return f"<table:table-cell{more} office:value-type={kind}><text:p>{escape(str(shown))}</text:p></table:table-cell>"


def _archive(members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, MOMENT), content, compress_type=method)
    return written.getvalue()


def zipped(members: Mapping[str, Recipe], method: str = "ZIP_DEFLATED") -> bytes:
    return _archive([(name, made(each)) for name, each in members.items()], getattr(zipfile, method))


def gzipped(of: Recipe) -> bytes:
    return gzip.compress(made(of), mtime=0)


def gzip_bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), mtime=0)


def locked(members: Mapping[str, Recipe]) -> bytes:
    """A zip archive that says of its members that they are encrypted."""
    content = bytearray(zipped(members, "ZIP_STORED"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 4)
    return bytes(content)


def locked_workbook() -> bytes:
    """What an XLSX with a password is: an OLE2 file with the streams EncryptionInfo and EncryptedPackage."""

    def entry(name: str, kind: int, child: int, right: int, size: int) -> bytes:
        label = name.encode("utf-16-le")
        links = struct.pack("<BBiii", kind, 1, -1, right, child)
        return (
            label.ljust(64, b"\0")
            + struct.pack("<H", len(label) + 2)
            + links
            + bytes(36)
            + struct.pack("<iQ", -2, size)
        )

    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<iiiiiiiiii", 0, 1, 1, 0, 4096, -2, 0, -2, 0, 0) + b"\xff" * 432
    table = struct.pack("<ii", -3, -2) + b"\xff" * 504
    entries = [("Root Entry", 5, 1, -1, 0), ("EncryptionInfo", 2, -1, 2, 0), ("EncryptedPackage", 2, -1, -1, 0)]
    return header + table + b"".join(entry(*each) for each in entries) + bytes(128)


def edited(of: Recipe, member: str, changes: Mapping[str, str]) -> bytes:
    """A workbook with texts of one of its parts replaced. Fails where a text is not there."""
    with zipfile.ZipFile(io.BytesIO(made(of))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for old, new in changes.items():
        assert old.encode() in parts[member], (old, parts[member])
        parts[member] = parts[member].replace(old.encode(), new.encode())
    return _archive(parts.items())


def added(of: Recipe, member: str, content: str = "") -> bytes:
    """A workbook with one more part."""
    with zipfile.ZipFile(io.BytesIO(made(of))) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    return _archive([*parts, (member, content.encode())])


def cut(of: Recipe, share: float) -> bytes:
    content = made(of)
    return content[: int(len(content) * share)]


def flipped(of: Recipe, share: float) -> bytes:
    """With one bit changed at this share of the length."""
    content = bytearray(made(of))
    content[int(len(content) * share)] ^= 0x10
    return bytes(content)


def deep_json(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


MAKERS: Mapping[str, Callable[..., bytes]] = {
    each.__name__: each
    for each in (
        *(text, raw, repeated, fixture, as_csv, as_json, as_ndjson, as_parquet, parquet_of, wide_parquet, wide_json),
        *(xlsx, far_cell, ods, ods_of, zipped, gzipped, gzip_bomb, locked, locked_workbook, edited, added, cut),
        *(flipped, deep_json),
    )
}
# Formats of the matrix: how a table is made, what its source declares, and the row of the file before the first record.
FORMATS: Mapping[str, tuple[Callable[[str, Rows], Recipe], Mapping[str, Any], int]] = {
    "csv": (lambda _, rows: {"make": "as_csv", "with": {"rows": rows}}, {"format": "csv"}, 1),
    "tsv": (
        lambda _, rows: {"make": "as_csv", "with": {"rows": rows, "separator": "\t"}},
        {"format": "csv", "separator": "\t"},
        1,
    ),
    "xlsx": (lambda _, rows: {"make": "xlsx", "with": {"rows": rows}}, {"format": "xlsx", "sheet": "Data"}, 1),
    "xls": (
        lambda layout, _: {"make": "fixture", "with": {"name": f"{layout}.xls"}},
        {"format": "xls", "sheet": "Data"},
        1,
    ),
    "ods": (lambda _, rows: {"make": "ods", "with": {"rows": rows}}, {"format": "ods", "sheet": "Data"}, 1),
    "json": (lambda _, rows: {"make": "as_json", "with": {"rows": rows}}, {"format": "json"}, 0),
    "ndjson": (lambda _, rows: {"make": "as_ndjson", "with": {"rows": rows}}, {"format": "ndjson"}, 0),
    "parquet": (lambda _, rows: {"make": "as_parquet", "with": {"rows": rows}}, {"format": "parquet"}, 0),
}
PACKINGS: Mapping[str, Callable[[Recipe], Recipe]] = {
    "": lambda recipe: recipe,
    " in gzip": lambda recipe: {"make": "gzipped", "with": {"of": recipe}},
    " in zip": lambda recipe: {"make": "zipped", "with": {"members": {"isi/data": recipe}}},
}


def all_cases() -> dict[str, dict[str, Any]]:
    """Every case of cases.yml by its name, with the whole entry of its source; those of the matrix included."""
    data = yaml.safe_load((HERE / "cases.yml").read_text(encoding="utf-8"))
    cases = {name: {**case, "base": case.get("base", "long")} for name, case in data["cases"].items()}
    for layout, table in data["matrix"].items():
        for name, (recipe, source, before) in FORMATS.items():
            for packing, pack in PACKINGS.items():
                cases[f"{layout} as {name}{packing}"] = {
                    **pack(recipe(layout, table["table"])),
                    "base": layout,
                    "source": source,
                    "then": {
                        **table["then"],
                        "quarantined": [[row + before, rule] for row, rule in table["then"]["quarantined"]],
                    },
                }
    return {
        name: {**case, "source": {**data["bases"][case["base"]], **case.get("source", {})}}
        for name, case in cases.items()
    }


def xls_workbooks() -> dict[str, bytes]:
    """The workbooks that the files in `fixtures` were saved from, as .xls, by LibreOffice 7."""
    data = yaml.safe_load((HERE / "cases.yml").read_text(encoding="utf-8"))
    tables = {name: xlsx(table["table"]) for name, table in data["matrix"].items()}
    return tables | {name: xlsx(**arguments) for name, arguments in data["fixtures"].items()}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in all_cases().items():
        content = made(case)
        packed = {b"\x1f\x8b": ".gz"}.get(content[:2], ".zip" if name.endswith(" in zip") else "")
        (folder / f"{name.replace(' ', '-').replace('/', '-')}.{case['source']['format']}{packed}").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
