"""What is counted, and how."""

import re
import statistics
from datetime import date, timedelta

import pytest

from common.calls.call import Call, Calls, in_time_order
from common.reports.figures import Counts, EmployeeCounts, LostCaller, Report, Selection, Totals
from common.sandbox.company import Company
from helpers import DAY, KYIV, at, call, entry, report

OUT = {"callType": "1"}


def test_an_empty_day_has_zeros_and_no_averages():
    assert report().totals == Totals(0, 0, 0, 0, None, 0, 0, 0, None)
    assert report().lost_callers == {}
    assert report().employees == []


def test_totals_of_a_day():
    totals = report(
        call("09:00", "ANSWER", waitsec=10, billsec=60),
        call("09:10", "TRANSFER", number="0501111111", waitsec="20", billsec="30"),
        call("09:20", "NOANSWER", number="0502222222", billsec=0),
        call("09:50", "ANSWER", number="+380502222222", billsec=100, **OUT),
        call("10:00", "BUSY", number="0503333333", billsec=0),
        call("10:10", "NOANSWER", number="0503333333", billsec=0, **OUT),
        call("10:20", "ONLINE", number="0504444444"),
        call("10:30", "UNHEARD-OF", number="0505555555"),
        call("10:40", "SMS-SUCCESS", number="0503333333", **OUT),
        call("10:50", "SUCCESS", number="0506666666"),
    ).totals
    assert totals == Totals(
        incoming=6,
        answered=2,
        lost=2,
        called_back=1,
        median_callback_seconds=30 * 60,
        outgoing=2,
        outgoing_answered=1,
        talk_seconds=190,
        average_wait_seconds=15,
    )
    assert (totals.not_called_back, totals.other) == (1, 2)


def test_everything_stays_in_the_list_in_time_order():
    calls = [call("12:00"), call("10:40", "SMS-SUCCESS"), call("11:00", "SUCCESS"), call("09:00", "UNHEARD-OF")]
    assert report(*calls).calls == [calls[3], calls[1], calls[2], calls[0]]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (call("10:30", "ANSWER", **OUT), True),
        (call("10:30", "ANSWER"), True),  # the caller tried again and was answered
        (call("10:30", "TRANSFER"), True),
        (call("10:30", "NOANSWER", **OUT), False),
        (call("10:30", "ONLINE", **OUT), False),
        (call("10:30", "SMS-SUCCESS", **OUT), False),
        (call("09:30", "ANSWER", **OUT), False),  # before, not after
        (call("10:00", "ANSWER", **OUT), False),  # at the same moment
        (call("10:30", "ANSWER", number="0671234560", **OUT), False),
    ],
)
def test_who_counts_as_called_back(later, expected):
    lost = call("10:00", "CANCEL")
    made = report(lost, later)
    assert made.is_called_back(lost) is expected
    assert made.totals.called_back == expected
    assert [(caller.waiting, caller.callback) for caller in made.lost_callers.values()] == [
        ([], later.start) if expected else ([lost.unix_start], None)
    ]


def test_in_the_hour_that_comes_twice_later_is_later():
    autumn = date(2024, 10, 27)
    lost = call(at("03:50", autumn), "CANCEL", generalCallID="lost")
    answered = call(at("03:10", autumn, fold=1), "ANSWER", generalCallID="answered", **OUT)
    assert (answered.start.time() < lost.start.time(), answered.unix_start - lost.unix_start) == (True, 20 * 60)
    made = report(answered, lost, day=autumn)
    assert made.calls == [lost, answered]
    assert made.is_called_back(lost)
    assert made.totals.median_callback_seconds == 20 * 60
    assert (
        report(
            call(at("03:50", autumn, fold=1), "CANCEL"), call(at("03:55", autumn), **OUT), day=autumn
        ).totals.called_back
        == 0
    )


def test_a_hidden_number_is_never_called_back():
    made = report(call("10:00", "CANCEL", number=""), call("11:00", "ANSWER", number=""))
    assert made.totals.not_called_back == 1


def test_each_lost_caller_stands_once_and_the_worst_first():
    made = report(
        call("09:00", "CANCEL", number="0501111111", customerData={"name": "Перший"}),
        call("09:05", "CANCEL", number="380501111111"),
        call("10:00", "ANSWER", number="0501111111", **OUT),
        call("09:30", "BUSY", number="0502222222"),
        call("09:40", "NOANSWER", number="0503333333"),
        call("11:40", "VM", number="+380503333333"),
        call("09:10", "NOANSWER", number="0504444444"),
        call("09:20", "ANSWER", number="0504444444"),
        call("09:50", "NOANSWER", number="0504444444"),  # spoken to, and lost again
        call("09:15", "ANSWER", number="0505555555"),
    )
    assert [(key, caller.number, caller.times, len(caller.waiting)) for key, caller in made.lost_callers.items()] == [
        ("503333333", "+380503333333", 2, 2),
        ("504444444", "+380504444444", 2, 1),
        ("502222222", "+380502222222", 1, 1),
        ("501111111", "+380501111111", 2, 0),
    ]
    assert made.lost_callers["501111111"] == LostCaller(
        "+380501111111",
        "+380501111111",
        "Перший",
        first=at("09:00"),
        last=at("09:05"),
        times=2,
        waiting=[],
        callback=at("10:00"),
        callback_by="Олена",
        spoken=at("10:00").timestamp(),
    )


def test_callers_without_a_number_stand_under_what_the_server_calls_them():
    made = report(
        *(
            call(f"10:0{index}", "CANCEL", number=name)
            for index, name in enumerate(("", "Private", "private", "sip:ivan"))
        )
    )
    assert [(caller.number, caller.times) for caller in made.lost_callers.values()] == [
        ("private", 2),
        ("", 1),
        ("sip:ivan", 1),
    ]


def test_hours_are_those_of_the_wall_clock():
    made = report(call("09:00"), call("09:59:59", "BUSY"), call("23:59:59", **OUT), call("09:30", "SMS-SUCCESS", **OUT))
    wednesday = 2 * 24
    hours = {
        index - wednesday: (counts.answered, counts.lost, counts.outgoing)
        for index, counts in enumerate(made.week)
        if counts != Counts()
    }
    assert hours == {9: (1, 1, 0), 23: (0, 0, 1)}


def test_days_are_all_of_the_time_in_order():
    selection = Selection(at("09:00", date(2024, 3, 30)), at("18:00", date(2024, 4, 2)))
    calls = [call(at("00:00", date(2024, 3, 31))), call(at("23:59:59", date(2024, 3, 31)), "BUSY")]
    made = Report.of(selection, calls)
    assert made.days == {
        date(2024, 3, 30): Counts(),
        date(2024, 3, 31): Counts(answered=1, lost=1, talk_seconds=68),
        date(2024, 4, 1): Counts(),
        date(2024, 4, 2): Counts(),
    }
    assert not made.is_of_one_day
    assert list(Report.of(selection, calls, as_of=at("10:00", date(2024, 4, 1))).days)[-1] == date(2024, 4, 1)


def test_an_hour_of_the_week_is_counted_as_often_as_the_time_had_it():
    monday = date(2024, 4, 29)
    made = Report.of(
        Selection(at("10:30", monday), at("23:59:59", date(2024, 5, 7))), [], as_of=at("09:15", date(2024, 5, 7))
    )
    times = made.hours_of_the_week()
    assert times[:24] == 10 * [1] + 14 * [2]  # two Mondays, of which the first begins at 10:30
    assert times[24:48] == 10 * [2] + 14 * [1]  # two Tuesdays, of which the second is not over
    assert times[48:] == 5 * 24 * [1]


@pytest.mark.parametrize(
    ("selection", "name"),
    [
        (Selection.of_day(DAY, KYIV), "2024-05-01"),
        (Selection(at("00:00"), at("23:59:59", date(2024, 5, 31))), "2024-05-01--2024-05-31"),
        (Selection(at("09:00"), at("18:00")), "2024-05-01T090000--2024-05-01T180000"),
        (Selection(at("00:00"), at("23:59:59"), "incoming", "901"), "2024-05-01-line-901-incoming"),
        (Selection(at("00:00"), at("23:59:59"), number="0671234567"), "2024-05-01-number-0671234567"),
        (Selection(at("00:00"), at("23:59:59"), customer_id="6611"), "2024-05-01-customer-6611"),
    ],
)
def test_every_selection_has_a_name_of_its_own(selection, name):
    assert selection.name == name


def test_employees_are_those_who_did_the_most_first():
    made = report(
        call("09:00", employeeName="Олена", billsec=10),
        call("09:10", employeeName="Олена", billsec=20, **OUT),
        call("09:20", "NOANSWER", employeeName="Олена", **OUT),
        call("09:30", employeeName="", employeeEmail="ihor@example.com", billsec=5),
        call("09:40", "NOANSWER", employeeName="", employeeEmail="", internalNumber="900"),
    )
    assert made.employees == [
        EmployeeCounts(name="Олена", answered=1, outgoing=2, outgoing_answered=1, talk_seconds=30),
        EmployeeCounts(name="ihor@example.com", answered=1, talk_seconds=5),
        EmployeeCounts(name="900", is_line=True, lost=1),
    ]


def told_by_looking_at_every_pair(calls):
    """Lost calls' ids -> the first later answered call with the same number, the slow way."""
    answered = [call for call in calls if call.is_answered and call.number_key]
    return {
        lost.general_call_id: next(
            (call for call in answered if call.number_key == lost.number_key and call.unix_start > lost.unix_start),
            None,
        )
        for lost in calls
        if lost.is_lost
    }


@pytest.mark.parametrize("first", [DAY, date(2024, 3, 31), date(2024, 10, 27), date(2024, 5, 5)])
@pytest.mark.parametrize("days", [1, 3])
def test_the_parts_of_a_made_up_time_add_up(first, days):
    selection = Selection(at("00:00", first), at("23:59:59", first + timedelta(days=days - 1)))
    entries = Company(3, 300).calls_between(int(selection.start.timestamp()), int(selection.stop.timestamp()))
    calls = sorted((Call.from_entry(entry, KYIV) for entry in entries), key=in_time_order)
    made = Report.of(selection, calls)
    totals = made.totals
    assert made.count == len(calls) > 20
    for parts in (made.week, made.employees, made.days.values()):
        for name in ("answered", "lost", "outgoing", "outgoing_answered", "talk_seconds"):
            assert sum(getattr(part, name) for part in parts) == getattr(totals, name)
    assert totals.answered + totals.lost <= totals.incoming
    assert sum(caller.times for caller in made.lost_callers.values()) == totals.lost

    callbacks = told_by_looking_at_every_pair(calls)
    starts = {call.general_call_id: call.unix_start for call in calls}
    assert {call.general_call_id for call in calls if call.is_lost and made.is_called_back(call)} == {
        lost for lost, callback in callbacks.items() if callback
    }
    waits = [callback.unix_start - starts[lost] for lost, callback in callbacks.items() if callback]
    assert (totals.called_back, totals.median_callback_seconds) == (
        len(waits),
        statistics.median(waits) if waits else None,
    )
    for caller in made.lost_callers.values():
        mine = [call for call in calls if call.is_lost and call.number_key == report_key(caller)]
        assert (caller.times, caller.first, caller.last) == (len(mine), mine[0].start, mine[-1].start)
        assert caller.waiting == [call.unix_start for call in mine if callbacks[call.general_call_id] is None]
        callback = callbacks[mine[-1].general_call_id]
        assert (caller.callback, caller.callback_by) == (
            (callback.start, callback.employee or callback.line) if callback else (None, "")
        )


def report_key(caller):
    return re.sub("[^0-9]", "", caller.number)[-9:]


def test_a_call_between_two_numbers_outside_is_one_call_that_both_were_in():
    legs = {"callType": "1", "internalNumber": "", "employeeName": "", "employeeEmail": ""}
    legs["customerData"] = {"id": "", "name": "Звонок 0321879"}
    entries = [
        entry("09:00", "NOANSWER", number="0501111111", customerData={"name": "Перший"}),
        entry("09:01", "NOANSWER", number="0502222222"),
        entry("10:00", number="0501111111", **legs),
        entry("10:00:10", number="380502222222", **legs),
    ]
    made = Report.of(Selection.of_day(DAY, KYIV), Calls(entries, KYIV))
    assert (made.count, made.totals.outgoing, made.totals.talk_seconds, made.totals.called_back) == (3, 1, 68, 2)
    waiting = [(caller.customer, len(caller.waiting), caller.callback) for caller in made.lost_callers.values()]
    assert waiting == [("Перший", 0, at("10:00")), ("", 0, at("10:00"))]
    assert [(row.name, row.outgoing_answered) for row in made.employees if row.outgoing] == [("", 1)]
