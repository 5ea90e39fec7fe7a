"""Storage in a few verbs, in a folder or on an S3-compatible server: read, create (never overwrites), replace, delete,
list, and letting a folder show another one. All else is built of these.
"""

import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

from schemas.errors import StorageError, UsageError
from schemas.sentence import Sentence
from warehouse.store.temporary import TemporaryFolder

if TYPE_CHECKING:
    from obstore.store import BackoffConfig, ClientConfig, RetryConfig

# A request that hangs is given up, and what may pass by itself is tried again for so long.
CLIENT: "ClientConfig" = {"timeout": "120s", "connect_timeout": "10s", "user_agent": "kerawanan"}
BACKOFF: "BackoffConfig" = {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=10), "base": 2}
RETRY: "RetryConfig" = {"max_retries": 50, "retry_timeout": timedelta(seconds=20), "backoff": BACKOFF}
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION")
TRIES = 3
FOLDERS = ("raw", "runs", "nights", "log", "channels", "snapshots")  # what any store has at least one of
READERS = 16
NO_BUCKET = Sentence(
    en="there is no such bucket; create it, or name another.",
    id="bucket itu tidak ada; buatlah, atau sebutkan yang lain.",
)
STAGED = re.compile(r".+#\d+")  # what a write to a folder is called until it is whole


class AlreadyThere(Exception):
    """A key that was to be created exists already, and says something else."""


class Store:
    """A store of extracts and snapshots: a folder, or `s3://bucket/prefix`. Keys are paths with forward slashes.

    What an S3-compatible server needs to know comes from the environment, as its tools have it: AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL; else from the machine's role. Every verb
    raises StorageError where the storage does not do it.
    """

    def __init__(self, url: str) -> None:
        self._kept: dict[str, bytes] = {}
        self.is_remote = "://" in url
        self.url = url.rstrip("/")
        if not self.is_remote:
            self._root = Path(url).expanduser().resolve()
            self.url = str(self._root)
            if self._root.exists() and not self._root.is_dir():
                raise UsageError(
                    f"the store {self._root} is a file; name a folder.",
                    f"penyimpanan {self._root} adalah berkas; sebutkan sebuah folder.",
                )
        elif not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{2,62}(/[^?#]*)?", self.url):
            name = _without_secrets(url)
            raise UsageError(
                f"the store {name} is neither a folder nor like s3://bucket/prefix.",
                f"penyimpanan {name} bukan folder dan tidak berbentuk s3://bucket/prefix.",
            )

    @cached_property
    def _objects(self) -> LocalStore | S3Store:
        """The object store behind; a folder is made when something is first written."""
        if not self.is_remote:
            return LocalStore(str(self._root), mkdir=True)
        endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "https://-")
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", endpoint):
            raise UsageError(
                "AWS_ENDPOINT_URL is no address like https://s3.example.org.",
                "AWS_ENDPOINT_URL bukan alamat seperti https://s3.example.org.",
            )
        for name in SECRETS:
            if not re.fullmatch(r"[\x21-\x7e]*", os.environ.get(name, "")):
                raise UsageError(
                    f"{name} has a space, a line break or another character that none has.",
                    f"{name} memuat spasi, ganti baris, atau karakter lain yang tidak mungkin.",
                )
        client: ClientConfig = {**CLIENT, "allow_http": endpoint.startswith("http:")}
        return S3Store.from_url(self.url, client_options=client, retry_config=RETRY)

    def read(self, key: str) -> bytes:
        """The bytes at a key. Raises FileNotFoundError."""
        self._must_exist(key)
        with self._storage_errors(key):
            return bytes(obstore.get(self._objects, key).bytes())

    def read_kept(self, keys: Sequence[str]) -> list[bytes]:
        """The bytes at keys that never change once they are there: read at once, and only once."""
        new = [key for key in keys if key not in self._kept]
        with ThreadPoolExecutor(READERS) as pool:
            self._kept |= zip(new, pool.map(self.read, new), strict=True)
        return [self._kept[key] for key in keys]

    def exists(self, key: str) -> bool:
        """Whether there is something at the key."""
        try:
            self._must_exist(key)
            with self._storage_errors(key):
                obstore.head(self._objects, key)
        except FileNotFoundError:
            return False
        return True

    def _must_exist(self, key: str) -> None:
        if not self.is_remote and not self._root.exists():
            raise FileNotFoundError(2, "there is no such store", str(self._root / key))

    def must_be_there(self) -> Self:
        """The store itself. Raises UsageError where nothing was ever kept: a misspelt name is not an empty store."""
        if not any(self._has_any(folder) for folder in FOLDERS):
            raise UsageError(
                f"there is no store at {self.url}: check its name (--store or KERAWANAN_STORE); 'kerawanan ingest' and "
                "'kerawanan run' make one.",
                f"tidak ada penyimpanan di {self.url}: periksa namanya (--store atau KERAWANAN_STORE); "
                "'kerawanan ingest' dan 'kerawanan run' membuatnya.",
            )
        return self

    def _has_any(self, folder: str) -> bool:
        if not self.is_remote and not (self._root / folder).exists():
            return False
        with self._storage_errors(folder):
            return any(obstore.list(self._objects, prefix=folder, chunk_size=1))

    def create(self, key: str, content: bytes) -> None:
        """Write a key that must not exist; appears as a whole or not at all. Raises AlreadyThere; where the same is
        there already it is as good: an earlier try, whose answer did not arrive, may have written it.
        """
        for last in (*[False] * (TRIES - 1), True):
            try:
                with self._storage_errors(key):
                    obstore.put(self._objects, key, content, mode="create", use_multipart=False)
                    return
            except AlreadyExistsError:
                if self.read(key) != content:
                    raise AlreadyThere(key) from None
                return
            except StorageError:
                if last or not self.is_remote:
                    raise

    def replace(self, key: str, content: bytes) -> None:
        """Write a key, replacing what was there; readers see the old or the new, never half."""
        with self._storage_errors(key):
            obstore.put(self._objects, key, content, use_multipart=False)

    def delete(self, key: str) -> None:
        """Remove a key, if it is there."""
        with self._storage_errors(key), suppress(FileNotFoundError):
            self._must_exist(key)
            obstore.delete(self._objects, key)

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        return sorted(self._listed(prefix))

    def _listed(self, prefix: str) -> dict[str, Any]:
        """What is known of each key below a prefix."""
        if not self.is_remote and not self._root.exists():
            return {}
        with self._storage_errors(prefix):
            return {entry["path"]: entry for batch in obstore.list(self._objects, prefix=prefix) for entry in batch}

    def where(self, key: str) -> str:
        """Where a key lies, for people."""
        return f"{self.url}/{key}" if self.is_remote else str(self._root / key)

    def local(self, key: str) -> Path:
        """A file, or all below a folder, where tools of this machine can read it; brought here once from a server.

        For what never changes, such as snapshots. It is there as long as this object is.
        """
        if not self.is_remote:
            return self._root / key
        here = self._brought.path
        new = [name for name in self.keys(key) or [key] if not (here / name).exists()]
        with ThreadPoolExecutor(READERS) as pool:
            for name, content in zip(new, pool.map(self.read, new), strict=True):
                (here / name).parent.mkdir(parents=True, exist_ok=True)
                (here / name).write_bytes(content)
        return here / key

    @cached_property
    def _brought(self) -> TemporaryFolder:
        return TemporaryFolder()

    def show(self, key: str, target: str | None) -> None:
        """Make the folder `key` show what lies in the folder `target`, or nothing: in one step where the store is a
        folder, file by file on a server.
        """
        if self.is_remote:
            self._copy(key, target)
        elif self._shown(key) != target or (target is None and (self._root / key).exists()):
            self._link(key, target)

    def _copy(self, key: str, target: str | None) -> None:
        wanted = self._listed(target) if target else {}
        names = {f"{key}/{source.removeprefix(f'{target}/')}": source for source in wanted}
        there = self._listed(key)
        for name, source in names.items():
            same = ("size", "e_tag")
            if name not in there or any(there[name][fact] != wanted[source][fact] for fact in same):
                with self._storage_errors(name):
                    obstore.copy(self._objects, source, name)
        for name in sorted(there.keys() - names.keys()):
            self.delete(name)

    def _link(self, key: str, target: str | None) -> None:
        link = self._root / key
        fresh, aside = (link.with_name(f".{link.name}.{uuid.uuid4().hex}") for _ in range(2))
        with self._storage_errors(key):
            if link.is_dir() and not link.is_symlink():  # as tools leave it that copy what lies behind links
                link.rename(aside)
            if target is None:
                link.unlink(missing_ok=True)
            else:
                link.parent.mkdir(parents=True, exist_ok=True)
                fresh.symlink_to(os.path.relpath(self._root / target, link.parent), target_is_directory=True)
                fresh.replace(link)
            shutil.rmtree(aside, ignore_errors=True)

    def _shown(self, key: str) -> str | None:
        """What a folder of this machine shows (see `show`); None where it shows nothing, or is no such folder."""
        link = self._root / key
        if not link.is_symlink():
            return None
        target = Path(os.path.normpath(link.parent / link.readlink()))
        return target.relative_to(self._root).as_posix() if target.is_relative_to(self._root) else None

    def sweep(self, before: datetime) -> None:
        """Remove what writes begun before a time left because they never came to their end. A server keeps no such."""
        if self.is_remote:
            return
        for folder, folders, files in os.walk(self._root):
            for name in (*folders, *files):
                path = Path(folder, name)
                left = STAGED.fullmatch(name) or (path.is_symlink() and name.startswith("."))
                with suppress(FileNotFoundError):
                    if left and path.lstat().st_mtime < before.timestamp():
                        path.unlink()

    @contextmanager
    def _storage_errors(self, key: str) -> Iterator[None]:
        """Report in a sentence, without any secret, what the storage did not do."""
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise _storage_error(self.url, NO_BUCKET) from None
            raise FileNotFoundError(2, "there is no such file", self.where(key)) from None
        except AlreadyExistsError:
            raise
        except (BaseError, OSError) as error:
            raise _storage_error(self.where(key), self._reason(error)) from None

    def _reason(self, error: Exception) -> Sentence:
        text = str(error)
        answer = re.search(r"status code: (\d{3}[ A-Za-z]*)", text)
        is_denied = isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError)
        if is_denied or "os error 13" in text or (answer and answer[1][:3] in ("401", "403")):
            if self.is_remote:
                keys = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
                return Sentence(
                    en=f"permission is denied; look at {' and '.join(keys)}, and what the bucket allows them.",
                    id=f"izin ditolak; periksa {' dan '.join(keys)}, serta apa yang diizinkan bucket.",
                )
            return Sentence(
                en="permission is denied; look at the permissions of the folder.",
                id="izin ditolak; periksa izin akses folder.",
            )
        if "NoSuchBucket" in text:
            return NO_BUCKET
        if "os error 28" in text or "No space left" in text:
            return Sentence(
                en="the disk is full; make room and run it again, nothing is half written.",
                id="diska penuh; kosongkan ruang lalu jalankan lagi, tidak ada yang tertulis setengah.",
            )
        what = f"the server answered {answer[1].strip()}" if answer else text.partition("\n")[0].partition("<")[0]
        shown = _without_secrets(what)[:300].strip()
        return Sentence(
            en=f"the storage does not do it ({shown}); try again later.",
            id=f"penyimpanan tidak melakukannya ({shown}); coba lagi nanti.",
        )


def _storage_error(where: str, reason: Sentence) -> StorageError:
    return StorageError(f"{where}: {reason['en']}", f"{where}: {reason['id']}")


def _without_secrets(text: str) -> str:
    """A text without what stands between :// and @, and after a question mark."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", text).partition("?")[0]
