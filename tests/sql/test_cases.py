"""SQL cases are data: a statement, its input tables and parameters, and the rows that must come out."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from warehouse.engine.database import used

HERE = Path(__file__).parent / "cases"
CASES = [
    (path.stem, name, case)
    for path in sorted(HERE.glob("*.yml"))
    for name, case in yaml.safe_load(path.read_text()).items()
]
STATEMENTS = {
    Path(str(path)).stem: Path(str(path)).read_text()
    for folder in ("sql/score", "sql/gate", "sql/publish", "checks")
    for path in (files("warehouse.engine") / folder).iterdir()
}
SELECTING = {Path(str(path)).stem for path in (files("warehouse.engine") / "sql/gate").iterdir()}
SETUP = "exact_scale", "origin", "node_bound", "node_scaling", "node_result", "node_overridden", "node_sum", "score_end"


def rounded(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, float) else value


@pytest.mark.parametrize(("statement", "name", "case"), CASES, ids=[f"{each[0]}: {each[1]}" for each in CASES])
def test_case(statement: str, name: str, case: dict[str, Any]) -> None:
    with duckdb.connect() as connection:
        for each in SETUP:
            connection.execute(STATEMENTS[each])
        connection.execute(
            'create table finding ("check" varchar, subject varchar, observed varchar, expected varchar)'
        )
        connection.execute("create table not_applicable (unit_key integer, node_key integer)")
        connection.execute(
            "create table roll_up_exempt (roll_up_key integer, target_key integer, node_key integer, exempt integer)"
        )
        connection.execute("create table report (unit_key integer)")
        for table, rows in case["given"].items():
            header, *body = rows
            frame = pl.DataFrame(body, schema=[cell.split(":")[0] for cell in header], orient="row", strict=False)
            connection.register("frame", frame.to_arrow())
            typed = ", ".join(
                f'cast("{cell.split(":")[0]}" as {cell.split(":")[1]}) as "{cell.split(":")[0]}"' for cell in header
            )
            connection.execute(f"create or replace table {table} as select {typed} from frame")
        for each in case.get("run", [statement]):
            text = STATEMENTS[each]
            if each in SELECTING:
                text = f"create table result as {text}"
            connection.execute(text, used(text, case.get("with", {})))
        header, *body = case["then"]["rows"]
        columns = ", ".join(f'"{column}"' for column in header)
        found = connection.execute(f"select {columns} from {case['then']['table']} order by all").fetchall()
    assert [[rounded(cell) for cell in row] for row in found] == [[rounded(cell) for cell in row] for row in body]


def test_every_computing_statement_has_cases() -> None:
    folders = [files("warehouse.engine") / folder for folder in ("sql/score", "sql/gate", "checks")]
    computing = {Path(str(path)).stem for folder in folders for path in folder.iterdir()}
    # Labels are what the published tables are made with; those are looked at whole, in tests/contract.
    assert computing - {*SETUP, "label", "unit_label", "node_label"} == {
        each for statement, _, case in CASES for each in case.get("run", [statement])
    }


def test_every_statement_is_one_and_says_its_grain() -> None:
    for name, text in STATEMENTS.items():
        assert text.startswith("-- "), name
        code = "".join(line.partition("--")[0] for line in text.splitlines())
        assert ";" not in code, name
