"""The files: what is in them, and that nothing in them can do harm."""

import csv
import json
from datetime import date, datetime, timedelta
from io import StringIO
from zipfile import ZipFile

import openpyxl
import pytest
from lxml.etree import SerialisationError
from openpyxl.utils.escape import unescape

from common.calls.call import Call
from common.labels import LANGUAGES, Labels
from common.reports.files import FORMATS, save
from common.sandbox.company import HOSTILE_NAMES, Company
from helpers import DAY, KYIV, at, call, entry, period, report

LABELS = Labels("en")
OUT = {"callType": "1"}
HEADINGS = (
    "Time",
    "Direction",
    "Number",
    "Customer",
    "Employee",
    "Line",
    "Result",
    "Lost",
    "Wait",
    "Talk",
    "Our number",
    "Number's name",
    "Call ID",
)


@pytest.fixture
def day():
    return report(
        call("09:30:15", "ANSWER", customerData={"name": " Лікар"}),
        call(
            "10:00", "NOANSWER", number="0501111111", billsec=0, employeeName="", employeeEmail="", internalNumber=900
        ),
        call("10:20", "ANSWER", number="+380501111111", **OUT),
        call("11:00", "UNHEARD-OF", number="", customerData={"name": '=HYPERLINK("http://x","y")'}),
        call("12:00", "CANCEL", number="0502222222"),
    )


def saved(made, tmp_path, ending="xlsx", labels=LABELS, entries=()):
    path = tmp_path / f"calls.{ending}"
    save(made, entries, path, labels)
    return path


def rows(path, sheet):
    return [list(row) for row in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)]


def test_the_calls_sheet_holds_every_call_with_real_types(day, tmp_path):
    assert rows(saved(day, tmp_path), "Calls") == [
        list(HEADINGS),
        [
            datetime(2024, 5, 1, 9, 30, 15),
            "incoming",
            "+380671234567",
            "Лікар",
            "Олена",
            "902",
            "talked",
            None,
            timedelta(seconds=4),
            timedelta(seconds=68),
            "0443334001",
            "Головна",
            "093015",
        ],
        [
            datetime(2024, 5, 1, 10, 0),
            "incoming",
            "+380501111111",
            None,
            None,
            "900",
            "no answer",
            "called back",
            timedelta(seconds=4),
            timedelta(0),
            "0443334001",
            "Головна",
            "100000",
        ],
        [
            datetime(2024, 5, 1, 10, 20),
            "outgoing",
            "+380501111111",
            None,
            "Олена",
            "902",
            "talked",
            None,
            timedelta(seconds=4),
            timedelta(seconds=68),
            "0443334001",
            "Головна",
            "102000",
        ],
        [
            datetime(2024, 5, 1, 11, 0),
            "incoming",
            "hidden number",
            '=HYPERLINK("http://x","y")',
            "Олена",
            "902",
            "UNHEARD-OF",
            None,
            timedelta(seconds=4),
            timedelta(seconds=68),
            "0443334001",
            "Головна",
            "110000",
        ],
        [
            datetime(2024, 5, 1, 12, 0),
            "incoming",
            "+380502222222",
            None,
            "Олена",
            "902",
            "cancelled",
            "not called back",
            timedelta(seconds=4),
            timedelta(seconds=68),
            "0443334001",
            "Головна",
            "120000",
        ],
    ]


def test_the_lost_sheet_holds_each_lost_caller(day, tmp_path):
    assert rows(saved(day, tmp_path), "Lost") == [
        [
            "Number",
            "Customer",
            "Times",
            "Not called back",
            "First time",
            "Last time",
            "State",
            "Called back",
            "After",
            "By whom",
        ],
        [
            "+380502222222",
            None,
            1,
            1,
            datetime(2024, 5, 1, 12),
            datetime(2024, 5, 1, 12),
            "not called back",
            None,
            None,
            None,
        ],
        [
            "+380501111111",
            None,
            1,
            0,
            datetime(2024, 5, 1, 10),
            datetime(2024, 5, 1, 10),
            "called back",
            datetime(2024, 5, 1, 10, 20),
            timedelta(minutes=20),
            "Олена",
        ],
    ]


def test_the_summary_sheet_holds_the_totals_and_the_tables(day, tmp_path):
    summary = rows(saved(day, tmp_path), "Summary")
    assert summary[0][0] == "Calls on 2024-05-01, Wednesday"
    assert summary[1][0] is None
    assert [row[:2] for row in summary[3:14]] == [
        ["Incoming", 4],
        ["Answered", 1],
        ["Lost", 2],
        ["Other (going on, unknown)", 1],
        ["Lost and called back", 1],
        ["Lost, not called back", 1],
        ["Time to call back (median)", timedelta(minutes=20)],
        ["Outgoing", 1],
        ["Outgoing, reached", 1],
        ["Talk time", timedelta(seconds=136)],
        ["Wait for an answer (average)", timedelta(seconds=4)],
    ]
    assert [row[:6] for row in summary[19:23]] == [
        ["By employee", None, None, None, None, None],
        ["Employee", "Answered", "Lost", "Outgoing", "Outgoing, reached", "Talk time"],
        ["Олена", 1, 1, 1, 1, timedelta(seconds=136)],
        ["Line 900", 0, 1, 0, 0, timedelta(0)],
    ]
    assert [row[7:11] for row in summary[19:21]] == [
        ["By hour", None, None, None],
        ["Hour", "Answered", "Lost", "Outgoing"],
    ]
    assert summary[21 + 10][7:11] == ["10", 0, 1, 1]
    assert len(summary) == 21 + 24


def test_the_chart_shows_the_table_of_hours(day, tmp_path):
    with ZipFile(saved(day, tmp_path)) as archive:
        chart = archive.read("xl/charts/chart1.xml").decode()
    for cells in ("'Summary'!$I$22:$I$45", "'Summary'!$J$22:$J$45", "'Summary'!$K$22:$K$45", "'Summary'!$H$22:$H$45"):
        assert f"<f>{cells}</f>" in chart.replace("<c:", "<").replace("</c:", "</")


def test_the_lists_are_excel_tables_with_filters_under_a_frozen_header(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path))
    for title, name, reference in (("Calls", "Calls", "A1:M6"), ("Lost", "Lost", "A1:J3")):
        sheet = book[title]
        table = sheet.tables[name]
        assert (table.ref, table.autoFilter.ref) == (reference, reference)
        assert [column.name for column in table.tableColumns] == [cell.value for cell in sheet[1]]
        assert sheet.freeze_panes == "A2"
        assert sheet.print_title_rows == "$1:$1"
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)


def test_cells_are_formatted_as_what_they_are(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path, labels=Labels("uk")))
    formats = [cell.number_format for cell in book["Дзвінки"][2]]
    moment, duration, text, plain = "dd.mm.yyyy hh:mm:ss", "[h]:mm:ss", "@", "General"
    assert formats == [moment, plain, text, plain, plain, text, plain, plain, duration, duration, text, plain, text]


def test_columns_are_wide_enough(tmp_path):
    made = report(call(customerData={"name": "Н" * 35}), call("11:00", customerData={"name": "Д" * 300}))
    sheet = openpyxl.load_workbook(saved(made, tmp_path))["Calls"]
    widths = {cell.value: sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]}
    assert widths["Customer"] == 40
    assert widths["Time"] >= len("01.05.2024 10:00:00")
    assert all(widths[heading] >= len(heading) for heading in HEADINGS)
    assert widths["Number"] > len("+380671234567")


def test_lost_calls_are_marked(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path))
    for title, formulas in (
        ("Calls", ['$H2="not called back"', '$H2="called back"']),
        ("Lost", ['$G2="not called back"', '$G2="called back"']),
    ):
        rules = [rule for area in book[title].conditional_formatting for rule in area.rules]
        assert [rule.formula for rule in rules] == [[formula] for formula in formulas]


def test_phone_numbers_get_no_warning_corners(day, tmp_path):
    with ZipFile(saved(day, tmp_path)) as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
    assert '<ignoredError sqref="A1:Z1048576" numberStoredAsText="1"' in sheet
    # In the order that Excel demands.
    places = [
        sheet.index(tag) for tag in ("<pageMargins", "<pageSetup", "<headerFooter", "<ignoredErrors", "<tableParts")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_day_is_a_whole_workbook_that_says_so(language, tmp_path):
    labels = Labels(language)
    path = saved(report(), tmp_path, labels=labels)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [labels["sheet summary"], labels["sheet calls"], labels["sheet lost"]]
    assert book.worksheets[0]["A2"].value == labels["no calls"]
    assert [sheet.max_row for sheet in book.worksheets[1:]] == [1, 1]
    assert [dict(sheet.tables) for sheet in book.worksheets[1:]] == [{}, {}]


def test_a_day_that_is_not_over_is_marked_with_the_time(tmp_path):
    path = saved(report(call(), as_of=at("15:30")), tmp_path)
    assert openpyxl.load_workbook(path)["Summary"]["A2"].value == "The day is not over: as of 15:30"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_hostile_name_becomes_a_formula_or_breaks_the_file(language, tmp_path):
    names = [*HOSTILE_NAMES, "-1+1", "=1", "\t=1", "'", "\ud800", "_x0041_", "#N/A", "#REF!", "]]>", "a;b", 'a"b']
    calls = [call(f"10:{index:02}", customerData={"name": name}, employeeName=name) for index, name in enumerate(names)]
    lost = [call(f"11:{index:02}", "CANCEL", number=f"=05{index}", didName=name) for index, name in enumerate(names)]
    made = report(*calls, *lost)
    path = saved(made, tmp_path, labels=Labels(language))
    with ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) == 3
        assert all(b"<f>" not in archive.read(name) for name in sheets)
        assert all(b't="e"' not in archive.read(name) for name in sheets)
    sheet = openpyxl.load_workbook(path).worksheets[1]
    assert [unescape(row[3]) for row in sheet.iter_rows(min_row=2, max_row=len(names) + 1, values_only=True)] == [
        call.customer for call in made.calls[: len(names)]
    ]

    with saved(made, tmp_path, "csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [text for row in csv.reader(file, delimiter=";") for text in row]
    assert len(texts) == (1 + 2 * len(names)) * len(HEADINGS)
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]


# --- A period ----------------------------------------------------------------


@pytest.fixture
def week():
    """Eight days, of which two are Wednesdays."""
    return period(
        call("09:30", billsec=60),
        call("10:00", "NOANSWER", number="0501111111", billsec=0),
        call(at("09:10", date(2024, 5, 8)), billsec=30),
        call(at("10:20", date(2024, 5, 8)), number="0501111111", billsec=90, **OUT),
        call(at("23:59:59", date(2024, 5, 5)), "CANCEL", number="0502222222"),
    )


def test_a_period_has_a_sheet_by_employee_by_day_and_by_hour_of_the_week(week, tmp_path):
    path = saved(week, tmp_path)
    assert openpyxl.load_workbook(path).sheetnames == [
        "Summary",
        "Employees",
        "By day",
        "By hour of the week",
        "Calls",
        "Lost",
    ]
    assert rows(path, "Employees") == [
        ["Employee", "Answered", "Lost", "Outgoing", "Outgoing, reached", "Talk time"],
        ["Олена", 2, 2, 1, 1, timedelta(minutes=3)],
    ]
    assert rows(path, "By day") == [
        ["Day", "Weekday", "Answered", "Lost", "Outgoing", "Outgoing, reached", "Talk time"],
        [datetime(2024, 5, 1), "Wed", 1, 1, 0, 0, timedelta(minutes=1)],
        [datetime(2024, 5, 2), "Thu", 0, 0, 0, 0, timedelta(0)],
        [datetime(2024, 5, 3), "Fri", 0, 0, 0, 0, timedelta(0)],
        [datetime(2024, 5, 4), "Sat", 0, 0, 0, 0, timedelta(0)],
        [datetime(2024, 5, 5), "Sun", 0, 1, 0, 0, timedelta(0)],
        [datetime(2024, 5, 6), "Mon", 0, 0, 0, 0, timedelta(0)],
        [datetime(2024, 5, 7), "Tue", 0, 0, 0, 0, timedelta(0)],
        [datetime(2024, 5, 8), "Wed", 1, 0, 1, 1, timedelta(minutes=2)],
    ]
    hours = rows(path, "By hour of the week")
    assert hours[0] == ["Hour", "Answered", "Lost", "Outgoing"]
    assert [row[0] for row in hours[1:]] == [
        f"{day} {hour:02}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun") for hour in range(24)
    ]
    # Averages over as many such weekdays as there were: two Wednesdays, one Sunday.
    assert [row for row in hours[1:] if any(row[1:])] == [
        ["Wed 09", 1, 0, 0],
        ["Wed 10", 0, 0.5, 0.5],
        ["Sun 23", 0, 1, 0],
    ]
    assert [row[0] for row in rows(path, "Calls")[1:]] == [call.start.replace(tzinfo=None) for call in week.calls]


def test_the_summary_of_a_period_has_the_totals_and_two_charts(week, tmp_path):
    path = saved(week, tmp_path)
    summary = rows(path, "Summary")
    assert summary[0][0] == "Calls from 2024-05-01 to 2024-05-08"
    assert summary[3][:2] == ["Incoming", 4]
    assert summary[6][:2] == ["Lost and called back", 1]
    assert summary[8][:2] == ["Time to call back (median)", timedelta(days=7, minutes=20)]
    with ZipFile(path) as archive:
        charts = [archive.read(f"xl/charts/chart{number}.xml").decode().replace("c:", "") for number in (1, 2)]
    for chart, sheet, names, first, last, title in (
        (charts[0], "By day", "$A$2:$A$9", "$C$2:$C$9", "$E$2:$E$9", "By day"),
        (
            charts[1],
            "By hour of the week",
            "$A$2:$A$169",
            "$B$2:$B$169",
            "$D$2:$D$169",
            "An average week: calls an hour",
        ),
    ):
        assert all(f"<f>'{sheet}'!{cells}</f>" in chart for cells in (names, first, last))
        assert f"t>{title}<" in chart


def test_what_a_reader_has_to_know_stands_below_the_title(tmp_path):
    lost = call("10:00", "CANCEL")
    made = period(lost, call(at("09:00", date(2024, 5, 8))), as_of=at("15:30", date(2024, 5, 8)), direction="incoming")
    assert openpyxl.load_workbook(saved(made, tmp_path))["Summary"]["A2"].value == (
        "The last day is not over: as of 15:30. "
        "Who was called back is unknown: calls of other lines or directions are not here"
    )


def test_a_list_that_is_too_long_for_a_sheet_continues_on_further_sheets(tmp_path, monkeypatch):
    monkeypatch.setattr("common.reports.workbook.MAX_ROWS", 11)
    calls = [call(f"10:{index:02}", "CANCEL", number=f"05000000{index:02}") for index in range(20)]
    for count, titles in ((10, ["Calls"]), (11, ["Calls", "Calls 2"]), (20, ["Calls", "Calls 2"])):
        path = saved(report(*calls[:count]), tmp_path)
        book = openpyxl.load_workbook(path)
        assert [title for title in book.sheetnames if title.startswith("Calls")] == titles
        listed = [row[2] for title in titles for row in book[title].iter_rows(min_row=2, values_only=True)]
        assert listed == [call.shown_number for call in calls[:count]]
        for number, title in enumerate(titles, 1):
            [table] = book[title].tables.values()
            assert table.displayName == f"Calls{number}".removesuffix("1")
            assert [cell.value for cell in book[title][1]] == list(HEADINGS)
            assert table.ref == f"A1:M{book[title].max_row}"
            assert book[title].conditional_formatting


def test_an_empty_period_is_a_whole_workbook(tmp_path):
    book = openpyxl.load_workbook(saved(period(), tmp_path))
    assert book["Summary"]["A2"].value == "There were no calls"
    assert (book["Employees"].max_row, book["By day"].max_row, book["Calls"].max_row) == (1, 9, 1)


# --- CSV and JSON ------------------------------------------------------------


def test_csv_opens_in_a_ukrainian_excel(day, tmp_path):
    content = saved(day, tmp_path, "csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert lines[0] == list(HEADINGS)
    assert lines[1] == [
        "2024-05-01 09:30:15",
        "incoming",
        "\t+380671234567",  # the tab keeps Excel from making a number of it
        "Лікар",
        "Олена",
        "\t902",
        "talked",
        "",
        "0:00:04",
        "0:01:08",
        "\t0443334001",
        "Головна",
        "\t093015",
    ]
    assert [line[2] for line in lines[1:]] == [
        "\t+380671234567",
        "\t+380501111111",
        "\t+380501111111",
        "hidden number",
        "\t+380502222222",
    ]
    assert lines[4][3] == '\'=HYPERLINK("http://x","y")'


def test_json_is_the_servers_own_entries(tmp_path):
    entries = [entry(), entry("11:00", extra={"a": [1.5, None, ""]}, name="Ґ😀\x07 \ud800")]
    path = saved(report(), tmp_path, "json", entries=entries)
    assert json.loads(path.read_bytes()) == entries
    assert "Олена" in path.read_text("utf-8")


def test_a_made_up_day_survives_the_way_to_excel_and_back(tmp_path):
    calls = [Call.from_entry(entry, KYIV) for entry in Company(1, 200).calls_of_day(DAY)]
    sheet = openpyxl.load_workbook(saved(report(*calls), tmp_path))["Calls"]
    back = [(row[0], row[2], row[3] or "", row[12]) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert back == [
        (call.start.replace(tzinfo=None), call.shown_number or "hidden number", call.customer, call.general_call_id)
        for call in sorted(calls, key=lambda call: (call.start, call.general_call_id))
    ]


def test_an_empty_period_never_replaces_one_with_calls(week, tmp_path):
    """Its workbook holds tables all the same: one by day."""
    path = saved(week, tmp_path)
    content = path.read_bytes()
    with pytest.raises(OSError, match="lists no calls for 2024-05-01--2024-05-08 any more"):
        saved(period(), tmp_path)
    assert path.read_bytes() == content
    path.write_text("no workbook at all")
    saved(period(), tmp_path)
    saved(period(), tmp_path)


@pytest.mark.parametrize("ending", FORMATS)
def test_an_empty_report_never_replaces_one_with_calls(day, ending, tmp_path):
    path = saved(day, tmp_path, ending, entries=[entry()])
    content = path.read_bytes()
    with pytest.raises(OSError, match="lists no calls for 2024-05-01 any more; the report with calls was kept"):
        saved(report(), tmp_path, ending)
    assert path.read_bytes() == content
    path.unlink()
    saved(report(), tmp_path, ending)
    saved(report(), tmp_path, ending)
    assert saved(day, tmp_path, ending, entries=[entry()]).read_bytes() != content[:10]


def test_a_full_disk_for_temporary_files_is_an_os_error(day, tmp_path, monkeypatch):
    def full(*arguments):
        raise SerialisationError("IO_ENOSPC")

    monkeypatch.setattr("common.reports.workbook._fill_summary", full)
    with pytest.raises(OSError, match="No space for temporary files"):
        saved(day, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_ending_is_an_error_and_leaves_no_file(day, tmp_path):
    with pytest.raises(ValueError, match=r"'\.pdf' is not the ending of a format we know: xlsx, csv, json"):
        save(day, [], tmp_path / "calls.pdf", LABELS)
    assert list(tmp_path.iterdir()) == []
