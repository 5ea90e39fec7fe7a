"""A fortnight of arrivals: late, duplicate, contradicting, missing and bad extracts; what each night must come to."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from flows.night.intake import source_of, take_in
from schemas.methodology.library import Library
from tests.conftest import EXTRACTS
from warehouse.extracts.raw_store import extract_called, withdraw_extract
from warehouse.store.store import Store

PRESS = "siaran-pers-provinsi-2022-12-16.csv"


def sent(name: str, *changes: tuple[str, str]) -> bytes:
    """A bundled extract, with some of its text replaced."""
    content = (EXTRACTS / name).read_bytes()
    for before, after in changes:
        assert before.encode() in content
        content = content.replace(before.encode(), after.encode())
    return content


class Day(NamedTuple):
    """What arrives on a day (file name and content), and what the night of it comes to: its outcome, and the day whose
    content it has (its own, where it is new). `None` for a night that is not run.
    """

    files: dict[str, bytes]
    outcome: str | None
    like: int
    withdrawn: str | None = None


FORTNIGHT = {
    1: Day({PRESS: sent(PRESS), "buku-ikp-2024.csv": sent("buku-ikp-2024.csv")}, "published", 1),
    2: Day({}, "unchanged", 1),
    3: Day({"media-kabkota.xlsx": sent("media-kabkota.xlsx")}, "published", 3),
    4: Day({"media-kabkota-lagi.xlsx": sent("media-kabkota.xlsx")}, "unchanged", 3),  # the same bytes once more
    5: Day({"dimensi-provinsi.csv": b"Provinsi;Apa;Ini\nAceh;1;2\n"}, "unchanged", 3),  # refused whole
    6: Day({"dimensi-provinsi.csv": sent("dimensi-provinsi.csv")}, "published", 6),  # late
    7: Day({}, None, 6),
    8: Day({"siaran-pers-provinsi-salah.csv": sent(PRESS, ("88,95", "8,95"))}, "published", 8),  # contradicts itself
    9: Day({}, "unchanged", 6, withdrawn="siaran-pers-provinsi-salah.csv"),
    # One row is quarantined, which the run says; the figures are those of before.
    10: Day({"siaran-pers-provinsi-rusak.csv": sent(PRESS, ("88,95", "8895"))}, "unchanged", 6),
    11: Day({"rerata-nasional-2022-12-16.csv": sent("rerata-nasional-2022-12-16.csv")}, "published", 11),
    12: Day({}, None, 11),
    13: Day({}, "unchanged", 11),
    14: Day({"cetakan-lain-kabkota.xlsx": sent("cetakan-lain-kabkota.xlsx")}, "published", 14),  # contradicts others
}


def night_of(number: int) -> date:
    """The day of a night."""
    return date(2026, 1, number)


def arrive(store: Store, number: int, folder: Path) -> None:
    """What comes in on a day, at ten in the morning in Jakarta."""
    day, at, sources = FORTNIGHT[number], datetime(2026, 1, number, 3, tzinfo=UTC), Library().sources
    inbox = folder / f"inbox-{number}"
    inbox.mkdir()
    for name, content in day.files.items():
        (inbox / name).write_bytes(content)
        take_in(store, [inbox / name], sources, at, at, source_of(name, sources))
    if day.withdrawn:
        withdraw_extract(store, extract_called(store, day.withdrawn), "typed wrongly", at)
