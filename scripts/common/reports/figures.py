"""Calls -> a Report: totals, by day, by hour of the week, by employee, who was lost. Numbers only, no format."""

import array
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from common.calls.call import Call, Calls
from common.calls.days import last_second

HOURS_OF_A_WEEK = 7 * 24


@dataclass(frozen=True)
class Selection:
    """Which calls a report is about.

    start, stop: aware, in the account's time zone; calls that begin from the one to the other, both inclusive
    direction:   "incoming", "outgoing" or "both"
    line:        of this internal number alone; "" for all
    number:      with this number alone; "" for all
    customer_id: with this customer of "My clients" alone; "" for all
    """

    start: datetime
    stop: datetime
    direction: str = "both"
    line: str = ""
    number: str = ""
    customer_id: str = ""

    @classmethod
    def of_day(cls, day: date, timezone: ZoneInfo) -> "Selection":
        return cls(datetime.combine(day, time.min, timezone), last_second(day, timezone))

    @property
    def is_of_whole_days(self) -> bool:
        return (self.start.time(), self.stop.time()) == (time.min, time(23, 59, 59))

    @property
    def is_filtered(self) -> bool:
        return bool(self.line or self.number or self.customer_id)

    @property
    def knows_callbacks(self) -> bool:
        """Whether all calls are selected with which a lost caller may have been called back."""
        return not self.line and self.direction == "both"

    @property
    def name(self) -> str:
        """What tells it from others, for messages and file names: 2024-05-01, or 2024-01-01--2024-12-31-line-901."""
        form = "%Y-%m-%d" if self.is_of_whole_days else "%Y-%m-%dT%H%M%S"
        name = self.start.strftime(form)
        if self.stop.strftime(form) != name:
            name = f"{name}--{self.stop.strftime(form)}"
        parts = {"line": self.line, "number": self.number, "customer": self.customer_id}
        name += "".join(f"-{part}-{value}" for part, value in parts.items() if value)
        return name if self.direction == "both" else f"{name}-{self.direction}"


@dataclass(frozen=True)
class Totals:
    """The numbers of a report. SMS and fax are not counted; unknown dispositions are neither answered nor lost.

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


@dataclass(slots=True)
class Counts:
    """Calls of one day, hour or employee; those that are neither answered nor lost are not in it."""

    answered: int = 0
    lost: int = 0
    outgoing: int = 0
    outgoing_answered: int = 0
    talk_seconds: int = 0

    def add(self, call: Call) -> None:
        is_answered = call.is_answered
        if call.is_lost:
            self.lost += 1
        elif call.is_incoming:
            self.answered += is_answered
        elif call.is_outgoing:
            self.outgoing += 1
            self.outgoing_answered += is_answered
        else:
            return
        if is_answered:
            self.talk_seconds += call.talk_seconds


@dataclass(slots=True)
class EmployeeCounts(Counts):
    """What one employee did; a line without an employee (a group line) stands under its number."""

    name: str = ""
    is_line: bool = False


@dataclass(slots=True)
class LostCaller:
    """A caller who was lost at least once.

    number:      as people are shown it, "" for hidden ones
    dialable:    as a phone dials it
    customer:    the name on the last lost call that has one, or on a later call
    times:       how often lost
    waiting:     when the calls began that were lost since somebody last spoke to the caller, in Unix seconds
    callback:    when the first answered call after the last lost one began; None while the caller waits
    callback_by: who spoke in it
    spoken:      when the last answered call began, in Unix seconds; 0 before the first lost one
    """

    number: str
    dialable: str
    customer: str
    first: datetime
    last: datetime
    times: int = 0
    waiting: list[float] = field(default_factory=list)
    callback: datetime | None = None
    callback_by: str = ""
    spoken: float = 0


@dataclass(frozen=True)
class Report:
    """Calls, counted. A year's may be more than memory holds, so they are gone through, never collected.

    calls:        everything in the list, SMS and fax too, in time order; can be gone through again and again
    count:        how many those are
    unreadable:   how many entries of Binotel's answers could not be read, and are in nothing here
    as_of:        when the calls were asked for, if the time was not over then; else None
    days:         every calendar day of the time, those without calls too
    week:         by hour of the week, from Monday's first; an hour that the clocks repeat counts as one
    lost_callers: by number_key, the worst first: who waits for the most calls, then the most often lost, then the first
    lost
    """

    selection: Selection
    as_of: datetime | None
    calls: Iterable[Call]
    count: int
    unreadable: int
    totals: Totals
    days: dict[date, Counts]
    week: list[Counts]
    employees: list[EmployeeCounts]
    lost_callers: dict[str, LostCaller]

    @classmethod
    def of(cls, selection: Selection, calls: Iterable[Call], as_of: datetime | None = None) -> "Report":
        """Count `calls`, which are in time order and can be gone through again and again."""
        counter = _Counter(selection, as_of)
        for call in calls:
            counter.add(call)
        return cls(
            selection=selection,
            as_of=as_of,
            calls=calls,
            count=counter.count,
            unreadable=calls.unreadable if isinstance(calls, Calls) else 0,
            totals=counter.totals(),
            days=counter.days,
            week=counter.week,
            employees=sorted(
                counter.employees.values(), key=lambda counts: (-counts.answered - counts.outgoing, counts.name)
            ),
            lost_callers=dict(
                sorted(
                    counter.lost_callers.items(),
                    key=lambda item: (-len(item[1].waiting), -item[1].times, item[1].first.timestamp()),
                )
            ),
        )

    @property
    def is_of_one_day(self) -> bool:
        return len(self.days) == 1

    @property
    def knows_callbacks(self) -> bool:
        return self.selection.knows_callbacks

    def is_called_back(self, lost: Call) -> bool:
        """Whether an answered call with the same number began after a lost one."""
        caller = self.lost_callers.get(lost.number_key)
        return caller is not None and caller.spoken > lost.unix_start

    def hours_of_the_week(self) -> list[int]:
        """How often the time had each hour of the week, from Monday's first; an hour that it had in part counts."""
        start = self.selection.start
        stop = min(self.selection.stop, self.as_of or self.selection.stop)
        times = [0] * HOURS_OF_A_WEEK
        for day in self.days:
            first = start.hour if day == start.date() else 0
            last = stop.hour if day == stop.date() else 23
            for hour in range(first, last + 1):
                times[day.weekday() * 24 + hour] += 1
        return times


@dataclass
class _Counter:
    """What is known after each call, in time order."""

    selection: Selection
    as_of: datetime | None
    count: int = 0
    incoming: int = 0
    answered_wait_seconds: int = 0
    all: Counts = field(default_factory=Counts)
    days: dict[date, Counts] = field(default_factory=dict)
    week: list[Counts] = field(default_factory=lambda: [Counts() for _ in range(HOURS_OF_A_WEEK)])
    employees: dict[str, EmployeeCounts] = field(default_factory=dict)
    lost_callers: dict[str, LostCaller] = field(default_factory=dict)
    callback_seconds: "array.array[float]" = field(default_factory=lambda: array.array("d"))

    def __post_init__(self) -> None:
        last = min(self.selection.stop, self.as_of or self.selection.stop).date()
        day = self.selection.start.date()
        while day <= last:
            self.days[day] = Counts()
            day += timedelta(days=1)

    def add(self, call: Call) -> None:
        self.count += 1
        if not call.is_conversation:
            return
        if call.is_incoming:
            self.incoming += 1
            self.answered_wait_seconds += call.wait_seconds if call.is_answered else 0
        self.all.add(call)
        if day := self.days.get(call.start.date()):
            day.add(call)
        self.week[call.start.weekday() * 24 + call.start.hour].add(call)
        by = call.employee or call.line
        if call.is_incoming or call.is_outgoing:
            employee = self.employees.setdefault(by, EmployeeCounts(name=by, is_line=not call.employee))
            employee.add(call)
            by = employee.name  # the one text for all of a person's calls
        if call.is_lost:
            self._add_lost(call.number_key or call.number.lower(), call)
            return
        for key in filter(None, call.number_keys):
            if caller := self.lost_callers.get(key):
                if call.customer and not call.legs_name:
                    caller.customer = call.customer
                if call.is_answered:
                    self._add_spoken(caller, call, by)

    def _add_lost(self, key: str, call: Call) -> None:
        shown, dialable = call.shown_number, call.dialable
        caller = self.lost_callers.setdefault(key, LostCaller(shown, dialable, "", call.start, call.start))
        caller.number, caller.dialable, caller.last = shown, dialable, call.start
        caller.customer = call.customer if call.customer and call.number_key else caller.customer
        caller.times += 1
        caller.waiting.append(call.unix_start)
        caller.callback, caller.callback_by = None, ""

    def _add_spoken(self, caller: LostCaller, call: Call, by: str) -> None:
        start = caller.spoken = call.unix_start
        self.callback_seconds.extend(start - lost for lost in caller.waiting if lost < start)
        # At the same second nobody has called back: nobody knows which call was first.
        caller.waiting = [lost for lost in caller.waiting if lost >= start]
        if not caller.waiting and caller.callback is None:
            caller.callback, caller.callback_by = call.start, by

    def totals(self) -> Totals:
        counts = self.all
        return Totals(
            incoming=self.incoming,
            answered=counts.answered,
            lost=counts.lost,
            called_back=len(self.callback_seconds),
            median_callback_seconds=statistics.median(self.callback_seconds) if self.callback_seconds else None,
            outgoing=counts.outgoing,
            outgoing_answered=counts.outgoing_answered,
            talk_seconds=counts.talk_seconds,
            average_wait_seconds=self.answered_wait_seconds / counts.answered if counts.answered else None,
        )
