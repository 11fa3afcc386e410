"""Any period at the least cost: simulated requests and seconds against a lower bound and against the loop over days.

    python tests/benchmarks/bench_period.py [SEED]

The lower bound knows all counts in advance: the cheaper of a request a day (5 s) and, for both directions, as many as
hold 1,999 calls each (10 s), under the same quota with its 5 free requests. It does not mix the two, so a plan that
does can be faster. "N a day" is the average day's calls of each direction; a campaign has a week at 20 times that.
"""

import gc
import math
import random
import sys
import time
from datetime import timedelta

from goals import end, goal

from common.calls.period import INCOMING, OUTGOING
from simulation import NEW_YEAR, Server, follow, limits, made_up_moments, plan_for, seconds_of

GOAL_RATIO = 1.25
GOAL_FROM_SECONDS = 60
GOAL_TIMES_FASTER = 5  # a year at 50 calls a day and direction


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(" days  a day         shape  requests  seconds  bound  ratio  day loop")
    began = time.perf_counter()
    # Millions of calls are no garbage: to look through them again and again would take longer than all plans.
    gc.disable()
    missed = 0
    for days in (31, 365):
        for calls_per_day in (5, 50, 500, 5000):
            for shape in ("steady", "office hours", "campaign"):
                rng = random.Random(f"{seed} {days} {calls_per_day} {shape}")
                moments = {
                    way: made_up_moments(NEW_YEAR, days, calls_per_day, shape, rng) for way in (INCOMING, OUTGOING)
                }
                server = Server(moments)
                calls = follow(plan_for(NEW_YEAR, days), server)
                assert len(calls) == sum(map(len, moments.values()))
                windows = sum(math.ceil(len(moments[way]) / 1999) for way in (INCOMING, OUTGOING))
                bound = min(seconds_of(5, days), seconds_of(10, windows))
                day_loop = seconds_of(5, days)
                seconds = server.quota.seconds
                ratio = seconds / bound if bound else math.nan
                bad = (bound > GOAL_FROM_SECONDS and ratio > GOAL_RATIO) or seconds > day_loop
                if (days, calls_per_day, shape) == (365, 50, "steady"):
                    times_faster = day_loop / seconds
                missed += bad
                print(
                    f"{days:>5} {calls_per_day:>6} {shape:>13} {len(server.requests):>9} {seconds:>8} {bound:>6} "
                    f"{ratio:>6.2f} {day_loop:>9}{'  too slow' if bad else ''}",
                    flush=True,
                )
    half_known = [half_a_year_known(calls_per_day, seed) for calls_per_day in (5, 50, 500, 5000)]
    print(f"simulated in {time.perf_counter() - began:.0f} s")
    goal("a year at 50 a day: times faster than the loop over days", times_faster, at_least=GOAL_TIMES_FASTER)
    goal("of a year half known, seconds in times of the bound for the other half", half_known, at_most=GOAL_RATIO)
    goal("rows that are slower than the loop over days, or than 1.25 times the bound", missed, at_most=0)
    end()


def half_a_year_known(calls_per_day: int, seed: int) -> float:
    """What the unknown half of a year takes, in times of its bound, when the archive knows the first half."""
    rng = random.Random(f"{seed} {calls_per_day}")
    days = 365
    moments = {way: made_up_moments(NEW_YEAR, days, calls_per_day, "office hours", rng) for way in (INCOMING, OUTGOING)}
    server = Server(moments)
    first, last = limits(NEW_YEAR, NEW_YEAR + timedelta(days=days // 2 - 1))
    plan = plan_for(NEW_YEAR, days, known={way: [(first, last)] for way in moments})
    for way, of_way in server.moments.items():
        plan.learn(way, first, last, [moment for moment in of_way if moment <= last])
    follow(plan, server)
    unknown = {way: sum(moment > last for moment in of_way) for way, of_way in moments.items()}
    windows = sum(math.ceil(count / 1999) for count in unknown.values())
    bound = min(seconds_of(5, days - days // 2), seconds_of(10, windows))
    print(
        f"half known, {calls_per_day} a day: {len(server.requests)} requests, {server.quota.seconds} s, bound {bound} s"
    )
    return server.quota.seconds / bound if bound else 1.0


if __name__ == "__main__":
    main()
