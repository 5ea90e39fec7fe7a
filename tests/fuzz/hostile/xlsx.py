"""Hostile XLSX workbooks."""

import io
import warnings
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from tests.fuzz.hostile.case import GOOD, HEADER, Hostile

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = (
    f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
)
ROOT = (
    f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>'
)
SHEET = "xl/worksheets/sheet1.xml"
Parts = Sequence[tuple[str, str | bytes]]


def cell(place: str, value: object, more: str = "") -> str:
    """A cell: a number, or text written into it."""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"{more}><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"{more}><v>{value}</v></c>'


def row(number: int, values: Sequence[object], more: str = "", style: str = "") -> str:
    """A row; `style` are further attributes of its last cell."""
    cells = [cell(f"{'ABCDEFG'[at]}{number}", each) for at, each in enumerate(values[:-1])]
    cells.append(cell(f"{'ABCDEFG'[len(values) - 1]}{number}", values[-1], style))
    return f'<row r="{number}"{more}>{"".join(cells)}</row>'


TABLE = row(1, HEADER) + row(2, GOOD)


def sheet(rows: str = TABLE, before: str = "", after: str = "") -> str:
    """The XML of a sheet."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData>{after}</worksheet>"


def workbook(sheets: str = '<sheet name="Data" sheetId="1" r:id="rId1"/>') -> str:
    """The XML of the table of sheets."""
    return f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>'


def relations(*targets: tuple[str, str]) -> str:
    """The XML of relationships from ids to parts."""
    each = "".join(f'<Relationship Id="{i}" Type="{OFFICE}/worksheet" Target="{target}"/>' for i, target in targets)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{each}</Relationships>'


def styles(code: str = "", number: int = 200, strike: str = "", dxf: str = "") -> str:
    """Styles of which the second, s="1", has a format or is struck out."""
    formats = f'<numFmts count="1"><numFmt numFmtId="{number}" formatCode={quoteattr(code)}/></numFmts>' if code else ""
    used = number if code or number < 100 else 0
    return (
        f'<styleSheet {MAIN}>{formats}<fonts count="2"><font><sz val="11"/></font><font>{strike}</font></fonts>'
        '<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="2"><xf numFmtId="0" fontId="0"/><xf numFmtId="{used}" fontId="{1 if strike else 0}" '
        f'applyNumberFormat="1" applyFont="1"/></cellXfs>{dxf}</styleSheet>'
    )


def packed(parts: Parts) -> bytes:
    """A zip archive of parts, which may have twins."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        for name, content in parts:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def book(xml: str | bytes | None = None, more: Parts = (), **replaced: str) -> bytes:
    """A workbook of one sheet; `replaced` are the parts `workbook` and `relations`."""
    parts: list[tuple[str, str | bytes]] = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", replaced.get("workbook", workbook())),
        ("xl/_rels/workbook.xml.rels", replaced.get("relations", relations(("rId1", "worksheets/sheet1.xml")))),
        (SHEET, sheet() if xml is None else xml),
    ]
    return packed([*parts, *more])


def styled(last: Sequence[object], shown: str, more: str = "") -> bytes:
    """The good row, and a row whose figure has the second style."""
    return book(sheet(TABLE + row(3, last, style=' s="1"'), after=more), [("xl/styles.xml", shown)])


def shared(strings: str, cells: str) -> bytes:
    """A workbook with shared strings."""
    return book(sheet(TABLE + cells), [("xl/sharedStrings.xml", f"<sst {MAIN}>{strings}</sst>")])


def _many_merges(count: int, area: Callable[[int], str]) -> bytes:
    merges = "".join(f'<mergeCell ref="{area(at)}"/>' for at in range(count))
    rows = "".join(row(at, ("Bali", "Pengaduan", at)) for at in range(2, 2000))
    return book(sheet(row(1, HEADER) + rows, after=f"<mergeCells>{merges}</mergeCells>"))


BAD = ("Riau", "Pengaduan", 34)
FAR = cell("XFD1048576", 1)
STRUCK = "<rPr><strike/></rPr>"
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha ha ha ha">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise("abcdefghij"))
    + "]>"
)


def _refused() -> list[Hostile]:
    made = partial(Hostile, format="xlsx")

    def of(name: str, make: Callable[[], bytes], word: str = "") -> Hostile:
        return made(name, make=make, refused=word)

    twice = workbook('<sheet name="Data" sheetId="1" r:id="rId1" s:id="rId2" xmlns:s="urn:other"/>')
    two = relations(("rId1", "worksheets/sheet1.xml"), ("rId2", "worksheets/sheet2.xml"))
    far = sheet(row(1, HEADER) + f'<row r="1048576">{FAR}</row>')
    return [
        of("xlsx unclosed cells", lambda: book(sheet(TABLE + '<c r="A1" ' * 300_000))),
        of("xlsx unclosed rows", lambda: book(sheet(TABLE + "<row " * 600_000))),
        of("xlsx unclosed values", lambda: book(sheet(TABLE + '<row r="3">' + '<c r="A3"><v>' * 200_000))),
        of("xlsx unclosed formulas", lambda: book(sheet(TABLE + '<row r="3">' + '<c r="A3" s="1"><f>' * 200_000))),
        of("xlsx deep nesting", lambda: book(sheet(TABLE + "<x>" * 400_000 + "</x>" * 400_000)), ""),
        of("xlsx nested rows", lambda: book(sheet(TABLE + '<row r="3"><row r="4">' * 9_000 + "</row></row>" * 9_000))),
        of("xlsx merges over each other", lambda: _many_merges(5_000, lambda at: f"A2:C{1_040_000 + at}"), "merged"),
        of(
            "xlsx shared string of 1 MB",
            lambda: shared(
                f"<si><t>{'x' * 1_000_000}</t></si>",
                "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(3, 20_003)),
            ),
            "too",
        ),
        of(
            "xlsx two ids of a sheet",
            lambda: book(workbook=twice, relations=two, more=[("xl/worksheets/sheet2.xml", far)]),
            "id",
        ),
        of(
            "xlsx two ids, other way round",
            lambda: book(far, workbook=twice, relations=two, more=[("xl/worksheets/sheet2.xml", sheet())]),
            "",
        ),
        of(
            "xlsx relationship id twice",
            lambda: book(
                relations=relations(("rId1", "worksheets/sheet1.xml"), ("rId1", "worksheets/sheet2.xml")),
                more=[("xl/worksheets/sheet2.xml", far)],
            ),
            "twice",
        ),
        of("xlsx part twice", lambda: book(more=[(SHEET, far)]), "twice"),
        of("xlsx part twice but for case", lambda: book(more=[("xl/worksheets/SHEET1.xml", far)]), "twice"),
        of("xlsx part twice but for slashes", lambda: book(more=[("xl\\worksheets\\sheet1.xml", far)]), "twice"),
        of(
            "xlsx sheet name twice",
            lambda: book(
                workbook=workbook(
                    '<sheet name="Data" sheetId="1" r:id="rId1"/><sheet name="Data" sheetId="2" r:id="rId2"/>'
                ),
                relations=two,
                more=[("xl/worksheets/sheet2.xml", far)],
            ),
            "two sheets",
        ),
        of(
            "xlsx sheet name twice but for case",
            lambda: book(
                workbook=workbook(
                    '<sheet name="Data" sheetId="1" r:id="rId1"/><sheet name="DATA" sheetId="2" r:id="rId2"/>'
                ),
                relations=two,
                more=[("xl/worksheets/sheet2.xml", sheet())],
            ),
            "two sheets",
        ),
        of(
            "xlsx 3,000 sheets are one",
            lambda: book(
                sheet(TABLE + "".join(row(at, GOOD) for at in range(3, 3_000))),
                workbook=workbook(
                    "".join(f'<sheet name="S{at}" sheetId="{at + 1}" r:id="rId1"/>' for at in range(3_000))
                ),
            ),
            "sheet",
        ),
        of(
            "xlsx many ids of one part",
            lambda: book(
                sheet(TABLE + "".join(row(at, GOOD) for at in range(3, 3_000))),
                workbook=workbook(
                    "".join(f'<sheet name="S{at}" sheetId="{at + 1}" r:id="r{at}"/>' for at in range(3_000))
                ),
                relations=relations(*((f"r{at}", "worksheets/sheet1.xml") for at in range(3_000))),
            ),
            "sheet",
        ),
        of(
            "xlsx two tables of sheets",
            lambda: book(
                workbook=workbook().replace(
                    "</sheets>", '</sheets><sheets><sheet name="Data" sheetId="1" r:id="rId2"/></sheets>'
                ),
                relations=two,
                more=[("xl/worksheets/sheet2.xml", far)],
            ),
        ),
        of(
            "xlsx sheet part above the archive",
            lambda: book(relations=relations(("rId1", "../../xl/worksheets/sheet1.xml"))),
        ),
        of("xlsx far cell", lambda: book(far), "too far"),
        of("xlsx far cell in a row without number", lambda: book(sheet(TABLE + f"<row>{FAR}</row>"))),
        of("xlsx cell in another row", lambda: book(sheet(TABLE + f'<row r="3">{cell("A9", 1)}</row>')), "row"),
        of(
            "xlsx laughs in the sheet",
            lambda: book(sheet().replace("<worksheet", LAUGHS + "<worksheet")),
            "document type",
        ),
        of(
            "xlsx laughs in the texts",
            lambda: book(more=[("xl/sharedStrings.xml", f"{LAUGHS}<sst {MAIN}><si><t>&j;</t></si></sst>")]),
            "document type",
        ),
        of("xlsx laughs in the table of sheets", lambda: book(workbook=LAUGHS + workbook()), "document type"),
        of("xlsx laughs in the styles", lambda: book(more=[("xl/styles.xml", LAUGHS + styles())]), "document type"),
        of("xlsx sheet of blanks", lambda: book(sheet(TABLE + " " * 900_000_000)), "too much"),
        of("xlsx shared strings of blanks", lambda: shared(f"<si><t>{' ' * 600_000_000}</t></si>", ""), "too much"),
        of(
            "xlsx a million styles",
            lambda: book(more=[("xl/styles.xml", styles().replace("</cellXfs>", "<xf/>" * 9_000_000 + "</cellXfs>"))]),
        ),
        of(
            "xlsx a million sheets",
            lambda: book(workbook=workbook('<sheet name="S" sheetId="1" r:id="rId1"/>' * 1_000_000)),
        ),
        of("xlsx in UTF-16", lambda: book(sheet().replace("UTF-8", "UTF-16").encode("utf-16"))),
        of("xlsx comment in a figure", lambda: book(sheet(TABLE.replace("<v>12", "<v>1<!-- -->2"))), "comments"),
        of("xlsx character code in a figure", lambda: book(sheet(TABLE.replace("<v>12", "<v>1&#50;"))), "comments"),
        of("xlsx figure of character codes", lambda: book(sheet(TABLE.replace("<v>12", "<v>&#49;&#50;"))), "comments"),
        of(
            "xlsx character data in a figure",
            lambda: book(sheet(TABLE.replace("<v>12", "<v><![CDATA[1]]>2"))),
            "comments",
        ),
        of("xlsx instruction in a figure", lambda: book(sheet(TABLE.replace("<v>12", "<v>1<?x y?>2"))), "comments"),
        of("xlsx element in a figure", lambda: book(sheet(TABLE.replace("<v>12", "<v>1<x/>2")))),
        of("xlsx two figures in a cell", lambda: book(sheet(TABLE.replace("<v>12", "<v>1</v><v>12")))),
        of("xlsx row twice", lambda: book(sheet(TABLE + row(2, BAD))), "row"),
        of(
            "xlsx cell twice",
            lambda: book(
                sheet(
                    TABLE.replace("</row>", cell("C2", 99) + "</row>", 2).replace(
                        cell("C2", 99) + "</row>", "</row>", 1
                    )
                )
            ),
            "row 2",
        ),
        of(
            "xlsx cells in another order",
            lambda: book(
                sheet(row(1, HEADER) + f'<row r="2">{cell("C2", 5)}{cell("A2", "Bali")}{cell("B2", "Pengaduan")}</row>')
            ),
        ),
        of(
            "xlsx two tables of rows",
            lambda: book(sheet().replace("</sheetData>", f"</sheetData><sheetData>{row(3, BAD)}</sheetData>")),
        ),
        of(
            "xlsx alternate content",
            lambda: book(
                sheet(
                    TABLE
                    + (
                        '<mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice Requires="x">'
                        + row(3, BAD)
                        + "</mc:Choice><mc:Fallback>"
                        + row(3, ("Riau", "Pengaduan", 99))
                        + "</mc:Fallback></mc:AlternateContent>"
                    )
                )
            ),
        ),
        of("xlsx macros in another case", lambda: book(more=[("xl/VBAPROJECT.BIN", b"x")]), "macros"),
        of("xlsx no closing of the sheet", lambda: book(sheet()[:-40])),
        of(
            "xlsx text that shared strings lack",
            lambda: shared("<si><t>a</t></si>", '<row r="3"><c r="A3" t="s"><v>7</v></c></row>'),
        ),
        of("xlsx far columns of merges", lambda: _many_merges(300, lambda at: f"A{at + 2}:XFD1048576"), "merged"),
    ]


def _quarantined() -> list[Hostile]:
    def of(name: str, make: Callable[[], bytes], rule: str, admitted: tuple[float, ...] = (12,)) -> Hostile:
        return Hostile(name, "xlsx", make, rule=rule, admitted=admitted)

    def rows(more: str) -> Callable[[], bytes]:
        return lambda: book(sheet(TABLE + row(3, BAD, more)))

    def columns(facts: str) -> Callable[[], bytes]:
        return lambda: book(sheet(before=f"<cols><col {facts}/></cols>"))

    def shows(code: str, figure: object = 34) -> Callable[[], bytes]:
        return lambda: styled(("Riau", "Pengaduan", figure), styles(code))

    def state(said: str) -> Callable[[], bytes]:
        return lambda: book(workbook=workbook(f'<sheet name="Data" sheetId="1" state="{said}" r:id="rId1"/>'))

    dxf = "<dxfs><dxf><font><strike/></font></dxf></dxfs>"
    rule = (
        '<conditionalFormatting sqref="C3:C9"><cfRule type="expression" dxfId="0"><formula>1</formula></cfRule>'
        "</conditionalFormatting>"
    )
    formats = {
        "in thousands": "0,",
        "in millions": '0.0,,"M"',
        "with a digit of text": '0"5"',
        "with an escaped digit": "0\\5",
        "of nothing": ";;;",
        "of text alone": '"99"',
        "with a false point": "0\\.0",
        "filled with zeros": "0*0",
        "in thousands in words": '0" ribu"',
        "as a fraction": "# ?/?",
        "twice per cent": "0%%",
        "with a false sign": '"-"0',
        "on condition": '[>=10]"7";0',
    }
    return [
        *(
            of(f"xlsx row hidden {said!r}", rows(f' hidden="{said}"'), "hidden_row")
            for said in ("1", "true", " true ", " 1&#9;", "TRUE")
        ),
        of("xlsx row of no height", rows(' ht="0" customHeight="1"'), "hidden_row"),
        of(
            "xlsx rows of no height unless said",
            lambda: book(
                sheet(
                    row(1, HEADER, ' ht="15"') + row(2, GOOD, ' ht="15"') + row(3, BAD),
                    before='<sheetFormatPr defaultRowHeight="15" zeroHeight=" true "/>',
                )
            ),
            "hidden_row",
        ),
        of(
            "xlsx rows by default of height 0",
            lambda: book(
                sheet(
                    row(1, HEADER, ' ht="15"') + row(2, GOOD, ' ht="15"') + row(3, BAD),
                    before='<sheetFormatPr defaultRowHeight="0"/>',
                )
            ),
            "hidden_row",
        ),
        of(
            "xlsx rows of a closed group",
            lambda: book(sheet(TABLE + row(3, BAD, ' outlineLevel="1"') + '<row r="4" collapsed="1"/>')),
            "hidden_row",
        ),
        of("xlsx column hidden", columns('min="3" max="3" hidden=" true "'), "hidden_column", ()),
        of("xlsx column of no width", columns('min="2" max="16384" width="0" customWidth="1"'), "hidden_column", ()),
        of(
            "xlsx column of a closed group",
            lambda: book(
                sheet(
                    before=(
                        '<cols><col min="3" max="3" outlineLevel="1"/><col min="4" max="4" collapsed="true"/></cols>'
                    )
                )
            ),
            "hidden_column",
            (),
        ),
        of("xlsx sheet very hidden", state("veryHidden"), "hidden_row", ()),
        of("xlsx sheet hidden", state("hidden"), "hidden_row", ()),
        of("xlsx figure struck out", lambda: styled(BAD, styles(strike="<strike/>")), "struck_out"),
        of(
            "xlsx figure struck out by 'true'",
            lambda: styled(BAD, styles(strike='<strike val=" true "/>')),
            "struck_out",
        ),
        of(
            "xlsx region struck out",
            lambda: book(
                sheet(TABLE + row(3, BAD).replace('<c r="A3"', '<c r="A3" s="1"')),
                [("xl/styles.xml", styles(strike="<strike/>"))],
            ),
            "struck_out",
        ),
        of(
            "xlsx half a figure struck out",
            lambda: shared(
                f"<si><r>{STRUCK}<t>12</t></r><r><t>34</t></r></si>",
                row(3, BAD).replace('<c r="C3"><v>34', '<c r="C3" t="s"><v>0'),
            ),
            "struck_out",
        ),
        of(
            "xlsx half a written figure struck out",
            lambda: book(
                sheet(
                    TABLE
                    + row(3, BAD).replace(
                        '<c r="C3"><v>34</v>',
                        f'<c r="C3" t="inlineStr"><is><r>{STRUCK}<t>12</t></r><r><t>34</t></r></is>',
                    )
                )
            ),
            "struck_out",
        ),
        of("xlsx struck out on condition", lambda: styled(BAD, styles(dxf=dxf), rule), "format_hides_value"),
        *(of(f"xlsx format {name}", shows(code), "format_hides_value") for name, code in formats.items()),
        of("xlsx format that hides zeros", shows("0;-0;;@", 0), "format_hides_value"),
        of("xlsx format that shows nothing for zero", shows("#,###", 0), "format_hides_value"),
        of("xlsx format without the sign", shows("0;0", -34), "format_hides_value"),
        of("xlsx format that hides text", shows("0;0;0;", "34"), "format_hides_value"),
        of("xlsx format that adds to text", shows('@"0"', "34"), "format_hides_value"),
        of("xlsx date as a count", lambda: styled(BAD, styles(number=14)), "not_a_number"),
        of("xlsx date in words as a count", shows("[$-421]dd mmmm yyyy", 43572), "not_a_number"),
        of(
            "xlsx zeros not shown",
            lambda: book(
                sheet(
                    TABLE + row(3, ("Riau", "Pengaduan", 0)),
                    before='<sheetViews><sheetView workbookViewId="0" showZeros=" false "/></sheetViews>',
                )
            ),
            "format_hides_value",
        ),
        of(
            "xlsx several values in a cell",
            lambda: book(sheet(TABLE + row(3, ("Riau", "Pengaduan", "12\n34")))),
            "several_values",
        ),
        of("xlsx region merged over figures", lambda: _many_merges(1, lambda _: "C2:C1048576"), "merged_value", ()),
    ]


def _harmless() -> list[Hostile]:
    def of(name: str, make: Callable[[], bytes], admitted: tuple[float, ...] = (12, 34)) -> Hostile:
        return Hostile(name, "xlsx", make, admitted=admitted)

    def shows(code: str, figure: object = 34) -> Callable[[], bytes]:
        return lambda: styled(("Riau", "Pengaduan", figure), styles(code))

    return [
        *(
            of(f"xlsx format {code}", shows(code))
            for code in (
                "#,##0",
                "#,##0.00",
                '"Rp."#,##0',
                '0" TPS"',
                "General",
                "@",
                '_(* #,##0_);_(* \\(#,##0\\);_(* "-"_);_(@_)',
                "[Red]0;[Blue]-0",
                "0.00E+00",
                "000",
                "[<=9]0;0",
                "#\\ ##0",
                '0"."',
            )
        ),
        of(
            "xlsx attribute of 40 MB",
            lambda: book(sheet(TABLE + row(3, BAD) + f'<row r="4" x="{"y" * 40_000_000}"/>')),
        ),
        of(
            "xlsx negative zero",
            lambda: book(sheet(TABLE + row(3, ("Riau", "Pengaduan", "-0")) + row(4, ("Jambi", "Pengaduan", -0.0)))),
            (0, 0, 12),
        ),
        of(
            "xlsx 60,000 merges away from the table",
            lambda: book(
                sheet(
                    TABLE + row(3, BAD),
                    after="<mergeCells>"
                    + "".join(f'<mergeCell ref="H{at}:J{at}"/>' for at in range(1, 60_001))
                    + "</mergeCells>",
                )
            ),
        ),
        of(
            "xlsx of two megabytes",  # which the parser takes in pieces
            lambda: book(sheet(TABLE + row(3, BAD) + "".join(row(at, ("", "", "", at)) for at in range(4, 30_000)))),
        ),
        of(
            "xlsx rows that are blank",
            lambda: book(sheet(TABLE + row(3, BAD) + "".join(f'<row r="{at}"/>' for at in range(4, 1_048_577)))),
        ),
    ]


CASES = [*_refused(), *_quarantined(), *_harmless()]
