"""Writes invented forms of all 34 + 514 offices: one workbook each, with events. Nothing in them is an observation.

    python extracts/simulate_offices.py FOLDER [--seed N]

The same seed gives the same bytes.
"""

import argparse
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import xlsxwriter

from schemas.methodology.library import Library
from schemas.methodology.regions import valid_regions

EDITION = "ikp-2024-simulated"
HEADER = ("No", "Kode wilayah", "Wilayah", "Nomor indikator", "Tanggal", "Tempat", "Tingkat", "Jumlah", "Bukti")
FIRST_DAY, DAYS = date(2017, 1, 1), 4 * 365
SEVERITIES, ODDS = ("Ringan", "Sedang", "Berat"), (6, 3, 1)
BLANK, NOTHING = 0.08, 0.62  # shares of indicators that are left out, and of those reported as none


def events(numbers: list[int], luck: random.Random) -> list[tuple[object, ...]]:
    """The events of one office: indicator, date, place, severity, count, evidence."""
    burden = luck.lognormvariate(0, 0.6)
    rows: list[tuple[object, ...]] = []
    for number in numbers:
        chance = luck.random()
        if chance < BLANK:
            continue
        if chance < BLANK + NOTHING / burden**0.3:
            rows.append((number, None, "", "", 0, ""))
            continue
        for _ in range(1 + int(luck.expovariate(1 / burden))):
            day = FIRST_DAY + timedelta(days=luck.randrange(DAYS))
            severity = luck.choices(SEVERITIES, ODDS)[0]
            proof = f"berkas rekaan {luck.randrange(10_000)}" if luck.random() < 0.7 else ""
            rows.append(
                (number, day, f"Kecamatan rekaan {luck.randrange(1, 20)}", severity, luck.randrange(1, 4), proof)
            )
    return rows


def write_form(file: Path, code: str, name: str, rows: list[tuple[object, ...]]) -> None:
    """Write one office's form."""
    with xlsxwriter.Workbook(str(file)) as book:
        book.set_properties({"created": datetime(2022, 1, 1, tzinfo=UTC).replace(tzinfo=None), "title": "SIMULASI"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("Kejadian")
        sheet.write_row(0, 0, HEADER)
        for line, (number, on, place, severity, count, proof) in enumerate(rows, start=1):
            sheet.write_row(line, 0, (line, code, name, number))
            if isinstance(on, date):
                sheet.write_datetime(line, 4, datetime.combine(on, datetime.min.time()), day)
            sheet.write_row(line, 5, (place, severity, count, proof))


def main() -> None:
    """Write the forms of all offices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=2024)
    options = parser.parse_args()
    methodology = Library().edition(EDITION)
    numbers = sorted(int(label) for source in methodology.sources.values() for label in source.items)
    regions = valid_regions(methodology.regions(), methodology.edition.regions_date)
    offices = regions.filter(regions["level"].is_in(["province", "regency_city"])).sort("code")
    options.folder.mkdir(parents=True, exist_ok=True)
    for code, name in offices.select("code", "name").rows():
        luck = random.Random(f"{options.seed} {code}")
        write_form(options.folder / f"simulasi-ikp-2024-{code}.xlsx", code, name, events(numbers, luck))


if __name__ == "__main__":
    main()
