"""One entry that cannot be read silences no other: each job does what it can, names the entry, and ends with 1."""

import csv
import json
from datetime import datetime, timedelta

import openpyxl
import pytest

import alert_lost_calls
import download_records
import export_calls_for_period
import export_calls_per_day
from helpers import DAY, KYIV, answer_with, at, conversations, entry

LATER = datetime(2024, 5, 2, 12, tzinfo=KYIV)
ODD = {
    "empty": entry() | {"startTime": ""},
    "none": entry() | {"startTime": 0},
    "milliseconds": entry() | {"startTime": "1714560000000"},
    "nameless": entry() | {"generalCallID": "", "callID": ""},
    "text": "abc",
    "null": None,
    "list": [],
}
SENTENCE = "cannot be read: "


@pytest.fixture(autouse=True)
def quota(monkeypatch):
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)


@pytest.fixture
def odd(sandbox):
    """A sandbox with all of them in each answer."""
    answer_with(sandbox, "callDetails", {f"odd {name}": value for name, value in ODD.items()})
    return sandbox


def named(caplog):
    return [record.getMessage() for record in caplog.records if SENTENCE in record.getMessage()]


def test_the_alert_tells_of_all_others(run_main, odd, inbox, caplog):
    lost = entry(at("10:00"), "NOANSWER", "0501111111")
    odd.company.calls_of_day = lambda day: [lost] if day == DAY else []
    more = inbox.settings | {"ALERT_TO": "boss@example.com", "REPORT_TO": ""}
    assert run_main(alert_lost_calls, at("11:00"), **more) == (1, "")
    assert [message["Subject"] for message in inbox.messages] == ["☎ +380501111111"]
    assert "+380501111111" in inbox.messages[0].get_body(["plain"]).get_content()
    assert len(set(named(caplog))) == len(ODD)  # in the lists of two days


def test_a_days_report_is_made_of_the_others_and_says_so(run_main, odd, inbox, tmp_path, caplog):
    calls = odd.company.calls_of_day(DAY)
    code, output = run_main(export_calls_per_day, LATER, "--format", "xlsx,csv,json", **inbox.settings)
    assert (code, len(output.splitlines())) == (1, 3)
    note = f"Entries that could not be read: {len(ODD)}. These calls are not here"
    folder = tmp_path / "reports"
    assert holds(openpyxl.load_workbook(folder / "calls-2024-05-01.xlsx"), note)
    with (folder / "calls-2024-05-01.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert (len(rows), rows[-1]) == (len(list(conversations(calls))) + 2, [note])
    entries = json.loads((folder / "calls-2024-05-01.json").read_text("utf-8"))
    assert sorted(map(repr, entries)) == sorted(map(repr, [*calls, *ODD.values()]))
    assert note in inbox.messages[0].get_body(["plain"]).get_content()
    assert len(named(caplog)) == len(ODD)


def test_a_day_with_such_an_entry_counts_as_delivered(run_main, odd, inbox):
    days = []
    for days_later in range(2):
        code, output = run_main(export_calls_per_day, LATER + timedelta(days_later), "--catch-up", **inbox.settings)
        days.append((code, [line.rpartition("calls-")[2] for line in output.splitlines()]))
    assert days == [(1, ["2024-05-01.xlsx"]), (1, ["2024-05-02.xlsx"])]
    assert len(inbox.messages) == 2


@pytest.mark.parametrize("arguments", [("2024-05-01", "2024-05-01"), ("2024-05-01", "--number", "0671234567")])
def test_a_periods_report_is_made_of_the_others_and_says_so(arguments, run_main, odd, tmp_path, caplog):
    code, output = run_main(export_calls_for_period, LATER, *arguments, "--no-mail")
    assert code == 1
    note = f"Entries that could not be read: {len(ODD)}. These calls are not here"
    assert holds(openpyxl.load_workbook(output.strip()), note)
    assert len(named(caplog)) == len(ODD)


def test_all_other_recordings_are_downloaded(run_main, odd, tmp_path, caplog):
    odd.company.calls_of_day = lambda day: [entry(at("10:00"))] if day == DAY else []
    odd.company.calls_of_day(DAY)[0]["generalCallID"] = "1"
    odd.recordings.link = lambda call_id, root: ""
    code, output = run_main(download_records, LATER, "2024-05-01")
    assert (code, output) == (1, "0 downloaded, 0 already there, 1 not yet available, 0 failed\n")
    assert len(named(caplog)) == len(ODD)


def holds(book, text):
    return any(text in str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell)
