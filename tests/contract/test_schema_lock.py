"""What was published once stays: the locks in `schemas/published/` only ever gain columns and tables."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.contract.dictionary import Dictionary
from schemas.lock import COMMAND, FOLDER, Tables, additions, declared, lock_file, locks, losses, main
from schemas.methodology.library import Library
from tests.conftest import Published

NEWEST = max(locks())


def found(folder: Path) -> Tables:
    """The tables in a folder, with their columns and types as pyarrow reads them."""
    schemas = {file.stem: pq.read_schema(file) for file in folder.glob("*.parquet")}
    return {name: {field.name: str(field.type) for field in schema} for name, schema in schemas.items()}


def wrong(known: dict[int, Tables], stable: Path) -> list[str]:
    """What is wrong with the locks, or with the published tables under `stable/` that should satisfy them."""
    newest = max(known, default=0)
    sentences = [f"v{major} has no lock." for major in range(1, max(newest, 1) + 1) if major not in known]
    shown = {folder.name: sorted(folder.iterdir()) for folder in stable.iterdir()}
    sentences += [
        f"{name} is published and has no lock: '{COMMAND} --next-major' writes it."
        for name in sorted(shown)
        if name not in {f"v{major}" for major in known}
    ]
    for major, locked in known.items():
        editions = shown.get(f"v{major}", [])
        if not editions:
            sentences.append(f"v{major} is locked and no longer published.")
        for edition in editions:
            tables = found(edition)
            sentences += [f"v{major}/{edition.name}: {sentence}" for sentence in losses(locked, tables)]
            # An old version is frozen: it may have more, and nobody is asked to lock it.
            new = additions(locked, tables) if major == newest else []
            sentences += [f"v{major}/{edition.name}: {sentence} '{COMMAND}' adds it." for sentence in new]
    return sentences


@pytest.fixture
def stable(bundled: Published, tmp_path: Path) -> Path:
    """A copy of what is stable, to be broken at will."""
    return Path(shutil.copytree(bundled[0].store / "stable", tmp_path / "stable"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the locks, to be written to."""
    return Path(shutil.copytree(FOLDER, tmp_path / "published"))


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Library().dictionary


def test_what_is_published_is_what_is_locked(bundled: Published) -> None:
    assert wrong(locks(), bundled[0].store / "stable") == []


def test_what_the_dictionary_has_is_what_is_locked(dictionary: Dictionary) -> None:
    known = locks()
    locked = known[max(known)]
    tables = declared(dictionary, locked)
    assert losses(locked, tables) == []
    assert additions(locked, tables) == [], f"'{COMMAND}' adds it."


FILES: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "removed": (lambda table: table.drop_columns(["rank"]), "the column 'rank' is gone"),
    "renamed": (
        lambda table: table.rename_columns(["place" if name == "rank" else name for name in table.column_names]),
        "the column 'rank' is gone",
    ),
    "retyped": (
        lambda table: table.set_column(
            table.column_names.index("region_code"), "region_code", pa.nulls(len(table), pa.float64())
        ),
        "the column 'region_code' is double, and was string",
    ),
    "narrower": (
        lambda table: table.set_column(table.column_names.index("rank"), "rank", table["rank"].cast(pa.int32())),
        "the column 'rank' is int32, and was int64",
    ),
    "moved": (lambda table: table.select(sorted(table.column_names)), "columns stand in another order"),
    "added": (
        lambda table: table.add_column(3, "colour", pa.nulls(len(table), pa.string())),
        f"the column 'colour' is not locked. '{COMMAND}' adds it.",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_that_differs_from_the_lock_is_told(name: str, stable: Path) -> None:
    change, sentence = FILES[name]
    file = next((stable / f"v{NEWEST}").glob("*/index_score.parquet"))
    pq.write_table(change(pq.read_table(file)), file)
    told = wrong(locks(), stable)
    assert f"v{NEWEST}/{file.parent.name}: index_score: {sentence}" in "\n".join(told)
    assert len(told) == 1 + (name == "renamed")


def test_a_published_table_that_goes_or_comes_is_told(stable: Path) -> None:
    file = next((stable / f"v{NEWEST}").glob("*/cut_off.parquet"))
    file.rename(file.with_name("bound.parquet"))
    gone, new = wrong(locks(), stable)
    assert gone.endswith("The table 'cut_off' is gone.")
    assert new.endswith(f"The table 'bound' is not locked. '{COMMAND}' adds it.")


def test_a_new_major_version_needs_its_lock_and_the_old_one_beside_it(
    stable: Path, folder: Path, dictionary: Dictionary
) -> None:
    old, new = f"v{NEWEST}", f"v{NEWEST + 1}"
    changed = removed(dictionary)
    for edition in (stable / old).iterdir():
        (stable / new / edition.name).mkdir(parents=True)
        for name, columns in declared(changed, {}).items():
            schema = pa.schema([(column, pa.type_for_alias(kind)) for column, kind in columns.items()])
            pq.write_table(schema.empty_table(), stable / new / edition.name / f"{name}.parquet")

    assert wrong(locks(folder), stable) == [f"{new} is published and has no lock: '{COMMAND} --next-major' writes it."]
    before = lock_file(NEWEST, folder).read_bytes()
    assert main(["--next-major"], folder, changed) == 0
    assert lock_file(NEWEST, folder).read_bytes() == before
    assert wrong(locks(folder), stable) == []
    assert main(["--check"], folder, changed) == 0

    (stable / old).rename(stable.parent / "kept")
    assert wrong(locks(folder), stable) == [f"{old} is locked and no longer published."]
    (stable.parent / "kept").rename(stable / old)
    lock_file(1, folder).unlink()
    assert "v1 has no lock." in wrong(locks(folder), stable)
    for file in folder.iterdir():
        file.unlink()
    assert "v1 has no lock." in wrong(locks(folder), stable)


def with_columns(dictionary: Dictionary, table: str, columns: tuple[str, ...]) -> Dictionary:
    changed = dictionary.tables[table].model_copy(update={"columns": columns})
    return dictionary.model_copy(update={"tables": {**dictionary.tables, table: changed}})


def removed(dictionary: Dictionary) -> Dictionary:
    columns = dictionary.tables["node_score"].columns
    return with_columns(dictionary, "node_score", tuple(name for name in columns if name != "rank"))


def renamed(dictionary: Dictionary) -> Dictionary:
    columns = dictionary.tables["node_score"].columns
    return with_columns(dictionary, "node_score", tuple("n" if name == "rank" else name for name in columns))


def retyped(dictionary: Dictionary) -> Dictionary:
    column = dictionary.columns["rank"].model_copy(update={"type": "number"})
    return dictionary.model_copy(update={"columns": {**dictionary.columns, "rank": column}})


def moved(dictionary: Dictionary) -> Dictionary:
    return with_columns(dictionary, "node_score", tuple(sorted(dictionary.tables["node_score"].columns)))


def table_removed(dictionary: Dictionary) -> Dictionary:
    tables = {name: table for name, table in dictionary.tables.items() if name != "node_score"}
    return dictionary.model_copy(update={"tables": tables})


def table_hidden(dictionary: Dictionary) -> Dictionary:
    tables = {"_node_score" if name == "node_score" else name: table for name, table in dictionary.tables.items()}
    return dictionary.model_copy(update={"tables": tables})


@pytest.mark.parametrize("arguments", [[], ["--check"]])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (removed, "node_score: the column 'rank' is gone."),
        (renamed, "node_score: the column 'rank' is gone."),
        (retyped, "node_score: the column 'rank' is double, and was int64."),
        (moved, "node_score: columns stand in another order."),
        (table_removed, "The table 'node_score' is gone."),
        (table_hidden, "The table 'node_score' is gone."),
    ],
)
def test_the_command_refuses_to_take_anything_away(
    change: Callable[[Dictionary], Dictionary],
    sentence: str,
    arguments: list[str],
    dictionary: Dictionary,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = lock_file(NEWEST, folder).read_bytes()
    assert main(arguments, folder, change(dictionary)) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert f"Readers of v{NEWEST} rely on what is locked." in said
    assert lock_file(NEWEST, folder).read_bytes() == before


def test_the_command_adds_and_changes_nothing_else(
    dictionary: Dictionary, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(lock_file(NEWEST, folder).read_text())
    first, *rest = dictionary.tables["index_score"].columns
    more = with_columns(dictionary, "index_score", (first, "row", *rest))
    more = more.model_copy(update={"tables": {**more.tables, "place": dictionary.tables["region"]}})
    assert main(["--check"], folder, more) == 1
    said = capsys.readouterr().err
    assert "The table 'place' is not locked." in said
    assert "index_score: the column 'row' is not locked." in said
    assert COMMAND in said
    assert json.loads(lock_file(NEWEST, folder).read_text()) == before

    assert main([], folder, more) == 0
    after = json.loads(lock_file(NEWEST, folder).read_text())
    assert list(after["index_score"])[:2] == [first, "row"]
    assert after["index_score"].pop("row") == "int64"
    assert after.pop("place") == before["region"]
    assert after == before
    assert main(["--check"], folder, more) == 0


def test_the_command_leaves_a_lock_that_is_up_to_date_as_it_is(dictionary: Dictionary, folder: Path) -> None:
    known = locks()
    assert main(["--check"]) == 0
    assert main([], folder, dictionary) == 0
    for major in known:
        assert lock_file(major, folder).read_bytes() == lock_file(major).read_bytes()


def test_no_command_makes_up_for_a_lost_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 1
    assert "history" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
