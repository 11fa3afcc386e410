"""Locks by name, for an account, which are gone when the process that has one ends, however it ends."""

import hashlib
from types import TracebackType
from typing import Protocol, Self

import filelock
import sqlalchemy

from binotel_core import PATIENCE_SECONDS, account_id, database_engine, is_server, when_server_answers
from common.settings import Settings

TRY_LOCK = sqlalchemy.text("SELECT pg_try_advisory_lock(:number)")


class Lock(Protocol):
    """What lock() gives. Any thread may release it; it may be acquired again."""

    def acquire(self) -> object: ...
    def release(self) -> None: ...
    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


def lock(name: str, settings: Settings, patience_seconds: float = PATIENCE_SECONDS) -> Lock:
    """A lock for an account: a file beside an SQLite database, an advisory lock of a PostgreSQL server.

    patience_seconds: how long to wait for a server that is away

    acquire() raises filelock.Timeout when somebody has it, OSError or sqlalchemy.exc.SQLAlchemyError when there can be
    none.
    """
    if is_server(settings.database_url):
        return ServerLock(settings.database_url, f"{name} {account_id(settings.key)}", patience_seconds)
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.state_dir / f"{name}-{account_id(settings.key)}.lock"
    return filelock.FileLock(path, timeout=0, thread_local=False)


class ServerLock:
    """An advisory lock of a PostgreSQL server, held by a connection of its own."""

    def __init__(self, database_url: str, name: str, patience_seconds: float) -> None:
        self._engine = database_engine(database_url).execution_options(isolation_level="AUTOCOMMIT")
        self._name = name
        self._patience_seconds = patience_seconds
        self._number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._connection: sqlalchemy.Connection | None = None

    def acquire(self) -> None:
        connection = when_server_answers(self._engine.connect, self._patience_seconds)
        try:
            is_mine = connection.execute(TRY_LOCK, {"number": self._number}).scalar_one()
        except BaseException:
            connection.close()
            raise
        if not is_mine:
            connection.close()
            raise filelock.Timeout(self._name)
        self._connection = connection

    def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # with the connection the lock is gone
            connection.close()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()
