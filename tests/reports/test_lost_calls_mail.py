"""Who waits, and the words that tell of them."""

from datetime import date

import pytest
from test_report_mail import Links

from common.labels import LANGUAGES, Labels
from common.reports.lost_calls_mail import MAX_TEXT_LENGTH, lost_calls_mail
from common.reports.spells import waiting_callers
from common.sandbox.company import HOSTILE_NAMES
from helpers import DAY, at, call, period

TOMORROW = date(2024, 5, 2)
OUT = {"callType": "1"}


def mail_of(*calls, language="en", today=DAY):
    return lost_calls_mail(waiting_callers(period(*calls, last=TOMORROW)), Labels(language), today)[1]


def test_those_wait_whom_nobody_has_spoken_to_since_the_most_often_lost_first():
    callers = waiting_callers(
        period(
            call("09:00", "ANSWER", number="0501111111", employeeName="Ігор"),
            call("10:00", "CANCEL", number="0501111111", generalCallID="1"),
            call("10:10", "CANCEL", number="0502222222"),
            call("10:20", "ANSWER", number="380502222222", **OUT),
            call("10:30", "BUSY", number="380502222222", generalCallID="2", customerData={"name": "Лікар"}),
            call("10:40", "BUSY", number="0503333333", generalCallID="3"),
            call("10:50", "VM-SUCCESS", number="+380503333333", generalCallID="4"),
            call("11:00", "CANCEL", number=""),
            call("11:10", "VM-SUCCESS", number="", generalCallID="5"),
        )
    )
    assert [
        (caller.key, [call.general_call_id for call in caller.calls], caller.customer, caller.employee)
        for caller in callers
    ] == [
        ("503333333", ["3", "4"], "", ""),
        ("501111111", ["1"], "", "Ігор"),
        ("502222222", ["2"], "Лікар", "Олена"),
        ("call 5", ["5"], "", ""),
    ]
    assert [(caller.dialable, caller.has_left_message) for caller in callers] == [
        ("+380503333333", True),
        ("+380501111111", False),
        ("+380502222222", False),
        ("", True),
    ]


def test_a_message_tells_who_how_often_when_where_and_whom_they_know():
    calls = (
        call("09:00", "ANSWER", number="0501111111", employeeName="Олена Коваль"),
        call("10:00", "CANCEL", number="0501111111"),
        call("10:05", "VM-SUCCESS", number="0501111111", waitsec=65, customerData={"name": "Лікар"}),
    )
    assert [mail_of(*calls, language=language).text for language in LANGUAGES] == [
        "+380501111111 Лікар\n2×, востаннє 10:05, очікування 1 хв 5 с\nна Головна 0443334001\n"
        "є голосове повідомлення\nостання розмова: Олена Коваль",
        "+380501111111 Лікар\n2×, last 10:05, waited 1 min 5 s\nto Головна 0443334001\n"
        "left a voice message\nlast spoke with Олена Коваль",
        "+380501111111 Лікар\n2×, последний раз 10:05, ожидание 1 мин 5 с\nна Головна 0443334001\n"
        "есть голосовое сообщение\nпоследний разговор: Олена Коваль",
    ]
    assert mail_of(*calls, today=TOMORROW).text.splitlines()[1] == "2×, last yesterday 10:05, waited 1 min 5 s"
    assert Links(mail_of(*calls).html).found == ["tel:+380501111111"]
    assert [mail_of(*calls, language=language).subject for language in LANGUAGES] == [
        "Чекають на дзвінок: 1",
        "Waiting for a call: 1",
        "Ждут звонка: 1",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_has_no_room_in_a_message_is_left_for_the_next_one(language):
    """A chat refuses a message that is too long, and then nobody is told of anybody."""
    labels = Labels(language)
    calls = [
        call(
            f"10:{index:02}",
            "VM-SUCCESS",
            number=f"05000000{index:02}",
            customerData={"name": f"Підприємство «Довга назва» {index} " + "Ж" * 30},
            didName="Гаряча лінія підтримки клієнтів",
        )
        for index in range(60)
    ]
    waiting = waiting_callers(period(*calls))
    told = []
    while waiting:
        named, mail = lost_calls_mail(waiting, labels, DAY)
        assert len(mail.text) <= MAX_TEXT_LENGTH
        assert named == waiting[: len(named)]
        assert mail.text.count("+380500000") == mail.html.count("tel:+380500000") == len(named) >= 5
        assert mail.subject == labels.format("waiting callers", count=len(waiting))
        waiting = waiting[len(named) :]
        assert mail.text.endswith(labels.format("and so many later", count=len(waiting))) is bool(waiting)
        told += named
    assert len(told) == 60


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "<script>alert(1)</script>", "{{ 7 * 7 }}", "x" * 300])
def test_hostile_names_stay_text(name):
    calls = [call("09:00", "ANSWER", employeeName=name), call("10:00", "CANCEL", customerData={"name": name})]
    mail = mail_of(*calls, call(at("10:10"), "CANCEL", number=name, didName=name))
    assert Links(mail.html).tags <= {"html", "head", "meta", "title", "body", "div", "h1", "a", "b"}
    assert "\n" not in mail.subject
    assert "49" not in mail.text.split("\n")[0]
