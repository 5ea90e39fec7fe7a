"""Storage in a few verbs: read, create (never overwrites), replace, list, and switching a folder as a whole."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore

from schemas.violations import UsageError


def as_json(data: Any) -> bytes:
    """JSON as it is stored: indented, in the order given, times in ISO 8601, one line break at the end."""

    def plain(value: Any) -> str:
        return value.isoformat() if isinstance(value, date) else str(value)

    return (json.dumps(data, indent=1, ensure_ascii=False, default=plain) + "\n").encode(errors="backslashreplace")


class AlreadyThere(Exception):
    """A key that was to be created exists already."""


class Store:
    """A store of extracts and snapshots in a folder. Keys are relative paths with forward slashes."""

    def __init__(self, url: str) -> None:
        if "://" in url:
            raise UsageError(f"the store {url} is not a folder; this version stores in folders only.")
        self.root = Path(url).expanduser().resolve()
        if self.root.exists() and not self.root.is_dir():
            raise UsageError(f"the store {self.root} is a file; name a folder.")
        self._folder: LocalStore | None = None

    @property
    def _objects(self) -> LocalStore:
        """The folder as an object store; made when something is first written."""
        if self._folder is None:
            self._folder = LocalStore(str(self.root), mkdir=True)
        return self._folder

    def read(self, key: str) -> bytes:
        """The bytes at a key. Raises FileNotFoundError."""
        self._must_exist(key)
        return bytes(obstore.get(self._objects, key).bytes())

    def exists(self, key: str) -> bool:
        """Whether there is something at the key."""
        try:
            self._must_exist(key)
            obstore.head(self._objects, key)
        except FileNotFoundError:
            return False
        return True

    def _must_exist(self, key: str) -> None:
        if not self.root.exists():
            raise FileNotFoundError(2, "there is no such store", str(self.root / key))

    def create(self, key: str, content: bytes) -> None:
        """Write a key that must not exist; appears as a whole or not at all. Raises AlreadyThere."""
        try:
            obstore.put(self._objects, key, content, mode="create")
        except AlreadyExistsError:
            raise AlreadyThere(key) from None

    def replace(self, key: str, content: bytes) -> None:
        """Write a key, taking the place of what was there; readers see the old or the new, never half."""
        obstore.put(self._objects, key, content)

    def delete(self, key: str) -> None:
        """Remove a key. Raises FileNotFoundError."""
        self._must_exist(key)
        obstore.head(self._objects, key)
        obstore.delete(self._objects, key)

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        return sorted(self._listed(prefix)) if self.root.exists() else []

    def _listed(self, prefix: str) -> Iterator[str]:
        for batch in obstore.list(self._objects, prefix=prefix):
            for entry in batch:
                yield entry["path"]

    def path(self, key: str) -> Path:
        """Where a key lies, for people and for tools that read files."""
        return self.root / key

    def switch(self, key: str, target: str) -> None:
        """Make the folder `key` show what lies in the folder `target`, in one step."""
        link = self.path(key)
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.path.relpath(self.path(target), link.parent), target_is_directory=True)
        fresh.replace(link)
