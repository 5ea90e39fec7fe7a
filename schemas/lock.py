"""The lock of the published schema: the tables and columns that readers of `stable/v<N>/` rely on.

`python -m schemas.lock` adds what the data dictionary has and the newest lock has not. It never takes anything away:
whoever has to, begins the next major version with `--next-major` and keeps publishing the old one beside it. `--check`
changes nothing and says whether the lock is up to date.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.contract.dictionary import ColumnType, Dictionary
from schemas.methodology.library import Library

FOLDER = Path(__file__).parent / "published"
COMMAND = ".venv/bin/python -m schemas.lock"
# How pyarrow names the types of Parquet that a type of the dictionary may be written as; a new column gets the first.
# Integers of version 1 that were 32 bits wide when it was locked stay so.
PARQUET_TYPES: Mapping[ColumnType, tuple[str, ...]] = {
    "text": ("string",),
    "integer": ("int64", "int32"),
    "number": ("double",),
    "boolean": ("bool",),
    "date": ("date32[day]",),
}

# Per table its columns in order, each with its type.
Tables = Mapping[str, Mapping[str, str]]


def lock_file(major: int, folder: Path = FOLDER) -> Path:
    """Where the lock of a major version lies."""
    return folder / f"v{major}.json"


def locks(folder: Path = FOLDER) -> dict[int, Tables]:
    """The locks of all major versions, oldest first."""
    majors = sorted(int(file.stem.removeprefix("v")) for file in folder.glob("v*.json"))
    return {major: json.loads(lock_file(major, folder).read_text(encoding="utf-8")) for major in majors}


def declared(dictionary: Dictionary, locked: Tables) -> Tables:
    """The published tables as the dictionary has them. What is locked keeps its width."""

    def written(table: str, column: str) -> str:
        types = PARQUET_TYPES[dictionary.columns[column].type]
        before = locked.get(table, {}).get(column)
        return before if before in types else types[0]

    return {
        name: {column: written(name, column) for column in table.columns}
        for name, table in dictionary.published.items()
    }


def losses(locked: Tables, found: Tables) -> list[str]:
    """What readers would miss in the tables that were found: one sentence each. New columns may stand anywhere."""
    sentences = [f"The table '{table}' is gone." for table in locked if table not in found]
    for table, columns in locked.items():
        if table not in found:
            continue
        now = found[table]
        sentences += [
            f"{table}: the column '{column}' is gone."
            if column not in now
            else f"{table}: the column '{column}' is {now[column]}, and was {kind}."
            for column, kind in columns.items()
            if now.get(column) != kind
        ]
        if [column for column in now if column in columns] != [column for column in columns if column in now]:
            sentences.append(f"{table}: columns stand in another order.")
    return sentences


def additions(locked: Tables, found: Tables) -> list[str]:
    """What was found and is not locked yet: one sentence each."""
    return [f"The table '{table}' is not locked." for table in found if table not in locked] + [
        f"{table}: the column '{column}' is not locked."
        for table, columns in locked.items()
        for column in found.get(table, {})
        if column not in columns
    ]


def main(arguments: Sequence[str], folder: Path = FOLDER, dictionary: Dictionary | None = None) -> int:
    """Bring the newest lock up to date with the dictionary, or refuse."""
    known = locks(folder)
    newest = max(known, default=0)
    if "--next-major" in arguments:
        newest += 1
        known[newest] = {}
    elif not known:
        return _say(["There is no lock: get v1.json back from the history of the project."])
    locked = known[newest]
    tables = declared(dictionary or Library().dictionary, locked)
    broken = losses(locked, tables)
    if broken:
        way = f"Bring it back, or begin v{newest + 1} with '{COMMAND} --next-major' and publish v{newest} beside it."
        return _say([*broken, f"Readers of v{newest} rely on what is locked. {way}"])
    new = additions(locked, tables)
    if "--check" in arguments:
        return _say([*new, f"'{COMMAND}' adds it."]) if new else 0
    text = json.dumps(tables, indent=2) + "\n"
    lock_file(newest, folder).write_text(text, encoding="utf-8")
    return 0


def _say(sentences: Sequence[str]) -> int:
    sys.stderr.write("\n".join(sentences) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
