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

from common.calls.call import calls_with_entries, in_time_order, one_call_each
from common.calls.days import entries_of_day, known_entries
from common.job import Job, print_out, run
from common.labels import Labels
from common.messages.chats import Channel, NotifyError, channels
from common.messages.mail import Mail
from common.reports.figures import Report
from common.reports.lost_calls_mail import Waiting, lost_calls_mail, waiting_callers
from common.reports.selection import Selection
from common.reports.spells import Spell
from common.settings import UsageError
from common.state.store import Store
from common.timetable import is_within

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
    if settings.working_hours and not is_within(settings.working_hours, now.time()):
        log.info("Outside WORKING_HOURS: callers are told of when they begin")
        return
    store = Store(settings.database_url, settings.key, job.name, keep_days=30)
    report = two_days(now, job)
    # Whom somebody is calling back, or who is calling again, right now waits no more, if it goes well.
    going_on = (call for call in report.calls if call.is_going_on(now.timestamp()))
    speaking = {key for call in going_on for key in call.number_keys}
    callers = [caller for caller in waiting_callers(report) if caller.spell.key not in speaking]
    waiting = sum(bool(caller.spell.dialable) for caller in callers)
    ended = ended_spells(report, callers) if settings.alert_tell_done else []
    store.put({})  # or what is old would be forgotten only when somebody is told of something new
    for way in ways:
        until = known_until(
            store, way, [*(caller.spell.key for caller in callers), *(spell.key for spell in ended)], now
        )
        due = [caller for caller in callers if is_due(caller, until[caller.spell.key], now, job)]
        log.info("%s: %d of %d waiting callers are due", way.name, len(due), len(callers))
        if not due:
            continue  # and those who wait no more are told of in the next message
        done = [spell for spell in ended if is_told(spell, until[spell.key])]
        try:
            message = lost_calls_mail(due, done, waiting, report, labels, way.fits)  # who has no room: by the next run
        except NotifyError as error:
            job.fail(str(error))
            continue
        if job.arguments.dry_run:
            print_out(f"--- {way.name}\n{message.mail.subject}\n\n{message.mail.text}\n")
            continue
        with job.uninterrupted():
            new: dict[str, float] = {told(way, spell.key): end_of(spell) for spell in message.done}
            new |= {told(way, caller.spell.key): caller.calls[-1].unix_start for caller in message.waiting}
            # A crash just before it is remembered tells them twice; the other way round it might tell them never.
            send(way, message.mail, job, partial(store.put, new, done=f"{way.name} has got the message"))


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


def told(way: Channel, key: str) -> str:
    """The name under which the store keeps until when a channel knows what became of a caller.

    That is the start of the last lost call that it was told of, or end_of() once it was told of the end.
    """
    return f"told {way.id} of {key}"


def known_until(store: Store, way: Channel, keys: list[str], now: datetime) -> dict[str, float]:
    """What is remembered under told() of each of the keys; 0 where nothing is."""
    until = store.get_all([told(way, key) for key in keys])
    moments = {key: until.get(told(way, key), 0) for key in keys}
    # What is still to come was written by a clock that was wrong.
    return {key: moment if moment <= now.timestamp() else 0 for key, moment in moments.items()}


def is_due(caller: Waiting, told_until: float, now: datetime, job: Job) -> bool:
    """Whether a call that was not told of was lost long enough ago."""
    new = [call for call in caller.calls if call.unix_start > told_until]
    grace_seconds = job.settings.lost_call_grace_minutes * 60
    return bool(new) and now.timestamp() >= new[0].unix_start + new[0].wait_seconds + grace_seconds


def ended_spells(report: Report, waiting: list[Waiting]) -> list[Spell]:
    """Those that somebody ended, the newest end first, of callers who do not wait again."""
    keys = {caller.spell.key for caller in waiting}
    spells = [spell for key, spells in (report.spells or {}).items() if key not in keys for spell in spells]
    return sorted((spell for spell in spells if spell.ended), key=end_of, reverse=True)


def is_told(spell: Spell, told_until: float) -> bool:
    """Whether an ended spell was told of, but not its end."""
    return spell.unix_first <= told_until < end_of(spell)


def end_of(spell: Spell) -> float:
    """When it ended, in Unix seconds; a little before, for a call that was lost at that second is the next spell's."""
    return spell.ended.timestamp() - 0.5 if spell.ended else 0


def two_days(now: datetime, job: Job) -> Report:
    """The calls of yesterday and of today until now. Two heavy requests.

    So nobody is forgotten who was lost just before midnight, or while WORKING_HOURS held what was due.
    """
    timezone = job.settings.timezone
    yesterday = now.date() - timedelta(days=1)
    known = known_entries(yesterday, job.archive, now)
    before = known if known is not None else entries_of_day(yesterday, job.client, job.archive, now, is_fresh=True)
    listed = job.client.entries("stats/list-of-lost-calls-for-today", {}) if known is not None else []
    today = entries_of_day(now.date(), job.client, job.archive, now)
    # Some may be there twice: the later one counts.
    pairs = calls_with_entries([*before, *listed, *today], timezone, job.fail)
    calls = {call.general_call_id: call for call, _ in pairs}.values()
    selection = Selection(datetime.combine(yesterday, time_of_day(), timezone), now)
    return Report.of(selection, list(one_call_each(sorted(calls, key=in_time_order))))


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
