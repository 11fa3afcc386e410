"""The whole script as a process, against a sandbox with lowered caps, so that splits happen; killed, and run again."""

import email
import errno
import functools
import json
import os
import pty
import re
import signal
import termios
import time
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import processes
import pytest

import export_calls_for_period
from binotel_core import METHODS
from common.calls.archive import Archive
from common.calls.days import wanted_period
from common.sandbox.company import Company
from helpers import KYIV, conversations
from messages.test_mail import free_port

SCRIPT = Path(export_calls_for_period.__file__)
CAP, TIME_SCALE = 60, 0.01
PERIOD = ("2024-03-20", "2024-05-05")  # the clocks change in it
CAMPAIGN = [date(2024, 4, day) for day in (9, 10, 11)]

start = functools.partial(processes.start, SCRIPT, lowered=(CAP, TIME_SCALE))
run = functools.partial(processes.run, SCRIPT, lowered=(CAP, TIME_SCALE))


@pytest.fixture
def sandbox(make_sandbox, monkeypatch):
    """A sandbox with lowered caps and a campaign that nobody expects; it notes in `answered` what it has answered."""
    for name, method in METHODS.items():
        if method.cap:
            monkeypatch.setitem(METHODS, name, replace(method, cap=CAP))
    sandbox = make_sandbox(time_scale=TIME_SCALE, calls_per_day=8)
    quiet_day, busy_day = sandbox.company.calls_of_day, Company(1, 100).calls_of_day
    sandbox.company.calls_of_day = lambda day: (busy_day if day in CAMPAIGN else quiet_day)(day)
    sandbox.answered = []
    answer = sandbox.answer

    def noted(method, body, version):
        content = answer(method, body, version)
        if content["status"] == "success":
            params = json.loads(body)
            sandbox.answered.append((method, *(params[name] for name in sorted(params.keys() - {"key", "signature"}))))
        return content

    sandbox.answer = noted
    return sandbox


def midnight(day):
    return datetime.fromisoformat(day).replace(tzinfo=KYIV)


def truth(sandbox, start=PERIOD[0], stop=PERIOD[1]):
    """All calls of the days, in the order of the report."""
    after = midnight(stop) + timedelta(days=1)
    calls = sandbox.company.calls_between(int(midnight(start).timestamp()), int(after.timestamp()) - 1)
    return sorted(calls, key=lambda call: (int(call["startTime"]), call["generalCallID"]))


def test_every_call_of_a_period_is_in_the_report_once_and_nothing_is_said_but_its_path(
    configure, inbox, sandbox, tmp_path
):
    workbook = tmp_path / "reports" / "calls-2024-03-20--2024-05-05.xlsx"
    assert run(*PERIOD, "--config", configure(**inbox.settings)) == (0, f"{workbook}\n", "")

    calls = list(conversations(truth(sandbox)))
    book = openpyxl.load_workbook(workbook)
    assert book.sheetnames == [
        *("Summary", "To call", "Calls", "Employees", "Our numbers", "Groups", "Sources", "By week"),
        *("Hours of the week", "How we count"),
    ]
    listed = [row[16] for row in book["Calls"].iter_rows(min_row=2, values_only=True)]
    assert listed == [call["generalCallID"] for call in calls]
    weeks = {row[0].date(): row[1] + row[2] + row[5] for row in book["By week"].iter_rows(min_row=2, values_only=True)}
    days = (
        datetime.fromtimestamp(int(call["startTime"]), KYIV).date()
        for call in calls
        if not re.match("SMS|SUCCESS|FAILED|UNHEARD", call["disposition"])
    )
    counted = Counter(day - timedelta(days=day.weekday()) for day in days)
    assert (len(weeks), weeks) == (7, counted)
    [message] = inbox.messages
    assert message["Subject"].replace("\xa0", " ").endswith(" answered — calls 20 Mar – 5 May 2024")
    [attachment] = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == (workbook.name, workbook.read_bytes())
    assert len(set(sandbox.answered)) == len(sandbox.answered) < 47


def test_answers_that_are_cut_off_are_asked_for_again_in_parts(configure, sandbox, tmp_path):
    code, _, errors = run(*PERIOD, "--format", "json", "-v", "--config", configure())
    assert code == 0
    assert f" {CAP} entries, 0 new" in errors
    assert json.loads((tmp_path / "reports" / "calls-2024-03-20--2024-05-05.json").read_text("utf-8")) == truth(sandbox)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_export_that_is_interrupted_again_and_again_goes_on_where_it_stopped(how, configure, sandbox, tmp_path):
    report = tmp_path / "reports" / "calls-2024-03-20--2024-05-05.json"
    arguments = (*PERIOD, "--format", "json", "--config", configure())
    interruptions = 0
    for wanted in (1, 4, 8):
        with start(*arguments) as process:
            while len(sandbox.answered) < wanted + interruptions and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(how)
            _, errors = process.communicate(timeout=60)
        interruptions += 1
        if how != signal.SIGKILL:
            assert process.returncode == 130
            told = processes.without_time(SCRIPT, errors)
            assert re.fullmatch(
                r"(WARNING: What was answered is kept: run the same command again to go on from there.\n)?"
                r"ERROR: Stopped before the end.",
                told,
            )
    assert not report.exists()
    assert run(*arguments) == (0, f"{report}\n", "")
    assert json.loads(report.read_text("utf-8")) == truth(sandbox)
    # Each interruption costs one answer at the most: the one that was on its way.
    assert max(Counter(sandbox.answered).values()) <= 2
    assert len(sandbox.answered) - len(set(sandbox.answered)) <= interruptions
    assert len(set(sandbox.answered)) > 13


def test_when_the_network_is_gone_for_good_the_next_run_goes_on(configure, sandbox, tmp_path):
    arguments = (*PERIOD, "--format", "json", "--config")
    sandbox.faults = {name: ["http-500"] * 100 for name in METHODS if "-for-period" in name}
    code, output, errors = run(*arguments, configure())
    assert (code, output) == (1, "")
    kept, error = errors.splitlines()
    assert kept == "WARNING: What was answered is kept: run the same command again to go on from there."
    assert error.startswith("ERROR: 127.0.0.1:")
    assert " with HTTP 500 " in error
    code, output, errors = run(*arguments, configure(BINOTEL_API_URL=f"http://127.0.0.1:{free_port()}/api/2.0"))
    assert (code, output) == (1, "")
    assert "refused the connection" in errors
    sandbox.faults = {}
    assert run(*arguments, configure())[0] == 0
    [report] = (tmp_path / "reports").iterdir()
    assert json.loads(report.read_text("utf-8")) == truth(sandbox)
    assert len(sandbox.answered) == len(set(sandbox.answered))


def test_a_mail_that_failed_is_sent_by_the_next_run_without_asking_again(configure, inbox, sandbox, tmp_path):
    broken = configure(**inbox.settings | {"SMTP_PORT": free_port()})
    code, output, errors = run(*PERIOD, "--config", broken)
    assert (code, len(output.splitlines())) == (1, 1)
    assert errors.startswith("ERROR: 2024-03-20--2024-05-05: The mail to boss@example.com was not sent.")
    asked = len(sandbox.answered)
    assert run(*PERIOD, "--config", configure(**inbox.settings))[0] == 0
    assert len(inbox.messages) == 1
    assert len(sandbox.answered) == asked


def test_an_export_that_got_no_answer_says_so_in_a_line(configure, tmp_path):
    code, _, errors = run(*PERIOD, "--config", configure(BINOTEL_SECRET="wrong"))
    assert (code, errors.count("\n")) == (1, 0)
    assert "code 121" in errors


def exported(configure, tmp_path, *arguments):
    path = tmp_path / "out.json"
    code, output, errors = run(*arguments, "--output", path, "--config", configure())
    assert (code, output, errors) == (0, f"{path}\n", "")
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(("direction", "kind"), [("incoming", "0"), ("outgoing", "1")])
def test_one_direction(direction, kind, configure, sandbox, tmp_path):
    expected = [call for call in truth(sandbox) if str(call["callType"]) == kind]
    assert exported(configure, tmp_path, *PERIOD, "--direction", direction) == expected


def test_one_line_both_ways_or_one(configure, sandbox, tmp_path):
    expected = [call for call in truth(sandbox) if call["internalNumber"] == "900"]
    assert exported(configure, tmp_path, *PERIOD, "--internal-number", "900") == expected
    assert {request[0] for request in sandbox.answered} == {"stats/list-of-calls-by-internal-number-for-period"}
    outgoing = [call for call in truth(sandbox) if call["internalNumber"] == "903" and str(call["callType"]) == "1"]
    arguments = (*PERIOD, "--internal-number", "903", "--direction", "outgoing")
    assert exported(configure, tmp_path, *arguments) == outgoing != []


def test_part_of_a_day_is_both_ends_inclusive(configure, sandbox, tmp_path):
    calls = truth(sandbox, "2024-05-02", "2024-05-02")
    first, last = (datetime.fromtimestamp(int(calls[index]["startTime"]), KYIV) for index in (2, -3))
    arguments = (f"{first:%Y-%m-%d %H:%M:%S}", f"{last:%Y-%m-%dT%H:%M:%S}")
    assert exported(configure, tmp_path, *arguments) == calls[2:-2]


def recent(sandbox, days):
    now = datetime.now(KYIV)
    return truth(sandbox, f"{now - timedelta(days=days):%Y-%m-%d}", f"{now - timedelta(days=1):%Y-%m-%d}")


@pytest.mark.parametrize("form", ["{}", "+38{}", "38{}"])
def test_one_number_however_it_is_written(form, configure, sandbox, tmp_path):
    calls = recent(sandbox, 20)
    number = Counter(call["externalNumber"][-10:] for call in calls).most_common(1)[0][0]
    days = (calls[0], calls[-1])
    arguments = [f"{datetime.fromtimestamp(int(call['startTime']), KYIV):%Y-%m-%d}" for call in days]
    expected = [call for call in calls if call["externalNumber"].endswith(number)]
    assert exported(configure, tmp_path, *arguments, "--number", form.format(number)) == expected
    forms = [number, f"38{number}", f"+38{number}"]
    assert sandbox.answered == [("stats/history-by-number", forms)]


def test_one_customer(configure, sandbox, tmp_path):
    calls = recent(sandbox, 20)
    identity = next(call["customerData"]["id"] for call in calls if call["customerData"])
    expected = [call for call in calls if call["customerData"] and call["customerData"]["id"] == identity]
    start = f"{datetime.now(KYIV) - timedelta(days=20):%Y-%m-%d}"
    assert exported(configure, tmp_path, start, "yesterday", "--customer", identity) == expected
    assert sandbox.answered == [("stats/history-by-customer-id", identity)]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("yesterday", "2024-05-14"),
        ("today", "2024-05-15"),
        ("this-week", "2024-05-13--2024-05-15"),
        ("last-week", "2024-05-06--2024-05-12"),
        ("this-month", "2024-05-01--2024-05-15"),
        ("last-month", "2024-04-01--2024-04-30"),
        ("2024-02", "2024-02-01--2024-02-29"),
        ("2024-05", "2024-05-01--2024-05-15"),
        ("2024-W01", "2024-01-01--2024-01-07"),
        ("2020-W53", "2020-12-28--2021-01-03"),
        ("2024-W20", "2024-05-13--2024-05-15"),
        ("2024-05-01", "2024-05-01--2024-05-15"),
    ],
)
def test_one_word_names_a_whole_period_or_what_there_is_of_it(word, name, run_main, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    now = datetime(2024, 5, 15, 15, 30, tzinfo=KYIV)
    path = tmp_path / "reports" / f"calls-{name}.json"
    assert run_main(export_calls_for_period, now, word, "--format", "json") == (0, f"{path}\n")
    start, _, stop = name.partition("--")
    calls = [call for call in truth(sandbox, start, stop or start) if int(call["startTime"]) <= now.timestamp()]
    numbers = [call["generalCallID"] for call in json.loads(path.read_text("utf-8"))]
    assert numbers == [call["generalCallID"] for call in calls] != []


@pytest.mark.parametrize(
    ("today", "word", "days"),
    [
        (date(2024, 1, 1), "last-month", ("2023-12-01", "2023-12-31")),
        (date(2024, 1, 1), "last-week", ("2023-12-25", "2023-12-31")),
        (date(2024, 3, 31), "last-month", ("2024-02-01", "2024-02-29")),
        (date(2024, 3, 31), "this-week", ("2024-03-25", "2024-03-31")),
        (date(2024, 3, 31), "2024-05-01", None),
        (date(2024, 3, 31), "today", None),
    ],
)
def test_periods_are_reckoned_over_the_ends_of_years_and_months(today, word, days):
    assert wanted_period(word, today) == (days and tuple(map(date.fromisoformat, days)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2024-13"], "There is no month 13: write a month as 2024-05, a week as 2024-W18."),
        (["2024-W60"], "There is no week 60 in 2024: write a month as 2024-05, a week as 2024-W18."),
        (["2024-W53"], "There is no week 53 in 2024: write a month as 2024-05, a week as 2024-W18."),
        (["2999-05"], "2999-05 has not begun yet: there are no calls to export."),
        (["2999-W01"], "2999-W01 has not begun yet: there are no calls to export."),
        (["9999-W52"], "There is no week 52 in 9999: write a month as 2024-05, a week as 2024-W18."),
        (["1999-05"], "1999-05 is too long ago: Binotel was not there before 2000."),
        (
            ["last-week", "today"],
            "'last-week' is not a time: write it as 2024-05-01, 2024-05-01 09:30, today or yesterday.",
        ),
        (["2024-13-01"], "'2024-13-01' is not a time: write it as 2024-05-01, 2024-05-01 09:30, today or yesterday."),
        (
            ["2024-05-01", "25:00"],
            "'2024-05-01 25:00' is not a time: write it as 2024-05-01, 2024-05-01 09:30, today or yesterday.",
        ),
        (["2999-01-01"], "2999-01-01 has not begun yet: there are no calls to export."),
        (["2024-05-02", "2024-05-01"], "2024-05-01 is before 2024-05-02: name START first, then STOP."),
        (["2024-05-01", "--internal-number", "Оля"], "--internal-number 'Оля' is no number: write its digits alone."),
        (["2024-05-01", "--customer", "../x"], "--customer '../x' is no number: write its digits alone."),
        (["2024-05-01", "--internal-number", ""], "--internal-number '' is no number: write its digits alone."),
        (["2024-05-01", "--customer", ""], "--customer '' is no number: write its digits alone."),
        (["2024-05-01", "--number", ""], "--number '' is no phone number: write it as 0671234567."),
        (["2024-05-01", "--number", "( )"], "--number '( )' is no phone number: write it as 0671234567."),
        (["2024-05-01", "--format", ""], "There is no format '': --format takes some of xlsx,csv,json,summary."),
        (["0001-01-01"], "0001-01-01 is too long ago: Binotel was not there before 2000."),
        (
            ["2024-05-01", "2024-05-02", "2024-05-03"],
            "'2024-05-01 2024-05-02 2024-05-03' are not one or two times: name START and, unless it is now, STOP.",
        ),
        (["09:30"], "'09:30' is not a time: write it as 2024-05-01, 2024-05-01 09:30, today or yesterday."),
        (
            ["2024-03-31 03:30", "2024-04-01"],
            "There was no 2024-03-31 03:30: the clocks were put forward. Name a time before or after that.",
        ),
        *(
            (["2024-05-01", "--number", text], f"--number {text!r} is no phone number: write it as 0671234567.")
            for text in ("x", "x0671234567", "0671234567 доб 5", "0671234567,101", "+", "06712+34567")
        ),
        (["2024-05-01", "--format", "pdf"], "There is no format 'pdf': --format takes some of xlsx,csv,json,summary."),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(arguments, message, run_main, caplog, sandbox):
    assert run_main(export_calls_for_period, datetime(2024, 6, 1, tzinfo=KYIV), *arguments) == (2, "")
    assert [record.getMessage() for record in caplog.records] == [message]
    assert sandbox.requests == []


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_person_sees_how_far_it_has_come_and_how_long_it_will_take(configure, sandbox):
    terminal, its_end = pty.openpty()
    termios.tcsetwinsize(its_end, (25, 80))
    with start(*PERIOD, "--config", configure(), stderr=its_end) as process:
        os.close(its_end)
        shown = b""
        while True:
            try:
                shown += os.read(terminal, 10_000)
            except OSError:  # the other end is closed
                break
        assert process.wait(timeout=60) == 0
    os.close(terminal)
    bars = re.findall(r"(\d+)%\|.{20}\| (\d+) of 47 days, (\d\d:\d\d) left", shown.decode())
    done = [int(bar[0]) for bar in bars]
    assert done == sorted(done)
    assert done[0] == 0 < done[-1] < 100
    assert bars[0][1:] == ("0", "03:30")  # 47 days of which 5 are free, until more is known
    assert "Waiting" not in shown.decode()
    assert f"{len(sandbox.answered)} requests were made; writing the report" in shown.decode()


# --- In this process, where the clock can be set -----------------------------


@pytest.fixture
def run_here(run_main, monkeypatch):
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("binotel_core.RETRY_PAUSES_SECONDS", ())
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    return functools.partial(run_main, export_calls_for_period)


def test_start_alone_means_until_now_and_the_report_says_so(run_here, inbox, sandbox, tmp_path):
    now = datetime(2024, 5, 3, 15, 30, tzinfo=KYIV)
    assert run_here(now, "2024-04-20", **inbox.settings) == (
        0,
        f"{tmp_path}/reports/calls-2024-04-20--2024-05-03.xlsx\n",
    )
    book = openpyxl.load_workbook(tmp_path / "reports" / "calls-2024-04-20--2024-05-03.xlsx")
    assert book["Summary"]["A1"].value == "Calls: 20 Apr\xa0–\xa03 May 2024"
    assert book["Summary"]["A3"].value == "Data as of 15:30: the last day is not over"
    listed = [row[16] for row in book["Calls"].iter_rows(min_row=2, values_only=True)]
    until_now = [
        call for call in truth(sandbox, "2024-04-20", "2024-05-03") if int(call["startTime"]) <= now.timestamp()
    ]
    assert listed == [call["generalCallID"] for call in until_now]
    assert inbox.messages[0]["Subject"].endswith(" (as of 15:30)")


@pytest.mark.parametrize("more", [[], ["--number", "0671234567"]])
@pytest.mark.parametrize("stop", [["2024-05-02"], []])
def test_the_same_command_mails_those_alone_who_wait_and_once_they_have_it_everybody(more, stop, run_here, odd_mail):
    command = (datetime(2024, 5, 3, 15, 30, tzinfo=KYIV), "2024-05-01", *stop, *more, "--format", "json")
    odd_mail.odd["second@example.com"] = ["450 Greylisted"] * 3
    assert run_here(*command, **odd_mail.settings)[0] == 1
    assert run_here(*command, **odd_mail.settings)[0] == 0
    assert odd_mail.taken == [["boss@example.com"], ["second@example.com"]]
    assert len({email.message_from_bytes(content)["Message-ID"] for _, content in odd_mail.received}) == 1
    assert run_here(*command, **odd_mail.settings)[0] == 0
    assert odd_mail.taken[2:] == [["boss@example.com", "second@example.com"]]


def test_other_formats_and_other_calls_are_other_reports(run_here, odd_mail):
    now = datetime(2024, 5, 3, 15, 30, tzinfo=KYIV)
    for more in (["--format", "json"], ["--format", "csv"], ["--format", "json", "--direction", "incoming"]):
        odd_mail.odd["second@example.com"] = ["450 Greylisted"] * 3
        assert run_here(now, "2024-05-01", "2024-05-01", *more, **odd_mail.settings)[0] == 1
    assert odd_mail.taken == [["boss@example.com"]] * 3


def test_an_export_that_is_stopped_at_the_good_bye_mails_nobody_twice(run_here, odd_mail, monkeypatch, tmp_path):
    command = (datetime(2024, 5, 3, 15, 30, tzinfo=KYIV), "2024-05-01", "2024-05-01", "--format", "json")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("common.messages.mail._Smtp.say_goodbye", stop)
        assert run_here(*command, **odd_mail.settings)[0] == 130
    assert run_here(*command, **odd_mail.settings)[0] == 0
    assert odd_mail.taken == [["boss@example.com", "second@example.com"]]


def test_a_stop_that_is_still_to_come_means_until_now(run_here, sandbox, tmp_path):
    now = datetime(2024, 5, 3, 15, 30, tzinfo=KYIV)
    assert run_here(now, "2024-05-01", "2024-05-31")[1].endswith("/calls-2024-05-01--2024-05-03.xlsx\n")


def test_an_export_until_now_that_goes_on_days_later_goes_on_until_then(run_here, sandbox, tmp_path, monkeypatch):
    """Calls that were going on at the time of the first run are looked at again."""
    going_on = truth(sandbox, "2024-05-01", "2024-05-01")[2]
    then = datetime.fromtimestamp(int(going_on["startTime"]) + 1, KYIV)
    now = datetime(2024, 5, 4, 9, 0, tzinfo=KYIV)
    with monkeypatch.context() as patch:
        patch.setattr("common.reports.outputs.save", broken_disk)
        assert run_here(then, "2024-03-20", "--format", "json")[0] == 1
    asked = sandbox.answered.copy()
    assert run_here(now, "2024-03-20", "--format", "json")[0] == 0
    [report] = (tmp_path / "reports").iterdir()
    expected = truth(sandbox, "2024-03-20", "2024-05-04")
    assert json.loads(report.read_text("utf-8")) == [
        call for call in expected if int(call["startTime"]) <= now.timestamp()
    ]
    assert len(asked) > 10
    assert len(sandbox.answered) - len(asked) <= 5
    assert max(Counter(sandbox.answered).values()) <= 2


def broken_disk(*_arguments):
    raise OSError(errno.EIO, "Input/output error")


def test_after_a_failure_to_write_the_next_run_asks_for_nothing_again(run_here, sandbox, tmp_path, monkeypatch):
    later = datetime(2024, 7, 1, tzinfo=KYIV)
    with monkeypatch.context() as patch:
        patch.setattr("common.reports.outputs.save", broken_disk)
        assert run_here(later, *PERIOD, "--format", "json")[0] == 1
    asked = len(sandbox.answered)
    assert run_here(later, *PERIOD, "--format", "json")[0] == 0
    assert json.loads(next((tmp_path / "reports").iterdir()).read_text("utf-8")) == truth(sandbox)
    assert len(sandbox.answered) == asked


def test_an_empty_answer_takes_nothing_away(run_here, sandbox, tmp_path, monkeypatch, caplog):
    later = datetime(2024, 7, 1, tzinfo=KYIV)
    arguments = (*PERIOD, "--format", "json")
    assert run_here(later, *arguments)[0] == 0
    report = tmp_path / "reports" / "calls-2024-03-20--2024-05-05.json"
    content = report.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox.company, "calls_of_day", lambda day: [])
        assert run_here(later, *arguments, "--fresh")[0] == 0
    assert report.read_bytes() == content
    assert re.search("Binotel lists [0-9]+ calls no more that it had listed before. They are kept.", caplog.text)
    assert run_here(later, *arguments)[0] == 0
    assert report.read_bytes() == content


def test_what_an_earlier_version_kept_answers_in_is_removed(run_here, tmp_path):
    for name in ("export_calls_for_period-1-2.spool", "export_calls_for_period-1-2.spool-journal", "other.spool"):
        (tmp_path / "var").mkdir(exist_ok=True)
        (tmp_path / "var" / name).write_text("calls")
    assert run_here(datetime(2024, 7, 1, tzinfo=KYIV), *PERIOD)[0] == 0
    assert [path.name for path in (tmp_path / "var").glob("*.spool*")] == ["other.spool"]


@pytest.mark.parametrize(
    "more",
    [
        *([], ["--internal-number", "903"], ["--number", "0671234567"], ["--customer", "6605"]),
        *(["--direction", "incoming"], ["--internal-number", "903", "--direction", "outgoing"]),
    ],
    ids=" ".join,
)
def test_the_second_time_binotel_is_not_asked(more, run_here, sandbox, tmp_path):
    later = datetime(2024, 5, 20, 12, tzinfo=KYIV)
    contents = []
    for _ in range(2):
        assert run_here(later, *PERIOD, *more, "--format", "json")[0] == 0
        [report] = (tmp_path / "reports").iterdir()
        contents.append(report.read_bytes())
        asked, sandbox.answered = sandbox.answered, []
        assert bool(asked) == (len(contents) == 1)
    assert contents[0] == contents[1]


def test_once_everything_is_known_so_is_every_line_number_and_customer(run_here, sandbox, tmp_path):
    later = datetime(2024, 5, 20, 12, tzinfo=KYIV)
    assert run_here(later, *PERIOD, "--format", "json")[0] == 0
    sandbox.answered.clear()
    calls = truth(sandbox)
    number = Counter(call["externalNumber"][-9:] for call in calls).most_common(1)[0][0]
    customer = next(call["customerData"]["id"] for call in calls if call["customerData"])
    for more, expected in (
        (["--internal-number", "903"], [call for call in calls if call["internalNumber"] == "903"]),
        (["--number", f"0{number}"], [call for call in calls if call["externalNumber"][-9:] == number]),
        (["--customer", customer], [call for call in calls if dict(call["customerData"] or {}).get("id") == customer]),
    ):
        path = tmp_path / "out.json"
        assert run_here(later, *PERIOD, *more, "--output", str(path))[0] == 0
        assert json.loads(path.read_text("utf-8")) == expected != []
    assert sandbox.answered == []
    # A number of another country with the same last digits is another one.
    path = tmp_path / "other.json"
    assert run_here(later, *PERIOD, "--number", f"+48{number}", "--output", str(path))[0] == 0
    assert json.loads(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("zone", "number", "forms"),
    [
        ("Europe/Kyiv", "+48 501 234 567", ["0048501234567", "48501234567", "+48501234567"]),
        ("Europe/Kyiv", "067\u00a0123\u201145\u201167", ["0671234567", "380671234567", "+380671234567"]),
        ("Asia/Almaty", "+7 (701) 123-45-67", ["87011234567", "77011234567", "+77011234567"]),
        ("Asia/Almaty", "8 701 123 45 67", ["87011234567", "77011234567", "+77011234567"]),
        ("Asia/Almaty", "+380671234567", ["810380671234567", "380671234567", "+380671234567"]),
        ("Asia/Almaty", "101", ["101", "+101"]),
    ],
)
def test_a_number_is_asked_for_as_one_of_its_own_country(zone, number, forms, run_here, sandbox):
    assert run_here(datetime(2024, 7, 1, tzinfo=KYIV), *PERIOD, "--number", number, TIMEZONE=zone)[0] == 0
    assert sandbox.answered == [("stats/history-by-number", forms)]


def test_a_number_that_nobody_called_is_doubted(run_here, sandbox, caplog):
    assert run_here(datetime(2024, 7, 1, tzinfo=KYIV), *PERIOD, "--number", "0999999999")[0] == 0
    assert "There are no such calls (2024-03-20--2024-05-05-number-0999999999): is the number right?" in caplog.text


def test_in_the_hour_that_comes_twice_now_is_the_second_time(run_here, sandbox, tmp_path):
    now = datetime(2024, 10, 27, 3, 10, tzinfo=KYIV, fold=1)
    assert run_here(now, "2024-10-27 03:30", "--format", "json") == (
        0,
        f"{tmp_path}/reports/calls-2024-10-27T033000--2024-10-27T235959.json\n",
    )


def test_dates_and_times_need_no_quotes(run_here, sandbox, tmp_path):
    later = datetime(2024, 7, 1, tzinfo=KYIV)
    path = f"{tmp_path}/reports/calls-2024-05-01T090000--2024-05-02T180030.json\n"
    for times in (
        ["2024-05-01", "09:00", "2024-05-02", "18:00:30"],
        ["2024-05-01 09:00", "2024-05-02T18:00:30"],
        ["2024-05-01 09:00 2024-05-02 18:00:30"],
    ):
        assert run_here(later, *times, "--format", "json") == (0, path)


def test_a_report_that_cannot_be_written_is_told_before_anything_is_asked(run_here, sandbox, tmp_path, caplog):
    later = datetime(2024, 7, 1, tzinfo=KYIV)
    (tmp_path / "reports" / "calls-2024-03-20--2024-05-05.xlsx").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    assert run_here(later, *PERIOD)[0] == 2
    assert "calls-2024-03-20--2024-05-05.xlsx is a folder, and a file is to be written there" in caplog.text
    assert run_here(later, *PERIOD, "--output", f"{tmp_path}/file/x.csv")[0] == 1
    assert sandbox.requests == []


@pytest.mark.parametrize(("hour", "days_not_over"), [(2, 2), (15, 1)])
def test_an_export_until_now_asks_again_only_for_days_in_which_calls_may_be_going_on(
    hour, days_not_over, run_here, sandbox, tmp_path, monkeypatch
):
    now = datetime(2024, 5, 4, hour, 0, tzinfo=KYIV)
    arguments = ("2024-03-20", "--format", "json")
    answers = [0]
    with monkeypatch.context() as patch:
        patch.setattr("common.calls.archive.Archive.keep", stopping_after(None, answers))
        assert run_here(now, *arguments)[0] == 0
    everything, kept_in_all = len(sandbox.answered), answers[0]
    assert kept_in_all > 12
    sandbox.answered.clear()
    assert run_here(now, *arguments)[0] == 0
    assert len(sandbox.answered) <= 2 * days_not_over
    for kept in (5, kept_in_all - 2, kept_in_all - 1, kept_in_all):
        sandbox.answered.clear()
        more = {"DATABASE_URL": f"sqlite:///var/{kept}.db"}
        with monkeypatch.context() as patch:
            patch.setattr("common.calls.archive.Archive.keep", stopping_after(kept, [0]))
            assert run_here(now, *arguments, **more)[0] == 130
        assert run_here(now, *arguments, **more)[0] == 0
        assert len(sandbox.answered) <= everything + days_not_over
        [report] = (tmp_path / "reports").iterdir()
        calls = truth(sandbox, "2024-03-20", "2024-05-04")
        ids = [call["generalCallID"] for call in calls if int(call["startTime"]) <= now.timestamp()]
        assert [call["generalCallID"] for call in json.loads(report.read_text("utf-8"))] == ids


def stopping_after(wanted, answers):
    """Archive.keep, which counts the answers, and is interrupted as soon as so many are in the archive."""

    def stopping(*arguments, **options):
        result = keep(*arguments, **options)
        answers[0] += 1
        if answers[0] == wanted:
            raise KeyboardInterrupt
        return result

    keep = Archive.keep
    return stopping
