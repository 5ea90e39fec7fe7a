"""A year of nights at once: 365 nights of 514 regions x 61 indicators, of which forty have new extracts.

The forms of 548 offices arrive on forty days. The same backfill runs one night at a time, two at a time, on two workers
of a Dask scheduler, and once more over what is done. Prints seconds, and what is not the nights themselves.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.night.intake import take_in
from schemas.methodology.library import Library
from warehouse.snapshots.runs import run_records
from warehouse.store.store import Store

ROOT = Path(__file__).parents[1]
EDITION, SOURCE = "ikp-2024-simulated", "formulir-ikp-2024-simulasi"
NIGHTS, ARRIVALS = 365, 40
FIRST = datetime(2026, 1, 1, 3, tzinfo=UTC)
PORT = "8786"


def main() -> int:
    """Make the store, run every way on a copy of it, and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = arrived(folder)
        say("| way | seconds | computing, together | the rest per night |\n|---|---|---|---|")
        last = whole
        for way, more in (
            ("one night at a time", ()),
            ("two at a time", ("--workers", "2")),
            ("two workers of Dask", ("--runner", "dask", "--dask-scheduler", f"tcp://127.0.0.1:{PORT}")),
        ):
            last = Path(shutil.copytree(whole, folder / way.replace(" ", "-")))
            with ExitStack() as stack:
                if "dask" in more:
                    dask(stack, folder)
                told(way, last, *backfill(last, *more))
        told("once more, all done", last, *backfill(last), is_done=True)
    return 0


def arrived(folder: Path) -> Path:
    """A store in which the forms arrived on forty days of a year."""
    forms = folder / "forms"
    subprocess.run([sys.executable, str(ROOT / "extracts/simulate_offices.py"), str(forms)], check=True, cwd=ROOT)
    files, store, sources = sorted(forms.iterdir()), Store(str(folder / "store")), Library().sources
    for number in range(ARRIVALS):
        at = FIRST + timedelta(days=number * NIGHTS // ARRIVALS)
        take_in(store, files[number::ARRIVALS], sources, at, at, SOURCE)
    return Path(store.url)


def backfill(store: Path, *more: str) -> tuple[float, dict[str, int]]:
    """Seconds of the whole command, and how many nights ended how."""
    days = ("--from", f"{FIRST:%Y-%m-%d}", "--to", f"{FIRST + timedelta(days=NIGHTS - 1):%Y-%m-%d}")
    command = [sys.executable, "-m", "flows.cli", "backfill", "--edition", EDITION, *days, "--reason", "bench"]
    begun = time.monotonic()
    answer = subprocess.run(
        [*command, "--execute", "--store", str(store), "--format", "json", *more],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    seconds = time.monotonic() - begun
    outcomes: dict[str, int] = {}
    for each in json.loads(answer.stdout)["nights"]:
        outcomes[each["outcome"]] = outcomes.get(each["outcome"], 0) + 1
    assert "failed" not in outcomes, answer.stderr
    return seconds, outcomes


def told(way: str, store: Path, seconds: float, outcomes: dict[str, int], *, is_done: bool = False) -> None:
    """Print a row of the table."""
    timed = [each.seconds for each in run_records(Store(str(store)), datetime.now(UTC)) if each.seconds]
    computing = 0.0 if is_done else sum(sum(each.values()) for each in timed)
    ended = ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items()))
    say(f"| {way} ({ended}) | {seconds:.1f} | {computing:.1f} | {(seconds - computing) / NIGHTS * 1000:.0f} ms |")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def dask(stack: ExitStack, folder: Path) -> None:
    """A scheduler and two workers, until the stack is closed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for arguments in (
        ("scheduler", "--host", "127.0.0.1", "--port", PORT, "--no-dashboard"),
        *[("worker", f"tcp://127.0.0.1:{PORT}", "--nthreads", "1", "--no-dashboard", "--no-nanny")] * 2,
    ):
        command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]]
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        stack.callback(process.kill)


if __name__ == "__main__":
    sys.exit(main())
