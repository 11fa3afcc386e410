"""A Report -> the mail that carries it: a subject that says it all, the summary as HTML and as plain text."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from common.labels import Labels
from common.mail import Mail
from common.report import LostCaller, Report
from common.tables import Value, employees_table, notes, subject, title, totals_list
from common.templates import render

MAX_WAITING_CALLERS = 15


def report_mail(report: Report, labels: Labels, too_large: Sequence[Path] = ()) -> Mail:
    """The mail for a report. `too_large` are its files when they are not attached: the mail says where they are."""
    waiting = [caller for caller in report.lost_callers if caller.callback is None]
    hidden = len(waiting) - MAX_WAITING_CALLERS
    employees = employees_table(report, labels)
    content = {
        "report": report,
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
        text=render("report_mail.txt", content),
        html=render("report_mail.html", content),
    )


def _when(report: Report, labels: Labels) -> Callable[[LostCaller], str]:
    """A function that tells when a caller who waits was lost last, and how often so far."""
    shown = labels.time if report.is_of_one_day else labels.moment

    def when(caller: LostCaller) -> str:
        time = shown(caller.last)
        return labels.format("lost at", count=caller.waiting, time=time) if caller.waiting > 1 else time

    return when


def _text(value: Value, labels: Labels) -> str:
    if value is None or isinstance(value, timedelta):
        return labels.duration(value.total_seconds() if value is not None else None)
    return str(value)
