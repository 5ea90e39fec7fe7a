"""What is installed is whole: the wheel carries SQL, methodology and all packages, and works without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import EDITION, EXTRACTS, ROOT


@pytest.mark.slow
def test_the_wheel_runs_on_its_own(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True
    )
    site = tmp_path / "site"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    assert not list(site.rglob("test_*.py"))
    script = "import sys; sys.path.insert(0, sys.argv.pop(1)); from flows import cli; sys.exit(cli.main(sys.argv[1:]))"
    arguments = ["run", "--edition", EDITION, "--inbox", str(EXTRACTS), "--store", str(tmp_path / "store")]
    done = subprocess.run(
        [sys.executable, "-c", script, str(site), *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "published" in done.stdout
    assert "DKI Jakarta" in done.stdout
