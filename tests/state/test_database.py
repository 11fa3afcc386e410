"""The database that processes and machines share: made and upgraded in place, its clock decides, it may be away."""

import signal
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy
import time_machine

from binotel_core import QUOTA_FREE_REQUESTS, QUOTA_GAP_MARGIN_SECONDS, BinotelError, Throttle, account_id
from common.settings import PROJECT_ROOT
from common.state import database as database_module
from common.state.database import Database
from common.state.store import Store
from helpers import ledger

GAP_5 = "stats/list-of-calls-per-day"


def made(name):
    return lambda connection: connection.exec_driver_sql(f"CREATE TABLE {name} (id INTEGER)")


def database(url, *steps, **options):
    return Database(url, account_id("key"), "things", steps, **options)


def tables(url):
    return set(sqlalchemy.inspect(sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)).get_table_names())


def test_tables_are_made_once_and_upgraded_by_the_steps_they_lack(any_database_url):
    for steps in ([made("one")], [made("one")], [made("one"), made("two"), made("three")]):
        database(any_database_url, *steps).run(lambda connection, now: None)
    assert tables(any_database_url) == {"schema_steps", "one", "two", "three"}


def test_a_step_that_fails_leaves_the_database_as_it_was(any_database_url):
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError):
        database(any_database_url, made("one"), made("one")).run(lambda connection, now: None)
    assert tables(any_database_url) == set()


def test_an_older_program_on_a_newer_database_says_so_and_changes_nothing(any_database_url):
    database(any_database_url, made("one"), made("two")).run(lambda connection, now: None)
    with pytest.raises(BinotelError, match=r"^A newer version .* Update the scripts on this computer, or use another"):
        database(any_database_url, made("one")).run(made("three"))
    assert "three" not in tables(any_database_url)


def test_a_database_of_the_first_version_is_upgraded_with_all_it_holds(database_url, clock):
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE heavy_requests (id INTEGER NOT NULL, account VARCHAR(16) NOT NULL, "
            "reserved_at FLOAT NOT NULL, starts_at FLOAT NOT NULL, PRIMARY KEY (id))"
        )
        row = {"account": account_id("key"), "now": clock.now}
        insert = "INSERT INTO heavy_requests (account, reserved_at, starts_at) VALUES (:account, :now, :now)"
        connection.execute(sqlalchemy.text(insert), [row] * 5)
    Throttle(ledger(database_url, clock.time), "key", sleep=clock.sleep).acquire(GAP_5)
    assert clock.slept == [5 + QUOTA_GAP_MARGIN_SECONDS]


def test_many_that_come_first_make_the_tables_once(postgres_url):
    errors = []

    def come(number):
        try:
            Store(postgres_url, f"key{number}", "job", keep_days=1).put({"a": number})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_servers_clock_decides_whatever_the_machines_clocks_say(postgres_url):
    slept = []
    for day in (1, 9, 3, 5, 2, 7):
        with time_machine.travel(f"2024-05-0{day}", tick=False):
            Throttle(ledger(postgres_url), "key", sleep=slept.append).acquire(GAP_5)
    assert [round(seconds, 1) for seconds in slept] == [pytest.approx(5, abs=0.5)]


def test_accounts_do_not_wait_for_each_other(postgres_url):
    def in_the_middle(connection, now):
        other.run(lambda connection, now: None)  # would never end if it had to wait
        return "done"

    mine = Database(postgres_url, account_id("key"), "things", [])
    other = Database(postgres_url, account_id("other key"), "things", [])
    mine.run(lambda connection, now: None)
    other.run(lambda connection, now: None)
    assert mine.run(in_the_middle) == "done"


def test_a_server_that_is_away_is_waited_for(postgres_url, monkeypatch):
    engine = database_module.database_engine
    monkeypatch.setattr(database_module, "database_engine", lambda url, patience: engine(AWAY, patience))
    away = database(postgres_url, made("one"))
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            away._engine = engine(postgres_url, 60)

    monkeypatch.setattr(database_module.time, "sleep", pause)
    assert away.run(lambda connection, now: "done") == "done"
    assert pauses == [0.5, 1, 2]


def test_after_a_minute_a_server_that_is_away_is_an_error(monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(database_module.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(database_module.time, "sleep", lambda seconds: None)
    with pytest.raises(sqlalchemy.exc.OperationalError, match="Connection refused"):
        database(AWAY).run(lambda connection, now: None)
    assert next(clock) in (70, 80)


def test_when_the_connection_breaks_in_the_middle_all_is_done_again(postgres, postgres_url, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    calls = []

    def work(connection, now):
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        connection.exec_driver_sql("INSERT INTO one VALUES (1)")
        calls.append(pid)
        if len(calls) == 1:
            postgres.psql(f"SELECT pg_terminate_backend({pid})")
        return connection.exec_driver_sql("SELECT count(*) FROM one").scalar_one()

    assert database(postgres_url, made("one")).run(work) == 1
    assert len(calls) == 2


AWAY = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"

HALT_IN_THE_MIDDLE = f"""
import sys, time
sys.path.insert(0, {str(PROJECT_ROOT / "scripts")!r})
from common.state import database
database.HALTED_SECONDS = 0.5
def work(connection, now):
    print("begun", flush=True)
    time.sleep(0.1)
    return connection.exec_driver_sql("SELECT 'done'").scalar_one()
print(database.Database(sys.argv[1], "{account_id("key")}", "things", []).run(work), flush=True)
"""


def test_a_process_that_is_halted_in_the_middle_holds_up_nobody_and_does_it_again_when_it_goes_on(postgres_url):
    with subprocess.Popen([sys.executable, "-c", HALT_IN_THE_MIDDLE, postgres_url], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGSTOP)
        assert database(postgres_url).run(lambda connection, now: "done") == "done"
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == b"begun\ndone\n"


def test_who_has_waited_sees_what_was_done_meanwhile_whatever_the_servers_default_is(postgres, postgres_url):
    name = sqlalchemy.make_url(postgres_url).database
    postgres.psql(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")

    Throttle(ledger(postgres_url), "other key").acquire(GAP_5)  # makes the tables
    slept = []

    def ask():
        for _ in range(5):
            Throttle(ledger(postgres_url), "key", sleep=slept.append).acquire(GAP_5)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slept) == 4 * 5 - QUOTA_FREE_REQUESTS


def test_a_wrong_url_is_told_at_once(postgres_url, monkeypatch):
    monkeypatch.setattr(database_module.time, "sleep", None)
    with pytest.raises(sqlalchemy.exc.OperationalError, match="does not exist"):
        database(f"{postgres_url}".replace("/test_", "/no_test_")).run(lambda connection, now: None)


def test_a_connection_that_is_kept_is_used_again_and_made_anew_when_it_broke(cable):
    kept = [
        Database(cable.url, account_id(key), "things", [], keeps_connection=True, patience_seconds=2)
        for key in ("key", "other key")
    ]

    def backend(connection, now):
        return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    first = [each.run(backend) for each in kept]
    cable.pull()
    cable.plug()
    second = [each.run(backend) for each in kept]
    assert (len(set(first)), len(set(second)), len({*first, *second})) == (1, 1, 2)


def test_a_server_that_has_stopped_answering_is_given_up(cable):
    frozen = Database(cable.url, account_id("key"), "things", [], patience_seconds=0)
    frozen.run(lambda connection, now: None)

    def work(connection, now):
        cable.freeze()
        connection.exec_driver_sql("SELECT 1")

    began = time.monotonic()
    with pytest.raises(sqlalchemy.exc.OperationalError):
        frozen.run(work)
    assert time.monotonic() - began < 10


def test_a_server_that_goes_away_while_much_is_written_is_waited_for(cable):
    things = sqlalchemy.Table(
        "things", sqlalchemy.MetaData(), sqlalchemy.Column("id", sqlalchemy.Text, primary_key=True)
    )
    written = Database(cable.url, account_id("key"), "things", [lambda connection: things.create(connection)])
    pulled = []

    class Rows(list):
        def __iter__(self):
            yield from self[:10_000]
            if not pulled:
                pulled.append(True)
                cable.pull()
                threading.Timer(1, cable.plug).start()
            yield from self[10_000:]

    rows = Rows((f"{number:9}" * 100,) for number in range(20_000))
    written.run(lambda connection, now: written.write(connection, things, rows))
    count = sqlalchemy.select(sqlalchemy.func.count()).select_from(things)
    assert (pulled, written.run(lambda connection, now: connection.execute(count).scalar_one())) == ([True], len(rows))


def test_a_session_has_what_keeps_others_from_waiting_for_it(postgres_url):
    names = ("lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation", "work_mem")
    url = f"{postgres_url}&options=-c%20work_mem%3D5MB"  # what the user wants stays
    with database_module.database_engine(url, 7).connect() as connection:
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
        parameters = connection.connection.driver_connection.info.get_parameters()
    assert shown == ["7s", "30s", "read committed", "5MB"]
    assert {name: parameters[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives_idle")} == {
        "connect_timeout": "7",
        "tcp_user_timeout": "7000",
        "keepalives_idle": "10",
    }
