"""The sandbox behaves as Binotel does, as far as that is known, and makes up calls that look like a company's."""

import json
import random
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
import requests

import sandbox as sandbox_script
from binotel_core import METHODS, ApiError, signed_body, verify
from common.calls.call import Call, Calls
from common.sandbox.answers import KEY, SECRET
from common.sandbox.company import (
    ADVERTISED,
    CLOSED_DAYS,
    EMPLOYEES,
    GROUPS,
    HOSTILE_NAMES,
    LINES,
    LOST_DISPOSITIONS,
    NOBODYS_LINE,
    RARITIES,
    SPOKEN_DISPOSITIONS,
    Company,
    day_limits,
)
from common.sandbox.recordings import recording
from helpers import KYIV

WEDNESDAY = date(2024, 5, 1)
NOON = int(datetime(2024, 5, 1, 12, tzinfo=KYIV).timestamp())


def start(call):
    return int(call["startTime"])


# --- The calls ---------------------------------------------------------------


def test_the_same_seed_and_day_make_the_same_calls():
    assert Company(1, 200).calls_of_day(WEDNESDAY) == Company(1, 200).calls_of_day(WEDNESDAY)
    assert Company(2, 200).calls_of_day(WEDNESDAY) != Company(1, 200).calls_of_day(WEDNESDAY)


def test_a_working_day_has_business_hours_with_a_lunch_dip():
    by_hour = Counter(
        datetime.fromtimestamp(start(call), KYIV).hour for call in Company(1, 1000).calls_of_day(WEDNESDAY)
    )
    assert by_hour[10] > 2 * by_hour[13]
    assert by_hour[14] > 1.5 * by_hour[13]
    assert sum(by_hour[hour] for hour in range(9, 18)) > 0.75 * by_hour.total()
    assert 900 <= by_hour.total() <= 1100


def test_a_weekend_is_quiet_and_a_closed_day_is_empty():
    company = Company(1, 200)
    assert len(company.calls_of_day(date(2024, 5, 5))) < 40
    assert [company.calls_of_day(date(2024, month, day)) for month, day in CLOSED_DAYS] == [[], []]


def test_a_day_has_every_disposition_every_hostile_name_and_every_shape():
    calls = Company(1, 1000).calls_of_day(WEDNESDAY)
    assert {call["disposition"] for call in calls} == {"ANSWER", "TRANSFER"} | {what for _, what in RARITIES}
    names = {call["customerData"]["name"] for call in calls if call["customerData"]}
    assert set(HOSTILE_NAMES) <= names
    assert {type(call["customerData"]) for call in calls} == {dict, str, list}
    for field in ("startTime", "callType", "billsec", "waitsec"):
        assert {type(call[field]) for call in calls} == {str, int}
    assert {call["internalNumber"] for call in calls} == {*EMPLOYEES, *GROUPS, NOBODYS_LINE, ""}
    assert len({call["generalCallID"] for call in calls}) == len(calls)


def test_lost_callers_try_again_and_are_called_back_or_not():
    calls = Company(1, 1000).calls_of_day(WEDNESDAY)
    lost = [call for call in calls if str(call["callType"]) == "0" and call["disposition"] in LOST_DISPOSITIONS]
    times = Counter(call["externalNumber"][-9:] for call in lost)
    assert max(times.values()) > 1
    called_back = {
        call["externalNumber"][-9:]
        for call in calls
        if str(call["callType"]) == "1" and call["disposition"] == "ANSWER" and call["externalNumber"][-9:] in times
    }
    assert 0.2 < len(called_back) / len(times) < 0.9


def test_a_day_has_what_becomes_of_callers_in_a_real_one():
    calls = Company(1, 1000).calls_of_day(WEDNESDAY)
    incoming = [call for call in calls if str(call["callType"]) == "0"]
    lost = [call for call in incoming if call["disposition"] in LOST_DISPOSITIONS]
    spoken = [call for call in calls if call["disposition"] in SPOKEN_DISPOSITIONS]
    hours = {datetime.fromtimestamp(start(call), KYIV).hour for call in lost}
    assert hours & set(range(9)), "nobody was lost before the office opened"
    waits = []  # until somebody spoke to a lost caller, and whether we called
    for call in lost:
        number = call["externalNumber"][-9:]
        later = [one for one in spoken if number and one["externalNumber"][-9:] == number and start(one) > start(call)]
        waits += [(start(later[0]) - start(call), str(later[0]["callType"]))] if later else []
    assert min(seconds for seconds, way in waits if way == "1") < 900
    assert max(seconds for seconds, way in waits if way == "1") > 3600
    assert [way for _, way in waits].count("0") > 10  # who had to ring again
    assert {call["didNumber"]: call["didName"] for call in incoming} == LINES
    assert "" in {call["externalNumber"] for call in incoming}
    of_nobody = [call for call in spoken if call["internalNumber"] == NOBODYS_LINE]
    assert {call["employeeName"] for call in of_nobody} == {""}
    assert {call["didNumber"] for call in incoming if "callTrackingData" in call} == {ADVERTISED}
    [asked] = [call for call in calls if "getCallData" in call]
    assert asked["getCallData"]["generalCallID"] == asked["generalCallID"]
    legs = [call for call in calls if not call["internalNumber"]]
    assert len(legs) == 2
    assert len({json.dumps(call["customerData"]) for call in legs}) == 1


def test_who_was_rung_waited_as_long_as_the_caller_and_was_in_the_group():
    for call in Company(1, 1000).calls_of_day(WEDNESDAY):
        items = call.get("dstNumbers", [])
        assert bool(items) == (str(call["callType"]) == "0")
        results = [item["disposition"] for item in items]
        if call["disposition"] in SPOKEN_DISPOSITIONS and items:
            assert sum(int(item["waitsec"]) for item in items) == int(call["waitsec"])
            assert (results[-1], items[-1]["billsec"]) == (call["disposition"], str(call["billsec"]))
            assert items[-1]["dstNumber"].endswith(call["internalNumber"])
            results.pop()
        assert not set(results) & set(SPOKEN_DISPOSITIONS)
        for group, _, line in (item["dstNumber"].rpartition(" > ") for item in items):
            assert not group or line in GROUPS[group]


def test_who_is_new_has_not_called_before_and_is_not_new_again():
    company = Company(1, 200)
    known = {number for number, _ in company.callers}
    days = [WEDNESDAY + timedelta(days=number) for number in range(30)]
    calls = [call for day in days for call in company.calls_of_day(day)]
    for call in calls:
        number = call["externalNumber"][-10:]
        assert call["isNewCall"] == str(int(number not in known)) or not number
        known.add(number)
    new = [call for call in calls if call["isNewCall"] == "1"]
    assert 0.02 < len(new) / len(calls) < 0.2
    # Some of them call again, and are new no more.
    again = Counter(call["externalNumber"][-10:] for call in calls)
    assert max(again[call["externalNumber"][-10:]] for call in new) > 1


@pytest.mark.parametrize(
    ("day", "hours"), [(WEDNESDAY, 24), (date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 5, 4), 24)]
)
def test_a_day_begins_and_ends_with_a_call_however_long_it_is(day, hours):
    first, last = day_limits(day)
    calls = Company(1, 200).calls_of_day(day)
    assert last - first + 1 == hours * 3600
    assert (start(calls[0]), start(calls[-1])) == (first, last)
    assert [start(call) for call in calls] == sorted(start(call) for call in calls)


# --- The server --------------------------------------------------------------


@pytest.fixture
def ask(sandbox):
    """A function that asks the sandbox without the client: whatever is signed goes."""

    def ask(method, params=None, key=KEY, secret=SECRET, url=None):
        body = signed_body(params or {}, key, secret)
        return requests.post(url or f"{sandbox.base_url}/{method}.json", data=body, timeout=10).json()

    return ask


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("stats/no-such-method", {}, 102),
        ("calls/hangup-call", {"generalCallID": "1"}, 104),
        ("calls/attended-call-transfer", {"generalCallID": "1", "phone_number": "0671234560"}, 104),
        ("calls/ext-to-phone", {"ext_number": "999", "phone_number": "0671234560"}, 150),
        ("calls/ext-to-phone", {"ext_number": "908", "phone_number": "0671234560"}, 150),
        ("calls/ext-to-phone", {"ext_number": "902", "phone_number": "0671234567"}, 151),
        ("calls/ext-to-phone", {"ext_number": "902", "phone_number": "0671234560", "trunkNumber": "1"}, 104),
        ("calls/call-with-announcement", {"phone_number": "0671234560", "voiceFileID": "1"}, 104),
        ("calls/call-with-interactive-voice-response", {"phone_number": "0671234560", "ivrName": "?"}, 104),
        ("stats/call-details", {}, 103),
        ("stats/history-by-number", {"number": []}, 103),
        ("stats/incoming-calls-for-period", {"startTime": NOON}, 103),
        ("stats/incoming-calls-for-period", {"startTime": "yesterday", "stopTime": NOON}, 104),
        ("stats/incoming-calls-for-period", {"startTime": NOON, "stopTime": NOON - 1}, 104),
        ("stats/list-of-calls-for-period", {"startTime": NOON, "stopTime": NOON + 86401}, 104),
        (
            "stats/list-of-calls-by-internal-number-for-period",
            {"internalNumber": 901, "startTime": NOON, "stopTime": NOON + 7 * 86400 + 1},
            104,
        ),
        ("stats/call-record", {"callID": "1"}, 104),
        ("stats/call-record", {"callID": "00000000001"}, 104),
    ],
)
def test_refusals(ask, method, params, code):
    answer = ask(method, params)
    assert (answer["status"], answer["code"]) == ("error", code)
    verify(answer, SECRET)  # of the known key errors are signed, too


@pytest.mark.parametrize(
    ("version", "method", "params", "code"),
    [
        ("2.0", "getcall/list-of-getcalls-for-period", {"startTime": NOON, "stopTime": NOON}, 102),
        ("2.0", "settings/change-employee-presence-state", {"employeeID": "55901", "presenceState": "active"}, 102),
        ("2.0", "stats/history-by-external-number", {"externalNumbers": ["0671234567"]}, 102),
        ("2.0", "calls/call-with-announcement", {"externalNumber": "0671234560", "voiceFileID": "81"}, 103),
        ("4.0", "stats/history-by-number", {"number": "0671234567"}, 102),
        ("4.0", "stats/history-by-external-number", {"number": "0671234567"}, 103),
        ("4.0", "stats/history-by-external-number", {"externalNumbers": "0671234567"}, 104),
        ("4.0", "stats/call-record", {"callID": "73900700002"}, 103),
        ("4.0", "calls/ext-to-phone", {"ext_number": "902", "phone_number": "0671234560"}, 102),
        ("4.0", "calls/call-with-announcement", {"phone_number": "0671234560", "voiceFileID": "81"}, 103),
    ],
)
def test_each_version_knows_its_own_names_alone(version, method, params, code, sandbox):
    body = signed_body(params, KEY, SECRET)
    if version == "4.0":
        body = json.dumps(params | {"key": KEY, "secret": SECRET}).encode()
    address = f"{sandbox.base_url.replace('2.0', version)}/{method}.json"
    assert requests.post(address, data=body, timeout=10).json()["code"] == code


@pytest.mark.parametrize("wrong", [{"key": "x"}, {"secret": "x"}])
def test_a_wrong_key_or_secret_is_refused(ask, wrong):
    assert ask("stats/online-calls", **wrong)["code"] == 121


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"nonsense", b'{"key":"sandbox-key","signature":"x","a":NaN}'])
def test_a_request_that_is_none_is_refused(body, sandbox):
    answer = requests.post(f"{sandbox.base_url}/stats/online-calls.json", data=body, timeout=10).json()
    assert answer == {"status": "error", "code": 121, "message": "Your key or secret is wrong"}


def test_a_port_in_use_is_told_in_one_line(sandbox):
    port = sandbox.base_url.split(":")[2].split("/")[0]
    command = [sys.executable, sandbox_script.__file__, "--port", port]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert (
        result.stderr
        == f"sandbox: port {port} cannot be used: Address already in use. Choose another one with --port.\n"
    )


def test_the_sixth_heavy_request_of_a_minute_needs_its_gap(make_sandbox, clock):
    sandbox = make_sandbox(clock=clock.time)
    body = signed_body({}, KEY, SECRET)
    codes = []
    for seconds, method in ((0, "stats/online-calls"),) * 5 + (
        (4.9, "stats/online-calls"),
        (0.2, "stats/list-of-lost-calls-for-today"),
        (0, "stats/online-calls"),
        (5, "stats/list-of-lost-calls-for-today"),
        (50, "stats/online-calls"),
        (0, "stats/online-calls"),
    ):
        clock.now += seconds
        codes.append(sandbox.answer(method, body).get("code", 0))
    assert codes == [0, 0, 0, 0, 0, 106, 106, 0, 106, 0, 0]


def test_a_capped_answer_holds_exactly_its_cap(make_sandbox, make_client):
    client = make_client(make_sandbox(calls_per_day=4000).base_url)
    first, last = day_limits(WEDNESDAY)
    answer = client.call("stats/incoming-calls-for-period", {"startTime": first, "stopTime": last})
    assert len(answer["callDetails"]) == METHODS["stats/incoming-calls-for-period"].cap
    assert len(client.calls_per_day(first)) > 3500


def test_periods_are_inclusive_at_both_ends_and_split_by_direction(client, sandbox):
    calls = sandbox.company.calls_of_day(WEDNESDAY)
    period = {"startTime": start(calls[3]), "stopTime": start(calls[9])}
    answers = [client.call(f"stats/{way}-calls-for-period", period)["callDetails"] for way in ("incoming", "outgoing")]
    both = [call for answer in answers for call in (answer.values() if answer else [])]
    assert sorted(both, key=start) == calls[3:10]


def test_the_methods_of_the_present_show_the_present(make_sandbox, make_client, clock):
    clock.now = float(NOON)
    sandbox = make_sandbox(clock=clock.time, calls_per_day=2000)
    client = make_client(sandbox.base_url)
    today = sandbox.company.calls_of_day(WEDNESDAY)

    lost = client.call("stats/list-of-lost-calls-for-today")["callDetails"]
    assert list(lost) == [
        call["generalCallID"]
        for call in today
        if start(call) <= NOON and str(call["callType"]) == "0" and call["disposition"] in LOST_DISPOSITIONS
        if start(call) + int(call["waitsec"]) + int(call["billsec"]) <= clock.now
    ]
    online = client.call("stats/online-calls")["callDetails"]
    assert {call["disposition"] for call in online.values()} <= {"", "ONLINE"}
    since = client.call("stats/all-incoming-calls-since", {"timestamp": NOON - 3600})["callDetails"]
    assert {start(call) for call in since.values()} <= set(range(NOON - 3600, int(clock.now) + 1))
    assert since


@pytest.mark.parametrize("version", ["2.0", "4.0"])
def test_a_call_rings_then_they_talk_then_its_recording_is_uploaded(version, make_sandbox, make_client, clock):
    clock.now = NOON + 86400.0
    sandbox = make_sandbox(clock=clock.time)
    client = make_client(sandbox.base_url.replace("2.0", version))
    calls = [call for call in sandbox.company.calls_of_day(WEDNESDAY) if call["disposition"] == "ANSWER"]
    uploading, uploaded = ("uploading", "uploaded") if version == "4.0" else (None, None)
    for is_odd in (False, True):
        call = next(call for call in calls if int(call["generalCallID"]) % 2 == is_odd)
        ringing = "CALLING" if version == "4.0" and is_odd else ""  # some say so, others say nothing
        answered = start(call) + int(call["waitsec"])
        over = answered + int(call["billsec"])
        seen = []
        for moment in (start(call), answered, over - 1, over, over + 119, over + 120):
            clock.now = float(moment)
            [entry] = client.entries("stats/call-details", {"generalCallID": call["generalCallID"]})
            seen.append((entry["disposition"], int(entry["billsec"]), entry.get("recordingStatus")))
        talk = int(call["billsec"])
        assert seen == [
            (ringing, 0, None),
            ("ONLINE", 0, None),
            ("ONLINE", talk - 1, None),
            ("ANSWER", talk, uploading),
            ("ANSWER", talk, uploading),
            ("ANSWER", talk, uploaded),
        ]


@pytest.mark.parametrize("version", ["2.0", "4.0"])
def test_while_it_rings_nobody_knows_who_will_answer(version, make_sandbox, make_client, clock):
    clock.now = NOON + 86400.0
    sandbox = make_sandbox(clock=clock.time)
    client = make_client(sandbox.base_url.replace("2.0", version))
    call = next(
        call
        for call in sandbox.company.calls_of_day(WEDNESDAY)
        if call["disposition"] == "ANSWER"
        and [int(item["waitsec"]) > 1 for item in call.get("dstNumbers", [])] == [True] * 2
    )
    group = call["internalAdditionalData"].removesuffix(" > ")
    (first, vain), (second, _) = ((item["dstNumber"][-3:], item["disposition"]) for item in call["dstNumbers"])
    waits = [int(item["waitsec"]) for item in call["dstNumbers"]]
    seen = []
    for seconds in (waits[0] - 1, waits[0], sum(waits), sum(waits) + 1):
        clock.now = float(start(call) + seconds)
        [entry] = client.entries("stats/call-details", {"generalCallID": call["generalCallID"]})
        read = Call.from_entry(entry, KYIV)
        seen.append((read.line, read.employee, [(one.line, one.disposition, *one[4:]) for one in read.rung]))
    over = (first, vain, waits[0], 0)
    assert seen == [
        (group, "", [(first, "", waits[0] - 1, 0)]),
        (group, "", [over, (second, "", 0, 0)]),
        (second, call["employeeName"], [over, (second, "ONLINE", waits[1], 0)]),
        (second, call["employeeName"], [over, (second, "ONLINE", waits[1], 1)]),
    ]


def test_a_call_between_two_numbers_outside_makes_two_entries_of_one_name(client, clock, sandbox):
    params = {"phoneNumber1": "0671234560", "phoneNumber2": "0501234561", "trunkNumber": "0443334001"}
    identity = client.call("calls/phone-to-phone", params)["generalCallID"]
    legs = [call for call in client.entries("stats/online-calls", {}) if call["internalNumber"] == ""]
    assert [leg["externalNumber"] for leg in legs] == ["0671234560", "0501234561"]
    assert legs[0]["generalCallID"] == identity != legs[1]["generalCallID"]
    assert legs[0]["customerData"] == legs[1]["customerData"]
    [one] = Calls(legs, KYIV)
    assert (one.first_number, one.number) == ("0671234560", "0501234561")


def test_history_and_details_find_the_same_calls(make_sandbox, make_client, clock, monkeypatch):
    clock.now = float(NOON)
    sandbox = make_sandbox(clock=clock.time)
    client = make_client(sandbox.base_url)
    monkeypatch.setattr("common.sandbox.answers.HISTORY_DAYS", 31)
    days = [WEDNESDAY - timedelta(days=number) for number in range(31, -1, -1)]
    calls = [
        call
        for day in days
        for call in sandbox.company.calls_of_day(day)
        if NOON - 31 * 86400 <= start(call) <= NOON - 3600
    ]
    wanted = next(call for call in calls if call["customerData"] and call["externalNumber"].startswith("0"))
    number, customer = wanted["externalNumber"], wanted["customerData"]["id"]

    for method, params in (
        ("stats/history-by-number", {"number": number}),
        ("stats/history-by-number", {"number": [f"+38{number}"]}),
        ("stats/history-by-customer-id", {"customerID": customer}),
        ("stats/history-by-customer-id", {"customerID": [customer]}),
    ):
        found = client.call(method, params)["callDetails"]
        expected = [call["generalCallID"] for call in calls if call["externalNumber"][-9:] == number[-9:]]
        assert [identity for identity in found if start(found[identity]) <= NOON - 3600] == expected
    details = client.call("stats/call-details", {"generalCallID": [wanted["generalCallID"], "1", "99999900000"]})
    assert details["callDetails"] == {wanted["generalCallID"]: wanted}
    recent = client.call("stats/recent-calls-by-internal-number", {"internalNumber": "901"})["callDetails"]
    assert {call["internalNumber"] for call in recent.values()} == {"901"}
    assert len(recent) == METHODS["stats/recent-calls-by-internal-number"].cap


# --- The customers -----------------------------------------------------------


@pytest.fixture
def customers(client):
    return lambda: client.call("customers/list")["customerData"]


def test_customers_are_those_whom_the_calls_name(customers, sandbox):
    numbers = {number for customer in customers().values() for number in customer["numbers"]}
    named = {call["externalNumber"][-10:] for call in sandbox.company.calls_of_day(WEDNESDAY) if call["customerData"]}
    assert named <= numbers
    names = [customer["name"] for customer in customers().values()]
    assert len(set(names)) == len(names) > 80
    assert set(HOSTILE_NAMES) <= set(names)


def test_a_customer_is_created_changed_and_deleted(client, customers):
    before = customers()
    more = {"description": "Ґ", "assignedToEmployeeNumber": "901", "labels": ["7000"]}
    identity = client.call("customers/create", {"name": "Новий", "numbers": ["0991111111"]} | more)["customerID"]
    made = {
        "id": identity,
        "name": "Новий",
        "description": "Ґ",
        "email": "",
        "assignedToEmployeeID": "55901",
        "assignedToEmployeeNumber": "901",
        "assignedToEmployee": "Олена Коваль",
        "numbers": ["0991111111"],
        "labels": [{"id": "7000", "name": "VIP"}],
    }
    assert customers() == before | {identity: made}
    # What is passed replaces what was there, what is not passed stays.
    client.call("customers/update", {"id": identity, "numbers": ["0992222222", "0993333333"], "labels": []})
    made |= {"numbers": ["0992222222", "0993333333"], "labels": ""}
    assert customers() == before | {identity: made}
    for method, params in (
        ("customers/take-by-id", {"customerID": [identity, "1"]}),
        ("customers/search", {"subject": "нови"}),
        ("customers/search", {"subject": "0992222"}),
    ):
        assert client.call(method, params)["customerData"] == {identity: made}
    vip = {key: value for key, value in before.items() if "7000" in [label["id"] for label in value["labels"] or []]}
    assert client.call("customers/take-by-label", {"labelID": "7000"})["customerData"] == vip != {}
    client.call("customers/delete", {"customerID": [identity]})
    assert customers() == before


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("customers/create", {"name": "Новий"}, 103),
        ("customers/create", {"numbers": ["0991111111"]}, 103),
        ("customers/create", {"name": HOSTILE_NAMES[0], "numbers": ["0991111111"]}, 104),  # the name is taken
        ("customers/create", {"name": "Новий", "numbers": ["0991111111", "0991111111"]}, 104),
        ("customers/create", {"name": "Новий", "numbers": "0991111111"}, 104),
        ("customers/create", {"name": "Н", "numbers": ["0991111111"], "assignedToEmployeeNumber": "999"}, 104),
        ("customers/create", {"name": "Н", "numbers": ["0991111111"], "labels": ["1"]}, 104),
        ("customers/update", {"id": "1", "name": "Новий"}, 104),
        ("customers/update", {"name": "Новий"}, 103),
        ("customers/delete", {"customerID": "1"}, 104),
    ],
)
def test_what_the_rules_forbid_is_refused_and_changes_nothing(method, params, code, client, customers):
    before = customers()
    with pytest.raises(ApiError) as caught:
        client.call(method, params)
    assert caught.value.code == code
    assert customers() == before


def test_a_number_belongs_to_one_customer(client, customers):
    one, other = list(customers().values())[:2]
    for method, params in (
        ("customers/create", {"name": "Новий", "numbers": one["numbers"]}),
        ("customers/update", {"id": other["id"], "numbers": one["numbers"]}),
    ):
        with pytest.raises(ApiError, match="code 104"):
            client.call(method, params)
    client.call("customers/update", {"id": one["id"], "numbers": one["numbers"], "name": one["name"]})


def test_labels_and_employees_are_listed(client):
    assert client.call("customers/listOfLabels")["listOfLabels"]["7000"] == {"id": "7000", "name": "VIP"}
    employees = client.call("settings/list-of-employees")["listOfEmployees"]
    assert {employee["extNumber"] for employee in employees.values()} == set(EMPLOYEES)


def test_what_was_asked_is_listed(ask, sandbox):
    ask("stats/online-calls")
    ask("stats/call-details")
    listed = requests.get(sandbox.base_url.replace("/api/2.0", "/sandbox/requests"), timeout=10).json()
    assert [(request["method"], request["code"]) for request in listed] == [
        ("stats/online-calls", 0),
        ("stats/call-details", 103),
    ]
    assert all(request["time"] > 1.7e9 for request in listed)


def test_faults_are_injected_over_http(ask, sandbox):
    url = sandbox.base_url.replace("/api/2.0", "/sandbox/faults")
    wanted = {"method": "stats/online-calls", "fault": "code-105", "count": 2}
    assert requests.post(url, json=wanted, timeout=10).status_code == 200
    answers = [ask("stats/online-calls") for _ in range(3)]
    assert [answer.get("code") for answer in answers] == ["105", "105", None]
    for answer in answers:
        verify(answer, SECRET)  # those errors, too, are signed as the server's are
    for body in (wanted | {"fault": "flood"}, wanted | {"method": "stats/no"}, [], {"method": "stats/online-calls"}):
        unknown = requests.post(url, data=json.dumps(body), timeout=10)
        assert unknown.status_code == 400
        assert "code-105" in unknown.text


# --- Recordings --------------------------------------------------------------


@pytest.fixture
def recorded(sandbox):
    calls = sandbox.company.calls_of_day(WEDNESDAY)
    return next(call for call in calls if call["disposition"] == "ANSWER" and int(call["billsec"]) > 60)


def test_a_recording_is_an_mp3_as_long_as_the_talk(client, recorded):
    link = client.call("stats/call-record", {"callID": recorded["callID"]})["url"]
    response = requests.get(link, timeout=10)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/mpeg")
    content = response.content
    assert content == recording(recorded)
    assert content.startswith(b"ID3")
    assert recorded["callID"].encode() in content[:40]
    seconds = content.count(b"\xff\xf3\x28\xc4") * 0.036
    assert seconds == pytest.approx(int(recorded["billsec"]), abs=0.1)


def test_a_part_of_a_recording_can_be_asked_for(client, recorded):
    link = client.call("stats/call-record", {"callID": recorded["callID"]})["url"]
    whole = recording(recorded)
    for header, status, content, content_range in (
        ("bytes=100-", 206, whole[100:], f"bytes 100-{len(whole) - 1}/{len(whole)}"),
        ("bytes=0-9", 206, whole[:10], f"bytes 0-9/{len(whole)}"),
        (f"bytes={len(whole)}-", 416, b"", f"bytes */{len(whole)}"),
    ):
        response = requests.get(link, headers={"Range": header}, timeout=10)
        assert (response.status_code, response.content) == (status, content)
        assert response.headers["Content-Range"] == content_range


def test_a_link_dies_after_15_minutes(make_sandbox, make_client, clock):
    clock.now = NOON + 86400.0
    sandbox = make_sandbox(clock=clock.time)
    calls = sandbox.company.calls_of_day(WEDNESDAY)
    call = random.Random(1).choice([call for call in calls if call["disposition"] == "ANSWER"])
    link = make_client(sandbox.base_url).call("stats/call-record", {"callID": call["callID"]})["url"]
    assert requests.get(link, timeout=10).status_code == 200
    assert requests.get(link + "0", timeout=10).status_code == 403
    clock.now += 15 * 60 + 1
    expired = requests.get(link, timeout=10)
    assert (expired.status_code, expired.headers["Content-Type"]) == (403, "application/xml")


def test_there_is_no_recording_of_a_lost_call(client, sandbox):
    lost = next(call for call in sandbox.company.calls_of_day(WEDNESDAY) if call["disposition"] == "NOANSWER")
    with pytest.raises(ApiError, match="code 104"):
        client.call("stats/call-record", {"callID": lost["callID"]})
