"""The loop of run_schedule.py over many days by a virtual clock, at the times people use: does it lose, double or grow?

    python tests/benchmarks/bench_loop.py [DAYS]

Two accounts with four jobs each, alerts every 5 minutes; runs fail and hang, the loop is restarted, the clocks change.
"""

import logging
import re
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from goals import end, goal

import soak
from common.settings import load_settings

FIRST = int(datetime(2026, 2, 1, 12, 34, 56, tzinfo=UTC).timestamp())
LINES = {
    "export_calls_per_day": "day at 07:30",
    "alert_lost_calls": "every 5 minutes",
    "download_records": "every 2 hours",
    "backup_customers": "sunday at 03:00",
}
ACCOUNTS = ("kyiv", "lviv")


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def megabytes() -> float:
    [kilobytes] = re.findall(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) / 1024


def main(days: int) -> None:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        settings = {}
        for name in ACCOUNTS:
            config = Path(folder) / name / "config.env"
            config.parent.mkdir()
            config.touch(0o600)
            lines = "".join(f"SCHEDULE_{job.upper()}={line}\n" for job, line in LINES.items())
            config.write_text(
                f"BINOTEL_KEY={name}-key\nBINOTEL_SECRET=secret\nALERT_URLS=json://127.0.0.1:9/x\n{lines}"
            )
            settings[name] = load_settings(str(config), {})
        spans = soak.uptimes(FIRST, days, seed=2)
        expected = soak.expected(dict.fromkeys(ACCOUNTS, LINES), spans, seed=2)
        before = handles()
        began, marks = time.perf_counter(), []
        runs = []
        for part in range(4):
            some = spans[len(spans) * part // 4 : len(spans) * (part + 1) // 4]
            runs += soak.play(settings, some, seed=2)
            marks.append(megabytes())
        seconds = time.perf_counter() - began
    missing, more = set(expected) - set(runs), set(runs) - set(expected)
    print(f"{days} days, {len(spans) - 1} restarts: {len(expected):,} runs expected, {len(runs):,} begun")
    print(f"{seconds / len(runs) * 1000:.1f} ms a run")
    print("peak memory after each quarter:", ", ".join(f"{mark:.1f} MB" for mark in marks))
    goal("runs lost", len(missing), at_most=0)
    goal("runs doubled, or at another time", len(more) + len(runs) - len(set(runs)), at_most=0)
    goal("open files more than before", handles() - before, at_most=0)
    goal("megabytes that the second half added", marks[3] - marks[1], at_most=2)
    end()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
