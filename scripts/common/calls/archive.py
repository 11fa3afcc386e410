"""The archive: every call that was asked for once, in the project's database, and which stretches of time are known."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy
from sqlalchemy import BigInteger, Boolean, Column, Float, SmallInteger, String, Text
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from binotel_core import account_id
from common.calls.call import GOING_ON_DISPOSITIONS, SETTLED_SECONDS, Call, Source, clean, object_in, one_call_each
from common.calls.entries import UnreadableError
from common.calls.period import INCOMING, OUTGOING, WAYS
from common.calls.views import make_views
from common.state.database import Database, for_each

DAY_SECONDS = 86400
BOTH = (INCOMING, OUTGOING)
PAGE_ROWS = 2_000  # read at once
LONGEST_INDEXED = 200  # characters: PostgreSQL's indexes take no texts that are very long
_CALL_TYPES = {INCOMING: "0", OUTGOING: "1"}
_NO_SOURCE = ("",) * len(Source._fields)

log = logging.getLogger(__name__)

_T = TypeVar("_T")
Stretch = tuple[int, int]  # of time, in Unix seconds, both inclusive

_metadata = sqlalchemy.MetaData()
CALLS = sqlalchemy.Table(
    "calls",
    _metadata,
    Column("account", String(16), primary_key=True),
    Column("id", Text, primary_key=True),  # the call's, and the recording's if it has another one
    Column("general_call_id", Text, nullable=False),
    Column("call_id", Text, nullable=False),  # of its recording
    Column("start", BigInteger, nullable=False),  # Unix seconds
    Column("local_time", Text, nullable=False),  # 2024-05-01 09:30:15, by the account's clock
    Column("direction", Text, nullable=False),  # incoming or outgoing; "" where the server does not say
    Column("number", Text, nullable=False),  # as people are shown it
    Column("number_key", Text, nullable=False),  # its last nine digits; "" of a hidden one
    Column("customer", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("is_new", Boolean, nullable=False),
    Column("line", Text, nullable=False),
    Column("line_group", Text, nullable=False),
    Column("employee", Text, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("wait_seconds", BigInteger, nullable=False),
    Column("talk_seconds", BigInteger, nullable=False),
    Column("our_number", Text, nullable=False),
    Column("our_number_name", Text, nullable=False),
    Column("utm_source", Text, nullable=False),
    Column("utm_medium", Text, nullable=False),
    Column("utm_campaign", Text, nullable=False),
    Column("utm_content", Text, nullable=False),
    Column("utm_term", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("recording_state", Text, nullable=False),
    Column("legs_name", Text, nullable=False),  # what the two calls of one conversation have in common
    Column("seen_at", Float, nullable=False),  # Unix seconds
    Column("unlisted_since", Float),  # Unix seconds; null while the server lists it
    Column("entry", Text, nullable=False),  # the server's own, as JSON
)
RUNG = sqlalchemy.Table(
    "rung",
    _metadata,
    Column("account", String(16), primary_key=True),
    Column("id", Text, primary_key=True),  # of the call
    Column("place", SmallInteger, primary_key=True),  # 0 was rung first
    Column("line", Text, nullable=False),
    Column("line_group", Text, nullable=False),
    Column("employee", Text, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("wait_seconds", BigInteger, nullable=False),
    Column("talk_seconds", BigInteger, nullable=False),
)
COVERED = sqlalchemy.Table(
    "covered",
    _metadata,
    Column("account", String(16), primary_key=True),
    Column("way", Text, primary_key=True),  # incoming, outgoing; or of what alone: line 901
    Column("first", BigInteger, primary_key=True),  # Unix seconds, both inclusive
    Column("last", BigInteger, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("doubted_from", Float),  # Unix seconds: to be asked for again then; null for good
)
# Which calls the server gave where not all of a stretch were asked for.
FOUND = sqlalchemy.Table(
    "found",
    _metadata,
    Column("account", String(16), primary_key=True),
    Column("way", Text, primary_key=True),
    Column("id", Text, primary_key=True),
)
_IN_TIME_ORDER = sqlalchemy.Index("calls_in_time_order", CALLS.c.account, CALLS.c.start, CALLS.c.id)
_BY_NUMBER = sqlalchemy.Index("calls_by_number", CALLS.c.account, CALLS.c.number_key, CALLS.c.start)
_BY_LINE = sqlalchemy.Index("calls_by_line", CALLS.c.account, CALLS.c.line)
_BY_EMPLOYEE = sqlalchemy.Index("calls_by_line_and_employee", CALLS.c.account, CALLS.c.line, CALLS.c.employee)
_HAS_LEGS = CALLS.c.legs_name != sqlalchemy.literal_column("''")
_LEGS = sqlalchemy.Index(
    "calls_legs",
    CALLS.c.account,
    CALLS.c.legs_name,
    CALLS.c.start,
    sqlite_where=_HAS_LEGS,
    postgresql_where=_HAS_LEGS,
)


def _make_tables(connection: sqlalchemy.Connection) -> None:
    if connection.dialect.name == "sqlite":
        # An earlier version has made the file, when no calls were in it.
        path = connection.exec_driver_sql("SELECT file FROM pragma_database_list WHERE name = 'main'").scalar_one()
        with suppress(OSError):
            Path(path).chmod(0o600)
    for table in _metadata.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
    for index in (_IN_TIME_ORDER, _BY_NUMBER, _BY_LINE):
        connection.execute(CreateIndex(index, if_not_exists=True))


def _speed_views_up(connection: sqlalchemy.Connection) -> None:
    # The views look for the other one of two legs, and for whose a line is.
    connection.execute(
        CALLS.update()
        .values(employee=sqlalchemy.func.substr(CALLS.c.employee, 1, LONGEST_INDEXED))
        .where(sqlalchemy.func.length(CALLS.c.employee) > LONGEST_INDEXED)
    )
    for index in (_LEGS, _BY_EMPLOYEE):
        connection.execute(CreateIndex(index, if_not_exists=True))
    connection.execute(DropIndex(_BY_LINE, if_exists=True))


ARCHIVE_PART = "calls"
ARCHIVE_STEPS = (_make_tables, make_views, _speed_views_up, make_views)
ARCHIVE_TABLES = (CALLS, RUNG, FOUND, COVERED)  # what is known of time comes last: it says what is in the others


# Who was rung is known better by then: what stood beyond it is nothing.
_RUNG_BEYOND = RUNG.delete().where(
    RUNG.c.account == sqlalchemy.bindparam("account"),
    RUNG.c.id == sqlalchemy.bindparam("id"),
    RUNG.c.place >= sqlalchemy.bindparam("place"),
)


@dataclass(frozen=True)
class Wanted:
    """Which calls are wanted: of a stretch of time, those of some directions, or what belongs to one name alone.

    first, last: Unix seconds, both inclusive
    ways:        "incoming", "outgoing", or both
    of:          "" for all; else "line 901", "number +380671234567" (see Call.shown_number) or "customer 6611"
    """

    first: int
    last: int
    ways: tuple[str, ...] = BOTH
    of: str = ""


class Archive:
    """The calls of an account, kept in the project's database: what was asked for once is not asked for again.

    database_url: see Database
    account:      the API key; only a hash of it is stored
    timezone:     the account's
    keep_days:    how long after they began calls are kept; None for ever
    options:      clock and patience_seconds, see Database

    A stretch of time is known (covered) only where Binotel's answer was complete and its calls were surely over. What
    is younger is kept, too, and is to be asked for again; and so is, a day later, a stretch without any calls. Raises
    sqlalchemy.exc.SQLAlchemyError when the database cannot be used.
    """

    def __init__(
        self, database_url: str, account: str, timezone: ZoneInfo, *, keep_days: int | None = None, **options: Any
    ) -> None:
        self.timezone = timezone
        self._account = account_id(account)
        self._keep_days = keep_days
        self._database = Database(database_url, self._account, ARCHIVE_PART, ARCHIVE_STEPS, **options)
        self._is_old_removed = False

    def covered(self, way: str, first: int, last: int) -> list[Stretch]:
        """The parts of a stretch that are known, in order. `way` is a direction, or what Wanted.of names."""
        return self._run(lambda connection, now: self._covered(connection, way, first, last, now))

    def knows(self, wanted: Wanted) -> bool:
        """Whether all that is wanted is there."""
        stretch = wanted.first, wanted.last

        def work(connection: sqlalchemy.Connection, now: float) -> bool:
            if wanted.of and self._covered(connection, wanted.of, *stretch, now) == [stretch]:
                return True
            return all(self._covered(connection, way, *stretch, now) == [stretch] for way in wanted.ways)

        return self._run(work)

    def keep(self, entries: Iterable[Any], wanted: Wanted, asked: float, *, is_complete: bool = True) -> list[Any]:
        """Keep an answer: what Binotel lists of what is wanted. All of it, or nothing.

        asked:       when, in Unix seconds by Binotel's clock
        is_complete: whether all that is wanted is surely in it; an entry that cannot be read makes it doubtful, too

        Gives the entries of calls that were over and are listed no more: they stay, marked.
        """
        calls: dict[str, tuple[Any, ...]] = {}
        rung: dict[str, list[tuple[Any, ...]]] = {}
        known_until = min(wanted.last, int(asked) - SETTLED_SECONDS)
        for entry in entries:
            try:
                call = Call.from_entry(entry, self.timezone)
            except UnreadableError:
                is_complete = False
                continue
            call_id = clean(entry.get("callID")) or call.general_call_id
            identity = call.general_call_id if call_id == call.general_call_id else f"{call.general_call_id} {call_id}"
            identity = identity[:LONGEST_INDEXED]
            calls[identity] = (
                self._account,
                identity,
                call.general_call_id,
                call_id,
                *_values(call, entry, asked),
            )
            rung[identity] = [(self._account, identity, place, *one) for place, one in enumerate(call.rung)]
            if call.disposition in GOING_ON_DISPOSITIONS and call.unix_start > asked - DAY_SECONDS:
                known_until = min(known_until, call.unix_start - 1)  # some talk for hours

        def work(connection: sqlalchemy.Connection, _: float) -> list[Any]:
            there = self._there(connection, wanted)
            gone = [row for row in there if row.id not in calls] if is_complete else []
            if {*wanted.ways} != {*BOTH}:  # a call whose direction is not told may be listed as one of the other
                gone = [row for row in gone if row.direction]
            unlisted = self._note_unlisted(connection, gone, wanted, asked) if gone else []
            changing = CALLS.c.entry, CALLS.c.unlisted_since
            self._database.write(connection, CALLS, list(calls.values()), changing, are_new=not there)
            shorter = [(self._account, row.id, len(rung[row.id])) for row in there if row.id in rung]
            for_each(connection, lambda: _RUNG_BEYOND, "rung beyond", shorter)
            rung_rows = [row for rows in rung.values() for row in rows]
            self._database.write(connection, RUNG, rung_rows, list(RUNG.columns), are_new=not there)
            if wanted.of:
                found = [(self._account, wanted.of, identity) for identity in calls]
                self._database.write(connection, FOUND, found)
            if is_complete and known_until >= wanted.first:
                for way in (wanted.of,) if wanted.of else wanted.ways:
                    self._cover(connection, way, (wanted.first, known_until), asked, is_empty=not calls)
            return unlisted

        return self._run(work)

    def entries(self, wanted: Wanted, now: float, unread: Sequence[Any] = ()) -> "ArchivedEntries":
        """The entries of what is wanted, in time order; what was `unread`, of which nobody knows the time, before them.

        now: Unix seconds. What may change from then on is read at once, and all else anew each time it is gone through.
        """
        recent = int(now) - SETTLED_SECONDS
        ready = [entry for page in self._pages(wanted, recent, wanted.last) for entry in page]
        return ArchivedEntries(lambda: self._pages(wanted, wanted.first, recent - 1), unread, ready)

    def plain_calls(self, wanted: Wanted) -> Iterator[Call]:
        """The calls of what is wanted, in time order, with what is counted of a time as a whole: who spoke and who was
        rung is not in them. Several times as fast as to read the entries."""
        columns = (CALLS.c.direction, CALLS.c.number, CALLS.c.disposition, CALLS.c.wait_seconds, CALLS.c.talk_seconds)
        pages = self._rows(wanted, wanted.first, wanted.last, *columns, CALLS.c.legs_name)
        return one_call_each(self._plain_call(*row) for page in pages for row in page)

    def _plain_call(
        self, start: int, call_id: str, direction: str, number: str, disposition: str, wait: int, talk: int, legs: str
    ) -> Call:
        moment = datetime.fromtimestamp(start, self.timezone)
        way = _CALL_TYPES.get(direction, "")
        nothing = "", "", "", "", False, False  # line, group, employee, customer, is_client, is_new
        return Call(call_id, moment, start, way, number, *nothing, disposition, wait, talk, "", "", (), None, "", legs)

    def starts(self, way: str, first: int, last: int) -> list[int]:
        """When the calls of a direction began, in Unix seconds, from `first` to `last`, in order."""
        query = sqlalchemy.select(CALLS.c.start).where(*self._of_stretch((way,), first, last)).order_by(CALLS.c.start)
        return list(self._run(lambda connection, _: connection.execute(query).scalars().all()))

    def count(self, first: int, last: int) -> int:
        """How many calls there are that began from `first` to `last`, in Unix seconds."""
        query = sqlalchemy.select(sqlalchemy.func.count()).where(*self._of_stretch(BOTH, first, last))
        return self._run(lambda connection, _: connection.execute(query).scalar_one())

    def first_known(self) -> int | None:
        """The first second that is known of any call, in Unix seconds; None of an archive in which there is nothing."""
        query = sqlalchemy.select(sqlalchemy.func.min(COVERED.c.first)).where(
            COVERED.c.account == self._account, COVERED.c.way.in_(BOTH)
        )
        return self._run(lambda connection, _: connection.execute(query).scalar())

    def starts_with(self, number: str) -> list[int]:
        """When the calls with a number began, in Unix seconds. `number` is as Call.shown_number has it."""
        query = sqlalchemy.select(CALLS.c.start).where(CALLS.c.account == self._account, CALLS.c.number == number)
        return list(self._run(lambda connection, _: connection.execute(query.order_by(CALLS.c.start)).scalars().all()))

    def forget(self, number: str) -> None:
        """Erase the calls with a number, from the file's bytes too. `number` is as Call.shown_number has it."""
        mine = (CALLS.c.account == self._account, CALLS.c.number == number)
        ids = sqlalchemy.select(CALLS.c.id).where(*mine)

        def work(connection: sqlalchemy.Connection, _: float) -> None:
            for table in (RUNG, FOUND):
                connection.execute(table.delete().where(table.c.account == self._account, table.c.id.in_(ids)))
            connection.execute(CALLS.delete().where(*mine))
            for table in (FOUND, COVERED):
                of_number = (table.c.account == self._account, table.c.way == f"number {number}")
                connection.execute(table.delete().where(*of_number))

        self._run(work)

    def _pages(self, wanted: Wanted, first: int, last: int) -> Iterator[list[str]]:
        """The entries, as texts, some at a time."""
        for rows in self._rows(wanted, first, last, CALLS.c.entry):
            yield [row.entry for row in rows]

    def _rows(self, wanted: Wanted, first: int, last: int, *columns: sqlalchemy.Column[Any]) -> Iterator[Sequence[Any]]:
        """Some of their columns, after start and id, some at a time: no other process waits until a reader has gone
        through all."""
        order = CALLS.c.start, CALLS.c.id
        first, last = max(first, wanted.first), min(last, wanted.last)
        query = sqlalchemy.select(*order, *columns).where(*self._of_stretch(wanted.ways, first, last))
        if wanted.of:
            query = query.where(self._belongs_to(wanted.of))
        query = query.order_by(*order).limit(PAGE_ROWS)
        if first > last:
            return

        def rows_of(page: sqlalchemy.Select[Any]) -> Sequence[Any]:
            return self._run(lambda connection, _: connection.execute(page).all())

        rows = rows_of(query)
        while rows:
            yield rows
            after = sqlalchemy.tuple_(*order) > sqlalchemy.tuple_(*rows[-1][:2])
            rows = rows_of(query.where(after)) if len(rows) == PAGE_ROWS else []

    def _of_stretch(self, ways: Sequence[str], first: int, last: int) -> list[sqlalchemy.ColumnElement[bool]]:
        return [
            CALLS.c.account == self._account,
            CALLS.c.start.between(first, last),
            CALLS.c.direction.in_([*ways, ""]),
        ]

    def _belongs_to(self, of: str) -> sqlalchemy.ColumnElement[bool]:
        kind, _, name = of.partition(" ")
        column = {"line": CALLS.c.line, "number": CALLS.c.number, "customer": CALLS.c.customer_id}[kind]
        found = sqlalchemy.select(FOUND.c.id).where(FOUND.c.account == self._account, FOUND.c.way == of)
        return (column == name) | CALLS.c.id.in_(found)

    def _there(self, connection: sqlalchemy.Connection, wanted: Wanted) -> Sequence[Any]:
        """Of the calls that are there already: id, start, direction."""
        query = sqlalchemy.select(CALLS.c.id, CALLS.c.start, CALLS.c.direction)
        query = query.where(*self._of_stretch(wanted.ways, wanted.first, wanted.last))
        return connection.execute(query.where(self._belongs_to(wanted.of)) if wanted.of else query).all()

    def _note_unlisted(
        self, connection: sqlalchemy.Connection, gone: Sequence[Any], wanted: Wanted, now: float
    ) -> list[Any]:
        """Mark the calls of a known stretch that are not listed any more; gives the entries of all that are marked.

        What was seen of others, while they rang perhaps, has come to nothing: it goes. An answer for one name marks
        none: it may mean less by that name than we do.
        """
        stretch = wanted.first, wanted.last
        of_name = self._covered(connection, wanted.of, *stretch, now)
        known = {way: [*self._covered(connection, way, *stretch, now), *of_name] for way in wanted.ways}

        def is_known(row: Any) -> bool:
            ways = (row.direction,) if row.direction else wanted.ways
            return all(any(first <= row.start <= last for first, last in known[way]) for way in ways)

        stay = {row.id for row in gone if is_known(row)}
        go = {row.id for row in gone} - stay
        for table in (CALLS, RUNG):
            connection.execute(table.delete().where(table.c.account == self._account, table.c.id.in_(go)))
        if wanted.of:
            return []
        theirs = (CALLS.c.account == self._account, CALLS.c.id.in_(stay))
        first_time = CALLS.update().where(*theirs, CALLS.c.unlisted_since.is_(None))
        if count := connection.execute(first_time.values(unlisted_since=now)).rowcount:
            log.warning("Binotel lists %d calls no more that it had listed before. They are kept.", count)
        entries = connection.execute(sqlalchemy.select(CALLS.c.entry).where(*theirs)).scalars()
        return [_read(entry) for entry in entries]

    def _covered(self, connection: sqlalchemy.Connection, way: str, first: int, last: int, now: float) -> list[Stretch]:
        rows = connection.execute(
            sqlalchemy.select(COVERED.c.first, COVERED.c.last)
            .where(COVERED.c.account == self._account, COVERED.c.way == way)
            .where(COVERED.c.last >= first, COVERED.c.first <= last)
            .where(COVERED.c.asked_at <= now + DAY_SECONDS)  # what a clock that was ahead has noted is not believed
            .where(COVERED.c.doubted_from.is_(None) | (COVERED.c.doubted_from > now))
        )
        return merged([(max(first, row.first), min(last, row.last)) for row in rows])

    def _cover(
        self, connection: sqlalchemy.Connection, way: str, stretch: Stretch, asked: float, *, is_empty: bool
    ) -> None:
        """Note that a stretch is known, instead of those that are parts of it.

        One odd answer decides nothing for good: without any call, it is doubted in a day's time, unless it is the
        second one.
        """
        (first, last), mine = stretch, (COVERED.c.account == self._account, COVERED.c.way == way)
        around = sqlalchemy.select(COVERED.c.first).where(*mine, COVERED.c.first <= first, COVERED.c.last >= last)
        was_empty = connection.execute(around.where(COVERED.c.doubted_from <= asked)).first()
        doubted_from = asked + DAY_SECONDS if is_empty and not was_empty else None
        parts = COVERED.delete().where(*mine, COVERED.c.first >= first, COVERED.c.last <= last)
        if doubted_from:
            parts = parts.where(COVERED.c.doubted_from.is_not(None))
        connection.execute(parts)
        for one, other in without(stretch, self._covered(connection, way, first, last, asked)):
            row = (self._account, way, one, other, asked, doubted_from)
            self._database.write(connection, COVERED, [row])

    def _run(self, work: Callable[[sqlalchemy.Connection, float], _T]) -> _T:
        """See Database.run; the first time, what is older than it may be is removed before."""

        def with_removal(connection: sqlalchemy.Connection, now: float) -> _T:
            if self._keep_days is not None and not self._is_old_removed:
                self._remove_old(connection, int(now) - self._keep_days * DAY_SECONDS, now - DAY_SECONDS)
            return work(connection, now)

        result = self._database.run(with_removal)
        self._is_old_removed = True
        return result

    def _remove_old(self, connection: sqlalchemy.Connection, oldest: int, seen_before: float) -> None:
        """Remove the calls from before a moment, but not those that were asked for just now, for a report perhaps."""
        old = (CALLS.c.account == self._account, CALLS.c.start < oldest, CALLS.c.seen_at < seen_before)
        ids = sqlalchemy.select(CALLS.c.id).where(*old)
        for table in (RUNG, FOUND):
            connection.execute(table.delete().where(table.c.account == self._account, table.c.id.in_(ids)))
        connection.execute(CALLS.delete().where(*old))
        before = (COVERED.c.account == self._account, COVERED.c.first < oldest, COVERED.c.asked_at < seen_before)
        connection.execute(COVERED.delete().where(*before, COVERED.c.last < oldest))
        connection.execute(COVERED.update().where(*before).values(first=oldest))


@dataclass
class ArchivedEntries:
    """Entries from the archive, before them what could not be read; each time it is gone through from the beginning."""

    pages: Callable[[], Iterator[list[str]]]
    unread: Sequence[Any]
    recent: Sequence[str]

    def __iter__(self) -> Iterator[Any]:
        yield from self.unread
        for page in self.pages():
            yield from map(_read, page)
        yield from map(_read, self.recent)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches that neither meet nor touch, in order, and hold the same time."""
    whole: list[Stretch] = []
    for first, last in sorted(stretches):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = whole[-1][0], max(last, whole[-1][1])
        else:
            whole.append((first, last))
    return whole


def without(stretch: Stretch, known: Sequence[Stretch]) -> list[Stretch]:
    """The parts of a stretch that are in none of some others, which are merged."""
    edges = [stretch[0], *(edge for first, last in known for edge in (first - 1, last + 1)), stretch[1]]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first <= last]


def _values(call: Call, entry: dict[str, Any], asked: float) -> tuple[Any, ...]:
    """The values of a row of CALLS, from its start on."""
    return (
        call.unix_start,
        str(call.start)[:19],
        WAYS.get(call.call_type, ""),
        call.shown_number,
        call.number_key,
        call.customer,
        clean(object_in(entry, "customerData").get("id")),
        call.is_new,
        call.line[:LONGEST_INDEXED],
        call.group,
        call.employee[:LONGEST_INDEXED],
        call.disposition,
        call.wait_seconds,
        call.talk_seconds,
        call.our_number,
        call.our_number_name,
        *(call.source or _NO_SOURCE),
        call.recording_state,
        call.legs_name,
        asked,
        None,
        _written(entry),
    )


def _written(entry: dict[str, Any]) -> str:
    try:
        return orjson.dumps(entry).decode()
    except TypeError:  # half a surrogate pair stays the escape it was; or a number has more than 64 bits
        return json.dumps(entry)


def _read(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # see _written()
        return json.loads(text)
