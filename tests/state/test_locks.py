"""Locks: one account's and one job's, gone with their process, never taken for kept when the server dropped them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest
import sqlalchemy

from common.job import Job
from common.settings import load_settings
from common.state import locks
from common.state.locks import CONTESTED_SECONDS, LockConnection, LockLostError, ServerLock, lock
from helpers import Clock

SCRIPTS = Path(locks.__file__).parents[2]
HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from common.state.locks import lock
from common.settings import load_settings
settings = load_settings(sys.argv[2], {})
with lock(settings.database_url, settings.key, "job"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def make_settings(any_database_url, tmp_path):
    """A function that makes the settings of an account on a database of either kind."""

    def make(key="key"):
        path = tmp_path / f"{key}.env"
        path.touch(0o600)
        path.write_text(f"BINOTEL_KEY={key}\nBINOTEL_SECRET=s\nDATABASE_URL='{any_database_url}'\n")
        return load_settings(str(path), {})

    return make


def is_free(name, settings):
    """Whether another process could have the lock."""
    locks._connection.cache_clear()
    try:
        with lock(settings.database_url, settings.key, name):
            return True
    except filelock.Timeout:
        return False
    finally:
        locks._connection.cache_clear()


def test_a_lock_is_one_accounts_and_one_jobs(make_settings):
    settings = make_settings()
    with lock(settings.database_url, settings.key, "job") as mine:
        mine.check()
        assert mine.keep()
        assert not is_free("job", settings)
        assert is_free("other job", settings)
        assert is_free("job", make_settings("other"))
    assert is_free("job", settings)


def test_a_lock_can_be_had_again_when_it_was_released(make_settings):
    settings = make_settings()
    mine = lock(settings.database_url, settings.key, "job")
    for _ in range(2):
        mine.acquire()
        assert not is_free("job", settings)
        mine.release()
        assert is_free("job", settings)


def test_a_killed_process_leaves_no_lock(make_settings):
    settings = make_settings()
    command = [sys.executable, "-c", HOLD, str(SCRIPTS), str(settings.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        assert not is_free("job", settings)
        process.send_signal(signal.SIGKILL)
    assert is_free("job", settings)


@pytest.fixture
def connection(cable, clock):
    return LockConnection(cable.url, 1, clock.time)


@pytest.fixture
def other(postgres_url):
    """Another machine's, whose connection nothing breaks."""
    return LockConnection(postgres_url, 1)


def test_a_lock_whose_connection_broke_is_lost_for_a_job_even_when_the_server_is_back(connection, cable, make_job):
    mine = ServerLock("job", connection)
    job = make_job(mine)
    with mine:
        job.check_lock()
        cable.pull()
        with pytest.raises(LockLostError, match="another copy of it may be running"):
            job.check_lock()
        cable.plug()
        with pytest.raises(LockLostError):
            job.check_lock()


@pytest.fixture
def make_job():
    return lambda mine: Job("job", None, None, mine)


def test_the_loop_takes_its_locks_again_when_the_server_is_back(connection, cable, other):
    mine, also_mine = ServerLock("job", connection), ServerLock("other job", connection)
    mine.acquire()
    also_mine.acquire()
    cable.pull()
    cable.plug()
    assert mine.keep()  # the connection is broken
    assert mine.keep()  # and made anew
    for theirs in (ServerLock("job", other), ServerLock("other job", other)):
        with pytest.raises(filelock.Timeout):
            theirs.acquire()
    assert also_mine.keep()


def test_the_loop_finds_out_that_another_has_taken_its_lock_meanwhile(connection, cable, other, clock):
    mine, also_mine = ServerLock("job", connection), ServerLock("other job", connection)
    mine.acquire()
    also_mine.acquire()
    cable.pull()
    ServerLock("job", other).acquire()
    cable.plug()
    for _ in range(2):  # the connection is broken, then made anew
        assert (mine.keep(), also_mine.keep()) == (True, True)  # it may be its own old connection
    clock.now += CONTESTED_SECONDS + 1
    assert (mine.keep(), also_mine.keep()) == (False, True)


def test_the_loop_takes_its_locks_again_when_the_server_has_noticed_that_they_are_free(connection, cable, other, clock):
    mine = ServerLock("job", connection)
    mine.acquire()
    cable.break_off()
    assert mine.keep()
    assert mine.keep()
    clock.now += CONTESTED_SECONDS / 2
    assert mine.keep()
    cable.let_go()
    wait_for(lambda: mine.keep() and not connection._contested)
    with pytest.raises(filelock.Timeout):
        ServerLock("job", other).acquire()


def test_a_server_that_has_stopped_answering_holds_nobody_up(connection, cable, make_job):
    mine = ServerLock("job", connection)
    with mine:
        cable.freeze()
        began = time.monotonic()
        with pytest.raises(LockLostError):
            make_job(mine).check_lock()
    assert time.monotonic() - began < 10


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_server_that_is_away_is_not_asked_for_each_of_many_locks(cable):
    clock, attempts = Clock(), []
    connection = LockConnection(cable.url, 0, clock.time)
    sqlalchemy.event.listen(connection._engine, "do_connect", lambda *_: attempts.append(clock.now))
    many = [ServerLock(f"job {number}", connection) for number in range(5)]
    many[0].acquire()
    cable.pull()
    for step in (0, 3, 3):
        clock.now += step
        for one in many[1:]:
            with pytest.raises(sqlalchemy.exc.OperationalError):
                one.acquire()
        assert many[0].keep()
    assert attempts == [1_714_560_000, 1_714_560_000, 1_714_560_006]
    cable.plug()
    clock.now += 5
    many[1].acquire()
    assert many[0].keep()
