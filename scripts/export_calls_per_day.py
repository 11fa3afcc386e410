"""Export a day's calls as an Excel report, and mail it to the managers.

    python scripts/export_calls_per_day.py                     yesterday
    python scripts/export_calls_per_day.py 2024-05-01 today    these two days
    python scripts/export_calls_per_day.py --catch-up          yesterday, and the days before it that were missed
    python scripts/export_calls_per_day.py --format xlsx,csv --no-mail

Each report goes to REPORTS_DIR (calls-2024-05-01.xlsx), its path is printed, and REPORT_TO gets it by mail.
"""

import argparse
import logging
from datetime import date, timedelta
from typing import Any

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import BinotelError, ClockError
from common.calls.call import Calls
from common.calls.days import entries_of_day, wanted_days
from common.delivery import Delivery
from common.job import Job, run
from common.labels import Labels
from common.recordings.recordings import Addresses
from common.reports.compared import compared
from common.reports.figures import Report
from common.reports.outputs import add_output_arguments, formats_of, wanted_paths, write_files
from common.reports.selection import Selection
from common.settings import UsageError
from common.state.store import Store

MAX_CAUGHT_UP = 31
MAX_AHEAD = timedelta(days=3660)
KEPT_DAYS = 400
CAUGHT_UP = "caught up until"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("days", nargs="*", metavar="DAY", help="2024-05-01, today or yesterday (the default)")
    parser.add_argument(
        "--catch-up",
        action="store_true",
        help=f"every whole day since the last run with this option, at most {MAX_CAUGHT_UP} of them",
    )
    add_output_arguments(parser)


def main(job: Job) -> None:
    """Which days -> their calls -> figures -> files -> mail -> remembered. A failed mail keeps no report back."""
    settings, arguments = job.settings, job.arguments
    labels = Labels(settings.language)
    today = job.now().date()
    store = Store(settings.database_url, settings.key, job.name, keep_days=KEPT_DAYS)
    if arguments.catch_up and arguments.days:
        raise UsageError("--catch-up finds the days by itself: leave them out.")
    begin: dict[str, Any] = {}
    if arguments.catch_up:
        until = caught_up_until(today, store)
        # Remembered when Binotel's clock bears ours out: whatever goes wrong after that, yesterday is not forgotten.
        days, begin = missed_days(until, today, store), {CAUGHT_UP: str(until)}
    else:
        days = wanted_days(arguments.days or ["yesterday"], today)
    paths = wanted_paths([str(day) for day in days], arguments, settings.reports_dir)
    has_readers = bool(settings.report_to) and not arguments.no_mail
    is_usual = arguments.format is None and arguments.output is None  # the report that --catch-up would make
    delivery = Delivery(job, store, by_hand=not arguments.catch_up)
    somebody_waits = False
    for day in days:
        if arguments.catch_up and delivery.is_server_away:
            return  # this day and those after it are left for the next run
        asked = job.now()
        try:
            entries = entries_of_day(day, job.client, job.archive, asked, is_fresh=arguments.fresh or bool(begin))
        except BinotelError as error:
            if begin and not isinstance(error, ClockError):
                store.put(begin)
            raise
        if begin:
            job.check_lock()
            store.put(begin)
            begin = {}
        calls = Calls(entries, settings.timezone)
        selection = Selection.of_day(day, settings.timezone)
        report = Report.of(
            selection,
            calls,
            asked if asked.date() == day else None,
            working_hours=settings.working_hours,
            service_level_seconds=settings.service_level_seconds,
        )
        report = compared(report, job.archive)
        for sentence in calls.sentences:
            job.fail(f"{day}: {sentence}")
        write_files(report, entries, paths[str(day)], labels, Addresses(settings.records_url), job.tell)
        done: dict[str, Any] = {exported(day): True} if arguments.catch_up or (is_usual and day < today) else {}
        if arguments.catch_up and not somebody_waits:  # or the day for which somebody waits would not come again
            done[CAUGHT_UP] = str(day)
        # Who asks for an old day, or tries things out, tells no chat.
        is_for_chats = arguments.catch_up or (is_usual and day == today - timedelta(days=1) and not arguments.no_mail)
        others_wait = is_for_chats and not delivery.tell_chats(report)
        somebody_waits |= others_wait
        if has_readers:
            kind = "" if arguments.catch_up or is_usual else formats_of(paths[str(day)])
            is_over = delivery.deliver(report, paths[str(day)], done, kind=kind, others_wait=others_wait)
            somebody_waits |= not is_over
        elif arguments.catch_up and not others_wait:
            store.put(done)


def caught_up_until(today: date, store: Store) -> date:
    """The last day that --catch-up is done with; the day before yesterday when it is used for the first time."""
    kept = store.get_all([CAUGHT_UP]).get(CAUGHT_UP)
    until = date.fromisoformat(kept) if kept else today - timedelta(days=2)
    return until if until < today else last_believable(until, days_before(today), store)


def days_before(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(MAX_CAUGHT_UP, 0, -1)]


def missed_days(until: date, today: date, store: Store) -> list[date]:
    """The whole days since then, but those that were exported meanwhile."""
    days = days_before(today)
    gone = days_between(max(until, today - timedelta(days=KEPT_DAYS)) + timedelta(days=1), days[0])
    known = store.get_all([exported(day) for day in gone + days])
    left_out = [day for day in gone if exported(day) not in known]
    if left_out:
        are_in_row = left_out == days_between(left_out[0], left_out[-1] + timedelta(days=1))
        shown = [left_out[0], left_out[-1]] if are_in_row and len(left_out) > 1 else left_out
        names = (" to " if are_in_row else ", ").join(map(str, shown))
        log.warning("%s are too long ago to be caught up: export them by name.", names)
    return [day for day in days if day > until and exported(day) not in known]


def last_believable(until: date, days: list[date], store: Store) -> date:
    """Until when all was exported, instead of a day that is still to come: the clock was ahead.

    What was exported of days that are still to come is forgotten: it held no calls.
    """
    log.warning("The clock was ahead: reports until %s were exported. Those of days to come will be made anew.", until)
    to_come = days_between(days[-1] + timedelta(days=1), min(until, days[-1] + MAX_AHEAD) + timedelta(days=1))
    store.put(dict.fromkeys(map(exported, to_come)))
    known = store.get_all([exported(day) for day in days])
    return next((day for day in days if exported(day) in known), days[-1] - timedelta(days=1))


def days_between(first: date, end: date) -> list[date]:
    """The days from the first to before the end."""
    return [first + timedelta(days=n) for n in range((end - first).days)]


def exported(day: date) -> str:
    """The name under which the store keeps that a day was exported."""
    return f"exported {day}"


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
