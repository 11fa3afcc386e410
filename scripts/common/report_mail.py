"""A Report -> the mail that carries it: a subject that says it all, the summary as HTML and as plain text."""

from datetime import timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from common.labels import Labels
from common.mail import Mail
from common.report import LostCaller, Report
from common.tables import Value, employees_table, totals_list

MAX_WAITING_CALLERS = 15
MAX_NAME_LENGTH = 40

# Every value is escaped in HTML: the names of customers are anybody's text.
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def report_mail(report: Report, labels: Labels) -> Mail:
    """The mail for a day's report."""
    notes = []
    if report.as_of:
        notes.append(labels.format("partial", time=labels.time(report.as_of)))
    if not report.calls:
        notes.append(labels["no calls"])
    waiting = [caller for caller in report.lost_callers if caller.callback is None]
    hidden = len(waiting) - MAX_WAITING_CALLERS
    employees = employees_table(report, labels)
    content = {
        "report": report,
        "labels": labels,
        "short": _short,
        "when": _when,
        "title": labels.format("title", day=labels.date(report.day)),
        "notes": notes,
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
        subject=_subject(report, labels),
        text=_templates.get_template("report_mail.txt").render(content),
        html=_templates.get_template("report_mail.html").render(content),
    )


def _subject(report: Report, labels: Labels) -> str:
    totals = report.totals
    subject = labels.format(
        "subject", day=report.day, incoming=totals.incoming, lost=totals.lost, waiting=totals.not_called_back
    )
    if report.as_of:
        subject += labels.format("partial subject", time=labels.time(report.as_of))
    return subject


def _when(caller: LostCaller, labels: Labels) -> str:
    """When a caller who waits was lost last, and how often so far."""
    time = labels.time(caller.last)
    return labels.format("lost at", count=caller.waiting, time=time) if caller.waiting > 1 else time


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"


def _text(value: Value, labels: Labels) -> str:
    if value is None or isinstance(value, timedelta):
        return labels.duration(value.total_seconds() if value is not None else None)
    return str(value)
