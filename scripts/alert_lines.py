"""Tell people of lines that have gone offline, and of calls that come no more. To be run every few minutes.

    python scripts/alert_lines.py
    python scripts/alert_lines.py --dry-run    show what would be sent, and remember nothing

A line that was online and has been offline for LINE_OFFLINE_MINUTES, within WORKING_HOURS if you set them, is told of
once, and once when it is back; those of LINES_IGNORED never. So is a silence: no incoming call for so long that, by the
same weekday and hours of the weeks before, a dozen should have come. The message goes to ALERT_TO and ALERT_URLS.
"""

import argparse
import html
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from typing import Any

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import BinotelError
from common.calls.days import entries_of_day
from common.calls.entries import readable
from common.calls.lines import ONLINE, Line, lines_of
from common.calls.silence import silence
from common.job import Job, print_out, run
from common.labels import Labels
from common.messages.chats import NotifyError, channels
from common.messages.mail import Mail
from common.settings import UsageError
from common.state.store import Store
from common.timetable import is_within

SILENCE = "silence"  # the name under which it is remembered; those of lines begin with "line "

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fact:
    """Something that people are told of when it begins and when it ends.

    name:  under which it is remembered
    since: when it began, in Unix seconds; None while all is well
    began: its words, and what to do
    ended: gives its words when it is over, for the beginning that was told of
    """

    name: str
    since: float | None
    began: tuple[str, ...]
    ended: Callable[[float], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, and remember nothing")


def main(job: Job) -> None:
    """Send every channel one message of what it was not told of. One that fails stops no other."""
    settings, labels = job.settings, Labels(job.settings.language)
    ways = channels(settings, job.name)
    if not ways:
        raise UsageError("ALERT_TO and ALERT_URLS are both empty, so nobody would be told: fill in one of them.")
    now = job.now()
    opening = opening_of(settings.working_hours, now)
    if opening is None:
        log.info("Outside WORKING_HOURS: what happens there is nobody's concern")
        return
    store = Store(settings.database_url, settings.key, job.name, keep_days=30)
    facts: list[Fact] = []
    for look in (partial(facts_of_lines, store), facts_of_silence):
        try:
            facts += look(opening, now, job, labels)
        except BinotelError as error:  # what cannot be asked hides nothing of the other
            job.fail(str(error))
    for way in ways:
        kept = store.get_all([told(way.id, fact) for fact in facts])
        news = [fact for fact in facts if kept.get(told(way.id, fact)) != fact.since]
        # What was told of, and is told of again with another beginning, has not ended.
        began = [fact for fact in news if fact.since and not kept.get(told(way.id, fact))]
        ended = [fact for fact in news if not fact.since]
        lines = [fact.began[0] for fact in began] + [fact.ended(kept[told(way.id, fact)]) for fact in ended]
        remedies = dict.fromkeys(remedy for fact in began for remedy in fact.began[1:])
        if not lines:
            continue
        title = lines[0] if len(lines) == 1 else f"{lines[0]} +{len(lines) - 1}"
        text = "\n".join([*lines, *(["", *remedies] if remedies else [])])
        message = Mail(title, text, "<br>\n".join(map(html.escape, text.split("\n"))))
        if job.arguments.dry_run:
            print_out(f"--- {way.name}\n{title}\n\n{text}\n")
            continue
        new = {told(way.id, fact): fact.since for fact in (*began, *ended)}
        with job.uninterrupted():
            job.check_lock()
            try:
                # A crash just before it is remembered tells it twice; the other way round it might never be told.
                way.send(message, partial(store.put, new, done=f"{way.name} has got the message"))
            except NotifyError as error:
                job.fail(str(error))


def told(way: str, fact: Fact) -> str:
    """The name under which the store keeps since when a fact is, of which a channel knows."""
    return f"told {way} of {fact.name}"


def opening_of(hours: tuple[time_of_day, time_of_day] | None, now: datetime) -> datetime | None:
    """When the working hours began that it is now; None outside them. Without any, at midnight."""
    if hours and not is_within(hours, now.time()):
        return None
    opening = datetime.combine(now.date(), hours[0] if hours else time_of_day(), now.tzinfo)
    return opening if opening <= now else opening - timedelta(days=1)


def facts_of_lines(store: Store, opening: datetime, now: datetime, job: Job, labels: Labels) -> Iterator[Fact]:
    """The lines that are online, and those that were and have been offline for too long. One heavy request.

    What the server does not say of a line changes nothing.
    """
    settings, moment = job.settings, now.timestamp()
    entries = job.client.entries("settings/list-of-employees", {})
    lines = {line.number: line for of_one in readable(entries, lines_of, job.fail) for line in of_one}
    watched = [line for line in lines.values() if line.number not in settings.lines_ignored and line.status]
    before: dict[str, Any] = store.get_all([f"line {line.number}" for line in watched])
    changes: dict[str, Any] = {}
    for line in watched:
        name = f"line {line.number}"
        kept = before.get(name)
        # 0 while it is online; else since when it has not been. A line that nobody has seen online has nothing.
        if line.status == ONLINE:
            changes[name] = since = 0.0
        elif kept is None:
            continue
        else:
            changes[name] = since = kept or moment
        # Who has gone home is not missed in the morning before it is time.
        counted = max(since, opening.timestamp())
        if line.status == ONLINE or moment - counted >= settings.line_offline_minutes * 60:
            yield _fact_of(line, name, since or None, now, labels)
    if not job.arguments.dry_run:
        store.put(changes)


def _fact_of(line: Line, name: str, since: float | None, now: datetime, labels: Labels) -> Fact:
    shown = f"{line.number} ({line.employee})" if line.employee else line.number

    def ended(told_since: float) -> str:
        return labels.format("line back", line=shown, time=labels.duration(now.timestamp() - told_since))

    began: tuple[str, ...] = ()
    if since:
        moment = datetime.fromtimestamp(since, now.tzinfo)
        time = labels.time(moment) if moment.date() == now.date() else labels.short_moment(moment)
        began = labels.format("line offline", line=shown, time=time), labels["check the phone"]
    return Fact(name, since, began, ended)


def facts_of_silence(opening: datetime, now: datetime, job: Job, labels: Labels) -> Iterator[Fact]:
    """Whether no calls have come for too long; nothing where none have come yet, and need not have.

    A heavy request only where the archive, which may be late, says that it is too long.
    """
    starts_of = partial(job.archive.starts, "incoming")
    found = silence(starts_of, opening, now)
    if found:
        entries_of_day(now.date(), job.client, job.archive, now)  # they come into the archive
        found = silence(starts_of, opening, now)
    if not (found or starts_of(int(opening.timestamp()), int(now.timestamp()))):
        return

    def ended(told_since: float) -> str:
        return labels.format("calls come again", time=labels.time(datetime.fromtimestamp(told_since, now.tzinfo)))

    began: tuple[str, ...] = ()
    if found:
        words = labels.format("calls silent", time=labels.time(found.since))
        began = words, labels.format("usually so many", count=found.usual)
    yield Fact(SILENCE, found.since.timestamp() if found else None, began, ended)


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
