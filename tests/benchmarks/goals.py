"""What benchmarks hold themselves to: a line a goal with what was got; the exit code tells how many were missed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NoReturn

LAUNCHER = Path(__file__).with_name("launcher.py")
ROUNDS = 3

_missed: list[str] = []
_held: list[str] = []


def goal(
    what: str, got: float | Sequence[float], *, at_most: float | None = None, at_least: float | None = None
) -> None:
    """Print whether a goal holds. Of several measurements the median counts, and their spread is shown."""
    values = sorted(got) if isinstance(got, Sequence) else [got]
    middle = median(values)
    holds = (at_most is None or middle <= at_most) and (at_least is None or middle >= at_least)
    bound = f"<= {at_most:,g}" if at_most is not None else f">= {at_least:,g}"
    spread = f" ({shown(values[0])} to {shown(values[-1])})" if len(values) > 1 else ""
    print(f"{what}: goal {bound} / got {shown(middle)}{spread} / {'holds' if holds else 'MISSED'}", flush=True)
    (_held if holds else _missed).append(what)


def shown(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 100 and value != int(value) else f"{value:,.0f}"


def end() -> NoReturn:
    """The last line of a benchmark: the exit code is the number of goals that were missed."""
    print(f"goals: {len(_held)} held, {len(_missed)} missed")
    sys.exit(min(len(_missed), 100))


def by_turns(one: Callable[[], float], other: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """How many times `other` is in `one`, in pairs: what else the machine does hits both."""
    return [one() / other() for _ in range(rounds)]


def measured(command: Sequence[object], **options: object) -> tuple[int, str, str, float]:
    """(exit code, stdout, stderr, peak megabytes) of a process.

    What the system says of a child's memory includes that of whoever forked it, so a small process does it.
    """
    reading, writing = os.pipe()
    launch = [sys.executable, "-S", "-E", str(LAUNCHER), str(writing), *map(str, command)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(launch, pass_fds=[writing], **(pipes | options)) as process:  # type: ignore[call-overload]
        os.close(writing)
        output, errors = process.communicate()
    with os.fdopen(reading) as report:
        code, kilobytes = json.load(report)
    return code, output, errors, kilobytes / 1024
