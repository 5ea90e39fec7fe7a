"""What is opened in an inbox, and what killed processes leave in the folder for temporary files."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.contract.refusals import Refusal
from warehouse.extracts import raw_store
from warehouse.extracts.raw_store import file_content
from warehouse.store import temporary
from warehouse.store.temporary import PREFIX, remove_left_folders, temporary_folder

LEFT = """
import sys, time
from warehouse.store.temporary import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "rows.parquet").write_bytes(b"x")
print(folder.path, flush=True)
time.sleep(600)
"""


def linked(path: Path, other: Path) -> None:
    path.symlink_to(other)


def piped(path: Path, _: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(("taken", "kind"), [(linked, "a link"), (piped, "a pipe")])
def test_what_takes_the_place_of_a_file_meanwhile_is_refused_and_not_waited_for(
    taken: Callable[[Path, Path], None], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = tmp_path / "a.csv", tmp_path / "secret"
    file.write_bytes(b"x")
    other.write_bytes(b"secret")
    look = raw_store._must_be_a_file

    def looked(facts: os.stat_result) -> None:
        look(facts)
        if not file.is_symlink() and file.is_file():
            file.unlink()
            taken(file, other)

    monkeypatch.setattr(raw_store, "_must_be_a_file", looked)
    with pytest.raises(Refusal, match=kind):
        file_content(file)


def test_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="a device"):
        file_content(Path(os.devnull))


def test_links_among_the_folders_above_a_file_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.csv").write_bytes(b"x")
    (tmp_path / "inbox").symlink_to(tmp_path / "real")
    assert file_content(tmp_path / "inbox/a.csv") == b"x"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_store, "LARGEST", 1_000_000)
    (tmp_path / "a.csv").write_bytes(b"x" * 1_000_001)
    with pytest.raises(Refusal, match="larger than 1 MB"):
        file_content(tmp_path / "a.csv")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, in which folders are soon old."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(temporary, "YOUNG", 0.0)
    return tmp_path


def working(place: Path) -> tuple[subprocess.Popen[str], Path]:
    environment = os.environ | {"TMPDIR": str(place)}
    process = subprocess.Popen([sys.executable, "-c", LEFT], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_the_folder_of_a_killed_process_goes_and_that_of_a_living_one_stays(place: Path) -> None:
    (killed, left), (living, held) = working(place), working(place)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert left.exists()
        with temporary_folder() as mine:
            assert not left.exists()
            assert (held / "rows.parquet").exists()
            remove_left_folders()
            assert mine.exists()
        assert not mine.exists()
    finally:
        living.kill()
        living.wait()
    remove_left_folders()
    assert not list(place.iterdir())


def test_a_young_folder_and_what_is_not_ours_stay(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}file").write_bytes(b"x")
    (place / "kerawanan-other").mkdir()
    (place / f"{PREFIX}old").mkdir()
    remove_left_folders()
    assert sorted(each.name for each in place.iterdir()) == [
        "elsewhere",
        "kerawanan-other",
        f"{PREFIX}file",
        f"{PREFIX}link",
    ]
    monkeypatch.setattr(temporary, "YOUNG", 60.0)
    (place / f"{PREFIX}young").mkdir()
    remove_left_folders()
    assert (place / f"{PREFIX}young").exists()
    monkeypatch.setattr(temporary, "YOUNG", 0.0)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    remove_left_folders()
    assert (place / f"{PREFIX}young").exists()
