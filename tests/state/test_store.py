"""What the jobs remember: by account and job, all or nothing, for 30 days."""

import threading

import pytest
import sqlalchemy

from binotel_core import BinotelError
from common.state.database import database_remedy
from common.state.store import Store
from helpers import ledger


@pytest.fixture
def make(any_database_url, clock):
    """A function that makes the store of a job."""
    return lambda account="key", job="alert": Store(any_database_url, account, job, keep_days=30, clock=clock.time)


def test_what_is_put_is_there_for_the_next_run(make):
    make().put({"a": 1, "b": [{"Ґ": None}]})
    make().put({"a": 2.5})
    store = make()
    assert store.get_all(["a", "b", "c"]) == {"a": 2.5, "b": [{"Ґ": None}]}


def test_jobs_and_accounts_do_not_see_each_others(make):
    make().put({"a": 1})
    assert make(account="other").get_all(["a"]) == make(job="other").get_all(["a"]) == {}


def test_after_so_many_days_it_is_forgotten(make, clock, any_database_url):
    store = make()
    store.put({"old": 1, "renewed": 1})
    clock.now += 30 * 86400 - 10
    store.put({"renewed": 2})
    assert store.get_all(["old"]) == {"old": 1}
    clock.now += 20
    store.put({"new": 3})
    assert store.get_all(["old", "renewed", "new"]) == {"renewed": 2, "new": 3}
    with sqlalchemy.create_engine(any_database_url, poolclass=sqlalchemy.NullPool).connect() as database:
        assert database.exec_driver_sql("SELECT count(*) FROM remembered").scalar_one() == 2


def test_what_a_clock_that_was_ahead_wrote_is_not_believed_and_goes(make, clock, any_database_url):
    make().put({"before": 1})
    clock.now += 2 * 86400
    make().put({"ahead": 1, "changed": 1})
    clock.now -= 86400
    assert make().get_all(["before", "ahead"]) == {"before": 1, "ahead": 1}  # an hour or two say nothing
    clock.now -= 86400
    assert make().get_all(["before", "ahead", "changed"]) == {"before": 1}
    assert make().change("changed", lambda old, now: [old]) == [None]
    clock.now += 10 * 86400
    assert make().get_all(["before", "ahead", "changed"]) == {"before": 1, "changed": [None]}


def test_what_another_job_remembers_is_not_forgotten_for_it(make, clock):
    make().put({"a": 1})
    clock.now += 30 * 86400 + 10
    make(job="other").put({"b": 1})
    assert make().get_all(["a"]) == {"a": 1}


def test_changes_of_many_at_once_are_not_lost(make):
    def count():
        store = make()
        for _ in range(10):
            store.change("count", lambda number, now: (number or 0) + 1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make().get_all(["count"]) == {"count": 80}


def test_nothing_is_put_when_a_value_cannot_be(make):
    store = make()
    with pytest.raises(TypeError):
        store.put({"good": 1, "bad": object()})
    assert store.get_all(["good"]) == {}


def test_the_key_is_not_in_the_file(database_url, tmp_path):
    Store(database_url, "my-own-key", "alert", keep_days=30).put({"a": 1})
    assert b"my-own-key" not in (tmp_path / "binotel.db").read_bytes()


def test_a_database_that_cannot_be_used_is_an_error(tmp_path):
    (tmp_path / "binotel.db").write_bytes(b"no database" * 100)
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError, match="not a database"):
        Store(f"sqlite:///{tmp_path}/binotel.db", "key", "job", keep_days=30).put({"a": 1})


@pytest.mark.parametrize("kind", ["store", "ledger"])
def test_a_database_that_was_emptied_is_an_error_and_no_fresh_start(kind, tmp_path, database_url):
    def use():
        if kind == "store":
            Store(database_url, "key", "job", keep_days=30).put({"a": 1})
        else:
            ledger(database_url).reserve("0" * 16, lambda reserved, now: now)

    path = tmp_path / "binotel.db"
    path.touch()  # as a process leaves it that was killed while it made it
    use()
    use()
    path.write_bytes(b"")
    with pytest.raises(
        (sqlalchemy.exc.SQLAlchemyError, BinotelError), match="it is empty, and was not before"
    ) as caught:
        use()
    assert "Bring back a copy of it; or remove it" in str(caught.value) + database_remedy(caught.value)
    assert path.stat().st_size == 0
    path.unlink()
    use()


def test_what_becomes_none_is_forgotten(make):
    make().put({"a": 1, "b": 2})
    make().put({"a": None, "c": None, "d": 3})
    assert make().get_all(["a", "b", "c", "d"]) == {"b": 2, "d": 3}
