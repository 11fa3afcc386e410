"""The same company through API 2.0 and through 4.0: each job makes the same of it."""

import json
from datetime import datetime

import openpyxl
import pytest

import backup_customers
import export_calls_for_period
import export_calls_per_day
from common.customers.backup import FIELDS, read_backup
from helpers import KYIV

LATER = datetime(2024, 5, 2, 12, tzinfo=KYIV)
VERSIONS = ("2.0", "4.0")


@pytest.fixture
def sandbox(make_sandbox, clock, monkeypatch):
    clock.now = LATER.timestamp()
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    monkeypatch.setattr("common.customers.restore.AGAIN_SECONDS", 0)
    return make_sandbox(clock=clock.time, calls_per_day=100)


@pytest.fixture
def run(run_main, sandbox, inbox, tmp_path):
    """A function that runs a script with a key of a version, in a folder of its own; gives its exit code."""

    def run(version, script, *arguments, **more):
        folders = {"REPORTS_DIR": "reports", "BACKUPS_DIR": "backups", "RECORDS_URL": "records"}
        folders = {key: f"{version}/{folder}" for key, folder in folders.items()}
        address = sandbox.base_url.replace("2.0", version)
        more = {"BINOTEL_API_URL": address, "DATABASE_URL": f"sqlite:///{version}/binotel.db"} | folders | more
        return run_main(script, LATER, *arguments, **more)[0]

    return run


def cells(path):
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in openpyxl.load_workbook(path)]


@pytest.mark.parametrize(
    ("script", "arguments", "name"),
    [
        (export_calls_per_day, ["2024-05-01"], "calls-2024-05-01"),
        (export_calls_for_period, ["2024-04-25", "2024-05-01"], "calls-2024-04-25--2024-05-01"),
        (
            export_calls_for_period,
            ["2024-05-01", "--internal-number", "902"],
            "calls-2024-05-01--2024-05-02-line-902",
        ),
        (
            export_calls_for_period,
            ["2024-05-01", "--number", "0671234567"],
            "calls-2024-05-01--2024-05-02-number-0671234567",
        ),
    ],
)
def test_reports_have_the_same_cells(script, arguments, name, run, tmp_path):
    for version in VERSIONS:
        assert run(version, script, *arguments, "--format", "xlsx,csv,json", "--no-mail") == 0
    books, texts = (
        [tmp_path / version / "reports" / f"{name}.{ending}" for version in VERSIONS] for ending in ("xlsx", "csv")
    )
    assert cells(books[0]) == cells(books[1])
    assert texts[0].read_bytes() == texts[1].read_bytes()
    entries = json.loads((tmp_path / "4.0" / "reports" / f"{name}.json").read_text("utf-8"))
    assert all("employeeData" in entry and "employeeName" not in entry for entry in entries)


def test_the_fields_of_a_customer_are_the_same(run, tmp_path):
    fields = []
    for version in VERSIONS:
        assert run(version, backup_customers) == 0
        [path] = (tmp_path / version / "backups").glob("*.json.gz")
        customers = read_backup(path, print).customers
        fields.append({key: [field(one) for field in FIELDS.values()] for key, one in customers.items()})
    assert fields[0] == fields[1]
