"""What was read before is read anew where the code that reads changes, and only there."""

import ast
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import packages_distributions

import pytest

from warehouse import code
from warehouse.code import PACKAGES, READING_LIBRARIES, imported, reading_digest, reading_modules

MODULE = '''
"""Reads."""

LARGEST = 3


def read(cell: str) -> str:
    """The text of a cell."""
    return cell.strip()[:LARGEST]
'''


def digest(text: str) -> str:
    return reading_digest({"transforms.extracts.parse": ast.parse(text)})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LARGEST = 3", "LARGEST = 3  # letters"),
        ("LARGEST = 3", "# Letters.\n\nLARGEST = 3"),
        ('"""Reads."""', '"""Reads cells."""'),
        ("The text of a cell", "What a cell says"),
        ("    return cell", "\n    return  cell"),
    ],
)
def test_a_comment_changes_nothing(before: str, after: str) -> None:
    assert before in MODULE
    assert digest(MODULE.replace(before, after)) == digest(MODULE)


@pytest.mark.parametrize(
    ("before", "after"), [("LARGEST = 3", "LARGEST = 4"), (".strip()", ".rstrip()"), ("cell: str", "cell: object")]
)
def test_code_changes_it(before: str, after: str) -> None:
    assert digest(MODULE.replace(before, after)) != digest(MODULE)


def test_another_module_and_another_name_change_it() -> None:
    found = {
        reading_digest({name: ast.parse(MODULE) for name in names})
        for names in (["transforms.a"], ["transforms.b"], ["transforms.a", "transforms.b"])
    }
    assert len(found) == 3


def test_it_rests_on_what_reads_and_on_nothing_else() -> None:
    found = reading_modules().keys()
    reads = {"transforms.formats.xlsx_sheet", "transforms.extracts.derived", "schemas.methodology.sources"}
    judges = {
        "transforms.extracts.admission",
        "transforms.regions.lookup",
        "warehouse.engine.gate",
        "flows.night.steps",
    }
    assert reads <= found
    assert not judges & found


def test_all_that_a_reader_imports_of_ours_counts() -> None:
    modules = "print(*(name for name, each in sys.modules.items() if not hasattr(each, '__path__')))"
    script = f"import sys, transforms.extracts.parse; {modules}"
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    ours = {name for name in said if name.partition(".")[0] in PACKAGES}
    assert ours
    assert ours <= reading_modules().keys()


def test_the_libraries_that_read_are_those_that_the_modules_import() -> None:
    of = packages_distributions()
    roots = {name.partition(".")[0] for tree in reading_modules().values() for name in imported(tree)}
    needed = {
        distribution.lower()
        for root in roots - {*PACKAGES, *sys.stdlib_module_names}
        for distribution in of.get(root, [])
    }
    assert needed <= set(READING_LIBRARIES)


def test_modules_are_read_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of an inbox are read side by side, before anybody knows the answer."""
    together: list[int] = []
    within = 0

    def slow() -> dict[str, ast.Module]:
        nonlocal within
        within += 1
        together.append(within)
        time.sleep(0.2)
        within -= 1
        return {}

    monkeypatch.setattr(code, "reading_modules", slow)
    code._reading_identity.cache_clear()
    try:
        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(lambda _: code.reading_identity(), range(4)))) == 1
    finally:
        code._reading_identity.cache_clear()
    assert together == [1]
