"""Tables in the project's database: in an SQLite file that processes share, or on a PostgreSQL server, for machines."""

import functools
import importlib
import logging
import math
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError as SQLAlchemyError
from sqlalchemy.schema import CreateTable

from binotel_core import PATIENCE_SECONDS, BinotelError, check_not_emptied, file_remedy, one_line
from common.files import sync
from common.state.urls import file_of, is_server

_T = TypeVar("_T")

log = logging.getLogger(__name__)

FEW_ROWS = 100  # a server takes so many as soon one by one as all at once
COPY, COPIES_KEPT = ".before-update", 3
HALTED_SECONDS = 30.0  # after that, a process that is in the middle of a server's transaction loses it


class Database:
    """Tables in the project's database, shared by processes, and with PostgreSQL by machines.

    url:     an SQLAlchemy URL: of an SQLite file, made when missing, or postgresql+psycopg://user:password@host/name
    account: its account_id(); a transaction has for itself what concerns the account (with SQLite, all of the database)
    part:    the name of the tables that `steps` make
    steps:   make and upgrade these tables, each once in the life of a database; a later version adds steps at the end
    clock:   Unix seconds; by default the server's clock, for machines may differ, and with SQLite this machine's
    patience_seconds: how long to wait for another process that has it, or for a server that is away
    keeps_connection: whether a connection to a server is kept for the next transaction, not made anew for each
    """

    def __init__(
        self,
        url: str,
        account: str,
        part: str,
        steps: Sequence[Callable[[sqlalchemy.Connection], object]],
        *,
        clock: Callable[[], float] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        keeps_connection: bool = False,
    ) -> None:
        self._engine = (_shared_engine if keeps_connection else database_engine)(url, patience_seconds)
        self._lock = int.from_bytes(bytes.fromhex(account), signed=True)
        self._part = part
        self._steps = steps
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._is_ready = False
        self._is_server = is_server(url)
        self._file = None if self._is_server else file_of(url)

    def run(self, work: Callable[[sqlalchemy.Connection, float], _T], more_patience_seconds: float = 0) -> _T:
        """What `work` gives, called in one transaction with the connection and the time.

        A server that is away is waited for; then all of `work` is done again. Raises sqlalchemy.exc.SQLAlchemyError, or
        OSError when an SQLite file's folder cannot be made, or BinotelError when a newer version has made the tables.
        """

        def once() -> _T:
            try:
                with (
                    self._engine.connect() as connection,
                    given_up_after(self._patience_seconds + 2, connection.connection.driver_connection),
                    connection.begin(),
                ):
                    if self._is_server:
                        connection.execute(_LOCK, {"lock": self._lock})
                    if not self._is_ready:
                        self._prepare(connection)
                    result = work(connection, self._now(connection))
            except sqlalchemy.exc.DBAPIError:
                self._is_ready = False  # the file may have been removed meanwhile
                raise
            self._is_ready = True
            return result

        # An SQLite file that another process has is waited for by SQLite itself.
        patience_seconds = self._patience_seconds if self._is_server else 0
        return when_database_answers(once, patience_seconds + more_patience_seconds)

    def insert_or_update(self, table: sqlalchemy.Table, differing: Sequence[sqlalchemy.Column[Any]] = ()) -> Any:
        """A statement that inserts rows; where there is one with that primary key already, it is updated.

        differing: only if one of these columns has another value; without any, always
        """
        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._engine.dialect.name}")  # the other one is slow
        statement = dialect.insert(table)
        values = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
        keys = list(table.primary_key.columns)
        if not values:
            return statement.on_conflict_do_nothing(index_elements=keys)
        changes = [column.is_distinct_from(statement.excluded[column.name]) for column in differing]
        where = sqlalchemy.or_(*changes) if changes else None
        return statement.on_conflict_do_update(index_elements=keys, set_=values, where=where)

    def write(
        self,
        connection: sqlalchemy.Connection,
        table: sqlalchemy.Table,
        rows: Sequence[tuple[Any, ...]],
        differing: Sequence[sqlalchemy.Column[Any]] = (),
        *,
        are_new: bool = False,
    ) -> None:
        """Insert rows, with a value for each column; where there is one with that primary key, see insert_or_update().

        Each primary key may stand in one of the rows only.

        are_new: whether as a rule none of them is there; then it is quicker
        """
        if self._is_server and len(rows) > FEW_ROWS:
            # A server takes a third of the time for them when all come at once.
            if are_new:
                with suppress(sqlalchemy.exc.IntegrityError), connection.begin_nested():
                    _copy(connection, table.name, rows)
                    return
            copy = sqlalchemy.table(f"new_{table.name}", *(sqlalchemy.column(column.name) for column in table.columns))
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {copy.name} (LIKE {table.name}) ON COMMIT DROP")
            _copy(connection, copy.name, rows)
            statement = self.insert_or_update(table, differing)
            connection.execute(statement.from_select(list(table.columns), sqlalchemy.select(copy)))
        else:
            for_each(connection, lambda: self.insert_or_update(table, differing), table.name, rows)

    def _now(self, connection: sqlalchemy.Connection) -> float:
        if self._clock:
            return self._clock()
        return float(connection.execute(_SERVER_CLOCK).scalar_one()) if self._is_server else time.time()

    def _prepare(self, connection: sqlalchemy.Connection) -> None:
        """Take the steps that this database lacks; an SQLite file that has some of them is copied before."""
        if self._steps_taken(connection) == len(self._steps):
            return
        if self._is_server:
            connection.execute(_LOCK, {"lock": 0})  # other accounts make the same tables
        connection.execute(CreateTable(_STEPS_TAKEN, if_not_exists=True))
        taken = self._steps_taken(connection)
        if taken and self._file:
            copy = copied(self._file)
            log.warning("The database is brought up to this version of the scripts. As it was, it is kept as %s", copy)
        for step in self._steps[taken:]:
            step(connection)
        row = {"part": self._part, "steps": len(self._steps)}
        connection.execute(self.insert_or_update(_STEPS_TAKEN), row)

    def _steps_taken(self, connection: sqlalchemy.Connection) -> int:
        if not sqlalchemy.inspect(connection).has_table(_STEPS_TAKEN.name):
            return 0
        mine = _STEPS_TAKEN.c.part == self._part
        taken = connection.execute(sqlalchemy.select(_STEPS_TAKEN.c.steps).where(mine)).scalar() or 0
        if taken > len(self._steps):
            raise BinotelError(
                "A newer version of these scripts has changed the database, and this one does not know it.",
                "Update the scripts on this computer, or use another DATABASE_URL.",
            )
        return taken


def copied(file: Path) -> Path:
    """Keep a copy of an SQLite file beside it, whole or not at all, and no more than the newest COPIES_KEPT.

    One a day: an update changes one part of the file after the other, and the copy is of what was before all of them.
    Raises BinotelError when there can be none.
    """
    copy = file.with_name(f"{file.name}.{date.today()}{COPY}")  # noqa: DTZ011 - for people, here
    if copy.exists():
        return copy
    part = copy.with_suffix(".part")
    try:
        for left in file.parent.glob(f"{file.name}.*.part"):  # who has the transaction is the only one that copies
            left.unlink()
        part.touch(0o600)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        sync(part)
        part.replace(copy)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        problem = f"{file} is to be brought up to this version, and cannot be copied before: {one_line(str(error))}."
        raise BinotelError(problem, "Nothing was changed. Make room for a copy of it, and run this again.") from error
    for old in sorted(copies_of(file))[:-COPIES_KEPT]:
        old.unlink(missing_ok=True)
    return copy


def copies_of(file: Path) -> list[Path]:
    """The copies of an SQLite file that were kept before it was changed."""
    return list(file.parent.glob(f"{file.name}.*{COPY}"))


_statements: dict[tuple[str, str], str] = {}  # as the driver takes them, by dialect and name
_STEPS_TAKEN = sqlalchemy.Table(
    "schema_steps",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("part", sqlalchemy.String(100), primary_key=True),
    sqlalchemy.Column("steps", sqlalchemy.Integer, nullable=False),
)
_LOCK = sqlalchemy.text("SELECT pg_advisory_xact_lock(:lock)")
_SERVER_CLOCK = sqlalchemy.text("SELECT extract(epoch FROM clock_timestamp())")
# What a server says of a DATABASE_URL that is wrong: waiting would not help.
_WRONG_URL = re.compile(
    "authentication failed|does not exist|pg_hba.conf|not known|permission denied|support SSL|certificate",
    re.IGNORECASE,
)


def for_each(
    connection: sqlalchemy.Connection, make: Callable[[], Any], name: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Execute the statement that `make` gives, known by a name, with the values of each row in its parameters' order.

    Straight by the driver: for so many rows SQLAlchemy takes longer than the database itself.
    """
    if rows:
        key = connection.dialect.name, name
        if key not in _statements:
            _statements[key] = re.sub(r"%\(\w+\)s", "%s", str(make().compile(dialect=connection.dialect)))
        connection.exec_driver_sql(_statements[key], rows)


def _copy(connection: sqlalchemy.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put rows into a table of a server's. Raises sqlalchemy.exc.DBAPIError."""
    driver, dialect = connection.connection.driver_connection, connection.dialect
    statement = f"COPY {table} FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copying:  # type: ignore[union-attr]
            for row in rows:
                copying.write_row(row)
    except dialect.loaded_dbapi.Error as error:
        # SQLAlchemy knows of no COPY: what is raised everywhere else is made here.
        is_away = dialect.is_disconnect(error, driver, None)
        raise sqlalchemy.exc.DBAPIError.instance(
            statement, None, error, dialect.loaded_dbapi.Error, connection_invalidated=is_away, dialect=dialect
        ) from error


def when_database_answers(work: Callable[[], _T], patience_seconds: float) -> _T:
    """What `work` gives; while it finds the database away or locked, it is called again, for so long at the most."""
    deadline, pause, is_told = time.monotonic() + patience_seconds, 0.5, patience_seconds < 10
    while True:
        try:
            return work()
        except sqlalchemy.exc.DBAPIError as error:
            # It is invalidated, too, when the server has ended it because this process was halted.
            is_away = isinstance(error, sqlalchemy.exc.OperationalError) or error.connection_invalidated
            if not is_away or time.monotonic() + pause > deadline or _WRONG_URL.search(str(error.orig)):
                raise
            if not is_told:
                log.info("Waiting for the database, for up to %.0f s: %s", patience_seconds, database_reason(error))
            is_told = True
            time.sleep(pause)
            pause = min(2 * pause, 10)


def database_reason(error: Exception) -> str:
    """Why a database cannot be used, without the statement and its parameters, and without a full stop."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, BinotelError):
        return str(error).rstrip(".")
    text = str(getattr(error, "orig", None) or error)
    first, _, rest = text.partition("\n")  # what follows there is advice that leads nowhere
    return one_line(f"{first} {rest}" if first.endswith(":") else first).rstrip(".")


def database_remedy(error: Exception) -> str:
    """What to do when a database cannot be used, where the reason does not say it."""
    if isinstance(error, BinotelError):
        return ""
    if type(getattr(error, "orig", None)).__module__.startswith("psycopg"):
        return "Check DATABASE_URL, the server, and the network to it."
    return file_remedy(error)


@contextmanager
def given_up_after(seconds: float, dbapi_connection: Any) -> Iterator[None]:
    """Cut a connection to a server that stops answering while its machine, or what is in between, keeps it open.

    Then sqlalchemy.exc.OperationalError is raised. Nothing else ends such a wait, not even a signal. A file of SQLite
    has no such trouble.

    dbapi_connection: the driver's own
    """
    if isinstance(dbapi_connection, sqlite3.Connection):
        yield
        return
    own = socket.fromfd(dbapi_connection.fileno(), -1, -1)  # a second handle, which nobody else can close

    def cut() -> None:
        with suppress(OSError):
            own.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        own.close()


def database_engine(
    url: str, patience_seconds: float = PATIENCE_SECONDS, pool: type[sqlalchemy.Pool] = sqlalchemy.NullPool
) -> sqlalchemy.Engine:
    """A database as SQLAlchemy knows it. A connection is closed when it is given back, unless `pool` keeps it.

    patience_seconds: how long to wait for another process that has an SQLite file or a lock for itself
    """
    if is_server(url):
        return _server_engine(url, patience_seconds, pool)
    arguments = {"timeout": patience_seconds, "isolation_level": None}
    path = file_of(url)
    # Not from the URL's text, in which a ? or a # would have a meaning.
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)), poolclass=sqlalchemy.NullPool, connect_args=arguments
    )

    def begin(connection: sqlalchemy.Connection) -> None:
        # Python's sqlite3 would begin a transaction that reads first and fails when it has to write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def connect(*_: object) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_not_emptied(path)

    def set_up(connection: Any, _record: object) -> None:
        # What is deleted concerns people: it is overwritten, not only forgotten.
        connection.execute("PRAGMA secure_delete = ON")

    sqlalchemy.event.listen(engine, "begin", begin)
    sqlalchemy.event.listen(engine, "do_connect", connect)
    sqlalchemy.event.listen(engine, "connect", set_up)
    return engine


def _server_engine(url: str, patience_seconds: float, pool: type[sqlalchemy.Pool]) -> sqlalchemy.Engine:
    of_session = {
        # The server finds out within 20 seconds that a machine is gone, and drops its locks.
        "tcp_keepalives_idle": 10,
        "tcp_keepalives_interval": 3,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
        # A process that is halted (a laptop that sleeps) must not hold up all others: both in milliseconds.
        "idle_in_transaction_session_timeout": math.ceil(HALTED_SECONDS * 1000),
        "lock_timeout": math.ceil(patience_seconds * 1000),
    }
    arguments = {
        "application_name": "binotel",
        "connect_timeout": min(10, max(2, math.ceil(patience_seconds))),  # seconds; libpq knows no less than 2
        # And a process that the server is gone.
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": min(10_000, max(5_000, math.ceil(patience_seconds * 1000))),  # milliseconds
    }
    kept: dict[str, Any] = {} if pool is sqlalchemy.NullPool else {"pool_size": 1, "max_overflow": -1}
    engine = sqlalchemy.create_engine(
        url,
        poolclass=pool,
        # Who waited for the account's lock must see what was done meanwhile, whatever the server's default is.
        isolation_level="READ COMMITTED",
        connect_args=arguments,
        **kept,
    )

    def set_up(connection: Any, _record: object) -> None:
        # Not as options of the connection, which poolers refuse.
        with given_up_after(patience_seconds + 2, connection):
            connection.execute("; ".join(f"SET {name} = {value}" for name, value in of_session.items()))
            connection.commit()

    sqlalchemy.event.listen(engine, "connect", set_up)
    return engine


@functools.cache
def _shared_engine(url: str, patience_seconds: float) -> sqlalchemy.Engine:
    """One for all accounts of a process that is about it all the time."""
    return database_engine(url, patience_seconds, sqlalchemy.QueuePool)
