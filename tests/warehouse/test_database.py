"""The database of a run: what it may read, and the settings that every cursor of it has."""

from pathlib import Path

import duckdb
import pytest

from warehouse.engine.database import EngineLimits, open_database

SETTINGS = {
    "enable_caching_operators": False,
    "parquet_metadata_cache": True,
    "preserve_insertion_order": False,
    "enable_external_access": False,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_cursors_have_the_settings_of_the_database(tmp_path: Path, name: str) -> None:
    # A setting of one connection does not hold for its cursors, and blocks run on cursors.
    with open_database(EngineLimits(), [tmp_path]) as connection, connection.cursor() as cursor:
        for each in (connection, cursor):
            assert each.execute("select current_setting($name)", {"name": name}).fetchall() == [(SETTINGS[name],)]


def test_nothing_outside_its_folders_is_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.parquet"
    inside.mkdir()
    duckdb.sql(f"copy (select 1 as n) to '{outside}'")
    with (
        open_database(EngineLimits(), [inside]) as connection,
        pytest.raises(duckdb.PermissionException),
    ):
        connection.read_parquet(str(outside)).fetchall()
