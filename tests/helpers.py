"""A clock for tests; calls and reports made by hand, in few words."""

import time
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from binotel_core import SqliteLedger, sign
from common.calls.call import Call, in_time_order
from common.reports.figures import Compared, Report
from common.reports.selection import Selection
from common.sandbox.answers import SECRET
from common.state.ledger import ServerLedger
from common.state.urls import file_of, is_server

KYIV = ZoneInfo("Europe/Kyiv")
DAY = date(2024, 5, 1)


class Clock:
    """A clock and the sleep that goes with it: sleeping takes no time, and moves the clock."""

    def __init__(self, now: float = 1_714_560_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def ledger(database_url, clock=None):
    """The quota's ledger in a database of either kind."""
    if is_server(database_url):
        return ServerLedger(database_url, clock)
    return SqliteLedger(file_of(database_url), clock or time.time)


def at(time, day=DAY, fold=0):
    """A moment of a day by Kyiv's clock: at("09:30") or at("09:30:15")."""
    moment = datetime.strptime(time, "%H:%M:%S" if time.count(":") == 2 else "%H:%M").time()
    return datetime.combine(day, moment, KYIV).replace(fold=fold)


def entry(time="10:00", disposition="ANSWER", number="0671234567", **more):
    """A callDetails entry as the server sends it."""
    start = at(time) if isinstance(time, str) else time
    return {
        "generalCallID": f"{start:%H%M%S}",
        "startTime": str(int(start.timestamp())),
        "callType": "0",
        "internalNumber": "902",
        "externalNumber": number,
        "customerData": [],
        "employeeName": "Олена",
        "employeeEmail": "olena@example.com",
        "waitsec": 4,
        "billsec": "68",
        "disposition": disposition,
        "didNumber": "0443334001",
        "didName": "Головна",
    } | more


def call(*arguments, **more):
    return Call.from_entry(entry(*arguments, **more), KYIV)


def period(*calls, first=DAY, last=date(2024, 5, 8), as_of=None, **filters):
    """A report of several days; see Selection for the filters."""
    selection = Selection(at("00:00", first), at("23:59:59", last), **filters)
    return Report.of(selection, sorted(calls, key=in_time_order), as_of)


def report(*calls, as_of=None, day=DAY):
    return Report.of(Selection.of_day(day, KYIV), sorted(calls, key=in_time_order), as_of)


def with_comparison(made, kind="week", first=date(2024, 4, 24), last=None, **change):
    """The report, compared with other days: `change` says by how much the figures differ."""
    start, stop = at("00:00", first), at("23:59:59", last or first)
    return replace(made, compared=Compared(kind, start, stop, {}, {"answered_percent": None} | change, None, None))


def conversations(entries):
    """Entries of the sandbox, but those of the second leg of phone-to-phone: a report has one row for both."""
    legs = set()
    for one in entries:
        if not one["internalNumber"]:
            name = one["customerData"]["name"]
            if name in legs:
                continue
            legs.add(name)
        yield one


def answer_with(sandbox, key, more):
    """Have the sandbox's answers that hold `key` hold these entries, too: a dict by id."""
    answer = sandbox.answer

    def odd(*request):
        content = answer(*request)
        if content.get(key) is not None:
            content = {name: value for name, value in content.items() if name != "signature"}
            content[key] = content[key] | more
            content["signature"] = sign(content, SECRET)
        return content

    sandbox.answer = odd


class Links(HTMLParser):
    """What a page of HTML links to, and the tags that it has."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.tags = set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "a":
            self.found.append(dict(attributes)["href"])
