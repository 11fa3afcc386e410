"""Run every benchmark, whatever becomes of the others; the exit code is the number of goals that were missed.

python tests/benchmarks/run_all.py [NAME ...]        such as bench_signing
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
PATHS = (ROOT / "scripts", ROOT / "tests", ROOT / "tests" / "end_to_end", FOLDER)


def main(benchmarks: list[Path]) -> int:
    """The number of goals that were missed; one that ends without a word of them counts as one."""
    missed, broken = 0, []
    for benchmark in benchmarks:
        print(f"== {benchmark.stem}", flush=True)
        began = time.monotonic()
        last_line = run(benchmark)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
        goals = re.fullmatch(r"goals: [0-9]+ held, ([0-9]+) missed", last_line)
        missed += int(goals[1]) if goals else 1
        if goals is None:
            broken.append(benchmark.stem)
    if broken:
        print(f"did not come to an end: {', '.join(broken)}")
    print(f"goals missed: {missed}")
    return missed


def run(benchmark: Path) -> str:
    """Run one, its output shown as it comes; gives the last line of it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, PATHS))}
    command = [sys.executable, str(benchmark)]
    last_line = ""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            last_line = line.strip() or last_line
    return last_line


if __name__ == "__main__":
    named = [FOLDER / f"{name}.py" for name in sys.argv[1:]]
    sys.exit(min(main(named or sorted(FOLDER.glob("bench_*.py"))), 100))
