"""The figures of a million calls in one pass: how many calls a second on one core, and beside only reading entries.

    python tests/benchmarks/bench_figures.py

Every figure is CPU time, and the ratio is measured by turns, each in a process of its own.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from goals import ROUNDS, by_turns, end, goal, measured

from common.calls.call import Call, Calls
from common.reports.figures import Report
from common.reports.selection import Selection
from common.sandbox.company import Company

KYIV = ZoneInfo("Europe/Kyiv")
FIRST, DAYS, CALLS_A_DAY = date(2024, 1, 1), 20, 2500
SOME, MANY = 50_000, 1_000_000
GOAL_A_SECOND = 300_000
GOAL_SHARE = 1 / 3


def some_entries() -> list[dict]:
    """A company's first days, in time order."""
    company = Company(1, CALLS_A_DAY)
    days = (company.calls_of_day(FIRST + timedelta(days=day)) for day in range(DAYS))
    return [entry for entries in days for entry in entries][:SOME]


class Entries:
    """Entries that are gone through anew each time, as the archive's are."""

    def __init__(self) -> None:
        self._entries = some_entries()

    def __iter__(self) -> Iterator[dict]:
        return iter(self._entries)


def many_calls() -> list[Call]:
    """Those days, again and again, each time later: a million calls of a year and more."""
    some = [Call.from_entry(entry, KYIV) for entry in some_entries()]
    made: list[Call] = []
    for turn in range(-(-MANY // len(some))):
        later = turn * DAYS * 86400
        for call in some:
            start = call.unix_start + later
            made.append(call._replace(start=datetime.fromtimestamp(start, KYIV), unix_start=start))
    return made[:MANY]


def selection_of(days: int) -> Selection:
    last = FIRST + timedelta(days=days - 1)
    return Selection(Selection.of_day(FIRST, KYIV).start, Selection.of_day(last, KYIV).stop)


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(what: str) -> None:
    """Print the CPU seconds of one way, and of how many calls; runs in its own process."""
    if what == "figures":
        calls = many_calls()
        print(seconds(lambda: Report.of(selection_of(len(calls) // CALLS_A_DAY + 1), calls)), len(calls))
        return
    entries = Calls(Entries(), KYIV)
    ways = {"read": lambda: deque(entries, 0), "read and counted": lambda: Report.of(selection_of(DAYS), entries)}
    print(seconds(ways[what]), SOME)


def main() -> None:
    def run(what: str) -> list[float]:
        code, output, errors, _ = measured([sys.executable, __file__, what])
        assert code == 0, errors
        return [float(number) for number in output.split()]

    speeds = [count / spent for spent, count in (run("figures") for _ in range(ROUNDS))]
    goal(f"the figures of {MANY:,} calls: calls a second", speeds, at_least=GOAL_A_SECOND)
    ratios = by_turns(lambda: run("read")[0], lambda: run("read and counted")[0])
    goal("the speed of reading and counting, in parts of that of only reading", ratios, at_least=GOAL_SHARE)
    end()


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
