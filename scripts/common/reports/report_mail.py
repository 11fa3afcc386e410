"""A Report -> the mail that carries it: a subject that says it all, the summary as HTML and as plain text."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from common.labels import Labels
from common.messages.mail import Mail
from common.messages.templates import render
from common.reports.figures import LostCaller, Report
from common.reports.tables import Value, employees_table, notes, subject, title, totals_list

MAX_WAITING_CALLERS = 15


def report_mail(report: Report, labels: Labels, too_large: Sequence[Path] = ()) -> Mail:
    """The mail for a report. `too_large` are its files when they are not attached: the mail says where they are."""
    waiting = [caller for caller in report.lost_callers.values() if caller.waiting and report.knows_callbacks]
    hidden = len(waiting) - MAX_WAITING_CALLERS
    employees = employees_table(report, labels)
    content = {
        "headline": _headline(report, labels),
        "labels": labels,
        "when": _when(report, labels),
        "title": title(report, labels),
        "where": labels.format("too large", paths=", ".join(map(str, too_large))) if too_large else labels["attached"],
        "notes": notes(report, labels),
        "waiting": waiting[:MAX_WAITING_CALLERS],
        "more_waiting": labels.format("and more", count=hidden) if hidden > 0 else "",
        "totals": [(name, _text(value, labels)) for name, value in totals_list(report, labels)],
        "employees": [
            (
                row[0],
                # What an employee has none of is left out: a phone is narrow.
                [
                    (heading.lower(), _text(value, labels))
                    for heading, value in zip(employees.headings[1:], row[1:], strict=True)
                    if value
                ],
            )
            for row in employees.rows()
        ],
    }
    return Mail(
        subject=subject(report, labels),
        text=render("reports/report_mail.txt", content),
        html=render("reports/report_mail.html", content),
    )


def _headline(report: Report, labels: Labels) -> list[tuple[int, str, bool]]:
    """The largest numbers: each with its name, and whether it is bad."""
    totals = report.totals
    numbers = [
        (totals.incoming, labels["incoming calls"], False),
        (totals.lost, labels["lost calls"], totals.lost > 0),
    ]
    if report.knows_callbacks:
        numbers.append((totals.not_called_back, labels["lost, waiting"], totals.not_called_back > 0))
    return numbers


def _when(report: Report, labels: Labels) -> Callable[[LostCaller], str]:
    """A function that tells when a caller who waits was lost last, and how often so far."""
    shown = labels.time if report.is_of_one_day else labels.moment

    def when(caller: LostCaller) -> str:
        time = shown(caller.last)
        times = len(caller.waiting)
        return labels.format("lost at", count=times, time=time) if times > 1 else time

    return when


def _text(value: Value, labels: Labels) -> str:
    if value is None or isinstance(value, timedelta):
        return labels.duration(value.total_seconds() if value is not None else None)
    return str(value)
