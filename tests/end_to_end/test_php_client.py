"""A PHP client as the vendor's own, against the sandbox: it accepts what ours accepts, and both get the same.

What PHP itself has signed, encoded and compared stands here for the live server's other end, which is PHP, too.
"""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from test_call_method import SENT

from binotel_core import (
    METHODS,
    QUOTA_FREE_REQUESTS,
    ApiError,
    SignatureError,
    TransportError,
    php_json,
    signed_body,
)
from common.sandbox.answers import KEY, SECRET
from common.sandbox.company import HOSTILE_NAMES
from demo import running_sandbox
from helpers import answer_with

CLIENT = Path(__file__).with_name("php_client.php")
DAY = {"dayInTimestamp": 1714560000}
DROPPED = "dropped"
PHONE = "0671234560"
READS = [name for name, method in METHODS.items() if not (method.writes or method.only_4)]

pytestmark = pytest.mark.skipif(not shutil.which("php"), reason="php-cli is not installed")


@pytest.fixture
def php():
    """A function that has one PHP process send a request; gives the line it prints: the answer's JSON, or "dropped"."""
    command = ["php", "-d", "display_errors=stderr", "-d", "error_reporting=-1", str(CLIENT)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, encoding="ascii", **pipes) as process:

        def php(address, method, params=None, key=KEY, secret=SECRET):
            asked = {"url": address, "key": key, "secret": secret, "method": method, "params": params or {}}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            return process.stdout.readline().removesuffix("\n")

        yield php
        output, errors = process.communicate(timeout=60)
    # Warnings would be those of PHP about what it was given: there are none.
    assert (process.returncode, output, errors) == (0, "", "")


@pytest.fixture(scope="module")
def address():
    """The address of a sandbox that is a process of its own, with next to no quota."""
    with running_sandbox("--time-scale", "0.000001") as address:
        yield address


@pytest.fixture
def add_fault(address):
    """A function that has the next answers to a method fail in a way."""

    def add_fault(method, fault, count):
        wanted = {"method": method, "fault": fault, "count": count}
        assert requests.post(address.replace("/api/2.0", "/sandbox/faults"), json=wanted, timeout=10).ok

    return add_fault


@pytest.fixture
def python(make_client, monkeypatch):
    """A function that has our client send the same request, once; gives what PHP prints when it got the same."""
    monkeypatch.setattr("binotel_core.RETRY_PAUSES_SECONDS", ())

    def python(address, method, params=None, **more):
        try:
            answer = make_client(address, **more).call(method, params)
        except ApiError as error:
            answer = {"status": "error", "code": error.code, "message": error.message}
        return php_json({name: answer[name] for name in sorted(answer) if name != "signature"})

    return python


@pytest.fixture
def quiet(make_sandbox, clock, monkeypatch):
    """A sandbox in this process whose clock stands still, without a quota; a call goes on that was placed before."""
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.HISTORY_DAYS", 30)  # a year's calls are long in the making
    sandbox = make_sandbox(clock=clock.time, calls_per_day=60)
    sandbox.answer("calls/ext-to-phone", signed_body({"ext_number": "901", "phone_number": PHONE}, KEY, SECRET))
    clock.now += 6
    return sandbox


# --- What is accepted --------------------------------------------------------


def test_a_day_of_calls_with_hostile_names_is_accepted_and_the_same_byte_for_byte(php, python, address):
    answer = php(address, "stats/list-of-calls-per-day", DAY)
    assert answer == python(address, "stats/list-of-calls-per-day", DAY)
    calls = json.loads(answer)["callDetails"].values()
    assert set(HOSTILE_NAMES) <= {call["customerData"]["name"] for call in calls if call["customerData"]}


@pytest.mark.parametrize("method", READS)
def test_every_method_that_reads_gives_both_the_same(method, php, python, quiet):
    answer = php(quiet.base_url, method, SENT[method])
    assert answer == python(quiet.base_url, method, SENT[method])
    assert json.loads(answer)["status"] == "success"


def test_an_answer_without_entries_is_an_empty_list_to_both(php, python, address):
    for method, params in (("stats/call-details", {"generalCallID": "1"}), ("customers/take-by-id", {"customerID": 1})):
        expected = f'{{"{METHODS[method].answer}":[],"status":"success"}}'
        assert [client(address, method, params) for client in (php, python)] == [expected] * 2


def test_what_one_writes_the_other_reads_and_deletes(php, python, address):
    clients = (php, python)
    numbers = [["0991111111", "+380992222222"], ["0993333333"]]
    for writer, other, mine in zip(clients, reversed(clients), numbers, strict=True):
        # Names that PHP and Python write otherwise are sent here, and come back.
        customer = {"name": f"А/Я \x7f\\ {HOSTILE_NAMES[4]} {mine[0]}", "numbers": mine, "labels": ["7000", "7003"]}
        made = json.loads(writer(address, "customers/create", customer))
        identity = made["customerID"]
        assert made == {"customerID": identity, "status": "success"}
        # There is one of each name: both are told so.
        refused = '{"code":104,"message":"Wrong data","status":"error"}'
        assert [client(address, "customers/create", customer) for client in clients] == [refused] * 2
        taken = [client(address, "customers/take-by-id", {"customerID": [identity]}) for client in clients]
        assert taken[0] == taken[1]
        [entry] = json.loads(taken[0])["customerData"].values()
        assert (entry["id"], entry["name"], entry["numbers"]) == (identity, customer["name"], mine)
        assert [label["id"] for label in entry["labels"]] == customer["labels"]
        assert other(address, "customers/delete", {"customerID": identity}) == '{"status":"success"}'
        gone = '{"customerData":[],"status":"success"}'
        assert writer(address, "customers/take-by-id", {"customerID": identity}) == gone


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("stats/no-such-method", {}, 102),
        ("stats/call-details", {}, 103),
        ("stats/call-details", {"generalCallID": []}, 103),
        ("stats/list-of-calls-per-day", {"dayInTimestamp": "yesterday"}, 104),
        ("customers/delete", {"customerID": "1"}, 104),
        ("calls/ext-to-phone", {"ext_number": "908", "phone_number": PHONE}, 150),
        ("calls/ext-to-phone", {"ext_number": "902", "phone_number": "0671234567"}, 151),
    ],
)
def test_what_a_known_key_is_refused_is_signed_and_both_are_told_the_same(
    method, params, code, php, python, address, monkeypatch
):
    # Our client asks for no method that it does not know.
    monkeypatch.setitem(METHODS, "stats/no-such-method", replace(METHODS["stats/online-calls"], name=method))
    refused = json.loads(php(address, method, params))
    assert (refused["status"], refused["code"]) == ("error", code)
    assert json.loads(python(address, method, params)) == refused


@pytest.mark.parametrize("code", [104, 105, 106])
def test_a_code_that_the_server_sends_as_a_text_is_signed_and_read_as_well(code, php, python, address, add_fault):
    add_fault("stats/online-calls", f"code-{code}", 2)
    refused = json.loads(php(address, "stats/online-calls"))
    assert refused == {"status": "error", "code": str(code), "message": "Injected by the sandbox"}
    assert json.loads(python(address, "stats/online-calls")) == refused | {"code": code}


def test_who_asks_too_often_is_told_so_with_a_signature(php, python, make_sandbox, clock):
    sandbox = make_sandbox(clock=clock.time)  # time stands still, so that the sixth request comes too early
    answers = [
        php(sandbox.base_url, "stats/call-details", {"generalCallID": "1"}) for _ in range(QUOTA_FREE_REQUESTS + 1)
    ]
    assert answers == ['{"callDetails":[],"status":"success"}'] * QUOTA_FREE_REQUESTS + [
        '{"code":106,"message":"Requests are too frequent","status":"error"}'
    ]
    # Ours knows nothing of those requests, which were not noted in its ledger.
    assert python(sandbox.base_url, "stats/call-details", {"generalCallID": "1"}) == answers[-1]


# --- What is dropped ---------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"key": "unknown"}, {"secret": "wrong"}])
def test_what_an_unknown_key_is_told_cannot_be_signed_and_is_dropped(wrong, php, python, address):
    assert php(address, "stats/online-calls", **wrong) == DROPPED
    refused = '{"code":121,"message":"Your key or secret is wrong","status":"error"}'
    assert python(address, "stats/online-calls", **wrong) == refused


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("bad-signature", SignatureError),
        ("no-signature", SignatureError),
        ("cut-body", TransportError),
        ("not-an-answer", TransportError),
        ("html", TransportError),
        ("http-500", TransportError),
    ],
)
def test_what_is_not_signed_is_dropped_and_refused_by_ours(fault, error, php, python, address, add_fault):
    add_fault("stats/list-of-calls-per-day", fault, 2)
    assert php(address, "stats/list-of-calls-per-day", DAY) == DROPPED
    with pytest.raises(error):
        python(address, "stats/list-of-calls-per-day", DAY)
    # Neither has spoilt what comes next.
    answer = php(address, "stats/list-of-calls-per-day", DAY)
    assert answer == python(address, "stats/list-of-calls-per-day", DAY) != DROPPED


def test_an_answer_that_was_changed_on_the_way_is_dropped_and_refused_by_ours(php, python, quiet):
    answer = quiet.answer

    def changed(*request):
        content = answer(*request)
        identity = next(iter(content["customerData"]))
        return content | {"customerData": content["customerData"] | {identity: {"id": identity, "name": "Хтось"}}}

    quiet.answer = changed
    assert php(quiet.base_url, "customers/list") == DROPPED
    with pytest.raises(SignatureError, match="does not match its content"):
        python(quiet.base_url, "customers/list")


# --- Where PHP and Python differ ---------------------------------------------

ODD_VALUES = {
    "empty": {},
    "list": {"0": "а", "1": "б"},
    "turned": {"1": "а", "0": "б"},
    "names": {"00": 1, "-5": 1, "a/b": [], "\x7f": "\x7f"},
    "whole": [1.0, 1e3, 1e15],
    "floats": [0.1, 1e-7, 1e25, 7.488878651444069e16, 9223372036854775808],
    "text": '/ \\ " \x00 \x1f é 😀 \u2028 </script>',
    "none": [None, True, False, ""],
}


def test_values_that_php_writes_in_its_own_way_are_verified_by_both(php, python, quiet):
    answer_with(quiet, "customerData", {"9999": ODD_VALUES})
    answer = php(quiet.base_url, "customers/list")
    assert answer == python(quiet.base_url, "customers/list")
    assert f'"9999":{php_json(ODD_VALUES)}' in answer


@pytest.mark.parametrize(
    "params",
    [
        {},
        DAY,
        {"subject": "О'Коннор / \\ 😀 \x7f"},
        {"stopTime": 2, "startTime": 1, "Z": 3, "a": 4},  # sorted, capitals first
        {"name": HOSTILE_NAMES[0], "numbers": ["0991111111"], "labels": [], "description": HOSTILE_NAMES[6]},
        ODD_VALUES | {"minus": -0.0},  # no answer has that: PHP itself reads what it wrote there as 0
    ],
)
def test_both_send_the_same_bytes(params, php, quiet, make_client):
    sent = []
    quiet.answer = lambda method, body, version: sent.append(body) or {"status": "success", "customerData": []}
    php(quiet.base_url, "customers/search", params)
    make_client(quiet.base_url, verify_answers=False).call("customers/search", params)
    assert sent[0] == sent[1] == signed_body(params, KEY, SECRET)
