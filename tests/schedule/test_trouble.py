"""The mails of jobs that fail, and work again: in the reader's language, by one clock, the error once."""

import dataclasses
import socket
import time
from datetime import datetime
from pathlib import Path

import pytest

from common.labels import LANGUAGES
from common.schedule.runs import Outcome
from common.schedule.trouble import trouble_mail
from common.settings import JOBS, load_settings
from helpers import KYIV

SINCE = datetime(2024, 5, 1, 3, 0, tzinfo=KYIV).timestamp()
PROBLEM = "The disk is full. Free some space."
HOST = socket.gethostname()


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "config.env").touch()
    settings = load_settings(str(tmp_path / "config.env"), {"BINOTEL_KEY": "k", "BINOTEL_SECRET": "s"})
    return dataclasses.replace(settings, path=Path("/opt/my calls/config.env"))


@pytest.fixture
def in_new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_a_failure_is_told_once_and_all_its_times_are_the_accounts(settings):
    tail = (
        "2024-04-30 20:00:01 backup_customers: WARNING: Something is odd.",
        "/opt/backups/x.xlsx",
        f"2024-04-30 20:00:02 backup_customers: ERROR: {PROBLEM}",
    )
    mail = trouble_mail("kyiv backup_customers", Outcome(SINCE, SINCE + 9, PROBLEM, tail=tail), SINCE, settings)
    assert mail.text == (
        f"Помилка: kyiv backup_customers ({HOST})\n\n"
        "Нової резервної копії клієнтів немає, або вона викликає сумнів.\nНе працює з 1 трав. 2024\xa0р., 03:00.\n\n"
        f"Повідомлення програми:\n{PROBLEM}\n\n"
        "Що робити:\nУсуньте причину, про яку говорить програма. Далі все виконуватиметься за розкладом; "
        "щоб не чекати, запустіть завдання командою нижче.\n\n"
        "    python scripts/run_schedule.py --once backup_customers '/opt/my calls/config.env'\n\n"
        "Кінець журналу:\n1 трав. 2024\xa0р., 03:00 backup_customers: WARNING: Something is odd.\n"
        "/opt/backups/x.xlsx\n\n"
        "Файл налаштувань: /opt/my calls/config.env\nПоки це триває, такий лист надходитиме раз на день.\n"
    )


def test_that_it_works_again_asks_for_nothing(settings):
    mail = trouble_mail("backup_customers", Outcome(SINCE, SINCE + 90000), SINCE, settings)
    assert mail.text == (
        f"Знову працює: backup_customers ({HOST})\n\n"
        "Не працювало з 1 трав. 2024\xa0р., 03:00, знову працює з 2 трав. 2024\xa0р., 04:00.\n"
        "Робити нічого не потрібно.\n\n"
        "Файл налаштувань: /opt/my calls/config.env\n"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_job_and_the_loop_itself_have_their_words(language, settings):
    settings = dataclasses.replace(settings, language=language)
    texts = [trouble_mail(job, Outcome(SINCE, SINCE, PROBLEM), SINCE, settings).text for job in (*JOBS, "run_schedule")]
    assert len({text.splitlines()[2] for text in texts}) == len(texts)
    assert ["scripts/run_schedule.py --once" in text for text in texts] == [True] * len(JOBS) + [False]
