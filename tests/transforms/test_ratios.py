"""Indicators that are ratios, and figures of regions that are sums of those below them."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import MethodologyError
from schemas.methodology.corrections import Correction
from schemas.methodology.edition import NotApplicable, RollUp, Treatment
from schemas.methodology.library import Library, Methodology
from schemas.methodology.sources import Source
from schemas.strict import yaml_text
from tests.transforms.sent import ENTRY, items
from transforms.engine_tables.design import design_frames
from transforms.extracts.admission import Admission, admission, identified
from transforms.extracts.parse import extract_rows
from transforms.figures.indicators import ResolvedFigures, resolved_figures
from transforms.regions.lookup import region_lookup

# A country of two provinces: 11 has four regencies, 12 has twenty-five.
MEMBERS = {"11": 4, "12": 25}
REGIONS = "\n".join(
    [
        "code,level,name,parent,kind,valid_from,valid_to,code_2020,code_bps",
        "ID,national,Indonesia,,negara,,,ID,",
        *(f"{code},province,Provinsi {code},ID,provinsi,,,{code}," for code in MEMBERS),
        *(
            f"{code}.{place:02},regency_city,Kabupaten {code} {place},{code},kabupaten,,,{code}.{place:02},"
            for code, count in MEMBERS.items()
            for place in range(1, count + 1)
        ),
        "",
    ]
)
HEADER = (
    "node_code,parent_code,level,kind,name_id,name_en,weight,direction,unit,normalisation,aggregation,missing,"
    "source_item,evidence,note,denominator,per\n"
)
LEAVES = (
    "persen,indeks,1,i,P,P,1,1,pct,none,,{missing},rusak,A,,semua,100\n"
    "bagian,indeks,1,i,B,B,1,1,share,none,,,hilang,A,,semua,\n"
    "jumlah,indeks,1,i,J,J,1,1,severity_sum,none,,,jumlah,A,,,\n"
)
NODES = HEADER + "indeks,,2,index,I,I,,1,pct,none,arithmetic_mean,,,A,,,\n" + LEAVES.format(missing="")
ZERO = HEADER + "indeks,,2,index,I,I,,1,pct,none,arithmetic_mean,,,A,,,\n" + LEAVES.format(missing="zero")
ITEMS = ("rusak", "hilang", "semua", "jumlah")
LOWER, UPPER, COUNTRY = ("regency_city", "input"), ("province", "rollup"), ("national", "rollup")
PLAN = {
    "edition": "rasio",
    **dict.fromkeys(("title_id", "title_en", "comparability"), "Uji"),
    **dict.fromkeys(("period", "reference_period"), "2019"),
    "status": "complete",
    "revision": 1,
    "sources": ["kantor"],
    "scale": {"lowest": 0, "highest": 100},
    "rounding": {"decimals": 1},
    "weights": "points",
    "missing": {"leaf": "unknown", "aggregate": "rescale"},
    "categories": [{"code": "a", "name_id": "a", "name_en": "a"}],
    "region_levels": [
        {"level": "national", "approaches": ["rollup"], "regions": 1, "ranked": False},
        {"level": "province", "approaches": ["rollup"], "regions": 2, "ranked": True},
        {"level": "regency_city", "approaches": ["input"], "regions": 29, "ranked": True},
    ],
}


def counts(**different: Any) -> dict[str, Any]:
    """The entry of a source of counts of regencies."""
    return ENTRY | {"region_levels": ["regency_city"], "items": items(*ITEMS)} | different


@cache
def as_written(nodes: str = NODES) -> Methodology:
    """An edition of three indicators, two of them ratios, that a source of counts feeds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in {
            "regions/regions.csv": REGIONS,
            "editions/rasio/nodes.csv": nodes,
            "editions/rasio/edition.yml": yaml_text(PLAN) + "regions_date: 2019-04-17\n",
            "sources.yml": yaml_text({"kantor": counts()}),
        }.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        return Library(folder).edition("rasio")


def methodology(
    nodes: str = NODES,
    sums: Sequence[tuple[tuple[str, str], tuple[str, str], float]] = ((LOWER, UPPER, 0.5), (LOWER, COUNTRY, 0.5)),
    treatments: Sequence[dict[str, Any]] = (),
    corrections: Sequence[Correction] = (),
    **sources: dict[str, Any],
) -> Methodology:
    """The same with other sums, treatments, corrections or sources."""
    of = as_written(nodes)
    roll_ups = tuple(
        RollUp.model_validate(
            {
                "from": below,
                "from_approach": given,
                "to": above,
                "approach": made,
                "min_share": str(share),
                "method": "sum",
            }
        )
        for (below, given), (above, made), share in sums
    )
    capped = tuple(Treatment.model_validate(each) for each in treatments)
    edition = of.edition.model_copy(update={"roll_ups": roll_ups, "treatments": capped})
    told = {name: Source.model_validate(entry) for name, entry in sources.items()} or of.sources
    return replace(of, edition=edition, sources=told, corrections=tuple(corrections))


class Outcome(NamedTuple):
    """What figures came to: by region and node, and findings by their check."""

    values: dict[tuple[str, str], dict[str, Any]]
    findings: dict[str, list[tuple[Any, ...]]]
    resolved: ResolvedFigures
    read: list[Admission]

    def value(self, region: str, node: str = "persen") -> Any:
        """What is reported of a region; None where nothing is known, 'imputed' where a gap was filled."""
        row = self.values.get((region, node))
        return row and ("imputed" if row["status"] == "imputed" else row["raw_value"])

    def parts(self, region: str, node: str = "persen") -> tuple[Any, ...]:
        row = self.values[region, node]
        return row["numerator"], row["denominator"], row["members_counted"]


def outcome(of: Methodology, *extracts: Any) -> Outcome:
    """Settle extracts: a table, or a source, a table and the day it was received (from 1 on, where none is given)."""
    admitted: dict[str, list[pl.DataFrame]] = {}
    for number, extract in enumerate(extracts, start=1):
        name, table, day = extract if isinstance(extract, tuple) else ("kantor", extract, number)
        read = identified(
            extract_rows(table.encode(), of.sources[name]),
            source=name,
            file_name=f"{number}.csv",
            extract_sha256=f"{number:064}",
            received_at=datetime(2019, 5, day, tzinfo=UTC),
            is_synthetic=False,
        )
        admitted.setdefault(name, []).append(read)
    read_as = []
    for name, frames in admitted.items():
        known = region_lookup(of.reference, of.sources[name], of.edition.regions_date)
        read_as.append(admission(pl.concat(frames), of.sources[name], of.corrections, known, of.dictionary))
    design = design_frames(of)
    figures = pl.concat([each.admitted for each in read_as])
    came_to = resolved_figures(figures, pl.concat([each.refused_keys for each in read_as]), of, design)
    named = came_to.reported.join(design["unit"].select("unit_key", "region_code"), on="unit_key")
    named = named.join(design["node"].select("node_key", "node_code"), on="node_key")
    findings: dict[str, list[tuple[Any, ...]]] = {}
    told = pl.concat([came_to.findings, *(each.findings for each in read_as)]).sort("check", "subject")
    for check, *rest in told.rows():
        findings.setdefault(check, []).append(tuple(rest))
    assert named.select("unit_key", "node_key").is_unique().all()
    return Outcome(
        {(row["region_code"], row["node_code"]): row for row in named.to_dicts()}, findings, came_to, read_as
    )


def table(rows: dict[str, str], *columns: str) -> str:
    """A table of regions and their cells in some columns; the others are blank."""
    columns = columns or ITEMS
    others = [name for name in ITEMS if name not in columns]
    lines = [
        ",".join(["wilayah", *columns, *others]),
        *(f"{code},{cells}{',' * len(others)}" for code, cells in rows.items()),
    ]
    return "\n".join(lines) + "\n"


def all_of(code: str, cells: str, count: int | None = None) -> dict[str, str]:
    """The same cells for the first regencies of a province, or all."""
    return {f"{code}.{place:02}": cells for place in range(1, (count or MEMBERS[code]) + 1)}


def test_a_ratio_is_its_parts_and_per_how_many() -> None:
    got = outcome(
        methodology(), table({"11.01": "1,3,4,7", "11.02": "0,0,8,0", "11.03": "4,4,4,1", "11.04": "0.5,0,1.5,2"})
    )
    assert got.value("11.01") == 25
    assert got.value("11.01", "bagian") == 0.75
    assert got.value("11.01", "jumlah") == 7
    assert got.parts("11.01") == (1, 4, None)
    assert got.parts("11.01", "jumlah") == (None, None, None)
    assert [got.value(code) for code in ("11.02", "11.03")] == [0, 100]
    assert got.value("11.04") == pytest.approx(100 / 3)
    statuses = {code: got.values[code, "persen"]["status"] for code in ("11.01", "11.02", "11.03")}
    assert statuses == {"11.01": "reported", "11.02": "reported_zero", "11.03": "reported"}
    assert all(row["treated_value"] == row["raw_value"] for row in got.values.values())
    assert got.findings == {}


@pytest.mark.parametrize("per", ["1", "10", "1000", "0.5"])
def test_per_any_number(per: str) -> None:
    of = methodology()
    nodes = [node.model_copy(update={"per": Decimal(per), "unit": "severity_sum"}) for node in of.edition.nodes]
    of = replace(of, edition=of.edition.model_copy(update={"nodes": tuple(nodes)}))
    assert outcome(of, table({"11.01": "1,,4,"})).value("11.01") == float(per) / 4


def test_parts_come_from_one_extract_or_from_two() -> None:
    one = outcome(methodology(), table({"11.01": "1,3,4,7"}))
    two = outcome(methodology(), table({"11.01": "1,3"}, "rusak", "hilang"), table({"11.01": "4,7"}, "semua", "jumlah"))
    for node in ("persen", "bagian", "jumlah"):
        assert two.value("11.01", node) == one.value("11.01", node)
        assert two.parts("11.01", node) == one.parts("11.01", node)
    assert one.values["11.01", "persen"]["extract_count"] == 1


def test_parts_come_from_two_sources() -> None:
    sources: dict[str, Any] = {
        "kantor": counts(items=items("rusak", "hilang", "jumlah")),
        "kpu": counts(items=items("semua")),
    }
    told = ("kantor", "wilayah,rusak,hilang,jumlah\n11.01,1,3,7\n", 1), ("kpu", "wilayah,semua\n11.01,4\n", 2)
    got = outcome(methodology(**sources), *told)
    assert (got.value("11.01"), got.value("11.01", "bagian")) == (25, 0.75)
    assert got.findings == {}


# The cells rusak and semua, and what is known of the ratio where a blank numerator counts as zero, and where not.
GAPS = {
    "both": ("1,4", 25, 25),
    "no numerator": (",4", "imputed", None),
    "zero as the numerator": ("0,4", 0, 0),
    "no denominator": ("1,", None, None),
    "a word for no denominator": ("1,n/a", None, None),
    "zero as the denominator": ("1,0", None, None),
    "zero by zero": ("0,0", None, None),
    "zero by nothing known": ("0,", None, None),
    "a denominator that is no number": ("1,empat", None, None),
    "a denominator below zero": ("1,-4", None, None),
    "a numerator that is no number": ("satu,4", None, None),
    "neither": (",", "imputed", None),
    "more than all": ("5,4", None, None),
    "far more than all": ("5,0.0001", None, None),
    "all": ("4,4", 100, 100),
}


@pytest.mark.parametrize("name", GAPS)
def test_a_ratio_with_a_gap_is_not_known_and_never_zero(name: str) -> None:
    cells, imputed, unknown = GAPS[name]
    for nodes, expected in ((ZERO, imputed), (NODES, unknown)):
        got = outcome(methodology(nodes), table({"11.01": cells + ",1"}, "rusak", "semua", "jumlah"))
        assert got.value("11.01") == expected
        assert got.value("11.01", "jumlah") == 1


def test_a_ratio_that_cannot_be_is_found_and_not_used() -> None:
    got = outcome(methodology(ZERO, sums=()), table({"11.01": "5,9,4,1", "11.02": "1,4,4,1", "11.03": "5,0,0,1"}))
    assert got.findings == {
        "ratio_out_of_range": [
            ("11.01 Kabupaten 11 1 / input / bagian", "9.0 / 4.0", "0 - 1"),
            ("11.01 Kabupaten 11 1 / input / persen", "5.0 / 4.0", "0 - 100"),
            ("11.03 Kabupaten 11 3 / input / persen", "5.0 / 0.0", "0 - 100"),
        ]
    }
    assert (got.value("11.01"), got.value("11.01", "bagian")) == (None, None)
    assert (got.value("11.02"), got.value("11.02", "bagian")) == (25, 1)
    assert got.value("11.03") is None  # five of nothing
    assert got.value("11.03", "bagian") is None  # nothing of nothing: not impossible, only not known


def test_what_a_ratio_is_divided_by_has_a_lineage_of_its_own() -> None:
    got = outcome(methodology(), table({"11.01": "1,3,4,7", "11.02": ",,,2"}))
    told = got.resolved.observation.select("region_code", "node_code", "value", "state").sort(
        "region_code", "node_code"
    )
    assert told.rows() == [
        ("11.01", "bagian", 3, "used"),
        ("11.01", "jumlah", 7, "used"),
        ("11.01", "persen", 1, "used"),
        ("11.01", "semua", 4, "used"),
        ("11.02", "bagian", None, "blank"),
        ("11.02", "jumlah", 2, "used"),
        ("11.02", "persen", None, "blank"),
        ("11.02", "semua", None, "blank"),
    ]
    assert got.findings == {}
    assert {node for _, node in got.values} == {"persen", "bagian", "jumlah"}


def test_what_others_are_divided_by_may_be_an_indicator_too() -> None:
    nodes = NODES.replace("none,,,jumlah,A", "none,,,semua,A")
    got = outcome(methodology(nodes), table(all_of("11", "1,3,4,0")))
    assert (got.value("11.01"), got.value("11.01", "jumlah"), got.value("11", "jumlah")) == (25, 4, 16)
    assert got.parts("11") == (4, 16, 4)


def test_a_denominator_that_is_replaced() -> None:
    got = outcome(methodology(), table({"11.01": "1,3,4,7"}), table({"11.01": "5"}, "semua"))
    assert got.value("11.01") == 20
    assert got.findings == {"replaced": [("11.01 Kabupaten 11 1 / input / semua", "kantor 4.0", "5.0")]}


def test_a_denominator_of_which_sources_disagree() -> None:
    sources: dict[str, Any] = {"kantor": counts(), "kpu": counts(items=items("semua"), precedence=20)}
    got = outcome(
        methodology(**sources), ("kantor", table({"11.01": "1,3,4,7"}), 2), ("kpu", "wilayah,semua\n11.01,5\n", 1)
    )
    assert got.value("11.01") == 20
    assert got.findings == {
        "contradiction": [("11.01 Kabupaten 11 1 / input / semua", "kantor 4.0; kpu 5.0", "5.0 (kpu)")]
    }


@pytest.mark.parametrize("nodes", [NODES, ZERO])
def test_a_denominator_that_nothing_but_chance_could_decide(nodes: str) -> None:
    extracts = [("kantor", table({"11.01": f"1,3,{whole},7"}), 1) for whole in (4, 5)]
    got = outcome(methodology(nodes), *extracts)
    assert (got.value("11.01"), got.value("11.01", "bagian"), got.value("11.01", "jumlah")) == (None, None, 7)
    assert list(got.findings) == ["conflicting_extracts"]
    states = got.resolved.observation.filter(node_code="semua")["state"].to_list()
    assert states == ["conflicting", "conflicting"]


def test_a_denominator_that_is_corrected() -> None:
    lost = Correction(
        id="lost-digit",
        source="kantor",
        region="11.01",
        item="semua",
        expect="4",
        value="40",
        reason="r",
        reference="f",
        evidence="A",
        declared_date=date(2019, 6, 1),
    )
    got = outcome(methodology(corrections=[lost]), table(all_of("11", "1,3,4,7")))
    assert (got.value("11.01"), got.value("11.02")) == (2.5, 25)
    assert got.parts("11") == (4, 52, 4)
    assert list(got.findings) == ["correction_applied"]
    row = got.resolved.observation.filter(region_code="11.01", node_code="semua").row(0, named=True)
    assert (row["value_sent"], row["value"], row["correction"]) == (4, 40, "lost-digit")


def test_a_region_above_has_the_quotient_of_the_sums() -> None:
    rows = {"11.01": "1,0,2,10", "11.02": "1,1,8,20", "11.03": "0,2,10,0", "11.04": "3,4,20,0.5"}
    got = outcome(methodology(), table(rows))
    assert got.parts("11") == (5, 40, 4)
    assert got.value("11") == 12.5  # and not 21.875, the mean of the ratios
    assert got.parts("11", "bagian") == (7, 40, 4)
    assert got.value("11", "jumlah") == 30.5
    assert got.parts("11", "jumlah") == (None, None, 4)
    assert got.value("ID") is None  # four of twenty-nine
    assert got.values["11", "persen"]["status"] == "reported"


def test_something_of_nothing_is_in_no_sum() -> None:
    got = outcome(methodology(), table({**all_of("11", "1,1,4,1", 3), "11.04": "5,0,0,1"}))
    assert got.parts("11") == (3, 12, 3)
    # nothing of nothing is known, and adds nothing
    assert got.parts("11", "bagian") == (3, 12, 4)


def test_where_there_is_nothing_to_report_no_sum_asks_for_it() -> None:
    of = methodology(sums=[(LOWER, UPPER, 1)])
    exempt = tuple(NotApplicable(within=f"11.{place:02}", nodes=("persen",), evidence="A") for place in (1, 2))
    of = replace(of, edition=of.edition.model_copy(update={"not_applicable": exempt}))
    got = outcome(of, table({"11.01": ",1,4,1", "11.02": ",1,4,1", "11.03": "1,1,4,1", "11.04": "2,,4,1"}))
    assert got.parts("11") == (3, 8, 2)
    assert ("11", "bagian") not in got.values  # 11.04 is asked for it
    assert got.value("11", "jumlah") == 4


def test_a_ratio_of_its_own_with_a_gap_does_not_hide_the_sum() -> None:
    both = counts(region_levels=["province", "regency_city"], items=items(*ITEMS))
    both["items"] = {label: each | {"approach": "input"} for label, each in both["items"].items()}
    above: tuple[str, str] = ("province", "input")
    levels = [plan.model_copy(update={"approaches": ("input",)}) for plan in methodology().edition.region_levels]
    of = methodology(sums=[(LOWER, above, 0.5)], kantor=both)
    of = replace(of, edition=of.edition.model_copy(update={"region_levels": (levels[0], *levels[1:])}))
    got = outcome(of, table({**all_of("11", "1,1,4,1"), "11": "7,9,,50"}), table({"12": "5,1,4,"}))
    assert got.parts("11") == (4, 16, 4)
    assert got.parts("11", "bagian") == (4, 16, 4)
    assert got.value("11", "jumlah") == 50  # of its own
    assert got.value("12") is None
    assert list(got.findings) == ["ratio_out_of_range"]


def test_a_sum_of_zeros_is_a_reported_zero() -> None:
    got = outcome(methodology(), table(all_of("11", "0,0,8,0")))
    assert [got.values["11", node]["status"] for node in ("persen", "bagian", "jumlah")] == ["reported_zero"] * 3
    assert got.parts("11") == (0, 32, 4)


def test_denominators_that_add_up_to_zero() -> None:
    got = outcome(methodology(), table(all_of("11", "0,0,0,1")))
    assert (got.value("11"), got.value("11", "jumlah")) == (None, 4)
    assert got.findings == {}


# How many of the twenty-five regencies of 12 are known, the share that is asked for, and whether it is reached.
SHARES = [
    *[(known, 0.5, known >= 13) for known in (1, 12, 13, 25)],
    *[(known, 0.52, known >= 13) for known in (12, 13, 14)],
    *[(known, 0.04, known >= 1) for known in (0, 1)],
    *[(known, 1, known >= 25) for known in (24, 25)],
    *[(known, 0.2, known >= 5) for known in (4, 5, 6)],
    (7, 0.28, True),  # 25 x 0.28 is more than 7 in binary
]


@pytest.mark.parametrize(("known", "share", "reached"), SHARES)
def test_a_sum_needs_enough_of_the_regions_below(known: int, share: float, reached: bool) -> None:
    of = methodology(sums=[(LOWER, UPPER, share)])
    rows = all_of("12", "1,1,4,3", known) if known else {}
    got = outcome(of, table({"11.01": "1,1,4,3", **rows}))
    for node in ("persen", "bagian", "jumlah"):
        assert (("12", node) in got.values) == reached
    if reached:
        assert got.parts("12") == (known, 4 * known, known)
        assert got.value("12", "jumlah") == 3 * known


def test_of_a_ratio_only_regions_count_of_which_both_parts_are_known() -> None:
    rows = {"11.01": "1,1,4,1", "11.02": "2,,4,1", "11.03": ",2,4,1", "11.04": "7,7,,1"}
    got = outcome(methodology(), table(rows))
    assert got.parts("11") == (3, 8, 2)
    assert got.parts("11", "bagian") == (3, 8, 2)
    assert got.value("11", "jumlah") == 4
    got = outcome(methodology(), table(rows | {"11.02": ",,4,1"}))
    assert got.value("11") is None  # one of four
    assert got.parts("11", "bagian") == (3, 8, 2)


def test_a_filled_gap_is_not_added() -> None:
    got = outcome(methodology(ZERO), table(all_of("11", "1,1,4,1") | {"11.04": ",1,100,1"}))
    assert got.value("11.04") == "imputed"
    assert got.parts("11") == (3, 12, 3)


def test_sums_over_several_levels_are_sums_of_the_same_figures() -> None:
    got = outcome(methodology(), table(all_of("11", "1,0,4,2", 1) | all_of("12", "2,1,5,3", 20)))
    assert got.value("11") is None  # one of four
    assert got.parts("12") == (40, 100, 20)
    assert got.parts("ID") == (41, 104, 21)  # what is known counts for the country, whatever its province has
    assert (got.value("12", "jumlah"), got.value("ID", "jumlah")) == (60, 62)


def test_how_many_extracts_a_sum_is_made_of() -> None:
    extracts = [table({"11.01": "1,1,4,1", "11.02": "1,,4,1"}), table({"11.03": "1,1,4,1"}), table({"11.04": "1,1,,"})]
    got = outcome(methodology(), *extracts)
    counts = {node: got.values["11", node]["extract_count"] for node in ("persen", "bagian", "jumlah")}
    assert counts == {"persen": 2, "bagian": 2, "jumlah": 2}
    assert {got.values[f"11.0{place}", "persen"]["extract_count"] for place in (1, 2, 3)} == {1}


def test_a_sum_is_evidenced_where_one_of_its_figures_is() -> None:
    entry = counts(columns={"region": ["wilayah"], "reference": ["bukti"]})
    text = "wilayah,rusak,hilang,semua,jumlah,bukti\n" + "".join(
        f"11.0{place},1,1,4,1,{'x' * (place == 2)}\n" for place in range(1, 5)
    )
    got = outcome(methodology(kantor=entry), text)
    assert [got.values[code, "persen"]["is_evidenced"] for code in ("11.01", "11.02", "11")] == [False, True, True]


def test_what_a_region_tells_of_itself_beats_the_sum() -> None:
    own = counts(region_levels=["province"], items=items("rusak", "semua", "jumlah", approach="rollup"))
    of = methodology(kantor=counts(), provinsi=own)

    def with_own(cells: str) -> Outcome:
        told = ("provinsi", f"wilayah,rusak,semua,jumlah\n11,{cells}\n", 9)
        return outcome(of, table(all_of("11", "1,1,4,2")), told)

    got = with_own("9,10,3")
    assert got.parts("11") == (9, 10, None)
    assert (got.value("11"), got.value("11", "jumlah")) == (90, 3)
    assert got.parts("11", "bagian") == (4, 16, 4)  # of this it tells nothing
    got = with_own("0,10,0")
    assert (got.value("11"), got.value("11", "jumlah")) == (0, 0)
    got = with_own(",10,")
    assert (got.parts("11"), got.value("11", "jumlah")) == ((4, 16, 4), 8)
    got = with_own("20,10,")
    assert list(got.findings) == ["ratio_out_of_range"]
    assert got.value("11") is None  # what it tells is wrong, which the sum does not mend


def scores(item: str) -> dict[str, Any]:
    """The entry of a source of finished scores of an item, for provinces and regencies."""
    told = {"atas": {"item": item, "approach": "rollup"}, "bawah": {"item": item, "approach": "input"}}
    levels = ["province", "regency_city"]
    return counts(region_levels=levels, measure="score", unit="pct", items=told, precedence=20)


def test_a_finished_score_beats_the_sum_and_is_none_of_what_is_added() -> None:
    below = table(all_of("11", "1,1,4,2"))
    of = methodology(kantor=counts(), skor=scores("jumlah"))
    got = outcome(of, below, ("skor", "wilayah,atas,bawah\n11.04,,70\n", 9))
    assert got.resolved.entered["score"].to_list() == [70]
    assert (got.value("11.04", "jumlah"), got.value("11", "jumlah")) == (70, 6)
    assert got.values["11", "jumlah"]["members_counted"] == 3
    got = outcome(of, below, ("skor", "wilayah,atas,bawah\n11,60,\n", 9))
    assert got.resolved.entered["score"].to_list() == [60]
    assert (got.value("11", "jumlah"), got.values["11", "jumlah"]["is_score"]) == (60, True)
    assert got.values["11", "jumlah"]["members_counted"] is None
    of = methodology(kantor=counts(), skor=scores("rusak"))
    got = outcome(of, below, ("skor", "wilayah,atas,bawah\n11.04,,70\n", 9))
    assert got.parts("11") == (3, 12, 3)


def test_a_cap_is_laid_on_sums_as_on_any_figure() -> None:
    caps = [
        {"level": "province", "approach": "rollup", "cap_quantile": "0.5", "evidence": "A"},
        {"level": "regency_city", "approach": "input", "cap_quantile": "0.9", "evidence": "A"},
    ]
    rows = all_of("11", "1,1,10,2") | {"11.04": "5,1,10,200"} | all_of("12", "4,1,10,2")
    got = outcome(methodology(treatments=caps), table(rows))
    # The sums are of what was reported, before any cap: 8/40 and 100/250; the cap is the median of both provinces.
    assert (got.parts("11"), got.parts("12")) == ((8, 40, 4), (100, 250, 25))
    assert [got.values[code, "persen"]["raw_value"] for code in ("11", "12")] == [20, 40]
    assert [got.values[code, "persen"]["treated_value"] for code in ("11", "12")] == [20, 30]
    assert [got.values[code, "jumlah"]["raw_value"] for code in ("11", "12")] == [206, 50]
    assert [got.values[code, "jumlah"]["treated_value"] for code in ("11", "12")] == [128, 50]
    assert got.values["11.04", "jumlah"]["raw_value"] == 200
    assert got.values["11.04", "jumlah"]["treated_value"] == 2


FIGURE = st.one_of(st.none(), st.floats(0, 1e6, allow_nan=False).map(lambda value: round(value, 7)))
ROW = st.tuples(FIGURE, FIGURE, FIGURE, FIGURE)


def hexadecimal(got: Outcome) -> dict[Any, Any]:
    """Every figure with all of its bits."""
    kept = ("raw_value", "treated_value", "numerator", "denominator")
    return {
        place: [None if row[name] is None else row[name].hex() for name in kept]
        + [row["members_counted"], row["status"]]
        for place, row in got.values.items()
    }


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.lists(ROW, min_size=29, max_size=29), st.randoms(use_true_random=False), st.integers(0, 28))
def test_sums_do_not_depend_on_the_order_of_rows(rows: list[Any], order: Any, cut: int) -> None:
    codes = list(all_of("11", "") | all_of("12", ""))
    cells = {
        code: ",".join("" if cell is None else f"{cell:.7f}" for cell in row)
        for code, row in zip(codes, rows, strict=True)
    }
    shuffled = order.sample(codes, len(codes))
    of = methodology(sums=[(LOWER, UPPER, 0.2), (LOWER, COUNTRY, 0.2)])
    first = outcome(of, table(cells))
    again = outcome(of, table({code: cells[code] for code in shuffled}))
    assert hexadecimal(again) == hexadecimal(first)
    parts = [{code: cells[code] for code in part} for part in (shuffled[:cut], shuffled[cut:]) if part]
    assert hexadecimal(outcome(of, *map(table, parts))) == hexadecimal(first)
    for above, places in (("11", codes[:4]), ("12", codes[4:]), ("ID", codes)):
        told = [row for code, row in zip(codes, rows, strict=True) if code in places]
        known = [(row[0], row[2]) for row in told if None not in (row[0], row[2])]
        known = [(part, of_all) for part, of_all in known if part <= of_all]
        whole = sum(each for _, each in known)
        if len(known) < 0.2 * len(told) or not whole:
            assert first.value(above) is None
        elif 0 <= sum(part for part, _ in known) <= whole:
            assert first.parts(above) == (
                pytest.approx(sum(part for part, _ in known)),
                pytest.approx(whole),
                len(known),
            )
        plain = [row[3] for row in told if row[3] is not None]
        expected = pytest.approx(sum(plain)) if len(plain) >= 0.2 * len(told) else None
        assert first.value(above, "jumlah") == expected


# name: what is replaced in nodes.csv, by what, row, words of the sentence
BROKEN = {
    "a denominator of an aggregate": (
        "mean,,,A,,,",
        "mean,,,A,,semua,100",
        2,
        ["'indeks' has children", "no denominator"],
    ),
    "an item that no source sends": (",semua,100", ",seluruh,100", 3, ["'seluruh'", "none of the edition's sources"]),
    "per without a denominator": ("jumlah,A,,,", "jumlah,A,,,100", 5, ["'jumlah' says per how many", "no denominator"]),
    "per text": (",semua,100", ",semua,seratus", 3, ["per", "seratus"]),
    "per less than nothing": (",semua,100", ",semua,-100", 3, ["per", "greater than 0"]),
    "per without end": (",semua,100", ",semua,inf", 3, ["per"]),
    "no ratio, and another unit": (
        ",semua,100",
        ",,",
        3,
        ["unit of 'persen' is pct", "kantor sends it in severity_sum"],
    ),
    "another column": ("denominator,per", "denominator,times", 1, ["unknown: times"]),
    "columns in another order": ("denominator,per", "per,denominator", 1, ["the header must be"]),
    "too many cells": (",semua,100", ",semua,100,x", 3, ["18 cells", "17"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_of_nodes_is_refused_with_row_and_sentence(name: str) -> None:
    old, new, row, words = BROKEN[name]
    assert old in NODES
    with pytest.raises(MethodologyError) as caught:
        as_written(NODES.replace(old, new, 1))
    matching = [each for each in caught.value.problems if all(word in each.sentence for word in words)]
    assert [(each.file, each.row) for each in matching] == [("editions/rasio/nodes.csv", row)]
    assert all(each.sentence.endswith(".") and "\n" not in each.sentence for each in caught.value.problems)


def test_a_table_of_nodes_without_ratios_needs_no_columns_for_them() -> None:
    lines = [",".join(line.split(",")[:-2]) for line in NODES.splitlines() if "semua" not in line]
    of = methodology("\n".join(lines) + "\n")
    assert [node.denominator for node in of.edition.nodes] == [None, None]
    assert outcome(of, table({"11.01": "1,3,4,7"})).value("11.01", "jumlah") == 7


@pytest.mark.parametrize("per", ["0", "0.0"])
def test_per_of_zero_is_refused(per: str) -> None:
    with pytest.raises(MethodologyError, match="greater than 0"):
        as_written(NODES.replace(",semua,100", f",semua,{per}"))


def test_sums_are_made_of_what_was_reported_and_not_of_other_sums() -> None:
    got = outcome(
        methodology(sums=[(LOWER, UPPER, 0.5), (UPPER, COUNTRY, 0.5)]),
        table(all_of("11", "1,1,4,2") | all_of("12", "1,1,4,2")),
    )
    assert not [place for place in got.values if place[0] == "ID"]


def test_a_ratio_of_two_extracts_is_made_of_two() -> None:
    extracts = [table(all_of("11", "1"), "rusak"), table(all_of("11", "4"), "semua")]
    got = outcome(methodology(), *extracts)
    assert [got.values[code, "persen"]["extract_count"] for code in ("11.01", "11")] == [2, 2]


def test_a_ratio_that_cannot_be_is_not_added() -> None:
    got = outcome(methodology(), table(all_of("11", "1,1,4,2") | {"11.04": "5,1,4,2"}))
    assert got.parts("11") == (3, 12, 3)


@pytest.mark.parametrize("cells", ["11,60,", "11.04,,60"])
def test_a_finished_score_of_a_ratio_is_reported(cells: str) -> None:
    of = methodology(kantor=counts(), skor=scores("rusak"))
    got = outcome(of, table(all_of("11", "1,1,4,2")), ("skor", f"wilayah,atas,bawah\n{cells}\n", 9))
    assert got.value(cells.partition(",")[0]) == 60
