"""Properties that hold for any input."""

import csv
import io
from contextlib import suppress

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contract.refusals import Refusal
from schemas.contract.tables import row_violations
from schemas.methodology.library import Library
from tests.sql.test_cases import INPUTS, STATEMENTS
from transforms.extracts.admission import Admission, admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import region_lookup
from warehouse.engine.database import statement, used

METHODOLOGY = Library().edition("ikp-2024-published")
NAME = "siaran-pers-provinsi"
SOURCE = METHODOLOGY.sources[NAME]
LOOKUP = region_lookup(METHODOLOGY.reference, SOURCE, METHODOLOGY.edition.regions_date)

REGION = st.sampled_from(
    ["Aceh", "Prov. Bali", "BALI", "Kab. Bandung", "Papua Selatan", "", "-", "Prov. Kalimantan Timur"]
)
ITEM = st.sampled_from(["Input provinsi", "input  PROVINSI", "Agregat kab/kota", "lain", ""])
FIGURE = st.one_of(
    st.floats(-1e3, 1e3).map(lambda value: f"{value:.2f}".replace(".", ",")),
    st.sampled_from(["-", "n/a", "", "77,04", "77.04", "1.234,5", "inf", "NaN", "9" * 400, "=1+1", "０", "١"]),
    st.text(max_size=6),
)
ROW = st.tuples(REGION, ITEM, FIGURE, st.text(max_size=5))


def admitted(content: bytes) -> tuple[Admission, int]:
    read = identified(extract_rows(content, SOURCE), source=NAME, file_name="any.csv", extract_sha256="0" * 64)
    return admission(read, SOURCE, METHODOLOGY.corrections, LOOKUP, METHODOLOGY.dictionary), read.height


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, min_size=1, max_size=12))
def test_every_row_is_admitted_or_quarantined_and_none_lies_outside_its_domain(rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows(
        [("Provinsi", "Variabel", "Skor", "Alamat sumber"), *rows]
    )
    try:
        read, rows_in = admitted(text.getvalue().encode("utf-8", "surrogatepass"))
    except Refusal:
        return
    bad = read.quarantine.select("row").unique().height
    assert read.admitted.height + bad == rows_in
    assert not set(read.admitted["row"]) & set(read.quarantine["row"])
    values = read.admitted["value"].drop_nulls()
    assert values.is_between(0, 100).all()
    figures = read.admitted.drop_nulls("value")
    assert figures.select("region_code", "source_item", "approach").is_duplicated().sum() == 0
    assert (
        read.quarantine.select("message_en", "message_id", "action_en", "action_id").null_count().sum_horizontal()[0]
        == 0
    )
    assert not read.quarantine["message_en"].str.contains(r"\{(value|expected)\}").any()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(Refusal):
        admitted(content)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60), st.randoms(use_true_random=False))
def test_sums_have_the_same_bits_in_any_order(scores: list[float], random: object) -> None:
    order = list(range(len(scores)))
    random.shuffle(order)  # type: ignore[attr-defined]
    results = []
    for places in (range(len(scores)), order):
        with duckdb.connect(config={"threads": 2}) as connection:
            for text in INPUTS:
                connection.execute(text)
            connection.execute(statement("sql", "schema"))
            connection.execute("drop table node_value")
            connection.execute(
                "create table node as select 1 as node_key, 2 as node_level, null::integer as parent_key, "
                "0::bigint as weight_units, 1::bigint as weight_scale, 'sum' as aggregation, 'complete' as missing, "
                "$n as children_expected, $n::bigint as children_weight_units",
                {"n": len(scores)},
            )
            for place in places:
                connection.execute("insert into node values ($k, 1, 1, 1, 1, null, 'unknown', 0, 0)", {"k": place + 2})
                row = {"k": place + 2, "s": scores[place]}
                connection.execute("insert into node_result values (1, 1, $k, $s, 'computed')", row)
            for name in ("child_term", "child_sum", "node_value"):
                text = STATEMENTS[name]
                connection.execute(text, used(text, {"node_level": 2, "first_unit": 1, "last_unit": 1}))
            results.append(connection.execute("select value from node_value").fetchall()[0][0])
    assert results[0].hex() == results[1].hex()
    assert results[0] == pytest.approx(sum(scores), abs=1e-6 * max(1.0, *map(abs, scores)))


def test_the_contract_refuses_a_lazy_frame() -> None:
    """Pandera would look at its schema only and let every row pass."""
    frame = pl.DataFrame({"region": ["x"]}).lazy()
    with pytest.raises(TypeError, match="eager"):
        row_violations(frame, METHODOLOGY.dictionary, "_extract_row", METHODOLOGY.dictionary.units["count"])  # type: ignore[arg-type]
