"""Every figure means what "How we count" says: held against a second, naive computation, for thousands of random times.

The naive one reads the server's entries itself and goes through all of them for each figure: slow, and easy to check.
"""

import random
import re
import time
from collections import defaultdict
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby
from types import SimpleNamespace

import pytest

from common.calls.archive import Archive, Wanted
from common.calls.call import Calls
from common.reports.compared import compared
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.summary import summary
from helpers import KYIV, at

LOST = {"NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL", "VM", "VM-SUCCESS"}
SMS_AND_FAX = {"SMS-SENDING", "SMS-SUCCESS", "SMS-FAILED", "SUCCESS", "FAILED"}

# Every form that a number comes in, and how people are shown it; the key says that some of them are one.
NUMBERS = {
    "0671111111": "+380671111111",
    "380671111111": "+380671111111",
    "+380671111111": "+380671111111",
    "0502222222": "+380502222222",
    "+380502222222": "+380502222222",
    "380443333333": "+380443333333",
    "+4915112345678": "+4915112345678",
    "102": "102",
    "": "",
    "anonymous": "anonymous",
}
CUSTOMERS = {"671111111": "ТОВ «Кінь»", "502222222": "Pat O'Brien", "443333333": "Ганна"}
EMPLOYEES = {
    "901": {"employeeName": "Олена", "employeeEmail": "olena@example.com"},
    "902": {"employeeData": {"name": "Андрій", "email": "andriy@example.com"}},
    "903": {"employeeName": "", "employeeEmail": "iryna@example.com"},
    "904": {"employeeData": [{"name": "Олена", "email": ""}]},  # she has two lines
    "905": {"employeeData": {"name": "", "email": "petro@example.com"}},
}
LINES = [*EMPLOYEES, "906", "801", ""]
STATES = (
    "ANSWER ANSWER ANSWER TRANSFER answer NOANSWER NOANSWER NOANSWER NO_ANSWER No_Answer BUSY CANCEL CONGESTION"
    " CHANUNAVAIL VM VM-SUCCESS vm_-_success ONLINE CALLING UNHEARD-OF SMS-SENDING SMS-SUCCESS SMS-FAILED SUCCESS"
    " FAILED"
).split()
STATES = [*(state.replace("_", " ") for state in STATES), ""]
LEGS_STATES = ["ANSWER", "NOANSWER", "BUSY", "ONLINE"]
WAITS = (0, 4, 5, 6, 19, 20, 21, 90, "5", "6", "20", "33")
OUR_NUMBERS = [
    {"didNumber": "0443334001", "didName": "Головна"},
    {"didNumber": "", "pbxNumberData": {"number": "0443334002", "name": "Реклама"}},
    {"pbxNumberData": [], "did": "0443334003", "trunkNumber": "0443334009"},
    {"trunkNumber": "0443334009"},
    {"didNumber": "0443334009", "pbxNumberData": {"number": "0443334001", "name": "Інша"}},
]
SOURCES = [
    {
        "callTrackingData": {
            "utm_source": "google",
            "utm_medium": "cpc",
            "utm_campaign": "spring",
            "domain": "a.example",
        }
    },
    {"callTrackingData": {"utm_source": "google"}, "getCallData": {"utm_medium": "cpc", "utm_source": "other"}},
    {"callTrackingData": [], "getCallData": {"domain": "a.example"}},
    {"callTrackingData": {"utm_term": "ключ"}},
    {"callTrackingData": "", "getCallData": None},
]
SUMMER, AUTUMN, SPRING = date(2024, 5, 1), date(2024, 10, 27), date(2024, 3, 31)
HOURS = [
    None,
    (time_of_day(9), time_of_day(18)),
    (time_of_day(20), time_of_day(3, 30)),
    (time_of_day(3), time_of_day(4)),
]


# --- Random times and their entries


def some_selection(rng):
    """A day, or several ones, or from one time of the day to another; most of them where the clocks change."""
    first = rng.choice((SUMMER, AUTUMN, SPRING)) - timedelta(days=rng.choice((0, 0, 0, 1, 2, 5)))
    last = first + timedelta(days=rng.choice((0, 0, 0, 0, 0, 1, 2, 7, 9)))
    start, stop = "00:00", "23:59:59"
    if rng.random() < 0.2:
        start, stop = rng.choice(("00:30", "02:15", "09:30")), rng.choice(("10:00", "17:59:59", "23:15"))
    filters = rng.choice([{}] * 6 + [{"direction": "incoming"}, {"direction": "outgoing"}, {"line": "901"}])
    if rng.random() < 0.1:
        filters = {"number": "0671111111"}
    return Selection(at(start, first), at(stop, last), **filters)


def some_moments(rng, first, last):
    """Moments near each other, many of them the same, some at edges: of the time, of hours, of what counts as soon."""
    hours = range(first - first % 1800 + 1800, last, 1800)
    pool = [first, last, *(rng.randint(first, last) for _ in range(rng.randint(1, 5)))]
    pool += [rng.choice(hours) - rng.choice((0, 1)) for _ in range(3) if hours]
    later = (0,) * 8 + (1, 20, 60, 90, 91, 899, 900, 901, 3600, 3601, 7200, 86399, 86400, 86401)
    return lambda: min(last, max(first, rng.choice(pool) + rng.choice(later)))


def some_employee(rng, line):
    return dict(EMPLOYEES.get(line, {})) if rng.random() < 0.5 else {}


def some_rung(rng):
    items = []
    for line in rng.sample([*EMPLOYEES, "906"], rng.choice((1, 1, 2, 3))):
        group = rng.choice(("", "", "801 > ", "802 > ", "801 > 803 > "))
        where = {"internalNumber": line} if rng.random() < 0.3 else {"dstNumber": group + line}
        items.append(where | {"disposition": rng.choice(STATES), "waitsec": 5} | some_employee(rng, line))
    return rng.choice(({"dstNumbers": items}, {"historyData": items}, {"historyData": dict(enumerate(items))}))


def some_entry(rng, moment):
    number, line = rng.choice(list(NUMBERS)), rng.choice(LINES)
    name = CUSTOMERS.get(key_of(number), "")
    entry = {
        "startTime": rng.choice((str, int))(moment),
        "callType": rng.choice(("0", "0", "0", 0, "1", "1", 1, "2", "")),
        "internalNumber": line,
        "externalNumber": number,
        "waitsec": rng.choice(WAITS),
        "billsec": rng.choice((0, 1, 10, "68", "3601")),
        "disposition": rng.choice(STATES),
        "isNewCall": rng.choice((0, 1, "0", "1", True, None, "", "yes")),
        "customerData": rng.choice(([], "", None, {"id": "7", "name": name}, [{"id": 7, "name": name}], {"id": ""})),
    }
    if rng.random() < 0.3:
        entry["customerDataFromOutside"] = {"name": name}
    if rng.random() < 0.1:
        del entry["isNewCall"]
    if rng.random() < 0.4:
        entry["internalAdditionalData"] = rng.choice(("801 > 901", "802 > ", "901", "804 > 901"))
    if rng.random() < 0.4:
        entry |= some_rung(rng)
    return entry | some_employee(rng, line) | rng.choice(OUR_NUMBERS) | rng.choice(SOURCES)


def some_legs(rng, moment):
    """Phone-to-phone: two entries, or what looks like it and is not (too far apart, another name)."""
    name = f"Звонок {rng.choice((1, 2))}"
    for second in (moment, moment + rng.choice((0, 5, 90, 91))):
        yield some_entry(rng, second) | {
            "callType": "1",
            "internalNumber": "",
            "disposition": rng.choice(LEGS_STATES),
            "customerData": {"name": name},
            "externalNumber": rng.choice([number for number in NUMBERS if number]),  # nobody can call a hidden one
            "dstNumbers": [],
            "historyData": [],
            "internalAdditionalData": "",
        }


def some_entries(rng, first, last):
    """In time order, as the scripts have them."""
    moment, entries = some_moments(rng, first, last), []
    for _ in range(rng.choice((0, 1, 5, 10, 20, 40))):
        entries += some_legs(rng, moment()) if rng.random() < 0.06 else [some_entry(rng, moment())]
    rng.shuffle(entries)
    entries = [entry | {"generalCallID": f"{1000 + index}"} for index, entry in enumerate(entries)]
    if rng.random() < 0.2:  # not one call tells who was rung
        entries = [{name: entry[name] for name in entry.keys() - {"dstNumbers", "historyData"}} for entry in entries]
    return sorted(
        (entry for entry in entries if int(entry["startTime"]) <= last),
        key=lambda entry: (int(entry["startTime"]), entry["generalCallID"]),
    )


def chosen(entries, selection):
    """What a report with these filters is given."""
    ways = {"incoming": {"0"}, "outgoing": {"1"}}.get(selection.direction)
    return [
        entry
        for entry in entries
        if (not ways or str(entry["callType"]) in ways)
        and (not selection.line or entry["internalNumber"] == selection.line)
        and (not selection.number or key_of(entry["externalNumber"]) == key_of(selection.number))
    ]


# --- The naive computation: of what the document says, in its order


def key_of(number):
    return re.sub("[^0-9]", "", number)[-9:]


def fields(value):
    """An object, for which the server sends a list or a text where it has none."""
    if isinstance(value, list):
        value = value[0] if value else {}
    return value if isinstance(value, dict) else {}


def employee_in(entry):
    data = fields(entry.get("employeeData"))
    return entry.get("employeeName") or data.get("name") or entry.get("employeeEmail") or data.get("email") or ""


def rung_in(entry):
    """(group, line, employee) of each item."""
    items = entry.get("dstNumbers") or entry.get("historyData") or []
    rung = []
    for item in items.values() if isinstance(items, dict) else items:
        numbers = [number.strip() for number in item.get("dstNumber", "").split(">")]
        rung.append(
            (numbers[0] if len(numbers) > 1 else "", numbers[-1] or item.get("internalNumber", ""), employee_in(item))
        )
    return rung


def read(entry):
    state = entry["disposition"].upper().replace(" ", "")
    way = {"0": "in", "1": "out"}.get(str(entry["callType"]), "")
    pbx, client, outside = (
        fields(entry.get(name)) for name in ("pbxNumberData", "customerData", "customerDataFromOutside")
    )
    tracking, asked = fields(entry.get("callTrackingData")), fields(entry.get("getCallData"))
    call = SimpleNamespace(
        id=entry["generalCallID"],
        second=int(entry["startTime"]),
        way=way,
        state=state,
        is_talk=state not in SMS_AND_FAX,
        answered=state in ("ANSWER", "TRANSFER"),
        lost=way == "in" and state in LOST,
        shown=NUMBERS[entry["externalNumber"]],
        keys={key_of(entry["externalNumber"])} - {""},
        wait=int(entry["waitsec"]),
        talk=int(entry["billsec"]),
        is_new=str(entry.get("isNewCall")) in ("1", "True"),
        line=entry["internalNumber"],
        employee=employee_in(entry),
        name=client.get("name") or outside.get("name") or "",
        is_client=bool(client.get("id") or client.get("name")),
        our_number=entry.get("didNumber") or pbx.get("number") or entry.get("did") or entry.get("trunkNumber") or "",
        our_name=entry.get("didName") or pbx.get("name") or "",
        came_through=[part.strip() for part in entry.get("internalAdditionalData", "").split(">")],
        rung=rung_in(entry),
        source=tuple(
            tracking.get(name) or asked.get(name) or ""
            for name in ("utm_source", "utm_medium", "utm_campaign", "domain")
        ),
    )
    if not call.rung and call.answered and call.way == "in" and call.line:
        call.rung = [("", call.line, call.employee)]
    return call


def joined(calls):
    """One call of each two legs."""
    calls, result = list(calls), []
    while calls:
        call = calls.pop(0)
        if is_leg(call):
            other = next((one for one in calls if is_leg(one) and one.name == call.name), None)
            if other and other.second - call.second <= 90:
                calls.remove(other)
                call = SimpleNamespace(
                    **vars(other) | {"id": call.id, "second": call.second, "keys": call.keys | other.keys}
                )
        result.append(call)
    return result


def is_leg(call):
    return call.way == "out" and not call.line and re.fullmatch("Звонок [0-9]+", call.name)


def one_decimal(number):
    """Halves away from zero."""
    sign = -1 if number < 0 else 1
    tenths = (Decimal(abs(number).numerator * 10) / abs(number).denominator).quantize(Decimal(1), ROUND_HALF_UP)
    return float(sign * tenths / 10)


def divided(part, whole):
    return one_decimal(Fraction(part, whole)) if whole else None


def percent(part, whole):
    return divided(100 * part, whole)


def median(numbers):
    if not numbers:
        return None
    numbers, half = sorted(numbers), len(numbers) // 2
    return one_decimal(Fraction(numbers[half] + numbers[-half - 1], 2))


def clock(second):
    return datetime.fromtimestamp(second, KYIV)


def incoming(calls):
    return [call for call in calls if call.way == "in" and call.is_talk]


def outgoing(calls):
    return [call for call in calls if call.way == "out" and call.is_talk]


def answered(calls):
    return [call for call in calls if call.answered]


def lost(calls):
    return [call for call in calls if call.lost]


def talked(calls):
    """All answered ones, both ways."""
    return answered(incoming(calls) + outgoing(calls))


def keys(calls):
    return set().union(*(call.keys for call in calls))


def talk_seconds(calls):
    return sum(call.talk for call in talked(calls))


def waits(calls):
    seconds = [call.wait for call in calls]
    return {
        "average": divided(sum(seconds), len(seconds)),
        "median": median(seconds),
        "longest": max(seconds, default=None),
    }


def counts(calls):
    ins, outs = incoming(calls), outgoing(calls)
    return {
        "incoming": len(ins),
        "answered": len(answered(ins)),
        "lost": len(lost(ins)),
        "other": len([call for call in ins if not call.answered and not call.lost]),
        "outgoing": len(outs),
        "outgoing_answered": len(answered(outs)),
        "talk_seconds": talk_seconds(calls),
    }


def place(calls, soon):
    """The counts of by_our_number."""
    ins = incoming(calls)
    ups, downs = answered(ins), lost(ins)
    in_time = [call for call in ups if call.wait <= soon]
    return {
        "incoming": len(ins),
        "answered": len(ups),
        "lost": len(downs),
        "other": len(ins) - len(ups) - len(downs),
        "answered_percent": percent(len(ups), len(ups) + len(downs)),
        "new_callers": len(keys(call for call in ins if call.is_new)),
        "service_level_percent": percent(len(in_time), len(ups) + len([call for call in downs if call.wait > 5])),
    }


def is_outside(hours, second):
    """Outside of working hours: minute by minute, so that hours over midnight are no other case."""
    now, (first, last) = clock(second), hours
    minute, minutes = first.hour * 60 + first.minute, set()
    while minute % 1440 != last.hour * 60 + last.minute:
        minutes.add(minute % 1440)
        minute += 1
    return now.hour * 60 + now.minute not in minutes


def calls_of(calls, hours, soon):
    ins, outs = incoming(calls), outgoing(calls)
    return {
        "incoming": len(ins),
        "answered": len(answered(ins)),
        "lost": len(lost(ins)),
        "other": len([call for call in ins if not call.answered and not call.lost]),
        "answered_percent": percent(len(answered(ins)), len(answered(ins)) + len(lost(ins))),
        "lost_at_once": len([call for call in lost(ins) if call.wait <= 5]),
        "service_level_percent": place(calls, soon)["service_level_percent"],
        "lost_outside_hours": len([call for call in lost(ins) if is_outside(hours, call.second)]) if hours else None,
        "wait_answered_seconds": waits(answered(ins)),
        "wait_lost_seconds": waits(lost(ins)),
        "talk_seconds": talk_seconds(calls),
        "average_talk_seconds": divided(talk_seconds(calls), len(talked(calls))),
        "outgoing": len(outs),
        "outgoing_answered": len(answered(outs)),
        "outgoing_answered_percent": percent(len(answered(outs)), len(outs)),
        "hidden": len([call for call in ins if not call.keys]),
    }


def spells_of(calls):
    """Caller by caller: the lost calls of each, the call that ended it or None, and its state."""
    spells = []
    for key in keys(lost(calls)):
        theirs = [call for call in incoming(calls) + outgoing(calls) if key in call.keys]
        left = lost(theirs)
        while left:
            later = [call for call in answered(theirs) if call.second > left[0].second]
            ender = min(later, key=lambda call: (call.second, call.id), default=None)
            of_it = [call for call in left if not ender or call.second < ender.second]
            left = left[len(of_it) :]
            if ender:
                state = "called_back" if ender.way == "out" else "got_through"
            else:
                tries = [call for call in outgoing(theirs) if call.second > of_it[-1].second]
                state = "tried" if tries else "nobody"
            spells.append(SimpleNamespace(lost=of_it, ender=ender, state=state))
    return spells


def spell_figures(spells, now):
    states = [spell.state for spell in spells]
    after = [spell.ender.second - spell.lost[0].second for spell in spells if spell.state == "called_back"]
    day = 24 * 3600
    not_within = [spell for spell in spells if not spell.ender or spell.ender.second - spell.lost[0].second > day]
    return {
        "total": len(spells),
        **{state: states.count(state) for state in ("called_back", "got_through", "tried", "nobody")},
        "called_back_within_15_min": len([seconds for seconds in after if seconds <= 15 * 60]),
        "called_back_within_1_h": len([seconds for seconds in after if seconds <= 3600]),
        "called_back_within_24_h": len([seconds for seconds in after if seconds <= day]),
        "median_callback_seconds": median(after),
        "open_after_24_h": len([spell for spell in not_within if spell.lost[0].second + day <= now]),
    }


def to_call(calls, spells, who_of):
    rows = []
    for spell in spells:
        if spell.state in ("tried", "nobody"):
            first, last = spell.lost[0], spell.lost[-1]
            # A later attempt, and a call that is going on, tell who the caller is, too.
            later = [call for call in calls if call.way and call.keys & first.keys and call.second > first.second]
            about = [call for call in [*spell.lost, *later] if not is_leg(call)]
            rung = [who_of(line, employee) for call in spell.lost for _, line, employee in call.rung]
            row = {
                "number": last.shown,
                "name": next((call.name for call in about if call.name), ""),
                "is_client": any(call.is_client for call in about),
                "state": spell.state,
                "lost": len(spell.lost),
                "first": clock(first.second).isoformat(),
                "last": clock(last.second).isoformat(),
                "our_number": last.our_number,
                "our_number_name": last.our_name,
                "rung": list(dict.fromkeys(rung)),
                "has_message": any(call.state == "VM-SUCCESS" for call in spell.lost),
            }
            rows.append((not row["has_message"], not row["is_client"], -row["lost"], first.second, first.id, row))
    return [row for *_, row in sorted(rows, key=lambda row: row[:-1])]


def hours_of(first, last):
    """Each day's hours that the time had: one that the clock repeats once, one that it skips not at all."""
    return {(clock(second).date(), clock(second).hour) for second in [*range(first, last, 1800), last]}


def by_employee(calls, spells, who_of):
    named = defaultdict(list)
    for call in incoming(calls) + outgoing(calls):
        named[who_of(call.line, call.employee)].append(call)
    lost_ones = lost(incoming(calls))
    rung_of = [{who_of(line, employee) for _, line, employee in call.rung} for call in lost_ones]
    is_known = not lost_ones or any(rung_of)
    rows = []
    for name in set(named).union(*rung_of):
        ups, outs = answered(incoming(named[name])), outgoing(named[name])
        rung = len([names for names in rung_of if name in names])
        if not (ups or outs or rung):
            continue
        talks = len(ups) + len(answered(outs))
        back = [one for one in spells or () if one.state == "called_back" and one.ender in outs]
        rows.append(
            {
                "name": name,
                "is_line": name in LINES,
                "answered": len(ups),
                "rung_in_lost": rung if is_known else None,
                "picked_up_percent": percent(len(ups), len(ups) + rung) if is_known else None,
                "outgoing": len(outs),
                "outgoing_answered": len(answered(outs)),
                "talk_seconds": talk_seconds(ups + outs),
                "average_talk_seconds": divided(talk_seconds(ups + outs), talks),
                "callbacks": None if spells is None else len(back),
            }
        )
    return rows


def group_of(call, named):
    """One call is in one group: the first that is told."""
    told = [call.came_through[0]] if len(call.came_through) > 1 else []
    told += [group for group, *_ in call.rung if group]
    told += [call.line] if call.lost and call.line in named else []
    return told[:1]


def grouped(calls, names_of):
    groups = defaultdict(list)
    for call in calls:
        for name in names_of(call):
            groups[name].append(call)
    return groups


def naive_summary(entries, selection, as_of, hours, soon):
    everything = [read(entry) for entry in entries]
    calls = [call for call in joined(everything) if call.is_talk]
    ins, first, last = incoming(calls), int(selection.start.timestamp()), int(selection.stop.timestamp())
    until = int(as_of.timestamp()) if as_of else last
    names = {}
    for call in everything:
        names |= {line: employee for _, line, employee in call.rung if line and employee}
        names |= {call.line: call.employee} if call.line and call.employee else {}

    def who_of(line, employee):
        return employee or names.get(line) or line

    # A report of one line or one direction cannot know.
    spells = None if selection.line or selection.direction != "both" else spells_of(calls)
    named_groups = {call.came_through[0] for call in everything if len(call.came_through) > 1}
    named_groups |= {group for call in everything for group, *_ in call.rung if group}
    our_names = {call.our_number: call.our_name for call in sorted(ins, key=lambda call: call.our_name)}
    first_day, last_day = selection.start.date(), selection.stop.date()
    had = [(day.isoweekday(), hour) for day, hour in hours_of(first, until)]
    result = {
        "version": 1,
        "start": selection.start.isoformat(),
        "stop": selection.stop.isoformat(),
        "as_of": as_of and as_of.isoformat(),
        "calls": calls_of(calls, hours, soon),
        "callers": {
            "callers": len(keys(ins)),
            "new_callers": len(keys(call for call in ins if call.is_new)),
            "lost_callers": len(keys(lost(ins))),
        },
        "spells": None if spells is None else spell_figures(spells, until),
        "to_call": None if spells is None else to_call(calls, spells, who_of),
        "by_hour": [
            {"hour": hour, **counts([call for call in calls if clock(call.second).hour == hour])} for hour in range(24)
        ],
        "by_day": [
            {"day": day.isoformat(), **counts([call for call in calls if clock(call.second).date() == day])}
            for day in (first_day + timedelta(days=days) for days in range((last_day - first_day).days + 1))
        ],
        "by_weekday_and_hour": None
        if first_day == last_day
        else [
            {
                "weekday": weekday,
                "hour": hour,
                "times": had.count((weekday, hour)),
                **counts(
                    [
                        call
                        for call in calls
                        if (clock(call.second).isoweekday(), clock(call.second).hour) == (weekday, hour)
                    ]
                ),
            }
            for weekday in range(1, 8)
            for hour in range(24)
        ],
        "by_our_number": [
            {"number": number, "name": our_names[number], **place(theirs, soon)}
            for number, theirs in grouped(ins, lambda call: [call.our_number]).items()
        ],
        "by_source": [
            dict(zip(("utm_source", "utm_medium", "utm_campaign", "domain"), source, strict=True)) | place(theirs, soon)
            for source, theirs in grouped(ins, lambda call: [call.source] if any(call.source) else []).items()
        ],
        "by_employee": by_employee(calls, spells, who_of),
        "by_group": [
            {"group": group, **place(theirs, soon)}
            for group, theirs in grouped(ins, lambda call: group_of(call, named_groups)).items()
        ],
        "compared": None,
    }
    return without_what_nobody_knows(result, selection.direction)


OF_INCOMING = (
    "incoming answered lost other answered_percent lost_at_once service_level_percent lost_outside_hours hidden callers"
    " new_callers lost_callers rung_in_lost picked_up_percent"
).split()
OF_OUTGOING = "outgoing outgoing_answered outgoing_answered_percent".split()


def without_what_nobody_knows(result, direction):
    """With null for the calls of a direction that was not asked for."""
    unknown = {"incoming": OF_OUTGOING, "outgoing": OF_INCOMING}.get(direction, ())
    for part in result.values():
        for row in part if isinstance(part, list) else [part]:
            if isinstance(row, dict):
                row.update((name, None) for name in unknown if name in row)
    return result


# --- Both are the same

UNORDERED = ("by_our_number", "by_source", "by_employee", "by_group")  # the document says nothing of their order


def urgency(row):
    return row["has_message"], row["is_client"], row["lost"], row["first"]


def comparable(result):
    tables = {name: sorted(result[name], key=repr) for name in UNORDERED}
    # Nor of the order of those who are equally urgent.
    tables["to_call"] = [sorted(rows, key=repr) for _, rows in groupby(result["to_call"] or (), key=urgency)]
    return result | tables | {"is_known_whom_to_call": result["to_call"] is not None}


def both(entries, selection, as_of, hours, soon):
    """The summary, and what it should be."""
    report = Report.of(selection, Calls(entries, KYIV), as_of, working_hours=hours, service_level_seconds=soon)
    return comparable(summary(report)), comparable(naive_summary(entries, selection, as_of, hours, soon))


def fewest(entries, differs):
    """Of entries that make a difference, those without which it would be none."""
    for entry in list(entries):
        fewer = [one for one in entries if one is not entry]
        if differs(fewer):
            entries = fewer
    return entries


@pytest.mark.parametrize("seed", range(14))
def test_every_figure_is_counted_as_is_defined(seed):
    rng = random.Random(seed)
    for _ in range(100):
        selection = some_selection(rng)
        first, last = int(selection.start.timestamp()), int(selection.stop.timestamp())
        today = max(first, int(at("00:00", selection.stop.date()).timestamp()))
        as_of = clock(rng.randint(today, last)) if rng.random() < 0.3 else None
        entries = chosen(some_entries(rng, first, int(as_of.timestamp()) if as_of else last), selection)
        how = selection, as_of, rng.choice(HOURS), rng.choice((20, 20, 5, 0))
        found, expected = both(entries, *how)
        if found != expected:
            entries = fewest(entries, lambda some, how=how: len(set(map(repr, both(some, *how)))) > 1)
            found, expected = both(entries, *how)
            assert found == expected, entries


# --- Compared with the time before

COMPARED_COUNTS = "incoming answered lost outgoing outgoing_answered talk_seconds".split()
COMPARED_PERCENTS = "answered_percent service_level_percent".split()


def seconds_of(first, last, until="23:59:59"):
    return int(at("00:00", first).timestamp()), int(at(until, last).timestamp())


def within(entries, stretch):
    return [entry for entry in entries if stretch[0] <= int(entry["startTime"]) <= stretch[1]]


def figures(entries, stretch):
    """What is compared."""
    selection = Selection(clock(stretch[0]), clock(stretch[1]))
    of_all = naive_summary(within(entries, stretch), selection, None, None, 20)
    return {name: of_all["calls"][name] for name in COMPARED_COUNTS + COMPARED_PERCENTS} | {
        "to_call": len(of_all["to_call"])
    }


def average_of_four(entries, stretches):
    """Of counts; a percentage is that of all their calls."""
    four = [figures(entries, stretch) for stretch in stretches]
    calls = [read(entry) for stretch in stretches for entry in within(entries, stretch)]
    percents = calls_of(calls, None, 20)
    return {name: divided(sum(each[name] for each in four), 4) for name in (*COMPARED_COUNTS, "to_call")} | {
        name: percents[name] for name in COMPARED_PERCENTS
    }


def change(now, before):
    def tenths(number):
        return Fraction(str(number))

    return {
        name: None if None in (now[name], before[name]) else one_decimal(tenths(now[name]) - tenths(before[name]))
        for name in now
    }


def naive_compared(entries, held, selection, as_of):
    """`held`: every second that the archive holds is in one of these stretches, which do not touch."""
    first, last, until = selection.start.date(), selection.stop.date(), "23:59:59"
    is_whole = (f"{selection.start:%T}", f"{selection.stop:%T}") == ("00:00:00", until)
    if selection.line or selection.number or selection.direction != "both" or not is_whole:
        return None
    if as_of and first != last:
        return None  # no whole days
    next_day = last + timedelta(days=1)
    if first == last:
        kind, until = "week_before", f"{as_of or selection.stop:%T}"
        before = [(first - timedelta(days=7 * weeks),) * 2 for weeks in (1, 2, 3, 4)]
    elif first.day == next_day.day == 1 and (next_day - first).days <= 31:
        last_month = first - timedelta(days=1)
        kind, before = "month_before", [(last_month.replace(day=1), last_month)]
    else:
        days = (next_day - first).days
        kind, before = "days_before", [(first - timedelta(days=days), first - timedelta(days=1))]
    before = [seconds_of(*days, until) for days in before]
    is_held = [any(one <= start and stop <= other for one, other in held) for start, stop in before]
    if not is_held[0]:
        return None
    now = figures(entries, (int(selection.start.timestamp()), int((as_of or selection.stop).timestamp())))
    average = average_of_four(entries, before) if kind == "week_before" and all(is_held) else None
    return {
        "with": kind,
        "start": clock(before[0][0]).isoformat(),
        "stop": clock(before[0][1]).isoformat(),
        "before": figures(entries, before[0]),
        "change": change(now, figures(entries, before[0])),
        "average_of_four": average,
        "change_from_average": average and change(now, average),
    }


FIRST = date(2024, 2, 20)
ARCHIVED = [FIRST + timedelta(days=days) for days in range(80)]
SOME_DAYS = [*ARCHIVED[28:], *ARCHIVED[35:50]]
FILTERS = [{}] * 12 + [{"line": "901"}, {"number": "0671111111"}, {"direction": "incoming"}]


def some_archive(rng, share, tmp_path):
    """Of many days, some of which are held in part or not at all; with all entries, and the stretches that are held.

    share: of the days that are held whole
    """
    archive, entries, held = Archive(f"sqlite:///{tmp_path}/a.db", "key", KYIV), [], []
    for index, day in enumerate(ARCHIVED):
        stretch = first, last = seconds_of(day, day)
        # The archive keeps what is no call of either way as one of some way; the server sends none.
        known = [entry for entry in some_entries(rng, first, last) if str(entry["callType"]) in ("0", "1")][:15]
        known = [entry | {"generalCallID": f"{index}{entry['generalCallID']}"} for entry in known]
        entries += known
        if rng.random() > share:
            last = first + 12 * 3600
            stretch = rng.choice(((first, last), None))
        if not stretch:
            continue
        archive.keep(within(known, stretch), Wanted(*stretch), time.time())
        if held and held[-1][1] + 1 == first:
            held[-1] = held[-1][0], last
        else:
            held.append((first, last))
    return archive, entries, held


def some_time(rng):
    """A day, perhaps until a time of it; a month; some days; or no whole days."""
    first = rng.choice(SOME_DAYS)
    kind = rng.choice(("day", "day", "part", "part", "days", "days", "month", "month", "no whole days"))
    until = "17:00" if kind == "no whole days" else "23:59:59"
    last = first + timedelta(days=rng.choice((1, 6, 6, 8))) if kind in ("days", "no whole days") else first
    if kind == "month":
        first, last = rng.choice(
            (
                (date(2024, 4, 1), date(2024, 4, 30)),
                (date(2024, 4, 1), date(2024, 4, 30)),
                (date(2024, 4, 1), date(2024, 4, 29)),
                (date(2024, 3, 2), first),
            )
        )
        last = max(first, last)
    as_of = None
    if kind == "part" or rng.random() < 0.1:
        as_of = at(f"{rng.choice((0, 1, 9, 11, 12, 15, 23))}:{rng.choice(('00', '30', '59:58'))}", last)
    return Selection(at("00:00", first), at(until, last), **rng.choice(FILTERS)), as_of


@pytest.mark.parametrize("seed", range(5))
def test_a_time_is_compared_with_the_one_before_where_the_archive_holds_that_whole(seed, tmp_path):
    rng = random.Random(seed)
    archive, entries, held = some_archive(rng, (1, 0.95, 0.85)[seed % 3], tmp_path)
    for _ in range(25):
        selection, as_of = some_time(rng)
        end = min(as_of or selection.stop, selection.stop)
        asked = chosen(within(entries, (selection.start.timestamp(), end.timestamp())), selection)
        report = Report.of(selection, Calls(asked, KYIV), as_of, service_level_seconds=20)
        found = summary(compared(report, archive))["compared"]
        assert found == naive_compared(entries, held, selection, as_of)
