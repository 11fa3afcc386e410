"""Run the jobs at their times, for months: what was missed is made up for, what fails is told.

    python scripts/run_schedule.py                                    the jobs of config.env
    python scripts/run_schedule.py kyiv/config.env lviv/config.env    those of several accounts
    python scripts/run_schedule.py --list                             when they run, and how they ended
    python scripts/run_schedule.py --once backup_customers            one now
    python scripts/run_schedule.py --worker kyiv/config.env           one of several machines, with PostgreSQL

When a job runs is said by SCHEDULE_<JOB>. A job that fails is mailed to ADMIN_TO, and HEALTHCHECK_URL_<JOB> is called.
SIGTERM or Ctrl-C ends the loop and what it runs; what was cut off is run again when it starts. SIGHUP has it read the
configuration again; in a terminal it ends the loop, for the terminal was closed.
"""

import argparse
import logging
import os
import signal
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import common  # isort: skip  # noqa: F401 - says which Python has the others
import filelock

from common.job import EXIT_ALREADY_RUNNING, EXIT_FAILED, hide_in_log, is_watched, log_to_file, print_out, run_command
from common.schedule.loop import Loop
from common.schedule.planned import DATABASE_ERRORS, Account, Planned
from common.schedule.runs import shown_seconds
from common.settings import JOBS, Settings, SettingsError, UsageError, load_settings
from common.state.locks import lock
from common.state.urls import is_server

TICK_SECONDS = 0.25
SECONDS_TO_WAIT = 5

log = logging.getLogger("schedule loop")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help="a config file for each account")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show each job, its next run, and how the last one ended")
    what.add_argument("--worker", action="store_true", help="be one of several machines' workers (PostgreSQL)")
    what.add_argument("--once", metavar="JOB", choices=JOBS, help=f"run a job now: {', '.join(JOBS)}")
    parser.add_argument("--log", metavar="FILE", type=Path, help="log to this file, and begin a new one at 10 MB")


def main(name: str, arguments: argparse.Namespace) -> int:
    """Read the configuration, and do what was asked for."""
    if arguments.log:
        log_to_file(arguments.log, name)
    accounts = load_accounts(arguments)
    if arguments.list:
        print_out("\n".join(table(accounts)))
        if not any(account.settings.timetables for account in accounts):
            print_out("No SCHEDULE_ key is filled in. README shows some.")
        return 0
    if arguments.worker:
        return work(arguments)
    signals = Signals()
    return once(arguments.once, accounts, signals) if arguments.once else serve(accounts, arguments, signals)


class Signals:
    """What the process was asked for by signals; the loop looks at it a few times a second."""

    def __init__(self) -> None:
        self.is_stopped = False
        self.is_reload_wanted = False
        for number in (signal.SIGTERM, signal.SIGINT, *filter(None, [getattr(signal, "SIGBREAK", None)])):
            signal.signal(number, self._stop)
        if hasattr(signal, "SIGHUP"):
            # To a terminal's program it means that the terminal was closed.
            signal.signal(signal.SIGHUP, self._stop if is_watched() else self._reload)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_stopped = True

    def _reload(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_reload_wanted = True


def serve(accounts: list[Account], arguments: argparse.Namespace, signals: Signals) -> int:
    """Run the jobs at their times until the process is asked to stop."""
    if not any(account.settings.timetables for account in accounts):
        raise UsageError("No SCHEDULE_ key is filled in, so there is nothing to run. README shows some.")
    tell_steps(arguments)
    loop = Loop(is_stopped=lambda: signals.is_stopped)
    loop.plan(accounts)
    for account in accounts:
        if is_run_elsewhere(account, loop):
            log.error("Another loop runs %s jobs: end it first.", f"{account.name}'s" if account.name else "these")
            return EXIT_ALREADY_RUNNING
    log.info("Started, process %d: %s", os.getpid(), planned_text(accounts))
    try:
        while not signals.is_stopped:
            if signals.is_reload_wanted:
                signals.is_reload_wanted = False
                reload(loop, arguments)
            loop.tick()
            time.sleep(TICK_SECONDS)
    finally:
        loop.stop()
    log.info("Stopped")
    return 0


def work(arguments: argparse.Namespace) -> int:
    """Be a worker until the process is asked to stop."""
    [database_url, *others] = {account.settings.database_url for account in load_accounts(arguments)}
    if others or not is_server(database_url):
        raise UsageError(
            "Workers on several machines need one PostgreSQL server: write its address into each DATABASE_URL. "
            "On one machine, start the loop: leave --worker out."
        )
    try:
        from common.schedule import queue
    except ImportError:
        raise UsageError("For workers, run pip install -r requirements-postgresql.txt.") from None
    tell_steps(arguments)
    try:
        queue.work(database_url, lambda: load_accounts(arguments))
    except queue.DATABASE_AWAY as error:
        log.error("The database is away, so this worker ends: its supervisor is to start it again. %s", error)
        return EXIT_FAILED
    log.info("Stopped")
    return 0


def tell_steps(arguments: argparse.Namespace) -> None:
    if not (arguments.quiet or arguments.verbose):
        logging.root.setLevel(logging.INFO)  # a loop that says nothing could as well be dead


def is_run_elsewhere(account: Account, loop: Loop) -> bool:
    """Whether another loop runs an account's jobs. One that is just ending, or a --list, is waited for."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    with suppress(*DATABASE_ERRORS):  # the loop waits for a database that is away, and tells people
        while not loop.holds(account):
            if time.monotonic() > deadline:
                return True
            time.sleep(TICK_SECONDS / 10)
    return False


def reload(loop: Loop, arguments: argparse.Namespace) -> None:
    """Read the configuration again. One that cannot be used changes nothing."""
    try:
        accounts = load_accounts(arguments)
    except (SettingsError, UsageError, OSError, RuntimeError) as error:
        log.error("The configuration was read again, and cannot be used, so all stays as it was: %s", error)
        return
    loop.plan(accounts)
    if planned_text(accounts):
        log.info("Read the configuration again: %s", planned_text(accounts))
    else:
        log.warning("Read the configuration again: no SCHEDULE_ key is filled in any more, so nothing will run")


def once(job: str, accounts: list[Account], signals: Signals) -> int:
    """Run a job now, for one account after the other, as the loop would."""
    code = 0
    for account in accounts:
        for planned in planned_of(account, job, by_hand=True):
            loop = Loop()
            run = loop.begin(planned)
            while not loop.is_idle:
                if signals.is_stopped:
                    loop.stop()
                    raise KeyboardInterrupt
                time.sleep(TICK_SECONDS / 10)
                loop.tick()
            if run is None or run.outcome is None or run.outcome.problem:
                code = EXIT_FAILED
            elif run.outcome.is_busy:
                code = code or EXIT_ALREADY_RUNNING
    return code


def planned_of(account: Account, job: str, *, by_hand: bool = False) -> list[Planned]:
    """A job at each of its times, or at none."""
    times = [Planned(account, *item, by_hand=by_hand) for item in account.settings.timetables.items()]
    return [planned for planned in times if planned.job == job] or [Planned(account, job, None, by_hand=by_hand)]


def load_accounts(arguments: argparse.Namespace) -> list[Account]:
    """The accounts of the config files. Raises SettingsError with the faults of all of them, and UsageError."""
    configs = [*arguments.configs, *([arguments.config] if arguments.config else [])] or [None]
    if len(set(configs)) < len(configs):
        raise UsageError("A config file is named twice: leave one out.")
    all_settings: list[Settings] = []
    faults: list[str] = []
    for config in configs:
        try:
            all_settings.append(load_settings(config))
        except SettingsError as error:
            faults += error.faults
    if faults:
        raise SettingsError(*faults)
    belongings = {
        "BINOTEL_KEY": [settings.key for settings in all_settings],
        "REPORTS_DIR": [str(settings.reports_dir.resolve()) for settings in all_settings],
        "BACKUPS_DIR": [str(settings.backups_dir.resolve()) for settings in all_settings],
        "RECORDS_URL": [settings.records_url for settings in all_settings],
    }
    for key, values in belongings.items():
        if len(set(values)) < len(values):
            files = ", ".join(
                str(s.path) for s, value in zip(all_settings, values, strict=True) if values.count(value) > 1
            )
            where = "the environment, where it wins over " if os.environ.get(key) else ""
            raise UsageError(f"{key} is the same in {where}{files}: each account needs its own.")
    for settings in all_settings:
        hide_in_log(settings.secrets)
    paths = [settings.path or Path() for settings in all_settings]
    folders = [path.parent.name for path in paths]
    names = folders if len(set(folders)) == len(folders) else list(map(str, paths))
    return [
        Account(name if len(configs) > 1 else "", settings) for name, settings in zip(names, all_settings, strict=True)
    ]


def planned_text(accounts: list[Account]) -> str:
    return "; ".join(
        f"{planned.label} {when_text(planned)}"
        for account in accounts
        for planned in (Planned(account, *item) for item in account.settings.timetables.items())
    )


def table(accounts: list[Account]) -> list[str]:
    """A line a job: when it runs, when next, and how it ended; in columns."""
    rows = [("job", "when", "next run", "last run", "took", "result")]
    for account in accounts:
        for planned in (planned for job in JOBS for planned in planned_of(account, job)):
            kept = planned.kept
            if planned.timetable or kept:
                rows.append((planned.label, when_text(planned), next_text(planned, kept), *last_texts(planned, kept)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def when_text(planned: Planned) -> str:
    return planned.timetable.line if planned.timetable else "not scheduled"


def next_text(planned: Planned, kept: dict[str, Any]) -> str:
    if not planned.timetable:
        return ""
    if kept.get("is_begun"):
        try:
            with lock(planned.account.settings.database_url, planned.account.settings.key, planned.job):
                return "as soon as the loop runs: it was cut off"
        except filelock.Timeout:
            return "running now"
    now = time.time()
    due = planned.next_due_of(kept, now)
    if retry := kept.get("retry"):
        due = min(due, retry["at"])
    late = " (overdue: is the loop running?)" if due < now - 2 else ""
    return f"{moment(due, planned)}{late}"


def last_texts(planned: Planned, kept: dict[str, Any]) -> tuple[str, str, str]:
    """When it ran last, how long that took, and how it ended."""
    if not (last := kept.get("last")):
        return "never", "", ""
    result = last["problem"] or "done"
    if last["problem"] and (since := (kept.get("trouble") or {}).get("since")):
        result = f"fails since {moment(since, planned)}: {result}"
    return moment(last["began"], planned), shown_seconds(max(0, last["ended"] - last["began"])), result


def moment(seconds: float, planned: Planned) -> str:
    return f"{datetime.fromtimestamp(seconds, planned.account.settings.timezone):%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    run_command(main, __doc__, add_arguments)
