"""What can be wrong with what was sent: extracts refused whole, and sentences for the rows that are not admitted."""

import polars as pl

from schemas.dictionary import Dictionary


class Refusal(Exception):
    """An extract that is refused whole. Its text says what is wrong with which file, and what to do."""


class NothingToScore(Exception):
    """A night that has no figure to score. Its text says why."""


class DamagedStore(Exception):
    """Something in the store is not what was put there. Its text says what."""


class StorageError(Exception):
    """The storage does not do what it was asked. Its text says what, and never a secret; a second try may help."""


class UsageError(Exception):
    """A request that cannot be carried out as it was made. Its text says what to do instead."""


SENTENCES = ("message_id", "message_en", "action_id", "action_en")


def rule_frame(dictionary: Dictionary) -> pl.DataFrame:
    """The rules of the dictionary: `rule`, `severity`, `scope` and the four sentence templates."""
    return pl.DataFrame(
        [{"rule": name, **rule.model_dump()} for name, rule in dictionary.rules.items()],
        schema=dict.fromkeys(("rule", "severity", "scope", *SENTENCES), pl.String),
    )


def with_sentences(violations: pl.DataFrame, dictionary: Dictionary) -> pl.DataFrame:
    """Violations with the sentences of their `rule`, which `offending` and `expected` fill in."""
    return violations.join(
        rule_frame(dictionary).drop("severity", "scope"), on="rule", how="left", maintain_order="left"
    ).with_columns(
        pl.col(name)
        # What was sent goes in last: it may hold anything, a placeholder too.
        .str.replace_all("{expected}", pl.col("expected").fill_null(""), literal=True)
        .str.replace("{value}", pl.col("offending").fill_null(""), literal=True)
        for name in SENTENCES
    )


def quarantine_frame(violations: pl.DataFrame, dictionary: Dictionary) -> pl.DataFrame:
    """The table `_quarantine`: violations with their sentences filled in, sorted by its key.

    `violations` has the columns of the table without the sentences; `offending` and `expected` fill the templates.
    """
    table = dictionary.tables["_quarantine"]
    return with_sentences(violations, dictionary).select(table.columns).sort(table.key, nulls_last=True)
