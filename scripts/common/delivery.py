"""A report -> each of REPORT_TO and SUMMARY_URLS, once: who has got it is remembered, and who has not is sent it by
the next run."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from common.job import Job
from common.labels import Labels
from common.messages import mail
from common.messages.chats import NotifyError, chats
from common.messages.mail import Fate, MailError, Thread
from common.messages.notice import notice_mail
from common.reports.figures import Report
from common.reports.report_mail import report_in_short, report_mail
from common.reports.tables import title
from common.state.store import Store

# What is remembered of a report and a recipient.
ACCEPTED = "accepted"
UNKNOWN = "unknown"  # the server had all of it, and gave no answer: it is sent once more
GIVEN_UP = "given up"

log = logging.getLogger(__name__)


class Delivery:
    """The mails of a run, and what it tells chats.

    by_hand:        whether somebody asks for these reports: then those who were given up are tried again, and what
                    everybody has got already is sent anew
    is_server_away: whether the last mail could have been sent to nobody, whoever it is
    """

    def __init__(self, job: Job, store: Store, *, by_hand: bool) -> None:
        self._job = job
        self._store = store
        self._by_hand = by_hand
        self._pauses = iter(mail.PAUSES_SECONDS)
        self.is_server_away = False

    def tell_chats(self, report: Report) -> bool:
        """Send each of SUMMARY_URLS the report in short, once; gives whether no chat waits for it any more.

        A chat that does not take it is told, tried once more by the next run, and then given up.
        """
        job, name, is_done = self._job, report.selection.name, True
        for chat in chats(job.settings.summary_urls, "SUMMARY_URLS"):
            row = f"{name} in short, in {chat.id}"
            fate = self._store.get_all([row]).get(row)
            if fate in (ACCEPTED, GIVEN_UP):
                continue
            remember = partial(self._store.put, {row: ACCEPTED}, done=f"{chat.name} has got the report in short")
            try:
                message = report_in_short(report, Labels(job.settings.language), chat.fits)
                with self._each_try():
                    # A crash before it is remembered sends it twice; the other way round it might never be sent.
                    chat.send(message, remember)
            except NotifyError as error:
                then = "" if fate else " The next run tries it once more."
                job.fail(f"{name}: {error}{then}")
                self._store.put({row: GIVEN_UP if fate else UNKNOWN})
                is_done &= bool(fate)
        return is_done

    def deliver(
        self,
        report: Report,
        paths: Sequence[Path],
        done: Mapping[str, Any],
        *,
        kind: str = "",
        others_wait: bool = False,
    ) -> bool:
        """Mail a report to those of REPORT_TO who have not got it; gives whether nobody waits for it any more.

        A mail that fails is told. Whom the server refuses for good is given up, and ADMIN_TO is told of that once.

        done:        what is to be remembered when nobody waits for it any more
        kind:        tells it from other reports of the same time, so that who has got those is sent this one, too
        others_wait: whether somebody waits for it who gets no mail
        """
        job, to, name = self._job, self._job.settings.report_to, report.selection.name
        row = " ".join(filter(None, ["mail of", name, "so far" if report.as_of else "", kind]))
        labels = Labels(job.settings.language)
        job.check_lock()  # or another copy may be writing what is read here
        times = f"{row}, times"
        known = self._store.get_all([row, times, *map(_told, to)])
        fates: dict[str, str] = known.get(row, {})
        # Whoever asks for it anew wants another mail: one with the same Message-ID could be hidden as a copy.
        time = known.get(times, 0) + 1
        final = (ACCEPTED,) if self._by_hand else (ACCEPTED, GIVEN_UP)

        def remember(more: Mapping[str, Any], what: str = "", *, is_end: bool = False) -> bool:
            nobody_waits = not others_wait and all(fates.get(address) in final for address in to)
            # By hand, it ends after the server's good-bye: whoever was killed before that and runs again, mails nobody.
            is_over = (
                not others_wait
                and (is_end or not self._by_hand)
                and all(fates.get(address) == ACCEPTED for address in to)
            )
            of_row = {row: None, times: time} if is_over else {row: fates or None}
            self._store.put({**of_row, **more, **(done if nobody_waits else {})}, done=what)
            return nobody_waits

        def accepted(addresses: Sequence[str]) -> None:
            fates.update(dict.fromkeys(addresses, ACCEPTED))
            log.info("%s: mailed to %s", name, ", ".join(addresses))
            # A crash just before this sends it twice; the other way round it might never be sent.
            mended = {_told(address): None for address in addresses if _told(address) in known}
            remember(mended, f"The report of {name} was delivered")

        waiting = [address for address in to if fates.get(address) not in final]
        if not waiting and self._by_hand:
            log.warning("%s: everybody has got it already, so nobody is mailed. The next run sends it anew.", name)
        try:
            mail.send(
                report_mail(report, labels),
                paths,
                job.settings,
                only=waiting,
                thread=Thread(job.name, name),
                about=f"{row} {time}",
                if_too_large=lambda: report_mail(report, labels, [path.resolve() for path in paths]),
                pauses=self._pauses,
                each_try=self._each_try,
                on_accepted=accepted,
            )
        except MailError as error:
            self.is_server_away = error.is_server_away
            unknown = error.whose(Fate.UNKNOWN)
            given_up = [*error.whose(Fate.REFUSED), *(address for address in unknown if fates.get(address) == UNKNOWN)]
            again = [address for address in error.whose(Fate.WAITING) + unknown if address not in given_up]
            then = f" The next run sends it to {', '.join(again)}." if again else ""
            job.fail(f"{name}: {error}{then}")
            new = [address for address in given_up if _told(address) not in known]
            if new and job.settings.admin_to and not self._is_admin_told(new, report, error, labels):
                given_up = [address for address in given_up if address not in new]  # it would be, and nobody knew
            fates.update(dict.fromkeys(unknown, UNKNOWN) | dict.fromkeys(given_up, GIVEN_UP))
            return remember({})
        self.is_server_away = False
        if self._by_hand or not waiting:
            remember({}, is_end=True)
        return not others_wait

    def _is_admin_told(self, refused: Sequence[str], report: Report, error: MailError, labels: Labels) -> bool:
        """Mail ADMIN_TO who does not get reports; a mail that fails is told."""
        message = notice_mail(
            labels.format("report refused", to=", ".join(refused)),
            labels,
            [labels.format("report refused for", title=title(report, labels))],
            to_do=labels["check address"],
            error=str(error),
            notes=[labels["told once"]],
        )
        try:
            mail.send(
                message,
                [],
                self._job.settings,
                thread=Thread(self._job.name, f"{report.selection.name} refused"),
                to=self._job.settings.admin_to,
                key="ADMIN_TO",
                pauses=self._pauses,
                each_try=self._each_try,
                on_accepted=lambda _: self._store.put({_told(address): True for address in refused}),
            )
        except MailError as failure:
            self._job.fail(str(failure))
            return failure.others_got_it
        return True

    @contextmanager
    def _each_try(self) -> Iterator[None]:
        self._job.check_lock()
        with self._job.uninterrupted():
            yield


def _told(address: str) -> str:
    """The name under which is remembered that ADMIN_TO was told of an address that gets no reports."""
    return f"told of {address}"
