"""The ledger of Binotel's quota: in an SQLite file it is the core's, on a PostgreSQL server the one here."""

import functools
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy
from sqlalchemy.schema import CreateIndex, CreateTable

from binotel_core import QUOTA_FREE_REQUESTS, QUOTA_KEPT_SECONDS, BinotelError, Reservation, StartOf
from common.state.database import Database, database_reason, database_remedy

# The core makes the same table in its SQLite file, and move_state.py copies it.
HEAVY_REQUESTS = sqlalchemy.Table(
    "heavy_requests",
    sqlalchemy.MetaData(),
    # SQLite counts by itself in a column of type INTEGER alone.
    sqlalchemy.Column("id", sqlalchemy.BigInteger().with_variant(sqlalchemy.Integer, "sqlite"), primary_key=True),
    sqlalchemy.Column("account", sqlalchemy.String(16), nullable=False),
    sqlalchemy.Column("reserved_at", sqlalchemy.Float, nullable=False),
    sqlalchemy.Column("starts_at", sqlalchemy.Float, nullable=False),
)
_OF_ACCOUNT = sqlalchemy.Index("heavy_requests_of_account", HEAVY_REQUESTS.c.account, HEAVY_REQUESTS.c.id)
# Once released, a step stays as it is, and so does the table that it makes: a new column is a step of its own.
LEDGER_STEPS = (
    lambda connection: connection.execute(CreateTable(HEAVY_REQUESTS, if_not_exists=True)),
    lambda connection: connection.execute(CreateIndex(_OF_ACCOUNT, if_not_exists=True)),
)


class ServerLedger:
    """A ledger as binotel_core.Throttle needs it, on a PostgreSQL server: see binotel_core.SqliteLedger.

    url:   see Database
    clock: Unix seconds; the server's by default, since machines' clocks may differ
    """

    def __init__(self, url: str, clock: Callable[[], float] | None = None) -> None:
        self._name = sqlalchemy.make_url(url).database
        self._database = functools.cache(
            lambda account: Database(url, account, "heavy requests", LEDGER_STEPS, clock=clock)
        )

    def reserve(self, account: str, start_of: StartOf) -> Reservation:
        """See binotel_core.SqliteLedger.reserve()."""
        ledger = HEAVY_REQUESTS
        mine = ledger.c.account == account
        columns = (ledger.c.reserved_at, ledger.c.starts_at)
        newest_first = sqlalchemy.select(*columns).where(mine).order_by(ledger.c.id.desc()).limit(QUOTA_FREE_REQUESTS)
        database = self._database(account)

        def reserve(connection: sqlalchemy.Connection, now: float) -> tuple[int, float]:
            start = start_of([(reserved, starts) for reserved, starts in connection.execute(newest_first)], now)
            connection.execute(ledger.delete().where(mine, ledger.c.starts_at < now - QUOTA_KEPT_SECONDS))
            row = {"account": account, "reserved_at": now, "starts_at": start}
            number: int = connection.execute(ledger.insert().values(row).returning(ledger.c.id)).scalar_one()
            return number, start - now

        def give_back() -> None:
            forget = ledger.delete().where(ledger.c.id == number)
            with suppress(sqlalchemy.exc.SQLAlchemyError):
                database.run(lambda connection, _: connection.execute(forget))

        try:
            number, wait_seconds = database.run(reserve)
        except sqlalchemy.exc.SQLAlchemyError as error:
            reason = database_reason(error)
            problem = f"The database that keeps Binotel's quota ({self._name}) cannot be used: {reason}."
            raise BinotelError(problem, database_remedy(error)) from error
        return wait_seconds, give_back
