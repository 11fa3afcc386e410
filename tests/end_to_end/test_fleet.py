"""Three machines run the jobs of 50 accounts for a virtual day; one dies, one is halted; each run happens once."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import fleet_member
import pytest
import sqlalchemy

from common.schedule.loop import MOST_AT_ONCE
from helpers import KYIV

MEMBER = Path(fleet_member.__file__)
ACCOUNTS, MEMBERS = 50, (1, 2, 3)
MINUTE = 60
MIDNIGHT = datetime(2026, 11, 22, tzinfo=KYIV).timestamp()  # of a Sunday
DAY = range(int(MIDNIGHT) - MINUTE, int(MIDNIGHT) + 24 * 60 * MINUTE, MINUTE)
DUE_MINUTES = {  # after midnight
    "export_calls_per_day": [7 * 60 + 30],
    "alert_lost_calls": range(0, 24 * 60, 2 * 60),
    "download_records": [2 * 60, 10 * 60, 18 * 60],  # at multiples of 8 hours in UTC
    "backup_customers": [3 * 60],
}
CONFIG = """
BINOTEL_KEY=key-{name}
BINOTEL_SECRET=s
DATABASE_URL='{database_url}'
ALERT_URLS=json://127.0.0.1:9/x
SCHEDULE_EXPORT_CALLS_PER_DAY=day at 07:30
SCHEDULE_ALERT_LOST_CALLS=every 2 hours
SCHEDULE_DOWNLOAD_RECORDS=every 8 hours
SCHEDULE_BACKUP_CUSTOMERS=sunday at 03:00
"""
KILLED, KILLED_AT = 1, MIDNIGHT + (7 * 60 + 31) * MINUTE
HALTED, HALTED_AT, HALTED_SECONDS = 2, MIDNIGHT + (12 * 60 + 2) * MINUTE, 2 * MINUTE


@pytest.fixture
def configs(tmp_path, postgres_url):
    paths = [tmp_path / f"account{number}" / "config.env" for number in range(ACCOUNTS)]
    for path in paths:
        path.parent.mkdir()
        path.touch(0o600)
        path.write_text(CONFIG.format(name=path.parent.name, database_url=postgres_url))
    return list(map(str, paths))


@pytest.fixture
def connection(postgres_url):
    engine = sqlalchemy.create_engine(postgres_url, poolclass=sqlalchemy.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE virtual_clock AS SELECT 0.0::float AS now")
        connection.exec_driver_sql(
            "CREATE TABLE runs (id SERIAL PRIMARY KEY, account TEXT, job TEXT, host INTEGER, "
            "began FLOAT, ended FLOAT, noted FLOAT)"
        )
        yield connection


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_each_due_run_happens_once_or_was_cut_and_is_run_again(configs, connection, postgres_url, tmp_path):
    play(configs, connection, postgres_url, tmp_path / "clock")
    runs = defaultdict(list)
    for run in connection.exec_driver_sql("SELECT * FROM runs ORDER BY began, id"):
        runs[run.account, run.job].append(run)
    assert len(runs) == ACCOUNTS * len(DUE_MINUTES)
    cut = []
    for (_, job), of_job in runs.items():
        for one, later in itertools.pairwise(of_job):
            assert (one.ended or KILLED_AT) <= later.began  # never two at once
        # What its machine had no time to note counts as cut, too.
        is_cut = [run.noted is None and run.host == KILLED for run in of_job]
        cut += [run for run, is_it in zip(of_job, is_cut, strict=True) if is_it]
        done = [run for run, is_it in zip(of_job, is_cut, strict=True) if not is_it]
        due = [MIDNIGHT + minute * MINUTE for minute in DUE_MINUTES[job]]
        assert [run.ended is not None for run in done] == [True] * len(due)
        assert all(0 <= run.began - moment <= 15 * MINUTE for run, moment in zip(done, due, strict=True))
    assert {run.host for of_job in runs.values() for run in of_job} == set(MEMBERS)
    assert 0 < len(cut) <= MOST_AT_ONCE * len(DUE_MINUTES)  # no more than can run at one moment
    # Elsewhere, and not before its lock was free for long enough.
    again = [next(run for run in runs[one.account, one.job] if run.id > one.id) for one in cut]
    assert all(run.began - KILLED_AT >= MINUTE and run.host != KILLED for run in again)


def play(configs, connection, database_url, clock_path):
    """A day, minute by minute: the next one begins when every member that can has looked at its jobs."""
    clock_path.write_bytes(b"\0" * 8 * (1 + len(MEMBERS)))
    clock = fleet_member.Clock(clock_path)
    clock[0] = DAY[0]
    tell_the_server(clock[0], connection)
    chance = random.Random(1)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        members = {
            number: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, MEMBER, database_url, clock_path, str(number), *configs], env=environment
                )
            )
            for number in MEMBERS
        }
        for process in members.values():
            stack.callback(process.kill)
        able = set(MEMBERS)
        for now in DAY:
            tell_the_server(now, connection)
            clock[0] = now
            if now == KILLED_AT:
                time.sleep(chance.random() / 100)  # in the middle of whatever it does
                members[KILLED].kill()
                able.remove(KILLED)
            if now == HALTED_AT:
                time.sleep(chance.random() / 100)
                members[HALTED].send_signal(signal.SIGSTOP)
                able.remove(HALTED)
            if now == HALTED_AT + HALTED_SECONDS:
                members[HALTED].send_signal(signal.SIGCONT)
                able.add(HALTED)
            while any(clock[number] < now for number in able):
                time.sleep(0.0005)
                assert all(members[number].poll() is None for number in able)


def tell_the_server(now, connection):
    connection.exec_driver_sql(f"UPDATE virtual_clock SET now = {now}")
