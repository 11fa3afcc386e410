"""The workbook of a day: seconds and peak memory, against a bare openpyxl write-only loop over the same cells; and what
it costs to show numbers in one form.

    python tests/benchmarks/bench_workbook.py

Every figure is measured in a process of its own, from the same list of calls in memory.
"""

import sys
import tempfile
import time
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from goals import by_turns, end, goal, measured
from openpyxl import Workbook

from common.calls.call import Call, in_time_order
from common.calls.phone import international
from common.labels import Labels
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.tables import calls_table, lost_table
from common.reports.workbook import save_workbook
from common.sandbox.company import Company

DAY = date(2024, 5, 1)
SIZES = (2_000, 100_000)
GOAL_RATIO = 1.5
GOAL_MEGABYTES = 250
GOAL_NUMBERS_RATIO = 1.03
NUMBERS = 10_000  # different ones: a caller calls ten times a year
NUMBERS_ROUNDS = 7  # the difference is smaller than a machine's noise


def report_of(count: int) -> Report:
    """A day of `count` calls: the sandbox's calls of one day, over and over, each time some seconds later."""
    timezone = ZoneInfo("Europe/Kyiv")
    some = [Call.from_entry(entry, timezone) for entry in Company(1, 1500).calls_of_day(DAY)]
    calls = []
    for index in range(count):
        later = timedelta(seconds=index // len(some))
        call = some[index % len(some)]
        number = f"067{index * 7919 % NUMBERS:07}"
        calls.append(call._replace(start=call.start + later, general_call_id=f"{index:07}", number=number))
    return Report.of(Selection.of_day(DAY, timezone), sorted(calls, key=in_time_order))


def bare_loop(report: Report, labels: Labels, path: Path) -> None:
    book = Workbook(write_only=True)
    for table in (calls_table(report, labels), lost_table(report, labels)):
        sheet = book.create_sheet()
        for row in table.rows():
            sheet.append(row)
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
        goal(f"{count:,} calls: peak megabytes, the calls in memory included", peaks, at_most=GOAL_MEGABYTES)
    ratios = by_turns(partial(seconds, "workbook"), partial(seconds, "numbers as they came"), NUMBERS_ROUNDS)
    what = f"{count:,} calls with {NUMBERS:,} numbers in one form, in times of numbers as they came"
    goal(what, ratios, at_most=GOAL_NUMBERS_RATIO)
    end()


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
