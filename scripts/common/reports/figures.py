"""Calls -> a Report: every figure that people are shown, in one pass. Numbers only, no format.

Each has one definition: docs/en/reports.md.
"""

import functools
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple, TypeVar

from common.calls.call import (
    ANSWERED_DISPOSITIONS,
    INCOMING,
    LOST_DISPOSITIONS,
    MESSAGE_DISPOSITIONS,
    OUTGOING,
    Call,
    Calls,
    Source,
    key_of,
)
from common.reports.selection import Selection
from common.reports.spells import By, Spell, SpellCounter
from common.timetable import is_within

HOURS_OF_A_WEEK = 7 * 24
SERVICE_LEVEL_SECONDS = 20
AT_ONCE_SECONDS = 5  # who gives up so soon is not held against those who answer
CALLBACK_SECONDS = {"15_min": 15 * 60, "1_h": 3600, "24_h": 86400}
DAY_SECONDS = 86400
Figure = float | int | None
TOP_CALLERS = 10

# What a call is counted as: a place in a list of counts. The last place is that of the talk time.
_SOON, _ANSWERED, _AT_ONCE, _LOST, _OTHER, _REACHED, _NOT_REACHED, _TALK = range(8)
_SLOT_SECONDS = 900  # the clocks of all zones differ by multiples of that
_Source = tuple[str, str, str, str]  # utm_source, utm_medium, utm_campaign, domain
_Place = tuple[str, str, str, str, str, str]  # direction, our number, its name, a line, a group, an employee
_T = TypeVar("_T")


@dataclass(slots=True)
class Counts:
    """Calls of a day, an hour, an employee ...

    incoming = answered + lost + other, of which those going on are in `other`
    at_once:      lost, and given up within AT_ONCE_SECONDS
    soon:         answered within the service level's time
    talk_seconds: of all answered calls, both ways
    """

    incoming: int = 0
    answered: int = 0
    lost: int = 0
    other: int = 0
    at_once: int = 0
    soon: int = 0
    outgoing: int = 0
    outgoing_answered: int = 0
    talk_seconds: int = 0

    def add(self, counts: list[int]) -> None:
        soon, answered, at_once, lost, other, reached, not_reached, talk = counts
        self.incoming += soon + answered + at_once + lost + other
        self.answered += soon + answered
        self.lost += at_once + lost
        self.other += other
        self.at_once += at_once
        self.soon += soon
        self.outgoing += reached + not_reached
        self.outgoing_answered += reached
        self.talk_seconds += talk

    def include(self, other: "Counts") -> None:
        for each in fields(Counts):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def answered_percent(self) -> float | None:
        return percent(self.answered, self.answered + self.lost)

    @property
    def service_level_percent(self) -> float | None:
        """Of those who did not give up at once."""
        return percent(self.soon, self.answered + self.lost - self.at_once)

    @property
    def outgoing_answered_percent(self) -> float | None:
        return percent(self.outgoing_answered, self.outgoing)

    @property
    def average_talk_seconds(self) -> float | None:
        return tenths(self.talk_seconds, self.answered + self.outgoing_answered)


@dataclass(slots=True)
class PlaceCounts(Counts):
    """Incoming calls to one of our numbers, which may have a name, of a group, or from a source."""

    name: str = ""
    new_callers: int = 0


@dataclass(slots=True)
class EmployeeCounts(Counts):
    """What one employee did; what a line did that is nobody's stands under its number.

    rung_in_lost: lost calls in which the employee's line was rung; None where the server does not tell who was
    callbacks:    spells that the employee ended by an outgoing call
    """

    is_line: bool = False
    rung_in_lost: int | None = 0
    callbacks: int = 0

    @property
    def picked_up_percent(self) -> float | None:
        return None if self.rung_in_lost is None else percent(self.answered, self.answered + self.rung_in_lost)


class Caller(NamedTuple):
    """Who called, how often, and under which name last."""

    number: str
    name: str
    times: int


@dataclass(frozen=True)
class Waits:
    """How long callers waited, in seconds; None where nobody did."""

    average: float | None
    median: float | None
    longest: int | None

    @classmethod
    def of(cls, seconds: Counter[int]) -> "Waits":
        total = sum(each * times for each, times in seconds.items())
        return cls(tenths(total, seconds.total()), median(seconds), max(seconds, default=None))


@dataclass(frozen=True)
class SpellFigures:
    """What became of the lost; see Spell.state. Its words are those of the summary."""

    total: int
    called_back: int
    got_through: int
    tried: int
    nobody: int
    called_back_within_15_min: int
    called_back_within_1_h: int
    called_back_within_24_h: int
    median_callback_seconds: float | None
    open_after_24_h: int

    @classmethod
    def of(cls, spells: Iterable[Spell], now: float) -> "SpellFigures":
        """Of spells; `now`: until when all calls are known, in Unix seconds."""
        states: Counter[str] = Counter()
        callbacks: Counter[int] = Counter()
        late = 0
        for spell in spells:
            seconds = spell.seconds_until_ended
            states[spell.state] += 1
            if spell.is_ended_by_us and seconds is not None:
                callbacks[seconds] += 1
            is_over = spell.unix_first + DAY_SECONDS <= now
            late += is_over and (seconds is None or seconds > DAY_SECONDS)
        within = {
            f"called_back_within_{name}": sum(times for seconds, times in callbacks.items() if seconds <= most)
            for name, most in CALLBACK_SECONDS.items()
        }
        return cls(
            total=states.total(),
            **{state: states[state] for state in ("called_back", "got_through", "tried", "nobody")},
            **within,
            median_callback_seconds=median(callbacks),
            open_after_24_h=late,
        )


@dataclass(frozen=True)
class Compared:
    """The report's main figures, those of a time before, and how far they are apart.

    kind:                week (a day with the same one a week before), month, or days (with as many days before)
    start, stop:         of the time before
    before, change:      by the summary's names; percentages change by points
    average, from_average: the same of a day's last four weekdays; None where not all four are held
    """

    kind: str
    start: datetime
    stop: datetime
    before: dict[str, Figure]
    change: dict[str, Figure]
    average: dict[str, Figure] | None
    from_average: dict[str, Figure] | None


@dataclass(frozen=True)
class Report:
    """Calls, counted. A year's may be more than memory holds, so they are gone through, never collected.

    calls:        everything in the list, SMS and fax too, in time order; can be gone through again and again
    count:        how many those are
    unreadable:   how many entries of Binotel's answers could not be read, and are in nothing here
    as_of:        when the calls were asked for, if the time was not over then; else None
    lost_outside_hours: None where the working hours are not set
    callers, new_callers, lost_callers: different numbers
    top_callers:  those who called most
    spells:       of each caller, in time order; None where it is not known who was spoken to
    to_call:      those that nobody ended, the most urgent first
    days:         every calendar day of the time, those without calls too
    hours:        of the day; an hour that the clocks repeat counts as one
    week:         the same by hour of the week, from Monday's first
    our_numbers, sources, groups, employees: by number, by source, by group, by name; those with the most calls first
    """

    selection: Selection
    as_of: datetime | None
    service_level_seconds: int
    calls: Iterable[Call]
    count: int
    unreadable: int
    totals: Counts
    lost_outside_hours: int | None
    hidden: int
    waits_answered: Waits
    waits_lost: Waits
    callers: int
    top_callers: list[Caller]
    new_callers: int
    lost_callers: int
    spells: dict[str, list[Spell]] | None
    spell_figures: SpellFigures | None
    to_call: list[Spell]
    days: dict[date, Counts]
    hours: list[Counts]
    week: list[Counts]
    our_numbers: dict[str, PlaceCounts]
    sources: dict[_Source, PlaceCounts]
    groups: dict[str, PlaceCounts]
    employees: dict[str, EmployeeCounts]
    employee_of: Mapping[str, str]
    compared: Compared | None = None

    @classmethod
    def of(
        cls,
        selection: Selection,
        calls: Iterable[Call],
        as_of: datetime | None = None,
        *,
        working_hours: tuple[time, time] | None = None,
        service_level_seconds: int = SERVICE_LEVEL_SECONDS,
    ) -> "Report":
        """Count `calls`, which are in time order and can be gone through again and again."""
        counted = _Counter(calls, working_hours, service_level_seconds)
        end = as_of if as_of and as_of.timestamp() < selection.stop.timestamp() else selection.stop
        totals, days, hours, week = _by_time(counted.slots, selection.start, end)
        spells = counted.spells.by_key if selection.knows_spells else None
        every = [spell for of_caller in (spells or {}).values() for spell in of_caller]
        return cls(
            selection=selection,
            as_of=as_of,
            service_level_seconds=service_level_seconds,
            calls=calls,
            count=counted.count,
            unreadable=calls.unreadable if isinstance(calls, Calls) else 0,
            totals=totals,
            lost_outside_hours=counted.lost_outside_hours if working_hours else None,
            hidden=counted.hidden,
            waits_answered=Waits.of(counted.waits_answered),
            waits_lost=Waits.of(counted.waits_lost),
            callers=len(counted.callers),
            top_callers=counted.top_callers(),
            new_callers=counted.new_callers(),
            lost_callers=len(counted.lost),
            spells=spells,
            spell_figures=None if spells is None else SpellFigures.of(every, end.timestamp()),
            to_call=sorted((spell for spell in every if not spell.ended), key=lambda spell: spell.urgency),
            days=days,
            hours=hours,
            week=week,
            our_numbers=counted.our_numbers(),
            sources=counted.sources(),
            groups=counted.groups(),
            employees=counted.employees(every),
            employee_of=counted.employee_of,
        )

    @property
    def is_of_one_day(self) -> bool:
        return len(self.days) == 1

    @property
    def end(self) -> datetime:
        """Until when its calls are known."""
        return min(self.selection.stop, self.as_of or self.selection.stop, key=datetime.timestamp)

    def who(self, by: By) -> str:
        """An employee's name, else the line, else ""."""
        return by[0] or self.employee_of.get(by[1], "") or by[1]

    def rung_in(self, spell: Spell) -> list[str]:
        """Who was rung in its calls."""
        return list(dict.fromkeys(filter(None, map(self.who, spell.rung))))

    def spell_of(self, lost: Call) -> Spell | None:
        """The spell that a lost call belongs to; None of a hidden number, and where spells are not known."""
        for spell in reversed((self.spells or {}).get(lost.number_key, [])):
            if spell.unix_first <= lost.unix_start:
                return spell
        return None

    def hours_of_the_week(self) -> list[int]:
        """How often the time had each hour of the week, from Monday's first; an hour that it had in part counts."""
        start, stop = self.selection.start, self.end
        times = [0] * HOURS_OF_A_WEEK
        for day in self.days:
            first = start.hour if day == start.date() else 0
            last = stop.hour if day == stop.date() else 23
            for hour in range(first, last + 1):
                times[day.weekday() * 24 + hour] += _has_hour(day, hour, start.tzinfo)
        return times


class _Counter:
    """Goes through calls, in time order, and keeps none of them: its memory grows with callers and places alone."""

    def __init__(
        self, calls: Iterable[Call], working_hours: tuple[time, time] | None, service_level_seconds: int
    ) -> None:
        self.count = self.hidden = self.lost_outside_hours = 0
        self.slots: dict[int, list[int]] = defaultdict(_nothing)
        self.waits_answered: Counter[int] = Counter()
        self.waits_lost: Counter[int] = Counter()
        self.callers: dict[str, tuple[str, str]] = {}  # number and name
        self.lost: set[str] = set()
        self.spells = SpellCounter()
        self._times_called: Counter[str] = Counter()
        self._places: dict[_Place, list[int]] = defaultdict(_nothing)
        self._new_at: set[tuple[str, str, str, str, str, str, int, str]] = set()  # a place, a kind, a key
        self._sources: dict[_Source, list[int]] = defaultdict(_nothing)
        self._new_from: set[tuple[_Source, str]] = set()
        self._rung_in_lost: Counter[frozenset[By]] = Counter()
        self._named: set[tuple[str, str, str]] = set()  # a line, a group, an employee
        self._hours = working_hours
        self._soon_seconds = service_level_seconds
        self._add_all(calls)
        self.spells.end_second()
        self._named.update((line, group, employee) for *_, line, group, employee in self._places)
        self._groups = {group for _, group, _ in self._named}
        self.employee_of = dict(sorted((line, employee) for line, _, employee in self._named if line and employee))

    def _add_all(self, calls: Iterable[Call]) -> None:
        """Every call passes here, a million of them in seconds: so it is one loop, and asks nothing twice."""
        slots, places, named, keys = self.slots, self._places, self._named, _Keys()
        callers, times_called, lost, open_spells = self.callers, self._times_called, self.spells.lost, self.spells.open
        waits_answered, soon = self.waits_answered, self._soon_seconds
        count = second = slot = 0
        of_slot = _nothing()
        for count, call in enumerate(calls, 1):  # noqa: B007 - how many there were
            (
                _, _, start, call_type, number, line, group, employee, customer, _, is_new, disposition, wait, talk,
                our_number, our_name, rung, source, _, _, first_number,
            ) = call  # fmt: skip
            if start != second:
                second = start
                if lost:
                    self.spells.end_second()
                if slot != start // _SLOT_SECONDS:
                    slot = start // _SLOT_SECONDS
                    of_slot = slots[slot]
            for one in rung:
                named.add(one[:3])
                group = group or one[1]
            kind = _kind(call_type, disposition)
            if kind is None:  # it is in no count, but tells whose a line is
                named.add((line, call.group, employee))
                continue
            key = keys[number]
            if kind >= _REACHED:
                counts = places[OUTGOING, "", "", line, call.group, employee]
                if first_number and (first := keys[first_number]) in open_spells:
                    self.spells.add_other(first, call, is_answered=kind == _REACHED)
            else:
                if kind == _ANSWERED:
                    waits_answered[wait] += 1
                    kind = _SOON if wait <= soon else _ANSWERED
                elif kind == _LOST:
                    self._add_lost(call, key)
                    kind = _AT_ONCE if wait <= AT_ONCE_SECONDS else _LOST
                counts = places[INCOMING, our_number, our_name, line, group, employee]
                if key:
                    callers[key] = number, customer
                    times_called[key] += 1
                    if is_new:
                        self._new_at.add((INCOMING, our_number, our_name, line, group, employee, kind, key))
                else:
                    self.hidden += 1
                if source:
                    self._add_source(call, source, kind, key)
            counts[kind] += 1
            of_slot[kind] += 1
            is_answered = kind <= _ANSWERED or kind == _REACHED
            if is_answered:
                counts[_TALK] += talk
                of_slot[_TALK] += talk
            if key in open_spells and kind not in _ARE_LOST:
                self.spells.add_other(key, call, is_answered=is_answered)

        self.count = count

    def _add_lost(self, call: Call, key: str) -> None:
        self.waits_lost[call.wait_seconds] += 1
        if self._hours and not is_within(self._hours, call.start.time()):
            self.lost_outside_hours += 1
        if rung := frozenset([(one.employee, one.line) for one in call.rung if one.employee or one.line]):
            self._rung_in_lost[rung] += 1
        if key:
            self.lost.add(key)
            self.spells.lost.append((key, call))

    def _add_source(self, call: Call, source: Source, kind: int, key: str) -> None:
        names = source.utm_source, source.utm_medium, source.utm_campaign, source.domain
        if any(names):
            counts = self._sources[names]
            counts[kind] += 1
            if kind in _ARE_ANSWERED:
                counts[_TALK] += call.talk_seconds
            if call.is_new and key:
                self._new_from.add((names, key))

    def new_callers(self) -> int:
        return len({key for *_, key in self._new_at})

    def top_callers(self) -> list[Caller]:
        return [Caller(*self.callers[key], times) for key, times in self._times_called.most_common(TOP_CALLERS)]

    def our_numbers(self) -> dict[str, PlaceCounts]:
        rows: dict[str, PlaceCounts] = defaultdict(PlaceCounts)
        for (way, number, name, *_), counts in self._places.items():
            if way == INCOMING:
                rows[number].add(counts)
                rows[number].name = max(rows[number].name, name)
        return _by_incoming(rows, {(number, key) for _, number, *_, key in self._new_at})

    def sources(self) -> dict[_Source, PlaceCounts]:
        rows: dict[_Source, PlaceCounts] = defaultdict(PlaceCounts)
        for names, counts in self._sources.items():
            rows[names].add(counts)
        return _by_incoming(rows, self._new_from)

    def groups(self) -> dict[str, PlaceCounts]:
        rows: dict[str, PlaceCounts] = defaultdict(PlaceCounts)

        def group_of(line: str, group: str, kind: int) -> str:
            # What was lost before any line of the group rang has the group's number in the line's place.
            return group or (line if kind in _ARE_LOST and line in self._groups else "")

        for (way, _, _, line, group, _), counts in self._places.items():
            if way == OUTGOING:
                continue
            if group:
                rows[group].add(counts)
            elif any(lost := _only(counts, *_ARE_LOST)) and (of_lost := group_of(line, "", _LOST)):
                rows[of_lost].add(lost)
        new = {(group_of(line, group, kind), key) for *_, line, group, _, kind, key in self._new_at}
        return _by_incoming(rows, new)

    def employees(self, spells: Iterable[Spell]) -> dict[str, EmployeeCounts]:
        rows: dict[str, EmployeeCounts] = defaultdict(EmployeeCounts)

        def row_of(by: By) -> EmployeeCounts:
            employee = by[0] or self.employee_of.get(by[1], "")
            row = rows[employee or by[1]]
            row.is_line = not employee
            return row

        for (way, _, _, line, _, employee), counts in self._places.items():
            did = counts if way == OUTGOING else _only(counts, _SOON, _ANSWERED, _TALK)
            if any(did):
                row_of((employee, line)).add(did)
        for rung, times in self._rung_in_lost.items():
            # One may have several lines.
            for row in {id(row): row for row in map(row_of, rung)}.values():
                row.rung_in_lost = (row.rung_in_lost or 0) + times
        for spell in spells:
            if spell.is_ended_by_us:
                row_of(spell.ended_by).callbacks += 1
        if self.waits_lost and not self._rung_in_lost:
            for row in rows.values():
                row.rung_in_lost = None
        return dict(sorted(rows.items(), key=lambda item: (-item[1].answered, -item[1].outgoing, item[0])))


_ARE_LOST = (_AT_ONCE, _LOST)
_ARE_ANSWERED = (_SOON, _ANSWERED, _REACHED)


class _Keys(dict[str, str]):
    """The key of each number, made once: see Call.number_key."""

    def __missing__(self, number: str) -> str:
        key = self[number] = key_of(number)
        return key


@functools.lru_cache(1000)
def _kind(call_type: str, disposition: str) -> int | None:
    """What a call is counted as, as far as these tell; None of what is no conversation."""
    if disposition in MESSAGE_DISPOSITIONS or call_type not in (INCOMING, OUTGOING):
        return None
    if call_type == OUTGOING:
        return _REACHED if disposition in ANSWERED_DISPOSITIONS else _NOT_REACHED
    if disposition in ANSWERED_DISPOSITIONS:
        return _ANSWERED
    return _LOST if disposition in LOST_DISPOSITIONS else _OTHER


def _nothing() -> list[int]:
    return [0] * 8


def _only(counts: list[int], *kinds: int) -> list[int]:
    return [count if kind in kinds else 0 for kind, count in enumerate(counts)]


def _by_incoming(rows: Mapping[_T, PlaceCounts], new: Iterable[tuple[_T, str]]) -> dict[_T, PlaceCounts]:
    """Rows with their new callers, those with the most calls first."""
    for name, _ in new:
        if name in rows:
            rows[name].new_callers += 1
    return dict(sorted(rows.items(), key=lambda item: (-item[1].incoming, item[0])))


def _by_time(
    slots: Mapping[int, list[int]], start: datetime, end: datetime
) -> tuple[Counts, dict[date, Counts], list[Counts], list[Counts]]:
    """All, every day from start to end, the hours of a day, and those of a week."""
    total, hours = Counts(), [Counts() for _ in range(24)]
    days = {start.date() + timedelta(days=n): Counts() for n in range((end.date() - start.date()).days + 1)}
    week = [Counts() for _ in range(HOURS_OF_A_WEEK)]
    for slot, counts in slots.items():
        moment = datetime.fromtimestamp(slot * _SLOT_SECONDS, start.tzinfo)
        for row in (total, hours[moment.hour], week[moment.weekday() * 24 + moment.hour], days.get(moment.date())):
            if row is not None:
                row.add(counts)
    return total, days, hours, week


def _has_hour(day: date, hour: int, timezone: tzinfo | None) -> bool:
    """Whether a day has an hour: not where the clocks are put forward."""
    moment = datetime.combine(day, time(hour, 59, 59), timezone)
    return moment.astimezone(UTC).astimezone(timezone).hour == hour


def percent(part: int, whole: int) -> float | None:
    """With one decimal; None of nothing."""
    return tenths(100 * part, whole)


def tenths(total: int, count: int) -> float | None:
    """Their quotient with one decimal, halves rounded up; None of nothing. Neither is negative."""
    return (20 * total + count) // (2 * count) / 10 if count else None


def median(seconds: Counter[int]) -> float | None:
    return float(statistics.median(seconds.elements())) if seconds else None
