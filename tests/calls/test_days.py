"""Days and moments are taken as people write them."""

from datetime import date, datetime

import pytest

from common.calls.days import wanted_days, wanted_moment, wanted_period
from common.settings import UsageError
from helpers import DAY, KYIV

BEFORE = date(2024, 4, 30)


@pytest.mark.parametrize(
    ("word", "day"),
    [
        *(("2024-04-30", BEFORE), ("30.04.2024", BEFORE), ("30/4/2024", BEFORE), ("1.5.2024", DAY)),
        *((word, BEFORE) for word in ("yesterday", "вчора", "Учора", "вчера")),
        *((word, DAY) for word in ("today", "сьогодні", "сегодня")),
    ],
)
def test_a_day_has_many_forms(word, day):
    assert wanted_days([word], DAY) == [day]
    assert wanted_moment(word, DAY, KYIV) == datetime(day.year, day.month, day.day, tzinfo=KYIV)
    assert wanted_moment(word, DAY, KYIV, is_stop=True) == datetime(
        day.year, day.month, day.day, 23, 59, 59, tzinfo=KYIV
    )
    moment = wanted_moment(f"{word} 09:30", DAY, KYIV)
    assert (moment.date(), moment.hour, moment.minute) == (day, 9, 30)


def test_yesterday_is_a_period_in_each_language():
    assert {wanted_period(word, DAY) for word in ("yesterday", "вчора", "вчера")} == {(BEFORE, BEFORE)}


@pytest.mark.parametrize("word", ["31.02.2024", "12/31/2024", "2024.04.30", "tomorrow", "", "09:30", "30.04.24"])
def test_what_is_no_day_is_told(word):
    with pytest.raises(UsageError, match="is not a day: write it as 2024-05-01, today or yesterday"):
        wanted_days([word], DAY)
    with pytest.raises(UsageError, match="is not a time"):
        wanted_moment(word, DAY, KYIV)


def test_days_before_binotel_and_after_today_are_told():
    with pytest.raises(UsageError, match="too long ago"):
        wanted_moment("31.12.1999", DAY, KYIV)
    with pytest.raises(UsageError, match="has not begun yet"):
        wanted_days(["02.05.2024"], DAY)
