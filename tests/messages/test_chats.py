"""Channels: what each service is sent, and what is said when it does not take it."""

import logging

import pytest
import requests
import requests_mock

from common.messages.chats import READ_TIMEOUT_SECONDS, NotifyError, channels
from common.messages.mail import Mail
from common.sandbox.company import HOSTILE_NAMES
from common.settings import SettingsError, load_settings

TOKEN = "123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678"
TELEGRAM = f"tgram://{TOKEN}/12345678"
NTFY = "ntfy://ntfy.example.com/our-alerts"
MESSAGE = Mail("Чекають на дзвінок: 1", "+380671234567 Лікар\n10:05\n", "<p>html</p>")


@pytest.fixture
def make(tmp_path):
    """A function that makes the channels of ALERT_URLS."""

    def make(*urls, more=""):
        path = tmp_path / "config.env"
        path.touch(0o600)
        path.write_text(f"BINOTEL_KEY=k\nBINOTEL_SECRET=s\nALERT_URLS='{' '.join(urls)}'\n{more}")
        return channels(load_settings(str(path), {}))

    return make


@pytest.fixture
def web():
    with requests_mock.Mocker() as web:
        web.post(requests_mock.ANY, json={"ok": True})
        yield web


def test_every_address_and_every_url_is_a_channel_of_its_own(make):
    more = "ALERT_TO=a@example.com,b@example.com\nSMTP_HOST=mail.example.com\nMAIL_FROM=x@example.com\n"
    made = make(TELEGRAM, NTFY, more=more)
    assert [channel.name for channel in made] == [
        "mail to a@example.com",
        "mail to b@example.com",
        "Telegram (number 1 of ALERT_URLS)",
        "ntfy (number 2 of ALERT_URLS)",
    ]
    assert len({channel.id for channel in made}) == 4
    assert make(TELEGRAM)[0].id == made[2].id != make(TELEGRAM + "9")[0].id
    assert TOKEN not in str(made[2].name + made[2].id)


@pytest.mark.parametrize("name", ["Лікар", *HOSTILE_NAMES, "<b>", "&lt;", "*зірка* _x_ `код`", "[a](http://b)"])
def test_telegram_gets_the_text_as_it_is(name, make, web):
    text = f"+380671234567 {name}\n10:05"
    make(TELEGRAM)[0].send(Mail("Чекають: 1", text, ""))
    [request] = web.request_history
    assert request.url == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    sent = request.json()
    assert (sent["chat_id"], sent["parse_mode"]) == (12345678, "HTML")
    shown = sent["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    lines = f"<b>Чекають: 1</b>\n{text}".split("\n")
    assert [line.split() for line in shown.replace("\r", "").split("\n")] == [line.split() for line in lines]
    assert "<" not in sent["text"].replace("<b>", "", 1).replace("</b>", "", 1)


def test_ntfy_gets_the_text(make, web):
    make(NTFY)[0].send(MESSAGE)
    [request] = web.request_history
    assert request.json() == {"topic": "our-alerts", "title": MESSAGE.subject, "message": MESSAGE.text.rstrip()}


def test_a_channel_that_refuses_is_told_with_its_reason_and_without_its_token(make, web, caplog):
    web.post(requests_mock.ANY, status_code=401, json={"ok": False, "description": "Unauthorized"})
    with caplog.at_level(logging.DEBUG), pytest.raises(NotifyError) as caught:
        make(TELEGRAM)[0].send(MESSAGE)
    assert str(caught.value).startswith("Telegram (number 1 of ALERT_URLS) did not take the message: ")
    assert "401" in str(caught.value)
    assert str(caught.value).endswith(" Check ALERT_URLS and the network.")
    assert TOKEN not in str(caught.value)


def test_a_channel_that_cannot_be_reached_is_told(make, web):
    web.post(requests_mock.ANY, exc=requests.exceptions.ConnectionError)
    with pytest.raises(NotifyError, match=r"did not take the message: A Connection error"):
        make(NTFY)[0].send(MESSAGE)


@pytest.mark.parametrize("url", [f"{TELEGRAM}/87654321", f"{NTFY}/other", f"{NTFY},{TELEGRAM}"])
def test_an_address_of_several_chats_is_a_fault(url, make):
    with pytest.raises(
        SettingsError, match=r"ALERT_URLS cannot be used: number 2, .*, names several chats\."
    ) as caught:
        make(NTFY, url)
    assert TOKEN not in str(caught.value)


def test_a_chat_that_is_slow_to_answer_is_waited_for(make, web):
    make(NTFY)[0].send(MESSAGE)
    assert web.request_history[0].timeout[1] == READ_TIMEOUT_SECONDS


@pytest.mark.parametrize("url", ["bogus", "http//x", "tgram://12", "slack://x-secret-x", "nosuch://host/x"])
def test_an_address_that_makes_no_sense_is_a_fault_that_shows_no_secret(url, make, caplog):
    with pytest.raises(SettingsError, match=r"ALERT_URLS cannot be used: number 2, .* is not an address") as caught:
        make(NTFY, url)
    assert "secret" not in str(caught.value) + caplog.text
