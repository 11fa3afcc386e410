"""Who waits, and the words that tell of them."""

import html
import re
from datetime import date

import pytest

from alert_lost_calls import ended_spells
from common.labels import LANGUAGES, Labels
from common.reports.lost_calls_mail import MOST_CALLERS, lost_calls_mail, waiting_callers
from common.sandbox.company import HOSTILE_NAMES
from helpers import DAY, Links, at, call, period

TOMORROW = date(2024, 5, 2)
OUT = {"callType": "1"}


def told_of(*calls, language="en", today=DAY, more_waiting=0, fits=None, done=True):
    report = period(*calls, last=today)
    waiting = waiting_callers(report)
    ended = ended_spells(report, waiting) if done else []
    with_number = sum(bool(caller.spell.dialable) for caller in waiting)
    return lost_calls_mail(waiting, ended, with_number + more_waiting, report, Labels(language), fits)


def mail_of(*calls, **more):
    return told_of(*calls, **more).mail


def shown(page):
    """The words that a page of HTML shows."""
    return words(html.unescape(re.sub("<[^>]*>", " ", page.partition("<h1")[2].partition(">")[2])))


def words(text):
    return text.replace(":", "").split()


def test_those_wait_whom_nobody_has_spoken_to_since_the_newest_first():
    callers = waiting_callers(
        period(
            call("09:00", "ANSWER", number="0501111111", employeeName="Ігор"),
            call("10:00", "CANCEL", number="0501111111", generalCallID="1"),
            call("10:10", "CANCEL", number="0502222222"),
            call("10:20", "ANSWER", number="380502222222", **OUT),
            call("10:30", "BUSY", number="380502222222", generalCallID="2", customerData={"name": "Лікар"}),
            call("10:25", "BUSY", number="0503333333", generalCallID="3"),
            call("10:50", "VM-SUCCESS", number="+380503333333", generalCallID="4"),
            call("11:00", "CANCEL", number=""),
            call("11:10", "VM-SUCCESS", number="", generalCallID="5"),
            call("11:20", "VM-SUCCESS", number="", generalCallID="6"),
        )
    )
    assert [
        (spell.key, [lost.general_call_id for lost in calls], spell.dialable, spell.name, spell.has_message)
        for spell, calls in callers
    ] == [
        ("call 6", ["6"], "", "", True),
        ("call 5", ["5"], "", "", True),
        ("503333333", ["3", "4"], "+380503333333", "", True),
        ("502222222", ["2"], "+380502222222", "Лікар", False),
        ("501111111", ["1"], "+380501111111", "", False),
    ]


EVERYTHING = (
    call("08:00", "CANCEL", number="0504444444", customerData={"name": "Кав’ярня"}),
    call("08:12", "ANSWER", number="0504444444", **OUT),
    call("08:10", "CANCEL", number="0505555555"),
    call("08:22", "ANSWER", number="0505555555"),
    call("08:30", "CANCEL", number="0506666666"),
    call("08:31:05", "ANSWER", number="0506666666", employeeName="", employeeEmail="", internalNumber="", **OUT),
    call("09:00", "ANSWER", number="0501111111", employeeName="Олена Коваль"),
    call("09:30", "VM-SUCCESS", number="", didName="", didNumber=""),
    call("10:00", "CANCEL", number="0501111111", dstNumbers=[{"dstNumber": "801 > 905", "employeeName": "Ігор"}]),
    call("10:05", "VM-SUCCESS", number="0501111111", waitsec=65, dstNumbers=[{"dstNumber": "777"}])._replace(
        customer="Лікар"
    ),
    call("10:06", "NOANSWER", number="0501111111", **OUT),
)
TEXTS = {
    "uk": """\
☎ Лікар +380501111111 +1

+380501111111 Лікар
10:05, очікування 1 хв 5 с
дзвонить удруге (перший раз: 10:00)
наш номер: Головна, 0443334001
є голосове повідомлення
передзвонювали, але не додзвонилися
у кого дзвонило: Ігор, 777
остання розмова: Олена Коваль

прихований номер
09:30, очікування 4 с
є голосове повідомлення

Усього чекають: 5

Уже не чекають:
+380506666666: передзвонили через 1 хв 5 с
+380505555555: додзвонилися самі через 12 хв
+380504444444 Кав’ярня: передзвонили через 12 хв — Олена""",
    "en": """\
☎ Лікар +380501111111 +1

+380501111111 Лікар
10:05, waited 1m 5s
called a second time (first: 10:00)
our number: Головна, 0443334001
left a voice message
we called back, but did not reach them
who was rung: Ігор, 777
last spoke with Олена Коваль

hidden number
09:30, waited 4s
left a voice message

Waiting in all: 5

No longer waiting:
+380506666666: called back after 1m 5s
+380505555555: got through themselves after 12m
+380504444444 Кав’ярня: called back by Олена after 12m""",
    "ru": """\
☎ Лікар +380501111111 +1

+380501111111 Лікар
10:05, ожидание 1 мин 5 с
звонит во второй раз (первый раз: 10:00)
наш номер: Головна, 0443334001
есть голосовое сообщение
перезванивали, но не дозвонились
у кого звонило: Ігор, 777
последний разговор: Олена Коваль

скрытый номер
09:30, ожидание 4 с
есть голосовое сообщение

Всего ждут: 5

Уже не ждут:
+380506666666: перезвонили через 1 мин 5 с
+380505555555: дозвонились сами через 12 мин
+380504444444 Кав’ярня: перезвонили через 12 мин — Олена""",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_tells_who_when_how_often_where_what_was_tried_and_who_waits_no_more(language):
    mail = mail_of(*EVERYTHING, language=language, more_waiting=3)
    assert f"{mail.subject}\n\n{mail.text}" == TEXTS[language]
    assert Links(mail.html).found == [
        f"tel:+38{number}" for number in ("0501111111", "0506666666", "0505555555", "0504444444")
    ]
    assert shown(mail.html) == words(f"{Labels(language).format('waiting callers', count=2)} {mail.text}")


def test_of_one_caller_alone_there_is_no_more_to_say():
    mail = mail_of(call("10:00", "CANCEL", didName="Реклама", didNumber=""), today=TOMORROW)
    assert (mail.subject, mail.text) == (
        "☎ +380671234567",
        "+380671234567\nyesterday 10:00, waited 4s\nour number: Реклама",
    )


@pytest.mark.parametrize(
    ("language", "often"),
    [
        ("uk", ["удруге", "утретє", "учетверте", "уп’яте", "уже 6-й раз", "уже 7-й раз"]),
        ("en", ["a second", "a third", "a fourth", "a fifth time", "6 times by now", "7 times by now"]),
        ("ru", ["во второй раз", "в третий раз", "в четвёртый раз", "в пятый раз", "уже 6-й раз", "уже 7-й раз"]),
    ],
)
def test_who_calls_again_is_told_with_how_often(language, often):
    for times, words in enumerate(often, 2):
        text = mail_of(*(call(f"10:0{index}", "CANCEL") for index in range(times)), language=language).text
        assert f" {words}" in text.splitlines()[2]
        assert text.splitlines()[2].endswith(": 10:00)")


def test_of_a_group_that_rings_as_a_whole_some_are_named():
    rung = [{"dstNumber": f"801 > 91{line}"} for line in range(9)]
    assert "who was rung: 910, 911, 912, 913, 914 +4" in mail_of(call("10:00", "CANCEL", dstNumbers=rung)).text


def many(count):
    return [
        call(
            f"{9 + index // 60:02}:{index % 60:02}",
            "VM-SUCCESS",
            number=f"05000000{index:02}" if index < 100 else f"0500000{index}",
            customerData={"name": f"Підприємство «Довга назва» {index} " + "Ж" * 30},
            didName="Гаряча лінія підтримки клієнтів",
        )
        for index in range(count)
    ]


def test_a_mail_tells_of_all_however_many_and_is_shown_whole():
    told = told_of(*many(200))
    assert len(told.waiting) == told.mail.text.count("+38050000") == told.mail.html.count("tel:+38050000") == 200
    assert len(told.mail.html.encode()) < 102_400  # Gmail hides what is longer


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chat_is_told_of_the_newest_and_of_the_others_by_the_next_message(language):
    labels, report = Labels(language), period(*many(20))
    waiting = waiting_callers(report)
    told, sizes = [], []
    while waiting:
        message = lost_calls_mail(waiting, [], 20, report, labels, lambda _: True)
        assert message.waiting == waiting[: len(message.waiting)]
        assert message.mail.subject.endswith(f" +{len(waiting) - 1}" if len(waiting) > 1 else "000")
        waiting = waiting[len(message.waiting) :]
        sizes.append(len(message.waiting))
        assert message.mail.text.endswith(f"\n{labels.format('all waiting', count=20)}")
        assert (labels.format("and so many later", count=len(waiting)) in message.mail.text) is bool(waiting)
        told += message.waiting
    assert sizes == [MOST_CALLERS, MOST_CALLERS, 6]
    assert told == waiting_callers(report)


def test_where_there_is_no_room_for_all_what_matters_least_is_left_out_first():
    def fitting(most):
        return told_of(*EVERYTHING, *many(2), fits=lambda mail: len(mail.text) <= most)

    told = fitting(9999)
    shorter = []
    while told not in shorter:
        shorter.append(told)
        told = fitting(len(told.mail.text) - 1)
    assert [(len(told.waiting), len(told.done)) for told in shorter] == [
        *((4, done) for done in (3, 2, 1, 0)),
        *((waiting, 0) for waiting in (3, 2)),
        *10 * [(1, 0)],
    ]
    assert [told.mail.text.count("\n") for told in shorter][-4:] == [4, 1, 1, 0]
    assert (told.mail.subject, told.mail.text) == ("☎ +380501111111 +3", "+380501111111")


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "<script>alert(1)</script>", "{{ 7 * 7 }}", "x" * 300])
def test_hostile_names_stay_text(name):
    calls = [call("09:00", "ANSWER", employeeName=name), call("10:00", "CANCEL", customerData={"name": name})]
    rung = [{"dstNumber": "801 > 905", "employeeName": name}]
    mail = mail_of(*calls, call(at("10:10"), "CANCEL", number=name, didName=name, dstNumbers=rung))
    tags = {"html", "head", "meta", "title", "style", "body", "div", "h1", "span", "a", "b", "br", "p"}
    assert Links(mail.html).tags <= tags
    assert "\n" not in mail.subject
    assert len(mail.subject) < 45
    assert "49" not in mail.text.split("\n")[0]
