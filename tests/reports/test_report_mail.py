"""The words of the daily mail."""

from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from common.labels import LANGUAGES, Labels
from common.reports.figures import Report, Selection
from common.reports.report_mail import MAX_WAITING_CALLERS, report_mail
from common.sandbox.company import HOSTILE_NAMES
from helpers import DAY, at, call, period, report

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


class Links(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.tags = set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "a":
            self.found.append(dict(attributes)["href"])


def test_the_subject_says_it_all(day):
    assert [report_mail(day, Labels(language)).subject for language in LANGUAGES] == [
        "Дзвінки 2024-05-01: вхідних 5, втрачених 4, не передзвонили 3",
        "Calls 2024-05-01: 5 incoming, 4 lost, 3 not called back",
        "Звонки 2024-05-01: входящих 5, потерянных 4, не перезвонили 3",
    ]


def test_the_plain_text_is_whole(day):
    assert report_mail(day, Labels("en")).text == (
        "Calls on 2024-05-01, Wednesday\n"
        "\n"
        "Incoming: 5\n"
        "Answered: 1\n"
        "Lost: 4\n"
        "Lost and called back: 1\n"
        "Lost, not called back: 3\n"
        "Time to call back (median): 30 min\n"
        "Outgoing: 1\n"
        "Outgoing, reached: 1\n"
        "Talk time: 1 h 1 min\n"
        "Wait for an answer (average): 10 s\n"
        "\n"
        "Waiting for a call:\n"
        "- +380503333333 Лікар (2×, last 10:05)\n"
        "- hidden number (11:00)\n"
        "\n"
        "By employee:\n"
        "- Олена: answered 1, lost 3, outgoing 1, outgoing, reached 1, talk time 1 h 1 min\n"
        "- Line 900: lost 1\n"
        "\n"
        "The full list is attached."
    )


def test_numbers_can_be_tapped_on(day):
    assert Links(report_mail(day, Labels("uk")).html).found == ["tel:+380503333333"]


def test_a_day_that_is_not_over_says_so_in_subject_and_text():
    mail = report_mail(report(call(), as_of=at("15:30")), Labels("en"))
    assert mail.subject == "Calls 2024-05-01: 1 incoming, 0 lost, 0 not called back (as of 15:30)"
    assert "\nThe day is not over: as of 15:30\n" in mail.text
    assert "The day is not over: as of 15:30" in mail.html


def test_an_empty_day_says_so():
    mail = report_mail(report(), Labels("uk"))
    assert mail.subject == "Дзвінки 2024-05-01: вхідних 0, втрачених 0, не передзвонили 0"
    assert "Дзвінків не було" in mail.text
    assert "Дзвінків не було" in mail.html
    assert "За працівниками" not in mail.html


def test_a_long_list_is_cut_with_its_rest_counted():
    calls = [call(f"10:{index:02}", "CANCEL", number=f"05000000{index:02}") for index in range(MAX_WAITING_CALLERS + 3)]
    mail = report_mail(report(*calls), Labels("en"))
    assert mail.text.count("- +380500000") == MAX_WAITING_CALLERS
    assert "and 3 more in the full list" in mail.text
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
    assert mail.subject == "Дзвінки 2024-05-01 – 2024-05-08: вхідних 2, втрачених 2, не передзвонили 2"
    assert mail.text.splitlines()[0] == "Дзвінки за 01.05.2024 – 08.05.2024"
    assert "- +380503333333 (03.05.2024 11:00)" in mail.text


@pytest.mark.parametrize(
    ("filters", "title"),
    [
        ({"direction": "incoming"}, "Calls from 2024-05-01 to 2024-05-08, incoming"),
        ({"line": "901"}, "Calls from 2024-05-01 to 2024-05-08, line 901"),
        ({"line": "901", "direction": "outgoing"}, "Calls from 2024-05-01 to 2024-05-08, line 901, outgoing"),
        ({"number": "0671234567"}, "Calls from 2024-05-01 to 2024-05-08, number 0671234567"),
        ({"customer_id": "6611", "last": DAY}, "Calls on 2024-05-01, Wednesday, customer 6611"),
    ],
)
def test_the_mail_of_some_calls_says_which_ones_and_what_they_cannot_tell(filters, title):
    mail = report_mail(period(LOST, **filters), Labels("en"))
    assert mail.text.splitlines()[0] == title
    assert title.removeprefix("Calls on 2024-05-01, Wednesday").partition(", ")[2] in mail.subject
    known = "number" in filters or "customer_id" in filters
    assert ("Who was called back is unknown: calls of other lines or directions are not here" in mail.text) is not known
    assert ("not called back" in mail.subject) is ("Waiting for a call" in mail.text) is known
    assert ("not called back" in mail.html) is known


def test_a_part_of_a_day_has_its_times_in_the_title():
    made = Report.of(Selection(at("09:00"), at("18:00")), [LOST])
    assert report_mail(made, Labels("uk")).text.splitlines()[0] == "Дзвінки за 01.05.2024 09:00 – 01.05.2024 18:00"
    assert report_mail(made, Labels("uk")).subject.startswith("Дзвінки 2024-05-01 09:00 – 2024-05-01 18:00: ")


def test_files_that_are_too_large_for_a_mail_are_named_in_it():
    mail = report_mail(period(LOST), Labels("en"), [Path("/reports/a.xlsx"), Path("/reports/a.csv")])
    assert mail.text.endswith("The full list is too large for a mail. It is here: /reports/a.xlsx, /reports/a.csv")
    assert "It is here: /reports/a.xlsx, /reports/a.csv" in mail.html
