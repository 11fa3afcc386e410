"""Answers on disk: after any interruption nothing is lost, nothing doubled, and next to nothing asked for twice."""

import errno
import os
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from binotel_core import BinotelError, account_id
from common.calls import spool as spool_module
from common.calls.call import SETTLED_SECONDS
from common.calls.period import INCOMING, OUTGOING, IncompleteError
from common.calls.spool import FORGOTTEN_SECONDS, Spool, remove_forgotten, spool_path
from simulation import NEW_YEAR, Server, limits, made_up_moments, plan_for

INCOMING_METHOD = "stats/incoming-calls-for-period"
OUTGOING_METHOD = "stats/outgoing-calls-for-period"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var" / "job.spool"


def follow(plan, server, path, interruptions=None):
    """What a job does with a spool; `interruptions` are asked before and after each answer is kept."""
    interruptions = interruptions or iter(())
    spool = Spool(path)
    try:
        spool.replay(plan)
        while request := plan.next_request():
            entries = server.answer(request)
            if next(interruptions, False):
                raise KeyboardInterrupt
            spool.add(request, plan, entries, plan.accept(request, entries))
            if next(interruptions, False):
                raise KeyboardInterrupt
        return list(spool)
    finally:
        spool.close()


def truth(server, first, last, ways=(INCOMING, OUTGOING)):
    calls = [call for way in ways for call in server.between(way, first, last)]
    return sorted(calls, key=lambda call: (int(call["startTime"]), call["generalCallID"]))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    days=st.integers(1, 40),
    rate=st.integers(0, 40),
    shape=st.sampled_from(["steady", "office hours", "campaign"]),
    cap=st.integers(20, 120),
    direction=st.sampled_from(["both", "incoming"]),
    often=st.floats(0, 0.7),
    seed=st.integers(0, 1000),
)
def test_whatever_the_interruptions_every_call_is_there_once(days, rate, shape, cap, direction, often, seed, tmp_path):
    rng = random.Random(seed)
    moments = {way: made_up_moments(NEW_YEAR, days, rate, shape, rng) for way in (INCOMING, OUTGOING)}
    caps = {INCOMING_METHOD: cap, OUTGOING_METHOD: cap}
    server = Server(moments, caps=caps, seed=seed)
    path = tmp_path / f"{rng.random()}.spool"
    kills = 0
    while True:
        try:
            interruptions = (rng.random() < often for _ in range(1000)) if kills < 200 else None
            calls = follow(plan_for(NEW_YEAR, days, direction, caps=caps), server, path, interruptions)
            break
        except KeyboardInterrupt:
            kills += 1
    ways = (INCOMING, OUTGOING) if direction == "both" else (direction,)
    assert calls == truth(server, *limits(NEW_YEAR, plan_last_day(days)), ways)
    asked = Counter(str(request) for request in server.requests)
    assert asked.total() - len(asked) <= kills


def plan_last_day(days):
    return NEW_YEAR.fromordinal(NEW_YEAR.toordinal() + days - 1)


def server_of(days, rate=60, seed=1):
    rng = random.Random(seed)
    return Server({way: made_up_moments(NEW_YEAR, days, rate, "campaign", rng) for way in (INCOMING, OUTGOING)})


def test_a_period_whose_end_has_moved_goes_on_until_the_new_end(path):
    server = server_of(60)
    first, last = limits(NEW_YEAR, plan_last_day(60))
    middle = (first + last) // 2
    earlier, later = plan_for(NEW_YEAR, 60), plan_for(NEW_YEAR, 60)
    earlier.stop = middle
    assert follow(earlier, server, path) == truth(server, first, middle)
    done = server.requests.copy()
    assert follow(later, server, path) == truth(server, first, last)
    assert not set(map(str, done)) & set(map(str, server.requests[len(done) :]))


def test_answers_that_were_asked_for_by_a_clock_that_was_ahead_are_asked_for_again(path, monkeypatch):
    plan = plan_for(NEW_YEAR, 3)
    request, spool = plan.next_request(), Spool(path)
    spool.add(request, plan, [], plan.accept(request, []))
    spool.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE answers SET asked = asked + 366 * 86400")
    again = Spool(path)
    again.replay(plan_for(NEW_YEAR, 3))
    assert again.answers == 0
    again.close()


def test_answers_that_reached_to_the_moment_they_were_asked_for_are_asked_for_again(path, monkeypatch):
    server = server_of(60)
    _, last = limits(NEW_YEAR, plan_last_day(60))
    monkeypatch.setattr(time, "time", lambda: last + SETTLED_SECONDS - 1)
    calls = follow(plan_for(NEW_YEAR, 60), server, path)
    requests = server.requests.copy()
    server.requests.clear()
    assert follow(plan_for(NEW_YEAR, 60), server, path) == calls
    again = [request for request in requests if request.last == last]
    assert server.requests == again
    assert 1 <= len(again) <= 3

    monkeypatch.setattr(time, "time", lambda: last + SETTLED_SECONDS)
    assert follow(plan_for(NEW_YEAR, 60), server, path) == calls
    server.requests.clear()
    assert follow(plan_for(NEW_YEAR, 60), server, path) == calls
    assert server.requests == []


def test_the_answers_of_another_plan_are_thrown_away(path):
    server = server_of(60)
    follow(plan_for(NEW_YEAR, 60), server, path)
    other = plan_for(plan_last_day(5), 20)
    assert follow(other, server, path) == truth(server, *limits(plan_last_day(5), plan_last_day(24)))


def test_entries_come_back_as_they_were(path):
    odd = {"startTime": 1704060000, "callType": 0, "generalCallID": "1", "name": "Ґ😀\ud800\x00", "more": [1.5, None]}
    server = server_of(1, 0)
    server.answer = lambda request: [odd]
    assert follow(plan_for(NEW_YEAR, 1), server, path) == [odd]


@pytest.mark.parametrize("start", [1704060000, "1704060000", 1704060000.0, "1704060000.0"])
def test_a_time_is_kept_in_every_form_in_which_numbers_come(start, path):
    server = server_of(1, 0)
    server.answer = lambda request: [{"startTime": start, "callType": "0", "generalCallID": "1"}]
    assert [entry["startTime"] for entry in follow(plan_for(NEW_YEAR, 1), server, path)] == [start]


def test_a_second_that_is_too_crowded_is_told_again_by_the_next_run(path):
    second = limits(NEW_YEAR, NEW_YEAR)[0] + 40_000
    caps = {"stats/list-of-calls-by-internal-number-for-period": 10}
    for _ in range(2):
        server = Server({INCOMING: [second] * 10, OUTGOING: []}, caps=caps)
        with pytest.raises(IncompleteError):
            follow(plan_for(NEW_YEAR, 1, internal_number="901", caps=caps), server, path)
    assert len(server.requests) == 1


def test_a_full_disk_is_told_and_the_next_run_goes_on(path, monkeypatch):
    server = server_of(60)
    with monkeypatch.context() as patch:
        patch.setattr("common.calls.spool._SCHEMA", f"{spool_module._SCHEMA} PRAGMA max_page_count = 60;")
        with pytest.raises(OSError, match="No space left for the answers") as caught:
            follow(plan_for(NEW_YEAR, 60), server, path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    kept = len(server.requests) - 1
    assert kept > 0
    assert follow(plan_for(NEW_YEAR, 60), server, path) == truth(server, *limits(NEW_YEAR, plan_last_day(60)))
    assert len(server.requests) == len(set(map(str, server.requests))) + 1


def test_a_file_that_is_broken_is_told_with_what_to_do(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(BinotelError, match=r"job\.spool cannot be used: file is not a database\. .* remove it"):
        Spool(path)


def test_spools_that_nobody_has_gone_on_with_for_a_month_are_removed(path):
    folder = path.parent
    account = account_id("key")
    for name, age in (("old", FORGOTTEN_SECONDS + 60), ("new", FORGOTTEN_SECONDS - 60)):
        made = spool_path(folder, "job", account, [name])
        Spool(made).close()
        moment = time.time() - age
        os.utime(made, (moment, moment))
    for name in ("binotel.db", "print.spool", "job-notes.spool"):
        (folder / name).write_text("")
        os.utime(folder / name, (0, 0))
    remove_forgotten(folder, "job")
    new = spool_path(folder, "job", account, ["new"]).name
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        ["binotel.db", "print.spool", "job-notes.spool", new]
    )


def test_every_job_account_and_wish_has_a_spool_of_its_own(path):
    wishes = [("job", "a", ["1", "2"]), ("job", "a", ["12"]), ("job", "b", ["12"]), ("other", "b", ["12"])]
    paths = [spool_path(path.parent, *wish) for wish in wishes]
    assert len(set(paths)) == len(wishes)
    assert paths == [spool_path(path.parent, *wish) for wish in wishes]
