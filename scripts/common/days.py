"""The days that a command line names, and the calls of such a day."""

import logging
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from common.calls import Call, in_time_order
from common.job import Job, UsageError

MAX_DAYS = 3660

log = logging.getLogger(__name__)


def wanted_days(words: list[str], today: date) -> list[date]:
    """The days that the words name (2024-05-01, today, yesterday), each once. Raises UsageError."""
    names = {"today": today, "yesterday": today - timedelta(days=1)}
    days = []
    for word in words:
        try:
            day = names.get(word) or datetime.strptime(word, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, no moment
        except ValueError:
            raise UsageError(f"{word!r} is not a day: write it as 2024-05-01, today or yesterday.") from None
        if day > today:
            raise UsageError(f"{day} has not begun yet: there are no calls of it.")
        days.append(day)
    return list(dict.fromkeys(days))


def days_since(text: str, today: date) -> list[date]:
    """Today and the days before it that a text such as 7d means, the oldest first. Raises UsageError."""
    match = re.fullmatch("([0-9]{1,4})d?", text)
    if match is None or not 1 <= int(match[1]) <= MAX_DAYS:
        raise UsageError(f"--since {text!r} is no number of days: write it as 7d.")
    return [today - timedelta(days=back) for back in range(int(match[1]), -1, -1)]


def calls_of_day(day: date, job: Job) -> list[tuple[Call, dict[str, Any]]]:
    """A day's calls in time order, each with the server's entry that it is made of. One heavy request."""
    timezone = job.settings.timezone
    # Any second of the day will do; midday is the day's own whatever the server's clock, and today may not have come
    # that far.
    moment = min(job.now(), datetime.combine(day, time(12), timezone))
    entries = job.client.calls_per_day(moment)
    calls = [(Call.from_entry(entry, timezone), entry) for entry in entries]
    log.info("%s: %d entries", day, len(calls))
    strangers = sum(call.start.date() != day for call, _ in calls)
    if strangers:
        log.warning(
            "%d of %d calls that Binotel lists for %s are of another day in %s: check TIMEZONE.",
            strangers,
            len(calls),
            day,
            timezone,
        )
    return sorted(calls, key=lambda pair: in_time_order(pair[0]))
