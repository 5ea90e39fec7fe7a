"""Shared by all tests: the command line in-process, the bundled extracts, nights in a store of their own."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import polars as pl
import pytest

from flows.cli import main
from flows.night.request import Night, Request
from flows.night.steps import run_night
from flows.readers import pool
from flows.results.night import NightAnswer, night_answer
from schemas.methodology.library import Library, Methodology

# The same examples every time: a red test is red for everyone. `--hypothesis-profile random` looks further.
hypothesis.settings.register_profile("fixed", derandomize=True)
hypothesis.settings.register_profile("random", derandomize=False)
hypothesis.settings.load_profile("fixed")

ROOT = Path(__file__).parents[1]
EDITION = "ikp-2024-published"
EXTRACTS = ROOT / "extracts" / EDITION


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test comes first: at the end, one worker would wait for the other."""
    items.sort(key=lambda item: not item.name.startswith("test_killed_at_any_write"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At how many moments tests let a process die, or cut what it talks to."""
    found = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "points"
    ]
    if found:
        terminalreporter.write_line(f"processes died, or were cut off, at {sum(found)} moments in {len(found)} tests")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KERAWANAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KERAWANAN_LANG", "en")  # whatever the locale of the machine


@pytest.fixture(autouse=True, scope="session")
def _patient_readers() -> Iterator[None]:
    """Readers that outlive the time between two tests; `test_reader_processes.py` has the product's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "COMMAND", ("-P", str(ROOT / "tests/patient_reader.py")))
        yield


@pytest.fixture
def kerawanan(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call the command line; no answer may ever hold a traceback."""

    def call(*arguments: object) -> Answer:
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as leave:
            code = int(str(leave.code))
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Answer(code, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def methodology() -> Methodology:
    return Library().edition(EDITION)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A copy of the bundled extracts, to be changed at will."""
    return Path(shutil.copytree(EXTRACTS, tmp_path / "inbox"))


class Nights:
    """Nights in one store; each call is one run, its clock one minute later than the last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.count = 0

    def run(self, inbox: Path | None = EXTRACTS, edition: str = EDITION, **more: Any) -> Night:
        self.count += 1
        work = self.folder / f"work{self.count}"
        work.mkdir()
        request = Request(
            edition=edition,
            as_of=more.pop("as_of", date(2026, 1, 31)),
            now=more.pop("now", datetime(2026, 1, 31, 1, self.count, tzinfo=UTC)),
            run_id=f"run-{self.count:03}",
            store=str(self.store),
            work=work,
            inbox=inbox,
            **more,
        )
        return run_night(request)

    def table(self, night: Night, name: str, edition: str = EDITION) -> pl.DataFrame:
        return pl.read_parquet(self.store / "snapshots" / edition / night.snapshot_id / "tables" / f"{name}.parquet")

    def record(self) -> Any:
        return json.loads((self.store / f"runs/run-{self.count:03}/run.json").read_text())

    def copied(self, folder: Path) -> "Nights":
        """The same nights in another folder, which go on from here by themselves."""
        other = Nights(folder)
        other.count = self.count
        folder.mkdir(exist_ok=True)
        if self.store.exists():
            shutil.copytree(self.store, other.store, symlinks=True)
        return other


Published = tuple[Nights, Night]


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """One night on the bundled extracts, for tests that only look."""
    nights = Nights(tmp_path_factory.mktemp("bundled"))
    return nights, nights.run()


@pytest.fixture
def published(bundled: Published, tmp_path: Path) -> Published:
    """The same night in a store of one's own, for tests that go on from it."""
    nights, night = bundled
    return nights.copied(tmp_path), night


@pytest.fixture
def own_methodology(tmp_path: Path) -> Path:
    """A copy of the packaged methodology, to be broken at will."""
    return Path(shutil.copytree(ROOT / "methodology", tmp_path / "methodology"))


def night_answered(store: Path, answer: Any) -> NightAnswer:
    """What a command answered about a night in JSON, as the answer that it was."""
    night = Night(answer["outcome"], answer["snapshot_id"], answer["content_hash"])
    return night_answer(str(store), answer["run_id"], night)


def outside(index: pl.DataFrame) -> pl.DataFrame:
    """The rows whose score or rank lies outside its range."""
    return index.filter(
        ~pl.col("score").is_between("score_lowest", "score_highest")
        | ~pl.col("rank").is_between("rank_best", "rank_worst")
    )
