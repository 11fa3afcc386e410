"""Whole scripts with a real PostgreSQL as their DATABASE_URL."""

import os
import signal
import threading
import time
from pathlib import Path

import processes
import pytest
import sqlalchemy
from test_run_schedule import running, says, stop, wait_for

import export_calls_per_day
import sandbox as sandbox_script
from common.locks import lock
from common.settings import load_settings
from common.store import Store
from test_mail import free_port

EXPORT = Path(export_calls_per_day.__file__)


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox(calls_per_day=20, time_scale=0.01)


@pytest.fixture
def configure_server(configure, postgres_url):
    """As configure, with a database of the server."""
    return lambda **more: configure(DATABASE_URL=f"'{postgres_url}'", **more)


def remembered(postgres_url):
    with sqlalchemy.create_engine(postgres_url, poolclass=sqlalchemy.NullPool).connect() as connection:
        return connection.exec_driver_sql("SELECT job, name, value FROM remembered").all()


def test_what_a_job_remembers_is_on_the_server_and_no_day_is_sent_twice(
    configure_server, postgres_url, inbox, sandbox, tmp_path
):
    config = configure_server(**inbox.settings)
    code, output, errors = processes.run(EXPORT, "--catch-up", "--config", config)
    assert (code, errors) == (0, "")
    assert processes.run(EXPORT, "--catch-up", "--config", config) == (0, "", "")
    assert len(inbox.messages) == 1
    day = output.strip()[-15:-5]
    assert {name for _, name, _ in remembered(postgres_url)} == {f"exported {day}", "caught up until"}
    assert not (tmp_path / "var" / "binotel.db").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_one_job_runs_once_and_a_killed_process_leaves_no_lock(configure_server, sandbox):
    sandbox.faults["stats/list-of-calls-per-day"] = ["hang"]
    config = configure_server()
    with processes.start(EXPORT, "--config", config) as first:
        wait_for(lambda: sandbox.requests)
        code, _, errors = processes.run(EXPORT, "--config", config)
        assert (code, errors.partition(".")[0]) == (75, "ERROR: This job is already running for this account")
        first.send_signal(signal.SIGKILL)
    settings = load_settings(str(config), {})
    wait_for(lambda: is_free("export_calls_per_day", settings))


def is_free(name, settings):
    try:
        with lock(name, settings):
            return True
    except TimeoutError:  # filelock.Timeout is one
        return False


def test_a_lock_is_one_accounts_and_one_jobs(configure_server):
    settings = load_settings(str(configure_server()), {})
    other = load_settings(str(configure_server(BINOTEL_KEY="other")), {})
    mine = lock("job", settings)
    with mine:
        assert not is_free("job", settings)
        assert is_free("other job", settings)
        assert is_free("job", other)
    assert is_free("job", settings)
    mine.acquire()
    thread = threading.Thread(target=mine.release)
    thread.start()
    thread.join()
    assert is_free("job", settings)


def test_two_loops_take_each_due_run_once(configure_server, postgres_url):
    config = configure_server(SCHEDULE_EXPORT_CALLS_PER_DAY="day at 07:30 | --format json")
    due = {"timetable": "day at 07:30 (Europe/Kyiv)", "next_due": time.time() - 100, "is_begun": False}
    store = Store(postgres_url, sandbox_script.KEY, "run_schedule", keep_days=400)
    store.put({"runs of export_calls_per_day": due})
    with running(config) as one, running(config) as two:
        wait_for(lambda: says(one, "done in")() or says(two, "done in")())
        time.sleep(1)
        assert [stop(one), stop(two)] == [(0, True), (0, True)]
    assert sum("done in" in line for loop in (one, two) for line in loop.lines) == 1
    assert not store.get_all(["runs of export_calls_per_day"])["runs of export_calls_per_day"]["is_begun"]


def test_a_server_that_is_away_is_told_with_what_to_do(configure):
    url = f"postgresql://me:my-own-password@127.0.0.1:{free_port()}/binotel"
    code, output, errors = processes.run(EXPORT, "--config", configure(DATABASE_URL=url), lowered=(2000, 0.02))
    assert (code, output) == (1, "")
    assert errors.startswith("ERROR: The database cannot be used: ")
    assert "Connection refused" in errors
    assert errors.endswith("Check DATABASE_URL.")
    assert "my-own" not in errors
    assert sandbox_script.KEY not in errors
