"""A server of which every call is known, and the quota on a virtual clock: to measure and to test plans for periods."""

import bisect
import math
import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from binotel_core import DAY_METHOD, METHODS, QUOTA_FREE_REQUESTS, QUOTA_WINDOW_SECONDS
from common.calls.period import INCOMING, OUTGOING, PeriodPlan

KYIV = ZoneInfo("Europe/Kyiv")
OFFICE_HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 4, 9, 11, 11, 8, 4, 9, 10, 9, 6, 3, 1, 1, 0, 0, 0)
STEADY_HOURS = (1,) * 24


class Quota:
    """The seconds that requests take when every one starts as early as the rule allows, without any margin."""

    def __init__(self):
        self.starts = []

    def spend(self, method):
        start = self.starts[-1] if self.starts else 0
        if len(self.starts) >= QUOTA_FREE_REQUESTS:
            start = max(start, min(start + METHODS[method].gap, self.starts[-5] + QUOTA_WINDOW_SECONDS))
        self.starts.append(start)

    @property
    def seconds(self):
        return self.starts[-1] if self.starts else 0


def seconds_of(gap, count):
    """The seconds that `count` requests with this gap take."""
    quota = Quota()
    method = DAY_METHOD if gap == METHODS[DAY_METHOD].gap else "stats/incoming-calls-for-period"
    for _ in range(count):
        quota.spend(method)
    return quota.seconds


class Server:
    """Calls at known moments. Answers plans' requests, capped as the API's are; which calls a cap drops is random."""

    def __init__(self, moments, *, caps=None, seed=0):
        self.calls = {
            way: [
                {
                    "generalCallID": f"{way}-{index}",
                    "startTime": str(moment),
                    "callType": "01"[way == OUTGOING],
                    "disposition": "ANSWER",
                }
                for index, moment in enumerate(sorted(moments[way]))
            ]
            for way in (INCOMING, OUTGOING)
        }
        self.moments = {way: sorted(moments[way]) for way in (INCOMING, OUTGOING)}
        self.caps = caps or {}
        self.quota = Quota()
        self.requests = []
        self._rng = random.Random(seed)

    def between(self, way, first, last):
        moments = self.moments[way]
        return self.calls[way][bisect.bisect_left(moments, first) : bisect.bisect_right(moments, last)]

    def answer(self, request):
        self.requests.append(request)
        self.quota.spend(request.method)
        if request.method == DAY_METHOD:
            day = datetime.fromtimestamp(request.params["dayInTimestamp"], KYIV).date()
            first, last = limits(day, day)
            return self.between(INCOMING, first, last) + self.between(OUTGOING, first, last)
        ways = (INCOMING, OUTGOING) if "internalNumber" in request.params else request.ways
        found = [
            call for way in ways for call in self.between(way, request.params["startTime"], request.params["stopTime"])
        ]
        cap = self.caps.get(request.method, METHODS[request.method].cap)
        return self._rng.sample(found, cap) if len(found) > cap else found


def follow(plan, server):
    """Carry a plan out; returns the calls it gave."""
    calls = []
    while request := plan.next_request():
        assert len(server.requests) < 50_000, f"the plan does not come on: {request}"
        calls += plan.accept(request, server.answer(request))
    return calls


def limits(first_day, last_day):
    """The first and the last second of a period of whole days."""
    first = datetime.combine(first_day, time(), KYIV)
    after = datetime.combine(last_day + timedelta(days=1), time(), KYIV)
    return int(first.timestamp()), int(after.timestamp()) - 1


def made_up_moments(first_day, days, calls_per_day, shape, rng):
    """Moments of calls of one direction; `calls_per_day` is the average day's, but for a campaign's week."""
    moments = []
    campaign = range(days * 2 // 5, days * 2 // 5 + 7) if shape == "campaign" else ()
    hours = STEADY_HOURS if shape == "steady" else OFFICE_HOURS
    for number in range(days):
        day = first_day + timedelta(days=number)
        expected = calls_per_day * (20 if number in campaign else 1)
        if shape == "office hours":
            expected *= 0 if day.weekday() >= 5 else 7 / 5
        count = max(0, round(rng.gauss(expected, math.sqrt(expected)))) if expected else 0
        first, last = limits(day, day)
        drawn = rng.choices(range(24), hours, k=count)
        moments += [min(last, first + hour * 3600 + rng.randrange(3600)) for hour in drawn]
    return moments


def plan_for(first_day, days, direction="both", **options):
    start, stop = limits(first_day, first_day + timedelta(days=days - 1))
    return PeriodPlan(start, stop, direction, timezone=KYIV, **options)


NEW_YEAR = date(2024, 1, 1)
