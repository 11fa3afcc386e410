"""A job as a process of its own: its output goes into the log line by line, its end becomes an Outcome."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from binotel_core import one_line
from common.job import EXIT_ALREADY_RUNNING, EXIT_INTERRUPTED, EXIT_USAGE, without_secrets

SECONDS_TO_END = 4.0  # after a job was asked to end; then it is killed
SECONDS_TO_TELL = 15.0  # a monitor of the start
MAX_LINE_LENGTH = 10_000
TAIL_LINES = 30

FORKS = sys.platform == "linux"
if FORKS:
    from common.schedule.fork_server import Forked, ForkServer

    _server = ForkServer()

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    began, ended: Unix seconds
    problem:      what went wrong, a sentence; "" when all was done
    is_busy:      another copy of the job was running, so nothing was done
    is_to_be_repeated: it was not even begun
    is_usage:     the command line or the configuration is wrong, so that another try would end in the same way
    tail:         the last lines of its output
    """

    began: float
    ended: float
    problem: str = ""
    is_busy: bool = False
    is_to_be_repeated: bool = False
    is_usage: bool = False
    tail: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return max(0, self.ended - self.began)

    @property
    def kept(self) -> dict[str, object]:
        """What is remembered of it."""
        return {"began": self.began, "ended": self.ended, "problem": self.problem}


class Run(threading.Thread):
    """One run of a script, begun. It is over when is_alive() is false; then `outcome` says how it ended.

    label:         the name of the job in the log
    command:       the script and its arguments
    limit_seconds: how long it may take
    at_start:      called in a thread of its own
    at_end:        called with the outcome; not when the run was cut off, by stop() or by somebody else

    Raises OSError when no process can be started, RuntimeError when no thread can.
    """

    def __init__(
        self,
        label: str,
        command: list[str],
        limit_seconds: float,
        at_start: Callable[[], None],
        at_end: Callable[[Outcome], None],
    ) -> None:
        super().__init__(name=label, daemon=True)
        self.outcome: Outcome | None = None
        self._label = label
        self._script = Path(command[0]).stem
        self._limit_seconds = limit_seconds
        self._at_start = at_start
        self._at_end = at_end
        self._began = time.time()
        self._began_monotonic = time.monotonic()
        self._asked_to_end: float | None = None
        self._is_cut = False
        self._is_gone = False
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._error = ""
        self._process = start_process(command)
        try:
            self.start()
        except BaseException:
            self.kill()  # nobody would look after it
            raise

    def run(self) -> None:
        """Follow the process to its end."""
        telling = threading.Thread(target=self._at_start, daemon=True)
        telling.start()
        assert self._process.stdout  # noqa: S101 - for mypy: it is a pipe
        with self._process.stdout as output:
            for line in iter(lambda: output.readline(MAX_LINE_LENGTH), ""):
                self._note(one_line(line, MAX_LINE_LENGTH))
        code = self._process.wait()
        self._is_gone = True
        if self._is_cut and code != 0:
            return
        if code == EXIT_INTERRUPTED and self._asked_to_end is None:
            log.warning("%s: somebody stopped it, so it counts as cut off, and is run again", self._label)
            return
        telling.join(SECONDS_TO_TELL)  # a monitor that heard of the start last would wait for another end
        is_busy = code == EXIT_ALREADY_RUNNING
        problem = "" if is_busy else self._what_is_wrong(code)
        is_usage = code == EXIT_USAGE
        self.outcome = Outcome(
            self._began, time.time(), problem, is_busy=is_busy, is_usage=is_usage, tail=tuple(self._tail)
        )
        try:
            self._at_end(self.outcome)
        except Exception as error:
            log.error("%s: how it ended cannot be told or noted: %r", self._label, error)
            log.debug("Where it happened:", exc_info=True)

    def keep_to_limit(self) -> None:
        """End it if it has taken too long: politely first. To be called every now and then."""
        now = time.monotonic()
        if self._asked_to_end is None:
            if now - self._began_monotonic > self._limit_seconds:
                self._end()
        elif now - self._asked_to_end > SECONDS_TO_END:
            self.kill()

    def stop(self) -> None:
        """Ask it to end. Unless it is done just then, it counts as cut off, and has no outcome."""
        if not self._is_cut:
            self._is_cut = True
            self._end()

    def kill(self) -> None:
        self._signal("SIGKILL")

    def _end(self) -> None:
        self._asked_to_end = time.monotonic()
        self._signal("SIGTERM")

    def _signal(self, name: str) -> None:
        if self._is_gone:
            return  # its number may be another process's by now
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.send_signal(signal.CTRL_BREAK_EVENT) if name == "SIGTERM" else self._process.kill()
            else:
                os.killpg(self._process.pid, signal.Signals[name])

    def _note(self, line: str) -> None:
        """Put a line of its output into the log, at the level that the script gave it."""
        if not line:
            return
        match = re.fullmatch(rf"(?:[0-9-]+ [0-9:]+ )?{re.escape(self._script)}: ([A-Z]+): (.*)", line)
        level, text = (match[1], without_secrets(match[2])) if match else ("INFO", without_secrets(line))
        if level == "ERROR":
            self._error = text
        self._tail.append(without_secrets(line))
        severity = logging.getLevelNamesMapping().get(level, logging.INFO)
        log.log(max(severity, logging.INFO), "%s: %s", self._label, text)  # with -v after the |, steps are wanted

    def _what_is_wrong(self, code: int) -> str:
        if code == 0:
            return ""
        if self._asked_to_end is not None:
            return f"It had not ended within {shown_seconds(self._limit_seconds)}, and was stopped."
        if code < 0:
            name = signal.Signals(-code).name if -code in signal.Signals.__members__.values() else str(-code)
            memory = " If nobody did that, the computer may be short of memory." if name == "SIGKILL" else ""
            return f"It was killed by signal {name}.{memory}"
        if self._error:
            return self._error
        said = f"said last: {self._tail[-1]}" if self._tail else "said nothing."
        where = f" Check the arguments in SCHEDULE_{self._script.upper()}." if code == EXIT_USAGE else ""
        return f"It ended with exit code {code}, and {said}{where}"


def start_process(command: list[str]) -> "subprocess.Popen[str] | Forked":
    """Run a script with arguments as a process of its own, its output and errors in one pipe. Raises OSError.

    In a group of its own, so that Ctrl-C in a terminal reaches the loop alone, which then ends the job.
    """
    if FORKS:
        try:
            return _server.start(command)
        except ConnectionError:
            # A fresh one tells what is wrong; it may well be what this job does not need.
            log.warning("The process that jobs are forked from cannot be begun, so this one is begun without it")
    return subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        errors="replace",
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def shown_seconds(seconds: float) -> str:
    """A span of time in a log: 12 s, 5 min, 2 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
