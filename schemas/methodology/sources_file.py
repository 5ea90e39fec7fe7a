"""The file of the sources: read strictly, with every rule that entries keep."""

import re
from collections import Counter

from schemas.contract.dictionary import Dictionary
from schemas.errors import MethodologyError, Problem
from schemas.methodology.sources import Source, plain
from schemas.strict import Document, parsed

SOURCES_FILE = "sources.yml"
NAME = r"[a-z0-9][a-z0-9-]{0,99}"  # of a source, and of an edition
# Fields of a source that are not its own: filled from the dictionary.
OF_DICTIONARY = ("number_styles",)


def sources_of(document: Document, dictionary: Dictionary) -> dict[str, Source]:
    """The sources of a YAML document. Raises MethodologyError."""
    entries = document.data or {}
    named = [name for name, entry in entries.items() if isinstance(entry, dict) and OF_DICTIONARY[0] in entry]
    if named:
        location = (named[0], OF_DICTIONARY[0])
        sentence = f"source {named[0]}: {OF_DICTIONARY[0]} stand in dictionary.yml; a source names one of them."
        raise MethodologyError([Problem(document.file, document.line(location), sentence)])
    # A dictionary of before there were any leaves those of the package.
    known = {OF_DICTIONARY[0]: dictionary.number_styles} if dictionary.number_styles else {}
    filled = {name: {**entry, **known} if isinstance(entry, dict) else entry for name, entry in entries.items()}
    sources = parsed(dict[str, Source], document, filled)
    problems = [
        Problem(
            document.file,
            document.line((name,)),
            f"source {name!a}: its name becomes a folder of the store, so it is written with a to z, 0 to 9 and "
            "hyphens, and begins with a letter or digit.",
        )
        for name in sources
        if not re.fullmatch(NAME, name)
    ]
    problems += [
        Problem(document.file, document.line((name, "unit")), f"source {name}: '{source.unit}' is not a known unit.")
        for name, source in sources.items()
        if source.unit not in dictionary.units
    ]
    problems += [
        Problem(
            document.file, document.line((name, "items", label)), f"source {name}: the label '{label}' stands twice."
        )
        for name, source in sources.items()
        for counts in [Counter(plain(each) for each in source.items)]
        for label in source.items
        if counts[plain(label)] > 1
    ]
    problems += [
        Problem(
            document.file, document.line((name, "items", label)), f"source {name}: '{item.unit}' is not a known unit."
        )
        for name, source in sources.items()
        for label, item in source.items.items()
        if item.unit and item.unit not in dictionary.units
    ]
    problems += [
        Problem(document.file, document.line((name, "items", label)), f"source {name}: {reason}")
        for name, source in sources.items()
        for label, item in source.items.items()
        if (reason := _unit_problem(source, label, source.unit_of(item), dictionary))
    ]
    if problems:
        raise MethodologyError(problems)
    return sources


def _unit_problem(source: Source, label: str, name: str, dictionary: Dictionary) -> str | None:
    """Why the figures of an item cannot come about as the source says, in that unit."""
    unit = dictionary.units.get(name)
    if unit is None:
        return None
    additive = ", ".join(each for each, known in dictionary.units.items() if known.additive)
    if source.repeated == "sum" and not unit.additive:
        return (
            f"figures in {name} cannot be added up, as repeated: sum says of '{label}'; of these they can: {additive}."
        )
    if source.layout == "events" and not source.has_severities and (unit.weighted or not unit.additive):
        return (
            f"its events are counted, so the unit of '{label}' cannot be {name}; declare a unit such as count, or what "
            "every event is in severity."
        )
    return None
