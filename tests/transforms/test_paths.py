"""Sources that name regions by a path, place by place, and that bring regions of their own along."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from schemas.contract.refusals import Refusal
from schemas.errors import MethodologyError
from schemas.methodology.library import Library
from schemas.methodology.regions import (
    CODES_FILE,
    LOWER_FILES,
    REGIONS_FILE,
    Reference,
    aliases_of,
    changes_of,
    codes_of,
    former_codes,
    lower_regions,
    regions_of,
)
from schemas.methodology.sources import Source
from schemas.methodology.sources_file import sources_of
from schemas.strict import yaml_document, yaml_text
from tests.conftest import Answer
from tests.inputs.make import xlsx
from tests.transforms.sent import ENTRY, LIBRARY, broken, figures, sent, source
from transforms.extracts.admission import Admission
from transforms.regions.lookup import own_regions

Cli = Callable[..., Answer]

REGIONS = """\
code,level,name,parent,kind,valid_from,valid_to,code_2020,code_bps
ID,national,Indonesia,,negara,,,ID,
LN,province,Luar Negeri,,luar negeri,,,LN,
51,province,Bali,ID,provinsi,,,51,51
52,province,Nusa Tenggara Barat,ID,provinsi,,,52,52
51.01,regency_city,Kabupaten Jembrana,51,kabupaten,,,51.01,5101
51.71,regency_city,Kota Denpasar,51,kota,,,51.71,5171
52.06,regency_city,Kabupaten Bima,52,kabupaten,,,52.06,5206
52.72,regency_city,Kota Bima,52,kota,,,52.72,5272
"""
DISTRICTS = """\
code,name
51.01.01,Negara
51.01.02,Mendoyo
51.71.01,Negara
52.06.01,Monta
52.72.01,Rasanae
"""
VILLAGES = """\
code,name
51.01.01.2001,Baluk
51.01.01.1002,Pendem
51.01.02.2001,Baluk
51.01.02.2002,Pergung
51.71.01.1001,Sesetan
51.71.01.2001,Sesetan
51.71.01.2002,Pemogan
"""
CODES = """\
system,code,region_code
kpu,1,51
kpu,2,51.01
kpu,3,51.71
kpu,4,52
kpu,5,52.06
kpu,-99,LN
"""


def reference() -> Reference:
    """Two provinces down to their villages, and overseas."""
    regions, former = regions_of(REGIONS), former_codes(None)
    for level, text in (("district", DISTRICTS), ("village", VILLAGES)):
        regions = pl.concat([regions, lower_regions(text, level, regions, former)])
    known = aliases_of("code,alias,note\n52,NTB,\n", regions), codes_of(CODES, regions), changes_of(None, regions)
    return Reference(regions, *known, LIBRARY.reference.spellings)


SMALL = reference()
HIGH = LIBRARY.reference.down_to("regency_city")
TODAY = date(2026, 1, 1)
LEVELS = ("province", "regency_city", "district", "village")
NAMES = ("provinsi", "kabkota", "kecamatan", "desa")
HEADER = ",".join((*NAMES, "hasil"))
CODED_HEADER = ",".join((*(f"{kind}_{name}" for name in NAMES for kind in ("kode", "nama")), "hasil"))


def by_name(*levels: str, **different: Any) -> Source:
    """A source that names regions by the names of the places of these levels."""
    path = [{"level": level, "name": NAMES[LEVELS.index(level)]} for level in levels or LEVELS]
    lowest = path[-1]["level"]
    entry = {"columns": {}, "region_key": "name", "region_levels": [lowest], "region_path": path}
    return source(**entry | different)


def by_code(*levels: str, key: str = "kpu", own: bool = True, **different: Any) -> Source:
    """One that has codes and names, and regions of its own below regencies and cities, and overseas."""
    within = {"regency_city": ["LN"], "district": ["ID", "LN"], "village": ["ID", "LN"]} if own else {}
    path = [
        {"level": level, "code": f"kode_{name}", "name": f"nama_{name}", "own_within": within.get(level, [])}
        for level, name in zip(LEVELS, NAMES, strict=True)
        if level in (levels or LEVELS)
    ]
    entry = {"columns": {}, "region_key": key, "region_levels": [path[-1]["level"]], "region_path": path}
    return source(**entry | different)


def told(rows: list[str], of: Source, header: str = HEADER, **more: Any) -> Admission:
    return sent("\n".join([header, *rows]) + "\n", of, more.pop("reference", SMALL), **more)


# A path by names, and the region it stands for, or the rule and words of what is said.
NAMED: dict[str, tuple[str, Any]] = {
    "a village": ("Bali,Jembrana,Negara,Baluk", "51.01.01.2001"),
    "a village of the same name elsewhere": ("Bali,Jembrana,Mendoyo,Baluk", "51.01.02.2001"),
    "a district of the same name elsewhere": ("Bali,Denpasar,Negara,Pemogan", "51.71.01.2002"),
    "spelt otherwise": ("prov. BALI,KAB. JEMBRANA,kec. negara,Kel.  PENDEM", "51.01.01.1002"),
    "another name": ("NTB,Kab. Bima,Monta,", ("blank_region", ["names no region"])),
    "a desa and a kelurahan of one name": (
        "Bali,Denpasar,Negara,Sesetan",
        ("ambiguous_region", ["Desa Sesetan (51.71.01.2001), Kelurahan Sesetan (51.71.01.1001)"]),
    ),
    "told apart by the kind": ("Bali,Denpasar,Negara,Desa Sesetan", "51.71.01.2001"),
    "told apart by the other kind": ("Bali,Denpasar,Negara,Kelurahan Sesetan", "51.71.01.1001"),
    "settled below, and unknown there": ("NTB,Bima,Rasanae,Dara", ("unknown_region", ["› Dara", "nearest: -"])),
    "an unknown province": (
        "Nusa Tenggara Barot,Jembrana,Negara,Baluk",
        ("unknown_region", ["Nusa Tenggara Barot ›", "nearest: Provinsi Nusa Tenggara Barat (52)"]),
    ),
    "an unknown regency": (
        "Bali,Jembrano,Negara,Baluk",
        ("unknown_region", ["Bali › Jembrano ›", "nearest: Kabupaten Jembrana (51.01)"]),
    ),
    "an unknown district": (
        "Bali,Jembrana,Mendaya,Baluk",
        ("unknown_region", ["nearest: Kecamatan Mendoyo (51.01.02)"]),
    ),
    "an unknown village": (
        "Bali,Jembrana,Mendoyo,Pergang",
        ("unknown_region", ["nearest: Desa Pergung (51.01.02.2002)"]),
    ),
    "unlike anything": ("Bali,Jembrana,Negara,Xyz", ("unknown_region", ["nearest: -"])),
    "a regency of another province": ("Bali,Kota Bima,Rasanae,Dara", ("unknown_region", ["Bali › Kota Bima ›"])),
    "a district of another regency": ("Bali,Denpasar,Mendoyo,Baluk", ("unknown_region", [])),
    "a village of another district": ("Bali,Jembrana,Negara,Pergung", ("unknown_region", [])),
    "a district where the regency belongs": ("Bali,Negara,Negara,Baluk", ("unknown_region", [])),
    "overseas": ("Luar Negeri,Mesir,Kairo,Kairo", ("outside_territory", ["Mesir", "Luar Negeri (LN)", "not cover"])),
    "a blank place in between": ("Bali,,Negara,Baluk", ("blank_region", [])),
    "a blank place at the beginning": (",Jembrana,Negara,Baluk", ("blank_region", [])),
    "blank places": (",,,", ("blank_region", [])),
    "with the mark of a path in it": ("Bali,Jembrana › Negara,Negara,Baluk", ("unknown_region", ["Jembrana > Negara"])),
}


@cache
def all_named(seed: int) -> tuple[list[str], Admission]:
    """The names of all cases in some order, and what becomes of their rows in one extract."""
    names = random.Random(seed).sample(list(NAMED), len(NAMED))
    return names, told([f"{NAMED[name][0]},{number}" for number, name in enumerate(names, start=2)], by_name())


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_path_by_names(name: str, seed: int) -> None:
    names, found = all_named(seed)
    row, expected = names.index(name) + 2, NAMED[name][1]
    admitted = found.admitted.filter(row=row).select("region_code", "region_level", "value").rows()
    quarantined = found.quarantine.filter(row=row).select("column", "rule", "message_en").rows()
    if isinstance(expected, str):
        assert (admitted, quarantined) == ([(expected, "village", row)], [])
        return
    rule, words = expected
    assert (admitted, [each[:2] for each in quarantined]) == ([], [("desa", rule)])
    assert all(word in quarantined[0][2] for word in words), quarantined[0][2]


def test_a_path_alone_is_read_as_among_others() -> None:
    assert figures(told(["Bali,Jembrana,Negara,Baluk,7"], by_name())) == [("51.01.01.2001", "hasil", 7)]
    assert broken(told(["Bali,,Negara,Baluk,7"], by_name())) == [(2, "desa", "blank_region")]
    assert broken(told(["Entah,Jembrana,Negara,Baluk,7"], by_name())) == [(2, "desa", "unknown_region")]


# The same with codes and names of a system; regions that it does not know are its own.
CODED: dict[str, tuple[str, Any]] = {
    "code and name agree": ("1,Bali,2,Jembrana,9,Negara,10,Baluk", "kpu:10"),
    "the name is another spelling": ("1,PROV. BALI,2,Kab. Jembrana,9,Negara,10,Baluk", "kpu:10"),
    "the name is an alias": ("4,NTB,5,Kab. Bima,9,Monta,10,Simpasai", "kpu:10"),
    "the name is that of another region": (
        "1,Bali,3,Jembrana,9,Negara,10,Baluk",
        ("code_and_name_differ", ["Bali (1) › Jembrana (3)", "the code is that of Kota Denpasar (51.71)"]),
    ),
    "the name is nothing known": ("1,Bali,2,Entah,9,Negara,10,Baluk", ("code_and_name_differ", ["Kabupaten Jembrana"])),
    "they differ at the first place": ("4,Bali,2,Jembrana,9,Negara,10,Baluk", ("code_and_name_differ", ["(52)"])),
    "an unknown code of a province": ("8,Bali,2,Jembrana,9,Negara,10,Baluk", ("unknown_region_code", ["Bali (8)"])),
    "an unknown code of a regency": ("1,Bali,8,Jembrana,9,Negara,10,Baluk", ("unknown_region_code", ["Jembrana (8)"])),
    "a regency of another province": ("1,Bali,5,Kab. Bima,9,Monta,10,Simpasai", ("unknown_region_code", [])),
    "an unknown regency overseas": ("-99,Luar Negeri,-98,Mesir,-97,Kairo,-96,Kairo", "kpu:-96"),
    "a known regency overseas": ("-99,Luar Negeri,2,Jembrana,-97,Kairo,-96,Kairo", "kpu:-96"),
    "a blank name": ("1,Bali,2,Jembrana,9,Negara,10,", ("blank_region", [])),
    "a blank code": ("1,Bali,2,Jembrana,9,Negara,,Baluk", ("blank_region", [])),
    "a blank code in between": ("1,Bali,,Jembrana,9,Negara,10,Baluk", ("blank_region", [])),
    "a blank name in between": ("1,Bali,2,,9,Negara,10,Baluk", ("blank_region", [])),
}


@pytest.mark.parametrize("name", CODED)
def test_a_path_by_codes_and_names(name: str) -> None:
    path, expected = CODED[name]
    found = told([f"{path},7"], by_code(), CODED_HEADER)
    if isinstance(expected, str):
        assert figures(found) == [(expected, "hasil", 7)]
        return
    rule, words = expected
    assert broken(found) == [(2, "nama_desa", rule)]
    assert found.own_regions.is_empty()  # what is quarantined brings no region along
    said = found.quarantine["message_en"][0]
    assert all(word in said for word in words), said


def test_a_code_that_is_not_known_is_a_region_only_where_the_source_declares_it() -> None:
    rows = ["1,Bali,2,Jembrana,9,Negara,10,Baluk,1", "-99,Luar Negeri,-98,Mesir,-97,Kairo,-96,Kairo,2"]
    found = told(rows, by_code(own=False), CODED_HEADER)
    assert broken(found) == [(2, "nama_desa", "unknown_region_code"), (3, "nama_desa", "unknown_region_code")]
    assert found.own_regions.is_empty()
    overseas = by_code().model_dump()
    overseas["region_path"] = [
        dict(place) | {"own_within": ["LN"] * (at > 0)} for at, place in enumerate(overseas["region_path"])
    ]
    found = told(rows, Source.model_validate(overseas), CODED_HEADER)
    assert broken(found) == [(2, "nama_desa", "unknown_region_code")]
    assert figures(found) == [("kpu:-96", "hasil", 2)]


def test_regions_of_a_source_lie_in_regions_of_the_source() -> None:
    rows = [
        "1,Bali,2,Jembrana,9,Negara,10,Baluk,1",
        "1,Bali,2,Jembrana,9,Negara,11,Baluk,2",
        "1,Bali,3,Denpasar,12,Negara,13,Sesetan,3",
        "-99,Luar Negeri,-98,Mesir,-97,Kairo,-96,Kairo,4",
    ]
    found = told(rows, by_code(), CODED_HEADER)
    assert figures(found) == [(f"kpu:{code}", "hasil", value) for value, code in enumerate((10, 11, 13, -96), start=1)]
    assert sorted(found.own_regions.rows()) == [
        ("kpu:-96", "village", "Kairo", "kpu:-97"),
        ("kpu:-97", "district", "Kairo", "kpu:-98"),
        ("kpu:-98", "regency_city", "Mesir", "LN"),
        ("kpu:10", "village", "Baluk", "kpu:9"),
        ("kpu:11", "village", "Baluk", "kpu:9"),
        ("kpu:12", "district", "Negara", "51.71"),
        ("kpu:13", "village", "Sesetan", "kpu:12"),
        ("kpu:9", "district", "Negara", "51.01"),
    ]
    unique, findings = own_regions(found.own_regions)
    assert unique.height == 8
    assert findings.is_empty()


def test_codes_of_kemendagri_are_known_and_others_are_the_source_s_own() -> None:
    rows = [
        "51,Bali,51.01,Jembrana,51.01.01,Negara,51.01.01.2001,Baluk,1",
        "51,Bali,5101,Jembrana,510101,Negara,5101012001,Desa Baluk,2",
        "51,Bali,51.01,Jembrana,51.01.01,Negara,51.01.01.2999,Baru,3",
        "51,Bali,51.01,Jembrana,51.01.01,Negara,51.01.02.2001,Baluk,4",
    ]
    found = told(rows, by_code(key="code"), CODED_HEADER)
    assert broken(found) == [(2, "hasil", "conflicting_rows"), (3, "hasil", "conflicting_rows")]
    # The village of another district is no village of this one; its code stands for one that nobody knows here.
    assert figures(found) == [("code:51.01.01.2999", "hasil", 3), ("code:51.01.02.2001", "hasil", 4)]


def test_an_own_region_that_is_told_in_several_ways_is_one_and_said_to_be() -> None:
    rows = [
        "1,Bali,2,Jembrana,9,Negara,10,Baluk,1",
        "1,Bali,3,Denpasar,9,Negara,11,Dangin,2",
        "1,Bali,2,Jembrana,9,Negeri,12,Loloan,3",
        "1,Bali,2,Jembrana,20,Mendoyo,13,Pergung,4",
    ]
    answers = set()
    for seed in range(4):
        found = told(random.Random(seed).sample(rows, len(rows)), by_code(), CODED_HEADER)
        assert found.admitted.height == 4
        unique, findings = own_regions(found.own_regions.sample(fraction=1, shuffle=True, seed=seed))
        answers.add((tuple(sorted(unique.rows())), tuple(findings.rows())))
    assert answers == {
        (
            (
                ("kpu:10", "village", "Baluk", "kpu:9"),
                ("kpu:11", "village", "Dangin", "kpu:9"),
                ("kpu:12", "village", "Loloan", "kpu:9"),
                ("kpu:13", "village", "Pergung", "kpu:20"),
                ("kpu:20", "district", "Mendoyo", "51.01"),
                ("kpu:9", "district", "Negara", "51.01"),
            ),
            (
                (
                    "own_region_differs",
                    "kpu:9",
                    "Negara in 51.01; Negara in 51.71; Negeri in 51.01",
                    "Negara in 51.01",
                ),
            ),
        )
    }


def test_a_code_at_two_levels_names_nothing() -> None:
    rows = [
        "1,Bali,2,Jembrana,9,Negara,9,Baluk,1",
        "1,Bali,2,Jembrana,9,Negara,10,Pendem,2",
        "1,Bali,2,Jembrana,20,Mendoyo,21,Pergung,3",
        "1,Bali,2,Jembrana,20,Mendoyo,22,Yehembang,4",
        "1,Bali,3,Denpasar,22,Negara,23,Sesetan,5",
    ]
    found = told(rows, by_code(), CODED_HEADER)
    assert broken(found) == [(row, "nama_desa", "code_at_two_levels") for row in (2, 3, 5, 6)]
    assert figures(found) == [("kpu:21", "hasil", 3)]
    assert sorted(found.own_regions["code"]) == ["kpu:20", "kpu:21"]
    said = found.quarantine["message_en"][0]
    assert "kpu:9" in said
    assert "more than one level" in said


@pytest.mark.parametrize("seed", range(5))
def test_what_is_chosen_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    told_of = [
        (f"kpu:{code}", "village", name, above)
        for code in range(30)
        for name in ("B", "A", "C")
        for above in ("51.71", "51.01")
    ]
    frame = pl.DataFrame(told_of, schema=["code", "level", "name", "parent"], orient="row")
    order = random.Random(seed).sample(told_of, len(told_of)) * 2
    shuffled = pl.DataFrame(order, schema=frame.schema, orient="row")
    for ours, theirs in zip(own_regions(frame), own_regions(shuffled), strict=True):
        assert ours.sort(ours.columns).equals(theirs.sort(theirs.columns))
    unique, findings = own_regions(shuffled)
    assert set(unique.select("name", "parent").rows()) == {("A", "51.01")}
    assert findings.height == 30
    assert len(findings["observed"][0].split("; ")) == 6


# Names of own regions as nobody would write them, but someone will, and codes.
ODD_NAMES = {
    "Baluk (Lama)": "Baluk (Lama)",
    "(Baluk)": "(Baluk)",
    "Baluk (11)": "Baluk (11)",
    "Baluk (Lama": "Baluk (Lama",
    "Baluk › Lama": "Baluk > Lama",
    "../../etc/passwd": "../../etc/passwd",
    '"Baluk"': '"Baluk"',
    "Ba'luk": "Ba'luk",
    "=1+1": "=1+1",
    "TANJUNG SABA, PITAMEH NAN XX": "TANJUNG SABA, PITAMEH NAN XX",
    "Baluk\\n": "Baluk\\n",
    "123": "123",
    "...": "...",
    "{value}": "{value}",
    "Bālúk 村": "Bālúk 村",
    "  Baluk  ": "Baluk",
}
ODD_CODES = {" 10 ": "10", "-10": "-10", "../10": "../10", "A/10-b": "A/10-b", "1›0": "1>0", "007": "007"}


def test_names_and_codes_are_taken_as_they_are_written() -> None:
    odd = [*((name, f"1{place}", read, f"1{place}") for place, (name, read) in enumerate(ODD_NAMES.items(), start=100))]
    odd += [("Baluk", code, "Baluk", read) for code, read in ODD_CODES.items()]
    rows = [["1", "Bali", "2", "Jembrana", "9", "Negara", code, name, "7"] for name, code, _, _ in odd]
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    found = told(quoted, by_code(), CODED_HEADER)
    assert broken(found) == []
    assert figures(found) == [(f"kpu:{code}", "hasil", 7) for _, _, _, code in odd]
    villages = found.own_regions.filter(level="village").select("code", "name").rows()
    assert dict(villages) == {f"kpu:{code}": name for _, _, name, code in odd}
    assert set(found.own_regions.filter(level="village")["parent"]) == {"kpu:9"}


def test_what_is_odd_and_unknown_is_quarantined_with_its_words() -> None:
    odd = ["Jembrana (Lama)", "=1+1", "../../etc/passwd", "Jembrana › Bali", "{value}", "<b>"]
    found = told([f'Bali,"{name}",Negara,Baluk,7' for name in odd], by_name())
    assert broken(found) == [(row, "desa", "unknown_region") for row in range(2, len(odd) + 2)]
    said = found.quarantine.sort("row")["message_en"]
    assert all(name.replace("›", ">") in sentence for name, sentence in zip(odd, said, strict=True))


def test_a_path_may_skip_levels() -> None:
    found = told(
        ["Bali,Pergung,1", "Bali,Baluk,2", "NTB,Pergung,3", "Bali,Desa Sesetan,4"],
        by_name("province", "village"),
        "provinsi,desa,hasil",
    )
    assert figures(found) == [("51.01.02.2002", "hasil", 1), ("51.71.01.2001", "hasil", 4)]
    assert broken(found) == [(3, "desa", "ambiguous_region"), (4, "desa", "unknown_region")]
    header = "kode_provinsi,nama_provinsi,kode_desa,nama_desa,hasil"
    found = told(["1,Bali,10,Baluk,1", "-99,Luar Negeri,11,Kairo,2"], by_code("province", "village"), header)
    assert figures(found) == [("kpu:10", "hasil", 1), ("kpu:11", "hasil", 2)]
    assert sorted(found.own_regions.rows()) == [
        ("kpu:10", "village", "Baluk", "51"),
        ("kpu:11", "village", "Kairo", "LN"),
    ]


def test_a_path_of_one_place_is_like_a_column() -> None:
    found = told(["Bali,1", "Bima,2", "Entah,3"], by_name("province"), "provinsi,hasil")
    assert figures(found) == [("51", "hasil", 1)]
    assert broken(found) == [(3, "provinsi", "unknown_region"), (4, "provinsi", "unknown_region")]


def provinces(*codes: str) -> Reference:
    """The packaged reference of some provinces."""
    regions = LIBRARY.reference.regions
    inside = pl.any_horizontal(*(pl.col("code").str.starts_with(code) for code in codes))
    return replace(LIBRARY.reference, regions=regions.filter(inside | pl.col("code").is_in(["ID", "LN"])))


def test_paths_by_names_down_to_villages_with_the_packaged_reference() -> None:
    part = provinces("15", "18", "51")
    valid = part.regions.filter(pl.col("valid_to").is_null())
    places = valid.filter(level="village").select("name", "kind", "parent", right="code")
    for level, above in zip(LEVELS[2::-1], NAMES[2::-1], strict=True):
        step = valid.filter(level=level).select(pl.col("name").alias(above), parent="code", up="parent")
        places = places.join(step, on="parent", maintain_order="left").drop("parent").rename({"up": "parent"})
    assert places.height > 4_000
    # Villages that name and regency do not tell apart: the district does, or else the kind.
    shared = places.filter(pl.len().over("name", "kabkota") > 1)
    twins = pl.len().over("name", "kecamatan", "kabkota") > 1
    assert (shared.height, shared.filter(twins).height) == (266, 4)
    full = pl.when(twins).then(pl.format("{} {}", "kind", "name")).otherwise("name")
    table = shared.select(*NAMES[:3], full, pl.int_range(pl.len()))
    found = told([], by_name(), HEADER + "\n" + table.write_csv(include_header=False), reference=part, on=TODAY)
    assert broken(found) == []
    assert [code for code, _, _ in sorted(figures(found), key=lambda each: each[2])] == shared["right"].to_list()
    # Without the kind only these are ambiguous.
    plain = shared.select(*NAMES[:3], "name", pl.int_range(pl.len()))
    found = told([], by_name(), HEADER + "\n" + plain.write_csv(include_header=False), reference=part, on=TODAY)
    assert {rule for _, _, rule in broken(found)} == {"ambiguous_region"}
    assert len(broken(found)) == 4


def test_a_name_that_is_unique_only_where_it_lies() -> None:
    part = provinces("51")
    found = told(["Bali,Bangli,Susut,Abuan,1", "Bali,Bangli,Kintamani,Abuan,2"], by_name(), reference=part, on=TODAY)
    assert figures(found) == [("51.06.01.2003", "hasil", 1), ("51.06.04.2013", "hasil", 2)]
    found = told(
        ["Bali,Bangli,Abuan,1"],
        by_name("province", "regency_city", "village"),
        "provinsi,kabkota,desa,hasil",
        reference=part,
        on=TODAY,
    )
    assert broken(found) == [(2, "desa", "ambiguous_region")]
    found = told(["Bali,Abuan,1"], by_name("province", "village"), "provinsi,desa,hasil", reference=part, on=TODAY)
    assert broken(found) == [(2, "desa", "ambiguous_region")]


REFUSED = {
    "a name is missing": ("provinsi,kecamatan,desa,hasil\nBali,Negara,Baluk,1\n", "missing: kabkota "),
    "the last name is missing": ("provinsi,kabkota,kecamatan,hasil\nBali,Jembrana,Negara,1\n", "missing: desa "),
    "all are missing": ("nama,hasil\nBali,1\n", "missing: desa, provinsi, kabkota, kecamatan"),
    "a name stands twice": (
        "provinsi,kabkota,kecamatan,desa,kabkota,hasil\nBali,Jembrana,Negara,Baluk,Jembrana,1\n",
        "the column kabkota stands twice",
    ),
    "a name stands twice, spelt otherwise": (
        "provinsi,kabkota,kecamatan,desa,PROVINSI,hasil\nBali,Jembrana,Negara,Baluk,Bali,1\n",
        "the column provinsi stands twice",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_without_its_path_an_extract_is_refused_whole(name: str) -> None:
    content, words = REFUSED[name]
    with pytest.raises(Refusal) as refusal:
        sent(content, by_name(), SMALL)
    assert words in str(refusal.value)


def test_a_code_column_that_is_missing_or_stands_twice() -> None:
    for header, words in (
        (CODED_HEADER.replace("kode_kabkota,", ""), "missing: kode_kabkota "),
        (CODED_HEADER.replace("hasil", "kode_desa,hasil"), "the column kode_desa stands twice"),
    ):
        cells = ",".join("1" * len(header.split(",")))
        with pytest.raises(Refusal) as refusal:
            told([cells], by_code(), header)
        assert words in str(refusal.value)


def test_columns_of_a_path_stand_in_any_order_and_spelling() -> None:
    found = told(["7,Baluk,x,NEGARA,Jembrana,Bali"], by_name(), "Hasil,DESA,Catatan, Kecamatan ,KabKota,provinsi")
    assert figures(found) == [("51.01.01.2001", "hasil", 7)]


def test_a_short_or_long_row_of_a_path_is_quarantined() -> None:
    found = told(
        ["Bali,Jembrana,Negara,Baluk", "Bali,Jembrana,Negara,Pendem,1,2", "Bali,Jembrana,Mendoyo,Baluk,3"], by_name()
    )
    assert broken(found) == [(2, "hasil", "ragged_row"), (3, "hasil", "ragged_row")]
    assert figures(found) == [("51.01.02.2001", "hasil", 3)]


def test_codes_that_are_numbers_in_a_workbook() -> None:
    table: list[list[Any]] = [CODED_HEADER.split(","), [1, "Bali", 2.0, "Jembrana", 9, "Negara", 10, "Baluk", 7]]
    found = sent(xlsx(table), by_code(format="xlsx", sheet="*"), SMALL)
    assert figures(found) == [("kpu:10", "hasil", 7)]


def test_rows_of_one_region_in_other_spellings_are_about_one_region() -> None:
    rows = ["1,Bali,2,Jembrana,9,Negara,10,Baluk,1", "1,BALI,2,KAB. JEMBRANA,9,Negara,10,Baluk,1"]
    found = told(rows, by_code(), CODED_HEADER)
    assert broken(found) == [(3, "hasil", "repeated_row")]
    found = told([rows[0], rows[1].replace(",Baluk,1", ",Baluk,2")], by_code(), CODED_HEADER)
    assert broken(found) == [(2, "hasil", "conflicting_rows"), (3, "hasil", "conflicting_rows")]


PAPUA = "kode_provinsi,nama_provinsi,kode_kabkota,nama_kabkota,hasil"


def of_2019(*levels: str) -> Source:
    return by_code(*levels, key="code", own=False, regions_date=date(2019, 4, 17))


def test_a_province_that_was_divided_since_still_leads_to_what_lay_in_it() -> None:
    rows = ["91,Papua,91.02,Jayawijaya,1", "91,Papua,91.71,Kota Jayapura,2", "92,Papua Barat,92.71,Kota Sorong,3"]
    then = told(rows, of_2019("province", "regency_city"), PAPUA, reference=HIGH, on=date(2019, 4, 17))
    assert [code for code, _, _ in figures(then)] == ["91.02", "91.71", "92.71"]
    now = told(rows, of_2019("province", "regency_city"), PAPUA, reference=HIGH, on=TODAY)
    assert [code for code, _, _ in figures(now)] == ["95.01", "91.71", "96.71"]
    # The province itself stands for no province of today.
    alone = told(["91,Papua,1"], of_2019("province"), "kode_provinsi,nama_provinsi,hasil", reference=HIGH, on=TODAY)
    assert broken(alone) == [(2, "nama_provinsi", "divided_region")]
    assert "Papua (91) = Papua (91) + Papua Selatan (93) + " in alone.quarantine["message_en"][0]


PLACE = {"level": "province", "name": "provinsi"}
# What differs from the entry, and words of the sentence it is refused with.
DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "path and column": ({"region_path": [PLACE]}, "the region column, or a region_path"),
    "neither": ({"columns": {}}, "the region column, or a region_path"),
    "a place without a column": (
        {"columns": {}, "region_path": [{"level": "province"}]},
        "a column for its code, its name, or both",
    ),
    "no code for a key of codes": ({"columns": {}, "region_path": [PLACE]}, "region_key code every step"),
    "no name for the key name": (
        {"columns": {}, "region_key": "name", "region_path": [{"level": "province", "code": "kode"}]},
        "have names only",
    ),
    "a last place of another level": (
        {"columns": {}, "region_key": "name", "region_path": [PLACE, {"level": "village", "name": "desa"}]},
        "is of one of the region_levels",
    ),
    "no such level": (
        {"columns": {}, "region_key": "name", "region_path": [{"level": "dusun", "name": "dusun"}]},
        "dusun",
    ),
    "an unknown key": (
        {"columns": {}, "region_key": "name", "region_path": [PLACE | {"kode": "x"}]},
        "not a known key",
    ),
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_broken_declaration_is_refused_with_a_sentence(name: str) -> None:
    different, words = DECLARATIONS[name]
    with pytest.raises(MethodologyError) as caught:
        sources_of(yaml_document(yaml_text({"kantor": {**ENTRY, **different}}), "sources.yml"), LIBRARY.dictionary)
    assert any(words in each.sentence for each in caught.value.problems), [str(each) for each in caught.value.problems]
    assert all(each.sentence.endswith(".") and "\n" not in each.sentence for each in caught.value.problems)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with two sources that name regions by a path, and a small reference, laid over the package."""
    folder = tmp_path / "mine"
    (folder / "regions").mkdir(parents=True)
    texts = {
        REGIONS_FILE: REGIONS,
        LOWER_FILES["district"]: DISTRICTS,
        LOWER_FILES["village"]: VILLAGES,
        CODES_FILE: CODES,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    told_in = {"columns", "region_key", "region_levels", "region_path"}
    sources = {
        name: ENTRY | of.model_dump(mode="json", include=told_in, exclude_defaults=True) | {"columns": {}}
        for name, of in (("bernama", by_name()), ("berkode", by_code()))
    }
    (folder / "sources.yml").write_text(yaml_text(json.loads(json.dumps(sources))))
    return folder


def test_the_command_line_checks_a_source_with_a_path(mine: Path, tmp_path: Path, kerawanan: Cli) -> None:
    file = tmp_path / "desa.csv"
    file.write_text(
        f"{HEADER},catatan\nBali,Jembrana,Negara,Baluk,1,x\nBali,Jembrana,Mendoyo,Pergang,2,x\nBali,Jembrano,Negara,Baluk,3,x\n"
    )
    checked = kerawanan("sources", "check", file, "--source", "bernama", "--methodology", mine, "--format", "json")
    assert checked.code == 0, checked.err
    table = checked.json["tables"][0]
    assert table["missing"] == []
    assert table["columns_not_read"] == ["catatan"]
    assert table["columns"] == {
        "province name": "provinsi",
        "regency_city name": "kabkota",
        "district name": "kecamatan",
        "village name": "desa",
        "item hasil": "hasil",
    }
    assert (table["header_row"], table["rows_below"]) == (1, 3)
    assert [(each["rule"], each["rows"]) for each in checked.json["violations"]] == [("unknown_region", 1)] * 2
    said = " ".join(each["message_en"] for each in checked.json["violations"])
    assert "Pergung (51.01.02.2002)" in said
    assert "Kabupaten Jembrana (51.01)" in said
    assert kerawanan("sources", "check", file, "--source", "bernama", "--methodology", mine).code == 0


def test_the_command_line_validates_an_extract_with_a_path(mine: Path, tmp_path: Path, kerawanan: Cli) -> None:
    file = tmp_path / "desa.csv"
    file.write_text(
        f"{CODED_HEADER}\n1,BALI,2,JEMBRANA,9,NEGARA,10,BALUK,1\n1,BALI,2,BADUNG,9,NEGARA,10,BALUK,2\n"
        "1,BALI,7,JEMBRANA,9,NEGARA,10,BALUK,3\n-99,Luar Negeri,-98,Mesir,-97,Kairo,-96,Kairo,4\n"
    )
    marked = tmp_path / "marked"
    answer = kerawanan(
        *("validate", file, "--source", "berkode", "--methodology", mine, "--format", "json", "--marked", marked)
    )
    assert answer.code == 0, answer.err
    extract = answer.json["extracts"][0]
    assert (extract["rows"], extract["rows_admitted"], extract["rows_quarantined"]) == (4, 2, 2)
    assert [(each["row"], each["rule"]) for each in extract["violations"]] == [
        (3, "code_and_name_differ"),
        (4, "unknown_region_code"),
    ]
    assert Path(extract["marked"]).is_file()
    assert kerawanan("validate", file, "--source", "berkode", "--methodology", mine).code == 0


@pytest.mark.parametrize("command", ["sources check", "validate"])
def test_the_command_line_refuses_a_file_without_the_path(
    mine: Path, tmp_path: Path, kerawanan: Cli, command: str
) -> None:
    file = tmp_path / "desa.csv"
    file.write_text("provinsi,kecamatan,desa,hasil\nBali,Negara,Baluk,1\n")
    answer = kerawanan(*command.split(), file, "--source", "bernama", "--methodology", mine)
    assert answer.code == 2
    assert "columns are missing: kabkota" in answer.out + answer.err


@pytest.mark.parametrize("command", ["sources check", "validate"])
def test_the_command_line_names_a_place_that_the_reference_lacks(
    mine: Path, tmp_path: Path, kerawanan: Cli, command: str
) -> None:
    sources = mine / "sources.yml"
    sources.write_text(sources.read_text().replace("- LN", "- XX"))
    file = tmp_path / "desa.csv"
    file.write_text(f"{CODED_HEADER}\n1,BALI,2,JEMBRANA,9,NEGARA,10,BALUK,1\n")
    answer = kerawanan(*command.split(), file, "--source", "berkode", "--methodology", mine)
    assert answer.code == 1
    assert "own_within names XX, which is not in regions/regions.csv" in answer.err


def test_a_code_with_parentheses() -> None:
    found = told(["1,Bali,2,Jembrana,9,Negara,10 (b),Baluk,7"], by_code(), CODED_HEADER)
    assert figures(found) == [("kpu:10 (b)", "hasil", 7)]


def test_a_name_over_two_lines() -> None:
    found = told(['1,Bali,2,Jembrana,9,Negara,10,"Baluk\nLama",7'], by_code(), CODED_HEADER)
    assert figures(found) == [("kpu:10", "hasil", 7)]


@pytest.mark.parametrize("path", [False, True])
def test_codes_of_a_system_that_look_like_those_of_kemendagri(path: bool) -> None:
    codes = pl.concat([SMALL.codes, pl.DataFrame({"system": ["dapil"], "code": ["11.01"], "region_code": ["51"]})])
    of = by_code("province", key="dapil", own=False) if path else source(region_key="dapil")
    header, row = ("kode_provinsi,nama_provinsi,hasil", "11.01,Bali,7") if path else ("wilayah,hasil", "11.01,7")
    assert figures(told([row], of, header, reference=replace(SMALL, codes=codes))) == [("51", "hasil", 7)]


def test_a_place_that_is_written_once_for_several_rows() -> None:
    table: list[list[Any]] = [["provinsi", "kabkota", "hasil"], ["Bali", "Jembrana", 1], [None, "Denpasar", 2]]
    of = by_name("province", "regency_city", format="xlsx", sheet="*")
    assert figures(sent(xlsx(table, merged=["A2:A3"]), of, SMALL)) == [("51.01", "hasil", 1), ("51.71", "hasil", 2)]


def test_where_names_decide_no_code_is_read_beside_them() -> None:
    path = [{"level": "regency_city", "name": "kabkota", "code": "kode"}]
    with pytest.raises(ValidationError, match="have names only"):
        source(columns={}, region_key="name", region_levels=["regency_city"], region_path=path)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("Balu,Jembrana,Negara,Baluk", "nearest: Provinsi Bali (51)."),
        ("Bali,Jembrana,Negra,Baluk", "nearest: Kecamatan Negara (51.01.01)."),
        ("Bali,Jembrana,Negara,Balok", "nearest: Desa Baluk (51.01.01.2001)."),
    ],
)
def test_the_nearest_name_is_one_that_could_stand_there(path: str, near: str) -> None:
    assert near in told([f"{path},7"], by_name()).quarantine["message_en"][0]


def test_a_name_with_a_placeholder_is_quoted_as_it_is_written() -> None:
    assert "{expected}" in told(["Bali,{expected},Negara,Baluk,7"], by_name()).quarantine["message_en"][0]


def test_a_village_that_is_called_kota() -> None:
    found = told(["Lampung,Pesawaran,Punduh Pidada,Desa Kota Jawa,7"], by_name(), reference=provinces("18"), on=TODAY)
    assert figures(found) == [("18.09.06.2006", "hasil", 7)]


@pytest.mark.parametrize("row", ["91,Papua,51.71,Kota Denpasar,1", "92,Papua Barat,91.02,Jayawijaya,1"])
def test_a_regency_that_never_lay_in_a_divided_province_is_unknown_there(row: str) -> None:
    found = told([row], of_2019("province", "regency_city"), PAPUA, reference=HIGH, on=TODAY)
    assert broken(found) == [(2, "nama_kabkota", "unknown_region_code")]


def test_the_name_of_a_row_that_is_repeated_counts_too() -> None:
    rows = ["1,Bali,2,Jembrana,9,Negara,10,Baluk,1", "1,Bali,2,Jembrana,9,Negara,10,Pendem,1"]
    both = [own_regions(told(order, by_code(), CODED_HEADER).own_regions) for order in (rows, rows[::-1])]
    assert [set(unique["name"]) for unique, _ in both] == [{"Negara", "Baluk"}] * 2
    assert [findings["subject"].to_list() for _, findings in both] == [["kpu:10"]] * 2


def test_one_source_has_villages_of_its_own_and_another_those_of_the_reference(mine: Path) -> None:
    (mine / "regions").rename(mine / "unused")
    plan = mine / "editions/campuran/edition.yml"
    plan.parent.mkdir(parents=True)
    plan.write_text("edition: campuran\nextends: kpu-2019-pungut-hitung\nsources: [kpu-2019, bernama]\n")
    methodology = Library(mine).edition("campuran")
    assert {"district", "village"} <= set(methodology.reference.regions["level"])
