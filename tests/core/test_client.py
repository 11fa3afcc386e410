"""The client: what it sends, what it accepts, what it sends again, and how it says what went wrong."""

import json
import logging
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest
import requests
import trustme
from requests_mock import ANY

from binotel_core import (
    METHODS,
    RETRY_PAUSES_SECONDS,
    ApiError,
    BinotelError,
    SignatureError,
    TransportError,
    decode_answer,
    php_json,
    sign,
    verify,
)

DAY = 1714560000  # 2024-05-01 13:40 in Kyiv
PER_DAY = "stats/list-of-calls-per-day"
DIAL = "calls/ext-to-phone"
DIAL_PARAMS = {"ext_number": "902", "phone_number": "0443334023"}


def asked(sandbox):
    return [(request["method"], request["code"]) for request in sandbox.requests]


# --- What comes back ---------------------------------------------------------


def test_a_days_calls_are_the_servers_own_entries(client, sandbox):
    expected = sandbox.company.calls_of_day(date(2024, 5, 1))
    assert client.calls_per_day(DAY) == expected
    assert client.calls_per_day(datetime(2024, 5, 1, tzinfo=ZoneInfo("Europe/Kyiv"))) == expected
    assert len(expected) > 150


@pytest.mark.parametrize("content", [["x", {"a": 1}], {"1": "x", "2": {"a": 1}}])
def test_entries_are_given_as_they_were_sent_whatever_they_are(content, client, requests_mock):
    requests_mock.post(ANY, json=signed({"status": "success", "callDetails": content}, "sandbox-secret"))
    assert client.calls_per_day(DAY) == ["x", {"a": 1}]


def test_an_empty_day_is_an_empty_list(client):
    assert client.calls_per_day(datetime(2024, 1, 1, 12, tzinfo=ZoneInfo("Europe/Kyiv"))) == []


def test_call_returns_the_whole_answer(client):
    answer = client.call("stats/list-of-calls-for-period", {"startTime": DAY, "stopTime": DAY + 3600})
    assert list(answer) == ["status", "callDetails", "signature"]
    assert answer["status"] == "success"


def test_an_unknown_method_is_refused_before_anything_is_sent(client, sandbox):
    with pytest.raises(ValueError, match="no method 'stats/list-of-call-per-day'"):
        client.call("stats/list-of-call-per-day")
    assert sandbox.requests == []


def test_the_table_has_the_methods_of_the_vendors_readme_three_later_ones_and_three_of_api_4():
    by_category = {}
    for name in METHODS:
        by_category.setdefault(name.split("/")[0], []).append(name)
    assert {category: len(names) for category, names in by_category.items()} == {
        "stats": 13 + 2,
        "customers": 8,
        "calls": 5 + 1 + 1,
        "settings": 3 + 1,
        "getcall": 1,
    }
    heavy = {name.partition("/")[2]: method.gap for name, method in METHODS.items() if method.gap}
    assert heavy == {
        "incoming-calls-for-period": 10,
        "outgoing-calls-for-period": 10,
        "all-incoming-calls-since": 10,
        "all-outgoing-calls-since": 10,
        "list-of-calls-by-internal-number-for-period": 10,
        "list-of-calls-per-day": 5,
        "list-of-lost-calls-for-today": 10,
        "online-calls": 5,
        "history-by-number": 5,
        "history-by-customer-id": 5,
        "recent-calls-by-internal-number": 5,
        "call-details": 5,
        "list": 10,
        "take-by-label": 10,
        "listOfLabels": 5,
        "list-of-employees": 5,
        "calltracking-calls-for-period": 10,
        "list-of-calls-for-period": 10,
        "list-of-getcalls-for-period": 10,
    }
    assert {name for name, method in METHODS.items() if method.writes} == {
        name for name in METHODS if name.startswith("calls/")
    } | {"customers/create", "customers/update", "customers/delete", "settings/change-employee-presence-state"}


# --- Signatures of answers ---------------------------------------------------


def signed(answer, secret="secret"):
    return answer | {"signature": sign(answer, secret)}


ANSWERS = [
    {"status": "success"},
    {"status": "success", "callDetails": []},
    {"status": "success", "callDetails": {"744924436": {"customerData": {"name": "Лікар / 😀 \x7f"}, "waitsec": 4}}},
    {"status": "success", "b": 1, "a": {"10": {}, "9": 1.0}},
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_right_signature_is_accepted_however_the_answer_is_written(answer):
    answer = signed(answer)
    verify(answer, "secret")
    assert decode_answer(php_json(answer).encode(), "secret") == json.loads(php_json(answer))
    assert decode_answer(json.dumps(answer, indent=1, ensure_ascii=False).encode("utf-8-sig"), "secret") == answer
    shuffled = dict(reversed(answer.items()))
    assert decode_answer(json.dumps(shuffled, separators=(",", ":")).encode(), "secret") == answer


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_wrong_signature_is_refused_however_the_answer_is_written(answer):
    for wrong in (signed(answer, "other secret"), signed(answer) | {"more": 1}, answer | {"signature": None}, answer):
        with pytest.raises(SignatureError):
            verify(wrong, "secret")
        for body in (php_json(wrong), json.dumps(wrong)):
            with pytest.raises(SignatureError, match="BINOTEL_VERIFY_ANSWERS"):
                decode_answer(body.encode(), "secret")
            assert decode_answer(body.encode(), None) == json.loads(body)


@pytest.mark.parametrize("signature", ["", None, 0, [], "0" * 32])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_no_forged_signature_is_accepted(signature, separators):
    forged = json.dumps({"status": "success", "callDetails": {"1": {}}, "signature": signature}, separators=separators)
    with pytest.raises(SignatureError):
        decode_answer(forged.encode(), "secret")


def test_an_answer_that_php_could_not_have_signed_is_refused():
    with pytest.raises(SignatureError, match="cannot be computed"):
        decode_answer(rb'{"status":"success","name":"\ud800","signature":"x"}', "secret")


@pytest.mark.parametrize("fault", ["bad-signature", "no-signature"])
def test_an_answer_with_a_wrong_or_missing_signature_is_not_believed_unless_told_to(
    fault, client, sandbox, make_client
):
    sandbox.faults[PER_DAY] = [fault] * 2
    with pytest.raises(SignatureError):
        client.calls_per_day(DAY)
    assert len(sandbox.requests) == 1
    assert len(make_client(sandbox.base_url, verify_answers=False).calls_per_day(DAY)) > 150


# --- Trouble, each with its own words ----------------------------------------


def test_a_wrong_secret_says_which_settings_to_check(sandbox, make_client):
    client = make_client(sandbox.base_url, secret="wrong")
    with pytest.raises(ApiError, match=r"code 121: .* Check BINOTEL_KEY and BINOTEL_SECRET") as caught:
        client.calls_per_day(DAY)
    assert (caught.value.method, caught.value.code) == (PER_DAY, 121)
    assert asked(sandbox) == [(PER_DAY, 121)]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("http-500", r"127.0.0.1:\d+ answered .* HTTP 500 Internal Server Error\. .*try again later"),
        ("html", r"is a web page: '<html>.*proxy or a firewall"),
        ("not-an-answer", r"""is not of the API's shape: '\["success"\]'\. Check BINOTEL_API_URL"""),
        ("cut-body", r"broke off during stats/list-of-calls-per-day: .*\. Check the network"),
        ("code-105", r"code 105.*on Binotel's side"),
        ("code-106", r"code 106.*share one DATABASE_URL"),
    ],
)
def test_a_read_is_tried_again_with_growing_pauses_and_then_told(fault, message, client, sandbox, clock):
    sandbox.faults[PER_DAY] = [fault] * 2
    assert len(client.calls_per_day(DAY)) > 150
    assert len(sandbox.requests) == 3
    assert clock.slept == list(RETRY_PAUSES_SECONDS[:2])

    clock.now += 3600
    sandbox.faults[PER_DAY] = [fault] * 100
    with pytest.raises(BinotelError, match=message):
        client.calls_per_day(DAY)
    assert len(sandbox.requests) == 3 + len(RETRY_PAUSES_SECONDS) + 1
    assert 2 in clock.slept[2:]
    assert 32 in clock.slept[2:]


def test_tries_that_fail_for_one_cause_are_one_line_and_their_number(client, sandbox, caplog):
    caplog.set_level(logging.INFO)
    sandbox.faults[PER_DAY] = ["http-500"] * 3
    client.calls_per_day(DAY)
    lines = [record.getMessage() for record in caplog.records if "uota" not in record.getMessage()]
    assert [line.split(" ")[-2:] for line in lines] == [["Trying", "again"], ["try", "4"]]


def test_retries_keep_to_the_quota(client, sandbox, clock):
    sandbox.faults[PER_DAY] = ["http-500"] * 5
    for _ in range(4):
        client.calls_per_day(DAY)
    # The first call takes all 5 free requests for its failures, over 30 s of pauses, so its success has to wait.
    assert len(sandbox.requests) == 9
    assert sum(clock.slept) > sum(RETRY_PAUSES_SECONDS)


def test_a_hanging_server_is_left_after_the_timeout(sandbox, make_client):
    sandbox.faults[PER_DAY] = ["hang"] * 100
    client = make_client(sandbox.base_url, timeout=(1, 0.1))
    with pytest.raises(TransportError, match=r"127.0.0.1:\d+ did not answer .* within 0.1 s\."):
        client.calls_per_day(DAY)
    assert len(sandbox.requests) == len(RETRY_PAUSES_SECONDS) + 1


def test_timeouts_are_always_set(client, requests_mock):
    requests_mock.post(ANY, json=signed({"status": "success", "callDetails": []}, "sandbox-secret"))
    client.calls_per_day(DAY)
    assert all(seconds > 0 for seconds in requests_mock.last_request.timeout)
    assert requests_mock.last_request.verify is True


def test_a_name_that_does_not_resolve_is_told(make_client, monkeypatch):
    def no_dns(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_dns)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TransportError, match=r"The name api.binotel.example cannot be resolved\. .*DNS"):
        make_client("https://api.binotel.example/api/2.0").calls_per_day(DAY)


@pytest.fixture
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_refused_connection_is_told_with_the_hint_on_the_ip_address(make_client, closed_port):
    with pytest.raises(TransportError, match=r"127.0.0.1:\d+ refused the connection\..*sandbox.py running"):
        make_client(f"http://127.0.0.1:{closed_port}/api/2.0").calls_per_day(DAY)


@pytest.mark.parametrize(
    ("options", "message", "tries"),
    [
        ({"status_code": 403}, r"HTTP 403.*sandbox.py running", 1),
        ({"status_code": 404}, r"HTTP 404.*Check BINOTEL_API_URL", 1),
        ({"status_code": 302, "headers": {"Location": "https://elsewhere.example/"}}, r"HTTP 302", 1),
        ({"status_code": 429}, r"HTTP 429", 6),
        (
            {"exc": requests.exceptions.ConnectTimeout},
            r"did not accept a connection within 15 s\..*sandbox.py running",
            6,
        ),
        ({"text": '{"status":"success"'}, r"""not whole JSON: '{"status":"success"'""", 6),
        ({"text": '{"status":"error","message":"What?"}'}, r"code 0: What", 1),
        ({"text": '{"status":"error","code":"x"}'}, r"code 0: no message", 1),
        ({"text": '{"status":"error","code":106.0,"message":"Too frequent"}'}, r"code 106: Too frequent", 6),
        ({"text": '{"status":"error","code":7,"message":"a\\nb\\u001b[2J"}'}, r"code 7: a b \[2J\.", 1),
        ({"exc": OSError("no CA bundle")}, r"cannot be asked: no CA bundle\. Check REQUESTS_CA_BUNDLE", 1),
        ({"exc": requests.exceptions.InvalidURL("odd")}, r"cannot be asked: odd\. Check BINOTEL_API_URL", 1),
        ({"text": "[" * 100_000}, r"not whole JSON", 6),
        ({"content": b'\xff{"status":"success"}'}, r"not whole JSON", 6),
        ({"json": {"status": "error", "code": "104", "message": "Wrong data"}}, r"code 104: Wrong data\. Check", 1),
        ({"json": signed({"status": "success"}, "sandbox-secret")}, r"has no 'callDetails'\. The API may", 1),
        ({"json": signed({"status": "success", "callDetails": "x"}, "sandbox-secret")}, r"no list of entries: .*x", 1),
        ({"json": signed({"status": "success", "callDetails": None}, "sandbox-secret")}, r"no list of entries", 1),
        ({"json": signed({"status": "success", "callDetails": False}, "sandbox-secret")}, r"no list of entries", 1),
    ],
)
def test_other_answers_that_cannot_be_used_are_told(options, message, tries, client, requests_mock):
    requests_mock.post(ANY, **options)
    with pytest.raises(BinotelError, match=message):
        client.calls_per_day(DAY)
    assert requests_mock.call_count == tries


@pytest.fixture
def https_server():
    """A server whose certificate nobody trusts; `.seen` counts the requests that got through."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.path)

    seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.seen = seen
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused(https_server, make_client):
    client = make_client(f"https://127.0.0.1:{https_server.server_address[1]}/api/2.0")
    with pytest.raises(
        TransportError, match=r"No secure connection to 127.0.0.1:\d+: .*certificate.*Check the computer's clock"
    ):
        client.calls_per_day(DAY)
    assert https_server.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example\\@127.0.0.1/",
        "https://user:password@a.example/",
        "https://a b.example/",
        "https://a..example/",
        "https://a.example:99999/",
        "https://a.example/?q=1",
        "http://api.binotel.com/api/2.0",
        "http://192.168.1.5/api",
        "ftp://127.0.0.1/",
        "api.binotel.com",
        "https://",
        "",
    ],
)
def test_an_address_without_tls_is_refused_unless_it_is_this_machine(url, make_client):
    with pytest.raises(ValueError, match=r"must begin with https://|no valid host or port|Port out of range"):
        make_client(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:8020/api/2.0", "http://127.0.0.1/api", "http://[::1]:80/", "https://a.example"]
)
def test_this_machine_may_be_addressed_without_tls(url, make_client):
    make_client(url)


def test_no_message_holds_the_key_or_the_secret(make_client, requests_mock):
    client = make_client("https://a.example", key="my-own-key", secret="my-own-secret")
    for options in (
        {"status_code": 500},
        {"text": "<html>"},
        {"exc": requests.exceptions.ReadTimeout},
        {"json": {"status": "success"}},
    ):
        requests_mock.post(ANY, **options)
        with pytest.raises(BinotelError) as caught:
            client.calls_per_day(DAY)
        assert "my-own" not in str(caught.value)
        assert "my-own" not in repr(caught.value)


# --- Nothing is done twice ---------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"status_code": 500},
        {"status_code": 429},
        {"text": "<html>"},
        {"text": '{"status":"succ'},
        {"json": ["success"]},
        {"json": {"status": "error", "code": 105, "message": "Something went wrong"}},
        {"exc": requests.exceptions.ReadTimeout},
        {"exc": requests.exceptions.ConnectionError("Connection aborted.", ConnectionResetError(104, "reset"))},
    ],
)
def test_what_may_have_been_done_is_never_sent_again(options, client, requests_mock):
    requests_mock.post(ANY, **options)
    with pytest.raises(BinotelError):
        client.call(DIAL, DIAL_PARAMS)
    assert requests_mock.call_count == 1


def test_what_surely_was_not_done_is_sent_again(client, requests_mock):
    done = signed({"status": "success", "generalCallID": "1"}, "sandbox-secret")
    refused = {"json": {"status": "error", "code": "106", "message": "Requests are too frequent"}}
    requests_mock.post(ANY, [{"exc": requests.exceptions.ConnectTimeout}, refused, {"json": done}])
    assert client.call(DIAL, DIAL_PARAMS) == done
    assert requests_mock.call_count == 3


def test_a_write_is_sent_again_when_the_connection_was_refused(make_client, closed_port, clock):
    with pytest.raises(TransportError, match="refused the connection"):
        make_client(f"http://127.0.0.1:{closed_port}/api/2.0").call(DIAL, DIAL_PARAMS)
    assert clock.slept == list(RETRY_PAUSES_SECONDS)


def test_a_server_that_closes_the_connection_gets_a_write_once(make_client):
    """A real socket: the request arrives, the connection is closed without an answer."""
    received = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)

        def serve():
            with suppress(TimeoutError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        received.append(connection.recv(65536))

        serving = threading.Thread(target=serve)
        serving.start()
        client = make_client(f"http://127.0.0.1:{server.getsockname()[1]}/api/2.0")
        with pytest.raises(TransportError, match="broke off during calls/ext-to-phone"):
            client.call(DIAL, DIAL_PARAMS)
        serving.join()
    assert len(received) == 1


@pytest.mark.parametrize("options", [{"status_code": 403}, {"exc": requests.exceptions.ConnectTimeout}])
def test_an_address_that_binotel_does_not_know_is_told_as_one(options, make_client, requests_mock):
    requests_mock.post(ANY, **options)
    with pytest.raises(
        TransportError, match=r"Has Binotel registered this server's IP address\? Write to support@binotel.ua"
    ):
        make_client("https://api.binotel.example/api/2.0").calls_per_day(DAY)


def test_redirects_are_not_followed(client, requests_mock):
    requests_mock.post(ANY, status_code=307, headers={"Location": "http://elsewhere.example/"})
    with pytest.raises(TransportError, match="HTTP 307"):
        client.call(DIAL, DIAL_PARAMS)
    assert requests_mock.call_count == 1


# --- Dialling ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        *(({}, 60), ({"callTimeToExt": 45}, 75), ({"callTimeToExt": "5"}, 35), ({"callTimeToExt": "x"}, 60)),
        ({"callTimeToExt": "9" * 30}, 60),  # no wait is so long
    ],
)
def test_a_line_that_is_called_has_its_time_to_pick_up_and_no_more(more, seconds, client, requests_mock):
    requests_mock.post(ANY, exc=requests.exceptions.ReadTimeout)
    with pytest.raises(TransportError) as caught:
        client.call(DIAL, DIAL_PARAMS | more)
    host = requests_mock.last_request.netloc
    assert str(caught.value) == (
        f"{host} did not answer {DIAL} within {seconds} s. "
        "The phone may ring, or have rung: look before you do it again."
    )
    assert (requests_mock.call_count, requests_mock.last_request.timeout) == (1, (15, seconds))


def test_a_line_that_may_ring_longer_than_other_answers_take_is_waited_for(client, requests_mock, monkeypatch):
    monkeypatch.setattr("binotel_core.ANSWER_SECONDS", 0.1)

    def picked_up(*_):
        time.sleep(0.3)
        return {"status": "success", "generalCallID": "8"}

    requests_mock.post(ANY, json=picked_up)
    client._verify_answers = False
    assert client.call(DIAL, DIAL_PARAMS | {"callTimeToExt": 300})["generalCallID"] == "8"


def test_what_writes_and_got_no_answer_may_have_been_done(client, requests_mock):
    requests_mock.post(ANY, exc=requests.exceptions.ReadTimeout)
    with pytest.raises(
        TransportError, match=r"within 90 s\. It may have been done all the same: look before you do it"
    ):
        client.call("customers/update", {"id": "1"})
