"""A methodology that breaks a rule is refused with file, row and sentence."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.contract.dictionary import dictionary_of
from schemas.errors import MethodologyError, Problem
from schemas.methodology.library import Library
from schemas.strict import yaml_document, yaml_text
from tests.conftest import EDITION, ROOT, Answer

Cli = Callable[..., Answer]

NODES = f"editions/{EDITION}/nodes.csv"
PLAN = f"editions/{EDITION}/edition.yml"

# name: (file, what is replaced, by what, row or None, words of the sentence)
BROKEN = {
    "weights that do not sum": (NODES, "participation,0.10", None, 2, ["add up to 1.10", "not to 1", "points"]),
    "missing parent": (NODES, "kontestasi,ikp,1", "kontestasi,ipk,1", 5, ["parent 'ipk'", "not in the table"]),
    "cycle": (NODES, "ikp,,2,", "ikp,partisipasi,2,", 2, ["its own ancestor", "ikp > partisipasi > ikp"]),
    "two roots": (NODES, "kontestasi,ikp,1", "kontestasi,,1", 5, ["exactly one root"]),
    "node twice": (NODES, "kontestasi,ikp,1,dimension", "partisipasi,ikp,1,dimension", 6, ["row 5 already"]),
    "level that skips": (NODES, "ikp,,2,", "ikp,,3,", 3, ["must be at level 2"]),
    "weight as text": (NODES, ",0.25,1,", ",a quarter,1,", 5, ["weight", "a quarter"]),
    "negative weight": (NODES, ",0.25,1,", ",-0.25,1,", 5, ["weight", "greater than 0"]),
    "no weight": (NODES, ",0.25,1,", ",,1,", 5, ["no weight"]),
    "unknown unit": (NODES, "1,score_100,none,,,kontestasi", "1,score_99,none,,,kontestasi", 5, ["score_99"]),
    "unknown aggregation": (NODES, "arithmetic_mean", "average", 2, ["aggregation", "average"]),
    "leaf that aggregates": (NODES, "none,,,kontestasi", "none,sum,,kontestasi", 5, ["no children"]),
    "root that does not": (NODES, "none,arithmetic_mean,,ikp", "none,,,ikp", 2, ["children but no aggregation"]),
    "direction without min-max": (NODES, "0.25,1,", "0.25,-1,", 5, ["direction -1", "min_max"]),
    "item fed twice": (NODES, ",kontestasi,R", ",partisipasi,R", 6, ["already feeds"]),
    "item of no source": (NODES, ",kontestasi,R", ",kontestan,R", 5, ["kontestan", "none of the edition's sources"]),
    "code of no region": (PLAN, "regions: 34,", 'regions: 1, codes: ["93"],', None, ["93", "not valid"]),
    "fewer regions": (PLAN, "regions: 34,", "regions: 33,", None, ["33", "under codes"]),
    "wrong missing rule": (NODES, "none,,,kontestasi", "none,,rescale,kontestasi", 5, ["rescale", "unknown, zero"]),
    "header": (NODES, "node_code,parent_code", "node,parent", 1, ["missing: node_code, parent_code", "unknown: node"]),
    "too many cells": (NODES, "Kontestasi,Contestation", "Kontestasi,Con,testation", 5, ["16 cells", "15"]),
    "unquoted code": (
        "corrections.yml",
        'region: "Prov. Kalimantan Timur"',
        "region: 11.10",
        7,
        ["11.10", "quotes", "11.1"],
    ),
    "unquoted period": (PLAN, 'period: "2024"', "period: 2024", 6, ["2024", "unquoted"]),
    "key twice": (PLAN, "status: complete", "status: complete\nstatus: complete", 5, ["'status' stands twice"]),
    "unknown key": (PLAN, "revision: 1", "revision: 1\ncolour: red", 6, ["colour", "not a known key"]),
    "missing key": (PLAN, "revision: 1\n", "", 1, ["revision is missing"]),
    "not yaml": (PLAN, "weights: shares", "weights: [shares", None, ["not valid YAML"]),
    "nested": (PLAN, "revision: 1", f"revision: {'[' * 9_000}1{']' * 9_000}", None, ["nested too deeply"]),
    "unknown source": (PLAN, "[buku-ikp-2024, ", "[buku-ikp-2042, ", None, ["buku-ikp-2042", "sources.yml"]),
    "category out of order": (
        PLAN,
        "{between: [rendah, sedang], at",
        "{between: [tinggi, sedang], at",
        None,
        ["order"],
    ),
    "bound of nobody": (PLAN, "at: 13.47, belongs_to: sedang", "at: 13.47, belongs_to: tinggi", None, ["belongs_to"]),
    "bounds descending": (PLAN, "at: 13.47", "at: 63.47", None, ["ascend"]),
    "wrong parameter": (PLAN, "at: 13.47", "sd: 13.47", None, ["gives 'at' and nothing else"]),
    "cut-off of no node": (PLAN, "node: partisipasi", "node: partisipan", None, ["partisipan", "nodes.csv"]),
    "shared bound": (PLAN, "lower: 42.07, closed", "lower: 17.23, closed", None, ["17.23", "both"]),
    "roll-up of no level": (PLAN, "from: province,", "from: district,", None, ["district", "not scored here"]),
    "too many regions": (PLAN, "regions: 514", "regions: 515", None, ["515", "the reference has 514"]),
    "wrong level": (PLAN, "level: national", "level: kingdom", None, ["kingdom", "national"]),
    "name unlike folder": (PLAN, f"edition: {EDITION}", "edition: other", 1, ["folder is called"]),
    "extends nothing": (PLAN, "status: complete", "status: complete\nextends: ikp-1900", 5, ["ikp-1900", "not exist"]),
    "extends itself": (PLAN, "status: complete", f"status: complete\nextends: {EDITION}", 5, ["extends it"]),
    "unknown unit of a source": ("sources.yml", "unit: score_100", "unit: kilos", 66, ["kilos"]),
    "csv without separator": ("sources.yml", '  separator: ";"\n', "", None, ["separator"]),
    "correction of no source": (
        "corrections.yml",
        "source: siaran",
        "source: siarang",
        5,
        ["siarang", "does not exist"],
    ),
    "region twice": ("regions/regions.csv", "\n12,province", "\n11,province", 4, ["stands twice"]),
    "region without parent": (
        "regions/regions.csv",
        "Kabupaten Aceh Selatan,11",
        "Kabupaten Aceh Selatan,10",
        None,
        ["parent"],
    ),
    "date of a region": ("regions/regions.csv", "2022-12-08", "8/12/2022", None, ["valid_from", "2022-07-25"]),
    "alias of nothing": ("regions/aliases.csv", "\n31,DKI", "\n30,DKI", 116, ["30"]),
    "region above itself": (
        "regions/regions.csv",
        "ID,national,Indonesia,,",
        "ID,national,Indonesia,ID,",
        2,
        ["higher level"],
    ),
    "ragged region": ("regions/regions.csv", "11,province,Aceh,", "11,province,Aceh,x,y,", 4, ["11 cells"]),
    "value of a correction": ("corrections.yml", 'value: "74,04"', 'value: "74.04"', 5, ["74.04", "1.234,5"]),
    "no such day": (PLAN, "2022-07-01", "2022-02-31", None, ["2022-02-31"]),
    "approach twice": (
        PLAN,
        "approaches: [input], regions: 514",
        "approaches: [input, input], regions: 514",
        None,
        ["twice"],
    ),
    "rolled up to twice": (PLAN, "to: national, approach: rollup", "to: province, approach: rollup", None, ["already"]),
    "a sum of sums": (
        PLAN,
        "{from: regency_city, from_approach: input, to: national, approach: rollup, min_share: 1}",
        "{from: province, from_approach: rollup, to: national, approach: rollup, min_share: 1, method: sum}",
        None,
        ["sums province/rollup", "itself rolled up"],
    ),
    "rolled down": (
        PLAN,
        "{from: regency_city, from_approach: input, to: province, approach: rollup",
        "{from: province, from_approach: input, to: regency_city, approach: input",
        None,
        ["not lie above"],
    ),
    "weight too fine": (NODES, ",0.25,1,", ",0.25000000000000000001,1,", 5, ["weight"]),
    "weight of nan": (NODES, ",0.25,1,", ",NaN,1,", 5, ["weight"]),
    "label twice": (
        "sources.yml",
        '"Kontestasi": {item: kontestasi, approach: input}\n  missing',
        '"skor  IKP": {item: kontestasi, approach: input}\n  missing',
        None,
        ["stands twice"],
    ),
    "unit of another scale": ("sources.yml", "unit: score_100", "unit: score_5", None, ["score_5"]),
    "alias of dots": ("regions/aliases.csv", "\n31,DKI,", "\n31,...,", 116, ["no letter"]),
    "root with a weight": (NODES, "Election Vulnerability Index,,1", "Election Vulnerability Index,1,1", 2, ["root"]),
    "alias in yaml": (PLAN, "references:\n", "references: &a\n  - *a\n", None, ["aliases"]),
    "tag in yaml": (PLAN, "status: complete", "status: !foo complete", 4, ["cannot be read"]),
    "merge key": (PLAN, "scale: {", "scale: {<<: {lowest: 1}, ", None, ["plain word"]),
    "number without end": (PLAN, "at: 13.47", "at: 1.0e+999999999", None, ["15 digits"]),
    "level without end": (NODES, "ikp,,2,", "ikp,,1E99999999,", 2, ["level"]),
    "corrections that are no list": (
        "corrections.yml",
        "- id: kaltim-press-release-2022-12-16\n",
        "x:\n",
        None,
        ["a list"],
    ),
    "intervals that overlap": (PLAN, "upper: 17.23, closed: both", "closed: both", None, ["overlap"]),
    "bounds that may fall together": (
        PLAN,
        "sd: -1, belongs_to: sedang}\n      - {between: [sedang, tinggi], sd: 1, belongs_to: sedang",
        "sd: -1, belongs_to: rendah}\n      - {between: [sedang, tinggi], sd: 1, belongs_to: tinggi",
        None,
        ["two categories"],
    ),
    "undescribed column": (
        "dictionary.yml",
        "columns: [code, level, name",
        "columns: [code, level, nome",
        None,
        ["tables: 'region' is ours", "only adds units and number_styles"],
    ),
    "an unknown number style": ("sources.yml", "number_style: indonesian", "number_style: swiss", None, ["'swiss'"]),
}


def broken(folder: Path, case: str) -> tuple[str, int | None, list[str]]:
    file, old, new, row, words = BROKEN[case]
    path = folder / file
    text = path.read_text()
    if new is None:
        old, new = "0.10", "0.20"
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return file, row, words


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_named_with_file_and_row(case: str, own_methodology: Path) -> None:
    file, row, words = broken(own_methodology, case)
    with pytest.raises(MethodologyError) as caught:
        Library(own_methodology).edition(EDITION)
    if case == "unit of another scale":
        file = NODES  # what does not fit is named where the node stands
    matching = [
        problem
        for problem in caught.value.problems
        if problem.file == file and all(word in problem.sentence for word in words)
    ]
    assert matching, [str(each) for each in caught.value.problems]
    if row:
        assert row in {problem.row for problem in matching}
    for problem in caught.value.problems:
        assert re.fullmatch(r"[^\n]+\.", problem.sentence), problem


@pytest.mark.parametrize("case", ["weights that do not sum", "cycle", "missing parent", "unquoted code"])
def test_the_command_line_refuses_it(case: str, own_methodology: Path, tmp_path: Path, kerawanan: Cli) -> None:
    file, _, words = broken(own_methodology, case)
    checked = kerawanan("methodology", "check", EDITION, "--methodology", own_methodology)
    assert checked.code == 1
    assert all(word in checked.out for word in [file, *words])
    run = kerawanan("run", "--edition", EDITION, "--methodology", own_methodology, "--store", tmp_path / "store")
    assert (run.code, run.out) == (1, "")
    assert file in run.err
    assert not (tmp_path / "store" / "snapshots").exists()
    listed = kerawanan("methodology", "list", "--methodology", own_methodology)
    assert "problem(s)" in listed.out


def test_the_packaged_methodology_keeps_every_rule(kerawanan: Cli) -> None:
    answer = kerawanan("methodology", "check", "--format", "json")
    assert answer.code == 0
    assert answer.json["problems"] == []
    shown = kerawanan("methodology", "show", EDITION)
    assert shown.code == 0
    assert "0.38" in shown.out


def test_what_a_snapshot_carries_is_the_same_methodology(tmp_path: Path) -> None:
    methodology = Library().edition(EDITION)
    methodology.write(tmp_path)
    carried = Library(tmp_path).edition(EDITION)
    assert carried.digest == methodology.digest
    assert carried.edition == methodology.edition
    assert carried.corrections == methodology.corrections


def test_an_edition_that_extends_another_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    folder = tmp_path / "editions" / "heir"
    folder.mkdir(parents=True)
    (folder / "edition.yml").write_text(f'edition: heir\nextends: {EDITION}\ntitle_en: "Heir"\n')
    heir = Library(tmp_path).edition("heir")
    parent = Library().edition(EDITION)
    assert heir.edition.title_en == "Heir"
    assert heir.edition.nodes == parent.edition.nodes
    assert heir.digest != parent.digest


def test_corrections_of_a_user_are_laid_over_ours(tmp_path: Path) -> None:
    (tmp_path / "corrections.yml").write_text(
        "- {id: x, source: siaran-pers-provinsi, region: A, item: B, expect: '1', value: '2', reason: r, "
        "reference: f, evidence: A, declared_date: 2026-01-01}\n"
    )
    library = Library(tmp_path)
    assert {each.id for each in library.corrections} == {"kaltim-press-release-2022-12-16", "x"}


def test_a_folder_that_is_none(tmp_path: Path, kerawanan: Cli) -> None:
    answer = kerawanan("methodology", "list", "--methodology", tmp_path / "nowhere")
    assert answer.code == 2
    assert "not a folder" in answer.err
    answer = kerawanan("methodology", "list", "--methodology", tmp_path)
    assert answer.code == 2
    assert "holds none of editions, sources.yml" in answer.err


PACKAGED = (ROOT / "methodology/dictionary.yml").read_text()
UNIT = 'units:\n  per_100k: {lowest: 0, highest: null, meaning_en: "per 100,000", meaning_id: "per 100.000"}\n'
STYLE = 'number_styles:\n  swiss: {grouping: "\'", decimal_mark: ".", example: "1\'234.5"}\n'


def test_a_column_of_a_table_is_described() -> None:
    text = PACKAGED.replace("columns: [code, level, name", "columns: [code, level, nome", 1)
    with pytest.raises(MethodologyError, match="table region: the column 'nome' is not described"):
        dictionary_of(yaml_document(text, "dictionary.yml"))


def test_a_dictionary_of_a_user_adds_units_and_number_styles(tmp_path: Path) -> None:
    (tmp_path / "dictionary.yml").write_text(UNIT + STYLE)
    library, ours = Library(tmp_path), Library().dictionary
    assert library.dictionary.units == {**ours.units, "per_100k": library.dictionary.units["per_100k"]}
    assert library.dictionary.units["per_100k"].domain == ">= 0"
    assert list(library.dictionary.number_styles) == ["indonesian", "english", "swiss"]
    assert (library.dictionary.tables, library.dictionary.rules) == (ours.tables, ours.rules)
    assert {"swiss"} < library.sources["siaran-pers-provinsi"].number_styles.keys()
    # What a snapshot carries is whole in itself, and the same.
    methodology = library.edition(EDITION)
    assert methodology.digest != Library().edition(EDITION).digest
    methodology.write(tmp_path / "carried")
    carried = Library(tmp_path / "carried", alone=True)
    assert carried.dictionary == library.dictionary
    assert carried.edition(EDITION).sources == methodology.sources
    assert carried.edition(EDITION).digest == methodology.digest
    # Read over the package, as any folder is, it changes nothing.
    assert Library(tmp_path / "carried").edition(EDITION).digest == methodology.digest


def test_a_dictionary_that_only_repeats_ours_is_ours(own_methodology: Path) -> None:
    assert Library(own_methodology).edition(EDITION).digest == Library().edition(EDITION).digest
    (own_methodology / "dictionary.yml").write_text("units:\nnumber_styles: {}\n")
    assert Library(own_methodology).edition(EDITION).digest == Library().edition(EDITION).digest


def test_a_dictionary_is_written_as_it_is_read() -> None:
    data = yaml_document(PACKAGED, "dictionary.yml").data
    assert yaml_document(yaml_text(data), "dictionary.yml").data == data


# What stands in a user's dictionary.yml, the row, and words of the sentence it is refused with.
ADDITIONS: dict[str, tuple[str, int, list[str]]] = {
    "another domain of a unit": (
        'units:\n  pct: {lowest: 0, highest: 200, meaning_en: "x", meaning_id: "x"}\n',
        2,
        ["units: 'pct' is ours and cannot be changed"],
    ),
    "another reading of a style": (
        'number_styles:\n  english: {grouping: "", decimal_mark: ".", example: "1.5"}\n',
        2,
        ["number_styles: 'english' is ours"],
    ),
    "a column": (
        "units: {}\ncolumns:\n  mine: {type: text, meaning_en: x, meaning_id: x, source: x}\n",
        3,
        ["columns: 'mine' cannot be added", "only adds units and number_styles"],
    ),
    "a rule": (
        'rules:\n  blank_item: {severity: info, message_en: "x", message_id: "x"}\n',
        2,
        ["rules: 'blank_item'"],
    ),
    "columns of the run": ("run_columns: [as_of]\n", 1, ["run_columns cannot be changed"]),
    "a section of one's own": ("\nunit: {}\n", 2, ["'unit' is not known"]),
    "a list": ("- units\n", 1, ["it has none of units, number_styles"]),
    "units that are a list": ("units: [a]\n", 1, ["units cannot be changed"]),
    "a unit without a domain": (
        'units:\n  a: {lowest: 0, meaning_en: "x", meaning_id: "x"}\n',
        2,
        ["highest is missing"],
    ),
    "a unit upside down": (
        'units:\n  a: {lowest: 1, highest: 0, meaning_en: "x", meaning_id: "x"}\n',
        2,
        ["lowest figure of a unit must be below"],
    ),
    "a name with a space": (UNIT.replace("per_100k", "per 100k"), 2, ["'per 100k' is no name"]),
    "a style that cannot be read": (STYLE.replace("1'234.5", "1234"), 2, ["the example '1234'"]),
    "not yaml": ("units: [\n", 2, ["not valid YAML"]),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_a_dictionary_of_a_user_changes_nothing_that_is_published(name: str, tmp_path: Path, kerawanan: Cli) -> None:
    text, row, words = ADDITIONS[name]
    (tmp_path / "dictionary.yml").write_text(text)
    with pytest.raises(MethodologyError) as caught:
        Library(tmp_path).edition(EDITION)
    (problem,) = caught.value.problems
    assert (problem.file, problem.row) == ("dictionary.yml", row)
    assert all(word in problem.sentence for word in words), problem
    answer = kerawanan("methodology", "check", EDITION, "--methodology", tmp_path)
    assert answer.code == 1
    assert "dictionary.yml" in answer.out


def test_yaml_keeps_digits_and_names_lines() -> None:
    document = yaml_document("a: 11.10\nb: [1, 'x']\nc: 2022-07-01\n", "f.yml")
    assert str(document.data["a"]) == "11.10"
    assert document.line(("b", 1)) == 2
    with pytest.raises(MethodologyError) as caught:
        yaml_document("a: 1:30\n", "f.yml")
    assert caught.value.problems == (
        Problem("f.yml", 1, "'1:30' is not a plain decimal number with at most 15 digits on either side."),
    )
