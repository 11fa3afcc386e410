"""Who waits for a call, and the message that tells people of them: for mail, and as short text for chats."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from common.calls.call import Call
from common.labels import Labels
from common.messages.mail import Mail
from common.messages.templates import render, short
from common.reports.figures import Report
from common.reports.spells import Spell

MOST_CALLERS = 7  # of a chat's message: more at once nobody reads on a phone
MOST_RUNG = 5  # of a group that rings as a whole
TITLE_NAME_LENGTH = 20  # with the number behind it, as much as a lock screen shows
LAST_ORDINAL = 5  # with a word of its own; then "already the 6th time"


class Waiting(NamedTuple):
    """A caller who waits, and the lost calls since somebody spoke to them, in time order; there is one at least."""

    spell: Spell
    calls: list[Call]


class Told(NamedTuple):
    """A message, and whom it tells of: who wait, and whose waiting has ended."""

    waiting: list[Waiting]
    done: list[Spell]
    mail: Mail


def waiting_callers(report: Report) -> list[Waiting]:
    """Whom to call, the newest first. Hidden numbers cannot be called: only if they have left a message, each alone."""
    callers: dict[str, Waiting] = {}
    for call in report.calls:
        if not call.is_lost:
            continue
        spell = report.spell_of(call)
        if call.has_message and not call.number_key:
            spell = Spell(f"call {call.general_call_id}", call.number, call.start, call.start, call.unix_start)
            spell.add(call)
        if spell and not spell.ended:
            callers.setdefault(spell.key, Waiting(spell, [])).calls.append(call)
    return sorted(callers.values(), key=lambda caller: caller.calls[-1].unix_start, reverse=True)


def lost_calls_mail(
    due: list[Waiting],
    done: list[Spell],
    waiting: int,
    report: Report,
    labels: Labels,
    fits: Callable[[Mail], bool] | None = None,
) -> Told:
    """One message of as many of `due`, of whom there is one at least, and of `done` as have room; see Told.

    waiting: how many callers with a number wait all in all, those too who were told of before
    report:  knows names, and which day is today
    fits:    whether a chat's message can be sent whole; None for mail, which has room for all. Raises what it raises.

    Callers are told of whole or not at all; only where there is no room for one, what matters least is left out.
    """
    writer = _Writer(len(due), waiting, report, labels)
    if not fits:
        return writer.told(due, done)
    for told in writer.ever_shorter(due[:MOST_CALLERS], done[:MOST_CALLERS]):
        if fits(told.mail):
            break
    return told


class _Writer:
    def __init__(self, due: int, waiting: int, report: Report, labels: Labels) -> None:
        self._due = due
        self._waiting = waiting
        self._report = report
        self._labels = labels

    def ever_shorter(self, due: list[Waiting], done: list[Spell]) -> Iterator[Told]:
        """Messages of ever less; what matters least goes first, the first caller's number stays."""
        for count in range(len(done), -1, -1):
            yield self.told(due, done[:count])
        for count in range(len(due) - 1, 0, -1):
            yield self.told(due[:count], [])
        facts = len(self._facts(due[0]))
        for count in range(facts, 0, -1):
            yield self.told(due[:1], [], most_facts=count)
        yield self.told(due[:1], [], most_facts=1, has_notes=False)
        yield self.told(due[:1], [], most_facts=1, has_notes=False, has_name=False)
        yield self.told(due[:1], [], most_facts=0, has_notes=False, has_name=False)

    def told(
        self,
        due: list[Waiting],
        done: list[Spell],
        *,
        most_facts: int | None = None,
        has_notes: bool = True,
        has_name: bool = True,
    ) -> Told:
        labels, later, first = self._labels, self._due - len(due), due[0].spell
        notes = [labels.format("and so many later", count=later)] if later else []
        others = self._waiting - sum(bool(caller.spell.dialable) for caller in due)
        if others:
            notes.append(labels.format("all waiting", count=len(due) + others))
        name = short(first.name, TITLE_NAME_LENGTH) if has_name else ""
        title = " ".join(filter(None, ("☎", name, self._number(first), f"+{self._due - 1}" if self._due > 1 else "")))
        content = {
            "labels": labels,
            "title": title,
            "heading": labels.format("waiting callers", count=len(due)),
            "callers": [
                (caller.spell, short(caller.spell.name) if has_name else "", self._facts(caller)[:most_facts])
                for caller in due
            ],
            "done": [(spell, short(spell.name), self._how_done(spell)) for spell in done],
            "notes": notes if has_notes else [],
        }
        text = render("reports/lost_calls_mail.txt", content).strip()
        return Told(due, done, Mail(title, text, render("reports/lost_calls_mail.html", content)))

    def _facts(self, caller: Waiting) -> list[str]:
        """What there is to know of who waits, a line each; what matters least is last."""
        labels, spell, last = self._labels, caller.spell, caller.calls[-1]
        facts = [f"{self._time(last.start)}, {labels.format('waited', time=labels.duration(last.wait_seconds))}"]
        if spell.times > 1:
            is_many = spell.times > LAST_ORDINAL
            times = labels.format("many times", count=spell.times) if is_many else labels[f"{spell.times} times"]
            facts.append(labels.format("lost again", times=times, time=self._time(spell.first)))
        if spell.our_number or spell.our_number_name:
            line = ", ".join(filter(None, (short(spell.our_number_name), spell.our_number)))
            facts.append(labels.format("called line", line=line))
        if spell.has_message:
            facts.append(labels["left a message"])
        if spell.is_tried:
            facts.append(labels["tried to call back"])
        if rung := self._report.rung_in(spell):
            more = f" +{len(rung) - MOST_RUNG}" if len(rung) > MOST_RUNG else ""
            facts.append(labels.format("rang at", lines=", ".join(map(short, rung[:MOST_RUNG])) + more))
        if employee := self._spoke_before(spell):
            facts.append(labels.format("spoke with", employee=short(employee)))
        return facts

    def _spoke_before(self, spell: Spell) -> str:
        """Who spoke to the caller last before that, or ""."""
        who = ""
        for call in self._report.calls:
            if call.is_answered and call.unix_start <= spell.unix_first and spell.key in call.number_keys:
                who = self._report.who((call.employee, call.line))
        return who

    def _how_done(self, spell: Spell) -> str:
        labels, time = self._labels, self._labels.duration(spell.seconds_until_ended)
        if not spell.is_ended_by_us:
            return labels.format("got through", time=time)
        if employee := self._report.who(spell.ended_by):
            return labels.format("called back by", time=time, employee=short(employee))
        return labels.format("called back after", time=time)

    def _number(self, spell: Spell) -> str:
        return spell.dialable or self._labels["hidden number"]

    def _time(self, moment: datetime) -> str:
        time = self._labels.time(moment)
        is_today = moment.date() == self._report.selection.stop.date()
        return time if is_today else self._labels.format("yesterday", time=time)
