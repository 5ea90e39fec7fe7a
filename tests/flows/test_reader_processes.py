"""Files are read in processes of their own: what ends one is refused by name, remembered, and stops nothing else."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from flows.night.intake import source_of
from flows.readers import pool as readers
from flows.readers.pool import ReaderEnded, ReaderLimits, Readers
from flows.settings import Settings
from schemas.contract.refusals import Refusal
from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from tests.conftest import EDITION, EXTRACTS, ROOT, Answer, Nights
from tests.flows.test_reuse import Counted
from warehouse.extracts.parsed import from_kept

Cli = Callable[..., Answer]
PRESS = "siaran-pers-provinsi-2022-12-16.csv"
SOURCE = "siaran-pers-provinsi"
HERE = Path(__file__).parent
COMMAND = readers.COMMAND
LIMITS = ReaderLimits(memory=300_000_000, seconds=1, readers=2)
# What a file does to the process that reads it: the limit that it meets, and words of the sentence.
ENDS = {
    "eats": ("memory", ["more than 0.3 GB of memory", "KERAWANAN_READER_MEMORY"]),
    "aborts": ("memory", ["more than 0.3 GB of memory", "KERAWANAN_READER_MEMORY"]),
    "computes": ("time", ["more than 1 seconds", "KERAWANAN_READER_SECONDS"]),
    "sleeps": ("time", ["more than 1 seconds", "KERAWANAN_READER_SECONDS"]),
    "stops": ("time", ["more than 1 seconds", "KERAWANAN_READER_SECONDS"]),
    "dies": ("end", ["SIGSEGV", "damaged"]),
    "leaves": ("end", ["exit code 0"]),
    "ended": ("outside", ["SIGTERM", "send it again"]),
}


def odd(does: str) -> bytes:
    return (EXTRACTS / PRESS).read_bytes() + f"Prov. Bali;Input provinsi;1;odd: {does}\n".encode()


@pytest.fixture
def source() -> Source:
    return Library().sources[SOURCE]


@pytest.fixture(autouse=True)
def _own_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers of the product, not those of other tests."""
    monkeypatch.setattr(readers, "COMMAND", COMMAND)


@pytest.fixture
def odd_readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Readers]:
    """Readers that do what stands in files."""
    monkeypatch.setattr(readers, "COMMAND", ("-P", str(HERE / "odd_reader.py")))
    monkeypatch.setattr(readers, "GRACE", 0.5)
    monkeypatch.setattr(readers, "PATIENCE", 3)
    readers._readers_of.cache_clear()
    yield readers.readers_within(LIMITS)
    readers._readers_of.cache_clear()


def test_rows_are_those_of_the_file(source: Source) -> None:
    rows = from_kept(Readers(ReaderLimits()).rows((EXTRACTS / PRESS).read_bytes(), source))
    assert rows.height == 44
    assert rows["region"][0] == "Prov. DKI Jakarta"


@pytest.mark.slow
@pytest.mark.parametrize("does", ENDS)
def test_a_file_that_ends_its_reader_is_refused_with_the_limit_it_met(
    does: str, odd_readers: Readers, source: Source
) -> None:
    limit, words = ENDS[does]
    with pytest.raises(ReaderEnded) as ended:
        odd_readers.rows(odd(does), source)
    assert ended.value.limit == limit
    assert all(word in str(ended.value) for word in words), str(ended.value)
    assert from_kept(odd_readers.rows((EXTRACTS / PRESS).read_bytes(), source)).height == 44


def test_what_a_reader_does_not_foresee_is_a_refusal(odd_readers: Readers, source: Source) -> None:
    with pytest.raises(Refusal, match="list index out of range"):
        odd_readers.rows(odd("raises"), source)


def test_a_reader_is_told_no_secret(odd_readers: Readers, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KERAWANAN_SIGNING_KEY", "AWS_SECRET_ACCESS_KEY", "PREFECT_API_AUTH_STRING", "SECRET"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(Refusal) as told:
        odd_readers.rows(odd("environment"), source)
    assert "PATH" in str(told.value)
    assert not {"KERAWANAN", "AWS", "PREFECT", "SECRET"} & set(str(told.value).replace("_", " ").split())


def test_files_are_read_side_by_side_and_answered_in_their_order(odd_readers: Readers) -> None:
    def slow(number: int) -> tuple[int, float]:
        time.sleep(0.2 if number % 2 else 0.0)
        return number, time.monotonic()

    found = list(odd_readers.side_by_side(slow, range(6), ahead=6))
    assert [number for number, _ in found] == list(range(6))
    assert found[2][1] < found[1][1]


@pytest.mark.slow
def test_a_night_goes_on_beside_what_ends_its_readers(
    odd_readers: Readers, nights: Nights, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(Readers.rows)
    monkeypatch.setattr(Readers, "rows", lambda *given: counted(*given))
    bad = {f"siaran-pers-provinsi-{does}.csv": words for does, (limit, words) in ENDS.items() if limit != "outside"}
    for name in bad:
        (inbox / name).write_bytes(odd(name.removesuffix(".csv").rpartition("-")[2]))
    before = nights.copied(nights.folder / "plain").run(EXTRACTS)
    counted.calls = 0
    night = nights.run(inbox, reading=LIMITS)
    assert (night.outcome, night.content_hash) == ("published", before.content_hash)
    reasons = {each["file_name"]: each["reason"] for each in nights.record()["refused"]}
    assert reasons.keys() == bad.keys()
    assert all(word in reasons[name] for name, words in bad.items() for word in words)
    assert counted.calls == len(bad) + len(list(EXTRACTS.iterdir()))

    again = nights.run(inbox, reading=LIMITS, as_of=date(2026, 2, 3))
    assert again.content_hash == night.content_hash
    assert counted.calls == len(bad) + len(list(EXTRACTS.iterdir()))
    reasons = {each["file_name"]: each["reason"] for each in nights.record()["refused"]}
    assert reasons.keys() == bad.keys()
    assert all("not tried again" in reason for reason in reasons.values())

    larger = ReaderLimits(LIMITS.memory, LIMITS.seconds + 1, LIMITS.readers)
    nights.run(inbox, reading=larger, as_of=date(2026, 2, 4))
    assert counted.calls == 2 * len(bad) + len(list(EXTRACTS.iterdir()))


@pytest.mark.slow
def test_what_ended_its_reader_is_listed_and_verified(
    odd_readers: Readers, tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAWANAN_READER_SECONDS", "1")
    (tmp_path / "a.csv").write_bytes(odd("computes"))
    shutil.copy(EXTRACTS / PRESS, tmp_path)
    store = tmp_path / "store"
    files = (tmp_path / "a.csv", tmp_path / PRESS)
    answer = kerawanan("ingest", *files, "--source", SOURCE, "--store", store, "--format", "json")
    assert answer.code == 2
    assert [each["file_name"] for each in answer.json["admitted"]] == [PRESS]
    assert "1 seconds" in answer.json["refused"][0]["reason"]
    listed = kerawanan("extracts", "list", "--store", store, "--format", "json").json["extracts"]
    assert {each["file_name"]: each["state"] for each in listed} == {PRESS: "admitted", "a.csv": "refused"}
    assert len(list((store / "raw/unreadable").rglob("*.json"))) == 1
    assert kerawanan("run", "--edition", EDITION, "--store", store).code == 0
    assert kerawanan("snapshots", "verify", "--store", store).code == 0
    (note,) = (store / "raw/unreadable").rglob("*.json")
    note.write_text(note.read_text().replace('"limit": "time"', '"limit": "none"'))
    assert "raw/unreadable" in kerawanan("snapshots", "verify", "--store", store).out


@pytest.mark.slow
@pytest.mark.parametrize("command", ["validate", "sources check"])
def test_commands_that_look_at_a_file_refuse_it_too(
    command: str, odd_readers: Readers, tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAWANAN_READER_SECONDS", "1")
    (tmp_path / "a.csv").write_bytes(odd("computes"))
    answer = kerawanan(*command.split(), tmp_path / "a.csv", "--source", SOURCE)
    assert answer.code == 2
    assert "KERAWANAN_READER_SECONDS" in answer.out + answer.err


def test_limits_that_are_none_are_told(kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MEMORY": "10MB", "SECONDS": "0", "MEMORY ": "much"}.items():
        with monkeypatch.context() as patch:
            patch.setenv(f"KERAWANAN_READER_{name.strip()}", value)
            answer = kerawanan("sources", "list")
        assert answer.code == 2
        assert value in answer.err
        assert "reading one file" in answer.err


def test_limits_come_from_the_environment_and_fit_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().reading == ReaderLimits(1_000_000_000, 20, None)
    for name, value in {"READER_MEMORY": "1.5GiB", "READER_SECONDS": "30", "READERS": "3"}.items():
        monkeypatch.setenv(f"KERAWANAN_{name}", value)
    assert Settings().reading == ReaderLimits(3 << 29, 30, 3)
    assert Settings(**Settings().without_secrets()).reading == Settings().reading
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 3_900_000_000 // 4096}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    for cores, at_a_time in {1: 1, 2: 2, 16: 2}.items():
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert ReaderLimits().at_a_time == at_a_time
    pages["SC_PHYS_PAGES"] = 1_000_000_000 // 4096
    assert ReaderLimits().at_a_time == 1


def children_of(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in listed for child in each.read_text().split()]


def is_there(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


READS = """
import sys, threading
from flows.readers import pool as readers
from schemas.methodology.library import Library
readers.COMMAND = ("-P", sys.argv[1])
these = readers.Readers(readers.ReaderLimits(seconds=600, readers=2))
source = Library().sources[sys.argv[2]]
files = [open(name, "rb").read() for name in sys.argv[3:]]
list(these.side_by_side(lambda content: these.rows(content, source), files, ahead=9))
sys.exit("nothing hung")
"""


def test_readers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    files = []
    for does in ("sleeps", "computes"):
        (tmp_path / does).write_bytes(odd(does))
        files.append(tmp_path / does)
    parent = subprocess.Popen([sys.executable, "-c", READS, HERE / "odd_reader.py", SOURCE, *files], cwd=ROOT)
    try:
        left = time.monotonic() + 60
        while len(found := children_of(parent.pid)) < 2 and time.monotonic() < left:
            time.sleep(0.05)
        assert len(found) == 2
        time.sleep(2)  # they are at it, or still getting ready: both must end
    finally:
        parent.kill()
        parent.wait()
    left = time.monotonic() + 20
    while any(map(is_there, found)) and time.monotonic() < left:
        time.sleep(0.05)
    assert not [each for each in found if is_there(each)]


INTERRUPTED = """
import signal, threading, os, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may let its background ignore it
def interrupt():
    while not ("these" in globals() and these._busy):
        time.sleep(0.05)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
"""


def test_an_interrupted_night_does_not_wait_for_its_readers(tmp_path: Path) -> None:
    (tmp_path / "sleeps").write_bytes(odd("sleeps"))
    began = time.monotonic()
    command = [sys.executable, "-c", INTERRUPTED + READS, str(HERE / "odd_reader.py"), SOURCE, str(tmp_path / "sleeps")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "KeyboardInterrupt" in done.stderr
    assert time.monotonic() - began < 30


DAEMON = """
import multiprocessing, sys
from flows.readers.pool import Readers, ReaderLimits
from schemas.methodology.library import Library
def read(name, file, answer):
    answer.put(len(Readers(ReaderLimits()).rows(open(file, "rb").read(), Library().sources[name])))
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    worker = context.Process(target=read, args=(*sys.argv[1:], answer), daemon=True)
    worker.start()
    print(answer.get(timeout=100) > 0)
    worker.join()
"""


@pytest.mark.slow
def test_a_worker_that_may_have_no_children_has_readers(tmp_path: Path) -> None:
    """Workers of Dask are daemonic, and multiprocessing would refuse them."""
    (tmp_path / "daemon.py").write_text(DAEMON)
    command = [sys.executable, str(tmp_path / "daemon.py"), SOURCE, str(EXTRACTS / PRESS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "True\n"


@pytest.mark.slow
def test_what_is_no_file_in_an_inbox_is_refused_without_being_opened(
    nights: Nights, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "siaran-pers-provinsi-link.csv").symlink_to(EXTRACTS / PRESS)
    (inbox / "siaran-pers-provinsi-nowhere.csv").symlink_to(inbox / "nothing")
    (inbox / "siaran-pers-provinsi-linked-folder.csv").symlink_to(EXTRACTS)
    (inbox / "siaran-pers-provinsi-folder.csv").mkdir()
    os.mkfifo(inbox / "siaran-pers-provinsi-pipe.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        with monkeypatch.context() as patch:
            patch.chdir(inbox)  # the path of a socket may not be long
            listening.bind("siaran-pers-provinsi-socket.csv")
        night = nights.run(inbox)
    assert night.outcome == "published"
    reasons = {each["file_name"].split("-", 3)[3]: each["reason"] for each in nights.record()["refused"]}
    assert reasons == {
        f"{name}.csv": f"it is a {kind}; name the file itself."
        for name, kind in {
            "link": "link",
            "nowhere": "link",
            "linked-folder": "link",
            "folder": "folder",
            "pipe": "pipe",
            "socket": "socket",
        }.items()
    }


def test_names_of_sources_are_folders_of_the_store(tmp_path: Path, kerawanan: Cli) -> None:
    entry = (ROOT / "methodology/sources.yml").read_text()
    start = entry.index(f"\n{SOURCE}:") + 1
    whole = entry[start : entry.index("\n\n", start)] if "\n\n" in entry[start:] else entry[start:]
    for name in ("../x", "Siaran Pers", "a/b", "-x", ".x", "x" * 200, '""'):
        (tmp_path / "sources.yml").write_text("# ours\n" + whole.replace(f"{SOURCE}:", f"{name}:", 1))
        answer = kerawanan("sources", "list", "--methodology", tmp_path)
        assert answer.code == 1, name
        assert "sources.yml, row" in answer.err
        assert "folder of the store" in answer.err
    assert source_of(PRESS, Library().sources) == SOURCE


def test_a_reader_that_somebody_stops_meanwhile_is_replaced(source: Source) -> None:
    these = Readers(LIMITS)
    content = (EXTRACTS / PRESS).read_bytes()
    these.rows(content, source)
    (reader,) = these._idle
    os.kill(reader._process.pid, signal.SIGKILL)
    assert these.rows(content, source)
