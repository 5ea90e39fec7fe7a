"""What is built is whole: the sdist carries all that is kept, and its wheel works without the checkout."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import EDITION, EXTRACTS, ROOT

pytestmark = pytest.mark.slow
PACKAGES = ("flows", "transforms", "schemas", "warehouse", "methodology")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    build(ROOT, "sdist", folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as sdist:
        sdist.extractall(folder, filter="data")
    return next(each for each in folder.iterdir() if each.is_dir())


@pytest.fixture(scope="module")
def site(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the sdist, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build(unpacked, "wheel", folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def build(project: Path, target: str, to: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(to)], cwd=project, check=True)


def kept(*folders: str) -> set[str]:
    """What git keeps."""
    done = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_the_sdist_carries_all_that_is_kept_and_nothing_else(unpacked: Path) -> None:
    assert files(unpacked) - {"PKG-INFO"} == kept()


def test_the_wheel_carries_the_packages_whole_and_nothing_else(site: Path) -> None:
    own = {each for each in files(site) if ".dist-info/" not in each}
    assert own == kept(*PACKAGES)
    (metadata,) = site.glob("*.dist-info/METADATA")
    assert "Provides-Extra: dask\n" in metadata.read_text()
    (entry,) = site.glob("*.dist-info/entry_points.txt")
    assert "kerawanan = flows.cli:main" in entry.read_text()


def test_the_wheel_runs_on_its_own(site: Path, tmp_path: Path) -> None:
    script = "import sys; sys.path.insert(0, sys.argv.pop(1)); from flows import cli; sys.exit(cli.main(sys.argv[1:]))"
    arguments = ["run", "--edition", EDITION, "--inbox", str(EXTRACTS), "--store", str(tmp_path / "store")]
    done = subprocess.run(
        [sys.executable, "-c", script, str(site), *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "published" in done.stdout
    assert "DKI Jakarta" in done.stdout
