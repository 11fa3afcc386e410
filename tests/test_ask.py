"""check_setup.py --ask: a few answers, each tried at once, become a config.env that works."""

import pytest

import check_setup
from common import ask, checks
from common.sandbox.answers import KEY, SECRET
from common.settings import PROJECT_ROOT, UsageError, load_settings
from test_checks import mail_server  # noqa: F401 - a fixture


@pytest.fixture
def answers(tmp_path, monkeypatch, capsys, sandbox):
    """A function that gives these answers one after the other; returns what was printed, and the file's settings."""
    monkeypatch.setattr(ask, "API_URL", sandbox.base_url)
    monkeypatch.setattr(ask, "API_4_URL", sandbox.base_url.replace("2.0", "4.0"))

    def answers(*lines):
        left = list(lines)

        def answer(_prompt):
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        path = tmp_path / "new" / "config.env"
        ask.asked(path, lambda labels: check_setup.Output(labels, is_json=False).tell)
        assert left == []
        return capsys.readouterr().out, load_settings(str(path), {})

    return answers


def test_the_answers_are_a_configuration_that_works(answers, mail_server, tmp_path):  # noqa: F811
    server = f"127.0.0.1:{mail_server({})}"
    output, settings = answers(
        *("en", KEY, SECRET, ""),
        *("boss@example.com, second@example.com", "me@example.com", server, ""),
        *("json://127.0.0.1:1/token", "8:15"),
    )
    assert "✗" not in output
    assert f"{PROJECT_ROOT}/scripts/run_schedule.py {tmp_path}/new/config.env" in output
    assert (tmp_path / "new" / "config.env").stat().st_mode & 0o777 == 0o600
    assert (settings.key, settings.secret, settings.language) == (KEY, SECRET, "en")
    assert (settings.report_to, settings.admin_to) == (
        ("boss@example.com", "second@example.com"),
        ("boss@example.com",),
    )
    assert (settings.mail_from, settings.smtp_host, settings.smtp_user) == ("me@example.com", "127.0.0.1", "")
    assert {name: timetable.line for name, timetable in settings.timetables.items()} == {
        "export_calls_per_day": "day at 8:15",
        "backup_customers": "sunday at 03:00",
        "alert_lost_calls": "every 5 minutes",
        "alert_lines": "every 5 minutes",
    }


def test_the_version_of_the_key_is_found_by_trying(answers, monkeypatch):
    check = ask.check_api

    def only_4(settings):
        if settings.api_url.endswith("2.0"):
            return iter([checks.fault("api closed", "fix key", problem="no")])
        return check(settings)

    monkeypatch.setattr(ask, "check_api", only_4)
    output, settings = answers("uk", KEY, SECRET, "", "", "")
    assert ("✗" in output, settings.api_url[-4:], settings.report_to) == (False, "/4.0", ())


def test_what_is_wrong_is_told_at_once_and_asked_again_or_kept(answers):
    output, settings = answers(
        *("klingon", "ru", "wrong", SECRET, "", "+", KEY, SECRET, "Mars/Base", "+", KEY, SECRET, "Asia/Almaty"),
        *("boss", "boss@example.com", "me@gmail.com", "127.0.0.1", "it's \\ a #secret", "-"),
        *("tgram://", "", "25:00", "07:00"),
    )
    words = " ".join(output.split())
    assert words.count("✗ Binotel:") == 2
    assert "REPORT_TO" in words
    assert "ALERT_URLS" in words
    assert "25:00" in words
    assert (settings.timezone.key, settings.smtp_password) == ("Asia/Almaty", "it's \\ a #secret")
    assert settings.timetables["export_calls_per_day"].line == "day at 07:00"


def test_a_file_that_is_there_is_never_overwritten_and_nobody_who_answers_writes_none(answers, tmp_path):
    with pytest.raises(UsageError, match="Nobody answers"):
        answers("uk", KEY)
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "config.env").write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        answers("uk")
    assert (tmp_path / "new" / "config.env").read_text() == "mine"


def test_every_mail_server_is_a_name():
    assert all("." in server for server in ask.MAIL_SERVERS.values())
