"""A message with attachments -> SMTP: to each recipient once and in time, and what became of it, by recipient."""

import email.policy
import enum
import hashlib
import json
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from io import BufferedReader
from pathlib import Path

from binotel_core import BinotelError, account_id, one_line, within
from common.settings import Settings, name_and_address

MAX_SECONDS = 300  # for a mail with all its tries, however slowly the server speaks
SMTP_TIMEOUT_SECONDS = 60  # for each answer of the server, but the last
GOODBYE_SECONDS = 5
PAUSES_SECONDS = (5, 10, 20, 40, 75)  # before each further try, where the server puts a mail off
MAX_REPLIES_BYTES = 1_000_000  # in a connection
MAX_ATTACHMENTS_BYTES = 18_000_000  # Gmail and others take mails of 25 MB; attachments grow by a third on the way
MAX_HEADER_LENGTH = 64  # of each of its lines, without the header's name
MAX_TEXT_LENGTH = 500  # of all of it
CLOSING, TOO_LARGE = 421, 552
# What these refuse is neither the mail nor its recipient, but how we speak to the server: no login, no TLS.
OF_SESSION = (500, 502, 503, 504, 530, 534, 535, 538, 555)
# Windows without Office does not know the first one.
TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".json": "application/json",
}


class Fate(enum.Enum):
    """What became of a mail to a recipient."""

    ACCEPTED = enum.auto()
    WAITING = enum.auto()  # not sent: another try may do
    REFUSED = enum.auto()  # for good
    UNKNOWN = enum.auto()  # all of it was sent, and no answer came
    TOO_LARGE = enum.auto()  # refused, unless it can be made smaller


class MailError(BinotelError):
    """A mail was not sent, or not to everybody: `str()` says to whom not, why, and what to do.

    fates:          by recipient
    is_server_away: whether no mail to anybody can be sent now
    """

    def __init__(self, message: str, fates: dict[str, Fate] | None = None, *, is_server_away: bool = False) -> None:
        super().__init__(message)
        self.fates = fates or {}
        self.is_server_away = is_server_away

    def whose(self, fate: Fate) -> list[str]:
        """The recipients whose mail met this fate."""
        return [address for address, met in self.fates.items() if met == fate]

    @property
    def others_got_it(self) -> bool:
        return bool(self.whose(Fate.ACCEPTED))


@dataclass(frozen=True)
class Mail:
    """The words of a mail: its subject, and the same content as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Thread:
    """What a mail belongs to, so that mail programs can sort it and show it with others.

    job:   the script whose mails they are: those of an account's job have one List-Id
    about: what they are about: those of a job about the same are shown together
    """

    job: str
    about: str


def send(
    mail: Mail,
    attachments: Sequence[Path],
    settings: Settings,
    *,
    thread: Thread,
    to: Sequence[str] | None = None,
    key: str = "REPORT_TO",
    only: Sequence[str] | None = None,
    about: str = "",
    if_too_large: Callable[[], Mail] | None = None,
    pauses: Iterator[float] | None = None,
    each_try: Callable[[], AbstractContextManager[None]] = nullcontext,
    on_accepted: Callable[[Sequence[str]], None] = lambda _: None,
) -> None:
    """Send a mail with the files at `attachments`. Raises MailError unless everybody gets it, and OSError.

    to:           the addresses, REPORT_TO's unless others are given
    key:          the name of the setting that they come from, for what to check when one is refused
    only:         those of them who have not got it yet, unless that is everybody
    about:        what tells it from others of its thread. Two mails about the same that say the same to the same
                  addresses have one Message-ID: mail servers and programs can tell that one was sent twice. "": each
                  has its own
    if_too_large: gives what is sent without attachments where the mail is too large with them
    pauses:       seconds before each further try, where the server puts the mail off; several mails may share them
    each_try:     what is to be around each try
    on_accepted:  called when the server has taken the mail for some, before anything else can go wrong: to remember it
    """
    to = settings.report_to if to is None else to
    pauses = iter(PAUSES_SECONDS) if pauses is None else pauses
    delivery = _Delivery(settings, on_accepted, MAX_SECONDS)
    forms: list[tuple[Callable[[], Mail], Sequence[Path]]] = [(lambda: mail, attachments)]
    if if_too_large and attachments:
        forms.append((if_too_large, []))
        if sum(path.stat().st_size for path in attachments) > MAX_ATTACHMENTS_BYTES:
            del forms[0]
    due = list(to if only is None else only)
    for make, files in forms:
        letter = _letter(make(), files, to, thread, about, settings) if due else b""
        while due:
            with each_try():
                delivery.attempt(letter, due)
            due = delivery.put_off if delivery.has_waited(pauses) else []
        due = delivery.whose(Fate.TOO_LARGE)
    delivery.raise_unless_accepted(key)


def problems_with(to: Sequence[str], settings: Settings, most_seconds: float) -> list[str]:
    """What keeps the mail server from taking a mail to these addresses, as far as it tells before one is sent.

    Sentences, most with a remedy.
    """
    return _Delivery(settings, lambda _: None, most_seconds).problems_with(to)


def _letter(
    mail: Mail, attachments: Sequence[Path], to: Sequence[str], thread: Thread, about: str, settings: Settings
) -> bytes:
    name, sender = name_and_address(settings.mail_from)
    domain = sender.rpartition("@")[2]
    names = [path.name for path in attachments]
    root = _id(domain, settings, thread.job, thread.about)
    own = _id(domain, settings, thread.job, thread.about, about, *sorted(to), mail.subject, mail.text, *names)
    # By the older way of Python: EmailMessage loses spaces of long texts that are encoded, and encodes long ids.
    headers = {
        "Subject": _encoded(mail.subject),
        "From": formataddr((name, sender)) if name.isascii() else f"{_encoded(name)} <{sender}>",
        "Date": format_datetime(datetime.now(settings.timezone)),
        "Message-ID": own if about else make_msgid(domain=domain),
        # Nobody was ever sent the first one: each of the others may be the first that somebody gets.
        "In-Reply-To": root,
        "References": root,
        "List-Id": f"Binotel {thread.job} <{thread.job.replace('_', '-')}.{account_id(settings.key)}.{domain}>",
    }
    message = EmailMessage()
    message["To"] = ", ".join(to)
    message["Auto-Submitted"] = "auto-generated"  # keeps out-of-office answers away
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for path in attachments:
        main_type, _, subtype = TYPES.get(path.suffix.lower(), "application/octet-stream").partition("/")
        message.add_attachment(path.read_bytes(), maintype=main_type, subtype=subtype, filename=path.name)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return lines.encode() + message.as_bytes(policy=email.policy.SMTP)


def _encoded(text: str) -> str:
    """A text as the value of a header, in lines where it is long."""
    return Header(one_line(text, MAX_TEXT_LENGTH), maxlinelen=MAX_HEADER_LENGTH).encode(linesep="\r\n")


def _id(domain: str, settings: Settings, *parts: str) -> str:
    """A message's id that is the same wherever the account and the parts are."""
    digest = hashlib.sha256(json.dumps([account_id(settings.key), *parts]).encode())
    return f"<{digest.hexdigest()[:32]}@{domain}>"


class _Delivery:
    """A mail on its way, over all its tries: what has become of it so far, and why."""

    def __init__(self, settings: Settings, on_accepted: Callable[[Sequence[str]], None], most_seconds: float) -> None:
        self._settings = settings
        self._server = f"The mail server {settings.smtp_host}:{settings.smtp_port}"
        self._on_accepted = on_accepted
        self._most_seconds = most_seconds
        self._deadline = time.monotonic() + most_seconds
        self.fates: dict[str, Fate] = {}
        self.put_off: list[str] = []  # by the last try: for these, the server wants another one
        self._replies: dict[str, str] = {}  # to the recipients whom it does not take
        self._problems: dict[str, str] = {}  # of other recipients
        self._unanswered: list[str] = []  # when all of it has been sent
        self._is_server_away = False

    def attempt(self, letter: bytes, whom: list[str]) -> None:
        """Try once to have a letter taken for these recipients."""
        self.put_off, self._unanswered, self._is_server_away = [], [], False
        for address in whom:
            self._replies.pop(address, None)
            self._problems.pop(address, None)
        with ExitStack() as stack:
            try:
                taken = self._hand_over(self._connected(stack), letter, whom)
            except (OSError, UnicodeError) as error:  # all of smtplib's and ssl's are OSErrors
                self._note(error, [address for address in whom if address not in self._replies])
                return
            self.fates |= dict.fromkeys(taken, Fate.ACCEPTED)
            if taken:
                self._on_accepted(taken)

    def problems_with(self, whom: Sequence[str]) -> list[str]:
        """What the server would refuse of a mail to these recipients, a sentence each; none is sent."""
        sender = name_and_address(self._settings.mail_from)[1]
        with ExitStack() as stack:
            try:
                smtp = self._connected(stack)
                code, reply = smtp.mail(sender)
                if not _is_good(code):
                    raise smtplib.SMTPSenderRefused(code, reply, sender)
                replies = {address: smtp.rcpt(address) for address in whom}
                smtp.rset()
                size = smtp.esmtp_features.get("size", "")
            except (OSError, UnicodeError) as error:
                return [self._problem(error, getattr(error, "smtp_code", 0))]
        problems = [
            f"The mail server refuses the recipient {address}: {_shown(*reply)}."
            for address, reply in replies.items()
            if not _is_good(reply[0])
        ]
        if size.isdecimal() and 0 < int(size) < MAX_ATTACHMENTS_BYTES * 4 // 3:
            problems.append(
                f"{self._server} takes mails of {int(size) // 1_000_000} MB at most: larger reports are not attached."
            )
        return problems

    def has_waited(self, pauses: Iterator[float]) -> bool:
        """Wait until it is time for another try, if one is wanted, and gives whether it is."""
        pause = next(pauses, None) if self.put_off else None
        if pause is None or time.monotonic() + pause >= self._deadline:
            return False
        time.sleep(pause)
        return True

    def whose(self, fate: Fate) -> list[str]:
        """The recipients whose mail met this fate."""
        return [address for address, met in self.fates.items() if met == fate]

    def raise_unless_accepted(self, key: str) -> None:
        """Raise MailError unless everybody got it; `key` is the setting that the recipients come from."""
        if all(fate == Fate.ACCEPTED for fate in self.fates.values()):
            return
        self.fates |= dict.fromkeys(self.whose(Fate.TOO_LARGE), Fate.REFUSED)
        fates = self.fates
        unknown, waiting, refused = map(self.whose, (Fate.UNKNOWN, Fate.WAITING, Fate.REFUSED))
        is_for_nobody = len(waiting + refused) == len(fates)
        not_sent = [a for a in fates if a in waiting + refused and (is_for_nobody or a in self._problems)]
        sentences = [f"The mail to {', '.join(not_sent)} was not sent."] if not_sent else []
        for does, whom in (("refused", refused), ("puts off", waiting)):
            if own := [f"{address} ({self._replies[address]})" for address in whom if address in self._replies]:
                sentences.append(f"The mail server {does} these recipients: {', '.join(own)}.")
        sentences += dict.fromkeys(problem for address, problem in self._problems.items() if address in not_sent)
        if unknown:
            sentences.append(
                f"Whether the mail to {', '.join(unknown)} was sent is unknown: look before you send it again."
            )
            sentences.append(self._problems[unknown[0]])
        if self.whose(Fate.ACCEPTED):
            sentences.append("The other recipients got it.")
        if any(address in self._replies for address in refused):
            sentences.append(f"Check {key}.")
        raise MailError(" ".join(sentences), fates, is_server_away=self._is_server_away)

    def _connected(self, stack: ExitStack) -> "_Smtp":
        """A connection on which a mail can be sent; `stack` says good-bye and closes it."""
        settings = self._settings
        where = (settings.smtp_host, settings.smtp_port)
        seconds = self._deadline - time.monotonic()
        # Both may ask servers for names, which no timeout of a socket ends.
        name, plain = within(seconds, lambda: (socket.getfqdn(), socket.create_connection(where, SMTP_TIMEOUT_SECONDS)))
        stack.callback(plain.close)
        watchdog = _Watchdog(plain)
        stack.callback(watchdog.leave)
        watchdog.allow(self._deadline - time.monotonic())
        connection = plain
        if settings.smtp_security == "tls":
            connection = ssl.create_default_context().wrap_socket(plain, server_hostname=settings.smtp_host)
            stack.callback(connection.close)
        # SMTP greets with this computer's name, which on Windows may hold letters that SMTP does not take.
        smtp = _Smtp(connection, where, name if name.isascii() else "localhost")
        stack.callback(smtp.say_goodbye, watchdog)
        smtp.greet()
        if settings.smtp_security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
            smtp.greet()
        if settings.smtp_user:
            smtp.login(settings.smtp_user, settings.smtp_password)
        return smtp

    def _hand_over(self, smtp: "_Smtp", letter: bytes, whom: list[str]) -> list[str]:
        """Those for whom the server has taken the letter; why not for the others is noted."""
        size = smtp.esmtp_features.get("size", "")
        if size.isdecimal() and 0 < int(size) < len(letter):
            raise smtplib.SMTPDataError(TOO_LARGE, f"it has {len(letter)} bytes, and may have {size}")
        sender = name_and_address(self._settings.mail_from)[1]
        code, reply = smtp.mail(sender, [f"SIZE={len(letter)}"] if smtp.has_extn("size") else [])
        if _fate(code, reply) == Fate.TOO_LARGE:
            raise smtplib.SMTPDataError(code, reply)
        if not _is_good(code):
            raise smtplib.SMTPSenderRefused(code, reply, sender)
        taken = []
        for address in whom:
            code, reply = smtp.rcpt(address)
            if _is_good(code):
                taken.append(address)
            elif code in (CLOSING, *OF_SESSION) or not 400 <= code < 600:
                raise smtplib.SMTPResponseException(code, reply)
            else:
                self._replies[address] = _shown(code, reply)
                self._decide(address, _fate(code, reply), is_put_off=code < 500)
        if not taken:
            return []
        code, reply = smtp.docmd("DATA")
        if code == 354:
            assert smtp.sock  # noqa: S101 - for mypy: it is connected
            smtp.sock.settimeout(max(1, self._deadline - time.monotonic()))  # a server may look into attachments
            smtp.send(re.sub(rb"(?m)^\.", b"..", letter) + b".\r\n")
            self._unanswered = taken
            code, reply = smtp.getreply()
            if _is_good(code):
                return taken
            if 400 <= code < 600:
                self._unanswered = []
        raise smtplib.SMTPDataError(code, reply)

    def _note(self, error: Exception, whom: list[str]) -> None:
        """Remember what kept a letter from these recipients."""
        code = getattr(error, "smtp_code", 0)
        problem = self._problem(error, code)
        self._is_server_away = not isinstance(error, smtplib.SMTPDataError) and not self._unanswered
        for address in whom:
            fate = _fate(code, error.smtp_error) if isinstance(error, smtplib.SMTPDataError) else Fate.WAITING
            self._problems[address] = problem
            self._decide(address, Fate.UNKNOWN if self._unanswered else fate, is_put_off=400 <= code < 500)

    def _decide(self, address: str, fate: Fate, *, is_put_off: bool) -> None:
        self.fates[address] = fate
        if fate == Fate.WAITING and is_put_off:
            self.put_off.append(address)

    def _problem(self, error: Exception, code: int) -> str:
        """What is wrong, and what to do."""
        settings, server = self._settings, self._server
        where = "Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY."
        reply = _shown(code, error.smtp_error) if isinstance(error, smtplib.SMTPResponseException) else ""
        if time.monotonic() >= self._deadline:
            return f"{server} is too slow: a mail has {self._most_seconds:g} seconds in all, and they are over. {where}"
        if 400 <= code < 500:
            return f"{server} puts the mail off: {reply}."
        match error:
            case smtplib.SMTPAuthenticationError():
                return f"{server} refused the user name or the password: {reply}. Check SMTP_USER and SMTP_PASSWORD."
            case smtplib.SMTPSenderRefused():
                return f"{server} refused the sender {error.sender}: {reply}. Check MAIL_FROM."
            case smtplib.SMTPNotSupportedError():
                return f"{server} cannot do what is asked: {error} Check SMTP_SECURITY and SMTP_PORT."
            case smtplib.SMTPDataError():
                return f"{server} refused the message: {reply}."
            case smtplib.SMTPResponseException():
                return f"{server} takes no mail: {reply}. Check the SMTP_ settings with its owner."
            case ssl.SSLError():
                check = "Check SMTP_SECURITY, SMTP_PORT and SMTP_HOST."
                return f"No secure connection to {settings.smtp_host}: {error}. {check}"
            case socket.gaierror():
                return f"The name {settings.smtp_host} cannot be resolved. Check SMTP_HOST and the internet connection."
            case smtplib.SMTPException() if not isinstance(error, smtplib.SMTPServerDisconnected):
                pass
            case OSError():
                return f"{server} is not answering: {one_line(error.strerror or str(error))}. {where}"
        return f"{server} cannot be used: {one_line(str(error)).rstrip('.')}. Check the SMTP_ settings with its owner."


class _Smtp(smtplib.SMTP):
    """SMTP over a connection that is there already."""

    def __init__(self, connection: socket.socket, where: tuple[str, int], name: str) -> None:
        self._connection = connection
        super().__init__(*where, name, SMTP_TIMEOUT_SECONDS)

    def _get_socket(self, *_: object) -> socket.socket:
        return self._connection

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            assert self.sock  # noqa: S101 - for mypy: it is connected
            self.file = _Replies(self.sock.makefile("rb", buffering=0))
        return super().getreply()

    def greet(self) -> None:
        code, reply = self.ehlo()
        if not _is_good(code) and not 400 <= code < 500:
            code, reply = self.helo()
        if not _is_good(code):
            raise smtplib.SMTPHeloError(code, reply)

    def say_goodbye(self, watchdog: "_Watchdog") -> None:
        """How the server answers that decides nothing any more."""
        watchdog.allow(GOODBYE_SECONDS)
        with suppress(OSError):
            self.quit()
        self.close()


class _Replies(BufferedReader):
    """What a server says, which must not go on for ever."""

    _left = MAX_REPLIES_BYTES

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError(f"it says more than {MAX_REPLIES_BYTES} bytes")
        return line


class _Watchdog:
    """Ends a connection when its time is over: the timeout of a socket begins anew with each byte that comes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection.dup()  # TLS takes the connection out of the socket that had it
        self._timer: threading.Timer | None = None

    def allow(self, seconds: float) -> None:
        """From now on it has so long."""
        self._stop()
        self._timer = threading.Timer(seconds, self._bite)
        self._timer.daemon = True
        self._timer.start()

    def leave(self) -> None:
        self._stop()
        self._connection.close()

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer.join()  # or it might end what is somebody else's connection by then

    def _bite(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


def _is_good(code: int) -> bool:
    return 200 <= code < 300


def _fate(code: int, reply: bytes | str) -> Fate:
    """What a reply other than a good one says of a mail or its recipient."""
    text = reply if isinstance(reply, str) else reply.decode(errors="replace")
    if code == TOO_LARGE or re.match(r"5\.(3\.4|2\.3)\b", text):
        return Fate.TOO_LARGE
    return Fate.REFUSED if 500 <= code < 600 and code not in OF_SESSION else Fate.WAITING


def _shown(code: int, reply: bytes | str) -> str:
    text = reply if isinstance(reply, str) else reply.decode(errors="replace")
    return f"{code} {one_line(text)}".rstrip(".")
