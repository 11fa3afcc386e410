"""Copy what the scripts remember, the calls too, from an SQLite file to the PostgreSQL server that DATABASE_URL names.

    python scripts/move_state.py                                from var/binotel.db beside the config file
    python scripts/move_state.py /opt/binotel/var/binotel.db

Stop run_schedule.py and whatever else starts jobs, write the server's DATABASE_URL into the config file, run this, and
start them again. The file stays as it is. This can be run again: what is newer on the server is kept.
"""

import argparse
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import common  # isort: skip  # noqa: F401 - says which Python has the others
import filelock
import sqlalchemy
from sqlalchemy.dialects.postgresql import insert

from binotel_core import account_id
from common.calls.archive import ARCHIVE_PART, ARCHIVE_STEPS, ARCHIVE_TABLES, CALLS
from common.job import Job, print_out, run
from common.settings import UsageError
from common.state.database import Database
from common.state.ledger import HEAVY_REQUESTS, LEDGER_STEPS
from common.state.store import REMEMBERED, REMEMBERED_STEPS
from common.state.urls import FILE, is_server

ROWS_AT_ONCE = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the SQLite file (default: var/binotel.db)")


def main(job: Job) -> None:
    """Copy all tables, with all accounts that are in the file."""
    settings = job.settings
    if not is_server(settings.database_url):
        raise UsageError(
            "DATABASE_URL names no server: write postgresql+psycopg://user:password@host/name there first."
        )
    path = (job.arguments.file or settings.state_dir / "binotel.db").resolve()
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file. Name the SQLite file that DATABASE_URL named before.")
    with ExitStack() as stack:
        for lock in sorted(path.parent.glob("*.lock")):
            try:
                stack.enter_context(filelock.FileLock(lock, timeout=0))
            except filelock.Timeout:
                raise UsageError(f"A job is running with {path} ({lock.stem}): stop it, then run this again.") from None
        values, requests, calls = (
            [Database(url, account_id(settings.key), part, steps) for url in (f"{FILE}{path}", settings.database_url)]
            for part, steps in (
                ("remembered", REMEMBERED_STEPS),
                ("heavy requests", LEDGER_STEPS),
                (ARCHIVE_PART, ARCHIVE_STEPS),
            )
        )
        copied, all_values = copy_values(*values)
        copy_requests(*requests)
        copied_calls, all_calls = copy_archive(*calls)
    print_out(f"{copied} of {all_values} remembered values were copied, the others are on the server already.")
    print_out(f"{copied_calls} of {all_calls} calls were copied, the others are on the server already.")


def copy_values(source: Database, target: Database) -> tuple[int, int]:
    """What jobs remember, but what is as new or newer in the target; gives how much was copied, and of how much."""
    rows = rows_of(REMEMBERED, source)
    statement = insert(REMEMBERED)
    new = {"value": statement.excluded.value, "written_at": statement.excluded.written_at}
    upsert = statement.on_conflict_do_update(
        index_elements=list(REMEMBERED.primary_key.columns),
        set_=new,
        where=REMEMBERED.c.written_at < statement.excluded.written_at,
    ).returning(REMEMBERED.c.name)
    copied = target.run(lambda connection, _: sum(len(connection.execute(upsert, row).all()) for row in rows))
    return copied, len(rows)


def copy_requests(source: Database, target: Database) -> None:
    """The quota's ledger, in its order, under numbers of the target's own; of accounts that have none there yet."""
    rows = rows_of(HEAVY_REQUESTS, source)

    def copy(connection: sqlalchemy.Connection, _: float) -> None:
        there = set(connection.execute(sqlalchemy.select(HEAVY_REQUESTS.c.account)).scalars())
        for row in rows:
            if row["account"] not in there:
                connection.execute(HEAVY_REQUESTS.insert(), {name: row[name] for name in row if name != "id"})

    target.run(copy)


def copy_archive(source: Database, target: Database) -> tuple[int, int]:
    """The calls, what belongs to them, and what is known of time, where the target has none; gives how many calls."""
    before = target.run(count_of_calls)
    for table in ARCHIVE_TABLES:
        keys = list(table.primary_key.columns)
        new = insert(table).on_conflict_do_nothing(index_elements=keys)
        rows = rows_after(table, (), source)
        while rows:
            target.run(partial(execute, new, rows))
            rows = rows_after(table, tuple(rows[-1][key.name] for key in keys), source)
    return target.run(count_of_calls) - before, source.run(count_of_calls)


def execute(statement: Any, rows: list[dict[str, Any]], connection: sqlalchemy.Connection, _: float) -> None:
    connection.execute(statement, rows)


def rows_after(table: sqlalchemy.Table, last: tuple[Any, ...], database: Database) -> list[dict[str, Any]]:
    """Some rows of a table, those after one with this primary key."""
    keys = table.primary_key.columns
    query = table.select().order_by(*keys).limit(ROWS_AT_ONCE)
    if last:
        query = query.where(sqlalchemy.tuple_(*keys) > sqlalchemy.tuple_(*last))
    return database.run(lambda connection, _: [dict(row) for row in connection.execute(query).mappings()])


def count_of_calls(connection: sqlalchemy.Connection, _: float) -> int:
    return int(connection.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(CALLS)).scalar_one())


def rows_of(table: sqlalchemy.Table, database: Database) -> list[dict[str, Any]]:
    query = table.select().order_by(*table.primary_key.columns)
    return database.run(lambda connection, _: [dict(row) for row in connection.execute(query).mappings()])


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
