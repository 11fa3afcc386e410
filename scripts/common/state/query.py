"""A query of a person's own over the project's database, which can only read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import sqlalchemy

from binotel_core import one_line
from common.state.database import database_engine, database_reason
from common.state.urls import file_of, is_server


class QueryError(Exception):
    """A query cannot be carried out: a sentence with a remedy."""


def read_only(database_url: str, sql: str) -> Iterator[tuple[Any, ...]]:
    """The names of the columns, then the rows. Raises QueryError for what is no query, or would change anything."""
    try:
        if is_server(database_url):
            with database_engine(database_url).connect() as connection:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
                # What is prepared is one statement: a second one could end the transaction, and a third one write.
                connection.connection.driver_connection.prepare_threshold = 0  # type: ignore[union-attr]
                yield from _rows(connection.exec_driver_sql(sql.replace("%", "%%")))
        else:
            # Not through the usual engine, which takes the file for itself before it reads.
            path = file_of(database_url).absolute()
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
                file.execute("PRAGMA query_only = ON")
                cursor = file.execute(sql)
                if cursor.description:
                    yield tuple(column[0] for column in cursor.description)
                    yield from cursor
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise QueryError(f"The query cannot be carried out: {one_line(str(error))}. Check it.") from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise QueryError(f"The query cannot be carried out: {database_reason(error)}. Check it.") from error


def _rows(result: Any) -> Iterator[tuple[Any, ...]]:
    if result.returns_rows:
        yield tuple(result.keys())
        yield from map(tuple, result)
