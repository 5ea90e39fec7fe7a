"""Files coming in: which source they belong to, whether they can be read as it, and their admission to the store."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.progress import tracked
from flows.readers.pool import ReaderEnded, ReaderLimits, Readers, readers_within
from schemas.contract.refusals import Refusal, refusal_of
from schemas.errors import UsageError, did_you_mean
from schemas.methodology.sources import Source
from schemas.sentence import Sentence
from warehouse.extracts.parsed import keep_rows, kept_rows, parsed_key
from warehouse.extracts.raw_store import (
    Receipt,
    file_content,
    keep_content,
    known_receipt,
    note_refusal,
    note_unreadable,
    read_extract,
    unreadable,
    write_receipt,
)
from warehouse.store.store import Store

TAKING_IN = Sentence("menerima berkas", "taking in files")
FILES_AHEAD = 64  # how many files may be read before those that come before them are done


@dataclass(frozen=True)
class Refused:
    """An extract that was refused whole: its file, by which rule and why in a sentence of each language; and the same
    as the row that it is in the quarantine.
    """

    file_name: str
    reason: str
    reason_id: str
    source: str | None
    extract_sha256: str | None
    sheet: str | None
    rule: str
    message_id: str
    message_en: str
    action_id: str
    action_en: str

    @classmethod
    def by(cls, refusal: Refusal, file_name: str, source: str | None, sha256: str | None) -> "Refused":
        """A file that was refused by this refusal."""
        reasons = refusal.reason("en"), refusal.reason("id")
        return cls(file_name, *reasons, source, sha256, refusal.part, refusal.rule, **refusal.columns)


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
        raise Refusal("name_of_several_sources", sources=matching)
    raise Refusal("name_of_no_source", patterns=[source.pattern for source in sources.values()])


def known_source(name: str, sources: Mapping[str, Source]) -> Source:
    """A source by its name. Raises UsageError."""
    if name not in sources:
        known = ", ".join(sources)
        raise UsageError(
            f"there is no source '{name}'; sources.yml has {known}. "
            f"A source of your own needs --methodology.{did_you_mean(name, sources)}",
            f"tidak ada sumber '{name}'; sources.yml memuat {known}. "
            f"Sumber Anda sendiri memerlukan --methodology.{did_you_mean(name, sources, 'id')}",
        )
    return sources[name]


class Extracts:
    """Extracts of a store as their sources read them, in reader processes: with the same source entry and code nothing
    is read twice, and what ended a reader is not tried again unless limits are larger.
    """

    def __init__(self, store: Store, readers: Readers, now: datetime) -> None:
        self._store, self.readers, self._now = store, readers, now
        self.parsed: set[str] = set()

    def rows(self, source: Source, sha256: str, content: bytes) -> bytes:
        """The rows of an extract, as they are kept; what had to be read is noted in `parsed`.

        Raises Refusal where the extract cannot be read as the source says, or not within the limits.
        """
        key = parsed_key(sha256, source)
        kept = kept_rows(self._store, key)
        if kept is not None:
            return kept
        reading = key.rpartition("/")[2]
        self._refuse_unreadable(sha256, reading)
        try:
            rows = self.readers.rows(content, source)
        except ReaderEnded as ended:
            if ended.limit != "outside":
                limits = {name: getattr(self.readers.limits, name) for name in ("memory", "seconds")}
                why = {"limit": ended.limit, "reason": str(ended), "refusal": ended.as_data()}
                facts = {**limits, "source": source.title, **why}
                note = note_unreadable(self._store, sha256, reading, facts, self._now)
                self._unreadable.setdefault((sha256, reading), []).append(note)
            raise
        keep_rows(self._store, key, rows)
        self.parsed.add(key)
        return rows

    def received_rows(self, source: Source, receipt: Receipt) -> bytes:
        """The rows of an extract that was admitted, as `rows` gives them.

        Raises Refusal, or DamagedStore where it is not what was received.
        """
        return self.rows(source, receipt.sha256, read_extract(self._store, receipt))

    @cached_property
    def _unreadable(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """What ended readers before, by digest and what they read it as."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for note in unreadable(self._store):
            found.setdefault((note["sha256"], note["reading"]), []).append(note)
        return found

    def _refuse_unreadable(self, sha256: str, reading: str) -> None:
        limits = self.readers.limits
        for note in self._unreadable.get((sha256, reading), ()):
            if limits.memory <= note["memory"] and limits.seconds <= note["seconds"]:
                day = f"{datetime.fromisoformat(str(note['noted_at'])):%Y-%m-%d}"
                before = refusal_of(note["refusal"]) if "refusal" in note else note["reason"]
                raise Refusal("tried_before", reason=before, day=day)


@dataclass(frozen=True)
class _Looked:
    """What a look at a file found: its source, digest and size, as far as it got; and why it is refused, if it is."""

    file_name: str
    source: str | None = None
    sha256: str | None = None
    size: int = 0
    refusal: Refusal | None = None


def take_in(
    store: Store,
    paths: Sequence[Path],
    sources: Mapping[str, Source],
    received_at: datetime,
    now: datetime,
    source_name: str | None = None,
    limits: ReaderLimits | None = None,
) -> Intake:
    """Admit files that can be read as their source (named, or found by file name); refuse the others with a reason.

    Files are read side by side; they are admitted in their order.
    """
    extracts = Extracts(store, readers_within(limits or ReaderLimits()), now)
    new: list[Receipt] = []
    known: list[Receipt] = []
    refused: list[Refused] = []

    def look(path: Path) -> _Looked:
        return _looked(store, extracts, path, sources, source_name)

    found = extracts.readers.side_by_side(look, paths, ahead=FILES_AHEAD)
    for each in tracked(found, TAKING_IN, len(paths)):
        if each.refusal is not None:
            refused.append(Refused.by(each.refusal, each.file_name, each.source, each.sha256))
            if each.sha256 and each.size:
                note_refusal(store, each.file_name, each.sha256, each.size, each.source, each.refusal, now)
            continue
        assert each.source
        assert each.sha256
        if before := known_receipt(store, each.source, each.sha256):
            known.append(before)
            continue
        is_synthetic = sources[each.source].synthetic
        facts = (each.source, each.file_name, each.size, each.sha256, received_at, now, is_synthetic)
        new.append(write_receipt(store, Receipt(*facts)))
    return Intake(tuple(new), tuple(known), tuple(refused), len(extracts.parsed))


def _looked(
    store: Store, extracts: Extracts, path: Path, sources: Mapping[str, Source], source_name: str | None
) -> _Looked:
    """Read a file as its source, and keep its bytes where that can be done."""
    found = _Looked(path.name.encode(errors="replace").decode(), source_name)
    try:
        if not path.name.isprintable():
            raise Refusal("name_unprintable")
        content = file_content(path)
        sha256 = hashlib.sha256(content).hexdigest()
        found = replace(found, sha256=sha256, size=len(content))
        name = source_name or source_of(path.name, sources)
        found = replace(found, source=name)
        if not known_receipt(store, name, sha256):
            extracts.rows(sources[name], sha256, content)
            keep_content(store, content)
    except Refusal as refusal:
        return replace(found, refusal=refusal)
    return found


def inbox_files(inbox: Path) -> list[Path]:
    """What lies in an inbox, in the order of names; what is hidden is no extract. Raises UsageError."""
    if not inbox.is_dir():
        raise UsageError(f"the inbox {inbox} is not a folder.", f"kotak masuk {inbox} bukan folder.")
    return sorted(path for path in inbox.iterdir() if not path.name.startswith("."))
