"""`make bench`: the same task done in several ways, side by side, results compared; and whole nights.

python -m benchmarks.bench [--units 514,7277,83000,823000] [--folder build/benchmark]
"""

import argparse
import csv
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.data import GAP

WAYS = ("scan", "duckdb_text", "polars_text", "pandas_text", "engine_scores", "engine_tables")
# Where nothing is blank every indicator is ranked too, which the engine leaves out where not all regions are known.
WITHOUT_GAPS = ("duckdb_text", "polars_text", "engine_scores", "engine_tables")
BOUNDED = {"engine_scores": "450MB", "engine_tables": "2GB"}
PANDAS_UNITS = 83_000  # more does not fit the memory of a small machine
Result = dict[str, Any]


def main() -> int:
    """Run everything and print Markdown; fails where two ways disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", default="514,7277,83000,823000", help="sizes, separated by commas")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"), help="where the data is made")
    options = parser.parse_args()
    sizes = [int(size) for size in options.units.split(",")]
    known = {int(row["units"]): row for row in csv.DictReader((files("benchmarks") / "check_sums.csv").open())}
    _say(f"Machine: {_machine()}\n")
    found: dict[tuple[str, int], Result] = {}
    differing = []
    for units in sizes:
        folder = options.folder / str(units)
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, units, GAP)
        for way in WAYS:
            if way == "pandas_text" and units > PANDAS_UNITS:
                continue
            found[way, units] = _measured(way, folder)
            if units == max(sizes) and way in BOUNDED:
                found[f"{way} within {BOUNDED[way]}", units] = _measured(way, folder, BOUNDED[way])
        differing += _differing({name: each for (name, size), each in found.items() if size == units}, known.get(units))
        shutil.rmtree(folder)
        if units == max(sizes):
            _make(folder, units, 0.0)
            whole = {way: _measured(way, folder) for way in WITHOUT_GAPS}
            differing += _differing(whole, None)
            found |= {(f"{way}, no gaps", units): result for way, result in whole.items()}
            shutil.rmtree(folder)
    _say(_scoring_table(found, sizes))
    _say(_nights_table())
    for sentence in differing:
        _say(f"DIFFERENT: {sentence}")
    return 1 if differing else 0


def _make(folder: Path, units: int, gap: float) -> None:
    """The data, made by a process of its own: the peak memory of this one is counted as its children's."""
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "benchmarks.data", str(folder), str(units), str(gap)], check=True)


def _measured(way: str, folder: Path, limit: str | None = None) -> Result:
    """One way in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ways", way, str(folder), *([limit] if limit else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    result: Result = json.loads(done.stdout)
    return result


def _differing(results: dict[str, Result], known: dict[str, str] | None) -> list[str]:
    """Where a way's result is not that of the engine, or not the check sum that other programs gave."""
    ours = results["engine_tables"]
    sentences = [f"{way}: {result['failed']}" for way, result in results.items() if "failed" in result]
    if "failed" in ours:
        return sentences
    for way, result in results.items():
        if way == "scan" or "failed" in result:
            continue
        if not math.isclose(result["index_sum"], ours["index_sum"], rel_tol=1e-12):
            sentences.append(f"{way}: index adds up to {result['index_sum']}, ours to {ours['index_sum']}")
        # Sums of doubles in the order of threads differ in their last digits: regions that tie here do not tie there.
        if not math.isclose(result["rank_sum"], ours["rank_sum"], rel_tol=1e-4):
            sentences.append(f"{way}: ranks add up to {result['rank_sum']}, ours to {ours['rank_sum']}")
        sentences += [
            f"{way}: {name} is {result[name]}, ours {ours[name]}"
            for name in ("first_unit", "categories")
            if result[name] != ours[name]
        ]
        if known and not math.isclose(result["index_sum"], float(known["index_sum"]), rel_tol=1e-12):
            sentences.append(f"{way}: index adds up to {result['index_sum']}, elsewhere to {known['index_sum']}")
    return sentences


def _scoring_table(found: dict[tuple[str, int], Result], sizes: list[int]) -> str:
    """Seconds and peak memory per way and size; ratios to the plain DuckDB query; how time grows with size."""
    lines = [
        f"| way | {' | '.join(f'{size:,}' for size in sizes)} | at {max(sizes):,}: MB | x plain DuckDB | growth |",
        f"|---|{'---:|' * len(sizes)}---:|---:|---:|",
    ]
    largest = max(sizes)
    for way in dict.fromkeys(name for name, _ in found):
        seconds = [found.get((way, size), {}).get("seconds") for size in sizes]
        cells = ["" if each is None else f"{each:.3f}" if each < 1 else f"{each:.1f}" for each in seconds]
        last = found.get((way, largest), {})
        peak = f"{last['peak_mb']:,.0f}" if "peak_mb" in last else ""
        same_data = "duckdb_text, no gaps" if way.endswith(", no gaps") else "duckdb_text"
        plain = found[same_data, largest].get("seconds")
        ratio = f"{last['seconds'] / plain:.2f}" if plain and "seconds" in last else ""
        measured = [(size, each) for size, each in zip(sizes, seconds, strict=True) if each]
        growth = ""
        if len(measured) > 1:
            (small, quick), (big, slow) = measured[0], measured[-1]
            growth = f"{math.log(slow / quick) / math.log(big / small):.2f}"
        lines.append(f"| {way} | {' | '.join(cells)} | {peak} | {ratio} | {growth} |")
    return "\n".join(lines) + "\n"


def _nights_table() -> str:
    """Whole processes: the simulated edition's 548 forms, and what starting costs."""
    lines = ["| night of 548 forms x 61 indicators, whole process | seconds |", "|---|---:|"]
    kerawanan = str(Path(sys.executable).with_name("kerawanan"))
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder) / "inbox"
        _timed([sys.executable, "extracts/simulate_offices.py", str(inbox)])
        reading = subprocess.run(
            [sys.executable, "-m", "benchmarks.reading", str(inbox)], check=True, capture_output=True, text=True
        )
        read = json.loads(reading.stdout)
        night = [kerawanan, "run", "--edition", "ikp-2024-simulated", "--store", f"{folder}/store"]
        lines.append(f"| full, with gate | {_timed([*night, '--inbox', str(inbox)]):.1f} |")
        lines.append(f"| unchanged | {_timed(night):.1f} |")
        lines.append(f"| unchanged, inbox looked at again | {_timed([*night, '--inbox', str(inbox)]):.1f} |")
    ratio = read["validated"] / read["bare"]
    lines.append(f"| forms parsed and validated ({ratio:.1f} x a bare read and cast) | {read['validated']:.1f} |")
    lines.append(f"| `import flows.cli` | {_timed([sys.executable, '-c', 'import flows.cli']):.2f} |")
    return "\n".join(lines) + "\n"


def _timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
