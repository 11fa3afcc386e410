"""Whatever becomes of what a script prints: its job is done, what is told is a sentence, the exit code is right."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine

import alert_lost_calls
import backup_customers
import call_method
import download_records
import export_calls_per_day
import restore_customers
import run_schedule
from common import job
from common.settings import PROJECT_ROOT
from helpers import at

SCRIPTS = sorted((PROJECT_ROOT / "scripts").glob("*.py"))
NO_SPACE = "Standard output: No space left on device. Free some space and run this again."
NOON = at("12:00")
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox(calls_per_day=20)


def shell(line, script, *arguments):
    """Run a line of bash in which "$@" is the script with its arguments; (exit code, stdout, stderr)."""
    command = ["bash", "-o", "pipefail", "-c", line, "bash", sys.executable, str(script), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


@needs_full
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_full_output_is_told_by_every_script(script):
    assert shell('"$@" >/dev/full', script, "--help") == (1, "", f"{NO_SPACE}\n")


@needs_full
@pytest.mark.parametrize(
    ("line", "code", "lines"),
    [
        ('"$@" | head -n 1', 0, 1),
        ('"$@" | true', 0, 0),
        ('"$@" >&-', 0, 0),
        ('"$@" <&- >&- 2>&-', 0, 0),
        ('"$@" >/dev/full 2>&1', 1, 0),
        ('"$@" 2>/dev/full | head -n 1', 0, 1),
    ],
)
def test_an_output_that_nobody_reads_or_hears_is_no_trouble(line, code, lines):
    got, output, errors = shell(line, call_method.__file__, "--list")
    assert (got, len(output.splitlines()), errors) == (code, lines, "")


@needs_full
@pytest.mark.parametrize("line", ['"$@" >/dev/full 2>&1', '"$@" >&- 2>&-'])
def test_a_wrong_command_line_keeps_its_exit_code_where_nothing_can_be_told(line):
    assert shell(line, call_method.__file__, "--nonsense") == (2, "", "")


# --- In this process ---------------------------------------------------------


class Broken(io.StringIO):
    """An output that takes nothing."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))


@pytest.fixture
def run_broken(configure, monkeypatch):
    """A function that runs a script's main() at noon with an output that fails so; returns its exit code."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)

    def run_broken(script, number, *arguments, **more):
        monkeypatch.setattr(sys, "argv", [script.__file__, *map(str, arguments), "--config", str(configure(**more))])
        run = job.run_command if script is run_schedule else job.run
        with monkeypatch.context() as patch, time_machine.travel(NOON, tick=False):
            patch.setattr(sys, "stdout", Broken(number))
            with pytest.raises(SystemExit) as caught:
                run(script.main, script.__doc__, script.add_arguments)
        return caught.value.code

    return run_broken


@pytest.mark.parametrize(("number", "code", "told"), [(errno.EPIPE, 0, []), (errno.ENOSPC, 1, [NO_SPACE])])
@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (alert_lost_calls, ["--dry-run"]),
        (backup_customers, []),
        (call_method, ["stats/online-calls"]),
        (download_records, ["2024-04-30"]),
        (export_calls_per_day, ["--format", "csv"]),
        (run_schedule, ["--list"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_job_is_done_whatever_becomes_of_its_output(
    script, arguments, number, code, told, run_broken, sandbox, caplog
):
    sandbox.recordings_kbps = 8
    more = {"ALERT_TO": "a@example.com", "SMTP_HOST": "127.0.0.1", "MAIL_FROM": "b@example.com"}
    assert run_broken(script, number, *arguments, **more) == code
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [error for error in errors if "cannot be printed" not in error] == told


@pytest.mark.parametrize(("number", "code"), [(errno.EPIPE, 0), (errno.ENOSPC, 1)])
def test_customers_are_brought_back_although_the_plan_cannot_be_printed(
    number, code, run_main, run_broken, sandbox, tmp_path
):
    assert run_main(backup_customers, NOON)[0] == 0
    [backup] = (tmp_path / "backups").glob("*.json.gz")
    before = len(sandbox.customers.customers)
    for identity in list(sandbox.customers.customers)[:3]:
        del sandbox.customers.customers[identity]
    assert run_broken(restore_customers, number, backup, "--apply", "--yes") == code
    assert len(sandbox.customers.customers) == before
