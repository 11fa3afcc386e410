"""The same company through API 2.0 and through 4.0: whole scripts as processes, whole results compared.

What the sandbox holds is asked of a twin of it in this process: nothing here depends on which calls it makes up.
"""

import gzip
import hashlib
import json
import sqlite3
import time
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import processes
import pytest
from test_download_records import archive, rows
from test_versions import VERSIONS, cells

import alert_lost_calls
import backup_customers
import call_method
import download_records
import export_calls_for_period
import export_calls_per_day
import restore_customers
from binotel_core import DAY_METHOD, METHODS, QUOTA_FREE_REQUESTS, QUOTA_WINDOW_SECONDS, php_json, signed_body
from common.calls.call import RECORDED_DISPOSITIONS
from common.customers.backup import Backup, keyed, read_backup
from common.sandbox.answers import KEY, SECRET, Sandbox
from common.sandbox.company import Company, day_limits
from common.sandbox.recordings import recording
from demo import running_sandbox
from helpers import DAY, KYIV, entry

# A cap as it is, and the quota's times so many times shorter: for lowered.py.
CAP = 2000
SHORT, SHORTER = (CAP, 0.02), (CAP, 0.001)
CAMPAIGN = [date(2024, 4, day) for day in (16, 17, 18)]
PERIOD = (date(2024, 4, 1), date(2024, 4, 21))
FORMATS = ("--format", "xlsx,csv,json")


class Twin:
    """A sandbox in this process that knows what the one knows that is asked by scripts."""

    def __init__(self):
        self.sandbox = Sandbox(time_scale=1e-9)  # next to no quota

    def content(self, version, method, **params):
        """What a version of the API answers, as it is read from JSON."""
        body = signed_body(params, KEY, SECRET)
        if version == "4.0":
            body = json.dumps(params | {"key": KEY, "secret": SECRET}).encode()
        answer = json.loads(php_json(self.sandbox.answer(method, body, version)))
        assert answer.pop("status") == "success"
        return answer[METHODS[method].answer]

    def calls(self, version, *days):
        """The entries of all calls of some days, in the order of a report."""
        contents = [self.content(version, "stats/list-of-calls-per-day", dayInTimestamp=noon(day)) for day in days]
        return in_order({key: call for content in contents for key, call in content.items()})


def in_order(calls):
    return sorted(calls.values(), key=lambda call: (int(call["startTime"]), call["generalCallID"]))


def noon(day):
    first, last = day_limits(day)
    return (first + last) // 2


@pytest.fixture
def twin():
    return Twin()


@pytest.fixture
def address(request):
    """The address of a sandbox that is a process of its own; a test's parameter shortens its quota's times."""
    with running_sandbox("--time-scale", str(getattr(request, "param", 1))) as address:
        yield address


@pytest.fixture
def config(tmp_path):
    """A function that writes the config of a version, in a folder of its own; all that jobs make is there, too."""

    def config(address, version, **more):
        folder = tmp_path / version
        folder.mkdir(exist_ok=True)
        return processes.write_config(folder, address.replace("2.0", version), **more)

    return config


def run_both(script, *arguments, configs, **options):
    """By version: (exit code, stdout, stderr) of the script, which runs for both at once."""
    path = Path(script.__file__)
    started = {
        version: processes.start(path, *arguments, "--config", configs[version], **options) for version in VERSIONS
    }
    ended = {}
    for version, process in started.items():
        with process:
            output, errors = process.communicate(timeout=60)
        ended[version] = process.returncode, output, processes.without_time(path, errors)
    return ended


def run(script, *arguments, **options):
    return processes.run(Path(script.__file__), *arguments, **options)


def boss_of(version):
    return f"boss-{version}@example.com"


def texts(message):
    """What a mail says: its subject, and its two forms."""
    return [message["Subject"], *(message.get_body([kind]).get_content() for kind in ("plain", "html"))]


# --- Reports -----------------------------------------------------------------


def test_a_day_gives_the_same_report_file_by_file_and_mail_by_mail(address, config, twin, inbox, tmp_path):
    configs = {
        version: config(address, version, **inbox.settings | {"REPORT_TO": boss_of(version)}) for version in VERSIONS
    }
    folders = {version: tmp_path / version / "reports" for version in VERSIONS}
    stem = f"calls-{DAY}"
    paths = {version: [folders[version] / f"{stem}.{kind}" for kind in ("xlsx", "csv", "json")] for version in VERSIONS}
    ended = run_both(export_calls_per_day, DAY, *FORMATS, configs=configs)
    assert ended == {version: (0, "".join(f"{path}\n" for path in paths[version]), "") for version in VERSIONS}
    for version in VERSIONS:
        assert json.loads(paths[version][2].read_text("utf-8")) == twin.calls(version, DAY)
    assert cells(paths["2.0"][0]) == cells(paths["4.0"][0])
    assert paths["2.0"][1].read_bytes() == paths["4.0"][1].read_bytes()

    mails = {message["To"]: message for message in inbox.messages}
    assert mails.keys() == {boss_of(version) for version in VERSIONS}
    told = [texts(mails[boss_of(version)]) for version in VERSIONS]
    assert told[0] == told[1]
    for version in VERSIONS:
        attachments = list(mails[boss_of(version)].iter_attachments())
        assert {part.get_filename(): part.get_payload(decode=True) for part in attachments} == {
            path.name: path.read_bytes() for path in paths[version]
        }

    # The day as a period is the same day, under the same name.
    day = {version: [path.read_bytes() for path in paths[version][1:]] for version in VERSIONS}
    sheets = cells(paths["2.0"][0])
    for path in (*paths["2.0"], *paths["4.0"]):
        path.unlink()
    assert run_both(export_calls_for_period, DAY, DAY, *FORMATS, "--no-mail", configs=configs) == ended
    assert {version: [path.read_bytes() for path in paths[version][1:]] for version in VERSIONS} == day
    assert [cells(paths[version][0]) for version in VERSIONS] == [sheets] * 2


@pytest.fixture
def campaigns(make_sandbox):
    """By version: a sandbox of a quiet company with some days of which nobody expects so many calls; and their twin.

    The sandboxes note in `answers` how many calls each answer had.
    """
    quiet_day, busy_day = Company(1, 60).calls_of_day, Company(1, 1200).calls_of_day

    def calls_of_day(day):
        return (busy_day if day in CAMPAIGN else quiet_day)(day)

    def noting(sandbox):
        answer, sandbox.answers = sandbox.answer, []

        def noted(*request):
            content = answer(*request)
            if content["status"] == "success":
                sandbox.answers.append(len(content["callDetails"]))
            return content

        sandbox.answer = noted

    twin = Twin()
    sandboxes = {version: make_sandbox(time_scale=SHORT[1]) for version in VERSIONS}
    for sandbox in (twin.sandbox, *sandboxes.values()):
        sandbox.company.calls_of_day = calls_of_day
    for sandbox in sandboxes.values():
        noting(sandbox)
    return sandboxes, twin


def test_a_period_is_whole_where_answers_are_cut_off_and_the_quota_is_kept(campaigns, config, tmp_path):
    sandboxes, twin = campaigns
    configs = {version: config(sandboxes[version].base_url, version) for version in VERSIONS}
    first, last = PERIOD
    ended = run_both(export_calls_for_period, first, last, "--format", "csv,json", "-v", configs=configs, lowered=SHORT)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    paths = {version: tmp_path / version / "reports" / f"calls-{first}--{last}.json" for version in VERSIONS}
    for version in VERSIONS:
        assert ended[version][0] == 0
        assert json.loads(paths[version].read_text("utf-8")) == twin.calls(version, *days)
        assert max(sandboxes[version].answers) == CAP
        assert f" {CAP} entries, 0 new" in ended[version][2]
        assert_quota_was_kept(tmp_path / version / "var" / "binotel.db", sandboxes[version])
    assert sandboxes["2.0"].answers == sandboxes["4.0"].answers
    assert paths["2.0"].with_suffix(".csv").read_bytes() == paths["4.0"].with_suffix(".csv").read_bytes()


def assert_quota_was_kept(database, sandbox):
    """Each request came when the ledger says, and that is as late as the quota demands."""
    with closing(sqlite3.connect(database)) as connection:
        starts = [start for (start,) in connection.execute("SELECT starts_at FROM heavy_requests ORDER BY id")]
    came = [request["time"] for request in sandbox.requests]
    assert len(came) == len(starts) > QUOTA_FREE_REQUESTS
    assert all(start <= time for start, time in zip(starts, came, strict=True))
    gap, minute = (seconds * SHORT[1] for seconds in (METHODS[DAY_METHOD].gap, QUOTA_WINDOW_SECONDS))
    for before, previous, start in zip(starts, starts[4:], starts[5:], strict=False):
        assert start - previous >= gap or start - before >= minute


# --- Alerts ------------------------------------------------------------------


@pytest.fixture
def now():
    """This moment, but none of the last ones of a day: those who are waited for are told of by the clock's time."""
    now = datetime.now(KYIV).replace(microsecond=0)
    while (now + timedelta(minutes=1)).date() != now.date():
        time.sleep(1)
        now = datetime.now(KYIV).replace(microsecond=0)
    return now


@pytest.fixture
def waiting(make_sandbox, now):
    """A sandbox where callers wait, or do not, right now; it makes up nobody."""
    sandbox = make_sandbox(time_scale=SHORTER[1])
    # One that the sandbox made up has all the fields of which either version makes something.
    lost = (call for call in sandbox.company.calls_of_day(DAY) if call["disposition"] == "NOANSWER")
    made_up = next(call for call in lost if str(call["callType"]) == "0")
    calls = []

    def call(moment, disposition="NOANSWER", number="0501111111", **more):
        more = {"generalCallID": f"7{len(calls)}", "callID": f"7{len(calls)}", "waitsec": 20, "billsec": 0} | more
        calls.append(made_up | entry(moment, disposition, number, **more))

    def minutes_ago(minutes):
        return datetime.fromtimestamp(now.timestamp() - 60 * minutes, KYIV)

    noon = datetime.combine(now.date() - timedelta(days=1), datetime.min.time(), KYIV).replace(hour=12)
    call(noon, "BUSY", "+380507777777")
    call(minutes_ago(70), number="0506666666")  # is calling again right now
    call(minutes_ago(0.5), "ANSWER", "0506666666", waitsec=4, billsec="3600")
    call(minutes_ago(60), "BUSY", "+380503333333")  # lost twice
    call(minutes_ago(55), "VM-SUCCESS", "", didName="", didNumber="0443334001")  # hidden, with a message
    call(minutes_ago(50), number="0501111111", customerData={"id": "6600", "name": "Лікар"})
    call(minutes_ago(45), number="0502222222")  # was called back
    call(minutes_ago(40), "CANCEL", "0503333333", waitsec="75")
    call(minutes_ago(30), "ANSWER", "+380502222222", callType="1", billsec="60")
    call(minutes_ago(3), number="0504444444")  # somebody may be calling back
    sandbox.company.calls_of_day = lambda day: sorted(
        (call for call in calls if datetime.fromtimestamp(int(call["startTime"]), KYIV).date() == day),
        key=lambda call: int(call["startTime"]),
    )

    def shown(minutes):
        moment = minutes_ago(minutes)
        return f"{'' if moment.date() == now.date() else 'yesterday '}{moment:%H:%M}"

    rung = "who was rung: Наталія Бондаренко, Ігор Ткаченко"  # the lines that rang in the made-up one
    sandbox.told = [
        "☎ +380503333333 +3",
        "",
        "+380503333333",
        f"{shown(40)}, waited 1m 15s",
        f"called a second time (first: {shown(60)})",
        "our number: Головна, 0443334001",
        rung,
        "",
        "+380501111111 Лікар",
        f"{shown(50)}, waited 20s",
        "our number: Головна, 0443334001",
        rung,
        "",
        "hidden number",
        f"{shown(55)}, waited 20s",
        "our number: 0443334001",
        "left a voice message",
        rung,
        "",
        "+380507777777",
        "yesterday 12:00, waited 20s",
        "our number: Головна, 0443334001",
        rung,
        "",
        "Waiting in all: 5",
    ]
    return sandbox


@pytest.mark.parametrize("version", VERSIONS)
def test_who_waits_is_shown_then_told_by_mail_and_then_not_again(version, waiting, config, inbox):
    more = inbox.settings | {"REPORT_TO": "", "ALERT_TO": "boss@example.com"}
    path = config(waiting.base_url, version, **more)
    code, output, errors = run(alert_lost_calls, "--dry-run", "--config", path, lowered=SHORTER)
    assert (code, errors) == (0, "")
    assert output.splitlines() == ["--- mail to boss@example.com", *waiting.told, ""]
    assert inbox.messages == []
    for _ in range(2):
        assert run(alert_lost_calls, "--config", path, lowered=SHORTER) == (0, "", "")
    [message] = inbox.messages
    subject, text, _ = texts(message)
    assert [subject, "", *text.splitlines()] == waiting.told


# --- Customers ---------------------------------------------------------------


@pytest.mark.parametrize("address", [SHORTER[1]], indirect=True)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_base_is_filled_from_a_backup_until_neither_version_sees_a_difference(version, address, config, twin):
    configs = {version: config(address, version) for version in VERSIONS}

    def saved():
        code, output, errors = run(backup_customers, "--config", configs[version], lowered=SHORTER)
        assert (code, errors) == (0, "")
        return Path(output.splitlines()[0])

    def restore(*options, through=version):
        words = (backup, "--apply", "--yes", *options, "--config", configs[through])
        return run(restore_customers, *words, lowered=SHORTER)

    backup = saved()
    base = twin.content(version, "customers/list")
    assert content_of(backup) == (list(base.values()), twin.content(version, "customers/listOfLabels"))
    # What is read of it does not depend on the version.
    base_2 = keyed(twin.content("2.0", "customers/list"))
    assert read_backup(backup).customers == Backup.of(datetime.now(KYIV), base_2, pytest.fail).customers

    words = ("customers/delete", f"customerID:={json.dumps(list(base))}", "--yes", "--config", configs[version])
    assert run(call_method, *words)[0] == 0
    code, output, errors = restore()
    assert (code, "Binotel lists no customers at all. Nothing was written." in errors) == (1, True)
    code, output, errors = restore("--force")
    assert (code, errors) == (0, "")
    assert output.splitlines()[-1] == f"{len(base)} of {len(base)} customers were brought back."

    again = saved()
    assert without_ids(again) == without_ids(backup)
    assert {customer["id"] for customer in content_of(again)[0]}.isdisjoint(base)
    # A key of 2.0 may have become one of 4.0 since the backup, or the other way round.
    for through in VERSIONS:
        code, output, errors = restore(through=through)
        assert (code, errors) == (0, "")
        assert output.splitlines()[-1].startswith(f"0 to create, 0 to update, {len(base)} the same; 0 are not in the")


def content_of(backup):
    """The customers and the labels in the file of a backup, as the server sent them."""
    with gzip.open(backup) as file:
        content = json.load(file)
    return content["customers"], content["labels"]


def without_ids(backup):
    customers, labels = content_of(backup)
    return sorted(({**customer, "id": ""} for customer in customers), key=lambda customer: customer["name"]), labels


# --- Recordings --------------------------------------------------------------


def test_the_same_recordings_are_kept_whole_and_once(address, config, twin, tmp_path):
    configs = {version: config(address, version, RECORDS_URL="kept/records") for version in VERSIONS}
    calls = [call for call in twin.calls("2.0", DAY) if call["disposition"] in RECORDED_DISPOSITIONS]
    contents = {call["generalCallID"]: recording(call) for call in calls}
    size = sum(map(len, contents.values())) / 1_000_000
    ended = run_both(download_records, DAY, configs=configs)
    told = f"{len(calls)} downloaded ({size:.1f} MB), 0 already there, 0 not yet available, 0 failed\n"
    assert ended == dict.fromkeys(VERSIONS, (0, told, ""))

    lists = {}
    for version in VERSIONS:
        folder = tmp_path / version / "kept" / "records"
        lists[version] = rows(folder)
        files = {Path(path).name: content for path, content in archive(folder).items()}
        assert {row["file"]: row["sha256"] for row in lists[version]} == {
            name: hashlib.sha256(content).hexdigest() for name, content in files.items()
        }
        assert {row["generalCallID"]: files[row["file"]] for row in lists[version]} == contents
    assert lists["2.0"] == lists["4.0"]

    ended = run_both(download_records, DAY, configs=configs)
    told = f"0 downloaded, {len(calls)} already there, 0 not yet available, 0 failed\n"
    assert ended == dict.fromkeys(VERSIONS, (0, told, ""))


# --- Any method --------------------------------------------------------------

DIAL = {
    "2.0": ("calls/ext-to-phone", "ext_number", "phone_number"),
    "4.0": ("calls/internal-number-to-external-number", "internalNumber", "externalNumber"),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_any_method_is_called_under_the_names_of_the_keys_version(version, address, config, twin):
    path = config(address, version)

    def call(*words):
        return run(call_method, *words, "--config", path)

    code, output, errors = call("stats/list-of-calls-per-day", f"dayInTimestamp={DAY}")
    assert (code, errors) == (0, "")
    assert in_order(json.loads(output)["callDetails"]) == twin.calls(version, DAY)

    name, numbers = "О'Коннор / \\ 😀 \x7f", ["0991111111", "0992222222"]
    words = (f"name={name}", f"numbers:={json.dumps(numbers)}", "labels:=[7000]")
    code, output, errors = call("customers/create", *words, "--yes")
    assert (code, errors) == (0, "")
    made = json.loads(output)["customerID"]
    assert made == twin.content(version, "customers/create", name=name, numbers=numbers, labels=[7000])
    code, output, errors = call("customers/take-by-id", f"customerID={made}")
    assert (code, errors) == (0, "")
    assert json.loads(output)["customerData"] == twin.content(version, "customers/take-by-id", customerID=made)

    code, output, errors = call("--list")
    names = [method.name for method in call_method.methods_of(is_4=version == "4.0").values()]
    assert (code, [line.split()[0] for line in output.splitlines()[::2]], errors) == (0, names, "")

    [(other, *_)] = [names for of, names in DIAL.items() if of != version]
    method, line, number = DIAL[version]
    told = f"ERROR: API {version} has no method {other!r}. It calls it {method}."
    assert call(other, "--yes") == (2, "", told)

    code, output, errors = call(method, f"{line}=908", f"{number}=0671234560", "--yes")
    assert (code, output) == (1, "")
    assert errors.startswith(f"ERROR: Binotel refused {method} with code 150: Can't call to the ext. ")
