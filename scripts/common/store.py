"""What the jobs remember between runs: small values under names, forgotten 30 days after they were last written."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateTable

from binotel_core import account_id, database_engine

FORGOTTEN_SECONDS = 30 * 86400


class Store:
    """The memory of one job for one account, in the project's database.

    database_url: an SQLAlchemy URL of an SQLite file, made when missing
    account:      the API key; only a hash of it is stored
    job:          the script's name

    Raises sqlalchemy.exc.SQLAlchemyError when the database cannot be used.
    """

    def __init__(self, database_url: str, account: str, job: str, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = database_engine(database_url)
        self._mine = {"account": account_id(account), "job": job}
        self._clock = clock
        self._table = sqlalchemy.Table(
            "remembered",
            sqlalchemy.MetaData(),
            sqlalchemy.Column("account", sqlalchemy.String(16), primary_key=True),
            sqlalchemy.Column("job", sqlalchemy.String(100), primary_key=True),
            sqlalchemy.Column("name", sqlalchemy.String(300), primary_key=True),
            sqlalchemy.Column("value", sqlalchemy.Text, nullable=False),
            sqlalchemy.Column("written_at", sqlalchemy.Float, nullable=False),
        )

    def get_all(self, names: Sequence[str]) -> dict[str, Any]:
        """The values under those of `names` that there are."""
        table = self._table
        with self._engine.begin() as connection:
            connection.execute(CreateTable(table, if_not_exists=True))
            rows = connection.execute(table.select().filter_by(**self._mine)).all()
        wanted = set(names)
        return {row.name: json.loads(row.value) for row in rows if row.name in wanted}

    def put(self, values: Mapping[str, Any]) -> None:
        """Remember these values, which JSON can hold, all or none of them; forget what is old."""
        table, now = self._table, self._clock()
        rows = [
            {**self._mine, "name": name, "value": json.dumps(value), "written_at": now}
            for name, value in values.items()
        ]
        with self._engine.begin() as connection:
            connection.execute(CreateTable(table, if_not_exists=True))
            connection.execute(table.delete().where(table.c.written_at < now - FORGOTTEN_SECONDS))
            statement = insert(table)
            new = {"value": statement.excluded.value, "written_at": statement.excluded.written_at}
            connection.execute(statement.on_conflict_do_update(set_=new), rows)
