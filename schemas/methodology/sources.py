"""Sources: how the files of a sender look, what its labels mean and what its word is worth."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from schemas.contract.dictionary import packaged_styles
from schemas.contract.number_styles import NumberStyle
from schemas.strict import Strict

Approach = Literal["input", "rollup"]


RegionLevel = Literal["national", "province", "regency_city", "district", "village", "polling_station"]


Evidence = Literal["S", "R", "I", "U", "A"]


# Between the parts of a label: of a header over two rows, or of an item column and a column of figures.
JOINED = " / "


def plain(text: str) -> str:
    """A label without differences of case and spacing."""
    return " ".join(text.split()).lower()


class Item(Strict):
    """What a label of a source means: the item that nodes name in source_item, its approach, and its unit if it has one
    of its own; `lowest` and `highest` are what a plausible figure lies between, within the domain of the unit. With the
    measure `category` or `rank` it states where the item stands, in a word or a number of order, without its score.
    """

    item: str
    approach: Approach
    measure: Literal["category", "rank"] | None = None
    unit: str | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(f"the item '{self.item}' has a lowest that is not below its highest.")
        return self

    @property
    def domain(self) -> str:
        """Its bounds for people."""
        if self.lowest is None:
            return f"<= {self.highest}"
        return f">= {self.lowest}" if self.highest is None else f"{self.lowest} - {self.highest}"


class Headers(Strict):
    """What a source calls the columns we read; the first one present counts.

    `date` is the day of the row: its region is the one of that name or code on that day. `level` is a word for the
    level of its region, or for its kind (kabupaten or kota).
    """

    region: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    item: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class PathStep(Strict):
    """One step of the path by which a source names regions: the columns of its code and its name.

    A code that the region reference does not know is a region of the source's own where it lies in one of `own_within`;
    and so is a name, in a row without codes, where the reference knows no regions of the level.
    """

    level: RegionLevel
    code: str | None = None
    name: str | None = None
    own_within: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_column(self) -> Self:
        if not (self.code or self.name):
            raise ValueError("a step of region_path has a column for its code, its name, or both.")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that name it."""
        return tuple(each for each in (self.name, self.code) if each)


class Derived(Strict):
    """A column computed from others of the row, sent or derived: their sum and difference, or a flag (1 or 0).

    `all_of: [part, whole]` is 1 where all of the whole is part, and blank where the whole is zero; `any_of: column` is
    1 where there is any.
    """

    add: tuple[str, ...] = ()
    subtract: tuple[str, ...] = ()
    all_of: tuple[str, str] | None = None
    any_of: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum(map(bool, (self.add, self.all_of, self.any_of))) != 1 or (self.subtract and not self.add):
            raise ValueError("a derived column has 'add' (and 'subtract'), or 'all_of', or 'any_of'.")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is computed from."""
        return (*self.add, *self.subtract, *(self.all_of or ()), *((self.any_of,) if self.any_of else ()))


class Limits(Strict):
    """Past which an extract is refused whole: the share of its figures in quarantine, where it has at least `rows`."""

    quarantined_share: Decimal = Field(default=Decimal(1), gt=0, le=1)
    rows: int = Field(default=20, ge=1)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


# One text, or several.
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Source(Strict):
    """One entry of sources.yml. `number_styles` are all that are known, of which `number_style` names its own."""

    title: str
    pattern: str
    format: Literal["csv", "xlsx", "xls", "ods", "json", "ndjson", "parquet"]
    layout: Literal["long", "wide", "events"]
    columns: Headers
    number_styles: dict[str, NumberStyle] = Field(default_factory=packaged_styles)
    number_style: str
    region_key: str
    region_levels: tuple[RegionLevel, ...] = Field(min_length=1)
    unit: str
    measure: Literal["score", "value"]
    items: dict[str, Item] = Field(min_length=1)
    precedence: int = Field(ge=-1_000_000, le=1_000_000)
    evidence: Evidence
    separator: Literal[",", ";", "\t", "|", "detect"] | None = None
    encoding: Literal["utf-8", "utf-16", "cp1252", "detect"] | None = None
    sheet: str | None = None
    header_rows: Literal[1, 2] = 1
    totals: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    limits: Limits = Field(default_factory=Limits)
    severities: dict[str, str] = Field(default_factory=dict)
    categories: dict[str, str] = Field(default_factory=dict)
    severity: str | None = None
    synthetic: bool = False
    regions_date: date | None = None
    region_path: tuple[PathStep, ...] = ()
    bare_name: str | None = None
    levels: dict[str, str] = Field(default_factory=dict)
    derived: dict[str, Derived] = Field(default_factory=dict)
    needs: dict[str, str] = Field(default_factory=dict)
    where: dict[str, Texts] = Field(default_factory=dict)
    repeated: Literal["quarantined", "sum"] = "quarantined"

    @field_validator("number_style")
    @classmethod
    def _is_known(cls, name: str, info: ValidationInfo) -> str:
        known = info.data.get("number_styles", {})
        if name not in known:
            raise ValueError(
                f"number_style: '{name}' is not known; the dictionary has {', '.join(known)}. Add yours to "
                "number_styles of dictionary.yml."
            )
        return name

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.format == "csv" and not (self.separator and self.encoding):
            raise ValueError("a csv source declares its separator and encoding, or says 'detect'.")
        if self.format in ("xlsx", "xls", "ods") and not self.sheet:
            raise ValueError(f"an {self.format} source declares the sheet that is read, or a pattern such as '*'.")
        if self.layout == "long" and not (self.columns.item and self.columns.value):
            raise ValueError("a source of the layout long declares what it calls the item and value columns.")
        if self.layout == "events" and not (self.columns.item and self.measure == "value"):
            raise ValueError("a source of events declares what it calls the item column, and measures values.")
        if self.layout == "events" and (
            bool(self.columns.severity) != bool(self.severities) or (self.severities and self.severity)
        ):
            raise ValueError(
                "a source of events declares its severity column and severities; or it has no such column and says in "
                "severity what all its events are, or has neither: then events are counted."
            )
        if self.severity and self.layout != "events":
            raise ValueError("severity is what the events of a source are; this source has no events.")
        if self.repeated == "sum" and (self.measure != "value" or self.layout == "events"):
            raise ValueError(
                "repeated: sum adds up values (measure: value) of the same region and item; scores cannot be added, "
                "and events always are."
            )
        if bool(self.columns.region) == bool(self.region_path):
            raise ValueError("a source declares what it calls the region column, or a region_path.")
        if self.region_path and self.region_path[-1].level not in self.region_levels:
            raise ValueError("the last step of region_path is of one of the region_levels.")
        if self.levels and not self.columns.level:
            raise ValueError("levels are the words of a column; declare it as columns.level.")
        if self.bare_name and self.region_key != "name":
            raise ValueError("bare_name is for sources that name regions by name.")
        if self.region_key == "name" and any(step.code for step in self.region_path):
            raise ValueError("with the region_key name the steps of region_path have names only.")
        needed = "name" if self.region_key == "name" else "code"
        if any(getattr(step, needed) is None for step in self.region_path):
            raise ValueError(
                f"with the region_key {self.region_key} every step of region_path has a column for its {needed}."
            )
        if self.layout == "wide" and self.columns.item and not all(JOINED in label for label in self.items):
            raise ValueError(f"where a wide source has an item column, its items are written as 'item{JOINED}column'.")
        if (self.derived or self.needs) and self.layout != "wide":
            raise ValueError("derived and needs are for the layout wide, where a row has several figures.")
        if self.columns.item and self.layout == "wide" and self.header_rows == 2:
            raise ValueError("where a wide source has an item column, its header has one row.")
        stated = {item.measure for item in self.items.values()} - {None}
        if ("category" in stated) != bool(self.categories):
            raise ValueError("a source with items of the measure category declares its words for them (categories).")
        if stated and self.measure != "score":
            raise ValueError("items of the measure category or rank are for sources of finished scores.")
        if any(item.measure and item.unit for item in self.items.values()):
            raise ValueError("an item of the measure category or rank has no unit.")
        if circle := self._circle():
            raise ValueError(f"derived columns are computed from each other in a circle: {' > '.join(circle)}.")
        for name in self.needs:
            if name not in self.value_columns:
                raise ValueError(f"needs names '{name}', which is no column of the items.")
        return self

    def _circle(self) -> list[str]:
        """Derived columns each of which is computed from the next, and the last from the first; none where all can be
        computed.
        """
        done: set[str] = set()
        for start in self.derived:
            path, ahead = [start], [iter(self.derived[start].columns)]
            while ahead:
                column = next((each for each in ahead[-1] if each in self.derived and each not in done), None)
                if column is None:
                    ahead.pop()
                    done.add(path.pop())
                elif column in path:
                    return [*path[path.index(column) :], column]
                else:
                    path.append(column)
                    ahead.append(iter(self.derived[column].columns))
        return []

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns of figures of a wide layout: the labels of the items, or what stands in them after the name of
        the item column.
        """
        labels = (label.rpartition(JOINED)[2] if self.columns.item else label for label in self.items)
        return tuple(dict.fromkeys(labels))

    def unit_of(self, item: Item) -> str:
        """The unit of an item: that of its statement, its own, else the source's."""
        return item.measure or item.unit or self.unit

    @property
    def style(self) -> NumberStyle:
        """How this source writes numbers."""
        return self.number_styles[self.number_style]

    @property
    def has_severities(self) -> bool:
        """Whether it is a source of events of which the severity is known; else they are counted."""
        return self.layout == "events" and bool(self.severities or self.severity)
