"""Entries of the server become Calls: types, time zone, meaning, and texts that can do no harm."""

import dataclasses
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binotel_core import BinotelError
from common.calls.call import Call, clean
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
        call_type="0",
        number="0960000047",
        line="902",
        employee="Олена Приклад",
        customer="Лікар",
        disposition="ANSWER",
        wait_seconds=4,
        talk_seconds=68,
        our_number="0980000004",
        our_number_name="",
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


@pytest.mark.parametrize("missing", ["", [], {}, None, False])
def test_whatever_is_missing_may_be_missing_in_any_way(missing):
    bare = {"generalCallID": "1", "startTime": 1535457189}
    whole = bare | dict.fromkeys(set(RECORDED) - set(bare), missing)
    assert Call.from_entry(whole, KYIV) == Call.from_entry(bare, KYIV)
    assert dataclasses.astuple(Call.from_entry(bare, KYIV))[2:] == ("", "", "", "", "", "", 0, 0, "", "")


def test_an_entry_without_an_id_is_an_error():
    with pytest.raises(BinotelError, match=r"generalCallID missing\) cannot be read"):
        Call.from_entry(RECORDED | {"generalCallID": ""}, KYIV)


@pytest.mark.parametrize("start", [None, "", "soon", "-5", [], "1e9"])
def test_an_entry_without_a_time_is_an_error_that_names_the_call(start):
    with pytest.raises(BinotelError, match=r"generalCallID 744924436\) cannot be read: its startTime is .*"):
        Call.from_entry(RECORDED | {"startTime": start}, KYIV)


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
