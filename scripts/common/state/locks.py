"""Locks by name, for an account, which are gone when the process that has one ends, however it ends."""

import functools
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import filelock
import sqlalchemy

from binotel_core import PATIENCE_SECONDS, BinotelError, account_id
from common.state.database import database_engine, given_up_after, when_database_answers
from common.state.urls import file_of, is_server

TRY_LOCK = sqlalchemy.text("SELECT pg_try_advisory_lock(:number)")
UNLOCK = sqlalchemy.text("SELECT pg_advisory_unlock(:number)")
ASK_AGAIN_SECONDS = 5  # a server that is away; in between it counts as away
MOST_ANSWER_SECONDS = 10


class LockLostError(BinotelError):
    """The server has dropped this job's lock, so that another copy of it may be running."""

    exit_code = 75  # of the job: EX_TEMPFAIL of sysexits.h

    def __init__(self) -> None:
        super().__init__(
            "The connection to the database was lost, and the lock of this job with it: another copy of it may be "
            "running, so this one goes no further. Run it again."
        )


class Lock(Protocol):
    """What lock() gives: a lock that can be had again when it was released or lost."""

    def acquire(self) -> object: ...
    def release(self) -> None: ...
    def check(self) -> None:
        """Raise LockLostError unless it has been ours all the time since acquire()."""

    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


def lock(database_url: str, account: str, name: str, patience_seconds: float = PATIENCE_SECONDS) -> Lock:
    """A lock for an account: a file beside an SQLite database, an advisory lock of a PostgreSQL server.

    database_url:     see Database
    account:          the API key; only a hash of it is seen
    patience_seconds: how long to wait for a server that is away

    acquire() raises filelock.Timeout when somebody has it, OSError or sqlalchemy.exc.SQLAlchemyError when there can be
    none.
    """
    if is_server(database_url):
        return ServerLock(f"{name} {account_id(account)}", _connection(database_url, patience_seconds))
    folder = file_of(database_url).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(folder / f"{name}-{account_id(account)}.lock", timeout=0, fallback_to_soft=False)


class FileLock(filelock.FileLock):
    """A file that the system unlocks when its process ends, so that a lock is never lost and never late."""

    def _acquire(self) -> None:
        try:
            super()._acquire()
        except OSError as error:
            if error.filename is None:  # of the lock, not of the file
                remedy = "This file system knows no locks. Move DATABASE_URL's file to a disk of this computer"
                raise OSError(error.errno, f"{error.strerror}. {remedy}", self.lock_file) from error
            raise

    def check(self) -> None:
        if not self.is_locked:
            raise LockLostError


class ServerLock:
    """An advisory lock of a PostgreSQL server."""

    def __init__(self, name: str, connection: "LockConnection") -> None:
        self._name = name
        self._number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._connection = connection

    def acquire(self) -> None:
        if not self._connection.take(self._number):
            raise filelock.Timeout(self._name)

    def release(self) -> None:
        self._connection.give_back(self._number)

    def check(self) -> None:
        if not self._connection.has(self._number):
            raise LockLostError

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


@functools.cache
def _connection(database_url: str, patience_seconds: float) -> "LockConnection":
    """One for all locks of the process: an agency's accounts are many, a server's connections few."""
    return LockConnection(database_url, patience_seconds)


class LockConnection:
    """The connection that the locks of a process belong to; whoever uses them does so in one thread.

    When it breaks, the locks are gone. It is made anew when a lock is taken next.
    """

    def __init__(self, database_url: str, patience_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = database_engine(database_url, patience_seconds).execution_options(isolation_level="AUTOCOMMIT")
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._connection: sqlalchemy.Connection | None = None
        self._taken: set[int] = set()
        self._away: tuple[float, sqlalchemy.exc.DBAPIError] | None = None  # until when, and why

    def take(self, number: int) -> bool:
        """Whether it could be had. Raises sqlalchemy.exc.DBAPIError."""
        if number in self._taken:
            return False
        self._connection = self._connection or self._connect()
        if not self._ask(TRY_LOCK, number):
            return False
        self._taken.add(number)
        return True

    def give_back(self, number: int) -> None:
        """Where that fails, the connection is at an end, and with it the lock."""
        if number in self._taken:
            self._taken.remove(number)
            with suppress(sqlalchemy.exc.DBAPIError):
                self._ask(UNLOCK, number)

    def has(self, number: int) -> bool:
        """Whether a lock is ours still."""
        if number in self._taken:
            with suppress(sqlalchemy.exc.DBAPIError):
                self._ask(sqlalchemy.text("SELECT 1"))
        return number in self._taken

    def _connect(self) -> sqlalchemy.Connection:
        if self._away and self._clock() < self._away[0]:
            raise self._away[1]
        try:
            connection = when_database_answers(self._engine.connect, self._patience_seconds)
        except sqlalchemy.exc.DBAPIError as error:
            self._away = (self._clock() + ASK_AGAIN_SECONDS, error)
            raise
        self._away = None
        return connection

    def _ask(self, statement: sqlalchemy.TextClause, number: int = 0) -> bool:
        connection = self._connection
        assert connection  # noqa: S101 - for mypy: who has a lock has a connection
        try:
            seconds = min(self._patience_seconds + 1, MOST_ANSWER_SECONDS)
            with given_up_after(seconds, connection.connection.driver_connection):
                return bool(connection.execute(statement, {"number": number}).scalar_one())
        except sqlalchemy.exc.DBAPIError:
            # Whatever state it is in: with it all its locks are gone.
            self._connection = None
            self._taken.clear()
            connection.invalidate()
            connection.close()
            raise
