"""Answers of commands as people read them, in a terminal or a pipe."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from flows.language import current_language
from flows.results.terminal import printable
from flows.results.words import head, more
from schemas.sentence import Sentence

SHOWN_ROWS = 10
Cell = Sentence | str | float | None


class Page:
    """What a command prints, in one language: lines, tables and lists of sentences.

    Senders choose names and cells, so nothing is printed that would command a terminal. There are colours in a terminal
    only, and none where NO_COLOR is set.
    """

    def __init__(self, console: Console | None = None) -> None:
        # No cutting to a window's width in a pipe.
        width = None if sys.stdout.isatty() else 160
        self._console = console or Console(highlight=False, markup=False, emoji=False, width=width)
        self.language = current_language()

    def words(self, what: Sentence | str) -> str:
        """A sentence in the language of the page, with nothing in it that would command a terminal."""
        return printable(what if isinstance(what, str) else what[self.language])

    def say(self, what: Sentence | str, style: str | None = None, end: str = "\n") -> None:
        """One line, however long."""
        self._console.print(self.words(what), style=style, soft_wrap=True, end=end)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], title: Sentence | None = None) -> None:
        """A table; numbers are aligned to the right."""
        table = Table(
            title=self.words(title) if title else None,
            title_justify="left",
            title_style="bold",
            box=None,
            pad_edge=False,
            header_style="bold cyan",
        )
        for index, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[index], (int, float)) or row[index] is None for row in rows)
            table.add_column(self.words(head(column)), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(self._cell(cell) for cell in row))
        self._console.print(table)

    def list(self, title: Sentence, sentences: Sequence[Sentence | str], style: str | None = None) -> None:
        """The first of some sentences below a title; nothing where there is none."""
        if not sentences:
            return
        self.say(title, style=style)
        for sentence in sentences[:SHOWN_ROWS]:
            self.say(f"  - {self.words(sentence)}")
        if len(sentences) > SHOWN_ROWS:
            self.say(f"  {self.words(more(len(sentences) - SHOWN_ROWS))}")

    def _cell(self, cell: Cell) -> str:
        if isinstance(cell, (Sentence, str)):
            return self.words(cell)
        return "" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell)

    def fact(self, label: Sentence, what: Sentence | str, width: int = 12, style: str | None = None) -> None:
        """A label, and behind it its value; labels below each other have the same width."""
        self.say(f"{self.words(label):<{width}} {self.words(what)}", style=style)
