"""When a job runs: lines such as "day at 07:30", "1 at 08:00" or "every 5 minutes", and the moments that they mean."""

import calendar
import re
import shlex
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = {"minute": 60, "hour": 3600}
MAX_INTERVAL_SECONDS = 86400
LONGEST_MONTH = 31
DAY = timedelta(days=1)
ALLOWED = (
    "write it as 'day at 07:30', 'sunday at 03:00', '1 at 08:00' (of each month), 'every 5 minutes' or 'every 2 hours'"
)


@dataclass(frozen=True)
class Timetable:
    """When a job runs, and with which arguments.

    text:      when, as it is written in the configuration
    arguments: what follows the | there
    seconds:   between runs, at multiples of that since 1970; 0 when it runs at a time of the day
    at:        the time of the day, on the account's clock
    weekday:   the day of the week, 0 for Monday; None for every day
    month_day: the day of the month, from 1; a shorter month's last day stands for those that it has not; None for every
               day
    """

    text: str
    arguments: tuple[str, ...] = ()
    seconds: int = 0
    at: time_of_day = time_of_day()
    weekday: int | None = None
    month_day: int | None = None

    @property
    def line(self) -> str:
        """As it is written, in one way."""
        return f"{self.text} | {shlex.join(self.arguments)}" if self.arguments else self.text

    @classmethod
    def parse(cls, line: str) -> "Timetable":
        """What a line of the configuration means. Raises ValueError that says what is allowed."""
        when, _, rest = line.partition("|")
        text = " ".join(when.lower().split())
        words = shlex.shlex(rest, posix=True, punctuation_chars=False)
        words.whitespace_split, words.commenters, words.escape = True, "", ""  # a \\ is part of a path on Windows
        try:
            arguments = tuple(words)
        except ValueError:
            raise ValueError(f"the arguments after | have an open quote: {rest.strip()}") from None
        if match := re.fullmatch(r"every (?:([0-9]{1,4}) )?(minute|hour)s?", text):
            seconds = int(match[1] or 1) * UNITS[match[2]]
            if not 0 < seconds <= MAX_INTERVAL_SECONDS:
                raise ValueError(f"{text!r} is not between a minute and a day; {ALLOWED}.")
            return cls(text, arguments, seconds)
        days = "|".join(("day", "[0-9]{1,2}", *WEEKDAYS))
        if match := re.fullmatch(rf"(?:every )?({days}) at ([0-9]{{1,2}}):([0-9]{{2}})", text):
            try:
                at = time_of_day(int(match[2]), int(match[3]))
            except ValueError:
                raise ValueError(f"there is no time {match[2]}:{match[3]}; {ALLOWED}.") from None
            weekday = WEEKDAYS.index(match[1]) if match[1] in WEEKDAYS else None
            month_day = int(match[1]) if match[1].isdecimal() else None
            if month_day is not None and not 1 <= month_day <= LONGEST_MONTH:
                raise ValueError(f"no month has a day {match[1]}; {ALLOWED}.")
            return cls(text, arguments, 0, at, weekday, month_day)
        raise ValueError(f"{text!r} is not understood; {ALLOWED}.")

    def next_due(self, after: float, timezone: ZoneInfo) -> float:
        """The first moment later than `after` at which the job is due; both in Unix seconds.

        A time that the clocks skip means the same time an hour later, one that they repeat means the first of the two.
        """
        if self.seconds:
            return after - after % self.seconds + self.seconds
        day = datetime.fromtimestamp(after, timezone).date() - DAY
        while not self._is_on(day) or (due := datetime.combine(day, self.at, timezone).timestamp()) <= after:
            day += DAY
        return due

    def _is_on(self, day: date) -> bool:
        if self.month_day is not None:
            return day.day == min(self.month_day, calendar.monthrange(day.year, day.month)[1])
        return self.weekday in (None, day.weekday())


def is_within(hours: tuple[time_of_day, time_of_day], time: time_of_day) -> bool:
    """Whether a time lies in the hours, which may go over midnight: from the first on, until before the last."""
    first, last = hours
    return first <= time < last if first < last else time >= first or time < last
