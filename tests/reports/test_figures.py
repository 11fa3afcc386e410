"""What a report is of, beside its figures: those are all held in test_how_we_count.py."""

from collections import Counter
from dataclasses import fields
from datetime import date, timedelta

import pytest

from common.calls.call import Call, Calls, in_time_order
from common.reports.figures import Caller, Counts, Report, Selection, Waits, median, percent, tenths
from common.sandbox.company import Company
from helpers import DAY, KYIV, at, call, entry, period, report

OUT = {"callType": "1"}


def test_an_empty_day_has_zeros_and_no_averages():
    made = report()
    assert (made.count, made.totals, made.waits_answered) == (0, Counts(), Waits(None, None, None))
    assert (made.spells, made.to_call, made.employees, made.our_numbers, made.groups, made.sources) == (
        {},
        [],
        *4 * ({},),
    )
    assert (made.totals.answered_percent, made.totals.service_level_percent, made.totals.average_talk_seconds) == (
        *3 * (None,),
    )


def test_everything_stays_in_the_list_in_time_order():
    calls = [call("12:00"), call("10:40", "SMS-SUCCESS"), call("11:00", "SUCCESS"), call("09:00", "UNHEARD-OF")]
    made = report(*calls)
    assert made.calls == [calls[3], calls[1], calls[2], calls[0]]
    assert (made.count, made.totals.incoming) == (4, 2)


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


@pytest.mark.parametrize(
    ("filters", "is_filtered", "knows"),
    [
        ({}, False, (True, True, True)),
        ({"direction": "incoming"}, False, (True, False, False)),
        ({"direction": "outgoing"}, False, (False, True, False)),
        ({"line": "901"}, True, (True, True, False)),
        ({"number": "0671234567"}, True, (True, True, True)),
        ({"customer_id": "6611"}, True, (True, True, True)),
    ],
)
def test_a_selection_says_what_can_be_known_of_its_calls(filters, is_filtered, knows):
    selection = Selection(at("00:00"), at("23:59:59"), **filters)
    assert selection.is_filtered == is_filtered
    assert (selection.knows_incoming, selection.knows_outgoing, selection.knows_spells) == knows
    assert (period(call(), **filters).spells is not None) == knows[2]


def test_days_are_all_of_the_time_as_far_as_it_is_over():
    selection = Selection(at("09:00", date(2024, 3, 30)), at("18:00", date(2024, 4, 2)))
    calls = [call(at("00:00", date(2024, 3, 31))), call(at("23:59:59", date(2024, 3, 31)), "BUSY")]
    made = Report.of(selection, calls)
    assert list(made.days) == [date(2024, 3, 30), date(2024, 3, 31), date(2024, 4, 1), date(2024, 4, 2)]
    assert [row.incoming for row in made.days.values()] == [0, 2, 0, 0]
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


def test_tables_begin_with_those_that_have_the_most_calls():
    made = report(
        call("09:00", employeeName="Олена", didNumber="0441111111"),
        call("09:10", employeeName="Олена", **OUT),
        call("09:20", employeeName="Андрій", didNumber="0442222222"),
        call("09:30", employeeName="", employeeEmail="", internalNumber="900", didNumber="0442222222"),
        call("09:40", employeeName="", employeeEmail="", internalNumber="", number="0501111111"),
    )
    assert [(name, row.is_line) for name, row in made.employees.items()] == [
        ("Олена", False),
        *(("", True), ("900", True), ("Андрій", False)),  # equal ones in the order of their names
    ]
    assert list(made.our_numbers) == ["0442222222", "0441111111", "0443334001"]
    assert made.top_callers == [Caller("0671234567", "", 3), Caller("0501111111", "", 1)]


def test_those_whom_to_call_are_sorted_by_what_is_most_urgent():
    client = {"customerData": {"id": "7", "name": "Клієнт"}}
    made = report(
        call("09:00", "CANCEL", number="0501111111"),
        call("09:01", "CANCEL", number="0502222222"),
        call("09:02", "CANCEL", number="0502222222"),
        call("09:03", "CANCEL", number="0503333333", **client),
        call("09:04", "VM-SUCCESS", number="0504444444"),
        call("09:05", "CANCEL", number="0505555555"),
        call("09:06", "NOANSWER", number="0505555555", **OUT),
    )
    assert [(spell.number[-1], spell.state) for spell in made.to_call] == [
        ("4", "nobody"),
        ("3", "nobody"),
        ("2", "nobody"),
        ("1", "nobody"),
        ("5", "tried"),
    ]


def test_a_lost_call_belongs_to_the_spell_that_it_is_part_of():
    lost = [call(time, "CANCEL") for time in ("09:00", "09:30", "11:00", "12:00")]
    hidden = call("12:30", "CANCEL", number="")
    made = report(*lost[:2], call("10:00", **OUT), *lost[2:], hidden)
    first, second = made.spells["671234567"]
    assert [made.spell_of(one) for one in (*lost, hidden)] == [first, first, second, second, None]
    assert (first.state, first.times, second.state, second.times) == ("called_back", 2, "nobody", 2)


@pytest.mark.parametrize("first", [DAY, date(2024, 3, 31), date(2024, 10, 27), date(2024, 5, 5)])
@pytest.mark.parametrize("days", [1, 3])
def test_the_parts_of_a_made_up_time_add_up(first, days):
    selection = Selection(at("00:00", first), at("23:59:59", first + timedelta(days=days - 1)))
    entries = Company(3, 300).calls_between(int(selection.start.timestamp()), int(selection.stop.timestamp()))
    calls = sorted((Call.from_entry(entry, KYIV) for entry in entries), key=in_time_order)
    made = Report.of(selection, calls)
    totals = made.totals
    assert made.count == len(calls) > 20
    for parts in (made.days.values(), made.hours, made.week):
        total = Counts()
        for part in parts:
            total.include(part)
        assert total == totals
    of_incoming = ("incoming", "answered", "lost", "other", "at_once", "soon")
    assert [sum(getattr(row, name) for row in made.our_numbers.values()) for name in of_incoming] == [
        getattr(totals, name) for name in of_incoming
    ]
    of_employees = ("answered", "outgoing", "outgoing_answered", "talk_seconds")
    assert [sum(getattr(row, name) for row in made.employees.values()) for name in of_employees] == [
        getattr(totals, name) for name in of_employees
    ]
    assert totals.incoming == totals.answered + totals.lost + totals.other
    figures, spells = made.spell_figures, [spell for of_caller in made.spells.values() for spell in of_caller]
    assert figures.total == figures.called_back + figures.got_through + figures.tried + figures.nobody == len(spells)
    assert len(made.to_call) == figures.tried + figures.nobody
    hidden = sum(call.is_lost and not call.number_key for call in calls)
    assert sum(spell.times for spell in spells) == totals.lost - hidden
    assert sum(row.callbacks for row in made.employees.values()) == figures.called_back


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
    assert (made.count, made.totals.outgoing, made.totals.talk_seconds) == (3, 1, 68)
    assert made.spell_figures.called_back == 2
    assert [(spell.name, spell.ended) for [spell] in made.spells.values()] == [
        ("Перший", at("10:00")),
        ("", at("10:00")),
    ]
    assert [(name, row.outgoing_answered) for name, row in made.employees.items() if row.outgoing] == [("", 1)]


def test_what_cannot_be_read_is_counted_and_nothing_else():
    entries = [entry("09:00"), "no entry", entry("10:00", startTime="never"), entry("11:00", "CANCEL")]
    made = Report.of(Selection.of_day(DAY, KYIV), Calls(entries, KYIV))
    assert (made.count, made.unreadable, made.totals.answered, made.totals.lost) == (2, 2, 1, 1)


def test_counts_of_several_times_are_added_up():
    one = Counts(**{each.name: place for place, each in enumerate(fields(Counts), 1)})
    total = Counts()
    total.include(one)
    total.include(one)
    assert [getattr(total, each.name) for each in fields(Counts)] == list(range(2, 20, 2))


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(0, 0, None), (0, 3, 0.0), (1, 3, 33.3), (2, 3, 66.7), (1, 8, 12.5), (1, 16, 6.3), (3, 3, 100.0), (1, 2000, 0.1)],
)
def test_shares_have_one_decimal_and_halves_go_up(part, whole, share):
    assert percent(part, whole) == share


def test_averages_and_medians_of_nothing_are_nothing():
    assert (tenths(0, 0), median(Counter())) == (None, None)
    assert (tenths(7, 2), median(Counter({3: 1, 4: 1})), median(Counter({5: 2, 9: 1}))) == (3.5, 3.5, 5.0)
