"""What benchmarks hold themselves to: a line a goal with what was got; the exit code tells how many were missed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NoReturn

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
LAUNCHER = FOLDER / "launcher.py"
ROUNDS = 3

# Each benchmark imports this first, so that it can be run by itself.
sys.path[:0] = map(str, (ROOT / "scripts", ROOT / "tests", ROOT))
# The environment wins over a benchmark's config: it must not lead to the account of whoever runs it.
for _name in re.findall("^#?([A-Z_]+)=", (ROOT / "config.example.env").read_text(encoding="utf-8"), re.MULTILINE):
    os.environ.pop(_name, None)

_missed: list[str] = []
_held: list[str] = []
_not_measured: list[str] = []


def goal(
    what: str, got: float | Sequence[float], *, at_most: float | None = None, at_least: float | None = None
) -> None:
    """Print whether a goal holds. Of several measurements the median counts, and their spread is shown."""
    values = sorted(got) if isinstance(got, Sequence) else [got]
    middle = median(values)
    holds = (at_most is None or middle <= at_most) and (at_least is None or middle >= at_least)
    bound = f"<= {shown(at_most)}" if at_most is not None else f">= {shown(at_least or 0)}"
    spread = f" ({shown(values[0])} to {shown(values[-1])})" if len(values) > 1 else ""
    print(f"{what}: goal {bound} / got {shown(middle)}{spread} / {'holds' if holds else 'MISSED'}", flush=True)
    (_held if holds else _missed).append(what)


def not_measured(what: str, why: str) -> None:
    """Print that a goal can neither hold nor be missed on this machine."""
    print(f"{what}: NOT MEASURED: {why}", flush=True)
    _not_measured.append(what)


def shown(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 100 and value != int(value) else f"{value:,.0f}"


def end() -> NoReturn:
    """The last line of a benchmark: the exit code is the number of goals that were missed."""
    print(f"goals: {len(_held)} held, {len(_missed)} missed, {len(_not_measured)} not measured")
    sys.exit(min(len(_missed), 100))


def by_turns(one: Callable[[], float], other: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """How many times `other` is in `one`, in pairs: what else the machine does hits both."""
    return [one() / other() for _ in range(rounds)]


def measured(command: Sequence[object]) -> tuple[int, str, str, float]:
    """(exit code, stdout, stderr, peak megabytes) of a process.

    What the system says of a child's memory includes that of whoever forked it, so a small process does it.
    """
    reading, writing = os.pipe()
    launch = [sys.executable, "-S", "-E", str(LAUNCHER), str(writing), *map(str, command)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(launch, pass_fds=[writing], **pipes) as process:  # type: ignore[call-overload]
        os.close(writing)
        output, errors = process.communicate()
    with os.fdopen(reading) as report:
        code, kilobytes = json.load(report)
    return code, output, errors, kilobytes / 1024
