"""A Prefect of one's own, for one machine: server, what flows/server/deploy.py registers with it, and a worker."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack

WORK_POOL = "kerawanan"  # as prefect.yaml names it
STARTUP_SECONDS = 120


def main() -> int:
    """Serve until interrupted. What exists already (work pool, deployments) is brought up to date."""
    environment = served(os.environ)
    address = environment["PREFECT_API_URL"]
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as stack:
        server = _started(stack, environment, "server", "start")
        _wait(server, f"{address}/health")
        subprocess.run([sys.executable, "-m", "flows.server.deploy"], env=environment, check=True)
        worker = _started(stack, environment, "worker", "start", "--pool", WORK_POOL)
        sys.stdout.write(f"serving at {address.removesuffix('/api')}; stop with Ctrl-C\n")
        sys.stdout.flush()
        try:
            while server.poll() is None and worker.poll() is None:
                time.sleep(1)
        except KeyboardInterrupt:
            return 0
    return 1


def served(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Prefect uses the server of this machine, reports to nobody else, and knows our
    log and whether runs are alive. What is set already stays.
    """
    host = environment.get("PREFECT_SERVER_API_HOST", "127.0.0.1")
    port = environment.get("PREFECT_SERVER_API_PORT", "4200")
    wanted = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "kerawanan",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        # Kept over a restart of the server: what it held in memory would never be given back.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        # A worker polls every ten seconds or so: what waits for longer than this is late.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "120",
    }
    return {**wanted, **environment, "PREFECT_API_URL": f"http://{host}:{port}/api"}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _started(stack: ExitStack, environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-m", "prefect", *arguments], env=environment)  # noqa: S603 - our own words

    def stop() -> None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()

    stack.callback(stop)
    return process


def _wait(server: subprocess.Popen[bytes], address: str) -> None:
    for _ in range(STARTUP_SECONDS * 2):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}; what it said stands above.")
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"the server does not answer at {address}.")


if __name__ == "__main__":
    sys.exit(main())
