"""Hostile ODS workbooks."""

from collections.abc import Callable

from tests.documents import ods_of
from tests.fuzz.hostile.case import GOOD, HEADER, Hostile
from tests.fuzz.hostile.xlsx import LAUGHS, packed

MIME = "application/vnd.oasis.opendocument.spreadsheet"
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{MIME}"/></manifest:manifest>'
)
NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"),
        ("table", "table"),
        ("text", "text"),
        ("style", "style"),
        ("number", "datastyle"),
        ("fo", "xsl-fo-compatible"),
    )
)


def cell(value: object, facts: str = "", shown: str | None = None) -> str:
    """A cell of a number or a text."""
    kind = (
        'office:value-type="string"' if isinstance(value, str) else f'office:value-type="float" office:value="{value}"'
    )
    return f"<table:table-cell {kind} {facts}><text:p>{value if shown is None else shown}</text:p></table:table-cell>"


def row(values: tuple[object, ...], facts: str = "", last: str = "", shown: str | None = None) -> str:
    """A row; `last` are facts of its last cell, `shown` what that shows."""
    cells = "".join(map(cell, values[:-1])) + cell(values[-1], last, shown)
    return f"<table:table-row {facts}>{cells}</table:table-row>"


TABLE = row(HEADER) + row(GOOD)
BAD = ("Riau", "Pengaduan", 34)


def book(
    rows: str = TABLE, styles: str = "", before: str = "", facts: str = "", head: str = "", names: str = NAMES
) -> bytes:
    """A workbook of one sheet; `styles` are its automatic ones."""
    xml = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content {names} office:version="1.2">'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="Data" {facts}>{before}{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return packed([("mimetype", MIME), ("content.xml", xml), ("META-INF/manifest.xml", MANIFEST)])


def style(name: str, family: str, inner: str) -> str:
    """A style."""
    if inner.startswith(" "):
        return f'<style:style style:name="{name}" style:family="{family}"{inner}'
    return f'<style:style style:name="{name}" style:family="{family}">{inner}</style:style>'


def _cases() -> list[Hostile]:
    def refused(name: str, make: Callable[[], bytes], word: str = "") -> Hostile:
        return Hostile(name, "ods", make, refused=word)

    def kept_out(name: str, make: Callable[[], bytes], rule: str, admitted: tuple[float, ...] = (12,)) -> Hostile:
        return Hostile(name, "ods", make, rule=rule, admitted=admitted)

    repeat, down = 'table:number-columns-repeated="{}"', 'table:number-rows-repeated="{}"'
    struck = style("s", "table-cell", '<style:text-properties style:text-line-through-style="solid"/>')
    struck_text = struck.replace("table-cell", "text")
    flat = style("s", "table-row", '<style:table-row-properties style:row-height="0cm"/>')
    thin = style("s", "table-column", '<style:table-column-properties style:column-width="0in"/>')
    unseen = style("s", "table", '<style:table-properties table:display="false"/>')
    thousands = (
        '<number:number-style style:name="n"><number:number number:display-factor="1000"/></number:number-style>'
        '<style:style style:name="s" style:family="table-cell" style:data-style-name="n"/>'
    )
    worded = thousands.replace(' number:display-factor="1000"/>', "/><number:text>5</number:text>")
    nothing = (
        '<number:number-style style:name="n"></number:number-style>' + thousands.partition("</number:number-style>")[2]
    )
    fraction = nothing.replace("></number", '><number:fraction number:min-denominator-digits="1"/></number')
    used = 'table:style-name="s"'
    return [
        refused("ods texts repeated", lambda: book(TABLE + row(("x" * 5_000,), down.format(60_000))), "too"),
        refused(
            "ods texts repeated in a row",
            lambda: book(TABLE + row(("x" * 1_000_000,), "", repeat.format(16_000))),
            "too",
        ),
        refused(
            "ods per cent repeated",
            lambda: book(
                TABLE
                + "".join(
                    f"<table:table-row {down.format(9_000)}><table:table-cell {repeat.format(100)} "
                    'office:value-type="percentage" '
                    'office:value="0.5"/></table:table-row>'
                    for _ in range(200)
                )
            ),
        ),
        refused(
            "ods hidden rows repeated",
            lambda: book(TABLE + row(BAD, 'table:visibility="collapse" ' + down.format(1_000_000)) * 40),
        ),
        Hostile(
            "ods hidden rows without cells",
            "ods",
            lambda: book(TABLE + (f'<table:table-row table:visibility="collapse" {down.format(16_000)}/>' * 3_000)),
            admitted=(12,),
        ),
        refused("ods rows repeated 10^18 times", lambda: book(TABLE + row(BAD, down.format(10**18))), "too"),
        refused("ods cells repeated 10^18 times", lambda: book(TABLE + row(BAD, "", repeat.format(10**18))), "too"),
        refused("ods cells repeated less than once", lambda: book(TABLE + row(BAD, "", repeat.format(-5)))),
        refused("ods rows repeated less than once", lambda: book(TABLE + row(BAD, down.format(-5)))),
        refused("ods rows repeated by no number", lambda: book(TABLE + row(BAD, down.format("x")))),
        kept_out(
            "ods row of figures repeated", lambda: book(TABLE + row(BAD, down.format(3))), "repeated_row", (12, 34)
        ),
        kept_out("ods figure repeated", lambda: book(TABLE + row(BAD, "", repeat.format(3))), "ragged_row"),
        refused(
            "ods 10^9 spaces",
            lambda: book(TABLE + row(BAD).replace("Riau", 'Riau<text:s text:c="1000000000"/>')),
            "spaces",
        ),
        refused(
            "ods many times many spaces",
            lambda: book(TABLE + "".join(row(BAD).replace("Riau", '<text:s text:c="100000"/>') for _ in range(20_000))),
            "spaces",
        ),
        refused("ods unclosed cells", lambda: book(TABLE + "<table:table-row><table:table-cell>" * 200_000)),
        refused("ods unclosed tags", lambda: book(TABLE + "<table:table-cell " * 300_000)),
        refused("ods deep nesting", lambda: book(TABLE + "<text:p>" * 400_000 + "</text:p>" * 400_000)),
        refused(
            "ods table in a table",
            lambda: book(
                TABLE
                + (
                    f'<table:table-row><table:table-cell><table:table table:name="In">{row(BAD)}</table:table>'
                    "</table:table-cell></table:table-row>"
                )
            ),
        ),
        refused("ods laughs", lambda: book(TABLE + row(("&j;", "Pengaduan", 1)), head=LAUGHS), "document type"),
        refused(
            "ods content twice",
            lambda: packed([("mimetype", MIME), ("content.xml", ods_of("")), ("content.xml", ods_of(""))]),
            "twice",
        ),
        refused(
            "ods sheet name twice",
            lambda: ods_of(
                f'<table:table table:name="Data">{TABLE}</table:table>'
                f'<table:table table:name="Data">{row(BAD)}</table:table>'
            ),
            "two sheets",
        ),
        refused("ods names bound otherwise", lambda: book(names=NAMES.replace(":table:1.0", ":tables:1.0")), "named"),
        refused(
            "ods names under another prefix",
            lambda: book(
                TABLE + row(BAD).replace("table:", "t:"),
                names=NAMES + ' xmlns:t="urn:oasis:names:tc:opendocument:xmlns:table:1.0"',
            ),
            "named",
        ),
        refused("ods of blanks", lambda: book(TABLE + " " * 900_000_000), "too much"),
        refused(
            "ods in UTF-16",
            lambda: packed(
                [
                    ("mimetype", MIME),
                    (
                        "content.xml",
                        (f'<?xml version="1.0" encoding="UTF-16"?><office:document-content {NAMES}/>').encode("utf-16"),
                    ),
                ]
            ),
        ),
        Hostile(
            "ods comment in a figure",
            "ods",
            lambda: book(TABLE + row(("Riau", "Pengaduan", "x")).replace("<text:p>x", "<text:p>1<!-- -->2")),
            admitted=(12, 12),
        ),
        refused(
            "ods merges over each other",
            lambda: book(
                row(HEADER)
                + "".join(
                    row(
                        ("Bali", "Pengaduan", at),
                        "",
                        'table:number-rows-spanned="1000000" table:number-columns-spanned="1000"',
                    )
                    for at in range(5_000)
                )
            ),
            "merged",
        ),
        refused(
            "ods a million columns of columns",
            lambda: book(
                before=(f'<table:table-column {repeat.format(16_000)} table:visibility="collapse"/>' * 50_000)
            ),
        ),
        kept_out("ods row filtered away", lambda: book(TABLE + row(BAD, 'table:visibility="filter"')), "hidden_row"),
        kept_out(
            "ods rows of a closed group",
            lambda: book(TABLE + f'<table:table-row-group table:display="false">{row(BAD)}</table:table-row-group>'),
            "hidden_row",
        ),
        kept_out("ods row of no height", lambda: book(TABLE + row(BAD, used), flat), "hidden_row"),
        kept_out(
            "ods column hidden",
            lambda: book(
                before=(f'<table:table-column {repeat.format(2)}/><table:table-column table:visibility="collapse"/>')
            ),
            "hidden_column",
            (),
        ),
        kept_out(
            "ods columns of a closed group",
            lambda: book(
                before=(
                    '<table:table-column-group table:display=" false "><table:table-column/></table:table-column-group>'
                )
            ),
            "hidden_column",
            (),
        ),
        kept_out(
            "ods column of no width",
            lambda: book(styles=thin, before=f"<table:table-column {used}/>"),
            "hidden_column",
            (),
        ),
        kept_out("ods sheet hidden", lambda: book(styles=unseen, facts=used), "hidden_row", ()),
        kept_out("ods figure struck out", lambda: book(TABLE + row(BAD, "", used), struck), "struck_out"),
        kept_out(
            "ods figure in a struck column",
            lambda: book(
                row(HEADER) + row(GOOD),
                struck,
                '<table:table-column/><table:table-column/><table:table-column table:default-cell-style-name="s"/>',
            ),
            "struck_out",
            (),
        ),
        kept_out(
            "ods half a figure struck out",
            lambda: book(
                TABLE
                + row(("Riau", "Pengaduan", "x")).replace(
                    "<text:p>x", '<text:p><text:span text:style-name="s">12</text:span>34'
                ),
                struck_text,
            ),
            "struck_out",
        ),
        kept_out(
            "ods several values in a cell",
            lambda: book(
                TABLE + row(("Riau", "Pengaduan", "12")).replace("12</text:p>", "12</text:p><text:p>34</text:p>")
            ),
            "several_values",
        ),
        kept_out(
            "ods several lines in a cell",
            lambda: book(
                TABLE + row(("Riau", "Pengaduan", "12")).replace("12</text:p>", "12<text:line-break/>34</text:p>")
            ),
            "several_values",
        ),
        kept_out(
            "ods format in thousands", lambda: book(TABLE + row(BAD, "", used, "0"), thousands), "format_hides_value"
        ),
        kept_out(
            "ods format with a digit of text",
            lambda: book(TABLE + row(BAD, "", used, "345"), worded),
            "format_hides_value",
        ),
        kept_out("ods format of nothing", lambda: book(TABLE + row(BAD, "", used, ""), nothing), "format_hides_value"),
        kept_out(
            "ods format as a fraction", lambda: book(TABLE + row(BAD, "", used, "34"), fraction), "format_hides_value"
        ),
        kept_out(
            "ods per cent as a count", lambda: book(TABLE + row(BAD).replace('"float"', '"percentage"')), "not_a_number"
        ),
        Hostile("ods as it is", "ods", lambda: book(TABLE + row(BAD)), admitted=(12, 34)),
        Hostile(
            "ods negative zero",
            "ods",
            lambda: book(
                TABLE
                + row(("Riau", "Pengaduan", "-0.0")).replace(
                    'office:value-type="string"  ><text:p>-0.0',
                    'office:value-type="float" office:value="-0.0"><text:p>-0.0',
                )
            ),
            admitted=(0, 12),
            changes={"number_style": "english"},
        ),
        Hostile(
            "ods blank to its last row",
            "ods",
            lambda: book(
                TABLE
                + row(BAD)
                + f"<table:table-row {down.format(1_048_573)}><table:table-cell {repeat.format(16_384)}/>"
                + "</table:table-row>"
            ),
            admitted=(12, 34),
        ),
        Hostile(
            "ods hidden to its last row",
            "ods",
            lambda: book(
                TABLE
                + row(BAD)
                + f'<table:table-row table:visibility="collapse" {down.format(1_048_573)}>'
                + f"<table:table-cell {repeat.format(16_384)}/></table:table-row>"
            ),
            admitted=(12, 34),
        ),
        Hostile(
            "ods note beside a figure",
            "ods",
            lambda: book(
                TABLE
                + row(BAD).replace("<text:p>34", "<office:annotation><text:p>99</text:p></office:annotation><text:p>34")
            ),
            admitted=(12, 34),
        ),
        Hostile(
            "ods region in two lines",
            "ods",
            lambda: book(
                TABLE
                + row(("Kepulauan Riau", "Pengaduan", 34)).replace("Kepulauan Riau", "Kepulauan</text:p><text:p>Riau")
            ),
            admitted=(12, 34),
        ),
    ]


CASES = _cases()
