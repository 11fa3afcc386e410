"""config.env and the environment -> one checked Settings object."""

import dataclasses
import difflib
import logging
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from dotenv.parser import parse_stream

from binotel_core import API_URL, check_base_url, is_loopback, one_line
from common.labels import LANGUAGES
from common.state.urls import FILE, file_of, is_server
from common.timetable import Timetable

# That run_schedule.py runs.
JOBS = (
    "export_calls_per_day",
    "export_calls_for_period",
    "alert_lost_calls",
    "alert_lines",
    "download_records",
    "backup_customers",
    "archive_calls",
    "tell_health",
)
TOKEN_LENGTH = 8  # parts of a chat channel's URL that are so long may be secrets
MINUTES_OF_A_DAY = 24 * 60
MAX_ADDRESS_LENGTH = 254  # RFC 5321
# Cyrillic and Greek letters that look like English ones; and some that do so to those who expect .com or .net.
LIKE_ENGLISH = frozenset("асеорхуіјѕԁԛԝһӏАВЕКМНОРСТХУІЈЅԌԚԜҺӀοανΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
LIKE_ENGLISH_AT_THE_END = LIKE_ENGLISH | set("вкмнт")
PROJECT_ROOT = Path(__file__).resolve().parents[2]
SMTP_SECURITIES = ("starttls", "tls", "none")
DATABASE_URLS = (
    "write sqlite:///var/binotel.db for a file, or postgresql+psycopg://user:password@host/name for a server."
)

log = logging.getLogger(__name__)


class UsageError(Exception):
    """What the user asks for cannot be: exit code 2. `faults` are sentences, one for each thing to mend."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


class SettingsError(UsageError):
    """The configuration cannot be used. `api_url` and `language` are what it says of these all the same, or ""."""

    api_url = language = ""


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything config.example.env documents, checked and in the types the scripts use."""

    path: Path | None  # of the config file; None when all comes from the environment
    key: str = dataclasses.field(repr=False)
    secret: str = dataclasses.field(repr=False)
    api_url: str
    verify_answers: bool
    timezone: ZoneInfo
    language: str
    database_url: str = dataclasses.field(repr=False)  # may hold a password
    state_dir: Path  # what jobs keep beside the database: locks, and answers until their job is done
    reports_dir: Path
    smtp_host: str
    smtp_port: int
    smtp_security: str
    smtp_user: str
    smtp_password: str = dataclasses.field(repr=False)
    mail_from: str
    report_to: tuple[str, ...]
    alert_to: tuple[str, ...]
    alert_urls: tuple[str, ...] = dataclasses.field(repr=False)  # they hold tokens
    summary_urls: tuple[str, ...] = dataclasses.field(repr=False)
    alert_tell_done: bool
    lost_call_grace_minutes: int
    line_offline_minutes: int
    lines_ignored: tuple[str, ...]
    working_hours: tuple[time, time] | None
    service_level_seconds: int
    backups_dir: Path
    backups_keep: int
    calls_keep_days: int | None
    admin_to: tuple[str, ...]
    records_url: str = dataclasses.field(repr=False)  # may hold a password
    records_patience_hours: int
    record_max_mb: int
    timetables: Mapping[str, Timetable]  # of the jobs that run_schedule.py runs; job_of() tells whose each is
    healthcheck_urls: Mapping[str, str] = dataclasses.field(repr=False)  # by job; whoever has one may use it

    def lines(self) -> Iterator[str]:
        """Each setting on a line of its own; of those that may hold a secret, whether there is one."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not field.repr:
                value = "***" if value else ""
            elif field.name == "timetables":
                value = ", ".join(f"{name} {timetable.line}" for name, timetable in value.items())
            elif isinstance(value, tuple):
                value = ", ".join(map(str, value))
            yield f"{field.name} = {value}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in a log or a message."""
        tokens = [
            part
            for url in (*self.alert_urls, *self.summary_urls)
            for form in (url, unquote(url))
            for part in (*re.split(r"[/?&=@]", form), *re.split(r"[/?&=@:]", form))
            if len(part) >= TOKEN_LENGTH and not is_loopback(part)
        ]
        password = (urlsplit(self.records_url).password or "") if "://" in self.records_url else ""
        of_database = urlsplit(self.database_url).password or ""
        passwords = (self.smtp_password, password, unquote(password), of_database, unquote(of_database))
        # A check may be called what its job is called, which is no secret.
        of_monitors = [
            part
            for url in self.healthcheck_urls.values()
            for part in re.split(r"[/?&=]", url.partition("://")[2].partition("/")[2])
            if len(part) >= TOKEN_LENGTH and part.replace("-", "_") not in JOBS
        ]
        return tuple(secret for secret in (self.secret, self.key, *passwords, *tokens, *of_monitors) if secret)


# Key in the configuration -> default. A default of None means that the key must be given.
DEFAULTS: dict[str, str | None] = {
    "BINOTEL_KEY": None,
    "BINOTEL_SECRET": None,
    "BINOTEL_API_URL": API_URL,
    "BINOTEL_VERIFY_ANSWERS": "yes",
    "TIMEZONE": "Europe/Kyiv",
    "REPORT_LANGUAGE": "uk",
    "DATABASE_URL": "sqlite:///var/binotel.db",
    "REPORTS_DIR": "reports",
    "SMTP_HOST": "",
    "SMTP_PORT": "587",
    "SMTP_SECURITY": "starttls",
    "SMTP_USER": "",
    "SMTP_PASSWORD": "",
    "MAIL_FROM": "",
    "REPORT_TO": "",
    "ALERT_TO": "",
    "ALERT_URLS": "",
    "SUMMARY_URLS": "",
    "ALERT_TELL_DONE": "no",
    "LOST_CALL_GRACE_MINUTES": "10",
    "LINE_OFFLINE_MINUTES": "10",
    "LINES_IGNORED": "",
    "WORKING_HOURS": "",
    "SERVICE_LEVEL_SECONDS": "20",
    "BACKUPS_DIR": "backups",
    "BACKUPS_KEEP": "30",
    "CALLS_KEEP_DAYS": "",
    "ADMIN_TO": "",
    "RECORDS_URL": "records",
    "RECORDS_PATIENCE_HOURS": "48",
    "RECORD_MAX_MB": "200",
    **{f"SCHEDULE_{job.upper()}": "" for job in JOBS},
    **{f"HEALTHCHECK_URL_{job.upper()}": "" for job in JOBS},
}

_TYPOGRAPHIC = ("“", "”", "„", "‘", "’", "‚", "«", "»", "`", "´")


def load_settings(config: str | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings from `config`, else $BINOTEL_CONFIG, else config.env in the project's root; the environment wins.

    Relative paths are taken from the folder of the config file. Raises SettingsError with all the faults at once.
    """
    chosen = config or environment.get("BINOTEL_CONFIG")
    path = Path(chosen).absolute() if chosen else PROJECT_ROOT / "config.env"
    faults: list[str] = []
    values: dict[str, str] = {}
    is_there = bool(chosen) or path.exists()
    if is_there:
        values = _read(path, faults)
    # One that is empty is often the trace of a template, and says nothing.
    from_environment = {key: environment[key] for key in DEFAULTS if environment.get(key, "").strip()}
    settings = _Checker(path, values, from_environment, faults).settings()
    if faults:
        error = SettingsError(*faults)
        error.api_url, error.language = settings.api_url, settings.language
        raise error
    return settings if is_there else dataclasses.replace(settings, path=None)


def _read(path: Path, faults: list[str]) -> dict[str, str]:
    """The keys and values of a config file; what is wrong with its lines goes into `faults`."""
    values: dict[str, str] = {}
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file. Copy config.example.env there and fill it in.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not text in UTF-8: save it as UTF-8 in your editor.") from None
    except OSError as error:
        remedy = "It must be a file that the user who runs this may read."
        raise SettingsError(f"{path}: cannot be read: {error.strerror}. {remedy}") from None
    if "\0" in text:  # of UTF-16 without a mark, every other byte
        raise SettingsError(f"{path}: is not text in UTF-8: save it as UTF-8 in your editor.")
    if os.name == "posix" and path.is_file():
        mode = path.stat().st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            log.warning("%s can be changed by other users, who would get your secrets: chmod 600 it.", path)
        elif mode & stat.S_IROTH:
            log.warning("%s can be read by every user of this computer, and holds your secrets: chmod 600 it.", path)
    for binding in parse_stream(StringIO(text)):
        if binding.key is None and not binding.error:
            continue  # a comment or a blank line
        if binding.error or binding.key is None or binding.value is None:
            line = f"{path}: line {binding.original.line}"
            if re.match(r"""\s*\w+\s*=\s*("[^"\n]*"|'[^'\n]*')""", binding.original.string):
                faults.append(f"{line} goes on after a closing quote: put the whole value in 'single quotes'.")
            else:
                faults.append(f"{line} is not KEY=value, or has an open quote: mend it or put # before it.")
        elif binding.key not in DEFAULTS:
            near = difflib.get_close_matches(binding.key.upper(), DEFAULTS, 1)
            remedy = f"Did you mean {near[0]}?" if near else "config.example.env lists all keys."
            faults.append(f"{path}: {binding.key} is not a known key. {remedy}")
        elif binding.key in values:
            faults.append(f"{path}: {binding.key} stands there twice: remove one of the lines.")
        else:
            written = binding.original.string.partition("=")[2].strip()
            values[binding.key] = binding.value
            if problem := _misread(binding.value, written):
                faults.append(f"{path}: {binding.key} {problem}")
            elif _is_cut(binding.value, written):
                log.warning(
                    "%s: what follows the # is no part of %s: put the value in 'single quotes' if it is meant to be, "
                    "or the comment on a line of its own.",
                    path,
                    binding.key,
                )
    return values


def _misread(value: str, written: str) -> str:
    """What is wrong with a value that is not what its writer means; "" when all is well.

    value:   as it was read
    written: as it stands in the file, with its quotes and a comment
    """
    if written.startswith('"') and '"{}"'.format(value.replace('"', '\\"')) not in written:
        return "has a \\ in double quotes, where it stands for another character: use 'single quotes', or none."
    if re.match(r"'\\\\[^\\]", written):
        return r"begins with \\, which in quotes is read as one \: leave out the quotes."
    if written.startswith(_TYPOGRAPHIC):
        return "begins with a quote that only word processors use: use 'single quotes'."
    if re.search("[\x01-\x08\n-\x1f\x7f-\x9f]", value):
        return "goes over the end of its line, or holds a control character: is a quote open?"
    return ""


def _is_cut(value: str, written: str) -> bool:
    """Whether a # has ended a value that has no quotes, and may be meant as a part of it."""
    is_comment_alone = not value and not re.match(r"#\S", written)
    return written[:1] not in ("'", '"') and value != written and not is_comment_alone


class _Checker:
    """Turns texts into typed values; every fault is noted, and the next value looked at all the same."""

    def __init__(self, path: Path, values: dict[str, str], from_environment: dict[str, str], faults: list[str]) -> None:
        self._path = path
        self._values = values | from_environment
        self._from_environment = from_environment
        self._faults = faults

    def settings(self) -> Settings:
        database_url = self._checked("DATABASE_URL", self._database_url, "sqlite:///")
        settings = Settings(
            path=self._path,
            key=self._checked("BINOTEL_KEY", _printable, ""),
            secret=self._checked("BINOTEL_SECRET", _printable, ""),
            api_url=self._checked("BINOTEL_API_URL", check_base_url, API_URL),
            verify_answers=self._checked("BINOTEL_VERIFY_ANSWERS", _yes_or_no, True),
            timezone=self._checked("TIMEZONE", _timezone, ZoneInfo("UTC")),
            language=self._choice("REPORT_LANGUAGE", LANGUAGES),
            database_url=database_url,
            state_dir=self._path.parent / "var" if is_server(database_url) else file_of(database_url).parent,
            reports_dir=self._checked("REPORTS_DIR", self._folder, Path()),
            smtp_host=self._checked("SMTP_HOST", _host, ""),
            smtp_port=self._checked("SMTP_PORT", _port, 587),
            smtp_security=self._choice("SMTP_SECURITY", SMTP_SECURITIES),
            smtp_user=self._checked("SMTP_USER", _ascii, ""),
            smtp_password=self._checked("SMTP_PASSWORD", _ascii, ""),
            mail_from=self._checked("MAIL_FROM", _sender, ""),
            report_to=self._checked("REPORT_TO", _addresses, ()),
            alert_to=self._checked("ALERT_TO", _addresses, ()),
            alert_urls=self._checked("ALERT_URLS", _chats, ()),
            summary_urls=self._checked("SUMMARY_URLS", _chats, ()),
            alert_tell_done=self._checked("ALERT_TELL_DONE", _yes_or_no, False),
            lost_call_grace_minutes=self._checked("LOST_CALL_GRACE_MINUTES", _minutes, 10),
            line_offline_minutes=self._checked("LINE_OFFLINE_MINUTES", _minutes, 10),
            lines_ignored=self._checked("LINES_IGNORED", _lines, ()),
            working_hours=self._checked("WORKING_HOURS", _hours, None),
            service_level_seconds=self._checked("SERVICE_LEVEL_SECONDS", _count, 20),
            backups_dir=self._checked("BACKUPS_DIR", self._folder, Path()),
            backups_keep=self._checked("BACKUPS_KEEP", _count, 30),
            calls_keep_days=self._checked("CALLS_KEEP_DAYS", _optional_count, None),
            admin_to=self._checked("ADMIN_TO", _addresses, ()),
            records_url=self._checked("RECORDS_URL", self._records_url, ""),
            records_patience_hours=self._checked("RECORDS_PATIENCE_HOURS", _count, 48),
            record_max_mb=self._checked("RECORD_MAX_MB", _count, 200),
            timetables=self._timetables(),
            healthcheck_urls=self._of_jobs("HEALTHCHECK_URL_", _url),
        )
        mail = {"REPORT_TO": settings.report_to, "ALERT_TO": settings.alert_to, "ADMIN_TO": settings.admin_to}
        asking = [key for key, to in mail.items() if to]
        for key in ("SMTP_HOST", "MAIL_FROM"):
            if asking and not self._text(key):
                self._fault(key, f"is missing, and {asking[0]} asks for mail.", f"Fill it in, or empty {asking[0]}.")
        for job in ("alert_lost_calls", "alert_lines"):
            if settings.timetables.get(job) and not (settings.alert_to or settings.alert_urls):
                remedy = "Fill in ALERT_TO or ALERT_URLS, or empty it."
                self._fault(f"SCHEDULE_{job.upper()}", "would tell nobody.", remedy)
        for name, timetable in settings.timetables.items():
            if job_of(name) == "export_calls_for_period" and not timetable.arguments:
                remedy = "Add one, as in 'monday at 08:00 | last-week'."
                self._fault("SCHEDULE_EXPORT_CALLS_FOR_PERIOD", "names no period.", remedy)
        if settings.smtp_host and settings.smtp_security == "none" and not is_loopback(settings.smtp_host):
            self._fault(
                "SMTP_SECURITY", "is 'none', which is only for a server on this machine.", "Use starttls or tls."
            )
        if bool(settings.smtp_user) != bool(settings.smtp_password):
            missing = "SMTP_PASSWORD" if settings.smtp_user else "SMTP_USER"
            self._fault(missing, "is missing.", "SMTP_USER and SMTP_PASSWORD go together: fill in both or neither.")
        return settings

    def _fault(self, key: str, problem: str, remedy: str = "") -> None:
        where = "the environment" if key in self._from_environment else self._path
        self._faults.append(f"{where}: {key} {problem} {remedy}".rstrip())

    def _text(self, key: str) -> str:
        default = DEFAULTS[key]
        text = self._values.get(key, default or "").strip()
        if not text and default is None:
            remedy = "Binotel gives it: write to support@binotel.ua."
            if not self._path.exists():
                remedy = f"Copy config.example.env to {self._path.name} and fill it in."
            self._fault(key, "is missing.", remedy)
        return text or default or ""

    def _checked(self, key: str, check: Callable[[str], Any], fallback: Any) -> Any:
        """The value as `check` makes it of the text; a ValueError becomes a fault."""
        try:
            return check(self._text(key))
        except ValueError as error:
            self._fault(key, f"cannot be used: {error}")
            return fallback

    def _of_jobs(self, prefix: str, check: Callable[[str], Any]) -> dict[str, Any]:
        """The values of keys that there are one of a job, by job, but those that are empty."""
        keys = {job: f"{prefix}{job.upper()}" for job in JOBS}
        return {job: self._checked(key, check, None) for job, key in keys.items() if self._text(key)}

    def _timetables(self) -> dict[str, Timetable]:
        """By the name of the job; where one has several, each by its line, too."""
        timetables = {}
        for job, lines in self._of_jobs("SCHEDULE_", _lines_of_timetables).items():
            for line, timetable in (lines or {}).items():
                timetables[job if len(lines) == 1 else f"{job} {line}"] = timetable
        return timetables

    def _choice(self, key: str, choices: tuple[str, ...]) -> str:
        text = self._text(key).lower()
        if text not in choices:
            self._fault(key, f"is {text!r}.", f"Use one of: {', '.join(choices)}.")
        return text

    def _folder(self, text: str) -> Path:
        try:
            return self._path.parent / Path(text).expanduser()
        except RuntimeError:
            raise ValueError(f"there is no home folder for {text!r}: write the whole path.") from None

    def _records_url(self, text: str) -> str:
        """A folder's whole path, or a URL of another kind of storage that fsspec knows."""
        if "://" not in text:
            return str(self._folder(text))
        import fsspec  # slow to import, and only those who use a bucket need it

        protocol = text.partition("://")[0]
        if protocol not in fsspec.available_protocols():
            raise ValueError(
                f"there is no storage {one_line(protocol)[:20]}://; write a folder, or s3://bucket/prefix."
            )
        return text

    def _database_url(self, text: str) -> str:
        if is_server(text):
            return _server_url(text)
        path = text.removeprefix(FILE)
        if not text.startswith(FILE) or path in ("", ":memory:"):
            raise ValueError(DATABASE_URLS)
        if "?" in path:
            raise ValueError("a ? begins options, and a file here has none: choose a name without it.")
        return f"{FILE}{self._folder(path)}"


def _server_url(text: str) -> str:
    import sqlalchemy  # slow to import, and only those who use a server need it

    if text.partition("?")[0].count("@") > 1:
        raise ValueError("there is an @ in the password: write it as %40.")
    try:
        url = sqlalchemy.make_url(text)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise ValueError(DATABASE_URLS) from None
    if url.get_backend_name() != "postgresql":
        raise ValueError(DATABASE_URLS)
    try:
        import psycopg  # noqa: F401 - whether it is there is asked
    except ImportError:
        raise ValueError("for PostgreSQL, run pip install -r requirements-postgresql.txt.") from None
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _yes_or_no(text: str) -> bool:
    if text.lower() in ("yes", "true", "on", "1"):
        return True
    if text.lower() in ("no", "false", "off", "0"):
        return False
    raise ValueError("write yes or no.")


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"there is no time zone {text!r}; Ukraine's is Europe/Kyiv.") from None


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("write a number from 1 to 65535, usually 587.")
    return int(text)


def _minutes(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) > MINUTES_OF_A_DAY:
        raise ValueError(f"write a number of minutes from 0 to {MINUTES_OF_A_DAY}.")
    return int(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not int(text):
        raise ValueError("write a number, 1 or more.")
    return int(text)


def _optional_count(text: str) -> int | None:
    return _count(text) if text else None


def _lines(text: str) -> tuple[str, ...]:
    lines = tuple(filter(None, re.split(r"[\s,;]+", text)))
    if wrong := [line for line in lines if not re.fullmatch("[0-9]{1,8}", line)]:
        raise ValueError(f"{wrong[0]!r} is no internal line: write them as 901, 902.")
    return lines


def _lines_of_timetables(text: str) -> dict[str, Timetable]:
    """What each of the lines means that are split by semicolons."""
    timetables = [Timetable.parse(line) for line in text.split(";") if line.strip()]
    return {timetable.line: timetable for timetable in timetables}


def job_of(name: str) -> str:
    """The job whose timetable has this name in Settings.timetables."""
    return name.partition(" ")[0]


def _hours(text: str) -> tuple[time, time] | None:
    """The hours of a day, from the first to before the second; they may go over midnight."""
    if not text:
        return None
    try:
        first, last = (
            datetime.strptime(part.strip(), "%H:%M").time()  # noqa: DTZ007 - no moment
            for part in text.replace("–", "-").split("-")
        )
    except ValueError:
        first = last = time()
    if first == last:
        raise ValueError(f"{text!r} are no hours: write them as 09:00-18:00.")
    return first, last


def _chats(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    import apprise  # slow to import, and only those who use chats need it

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # what it says of a wrong URL may hold a token
    urls = tuple(text.split())
    for number, url in enumerate(urls, 1):
        service = apprise.Apprise()
        service.add(url)
        kind = f"{one_line(url.partition(':')[0])[:20]}://..." if "://" in url else "no URL"
        if not service:
            raise ValueError(
                f"number {number}, {kind}, is not an address that Apprise understands. "
                "Split several by spaces; README shows how to get one."
            )
        if len(service) > 1 or len(service[0]) > 1:
            # If one of them failed, those that took the message would get it again.
            raise ValueError(f"number {number}, {kind}, names several chats. Give each an URL, split by spaces.")
    return urls


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds characters that no key has: copy it again from Binotel's letter.")
    return text


def _host(text: str) -> str:
    if not text or is_loopback(text):
        return text
    if not re.fullmatch(r"[\w-]{1,63}(\.[\w-]{1,63})*", text):
        raise ValueError(f"{text!r} is no server's name: write it as smtp.example.com.")
    _check_letters(text, _look_alikes(text))
    return _ascii_domain(text)


def _url(text: str) -> str:
    address = urlsplit(text)
    if address.scheme not in ("https", "http") or not address.hostname or not text.isprintable() or " " in text:
        raise ValueError("write the whole address, as in https://hc-ping.com/your-uuid.")
    return text


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("mail servers take English letters only: was it typed with another keyboard layout?")
    return text


def _addresses(text: str) -> tuple[str, ...]:
    """The addresses of a list, each once, their domains in ASCII."""
    addresses: dict[str, str] = {}  # by what two spellings of one address have in common
    faults = []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            address = _address(part, "name@example.com, second@example.com")
        except ValueError as error:
            faults.append(str(error))
        else:
            name, _, domain = address.rpartition("@")
            addresses.setdefault(f"{name}@{domain.lower()}", address)
    if faults:
        raise ValueError(" ".join(faults))
    return tuple(addresses.values())


def name_and_address(sender: str) -> tuple[str, str]:
    """The two parts of MAIL_FROM; the name may be ""."""
    name, bracket, address = sender.rpartition("<")
    if not bracket:
        return "", sender
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', name.strip())
    return (re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else name).strip(), address.removesuffix(">").strip()


def _sender(text: str) -> str:
    if not text:
        return ""
    name, address = name_and_address(text)
    if "<" in text and not (name and name.isprintable() and text.endswith(">") and not re.search("[<>]", name)):
        raise ValueError(f"{text!r} is not a mail address; write name@example.com, or Name <name@example.com>.")
    address = _address(address)
    return f"{name} <{address}>" if name else address


def _address(text: str, example: str = "name@example.com") -> str:
    """A mail address that every server takes: its domain as xn--... if it has other letters than English ones."""
    if not re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)*", text) or len(text) > MAX_ADDRESS_LENGTH:
        raise ValueError(f"{text!r} is not a mail address; write {example}.")
    name, _, domain = text.rpartition("@")
    begin = len(name) + 1
    strange = [place for place, letter in enumerate(name) if not letter.isascii()]
    _check_letters(text, strange + [begin + place for place in _look_alikes(domain)])
    return f"{name}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    import idna  # slow to import, and few need it

    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"there can be no domain {domain!r}: {one_line(str(error))}.") from None


def _look_alikes(domain: str) -> list[int]:
    """The places of letters of other alphabets that are taken for English ones.

    They stand beside English ones in one part of the domain; or all of a part could be English, as others are.
    """
    labels = domain.split(".")
    has_english = any(label.isascii() and not label.isdecimal() for label in labels)
    places: list[int] = []
    begin = 0
    for number, label in enumerate(labels, 1):
        like_english = LIKE_ENGLISH_AT_THE_END if number == len(labels) else LIKE_ENGLISH
        foreign = [n for n, letter in enumerate(label) if letter.isalpha() and not _is_latin(letter)]
        is_mixed = any(letter.isalpha() and _is_latin(letter) for letter in label)
        if is_mixed or (has_english and {label[n] for n in foreign} <= like_english):
            places += [begin + n for n in foreign]
        begin += len(label) + 1
    return places


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _check_letters(text: str, strange: list[int]) -> None:
    """Raise ValueError if there are letters of a text, at these places, that should be English ones."""
    each = [
        f"{text[place]!r} ({unicodedata.name(text[place], 'UNKNOWN').split()[0].capitalize()}) at place {place + 1}"
        for place in strange
    ]
    if each:
        raise ValueError(f"{text!r} has {', '.join(each)}: type that again with the English keyboard.")
