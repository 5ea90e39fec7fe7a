"""A source entry to start from, made of what is in a file. What the file does not show is reported, not guessed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas.contract.dictionary import packaged_styles
from schemas.contract.number_styles import NumberStyle
from schemas.contract.refusals import Refusal
from schemas.methodology.regions import Reference
from schemas.methodology.sources import Source, plain
from schemas.sentence import LANGUAGES, Sentence
from transforms.extracts.columns import BLANKS, Column, largest_grid, largest_table
from transforms.extracts.grain import Grain, grain_of
from transforms.formats.grids import ENDINGS
from transforms.formats.numbers import without_percent

YEARS = range(1945, 2101)
YEAR_WORDS = ("tahun", "thn", "year")
ID_WORDS = ("id", "kode", "code", "no", "nomor", "number", "nik", "fid", "gid", "objectid")
MOST_CATEGORIES = 12
PER_CENT_WORDS = ("persen", "percent", "pct", "%", "turnout", "rate")
SEVERITY_WORDS = ("tingkat", "severity", "level kejadian")
DATE_WORDS = ("tanggal", "date", "waktu")
EVIDENCE_WORDS = ("bukti", "evidence", "sumber", "tautan", "alamat")
TOTALS = ("jumlah", "total", "grand total", "jumlah total", "subtotal")


class Proposal(NamedTuple):
    """An entry for sources.yml, and what its reader has to look at."""

    entry: dict[str, Any]
    remarks: tuple[Sentence, ...]


def proposed(content: bytes, file_name: str, reference: Reference) -> Proposal:
    """A source entry for a file. Regions are looked for by code, or by name down to regencies and cities.

    Raises Refusal where nothing in it looks like a table with regions and figures.
    """
    ending = next((ENDINGS[each] for each in reversed(file_name.lower().split(".")) if each in ENDINGS), None)
    if ending is None:
        raise Refusal("no_ending", endings=[f".{each}" for each in ENDINGS])
    remarks: list[Sentence] = []
    grid, dialect = largest_grid(content, ending)
    header_row, depth, columns = largest_table(grid)
    if depth > 1:
        dialect |= {"header_rows": depth}
        remarks.append(
            Sentence(
                "Judul kolom tampaknya dua baris; labelnya digabung, seperti 'Skor / 2024'.",
                "The header seems to run over two rows; labels are joined, as in 'Skor / 2024'.",
            )
        )
    if header_row:
        remarks.append(
            Sentence(
                f"{header_row} baris di atas judul kolom dilewati: judul kolom dikenali dari labelnya.",
                f"{header_row} row(s) above the header are passed over: the header is found by its labels.",
            )
        )
    grain = grain_of([column.every for column in columns], reference)
    if grain is None:
        raise Refusal("no_region_column")
    remarks += _grain_remarks(grain, columns)
    rest = [column for index, column in enumerate(columns) if index not in grain.columns]
    figures = [column for column in rest if column.is_figures]
    if not figures:
        raise Refusal("no_figure_column")
    style = _style(figures)
    if style is None:
        style = next(iter(packaged_styles()))
        examples = [each.example for each in packaged_styles().values()]
        remarks.append(
            Sentence(
                f"Tidak ada angka yang menunjukkan apakah bilangan ditulis {' atau '.join(examples)}; number_style "
                "adalah perkiraan.",
                f"No figure shows whether numbers are written {' or '.join(examples)}; number_style is a guess.",
            )
        )
    entry = {
        "title": f"Extracts like {file_name}",
        "pattern": re.sub(r"[0-9]+", "*", file_name),
        "format": ending,
        **dialect,
        **_layout(columns, grain, figures, packaged_styles()[style], remarks),
        "number_style": style,
        "region_key": grain.key,
        "region_levels": list(grain.levels[-1:] if grain.is_path else grain.levels),
        **_path(columns, grain),
        "unit": "count",
        "measure": "value",
    }
    words = {plain(text) for column in columns for text in {*column.every} - {None} if text}
    first = columns[grain.columns[0]]
    if found := [text for text in first.counts if plain(text) in TOTALS]:
        entry["totals"] = found
    entry["missing"] = [word for word in BLANKS if word in words] or ["-", "n/a"]
    if "nihil" in words:
        entry["zero"] = ["nihil"]
    entry |= {"precedence": 10, "evidence": "A"}
    remarks += [
        Sentence(
            "unit adalah perkiraan; daftar satuan ada di dictionary.yml (count, pct, share, score_100 ...).",
            "unit is a guess; the units are in dictionary.yml (count, pct, share, score_100 ...).",
        ),
        Sentence(
            "measure: value bila angka masih dijadikan skor; score bila angka sudah berupa skor.",
            "measure: value, where figures are made into scores; score, where they are finished scores.",
        ),
        Sentence(
            "items: isi dengan nama masing-masing menurut nodes.csv (source_item); hapus label yang bukan indikator.",
            "items: put what nodes.csv calls each of them (source_item); leave out labels that are not indicators.",
        ),
    ]
    try:
        Source.model_validate(entry)
    except ValidationError as error:
        raise Refusal("no_entry") from error
    return Proposal(entry, tuple(Sentence(*(" ".join(each.split()) for each in astuple(one))) for one in remarks))


def _grain_remarks(grain: Grain, columns: Sequence[Column]) -> list[Sentence]:
    """What was found about regions."""
    labels = [f"'{columns[index].label}'" for index in grain.columns]
    if grain.is_path:
        steps = " > ".join(f"{label} ({level})" for label, level in zip(labels, grain.levels, strict=True))
        observed = [
            Sentence(
                f"Wilayah disebut dengan jalur: {steps}. {grain.share:.1%} dari baris dikenali dengannya.",
                f"A region is named by a path: {steps}. {grain.share:.1%} of the rows are known so.",
            )
        ]
    else:
        observed = [
            Sentence(
                f"{grain.share:.0%} dari wilayah di {labels[0]} dikenali menurut {grain.key}.",
                f"{grain.share:.0%} of the regions in {labels[0]} are known by {grain.key}.",
            )
        ]
    if grain.share < 0.9:
        observed.append(
            Sentence(
                f"Hanya {grain.share:.0%} dari wilayah yang dikenali; periksa yang lain.",
                f"Only {grain.share:.0%} of the regions are known; look at the others.",
            )
        )
    for code in grain.own_within:
        observed.append(
            Sentence(
                f"Di bawah wilayah {code} tidak ada yang dikenal: isi tabel di sana menjadi wilayah milik sumber ini.",
                f"Nothing is known below the region {code}: what the table has there becomes regions of its own.",
            )
        )
    return observed


def _path(columns: Sequence[Column], grain: Grain) -> dict[str, Any]:
    """The entry's `region_path`, where regions are named by one."""
    if not grain.is_path:
        return {}
    path = [
        {"level": level, "name": columns[index].label}
        | ({"own_within": list(grain.own_within)} if position and grain.own_within else {})
        for position, (index, level) in enumerate(zip(grain.columns, grain.levels, strict=True))
    ]
    return {"region_path": path}


def _style(figures: Sequence[Column]) -> str | None:
    """The style that figures kept as text are written in; None where no figure shows it."""
    texts = {without_percent(cell) for column in figures for cell in column.cells if isinstance(cell, str)}
    fits = {name: sum(style.is_number(text) for text in texts) for name, style in packaged_styles().items()}
    if len(set(fits.values())) == 1:
        return None
    return max(fits, key=lambda name: fits[name])


def _layout(
    columns: Sequence[Column], grain: Grain, figures: Sequence[Column], style: NumberStyle, remarks: list[Sentence]
) -> dict[str, Any]:
    """The layout of figures in the table: an event per row, a figure per row, or a column per indicator."""
    rest = [column for index, column in enumerate(columns) if index not in grain.columns]
    roles: dict[str, Any] = {} if grain.is_path else {"region": [columns[grain.columns[0]].label]}

    def worded(words: Sequence[str]) -> list[Column]:
        return [column for column in rest if any(word in plain(column.label) for word in words)]

    severities, dates, evidence = worded(SEVERITY_WORDS), worded(DATE_WORDS), worded(EVIDENCE_WORDS)
    a_date = Sentence("tanggal", "a date")
    no_items = {each.label: why for each in figures if (why := a_date if each in dates else _no_item(each, style))}
    usable = [column for column in figures if column.label not in no_items]
    if severities and (usable or figures):
        return _events(rest, figures, usable or list(figures), (severities, dates, evidence), roles, remarks)
    if no_items:
        listed = {each: ", ".join(f"'{label}' ({why[each]})" for label, why in no_items.items()) for each in LANGUAGES}
        remarks.append(
            Sentence(
                f"Bilangan yang bukan indikator tidak dibaca: {listed['id']}.",
                f"Numbers that are no indicators are left out: {listed['en']}.",
            )
        )
    texts = [column for column in rest if column not in figures]
    references = [column for column in evidence if column in texts]
    roles |= {"reference": [references[0].label]} if references else {}
    usable = usable or list(figures)
    items = [column for column in texts if column not in references and _names_items(column, columns, grain)]
    if len(usable) == 1 and items:
        roles |= {"item": [items[0].label], "value": [usable[0].label]}
        return {"layout": "long", "columns": roles, "items": _items(items[0])}
    for column in texts:
        if column not in references and len(column.counts) <= MOST_CATEGORIES:
            words = ", ".join(list(column.counts)[:6])
            remarks.append(
                Sentence(
                    f"'{column.label}' berisi kata ({words}): kategori, bukan angka.",
                    f"'{column.label}' holds words ({words}): a category, not a figure.",
                )
            )
    units = {column.label: _unit(column, style, remarks) for column in usable}
    return {
        "layout": "wide",
        "columns": roles,
        "items": {label: {"item": _slug(label), "approach": "input", **unit} for label, unit in units.items()},
    }


def _events(
    rest: Sequence[Column],
    figures: Sequence[Column],
    usable: Sequence[Column],
    called: tuple[list[Column], list[Column], list[Column]],
    roles: dict[str, Any],
    remarks: list[Sentence],
) -> dict[str, Any]:
    """The layout of a list of events: the columns of the indicator, the count and the severity."""
    severities, dates, evidence = called
    texts = [column for column in rest if column not in figures and column not in (*severities, *dates, *evidence)]
    numbered = [column for column in figures if column not in usable and column not in dates]
    named = [column for column in figures if "indikator" in plain(column.label) or "indicator" in plain(column.label)]
    item = next(iter([*named, *numbered[-1:], *texts]), None)
    if item is None:
        raise Refusal("no_item_column")
    value = next((column for column in reversed(usable) if column is not item), usable[-1])
    roles |= {"item": [item.label], "value": [value.label], "severity": [severities[0].label]}
    roles |= {"date": [dates[0].label]} if dates else {}
    roles |= {"evidence": [evidence[0].label]} if evidence else {}
    remarks.append(
        Sentence(
            "severities: isi sebelah kanan dengan nama tingkat kejadian menurut edisinya.",
            "severities: put the edition's own names of severities on the right.",
        )
    )
    return {
        "layout": "events",
        "columns": roles,
        "severities": {word: _slug(word) for word in severities[0].counts} or {"?": "?"},
        "items": _items(item),
    }


def _no_item(column: Column, style: NumberStyle) -> Sentence | None:
    """Why a column of numbers is no indicator; None where it may be one."""
    numbers = column.numbers(style)
    if not numbers or any(number % 1 for number in numbers):
        return None
    count = sum(column.counts.values())
    if len(numbers) == count > 2 and numbers == [float(n) for n in range(1, count + 1)]:
        return Sentence("nomor baris", "it numbers the rows")
    if all(number in YEARS for number in numbers) and (column.is_called(YEAR_WORDS) or 20 * len(numbers) <= count):
        years = ", ".join(f"{number:.0f}" for number in sorted(numbers)[:6])
        return Sentence(f"tahun: {years}", f"years: {years}")
    if (
        len(numbers) == count
        and count > 2
        and (column.is_called(ID_WORDS) or (count > 50 and numbers == sorted(numbers)))
    ):
        return Sentence("setiap bilangan hanya sekali: nomor pengenal", "each number stands once: an id")
    return None


def _unit(column: Column, style: NumberStyle, remarks: list[Sentence]) -> dict[str, str]:
    """The unit of a column, where its figures show that it is no count."""
    total = sum(column.counts.values())
    if 2 * sum(count for text, count in column.counts.items() if text.rstrip().endswith("%")) > total:
        return {"unit": "pct"}
    numbers = column.numbers(style)
    if not any(number % 1 for number in numbers):
        return {}
    lowest, highest = min(numbers), max(numbers)
    observed = Sentence(
        f"'{column.label}' berisi pecahan, dari {lowest:g} sampai {highest:g}",
        f"'{column.label}' has decimals, from {lowest:g} to {highest:g}",
    )
    if column.is_called(PER_CENT_WORDS) and lowest >= 0 and highest <= 100:
        return {"unit": "pct"}
    if lowest >= 0 and highest <= 1:
        remarks.append(
            Sentence(
                f"{observed.id}: dianggap bagian (0-1); periksa apakah benar.",
                f"{observed.en}: taken as a share; see whether it is one.",
            )
        )
        return {"unit": "share"}
    if lowest >= 0 and highest <= 100:
        remarks.append(
            Sentence(
                f"{observed.id}: dianggap persen; periksa apakah benar.",
                f"{observed.en}: taken as per cent; see whether it is.",
            )
        )
        return {"unit": "pct"}
    remarks.append(
        Sentence(
            f"{observed.id}: bukan jumlah, dan tidak ada satuan yang cocok; tambahkan di units pada dictionary.yml.",
            f"{observed.en}: it is no count, and no unit fits; add one to units of dictionary.yml.",
        )
    )
    return {}


def _names_items(column: Column, columns: Sequence[Column], grain: Grain) -> bool:
    """Whether a column of words says what the figure of a row is: the rows of a region differ in it."""
    regions = list(zip(*(columns[index].every for index in grain.columns), strict=True))
    each = len(set(zip(regions, column.every, strict=True)))
    return len(set(regions)) < 0.9 * len(regions) and each > 0.9 * len(regions) and len(column.counts) > 1


def _items(column: Column) -> Mapping[str, dict[str, str]]:
    return {label: {"item": _slug(label), "approach": "input"} for label in column.counts}


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", plain(label)).strip("_") or "item"
