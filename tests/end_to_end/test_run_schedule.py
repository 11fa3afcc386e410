"""The loop as a process: real jobs against the sandbox, real signals, a real mail server and monitor."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import processes
import pytest

import run_schedule
from common.sandbox.answers import KEY
from common.schedule import trouble
from common.schedule.runs import shown_seconds
from common.settings import load_settings
from common.state.store import Store
from helpers import KYIV
from messages.test_mail import free_port

SCRIPT = Path(run_schedule.__file__)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")

start = partial(processes.start, SCRIPT)
run = partial(processes.run, SCRIPT)
EXPORT = {"SCHEDULE_EXPORT_CALLS_PER_DAY": "day at 07:30 | --format json"}
ALERT = {"SCHEDULE_ALERT_LOST_CALLS": "every 5 minutes", "ALERT_URLS": "json://127.0.0.1:9/nobody"}


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox(calls_per_day=20, time_scale=0.01)


@pytest.fixture
def remember(tmp_path):
    """A function that makes a job overdue, as if the loop had been down, or reads what is remembered of it."""
    store = Store(f"sqlite:///{tmp_path / 'var' / 'binotel.db'}", KEY, "run_schedule", keep_days=400)

    def remember(job, when=None):
        name = f"runs of {job}"
        if when:
            store.put({name: {"timetable": f"{when} (Europe/Kyiv)", "next_due": time.time() - 100, "is_begun": False}})
        return store.get_all([name])[name]

    return remember


@contextmanager
def running(*arguments, **options):
    """The loop as a process, whose lines so far can be waited for."""
    with start(*arguments, **options) as process:
        process.lines = []
        read = partial(process.lines.extend, map(str.rstrip, process.stderr))
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            reader.join(10)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def log_of(process):
    """Its lines, without times and what differs from run to run."""
    return [line.partition("run_schedule: ")[2] for line in process.lines]


def says(process, text):
    return lambda: any(text in line for line in process.lines)


def jobs_of(pid):
    """The processes that a loop's own child, which forks them, has begun."""
    listing = subprocess.run(["ps", "-eo", "ppid=,pid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
    servers = {child for parent, child in pairs if parent == pid}
    return [child for parent, child in pairs if parent in servers]


def stop(process, number=signal.SIGTERM):
    """The exit code, and whether it came within 10 seconds."""
    began = time.monotonic()
    process.send_signal(number)
    code = process.wait(20)
    return code, time.monotonic() - began < 10


def test_what_is_due_runs_as_a_process_of_its_own_and_its_output_is_in_the_log(configure, remember, tmp_path):
    remember("export_calls_per_day", "day at 07:30")
    with running("--config", configure(**EXPORT)) as loop:
        wait_for(says(loop, "done in"))
        assert stop(loop) == (0, True)
    yesterday = datetime.now(KYIV).date() - timedelta(days=1)
    report = tmp_path / "reports" / f"calls-{yesterday}.json"
    [started, path, done, stopped] = log_of(loop)
    assert started == f"INFO: Started, process {loop.pid}: export_calls_per_day day at 07:30 | --format json"
    assert (path, stopped) == (f"INFO: export_calls_per_day: {report}", "INFO: Stopped")
    assert done.startswith("INFO: export_calls_per_day: done in ")
    assert json.loads(report.read_text("utf-8"))
    kept = remember("export_calls_per_day")
    assert kept["last"] == {"began": kept["last"]["began"], "ended": kept["last"]["ended"], "problem": ""}
    assert (kept["is_begun"], kept["next_due"] > time.time()) == (False, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_and_what_it_runs_and_what_was_cut_off_is_run_again(
    number, configure, remember, sandbox, tmp_path
):
    sandbox.faults["stats/list-of-calls-per-day"] = ["hang"] * 10
    remember("export_calls_per_day", "day at 07:30")
    config = configure(**EXPORT)
    with running(config) as loop:
        wait_for(lambda: sandbox.requests)
        jobs = jobs_of(loop.pid)
        assert len(jobs) == 1
        assert "  running now  " in run("--list", config)[1]
        assert stop(loop, number) == (0, True)
    assert [pid for pid in jobs if Path(f"/proc/{pid}").exists()] == []
    assert [path.name for path in tmp_path.rglob("*") if path.suffix in (".tmp", ".json")] == []
    assert remember("export_calls_per_day")["is_begun"]
    assert "as soon as the loop runs: it was cut off" in run("--list", config)[1]
    sandbox.faults.clear()
    with running(config) as loop:
        wait_for(says(loop, "done in"))
        stop(loop)
    assert len(list((tmp_path / "reports").iterdir())) == 1


def test_a_second_loop_for_an_account_ends_at_once(configure):
    config = configure(**EXPORT)
    with running(config) as loop:
        wait_for(says(loop, "Started"))
        code, output, errors = run(config)
        assert (code, output, errors) == (75, "", "ERROR: Another loop runs these jobs: end it first.")
        assert stop(loop) == (0, True)


def test_after_a_kill_nothing_goes_on_alone_and_what_was_cut_off_is_run_again(configure, remember, sandbox):
    sandbox.faults["stats/list-of-calls-per-day"] = ["hang"]
    remember("export_calls_per_day", "day at 07:30")
    config = configure(**EXPORT)
    with running(config) as loop:
        wait_for(lambda: sandbox.requests)
        jobs = jobs_of(loop.pid)
        loop.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in jobs))
    assert remember("export_calls_per_day")["is_begun"]
    with running(config) as loop:
        wait_for(says(loop, "done in"))
        assert stop(loop) == (0, True)
    assert not remember("export_calls_per_day")["is_begun"]


def test_a_database_that_another_program_has_for_itself_keeps_nobody_from_stopping_the_loop(
    configure, remember, tmp_path
):
    remember("export_calls_per_day", "day at 07:30")
    remember("alert_lost_calls", "every 5 minutes")
    with sqlite3.connect(tmp_path / "var" / "binotel.db", isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")
        with running(configure(**EXPORT, **ALERT)) as loop:
            wait_for(says(loop, "No job can run: the database cannot be used: database is locked."))
            assert stop(loop) == (0, True)
        database.execute("ROLLBACK")


class Monitor(BaseHTTPRequestHandler):
    """Notes what it is asked, as Healthchecks would."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.pings.append((self.command, self.path, body))
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *arguments):
        """Nothing."""


@pytest.fixture
def monitor():
    with ThreadingHTTPServer(("127.0.0.1", 0), Monitor) as server:
        server.pings = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_failure_is_mailed_and_the_monitor_called_and_both_hear_when_it_works_again(
    configure, inbox, monitor, sandbox
):
    url = f"http://127.0.0.1:{monitor.server_port}/ping/5bf66975?rid=1"
    more = inbox.settings | {"ADMIN_TO": "admin@example.com", "HEALTHCHECK_URL_BACKUP_CUSTOMERS": url}
    once = ("--once", "backup_customers", configure(**more))
    sandbox.faults["customers/list"] = ["code-110"] * 2
    code, output, errors = run(*once)
    problem = "Binotel refused customers/list with code 110: Injected by the sandbox."
    assert (code, output) == (1, "")
    assert errors.startswith(f"ERROR: backup_customers: {problem}")
    assert [run(*once)[0] for _ in range(2)] == [1, 0]

    assert [message["Subject"] for message in inbox.messages] == [
        f"Failed: backup_customers ({socket.gethostname()})",
        f"Works again: backup_customers ({socket.gethostname()})",
    ]
    text = inbox.messages[0].get_body("plain").get_content()
    assert [text.count(words) for words in (problem, f"--once backup_customers {once[2]}")] == [1, 1]
    failed, again = (message["References"] for message in inbox.messages)
    assert failed == again
    start, success = ("GET", "/ping/5bf66975/start?rid=1"), ("GET", "/ping/5bf66975?rid=1")
    fail = ("POST", "/ping/5bf66975/fail?rid=1")
    assert [ping[:2] for ping in monitor.pings] == [start, fail, start, fail, start, success]
    assert [problem in body for *_, body in monitor.pings if body] == [True, True]


def test_a_monitor_that_never_stops_answering_holds_nothing_up(configure, monkeypatch, caplog):
    monkeypatch.setattr(trouble, "MOST_SECONDS_OF_PING", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=dribble, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/5bf66975"
        settings = load_settings(str(configure(HEALTHCHECK_URL_BACKUP_CUSTOMERS=url)), {})
        trouble.ping("backup_customers", settings)
    assert [record.getMessage() for record in caplog.records] == [
        "backup_customers: the monitor does not answer (Timeout). Check HEALTHCHECK_URL_BACKUP_CUSTOMERS."
    ]


def dribble(server):
    """Say a letter every now and then."""
    client, _ = server.accept()
    with client, suppress(OSError):
        client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(20):
            client.sendall(b"x")
            time.sleep(0.1)


def test_a_dead_monitor_is_a_warning_and_never_the_jobs_failure(configure, tmp_path):
    more = EXPORT | {"HEALTHCHECK_URL_EXPORT_CALLS_PER_DAY": f"http://127.0.0.1:{free_port()}/5bf66975-secret"}
    code, _, errors = run("--once", "export_calls_per_day", configure(**more))
    warning = (
        "WARNING: export_calls_per_day: the monitor does not answer (ConnectionError). "
        "Check HEALTHCHECK_URL_EXPORT_CALLS_PER_DAY."
    )
    assert (code, errors.count(warning)) == (0, 2)
    assert "5bf66975" not in errors


def test_a_database_that_cannot_be_made_is_told_to_people_and_to_the_monitor(configure, inbox, monitor, tmp_path):
    (tmp_path / "var").write_text("no folder can be made here")
    url = f"http://127.0.0.1:{monitor.server_port}/ping"
    more = inbox.settings | {"ADMIN_TO": "admin@example.com", "HEALTHCHECK_URL_BACKUP_CUSTOMERS": url}
    code, _, errors = run("--once", "backup_customers", configure(**more))
    assert code == 1
    assert "Traceback" not in errors
    assert [message["Subject"] for message in inbox.messages] == [f"Failed: backup_customers ({socket.gethostname()})"]
    assert [path for _, path, _ in monitor.pings] == ["/ping/start", "/ping/fail"]


def test_list_shows_each_job_its_next_run_and_how_the_last_one_ended(configure, remember, sandbox):
    config = configure(**EXPORT, **ALERT)
    remember("alert_lost_calls", "every 5 minutes")
    assert run("--once", "export_calls_per_day", config)[0] == 0
    code, output, errors = run("--list", config)
    last = remember("export_calls_per_day")["last"]
    ended = datetime.fromtimestamp(last["began"], KYIV)
    now = datetime.now(KYIV)
    next_run = now.replace(hour=7, minute=30)
    next_run += timedelta(days=int(next_run <= now))
    overdue = datetime.fromtimestamp(remember("alert_lost_calls")["next_due"], KYIV)
    assert (code, errors) == (0, "")
    assert [re.split("  +", line) for line in output.splitlines()] == [
        ["job", "when", "next run", "last run", "took", "result"],
        [
            "export_calls_per_day",
            "day at 07:30 | --format json",
            f"{next_run:%Y-%m-%d %H:%M}",
            f"{ended:%Y-%m-%d %H:%M}",
            shown_seconds(last["ended"] - last["began"]),
            "done",
        ],
        [
            "alert_lost_calls",
            "every 5 minutes",
            f"{overdue:%Y-%m-%d %H:%M} (overdue: is the loop running?)",
            "never",
        ],
    ]
    assert (
        len(
            {
                line.rindex(word)
                for line, word in zip(output.splitlines(), ("last", f"{ended:%Y}", "never"), strict=True)
            }
        )
        == 1
    )
    assert sandbox.requests[-1]["method"] == "stats/list-of-calls-per-day"


def test_a_job_with_several_times_is_listed_and_run_by_hand_at_each_of_them(configure, sandbox, tmp_path):
    lines = "monday at 08:00 | last-week --format json; 1 at 08:00 | yesterday --format json"
    config = configure(SCHEDULE_EXPORT_CALLS_FOR_PERIOD=lines)
    assert run("--once", "export_calls_for_period", config)[0] == 0
    today = datetime.now(KYIV).date()
    monday = today - timedelta(days=today.weekday() + 7)
    reports = [f"calls-{monday}--{monday + timedelta(days=6)}.json", f"calls-{today - timedelta(days=1)}.json"]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(reports)
    rows = [re.split("  +", line) for line in run("--list", config)[1].splitlines()[1:]]
    assert [row[:2] for row in rows] == [
        ["export_calls_for_period last-week --format json", "monday at 08:00 | last-week --format json"],
        ["export_calls_for_period yesterday --format json", "1 at 08:00 | yesterday --format json"],
    ]
    assert [row[2][8:] for row in rows][1] == "01 08:00"
    assert [row[5] for row in rows] == ["done", "done"]


def test_once_gives_the_jobs_own_exit_code_for_each_account(configure, sandbox, tmp_path):
    config = configure(**EXPORT)
    other = tmp_path / "lviv" / "config.env"
    other.parent.mkdir()
    other.touch(0o600)
    other.write_text(config.read_text().replace("sandbox-key", "wrong-key"))
    code, _, errors = run("--once", "export_calls_per_day", config, other)
    assert code == 1
    assert "lviv export_calls_per_day: Binotel refused stats/list-of-calls-per-day with code 121" in errors
    assert len(list((tmp_path / "reports").iterdir())) == 1
    assert not list((other.parent / "reports").iterdir())


def test_sighup_reads_the_configuration_again_and_a_wrong_one_changes_nothing(configure, tmp_path):
    config = configure(**EXPORT)
    with running(config) as loop:
        wait_for(says(loop, "Started"))
        configure(**EXPORT, **ALERT)
        loop.send_signal(signal.SIGHUP)
        wait_for(says(loop, "alert_lost_calls every 5 minutes"))
        configure(**EXPORT, SCHEDULE_ALERT_LOST_CALLS="sometimes")
        loop.send_signal(signal.SIGHUP)
        wait_for(says(loop, "cannot be used, so all stays as it was"))
        assert loop.poll() is None
        assert stop(loop) == (0, True)
    assert log_of(loop)[1:] == [
        "INFO: Read the configuration again: export_calls_per_day day at 07:30 | --format json; "
        "alert_lost_calls every 5 minutes",
        f"ERROR: The configuration was read again, and cannot be used, so all stays as it was: {config}: "
        "SCHEDULE_ALERT_LOST_CALLS cannot be used: 'sometimes' is not understood; write it as 'day at 07:30', "
        "'sunday at 03:00', '1 at 08:00' (of each month), 'every 5 minutes' or 'every 2 hours'.",
        "INFO: Stopped",
    ]


def test_verbose_tells_the_steps_and_no_secret(configure, remember):
    remember("export_calls_per_day", "day at 07:30")
    with running("-v", configure(**EXPORT)) as loop:
        wait_for(says(loop, "done in"))
        stop(loop)
    assert not any("Logging error" in line or "sandbox-secret" in line for line in loop.lines)


def test_a_wrong_configuration_is_in_the_log_file_too(configure, tmp_path):
    log = tmp_path / "binotel.log"
    assert run(configure(TIMEZONE="Kyiv"), "--log", log)[0] == 2
    assert "TIMEZONE cannot be used" in log.read_text("utf-8")


def test_a_log_file_takes_all_lines(configure, remember, tmp_path):
    remember("export_calls_per_day", "day at 07:30")
    log = tmp_path / "log" / "binotel.log"
    with running(configure(**EXPORT), "--log", log) as loop:
        wait_for(lambda: log.exists() and "done in" in log.read_text("utf-8"))
        stop(loop)
    assert loop.lines == []
    assert [line.split()[2] for line in log.read_text("utf-8").splitlines()] == ["run_schedule:"] * 4


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({}, "No SCHEDULE_ key is filled in, so there is nothing to run. README shows some."),
        (
            {"SCHEDULE_BACKUP_CUSTOMERS": "sonday at 3:00"},
            "SCHEDULE_BACKUP_CUSTOMERS cannot be used: 'sonday at 3:00' is not understood; write it as 'day at 07:30', "
            "'sunday at 03:00', '1 at 08:00' (of each month), 'every 5 minutes' or 'every 2 hours'.",
        ),
    ],
)
def test_a_wrong_configuration_is_told_at_once(lines, message, configure):
    code, _, errors = run(configure(**lines))
    assert (code, errors.endswith(message)) == (2, True)


def test_two_accounts_in_each_others_way_are_told(configure, tmp_path):
    config = configure(**EXPORT)
    other = tmp_path / "lviv.env"
    other.touch(0o600)
    other.write_text(config.read_text())
    code, _, errors = run(config, other)
    assert (code, errors) == (2, f"ERROR: BINOTEL_KEY is the same in {config}, {other}: each account needs its own.")
    other.write_text(config.read_text().replace("sandbox-key", "other-key"))
    code, _, errors = run(config, other)
    assert (code, errors) == (2, f"ERROR: REPORTS_DIR is the same in {config}, {other}: each account needs its own.")
    assert run(config, tmp_path / "missing.env", "--list")[0] == 2
