"""The extracts of a night, read and checked batch by batch: memory follows the largest extract, not their sum."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from flows.night.intake import Extracts, Refused
from flows.progress import tracked
from schemas.contract.dictionary import Dictionary
from schemas.contract.refusals import Refusal
from schemas.contract.tables import polars_schema
from schemas.methodology.library import Methodology
from schemas.methodology.sources import Source
from schemas.sentence import Sentence
from transforms.extracts.admission import Admission, admission, identified, over_limit
from transforms.regions.lookup import region_lookup
from warehouse.extracts.parsed import from_kept
from warehouse.extracts.raw_store import Receipt

READING = Sentence("membaca ekstrak", "reading extracts")
BATCH, BATCH_SIZE = 250_000, 250_000_000  # rows, bytes


@dataclass(frozen=True)
class Reading:
    """What became of the extracts: each one that counts (as the manifest names it), those refused whole, how many had
    to be parsed, and how many figures there are to score. The rows lie in `folder`, a Parquet file for each field of
    `Admission`.
    """

    folder: Path
    inputs: tuple[dict[str, Any], ...]
    refused: tuple[Refused, ...]
    parsed: int
    figures: int


@dataclass
class _Counts:
    figures: int = 0
    batches: int = 0


def read_extracts(
    extracts: Extracts, methodology: Methodology, received: Sequence[Receipt], folder: Path, refused: Sequence[Refused]
) -> Reading:
    """Read and check every extract; good rows, violations and findings are written to `folder`. What was `refused`
    before, or is now, is among the violations.

    Raises DamagedStore where an extract is not what was received.
    """
    inputs: list[dict[str, Any]] = []
    refused = list(refused)
    counts, batches_of = _Counts(), Counter[str]()
    by_source = sorted(received, key=lambda each: list(methodology.sources).index(each.source))
    for source, batch in _batches(extracts, methodology, by_source, refused):
        edition = methodology.edition
        lookup = region_lookup(
            methodology.reference, methodology.sources[source], edition.regions_date, (edition.territory,)
        )
        read = pl.concat((rows for _, rows in batch), rechunk=True)  # each query would go through all the pieces
        part = admission(read, methodology.sources[source], methodology.corrections, lookup, methodology.dictionary)
        part, refusals = _within_limit(part, batch, methodology.sources[source])
        refused += refusals.values()
        kept = Counter(dict(part.admitted.group_by("extract_sha256").len().iter_rows()))
        inputs += [
            asdict(receipt) | {"rows": rows.height, "rows_admitted": kept[receipt.sha256]}
            for receipt, rows in batch
            if receipt.sha256 not in refusals
        ]
        counts.figures += part.admitted["value"].count()
        counts.batches += 1
        batches_of[source] += 1
        for name, frame in zip(Admission._fields, part, strict=True):
            (folder / "parts" / name).mkdir(parents=True, exist_ok=True)
            frame.write_parquet(folder / "parts" / name / f"{counts.batches:06}.parquet", compression=_packed(name))
    _write_refused(folder, refused, methodology.dictionary)
    _joined(folder, batches_of)
    order = {(receipt.source, receipt.sha256): position for position, receipt in enumerate(received)}
    inputs.sort(key=lambda each: order[each["source"], each["sha256"]])
    return Reading(folder, tuple(inputs), tuple(refused), len(extracts.parsed), counts.figures)


Batch = list[tuple[Receipt, pl.DataFrame]]


def _batches(
    extracts: Extracts, methodology: Methodology, received: Sequence[Receipt], refused: list[Refused]
) -> Iterator[tuple[str, Batch]]:
    """Extracts of one source each, with their rows, as many as make a batch; those that cannot be read are refused."""

    def kept(receipt: Receipt) -> bytes | Refused:
        try:
            return extracts.received_rows(methodology.sources[receipt.source], receipt)
        except Refusal as refusal:
            return Refused.by(refusal, receipt.file_name, receipt.source, receipt.sha256)

    batch: Batch = []
    rows_in = size = 0
    found = extracts.readers.side_by_side(kept, received, ahead=extracts.readers.count)
    for extract, rows in zip(received, tracked(found, READING, len(received)), strict=True):
        if isinstance(rows, Refused):
            refused.append(rows)
            continue
        if batch and (batch[0][0].source != extract.source or rows_in >= BATCH or size >= BATCH_SIZE):
            yield batch[0][0].source, batch
            batch, rows_in, size = [], 0, 0
        source = methodology.sources[extract.source]
        receipt = replace(extract, is_synthetic=extract.is_synthetic or source.synthetic)
        frame = identified(from_kept(rows), **receipt.identity)
        batch.append((receipt, frame))
        rows_in += frame.height
        size += int(frame.estimated_size())
    if batch:
        yield batch[0][0].source, batch


def _within_limit(part: Admission, batch: Batch, source: Source) -> tuple[Admission, dict[str, Refused]]:
    """A part without the extracts of which too much is wrong, and these, by digest."""
    counts = pl.DataFrame(
        [(receipt.sha256, rows.height) for receipt, rows in batch],
        schema={"extract_sha256": pl.String, "rows": pl.Int64},
        orient="row",
    )
    names = {receipt.sha256: (receipt.file_name, receipt.source) for receipt, _ in batch}
    refused = {
        sha256: Refused.by(
            Refusal("too_much_quarantined", bad=bad, rows=rows, most=source.limits.quarantined_share),
            *names[sha256],
            sha256,
        )
        for sha256, rows, bad in over_limit(part.admitted, counts, source).rows()
    }
    outside = ~pl.col("extract_sha256").is_in(list(refused))
    counted = part.quarantined.filter(outside)  # what is refused whole is not counted figure by figure
    return part._replace(admitted=part.admitted.filter(outside), quarantined=counted), refused


def _write_refused(folder: Path, refused: Sequence[Refused], dictionary: Dictionary) -> None:
    """Write what was refused whole as a part of the quarantine, a row each."""
    rows = pl.DataFrame([asdict(each) for each in refused], schema=polars_schema(dictionary, "_quarantine"))
    (folder / "parts/quarantine").mkdir(parents=True, exist_ok=True)
    rows.write_parquet(folder / "parts/quarantine/refused.parquet")


def _joined(folder: Path, batches_of: Counter[str]) -> None:
    """One file per field of `Admission`, from those of the batches; without a batch, the quarantine alone."""
    for name in Admission._fields if batches_of else ("quarantine",):
        files = sorted((folder / "parts" / name).iterdir())
        if name == "findings":
            _findings(pl.read_parquet(files), batches_of).write_parquet(folder / f"{name}.parquet")
        elif len(files) == 1:
            files[0].rename(folder / f"{name}.parquet")
        else:
            parts = pl.scan_parquet(files)
            parts.sink_parquet(folder / f"{name}.parquet", maintain_order=True, compression=_packed(name))


def _packed(name: str) -> Literal["lz4", "zstd"]:
    """How rows are packed: quickly what only this night reads, well what people get."""
    return "zstd" if name == "quarantine" else "lz4"


def _findings(found: pl.DataFrame, batches_of: Counter[str]) -> pl.DataFrame:
    """The findings once each; a correction is unused only where no batch of its source has a row for it."""
    batches = pl.col("subject").str.split(" / ").list.first().replace_strict(batches_of, default=0)
    is_unused = pl.col("check") == "correction_unused"
    counted = found.group_by(found.columns).len()
    return counted.filter(~is_unused | (pl.col("len") >= batches)).drop("len")
