"""A user's folder laid over the package's methodology."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.methodology.library import Library
from tests.conftest import ROOT, Answer, Nights

REGIONS = """\
code,level,name,parent,kind,valid_from,valid_to,code_2020,code_bps
X,national,Negeri,,negara,,,,
X1,province,Satu,X,provinsi,,,,
"""


@pytest.mark.slow
def test_other_names_of_districts_do_not_disturb_an_edition_without_districts(nights: Nights, tmp_path: Path) -> None:
    (tmp_path / "own/regions").mkdir(parents=True)
    names = (ROOT / "methodology/regions/aliases.csv").read_text()
    (tmp_path / "own/regions/aliases.csv").write_text(names + "11.01.01,Bakongan Lama,a district,,\n")
    library = Library(tmp_path / "own")
    assert library.reference.aliases.filter(code="11.01.01").height == 1
    assert nights.run(methodology=tmp_path / "own").outcome == "published"


def test_the_package_without_such_names_is_carried_as_it_stands() -> None:
    resolved = Library().edition("ikp-2024-published").files["regions/aliases.csv"]
    assert resolved == (ROOT / "methodology/regions/aliases.csv").read_text()


def test_editions_of_the_package_are_not_held_against_regions_of_a_user(
    kerawanan: Callable[..., Answer], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    (own / "regions").mkdir(parents=True)
    (own / "regions/regions.csv").write_text(REGIONS)
    shutil.copytree(ROOT / "methodology/editions/ikp-2024-published", own / "editions/mine")
    plan = own / "editions/mine/edition.yml"
    plan.write_text(plan.read_text().replace("edition: ikp-2024-published", "edition: mine"))
    answer = kerawanan("methodology", "check", "--methodology", own, "--format", "json")
    assert answer.code == 1
    assert answer.json["editions"] == ["mine"]
    assert "kpu-2019-pungut-hitung" in answer.json["left_out"]
    assert {each["file"] for each in answer.json["problems"]} == {"editions/mine/edition.yml"}
