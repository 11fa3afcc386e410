"""config.env and the environment: what is accepted, what wins, and how every fault is told."""

import dataclasses
import os
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dotenv import dotenv_values

from common.settings import DEFAULTS, PROJECT_ROOT, SettingsError, load_settings
from common.timetable import Timetable

REQUIRED = "BINOTEL_KEY=k\nBINOTEL_SECRET=s\n"


@pytest.fixture
def load(tmp_path):
    """A function that loads a config file with this text; the environment is empty unless given."""

    def load(text, environment=None):
        path = tmp_path / "config.env"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(str(path), environment or {})

    return load


def faults(load, text, environment=None):
    with pytest.raises(SettingsError) as caught:
        load(text, environment)
    return caught.value.faults


def test_the_defaults(load, tmp_path):
    assert dataclasses.asdict(load(REQUIRED)) == {
        "path": tmp_path / "config.env",
        "key": "k",
        "secret": "s",
        "api_url": "https://api.binotel.com/api/2.0",
        "verify_answers": True,
        "timezone": ZoneInfo("Europe/Kyiv"),
        "language": "uk",
        "database_url": f"sqlite:///{tmp_path}/var/binotel.db",
        "state_dir": tmp_path / "var",
        "reports_dir": tmp_path / "reports",
        "smtp_host": "",
        "smtp_port": 587,
        "smtp_security": "starttls",
        "smtp_user": "",
        "smtp_password": "",
        "mail_from": "",
        "report_to": (),
        "alert_to": (),
        "alert_urls": (),
        "summary_urls": (),
        "alert_tell_done": False,
        "lost_call_grace_minutes": 10,
        "line_offline_minutes": 10,
        "lines_ignored": (),
        "working_hours": None,
        "service_level_seconds": 20,
        "backups_dir": tmp_path / "backups",
        "backups_keep": 30,
        "calls_keep_days": None,
        "admin_to": (),
        "records_url": str(tmp_path / "records"),
        "records_patience_hours": 48,
        "record_max_mb": 200,
        "timetables": {},
        "healthcheck_urls": {},
    }


def test_every_key_is_read(load, tmp_path):
    text = (
        REQUIRED + "BINOTEL_API_URL=http://127.0.0.1:8020/api/2.0/\nBINOTEL_VERIFY_ANSWERS=no\nTIMEZONE=Europe/Warsaw\n"
        "REPORT_LANGUAGE=EN\nDATABASE_URL=sqlite:////srv/b.db\nREPORTS_DIR=/srv/reports\nSMTP_HOST=mail.example.com\n"
        "SMTP_PORT=465\nSMTP_SECURITY=tls\nSMTP_USER=me\nSMTP_PASSWORD='a #b$c ${d}'\nMAIL_FROM=me@example.com\n"
        "REPORT_TO= a@example.com, b@example.com ,\nALERT_TO=c@example.com\n"
        "ALERT_URLS=' json://127.0.0.1/a   ntfy://ntfy.example.com/b '\nALERT_TELL_DONE=yes\n"
        "LOST_CALL_GRACE_MINUTES=0\nLINE_OFFLINE_MINUTES=20\nLINES_IGNORED='905, 906'\n"
        "SUMMARY_URLS=json://127.0.0.1/c\nSERVICE_LEVEL_SECONDS=30\n"
        "WORKING_HOURS=9:00 – 18:30\nBACKUPS_DIR=/srv/backups\nBACKUPS_KEEP=7\nADMIN_TO=d@example.com\n"
        "CALLS_KEEP_DAYS=400\n"
        "RECORDS_URL=s3://bucket/calls\nRECORDS_PATIENCE_HOURS=24\nRECORD_MAX_MB=50\n"
        "SCHEDULE_EXPORT_CALLS_PER_DAY=day at 07:30 | --format xlsx,csv\nSCHEDULE_ALERT_LOST_CALLS=every 5 minutes\n"
        "SCHEDULE_ALERT_LINES=every 5 minutes\nHEALTHCHECK_URL_ALERT_LINES=https://hc-ping.com/lines\n"
        "SCHEDULE_TELL_HEALTH=monday at 08:00\nHEALTHCHECK_URL_TELL_HEALTH=https://hc-ping.com/health\n"
        "SCHEDULE_DOWNLOAD_RECORDS=every 2 hours\nSCHEDULE_BACKUP_CUSTOMERS=sunday at 03:00\n"
        "SCHEDULE_ARCHIVE_CALLS=day at 01:00 | 2023-01-01\n"
        "SCHEDULE_EXPORT_CALLS_FOR_PERIOD=Monday at 08:00|last-week; 1 at 08:00 | last-month --no-mail;\n"
        "HEALTHCHECK_URL_EXPORT_CALLS_PER_DAY=https://hc-ping.com/export\n"
        "HEALTHCHECK_URL_EXPORT_CALLS_FOR_PERIOD=https://hc-ping.com/period\n"
        "HEALTHCHECK_URL_ALERT_LOST_CALLS=https://hc-ping.com/alert\n"
        "HEALTHCHECK_URL_DOWNLOAD_RECORDS=https://hc-ping.com/records\n"
        "HEALTHCHECK_URL_BACKUP_CUSTOMERS=https://hc-ping.com/backup\n"
        "HEALTHCHECK_URL_ARCHIVE_CALLS=https://hc-ping.com/archive\n"
    )
    settings = load(text)
    assert {key for key in DEFAULTS if f"{key}=" not in text} == set()
    assert dataclasses.asdict(settings) == {
        "path": tmp_path / "config.env",
        "key": "k",
        "secret": "s",
        "api_url": "http://127.0.0.1:8020/api/2.0",
        "verify_answers": False,
        "timezone": ZoneInfo("Europe/Warsaw"),
        "language": "en",
        "database_url": "sqlite:////srv/b.db",
        "state_dir": Path("/srv"),
        "reports_dir": Path("/srv/reports"),
        "smtp_host": "mail.example.com",
        "smtp_port": 465,
        "smtp_security": "tls",
        "smtp_user": "me",
        "smtp_password": "a #b$c ${d}",
        "mail_from": "me@example.com",
        "report_to": ("a@example.com", "b@example.com"),
        "alert_to": ("c@example.com",),
        "alert_urls": ("json://127.0.0.1/a", "ntfy://ntfy.example.com/b"),
        "summary_urls": ("json://127.0.0.1/c",),
        "alert_tell_done": True,
        "lost_call_grace_minutes": 0,
        "line_offline_minutes": 20,
        "lines_ignored": ("905", "906"),
        "working_hours": (time(9), time(18, 30)),
        "service_level_seconds": 30,
        "backups_dir": Path("/srv/backups"),
        "backups_keep": 7,
        "calls_keep_days": 400,
        "admin_to": ("d@example.com",),
        "records_url": "s3://bucket/calls",
        "records_patience_hours": 24,
        "record_max_mb": 50,
        "timetables": {
            "export_calls_per_day": dataclasses.asdict(Timetable.parse("day at 07:30 | --format xlsx,csv")),
            "alert_lost_calls": dataclasses.asdict(Timetable.parse("every 5 minutes")),
            "alert_lines": dataclasses.asdict(Timetable.parse("every 5 minutes")),
            "download_records": dataclasses.asdict(Timetable.parse("every 2 hours")),
            "backup_customers": dataclasses.asdict(Timetable.parse("sunday at 03:00")),
            "archive_calls": dataclasses.asdict(Timetable.parse("day at 01:00 | 2023-01-01")),
            "tell_health": dataclasses.asdict(Timetable.parse("monday at 08:00")),
            "export_calls_for_period monday at 08:00 | last-week": dataclasses.asdict(
                Timetable.parse("monday at 08:00 | last-week")
            ),
            "export_calls_for_period 1 at 08:00 | last-month --no-mail": dataclasses.asdict(
                Timetable.parse("1 at 08:00 | last-month --no-mail")
            ),
        },
        "healthcheck_urls": {
            "export_calls_per_day": "https://hc-ping.com/export",
            "export_calls_for_period": "https://hc-ping.com/period",
            "alert_lost_calls": "https://hc-ping.com/alert",
            "alert_lines": "https://hc-ping.com/lines",
            "download_records": "https://hc-ping.com/records",
            "backup_customers": "https://hc-ping.com/backup",
            "archive_calls": "https://hc-ping.com/archive",
            "tell_health": "https://hc-ping.com/health",
        },
    }


def test_the_example_documents_every_key_with_its_default():
    example = dotenv_values(PROJECT_ROOT / "config.example.env", interpolate=False)
    assert example == {key: default or "" for key, default in DEFAULTS.items()} | {"REPORT_TO": ""}


def test_the_example_filled_in_with_a_key_can_be_used(load):
    text = (PROJECT_ROOT / "config.example.env").read_text("utf-8")
    settings = load(
        text.replace("BINOTEL_KEY=\n", "BINOTEL_KEY=k\n").replace("BINOTEL_SECRET=\n", "BINOTEL_SECRET=s\n")
    )
    assert settings == load(REQUIRED)


def test_the_environment_wins_over_the_file(load):
    text = REQUIRED + "REPORT_LANGUAGE=en\nTIMEZONE=Europe/Warsaw\n"
    settings = load(text, {"REPORT_LANGUAGE": "ru", "BINOTEL_KEY": "other", "TIMEZONE": "", "UNRELATED": "x"})
    assert (settings.language, settings.key, settings.secret) == ("ru", "other", "s")


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_an_empty_variable_of_the_environment_leaves_the_file_as_it_is(load, empty):
    text = REQUIRED + "REPORT_LANGUAGE=en\nBACKUPS_KEEP=7\nWORKING_HOURS=09:00-18:00\n"
    assert load(text, dict.fromkeys([*DEFAULTS, "BINOTEL_CONFIG"], empty)) == load(text)


def test_a_file_from_notepad_is_read(load):
    assert load(b"\xef\xbb\xbf" + REQUIRED.replace("\n", "\r\n").encode()) == load(REQUIRED)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *(("D:\\binotel\\reports", "D:\\binotel\\reports"), ("'D:\\binotel\\reports'", "D:\\binotel\\reports")),
        *(('"D:\\Users"', "D:\\Users"), ("\\\\server\\share", "\\\\server\\share")),
        *(("'\\\\\\\\server\\share'", "\\\\server\\share"), ('"say \\"hi\\""', 'say "hi"')),
        *(("a\"b'c", "a\"b'c"), ("'a #b' # why", "a #b"), ('"a #b"', "a #b"), ("a#b", "a#b")),
        *(("${HOME}/$HOME", "${HOME}/$HOME"), ('"${HOME}"', "${HOME}"), ("  a b  ", "a b"), ("a\tb", "a\tb")),
    ],
)
def test_a_value_is_read_as_it_is_written(load, written, read, caplog):
    for line in (f"REPORTS_DIR={written}", f"export REPORTS_DIR = {written}\r", f"'REPORTS_DIR'={written}"):
        assert load(f"{REQUIRED}{line}\n").reports_dir.name == Path(read).name
    assert not [record for record in caplog.records if "#" in record.getMessage()]


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        *(
            (f'"{value}"', "use 'single quotes'")
            for value in (r"D:\binotel\reports", r"D:\new", r"a\\b", r"\\srv\x", r"x\'y")
        ),
        (r"'\\server\share'", "leave out the quotes"),
        *((f"{quote}reports{quote}", "use 'single quotes'") for quote in "“„‘«`"),
        *(("'reports\nX=1'", "is a quote open?"), ('"a\nb"', "is a quote open?"), ("a\x07b", "control character")),
    ],
)
def test_a_value_that_would_be_read_as_another_one_is_refused(load, written, remedy):
    [told] = faults(load, f"{REQUIRED}REPORTS_DIR={written}\n")
    assert "config.env: REPORTS_DIR " in told
    assert remedy in told


@pytest.mark.parametrize("written", ["re #ports", "re\t#ports", "reports # a comment", " #reports", "#re #ports"])
def test_a_value_that_a_comment_ends_is_told_without_it(load, written, tmp_path, caplog):
    load(f"{REQUIRED}REPORTS_DIR={written}\n")
    assert [record.getMessage() for record in caplog.records if "#" in record.getMessage()] == [
        f"{tmp_path}/config.env: what follows the # is no part of REPORTS_DIR: put the value in 'single quotes' if it "
        "is meant to be, or the comment on a line of its own."
    ]


def test_a_comment_after_nothing_or_after_quotes_is_a_comment(load, caplog):
    assert load(REQUIRED + "REPORT_TO= # nobody\nREPORTS_DIR='a' # here\nBACKUPS_DIR=\"b\"# there\n").report_to == ()
    assert not [record for record in caplog.records if "#" in record.getMessage()]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251"])
def test_a_file_in_another_encoding_is_told(load, encoding):
    assert "save it as UTF-8" in faults(load, f"# Ключ\n{REQUIRED}".encode(encoding))[0]


def test_the_file_comes_from_the_argument_else_from_the_environment(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"BINOTEL_KEY={name}\nBINOTEL_SECRET=s\n")
    environment = {"BINOTEL_CONFIG": str(tmp_path / "two")}
    assert load_settings(str(tmp_path / "one"), environment).key == "one"
    assert load_settings(None, environment).key == "two"


def test_no_secret_is_in_the_repr(load):
    text = "BINOTEL_KEY=my-key\nBINOTEL_SECRET=my-secret\nSMTP_HOST=h\nSMTP_USER=u\nSMTP_PASSWORD=my-password\n"
    settings = load(text)
    assert "my-" not in repr(settings) + str([*settings.lines()])
    assert set(settings.secrets) == {"my-key", "my-secret", "my-password"}


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match=r"no\.env: there is no such file\. Copy config\.example\.env there"):
        load_settings(str(tmp_path / "no.env"), {})


def test_a_file_that_is_no_text_is_told(load):
    assert "UTF-8" in faults(load, b"BINOTEL_KEY=\xff\xfe")[0]


def test_all_faults_are_told_at_once_with_key_and_remedy(load, tmp_path):
    told = faults(
        load,
        "BINOTEL_KEY=\nBINOTEL_API_URL=http://api.binotel.com\nBINOTEL_VERIFY_ANSWERS=maybe\nTIMEZONE=Kyiv\n"
        "REPORT_LANGUAGE=fr\nDATABASE_URL=mysql://x\nSMTP_HOST=mail.example.com\nSMTP_PORT=99999\nSMTP_SECURITY=none\n"
        "SMTP_USER=me\nMAIL_FROM=me\nREPORT_TO=a@b.com,nobody\nREPORT_T0=x\nREPORT_LANGUAGE=en\nthis is no setting\n",
    )
    path = tmp_path / "config.env"
    assert told == [
        f"{path}: REPORT_T0 is not a known key. Did you mean REPORT_TO?",
        f"{path}: REPORT_LANGUAGE stands there twice: remove one of the lines.",
        f"{path}: line 15 is not KEY=value, or has an open quote: mend it or put # before it.",
        f"{path}: DATABASE_URL cannot be used: write sqlite:///var/binotel.db for a file, "
        "or postgresql+psycopg://user:password@host/name for a server.",
        f"{path}: BINOTEL_KEY is missing. Binotel gives it: write to support@binotel.ua.",
        f"{path}: BINOTEL_SECRET is missing. Binotel gives it: write to support@binotel.ua.",
        f"{path}: BINOTEL_API_URL cannot be used: 'http://api.binotel.com' must begin with https:// (http:// is for "
        "the sandbox on this machine alone).",
        f"{path}: BINOTEL_VERIFY_ANSWERS cannot be used: write yes or no.",
        f"{path}: TIMEZONE cannot be used: there is no time zone 'Kyiv'; Ukraine's is Europe/Kyiv.",
        f"{path}: REPORT_LANGUAGE is 'fr'. Use one of: uk, en, ru.",
        f"{path}: SMTP_PORT cannot be used: write a number from 1 to 65535, usually 587.",
        f"{path}: MAIL_FROM cannot be used: 'me' is not a mail address; write name@example.com.",
        f"{path}: REPORT_TO cannot be used: 'nobody' is not a mail address; "
        "write name@example.com, second@example.com.",
        f"{path}: SMTP_SECURITY is 'none', which is only for a server on this machine. Use starttls or tls.",
        f"{path}: SMTP_PASSWORD is missing. SMTP_USER and SMTP_PASSWORD go together: fill in both or neither.",
    ]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("REPORTS_DIR=~nobody-of-that-name/x", "REPORTS_DIR"),
        ("DATABASE_URL=sqlite:///~nobody-of-that-name/x", "DATABASE_URL"),
        ("DATABASE_URL=sqlite:///x?timeout=abc", "DATABASE_URL"),
        ("DATABASE_URL=sqlite://host/x", "DATABASE_URL"),
        ("DATABASE_URL=sqlite://", "DATABASE_URL"),
        ("DATABASE_URL=postgresql://me:p@ss@host/name", "DATABASE_URL"),
        ("DATABASE_URL=postgresql://me:pass@host:port/name", "DATABASE_URL"),
        ("DATABASE_URL=nonsense", "DATABASE_URL"),
        ("BINOTEL_API_URL=https://api..binotel.com", "BINOTEL_API_URL"),
        ("BINOTEL_API_URL=https://a:99999", "BINOTEL_API_URL"),
        ("SMTP_HOST=smtp..gmail.com", "SMTP_HOST"),
        ("SMTP_HOST=smtp.gmail.com:587", "SMTP_HOST"),
        ("SMTP_PORT=0", "SMTP_PORT"),
        ("SMTP_PORT=smtp", "SMTP_PORT"),
        ("MAIL_FROM=a@[b", "MAIL_FROM"),
        ("REPORT_TO=(@b", "REPORT_TO"),
        ("TIMEZONE=../etc", "TIMEZONE"),
        ("ALERT_TO=nobody", "ALERT_TO"),
        ("ALERT_URLS=tgram://", "ALERT_URLS"),
        ("ALERT_TELL_DONE=later", "ALERT_TELL_DONE"),
        ("LOST_CALL_GRACE_MINUTES=ten", "LOST_CALL_GRACE_MINUTES"),
        ("LOST_CALL_GRACE_MINUTES=1441", "LOST_CALL_GRACE_MINUTES"),
        ("LINES_IGNORED=Olena", "LINES_IGNORED"),
        ("WORKING_HOURS=9-18", "WORKING_HOURS"),
        ("BACKUPS_KEEP=0", "BACKUPS_KEEP"),
        ("CALLS_KEEP_DAYS=0", "CALLS_KEEP_DAYS"),
        ("BACKUPS_KEEP=all", "BACKUPS_KEEP"),
        ("ADMIN_TO=nobody", "ADMIN_TO"),
        ("WORKING_HOURS=09:00", "WORKING_HOURS"),
        ("WORKING_HOURS=09:00-09:00", "WORKING_HOURS"),
        ("WORKING_HOURS=09:00-24:00", "WORKING_HOURS"),
        ("WORKING_HOURS=09:00Z-18:00Z", "WORKING_HOURS"),
        ("WORKING_HOURS=09:00+03:00-18:00", "WORKING_HOURS"),
        ("WORKING_HOURS=пн-пт 09:00-18:00", "WORKING_HOURS"),
    ],
)
def test_values_that_cannot_work_are_faults_of_their_key(load, line, key):
    [told] = faults(load, REQUIRED + line + "\n")
    assert told.split(": ", 1)[1].startswith(f"{key} cannot be used: ")


def test_a_folder_instead_of_a_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot be read: Is a directory\. It must be a file"):
        load_settings(str(tmp_path), {})


def test_a_fault_in_the_environment_is_told_as_one(load):
    assert faults(load, REQUIRED, {"TIMEZONE": "kyiv"}) == [
        "the environment: TIMEZONE cannot be used: there is no time zone 'kyiv'; Ukraine's is Europe/Kyiv."
    ]


def test_report_to_needs_a_server_and_a_sender(load, tmp_path):
    path = tmp_path / "config.env"
    assert faults(load, REQUIRED + "REPORT_TO=a@example.com\n") == [
        f"{path}: SMTP_HOST is missing, and REPORT_TO asks for mail. Fill it in, or empty REPORT_TO.",
        f"{path}: MAIL_FROM is missing, and REPORT_TO asks for mail. Fill it in, or empty REPORT_TO.",
    ]


def test_alert_to_needs_a_server_and_a_sender_too(load, tmp_path):
    assert faults(load, REQUIRED + "ALERT_TO=a@example.com\nMAIL_FROM=b@example.com\n") == [
        f"{tmp_path}/config.env: SMTP_HOST is missing, and ALERT_TO asks for mail. Fill it in, or empty ALERT_TO.",
    ]


@pytest.mark.parametrize("colon", [":", "%3A"])
@pytest.mark.parametrize("letter", ["A", "%41"])
def test_the_tokens_in_the_addresses_of_chats_are_secrets_in_every_form(colon, letter, load):
    settings = load(
        REQUIRED + f"ALERT_URLS='tgram://123456789{colon}{letter}bCdEfGhIjKlMnOpQrStUvWxYz012345678/12345678'\n"
    )
    assert "bCdEf" not in repr(settings) + str([*settings.lines()])
    token = "AbCdEfGhIjKlMnOpQrStUvWxYz012345678"
    assert {f"123456789:{token}", token} <= set(settings.secrets)


def test_without_any_file_the_missing_key_says_how_to_begin(monkeypatch, tmp_path):
    monkeypatch.setattr("common.settings.PROJECT_ROOT", tmp_path)
    with pytest.raises(SettingsError, match=r"BINOTEL_KEY is missing\. Copy config\.example\.env to config\.env"):
        load_settings(None, {})


@pytest.mark.parametrize(
    "address", ["a b@example.com", "a@b@c", "a@example.com\nBcc: x@example.com", "<a@example.com>", "@", "a@"]
)
def test_what_is_no_address_is_refused(load, address):
    with pytest.raises(SettingsError, match="is not a mail address"):
        load(REQUIRED, {"MAIL_FROM": address})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_mail_without_tls_is_for_this_machine_alone(load, host):
    assert load(REQUIRED + f"SMTP_HOST={host}\nSMTP_SECURITY=none\n").smtp_security == "none"


def test_a_wrong_timetable_or_monitor_is_told_with_what_is_allowed(load, tmp_path):
    text = "SCHEDULE_ALERT_LOST_CALLS=5 minutes\nHEALTHCHECK_URL_ALERT_LOST_CALLS=hc-ping.com/1\nSCHEDULE_ALERTS=x\n"
    assert faults(load, REQUIRED + text) == [
        f"{tmp_path}/config.env: SCHEDULE_ALERTS is not a known key. Did you mean SCHEDULE_ALERT_LINES?",
        f"{tmp_path}/config.env: SCHEDULE_ALERT_LOST_CALLS cannot be used: '5 minutes' is not understood; write it as "
        "'day at 07:30', 'sunday at 03:00', '1 at 08:00' (of each month), 'every 5 minutes' or 'every 2 hours'.",
        f"{tmp_path}/config.env: HEALTHCHECK_URL_ALERT_LOST_CALLS cannot be used: write the whole address, as in "
        "https://hc-ping.com/your-uuid.",
    ]


def test_the_address_of_a_monitor_is_a_secret(load):
    settings = load(REQUIRED + "HEALTHCHECK_URL_BACKUP_CUSTOMERS=https://hc-ping.com/5bf66975-d4c7\n")
    assert "5bf66975-d4c7" in settings.secrets
    assert "5bf66975" not in repr(settings) + str([*settings.lines()])


def test_the_name_of_a_job_in_the_address_of_its_monitor_is_no_secret(load):
    url = "http://127.0.0.1:8000/ping/my-ping-key/backup-customers"
    assert set(load(REQUIRED + f"HEALTHCHECK_URL_BACKUP_CUSTOMERS={url}\n").secrets) == {"k", "s", "my-ping-key"}


def test_a_report_of_no_period_is_told(load, tmp_path):
    lines = "monday at 08:00; 1 at 08:00 | last-month"
    assert faults(load, REQUIRED + f"SCHEDULE_EXPORT_CALLS_FOR_PERIOD={lines}\n") == [
        f"{tmp_path}/config.env: SCHEDULE_EXPORT_CALLS_FOR_PERIOD names no period. "
        "Add one, as in 'monday at 08:00 | last-week'."
    ]


def test_alerts_that_would_reach_nobody_are_told(load, tmp_path):
    assert faults(load, REQUIRED + "SCHEDULE_ALERT_LOST_CALLS=every 5 minutes\n") == [
        f"{tmp_path}/config.env: SCHEDULE_ALERT_LOST_CALLS would tell nobody. "
        "Fill in ALERT_TO or ALERT_URLS, or empty it."
    ]


def test_without_a_file_there_is_no_path(monkeypatch, tmp_path):
    monkeypatch.setattr("common.settings.PROJECT_ROOT", tmp_path)
    assert load_settings(None, {"BINOTEL_KEY": "k", "BINOTEL_SECRET": "s"}).path is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize(
    ("mode", "what"),
    [
        *((mode, "be read by every user of this computer, and holds your secrets") for mode in (0o644, 0o604)),
        *((mode, "be changed by other users, who would get your secrets") for mode in (0o620, 0o660, 0o602, 0o666)),
        *((mode, None) for mode in (0o640, 0o600, 0o400)),
    ],
)
def test_a_file_that_others_can_read_or_change_is_warned_about(mode, what, tmp_path, caplog):
    path = tmp_path / "config.env"
    path.write_text(REQUIRED)
    path.chmod(mode)
    load_settings(str(path), {})
    warnings = [f"{path} can {what}: chmod 600 it."] if what else []
    assert [record.getMessage() for record in caplog.records] == warnings


def test_a_database_server_is_named_with_its_password_which_is_a_secret(load, tmp_path):
    settings = load(REQUIRED + "DATABASE_URL=postgresql://me:p%40ss-word@db.example.com/binotel\n")
    assert settings.database_url == "postgresql+psycopg://me:p%40ss-word@db.example.com/binotel"
    assert settings.state_dir == tmp_path / "var"
    assert {"p%40ss-word", "p@ss-word"} <= set(settings.secrets)
    assert "ss-word" not in repr(settings) + str([*settings.lines()])


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("boss@пошта.укр", "boss@xn--80a1acn3a.xn--j1amh"),
        ("boss@Пошта.УКР", "boss@xn--80a1acn3a.xn--j1amh"),
        ("boss@почта24.com.ua", "boss@xn--24-6kc9cet8a.com.ua"),
        ("boss@bücher.example", "boss@xn--bcher-kva.example"),
        ("boss@straße.example", "boss@xn--strae-oqa.example"),
        ("boss@xn--80a1acn3a.xn--j1amh", "boss@xn--80a1acn3a.xn--j1amh"),
        ("boss@сосна.укр", "boss@xn--80azclb.xn--j1amh"),
        ("boss@хор.рус", "boss@xn--n1aen.xn--p1acf"),
        ("boss@карта.com.ua", "boss@xn--80aa2azak.com.ua"),
        ("boss+x@mail_1.example.com", "boss+x@mail_1.example.com"),
    ],
)
def test_domains_of_other_letters_are_written_as_every_server_knows_them(written, used, load):
    mail = "SMTP_HOST=smtp.example.com\nMAIL_FROM=a@example.com\n"
    for key in ("REPORT_TO", "ALERT_TO", "ADMIN_TO"):
        assert getattr(load(REQUIRED + mail + f"{key}={written}\n"), key.lower()) == (used,)
    sender = load(REQUIRED + f"MAIL_FROM='Binotel звіти <{written}>'\nSMTP_HOST={written.rpartition('@')[2]}\n")
    assert (sender.mail_from, sender.smtp_host) == (f"Binotel звіти <{used}>", used.rpartition("@")[2])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("bоss@example.com", "'о' (Cyrillic) at place 2"),
        ("шеф@example.com", "'ш' (Cyrillic) at place 1, 'е' (Cyrillic) at place 2, 'ф' (Cyrillic) at place 3"),
        ("jörg@example.com", "'ö' (Latin) at place 2"),
        ("boss@exаmple.com", "'а' (Cyrillic) at place 8"),
        ("boss@example.соm", "'с' (Cyrillic) at place 14, 'о' (Cyrillic) at place 15"),
        ("boss@example.сом", "'с' (Cyrillic) at place 14, 'о' (Cyrillic) at place 15, 'м' (Cyrillic) at place 16"),
        ("boss@хор.example.com", "'х' (Cyrillic) at place 6, 'о' (Cyrillic) at place 7, 'р' (Cyrillic) at place 8"),
        ("boss@еxample.com.ua", "'е' (Cyrillic) at place 6"),
        ("boss@examplе1.com", "'е' (Cyrillic) at place 12"),
        ("boss@gοοgle.com", "'ο' (Greek) at place 7, 'ο' (Greek) at place 8"),
        ("bоss@exаmple.com", "'о' (Cyrillic) at place 2, 'а' (Cyrillic) at place 8"),
    ],
)
def test_letters_that_are_taken_for_english_ones_are_told_with_their_place(address, told, load, tmp_path):
    fault = f"cannot be used: {address!r} has {told}: type that again with the English keyboard."
    mail = f"SMTP_HOST=smtp.example.com\nMAIL_FROM={address}\nREPORT_TO=a@example.com,{address}\nADMIN_TO={address}\n"
    assert faults(load, REQUIRED + mail) == [
        f"{tmp_path}/config.env: {key} {fault}" for key in ("MAIL_FROM", "REPORT_TO", "ADMIN_TO")
    ]


def test_a_servers_name_with_such_letters_is_told_too(load):
    assert "'а' (Cyrillic) at place 7: type" in faults(load, REQUIRED + "SMTP_HOST=smtp.mаil.com\n")[0]


def test_one_bad_address_keeps_no_other_from_being_told(load, tmp_path):
    list_of_them = f"nobody,bоss@example.com,a@{'x' * 64}й.укр,good@example.com,a@b@c"
    [told] = faults(load, REQUIRED + f"ALERT_TO={list_of_them}\nSMTP_HOST=h\nMAIL_FROM=a@b.com\n")
    assert told.startswith(f"{tmp_path}/config.env: ALERT_TO cannot be used: 'nobody' is not a mail address; ")
    assert "'bоss@example.com' has 'о' (Cyrillic) at place 2: type" in told
    assert "there can be no domain 'xxxx" in told or "has 'й' (Cyrillic) at place 67" in told
    assert "'a@b@c' is not a mail address" in told
    assert "good@" not in told


def test_an_address_that_is_written_twice_gets_one_mail(load):
    mail = "SMTP_HOST=h\nMAIL_FROM=a@b.com\nREPORT_TO=a@example.com, b@example.com,a@Example.com,a@example.com\n"
    assert load(REQUIRED + mail).report_to == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    "sender", ["Звіти <nobody>", "Звіти <a@example.com", "Зві<ти <a@example.com>", "Звіти <a@example.com> x", "<>"]
)
def test_a_sender_that_is_no_name_and_address_is_refused(sender, load):
    with pytest.raises(SettingsError, match=r"is not a mail address; write name@example\.com"):
        load(REQUIRED, {"MAIL_FROM": sender})


def test_a_value_that_goes_on_after_its_quotes_is_told(load, tmp_path):
    assert faults(load, REQUIRED + 'MAIL_FROM="Звіти Binotel" <reports@example.com>\n') == [
        f"{tmp_path}/config.env: line 3 goes on after a closing quote: put the whole value in 'single quotes'."
    ]


def test_a_senders_name_holds_no_line_of_its_own(load):
    with pytest.raises(SettingsError, match="is not a mail address"):
        load(REQUIRED, {"MAIL_FROM": "x\nBcc: y@example.com\n <a@example.com>"})
