"""When a job runs: lines such as "day at 07:30" or "every 5 minutes", and the moments that they mean."""

import re
import shlex
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import schedule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = {"minute": 60, "hour": 3600}
MAX_INTERVAL_SECONDS = 86400
DAY = timedelta(days=1)
ALLOWED = "write it as 'day at 07:30', 'sunday at 03:00', 'every 5 minutes' or 'every 2 hours'"


@dataclass(frozen=True)
class Timetable:
    """When a job runs, and with which arguments.

    text:      when, as it is written in the configuration
    arguments: what follows the | there
    seconds:   between runs, at multiples of that since 1970; 0 when it runs at a time of the day
    at:        the time of the day, on the account's clock
    weekday:   the day of the week, 0 for Monday; None for every day
    """

    text: str
    arguments: tuple[str, ...] = ()
    seconds: int = 0
    at: time_of_day = time_of_day()
    weekday: int | None = None

    @classmethod
    def parse(cls, line: str) -> "Timetable":
        """What a line of the configuration means. Raises ValueError that says what is allowed."""
        when, _, rest = line.partition("|")
        text = " ".join(when.lower().split())
        try:
            arguments = tuple(shlex.split(rest))
        except ValueError:
            raise ValueError(f"the arguments after | have an open quote: {rest.strip()}") from None
        if match := re.fullmatch(r"every (?:([0-9]{1,4}) )?(minute|hour)s?", text):
            seconds = int(match[1] or 1) * UNITS[match[2]]
            if not 0 < seconds <= MAX_INTERVAL_SECONDS:
                raise ValueError(f"{text!r} is not between a minute and a day; {ALLOWED}.")
            return cls(text, arguments, seconds)
        if match := re.fullmatch(rf"(?:every )?(day|{'|'.join(WEEKDAYS)}) at ([0-9]{{1,2}}):([0-9]{{2}})", text):
            try:
                at = time_of_day(int(match[2]), int(match[3]))
            except ValueError:
                raise ValueError(f"there is no time {match[2]}:{match[3]}; {ALLOWED}.") from None
            return cls(text, arguments, 0, at, None if match[1] == "day" else WEEKDAYS.index(match[1]))
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
        return self.weekday in (None, day.weekday())


class Timer(schedule.Job):
    """A job of `schedule` that is due when its timetable says so.

    schedule 1.2.2 by itself compares naive local times, which stand still for an hour in autumn; it runs what is due
    between 03:00 and 04:00 in Kyiv twice on the day after the clocks were put forward, and skips a midnight in autumn.
    So the moments are reckoned here, in UTC, whatever the time zone of the computer.
    """

    def __init__(self, timetable: Timetable, timezone: ZoneInfo, scheduler: schedule.Scheduler) -> None:
        super().__init__(1, scheduler)
        self.unit = "days"  # schedule wants one
        self._timetable = timetable
        self._timezone = timezone

    @property
    def due(self) -> float:
        """When it runs next, in Unix seconds."""
        assert self.next_run is not None  # noqa: S101 - for mypy: it is set from do() on
        return self.next_run.replace(tzinfo=UTC).timestamp()

    @due.setter
    def due(self, moment: float) -> None:
        self.next_run = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)

    @property
    def should_run(self) -> bool:
        return time.time() >= self.due

    def _schedule_next_run(self) -> None:
        self.due = self._timetable.next_due(time.time(), self._timezone)
