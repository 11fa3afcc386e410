"""A Report -> tables of words and values, the same ones for the workbook, CSV and the mail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from common.calls.call import INCOMING, OUTGOING, Call
from common.labels import Labels
from common.reports.figures import Counts, Report, Selection

Value = str | int | float | datetime | date | timedelta | None


class Kind(Enum):
    """What a column holds, which decides how it is shown."""

    TEXT = "text"
    PHONE = "phone"  # text too: it must not lose its leading zero
    MOMENT = "moment"  # a naive datetime in the account's time zone, as a person reads it off the wall
    DATE = "date"
    DURATION = "duration"
    COUNT = "count"
    AVERAGE = "average"


@dataclass(frozen=True)
class Table:
    """Headings, what each column holds, and a function that goes through the rows anew each time it is called."""

    headings: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: Callable[[], Iterator[tuple[Value, ...]]]


def title(report: Report, labels: Labels) -> str:
    """What the report is about, as its heading says it."""
    selection = report.selection
    start, stop = selection.start, selection.stop
    if report.is_of_one_day and selection.is_of_whole_days:
        words = labels.format("title", day=f"{labels.date(start)}, {labels.weekday(start.weekday())}")
    else:
        form = labels.date if selection.is_of_whole_days else labels.moment
        words = labels.format("title of a period", start=form(start), stop=form(stop))
    return ", ".join([words, *_filters(selection, labels)])


def subject(report: Report, labels: Labels) -> str:
    """What a mail says before it is opened."""
    selection, totals = report.selection, report.totals
    name = "subject" if report.knows_callbacks else "subject without callbacks"
    form = "%Y-%m-%d" if selection.is_of_whole_days else "%Y-%m-%d %H:%M"
    period = " – ".join(dict.fromkeys(moment.strftime(form) for moment in (selection.start, selection.stop)))
    words = labels.format(
        name,
        period=", ".join([period, *_filters(selection, labels)]),
        incoming=totals.incoming,
        lost=totals.lost,
        waiting=totals.not_called_back,
    )
    if report.as_of:
        words += labels.format("partial subject", time=labels.time(report.as_of))
    return words


def _filters(selection: Selection, labels: Labels) -> list[str]:
    """Which calls of its time a report is about, when not all."""
    parts = {"line": selection.line, "number": selection.number, "customer": selection.customer_id}
    filters = [f"{labels[name].lower()} {value}" for name, value in parts.items() if value]
    if selection.direction != "both":
        filters.append(labels[f"{selection.direction} calls"].lower())
    return filters


def notes(report: Report, labels: Labels) -> list[str]:
    """What a reader has to know before believing the numbers."""
    texts = []
    if report.as_of:
        name = "partial" if report.is_of_one_day else "partial period"
        texts.append(labels.format(name, time=labels.time(report.as_of)))
    if not report.count:
        texts.append(labels["no calls"])
    elif report.totals.lost and not report.knows_callbacks:
        texts.append(labels["callbacks unknown"])
    if report.unreadable:
        texts.append(labels.format("unreadable calls", count=report.unreadable))
    return texts


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
                call.shown_number or labels["hidden number"],
                call.customer,
                call.employee,
                call.line or ("" if call.employee else labels["no line"]),
                labels.disposition(call.disposition),
                lost_mark(call, report, labels),
                timedelta(seconds=call.wait_seconds),
                timedelta(seconds=call.talk_seconds),
                call.our_number,
                call.our_number_name,
                call.general_call_id,
            )

    return table_of(columns, labels, rows)


def lost_mark(call: Call, report: Report, labels: Labels) -> str:
    """Whether a lost call's number was spoken to later; "" for a call that was not lost."""
    if not call.is_lost:
        return ""
    return _state(report.is_called_back(call), report, labels)


def _state(is_called_back: bool, report: Report, labels: Labels) -> str:
    if not report.knows_callbacks:
        return labels["lost, unknown"]
    return labels["lost, called back" if is_called_back else "lost, waiting"]


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
        for caller in report.lost_callers.values():
            callback = caller.callback if report.knows_callbacks else None
            yield (
                caller.number or labels["hidden number"],
                caller.customer,
                caller.times,
                len(caller.waiting) if report.knows_callbacks else None,
                caller.first.replace(tzinfo=None),
                caller.last.replace(tzinfo=None),
                _state(callback is not None, report, labels),
                callback.replace(tzinfo=None) if callback else None,
                timedelta(seconds=callback.timestamp() - caller.last.timestamp()) if callback else None,
                (caller.callback_by or labels["no line"]) if callback else "",
            )

    return table_of(columns, labels, rows)


_COUNTS = {
    "answered calls": Kind.COUNT,
    "lost calls": Kind.COUNT,
    "outgoing calls": Kind.COUNT,
    "outgoing answered": Kind.COUNT,
    "talk time": Kind.DURATION,
}


def _counts(counts: Counts) -> tuple[Value, ...]:
    return (
        counts.answered,
        counts.lost,
        counts.outgoing,
        counts.outgoing_answered,
        timedelta(seconds=counts.talk_seconds),
    )


def employees_table(report: Report, labels: Labels) -> Table:
    def rows() -> Iterator[tuple[Value, ...]]:
        for counts in report.employees:
            name = f"{labels['line']} {counts.name}" if counts.is_line else counts.name
            yield name if counts.name else labels["no line"], *_counts(counts)

    return table_of({"employee": Kind.TEXT} | _COUNTS, labels, rows)


def days_table(report: Report, labels: Labels) -> Table:
    def rows() -> Iterator[tuple[Value, ...]]:
        for day, counts in report.days.items():
            yield day, labels.short_weekday(day.weekday()), *_counts(counts)

    return table_of({"day": Kind.DATE, "weekday": Kind.TEXT} | _COUNTS, labels, rows)


def hours_table(report: Report, labels: Labels) -> Table:
    """The calls of each hour of the day."""
    columns = {"hour": Kind.TEXT} | dict.fromkeys(("answered calls", "lost calls", "outgoing calls"), Kind.COUNT)

    def rows() -> Iterator[tuple[Value, ...]]:
        for hour in range(24):
            days = report.week[hour::24]
            yield (
                f"{hour:02}",
                sum(counts.answered for counts in days),
                sum(counts.lost for counts in days),
                sum(counts.outgoing for counts in days),
            )

    return table_of(columns, labels, rows)


def week_table(report: Report, labels: Labels) -> Table:
    """An average week: the calls of each of its hours, over how often the time had that hour."""
    columns = {"hour": Kind.TEXT} | dict.fromkeys(("answered calls", "lost calls", "outgoing calls"), Kind.AVERAGE)

    def rows() -> Iterator[tuple[Value, ...]]:
        for index, (counts, times) in enumerate(zip(report.week, report.hours_of_the_week(), strict=True)):
            weekday, hour = divmod(index, 24)
            numbers = (counts.answered, counts.lost, counts.outgoing)
            name = f"{labels.short_weekday(weekday)} {hour:02}"
            yield name, *(number / times if times else None for number in numbers)

    return table_of(columns, labels, rows)


def totals_list(report: Report, labels: Labels) -> list[tuple[str, Value]]:
    """The totals under their names. A duration that there is not is None."""
    totals = report.totals
    other: list[tuple[str, Value]] = [(labels["other calls"], totals.other)] if totals.other else []
    callbacks: list[tuple[str, Value]] = [
        (labels["called back"], totals.called_back),
        (labels["not called back"], totals.not_called_back),
        (labels["median callback"], _duration(totals.median_callback_seconds)),
    ]
    return [
        (labels["incoming calls"], totals.incoming),
        (labels["answered calls"], totals.answered),
        (labels["lost calls"], totals.lost),
        *other,
        *(callbacks if report.knows_callbacks else []),
        (labels["outgoing calls"], totals.outgoing),
        (labels["outgoing answered"], totals.outgoing_answered),
        (labels["talk time"], _duration(totals.talk_seconds)),
        (labels["average wait"], _duration(totals.average_wait_seconds)),
    ]


def table_of(columns: dict[str, Kind], labels: Labels, rows: Callable[[], Iterator[tuple[Value, ...]]]) -> Table:
    return Table(tuple(labels[name] for name in columns), tuple(columns.values()), rows)


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=round(seconds))
