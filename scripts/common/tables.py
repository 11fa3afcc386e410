"""A Report -> tables of words and values, the same ones for the workbook, CSV and the mail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from common.calls import INCOMING, OUTGOING, Call
from common.labels import Labels
from common.report import Report

Value = str | int | datetime | timedelta | None


class Kind(Enum):
    """What a column holds, which decides how it is shown."""

    TEXT = "text"
    PHONE = "phone"  # text too: it must not lose its leading zero
    MOMENT = "moment"  # a naive datetime in the account's time zone, as a person reads it off the wall
    DURATION = "duration"
    COUNT = "count"


@dataclass(frozen=True)
class Table:
    """Headings, what each column holds, and a function that goes through the rows anew each time it is called."""

    headings: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: Callable[[], Iterator[tuple[Value, ...]]]


def calls_table(report: Report, labels: Labels) -> Table:
    """Every call of the list, in time order."""
    columns = {
        "time": Kind.MOMENT,
        "direction": Kind.TEXT,
        "number": Kind.PHONE,
        "customer": Kind.TEXT,
        "employee": Kind.TEXT,
        "line": Kind.PHONE,
        "result": Kind.TEXT,
        "lost": Kind.TEXT,
        "wait": Kind.DURATION,
        "talk": Kind.DURATION,
        "our number": Kind.PHONE,
        "our number's name": Kind.TEXT,
        "call id": Kind.PHONE,
    }
    directions = {INCOMING: labels["incoming"], OUTGOING: labels["outgoing"]}

    def rows() -> Iterator[tuple[Value, ...]]:
        for call in report.calls:
            yield (
                call.start.replace(tzinfo=None),
                directions.get(call.call_type, call.call_type),
                call.number or labels["hidden number"],
                call.customer,
                call.employee,
                call.line,
                labels.disposition(call.disposition),
                lost_mark(call, report, labels),
                timedelta(seconds=call.wait_seconds),
                timedelta(seconds=call.talk_seconds),
                call.our_number,
                call.our_number_name,
                call.general_call_id,
            )

    return _table(columns, labels, rows)


def lost_mark(call: Call, report: Report, labels: Labels) -> str:
    """Whether a lost call's number was spoken to later; "" for a call that was not lost."""
    if not call.is_lost:
        return ""
    return labels["lost, called back" if report.callbacks[call.general_call_id] else "lost, waiting"]


def lost_table(report: Report, labels: Labels) -> Table:
    """Each lost caller once, the worst first."""
    columns = {
        "number": Kind.PHONE,
        "customer": Kind.TEXT,
        "times": Kind.COUNT,
        "waiting times": Kind.COUNT,
        "first time": Kind.MOMENT,
        "last time": Kind.MOMENT,
        "state": Kind.TEXT,
        "callback time": Kind.MOMENT,
        "callback after": Kind.DURATION,
        "callback by": Kind.TEXT,
    }

    def rows() -> Iterator[tuple[Value, ...]]:
        for caller in report.lost_callers:
            callback = caller.callback
            yield (
                caller.number or labels["hidden number"],
                caller.customer,
                caller.times,
                caller.waiting,
                caller.first.replace(tzinfo=None),
                caller.last.replace(tzinfo=None),
                labels["lost, called back" if callback else "lost, waiting"],
                callback.start.replace(tzinfo=None) if callback else None,
                timedelta(seconds=callback.unix_start - caller.last.timestamp()) if callback else None,
                (callback.employee or callback.line) if callback else "",
            )

    return _table(columns, labels, rows)


def employees_table(report: Report, labels: Labels) -> Table:
    columns = {
        "employee": Kind.TEXT,
        "answered calls": Kind.COUNT,
        "lost calls": Kind.COUNT,
        "outgoing calls": Kind.COUNT,
        "outgoing answered": Kind.COUNT,
        "talk time": Kind.DURATION,
    }

    def rows() -> Iterator[tuple[Value, ...]]:
        for totals in report.employees:
            yield (
                f"{labels['line']} {totals.name}".rstrip() if totals.is_line else totals.name,
                totals.answered,
                totals.lost,
                totals.outgoing,
                totals.outgoing_answered,
                timedelta(seconds=totals.talk_seconds),
            )

    return _table(columns, labels, rows)


def hours_table(report: Report, labels: Labels) -> Table:
    columns = {
        "hour": Kind.TEXT,
        "answered calls": Kind.COUNT,
        "lost calls": Kind.COUNT,
        "outgoing calls": Kind.COUNT,
    }

    def rows() -> Iterator[tuple[Value, ...]]:
        for totals in report.hours:
            yield f"{totals.hour:02}", totals.answered, totals.lost, totals.outgoing

    return _table(columns, labels, rows)


def totals_list(report: Report, labels: Labels) -> list[tuple[str, Value]]:
    """The numbers of the day under their names. A duration that there is not is None."""
    totals = report.totals
    other: list[tuple[str, Value]] = [(labels["other calls"], totals.other)] if totals.other else []
    return [
        (labels["incoming calls"], totals.incoming),
        (labels["answered calls"], totals.answered),
        (labels["lost calls"], totals.lost),
        *other,
        (labels["called back"], totals.called_back),
        (labels["not called back"], totals.not_called_back),
        (labels["median callback"], _duration(totals.median_callback_seconds)),
        (labels["outgoing calls"], totals.outgoing),
        (labels["outgoing answered"], totals.outgoing_answered),
        (labels["talk time"], _duration(totals.talk_seconds)),
        (labels["average wait"], _duration(totals.average_wait_seconds)),
    ]


def _table(columns: dict[str, Kind], labels: Labels, rows: Callable[[], Iterator[tuple[Value, ...]]]) -> Table:
    return Table(tuple(labels[name] for name in columns), tuple(columns.values()), rows)


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=round(seconds))
