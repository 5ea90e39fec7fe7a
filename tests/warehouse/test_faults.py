"""Storage that fails: what may pass is tried again, the rest ends clearly with nothing half, and no secret is told."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError

from schemas.errors import StorageError
from tests.conftest import EDITION, EXTRACTS, ROOT, Answer
from tests.warehouse.conftest import BUCKET, SECRET, Server
from tests.warehouse.drafts import Drafts
from tests.warehouse.faults import failing
from warehouse.snapshots.channels import log_entries
from warehouse.snapshots.publish import publish_snapshot
from warehouse.snapshots.verify import verify
from warehouse.store import store as storage_module
from warehouse.store.store import Store

Cli = Callable[..., Answer]


class Fates:
    """A plan that can be changed while the server runs; counts what it let fail."""

    def __init__(self) -> None:
        self.failed = Counter[str]()
        self.seen = Counter[tuple[str, str]]()
        self.fate: Callable[[str, str, int], str] = lambda *_: "pass"

    def __call__(self, method: str, path: str) -> str:
        self.seen[method, path] += 1
        fate = self.fate(method, path, self.seen[method, path])
        self.failed[fate] += fate != "pass"
        return fate


@pytest.fixture
def fates(moto: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fates]:
    plan = Fates()
    soon = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=20), "base": 2}
    quick = {"max_retries": 4, "retry_timeout": timedelta(seconds=20), "backoff": soon}
    monkeypatch.setattr(storage_module, "RETRY", quick)
    monkeypatch.setattr(storage_module, "CLIENT", {"timeout": "1s", "connect_timeout": "1s"})
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    with failing(moto.address, plan) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield plan


def put_once(*fates: str) -> Callable[[str, str, int], str]:
    """The first tries to write a key end so, one after the other; the others pass."""
    return lambda method, _, count: fates[count - 1] if method == "PUT" and count <= len(fates) else "pass"


TRANSIENT: dict[str, Callable[[str, str, int], str]] = {
    "the server is busy": put_once("503", "500"),
    "an answer is lost": put_once("lost"),
    "answers are lost and the server is busy": put_once("lost", "503"),
    "the server hangs": lambda method, path, count: "hang" if path.endswith("000001.json") and count == 1 else "pass",
    "reading fails": lambda method, _, count: "502" if method in ("GET", "HEAD") and count == 1 else "pass",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSIENT)
def test_what_passes_by_itself_is_tried_again(name: str, fates: Fates, drafts: Drafts, tmp_path: Path) -> None:
    store = Store(f"s3://{BUCKET}/{tmp_path.name}")
    drafts.with_raw(store)
    fates.fate = TRANSIENT[name]
    publish_snapshot(store, drafts.draft)
    publish_snapshot(Store(store.url), drafts.other(tmp_path / "2", "night-2", 2, 1.0))
    assert sum(fates.failed.values()) > 1
    fates.fate = lambda *_: "pass"
    again = Store(store.url)
    assert [each["snapshot_id"] for each in log_entries(again, EDITION, "candidate")] == ["night-1", "night-2"]
    assert len(log_entries(again, EDITION, "stable")) == 1
    found = verify(again)
    assert found["damage"] == found["unfinished"] == []


LASTING: dict[str, tuple[str, str]] = {
    "the server is down": ("503", "the server answered 503"),
    "permission is lost": ("403", "permission is denied; look at AWS_ACCESS_KEY_ID"),
    "credentials are not known": ("401", "permission is denied"),
    "the server hangs": ("hang", "the storage does not do it"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_ends_clearly_and_with_nothing_half(name: str, fates: Fates, drafts: Drafts, tmp_path: Path) -> None:
    store = Store(f"s3://{BUCKET}/{tmp_path.name}")
    publish_snapshot(drafts.with_raw(store), drafts.draft)
    fate, sentence = LASTING[name]
    draft = drafts.other(tmp_path / "2", "night-2", 2, 1.0)
    fates.fate = lambda method, path, _: fate if method == "PUT" and "reporting.parquet" in path else "pass"
    with pytest.raises(StorageError, match=sentence) as caught:
        publish_snapshot(Store(store.url), draft)
    assert "reporting.parquet" in str(caught.value)
    assert SECRET not in str(caught.value)
    fates.fate = lambda *_: "pass"
    assert verify(Store(store.url))["damage"] == []
    assert not store.exists(f"snapshots/{EDITION}/night-2/datapackage.json")
    assert publish_snapshot(Store(store.url), draft)[::2] == ("night-2", True)
    found = verify(Store(store.url))
    assert found["damage"] == found["unfinished"] == []


def test_a_full_disk_is_said_to_be_full(drafts: Drafts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path / "store"))
    publish_snapshot(drafts.with_raw(store), drafts.draft)

    put = obstore.put

    def full(objects: Any, key: str, content: bytes, **more: Any) -> Any:
        if "reporting.parquet" in key:
            raise GenericError(
                "Generic LocalFileSystem error: Unable to copy data: No space left on device (os error 28)"
            )
        return put(objects, key, content, **more)

    draft = drafts.other(tmp_path / "2", "night-2", 2, 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(obstore, "put", full)
        with pytest.raises(StorageError, match="the disk is full; make room"):
            publish_snapshot(store, draft)
    assert verify(Store(store.url))["damage"] == []
    publish_snapshot(store, draft)
    assert verify(Store(store.url))["damage"] == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a disk that is small")
def test_a_disk_that_is_really_full(drafts: Drafts, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        store = Store(str(disk / "store"))
        with pytest.raises(StorageError, match="the disk is full; make room"):
            publish_snapshot(drafts.with_raw(store), drafts.draft)
        assert not store.keys("log")
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        publish_snapshot(drafts.with_raw(store), drafts.draft)
        assert verify(Store(store.url))["damage"] == []
    finally:
        subprocess.run(["umount", str(disk)], check=False)


@pytest.mark.slow
def test_a_night_on_a_server_tells_no_secret(
    moto: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signing_key: str
) -> None:
    """A whole night over HTTP by the command line, then one whose storage is not there, and one with wrong keys."""
    url = f"s3://{BUCKET}/{tmp_path.name}"
    planted = {
        **moto.environment(),
        "AWS_SESSION_TOKEN": "planted-token-0123456789",
        "KERAWANAN_SIGNING_KEY": signing_key,
    }
    secrets = [SECRET, planted["AWS_ACCESS_KEY_ID"], planted["AWS_SESSION_TOKEN"], "planted-password"]
    secrets += [line for line in signing_key.splitlines() if "-----" not in line]

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *arguments, "--store", url]
        variables = {**os.environ, **planted, **environment}
        return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)

    run = ("run", "--edition", EDITION, "--inbox", str(EXTRACTS))
    answers = [call(*run), call(*run), call("snapshots", "list"), call("snapshots", "verify", "--format", "json")]
    assert [each.returncode for each in answers] == [0, 0, 0, 0], answers
    assert "published as" in answers[0].stdout
    assert "nothing new" in answers[1].stdout
    assert f"{url}/stable/v1/{EDITION}" in answers[0].stdout
    down = call(*run, AWS_ENDPOINT_URL="http://user:planted-password@127.0.0.1:9")
    denied = subprocess.CompletedProcess[str]([], 1, "", "")
    with failing(moto.address, lambda method, _: "403" if method == "PUT" else "pass") as address:
        denied = call(*run, AWS_ENDPOINT_URL=address)
    for failed in (down, denied):
        assert failed.returncode == 1
        assert "Traceback" not in failed.stdout + failed.stderr
        assert "kerawanan: s3://" in failed.stderr
    assert "permission is denied" in denied.stderr
    said = "".join(each.stdout + each.stderr for each in (*answers, down, denied))
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    store = Store(url)
    written = b"".join(store.read(key) for key in store.keys(""))
    assert len(written) > 100_000
    for secret in secrets:
        assert secret not in said
        assert secret.encode() not in written
