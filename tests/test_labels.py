"""The words people see: every one in every language, and the same places to fill in."""

import string
from datetime import datetime

import pytest

from common.calls.call import ANSWERED_DISPOSITIONS, GOING_ON_DISPOSITIONS, LOST_DISPOSITIONS, MESSAGE_DISPOSITIONS
from common.labels import _WORDS, LANGUAGES, Labels


@pytest.mark.parametrize("name", _WORDS)
def test_every_word_is_there_in_every_language_with_the_same_fields(name):
    texts = _WORDS[name]
    assert len(texts) == len(LANGUAGES)
    assert all(text.strip() for text in texts)
    fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in texts]
    assert fields[0] == fields[1] == fields[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_known_dispositions_have_words_and_unknown_ones_stay(language):
    labels = Labels(language)
    for disposition in (*ANSWERED_DISPOSITIONS, *LOST_DISPOSITIONS, *MESSAGE_DISPOSITIONS, *GOING_ON_DISPOSITIONS):
        assert labels.disposition(disposition) != disposition
    for unknown in ("UNHEARD-OF", "answer", "number", "VM2"):
        assert labels.disposition(unknown) == unknown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "—"),
        (0, "0 s"),
        (20.4, "20 s"),
        (60, "1 min"),
        (320, "5 min 20 s"),
        (3600, "1 h"),
        (7_505, "2 h 5 min"),
        (90_000, "25 h"),
    ],
)
def test_durations_are_as_exact_as_their_size_asks_for(seconds, words):
    assert Labels("en").duration(seconds) == words


def test_dates_are_written_as_the_language_writes_them():
    moment = datetime(2024, 5, 3, 9, 5)
    assert [
        (labels.date(moment), labels.moment(moment), labels.weekday(4), labels.short_weekday(6))
        for labels in map(Labels, LANGUAGES)
    ] == [
        ("03.05.2024", "03.05.2024 09:05", "п’ятниця", "Нд"),
        ("2024-05-03", "2024-05-03 09:05", "Friday", "Sun"),
        ("03.05.2024", "03.05.2024 09:05", "пятница", "Вс"),
    ]
