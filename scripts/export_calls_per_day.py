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
from pathlib import Path

from common.calls.call import Calls
from common.calls.days import entries_of_day, wanted_days
from common.job import Job, run
from common.labels import Labels
from common.messages.mail import MailError
from common.reports.figures import Report, Selection
from common.reports.outputs import add_output_arguments, mail_files, wanted_paths, write_files
from common.settings import UsageError
from common.state.store import Store

MAX_CAUGHT_UP = 31
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
    store = Store(settings.database_url, settings.key, job.name, keep_days=400)
    if arguments.catch_up and arguments.days:
        raise UsageError("--catch-up finds the days by itself: leave them out.")
    days = missed_days(today, store) if arguments.catch_up else wanted_days(arguments.days or ["yesterday"], today)
    paths = wanted_paths([str(day) for day in days], arguments, settings.reports_dir)
    has_readers = bool(settings.report_to) and not arguments.no_mail
    is_usual = arguments.format is None and arguments.output is None  # the report that --catch-up would make
    for day in days:
        asked = job.now()
        entries = entries_of_day(day, job.client, settings.timezone, asked)
        calls = Calls(entries, settings.timezone)
        selection = Selection.of_day(day, settings.timezone)
        report = Report.of(selection, calls, asked if asked.date() == day else None)
        for sentence in calls.sentences:
            job.fail(f"{day}: {sentence}")
        write_files(report, entries, paths[str(day)], labels, job.tell)
        with job.uninterrupted():
            is_mailed = has_readers and mailed(report, paths[str(day)], labels, job)
            if arguments.catch_up and has_readers and not is_mailed:
                return  # this day and those after it are left for the next run: no hole, and nothing twice
            # A crash just before this sends it twice; the other way round it might never be sent.
            done = f"The report of {day} was delivered"
            if arguments.catch_up:
                store.put({exported(day): True, CAUGHT_UP: str(day)}, done=done)
            elif is_mailed and is_usual and day < today:
                store.put({exported(day): True}, done=done)


def mailed(report: Report, paths: list[Path], labels: Labels, job: Job) -> bool:
    """Mail a report; gives whether REPORT_TO has got it. A mail that fails is told.

    Whom the mail server refuses does not count when others got it, because these would get it again.
    """
    try:
        job.check_lock()
        mail_files(report, paths, labels, job.settings)
    except MailError as error:
        job.fail(f"{report.selection.name}: {error}")
        return error.others_got_it
    return True


def missed_days(today: date, store: Store) -> list[date]:
    """The whole days since the last one that --catch-up exported, but those that were mailed by hand meanwhile.

    Only yesterday when it is used for the first time.
    """
    days = [today - timedelta(days=back) for back in range(MAX_CAUGHT_UP, 0, -1)]
    known = store.get_all([CAUGHT_UP, *map(exported, days)])
    if CAUGHT_UP not in known:
        known[CAUGHT_UP] = str(today - timedelta(days=2))
        store.put({CAUGHT_UP: known[CAUGHT_UP]})  # whatever goes wrong today, yesterday is not forgotten
    until = date.fromisoformat(known[CAUGHT_UP])
    first_left_out = until + timedelta(days=1)
    if first_left_out < days[0]:
        last = days[0] - timedelta(days=1)
        log.warning("%s to %s are too long ago to be caught up: export them by name.", first_left_out, last)
    return [day for day in days if day > until and exported(day) not in known]


def exported(day: date) -> str:
    """The name under which the store keeps that a day was exported."""
    return f"exported {day}"


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
