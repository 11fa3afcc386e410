"""No fixed text of the workbook is clipped, in any language: each is measured in the workbook's font."""

import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import openpyxl
import pytest
from calibri import LINE, PIXELS_OF_CHARACTER, lines_of, text_pixels
from openpyxl.utils import get_column_letter

from common.calls.call import KNOWN_DISPOSITIONS
from common.labels import LANGUAGES, Labels
from common.reports.figures import Report
from common.reports.files import save
from common.reports.selection import Selection
from helpers import at, call, period, report, with_comparison

OUT = {"callType": "1"}
PADDING = 5  # pixels of a cell that hold no text
FILTER_ARROW = 17  # pixels at the right of a table's heading
CHART_PIXELS = 490
SOURCE = {"callTrackingData": {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "x", "domain": "a.example"}}
RUNG = {"dstNumbers": [{"dstNumber": "801 > 901", "disposition": "NOANSWER", "employeeName": "Олена"}]}


def some_calls(day):
    """One of each disposition, and callers in each state."""
    return [
        *(
            call(at(f"09:{index:02}:00", day), disposition, number=f"05000000{index:02}", **SOURCE, **RUNG)
            for index, disposition in enumerate(sorted(KNOWN_DISPOSITIONS))
        ),
        call(at("10:00", day), "CANCEL", number="0501111111", internalNumber="", employeeName="", employeeEmail=""),
        call(at("10:05", day), "ANSWER", number="0501111111"),
        call(at("10:10", day), "CANCEL", number="0502222222"),
        call(at("10:15", day), "ANSWER", number="0502222222", isNewCall=1, **OUT),
        call(at("10:20", day), "VM-SUCCESS", number="0503333333"),
        call(at("10:25", day), "NOANSWER", number="0503333333", **OUT),
        call(at("10:30", day), "CANCEL", number=""),
    ]


FIRST = date(2024, 5, 1)
EVERYTHING = {"incoming": 12, "answered_percent": -12.4, "service_level_percent": 3, "lost": 1234, "to_call": -7}
MADE = {
    "a day": lambda: with_comparison(report(*some_calls(FIRST), as_of=at("15:30")), **EVERYTHING),
    "days": lambda: with_comparison(
        period(*some_calls(FIRST), last=date(2024, 5, 8), as_of=at("15:30", date(2024, 5, 8))),
        "days",
        date(2024, 4, 23),
        date(2024, 4, 30),
        **EVERYTHING,
    ),
    "weeks": lambda: period(*some_calls(FIRST), last=date(2024, 8, 8)),
    "months": lambda: period(*some_calls(FIRST), last=date(2025, 1, 8)),
    "incoming calls of a line, some of which cannot be read": lambda: replace(
        period(*some_calls(FIRST), last=FIRST, line="902", direction="incoming", as_of=at("15:30")), unreadable=12345
    ),
    "a customer's calls with a number, at a time of a day": lambda: Report.of(
        Selection(at("09:00"), at("18:00", date(2024, 9, 30)), "both", "", "+380671234567", "1234567"),
        some_calls(FIRST),
    ),
    "a month's outgoing calls": lambda: period(call(**OUT), last=date(2024, 5, 31), direction="outgoing"),
    "a day without calls": report,
}


def shown(cell):
    """A cell's text, as its format has it."""
    value = cell.value
    if isinstance(value, datetime):
        marks = {"yyyy": "%Y", "dd": "%d", "mm": "%m", "hh": "%H", "ss": "%S"}
        form = cell.number_format.replace("hh:mm", "hh:%M")
        for mark, code in marks.items():
            form = form.replace(mark, code)
        return value.strftime(form)
    if isinstance(value, timedelta):
        return "100:00:00"
    return "" if value is None else str(value)


class Sheet:
    """A sheet whose cells know how much room there is for them."""

    def __init__(self, sheet):
        self.sheet = sheet
        self.merged = {str(area).split(":")[0]: area for area in sheet.merged_cells.ranges}
        self.last_column = sheet.max_column
        self.widths = {
            column: dimension.width
            for dimension in sheet.column_dimensions.values()
            for column in range(dimension.min, dimension.max + 1)
        }
        self.headings = {f"{get_column_letter(index)}1" for index in range(1, sheet.max_column + 1)}
        self.headings &= set(self.headings if sheet.tables else ())

    def pixels(self, column):
        return self.widths[column] * PIXELS_OF_CHARACTER

    def room(self, cell):
        """Pixels from the left of a cell to where the next text or the page ends."""
        last = cell.column
        if area := self.merged.get(cell.coordinate):
            last = area.max_col
        elif isinstance(cell.value, str) and not cell.alignment.wrap_text and cell.alignment.horizontal is None:
            while last < self.last_column and self.sheet.cell(cell.row, last + 1).value in (None, ""):
                last += 1
        room = sum(self.pixels(column) for column in range(cell.column, last + 1)) - PADDING
        if cell.coordinate in self.headings:
            room -= FILTER_ARROW * (2 if cell.alignment.horizontal == "center" else 1)
        return room

    def is_clipped(self, cell):
        text, room, look = shown(cell), self.room(cell), {"points": cell.font.sz, "bold": cell.font.b}
        height = self.sheet.row_dimensions[cell.row].height
        if cell.alignment.wrap_text and height and cell.coordinate not in self.headings:
            return lines_of(text, room, **look) * cell.font.sz * LINE > height
        return text_pixels(text, **look) > room

    def clipped(self):
        return [
            f"{self.sheet.title} {cell.coordinate}: {shown(cell)}"
            for row in self.sheet.iter_rows()
            for cell in row
            if cell.value is not None and not cell.alignment.shrink_to_fit and self.is_clipped(cell)
        ]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_wider_than_its_cell(language, name, tmp_path):
    path = tmp_path / "calls.xlsx"
    save(MADE[name](), [], path, Labels(language))
    book = openpyxl.load_workbook(path)
    assert [text for sheet in book.worksheets for text in Sheet(sheet).clipped()] == []
    assert all(len(title) <= 31 for title in book.sheetnames)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_charts_title_is_no_wider_than_the_chart(language):
    titles = [Labels(language)[f"by {span}"] for span in ("hour", "day", "week", "month")]
    assert max(text_pixels(title, 12, bold=True) for title in titles) < CHART_PIXELS


def test_a_text_is_measured_as_the_font_has_it():
    assert text_pixels("Answered", 11) == pytest.approx((58 + 53 + 40 + 72 + 50 + 35 + 50 + 53) / 100 * 11 * 96 / 72)
    assert text_pixels("Answered", 11) < text_pixels("Answered", 11, bold=True)
    assert lines_of("one two three", text_pixels("one two"), 11) == 2
    assert lines_of("one two three", text_pixels("one"), 11) == math.inf
