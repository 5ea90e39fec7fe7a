"""Progress of long work: shown in a terminal, silent in a pipe."""

import sys
from collections.abc import Iterable, Sized
from typing import TypeVar

from flows.language import in_words
from schemas.sentence import Sentence

T = TypeVar("T")
WORTH_SHOWING = 20


def tracked(items: Iterable[T], doing: Sentence, total: int | None = None) -> Iterable[T]:
    """The items one by one, with a progress bar on stderr where that is a terminal and there are many (`total`, where
    the items do not know).
    """
    count = total if total is not None else len(items) if isinstance(items, Sized) else 0
    if count < WORTH_SHOWING or not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, description=in_words(doing), total=count, console=Console(stderr=True), transient=True)
