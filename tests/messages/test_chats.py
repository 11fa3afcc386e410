"""Channels: what each service is sent, and what is said when it does not take it."""

import html
import logging
import re
import socket
import threading
from contextlib import ExitStack, suppress

import apprise
import pytest
import requests
import requests_mock
from apprise import NotifyBase
from apprise.manager_plugins import NotificationManager

from common.labels import Labels
from common.messages import chats
from common.messages.chats import READ_TIMEOUT_SECONDS, NotifyError, channels
from common.messages.mail import Mail
from common.reports.lost_calls_mail import MOST_CALLERS, Told, lost_calls_mail, waiting_callers
from common.sandbox.company import HOSTILE_NAMES
from common.settings import SettingsError, load_settings
from helpers import call, period

TOKEN = "123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678"
TELEGRAM = f"tgram://{TOKEN}/12345678"
NTFY = "ntfy://ntfy.example.com/our-alerts"
MESSAGE = Mail("☎ Лікар +380671234567", "+380671234567 Лікар\n10:05\n", "<p>html</p>")


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
    make(TELEGRAM)[0].send(Mail("Чекають: 1", text, ""), lambda: None)
    [request] = web.request_history
    assert request.url == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    sent = request.json()
    assert (sent["chat_id"], sent["parse_mode"]) == (12345678, "HTML")
    shown = sent["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    lines = f"<b>Чекають: 1</b>\n{text}".split("\n")
    assert [line.split() for line in shown.replace("\r", "").split("\n")] == [line.split() for line in lines]
    assert "<" not in sent["text"].replace("<b>", "", 1).replace("</b>", "", 1)


def test_ntfy_gets_the_text(make, web):
    make(NTFY)[0].send(MESSAGE, lambda: None)
    [request] = web.request_history
    assert request.json() == {"topic": "our-alerts", "title": MESSAGE.subject, "message": MESSAGE.text.rstrip()}


def test_a_channel_that_refuses_is_told_with_its_reason_and_without_its_token(make, web, caplog):
    web.post(requests_mock.ANY, status_code=401, json={"ok": False, "description": "Unauthorized"})
    with caplog.at_level(logging.DEBUG), pytest.raises(NotifyError) as caught:
        make(TELEGRAM)[0].send(MESSAGE, lambda: None)
    assert str(caught.value).startswith("Telegram (number 1 of ALERT_URLS) did not take the message: ")
    assert "401" in str(caught.value)
    assert str(caught.value).endswith(" Check ALERT_URLS and the network.")
    assert TOKEN not in str(caught.value)


def test_a_channel_that_cannot_be_reached_is_told(make, web):
    web.post(requests_mock.ANY, exc=requests.exceptions.ConnectionError)
    with pytest.raises(NotifyError, match=r"did not take the message: A Connection error"):
        make(NTFY)[0].send(MESSAGE, lambda: None)


@pytest.mark.parametrize("url", [f"{TELEGRAM}/87654321", f"{NTFY}/other", f"{NTFY},{TELEGRAM}"])
def test_an_address_of_several_chats_is_a_fault(url, make):
    with pytest.raises(
        SettingsError, match=r"ALERT_URLS cannot be used: number 2, .*, names several chats\."
    ) as caught:
        make(NTFY, url)
    assert TOKEN not in str(caught.value)


def test_a_chat_that_is_slow_to_answer_is_waited_for(make, web):
    make(NTFY)[0].send(MESSAGE, lambda: None)
    assert web.request_history[0].timeout[1] == READ_TIMEOUT_SECONDS


@pytest.mark.parametrize("url", ["bogus", "http//x", "tgram://12", "slack://x-secret-x", "nosuch://host/x"])
def test_an_address_that_makes_no_sense_is_a_fault_that_shows_no_secret(url, make, caplog):
    with pytest.raises(SettingsError, match=r"ALERT_URLS cannot be used: number 2, .* is not an address") as caught:
        make(NTFY, url)
    assert "secret" not in str(caught.value) + caplog.text


# --- What has room, and how it is shown ---------------------------------------

APPRISE = NotificationManager()
APPRISE.load_modules()
KINDS = sorted(APPRISE.plugins(include_disabled=True), key=lambda kind: str(kind.service_name))
# Their limits or their words depend on more than their kind.
ADDRESSES = {
    "GitHub": "github://token@owner/repository",
    "Mastodon": "mastodon://token@social.example.com",
    "Mobile Message": "mobilemessage://user:word@15551231234/15551231234",
    "Telegram": TELEGRAM,
    "Twilio": f"twilio://AC{'a' * 32}:{'b' * 32}@15551231234",
}
URLS = {
    "Telegram": TELEGRAM,
    "Telegram as Markdown": f"{TELEGRAM}?format=markdown",
    "Telegram as Markdown 2": f"{TELEGRAM}?format=markdown&mdv=2",
    "Discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "Discord as Markdown": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?format=markdown",
    "Discord, split": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?overflow=split",
    "Slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
    "Pushover": "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Pushover as HTML": "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?format=html",
    "ntfy": NTFY,
    "Mattermost": "mmost://chat.example.com/aaaaaaaaaaaaaaaaaaaaaaaa",
    "Rocket.Chat": "rocket://user:word@chat.example.com/%23room",
    "Google Chat": "gchat://workspace/key/token",
    "JSON": "json://hook.example.com/",
    "JSON as HTML": "json://hook.example.com/?format=html",
    "XML": "xml://hook.example.com/",
    "SMS": "d7sms://token@15551231234",
    "mail": "mailto://user:word@gmail.com",
    "Matrix as HTML": "matrix://user:word@matrix.example.com/%23room?format=html",
}
EVIL = "*x* _y_ [a](http://b.com) <b>&lt; @everyone <!channel> `c`"


def report_of(count, name="Олена & Ко <Київ> *1*"):
    """A report in which so many callers wait."""
    return period(
        *(
            call(f"10:{index:02}", "VM-SUCCESS", number=f"05000000{index:02}", customerData={"name": f"{name} {index}"})
            for index in range(count)
        )
    )


def message_of(report, fits, language="uk") -> Told:
    waiting = waiting_callers(report)
    return lost_calls_mail(waiting, [], len(waiting), report, Labels(language), fits)


@pytest.fixture
def sends(make, monkeypatch):
    """A function that gives a channel, and the list of the titles and bodies that its plugin is given to send."""

    def sends(url):
        sent = []
        [channel] = make(url)
        plugin = channel.send.__self__._plugin
        monkeypatch.setattr(plugin, "send", lambda title, body, **_: bool(sent.append((title, body))) or True)
        return channel, plugin, sent

    return sends


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.service_name))
def test_every_kind_of_apprise_is_filled_up_to_its_own_limits(kind, monkeypatch):
    def plugin():
        if kind.service_name in ADDRESSES:
            return instantiate(ADDRESSES[kind.service_name])
        # Its good-bye asks for what its constructor has made.
        own = type(kind.__name__, (kind,), {"__del__": lambda self: None})
        made = own.__new__(own)
        made.enabled = True  # even where a package is missing
        # What their limits depend on.
        for name, value in {"mode": "", "e2ee": False, "secure": False, "subject": False, "targets": ["1"]}.items():
            setattr(made, name, value)
        NotifyBase.__init__(made)
        return made

    instantiate = apprise.Apprise.instantiate
    limit, title_limit = plugin().body_maxlen, plugin().title_maxlen
    with monkeypatch.context() as patch:
        patch.setattr(apprise.Apprise, "add", lambda self, url: self.services.append(plugin()))
        patch.setattr(apprise.Apprise, "instantiate", staticmethod(lambda url: plugin()))
        chat = chats._Chat(1, "any://", "ALERT_URLS")
    sent = []
    monkeypatch.setattr(chat._plugin, "send", lambda title, body, **_: bool(sent.append((title, body))) or True)
    report, labels = report_of(60), Labels("uk")
    waiting = waiting_callers(report)
    told, _, message = message_of(report, chat.fits)
    chat.send(message, lambda: None)
    [(title, body)] = sent
    assert told == waiting[: len(told)]
    assert len(body) <= limit
    # Who and how many can be read in the title, or, where there is none, in the first line, which may be a heading.
    first = (title or body).replace("\\", "").partition("\n")[0]
    assert re.match(r"(<\w+>|# |\*+)?☎ ", first)
    assert f"{waiting[0].spell.dialable} +59" in first
    assert bool(title) is (title_limit > 0)
    assert all(caller.spell.dialable in body.replace("\\", "") for caller in told)
    if 1 < len(told) < MOST_CALLERS:
        more = lost_calls_mail(waiting, [], 60, report, labels, lambda mail: _count(mail) <= len(told) + 1).mail
        assert _count(more) == len(told) + 1
        assert not chat.fits(more)
    if len(told) > 1:
        assert labels.format("and so many later", count=60 - len(told)) in message.text


def _count(message):
    """How many callers it tells of."""
    return message.html.count('"tel:')


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_whoever_waits_is_told_whole_and_once_with_a_blank_line_between(url, sends):
    channel, _, sent = sends(url)
    report = report_of(30)
    waiting = waiting_callers(report)
    told = []
    while waiting:
        named, _, message = lost_calls_mail(waiting, [], 30, report, Labels("uk"), channel.fits)
        channel.send(message, lambda: None)
        body = sent[-1][1]
        callers = re.split(r"\n[ ]*\n", plain(body))
        assert sum("+380500000" in block for block in callers) == len(named)
        waiting = waiting[len(named) :]
        told += named
        assert len(sent) < 31
    assert len({caller.spell.key for caller in told}) == len(told) == 30
    assert all(len(body.encode()) <= 4096 for _, body in sent) or channel.name.split()[0] != "ntfy"


def plain(body):
    """A body as it is shown, near enough."""
    lines = body.replace("\r", "").replace("<br>\n", "\n").replace("<br>", "\n")
    return html.unescape(re.sub("</?[ab][^>]*>", "", lines))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("Telegram", html.escape(EVIL, quote=False)),
        ("Slack", html.escape(EVIL, quote=False)),
        ("mail", html.escape(EVIL)),
        ("JSON", EVIL),
        *(
            (
                kind,
                r"\*x\* \_y\_ \[a\]\(http:\//b.com\) \<b\>\&lt; @~everyone \<!channel\> \`c\`".replace(
                    "~", "\N{ZERO WIDTH SPACE}"
                ),
            )
            for kind in ("Discord", "Discord as Markdown", "Mattermost", "Rocket.Chat")
        ),
    ],
)
def test_names_stay_text(url, shown, sends):
    channel, _, sent = sends(URLS[url])
    channel.send(Mail("Чекають: 1", f"+380671234567 {EVIL}\n10:05", ""), lambda: None)
    assert sent[0][1].count(shown) == 1


@pytest.mark.parametrize("url", ["mail", "Matrix as HTML", "JSON as HTML"])
def test_numbers_in_html_can_be_tapped_on(url, sends):
    channel, _, sent = sends(URLS[url])
    channel.send(Mail("Чекають: 1", "+380671234567 <Лікар>\n10:05\n\n+380671234568\n10:06", ""), lambda: None)
    assert sent == [
        (
            "Чекають: 1",
            '<a href="tel:+380671234567">+380671234567</a> &lt;Лікар&gt;<br>\n10:05<br>\n<br>\n'
            '<a href="tel:+380671234568">+380671234568</a><br>\n10:06',
        )
    ]


def test_a_number_that_has_no_code_can_be_tapped_on_too_and_no_time_can(sends):
    channel, _, sent = sends(URLS["Matrix as HTML"])
    channel.send(Mail("☎ 0800301234", "0800301234 <Лікар>\n10:05\n\n101: x", ""), lambda: None)
    assert sent[0][1] == (
        '<a href="tel:0800301234">0800301234</a> &lt;Лікар&gt;<br>\n10:05<br>\n<br>\n<a href="tel:101">101</a>: x'
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        *((URLS[kind], EVIL) for kind in ("ntfy", "JSON", "Slack", "Pushover as HTML", "Matrix as HTML")),
        *(
            (url, "x y ahttp:/b.com blt; @\N{ZERO WIDTH SPACE}everyone !channel c")
            for url in (
                URLS["Discord"],
                URLS["Discord as Markdown"],
                "fluxer://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
                "guilded://abcdefgh/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "ryver://org/aaaaaaaaaaaaaaa",
                "zulip://bot-name@org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/stream",
            )
        ),
    ],
)
def test_a_name_in_a_title_is_no_markup_and_calls_nobody(url, shown, sends):
    channel, _, sent = sends(url)
    channel.send(Mail(f"☎ {EVIL}", "+380671234567", ""), lambda: None)
    assert sent[0][0] == f"☎ {shown}"


def test_ntfy_gets_no_more_than_it_shows_as_a_message(make, web):
    report = report_of(60, name="Ж" * 40)
    [channel] = make(NTFY)
    told, _, message = message_of(report, channel.fits)
    channel.send(message, lambda: None)
    [request] = web.request_history
    assert request.json()["message"] == message.text
    assert len(told) == MOST_CALLERS
    assert len(request.body) < 8000
    longer = Mail(message.subject, message.text * 3, "")
    assert not channel.fits(longer)


@pytest.mark.parametrize("limit", [460, 160, 140, 120, 100, 80, 67, 40])
def test_a_caller_without_room_is_cut_short_and_told_all_the_same(limit, sends, monkeypatch):
    channel, plugin, sent = sends("json://hook.example.com/")
    for one in (plugin, channel.send.__self__._rehearsal):
        monkeypatch.setattr(one, "body_maxlen", limit)
        monkeypatch.setattr(one, "title_maxlen", 0)
    told, _, message = message_of(report_of(12, name="Підприємство з довгою назвою"), channel.fits)
    channel.send(message, lambda: None)
    [(_, body)] = sent
    assert len(told) == (2 if limit == 460 else 1)
    assert re.match(r"☎ (Підприємство з довг… )?\+380500000011 \+11\r\n\+380500000011( |\n|$)", body)
    assert len(body) <= limit
    assert channel.fits(message)


# --- What goes wrong -------------------------------------------------------------


@pytest.fixture
def dripping():
    """A function that starts a server which sends a byte now and then, for ever, in its answer's `part`."""
    with ExitStack() as stack:

        def start(part):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            over = threading.Event()
            stack.callback(over.set)

            def serve():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        start = b"HTTP/1.1 200 OK\r\n" + (b"" if part == "headers" else b"Content-Length: 9999\r\n\r\n")
                        connection.sendall(start + (b"X-" if part == "headers" else b""))
                        while not over.wait(0.02):
                            connection.sendall(b"a")

            threading.Thread(target=serve, daemon=True).start()
            return f"json://127.0.0.1:{listener.getsockname()[1]}/"

        yield start


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_sends_a_byte_now_and_then_is_left_after_a_minute(part, make, dripping, monkeypatch):
    monkeypatch.setattr(chats, "MOST_SECONDS", 0.2)
    with pytest.raises(NotifyError) as caught:
        make(dripping(part))[0].send(MESSAGE, lambda: None)
    assert str(caught.value) == (
        "JSON (number 1 of ALERT_URLS) did not answer within 0.2 s, the most that a message may take, "
        "so the next run sends it again. Check ALERT_URLS and the network."
    )


def test_a_chat_has_a_minute():
    assert chats.MOST_SECONDS == 60


@pytest.mark.parametrize("error", [TypeError, RuntimeError, KeyError, OSError, apprise.exception.AppriseException])
@pytest.mark.parametrize("arguments", [("send", MESSAGE, lambda: None), ("fits", MESSAGE)])
def test_whatever_apprise_raises_is_a_fault_of_that_channel_that_shows_no_secret(arguments, error, make, monkeypatch):
    def fail(*_, **__):
        raise error(TOKEN)

    [channel] = make(TELEGRAM)
    monkeypatch.setattr(apprise.Apprise, "notify", fail)
    monkeypatch.setattr(type(channel.send.__self__._plugin), "notify", fail)
    with pytest.raises(NotifyError, match=r"^Telegram \(number 1 of ALERT_URLS\) cannot be used: ") as caught:
        getattr(channel, arguments[0])(*arguments[1:])
    assert TOKEN not in str(caught.value)


def test_a_message_that_was_not_taken_is_never_called_accepted(make, web):
    web.post(requests_mock.ANY, status_code=500)
    accepted = []
    with pytest.raises(NotifyError):
        make(f"{NTFY}?optional=yes")[0].send(MESSAGE, lambda: accepted.append(True))
    assert accepted == []
