"""Export every call of any period, complete, in as few requests as it takes; and mail the report to the managers.

    python scripts/export_calls_for_period.py 2024-01-01 2024-12-31
    python scripts/export_calls_for_period.py 2024-05-01                        until now
    python scripts/export_calls_for_period.py "2024-05-01 09:00" "2024-05-01 18:00"
    python scripts/export_calls_for_period.py 2024-05-01 --internal-number 901 --no-mail
    python scripts/export_calls_for_period.py 2024-01-01 --number 0671234567 --format csv

START and STOP are both inclusive, to the second; a STOP that is a day includes all of it. The report goes to
REPORTS_DIR (calls-2024-01-01--2024-12-31.xlsx), its path is printed, and REPORT_TO gets it by mail.

Binotel limits how often it may be asked, so a long period takes minutes. When the export is interrupted, run the same
command again: it goes on where it stopped.
"""

import argparse
import hashlib
import json
import logging
import re
from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from binotel_core import INCOMING, OUTGOING, PeriodPlan, account_id, way_of
from common.calls import Call, Calls, in_time_order
from common.job import Job, UsageError, run
from common.labels import Labels
from common.outputs import add_output_arguments, deliver, wanted_paths
from common.progress import progress_bar
from common.report import Report, Selection, last_second
from common.spool import SUFFIX, Spool, remove_forgotten

SECONDS_OF_A_DAY = 86400

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("start", metavar="START", help='2024-05-01, "2024-05-01 09:30", today or yesterday')
    parser.add_argument("stop", metavar="STOP", nargs="?", help="the same (default: now)")
    parser.add_argument("--direction", choices=(INCOMING, OUTGOING, "both"), default="both", help="(default: both)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--internal-number", metavar="901", default="", help="the calls of this line alone")
    only.add_argument("--number", metavar="0671234567", default="", help="the calls with this number alone")
    only.add_argument("--customer", metavar="ID", default="", help='those with this customer of "My clients" alone')
    add_output_arguments(parser)


def main(job: Job) -> None:
    """Collect the calls, every answer on disk before the next one is asked for, and make the report from there."""
    now = job.now()
    selection = wanted_selection(job, now)
    paths = wanted_paths([selection.name], job)[selection.name]
    as_of = now if selection.stop > now else None
    if selection.number or selection.customer_id:
        make_report(selection, as_of, history(selection, job), paths, job)
        return
    remove_forgotten(job.settings.state_dir)
    with closing(Spool(spool_path(job))) as spool:
        collect(selection, as_of or selection.stop, spool, job)
        make_report(selection, as_of, spool, paths, job)
    if not job.failed:
        spool.remove()


def wanted_selection(job: Job, now: datetime) -> Selection:
    """What the command line asks for; a STOP that is still to come is the end of today. Raises UsageError."""
    arguments, timezone = job.arguments, job.settings.timezone
    start = wanted_moment(arguments.start, now.date(), timezone)
    stop = wanted_moment(arguments.stop or "today", now.date(), timezone, is_stop=True)
    if start > now:
        raise UsageError(f"{arguments.start} has not begun yet: there are no calls to export.")
    if start.timestamp() > stop.timestamp():
        raise UsageError(f"{arguments.stop} is before {arguments.start}: name START first, then STOP.")
    for option, value in (("--internal-number", arguments.internal_number), ("--customer", arguments.customer)):
        if not re.fullmatch("[0-9]{0,20}", value):
            raise UsageError(f"{option} {value!r} is no number: write its digits alone.")
    number = re.sub(r"[ ()./-]", "", arguments.number)
    if not re.fullmatch(r"(\+?[0-9]{3,20})?", number):
        raise UsageError(f"--number {arguments.number!r} is no phone number: write it as 0671234567.")
    stop = min(stop, last_second(now.date(), timezone))
    return Selection(start, stop, arguments.direction, arguments.internal_number, number, arguments.customer)


def wanted_moment(word: str, today: date, timezone: ZoneInfo, *, is_stop: bool = False) -> datetime:
    """The moment that a word of the command line names; for a day its first second, or its last. Raises UsageError."""
    days = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?", word):
            # Where the clocks repeat an hour: from the first time it begins to the second time it ends.
            return datetime.fromisoformat(word).replace(tzinfo=timezone, fold=int(is_stop))
        day = days.get(word) or datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, no moment
    except ValueError:
        raise UsageError(
            f'{word!r} is not a time: write it as 2024-05-01, "2024-05-01 09:30" (in quotes), today or yesterday.'
        ) from None
    return last_second(day, timezone) if is_stop else datetime.combine(day, time.min, timezone)


def collect(selection: Selection, stop: datetime, spool: Spool, job: Job) -> None:
    """Ask for all calls until `stop` that are not in the spool yet."""
    plan = PeriodPlan(
        int(selection.start.timestamp()),
        int(stop.timestamp()),
        "both" if selection.line else selection.direction,
        timezone=job.settings.timezone,
        internal_number=selection.line or None,
    )
    before = plan.known_until
    spool.replay(plan)
    if spool.answers:
        log.info("Going on with an export that was interrupted after %d answers", spool.answers)
    days = (plan.stop - before) / SECONDS_OF_A_DAY
    try:
        with progress_bar(job) as show:
            while request := plan.next_request():
                done = (plan.known_until - before) / SECONDS_OF_A_DAY
                show(done / days, f"{done:.0f} of {days:.0f} days, {len(spool):,} calls", plan.seconds_left())
                entries = job.client.entries(request.method, request.params)
                new = [entry for entry in plan.accept(request, entries) if is_wanted(entry, selection)]
                spool.add(request, plan, entries, new)
                log.debug("%s %s: %d entries, %d wanted", request.method, request.params, len(entries), len(new))
    except BaseException:
        if spool.answers:
            log.warning(
                "The answers so far (%d) are kept: run the same command again to go on from there.", spool.answers
            )
        else:
            spool.remove()
        raise
    log.info("%d calls in %d answers; writing the report", len(spool), spool.answers)


def history(selection: Selection, job: Job) -> list[dict[str, Any]]:
    """The calls of one number or customer: one request, whatever the period."""
    if selection.number:
        entries = job.client.entries("stats/history-by-number", {"number": forms_of(selection.number)})
    else:
        entries = job.client.entries("stats/history-by-customer-id", {"customerID": selection.customer_id})
    start, stop = selection.start.timestamp(), selection.stop.timestamp()
    timed = [(Call.from_entry(entry, job.settings.timezone), entry) for entry in entries]
    timed.sort(key=lambda pair: in_time_order(pair[0]))
    return [entry for call, entry in timed if start <= call.unix_start <= stop and is_wanted(entry, selection)]


def is_wanted(entry: dict[str, Any], selection: Selection) -> bool:
    return selection.direction in ("both", way_of(entry))


def forms_of(number: str) -> list[str]:
    """The ways in which the server may have noted a number, Ukrainian ones with and without the country's code."""
    digits = number.removeprefix("+")
    if match := re.fullmatch(r"(?:38)?(0[0-9]{9})", digits):
        return [match[1], f"38{match[1]}", f"+38{match[1]}"]
    return [digits, f"+{digits}"]


def make_report(
    selection: Selection, as_of: datetime | None, entries: Iterable[dict[str, Any]], paths: list[Path], job: Job
) -> None:
    report = Report.of(selection, Calls(entries, job.settings.timezone), as_of)
    deliver(report, entries, paths, job, Labels(job.settings.language))


def spool_path(job: Job) -> Path:
    """Where the answers are kept: the same file for the same account and arguments."""
    arguments = job.arguments
    wanted = [arguments.start, arguments.stop, arguments.direction, arguments.internal_number]
    digest = hashlib.sha256(json.dumps([*wanted, str(job.settings.timezone)]).encode()).hexdigest()[:16]
    return job.settings.state_dir / f"{job.name}-{account_id(job.settings.key)}-{digest}{SUFFIX}"


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
