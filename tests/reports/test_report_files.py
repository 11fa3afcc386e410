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
HEADINGS = tuple(
    "Time,Direction,Number,Name,Result,Called back?,Employee,Line,Wait,Talk,New,Group,Our number,Number's name,Source,"
    "Recording,Call ID".split(",")
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
    path = tmp_path / f"calls{FORMATS[ending]}"
    save(made, entries, path, labels)
    return path


def rows(path, sheet):
    return [list(row) for row in openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)]


def test_the_calls_sheet_holds_every_call_with_real_types(day, tmp_path):
    assert rows(saved(day, tmp_path), "Calls") == [
        list(HEADINGS),
        call_row("09:30:15", "+380671234567", "Лікар", "talked"),
        call_row("10:00", "+380501111111", None, "no answer", "✓ called back", None, "900", timedelta(0)),
        call_row("10:20", "+380501111111", None, "talked", way="outgoing"),
        call_row("11:00", "hidden number", '=HYPERLINK("http://x","y")', "UNHEARD-OF"),
        call_row("12:00", "+380502222222", None, "cancelled", "✗ not called back"),
    ]


def call_row(
    time,
    number,
    name,
    result,
    became=None,
    employee="Олена",
    line="902",
    talk=timedelta(seconds=68),
    way="incoming",
):
    moment = at(time).replace(tzinfo=None)
    rest = (None, None, "0443334001", "Головна", None, None, f"{moment:%H%M%S}")
    return [moment, way, number, name, result, became, employee, line, timedelta(seconds=4), talk, *rest]


def test_the_sheet_of_whom_to_call_holds_what_became_of_each_lost_caller(day, tmp_path):
    noon, ten, spoken = (datetime(2024, 5, 1, *time) for time in ((12,), (10,), (10, 20)))
    assert rows(saved(day, tmp_path), "To call") == [
        [
            *("Number", "Name", "State", "How often", "Last time", "First time"),
            *("Our number", "Rang at", "Message", "Spoken to", "After", "By whom"),
        ],
        ["+380502222222", None, "✗ not called back", 1, noon, noon, "Головна", None, None, None, None, None],
        [
            *("+380501111111", None, "✓ called back", 1, ten, ten, "Головна", None, None),
            *(spoken, timedelta(minutes=20), "Олена"),
        ],
    ]


def test_the_summary_is_a_sentence_five_figures_and_what_is_to_be_done(day, tmp_path):
    summary = rows(saved(day, tmp_path), "Summary")
    assert [[value for value in row if value is not None] for row in summary if any(row)] == [
        ["Calls: Wednesday, 1 May 2024"],
        ["Answered 33.3% of 3 incoming calls; 1 caller still needs a call back."],
        ["To call back", "Answered", "Lost", "Answered within 20 s", "Incoming"],
        ["1", "33.3%", "2", "100%", "4"],
        ["Incoming without a result: 1, not in the percentages"],
        ["Whom to call back, of this day’s callers"],
        ["Name", "Number", "State", "How often", "Last time", "Our number", "Rang at"],
        ["+380502222222", "✗ not called back", 1, datetime(2024, 5, 1, 12), "Головна"],
        ["Employees", "Our numbers"],
        [
            *("Employee", "Answered", "Missed", "Picked up, %", "Outgoing", "Called back"),
            *("Our number", "Incoming", "Lost", "Answered, %", "Within 20 s, %"),
        ],
        ["Олена", 1, "—", "—", 1, 1, "Головна", 4, 2, 33.3, 100],
    ]


def test_the_chart_shows_the_table_of_hours_and_says_so_to_those_who_cannot_see_it(day, tmp_path):
    with ZipFile(saved(day, tmp_path)) as archive:
        chart = archive.read("xl/charts/chart1.xml").decode()
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
    for cells in ("'By hour'!$A$11:$A$14", "'By hour'!$B$11:$B$14", "'By hour'!$C$11:$C$14"):  # the busy ones
        assert f"<f>{cells}</f>" in chart.replace("<c:", "<").replace("</c:", "</")
    told = "Answered 33.3% of 3 incoming calls; 1 caller still needs a call back. The bars show answered and lost"
    assert f'descr="{told}' in drawing


def test_the_lists_are_excel_tables_with_filters_under_a_frozen_header(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path))
    tables = {sheet.title: dict(sheet.tables.items()) for sheet in book}
    assert tables == {
        "Summary": {},
        "To call": {"ToCall": "A1:L3"},
        "Calls": {"Calls": "A1:Q6"},
        "Employees": {"Employees": "A1:I2"},
        "Our numbers": {"OurNumbers": "A1:H2"},
        "By hour": {"Times": "A1:G25"},
        "How we count": {},
    }
    for title in ("To call", "Calls"):
        sheet = book[title]
        [table] = sheet.tables.values()
        assert table.autoFilter.ref == table.ref
        assert [column.name for column in table.tableColumns] == [cell.value for cell in sheet[1]]
        assert sheet.freeze_panes == "A2"
        assert sheet.print_title_rows == "$1:$1"
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)


def test_the_summary_is_one_printed_page_and_the_book_says_what_it_is(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path, labels=Labels("uk")))
    summary = book.worksheets[0]
    assert (summary.page_setup.fitToWidth, summary.page_setup.fitToHeight) == (1, 1)
    assert summary.print_area == "'Підсумок'!$A$1:$M$26"
    assert (book.properties.title, book.properties.language) == ("Дзвінки: середа, 1 травня 2024\xa0р.", "uk")
    assert len({sheet.sheet_properties.tabColor.rgb for sheet in book.worksheets[:4]}) == 4


def test_numbers_can_be_tapped_and_calls_lead_to_the_cabinet_and_to_their_recordings(day, tmp_path, monkeypatch):
    path = tmp_path / "calls.xlsx"

    def links(title):
        cells = [cell for row in openpyxl.load_workbook(path)[title].iter_rows() for cell in row if cell.hyperlink]
        return {cell.coordinate: cell.hyperlink.target for cell in cells}

    save(day, [], path, LABELS, lambda call: "file:///r/1.mp3" if call.general_call_id == "093015" else "")
    assert links("To call") == {"A2": "tel:+380502222222", "A3": "tel:+380501111111"}
    assert links("Summary") == {"B10": "tel:+380502222222"}
    found = links("Calls")
    assert found.pop("P2") == "file:///r/1.mp3"
    assert found == {f"Q{row}": call.cabinet_page for row, call in enumerate(day.calls, 2) if call.cabinet_page}
    assert len(found) == 4  # a hidden number has no page
    monkeypatch.setattr("common.reports.workbook.MAX_LINKED", 4)
    save(day, [], path, LABELS)
    assert links("Calls") == {}


def test_cells_are_formatted_as_what_they_are(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path, labels=Labels("uk")))
    formats = [cell.number_format for cell in book["Дзвінки"][2]]
    moment, duration, text, plain = "dd.mm.yyyy hh:mm:ss", "[h]:mm:ss", "@", "General"
    kinds = [moment, plain, text, plain, plain, plain, plain, text, duration, duration, plain, text, text, plain, plain]
    assert formats == [*kinds, plain, text]


def test_columns_are_wide_enough(tmp_path):
    made = report(call(customerData={"name": "Н" * 35}), call("11:00", customerData={"name": "Д" * 300}))
    sheet = openpyxl.load_workbook(saved(made, tmp_path))["Calls"]
    widths = {cell.value: sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]}
    assert widths["Name"] == 34
    assert widths["Time"] >= len("01.05.2024 10:00:00")
    assert all(widths[heading] >= len(heading) for heading in HEADINGS)
    assert widths["Number"] > len("+380671234567")


def test_lost_calls_are_marked(day, tmp_path):
    book = openpyxl.load_workbook(saved(day, tmp_path))
    for title, column in (("Calls", "F"), ("To call", "C")):
        rules = [rule for area in book[title].conditional_formatting for rule in area.rules]
        marks = ("✗ not called back", "… tried, not reached")
        assert [rule.formula for rule in rules] == [[f'${column}2="{mark}"'] for mark in marks]


def test_phone_numbers_get_no_warning_corners(day, tmp_path):
    with ZipFile(saved(day, tmp_path)) as archive:
        for number in (1, 2, 3):
            sheet = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
            assert '<ignoredError sqref="A1:Z1048576" numberStoredAsText="1"' in sheet
            # In the order that Excel demands.
            tags = ("<hyperlinks", "<pageMargins", "<pageSetup", "<headerFooter", "<ignoredErrors", "<tableParts")
            places = [sheet.index(tag) for tag in tags if tag in sheet]
            assert places == sorted(places)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_day_is_a_whole_workbook_that_says_so(language, tmp_path):
    labels = Labels(language)
    path = saved(report(), tmp_path, labels=labels)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [labels["sheet summary"]]
    assert book.worksheets[0]["A2"].value == labels["no calls"]
    assert book.worksheets[0].max_row == 2


def test_a_day_that_is_not_over_is_marked_with_the_time(tmp_path):
    path = saved(report(call(), as_of=at("15:30")), tmp_path)
    assert openpyxl.load_workbook(path)["Summary"]["A3"].value == "Data as of 15:30: the day is not over"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_hostile_name_becomes_a_formula_or_breaks_the_file(language, tmp_path):
    names = [*HOSTILE_NAMES, "-1+1", "=1", "\t=1", "'", "\ud800", "_x0041_", "#N/A", "#REF!", "]]>", "a;b", 'a"b']
    calls = [call(f"10:{index:02}", customerData={"name": name}, employeeName=name) for index, name in enumerate(names)]
    lost = [call(f"11:{index:02}", "CANCEL", number=f"=05{index}", didName=name) for index, name in enumerate(names)]
    made = report(*calls, *lost)
    path = saved(made, tmp_path, labels=Labels(language))
    with ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) > 5
        assert all(b"<f>" not in archive.read(name) for name in sheets)
        assert all(b't="e"' not in archive.read(name) for name in sheets)
    sheet = openpyxl.load_workbook(path).worksheets[2]
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


def test_a_period_has_sheets_by_day_and_by_hour_of_the_week(week, tmp_path):
    path = saved(week, tmp_path)
    assert openpyxl.load_workbook(path).sheetnames == [
        *("Summary", "To call", "Calls", "Employees", "Our numbers", "By day", "Hours of the week", "How we count")
    ]
    nothing = [0, 0, None, None, 0, 0, timedelta(0)]
    assert rows(path, "By day") == [
        ["Day", "Answered", "Lost", "Answered, %", "In a week, pp", "Outgoing", "Reached", "Talk time"],
        [datetime(2024, 5, 1), 1, 1, 50, None, 0, 0, timedelta(minutes=1)],
        *([datetime(2024, 5, day), *nothing] for day in (2, 3, 4)),
        [datetime(2024, 5, 5), 0, 1, 0, None, 0, 0, timedelta(0)],
        *([datetime(2024, 5, day), *nothing] for day in (6, 7)),
        [datetime(2024, 5, 8), 1, 0, 100, 50, 1, 1, timedelta(minutes=2)],
    ]
    maps = rows(path, "Hours of the week")
    assert [row[0] for row in maps] == [
        *("Incoming calls an hour, on average", None, "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", None),
        *("Lost of these", None, "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ]
    # Averages over as many such weekdays as there were: two Wednesdays, one Sunday.
    found = {(number, hour): row[hour + 1] for number, row in enumerate(maps) for hour in range(24) if row[hour + 1]}
    headings = {(number, hour): f"{hour:02}" for number in (1, 11) for hour in range(24)}
    assert found == headings | {(4, 9): 1, (4, 10): 0.5, (8, 23): 1, (14, 10): 0.5, (18, 23): 1}


def test_the_summary_of_a_period_also_says_who_calls_most_and_how_long_those_wait_who_are_to_be_called(week, tmp_path):
    path = saved(week, tmp_path)
    summary = [[value for value in row if value is not None] for row in rows(path, "Summary") if any(row)]
    assert summary[:2] == [
        ["Calls: 1\xa0–\xa08 May 2024"],
        ["Answered 50% of 4 incoming calls; 1 caller still needs a call back."],
    ]
    assert summary[10:] == [
        ["Who calls most", "How long they wait"],
        ["Name", "Number", "Incoming", "Waiting", "Callers"],
        ["+380671234567", 2, "under 1h", 0],
        ["+380501111111", 1, "under 4h", 0],
        ["+380502222222", 1, "under 1d", 0],
        ["under 3d", 0],
        ["under 7d", 1],
        ["over 7d", 0],
    ]
    with ZipFile(path) as archive:
        chart = archive.read("xl/charts/chart1.xml").decode().replace("c:", "")
    assert all(f"<f>'By day'!{cells}</f>" in chart for cells in ("$A$2:$A$9", "$B$2:$B$9", "$C$2:$C$9"))
    assert "t>Incoming by day<" in chart


def test_what_a_reader_has_to_know_stands_below_the_title(tmp_path):
    lost = call("10:00", "CANCEL")
    made = period(lost, call(at("09:00", date(2024, 5, 8))), as_of=at("15:30", date(2024, 5, 8)), direction="incoming")
    assert openpyxl.load_workbook(saved(made, tmp_path))["Summary"]["A3"].value == (
        "Data as of 15:30: the last day is not over. "
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
            assert table.ref == f"A1:Q{book[title].max_row}"
            assert book[title].conditional_formatting


def test_an_empty_period_is_a_whole_workbook(tmp_path):
    book = openpyxl.load_workbook(saved(period(), tmp_path))
    assert (book.sheetnames, book["Summary"]["A2"].value) == (["Summary"], "There were no calls.")


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
        *("Лікар", "talked", "", "Олена", "\t902", "0:00:04", "0:01:08", "", "", "\t0443334001", "Головна", "", ""),
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
    back = [(row[0], row[2], row[3] or "", row[16]) for row in sheet.iter_rows(min_row=2, values_only=True)]
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
    with pytest.raises(
        ValueError, match=r"'calls\.pdf' does not end as a format we know: \.xlsx, \.csv, \.json, \.summary\.json"
    ):
        save(day, [], tmp_path / "calls.pdf", LABELS)
    assert list(tmp_path.iterdir()) == []
