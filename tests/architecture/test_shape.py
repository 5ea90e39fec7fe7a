"""What the design promises of the shape of the code."""

import ast
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.metadata import requires
from pathlib import Path
from typing import get_args

import pytest

from schemas.contract.dictionary import Severity
from schemas.methodology.edition import Closed, Node
from schemas.methodology.library import Library
from schemas.methodology.sources import Approach, Evidence, RegionLevel
from tests.conftest import ROOT

LATE = ("prefect", "great_expectations", "pandera", "pandas")
PACKAGES = ("flows", "transforms", "schemas", "warehouse", "methodology")


@pytest.mark.parametrize("package", PACKAGES)
def test_our_packages_are_the_ones_imported_and_their_init_is_empty(package: str) -> None:
    """PyPI has foreign projects of these names."""
    module = importlib.import_module(package)
    assert module.__file__
    assert Path(module.__file__).parent == ROOT / package
    assert Path(module.__file__).read_text() == ""


def fresh(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/", env=environment
    ).stdout


def test_the_command_line_imports_nothing_heavy_and_reads_no_setting() -> None:
    heavy = ("polars", "duckdb", "pydantic", "rich", "pyarrow", "obstore", "xlsxwriter", "argcomplete", *LATE)
    loaded = fresh(f"import sys, flows.cli; print([name for name in {heavy!r} if name in sys.modules])")
    assert loaded.strip() == "[]"
    assert fresh("import flows.cli, flows.settings, flows.night.steps", KERAWANAN_THREADS="many") == ""


def test_the_core_imports_prefect_great_expectations_pandera_and_pandas_only_when_it_needs_them() -> None:
    loaded = fresh(
        f"import sys, flows.night.steps, flows.results.night; print([n for n in {LATE!r} if n in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_no_module_imports_itself_by_way_of_others() -> None:
    imports: dict[str, set[str]] = {}
    for package in PACKAGES[:4]:
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            body = ast.parse(path.read_text()).body
            imports[module] = {each.module for each in body if isinstance(each, ast.ImportFrom) and each.module}
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_no_edition_indicator_or_category_stands_in_code() -> None:
    words = ("ikp", "bawaslu", "rendah", "sedang", "tinggi", "kontestasi", "partisipasi", "21.7", "13.47", "0.38")
    for package in PACKAGES[:4]:
        for path in [*(ROOT / package).rglob("*.py"), *(ROOT / package).rglob("*.sql")]:
            text = path.read_text().lower()
            assert not [word for word in words if word in text], path


def test_every_dependency_is_bounded_and_imported() -> None:
    # tzdata is data that zoneinfo finds by itself; fastapi and sqlalchemy are Prefect's, and only bounded by us
    modules = {
        "python-json-logger": "pythonjsonlogger",
        "pyyaml": "yaml",
        "tzdata": "zoneinfo",
        "fastapi": "prefect",
        "sqlalchemy": "prefect",
    }
    code = "\n".join(path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    for requirement in requires("kerawanan") or []:
        if "extra ==" in requirement:
            continue
        name = requirement.split("[")[0].split("<")[0].split(">")[0].strip()
        assert ">=" in requirement
        assert "<" in requirement or name == "tzdata"
        module = modules.get(name, name.replace("-", "_"))
        assert f"import {module}" in code or f"from {module}" in code, name


def test_closed_lists_of_the_code_are_those_of_the_dictionary() -> None:
    columns = Library().dictionary.columns
    for column, listed in {
        "region_level": RegionLevel,
        "level": RegionLevel,
        "approach": Approach,
        "evidence": Evidence,
        "closed_side": Closed,
        "severity": Severity,
    }.items():
        assert columns[column].values == get_args(listed), column
    fields = Node.model_fields
    for column in ("normalisation", "aggregation", "missing"):
        assert str(columns[column].values).strip("(),") in str(fields[column].annotation), column


LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_locks_carry_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "index-url" not in text


def test_the_lock_of_a_run_is_part_of_that_of_tests_and_leaves_out_what_only_they_need() -> None:
    run, tests = (set(re.split(r"\n(?! )", (ROOT / name).read_text().strip())) for name in LOCKS[:2])
    assert run <= tests, "common packages have other versions or hashes: make lock"
    names = {entry.partition("==")[0] for entry in run}
    assert {"polars", "prefect", "duckdb"} <= names
    assert not names & {"pytest", "mypy", "moto", "boto3", "dask", "distributed", "prefect-dask"}
