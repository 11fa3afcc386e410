"""A Report -> XLSX, made to be looked at: a summary with charts, every call, every lost caller."""

import errno
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from lxml.etree import SerialisationError  # type: ignore[import-untyped]
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, RegularTextRun
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

from common.files import temporary_folder
from common.labels import Labels
from common.reports.figures import HOURS_OF_A_WEEK, Report
from common.reports.tables import (
    Kind,
    Table,
    Value,
    calls_table,
    days_table,
    employees_table,
    hours_table,
    lost_table,
    notes,
    title,
    totals_list,
    week_table,
)

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
WIDTHS = {Kind.MOMENT: 20, Kind.DATE: 12, Kind.DURATION: 13, Kind.COUNT: 11, Kind.AVERAGE: 11}
MIN_TEXT_WIDTH, MAX_TEXT_WIDTH = 8, 40
FILTER_ARROW_WIDTH = 4
ROWS_MEASURED = 20_000  # to find out how wide a column must be

MAX_ROWS = 1_048_576  # of a sheet, as Excel has it
CALLS_TABLE = "Calls"
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

# The summary of a day: totals in the first two columns with the chart beside them, then employees and hours side by
# side. That of a longer time: charts beside and below.
SUMMARY_WIDTHS = (34, 13, 13, 13, 20, 19, 4, 10, 13, 13, 13)
CHART_ANCHOR = "D4"
CHART_SIZE_CM = (20, 7.4)
FIRST_TABLES_ROW = 20
FIRST_HOURS_COLUMN = 8
WEEK_CHART_ANCHOR = "A20"
WEEK_CHART_SIZE_CM = (32, 8.5)
WEEK_LABEL_EVERY = 6  # hours


def save_workbook(report: Report, labels: Labels, path: Path) -> None:
    """Write the report's workbook to `path`. Raises OSError."""
    book = Workbook(write_only=True)
    book.properties.title = title(report, labels)
    book.properties.creator = "Binotel scripts"
    try:
        summary = _sheet(book, labels["sheet summary"], DARK)
        if report.is_of_one_day:
            _fill_summary(summary, report, labels, _day_tables(summary, report, labels))
            summary.add_chart(_hours_chart(summary), CHART_ANCHOR)
        else:
            _fill_summary(summary, report, labels, [])
            _add_table_sheets(book, labels["sheet employees"], "Employees", employees_table(report, labels), labels)
            days = _add_table_sheets(book, labels["sheet days"], "Days", days_table(report, labels), labels)
            week = _add_table_sheets(book, labels["sheet week"], "Week", week_table(report, labels), labels)
            summary.add_chart(_days_chart(days, len(report.days), labels), CHART_ANCHOR)
            summary.add_chart(_week_chart(week, labels), WEEK_CHART_ANCHOR)
        _add_table_sheets(book, labels["sheet calls"], CALLS_TABLE, calls_table(report, labels), labels)
        _add_table_sheets(book, labels["sheet lost"], "Lost", lost_table(report, labels), labels)
        book.save(path)
    except SerialisationError as error:  # lxml's way to say that the disk for temporary files is full
        raise OSError(errno.ENOSPC, "No space for temporary files", str(temporary_folder())) from error


def save_list(title: str, sheet_title: str, table: Table, labels: Labels, path: Path) -> None:
    """Write a workbook that is one list to `path`. Raises OSError."""
    book = Workbook(write_only=True)
    book.properties.title = title
    book.properties.creator = "Binotel scripts"
    try:
        _add_table_sheets(book, sheet_title, "List", table, labels)
        book.save(path)
    except SerialisationError as error:
        raise OSError(errno.ENOSPC, "No space for temporary files", str(temporary_folder())) from error


def holds_calls(path: Path) -> bool:
    """Whether the workbook at `path`, one of ours, lists any call."""
    # A list without rows is no table.
    mark = f'displayName="{CALLS_TABLE}"'.encode()
    with ZipFile(path) as archive:
        return any(mark in archive.read(name) for name in archive.namelist() if name.startswith("xl/tables/"))


# --- The summary -------------------------------------------------------------


def _fill_summary(sheet: Any, report: Report, labels: Labels, tables: list[list[Any]]) -> None:
    """The heading, the totals, and the rows of small tables below them."""
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_view.showGridLines = False
    for index, width in enumerate(SUMMARY_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    rows = [
        [_cell(sheet, title(report, labels), font=_font(DARK, size=18))],
        [_cell(sheet, ". ".join(notes(report, labels)), font=_font(RED, size=12))],
        [],
    ]
    for name, value in totals_list(report, labels):
        red = value and name in (labels["lost calls"], labels["not called back"])
        rows.append([_cell(sheet, name), _value_cell(sheet, value, font=_font(RED if red else DARK, size=12))])
    rows += [[] for _ in range(FIRST_TABLES_ROW - 1 - len(rows))]
    for row in rows + tables:
        sheet.append(row)


def _day_tables(sheet: Any, report: Report, labels: Labels) -> list[list[Any]]:
    """Employees and hours, side by side."""
    employees = _summary_table(sheet, labels["by employee"], employees_table(report, labels))
    hours = _summary_table(sheet, labels["by hour"], hours_table(report, labels))
    rows = []
    for left, right in itertools.zip_longest(employees, hours):
        gap = [None] * (FIRST_HOURS_COLUMN - 1 - len(left or ()))
        rows.append([*(left or ()), *gap, *(right or ())])
    return rows


def _summary_table(sheet: Any, title: str, table: Table) -> list[list[Any]]:
    """The rows of a small table: its title, its headings, its values."""
    values = [[_value_cell(sheet, value) for value in row] for row in table.rows()]
    return [[_cell(sheet, title, font=_font(DARK, size=13))], _heading_cells(sheet, table), *values]


def _hours_chart(sheet: Any) -> BarChart:
    """Calls by hour of the day, from the summary's own table."""
    return _chart(sheet, FIRST_TABLES_ROW + 1, 24, FIRST_HOURS_COLUMN, FIRST_HOURS_COLUMN + 1, CHART_SIZE_CM)


def _days_chart(sheet: Any, days: int, labels: Labels) -> BarChart:
    chart = _chart(sheet, 1, days, 1, 3, CHART_SIZE_CM)
    chart.title = _chart_title(labels["sheet days"])
    chart.x_axis.number_format = labels.excel_short_date_format
    return chart


def _week_chart(sheet: Any, labels: Labels) -> BarChart:
    chart = _chart(sheet, 1, HOURS_OF_A_WEEK, 1, 2, WEEK_CHART_SIZE_CM)
    chart.title = _chart_title(labels["average week"])
    chart.x_axis.tickLblSkip = chart.x_axis.tickMarkSkip = WEEK_LABEL_EVERY
    return chart


def _chart(
    sheet: Any, heading_row: int, rows: int, names_column: int, counts_column: int, size_cm: tuple[float, float]
) -> BarChart:
    """Answered, lost and outgoing calls, stacked, from three columns of a table whose headings stand in a row."""
    chart = BarChart()
    chart.grouping = "stacked"
    chart.overlap = 100
    chart.gapWidth = 35
    chart.width, chart.height = size_cm  # type: ignore[assignment]
    last_row = heading_row + rows
    counts = Reference(sheet, min_col=counts_column, max_col=counts_column + 2, min_row=heading_row, max_row=last_row)
    chart.add_data(counts, titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=names_column, min_row=heading_row + 1, max_row=last_row))
    for series, colour in zip(chart.series, (GREEN, RED, GREY), strict=True):
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = colour
    chart.legend.position = "b"
    chart.x_axis.delete = chart.y_axis.delete = False  # some programs hide axes that do not say so
    chart.y_axis.number_format = "0"
    chart.y_axis.majorGridlines = ChartLines(GraphicalProperties(ln=LineProperties(solidFill="D9D9D9")))
    return chart


def _chart_title(text: str) -> Title:
    """A heading no larger than the text around the chart."""
    look = CharacterProperties(sz=1200, b=True, solidFill=DARK)
    run = RegularTextRun(rPr=look, t=text)
    return Title(tx=Text(rich=RichText(p=[Paragraph(r=[run])])), overlay=False)


# --- Sheets that are one table -----------------------------------------------


class _PhoneBookWriter(WorksheetWriter):
    """Tells Excel that numbers stored as text are meant so: else every phone number gets a green corner."""

    def write_drawings(self) -> None:
        ignored = Element("ignoredErrors")
        SubElement(ignored, "ignoredError", sqref="A1:Z1048576", numberStoredAsText="1")
        self.xf.send(ignored)
        super().write_drawings()


def _add_table_sheets(book: Workbook, title: str, name: str, table: Table, labels: Labels) -> Any:
    """Sheets that hold `table`, as Excel tables with filters under a header that stays in sight: one, or as many as it
    takes ("Calls", "Calls 2"; the tables are called `name`, `name`2 ...). Returns the first."""
    widths = _widths(table)
    rows = table.rows()
    first = _add_table_sheet(book, title, name, table, rows, widths, labels)
    part = 2
    for following in rows:
        rest = itertools.chain([following], rows)
        _add_table_sheet(book, f"{title} {part}", f"{name}{part}", table, rest, widths, labels)
        part += 1
    return first


def _add_table_sheet(
    book: Workbook,
    title: str,
    name: str,
    table: Table,
    rows: Iterator[tuple[Value, ...]],
    widths: list[int],
    labels: Labels,
) -> Any:
    """A sheet with as many of `rows` as it holds."""
    sheet = _sheet(book, title, GREY)
    for index, width in enumerate(widths, 1):
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
    for row in itertools.islice(rows, MAX_ROWS - 1):
        shown: list[Any] = list(row)
        for index, value in enumerate(row):
            if value is None or (plain[index] and not (value and (value[0] in "=#" or "_x" in value))):  # type: ignore[index, operator]
                continue
            cell = shown[index] = cells[index]
            _fill(cell, value)
        sheet.append(shown)
        count += 1
    if not count:
        return sheet  # Excel refuses a table without rows
    last_column = get_column_letter(len(table.headings))
    excel_table = ExcelTable(displayName=name, ref=f"A1:{last_column}{count + 1}")
    for index, heading in enumerate(table.headings, 1):
        excel_table.tableColumns.append(TableColumn(id=index, name=heading))
    excel_table.autoFilter = AutoFilter(ref=excel_table.ref)
    excel_table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
    sheet.tables.add(excel_table)
    marks = [labels[name] for name in ("lost", "state")]  # the column that says whether a caller waits
    for index, heading in enumerate(table.headings, 1):
        if heading in marks:
            for mark, colour in (("lost, waiting", PALE_RED), ("lost, called back", PALE_AMBER)):
                fill = PatternFill("solid", bgColor=colour)
                formula = f'${get_column_letter(index)}2="{labels[mark]}"'
                rule = FormulaRule(formula=[formula], fill=fill)  # type: ignore[no-untyped-call]
                sheet.conditional_formatting.add(f"A2:{last_column}{count + 1}", rule)
    return sheet


def _widths(table: Table) -> list[int]:
    """Column widths in characters: the heading and, within limits, the longest text fit."""
    widths = [len(heading) + FILTER_ARROW_WIDTH for heading in table.headings]
    texts = [index for index, kind in enumerate(table.kinds) if kind in (Kind.TEXT, Kind.PHONE)]
    for row in itertools.islice(table.rows(), ROWS_MEASURED):
        for index in texts:
            length = len(row[index] or "") + 2  # type: ignore[arg-type]
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
            return {"number_format": f"{labels.excel_date_format} hh:mm:ss", "alignment": CENTERED}
        case Kind.DATE:
            return {"number_format": labels.excel_date_format, "alignment": CENTERED}
        case Kind.DURATION:
            return {"number_format": DURATION_FORMAT, "alignment": CENTERED}
        case Kind.COUNT:
            return {"alignment": CENTERED}
        case Kind.AVERAGE:
            return {"number_format": "0.0", "alignment": CENTERED}


def _value_cell(sheet: Any, value: Value, **style: Any) -> Any:
    """A cell of the summary; "—" for a value that there is not."""
    if isinstance(value, str):
        return _cell(sheet, value, **style)
    number_format = "0" if isinstance(value, int) else DURATION_FORMAT
    return _cell(sheet, "—" if value is None else value, number_format=number_format, alignment=CENTERED, **style)


def _font(colour: str, size: int) -> Font:
    return Font(name=FONT_NAME, bold=True, size=size, color=colour)


def _cell(sheet: Any, value: Any, **style: Any) -> Any:
    cell = WriteOnlyCell(sheet)
    _fill(cell, value)
    for name, setting in style.items():
        setattr(cell, name, setting)
    return cell


def _fill(cell: Any, value: Any) -> None:
    """Give a cell its value; a text stays the text it is."""
    if isinstance(value, str):
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", value)  # or Excel reads _x000D_ as the end of a line
        cell.data_type = "s"  # never a formula (=1+1) or an error (#N/A)
    else:
        cell.value = value
