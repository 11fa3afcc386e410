"""Run every benchmark, whatever becomes of the others; the exit code is the number of goals that were missed.

python tests/benchmarks/run_all.py [NAME ...]        such as bench_signing
"""

import re
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LAST_LINE = "goals: ([0-9]+) held, ([0-9]+) missed, ([0-9]+) not measured"


def main(benchmarks: list[Path]) -> int:
    """The number of goals that were missed; one that ends without a word of them counts as one."""
    missed, not_measured, broken = 0, 0, []
    for benchmark in benchmarks:
        print(f"== {benchmark.stem}", flush=True)
        began = time.monotonic()
        code, last_line = run(benchmark)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
        goals = re.fullmatch(LAST_LINE, last_line)
        held, lost, unknown = map(int, goals.groups()) if goals else (0, 0, 0)
        if bool(code) != bool(lost) or not held + lost + unknown:
            broken.append(benchmark.stem)
            lost += 1
        missed += lost
        not_measured += unknown
    if broken:
        print(f"did not come to an end: {', '.join(broken)}")
    print(f"goals missed: {missed}, not measured: {not_measured}")
    return missed


def run(benchmark: Path) -> tuple[int, str]:
    """Run one, its output shown as it comes; gives its exit code, and the last line."""
    command = [sys.executable, str(benchmark)]
    last_line = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            last_line = line.strip() or last_line
    return process.returncode, last_line


if __name__ == "__main__":
    named = [FOLDER / f"{name}.py" for name in sys.argv[1:]]
    sys.exit(min(main(named or sorted(FOLDER.glob("bench_*.py"))), 100))
