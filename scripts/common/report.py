"""Calls -> a Report: totals, by hour, by employee, who was lost. Numbers only, no format."""

import bisect
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from common.calls import Call


@dataclass(frozen=True)
class Totals:
    """The numbers of a day. SMS and fax are not counted; unknown dispositions are neither answered nor lost.

    lost, called_back:       calls, not callers; called_back is a part of lost
    median_callback_seconds: from a lost call to the first later answered one with the same number
    talk_seconds:            of all answered calls, both ways
    average_wait_seconds:    of answered incoming calls
    """

    incoming: int
    answered: int
    lost: int
    called_back: int
    median_callback_seconds: float | None
    outgoing: int
    outgoing_answered: int
    talk_seconds: int
    average_wait_seconds: float | None

    @property
    def other(self) -> int:
        """Incoming calls that are neither answered nor lost: those that go on, and those with unknown results."""
        return self.incoming - self.answered - self.lost

    @property
    def not_called_back(self) -> int:
        return self.lost - self.called_back


@dataclass
class HourTotals:
    """What began within one hour of the wall clock."""

    hour: int
    answered: int = 0
    lost: int = 0
    outgoing: int = 0


@dataclass
class EmployeeTotals:
    """What one employee did; a line without an employee (a group line) stands under its number."""

    name: str
    is_line: bool = False
    answered: int = 0
    lost: int = 0
    outgoing: int = 0
    outgoing_answered: int = 0
    talk_seconds: int = 0


@dataclass(frozen=True)
class LostCaller:
    """A caller who was lost at least once.

    times, waiting: how often lost, and how often so since somebody last spoke to the caller
    callback:       the first answered call after the last lost one; None while the caller waits
    """

    number: str
    customer: str
    times: int
    waiting: int
    first: datetime
    last: datetime
    callback: Call | None

    @property
    def dialable(self) -> str:
        """The number as a phone dials it from anywhere, as far as it tells; "" when it is hidden."""
        digits = re.sub(r"[^0-9]", "", self.number)
        international = self.number.startswith("+") or (digits.startswith("380") and len(digits) == len("380671234567"))
        return f"+{digits}" if digits and international else digits


@dataclass(frozen=True)
class Report:
    """A day's calls, counted.

    calls:     everything in the list, SMS and fax too, in time order
    callbacks: a lost call's general_call_id -> the first later answered call with that number, or None
    as_of:     when the calls were asked for, if the day was not over then; else None
    """

    day: date
    as_of: datetime | None
    calls: list[Call]
    totals: Totals
    hours: list[HourTotals]
    employees: list[EmployeeTotals]
    lost_callers: list[LostCaller]
    callbacks: dict[str, Call | None]

    @classmethod
    def of_day(cls, day: date, calls: Iterable[Call], as_of: datetime | None = None) -> "Report":
        calls = sorted(calls, key=lambda call: (call.unix_start, call.general_call_id))
        callbacks = _callbacks(calls)
        return cls(
            day=day,
            as_of=as_of,
            calls=calls,
            totals=_totals(calls, callbacks),
            hours=_by_hour(calls),
            employees=_by_employee(calls),
            lost_callers=_lost_callers(calls, callbacks),
            callbacks=callbacks,
        )


def _callbacks(calls: list[Call]) -> dict[str, Call | None]:
    answered = defaultdict(list)
    for call in calls:
        if call.is_answered and call.number_key:
            answered[call.number_key].append(call)
    callbacks: dict[str, Call | None] = {}
    for call in calls:
        if call.is_lost:
            later = answered.get(call.number_key, [])
            index = bisect.bisect_right(later, call.unix_start, key=lambda candidate: candidate.unix_start)
            callbacks[call.general_call_id] = later[index] if index < len(later) else None
    return callbacks


def _totals(calls: list[Call], callbacks: dict[str, Call | None]) -> Totals:
    incoming = [call for call in calls if call.is_incoming]
    outgoing = [call for call in calls if call.is_outgoing]
    answered = [call for call in incoming if call.is_answered]
    lost = [call for call in incoming if call.is_lost]
    waits = [callback.unix_start - call.unix_start for call in lost if (callback := callbacks[call.general_call_id])]
    return Totals(
        incoming=len(incoming),
        answered=len(answered),
        lost=len(lost),
        called_back=len(waits),
        median_callback_seconds=statistics.median(waits) if waits else None,
        outgoing=len(outgoing),
        outgoing_answered=sum(call.is_answered for call in outgoing),
        talk_seconds=sum(call.talk_seconds for call in (*incoming, *outgoing) if call.is_answered),
        average_wait_seconds=statistics.fmean(call.wait_seconds for call in answered) if answered else None,
    )


def _by_hour(calls: list[Call]) -> list[HourTotals]:
    hours = [HourTotals(hour) for hour in range(24)]
    for call in calls:
        totals = hours[call.start.hour]
        totals.answered += call.is_incoming and call.is_answered
        totals.lost += call.is_lost
        totals.outgoing += call.is_outgoing
    return hours


def _by_employee(calls: list[Call]) -> list[EmployeeTotals]:
    employees: dict[str, EmployeeTotals] = {}
    for call in calls:
        if not (call.is_incoming or call.is_outgoing):
            continue
        name = call.employee or call.line
        totals = employees.setdefault(name, EmployeeTotals(name, is_line=not call.employee))
        totals.answered += call.is_incoming and call.is_answered
        totals.lost += call.is_lost
        totals.outgoing += call.is_outgoing
        totals.outgoing_answered += call.is_outgoing and call.is_answered
        totals.talk_seconds += call.talk_seconds if call.is_answered else 0
    return sorted(employees.values(), key=lambda totals: (-totals.answered - totals.outgoing, totals.name))


def _lost_callers(calls: list[Call], callbacks: dict[str, Call | None]) -> list[LostCaller]:
    """Each lost caller once, the worst first: not called back, then the most often lost, then the first lost."""
    lost = defaultdict(list)
    names: dict[str, str] = {}
    for call in calls:
        if call.is_lost:
            lost[call.number_key or call.number.lower()].append(call)
        if call.customer and call.number_key:
            names[call.number_key] = call.customer
    callers = [
        LostCaller(
            number=mine[-1].number,
            customer=names.get(key, ""),
            times=len(mine),
            waiting=sum(callbacks[call.general_call_id] is None for call in mine),
            first=mine[0].start,
            last=mine[-1].start,
            callback=callbacks[mine[-1].general_call_id],
        )
        for key, mine in lost.items()
    ]
    return sorted(callers, key=lambda caller: (caller.callback is not None, -caller.times, caller.first.timestamp()))
