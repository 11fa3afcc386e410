"""What the sandbox sends has the keys and the types of what Binotel sends, in either version."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from binotel_core import signed_body
from common.sandbox.answers import KEY, SECRET, Sandbox
from helpers import KYIV

SHAPES = Path(__file__).parents[1] / "calls" / "shapes"
NOON = int(datetime(2024, 5, 1, 12, tzinfo=KYIV).timestamp())
LATER = NOON + 2 * 86400
# Of these the server sends the text or the number, as it likes.
NUMBERS = {"startTime", "callType", "waitsec", "billsec", "isNewCall"}
# Known of webhooks alone.
OF_WEBHOOKS = {"linkToCallRecordOverlayInMyBusiness", "linkToCallRecordInMyBusiness"}


def shape(name):
    return json.loads((SHAPES / f"{name}.json").read_text("utf-8"))["data"]


IN_4 = shape("call-4.0-calltracking-recorded-2024")
[GETCALL] = shape("getcalls-4.0-fields").values()
# What is documented, and in none of the recorded entries of the version.
IN_BOTH = {
    "customerData": {"id": "17698964", "name": "Лікар"},
    "internalAdditionalData": "801 > ",
    "smsContent": "x",
    "getCallData": GETCALL | {"generalCallID": "1", "processedAt": "1526657300"},
    "customerDataFromOutside": IN_4["customerDataFromOutside"],
}
CALLS = {
    "2.0": [
        IN_BOTH,
        shape("call-2.0-lost-with-attempts"),
        shape("call-2.0-ringing-empty-disposition"),
        *shape("calls-2.0-phone-to-phone-two-legs").values(),
    ],
    "4.0": [
        IN_BOTH,
        IN_4,
        {"historyData": [{"internalAdditionalData": "801 > 901"}], "callTrackingData": {"geoipOrg": "Example ISP"}},
    ],
}
# These stand in every entry.
IN_EVERY = {
    "2.0": {
        *("companyID", "generalCallID", "callID", "startTime", "callType", "internalNumber", "internalAdditionalData"),
        *("externalNumber", "customerData", "employeeName", "employeeEmail", "waitsec", "billsec", "disposition"),
        "isNewCall",
    },
    "4.0": {
        *("companyID", "generalCallID", "callID", "startTime", "callType", "internalNumber", "internalAdditionalData"),
        *("externalNumber", "customerData", "employeeData", "pbxNumberData", "historyData", "waitsec", "billsec"),
        *("disposition", "isNewCall", "whoHungUp"),
    },
}


@pytest.fixture(params=["2.0", "4.0"])
def version(request):
    return request.param


def answer(sandbox, version, method, **params):
    in_4 = json.dumps(params | {"key": KEY, "secret": SECRET}).encode()
    return sandbox.answer(method, signed_body(params, KEY, SECRET) if version == "2.0" else in_4, version)


def types_in(entries):
    """Where in the entries a value stands (callTrackingData.domain) -> the types that it has there.

    "", [] and null are how the server writes that there is none, in any place: they say nothing of it.
    """
    types = {}

    def go_through(value, path):
        if isinstance(value, dict):
            for name, item in value.items():
                go_through(item, f"{path}.{name}".lstrip("."))
        elif isinstance(value, list):
            for item in value:
                go_through(item, f"{path}[]")
        elif value not in ("", None):
            is_number = path.rpartition(".")[2] in NUMBERS and str(value).isdecimal()
            types.setdefault(path, set()).add("number" if is_number else type(value).__name__)

    for entry in entries:
        go_through(entry, "")
    return types


def calls_of(version, clock, moment=NOON):
    clock.now = max(LATER, moment)
    sandbox = Sandbox(clock=clock.time, calls_per_day=1000)
    return list(answer(sandbox, version, "stats/list-of-calls-per-day", dayInTimestamp=moment)["callDetails"].values())


def test_calls_have_the_keys_and_the_types_of_recorded_ones(version, clock):
    calls = calls_of(version, clock)
    assert len(calls) > 900
    assert set.intersection(*map(set, calls)) == IN_EVERY[version]
    known, seen = types_in(CALLS[version]), types_in(calls)
    assert set(seen) == set(known) - OF_WEBHOOKS
    assert {path: types for path, types in seen.items() if not types <= known[path]} == {}


def test_customers_have_the_keys_and_the_types_of_documented_ones(version, clock):
    [documented] = shape("customer-2.0-documented").values()
    assigned = {"assignedToEmployeeID": "1", "assignedToEmployeeNumber": "901", "assignedToEmployee": "Олена"}
    if version == "4.0":
        assigned = {"assignedToEmployee": {"id": "1", "name": "Олена", "internalNumber": "901"}}
    known = types_in([documented, {"description": "x", "email": "x"}, assigned])
    seen = types_in(answer(Sandbox(clock=clock.time), version, "customers/list")["customerData"].values())
    assert seen == known


def test_errors_of_a_known_key_are_those_of_the_vendors(version, clock):
    recorded = shape("error-2.0-signed")
    sandbox = Sandbox(clock=clock.time)
    refused = [answer(sandbox, version, "customers/list") for _ in range(6)][-1]
    signature = {"signature": refused.get("signature")} if version == "2.0" else {}
    assert refused == recorded | signature
    assert len(signature.get("signature", "x" * 32)) == 32


def test_what_getcalls_are_listed_has_the_keys_of_known_ones(clock):
    clock.now = LATER
    listed = answer(
        Sandbox(clock=clock.time),
        "4.0",
        "getcall/list-of-getcalls-for-period",
        startTime=NOON - 43200,
        stopTime=NOON + 43199,
    )
    [asked] = listed["listOfGetCalls"].values()
    assert set(asked) == set(GETCALL)
