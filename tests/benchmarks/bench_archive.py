"""The archive: storing, reading a year's report from it, and what a daily export spends on it; and the file's size.

    python tests/benchmarks/bench_archive.py

Every figure is CPU time in a process of its own, as a ratio to another one that was measured by turns with it.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from goals import by_turns, end, goal, measured

from common.calls.archive import CALLS, RUNG, Archive, Wanted
from common.calls.call import Calls
from common.labels import Labels
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.workbook import save_workbook
from common.sandbox.company import Company, day_limits

KYIV = ZoneInfo("Europe/Kyiv")
YEAR = date(2024, 1, 1)
ANSWER = 2_000  # calls
SIZES = (100_000, 1_000_000)
GOAL_STORED, GOAL_REPORT, GOAL_EXPORT = 2, 1.15, 1.03
GOAL_MEGABYTES = 120


def entries_of(count: int) -> list[dict]:
    """So many calls, in time order: a company's days from the year's first on."""
    company, day, found = Company(1, 2000), YEAR, []
    while len(found) < count:
        found += company.calls_of_day(day)
        day += timedelta(days=1)
    return found[:count]


def answers(entries: list[dict]) -> list[tuple[Wanted, list[dict]]]:
    pieces = [entries[index : index + ANSWER] for index in range(0, len(entries), ANSWER)]
    return [(Wanted(int(piece[0]["startTime"]), int(piece[-1]["startTime"])), piece) for piece in pieces]


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def stored(archive: Archive, entries: list[dict]) -> float:
    pieces = answers(entries)
    return seconds(lambda: [archive.keep(piece, wanted, wanted.last + 86400 * 9) for wanted, piece in pieces])


def bare(path: Path, entries: list[dict]) -> float:
    """The same rows by sqlite3's executemany, a transaction for each answer."""
    full = path.with_name("full.db")
    stored(Archive(f"sqlite:///{full}", "key", KYIV), entries)
    with sqlite3.connect(full) as source:
        statements = [
            text for (text,) in source.execute("SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE%calls%'")
        ]
        statements += [text for (text,) in source.execute("SELECT sql FROM sqlite_master WHERE name = 'rung'")]
        calls = list(source.execute("SELECT * FROM calls ORDER BY start"))
        rung = list(source.execute("SELECT * FROM rung"))
    target = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        target.execute(statement)
    marks = [",".join("?" * len(table.columns)) for table in (CALLS, RUNG)]
    a_piece = len(rung) * ANSWER // len(calls) + 1

    def write() -> None:
        for index in range(0, len(calls), ANSWER):
            target.execute("BEGIN IMMEDIATE")
            target.executemany(f"INSERT INTO calls VALUES ({marks[0]})", calls[index : index + ANSWER])
            first = index // ANSWER * a_piece
            target.executemany(f"INSERT INTO rung VALUES ({marks[1]})", rung[first : first + a_piece])
            target.execute("COMMIT")

    return seconds(write)


def report(entries: object, folder: Path) -> float:
    selection = Selection(
        datetime.combine(YEAR, datetime.min.time(), KYIV), datetime(2024, 12, 31, 23, 59, 59, tzinfo=KYIV)
    )

    def make() -> None:
        made = Report.of(selection, Calls(entries, KYIV))  # type: ignore[arg-type]
        assert made.count
        save_workbook(made, Labels("uk"), folder / "calls.xlsx")

    return seconds(make)


def measure(what: str, count: int, folder: Path) -> None:
    """Print the CPU seconds of one thing; runs in its own process."""
    archive = Archive(f"sqlite:///{folder / 'binotel.db'}", "key", KYIV)
    wanted = Wanted(day_limits(YEAR)[0], day_limits(date(2024, 12, 31))[1])
    match what:
        case "stored":
            print(stored(archive, entries_of(count)))
            print((folder / "binotel.db").stat().st_size / count)
        case "bare":
            print(bare(folder / "bare.db", entries_of(count)))
        case "report from memory":
            print(report(list(archive.entries(wanted, 2e9)), folder))
        case "report from the archive":
            print(report(archive.entries(wanted, 2e9), folder))
        case "read":
            pages = archive.entries(wanted, 2e9)
            print(seconds(lambda: sum(1 for _ in islice(pages, None))))


def main() -> None:
    with tempfile.TemporaryDirectory() as kept:
        got: dict[str, list[str]] = {}

        def run(what: str, count: int, folder: str = "") -> float:
            with tempfile.TemporaryDirectory() as fresh:
                code, output, errors, peak = measured([sys.executable, __file__, what, count, folder or fresh])
            assert code == 0, errors
            got[what] = [*output.split(), str(peak)]
            return float(got[what][0])

        count = SIZES[0]
        ratios = by_turns(partial(run, "stored", count), partial(run, "bare", count))
        goal(f"{count:,} calls stored, in times of sqlite3's executemany of the same rows", ratios, at_most=GOAL_STORED)
        bytes_a_call = float(got["stored"][1])
        one = run("stored", count, kept)
        print(f"bytes a call in the file: {bytes_a_call:,.0f}")
        ratios = by_turns(
            partial(run, "report from the archive", count, kept), partial(run, "report from memory", count, kept)
        )
        what = f"a report of {count:,} calls from the archive, in times of one from entries in memory"
        goal(what, ratios, at_most=GOAL_REPORT)
        goal("peak megabytes of it", float(got["report from the archive"][-1]), at_most=GOAL_MEGABYTES)
    more = run("stored", SIZES[1])
    goal("a million calls stored, in times of ten times 100,000", more / one / 10, at_most=1.25)
    goal("bytes a call of a million, in times of those of 100,000", float(got["stored"][1]) / bytes_a_call, at_most=1.1)
    end()


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])) if len(sys.argv) > 1 else main()
