"""Writes docs/data-dictionary.md from the data dictionary; with --check, tells whether it is up to date."""

import sys
from pathlib import Path

from schemas.contract.dictionary import Column, Dictionary
from schemas.methodology.library import Library

PAGE = Path(__file__).with_name("data-dictionary.md")


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def domain(column: Column) -> str:
    parts = [", ".join(f"`{value}`" for value in column.values)] if column.values else []
    if column.lowest is not None:
        parts.append(f"from {column.lowest}" if column.highest is None else f"{column.lowest} to {column.highest}")
    if column.pattern:
        parts.append(f"`{column.pattern}`")
    return "; ".join(parts)


def page(dictionary: Dictionary) -> str:
    lines = [
        "# Data dictionary",
        "",
        "Generated from `methodology/dictionary.yml` by `make docs`; edit that file, not this one.",
        "",
        "Every table is flat Parquet. *Key* is the grain and the order of the rows. Columns marked † belong to the run",
        "and do not count towards the content hash. Region codes are text.",
        "",
    ]
    for name, table in (dictionary.published | dictionary.histories).items():
        lines += [f"## `{name}`", "", f"{table.title_en} ({table.title_id}).", ""]
        if table.history:
            lines += [f"Beside the snapshots, in `history/v1/<edition>/{name}.parquet`.", ""]
        lines += [f"Key: {', '.join(f'`{column}`' for column in table.key)}."]
        for column, value in table.hashed_rows.items():
            lines += ["", f"The content hash covers the rows with `{column}` = `{value}`."]
        if not table.hashed:
            lines += ["", "Lineage: not part of the content hash of a snapshot."]
        lines += [
            "",
            "| column | type | meaning | arti | domain | empty when | from |",
            "|---|---|---|---|---|---|---|",
        ]
        for column_name in table.columns:
            column = dictionary.columns[column_name]
            mark = "†" if column_name in dictionary.run_columns else ""
            cells = (
                f"`{column_name}`{mark}",
                column.type,
                column.meaning_en,
                column.meaning_id,
                domain(column),
                column.null_when or "never",
                column.source,
            )
            lines.append(f"| {' | '.join(map(cell, cells))} |")
        lines.append("")
    lines += ["## Units", "", "| unit | meaning | arti | domain | may be added up |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {cell(unit.meaning_en)} | {cell(unit.meaning_id)} | {unit.domain} | "
        f"{'yes' if unit.additive else 'no'} |"
        for name, unit in dictionary.units.items()
    ]
    lines += ["", "## Number styles", "", "| style | example | groups | decimals |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {cell(style.example)} | {cell(' '.join(f'`{mark}`' for mark in style.grouping))} | "
        f"`{cell(style.decimal_mark)}` |"
        for name, style in dictionary.number_styles.items()
    ]
    lines += ["", "## Measures of the gate", "", "| measure | meaning | arti | mart |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {cell(measure.meaning_en)} | {cell(measure.meaning_id)} | {measure.mart} |"
        for name, measure in dictionary.measures.items()
    ]
    lines += [
        "",
        "## Rules",
        "",
        "`critical` holds a release, `warning` wants a person to look, `info` explains a gap.",
        "",
    ]
    lines += ["| rule | severity | sentence | kalimat | what to do |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {rule.severity} | {cell(rule.message_en)} | {cell(rule.message_id)} | {cell(rule.action_en)} |"
        for name, rule in dictionary.rules.items()
    ]
    lines += [
        "",
        "## Refusals",
        "",
        "Why a file is refused whole, in place of single rows. `{kind}` is one of the kinds of files below.",
        "",
    ]
    lines += ["| rule | sentence | kalimat | what to do | yang perlu dilakukan |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {cell(rule.message_en)} | {cell(rule.message_id)} | {cell(rule.action_en)} | "
        f"{cell(rule.action_id)} |"
        for name, rule in dictionary.refusals.items()
    ]
    lines += ["", "## Kinds of files", "", "| kind | meaning | arti |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {cell(kind.meaning_en)} | {cell(kind.meaning_id)} |" for name, kind in dictionary.kinds.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    fresh = page(Library().dictionary)
    if "--check" not in sys.argv:
        PAGE.write_text(fresh, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != fresh:
        sys.stderr.write("docs/data-dictionary.md is out of date; run `make docs`.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
