"""What can be wrong with what was sent: findings, and sentences for the rows that are not admitted."""

import polars as pl

from schemas.contract.dictionary import Dictionary

# What is found about extracts: `check` names the rule of the dictionary.
FINDING = pl.Schema({"check": pl.String, "subject": pl.String, "observed": pl.String, "expected": pl.String})
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
