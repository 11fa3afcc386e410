"""What was asked for once is kept whole, and which stretches of time are known is never claimed too early."""

import json
import sqlite3
from datetime import date

import pytest
import sqlalchemy

from binotel_core import BinotelError
from common.calls.archive import ARCHIVE_STEPS, CALLS, COVERED, FOUND, RUNG, Archive, Wanted, merged
from common.state.database import copied, copies_of, database_engine
from helpers import KYIV, at, entry

HOUR = 3600
NOON = int(at("12:00").timestamp())
MORNING = Wanted(NOON - 6 * HOUR, NOON - 1)
LATER = NOON + 3 * HOUR  # the calls of the morning are surely over


@pytest.fixture
def archive(any_database_url):
    return Archive(any_database_url, "key", KYIV, clock=lambda: LATER)


@pytest.fixture
def table(any_database_url):
    """A function that gives the rows of a table, without the account."""

    def rows(of, *columns):
        with database_engine(any_database_url).connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.select(*(of.c[name] for name in columns)))]

    return rows


def entries(archive, wanted=MORNING, now=LATER):
    return list(archive.entries(wanted, now))


CALLS_OF_MORNING = [
    entry("09:30", "NOANSWER", generalCallID="3", dstNumbers=[{"dstNumber": "801 > 901", "disposition": "BUSY"}]),
    entry("09:30", generalCallID="4", callType="1"),
    entry("11:00", generalCallID="1", customerData={"name": "Ґ\x00\ud800 'x'; DROP TABLE calls", "id": 66}),
]


def test_what_is_kept_is_given_back_as_it_was_in_time_order(archive):
    archive.keep(reversed(CALLS_OF_MORNING), MORNING, LATER)
    assert entries(archive) == CALLS_OF_MORNING
    assert entries(archive, Wanted(MORNING.first, MORNING.last, ("incoming",))) == CALLS_OF_MORNING[::2]
    assert entries(archive, Wanted(MORNING.first, NOON - 2 * HOUR)) == CALLS_OF_MORNING[:2]
    assert archive.starts("incoming", MORNING.first, NOON) == [NOON - 9000, NOON - 3600]


def test_a_call_has_columns_that_a_person_would_ask_for(archive, table):
    archive.keep(CALLS_OF_MORNING[:1], MORNING, LATER)
    columns = "id start direction number number_key customer line employee disposition wait_seconds our_number".split()
    assert table(CALLS, *columns) == [
        ("3", NOON - 9000, "incoming", "+380671234567", "671234567", "", "902", "Олена", "NOANSWER", 4, "0443334001")
    ]
    assert table(RUNG, "id", "place", "line", "line_group", "disposition") == [("3", 0, "901", "801", "BUSY")]


def test_much_is_read_in_pages(archive, monkeypatch):
    monkeypatch.setattr("common.calls.archive.PAGE_ROWS", 3)
    calls = [entry(f"10:0{index // 4}", generalCallID=f"{index:02}") for index in range(13)]
    archive.keep(calls, MORNING, LATER)
    assert entries(archive) == calls
    assert entries(archive, now=NOON + HOUR) == calls  # some of them are read at once


def test_much_is_kept_at_once(archive, table):
    odd = "\t\\N \\. \\x41\n\r'\"\\"
    before = [entry(f"09:{index % 60:02}", generalCallID=f"{index:03}", smsContent=odd) for index in range(300)]
    archive.keep([*before, *before[:9]], MORNING, NOON)  # an answer may list a call twice
    rung = [{"dstNumber": "901"}, {"dstNumber": "902", "employeeName": odd}]
    after = [one | {"waitsec": index % 2, "dstNumbers": rung[: index % 3]} for index, one in enumerate(before)]
    archive.keep(after, MORNING, LATER)
    assert sorted(entries(archive), key=lambda call: call["generalCallID"]) == after
    assert len(table(RUNG, "id")) == 100 + 100 + 200  # who answers was rung, too
    archive.keep(after[:150], MORNING, LATER)
    assert len(table(CALLS, "id")) == 300


def test_much_that_was_kept_at_another_time_is_replaced(archive, table):
    for hour in ("09", "10"):
        stretch = Wanted(int(at(f"{hour}:00").timestamp()), int(at(f"{hour}:59").timestamp()))
        calls = [entry(f"{hour}:{index % 60:02}", generalCallID=f"{index:03}") for index in range(200)]
        archive.keep(calls, stretch, LATER)
    assert len(table(CALLS, "id")) == len(table(RUNG, "id")) == 200
    assert {start for (start,) in table(CALLS, "start")} == {NOON - 7200 + 60 * minute for minute in range(60)}


def test_a_stretch_is_known_until_three_hours_before_it_was_asked_for(archive):
    asked = NOON + HOUR
    archive.keep(CALLS_OF_MORNING, MORNING, asked)
    assert archive.covered("incoming", MORNING.first, MORNING.last) == [(MORNING.first, asked - 3 * HOUR)]
    assert not archive.knows(MORNING)
    assert entries(archive, now=asked) == CALLS_OF_MORNING  # what is younger is there all the same
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    assert archive.knows(MORNING)


def test_a_call_that_goes_on_for_hours_is_asked_for_again(archive):
    long = entry("10:30", "ONLINE", generalCallID="8")
    archive.keep([*CALLS_OF_MORNING, long], MORNING, LATER)
    assert archive.covered("incoming", MORNING.first, MORNING.last) == [(MORNING.first, NOON - 5401)]
    archive.keep([*CALLS_OF_MORNING, long], MORNING, LATER + 86400)  # nobody talks as long as that
    assert archive.knows(MORNING)


def test_what_has_only_begun_makes_nothing_known(archive, table):
    archive.keep([], MORNING, MORNING.first + HOUR)
    assert table(COVERED, "first") == []


@pytest.mark.parametrize(
    ("more", "options"), [(["odd"], {}), ([{"generalCallID": "9"}], {}), ([], {"is_complete": False})]
)
def test_an_answer_that_is_not_complete_is_kept_and_makes_nothing_known(more, options, archive, table):
    archive.keep([*CALLS_OF_MORNING, *more], MORNING, LATER, **options)
    assert entries(archive) == CALLS_OF_MORNING
    assert table(COVERED, "first") == []


def test_known_stretches_of_one_way_grow_together(archive, table):
    for first, last in ((0, 9), (20, 29), (10, 19), (5, 25), (0, 29), (31, 40)):
        archive.keep([], Wanted(NOON + first, NOON + last, ("incoming",)), LATER + 2 * HOUR)
    assert archive.covered("incoming", NOON, NOON + 100) == [(NOON, NOON + 29), (NOON + 31, NOON + 40)]
    assert archive.covered("incoming", NOON + 5, NOON + 35) == [(NOON + 5, NOON + 29), (NOON + 31, NOON + 35)]
    assert archive.covered("outgoing", NOON, NOON + 100) == []
    assert sorted(table(COVERED, "first", "last")) == [(NOON, NOON + 29), (NOON + 31, NOON + 40)]
    archive.keep([], Wanted(NOON, NOON + 4, ("incoming",)), LATER + 2 * HOUR)  # a part of what is known already
    assert archive.covered("incoming", NOON, NOON + 100) == [(NOON, NOON + 29), (NOON + 31, NOON + 40)]


def test_stretches_that_touch_are_one():
    assert merged([(5, 9), (1, 2), (3, 3), (7, 8), (11, 12)]) == [(1, 3), (5, 9), (11, 12)]
    assert merged([]) == []


def test_what_is_seen_later_replaces_what_was_seen_before(archive, table):
    rung = [{"dstNumber": "901"}, {"dstNumber": "902"}]
    before = entry("11:00", "ONLINE", generalCallID="1", dstNumbers=rung)
    after = before | {"disposition": "ANSWER", "dstNumbers": rung[1:]}
    archive.keep([before], MORNING, NOON)
    archive.keep([after], MORNING, LATER)
    assert entries(archive) == [after]
    assert table(RUNG, "place", "line") == [(0, "902")]


def test_whatever_odd_values_a_call_has_it_is_kept(archive, table):
    long = "Ґ" * 20_000
    odd = entry("11:00", generalCallID=long, waitsec="99999999999", billsec=10**10, internalNumber=long)
    odd |= {"employeeName": long, "didName": long, "customerData": {"name": long}, "smsContent": "\x00\ud800"}
    odd["dstNumbers"] = [{"dstNumber": f"801 > {long}", "employeeName": long, "waitsec": 99_999_999_999}] * 3
    archive.keep([odd, CALLS_OF_MORNING[0]], MORNING, LATER)
    assert entries(archive) == [CALLS_OF_MORNING[0], odd]
    assert table(CALLS, "wait_seconds", "talk_seconds") == [(99_999_999_999, 10**10), (4, 68)]


def test_a_call_long_after_2038_is_kept(any_database_url, monkeypatch):
    start = 2**31 + 86400
    monkeypatch.setattr("common.calls.call.time.time", lambda: start + 86400.0)
    archive = Archive(any_database_url, "key", KYIV, clock=lambda: start + 86400)
    wanted = Wanted(start - 10, start + 10)
    archive.keep([entry("11:00", startTime=start)], wanted, start + 86400)
    assert archive.knows(wanted)
    assert [call["startTime"] for call in archive.entries(wanted, start + 86400)] == [start]


def test_recordings_of_one_call_are_kept_apart(archive):
    both = [entry("11:00", generalCallID="1", callID=identity) for identity in ("1", "2")]
    archive.keep(both, MORNING, LATER)
    assert entries(archive) == both


def test_a_call_of_a_known_stretch_that_is_listed_no_more_stays_and_is_marked(archive, table, caplog):
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    for asked in (LATER + 5, LATER + 10):
        assert archive.keep(CALLS_OF_MORNING[1:], MORNING, asked) == CALLS_OF_MORNING[:1]
        # That is told once, not every five minutes.
        told = "Binotel lists 1 calls no more that it had listed before. They are kept."
        assert [record.getMessage() for record in caplog.records] == [told]
    assert entries(archive) == CALLS_OF_MORNING
    assert sorted(table(CALLS, "id", "unlisted_since")) == [("1", None), ("3", LATER + 5), ("4", None)]
    assert archive.keep(CALLS_OF_MORNING, MORNING, LATER) == []  # it is listed again
    assert {since for _, since in table(CALLS, "id", "unlisted_since")} == {None}


def test_an_odd_empty_answer_loses_nothing_of_what_is_known(archive):
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    archive.keep([], MORNING, LATER + 60)
    assert entries(archive) == CALLS_OF_MORNING


def test_a_call_that_rang_and_came_to_nothing_goes(archive, table):
    archive.keep(CALLS_OF_MORNING, MORNING, NOON)  # known until 9 o'clock
    archive.keep(CALLS_OF_MORNING[1:], MORNING, NOON + 60)
    assert entries(archive) == CALLS_OF_MORNING[1:]
    assert ("3",) not in table(RUNG, "id")


def test_an_answer_of_one_direction_says_nothing_of_the_other(archive):
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    archive.keep(CALLS_OF_MORNING[1:2], Wanted(MORNING.first, MORNING.last, ("outgoing",)), LATER + 60)
    assert entries(archive) == CALLS_OF_MORNING


def test_a_call_without_a_direction_is_missed_only_by_an_answer_of_both(archive, table):
    odd, young = entry("09:30", generalCallID="3", callType="2"), entry("11:30", generalCallID="4", callType="")
    archive.keep([odd, young], MORNING, NOON)
    archive.keep([], Wanted(MORNING.first, MORNING.last, ("incoming",)), LATER)
    assert table(CALLS, "id", "unlisted_since") == [("3", None), ("4", None)]
    archive.keep([odd, young], MORNING, LATER)
    archive.keep([], MORNING, LATER)
    assert table(CALLS, "id", "unlisted_since") == [("3", LATER), ("4", LATER)]


def test_what_belongs_to_one_name_is_known_by_itself(archive, table):
    line = Wanted(MORNING.first, MORNING.last, of="line 901")
    odd = entry("10:00", generalCallID="7", internalNumber="801")  # whatever the server means by a line's calls
    archive.keep([odd], line, LATER)
    assert (archive.knows(line), archive.knows(MORNING)) == (True, False)
    assert (entries(archive, line), entries(archive)) == ([odd], [odd])
    assert table(FOUND, "way", "id") == [("line 901", "7")]


@pytest.mark.parametrize("of", ["line 902", "number +380671234567", "customer 66"])
def test_where_everything_is_known_so_is_what_belongs_to_one_name(of, archive):
    other = entry("10:00", generalCallID="7", internalNumber="903", number="0501111111")
    theirs = [one | {"customerData": {"id": 66}} for one in CALLS_OF_MORNING]
    archive.keep([*theirs, other], MORNING, LATER)
    wanted = Wanted(MORNING.first, MORNING.last, of=of)
    assert archive.knows(wanted)
    assert entries(archive, wanted) == theirs


def test_accounts_know_nothing_of_each_other(any_database_url, archive):
    other = Archive(any_database_url, "other key", KYIV, clock=lambda: LATER)
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    assert (other.knows(MORNING), entries(other)) == (False, [])
    other.keep([], MORNING, LATER)
    assert entries(archive) == CALLS_OF_MORNING


def test_what_a_clock_that_was_ahead_has_noted_is_not_believed(any_database_url, archive):
    wanted = Wanted(NOON + 30 * 86400, NOON + 31 * 86400)
    archive.keep([entry(at("12:00", date(2024, 5, 31)))], wanted, NOON + 40 * 86400)
    assert not archive.knows(wanted)
    now = NOON + 50 * 86400
    assert Archive(any_database_url, "key", KYIV, clock=lambda: now).knows(wanted)


def test_what_is_too_old_is_removed_but_not_under_the_hands_of_a_report(any_database_url, archive, table):
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    archive.keep(CALLS_OF_MORNING, Wanted(MORNING.first, MORNING.last, of="line 902"), LATER)
    day_later = Archive(any_database_url, "key", KYIV, keep_days=1, clock=lambda: NOON - HOUR + 86400)
    assert entries(day_later) == CALLS_OF_MORNING  # asked for less than a day ago
    two_later = Archive(any_database_url, "key", KYIV, keep_days=2, clock=lambda: NOON - 90 * 60 + 2 * 86400)
    assert entries(two_later) == CALLS_OF_MORNING[2:]
    assert (table(RUNG, "id"), sorted(table(FOUND, "id"))) == ([("4",)], [("1",)]) or table(FOUND, "id") == [("1",)]
    assert two_later.covered("incoming", 0, NOON) == [(NOON - 90 * 60, NOON - 1)]


def test_an_archive_of_before_the_views_were_quick_is_upgraded(any_database_url, archive, table, monkeypatch):
    long = "Ґ" * 20_000
    with monkeypatch.context() as before:
        before.setattr("common.calls.archive.LONGEST_INDEXED", 30_000)
        before.setattr("common.calls.archive.ARCHIVE_STEPS", ARCHIVE_STEPS[:2])
        older = Archive(any_database_url, "key", KYIV)
        older.keep([entry("11:00", employeeName=long)], MORNING, LATER)
    assert (archive.knows(MORNING), entries(archive)) == (True, [entry("11:00", employeeName=long)])
    assert table(CALLS, "employee") == [(long[:200],)]
    with database_engine(any_database_url).connect() as connection:
        names = {index["name"] for index in sqlalchemy.inspect(connection).get_indexes("calls")}
        assert connection.exec_driver_sql("SELECT employee FROM call_list").scalar_one() == long[:200]
    assert names == {"calls_in_time_order", "calls_by_number", "calls_by_line_and_employee", "calls_legs"}


def test_before_an_upgrade_an_sqlite_file_is_copied_and_without_a_copy_nothing_changes(
    database_url, monkeypatch, tmp_path, caplog
):
    with monkeypatch.context() as before:
        before.setattr("common.calls.archive.ARCHIVE_STEPS", ARCHIVE_STEPS[:-1])
        older = Archive(database_url, "key", KYIV)
        older.keep(CALLS_OF_MORNING, MORNING, LATER)
        assert copies_of(tmp_path / "binotel.db") == []
    as_it_was = (tmp_path / "binotel.db").read_bytes()
    with monkeypatch.context() as full:
        full.setattr("common.state.database.sync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(BinotelError, match=r"cannot be copied before: .*No space left.* Nothing was changed"):
            entries(Archive(database_url, "key", KYIV))
    assert ((tmp_path / "binotel.db").read_bytes(), list(tmp_path.glob("*.part"))) == (as_it_was, [])
    (tmp_path / "binotel.db.2026-01-01.part").touch()  # of a process that was killed
    assert entries(Archive(database_url, "key", KYIV)) == CALLS_OF_MORNING
    [copy] = copies_of(tmp_path / "binotel.db")
    assert (copy.stat().st_mode & 0o777, list(tmp_path.glob("*.part"))) == (0o600, [])
    assert f"As it was, it is kept as {copy}" in caplog.text
    with monkeypatch.context() as back:  # the version before can go on with the copy
        back.setattr("common.calls.archive.ARCHIVE_STEPS", ARCHIVE_STEPS[:-1])
        assert entries(Archive(f"sqlite:///{copy}", "key", KYIV)) == CALLS_OF_MORNING
        with pytest.raises(BinotelError, match="A newer version of these scripts has changed the database"):
            entries(Archive(database_url, "key", KYIV))


def test_only_the_newest_copies_are_kept(tmp_path, database_url):
    Archive(database_url, "key", KYIV).count(0, 1)
    for day in range(1, 6):
        (tmp_path / f"binotel.db.2026-01-0{day}.before-update").touch()
    newest = copied(tmp_path / "binotel.db")
    assert sorted(path.name for path in copies_of(tmp_path / "binotel.db")) == [
        *(f"binotel.db.2026-01-0{day}.before-update" for day in (4, 5)),
        newest.name,
    ]
    # What is changed next on the same day does not take the place of what was before.
    as_it_was = newest.read_bytes()
    Archive(database_url, "key", KYIV).keep(CALLS_OF_MORNING, MORNING, LATER)
    assert (copied(tmp_path / "binotel.db"), newest.read_bytes()) == (newest, as_it_was)


def test_the_file_is_the_owners_alone(tmp_path):
    archive = Archive(f"sqlite:///{tmp_path / 'var' / 'binotel.db'}", "key", KYIV)
    archive.keep(CALLS_OF_MORNING, MORNING, LATER)
    file = tmp_path / "var" / "binotel.db"
    assert (file.stat().st_mode & 0o77, file.parent.stat().st_mode & 0o77) == (0, 0)
    [(text,)] = sqlite3.connect(file).execute("SELECT entry FROM calls WHERE id = '3'")
    assert json.loads(text) == CALLS_OF_MORNING[0]
