"""SQL cases are data: a statement, its input tables and parameters, and the rows that must come out."""

import re
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from schemas.methodology.library import Library
from warehouse.engine.database import checks, statement, statements, used

HERE = Path(__file__).parent / "cases"
CASES = [
    (path.stem, name, case)
    for path in sorted(HERE.glob("*.yml"))
    for name, case in yaml.safe_load(path.read_text()).items()
]
FOLDERS = ("sql/score", "sql/gate", "sql/publish")
STATEMENTS = {name: statement(folder, name) for folder in FOLDERS for name in statements(folder)}
CHECKS = {
    text.removeprefix("-- ").partition(":")[0]: text
    for name in statements("sql/score")
    for text in checks("sql/score", name)
}
# What every statement may read; cases give the columns that they are about.
INPUTS = (
    """create table reported (population_key integer, unit_key integer, node_key integer, raw_value double,
        treated_value double, status varchar, is_evidenced boolean default false, is_score boolean default false)""",
    "create table report (unit_key integer, reports bigint default 1, reported_nodes bit, imputed_nodes bit)",
    """create table node_value (population_key smallint, unit_key integer, node_key smallint,
        node_level integer default 1, value double)""",
    "create table not_applicable (unit_key integer, node_key integer)",
    "create table roll_up_exempt (roll_up_key integer, target_key integer, node_key integer, exempt integer)",
    """create table cut_off_span (population_key integer, node_key integer, category varchar, basis varchar,
        lower_parameter double, upper_parameter double, closed_side varchar, evidence varchar, rule_order integer,
        position integer, n_needed integer)""",
    "create table entered_rank (unit_key integer, node_key integer, category varchar, rank bigint)",
    'create table finding ("check" varchar, subject varchar, observed varchar, expected varchar)',
)
DEFAULTS = {
    "first_unit": 1,
    "last_unit": 1_000_000,
    "first_node": 1,
    "last_node": 1000,
    "node_count": 20,
    "node_level": 1,
}


def rounded(value: Any) -> Any:
    return float(f"{value:.9g}") if isinstance(value, float) else value


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[list[Any]], make: bool) -> None:
    """Put rows into a table; the header says the type of each column."""
    header, *body = rows
    names, types = zip(*(cell.split(":") for cell in header), strict=True)
    frame = pl.DataFrame(body, schema=list(names), orient="row", strict=False)
    connection.register("frame", frame.to_arrow())
    typed = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in zip(names, types, strict=True))
    verb = "create or replace table {} as" if make else "insert into {} by name"
    connection.execute(f"{verb.format(table)} select {typed} from frame")


@pytest.mark.parametrize(("name_of_statement", "name", "case"), CASES, ids=[f"{each[0]}: {each[1]}" for each in CASES])
def test_case(name_of_statement: str, name: str, case: dict[str, Any]) -> None:
    given = case["given"]
    with duckdb.connect() as connection:
        for text in INPUTS:
            connection.execute(text)
        inputs = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        for table in inputs & given.keys():
            fill(connection, table, given[table], make=False)
        connection.execute(statement("sql", "schema"))
        for table in given.keys() - inputs:
            fill(connection, table, given[table], make=True)
        for each in case.get("run", [name_of_statement]):
            text = (CHECKS | STATEMENTS)[each]
            if each in statements("sql/gate"):
                text = f"create table result as {text}"
            if text.partition("create or replace view ")[2].startswith("node_value"):
                connection.execute("drop table node_value")
            connection.execute(text, used(text, DEFAULTS | case.get("with", {})))
        header, *body = case["then"]["rows"]
        columns = ", ".join(f'"{column}"' for column in header)
        found = connection.execute(f"select {columns} from {case['then']['table']} order by all").fetchall()
    assert [[rounded(cell) for cell in row] for row in found] == [[rounded(cell) for cell in row] for row in body]


def test_every_computing_statement_has_cases() -> None:
    computing = {*statements("sql/score"), *statements("sql/gate"), *CHECKS}
    assert computing == {each for statement, _, case in CASES for each in case.get("run", [statement])}


def test_every_statement_is_one_and_says_its_grain() -> None:
    for name, text in STATEMENTS.items():
        assert text.startswith("-- grain: "), name
    for name, text in {**STATEMENTS, **CHECKS}.items():
        code = "".join(line.partition("--")[0] for line in text.splitlines())
        assert ";" not in code, name
    for name, text in CHECKS.items():
        assert f"'{name}' as \"check\"" in text, name


def test_the_name_of_a_scoring_statement_begins_with_the_table_that_it_fills() -> None:
    for name in statements("sql/score"):
        code = "\n".join(line.partition("--")[0] for line in STATEMENTS[name].splitlines())
        filled = re.findall(r"(?:create or replace (?:table|view)|insert into|merge into) (\w+)", code)
        assert len(filled) == 1, name
        assert f"{name}_".startswith(f"{filled[0]}_"), name


AGGREGATION_MACROS = (
    "weighted_term(node.aggregation, 4, 1)",
    "combined(node, 4, 1, 4, 4, 4)",
    "share_of_score(node, 1, 1)",
    "half_units(node)",
)


@pytest.mark.parametrize("macro", AGGREGATION_MACROS)
def test_every_aggregation_of_the_dictionary_has_a_formula_and_no_other(macro: str) -> None:
    with duckdb.connect() as connection:
        for text in (*INPUTS, statement("sql", "schema")):
            connection.execute(text)

        def computed(aggregation: str) -> None:
            node = "select $aggregation as aggregation, 1 as weight_scale, 1 as children_weight_units"
            connection.execute(f"select {macro} from ({node}) as node", {"aggregation": aggregation}).fetchall()

        for aggregation in Library().dictionary.columns["aggregation"].values:
            computed(aggregation)
        with pytest.raises(duckdb.InvalidInputException, match="unknown aggregation: average"):
            computed("average")


def test_only_the_schema_knows_aggregations_by_name() -> None:
    names = Library().dictionary.columns["aggregation"].values
    for name in statements("sql/score"):
        for text in (statement("sql/score", name), *checks("sql/score", name)):
            assert not [each for each in names if f"'{each}'" in text], name
