"""A Prefect server and its worker as processes that tests start, speak to as its pages do, and kill."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.server.serve import served
from tests.conftest import ROOT
from tests.warehouse.conftest import free_port

TERMINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Service:
    """What runs, by name: `all` (make serve), or `server` and `worker` by themselves."""

    def __init__(self, folder: Path, **environment: object) -> None:
        port = free_port()
        self.folder = folder
        self.environment = served(
            {
                **os.environ,
                "PREFECT_HOME": str(folder / "prefect"),
                "PREFECT_SERVER_API_PORT": str(port),
                "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
                "PREFECT_WORKER_QUERY_SECONDS": "1",
                "PYTHONPATH": str(ROOT),
                **{name: str(value) for name, value in environment.items()},
            }
        )
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/", timeout=30)
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def run(self, *arguments: str) -> None:
        """Run a module to its end."""
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, env=self.environment, check=False, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, name: str) -> None:
        """Start a part, and wait until it is there."""
        modules = {
            "all": ["flows.server.serve"],
            "server": ["prefect", "server", "start"],
            "worker": ["prefect", "worker", "start", "--pool", "kerawanan"],
        }
        known = self.log.count("serving at") if name == "all" and (self.folder / "log").exists() else 0
        with (self.folder / "log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *modules[name]], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        if name == "server":
            self.until(lambda: self.api.get("health").is_success)
        if name == "all":
            self.until(lambda: self.log.count("serving at") > known)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        codes = {}
        for name, process in reversed(self.running.items()):
            process.terminate()
            try:
                codes[name] = process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        for left in self.flow_processes():
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        self.api.close()
        assert codes.get("all", 0) == 0

    def post(self, path: str, **body: Any) -> Any:
        """Ask the server; while it is away, again."""

        def answer() -> Any:
            found = self.api.post(path, json=body)
            assert not found.is_client_error, found.text
            found.raise_for_status()
            return [found.json() if found.content else None]

        return self.until(answer)[0]

    def until(self, ready: Callable[[], Any], seconds: int = 180) -> Any:
        """What `ready` says as soon as it says anything."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                if said := ready():
                    return said
            time.sleep(0.5)
        raise AssertionError(f"nothing after {seconds} s; the service said:\n{self.log[-5000:]}")

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Flow runs of deployments (all of them, or those in a state)."""
        found = self.post("flow_runs/filter", limit=200, sort="START_TIME_ASC")
        return [run for run in found if run["deployment_id"] and (not states or run["state_name"] in states)]

    def deployment(self, name: str) -> str:
        (found,) = [each for each in self.post("deployments/filter") if each["name"] == name]
        return str(found["id"])

    def begun(self, deployment: str, **parameters: Any) -> str:
        """Start a run as the pages do; its id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.post(f"deployments/{self.deployment(deployment)}/create_flow_run", **body)["id"])

    def scheduled(self, deployment: str, first: datetime, last: datetime) -> None:
        """Let the server make the runs that the schedule of a deployment has between two times."""
        times = {"start_time": first.isoformat(), "end_time": last.isoformat()}
        self.post(f"deployments/{self.deployment(deployment)}/schedule", **times)

    def done(self, run_id: str, seconds: int = 180) -> dict[str, Any]:
        """A run when it has ended."""

        def ended() -> Any:
            found = self.api.get(f"flow_runs/{run_id}").json()
            return found["state_type"] in TERMINAL and found

        return dict(self.until(ended, seconds))

    def flow_processes(self) -> list[int]:
        """The processes in which flows of this service run."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                mine = f"PREFECT_HOME={self.environment['PREFECT_HOME']}".encode()
                if any(b"flow_run" in word or b"engine" in word for word in words) and mine in (
                    process / "environ"
                ).read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes notices, and those it took."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/notices?token=planted-token", taken
    finally:
        server.shutdown()
        server.server_close()


class Postgres:
    """An empty database of its own on the PostgreSQL server in TEST_POSTGRES_URL."""

    def __init__(self) -> None:
        server = os.environ.get("TEST_POSTGRES_URL")
        if not server:
            pytest.skip("no PostgreSQL: TEST_POSTGRES_URL is not set; .ci/run installs and starts one")
        self._server = server
        self.name = f"kerawanan_{uuid.uuid4().hex[:8]}"
        self._do(f"create database {self.name}")

    @property
    def url(self) -> str:
        return self._server.rpartition("/")[0].replace("postgresql:", "postgresql+asyncpg:") + f"/{self.name}"

    def cut(self) -> None:
        """End every connection to it."""
        self._do(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{self.name}'")

    def drop(self) -> None:
        self._do(f"drop database {self.name} with (force)")

    def _do(self, statement: str) -> None:
        subprocess.run(["psql", "-q", "-d", self._server, "-c", statement], check=True, capture_output=True)


class Dask:
    """A scheduler and workers in processes of their own."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.folder = folder
        self.environment = environment or dict(os.environ)
        port = self.address.rpartition(":")[2]
        self.scheduler = self._started("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        self.workers = [self.worker() for _ in range(2)]

    def worker(self) -> subprocess.Popen[bytes]:
        return self._started(
            *("worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny"),
            *("--local-directory", str(self.folder)),
        )

    def kill_one(self) -> None:
        """Kill a worker, and let another take its place."""
        worker = self.workers.pop(0)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.workers.append(self.worker())

    def _started(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
        environment = {**self.environment, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
