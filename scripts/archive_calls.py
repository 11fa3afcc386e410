"""Fill the archive with the calls back to a day, slowly, so that whoever else uses the key is not held up. At night.

    python scripts/archive_calls.py 2023-01-01                  what is known is not asked for again
    python scripts/archive_calls.py 2023-01-01 --until 06:00    then stop; the next run goes on
    python scripts/archive_calls.py --status                    what is known, a line a month
    python scripts/archive_calls.py --query "SELECT number, count(*) FROM calls GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
    python scripts/archive_calls.py --forget 0671234567         erase somebody's calls

All other jobs put the calls that they ask for into the archive, too, and take from it what is there: the database that
DATABASE_URL names.
"""

import argparse
import csv
import io
import logging
import re
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import METHODS
from common.calls.archive import BOTH, Wanted
from common.calls.call import SIGNIFICANT_DIGITS, clean
from common.calls.collect import collect
from common.calls.days import wanted_moment
from common.calls.period import PeriodPlan, PeriodRequest
from common.calls.phone import country_of, international
from common.job import Job, print_out, run
from common.progress import progress_bar
from common.settings import UsageError
from common.state.database import copies_of
from common.state.query import QueryError, read_only
from common.state.store import forget_person
from common.state.urls import file_of, is_server

DAY_SECONDS = 86400
SHORTEST_NUMBER = 5  # digits

log = logging.getLogger(__name__)


class _EnoughError(Exception):
    """The time is over in which requests may be made."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("start", nargs="?", metavar="DAY", help="the first day to have: 2023-01-01")
    parser.add_argument("--until", metavar="06:00", help="the time of the day to stop at (default: when all is there)")
    parser.add_argument("--table", action="store_true", help="what --query gives in aligned columns, for a person")
    parser.add_argument("--share", type=float, default=0.5, help="of the quota, more than 0 and up to 1 (default: 0.5)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--status", action="store_true", help="print what is known, a line a month")
    instead.add_argument("--query", metavar="SQL", help="print what a query that only reads gives, as CSV")
    instead.add_argument(
        "--forget", metavar="0671234567", help="erase the calls with this number, and what else is kept"
    )


def main(job: Job) -> None:
    arguments = job.arguments
    if arguments.status:
        for line in status(job):
            print_out(line)
    elif arguments.query:
        query(arguments.query, job)
    elif arguments.forget:
        forget(arguments.forget, job)
    elif arguments.start:
        fill(job)
    else:
        raise UsageError("Name the first day to have, such as 2023-01-01; or --status, --query or --forget.")


def fill(job: Job) -> None:
    """Ask for all that is not known from the day on until now, a request each (its gap / the share) seconds."""
    arguments, now = job.arguments, job.now()
    if not 0 < arguments.share <= 1:
        raise UsageError(f"--share {arguments.share}: use more than 0 and up to 1.")
    until = end_of_time(arguments.until, now) if arguments.until else None
    first = wanted_moment(arguments.start, now.date(), job.settings.timezone)
    if first.timestamp() > now.timestamp():
        raise UsageError(f"{arguments.start} has not begun yet: there are no calls to keep.")
    wanted = Wanted(int(first.timestamp()), int(now.timestamp()))
    days, requests, next_at = (wanted.last + 1 - wanted.first) / DAY_SECONDS, 0, 0.0

    with progress_bar(job) as show:

        def on_request(plan: PeriodPlan, request: PeriodRequest) -> None:
            nonlocal requests, next_at
            show(plan.share_known, f"{plan.share_known * days:.0f} of {days:.0f} days", plan.seconds_left())
            time.sleep(max(0, next_at - time.monotonic()))
            if until and job.now().timestamp() >= until.timestamp():
                raise _EnoughError
            # Never one of the free requests of a minute: those are left to others.
            next_at = time.monotonic() + METHODS[request.method].gap / arguments.share
            requests += 1

        try:
            unread = collect(wanted, job.client, job.archive, on_request=on_request)
        except _EnoughError:
            unread = []
            log.info("It is %s: the next run goes on", arguments.until)
    if unread:
        job.fail(f"{len(unread)} entries of Binotel's answers cannot be read: they are not in the archive.")
    known = sum(last - first + 1 for way in BOTH for first, last in job.archive.covered(way, wanted.first, wanted.last))
    share = known / len(BOTH) / (wanted.last + 1 - wanted.first)
    calls = job.archive.count(wanted.first, wanted.last)
    print_out(f"{share:.1%} of the time since {arguments.start} is known: {calls:,} calls ({requests} requests)")


def end_of_time(text: str, now: datetime) -> datetime:
    """The next moment at which the clock shows a time. Raises UsageError."""
    if not re.fullmatch("([01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        raise UsageError(f"--until {text!r} is no time of the day: write it as 06:00.")
    hour, minute = map(int, text.split(":"))
    end = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return end if end > now else end + timedelta(days=1)


def status(job: Job) -> list[str]:
    """A line a month, from the first one of which anything is known to the last."""
    archive, timezone, now = job.archive, job.settings.timezone, job.now()
    first_known = archive.first_known()
    if first_known is None:
        return ["Nothing is in the archive yet."]
    month, lines = datetime.fromtimestamp(first_known, timezone).date().replace(day=1), []
    length = 0
    while month <= now.date():
        following = (month + timedelta(days=31)).replace(day=1)
        first, last = (
            int(datetime.combine(day, datetime.min.time(), timezone).timestamp()) for day in (month, following)
        )
        last = min(last - 1, int(now.timestamp()))
        known = sum(end - begin + 1 for way in BOTH for begin, end in archive.covered(way, first, last))
        calls = archive.count(first, last)
        lines.append(f"{month:%Y-%m} {known / len(BOTH) / (last + 1 - first):7.1%} {calls:9,} calls")
        length = len(lines) if known or calls else length
        month = following
    return lines[:length]


def query(sql: str, job: Job) -> None:
    """Print what a query gives. Raises UsageError."""
    try:
        rows = read_only(job.settings.database_url, sql)
        if job.arguments.table:
            texts = [["" if value is None else clean(str(value)) for value in row] for row in rows]
            widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
            for row in texts:
                print_out("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
            return
        for values in rows:
            text = io.StringIO()
            csv.writer(text, lineterminator="").writerow(values)
            print_out(text.getvalue())
    except QueryError as error:
        raise UsageError(str(error)) from None


def forget(number: str, job: Job) -> None:
    """Erase a person from the database, and say where else the number may stand."""
    digits = re.sub("[^0-9]", "", number)
    if len(digits) < SHORTEST_NUMBER:
        raise UsageError(f"--forget {number!r} is no phone number: write it as 0671234567.")
    shown = international(number, country_of(job.settings.timezone)) or number
    key = digits[-SIGNIFICANT_DIGITS:]
    starts = job.archive.starts_with(shown)
    days = {datetime.fromtimestamp(start, job.settings.timezone).date() for start in starts}
    copies = [] if is_server(job.settings.database_url) else copies_of(file_of(job.settings.database_url))
    if paths := [*reports_of(days, job), *recordings_of(key, job), *copies]:
        print_out("These may hold more of it, and are not touched:")
        for path in paths:
            print_out(str(path))
    # Last, for then nobody knows any more where else to look.
    remembered = forget_person(job.settings.database_url, job.settings.key, key)
    job.archive.forget(shown)
    print_out(f"{len(starts)} calls and {remembered} other notes with {number} were erased from the database.")
    print_out("Mails and messages that were sent, backups of customers, and Binotel itself know it as before.")


def reports_of(days: set[date], job: Job) -> list[Path]:
    """The reports that hold any of the days."""
    found = []
    for path in sorted(job.settings.reports_dir.glob("calls-*")):
        named = [date.fromisoformat(text) for text in re.findall(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", path.name)[:2]]
        if named and any(named[0] <= day <= named[-1] for day in days):
            found.append(path)
    return found


def recordings_of(key: str, job: Job) -> list[Path]:
    """The recordings whose names hold the number, where they are in a folder."""
    url = job.settings.records_url
    return (
        []
        if "://" in url and not url.startswith("file://")
        else sorted(Path(url.removeprefix("file://")).rglob(f"*{key}*"))
    )


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
