"""The shapes in which calls have been seen, in either version: each is read whole, however its parts are missing."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from common.calls.call import Call, Calls, Rung, Source
from helpers import KYIV, at, call

SHAPES = Path(__file__).parent / "shapes"
ALMATY = ZoneInfo("Asia/Almaty")


def shape(name):
    return json.loads((SHAPES / f"{name}.json").read_text("utf-8"))["data"]


LOST = Call(
    general_call_id="612107700",
    start=datetime(2018, 5, 18, 13, 20, 35, tzinfo=KYIV),
    unix_start=1526638835,
    call_type="0",
    number="0670000002",
    line="801",
    group="",
    employee="",
    customer="",
    is_client=False,
    is_new=True,
    disposition="NOANSWER",
    wait_seconds=41,
    talk_seconds=0,
    our_number="0670000099",
    our_number_name="CallTracking",
    rung=(
        Rung("901", "801", "Оператор1", "NOANSWER", 20, 0),
        Rung("902", "801", "Оператор2", "BUSY", 21, 0),
    ),
    source=Source(
        utm_source="google",
        utm_medium="organic",
        utm_campaign="(not set)",
        utm_content="(not set)",
        utm_term="(not provided)",
        domain="clinic.example.com",
        page=shape("call-2.0-lost-with-attempts")["callTrackingData"]["fullUrl"],
    ),
    recording_state="",
    legs_name="",
)
ANSWERED_IN_4 = Call(
    general_call_id="4937638623",
    start=datetime(2024, 4, 5, 15, 42, 59, tzinfo=KYIV),
    unix_start=1712320979,
    call_type="0",
    number="0670000003",
    line="901",
    group="",
    employee="тест",
    customer="Приклад",
    is_client=False,
    is_new=False,
    disposition="ANSWER",
    wait_seconds=4,
    talk_seconds=38,
    our_number="0670000098",
    our_number_name="CallTracking shop.example.com",
    rung=(Rung("901", "", "тест", "ANSWER", 4, 38),),
    source=Source(
        utm_source="google",
        utm_medium="cpc",
        utm_campaign="Campaign_Performance_Max",
        utm_content="(not set)",
        utm_term="(not set)",
        domain="shop.example.com",
        page="https://shop.example.com/ua/catalog/x",
    ),
    recording_state="uploading",
    legs_name="",
)
RINGING = Call(
    general_call_id="744924500",
    start=datetime(2018, 8, 28, 14, 53, 9, tzinfo=KYIV),
    unix_start=1535457189,
    call_type="1",
    number="0670000002",
    line="902",
    group="",
    employee="Олена Приклад",
    customer="",
    is_client=False,
    is_new=False,
    disposition="",
    wait_seconds=0,
    talk_seconds=0,
    our_number="0980000004",
    our_number_name="",
    rung=(),
    source=None,
    recording_state="",
    legs_name="",
)
OF_TWO_LEGS = RINGING._replace(
    general_call_id="744924501",
    number="0440000033",
    line="",
    employee="",
    customer="Звонок 0321879",
    is_client=False,
    disposition="ANSWER",
    wait_seconds=4,
    talk_seconds=68,
    legs_name="Звонок 0321879",
    first_number="0970000033",
)
EXPECTED = {
    "call-2.0-lost-with-attempts": LOST,
    "call-2.0-ringing-empty-disposition": RINGING,
    "call-4.0-calltracking-recorded-2024": ANSWERED_IN_4,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_shape_of_a_call_is_read_whole(name):
    assert Call.from_entry(shape(name), KYIV) == EXPECTED[name]


def test_every_shape_is_tested():
    others = {"calls-2.0-phone-to-phone-two-legs", "customer-2.0-documented", "error-2.0-signed", "getcalls-4.0-fields"}
    assert {path.stem for path in SHAPES.iterdir()} == {*EXPECTED, *others}


def test_a_getcall_tells_the_source_where_nothing_else_does():
    [asked] = shape("getcalls-4.0-fields").values()
    entry = shape("call-2.0-ringing-empty-disposition") | {"getCallData": asked}
    expected = Source(
        "google", "organic", "(not set)", "(not set)", "(not provided)", "clinic.example.com", asked["fullUrl"]
    )
    assert Call.from_entry(entry, KYIV) == RINGING._replace(source=expected)


@pytest.mark.parametrize(
    "wrapped",
    [
        *(lambda one: [one], lambda one: one, lambda one: [one, ""], lambda one: ["", one]),
        *(lambda one: {"0": one}, lambda one: {"77": one}, lambda one: {"0": None, "1": one}),
    ],
)
@pytest.mark.parametrize(
    "names", [("employeeData",), ("pbxNumberData", "customerDataFromOutside"), ("callTrackingData",)]
)
def test_an_object_may_come_in_a_list(names, wrapped):
    entry = shape("call-4.0-calltracking-recorded-2024")
    assert Call.from_entry(entry | {name: wrapped(entry[name]) for name in names}, KYIV) == ANSWERED_IN_4


@pytest.mark.parametrize("as_objects", [lambda items: dict(enumerate(items)), lambda items: [*items, "", [], None, {}]])
def test_who_was_rung_may_come_as_an_object_or_with_holes(as_objects):
    entry = shape("call-2.0-lost-with-attempts")
    assert Call.from_entry(entry | {"dstNumbers": as_objects(entry["dstNumbers"])}, KYIV) == LOST


def test_a_single_one_who_was_rung_is_known_by_any_of_its_fields():
    entry = shape("call-4.0-calltracking-recorded-2024")
    [item] = entry["historyData"]
    del item["disposition"]
    assert Call.from_entry(entry | {"historyData": item}, KYIV).rung == (Rung("901", "", "тест", "", 4, 38),)


def test_who_was_rung_is_the_same_in_either_versions_words():
    entry = shape("call-2.0-lost-with-attempts")
    history = [
        {
            "waitsec": int(item["waitsec"]),
            "billsec": 0,
            "disposition": "no answer" if item["disposition"] == "NOANSWER" else "busy",
            "internalNumber": int(item["dstNumber"][-3:]),
            "internalAdditionalData": item["dstNumber"],
            "employeeData": {"email": item["employeeEmail"], "name": item["employeeName"]},
        }
        for item in entry["dstNumbers"]
    ]
    assert Call.from_entry(entry | {"dstNumbers": "", "historyData": history}, KYIV) == LOST
    assert Call.from_entry(entry | {"dstNumbers": [], "historyData": history[0]}, KYIV) == LOST._replace(
        rung=LOST.rung[:1]
    )


def test_nobody_is_known_to_have_been_rung_where_the_server_does_not_say():
    lost = call("10:00", "NOANSWER")
    answered = call("10:00", "ANSWER", internalAdditionalData="801 > ", employeeName="", employeeEmail="a@b.c")
    assert (lost.rung, lost.group) == ((), "")
    assert (answered.rung, answered.group) == ((Rung("902", "801", "a@b.c", "ANSWER", 4, 68),), "801")
    assert call("10:00", "ANSWER", internalNumber=None).rung == ()
    assert call("10:00", "ANSWER", callType="1").rung == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, False), ("0", False), (1, True), ("1", True), (True, True), (False, False), (None, False), ("", False)],
)
def test_whether_a_caller_is_new(value, expected):
    assert call(isNewCall=value).is_new is expected


def test_the_page_in_the_cabinet_is_that_of_the_accounts_country():
    entry = shape("call-4.0-calltracking-recorded-2024")
    page = "https://my.binotel.{}/f/pbx/#/calls/by-number?subject=0670000003&sacte=ovl-link-pb-4937638623"
    assert Call.from_entry(entry, KYIV).cabinet_page == page.format("ua")
    assert Call.from_entry(entry, ALMATY).cabinet_page == page.format("kz")
    odd = Call.from_entry(entry | {"externalNumber": "+7 701&x", "generalCallID": "a/b"}, ALMATY).cabinet_page
    assert odd == "https://my.binotel.kz/f/pbx/#/calls/by-number?subject=%2B7%20701%26x&sacte=ovl-link-pb-a%2Fb"
    assert Call.from_entry(entry | {"externalNumber": "anonymous"}, KYIV).cabinet_page == ""


# --- The two legs of phone-to-phone ------------------------------------------


def leg(time, number, name="Звонок 0321879", **more):
    more = {"callType": "1", "internalNumber": "", "employeeName": "", "employeeEmail": ""} | more
    return {
        "generalCallID": f"{at(time):%H%M%S}{number[-2:]}",
        "startTime": str(int(at(time).timestamp())),
        "externalNumber": number,
        "customerData": {"id": "", "name": name},
        "disposition": "ANSWER",
        "waitsec": 4,
        "billsec": 68,
        "trunkNumber": "0980000004",
    } | more


def numbers_of(*entries):
    return [(call.first_number, call.number) for call in Calls(entries, KYIV)]


def test_the_two_legs_are_one_call_with_both_numbers():
    entries = shape("calls-2.0-phone-to-phone-two-legs").values()
    [one] = Calls(entries, KYIV)
    assert one == OF_TWO_LEGS
    assert one.number_keys == ("440000033", "970000033")
    assert one.shown_number == "+380970000033 → +380440000033"
    assert list(Calls(entries, KYIV)) == [one]  # again and again


def test_a_call_of_two_legs_ends_as_the_later_one_and_stands_where_the_first_one_began():
    one = leg("10:00", "0970000033", billsec=80)
    between = leg("10:00:30", "0631111111", "", internalNumber="902")
    other = leg("10:01:30", "0440000033", billsec=0, disposition="NOANSWER", waitsec=20)
    merged, single = Calls([one, between, other], KYIV)
    assert (merged.general_call_id, merged.start) == (one["generalCallID"], at("10:00"))
    assert (merged.disposition, merged.talk_seconds, merged.wait_seconds) == ("NOANSWER", 0, 20)
    assert single.number == "0631111111"


@pytest.mark.parametrize(
    "other",
    [
        leg("10:01:31", "0440000033"),
        leg("10:00:10", "0440000033", "Звонок 0321880"),
        leg("10:00:10", "0440000033", callType="0"),
        leg("10:00:10", "0440000033", internalNumber="902"),
    ],
    ids=["too late", "another name", "incoming", "of a line"],
)
def test_what_is_no_second_leg_stays_a_call_of_its_own(other):
    first = leg("10:00", "0970000033")
    assert numbers_of(first, other) == [("", "0970000033"), ("", "0440000033")]


def test_people_who_are_named_so_are_nobodys_legs():
    calls = [leg("10:00", "0970000033", "Звонок маме"), leg("10:00:10", "0440000033", "Звонок маме")]
    assert len(numbers_of(*calls)) == 2


def test_conversations_side_by_side_and_three_of_one_name():
    entries = [
        leg("10:00:00", "0970000001", "Звонок 1"),
        leg("10:00:05", "0970000002", "Звонок 2"),
        leg("10:00:10", "0440000002", "Звонок 2"),
        leg("10:00:15", "0440000001", "Звонок 1"),
        leg("10:00:20", "0500000001", "Звонок 1"),
        leg("10:05:00", "0630000000", ""),
    ]
    assert numbers_of(*entries) == [
        ("0970000001", "0440000001"),
        ("0970000002", "0440000002"),
        ("", "0500000001"),
        ("", "0630000000"),
    ]
