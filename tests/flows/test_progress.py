"""Long work shows progress in a terminal and is quiet in a pipe."""

import os
import pty
import subprocess
import sys

CODE = """
from flows.progress import tracked
from schemas.sentence import Sentence
print(sum(tracked(list(range(1000)), Sentence("menghitung", "counting"))))
"""


def test_quiet_in_a_pipe() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("499500\n", "")


def test_seen_in_a_terminal() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    assert done.stdout == b"499500\n"
    assert b"counting" in os.read(ours, 100_000)
    os.close(ours)
