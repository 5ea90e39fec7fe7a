"""Files coming in: which source they belong to, whether they can be read as it, and their admission to the store."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from flows.progress import tracked
from schemas.sources import Source
from schemas.violations import Refusal, UsageError
from transforms.parse import extract_rows
from warehouse.parsed import keep_rows, kept_rows, parsed_key
from warehouse.raw_store import Receipt, admit_extract, file_content, known_receipt, note_refusal, read_extract
from warehouse.store import Store


@dataclass(frozen=True)
class Refused:
    """An extract that was refused whole: its file, and why."""

    file_name: str
    reason: str


@dataclass(frozen=True)
class Intake:
    """What became of files: receipts of new extracts, receipts of those known before, and refused ones; how many had to
    be read, because they were not read before with the same source entry and code.
    """

    new: tuple[Receipt, ...]
    known: tuple[Receipt, ...]
    refused: tuple[Refused, ...]
    parsed: int


def source_of(file_name: str, sources: Mapping[str, Source]) -> str:
    """The one source whose pattern a file name matches. Raises Refusal."""
    matching = [name for name, source in sources.items() if fnmatchcase(file_name, source.pattern)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise Refusal(f"its name fits several sources ({', '.join(matching)}); ingest it with --source.")
    patterns = ", ".join(source.pattern for source in sources.values())
    raise Refusal(f"its name fits no source (patterns: {patterns}); rename it or ingest it with --source.")


def known_source(name: str, sources: Mapping[str, Source]) -> Source:
    """A source by its name. Raises UsageError."""
    if name not in sources:
        raise UsageError(
            f"there is no source '{name}'; sources.yml has {', '.join(sources)}. "
            "A source of your own needs --methodology."
        )
    return sources[name]


def read_rows(store: Store, source: Source, sha256: str, content: bytes) -> tuple[pl.DataFrame, bool]:
    """The rows of an extract, and whether it had to be read: with the same source entry and code nothing is read twice.

    Raises Refusal where the extract cannot be read as the source says.
    """
    key = parsed_key(sha256, source)
    kept = kept_rows(store, key)
    if kept is not None:
        return kept, False
    rows = extract_rows(content, source)
    keep_rows(store, key, rows)
    return rows, True


def received_rows(store: Store, source: Source, extract: Receipt) -> tuple[pl.DataFrame, bool]:
    """The rows of an extract that was admitted, as `read_rows` gives them.

    Raises Refusal, or DamagedStore where it is not what was received.
    """
    return read_rows(store, source, extract.sha256, read_extract(store, extract))


def take_in(
    store: Store,
    paths: Sequence[Path],
    sources: Mapping[str, Source],
    received_at: datetime,
    now: datetime,
    source_name: str | None = None,
) -> Intake:
    """Admit files that can be read as their source (named, or found by file name); refuse the others with a reason."""
    new: list[Receipt] = []
    known: list[Receipt] = []
    refused: list[Refused] = []
    parsed = 0
    for path in tracked(paths, "taking in files"):
        try:
            content, name = b"", source_name
            if not path.name.isprintable():
                raise Refusal("its name has characters that cannot be shown; rename it.")
            content = file_content(path)
            name = source_name or source_of(path.name, sources)
            source = sources[name]
            before = known_receipt(store, name, content)
            if before:
                known.append(before)
                continue
            parsed += read_rows(store, source, hashlib.sha256(content).hexdigest(), content)[1]
        except Refusal as refusal:
            file_name = path.name.encode(errors="replace").decode()
            refused.append(Refused(file_name, str(refusal)))
            if content:
                note_refusal(store, file_name, content, name, str(refusal), now)
            continue
        new.append(admit_extract(store, content, path.name, name, source.synthetic, received_at, now))
    return Intake(tuple(new), tuple(known), tuple(refused), parsed)


def inbox_files(inbox: Path) -> list[Path]:
    """What lies in an inbox, in the order of names; hidden files and folders are not extracts. Raises UsageError."""
    if not inbox.is_dir():
        raise UsageError(f"the inbox {inbox} is not a folder.")
    return sorted(path for path in inbox.iterdir() if not path.name.startswith(".") and not path.is_dir())
