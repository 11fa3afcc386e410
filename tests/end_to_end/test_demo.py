"""`make demo`: a workbook and a mail out of nothing, and where they are; through either version of the API the same."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import processes
from test_versions import VERSIONS, cells

import demo

SCRIPT = Path(demo.__file__)
FOLDER = SCRIPT.parents[1] / "demo"


def made(version):
    """What a version's demo leaves to look at: the workbook's cells, the mail's subject and text, and its page."""
    code, output, errors = processes.run(SCRIPT, "--api", version)
    assert (code, errors) == (0, "")
    assert re.sub(" +", " ", output).splitlines() == [
        "Open these:",
        f"The workbook: {FOLDER}/reports/calls-2024-05-01.xlsx",
        f"The mail: {FOLDER}/mail/calls-2024-05-01.eml",
        f"as a page: {FOLDER}/mail/calls-2024-05-01.html",
    ]
    mail = message_from_bytes((FOLDER / "mail" / "calls-2024-05-01.eml").read_bytes(), policy=policy.default)
    [workbook] = mail.iter_attachments()
    path = FOLDER / "reports" / "calls-2024-05-01.xlsx"
    assert (workbook.get_filename(), workbook.get_content()) == (path.name, path.read_bytes())
    page = (FOLDER / "mail" / "calls-2024-05-01.html").read_text("utf-8")
    assert page.splitlines() == mail.get_body(["html"]).get_content().splitlines()
    return cells(path), mail["Subject"], mail.get_body(["plain"]).get_content(), page


def test_it_ends_with_what_to_open_and_both_versions_make_the_same(monkeypatch):
    """One after the other: they write to one folder."""
    monkeypatch.setenv("REPORT_LANGUAGE", "en")  # the user's own settings must not get into it
    for database in (FOLDER / "var").glob("binotel-*"):
        database.unlink()
    one, other = map(made, VERSIONS)
    assert one == other
    assert "Втрачені" in one[-1]
    code, _, errors = processes.run(SCRIPT, "-v")
    assert code == 0
    assert "entries, which the archive knows: Binotel was not asked" in errors
