"""The workbook of a day: seconds and peak memory, against a bare openpyxl write-only loop over the same cells; and what
it costs to show numbers in one form.

    python tests/benchmarks/bench_workbook.py

Every figure is measured in a process of its own, from the same calls: they are made when they are asked for, as the
archive's are, so that the peak is what the report needs.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from goals import by_turns, end, goal, measured
from openpyxl import Workbook

from common.calls.call import Call
from common.calls.phone import international
from common.labels import Labels
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.tables import (
    Link,
    calls_table,
    employees_table,
    hours_table,
    our_numbers_table,
    spells_table,
)
from common.reports.workbook import MAX_LINKED, save_workbook
from common.sandbox.company import Company

DAY, KYIV = date(2024, 5, 1), ZoneInfo("Europe/Kyiv")
SIZES = (2_000, 100_000)
GOAL_RATIO = 1.4
GOAL_MEGABYTES = 120
GOAL_NUMBERS_RATIO = 1.03
NUMBERS = 10_000  # different ones: a caller calls ten times a year
OTHERS = (spells_table, employees_table, our_numbers_table, hours_table)
NUMBERS_ROUNDS = 7  # the difference is smaller than a machine's noise


class DayOfCalls:
    """`count` calls of a day, in time order: the sandbox's, each as often as it takes, of different numbers."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._some = [Call.from_entry(entry, KYIV) for entry in Company(1, 1500).calls_of_day(DAY)]

    def __iter__(self) -> Iterator[Call]:
        some, count = self._some, self._count
        for index in range(count):
            number = f"067{index * 7919 % NUMBERS:07}"
            yield some[index * len(some) // count]._replace(general_call_id=f"{index:07}", number=number)


def report_of(count: int) -> Report:
    return Report.of(Selection.of_day(DAY, KYIV), DayOfCalls(count))


def bare_loop(report: Report, labels: Labels, path: Path) -> None:
    book = Workbook(write_only=True)
    calls = calls_table(report, labels, with_links=report.count <= MAX_LINKED)
    for table in (calls, *(each(report, labels) for each in OTHERS)):
        sheet = book.create_sheet()
        for row in table.rows():
            sheet.append([value.text if isinstance(value, Link) else value for value in row])
    book.save(path)


def as_they_came(report: Report, labels: Labels, path: Path) -> None:
    """The workbook with numbers as the server sent them."""
    Call.shown_number = property(lambda call: call.number)  # type: ignore[assignment,method-assign]
    save_workbook(report, labels, path)


WAYS = {"workbook": save_workbook, "bare loop": bare_loop, "numbers as they came": as_they_came}


def measure(way: str, count: int) -> None:
    """Print the CPU seconds of one way; runs in its own process."""
    report = report_of(count)
    assert report.count == count
    with tempfile.TemporaryDirectory() as folder:
        international.cache_clear()  # to count has asked for some
        began = time.process_time()
        WAYS[way](report, Labels("uk"), Path(folder) / "calls.xlsx")
        print(time.process_time() - began)


def main() -> None:
    for count in SIZES:
        peaks = []

        def seconds(way: str, count: int = count, peaks: list[float] = peaks) -> float:
            code, output, errors, peak = measured([sys.executable, __file__, way, count])
            assert code == 0, errors
            if way == "workbook":
                peaks.append(peak)
            return float(output)

        ratios = by_turns(partial(seconds, "workbook"), partial(seconds, "bare loop"))
        goal(f"{count:,} calls: the workbook, in times of the bare loop", ratios, at_most=GOAL_RATIO)
        goal(f"{count:,} calls: peak megabytes", peaks, at_most=GOAL_MEGABYTES)
    ratios = by_turns(partial(seconds, "workbook"), partial(seconds, "numbers as they came"), NUMBERS_ROUNDS)
    what = f"{count:,} calls with {NUMBERS:,} numbers in one form, in times of numbers as they came"
    goal(what, ratios, at_most=GOAL_NUMBERS_RATIO)
    end()


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
