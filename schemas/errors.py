"""Errors that are sentences for people. Each kind has an exit code, and says whether a second try may help."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

FAILED, WRONG_USAGE = 1, 2  # exit codes


class KerawananError(Exception):
    """An error whose text says what is wrong, where, and what to do; never a secret."""

    exit_code: ClassVar[int] = FAILED
    retry_may_help: ClassVar[bool] = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is said in the terminal, one message each."""
        return (str(self),)


class Refusal(KerawananError):
    """An extract that is refused whole. Its text says what is wrong with which file, and what to do."""

    exit_code = WRONG_USAGE


class NothingToScore(KerawananError):
    """A night that has no figure to score. Its text says why."""

    exit_code = WRONG_USAGE


class UsageError(KerawananError):
    """A request that cannot be carried out as it was made. Its text says what to do instead."""

    exit_code = WRONG_USAGE


class DamagedStore(KerawananError):
    """Something in the store is not what was put there. Its text says what."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The damage, and the command that looks for more."""
        return (f"{self} 'kerawanan snapshots verify' looks at the whole store.",)


class StorageError(KerawananError):
    """The storage does not do what it was asked. Its text says what, and never a secret; a second try may help."""

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
    def sentences(self) -> tuple[str, ...]:
        """Each broken rule."""
        return tuple(map(str, self.problems))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question to put behind a sentence about a name that is not known; nothing where no known one is like it."""
    from difflib import get_close_matches

    nearest = get_close_matches(name, list(known), n=1)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""
