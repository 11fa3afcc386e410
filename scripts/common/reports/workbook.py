"""A Report -> XLSX, made to be looked at: a summary on one screen, whom to call, every call, and the tables."""

import errno
import itertools
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

from lxml.etree import SerialisationError  # type: ignore[import-untyped]
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.chart import BarChart, Reference, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, RegularTextRun
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.formatting.rule import ColorScaleRule, DataBarRule, FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import Element, SubElement

from common.calls.call import Call
from common.files import temporary_folder
from common.labels import Labels
from common.reports.figures import Report
from common.reports.tables import (
    MAX_LINKED,
    Kind,
    Link,
    Table,
    Tile,
    Value,
    ages_table,
    calls_table,
    employees_table,
    figures_list,
    footnote,
    groups_table,
    hours_table,
    notes,
    our_numbers_table,
    sentence,
    shortened,
    sources_table,
    spans_table,
    spells_table,
    tiles,
    title,
    top_callers_table,
)

DURATION_FORMAT = "[h]:mm:ss"
TEXT_FORMAT = "@"

# Lost and answered calls are told apart also by the colour-blind and in grey print: a test measures it.
LOST, ANSWERED = "6E0F1C", "3F93C4"
GOOD, BAD, GREY, LINK = "1E7B4F", "B3261E", "5D6D7E", "1A5FB4"
DARK, PALE = "24405C", "EEF3F8"
PALE_RED, PALE_AMBER = "FBE3E3", "FDF3DC"
BAR, BAR_LOST = "9CC9E3", "E3A9AF"

FONT_NAME = "Calibri"
HEADING_FONT = Font(name=FONT_NAME, bold=True, size=11, color="FFFFFF")
LINK_FONT = Font(name=FONT_NAME, size=11, color=LINK, underline="single")
CENTERED = Alignment(horizontal="center")
HEADING_FILL = PatternFill("solid", fgColor=DARK)

# Widths in characters. Texts take what they need within limits.
WIDTHS = {Kind.MOMENT: 20, Kind.TIME: 12, Kind.DATE: 17, Kind.DURATION: 13, Kind.COUNT: 11, Kind.PERCENT: 11}
MIN_TEXT_WIDTH, MAX_TEXT_WIDTH = 8, 34
FILTER_ARROW_WIDTH = 3.5
WIDTH_OF_BOLD = 1.2  # letter
ROWS_MEASURED = 5_000  # to find out how wide a column must be

LEFT_KINDS = (Kind.TEXT, Kind.LINES, Kind.PHONE, Kind.LINK)

MAX_ROWS = 1_048_576  # of a sheet, as Excel has it
CALLS_TABLE = "Calls"
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

# The summary: what is to be done on the left, what happened on the right.
SUMMARY_WIDTHS = (22, 16, 20, 13, 13, 15, 18, 2, 22, 11.5, 12.5, 12, 12)
LEFT, RIGHT = 1, 9  # columns
TILES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 6))  # columns, from and to: a phone shows the first three
FIRST_BLOCK_ROW = 8
ROWS_OF_BLOCK = 10
CHART_ROWS, ROW_CM, CHART_WIDTH_CM = 14, 0.53, 13.7
EMU_OF_CM = 360_000
ROW_POINTS, HOW_WIDTHS = 16, (38, 24, 95)
MOST_SHRUNK = 1.2  # times the width that a text may need: it is shown smaller, and still can be read


def save_workbook(report: Report, labels: Labels, path: Path, recording: Callable[[Call], str] = lambda _: "") -> None:
    """Write the report's workbook to `path`. `recording`: see calls_table(). Raises OSError."""
    book = _book(title(report, labels), labels)
    try:
        summary = _sheet(book, labels["sheet summary"], DARK)
        if report.count:
            chart = _add_sheets(book, report, labels, recording)
            _fill_summary(summary, report, labels, chart)
        else:
            _fill_summary(summary, report, labels, None)
        book.save(path)
    except SerialisationError as error:  # lxml's way to say that the disk for temporary files is full
        raise OSError(errno.ENOSPC, "No space for temporary files", str(temporary_folder())) from error


def _book(title: str, labels: Labels) -> Workbook:
    book = Workbook(write_only=True)
    book.properties.title = title
    book.properties.creator = "Binotel scripts"
    book.properties.language = labels.language
    return book


def _add_sheets(book: Workbook, report: Report, labels: Labels, recording: Callable[[Call], str]) -> BarChart | None:
    """Every sheet after the summary. Gives the summary's chart, which shows what is on one of them."""

    def add(name: str, table_name: str, table: Table, colour: str = GREY) -> Any:
        return _add_table_sheets(book, labels[name], table_name, table, labels, colour)

    knows_incoming = report.selection.knows_incoming
    if report.spells:
        add("sheet to call", "ToCall", spells_table(report, labels), LOST)
    with_links = report.count <= MAX_LINKED
    known = recording if with_links else lambda _: ""
    add("sheet calls", CALLS_TABLE, calls_table(report, labels, known, with_links=with_links), ANSWERED)
    if report.employees:
        add("sheet employees", "Employees", employees_table(report, labels))
    if report.our_numbers and knows_incoming:
        add("sheet our numbers", "OurNumbers", our_numbers_table(report, labels))
    if report.groups:
        add("sheet groups", "Groups", groups_table(report, labels))
    if report.sources:
        add("sheet sources", "Sources", sources_table(report, labels))
    if report.is_of_one_day:
        span, table, sheet_name = "hour", hours_table(report, labels), "by hour sheet"
    else:
        span, table = spans_table(report, labels)
        sheet_name = f"sheet {span}s"
    sheet = add(sheet_name, "Times", table)
    if knows_incoming and not report.is_of_one_day:
        _add_week_sheet(book, report, labels)
    _add_how_sheet(book, report, labels)
    if not (report.totals.answered or report.totals.lost):
        return None
    shown = [place for place, row in enumerate(table.rows(), 2) if span != "hour" or row[1] or row[2]]  # no empty night
    return _chart(sheet, table.kinds[0], shown[0], shown[-1], labels[f"by {span}"], labels)


def save_list(title: str, sheet_title: str, table: Table, labels: Labels, path: Path) -> None:
    """Write a workbook that is one list to `path`. Raises OSError."""
    book = _book(title, labels)
    try:
        _add_table_sheets(book, sheet_title, "List", table, labels, ANSWERED)
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


class _Block(NamedTuple):
    """A small table of the summary.

    columns: the headings of those that are shown, as far as the table has them
    bars:    the colours of bars in columns, by heading
    rest:    the sheet on which the rest is
    total:   of all rows
    """

    heading: str
    table: Table
    columns: tuple[str, ...]
    bars: dict[str, str]
    rest: str
    total: int


class _Page:
    """Cells that are put anywhere, and written row by row."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self._rows: dict[int, dict[int, Any]] = {}

    def put(self, row: int, column: int, value: Any, **style: Any) -> None:
        self._rows.setdefault(row, {})[column] = _cell(self.sheet, value, **style)

    def merge(self, row: int, first: int, last: int) -> None:
        if last > first:
            self.sheet.merged_cells.add(f"{get_column_letter(first)}{row}:{get_column_letter(last)}{row}")

    def write(self) -> int:
        """The last row."""
        last = max(self._rows)
        for number in range(1, last + 1):
            cells = self._rows.get(number, {})
            self.sheet.append([cells.get(column) for column in range(1, max(cells, default=0) + 1)])
        return last


def _fill_summary(sheet: Any, report: Report, labels: Labels, chart: BarChart | None) -> None:
    """The sentence, the tiles, and below them, side by side, what is to be done and what happened."""
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_view.showGridLines = False
    for index, width in enumerate(SUMMARY_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    for row, height in ((1, 27), (2, 40), (5, 33), (7, 22)):
        sheet.row_dimensions[row].height = height
    page = _Page(sheet)
    page.put(1, LEFT, title(report, labels), font=_font(DARK, size=18))
    wrapped = Alignment(wrap_text=True, vertical="center")
    page.put(2, LEFT, sentence(report, labels), font=_font(DARK, size=14), alignment=wrapped)
    page.merge(2, LEFT, RIGHT - 2)
    if known := ". ".join(notes(report, labels)):
        page.put(3, LEFT, known, font=_font(BAD, size=11), alignment=wrapped)
        page.merge(3, LEFT, len(SUMMARY_WIDTHS))
        sheet.row_dimensions[3].height = 2 * ROW_POINTS
    if report.count:
        for tile, (first, last) in zip(tiles(report, labels), TILES, strict=False):
            _put_tile(page, tile, first, last)
        note = Font(name=FONT_NAME, size=9, color=GREY)
        page.put(7, LEFT, footnote(report, labels), font=note, alignment=Alignment(vertical="top"))
        _put_blocks(page, report, labels, chart)
    _write_top(sheet)
    last_row = page.write()
    sheet.print_area = f"A1:{get_column_letter(len(SUMMARY_WIDTHS))}{last_row + 1}"


def _put_tile(page: _Page, tile: Tile, first: int, last: int) -> None:
    fill = PatternFill("solid", fgColor=PALE)
    colour = {None: GREY, True: GOOD, False: BAD}[tile.is_good]
    lines = (
        (4, tile.name, Font(name=FONT_NAME, size=10, color=GREY)),
        (5, tile.value, _font(DARK, size=24)),
        (6, tile.change, _font(colour, size=10)),
    )
    for row, text, font in lines:
        for column in range(first, last + 1):
            value = text if column == first else None
            page.put(
                row, column, value, font=font, fill=fill, alignment=Alignment("center", "center", shrink_to_fit=True)
            )
        page.merge(row, first, last)


def _put_blocks(page: _Page, report: Report, labels: Labels, chart: BarChart | None) -> None:
    """What is on the left and what is on the right, each pair beginning in one row."""
    row = FIRST_BLOCK_ROW
    left, right = _left_blocks(report, labels), _right_blocks(report, labels)
    if chart:
        description = f"{sentence(report, labels)} {labels['chart']}"
        chart.anchor = _DescribedAnchor(row, RIGHT, description)  # type: ignore[assignment]
        page.sheet.add_chart(chart)
        below = _put_block(page, row, LEFT, left.pop(0), labels) if left else row
        row = max(below, row + CHART_ROWS + 1)
    for pair in itertools.zip_longest(left, right):
        below = row
        for block, column in zip(pair, (LEFT, RIGHT), strict=True):
            if block:
                below = max(below, _put_block(page, row, column, block, labels))
        row = below


def _left_blocks(report: Report, labels: Labels) -> list[_Block]:
    blocks = []
    if report.spells is not None:
        names: tuple[str, ...] = ("name", "number", "state", "times", "last time", "our number", "rung")
        columns = tuple(labels[name] for name in names)
        table, count = _with_message_marked(spells_table(report, labels), labels), len(report.to_call)
        heading = labels["to call of a day" if report.is_of_one_day else "to call of a period"]
        blocks.append(_Block(heading, table, columns, {}, labels["sheet to call"], count))
    if report.employees:
        names = ("employee", "answered calls", "rung in lost", "picked up", "outgoing calls", "callbacks")
        columns = tuple(labels[name] for name in names)
        bars = {labels["answered calls"]: BAR, labels["rung in lost"]: BAR_LOST}
        table, count = employees_table(report, labels), len(report.employees)
        blocks.append(_Block(labels["by employee"], table, columns, bars, labels["sheet employees"], count))
    if report.top_callers and not report.is_of_one_day:
        columns = tuple(labels[name] for name in ("name", "number", "incoming calls"))
        table, bars, count = top_callers_table(report, labels), {labels["incoming calls"]: BAR}, len(report.top_callers)
        blocks.append(_Block(labels["top callers"], table, columns, bars, "", count))
    return blocks


def _right_blocks(report: Report, labels: Labels) -> list[_Block]:
    blocks = []
    if report.selection.knows_incoming and report.our_numbers:
        table = _with_first_named(our_numbers_table(report, labels), labels)
        bars = {labels["incoming calls"]: BAR, labels["lost calls"]: BAR_LOST}
        rest, count = labels["sheet our numbers"], len(report.our_numbers)
        blocks.append(_Block(labels["by our number"], table, table.headings, bars, rest, count))
    if report.to_call and not report.is_of_one_day:
        table = ages_table(report, labels)
        bars, count = {labels["callers"]: BAR_LOST}, len(list(table.rows()))
        blocks.append(_Block(labels["by age"], table, table.headings, bars, "", count))
    return blocks


def _with_message_marked(table: Table, labels: Labels) -> Table:
    """Whom to call, with a sign where a message is waiting: one column instead of two."""
    state, message = (table.headings.index(labels[name]) for name in ("state", "message"))

    def rows() -> Iterator[tuple[Value, ...]]:
        for row in table.rows():
            yield (*row[:state], f"{row[state]} ✉" if row[message] else row[state], *row[state + 1 :])

    return replace(table, rows=rows)


def _with_first_named(table: Table, labels: Labels) -> Table:
    """Our numbers under their names: one column instead of two."""

    def rows() -> Iterator[tuple[Value, ...]]:
        for number, name, incoming, _, lost, answered, soon, _ in table.rows():
            yield name or number, incoming, lost, answered, soon

    _, _, incoming, _, lost, answered, soon, _ = table.headings
    kinds = (Kind.TEXT, Kind.COUNT, Kind.COUNT, Kind.PERCENT, Kind.PERCENT)
    return Table((labels["our number"], incoming, lost, answered, soon), kinds, rows)


def _put_block(page: _Page, row: int, column: int, block: _Block, labels: Labels) -> int:
    """Put a small table where it begins; gives the row after it, with a gap."""
    page.put(row, column, block.heading, font=_font(DARK, size=13))
    row += 1
    if not block.total:
        page.put(row, column, labels["nobody to call"], font=_font(GOOD, size=11))
        return row + 2
    table = block.table
    places = [table.headings.index(heading) for heading in block.columns if heading in table.headings]
    shown = list(itertools.islice(table.rows(), min(block.total, ROWS_OF_BLOCK)))
    last = row + len(shown)
    page.sheet.row_dimensions[row].height = 30
    for number, place in enumerate(places, column):
        kind, heading = table.kinds[place], table.headings[place]
        page.put(row, number, heading, **_heading_style(kind))
        for below, values in enumerate(shown, row + 1):
            _put_value(page, below, number, values[place], kind, labels)
        if colour := block.bars.get(heading):
            letter = get_column_letter(number)
            bar = DataBarRule("num", 0, "max", None, colour, minLength=0)  # type: ignore[no-untyped-call]
            page.sheet.conditional_formatting.add(f"{letter}{row + 1}:{letter}{last}", bar)
    if block.total > len(shown):
        words = labels.format("and more on sheet", count=block.total - len(shown), sheet=block.rest)
        page.put(last + 1, column, words, font=Font(name=FONT_NAME, size=10, color=GREY))
        last += 1
    return last + 2


def _put_value(page: _Page, row: int, column: int, value: Value, kind: Kind, labels: Labels) -> None:
    style = _look(kind, labels) | {"border": Border(bottom=Side("hair", color=GREY))}
    if isinstance(value, Link):
        style["font"] = LINK_FONT
    if kind is Kind.LINES and isinstance(value, str) and "," in value:  # whole names rather than halves
        first, *more = value.split(", ")
        value = f"{first} +{len(more)}"
    if isinstance(value, str):
        value = shortened(value, round(SUMMARY_WIDTHS[column - 1] * MOST_SHRUNK))
        style["alignment"] = Alignment(shrink_to_fit=True)
    if kind is Kind.MOMENT:
        style["number_format"] = f"{labels.excel_short_date_format} hh:mm"
    page.put(row, column, "—" if value is None else value, **style)


class _DescribedAnchor(OneCellAnchor):
    """Where a chart is, and what is said of it to those who cannot see it."""

    __elements__ = OneCellAnchor.__elements__

    def __init__(self, row: int, column: int, description: str) -> None:
        size = XDRPositiveSize2D(*(round(cm * EMU_OF_CM) for cm in (CHART_WIDTH_CM, CHART_ROWS * ROW_CM)))
        super().__init__(_from=AnchorMarker(row=row - 1, col=column - 1), ext=size)
        self._description = description

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "graphicFrame" and value is not None:
            value.nvGraphicFramePr.cNvPr.descr = self._description
        super().__setattr__(name, value)


def _chart(sheet: Any, names: Kind, first: int, last: int, title: str, labels: Labels) -> BarChart:
    """Lost and answered calls, stacked, from rows of a sheet whose first columns are times, answered and lost."""
    chart = BarChart()
    chart.grouping = "stacked"
    chart.overlap = 100
    chart.gapWidth = 35
    chart.title = _chart_title(title)

    def cells(column: int) -> Reference:
        return Reference(sheet, min_col=column, min_row=first, max_row=last)

    for column, colour in ((3, LOST), (2, ANSWERED)):
        series = Series(cells(column))
        series.tx = SeriesLabel(StrRef(str(Reference(sheet, min_col=column, min_row=1))))
        series.graphicalProperties.solidFill = colour
        series.graphicalProperties.line.solidFill = "FFFFFF"  # a gap between them
        chart.series.append(series)
    chart.set_categories(cells(1))
    chart.legend.position = "b"
    chart.x_axis.delete = chart.y_axis.delete = False  # some programs hide axes that do not say so
    if names is Kind.DATE:
        chart.x_axis.number_format = labels.excel_short_date_format
    chart.y_axis.number_format = "0"
    chart.y_axis.majorGridlines = ChartLines(GraphicalProperties(ln=LineProperties(solidFill="D9D9D9")))
    return chart


def _chart_title(text: str) -> Title:
    """A heading no larger than the text around the chart."""
    look = CharacterProperties(sz=1200, b=True, solidFill=DARK)
    run = RegularTextRun(rPr=look, t=text)
    return Title(tx=Text(rich=RichText(p=[Paragraph(r=[run])])), overlay=False)


# --- Sheets of their own form ------------------------------------------------


def _add_week_sheet(book: Workbook, report: Report, labels: Labels) -> None:
    """Heat maps: an average week's calls, and how many of them were lost, hour by hour."""
    sheet = _sheet(book, labels["sheet week"], GREY)
    sheet.freeze_panes = "B1"
    sheet.column_dimensions["A"].width = 14
    for hour in range(24):
        sheet.column_dimensions[get_column_letter(hour + 2)].width = 5.5
    times = report.hours_of_the_week()
    row = 1
    for heading, colour, counted in (("incoming an hour", BAR, "incoming"), ("lost an hour", BAR_LOST, "lost")):
        sheet.append([_cell(sheet, labels[heading], font=_font(DARK, size=13))])
        style = _heading_style(Kind.COUNT)
        sheet.append([_cell(sheet, "", **style), *(_cell(sheet, f"{hour:02}", **style) for hour in range(24))])
        for weekday in range(7):
            hours = range(weekday * 24, weekday * 24 + 24)
            averages = [getattr(report.week[hour], counted) / times[hour] if times[hour] else None for hour in hours]
            cells = [
                None if value is None else _cell(sheet, round(value, 1), number_format="0.0;;", alignment=CENTERED)
                for value in averages
            ]
            sheet.append([_cell(sheet, labels.short_weekday(weekday), font=_font(DARK, size=11)), *cells])
        rule = ColorScaleRule(  # type: ignore[no-untyped-call]
            start_type="num", start_value=0, start_color="FFFFFF", end_type="max", end_color=colour
        )
        sheet.conditional_formatting.add(f"B{row + 2}:Y{row + 8}", rule)
        sheet.append([])
        row += 10


def _add_how_sheet(book: Workbook, report: Report, labels: Labels) -> None:
    """Every figure, and what it is in a sentence."""
    sheet = _sheet(book, labels["sheet how"], GREY)
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.fitToHeight = 1
    for column, width in zip("ABC", HOW_WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    wrapped = Alignment(wrap_text=True, vertical="top")
    sheet.append([_cell(sheet, labels["sheet how"], font=_font(DARK, size=18))])
    sheet.append([_cell(sheet, labels["how"])])
    sheet.append([])
    for number, (heading, value, kind, words) in enumerate(figures_list(report, labels), 4):
        sheet.row_dimensions[number].height = ROW_POINTS * (1 + len(words) // HOW_WIDTHS[-1])
        look = _look(kind, labels) | {"alignment": Alignment("center", "top"), "font": _font(DARK, size=11)}
        sheet.append(
            [
                _cell(sheet, heading, font=_font(DARK, size=11), alignment=wrapped),
                _cell(sheet, value, **look),
                _cell(sheet, words, alignment=wrapped),
            ]
        )


# --- Sheets that are one table -----------------------------------------------


class _PhoneBookWriter(WorksheetWriter):
    """Tells Excel that numbers stored as text are meant so: else every phone number gets a green corner."""

    def write_drawings(self) -> None:
        ignored = Element("ignoredErrors")
        SubElement(ignored, "ignoredError", sqref="A1:Z1048576", numberStoredAsText="1")
        self.xf.send(ignored)
        super().write_drawings()


def _write_top(sheet: Any) -> None:
    """To be called when all is said of a sheet that stands before its cells."""
    sheet._writer = _PhoneBookWriter(sheet)
    sheet._writer.write_top()


def _add_table_sheets(book: Workbook, title: str, name: str, table: Table, labels: Labels, colour: str) -> Any:
    """Sheets that hold `table`, as Excel tables with filters under a header that stays in sight: one, or as many as it
    takes ("Calls", "Calls 2"; the tables are called `name`, `name`2 ...). Returns the first."""
    rest_of_rows = table.rows()
    measured = list(itertools.islice(rest_of_rows, ROWS_MEASURED))  # kept, for making them takes as long as writing
    widths = _widths(table, measured)
    rows = itertools.chain(measured, rest_of_rows)
    first = _add_table_sheet(book, title, name, table, rows, widths, labels, colour)
    part = 2
    for following in rows:
        rest = itertools.chain([following], rows)
        _add_table_sheet(book, f"{title} {part}", f"{name}{part}", table, rest, widths, labels, colour)
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
    colour: str,
) -> Any:
    """A sheet with as many of `rows` as it holds."""
    sheet = _sheet(book, title, colour)
    for index, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    _write_top(sheet)

    sheet.append(_heading_cells(sheet, table))
    # One cell a column is used again and again: making one anew for each value takes most of the time.
    cells = [_cell(sheet, None, **_look(kind, labels)) for kind in table.kinds]
    links = [_cell(sheet, None, number_format=TEXT_FORMAT, font=LINK_FONT) for _ in table.kinds]
    count = 0
    plain = [kind is Kind.TEXT for kind in table.kinds]
    wrapped = [index for index, kind in enumerate(table.kinds) if kind is Kind.LINES]
    for row in itertools.islice(rows, MAX_ROWS - 1):
        shown: list[Any] = list(row)
        for index, value in enumerate(row):
            if value is None or (plain[index] and not (value and (value[0] in "=#" or "_x" in value))):  # type: ignore[index, operator]
                continue
            cell = shown[index] = (links if isinstance(value, Link) else cells)[index]
            _fill(cell, value)
        for index in wrapped:  # not every program finds out by itself how high a row must be
            if (lines := len(textwrap.wrap(str(row[index]), widths[index]))) > 1:
                sheet.row_dimensions[count + 2].height = lines * ROW_POINTS
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
    states = [labels["what became"], labels["state"]]  # the column that says what became of a lost caller
    for index, heading in enumerate(table.headings, 1):
        if heading in states:
            for state, pale in (("nobody", PALE_RED), ("tried", PALE_AMBER)):
                formula = f'${get_column_letter(index)}2="{labels[state]}"'
                rule = FormulaRule(formula=[formula], fill=PatternFill("solid", bgColor=pale))  # type: ignore[no-untyped-call]
                sheet.conditional_formatting.add(f"A2:{last_column}{count + 1}", rule)
    return sheet


def _widths(table: Table, rows: Sequence[tuple[Value, ...]]) -> list[int]:
    """Column widths in characters: the heading and, within limits, the longest text of these rows fit."""
    widths = [_heading_width(*heading) for heading in zip(table.headings, table.kinds, strict=True)]
    texts = [index for index, kind in enumerate(table.kinds) if kind in (Kind.TEXT, Kind.LINES, Kind.PHONE)]
    for row in rows:
        for index in texts:
            value = row[index]
            length = len(value.text if isinstance(value, Link) else value or "") + 2  # type: ignore[arg-type]
            if length > widths[index]:
                widths[index] = length
    return [
        max(width, WIDTHS[kind]) if kind in WIDTHS else min(max(width, MIN_TEXT_WIDTH), MAX_TEXT_WIDTH)
        for width, kind in zip(widths, table.kinds, strict=True)
    ]


def _heading_width(heading: str, kind: Kind) -> int:
    """What a heading takes beside the arrow of its filter; on both sides where it stands in the middle."""
    arrows = 1 if kind in LEFT_KINDS else 2
    return math.ceil(len(heading) * WIDTH_OF_BOLD + arrows * FILTER_ARROW_WIDTH)


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
    return [
        _cell(sheet, heading, **_heading_style(kind)) for heading, kind in zip(table.headings, table.kinds, strict=True)
    ]


def _heading_style(kind: Kind) -> dict[str, Any]:
    horizontal = "left" if kind in LEFT_KINDS else "center"
    alignment = Alignment(horizontal=horizontal, vertical="center", wrap_text=True)
    return {"font": HEADING_FONT, "fill": HEADING_FILL, "alignment": alignment}


def _look(kind: Kind, labels: Labels) -> dict[str, Any]:
    """How the cells of a column look: format and alignment."""
    match kind:
        case Kind.TEXT | Kind.LINK:
            return {}
        case Kind.LINES:
            return {"alignment": Alignment(wrap_text=True)}
        case Kind.PHONE:
            return {"number_format": TEXT_FORMAT}
        case Kind.TIME:
            return {"number_format": "hh:mm", "alignment": CENTERED}
        case Kind.MOMENT:
            return {"number_format": f"{labels.excel_date_format} hh:mm:ss", "alignment": CENTERED}
        case Kind.DATE:
            return {"number_format": f"ddd {labels.excel_date_format}", "alignment": CENTERED}
        case Kind.DURATION:
            return {"number_format": DURATION_FORMAT, "alignment": CENTERED}
        case Kind.COUNT:
            return {"number_format": "#,##0", "alignment": CENTERED}
        case Kind.PERCENT:
            return {"number_format": "0.0", "alignment": CENTERED}


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
    if isinstance(value, Link):
        cell.hyperlink = Hyperlink(ref="", target=value.url)
        value = value.text
    if isinstance(value, str):
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", value)  # or Excel reads _x000D_ as the end of a line
        cell.data_type = "s"  # never a formula (=1+1) or an error (#N/A)
    else:
        cell.value = value
