"""The archive of recordings, made by the whole script as a process, against a sandbox that fails in many ways."""

import csv
import errno
import functools
import gzip
import hashlib
import os
import shutil
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import fsspec
import processes
import pytest
import time_machine

import download_records
from binotel_core import ApiError, BinotelError, SignatureError, TransportError, account_id
from common.calls.call import RECORDED_DISPOSITIONS
from common.recordings import storage
from common.recordings.storage import Archive
from common.sandbox.answers import KEY
from common.sandbox.recordings import recording
from common.state.store import Store
from download_records import GIVEN_UP
from helpers import DAY, KYIV, at

SCRIPT = Path(download_records.__file__)
FAST = (2000, 0.02)  # caps as they are; what is waited for 50 times shorter
PATIENT = {"RECORDS_PATIENCE_HOURS": "99999"}

start = functools.partial(processes.start, SCRIPT, lowered=FAST)


@pytest.fixture
def sandbox(make_sandbox, monkeypatch):
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    return make_sandbox(calls_per_day=60)


@pytest.fixture
def download(configure):
    """A function that runs the script over the day, or with other arguments."""

    def download(*arguments, **more):
        options = {name: more.pop(name) for name in ("env",) if name in more}
        return processes.run(SCRIPT, *arguments or [DAY], "--config", configure(**more), lowered=FAST, **options)

    return download


def recorded(sandbox, day=DAY):
    return [call for call in sandbox.company.calls_of_day(day) if call["disposition"] in RECORDED_DISPOSITIONS]


def file_name(call):
    start = datetime.fromtimestamp(int(call["startTime"]), KYIV)
    number = call["externalNumber"].removeprefix("+") or "hidden"
    way = "in" if str(call["callType"]) == "0" else "out"
    return f"{start:%H%M%S}-{way}-{number}-{call['internalNumber'] or 'none'}-{call['generalCallID']}.mp3"


def truth(sandbox, day=DAY):
    return {f"{day:%Y/%m/%d}/{file_name(call)}": recording(call) for call in recorded(sandbox, day)}


def archive(folder):
    """Every file under a folder but the lists, by its path."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "records.csv"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def rows(folder):
    with (folder / "2024/05/01/records.csv").open(encoding="utf-8-sig", newline="") as file:
        return [{name: value.strip("\t") for name, value in row.items()} for row in csv.DictReader(file, delimiter=";")]


def asked(sandbox, method="stats/call-record"):
    return [request["code"] for request in sandbox.requests if request["method"] == method]


def told(downloaded, there=0, waiting=0, failed=0, size=None):
    megabytes = "" if size is None else f" ({size / 1e6:.1f} MB)"
    return f"{downloaded} downloaded{megabytes}, {there} already there, {waiting} not yet available, {failed} failed\n"


def test_a_day_is_archived_byte_for_byte_and_not_asked_for_again(download, sandbox, tmp_path):
    files = truth(sandbox)
    size = sum(map(len, files.values()))
    assert len(files) > 30
    assert download() == (0, told(len(files), size=size), "")
    assert archive(tmp_path / "records") == files
    assert (asked(sandbox), asked(sandbox, "records")) == ([0] * len(files), [200] * len(files))
    sandbox.requests.clear()
    assert download() == (0, told(0, len(files)), "")
    assert sandbox.requests == []  # the archive knows the day's calls


def test_the_list_explains_every_file(download, sandbox, tmp_path):
    download()
    expected = [
        {
            "file": file_name(call),
            "generalCallID": call["generalCallID"],
            "callID": call["callID"],
            "time": datetime.fromtimestamp(int(call["startTime"]), KYIV).isoformat(" "),
            "direction": "in" if str(call["callType"]) == "0" else "out",
            "number": call["externalNumber"],
            "line": call["internalNumber"],
            "employee": call["employeeName"],
            "seconds": str(call["billsec"]),
            "bytes": str(len(recording(call))),
            "sha256": hashlib.sha256(recording(call)).hexdigest(),
        }
        for call in recorded(sandbox)
    ]
    assert rows(tmp_path / "records") == expected


@pytest.mark.parametrize(
    ("fault", "count"), [("cut-body", 8), ("http-403", 1), ("http-500", 8), ("wrong-length", 8), ("hang", 8)]
)
def test_what_passes_is_overcome_within_the_run(fault, count, download, sandbox, tmp_path):
    for call in recorded(sandbox):
        call["billsec"] = max(int(call["billsec"]), 60)  # of the smallest ones nothing may have come before they stop
    sandbox.faults["records"] = [fault] * count
    code, _, errors = download("2024-05-01", "--workers", "3")
    assert (code, errors) == (0, "")
    assert archive(tmp_path / "records") == truth(sandbox)
    statuses = asked(sandbox, "records")
    if fault in ("cut-body", "hang"):
        assert statuses.count(206) == 8  # went on where they stopped
    if fault == "http-403":
        assert len(asked(sandbox)) == len(truth(sandbox)) + 1  # the link was asked for anew


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("html", "What came is no MP3: it begins with '<html><body>Please log in to the network</body></html>'."),
        ("redirect", "The link to it leads to http://records.example.com, and only https is trusted."),
    ],
)
def test_what_is_no_recording_is_told_and_tried_again_by_the_next_run(fault, reason, download, sandbox, tmp_path):
    files, calls = truth(sandbox), recorded(sandbox)
    sandbox.faults["records"] = [fault] * 2
    code, output, errors = download("2024-05-01", "--workers", "1")
    assert code == 1
    assert output.endswith(f"downloaded ({output.partition('(')[2].partition(')')[0]}), {told(0, 0, 0, 2)[14:]}")
    lines = errors.splitlines()
    assert len(lines) == 2
    assert all(line.endswith(f": {reason} It will be tried again.") for line in lines)
    assert len(archive(tmp_path / "records")) == len(files) - 2
    assert len(rows(tmp_path / "records")) == len(calls) - 2
    # The day is remembered: it comes again although it is neither yesterday nor today.
    code, _, errors = download("--since", "1d")
    assert (code, errors) == (0, "")
    found = archive(tmp_path / "records")
    assert {path: found[path] for path in files} == files


@pytest.mark.parametrize(
    ("method", "fault"), [("stats/call-record", "code-104"), ("records", "http-404"), ("records", "http-403")]
)
def test_what_is_not_there_yet_is_tried_by_later_runs(method, fault, download, sandbox, tmp_path):
    files = truth(sandbox)
    # With 403 a fresh link has to be refused, too.
    sandbox.faults[method] = [fault] * (3 if fault != "http-403" else 2 * len(files))
    missing = 3 if fault != "http-403" else len(files)
    code, output, errors = download(**PATIENT)
    assert (code, errors) == (0, "")
    assert output.endswith(f"0 already there, {missing} not yet available, 0 failed\n")
    assert len(archive(tmp_path / "records")) == len(files) - missing
    sandbox.requests.clear()
    code, _, errors = download("yesterday", **PATIENT)
    assert (code, errors) == (0, "")
    found = archive(tmp_path / "records")
    assert {path: found[path] for path in files} == files


def test_what_never_comes_is_told_once_and_not_asked_for_again(download, sandbox, tmp_path):
    files = truth(sandbox)
    sandbox.faults["stats/call-record"] = ["code-104"] * len(files)
    code, output, errors = download()
    assert (code, output) == (1, told(0, 0, 0, len(files)))
    assert errors.startswith("ERROR: More than 48 hours after these calls there is no recording: 2024-05-01 ")
    assert errors.endswith(f" and {len(files) - 10} more. {GIVEN_UP}")
    assert [row["file"] for row in rows(tmp_path / "records")] == [""] * len(files)
    sandbox.requests.clear()
    assert download() == (0, told(0), "")
    assert asked(sandbox) == []


def test_what_is_too_large_is_told(download, sandbox, tmp_path):
    for index, call in enumerate(recorded(sandbox)):
        call["billsec"] = 600 if index == 3 else min(int(call["billsec"]), 300)
    large = [path for path, content in truth(sandbox).items() if len(content) > 1_000_000]
    assert len(large) == 1
    code, _, errors = download(RECORD_MAX_MB="1")
    assert code == 1
    assert errors.endswith(f": It has 1.2 MB, more than RECORD_MAX_MB=1 allows. {GIVEN_UP}")
    assert archive(tmp_path / "records").keys() == truth(sandbox).keys() - set(large)


def test_a_file_that_was_deleted_or_cut_is_downloaded_again(download, sandbox, tmp_path):
    download()
    one, other, *_ = sorted((tmp_path / "records").rglob("*.mp3"))
    one.unlink()
    other.write_bytes(other.read_bytes()[:1000])
    sandbox.requests.clear()
    code, _, errors = download()
    assert (code, errors, len(asked(sandbox))) == (0, "", 2)
    assert archive(tmp_path / "records") == truth(sandbox)


def test_a_run_that_is_killed_loses_nothing_that_was_finished(download, configure, sandbox, tmp_path):
    sandbox.latency = 0.1
    with start(DAY, "--workers", "2", "--config", configure()) as process:
        wait_for(lambda: len(list((tmp_path / "records").rglob("*.mp3"))) > 10)
        process.send_signal(signal.SIGKILL)
    (tmp_path / "records/2024/05/01/090000-in-1-2-3.mp3.part").write_bytes(b"left behind")
    finished = archive(tmp_path / "records").keys() & truth(sandbox).keys()
    sandbox.latency = 0
    time.sleep(0.5)  # for the requests that were on their way
    sandbox.requests.clear()
    code, _, errors = download("yesterday")  # the day comes again by itself
    assert (code, errors) == (0, "")
    found = archive(tmp_path / "records")
    assert {path: content for path, content in found.items() if path.startswith("2024/05/01")} == truth(sandbox)
    assert len(rows(tmp_path / "records")) == len(truth(sandbox))
    of_yesterday = len(found) - len(truth(sandbox))
    assert len(asked(sandbox)) == len(truth(sandbox)) - len(finished) + of_yesterday


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_at_once_although_the_server_hangs(stop, configure, sandbox, tmp_path):
    sandbox.faults["records"] = [""] * 5 + ["hang"] * 100
    with processes.start(SCRIPT, DAY, "--config", configure()) as process:
        wait_for(lambda: len(list((tmp_path / "records").rglob("*.mp3"))) == 5)
        began = time.monotonic()
        process.send_signal(stop)
        _, errors = process.communicate(timeout=10)
        assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert errors.endswith("download_records: ERROR: Stopped before the end.\n")
    assert archive(tmp_path / "records").items() < truth(sandbox).items()


def test_a_full_disk_stops_the_run_and_leaves_no_rubbish(run_main, download, sandbox, tmp_path, monkeypatch, caplog):
    room = [3_000_000]

    class Full:
        def __init__(self, file):
            self._file = file
            self.seek, self.truncate, self.flush, self.fileno = file.seek, file.truncate, file.flush, file.fileno

        def write(self, content):
            room[0] -= len(content)
            if room[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self._file.write(content)

    new_file = Archive.new_file
    wrapped = functools.partialmethod(lambda self, path: FullFile(new_file(self, path)))

    class FullFile:
        def __init__(self, context):
            self._context = context

        def __enter__(self):
            return Full(self._context.__enter__())

        def __exit__(self, *error):
            return self._context.__exit__(*error)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "new_file", wrapped)
        code, _ = run_main(download_records, datetime.now(KYIV), "2024-05-01")
    assert code == 1
    assert caplog.text.endswith("No space left on device. Free some space and run this again.\n")
    found = archive(tmp_path / "records")
    assert found
    assert found.items() < truth(sandbox).items()
    assert download()[0] == 0
    assert archive(tmp_path / "records") == truth(sandbox)


def test_a_server_that_is_gone_ends_the_run_early_and_the_next_one_goes_on(download, sandbox, tmp_path):
    sandbox.faults["records"] = ["http-500"] * 1000
    code, output, errors = download("2024-05-01", "--workers", "2")
    assert code == 1
    assert "downloads in a row failed, so this run was given up. Check the network" in errors.splitlines()[-1]
    assert len(errors.splitlines()) == 11
    assert output == ""
    sandbox.faults.clear()
    assert download("yesterday")[0] == 0
    found = archive(tmp_path / "records")
    assert {path: content for path, content in found.items() if path.startswith("2024/05/01")} == truth(sandbox)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "--workers 0: use 1 to 32."),
        (["--since", "week"], "--since 'week' is no number of days from 1 to 3660: write it as 7d."),
        (["2999-01-01"], "2999-01-01 has not begun yet: there are no calls of it."),
        (["may"], "'may' is not a day: write it as 2024-05-01, today or yesterday."),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(arguments, message, run_main, caplog, sandbox):
    assert run_main(download_records, datetime(2024, 6, 1, tzinfo=KYIV), *arguments) == (2, "")
    assert [record.getMessage() for record in caplog.records] == [message]
    assert sandbox.requests == []


def test_a_list_that_another_program_spoilt_is_told_and_nothing_is_lost(download, sandbox, tmp_path):
    download()
    path = tmp_path / "records/2024/05/01/records.csv"
    path.write_bytes("file;час".encode("cp1251"))
    code, _, errors = download()
    assert code == 1
    assert errors.startswith("ERROR: The list 2024/05/01/records.csv cannot be read")
    path.unlink()
    sandbox.requests.clear()
    assert download() == (0, told(0, len(truth(sandbox))), "")
    assert asked(sandbox) == []
    assert len(rows(tmp_path / "records")) == len(truth(sandbox))


def test_what_a_store_refuses_long_after_the_call_is_told_and_never_given_up(download, sandbox, tmp_path):
    sandbox.faults["records"] = ["http-403"] * 1000
    code, _, errors = download()
    assert code == 1
    assert "127.0.0.1 refuses the link (HTTP 403). It will be tried again." in errors
    sandbox.faults.clear()
    assert download()[0] == 0
    assert archive(tmp_path / "records") == truth(sandbox)


def test_a_refusal_that_nobody_documents_is_told_and_stops_no_other_recording(download, sandbox, tmp_path):
    sandbox.faults["stats/call-record"] = ["code-110"]
    code, output, errors = download()
    assert (code, output[-10:]) == (1, " 1 failed\n")
    assert "Binotel refused stats/call-record with code 110: Injected by the sandbox. It will be tried again." in errors
    assert len(archive(tmp_path / "records")) == len(truth(sandbox)) - 1
    assert download()[0] == 0
    assert archive(tmp_path / "records") == truth(sandbox)


def test_an_answer_that_names_a_call_twice_makes_one_file(download, sandbox, tmp_path):
    calls = sandbox.company.calls_of_day(DAY)
    sandbox.company.calls_of_day = lambda day: calls if day == DAY else []
    content = sandbox._content

    def twice(method, params):
        answer = content(method, params)
        return {"callDetails": [*answer["callDetails"].values()] * 2} if "callDetails" in answer else answer

    sandbox._content = twice
    code, output, _ = download()
    assert (code, output) == (0, told(len(truth(sandbox)), size=sum(map(len, truth(sandbox).values()))))
    assert archive(tmp_path / "records") == truth(sandbox)


def test_a_link_that_grew_old_in_the_queue_is_asked_for_anew(download, make_sandbox, sandbox, tmp_path, monkeypatch):
    links = {}
    make_link, find = sandbox.recordings.link, sandbox.recordings.content

    def noted(call_id, root):
        links[call_id] = time.monotonic()
        return make_link(call_id, root)

    def lives_a_second(path, query):
        call_id = path.removeprefix("/records/").removesuffix(".mp3")
        time.sleep(0.15)
        return find(path, query) if time.monotonic() - links[call_id] < 0.25 else None

    sandbox.recordings.link, sandbox.recordings.content = noted, lives_a_second
    calls = recorded(sandbox)[:6]
    sandbox.company.calls_of_day = lambda day: calls if day == DAY else []
    code, _, errors = download("2024-05-01", "--workers", "1")
    assert (code, errors) == (0, "")
    assert archive(tmp_path / "records") == truth(sandbox)
    assert len(asked(sandbox)) > len(calls)


def test_a_day_that_was_not_over_comes_again(run_main, sandbox, tmp_path, monkeypatch):
    folder = tmp_path / "records"
    for moment, arguments in ((at("13:30"), ["today"]), (at("09:00", DAY + timedelta(days=3)), ["yesterday"])):
        assert run_main(download_records, moment, *arguments)[0] in (0, 1)
    found = archive(folder)
    assert {path: content for path, content in found.items() if path.startswith("2024/05/01")} == truth(sandbox)


def test_days_on_which_nothing_ran_are_caught_up(run_main, sandbox, tmp_path):
    assert run_main(download_records, at("13:30"))[0] == 0
    assert run_main(download_records, at("09:00", DAY + timedelta(days=4)))[0] == 0
    days = [DAY + timedelta(days=number) for number in range(-1, 4)]
    over = {path: content for day in days for path, content in truth(sandbox, day).items()}
    assert archive(tmp_path / "records").items() >= over.items()
    requests = len(asked(sandbox, "stats/list-of-calls-per-day"))
    assert run_main(download_records, at("11:00", DAY + timedelta(days=4)))[0] == 0
    assert len(asked(sandbox, "stats/list-of-calls-per-day")) == requests + 1  # today: the archive knows yesterday


def test_at_most_a_month_is_caught_up():
    days = download_records.missed_days(DAY, DAY - timedelta(days=90))
    assert (len(days), days[0], days[-1]) == (32, DAY, DAY - timedelta(days=31))


def test_what_fails_in_an_old_day_keeps_no_newer_one_from_being_archived(download, sandbox, tmp_path):
    sandbox.faults["records"] = ["http-500"] * 1000
    assert download()[0] == 1
    get = sandbox.recordings.content
    old = {call["callID"] for call in recorded(sandbox)}
    sandbox.faults.clear()
    sandbox.recordings.content = lambda path, query: None if path[9:-4] in old else get(path, query)
    yesterday = datetime.now(KYIV).date() - timedelta(days=1)
    assert download("yesterday")[0] == 1
    assert archive(tmp_path / "records").items() >= truth(sandbox, yesterday).items()


ODD = {
    "text": lambda _: b"busy, try later",
    "gzip": gzip.compress,
    "fax": lambda content: b"%PDF-1.4" + content,
    "too large": lambda _: b"ID3" + bytes(1_000_001),
}


@pytest.fixture
def odd(sandbox):
    """A function after which one recording of the day, the third of four, comes as what is said by turns; and its
    file's name."""
    calls = recorded(sandbox)[:4]
    sandbox.company.calls_of_day = lambda day: calls if day == DAY else []
    content = sandbox.recordings.content

    def odd(*kinds):
        turns = list(kinds)

        def turned(path, query):
            whole = content(path, query)
            return ODD[turns.pop(0)](whole) if calls[2]["callID"] in path and turns else whole

        sandbox.recordings.content = turned
        return file_name(calls[2])

    return odd


def run_at(run_main, hours, *arguments, patience=99999):
    """The script as it runs so many hours after nine in the morning of the day after."""
    moment = at("09:00", DAY + timedelta(days=1)) + timedelta(hours=hours)
    return run_main(download_records, moment, *arguments, RECORDS_PATIENCE_HOURS=patience, RECORD_MAX_MB=1)


@pytest.mark.parametrize("kind", ODD)
def test_what_is_refused_waits_until_three_runs_hours_apart_have_found_it_so(
    kind, odd, run_main, sandbox, tmp_path, caplog
):
    name = odd(*[kind] * 9)
    code, output = run_at(run_main, 0)
    assert (code, output.endswith(", 0 already there, 0 not yet available, 1 failed\n")) == (1, True)
    [said] = caplog.messages
    assert said.startswith("1 recording of 2024-05-01 waits for later runs: 2024-05-01 ")
    for hours in (2, 4, 6, 11):
        assert run_at(run_main, hours) == (1, told(0, 3, 0, 1))
        assert len(rows(tmp_path / "records")) == 3
    assert GIVEN_UP not in caplog.text
    assert run_at(run_main, 12) == (1, told(0, 3, 0, 1))
    assert caplog.messages[-1].endswith(GIVEN_UP)
    assert [row["file"] for row in rows(tmp_path / "records")][2] == ""
    sandbox.requests.clear()
    assert run_at(run_main, 14) == (0, told(0, 3))
    assert asked(sandbox) == []
    assert name not in str(sorted(tmp_path.rglob("*")))


@pytest.mark.parametrize("kinds", [["text"], ["text", "text"], ["text", "gzip", "text", "fax", "text"]])
def test_what_was_refused_may_be_whole_later(kinds, odd, run_main, sandbox, tmp_path):
    odd(*kinds)
    for number in range(len(kinds)):
        assert run_at(run_main, 6 * number)[0] == 1
    code, output = run_at(run_main, 6 * len(kinds))
    assert (code, output.startswith("1 downloaded")) == (0, True)
    assert archive(tmp_path / "records") == truth(sandbox)


def test_what_came_whole_and_is_refused_anew_begins_to_count_anew(odd, run_main, sandbox, tmp_path):
    name = odd("text", "text")
    for hours in (0, 6, 12):
        run_at(run_main, hours)
    (tmp_path / "records/2024/05/01" / name).unlink()
    odd("text")
    assert run_at(run_main, 18, str(DAY)) == (1, told(0, 3, 0, 1))
    code, _ = run_at(run_main, 20)
    assert (code, archive(tmp_path / "records")) == (0, truth(sandbox))


@pytest.mark.parametrize(("kinds", "code"), [(["text"], 0), (["text", "gzip"], 1), (["text"] * 2, 1)])
def test_when_the_patience_is_over_a_second_look_decides(kinds, code, odd, run_main, sandbox, tmp_path, caplog):
    odd(*kinds)
    assert run_at(run_main, 100, str(DAY), patience=48)[0] == code
    assert (GIVEN_UP in caplog.text) == (kinds == ["text"] * 2)
    assert len(rows(tmp_path / "records")) == (3 if len(set(kinds)) == 2 else 4)
    run_at(run_main, 102, patience=48)
    is_whole = archive(tmp_path / "records") == truth(sandbox)
    assert is_whole == (kinds != ["text"] * 2)


def memory(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'var/binotel.db'}", KEY, "download_records", keep_days=400)
    where = account_id(str(tmp_path / "records"))
    names = f"incomplete days of {where}", f"days until then were seen to for {where}"
    return store, names


def test_a_moment_to_come_is_not_believed(odd, run_main, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(download_records, "MAX_CAUGHT_UP", 3)
    odd()
    store, (incomplete, until) = memory(tmp_path)
    with time_machine.travel(at("08:00", DAY + timedelta(days=1))):
        store.put({until: "2025-05-02", incomplete: ["2024-04-20", "2025-05-01", "2025-05-02"]})
    code, _ = run_at(run_main, 0)
    assert (code, archive(tmp_path / "records")) == (0, truth(sandbox))
    assert len(asked(sandbox, "stats/list-of-calls-per-day")) == 5  # today, three days before, and the incomplete one
    assert store.get_all([incomplete, until]) == {until: "2024-05-02", incomplete: ["2024-05-02"]}


@pytest.mark.parametrize(
    "error",
    [
        BinotelError("The clocks are a day apart."),
        TransportError("No answer.", "Wait."),
        ApiError("stats/list-of-calls-per-day", 120, "Disabled"),
        SignatureError("It is not signed."),
    ],
)
def test_nothing_is_remembered_while_nothing_bears_the_clock_out_and_no_day_is_lost(
    error, odd, run_main, sandbox, tmp_path, monkeypatch
):
    odd()
    store, (incomplete, until) = memory(tmp_path)
    before = {until: "2024-04-30", incomplete: ["2024-04-20"]}
    with time_machine.travel(at("08:00", DAY + timedelta(days=1))):
        store.put(before)

    def fails(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("binotel_core.BinotelClient.calls_per_day", fails)
        assert run_at(run_main, 0) == (1, "")
    days = ["2024-04-20", "2024-04-30", "2024-05-01", "2024-05-02"]
    is_known = isinstance(error, (ApiError, SignatureError))
    after = {until: "2024-05-02", incomplete: days} if is_known else before
    assert store.get_all([incomplete, until]) == after
    assert run_at(run_main, 0)[0] == 0
    assert archive(tmp_path / "records") == truth(sandbox)


def test_since_takes_today_and_the_days_before_it(download, sandbox, tmp_path):
    assert download("--since", "2d", **PATIENT)[0] == 0
    days = [datetime.now(KYIV).date() - timedelta(days=back) for back in (2, 1, 0)]
    over = [path for day in days[:2] for path in truth(sandbox, day)]
    assert set(over) <= archive(tmp_path / "records").keys()
    assert asked(sandbox, "stats/list-of-calls-per-day") == [0, 0, 0]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- A bucket ----------------------------------------------------------------


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket of a real S3 server; gives a function that reads all of it, and the environment to reach it."""
    from moto.server import ThreadedMotoServer

    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        import s3fs

        url = "http://{}:{}".format(*server.get_host_and_port())
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        files = s3fs.S3FileSystem(endpoint_url=url, use_listings_cache=False, skip_instance_cache=True)
        files.rm("calls-of-ours", recursive=True) if files.exists("calls-of-ours") else None
        files.mkdir("calls-of-ours", region_name="eu-west-1")
        yield files
    finally:
        server.stop()


def in_bucket(files):
    paths = files.find("calls-of-ours/archive")
    return {
        path.removeprefix("calls-of-ours/archive/"): files.cat_file(path)
        for path in paths
        if not path.endswith("records.csv")
    }


def test_a_bucket_is_kept_as_a_folder_is(download, configure, sandbox, bucket, tmp_path):
    settings = {"RECORDS_URL": "s3://calls-of-ours/archive"}
    sandbox.latency = 0.1
    sandbox.faults["records"] = ["cut-body", "http-403", "http-500"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BINOTEL")}
    with start(DAY, "--config", configure(**settings), env=environment) as process:
        wait_for(lambda: len(bucket.find("calls-of-ours/archive")) > 5)
        process.send_signal(signal.SIGKILL)
    sandbox.latency = 0
    time.sleep(0.3)
    assert in_bucket(bucket).items() < truth(sandbox).items()
    code, _, errors = download(env=environment, **settings)
    assert (code, errors) == (0, "")
    assert in_bucket(bucket) == truth(sandbox)
    sandbox.requests.clear()
    assert download(env=environment, **settings) == (0, told(0, len(truth(sandbox))), "")
    assert asked(sandbox) == []
    assert [path.name for path in (tmp_path / "var").iterdir() if path.is_dir() and any(path.iterdir())] == []


@pytest.mark.parametrize("way", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "fsspec", "client", "file"])
def test_a_store_that_is_not_amazons_is_asked_for_no_checksums(way, bucket, monkeypatch, tmp_path):
    from werkzeug.serving import WSGIRequestHandler

    seen, log_request = [], WSGIRequestHandler.log_request
    monkeypatch.setattr(
        WSGIRequestHandler,
        "log_request",
        lambda self, *more: (seen.append((self.command, self.headers.keys())), log_request(self, *more)),
    )
    url = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    if way == "fsspec":
        monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": url})
    elif way == "client":
        monkeypatch.setitem(fsspec.config.conf, "s3", {"client_kwargs": {"endpoint_url": url}})
    elif way == "file":
        (tmp_path / "config").write_text(f"[default]\nendpoint_url = {url}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    else:
        monkeypatch.setenv(way, url)
    bucket.clear_instance_cache()
    archive = Archive("s3://calls-of-ours/archive", tmp_path / "scratch")
    size = 17 * 2**20 if way == "file" else 5  # so much is uploaded in parts
    with archive.new_file("x.mp3") as file:
        file.write(bytes(size))
    with archive.open("x.mp3") as file:
        assert file.read(5) == bytes(5)
    assert archive.sizes("") == {"x.mp3": size}
    assert {method for method, _ in seen} == {"PUT", "HEAD", "GET"} | ({"POST"} if way == "file" else set())
    names = {name.lower() for _, headers in seen for name in headers}
    assert [name for name in names if "checksum" in name or name == "x-amz-trailer"] == []


@pytest.mark.parametrize(
    "url", ["", "https://s3.eu-west-1.amazonaws.com", "https://b.vpce-1.s3.cn-north-1.amazonaws.com.cn"]
)
def test_amazons_own_store_is_asked_as_amazon_would_have_it(url, monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    assert storage._options("s3") == {}


def test_a_bucket_that_cannot_be_used_is_told(download, sandbox, bucket):
    code, output, errors = download(env=dict(os.environ), RECORDS_URL="s3://nobodys-bucket/x")
    assert (code, output) == (1, "")
    assert "s3://nobodys-bucket/x: The specified bucket does not exist. Check RECORDS_URL, its credentials" in errors


def test_a_storage_that_lacks_its_package_is_told(download, sandbox):
    assert shutil.which("gcsfs") is None
    code, output, errors = download(RECORDS_URL="gs://bucket/x")
    assert (code, output, errors) == (
        2,
        "",
        "ERROR: RECORDS_URL cannot be used: Please install gcsfs to access Google Storage.",
    )
