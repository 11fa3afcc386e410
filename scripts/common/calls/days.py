"""The days that a command line names, and the calls of such a day."""

import calendar
import logging
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from binotel_core import BinotelClient
from common.calls.archive import Archive, Wanted
from common.calls.call import SETTLED_SECONDS, id_of, start_of
from common.settings import UsageError

MAX_DAYS = 3660
EARLIEST_YEAR = 2000
DAY = timedelta(days=1)
_IN_ENGLISH = {
    "сьогодні": "today",
    "сегодня": "today",
    "вчора": "yesterday",
    "учора": "yesterday",
    "вчера": "yesterday",
}

log = logging.getLogger(__name__)


def wanted_days(words: list[str], today: date) -> list[date]:
    """The days that the words name (2024-05-01, 01.05.2024, today, вчора), each once. Raises UsageError."""
    days = []
    for word in words:
        try:
            day = _day(word, today)
        except ValueError:
            raise UsageError(f"{word!r} is not a day: write it as 2024-05-01, today or yesterday.") from None
        if day > today:
            raise UsageError(f"{day} has not begun yet: there are no calls of it.")
        days.append(day)
    return list(dict.fromkeys(days))


def _day(word: str, today: date) -> date:
    """The day that a word means, as people write it. Raises ValueError."""
    match _IN_ENGLISH.get(word.lower(), word.lower()):
        case "today":
            return today
        case "yesterday":
            return today - DAY
    if written := re.fullmatch("([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4})", word):
        return date(int(written[3]), int(written[2]), int(written[1]))
    return datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, no moment


def days_since(text: str, today: date) -> list[date]:
    """Today and the days before it that a text such as 7d means, the oldest first. Raises UsageError."""
    match = re.fullmatch("([0-9]{1,4})d?", text)
    if match is None or not 1 <= int(match[1]) <= MAX_DAYS:
        raise UsageError(f"--since {text!r} is no number of days from 1 to {MAX_DAYS}: write it as 7d.")
    return [today - timedelta(days=back) for back in range(int(match[1]), -1, -1)]


def wanted_moment(word: str, today: date, timezone: ZoneInfo, *, is_stop: bool = False) -> datetime:
    """The moment that a word of the command line names; for a day its first second, or its last. Raises UsageError.

    is_stop: whether it is where a period ends
    """
    written = re.fullmatch("(.*?)(?:[ T]([0-9]{2}:[0-9]{2}(:[0-9]{2})?))?", word)
    try:
        day = _day(written[1] if written else "", today)
        if day.year < EARLIEST_YEAR:
            raise UsageError(f"{word} is too long ago: Binotel was not there before {EARLIEST_YEAR}.")
        if written and written[2]:
            # Where the clocks repeat an hour: from the first time it begins to the second time it ends.
            moment = datetime.combine(day, time.fromisoformat(written[2]), timezone).replace(fold=int(is_stop))
            if moment.astimezone(UTC).astimezone(timezone).replace(tzinfo=None) != moment.replace(tzinfo=None):
                raise UsageError(f"There was no {word}: the clocks were put forward. Name a time before or after that.")
            return moment
    except ValueError:
        raise UsageError(
            f"{word!r} is not a time: write it as 2024-05-01, 2024-05-01 09:30, today or yesterday."
        ) from None
    return last_second(day, timezone) if is_stop else datetime.combine(day, time.min, timezone)


def wanted_period(word: str, today: date) -> tuple[date, date] | None:
    """The first and the last day of the whole period that a word names by itself, which may not be over.

    yesterday, last-week, this-week, last-month, this-month, 2024-05, 2024-W18 (weeks begin on Monday). None for any
    other word; raises UsageError for a month or a week that there never was.
    """
    if _IN_ENGLISH.get(word.lower(), word) == "yesterday":
        return today - DAY, today - DAY
    if word in ("last-week", "this-week"):
        day = today - 7 * DAY if word == "last-week" else today
        return _week(*day.isocalendar()[:2])
    if word in ("last-month", "this-month"):
        day = today.replace(day=1) - DAY if word == "last-month" else today
        return _month(day.year, day.month)
    match = re.fullmatch("([0-9]{4})-(W?)([0-9]{2})", word)
    if match is None:
        return None
    year, number = int(match[1]), int(match[3])
    if year < EARLIEST_YEAR:
        raise UsageError(f"{word} is too long ago: Binotel was not there before {EARLIEST_YEAR}.")
    try:
        return _week(year, number) if match[2] else _month(year, number)
    except (ValueError, OverflowError):
        what = f"week {number} in {year}" if match[2] else f"month {number}"
        raise UsageError(f"There is no {what}: write a month as 2024-05, a week as 2024-W18.") from None


def _week(year: int, week: int) -> tuple[date, date]:
    monday = date.fromisocalendar(year, week, 1)
    return monday, monday + 6 * DAY


def _month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def last_second(day: date, timezone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(23, 59, 59), timezone)


def of_day(day: date, timezone: ZoneInfo) -> Wanted:
    """All calls of a day."""
    first = datetime.combine(day, time.min, timezone)
    return Wanted(int(first.timestamp()), int(last_second(day, timezone).timestamp()))


def known_entries(day: date, archive: Archive, now: datetime) -> list[Any] | None:
    """A day's calls in time order, as the server's own entries; None where the archive does not know all of them."""
    wanted = of_day(day, archive.timezone)
    if wanted.last > now.timestamp() - SETTLED_SECONDS or not archive.knows(wanted):
        return None
    known = list(archive.entries(wanted, now.timestamp()))
    log.info("%s: %d entries, which the archive knows: Binotel was not asked", day, len(known))
    return known


def entries_of_day(
    day: date, client: BinotelClient, archive: Archive, now: datetime, *, is_fresh: bool = False
) -> list[Any]:
    """A day's calls in time order, as the server's own entries; before them those that cannot be read.

    is_fresh: ask Binotel also where the archive knows them; that is one heavy request
    """
    timezone, wanted = archive.timezone, of_day(day, archive.timezone)
    if not is_fresh and (known := known_entries(day, archive, now)) is not None:
        return known
    # Any second of the day will do; midday is the day's own whatever the server's clock, and today may not have come
    # that far.
    moment = min(now, datetime.combine(day, time(12), timezone))
    entries = client.calls_per_day(moment)
    log.info("%s: %d entries", day, len(entries))
    starts = filter(None, map(start_of, entries))
    strangers = sum(datetime.fromtimestamp(start, timezone).date() != day for start in starts)
    if strangers:
        log.warning(
            "%d of %d calls that Binotel lists for %s are of another day in %s: check TIMEZONE.",
            strangers,
            len(entries),
            day,
            timezone,
        )
    asked = now.timestamp() - client.clock_ahead_seconds
    unlisted = archive.keep(entries, wanted, asked, is_complete=not strangers)
    return sorted([*entries, *unlisted], key=lambda entry: (start_of(entry), id_of(entry)))
