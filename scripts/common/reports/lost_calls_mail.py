"""Callers who wait -> the message that tells people of them: for mail, and as short text for chats."""

from collections.abc import Callable, Iterator
from datetime import date

from common.labels import Labels
from common.messages.mail import Mail
from common.messages.templates import render, short
from common.reports.spells import WaitingCaller

MAX_TEXT_LENGTH = 1900  # of a mail: more callers at once nobody reads


def lost_calls_mail(
    callers: list[WaitingCaller], labels: Labels, today: date, fits: Callable[[Mail], bool] | None = None
) -> tuple[list[WaitingCaller], Mail]:
    """One message, and whom it tells of: as many of `callers`, of whom there is one at least, as have room.

    fits: whether a message can be sent whole; None for mail. Raises what `fits` raises.

    Callers are told of whole or not at all; only where there is no room for one, what matters least is left out.
    """

    def has_room(message: Mail) -> bool:
        return fits(message) if fits else len(message.text) <= MAX_TEXT_LENGTH

    def told(count: int) -> Mail:
        entries = [(caller, caller.customer, _facts(caller, labels, today)) for caller in callers[:count]]
        return _mail(entries, len(callers) - count, len(callers), labels)

    everybody = told(len(callers))
    if has_room(everybody):
        return callers, everybody
    least, most = 0, len(callers) - 1
    while least < most:
        count = (least + most + 1) // 2
        least, most = (count, most) if has_room(told(count)) else (least, count - 1)
    if least:
        return callers[:least], told(least)
    for message in _ever_shorter(callers, labels, today):
        if has_room(message):
            break
    return callers[:1], message


def _ever_shorter(callers: list[WaitingCaller], labels: Labels, today: date) -> Iterator[Mail]:
    """Messages of the first caller alone: what matters least goes first, the number stays."""
    first, more, total = callers[0], len(callers) - 1, len(callers)
    facts = _facts(first, labels, today)
    for count in range(len(facts), 0, -1):
        yield _mail([(first, first.customer, facts[:count])], more, total, labels)
    yield _mail([(first, first.customer, facts[:1])], 0, total, labels)  # how many there are, the title says
    yield _mail([(first, "", facts[:1])], 0, total, labels)
    yield _mail([(first, "", [])], 0, total, labels)


def _mail(entries: list[tuple[WaitingCaller, str, list[str]]], more: int, total: int, labels: Labels) -> Mail:
    """A message of callers, each with the name and the facts to be told; `more` and `total` others and all of them."""
    title = labels.format("waiting callers", count=total)
    content = {
        "title": title,
        "labels": labels,
        "callers": entries,
        "more": labels.format("and so many later", count=more) if more else "",
    }
    return Mail(
        subject=title,
        text=render("reports/lost_calls_mail.txt", content).strip(),
        html=render("reports/lost_calls_mail.html", content),
    )


def _facts(caller: WaitingCaller, labels: Labels, today: date) -> list[str]:
    """What there is to know of a caller, a line each."""
    last = caller.last
    time = labels.time(last.start)
    if last.start.date() != today:
        time = labels.format("yesterday", time=time)
    if len(caller.calls) > 1:
        time = labels.format("lost at", count=len(caller.calls), time=time)
    facts = [f"{time}, {labels.format('waited', time=labels.duration(last.wait_seconds))}"]
    if last.our_number or last.our_number_name:
        line = " ".join(filter(None, (short(last.our_number_name), last.our_number)))
        facts.append(labels.format("called line", line=line))
    if caller.has_left_message:
        facts.append(labels["left a message"])
    if caller.employee:
        facts.append(labels.format("spoke with", employee=short(caller.employee)))
    return facts
