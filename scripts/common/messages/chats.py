"""A short message -> people: by mail, and by whatever Apprise reaches (Telegram, Slack, ntfy ...)."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from binotel_core import BinotelError, one_line
from common.messages import mail
from common.messages.mail import Mail, MailError
from common.settings import Settings

if TYPE_CHECKING:
    import apprise

READ_TIMEOUT_SECONDS = 30  # who gives up earlier takes a slow chat for one that refused, and tells it twice


class NotifyError(BinotelError):
    """A channel did not take a message: `str()` says which one, why, and what to do."""


@dataclass(frozen=True)
class Channel:
    """A way to reach people.

    name: for people; holds no secret
    id:   for remembering what was sent where; holds no secret, and changes when the address does
    send: takes a message; raises NotifyError unless it was accepted
    """

    name: str
    id: str
    send: Callable[[Mail], None]


def channels(settings: Settings) -> list[Channel]:
    """Every address of ALERT_TO and every URL of ALERT_URLS, each a channel of its own."""
    mails = [
        Channel(f"mail to {address}", f"mail:{address}", partial(_send_mail, address, settings))
        for address in settings.alert_to
    ]
    return mails + [_chat(number, url) for number, url in enumerate(settings.alert_urls, 1)]


def _send_mail(address: str, settings: Settings, message: Mail) -> None:
    try:
        # Chats are waiting, and the next run is only minutes away.
        mail.send(message, [], settings, to=[address], key="ALERT_TO", pauses=iter(mail.PAUSES_SECONDS[:1]))
    except MailError as error:
        raise NotifyError(str(error)) from error


def _chat(number: int, url: str) -> Channel:
    import apprise  # slow to import, and only those who use chats need it

    service = apprise.Apprise()
    service.add(url)
    plugin: Any = service[0]
    plugin.socket_read_timeout = READ_TIMEOUT_SECONDS
    kind = str(plugin.service_name)
    identity = hashlib.sha256(url.encode()).hexdigest()[:16]
    name = f"{kind} (number {number} of ALERT_URLS)"
    return Channel(name, f"{kind}:{identity}", partial(_send_chat, service, name))


def _send_chat(service: "apprise.Apprise", name: str, message: Mail) -> None:
    reasons = _Reasons(logging.WARNING)
    log = logging.getLogger("apprise")
    log.propagate = False  # what it has to say is said below
    log.setLevel(logging.WARNING)
    log.addHandler(reasons)
    # What it logs of its requests holds the tokens, in forms that nobody can foresee.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    try:
        accepted = service.notify(body=message.text, title=message.subject, body_format="text")
    finally:
        log.removeHandler(reasons)
        logging.getLogger("urllib3").setLevel(logging.NOTSET)
    if not accepted:
        reason = one_line(" ".join(reasons.texts)).rstrip(".") or "it gave no reason"
        raise NotifyError(f"{name} did not take the message: {reason}. Check ALERT_URLS and the network.")


class _Reasons(logging.Handler):
    """Collects what Apprise says of a failure."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
