"""The verbs of a store, alike on a folder and over HTTP; what they say where the storage fails."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.errors import DamagedStore, StorageError, UsageError
from tests.warehouse.conftest import Storage
from warehouse.store.sealed import as_json, read_sealed, sealed, unsealed
from warehouse.store.store import AlreadyThere, Store


def test_read_create_replace_delete_and_list(storage: Storage) -> None:
    store = Store(storage.new())
    assert store.keys("a") == []
    assert not store.exists("a/x.json")
    with pytest.raises(FileNotFoundError):
        store.read("a/x.json")
    store.create("a/x.json", b"one")
    with pytest.raises(AlreadyThere):
        store.create("a/x.json", b"two")
    store.create("a/x.json", b"one")  # as an earlier try, whose answer was lost, may have written it
    assert store.read("a/x.json") == b"one"
    store.replace("a/x.json", b"three")
    store.replace("ab/y.json", b"")
    assert store.keys("a") == ["a/x.json"]
    assert store.keys("") == ["a/x.json", "ab/y.json"]
    assert store.read("ab/y.json") == b""
    assert store.read_kept(["a/x.json", "ab/y.json"]) == [b"three", b""]
    assert store.local("a/x.json").read_bytes() == b"three"
    assert [each.name for each in store.local("a").iterdir()] == ["x.json"]
    store.delete("a/x.json")
    store.delete("a/x.json")
    assert store.keys("a") == []
    assert Store(store.url).keys("") == ["ab/y.json"]
    assert store.where("ab/y.json") == f"{store.url}/ab/y.json"


def test_a_large_file_is_written_whole(storage: Storage) -> None:
    store, content = Store(storage.new()), bytes(range(256)) * 50_000
    store.create("raw/large", content)
    assert store.read("raw/large") == content
    with pytest.raises(AlreadyThere):
        store.create("raw/large", content + b"x")


def test_a_folder_shows_another(storage: Storage) -> None:
    store = Store(storage.new())
    for key in ("s/1/a", "s/1/b", "s/2/a", "s/2/c"):
        store.create(key, key.encode())

    def shown() -> dict[str, bytes]:
        fresh = Store(store.url)
        folder = fresh.local("stable/v1/e")
        return {each.name: each.read_bytes() for each in folder.iterdir()} if folder.exists() else {}

    for target, expected in (
        ("s/1", {"a": b"s/1/a", "b": b"s/1/b"}),
        ("s/1", {"a": b"s/1/a", "b": b"s/1/b"}),
        ("s/2", {"a": b"s/2/a", "c": b"s/2/c"}),
    ):
        store.show("stable/v1/e", target)
        assert shown() == expected
    store.show("stable/v1/e", None)
    assert Store(store.url).keys("stable") == []
    assert store.keys("s") == ["s/1/a", "s/1/b", "s/2/a", "s/2/c"]


def test_what_writes_left_is_swept_once_it_is_old(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.create("log/e/stable/000001.json", b"x")
    left = [tmp_path / "log/e/stable/000002.json#1", tmp_path / "stable/v1/.e.4711"]
    left[0].write_bytes(b"hal")
    left[1].parent.mkdir(parents=True)
    left[1].symlink_to("../../log/e", target_is_directory=True)
    assert store.keys("log") == ["log/e/stable/000001.json"]
    now = datetime.now(UTC)
    store.sweep(now - timedelta(days=1))
    assert all(each.is_symlink() or each.exists() for each in left)
    store.sweep(now + timedelta(minutes=1))
    assert not any(each.is_symlink() or each.exists() for each in left)
    assert store.keys("") == ["log/e/stable/000001.json"]


@pytest.mark.parametrize("url", ["ftp://x", "s3://", "s3://B", "s3://bucket?key=geheim", "https://bucket/x"])
def test_what_is_no_store(url: str) -> None:
    with pytest.raises(UsageError, match="neither a folder nor like s3://bucket/prefix") as caught:
        Store(url)
    assert "geheim" not in str(caught.value)


def test_any_change_breaks_a_seal(tmp_path: Path) -> None:
    facts = {"a": 1, "b": "teks é \udc80", "c": None, "d": datetime(2026, 1, 1, tzinfo=UTC)}
    whole = sealed(facts)
    assert as_json(unsealed(whole)) == as_json(facts)
    store = Store(str(tmp_path))
    for place in range(len(whole)):
        for mask in (1, 32, 128):
            other = bytearray(whole)
            other[place] ^= mask
            with pytest.raises(ValueError):  # noqa: PT011 - JSON has its own sentences
                unsealed(bytes(other))
    store.replace("x.json", whole[:-1])
    with pytest.raises(DamagedStore, match=r"x\.json: it was changed"):
        read_sealed(store, "x.json")


def test_a_bucket_that_is_not_there_is_said_to_be(moto_environment: None) -> None:
    store = Store("s3://no-such-bucket/prefix")
    for verb in (lambda: store.keys("a"), lambda: store.read("a"), lambda: store.replace("a", b"x")):
        with pytest.raises(StorageError, match="no such bucket"):
            verb()


def test_a_server_takes_what_a_folder_takes(moto_environment: None, tmp_path: Path) -> None:
    """The quick one of those that run on servers; the others are slow."""
    test_read_create_replace_delete_and_list(Storage("moto", tmp_path))
    test_a_folder_shows_another(Storage("moto", tmp_path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "localhost:9"),
        ("AWS_ENDPOINT_URL", "http://user:geheim/x@127.0.0.1:9 /"),
        ("AWS_ACCESS_KEY_ID", "geheim\n"),
        ("AWS_SECRET_ACCESS_KEY", "geheim geheim"),
    ],
)
def test_settings_that_nobody_can_use_are_refused(
    name: str, value: str, moto_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name) as caught:
        Store("s3://bucket/prefix").keys("a")
    assert "geheim" not in str(caught.value)
