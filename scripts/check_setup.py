"""Is everything right that the jobs need? Says of each thing whether it is, and what to do where it is not.

    python scripts/check_setup.py
    python scripts/check_setup.py --ask     where there is no config.env yet: asks, and writes one
    python scripts/check_setup.py --send    also sends a test mail to every address, and a message to every chat

It changes nothing, but that the database knows of its request, and sends nothing but with --send. It asks Binotel for
two answers, and is over in half a minute. The exit code is 0 where no fault was found, 1 where one was, 2 where the
configuration cannot be used.
"""

import argparse
import json
import locale
import logging
import os
import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from common.ask import asked
from common.checks import FAULT, OK, SKIPPED, WARNING, Finding, Noted, check_all, check_packages, fault, send_tests
from common.job import EXIT_FAILED, EXIT_USAGE, hide_in_log, print_out, run_command, without_secrets
from common.labels import LANGUAGES, Labels
from common.messages.mail import Mail
from common.settings import PROJECT_ROOT, SettingsError, load_settings

MARKS = {OK: "✓", WARNING: "!", FAULT: "✗", SKIPPED: "–"}
MOST_COLUMNS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--send", action="store_true", help="send a test mail and test messages, too")
    parser.add_argument("--ask", action="store_true", help="ask for what is needed, and write a config.env")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON, for other programs")


def main(_name: str, arguments: argparse.Namespace) -> int:
    """Print what each check finds, as soon as it is found."""
    if arguments.ask:
        chosen = arguments.config or os.environ.get("BINOTEL_CONFIG") or PROJECT_ROOT / "config.env"
        asked(Path(chosen).absolute(), lambda labels: Output(labels, is_json=False).tell)
        print_out("")
    noted = Noted()
    reader = logging.getLogger("common.settings")
    reader.addHandler(noted)
    reader.propagate = False
    try:
        settings = load_settings(arguments.config)
    except SettingsError as error:
        output = Output(Labels(error.language or language_of_computer()), arguments.json)
        output.tell("python", check_packages())
        output.tell("config", [fault("says", "fix config", problem=problem) for problem in error.faults])
        output.tell("api", [Finding(SKIPPED, "after config", {})])
        output.end()
        return EXIT_USAGE
    finally:
        reader.propagate = True
        reader.removeHandler(noted)
    hide_in_log(settings.secrets)
    labels = Labels(settings.language)
    output = Output(labels, arguments.json)
    for check, findings in check_all(settings, noted.texts):
        output.tell(check, findings)
    if arguments.send:
        text = labels["check message"]
        output.tell("sending", send_tests(settings, Mail(text, text, f"<p>{text}</p>")))
    output.end()
    return EXIT_FAILED if output.faults else 0


@dataclass
class Output:
    """Prints what is found, as lines for people or as JSON for programs."""

    labels: Labels
    is_json: bool
    faults: int = 0
    warnings: int = 0

    def __post_init__(self) -> None:
        self._rows: list[dict[str, str]] = []

    def tell(self, check: str, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.faults += finding.level == FAULT
            self.warnings += finding.level == WARNING
            text, remedy = self._words(finding.name, finding), self._words(finding.fix, finding) if finding.fix else ""
            self._rows.append({"check": check, "level": finding.level, "text": text, "remedy": remedy})
            if not self.is_json:
                heading = self.labels[f"check {check}"]
                self._print(f"{MARKS[finding.level]} {heading}: {text}", "  ")
                if remedy:
                    self._print(f"  → {remedy}", "    ")

    def end(self) -> None:
        """What there is to say when all is told."""
        if self.is_json:
            print_out(json.dumps(self._rows, ensure_ascii=False, indent=1))
        elif self.faults or self.warnings:
            print_out(self.labels.format("check ended", faults=self.faults, warnings=self.warnings))
        else:
            print_out(self.labels["check ended well"])

    def _words(self, name: str, finding: Finding) -> str:
        labels = self.labels
        values: dict[str, Any] = {
            key: labels.moment(value) if isinstance(value, datetime) else value for key, value in finding.values.items()
        }
        return without_secrets(labels.format(name, **values))

    def _print(self, text: str, indent: str) -> None:
        width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
        print_out(textwrap.fill(text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False))


def language_of_computer() -> str:
    """Where the configuration cannot tell which."""
    spoken = (locale.getlocale()[0] or "").lower()[:2]
    return spoken if spoken in LANGUAGES else "en"


if __name__ == "__main__":
    run_command(main, __doc__, add_arguments)
