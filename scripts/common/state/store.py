"""What the jobs remember between runs: small values under names, forgotten some time after they were last written."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy.schema import CreateTable

from binotel_core import PATIENCE_SECONDS, account_id
from common.state.database import Database

log = logging.getLogger(__name__)

DAY_SECONDS = 86400
# For what was done, and would be done again if it was not remembered: as long as a server is away that is restarted.
MORE_PATIENCE_SECONDS = 600

REMEMBERED = sqlalchemy.Table(
    "remembered",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("account", sqlalchemy.String(16), primary_key=True),
    sqlalchemy.Column("job", sqlalchemy.String(100), primary_key=True),
    sqlalchemy.Column("name", sqlalchemy.String(300), primary_key=True),
    sqlalchemy.Column("value", sqlalchemy.Text, nullable=False),
    sqlalchemy.Column("written_at", sqlalchemy.Float, nullable=False),
)
REMEMBERED_STEPS = (lambda connection: connection.execute(CreateTable(REMEMBERED, if_not_exists=True)),)


class Store:
    """The memory of one job for one account, in the project's database.

    database_url: see Database
    account:      the API key; only a hash of it is stored
    job:          the script's name
    keep_days:    how long after it was last written a value is forgotten: soon, if it concerns people
    patience_seconds, clock, keeps_connection: see Database

    What was written at a moment that is still to come was written by a clock that was wrong: it is not believed, and
    removed. Not so within a day: so far a clock is trusted (see binotel_core.ClockError), and what was done is done.

    Raises sqlalchemy.exc.SQLAlchemyError when the database cannot be used.
    """

    def __init__(
        self,
        database_url: str,
        account: str,
        job: str,
        *,
        keep_days: int,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] | None = None,
        keeps_connection: bool = False,
    ) -> None:
        self._mine = {"account": account_id(account), "job": job}
        self._keep_seconds = keep_days * DAY_SECONDS
        self._database = Database(
            database_url,
            account_id(account),
            "remembered",
            REMEMBERED_STEPS,
            clock=clock,
            patience_seconds=patience_seconds,
            keeps_connection=keeps_connection,
        )
        self._insert_or_update = self._database.insert_or_update(REMEMBERED)

    def get_all(self, names: Sequence[str]) -> dict[str, Any]:
        """The values under those of `names` that there are."""
        query = REMEMBERED.select().filter_by(**self._mine).where(REMEMBERED.c.name.in_(names))
        rows = self._database.run(lambda connection, now: connection.execute(query.where(_believed(now))).all())
        return {row.name: json.loads(row.value) for row in rows}

    def put(self, values: Mapping[str, Any], *, done: str = "") -> None:
        """Remember these values, which JSON can hold, all or none of them; forget what is old, or None by now.

        done: what was done and cannot be undone, the beginning of a sentence; then it is tried for ten minutes
        """
        more = MORE_PATIENCE_SECONDS if done else 0
        try:
            self._database.run(lambda connection, now: self._put(connection, now, values), more)
        except Exception:
            if done:
                log.error("%s, but that cannot be remembered, so the next run will do it again.", done)
            raise

    def change(self, name: str, change: Callable[[Any, float], Any]) -> Any:
        """Put, and return, what `change` makes of the value under `name` (None, if there is none) and of the time.

        No other process comes in between. Where a server goes away meanwhile, `change` is called again.
        """
        query = REMEMBERED.select().filter_by(**self._mine, name=name)

        def work(connection: sqlalchemy.Connection, now: float) -> Any:
            row = connection.execute(query.where(_believed(now))).one_or_none()
            old = json.loads(row.value) if row else None
            new = change(old, now)
            if new != old:
                self._put(connection, now, {name: new})
            return new

        return self._database.run(work)

    def _put(self, connection: sqlalchemy.Connection, now: float, values: Mapping[str, Any]) -> None:
        rows = [
            {**self._mine, "name": name, "value": json.dumps(value), "written_at": now}
            for name, value in values.items()
            if value is not None
        ]
        gone = [name for name, value in values.items() if value is None]
        is_old = (REMEMBERED.c.written_at < now - self._keep_seconds) | REMEMBERED.c.name.in_(gone)
        connection.execute(REMEMBERED.delete().filter_by(**self._mine).where(is_old | ~_believed(now)))
        if rows:
            connection.execute(self._insert_or_update, rows)


def _believed(now: float) -> sqlalchemy.ColumnElement[bool]:
    return REMEMBERED.c.written_at <= now + DAY_SECONDS


def forget_person(database_url: str, account: str, digits: str) -> int:
    """Erase all that any job of an account remembers with a telephone number in it; gives how much it was.

    digits: those that the number ends with, however it is written
    """
    database = Database(database_url, account_id(account), "remembered", REMEMBERED_STEPS)
    # In a name, or in a text of a value: digits that are a part of a time, or of another number, are not meant.
    number = re.compile(rf'(?:^|[ "-])\+?[0-9]{{0,5}}{digits}(?:$|[ "-])')

    def work(connection: sqlalchemy.Connection, _: float) -> int:
        mine = {"account": account_id(account)}
        rows = [
            row
            for row in connection.execute(REMEMBERED.select().filter_by(**mine))
            if number.search(row.name) or number.search(row.value)
        ]
        for row in rows:
            connection.execute(REMEMBERED.delete().filter_by(**mine, job=row.job, name=row.name))
        return len(rows)

    return database.run(work)
