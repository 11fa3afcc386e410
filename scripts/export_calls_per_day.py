"""Export a day's calls as an Excel report, and mail it to the managers.

    python scripts/export_calls_per_day.py                     yesterday
    python scripts/export_calls_per_day.py 2024-05-01 today    these two days
    python scripts/export_calls_per_day.py --format xlsx,csv --no-mail

Each report goes to REPORTS_DIR (calls-2024-05-01.xlsx), its path is printed, and REPORT_TO gets it by mail.
"""

import argparse
import logging
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from common.calls import Call, in_time_order
from common.job import Job, UsageError, run
from common.labels import Labels
from common.outputs import add_output_arguments, deliver, wanted_paths
from common.report import Report, Selection

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "days", nargs="*", metavar="DAY", default=["yesterday"], help="2024-05-01, today or yesterday (the default)"
    )
    add_output_arguments(parser)


def main(job: Job) -> None:
    """Export every day asked for. A mail that fails keeps no report from being written."""
    labels = Labels(job.settings.language)
    days = wanted_days(job.arguments.days, job.now().date())
    paths = wanted_paths([str(day) for day in days], job)
    for day in days:
        report, entries = fetch(day, job)
        deliver(report, entries, paths[str(day)], job, labels)


def wanted_days(words: list[str], today: date) -> list[date]:
    """The days that the command line names, each once. Raises UsageError."""
    names = {"today": today, "yesterday": today - timedelta(days=1)}
    days = []
    for word in words:
        try:
            day = names.get(word) or datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, no moment
        except ValueError:
            raise UsageError(f"{word!r} is not a day: write it as 2024-05-01, today or yesterday.") from None
        if day > today:
            raise UsageError(f"{day} has not begun yet: there are no calls to export.")
        days.append(day)
    return list(dict.fromkeys(days))


def fetch(day: date, job: Job) -> tuple[Report, list[dict[str, object]]]:
    """A day's report, and the server's entries that it is made of. One heavy request."""
    timezone = job.settings.timezone
    asked = job.now()
    # Any second of the day will do; midday is the day's own whatever the server's clock, and today may not have come
    # that far.
    moment = min(asked, datetime.combine(day, time_of_day(12), timezone))
    entries = job.client.calls_per_day(moment)
    calls = sorted((Call.from_entry(entry, timezone) for entry in entries), key=in_time_order)
    log.info("%s: %d entries", day, len(entries))
    strangers = sum(call.start.date() != day for call in calls)
    if strangers:
        log.warning(
            "%d of %d calls that Binotel lists for %s are of another day in %s: check TIMEZONE.",
            strangers,
            len(calls),
            day,
            timezone,
        )
    return Report.of(Selection.of_day(day, timezone), calls, asked if asked.date() == day else None), entries


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
