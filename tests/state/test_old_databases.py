"""A database that an earlier version wrote: what was remembered is found again, and the quota goes on being counted."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from binotel_core import QUOTA_GAP_MARGIN_SECONDS, SqliteLedger, Throttle
from common.calls.archive import Archive
from common.calls.days import of_day
from common.state.database import Database
from common.state.ledger import LEDGER_STEPS
from common.state.store import Store
from helpers import DAY, KYIV, Clock, entry

DUMP = Path(__file__).with_name("database_of_2026-11-24.sql").read_text("utf-8")
KEY = "sandbox-key"
ACCOUNT = "db6bcf6a2a36ee93"
WRITTEN_AT = 1_795_720_279.0  # the last of its three heavy requests had just been made


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "binotel.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP)
    return path


def test_what_every_job_remembered_is_found_again(old):
    def found(job, *names):
        return Store(f"sqlite:///{old}", KEY, job, keep_days=400).get_all(names)

    assert found("export_calls_per_day", "caught up until", "exported 2026-11-25", "exported 2026-11-24") == {
        "caught up until": "2026-11-25",
        "exported 2026-11-25": True,
    }
    assert found("run_schedule", "runs of export_calls_per_day") == {
        "runs of export_calls_per_day": {
            "last": {"began": 1795720277.1461704, "ended": 1795720278.108002, "problem": ""}
        }
    }
    told = [f"told JSON:207558557ceb6e5b of {number}" for number in (662385605, 637681198, 738052549)]
    alert = found("alert_lost_calls", *told, "callers who waited when yesterday ended")
    assert [alert.pop(name) for name in told] == [1795557600.0, 1795643999.0, 1795644000.0]
    [carried] = alert.values()
    assert [entry["generalCallID"] for entry in carried["entries"]] == ["73994500000", "73994500004"]
    assert carried["day"] == "2026-11-25"


def test_the_requests_of_the_last_minute_still_count(old):
    clock = Clock(WRITTEN_AT)
    throttle = Throttle(SqliteLedger(old, clock.time), KEY, sleep=clock.sleep)
    for _ in range(3):
        throttle.acquire("stats/list-of-calls-per-day")
    assert clock.slept == [5 + QUOTA_GAP_MARGIN_SECONDS]


def test_its_tables_stay_as_they_are_and_an_earlier_version_can_go_on_with_them(old):
    def schema():
        with closing(sqlite3.connect(old)) as connection:
            return sorted(connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))

    before = schema()
    Throttle(SqliteLedger(old), KEY).acquire("stats/list-of-calls-per-day")
    Store(f"sqlite:///{old}", KEY, "job", keep_days=1).put({"name": 1})
    Database(f"sqlite:///{old}", ACCOUNT, "heavy requests", LEDGER_STEPS).run(lambda connection, now: None)
    assert schema() == before


def test_the_archive_is_made_in_it_and_it_is_for_its_owner_alone_from_then_on(old):
    old.chmod(0o644)
    archive = Archive(f"sqlite:///{old}", KEY, KYIV)
    archive.keep([entry("10:00")], of_day(DAY, KYIV), of_day(DAY, KYIV).last + 86400)
    assert archive.knows(of_day(DAY, KYIV))
    assert list(archive.entries(of_day(DAY, KYIV), 2e9)) == [entry("10:00")]
    assert old.stat().st_mode & 0o77 == 0
    assert Store(f"sqlite:///{old}", KEY, "export_calls_per_day", keep_days=400).get_all(["caught up until"])
