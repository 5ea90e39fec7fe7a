"""Answers about snapshots: which there are, what they hold, whether they are whole, and what was done with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.night.rebuild import Rebuilt
from flows.results.answer import FLAT, OK, Answer
from flows.results.damage import damage_sentence
from flows.results.index import IndexSummary, index_summary
from flows.results.night import withdrawal
from flows.results.page import Page
from flows.results.terminal import program
from flows.results.words import joined, value
from schemas.errors import FAILED
from schemas.sentence import Sentence
from warehouse.snapshots.channels import CHANNELS, snapshot_folder
from warehouse.snapshots.snapshots import find_snapshot
from warehouse.store.store import Store


@dataclass(frozen=True)
class SnapshotList(Answer):
    """All snapshots, oldest first: of each the facts of its manifest, and which channels point to it."""

    snapshots: tuple[Mapping[str, Any], ...]
    store: str

    def show(self, page: Page) -> None:
        """A row for each."""
        count = len(self.snapshots)
        page.say(Sentence(f"{count} snapshot di {self.store}", f"{count} snapshot(s) in {self.store}"))
        rows = [
            (
                each["snapshot_id"],
                each["edition"],
                each["as_of"],
                _stands_for(each),
                value("synthetic" if each["is_synthetic"] else "real"),
                each["content_hash"][:12],
            )
            for each in self.snapshots
        ]
        page.table(("snapshot", "edition", "as_of", "stands for", "data", "content"), rows)


def _stands_for(facts: Mapping[str, Any]) -> Sentence:
    channels = joined(value(each) for each in facts["channels"])
    marks = [channels] if facts["channels"] else []
    marks += [value("held")] if facts["is_held"] else []
    marks += [Sentence("DITARIK", "WITHDRAWN")] if facts["withdrawn"] else []
    return joined(marks, " ")


@dataclass(frozen=True)
class SnapshotAnswer(Answer):
    """What a snapshot holds and what it is based on: the facts of its manifest, and its index in short."""

    title: str
    facts: Mapping[str, Any] = field(metadata=FLAT)
    withdrawn: str | None
    snapshot: str
    index: IndexSummary = field(metadata=FLAT)

    def show(self, page: Page) -> None:
        """The facts, the extracts, and the top of the index."""
        facts = self.facts
        before, code = facts["predecessor"], facts["code"]
        page.say(f"{self.title} ({facts['edition']})", style="bold")
        shown: tuple[tuple[Sentence, Sentence | str], ...] = (
            (Sentence("snapshot", "snapshot"), facts["snapshot_id"]),
            (Sentence("per", "as of"), facts["as_of"]),
            (Sentence("isi", "content"), facts["content_hash"]),
            (Sentence("metodologi", "methodology"), facts["methodology_digest"]),
            (Sentence("kode", "code"), f"{code['version']} {code['sha256']}"),
            (Sentence("pendahulu", "predecessor"), before["snapshot_id"] if before else value("none")),
            (Sentence("data", "data"), Sentence("SIMULASI", "SIMULATED") if facts["is_synthetic"] else value("real")),
            (Sentence("ditarik", "withdrawn"), self.withdrawn or Sentence("tidak", "no")),
            (Sentence("tabel", "tables"), self.snapshot),
        )
        for label, fact in shown:
            page.fact(label, fact)
        inputs = [
            (each["file_name"], each["source"], each["rows"], each["rows_admitted"], each["sha256"][:12])
            for each in facts["inputs"]
        ]
        columns = ("extract", "source", "rows", "admitted", "sha256")
        page.table(columns, inputs, Sentence("Berdasarkan", "Stands on"))
        self.index.show(page)


def snapshot_answer(store_url: str, snapshot_id: str) -> SnapshotAnswer:
    """What a snapshot holds and what it is based on. Raises UsageError."""
    store = Store(store_url)
    data = find_snapshot(store, snapshot_id)
    facts = data["kerawanan"]
    base = snapshot_folder(facts["edition"], facts["snapshot_id"])
    return SnapshotAnswer(
        title=data["title"],
        facts=facts,
        withdrawn=withdrawal(store, facts["edition"], facts["snapshot_id"]),
        snapshot=store.where(base),
        index=index_summary(store, base),
    )


@dataclass(frozen=True)
class Promoted(Answer):
    """A snapshot that became stable, and where its tables are shown."""

    edition: str
    snapshot_id: str
    stable: str

    def show(self, page: Page) -> None:
        """What is stable now."""
        page.say(
            Sentence(
                f"{self.edition}: yang stabil sekarang {self.snapshot_id}: {self.stable}",
                f"stable of {self.edition} stands on {self.snapshot_id}: {self.stable}",
            )
        )


@dataclass(frozen=True)
class Withdrawn(Answer):
    """A snapshot that was withdrawn, and what the channels of its edition point to now."""

    edition: str
    snapshot_id: str
    candidate: str | None
    stable: str | None

    def show(self, page: Page) -> None:
        """What became of it, and what to do."""
        page.say(
            Sentence(
                f"{self.snapshot_id} ditarik: tetap dapat dibaca dan diberi tanda",
                f"{self.snapshot_id} is withdrawn: it stays readable and is marked",
            )
        )
        for channel, stands_on in zip(CHANNELS, (self.candidate, self.stable), strict=True):
            page.say(
                Sentence(
                    f"{value(channel).id} {self.edition} sekarang: {stands_on or 'tidak ada'}",
                    f"{channel} of {self.edition} stands on {stands_on or 'nothing'}",
                )
            )
        page.say(
            Sentence(
                "Selanjutnya: tarik ekstrak yang keliru, atau kirim koreksinya; kemudian jalankan lagi malam itu",
                "Next: withdraw the extract that is wrong, or send a correction; then run the night again",
            )
        )


@dataclass(frozen=True)
class PrunedSnapshot:
    """A snapshot that nothing refers to."""

    edition: str
    snapshot_id: str
    as_of: str
    created: str


@dataclass(frozen=True)
class Pruned(Answer):
    """What nobody refers to and is older than so many days: removed where `is_done`, else only named."""

    snapshots: tuple[PrunedSnapshot, ...]
    runs: tuple[str, ...]
    keep_days: int
    is_done: bool

    def show(self, page: Page) -> None:
        """Each of them, and how many there are."""
        did = Sentence("dihapus", "removed") if self.is_done else Sentence("akan dihapus", "would be removed")
        for each in self.snapshots:
            page.say(
                Sentence(
                    f"{did.id}  snapshot {each.snapshot_id} dari {each.edition} per {each.as_of}",
                    f"{did.en}  snapshot {each.snapshot_id} of {each.edition} as of {each.as_of}",
                )
            )
        for run_id in self.runs:
            page.say(Sentence(f"{did.id}  proses {run_id}", f"{did.en}  run {run_id}"))
        snapshots, runs = len(self.snapshots), len(self.runs)
        page.say(
            Sentence(
                f"{snapshots} snapshot dan {runs} proses yang berumur lebih dari {self.keep_days} hari dan tidak "
                f"dirujuk {did.id}",
                f"{snapshots} snapshot(s) and {runs} run(s) older than {self.keep_days} days that nothing refers to "
                f"{did.en}",
            )
        )
        if not self.is_done and (self.snapshots or self.runs):
            command = f"{program()} snapshots prune --keep-days {self.keep_days} --execute"
            page.say(Sentence(f"Selanjutnya: {command}", f"Next: {command}"))


def pruned(found: Mapping[str, Any]) -> Pruned:
    """The answer of what `prune` found."""
    snapshots = tuple(PrunedSnapshot(**each) for each in found["snapshots"])
    return Pruned(snapshots, tuple(found["runs"]), found["keep_days"], found["is_done"])


@dataclass(frozen=True)
class Found:
    """Something that `verify` found: where, and a sentence."""

    where: str
    sentence: Sentence


@dataclass(frozen=True)
class Verified(Answer):
    """What was verified, the damage found, what an interrupted run left, and which snapshots came out again."""

    verified: tuple[str, ...]
    damage: tuple[Found, ...]
    unfinished: tuple[Found, ...]
    store: str
    rebuilt: tuple[Rebuilt, ...]

    @property
    def exit_code(self) -> int:
        """Damage is a failure, and so is a snapshot that does not come out again."""
        is_whole = not self.damage and all(each.is_same for each in self.rebuilt)
        return OK if is_whole else FAILED

    def show(self, page: Page) -> None:
        """Each finding, and the verdict."""
        for each in self.damage:
            page.say(
                Sentence(f"kerusakan  {each.where}: {each.sentence.id}", f"damage  {each.where}: {each.sentence.en}"),
                style="red",
            )
        for each in self.unfinished:
            page.say(
                Sentence(
                    f"belum selesai  {each.where}: {each.sentence.id}", f"unfinished  {each.where}: {each.sentence.en}"
                ),
                style="yellow",
            )
        for again in self.rebuilt:
            self._show_rebuilt(page, again)
        count, damages = len(self.verified), len(self.damage)
        verdict = (
            Sentence(f"{damages} kerusakan ditemukan", f"{damages} damage(s) found")
            if damages
            else Sentence("terverifikasi: tidak ada yang berubah", "verified: nothing was changed")
        )
        page.say(
            Sentence(
                f"{count} snapshot di {self.store}: {verdict.id}", f"{count} snapshot(s) in {self.store}: {verdict.en}"
            ),
            style="bold red" if damages else "bold green",
        )

    def _show_rebuilt(self, page: Page, again: Rebuilt) -> None:
        same = (
            Sentence("menghasilkan isi yang sama", "comes out again")
            if again.is_same
            else Sentence("TIDAK menghasilkan isi yang sama", "does NOT come out again")
        )
        page.say(
            Sentence(
                f"dihitung ulang  {again.snapshot_id} dari {again.edition} {same.id}: {again.content_hash}",
                f"rebuilt  {again.snapshot_id} of {again.edition} {same.en}: {again.content_hash}",
            ),
            style=None if again.is_same else "red",
        )
        page.list(Sentence("Sebab", "Because"), again.causes)


def _found(damage: Mapping[str, str]) -> Found:
    return Found(damage["where"], damage_sentence(damage["sentence"]))


def verified(found: Mapping[str, Any], rebuilt: tuple[Rebuilt, ...]) -> Verified:
    """The answer of what `verify` found, and of the snapshots that were computed again."""
    damage, unfinished = (tuple(_found(each) for each in found[kind]) for kind in ("damage", "unfinished"))
    return Verified(tuple(found["verified"]), damage, unfinished, found["store"], rebuilt)
