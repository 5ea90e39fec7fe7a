"""What becomes of hostile files, each read in a process of its own with limits on its time and memory:

    python -m tests.fuzz.hostile [PART OF A NAME ...]

prints a line for each: seconds, peak memory above that of an idle reader in MB, how it ended, what is wrong with that.
"""

import json
import os
import resource
import sys
import time
from typing import NamedTuple

import pyarrow.parquet  # noqa: F401 - importing is not what is measured
import python_calamine  # noqa: F401

from schemas.methodology import Library
from schemas.violations import Refusal
from tests.fuzz.hostile import CASES, Hostile
from tests.fuzz.hostile.case import LINES
from transforms.admission import admission, identified
from transforms.parse import extract_rows
from transforms.regions import region_lookup

SECONDS, MEMORY = 20, 1_000  # of time, MB: what a hostile file may take
MOST_SECONDS, MOST_MEMORY = 60, 4_000  # where its process ends


READABLE = Hostile("readable", "csv", LINES.encode)


class Ended(NamedTuple):
    """How the reading of a file ended: what was said, or what its process died of; seconds and MB."""

    said: str
    seconds: float
    memory: int
    wrong: str


def verdict(content: bytes, case: Hostile, library: Library) -> str:
    """What becomes of a file, as JSON: refused and why, or the values admitted and the rules of the quarantine."""
    source = case.source
    try:
        rows = extract_rows(content, source)
    except Refusal as refusal:
        return json.dumps({"refused": str(refusal)})
    named = identified(rows, source="hostile", file_name=case.file_name, extract_sha256="0" * 64)
    lookup = region_lookup(library.reference, source, library.edition("ikp-2024-simulated").edition.regions_date)
    found = admission(named, source, (), lookup, library.dictionary)
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
        return "" if case.refused.lower() in reason.lower() else f"said: {reason}"
    if "refused" in told:
        return f"refused: {told['refused']}"
    if told["admitted"] != sorted(str(float(each)) for each in case.admitted):
        return f"admitted: {said[:120]}"
    return "" if case.rule is None or case.rule in told["rules"] else f"quarantined: {said[:120]}"


def ended(case: Hostile) -> Ended:
    """Read the file in a process of its own."""
    content = case.make()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        os.close(reading)
        library = Library()
        verdict(LINES.encode(), READABLE, library)
        os.write(writing, f"{_memory(os.getpid())} {time.process_time()}\n".encode())
        try:
            said = verdict(content, case, library)
        except BaseException as error:
            said = f"raised {type(error).__name__}: {str(error)[:80]}"
        os.write(writing, f"{time.process_time()}\n{said}".encode()[:60_000])
        os._exit(0)
    os.close(writing)
    start = time.perf_counter()
    peak = 0
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        took = time.perf_counter() - start
        if done:
            break
        peak = max(peak, _memory(child))
        if took > 10 * MOST_SECONDS or peak > MOST_MEMORY:
            os.kill(child, 9)
        time.sleep(0.02)
    with os.fdopen(reading, "rb") as pipe:
        before, _, rest = pipe.read().decode().partition("\n")
    base, began = before.split()
    stopped, _, said = rest.partition("\n")
    took = float(stopped or took) - float(began)
    if status or not said:
        said = f"died of signal {status & 127}" if status & 127 else f"died with {status >> 8}"
    wrong = wrong_with(said, case)
    grown = max(usage.ru_maxrss // 1024, peak) - int(base)
    if not wrong and (took > SECONDS or grown > MEMORY):
        wrong = f"took too much: {said[:90]}"
    return Ended(said, took, grown, wrong)


def _memory(process: int) -> int:
    """MB that a process holds."""
    try:
        with open(f"/proc/{process}/statm") as file:  # noqa: PTH123 - a device
            return int(file.read().split()[1]) * resource.getpagesize() >> 20
    except (OSError, IndexError):
        return 0


if __name__ == "__main__":
    wanted = sys.argv[1:]
    failed = count = 0
    for name, each in CASES.items():
        if wanted and not any(part in name for part in wanted):
            continue
        result = ended(each)
        count += 1
        failed += bool(result.wrong)
        sys.stdout.write(
            f"{result.seconds:6.2f} s {result.memory:5} MB  {name}: {result.wrong or 'ok: ' + result.said[:90]}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{failed} of {count} are wrong\n")
