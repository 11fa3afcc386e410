"""The views count as is defined: held against a second, naive computation for random days."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
import sqlalchemy

from common.calls.archive import Archive, Wanted
from common.calls.call import Call, Calls
from common.calls.views import VIEWS, make_views
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.summary import summary
from common.state.database import database_engine
from helpers import KYIV, at, entry
from reports.test_how_we_count import EMPLOYEES as LINES_NAMES
from reports.test_how_we_count import some_entries

DAYS = [date(2024, 5, 1), date(2024, 5, 2)]
NUMBERS = ["0671111111", "380671111111", "0672222222", "+380673333333", "", "anonymous"]
RESULTS = "ANSWER TRANSFER NOANSWER NOANSWER BUSY CANCEL VM VM-SUCCESS ONLINE UNHEARD-OF SMS-SUCCESS SUCCESS".split()
LOST = {"NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL", "VM", "VM-SUCCESS"}
SOURCES = [{"utm_source": "google", "utm_medium": "cpc", "domain": "shop.example.com"}, {"utm_source": "facebook"}, {}]
EMPLOYEES = {"901": "Олена", "902": "Андрій", "903": ""}


def made_up(rng):
    """Entries of two days, in which much happens at the same second."""
    entries = []
    for index in range(rng.randrange(5, 60)):
        moment = at("10:00", rng.choice(DAYS)) + timedelta(seconds=rng.randrange(0, 200) * rng.choice((1, 60)))
        line = rng.choice([*EMPLOYEES, "800"])
        way = rng.choice("001")
        entries.append(
            entry(moment, rng.choice(RESULTS), rng.choice(NUMBERS))
            | {
                "generalCallID": f"{index:03}",
                "callType": way,
                "internalNumber": line,
                "employeeName": EMPLOYEES.get(line, "") if rng.random() < 0.7 else "",
                "employeeEmail": "",
                "waitsec": rng.choice((0, 5, 6, 20, 21, 90)),
                "billsec": rng.randrange(100),
                "isNewCall": rng.choice("01"),
                "didNumber": rng.choice(("0443334001", "0443334002")),
                "didName": "",
                "callTrackingData": rng.choice(SOURCES),
                "dstNumbers": [
                    {"dstNumber": f"800 > {rung}", "employeeName": EMPLOYEES[rung]}
                    for rung in rng.sample(list(EMPLOYEES), rng.randrange(3))
                ]
                if way == "0"
                else "",
            }
        )
    return entries


def percent(part, whole):
    if not whole:
        return None
    return float((Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP))


def result_of(call):
    if call.disposition in ("ANSWER", "TRANSFER"):
        return "answered"
    return "lost" if call.call_type == "0" and call.disposition in LOST else "other"


def counts(calls):
    incoming = [call for call in calls if call.call_type == "0"]
    results = [result_of(call) for call in incoming]
    answered, lost = results.count("answered"), results.count("lost")
    return (len(incoming), answered, lost, results.count("other"), percent(answered, answered + lost))


def outgoing(calls):
    out = [call for call in calls if call.call_type == "1"]
    talk = sum(call.talk_seconds for call in calls if result_of(call) == "answered")
    return (len(out), [result_of(call) for call in out].count("answered"), talk)


def callers(calls):
    new = {call.number_key for call in calls if call.is_new and call.number_key}
    soon = [call for call in calls if result_of(call) == "answered" and call.wait_seconds <= 20]
    due = [
        call for call in calls if result_of(call) == "answered" or (result_of(call) == "lost" and call.wait_seconds > 5)
    ]
    return (len(new), percent(len(soon), len(due)))


def grouped(calls, key):
    groups = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    return groups


def spells_of(calls):
    """(key, times, first, last, state, seconds until ended, the call that ended it) of each, caller by caller."""
    spells = []
    for key, theirs in grouped([call for call in calls if call.number_key], lambda call: call.number_key).items():
        theirs.sort(key=lambda call: call.unix_start)
        lost = [call for call in theirs if result_of(call) == "lost"]
        while lost:
            first = lost[0].unix_start
            enders = [call for call in theirs if result_of(call) == "answered" and call.unix_start > first]
            end = enders[0].unix_start if enders else float("inf")
            of_spell = [call for call in lost if call.unix_start < end]
            lost = lost[len(of_spell) :]
            last = of_spell[-1].unix_start
            if enders:
                at_end = [call for call in enders if call.unix_start == end]
                came_in = [call for call in at_end if call.call_type == "0"]
                state = "got_through" if came_in else "called_back"
            else:
                at_end = []
                tried = any(call.call_type == "1" and call.unix_start > last for call in theirs)
                state = "tried" if tried else "nobody"
            spells.append((key, len(of_spell), first, last, state, end - first if enders else None, at_end))
    return spells


@pytest.fixture
def ask(any_database_url):
    def ask(view, *columns):
        with database_engine(any_database_url).connect() as connection:
            rows = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {view}").all()
        return sorted(
            (tuple(float(value) if isinstance(value, Decimal) else value for value in row) for row in rows), key=repr
        )

    return ask


@pytest.fixture
def archive(any_database_url):
    return Archive(any_database_url, "key", KYIV)


COUNTS = ("incoming", "answered", "lost", "other", "answered_percent")
OUTGOING = ("outgoing", "outgoing_answered", "talk_seconds")
CALLERS = ("new_callers", "service_level_percent")


@pytest.mark.parametrize("seed", range(8))
def test_views_count_as_is_defined(seed, archive, ask):
    entries = made_up(random.Random(seed))
    archive.keep(entries, Wanted(0, 2_000_000_000), 2e9)
    everything = [Call.from_entry(one, KYIV) for one in entries]
    names = {call.line: call.employee for call in sorted(everything, key=lambda call: call.employee) if call.employee}
    calls = [call for call in everything if call.disposition not in ("SMS-SUCCESS", "SUCCESS")]
    incoming = [call for call in calls if call.call_type == "0"]

    def sorted_rows(rows):
        return sorted(rows, key=repr)

    assert ask("by_day", "day", *COUNTS, *OUTGOING) == sorted_rows(
        (key, *counts(group), *outgoing(group))
        for key, group in grouped(calls, lambda call: f"{call.start:%Y-%m-%d}").items()
    )
    assert ask("by_hour", "day", "hour", *COUNTS, *OUTGOING) == sorted_rows(
        (*key, *counts(group), *outgoing(group))
        for key, group in grouped(calls, lambda call: (f"{call.start:%Y-%m-%d}", f"{call.start:%H}")).items()
    )
    assert ask("by_our_number", "our_number", *COUNTS, *CALLERS) == sorted_rows(
        (key, *counts(group), *callers(group)) for key, group in grouped(incoming, lambda call: call.our_number).items()
    )
    assert ask("by_source", "utm_source", "utm_medium", "utm_campaign", "domain", *COUNTS, *CALLERS) == sorted_rows(
        (*key, *counts(group), *callers(group))
        for key, group in grouped(
            [call for call in incoming if call.source],
            lambda call: (call.source.utm_source, call.source.utm_medium, "", call.source.domain),
        ).items()
    )
    spells = spells_of(calls)
    assert ask("lost_spells", "number_key", "times", "first", "last", "state", "seconds_until_ended") == sorted_rows(
        (key, times, int(first), int(last), state, after and int(after))
        for key, times, first, last, state, after, _ in spells
    )

    def who(call):
        return call.employee or names.get(call.line, "") or call.line or "no line"

    people = {who(call) for call in calls if call.call_type == "1" or result_of(call) == "answered"}
    rung = defaultdict(int)
    for call in incoming:
        if result_of(call) == "lost":
            for name in {one.employee or names.get(one.line, "") or one.line for one in call.rung}:
                rung[name] += 1
    callbacks = defaultdict(int)
    for *_, state, _, enders in spells:
        if state == "called_back":
            callbacks[max(call.employee or names.get(call.line, "") or call.line for call in enders)] += 1
    expected = []
    is_told = bool(rung) or not any(result_of(call) == "lost" for call in incoming)
    for name in people | set(rung) | set(callbacks):
        theirs = [
            call for call in calls if who(call) == name and (call.call_type == "1" or result_of(call) == "answered")
        ]
        answered = counts(theirs)[1]
        out = outgoing(theirs)
        talks = answered + out[1]
        average = float((Decimal(out[2]) / talks).quantize(Decimal("0.1"), ROUND_HALF_UP)) if talks else None
        missed = (rung[name], percent(answered, answered + rung[name])) if is_told else (None, None)
        expected.append((name, answered, *missed, *out, average, callbacks[name]))
    columns = ("name", "answered", "rung_in_lost", "picked_up_percent", *OUTGOING, "average_talk_seconds", "callbacks")
    assert ask("by_employee", *columns) == sorted_rows(expected)


def named_everywhere(entries):
    """Entries with the name of each line's employee, for a view knows it from no other call's list of who was rung;
    without the legs of phone-to-phone, of which there are more than two here."""
    for one in entries:
        if "Звонок" in str(one["customerData"]):
            continue
        more = dict(LINES_NAMES.get(one["internalNumber"], {}))
        for name in one.keys() & {"dstNumbers", "historyData"}:
            items = one[name].values() if isinstance(one[name], dict) else one[name]
            more[name] = [item | LINES_NAMES.get(line_of(item), {}) for item in items]
        yield one | more


def line_of(item):
    return item.get("internalNumber") or item["dstNumber"].rpartition("> ")[2]


@pytest.mark.parametrize("seed", range(30))
def test_views_tell_what_a_report_tells(seed, archive, ask):
    rng = random.Random(seed)
    first, last = (int(at(time, DAYS[0]).timestamp()) for time in ("00:00", "23:59:59"))
    entries = list(named_everywhere(some_entries(rng, first, last)))
    archive.keep(entries, Wanted(first, last), 2e9)
    made = Report.of(Selection.of_day(DAYS[0], KYIV), Calls(entries, KYIV))
    told = summary(made)

    def rows(name, *keys):
        return sorted((tuple(row[key] for key in keys) for row in told[name]), key=repr)

    total = tuple(told["calls"][name] for name in (*COUNTS, *OUTGOING))
    assert ask("by_day", *COUNTS, *OUTGOING) == ([total] if any(total[:4]) or total[5] else [])
    hours = [row for row in rows("by_hour", "hour", *COUNTS[:4], *OUTGOING) if row[1] or row[5]]
    assert ask("by_hour", "CAST(hour AS INTEGER)", *COUNTS[:4], *OUTGOING) == sorted(hours, key=repr)
    assert ask("by_our_number", "our_number", "name", *COUNTS, *CALLERS) == rows(
        "by_our_number", "number", "name", *COUNTS, *CALLERS
    )
    sources = ("utm_source", "utm_medium", "utm_campaign", "domain")
    assert ask("by_source", *sources, *COUNTS, *CALLERS) == rows("by_source", *sources, *COUNTS, *CALLERS)
    columns = ("answered", "rung_in_lost", "picked_up_percent", *OUTGOING, "average_talk_seconds", "callbacks")
    people = [(name or "no line", *row) for name, *row in rows("by_employee", "name", *columns)]
    assert ask("by_employee", "name", *columns) == sorted(people, key=repr)
    spells = [
        (
            *(spell.key, spell.state, spell.times, int(spell.first.timestamp()), int(spell.last.timestamp())),
            *(spell.has_message, int(spell.ended.timestamp()) if spell.ended else None),
            made.who(spell.ended_by) if spell.ended else None,
        )
        for of_caller in made.spells.values()
        for spell in of_caller
    ]
    spell_columns = ("number_key", "state", "times", "first", "last", "has_message", "ended", "ended_by")
    assert ask("lost_spells", *spell_columns) == sorted(spells, key=repr)


def test_two_legs_are_one_call_that_both_were_in(archive, ask):
    legs = {"callType": "1", "internalNumber": "", "employeeName": "", "employeeEmail": ""}
    legs["customerData"] = {"id": "", "name": "Звонок 0321879"}
    entries = [
        entry("09:00", "NOANSWER", number="0501111111"),
        entry("09:01", "NOANSWER", number="0502222222"),
        entry("10:00", number="0501111111", billsec=10, **legs),
        entry("10:01:30", "ANSWER", number="0502222222", billsec=68, **legs),
        entry("10:05", number="0503333333", **legs),  # too late to be one of them
    ]
    archive.keep(entries, Wanted(0, 2_000_000_000), 2e9)
    assert ask("by_day", "outgoing", "outgoing_answered", "talk_seconds") == [(2, 2, 136)]
    assert ask("lost_spells", "number_key", "state") == [("501111111", "called_back"), ("502222222", "called_back")]
    assert ask("call_list", "first_number", "number") == [
        *(("", "+380501111111"), ("", "+380502222222"), ("", "+380503333333"), ("+380501111111", "+380502222222"))
    ]


def test_the_views_are_made_anew_in_a_database_that_has_them(any_database_url, archive):
    archive.keep([], Wanted(0, 1), 2e9)
    with database_engine(any_database_url).begin() as connection:
        make_views(connection)
        for name in VIEWS:
            assert connection.execute(sqlalchemy.text(f"SELECT count(*) FROM {name}")).scalar_one() == 0
