"""A Report -> the mail that carries it, and the short text of it for chats."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, cast

from common.labels import Labels
from common.messages.mail import Mail
from common.messages.templates import render, short
from common.reports.figures import DAY_SECONDS, Report
from common.reports.spells import Spell
from common.reports.tables import (
    Kind,
    Link,
    Value,
    employees_table,
    footnote,
    hours_table,
    notes,
    number_link,
    our_number,
    sentence,
    spans_table,
    subject,
    tiles,
    title,
)

MOST_TO_CALL, MOST_TO_CALL_IN_SHORT = 15, 5
MOST_EMPLOYEES = 30
BAR_CHARACTERS = 20
# Of an employee, what has columns of its own, as a phone is narrow, and what stands below.
COLUMNS = ("answered calls", "rung in lost")
BELOW = ("picked up", "outgoing calls", "callbacks", "talk time")
MOST_TILES = 3


class _Bar(NamedTuple):
    """Incoming calls of an hour or of days; the parts are hundredths of the longest bar."""

    name: str
    lost_part: int
    answered_part: int
    calls: str
    lost: str

    @property
    def text(self) -> str:
        return "█" * round((self.lost_part + self.answered_part) * BAR_CHARACTERS / 100)


class _Employee(NamedTuple):
    """What an employee did: see COLUMNS and BELOW."""

    name: str
    columns: list[str]
    below: list[str]


def report_mail(report: Report, labels: Labels, too_large: Sequence[Path] = ()) -> Mail:
    """The mail for a report. `too_large` are its files when they are not attached: the mail says where they are."""
    more = len(report.to_call) - MOST_TO_CALL
    by_time = labels.format("most urgent by time", count=MOST_TO_CALL) if more > 0 else labels["to call by time"]
    bars = _bars(report, labels)
    columns = [labels[name] for name in COLUMNS if report.selection.knows_incoming]
    employees = _employees(report, labels)[:MOST_EMPLOYEES]
    employees_heading = f"{labels['by employee']}:"
    # Where there are columns, they stand below one another in the plain text.
    names = [employees_heading, *(employee.name for employee in employees)] if columns else []
    content = {
        "labels": labels,
        "title": title(report, labels),
        "sentence": sentence(report, labels),
        "notes": notes(report, labels),
        "tiles": tiles(report, labels)[:MOST_TILES],
        "comparison": footnote(report, labels),
        "to_call_heading": by_time,
        "to_call": [_waiting(spell, report, labels) for spell in sorted(report.to_call[:MOST_TO_CALL], key=_last)],
        "more_to_call": labels.format("and more", count=more) if more > 0 else "",
        "bars_heading": labels["by hour" if report.is_of_one_day else f"by {spans_table(report, labels)[0]}"],
        "bars": bars,
        "bars_width": max((len(bar.name) for bar in bars), default=0),
        "columns": columns,
        "employees": employees,
        "employees_heading": employees_heading,
        "employees_width": max(map(len, names), default=0),
        "where": labels.format("too large", paths=", ".join(map(str, too_large))) if too_large else labels["attached"],
    }
    if not report.count:
        content |= {"tiles": [], "bars": [], "employees": []}
    return Mail(
        subject=subject(report, labels),
        text=render("reports/report_mail.txt", content).strip() + "\n",
        html=render("reports/report_mail.html", content),
    )


def report_in_short(report: Report, labels: Labels, fits: Callable[[Mail], bool] | None) -> Mail:
    """The report for a chat: the sentence, the tiles, and whom to call first, as many as have room."""
    shown = [f"{tile.name}: {tile.value} {tile.change}".rstrip() for tile in tiles(report, labels)]
    for most in range(MOST_TO_CALL_IN_SHORT, -1, -1):
        content = {
            "labels": labels,
            "sentence": sentence(report, labels),
            "notes": notes(report, labels),
            "tiles": shown if report.count else [],
            "comparison": footnote(report, labels),
            "to_call": [_waiting(spell, report, labels) for spell in report.to_call[:most]],
            "more": len(report.to_call) - most,
        }
        text = render("reports/report_in_short.txt", content).strip()
        message = Mail(title(report, labels), text, text)
        if not fits or fits(message):
            break
    return message


def _last(spell: Spell) -> float:
    return spell.last.timestamp()


def _waiting(spell: Spell, report: Report, labels: Labels) -> dict[str, str]:
    """Whom to call: the number and where it leads, the name, when it was lost, and what else there is to know."""
    number = number_link(spell.number, report)
    day = "" if report.is_of_one_day else labels.day_and_month(spell.last)
    time = labels.time(spell.last)
    moment = labels.short_moment(spell.last) if day else time
    times = f"{spell.times}×" if spell.times > 1 else ""
    days = int(report.end.timestamp() - spell.unix_first) // DAY_SECONDS
    waits = [labels.format("waits for days", count=days)] if days > 0 else []
    known = []
    if spell.is_tried:
        known.append(labels["tried to call back"])
    if spell.has_message:
        known.append(labels["left a message"])
    return {
        "number": number.text if isinstance(number, Link) else number,
        "url": number.url if isinstance(number, Link) else "",
        "name": spell.name,
        "day": day,
        "time": time,
        "times": times,
        "when": labels.format("lost at", count=spell.times, time=moment) if times else moment,
        "waits": ", ".join(waits),
        "known": ", ".join(known),
        "marks": ", ".join(waits + known),
        "our_number": our_number(spell.our_number, spell.our_number_name, labels),
    }


def _bars(report: Report, labels: Labels) -> list[_Bar]:
    """Of every hour with calls, or of days from the first with calls to the last."""
    table = hours_table(report, labels) if report.is_of_one_day else spans_table(report, labels)[1]
    rows = [(_name(row[0], labels), int(row[2] or 0), int(row[1] or 0)) for row in table.rows()]  # type: ignore[arg-type]
    busy = [index for index, (_, lost, answered) in enumerate(rows) if lost or answered]
    if not busy:
        return []
    most = max(lost + answered for _, lost, answered in rows)

    def bar(name: str, lost: int, answered: int) -> _Bar:
        numbers = labels.number(lost + answered), labels.format("so many lost", count=lost) if lost else ""
        return _Bar(name, round(100 * lost / most), round(100 * answered / most), *numbers)

    shown = [rows[index] for index in busy] if report.is_of_one_day else rows[busy[0] : busy[-1] + 1]
    return [bar(*row) for row in shown]


def _name(value: Value, labels: Labels) -> str:
    return value if isinstance(value, str) else labels.day_and_month(value)  # type: ignore[arg-type]


def _employees(report: Report, labels: Labels) -> list[_Employee]:
    table = employees_table(report, labels)

    def text(value: Value, kind: Kind) -> str:
        if value is None:
            return "—"
        if isinstance(value, timedelta):
            return labels.duration(value.total_seconds(), in_days=False)
        number = cast("float", value)
        return labels.percent(number) if kind is Kind.PERCENT else labels.number(number)

    def employee(row: tuple[Value, ...]) -> _Employee:
        found = dict(zip(table.headings, zip(row, table.kinds, strict=True), strict=True))

        def told(names: Sequence[str]) -> list[str]:
            known = {heading: found[heading] for heading in map(labels.__getitem__, names) if heading in found}
            return [f"{name.lower().removesuffix(', %')} {text(*value)}" for name, value in known.items() if value[0]]

        columns = [text(*found[labels[name]]) for name in COLUMNS if labels[name] in found]
        return _Employee(short(str(row[0])), columns, told(BELOW))

    return [employee(row) for row in table.rows()]
