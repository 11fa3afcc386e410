"""Export every call of any period, complete, in as few requests as it takes; and mail the report to the managers.

    python scripts/export_calls_for_period.py 2024-01-01 2024-12-31
    python scripts/export_calls_for_period.py 2024-05-01                        until now
    python scripts/export_calls_for_period.py 2024-05-01 09:00 2024-05-01 18:00
    python scripts/export_calls_for_period.py 2024-05-01 --internal-number 901 --no-mail
    python scripts/export_calls_for_period.py 2024-01-01 --number 0671234567 --format csv

START and STOP are both inclusive, to the second; a STOP that is a day includes all of it. The report goes to
REPORTS_DIR (calls-2024-01-01--2024-12-31.xlsx), its path is printed, and REPORT_TO gets it by mail.

Binotel limits how often it may be asked, so a long period takes minutes. When the export is interrupted, run the same
command again: it goes on where it stopped.
"""

import argparse
import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import account_id
from common.calls.call import SETTLED_SECONDS, Calls, id_of, start_of
from common.calls.days import last_second, wanted_moment
from common.calls.period import INCOMING, OUTGOING, IncompleteError, PeriodPlan, way_of
from common.calls.phone import country_of, forms_of
from common.calls.spool import Spool, remove_forgotten, spool_path
from common.delivery import Delivery
from common.job import Job, run
from common.labels import Labels
from common.progress import progress_bar
from common.reports.figures import Report, Selection
from common.reports.outputs import add_output_arguments, formats_of, wanted_paths, write_files
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
        help="START and STOP (now unless given): 2024-05-01, 2024-05-01 09:30, today or yesterday",
    )
    parser.add_argument("--direction", choices=(INCOMING, OUTGOING, "both"), default="both", help="(default: both)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--internal-number", metavar="901", help="the calls of this line alone")
    only.add_argument("--number", metavar="0671234567", help="the calls with this number alone")
    only.add_argument("--customer", metavar="ID", help='the calls with this customer of "My clients" alone')
    add_output_arguments(parser)


def main(job: Job) -> None:
    """Which calls -> every answer on disk before the next one is asked for -> figures -> files -> mail."""
    now, settings = job.now(), job.settings
    words = wanted_times(job.arguments.times)
    selection = wanted_selection(words, now, job)
    paths = wanted_paths([selection.name], job.arguments, settings.reports_dir)[selection.name]
    if selection.number or selection.customer_id:
        mail_report(make_report(selection, now, history(selection, job), paths, job), paths, job)
        return
    remove_forgotten(settings.state_dir, job.name)
    wanted = [*words, selection.direction, selection.line, str(settings.timezone)]
    spool = Spool(spool_path(settings.state_dir, job.name, account_id(settings.key), wanted))
    keep = True
    try:
        collect(selection, now, spool, job)
        keep = spool.calls > 0  # nothing at all is worth asking for again
        report = make_report(selection, now, spool, paths, job)
        keep = not mail_report(report, paths, job) and keep
    except IncompleteError:
        keep = False  # it would be so again
        raise
    finally:
        spool.close()
        if keep and spool.answers:
            log.warning("The answers (%d) are kept: run the same command again to go on from there.", spool.answers)
        else:
            spool.remove()


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
        number = forms_of(re.sub(r"[ ()./-]", "", arguments.number), country_of(timezone))[0]
        if not re.fullmatch("[0-9]{3,20}", number):
            raise UsageError(f"--number {arguments.number!r} is no phone number: write it as 0671234567.")
    return Selection(
        start,
        min(stop, last_second(now.date(), timezone)),
        arguments.direction,
        arguments.internal_number or "",
        number,
        arguments.customer or "",
    )


def collect(selection: Selection, now: datetime, spool: Spool, job: Job) -> None:
    """Ask for all calls that are not in the spool yet.

    The last hours come by themselves: an answer that holds calls which may be going on is no good for a later run.
    """
    timezone = job.settings.timezone
    start = int(selection.start.timestamp())
    stop = int(min(selection.stop.timestamp(), now.timestamp()))
    settled = datetime.fromtimestamp(now.timestamp() - SETTLED_SECONDS, timezone).date()
    line = selection.line or None
    direction = "both" if line else selection.direction
    plan = PeriodPlan(start, stop, direction, timezone=timezone, internal_number=line)
    spool.replay(plan)
    if spool.answers:
        log.info("Going on after %d answers of an earlier run", spool.answers)
    days = (stop + 1 - start) / SECONDS_OF_A_DAY
    with progress_bar(job) as show:
        for plan.stop in (min(stop, int(last_second(settled - timedelta(days=1), timezone).timestamp())), stop):
            while request := plan.next_request():
                done = plan.share_known
                show(done, f"{done * days:.0f} of {days:.0f} days, {spool.calls:,} calls", plan.seconds_left())
                entries = job.client.entries(request.method, request.params)
                new = [entry for entry in plan.accept(request, entries) if is_wanted(entry, selection)]
                spool.add(request, plan, entries, new)
                log.debug("%s %s: %d entries, %d wanted", request.method, request.params, len(entries), len(new))
    log.info("%d calls (%d answers); writing the report", spool.calls, spool.answers)


def history(selection: Selection, job: Job) -> list[Any]:
    """The calls of one number or customer: one request, whatever the period."""
    if selection.number:
        forms = forms_of(selection.number, country_of(job.settings.timezone))
        entries = job.client.entries("stats/history-by-number", {"number": forms})
    else:
        entries = job.client.entries("stats/history-by-customer-id", {"customerID": selection.customer_id})
    start, stop = selection.start.timestamp(), selection.stop.timestamp()
    timed = sorted(((start_of(entry), id_of(entry), entry) for entry in entries), key=lambda timed: timed[:2])
    # 0 is that of an entry that cannot be read: whether it is one of these nobody knows.
    return [
        entry for moment, _, entry in timed if (not moment or start <= moment <= stop) and is_wanted(entry, selection)
    ]


def is_wanted(entry: Any, selection: Selection) -> bool:
    return selection.direction == "both" or way_of(entry) in (selection.direction, "")


def make_report(selection: Selection, now: datetime, entries: Iterable[Any], paths: list[Path], job: Job) -> Report:
    """Count the calls, and write the files."""
    as_of = now if selection.stop.timestamp() > now.timestamp() else None
    calls = Calls(entries, job.settings.timezone)
    report = Report.of(selection, calls, as_of)
    for sentence in calls.sentences:
        job.fail(sentence)
    if not report.count and selection.is_filtered:
        log.warning("There are no such calls (%s): is the number right?", selection.name)
    write_files(report, entries, paths, Labels(job.settings.language), job.tell)
    return report


def mail_report(report: Report, paths: list[Path], job: Job) -> bool:
    """Mail a report to those of REPORT_TO who have not got it, unless told not to; whether nobody waits for it.

    A mail that fails is told.
    """
    settings = job.settings
    if not settings.report_to or job.arguments.no_mail:
        return True
    store = Store(settings.database_url, settings.key, job.name, keep_days=KEPT_DAYS)
    return Delivery(job, store, by_hand=True).deliver(report, paths, {}, kind=formats_of(paths))


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
