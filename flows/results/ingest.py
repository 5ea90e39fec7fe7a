"""The answer of `ingest`: what became of files that were sent."""

from dataclasses import dataclass

from flows.night.intake import Refused
from flows.results.answer import OK, Answer
from flows.results.page import Page
from schemas.errors import WRONG_USAGE
from schemas.sentence import Sentence
from warehouse.extracts.raw_store import Receipt


@dataclass(frozen=True)
class Ingested(Answer):
    """The receipts of extracts that are new, that were known, and that do not count as they were withdrawn; and the
    files that were refused.
    """

    admitted: tuple[Receipt, ...]
    known: tuple[Receipt, ...]
    withdrawn: tuple[Receipt, ...]
    refused: tuple[Refused, ...]
    store: str

    @property
    def exit_code(self) -> int:
        """A file that does not count is wrong usage."""
        return WRONG_USAGE if self.refused or self.withdrawn else OK

    def show(self, page: Page) -> None:
        """A line for each file."""
        for new in self.admitted:
            page.say(
                Sentence(
                    f"diterima  {new.file_name} ({new.size} byte) sebagai {new.source}: {new.sha256}",
                    f"admitted  {new.file_name} ({new.size} bytes) as {new.source}: {new.sha256}",
                ),
                style="green",
            )
        for known in self.known:
            page.say(
                Sentence(
                    f"dikenal   {known.file_name}: isi yang sama sudah diterima {known.received_at}",
                    f"known     {known.file_name}: the same bytes were received {known.received_at}",
                )
            )
        for gone in self.withdrawn:
            page.say(
                Sentence(
                    f"ditarik   {gone.file_name}: isi ini sudah ditarik dan tidak dihitung; kirim berkas lain",
                    f"withdrawn {gone.file_name}: these bytes were withdrawn and do not count; send another file",
                ),
                style="yellow",
            )
        for bad in self.refused:
            page.say(
                Sentence(f"ditolak   {bad.file_name}: {bad.reason_id}", f"refused   {bad.file_name}: {bad.reason}"),
                style="red",
            )
