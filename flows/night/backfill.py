"""Many nights at once: which have to be computed, which only refer to what is known, and doing it, resumable."""

import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from itertools import groupby
from typing import Literal
from urllib.parse import urlsplit

from flows.clock import end_of_day
from flows.night.request import extracts_as_of, inputs_digest, not_after_today, requested
from flows.night.steps import run_night
from flows.settings import Settings
from schemas.errors import KerawananError, StorageError, UsageError, sentence_of, unforeseen
from schemas.methodology.library import Library
from schemas.sentence import Sentence
from warehouse.extracts.raw_store import receipts, withdrawals
from warehouse.snapshots.channels import candidates
from warehouse.snapshots.history import write_history
from warehouse.snapshots.nights import NightRecord, night_records, record_nights
from warehouse.snapshots.promotion import promote_together
from warehouse.snapshots.runs import NightOfRun, RunRecord, begin_run, write_run
from warehouse.store.store import Store

# done: the night refers to a snapshot of these extracts, this methodology and code already; stands: another night has
# computed the same, or will; computes: it is the first of its kind; empty: no extract counts yet.
State = Literal["done", "stands", "computes", "empty"]

NO_REASON = Sentence("", "")
DONE_BEFORE = Sentence("sudah selesai sebelumnya", "it was done before")
NO_EXTRACT = Sentence("belum ada ekstrak yang diterima sampai saat itu.", "no extract was received by then.")


@dataclass(frozen=True)
class Planned:
    """A night of a plan. `like` is the night whose snapshot it will refer to, `was` the one it refers to now, and
    `was_held` whether that is held.
    """

    edition: str
    as_of: date
    state: State
    extracts: int
    inputs_digest: str
    like: date | None
    was: str | None
    was_held: bool


@dataclass(frozen=True)
class Ended:
    """How a night of a backfill ended: an outcome of a night, and why; if it failed, whether a second try may help."""

    edition: str
    as_of: date
    outcome: str
    snapshot_id: str | None
    reason: Sentence = NO_REASON
    is_worth_a_try: bool = False

    @property
    def record(self) -> NightOfRun:
        """The night as the record of the run has it."""
        record = NightOfRun(**{**vars(self), "reason": self.reason.en})
        return record.model_copy(update={"reason_id": self.reason.id}) if self.reason.id else record


@dataclass(frozen=True)
class Promotion:
    """A snapshot that a backfill made stable, and where its tables are shown."""

    edition: str
    snapshot_id: str
    stable: str


@dataclass(frozen=True)
class Backfill:
    """A plan of nights, how each ended (none without a runner), what became stable, and why nothing did though it was
    requested.
    """

    reason: str
    store: str
    plan: tuple[Planned, ...]
    nights: tuple[Ended, ...] = ()
    promoted: tuple[Promotion, ...] = ()
    not_promoted: Sentence | None = None
    run_id: str | None = None

    @property
    def outcomes(self) -> Counter[str]:
        """How many nights ended how."""
        return Counter(each.outcome for each in self.nights)


# Takes the nights that have to be computed, and yields how each ended, in whatever order.
Runner = Callable[[Settings, Sequence[Planned], datetime], Iterable[Ended]]


def backfill(
    settings: Settings,
    editions: Sequence[str],
    between: tuple[date | None, date | None],
    reason: str,
    now: datetime,
    runner: Runner | None,
    *,
    promote: bool = False,
) -> Backfill:
    """Plan the nights of editions between two days (where none are given, those that the editions recompute); with a
    runner also carry the plan out, and make what came of it stable where that is requested. Raises UsageError.
    """
    wanted = _requested_nights(settings, editions, between)
    not_after_today(max(day for _, days in wanted for day in days), now)
    plan = tuple(each for edition, days in wanted for each in planned(settings, edition, days))
    only_planned = Backfill(reason, settings.store, plan)
    if runner is None:
        return only_planned
    run_id = backfill_id(now)
    ended = tuple(executed(settings, plan, reason, now, run_id, runner))
    done = replace(only_planned, nights=ended, run_id=run_id)
    if not promote:
        return done
    try:
        return replace(done, promoted=tuple(promoted(settings, ended, reason, now)))
    except UsageError as error:
        return replace(done, not_promoted=sentence_of(error))


def _requested_nights(
    settings: Settings, editions: Sequence[str], between: tuple[date | None, date | None]
) -> list[tuple[str, list[date]]]:
    """The editions and days that are requested. Raises UsageError."""
    first, last = between
    if first and last:
        return [(edition, nights_between(first, last)) for edition in dict.fromkeys(editions)]
    if first or last:
        raise UsageError("--from and --to go together.", "--from dan --to dipakai bersama.")
    library = Library(settings.methodology)
    wanted: dict[str, set[date]] = {}
    for edition in editions:
        library.must_have(edition)
        for each in library.edition(edition).edition.recomputes:
            wanted.setdefault(each.edition or edition, set()).update(nights_between(each.first, each.last))
    if not wanted:
        raise UsageError(
            "name the days with --from and --to; the editions declare none that they recompute.",
            "sebutkan harinya dengan --from dan --to; edisi tidak menyatakan hari yang dihitung ulang.",
        )
    return [(edition, sorted(days)) for edition, days in wanted.items()]


def nights_between(first: date, last: date) -> list[date]:
    """Every day from one to another. Raises UsageError."""
    if last < first:
        raise UsageError(
            f"the first day, {first}, lies after the last, {last}.",
            f"hari pertama, {first}, sesudah hari terakhir, {last}.",
        )
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


def planned(settings: Settings, edition: str, days: Sequence[date]) -> Iterator[Planned]:
    """What a backfill would do, night by night, without changing anything. Raises UsageError and MethodologyError."""
    store, library = Store(settings.store), Library(settings.methodology)
    library.must_have(edition)
    methodology = library.edition(edition)
    every, withdrawn = receipts(store, methodology.sources), withdrawals(store)
    there = {entry["snapshot_id"] for entry in candidates(store, edition)}
    recorded = {day: found for day, found in night_records(store, edition).items() if found["snapshot_id"] in there}
    first_of = {found["inputs_digest"]: date.fromisoformat(day) for day, found in reversed(recorded.items())}
    for extracts, group in groupby(days, lambda day: extracts_as_of(every, withdrawn, day)):
        digest = inputs_digest(methodology, extracts)
        for day in group:
            was = recorded.get(day.isoformat())
            state: State = "computes"
            if not extracts:
                state = "empty"
            elif was and was["inputs_digest"] == digest:
                state = "done"
            elif digest in first_of:
                state = "stands"
            else:
                first_of[digest] = day
            like = first_of[digest] if state == "stands" else None
            earlier_result = (was["snapshot_id"], was["is_held"]) if was else (None, False)
            yield Planned(edition, day, state, len(extracts), digest, like, *earlier_result)


def catch_up(settings: Settings, edition: str, before: date, days: int, now: datetime) -> list[Ended]:
    """Compute, as candidates, the nights of so many days before one that were missed: of which nothing is written,
    though an earlier one is there, or that were computed before their day was over. What fails, the next tries again.
    """
    found = {date.fromisoformat(day): each["at"] for day, each in night_records(Store(settings.store), edition).items()}
    span = [before - timedelta(days=each) for each in range(days, 0, -1)]
    missed = [
        day
        for day in span
        if (day > min(found, default=before) and day not in found)
        or (day in found and datetime.fromisoformat(found[day]) < end_of_day(day))
    ]
    plan = [each for each in planned(settings, edition, missed) if each.state not in ("empty", "done")]
    if not plan:
        return []
    return executed(settings, plan, f"missed before the night of {before}", now, backfill_id(now), in_turn)


def backfill_id(now: datetime) -> str:
    """A name for a run of many nights."""
    return f"{now:%Y%m%dT%H%M%SZ}-backfill-{uuid.uuid4().hex[:6]}"


def executed(
    settings: Settings, plan: Sequence[Planned], reason: str, now: datetime, run_id: str, runner: Runner
) -> list[Ended]:
    """Carry out a plan: compute what has to be, each night for itself; let the others refer to it; write down what came
    of it. One night that fails stops no other, and what is done once is not done again by a later try.
    """
    store = Store(settings.store)
    coming = tuple(Ended(each.edition, each.as_of, "planned", None).record for each in plan)
    record = RunRecord(run_id=run_id, kind="backfill", started_at=now.isoformat(), reason=reason, nights=coming)
    begin_run(store, record.model_copy(update={"step": "backfill"}), now)
    try:
        ended = sorted(_ended(settings, plan, now, run_id, runner), key=lambda each: (each.edition, each.as_of))
    except BaseException as error:
        with suppress(StorageError):
            why = f"{reason} ({error or type(error).__name__})"
            write_run(store, record.model_copy(update={"outcome": "failed", "reason": why}), {})
        raise
    outcome = "failed" if any(each.outcome == "failed" for each in ended) else "done"
    nights = tuple(each.record for each in ended)
    write_run(store, record.model_copy(update={"outcome": outcome, "nights": nights}), {})
    for edition in dict.fromkeys(each.edition for each in plan):
        write_history(store, edition, Library(settings.methodology).dictionary, now)
    return ended


def _ended(settings: Settings, plan: Sequence[Planned], now: datetime, run_id: str, runner: Runner) -> Iterator[Ended]:
    for each in plan:
        if each.state == "done":
            outcome = "held" if each.was_held else "unchanged"
            yield Ended(each.edition, each.as_of, outcome, each.was, DONE_BEFORE)
        elif each.state == "empty":
            yield Ended(each.edition, each.as_of, "failed", None, NO_EXTRACT)
    yield from runner(settings, [each for each in plan if each.state == "computes"], now)
    yield from _recorded(settings, [each for each in plan if each.state == "stands"], now, run_id)


def _recorded(settings: Settings, plan: Sequence[Planned], now: datetime, run_id: str) -> Iterator[Ended]:
    """Let nights refer to what others came to that had the same extracts: written down in bulk."""
    store = Store(settings.store)
    for edition, group in groupby(plan, lambda each: each.edition):
        found = night_records(store, edition)
        whole: list[tuple[NightRecord, str]] = []
        for each in group:
            like = found.get(each.like.isoformat()) if each.like else None
            if like is None or like["inputs_digest"] != each.inputs_digest:
                why = Sentence(
                    f"malam {each.like}, yang sama, gagal.", f"the night of {each.like}, which is the same, failed."
                )
                yield Ended(edition, each.as_of, "failed", None, why)
                continue
            record = NightRecord(edition, each.as_of, now, like["run_id"], each.inputs_digest, like["is_held"])
            whole.append((record, like["snapshot_id"]))
            outcome = "held" if like["is_held"] else "unchanged"
            same = Sentence(f"sama dengan malam {each.like}", f"the same as the night of {each.like}")
            yield Ended(edition, each.as_of, outcome, like["snapshot_id"], same)
        record_nights(store, edition, whole, run_id, now, settings.signer())


def computed(settings: Settings, edition: str, day: date, now: datetime) -> Ended:
    """Compute one night of a backfill; a candidate at most, whatever the policy of its edition."""
    try:
        with requested(settings, edition, day, now) as request:
            night = run_night(replace(request, candidate_only=True))
    except KerawananError as error:
        return Ended(edition, day, "failed", None, sentence_of(error), is_worth_a_try=error.retry_may_help)
    except Exception as error:  # the last resort: one night that fails stops no other
        return Ended(edition, day, "failed", None, unforeseen(error))
    return Ended(edition, day, night.outcome, night.snapshot_id, night.reason or NO_REASON)


def in_turn(settings: Settings, plan: Sequence[Planned], now: datetime) -> Iterator[Ended]:
    """Nights one after the other, right here."""
    for each in plan:
        yield computed(settings, each.edition, each.as_of, now)


def threads(workers: int) -> Runner:
    """The embedded way: so many nights at a time, on threads of this process."""

    def run(settings: Settings, plan: Sequence[Planned], now: datetime) -> Iterator[Ended]:
        from concurrent.futures import ThreadPoolExecutor, as_completed

        from flows.progress import tracked

        with ThreadPoolExecutor(workers) as pool:
            waiting = [pool.submit(computed, settings, each.edition, each.as_of, now) for each in plan]
            for done in tracked(as_completed(waiting), Sentence("menghitung malam", "computing nights"), len(waiting)):
                yield done.result()

    return run


def must_answer(address: str) -> None:
    """Raises UsageError where Dask is not installed, or no scheduler listens at an address."""
    if find_spec("prefect_dask") is None:
        raise UsageError("Dask is not installed here; 'make dask' adds it, elsewhere pip install 'kerawanan[dask]'.")
    server = urlsplit(address)
    try:
        with socket.create_connection((server.hostname or "", server.port or 0), timeout=10):
            pass
    except (OSError, ValueError):
        raise UsageError(
            f"no Dask scheduler answers at {address}; an address is like tcp://host:8786.",
            f"tidak ada penjadwal Dask yang menjawab di {address}; alamatnya seperti tcp://host:8786.",
        ) from None


def promoted(settings: Settings, ended: Sequence[Ended], reason: str, now: datetime) -> list[Promotion]:
    """Make the latest night of each edition stable, all together: nothing becomes stable where any night failed, or
    where one of the latest is held or may not be. Raises UsageError.
    """
    latest = {each.edition: each for each in ended}  # they are in the order of their days
    bad = [each for each in ended if each.outcome == "failed"]
    bad += [each for each in latest.values() if each.outcome == "held"]
    if bad:
        listed = ", ".join(f"{each.edition} as of {each.as_of} ({each.outcome})" for each in bad[:5])
        called = {"failed": "gagal", "held": "ditahan"}
        indonesian = ", ".join(f"{each.edition} per {each.as_of} ({called[each.outcome]})" for each in bad[:5])
        raise UsageError(
            f"nothing was promoted: {listed}{' and more' if len(bad) > 5 else ''}.",
            f"tidak ada yang ditetapkan menjadi stabil: {indonesian}{' dan lainnya' if len(bad) > 5 else ''}.",
        )
    chosen = [each.snapshot_id for each in latest.values() if each.snapshot_id]
    made = promote_together(Store(settings.store), chosen, now, reason, settings.signer())
    return [Promotion(**each) for each in made]
