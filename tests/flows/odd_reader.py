"""A reader process that does what stands in what it reads: it dies, hangs or eats, as files that nobody foresaw do.

python -P odd_reader.py CHANNEL LIFELINE MEMORY SECONDS
"""

import os
import signal
import sys
import time

from flows.readers import process as reader
from schemas.contract.refusals import Refusal


def _died(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def _eaten() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(10_000_000))


def _aborted() -> None:
    os.write(2, b"memory allocation of 99999999999 bytes failed\n")
    os.abort()


def _computed() -> None:
    while True:
        pass


def _told() -> None:
    raise Refusal("unforeseen", reason=" ".join(sorted(os.environ)))


def _undone() -> None:
    raise IndexError("list index out of range")


ODD = {
    b"dies": lambda: _died(signal.SIGSEGV),
    b"eats": _eaten,
    b"aborts": _aborted,
    b"computes": _computed,
    b"sleeps": lambda: time.sleep(3600),
    b"stops": lambda: _died(signal.SIGSTOP),
    b"leaves": lambda: os._exit(0),
    b"ended": lambda: _died(signal.SIGTERM),
    b"raises": _undone,
    b"environment": _told,
}


def rows(content: bytes, source: str) -> bytes:
    for word, done in ODD.items():
        if b"odd: " + word in content:
            done()
    return reader.rows(content, source)


reader.JOBS = {**reader.JOBS, "rows": rows}
reader.PATIENCE = 3
if __name__ == "__main__":
    sys.stdout.flush()
    reader.run()
