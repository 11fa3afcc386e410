"""API 4.0: the same methods under its own names; the key and the secret are in the body, and seen nowhere else."""

import json
import logging
import traceback

import pytest
from requests_mock import ANY

from binotel_core import API_4_URL, API_URL, METHODS, ApiError, BinotelError, TransportError

DAY = 1714560000
PERIOD = {"startTime": DAY, "stopTime": DAY + 3600}
# What is called otherwise in 4.0: our name and parameters, and those on the wire.
OTHERWISE = [
    (
        "stats/history-by-number",
        {"number": ["0671234567"]},
        "stats/history-by-external-number",
        {"externalNumbers": ["0671234567"]},
    ),
    ("stats/call-record", {"callID": "1"}, "stats/call-record", {"generalCallID": "1"}),
    (
        "calls/ext-to-phone",
        {
            "ext_number": "902",
            "phone_number": "0671234560",
            "trunkNumber": "0443334001",
            "limitCallTime": 5,
            "async": 1,
        },
        "calls/internal-number-to-external-number",
        {
            "internalNumber": "902",
            "externalNumber": "0671234560",
            "pbxNumber": "0443334001",
            "limitCallTime": 5,
            "async": 1,
        },
    ),
    (
        "calls/phone-to-phone",
        {"phoneNumber1": "0671234560", "phoneNumber2": "0671234561", "trunkNumber": "0443334001"},
        "calls/external-number-to-external-number",
        {"externalNumber1": "0671234560", "externalNumber2": "0671234561", "pbxNumber": "0443334001"},
    ),
    *(
        (name, {"phone_number": "0671234560"} | more, name, {"externalNumber": "0671234560"} | more)
        for name, more in (
            ("calls/attended-call-transfer", {"generalCallID": "1"}),
            ("calls/call-with-announcement", {"voiceFileID": "81"}),
            ("calls/call-with-interactive-voice-response", {"ivrName": "x"}),
        )
    ),
]


@pytest.fixture
def client_4(sandbox, make_client):
    return make_client(sandbox.base_url.replace("/2.0", "/4.0"))


def sent(requests_mock):
    """Where the last request went, and what it held."""
    request = requests_mock.last_request
    return request.path.removeprefix("/api/4.0/").removesuffix(".json"), request.json()


@pytest.mark.parametrize(("ours", "params", "name", "named"), OTHERWISE)
@pytest.mark.parametrize("is_named_so", [False, True])
def test_what_is_called_otherwise_goes_under_its_own_names(
    ours, params, name, named, is_named_so, client_4, requests_mock
):
    requests_mock.post(ANY, json={"status": "success", METHODS[ours].answer: {}})
    client_4.call(ours, named if is_named_so else params)
    assert sent(requests_mock) == (name.lower(), named | {"key": "sandbox-key", "secret": "sandbox-secret"})


@pytest.mark.parametrize("number", ["0671234567", 380671234567])
@pytest.mark.parametrize("name", ["number", "externalNumbers"])
def test_one_number_is_a_list_where_4_0_takes_a_list_alone(name, number, client_4, requests_mock):
    requests_mock.post(ANY, json={"status": "success", "callDetails": []})
    assert client_4.entries("stats/history-by-number", {name: number}) == []
    assert sent(requests_mock)[1]["externalNumbers"] == [number]


def test_all_others_have_the_same_names_in_both_versions():
    assert {ours for ours, *_ in OTHERWISE} == {name for name, method in METHODS.items() if method.in_4}


def test_what_4_0_alone_has_is_refused_with_a_key_of_2_0_before_anything_is_sent(client, client_4, sandbox):
    alone = [name for name, method in METHODS.items() if method.only_4]
    assert alone == [
        "calls/external-number-to-incoming-call",
        "settings/change-employee-presence-state",
        "getcall/list-of-getcalls-for-period",
    ]
    for name in alone:
        with pytest.raises(BinotelError, match=f"API 2.0 has no method {name}.*{API_4_URL}"):
            client.call(name, PERIOD)
    assert sandbox.requests == []
    assert client_4.call("getcall/list-of-getcalls-for-period", PERIOD)["status"] == "success"
    client_4.call("settings/change-employee-presence-state", {"employeeID": "55901", "presenceState": "inactive"})
    states = {employee["employeeID"]: employee["presenceState"] for employee in employees(client_4)}
    assert (states["55901"], states["55902"]) == ("inactive", "active")


def employees(client):
    return client.entries("settings/list-of-employees", {})


@pytest.mark.parametrize("name", ["key", "secret"])
def test_parameters_that_every_request_carries_are_refused(name, client_4):
    with pytest.raises(ValueError, match="added to every request"):
        client_4.call("stats/online-calls", {name: "x"})


def test_answers_are_not_signed_and_calls_are_the_same_ones(client, client_4):
    ids_2, ids_4 = ([call["generalCallID"] for call in one.calls_per_day(DAY)] for one in (client, client_4))
    assert len(ids_4) > 150
    assert ids_4 == ids_2
    assert "signature" not in client_4.call("stats/online-calls")


@pytest.mark.parametrize(("is_4", "other"), [(False, API_4_URL), (True, API_URL)])
@pytest.mark.parametrize("code", [103, 121])
def test_a_key_that_is_refused_may_be_one_of_the_other_version(is_4, other, code, client, client_4, requests_mock):
    requests_mock.post(ANY, json={"status": "error", "code": code, "message": "No"})
    version = "2.0" if is_4 else "4.0"
    with pytest.raises(ApiError, match=rf"If the key is one of API {version}, set BINOTEL_API_URL={other}\."):
        (client_4 if is_4 else client).call("stats/online-calls")


@pytest.mark.parametrize("url", ["https://records.example/1.mp3", {"url": "https://records.example/1.mp3"}])
def test_a_recordings_link_comes_in_either_form(url, client_4, requests_mock):
    requests_mock.post(ANY, json={"status": "success", "url": url})
    assert client_4.record_url("8") == "https://records.example/1.mp3"
    assert sent(requests_mock)[1]["generalCallID"] == "8"


def test_voice_files_are_found_where_they_have_been_seen(client_4, requests_mock):
    requests_mock.post(ANY, json={"status": "success", "listOfEmployees": {"81": {"id": "81"}}})
    assert client_4.entries("settings/list-of-voice-files", {}) == [{"id": "81"}]


@pytest.mark.parametrize(
    "options",
    [
        {"status_code": 500, "text": "no"},
        {"exc": ConnectionResetError("gone")},
        {"text": "Something went wrong (exception)"},
        {"json": {"status": "error", "code": 121, "message": "No"}},
    ],
)
def test_whatever_fails_nothing_shows_the_secret(options, client_4, requests_mock, caplog, capfd):
    requests_mock.post(ANY, **options)
    with caplog.at_level(logging.DEBUG), pytest.raises(BinotelError) as caught:
        client_4.call("stats/online-calls")
    seen = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert "sandbox-secret" not in seen
    assert "sandbox-secret" not in repr(vars(caught.value))


@pytest.mark.parametrize(
    "before", ["", "<html>", "Something went wrong with ", '{"status": "error", "message": "', "x" * 34]
)
def test_not_even_a_part_of_the_secret_is_shown_of_a_request_that_comes_back(before, client_4, requests_mock):
    for length in range(80):
        requests_mock.post(ANY, text=lambda request, _, length=length: before + length * "x" + request.text)
        with pytest.raises(BinotelError) as caught:
            client_4.call("settings/list-of-routes")
        assert "sandbox-s" not in str(caught.value)


def test_what_json_cannot_hold_is_refused(client_4):
    with pytest.raises(ValueError, match="not JSON compliant"):
        client_4.call("stats/online-calls", {"a": float("nan")})


def test_an_outage_that_is_told_as_a_success_is_no_answer(client_4, requests_mock):
    requests_mock.post(ANY, text="Something went wrong (exception)", headers={"Content-Type": "text/html"})
    with pytest.raises(TransportError, match="not whole JSON"):
        client_4.call("stats/online-calls")
    assert json.loads(requests_mock.last_request.body)["secret"] == "sandbox-secret"
