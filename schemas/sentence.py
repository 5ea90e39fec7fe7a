"""Sentences for people are in both languages, side by side where they are made."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True)
class Sentence:
    """A message to people, in both languages. As text it is English: so JSON, logs and records have it."""

    id: str
    en: str

    def __str__(self) -> str:
        return self.en

    def __getitem__(self, language: Language) -> str:
        return self.id if language == "id" else self.en


def spaced(sentences: Iterable[Sentence]) -> Sentence | None:
    """Sentences one after the other; None where there is none."""
    every = list(sentences)
    return Sentence(*(" ".join(each[language] for each in every) for language in LANGUAGES)) if every else None
