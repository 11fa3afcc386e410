"""Plays the loop by a virtual clock, with failures, hangs, restarts and the days the clocks change.

What it began is compared with a list that is reckoned in another way: from Kyiv's clock, minute by minute.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

import time_machine

from common.schedule.loop import Loop
from common.schedule.planned import LIMIT_SECONDS, Account
from common.schedule.runs import Outcome
from helpers import KYIV

MINUTE, HOUR, DAY = 60, 3600, 86400
HUNG = "It hung."


@dataclass(frozen=True)
class Life:
    """What becomes of a run that begins at a moment: the seconds it takes, and how it ends."""

    seconds: float
    problem: str


def life_of(account, job, began, seed):
    """By chance, but always the same for the same run, so that both sides know it. Some hang."""
    chance = random.Random(f"{seed} {account} {job} {began}")
    seconds = chance.choice([1, 20, 20, 20, 4 * MINUTE, 11 * MINUTE, 3 * HOUR])
    problem = chance.choice(["", "", "", "It failed."])
    if seconds > LIMIT_SECONDS[job]:
        return Life(LIMIT_SECONDS[job], HUNG)
    return Life(seconds, problem)


class VirtualRun:
    """Stands in for a process: takes virtual time."""

    def __init__(self, planned, now, seed):
        life = life_of(planned.account.name, planned.job, now, seed)
        self.planned, self.began, self.life, self.outcome = planned, now, life, None
        self.next_event = now + life.seconds
        # What hangs ends when the loop keeps it to its limit, and not before.
        self.ends = float("inf") if life.problem == HUNG else self.next_event

    def is_alive(self):
        now = datetime.now(UTC).timestamp()
        if self.outcome is None and now >= self.ends:
            self.outcome = Outcome(self.began, now, self.life.problem)
            self.planned.end(self.outcome)
        return self.outcome is None

    def keep_to_limit(self):
        now = datetime.now(UTC).timestamp()
        if now >= self.began + LIMIT_SECONDS[self.planned.job]:
            self.ends = now


def uptimes(first, days, seed):
    """From when until when the loop is there: (start, stop) pairs, with an hour, a night or three days in between."""
    chance = random.Random(seed)
    start, last, spans = first, first + days * DAY, []
    while start < last:
        stop = min(last, start + chance.choice([90, 3 * HOUR, 2 * DAY, 9 * DAY]) + chance.randrange(HOUR))
        spans.append((start, stop))
        start = stop + chance.choice([1, 5 * MINUTE, HOUR, 9 * HOUR, 3 * DAY])
    return spans


def crash(loop):
    """As if the process had been killed: the system drops its locks."""
    for lock in loop._locks.values():
        lock.release()


def play(settings_by_account, spans, seed):
    """The runs that the loop began, as (moment, account, job), sorted."""
    began = []

    def start(planned):
        now = datetime.now(UTC).timestamp()
        began.append((now, planned.account.name, planned.job))
        return VirtualRun(planned, now, seed)

    with time_machine.travel(0, tick=False) as clock:
        for first, last in spans:
            loop = Loop(start)  # whatever ran before was killed with the loop
            loop.plan([Account(name, settings) for name, settings in settings_by_account.items()])
            now = first
            while now < last:
                clock.move_to(datetime.fromtimestamp(now, UTC))
                loop.tick()
                # In between the ticks of every second nothing changes.
                timers = [timer.due for timer in loop._timers]
                ends = [run.next_event for _, run, _ in loop._running.values()]
                now = min(moment for moment in [*timers, *ends, last] if moment > now)
            crash(loop)
    return sorted(began)


def due_moments(line, first, last):
    """What a line of the configuration means, by Kyiv's clock: an independent reading for the lines used here."""
    words = line.split()
    if words[0] == "every":
        step = int(words[1]) * {"minutes": MINUTE, "hours": HOUR}[words[2]]
        return list(range(first - first % step + step, last, step))
    hour, minute = map(int, words[2].split(":"))
    moments = []
    day = datetime.fromtimestamp(first, KYIV).date() - timedelta(days=1)
    while (local := datetime.combine(day, time_of_day(hour, minute))) < datetime.fromtimestamp(last + DAY):
        if words[0] in ("day", f"{day:%A}".lower()):
            # Summer time begins on the last Sunday of March at 01:00 UTC and ends on that of October.
            begins, ends = (datetime(day.year, month, 31) for month in (3, 10))
            begins, ends = (end - timedelta(days=(end.weekday() + 1) % 7) for end in (begins, ends))
            is_summer = begins + timedelta(hours=4) <= local < ends + timedelta(hours=4)
            utc = local - timedelta(hours=3 if is_summer else 2)
            moments.append(int(utc.replace(tzinfo=UTC).timestamp()))
        day += timedelta(days=1)
    return [moment for moment in moments if first < moment < last]


def expected(lines_by_account, spans, seed):
    """The runs there should be: each at its moment, or as soon as the loop is there and the run before it has ended.

    What runs at a time of the day and fails is tried again 10, 30 and 60 minutes after each failure, on the same day.
    """
    runs = []
    for account, lines in lines_by_account.items():
        for job, line in lines.items():
            dues = due_moments(line, spans[0][0], spans[-1][1])
            waiting, position, was_cut = False, 0, False
            failures, first_failure, again = 0, 0, math.inf
            for first, last in spans:
                now = first
                while now < last:
                    while position < len(dues) and dues[position] <= now:
                        waiting, position = True, position + 1
                    if waiting or was_cut or again <= now:
                        runs.append((now, account, job))
                        failures = 0 if waiting else failures
                        waiting, again = False, math.inf
                        life, began = life_of(account, job, float(now), seed), now
                        now += life.seconds
                        was_cut = now > last
                        if was_cut:
                            continue
                        first_failure = began if failures == 0 else first_failure
                        at = now + (10 * MINUTE, 30 * MINUTE, HOUR, math.inf)[failures]
                        if life.problem and " at " in line and at < math.inf and same_day(first_failure, at):
                            failures, again = failures + 1, at
                        else:
                            failures = 0
                    else:
                        upcoming = [*dues[position : position + 1], again]
                        if min(upcoming) == math.inf:
                            break
                        now = max(now, min(upcoming))
    return sorted(runs)


def same_day(*moments):
    return len({datetime.fromtimestamp(moment, KYIV).date() for moment in moments}) == 1
