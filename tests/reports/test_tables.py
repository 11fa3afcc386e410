"""What stands in the tables: for what a call does not have, for numbers of any country, with filters, by length."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from common.calls.call import Call
from common.labels import LANGUAGES, Labels
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.tables import (
    Link,
    ages_table,
    calls_table,
    employees_table,
    groups_table,
    hours_table,
    our_numbers_table,
    shortened,
    sources_table,
    spans_table,
    spells_table,
    top_callers_table,
)
from helpers import DAY, at, call, entry, period, report

NOBODY = {"employeeName": "", "employeeEmail": "", "internalNumber": None}
OUT = {"callType": "1"}
EN = Labels("en")


def rung(*lines):
    """The lines that were rung, with those whose they are: ("901", "Олена")."""
    return {
        "dstNumbers": [{"dstNumber": line, "employeeName": name, "disposition": "NOANSWER"} for line, name in lines]
    }


def rows(table):
    return list(table.rows())


@pytest.mark.parametrize(("language", "words"), [("uk", "без лінії"), ("en", "no line"), ("ru", "без линии")])
def test_a_call_without_a_line_says_so(language, words):
    labels = Labels(language)
    made = report(call("10:00", "BUSY", **NOBODY), call("10:20", **OUT, **NOBODY))
    assert [row[7] for row in calls_table(made, labels).rows()] == [words, words]
    assert [row[0] for row in employees_table(made, labels).rows()] == [words]
    assert [row[-1] for row in spells_table(made, labels).rows()] == [words]


def test_an_employee_without_a_line_is_no_line():
    made = report(call("10:00", internalNumber=""))
    assert [row[6:8] for row in calls_table(made, EN).rows()] == [("Олена", "")]


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
    assert [row[2] for row in calls_table(made, EN).rows()] == [shown]
    # Nobody can call a hidden number back; all others are links to a phone.
    is_number = any(letter.isdigit() for letter in shown)
    assert [row[0] for row in spells_table(made, EN).rows()] == [Link(shown, f"tel:{shown}")] * is_number


def test_forms_of_one_number_are_one_caller():
    forms = ("0671234567", "380671234567", "+380671234567", "+38 (067) 123-45-67")
    made = report(*(call(f"10:0{index}", "CANCEL", number=form) for index, form in enumerate(forms)))
    [row] = spells_table(made, EN).rows()
    assert row[:4] == (Link("+380671234567", "tel:+380671234567"), "", "✗ not called back", 4)


def test_every_spell_stands_once_those_whom_to_call_first():
    made = report(
        call("09:00", "CANCEL", number="0501111111"),
        call("09:10", number="0501111111", **OUT),
        call("09:20", "CANCEL", number="0502222222", **rung(("901", "Андрій"), ("902", ""))),
        call("09:30", "VM-SUCCESS", number="0502222222", customerData={"name": "Лікар"}, **rung(("903", ""))),
        call("09:40", "CANCEL", number="0503333333", didName="", didNumber=""),
        call("09:50", number="0503333333"),
        call("10:00", "CANCEL", number="0504444444"),
        call("10:10", "BUSY", number="0504444444", **OUT),
    )
    assert [(number.text, *row) for number, *row in rows(spells_table(made, EN))] == [
        (
            *("+380502222222", "Лікар", "✗ not called back", 2, datetime(2024, 5, 1, 9, 30)),
            *(datetime(2024, 5, 1, 9, 20), "Головна", "Андрій, Олена, Line 903", "yes", None, None, ""),
        ),
        (
            *("+380504444444", "", "… tried, not reached", 1, datetime(2024, 5, 1, 10), datetime(2024, 5, 1, 10)),
            *("Головна", "", "", None, None, ""),
        ),
        (
            *("+380503333333", "", "↺ got through", 1, datetime(2024, 5, 1, 9, 40), datetime(2024, 5, 1, 9, 40)),
            *("number unknown", "", "", datetime(2024, 5, 1, 9, 50), timedelta(minutes=10), "Олена"),
        ),
        (
            *("+380501111111", "", "✓ called back", 1, datetime(2024, 5, 1, 9), datetime(2024, 5, 1, 9)),
            *("Головна", "", "", datetime(2024, 5, 1, 9, 10), timedelta(minutes=10), "Олена"),
        ),
    ]


def test_a_lost_call_says_what_became_of_the_caller():
    calls = [call("09:00", "CANCEL"), call("09:10"), call("09:20", "CANCEL"), call("09:30", "CANCEL", number="")]
    became = [row[5] for row in rows(calls_table(report(*calls), EN))]
    assert became == ["↺ got through", "", "✗ not called back", "lost"]
    assert [row[5] for row in rows(calls_table(period(*calls, line="902"), EN))] == ["lost", "", "lost", "lost"]


def test_a_call_tells_who_is_new_of_which_group_and_from_where():
    made = report(
        call(
            isNewCall=1,
            internalAdditionalData="801 > 902",
            callTrackingData={"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "", "domain": "a.example"},
        )
    )
    [row] = calls_table(made, EN, lambda call: f"file:///{call.general_call_id}.mp3", with_links=True).rows()
    page = "https://my.binotel.ua/f/pbx/#/calls/by-number?subject=0671234567&sacte=ovl-link-pb-100000"
    assert row[10:] == (
        *("new", "801", "0443334001", "Головна", "google / cpc / a.example"),
        Link("listen", "file:///100000.mp3"),
        Link("100000", page),
    )


EMPLOYEE = ("Employee", "Answered", "Missed", "Picked up, %", "Outgoing", "Reached", "Called back")
TALKS = ("Talk time", "Average talk")


@pytest.mark.parametrize(
    ("filters", "headings", "row"),
    [
        ({}, (*EMPLOYEE, *TALKS), ("Олена", 1, 1, 50.0, 2, 1, 1)),
        ({"direction": "incoming"}, (*EMPLOYEE[:4], *TALKS), ("Олена", 1, 1, 50.0)),
        ({"direction": "outgoing"}, ("Employee", *EMPLOYEE[4:6], *TALKS), ("Олена", 2, 1)),
        ({"line": "902"}, (*EMPLOYEE[:6], *TALKS), ("Олена", 1, 1, 50.0, 2, 1)),
    ],
)
def test_employees_have_the_columns_that_a_reports_filters_know(filters, headings, row):
    incoming = [call("09:00"), call("09:10", "CANCEL", number="0501111111", **rung(("902", "")))]
    outgoing = [call("09:20", number="0501111111", **OUT), call("09:30", "BUSY", **OUT)]
    ways = {"incoming": incoming, "outgoing": outgoing}
    table = employees_table(period(*ways.get(filters.get("direction"), incoming + outgoing), **filters), EN)
    assert table.headings == headings
    assert [found[:-2] for found in table.rows()] == [row]


def test_times_show_no_zeros_for_calls_that_were_not_asked_for():
    made = period(call(**OUT), direction="outgoing", last=DAY)
    assert rows(hours_table(made, EN))[10] == ("10", None, None, None, 1, 1, timedelta(seconds=68))
    made = period(call(), call("11:00", "CANCEL"), direction="incoming")
    assert rows(spans_table(made, EN)[1])[0] == (DAY, 1, 1, 50.0, None, None, None, timedelta(seconds=68))


def test_our_numbers_groups_and_sources_are_counted_alike():
    where = {
        "internalAdditionalData": "801 > 902",
        "isNewCall": 1,
        "callTrackingData": {"utm_source": "google", "domain": "a.example"},
    }
    made = report(call("09:00", waitsec=30, **where), call("09:10", "CANCEL", waitsec=9, number="0502222222", **where))
    counts = (2, 1, 1, 50.0, 0.0, 2)
    assert rows(our_numbers_table(made, EN)) == [("0443334001", "Головна", *counts)]
    assert rows(groups_table(made, EN)) == [("801", *counts)]
    assert rows(sources_table(made, EN)) == [("google", "", "", "a.example", *counts)]


@pytest.mark.parametrize(
    ("days", "name", "count", "first", "last"),
    [
        (1, "day", 1, DAY, DAY),
        (45, "day", 45, DAY, date(2024, 6, 14)),
        (46, "week", 7, date(2024, 4, 29), date(2024, 6, 10)),
        (180, "week", 26, date(2024, 4, 29), date(2024, 10, 21)),
        (181, "month", 6, "May 2024", "October 2024"),
        (366, "month", 13, "May 2024", "May 2025"),
    ],
)
def test_a_period_is_looked_at_by_day_by_week_or_by_month(days, name, count, first, last):
    stop = DAY + timedelta(days=days - 1)
    made = period(call(), call(at("10:00", stop), "CANCEL"), last=stop)
    found, table = spans_table(made, EN)
    spans = rows(table)
    assert (found, len(spans), spans[0][0], spans[-1][0]) == (name, count, first, last)
    assert (sum(row[1] for row in spans), sum(row[2] for row in spans)) == (1, 1)


def test_a_day_tells_how_far_it_is_from_the_same_weekday_and_a_week_from_the_week_before():
    calls = (
        call(),
        call(at("10:00", date(2024, 5, 8))),
        call(at("10:05", date(2024, 5, 8)), "CANCEL"),
        call(at("10:00", date(2024, 5, 9))),
    )
    table = spans_table(period(*calls, last=date(2024, 5, 9)), EN)[1]
    assert table.headings[3:5] == ("Answered, %", "In a week, pp")
    assert [row[3:5] for row in table.rows()] == [(100.0, None), *[(None, None)] * 6, (50.0, -50.0), (100.0, None)]
    table = spans_table(period(*calls, last=DAY + timedelta(days=45)), EN)[1]
    assert table.headings[3:5] == ("Answered, %", "Change, pp")
    assert [row[3:5] for row in table.rows()] == [(100.0, None), (66.7, -33.3), *[(None, None)] * 5]


def test_those_who_wait_are_counted_by_how_long():
    made = period(
        *(
            call(at(time, day), "CANCEL", number=f"05000000{index:02}")
            for index, (time, day) in enumerate(
                [
                    ("23:30", date(2024, 5, 8)),
                    ("22:59:59", date(2024, 5, 8)),  # an hour
                    ("12:00", date(2024, 5, 8)),
                    ("12:00", date(2024, 5, 6)),
                    ("12:00", date(2024, 5, 3)),
                    ("12:00", DAY),
                ]
            )
        )
    )
    assert rows(ages_table(made, EN)) == [
        ("under 1h", 1),
        ("under 4h", 1),
        ("under 1d", 1),
        ("under 3d", 1),
        ("under 7d", 1),
        ("over 7d", 1),
    ]


def test_those_who_call_most_are_ten_at_most():
    made = report(*(call(f"10:{index:02}", number=f"05000000{index % 12:02}") for index in range(25)))
    found = rows(top_callers_table(made, EN))
    assert len(found) == 10
    assert found[0] == (Link("+380500000000", "tel:+380500000000"), "", 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_table_has_two_columns_of_one_name(language):
    """Excel holds such a workbook to be broken."""
    labels, made = Labels(language), period(call())
    tables = [calls_table, spells_table, employees_table, our_numbers_table, groups_table, sources_table]
    tables += [hours_table, top_callers_table, ages_table, lambda *what: spans_table(*what)[1]]
    for table in tables:
        headings = [heading.lower() for heading in table(made, labels).headings]
        assert len(set(headings)) == len(headings)


def test_a_text_is_shortened_where_it_must_be():
    assert [shortened("Олена, Андрій", most) for most in (13, 12, 7)] == ["Олена, Андрій", "Олена, Андр…", "Олена…"]
