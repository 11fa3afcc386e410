"""The whole script as a process, against the sandbox and a real mail server."""

import asyncio
import email
import email.policy
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from email.header import decode_header, make_header
from pathlib import Path

import openpyxl
import processes
import pytest

import export_calls_per_day
from common.sandbox.company import LOST_DISPOSITIONS
from common.state.store import Store
from helpers import KYIV, conversations
from messages.odd_server import break_off
from messages.test_mail import free_port

SCRIPT = Path(export_calls_per_day.__file__)
DAY = date(2024, 5, 1)
PER_DAY = "stats/list-of-calls-per-day"


start = functools.partial(processes.start, SCRIPT)
run = functools.partial(processes.run, SCRIPT)


def test_a_day_becomes_a_workbook_and_a_mail_and_nothing_is_said_but_its_path(configure, inbox, sandbox, tmp_path):
    workbook = tmp_path / "reports" / "calls-2024-05-01.xlsx"
    assert run("2024-05-01", "--config", configure(**inbox.settings)) == (0, f"{workbook}\n", "")

    calls = list(conversations(sandbox.company.calls_of_day(DAY)))
    sheet = openpyxl.load_workbook(workbook)["Calls"]
    assert [row[16] for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        call["generalCallID"] for call in calls
    ]
    [message] = inbox.messages
    incoming = [
        call for call in calls if str(call["callType"]) == "0" and call["disposition"] not in ("SUCCESS", "FAILED")
    ]
    lost = [call for call in incoming if call["disposition"] in LOST_DISPOSITIONS]
    over = [call for call in incoming if call in lost or call["disposition"] in ("ANSWER", "TRANSFER")]
    share = Decimal(100 * (len(over) - len(lost))) / len(over)
    rounded = share.quantize(Decimal("0.1"), ROUND_HALF_UP).normalize()
    assert message["Subject"].endswith(f", {rounded}% answered — calls 1 May 2024")
    [attachment] = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == (workbook.name, workbook.read_bytes())
    assert [request["method"] for request in sandbox.requests] == [PER_DAY]
    assert sorted(path.name for path in workbook.parent.iterdir()) == [workbook.name]


def test_several_days_and_formats_each_day_once(configure, sandbox, tmp_path):
    arguments = ("2024-05-01", "2024-01-01", "2024-05-01", "--format", "json,csv", "--output", tmp_path / "out")
    paths = [
        tmp_path / "out" / f"calls-{day}.{form}" for day in ("2024-05-01", "2024-01-01") for form in ("json", "csv")
    ]
    assert run(*arguments, "--config", configure()) == (0, "".join(f"{path}\n" for path in paths), "")
    assert json.loads(paths[0].read_text("utf-8")) == sandbox.company.calls_of_day(DAY)
    assert json.loads(paths[2].read_text("utf-8")) == []
    assert len(sandbox.requests) == 2


def test_output_may_be_a_file_whose_ending_names_the_format(configure, sandbox, tmp_path):
    path = tmp_path / "new" / "may.json"
    assert run("2024-05-01", "--output", path, "--config", configure()) == (0, f"{path}\n", "")
    assert json.loads(path.read_text("utf-8")) == sandbox.company.calls_of_day(DAY)


def test_no_mail_sends_nothing(configure, inbox):
    assert run("2024-05-01", "--no-mail", "--config", configure(**inbox.settings))[0] == 0
    assert inbox.messages == []


@pytest.fixture
def quick(monkeypatch):
    """Binotel answers as often as it is asked."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)


@pytest.fixture
def catch_up(run_main, inbox, quick):
    """A function that runs --catch-up, or other arguments, some days after May 1; returns the days that it exported."""

    def catch_up(days, *arguments, expected=0, **more):
        moment = datetime(2024, 5, 1, 7, 30, tzinfo=KYIV) + timedelta(days=days)
        words = arguments or ["--catch-up"]
        code, output = run_main(export_calls_per_day, moment, *words, **inbox.settings | more)
        assert code == expected
        return [Path(line).stem.removeprefix("calls-2024-") for line in output.splitlines()]

    return catch_up


def test_missed_days_are_caught_up_the_oldest_first_and_sent_once(catch_up, inbox):
    assert catch_up(0) == ["04-30"]
    assert catch_up(0) == []
    assert catch_up(1) == ["05-01"]
    assert catch_up(4) == ["05-02", "05-03", "05-04"]
    assert catch_up(5, "2024-05-01", "today") == ["05-01", "05-06"]  # by hand: as often as asked
    assert catch_up(7, "2024-05-06") == ["05-06"]
    assert catch_up(7) == ["05-05", "05-07"]
    assert len(inbox.messages) == 10


def test_no_more_than_a_month_is_caught_up_and_the_days_before_it_are_named(catch_up, caplog):
    assert catch_up(0) == ["04-30"]
    days = catch_up(60, "--catch-up", "--format", "json", REPORT_TO="")
    assert (len(days), days[0], days[-1]) == (31, "05-30", "06-29")
    told = "2024-05-01 to 2024-05-29 are too long ago to be caught up: export them by name."
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [told]


def test_a_clock_a_year_ahead_mails_nothing_and_leaves_nothing_behind(catch_up, sandbox, inbox, monkeypatch):
    monkeypatch.setattr("common.sandbox.server.Handler.date_time_string", lambda self: "Wed, 01 May 2024 04:30:00 GMT")
    for days in (366, 0, 366):
        sent, expected = len(inbox.messages), 1 if days else 0
        assert catch_up(days, expected=expected) == ([] if days else ["04-30"])
        assert len(inbox.messages) == sent + 1 - expected
    monkeypatch.undo()


def test_days_are_caught_up_without_mail_too(catch_up, inbox):
    assert catch_up(0, "--catch-up", "--no-mail") == ["04-30"]
    assert catch_up(3, "--catch-up", "--no-mail") == ["05-01", "05-02", "05-03"]
    assert catch_up(4, REPORT_TO="") == ["05-04"]
    assert catch_up(5) == ["05-05"]
    assert len(inbox.messages) == 1


def test_a_first_day_that_cannot_be_mailed_is_not_forgotten(catch_up, inbox):
    assert catch_up(0, expected=1, SMTP_PORT=free_port()) == ["04-30"]
    assert catch_up(2) == ["04-30", "05-01", "05-02"]


def test_another_report_by_hand_takes_no_days_place(catch_up, tmp_path):
    assert catch_up(0) == ["04-30"]
    assert catch_up(1, "yesterday", "--format", "csv") == ["05-01"]
    assert catch_up(1, "yesterday", "--output", str(tmp_path)) == ["05-01"]
    assert catch_up(1, "yesterday", REPORT_TO="") == ["05-01"]
    assert catch_up(1) == ["05-01"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_process_that_is_stopped_after_sending_remembers_it_first(configure, inbox, monkeypatch):
    take = inbox.handle_DATA
    config = configure(**inbox.settings)
    with start("--catch-up", "--config", config) as process:

        async def handle_data(*arguments):
            taken = await take(*arguments)
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            return taken

        monkeypatch.setattr(inbox, "handle_DATA", handle_data)
        assert process.wait(20) == 130
    assert run("--catch-up", "--config", config) == (0, "", "")
    assert len(inbox.messages) == 1


def test_what_could_not_be_mailed_is_left_for_the_next_run(catch_up, inbox):
    assert catch_up(0) == ["04-30"]
    assert catch_up(3, expected=1, SMTP_PORT=free_port()) == ["05-01"]
    assert catch_up(4, "yesterday", "--no-mail") == ["05-04"]
    assert catch_up(4) == ["05-01", "05-02", "05-03", "05-04"]
    assert len(inbox.messages) == 5


def test_an_address_that_is_refused_keeps_the_others_from_nothing_and_gives_them_no_report_twice(catch_up, inbox):
    to = {"REPORT_TO": "gone@example.com,boss@example.com"}
    inbox.refuse_recipients = ("gone@example.com",)
    assert catch_up(0, expected=1, **to) == ["04-30"]
    assert catch_up(0, **to) == []
    assert catch_up(2, expected=1, **to) == ["05-01", "05-02"]
    assert [envelope.rcpt_tos for envelope in inbox.envelopes] == [["boss@example.com"]] * 3


BOSS, SECOND = "boss@example.com", "second@example.com"


@pytest.fixture
def odd_days(run_main, odd_mail, quick):
    """A function that runs --catch-up, or other arguments, days after May 1; gives its exit code and whom it mailed."""

    def odd_days(days, *arguments, **more):
        moment = datetime(2024, 5, 1, 7, 30, tzinfo=KYIV) + timedelta(days=days)
        words = arguments or ["--catch-up", "--format", "json"]
        before = len(odd_mail.received)
        code, _ = run_main(export_calls_per_day, moment, *words, **odd_mail.settings | more)
        mails = [(to, email.message_from_bytes(content)) for to, content in odd_mail.received[before:]]
        return code, [(sent_day(message), to) for to, message in mails]

    return odd_days


def sent_day(message):
    subject = str(make_header(decode_header(message["Subject"])))
    named = re.search(r"calls ([0-9]+ \w+ 2024)", subject)
    return f"{datetime.strptime(named[1], '%d %b %Y'):%m-%d}" if named else subject.partition(":")[0]


def test_who_is_put_off_is_sent_each_day_by_a_later_run_and_the_others_get_each_day_once(odd_days, odd_mail):
    odd_mail.odd[SECOND] = ["450 Greylisted"] * 99
    assert odd_days(0) == (1, [("04-30", [BOSS])])
    assert odd_days(0) == (1, [])
    assert odd_days(2) == (1, [("05-01", [BOSS]), ("05-02", [BOSS])])
    del odd_mail.odd[SECOND]
    assert odd_days(3) == (
        0,
        [("04-30", [SECOND]), ("05-01", [SECOND]), ("05-02", [SECOND]), ("05-03", [BOSS, SECOND])],
    )
    assert odd_days(3) == (0, [])
    assert odd_days(4) == (0, [("05-04", [BOSS, SECOND])])


def test_whom_everybody_waits_for_holds_no_later_day(odd_days, odd_mail):
    odd_mail.odd[BOSS] = ["451 Not now"] * 3
    assert odd_days(0, REPORT_TO=BOSS) == (1, [])
    odd_mail.odd["end of data"] = ["451 Not this one"] * 3
    assert odd_days(1, REPORT_TO=BOSS) == (1, [("04-30", [BOSS])] * 3 + [("05-01", [BOSS])])
    assert odd_days(1, REPORT_TO=BOSS) == (0, [("04-30", [BOSS])])
    assert odd_days(1, REPORT_TO=BOSS) == (0, [])


def test_while_the_server_is_away_no_later_day_is_asked_for(odd_days, odd_mail, sandbox):
    odd_days(0)
    odd_mail.odd["connect"] = ["421 Busy"] * 3
    asked = len(sandbox.requests)
    assert odd_days(3) == (1, [])
    assert len(sandbox.requests) == asked + 1
    assert odd_days(3) == (0, [(day, [BOSS, SECOND]) for day in ("05-01", "05-02", "05-03")])


def test_a_refusal_for_good_ends_a_day_for_that_address_and_is_told_to_admin_once(odd_days, odd_mail, caplog):
    odd_mail.odd[SECOND] = ["550 No such user"] * 9
    admin = {"ADMIN_TO": "admin@example.com"}
    told = [("Reports do not arrive", ["admin@example.com"])]
    assert odd_days(0, **admin) == (1, [("04-30", [BOSS]), *told])
    assert odd_days(0, **admin) == (0, [])
    assert odd_days(2, **admin) == (1, [("05-01", [BOSS]), ("05-02", [BOSS])])
    refusals = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert refusals == [
        f"2024-{day}: The mail server refused these recipients: {SECOND} (550 No such user). "
        "The other recipients got it. Check REPORT_TO."
        for day in ("04-30", "05-01", "05-02")
    ]
    mail = email.message_from_bytes(odd_mail.received[1][1], policy=email.policy.default)
    assert mail["Subject"] == f"Reports do not arrive: {SECOND}"
    assert mail.get_body(["plain"]).get_content().replace("\r\n", "\n").splitlines() == [
        mail["Subject"],
        "",
        'The report "Calls: Tuesday, 30 April 2024" was not delivered.',
        "",
        "What the program says:",
        refusals[0].removeprefix("2024-04-30: "),
        "",
        "What to do:",
        "Check the address in REPORT_TO. If it is right, ask those who run the recipient's mail for the reason. "
        "To send this report once more, export it by hand.",
        "",
        "Later reports are sent to this address, too, but you will not be told of this again.",
    ]
    odd_mail.odd[SECOND] = []
    assert odd_days(3, **admin) == (0, [("05-03", [BOSS, SECOND])])
    odd_mail.odd[SECOND] = ["550 No such user"]
    assert odd_days(4, **admin) == (1, [("05-04", [BOSS]), *told])  # it was mended in between


def test_nobody_is_given_up_of_whom_nobody_could_be_told(odd_days, odd_mail):
    odd_mail.odd["RCPT"] = ["550 Relaying denied"] * 3
    admin = {"ADMIN_TO": "admin@example.com"}
    assert odd_days(0, **admin) == (1, [])
    assert odd_days(0, **admin) == (0, [("04-30", [BOSS, SECOND])])


@pytest.mark.parametrize("arguments", [["2024-04-30"], ["2024-04-30", "--format", "json"]])
def test_one_address_that_is_refused_or_put_off_never_gives_the_others_a_report_twice(arguments, odd_days, odd_mail):
    odd_mail.odd[SECOND] = ["450 Greylisted"] * 3
    assert odd_days(0, *arguments) == (1, [("04-30", [BOSS])])
    assert odd_days(0, *arguments) == (0, [("04-30", [SECOND])])


def test_what_everybody_has_got_is_sent_anew_when_asked_for_by_hand_and_is_no_copy(odd_days, odd_mail):
    for _ in range(2):
        assert odd_days(0, "2024-04-30") == (0, [("04-30", [BOSS, SECOND])])
    assert odd_days(0) == (0, [])
    first, second = (email.message_from_bytes(content) for _, content in odd_mail.received)
    assert first["Message-ID"] != second["Message-ID"]


def test_by_hand_one_who_was_refused_is_tried_again_and_nobody_else(odd_days, odd_mail):
    odd_mail.odd[SECOND] = ["550 No such user"]
    assert odd_days(0, "2024-04-30") == (1, [("04-30", [BOSS])])
    assert odd_days(0, "2024-04-30", REPORT_TO=f"{BOSS},right@example.com") == (0, [("04-30", ["right@example.com"])])


def test_a_day_that_is_not_over_yet_counts_for_nothing_when_it_is(odd_days, odd_mail):
    odd_mail.odd[SECOND] = ["450 Greylisted"] * 3
    assert odd_days(0, "today") == (1, [("05-01", [BOSS])])
    assert odd_days(1) == (0, [("05-01", [BOSS, SECOND])])


def test_a_mail_without_an_answer_is_sent_once_more_and_can_be_recognised(odd_days, odd_mail, caplog):
    odd_mail.odd["end of data"] = [break_off] * 2
    mail = ("04-30", [BOSS, SECOND])
    assert odd_days(0) == (1, [mail])
    assert "unknown: look before you send it again." in caplog.text
    assert f"The next run sends it to {BOSS}, {SECOND}." in caplog.text
    assert odd_days(0) == (1, [mail])
    assert odd_days(0) == (0, [])
    assert len({email.message_from_bytes(content)["Message-ID"] for _, content in odd_mail.received}) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_process_that_is_killed_at_the_good_bye_has_remembered_whom_it_mailed(configure, odd_mail):
    command = ["2024-05-01", "--format", "json", "--config", configure(**odd_mail.settings)]
    processes = []

    def kill(_):
        processes[0].kill()
        processes[0].wait()

    odd_mail.odd["QUIT"] = [kill]
    with start(*command) as process:
        processes.append(process)
        assert process.wait(20) == -signal.SIGKILL
    code, _, errors = run(*command)
    assert (code, odd_mail.taken) == (0, [[BOSS, SECOND]])
    told = "2024-05-01: everybody has got it already, so nobody is mailed. The next run sends it anew."
    assert errors == f"WARNING: {told}"


YESTERDAY = date(2024, 5, 1)


def days_due(today, store):
    """As the script does it once Binotel's clock has borne ours out."""
    until = export_calls_per_day.caught_up_until(today, store)
    days = export_calls_per_day.missed_days(until, today, store)
    store.put({export_calls_per_day.CAUGHT_UP: str(until)})
    return days


@pytest.fixture
def missed(database_url):
    """A function that gives the days that are due on May 2, by what is remembered of days before that and after it."""

    def missed(until, *exported, today=YESTERDAY + timedelta(days=1)):
        store = Store(database_url, "key", "export_calls_per_day", keep_days=400)
        names = [f"exported {YESTERDAY + timedelta(days=days)}" for days in exported]
        store.put({"caught up until": until and str(YESTERDAY + timedelta(days=until))} | dict.fromkeys(names, True))
        return [(day - YESTERDAY).days for day in days_due(today, store)]

    return missed


@pytest.mark.parametrize(
    ("until", "exported", "due"),
    [
        (None, [], [0]),
        (-1, [-1], [0]),
        (0, [0], []),
        (-3, [-3, -1], [-2, 0]),
        # The clock was ahead:
        (1, [-3, -2], [-1, 0]),
        (365, [-2, -1, 0, 1, 365], []),
        (365, [-3, -1, 365], [-2, 0]),
        (365, [*range(335, 366)], [0]),
        (365, [], [0]),
        (99999, [-1], [0]),
    ],
)
def test_the_days_that_are_due(until, exported, due, missed):
    assert missed(until, *exported) == due


def test_a_day_that_was_exported_while_it_was_still_to_come_is_exported_again_when_it_has_come(
    missed, database_url, caplog
):
    assert missed(30, -1, 0, *range(1, 31)) == []
    assert caplog.messages == [
        "The clock was ahead: reports until 2024-05-31 were exported. Those of days to come will be made anew."
    ]
    store = Store(database_url, "key", "export_calls_per_day", keep_days=400)
    assert days_due(date(2024, 5, 4), store) == [date(2024, 5, 2), date(2024, 5, 3)]


@pytest.mark.parametrize(
    ("until", "exported", "named"),
    [
        (-33, [], "2024-03-30 to 2024-03-31"),
        (-32, [], "2024-03-31"),
        (-31, [], None),
        (-35, [-32, -31], "2024-03-28 to 2024-03-29"),
        (-35, [-32], "2024-03-28, 2024-03-29, 2024-03-31"),
    ],
)
def test_days_too_long_ago_are_named_but_those_that_were_exported(until, exported, named, missed, caplog):
    assert len(missed(until, *exported)) == 31
    assert caplog.messages == ([f"{named} are too long ago to be caught up: export them by name."] if named else [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["yesterdy"], "'yesterdy' is not a day: write it as 2024-05-01, today or yesterday."),
        (["2024-02-30"], "'2024-02-30' is not a day: write it as 2024-05-01, today or yesterday."),
        (["2999-01-01"], "2999-01-01 has not begun yet: there are no calls of it."),
        (["--format", "pdf"], "There is no format 'pdf': --format takes some of xlsx,csv,json,summary."),
        (
            ["2024-05-01", "2024-05-02", "--output", "x.xlsx"],
            "x.xlsx is one file: name a folder for several days or formats.",
        ),
        (
            ["--format", "csv,json", "--output", "x.csv"],
            "x.csv is one file: name a folder for several days or formats.",
        ),
        (["--format", "csv", "--output", "x.xlsx"], "x.xlsx says xlsx, and --format says csv: leave one of them out."),
        (
            ["--output", "x.txt"],
            "x.txt does not end in .xlsx, .csv, .json, .summary.json. Is it a folder? Then make it first.",
        ),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(arguments, message, run_main, caplog, sandbox):
    assert run_main(export_calls_per_day, datetime(2024, 6, 1, tzinfo=KYIV), *arguments) == (2, "")
    assert [record.getMessage() for record in caplog.records] == [message]
    assert sandbox.requests == []


def test_wrong_configuration_is_told_with_all_its_faults(configure, sandbox):
    path = configure(TIMEZONE="Kyiv", REPORT_TO="boss@example.com")
    code, output, errors = run("--config", path)
    assert (code, output) == (2, "")
    assert [line.split(": ")[2].split()[0] for line in errors.splitlines()] == ["TIMEZONE", "SMTP_HOST", "MAIL_FROM"]
    assert sandbox.requests == []


def test_a_wrong_secret_is_told_without_the_secret(configure):
    assert run("2024-05-01", "--config", configure(BINOTEL_SECRET="my-own-secret")) == (
        1,
        "",
        "ERROR: Binotel refused stats/list-of-calls-per-day with code 121: Your key or secret is wrong. "
        "Check BINOTEL_KEY and BINOTEL_SECRET: copy both again, without spaces, from Binotel's letter. "
        "If the key is one of API 4.0, set BINOTEL_API_URL=https://api.binotel.com/api/4.0.",
    )


def test_verbose_tells_the_steps_and_no_secret(configure):
    path = configure(BINOTEL_SECRET="my-own-secret", BINOTEL_KEY="my-own-key")
    _, _, errors = run("2024-05-01", "-v", "--config", path)
    assert "Traceback" in errors
    assert "my-own" not in errors


def test_mail_that_fails_leaves_the_report_and_says_so(configure, inbox, tmp_path):
    inbox.refuse_recipients = ("boss@example.com",)
    path = tmp_path / "reports" / "calls-2024-05-01.xlsx"
    assert run("2024-05-01", "--config", configure(**inbox.settings)) == (
        1,
        f"{path}\n",
        "ERROR: 2024-05-01: The mail to boss@example.com was not sent. The mail server refused these recipients: "
        "boss@example.com (550 No such user here). Check REPORT_TO.",
    )
    assert path.exists()


def test_a_dead_mail_server_keeps_no_report_from_being_written(configure, inbox, tmp_path):
    path = configure(**inbox.settings | {"SMTP_PORT": free_port()})
    code, output, errors = run("2024-05-01", "2024-05-02", "--config", path)
    assert code == 1
    assert len(output.splitlines()) == len(list((tmp_path / "reports").iterdir())) == 2
    assert [line.count("is not answering") for line in errors.splitlines()] == [1, 1]


def test_a_server_in_trouble_is_asked_again(configure, sandbox):
    sandbox.faults[PER_DAY] = ["http-500"]
    code, _, errors = run("2024-05-01", "--config", configure())
    assert (code, errors) == (0, "")
    assert [request["code"] for request in sandbox.requests] == [500, 0]


def test_the_second_time_binotel_is_not_asked_unless_it_is_told_to(configure, sandbox, tmp_path):
    reports = []
    for more, requests in (([], 1), ([], 0), (["--fresh"], 1)):
        sandbox.requests.clear()
        code, output, errors = run("2024-05-01", "--format", "json", "-v", *more, "--config", configure())
        reports.append(Path(output.strip()).read_bytes())
        assert (code, len(sandbox.requests)) == (0, requests)
        assert ("which the archive knows: Binotel was not asked" in errors) == (requests == 0)
    assert len(set(reports)) == 1


def test_a_good_report_stays_when_a_later_run_fails(configure, tmp_path):
    assert run("2024-05-01", "--config", configure())[0] == 0
    report = tmp_path / "reports" / "calls-2024-05-01.xlsx"
    content = report.read_bytes()
    assert run("2024-05-01", "--fresh", "--config", configure(BINOTEL_SECRET="wrong"))[0] == 1
    assert report.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_told(configure, tmp_path):
    (tmp_path / "file").write_text("")
    code, output, errors = run("2024-05-01", "--config", configure(REPORTS_DIR="file/reports"))
    assert (code, output) == (1, "")
    assert errors == f"ERROR: {tmp_path}/file/reports: Not a directory. A part of that path is a file, not a folder."


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_standard_output_is_an_error_but_the_mail_goes_out(configure, inbox):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, str(SCRIPT), "2024-05-01", "--config", str(configure(**inbox.settings))]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert "calls-2024-05-01.xlsx was made, but its path cannot be printed: No space left on device." in result.stderr
    assert "Traceback" not in result.stderr
    assert len(inbox.messages) == 1


@pytest.mark.skipif(os.name != "posix", reason="closes a file descriptor before the script starts")
def test_without_a_standard_error_the_job_is_done_all_the_same(configure, tmp_path):
    command = f'"{sys.executable}" "{SCRIPT}" 2024-05-01 --config "{configure()}" 2>&-'
    assert subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=False).returncode == 0
    assert (tmp_path / "reports" / "calls-2024-05-01.xlsx").exists()


def test_a_mail_that_failed_is_told_even_if_a_later_day_fails_too(configure, inbox, sandbox):
    path = configure(**inbox.settings | {"SMTP_PORT": free_port()})
    with start("2024-05-01", "1000-01-01", "--config", path) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(output.splitlines()) == 1
    assert [line.count("is not answering") + 2 * line.count("code 104") for line in errors.splitlines()] == [1, 2]


def test_an_empty_answer_keeps_the_good_report(configure, tmp_path):
    kept = tmp_path / "reports" / "calls-2024-01-01.csv"
    kept.parent.mkdir()
    kept.write_text("heading\na call\n")
    code, output, errors = run("2024-01-01", "--format", "csv", "--config", configure())
    assert (code, output) == (1, "")
    assert errors == (
        f"ERROR: {kept}: Binotel lists no calls for 2024-01-01 any more; the report with calls was kept. "
        "Remove it to have it replaced."
    )
    assert kept.read_text() == "heading\na call\n"


def running(configure, sandbox):
    """The script as a process, waiting for an answer that does not come."""
    sandbox.faults[PER_DAY] = ["hang"]
    process = start("2024-05-01", "--config", configure())
    while not sandbox.requests:
        assert process.poll() is None
        time.sleep(0.02)
    return process


def test_a_second_copy_does_nothing(configure, sandbox):
    with running(configure, sandbox) as process:
        code, output, errors = run("2024-05-02", "--config", configure())
        process.kill()
    assert (code, output) == (75, "")
    assert errors.startswith("ERROR: This job is already running for this account.")
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_after_any_end_the_next_run_does_the_job_and_nothing_is_left_lying(how, configure, sandbox, tmp_path):
    with running(configure, sandbox) as process:
        process.send_signal(how)
        _, errors = process.communicate(timeout=10)
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert errors.endswith("export_calls_per_day: ERROR: Stopped before the end.\n")
    assert run("2024-05-01", "--config", configure())[0] == 0
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["calls-2024-05-01.xlsx"]


def test_help_shows_examples():
    code, output, _ = run("--help")
    assert code == 0
    assert "python scripts/export_calls_per_day.py 2024-05-01 today" in output


# --- In this process, where the clock can be set -----------------------------


@pytest.fixture
def run_here(run_main):
    return functools.partial(run_main, export_calls_per_day)


def test_a_day_that_is_not_over_is_marked_in_workbook_and_mail(run_here, inbox, sandbox, tmp_path):
    moment = datetime(2024, 5, 1, 15, 30, tzinfo=KYIV)
    assert run_here(moment, "today", **inbox.settings)[0] == 0
    book = openpyxl.load_workbook(tmp_path / "reports" / "calls-2024-05-01.xlsx")
    assert book["Summary"]["A3"].value == "Data as of 15:30: the day is not over"
    [message] = inbox.messages
    assert message["Subject"].endswith(" (as of 15:30)")
    starts = [row[0] for row in book["Calls"].iter_rows(min_row=2, max_col=1, values_only=True)]
    assert 20 < len(starts) < len(sandbox.company.calls_of_day(DAY))
    assert max(starts) <= moment.replace(tzinfo=None)


def test_all_the_mails_of_a_days_report_are_one_thread(catch_up, inbox):
    assert catch_up(0, "today") == ["05-01"]  # so far
    assert catch_up(0.25, "today") == ["05-01"]
    assert catch_up(1) == ["05-01"]  # the whole day
    assert catch_up(1, "2024-05-01") == ["05-01"]  # by hand, once more
    assert catch_up(1, "today", "--format", "csv") == ["05-02"]
    roots = [message["References"] for message in inbox.messages]
    assert roots == [roots[0]] * 4 + [roots[4]]
    assert roots[4] != roots[0]
    assert [message["In-Reply-To"] for message in inbox.messages] == roots
    assert len({message["Message-ID"] for message in inbox.messages}) == 5
    [list_id] = {message["List-Id"] for message in inbox.messages}
    assert list_id.startswith("Binotel export_calls_per_day <export-calls-per-day.")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2024, 5, 2, 0, 0, 1, tzinfo=KYIV), "2024-05-01"),
        (datetime(2024, 5, 2, 23, 59, tzinfo=KYIV), "2024-05-01"),
        (datetime(2024, 3, 31, 12, tzinfo=KYIV), "2024-03-30"),
        (datetime(2024, 4, 1, 0, 30, tzinfo=KYIV), "2024-03-31"),  # a day of 23 hours
        (datetime(2024, 10, 28, 0, 30, tzinfo=KYIV), "2024-10-27"),  # a day of 25 hours
    ],
)
def test_yesterday_is_the_whole_day_before_in_the_accounts_time_zone(moment, day, run_here, sandbox, tmp_path):
    assert run_here(moment) == (0, f"{tmp_path}/reports/calls-{day}.xlsx\n")
    book = openpyxl.load_workbook(tmp_path / "reports" / f"calls-{day}.xlsx")
    listed = [row[16] for row in book["Calls"].iter_rows(min_row=2, values_only=True)]
    calls = sandbox.company.calls_of_day(date.fromisoformat(day))
    assert listed == [call["generalCallID"] for call in conversations(calls)]
    assert book["Summary"]["A3"].value is None


def test_a_wrong_time_zone_is_warned_about(run_here, caplog):
    assert run_here(datetime(2024, 6, 1, tzinfo=KYIV), "2024-05-01", TIMEZONE="America/New_York")[0] == 0
    assert "are of another day in America/New_York: check TIMEZONE." in caplog.text


def test_files_that_are_too_large_for_a_mail_stay_and_the_mail_says_where(run_here, inbox, tmp_path, monkeypatch):
    monkeypatch.setattr("common.messages.mail.MAX_ATTACHMENTS_BYTES", 1000)
    assert run_here(datetime(2024, 5, 2, 9, tzinfo=KYIV), **inbox.settings)[0] == 0
    [message] = inbox.messages
    assert list(message.iter_attachments()) == []
    workbook = tmp_path / "reports" / "calls-2024-05-01.xlsx"
    assert workbook.exists()
    assert f"It is here: {workbook}" in message.get_body(["plain"]).get_content().replace("\n", "")
