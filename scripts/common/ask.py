"""Questions to one who has no config.env yet: each answer is tried at once, and all of them become the file."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from getpass import getpass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from binotel_core import API_4_URL, API_URL, is_loopback
from common.checks import FAULT, OK, Finding, check_api, check_mail
from common.job import is_watched, print_out
from common.labels import LANGUAGES, Labels
from common.settings import PROJECT_ROOT, Settings, SettingsError, UsageError, load_settings

# By the end of an address: whose mail server it is.
MAIL_SERVERS = {
    "gmail.com": "smtp.gmail.com",
    "ukr.net": "smtp.ukr.net",
    "outlook.com": "smtp-mail.outlook.com",
    "hotmail.com": "smtp-mail.outlook.com",
    "i.ua": "smtp.i.ua",
    "meta.ua": "smtp.meta.ua",
}
MORNING = "07:30"
Show = Callable[[str, Iterable[Finding]], None]


def asked(path: Path, show: Callable[[Labels], Show]) -> Settings:
    """Ask, write the answers to `path`, which is not there yet, and give the settings that they make.

    show: gives what prints, in a language, what a check has found
    Raises UsageError where there is a file already, or nobody answers.
    """
    if path.exists():
        raise UsageError(f"{path} is there already, and is never overwritten: edit it, or move it away first.")
    language = ""
    while language not in LANGUAGES:
        language = _answer("Мова, язык, language (uk, ru, en)", "uk").lower()
    labels = Labels(language)
    tell = show(labels)
    values = {"REPORT_LANGUAGE": language}
    values |= _key(labels, tell)
    values |= _mail(labels, tell)
    values |= _until_valid("ask chats", labels, "ALERT_URLS")
    values |= _times(values, labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{key}={_quoted(value)}\n" for key, value in values.items() if value)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        try:
            file.write(f"# config.example.env explains these keys, and lists all the others.\n{text}")
            file.flush()
        except OSError:
            path.unlink()  # on a full disk; else the next --ask would find a file
            raise
    print_out(labels.format("ask written", path=path))
    print_out(labels.format("ask start", command=command_to_start(path)))
    return load_settings(str(path))


def _key(labels: Labels, tell: Show) -> dict[str, str]:
    """The key and the secret, and the version of the API that takes them: it need not be asked for."""
    given = os.environ.get("BINOTEL_API_URL")  # of the sandbox, perhaps
    while True:
        values = {
            "BINOTEL_KEY": _answer(labels["ask key"]),
            "BINOTEL_SECRET": _answer(labels["ask secret"], is_secret=True),
            "TIMEZONE": _answer(labels["ask zone"], "Europe/Kyiv"),
        }
        found: list[Finding] = []
        for url in [given] if given else [API_URL, API_4_URL]:
            try:
                with _settings(values | {"BINOTEL_API_URL": url}) as settings:
                    found = list(islice(check_api(settings), 2))  # what comes then counts for the quota
            except SettingsError as error:
                found = [Finding(FAULT, "says", {"problem": problem}) for problem in error.faults]
                break
            if found[0].fix != "fix key":
                values["BINOTEL_API_URL"] = url
                break
        tell("api", found)
        if found[0].level == OK or not _is_again(labels):
            return values


def _mail(labels: Labels, tell: Show) -> dict[str, str]:
    """Who gets reports, and from which account they are sent; nothing where nobody is to."""
    while True:
        values = _until_valid("ask report to", labels, "REPORT_TO")
        if not values["REPORT_TO"]:
            return {}
        values["ADMIN_TO"] = values["REPORT_TO"].split(",")[0].strip()
        sender = _answer(labels["ask sender"])
        domain = sender.rpartition("@")[2].lower()
        host, _, port = _answer(labels["ask server"], MAIL_SERVERS.get(domain, f"mail.{domain}")).partition(":")
        values |= {
            "MAIL_FROM": sender,
            "SMTP_HOST": host,
            "SMTP_PORT": port or "587",
            "SMTP_SECURITY": "none" if is_loopback(host) else "tls" if port == "465" else "starttls",
            "SMTP_USER": sender,
            "SMTP_PASSWORD": _answer(labels["ask password"], is_secret=True),
        }
        if not values["SMTP_PASSWORD"]:  # a server of the company's own that knows this computer
            del values["SMTP_USER"], values["SMTP_PASSWORD"]
        try:
            with _settings(values) as settings:
                found = list(check_mail(settings))
        except SettingsError as error:
            found = [Finding(FAULT, "says", {"problem": problem}) for problem in error.faults]
        tell("mail", found)
        if all(finding.level != FAULT for finding in found) or not _is_again(labels):
            return values


def _times(values: dict[str, str], labels: Labels) -> dict[str, str]:
    """When the jobs run that have somebody to tell."""
    morning = MORNING
    if values.get("REPORT_TO"):
        morning = _answer(labels["ask morning"], MORNING)
    times = {
        "SCHEDULE_EXPORT_CALLS_PER_DAY": f"day at {morning}",
        "SCHEDULE_BACKUP_CUSTOMERS": "sunday at 03:00",
    }
    if values.get("ALERT_URLS"):
        times |= {"SCHEDULE_ALERT_LOST_CALLS": "every 5 minutes", "SCHEDULE_ALERT_LINES": "every 5 minutes"}
    try:
        with _settings(values | times):
            return times
    except SettingsError as error:
        print_out("\n".join(error.faults))
        return _times(values, labels)


def _until_valid(question: str, labels: Labels, key: str) -> dict[str, str]:
    """The answer to a question, as that key takes it; "" for none."""
    while True:
        answer = _answer(labels[question])
        try:
            with _settings({"MAIL_FROM": "a@example.com", "SMTP_HOST": "mail.example.com", key: answer}):
                return {key: answer}
        except SettingsError as error:
            print_out("\n".join(fault.partition(": ")[2] for fault in error.faults))


@contextmanager
def _settings(values: dict[str, str]) -> Iterator[Settings]:
    """The settings that these values make, without a file that stays. Raises SettingsError."""
    usual = {"BINOTEL_KEY": "key", "BINOTEL_SECRET": "secret"}
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.env")
        path.touch(0o600)
        path.write_text("".join(f"{key}={_quoted(value)}\n" for key, value in (usual | values).items()), "utf-8")
        yield load_settings(str(path), {})


def _quoted(value: str) -> str:
    """A value as config.env takes it whatever signs are in it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return value if value.isalnum() else f"'{escaped}'"


def _answer(question: str, default: str = "", *, is_secret: bool = False) -> str:
    """What somebody answers; the default to no more than Enter."""
    prompt = f"{question} [{default}]: " if default else f"{question}: "
    try:
        answer = getpass(prompt) if is_secret and is_watched() and sys.stdin.isatty() else input(prompt)
    except EOFError:
        raise UsageError("Nobody answers, so nothing was written: run it where you can type.") from None
    return answer.strip() or default


def _is_again(labels: Labels) -> bool:
    """Whether somebody wants to answer once more; else what was said is kept."""
    return _answer(labels["ask again"], "+").casefold() in ("+", "y", "yes", "т", "так", "д", "да")


def command_to_start(path: Path) -> str:
    """The one line that has the loop start here with the computer."""
    script, log = PROJECT_ROOT / "scripts" / "run_schedule.py", path.parent / "var" / "schedule.log"
    if os.name == "nt":
        python = Path(sys.executable).with_name("pythonw.exe")
        return (
            f'schtasks /create /tn Binotel /sc onstart /ru SYSTEM /tr "\\"{python}\\" \\"{script}\\" \\"{path}\\" '
            f'--log \\"{log}\\""'
        )
    line = shlex.join(["@reboot", sys.executable, *map(str, (script, path, "--log", log))])
    return f"(crontab -l 2>/dev/null; echo {shlex.quote(line)}) | crontab -"
