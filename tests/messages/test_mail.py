"""Mail through real SMTP servers: encrypted, with a login, and every refusal told by name."""

import dataclasses
import email
import email.policy
import email.utils
import functools
import hashlib
import re
import socket
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest
import time_machine
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from common.messages import mail
from common.messages.mail import Fate, Mail, MailError, Thread
from common.settings import load_settings
from messages.odd_server import break_off, drip, drip_tls, flood, hang, odd_server

MAIL = Mail("Дзвінки 2024-05-01: вхідних 132", "Текст ☕\n", "<p>Текст ☕</p>\n")
USER, PASSWORD = "reports", "pass word-1"
THREAD = Thread("export_calls_per_day", "2024-05-01")
send = functools.partial(mail.send, thread=THREAD)


class Inbox:
    """Takes what it is given, but for the recipients and contents it is told to refuse."""

    def __init__(self):
        self.envelopes = []
        self._messages = []
        self.encrypted = []
        self.refuse_recipients = ()
        self.refuse_sender = False
        self.refuse_data = ""

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.refuse_sender:
            return "550 Sender unknown"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse_recipients:
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.refuse_data:
            return self.refuse_data
        self.encrypted.append(session.ssl is not None)
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def messages(self):
        for envelope in self.envelopes[len(self._messages) :]:
            self._messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return list(self._messages)


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def certificates(tmp_path, monkeypatch):
    """A server's TLS context for 127.0.0.1, signed by an authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def serve():
    """A function that starts an SMTP server and returns its inbox and port."""
    with ExitStack() as stack:

        def serve(inbox=None, **options):
            inbox = inbox or Inbox()
            controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
            controller.start()
            stack.callback(controller.stop)
            return inbox, controller.port

        yield serve


@pytest.fixture
def settings(tmp_path):
    """A function that makes settings for a server's port."""

    def settings(port, security="none", login=False, to="boss@example.com, second@example.com", host="127.0.0.1"):
        (tmp_path / "config.env").write_text(
            f"BINOTEL_KEY=k\nBINOTEL_SECRET=s\nSMTP_HOST={host}\nSMTP_PORT={port}\nSMTP_SECURITY={security}\n"
            f"MAIL_FROM=reports@example.com\nREPORT_TO={to}\n"
            + (f"SMTP_USER={USER}\nSMTP_PASSWORD='{login if isinstance(login, str) else PASSWORD}'\n" if login else ""),
            "utf-8",
        )
        return load_settings(str(tmp_path / "config.env"), {})

    return settings


def test_the_message_arrives_whole(serve, settings, tmp_path):
    inbox, port = serve()
    workbook = tmp_path / "calls-2024-05-01.xlsx"
    workbook.write_bytes(bytes(range(256)) * 100)
    send(MAIL, [workbook], settings(port))

    [message] = inbox.messages
    assert inbox.envelopes[0].rcpt_tos == ["boss@example.com", "second@example.com"]
    assert message["Subject"] == MAIL.subject
    assert (message["From"], message["To"]) == ("reports@example.com", "boss@example.com, second@example.com")
    assert message["Message-ID"].endswith("@example.com>")
    assert abs(message["Date"].datetime.timestamp() - time.time()) < 60
    assert message["List-Id"].endswith(".example.com>")
    assert message["References"] == message["In-Reply-To"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ]
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == MAIL.text
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n") == MAIL.html
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == workbook.name
    assert attachment.get_content() == workbook.read_bytes()


def test_starttls_with_a_login(serve, settings, certificates):
    inbox, port = serve(tls_context=certificates, require_starttls=True, auth_required=True, authenticator=authenticate)
    send(MAIL, [], settings(port, "starttls", login=True))
    assert inbox.encrypted == [True]


def test_tls_with_a_login(serve, settings, certificates):
    options = {"ssl_context": certificates, "auth_require_tls": False, "authenticator": authenticate}
    inbox, port = serve(**options)
    send(MAIL, [], settings(port, "tls", login=True))
    assert len(inbox.messages) == 1


def refusal(settings):
    with pytest.raises(MailError) as caught:
        send(MAIL, [], settings)
    return str(caught.value)


NOT_SENT = "The mail to boss@example.com, second@example.com was not sent."


def test_a_wrong_password_is_told_without_it(serve, settings, certificates):
    inbox, port = serve(tls_context=certificates, auth_required=True, authenticator=authenticate)
    told = refusal(settings(port, "starttls", login="wrong-secret"))
    assert told == (
        f"{NOT_SENT} The mail server 127.0.0.1:{port} refused the user name or the password: "
        "535 5.7.8 Authentication credentials invalid. Check SMTP_USER and SMTP_PASSWORD."
    )
    assert inbox.messages == []


def test_a_refused_recipient_is_named_and_the_others_get_the_mail(serve, settings):
    inbox, port = serve()
    inbox.refuse_recipients = ("second@example.com",)
    assert refusal(settings(port)) == (
        "The mail server refused these recipients: second@example.com (550 No such user here). "
        "The other recipients got it. Check REPORT_TO."
    )
    assert inbox.envelopes[0].rcpt_tos == ["boss@example.com"]


def test_all_recipients_refused_are_named(serve, settings):
    inbox, port = serve()
    inbox.refuse_recipients = ("boss@example.com", "second@example.com")
    assert refusal(settings(port)) == (
        f"{NOT_SENT} The mail server refused these recipients: boss@example.com (550 No such user here), "
        "second@example.com (550 No such user here). Check REPORT_TO."
    )
    assert inbox.messages == []


def test_a_refused_sender_and_a_refused_message_are_told(serve, settings):
    inbox, port = serve()
    inbox.refuse_sender = True
    assert refusal(settings(port)) == (
        f"{NOT_SENT} The mail server 127.0.0.1:{port} refused the sender reports@example.com: "
        "550 Sender unknown. Check MAIL_FROM."
    )
    inbox.refuse_sender = False
    inbox.refuse_data = "552 Message too large"
    assert refusal(settings(port)) == (
        f"{NOT_SENT} The mail server 127.0.0.1:{port} refused the message: 552 Message too large."
    )


@pytest.mark.parametrize("stage", ["after the mail", "after a refused one"])
def test_how_the_server_says_good_bye_decides_nothing(stage, serve, settings, monkeypatch):
    async def rude(server, arg):
        await server.push("421 Too busy to say good-bye")

    monkeypatch.setattr(SMTP, "smtp_QUIT", rude)
    inbox, port = serve()
    if stage == "after the mail":
        send(MAIL, [], settings(port))
        assert len(inbox.messages) == 1
    else:
        inbox.refuse_data = "550 Spam"
        assert "refused the message: 550 Spam." in refusal(settings(port))


def test_a_connection_that_breaks_off_while_sending_leaves_it_open_whether_the_mail_was_sent(serve, settings):
    class Taken(Inbox):
        async def handle_DATA(self, server, session, envelope):
            await super().handle_DATA(server, session, envelope)
            server.transport.abort()
            return "250 OK"

    inbox, port = serve(Taken())
    told = refusal(settings(port))
    assert told.startswith("Whether the mail to boss@example.com, second@example.com was sent is unknown: look before")
    assert len(inbox.messages) == 1


def test_a_computer_with_a_ukrainian_name_can_send(serve, settings, monkeypatch):
    monkeypatch.setattr(socket, "getfqdn", lambda *arguments: "КОМП.дім")
    inbox, port = serve()
    send(MAIL, [], settings(port))
    assert len(inbox.messages) == 1


def test_a_server_without_starttls_is_not_spoken_to(serve, settings):
    inbox, port = serve()
    assert "STARTTLS" in refusal(settings(port, "starttls"))
    assert inbox.messages == []


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, settings, certificates, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    inbox, port = serve(tls_context=certificates)
    told = refusal(settings(port, "starttls"))
    assert "No secure connection to 127.0.0.1" in told
    assert "certificate verify failed" in told
    assert inbox.messages == []


def test_a_dead_server_is_told(settings):
    port = free_port()
    told = refusal(settings(port))
    assert told.startswith(f"{NOT_SENT} The mail server 127.0.0.1:{port} is not answering: ")
    assert told.endswith("Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY.")


def test_a_name_that_does_not_resolve_is_told(settings, monkeypatch):
    def no_dns(*arguments, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_dns)
    told = refusal(settings(587, "starttls", host="mail.example.com"))
    assert (
        told == f"{NOT_SENT} The name mail.example.com cannot be resolved. Check SMTP_HOST and the internet connection."
    )


# --- What becomes of a mail, by recipient -------------------------------------

BOSS, SECOND = "boss@example.com", "second@example.com"


@pytest.fixture
def odd():
    with odd_server() as server:
        yield server


@pytest.fixture
def waits(monkeypatch):
    """The seconds that were waited between tries; it takes no time."""
    waits = []
    monkeypatch.setattr(mail.time, "sleep", waits.append)
    return waits


def fates(settings):
    """What became of a mail by recipient, and what is said of it."""
    accepted = []
    try:
        send(MAIL, [], settings, on_accepted=accepted.extend)
    except MailError as error:
        return error.fates | dict.fromkeys(accepted, Fate.ACCEPTED), str(error)
    return dict.fromkeys(accepted, Fate.ACCEPTED), ""


@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
@pytest.mark.parametrize("stage", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "end of data"])
def test_a_mail_that_the_server_puts_off_is_tried_again(stage, code, odd, settings, waits):
    odd.odd[stage] = [f"{code} Not now"] * 2
    assert fates(settings(odd.port, to=BOSS)) == ({BOSS: Fate.ACCEPTED}, "")
    assert (odd.taken, waits) == ([[BOSS]], list(mail.PAUSES_SECONDS[:2]))


def test_those_alone_who_have_not_got_it_are_tried_again(odd, settings, waits):
    odd.odd[SECOND] = ["450 4.2.0 Greylisted"]
    assert fates(settings(odd.port)) == ({BOSS: Fate.ACCEPTED, SECOND: Fate.ACCEPTED}, "")
    assert odd.taken == [[BOSS], [SECOND]]
    same = [content.replace(b"\r\n", b"\n") for _, content in odd.received]
    assert [email.message_from_bytes(content)["To"] for content in same] == [f"{BOSS}, {SECOND}"] * 2


def test_who_is_put_off_longer_than_that_waits_and_one_who_is_refused_does_not(odd, settings, waits):
    odd.odd |= {BOSS: ["450 Greylisted"] * 99, SECOND: ["550 No such user"]}
    assert fates(settings(odd.port, to=f"{BOSS},{SECOND},third@example.com")) == (
        {BOSS: Fate.WAITING, SECOND: Fate.REFUSED, "third@example.com": Fate.ACCEPTED},
        f"The mail server refused these recipients: {SECOND} (550 No such user). The mail server puts off these "
        f"recipients: {BOSS} (450 Greylisted). The other recipients got it. Check REPORT_TO.",
    )
    assert waits == list(mail.PAUSES_SECONDS)
    assert sum(waits) < mail.MAX_SECONDS


@pytest.mark.parametrize(
    ("stage", "reply", "fate", "is_server_away"),
    [
        ("connect", "554 No service", Fate.WAITING, True),
        ("connect", "HTTP/1.1 400 Bad Request", Fate.WAITING, True),
        ("MAIL", "550 Sender unknown", Fate.WAITING, True),
        ("MAIL", "530 Log in first", Fate.WAITING, True),
        ("RCPT", "530 Log in first", Fate.WAITING, True),
        ("RCPT", "503 MAIL first", Fate.WAITING, True),
        ("RCPT", "what?", Fate.WAITING, True),
        ("RCPT", "550 No such user", Fate.REFUSED, False),
        ("RCPT", "553 5.1.3 Bad address", Fate.REFUSED, False),
        ("RCPT", "552 5.2.2 Mailbox full", Fate.REFUSED, False),
        ("RCPT", break_off, Fate.WAITING, True),
        ("DATA", "554 No", Fate.REFUSED, False),
        ("DATA", "250 what?", Fate.WAITING, False),
        ("DATA", break_off, Fate.WAITING, True),
        ("end of data", "550 Spam", Fate.REFUSED, False),
        ("end of data", "what?", Fate.UNKNOWN, False),
        ("end of data", "354 go on", Fate.UNKNOWN, False),
        ("end of data", break_off, Fate.UNKNOWN, False),
    ],
)
def test_what_no_further_try_can_change_is_not_tried_again(stage, reply, fate, is_server_away, odd, settings, waits):
    odd.odd[stage] = [reply] * 99
    with pytest.raises(MailError) as caught:
        send(MAIL, [], settings(odd.port, to=BOSS))
    assert (caught.value.fates, caught.value.is_server_away) == ({BOSS: fate}, is_server_away)
    assert (waits, odd.stages.count(stage)) == ([], 1)


@pytest.mark.parametrize("goodbye", ["421 Too busy", "what?", hang, drip, flood, break_off])
def test_who_has_got_it_is_told_before_the_good_bye_which_decides_nothing(goodbye, odd, settings, monkeypatch):
    monkeypatch.setattr(mail, "GOODBYE_SECONDS", 0.2)
    odd.odd["QUIT"] = [goodbye]
    said = []
    began = time.monotonic()
    send(MAIL, [], settings(odd.port), on_accepted=lambda to: said.append((list(to), "QUIT" in odd.stages)))
    assert said == [([BOSS, SECOND], False)]
    assert time.monotonic() - began < 2
    assert odd.stages[-1] == "QUIT"


@pytest.mark.parametrize(
    ("stage", "how", "security", "fate"),
    [
        ("connect", drip, "none", Fate.WAITING),
        ("connect", hang, "starttls", Fate.WAITING),
        ("connect", hang, "tls", Fate.WAITING),
        ("connect", drip_tls, "tls", Fate.WAITING),
        ("EHLO", drip, "none", Fate.WAITING),
        ("RCPT", hang, "none", Fate.WAITING),
        ("DATA", drip, "none", Fate.WAITING),
        ("end of data", drip, "none", Fate.UNKNOWN),
        ("end of data", hang, "none", Fate.UNKNOWN),
    ],
)
def test_a_mail_is_over_in_time_however_slowly_the_server_speaks(
    stage, how, security, fate, odd, settings, monkeypatch
):
    monkeypatch.setattr(mail, "MAX_SECONDS", 0.3)
    odd.odd[stage] = [how]
    began, threads = time.monotonic(), set(threading.enumerate())
    met, told = fates(settings(odd.port, security, to=BOSS))
    assert time.monotonic() - began < 2
    assert met == {BOSS: fate}
    assert told.endswith(
        f"The mail server 127.0.0.1:{odd.port} is too slow: a mail has 0.3 seconds in all, and they are over. "
        "Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY."
    )
    left = set(threading.enumerate()) - threads
    assert not any(isinstance(thread, threading.Timer) for thread in left)  # nobody is left who might send it yet


def test_a_name_server_that_does_not_answer_holds_no_mail_longer(settings, monkeypatch):
    monkeypatch.setattr(mail, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(1))
    assert "is too slow: a mail has 0.2 seconds in all" in refusal(settings(587, "starttls", host="mail.example.com"))


def test_a_server_that_says_more_than_anybody_could_keep_is_left(odd, settings):
    odd.odd["EHLO"] = [flood]
    assert "it says more than 1000000 bytes" in refusal(settings(odd.port))


@pytest.fixture
def workbook(tmp_path):
    path = tmp_path / "calls.xlsx"
    path.write_bytes(bytes(100_000))
    return path


SMALL = Mail("Дзвінки 2024-05-01: вхідних 132", "Він тут: /calls.xlsx\n", "<p>Він тут: /calls.xlsx</p>\n")


def attachments(received):
    message = email.message_from_bytes(received[1], policy=email.policy.default)
    return received[0], [part.get_filename() for part in message.iter_attachments()]


@pytest.mark.parametrize(
    ("odd_replies", "sent"),
    [
        ({"EHLO": ["250-here\r\n250 SIZE 50000"] * 9}, [False]),
        ({"EHLO": ["250-here\r\n250 SIZE 500000"] * 9}, [True]),
        ({"EHLO": ["250-here\r\n250 SIZE 0"] * 9}, [True]),
        ({"EHLO": ["250-here\r\n250 SIZE"] * 9}, [True]),
        ({"MAIL": ["552 Too large"]}, [False]),
        ({"RCPT": ["552 5.3.4 Too large for this mailbox"] * 2}, [False]),
        ({"DATA": ["552 Too large"]}, [False]),
        ({"end of data": ["552 5.3.4 Too large"]}, [True, False]),
        ({"end of data": ["554 5.3.4 Message size exceeds fixed limit"]}, [True, False]),
    ],
)
def test_what_is_too_large_for_the_server_is_sent_without_attachments(
    odd_replies, sent, odd, settings, workbook, waits
):
    odd.odd |= odd_replies
    send(MAIL, [workbook], settings(odd.port), if_too_large=lambda: SMALL)
    assert [attachments(each) for each in odd.received] == [
        ([BOSS, SECOND], [workbook.name] if with_files else []) for with_files in sent
    ]
    assert (odd.taken, waits) == ([[BOSS, SECOND]], [])


def test_one_mailbox_without_room_costs_the_others_no_attachment(odd, settings, workbook):
    odd.odd[SECOND] = ["552 5.2.2 Mailbox full"]
    send(MAIL, [workbook], settings(odd.port), if_too_large=lambda: SMALL)
    assert list(map(attachments, odd.received)) == [([BOSS], [workbook.name]), ([SECOND], [])]


def test_a_mail_that_is_too_large_without_attachments_is_refused_and_nobody_blames_the_sender(odd, settings, workbook):
    odd.odd["MAIL"] = ["552 Too large"] * 9
    with pytest.raises(MailError) as caught:
        send(MAIL, [workbook], settings(odd.port, to=BOSS), if_too_large=lambda: SMALL)
    assert caught.value.fates == {BOSS: Fate.REFUSED}
    assert str(caught.value) == (
        f"The mail to {BOSS} was not sent. The mail server 127.0.0.1:{odd.port} refused the message: 552 Too large."
    )


def header(server, name, settings, message=MAIL, attachments=(), **more):
    """A header of the mail that is sent."""
    send(message, attachments, settings, **more)
    return email.message_from_bytes(server.received[-1][1])[name]


def test_the_same_report_to_the_same_people_has_the_same_message_id_and_no_other_mail_has_it(odd, settings, workbook):
    message_id = functools.partial(header, odd, "Message-ID")
    once = message_id(settings(odd.port), about="final")
    assert once.endswith("@example.com>")
    assert message_id(settings(odd.port, to=f"{SECOND},{BOSS}"), about="final") == once
    assert message_id(settings(odd.port), about="final", only=[SECOND]) == once
    assert odd.received[-1][0] == [SECOND]
    others = [
        message_id(settings(odd.port), about="so far"),
        message_id(settings(odd.port), about="final", thread=Thread(THREAD.job, "2024-05-02")),
        message_id(settings(odd.port), about="final", thread=Thread("export_calls_for_period", THREAD.about)),
        message_id(settings(odd.port, to=BOSS), about="final"),
        message_id(settings(odd.port), SMALL, about="final"),
        message_id(settings(odd.port), about="final", attachments=[workbook]),
        message_id(settings(odd.port)),
        message_id(settings(odd.port)),
    ]
    assert len({once, *others}) == 9


def test_all_mails_of_a_job_about_the_same_are_one_thread(odd, settings):
    def thread(key="k", of=THREAD, **more):
        config = dataclasses.replace(settings(odd.port), key=key)
        send(MAIL, [], config, thread=of, **more)
        message = email.message_from_bytes(odd.received[-1][1])
        assert message["References"] == message["In-Reply-To"] != message["Message-ID"]
        return message["References"]

    root = thread()
    assert re.fullmatch("<[0-9a-f]{32}@example.com>", root)
    assert [thread(about="so far"), thread(about="final"), thread(to=[BOSS])] == [root] * 3
    others = [
        thread(of=Thread(THREAD.job, "2024-05-02")),
        thread(of=Thread("export_calls_for_period", THREAD.about)),
        thread(key="another"),
    ]
    assert len({root, *others}) == 4


LONG = "reports@mail.of-a-company-with-a-very-long-name-that-fills-more-than-a-line.example.com.ua"


@pytest.mark.parametrize("sender", ["reports@example.com", LONG])
def test_a_list_id_names_the_account_and_the_job_without_the_key(sender, odd, settings):
    def list_id(key, job):
        config = dataclasses.replace(settings(odd.port), key=key, mail_from=sender)
        return header(odd, "List-Id", config, thread=Thread(job, str(time.time())))

    domain = sender.partition("@")[2]
    assert list_id("key-1", "export_calls_per_day") == (
        f"Binotel export_calls_per_day <export-calls-per-day.{hashlib.sha256(b'key-1').hexdigest()[:16]}.{domain}>"
    )
    ids = [list_id("key-1", "export_calls_per_day"), list_id("key-1", "alert_lost_calls")]
    assert len({*ids, list_id("key-2", "alert_lost_calls")}) == 3


def test_the_date_is_that_of_the_accounts_zone_wherever_the_computer_is(odd, settings, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        with time_machine.travel(datetime(2024, 7, 1, 22, 30, tzinfo=UTC), tick=False):
            assert header(odd, "Date", settings(odd.port)) == "Tue, 02 Jul 2024 01:30:00 +0300"
        with time_machine.travel(datetime(2024, 1, 1, 22, 30, tzinfo=UTC), tick=False):
            assert header(odd, "Date", settings(odd.port)) == "Tue, 02 Jan 2024 00:30:00 +0200"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("'Binotel звіти <reports@example.com>'", "Binotel звіти"),
        ("'\"Binotel звіти\" <reports@example.com>'", "Binotel звіти"),
        ("'ТОВ \"Ромашка\" <reports@example.com>'", 'ТОВ "Ромашка"'),
        ("'Ромашка, відділ продажу<reports@example.com>'", "Ромашка, відділ продажу"),
        (r"""'"ТОВ \"Ромашка\"" <reports@example.com>'""", 'ТОВ "Ромашка"'),
        (f"'{'Звіти про дзвінки; ' * 8}<reports@example.com>'", "Звіти про дзвінки; " * 7 + "Звіти про дзвінки;"),
        ("Reports: Binotel <reports@example.com>", "Reports: Binotel"),
        ("reports@example.com", ""),
    ],
)
def test_the_sender_may_have_a_name(sender, name, odd, settings, monkeypatch, tmp_path):
    settings(odd.port)
    path = tmp_path / "config.env"
    path.write_text(path.read_text("utf-8").replace("MAIL_FROM=reports@example.com", f"MAIL_FROM={sender}"), "utf-8")
    send(MAIL, [], load_settings(str(path), {}))
    message = email.message_from_bytes(odd.received[0][1])
    [(shown, address)] = email.utils.getaddresses([message["From"]])
    assert (str(make_header(decode_header(shown))), address) == (name, "reports@example.com")
    assert message["Message-ID"].endswith("@example.com>")
    assert "mail FROM:<reports@example.com>" in odd.lines


@pytest.mark.parametrize("count", range(1, 30, 4))
def test_a_long_subject_arrives_with_all_its_letters_and_spaces(count, odd, settings):
    words = ["Дзвінки 01.05.2024: lost 45,", "не передзвонили", "A ☕ п. 100 %"] * count
    subject = " ".join(words)[:480]
    arrived = header(odd, "Subject", settings(odd.port), Mail(subject, "x", "x"))
    assert str(make_header(decode_header(arrived))) == subject


def test_a_subject_is_one_line_whatever_names_it_holds(odd, settings):
    arrived = header(odd, "Subject", settings(odd.port), Mail("a\r\nBcc: x@example.com", "x", "x"))
    assert arrived == "a Bcc: x@example.com"


def test_a_domain_of_other_letters_goes_out_as_every_server_knows_it(odd, settings):
    send(MAIL, [], settings(odd.port, to="boss@пошта.укр, second@example.com"))
    assert odd.taken == [["boss@xn--80a1acn3a.xn--j1amh", SECOND]]
    assert b"To: boss@xn--80a1acn3a.xn--j1amh, second@example.com\r\n" in odd.received[0][1]


def test_lines_that_begin_with_a_dot_arrive_as_they_are(serve, settings):
    inbox, port = serve()
    text = ".\n..\n.x\nend\n"
    send(Mail("x", text, "<p>x</p>"), [], settings(port))
    assert inbox.messages[0].get_body(["plain"]).get_content().replace("\r\n", "\n") == text


def test_each_try_has_around_it_what_is_wanted_and_the_waiting_has_not(odd, settings, monkeypatch):
    steps = []

    @contextmanager
    def around():
        steps.append("begin")
        yield
        steps.append("end")

    monkeypatch.setattr(mail.time, "sleep", lambda seconds: steps.append(f"wait {seconds}"))
    odd.odd["connect"] = ["421 Busy"]
    send(MAIL, [], settings(odd.port), each_try=around, on_accepted=lambda to: steps.append("accepted"))
    assert steps == ["begin", "end", f"wait {mail.PAUSES_SECONDS[0]}", "begin", "accepted", "end"]
