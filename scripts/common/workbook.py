"""A Report -> XLSX, made to be looked at: a summary with a chart, every call, every lost caller."""

import errno
import itertools
import tempfile
from pathlib import Path
from typing import Any

from lxml.etree import SerialisationError  # type: ignore[import-untyped]
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import Element, SubElement

from common.labels import Labels
from common.report import Report
from common.tables import Kind, Table, Value, calls_table, employees_table, hours_table, lost_table, totals_list

DURATION_FORMAT = "[h]:mm:ss"
TEXT_FORMAT = "@"

GREEN, RED, GREY = "2E9E6B", "D64545", "7F8FA6"
DARK = "24405C"
PALE_RED, PALE_AMBER = "FBE3E3", "FDF3DC"

FONT_NAME = "Calibri"
HEADING_FONT = Font(name=FONT_NAME, bold=True, color="FFFFFF")
CENTERED = Alignment(horizontal="center")
HEADING_FILL = PatternFill("solid", fgColor=DARK)

# Widths in characters. Texts take what they need within limits.
WIDTHS = {Kind.MOMENT: 20, Kind.DURATION: 13, Kind.COUNT: 11}
MIN_TEXT_WIDTH, MAX_TEXT_WIDTH = 8, 40
FILTER_ARROW_WIDTH = 4

# The summary: totals in the first two columns with the chart beside them, then employees and hours side by side.
SUMMARY_WIDTHS = (34, 13, 13, 13, 20, 19, 4, 10, 13, 13, 13)
CHART_ANCHOR = "D4"
CHART_WIDTH_CM, CHART_HEIGHT_CM = 20, 7.4
FIRST_TABLES_ROW = 20
FIRST_HOURS_COLUMN = 8


def save_workbook(report: Report, labels: Labels, path: Path) -> None:
    """Write the report's workbook to `path`. Raises OSError."""
    book = Workbook(write_only=True)
    book.properties.title = labels.format("title", day=labels.date(report.day))
    book.properties.creator = "Binotel scripts"
    try:
        _add_summary(book, report, labels)
        _add_table_sheet(book, labels["sheet calls"], "Calls", calls_table(report, labels), labels)
        _add_table_sheet(book, labels["sheet lost"], "Lost", lost_table(report, labels), labels)
        book.save(path)
    except SerialisationError as error:  # lxml's way to say that the disk for temporary files is full
        raise OSError(errno.ENOSPC, "No space for temporary files", tempfile.gettempdir()) from error


# --- The summary -------------------------------------------------------------


def _add_summary(book: Workbook, report: Report, labels: Labels) -> None:
    sheet = _sheet(book, labels["sheet summary"], DARK)
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_view.showGridLines = False
    for index, width in enumerate(SUMMARY_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width

    note = labels["no calls"] if not report.calls else ""
    if report.as_of:
        note = f"{labels.format('partial', time=labels.time(report.as_of))}. {note}".removesuffix(". ")
    rows = [
        [_cell(sheet, labels.format("title", day=labels.date(report.day)), font=_font(DARK, size=18))],
        [_cell(sheet, note, font=_font(RED, size=12))],
        [],
    ]
    for name, value in totals_list(report, labels):
        red = value and name in (labels["lost calls"], labels["not called back"])
        rows.append([_cell(sheet, name), _value_cell(sheet, value, font=_font(RED if red else DARK, size=12))])
    rows += [[] for _ in range(FIRST_TABLES_ROW - 1 - len(rows))]

    employees = _summary_table(sheet, labels["by employee"], employees_table(report, labels))
    hours = _summary_table(sheet, labels["by hour"], hours_table(report, labels))
    for left, right in itertools.zip_longest(employees, hours):
        gap = [None] * (FIRST_HOURS_COLUMN - 1 - len(left or ()))
        rows.append([*(left or ()), *gap, *(right or ())])
    for row in rows:
        sheet.append(row)
    sheet.add_chart(_hours_chart(sheet, FIRST_TABLES_ROW + 1, len(report.hours)), CHART_ANCHOR)


def _summary_table(sheet: Any, title: str, table: Table) -> list[list[Any]]:
    """The rows of a small table: its title, its headings, its values."""
    values = [[_value_cell(sheet, value) for value in row] for row in table.rows()]
    return [[_cell(sheet, title, font=_font(DARK, size=13))], _heading_cells(sheet, table), *values]


def _hours_chart(sheet: Any, heading_row: int, hours: int) -> BarChart:
    """Calls by hour, stacked, from the table of hours whose headings stand in `heading_row`."""
    chart = BarChart()
    chart.grouping = "stacked"
    chart.overlap = 100
    chart.gapWidth = 35
    chart.width, chart.height = CHART_WIDTH_CM, CHART_HEIGHT_CM
    last_row = heading_row + hours
    column = FIRST_HOURS_COLUMN
    counts = Reference(sheet, min_col=column + 1, max_col=column + 3, min_row=heading_row, max_row=last_row)
    chart.add_data(counts, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=column, min_row=heading_row + 1, max_row=last_row))
    for series, colour in zip(chart.series, (GREEN, RED, GREY), strict=True):
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = colour
    chart.legend.position = "b"
    chart.x_axis.delete = chart.y_axis.delete = False  # some programs hide axes that do not say so
    chart.y_axis.number_format = "0"
    chart.y_axis.majorGridlines = ChartLines(GraphicalProperties(ln=LineProperties(solidFill="D9D9D9")))
    return chart


# --- Sheets that are one table -----------------------------------------------


class _PhoneBookWriter(WorksheetWriter):
    """Tells Excel that numbers stored as text are meant so: else every phone number gets a green corner."""

    def write_drawings(self) -> None:
        ignored = Element("ignoredErrors")
        SubElement(ignored, "ignoredError", sqref="A1:Z1048576", numberStoredAsText="1")
        self.xf.send(ignored)
        super().write_drawings()


def _add_table_sheet(book: Workbook, title: str, name: str, table: Table, labels: Labels) -> None:
    """A sheet that holds `table` as an Excel table called `name`, with filters and a header that stays in sight."""
    sheet = _sheet(book, title, GREY)
    for index, width in enumerate(_widths(table), 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet._writer = _PhoneBookWriter(sheet)
    sheet._writer.write_top()

    sheet.append(_heading_cells(sheet, table))
    # One cell a column is used again and again: making one anew for each value takes most of the time.
    cells = [_cell(sheet, None, **_look(kind, labels)) for kind in table.kinds]
    count = 0
    plain = [kind is Kind.TEXT for kind in table.kinds]
    for row in table.rows():
        shown: list[Any] = list(row)
        for index, value in enumerate(row):
            if plain[index] and not (value and value[0] in "=#"):  # type: ignore[index]
                continue
            cell = shown[index] = cells[index]
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula (=1+1) or an error (#N/A)
        sheet.append(shown)
        count += 1
    if not count:
        return  # Excel refuses a table without rows
    last_column = get_column_letter(len(table.headings))
    excel_table = ExcelTable(displayName=name, ref=f"A1:{last_column}{count + 1}")
    for index, heading in enumerate(table.headings, 1):
        excel_table.tableColumns.append(TableColumn(id=index, name=heading))
    excel_table.autoFilter = AutoFilter(ref=excel_table.ref)
    excel_table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
    sheet.tables.add(excel_table)
    marks = [labels[name] for name in ("lost", "state")]  # the column that says whether a caller waits
    lost = f"${get_column_letter(next(i for i, text in enumerate(table.headings, 1) if text in marks))}2"
    for mark, colour in (("lost, waiting", PALE_RED), ("lost, called back", PALE_AMBER)):
        fill = PatternFill("solid", bgColor=colour)
        rule = FormulaRule(formula=[f'{lost}="{labels[mark]}"'], fill=fill)  # type: ignore[no-untyped-call]
        sheet.conditional_formatting.add(f"A2:{last_column}{count + 1}", rule)


def _widths(table: Table) -> list[int]:
    """Column widths in characters: the heading and, within limits, the longest text fit."""
    widths = [len(heading) + FILTER_ARROW_WIDTH for heading in table.headings]
    texts = [index for index, kind in enumerate(table.kinds) if kind in (Kind.TEXT, Kind.PHONE)]
    for row in table.rows():
        for index in texts:
            length = len(row[index]) + 2  # type: ignore[arg-type]
            if length > widths[index]:
                widths[index] = length
    return [
        max(width, WIDTHS[kind]) if kind in WIDTHS else min(max(width, MIN_TEXT_WIDTH), MAX_TEXT_WIDTH)
        for width, kind in zip(widths, table.kinds, strict=True)
    ]


# --- Sheets and cells --------------------------------------------------------


def _sheet(book: Workbook, title: str, tab_colour: str) -> Any:
    """A new sheet that prints on A4 landscape, as wide as the page."""
    sheet = book.create_sheet(title)
    sheet.sheet_properties.tabColor = tab_colour
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddHeader.left.text = f"{book.properties.title} — {title}"
    sheet.oddFooter.right.text = "&P / &N"
    return sheet


def _heading_cells(sheet: Any, table: Table) -> list[Any]:
    cells = []
    for heading, kind in zip(table.headings, table.kinds, strict=True):
        horizontal = "left" if kind in (Kind.TEXT, Kind.PHONE) else "center"
        alignment = Alignment(horizontal=horizontal, vertical="center", wrap_text=True)
        cells.append(_cell(sheet, heading, font=HEADING_FONT, fill=HEADING_FILL, alignment=alignment))
    return cells


def _look(kind: Kind, labels: Labels) -> dict[str, Any]:
    """How the cells of a column look: format and alignment."""
    match kind:
        case Kind.TEXT:
            return {}
        case Kind.PHONE:
            return {"number_format": TEXT_FORMAT}
        case Kind.MOMENT:
            return {"number_format": labels.excel_date_format, "alignment": CENTERED}
        case Kind.DURATION:
            return {"number_format": DURATION_FORMAT, "alignment": CENTERED}
        case Kind.COUNT:
            return {"alignment": CENTERED}


def _value_cell(sheet: Any, value: Value, **style: Any) -> Any:
    """A cell of the summary; "—" for a value that there is not."""
    if isinstance(value, str):
        return _cell(sheet, value, **style)
    number_format = "0" if isinstance(value, int) else DURATION_FORMAT
    return _cell(sheet, "—" if value is None else value, number_format=number_format, alignment=CENTERED, **style)


def _font(colour: str, size: int) -> Font:
    return Font(name=FONT_NAME, bold=True, size=size, color=colour)


def _cell(sheet: Any, value: Any, **style: Any) -> Any:
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"  # never a formula (=1+1) or an error (#N/A)
    for name, setting in style.items():
        setattr(cell, name, setting)
    return cell
