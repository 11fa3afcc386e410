"""What the tests of whole scripts share: a config file, a real mail server, a script in this process at any moment."""

import json
import sys
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


class Hook:
    """A chat's server: takes messages as JSON, unless it is `down`; `on_message` runs before it answers."""

    def __init__(self):
        self.messages = []
        self.down = False
        self.on_message = lambda: None

    def handler(self):
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not hook.down:
                    hook.messages.append((content["title"], content["message"]))
                    hook.on_message()
                self.send_response(503 if hook.down else 200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        return Handler


@pytest.fixture
def hook():
    with ExitStack() as stack:
        hook = Hook()
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), hook.handler()))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        stack.callback(server.shutdown)
        hook.url = f"json://127.0.0.1:{server.server_address[1]}/hook"
        yield hook


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
