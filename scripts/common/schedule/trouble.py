"""Telling people and monitors how the runs of a job ended."""

import logging
import re
import shlex
import socket
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import requests

from binotel_core import within
from common.labels import Labels
from common.messages import mail
from common.messages.notice import notice_mail
from common.schedule.runs import Outcome
from common.settings import JOBS, Settings

PING_TIMEOUT_SECONDS = 10
MOST_SECONDS_OF_PING = 20  # all in all: a server that says a word now and then could hold up a job's end for ever
MAX_BODY_BYTES = 10_000  # what Healthchecks keeps of a log
LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?= )")

log = logging.getLogger(__name__)


def ping(job: str, settings: Settings, end: str = "", body: str = "") -> None:
    """Call a job's HEALTHCHECK_URL, if it has one. A monitor that does not answer is a warning, and nothing more.

    end: "/start" when it starts, "" when it has done its work, "/fail" when not: the convention of Healthchecks
         (https://healthchecks.io/docs/http_api/)
    """
    url = settings.healthcheck_urls.get(job)
    if not url:
        return
    address = urlsplit(url)
    url = urlunsplit(address._replace(path=address.path.rstrip("/") + end))
    try:
        problem = within(MOST_SECONDS_OF_PING, lambda: _ask(url, body.encode()[-MAX_BODY_BYTES:]))
    except TimeoutError:
        problem = "Timeout"
    if problem:
        log.warning("%s: the monitor does not answer (%s). Check HEALTHCHECK_URL_%s.", job, problem, job.upper())


def _ask(url: str, data: bytes) -> str:
    """What is wrong with the answer, if anything is."""
    try:
        method = "POST" if data else "GET"
        with requests.request(method, url, data=data, timeout=PING_TIMEOUT_SECONDS, stream=True) as answer:
            answer.raise_for_status()  # what it has to say besides is not waited for
    except Exception as error:  # whatever it is, the job's end must be noted
        code = getattr(getattr(error, "response", None), "status_code", None)
        return f"HTTP {code}" if code else type(error).__name__
    return ""


def tell_admin(label: str, outcome: Outcome, since: float, settings: Settings) -> bool:
    """Mail ADMIN_TO that a job failed, or that one which has failed since then works again.

    Gives whether there is nobody there, or somebody was told; a mail that fails is told in the log.
    """
    if not settings.admin_to:
        return True
    message = trouble_mail(label, outcome, since, settings)
    thread = mail.Thread("run_schedule", f"{label} {since}")  # from the failure to its end
    try:
        mail.send(message, [], settings, thread=thread, to=settings.admin_to, key="ADMIN_TO")
    except mail.MailError as error:
        log.error("%s", error)
        return error.others_got_it
    return True


def trouble_mail(label: str, outcome: Outcome, since: float, settings: Settings) -> mail.Mail:
    """The mail that says how a job ended which fails, or which has failed since then and works again."""
    labels = Labels(settings.language)
    moment, ended = (
        labels.moment(datetime.fromtimestamp(seconds, settings.timezone)) for seconds in (since, outcome.ended)
    )
    job = next((word for word in label.split() if word in JOBS), "")
    path = [str(settings.path)] if settings.path else []
    where = [labels.format("config file", path=path[0])] if path else []
    label = f"{label} ({socket.gethostname()})"
    if not outcome.problem:
        sentences = [labels.format("failed until", since=moment, time=ended), labels["nothing to do"]]
        return notice_mail(labels.format("job works again", job=label), labels, sentences, is_good=True, notes=where)
    return notice_mail(
        labels.format("job failed", job=label),
        labels,
        [labels[f"{job or 'run_schedule'} failed"], labels.format("failed since", since=moment)],
        to_do=labels["mend and run" if job else "mend"],
        command=shlex.join(["python", "scripts/run_schedule.py", "--once", job, *path]) if job else "",
        error=outcome.problem,
        lists=[(labels["end of the log"], _end_of_log(outcome, labels, settings))],
        notes=[*where, labels["told once a day"]],
    )


def _end_of_log(outcome: Outcome, labels: Labels, settings: Settings) -> list[str]:
    """The last lines of a run's output, by the account's clock, without the problem, which is told already."""

    def by_the_accounts_clock(match: re.Match[str]) -> str:
        moment = datetime.fromisoformat(match[0]).astimezone()  # the log goes by the computer's clock
        return labels.moment(moment.astimezone(settings.timezone))

    lines = [line for line in outcome.tail if outcome.problem not in line and not outcome.problem.endswith(line)]
    return [LOG_TIME.sub(by_the_accounts_clock, line) for line in lines]
