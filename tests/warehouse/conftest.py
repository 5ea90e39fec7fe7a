"""Stores to test on: folders, and buckets of two servers that speak S3 over HTTP."""

import itertools
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from obstore.store import S3Store

from tests.warehouse.drafts import Drafts, drafted
from warehouse.store.store import Store

SECRET = "planted-secret-0123456789"
BUCKET = "kerawanan-tests"
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A server that speaks S3."""

    name: str
    address: str

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": "planted-id-0123456789",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.address,
        }

    def answers(self) -> bool:
        """Whether the bucket can be made, or is there."""
        request = urllib.request.Request(f"{self.address}/{BUCKET}", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=2):
                return True
        except urllib.error.HTTPError as error:
            return error.code == 409
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    """moto's server, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    yield from serving("moto", port, command)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS: master, volume, filer and its S3 gateway on ports of their own."""
    folder, ports = tmp_path_factory.mktemp("weed"), [free_port() for _ in range(8)]
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    flags = [f"-{name}={port}" for name, port in zip(names, ports, strict=False)]
    flags += [f"-{name}.grpc={port}" for name, port in zip(names, ports[4:], strict=True)]
    # Ports of what is not asked for are fixed, so that two servers could not run side by side.
    flags += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=100", "-master.volumeSizeLimitMB=64"]
    weed = Path(sys.executable).with_name("weed")
    command = [str(weed), "server", f"-dir={folder}", "-ip=127.0.0.1", "-s3", "-filer", *flags]
    yield from serving("seaweedfs", ports[3], command)


def serving(name: str, port: int, command: list[str]) -> Iterator[Server]:
    server = Server(name, f"http://127.0.0.1:{port}")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not server.answers():
            assert process.poll() is None, f"{name} ended"
            assert time.monotonic() < until, f"{name} does not answer"
            time.sleep(0.1)
        yield server
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Storage:
    """Where stores can be made: folders, or prefixes of a bucket."""

    name: str
    folder: Path

    @property
    def is_remote(self) -> bool:
        return self.name != "folder"

    def new(self) -> str:
        """The URL of an empty store."""
        name = f"store-{next(NUMBERS)}"
        return f"s3://{BUCKET}/{self.folder.name}/{name}" if self.is_remote else str(self.folder / name)

    def copied(self, url: str) -> str:
        """The URL of another store with all that is in one, unfinished writes included."""
        other = self.new()
        if not self.is_remote:
            if Path(url).exists():
                shutil.copytree(url, other, symlinks=True)
            return other
        bucket = S3Store.from_url(f"s3://{BUCKET}", client_options={"allow_http": True})
        old, new = (each.removeprefix(f"s3://{BUCKET}/") for each in (url, other))
        for key in Store(url).keys(""):
            obstore.copy(bucket, f"{old}/{key}", f"{new}/{key}")
        return other


@pytest.fixture(params=["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("moto", "seaweedfs"))])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """The same tests run on a folder and over HTTP."""
    name = str(request.param)
    if name != "folder":
        server: Server = request.getfixturevalue(name)
        for variable, value in server.environment().items():
            monkeypatch.setenv(variable, value)
    return Storage(name, tmp_path)


@pytest.fixture
def moto_environment(moto: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in moto.environment().items():
        monkeypatch.setenv(variable, value)


@pytest.fixture(scope="session")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> Drafts:
    return drafted(tmp_path_factory.mktemp("drafts"))


@pytest.fixture(scope="session")
def signing_key() -> str:
    """An Ed25519 private key in PEM, as `openssl genpkey -algorithm ed25519` writes it."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
