"""The styles of an ODS: what they hide, strike out or show otherwise."""

import re
from dataclasses import dataclass, field

from transforms.formats.cells import (
    DEEPEST,
    is_true,
    local,
)
from transforms.formats.number_formats import is_plain


@dataclass
class Style:
    """What a style says: struck out, how numbers are shown, of no height or width, not displayed."""

    parent: str = ""
    data: str | None = None
    is_struck: bool | None = None
    is_flat: bool = False
    is_unseen: bool = False


@dataclass
class Styles:
    """The styles by family and name; the codes of number formats by name, and those that count on a condition."""

    named: dict[tuple[str, str], Style] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    maps: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def code(self, name: str) -> str:
        """The code of a number format, as XLSX writes it."""
        own, maps = self.codes.get(name, "General"), self.maps.get(name, [])
        others = {condition: self.codes.get(other, "General") for condition, other in maps}
        match sorted(others):
            case []:
                return own
            case [">=0"]:
                return f"{others['>=0']};{own}"
            case ["<0", ">0"]:
                return f"{others['>0']};{others['<0']};{own}"
        return ";".join(["[>=1]" + each for each in others.values()] + [own])

    def of_cell(self, name: str) -> tuple[bool, str | None]:
        """Whether the text of a cell is struck out, and the code of its format where that may mislead."""
        struck: bool | None = None
        code: str | None = None
        for _ in range(DEEPEST):
            style = self.named.get(("table-cell", name))
            if style is None:
                break
            struck = style.is_struck if struck is None else struck
            code = self.code(style.data) if code is None and style.data else code
            name = style.parent
        return bool(struck), None if code is None or is_plain(code) else code

    def flag(self, family: str, name: str | None) -> bool:
        """Whether a row or column of this style has no size, a table is not displayed, a text is struck out."""
        style = self.named.get((family, name or ""))
        return style is not None and (style.is_flat or style.is_unseen or bool(style.is_struck))


class StyleReading:
    """The part of the pass that reads styles."""

    DATES = ("day", "day-of-week", "week-of-year", "month", "quarter", "year", "era", "hours", "minutes", "seconds")

    def __init__(self, styles: Styles) -> None:
        self.styles = styles
        self.style: Style | None = None
        self.name: str | None = None  # of the number format at hand
        self.text: str | None = None

    def start(self, tag: str, facts: dict[str, str]) -> None:
        """Take note of what an element says about styles."""
        name = local(tag)
        if tag.startswith("number:") and name.endswith("-style"):
            self.name = facts.get("style:name", "")
            self.styles.codes[self.name] = ""
        elif tag.startswith("number:") and self.name is not None:
            self.styles.codes[self.name] += self.piece(name, facts)
        elif tag == "style:map" and self.name is not None:
            condition = facts.get("style:condition", "").replace("value()", "").replace(" ", "")
            self.styles.maps.setdefault(self.name, []).append((condition, facts.get("style:apply-style-name", "")))
        elif tag == "style:style":
            self.style = Style(facts.get("style:parent-style-name", ""), facts.get("style:data-style-name"))
            self.styles.named[facts.get("style:family", ""), facts.get("style:name", "")] = self.style
        elif self.style is not None:
            self.describe(self.style, tag, facts)

    def piece(self, name: str, facts: dict[str, str]) -> str:
        """What an element of a number format adds to its code."""
        match name:
            case "number":
                digits = "#" if facts.get("number:min-integer-digits") == "0" else "0"
                decimals = facts.get("number:decimal-places", "0")
                point = ".0" if digits == "#" and decimals not in ("", "0") else ""
                return digits + point + ("" if float(facts.get("number:display-factor", 1)) == 1 else ",")
            case "scientific-number":
                return "0E+0"
            case "fraction":
                return "# ?/?"
            case "text-content":
                return "@"
            case "boolean" | "am-pm":
                return "d"
            case "text" | "currency-symbol" | "fill-character" | "embedded-text":
                self.text = ""
        return "d" if name in self.DATES else ""

    def describe(self, style: Style, tag: str, facts: dict[str, str]) -> None:
        """What the properties of a style say."""
        match tag:
            case "style:text-properties":
                lines = [facts.get(f"style:text-line-through-{each}") for each in ("style", "type")]
                if any(lines):
                    style.is_struck = any(each not in (None, "none") for each in lines)
            case "style:table-row-properties" | "style:table-column-properties":
                sizes = [facts.get(each) for each in ("style:row-height", "style:column-width")]
                style.is_flat = any(each is not None and re.match(r"[0.]+(?![0-9.])", each) for each in sizes)
            case "style:table-properties":
                style.is_unseen = not is_true(facts.get("table:display", "true"))

    def data(self, written: str) -> None:
        """The letters of a number format."""
        if self.text is not None:
            self.text += written

    def end(self, tag: str) -> None:
        """The end of an element."""
        if tag == "style:style":
            self.style = None
        elif tag.startswith("number:") and self.name is not None:
            if self.text is not None:
                # A sign of per cent is one, the rest is text.
                shown = "%".join(f'"{each}"' for each in self.text.replace('"', "")[:100].split("%"))
                self.styles.codes[self.name] += shown + ("0" if local(tag) == "embedded-text" else "")
                self.text = None
            if local(tag).endswith("-style"):
                self.name = None
