"""What proves a store: any byte that is changed is found, entries are signed, and snapshots come out again."""

import base64
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from flows.night.intake import take_in
from schemas.contract.refusals import Refusal
from schemas.errors import DamagedStore
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Answer, Nights
from tests.warehouse.conftest import Storage
from tests.warehouse.drafts import Drafts
from transforms.figures.indicators import ResolvedFigures, resolved_figures
from warehouse.extracts.raw_store import extract_called, note_refusal, withdraw_extract
from warehouse.snapshots.channels import head, named
from warehouse.snapshots.nights import night_of_same_inputs
from warehouse.snapshots.promotion import promote, withdraw
from warehouse.snapshots.publish import publish_snapshot
from warehouse.snapshots.runs import RunRecord, write_run
from warehouse.snapshots.verify import verify
from warehouse.store.sealed import as_json, read_sealed, sealed
from warehouse.store.signing import Signer, public_key
from warehouse.store.store import Store

Cli = Callable[..., Answer]
LATER = datetime(2026, 3, 1, tzinfo=UTC)
PROVEN = ("snapshots", "log", "channels", "stable", "raw", "nights")
CHANGES = 2000


def lived_in(store: Store, drafts: Drafts, folder: Path, signer: Signer | None = None) -> Store:
    """A store with three snapshots, of which one was promoted and one withdrawn, and notes about extracts."""
    publish_snapshot(drafts.with_raw(store), drafts.draft, signer)
    publish_snapshot(store, drafts.other(folder / "2", "night-2", 2, 1.0), signer)
    publish_snapshot(store, drafts.other(folder / "3", "night-3", 1, 2.0), signer)
    promote(store, "night-2", LATER, "looked at", signer)
    withdraw(store, "night-3", LATER, "wrong", signer)
    note_refusal(store, "x.csv", "0" * 64, 1, None, Refusal("empty_file"), LATER)
    first = drafts.draft.inputs[0]
    withdraw_extract(store, extract_called(store, f"{first['source']}/{first['sha256']}"), "sent twice", LATER)
    found = verify(Store(store.url))
    assert found["damage"] == found["unfinished"] == []
    return store


def changed(store: Store, key: str, luck: random.Random) -> bytes:
    """Change one byte at a key; what was there."""
    before = store.read(key)
    after = bytearray(before)
    after[luck.randrange(len(after))] ^= luck.randrange(1, 256)
    if store.is_remote:
        store.replace(key, bytes(after))
    else:  # in place, through links
        (Path(store.url) / key).write_bytes(bytes(after))
    return before


def all_found(store: Store, count: int, seed: int) -> None:
    luck = random.Random(seed)
    keys = [key for folder in PROVEN for key in store.keys(folder)]
    if not store.is_remote:
        keys += [f"stable/v1/{EDITION}/{each.name}" for each in (Path(store.url) / f"stable/v1/{EDITION}").iterdir()]
    keys = sorted(set(keys))
    assert {key.partition("/")[0] for key in keys} == set(PROVEN)
    for number in range(count):
        key = keys[number % len(keys)]
        before = changed(store, key, luck)
        found = verify(Store(store.url))["damage"]
        assert found, (key, number)
        if store.is_remote:
            store.replace(key, before)
        else:
            (Path(store.url) / key).write_bytes(before)
    assert verify(Store(store.url))["damage"] == []


@pytest.mark.slow
def test_bytes_that_are_changed_are_found(drafts: Drafts, tmp_path: Path) -> None:
    all_found(lived_in(Store(str(tmp_path / "store")), drafts, tmp_path), 30, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_byte_that_is_changed_is_found(drafts: Drafts, tmp_path: Path, seed: int) -> None:
    all_found(lived_in(Store(str(tmp_path / "store")), drafts, tmp_path), CHANGES // 4, seed)


@pytest.mark.parametrize("exhaustive", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_files_that_are_removed_or_added_are_named(
    exhaustive: bool, storage: Storage, drafts: Drafts, tmp_path: Path
) -> None:
    store = lived_in(Store(storage.new()), drafts, tmp_path)
    first = drafts.draft.inputs[0]
    removed = [
        f"snapshots/{EDITION}/night-1/tables/region.parquet",
        f"snapshots/{EDITION}/night-1/datapackage.json",
        f"log/{EDITION}/candidate/000001.json",
        f"log/{EDITION}/candidate/000003.json",
        f"log/{EDITION}/stable/000002.json",
        f"log/{EDITION}/withdrawn/000001.json",
        f"channels/{EDITION}/stable.json",
        f"snapshots/{EDITION}/night-3/WITHDRAWN.json",
        f"raw/receipts/{first['source']}/{first['sha256']}.json",
        f"raw/sha256/{first['sha256'][:2]}/{first['sha256']}",
        f"nights/{EDITION}/2026-02-02.json",
    ]
    for key in removed:
        before = store.read(key)
        store.delete(key)
        assert verify(Store(store.url))["damage"], key
        store.create(key, before)
    added = [
        f"snapshots/{EDITION}/night-1/tables/more.parquet",
        f"snapshots/{EDITION}/night-1/WITHDRAWN.json",
        f"snapshots/{EDITION}/night-9/datapackage.json",
        f"snapshots/{EDITION}/loose.json",
        f"log/{EDITION}/stable/000009.json",
        f"log/{EDITION}/other/000001.json",
        f"log/{EDITION}/fate/night-9.json",
        "log/x.json",
        "raw/sha256/ab/abc",
        "raw/something",
        "raw/receipts/press/abc.json",
        f"nights/{EDITION}/2027-01-01.json",
        f"nights/{EDITION}/x.json",
        "nights/x.json",
        f"channels/{EDITION}/beta.json",
        "channels/x.json",
        f"stable/v1/{EDITION}/more.parquet",
        "stable/v1/other/index_score.parquet",
        f"stable/v2/{EDITION}/index_score.parquet",
        "stable/x.csv",
    ]
    contents = (b"{}", sealed({}), sealed({"snapshot_id": 1, "edition": None}))
    for key, content in [(key, each) for key in added for each in (contents if exhaustive else contents[1:2])]:
        store.create(key, content)
        found = verify(Store(store.url))["damage"]
        # what lies behind the link lies in the snapshot
        behind = key.replace(f"stable/v1/{EDITION}", f"snapshots/{EDITION}/night-2/tables")
        assert any(each.startswith(found_at["where"]) for found_at in found for each in (key, behind)), (key, found)
        store.delete(key)
    assert verify(Store(store.url))["damage"] == []


@pytest.fixture(scope="session")
def public_file(signing_key: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = load_pem_private_key(signing_key.encode(), password=None)
    file = tmp_path_factory.mktemp("keys") / "public.pem"
    file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def test_a_log_that_is_rewritten_whole_has_no_signature(
    drafts: Drafts, tmp_path: Path, signing_key: str, public_file: Path, kerawanan: Cli
) -> None:
    signer = Signer(signing_key.encode())
    assert signing_key not in repr(signer)
    store = lived_in(Store(str(tmp_path / "store")), drafts, tmp_path, signer)
    key = public_key(public_file)
    assert verify(Store(store.url), None, key)["damage"] == []
    # Who can write to the store makes another figure stable, with seals, hashes and pointer as they should be.
    log = f"log/{EDITION}/stable/000002.json"
    entry = read_sealed(store, log)
    other = named(store, EDITION, "candidate")["night-1"]
    forged = entry | {name: other[name] for name in ("snapshot_id", "content_hash", "manifest_sha256", "as_of")}
    del forged["signature"]
    store.replace(log, sealed(forged))
    store.replace(f"channels/{EDITION}/stable.json", sealed(forged))
    store.show(f"stable/v1/{EDITION}", f"snapshots/{EDITION}/night-1/tables")
    assert verify(Store(store.url))["damage"] == []
    found = verify(Store(store.url), None, key)["damage"]
    assert [each["where"] for each in found] == [log]
    answer = kerawanan("snapshots", "verify", "--store", store.url, "--public-key", public_file)
    assert answer.code == 1
    assert "not signed by the holder of the key" in answer.out


def test_a_log_in_the_place_of_another_and_a_night_that_was_forged_are_named(
    drafts: Drafts, tmp_path: Path, signing_key: str, public_file: Path
) -> None:
    signer, key = Signer(signing_key.encode()), public_key(public_file)
    store = lived_in(Store(str(tmp_path / "store")), drafts, tmp_path, signer)
    night = f"nights/{EDITION}/2026-02-02.json"
    record = read_sealed(store, night)
    # Its run has no record.
    assert night_of_same_inputs(store, EDITION, date(2026, 2, 2), record["inputs_digest"], signer) is None
    write_run(store, RunRecord(run_id="night-2", started_at="", outcome="published"), {})
    assert night_of_same_inputs(store, EDITION, date(2026, 2, 2), record["inputs_digest"], signer)
    store.replace(night, sealed(record | {"snapshot_id": "night-1"}))
    assert [each["where"] for each in verify(Store(store.url), None, key)["damage"]] == [night]
    assert night_of_same_inputs(store, EDITION, date(2026, 2, 2), record["inputs_digest"], signer) is None
    store.replace(night, sealed(record))
    for name in store.keys(f"log/{EDITION}/candidate"):
        store.replace(name.replace("candidate", "stable"), store.read(name))
    for public in (None, key):
        found = verify(Store(store.url), None, public)["damage"]
        assert "the entry is of another log." in {each["sentence"] for each in found}
    with pytest.raises(DamagedStore, match="is of another log"):
        head(Store(store.url), EDITION, "stable")


def test_what_lags_is_not_excused_where_a_key_is_given(
    drafts: Drafts, tmp_path: Path, signing_key: str, public_file: Path
) -> None:
    signer, key = Signer(signing_key.encode()), public_key(public_file)
    store = lived_in(Store(str(tmp_path / "store")), drafts, tmp_path, signer)
    pointer = f"channels/{EDITION}/stable.json"
    store.replace(pointer, store.read(f"log/{EDITION}/stable/000001.json"))
    assert [each["where"] for each in verify(Store(store.url))["damage"]] == [pointer]
    store.create(f"unfinished/{EDITION}/z.json", b"{}")
    assert verify(Store(store.url))["damage"] == []
    assert [each["where"] for each in verify(Store(store.url), None, key)["damage"]] == [pointer]
    promote(store, "night-1", LATER, "r", signer)  # whoever comes brings it in order
    assert verify(Store(store.url), None, key)["damage"] == []
    assert store.keys("unfinished") == []


def test_a_signature_is_what_openssl_takes(drafts: Drafts, tmp_path: Path, signing_key: str, public_file: Path) -> None:
    store = Store(str(tmp_path / "store"))
    publish_snapshot(drafts.with_raw(store), drafts.draft, Signer(signing_key.encode()))
    entry = read_sealed(store, f"log/{EDITION}/stable/000001.json")
    (tmp_path / "signature").write_bytes(base64.b64decode(entry.pop("signature")))
    (tmp_path / "entry.json").write_bytes(as_json(entry))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", str(public_file)]
    command += ["-in", str(tmp_path / "entry.json"), "-sigfile", str(tmp_path / "signature")]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert "Verified Successfully" in answer.stdout, answer.stderr


@pytest.mark.slow
def test_a_night_without_the_key_of_a_signed_store_says_so(
    tmp_path: Path, signing_key: str, public_file: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("run", "--edition", EDITION, "--inbox", EXTRACTS, "--store", tmp_path / "store", "--as-of")
    monkeypatch.setenv("KERAWANAN_SIGNING_KEY", signing_key)
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date()
    assert "no signing key was set" not in kerawanan(*run, today).out
    verified = ("snapshots", "verify", "--store", tmp_path / "store", "--public-key", public_file)
    assert kerawanan(*verified).code == 0
    monkeypatch.delenv("KERAWANAN_SIGNING_KEY")
    assert "this night is not: no signing key was set" in kerawanan(*run, today).out
    assert kerawanan(*verified).code == 1


@pytest.mark.slow
def test_what_is_no_key_is_said_to_be_none(tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ("run", "--edition", EDITION, "--inbox", EXTRACTS, "--store", tmp_path / "store")
    monkeypatch.setenv("KERAWANAN_SIGNING_KEY", "planted-no-key")
    answer = kerawanan(*run)
    assert (answer.code, "no Ed25519 private key" in answer.err) == (2, True)
    assert "planted" not in answer.out + answer.err
    monkeypatch.delenv("KERAWANAN_SIGNING_KEY")
    monkeypatch.setenv("KERAWANAN_SIGNING_KEY_FILE", str(tmp_path / "nowhere.pem"))
    answer = kerawanan(*run)
    assert (answer.code, "cannot be read" in answer.err) == (2, True)
    monkeypatch.delenv("KERAWANAN_SIGNING_KEY_FILE")
    assert kerawanan(*run).code == 0
    answer = kerawanan("snapshots", "verify", "--store", tmp_path / "store", "--public-key", tmp_path / "nowhere.pem")
    assert (answer.code, "no Ed25519 public key" in answer.err) == (2, True)


@pytest.mark.slow
def test_a_snapshot_comes_out_again_or_the_cause_is_named(nights: Nights, kerawanan: Cli, tmp_path: Path) -> None:
    inbox = tmp_path / "later"
    inbox.mkdir()
    night = nights.run()
    deep = ("snapshots", "verify", "--deep", "--store", nights.store, "--format", "json")
    answer = kerawanan(*deep)
    assert answer.code == 0, answer.out
    assert [(each["is_same"], each["causes"]) for each in answer.json["rebuilt"]] == [(True, [])]
    assert answer.json["rebuilt"][0]["rebuilt_hash"] == night.content_hash
    # What arrived while the night ran counted in it, though it was admitted later.
    shutil.copytree(EXTRACTS, inbox, dirs_exist_ok=True)
    file = next(inbox.glob("siaran*"))
    file.write_text(file.read_text().replace("77,04", "77,14"))
    at = datetime(2026, 1, 30, tzinfo=UTC)
    take_in(Store(str(nights.store)), [file], Library().sources, at, LATER)
    nights.run(None)
    assert [each["is_same"] for each in kerawanan(*deep).json["rebuilt"]] == [True, True]
    # What was kept of earlier readings is not believed, and what was withdrawn later counted then.
    for kept in (nights.store / "cache").rglob("*"):
        if kept.is_file():
            kept.write_bytes(b"x")
    store = Store(str(nights.store))
    name = next(each.name for each in EXTRACTS.iterdir() if each.suffix == ".csv")
    withdraw_extract(store, extract_called(store, name), "sent twice", LATER)
    assert kerawanan(*deep).code == 0


def halved(*given: Any) -> ResolvedFigures:
    """Resolved figures, with finished scores that are half of what they are."""
    found = resolved_figures(*given)
    return found._replace(entered=found.entered.with_columns(pl.col("score") / 2))


@pytest.mark.slow
def test_other_code_is_named_as_the_cause(nights: Nights, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    nights.run()
    monkeypatch.setattr(
        "flows.night.rebuild.code_identity", lambda: {"version": "9", "sha256": "f" * 64, "libraries": {"x": "1"}}
    )
    deep = ("snapshots", "verify", "--deep", "--store", nights.store)
    assert kerawanan(*deep).code == 0  # other code, and the same figures
    monkeypatch.setattr("flows.night.steps.resolved_figures", halved)
    answer = kerawanan(*deep)
    assert answer.code == 1
    assert "does NOT come out again" in answer.out
    assert "it was computed by other code" in answer.out
    assert "these tables differ: " in answer.out
    assert "index_score" in answer.out
