"""Strict reading of methodology files: codes are text, keys are unique, and every complaint names file and row."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from schemas.errors import MethodologyError, Problem


def decimal_of(text: str) -> Decimal | None:
    """The decimal that a text stands for, None where it is none or has more digits than anything here needs."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 15 or -int(number.as_tuple().exponent) > 15:
        return None
    return number


class Strict(BaseModel):
    """Base of everything read from methodology files: unknown keys are errors, instances never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Location = tuple[str | int, ...]
DEEPEST = 100  # levels of a YAML document; libyaml dies of a hundred thousand
T = TypeVar("T")


@dataclass(frozen=True)
class Document:
    """A YAML document: its data, and the line of every value by its path."""

    file: str
    data: Any
    lines: dict[Location, int]

    def line(self, location: Location) -> int | None:
        """The line of a value, or of the nearest thing around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location)


@lru_cache(maxsize=64)
def yaml_document(text: str, file: str) -> Document:
    """Read YAML strictly.

    Unlike plain YAML, a repeated key is an error, and an unquoted number stays a Decimal with the digits as written, so
    that `11.10` where a code belongs is noticed instead of becoming 11.1.

    What it returns is shared by all who ask for the same text: nobody changes it. Raises MethodologyError with the
    line.
    """
    try:
        root = _composed(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "it cannot be read"
        row = mark.line + 1 if mark else None
        raise MethodologyError([Problem(file, row, f"this is not valid YAML: {reason}.")]) from error
    except RecursionError as error:
        raise MethodologyError([Problem(file, None, "this is nested too deeply.")]) from error
    lines: dict[Location, int] = {}
    problems: list[Problem] = []
    visited: set[int] = set()

    def value_of(node: yaml.Node | None, location: Location) -> Any:
        if node is None:
            return None
        line = node.start_mark.line + 1
        lines[location] = line
        if id(node) in visited:
            problems.append(Problem(file, line, "anchors and aliases (& and *) are not read; write the value out."))
            return None
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            mapping: dict[str, Any] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
                    problems.append(
                        Problem(file, key.start_mark.line + 1, "a key is a plain word; write the keys out.")
                    )
                    continue
                if key.value in mapping:
                    sentence = f"the key '{key.value}' stands twice; keep one."
                    problems.append(Problem(file, key.start_mark.line + 1, sentence))
                mapping[key.value] = value_of(value, (*location, key.value))
            return mapping
        if isinstance(node, yaml.SequenceNode):
            return [value_of(item, (*location, index)) for index, item in enumerate(node.value)]
        kind = node.tag.rsplit(":", 1)[-1]
        if kind in ("int", "float"):
            number = decimal_of(node.value)
            if number is None:
                sentence = f"'{node.value}' is not a plain decimal number with at most 15 digits on either side."
                problems.append(Problem(file, line, sentence))
            return number
        try:
            if kind not in ("str", "bool", "null", "timestamp"):
                raise ValueError(f"the type {node.tag} is not known")
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError, KeyError, AttributeError) as error:
            problems.append(Problem(file, line, f"'{node.value}' cannot be read: {error}."))
            return None

    data = value_of(root, ())
    if problems:
        raise MethodologyError(problems)
    return Document(file, data, lines)


def _composed(text: str) -> yaml.Node | None:
    """The nodes of a document, by libyaml, which takes a tenth of the time; what it does not read is left to the other
    loader, whose sentences are the better ones. Raises YAMLError, ValueError, and RecursionError.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise RecursionError
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return yaml.compose(text, Loader=yaml.SafeLoader)


def sentence_of(error: Any) -> str:
    """One sentence for one pydantic error."""
    where = ".".join(str(part) for part in error["loc"])
    given = error.get("input")
    kind = error["type"]
    if kind == "string_type" and isinstance(given, Decimal):
        return (
            f"{where}: {given} is an unquoted number where text is expected; write '{given}' in quotes "
            "(codes are text: 11.10 is not 11.1)."
        )
    if kind == "missing":
        return f"{where} is missing; add it."
    if kind == "extra_forbidden":
        return f"{where} is not a known key; remove it or correct its name."
    if kind == "greater_than":
        return f"{where}: {given} must be greater than {error['ctx']['gt']}."
    if kind == "literal_error":
        return f"{where}: '{given}' is not one of {error['ctx']['expected']}."
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message[0].lower()}{message[1:]} (found {given!r})." if kind != "value_error" else message


def parsed(kind: type[T], document: Document, data: Any, location: Location = ()) -> T:
    """`data`, found at `location` of the document, as a `kind`. Raises MethodologyError with one problem per error."""
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as error:
        raise MethodologyError(
            [
                Problem(document.file, document.line((*location, *item["loc"])), sentence_of(item))
                for item in error.errors()
            ]
        ) from error


def csv_rows(
    text: str, file: str, columns: Sequence[str], optional: Sequence[str] = (), *, strip: bool = True
) -> list[tuple[int, dict[str, str]]]:
    """The rows of a methodology table, each with its row number (the header is row 1), every cell as text.

    After `columns` may stand some of the `optional` ones; those that do not are blank in every row. Cells are stripped
    of spaces around them, unless these count. Raises MethodologyError where the header is another or a row has another
    number of cells.
    """
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        found = next(reader, None) or []
        absent = [name for name in optional if name not in found]
        columns = [*columns, *(name for name in optional if name in found)]
        if found != columns:
            missing = [name for name in columns if name not in found]
            unknown = [name or "(blank)" for name in found if name not in columns]
            sentence = (
                f"the header must be {','.join(columns)}, separated by commas; "
                f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}."
            )
            raise MethodologyError([Problem(file, 1, sentence)])
        rows = [(number, cells) for number, cells in enumerate(reader, start=2) if cells]
    except csv.Error as error:
        raise MethodologyError([Problem(file, reader.line_num, f"this is not a well-formed CSV: {error}.")]) from error
    ragged = [
        Problem(file, number, f"{len(cells)} cells where the header has {len(columns)}; quote cells with commas.")
        for number, cells in rows
        if len(cells) != len(columns)
    ]
    if ragged:
        raise MethodologyError(ragged)
    blank = dict.fromkeys(absent, "")
    return [
        (number, dict(zip(columns, (cell.strip() if strip else cell for cell in cells), strict=True)) | blank)
        for number, cells in rows
    ]


class _Dumper(yaml.CSafeDumper):
    """Writes decimals with the digits they were read with; libyaml takes a tenth of the time."""


_Dumper.add_representer(
    Decimal,
    lambda dumper, value: dumper.represent_scalar(
        f"tag:yaml.org,2002:{'int' if value == value.to_integral_value() else 'float'}", f"{value:f}"
    ),
)


def yaml_text(data: Any) -> str:
    """Data of models as YAML that `yaml_document` reads back to the same."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
