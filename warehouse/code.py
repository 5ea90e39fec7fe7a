"""The code that computes: what a snapshot names besides its extracts and its methodology."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from platform import python_version
from threading import Lock
from typing import Any

PACKAGES = ("flows", "schemas", "transforms", "warehouse")
# What reads, checks and computes figures; a new version of one of them could do so differently.
LIBRARIES = ("duckdb", "pandera", "polars", "pyarrow", "python-calamine")
# What the rows of an extract depend on: these modules with all that they import of ours, and these by themselves.
READING, BESIDE = ("transforms.extracts.parse",), ("flows.readers.process", "warehouse.extracts.parsed")
READING_LIBRARIES = ("polars", "pyarrow", "pydantic", "python-calamine", "pyyaml", "xlrd")
# Python 3.11 raises SystemError where two threads make syntax trees at a time (CPython issue 106905).
_SYNTAX = Lock()


@cache
def code_identity() -> dict[str, Any]:
    """The version of the distribution, a SHA-256 over its Python and SQL files, and the libraries that compute."""
    total = hashlib.sha256()

    def add(folder: Traversable, path: str) -> None:
        for entry in sorted(folder.iterdir(), key=lambda each: each.name):
            if entry.is_dir() and entry.name != "__pycache__":
                add(entry, f"{path}/{entry.name}")
            elif entry.name.endswith((".py", ".sql")):
                content = entry.read_bytes()
                total.update(f"{path}/{entry.name}\0{len(content)}\0".encode() + content)

    for package in PACKAGES:
        add(files(package), package)
    libraries = {name: version(name) for name in LIBRARIES}
    return {"version": version("kerawanan"), "sha256": total.hexdigest(), "libraries": libraries}


def reading_identity() -> str:
    """SHA-256 over all that the rows of an extract depend on besides its bytes and its source, hexadecimal: the modules
    that read, without comments and docstrings, Python, and the libraries that read.
    """
    with _SYNTAX:
        return _reading_identity()


@cache
def _reading_identity() -> str:
    return reading_digest(reading_modules())


def reading_digest(modules: dict[str, ast.Module]) -> str:
    """SHA-256 over modules, without comments and docstrings, and over the versions of what they run on."""
    facts = [python_version(), *(f"{name} {version(name)}" for name in READING_LIBRARIES)]
    facts += [f"{name} {ast.dump(_without_docstrings(tree))}" for name, tree in sorted(modules.items())]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def reading_modules() -> dict[str, ast.Module]:
    """The modules that read extracts, by name."""
    found: dict[str, ast.Module] = {name: ast.parse(text) for name in BESIDE if (text := _text_of(name)) is not None}
    coming = list(READING)
    while coming:
        name = coming.pop()
        text = None if name in found else _text_of(name)
        if text is not None:
            found[name] = ast.parse(text)
            coming += imported(found[name])
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """The names of all that a module imports, wherever it does; of a name in a module also that of the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _text_of(module: str) -> bytes | None:
    """The source of a module of ours; None for anything else."""
    package, _, rest = module.partition(".")
    if package not in PACKAGES or not rest:
        return None
    file = files(package) / f"{rest.replace('.', '/')}.py"
    return file.read_bytes() if file.is_file() else None


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                first.value = ast.Constant("")
    return tree
