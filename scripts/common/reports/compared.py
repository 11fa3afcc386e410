"""A Report, compared with the time before: out of calls that the archive holds whole, so that no request is spent."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from common.calls.archive import Archive, Wanted
from common.calls.days import last_second
from common.reports.figures import Compared, Counts, Figure, Report, tenths
from common.reports.selection import Selection

WEEK = timedelta(days=7)
WEEKS_OF_AVERAGE = 4


def main_figures(counts: Counts, to_call: int, times: int = 1) -> dict[str, Figure]:
    """What is compared; of several days, their average."""

    def average(count: int) -> Figure:
        return count if times == 1 else tenths(count, times)

    return {
        "incoming": average(counts.incoming),
        "answered": average(counts.answered),
        "lost": average(counts.lost),
        "answered_percent": counts.answered_percent,
        "service_level_percent": counts.service_level_percent,
        "outgoing": average(counts.outgoing),
        "outgoing_answered": average(counts.outgoing_answered),
        "talk_seconds": average(counts.talk_seconds),
        "to_call": average(to_call),
    }


def compared(report: Report, archive: Archive) -> Report:
    """The report with a comparison; as it was where there is nothing to compare it with: one of some calls alone, or
    of a time before that the archive does not hold."""
    found = time_before(report.selection, report.as_of)
    if not found:
        return report
    kind, *times = found
    made = [_report_of(selection, report, archive) for selection in times]
    if not (first := made[0]):
        return report
    now = main_figures(report.totals, len(report.to_call))
    before = main_figures(first.totals, len(first.to_call))
    average = None
    held = [each for each in made if each]
    if len(held) == WEEKS_OF_AVERAGE:
        total = Counts()
        for each in held:
            total.include(each.totals)
        average = main_figures(total, sum(len(each.to_call) for each in held), WEEKS_OF_AVERAGE)
    comparison = Compared(
        kind=kind,
        start=times[0].start,
        stop=times[0].stop,
        before=before,
        change=_change(now, before),
        average=average,
        from_average=_change(now, average) if average else None,
    )
    return replace(report, compared=comparison)


def time_before(selection: Selection, as_of: datetime | None) -> tuple[str, *tuple[Selection, ...]] | None:
    """With which time a report is compared, the nearest first, after what kind of time that is."""
    if selection.is_filtered or selection.direction != "both" or not selection.is_of_whole_days:
        return None
    first, last, timezone = selection.start.date(), selection.stop.date(), selection.timezone
    if first == last:
        # What of a day is not over, is not compared.
        stop = min(as_of or selection.stop, selection.stop).timetz()
        days = [first - WEEK * weeks for weeks in range(1, WEEKS_OF_AVERAGE + 1)]
        return "week", *(Selection(Selection.of_day(day, timezone).start, datetime.combine(day, stop)) for day in days)
    if as_of:
        return None
    until = first - timedelta(days=1)
    if selection.is_of_a_month:
        return "month", _of_days(until.replace(day=1), until, selection)
    return "days", _of_days(first - (last - until), until, selection)


def _of_days(first: date, last: date, like: Selection) -> Selection:
    return Selection(Selection.of_day(first, like.timezone).start, last_second(last, like.timezone))


def _report_of(selection: Selection, like: Report, archive: Archive) -> Report | None:
    wanted = Wanted(int(selection.start.timestamp()), int(selection.stop.timestamp()))
    if not archive.knows(wanted):
        return None
    return Report.of(selection, archive.plain_calls(wanted), service_level_seconds=like.service_level_seconds)


def _change(now: dict[str, Figure], before: dict[str, Figure]) -> dict[str, Figure]:
    return {name: _difference(value, before[name]) for name, value in now.items()}


def _difference(now: Figure, before: Figure) -> Figure:
    return None if now is None or before is None else round(now - before, 1)
