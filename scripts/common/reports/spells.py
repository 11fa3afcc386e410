"""Calls in time order -> the spells of lost callers: from a lost call until somebody speaks to the caller."""

from dataclasses import dataclass, field
from datetime import datetime

from common.calls.call import Call
from common.calls.phone import country_of, dialable, shown_number

By = tuple[str, str]  # an employee, whose name may be "", and a line


@dataclass(slots=True)
class Spell:
    """What a caller went through: all lost calls of a number until somebody speaks to the caller.

    key:         see Call.number_key
    number:      as the server sent it last
    name:        the caller's, of the last lost call that has one, or of a later attempt to call back; or ""
    is_client:   whether the caller is one of "My clients"
    times:       how many calls were lost
    first, last: when the first and the last of them began
    unix_first:  the first in Unix seconds: to compare and to subtract
    our_number:  what the last of them called, and its name
    rung:        the lines that were rung in any of them, in their order
    has_message: whether the caller left a message in the voice mail
    is_tried:    whether somebody called after the last lost call, and reached nobody
    ended:       when the call began that ended it; None while the caller waits
    seconds_until_ended: from its first lost call on
    is_ended_by_us, ended_by: whether we called, and who spoke
    """

    key: str
    number: str
    first: datetime
    last: datetime
    unix_first: int
    name: str = ""
    is_client: bool = False
    times: int = 0
    our_number: str = ""
    our_number_name: str = ""
    rung: list[By] = field(default_factory=list)
    has_message: bool = False
    is_tried: bool = False
    ended: datetime | None = None
    seconds_until_ended: int | None = None
    is_ended_by_us: bool = False
    ended_by: By = ("", "")

    @property
    def shown_number(self) -> str:
        return shown_number(self.number, country_of(self.first.tzinfo))  # type: ignore[arg-type]

    @property
    def dialable(self) -> str:
        return dialable(self.number, country_of(self.first.tzinfo))  # type: ignore[arg-type]

    @property
    def state(self) -> str:
        """called_back, got_through, tried or nobody."""
        if self.ended:
            return "called_back" if self.is_ended_by_us else "got_through"
        return "tried" if self.is_tried else "nobody"

    @property
    def urgency(self) -> tuple[bool, bool, int, int]:
        """What to sort those whom to call by: who left a message, then clients, the most often lost, the longest
        waiting."""
        return not self.has_message, not self.is_client, -self.times, self.unix_first

    def add(self, call: Call) -> None:
        """A call that was lost, too."""
        self.times += 1
        self.last = call.start
        self.is_tried = False
        self.number = call.number
        self.our_number, self.our_number_name = call.our_number, call.our_number_name
        self.has_message |= call.has_message
        self.take_name(call)
        for one in call.rung:
            if (by := (one.employee, one.line)) not in self.rung:
                self.rung.append(by)

    def take_name(self, call: Call) -> None:
        if call.customer and not call.legs_name:
            self.name = call.customer
        self.is_client |= call.is_client


class SpellCounter:
    """Is told of calls, in time order, and finds the spells.

    by_key: the spells of each caller, in time order; hidden numbers have none
    open:   those that nobody has ended, by key
    lost:   calls of one second, which wait for what else began then: who was spoken to at that second was so before
            being lost. Before a call of a later second is looked at, end_second() is to be called.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, list[Spell]] = {}
        self.open: dict[str, Spell] = {}
        self.lost: list[tuple[str, Call]] = []

    def end_second(self) -> None:
        for key, call in self.lost:
            spell = self.open.get(key)
            if not spell:
                spell = self.open[key] = Spell(key, call.number, call.start, call.start, call.unix_start)
                self.by_key.setdefault(key, []).append(spell)
            spell.add(call)
        self.lost.clear()

    def add_other(self, key: str, call: Call, *, is_answered: bool) -> None:
        """A call, either way, with a caller whose spell is open, and who was not lost in it."""
        spell = self.open[key]
        spell.take_name(call)
        if is_answered:
            spell.ended, spell.ended_by = call.start, (call.employee, call.line)
            spell.seconds_until_ended = call.unix_start - spell.unix_first
            spell.is_ended_by_us = call.is_outgoing
            del self.open[key]
        else:
            spell.is_tried |= call.is_outgoing
