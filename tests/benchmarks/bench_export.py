"""A million calls through the whole script: seconds and peak memory of export_calls_for_period.py as a process.

    python tests/benchmarks/bench_export.py [DAYS [FORMAT ...]]

The sandbox has 12,000 calls on a working day; its quota and the script's run a thousand times faster, so that what is
measured is the work and not the waiting. 107 days (the default) are a million calls.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import processes

import export_calls_for_period
from demo import running_sandbox

CAP, TIME_SCALE = 2000, 0.001
FIRST_DAY = date(2024, 2, 1)
GOAL_MEGABYTES = 300
CONFIG = "BINOTEL_KEY=sandbox-key\nBINOTEL_SECRET=sandbox-secret\nBINOTEL_API_URL={api_url}\n"


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 107
    script = Path(export_calls_for_period.__file__)
    period = (FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
    print(f"{'format':>8} {'calls':>9} {'seconds':>8} {'peak MB':>8} {'file MB':>8}")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox("--calls-per-day", "12000", "--time-scale", str(TIME_SCALE)) as api_url,
    ):
        config = Path(folder) / "config.env"
        config.write_text(CONFIG.format(api_url=api_url))
        for ending in sys.argv[2:] or ["xlsx"]:
            path = Path(folder) / f"calls.{ending}"
            arguments = (*period, "--output", path, "--config", config, "-v")
            began = time.perf_counter()
            process = processes.start(
                script, *arguments, lowered=(CAP, TIME_SCALE), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            errors = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            assert status == 0, errors[-2000:]
            calls = int(errors.partition(" calls in ")[0].split()[-1])
            peak = usage.ru_maxrss / 1024
            verdict = "ok" if peak < GOAL_MEGABYTES else "GOAL MISSED"
            size = path.stat().st_size / 1e6
            print(f"{ending:>8} {calls:>9} {seconds:>8.0f} {peak:>8.0f} {size:>8.0f}  {verdict}", flush=True)


if __name__ == "__main__":
    main()
