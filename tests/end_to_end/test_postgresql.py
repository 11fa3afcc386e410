"""Whole scripts with a real PostgreSQL server as their DATABASE_URL, which goes away and comes back."""

import time
from pathlib import Path
from threading import Timer

import processes
import pytest
import sqlalchemy
from test_run_schedule import jobs_of, running, says, stop, wait_for

import export_calls_per_day
from common.sandbox.answers import KEY
from common.state.store import Store
from messages.test_mail import free_port

EXPORT = Path(export_calls_per_day.__file__)
LOWERED = (2000, 0.005)  # see lowered.py: a minute takes 0.3 s


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox(calls_per_day=20, time_scale=0.01)


@pytest.fixture
def export(configure, cable, inbox):
    """A function that runs the daily export with its database at the other end of the cable."""
    config = configure(DATABASE_URL=f"'{cable.url}'", **inbox.settings)
    return lambda: processes.run(EXPORT, "--catch-up", "--config", config, lowered=LOWERED)


def remembered(postgres_url):
    with sqlalchemy.create_engine(postgres_url, poolclass=sqlalchemy.NullPool).connect() as connection:
        return {row.name for row in connection.exec_driver_sql("SELECT name FROM remembered")}


def test_what_a_job_remembers_is_on_the_server_and_no_day_is_sent_twice(export, postgres_url, inbox, tmp_path):
    code, output, errors = export()
    assert (code, errors) == (0, "")
    assert export() == (0, "", "")
    assert len(inbox.messages) == 1
    day = output.strip()[-15:-5]
    requests = "export_calls_per_day"  # how many of the quota it has made
    assert remembered(postgres_url) == {f"exported {day}", "caught up until", f"mail of {day}, times", requests}
    assert not (tmp_path / "var" / "binotel.db").exists()


def test_while_the_server_is_away_nothing_is_sent_and_the_next_run_sends_it(export, cable, sandbox, inbox, monkeypatch):
    answer = sandbox.answer
    monkeypatch.setattr(sandbox, "answer", lambda *request: [answer(*request), cable.pull()][0])
    code, _, errors = export()
    assert (code, inbox.messages) == (1, [])
    assert errors.startswith("ERROR: The database cannot be used: connection ")
    assert errors.endswith(" Check DATABASE_URL, the server, and the network to it.")
    monkeypatch.undo()
    cable.plug()
    assert export()[0] == 0
    assert len(inbox.messages) == 1


def test_what_was_sent_is_remembered_when_the_server_comes_back(export, cable, inbox, monkeypatch):
    in_between(cable, inbox, monkeypatch, lambda: Timer(1, cable.plug).start())
    assert export()[0] == 0
    assert export() == (0, "", "")
    assert len(inbox.messages) == 1


def test_what_was_sent_and_can_never_be_remembered_is_told(export, cable, inbox, monkeypatch):
    in_between(cable, inbox, monkeypatch, lambda: None)
    code, output, errors = export()
    told, why = errors.splitlines()
    assert code == 1
    assert told == (
        f"ERROR: The report of {output.strip()[-15:-5]} was delivered, but that cannot be remembered, so the next run "
        "will do it again."
    )
    assert why.startswith("ERROR: The database cannot be used: connection ")
    assert why.endswith(" Check DATABASE_URL, the server, and the network to it.")


def in_between(cable, inbox, monkeypatch, then):
    """The cable is pulled when the mail server has taken a mail."""
    take = inbox.handle_DATA

    async def handle_data(*arguments):
        taken = await take(*arguments)
        cable.pull()
        then()
        return taken

    monkeypatch.setattr(inbox, "handle_DATA", handle_data)


def test_a_loop_whose_server_has_stopped_answering_ends_in_time_with_what_it_runs(configure, cable, sandbox):
    sandbox.faults["stats/list-of-calls-per-day"] = ["hang"] * 10
    config = configure(DATABASE_URL=f"'{cable.url}'", SCHEDULE_EXPORT_CALLS_PER_DAY="day at 07:30")
    make_overdue(cable.url)
    with running(config) as loop:
        wait_for(lambda: sandbox.requests)
        jobs = jobs_of(loop.pid)
        cable.freeze()
        time.sleep(0.5)
        assert stop(loop) == (0, True)
    assert [pid for pid in jobs if Path(f"/proc/{pid}").exists()] == []


def test_a_second_loop_ends_at_once_whatever_machine_it_is_on(configure, postgres_url, sandbox):
    config = configure(DATABASE_URL=f"'{postgres_url}'", SCHEDULE_EXPORT_CALLS_PER_DAY="day at 07:30 | --format json")
    store = make_overdue(postgres_url)
    with running(config) as one:
        wait_for(says(one, "done in"))
        with running(config) as two:
            assert two.wait(20) == 75
        assert stop(one) == (0, True)
    assert two.lines[-1].endswith("Another loop runs these jobs: end it first.")
    assert not store.get_all(["runs of export_calls_per_day"])["runs of export_calls_per_day"]["is_begun"]


def make_overdue(url):
    """The daily export was to run, and nobody did."""
    due = {"timetable": "day at 07:30 (Europe/Kyiv)", "next_due": time.time() - 100, "is_begun": False}
    store = Store(url, KEY, "run_schedule", keep_days=400)
    store.put({"runs of export_calls_per_day": due})
    return store


def test_a_server_that_is_away_for_a_minute_is_told_with_what_to_do(configure):
    url = f"postgresql://me:my-own-password@127.0.0.1:{free_port()}/binotel"
    code, output, errors = processes.run(EXPORT, "--config", configure(DATABASE_URL=url), lowered=LOWERED)
    assert (code, output) == (1, "")
    assert errors.startswith("ERROR: The database cannot be used: connection failed: ")
    assert errors.endswith("Connection refused. Check DATABASE_URL, the server, and the network to it.")
    assert "my-own" not in errors
    assert KEY not in errors
