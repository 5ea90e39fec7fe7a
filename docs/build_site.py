"""Builds the site of the pages into build/site, with a page for the functions and classes of every folder.

Links stay as they are in the repository: one to a page leads to its page of the site, one to any other file to a copy
of it. What a page would load from outside is an error.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
STAGED = BUILD / "site-pages"
SITE = BUILD / "site"
PACKAGES = ("flows", "transforms", "warehouse", "schemas")
GUIDES = ("for-bi", "extracts", "methodology", "operations", "kpu-2019", "data-dictionary")
CODE = ("architecture", "glossary", "performance")
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")
LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?(?:https?:)?//[^>]*>|<link\b[^>]*\bhref=\"?(?:https?:)?//[^>]*>"
)


def pages() -> dict[Path, str]:
    """The pages of the repository, and what each is called in the site."""
    named = {ROOT / "README.md": "index.md"}
    named |= {ROOT / f"{name}.md": f"{name.lower()}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY")}
    named |= {path: str(path.relative_to(ROOT / "docs")) for path in sorted((ROOT / "docs").rglob("*.md"))}
    return {path: name.replace("README", "index") for path, name in named.items()}


def staged(page: Path, names: dict[Path, str]) -> str:
    """The text of a page with its links as they are in the site; files that it links to are copied there."""

    def moved(link: re.Match[str]) -> str:
        target = (page.parent / link[1]).resolve()
        if not target.is_relative_to(ROOT) or not target.exists():
            sys.exit(f"{page.relative_to(ROOT)} links to {link[1]}, which does not exist.")
        if target.is_dir():
            target /= "README.md"
        name = names.get(target) or f"files/{target.relative_to(ROOT)}"
        if target not in names and not (STAGED / name).exists():
            (STAGED / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(target, STAGED / name)
        return os.path.relpath(name, Path(names[page]).parent)

    return LINK.sub(moved, page.read_text(encoding="utf-8"))


def folders() -> dict[str, list[str]]:
    """The folders of the packages, each with its modules."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py"), key=lambda path: (path.parent, path)):
            if path.name != "__init__.py":
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found.setdefault(module.rpartition(".")[0], []).append(module)
    return found


def navigation(names: dict[Path, str]) -> list[dict[str, list[Any]]]:
    """The order of the pages; a page that stands nowhere in it is an error."""
    decisions = sorted(name for name in names.values() if name.startswith("adr/0"))
    parts: list[dict[str, list[Any]]] = [
        {"Start": ["index.md", "contributing.md", "security.md", "changelog.md"]},
        {"Using it": [f"{name}.md" for name in GUIDES]},
        {"How it is built": [f"{name}.md" for name in CODE]},
        {"Decisions": ["adr/index.md", *decisions]},
    ]
    listed = {name for each in parts for pages_of in each.values() for name in pages_of}
    if listed != set(names.values()):
        sys.exit(f"docs/build_site.py and the folder of pages differ in {sorted(listed ^ set(names.values()))}.")
    return [*parts, {"Code": [{folder: f"code/{folder}.md"} for folder in folders()]}]


def stage() -> Path:
    """Lays out what the site is built from, and returns its configuration."""
    shutil.rmtree(STAGED, ignore_errors=True)
    (STAGED / "code").mkdir(parents=True)
    names = pages()
    for page, name in names.items():
        (STAGED / name).parent.mkdir(parents=True, exist_ok=True)
        (STAGED / name).write_text(staged(page, names), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "diagrams", STAGED / "diagrams")
    for folder, modules in folders().items():
        text = "\n\n".join([f"# `{folder}`", *(f"::: {module}" for module in modules), ""])
        (STAGED / "code" / f"{folder}.md").write_text(text, encoding="utf-8")
    settings = yaml.safe_load((ROOT / "docs" / "site.yml").read_text(encoding="utf-8"))
    settings |= {"docs_dir": STAGED.name, "site_dir": SITE.name, "nav": navigation(names)}
    settings["plugins"][1]["mkdocstrings"]["handlers"]["python"]["paths"] = [str(ROOT)]
    configuration = BUILD / "site.yml"
    configuration.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return configuration


def main() -> int:
    zensical = Path(sys.executable).with_name("zensical")
    shutil.rmtree(SITE, ignore_errors=True)
    built = subprocess.run([zensical, "build", "--clean", "--strict", "--config-file", stage()], cwd=BUILD, check=False)
    if built.returncode:
        return built.returncode
    foreign = {path: LOADED.findall(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.html")}
    for path, loaded in foreign.items():
        if loaded:
            sys.stderr.write(f"{path.relative_to(ROOT)} loads from outside: {loaded[0]}\n")
    return int(any(foreign.values()))


if __name__ == "__main__":
    sys.exit(main())
