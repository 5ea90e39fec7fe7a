"""What a night came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from flows.night.request import Night, Outcome
from flows.results.answer import FLAT, HELD, OK, Answer
from flows.results.difference import Changes
from flows.results.index import IndexSummary, ReportingSummary, index_summary, reporting_summary
from flows.results.page import SHOWN_ROWS, Page
from flows.results.terminal import program
from flows.results.words import value
from schemas.sentence import Sentence
from warehouse.snapshots.channels import gone, head, log_entries, named, snapshot_folder, stable_folder
from warehouse.snapshots.diff import difference
from warehouse.snapshots.history import history_folder
from warehouse.snapshots.nights import night_key
from warehouse.snapshots.runs import RefusedFile, read_run, run_folder
from warehouse.snapshots.snapshots import read_manifest
from warehouse.store.sealed import read_sealed
from warehouse.store.store import Store

STYLES: Mapping[Outcome, str] = {"published": "bold green", "unchanged": "bold", "held": "bold yellow"}


@dataclass(frozen=True)
class NightAnswer(Answer):
    """What a night came to: outcome, where the files are, the top of the table, and what was found on the way."""

    outcome: Outcome
    edition: str
    as_of: date
    store: str
    run_id: str
    snapshot_id: str
    stable_snapshot_id: str | None
    withdrawn: str | None
    content_hash: str
    extracts: int
    new_extract_count: int
    later_extract_count: int
    parsed_extract_count: int
    rows: int
    rows_admitted: int
    refused: tuple[RefusedFile, ...]
    findings: Mapping[str, int]
    corrected: tuple[Sentence, ...]
    quarantined: tuple[Sentence, ...]
    contradicted: tuple[Sentence, ...]
    critical: tuple[Sentence, ...]
    is_promotable: bool
    warned: tuple[Sentence, ...]
    is_synthetic: bool
    snapshot: str
    stable: str | None
    run: str
    gate: str
    not_reported: str
    history: str
    index: IndexSummary = field(metadata=FLAT)
    reports: ReportingSummary = field(metadata=FLAT)
    changes: Changes | None

    @property
    def exit_code(self) -> int:
        """A night that the gate holds has an exit code of its own."""
        return HELD if self.outcome == "held" else OK

    @property
    def paths(self) -> list[tuple[Sentence, str]]:
        """The paths of everything that the night wrote."""
        every = (
            (Sentence("Tabel", "Tables"), self.snapshot),
            (Sentence("Stabil", "Stable"), self.stable),
            (Sentence("Belum lapor", "Not reported"), self.not_reported),
            (Sentence("Proses ini", "This run"), self.run),
            (Sentence("Gerbang", "Gate"), self.gate),
        )
        return [(label, where) for label, where in every if where]

    def show(self, page: Page) -> None:
        """Everything that somebody who started the night wants to know."""
        page.say(self._headline, style=STYLES[self.outcome])
        page.say(self._counts)
        self.index.show(page)
        page.list(Sentence("Ditahan karena", "Held because"), self.critical, style="bold yellow")
        page.list(Sentence("Perlu diperiksa", "Look at"), self.warned, style="yellow")
        page.list(REFUSED, refused_sentences(self.refused), style="red")
        page.list(Sentence("Dikoreksi", "Corrected"), self.corrected)
        page.list(Sentence("Bertentangan", "Contradicted"), self.contradicted)
        page.list(Sentence("Dikarantina", "Quarantined"), self.quarantined or [Sentence("tidak ada", "none")])
        page.list(Sentence("Dilaporkan", "Reported"), [each.sentence for each in self.reports.reporting])
        if self.changes:
            self.changes.show(page)
        page.fact(Sentence("Snapshot", "Snapshot"), self._stands_on)
        self._show_stable(page)
        for label, where in self.paths:
            page.fact(label, where)
        page.fact(
            Sentence("Selanjutnya", "Next"), f"{program()} snapshots show {self.snapshot_id} --store {self.store}"
        )

    @property
    def _headline(self) -> Sentence:
        outcome = value(self.outcome)
        return Sentence(
            id=f"{self.edition} per {self.as_of}:{' DATA SIMULASI,' * self.is_synthetic} {outcome.id}"
            f"{', dengan angka yang sudah DITARIK' if self.withdrawn else ''}",
            en=f"{self.edition} as of {self.as_of}:{' SIMULATED DATA,' * self.is_synthetic} {outcome.en}"
            f"{', on figures that were WITHDRAWN' if self.withdrawn else ''}",
        )

    @property
    def _counts(self) -> Sentence:
        quarantined = self.rows - self.rows_admitted
        return Sentence(
            id=f"{self.extracts} ekstrak ({self.new_extract_count} baru, {self.later_extract_count} diterima "
            f"sesudahnya, {self.parsed_extract_count} dibaca sekarang), {self.rows} angka: {self.rows_admitted} "
            f"diterima, {quarantined} dikarantina",
            en=f"{self.extracts} extracts ({self.new_extract_count} new, {self.later_extract_count} received later, "
            f"{self.parsed_extract_count} parsed now), {self.rows} figures: {self.rows_admitted} admitted, "
            f"{quarantined} quarantined",
        )

    @property
    def _stands_on(self) -> Sentence:
        stands_on = {
            "published": Sentence("diterbitkan sebagai", "published as"),
            "held": Sentence("ditahan sebagai calon", "held as candidate"),
            "unchanged": Sentence("tidak ada yang baru; tetap pada", "nothing new; it stands on"),
        }[self.outcome]
        return Sentence(f"{stands_on.id} {self.snapshot_id}", f"{stands_on.en} {self.snapshot_id}")

    def _show_stable(self, page: Page) -> None:
        """Whether the snapshot is the stable one, and what can be done about it."""
        none = Sentence("", "")
        if self.withdrawn:
            page.fact(none, Sentence(f"DITARIK {self.withdrawn}", f"WITHDRAWN {self.withdrawn}"), style="bold red")
        elif self.stable_snapshot_id is None:
            if self.is_synthetic:
                page.fact(
                    none, Sentence("data simulasi tidak pernah menjadi stabil", "simulated data never becomes stable")
                )
            else:
                page.fact(none, Sentence("belum ada yang stabil", "nothing is stable"))
        elif self.stable_snapshot_id != self.snapshot_id:
            stable = self.stable_snapshot_id
            page.fact(
                none,
                Sentence(f"baru calon; yang stabil masih {stable}", f"a candidate; stable still stands on {stable}"),
            )
            if self.is_promotable:
                command = f"{program()} snapshots promote {self.snapshot_id} --reason '...' --store {self.store}"
                page.fact(Sentence("Tetapkan", "Promote"), command)


REFUSED = Sentence("Ditolak", "Refused")


def refused_sentences(refused: tuple[RefusedFile, ...]) -> list[Sentence]:
    """The files that were refused whole, and why."""
    return [Sentence(f"{each.file_name}: {each.why.id}", f"{each.file_name}: {each.why.en}") for each in refused]


def night_answer(store_url: str, run_id: str, night: Night) -> NightAnswer:
    """What a night came to, read from its record and its snapshot."""
    store = Store(store_url)
    record = read_run(store, run_id)
    assert record.edition
    assert record.as_of
    edition = record.edition
    base = snapshot_folder(edition, night.snapshot_id)
    stable = head(store, edition, "stable")
    findings = pl.read_parquet(store.local(f"{run_folder(run_id)}/quality_result.parquet"))
    of_release = findings.filter(pl.col("check") != "rows_quarantined", severity="warning", scope="release")
    return NightAnswer(
        outcome=night.outcome,
        edition=edition,
        as_of=record.as_of,
        store=store_url,
        run_id=run_id,
        snapshot_id=night.snapshot_id,
        stable_snapshot_id=stable["snapshot_id"] if stable else None,
        withdrawn=withdrawal(store, edition, night.snapshot_id),
        content_hash=night.content_hash,
        extracts=len(record.inputs),
        new_extract_count=record.new_extract_count or 0,
        later_extract_count=record.later_extract_count or 0,
        parsed_extract_count=record.parsed_extract_count or 0,
        rows=record.rows,
        rows_admitted=record.rows_admitted,
        refused=record.refused,
        findings=record.findings,
        corrected=_of_checks(findings, "correction_applied", "correction_unused"),
        quarantined=_of_checks(findings, "rows_quarantined"),
        contradicted=_of_checks(findings, "contradiction", "conflicting_extracts"),
        critical=_sentences(findings.filter(severity="critical")),
        is_promotable=findings.filter(severity="critical", scope="content").is_empty(),
        warned=(*_sentences(of_release), *_unsigned(store, edition, record.as_of)),
        is_synthetic=any(each.is_synthetic for each in record.inputs),
        snapshot=store.where(base),
        stable=store.where(stable_folder(edition)) if stable else None,
        run=store.where(run_folder(run_id)),
        gate=store.where(f"{run_folder(run_id)}/gate.html"),
        not_reported=store.where(f"{base}/exports/not_reported.xlsx"),
        history=store.where(history_folder(edition)),
        index=index_summary(store, base),
        reports=reporting_summary(store, base),
        changes=_changes(store, edition, night),
    )


def _sentences(findings: pl.DataFrame) -> tuple[Sentence, ...]:
    return tuple(Sentence(*row) for row in findings.select("message_id", "message_en").rows())


def _of_checks(findings: pl.DataFrame, *checks: str) -> tuple[Sentence, ...]:
    return _sentences(findings.filter(pl.col("check").is_in(checks)))


def _changes(store: Store, edition: str, night: Night) -> Changes | None:
    """What a new snapshot changes beside the one before it; None where it is not new, or the first."""
    before = read_manifest(store, edition, night.snapshot_id)["kerawanan"]["predecessor"]
    if night.outcome == "unchanged" or before is None or before["snapshot_id"] in gone(store, edition):
        return None
    found = difference(store, before["snapshot_id"], night.snapshot_id)
    return Changes(replace(found, regions=found.regions[:SHOWN_ROWS]), regions_changed=len(found.regions))


def _unsigned(store: Store, edition: str, as_of: date) -> list[Sentence]:
    """What to look at where a night is not signed, in a store whose first entry is."""
    first = next(iter(log_entries(store, edition, "candidate")), {})
    night = read_sealed(store, night_key(edition, as_of))
    if "signature" not in first or "signature" in night:
        return []
    return [
        Sentence(
            "Penyimpanan ini bertanda tangan, tetapi malam ini tidak: kunci tanda tangan belum disetel "
            "(KERAWANAN_SIGNING_KEY_FILE).",
            "The store is signed, and this night is not: no signing key was set (KERAWANAN_SIGNING_KEY_FILE).",
        )
    ]


def withdrawal(store: Store, edition: str, snapshot_id: str) -> str | None:
    """When and why a snapshot was withdrawn; None where it was not."""
    note = named(store, edition, "withdrawn").get(snapshot_id)
    return f"{note['appended_at']}: {note['reason']}" if note else None
