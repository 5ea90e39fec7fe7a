"""Reader processes: what senders sent is read in them, side by side, within limits that a 4 GB machine can bear.

A file that meets a limit ends the process that reads it, and is refused by name; the others are read all the same.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from os import environ
from socket import socketpair
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar

from flows.readers.process import OUT_OF_MEMORY, PATIENCE
from schemas.contract.refusals import Refusal, refusal_of
from schemas.methodology.sources import Source

COMMAND = ("-P", "-m", "flows.readers.process")
# No secret of a night gets to a process that reads what anybody may have sent.
KEPT = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHON")
ALONE = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
FOR_THE_REST = 1_000_000_000  # bytes of the machine that are not for readers
STARTED, GRACE, TURN = 120.0, 10.0, 0.5  # seconds
TRIES = 3
OUTSIDE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGIO)

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ReaderLimits:
    """What reading one file may take (bytes of memory, seconds of computing), and how many are read at a time (None: as
    many as there are cores and memory for).
    """

    memory: int = 1_000_000_000
    seconds: int = 20
    readers: int | None = None

    @property
    def at_a_time(self) -> int:
        """How many files are read at a time."""
        if self.readers:
            return self.readers
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return max(1, min(os.cpu_count() or 1, (there - FOR_THE_REST) // self.memory))


class ReaderEnded(Refusal):
    """A file that ended the process that read it."""

    @property
    def limit(self) -> str:
        """Which limit it met (`memory`, `time`), or `end` where the process died of something else, or `outside` where
        somebody else ended it, so that it is not the file's fault.
        """
        return self.rule.removeprefix("reader_")


class _Over(Exception):
    """A reader process is no more."""


class Readers:
    """Reader processes with the same limits: started when they are needed, used again, replaced when they die.

    One that has nothing to do ends by itself, and so does each when this process ends, however that happens.
    """

    def __init__(self, limits: ReaderLimits) -> None:
        self.limits = limits
        self.count = limits.at_a_time
        self._slots = BoundedSemaphore(self.count)
        self._idle: deque[_Reader] = deque()
        self._busy: set[_Reader] = set()
        self._is_stopped = False
        self._lock = Lock()

    def start(self) -> None:
        """Start a reader that will be needed soon."""
        with self._lock:
            if not any(each.is_alive for each in self._idle):
                self._idle.append(_Reader(self.limits))

    def side_by_side(self, function: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
        """What a function returns for each of some items, in their order: computed as many at a time as there are
        readers, at most `ahead` before they are requested.
        """
        waiting: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(self.count, "readers") as threads:
            try:
                for item in items:
                    waiting.append(threads.submit(function, item))
                    if len(waiting) > ahead:
                        yield _result(waiting.popleft())
                while waiting:
                    yield _result(waiting.popleft())
            except (Exception, GeneratorExit):
                raise
            except BaseException:  # somebody ends this process, and nobody waits for an answer any more
                self._stop()
                raise
            finally:
                for each in waiting:
                    each.cancel()

    def answer(self, job: str, content: bytes, **facts: Any) -> bytes:
        """What a job of `flows.readers.process` makes of a file. Raises Refusal, of which ReaderEnded is one."""
        with self._slots:
            reader = self._taken()
            for tries in range(TRIES):
                is_fresh = reader.is_fresh
                self._busy.add(reader)
                if self._is_stopped:
                    reader.kill()
                try:
                    reply, payload = reader.exchange({"job": job, "facts": facts}, content)
                    break
                except _Over:
                    # What it read before may have brought it down, and one without work ends just when it gets some.
                    is_innocent = reader.has_left or not (is_fresh or reader.is_out_of_time)
                    if self._is_stopped or tries == TRIES - 1 or not is_innocent:
                        raise self._ended(reader) from None
                except BaseException:
                    reader.end(0)
                    raise
                finally:
                    self._busy.discard(reader)
                reader = _Reader(self.limits)
            if reply["is_last"]:
                reader.end()
            else:
                with self._lock:
                    self._idle.append(reader)
        if "refused" in reply:
            raise refusal_of(reply["refused"])
        return payload

    def rows(self, content: bytes, source: Source) -> bytes:
        """The rows of an extract, as they are kept. Raises Refusal."""
        return self.answer("rows", content, source=source.model_dump_json())

    def _stop(self) -> None:
        """End every reader that is at work."""
        self._is_stopped = True
        _readers_of.cache_clear()
        for reader in list(self._busy):
            reader.kill()

    def _taken(self) -> "_Reader":
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.is_alive:
                    return reader
                reader.end()
        return _Reader(self.limits)

    def _ended(self, reader: "_Reader") -> ReaderEnded:
        memory = self.limits.memory / 1e9
        if reader.is_out_of_time:
            return ReaderEnded("reader_time", seconds=self.limits.seconds)
        if reader.is_out_of_memory:
            return ReaderEnded("reader_memory", memory=memory)
        if self._is_stopped or reader.is_ended_outside:
            return ReaderEnded("reader_outside", signal=reader.ended_by)
        return ReaderEnded("reader_end", signal=reader.ended_by, memory=memory)


@cache
def _readers_of(_: int, limits: ReaderLimits) -> Readers:
    return Readers(limits)


def readers_within(limits: ReaderLimits) -> Readers:
    """The readers of this process with these limits: all nights that it computes share them."""
    return _readers_of(os.getpid(), limits)


def _result(coming: Future[Result]) -> Result:
    """The result of what runs on a thread. It is waited for in short turns: Polars handles interrupts so that a long
    wait would not notice one.
    """
    while not wait([coming], timeout=TURN).done:
        pass
    return coming.result()


class _Reader:
    """One reader process."""

    def __init__(self, limits: ReaderLimits) -> None:
        self.is_fresh = True
        self._patience = PATIENCE * limits.seconds + GRACE
        self._is_hanging = False
        self._is_ready = False
        self._last_words = ""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - it is there as long as the process is
        mine, its = socketpair()
        closed_with_us, lifeline = os.pipe()
        self._lifeline = os.fdopen(lifeline, "wb")  # nothing is ever written to it
        passed = (its.fileno(), closed_with_us)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - nothing in it comes from a sender
                [sys.executable, *COMMAND, *map(str, (*passed, limits.memory, limits.seconds))],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=passed,
                env={name: value for name, value in environ.items() if name.startswith(KEPT)} | ALONE,
                start_new_session=True,
            )
        finally:
            its.close()
            os.close(closed_with_us)
        self._channel = Connection(mine.detach())

    def exchange(self, question: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
        """Its answer. Raises _Over where it died over it."""
        if not self._is_ready:
            self._begin()
        self._output.truncate(self._output.seek(0))
        try:
            self._channel.send_bytes(json.dumps(question).encode())
            self._channel.send_bytes(content)
            if not self._channel.poll(self._patience):
                self._is_hanging = True
                raise EOFError
            reply = json.loads(self._channel.recv_bytes())
            payload = self._channel.recv_bytes()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.end(0 if self._is_hanging else GRACE)
            raise _Over from None
        self.is_fresh = False
        return reply, payload

    def _begin(self) -> None:
        try:
            if self._channel.poll(STARTED):
                self._channel.recv_bytes()
                self._is_ready = True
                return
        except (EOFError, ConnectionResetError):
            pass
        self.end()
        if self._signal:
            raise _Over
        last_lines = self._last_words.strip().splitlines() or [self.ended_by]
        raise RuntimeError(f"no process that reads extracts can be started ({last_lines[-1]}).")

    def end(self, grace: float = GRACE) -> None:
        """Wait until it has ended, which it is about to do; where that takes longer than `grace`, end it."""
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._channel.close()
        self._lifeline.close()
        if not self._output.closed:
            size = self._output.seek(0, os.SEEK_END)
            self._output.seek(max(0, size - 4096))
            self._last_words = self._output.read().decode(errors="replace")
            self._output.close()

    def kill(self) -> None:
        """End it at once; whoever waits for its answer gets an error."""
        self._process.kill()

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def has_left(self) -> bool:
        """Whether it ended by itself, having had nothing to do."""
        return self._process.returncode == 0

    @property
    def is_out_of_time(self) -> bool:
        """Whether it took longer than it may."""
        return self._is_hanging or self._signal in (signal.SIGXCPU, signal.SIGALRM)

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it got no more memory: it says so itself, or what it is compiled of does."""
        words = ("memory allocation of", "MemoryError", "bad_alloc")
        return self._process.returncode == OUT_OF_MEMORY or any(each in self._last_words for each in words)

    @property
    def is_ended_outside(self) -> bool:
        """Whether somebody else ended it."""
        return self._signal in OUTSIDE

    @property
    def ended_by(self) -> str:
        """The name of the signal that ended it, or its exit code."""
        return self._signal.name if self._signal else f"exit code {self._process.returncode}"

    @property
    def _signal(self) -> signal.Signals | None:
        code = self._process.returncode
        return signal.Signals(-code) if code is not None and code < 0 else None
