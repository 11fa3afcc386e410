"""Is everything right that the jobs need? Each check looks at one thing, changes nothing and sends nothing.

A check yields what it found: see Finding. Each ends by itself, or is given up.
"""

import getpass
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import filelock
import sqlalchemy

from binotel_core import (
    ApiError,
    BinotelClient,
    BinotelError,
    ClockError,
    SignatureError,
    Throttle,
    TookTooLongError,
    one_line,
    within,
)
from common.calls.call import start_of
from common.calls.days import of_day
from common.files import existing
from common.job import ledger_of
from common.messages import mail
from common.messages.chats import channels, chats
from common.recordings.storage import Archive
from common.settings import JOBS, PROJECT_ROOT, Settings, UsageError, job_of
from common.state.database import database_engine, database_reason
from common.state.locks import lock
from common.state.urls import file_of, is_server

OK, WARNING, FAULT, SKIPPED = "ok", "warning", "fault", "skipped"

MOST_SECONDS = 25  # for each check, all of which run at the same time
API_TIMEOUT = (7, 10)  # to connect, and for an answer
QUOTA_SECONDS = 5  # that are waited for it
MAIL_SECONDS = 20
LIGHT_METHOD = "settings/list-of-routes"
CLOCKS_APART_SECONDS = 30
FEWEST_CALLS, NIGHT_HOURS, MOST_AT_NIGHT = 20, range(6), 0.3  # more of them at night: that is no night
OLDEST_POSTGRESQL = 120_000  # version 12
CALL_BYTES, REPORT_BYTES, RECORDING_BYTES = 2_000, 100, 500_000  # that a call takes
DAYS_OF_A_MONTH = 31
MEGABYTE = 1_000_000
LITTLE_BYTES = 200 * MEGABYTE
PROBE = "check-setup.tmp"
CRON_FILES = ("/etc/crontab", "/etc/cron.d/*", "/etc/systemd/system/*.service", "~/.config/systemd/user/*.service")


@dataclass(frozen=True)
class Finding:
    """One line of what was found.

    level:  OK, WARNING, FAULT or SKIPPED
    name:   of the sentence in labels.py
    values: what to fill in there, `problem` a sentence of the program's own among them
    fix:    the name of the remedy in labels.py; "" where there is none
    """

    level: str
    name: str
    values: dict[str, Any]
    fix: str = ""


Findings = Iterator[Finding]


def ok(name: str, **values: Any) -> Finding:
    return Finding(OK, name, values)


def fault(name: str, fix: str, **values: Any) -> Finding:
    return Finding(FAULT, name, values, fix)


def warning(name: str, fix: str, **values: Any) -> Finding:
    return Finding(WARNING, name, values, fix)


def check_all(settings: Settings, warnings: Sequence[str]) -> Iterator[tuple[str, list[Finding]]]:
    """Each check's name, and what it found, in a fixed order. `warnings`: what was said while `settings` were read."""
    checks: dict[str, Callable[[], Findings]] = {
        "python": check_packages,
        "config": lambda: check_config(settings, warnings),
        "folders": lambda: check_folders(settings),
        "database": lambda: check_database(settings),
        "api": lambda: check_api(settings),
        "mail": lambda: check_mail(settings),
        "chats": lambda: check_chats(settings),
        "recordings": lambda: check_recordings(settings),
        "schedule": lambda: check_schedule(settings),
        "loop": lambda: check_loop(settings),
    }
    with ThreadPoolExecutor(len(checks)) as pool:
        futures = {name: pool.submit(_found, check) for name, check in checks.items()}
        for name, future in futures.items():
            yield name, future.result()


def _found(check: Callable[[], Findings]) -> list[Finding]:
    """What a check finds. One that breaks or lasts is a finding, too."""
    found: list[Finding] = []
    try:
        within(MOST_SECONDS, lambda: found.extend(check()))
    except TookTooLongError:
        return [*found, fault("took too long", "fix network", seconds=MOST_SECONDS)]
    except Exception as error:
        return [*found, fault("broke", "fix report", problem=one_line(f"{type(error).__name__}: {error}"))]
    return found


# --- This computer -----------------------------------------------------------


def check_packages() -> Findings:
    missing, other = [], []
    for line in (PROJECT_ROOT / "requirements.txt").read_text("utf-8").splitlines():
        if not (pinned := re.match(r"([\w.-]+)==([\w.]+)(?: ; (.*?))?(?: \\)?$", line)) or not _is_for_here(pinned[3]):
            continue
        try:
            if metadata.version(pinned[1]) != pinned[2]:
                other.append(f"{pinned[1]} {metadata.version(pinned[1])} ({pinned[2]})")
        except metadata.PackageNotFoundError:
            missing.append(pinned[1])
    python = ".".join(map(str, sys.version_info[:3]))
    if missing:
        yield fault("packages missing", "fix packages", names=", ".join(missing))
    elif other:
        yield warning("packages other", "fix packages", names=", ".join(other))
    else:
        yield ok("packages fine", version=python)


def _is_for_here(marker: str | None) -> bool:
    """Whether a package is needed on this system, as the lock file says of those that are not needed everywhere."""
    return not marker or f"sys_platform == '{sys.platform}'" in marker


def check_config(settings: Settings, warnings: Sequence[str]) -> Findings:
    if settings.path:
        yield ok("config fine", path=settings.path)
    else:
        yield ok("config environment")
    for problem in warnings:
        yield warning("says", "fix config warning", problem=problem)


def check_folders(settings: Settings) -> Findings:
    folders = {
        "DATABASE_URL": settings.state_dir,
        "REPORTS_DIR": settings.reports_dir,
        "BACKUPS_DIR": settings.backups_dir,
    }
    closed = {key: there for key, folder in folders.items() if not _is_open(there := existing(folder))}
    for key, there in closed.items():
        yield fault("folder closed", "fix folder", key=key, path=there, user=_user())
    if not closed:
        yield ok("folders fine")
    needed = max(LITTLE_BYTES, _bytes_of_a_month(settings))
    disks = {there.stat().st_dev: there for there in map(existing, folders.values())}
    short = {there: free for there in disks.values() if (free := shutil.disk_usage(there).free) < needed}
    for there, size in short.items():
        level = fault if size < LITTLE_BYTES else warning
        sizes = {"free": size // MEGABYTE, "needed": needed // MEGABYTE}
        yield level("disk full", "fix disk", path=there, **sizes)
    if not short:
        yield ok("disk fine", needed=needed // MEGABYTE)


def _is_open(folder: Path) -> bool:
    """Whether we may write there."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _bytes_of_a_month(settings: Settings) -> int:
    """What a month of calls takes, by the last week that the archive holds; nothing where it holds none."""
    file = file_of(settings.database_url)
    if is_server(settings.database_url) or not file.is_file():
        return 0
    with suppress(sqlalchemy.exc.SQLAlchemyError), database_engine(f"sqlite:///{file}", 1).connect() as connection:
        week = sqlalchemy.text("SELECT count(*) FROM calls WHERE start > :since")
        calls = int(connection.execute(week, {"since": time.time() - 7 * 86400}).scalar_one())
        records = "download_records" in map(job_of, settings.timetables) and "://" not in settings.records_url
        return calls * DAYS_OF_A_MONTH // 7 * (CALL_BYTES + REPORT_BYTES + (RECORDING_BYTES if records else 0))
    return 0


def _user() -> str:
    with suppress(OSError, ImportError, KeyError):  # what it raises where there is no such user
        return getpass.getuser()
    return ""


# --- The database ------------------------------------------------------------


def check_database(settings: Settings) -> Findings:
    url = settings.database_url
    file = file_of(url)
    if not is_server(url) and not (file.is_file() and file.stat().st_size):
        emptied = file.with_name(f"{file.name}.made").exists() and file.is_file()
        yield fault("database emptied", "fix database file", path=file) if emptied else ok("database new", path=file)
        return
    try:
        with database_engine(url, 5).connect() as connection:
            if is_server(url):
                yield from _check_server(connection)
                return
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # it may be written to: see begin()
            connection.rollback()  # nobody who writes has to wait until a big file is looked through
            driver: Any = connection.connection
            found = driver.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                yield fault("database broken", "fix database file", path=file, problem=one_line(str(found)))
            else:
                yield ok("database file", path=file)
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        reason = one_line(database_reason(error))
        fix = "fix database server" if is_server(url) else _remedy_of_file(reason)
        yield fault("database closed", fix, problem=f"{reason}.", key="DATABASE_URL", path=file.parent, user=_user())


def _remedy_of_file(reason: str) -> str:
    """Which remedy helps: a file that is in use, or closed to us, is not one to be taken away."""
    for words, fix in (
        ("locked", "fix database busy"),
        ("readonly", "fix folder"),
        ("unable to open", "fix folder"),
        ("ermission denied", "fix folder"),
        ("full", "fix disk"),
        ("disk I/O", "fix disk"),
    ):
        if words in reason:
            return fix
    return "fix database file"


def _check_server(connection: sqlalchemy.Connection) -> Findings:
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if version < OLDEST_POSTGRESQL:
        yield fault("database old", "fix database old", version=version // 10_000, oldest=OLDEST_POSTGRESQL // 10_000)
        return
    may = connection.exec_driver_sql("SELECT has_schema_privilege(current_schema(), 'CREATE')").scalar()
    if not may:
        yield fault("database rights", "fix database rights")
        return
    yield ok("database server", version=version // 10_000)


# --- Binotel -----------------------------------------------------------------


class QuotaBusyError(BinotelError):
    """Others use the quota now."""


def check_api(settings: Settings) -> Findings:
    """One light request, and a heavy one through the quota: yesterday's calls, by which the zone is judged."""

    def wait(seconds: float) -> None:
        if seconds > QUOTA_SECONDS:
            raise QuotaBusyError(f"The quota is free in {seconds:.0f} s.")
        time.sleep(seconds)

    throttle = Throttle(ledger_of(settings.database_url), settings.key, sleep=wait)
    client = BinotelClient(
        settings.key,
        settings.secret,
        throttle=throttle,
        base_url=settings.api_url,
        verify_answers=settings.verify_answers,
        timeout=API_TIMEOUT,
        pauses=(),
    )
    version = "4.0" if client.is_4 else "2.0"
    try:
        client.call(LIGHT_METHOD)
    except BinotelError as error:
        yield _closed(error)
        return
    yield ok("api fine", version=version, url=settings.api_url)
    ahead = client.clock_ahead_seconds
    if abs(ahead) > CLOCKS_APART_SECONDS:
        yield warning("clock off", "fix clock", seconds=round(abs(ahead)))
    else:
        yield ok("clock fine")
    yesterday = datetime.now(settings.timezone).date() - timedelta(days=1)
    noon = (of_day(yesterday, settings.timezone).first + of_day(yesterday, settings.timezone).last) // 2
    try:
        entries = client.calls_per_day(noon)
    except QuotaBusyError as error:
        yield warning("quota busy", "fix quota", problem=str(error))
        return
    except BinotelError as error:
        yield _closed(error)
        return
    yield _zone(settings, yesterday, [start for start in map(start_of, entries) if start])


def _closed(error: BinotelError) -> Finding:
    """What an error of a request says. That of the quota's book is the database's, which has a check of its own."""
    if str(error).startswith("The database that keeps"):  # both ledgers say so
        return Finding(SKIPPED, "after database", {})
    return fault("says", _remedy_of(error), problem=_problem_of(error))


def _zone(settings: Settings, day: Any, starts: list[int]) -> Finding:
    """Whether a day's calls are of that day, and by day, in the account's zone."""
    moments = [datetime.fromtimestamp(start, settings.timezone) for start in starts]
    zone = settings.timezone.key
    if any(moment.date() != day for moment in moments):
        return fault("zone other day", "fix zone", zone=zone, count=sum(moment.date() != day for moment in moments))
    night = sum(moment.hour in NIGHT_HOURS for moment in moments)
    if len(moments) >= FEWEST_CALLS and night > MOST_AT_NIGHT * len(moments):
        return warning("zone night", "fix zone", zone=zone, count=night, all=len(moments))
    if not moments:
        return warning("no calls yesterday", "fix no calls")
    return ok("zone fine", zone=zone, count=len(moments))


def _problem_of(error: BinotelError) -> str:
    return str(error).removesuffix(error.hint).strip()


def _remedy_of(error: BinotelError) -> str:
    """Which remedy helps against an error of the API."""
    match error:
        case ApiError(code=103 | 121):
            return "fix key"
        case ApiError(code=105):
            return "fix later"
        case ApiError(code=106):
            return "fix quota"
        case ApiError(code=120):
            return "fix account"
        case SignatureError():
            return "fix secret"
        case ClockError():
            return "fix clock"
        case ApiError():
            return "fix support"
    text = _problem_of(error)
    for words, fix in (
        ("secure connection", "fix tls"),
        ("resolved", "fix name"),
        ("proxy", "fix proxy"),
        ("HTTP 429", "fix quota"),
        ("HTTP 40", "fix ip"),
        ("HTTP 5", "fix later"),
        ("web page", "fix address"),
        ("not whole JSON", "fix address"),
        ("HTTP", "fix address"),
    ):
        if words in text:
            return fix
    return "fix ip"


# --- What reaches people -----------------------------------------------------


def recipients(settings: Settings) -> dict[str, str]:
    """Every address that mails go to, and the key that names it first."""
    keys = {"REPORT_TO": settings.report_to, "ALERT_TO": settings.alert_to, "ADMIN_TO": settings.admin_to}
    found: dict[str, str] = {}
    for key, addresses in keys.items():
        for address in addresses:
            found.setdefault(address, key)
    return found


def check_mail(settings: Settings) -> Findings:
    to = list(recipients(settings))
    if not to:
        yield warning("mail nobody", "fix mail nobody")
        return
    if not settings.admin_to and settings.timetables:
        yield warning("admin nobody", "fix admin nobody")
    problems = mail.problems_with(to, settings, MAIL_SECONDS)
    for problem in problems:
        fixes = {
            "user name or the password": "fix login",
            "refused the sender": "fix sender",
            "secure connection": "fix mail tls",
            "resolved": "fix mail name",
            "the recipient": "fix recipient",
            "cannot do what is asked": "fix mail tls",
            "MB at most": "",
        }
        fix = next((fix for words, fix in fixes.items() if words in problem), "fix mail")
        yield (fault if fix else warning)("says", fix, problem=problem.partition(" Check ")[0])
    if not problems:
        yield ok("mail fine", server=f"{settings.smtp_host}:{settings.smtp_port}", count=len(to))


def check_chats(settings: Settings) -> Findings:
    found = [*chats(settings.alert_urls, "ALERT_URLS"), *chats(settings.summary_urls, "SUMMARY_URLS")]
    if found:
        yield ok("chats fine", names=", ".join(dict.fromkeys(channel.name for channel in found)))
    else:
        yield ok("chats none")


def check_recordings(settings: Settings) -> Findings:
    if "download_records" not in map(job_of, settings.timetables):
        yield Finding(SKIPPED, "recordings off", {})
        return
    folder = Path(settings.records_url)
    if "://" not in settings.records_url and not folder.exists():
        there = existing(folder)
        if _is_open(there):
            yield ok("recordings new", path=folder)
        else:
            yield fault("folder closed", "fix folder", key="RECORDS_URL", path=there, user=_user())
        return
    try:
        with TemporaryDirectory() as scratch:
            store = Archive(settings.records_url, Path(scratch))
            with store.new_file(PROBE) as file:
                file.write(b"check")
            with store.open(PROBE) as file:
                content = file.read()
            store.remove(PROBE)
    except (OSError, UsageError) as error:
        yield fault("says", "fix recordings", problem=one_line(str(error)))
        return
    yield ok("recordings fine") if content == b"check" else fault("recordings differ", "fix recordings")


# --- When jobs run -----------------------------------------------------------


def check_schedule(settings: Settings) -> Findings:
    for name, timetable in settings.timetables.items():
        due = datetime.fromtimestamp(timetable.next_due(time.time(), settings.timezone), settings.timezone)
        words = " ".join([job_of(name), *timetable.arguments])
        yield ok("due", job=words, line=timetable.text, moment=due)
    if not settings.timetables:
        yield warning("nothing scheduled", "fix schedule")


def check_loop(settings: Settings) -> Findings:
    if settings.timetables and (is_server(settings.database_url) or settings.state_dir.is_dir()):
        running = False
        try:
            with lock(settings.database_url, settings.key, "run_schedule", 2):
                pass
        except filelock.Timeout:
            running = True
        except (OSError, sqlalchemy.exc.SQLAlchemyError, BinotelError):
            yield Finding(SKIPPED, "after database", {})
            return
        yield ok("loop runs") if running else warning("loop stopped", "fix loop")
    elif settings.timetables:
        yield warning("loop stopped", "fix loop")
    twice = sorted(set(map(job_of, settings.timetables)) & started_elsewhere())
    if twice:
        yield warning("started twice", "fix twice", jobs=", ".join(twice))


def started_elsewhere() -> set[str]:
    """The jobs that a line of cron or a unit of systemd starts, too."""
    texts = []
    with suppress(OSError, subprocess.SubprocessError):
        if crontab := shutil.which("crontab"):
            listed = subprocess.run([crontab, "-l"], capture_output=True, text=True, timeout=5, check=False)
            texts.append(listed.stdout)
    for pattern in CRON_FILES:
        path = Path(pattern).expanduser()
        for file in path.parent.glob(path.name):
            with suppress(OSError, UnicodeDecodeError):
                texts.append(file.read_text("utf-8"))
    lines = [line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")]
    return {job for job in JOBS for line in lines if re.search(rf"\b{job}\.py\b|--once {job}\b", line)}


# --- What is sent when that is wanted ----------------------------------------


def send_tests(settings: Settings, message: mail.Mail) -> Findings:
    """Send a test to every address and every chat."""
    for address, key in recipients(settings).items():
        try:
            thread = mail.Thread("check_setup", "test")
            mail.send(message, [], settings, thread=thread, to=[address], key=key, pauses=iter(()))
        except BinotelError as error:
            yield fault("says", "fix mail", problem=_problem_of(error))
        else:
            yield ok("sent", whom=address)
    alerts = [channel for channel in channels(settings) if channel.fits]
    for channel in [*alerts, *chats(settings.summary_urls, "SUMMARY_URLS")]:
        try:
            channel.send(message, lambda: None)
        except BinotelError as error:
            yield fault("says", "fix chat", problem=_problem_of(error))
        else:
            yield ok("sent", whom=channel.name)


class Noted(logging.Handler):
    """Keeps what is said while the configuration is read."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
