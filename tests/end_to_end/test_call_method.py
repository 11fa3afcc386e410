"""Every method of the API from the shell: what is sent, what comes back, and what is told before anything is sent."""

import functools
import json
import os
import pty
import shlex
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import processes
import pytest

import call_method
from binotel_core import API_4_URL, METHODS, php_json, signed_body
from common.sandbox.answers import KEY, SECRET, TALK_SECONDS
from common.settings import PROJECT_ROOT
from helpers import KYIV
from messages.test_mail import free_port

SCRIPT = Path(call_method.__file__)
METHODS_2 = call_method.methods_of(is_4=False)
NOON = 1_714_560_000  # 2024-05-01 13:40 in Kyiv
MAY_1, MAY_2 = (int(datetime(2024, 5, day, tzinfo=KYIV).timestamp()) for day in (1, 2))
PERIOD = {"startTime": MAY_1, "stopTime": MAY_2 - 1}
PHONE = "0671234560"

# What the examples of --list send, in full.
SENT = {
    "stats/incoming-calls-for-period": PERIOD,
    "stats/outgoing-calls-for-period": PERIOD,
    "stats/all-incoming-calls-since": {"timestamp": MAY_1},
    "stats/all-outgoing-calls-since": {"timestamp": MAY_1},
    "stats/list-of-calls-by-internal-number-for-period": {"internalNumber": "902"} | PERIOD,
    "stats/list-of-calls-per-day": {},
    "stats/list-of-lost-calls-for-today": {},
    "stats/online-calls": {},
    "stats/history-by-number": {"number": "0671234567"},
    "stats/history-by-customer-id": {"customerID": "6600"},
    "stats/recent-calls-by-internal-number": {"internalNumber": "902"},
    "stats/call-details": {"generalCallID": "80000000001"},
    "stats/call-record": {"callID": "73900700002"},
    "customers/list": {},
    "customers/take-by-id": {"customerID": "6600"},
    "customers/take-by-label": {"labelID": "7000"},
    "customers/search": {"subject": "067"},
    "customers/create": {"name": "Іван Приклад", "numbers": [PHONE]},
    "customers/update": {"id": "6600"},
    "customers/delete": {"customerID": "6600"},
    "customers/listOfLabels": {},
    "calls/ext-to-phone": {"ext_number": "902", "phone_number": PHONE},
    "calls/phone-to-phone": {"phoneNumber1": PHONE, "phoneNumber2": "0501234560", "trunkNumber": "0443334001"},
    "calls/attended-call-transfer": {"generalCallID": "80000000001", "phone_number": PHONE},
    "calls/hangup-call": {"generalCallID": "80000000001"},
    "calls/call-with-announcement": {"phone_number": PHONE, "voiceFileID": "81"},
    "settings/list-of-employees": {},
    "settings/list-of-routes": {},
    "settings/list-of-voice-files": {},
    "stats/calltracking-calls-for-period": PERIOD,
    "stats/list-of-calls-for-period": PERIOD,
    "calls/call-with-interactive-voice-response": {"phone_number": PHONE, "ivrName": "Головне меню"},
}
# What the answers of methods that dial or change data hold; those of the others the sandbox gives again.
ANSWERED = {
    "customers/create": {"customerID": "6646"},
    "calls/ext-to-phone": {"generalCallID": "80000000002"},
    "calls/phone-to-phone": {"generalCallID": "80000000002"},
}


@pytest.fixture
def sandbox(make_sandbox, clock, monkeypatch):
    """A sandbox at noon, with a call going on that was placed a little before; it notes in `bodies` what is sent."""
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    sandbox = make_sandbox(clock=clock.time, calls_per_day=60)
    sandbox.answer("calls/ext-to-phone", signed_body({"ext_number": "901", "phone_number": PHONE}, KEY, SECRET))
    clock.now += 6
    sandbox.bodies = []
    answer = sandbox.answer

    def noted(method, body, version="2.0"):
        sandbox.bodies.append((method, body))
        return answer(method, body, version)

    sandbox.answer = noted
    sandbox.quietly = answer
    return sandbox


@pytest.fixture
def call(run_main, caplog, monkeypatch):
    """A function that runs the script in this process at noon; returns its exit code, output and last message."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)

    def call(*arguments, **more):
        caplog.clear()
        code, output = run_main(call_method, datetime.fromtimestamp(NOON, KYIV), *arguments, **more)
        return code, output, caplog.messages[-1] if caplog.messages else ""

    return call


def example(method):
    """The words of the example without what may be left out."""
    return [word for word in shlex.split(" ".join(call_method.usage(METHODS[method]))) if not word.startswith("[")]


@pytest.mark.parametrize("method", METHODS_2)
def test_every_method_is_sent_as_documented_and_answers_whole(method, call, sandbox):
    expected = {"status": "success"} | ANSWERED.get(method, {})
    if not METHODS[method].writes:
        # Asked before, since what is asked for must not depend on the script.
        expected = json.loads(php_json(sandbox.quietly(method, signed_body(SENT[method], KEY, SECRET))))
    code, output, message = call(method, *example(method), "--yes", "--show-secrets")
    assert (code, message) == (0, "")
    answer = json.loads(output)
    if METHODS[method].writes:
        answer.pop("signature")
    assert answer == expected
    assert sandbox.bodies == [(method, signed_body(SENT[method], KEY, SECRET))]


def test_nothing_is_forgotten():
    assert SENT.keys() == METHODS_2.keys()
    assert (len(METHODS_2), len(METHODS)) == (32, 35)


@pytest.mark.parametrize("method", [method for method in METHODS_2 if METHODS[method].required])
def test_what_is_missing_is_told_and_nothing_is_sent(method, call, sandbox):
    for missing in METHODS[method].required:
        words = [word for word in example(method) if not word.startswith(f"{missing}=")]
        for given in (words, [*words, f"{missing}="]):
            code, output, message = call(method, *given, "--yes")
            shown = " ".join([method, *call_method.usage(METHODS[method])])
            assert (code, output, message) == (2, "", f"{method} needs {missing}: {shown}.")
    assert sandbox.bodies == []


@pytest.mark.parametrize("method", METHODS_2)
def test_a_parameter_that_the_method_does_not_have_is_told(method, call, sandbox):
    code, output, message = call(method, *example(method), "nosuch=1", "--yes")
    assert (code, output) == (2, "")
    assert message.startswith(f"{method} has no parameter 'nosuch'.")
    assert sandbox.bodies == []
    assert call(method, *example(method), "nosuch=1", "--yes", "--no-check")[0] == 0
    assert sandbox.bodies == [(method, signed_body(SENT[method] | {"nosuch": "1"}, KEY, SECRET))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stats/call-detail"], "no method 'stats/call-detail'. Did you mean stats/call-details, or stats/call-record"),
        (["call-details"], "no method 'call-details'. Did you mean stats/call-details"),
        (["zzz"], "no method 'zzz'. --list shows them all."),
        (["stats/call-details", "generalCallId=1"], "has no parameter 'generalCallId'. Did you mean generalCallID?"),
        (["stats/call-details", "1"], "'1' is no parameter: write it as name=value, or name:=JSON."),
        (["stats/call-details", "generalCallID:=[1"], "generalCallID:=[1 is not JSON: write texts in double quotes"),
        (["stats/call-details", "generalCallID:=NaN"], "The parameters cannot be sent. PHP cannot encode NaN"),
        (["customers/search", "subject=\udcff"], "The parameters cannot be sent. PHP cannot encode half a surrogate"),
        (["stats/call-details", "generalCallID=1", "generalCallID=2"], "stands there twice. Several values are a list"),
        (["stats/all-incoming-calls-since", "timestamp=may"], "'may' is not a time"),
        (["stats/online-calls", "--wait"], "--wait follows a call that was placed: it goes with calls/ext-to-phone"),
        (["stats/online-calls", "key=1", "--no-check"], "key and signature are added to every request"),
        (["calls/hangup-call", "generalCallID=1"], "there is no terminal to ask on: add --yes."),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(arguments, message, call, sandbox):
    code, output, told = call(*arguments)
    assert (code, output) == (2, "")
    assert message in told
    assert sandbox.bodies == []


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["startTime=2024-05-01", "stopTime=2024-05-01"], PERIOD),
        (["startTime=2024-05-01 09:30", "stopTime=today"], PERIOD | {"startTime": MAY_1 + 34200}),
        (["startTime=1714510800", "stopTime:=1714510900"], {"startTime": 1714510800, "stopTime": 1714510900}),
    ],
)
def test_times_may_be_given_as_dates(words, sent, call, sandbox):
    assert call("stats/incoming-calls-for-period", *words)[0] == 0
    assert sandbox.bodies == [("stats/incoming-calls-for-period", signed_body(sent, KEY, SECRET))]


def test_what_the_server_refuses_is_told(call, sandbox):
    code, output, message = call("stats/call-record", "callID=1")
    assert (code, output) == (1, "")
    assert message == "Binotel refused stats/call-record with code 104: Wrong data. Check the parameters' values."


def test_passwords_of_lines_are_not_shown_unless_asked_for(call, sandbox):
    output = call("settings/list-of-employees")[1]
    hashes = {employee["extHash"] for employee in json.loads(output)["listOfEmployees"].values()}
    assert hashes == {"***"}
    assert "***" not in call("settings/list-of-employees", "--show-secrets")[1]
    assert call_method.masked({"a": [{"sipPassword": "x", "extHash": ""}]}) == {
        "a": [{"sipPassword": "***", "extHash": ""}]
    }


def test_a_list_is_printed_as_an_aligned_table(call, sandbox):
    assert call("settings/list-of-voice-files", "--table") == (
        0,
        "id  name                   type\n"
        "81  Привітання             announcement\n"
        "82  Нагадування про візит  announcement\n",
        "",
    )
    output = call("settings/list-of-employees", "--table")[1].splitlines()
    assert output[0].split() == ["employeeID", "email", "name", "presenceState", "extNumber", "extHash", "extStatus"]
    assert len(output) == 9


def test_a_table_is_for_people():
    call = {
        "startTime": "1714540351",
        "customerData": {"id": "1", "name": "Олена\x1b[31m"},
        "dstNumbers": [{"dstNumber": "901"}, {"dstNumber": "902"}],
        "labels": [{"id": "1", "name": "VIP"}, {"id": "2", "name": "X" * 50}],
        "empty": [],
        "other": {"a": 1, "b": [None]},
        "isNew": True,
    }
    heading, row = call_method.table([call], KYIV)
    assert heading.split() == ["startTime", "customerData", "dstNumbers", "labels", "other"]
    assert row == "  ".join(
        [
            "2024-05-01 08:12:31",
            "Олена�[31m  ",
            "901, 902  ",
            f"VIP, {'X' * 34}…",
            '{"a": 1, "b": [null]}',
        ]
    )


def test_an_answer_that_may_be_cut_off_is_told(call, sandbox, monkeypatch):
    monkeypatch.setitem(METHODS, "stats/incoming-calls-for-period", replace(METHODS[next(iter(METHODS))], cap=10))
    code, output, message = call("stats/incoming-calls-for-period", *example("stats/incoming-calls-for-period"))
    assert (code, len(json.loads(output)["callDetails"])) == (0, 10)
    assert message.startswith("An answer holds at most 10 entries, as many as this one: some may be missing.")


def test_options_may_stand_anywhere(call, sandbox):
    assert call("customers/search", "--table", "subject=Лисенко")[0] == 0
    assert sandbox.bodies == [("customers/search", signed_body({"subject": "Лисенко"}, KEY, SECRET))]


def test_what_is_printed_is_json_on_any_console(configure, sandbox):
    environment = {"PYTHONIOENCODING": "cp1251", "PATH": os.environ["PATH"]}
    with processes.start(
        SCRIPT, "customers/list", "--config", configure(), env=environment, encoding="cp1251"
    ) as process:
        output, _ = process.communicate(timeout=60)
    assert json.loads(output)["customerData"] == sandbox.customers.customers


def test_what_a_terminal_would_obey_is_printed_as_json_escapes(call, monkeypatch):
    name = "a\u202eb\u200bc\x9bd\u2028e\U000e0041f\ud800 Олег 😀"
    monkeypatch.setattr("binotel_core.BinotelClient.call", lambda *_: {"status": "success", "name": name})
    code, output, _ = call("stats/online-calls")
    assert code == 0
    assert json.loads(output)["name"] == name
    assert r"a\u202eb\u200bc\u009bd\u2028e\udb40\udc41f\ud800 Олег 😀" in output


def test_an_empty_list_prints_nothing(call, sandbox):
    assert call("customers/take-by-id", "customerID=1", "--table")[:2] == (0, "")


def test_what_is_no_list_is_printed_as_json_all_the_same(call, sandbox):
    code, output, _ = call("customers/delete", "customerID=6600", "--yes", "--table")
    assert (code, json.loads(output)["status"]) == (0, "success")


def test_a_call_is_followed_until_it_ends(call, sandbox, clock, monkeypatch):
    monkeypatch.setattr(call_method.time, "sleep", clock.sleep)
    code, output, _ = call("calls/ext-to-phone", "ext_number=902", f"phone_number={PHONE}", "--yes", "--wait")
    _, _, followed = output.partition("}\n")
    time = f"{datetime.fromtimestamp(NOON, KYIV):%H:%M:%S}"
    assert code == 0
    assert followed == (
        f"{time} ringing 902 {PHONE}\n{time} ONLINE 902 {PHONE}\n{time} ended: ANSWER 902 {PHONE}\n"
        f"Rang for 4 s, talked for {TALK_SECONDS} s\n"
    )


@pytest.mark.parametrize(("phone", "end"), [("0671234568", "BUSY"), ("0671234569", "NOANSWER")])
def test_a_call_that_nobody_takes_is_followed_too(phone, end, call, sandbox, clock, monkeypatch):
    monkeypatch.setattr(call_method.time, "sleep", clock.sleep)
    code, output, _ = call("calls/ext-to-phone", "ext_number=902", f"phone_number={phone}", "--yes", "--wait")
    assert (code, output.splitlines()[-2].split()[1:]) == (0, ["ended:", end, "902", phone])


def test_a_placed_call_is_in_the_lists_and_can_be_transferred_and_ended(call, sandbox, clock):
    def details():
        return json.loads(call("stats/call-details", "generalCallID=80000000001")[1])["callDetails"]["80000000001"]

    def listed(method):
        return "80000000001" in json.loads(call(method)[1])["callDetails"]

    assert details()["disposition"] == "ONLINE"
    assert (listed("stats/online-calls"), listed("stats/list-of-calls-per-day")) == (True, True)
    assert call("calls/attended-call-transfer", "generalCallID=80000000001", "phone_number=905", "--yes")[0] == 0
    assert call("calls/hangup-call", "generalCallID=80000000001", "--yes")[0] == 0
    assert call("calls/hangup-call", "generalCallID=80000000001", "--yes")[0] == 1  # it is over
    assert (details()["disposition"], details()["waitsec"], details()["billsec"]) == ("TRANSFER", 4, "2")
    assert (listed("stats/online-calls"), listed("stats/list-of-calls-per-day")) == (False, True)


# --- API 4.0 ------------------------------------------------------------------


@pytest.fixture
def call_4(call, sandbox):
    """As call(), with a key of API 4.0."""
    return functools.partial(call, BINOTEL_API_URL=sandbox.base_url.replace("2.0", "4.0"))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_api_4_is_sent_under_its_own_names(name, call_4, sandbox):
    method = call_method.methods_of(is_4=True)[name]
    words = [word for word in shlex.split(" ".join(call_method.usage(method))) if not word.startswith("[")]
    if name == "stats/call-record":
        words = ["generalCallID=73900700002"]  # that of the examples has no recording
    code, output, message = call_4(method.name, *words, "--yes")
    assert (code, message, json.loads(output)["status"]) == (0, "", "success")
    [(asked, body)] = sandbox.bodies
    assert asked == name
    assert json.loads(body).keys() == {word.partition("=")[0] for word in words} | {"key", "secret"}


def test_the_list_is_that_of_the_version_that_the_key_is_of(configure, sandbox):
    config = configure(BINOTEL_API_URL=sandbox.base_url.replace("2.0", "4.0"))
    code, output, errors = processes.run(SCRIPT, "--list", "--config", config)
    assert (code, errors) == (0, "")
    names = [line.split()[0] for line in output.splitlines()[::2]]
    assert names == [method.name for method in call_method.methods_of(is_4=True).values()]
    assert {"getcall/list-of-getcalls-for-period", "stats/history-by-external-number"} < set(names)


def test_the_list_is_that_of_the_version_that_is_configured_while_the_key_is_still_missing(tmp_path):
    config = tmp_path / "config.env"
    config.touch(0o600)
    config.write_text("BINOTEL_KEY=\nBINOTEL_API_URL=https://api.binotel.com/api/4.0\n")
    code, output, errors = processes.run(SCRIPT, "--list", "--config", config)
    assert (code, errors) == (0, "")
    assert "settings/change-employee-presence-state" in output


@pytest.mark.parametrize(
    ("word", "is_4", "told"),
    [
        ("calls/ext-to-phone", True, "It calls it calls/internal-number-to-external-number."),
        ("stats/history-by-external-number", False, "It calls it stats/history-by-number."),
        (
            "settings/change-employee-presence-state",
            False,
            f"API 4.0 has it: with such a key, BINOTEL_API_URL={API_4_URL}.",
        ),
        ("stats/online-call", True, "Did you mean stats/online-calls?"),
    ],
)
def test_a_name_of_the_other_version_is_answered_with_the_right_one(word, is_4, told, call, call_4, sandbox):
    code, output, message = (call_4 if is_4 else call)(word, "--yes")
    version = "4.0" if is_4 else "2.0"
    assert (code, output, message) == (2, "", f"API {version} has no method {word!r}. {told}")
    assert sandbox.bodies == []


def test_passwords_of_lines_are_masked_unless_they_are_wanted(call_4):
    words = {word: json.loads(call_4("settings/list-of-employees", *word)[1]) for word in ((), ("--show-secrets",))}
    shown = [
        {employee["endpointData"]["password"] for employee in answer["listOfEmployees"].values()}
        for answer in words.values()
    ]
    assert shown[0] == {"***"}
    assert len(shown[1]) == 8


def test_a_call_of_api_4_is_followed_until_it_ends(call_4, clock, monkeypatch):
    monkeypatch.setattr(call_method.time, "sleep", clock.sleep)
    words = ("internalNumber=902", f"externalNumber={PHONE}")
    code, output, _ = call_4("calls/internal-number-to-external-number", *words, "--yes", "--wait")
    assert (code, output.splitlines()[-1]) == (0, f"Rang for 4 s, talked for {TALK_SECONDS} s")


# --- As processes ------------------------------------------------------------


def test_the_methods_are_listed_without_any_configuration(tmp_path):
    code, output, errors = processes.run(SCRIPT, "--list", "--config", tmp_path / "none.env")
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(METHODS_2)
    assert lines[:2] == [
        "stats/incoming-calls-for-period startTime=2024-05-01 stopTime=2024-05-01",
        "    incoming calls of a period (heavy, 10 s, at most 2,000 entries)",
    ]


def test_it_is_told_what_is_wrong_with_the_configuration(configure, tmp_path):
    code, _, errors = processes.run(SCRIPT, "stats/online-calls", "--config", tmp_path / "none.env")
    assert (code, "there is no such file. Copy config.example.env there" in errors) == (2, True)
    code, _, errors = processes.run(SCRIPT, "stats/online-calls", "--config", configure(BINOTEL_SECRET="wrong"))
    assert (code, "code 121" in errors, "Check BINOTEL_KEY and BINOTEL_SECRET" in errors) == (1, True, True)
    config = configure(BINOTEL_API_URL=f"http://127.0.0.1:{free_port()}/api/2.0")
    code, _, errors = processes.run(SCRIPT, "calls/hangup-call", "generalCallID=1", "--config", config)
    assert (code, "add --yes" in errors) == (2, True)


def test_two_may_run_at_once_and_lists_keep_their_letters(configure, sandbox):
    config = configure()
    first = processes.start(SCRIPT, "settings/list-of-voice-files", "--config", config)
    second = processes.start(SCRIPT, "customers/search", "subject=Лисенко", "--config", config)
    outputs = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert json.loads(outputs[0])["listOfVoiceFiles"]["81"]["name"] == "Привітання"
    assert "Лисенко" in outputs[1]


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("reply", "sent"), [(b"y\n", True), (b"\n", False), (b"n\n", False), (b"\x04", False)])
def test_what_dials_is_asked_about_on_a_terminal(reply, sent, configure, sandbox):
    ours, theirs = pty.openpty()
    words = ("calls/hangup-call", "generalCallID=80000000001", "--config", configure())
    with processes.start(SCRIPT, *words, stdin=theirs) as process:
        os.write(ours, reply)
        output, errors = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    question = 'calls/hangup-call {"generalCallID": "80000000001"}: send it to Binotel? [y/N] '
    assert (process.returncode, errors) == (0, question)
    assert output.startswith("{" if sent else "Nothing was sent.")
    assert [method for method, _ in sandbox.bodies] == (["calls/hangup-call"] if sent else [])


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_whoever_reads_the_output_may_stop_in_the_middle():
    command = f"{sys.executable} {SCRIPT} --list | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (result.stderr, len(result.stdout.splitlines())) == ("", 1)


# --- The docs ----------------------------------------------------------------


def test_the_docs_have_every_method_with_its_command_and_limits():
    page = (PROJECT_ROOT / "docs" / "en" / "jobs.md").read_text("utf-8")
    rows = [
        f"{' '.join([method.name, *call_method.usage(method)])}\n    {method.meaning} ({call_method.limits(method)})\n"
        for method in METHODS_2.values()
    ]
    assert "".join(rows) in page


def test_the_day_of_the_examples_is_one_that_the_sandbox_has():
    assert date.fromisoformat(call_method.EXAMPLES["startTime"]) == date(2024, 5, 1)
