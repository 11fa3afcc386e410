"""Callers who wait -> the message that tells people of them: for mail, and as short text for chats."""

from datetime import date

from common.labels import Labels
from common.mail import Mail
from common.templates import render
from common.waiting import WaitingCaller

MAX_CALLERS = 20  # chats cut off long messages


def lost_calls_mail(callers: list[WaitingCaller], labels: Labels, today: date) -> Mail:
    """One message for all of them, however many there are."""
    hidden = len(callers) - MAX_CALLERS
    title = labels.format("waiting callers", count=len(callers))
    content = {
        "title": title,
        "labels": labels,
        "callers": [(caller, _facts(caller, labels, today)) for caller in callers[:MAX_CALLERS]],
        "more": labels.format("and so many more", count=hidden) if hidden > 0 else "",
    }
    return Mail(
        subject=title,
        text=render("lost_calls_mail.txt", content).strip(),
        html=render("lost_calls_mail.html", content),
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
        line = " ".join(filter(None, (last.our_number_name, last.our_number)))
        facts.append(labels.format("called line", line=line))
    if caller.has_left_message:
        facts.append(labels["left a message"])
    if caller.employee:
        facts.append(labels.format("spoke with", employee=caller.employee))
    return facts
