"""A small source and what becomes of its extracts: shared by the tests of paths, derived columns and ratios."""

import hashlib
from datetime import date
from typing import Any

from schemas.methodology.library import Library
from schemas.methodology.regions import Reference
from schemas.methodology.sources import Source
from transforms.extracts.admission import Admission, admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import Lookup, region_lookup

LIBRARY = Library()
ON = date(2022, 7, 1)
LOOKUPS: dict[Any, tuple[Reference, Lookup]] = {}
ENTRY: dict[str, Any] = {
    "title": "A small source",
    "pattern": "*",
    "format": "csv",
    "separator": ",",
    "encoding": "utf-8",
    "layout": "wide",
    "columns": {"region": ["wilayah"]},
    "number_style": "english",
    "region_key": "code",
    "region_levels": ["province"],
    "unit": "severity_sum",
    "measure": "value",
    "items": {"hasil": {"item": "hasil", "approach": "input"}},
    "missing": ["-", "n/a"],
    "zero": ["nihil"],
    "precedence": 10,
    "evidence": "A",
}


def source(**different: Any) -> Source:
    return Source.model_validate({**ENTRY, **different})


def items(*labels: str, approach: str = "input") -> dict[str, Any]:
    """Labels of a source, each of the item of the same name."""
    return {label: {"item": label, "approach": approach} for label in labels}


def looked_up(of: Source, reference: Reference, on: date) -> Lookup:
    """`region_lookup`, once for all sources that name regions alike."""
    key = (of.region_key, of.region_levels, of.region_path, of.regions_date, id(reference), on)
    if key not in LOOKUPS:
        LOOKUPS[key] = reference, region_lookup(reference, of, on)
    return LOOKUPS[key][1]


def sent(content: str | bytes, of: Source, reference: Reference, on: date = ON) -> Admission:
    """What becomes of the rows of an extract. Raises Refusal."""
    content = content.encode() if isinstance(content, str) else content
    rows = extract_rows(content, of)
    digest = hashlib.sha256(content).hexdigest()
    named = identified(rows, source="kantor", file_name="kantor.csv", extract_sha256=digest)
    found = admission(named, of, (), looked_up(of, reference, on), LIBRARY.dictionary)
    blank = found.quarantine.filter(rule="blank_item").height
    bad = found.quarantine.drop_nulls("item").select("row", "item").unique().height
    assert rows.height == found.admitted.height + bad + blank  # every row is either admitted or in quarantine
    return found


def figures(found: Admission) -> list[tuple[Any, ...]]:
    """The admitted figures in the order of the extract: region, item, value."""
    return found.admitted.sort("row", "source_item").select("region_code", "source_item", "value").rows()


def broken(found: Admission) -> list[tuple[Any, ...]]:
    """What was quarantined in the order of the extract: row, column, rule."""
    return sorted(found.quarantine.select("row", "column", "rule").rows())
