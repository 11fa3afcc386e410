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


PLURALS = {"uk": 3, "en": 2, "ru": 3}  # "|" between them; of what may be no whole number, one more


@pytest.mark.parametrize("name", [name for name, texts in _WORDS.items() if "|" in texts[0]])
def test_a_text_with_plural_forms_has_all_of_its_language(name):
    found = {language: text.count("|") + 1 for language, text in zip(LANGUAGES, _WORDS[name], strict=True)}
    more = {language: count + (language != "en") for language, count in PLURALS.items()}
    assert found in (PLURALS, more)


@pytest.mark.parametrize(
    ("seconds", "uk", "en", "ru"),
    [
        (None, "—", "—", "—"),
        (0, "0 с", "0s", "0 с"),
        (20.4, "20 с", "20s", "20 с"),
        (60, "1 хв", "1m", "1 мин"),
        (320, "5 хв 20 с", "5m 20s", "5 мин 20 с"),
        (3600, "1 год", "1h", "1 ч"),
        (7_505, "2 год 5 хв", "2h 5m", "2 ч 5 мин"),
        (90_000, "1 дн. 1 год", "1d 1h", "1 дн. 1 ч"),
        (86_400 * 5 + 59, "5 дн.", "5d", "5 дн."),
    ],
)
def test_durations_are_as_exact_as_their_size_asks_for(seconds, uk, en, ru):
    assert [Labels(language).duration(seconds).replace("\xa0", " ") for language in LANGUAGES] == [uk, en, ru]


def test_dates_are_written_as_the_language_writes_them():
    moment, last = datetime(2024, 5, 3, 9, 5), datetime(2024, 6, 9)
    written = [
        (
            labels.moment(moment),
            labels.short_moment(moment),
            labels.full_date(moment),
            labels.month(moment),
            labels.days(moment, last),
            labels.short_weekday(6),
            labels.excel_date_format,
            labels.excel_short_date_format,
        )
        for labels in map(Labels, LANGUAGES)
    ]
    assert [tuple(text.replace("\xa0", " ") for text in texts) for texts in written] == [
        (
            *("3 трав. 2024 р., 09:05", "3 трав., 09:05", "п’ятниця, 3 травня 2024 р.", "травень 2024 р."),
            *("3 трав. — 9 черв. 2024 р.", "Нд", "dd.mm.yyyy", "dd.mm"),
        ),
        (
            *("3 May 2024, 09:05", "3 May, 09:05", "Friday, 3 May 2024", "May 2024"),
            *("3 May – 9 Jun 2024", "Sun", "d mmm yyyy", "d mmm"),
        ),
        (
            *("3 мая 2024 г., 09:05", "3 мая, 09:05", "пятница, 3 мая 2024 г.", "май 2024 г."),
            *("3 мая — 9 июн. 2024 г.", "Вс", "dd.mm.yyyy", "dd.mm"),
        ),
    ]


def test_numbers_are_written_as_the_language_writes_them_and_never_break():
    assert [
        (labels.number(1_234_567.5), labels.percent(4.2), labels.percent(100.0), labels.percent(None))
        for labels in map(Labels, LANGUAGES)
    ] == [
        ("1\xa0234\xa0567,5", "4,2%", "100%", "—"),
        ("1,234,567.5", "4.2%", "100%", "—"),
        ("1\xa0234\xa0567,5", "4,2\xa0%", "100\xa0%", "—"),
    ]
