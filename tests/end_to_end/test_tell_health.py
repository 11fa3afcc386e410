"""tell_health.py: what was run, spent and kept since the last mail, and whether all is well."""

import shutil
from datetime import timedelta

import pytest
import time_machine

import export_calls_per_day
import tell_health
from common.schedule.planned import Account, Planned
from common.schedule.runs import Outcome
from common.settings import load_settings
from helpers import at


@pytest.fixture
def settings(inbox, monkeypatch):
    monkeypatch.setattr(tell_health.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 5 * 10**9))
    return inbox.settings | {
        "ADMIN_TO": "admin@example.com",
        "REPORT_TO": "",
        "REPORT_LANGUAGE": "en",
        "SCHEDULE_EXPORT_CALLS_PER_DAY": "day at 07:30",
        "SCHEDULE_BACKUP_CUSTOMERS": "sunday at 03:00",
    }


@pytest.fixture
def told(run_main, settings, inbox, sandbox):
    """A function that runs it; gives the subject and the lines of the mail that came."""

    def told(moment, **more):
        seen = len(inbox.messages)
        assert run_main(tell_health, moment, **settings | more) == (0, "")
        [message] = inbox.messages[seen:]
        lines = message.get_body(["plain"]).get_content().replace("\r", "").splitlines()
        return message["Subject"], [line for line in lines if line]

    return told


def ended(tmp_path, job, problem=""):
    """Note that a run of a job has ended."""
    loaded = load_settings(str(tmp_path / "config.env"), {})
    planned = Planned(Account("", loaded), job, loaded.timetables[job])
    more = {"trouble": {"since": at("03:00").timestamp()}} if problem else {}
    with time_machine.travel(at("08:01"), tick=False):
        planned._note_end(Outcome(at("07:30").timestamp(), at("07:31").timestamp(), problem), more)


def test_a_week_is_told_with_what_was_done_and_what_it_takes(told, run_main, settings, tmp_path):
    subject, lines = told(at("08:00"))
    assert (subject, lines[0]) == ("Binotel scripts: all is well",) * 2
    assert run_main(export_calls_per_day, at("08:10"), "2024-04-30", **settings)[0] == 0
    for _ in range(2):
        ended(tmp_path, "export_calls_per_day")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "1.mp3").write_bytes(b"x" * 70_000_000)
    subject, lines = told(at("08:00") + timedelta(days=7))
    assert subject == "Binotel scripts: all is well"
    assert lines[1 : lines.index("Disk space:") + 1] == [
        "Since 1 May 2024, 08:00.",
        "Runs:",
        "export_calls_per_day: 2, of which 0 failed",
        "backup_customers: 0, of which 0 failed",
        "Requests spent of the quota:",
        "export_calls_per_day: 1",
        "Disk space:",
    ]
    assert "the recordings: 70 MB (+70)" in lines
    assert "free: 5,000 MB" in lines
    assert lines[-1].startswith("at this rate enough for 49")
    assert "export_calls_per_day: 0, of which 0 failed" in told(at("08:00") + timedelta(days=14))[1]


def test_failures_are_told_first_with_what_has_waited_longest(told, tmp_path):
    told(at("08:00"))
    ended(tmp_path, "export_calls_per_day", "The mail server is away.")
    ended(tmp_path, "backup_customers", "The disk is full.")
    subject, lines = told(at("09:00"))
    assert subject == "Binotel scripts: runs that failed: 2"
    assert lines[2:4] == ["The oldest that is not done:", "export_calls_per_day: 1 May 2024, 03:00"]


def test_nobody_to_tell_is_a_wrong_configuration(run_main, settings):
    assert run_main(tell_health, at("08:00"), **settings | {"ADMIN_TO": ""})[0] == 2


def test_a_mail_that_was_not_sent_is_told_again_whole(told, run_main, settings, tmp_path):
    told(at("08:00"))
    ended(tmp_path, "export_calls_per_day")
    assert run_main(tell_health, at("08:05"), **settings | {"SMTP_PORT": "1"})[0] == 1
    assert "export_calls_per_day: 1, of which 0 failed" in told(at("08:10"))[1]
