"""What a hostile file is: how it is made, as what it is sent, and what must come of it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.methodology.sources import Source

SOURCE: dict[str, Any] = {
    "title": "Invented",
    "pattern": "*",
    "format": "csv",
    "layout": "long",
    "columns": {"region": ["Wilayah"], "item": ["Indikator"], "value": ["Nilai"], "date": ["Tanggal"]},
    "number_style": "indonesian",
    "region_key": "name",
    "region_levels": ["province"],
    "unit": "count",
    "measure": "value",
    "items": {
        "Pengaduan": {"item": "pengaduan", "approach": "input"},
        "Konflik": {"item": "konflik", "approach": "input", "unit": "pct"},
    },
    "missing": ["-", "n/a"],
    "zero": ["nihil"],
    "precedence": 10,
    "evidence": "A",
}
HEADER = ("Wilayah", "Indikator", "Nilai")
GOOD = ("Bali", "Pengaduan", 12)
LINES = "Wilayah;Indikator;Nilai\nBali;Pengaduan;12\n"


class Hostile(NamedTuple):
    """A file that means harm, or says two things at once.

    `admitted` are the only values that may be admitted of it, by region. Where `refused` is a word, the whole file is
    refused with a sentence that has it; where `rule` is one, a row is quarantined by it.
    """

    name: str
    format: str
    make: Callable[[], bytes]
    refused: str | None = None
    rule: str | None = None
    admitted: tuple[float, ...] = ()
    changes: Mapping[str, Any] = MappingProxyType({})

    @property
    def source(self) -> Source:
        """The entry that it is sent as."""
        entry = SOURCE | {"format": self.format} | dict(self.changes)
        if self.format == "csv":
            entry = {"separator": ";", "encoding": "utf-8"} | entry
        elif self.format in ("xlsx", "xls", "ods"):
            entry = {"sheet": "*"} | entry
        return Source.model_validate(entry)

    @property
    def file_name(self) -> str:
        """A name for it in an inbox."""
        return f"{self.name.replace(' ', '-')}.{self.format}"
