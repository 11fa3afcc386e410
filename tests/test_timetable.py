"""Lines of the configuration -> moments; nothing skipped and nothing doubled when the clocks change."""

import functools
import os
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import pytest
import time_machine

import schedule
from common.schedule.loop import Timer
from common.timetable import WEEKDAYS, Timetable
from helpers import KYIV

SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
TIMES = ("00:00", "02:59", "03:00", "03:30", "03:59", "04:00", "07:30", "23:59")


@pytest.mark.parametrize(
    ("line", "timetable"),
    [
        ("day at 07:30", Timetable("day at 07:30", at=time_of_day(7, 30))),
        ("  Every Day  at 7:05", Timetable("every day at 7:05", at=time_of_day(7, 5))),
        ("sunday at 03:00", Timetable("sunday at 03:00", at=time_of_day(3), weekday=6)),
        ("1 at 08:00 | last-month", Timetable("1 at 08:00", ("last-month",), at=time_of_day(8), month_day=1)),
        ("Every 31 at 8:00", Timetable("every 31 at 8:00", at=time_of_day(8), month_day=31)),
        ("every 5 minutes", Timetable("every 5 minutes", seconds=300)),
        ("every minute", Timetable("every minute", seconds=60)),
        ("every 24 hours|", Timetable("every 24 hours", seconds=86400)),
        (
            "every 2 hours | --since 7d --format 'a b'",
            Timetable("every 2 hours", ("--since", "7d", "--format", "a b"), 7200),
        ),
        (
            r'day at 07:30 | --output "C:\My reports" C:\x #1',
            Timetable("day at 07:30", ("--output", r"C:\My reports", r"C:\x", "#1"), at=time_of_day(7, 30)),
        ),
    ],
)
def test_a_line_is_read(line, timetable):
    assert Timetable.parse(line) == timetable


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "7:30",
            "'7:30' is not understood; write it as 'day at 07:30', 'sunday at 03:00', '1 at 08:00' (of each month)",
        ),
        ("day at 24:00", "there is no time 24:00; write it as 'day at 07:30'"),
        (
            "0 at 08:00",
            "no month has a day 0; write it as 'day at 07:30', 'sunday at 03:00', '1 at 08:00' (of each month)",
        ),
        ("32 at 08:00", "no month has a day 32; write it as"),
        ("1st at 08:00", "'1st at 08:00' is not understood; write it as"),
        ("every 0 minutes", "'every 0 minutes' is not between a minute and a day; write it as"),
        ("every 25 hours", "'every 25 hours' is not between a minute and a day; write it as"),
        ("every 5 minutes | --format 'xlsx", "the arguments after | have an open quote: --format 'xlsx"),
    ],
)
def test_a_wrong_line_is_told_with_what_is_allowed(line, problem):
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}"):
        Timetable.parse(line)


@functools.cache
def expected_runs(line, first, last):
    """By looking at Kyiv's clock every minute: what is shown for the first time; where it is skipped, an hour later."""
    if line.startswith("every"):
        minutes = {"every 5 minutes": 5, "every 2 hours": 120}[line]
        return [first + timedelta(minutes=m) for m in range(0, int((last - first).total_seconds()) // 60, minutes)][1:]
    word, _, clock = line.partition(" at ")
    runs, seen = [], set()
    moment = first
    while (moment := moment + timedelta(minutes=1)) < last:
        local = moment.astimezone(KYIV)
        is_skipped_hour = f"{local - timedelta(hours=1):%H:%M}" == clock and is_skipped(local - timedelta(hours=1))
        if (f"{local:%H:%M}" == clock or is_skipped_hour) and word in (
            "day",
            WEEKDAYS[local.weekday()],
            str(local.day),
        ):
            if local.date() not in seen:
                runs.append(moment)
            seen.add(local.date())
    return runs


def is_skipped(local):
    return local.astimezone(UTC).astimezone(KYIV).replace(tzinfo=None) != local.replace(tzinfo=None)


def simulated_runs(line, first, last):
    """What schedule runs, by a virtual clock."""
    timetable, scheduler, runs = Timetable.parse(line), schedule.Scheduler(), []

    def run(timer):
        runs.append(datetime.now(UTC))
        timer.due = timetable.next_due(time.time(), KYIV)

    with time_machine.travel(first, tick=False) as clock:
        timer = Timer(scheduler)
        timer.due = timetable.next_due(time.time(), KYIV)
        timer.do(run, timer)
        while datetime.now(UTC) < last:
            scheduler.run_pending()
            # In between nothing is due.
            clock.move_to(max(datetime.now(UTC) + timedelta(seconds=1), datetime.fromtimestamp(timer.due, UTC)))
    return runs


@pytest.fixture(params=["UTC", "Europe/Kyiv"])
def computer_zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(os.name == "nt", reason="the computer's time zone cannot be changed")
@pytest.mark.parametrize("change", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize(
    "line",
    [
        *(f"day at {at}" for at in TIMES),
        *(f"sunday at {at}" for at in ("00:00", "03:00", "03:30")),
        "monday at 03:30",
        "29 at 03:30",
        "25 at 03:00",
        "every 5 minutes",
        "every 2 hours",
    ],
)
def test_when_the_clocks_change_no_run_is_skipped_and_none_doubled(line, change, computer_zone):
    first, last = change - timedelta(days=2), change + timedelta(days=9)
    runs = simulated_runs(line, first, last)
    assert runs == expected_runs(line, first, last)
    assert set(Counter(runs).values()) <= {1}


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("1 at 08:00", ["2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01"]),
        ("29 at 08:00", ["2024-01-29", "2024-02-29", "2024-03-29", "2024-04-29"]),
        ("30 at 08:00", ["2024-01-30", "2024-02-29", "2024-03-30", "2024-04-30"]),
        ("31 at 08:00", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
    ],
)
def test_a_day_that_a_month_has_not_is_its_last_one(line, days):
    timetable, due = Timetable.parse(line), datetime(2024, 1, 1, 9, tzinfo=KYIV).timestamp()
    dues = [due := timetable.next_due(due, KYIV) for _ in days]
    assert [f"{datetime.fromtimestamp(due, KYIV):%Y-%m-%d %H:%M}" for due in dues] == [f"{day} 08:00" for day in days]


def test_what_it_expects_is_itself_right():
    def runs(line, change):
        days = expected_runs(line, change - timedelta(days=1), change + timedelta(days=2))
        return [f"{moment.astimezone(KYIV):%d %H:%M %z}" for moment in days]

    assert runs("day at 03:30", SPRING) == ["28 03:30 +0200", "29 04:30 +0300", "30 03:30 +0300"]
    assert runs("day at 03:30", AUTUMN) == ["24 03:30 +0300", "25 03:30 +0300", "26 03:30 +0200"]
    assert runs("sunday at 00:00", AUTUMN) == ["25 00:00 +0300"]


def test_schedule_alone_still_needs_this_help():
    """When this fails, Timer can perhaps go."""
    job = schedule.Scheduler().every().day.at("03:00", "Europe/Kyiv")
    with time_machine.travel(SPRING + timedelta(hours=12), tick=False):
        local = job.do(print).next_run.astimezone(ZoneInfo("Europe/Kyiv"))
    assert f"{local:%d %H:%M}" == "30 02:00"
