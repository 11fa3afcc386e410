"""customerData entries that are as documented, and those that cannot be read."""

import pytest

from binotel_core import BinotelError
from common.calls.entries import UnreadableError
from common.customers.backup import Backup, Customer, keyed, list_of, read_backup, what_is_wrong, write_backup
from common.customers.restore import Lists
from helpers import at

ENTRY = {
    "id": "6611",
    "name": "Лікар",
    "description": "",
    "email": "",
    "assignedToEmployeeID": "",
    "assignedToEmployeeNumber": "901",
    "assignedToEmployee": "Олена",
    "numbers": ["0970000005", "0930000099"],
    "labels": [{"id": "146", "name": "VIP"}],
}
LIKE_IT = Customer("6611", "Лікар", ("0970000005", "0930000099"), "", "", "901", "Олена", {"146": "VIP"})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"id": 6611, "assignedToEmployeeNumber": 901, "numbers": {"0": "0970000005", "2": "0930000099"}},
        {"description": None, "email": None, "labels": {"146": {"id": 146, "name": "VIP"}}},
        {"numbers": ["0970000005", "", "0930000099"]},
        # The employee as API 4.0 has it, alone or mixed with 2.0's.
        {"assignedToEmployeeNumber": None, "assignedToEmployee": {"id": 1, "name": "Олена", "internalNumber": 901}},
        {"assignedToEmployeeNumber": "", "assignedToEmployee": [{"name": "Олена", "internalNumber": "901"}]},
        {"assignedToEmployee": {"id": "1", "name": "Олена"}},
        {"assignedToEmployee": {"0": {"id": "1", "name": "Олена", "internalNumber": "901"}}},
        {"labels": {"id": "146", "name": "VIP"}},
    ],
)
def test_the_servers_ways_to_send_one_thing_are_one_customer(more):
    assert Customer.from_entry(ENTRY | more) == LIKE_IT


@pytest.mark.parametrize("nothing", [[], {}, [""], [None], [[]]])
def test_a_customer_of_no_employee_is_nobodys_in_any_form(nothing):
    entry = ENTRY | {"assignedToEmployeeNumber": "", "assignedToEmployee": nothing}
    assert Customer.from_entry(entry) == Customer.from_entry(entry | {"assignedToEmployee": ""})


ENDPOINT = {"id": "77901", "login": "10881901", "password": "902", "internalNumber": "901", "status": {}}


@pytest.mark.parametrize(
    ("endpoints", "lines"),
    [
        *((form, {"901"}) for form in (ENDPOINT, [ENDPOINT], {"77901": ENDPOINT, "77902": ""}, "901", 901)),
        ([ENDPOINT, ENDPOINT | {"internalNumber": 903}], {"901", "903"}),
        *((form, set()) for form in ("", [], {}, None, ENDPOINT | {"internalNumber": None}, [None])),
        ({name: value for name, value in ENDPOINT.items() if name != "internalNumber"}, set()),
    ],
)
def test_the_lines_of_employees_are_found_in_every_form_and_nothing_else_is_taken_for_one(endpoints, lines):
    lists = Lists()
    lists.add(Answering([{"id": "1", "name": "", "employeeID": "1", "endpointData": endpoints}]), pytest.fail)
    assert lists.lines == lines


@pytest.mark.parametrize("nothing", ["", None, [], {}])
def test_nothing_has_many_forms_in_a_customer(nothing):
    customer = Customer.from_entry(ENTRY | {"numbers": nothing, "labels": nothing})
    assert (customer.numbers, customer.labels) == ((), {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("numbers", value) for value in ("0671234567", 671234567, True, False, 0, [None], [["067"]], [{}], [6.7])),
        *(("labels", value) for value in ("VIP", 5, True, False, 0, ["VIP"], [None], [{}], [{"id": "1", "name": []}])),
        *((field, value) for field in ("name", "description", "email") for value in ({"a": 1}, [], True, 1.5)),
        *(("assignedToEmployeeNumber", value) for value in ({}, False)),
        *(("assignedToEmployee", value) for value in (["Олена"], 0.5)),
    ],
)
def test_a_field_that_cannot_be_right_is_named_with_who_has_it(field, value):
    with pytest.raises(UnreadableError) as caught:
        Customer.from_entry(ENTRY | {field: value})
    assert f"(id 6611) cannot be read: its {field} is {value!r}." in str(caught.value)


@pytest.mark.parametrize("identity", ["", None, {}, [], True, 1.5])
def test_who_has_no_id_is_named_by_the_servers_key(identity):
    with pytest.raises(UnreadableError, match=r"\(id 77\) cannot be read: its id is "):
        Customer.from_entry(ENTRY | {"id": identity}, "77")


@pytest.mark.parametrize("entry", ["abc", None, 5, True, [], ["abc"], 1.5])
def test_what_is_no_customer_at_all_is_shown(entry):
    with pytest.raises(UnreadableError) as caught:
        Customer.from_entry(entry)
    assert f"(id missing) cannot be read: it is {entry!r}." in str(caught.value)


def test_a_long_value_is_cut_short():
    with pytest.raises(UnreadableError) as caught:
        Customer.from_entry(ENTRY | {"numbers": "9" * 10_000})
    assert len(str(caught.value)) < 250


def test_an_unreadable_customer_is_kept_whole_and_named_when_the_backup_is_read(tmp_path):
    content = {"6611": ENTRY, "6612": ENTRY | {"id": "6612", "numbers": "067"}, "6613": "abc"}
    told, told_again = [], []
    path = tmp_path / "customers.json.gz"
    write_backup(path, at("12:00"), content, [])
    assert Backup.of(at("12:00"), keyed(content), told.append) == Backup(
        at("12:00"), {"6611": LIKE_IT}, frozenset({"6612", "6613"})
    )
    backup = read_backup(path, told_again.append)
    assert (dict(backup.customers), backup.unreadable) == ({"6611": LIKE_IT}, {"6612", ""})
    assert ["6612" in told[0], "(id 6613)" in told[1], "its numbers is '067'" in told_again[0]] == [True] * 3


@pytest.mark.parametrize("answer", [None, "", False, True, 0, 5, "abc", 1.5])
def test_what_is_no_list_does_not_say_that_there_are_none(answer):
    with pytest.raises(BinotelError) as caught:
        list_of(Answering(answer), "customers/list")
    shown = f"Binotel's answer to customers/list is no list: its customerData is {answer!r}. Run this again later"
    assert str(caught.value).startswith(shown)


@pytest.mark.parametrize("answer", [[], {}, {"1": ENTRY}, [ENTRY]])
def test_a_list_is_as_it_was_sent(answer):
    assert list_of(Answering(answer), "customers/list") is answer


class Answering:
    """A client whose every answer is the same."""

    def __init__(self, answer):
        self._answer = answer

    def call(self, method, params=None):
        keys = ("customerData", "listOfLabels", "listOfEmployees")
        return dict.fromkeys(keys, self._answer)


@pytest.mark.parametrize("entry", ["abc", None, 7, [], {"id": "", "name": "VIP", "extNumber": {}}])
def test_a_label_or_an_employee_that_cannot_be_read_hides_no_other(entry):
    entries = [{"id": "146", "name": "VIP", "extNumber": 901}, entry, {"id": 147, "name": None, "extNumber": None}]
    lists, told = Lists(), []
    lists.add(Answering(entries), told.append)
    assert (lists.labels, lists.lines) == ({"146": "VIP", "147": ""}, {"901"})
    assert [line.split(" in ")[0] for line in told] == ["A label", "A person among the employees"]


@pytest.mark.parametrize(
    ("there", "unreadable", "expected"),
    [
        (0, 0, "Binotel lists no customers at all."),
        (0, 10, "Binotel lists no customers that can be read."),
        (4, 6, "Of the 10 customers of the last backup, Binotel lists only 4."),
        (5, 0, ""),
        (10, 0, ""),
    ],
)
def test_fewer_than_half_cannot_be_all(there, unreadable, expected):
    before = made(range(10))
    now = made(range(there), range(there, there + unreadable))
    assert what_is_wrong(now, before, "the last backup") == expected


def made(readable, unreadable=()):
    entries = {str(each): ENTRY | {"id": str(each), "numbers": [f"067{each}"]} for each in readable}
    entries |= {str(each): None for each in unreadable}
    return Backup.of(at("12:00"), keyed(entries), lambda _: None)
