"""A reader process: it reads what senders sent, one file after the other, and dies of it instead of the night.

    python -P -m flows.readers.process CHANNEL LIFELINE MEMORY SECONDS

is started by `flows.readers.pool` with two open descriptors (where questions come in and answers go out, and what
closes when its parent is gone), bytes of memory, and seconds of computing for one file. The system keeps these limits,
so they hold whatever code is running.
"""

import fcntl
import json
import math
import os
import resource
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

OUT_OF_MEMORY = 3  # the exit code of a reader that got no more of it
PATIENCE = 10  # times the seconds of computing: so long a file may take by the clock, where others compute too
IDLE = 10.0  # seconds without a question, after which a reader ends
STALE = 4  # a reader that keeps this part of its memory is replaced, so that each file has about as much


def rows(content: bytes, source: str) -> bytes:
    """The rows of an extract, as `warehouse.extracts.parsed` keeps them."""
    from transforms.extracts.parse import extract_rows
    from warehouse.extracts.parsed import as_kept

    return as_kept(extract_rows(content, _source(source)))


def tables(content: bytes, source: str) -> bytes:
    """What `flows.readers.jobs.tables_in` finds in an extract, as JSON."""
    from flows.readers.jobs import tables_in

    return json.dumps(tables_in(content, _source(source))).encode()


def proposal(content: bytes, file_name: str, methodology: str | None) -> bytes:
    """What `transforms.extracts.proposal` proposes for a file, as JSON."""
    from flows.readers.jobs import proposed_entry
    from schemas.methodology.library import Library

    return json.dumps(proposed_entry(content, file_name, Library(Path(methodology) if methodology else None))).encode()


def marked(content: bytes, source: str, violations: list[dict[str, Any]], file: str) -> bytes:
    """Write the workbook of an extract with its wrong cells marked, in a folder of its own."""
    from flows.readers.jobs import write_tables_marked

    tempfile.tempdir = str(Path(file).parent)
    write_tables_marked(Path(file), content, _source(source), violations)
    return b""


JOBS: Mapping[str, Callable[..., bytes]] = {each.__name__: each for each in (rows, tables, proposal, marked)}


def _source(text: str) -> Any:
    from schemas.methodology.sources import Source

    return Source.model_validate_json(text)


def main(channel: Connection, lifeline: int, memory: int, seconds: int) -> None:
    """Answer questions until there are no more."""
    _end_with(lifeline)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    import transforms.extracts.parse  # noqa: F401 - what every file needs is imported before the first comes

    at_first = _memory()
    channel.send_bytes(b"ready")
    while channel.poll(IDLE):
        request = json.loads(channel.recv_bytes())
        content = channel.recv_bytes()
        _limit_time(seconds)
        reply, payload = _answer(request, content)
        _limit_time(None)
        del content
        is_last = _memory() > at_first + memory / STALE
        channel.send_bytes(json.dumps({**reply, "is_last": is_last}).encode())
        channel.send_bytes(payload)
        del payload
        if is_last:
            return


def _memory() -> int:
    """How many bytes of its limit this process holds."""
    pages = Path("/proc/self/statm").read_text().split()[5]
    return int(pages) * resource.getpagesize()


def _answer(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    from schemas.contract.refusals import Refusal

    try:
        return {}, JOBS[request["job"]](content, **request["facts"])
    except Refusal as refusal:
        return {"refused": refusal.as_data()}, b""
    except MemoryError:
        raise
    except BaseException as error:  # compiled readers raise what is no Exception
        written = str(error).partition("\n")[0][:200]
        return {"refused": Refusal("unforeseen", reason=written or type(error).__name__).as_data()}, b""


def _end_with(lifeline: int) -> None:
    """Let the system end this process when the other end of the lifeline is closed, which only a parent that is gone
    does.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # Not select(), which takes no descriptor above 1023: the number is that of the parent, which may have many open.
    waiting = select.poll()
    waiting.register(lifeline, select.POLLIN)
    if waiting.poll(0):
        raise SystemExit


def _limit_time(seconds: int | None) -> None:
    """Allow so many seconds of computing from now on, and a multiple of them by the clock; None: any."""
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if seconds is None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds), most))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds)


def run() -> None:
    """Be a reader as the arguments say."""
    channel, *numbers = map(int, sys.argv[1:])
    try:
        main(Connection(channel), *numbers)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone
        pass


if __name__ == "__main__":
    run()
