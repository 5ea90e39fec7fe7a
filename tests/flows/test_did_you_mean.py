"""A name that is misspelt is answered with the one that was probably meant."""

from collections.abc import Callable

import pytest

from tests.conftest import Answer, Published

Cli = Callable[..., Answer]


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (("snapshot", "list"), "snapshots"),
        (("methodology", "chek"), "check"),
        (("methodology", "show", "ikp-2024-publised"), "ikp-2024-published"),
        (("validate", "x.csv", "--source", "siaran-pers-propinsi"), "siaran-pers-provinsi"),
    ],
)
def test_the_nearest_name_is_asked_for(command: tuple[str, ...], meant: str, kerawanan: Cli) -> None:
    answer = kerawanan(*command)
    assert answer.code == 2
    assert f"Did you mean '{meant}'?" in answer.err


def test_the_nearest_snapshot_is_asked_for(bundled: Published, kerawanan: Cli) -> None:
    answer = kerawanan("snapshots", "show", "run-01", "--store", bundled[0].store)
    assert f"Did you mean '{bundled[1].snapshot_id}'?" in answer.err


def test_the_version_is_said(kerawanan: Cli) -> None:
    answer = kerawanan("--version")
    assert answer.out.startswith("kerawanan ")
