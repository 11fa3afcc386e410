"""Tell people of callers who were lost and whom nobody has called back: in time, and once. To be run every few minutes.

    python scripts/alert_lost_calls.py
    python scripts/alert_lost_calls.py --dry-run    show what would be sent, and remember nothing
    python scripts/alert_lost_calls.py --test       send a test message through every channel

A caller is told of who has been lost for LOST_CALL_GRACE_MINUTES without a call back, in WORKING_HOURS if you set them;
and again only when lost by a new call. The message goes to ALERT_TO by mail and to the chats of ALERT_URLS.
"""

import argparse
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from typing import Any

from common.calls.call import calls_with_entries, in_time_order, one_call_each
from common.calls.days import entries_of_day, known_entries
from common.job import Job, print_out, run
from common.labels import Labels
from common.messages.chats import Channel, NotifyError, channels
from common.messages.mail import Mail
from common.reports.figures import Report, Selection
from common.reports.lost_calls_mail import lost_calls_mail
from common.reports.spells import WaitingCaller, caller_key, waiting_callers
from common.settings import UsageError
from common.state.store import Store

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="print what would be sent, and remember nothing")
    how.add_argument("--test", action="store_true", help="send a test message through every channel")


def main(job: Job) -> None:
    """Send every channel one message with the callers that it has not been told of. One that fails stops no other."""
    settings = job.settings
    labels = Labels(settings.language)
    ways = channels(settings)
    if not ways:
        raise UsageError("ALERT_TO and ALERT_URLS are both empty, so nobody would be told: fill in one of them.")
    if job.arguments.test:
        for way in ways:
            if send(way, Mail(labels["alert test"], labels["alert test"], labels["alert test"]), job):
                print_out(f"{way.name}: accepted")
        return
    now = job.now()
    if not is_working_time(now.time(), settings.working_hours):
        log.info("Outside WORKING_HOURS: callers are told of when they begin")
        return
    store = Store(settings.database_url, settings.key, job.name, keep_days=30)
    report = two_days(now, job)
    # Whom somebody is calling back, or who is calling again, right now waits no more, if it goes well.
    going_on = (call for call in report.calls if call.is_going_on(now.timestamp()))
    speaking = {key for call in going_on for key in call.number_keys}
    callers = [caller for caller in waiting_callers(report) if caller.key not in speaking]
    store.put({})  # or what is old would be forgotten only when somebody is told of something new
    told_until = store.get_all([told(way, caller) for way in ways for caller in callers])
    for way in ways:
        due = [caller for caller in callers if is_due(caller, told_until.get(told(way, caller)), now, job)]
        log.info("%s: %d of %d waiting callers are due", way.name, len(due), len(callers))
        if not due:
            continue
        try:
            due, message = lost_calls_mail(due, labels, now.date(), way.fits)  # who has no room: by the next run
        except NotifyError as error:
            job.fail(str(error))
            continue
        if job.arguments.dry_run:
            print_out(f"--- {way.name}\n{message.subject}\n\n{message.text}\n")
            continue
        with job.uninterrupted():
            new = {told(way, caller): caller.last.unix_start for caller in due}
            # A crash just before it is remembered tells them twice; the other way round it might tell them never.
            send(way, message, job, partial(store.put, new, done=f"{way.name} has got the message"))


def send(way: Channel, message: Mail, job: Job, accepted: Callable[[], None] = lambda: None) -> bool:
    """Whether the channel took the message; if not, that was told.

    accepted: called as soon as it has
    """
    job.check_lock()
    try:
        way.send(message, accepted)
    except NotifyError as error:
        job.fail(str(error))
        return False
    return True


def is_working_time(time: time_of_day, hours: tuple[time_of_day, time_of_day] | None) -> bool:
    """Whether `time` lies in the hours, which may go over midnight; always, where there are none."""
    if hours is None:
        return True
    first, last = hours
    return first <= time < last if first < last else time >= first or time < last


def told(way: Channel, caller: WaitingCaller) -> str:
    """The name under which the store keeps when the last call began of which a channel was told."""
    return f"told {way.id} of {caller.key}"


def is_due(caller: WaitingCaller, told_until: float | None, now: datetime, job: Job) -> bool:
    """Whether a call that was not told of was lost long enough ago."""
    if told_until is None or told_until > now.timestamp():  # that was told by a clock that was wrong
        told_until = 0
    new = [call for call in caller.calls if call.unix_start > told_until]
    grace_seconds = job.settings.lost_call_grace_minutes * 60
    return bool(new) and now.timestamp() >= new[0].unix_start + new[0].wait_seconds + grace_seconds


def two_days(now: datetime, job: Job) -> Report:
    """The calls of today, and those of yesterday with callers who still waited when it ended. Two heavy requests.

    So nobody is forgotten who was lost just before midnight, or while WORKING_HOURS held what was due.
    """
    timezone = job.settings.timezone
    yesterday = now.date() - timedelta(days=1)
    known = known_entries(yesterday, job.archive, now)
    entries = known if known is not None else entries_of_day(yesterday, job.client, job.archive, now, is_fresh=True)
    pairs = list(calls_with_entries(entries, timezone, job.fail))
    # Whether a call of two legs reached anybody is said by the later one, which may be today's, and of another number:
    # legs are carried all, and here they end nobody's waiting.
    alone = [entry for call, entry in pairs if not call.legs_name]
    keys = {caller.key for caller in waiting_callers(report_of(alone, Selection.of_day(yesterday, timezone), job))}
    carried = [entry for call, entry in pairs if call.legs_name or caller_key(call) in keys]
    listed = job.client.entries("stats/list-of-lost-calls-for-today", {}) if known is not None else []
    today = entries_of_day(now.date(), job.client, job.archive, now)
    start = datetime.combine(yesterday, time_of_day(), timezone)
    return report_of([*carried, *listed, *today], Selection(start, now), job)


def report_of(entries: list[Any], selection: Selection, job: Job) -> Report:
    """A report of entries of which some may be there twice: the later one counts."""
    pairs = calls_with_entries(entries, job.settings.timezone, job.fail)
    calls = {call.general_call_id: call for call, _ in pairs}
    return Report.of(selection, list(one_call_each(sorted(calls.values(), key=in_time_order))))


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
