"""The workbook of a day: seconds and peak memory, against a bare openpyxl write-only loop over the same cells.

    python tests/benchmarks/bench_workbook.py

Every figure is measured in a process of its own, from the same list of calls in memory.
"""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from openpyxl import Workbook

from common.calls.call import Call, in_time_order
from common.labels import Labels
from common.reports.figures import Report, Selection
from common.reports.tables import calls_table, lost_table
from common.reports.workbook import save_workbook
from common.sandbox.company import Company

DAY = date(2024, 5, 1)
SIZES = (2_000, 100_000)
GOAL_RATIO = 1.5
GOAL_MEGABYTES = 250


def report_of(count: int) -> Report:
    """A day of `count` calls: the sandbox's calls of one day, over and over, each time some seconds later."""
    timezone = ZoneInfo("Europe/Kyiv")
    some = [Call.from_entry(entry, timezone) for entry in Company(1, 1500).calls_of_day(DAY)]
    calls = []
    for index in range(count):
        later = timedelta(seconds=index // len(some))
        call = some[index % len(some)]
        calls.append(replace(call, start=call.start + later, general_call_id=f"{call.general_call_id}{index}"))
    return Report.of(Selection.of_day(DAY, timezone), sorted(calls, key=in_time_order))


def bare_loop(report: Report, labels: Labels, path: Path) -> None:
    book = Workbook(write_only=True)
    for table in (calls_table(report, labels), lost_table(report, labels)):
        sheet = book.create_sheet()
        for row in table.rows():
            sheet.append(row)
    book.save(path)


WAYS = {"workbook": save_workbook, "bare loop": bare_loop}


def measure(way: str, count: int) -> None:
    """Print seconds and peak megabytes of one way; runs in its own process."""
    report = report_of(count)
    assert report.count == count
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        WAYS[way](report, Labels("uk"), Path(folder) / "calls.xlsx")
        seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before)


def main() -> None:
    print(f"{'calls':>8} {'seconds':>9} {'peak MB':>8} {'(calls alone)':>14} {'bare loop, s':>13} {'ratio':>6}")
    for count in SIZES:
        results = {}
        for way in WAYS:
            runs = []
            for _ in range(3):
                command = [sys.executable, __file__, way, str(count)]
                output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                runs.append(tuple(map(float, output.split())))
            results[way] = min(runs)
        seconds, peak, before = results["workbook"]
        bare_seconds = results["bare loop"][0]
        ratio = seconds / bare_seconds
        verdict = "ok" if ratio < GOAL_RATIO and peak < GOAL_MEGABYTES else "GOAL MISSED"
        print(f"{count:>8} {seconds:>9.2f} {peak:>8.0f} {before:>14.0f} {bare_seconds:>13.2f} {ratio:>6.2f}  {verdict}")


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
