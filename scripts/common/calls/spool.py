"""Answers that quota was spent on, kept on disk until the job that asked for them is done."""

import errno
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from binotel_core import BinotelError
from common.calls.call import SETTLED_SECONDS, id_of, start_of
from common.calls.period import PeriodPlan, PeriodRequest

FORGOTTEN_SECONDS = 30 * 86400
SUFFIX = ".spool"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, asked REAL NOT NULL, stop INTEGER NOT NULL, request TEXT NOT NULL, shape TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    answer INTEGER NOT NULL, start INTEGER NOT NULL, call_id TEXT NOT NULL, entry TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_in_time_order ON calls (start, call_id);
"""


class Spool:
    """The answers to a PeriodPlan's requests, in an SQLite file: whoever is killed goes on after the last of them.

    Going through it gives the entries of all calls in time order, from disk. Raises OSError when the disk is full, and
    BinotelError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self.answers = 0
        self.calls = 0
        with self._told():
            self._database = sqlite3.connect(path, isolation_level=None)
            try:
                self._database.executescript(_SCHEMA)
            except sqlite3.Error:
                self._database.close()
                raise

    def replay(self, plan: PeriodPlan) -> None:
        """Give `plan` the answers that are kept, as far as they can be trusted; the others are thrown away."""
        stop = plan.stop
        with self._told():
            kept = self._database.execute("SELECT number, asked, stop, request, shape FROM answers ORDER BY number")
            for number, asked, plan.stop, asked_for, shape in kept:
                request = plan.next_request()
                if (
                    request is None
                    or _written(request) != asked_for
                    or min(request.last, plan.stop) > asked - SETTLED_SECONDS
                    or asked > time.time()  # by a clock that was wrong
                ):
                    break
                plan.accept(request, [{"startTime": start, "callType": kind} for start, kind in json.loads(shape)])
                self.answers = number
            plan.stop = stop
            with self._transaction():
                self._database.execute("DELETE FROM calls WHERE answer > ?", [self.answers])
                self._database.execute("DELETE FROM answers WHERE number > ?", [self.answers])
            self.calls = int(self._database.execute("SELECT count(*) FROM calls").fetchone()[0])

    def add(self, request: PeriodRequest, plan: PeriodPlan, entries: list[Any], calls: list[Any]) -> None:
        """Keep an answer that `plan` has accepted: all its `entries`, and the `calls` among them that are wanted.

        When this returns it is on disk; after a crash before that, nothing is known of it, and it is asked for again.
        """
        # A plan looks at nothing else; the entries of an answer that was cut off may be twice as many as the calls.
        fields = [entry if isinstance(entry, dict) else {} for entry in entries]
        shape = json.dumps([(entry.get("startTime"), entry.get("callType")) for entry in fields])
        number = self.answers + 1
        rows = [(number, start_of(call), id_of(call), json.dumps(call)) for call in calls]
        with self._told(), self._transaction():
            answer = (number, time.time(), plan.stop, _written(request), shape)
            self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", answer)
            self._database.executemany("INSERT INTO calls VALUES (?, ?, ?, ?)", rows)
        self.answers = number
        self.calls += len(rows)

    def __iter__(self) -> Iterator[Any]:
        with self._told():
            for (entry,) in self._database.execute("SELECT entry FROM calls ORDER BY start, call_id"):
                yield json.loads(entry)

    def close(self) -> None:
        self._database.close()

    def remove(self) -> None:
        """Remove the file: the job is done."""
        self.close()
        self._path.unlink(missing_ok=True)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as sentences."""
        try:
            yield
        except sqlite3.Error as error:
            if "full" in str(error):
                raise OSError(errno.ENOSPC, "No space left for the answers", str(self._path)) from error
            raise BinotelError(
                f"{self._path} cannot be used: {error}.",
                "Check the free space and who may write there. If it is broken, remove it: all is asked for anew.",
            ) from error


def spool_path(folder: Path, job: str, account: str, wanted: list[str]) -> Path:
    """Where the answers for a job are kept that is `wanted` in this way: the same file each time it is."""
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:16]
    return folder / f"{job}-{account}-{digest}{SUFFIX}"


def remove_forgotten(folder: Path, job: str) -> None:
    """Remove the spools of a job that nobody has gone on with for a month: they hold people's calls."""
    for path in folder.glob(f"{job}-{'?' * 16}-{'?' * 16}{SUFFIX}*"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - FORGOTTEN_SECONDS:
                path.unlink()


def _written(request: PeriodRequest) -> str:
    return json.dumps(asdict(request), sort_keys=True)
