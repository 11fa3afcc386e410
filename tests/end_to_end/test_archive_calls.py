"""The archive is filled slowly and goes on where it stopped; it tells what it knows, and forgets whom it is told to."""

import sqlite3
from datetime import date, datetime, timedelta

import pytest

import alert_lost_calls
import archive_calls
import export_calls_for_period
import export_calls_per_day
from common.calls.archive import Archive, Wanted
from common.calls.days import of_day
from common.sandbox.answers import KEY
from common.state.store import Store
from helpers import DAY, KYIV, at, entry

NOON = datetime(2024, 5, 20, 12, tzinfo=KYIV)


@pytest.fixture
def sandbox(make_sandbox, monkeypatch):
    sandbox = make_sandbox(calls_per_day=40)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    return sandbox


@pytest.fixture
def slept(monkeypatch):
    """How long the job has waited before requests; nobody really waits."""
    waits = []
    monkeypatch.setattr("archive_calls.time.sleep", waits.append)
    return waits


@pytest.fixture
def fill(run_main, slept):
    def fill(*arguments, moment=NOON, **more):
        return run_main(archive_calls, moment, *arguments, **more)

    return fill


def test_it_is_filled_back_to_a_day_and_then_no_report_asks_for_anything(fill, run_main, sandbox, tmp_path):
    code, output = fill("2024-04-01")
    requests = len(sandbox.requests)
    first, stop = int(at("00:00", date(2024, 4, 1)).timestamp()), int(NOON.timestamp())
    calls = len(list(sandbox.company.calls_between(first, stop)))
    assert (code, output) == (
        0,
        f"99.7% of the time since 2024-04-01 is known: {calls:,} calls ({requests} requests)\n",
    )
    sandbox.requests.clear()
    assert run_main(export_calls_for_period, NOON, "2024-04-01", "2024-05-19", "--no-mail")[0] == 0
    assert run_main(export_calls_per_day, NOON, "2024-04-30", "--no-mail")[0] == 0
    assert sandbox.requests == []
    # The last three hours are asked for again, for calls may go on.
    assert fill("2024-04-01", moment=NOON + timedelta(hours=4))[0] == 0
    assert len(sandbox.requests) == 1


def test_between_requests_it_leaves_the_quota_to_others(fill, slept):
    assert fill("2024-05-10", "--share", "0.25")[0] == 0
    gaps = [round(seconds / 10) * 10 for seconds in slept if seconds > 1]
    assert set(gaps) == {20, 40}  # a request by day has a gap of 5 seconds, one of a period one of 10


def test_it_stops_at_a_time_of_the_day_and_the_next_run_goes_on(fill, sandbox, monkeypatch):
    night = datetime(2024, 5, 20, 1, tzinfo=KYIV)
    # It is looked at once for the period, and before each request.
    moments = iter([night] * 4)
    with monkeypatch.context() as patch:
        patch.setattr("common.job.Job.now", lambda job: next(moments, night.replace(hour=6)))
        code, output = fill("2023-05-01", "--until", "06:00", moment=night)
    first = [(request["method"], request["code"]) for request in sandbox.requests]
    assert (code, len(first), "is known" in output) == (0, 3, True)
    sandbox.requests.clear()
    known = fill("--status", moment=night)[1]
    assert fill("2023-05-01", moment=night)[0] == 0
    assert fill("--status", moment=night)[1] != known
    assert len(sandbox.requests) > 3


def test_what_is_known_is_told_a_line_a_month(fill, run_main, sandbox):
    assert fill("--status") == (0, "Nothing is in the archive yet.\n")
    run_main(export_calls_for_period, NOON, "2024-03-20", "2024-04-30", "--no-mail")
    code, output = fill("--status")
    lines = [line.split() for line in output.splitlines()]
    assert (code, [line[:2] for line in lines]) == (
        0,
        [["2024-03", "38.6%"], ["2024-04", "100.0%"]],
    )
    april = [int(at("00:00", date(2024, month, 1)).timestamp()) for month in (4, 5)]
    assert int(lines[1][2]) == len(list(sandbox.company.calls_between(april[0], april[1] - 1)))


def test_a_query_gives_csv_and_can_only_read(fill, tmp_path):
    fill("2024-05-19")
    code, output = fill("--query", "SELECT direction, count(*) AS calls FROM calls GROUP BY 1 ORDER BY 1")
    lines = output.splitlines()
    assert (code, lines[0], [line.split(",")[0] for line in lines[1:]]) == (
        0,
        "direction,calls",
        ["incoming", "outgoing"],
    )
    table = fill("--table", "--query", "SELECT direction, NULL AS empty, 5 AS five FROM calls GROUP BY 1 ORDER BY 1")
    assert table == (0, "direction  empty  five\nincoming          5\noutgoing          5\n")
    for sql in ("DELETE FROM calls", "SELEC", "UPDATE calls SET number = ''; SELECT 1", "SELECT * FROM nothing"):
        assert fill("--query", sql)[0] == 2
    assert fill("--query", "SELECT direction, count(*) AS calls FROM calls GROUP BY 1 ORDER BY 1")[1] == output


def test_a_person_is_erased_wherever_we_keep_them(fill, run_main, sandbox, tmp_path, inbox):
    lost = [call for call in sandbox.company.calls_of_day(date(2024, 5, 20)) if call["disposition"] == "NOANSWER"]
    number = next(call["externalNumber"][-9:] for call in lost if int(call["startTime"]) < NOON.timestamp() - 900)
    more = inbox.settings | {"ALERT_TO": "boss@example.com", "REPORT_TO": ""}
    assert run_main(alert_lost_calls, NOON, **more)[0] == 0
    assert run_main(export_calls_per_day, NOON, "2024-05-20", "--no-mail", "--format", "csv")[0] == 0
    database = tmp_path / "var" / "binotel.db"
    assert number.encode() in database.read_bytes()
    recording = tmp_path / "records" / "2024" / f"093015-in-0{number}-902-7.mp3"
    recording.parent.mkdir(parents=True)
    recording.touch()
    code, output = fill("--forget", f"+380 {number}")
    report = tmp_path / "reports" / "calls-2024-05-20.csv"
    told = output.splitlines()
    assert (code, told[:3]) == (0, ["These may hold more of it, and are not touched:", str(report), str(recording)])
    assert told[3].endswith(f"with +380 {number} were erased from the database.")
    for file in database.parent.glob("binotel.db*"):
        assert number.encode() not in file.read_bytes()
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone()[0] > 10
    assert fill("--forget", "12")[0] == 2


def test_nobody_else_is_erased_with_a_person(fill, database_url, tmp_path):
    url = f"sqlite:///{tmp_path}/var/binotel.db"
    calls = [entry("10:00", number="0501234567", generalCallID="1"), entry("10:01", number="+48501234567")]
    archive, store = Archive(url, KEY, KYIV), Store(url, KEY, "alert_lost_calls", keep_days=9999)
    archive.keep(calls, of_day(DAY, KYIV), of_day(DAY, KYIV).last + 86400)
    kept = {"told x of 671234567": 1501234567.0, "told x of 9501234567123": 1.0, "a": {"b": "1501234567123"}}
    store.put(kept | {"told x of 501234567": 1.0, "carried": [{"externalNumber": "380501234567"}]})
    assert "1 calls and 2 other notes" in fill("--forget", "+48 501 234 567")[1]
    assert list(archive.entries(of_day(DAY, KYIV), 2e9)) == calls[:1]
    assert store.get_all([*kept, "told x of 501234567", "carried"]) == kept
    assert "0 calls and 0 other notes" in fill("--forget", "50123")[1]


def test_on_a_server_too_a_query_can_only_read(fill, postgres_url):
    more = {"DATABASE_URL": f"'{postgres_url}'"}
    fill("2024-05-19", **more)
    sql = "SELECT count(*) > 10 AS some FROM calls WHERE number LIKE '+380%'"
    assert fill("--query", sql, **more) == (0, "some\nTrue\n")
    for wrong in ("DELETE FROM calls", "SELECT 1; COMMIT; DELETE FROM calls", "SELEC"):
        assert fill("--query", wrong, **more)[0] == 2
    assert fill("--query", sql, **more) == (0, "some\nTrue\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name the first day to have, such as 2023-01-01; or --status, --query or --forget."),
        (["2030-01-01"], "2030-01-01 has not begun yet: there are no calls to keep."),
        (["2024-05-01", "--share", "0"], "--share 0.0: use more than 0 and up to 1."),
        (["2024-05-01", "--until", "26:00"], "--until '26:00' is no time of the day: write it as 06:00."),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(arguments, message, fill, sandbox, caplog):
    assert fill(*arguments) == (2, "")
    assert [record.getMessage() for record in caplog.records] == [message]
    assert sandbox.requests == []


def test_calls_are_kept_no_longer_than_they_may_be(fill, run_main, sandbox, database_url, tmp_path):
    assert fill("2024-05-01")[0] == 0
    later = NOON + timedelta(days=10)
    assert run_main(alert_lost_calls, later, ALERT_URLS="json://127.0.0.1:9/", CALLS_KEEP_DAYS="15")[0] in (0, 1)
    archive = Archive(f"sqlite:///{tmp_path}/var/binotel.db", KEY, KYIV, clock=later.timestamp)
    oldest = later.timestamp() - 15 * 86400
    entries = archive.entries(Wanted(0, int(later.timestamp())), later.timestamp())
    starts = [int(entry["startTime"]) for entry in entries]
    assert oldest <= min(starts) < oldest + 86400
    assert archive.first_known() >= oldest - 1
