"""The methodology as one thing: found in the package and in a user's folder, checked, resolved, and given a digest."""

import csv
import hashlib
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from schemas.contract.dictionary import FILE as DICTIONARY_FILE
from schemas.contract.dictionary import Dictionary, dictionary_from, extended
from schemas.errors import MethodologyError, Problem, UsageError, unknown_name
from schemas.methodology.corrections import CORRECTIONS_FILE, Correction, correction_problems, corrections_of
from schemas.methodology.coverage import coverage_problems, key_problems, lowest_level, own_levels
from schemas.methodology.edition import EDITION_FILE, NODES_FILE, Edition, nodes_of
from schemas.methodology.gate import GATE_FILE, GateRule, gate_of, gate_text
from schemas.methodology.regions import (
    ALIASES_FILE,
    CHANGES_FILE,
    CODES_FILE,
    FORMER_FILE,
    KNOWN_SINCE_FILE,
    LEVEL_WORDS_FILE,
    LOWER_FILES,
    REGIONS_FILE,
    SPELLINGS_FILE,
    Reference,
    aliases_of,
    changes_of,
    codes_of,
    former_codes,
    in_territory,
    known_since_of,
    level_words_of,
    lower_regions,
    regions_of,
    spellings_of,
)
from schemas.methodology.rules import feeding_problems, plan_problems, tree_problems
from schemas.methodology.sources import Source
from schemas.methodology.sources_file import OF_DICTIONARY, SOURCES_FILE, sources_of
from schemas.sentence import Sentence
from schemas.strict import Document, parsed, yaml_document, yaml_text

EDITIONS = "editions"
REGION_FILES = (
    REGIONS_FILE,
    *LOWER_FILES.values(),
    FORMER_FILE,
    ALIASES_FILE,
    CODES_FILE,
    CHANGES_FILE,
    SPELLINGS_FILE,
    KNOWN_SINCE_FILE,
    LEVEL_WORDS_FILE,
)


# These are about language, whatever the regions are.
OF_ALL_REGIONS = (SPELLINGS_FILE, LEVEL_WORDS_FILE)
KNOWN = (EDITIONS, SOURCES_FILE, CORRECTIONS_FILE, DICTIONARY_FILE, GATE_FILE, *REGION_FILES)


@dataclass(frozen=True)
class Methodology:
    """Everything that turns extracts into one edition's index. A pure function of its files, which `digest` names."""

    dictionary: Dictionary
    sources: Mapping[str, Source]
    corrections: tuple[Correction, ...]
    reference: Reference
    edition: Edition
    files: Mapping[str, str]
    gate: tuple[GateRule, ...] = ()

    def regions(self, own: pl.DataFrame | None = None) -> pl.DataFrame:
        """The regions of the edition's territory, of all dates; `own` are those of sources' own (code, level, name,
        parent), below the reference's.
        """
        regions = self.reference.regions
        if own is not None:
            named = own.with_columns(pl.lit("wilayah sumber").alias("kind"))
            regions = pl.concat([regions, named], how="diagonal")
        return in_territory(regions, self.edition.territory)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the resolved files, hexadecimal."""
        total = hashlib.sha256()
        for name in sorted(self.files):
            content = self.files[name].encode()
            total.update(f"{name}\0{len(content)}\0".encode() + content)
        return total.hexdigest()

    def write(self, folder: Path) -> None:
        """Write the resolved files; `Library(folder, alone=True)` reads the same methodology from them."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")


class Library:
    """The methodology files of the package, overlaid by a user's folder.

    A file of the folder replaces the package's file of the same path; sources and corrections are laid over
    those of the package entry by entry, and the folder's dictionary adds units and number styles. Everything is read
    when it is requested, and raises MethodologyError.
    """

    def __init__(self, folder: Path | None = None, *, alone: bool = False) -> None:
        """`alone` leaves the package out: the folder is whole in itself, as snapshots carry it."""
        if folder is not None and not folder.is_dir():
            raise UsageError(
                f"{folder} is not a folder; --methodology names one.",
                f"{folder} bukan folder; --methodology menunjuk sebuah folder.",
            )
        if folder is not None and not any((folder / name).exists() for name in KNOWN):
            known = ", ".join(KNOWN)
            raise UsageError(
                f"{folder} holds none of {known}; --methodology names the folder that does.",
                f"{folder} tidak memuat satu pun dari {known}; --methodology menunjuk folder yang memuatnya.",
            )
        packaged = None if alone else Path(str(files("methodology")))
        self._roots = [root for root in (folder, packaged) if root is not None]

    def _texts(self, name: str) -> list[str]:
        """The texts of a file, the user's before the package's."""
        texts = []
        for path in (root / name for root in self._roots if (root / name).is_file()):
            try:
                texts.append(path.read_text(encoding="utf-8-sig"))
            except (OSError, UnicodeDecodeError) as error:
                raise MethodologyError([Problem(name, None, f"it cannot be read as UTF-8 text: {error}.")]) from error
        return texts

    def _text(self, name: str) -> str:
        texts = self._texts(name)
        if not texts:
            raise MethodologyError([Problem(name, None, "the file is missing.")])
        return texts[0]

    @cached_property
    def dictionary(self) -> Dictionary:
        """The data dictionary."""
        return dictionary_from(self._dictionary_text)

    @cached_property
    def _dictionary_text(self) -> str:
        nearest, *packaged = [self._text(DICTIONARY_FILE), *self._texts(DICTIONARY_FILE)[1:]]
        return extended(packaged[0], nearest) if packaged else nearest

    @cached_property
    def sources(self) -> dict[str, Source]:
        """All sources by name."""
        merged: dict[str, Source] = {}
        for text in reversed(self._texts(SOURCES_FILE)):
            merged |= sources_of(yaml_document(text, SOURCES_FILE), self.dictionary)
        return merged

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        """All declared corrections."""
        merged: dict[str, tuple[Correction, Problem]] = {}
        for text in reversed(self._texts(CORRECTIONS_FILE)):
            merged |= corrections_of(yaml_document(text, CORRECTIONS_FILE))
        problems = correction_problems(merged.values(), self.sources)
        if problems:
            raise MethodologyError(problems)
        return tuple(correction for correction, _ in merged.values())

    @cached_property
    def reference(self) -> Reference:
        """The region reference."""
        return _reference_of(tuple(self._region_texts.items()))

    @cached_property
    def _region_texts(self) -> dict[str, str]:
        """The files of the region reference. They belong together: where a user's folder has regions of its own, those
        of the package do not count (but how names are spelled does).
        """
        texts = {REGIONS_FILE: self._text(REGIONS_FILE)}
        first = next(position for position, root in enumerate(self._roots) if (root / REGIONS_FILE).is_file())
        for name in REGION_FILES:
            if name in OF_ALL_REGIONS or any((root / name).is_file() for root in self._roots[: first + 1]):
                for text in self._texts(name)[:1]:
                    texts[name] = text
        return texts

    def _aliases_in(self, reference: Reference) -> dict[str, str]:
        """The file of other names without those of regions that a reference leaves out."""
        text = self._region_texts.get(ALIASES_FILE)
        left_out = set(self.reference.aliases["code"]) - set(reference.regions["code"])
        if text is None or not left_out:
            return {}
        rows = csv.DictReader(io.StringIO(text))
        kept = io.StringIO()
        writer = csv.DictWriter(kept, rows.fieldnames or (), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["code"].strip() not in left_out)
        return {ALIASES_FILE: kept.getvalue()}

    def _check_shared_files(self) -> None:
        """Raises MethodologyError with every broken rule of the files that all editions share."""
        problems: list[Problem] = []
        for load in ("dictionary", "sources", "corrections", "reference"):
            try:
                getattr(self, load)
            except MethodologyError as error:
                problems += [problem for problem in error.problems if problem not in problems]
        if problems:
            raise MethodologyError(problems)

    @cached_property
    def editions(self) -> tuple[str, ...]:
        """The names of all editions."""
        folders = [root / EDITIONS for root in self._roots if (root / EDITIONS).is_dir()]
        return tuple(sorted({path.name for folder in folders for path in folder.iterdir() if path.is_dir()}))

    @property
    def editions_to_check(self) -> tuple[str, ...]:
        """All editions; of a folder with regions of its own only its own editions, as the package's speak of others."""
        nearest = self._roots[0]
        if len(self._roots) == 1 or not (nearest / REGIONS_FILE).is_file():
            return self.editions
        return tuple(name for name in self.editions if (nearest / EDITIONS / name).is_dir())

    def must_have(self, name: str) -> None:
        """Raises UsageError where there is no edition of that name."""
        if name not in self.editions:
            raise unknown_name(Sentence("edisi", "edition"), name, self.editions)

    def _edition_data(
        self, name: str, descendants: tuple[str, ...] = ()
    ) -> tuple[Document, dict[str, Any], str, tuple[str, ...]]:
        """The document of an edition, its data laid over what it extends, and the names of its nodes.csv and of the
        tables of gate rules, the nearest last.
        """
        file = f"{EDITIONS}/{name}/{EDITION_FILE}"
        nodes_file = f"{EDITIONS}/{name}/{NODES_FILE}"
        gate_file = f"{EDITIONS}/{name}/{GATE_FILE}"
        gate_files = (gate_file,) if self._texts(gate_file) else ()
        document = yaml_document(self._text(file), file)
        if not isinstance(document.data, dict):
            raise MethodologyError([Problem(file, 1, "an edition is a list of keys and values; this is not one.")])
        data: dict[str, Any] = dict(document.data)
        base = data.pop("extends", None)
        if base is None:
            return document, data, nodes_file, (GATE_FILE, *gate_files)
        if base in (*descendants, name) or base not in self.editions:
            sentence = f"it extends '{base}', which {'extends it' if base in self.editions else 'does not exist'}."
            raise MethodologyError([Problem(file, document.line(("extends",)), sentence)])
        _, inherited, inherited_nodes, inherited_gates = self._edition_data(base, (*descendants, name))
        nodes_file = nodes_file if self._texts(nodes_file) else inherited_nodes
        return document, inherited | data, nodes_file, (*inherited_gates, *gate_files)

    def edition(self, name: str) -> Methodology:
        """The methodology of one edition, every rule checked. Raises MethodologyError with all broken rules."""
        file = f"{EDITIONS}/{name}/{EDITION_FILE}"
        self._check_shared_files()
        document, data, nodes_file, gate_files = self._edition_data(name)
        edition = parsed(Edition, document, data)
        if edition.edition != name:
            sentence = f"the folder is called '{name}', but edition.yml says '{edition.edition}'."
            raise MethodologyError([Problem(file, document.line(("edition",)), sentence)])
        nodes_text = self._text(nodes_file)
        rows = nodes_of(nodes_text, nodes_file)
        problems = tree_problems(
            rows, edition.weights, set(self.dictionary.units), edition.status == "partial", nodes_file
        )
        used = {source: self.sources[source] for source in edition.sources if source in self.sources}
        edition = edition.model_copy(update={"nodes": tuple(node for _, node in rows)})
        problems += feeding_problems(rows, used, nodes_file)
        problems += plan_problems(edition, self.sources, document)
        problems += key_problems(used, self.reference)
        own = own_levels(edition, used, self.reference)
        reference = self.reference.down_to(lowest_level(edition, used, own, self.reference))
        problems += coverage_problems(edition, own, reference, document)
        if problems:
            raise MethodologyError(problems)
        gate = gate_of([(each, self._text(each)) for each in gate_files], self.dictionary, edition)
        corrections = tuple(correction for correction in self.corrections if correction.source in used)
        resolved = {
            DICTIONARY_FILE: self._dictionary_text,
            **{name: text for name, text in self._region_texts.items() if name in reference.files},
            **self._aliases_in(reference),
            SOURCES_FILE: yaml_text({name: _plain(source, OF_DICTIONARY) for name, source in used.items()}),
            CORRECTIONS_FILE: yaml_text([_plain(correction) for correction in corrections]),
            file: yaml_text(_plain(edition)),
            f"{EDITIONS}/{name}/{NODES_FILE}": nodes_text,
            GATE_FILE: gate_text(gate),
        }
        return Methodology(self.dictionary, used, corrections, reference, edition, resolved, gate)


def _plain(model: Any, without: Collection[str] = ()) -> dict[str, Any]:
    data = model.model_dump(by_alias=True, exclude_defaults=True, exclude=set(without))

    def listed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: listed(each) for key, each in value.items()}
        return [listed(each) for each in value] if isinstance(value, (list, tuple)) else value

    plain: dict[str, Any] = listed(data)
    return plain


@lru_cache(maxsize=4)
def _reference_of(files: tuple[tuple[str, str], ...]) -> Reference:
    """The region reference of files, by name; made once for all who have the same."""
    texts = dict(files)
    regions = regions_of(texts[REGIONS_FILE])
    former = former_codes(texts.get(FORMER_FILE))
    for level, file in LOWER_FILES.items():
        if file in texts:
            regions = pl.concat([regions, lower_regions(texts[file], level, regions, former)])
    return Reference(
        regions,
        aliases_of(texts.get(ALIASES_FILE), regions),
        codes_of(texts.get(CODES_FILE), regions),
        changes_of(texts.get(CHANGES_FILE), regions),
        spellings_of(texts.get(SPELLINGS_FILE)),
        known_since_of(texts.get(KNOWN_SINCE_FILE)),
        level_words_of(texts.get(LEVEL_WORDS_FILE)),
    )
