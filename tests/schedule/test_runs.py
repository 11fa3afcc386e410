"""A job as a real process: what it says goes into the log, and however it ends, the end is known."""

import gc
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.job import hide_in_log
from common.schedule import runs
from common.schedule.runs import Outcome, Run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")

IGNORES_SIGTERM = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\n"


@pytest.fixture(params=["forked", "fresh"] if sys.platform == "linux" else ["fresh"])
def start(request, tmp_path, monkeypatch):
    """A function that starts a script with this text as a run; the outcomes it told are in `start.told`."""
    monkeypatch.setattr(runs, "SECONDS_TO_END", 0.1)
    monkeypatch.setattr(runs, "FORKS", request.param == "forked")

    def start(text, limit_seconds=60):
        path = tmp_path / "my_job.py"
        path.write_text(text)
        return Run("kyiv my_job", [str(path)], limit_seconds, lambda: None, start.told.append)

    start.told = []
    return start


def ended(run):
    """The outcome of a run that is looked after as the loop does."""
    deadline = time.monotonic() + 20
    while run.is_alive() and time.monotonic() < deadline:
        run.keep_to_limit()
        time.sleep(0.01)
    assert not run.is_alive()
    return run.outcome


def test_its_lines_go_into_the_log_whole_with_its_name_and_its_levels(start, caplog):
    caplog.set_level(logging.INFO)
    text = """
import os, sys
print("reports/calls-2024-05-01.xlsx", flush=True)
os.write(2, b"2024-05-02 07:30:00 my_job: WARN")
os.write(2, "ING: Слабкий сигнал\\n2024-05-02 07:30:00 my_job: ERROR: It broke. Mend it.\\n".encode())
os.write(2, b"\\xff\\x1b[31m red\\r\\n\\n")
sys.exit(1)
"""
    run = start(text)
    outcome = ended(run)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "kyiv my_job: reports/calls-2024-05-01.xlsx"),
        ("WARNING", "kyiv my_job: Слабкий сигнал"),
        ("ERROR", "kyiv my_job: It broke. Mend it."),
        ("INFO", "kyiv my_job: � [31m red"),
    ]
    assert start.told == [outcome]
    assert outcome == Outcome(
        outcome.began,
        outcome.ended,
        "It broke. Mend it.",
        tail=(
            "reports/calls-2024-05-01.xlsx",
            "2024-05-02 07:30:00 my_job: WARNING: Слабкий сигнал",
            "2024-05-02 07:30:00 my_job: ERROR: It broke. Mend it.",
            "� [31m red",
        ),
    )


@pytest.mark.parametrize(
    ("text", "problem", "is_busy"),
    [
        ("print('done')", "", False),
        ("raise SystemExit(75)", "", True),
        ("raise SystemExit(3)", "It ended with exit code 3, and said nothing.", False),
        ("1/0", "It ended with exit code 1, and said last: ZeroDivisionError: division by zero", False),
        (
            "import os; os.kill(os.getpid(), 9)",
            "It was killed by signal SIGKILL. If nobody did that, the computer may be short of memory.",
            False,
        ),
        ("import ctypes; ctypes.string_at(0)", "It was killed by signal SIGSEGV.", False),
    ],
)
def test_however_it_ends_the_end_is_known(text, problem, is_busy, start):
    outcome = ended(start(text))
    assert outcome.problem.startswith(problem)
    assert (bool(outcome.problem), outcome.is_busy) == (bool(problem), is_busy)


@pytest.mark.parametrize("wants", [f"{IGNORES_SIGTERM}time.sleep(60)", "import time; time.sleep(60)"])
def test_one_that_hangs_is_ended_with_all_it_has_started_even_if_it_does_not_want_to(wants, start):
    child = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {IGNORES_SIGTERM + 'time.sleep(60)'!r}])\n"
    )
    run = start(f"{child}{wants}", limit_seconds=0.5)
    outcome = ended(run)
    assert outcome.problem == "It had not ended within 0 s, and was stopped."
    assert outcome.seconds < 10
    assert processes_of_group(run._process.pid) == []


def test_one_that_is_stopped_has_no_outcome_unless_it_was_done(start):
    cut = start(f"print('ready', flush=True)\n{'import time; time.sleep(60)'}")
    wait_for_line(cut, "ready")
    cut.stop()
    assert ended(cut) is None
    done = start(
        "import signal, time\nsignal.signal(15, lambda *_: exit(0))\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    wait_for_line(done, "ready")
    done.stop()
    assert ended(done).problem == ""
    assert start.told == [done.outcome]


def test_one_that_somebody_else_stops_counts_as_cut_off(start, caplog):
    assert ended(start("raise SystemExit(130)")) is None
    assert start.told == []
    assert [record.getMessage() for record in caplog.records] == [
        "kyiv my_job: somebody stopped it, so it counts as cut off, and is run again"
    ]


def test_endless_output_without_a_line_fills_no_memory(start):
    outcome = ended(start("import sys\nfor _ in range(100): sys.stdout.write('x' * 100_000)"))
    assert sum(map(len, outcome.tail)) <= runs.TAIL_LINES * runs.MAX_LINE_LENGTH


def test_no_secret_is_in_what_is_told(start, caplog, monkeypatch):
    monkeypatch.setattr("common.job._hidden", set())
    hide_in_log(["my-own-secret"])
    outcome = ended(start("raise ValueError('my-own-secret')"))
    assert "my-own" not in caplog.text + str(outcome)
    assert outcome.problem == "It ended with exit code 1, and said last: ValueError: ***"


def test_hundreds_of_runs_leave_nothing_behind(start):
    ended(start("pass"))
    gc.collect()  # or what other tests have left open is cleared up meanwhile
    before = open_files()
    for number in range(60):
        ended(start("import os; os.kill(os.getpid(), 9)" if number % 3 else "pass"))
    assert open_files() == before
    assert len(start.told) == 61
    assert zombies() == []


def zombies():
    listing = subprocess.run(["ps", "-eo", "ppid=,stat="], capture_output=True, text=True, check=True).stdout
    return [line for line in map(str.split, listing.splitlines()) if line[0] == str(os.getpid()) and line[1][0] == "Z"]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_for_line(run, line):
    deadline = time.monotonic() + 20
    while line not in run._tail and time.monotonic() < deadline:
        time.sleep(0.01)
    assert line in run._tail


def processes_of_group(group):
    listing = subprocess.run(["ps", "-eo", "pgid=,stat=,pid="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [pid for of_group, state, pid in rows if int(of_group) == group and not state.startswith("Z")]
