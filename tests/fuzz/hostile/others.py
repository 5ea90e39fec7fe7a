"""Hostile archives, CSV, JSON and Parquet."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.hostile.case import HEADER, LINES, Hostile
from tests.fuzz.hostile.xlsx import packed


def squeezed(piece: bytes, times: int) -> bytes:
    """A gzip file of a piece of text again and again, made without holding all of it."""
    squeezer = zlib.compressobj(9, wbits=31)
    return b"".join([*(squeezer.compress(piece) for _ in range(times)), squeezer.flush()])


def squeezed_zip(piece: bytes, times: int, members: int = 1) -> bytes:
    """A zip archive of the same."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for at in range(members):
            with archive.open(zipfile.ZipInfo(f"{at}.csv"), "w", force_zip64=True) as member:
                for _ in range(times):
                    member.write(piece)
    return out.getvalue()


def overlapping() -> bytes:
    """An archive whose every entry points to one and the same member."""
    one = packed([("a.csv", LINES + "x" * 900_000)])
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        start = archive.start_dir
    entry = one[start : one.rindex(b"PK\x05\x06")]
    return (
        one[:start] + entry * 900 + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 900, 900, 900 * len(entry), start, 0)
    )


def parquet(columns: dict[str, Any], **more: Any) -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **more)
    return out.getvalue()


def figures(values: Any, count: int = 1, region: str = "Bali") -> dict[str, Any]:
    """The columns of a table of figures."""
    return dict(zip(HEADER, ([region] * count, ["Pengaduan"] * count, values), strict=True))


def _dictionary() -> bytes:
    big = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * (16 << 20)]))
    return parquet(figures([1] * 100_000, 100_000) | {"Catatan": big}, compression="zstd")


def _records(count: int) -> list[dict[str, object]]:
    return [dict(zip(HEADER, ("Bali", "Pengaduan", at), strict=True)) for at in range(count)]


def _cases() -> list[Hostile]:
    def refused(form: str) -> Callable[..., Hostile]:
        def of(name: str, make: Callable[[], bytes], word: str = "", **changes: Any) -> Hostile:
            return Hostile(f"{form} {name}", form, make, refused=word, changes=changes)

        return of

    csv, as_json, lines, table = map(refused, ("csv", "json", "ndjson", "parquet"))
    spaces = " " * 130_000
    one = json.dumps(_records(1))[1:-1]

    def kept_out(name: str, form: str, make: Callable[[], bytes], rule: str, **changes: Any) -> Hostile:
        return Hostile(name, form, make, rule=rule, admitted=(12,), changes=changes)

    return [
        csv("gz of 800 MB", lambda: squeezed(b" " * 1_000_000, 800), "larger"),
        csv("gz of 450 MB of lines", lambda: squeezed(b"Bali;Pengaduan;12\n" * 50_000, 500)),
        csv("gz of many empty parts", lambda: gzip.compress(b"") * 300_000 + gzip.compress(b"x"), ""),
        csv("gz in a gz", lambda: gzip.compress(gzip.compress(LINES.encode())), "inside"),
        csv("gz cut off", lambda: gzip.compress(LINES.encode() * 1_000)[:-20], "cannot be opened"),
        csv("zip of 800 MB", lambda: squeezed_zip(b" " * 1_000_000, 100, 8), "larger"),
        csv("zip of overlapping members", overlapping),
        csv("zip of a member twice", lambda: packed([("a.csv", LINES), ("a.csv", LINES.replace("12", "99"))]), "twice"),
        csv("zip of a member twice but for case", lambda: packed([("a.csv", LINES), ("A.CSV", LINES)]), "twice"),
        csv("zip of 60,000 members", lambda: packed([(f"{at}.csv", b"") for at in range(60_000)]), "files"),
        csv("zip in a zip", lambda: packed([("a.zip", packed([("a.csv", LINES)]))]), "inside"),
        csv("million columns", lambda: (LINES + ";" * 3_000_000).encode(), "columns"),
        csv("30 million blank lines", lambda: (LINES + "\n" * 30_000_000).encode()),
        csv("30 million lines of one letter", lambda: (LINES + "x\n" * 30_000_000).encode()),
        csv("60 million separators", lambda: (LINES + (";" * 16_000 + "\n") * 4_000).encode()),
        csv("quote that never closes", lambda: (LINES + 'Riau;"' + "Pengaduan;1\n" * 3_000_000).encode()),
        kept_out(
            "csv quoted cell of many lines",
            "csv",
            lambda: (LINES + 'Riau;Pengaduan;"' + "x\n" * 60_000 + '"\n').encode(),
            "not_a_number",
        ),
        csv("cell of 2 MB", lambda: (LINES + f"Riau;Pengaduan;{'9' * 2_000_000}\n").encode(), "larger"),
        csv(
            "header of 16,000 equal labels",
            lambda: (";".join(HEADER + ("Nilai",) * 16_000) + "\n").encode() + LINES.encode(),
        ),
        csv(
            "header of 16,000 labels again and again",
            lambda: (";".join(f"x{at}" for at in range(16_000)) + "\n").encode() * 60,
        ),
        csv("lone carriage returns", lambda: (LINES + "\r" * 10_000_000).encode(), "carriage"),
        csv("NUL bytes", lambda: LINES.encode() + b"\0" * 10_000_000, "NUL"),
        csv("separators of every kind", lambda: (LINES + ";,\t|" * 4_000_000).encode(), separator="detect"),
        kept_out(
            "csv 130,000 spaces before per cent",
            "csv",
            lambda: (LINES + f"Riau;Pengaduan;1{spaces}%\n").encode(),
            "not_a_number",
        ),
        kept_out(
            "csv 130,000 spaces within a figure",
            "csv",
            lambda: (LINES + f"Riau;Pengaduan;1{spaces}2\n" * 50).encode(),
            "not_a_number",
        ),
        kept_out(
            "csv share of 130,000 spaces before per cent",
            "csv",
            lambda: (LINES + f"Riau;Konflik;x{spaces}%x\n").encode(),
            "not_a_number",
        ),
        kept_out(
            "csv figure of 130,000 digits",
            "csv",
            lambda: (LINES + f"Riau;Pengaduan;{'9' * 130_000}\n").encode(),
            "not_finite",
        ),
        kept_out(
            "csv figure of 130,000 groups",
            "csv",
            lambda: (LINES + f"Riau;Pengaduan;1{'.000' * 32_000}x\n").encode(),
            "not_a_number",
        ),
        kept_out(
            "csv region of 130,000 letters",
            "csv",
            lambda: (LINES + "".join(f"{'Riau ' * 26_000}{at};Pengaduan;1\n" for at in range(100))).encode(),
            "unknown_region",
        ),
        kept_out(
            "csv region of 130,000 spaces",
            "csv",
            lambda: (LINES + f"Riau{spaces}x;Pengaduan;1\n" * 100).encode(),
            "unknown_region",
        ),
        kept_out(
            "csv region of 130,000 'of province'",
            "csv",
            lambda: (LINES + f"{'kab. kota prov. ' * 8_000};Pengaduan;1\n" * 20).encode(),
            "unknown_region",
        ),
        kept_out(
            "csv path of 40,000 steps",
            "csv",
            lambda: (LINES + f"{'Riau > ' * 18_000}Bali;Pengaduan;1\n" * 20).encode(),
            "unknown_region",
        ),
        Hostile(
            "csv date of 130,000 spaces",
            "csv",
            lambda: (
                "Wilayah;Indikator;Nilai;Tanggal\nBali;Pengaduan;12;\n" + f"Riau;Pengaduan;1;1{spaces}Januari 2019\n"
            ).encode(),
            admitted=(1, 12),
        ),
        kept_out(
            "csv several values in a cell",
            "csv",
            lambda: (LINES + 'Riau;Pengaduan;"12\n34"\n').encode(),
            "several_values",
        ),
        Hostile(
            "csv negative zero",
            "csv",
            lambda: (LINES + "Riau;Pengaduan;-0\nJambi;Konflik;-0,0 %\n").encode(),
            admitted=(0, 0, 12),
        ),
        as_json("million empty objects", lambda: b"[" + b"{}," * 6_000_000 + b"{}]"),
        as_json("million empty lists", lambda: b"[" + b"[]," * 6_000_000 + b"[]]"),
        as_json("20 million figures", lambda: b"[" + b"1," * 30_000_000 + b"1]"),
        as_json("list in a list in a list", lambda: b"[" * 400_000 + b"]" * 400_000, "deep"),
        as_json("object in an object", lambda: b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "deep"),
        as_json("unclosed lists", lambda: b"[" * 5_000_000),
        as_json("unclosed objects", lambda: b'[{"a":1' * 1_000_000),
        as_json("20,000 keys", lambda: json.dumps([{f"k{at}": at for at in range(20_000)}]).encode(), "keys"),
        as_json("other keys in every object", lambda: json.dumps([{f"k{at}": at} for at in range(200_000)]).encode()),
        as_json("16,000 equal keys", lambda: ("[{" + ",".join(['"Nilai":1'] * 16_000) + "}]").encode(), "twice"),
        as_json("one long text", lambda: b'["' + b"x" * 100_000_000 + b'"]'),
        as_json(
            "text of 10 MB again and again",
            lambda: json.dumps([{"Wilayah": "Bali", "x": "y" * 10_000_000}] * 10).encode(),
            "larger",
        ),
        as_json("surrogates", lambda: b"[" + one.encode() + b"," + one.replace("Bali", "\\ud800").encode() + b"]"),
        as_json("millions of escapes", lambda: b'["' + b"\\u0041" * 16_000_000 + b'"]'),
        as_json(
            "nested cell of 5 MB", lambda: ("[" + one.replace('"Bali"', "[" + "[]," * 1_500_000 + "[]]") + "]").encode()
        ),
        as_json("figure of a million digits", lambda: one.join("[]").replace("0}", "9" * 1_000_000 + "}").encode()),
        Hostile(
            "json negative zero", "json", lambda: ("[" + one.replace(": 0", ": -0.0") + "]").encode(), admitted=(0,)
        ),
        lines("million empty objects", lambda: b"{}\n" * 6_000_000),
        lines("million blank lines", lambda: b"\n" * 60_000_000 + b"x"),
        lines("one line of 100 MB", lambda: b'{"a":"' + b"x" * 100_000_000),
        lines("lists in lists", lambda: b"[" * 1_000_000, "deep"),
        table("value of 16 MB in a dictionary", _dictionary, "larger"),
        table("value of 16 MB", lambda: parquet(figures(["x" * (16 << 20)])), "larger"),
        table("thousand million nulls", lambda: parquet({"a": pa.nulls(1_000_000_000, pa.null())}), "cells"),
        table(
            "nulls that fill the bound",
            lambda: parquet({name: pa.nulls(4_900_000, pa.int8()) for name in ("a", "b", "c", "d")}),
        ),
        table(
            "text in a dictionary",
            lambda: parquet(
                {"a": pa.DictionaryArray.from_arrays(pa.array([0] * 3_000_000, pa.int32()), pa.array(["x" * 100_000]))}
            ),
        ),
        table("50,000 groups of rows", lambda: parquet(figures([1] * 50_000, 50_000), row_group_size=1)),
        table("columns of one name", lambda: parquet({"Nilai": [1]})[:0] + _twins()),
        table("20,000 columns", lambda: parquet({f"c{at}": [1] for at in range(20_000)}), "columns"),
        table("lists", lambda: parquet(figures([[1, 2]])), "nested"),
        table("cut off", lambda: parquet(figures([1]))[:-8]),
        table("mark alone", lambda: b"PAR1" * 2),
        table("description of 2 GB", lambda: b"PAR1" + b"\0" * 100 + struct.pack("<I", 2**31 - 1) + b"PAR1"),
        Hostile("parquet negative zero", "parquet", lambda: parquet(figures([-0.0])), admitted=(0,)),
        Hostile(
            "parquet dictionary of names",
            "parquet",
            lambda: parquet(figures([12.0]) | {"Wilayah": pa.array(["Bali"]).dictionary_encode()}),
            admitted=(12,),
        ),
    ]


def _twins() -> bytes:
    out = io.BytesIO()
    columns = [pa.array(["Bali"]), pa.array(["Pengaduan"]), pa.array([1]), pa.array([99])]
    pq.write_table(pa.Table.from_arrays(columns, names=[*HEADER, "Nilai"]), out)
    return out.getvalue()


CASES = _cases()
