"""The README's table of what each job does when something goes wrong, cell by cell: the exit code, and what is kept."""

import errno
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

import alert_lost_calls
import backup_customers
import download_records
import export_calls_for_period
import export_calls_per_day
import restore_customers
from common.customers.backup import read_backup
from common.sandbox.answers import KEY
from common.settings import PROJECT_ROOT
from common.state.locks import lock
from helpers import DAY, KYIV, answer_with, at, entry
from messages.test_mail import free_port

LATER = datetime(2024, 5, 2, 12, tzinfo=KYIV)
JOBS = {
    "day": (export_calls_per_day, "2024-05-01"),
    "period": (export_calls_for_period, "2024-04-29", "2024-05-01"),
    "alert": (alert_lost_calls,),
    "recordings": (download_records, "2024-05-01"),
    "backup": (backup_customers,),
    "restore": (restore_customers, "BACKUP", "--apply", "--yes"),
}


def table():
    """What the README says: by what happens and by job, a cell."""
    readme = (PROJECT_ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+) \|$", readme.partition("what happens | ")[2].partition("\n\n")[0], re.MULTILINE)
    cells = {row[0]: row[1:] for row in (row.split(" | ") for row in rows) if row[0] in FAULTS}
    return {(what, job): cell for what, row in cells.items() for job, cell in zip(JOBS, row, strict=True)}


class World:
    """What a job finds, and what it leaves behind."""

    def __init__(self, sandbox, inbox, tmp_path, monkeypatch, run_main):
        self.sandbox, self.inbox, self.tmp_path = sandbox, inbox, tmp_path
        self.monkeypatch, self.run_main = monkeypatch, run_main
        self.settings = inbox.settings | {"REPORT_TO": "boss@example.com,second@example.com"}
        self.settings |= {"ALERT_TO": "boss@example.com,second@example.com", "ADMIN_TO": "admin@example.com"}

    def run(self, job):
        script, *arguments = JOBS[job]
        arguments = [str(self.backup) if word == "BACKUP" else word for word in arguments]
        self.code = self.run_main(script, LATER, *arguments, **self.settings)[0]
        return self.code

    def made(self, folder):
        """What is in a folder, but for the lists of recordings."""
        return sorted(
            path.name
            for path in (self.tmp_path / folder).rglob("*")
            if path.is_file() and path.name != "records.csv" and path != self.backup
        )

    @property
    def mailed(self):
        return [address for envelope in self.inbox.envelopes for address in envelope.rcpt_tos if "admin" not in address]


@pytest.fixture
def world(sandbox, inbox, tmp_path, monkeypatch, run_main):
    """A company with two callers who wait and a recording; a backup, since when a customer was deleted."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("binotel_core.RETRY_PAUSES_SECONDS", ())
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    monkeypatch.setattr("common.customers.restore.AGAIN_SECONDS", 0)
    calls = {
        DAY: [entry(at("10:00"), "ANSWER", generalCallID=identity, callID=identity) for identity in ("1", "2")],
        LATER.date(): [entry(at("11:00", LATER.date()), "NOANSWER", "0501111111", generalCallID="3")],
    }
    sandbox.company.calls_of_day = lambda day: calls.get(day, [])
    sandbox.recordings.link = lambda call_id, root: f"{root}/records/{call_id}.mp3"
    sandbox.recordings.content = lambda path, query: b"ID3" + b"\0" * 500
    world = World(sandbox, inbox, tmp_path, monkeypatch, run_main)
    world.backup = tmp_path / "none"
    assert run_main(backup_customers, LATER, **inbox.settings)[0] == 0
    [world.backup] = (tmp_path / "backups").glob("*.json.gz")
    world.backup.with_suffix("").with_suffix(".xlsx").unlink()
    world.deleted = next(iter(sandbox.customers.customers))
    sandbox.customers.delete([world.deleted])
    inbox.envelopes.clear()
    return world


# --- What happens ------------------------------------------------------------


def answers_with_something_else(world):
    world.monkeypatch.setattr(world.sandbox, "take_fault", lambda method: "html")


def one_unreadable_entry(world):
    answer_with(world.sandbox, "callDetails", {"odd": {"generalCallID": "9", "startTime": ""}})
    answer_with(world.sandbox, "customerData", {"odd": {"id": "9", "name": "?", "numbers": "0671234567"}})


def clocks_apart(world):
    world.monkeypatch.setattr(
        "common.sandbox.server.Handler.date_time_string", lambda self: "Wed, 01 May 2019 04:30:00 GMT"
    )


def mail_server_away(world):
    world.settings["SMTP_PORT"] = free_port()


def address_refused(world):
    world.inbox.refuse_recipients = ("second@example.com",)


def disk_full(world):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    world.monkeypatch.setattr("os.fsync", full)


def wrong_setting(world):
    world.settings["TIMEZONE"] = "Europe/Nowhere"


def already_running(world):
    for script, *_ in JOBS.values():
        held = lock(f"sqlite:///{world.tmp_path}/var/binotel.db", KEY, script.__name__)
        held.acquire()
        world.locks = [*getattr(world, "locks", []), held]


FAULTS = {
    "Binotel is away, or answers with something else": answers_with_something_else,
    "an entry of an answer cannot be read": one_unreadable_entry,
    "this clock and Binotel's are more than a day apart": clocks_apart,
    "the mail server is away": mail_server_away,
    "the mail server refuses an address for good": address_refused,
    "the disk is full": disk_full,
    "a setting is wrong": wrong_setting,
    "the same job is running": already_running,
}


# --- What is kept ------------------------------------------------------------


def nothing_made(world):
    return (world.made("reports"), world.made("records"), world.made("backups"), world.mailed) == ([], [], [], [])


def nothing_written(world):
    return world.deleted not in {c["id"] for c in world.sandbox.customers.customers.values()} and not any(
        request["method"] in ("customers/create", "customers/update") for request in world.sandbox.requests
    )


def report_made(world):
    return len(world.made("reports")) == 1


def restored(world):
    name = read_backup(world.backup).customers[world.deleted].name
    return name in {customer["name"] for customer in world.sandbox.customers.customers.values()}


KEPT = {
    "nothing made": nothing_made,
    "nothing written": nothing_written,
    "nobody told": lambda world: world.mailed == [],
    "made of the others": lambda world: report_made(world) and len(world.mailed) == 2,
    "made; mailed by the next run": lambda world: report_made(world) and mailed_next(world),
    "made; the others got it": lambda world: report_made(world) and world.mailed == ["boss@example.com"],
    "the others told of": lambda world: world.mailed == ["boss@example.com", "second@example.com"],
    "the others told": lambda world: world.mailed == ["boss@example.com"],
    "told by the next run": lambda world: world.mailed == [] and told_next(world),
    "the others downloaded": lambda world: len(world.made("records")) == 2,
    "made, whole": lambda world: len(world.made("backups")) == 2,
    "made": lambda world: len(world.made("backups")) == 2,
    "the others brought back": restored,
}


def mailed_next(world):
    assert world.mailed == []
    world.settings["SMTP_PORT"] = world.inbox.settings["SMTP_PORT"]
    return world.run(world.job) == 0 and world.mailed == ["boss@example.com", "second@example.com"]


def told_next(world):
    world.settings["SMTP_PORT"] = world.inbox.settings["SMTP_PORT"]
    return world.run("alert") == 0 and world.mailed == ["boss@example.com", "second@example.com"]


@pytest.mark.parametrize(("what", "job"), table() or [("", "")])
def test_each_job_does_what_the_readme_says(what, job, world):
    cell = table()[what, job]
    FAULTS[what](world)
    world.job = job
    if cell == "–":
        return
    code, _, kept = cell.partition(": ")
    assert (world.run(job), cell) == (int(code), cell)
    assert KEPT[kept](world)


@pytest.mark.parametrize("job", ["day", "period", "alert", "recordings", "backup"])
def test_a_clock_a_year_ahead_leaves_nothing_that_a_right_one_would_believe(job, world):
    real = f"{format_datetime(LATER.astimezone(UTC), usegmt=True)}"
    world.monkeypatch.setattr("common.sandbox.server.Handler.date_time_string", lambda self: real)
    script, *arguments = JOBS[job]
    arguments = {"day": ["--catch-up"], "recordings": []}.get(job, arguments)
    ahead = LATER.replace(year=2025)
    assert world.run_main(script, ahead, *arguments, **world.settings)[0] == 1
    assert nothing_made(world)
    database = world.tmp_path / "var" / "binotel.db"
    if database.exists():
        with closing(sqlite3.connect(database)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            kept = connection.execute("SELECT name FROM remembered").fetchall() if "remembered" in tables else []
        assert kept == []
    assert world.run_main(script, LATER, *arguments, **world.settings)[0] == 0
    assert world.mailed == [] if job in ("recordings", "backup") else len(world.mailed) == 2


@pytest.mark.parametrize("folder", ["with space", "#1", "50%", "%20", "Звіти", "a'b", "[x]*", "a&b=c"])
def test_folders_may_be_called_anything(folder, world):
    world.settings |= dict.fromkeys(("REPORTS_DIR", "BACKUPS_DIR", "RECORDS_URL"), f'"{folder}"')
    world.settings["DATABASE_URL"] = f'"sqlite:///{folder}/binotel.db"'
    for _ in range(2):
        assert [world.run(job) for job in ("day", "alert", "recordings", "backup")] == [0] * 4
    names = {path.name for path in (world.tmp_path / folder).rglob("*") if path.is_file()}
    assert {"binotel.db", "calls-2024-05-01.xlsx", "records.csv"} < names
    assert len([name for name in names if name.endswith((".mp3", ".json.gz"))]) == 4
    assert len(world.mailed) == 6  # two reports to two people, and one alert


def test_the_readme_has_each_of_these_faults():
    assert {what for what, _ in table()} == FAULTS.keys()
