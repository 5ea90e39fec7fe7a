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
        (("methodology", "check", "ikp-2024-publised"), "ikp-2024-published"),
        (("sources", "check", "x.csv", "--source", "siaran-pers-propinsi"), "siaran-pers-provinsi"),
        (("validate", "x.csv", "--source", "siaran-pers-propinsi"), "siaran-pers-provinsi"),
    ],
)
def test_the_nearest_name_is_asked_for(command: tuple[str, ...], meant: str, kerawanan: Cli) -> None:
    answer = kerawanan(*command)
    assert answer.code == 2
    assert f"Did you mean '{meant}'?" in answer.err


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (("snapshots", "show", "run-01"), "run-001"),
        (("snapshots", "diff", "run-01", "run-001"), "run-001"),
        (("snapshots", "verify", "run-01"), "run-001"),
        (("snapshots", "promote", "run-01", "--reason", "x"), "run-001"),
        (("snapshots", "withdraw", "run-01", "--reason", "x"), "run-001"),
        (("snapshots", "list", "--edition", "ikp-2024-publised"), "ikp-2024-published"),
        (("runs", "show", "run-01"), "run-001"),
        (("runs", "list", "--edition", "ikp-2024-publised"), "ikp-2024-published"),
        (("run", "--edition", "ikp-2024-publised"), "ikp-2024-published"),
        (("backfill", "--edition", "ikp-2024-publised", "--reason", "x"), "ikp-2024-published"),
        (("ingest", "x.csv", "--source", "siaran-pers-propinsi"), "siaran-pers-provinsi"),
        (("extracts", "list", "--source", "siaran-pers-propinsi"), "siaran-pers-provinsi"),
        (("extracts", "show", "siaran-pers-provinsi-2022-12-16.cvs"), "siaran-pers-provinsi-2022-12-16.csv"),
    ],
)
def test_the_nearest_name_of_a_store_is_asked_for(
    command: tuple[str, ...], meant: str, bundled: Published, kerawanan: Cli
) -> None:
    answer = kerawanan(*command, "--store", bundled[0].store)
    assert answer.code == 2, answer.out
    assert f"Did you mean '{meant}'?" in answer.err
    assert answer.err.count("Did you mean") == 1


def test_a_beginning_of_several_names_is_no_misspelling(published: Published, kerawanan: Cli) -> None:
    nights, _ = published
    nights.run()
    answer = kerawanan("runs", "show", "run-00", "--store", nights.store)
    assert answer.code == 2
    assert "more than one run begins so" in answer.err
    assert "Did you mean" not in answer.err


def test_the_version_is_said(kerawanan: Cli) -> None:
    answer = kerawanan("--version")
    assert answer.out.startswith("kerawanan ")
