"""How the workbook shows it: links, bars, heat maps, charts; reports of odd calls are whole workbooks, too."""

from datetime import date, timedelta
from zipfile import ZipFile

import openpyxl
import pytest

from common.labels import LANGUAGES, Labels
from common.recordings.recordings import COLUMNS, Addresses
from common.reports.files import save
from common.reports.report_mail import report_in_short, report_mail
from common.reports.tables import hours_table
from helpers import DAY, at, call, period, report

OUT = {"callType": "1"}
EN = Labels("en")


def saved(made, tmp_path, labels=EN, recording=lambda _: ""):
    path = tmp_path / "calls.xlsx"
    path.unlink(missing_ok=True)
    save(made, [], path, labels, recording)
    return path


def opened(*arguments):
    return openpyxl.load_workbook(saved(*arguments))


def links(sheet):
    return {cell.coordinate: cell.hyperlink.target for row in sheet.iter_rows() for cell in row if cell.hyperlink}


def charts(path):
    """Of each chart, the cells that it shows: those of its names, of lost and of answered calls."""
    with ZipFile(path) as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/")]
    return [[cells.split("</f>")[0] for cells in text.replace("c:", "").split("<f>")[1:]] for text in texts]


# --- Links


def test_a_recording_is_linked_where_its_days_list_has_it(tmp_path):
    folder = tmp_path / "records" / "2024" / "05" / "01"
    folder.mkdir(parents=True)
    kept = {"file": "100000-in.mp3", "generalCallID": "100000", "time": "2024-05-01 10:00:00+03:00"}
    given_up = {"generalCallID": "110000", "time": "2024-05-01 11:00:00+03:00"}
    lines = [";".join(row.get(column, "") for column in COLUMNS) for row in (kept, given_up)]
    (folder / "records.csv").write_text("\n".join([";".join(COLUMNS), *lines, ""]), encoding="utf-8-sig")
    calls = [call(), call("11:00"), call("12:00"), call("10:30", "CANCEL"), call(at("10:00", date(2024, 5, 2)))]
    addresses = Addresses(str(tmp_path / "records"))
    sheet = opened(period(*calls), tmp_path, EN, addresses)["Calls"]
    assert {cell: url for cell, url in links(sheet).items() if cell.startswith("P")} == {
        "P2": (folder / "100000-in.mp3").as_uri()
    }
    assert (sheet["P2"].value, sheet["P3"].value) == ("listen", None)
    assert [Addresses("s3://bucket/records")(one) for one in calls] == [""] * 5
    (folder / "records.csv").write_bytes(b"\xff\xfe")  # a report has more to say than where its recordings are
    assert Addresses(str(tmp_path / "records"))(calls[0]) == ""


def test_no_sheet_has_more_links_than_excel_opens(tmp_path, monkeypatch):
    for module in ("tables", "workbook"):
        monkeypatch.setattr(f"common.reports.{module}.MAX_LINKED", 3)
    lost = [call(f"10:0{index}", "CANCEL", number=f"050000000{index}") for index in range(4)]
    book = opened(report(*lost), tmp_path, EN, lambda _: "file:///r/1.mp3")
    assert list(links(book["To call"])) == ["A2", "A3", "A4"]
    assert [row[0].value for row in book["To call"].iter_rows(min_row=2)] == [
        f"+38050000000{index}" for index in range(4)
    ]
    assert links(book["Calls"]) == {}
    book = opened(report(*lost[:3]), tmp_path, EN, lambda _: "file:///r/1.mp3")
    assert len(links(book["Calls"])) == 2 * 3


# --- Bars, heat maps, charts


def test_bars_stand_behind_the_numbers_of_one_column_and_begin_at_zero(tmp_path):
    made = report(
        call("09:00", employeeName="Олена"),
        call("09:10", employeeName="Андрій"),
        call("09:20", "CANCEL", number="0501111111"),
    )
    summary = opened(made, tmp_path)["Summary"]
    found = {
        str(area.sqref): [rule.dataBar.cfvo[0].val for rule in area.rules] for area in summary.conditional_formatting
    }
    headings = {area: summary[f"{area[0]}{int(area[1:].split(':')[0]) - 1}"].value for area in found}
    assert sorted(headings.values()) == ["Answered", "Incoming", "Lost", "Missed"]
    assert set(map(tuple, found.values())) == {(0,)}


def test_heat_maps_hold_each_hour_of_an_average_week(tmp_path):
    wednesdays = [call(), call("10:05"), call("10:10", "CANCEL"), call(at("10:00", date(2024, 5, 8)))]
    made = period(*wednesdays, last=date(2024, 5, 8))  # two Wednesdays
    sheet = opened(made, tmp_path)["Hours of the week"]
    assert (sheet["A5"].value, sheet["L5"].value, sheet["A15"].value, sheet["L15"].value) == ("Wed", 2, "Wed", 0.5)
    assert {sheet.cell(row, column).value for row in range(3, 10) for column in range(2, 26)} == {0, 2}
    assert {cell.number_format for cell in sheet["L"][2:9]} == {"0.0;;"}  # zeros are blank
    areas = sheet.conditional_formatting
    assert {str(area.sqref) for area in areas} == {"B3:Y9", "B13:Y19"}
    scales = {tuple(each.type for each in rule.colorScale.cfvo) for area in areas for rule in area.rules}
    assert scales == {("num", "max")}  # from nothing, which is white


def test_an_hour_that_a_time_did_not_have_is_no_zero(tmp_path):
    sheet = opened(period(call(), last=date(2024, 5, 2)), tmp_path)["Hours of the week"]
    assert (sheet["B3"].value, sheet["B5"].value) == (None, 0)  # Monday, Wednesday


@pytest.mark.parametrize(
    ("days", "sheet", "rows"),
    [(1, "By hour", (12, 13)), (45, "By day", (2, 46)), (46, "By week", (2, 8)), (181, "By month", (2, 7))],
)
def test_the_chart_shows_the_busy_hours_or_all_days_weeks_or_months(days, sheet, rows, tmp_path):
    path = saved(period(call(), call("11:00", "CANCEL"), last=DAY + timedelta(days=days - 1)), tmp_path)
    names, answered, lost = (f"'{sheet}'!${column}${rows[0]}:${column}${rows[1]}" for column in "ABC")
    assert charts(path) == [[f"'{sheet}'!$C$1", names, lost, f"'{sheet}'!$B$1", names, answered]]
    assert openpyxl.load_workbook(path)[sheet]["C1"].value == "Lost"  # at the chart's bottom


def test_a_duration_of_days_is_shown_as_hours(tmp_path):
    lost = call("09:00", "CANCEL", number="0501111111")
    ended = call(at("10:00", date(2024, 5, 3)), number="0501111111", billsec=90_061, **OUT)
    book = opened(period(lost, ended), tmp_path)
    for sheet, cell, seconds in (("To call", "K2", 49 * 3600), ("Calls", "J3", 90_061), ("Employees", "H2", 90_061)):
        found = book[sheet][cell]
        assert (found.value, found.number_format) == (timedelta(seconds=seconds), "[h]:mm:ss")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_is_there_and_is_explained_in_a_sentence(language, tmp_path):
    labels = Labels(language)
    made = period(call("10:00", "CANCEL"), call("10:20", billsec=90), call("11:00", number="0501111111", **OUT))
    sheet = opened(made, tmp_path, labels)[labels["sheet how"]]
    told = list(sheet.iter_rows(min_row=4, values_only=True))
    assert all(heading and words and words.endswith(".") and "{" not in words for heading, _, words in told)
    waits, minutes = [timedelta(seconds=4)] * 3, timedelta(seconds=158)
    # incoming, answered and how soon; lost; callers; what became of them; outgoing; talk time; words alone
    assert [value for _, value, _ in told] == [
        *(2, 1, 50, 100, *waits, 1, 1, *waits, 0, 1, 0, 1),
        *(0, 1, 0, 0, 0, 0, None, 1, 0, 0, 0, 1, 1, minutes, None, None, None, None),
    ]


# --- Odd reports

ODD = {
    "only SMS": [call("10:00", "SMS-SUCCESS", **OUT), call("10:10", "SUCCESS")],
    "only outgoing calls": [call(**OUT), call("11:00", "BUSY", **OUT)],
    "only calls that are going on": [call("10:00", "ONLINE"), call("10:05", "")],
    "only hidden numbers": [call("10:00", "CANCEL", number=""), call("10:05", "CANCEL", number="anonymous")],
    "only calls without line and employee": [
        call("10:00", employeeName="", employeeEmail="", internalNumber=""),
        call("11:00", "CANCEL", employeeName="", employeeEmail="", internalNumber=None),
    ],
    "an employee without a line": [call(internalNumber=""), call("11:00", internalNumber="", **OUT)],
    "unknown dispositions": [call("10:00", "UNHEARD-OF"), call("10:05", "UNHEARD-OF", **OUT)],
    "neither incoming nor outgoing": [call(callType="2"), call("11:00", callType="")],
    "no number of ours": [call(didNumber="", didName=""), call("11:00", "CANCEL", didNumber="", didName="")],
    "nothing": [],
}
FILTERS = ({}, {"direction": "incoming"}, {"direction": "outgoing"}, {"line": "902"}, {"number": "0671234567"})


def of(calls, filters):
    way = {"incoming": "0", "outgoing": "1"}.get(filters.get("direction"))
    return [
        one for one in calls if way in (None, one.call_type) and filters.get("line", one.line) == one.line
    ]  # what a report with such filters is given


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("last", [DAY, date(2024, 5, 3)])
def test_odd_reports_are_whole_in_every_language(name, last, tmp_path):
    for filters in FILTERS:
        made = period(*of(ODD[name], filters), last=last, **filters)
        for labels in map(Labels, LANGUAGES):
            path = saved(made, tmp_path, labels)
            book = openpyxl.load_workbook(path)
            texts = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
            assert not {"None", "nan", "{count}"} & set(map(str, filter(None, texts)))
            has_bars = made.totals.answered or made.totals.lost
            assert len(charts(path)) == bool(has_bars)  # no empty one
            assert (labels["sheet week"] in book.sheetnames) == (
                last != DAY and made.count > 0 and made.selection.knows_incoming
            )
            mail, short = report_mail(made, labels), report_in_short(made, labels, None)
            for text in (mail.subject, mail.text, mail.html, short.text):
                assert not {"None", "nan"} & set(text.split())


def test_a_time_that_has_not_begun_has_no_days(tmp_path):
    made = period(first=date(2024, 5, 2), as_of=at("09:00"))
    assert list(made.days) == []
    book = opened(made, tmp_path)
    assert (book.sheetnames, book["Summary"]["A2"].value) == (["Summary"], "There were no calls.")
    assert "There were no calls." in report_mail(made, EN).text
    assert len(list(hours_table(made, EN).rows())) == 24
