"""A short message -> people: by mail, and by whatever Apprise reaches (Telegram, Slack, ntfy ...)."""

import hashlib
import html
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from binotel_core import BinotelError, one_line, within
from common.messages import mail
from common.messages.mail import Mail, MailError, Thread
from common.settings import Settings

READ_TIMEOUT_SECONDS = 30  # who gives up earlier takes a slow chat for one that refused, and tells it twice
MOST_SECONDS = 60  # all in all: a server that says a word now and then could keep the others from being told
# What they call text, they show as Markdown all the same (service_name of Apprise's plugins).
MARKDOWN_IN_TEXT = frozenset(
    ("Discord", "Fluxer", "Guilded", "HumHub", "Mattermost", "Nextcloud Talk", "Revolt", "Ryver", "Zulip")
)
# They count bytes, where Apprise knows of characters alone. Of ntfy, what is longer arrives as a file.
MOST_BYTES = {
    "Gorush": 3500,
    "IRC": 380,
    "ntfy": 4096,
    "Pushy": 3500,
    "Vapid Web Push Notifications": 3500,
    "WeChat (WeCom)": 2048,
    "WeCom Bot": 2048,
}
MOST_BYTES_OF_NTFY_AS_JSON = 7500  # ntfy takes 8,000, with what Apprise puts around them
# What would be markup, an emoji's name, the beginning of an address, or an entity.
MARKUP = re.compile(r"[\\`*_\[\]()<>~|]|:(?=[\w+-]+:)|(?<=:)/(?=/)|(?<=www)\.|&(?=#?\w+;)", re.IGNORECASE)
PHONE = re.compile(r"^\+?[0-9]{3,}", re.MULTILINE)  # a caller's; what is said of one may begin with a time


class NotifyError(BinotelError):
    """A channel did not take a message: `str()` says which one, why, and what to do."""


@dataclass(frozen=True)
class Channel:
    """A way to reach people.

    name: for people; holds no secret
    id:   for remembering what was sent where; holds no secret, and changes when the address does
    send: takes a message, and what is to be called at once when it was accepted: to remember it; raises NotifyError
          unless it was
    fits: whether a message is sent whole; raises NotifyError when nobody can tell. None: mail, which has room for all
    """

    name: str
    id: str
    send: Callable[[Mail, Callable[[], None]], None]
    fits: Callable[[Mail], bool] | None = None


def channels(settings: Settings, job: str = "alert_lost_calls") -> list[Channel]:
    """Every address of ALERT_TO and every URL of ALERT_URLS, each a channel of its own, for what a job tells."""
    mails = [
        Channel(f"mail to {address}", f"mail:{address}", partial(_send_mail, address, settings, job))
        for address in settings.alert_to
    ]
    return mails + chats(settings.alert_urls, "ALERT_URLS")


def chats(urls: Sequence[str], key: str) -> list[Channel]:
    """Every chat that a key of the configuration names, each a channel of its own."""
    return [_chat(_Chat(number, url, key), url) for number, url in enumerate(urls, 1)]


def _send_mail(address: str, settings: Settings, job: str, message: Mail, accepted: Callable[[], None]) -> None:
    try:
        mail.send(
            message,
            [],
            settings,
            thread=Thread(job, str(datetime.now(settings.timezone).date())),
            to=[address],
            key="ALERT_TO",
            pauses=iter(mail.PAUSES_SECONDS[:1]),  # chats are waiting, and the next run is only minutes away
            on_accepted=lambda _: accepted(),
        )
    except MailError as error:
        raise NotifyError(str(error)) from error


def _chat(chat: "_Chat", url: str) -> Channel:
    identity = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Channel(chat.name, f"{chat.kind}:{identity}", chat.send, chat.fits)


class _Chat:
    """What Apprise reaches under one URL. Its plugin says what it takes, and how that is shown.

    name: for people
    kind: Apprise's name of the service
    """

    def __init__(self, number: int, url: str, key: str) -> None:
        import apprise  # slow to import, and only those who use chats need it

        self._service = apprise.Apprise()
        self._service.add(url)
        self._plugin: Any = self._service[0]
        self._plugin.socket_read_timeout = READ_TIMEOUT_SECONDS
        self._plugin.optional = False  # ?optional=yes calls a message accepted that was not
        # Touches only what cannot be made short enough; ?overflow=split could send half of it.
        self._plugin.overflow_mode = apprise.OverflowMode.TRUNCATE
        # Goes through all that Apprise does to a message, but sends nothing.
        self._rehearsal: Any = apprise.Apprise.instantiate(url)
        self.kind = str(self._plugin.service_name)
        self.name = f"{self.kind} (number {number} of {key})"
        self._key = key
        formats = self._plugin.notify_format
        first = formats if isinstance(formats, str) else formats[0]
        # Mail programs want HTML, with numbers to tap on. Elsewhere plain text is the surest, where there is any.
        self._format = str(self._plugin.resolve_format("html" if first == "html" else "text").value)
        self._shown_as = "markdown" if self.kind in MARKDOWN_IN_TEXT else self._format
        # Who rewrites HTML, as for Telegram, takes a line's end for one, and may lose the second of two <br>.
        self._rewrites = self._plugin.dialect_convert("1\n\n2", apprise.NotifyFormat.HTML) != "1\n\n2"

    def fits(self, message: Mail) -> bool:
        """Whether all of a message arrives, with all that Apprise and the service make of it. Raises NotifyError."""
        with self._listening():
            [(title, body)] = self._rehearsed(message, "upstream")
            most_lines = self._plugin.body_max_line_count
            lines = message.text.count("\n") + (1 if self._plugin.title_maxlen else 2)
            return (
                # A smiley counts twice for Telegram and others.
                len(body.encode("utf-16-le")) // 2 <= self._plugin.body_maxlen
                and len(body.encode()) <= MOST_BYTES.get(self.kind, len(body.encode()))
                and (self.kind != "ntfy" or len(json.dumps(title + body)) <= MOST_BYTES_OF_NTFY_AS_JSON)
                and (not most_lines or lines <= most_lines)
                and self._rehearsed(message, "truncate") == [(title, body)]
            )

    def send(self, message: Mail, accepted: Callable[[], None]) -> None:
        """Raises NotifyError unless the service took the message."""
        title, body = self._words(message)
        with self._listening() as reasons:
            is_accepted = within(
                MOST_SECONDS, lambda: self._service.notify(body=body, title=title, body_format=self._format)
            )
        if not is_accepted:
            reason = one_line(" ".join(reasons.texts)).rstrip(".") or "it gave no reason"
            raise NotifyError(f"{self.name} did not take the message: {reason}. Check {self._key} and the network.")
        accepted()

    def _words(self, message: Mail) -> tuple[str, str]:
        """The title and the body, as the service renders text."""
        title, text = message.subject, self._rendered(message.text)
        if not self._plugin.title_maxlen:
            return self._rendered(title), text
        # Discord and its kind show it as Markdown, others a \ as a \: so what might be markup is left out.
        return (_unable_to_call(MARKUP.sub("", title)) if self._shown_as == "markdown" else title), text

    def _rendered(self, text: str) -> str:
        if self._shown_as == "html":
            escaped = html.escape(text)
            if self._rewrites:  # chats find the numbers by themselves
                return escaped
            return PHONE.sub(r'<a href="tel:\g<0>">\g<0></a>', escaped).replace("\n", "<br>\n")
        if self._shown_as == "markdown":
            escaped = _unable_to_call(MARKUP.sub(r"\\\g<0>", text))
            # Two spaces, or lines that follow each other become one.
            return re.sub(r"(?<=[^\n])\n(?=[^\n])", "  \n", escaped)
        return text

    def _rehearsed(self, message: Mail, overflow: str) -> list[tuple[str, str]]:
        """The title and body of each message that would go out."""
        sent: list[tuple[str, str]] = []

        def send(title: str, body: str, **_: object) -> bool:
            sent.append((title, body))
            return True

        self._rehearsal.send = send
        title, body = self._words(message)
        self._rehearsal.notify(title=title, body=body, body_format=self._format, overflow=overflow)
        return sent

    @contextmanager
    def _listening(self) -> Iterator["_Reasons"]:
        """What Apprise says is kept for a NotifyError, and so is what goes wrong in it."""
        reasons = _Reasons(logging.WARNING)
        log = logging.getLogger("apprise")
        log.propagate = False  # what it has to say is said in the NotifyError
        log.setLevel(logging.WARNING)
        log.addHandler(reasons)
        # What it logs of its requests holds the tokens, in forms that nobody can foresee.
        logging.getLogger("urllib3").setLevel(logging.WARNING)
        try:
            yield reasons
        except TimeoutError:
            raise NotifyError(
                f"{self.name} did not answer within {MOST_SECONDS} s, the most that a message may take, "
                f"so the next run sends it again. Check {self._key} and the network."
            ) from None
        except Exception as error:  # whatever one chat does, the others are told
            # Not its words: they may hold a token.
            raise NotifyError(
                f"{self.name} cannot be used: Apprise failed with {type(error).__name__}. Check {self._key}."
            ) from None
        finally:
            log.removeHandler(reasons)
            logging.getLogger("urllib3").setLevel(logging.NOTSET)


def _unable_to_call(text: str) -> str:
    """A text that calls nobody by @everyone, which a backslash does not stop."""
    return text.replace("@", "@\N{ZERO WIDTH SPACE}")


class _Reasons(logging.Handler):
    """Collects what Apprise says of a failure."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
