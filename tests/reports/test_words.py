"""What a report says in words: the sentence on top, the title, a mail's subject, the tiles; in three languages."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from common.labels import LANGUAGES, Labels
from common.reports.figures import Report
from common.reports.selection import Selection
from common.reports.tables import Tile, footnote, notes, sentence, subject, tiles, title
from helpers import DAY, at, call, period, report, with_comparison

OUT = {"callType": "1"}
MONTH = date(2024, 4, 1), date(2024, 4, 30)


def plain(text):
    """With the spaces that a keyboard has."""
    return text.replace("\xa0", " ")


def in_each(say, made):
    """What is said of a report, in each language."""
    return tuple(plain(say(made, Labels(language))) for language in LANGUAGES)


def calls(answered, lost=0):
    return [
        *(call(f"09:{index:02}") for index in range(answered)),
        *(call(f"10:{index:02}", "CANCEL", number=f"05000000{index:02}") for index in range(lost)),
    ]


def one_of(answered, lost=0, **more):
    return report(*calls(answered, lost), **more)


def outgoing(count):
    return report(*(call(f"09:{index:02}", **OUT) for index in range(count)))


# --- The sentence


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, ("1 вхідного дзвінка", "1 incoming call", "1 входящего звонка")),
        (2, ("2 вхідних дзвінків", "2 incoming calls", "2 входящих звонков")),
        (5, ("5 вхідних дзвінків", "5 incoming calls", "5 входящих звонков")),
        (21, ("21 вхідного дзвінка", "21 incoming calls", "21 входящего звонка")),
    ],
)
def test_a_sentence_has_the_form_of_its_number_of_calls(count, words):
    uk, en, ru = words
    assert in_each(sentence, one_of(count)) == (
        f"Прийнято 100% з {uk}.",
        f"Answered 100% of {en}.",
        f"Принято 100 % из {ru}.",
    )


@pytest.mark.parametrize(
    ("count", "percent", "words"),
    [
        (1, "50", ("1 людині", "caller still needs a call back", "1 человеку")),
        (2, "33.3", ("2 людям", "callers still need a call back", "2 людям")),
        (5, "16.7", ("5 людям", "callers still need a call back", "5 людям")),
        (21, "4.5", ("21 людині", "callers still need a call back", "21 человеку")),
    ],
)
def test_a_sentence_tells_how_many_wait(count, percent, words):
    uk, en, ru = words
    comma = percent.replace(".", ",")
    assert in_each(sentence, one_of(1, count)) == (
        f"Прийнято {comma}% з {count + 1} вхідних дзвінків; потрібно передзвонити {uk}.",
        f"Answered {percent}% of {count + 1} incoming calls; {count} {en}.",
        f"Принято {comma} % из {count + 1} входящих звонков; нужно перезвонить {ru}.",
    )


def test_a_sentence_says_that_nobody_waits_where_all_were_spoken_to():
    lost = call("09:00", "CANCEL", number="0501111111")
    made = report(lost, call("09:10", number="0501111111", **OUT))
    assert in_each(sentence, made) == (
        "Прийнято 0% з 1 вхідного дзвінка; передзвонювати нікому не потрібно.",
        "Answered 0% of 1 incoming call; nobody needs a call back.",
        "Принято 0 % из 1 входящего звонка; перезванивать никому не нужно.",
    )


def test_a_sentence_says_nothing_of_who_waits_where_that_is_not_known():
    hidden = report(call("09:00", "CANCEL", number=""))
    of_a_line = period(call("09:00", "CANCEL"), last=DAY, line="902")
    assert sentence(hidden, Labels("en")) == sentence(of_a_line, Labels("en")) == "Answered 0% of 1 incoming call."


@pytest.mark.parametrize(
    ("points", "uk", "en", "ru"),
    [
        (1, "на 1 пункт більше, ніж", "1 point more than", "на 1 пункт больше, чем"),
        (2, "на 2 пункти більше, ніж", "2 points more than", "на 2 пункта больше, чем"),
        (5, "на 5 пунктів більше, ніж", "5 points more than", "на 5 пунктов больше, чем"),
        (21, "на 21 пункт більше, ніж", "21 points more than", "на 21 пункт больше, чем"),
        (4.2, "на 4,2 пункту більше, ніж", "4.2 points more than", "на 4,2 пункта больше, чем"),
        (-1, "на 1 пункт менше, ніж", "1 point less than", "на 1 пункт меньше, чем"),
        (-2, "на 2 пункти менше, ніж", "2 points less than", "на 2 пункта меньше, чем"),
        (-5, "на 5 пунктів менше, ніж", "5 points less than", "на 5 пунктов меньше, чем"),
        (-21, "на 21 пункт менше, ніж", "21 points less than", "на 21 пункт меньше, чем"),
        (-4.2, "на 4,2 пункту менше, ніж", "4.2 points less than", "на 4,2 пункта меньше, чем"),
        (6.0, "на 6 пунктів більше, ніж", "6 points more than", "на 6 пунктов больше, чем"),
        (1.0, "на 1 пункт більше, ніж", "1 point more than", "на 1 пункт больше, чем"),
        (0, "стільки ж, скільки", "as", "столько же, сколько"),
    ],
)
def test_a_day_is_more_or_less_than_the_same_weekday_before(points, uk, en, ru):
    assert in_each(sentence, with_comparison(one_of(3), answered_percent=points)) == (
        f"Прийнято 100% з 3 вхідних дзвінків, {uk} попередньої середи.",
        f"Answered 100% of 3 incoming calls, {en} on the Wednesday before.",
        f"Принято 100 % из 3 входящих звонков, {ru} в предыдущую среду.",
    )


@pytest.mark.parametrize(
    ("weekday", "uk", "en", "ru"),
    [
        (0, "попереднього понеділка", "on the Monday before", "в предыдущий понедельник"),
        (1, "попереднього вівторка", "on the Tuesday before", "в предыдущий вторник"),
        (3, "попереднього четверга", "on the Thursday before", "в предыдущий четверг"),
        (4, "попередньої п’ятниці", "on the Friday before", "в предыдущую пятницу"),
        (5, "попередньої суботи", "on the Saturday before", "в предыдущую субботу"),
        (6, "попередньої неділі", "on the Sunday before", "в предыдущее воскресенье"),
    ],
)
def test_each_weekday_has_a_name_for_the_one_before(weekday, uk, en, ru):
    before = date(2024, 4, 22) + timedelta(days=weekday)
    assert in_each(sentence, with_comparison(one_of(1), first=before, answered_percent=-3)) == (
        f"Прийнято 100% з 1 вхідного дзвінка, на 3 пункти менше, ніж {uk}.",
        f"Answered 100% of 1 incoming call, 3 points less than {en}.",
        f"Принято 100 % из 1 входящего звонка, на 3 пункта меньше, чем {ru}.",
    )


@pytest.mark.parametrize(
    ("kind", "days", "uk", "en", "ru"),
    [
        ("month", 30, "попереднього місяця", "in the month before", "в предыдущем месяце"),
        ("days", 2, "за попередні 2 дні", "in the 2 days before", "за предыдущие 2 дня"),
        ("days", 7, "за попередні 7 днів", "in the 7 days before", "за предыдущие 7 дней"),
        ("days", 21, "за попередній 21 день", "in the 21 days before", "за предыдущий 21 день"),
    ],
)
def test_a_period_is_compared_with_as_much_time_before(kind, days, uk, en, ru):
    first = MONTH[0]
    made = period(call(at("09:00", first)), first=first, last=first + timedelta(days=days - 1))
    assert in_each(sentence, with_comparison(made, kind, answered_percent=0.5)) == (
        f"Прийнято 100% з 1 вхідного дзвінка, на 0,5 пункту більше, ніж {uk}.",
        f"Answered 100% of 1 incoming call, 0.5 points more than {en}.",
        f"Принято 100 % из 1 входящего звонка, на 0,5 пункта больше, чем {ru}.",
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, ("1 вихідного дзвінка", "1 outgoing call", "1 исходящего звонка")),
        (2, ("2 вихідних дзвінків", "2 outgoing calls", "2 исходящих звонков")),
        (5, ("5 вихідних дзвінків", "5 outgoing calls", "5 исходящих звонков")),
        (21, ("21 вихідного дзвінка", "21 outgoing calls", "21 исходящего звонка")),
    ],
)
def test_a_day_of_outgoing_calls_alone_says_in_how_many_somebody_was_reached(count, words):
    uk, en, ru = words
    assert in_each(sentence, outgoing(count)) == (
        f"Додзвонилися в 100% із {uk}.",
        f"Reached somebody in 100% of {en}.",
        f"Дозвонились в 100 % из {ru}.",
    )


NO_CALLS = ("Дзвінків не було.", "There were no calls.", "Звонков не было.")


@pytest.mark.parametrize(
    "made",
    [
        report(),
        period(),
        report(call("10:00", "SMS-SUCCESS", **OUT), call("10:10", "SUCCESS")),
        period(direction="outgoing"),
        period(direction="incoming"),
        period(call("10:00", "SMS-SUCCESS", **OUT), direction="outgoing"),
        period(call("10:10", "SUCCESS"), direction="incoming"),
    ],
)
def test_where_there_were_no_calls_it_says_so(made):
    assert in_each(sentence, made) == NO_CALLS


def test_where_all_calls_are_going_on_there_is_no_share_of_them():
    assert in_each(sentence, report(call("10:00", "ONLINE"), call("10:05", ""), call("10:10", **OUT))) == (
        "Завершених вхідних дзвінків не було.",
        "No incoming calls were finished.",
        "Завершённых входящих звонков не было.",
    )


# --- Title and subject

SEEN = [
    (
        report(),
        ("Дзвінки: середа, 1 травня 2024 р.", "Calls: Wednesday, 1 May 2024", "Звонки: среда, 1 мая 2024 г."),
        (
            "Дзвінки 1 трав. 2024 р.: вхідних 0, вихідних 0",
            "Calls 1 May 2024: 0 incoming, 0 outgoing",
            "Звонки 1 мая 2024 г.: входящих 0, исходящих 0",
        ),
    ),
    (
        one_of(3, 1, as_of=at("15:30")),
        ("Дзвінки: середа, 1 травня 2024 р.", "Calls: Wednesday, 1 May 2024", "Звонки: среда, 1 мая 2024 г."),
        (
            "Передзвонити: 1, прийнято 75% — дзвінки 1 трав. 2024 р. (станом на 15:30)",
            "To call back: 1, 75% answered — calls 1 May 2024 (as of 15:30)",
            "Перезвонить: 1, принято 75 % — звонки 1 мая 2024 г. (на 15:30)",
        ),
    ),
    (
        period(call(), first=MONTH[0], last=MONTH[1]),
        ("Дзвінки: квітень 2024 р.", "Calls: April 2024", "Звонки: апрель 2024 г."),
        (
            "Прийнято 100% — дзвінки квітня 2024 р.",
            "100% answered — calls April 2024",
            "Принято 100 % — звонки апреля 2024 г.",
        ),
    ),
    (
        period(call(), first=date(2023, 12, 30), last=date(2024, 5, 2)),
        (
            "Дзвінки: 30 груд. 2023 — 2 трав. 2024 рр.",
            "Calls: 30 Dec 2023 – 2 May 2024",
            "Звонки: 30 дек. 2023 г. — 2 мая 2024 г.",
        ),
        (
            "Прийнято 100% — дзвінки 30 груд. 2023 — 2 трав. 2024 рр.",
            "100% answered — calls 30 Dec 2023 – 2 May 2024",
            "Принято 100 % — звонки 30 дек. 2023 г. — 2 мая 2024 г.",
        ),
    ),
    (
        period(call("10:00", "CANCEL"), line="901", direction="incoming"),
        (
            "Дзвінки: 1–8 трав. 2024 р., лінія 901, вхідні",
            "Calls: 1 – 8 May 2024, line 901, incoming",
            "Звонки: 1—8 мая 2024 г., линия 901, входящие",
        ),
        (
            "Прийнято 0% — дзвінки 1–8 трав. 2024 р., лінія 901, вхідні",
            "0% answered — calls 1 – 8 May 2024, line 901, incoming",
            "Принято 0 % — звонки 1—8 мая 2024 г., линия 901, входящие",
        ),
    ),
    (
        period(call(**OUT), last=DAY, direction="outgoing"),
        (
            "Дзвінки: середа, 1 травня 2024 р., вихідні",
            "Calls: Wednesday, 1 May 2024, outgoing",
            "Звонки: среда, 1 мая 2024 г., исходящие",
        ),
        (
            "Дзвінки 1 трав. 2024 р., вихідні: 1",
            "Calls 1 May 2024, outgoing: 1",
            "Звонки 1 мая 2024 г., исходящие: 1",
        ),
    ),
    (
        period(call(), last=DAY, number="0671234567", customer_id="77"),
        (
            "Дзвінки: середа, 1 травня 2024 р., номер 0671234567, клієнт 77",
            "Calls: Wednesday, 1 May 2024, number 0671234567, customer 77",
            "Звонки: среда, 1 мая 2024 г., номер 0671234567, клиент 77",
        ),
        (
            "Прийнято 100% — дзвінки 1 трав. 2024 р., номер 0671234567, клієнт 77",
            "100% answered — calls 1 May 2024, number 0671234567, customer 77",
            "Принято 100 % — звонки 1 мая 2024 г., номер 0671234567, клиент 77",
        ),
    ),
    (
        Report.of(Selection(at("09:00"), at("18:00")), [call()]),
        (
            "Дзвінки: 1 трав. 2024 р., 09:00 – 1 трав. 2024 р., 18:00",
            "Calls: 1 May 2024, 09:00 – 1 May 2024, 18:00",
            "Звонки: 1 мая 2024 г., 09:00 – 1 мая 2024 г., 18:00",
        ),
        (
            "Прийнято 100% — дзвінки 1 трав. 2024 р., 09:00 – 1 трав. 2024 р., 18:00",
            "100% answered — calls 1 May 2024, 09:00 – 1 May 2024, 18:00",
            "Принято 100 % — звонки 1 мая 2024 г., 09:00 – 1 мая 2024 г., 18:00",
        ),
    ),
]


@pytest.mark.parametrize(("made", "titles", "subjects"), SEEN)
def test_title_and_subject_say_which_calls(made, titles, subjects):
    assert (in_each(title, made), in_each(subject, made)) == (titles, subjects)


# --- Tiles


def test_tiles_show_what_has_changed_and_whether_that_is_good():
    changed = {"incoming": 2, "answered_percent": -4.2, "service_level_percent": 0, "lost": -3, "to_call": 1}
    assert tiles(with_comparison(one_of(3, 1), **changed), Labels("uk")) == [
        Tile("Потрібно передзвонити", "1", "▲\u00a01, гірше", is_good=False),
        Tile("Прийняті", "75%", "▼\u00a04,2\u00a0в.\u00a0п., гірше", is_good=False),
        Tile("Втрачені", "1", "▼\u00a03, краще", is_good=True),
        Tile("Прийняті за 20 с", "100%", "=", None),
        Tile("Вхідні", "4", "▲\u00a02", None),  # more calls are neither good nor bad
    ]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("uk", ["Потрібно передзвонити 0", "Прийняті 100%", "Втрачені 0", "Прийняті за 20 с 100%", "Вхідні 1 200"]),
        ("en", ["To call back 0", "Answered 100%", "Lost 0", "Answered within 20 s 100%", "Incoming 1,200"]),
        ("ru", ["Нужно перезвонить 0", "Принятые 100 %", "Потерянные 0", "Принятые за 20 с 100 %", "Входящие 1 200"]),
    ],
)
def test_tiles_in_each_language(language, expected):
    made = report(*(call(f"09:{index // 60:02}:{index % 60:02}") for index in range(1200)))
    assert [plain(f"{tile.name} {tile.value}{tile.change}") for tile in tiles(made, Labels(language))] == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"direction": "incoming"}, ["Answered 0%", "Lost 1", "Answered within 20 s —", "Incoming 1"]),
        ({"line": "902"}, ["Answered 0%", "Lost 1", "Answered within 20 s —", "Incoming 1"]),
        ({"direction": "outgoing"}, ["Outgoing 1", "Reached 100%"]),
        (
            {"number": "0671234567"},
            ["To call back 0", "Answered 0%", "Lost 1", "Answered within 20 s —", "Incoming 1"],
        ),
    ],
)
def test_tiles_of_some_calls_show_what_is_known_of_them(filters, expected):
    some = {
        "incoming": [call("10:00", "CANCEL")],
        "outgoing": [call("10:10", **OUT)],
    }
    chosen = some.get(filters.get("direction"), [*some["incoming"], *some["outgoing"]])
    assert [f"{tile.name} {tile.value}" for tile in tiles(period(*chosen, **filters), Labels("en"))] == expected


def test_what_the_arrows_compare_with_is_told():
    day, days = with_comparison(one_of(1)), with_comparison(period(), "days", date(2024, 4, 23), date(2024, 4, 30))
    assert in_each(footnote, day) == (
        "▲▼ — порівняно з 24 квіт. 2024 р.",
        "▲▼ compared with 24 Apr 2024",
        "▲▼ — по сравнению с 24 апр. 2024 г.",
    )
    assert in_each(footnote, days) == (
        "▲▼ — порівняно з 23–30 квіт. 2024 р.",
        "▲▼ compared with 23 – 30 Apr 2024",
        "▲▼ — по сравнению с 23—30 апр. 2024 г.",
    )
    assert in_each(footnote, one_of(1)) == ("", "", "")


def test_what_has_to_be_known_before_the_numbers_are_believed_is_told():
    made = period(call("10:00", "CANCEL"), as_of=at("15:30", date(2024, 5, 8)), direction="incoming")
    assert [notes(replace(made, unreadable=2), Labels(language)) for language in LANGUAGES] == [
        [
            "Дані на 15:30: останній день ще триває",
            "Кому передзвонили, невідомо: дзвінків інших ліній або напрямків тут немає",
            "Не вдалося прочитати записів: 2. Цих дзвінків тут немає",
        ],
        [
            "Data as of 15:30: the last day is not over",
            "Who was called back is unknown: calls of other lines or directions are not here",
            "Entries that could not be read: 2. These calls are not here",
        ],
        [
            "Данные на 15:30: последний день ещё не закончился",
            "Кому перезвонили, неизвестно: звонков других линий или направлений здесь нет",
            "Не удалось прочитать записей: 2. Этих звонков здесь нет",
        ],
    ]
    assert notes(one_of(1, as_of=at("15:30")), Labels("en")) == ["Data as of 15:30: the day is not over"]
    assert notes(one_of(1, 1), Labels("en")) == []
