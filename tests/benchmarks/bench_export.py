"""A million calls through the whole script: seconds and peak memory of export_calls_for_period.py as a process.

    python tests/benchmarks/bench_export.py [DAYS [FORMAT ...]]

The sandbox has 12,000 calls on a working day; its quota and the script's run a thousand times faster, so that what is
measured is the work and not the waiting. 107 days (the default) are a million calls.
"""

import re
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from goals import ROOT, end, goal, measured

import export_calls_for_period
from demo import running_sandbox

LOWERED = ROOT / "tests" / "end_to_end" / "lowered.py"
CAP, TIME_SCALE = 2000, 0.001
FIRST_DAY = date(2024, 2, 1)
GOAL_MEGABYTES = 300
CONFIG = "BINOTEL_KEY=sandbox-key\nBINOTEL_SECRET=sandbox-secret\nBINOTEL_API_URL={api_url}\n"


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 107
    period = (FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
    with (
        tempfile.TemporaryDirectory() as folder,
        running_sandbox("--calls-per-day", "12000", "--time-scale", str(TIME_SCALE)) as api_url,
    ):
        config = Path(folder) / "config.env"
        config.write_text(CONFIG.format(api_url=api_url))
        for ending in sys.argv[2:] or ["xlsx"]:
            path = Path(folder) / f"calls.{ending}"
            script = [LOWERED, CAP, TIME_SCALE, export_calls_for_period.__file__]
            began = time.perf_counter()
            code, _, errors, peak = measured(
                [sys.executable, *script, *period, "--output", path, "--config", config, "-v"]
            )
            seconds = time.perf_counter() - began
            assert code == 0, errors[-2000:]
            [calls] = re.findall(r"([0-9]+) calls \([0-9]+ answers\); writing the report", errors)
            size = path.stat().st_size / 1e6
            print(f"{ending}: {int(calls):,} calls in {seconds:.0f} s, a file of {size:.0f} MB", flush=True)
            goal(f"{ending}: calls of these {days} days", int(calls), at_least=9000 * days)
            goal(f"{ending}: peak megabytes", peak, at_most=GOAL_MEGABYTES)
    end()


if __name__ == "__main__":
    main()
