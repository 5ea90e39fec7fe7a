"""What the steps of a night pass each other: small, frozen references. No frame ever travels."""

import tempfile
import traceback
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from flows.intake import Refused
from flows.settings import Settings
from schemas.methodology import Library, Methodology
from schemas.violations import NothingToScore
from warehouse.database import EngineLimits
from warehouse.engine import Stamp
from warehouse.raw_store import Receipt
from warehouse.runs import write_run
from warehouse.store import Store


@lru_cache(maxsize=4)
def _fixed_methodology(folder: Path, edition: str) -> Methodology:
    # Safe to keep: the folder belongs to one night, and nothing in it changes after `admit`.
    return Library(folder, alone=True).edition(edition)


@dataclass(frozen=True)
class Request:
    """One night. `now` is the only clock; `work` is an empty folder of its own; `run_id` names the run and what it
    publishes; `inbox` is a folder of files to take in first; `methodology` a folder laid over the package's.
    """

    edition: str
    as_of: date
    now: datetime
    run_id: str
    store: str
    work: Path
    methodology: Path | None = None
    inbox: Path | None = None
    limits: EngineLimits = field(default_factory=EngineLimits)

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


@contextmanager
def requested(
    settings: Settings, edition: str, as_of: date, now: datetime, inbox: Path | None = None
) -> Iterator[Request]:
    """The request of a night under the settings, with a work folder that is gone afterwards."""
    Library(settings.methodology).must_have(edition)
    with tempfile.TemporaryDirectory(prefix="kerawanan-") as work:
        yield Request(
            edition=edition,
            as_of=as_of,
            now=now,
            run_id=f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}",
            store=settings.store,
            work=Path(work),
            methodology=settings.methodology,
            inbox=inbox,
            limits=EngineLimits(settings.memory_limit, settings.threads),
        )


@dataclass(frozen=True)
class Admitted:
    """The extracts received by the end of `as_of`; files refused; how many are new, and how many came later."""

    extracts: tuple[Receipt, ...]
    refused: tuple[Refused, ...]
    new: int
    later: int


@dataclass(frozen=True)
class Validated:
    """What was read: good and bad rows in `rows`, each extract (as the manifest names it), and what was refused."""

    rows: Path
    inputs: tuple[dict[str, Any], ...]
    refused: tuple[Refused, ...]

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
    """The judgement: how many findings of each severity. Anything critical holds the snapshot."""

    findings: dict[str, int]

    @property
    def is_held(self) -> bool:
        """Whether the snapshot may not become stable."""
        return self.findings.get("critical", 0) > 0


@dataclass(frozen=True)
class Night:
    """How a night ended, and the snapshot it stands on."""

    outcome: Literal["published", "unchanged", "held"]
    snapshot_id: str
    content_hash: str


def nothing_to_score(request: Request, admitted: Admitted, refused: Sequence[Refused]) -> NothingToScore:
    """Why a night has no figure to score."""
    reasons = [f"{each.file_name} was refused: {each.reason}" for each in refused]
    return NothingToScore(
        f"there is no figure for {request.edition} as of {request.as_of}: {len(admitted.extracts)} extract(s) were "
        f"received by then, {admitted.later} later. {' '.join(reasons) or 'Ingest extracts of its sources.'}"
    )


def record_night(request: Request, night: Night, admitted: Admitted, validated: Validated, judged: Judged) -> None:
    """Write the record of a run that came to its end."""
    _write_record(
        request,
        **asdict(night),
        inputs=validated.inputs,
        refused=[asdict(each) for each in validated.refused],
        new_extract_count=admitted.new,
        later_extract_count=admitted.later,
        findings=judged.findings,
    )


def record_failure(request: Request, error: Exception) -> None:
    """Write the record of a run that failed, with what it had found until then."""
    trace = "".join(traceback.format_exception(error))
    _write_record(request, outcome="failed", reason=str(error) or type(error).__name__, trace=trace)


def _write_record(request: Request, **facts: Any) -> None:
    record = {
        "run_id": request.run_id,
        "edition": request.edition,
        "as_of": request.as_of,
        "started_at": request.now,
        **facts,
    }
    files = {
        "quarantine.parquet": request.work / "quarantine.parquet",
        "gate.html": request.work / "gate.html",
        "quality_result.parquet": request.snapshot / "tables/quality_result.parquet",
    }
    write_run(Store(request.store), request.run_id, record, files)
