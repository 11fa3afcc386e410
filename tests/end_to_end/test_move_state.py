"""From an SQLite file to a server: all that was remembered goes along, once, and what is newer there stays."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import filelock
import processes
import pytest
import sqlalchemy

import move_state
from binotel_core import Throttle
from common.calls.archive import Archive, Wanted
from common.state.store import Store
from helpers import KYIV, Clock, at, entry, ledger

SCRIPT = Path(move_state.__file__)
GAP_5 = "stats/list-of-calls-per-day"
run = partial(processes.run, SCRIPT)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "var" / "binotel.db"


@pytest.fixture
def config(configure, postgres_url):
    return configure(DATABASE_URL=f"'{postgres_url}'")


def rows(url, table):
    with sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool).connect() as connection:
        query = f"SELECT * FROM {table}"
        return sorted(
            tuple(row[name] for name in sorted(row) if name != "id")
            for row in connection.exec_driver_sql(query).mappings()
        )


def test_all_that_was_remembered_is_copied_once_and_what_is_newer_on_the_server_stays(config, file, postgres_url):
    url, clock = f"sqlite:///{file}", Clock()
    for key in ("key", "other"):
        Store(url, key, "job", keep_days=30, clock=clock.time).put({"a": {"Олена": 1}, "b": [None]})
        for _ in range(7):
            Throttle(ledger(url, clock.time), key, sleep=clock.sleep).acquire(GAP_5)
    assert run("--config", config) == (
        0,
        "4 of 4 remembered values were copied, the others are on the server already.\n"
        "0 of 0 calls were copied, the others are on the server already.\n",
        "",
    )
    for table in ("remembered", "heavy_requests"):
        assert rows(postgres_url, table) == rows(url, table)
    clock.now += 10
    Store(postgres_url, "key", "job", keep_days=30, clock=clock.time).put({"a": "newer"})
    Store(url, "key", "job", keep_days=30, clock=clock.time).put({"b": "newer, too"})
    Throttle(ledger(postgres_url, clock.time), "key", sleep=clock.sleep).acquire(GAP_5)
    before = rows(postgres_url, "heavy_requests")
    assert run("--config", config, file) == (
        0,
        "1 of 4 remembered values were copied, the others are on the server already.\n"
        "0 of 0 calls were copied, the others are on the server already.\n",
        "",
    )
    assert rows(postgres_url, "heavy_requests") == before
    store = Store(postgres_url, "key", "job", keep_days=30, clock=clock.time)
    assert store.get_all(["a", "b"]) == {"a": "newer", "b": "newer, too"}
    # And the quota goes on as if nothing had been moved.
    Throttle(ledger(postgres_url, clock.time), "key", sleep=clock.sleep).acquire(GAP_5)
    assert clock.slept[-1] > 0


def test_the_calls_go_along_with_what_is_known_of_time(config, file, postgres_url, monkeypatch):
    monkeypatch.setattr("move_state.ROWS_AT_ONCE", 7)
    wanted = Wanted(int(at("00:00").timestamp()), int(at("23:59:59").timestamp()))
    calls = [
        entry(f"10:{index:02}", generalCallID=f"{index}", dstNumbers=[{"dstNumber": "901"}]) for index in range(30)
    ]
    here, there = (Archive(url, "key", KYIV) for url in (f"sqlite:///{file}", postgres_url))
    here.keep(calls, wanted, wanted.last + 86400)
    here.keep(calls[:3], replace(wanted, of="line 901"), wanted.last + 86400)
    there.keep([calls[5] | {"billsec": "99"}], Wanted(wanted.first, wanted.first + 1, of="line 7"), wanted.last + 86400)
    for copied in (29, 0):
        code, output, errors = run("--config", config)
        told = f"{copied} of 30 calls were copied, the others are on the server already."
        assert (code, output.splitlines()[1], errors) == (0, told, "")
    assert there.knows(wanted)
    assert there.knows(replace(wanted, of="line 901"))
    assert list(there.entries(wanted, 2e9)) == [*calls[:5], calls[5] | {"billsec": "99"}, *calls[6:]]
    assert len(rows(postgres_url, "rung")) == 30


def test_while_a_job_runs_with_the_file_nothing_is_copied(config, file, postgres_url):
    Store(f"sqlite:///{file}", "key", "job", keep_days=30).put({"a": 1})
    with filelock.FileLock(file.with_name("backup_customers-0123.lock")):
        code, output, errors = run("--config", config)
    assert (code, output) == (2, "")
    assert errors == (f"ERROR: A job is running with {file} (backup_customers-0123): stop it, then run this again.")
    assert run("--config", config)[0] == 0


def test_wrong_use_is_told(configure, config, tmp_path):
    assert run("--config", config, tmp_path / "none.db") == (
        2,
        "",
        f"ERROR: {tmp_path}/none.db: there is no such file. Name the SQLite file that DATABASE_URL named before.",
    )
    code, _, errors = run("--config", configure())
    assert (code, errors.startswith("ERROR: DATABASE_URL names no server: write postgresql+psycopg://")) == (2, True)
