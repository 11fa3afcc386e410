"""A Report -> words and tables of words and values, the same ones for the workbook, CSV, the mail and chats."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from common.calls.call import INCOMING, OUTGOING, Call
from common.calls.phone import country_of, dialable, shown_number
from common.labels import Labels
from common.reports.figures import (
    AT_ONCE_SECONDS,
    CALLBACK_SECONDS,
    Counts,
    EmployeeCounts,
    Figure,
    PlaceCounts,
    Report,
    Waits,
)
from common.reports.selection import Selection
from common.reports.spells import Spell

DAYS_OF_WEEK = 7
LONGEST_BY_DAY, LONGEST_BY_WEEK = 45, 180  # days of a period whose days, or weeks, are looked at
MAX_LINKED = 20_000  # rows; Excel opens no sheet with more than 65,530 links, and gets slow long before
AGES = (3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400)  # seconds that people have waited for a call


class Link(NamedTuple):
    """A text that leads somewhere."""

    text: str
    url: str


Value = str | int | float | datetime | date | timedelta | Link | None


class Kind(Enum):
    """What a column holds, which decides how it is shown."""

    TEXT = "text"
    LINES = "lines"  # a text that may take several
    PHONE = "phone"  # text too: it must not lose its leading zero
    MOMENT = "moment"  # a naive datetime in the account's time zone, as a person reads it off the wall
    TIME = "time"  # the same, of a day that is known
    DATE = "date"
    DURATION = "duration"
    COUNT = "count"
    PERCENT = "percent"  # with one decimal, and so are points
    LINK = "link"


@dataclass(frozen=True)
class Table:
    """Headings, what each column holds, and a function that goes through the rows anew each time it is called."""

    headings: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: Callable[[], Iterator[tuple[Value, ...]]]


@dataclass(frozen=True)
class Tile:
    """A large figure: its name, the figure, what has changed ("▲ 4,2 в. п., краще"; "" where that is not known), and
    whether that is good; None where it is neither."""

    name: str
    value: str
    change: str
    is_good: bool | None


# --- Words -------------------------------------------------------------------


def title(report: Report, labels: Labels) -> str:
    """What the report is about, as its heading says it."""
    selection = report.selection
    is_of_whole_day = report.is_of_one_day and selection.is_of_whole_days
    when = labels.full_date(selection.start) if is_of_whole_day else _when(selection, labels, labels.month)
    return ", ".join([labels.format("title", when=when), *_filters(selection, labels)])


def _when(selection: Selection, labels: Labels, month: Callable[[date], str] | None = None) -> str:
    """The time of a report in words; `month` names one that is a whole month."""
    start, stop = selection.start, selection.stop
    if not selection.is_of_whole_days:
        return f"{labels.moment(start)} – {labels.moment(stop)}"
    if start.date() == stop.date():
        return labels.date(start)
    return month(start) if month and selection.is_of_a_month else labels.days(start.date(), stop.date())


def subject(report: Report, labels: Labels) -> str:
    """What a mail says before it is opened: the worst first."""
    selection, totals = report.selection, report.totals
    when = ", ".join([_when(selection, labels, labels.of_month), *_filters(selection, labels)])
    if totals.answered_percent is not None and selection.knows_incoming:
        waiting = labels.format("subject waiting", count=len(report.to_call)) if report.to_call else ""
        words = labels.format("subject", waiting=waiting, percent=labels.percent(totals.answered_percent), period=when)
        words = words[0].upper() + words[1:]
    elif selection.direction == "both":
        words = labels.format("subject counts", period=when, incoming=totals.incoming, outgoing=totals.outgoing)
    else:
        words = labels.format("subject one way", period=when, count=totals.incoming + totals.outgoing)
    if report.as_of:
        words += labels.format("partial subject", time=labels.time(report.as_of))
    return words


def sentence(report: Report, labels: Labels) -> str:
    """The report in one sentence."""
    totals = report.totals
    if not (totals.incoming or totals.outgoing):  # SMS and faxes are no calls
        return labels["no calls"]
    if not totals.incoming:
        share = labels.percent(totals.outgoing_answered_percent)
        return labels.format("outgoing of", count=totals.outgoing, percent=share) + "."
    if totals.answered_percent is None:
        return labels["no incoming"] + "."
    words = labels.format(
        "answered of", count=totals.answered + totals.lost, percent=labels.percent(totals.answered_percent)
    )
    words += _than_before(report, labels)
    if report.to_call:
        words += labels.format("still wait", count=len(report.to_call))
    elif report.spells:  # of hidden numbers there are none
        words += labels["nobody waits"]
    return words + "."


def _than_before(report: Report, labels: Labels) -> str:
    compared = report.compared
    points = compared.change["answered_percent"] if compared else None
    if compared is None or points is None:
        return ""
    match compared.kind:
        case "week":
            before = labels.weekday_before(compared.start.weekday())
        case "month":
            before = labels["in the month before"]
        case _:
            before = labels.format("in the days before", count=len(report.days))
    if not points:
        return labels.format("as many", before=before)
    name = "points more" if points > 0 else "points less"
    return labels.format(name, count=abs(points), points=labels.number(abs(points)), before=before)


def footnote(report: Report, labels: Labels) -> str:
    """What the tiles do not say: with what their arrows compare, and why the sentence tells of fewer calls."""
    notes, compared, totals = [], report.compared, report.totals
    if compared:
        before = Selection(compared.start, compared.stop)
        if before.is_of_whole_days:
            period = _when(before, labels)
        else:  # as far as the day has come
            period = labels.format("until as well", day=labels.date(before.start), time=labels.time(before.stop))
        notes.append(labels.format("compared with", period=period))
    if totals.other and totals.answered_percent is not None:
        notes.append(labels.format("without a result", count=totals.other))
    words = "; ".join(notes)
    return words[:1].upper() + words[1:]


def tiles(report: Report, labels: Labels) -> list[Tile]:
    """The five figures that matter, as far as they are known, the most urgent first."""
    totals, selection = report.totals, report.selection
    change = report.compared.change if report.compared else {}

    def tile(name: str, key: str, value: Figure, *, more_is: bool | None, is_percent: bool = False) -> Tile:
        by = change.get(key)
        shown = labels.percent(value) if is_percent or value is None else labels.number(value)
        if by is None:
            return Tile(name, shown, "", None)
        if not by:
            return Tile(name, shown, "=", None)
        is_good = None if more_is is None else (by > 0) == more_is
        words = f"{'▲' if by > 0 else '▼'}\xa0{labels.number(abs(by))}"
        if is_percent:
            words += f"\xa0{labels['points']}"
        if is_good is not None:  # nobody has to see colours
            words += f", {labels['better' if is_good else 'worse']}"
        return Tile(name, shown, words, is_good)

    if not selection.knows_incoming:
        share = totals.outgoing_answered_percent
        return [
            tile(labels["outgoing calls"], "outgoing", totals.outgoing, more_is=None),
            tile(labels["outgoing answered"], "", share, more_is=True, is_percent=True),
        ]
    soon = labels.format("tile soon", seconds=report.service_level_seconds)
    level = totals.service_level_percent
    known = (
        [tile(labels["tile to call"], "to_call", len(report.to_call), more_is=False)]
        if report.spells is not None
        else []
    )
    return [
        *known,
        tile(labels["tile answered"], "answered_percent", totals.answered_percent, more_is=True, is_percent=True),
        tile(labels["tile lost"], "lost", totals.lost, more_is=False),
        tile(soon, "service_level_percent", level, more_is=True, is_percent=True),
        tile(labels["tile incoming"], "incoming", totals.incoming, more_is=None),
    ]


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
    if report.totals.lost and report.spells is None:
        texts.append(labels["spells unknown"])
    if report.unreadable:
        texts.append(labels.format("unreadable calls", count=report.unreadable))
    return texts


def who(by: tuple[str, str], report: Report, labels: Labels) -> str:
    """Who spoke, as people are shown it: the employee, else the line, else that there was none."""
    name = report.who(by)
    if not name:
        return labels["no line"]
    return f"{labels['line']} {name}" if name == by[1] else name


def rung_in(spell: Spell, report: Report, labels: Labels) -> list[str]:
    """Who was rung in a spell's calls, as people are shown it."""
    return list(dict.fromkeys(who(by, report, labels) for by in spell.rung if any(by)))


def shortened(text: str, most: int) -> str:
    """A text that is no longer than that, in characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip(' ,')}…"


def our_number(number: str, name: str, labels: Labels) -> str:
    """One of our numbers in one cell: its name, or the number of one that has none."""
    return name or number or labels["no number"]


def source_name(names: Iterable[str]) -> str:
    """What led a caller here, of its parts, each of which may be ""."""
    return " / ".join(filter(None, names))


# --- Tables ------------------------------------------------------------------


def calls_table(
    report: Report, labels: Labels, recording: Callable[[Call], str] = lambda _: "", *, with_links: bool = False
) -> Table:
    """Every call of the list, in time order.

    recording:  the address of a call's recording, where we keep one
    with_links: whether a call leads to its page in the cabinet
    """
    columns = {
        "time": Kind.MOMENT,
        "direction": Kind.TEXT,
        "number": Kind.PHONE,
        "name": Kind.TEXT,
        "result": Kind.TEXT,
        "what became": Kind.TEXT,
        "employee": Kind.TEXT,
        "line": Kind.PHONE,
        "wait": Kind.DURATION,
        "talk": Kind.DURATION,
        "new or repeat": Kind.TEXT,
        "group": Kind.PHONE,
        "our number": Kind.PHONE,
        "our number's name": Kind.TEXT,
        "source": Kind.TEXT,
        "recording": Kind.LINK,
        "call id": Kind.PHONE,
    }
    directions = {INCOMING: labels["incoming"], OUTGOING: labels["outgoing"]}
    new, no_line, listen = labels["new"], labels["no line"], labels["listen"]

    def rows() -> Iterator[tuple[Value, ...]]:
        for call in report.calls:
            address = recording(call)
            page = call.cabinet_page if with_links else ""
            source = call.source
            yield (
                call.start.replace(tzinfo=None),
                directions.get(call.call_type, call.call_type),
                call.shown_number or labels["hidden number"],
                call.customer,
                labels.disposition(call.disposition),
                what_became(call, report, labels) if call.is_lost else "",
                call.employee,
                call.line or ("" if call.employee else no_line),
                timedelta(seconds=call.wait_seconds),
                timedelta(seconds=call.talk_seconds),
                new if call.is_new else "",
                call.group,
                call.our_number,
                call.our_number_name,
                source_name((*source[:3], source.domain)) if source else "",
                Link(listen, address) if address else "",
                Link(call.general_call_id, page) if page else call.general_call_id,
            )

    return table_of(columns, labels, rows)


def what_became(lost: Call, report: Report, labels: Labels) -> str:
    """What became of a lost call: its spell's state, or merely that it was lost, where that is not known."""
    spell = report.spell_of(lost)
    return labels[spell.state] if spell else labels["lost"]


def spells_table(report: Report, labels: Labels) -> Table:
    """Every spell: those whom to call first, the most urgent on top; then the others, the latest on top."""
    when = Kind.TIME if report.is_of_one_day else Kind.MOMENT
    columns = {
        "number": Kind.PHONE,
        "name": Kind.TEXT,
        "state": Kind.TEXT,
        "times": Kind.COUNT,
        "last time": when,
        "first time": when,
        "our number": Kind.TEXT,
        "rung": Kind.LINES,
        "message": Kind.TEXT,
        "ended": when,
        "ended after": Kind.DURATION,
        "ended by": Kind.TEXT,
    }
    every = [spell for of_caller in (report.spells or {}).values() for spell in of_caller]
    ended = sorted((spell for spell in every if spell.ended), key=lambda spell: -spell.last.timestamp())

    def rows() -> Iterator[tuple[Value, ...]]:
        for place, spell in enumerate([*report.to_call, *ended]):
            seconds = spell.seconds_until_ended
            yield (
                number_link(spell.number, report) if place < MAX_LINKED else spell.shown_number,
                spell.name,
                labels[spell.state],
                spell.times,
                spell.last.replace(tzinfo=None),
                spell.first.replace(tzinfo=None),
                our_number(spell.our_number, spell.our_number_name, labels),
                ", ".join(rung_in(spell, report, labels)),
                labels["yes"] if spell.has_message else "",
                spell.ended.replace(tzinfo=None) if spell.ended else None,
                None if seconds is None else timedelta(seconds=seconds),
                who(spell.ended_by, report, labels) if spell.ended else "",
            )

    return table_of(columns, labels, rows)


def number_link(number: str, report: Report) -> Link | str:
    """A caller's number, which can be tapped."""
    country = country_of(report.selection.timezone)
    shown, dialled = shown_number(number, country), dialable(number, country)
    return Link(shown, f"tel:{dialled}") if dialled else shown


def employees_table(report: Report, labels: Labels) -> Table:
    selection = report.selection
    columns: dict[str, tuple[Kind, Callable[[EmployeeCounts], Value]]] = {}
    if selection.knows_incoming:
        columns |= {
            "answered calls": (Kind.COUNT, lambda counts: counts.answered),
            "rung in lost": (Kind.COUNT, lambda counts: counts.rung_in_lost),
            "picked up": (Kind.PERCENT, lambda counts: counts.picked_up_percent),
        }
    if selection.knows_outgoing:
        columns |= {
            "outgoing calls": (Kind.COUNT, lambda counts: counts.outgoing),
            "outgoing answered": (Kind.COUNT, lambda counts: counts.outgoing_answered),
        }
    if selection.knows_spells:
        columns["callbacks"] = (Kind.COUNT, lambda counts: counts.callbacks)
    columns |= {
        "talk time": (Kind.DURATION, lambda counts: duration(counts.talk_seconds)),
        "average talk": (Kind.DURATION, lambda counts: duration(counts.average_talk_seconds)),
    }

    def rows() -> Iterator[tuple[Value, ...]]:
        for name, counts in report.employees.items():
            shown = who(("", name) if counts.is_line else (name, ""), report, labels)
            yield shown, *(value(counts) for _, value in columns.values())

    kinds = {name: kind for name, (kind, _) in columns.items()}
    return table_of({"employee": Kind.TEXT} | kinds, labels, rows)


def our_numbers_table(report: Report, labels: Labels) -> Table:
    rows = [((number or labels["no number"], counts.name), counts) for number, counts in report.our_numbers.items()]
    return _places_table({"our number": Kind.PHONE, "our number's name": Kind.TEXT}, rows, report, labels)


def groups_table(report: Report, labels: Labels) -> Table:
    return _places_table({"group": Kind.PHONE}, [((name,), row) for name, row in report.groups.items()], report, labels)


def sources_table(report: Report, labels: Labels) -> Table:
    columns = dict.fromkeys(("source", "medium", "campaign", "site"), Kind.TEXT)
    return _places_table(columns, list(report.sources.items()), report, labels)


def _places_table(
    columns: dict[str, Kind], places: Sequence[tuple[tuple[str, ...], PlaceCounts]], report: Report, labels: Labels
) -> Table:
    counted = ("incoming calls", "answered calls", "lost calls")
    columns = columns | dict.fromkeys(counted, Kind.COUNT) | {"answered percent": Kind.PERCENT}
    headings = [labels[name] for name in columns]
    headings += [labels.format("within", seconds=report.service_level_seconds), labels["new callers"]]

    def rows() -> Iterator[tuple[Value, ...]]:
        for names, counts in places:
            yield (
                *names,
                counts.incoming,
                counts.answered,
                counts.lost,
                counts.answered_percent,
                counts.service_level_percent,
                counts.new_callers,
            )

    return Table(tuple(headings), (*columns.values(), Kind.PERCENT, Kind.COUNT), rows)


def hours_table(report: Report, labels: Labels) -> Table:
    """The calls of each hour of the day."""
    hours = [(f"{hour:02}", row) for hour, row in enumerate(report.hours)]
    return _times_table({"hour": Kind.TEXT}, hours, report.selection, labels)


def spans_table(report: Report, labels: Labels) -> tuple[str, Table]:
    """A period's calls by day, by week or by month, whichever it is looked at by: that word, and the table."""
    days = len(report.days)
    name = "day" if days <= LONGEST_BY_DAY else "week" if days <= LONGEST_BY_WEEK else "month"
    spans: dict[date, Counts] = {}
    for day, counts in report.days.items():
        first = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[name]
        spans.setdefault(first, Counts()).include(counts)
    kind = {"day": Kind.DATE, "week": Kind.DATE, "month": Kind.TEXT}[name]
    shown = [(labels.month(first) if name == "month" else first, counts) for first, counts in spans.items()]
    step = DAYS_OF_WEEK if name == "day" else 1
    return name, _times_table({name: kind}, shown, report.selection, labels, compared_with=step)


def _times_table(
    columns: dict[str, Kind],
    times: Sequence[tuple[Value, Counts]],
    knows: Selection,
    labels: Labels,
    *,
    compared_with: int = 0,
) -> Table:
    """compared_with: how many rows before each stands the one that it is compared with; 0: with none."""
    columns = columns | dict.fromkeys(("answered calls", "lost calls"), Kind.COUNT) | {"answered percent": Kind.PERCENT}
    if compared_with:
        columns["change in a week" if compared_with == DAYS_OF_WEEK else "change"] = Kind.PERCENT
    columns |= {"outgoing calls": Kind.COUNT, "outgoing answered": Kind.COUNT, "talk time": Kind.DURATION}

    def rows() -> Iterator[tuple[Value, ...]]:
        for place, (name, counts) in enumerate(times):
            changes: list[Value] = []
            if compared_with:
                before = times[place - compared_with][1].answered_percent if place >= compared_with else None
                share = counts.answered_percent
                changes = [None if share is None or before is None else round(share - before, 1)]
            yield (
                name,
                counts.answered if knows.knows_incoming else None,
                counts.lost if knows.knows_incoming else None,
                counts.answered_percent,
                *changes,
                counts.outgoing if knows.knows_outgoing else None,
                counts.outgoing_answered if knows.knows_outgoing else None,
                duration(counts.talk_seconds),
            )

    return table_of(columns, labels, rows)


def top_callers_table(report: Report, labels: Labels) -> Table:
    def rows() -> Iterator[tuple[Value, ...]]:
        for caller in report.top_callers:
            yield number_link(caller.number, report), caller.name, caller.times

    return table_of({"number": Kind.PHONE, "name": Kind.TEXT, "incoming calls": Kind.COUNT}, labels, rows)


def ages_table(report: Report, labels: Labels) -> Table:
    """How long those wait whom nobody has spoken to, from their first lost call on."""
    now = report.end.timestamp()
    waited = [now - spell.unix_first for spell in report.to_call]

    def rows() -> Iterator[tuple[Value, ...]]:
        least = 0
        for most in AGES:
            count = sum(least <= seconds < most for seconds in waited)
            yield labels.format("age under", duration=labels.duration(most)), count
            least = most
        yield (
            labels.format("age over", duration=labels.duration(least)),
            sum(seconds >= least for seconds in waited),
        )

    return table_of({"waiting": Kind.TEXT, "callers": Kind.COUNT}, labels, rows)


def figures_list(report: Report, labels: Labels) -> list[tuple[str, Value, Kind, str]]:
    """Every figure of the report that is known: its name, what it is, how it is shown, and how it is counted."""
    totals, selection, spells = report.totals, report.selection, report.spell_figures
    listed: list[tuple[str, Value, Kind, str]] = []  # the label of the name, the value, its kind, what explains it
    if selection.knows_incoming:
        listed += [
            ("incoming calls", totals.incoming, Kind.COUNT, "incoming"),
            ("answered calls", totals.answered, Kind.COUNT, "answered"),
            ("answered percent", totals.answered_percent, Kind.PERCENT, "answered percent"),
            ("within", totals.service_level_percent, Kind.PERCENT, "soon"),
            *_waits("answered", report.waits_answered),
            ("lost calls", totals.lost, Kind.COUNT, "lost"),
            ("at once", totals.at_once, Kind.COUNT, "at once"),
            ("outside hours", report.lost_outside_hours, Kind.COUNT, "outside hours"),
            *_waits("lost", report.waits_lost),
            ("hidden calls", report.hidden, Kind.COUNT, "hidden"),
            ("different callers", report.callers, Kind.COUNT, "callers"),
            ("new callers", report.new_callers, Kind.COUNT, "new"),
            ("lost callers", report.lost_callers, Kind.COUNT, "lost callers"),
        ]
    if spells:
        listed += [
            ("tile to call", len(report.to_call), Kind.COUNT, "to call"),
            ("cases", spells.total, Kind.COUNT, "cases"),
            ("called_back", spells.called_back, Kind.COUNT, "called_back"),
            *(
                (f"within {name}", getattr(spells, f"called_back_within_{name}"), Kind.COUNT, f"within {name}")
                for name in CALLBACK_SECONDS
            ),
            ("median callback", duration(spells.median_callback_seconds), Kind.DURATION, "median callback"),
            ("got_through", spells.got_through, Kind.COUNT, "got_through"),
            ("tried", spells.tried, Kind.COUNT, "tried"),
            ("nobody", spells.nobody, Kind.COUNT, "nobody"),
            ("open after a day", spells.open_after_24_h, Kind.COUNT, "open after a day"),
        ]
    if selection.knows_outgoing:
        listed += [
            ("outgoing calls", totals.outgoing, Kind.COUNT, "outgoing"),
            ("outgoing answered", totals.outgoing_answered, Kind.COUNT, "outgoing answered"),
        ]
    listed += [
        ("talk time", duration(totals.talk_seconds), Kind.DURATION, "talk"),
        *((name, None, Kind.TEXT, name) for name in ("rung in lost", "picked up", "callbacks")),
        ("change", None, Kind.TEXT, "compared"),
    ]
    places = {"seconds": report.service_level_seconds, "at_once": AT_ONCE_SECONDS}
    return [
        (labels.format(name, **places), value, kind, labels.format(f"how {how}", **places))
        for name, value, kind, how in listed
        if name != "outside hours" or value is not None
    ]


def _waits(of: str, waits: Waits) -> list[tuple[str, Value, Kind, str]]:
    shown = {"average": waits.average, "median": waits.median, "longest": waits.longest}
    return [
        (f"wait {of} {which}", duration(seconds), Kind.DURATION, f"wait {which}") for which, seconds in shown.items()
    ]


def table_of(columns: dict[str, Kind], labels: Labels, rows: Callable[[], Iterator[tuple[Value, ...]]]) -> Table:
    return Table(tuple(labels[name] for name in columns), tuple(columns.values()), rows)


def duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=round(seconds))
