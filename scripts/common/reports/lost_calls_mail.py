"""Callers who wait -> the message that tells people of them: for mail, and as short text for chats."""

from datetime import date

from common.labels import Labels
from common.messages.mail import Mail
from common.messages.templates import render, short
from common.reports.spells import WaitingCaller

MAX_TEXT_LENGTH = 1900  # Discord takes 2,000 characters, Telegram 4,096


def lost_calls_mail(callers: list[WaitingCaller], labels: Labels, today: date) -> tuple[list[WaitingCaller], Mail]:
    """One message, and whom it tells of: as many of `callers` as have room in a chat's message."""
    named = callers
    while True:
        message = _mail(named, len(callers) - len(named), labels, today)
        if len(message.text) <= MAX_TEXT_LENGTH or len(named) == 1:
            return named, message
        named = named[: max(1, min(len(named) - 1, len(named) * MAX_TEXT_LENGTH // len(message.text)))]


def _mail(callers: list[WaitingCaller], more: int, labels: Labels, today: date) -> Mail:
    title = labels.format("waiting callers", count=len(callers) + more)
    content = {
        "title": title,
        "labels": labels,
        "callers": [(caller, _facts(caller, labels, today)) for caller in callers],
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
