"""Entries of the server become Calls: types, time zone, meaning, and texts that can do no harm."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.calls.call import Call, Calls, Rung, clean
from common.calls.entries import UnreadableError
from helpers import KYIV, call, entry

# As recorded from a live server, with names and numbers changed.
RECORDED = {
    "companyID": "10881",
    "generalCallID": "744924436",
    "callID": "744924436",
    "startTime": "1535457189",
    "callType": "0",
    "internalNumber": "902",
    "internalAdditionalData": "801 > ",
    "externalNumber": "0960000047",
    "srcNumber": "0960000011",
    "customerData": {"id": "17698964", "name": " Лікар"},
    "employeeName": "Олена Приклад",
    "employeeEmail": "olena@example.com",
    "waitsec": 4,
    "billsec": "68",
    "disposition": "ANSWER",
    "isNewCall": "0",
    "did": "0980000004",
    "didNumber": "0980000004",
    "didName": "",
}


def test_a_recorded_entry_is_read_whole():
    assert Call.from_entry(RECORDED, KYIV) == Call(
        general_call_id="744924436",
        start=datetime(2018, 8, 28, 14, 53, 9, tzinfo=KYIV),
        unix_start=1535457189,
        call_type="0",
        number="0960000047",
        line="902",
        group="801",
        employee="Олена Приклад",
        customer="Лікар",
        is_client=True,
        is_new=False,
        disposition="ANSWER",
        wait_seconds=4,
        talk_seconds=68,
        our_number="0980000004",
        our_number_name="",
        rung=(Rung("902", "801", "Олена Приклад", "ANSWER", 4, 68),),
        source=None,
        recording_state="",
        legs_name="",
    )


def test_numbers_may_be_strings_or_numbers():
    numbers = RECORDED | {
        "startTime": 1535457189,
        "callType": 0,
        "waitsec": 4.5,
        "billsec": "68.0",
        "internalNumber": 902,
    }
    assert Call.from_entry(numbers, KYIV) == Call.from_entry(RECORDED, KYIV)


OBJECTS = {
    *("dstNumbers", "historyData", "employeeData", "pbxNumberData", "customerDataFromOutside", "callTrackingData"),
    *("getCallData", "recordingStatus", "trunkNumber"),
}


@pytest.mark.parametrize("missing", ["", [], {}, None, False])
def test_whatever_is_missing_may_be_missing_in_any_way(missing):
    bare = {"generalCallID": "1", "startTime": 1535457189}
    whole = bare | dict.fromkeys(OBJECTS | set(RECORDED) - set(bare), missing)
    assert Call.from_entry(whole, KYIV) == Call.from_entry(bare, KYIV)
    rest = (*[""] * 6, False, False, "", 0, 0, "", "", (), None, "", "", "")
    assert Call.from_entry(bare, KYIV)[3:] == rest


def test_a_call_id_will_do_for_an_id():
    entry = {name: value for name, value in RECORDED.items() if name != "generalCallID"}
    assert Call.from_entry(entry | {"callID": 744924436}, KYIV).general_call_id == "744924436"


IN_2096 = 4_000_000_000


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (RECORDED | {"generalCallID": "", "callID": None}, "(id missing) cannot be read: its generalCallID is ''."),
        *(
            (RECORDED | {"startTime": start}, f"(id 744924436) cannot be read: its startTime is {start!r}.")
            for start in (None, "", "soon", "-5", [], {}, "1e9", 0, "0", 5, "1714560000000", IN_2096, True, "x" * 50)
        ),
        (RECORDED | {"startTime": "x" * 500}, f"its startTime is '{'x' * 59}. The API"),
        *((entry, f"(id missing) cannot be read: it is {entry!r}.") for entry in ("abc", None, 5, [], ["x"], False)),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_with_its_id_and_the_field(entry, reason):
    with pytest.raises(UnreadableError) as caught:
        Call.from_entry(entry, KYIV)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("A call in Binotel's answer (id ")


def test_what_can_be_read_of_a_list_is_read_and_the_rest_is_counted_and_told():
    calls = Calls([RECORDED, "x", "x", *range(20), RECORDED | {"generalCallID": "2"}], KYIV)
    for _ in range(2):
        assert [call.general_call_id for call in calls] == ["744924436", "2"]
        assert (calls.unreadable, len(calls.sentences)) == (22, 11)
    assert calls.sentences[-1] == "11 more entries like these cannot be read, and were left out."


NOW = 1_714_560_000


@pytest.mark.parametrize("state", ["", " ", None, "ONLINE", "online", "CALLING", "Calling ", "RINGING", "UNHEARD-OF"])
def test_a_call_goes_on_until_its_state_says_otherwise_but_for_three_hours_at_most(state):
    entry = RECORDED | {"disposition": state, "billsec": 0, "startTime": NOW}
    call = Call.from_entry(entry, KYIV)
    assert [call.is_going_on(NOW + seconds) for seconds in (0, 3 * 3600 - 1, 3 * 3600)] == [True, True, False]


@pytest.mark.parametrize(
    "more",
    [
        *({"disposition": state} for state in ("ANSWER", "TRANSFER", "NOANSWER", "NO ANSWER", "no answer", "BUSY")),
        *({"disposition": state} for state in ("CANCEL", "VM", "VM-SUCCESS", "SMS-SUCCESS", "SUCCESS", "CONGESTION")),
        {"disposition": "UNHEARD-OF", "billsec": "5"},
    ],
)
def test_a_call_whose_state_says_so_or_in_which_somebody_spoke_is_over(more):
    call = Call.from_entry(RECORDED | {"billsec": 0, "startTime": NOW} | more, KYIV)
    assert not call.is_going_on(NOW + 1)


def test_a_result_means_the_same_however_it_is_written_and_an_unknown_one_is_shown_as_it_is():
    def disposition(text):
        return Call.from_entry(RECORDED | {"disposition": text}, KYIV).disposition

    assert {disposition(text) for text in ("NO ANSWER", "noanswer", " No Answer ")} == {"NOANSWER"}
    assert disposition("vm-success") == "VM-SUCCESS"
    assert disposition("Very odd") == "Very odd"


@pytest.mark.parametrize(
    ("call_type", "disposition", "expected"),
    [
        ("0", "ANSWER", {"incoming", "answered"}),
        ("0", "TRANSFER", {"incoming", "answered"}),
        ("0", "ONLINE", {"incoming"}),
        ("0", "UNHEARD-OF", {"incoming"}),
        *(
            ("0", disposition, {"incoming", "lost"})
            for disposition in ("NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL", "VM", "VM-SUCCESS")
        ),
        ("1", "ANSWER", {"outgoing", "answered"}),
        ("1", "NOANSWER", {"outgoing"}),
        ("1", "SMS-SUCCESS", set()),
        ("0", "SUCCESS", set()),
        ("0", "FAILED", set()),
        ("7", "NOANSWER", set()),
    ],
)
def test_what_a_call_counts_as(call_type, disposition, expected):
    made = call(disposition=disposition, callType=call_type)
    answers = {
        "incoming": made.is_incoming,
        "outgoing": made.is_outgoing,
        "answered": made.is_answered,
        "lost": made.is_lost,
    }
    assert {name for name, answer in answers.items() if answer} == expected


@pytest.mark.parametrize("number", ["0671234567", "380671234567", "+380671234567", "+38 (067) 123-45-67", 380671234567])
def test_forms_of_one_number_are_one_number(number):
    assert call(number=number).number_key == "671234567"


def test_a_hidden_number_is_no_number():
    assert call(number="anonymous").number_key == ""
    assert call(number="").number_key == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Пробіли \n та\tрядки\r\n", "Пробіли та рядки"),
        ("a\x00b\x1bc\x7fd", "a\ufffdb\ufffdc\ufffdd"),
        ("\ud800x", "\ufffdx"),
        ("=1+1", "=1+1"),
        ("☕😀", "☕😀"),
        (5, "5"),
        (380671234567.0, "380671234567"),
        (True, ""),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_texts_are_one_clean_line(value, expected):
    assert clean(value) == expected


INVISIBLE = "\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\ufff9\U000e0041"


@pytest.mark.parametrize("letter", sorted(INVISIBLE), ids=ascii)
def test_what_nobody_sees_is_shown(letter):
    assert [clean(text) for text in (letter, f"Ол{letter}ег", f"{letter}Олег", f"Олег{letter}", f"a{letter}😀")] == [
        *("\ufffd", "Ол\ufffdег", "\ufffdОлег", "Олег\ufffd", "a\ufffd😀")
    ]


def test_what_holds_a_picture_together_stays():
    pictures = ["👩\u200d⚕️ Лікар", "👨\u200d👩\u200d👧", "👩🏽\u200d💻", "🏳️\u200d🌈"]
    assert [clean(text) for text in pictures] == pictures
    assert clean("👩\u200d") == "👩\ufffd"


@given(st.text(st.characters()))
def test_clean_texts_can_be_written_to_any_file(text):
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert cleaned == clean(cleaned)
    assert not any(ord(character) < 32 for character in cleaned)


def test_entries_have_what_the_other_tests_count_on():
    assert call("10:00").start.isoformat() == "2024-05-01T10:00:00+03:00"
    assert entry("10:00")["startTime"] == "1714546800"
