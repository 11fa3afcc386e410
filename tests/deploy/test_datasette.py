"""The calls in a browser: datasette, with the metadata of deploy/, shows what the views hold."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
import requests
import yaml

from common.calls.archive import Archive
from common.calls.days import of_day
from common.calls.views import VIEWS
from common.sandbox.company import Company
from common.settings import PROJECT_ROOT
from helpers import DAY, KYIV
from messages.test_mail import free_port

METADATA = PROJECT_ROOT / "deploy" / "datasette" / "metadata.yml"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "var" / "binotel.db"
    calls = Company(1, 200).calls_of_day(DAY)
    Archive(f"sqlite:///{path}", "key", KYIV).keep(calls, of_day(DAY, KYIV), of_day(DAY, KYIV).last + 86400)
    return path


@pytest.fixture
def address(file):
    port = free_port()
    command = [sys.executable, "-m", "datasette", str(file), "--metadata", str(METADATA), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}/binotel"
        try:
            for _ in range(200):
                try:
                    requests.get(f"{url}.json", timeout=5)
                    break
                except requests.ConnectionError:
                    time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def test_every_view_is_there_with_its_rows(address, file):
    for view in VIEWS:
        shown = requests.get(f"{address}/{view}.json?_shape=array&_size=max", timeout=20).json()
        with closing(sqlite3.connect(file)) as database:
            database.row_factory = sqlite3.Row
            held = [dict(row) for row in database.execute(f"SELECT * FROM {view}")]
        assert sorted(map(json.dumps, shown)) == sorted(map(json.dumps, held)) != []
    first = requests.get(address, timeout=20).text
    assert "call_list" in first
    assert "Every call that Binotel was asked for" in requests.get(address.removesuffix("/binotel"), timeout=20).text


def test_the_metadata_names_views_tables_and_columns_that_there_are(file):
    tables = yaml.safe_load(METADATA.read_text("utf-8"))["databases"]["binotel"]["tables"]
    with closing(sqlite3.connect(file)) as database:
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
        assert set(VIEWS) <= set(tables)
        for name, table in tables.items():
            if not table.get("hidden"):
                columns = [column[0] for column in database.execute(f"SELECT * FROM {name}").description]
                named = [*table.get("columns", {}), *table.get("facets", []), table.get("sort_desc", columns[0])]
                assert set(named) <= set(columns)
        assert {name for name, table in tables.items() if not table.get("hidden")} <= there
