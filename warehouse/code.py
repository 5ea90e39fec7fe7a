"""The code that computes: what a snapshot names besides its extracts and its methodology."""

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

PACKAGES = ("flows", "schemas", "transforms", "warehouse")
# What reads, checks and computes figures; a new version of one of them could do so differently.
LIBRARIES = ("duckdb", "pandera", "polars", "pyarrow", "python-calamine")


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
