"""A Report -> the summary: all its figures as one JSON object for other programs. docs/en/summary.md tells its keys."""

import dataclasses
from collections.abc import Callable
from typing import Any

from common.reports.figures import Counts, PlaceCounts, Report
from common.reports.spells import Spell

VERSION = 1


def summary(report: Report) -> dict[str, Any]:
    selection = report.selection
    hide = _hider(report)
    return {
        "version": VERSION,
        "start": selection.start.isoformat(),
        "stop": selection.stop.isoformat(),
        "as_of": report.as_of.replace(microsecond=0).isoformat() if report.as_of else None,
        "calls": hide(_calls(report)),
        "callers": hide(
            {"callers": report.callers, "new_callers": report.new_callers, "lost_callers": report.lost_callers}
        ),
        "spells": dataclasses.asdict(report.spell_figures) if report.spell_figures else None,
        "to_call": None if report.spells is None else [_to_call(spell, report) for spell in report.to_call],
        "by_hour": [{"hour": hour, **hide(_counts(counts))} for hour, counts in enumerate(report.hours)],
        "by_day": [{"day": day.isoformat(), **hide(_counts(counts))} for day, counts in report.days.items()],
        "by_weekday_and_hour": None if report.is_of_one_day else _by_weekday_and_hour(report, hide),
        "by_our_number": [
            {"number": number, "name": counts.name, **hide(_place(counts))}
            for number, counts in report.our_numbers.items()
        ],
        "by_source": [
            dict(zip(("utm_source", "utm_medium", "utm_campaign", "domain"), names, strict=True)) | hide(_place(counts))
            for names, counts in report.sources.items()
        ],
        "by_employee": [
            {
                "name": name,
                "is_line": counts.is_line,
                **hide(
                    {
                        "answered": counts.answered,
                        "rung_in_lost": counts.rung_in_lost,
                        "picked_up_percent": counts.picked_up_percent,
                        "outgoing": counts.outgoing,
                        "outgoing_answered": counts.outgoing_answered,
                        "talk_seconds": counts.talk_seconds,
                        "average_talk_seconds": counts.average_talk_seconds,
                        "callbacks": counts.callbacks if report.spells is not None else None,
                    }
                ),
            }
            for name, counts in report.employees.items()
        ],
        "by_group": [{"group": group, **hide(_place(counts))} for group, counts in report.groups.items()],
        "compared": _compared(report),
    }


def _calls(report: Report) -> dict[str, Any]:
    counts = report.totals
    return {
        "incoming": counts.incoming,
        "answered": counts.answered,
        "lost": counts.lost,
        "other": counts.other,
        "answered_percent": counts.answered_percent,
        "lost_at_once": counts.at_once,
        "service_level_percent": counts.service_level_percent,
        "lost_outside_hours": report.lost_outside_hours,
        "wait_answered_seconds": dataclasses.asdict(report.waits_answered),
        "wait_lost_seconds": dataclasses.asdict(report.waits_lost),
        "talk_seconds": counts.talk_seconds,
        "average_talk_seconds": counts.average_talk_seconds,
        "outgoing": counts.outgoing,
        "outgoing_answered": counts.outgoing_answered,
        "outgoing_answered_percent": counts.outgoing_answered_percent,
        "hidden": report.hidden,
    }


_OF_INCOMING = (
    "incoming answered lost other answered_percent lost_at_once service_level_percent lost_outside_hours hidden callers"
    " new_callers lost_callers rung_in_lost picked_up_percent"
).split()
_OF_OUTGOING = "outgoing outgoing_answered outgoing_answered_percent".split()


def _hider(report: Report) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What is not known is null: the calls of a direction that was not asked for."""
    selection = report.selection
    unknown = () if selection.knows_incoming else _OF_INCOMING
    if not selection.knows_outgoing:
        unknown = _OF_OUTGOING
    return lambda row: row | {name: None for name in unknown if name in row}


def _counts(counts: Counts) -> dict[str, Any]:
    names = ("incoming", "answered", "lost", "other", "outgoing", "outgoing_answered", "talk_seconds")
    return {name: getattr(counts, name) for name in names}


def _place(counts: PlaceCounts) -> dict[str, Any]:
    names = ("incoming", "answered", "lost", "other", "answered_percent", "new_callers", "service_level_percent")
    return {name: getattr(counts, name) for name in names}


def _by_weekday_and_hour(report: Report, hide: Callable[[dict[str, Any]], dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"weekday": index // 24 + 1, "hour": index % 24, "times": times, **hide(_counts(counts))}
        for index, (counts, times) in enumerate(zip(report.week, report.hours_of_the_week(), strict=True))
    ]


def _to_call(spell: Spell, report: Report) -> dict[str, Any]:
    return {
        "number": spell.shown_number,
        "name": spell.name,
        "is_client": spell.is_client,
        "state": spell.state,
        "lost": spell.times,
        "first": spell.first.isoformat(),
        "last": spell.last.isoformat(),
        "our_number": spell.our_number,
        "our_number_name": spell.our_number_name,
        "rung": report.rung_in(spell),
        "has_message": spell.has_message,
    }


def _compared(report: Report) -> dict[str, Any] | None:
    compared = report.compared
    if not compared:
        return None
    return {
        "with": {"week": "week_before", "month": "month_before", "days": "days_before"}[compared.kind],
        "start": compared.start.isoformat(),
        "stop": compared.stop.isoformat(),
        "before": compared.before,
        "change": compared.change,
        "average_of_four": compared.average,
        "change_from_average": compared.from_average,
    }
