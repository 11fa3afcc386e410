"""A silence is told where chance cannot have made it, and hardly ever otherwise."""

import bisect
from datetime import datetime, time, timedelta

import pytest

from common.calls.silence import FEWEST_USUAL, Silence, silence
from common.sandbox.company import CLOSED_DAYS, Company
from helpers import DAY, KYIV

OPENING = datetime.combine(DAY, time(9), KYIV)


def starts_of(moments):
    """What silence() asks, of calls at these moments."""
    starts = sorted(moment.timestamp() for moment in moments)

    def between(first, last):
        return [int(start) for start in starts[bisect.bisect_left(starts, first) : bisect.bisect_right(starts, last)]]

    return between


def every(minutes, *days_ago, until=time(18)):
    for back in days_ago:
        moment = OPENING - timedelta(days=back)
        while moment.time() < until:
            yield moment
            moment += timedelta(minutes=minutes)


WEDNESDAYS = [7 * week for week in range(1, 9)]


def test_a_silence_counts_from_the_last_call_or_from_the_opening():
    now = OPENING + timedelta(hours=3)
    assert silence(starts_of(every(10, *WEDNESDAYS)), OPENING, now) == Silence(OPENING, 18)
    calls = [*every(10, *WEDNESDAYS), OPENING + timedelta(minutes=50)]
    assert silence(starts_of(calls), OPENING, now) == Silence(OPENING + timedelta(minutes=50), 13)


@pytest.mark.parametrize(
    "calls",
    [
        every(10, *WEDNESDAYS, 0),  # there are calls
        every(16, *WEDNESDAYS),  # there are never many
        every(10, *WEDNESDAYS[:3]),  # too few weeks are known
        [*every(10, *WEDNESDAYS[:7]), *every(90, 56)],  # once there were hardly any
        [],
    ],
)
def test_what_may_be_chance_is_no_silence(calls):
    assert silence(starts_of(calls), OPENING, OPENING + timedelta(hours=3)) is None


def test_in_a_year_of_the_sandbox_there_is_no_false_alarm_but_on_holidays_and_each_outage_is_told():
    company, first = Company(1, 200), DAY - timedelta(days=70)
    days = [first + timedelta(days=number) for number in range(70 + 365)]
    calls = [call for day in days for call in company.calls_of_day(day) if call["callType"] == "0"]
    starts = sorted(int(call["startTime"]) for call in calls)

    def until(outage):
        return lambda first, last: starts[
            bisect.bisect_left(starts, first) : bisect.bisect_right(starts, min(last, outage))
        ]

    false, told_after = [], []
    for day in days[70:]:
        opening = datetime.combine(day, time(9), KYIV)
        if any(silence(until(2**40), opening, opening + timedelta(minutes=minutes)) for minutes in range(0, 540, 10)):
            false.append(day)
        broken = opening + timedelta(hours=2)
        looks = (broken + timedelta(minutes=minutes) for minutes in range(0, 420, 10))
        if told := next((now for now in looks if silence(until(broken.timestamp()), opening, now)), None):
            told_after.append((day.weekday(), told - broken))
    assert {(day.month, day.day) for day in false} <= set(CLOSED_DAYS)
    assert len(false) <= 12
    weekdays = [after for weekday, after in told_after if weekday < 5]
    assert len(weekdays) > 240
    assert max(weekdays) <= timedelta(hours=3)
    assert FEWEST_USUAL == 12
