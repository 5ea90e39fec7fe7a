"""The manifest of a snapshot: a Frictionless Data Package (version 2) that says what it holds and is based on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from schemas.contract.dictionary import Column, Dictionary

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean", "date": "date"}
MEDIA_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "yml": "application/yaml",
}


class SnapshotFile(NamedTuple):
    """A file of a snapshot: its path below the snapshot, its size in bytes and its SHA-256."""

    path: str
    size: int
    sha256: str


def field(name: str, column: Column) -> dict[str, Any]:
    """The Frictionless field of a column."""
    constraints: dict[str, Any] = {} if column.null_when else {"required": True}
    if column.values and column.type == "text":
        constraints["enum"] = list(column.values)
    if column.pattern:
        constraints["pattern"] = column.pattern
    for key, bound in (("minimum", column.lowest), ("maximum", column.highest)):
        if bound is not None:
            constraints[key] = int(bound) if bound == bound.to_integral_value() else float(bound)
    described = {"name": name, "type": TYPES[column.type], "description": column.meaning_en}
    return described | ({"constraints": constraints} if constraints else {})


def resource(file: SnapshotFile, dictionary: Dictionary) -> dict[str, Any]:
    """The Frictionless resource of a file; published tables carry their schema."""
    folder, _, base = file.path.rpartition("/")
    stem, _, kind = base.rpartition(".")
    described: dict[str, Any] = {
        "name": stem if folder == "tables" else file.path.replace("/", "-"),
        "path": file.path,
        "format": kind,
        "mediatype": MEDIA_TYPES[kind],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }
    if folder == "tables":
        table = dictionary.tables[stem]
        described["title"] = table.title_en
        described["schema"] = {"fields": [field(name, dictionary.columns[name]) for name in table.columns]}
    return described


def manifest(
    name: str, title: str, created: str, files: Sequence[SnapshotFile], dictionary: Dictionary, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest. `facts` go under `kerawanan`: the snapshot, its hashes, inputs, methodology, code, predecessor."""
    return {
        "$schema": PROFILE,
        "name": name,
        "title": title,
        "created": created,
        "version": facts["snapshot_id"],
        "resources": [resource(file, dictionary) for file in files],
        "kerawanan": dict(facts),
    }
