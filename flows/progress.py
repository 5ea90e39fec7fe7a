"""Progress of long work: seen in a terminal, silent in a pipe."""

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
WORTH_SHOWING = 20


def tracked(items: Sequence[T], doing: str) -> Iterable[T]:
    """The items one by one, with a progress bar on stderr where that is a terminal and there are many."""
    if len(items) < WORTH_SHOWING or not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, description=doing, console=Console(stderr=True), transient=True)
