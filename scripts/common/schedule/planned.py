"""A job of an account that runs by itself: when it is due, what is remembered of its runs, whom its end is told."""

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy

from binotel_core import BinotelError, account_id
from common.schedule.runs import Outcome, shown_seconds
from common.schedule.trouble import ping, tell_admin
from common.settings import Settings, UsageError, job_of
from common.state.database import database_reason, database_remedy
from common.state.locks import Lock, lock
from common.state.store import Store
from common.timetable import Timetable

SCRIPTS = Path(__file__).resolve().parents[2]
ALWAYS_WITH = {"export_calls_per_day": ("--catch-up",)}
MINUTE, HOUR = 60, 3600
# A job that has not ended by then hangs. Each goes on where it stopped when it runs the next time.
LIMIT_SECONDS = {
    "export_calls_per_day": 2 * HOUR,
    "export_calls_for_period": 6 * HOUR,
    "alert_lost_calls": 15 * MINUTE,
    "alert_lines": 15 * MINUTE,
    "download_records": 12 * HOUR,
    "backup_customers": 2 * HOUR,
    "archive_calls": 12 * HOUR,
    "tell_health": 15 * MINUTE,
}
# A job that runs at a time of the day and fails is tried again so long after each failure, on the same day.
RETRIES_SECONDS = (10 * MINUTE, 30 * MINUTE, 60 * MINUTE)
TOLD_AGAIN_SECONDS = 23 * HOUR  # once a day; an hour less, for a job that runs once a day and not to the second
DATABASE_PATIENCE_SECONDS = 1  # all jobs wait for it, and so does who wants to stop the loop
DATABASE_ERRORS = (sqlalchemy.exc.SQLAlchemyError, OSError, BinotelError)  # OSError: its folder cannot be made
NOTE_ATTEMPTS, NOTE_PAUSE_SECONDS = 60, 10

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """An account whose jobs are run; `name` tells it from the others in the log, "" where it is the only one."""

    name: str
    settings: Settings

    def lock(self) -> Lock:
        """The lock that the loop has which runs the account's jobs: no other begins any of them."""
        return lock(self.settings.database_url, self.settings.key, "run_schedule", DATABASE_PATIENCE_SECONDS)

    @cached_property
    def store(self) -> Store:
        settings = self.settings
        return Store(
            settings.database_url,
            settings.key,
            "run_schedule",
            keep_days=400,
            patience_seconds=DATABASE_PATIENCE_SECONDS,
            keeps_connection=True,
        )


@dataclass
class Planned:
    """A job of an account at one of its times, and what is remembered of it between restarts.

    name:      the job's, or one that tells its several times apart (see Settings.timetables)
    timetable: None for one that is not scheduled
    by_hand:   whether somebody wants it run now, whenever it is due
    seconds_left: until it is to be looked at next, when take() was called last
    """

    account: Account
    name: str
    timetable: Timetable | None
    by_hand: bool = False
    seconds_left: float = field(default=0, init=False)
    _trouble: dict[str, float] | None = field(default=None, init=False)  # for when the database cannot be used
    _busy_since: float | None = field(default=None, init=False)  # when another copy was found running

    @property
    def id(self) -> tuple[str, str]:
        return account_id(self.account.settings.key), self.name

    @property
    def job(self) -> str:
        """The script that it runs."""
        return job_of(self.name)

    @property
    def label(self) -> str:
        """For people; of a job with several times, what it is run with tells which one."""
        arguments = self.timetable.arguments if self.timetable and self.name != self.job else ()
        return " ".join(filter(None, [self.account.name, self.job, *arguments]))

    def excludes(self, other: "Planned") -> bool:
        """Whether only one of the two can run at a time: they are the same job of an account."""
        return self.job == other.job and self.account.settings.key == other.account.settings.key

    @property
    def command(self) -> list[str]:
        """The script and its arguments."""
        path = self.account.settings.path
        arguments = self.timetable.arguments if self.timetable else ()
        config = ["--config", str(path)] if path else []
        return [str(SCRIPTS / f"{self.job}.py"), *ALWAYS_WITH.get(self.job, ()), *arguments, *config]

    @property
    def kept(self) -> dict[str, Any]:
        """What is remembered between restarts.

        timetable, next_due: when it is due next, in Unix seconds, by that line of the configuration
        is_begun:            from a run's beginning to its end; still there when the run was cut off
        retry:               while it has failed and is tried again: how often, since when, and when next
        last:                how the last run ended
        counts:              how many runs there were, and how many of these failed
        trouble:             since when it fails, until when it did, and when ADMIN_TO was told of it last; None while
                             all is well
        """
        kept: dict[str, Any] = self.account.store.get_all([self._name]).get(self._name, {})
        return kept

    def next_due_of(self, kept: dict[str, Any], now: float) -> float:
        """When it is due next, or was due while nobody looked: Unix seconds."""
        assert self.timetable  # noqa: S101 - for mypy: only what is scheduled is asked
        timezone = self.account.settings.timezone
        upcoming = self.timetable.next_due(now, timezone)
        if kept.get("timetable") != self.rule:
            return upcoming
        due = float(kept["next_due"])
        # Further away than the next but one, it was reckoned while the clock was wrong.
        return due if due <= self.timetable.next_due(upcoming, timezone) else upcoming

    def take(self) -> bool:
        """Whether a run is to be begun now: it is due, or due again after a failure, or was cut off.

        From then on it counts as begun. The database's clock decides. Raises one of DATABASE_ERRORS.
        """
        taken = False

        def change(kept: dict[str, Any] | None, now: float) -> dict[str, Any]:
            nonlocal taken
            kept = kept or {}
            assert self.timetable  # noqa: S101 - for mypy: only what is scheduled is asked
            due, retry = self.next_due_of(kept, now), kept.get("retry")
            is_due, is_again = due <= now, False
            if is_due:
                due, retry = self.timetable.next_due(now, self.account.settings.timezone), None
            # Further away than it can be, the next try was reckoned while the clock was wrong.
            elif retry and not now < retry["at"] <= now + RETRIES_SECONDS[-1]:
                is_again, retry = True, retry | {"at": due}
            taken = is_due or is_again or kept.get("is_begun", False)
            self.seconds_left = min(due, retry["at"] if retry else due) - now
            return kept | {"timetable": self.rule, "next_due": due, "is_begun": taken, "retry": retry}

        self.account.store.change(self._name, change)
        return taken

    def end(self, outcome: Outcome) -> None:
        """Remember how a run ended, and tell those who want to know. It may take minutes."""
        if outcome.is_busy:
            self._wait_for_other_copy(outcome)
            return
        self._busy_since = None
        if outcome.problem:
            self._fail(outcome)
        else:
            self._succeed(outcome)

    def _wait_for_other_copy(self, outcome: Outcome) -> None:
        log.warning("%s: another copy is running; tried again in a minute", self.label)
        self._busy_since = self._busy_since or outcome.began
        seconds = outcome.ended - self._busy_since
        if seconds > LIMIT_SECONDS[self.job]:
            problem = (
                f"Another copy of it has been running for {shown_seconds(seconds)}. If it hangs, end that process."
            )
            self._fail(dataclasses.replace(outcome, problem=problem, is_to_be_repeated=True))

    def _fail(self, outcome: Outcome) -> None:
        """People first: what went wrong may well be the disk or the database, and nothing can be remembered."""
        settings = self.account.settings
        is_said = any(outcome.problem in line for line in outcome.tail)
        why = "" if is_said else f": {outcome.problem}"
        log.error("%s: failed after %s%s", self.label, shown_seconds(outcome.seconds), why)
        ping(self.job, settings, "/fail", "\n".join(outcome.tail) or outcome.problem)
        if self._is_tried_again(outcome):
            return
        trouble = self._trouble_so_far(outcome)
        trouble.pop("until", None)
        if settings.admin_to and not 0 <= outcome.ended - trouble["told"] < TOLD_AGAIN_SECONDS:
            self._try_to_note({"trouble": trouble})  # if the mail cannot be sent, a later one says since when
            if tell_admin(self.label, outcome, trouble["since"], settings):
                trouble["told"] = outcome.ended
        # Only now: a crash before this runs it again, and tells it again.
        is_noted = self._note_end(outcome, {"trouble": trouble})
        self._trouble = None if is_noted else trouble

    def _succeed(self, outcome: Outcome) -> None:
        log.info("%s: done in %s", self.label, shown_seconds(outcome.seconds))
        kept = self._note_end(outcome, {}) or {}
        ping(self.job, self.account.settings)
        trouble = kept.get("trouble") or self._trouble
        if trouble:
            first_good = Outcome(outcome.began, trouble.setdefault("until", outcome.ended))
            is_told = tell_admin(self.label, first_good, trouble["since"], self.account.settings)
            still = None if is_told else trouble
            self._trouble = None if self._try_to_note({"trouble": still}) else still

    def _is_tried_again(self, outcome: Outcome) -> bool:
        """Whether a run that failed is begun anew before anybody is told; that is noted then."""
        daily = self.timetable is not None and not self.timetable.seconds
        if not daily or self.by_hand or outcome.is_to_be_repeated or outcome.is_usage:
            return False
        try:
            retry = self.kept.get("retry") or {"failures": 0, "since": outcome.began}
        except DATABASE_ERRORS:
            return False
        failures = retry["failures"]
        if failures == len(RETRIES_SECONDS):
            return False
        at = outcome.ended + RETRIES_SECONDS[failures]
        timezone = self.account.settings.timezone
        first, again = (datetime.fromtimestamp(moment, timezone) for moment in (retry["since"], at))
        if first.date() != again.date():
            return False
        log.warning("%s: tried again at %s", self.label, f"{again:%H:%M}")
        return self._note_end(outcome, {"retry": retry | {"failures": failures + 1, "at": at}}) is not None

    def _trouble_so_far(self, outcome: Outcome) -> dict[str, float]:
        """Since when it fails, and when people were told of it last."""
        try:
            kept = self.kept
        except DATABASE_ERRORS:
            kept = {}
        since = (kept.get("retry") or {}).get("since", outcome.began)
        return kept.get("trouble") or self._trouble or {"since": since, "told": 0}

    def _note_end(self, outcome: Outcome, more: dict[str, Any]) -> dict[str, Any] | None:
        """Remember how a run ended; gives what is remembered now, or None when that is impossible.

        It tries for long, because a run whose end is not noted is run again after a restart. Not so for what was run by
        hand, which leaves what is due as it is, nor for what is to be run again anyway.
        """
        of_plan = {} if self.by_hand else {"is_begun": outcome.is_to_be_repeated, "retry": None}
        changes = of_plan | {"last": outcome.kept} | more
        counted = [0, 0] if outcome.is_to_be_repeated else [1, int(bool(outcome.problem))]
        kept = self._try_to_note(changes, counted, is_told=True)
        for _ in range(0 if kept or self.by_hand or outcome.is_to_be_repeated else NOTE_ATTEMPTS):
            time.sleep(NOTE_PAUSE_SECONDS)
            kept = self._try_to_note(changes, counted)
            if kept:
                break
        return kept

    def _try_to_note(
        self, changes: dict[str, Any], counted: Sequence[int] = (0, 0), *, is_told: bool = False
    ) -> dict[str, Any] | None:
        """Remember these, too; gives what is remembered now, or None when that is impossible.

        counted: how many runs, and how many that failed, come to those that there were
        is_told: whether that is to be told
        """

        def change(kept: dict[str, Any] | None, _: float) -> dict[str, Any]:
            kept = kept or {}
            return (
                kept
                | changes
                | {"counts": [one + more for one, more in zip(kept.get("counts", (0, 0)), counted, strict=True)]}
            )

        try:
            kept: dict[str, Any] = self.account.store.change(self._name, change)
        except DATABASE_ERRORS as error:
            why = f"{database_reason(error)}. {database_remedy(error)}".strip()
            log.log(logging.WARNING if is_told else logging.DEBUG, "%s: its end cannot be noted: %s", self.label, why)
            return None
        return kept

    @property
    def _name(self) -> str:
        return f"runs of {self.name}"

    @property
    def rule(self) -> str:
        """When it runs, in words: what is remembered counts by these alone."""
        assert self.timetable  # noqa: S101 - for mypy: only what is scheduled is asked
        return f"{self.timetable.text} ({self.account.settings.timezone})"


class Plans:
    """The jobs of the config files, by a name that is the same on every machine; read anew when a file has changed."""

    def __init__(self, load: Callable[[], list[Account]]) -> None:
        self._load = load
        self._planned: dict[str, Planned] = {}
        self._seen: list[int] = []
        self._read()

    def current(self) -> dict[str, Planned]:
        """The jobs; those of before when a file cannot be used."""
        if self._times() != self._seen:
            self._seen = self._times()
            try:
                self._read()
            except (UsageError, OSError) as error:
                log.error("The configuration cannot be used, so all stays as it was: %s", error)
        return self._planned

    def _read(self) -> None:
        accounts = self._load()
        self._paths = [account.settings.path for account in accounts if account.settings.path]
        self._seen = self._times()
        jobs = [Planned(account, *item) for account in accounts for item in account.settings.timetables.items()]
        self._planned = {" ".join(planned.id): planned for planned in jobs}

    def _times(self) -> list[int]:
        return [path.stat().st_mtime_ns if path.exists() else 0 for path in self._paths]
