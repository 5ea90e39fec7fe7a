"""What the documents say works."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.cli import parser
from flows.night.request import Night
from flows.server.serve import served
from flows.settings import Settings
from schemas.methodology.library import Library
from schemas.methodology.sources_file import sources_of
from schemas.strict import yaml_document, yaml_text
from tests.conftest import EDITION, ROOT, Answer, Nights
from tests.transforms.sent import ENTRY, items

Cli = Callable[..., Answer]


@pytest.mark.slow
def test_the_small_edition_runs_as_it_stands(tmp_path: Path, kerawanan: Cli) -> None:
    text = (ROOT / "docs/methodology.md").read_text()
    files = re.findall(r"^`(my-[^`]+)`\n\n```\w+\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert len(files) == 4
    for name, content in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    answer = kerawanan(
        "run",
        "--edition",
        "mine",
        "--methodology",
        tmp_path / "my-folder",
        "--inbox",
        tmp_path / "my-files",
        "--store",
        tmp_path / "my-store",
        "--format",
        "json",
    )
    assert answer.code == 0, answer.err
    index = pl.read_parquet(tmp_path / "my-store/stable/v1/mine/index_score.parquet")
    # riots 12 of 1,200 is 1, survey 40 is the worst of two; riots 1,200 is 100, survey 75.5 the best
    assert dict(index["region_code", "score"].rows()) == pytest.approx({"31": (2 * 1 + 100) / 3, "32": 200 / 3})
    assert dict(index["region_code", "category"].rows()) == {"31": "aman", "32": "rawan"}


def test_what_real_files_need_is_read_as_it_stands(tmp_path: Path) -> None:
    text = (ROOT / "docs/methodology.md").read_text()
    section = text.partition("### What real files need")[2].partition("## corrections.yml")[0]
    blocks = [yaml_document(each, "docs") for each in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]
    assert len(blocks) == 6
    for block in blocks[:-1]:
        sources = {"mine": {**ENTRY, **block.data}}
        if "derived" in block.data:
            sources["mine"]["items"] = items("pemilih")
        assert sources_of(yaml_document(yaml_text(sources), "sources.yml"), Library().dictionary)
    (tmp_path / "dictionary.yml").write_text(yaml_text(blocks[-1].data))
    added = Library(tmp_path).dictionary
    assert added.number_styles["french"].is_number("1\u202f234,5")
    assert added.units["per_100k"].domain == ">= 0"


@pytest.mark.slow
def test_every_query_for_bi_runs_and_finds_something(
    bundled: tuple[Nights, Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundled[0].store / f"stable/v1/{EDITION}")
    text = (ROOT / "docs/for-bi.md").read_text()
    queries = [each for each in re.findall(r"((?:^    .*\n)+)", text, re.MULTILINE) if "select" in each]
    assert len(queries) == 10
    for query in queries:
        # Two editions side by side: the bundled one stands for that of which no test can bring the extracts along.
        is_of_two = "kpu-2019-pungut-hitung" in query
        folder = bundled[0].store / "stable/v1" / ("" if is_of_two else EDITION)
        monkeypatch.chdir(bundled[0].store.parent if "store/history" in query else folder)
        assert duckdb.execute(query.replace("kpu-2019-pungut-hitung", EDITION)).fetchall(), query


def test_the_readme_names_every_command(kerawanan: Cli) -> None:
    text = (ROOT / "README.md").read_text()
    for words in ("ingest", "validate", "run", "snapshots list", "methodology list"):
        assert f"kerawanan {words}" in text
    assert "promote" in kerawanan("snapshots", "--help").out


def test_a_service_is_told_only_what_it_knows() -> None:
    text = (ROOT / "service/environment.example").read_text()
    ours = re.findall(r"^#?KERAWANAN_(\w+)=", text, re.MULTILINE)
    assert {name.lower() for name in ours} <= set(Settings.model_fields)
    # What `make serve` sets by itself, a service must be told.
    told = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert served({}).items() - told.items() == set()


def test_commands_of_the_operations_page_are_commands() -> None:
    text = (ROOT / "docs/operations.md").read_text().replace(" \\\n", " ")
    commands = re.findall(r"^    +(?:as-kerawanan )?kerawanan (.*)$", text, re.MULTILINE)
    assert len(commands) > 25
    for command in commands:
        words = shlex.split(command, comments=True)
        assert parser().parse_args(words).body, command
