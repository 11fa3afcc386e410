"""Mail through real SMTP servers: encrypted, with a login, and every refusal told by name."""

import email
import email.policy
import socket
import ssl
from contextlib import ExitStack

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from common.messages.mail import Mail, MailError, send
from common.settings import load_settings

MAIL = Mail("Дзвінки 2024-05-01: вхідних 132", "Текст ☕\n", "<p>Текст ☕</p>\n")
USER, PASSWORD = "reports", "pass word-1"


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
    assert message["Date"].datetime
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
