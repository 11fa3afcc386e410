"""All calls of any period, complete, in as few heavy requests as it takes."""

import bisect
import math
import statistics
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from binotel_core import (
    ASK_BINOTEL,
    DAY_METHOD,
    METHODS,
    QUOTA_FREE_REQUESTS,
    BinotelClient,
    BinotelError,
    TransportError,
)
from common.calls.call import clean, start_of

INCOMING = "incoming"
OUTGOING = "outgoing"
LINE = "line"  # both ways, of one internal number
WAYS = {"0": INCOMING, "0.0": INCOMING, "1": OUTGOING, "1.0": OUTGOING}  # by callType, whose numbers have several forms

_PERIOD_METHODS = {
    INCOMING: "stats/incoming-calls-for-period",
    OUTGOING: "stats/outgoing-calls-for-period",
    LINE: "stats/list-of-calls-by-internal-number-for-period",
}
_DAY_SECONDS = 86400
_SURE = 2.0  # standard deviations by which a window is planned to stay below its cap
_WORTHWHILE = 0.85  # a window may be cut off, so it must promise to save this much against days
_MUCH_SHORTER = 0.9  # a window that was cut off is tried again at so much of its length at the most
_SURGE = 3.0  # a day of so many times the expected calls, or such a part of them, is no chance
_DAYS_OF_A_SURGE, _DAYS_OF_A_LULL = 10, 2  # in a row: after those it is how things are now
_WEEKS_REMEMBERED = 15


class IncompleteError(BinotelError):
    """The calls of a single second are as many as an answer can hold, so some of them cannot be had."""

    def __init__(self, method: str, second: int) -> None:
        moment = datetime.fromtimestamp(second, UTC)
        super().__init__(
            f"{method} cannot show all calls of one second, {moment:%Y-%m-%d %H:%M:%S} UTC ({second}).", ASK_BINOTEL
        )
        self.second = second


def calls_for_period(
    client: BinotelClient,
    start: datetime,
    stop: datetime,
    direction: str = "both",
    *,
    internal_number: str | None = None,
) -> Iterator[Any]:
    """All calls that begin from `start` to `stop`, both inclusive, in time order, as the server's own entries.

    Entries whose time cannot be read come with those of the answer that they were in, before these.

    start, stop:     aware datetimes in the account's time zone, which decides where its days begin
    direction:       "incoming", "outgoing" or "both"
    internal_number: the calls of this line alone, both ways

    Complete or not at all: an answer that may be cut off is asked for again in parts (see PeriodPlan). Raises
    IncompleteError when the calls of one second are too many, and what BinotelClient.call() raises.
    """
    if start.tzinfo is None:
        raise ValueError("The period needs a time zone: pass aware datetimes.")
    plan = PeriodPlan(
        math.ceil(start.timestamp()),
        math.floor(stop.timestamp()),
        direction,
        timezone=start.tzinfo,
        internal_number=internal_number,
    )
    ahead: list[Any] = []
    while request := plan.next_request():
        entries = client.entries(request.method, request.params)
        ahead = sorted([*ahead, *plan.accept(request, entries)], key=start_of)
        ready = bisect.bisect_right(ahead, plan.known_until, key=start_of)
        yield from ahead[:ready]
        del ahead[:ready]


@dataclass(frozen=True)
class PeriodRequest:
    """A heavy request of a plan. Its answer holds the calls of `ways` from `first` to `last`, both inclusive."""

    method: str
    params: dict[str, Any]
    ways: tuple[str, ...]
    first: int
    last: int


class PeriodPlan:
    """Which requests to make for all calls of a period, in the least time; chosen on the way.

    Two ways lead to the same calls: list-of-calls-per-day (both directions, no cap, 5 s a day) and the methods for a
    period (one direction, 10 s, at most 2,000 calls). Long windows suit a quiet company, days a busy one. An answer
    with as many calls as the cap may be cut off, so it is not used: the window is halved.

    start, stop:     Unix seconds, both inclusive; the attribute `stop` may be moved later on the way
    direction:       "incoming", "outgoing" or "both"
    timezone:        the account's, which decides where its days begin
    internal_number: the calls of this line alone, both ways; there is no request by day for them
    known:           of each way, the stretches whose calls need not be asked for: merged, in order, both ends inclusive
    caps:            other caps than those in METHODS, for tests

    Use: `while request := plan.next_request(): plan.accept(request, entries of the answer)`. A plan that is given the
    same answers again, in the same order, is in the same state: that is how an interrupted one goes on.
    """

    def __init__(
        self,
        start: int,
        stop: int,
        direction: str = "both",
        *,
        timezone: tzinfo,
        internal_number: str | None = None,
        known: Mapping[str, Sequence[tuple[int, int]]] | None = None,
        caps: Mapping[str, int] | None = None,
    ) -> None:
        ways = (INCOMING, OUTGOING) if direction == "both" else (direction,)
        if internal_number is not None:
            ways = (LINE,)
        if direction not in (INCOMING, OUTGOING, "both"):
            raise ValueError(f"{direction!r} is not a direction: use incoming, outgoing or both.")
        self.stop = stop
        self._timezone = timezone
        self._line = internal_number
        self._caps = {name: method.cap for name, method in METHODS.items()} | dict(caps or {})
        self._start = start
        self._known = {way: (known or {}).get(way, ()) for way in ways}
        self._next = {way: self._unknown_from(way, start) for way in ways}  # the first second that is not known yet
        self._density = {way: _Density() for way in ways}
        self._crowd: _Crowd | None = None
        self._accepted = 0

    @property
    def known_until(self) -> int:
        """The last second up to which everything is known."""
        return min(self._next.values()) - 1

    @property
    def share_known(self) -> float:
        """Which part of the period is known, from 0 to 1, on the average of both ways."""
        if self.stop < self._start:
            return 1
        unknown = sum(self._unknown_seconds(way, first, self.stop) for way, first in self._next.items())
        return 1 - unknown / len(self._next) / (self.stop - self._start + 1)

    def seconds_left(self) -> float:
        """How long the quota will take for what is left, as far as the calls so far tell; a rough estimate."""
        day_gap = METHODS[DAY_METHOD].gap
        unknown = {way: self._unknown_seconds(way, first, self.stop) for way, first in self._next.items()}
        days = math.ceil(max(unknown.values()) / _DAY_SECONDS)
        window_gap, windows = METHODS[_PERIOD_METHODS[INCOMING]].gap, 0
        for way, first in self._next.items():
            if first <= self.stop:
                windows += math.ceil(unknown[way] / self._unknown_seconds(way, first, self._window(way, first)))
        is_known = all(density.is_known for density in self._density.values())
        by_day = self._line is None and (not is_known or days * day_gap <= windows * window_gap)
        gap, requests = (day_gap, days) if by_day else (window_gap, windows)
        return gap * max(0, requests - max(0, QUOTA_FREE_REQUESTS - self._accepted))

    def next_request(self) -> PeriodRequest | None:
        """The request to make now, or None when everything is known."""
        first = min(self._next.values())
        if first > self.stop:
            return None
        behind = [way for way in self._next if self._next[way] == first]
        windows = {way: self._window(way, first) for way in behind}
        if self._line is None and self._days_are_cheaper(first, windows):
            day_first, day_last = self._day(first)
            ways = tuple(way for way in self._next if self._next[way] <= day_last)
            midday = min((day_first + day_last) // 2, self.stop)  # today may not have come that far
            return PeriodRequest(DAY_METHOD, {"dayInTimestamp": midday}, ways, first, day_last)
        way = min(behind, key=lambda way: windows[way])  # the busiest one, which shows the most
        params: dict[str, Any] = {"startTime": first, "stopTime": windows[way]}
        if self._line is not None:
            params["internalNumber"] = self._line
        return PeriodRequest(_PERIOD_METHODS[way], params, (way,), first, windows[way])

    def is_cut_off(self, request: PeriodRequest, entries: list[Any]) -> bool:
        """Whether an answer may lack calls, for it holds as many as it can."""
        cap = self._caps[request.method]
        return cap is not None and len(entries) >= cap

    def accept(self, request: PeriodRequest, entries: list[Any]) -> list[Any]:
        """Learn from an answer, and return those of its calls that are new and of the period, in time order.

        Before them come the entries whose time cannot be read: nobody knows whether they are new. An answer that may
        be cut off gives none. Raises IncompleteError when it is that of a single second, and TransportError for calls
        that were not asked for.
        """
        self._accepted += 1
        if self.is_cut_off(request, entries):
            self._split(request)
            return []
        lowest = self._day(request.first)[0] if request.method == DAY_METHOD else request.first
        starts = [(start_of(entry), entry) for entry in entries]
        # From days away, a time is no time; from close by, another clock's.
        close = range(lowest - _DAY_SECONDS, request.last + _DAY_SECONDS + 1)
        timed = sorted((pair for pair in starts if pair[0] in close), key=lambda pair: pair[0])
        if timed and not lowest <= timed[0][0] <= timed[-1][0] <= request.last:
            raise TransportError(
                f"Binotel's answer to {request.method} has calls from outside the time asked for.",
                "Check TIMEZONE: it must be the time zone of the account, usually Europe/Kyiv.",
            )
        ways = [self._way_of(entry, request) for _, entry in timed]
        if request.method != DAY_METHOD and not set(ways) <= set(request.ways):
            raise TransportError(
                f"Binotel's answer to {request.method} has calls of the other direction.",
                "The API may have changed. " + ASK_BINOTEL,
            )
        calls = [entry for moment, entry in starts if moment not in close]
        for (moment, entry), way in zip(timed, ways, strict=True):
            if way in request.ways and self._next[way] <= moment <= self.stop:
                calls.append(entry)
        for way in request.ways:
            moments = [moment for (moment, _), its in zip(timed, ways, strict=True) if its == way]
            self.learn(way, lowest, request.last, moments)
            self._next[way] = self._unknown_from(way, min(request.last, self.stop) + 1)
        if self._crowd:
            self._crowd.left -= len(calls) if request.method != DAY_METHOD else ways.count(self._crowd.way)
            if self._crowd.left <= 0 or self.known_until >= self._crowd.last:
                self._crowd = None
        return calls

    def _way_of(self, entry: Any, request: PeriodRequest) -> str:
        """Which way of ours a call in the answer to `request` belongs to; where it does not say, the request does."""
        if self._line is not None:
            return LINE
        return way_of(entry) or (OUTGOING if request.method == DAY_METHOD else request.ways[0])

    def _day(self, moment: int) -> tuple[int, int]:
        """The first and the last second of the calendar day that holds `moment`."""
        day = datetime.fromtimestamp(moment, self._timezone).date()
        first, after = (
            int(datetime.combine(start, datetime.min.time(), self._timezone).timestamp())
            for start in (day, day + timedelta(days=1))
        )
        return first, after - 1

    def _days_are_cheaper(self, first: int, windows: dict[str, int]) -> bool:
        """Whether the stretch that the shortest window would cover takes less time day by day."""
        if any(not self._density[way].is_known for way in windows):
            return True  # a day is never asked for in vain, and shows how busy the company is
        shortest = min(windows.values())
        length = shortest - first + 1
        share = sum(METHODS[_PERIOD_METHODS[way]].gap * length / (last - first + 1) for way, last in windows.items())
        days = max(self._unknown_seconds(way, first, shortest) for way in windows) / _DAY_SECONDS
        if all(self._unknown_from(way, shortest + 1) > self.stop for way, last in windows.items() if last == shortest):
            return math.ceil(days) * METHODS[DAY_METHOD].gap <= share
        return days * METHODS[DAY_METHOD].gap * _WORTHWHILE <= share

    def _unknown_from(self, way: str, moment: int) -> int:
        """The first second from `moment` on that is to be asked for."""
        index = bisect.bisect_right(self._known[way], moment, key=lambda stretch: stretch[0]) - 1
        return max(moment, self._known[way][index][1] + 1) if index >= 0 else moment

    def _unknown_seconds(self, way: str, first: int, last: int) -> int:
        """How many seconds of a stretch are to be asked for."""
        known = ((max(first, one), min(last, other)) for one, other in self._known[way])
        return max(0, last - first + 1) - sum(max(0, other - one + 1) for one, other in known)

    def _window(self, way: str, first: int) -> int:
        """The last second of a window from an unknown `first` that will probably stay below the cap.

        It may go over what is known, where that takes less than another window, and does not end there.
        """
        last = self._longest_window(way, first)
        index = bisect.bisect_right(self._known[way], last, key=lambda stretch: stretch[0]) - 1
        if index >= 0 and self._known[way][index][1] >= last:
            return self._known[way][index][0] - 1
        return last

    def _longest_window(self, way: str, first: int) -> int:
        method = METHODS[_PERIOD_METHODS[way]]
        density = self._density[way]
        longest = self.stop
        if method.max_days:
            longest = min(longest, first + method.max_days * _DAY_SECONDS - 1)
        if self._crowd and first <= self._crowd.last:
            # Where one way is crowded, the other mostly is, too: it follows as far as the first one has come.
            ahead = max(self._next.values())
            if ahead > first and way != self._crowd.way:
                longest = min(longest, ahead - 1)
            elif first == self._crowd.first:
                longest = min(longest, first + self._crowd.longest - 1)
            else:
                longest = min(longest, (first + self._crowd.last) // 2)
        room = density.calls_to_expect((self._caps[method.name] or math.inf) - 1)
        moment = first
        while moment <= longest:
            day_first, day_last = self._day(moment)
            expected = density.expected_on(datetime.fromtimestamp(moment, self._timezone).weekday())
            left = expected * density.share_after(moment - day_first)
            if left > room:
                return min(longest, max(first, day_first + density.second_by_which(1 - (left - room) / expected)))
            room -= left
            moment = day_last + 1
        return longest

    def learn(self, way: str, first: int, last: int, moments: Sequence[int]) -> None:
        """Count the whole days of a stretch that is known: calls of `way` began at these moments, in order."""
        index = 0
        day_first, day_last = self._day(first)
        while day_last <= last:
            begin = bisect.bisect_left(moments, day_first, index)
            index = bisect.bisect_right(moments, day_last, begin)
            if day_first >= first:
                weekday = datetime.fromtimestamp(day_first, self._timezone).weekday()
                self._density[way].learn(weekday, [moment - day_first for moment in moments[begin:index]])
            day_first, day_last = self._day(day_last + 1)

    def _split(self, request: PeriodRequest) -> None:
        if request.first == request.last:
            raise IncompleteError(request.method, request.first)
        length = request.last - request.first + 1
        known_ahead = max(self._next.values()) - request.first  # of the other way, which was not cut off so far
        longest = known_ahead if 0 < known_ahead < _MUCH_SHORTER * length else length // 2
        self._crowd = _Crowd(request.ways[0], request.first, request.last, longest, self._caps[request.method] or 0)


@dataclass
class _Crowd:
    """The window of `way` that was cut off: how long to try next from its start, and how many calls it still has."""

    way: str
    first: int
    last: int
    longest: int
    left: int


class _Density:
    """How many calls are to be expected: a typical day of each weekday, and how a day spreads over its hours."""

    def __init__(self) -> None:
        self._counts: dict[int, deque[int]] = {}
        self._hours = [0.01] * 25  # a day has up to 25; never nothing
        self._surge = 1.0
        self._strange: list[int] = []  # days in a row on which all was different
        self._days = 0

    @property
    def is_known(self) -> bool:
        """Whether it shows enough to plan by: some calls, or three days without any."""
        return self._days >= 3 or any(map(any, self._counts.values()))

    def learn(self, weekday: int, seconds: list[int]) -> None:
        """A day on which calls began so many seconds after midnight."""
        count = len(seconds)
        self._days += 1
        for second in seconds:
            self._hours[second // 3600] += 1
        self._surge = 1.0
        usual = self.expected_on(weekday)
        self._strange.append(count)
        if usual >= 10 and count > _SURGE * usual:
            self._surge = count / usual
        elif usual < 10 or weekday not in self._counts or count >= usual / _SURGE:
            self._strange.clear()
        if len(self._strange) >= (_DAYS_OF_A_SURGE if self._surge > 1 else _DAYS_OF_A_LULL):
            # No exception any more: what was usual is over.
            self._counts.clear()
            self._surge = 1.0
            self._strange.clear()
        if not self._strange:
            self._counts.setdefault(weekday, deque(maxlen=_WEEKS_REMEMBERED)).append(count)

    def expected_on(self, weekday: int) -> float:
        """Calls on a whole day; a weekday not seen yet may be as busy as the busiest one."""
        counts = self._counts.get(weekday)
        if counts:
            return self._surge * statistics.fmean(counts)
        return self._surge * max(map(statistics.fmean, self._counts.values()), default=0.0)

    def calls_to_expect(self, limit: float) -> float:
        """How many calls to plan for so that the real number, which differs by chance, stays within `limit`."""
        seen = max(1, sum(map(sum, self._counts.values())))
        spread = 1 + _SURE / math.sqrt(seen)
        return ((math.sqrt(_SURE**2 + 4 * spread * limit) - _SURE) / (2 * spread)) ** 2

    def share_after(self, second: int) -> float:
        """Which part of a day's calls begins from this second on."""
        hour, rest = divmod(second, 3600)
        return (sum(self._hours[hour:]) - self._hours[hour] * rest / 3600) / sum(self._hours)

    def second_by_which(self, share: float) -> int:
        """The second of the day by which this part of its calls has begun."""
        wanted = share * sum(self._hours)
        for hour, weight in enumerate(self._hours):
            if wanted <= weight:
                return int((hour + max(0.0, wanted) / weight) * 3600) - 1
            wanted -= weight
        return _DAY_SECONDS - 1


def way_of(entry: Any) -> str:
    """INCOMING or OUTGOING, whichever a callDetails entry is; "" where it does not say.

    The server sends its numbers in more than one form.
    """
    kind = clean(entry.get("callType")) if isinstance(entry, dict) else ""
    return WAYS.get(kind, "")
