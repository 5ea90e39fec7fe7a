"""Answers of commands as people read them, in a terminal or a pipe."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.results.terminal import printable

SHOWN_ROWS = 10


class Page:
    """What a command prints: lines, tables and lists of sentences."""

    def __init__(self) -> None:
        # No colours and no cutting to a window's width in a pipe.
        width = None if sys.stdout.isatty() else 160
        self._console = Console(highlight=False, markup=False, emoji=False, width=width)

    def print(self, *what: object, **how: Any) -> None:
        """Print as `rich.console.Console` does."""
        self._console.print(*what, **how)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> Table:
        """A table to print; numbers stand to the right."""
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for index, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[index], (int, float)) or row[index] is None for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(
                *("" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row)
            )
        return table

    def sentences(self, title: str, sentences: Sequence[str]) -> None:
        """The first of some sentences below a title; nothing where there is none."""
        if sentences:
            self.print(title)
            for sentence in sentences[:SHOWN_ROWS]:
                self.print(f"  - {sentence}", soft_wrap=True)
            if len(sentences) > SHOWN_ROWS:
                self.print(f"  ... and {len(sentences) - SHOWN_ROWS} more")


def show(text: Callable[[Page, Mapping[str, Any]], None], result: Mapping[str, Any]) -> None:
    """Print the answer of a command by the function that puts it into words."""
    text(Page(), _printable(result))


def _printable(data: Any) -> Any:
    """The data without what would command a terminal: senders choose names and cells."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, Mapping):
        return {key: _printable(value) for key, value in data.items()}
    return [_printable(value) for value in data] if isinstance(data, (list, tuple)) else data
