"""alert_lines.py, a run after the other: what is told, once, and when it is over; and what decides nothing."""

import time as clock
from datetime import timedelta

import pytest

import alert_lines
from binotel_core import METHODS
from common.calls.archive import Archive
from common.calls.days import of_day
from common.sandbox.answers import KEY
from helpers import DAY, KYIV, at, entry


@pytest.fixture
def settings(hook):
    return {"ALERT_URLS": hook.url, "WORKING_HOURS": "09:00-18:00", "REPORT_LANGUAGE": "en"}


@pytest.fixture
def look(run_main, settings, sandbox, hook, monkeypatch):
    """A function that runs the script at a moment; gives the messages that came, and any exit code but 0."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)

    def look(moment, *arguments, **more):
        seen, asked = len(hook.messages), len(sandbox.requests)
        code, _ = run_main(alert_lines, moment, *arguments, **settings | more)
        heavy = [request for request in sandbox.requests[asked:] if METHODS[request["method"]].gap]
        assert len(heavy) <= 2
        came = [(title, body.replace("\r", "").strip()) for title, body in hook.messages[seen:]]
        return [*came, *([code] if code else [])]

    return look


HELP = "Check whether the telephone or the program is on, and the internet connection."


def test_a_line_is_told_once_when_it_is_offline_for_long_and_once_when_it_is_back(look, sandbox):
    assert look(at("10:00")) == []  # one that was never online is not missed
    sandbox.offline.add("902")
    assert [look(at(f"10:{minute:02}")) for minute in (5, 10, 14)] == [[], [], []]
    name = next(name for email, name in employees(sandbox).items() if email == "902")
    offline = f"Line 902 ({name}) has been offline since 10:05"
    assert look(at("10:15")) == [(offline, f"{offline}\n\n{HELP}")]
    assert look(at("10:20")) == []
    sandbox.offline.remove("902")
    back = f"Line 902 ({name}) is online again, after 20m"
    assert look(at("10:25")) == [(back, back)]
    assert look(at("10:30")) == []


def employees(sandbox):
    content = sandbox._settings("settings/list-of-employees", {})["listOfEmployees"]
    return {employee["extNumber"]: employee["name"] for employee in content.values()}


def test_several_are_one_message_and_ignored_ones_are_none(look, sandbox):
    look(at("10:00"), LINES_IGNORED="903")
    sandbox.offline |= {"902", "903", "904"}
    look(at("10:05"), LINES_IGNORED="903")
    [(title, body)] = look(at("10:15"), LINES_IGNORED="903")
    assert (title.startswith("Line 902"), title.endswith("since 10:05 +1"), body.count("has been offline")) == (1, 1, 2)


def test_who_goes_home_is_not_missed_before_the_morning_is_over(look, sandbox):
    look(at("17:50"))
    sandbox.offline.add("902")
    assert look(at("17:55")) == []
    assert look(at("20:00")) == []
    tomorrow = DAY + timedelta(days=1)
    assert look(at("09:05", tomorrow)) == []
    [(title, _)] = look(at("09:10", tomorrow))
    assert title.endswith("has been offline since 1 May, 17:55")


def test_what_is_not_said_of_a_line_decides_nothing(look, sandbox, monkeypatch):
    look(at("10:00"))
    sandbox.offline.add("902")
    look(at("10:05"))
    whole = sandbox._settings

    def odd(name, params):
        answer = whole(name, params)
        for employee in answer["listOfEmployees"].values():
            employee["extStatus"] = ""
        return answer

    monkeypatch.setattr(sandbox, "_settings", odd)
    assert look(at("10:16")) == []
    monkeypatch.setattr(sandbox, "_settings", lambda *_: {"listOfEmployees": []})
    assert look(at("10:17")) == []
    sandbox.faults["settings/list-of-employees"] = ["http-403"]
    assert look(at("10:18")) == [1]
    monkeypatch.setattr(sandbox, "_settings", whole)
    assert len(look(at("10:20"))) == 1


def test_a_chat_that_is_down_is_told_later_and_a_dry_run_remembers_nothing(look, sandbox, hook):
    look(at("10:00"))
    sandbox.offline.add("902")
    look(at("10:05"))
    assert look(at("10:15"), "--dry-run") == []
    hook.down = True
    assert look(at("10:20")) == [1]
    hook.down = False
    assert len(look(at("10:25"))) == 1


def test_a_process_that_dies_between_sending_and_remembering_tells_it_again(look, sandbox, monkeypatch):
    look(at("10:00"))
    sandbox.offline.add("902")
    look(at("10:05"))
    put = alert_lines.Store.put

    def die(self, values, *, done=""):
        if done:
            raise KeyboardInterrupt
        put(self, values)

    monkeypatch.setattr(alert_lines.Store, "put", die)
    assert len(look(at("10:15"))) == 2  # the message, and the code of who was interrupted
    monkeypatch.setattr(alert_lines.Store, "put", put)
    assert len(look(at("10:20"))) == 1
    assert look(at("10:25")) == []


def test_a_silence_is_told_once_and_that_calls_come_again(look, sandbox, tmp_path):
    today = []
    sandbox.company.calls_of_day = lambda day: today if day == DAY else []
    archive = Archive(f"sqlite:///{tmp_path / 'var' / 'binotel.db'}", KEY, KYIV)
    for week in range(1, 9):
        day = DAY - timedelta(weeks=week)
        moments = [at("09:00", day) + timedelta(minutes=5 * number) for number in range(100)]
        calls = [entry(moment, generalCallID=f"{week}-{n}") for n, moment in enumerate(moments)]
        archive.keep(calls, of_day(day, KYIV), clock.time())
    today.append(entry("10:00", generalCallID="1"))
    assert look(at("10:05")) == []
    assert look(at("10:55")) == []
    silent = "No incoming calls since 10:00"
    words = "There are usually some 13 in such a time. Call your own number: does it ring?"
    assert look(at("11:06")) == [(silent, f"{silent}\n\n{words}")]
    assert look(at("11:30")) == []
    sandbox.faults["settings/list-of-employees"] = ["http-403"]
    today.append(entry("11:31", generalCallID="3"))
    heard = look(at("11:32"))  # that the lines cannot be asked for keeps nobody from hearing of calls
    assert heard == [(again := "Calls come again (none since 10:00)", again), 1]
    assert look(at("20:00")) == []
    assert look(at("11:45", DAY + timedelta(days=1))) == []


def test_nobody_to_tell_is_a_wrong_configuration(look):
    assert look(at("10:00"), ALERT_URLS="") == [2]
