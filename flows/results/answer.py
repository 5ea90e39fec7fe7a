"""An answer of a command: a frozen dataclass, from which JSON, the text of a terminal and Markdown derive."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from schemas.sentence import Sentence

if TYPE_CHECKING:
    from flows.results.page import Page

OK, HELD = 0, 3  # exit codes, beside those of schemas.errors

# How JSON has a field, where that is not as a key of its name.
FLAT = {"flat": True}  # its own keys are among those of the answer
IF_ANY = {"if_any": True}  # the key is left out where there is nothing


def key(name: str) -> dict[str, str]:
    """The field has another key in JSON."""
    return {"key": name}


class Answer(ABC):
    """What a command answers. Every answer is a frozen dataclass."""

    @property
    def exit_code(self) -> int:
        """How the command ends."""
        return OK

    def as_json(self) -> dict[str, Any]:
        """The answer as data: a key for each field."""
        data: dict[str, Any] = plain(self)
        return data

    @abstractmethod
    def show(self, page: "Page") -> None:
        """Say the answer to people."""


def plain(value: object) -> Any:
    """A value as JSON has it; sentences in English."""
    if isinstance(value, Sentence):
        return value.en
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if is_dataclass(value):
        data: dict[str, Any] = {}
        for each in fields(value):
            part = plain(getattr(value, each.name))
            if each.metadata.get("flat"):
                data |= part
            elif part is not None or not each.metadata.get("if_any"):
                data[each.metadata.get("key", each.name)] = part
        return data
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value
