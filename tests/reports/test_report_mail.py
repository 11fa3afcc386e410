"""The words of the daily mail."""

import html
import re
from datetime import date
from pathlib import Path

import pytest

from common.labels import LANGUAGES, Labels
from common.reports.report_mail import MOST_TO_CALL, report_in_short, report_mail
from common.reports.tables import sentence, title
from common.sandbox.company import HOSTILE_NAMES
from helpers import DAY, Links, at, call, period, report, with_comparison

OUT = {"callType": "1"}


@pytest.fixture
def day():
    return report(
        call("09:00", "ANSWER", waitsec=10, billsec=60),
        call("09:20", "NOANSWER", number="0502222222", employeeName="", employeeEmail="", internalNumber="900"),
        call("09:50", "ANSWER", number="0502222222", billsec=3600, **OUT),
        call("10:00", "BUSY", number="380503333333", customerData={"name": "Лікар"}),
        call("10:05", "BUSY", number="380503333333"),
        call("11:00", "CANCEL", number=""),
    )


def test_the_subject_says_the_worst_first(day):
    assert [report_mail(day, Labels(language)).subject for language in LANGUAGES] == [
        "Передзвонити: 1, прийнято 20% — дзвінки 1 трав. 2024\xa0р.",
        "To call back: 1, 20% answered — calls 1 May 2024",
        "Перезвонить: 1, принято 20\xa0% — звонки 1 мая 2024\xa0г.",
    ]


def test_the_plain_text_is_whole(day):
    assert report_mail(day, Labels("en")).text == (
        "Calls: Wednesday, 1 May 2024\n"
        "Answered 20% of 5 incoming calls; 1 caller still needs a call back.\n"
        "\n"
        "To call back: 1\n"
        "Answered: 20%\n"
        "Lost: 4\n"
        "\n"
        "Whom to call back, by time of the call:\n"
        "- 2×, last 10:05  +380503333333  Лікар\n"
        "  Головна\n"
        "\n"
        "Incoming by hour:\n"
        "09 ████████████████████ 2, 1 lost\n"
        "10 ████████████████████ 2, 2 lost\n"
        "11 ██████████ 1, 1 lost\n"
        "\n"
        "Employees:    Answered      Missed\n"
        "Олена                1           —\n"
        "  outgoing 1, called back 1, talk time 1h 1m\n"
        "\n"
        "The full list is attached.\n"
    )


def test_the_page_says_what_the_text_says(day):
    mail = report_mail(day, Labels("en"))
    page = re.sub("<[^>]*>", " ", re.sub(r"<style.*?</style>|<title.*?</title>", " ", mail.html, flags=re.DOTALL))
    assert (
        html.unescape(page).replace("\xa0", " ").split()
        == (
            "Calls: Wednesday, 1 May 2024 Answered 20% of 5 incoming calls; 1 caller still needs a call back. "
            "1 To call back 20% Answered 4 Lost "
            "Whom to call back, by time of the call +380503333333 Лікар Головна 10:05 2× "
            "Incoming by hour 09 2, 1 lost 10 2, 2 lost 11 1, 1 lost Lost Answered "
            "Employees Answered Missed Олена 1 — outgoing 1, called back 1, talk time 1h 1m The full list is attached."
        ).split()
    )


def test_what_has_changed_stands_below_each_figure():
    made = with_comparison(report(call(), call("10:00", "CANCEL", number="0501111111")), answered_percent=-4.2, lost=1)
    text = report_mail(made, Labels("uk")).text
    assert "Прийняті: 50%  ▼\u00a04,2\u00a0в.\u00a0п., гірше\nВтрачені: 1  ▲\u00a01, гірше\n" in text


def test_those_to_call_are_in_the_order_of_time_with_what_there_is_to_know():
    made = report(
        call("12:00", "CANCEL", number="0503333333", didName=""),
        call("11:00", "VM-SUCCESS", number="0502222222"),
        call("10:00", "CANCEL", number="0501111111"),
        call("10:30", "NOANSWER", number="0501111111", **OUT),
    )
    lines = report_mail(made, Labels("en")).text.splitlines()
    first = lines.index("Whom to call back, by time of the call:") + 1
    assert lines[first : first + 6] == [
        "- 10:00  +380501111111",
        "  Головна · we called back, but did not reach them",
        "- 11:00  +380502222222",
        "  Головна · left a voice message",
        "- 12:00  +380503333333",
        "  0443334001",
    ]


def test_a_period_has_bars_by_day():
    made = period(call(), call(at("11:00", date(2024, 5, 3)), "CANCEL"), last=date(2024, 5, 8))
    assert (
        report_mail(made, Labels("uk"))
        .text.split("Вхідні за днями:\n")[1]
        .startswith("1 трав. ████████████████████ 1\n2 трав.  0\n3 трав. ████████████████████ 1, втрачено 1\n\n")
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chat_gets_it_in_short(language, day):
    labels = Labels(language)
    message = report_in_short(day, labels, None)
    assert (message.subject, message.text.splitlines()[0]) == (title(day, labels), sentence(day, labels))
    assert message.text.splitlines()[-1] == f"+380503333333 Лікар, {labels.format('lost at', count=2, time='10:05')}"


def test_a_chat_gets_the_most_urgent_first_and_why():
    made = report(
        call("09:00", "CANCEL", number="0501111111"),
        call("09:30", "NOANSWER", number="0501111111", **OUT),
        call("10:00", "VM-SUCCESS", number="0502222222"),
    )
    assert report_in_short(made, Labels("uk"), None).text.splitlines()[-3:] == [
        "Кому передзвонити, спершу найважливіші:",
        "+380502222222, 10:00 (є голосове повідомлення)",
        "+380501111111, 09:00 (передзвонювали, але не додзвонилися)",
    ]


def test_a_chat_with_little_room_gets_fewer_to_call():
    calls = [call(f"10:{index:02}", "CANCEL", number=f"05000000{index:02}") for index in range(9)]
    labels = Labels("en")

    def shown(most):
        return report_in_short(report(*calls), labels, lambda mail: mail.text.count("+380") <= most).text

    assert [shown(most).count("+380") for most in (9, 5, 3, 0)] == [5, 5, 3, 0]
    assert [shown(most).splitlines()[-1] for most in (5, 3)] == ["and 4 more", "and 6 more"]


def test_numbers_can_be_tapped_on(day):
    assert Links(report_mail(day, Labels("uk")).html).found == ["tel:+380503333333"]


def test_a_day_that_is_not_over_says_so_in_subject_and_text():
    mail = report_mail(report(call(), as_of=at("15:30")), Labels("en"))
    assert mail.subject == "100% answered — calls 1 May 2024 (as of 15:30)"
    assert "\nData as of 15:30: the day is not over\n" in mail.text
    assert "Data as of 15:30: the day is not over" in mail.html


def test_an_empty_day_says_so():
    mail = report_mail(report(), Labels("uk"))
    assert mail.subject == "Дзвінки 1 трав. 2024\xa0р.: вхідних 0, вихідних 0"
    assert "Дзвінків не було" in mail.text
    assert "Дзвінків не було" in mail.html
    assert "Працівники" not in mail.html


def test_a_long_list_is_cut_with_its_rest_counted():
    calls = [call(f"10:{index:02}", "CANCEL", number=f"05000000{index:02}") for index in range(MOST_TO_CALL + 3)]
    mail = report_mail(report(*calls), Labels("en"))
    assert mail.text.count("  +380500000") == MOST_TO_CALL
    assert "and 3 more in the full list" in mail.text
    assert f"Whom to call back: the {MOST_TO_CALL} most urgent, by time of the call:\n" in mail.text
    assert "and 3 more in the full list" in mail.html


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "<script>alert(1)</script>", "{{ 7 * 7 }}", "&amp;", "x" * 300])
def test_hostile_names_stay_text(name):
    mail = report_mail(report(call("10:00", "CANCEL", customerData={"name": name}, employeeName=name)), Labels("en"))
    assert Links(mail.html).tags == Links(report_mail(report(call("10:00", "CANCEL")), Labels("en")).html).tags | {"br"}
    assert "\n" not in mail.subject
    assert max(map(len, mail.text.splitlines())) < 120


LOST = call("10:00", "CANCEL", number="0502222222")


def test_the_mail_of_a_period_says_which_one():
    mail = report_mail(period(LOST, call(at("11:00", date(2024, 5, 3)), "CANCEL", number="0503333333")), Labels("uk"))
    assert mail.subject == "Передзвонити: 2, прийнято 0% — дзвінки 1–8 трав. 2024\xa0р."
    assert mail.text.splitlines()[0] == "Дзвінки: 1–8 трав. 2024\xa0р."
    waiting = (
        "- 1 трав., 10:00  +380502222222\n  Головна · чекає 7 днів\n"
        "- 3 трав., 11:00  +380503333333\n  Головна · чекає 5 днів\n"
    )
    assert waiting in mail.text
    assert "<b>1 трав.</b><br><b>10:00</b>" in mail.html
    assert ">чекає\N{NO-BREAK SPACE}7\N{NO-BREAK SPACE}днів</b>" in mail.html


def test_long_talks_are_told_in_hours():
    mail = report_mail(report(call(billsec=26 * 3600 + 48 * 60)), Labels("uk"))
    assert "\n  взяли слухавку 100%, час розмов 26 год 48 хв\n" in mail.text


@pytest.mark.parametrize(
    ("filters", "title"),
    [
        ({"direction": "incoming"}, "Calls: 1 – 8 May 2024, incoming"),
        ({"line": "901"}, "Calls: 1 – 8 May 2024, line 901"),
        ({"line": "901", "direction": "outgoing"}, "Calls: 1 – 8 May 2024, line 901, outgoing"),
        ({"number": "0671234567"}, "Calls: 1 – 8 May 2024, number 0671234567"),
        ({"customer_id": "6611", "last": DAY}, "Calls: Wednesday, 1 May 2024, customer 6611"),
    ],
)
def test_the_mail_of_some_calls_says_which_ones_and_what_they_cannot_tell(filters, title):
    incoming = filters.get("direction") != "outgoing"
    mail = report_mail(period(LOST if incoming else call(**OUT), **filters), Labels("en"))
    assert mail.text.splitlines()[0].replace("\xa0", " ") == title
    known = "number" in filters or "customer_id" in filters
    unknown = "Who was called back is unknown: calls of other lines or directions are not here"
    assert (unknown in mail.text) is (incoming and not known)
    assert ("Whom to call" in mail.text) is ("To call back" in mail.html) is known


def test_files_that_are_too_large_for_a_mail_are_named_in_it():
    mail = report_mail(period(LOST), Labels("en"), [Path("/reports/a.xlsx"), Path("/reports/a.csv")])
    assert mail.text.endswith("The full list is too large for a mail. It is here: /reports/a.xlsx, /reports/a.csv\n")
    assert "It is here: /reports/a.xlsx, /reports/a.csv" in mail.html
