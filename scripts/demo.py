"""Show the main job at work without a key: a day of the sandbox's calls becomes a workbook and a mail.

    python scripts/demo.py
    python scripts/demo.py en
    python scripts/demo.py --api 4.0

It starts the sandbox and a mail server on this machine, runs export_calls_per_day.py for a fixed day, and stops what it
started. Everything it makes is in the folder demo/.
"""

import email
import email.policy
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.job import Parser, print_out, run_to_the_end
from common.labels import LANGUAGES
from common.settings import DEFAULTS

SCRIPTS = Path(__file__).resolve().parent
FOLDER = SCRIPTS.parent / "demo"
DAY = "2024-05-01"
DAY_BEFORE = "2024-04-24"  # the same weekday a week before: with it, the day is compared

CONFIG = """\
BINOTEL_KEY=sandbox-key
BINOTEL_SECRET=sandbox-secret
BINOTEL_API_URL={api_url}
DATABASE_URL=sqlite:///var/binotel-{api}.db
SMTP_HOST=127.0.0.1
SMTP_PORT={smtp_port}
SMTP_SECURITY=none
MAIL_FROM=reports@example.com
REPORT_TO=manager@example.com
REPORT_LANGUAGE={language}
"""


def main() -> int:
    parser = Parser(description=__doc__)
    parser.add_argument("language", nargs="?", choices=LANGUAGES, default="uk", help="of the report (default: uk)")
    parser.add_argument("--api", choices=("2.0", "4.0"), default="2.0", help="version of Binotel's API (default: 2.0)")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell every step")
    arguments = parser.parse_args()
    mail_file = FOLDER / "mail" / f"calls-{DAY}.eml"
    mail_file.parent.mkdir(parents=True, exist_ok=True)
    mail_file.unlink(missing_ok=True)
    config = FOLDER / "config.env"
    with running_sandbox() as api_url, running_mail_server(mail_file) as smtp_port:
        config.touch(0o600)
        api_url = api_url.replace("2.0", arguments.api)
        values = {"api_url": api_url, "api": arguments.api, "smtp_port": smtp_port, "language": arguments.language}
        config.write_text(CONFIG.format(**values))
        command = [sys.executable, str(SCRIPTS / "export_calls_per_day.py"), "--config", str(config)]
        command += ["-v"] if arguments.verbose else []
        # The user's own settings in the environment would win over the demo's.
        environment = {name: value for name, value in os.environ.items() if name not in DEFAULTS}
        for arguments_of_run in ([DAY_BEFORE, "--no-mail"], [DAY]):
            run = [*command, *arguments_of_run]
            result = subprocess.run(run, stdout=subprocess.PIPE, text=True, env=environment, check=False)
            if result.returncode:
                break
    if result.returncode or not mail_file.exists():
        sys.exit(f"The demo failed: export_calls_per_day.py ended with exit code {result.returncode}.")
    page = mail_file.with_suffix(".html")
    mail = email.message_from_bytes(mail_file.read_bytes(), policy=email.policy.default)
    [html] = (part.get_content() for part in mail.walk() if part.get_content_type() == "text/html")
    page.write_bytes(html.encode())
    print_out("Open these:")
    print_out(f"The workbook: {result.stdout.strip()}")
    print_out(f"The mail:     {mail_file}")
    print_out(f"as a page:    {page}")
    return 0


@contextmanager
def running_sandbox(*options: str) -> Iterator[str]:
    """The sandbox as a process; gives its base URL."""
    command = [sys.executable, str(SCRIPTS / "sandbox.py"), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 - for mypy: it is a pipe
            ready = process.stdout.readline()
            if not ready.startswith("sandbox ready: "):
                sys.exit("The demo failed: the sandbox did not start.")
            yield ready.removeprefix("sandbox ready: ").strip()
        finally:
            process.terminate()


@contextmanager
def running_mail_server(mail_file: Path) -> Iterator[int]:
    """An SMTP server that saves the mail it gets to `mail_file`; gives its port."""

    class Saver:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            mail_file.write_bytes(envelope.content)
            return "250 OK"

    try:
        from aiosmtpd.controller import Controller
    except ImportError:
        sys.exit("The demo needs a mail server: run pip install -r requirements-demo.txt, or make demo.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(Saver(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


if __name__ == "__main__":
    run_to_the_end(main)
