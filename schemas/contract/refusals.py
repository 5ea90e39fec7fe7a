"""Why an extract is refused whole: a rule of the dictionary by its name, and what it says of this one file."""

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

from schemas.contract.dictionary import Rule, packaged_dictionary
from schemas.errors import WRONG_USAGE, KerawananError
from schemas.sentence import Language, Sentence

MOST_NAMED = 40  # of a list, in one sentence
NONE = Sentence("tidak ada", "none")
OR = Sentence(" atau ", " or ")
MORE = Sentence("dan {:,} lainnya", "and {:,} more")
INDONESIAN_MARKS = str.maketrans(",.", ".,")


class Refusal(KerawananError):
    """An extract that is refused whole, by a rule of the dictionary's `refusals`.

    `part` is the sheet, or the file of an archive, that it is about. `values` fill in the sentences: texts, numbers,
    lists of texts (or of texts of which any one would do), another refusal; `kind` is one of the dictionary's `kinds`.
    """

    exit_code = WRONG_USAGE

    def __init__(self, rule: str, part: str | None = None, /, **values: Any) -> None:
        super().__init__(rule)
        self.rule, self.part, self.values = rule, part, values

    def __str__(self) -> str:
        return self.reason("en")

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The reason in each language."""
        return (Sentence(self.reason("id"), self.reason("en")),)

    @property
    def columns(self) -> dict[str, str]:
        """What is wrong and what to do, as columns of the quarantine."""
        rule = self._rule
        return {
            "message_id": self._filled(rule.message_id, "id"),
            "message_en": self._filled(rule.message_en, "en"),
            "action_id": self._filled(rule.action_id, "id"),
            "action_en": self._filled(rule.action_en, "en"),
        }

    def reason(self, language: Language) -> str:
        """What is wrong and what to do in one sentence, to put behind the name of the file."""
        rule = self._rule
        message, action = {"en": (rule.message_en, rule.action_en), "id": (rule.message_id, rule.action_id)}[language]
        parts = [message.removesuffix("."), action] if action else [message]
        sentence = self._filled("; ".join(part[:1].lower() + part[1:] for part in parts), language)
        return f"{self.part}: {sentence}" if self.part else sentence

    def within(self, part: str) -> "Refusal":
        """The same of a part of the extract."""
        return Refusal(self.rule, part, **self.values)

    def as_data(self) -> dict[str, Any]:
        """What `refusal_of` makes this refusal of again; plain data."""
        return {"rule": self.rule, "part": self.part, "values": self.values}

    @property
    def _rule(self) -> Rule:
        refusals = packaged_dictionary().refusals
        if self.rule not in refusals:
            raise LookupError(f"the dictionary has no refusal '{self.rule}'.")
        return refusals[self.rule]

    def _filled(self, template: str, language: Language) -> str:
        # What was sent may hold half of a character, which no table and no page can.
        return _Sentences(language).vformat(template, (), self.values).encode(errors="replace").decode()


def refusal_of(data: Mapping[str, Any]) -> Refusal:
    """The refusal that plain data describes."""
    return Refusal(data["rule"], data["part"], **data["values"])


class _Sentences(Formatter):
    """Fills in sentences of a language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def get_value(self, key: int | str, args: Sequence[Any], values: Mapping[str, Any]) -> Any:
        value = super().get_value(key, args, values)
        if key != "kind":
            return value
        kind = packaged_dictionary().kinds[value]
        return {"en": kind.meaning_en, "id": kind.meaning_id}[self._language]

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, Refusal):
            return value.reason(self._language)
        if isinstance(value, (list, tuple)):
            return self._listed(value, spec or ", ")
        if not spec:
            return str(value)
        text = format(value, spec)
        return text.translate(INDONESIAN_MARKS) if self._language == "id" else text

    def _listed(self, texts: Sequence[str | Sequence[str]], between: str) -> str:
        named = [each if isinstance(each, str) else OR[self._language].join(each) for each in texts[:MOST_NAMED]]
        if len(texts) <= MOST_NAMED:
            return between.join(named) or NONE[self._language]
        more = self.vformat(MORE[self._language], (len(texts) - MOST_NAMED,), {})
        return f"{between.join(named)} {more}"
