"""What the jobs remember between runs: small values under names, forgotten some time after they were last written."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateTable

from binotel_core import PATIENCE_SECONDS, account_id, database_engine

DAY_SECONDS = 86400


class Store:
    """The memory of one job for one account, in the project's database.

    database_url: an SQLAlchemy URL of an SQLite file, made when missing
    account:      the API key; only a hash of it is stored
    job:          the script's name
    keep_days:    how long after it was last written a value is forgotten: soon, if it concerns people
    patience_seconds: how long to wait for another process that has the database for itself

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
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = database_engine(database_url, patience_seconds)
        self._mine = {"account": account_id(account), "job": job}
        self._clock = clock
        self._keep_seconds = keep_days * DAY_SECONDS
        self._is_made = False
        self._table = sqlalchemy.Table(
            "remembered",
            sqlalchemy.MetaData(),
            sqlalchemy.Column("account", sqlalchemy.String(16), primary_key=True),
            sqlalchemy.Column("job", sqlalchemy.String(100), primary_key=True),
            sqlalchemy.Column("name", sqlalchemy.String(300), primary_key=True),
            sqlalchemy.Column("value", sqlalchemy.Text, nullable=False),
            sqlalchemy.Column("written_at", sqlalchemy.Float, nullable=False),
        )
        statement = insert(self._table)
        new = {"value": statement.excluded.value, "written_at": statement.excluded.written_at}
        self._upsert = statement.on_conflict_do_update(set_=new)

    def get_all(self, names: Sequence[str]) -> dict[str, Any]:
        """The values under those of `names` that there are."""
        mine = self._table.select().filter_by(**self._mine)
        with self._begin() as connection:
            rows = connection.execute(mine.where(self._table.c.name.in_(names))).all()
        return {row.name: json.loads(row.value) for row in rows}

    def put(self, values: Mapping[str, Any]) -> None:
        """Remember these values, which JSON can hold, all or none of them; forget what is old."""
        with self._begin() as connection:
            self._put(connection, values)

    def change(self, name: str, change: Callable[[Any], Any]) -> Any:
        """Put, and return, what `change` makes of the value under `name` (None, if there is none).

        No other process comes in between.
        """
        table = self._table
        with self._begin() as connection:
            row = connection.execute(table.select().filter_by(**self._mine, name=name)).one_or_none()
            old = json.loads(row.value) if row else None
            new = change(old)
            if new != old:
                self._put(connection, {name: new})
            return new

    @contextmanager
    def _begin(self) -> Iterator[sqlalchemy.Connection]:
        try:
            with self._engine.begin() as connection:
                if not self._is_made:
                    connection.execute(CreateTable(self._table, if_not_exists=True))
                yield connection
                self._is_made = True
        except sqlalchemy.exc.SQLAlchemyError:
            self._is_made = False  # the file may have been removed meanwhile
            raise

    def _put(self, connection: sqlalchemy.Connection, values: Mapping[str, Any]) -> None:
        now = self._clock()
        rows = [
            {**self._mine, "name": name, "value": json.dumps(value), "written_at": now}
            for name, value in values.items()
        ]
        is_old = self._table.c.written_at < now - self._keep_seconds
        connection.execute(self._table.delete().filter_by(**self._mine).where(is_old))
        connection.execute(self._upsert, rows)
