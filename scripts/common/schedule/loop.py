"""The loop that runs jobs at their times: what is due is begun once, what was missed or cut off is made up for."""

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import filelock

import schedule
from common.schedule.planned import DATABASE_ERRORS, LIMIT_SECONDS, TOLD_AGAIN_SECONDS, Account, Planned
from common.schedule.runs import SECONDS_TO_END, Outcome, Run
from common.schedule.trouble import ping, tell_admin
from common.settings import Settings
from common.state.database import database_reason, database_remedy
from common.state.locks import Lock, LockLostError

RETRY_SECONDS = 60  # until a run that could not be begun, or found another copy running, is tried again
LOOK_AGAIN_SECONDS = 10  # whether another loop still has an account, or the database is back
LOCK_TIMEOUT = "55P03"  # as PostgreSQL calls it
OUTAGE_SECONDS = 60  # a database that is away for less is being restarted, and nobody is told
SECONDS_TO_BE_KILLED = 2.0
# Of each job: most of the time they wait for Binotel, and a core carries some twenty. Each takes some 30 MB, and two
# connections of a database server. So many downloads do not keep an alert waiting.
MOST_AT_ONCE = 16 * (os.cpu_count() or 1)

log = logging.getLogger(__name__)


class Started(Protocol):
    """A run that was begun: see common.schedule.runs.Run."""

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
    return Run(planned.label, planned.command, limit, at_start, planned.end)


@dataclass
class Outage:
    """A database that cannot be used, so that no job of its accounts can run. Times are Unix seconds.

    told: when people were told last; 0 for never
    """

    since: float
    told: float = 0.0


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
    """Begins what is due, once; ends what hangs. tick() is to be called a few times a second.

    start:      how a run is begun
    is_stopped: whether nothing is to be begun any more
    """

    def __init__(
        self, start: Callable[[Planned], Started] = start_process, is_stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self._start = start
        self._is_stopped = is_stopped
        self._scheduler = schedule.Scheduler()
        self._running: dict[tuple[str, str], tuple[Planned, Started, Timer | None]] = {}
        self._telling: dict[tuple[str, str], threading.Thread] = {}
        self._accounts: list[Account] = []
        self._locks: dict[tuple[str, str], Lock] = {}  # by the database's URL and the key
        self._outages: dict[str, Outage] = {}  # by the database's URL
        self._looked_at = 0.0

    @property
    def is_idle(self) -> bool:
        return not self._running and not any(thread.is_alive() for thread in self._telling.values())

    @property
    def _timers(self) -> list[Timer]:
        return [job for job in self._scheduler.jobs if isinstance(job, Timer)]

    def plan(self, accounts: list[Account]) -> None:
        """Run the jobs of these accounts from now on, and no others. What is running goes on."""
        self._scheduler.clear()
        self._accounts = accounts
        for gone in self._locks.keys() - {lock_id(account) for account in accounts}:
            with suppress(*DATABASE_ERRORS):
                self._locks.pop(gone).release()
        for account in accounts:
            for name, timetable in account.settings.timetables.items():
                timer = Timer(self._scheduler)
                timer.do(self._look, Planned(account, name, timetable), timer)

    def tick(self) -> None:
        now = time.time()
        if now < self._looked_at:  # the clock was set back, so what is due next has to be reckoned anew
            for planned_timer in self._timers:
                planned_timer.due = now
        self._looked_at = now
        for job_id, (_, run, timer) in list(self._running.items()):
            run.keep_to_limit()
            if run.is_alive():
                continue
            del self._running[job_id]
            if timer and (run.outcome is None or run.outcome.is_busy):
                timer.due = now + RETRY_SECONDS
            elif timer and run.outcome and run.outcome.problem:
                timer.due = min(timer.due, now)  # it may be due again soon
        self._scheduler.run_pending()

    def begin(self, planned: Planned, timer: Timer | None = None) -> Started | None:
        """Run a job now, scheduled or not. If no process can be started, that is a failure, told as any other."""
        try:
            run = self._start(planned)
        except Exception as error:  # whatever it is, it must not end the loop of all other jobs
            words = [getattr(error, "filename", None), getattr(error, "strerror", None) or error]
            self._fail(planned, f"It could not be started: {': '.join(str(word) for word in words if word)}.")
            return None
        self._running[planned.id] = (planned, run, timer)
        return run

    def stop(self) -> None:
        """End all that is running: politely first. It takes no longer than 8 seconds."""
        runs = [run for _, run, _ in self._running.values()]
        for run in runs:
            run.stop()
        _wait_for(runs, SECONDS_TO_END)
        for run in runs:
            run.kill()
        _wait_for(runs, SECONDS_TO_BE_KILLED)

    def holds(self, account: Account) -> bool:
        """Whether this loop is the one that runs an account's jobs. Raises one of DATABASE_ERRORS."""
        mine = self._locks.get(lock_id(account)) or account.lock()
        try:
            with suppress(LockLostError):
                mine.check()
                return True
            mine.acquire()
        except filelock.Timeout:
            return False
        self._locks[lock_id(account)] = mine
        return True

    def _look(self, planned: Planned, timer: Timer) -> None:
        """Begin a job if it is due. Where it has to wait, its timer stays due, and it is looked at again."""
        telling = self._telling.get(planned.id)
        running = [other for other, _, _ in self._running.values()]
        is_busy = any(map(planned.excludes, running)) or (telling is not None and telling.is_alive())
        at_once = sum(other.job == planned.job for other in running)
        if is_busy or at_once >= MOST_AT_ONCE or self._is_stopped():
            return
        now = time.time()
        timer.due = now + RETRY_SECONDS  # unless all goes well
        try:
            if not self.holds(planned.account):
                timer.due = now + LOOK_AGAIN_SECONDS
                return
            is_taken = planned.take()
            if not is_taken or self.begin(planned, timer):
                timer.due = now + planned.seconds_left
        except DATABASE_ERRORS as error:
            timer.due = now + LOOK_AGAIN_SECONDS
            if getattr(getattr(error, "orig", None), "sqlstate", None) == LOCK_TIMEOUT:
                return  # somebody is in the middle of something that concerns this account alone
            self._note_outage(planned.account.settings.database_url, error)
        else:
            self._note_its_end(planned.account.settings.database_url)

    def _note_outage(self, database_url: str, error: Exception) -> None:
        now = time.time()
        why = f"{database_reason(error)}. {database_remedy(error)}".strip()
        problem = f"No job can run: the database cannot be used: {why}"
        if database_url not in self._outages:
            self._outages[database_url] = Outage(now)
            log.warning("%s", problem)
        outage = self._outages[database_url]
        if now - outage.since >= OUTAGE_SECONDS and not 0 <= now - outage.told < TOLD_AGAIN_SECONDS:
            outage.told = now
            log.error("%s", problem)
            self._tell_admins(database_url, Outcome(outage.since, now, problem))

    def _note_its_end(self, database_url: str) -> None:
        outage = self._outages.pop(database_url, None)
        if outage:
            log.info("The database can be used again")
        if outage and outage.told:
            self._tell_admins(database_url, Outcome(outage.since, time.time()))

    def _tell_admins(self, database_url: str, outcome: Outcome) -> None:
        """Mail that the jobs of all accounts with this database cannot run, or can run again: each ADMIN_TO once."""
        all_settings = [account.settings for account in self._accounts if account.settings.database_url == database_url]
        by_admin: dict[tuple[str, ...], Settings] = {settings.admin_to: settings for settings in all_settings}

        def tell() -> None:
            for settings in by_admin.values():
                tell_admin("run_schedule", outcome, outcome.began, settings)

        self._tell_elsewhere(("run_schedule", database_url), tell)

    def _fail(self, planned: Planned, problem: str) -> None:
        """A run that could not be begun has failed, and is to be tried again."""
        now = time.time()
        outcome = Outcome(now, now, problem, is_to_be_repeated=True)
        if not self._tell_elsewhere(planned.id, partial(planned.end, outcome)):
            log.error("%s: %s", planned.label, problem)

    def _tell_elsewhere(self, name: tuple[str, str], tell: Callable[[], None]) -> bool:
        """Tell people in a thread of its own, for it may take long; gives whether there was room for one."""
        thread = threading.Thread(target=tell, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._telling[name] = thread
        return True


def _wait_for(runs: list[Started], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for run in runs:
        run.join(max(0, deadline - time.monotonic()))


def lock_id(account: Account) -> tuple[str, str]:
    """What tells the locks of accounts apart."""
    return account.settings.database_url, account.settings.key
