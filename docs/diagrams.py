"""Draws the diagrams of the pages: `night.dot` by hand, `folders.dot` from the imports of the code.

With --check, tells whether what lies in docs/diagrams is up to date.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

DIAGRAMS = Path(__file__).with_name("diagrams")
ROOT = DIAGRAMS.parent.parent
PACKAGES = ("flows", "transforms", "warehouse", "schemas")
STYLE = """\
    bgcolor=white
    compound=true
    node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica, fontsize=12]
    edge [color="#445566"]
"""


def part(module: str) -> str:
    """The folder or the single module of a package to which a module belongs."""
    return ".".join(module.split(".")[:2])


def imports() -> Iterator[tuple[str, str]]:
    """Which part of the code imports which other."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            importer = part(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGES):
                    # `from flows import settings` names a part, `from flows.night.steps import score` a function
                    names = [f"{node.module}.{each.name}" for each in node.names]
                    for imported in {part(node.module)} if "." in node.module else set(map(part, names)):
                        if imported != importer:
                            yield importer, imported


def direct(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The arrows without those that a longer way says as well."""
    after: dict[str, set[str]] = {}
    for start, end in arrows:
        after.setdefault(start, set()).add(end)

    def leads(start: str, end: str) -> bool:
        return any(step == end or leads(step, end) for step in after.get(start, ()))

    return {(start, end) for start, end in arrows if not any(leads(step, end) for step in after[start] - {end})}


def folders() -> str:
    """The packages with their folders; an arrow is an import. Between packages only the packages are joined."""
    every = set(imports())
    parts = {
        package: sorted({each for arrow in every for each in arrow if part_of(each, package)}) for package in PACKAGES
    }
    within = {(start, end) for start, end in every if start.split(".")[0] == end.split(".")[0]}
    between = {(start.split(".")[0], end.split(".")[0]) for start, end in every - within}
    lines = [
        "// Written by docs/diagrams.py from the imports of the code; `make docs` writes it anew.",
        "digraph folders {",
    ]
    lines += [STYLE.rstrip("\n")]
    for package in PACKAGES:
        lines += [f"    subgraph cluster_{package} {{", f'        label="{package}"', "        fontname=Helvetica"]
        lines += ['        style="rounded,filled"', '        fillcolor="#eef3fb"']
        for each in parts[package]:
            is_module = (ROOT / each.replace(".", "/")).with_suffix(".py").exists()
            lines.append(f'        "{each}" [label="{each.split(".")[1]}{".py" if is_module else "/"}"]')
        lines.append("    }")
    lines += [f'    "{start}" -> "{end}"' for start, end in sorted(direct(within))]
    for start, end in sorted(direct(between)):
        lowest = [each for each in parts[start] if not any(each == importer for importer, _ in within)]
        highest = [each for each in parts[end] if not any(each == imported for _, imported in within)]
        ends = f"ltail=cluster_{start}, lhead=cluster_{end}"
        lines.append(f'    "{lowest[0]}" -> "{highest[0]}" [{ends}, penwidth=2, constraint=false]')
    return "\n".join([*lines, "}", ""])


def part_of(each: str, package: str) -> bool:
    return each.startswith(f"{package}.")


def drawn(source: str) -> str:
    """A diagram as SVG."""
    dot = Path(sys.executable).with_name("graphviz-pure")
    done = subprocess.run([dot, "-Tsvg"], input=source, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> int:
    sources = {"night": (DIAGRAMS / "night.dot").read_text(encoding="utf-8"), "folders": folders()}
    files = {DIAGRAMS / "folders.dot": sources["folders"]}
    files |= {DIAGRAMS / f"{name}.svg": drawn(source) for name, source in sources.items()}
    for path, text in files.items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"docs/diagrams/{path.name} is out of date; run `make docs`.\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
