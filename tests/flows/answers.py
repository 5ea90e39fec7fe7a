"""A sample of every answer that a command can give, filled in by the types of its fields."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

import flows.results
from flows.results.answer import Answer
from schemas.methodology.edition import Edition
from schemas.methodology.library import Library
from schemas.sentence import Sentence
from tests.conftest import EDITION

X = "x1"  # no word of either language
SENTENCE = Sentence("kalimat itu", "that sentence")
# What stands in notes and manifests.
FACTS: Mapping[str, Any] = {
    **dict.fromkeys(("snapshot_id", "edition", "as_of", "content_hash", "methodology_digest", "created"), X),
    **dict.fromkeys(("source", "file_name", "sha256", "reason", "withdrawn_at", "refused_at"), X),
    "channels": ["candidate", "stable"],
    "is_held": True,
    "is_synthetic": True,
    "withdrawn": X,
    "predecessor": {"snapshot_id": X},
    "code": {"version": X, "sha256": X},
    "inputs": [{"file_name": X, "source": X, "rows": 7, "rows_admitted": 7, "sha256": X}],
    "size": 7,
}


def answers() -> Iterator[type[Answer]]:
    """Every kind of answer."""
    for module in pkgutil.iter_modules(flows.results.__path__):
        importlib.import_module(f"flows.results.{module.name}")
    kinds = [Answer]
    for kind in kinds:
        kinds += kind.__subclasses__()
    yield from kinds[1:]


def samples(kind: Any) -> Iterator[Any]:
    """Values of a type: full ones, one for each alternative and each word of a closed list, and an empty one."""
    if kind is Edition:
        yield Library().edition(EDITION).edition
    elif kind is Sentence:
        yield SENTENCE
    elif get_origin(kind) is Literal:
        yield from get_args(kind)
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from samples(each)
    elif get_origin(kind) in (tuple, Sequence, list):
        yield tuple(samples(get_args(kind)[0]))
        yield ()
    elif get_origin(kind) in (Mapping, dict):
        value = get_args(kind)[1]
        yield FACTS if value is Any else {X: next(samples(value))}
    elif is_dataclass(kind):
        yield from _filled(kind, {each.name: get_type_hints(kind)[each.name] for each in fields(kind)})
    elif (isinstance(kind, type) and issubclass(kind, tuple)) or (
        isinstance(kind, type) and issubclass(kind, BaseModel)
    ):
        yield from _filled(kind, get_type_hints(kind))
    else:
        yield {
            str: X,
            int: 7,
            float: 7.5,
            bool: True,
            date: date(2026, 1, 31),
            datetime: datetime(2026, 1, 31),  # noqa: DTZ001 - its zone is of no account
            NoneType: None,
            Any: X,
        }[kind]
        if kind is bool:
            yield False


def _filled(kind: Any, hints: Mapping[str, Any]) -> Iterator[Any]:
    """One whose fields have their first values, then each other value of each field in turn."""
    values = {name: list(samples(hint)) for name, hint in hints.items() if not name.startswith(("_", "model_"))}
    first = {name: each[0] for name, each in values.items()}
    yield kind(**first)
    for name, each in values.items():
        for other in each[1:]:
            yield kind(**{**first, name: other})
