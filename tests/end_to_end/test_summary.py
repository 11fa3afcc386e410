"""A day's figures for other programs, and in short for chats: once, whatever goes wrong."""

import json
import os
import signal
from datetime import date, datetime, timedelta
from pathlib import Path

import processes
import pytest

import export_calls_for_period
import export_calls_per_day
from common.calls.call import Calls
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.summary import summary
from helpers import KYIV
from messages.test_mail import free_port

SCRIPT = Path(export_calls_per_day.__file__)
DAY = date(2024, 5, 1)


@pytest.fixture
def morning(run_main, inbox, hook, monkeypatch):
    """A function that runs the daily export some days after May 1, at 7:30."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)

    def morning(days, *arguments, expected=0, **more):
        moment = datetime(2024, 5, 1, 7, 30, tzinfo=KYIV) + timedelta(days=days)
        settings = inbox.settings | {"SUMMARY_URLS": hook.url} | more
        code, _ = run_main(export_calls_per_day, moment, *arguments, **settings)
        assert code == expected

    return morning


def titles(hook):
    return [title for title, _ in hook.messages]


def test_the_summary_holds_every_figure_of_the_report(configure, sandbox, tmp_path):
    path = tmp_path / "reports" / "calls-2024-05-01.summary.json"
    command = ("2024-05-01", "--format", "summary", "--config", configure(WORKING_HOURS="09:00-18:00"))
    assert processes.run(SCRIPT, *command) == (0, f"{path}\n", "")
    calls = Calls(sandbox.company.calls_of_day(DAY), KYIV)
    hours = datetime(2024, 5, 1, 9).time(), datetime(2024, 5, 1, 18).time()
    expected = summary(Report.of(Selection.of_day(DAY, KYIV), calls, working_hours=hours))
    assert json.loads(path.read_text("utf-8")) == json.loads(json.dumps(expected))


def test_a_day_is_compared_with_the_same_weekday_before_without_a_request_for_that(run_main, sandbox, tmp_path):
    moment = datetime(2024, 5, 2, 7, 30, tzinfo=KYIV)
    for day in ("2024-04-24", "2024-05-01"):
        run_main(export_calls_per_day, moment, day, "--format", "summary")
    assert len(sandbox.requests) == 2
    first, second = (
        json.loads((tmp_path / "reports" / f"calls-{day}.summary.json").read_text("utf-8"))
        for day in ("2024-04-24", "2024-05-01")
    )
    assert first["compared"] is None
    assert second["compared"]["with"] == "week_before"
    before = second["compared"]["before"]
    assert {name: first["calls"].get(name) for name in before if name in first["calls"]} == {
        name: value for name, value in before.items() if name != "to_call"
    }
    assert before["to_call"] == len(first["to_call"])


def test_a_period_has_a_summary_too(run_main, tmp_path):
    moment = datetime(2024, 5, 9, 7, 30, tzinfo=KYIV)
    output = tmp_path / "week.summary.json"
    arguments = ("2024-05-01", "2024-05-07", "--output", str(output))
    assert run_main(export_calls_for_period, moment, *arguments) == (0, f"{output}\n")
    found = json.loads(output.read_text("utf-8"))
    assert [row["day"] for row in found["by_day"]] == [f"2024-05-0{day}" for day in range(1, 8)]
    assert [row["times"] for row in found["by_weekday_and_hour"]] == [1] * 168


def test_a_chat_gets_each_day_once(morning, hook, inbox):
    morning(0, "--catch-up", REPORT_LANGUAGE="uk")
    morning(0, "--catch-up", REPORT_LANGUAGE="uk")
    morning(2, "--catch-up", REPORT_LANGUAGE="uk")
    morning(3, REPORT_LANGUAGE="uk")
    morning(3, REPORT_LANGUAGE="uk")
    days = ["вівторок, 30 квітня", "середа, 1 травня", "четвер, 2 травня", "п’ятниця, 3 травня"]
    assert titles(hook) == [f"Дзвінки: {day} 2024\N{NO-BREAK SPACE}р." for day in days]
    assert len(inbox.messages) == 5


@pytest.mark.parametrize(
    "arguments", [["2024-04-20"], ["today"], ["--no-mail"], ["--format", "csv"], ["--output", "here"]]
)
def test_who_tries_things_out_tells_no_chat(morning, hook, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    morning(1, *arguments)
    assert hook.messages == []


def test_nobody_need_get_mail(morning, hook):
    morning(0, "--catch-up", REPORT_TO="")
    morning(0, "--catch-up", REPORT_TO="")
    assert len(hook.messages) == 1


def test_a_chat_that_is_down_is_tried_by_the_next_run_and_nobody_is_mailed_again(morning, hook, inbox, caplog):
    hook.down = True
    morning(0, "--catch-up", expected=1)
    assert "The next run tries it once more." in caplog.text
    hook.down = False
    morning(0, "--catch-up")
    morning(0, "--catch-up")
    assert (len(hook.messages), len(inbox.messages)) == (1, 1)


def test_a_chat_that_stays_down_keeps_no_day_back(morning, hook, inbox):
    hook.down = True
    morning(0, "--catch-up", expected=1)
    morning(0, "--catch-up", expected=1)
    morning(0, "--catch-up")
    hook.down = False
    morning(1, "--catch-up")
    assert (len(hook.messages), len(inbox.messages)) == (1, 2)


def test_one_chat_that_is_down_keeps_nothing_from_another(morning, hook):
    away = f"json://127.0.0.1:{free_port()}/hook"
    morning(0, "--catch-up", expected=1, SUMMARY_URLS=f"{away} {hook.url}")
    assert len(hook.messages) == 1
    morning(0, "--catch-up", expected=1, SUMMARY_URLS=f"{away} {hook.url}")
    assert len(hook.messages) == 1


def test_killed_after_a_chat_took_it_the_next_run_loses_nothing(configure, hook, inbox):
    config = configure(**inbox.settings, SUMMARY_URLS=hook.url)
    process = processes.start(SCRIPT, "--catch-up", "--config", config)
    hook.on_message = lambda: os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert (len(hook.messages), len(inbox.messages)) == (1, 0)
    hook.on_message = lambda: None
    for _ in range(2):
        assert processes.run(SCRIPT, "--catch-up", "--config", config)[0] == 0
    # Sent twice rather than never: a crash between the chat's answer and the note of it cannot be told from one before.
    assert (len(hook.messages), len(inbox.messages)) == (2, 1)
