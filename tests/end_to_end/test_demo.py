"""`make demo`: a workbook and a mail out of nothing, and where they are."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import processes
import pytest

import demo

SCRIPT = Path(demo.__file__)


@pytest.mark.parametrize("version", ["2.0", "4.0"])
def test_it_ends_with_what_to_open(version, monkeypatch):
    monkeypatch.setenv("REPORT_LANGUAGE", "en")  # the user's own settings must not get into it
    code, output, errors = processes.run(SCRIPT, "--api", version)
    folder = SCRIPT.parents[1] / "demo"
    assert (code, errors) == (0, "")
    assert re.sub(" +", " ", output).splitlines() == [
        "Open these:",
        f"The workbook: {folder}/reports/calls-2024-05-01.xlsx",
        f"The mail: {folder}/mail/calls-2024-05-01.eml",
        f"as a page: {folder}/mail/calls-2024-05-01.html",
    ]
    mail = message_from_bytes((folder / "mail" / "calls-2024-05-01.eml").read_bytes(), policy=policy.default)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["calls-2024-05-01.xlsx"]
    page = (folder / "mail" / "calls-2024-05-01.html").read_text("utf-8")
    assert page.splitlines() == mail.get_body(["html"]).get_content().splitlines()
    assert "Втрачені" in page
