"""What a job costs under the loop: CPU seconds of an alert, forked and fresh by turns, with SQLite and with PostgreSQL.

    python tests/benchmarks/bench_runs.py [PAIRS]

Counted is what the loop's process, the one that forks, and the jobs use. The alert asks the sandbox twice, and finds
that everybody has been told already. Also: how late the last of 50 jobs begins that are due at once.
"""

import sys
import tempfile
import time
from pathlib import Path

import bench_fleet
from goals import end, goal
from running import chat, cpu_of_run

from common.sandbox.answers import KEY
from common.schedule import runs
from common.settings import PROJECT_ROOT

ALERT = str(PROJECT_ROOT / "scripts" / "alert_lost_calls.py")
AT_ONCE = 50
GOAL_SECONDS = {"SQLite": 0.25, "PostgreSQL": 0.3}
GOAL_LATE_SECONDS = 1
CONFIG = """
BINOTEL_KEY={key}
BINOTEL_SECRET=sandbox-secret
BINOTEL_API_URL={api}
DATABASE_URL='{database}'
ALERT_URLS=json://127.0.0.1:{port}/alerts
"""


def alert(kind: str, config: Path, database: str) -> float:
    """The CPU seconds of an alert, forked or fresh."""
    runs.FORKS = kind == "forked"
    return cpu_of_run(ALERT, config, database)


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
    with bench_fleet.served() as (api, server), chat() as port, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, database in {"SQLite": f"sqlite:///{folder}/binotel.db", "PostgreSQL": server}.items():
            config = folder / f"{kind}.env"
            config.touch(0o600)
            config.write_text(CONFIG.format(key=KEY, api=api, database=database, port=port))
            alert("fresh", config, database)  # tells everybody
            alert("forked", config, database)  # the first one loads what is needed
            forked, fresh = [], []
            for _ in range(pairs):
                forked.append(alert("forked", config, database))
                fresh.append(alert("fresh", config, database))
            goal(f"{kind}: CPU seconds of an alert", forked, at_most=GOAL_SECONDS[kind])
            ratios = [one / other for one, other in zip(forked, fresh, strict=True)]
            goal(f"{kind}: in times of a fresh process's", ratios, at_most=0.5)
        runs.FORKS = True
        lates = [late(folder) for _ in range(3)]
        goal(
            f"seconds until the last of {AT_ONCE} jobs has begun that are due at once", lates, at_most=GOAL_LATE_SECONDS
        )
    end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
