"""Which calls a report is about."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from common.calls.days import last_second


@dataclass(frozen=True)
class Selection:
    """Which calls a report is about.

    start, stop: aware, in the account's time zone; calls that begin from the one to the other, both inclusive
    direction:   "incoming", "outgoing" or "both"
    line:        of this internal number alone; "" for all
    number:      with this number alone; "" for all
    customer_id: with this customer of "My clients" alone; "" for all
    """

    start: datetime
    stop: datetime
    direction: str = "both"
    line: str = ""
    number: str = ""
    customer_id: str = ""

    @classmethod
    def of_day(cls, day: date, timezone: ZoneInfo) -> "Selection":
        return cls(datetime.combine(day, time.min, timezone), last_second(day, timezone))

    @property
    def timezone(self) -> ZoneInfo:
        """The account's."""
        return cast("ZoneInfo", self.start.tzinfo)

    @property
    def is_of_whole_days(self) -> bool:
        return (self.start.time(), self.stop.time()) == (time.min, time(23, 59, 59))

    @property
    def is_of_a_month(self) -> bool:
        """Whether it is of one whole calendar month."""
        first, last = self.start.date(), self.stop.date()
        is_of_one = (first.year, first.month) == (last.year, last.month)
        return self.is_of_whole_days and is_of_one and first.day == (last + timedelta(days=1)).day == 1

    @property
    def is_filtered(self) -> bool:
        return bool(self.line or self.number or self.customer_id)

    @property
    def knows_spells(self) -> bool:
        """Whether all calls are selected with which somebody may have spoken to a lost caller."""
        return not self.line and self.direction == "both"

    @property
    def knows_incoming(self) -> bool:
        return self.direction != "outgoing"

    @property
    def knows_outgoing(self) -> bool:
        return self.direction != "incoming"

    @property
    def name(self) -> str:
        """What tells it from others, for messages and file names: 2024-05-01, or 2024-01-01--2024-12-31-line-901."""
        form = "%Y-%m-%d" if self.is_of_whole_days else "%Y-%m-%dT%H%M%S"
        name = self.start.strftime(form)
        if self.stop.strftime(form) != name:
            name = f"{name}--{self.stop.strftime(form)}"
        parts = {"line": self.line, "number": self.number, "customer": self.customer_id}
        name += "".join(f"-{part}-{value}" for part, value in parts.items() if value)
        return name if self.direction == "both" else f"{name}-{self.direction}"
