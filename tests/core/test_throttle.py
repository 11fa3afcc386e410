"""The quota: 5 free heavy requests a minute, gaps after that, shared by everything that shares the database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from binotel_core import (
    METHODS,
    QUOTA_GAP_MARGIN_SECONDS,
    QUOTA_WINDOW_MARGIN_SECONDS,
    BinotelError,
    SqliteLedger,
    Throttle,
)
from helpers import Clock, ledger

GAP_5 = "stats/list-of-calls-per-day"
GAP_10 = "stats/incoming-calls-for-period"
LIGHT = "stats/call-record"


@pytest.fixture
def make_throttle(clock, any_database_url):
    def make(account="key", clock=clock, **options):
        return Throttle(ledger(any_database_url, clock.time), account, sleep=clock.sleep, **options)

    return make


def rows(database_url):
    with sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool).connect() as connection:
        query = "select account, reserved_at, starts_at from heavy_requests order by id"
        return list(map(tuple, connection.exec_driver_sql(query)))


def test_five_requests_are_free_and_the_next_ones_come_their_gap_after_the_one_before(make_throttle, clock):
    throttle = make_throttle()
    starts = []
    for method in [GAP_10] * 5 + [GAP_5, GAP_10, GAP_5]:
        throttle.acquire(method)
        starts.append(clock.now - 1_714_560_000)
    margin = QUOTA_GAP_MARGIN_SECONDS
    assert starts == [0, 0, 0, 0, 0, 5 + margin, 15 + 2 * margin, 20 + 3 * margin]


def test_requests_are_free_again_after_a_minute(make_throttle, clock):
    throttle = make_throttle()
    for _ in range(5):
        throttle.acquire(GAP_10)
        clock.now += 1
    clock.now += 58
    throttle.acquire(GAP_10)  # 63 s after the first of five, 59 s after the last
    assert clock.slept == []
    throttle.acquire(GAP_10)  # the second of five is 62 s old
    assert clock.slept == []


def test_a_request_does_not_wait_for_its_gap_when_the_minute_is_over_sooner(make_throttle, clock):
    throttle = make_throttle()
    throttle.acquire(GAP_10)
    clock.now += 55
    for _ in range(4):
        throttle.acquire(GAP_10)
    throttle.acquire(GAP_10)
    assert clock.slept == [5 + QUOTA_WINDOW_MARGIN_SECONDS]


def test_light_methods_never_wait_and_do_not_count(make_throttle, clock, tmp_path):
    throttle = make_throttle()
    for _ in range(100):
        throttle.acquire(LIGHT)
    assert clock.slept == []
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.tuples(st.sampled_from([GAP_5, GAP_10]), st.floats(0, 90)), max_size=30))
def test_every_request_starts_as_early_as_the_quota_allows_and_never_earlier(tmp_path_factory, requests):
    clock = Clock()
    database = tmp_path_factory.mktemp("throttle") / "binotel.db"
    throttle = Throttle(SqliteLedger(database, clock.time), "key", sleep=clock.sleep)
    margin = QUOTA_GAP_MARGIN_SECONDS
    starts = []
    for method, idle_seconds in requests:
        clock.now += idle_seconds
        asked = clock.now
        throttle.acquire(method)
        earliest = asked
        if len(starts) >= 5:
            gap_over = starts[-1] + METHODS[method].gap + margin
            earliest = max(asked, min(gap_over, starts[-5] + 60 + QUOTA_WINDOW_MARGIN_SECONDS))
        assert clock.now == pytest.approx(earliest, abs=1e-5)
        starts.append(clock.now)


def test_throttles_on_one_database_share_the_quota(make_throttle, clock):
    first, second = make_throttle(), make_throttle()
    for _ in range(3):
        first.acquire(GAP_5)
    for _ in range(3):
        second.acquire(GAP_5)
    assert clock.slept == [5 + QUOTA_GAP_MARGIN_SECONDS]


def test_accounts_on_one_database_do_not_share_the_quota(make_throttle, clock):
    for account in ("kyiv", "lviv"):
        throttle = make_throttle(account)
        for _ in range(5):
            throttle.acquire(GAP_5)
    assert clock.slept == []


def test_the_key_is_not_in_the_database(database_url, tmp_path):
    Throttle(ledger(database_url), "my-very-own-key").acquire(GAP_5)
    assert b"my-very-own-key" not in (tmp_path / "binotel.db").read_bytes()


def test_the_ledger_stays_small(make_throttle, clock, any_database_url):
    throttle = make_throttle()
    for _ in range(100):
        throttle.acquire(GAP_5)
    assert len(rows(any_database_url)) <= 30


def test_interrupted_waits_do_not_make_the_ledger_forget(make_throttle, clock):
    class Interrupted(Clock):
        def sleep(self, seconds):
            raise KeyboardInterrupt

    for _ in range(5):
        make_throttle().acquire(GAP_5)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            make_throttle(clock=Interrupted(clock.now)).acquire(GAP_5)
    make_throttle().acquire(GAP_5)
    assert clock.slept == [5 + QUOTA_GAP_MARGIN_SECONDS]


@pytest.mark.parametrize("set_back_seconds", [1, 3600, 10 * 365 * 86400])
def test_a_clock_that_was_set_back_blocks_no_longer_than_a_gap(make_throttle, clock, set_back_seconds):
    throttle = make_throttle()
    for _ in range(7):
        throttle.acquire(GAP_10)
    clock.now -= set_back_seconds
    clock.slept.clear()
    for _ in range(3):
        throttle.acquire(GAP_10)
    assert max(clock.slept) <= 10 + QUOTA_GAP_MARGIN_SECONDS + 1
    assert clock.slept[1:] == [10 + QUOTA_GAP_MARGIN_SECONDS] * 2


def test_a_long_queue_before_the_clock_was_set_back_blocks_no_longer_than_a_gap_either(make_throttle, database_url):
    class Queue(Clock):
        def sleep(self, seconds):
            """Others wait at the same time: the clock does not move on."""
            self.slept.append(seconds)

    queue = Queue()
    throttle = make_throttle(clock=queue)
    for _ in range(30):
        throttle.acquire(GAP_10)
    assert queue.slept[-1] > 200
    queue.now -= 3600
    throttle.acquire(GAP_10)
    assert queue.slept[-1] <= 10 + QUOTA_GAP_MARGIN_SECONDS


def test_an_interrupted_wait_gives_its_place_back(any_database_url, clock, make_throttle):
    class Interrupted(Clock):
        def sleep(self, seconds):
            raise KeyboardInterrupt

    throttle = make_throttle()
    for _ in range(5):
        throttle.acquire(GAP_10)
    before = rows(any_database_url)
    with pytest.raises(KeyboardInterrupt):
        make_throttle(clock=Interrupted()).acquire(GAP_10)
    assert rows(any_database_url) == before


def test_a_database_that_cannot_be_used_is_named_with_what_to_check(tmp_path):
    (tmp_path / "file").write_text("")
    throttle = Throttle(SqliteLedger(tmp_path / "file" / "binotel.db"), "key")
    with pytest.raises(BinotelError, match=r"file/binotel.db.*cannot be used.*Check DATABASE_URL"):
        throttle.acquire(GAP_5)
    (tmp_path / "text.db").write_text("this is no database, but a text of more than a hundred bytes\n" * 20)
    with pytest.raises(BinotelError, match=r"cannot be used: file is not a database\. Check DATABASE_URL"):
        Throttle(SqliteLedger(tmp_path / "text.db"), "key").acquire(GAP_5)


# --- Real processes ----------------------------------------------------------

# Takes the write lock, says so, and never gives it back.
HOLD_THE_LOCK = """
import sys, time
from binotel_core import Throttle
from helpers import ledger

def clock():
    print("locked", flush=True)
    time.sleep(600)

Throttle(ledger(sys.argv[1], clock), "key").acquire("stats/list-of-calls-per-day")
"""
# Reserves a moment far ahead, says so, and sleeps.
WAIT_FOR_TURN = """
import sys, time
from binotel_core import Throttle
from helpers import ledger

def sleep(seconds):
    print("waiting", flush=True)
    time.sleep(600)

throttle = Throttle(ledger(sys.argv[1]), "key", sleep=sleep)
for _ in range(6):
    throttle.acquire("stats/list-of-calls-per-day")
"""
ASK = """
import sys, time
from binotel_core import BinotelClient, Throttle
from helpers import ledger
from common.sandbox.answers import KEY, SECRET

base_url, database_url, time_scale, count = sys.argv[1:]
throttle = Throttle(ledger(database_url), KEY, time_scale=float(time_scale))
client = BinotelClient(KEY, SECRET, base_url=base_url, throttle=throttle)
for number in range(int(count)):
    if number % 2:
        client.calls_per_day(1714560000)
    else:
        client.call("stats/all-incoming-calls-since", {"timestamp": int(time.time())})
"""
ROOT = Path(__file__).parents[2]


def start(program, *arguments):
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'scripts'}"}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, env=environment)


@pytest.mark.parametrize(("program", "says"), [(HOLD_THE_LOCK, b"locked\n"), (WAIT_FOR_TURN, b"waiting\n")])
def test_a_killed_process_leaves_nothing_locked(program, says, any_database_url):
    slept = []
    with start(program, any_database_url) as process:
        assert process.stdout.readline() == says
        process.send_signal(signal.SIGKILL)
    throttle = Throttle(ledger(any_database_url), "key", sleep=slept.append)
    began = time.monotonic()
    throttle.acquire(GAP_5)
    assert time.monotonic() - began < 30
    assert sum(slept) < 2 * (5 + QUOTA_GAP_MARGIN_SECONDS)


@pytest.mark.alone
def test_processes_share_the_quota_without_one_refusal_and_lose_no_time(make_sandbox, database_url, postgres_url):
    time_scale = 0.25
    urls = (database_url, postgres_url)
    sandboxes = [make_sandbox(time_scale=time_scale, calls_per_day=1) for _ in urls]
    processes = [
        start(ASK, sandbox.base_url, url, str(time_scale), "3")
        for _ in range(4)
        for sandbox, url in zip(sandboxes, urls, strict=True)
    ]
    assert [process.wait() for process in processes] == [0] * 8
    for process in processes:
        process.stdout.close()

    for sandbox in sandboxes:
        assert [request["code"] for request in sandbox.requests] == [0] * 12
        times = [request["time"] for request in sandbox.requests]
        best = best_possible_seconds([METHODS[request["method"]].gap for request in sandbox.requests], time_scale)
        assert times[-1] - times[0] <= 1.1 * best


def best_possible_seconds(gaps, time_scale):
    """How long requests with these gaps, in this order, take when every one starts at the first allowed moment."""
    starts = []
    for gap in gaps:
        allowed = starts[-1] if starts else 0
        if len(starts) >= 5:
            allowed = min(starts[-1] + gap * time_scale, starts[-5] + 60 * time_scale)
        starts.append(allowed)
    return starts[-1]
