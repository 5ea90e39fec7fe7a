"""Damaged extracts: each is read or refused, and nothing out of bounds is admitted, whatever became of its bytes.

A failure names its seed and index: `examine(*damaged_extract(seed, index))` does again what failed.
"""

import faulthandler
import gzip
import io
import json
import random
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from extracts.simulate_offices import events, write_form
from schemas.contract.refusals import Refusal
from schemas.methodology.library import Library
from schemas.methodology.regions import valid_regions
from schemas.methodology.sources import Headers, Item, Source
from tests.conftest import EXTRACTS, ROOT
from tests.documents import ods
from tests.fuzz.mutations import mutated, packed
from transforms.extracts.admission import admission, identified, over_limit
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import Lookup, region_lookup

SEED = 20240214
FEW, MANY = 400, 10_600
LONGEST = 20.0  # seconds for one extract
KPU_2019 = ROOT.parent / "shared" / "real" / "kpu-2019"
KPU_LINES = 200

METHODOLOGY = Library().edition("ikp-2024-simulated")
LIBRARY = Library()
SOURCES = LIBRARY.sources
VALID = valid_regions(METHODOLOGY.regions(), METHODOLOGY.edition.regions_date)
KNOWN_CODES = set(VALID["code"])


class Whole(NamedTuple):
    """An extract before it is damaged, and the entry that reads it."""

    name: str
    content: bytes
    source: Source
    source_name: str = "made"


def changed(source: Source, **more: Any) -> Source:
    """A source entry with some fields changed, checked anew."""
    return Source.model_validate(source.model_dump() | more)


# Every unit of the dictionary whose domain is bounded otherwise, in one long table.
UNITS = changed(
    SOURCES["siaran-pers-provinsi"],
    columns=Headers(region=("Wilayah",), item=("Butir",), value=("Nilai",), reference=("Alamat",)).model_dump(),
    items={
        unit: Item(item=unit, approach="input", unit=unit).model_dump()
        for unit in LIBRARY.dictionary.units
        if unit in ("score_100", "score_5", "severity_sum", "count", "pct", "share")
    },
    region_levels=("province", "regency_city"),
    zero=("nihil",),
    totals=("Jumlah",),
)
FIGURES = {
    "score_100": ("77,04", 77.04),
    "score_5": ("3,2", 3.2),
    "severity_sum": ("1.234", 1234.0),
    "count": ("12.345.678", 12345678.0),
    "pct": ("12,5 %", 12.5),
    "share": ("0,125", 0.125),
}


def _records(as_text: bool) -> list[dict[str, Any]]:
    regions = ["Prov. Aceh", "Bali", "Kab. Bandung", "Kota Surabaya", "Papua Selatan", "Prov. Jawa Barat"]
    return [
        {
            "Wilayah": region,
            "Butir": unit,
            "Nilai": FIGURES[unit][0 if as_text else 1],
            "Alamat": "https://contoh.invalid/a" if place % 2 else None,
        }
        for place, region in enumerate(regions)
        for unit in FIGURES
    ]


def _csv(records: list[dict[str, Any]], separator: str = ";") -> bytes:
    lines = [list(records[0]), *(list(record.values()) for record in records)]
    return "\n".join(separator.join("" if cell is None else f"{cell}" for cell in line) for line in lines).encode()


def _parquet(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(records).write_parquet(out, compression="uncompressed")
    return out.getvalue()


def _form() -> bytes:
    source = SOURCES["formulir-ikp-2024-simulasi"]
    rows = events(sorted(map(int, source.items)), random.Random(SEED))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "form.xlsx"
        write_form(file, "11.01", "Kabupaten Aceh Selatan", rows)
        return file.read_bytes()


def _made() -> list[Whole]:
    texts, numbers = _records(as_text=True), _records(as_text=False)
    table = [list(numbers[0]), *(list(record.values()) for record in numbers)]
    csv, text_csv = _csv(texts), _csv(texts, "\t")
    as_json = json.dumps(numbers, indent=1).encode()
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in texts).encode()
    plain = {"separator": None, "encoding": None}
    found = changed(UNITS, separator="detect", encoding="detect")
    of_json = changed(UNITS, format="json", **plain)
    return [
        Whole("csv", csv, UNITS),
        Whole("csv, detected", text_csv, found),
        Whole("csv in utf-16", csv.decode().encode("utf-16"), changed(UNITS, encoding="utf-16")),
        Whole("csv in cp1252", csv, changed(UNITS, encoding="cp1252")),
        Whole("json", as_json, of_json),
        Whole("json object", json.dumps({"rows": texts, "of": "invented"}).encode(), of_json),
        Whole("ndjson", lines, changed(UNITS, format="ndjson", **plain)),
        Whole("parquet", _parquet(numbers), changed(UNITS, format="parquet", **plain)),
        Whole("parquet of text", _parquet(texts), changed(UNITS, format="parquet", **plain)),
        Whole("ods", ods(table), changed(UNITS, format="ods", sheet="*", **plain)),
        Whole("gzip of csv", gzip.compress(csv, mtime=0), UNITS),
        Whole("gzip of json", gzip.compress(as_json, mtime=0), of_json),
        Whole("zip of csv", packed([("a.csv", csv), ("b/b.csv", csv)]), found),
        Whole("zip of json", packed([("a.json", as_json)]), of_json),
    ]


def _bundled() -> list[Whole]:
    named = {
        "buku-ikp-2024": "buku-ikp-2024.csv",
        "dimensi-provinsi": "dimensi-provinsi.csv",
        "rerata-nasional": "rerata-nasional-2022-12-16.csv",
        "siaran-pers-provinsi": "siaran-pers-provinsi-2022-12-16.csv",
        "media-kabkota": "media-kabkota.xlsx",
        "media-kabkota-cetakan-lain": "cetakan-lain-kabkota.xlsx",
    }
    found = {"separator": "detect", "encoding": "detect"}
    wholes = [Whole(file, (EXTRACTS / file).read_bytes(), SOURCES[name], name) for name, file in named.items()]
    return [
        *wholes,
        *(
            each._replace(name=f"{each.name}, detected", source=changed(each.source, **found))
            for each in wholes
            if each.source.format == "csv"
        ),
        Whole("form", _form(), SOURCES["formulir-ikp-2024-simulasi"]),
    ]


def _kpu() -> list[Whole]:
    """The first lines of two tables of the count of 2019, as a long and as a wide table."""
    general: dict[str, Any] = {
        "number_style": "english",
        "separator": ",",
        "region_levels": ("regency_city",),
        "unit": "count",
        "measure": "value",
    }
    contests = ("pilpres", "dpr", "dprdprov", "dprdkab", "dpd")
    long = changed(
        SOURCES["siaran-pers-provinsi"],
        columns=Headers(region=("kabupaten_kota",), item=("kontes",), value=("suara_sah",)).model_dump(),
        items={name: Item(item=name, approach="input").model_dump() for name in contests},
        **general,
    )
    wide = changed(
        long,
        layout="wide",
        columns=Headers(region=("provinsi",)).model_dump(),
        items={
            name: Item(item=name, approach="input").model_dump()
            for name in ("total_pemilih", "total_pengguna", "suara_sah", "tps")
        },
        region_levels=("province",),
    )
    wholes = []
    for name, source in (("bali.csv", long), ("jambi.csv", wide), ("papua.csv", long)):
        with (KPU_2019 / name).open("rb") as file:
            wholes.append(Whole(name, b"".join(line for line, _ in zip(file, range(KPU_LINES), strict=False)), source))
    return wholes


@cache
def wholes(real: bool) -> tuple[Whole, ...]:
    """What is damaged: the bundled extracts and made ones, or real ones from elsewhere."""
    return tuple(_kpu()) if real else (*_bundled(), *_made())


@cache
def lookup_of(region_key: str, levels: tuple[str, ...]) -> Lookup:
    source = changed(UNITS, region_key=region_key, region_levels=levels)
    return region_lookup(METHODOLOGY.reference, source, METHODOLOGY.edition.regions_date)


def damaged_extract(seed: int, index: int, real: bool = False) -> tuple[bytes, Source, str]:
    """The damaged extract of a seed and an index, its source and what that is called: always the same ones."""
    luck = random.Random(f"{seed} {index}")
    originals = wholes(real)
    whole = originals[index % len(originals)]
    return mutated(whole.content, luck, [each.content for each in originals]), whole.source, whole.source_name


def examine(content: bytes, source: Source, name: str) -> str:
    """Read an extract as a night does and check what it leaves. How it ended: refused, or what was admitted of it."""
    try:
        rows = extract_rows(content, source)
    except Refusal:
        return "refused"
    named = identified(rows, source=name, file_name="any", extract_sha256="0" * 64)
    lookup = lookup_of(source.region_key, source.region_levels)
    read = admission(named, source, METHODOLOGY.corrections, lookup, METHODOLOGY.dictionary)
    over_limit(read.admitted, pl.DataFrame({"extract_sha256": ["0" * 64], "rows": [rows.height]}), source)
    kept_out = read.quarantine.select("sheet", "row", "item", "column").with_columns(
        pl.when(source.layout == "wide").then("item").alias("item")
    )
    figures = kept_out.select("sheet", "row", "item").unique().height
    assert read.admitted.height + figures == rows.height, (read.admitted.height, figures, rows.height)
    assert read.quarantine.select("rule", "message_en", "message_id").null_count().sum_horizontal()[0] == 0
    _assert_within(read.admitted, source)
    if not read.admitted.height:
        return "quarantined"
    return "admitted" if not figures else "admitted in part"


def _assert_within(admitted: pl.DataFrame, source: Source) -> None:
    units = {(each.item, each.approach): source.unit_of(each) for each in source.items.values()}
    levels = dict(VALID.select("code", "level").rows())
    assert admitted["region_code"].null_count() == 0
    assert set(admitted["region_code"]) <= KNOWN_CODES
    assert {levels[code] for code in admitted["region_code"]} <= set(source.region_levels)
    for item, approach, value in admitted.select("source_item", "approach", "value").rows():
        unit = METHODOLOGY.dictionary.units[units[item, approach]]
        if value is not None:
            assert unit.lowest is not None
            assert unit.highest is not None
            assert float(unit.lowest) <= value <= float(unit.highest), (item, value)


def fuzz(count: int, first: int = 0, real: bool = False) -> Counter[str]:
    """Damage and examine; how many ended how. Where one never ends, dumps the stack and ends the process."""
    ended: Counter[str] = Counter()
    failed: list[str] = []
    for index in range(first, first + count):
        damaged = damaged_extract(SEED, index, real)
        told = f"examine(*damaged_extract({SEED}, {index}, {real})), {wholes(real)[index % len(wholes(real))].name}"
        faulthandler.dump_traceback_later(3 * LONGEST, exit=True)
        started = time.perf_counter()
        try:
            ended[examine(*damaged)] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failed.append(f"{told}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            faulthandler.cancel_dump_traceback_later()
        took = time.perf_counter() - started
        if took > LONGEST:
            failed.append(f"{told}: took {took:.1f} s")
    assert not failed, f"{len(failed)} of {count} failed:\n" + "\n".join(failed[:20])
    return ended


@pytest.fixture
def _kpu_2019() -> None:
    if not KPU_2019.is_dir():
        pytest.skip("KPU's files of 2019 are not beside the repository (../shared/real/kpu-2019)")


def test_undamaged_extracts_are_admitted() -> None:
    """Else damage would be looked for in files that never get past the first check."""
    for whole in wholes(real=False):
        ended = examine(whole.content, whole.source, whole.source_name)
        assert ended.startswith("admitted"), whole.name


@pytest.mark.slow
def test_few_damaged_extracts() -> None:
    ended = fuzz(FEW)
    assert ended.total() == FEW
    assert all(ended[each] for each in ("refused", "admitted in part", "quarantined")), ended


@pytest.mark.usefixtures("_kpu_2019")
def test_few_damaged_real_tables() -> None:
    assert fuzz(FEW // 10, real=True).total() == FEW // 10


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_many_damaged_extracts(part: int) -> None:
    share = MANY // 4
    ended = fuzz(share, FEW + part * share)
    assert ended.total() == share


@pytest.mark.slow
@pytest.mark.usefixtures("_kpu_2019")
def test_many_damaged_real_tables() -> None:
    assert fuzz(MANY // 10, FEW, real=True).total() == MANY // 10
