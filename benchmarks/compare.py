"""Whether two checkouts say the same: content hashes of tables and the JSON of commands, on the bundled inputs.

    python -m benchmarks.compare record CHECKOUT FILE [--kpu FOLDER]
    python -m benchmarks.compare compare BEFORE AFTER

The first runs the commands of a checkout, which has its own .venv; the second names what differs, with exit code 1.

`--kpu` adds the editions of KPU's results of 2019, of the CSV files in a folder.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

AS_OF = ("--as-of", "2026-01-31")
RECEIVED = ("--received-at", "2026-01-30")
# What differs from run to run, and what it is written as.
VARYING = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\"\\ ]*", "TIME"),
    (r"\b\d{8}T\d{6}[-\w]*", "RUN"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "RUN"),
)
VARYING_KEYS = {"seconds", "code", "manifest_sha256", "signature", "bytes", "size", "duration"}


def main() -> int:
    """Record a checkout, or compare two records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    recording = actions.add_parser("record")
    recording.add_argument("checkout", type=Path)
    recording.add_argument("file", type=Path)
    recording.add_argument("--kpu", type=Path)
    comparing = actions.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    options = parser.parse_args()
    if options.action == "record":
        options.file.write_text(json.dumps(recorded(options.checkout.resolve(), options.kpu), indent=1, sort_keys=True))
        return 0
    before, after = (json.loads(file.read_text()) for file in (options.before, options.after))
    differing = list(differences("", before, after))
    sys.stdout.write("".join(f"{sentence}\n" for sentence in differing) or "Nothing differs.\n")
    return 1 if differing else 0


def recorded(checkout: Path, kpu: Path | None) -> dict[str, Any]:
    """What commands of a checkout answer, and the hashes of the tables that they publish."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, forms = folder / "store", folder / "forms"

        def run(*command: object) -> tuple[str, int]:
            done = subprocess.run([*map(str, command)], cwd=checkout, capture_output=True, text=True, check=False)
            if done.returncode and not done.stdout:
                raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr[-2000:]}")
            return done.stdout, done.returncode

        run(checkout / ".venv/bin/python", "extracts/simulate_offices.py", forms)
        files = sorted(kpu.resolve().glob("*.csv")) if kpu else []
        published = checkout / "extracts/ikp-2024-published"
        press = next(iter(sorted(published.glob("siaran-pers-provinsi*.csv"))))
        commands: list[tuple[object, ...]] = [
            ("run", "--edition", "ikp-2024-published", "--inbox", published),
            ("run", "--edition", "ikp-2024-simulated", "--inbox", forms),
            ("run", "--edition", "ikp-2024-published"),
            ("validate", press, "--source", "siaran-pers-provinsi"),
            ("extracts", "list"),
            ("sources", "list"),
            ("runs", "list"),
            ("snapshots", "list"),
            ("snapshots", "verify", "--deep"),
            ("methodology", "list"),
            ("methodology", "show", "ikp-2024-published"),
            ("methodology", "check"),
        ]
        if files:
            commands += [
                ("ingest", "--source", "kpu-2019", *RECEIVED, *files),
                ("run", "--edition", "kpu-2019-pungut-hitung", *AS_OF),
                ("run", "--edition", "kpu-2019-luar-negeri", *AS_OF),
            ]
        answers = {}
        for number, command in enumerate(commands):
            text, code = run(checkout / ".venv/bin/kerawanan", *command, "--store", store, "--format", "json")
            named = " ".join(str(word) for word in command if not isinstance(word, Path))
            answers[f"{number:02} {named}"] = {
                "exit code": code,
                "document": steady(json.loads(plain(text, folder, checkout))),
            }
        manifests = sorted(store.glob("snapshots/*/*/datapackage.json"))
        facts = [json.loads(each.read_text())["kerawanan"] for each in manifests]
        hashes = {each["edition"]: {**each["table_hashes"], "content": each["content_hash"]} for each in facts}
    return {"commands": answers, "hashes": hashes}


def plain(text: str, folder: Path, checkout: Path) -> str:
    """A text without folders, times and names of runs."""
    text = text.replace(str(folder), "FOLDER").replace(str(checkout), "CHECKOUT")
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text


def steady(value: Any) -> Any:
    """A value without the keys that differ from run to run."""
    if isinstance(value, dict):
        return {key: steady(each) for key, each in value.items() if key not in VARYING_KEYS}
    return [steady(each) for each in value] if isinstance(value, list) else value


def differences(where: str, before: Any, after: Any) -> Any:
    """Sentences about everything that is not the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(f"{where} / {key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(f"{where} / {index}", one, other)
    elif before != after:
        yield f"{where.removeprefix(' / ')}: {json.dumps(before)[:200]} -> {json.dumps(after)[:200]}"


if __name__ == "__main__":
    sys.exit(main())
