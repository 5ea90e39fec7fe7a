"""A table of results as universities publish them, made by chance from the region reference: one row per village or
post overseas. Provinces are called "ACEH province" or "Jambi", regencies and cities go without their word, ids are
numbers with a fraction (as a data frame with a gap writes them), and figures are counts, per cent and shares.

`research(reference, seed)` is the same table every time, and knows which region every row was made of.
"""

import io
from dataclasses import dataclass
from random import Random
from typing import Any

import polars as pl

from schemas.methodology.regions import Reference
from transforms.regions.lookup import KIND_IN_NAME

ROWS, OVERSEAS, MISSPELT = 33_571, 620, 60
PLACES = ("province", "regency", "district", "village")
# The columns of figures, and their units.
ITEMS = {
    "registered": "count",
    "ballots": "count",
    "votes_a": "count",
    "votes_b": "count",
    "invalid": "count",
    "turnout": "pct",
    "share_a": "pct",
    "margin_percent": "pct",
    "poor": "share",
}
MISSIONS = {
    "MALAYSIA": ("KUALA LUMPUR", "JOHOR BAHRU", "PENANG", "KOTA KINABALU", "KUCHING", "TAWAU"),
    "SAUDI ARABIA": ("RIYADH", "JEDDAH"),
    "URUGUAY": ("MONTEVIDEO",),
    "AUSTRALIA": ("CANBERRA", "SYDNEY", "MELBOURNE", "PERTH", "DARWIN"),
    "HONG KONG": ("HONG KONG",),
}
CATEGORIES = ("rendah", "sedang", "tinggi")


@dataclass(frozen=True)
class Research:
    """The table as CSV; `truth`: by row of the file, the `code` of the village it was made of (null: overseas, or
    misspelt so that it is none); `overseas` and `misspelt`: the rows that are so.
    """

    text: str
    truth: dict[int, str]
    overseas: frozenset[int]
    misspelt: frozenset[int]


def research(
    reference: Reference, seed: int = 1, rows: int = ROWS, overseas: int = OVERSEAS, misspelt: int = MISSPELT
) -> Research:
    """The table of a seed, with the villages of today."""
    luck = Random(seed)
    villages = _villages(reference)
    chosen = sorted(luck.sample(range(villages.height), rows - overseas))
    records: list[dict[str, Any]] = []
    codes: list[str | None] = []
    for place in chosen:
        code, *names = villages.row(place)
        records.append(dict(zip(PLACES, names, strict=True)) | {"id": f"{code.replace('.', '')}.0"})
        codes.append(code)
    missions = [(country, mission) for country, posts in MISSIONS.items() for mission in posts]
    for number in range(overseas):
        country, mission = missions[number % len(missions)]
        post = f"TPSLN {number // len(missions) + 1:03}"
        records.append(
            dict(zip(PLACES, ("Luar Negeri", country, mission, post), strict=True)) | {"id": f"{9900000000 + number}.0"}
        )
        codes.append(None)
    wrong = frozenset(luck.sample(range(rows - overseas), misspelt))
    for place in wrong:
        records[place]["village"] += " QXZ"
        codes[place] = None
    for record in records:
        record |= _figures(luck)
    out = io.StringIO()
    pl.DataFrame(records).select("id", *PLACES, "year", *ITEMS, "tercile").write_csv(out)
    first = 2  # the row below the header
    return Research(
        out.getvalue(),
        {first + at: code for at, code in enumerate(codes) if code},
        frozenset(range(first + rows - overseas, first + rows)),
        frozenset(first + place for place in wrong),
    )


def _villages(reference: Reference) -> pl.DataFrame:
    """Every village of today: its code, and what the table calls it and what it lies in."""
    here = reference.regions.filter(pl.col("valid_to").is_null())
    name = dict(here.select("code", "name").iter_rows())
    parent = dict(here.select("code", "parent").iter_rows())
    told = []
    for code in here.filter(level="village")["code"].sort():
        district = parent[code]
        regency = parent.get(district or "")
        province = parent.get(regency or "")
        if province in name:
            told.append((code, province, name[province], name[regency], name[district], name[code]))
    frame = pl.DataFrame(told, schema=["code", "of", *PLACES], orient="row").with_columns(
        pl.col(*PLACES[1:]).str.to_uppercase()
    )
    is_worded = pl.col("of").str.slice(1, 1).is_in(["1", "2", "3", "4"])
    return frame.select(
        "code",
        pl.when(is_worded)
        .then(pl.format("{} province", pl.col("province").str.to_uppercase()))
        .otherwise("province")
        .alias("province"),
        pl.col("regency").str.replace(r"^KAB\. ", "KABUPATEN ").str.replace(KIND_IN_NAME, ""),
        "district",
        "village",
    )


def _figures(luck: Random) -> dict[str, Any]:
    registered = luck.randint(80, 9_000)
    ballots = luck.randint(0, registered)
    invalid = luck.randint(0, ballots // 10)
    first = luck.randint(0, ballots - invalid)
    second = ballots - invalid - first
    valid = max(first + second, 1)
    margin = abs(first - second) / valid
    return {
        "year": 2019,
        "registered": registered,
        "ballots": f"{ballots}.0" if luck.random() > 0.004 else "",
        "votes_a": first,
        "votes_b": second,
        "invalid": invalid,
        "turnout": f"{100 * ballots / registered:.2f}%",
        "share_a": f"{100 * first / valid:.1f}%",
        "margin_percent": f"{100 * margin:.3f}",
        "poor": f"{luck.random() ** 2:.4f}",
        "tercile": CATEGORIES[min(int(3 * margin), 2)],
    }
