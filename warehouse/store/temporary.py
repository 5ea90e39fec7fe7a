"""Folders for the work of one process: gone when the work is done; what a killed process left, the next removes."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import finalize

PREFIX = "kerawanan-work-"
YOUNG = 60.0  # seconds; its owner may not hold a younger folder yet


class TemporaryFolder:
    """An empty folder that is there as long as this object is, or until `remove`.

    Its owner holds a lock on it, which the system takes away when the process ends, however it ends: a folder whose
    lock can be taken was left behind. Whoever makes a folder removes what is left of those of the same user.
    """

    def __init__(self) -> None:
        remove_left_folders()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.remove = finalize(self, _removed, self.path, _held(self.path))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder that is gone afterwards."""
    folder = TemporaryFolder()
    try:
        yield folder.path
    finally:
        folder.remove()


def remove_left_folders() -> None:
    """Remove the folders of this user that killed processes left; never one of a process that is alive."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with suppress(OSError):
                    _remove_if_left(Path(entry.path))


def _remove_if_left(folder: Path) -> None:
    facts = folder.lstat()
    is_mine = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    if is_mine and time.time() - facts.st_ctime > YOUNG:
        _removed(folder, _held(folder))


def _held(folder: Path) -> int:
    """Take the lock of a folder. Raises BlockingIOError where a process that is alive holds it."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


def _removed(folder: Path, held: int) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(held)
