"""What the tests of whole scripts share: a config file, a real mail server, a script in this process at any moment."""

import sys
from contextlib import ExitStack

import processes
import pytest
import time_machine
from aiosmtpd.controller import Controller

from common import job
from messages.odd_server import odd_server
from messages.test_mail import Inbox, free_port


@pytest.fixture
def configure(tmp_path, sandbox):
    """A function that writes config.env for the sandbox, with more lines, and returns its path."""

    def configure(**more):
        return processes.write_config(tmp_path, sandbox.base_url, **more)

    return configure


@pytest.fixture
def inbox():
    with ExitStack() as stack:
        inbox = Inbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
        controller.start()
        stack.callback(controller.stop)
        inbox.settings = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": controller.port,
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "reports@example.com",
            "REPORT_TO": "boss@example.com",
        }
        yield inbox


@pytest.fixture
def odd_mail(monkeypatch):
    """A mail server that can be odd; no try waits for the one before it."""
    monkeypatch.setattr("common.messages.mail.PAUSES_SECONDS", (0, 0))
    with odd_server() as server:
        server.settings = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": server.port,
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "reports@example.com",
            "REPORT_TO": "boss@example.com,second@example.com",
        }
        yield server


@pytest.fixture
def run_main(configure, monkeypatch, capsys):
    """A function that runs a script's main() at a moment; returns the exit code and what it printed."""

    def run_main(script, moment, *arguments, **more):
        monkeypatch.setattr(sys, "argv", [script.__file__, *arguments, "--config", str(configure(**more))])
        with time_machine.travel(moment, tick=False), pytest.raises(SystemExit) as caught:
            job.run(script.main, script.__doc__, script.add_arguments)
        return caught.value.code, capsys.readouterr().out

    return run_main
