"""What a job costs under the loop: CPU seconds of an alert, forked and fresh by turns, with SQLite and with PostgreSQL.

    python tests/benchmarks/bench_runs.py [PAIRS]

Counted is what the loop's process, the one that forks, and the jobs use. The alert asks the sandbox twice, and finds
that everybody has been told already. Also: how late the last of 50 jobs begins that are due at once.
"""

import http.server
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import bench_fleet
import sqlalchemy
from goals import end, goal

from common.sandbox.answers import KEY
from common.schedule import runs
from common.settings import PROJECT_ROOT

ALERT = str(PROJECT_ROOT / "scripts" / "alert_lost_calls.py")
AT_ONCE = 50
GOAL_SECONDS = {"SQLite": 0.25, "PostgreSQL": 0.3}
GOAL_LATE_SECONDS = 1
TICK = os.sysconf("SC_CLK_TCK")
CONFIG = """
BINOTEL_KEY={key}
BINOTEL_SECRET=sandbox-secret
BINOTEL_API_URL={api}
DATABASE_URL='{database}'
ALERT_URLS=json://127.0.0.1:{port}/alerts
"""


class Chat(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def chat():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def cpu() -> float:
    """CPU seconds of this process, of what it has waited for, and of the one that forks with all it has waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    used = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    if runs.FORKS and runs._server._process:
        fields = Path(f"/proc/{runs._server._process.pid}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15])) / TICK
    return used


def alert(config: Path, database: str) -> float:
    """The CPU seconds of a run."""
    engine = sqlalchemy.create_engine(database, poolclass=sqlalchemy.NullPool)
    with suppress(sqlalchemy.exc.DBAPIError), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM heavy_requests")  # or each would wait for the quota
    before, outcomes = cpu(), []
    run = runs.Run("alert", [ALERT, "--config", str(config)], 60, lambda: None, outcomes.append)
    run.join()
    assert [outcome.problem for outcome in outcomes] == [""], outcomes
    return cpu() - before


def with_forks(is_on: bool, do: Callable[[], float]) -> float:
    runs.FORKS = is_on
    return do()


def late(folder: Path) -> float:
    """Seconds from when so many jobs are due until the last of them says that it has begun."""
    script = folder / "begin.py"
    script.write_text("import time; print(time.time(), flush=True); time.sleep(3)")
    begun: list[float] = []
    due = time.time()
    all_runs = [
        runs.Run("job", [str(script)], 60, lambda: None, lambda outcome: begun.append(float(outcome.tail[0])))
        for _ in range(AT_ONCE)
    ]
    for run in all_runs:
        run.join()
    return max(begun) - due


def main(pairs: int) -> None:
    has_forks = runs.FORKS
    with bench_fleet.served() as (api, server), chat() as port, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, database in {"SQLite": f"sqlite:///{folder}/binotel.db", "PostgreSQL": server}.items():
            config = folder / f"{kind}.env"
            config.touch(0o600)
            config.write_text(CONFIG.format(key=KEY, api=api, database=database, port=port))
            alert(config, database)  # tells everybody
            with_forks(has_forks, lambda config=config, database=database: alert(config, database))
            forked, fresh = [], []
            for _ in range(pairs):
                forked.append(with_forks(has_forks, lambda config=config, database=database: alert(config, database)))
                fresh.append(with_forks(False, lambda config=config, database=database: alert(config, database)))
                time.sleep(0.01)
            goal(f"{kind}: CPU seconds of an alert", forked, at_most=GOAL_SECONDS[kind])
            ratios = [one / other for one, other in zip(forked, fresh, strict=True)]
            goal(f"{kind}: in times of a fresh process's", ratios, at_most=0.5)
        runs.FORKS = has_forks
        lates = [late(folder) for _ in range(3)]
        goal(
            f"seconds until the last of {AT_ONCE} jobs has begun that are due at once", lates, at_most=GOAL_LATE_SECONDS
        )
    end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
