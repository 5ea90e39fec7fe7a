"""Errors that are sentences for people. Each kind has an exit code, and says whether a second try may help."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from schemas.sentence import Language, Sentence

FAILED, WRONG_USAGE = 1, 2  # exit codes


class KerawananError(Exception):
    """An error whose text says what is wrong, where, and what to do; never a secret.

    Its text is English. What officials meet often is in Indonesian as well; for the rest there is only English.
    """

    exit_code: ClassVar[int] = FAILED
    retry_may_help: ClassVar[bool] = False

    def __init__(self, english: str, indonesian: str = "") -> None:
        super().__init__(english)
        self.indonesian = indonesian

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The messages in the terminal, one each, in each language."""
        return (Sentence(en=str(self), id=self.indonesian or str(self)),)


class NothingToScore(KerawananError):
    """A night that has no figure to score. Its text says why."""

    exit_code = WRONG_USAGE


class UsageError(KerawananError):
    """A request that cannot be carried out as it was made. Its text says what to do instead."""

    exit_code = WRONG_USAGE


class DamagedStore(KerawananError):
    """Something in the store is not what was put there. Its text says what."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The damage, and the command that looks for more."""
        command = "'kerawanan snapshots verify'"
        return (
            Sentence(
                en=f"{self} {command} looks at the whole store.",
                id=f"{self.indonesian or self} {command} memeriksa seluruh penyimpanan.",
            ),
        )


class StorageError(KerawananError):
    """The storage does not do what was requested. Its text says what, and never a secret; a second try may help."""

    retry_may_help = True


class Problem(NamedTuple):
    """One broken rule: the file, its row or line (1-based; None where the whole file is meant) and one sentence."""

    file: str
    row: int | None
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}{f', row {self.row}' if self.row else ''}: {self.sentence}"


class MethodologyError(KerawananError):
    """A methodology that breaks its rules. `problems` holds every broken rule, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Each broken rule."""
        return tuple(Sentence(en=str(each), id=str(each)) for each in self.problems)


def sentence_of(error: BaseException) -> Sentence:
    """Why something failed, in one sentence; what is no Exception was a stop from outside."""
    what = str(error) or type(error).__name__
    if isinstance(error, KerawananError):
        return Sentence(en=what, id=error.indonesian or what)
    if isinstance(error, Exception):
        return Sentence(en=what, id=what)
    return Sentence(en=f"it was stopped ({what}).", id=f"proses dihentikan ({what}).")


def unforeseen(error: Exception) -> Sentence:
    """The sentence about an error that nobody thought of."""
    what = error or type(error).__name__
    return Sentence(en=f"something unforeseen went wrong: {what}", id=f"terjadi kesalahan yang tak terduga: {what}")


def unknown_name(kind: Sentence, name: str, known: Sequence[str]) -> UsageError:
    """The error of a name that is not known, as of an edition, with all that are."""
    every = ", ".join(known)
    return UsageError(
        f"there is no {kind['en']} '{name}'; there are: {every}.{did_you_mean(name, known)}",
        f"tidak ada {kind['id']} '{name}'; yang ada: {every}.{did_you_mean(name, known, 'id')}",
    )


def did_you_mean(name: str, known: Iterable[str], language: Language = "en") -> str:
    """A question to put behind a sentence about a name that is not known; nothing where no known one is like it."""
    from difflib import get_close_matches

    nearest = get_close_matches(name, list(known), n=1)
    question = {"en": " Did you mean", "id": " Maksudnya"}[language]
    return f"{question} '{nearest[0]}'?" if nearest else ""
