"""Export every call of any period, complete, in as few requests as it takes; and mail the report to the managers.

    python scripts/export_calls_for_period.py 2024-01-01 2024-12-31
    python scripts/export_calls_for_period.py last-week                         or 2024-W18, from Monday to Sunday
    python scripts/export_calls_for_period.py last-month                        or 2024-05
    python scripts/export_calls_for_period.py 2024-05-01                        until now
    python scripts/export_calls_for_period.py 2024-05-01 09:00 2024-05-01 18:00
    python scripts/export_calls_for_period.py 2024-05-01 --internal-number 901 --no-mail
    python scripts/export_calls_for_period.py 2024-01-01 --number 0671234567 --format csv

START and STOP are both inclusive, to the second; a STOP that is a day includes all of it. One word alone names a whole
period: yesterday, last-week, last-month, this-week and this-month (until now), a month, or a week by its number. The
report goes to REPORTS_DIR (calls-2024-01-01--2024-12-31.xlsx), its path is printed, and REPORT_TO gets it by mail.

Binotel limits how often it may be asked, so a long period takes minutes. What it was asked for once is kept, and not
asked for again: an export that was interrupted goes on where it stopped.
"""

import argparse
import logging
import re
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import common  # noqa: F401 - so that binotel_core is found
from common.calls.archive import Stretch, Wanted
from common.calls.call import Calls, id_of, start_of
from common.calls.collect import collect
from common.calls.days import last_second, wanted_moment, wanted_period
from common.calls.period import INCOMING, OUTGOING, IncompleteError, PeriodPlan, PeriodRequest, way_of
from common.calls.phone import country_of, forms_of, international
from common.delivery import Delivery
from common.job import Job, run
from common.labels import Labels
from common.progress import progress_bar
from common.recordings.recordings import Addresses
from common.reports.compared import compared
from common.reports.figures import Report
from common.reports.outputs import add_output_arguments, formats_of, wanted_paths, write_files
from common.reports.selection import Selection
from common.settings import UsageError
from common.state.store import Store

SECONDS_OF_A_DAY = 86400
KEPT_DAYS = 31  # who has got a report that others wait for

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "times",
        metavar="TIME",
        nargs="+",
        help="START and STOP (now unless given): 2024-05-01, 2024-05-01 09:30, today or yesterday; or a whole period: "
        "yesterday, last-week, this-week, last-month, this-month, 2024-05 or 2024-W18",
    )
    parser.add_argument("--direction", choices=(INCOMING, OUTGOING, "both"), default="both", help="(default: both)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--internal-number", metavar="901", help="the calls of this line alone")
    only.add_argument("--number", metavar="0671234567", help="the calls with this number alone")
    only.add_argument("--customer", metavar="ID", help='the calls with this customer of "My clients" alone')
    add_output_arguments(parser)


def main(job: Job) -> None:
    """Which calls -> every answer in the archive before the next one is asked for -> figures -> files -> mail."""
    now, settings = job.now(), job.settings
    selection = wanted_selection(wanted_times(job.arguments.times), now, job)
    paths = wanted_paths([selection.name], job.arguments, settings.reports_dir)[selection.name]
    for spool in settings.state_dir.glob(f"{job.name}-*.spool*"):  # what an earlier version kept answers in
        spool.unlink(missing_ok=True)
    asked_for = (history if selection.number or selection.customer_id else all_calls)(selection, now, job)
    mail_report(make_report(selection, now, asked_for, paths, job), paths, job)


def wanted_times(arguments: list[str]) -> list[str]:
    """START and, perhaps, STOP; a date and a time need no quotes. Raises UsageError."""
    words: list[str] = []
    for word in " ".join(arguments).split():
        if words and re.match("[0-9]{1,2}:", word):
            words[-1] += f" {word}"
        else:
            words.append(word)
    if not 1 <= len(words) <= len(("START", "STOP")):
        raise UsageError(f"{' '.join(words)!r} are not one or two times: name START and, unless it is now, STOP.")
    return words


def wanted_selection(words: list[str], now: datetime, job: Job) -> Selection:
    """What the command line asks for; a STOP that is still to come is the end of today. Raises UsageError."""
    arguments, timezone = job.arguments, job.settings.timezone
    period = wanted_period(words[0], now.date()) if len(words) == 1 else None
    if period:
        start, stop = datetime.combine(period[0], datetime.min.time(), timezone), last_second(period[1], timezone)
    else:
        start = wanted_moment(words[0], now.date(), timezone)
        stop = wanted_moment(words[-1] if len(words) > 1 else "today", now.date(), timezone, is_stop=True)
    # Moments of one zone compare by the wall clock, which repeats an hour in autumn.
    if start.timestamp() > now.timestamp():
        raise UsageError(f"{words[0]} has not begun yet: there are no calls to export.")
    if start.timestamp() > stop.timestamp():
        raise UsageError(f"{words[-1]} is before {words[0]}: name START first, then STOP.")
    digits = {"--internal-number": arguments.internal_number, "--customer": arguments.customer}
    for option, value in digits.items():
        if value is not None and not re.fullmatch("[0-9]{1,20}", value):
            raise UsageError(f"{option} {value!r} is no number: write its digits alone.")
    number = ""
    if arguments.number is not None:
        number = re.sub(r"[\s()./\u2010-\u2015-]", "", arguments.number)
        if not re.fullmatch(r"\+?[0-9]{3,20}", number):
            raise UsageError(f"--number {arguments.number!r} is no phone number: write it as 0671234567.")
        number = forms_of(number, country_of(timezone))[0]
    return Selection(
        start,
        min(stop, last_second(now.date(), timezone)),
        arguments.direction,
        arguments.internal_number or "",
        number,
        arguments.customer or "",
    )


def all_calls(selection: Selection, now: datetime, job: Job) -> Iterable[Any]:
    """The entries of all calls; what the archive does not know of them is asked for."""
    line = selection.line
    ways = (INCOMING, OUTGOING) if line or selection.direction == "both" else (selection.direction,)
    wanted = Wanted(*stretch_of(selection, now), ways, f"line {line}" if line else "")
    days = (wanted.last + 1 - wanted.first) / SECONDS_OF_A_DAY
    requests = 0

    with progress_bar(job) as show:

        def on_request(plan: PeriodPlan, _: PeriodRequest) -> None:
            nonlocal requests
            done = plan.share_known
            show(done, f"{done * days:.0f} of {days:.0f} days", plan.seconds_left())
            requests += 1

        try:
            unread = collect(wanted, job.client, job.archive, is_fresh=job.arguments.fresh, on_request=on_request)
        except BaseException as error:
            if requests > 1 and not isinstance(error, IncompleteError):  # that would be so again
                log.warning("What was answered is kept: run the same command again to go on from there.")
            raise
    log.info("%d requests were made; writing the report", requests)
    return chosen(wanted, selection, now, unread, job)


def history(selection: Selection, now: datetime, job: Job) -> Iterable[Any]:
    """The entries of one number's or customer's calls: one request, whatever the period, if the archive lacks any."""
    client, archive = job.client, job.archive
    shown = international(selection.number, country_of(archive.timezone)) or selection.number
    of = f"number {shown}" if selection.number else f"customer {selection.customer_id}"
    wanted = Wanted(*stretch_of(selection, now), of=of)
    unread: list[Any] = []
    if job.arguments.fresh or not archive.knows(wanted):
        began = time.time()
        if selection.number:
            forms = forms_of(selection.number, country_of(archive.timezone))
            entries = client.entries("stats/history-by-number", {"number": forms})
        else:
            entries = client.entries("stats/history-by-customer-id", {"customerID": selection.customer_id})
        # 0 is that of an entry that cannot be read: whether it is one of these nobody knows.
        unread = [entry for entry in entries if not (start_of(entry) and id_of(entry))]
        archive.keep(entries, wanted, began - client.clock_ahead_seconds)
    return chosen(wanted, selection, now, unread, job)


def chosen(wanted: Wanted, selection: Selection, now: datetime, unread: list[Any], job: Job) -> Iterable[Any]:
    """Of what the archive holds by now, and of what could not be read, the direction that is asked for."""
    if selection.direction != "both":
        wanted = replace(wanted, ways=(selection.direction,))
        unread = [entry for entry in unread if way_of(entry) in (selection.direction, "")]
    return job.archive.entries(wanted, now.timestamp(), unread)


def stretch_of(selection: Selection, now: datetime) -> Stretch:
    """From when to when calls are wanted, in Unix seconds: until now at the latest."""
    return int(selection.start.timestamp()), int(min(selection.stop.timestamp(), now.timestamp()))


def make_report(selection: Selection, now: datetime, entries: Iterable[Any], paths: list[Path], job: Job) -> Report:
    """Count the calls, and write the files."""
    settings = job.settings
    as_of = now if selection.stop.timestamp() > now.timestamp() else None
    calls = Calls(entries, settings.timezone)
    report = Report.of(
        selection,
        calls,
        as_of,
        working_hours=settings.working_hours,
        service_level_seconds=settings.service_level_seconds,
    )
    report = compared(report, job.archive)
    for sentence in calls.sentences:
        job.fail(sentence)
    if not report.count and selection.is_filtered:
        log.warning("There are no such calls (%s): is the number right?", selection.name)
    write_files(report, entries, paths, Labels(settings.language), Addresses(settings.records_url), job.tell)
    return report


def mail_report(report: Report, paths: list[Path], job: Job) -> None:
    """Mail a report to those of REPORT_TO who have not got it, unless told not to. A mail that fails is told."""
    settings = job.settings
    if settings.report_to and not job.arguments.no_mail:
        store = Store(settings.database_url, settings.key, job.name, keep_days=KEPT_DAYS)
        Delivery(job, store, by_hand=True).deliver(report, paths, {}, kind=formats_of(paths))


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
