"""What the steps of a night pass each other: small, frozen references. No frame ever travels."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from flows.clock import end_of_day, jakarta
from flows.night.intake import Refused
from flows.readers.pool import ReaderLimits
from flows.settings import Settings
from schemas.errors import NothingToScore, UsageError
from schemas.methodology.library import Library, Methodology
from schemas.sentence import Sentence
from warehouse.code import code_identity
from warehouse.engine.database import EngineLimits
from warehouse.engine.engine import Stamp
from warehouse.extracts.raw_store import Receipt
from warehouse.store.sealed import as_json
from warehouse.store.signing import Signer
from warehouse.store.temporary import temporary_folder


@lru_cache(maxsize=4)
def _fixed_methodology(folder: Path, edition: str) -> Methodology:
    # Safe to keep: the folder belongs to one night, and nothing in it changes after `admit`.
    return Library(folder, alone=True).edition(edition)


@dataclass(frozen=True)
class Request:
    """One night. `now` is the only clock; `work` is an empty folder of its own; `run_id` names the run and what it
    publishes; `inbox` is a folder of files to take in first; `methodology` a folder laid over the package's, or
    (`alone`) whole in itself; `signer` signs what is appended to logs; with `candidate_only` nothing becomes stable by
    itself.
    """

    edition: str
    as_of: date
    now: datetime
    run_id: str
    store: str
    work: Path
    methodology: Path | None = None
    alone: bool = False
    inbox: Path | None = None
    signer: Signer | None = None
    candidate_only: bool = False
    limits: EngineLimits = field(default_factory=EngineLimits)
    reading: ReaderLimits = field(default_factory=ReaderLimits)

    @property
    def snapshot(self) -> Path:
        """The folder in which the night's snapshot takes shape."""
        return self.work / "snapshot"

    def resolved(self) -> Methodology:
        """The methodology as `admit` fixed it for this night."""
        return _fixed_methodology(self.snapshot / "methodology", self.edition)

    def stamp(self, validated: "Validated") -> Stamp:
        """What the rows of this night's tables carry beside the results."""
        return Stamp(self.as_of, self.run_id, validated.is_synthetic)


def not_after_today(as_of: date, now: datetime) -> None:
    """Raises UsageError for a night that has not come yet: what it will count nobody knows."""
    today = now.astimezone(jakarta()).date()
    if as_of > today:
        raise UsageError(
            f"the night of {as_of} has not come yet; in Jakarta it is {today}.",
            f"malam {as_of} belum tiba; di Jakarta sekarang tanggal {today}.",
        )


@contextmanager
def requested(
    settings: Settings, edition: str, as_of: date, now: datetime, inbox: Path | None = None
) -> Iterator[Request]:
    """The request of a night under the settings, with a work folder that is gone afterwards. Raises UsageError."""
    not_after_today(as_of, now)
    Library(settings.methodology).must_have(edition)
    with temporary_folder() as work:
        yield Request(
            edition=edition,
            as_of=as_of,
            now=now,
            run_id=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}",
            store=settings.store,
            work=work,
            methodology=settings.methodology,
            inbox=inbox,
            signer=settings.signer(),
            limits=EngineLimits(settings.memory_limit, settings.threads),
            reading=settings.reading,
        )


@dataclass(frozen=True)
class Admitted:
    """The extracts that count on `as_of`; files refused; how many are new, came later, and had to be parsed.

    `inputs_digest` names all that figures are made of: extracts, methodology and code.
    """

    extracts: tuple[Receipt, ...]
    refused: tuple[Refused, ...]
    new: int
    later: int
    parsed: int
    inputs_digest: str


@dataclass(frozen=True)
class Validated:
    """What was read: good and bad rows in `rows`, each extract (as the manifest names it), what was refused, and how
    many extracts had to be parsed, because they were not read before.
    """

    rows: Path
    inputs: tuple[dict[str, Any], ...]
    refused: tuple[Refused, ...]
    parsed: int

    @property
    def intake(self) -> dict[str, float]:
        """How much of what was sent did not get in, as the gate measures it."""
        rows, admitted = (sum(each[name] for each in self.inputs) for name in ("rows", "rows_admitted"))
        extracts = len(self.inputs) + len(self.refused)
        return {"quarantined_share": 1 - admitted / rows, "refused_share": len(self.refused) / extracts}

    @property
    def is_synthetic(self) -> bool:
        """Whether anything of the night is simulated, which makes all of it so."""
        return any(each["is_synthetic"] for each in self.inputs)


@dataclass(frozen=True)
class Judged:
    """The judgement: how many findings of each severity, what holds the snapshot (anything critical), in sentences, and
    whether the release keeps within all limits of the gate.
    """

    findings: dict[str, int]
    held_because: tuple[Sentence, ...]
    is_within_limits: bool

    @property
    def is_held(self) -> bool:
        """Whether the snapshot may not become stable."""
        return bool(self.held_because)


Outcome = Literal["published", "unchanged", "held"]


@dataclass(frozen=True)
class Night:
    """How a night ended, the snapshot it refers to, and why it is held, if it is."""

    outcome: Outcome
    snapshot_id: str
    content_hash: str
    reason: Sentence | None = None

    @property
    def facts(self) -> dict[str, str | None]:
        """The night as plain data, for logs and servers."""
        return {**vars(self), "reason": self.reason and str(self.reason)}


def extracts_as_of(
    every: Sequence[Receipt], withdrawn: Mapping[tuple[str, str], Mapping[str, Any]], as_of: date
) -> tuple[Receipt, ...]:
    """The extracts that count on a night: received by the end of its day, and not withdrawn by then."""
    end = end_of_day(as_of)
    gone = {key for key, note in withdrawn.items() if note["withdrawn_at"] < end}
    return tuple(each for each in every if each.received_at < end and (each.source, each.sha256) not in gone)


def inputs_digest(methodology: Methodology, extracts: Sequence[Receipt]) -> str:
    """SHA-256 over all that the figures of a night are made of, hexadecimal."""
    facts = [methodology.digest, code_identity(), [each.identity for each in extracts]]
    return hashlib.sha256(as_json(facts)).hexdigest()


def nothing_to_score(request: Request, admitted: Admitted, refused: Sequence[Refused]) -> NothingToScore:
    """Why a night has no figure to score."""
    reasons = " ".join(f"{each.file_name} was refused: {each.reason}" for each in refused)
    reasons_id = " ".join(f"{each.file_name} ditolak: {each.reason_id}" for each in refused)
    received, later = len(admitted.extracts), admitted.later
    return NothingToScore(
        f"there is no figure for {request.edition} as of {request.as_of}: {received} extract(s) were received by then, "
        f"{later} later. {reasons or 'Ingest extracts of its sources.'}",
        f"tidak ada angka bagi {request.edition} per {request.as_of}: {received} ekstrak diterima sampai saat itu, "
        f"{later} sesudahnya. {reasons_id or 'Masukkan ekstrak dari sumber-sumbernya.'}",
    )
