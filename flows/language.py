"""The language that people read in the terminal: Indonesian or English. JSON and the log do not change with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from schemas.sentence import LANGUAGES, Language, Sentence

LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides, as everywhere in a terminal
_CURRENT: ContextVar[Language] = ContextVar("language", default="en")


def language_of(wanted: str | None = None) -> Language:
    """The language that is requested, else KERAWANAN_LANG, else that of the locale: Indonesian where it begins with
    `id`, English anywhere else.
    """
    for each in (wanted, os.environ.get("KERAWANAN_LANG")):
        for language in LANGUAGES:
            if each == language:
                return language
    locale = next((value for name in LOCALES if (value := os.environ.get(name))), "")
    return "id" if locale.startswith("id") else "en"


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Say things to people in a language meanwhile."""
    token = _CURRENT.set(language)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_language() -> Language:
    """The language of messages to people now."""
    return _CURRENT.get()


def in_words(what: Sentence | str) -> str:
    """A sentence in the language of messages now."""
    return what if isinstance(what, str) else what[_CURRENT.get()]
