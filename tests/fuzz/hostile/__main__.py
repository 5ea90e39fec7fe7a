"""What becomes of hostile files, read in a process of their own with limits on its time and memory:

    python -m tests.fuzz.hostile [PART OF A NAME ...]

prints a line for each: seconds of processor, memory that it took at most in MB, how it ended, what is wrong with that.
"""

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import pyarrow.parquet  # noqa: F401 - importing is not what is measured
import python_calamine  # noqa: F401

from schemas.contract.refusals import Refusal
from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from tests.fuzz.hostile import CASES, Hostile
from tests.fuzz.hostile.case import LINES
from transforms.extracts.admission import admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import Lookup, region_lookup

SECONDS, MEMORY = 20, 1_000  # of time, MB: what a hostile file may take
MOST_SECONDS, MOST_MEMORY = 60, 4_000  # where its process ends


READABLE = Hostile("readable", "csv", LINES.encode)


class Ended(NamedTuple):
    """How the reading of a file ended: what was said, or what its process died of; seconds and MB."""

    said: str
    seconds: float
    memory: int
    wrong: str


LOOKUPS: dict[str, Lookup] = {}


def _lookup(library: Library, source: Source, regions: str) -> Lookup:
    """The regions that a source may name; sources that say the same of regions share it."""
    if regions not in LOOKUPS:
        on = library.edition("ikp-2024-simulated").edition.regions_date
        LOOKUPS[regions] = region_lookup(library.reference, source, on)
    return LOOKUPS[regions]


def verdict(content: bytes, case: Hostile, library: Library) -> str:
    """What becomes of a file, as JSON: refused and why, or the values admitted and the rules of the quarantine."""
    source = case.source
    try:
        rows = extract_rows(content, source)
    except Refusal as refusal:
        reasons = {"refused": refusal.reason("en"), "refused_id": refusal.reason("id")}
        return json.dumps(
            {
                **reasons,
                "rule": refusal.rule,
                "actions": [refusal.columns[f"action_{tongue}"] for tongue in ("en", "id")],
            }
        )
    named = identified(rows, source="hostile", file_name=case.file_name, extract_sha256="0" * 64)
    regions = {key: value for key, value in source if key.startswith("region") or key in ("levels", "bare_name")}
    found = admission(named, source, (), _lookup(library, source, repr(regions)), library.dictionary)
    values = found.admitted.drop_nulls("value")["value"].to_list()
    return json.dumps({"admitted": sorted(map(str, values)), "rules": sorted(set(found.quarantine["rule"]))})


def wrong_with(said: str, case: Hostile) -> str:
    """What is wrong with a verdict; nothing where it is what the case expects."""
    if not said.startswith("{"):
        return said
    try:
        told = json.loads(said)
    except ValueError:
        return f"a sentence of {len(said)} letters"
    if case.refused is not None:
        reason = told.get("refused")
        if reason is None:
            return f"read: {said[:120]}"
        if reason == told["refused_id"] or not all(told["actions"]):
            return f"said in one language, or without what to do: {told}"
        return "" if case.refused.lower() in reason.lower() else f"said: {reason}"
    if "refused" in told:
        return f"refused: {told['refused']}"
    if told["admitted"] != sorted(str(float(each)) for each in case.admitted):
        return f"admitted: {said[:120]}"
    return "" if case.rule is None or case.rule in told["rules"] else f"quarantined: {said[:120]}"


def ended(names: Iterable[str]) -> Iterator[tuple[str, Ended]]:
    """Read the files one after the other in a process with limits; where it dies, another goes on with the rest."""
    left = list(names)
    while left:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _read(left, writing)
        os.close(writing)
        with os.fdopen(reading) as lines:
            while left and select.select([lines], [], [], MOST_SECONDS)[0] and (line := lines.readline()):
                yield left.pop(0), Ended(*json.loads(line))
        if left:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if left:
            died = f"died of signal {status & 127}" if status & 127 else f"died with {status >> 8}"
            yield left.pop(0), Ended(died, MOST_SECONDS, 0, died)


def _read(names: list[str], writing: int) -> NoReturn:
    """Say of each file how its reading ended, in a line."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY << 20, MOST_MEMORY << 20))
    library = Library()
    verdict(LINES.encode(), READABLE, library)
    for name in names:
        case = CASES[name]
        content = case.make()
        # The peak begins anew.
        Path("/proc/self/clear_refs").write_text("5")
        held, began = _held("VmRSS"), time.process_time()
        try:
            said = verdict(content, case, library)
        except BaseException as error:
            said = f"raised {type(error).__name__}: {str(error)[:80]}"
        took, grown = time.process_time() - began, _held("VmHWM") - held
        wrong = wrong_with(said, case)
        if not wrong and (took > SECONDS or grown > MEMORY):
            wrong = f"took too much: {said[:90]}"
        os.write(writing, f"{json.dumps(Ended(said[:200], took, grown, wrong))}\n".encode())
    os._exit(0)


def _held(which: str) -> int:
    """MB that this process holds, or held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith(which))


if __name__ == "__main__":
    wanted = sys.argv[1:]
    failed = count = 0
    chosen = [name for name in CASES if not wanted or any(part in name for part in wanted)]
    for name, result in ended(chosen):
        count += 1
        failed += bool(result.wrong)
        sys.stdout.write(
            f"{result.seconds:6.2f} s {result.memory:5} MB  {name}: {result.wrong or 'ok: ' + result.said[:90]}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{failed} of {count} are wrong\n")
    sys.exit(failed > 0)
