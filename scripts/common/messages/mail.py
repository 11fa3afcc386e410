"""A message with attachments -> SMTP."""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from binotel_core import BinotelError, one_line
from common.settings import Settings

SMTP_TIMEOUT_SECONDS = 60
MAX_ATTACHMENTS_BYTES = 18_000_000  # Gmail and others take mails of 25 MB; attachments grow by a third on the way
# Windows without Office does not know the first one.
TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".json": "application/json",
}


class MailError(BinotelError):
    """A mail was not sent, or not to everybody: `str()` says to whom not, why, and what to do."""

    def __init__(self, message: str, *, others_got_it: bool = False) -> None:
        super().__init__(message)
        self.others_got_it = others_got_it


@dataclass(frozen=True)
class Mail:
    """The words of a mail: its subject, and the same content as plain text and as HTML."""

    subject: str
    text: str
    html: str


def send(
    mail: Mail,
    attachments: Sequence[Path],
    settings: Settings,
    *,
    to: Sequence[str] | None = None,
    key: str = "REPORT_TO",
) -> None:
    """Send a mail with the files at `attachments`. Raises MailError, OSError.

    to:  the addresses, REPORT_TO's unless others are given
    key: the name of the setting that they come from, for what to check when one is refused
    """
    to = settings.report_to if to is None else to
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = settings.mail_from
    message["To"] = ", ".join(to)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # keeps out-of-office answers away
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for path in attachments:
        main_type, _, subtype = TYPES.get(path.suffix.lower(), "application/octet-stream").partition("/")
        message.add_attachment(path.read_bytes(), maintype=main_type, subtype=subtype, filename=path.name)
    refused = _send_message(message, settings, key)
    if refused:
        message_text = f"{_refused_text(refused)} The other recipients got it. Check {key}."
        raise MailError(message_text, others_got_it=True)


def _send_message(message: EmailMessage, settings: Settings, key: str) -> dict[str, tuple[int, bytes]]:
    """Hand a message to the SMTP server; return the refused recipients. Every kind of trouble is a MailError."""
    server = f"The mail server {settings.smtp_host}:{settings.smtp_port}"
    to = message["To"]
    outcome = f"The mail to {to} was not sent."
    connected = False
    try:
        smtp = _connection(settings)
        try:
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password)
            connected = True
            return smtp.send_message(message)
        finally:
            # Not `with`: how the server says good-bye decides nothing about the mail.
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()
    except smtplib.SMTPAuthenticationError as error:
        reason = f"{server} refused the user name or the password: {_reply(error)}. Check SMTP_USER and SMTP_PASSWORD."
    except smtplib.SMTPRecipientsRefused as error:
        reason = f"{_refused_text(error.recipients)} Check {key}."
    except smtplib.SMTPSenderRefused as error:
        reason = f"{server} refused the sender {error.sender}: {_reply(error)}. Check MAIL_FROM."
    except smtplib.SMTPNotSupportedError as error:
        reason = f"{server} cannot do what is asked: {error} Check SMTP_SECURITY and SMTP_PORT."
    except smtplib.SMTPResponseException as error:
        reason = f"{server} refused the message: {_reply(error)}."
    except ssl.SSLError as error:
        reason = f"No secure connection to {settings.smtp_host}: {error}. Check SMTP_SECURITY, SMTP_PORT and SMTP_HOST."
    except socket.gaierror:
        reason = f"The name {settings.smtp_host} cannot be resolved. Check SMTP_HOST and the internet connection."
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        if connected:  # it broke off on the way: perhaps after the server had taken all of it
            outcome = f"Whether the mail to {to} was sent is unknown: look before you send it again."
        problem = one_line(error.strerror or str(error))
        reason = f"{server} is not answering: {problem}. Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY."
    except (smtplib.SMTPException, UnicodeError) as error:
        reason = (
            f"{server} cannot be used: {one_line(str(error)).rstrip('.')}. Check the SMTP_ settings with its owner."
        )
    raise MailError(f"{outcome} {reason}")


def _connection(settings: Settings) -> smtplib.SMTP:
    where = (settings.smtp_host, settings.smtp_port)
    # SMTP greets with this computer's name, which on Windows may hold letters that SMTP does not take.
    name = socket.getfqdn()
    name = name if name.isascii() else "localhost"
    context = ssl.create_default_context()
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(*where, name, timeout=SMTP_TIMEOUT_SECONDS, context=context)
    smtp = smtplib.SMTP(*where, name, timeout=SMTP_TIMEOUT_SECONDS)
    if settings.smtp_security == "starttls":
        try:
            smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
    return smtp


def _refused_text(refused: dict[str, tuple[int, bytes]]) -> str:
    each = [
        f"{address} ({code} {one_line(reply.decode(errors='replace'))})" for address, (code, reply) in refused.items()
    ]
    return f"The mail server refused these recipients: {', '.join(each)}."


def _reply(error: smtplib.SMTPResponseException) -> str:
    reply = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    return f"{error.smtp_code} {one_line(reply)}".rstrip(".")
