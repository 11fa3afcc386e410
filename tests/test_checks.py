"""check_setup.py: of each way in which a set-up is broken, the remedy that helps; of a good one, that it is."""

import functools
import json
import os
import shutil
import socket
import ssl
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from email.utils import format_datetime
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from requests_mock import ANY

import check_setup
from common import checks
from common.checks import FAULT, OK, WARNING
from common.labels import LANGUAGES, Labels
from common.sandbox.answers import KEY, SECRET
from common.settings import JOBS, load_settings
from common.state.locks import lock
from helpers import ledger

KYIV = ZoneInfo("Europe/Kyiv")
SOURCES = [Path(module.__file__) for module in (check_setup, checks)]
METHOD, PER_DAY = f"/{checks.LIGHT_METHOD}.json", "/stats/list-of-calls-per-day.json"


@pytest.fixture
def configured(tmp_path):
    """A function that gives the settings of a config.env with these keys, and some that are needed."""

    def configured(**keys):
        values = {"BINOTEL_KEY": KEY, "BINOTEL_SECRET": SECRET, "BINOTEL_VERIFY_ANSWERS": "no"} | keys
        path = tmp_path / "config.env"
        path.write_text("".join(f"{key}='{value}'\n" for key, value in values.items()), "utf-8")
        path.chmod(0o600)
        return load_settings(str(path), {})

    return configured


def found(findings, *levels):
    """The remedies of what is wrong, else the names of what is well."""
    every = list(findings)
    wrong = [finding.fix for finding in every if finding.level in (levels or (FAULT, WARNING))]
    return wrong or [finding.name for finding in every]


# --- Binotel


@pytest.fixture
def api(configured, requests_mock):
    """A function that gives what check_api() finds when the server answers a light and a heavy request so."""

    def api(light, heavy=None, **keys):
        requests_mock.post(ANY, **light)
        if heavy is not None:
            requests_mock.post(requests_mock_url(PER_DAY), json={"status": "success", "callDetails": heavy})
        return found(checks.check_api(configured(**keys)))

    def requests_mock_url(end):
        return f"https://api.binotel.com/api/2.0{end}"

    return api


def refused(code):
    return {"json": {"status": "error", "code": str(code), "message": "no"}}


def well(**headers):
    return {"json": {"status": "success", "listOfRoutes": {}}, "headers": headers}


def at(hour, days_ago=1, count=1):
    day = datetime.now(KYIV).date() - timedelta(days=days_ago)
    start = int(datetime(day.year, day.month, day.day, hour, tzinfo=KYIV).timestamp())
    return [{"generalCallID": str(index), "startTime": str(start)} for index in range(count)]


CLOCK_OFF = {"Date": format_datetime(datetime.now(KYIV) - timedelta(minutes=5))}
ANOTHER_DAY = {"Date": format_datetime(datetime.now(KYIV) - timedelta(days=3))}
NO_NAME = requests.exceptions.ConnectionError("NameResolutionError: Failed to resolve 'api.binotel.com'")


@pytest.mark.parametrize(
    ("light", "heavy", "fixes"),
    [
        (refused(121), None, ["fix key"]),
        (refused(103), None, ["fix key"]),
        (refused(120), None, ["fix account"]),
        (refused(106), None, ["fix quota"]),
        (refused(105), None, ["fix later"]),
        (refused(199), None, ["fix support"]),
        ({"status_code": 401}, None, ["fix ip"]),
        ({"status_code": 403}, None, ["fix ip"]),
        ({"status_code": 404}, None, ["fix ip"]),
        ({"status_code": 429}, None, ["fix quota"]),
        ({"status_code": 301}, None, ["fix address"]),
        ({"status_code": 502}, None, ["fix later"]),
        ({"text": "<html>Log in to the hotel's network"}, None, ["fix address"]),
        ({"text": '{"status": "succ'}, None, ["fix address"]),
        ({"exc": requests.exceptions.ConnectTimeout}, None, ["fix ip"]),
        ({"exc": requests.exceptions.ReadTimeout}, None, ["fix ip"]),
        ({"exc": requests.exceptions.SSLError("self-signed certificate")}, None, ["fix tls"]),
        ({"exc": requests.exceptions.ProxyError("no")}, None, ["fix proxy"]),
        ({"exc": NO_NAME}, None, ["fix name"]),
        (well(**CLOCK_OFF), at(12), ["fix clock"]),
        (well(**ANOTHER_DAY), None, ["fix clock"]),
        (well(), at(12, days_ago=2), ["fix zone"]),
        (well(), at(3, count=20), ["fix zone"]),
        (well(), [], ["fix no calls"]),
        (well(), at(12), ["api fine", "clock fine", "zone fine"]),
    ],
)
def test_what_the_api_says_has_its_remedy(light, heavy, fixes, api):
    assert api(light, heavy) == fixes


def test_an_answer_that_is_not_signed_is_told(api):
    assert api(well(), BINOTEL_VERIFY_ANSWERS="yes") == ["fix secret"]


def test_a_port_that_is_closed_is_told(configured):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = configured(BINOTEL_API_URL=f"http://127.0.0.1:{port}/api/2.0")
    assert found(checks.check_api(settings)) == ["fix ip"]


def test_a_quota_that_others_use_is_not_waited_for(api, configured):
    settings = configured()
    book = ledger(settings.database_url, time.time)
    for _ in range(6):
        book.reserve(KEY_ID, lambda _, now: now)
    assert api(well(), at(12)) == ["fix quota"]


KEY_ID = checks.Throttle(None, KEY)._account


# --- Mail


class Picky:
    """Takes every mail but those of or to somebody."""

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return "550 not yours" if address == "stranger@example.com" else "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        return "550 no such user" if address == "nobody@example.com" else "250 OK"

    async def handle_DATA(self, server, session, envelope):
        pytest.fail("a check sends nothing")


@pytest.fixture
def mail_server():
    """A function that starts a mail server with these options; gives its port."""
    with ExitStack() as stack:

        def mail_server(options):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            controller = Controller(Picky(), hostname="127.0.0.1", port=port, **options)
            controller.start()
            stack.callback(controller.stop)
            return port

        yield mail_server


@pytest.fixture
def mail(configured, mail_server):
    """A function that gives what check_mail() finds, with a server of these options."""

    def mail(options=None, **keys):
        if options is not None:
            keys["SMTP_PORT"] = str(mail_server(options))
        usual = {"SMTP_HOST": "127.0.0.1", "SMTP_SECURITY": "none", "MAIL_FROM": "a@example.com"}
        return found(checks.check_mail(configured(**usual | {"REPORT_TO": "b@example.com"} | keys)))

    return mail


LOGIN = {"SMTP_USER": "user", "SMTP_PASSWORD": "wrong"}
WRONG_LOGIN = {"auth_require_tls": False, "authenticator": lambda *_: AuthResult(success=False, handled=False)}


def self_signed():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("options", "keys", "fixes"),
    [
        (None, {"REPORT_TO": ""}, ["fix mail nobody"]),
        (None, {"SMTP_PORT": "1"}, ["fix mail"]),
        (None, {"SMTP_HOST": "mail.invalid", "SMTP_SECURITY": "starttls"}, ["fix mail name"]),
        (WRONG_LOGIN, LOGIN, ["fix login"]),
        ({}, {"MAIL_FROM": "stranger@example.com"}, ["fix sender"]),
        ({}, {"ADMIN_TO": "nobody@example.com"}, ["fix recipient"]),
        ({}, {"SMTP_SECURITY": "starttls"}, ["fix mail tls"]),
        ({"ssl_context": self_signed()}, {"SMTP_SECURITY": "tls"}, ["fix mail tls"]),
        ({"tls_context": self_signed()}, {"SMTP_SECURITY": "starttls"}, ["fix mail tls"]),
        ({"data_size_limit": 5_000_000}, {}, [""]),
        ({}, {"SCHEDULE_BACKUP_CUSTOMERS": "every hour"}, ["fix admin nobody"]),
        ({}, {}, ["mail fine"]),
    ],
)
def test_what_the_mail_server_says_has_its_remedy(options, keys, fixes, mail):
    assert mail(options, **keys) == fixes


def test_a_mail_server_that_says_nothing_is_given_up(mail, monkeypatch):
    monkeypatch.setattr(checks, "MAIL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert mail(SMTP_PORT=str(silent.getsockname()[1])) == ["fix mail"]


# --- This computer


def test_folders_that_cannot_be_written_to_are_named(configured, monkeypatch):
    settings = configured(REPORTS_DIR="closed/reports")
    assert found(checks.check_folders(settings)) == ["folders fine", "disk fine"]
    monkeypatch.setattr(os, "access", lambda *_: False)
    closed = [finding for finding in checks.check_folders(settings) if finding.level == FAULT]
    assert [finding.values["key"] for finding in closed] == ["DATABASE_URL", "REPORTS_DIR", "BACKUPS_DIR"]
    assert {finding.fix for finding in closed} == {"fix folder"}


@pytest.mark.parametrize(("free", "fixes"), [(10_000_000, [FAULT]), (10**12, [OK])])
def test_a_disk_that_is_nearly_full_is_told(free, fixes, configured, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, free))
    assert [finding.level for finding in checks.check_folders(configured())][1:] == fixes


def test_a_disk_has_room_for_a_months_calls(configured, monkeypatch):
    monkeypatch.setattr(checks, "_bytes_of_a_month", lambda _: 5 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 10**9))
    assert found(checks.check_folders(configured()), WARNING) == ["fix disk"]


def test_packages_that_are_missing_or_others_are_named(monkeypatch):
    assert found(checks.check_packages()) == ["packages fine"]
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.1" if name == "openpyxl" else version(name))
    assert [finding.values["names"].split()[0] for finding in checks.check_packages()] == ["openpyxl"]

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert found(checks.check_packages(), FAULT) == ["fix packages"]


# --- The database


def test_an_sqlite_file_is_new_whole_emptied_or_broken(configured):
    settings = configured()
    assert found(checks.check_database(settings)) == ["database new"]
    file = settings.state_dir / "binotel.db"
    ledger(settings.database_url, time.time).reserve(KEY_ID, lambda _, now: now)
    assert found(checks.check_database(settings)) == ["database file"]
    content = file.read_bytes()
    file.write_bytes(b"no database at all" * 100)
    assert found(checks.check_database(settings)) == ["fix database file"]
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    assert found(checks.check_database(settings)) == ["fix database file"]
    file.with_name("binotel.db.made").touch()
    file.write_bytes(b"")
    assert found(checks.check_database(settings)) == ["fix database file"]


def test_a_file_in_use_is_not_to_be_taken_away_and_the_calls_wait_for_it(api, configured, monkeypatch):
    settings = configured()
    ledger(settings.database_url, time.time).reserve(KEY_ID, lambda _, now: now)
    engine = checks.database_engine
    monkeypatch.setattr(checks, "database_engine", lambda url, _: engine(url, 0.01))
    with engine(settings.database_url).connect() as other:
        other.exec_driver_sql("SELECT 1")
        assert found(checks.check_database(settings)) == ["fix database busy"]
    assert found(checks.check_database(settings)) == ["database file"]
    (settings.state_dir / "binotel.db").write_bytes(b"no database at all" * 100)
    assert api(well(), at(12)) == ["api fine", "clock fine", "after database"]


def test_the_loop_is_not_judged_without_its_database(configured, monkeypatch):
    settings = configured(SCHEDULE_DOWNLOAD_RECORDS="day at 03:00")
    settings.state_dir.mkdir(exist_ok=True)

    def refuse(*_):
        raise OSError("no")

    monkeypatch.setattr(checks, "lock", refuse)
    monkeypatch.setattr(checks, "started_elsewhere", set)
    assert found(checks.check_loop(settings)) == ["after database"]


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("attempt to write a readonly database", "fix folder"),
        ("unable to open database file", "fix folder"),
        ("/var/x: Permission denied", "fix folder"),
        ("database or disk is full", "fix disk"),
        ("file is not a database", "fix database file"),
    ],
)
def test_why_a_file_cannot_be_used_has_its_remedy(reason, fix):
    assert checks._remedy_of_file(reason) == fix


def test_a_server_is_well_away_or_closed(configured, postgres_url, postgres):
    assert found(checks.check_database(configured(DATABASE_URL=postgres_url))) == ["database server"]
    postgres.psql("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    url = postgres_url.replace("postgres:", "guest:", 1)
    assert found(checks.check_database(configured(DATABASE_URL=url))) == ["fix database rights"]
    away = "postgresql+psycopg://user:password@127.0.0.1:1/name"
    assert found(checks.check_database(configured(DATABASE_URL=away))) == ["fix database server"]


def test_a_server_that_is_too_old_is_told(configured, postgres_url, monkeypatch):
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 990_000)
    assert found(checks.check_database(configured(DATABASE_URL=postgres_url))) == ["fix database old"]


# --- Recordings, schedule


def test_recordings_are_written_read_and_deleted(configured, tmp_path, monkeypatch):
    scheduled = functools.partial(configured, SCHEDULE_DOWNLOAD_RECORDS="every hour")
    assert found(checks.check_recordings(configured())) == ["recordings off"]
    assert found(checks.check_recordings(scheduled())) == ["recordings new"]
    (tmp_path / "records").mkdir()
    assert found(checks.check_recordings(scheduled())) == ["recordings fine"]
    assert list((tmp_path / "records").iterdir()) == []
    assert found(checks.check_recordings(scheduled(RECORDS_URL="memory://records"))) == ["recordings fine"]
    (tmp_path / "file").touch()
    assert found(checks.check_recordings(scheduled(RECORDS_URL="file"))) == ["fix recordings"]
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert found(checks.check_recordings(scheduled(RECORDS_URL="elsewhere"))) == ["fix folder"]


def test_each_line_of_the_schedule_says_when_it_is_due(configured):
    [due] = checks.check_schedule(configured(SCHEDULE_EXPORT_CALLS_FOR_PERIOD="monday at 08:00 | last-week"))
    assert (due.values["job"], due.values["moment"].weekday()) == ("export_calls_for_period last-week", 0)
    assert found(checks.check_schedule(configured())) == ["fix schedule"]


def test_the_loop_runs_or_not_and_nothing_else_starts_its_jobs(configured, tmp_path, monkeypatch):
    settings = configured(SCHEDULE_BACKUP_CUSTOMERS="every hour")
    monkeypatch.setattr(checks, "CRON_FILES", [str(tmp_path / "cron.d" / "*")])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found(checks.check_loop(settings)) == ["fix loop"]
    with lock(settings.database_url, settings.key, "run_schedule"):
        assert found(checks.check_loop(settings)) == ["loop runs"]
        (tmp_path / "cron.d").mkdir()
        line = "0 3 * * * user cd /opt/binotel && .venv/bin/python scripts/{}.py\n"
        (tmp_path / "cron.d" / "binotel").write_text("# " + line.format("backup_customers") + line.format(JOBS[0]))
        assert found(checks.check_loop(settings)) == ["loop runs"]
        crontab = tmp_path / "crontab"
        crontab.write_text(f"#!/bin/sh\necho '{line.format('backup_customers').strip()}'\n")
        crontab.chmod(0o700)
        assert found(checks.check_loop(settings)) == ["fix twice"]
        # As our own unit of systemd starts one.
        crontab.unlink()
        (tmp_path / "cron.d" / "own.service").write_text("ExecStart=python run_schedule.py --once backup_customers\n")
        assert found(checks.check_loop(settings)) == ["fix twice"]


# --- All of it


@pytest.fixture
def run(capsys):
    def run(*arguments):
        parser = check_setup.argparse.ArgumentParser()
        parser.add_argument("--config")
        check_setup.add_arguments(parser)
        code = check_setup.main("check_setup", parser.parse_args(arguments))
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("BINOTEL_KEY=", "BINOTEL_KEY is missing"),
        ("REPORT_LANGAGE=uk", "Did you mean REPORT_LANGUAGE?"),
        ("BINOTEL_API_URL=http://api.binotel.com/api/2.0", "must begin with https://"),
        ("TIMEZONE=Kiev", "TIMEZONE"),
        ("SCHEDULE_BACKUP_CUSTOMERS=sometimes", "SCHEDULE_BACKUP_CUSTOMERS"),
        ("SCHEDULE_ALERT_LOST_CALLS=every 5 minutes", "would tell nobody"),
        ("ALERT_URLS=tgram://", "ALERT_URLS"),
        ("REPORT_TO=boss", "REPORT_TO"),
        ("SMTP_USER=user", "SMTP_PASSWORD"),
        ("WORKING_HOURS=9-18", "WORKING_HOURS"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_with_all_its_faults(line, told, run, tmp_path):
    config = tmp_path / "config.env"
    config.write_text(
        f"REPORT_LANGUAGE=en\nBINOTEL_KEY=key\nBINOTEL_SECRET=secret\n{line}\n".replace(
            "BINOTEL_KEY=key\n", "" if line.startswith("BINOTEL_KEY") else "BINOTEL_KEY=key\n"
        )
    )
    code, output = run("--config", str(config))
    words = " ".join(output.split())
    assert (code, told in words, "config.example.env explains each key" in words) == (2, True, True)


def test_a_good_set_up_is_said_to_be_one_in_each_language(run, sandbox, configured, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "check_loop", lambda _: iter(()))
    monkeypatch.setattr(checks, "check_mail", lambda _: iter([checks.ok("mail fine", server="mail:25", count=2)]))
    for language in LANGUAGES:
        configured(
            BINOTEL_API_URL=sandbox.base_url, REPORT_LANGUAGE=language, SCHEDULE_BACKUP_CUSTOMERS="every day at 03:00"
        )
        code, output = run("--config", str(tmp_path / "config.env"))
        assert (code, output.splitlines()[-1], "✗" in output) == (0, Labels(language)["check ended well"], False)
    assert [line for line in output.splitlines() if len(line) > 80 and str(tmp_path) not in line] == []
    code, output = run("--config", str(tmp_path / "config.env"), "--json")
    assert {row["level"] for row in json.loads(output)} == {"ok", "skipped"}
    assert {row["check"] for row in json.loads(output)} >= {"python", "config", "folders", "database", "api", "mail"}


def test_a_fault_is_told_with_its_remedy_and_no_secret(run, configured, tmp_path):
    configured(
        SMTP_HOST="127.0.0.1",
        SMTP_PORT="1",
        SMTP_SECURITY="none",
        MAIL_FROM="a@b.example",
        REPORT_TO="b@b.example",
        BINOTEL_API_URL="http://127.0.0.1:1/api/2.0",
        REPORT_LANGUAGE="en",
        BINOTEL_SECRET="s3cret-s3cret",
    )
    code, output = run("--config", str(tmp_path / "config.env"))
    assert code == 1
    assert "✗ Mail: The mail server 127.0.0.1:1 is not answering" in " ".join(output.split())
    assert "→ Check SMTP_HOST, SMTP_PORT and SMTP_SECURITY" in " ".join(output.split())
    assert "s3cret" not in output


def test_every_check_ends_and_one_that_breaks_stops_no_other(configured, monkeypatch):
    monkeypatch.setattr(checks, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(checks, "check_api", lambda _: time.sleep(5))
    monkeypatch.setattr(checks, "check_mail", lambda _: 1 / 0)
    every = dict(checks.check_all(configured(), []))
    assert found(every["api"]) == ["fix network"]
    assert found(every["mail"]) == ["fix report"]
    assert found(every["folders"]) == ["folders fine", "disk fine"]


def test_what_is_sent_is_sent_to_everybody_and_what_is_refused_is_told(configured, monkeypatch):
    sent = []
    monkeypatch.setattr(checks.mail, "send", lambda *_, to, **__: sent.extend(to))
    settings = configured(
        REPORT_TO="a@example.com",
        ADMIN_TO="a@example.com, b@example.com",
        SMTP_HOST="127.0.0.1",
        MAIL_FROM="a@example.com",
        ALERT_URLS="json://127.0.0.1:1/",
    )
    message = checks.mail.Mail("test", "test", "test")
    assert found(checks.send_tests(settings, message)) == ["fix chat"]
    assert sent == ["a@example.com", "b@example.com"]


def test_every_name_of_a_finding_is_a_sentence():
    names = {name for path in SOURCES for name in checks.re.findall('"(fix [a-z ]+)"', path.read_text("utf-8"))}
    assert names
    for name in names:
        assert all(Labels(language)[name].endswith(".") for language in LANGUAGES)
