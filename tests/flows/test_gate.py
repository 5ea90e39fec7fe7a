"""The gate: a rule of each kind is seen to hold a release and to let it pass, and people can read why."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.errors import MethodologyError
from schemas.methodology.gate import COLUMNS
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Answer, Published

Cli = Callable[..., Answer]
PRESS = "siaran-pers-provinsi-2022-12-16.csv"
HEADER = ",".join(COLUMNS)


def moved(inbox: Path) -> None:
    """Another figure of Bengkulu: 3.79, the lowest but one, becomes 93.79."""
    press = (inbox / PRESS).read_text()
    assert "Bengkulu;Input provinsi;3,79" in press
    (inbox / PRESS).write_text(
        press.replace("Prov. Bengkulu;Input provinsi;3,79", "Prov. Bengkulu;Input provinsi;93,79")
    )


def torn(inbox: Path) -> None:
    """Figures of three provinces that cannot be read."""
    press = (inbox / PRESS).read_text()
    (inbox / PRESS).write_text(re.sub(r"(Prov\. (?:Bengkulu|Bali|Jambi);Input provinsi;)", r"\g<1>~", press))


def unchanged(inbox: Path) -> None:
    """Nothing changes in what is sent."""


# kind: (rule that holds, rule of the same measure that lets it pass, what happens to the inbox, words of the reason)
KINDS = {
    "coverage": (
        "known_share,regency_city,input,,,0.5,",
        "known_share,regency_city,input,,,0.08,",
        unchanged,
        ["regency_city / input", "0.0817", ">= 0.5"],
    ),
    "range": ("score,province,input,,,0,80", "score,province,input,,,0,100", unchanged, ["31 / DKI Jakarta: 88.95"]),
    "range of a node": (
        "score,province,input,kontestasi,,0,50",
        "score,province,input,kontestasi,,0,100",
        unchanged,
        ["kontestasi", "0 - 50"],
    ),
    "drift of a region": (
        "score_change_share,province,input,,,,0.25",
        "score_change_share,province,input,,,,0.95",
        moved,
        ["17 / Bengkulu: 0.9"],
    ),
    "drift of the mean": (
        "mean_change_share,province,input,,,,0.01",
        "mean_change_share,province,input,,,,0.1",
        moved,
        ["0.0264", "<= 0.01"],
    ),
    "categories": (
        "category_change_share,province,input,,,,0.01",
        "category_change_share,province,input,,,,0.9",
        moved,
        ["whose category changed"],
    ),
    "contradictions": (
        "finding_count,,,,contradiction,,3",
        "finding_count,,,,contradiction,,4",
        unchanged,
        ["contradiction", ": 4"],
    ),
    "quarantine": ("quarantined_share,,,,,,0.01", "quarantined_share,,,,,,0.03", torn, ["quarantined", "<= 0.01"]),
}


def run(kerawanan: Cli, store: Path, inbox: Path, methodology: Path | None = None) -> Answer:
    own = ("--methodology", methodology) if methodology else ()
    return kerawanan("run", "--edition", EDITION, "--inbox", inbox, "--store", store, *own, "--format", "json")


def with_rule(folder: Path, *rules: str, severity: str = "critical") -> Path:
    """A methodology of one's own that has one rule of the gate more, or several."""
    own = folder / "editions" / EDITION
    own.mkdir(parents=True, exist_ok=True)
    (own / "edition.yml").write_text(
        (Path(__file__).parents[2] / "methodology/editions" / EDITION / "edition.yml").read_text()
    )
    rows = [f"test_rule_{place},{rule},{severity},a test" for place, rule in enumerate(rules, start=1)]
    (own / "gate.csv").write_text("\n".join([HEADER, *rows, ""]))
    return folder


@pytest.mark.parametrize("happens", list(dict.fromkeys(each[2] for each in KINDS.values())))
def test_rules_of_each_kind_hold_and_let_pass(
    happens: Callable[[Path], None], published: Published, inbox: Path, tmp_path: Path, kerawanan: Cli
) -> None:
    kinds = [each for each in KINDS.values() if each[2] is happens]
    store, first = published[0].store, published[1]
    assert first.outcome == "published"

    happens(inbox)
    held = run(kerawanan, store, inbox, with_rule(tmp_path / "strict", *(strict for strict, *_ in kinds)))
    assert held.code == 3
    result = held.json
    assert result["outcome"] == "held"
    assert result["stable_snapshot_id"] == first.snapshot_id
    page = Path(result["gate"]).read_text()
    assert "<b>Held</b>" in page
    for place, (_, _, _, words) in enumerate(kinds, start=1):
        assert any(all(word in reason for word in words) for reason in result["critical"]), (words, result["critical"])
        assert f"test_rule_{place}" in page
    assert len(result["critical"]) == len(kinds)

    passed = run(kerawanan, store, inbox, with_rule(tmp_path / "mild", *(mild for _, mild, *_ in kinds)))
    assert passed.code == 0, passed.json["critical"]
    assert passed.json["critical"] == []
    page = Path(passed.json["gate"]).read_text()
    assert all(f"test_rule_{place}" in page for place, _ in enumerate(kinds, start=1))


@pytest.mark.slow
def test_a_warning_holds_nothing_and_is_shown(tmp_path: Path, kerawanan: Cli) -> None:
    own = with_rule(tmp_path / "own", "known_share,regency_city,input,,,0.5,", severity="warning")
    answer = kerawanan(
        "run", "--edition", EDITION, "--inbox", EXTRACTS, "--store", tmp_path / "s", "--methodology", own
    )
    assert answer.code == 0
    assert "Look at\n  - Share of the regions whose score is known (regency_city / input): 0.0817121" in answer.out


@pytest.mark.slow
def test_what_only_the_gate_holds_a_person_may_promote(
    published: Published, inbox: Path, tmp_path: Path, kerawanan: Cli
) -> None:
    store = published[0].store
    moved(inbox)
    own = with_rule(tmp_path / "own", "score_change_share,province,input,,,,0.25")
    held = run(kerawanan, store, inbox, own).json
    again = run(kerawanan, store, inbox, own)
    assert (again.code, again.json["snapshot_id"]) == (3, held["snapshot_id"])
    done = kerawanan(
        "snapshots", "promote", held["snapshot_id"], "--reason", "the office confirmed it", "--store", store
    )
    assert done.code == 0
    after = run(kerawanan, store, inbox, own)
    assert (after.code, after.json["outcome"]) == (0, "unchanged")


@pytest.mark.slow
def test_the_gate_never_enters_the_content_hash(
    published: Published, inbox: Path, tmp_path: Path, kerawanan: Cli
) -> None:
    """The same figures beside another stable snapshot are the same content."""
    moved(inbox)
    alone = run(kerawanan, tmp_path / "alone", inbox).json
    store = published[0].store
    beside = run(kerawanan, store, inbox).json
    assert beside["warned"] != alone["warned"]
    tables = [Path(each["snapshot"]) / "tables" for each in (alone, beside)]
    rows = [pl.read_parquet(each / "quality_result.parquet").drop("run_id") for each in tables]
    content = [each.filter(scope="content").filter(pl.col("check") != "replaced") for each in rows]
    assert not rows[0].filter(scope="release").equals(rows[1].filter(scope="release"))
    assert content[0].equals(content[1])
    assert kerawanan("snapshots", "verify", "--store", store).code == 0


class Outside(HTMLParser):
    """Whatever a page could load or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "a", "object", "embed"):
            self.found.append((tag, attrs))
        self.found += [each for each in attrs if each[0] in ("src", "href") or each[0].startswith("on")]


@pytest.mark.slow
def test_the_page_needs_nothing_from_outside_and_shows_input_as_text(
    inbox: Path, tmp_path: Path, kerawanan: Cli
) -> None:
    (inbox / PRESS).write_text((inbox / PRESS).read_text() + "<script>alert(1)</script>;Input provinsi;1;x\n")
    (inbox / "<img src=x>.csv").write_text("x")
    result = run(kerawanan, tmp_path / "store", inbox).json
    page = Path(result["gate"]).read_text()
    outside = Outside()
    outside.feed(page)
    assert outside.found == []
    assert "http://" not in page
    assert "https://" not in page.split("<h2>Findings")[0]
    assert "<script" not in page


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a,no_such_measure,,,,,0,1,critical,", "the measure 'no_such_measure' of 'a' is not in the dictionary"),
        ("a,finding_count,province,,,,0,1,critical,", "cannot be narrowed by region_level"),
        ("a,score,,,,,,,critical,", "neither minimum nor maximum"),
        ("a,score,,,,,2,1,critical,", "the minimum of 'a' is above its maximum"),
        ("a,score,,,nowhere,,0,1,critical,", "the node 'nowhere' of 'a' is not in nodes.csv"),
        ("a,finding_count,,,,nothing,0,1,critical,", "the finding 'nothing' of 'a' is no rule of the dictionary"),
        ("no_index,score,,,,,0,1,critical,", "give the rule of the gate another code"),
        ("a,score,,,,,0,1,grave,", "severity: 'grave' is not one of"),
        ("a,score,,,,,0,1,critical,\na,score,,,,,0,1,critical,", "the rule 'a' stands twice"),
    ],
)
def test_a_broken_rule_is_named_with_file_and_row(row: str, words: str, tmp_path: Path) -> None:
    with_rule(tmp_path, "score,,,,,0,100")
    (tmp_path / "editions" / EDITION / "gate.csv").write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(MethodologyError) as caught:
        Library(tmp_path).edition(EDITION)
    (problem,) = caught.value.problems
    assert words in problem.sentence
    assert problem.file == f"editions/{EDITION}/gate.csv"
    assert problem.row == 1 + len(row.splitlines())


def test_rules_are_laid_over_rules_of_the_same_code(tmp_path: Path) -> None:
    with_rule(tmp_path, "score,,,,,0,100")
    text = f"{HEADER}\nfew_contradictions,finding_count,,,,contradiction,,2,critical,stricter here\n"
    (tmp_path / "editions" / EDITION / "gate.csv").write_text(text)
    shared = {rule.rule_code for rule in Library().edition(EDITION).gate}
    rules = {rule.rule_code: rule for rule in Library(tmp_path).edition(EDITION).gate}
    assert rules["few_contradictions"].severity == "critical"
    assert "no_critical_finding" in rules
    assert rules.keys() <= shared
