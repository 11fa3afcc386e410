"""What the archive lacks is asked for once: after any interruption nothing is lost, nothing doubled."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from binotel_core import DAY_METHOD, METHODS
from common.calls.archive import Archive, Wanted
from common.calls.collect import collect
from common.calls.period import INCOMING, OUTGOING, IncompleteError
from helpers import KYIV
from simulation import NEW_YEAR, Server, limits, made_up_moments

INCOMING_METHOD = "stats/incoming-calls-for-period"
OUTGOING_METHOD = "stats/outgoing-calls-for-period"
LINE_METHOD = "stats/list-of-calls-by-internal-number-for-period"
BOTH = (INCOMING, OUTGOING)
CAP = 150


class Asking:
    """A server of which every call is known, asked as a client asks; `interruptions` come after each answer."""

    def __init__(self, server, interruptions=()):
        self.server = server
        self.interruptions = iter(interruptions)
        self.clock_ahead_seconds = 0
        self.asked = []

    def on_request(self, plan, request):
        self.asked.append(request)

    def entries(self, method, params):
        answer = self.server.answer(self.asked[-1])
        if next(self.interruptions, False):
            raise KeyboardInterrupt
        return answer


def server_of(days, rate=10, shape="campaign", seed=1, **options):
    rng = random.Random(seed)
    return Server({way: made_up_moments(NEW_YEAR, days, rate, shape, rng) for way in BOTH}, **options)


def wanted_of(days, ways=BOTH, first=0, of=""):
    return Wanted(*limits(NEW_YEAR + timedelta(days=first), NEW_YEAR + timedelta(days=first + days - 1)), ways, of)


@pytest.fixture(autouse=True)
def lower_caps(monkeypatch):
    """So few calls as need many answers."""
    for module in ("common.calls.period", "simulation"):
        monkeypatch.setattr(f"{module}.METHODS", lowered(dict.fromkeys((INCOMING_METHOD, OUTGOING_METHOD), CAP)))


@pytest.fixture
def archive(database_url):
    return Archive(database_url, "key", KYIV)


def truth(server, wanted):
    calls = [call for way in wanted.ways for call in server.between(way, wanted.first, wanted.last)]
    return sorted(calls, key=lambda call: (int(call["startTime"]), call["generalCallID"]))


def asked_for(server, archive, wanted, **options):
    """The requests that it took to have all that is wanted, which then is there."""
    client = Asking(server)
    assert collect(wanted, client, archive, on_request=client.on_request, **options) == []
    assert list(archive.entries(wanted, 2e9)) == truth(server, wanted)
    return client.asked


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    days=st.integers(1, 25),
    rate=st.integers(0, 40),
    shape=st.sampled_from(["steady", "office hours", "campaign"]),
    cap=st.integers(20, 120),
    ways=st.sampled_from([BOTH, (INCOMING,)]),
    often=st.floats(0, 0.7),
    seed=st.integers(0, 1000),
)
def test_whatever_the_interruptions_every_call_is_there_once(
    days, rate, shape, cap, ways, often, seed, tmp_path_factory, monkeypatch
):
    rng = random.Random(seed)
    caps = {INCOMING_METHOD: cap, OUTGOING_METHOD: cap}
    monkeypatch.setattr("common.calls.period.METHODS", lowered(caps))
    server = server_of(days, rate, shape, seed, caps=caps)
    wanted = wanted_of(days, ways)
    url = f"sqlite:///{tmp_path_factory.mktemp('var') / 'binotel.db'}"
    client, kills = Asking(server, (rng.random() < often for _ in range(150))), 0
    while True:
        archive = Archive(url, "key", KYIV)  # as another process has it
        try:
            collect(wanted, client, archive, on_request=client.on_request)
            break
        except KeyboardInterrupt:
            kills += 1
    assert list(archive.entries(wanted, 2e9)) == truth(server, wanted)
    again = Asking(server)
    collect(wanted, again, archive, on_request=again.on_request)
    assert again.asked == []


def lowered(caps):
    return METHODS | {name: replace(METHODS[name], cap=cap) for name, cap in caps.items()}


def test_the_second_time_nothing_is_asked_for(archive):
    server = server_of(60)
    assert len(asked_for(server, archive, wanted_of(60))) > 5
    assert asked_for(server, archive, wanted_of(60)) == []
    assert asked_for(server, archive, wanted_of(20, (OUTGOING,), first=30)) == []
    assert len(asked_for(server, archive, wanted_of(60), is_fresh=True)) > 5


def test_only_what_is_new_of_a_longer_period_is_asked_for(archive):
    server = server_of(90)
    asked_for(server, archive, wanted_of(30, first=30))
    known = wanted_of(30, first=30)
    asked = asked_for(server, archive, wanted_of(90))
    assert asked
    assert not [request for request in asked if known.first <= request.first and request.last <= known.last]


def test_of_days_that_were_exported_each_by_itself_only_the_others_are_asked_for(archive, monkeypatch):
    caps = {INCOMING_METHOD: 40, OUTGOING_METHOD: 40}
    monkeypatch.setattr("common.calls.period.METHODS", lowered(caps))
    server = server_of(60, 50, "steady", caps=caps)
    lacking = random.Random(1).sample(range(60), 10)
    for day in set(range(60)) - set(lacking):
        wanted = wanted_of(1, first=day)
        archive.keep(truth(server, wanted), wanted, wanted.last + 86400)
    asked = asked_for(server, archive, wanted_of(60))
    assert [(request.method, request.first) for request in asked] == [
        (DAY_METHOD, wanted_of(1, first=day).first) for day in sorted(lacking)
    ]


def test_a_line_is_known_where_everything_is(archive):
    server = server_of(20)
    line = wanted_of(20, of="line 901")
    asked_for(server, archive, wanted_of(10))
    client = Asking(server)
    collect(line, client, archive, on_request=client.on_request)
    assert {request.method for request in client.asked} == {LINE_METHOD}
    assert min(request.first for request in client.asked) == wanted_of(10).last + 1
    again = Asking(server)
    collect(line, again, archive, on_request=again.on_request)
    assert again.asked == []


def test_what_cannot_be_read_is_given_back_and_asked_for_again(archive):
    server, odd = server_of(3, 5, "steady"), ["x", {"generalCallID": "1"}, {"startTime": str(wanted_of(1).first + 5)}]
    answer = server.answer
    server.answer = lambda request: answer(request) + (odd if request.first == wanted_of(1).first else [])
    for _ in range(2):
        client = Asking(server)
        assert collect(wanted_of(3), client, archive, on_request=client.on_request) == odd
        assert wanted_of(1).first in [request.first for request in client.asked]
    assert list(archive.entries(wanted_of(3), 2e9, odd)) == odd + truth(server, wanted_of(3))


def test_an_empty_answer_is_believed_for_a_day_and_the_second_one_for_good(archive, monkeypatch):
    server, wanted, start = server_of(1, 0), wanted_of(1), wanted_of(1).last + 86400.0
    asked = []
    for hours in (0, 1, 25, 26, 1000):
        now = start + hours * 3600
        monkeypatch.setattr("common.calls.collect.time.time", lambda now=now: now)
        archive = Archive(archive._database._engine.url.render_as_string(), "key", KYIV, clock=lambda now=now: now)
        client = Asking(server)
        collect(wanted, client, archive, on_request=client.on_request)
        asked.append(len(client.asked))
    assert asked == [1, 0, 1, 0, 0]


def test_an_answer_while_the_clock_is_ahead_makes_nothing_known_that_is_still_to_come(archive, monkeypatch):
    """Such as 20 hours: so far a clock is trusted, with a warning."""
    server, wanted = server_of(2, 20, "steady"), wanted_of(2)
    client = Asking(server)
    client.clock_ahead_seconds = 20 * 3600
    monkeypatch.setattr("common.calls.collect.time.time", lambda: wanted.last + 10.0)
    collect(wanted, client, archive, on_request=client.on_request)
    assert archive.covered(INCOMING, wanted.first, wanted.last) == [(wanted.first, wanted.last + 10 - 23 * 3600)]


def test_a_database_that_was_copied_back_from_a_backup_is_brought_up_to_date(archive, database_url, tmp_path):
    server, file = server_of(60), Path(database_url.removeprefix("sqlite:///"))
    asked_for(server, archive, wanted_of(30))
    shutil.copy(file, tmp_path / "backup.db")
    asked_for(server, archive, wanted_of(60))
    shutil.copy(tmp_path / "backup.db", file)
    again = asked_for(server, archive, wanted_of(60))
    assert min(request.first for request in again) > wanted_of(30).last - 7 * 86400
    assert asked_for(server, archive, wanted_of(60)) == []


def test_a_second_that_is_too_crowded_is_told_each_time(archive, monkeypatch):
    second = wanted_of(1).first + 40_000
    caps = {LINE_METHOD: 10}
    monkeypatch.setattr("common.calls.period.METHODS", lowered(caps))
    for _ in range(2):
        client = Asking(Server({INCOMING: [second] * 10, OUTGOING: []}, caps=caps))
        with pytest.raises(IncompleteError):
            collect(wanted_of(1, of="line 901"), client, archive, on_request=client.on_request)


KEEPING = """
import sys
sys.path[:0] = {path}
from common.calls.archive import Archive, Wanted
from helpers import KYIV, entry, at
archive = Archive({url!r}, "key", KYIV)
first = int(at("00:00").timestamp())
number = 0
while True:
    print(number, flush=True)
    calls = [entry(generalCallID=f"{{hour}}-{{n}}", startTime=first + 3600 * hour + n, seen=number,
                   dstNumbers=[{{"dstNumber": "901", "waitsec": number}}]) for hour in range(20) for n in range(20)]
    archive.keep(calls, Wanted(first, first + 20 * 3600), first + 10 * 86400)
    number += 1
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_two_processes_that_keep_the_same_calls_are_killed_and_each_answer_is_there_whole_or_not_at_all(
    any_database_url, tmp_path
):
    script = KEEPING.format(path=sys.path, url=any_database_url)
    rng = random.Random(1)
    for _ in range(2):
        processes = [
            subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        for process in processes:
            for _ in range(rng.randrange(2, 6)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            process.communicate()
        archive = Archive(any_database_url, "key", KYIV)
        entries = list(archive.entries(Wanted(0, 2_000_000_000), 2e9))
        assert Counter(call["seen"] for call in entries).most_common(1)[0][1] == len(entries) == 400
        assert len({call["generalCallID"] for call in entries}) == 400
        assert {call["dstNumbers"][0]["waitsec"] for call in entries} == {entries[0]["seen"]}


def test_a_full_disk_is_told_and_the_next_run_goes_on(archive):
    server, wanted, client = server_of(60), wanted_of(60), None

    def small(connection, _record):
        connection.execute("PRAGMA max_page_count = 120")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", small)
    try:
        client = Asking(server)
        with pytest.raises(sqlalchemy.exc.OperationalError, match="full"):
            collect(wanted, client, archive, on_request=client.on_request)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", small)
    assert len(client.asked) > 2
    again = asked_for(server, archive, wanted)
    assert set(map(str, client.asked[:-1])) & set(map(str, again)) == set()


def test_a_company_that_the_archive_knows_is_asked_for_in_long_stretches_at_once(archive):
    server = server_of(200, 4, "steady")
    asked_for(server, archive, wanted_of(100))
    asked = asked_for(server, archive, wanted_of(100, first=100))
    assert {request.method for request in asked} == {INCOMING_METHOD, OUTGOING_METHOD}
    assert len(asked) <= 8  # 400 calls each way
