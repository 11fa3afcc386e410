"""Locks: one account's and one job's, gone with their process, never taken for kept when the server dropped them."""

import errno
import os
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
from common.state.locks import LockConnection, LockLostError, ServerLock, lock
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


def test_a_lock_that_was_lost_can_be_had_again_when_the_server_is_back(connection, cable, other):
    mine, also_mine = ServerLock("job", connection), ServerLock("other job", connection)
    mine.acquire()
    also_mine.acquire()
    cable.pull()
    cable.plug()
    for lost in (mine, also_mine):
        with pytest.raises(LockLostError):
            lost.check()
        lost.acquire()
        lost.check()
    for theirs in (ServerLock("job", other), ServerLock("other job", other)):
        with pytest.raises(filelock.Timeout):
            theirs.acquire()


def test_a_lock_that_another_has_taken_meanwhile_cannot_be_had(connection, cable, other):
    mine = ServerLock("job", connection)
    mine.acquire()
    cable.pull()
    theirs = ServerLock("job", other)
    theirs.acquire()
    cable.plug()
    with pytest.raises(LockLostError):
        mine.check()
    with pytest.raises(filelock.Timeout):
        mine.acquire()
    theirs.release()
    mine.acquire()


def test_a_lock_can_be_had_again_when_the_server_has_noticed_that_it_is_free(connection, cable, other):
    mine = ServerLock("job", connection)
    mine.acquire()
    cable.break_off()
    with pytest.raises(LockLostError):
        mine.check()
    with pytest.raises(filelock.Timeout):  # the server takes our old connection for alive
        mine.acquire()
    cable.let_go()
    wait_for(lambda: can_be_had(mine))
    with pytest.raises(filelock.Timeout):
        ServerLock("job", other).acquire()


def can_be_had(mine):
    try:
        mine.acquire()
    except (filelock.Timeout, sqlalchemy.exc.OperationalError):  # the new connection is let go, too
        return False
    return True


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
    assert attempts == [1_714_560_000, 1_714_560_000, 1_714_560_006]
    cable.plug()
    clock.now += 5
    many[1].acquire()
    many[0].acquire()


@pytest.mark.parametrize("code", ["ENOSYS", "ENOLCK", "ENOTSUP", "EINVAL"])
def test_a_file_system_without_locks_is_told_in_a_sentence(code, database_url, monkeypatch, recwarn):
    def fail(*_):
        raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))

    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(OSError, match=r"This file system knows no locks\. Move DATABASE_URL's file") as caught:
        lock(database_url, "key", "job").acquire()
    assert str(caught.value.filename).endswith(".lock")
    assert not recwarn.list
