"""What is counted, and how."""

from datetime import date

import pytest

from common.calls import Call
from common.report import EmployeeTotals, LostCaller, Report, Totals
from helpers import DAY, KYIV, at, call, report
from sandbox import Company

OUT = {"callType": "1"}


def test_an_empty_day_has_zeros_and_no_averages():
    assert report().totals == Totals(0, 0, 0, 0, None, 0, 0, 0, None)
    assert report().lost_callers == []
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
    made = report(call("10:00", "CANCEL", generalCallID="lost"), later)
    assert (made.callbacks["lost"] == later) is expected
    assert made.totals.called_back == expected


def test_in_the_hour_that_comes_twice_later_is_later():
    autumn = date(2024, 10, 27)
    lost = call(at("03:50", autumn), "CANCEL", generalCallID="lost")
    answered = call(at("03:10", autumn, fold=1), "ANSWER", generalCallID="answered", **OUT)
    assert (answered.start.time() < lost.start.time(), answered.unix_start - lost.unix_start) == (True, 20 * 60)
    made = Report.of_day(autumn, [answered, lost])
    assert made.calls == [lost, answered]
    assert made.callbacks == {"lost": answered}
    assert made.totals.median_callback_seconds == 20 * 60
    assert (
        Report.of_day(
            autumn, [call(at("03:50", autumn, fold=1), "CANCEL"), call(at("03:55", autumn), **OUT)]
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
    assert made.lost_callers == [
        LostCaller("0504444444", "", 2, 1, at("09:10"), at("09:50"), None),
        LostCaller("+380503333333", "", 2, 2, at("09:40"), at("11:40"), None),
        LostCaller("0502222222", "", 1, 1, at("09:30"), at("09:30"), None),
        LostCaller("380501111111", "Перший", 2, 0, at("09:00"), at("09:05"), made.calls[-2]),
    ]
    assert made.calls[-2].start == at("10:00")


@pytest.mark.parametrize(
    ("number", "dialable"),
    [
        ("0671234567", "0671234567"),
        ("380671234567", "+380671234567"),
        ("+38 (067) 123-45-67", "+380671234567"),
        ("+48123456789", "+48123456789"),
        ("anonymous", ""),
    ],
)
def test_a_lost_callers_number_can_be_dialled(number, dialable):
    assert report(call("10:00", "CANCEL", number=number)).lost_callers[0].dialable == dialable


def test_callers_without_a_number_stand_under_what_the_server_calls_them():
    made = report(
        *(
            call(f"10:0{index}", "CANCEL", number=name)
            for index, name in enumerate(("", "Private", "private", "sip:ivan"))
        )
    )
    assert [(caller.number, caller.times) for caller in made.lost_callers] == [("private", 2), ("", 1), ("sip:ivan", 1)]


def test_hours_are_those_of_the_wall_clock():
    made = report(call("09:00"), call("09:59:59", "BUSY"), call("23:59:59", **OUT), call("09:30", "SMS-SUCCESS", **OUT))
    hours = {totals.hour: (totals.answered, totals.lost, totals.outgoing) for totals in made.hours}
    assert hours == dict.fromkeys(range(24), (0, 0, 0)) | {9: (1, 1, 0), 23: (0, 0, 1)}


def test_employees_are_those_who_did_the_most_first():
    made = report(
        call("09:00", employeeName="Олена", billsec=10),
        call("09:10", employeeName="Олена", billsec=20, **OUT),
        call("09:20", "NOANSWER", employeeName="Олена", **OUT),
        call("09:30", employeeName="", employeeEmail="ihor@example.com", billsec=5),
        call("09:40", "NOANSWER", employeeName="", employeeEmail="", internalNumber="900"),
    )
    assert made.employees == [
        EmployeeTotals("Олена", answered=1, outgoing=2, outgoing_answered=1, talk_seconds=30),
        EmployeeTotals("ihor@example.com", answered=1, talk_seconds=5),
        EmployeeTotals("900", is_line=True, lost=1),
    ]


@pytest.mark.parametrize("day", [DAY, date(2024, 3, 31), date(2024, 10, 27), date(2024, 5, 5)])
def test_the_parts_of_a_made_up_day_add_up(day):
    calls = [Call.from_entry(entry, KYIV) for entry in Company(3, 300).calls_of_day(day)]
    made = Report.of_day(day, calls)
    totals = made.totals
    assert len(made.calls) == len(calls) > 20
    assert sum(hour.answered for hour in made.hours) == sum(who.answered for who in made.employees) == totals.answered
    assert sum(hour.lost for hour in made.hours) == sum(who.lost for who in made.employees) == totals.lost
    assert sum(hour.outgoing for hour in made.hours) == sum(who.outgoing for who in made.employees) == totals.outgoing
    assert sum(caller.times for caller in made.lost_callers) == totals.lost
    assert sum(caller.waiting for caller in made.lost_callers) == totals.not_called_back
    assert totals.answered + totals.lost <= totals.incoming
    assert sum(who.talk_seconds for who in made.employees) == totals.talk_seconds
    assert sum(bool(callback) for callback in made.callbacks.values()) == totals.called_back
    assert all(callback is None or callback.start > start_of(made, lost) for lost, callback in made.callbacks.items())


def start_of(made, general_call_id):
    return next(call.start for call in made.calls if call.general_call_id == general_call_id)
