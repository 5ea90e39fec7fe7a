"""The answer of a backfill: what would be done, or how each night ended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from flows.night.backfill import Backfill, Ended
from flows.results.answer import FLAT, HELD, OK, Answer
from flows.results.page import SHOWN_ROWS, Page
from flows.results.words import joined, value
from schemas.errors import FAILED
from schemas.sentence import Sentence

PLANNED = {
    "computes": Sentence("akan dihitung", "to compute"),
    "stands": Sentence("sama dengan malam lain, hanya dicatat", "the same as another night, only written down"),
    "done": Sentence("sudah selesai", "done already"),
    "empty": Sentence("belum ada ekstraknya, akan gagal", "with no extract yet, which fail"),
}


@dataclass(frozen=True)
class BackfillAnswer(Answer):
    """What would be done, or how each night ended."""

    backfill: Backfill = field(metadata=FLAT)

    @property
    def exit_code(self) -> int:
        """One night that fails, or is held, has an exit code of its own."""
        outcomes = self.backfill.outcomes
        return FAILED if outcomes["failed"] or self.backfill.not_promoted else HELD if outcomes["held"] else OK

    def show(self, page: Page) -> None:
        """The plan, and what came of it."""
        found = self.backfill
        for edition, plan in groupby(found.plan, lambda each: each.edition):
            nights = list(plan)
            count, first, last = len(nights), nights[0].as_of, nights[-1].as_of
            page.say(
                Sentence(
                    f"{edition}: {count} malam, {first} s.d. {last}", f"{edition}: {count} night(s), {first} to {last}"
                ),
                style="bold",
            )
            for state, sentence in PLANNED.items():
                days = [each.as_of for each in nights if each.state == state]
                if days:
                    when = spans(days)
                    page.say(
                        Sentence(
                            f"  {len(days):>4} {sentence.id}: {when.id}", f"  {len(days):>4} {sentence.en}: {when.en}"
                        )
                    )
        if not found.run_id:
            page.say(
                Sentence(
                    "Belum ada yang dikerjakan: tambahkan --execute untuk mengerjakannya.",
                    "Nothing was done: add --execute to do it.",
                )
            )
            return
        self._show_ended(page)
        page.fact(Sentence("Proses ini", "This run"), found.run_id)

    def _show_ended(self, page: Page) -> None:
        found = self.backfill
        ended = [
            Sentence(f"{count} {value(outcome).id}", f"{count} {outcome}")
            for outcome, count in sorted(found.outcomes.items())
        ]
        page.fact(Sentence("Selesai", "Done"), joined(ended))
        for outcome, style in (("failed", "red"), ("held", "yellow")):
            bad = sorted((each for each in found.nights if each.outcome == outcome), key=_why)
            called = value(outcome)
            title = Sentence(called.id.capitalize(), called.en.capitalize())
            page.list(title, [_sentence(list(alike)) for _, alike in groupby(bad, _why)], style=style)
        for each in found.promoted:
            page.fact(Sentence("Stabil", "Stable"), stands_on(each.edition, each.snapshot_id), style="green")
        if found.not_promoted:
            page.fact(Sentence("Tidak ditetapkan", "Not promoted"), found.not_promoted, style="yellow")


def stands_on(edition: str, snapshot_id: str) -> Sentence:
    """To which snapshot a channel points."""
    return Sentence(f"{edition}: {snapshot_id}", f"{edition} stands on {snapshot_id}")


def backfill_sentence(found: Backfill) -> Sentence:
    """What a backfill would do, or did, as numbers."""
    if found.run_id:
        counted = [(value(outcome), count) for outcome, count in found.outcomes.items()]
    else:
        counted = [(PLANNED[state], count) for state, count in Counter(each.state for each in found.plan).items()]
    parts = joined((Sentence(f"{count} {what.id}", f"{count} {what.en}") for what, count in counted), "; ")
    nights = len(found.plan)
    if found.run_id:
        return Sentence(f"{nights} malam: {parts.id}", f"{nights} night(s): {parts.en}")
    return Sentence(
        f"{nights} malam: {parts.id}. Belum ada yang dikerjakan: nyalakan execute.",
        f"{nights} night(s): {parts.en}. Nothing was done: switch execute on.",
    )


def _why(night: Ended) -> tuple[str, str]:
    return night.edition, night.reason.en


def _sentence(alike: Sequence[Ended]) -> Sentence:
    """Nights of an edition that ended for the same reason."""
    edition, reason, when = alike[0].edition, alike[0].reason, spans([each.as_of for each in alike])
    return Sentence(f"{edition}, {when.id}: {reason.id}", f"{edition}, {when.en}: {reason.en}")


def spans(days: Sequence[date]) -> Sentence:
    """Days as spans, the first few of them."""
    found: list[list[date]] = []
    for day in days:
        if found and (day - found[-1][1]).days == 1:
            found[-1][1] = day
        else:
            found.append([day, day])
    shown = joined(
        Sentence(str(first), str(first)) if first == last else Sentence(f"{first} s.d. {last}", f"{first} to {last}")
        for first, last in found[:SHOWN_ROWS]
    )
    rest = len(found) - SHOWN_ROWS
    return Sentence(f"{shown.id} dan {rest} lagi", f"{shown.en} and {rest} more") if rest > 0 else shown
