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
from pathlib import Path

from common import mail
from common.calls import Call
from common.formats import FORMATS, save
from common.job import Job, UsageError, run
from common.labels import Labels
from common.report import Report
from common.report_mail import report_mail

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "days", nargs="*", metavar="DAY", default=["yesterday"], help="2024-05-01, today or yesterday (the default)"
    )
    parser.add_argument("--format", metavar="FORMATS", help=f"some of {','.join(FORMATS)} (default: xlsx)")
    parser.add_argument("--output", metavar="PATH", type=Path, help="another folder, or a file for a single report")
    parser.add_argument("--no-mail", action="store_true", help="write the files, send nothing")


def main(job: Job) -> None:
    """Export every day asked for. A mail that fails keeps no report from being written."""
    labels = Labels(job.settings.language)
    days = wanted_days(job.arguments.days, job.now().date())
    paths_of = wanted_paths(days, job)
    for day in days:
        report, entries = fetch(day, job)
        for path in paths_of[day]:
            save(report, entries, path, labels)
            job.tell(path)
        if job.settings.report_to and not job.arguments.no_mail:
            try:
                mail.send(report_mail(report, labels), paths_of[day], job.settings)
                log.info("%s: mailed to %s", day, ", ".join(job.settings.report_to))
            except mail.MailError as error:
                log.error("%s: %s", day, error)
                job.failed = True


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


def wanted_paths(days: list[date], job: Job) -> dict[date, list[Path]]:
    """Where each day's files go. Raises UsageError for formats or an output that cannot be."""
    output: Path | None = job.arguments.output
    ending = output.suffix[1:].lower() if output and not output.is_dir() else ""
    is_file = ending in FORMATS
    default = ending if is_file else "xlsx"
    formats = list(dict.fromkeys((job.arguments.format or default).lower().replace(" ", "").split(",")))
    if unknown := [name for name in formats if name not in FORMATS]:
        raise UsageError(f"There is no format {unknown[0]!r}: --format takes some of {','.join(FORMATS)}.")
    if output and is_file:
        if len(days) > 1 or len(formats) > 1:
            raise UsageError(f"{output} is one file: name a folder for several days or formats.")
        if formats != [ending]:
            raise UsageError(f"{output} says {ending}, and --format says {formats[0]}: leave one of them out.")
        return {days[0]: [output]}
    if ending:
        raise UsageError(f"{output} does not end in {', '.join(FORMATS)}. Is it a folder? Then make it first.")
    folder = output or job.settings.reports_dir
    return {day: [folder / f"calls-{day}.{name}" for name in formats] for day in days}


def fetch(day: date, job: Job) -> tuple[Report, list[dict[str, object]]]:
    """A day's report, and the server's entries that it is made of. One heavy request."""
    timezone = job.settings.timezone
    asked = job.now()
    # Any second of the day will do; midday is the day's own whatever the server's clock, and today may not have come
    # that far.
    moment = min(asked, datetime.combine(day, time_of_day(12), timezone))
    entries = job.client.calls_per_day(moment)
    calls = [Call.from_entry(entry, timezone) for entry in entries]
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
    return Report.of_day(day, calls, asked if asked.date() == day else None), entries


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
