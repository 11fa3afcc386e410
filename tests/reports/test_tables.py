"""What stands in the tables for what a call does not have, and for numbers of any country."""

from zoneinfo import ZoneInfo

import pytest

from common.calls.call import Call
from common.labels import Labels
from common.reports.figures import Report, Selection
from common.reports.tables import calls_table, employees_table, lost_table
from helpers import DAY, call, entry, report

NOBODY = {"employeeName": "", "employeeEmail": "", "internalNumber": None}


@pytest.mark.parametrize(("language", "words"), [("uk", "без лінії"), ("en", "no line"), ("ru", "без линии")])
def test_a_call_without_a_line_says_so(language, words):
    labels = Labels(language)
    made = report(call("10:00", "BUSY", **NOBODY), call("10:20", callType="1", **NOBODY))
    assert [row[5] for row in calls_table(made, labels).rows()] == [words, words]
    assert [row[:5] for row in employees_table(made, labels).rows()] == [(words, 0, 1, 1, 1)]
    assert [row[-1] for row in lost_table(made, labels).rows()] == [words]


def test_an_employee_without_a_line_is_no_line():
    made = report(call("10:00", internalNumber=""))
    assert [row[4:6] for row in calls_table(made, Labels("en")).rows()] == [("Олена", "")]


@pytest.mark.parametrize(
    ("zone", "number", "shown"),
    [
        *(("Asia/Almaty", number, "+77011234567") for number in ("77011234567", "+77011234567", "87011234567")),
        *(("Europe/Kyiv", number, "+380671234567") for number in ("380671234567", "0671234567", 380671234567)),
        *(("Asia/Tbilisi", number, "+995555123456") for number in ("555123456", "995555123456")),
        *(("Europe/Kyiv", number, number) for number in ("101", "0800123456", "902")),
        *(("Europe/Kyiv", number, "hidden number") for number in ("", None)),
        ("Europe/Kyiv", "anonymous", "anonymous"),
    ],
)
def test_numbers_are_shown_in_one_form_by_the_accounts_country(zone, number, shown):
    timezone = ZoneInfo(zone)
    calls = [Call.from_entry(entry("10:00", "CANCEL", number=number), timezone)]
    made = Report.of(Selection.of_day(DAY, timezone), calls)
    assert [row[2] for row in calls_table(made, Labels("en")).rows()] == [shown]
    assert [row[0] for row in lost_table(made, Labels("en")).rows()] == [shown]


def test_forms_of_one_number_are_one_caller():
    forms = ("0671234567", "380671234567", "+380671234567", "+38 (067) 123-45-67")
    made = report(*(call(f"10:0{index}", "CANCEL", number=form) for index, form in enumerate(forms)))
    assert [row[:3] for row in lost_table(made, Labels("en")).rows()] == [("+380671234567", "", 4)]
