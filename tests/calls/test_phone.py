"""Numbers are shown in one form, and asked for in all, by the country of the account."""

import re
from random import Random
from zoneinfo import ZoneInfo

import pytest

from common.calls.phone import GEORGIA, KAZAKHSTAN, UKRAINE, country_of, dialable, forms_of, international

UKRAINIAN = ["0671234567", "380671234567", "+380671234567", "+38 (067) 123-45-67", "00380671234567"]
UKRAINIAN += ["067\u00a0123\u201145\u201167", "(+380) 67 123 – 45 – 67", "+380 (0) 67 123 45 67"]
KAZAKH = ["77011234567", "+77011234567", "87011234567", "8 (701) 123-45-67"]
GEORGIAN = ["555123456", "995555123456", "+995555123456", "0555123456"]


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        *(("Europe/Kyiv", UKRAINE), ("Europe/Kiev", UKRAINE), ("UTC", UKRAINE), ("Asia/Almaty", KAZAKHSTAN)),
        *(("Asia/Aqtobe", KAZAKHSTAN), ("Asia/Tbilisi", GEORGIA)),
    ],
)
def test_the_zone_tells_the_country(zone, country):
    assert country_of(ZoneInfo(zone)) == country


@pytest.mark.parametrize(
    ("numbers", "country", "expected"),
    [
        (UKRAINIAN, UKRAINE, "+380671234567"),
        (KAZAKH, KAZAKHSTAN, "+77011234567"),
        (GEORGIAN, GEORGIA, "+995555123456"),
        # With its code, a number of another country is as good.
        (UKRAINIAN[1:3], KAZAKHSTAN, "+380671234567"),
        (KAZAKH[:2], UKRAINE, "+77011234567"),
        (["48601234567", "+48 601 234 567", "0048601234567"], UKRAINE, "+48601234567"),
        (["0443334001"], UKRAINE, "+380443334001"),
    ],
)
def test_what_can_be_called_from_anywhere_has_one_form(numbers, country, expected):
    assert {international(number, country) for number in numbers} == {expected}
    assert {dialable(number, country) for number in numbers} == {expected}


@pytest.mark.parametrize("country", [UKRAINE, KAZAKHSTAN, GEORGIA])
@pytest.mark.parametrize(
    "number",
    [
        *("101", "112", "901", "1551", "0800123456", "0900123456", "2345678", "2902345", "", "anonymous", "SIP901"),
        *("08001234567890123", "901 (Олена)", "0671234567 x5"),
    ],
)
def test_lines_short_codes_and_what_is_no_number_stay_as_they_are(number, country):
    assert international(number, country) == ""
    assert dialable(number, country) == "".join(filter(str.isdigit, number))


def test_what_begins_with_a_plus_is_dialled_with_it_whether_anybody_knows_such_a_number_or_not():
    assert dialable("+999 12345678", UKRAINE) == "+99912345678"


@pytest.mark.parametrize(
    ("numbers", "country", "expected"),
    [
        (UKRAINIAN, UKRAINE, ["0671234567", "380671234567", "+380671234567"]),
        (KAZAKH, KAZAKHSTAN, ["87011234567", "77011234567", "+77011234567"]),
        (GEORGIAN, GEORGIA, ["555123456", "995555123456", "+995555123456"]),
        (["0800123456"], UKRAINE, ["0800123456", "+0800123456"]),
        (["101"], UKRAINE, ["101", "+101"]),
    ],
)
def test_a_number_is_asked_for_in_each_form_the_server_may_have_noted_it_in(numbers, country, expected):
    assert {tuple(forms_of(number, country)) for number in numbers} == {tuple(expected)}


@pytest.mark.parametrize(
    ("number", "country", "dialled"),
    [
        # Without its code, 501234567 would be a Ukrainian number, and a Georgian one.
        ("+48501234567", UKRAINE, "0048501234567"),
        ("48501234567", GEORGIA, "0048501234567"),
        ("+84912345678", KAZAKHSTAN, "81084912345678"),
        ("+380671234567", KAZAKHSTAN, "810380671234567"),
        ("77011234567", UKRAINE, "0077011234567"),
        ("+79161234567", KAZAKHSTAN, "89161234567"),  # of one country's code, and dialled as at home
    ],
)
def test_a_number_of_another_country_is_never_asked_for_without_its_code(number, country, dialled):
    forms = forms_of(number, country)
    code = f"+{number.removeprefix('+')}"
    assert forms == [dialled, code.removeprefix("+"), code]
    assert forms_of(dialled, country) == forms  # what stands for it means nobody else


@pytest.mark.parametrize("country", [UKRAINE, KAZAKHSTAN, GEORGIA])
def test_what_is_found_at_once_is_what_is_found_by_parsing(country, monkeypatch):
    random = Random(country)
    starts = [*("+380 380 0 38067 +995 995 05 +7 7 8 77 87 7701 8701 8800 0800 0900 089 8089 07 70".split()), ""]
    numbers = [f"{start}{random.randrange(10 ** random.randint(6, 10))}" for start in starts for _ in range(200)]
    found = [international.__wrapped__(number, country) for number in numbers]
    assert 100 < sum(map(bool, found)) < len(numbers)
    monkeypatch.setattr("common.calls.phone._usual", lambda _: (0, re.compile("(?!)")))
    assert found == [international.__wrapped__(number, country) for number in numbers]
