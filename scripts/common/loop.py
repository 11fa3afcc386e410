"""The loop that runs jobs at their times: what is due is begun once, what was missed or cut is made up for."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import schedule

from common.runs import SECONDS_TO_END, Outcome, Run, shown_seconds
from common.settings import Settings
from common.store import Store
from common.timetable import Timetable
from common.trouble import ping, tell_admin

SCRIPTS = Path(__file__).resolve().parents[1]
MINUTE, HOUR = 60, 3600
# A job that has not ended by then hangs. Each goes on where it stopped when it runs the next time.
LIMIT_SECONDS = {
    "export_calls_per_day": 2 * HOUR,
    "alert_lost_calls": 15 * MINUTE,
    "download_records": 12 * HOUR,
    "backup_customers": 2 * HOUR,
}
ALWAYS_WITH = {"export_calls_per_day": ("--catch-up",)}
TOLD_AGAIN_SECONDS = 23 * HOUR  # once a day; an hour less, for a job that runs once a day and not to the second
RETRY_SECONDS = 60  # until a run that could not be begun, or found another copy running, is tried again
SECONDS_TO_BE_KILLED = 2.0
# Of each job: more would only be in each other's way. So many downloads do not keep an alert waiting.
MOST_AT_ONCE = max(4, 2 * (os.cpu_count() or 1))

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """An account whose jobs are run; `name` tells it from the others in the log, "" where it is the only one."""

    name: str
    settings: Settings

    @cached_property
    def store(self) -> Store:
        return Store(self.settings.database_url, self.settings.key, "run_schedule")


@dataclass
class Planned:
    """A job of an account, and what is remembered of it between restarts.

    timetable: None for one that is only run by hand
    next_due:  Unix seconds; 0 until it is known
    """

    account: Account
    job: str
    timetable: Timetable | None
    next_due: float = field(default=0, init=False)

    @property
    def id(self) -> tuple[Path, str]:
        return self.account.settings.path, self.job

    @property
    def label(self) -> str:
        return f"{self.account.name} {self.job}".strip()

    @property
    def command(self) -> list[str]:
        """The script and its arguments."""
        settings = self.account.settings
        config = ["--config", str(settings.path)] if settings.path.exists() else []
        arguments = self.timetable.arguments if self.timetable else ()
        return [str(SCRIPTS / f"{self.job}.py"), *ALWAYS_WITH.get(self.job, ()), *arguments, *config]

    @property
    def kept(self) -> dict[str, Any]:
        """What is remembered between restarts.

        timetable, next_due: when it is due next, in Unix seconds, by that line of the configuration
        is_begun:            from a run's beginning to its end; still there after a restart, when the run was cut off
        last:                how the last run ended
        trouble:             since when it fails, and when ADMIN_TO was told of it last; None while all is well
        """
        kept: dict[str, Any] = self.account.store.get_all([self._name]).get(self._name, {})
        return kept

    def next_due_of(self, kept: dict[str, Any], now: float) -> float:
        """When it is due next, or was due while nobody looked: Unix seconds."""
        assert self.timetable  # noqa: S101 - for mypy: only what is scheduled is asked
        timezone = self.account.settings.timezone
        upcoming = self.timetable.next_due(now, timezone)
        if kept.get("timetable") != self._rule:
            return upcoming
        due = float(kept["next_due"])
        # Further away than the next but one, it was reckoned while the clock was wrong.
        return due if due <= self.timetable.next_due(upcoming, timezone) else upcoming

    def take(self, now: float) -> bool:
        """Whether a run is to be begun now, because it is due or was cut off; from then on it counts as begun."""
        taken = False

        def change(kept: dict[str, Any] | None) -> dict[str, Any]:
            nonlocal taken
            kept = kept or {}
            assert self.timetable  # noqa: S101 - for mypy: only what is scheduled is asked
            due = self.next_due_of(kept, now)
            taken = due <= now or kept.get("is_begun", False)
            self.next_due = self.timetable.next_due(now, self.account.settings.timezone) if due <= now else due
            return kept | {"timetable": self._rule, "next_due": self.next_due, "is_begun": taken}

        self.account.store.change(self._name, change)
        return taken

    def end(self, outcome: Outcome) -> None:
        """Remember how a run ended, and tell those who want to know."""
        if outcome.is_busy:
            log.warning("%s: another copy is running; tried again in a minute", self.label)
        elif outcome.problem:
            self._fail(outcome)
        else:
            self._succeed(outcome)

    def _fail(self, outcome: Outcome) -> None:
        settings = self.account.settings
        log.error("%s: failed after %s", self.label, shown_seconds(outcome.seconds))
        trouble = self.kept.get("trouble") or {"since": outcome.began, "told": 0}
        if not 0 <= outcome.ended - trouble["told"] < TOLD_AGAIN_SECONDS:
            self._note(trouble=trouble)  # if the mail cannot be sent, a later one says since when
            if tell_admin(self.label, outcome, trouble["since"], settings):
                trouble["told"] = outcome.ended
        # Only now: a crash before this runs and tells it again; the other way round it might never be told.
        self._note(trouble=trouble, is_begun=False, last=outcome.kept)
        ping(self.job, settings, "/fail", "\n".join(outcome.tail) or outcome.problem)

    def _succeed(self, outcome: Outcome) -> None:
        settings = self.account.settings
        log.info("%s: done in %s", self.label, shown_seconds(outcome.seconds))
        kept = self._note(is_begun=False, last=outcome.kept)
        ping(self.job, settings)
        trouble = kept.get("trouble")
        if trouble and tell_admin(self.label, outcome, trouble["since"], settings):
            self._note(trouble=None)

    def _note(self, **changes: object) -> dict[str, Any]:
        """Remember these, too; gives all that is remembered."""
        kept: dict[str, Any] = self.account.store.change(self._name, lambda kept: (kept or {}) | changes)
        return kept

    @property
    def _name(self) -> str:
        return f"runs of {self.job}"

    @property
    def _rule(self) -> str:
        assert self.timetable  # noqa: S101 - for mypy: only what is scheduled is asked
        return f"{self.timetable.text} ({self.account.settings.timezone})"


class Started(Protocol):
    """A run that was begun: see common.runs.Run."""

    outcome: Outcome | None

    def is_alive(self) -> bool: ...
    def keep_to_limit(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def join(self, timeout: float | None = None) -> None: ...


def start_process(planned: Planned) -> Run:
    """Run a job's script as a process of its own. Raises OSError."""
    limit = LIMIT_SECONDS[planned.job]
    at_start = partial(ping, planned.job, planned.account.settings, "/start")
    run = Run(planned.label, planned.command, limit, at_start, planned.end)
    run.start()
    return run


class Timer(schedule.Job):
    """A job of `schedule` that is due at `due`, in Unix seconds; what it runs sets that anew.

    schedule 1.2.2 by itself compares naive local times, which stand still for an hour in autumn; it runs twice what is
    due between 03:00 and 04:00 in Kyiv on the day after the clocks were put forward, and skips a midnight in autumn.
    So common.timetable reckons the moments, and they are compared in UTC, whatever the computer's own time zone.
    """

    def __init__(self, scheduler: schedule.Scheduler) -> None:
        super().__init__(1, scheduler)
        self.due = 0.0

    @property
    def due(self) -> float:
        assert self.next_run is not None  # noqa: S101 - for mypy: it is set from the beginning
        return self.next_run.replace(tzinfo=UTC).timestamp()

    @due.setter
    def due(self, moment: float) -> None:
        self.next_run = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)  # the earliest is run first

    @property
    def should_run(self) -> bool:
        return time.time() >= self.due

    def _schedule_next_run(self) -> None:
        """Leave it as what was run has set it."""


class Loop:
    """Begins what is due, once; ends what hangs. tick() is to be called every second.

    start: how a run is begun
    """

    def __init__(self, start: Callable[[Planned], Started] = start_process) -> None:
        self._start = start
        self._scheduler = schedule.Scheduler()
        self._running: dict[tuple[Path, str], tuple[Started, Timer | None]] = {}
        self._looked_at = 0.0

    @property
    def is_idle(self) -> bool:
        return not self._running

    @property
    def _timers(self) -> list[Timer]:
        return [job for job in self._scheduler.jobs if isinstance(job, Timer)]

    def plan(self, accounts: list[Account]) -> None:
        """Run the jobs of these accounts from now on, and no others. What is running goes on."""
        self._scheduler.clear()
        for account in accounts:
            for job, timetable in account.settings.timetables.items():
                timer = Timer(self._scheduler)
                timer.do(self._look, Planned(account, job, timetable), timer)

    def tick(self) -> None:
        now = time.time()
        if now < self._looked_at:  # the clock was set back, so what is due next has to be reckoned anew
            for planned_timer in self._timers:
                planned_timer.due = now
        self._looked_at = now
        for job_id, (run, timer) in list(self._running.items()):
            run.keep_to_limit()
            if run.is_alive():
                continue
            del self._running[job_id]
            if timer and (run.outcome is None or run.outcome.is_busy):
                timer.due = now + RETRY_SECONDS
        self._scheduler.run_pending()

    def begin(self, planned: Planned, timer: Timer | None = None) -> Started:
        """Run a job now, scheduled or not. Raises OSError."""
        run = self._start(planned)
        self._running[planned.id] = (run, timer)
        return run

    def stop(self) -> None:
        """End all that is running: politely first. It takes no longer than 8 seconds."""
        runs = [run for run, _ in self._running.values()]
        for run in runs:
            run.stop()
        _wait_for(runs, SECONDS_TO_END)
        for run in runs:
            run.kill()
        _wait_for(runs, SECONDS_TO_BE_KILLED)

    def _look(self, planned: Planned, timer: Timer) -> None:
        """Begin a job if it is due. Where it has to wait, its timer stays due, and it is looked at again."""
        at_once = sum(job == planned.job for _, job in self._running)
        if planned.id in self._running or at_once >= MOST_AT_ONCE:
            return
        now = time.time()
        try:
            is_taken = planned.take(now)
        except Exception as error:  # whatever it is, it must not end the loop of all other jobs
            reason = getattr(error, "orig", None) or error
            log.error("%s: the database cannot be used: %s. Check DATABASE_URL.", planned.label, reason)
            log.debug("Where it happened:", exc_info=True)
            timer.due = now + RETRY_SECONDS
            return
        timer.due = planned.next_due
        if not is_taken:
            return
        try:
            self.begin(planned, timer)
        except OSError as error:
            outcome = Outcome(now, now, f"It could not be started: {error.strerror}.")
            threading.Thread(target=planned.end, args=(outcome,), daemon=True).start()  # it may send a mail


def _wait_for(runs: list[Started], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for run in runs:
        run.join(max(0, deadline - time.monotonic()))
