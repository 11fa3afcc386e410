"""Backup and restore as processes, against a sandbox whose customers are deleted, changed and refused."""

import copy
import errno
import functools
import gzip
import json
import os
import pty
import random
import stat
import time
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import processes
import pytest

import backup_customers
import restore_customers
from binotel_core import METHODS
from common.customers.backup import BackupError, read_backup
from common.sandbox.company import EMPLOYEES, HOSTILE_NAMES
from helpers import KYIV
from messages.test_mail import free_port

BACKUP, RESTORE = Path(backup_customers.__file__), Path(restore_customers.__file__)
NOON = datetime(2024, 5, 1, 12, tzinfo=KYIV)

FAST = (2000, 0.001)  # caps as they are; the quota and the pauses between tries a thousand times shorter
restore = functools.partial(processes.run, RESTORE, lowered=FAST)


@pytest.fixture
def sandbox(make_sandbox, monkeypatch):
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    return make_sandbox()


@pytest.fixture
def base(sandbox):
    return sandbox.customers.customers


@pytest.fixture
def backup(run_main, monkeypatch):
    """A function that runs the backup some hours after noon; returns its exit code and what it printed, in lines."""
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)

    def backup(hours, *arguments, **more):
        code, output = run_main(backup_customers, NOON + timedelta(hours=hours), *arguments, **more)
        return code, output.splitlines()

    return backup


@pytest.fixture
def answer_oddly(sandbox, monkeypatch):
    """A function: from now on what a method lists is what `change` makes of it, always or so many times."""

    def answer_oddly(method, change, times=1000):
        whole, left = sandbox._content, [None] * times

        def content(asked, params):
            answer = whole(asked, params)
            if asked.name == method and left:
                left.pop()
                key = METHODS[method].answer
                answer = answer | {key: change(dict(answer[key]))}
            return answer

        monkeypatch.setattr(sandbox, "_content", content)

    return answer_oddly


def first(share):
    """The first entries of a list: a share of them."""
    return lambda content: dict(list(content.items())[: round(len(content) * share)])


def names(tmp_path):
    return sorted(path.name for path in (tmp_path / "backups").iterdir())


# --- Backup ------------------------------------------------------------------


def test_a_backup_is_everything_that_the_server_sent_and_a_workbook_for_people(backup, base, tmp_path):
    stem = f"{tmp_path}/backups/customers-2024-05-01T1200"
    assert backup(0) == (0, [f"{stem}.json.gz", f"{stem}.xlsx"])
    with gzip.open(f"{stem}.json.gz") as file:
        content = json.load(file)
    assert content["customers"] == list(base.values())
    assert content["labels"]["7000"] == {"id": "7000", "name": "VIP"}
    assert content["made_at"] == NOON.isoformat()
    rows = [list(row) for row in openpyxl.load_workbook(f"{stem}.xlsx")["Customers"].iter_rows(values_only=True)]
    assert rows[0] == ["ID", "Customer", "Numbers", "Description", "E-mail", "Employee", "Line", "Labels"]
    assert len(rows) == len(base) + 1
    one = next(customer for customer in base.values() if customer["labels"] and customer["assignedToEmployee"])
    labels = ", ".join(label["name"] for label in one["labels"])
    [row] = [row for row in rows if row[0] == one["id"]]
    assert row[2] == ", ".join(one["numbers"])
    assert row[5:] == [one["assignedToEmployee"], one["assignedToEmployeeNumber"], labels]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_only_the_owner_may_read_a_backup(backup, tmp_path):
    backup(0)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backups").iterdir()}
    assert modes == {0o600}


def test_what_has_changed_is_told_and_deletions_are_mailed(backup, base, inbox, tmp_path):
    settings = inbox.settings | {"REPORT_TO": "", "ADMIN_TO": "admin@example.com"}
    assert backup(0, **settings)[0] == 0
    ids = list(base)
    gone, other = base.pop(ids[0]), base[ids[20]]
    changed = f"~ {other['id']} {other['name']} ({', '.join(other['numbers'])}): description, labels"
    before = other["description"]
    base[ids[20]] = other | {"description": "нове", "labels": [{"id": "7001", "name": "Боржник"}]}
    base["9999"] = base[ids[1]] | {"id": "9999", "name": "Новий\x1b[31m", "numbers": ["0991111111"]}
    code, lines = backup(1, "-v", **settings)
    assert (code, lines[2]) == (0, "Since 2024-05-01 12:00: 1 added, 1 deleted, 1 changed")
    assert lines[3:] == [
        changed,
        f"    description: {before!r} -> 'нове'",
        lines[5],
        "+ 9999 Новий\N{REPLACEMENT CHARACTER}[31m (0991111111)",
        f"- {gone['id']} {gone['name']} ({', '.join(gone['numbers'])})",
    ]
    assert lines[5].startswith("    labels: ")
    [message] = inbox.messages
    assert (message["To"], message["Subject"]) == ("admin@example.com", "Customers deleted: 1")
    first = tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"
    assert message.get_body(["plain"]).get_content().splitlines() == [
        "Customers deleted: 1",
        "",
        "Since the backup of 1 May 2024, 12:00: 1 added, 1 deleted, 1 changed.",
        "",
        "What to do:",
        "If somebody was deleted by mistake, bring them back from that backup. The command below only shows what it "
        "would do; to do it, add --apply.",
        "",
        f"    python scripts/restore_customers.py {first} --config {tmp_path}/config.env",
        "",
        "Deleted:",
        lines[7].removeprefix("- "),
        "",
        "Added:",
        lines[6].removeprefix("+ "),
        "",
        "Changed:",
        lines[3].removeprefix("~ "),
    ]
    assert first.exists()
    assert "<a" not in message.get_body(["html"]).get_content()
    assert backup(2, **settings)[1][2:] == ["Since 2024-05-01 13:00: 0 added, 0 deleted, 0 changed"]
    assert len(inbox.messages) == 1


@pytest.mark.parametrize("left", [0, 40])
def test_a_base_that_lost_most_of_its_customers_hurts_no_good_backup(left, backup, base, inbox, tmp_path, caplog):
    settings = inbox.settings | {"REPORT_TO": "", "ADMIN_TO": "admin@example.com", "BACKUPS_KEEP": "1"}
    backup(0, **settings)
    good = names(tmp_path)
    before = len(base)
    for identity in list(base)[left:]:
        del base[identity]
    code, lines = backup(1, **settings)
    assert code == 1
    suspicious = ["customers-2024-05-01T1300-suspicious.json.gz", "customers-2024-05-01T1300-suspicious.xlsx"]
    assert [Path(line).name for line in lines] == suspicious
    assert names(tmp_path) == sorted(good + suspicious)
    what = f"Of the {before} customers of the last backup, Binotel lists only {left}."
    if not left:
        what = "Binotel lists no customers at all."
    assert f"{what} The backups before it were kept. If it is right, run this again with --force." in caplog.text
    assert inbox.messages == []
    # The one with most of them gone is no measure for the next one.
    assert backup(2, **settings)[0] == 1
    code, lines = backup(3, "--force", **settings)
    assert (code, lines[2]) == (0, f"Since 2024-05-01 12:00: 0 added, {before - left} deleted, 0 changed")
    assert "customers-2024-05-01T1500.json.gz" in names(tmp_path)
    assert len(inbox.messages) == 1


def test_a_base_of_strangers_hurts_no_good_backup(backup, base, caplog):
    """As with another account's key."""
    backup(0)
    strangers = {f"9{key}": value | {"id": f"9{key}", "numbers": [f"099{key}"]} for key, value in base.items()}
    count = len(base)
    base.clear()
    base.update(strangers)
    assert backup(1)[0] == 1
    assert f"Of the {count} customers of the last backup, Binotel lists only 0." in caplog.text


def test_customers_who_were_restored_under_new_ids_are_the_same_people(backup, base):
    backup(0)
    restored = {f"9{key}": value | {"id": f"9{key}"} for key, value in base.items()}
    base.clear()
    base.update(restored)
    assert backup(1)[0] == 0


def test_no_backup_takes_the_place_of_another_one(backup, base, run_main, tmp_path):
    backup(0)
    base.pop(next(iter(base)))
    assert [Path(line).name for line in backup(0)[1][:2]] == [
        "customers-2024-05-01T1201.json.gz",
        "customers-2024-05-01T1201.xlsx",
    ]
    autumn = datetime(2024, 10, 27, 3, 30, tzinfo=KYIV)
    for fold in (0, 1):
        run_main(backup_customers, autumn.replace(fold=fold))
    assert [name for name in names(tmp_path) if "10-27" in name and "gz" in name] == [
        "customers-2024-10-27T0330.json.gz",
        "customers-2024-10-27T0331.json.gz",
    ]


def test_what_fails_before_the_backup_is_there_is_told_by_the_next_run(backup, base, monkeypatch, tmp_path):
    backup(0)
    base.pop(next(iter(base)))
    with monkeypatch.context() as patch:
        patch.setattr("backup_customers.save_list", full_disk)
        assert backup(1) == (1, [])
    assert len(names(tmp_path)) == 2
    assert backup(2)[1][2] == "Since 2024-05-01 12:00: 0 added, 1 deleted, 0 changed"


def full_disk(*_arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_who_was_deleted_is_told_even_when_the_mail_fails(backup, base, inbox, caplog):
    settings = inbox.settings | {"REPORT_TO": "", "ADMIN_TO": "admin@example.com", "SMTP_PORT": free_port()}
    backup(0, **settings)
    gone = base.pop(next(iter(base)))
    assert backup(1, **settings)[0] == 1
    assert f"Since 2024-05-01 12:00: 0 added, 1 deleted, 0 changed; - {gone['id']} " in caplog.text


@pytest.mark.parametrize("place", [200, -6, -2])
def test_a_backup_with_one_wrong_bit_is_not_read(place, backup, base, tmp_path):
    backup(0)
    path = tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackupError, match="Name another"):
        read_backup(path)


def test_the_newest_good_backups_are_kept(backup, tmp_path):
    for hours in range(4):
        backup(hours, BACKUPS_KEEP="2")
    assert names(tmp_path) == [
        f"customers-2024-05-01T{hour}00.{ending}" for hour in (14, 15) for ending in ("json.gz", "xlsx")
    ]


def test_a_backup_that_does_not_read_back_is_an_error_and_not_kept(backup, tmp_path, monkeypatch, caplog):
    class Spoilt(gzip.GzipFile):
        def read(self, *arguments):
            return super().read(*arguments).replace(b"VIP", b"V1P")

    def spoilt(path, mode, *level):
        return (Spoilt if mode == "rb" else gzip.GzipFile)(path, mode, *level)

    monkeypatch.setattr("common.customers.backup.gzip.open", spoilt)
    assert backup(0) == (1, [])
    assert "does not read back as it was written, so it was not kept. Check the disk." in caplog.text
    assert names(tmp_path) == []


def test_a_broken_backup_is_passed_over(backup, tmp_path, caplog):
    backup(0)
    backup(1)
    (tmp_path / "backups" / "customers-2024-05-01T1300.json.gz").write_bytes(b"\x1f\x8bbroken")
    code, lines = backup(2)
    assert (code, lines[2]) == (0, "Since 2024-05-01 12:00: 0 added, 0 deleted, 0 changed")
    assert "customers-2024-05-01T1300.json.gz is no whole backup of customers" in caplog.text


def test_customers_who_cannot_be_read_are_named_and_kept_and_silence_nobody(backup, base, inbox, tmp_path, caplog):
    settings = inbox.settings | {"REPORT_TO": "", "ADMIN_TO": "admin@example.com", "BACKUPS_KEEP": "1"}
    backup(0, **settings)
    ids = list(base)
    deleted = base.pop(ids[0])
    base[ids[1]] |= {"numbers": "0671234567"}
    base[ids[2]] |= {"description": {"uk": "нове"}}
    base[ids[3]] = "abc"
    base[ids[4]] = {key: value for key, value in base[ids[4]].items() if key != "id"}
    base[ids[5]] |= {"description": "нове"}
    code, lines = backup(1, **settings)
    assert (code, lines[2]) == (1, "Since 2024-05-01 12:00: 0 added, 1 deleted, 1 changed")
    assert len(inbox.messages) == 1
    unreadable = ((1, "its numbers", "'0671234567'"), (2, "its description", "{'uk': 'нове'}"), (3, "it", "'abc'"))
    for index, what, value in (*unreadable, (4, "its id", "None")):
        assert f"(id {ids[index]}) cannot be read: {what} is {value}." in caplog.text
    stem = "customers-2024-05-01T1300"
    with gzip.open(tmp_path / "backups" / f"{stem}.json.gz") as file:
        assert json.load(file)["customers"] == list(base.values())
    workbook = openpyxl.load_workbook(tmp_path / "backups" / f"{stem}.xlsx")
    listed = [row[0] for row in workbook["Customers"].iter_rows(values_only=True)]
    assert listed == ["ID", *ids[5:]]
    # The last one in which they all could be read stays, however few are to be kept.
    assert len(names(tmp_path)) == 4
    # Who could not be read is neither new when that is over, nor forgotten when deleted.
    del base[ids[1]]
    base[ids[2]] |= {"description": ""}
    code, lines = backup(2, **settings)
    assert lines[2:] == ["Since 2024-05-01 13:00: 0 added, 1 deleted, 0 changed", f"- {ids[1]}"]
    assert deleted["id"] == ids[0]


def test_while_somebody_has_no_id_nobody_is_told_as_deleted(backup, base, answer_oddly, tmp_path, caplog):
    backup(0)
    answer_oddly("customers/list", lambda content: ["abc", *list(content.values())[1:]])
    assert backup(1)[0] == 1
    assert "customers-2024-05-01T1300-suspicious.json.gz" in names(tmp_path)
    assert "Of the last backup's customers 1 are missing, and there are some without an id." in caplog.text


@pytest.mark.parametrize("method", ["customers/list", "customers/listOfLabels"])
def test_what_is_no_list_makes_no_backup_and_removes_none(method, backup, answer_oddly, tmp_path, caplog):
    for hours in range(2):
        backup(hours)
    before = names(tmp_path)
    answer_oddly(method, lambda _: None)
    assert backup(2, BACKUPS_KEEP="1") == (1, [])
    assert f"Binotel's answer to {method} is no list: its {METHODS[method].answer} is None." in caplog.text
    assert names(tmp_path) == before


def test_one_list_alone_removes_no_backup_with_those_whom_it_lacks(backup, answer_oddly, tmp_path):
    backup(0, BACKUPS_KEEP="1")
    answer_oddly("customers/list", first(0.6), times=1)
    assert backup(1, BACKUPS_KEEP="1")[0] == 0
    assert [name for name in names(tmp_path) if "gz" in name] == [
        "customers-2024-05-01T1200.json.gz",
        "customers-2024-05-01T1300.json.gz",
    ]
    backup(2, BACKUPS_KEEP="1")
    assert [name for name in names(tmp_path) if "gz" in name] == ["customers-2024-05-01T1400.json.gz"]


# --- Restore -----------------------------------------------------------------


@pytest.fixture
def saved(backup, configure, tmp_path):
    """The path of a backup of the base as it is."""
    backup(0)
    return tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"


@pytest.fixture
def restore_here(saved, run_main, monkeypatch):
    """A function that brings back what is in the backup, in this process; returns the exit code and lines printed."""
    monkeypatch.setattr("restore_customers.AGAIN_SECONDS", 0)

    def restore_here(*arguments):
        code, output = run_main(restore_customers, NOON, str(saved), "--apply", "--yes", *arguments)
        return code, output.splitlines()

    return restore_here


def writes(sandbox):
    return [each["method"] for each in sandbox.requests if METHODS[each["method"]].writes]


REFUSED = "Nothing was written. Run this again later. If the lists are right all the same, add --force."


@pytest.mark.parametrize(
    ("lost", "method", "change", "problem"),
    [
        (0, "customers/list", lambda _: None, "customers/list is no list: its customerData is None."),
        (0, "customers/listOfLabels", lambda _: "", "customers/listOfLabels is no list: its listOfLabels is ''."),
        (0, "settings/list-of-employees", lambda _: 0, "list-of-employees is no list: its listOfEmployees is 0."),
        (0, "customers/list", lambda _: [], f"Binotel lists no customers at all. {REFUSED}"),
        (0, "customers/list", first(0.1), f"customers of the backup, Binotel lists only 9. {REFUSED}"),
        (0, "customers/list", lambda _: ["abc"], f"Binotel lists no customers that can be read. {REFUSED}"),
        (0, "customers/list", first(0.97), f"customers lacks 3 who exist: 6747, 6748, 6749. {REFUSED}"),
        (3, "customers/list", first(0.97), f"customers lacks 3 who exist: 6747, 6748, 6749. {REFUSED}"),
        (0, "customers/listOfLabels", lambda _: [], 'lacks 4 that customers have: <i>Мітка</i> & "лапки", VIP'),
        (9, "customers/listOfLabels", lambda _: {}, 'lacks 4 that customers have: <i>Мітка</i> & "лапки", VIP'),
        (9, "customers/listOfLabels", first(0.5), "Binotel's list of labels lacks 2 that customers have: "),
        (9, "settings/list-of-employees", lambda _: [], "Binotel lists 0 lines of employees, and lacks "),
        (9, "settings/list-of-employees", first(0.3), "Binotel lists 2 lines of employees, and lacks "),
    ],
)
def test_lists_that_cannot_be_all_there_is_write_nothing(
    lost, method, change, problem, restore_here, base, sandbox, answer_oddly, caplog
):
    for identity in list(base)[:lost]:
        del base[identity]
    before = copy.deepcopy(base)
    answer_oddly(method, change)
    code, _ = restore_here("--without-missing-labels")
    assert (code, base, writes(sandbox)) == (1, before, [])
    assert problem in caplog.text


@pytest.mark.parametrize("method", ["customers/listOfLabels", "settings/list-of-employees"])
@pytest.mark.parametrize("change", [lambda _: [], first(0.3)])
def test_what_one_list_lacks_and_another_one_has_is_not_gone(method, change, restore_here, base, answer_oddly):
    before = contents(base)
    for identity in list(base)[:30]:
        del base[identity]
    answer_oddly(method, change, times=1)
    assert restore_here("--without-missing-labels")[0] == 0
    assert contents(base) == before


def test_a_base_that_is_really_empty_is_filled_when_that_is_said(restore_here, base, sandbox):
    before = contents(base)
    base.clear()
    assert (restore_here()[0], writes(sandbox)) == (1, [])
    code, lines = restore_here("--force")
    assert (code, lines[-1]) == (0, f"{len(before)} of {len(before)} customers were brought back.")
    assert contents(base) == before


@pytest.mark.parametrize("method", ["customers/listOfLabels", "settings/list-of-employees"])
def test_what_a_customer_has_in_the_backup_and_now_is_never_taken_away(
    method, restore_here, base, sandbox, answer_oddly
):
    before = copy.deepcopy(base)
    for customer in base.values():
        customer["description"] += " нове"
    answer_oddly(method, lambda _: [])
    assert restore_here("--force", "--without-missing-labels")[0] == 0
    assert base == before


def test_ids_that_binotel_refuses_are_deleted_ones(restore_here, base, sandbox):
    before = contents(base)
    del base[next(iter(base))]
    sandbox.faults["customers/take-by-id"] = ["code-104"]
    assert restore_here()[0] == 0
    assert contents(base) == before


def test_who_is_there_and_cannot_be_read_is_not_made_twice(restore_here, base, sandbox, caplog):
    ids = list(base)
    before = copy.deepcopy(base)
    base[ids[0]] |= {"labels": "VIP"}
    base[ids[1]] |= {"description": "інше"}
    gone = base.pop(ids[2])
    code, lines = restore_here()
    assert (code, lines[-1]) == (1, "2 of 2 customers were brought back.")
    assert sorted(writes(sandbox)) == ["customers/create", "customers/update"]
    assert f"(id {ids[0]}) cannot be read: its labels is 'VIP'." in caplog.text
    assert f"{ids[0]} {before[ids[0]]['name']}" in caplog.text
    assert (base[ids[1]], gone["name"] in {customer["name"] for customer in base.values()}) == (before[ids[1]], True)


def test_who_cannot_be_read_is_taken_for_nobody_else(backup, base, run_main, tmp_path):
    """Neither in the backup nor now: not even where another one had the same number."""
    ids = list(base)
    number = base[ids[0]]["numbers"][0]
    base[ids[1]] |= {"labels": "VIP"}
    backup(0)
    base[ids[1]] |= {"labels": "", "numbers": [number]}
    gone = base.pop(ids[0])
    base[ids[2]] |= {"labels": "VIP"}
    base["9999"] = base[ids[3]] | {"id": "9999", "name": "Новий", "numbers": base[ids[2]]["numbers"]}
    before = copy.deepcopy(base)
    saved = tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"
    code, output = run_main(restore_customers, NOON, str(saved), "--apply", "--yes")
    # Who now has the number keeps it.
    assert (code, output.splitlines()[-1]) == (1, "0 of 1 customers were brought back.")
    assert f"create {gone['id']} " in output
    assert base == before


def test_who_cannot_be_read_in_a_backup_keeps_nobody_else_from_coming_back(backup, base, run_main, tmp_path, caplog):
    ids = list(base)
    base[ids[0]] |= {"numbers": "067"}
    backup(0)
    base[ids[1]] |= {"description": "інше"}
    saved = tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"
    caplog.clear()
    code, output = run_main(restore_customers, NOON, str(saved), "--only", ids[0], "--only", ids[1], "--apply", "--yes")
    assert (code, output.splitlines()[-1]) == (1, "1 of 1 customers were brought back.")
    assert f"(id {ids[0]}) cannot be read: its numbers is '067'." in caplog.text


def contents(base):
    """The customers without their ids, in a definite order."""
    return sorted(({**customer, "id": ""} for customer in base.values()), key=lambda customer: customer["name"])


def test_a_job_that_has_lost_its_lock_writes_no_more_customers(saved, base, run_main, sandbox, cable, monkeypatch):
    for identity in list(base)[:3]:
        del base[identity]
    there = len(base)
    kept = {"DATABASE_URL": f"'{cable.url}'"}
    cable.pull_after(sandbox, "customers/create", monkeypatch)
    code, output = run_main(restore_customers, NOON, str(saved), "--apply", "--yes", **kept)
    assert (code, output.splitlines()[-1]) == (75, "1 of 3 customers were brought back.")
    assert len(base) == there + 1
    cable.plug()
    code = 75
    while code == 75:  # until the server has noticed that the connection is gone
        code, output = run_main(restore_customers, NOON, str(saved), "--apply", "--yes", **kept)
    assert (code, output.splitlines()[-1]) == (0, "2 of 2 customers were brought back.")


def test_the_plan_is_shown_and_nothing_is_changed(saved, base, configure, sandbox):
    ids = list(base)
    gone = base.pop(ids[0])
    base[ids[1]] |= {"description": "інше", "email": "x@example.com"}
    base["9999"] = base[ids[1]] | {"id": "9999", "name": "Новий", "numbers": ["0991111111"]}
    now = copy.deepcopy(base)
    code, output, errors = restore(saved, "--config", configure())
    assert (code, errors) == (0, "")
    assert output.splitlines() == [
        f"The backup of 2024-05-01 12:00 has {len(ids)} customers, Binotel has {len(ids)}.",
        f"create {gone['id']} {gone['name']} ({', '.join(gone['numbers'])})",
        f"update {ids[1]} {now[ids[1]]['name']} ({', '.join(now[ids[1]]['numbers'])}): description, email",
        f"1 to create, 1 to update, {len(ids) - 2} the same; 1 are not in the backup and stay as they are.",
    ]
    assert base == now
    assert {request["method"] for request in sandbox.requests} == {
        "customers/list",
        "customers/listOfLabels",
        "settings/list-of-employees",
    }


def test_a_base_of_3000_comes_back_in_spite_of_a_kill_and_of_failures(
    make_sandbox, run_main, configure, tmp_path, monkeypatch
):
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    sandbox = make_sandbox(calls_per_day=6800)
    base = sandbox.customers.customers
    assert len(base) > 3000
    for index, identity in enumerate(list(base)[:3000:7]):
        base[identity]["description"] = f"{HOSTILE_NAMES[index % len(HOSTILE_NAMES)]}\n\t/\\ {index}"
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    more = {"BINOTEL_API_URL": sandbox.base_url}
    assert run_main(backup_customers, NOON, **more)[0] == 0
    saved = tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"
    before = contents(base)

    rng = random.Random(1)
    for identity in rng.sample(list(base), 400):
        del base[identity]
    for identity in rng.sample(list(base), 200):
        base[identity] |= {"name": f"Хтось {identity}", "description": "", "labels": "", "email": "y@example.com"}
    config = configure(**more)
    arguments = (saved, "--apply", "--yes", "--config", config)
    with processes.start(RESTORE, *arguments, lowered=FAST) as process:
        while sum(request["method"] == "customers/create" for request in sandbox.requests) < 100:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    assert contents(base) != before
    sandbox.faults["customers/create"] = ["http-500", "code-105", "cut-body", "bad-signature", "code-106"]
    sandbox.faults["customers/update"] = ["html", "code-105"]
    code, output, errors = restore(*arguments)
    assert code == 1
    failures = errors.splitlines()
    # Each was listed with its reason; after 106 it was sent again, since it surely was not carried out.
    assert len(failures) == 6
    assert all(" was not brought back: " in line for line in failures)
    assert sum("Whether it was done is unknown" in line for line in failures) == 4
    code, output, errors = restore(*arguments)
    assert (code, errors) == (0, "")
    assert contents(base) == before
    code, output, _ = restore(*arguments)
    assert output.splitlines()[1].startswith("0 to create, 0 to update,")


def test_only_some_are_brought_back(saved, base, configure):
    ids = list(base)
    gone = [base.pop(identity) for identity in ids[10:20]]
    code, output, _ = restore(saved, "--only", ids[10], "--only", ids[11], "--apply", "--yes", "--config", configure())
    assert (code, output.splitlines()[-1]) == (0, "2 of 2 customers were brought back.")
    assert {customer["name"] for customer in base.values()} & {customer["name"] for customer in gone} == {
        customer["name"] for customer in gone[:2]
    }
    name = gone[5]["name"]
    assert restore(saved, "--name", name.upper(), "--apply", "--yes", "--config", configure())[0] == 0
    assert name in {customer["name"] for customer in base.values()}


def test_what_the_rules_forbid_is_listed_with_its_reason_and_stops_nothing(saved, base, configure, sandbox):
    ids = list(base)
    one, other = base.pop(ids[0]), base.pop(ids[1])
    base["9999"] = base[ids[2]] | {"id": "9999", "name": one["name"], "numbers": ["0991111111"]}
    code, output, errors = restore(saved, "--apply", "--yes", "--config", configure())
    assert (code, output.splitlines()[-1]) == (1, "1 of 2 customers were brought back.")
    shown = f"{one['id']} {one['name']} ({', '.join(one['numbers'])})"
    assert errors == f"ERROR: {shown} was not brought back: the name belongs to customer 9999."
    assert other["name"] in {customer["name"] for customer in base.values()}
    assert [request["code"] for request in sandbox.requests if request["method"] == "customers/create"] == [0]


def test_a_name_that_another_one_has_to_free_first_comes_back(saved, base, configure):
    ids = list(base)
    before = copy.deepcopy(base)
    # Each has taken the name and the numbers of the one before; the first one is gone.
    for identity, taken in zip(ids[20:24], ids[19:23], strict=True):
        base[identity] |= {"name": before[taken]["name"], "numbers": before[taken]["numbers"]}
    base[ids[19]] |= {"name": "Хтось", "numbers": ["0991111111"]}
    assert restore(saved, "--apply", "--yes", "--config", configure())[0] == 0
    assert base == before


def test_a_deleted_customer_who_was_made_anew_is_found_by_a_number(saved, base, configure):
    ids = list(base)
    before = contents(base)
    gone = base.pop(ids[0])
    base["9999"] = gone | {"id": "9999", "name": "Хтось", "numbers": [f"38{gone['numbers'][0]}"], "labels": ""}
    code, output, _ = restore(saved, "--apply", "--yes", "--config", configure())
    assert code == 0
    assert "0 to create, 1 to update" in output
    assert contents(base) == before


def test_somebody_else_with_a_number_alike_is_not_touched(saved, base, configure):
    """The last digits alone are no match: another country's, or one of two who have them."""
    ids = list(base)
    gone = base.pop(ids[20])
    digits = gone["numbers"][0][-9:]
    more = {"description": "не чіпати", "labels": "", "assignedToEmployeeNumber": ""}
    base["9001"] = gone | more | {"id": "9001", "name": "Польща", "numbers": [f"+48{digits}"]}
    other = copy.deepcopy(base["9001"])
    code, output, _ = restore(saved, "--apply", "--yes", "--config", configure())
    assert (code, "1 to create, 0 to update" in output) == (0, True)
    assert base["9001"] == other


def test_who_has_just_the_same_number_is_the_one(saved, base, configure):
    ids = list(base)
    gone = base.pop(ids[20])
    number = gone["numbers"][0]
    base["9001"] = gone | {"id": "9001", "name": "Той самий", "numbers": [number]}
    base["9002"] = gone | {"id": "9002", "name": "Інший", "numbers": [f"38{number}"]}
    other = copy.deepcopy(base["9002"])
    code, output, _ = restore(saved, "--apply", "--yes", "--config", configure())
    assert code == 0
    assert f"; found by a number, is now 9001 Той самий ({number})" in output
    assert (base["9001"]["name"], base["9002"]) == (gone["name"], other)


def test_nothing_that_a_customer_must_have_is_emptied(backup, base, configure, tmp_path):
    ids = list(base)
    name = base[ids[20]]["name"]
    numbers = base[ids[20]]["numbers"]
    base[ids[20]] |= {"name": "", "numbers": ""}
    base[ids[21]] |= {"email": "before@example.com"}
    backup(0)
    base[ids[20]] |= {"name": name, "numbers": numbers}
    base[ids[21]] |= {"email": "after@example.com"}
    saved = tmp_path / "backups" / "customers-2024-05-01T1200.json.gz"
    code, _, errors = restore(saved, "--apply", "--yes", "--config", configure())
    assert code == 1
    assert f"{ids[20]}  () was not brought back: the name cannot be emptied; the numbers cannot be emptied." in errors
    assert (base[ids[20]]["name"], base[ids[21]]["email"]) == (name, "before@example.com")


def test_a_label_that_is_gone_is_named_and_left_out_on_request(saved, base, configure, sandbox):
    gone = next(identity for identity, customer in base.items() if customer["labels"] and len(customer["labels"]) == 2)
    before = base.pop(gone)
    label = before["labels"][0]
    del sandbox.customers.labels[label["id"]]
    for customer in base.values():
        customer["labels"] = [mine for mine in customer["labels"] or [] if mine["id"] != label["id"]] or ""
    arguments = (saved, "--only", gone, "--apply", "--yes", "--config", configure())
    code, output, errors = restore(*arguments)
    assert code == 2
    assert f"labels that do not exist any more: {label['name']}" in output
    assert errors.startswith(f"ERROR: These labels do not exist any more: {label['name']}. Create them in your Binotel")
    assert restore(*arguments, "--without-missing-labels")[0] == 0
    [made] = [customer for customer in base.values() if customer["name"] == before["name"]]
    assert made["labels"] == before["labels"][1:]


def test_an_employee_who_is_gone_is_left_out(saved, base, configure, monkeypatch):
    gone = next(identity for identity, customer in base.items() if customer["assignedToEmployeeNumber"] == "901")
    before = base.pop(gone)
    monkeypatch.delitem(restore_employees(), "901")
    code, output, _ = restore(saved, "--only", gone, "--apply", "--yes", "--config", configure())
    assert code == 0
    assert "; there is no line 901 any more: the employee is left as it is" in output
    assert "\nlines that belong to nobody any more: 901\n" in output  # also where the list of customers is cut short
    [made] = [customer for customer in base.values() if customer["name"] == before["name"]]
    assert made["assignedToEmployeeNumber"] == ""


def restore_employees():
    return EMPLOYEES


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["no.json.gz"], 1, "no.json.gz: there is no such file. Name one that backup_customers.py has made."),
        (["BACKUP", "--apply"], 2, "There is no terminal to ask on before writing: add --yes."),
        (["BACKUP", "--only", "1"], 2, "The backup has no customer 1."),
        (["BROKEN"], 1, "BROKEN cannot be read: Not a gzipped file (b'no'). Name another backup."),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(arguments, code, message, saved, configure, sandbox, tmp_path):
    broken = tmp_path / "broken.json.gz"
    broken.write_bytes(b"no gzip")
    paths = {"BACKUP": saved, "BROKEN": broken}
    asked = len(sandbox.requests)
    result = restore(*(paths.get(word, word) for word in arguments), "--config", configure())
    assert result == (code, "", f"ERROR: {message.replace('BROKEN', str(broken))}")
    assert len(sandbox.requests) == asked


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("answer", "expected"), [("n", "Nothing was changed."), ("y", "1 of 1 customers were brought back.")]
)
def test_it_asks_before_writing(answer, expected, saved, base, configure):
    gone = base.pop(next(iter(base)))
    terminal, its_end = pty.openpty()
    with processes.start(RESTORE, saved, "--apply", "--config", configure(), stdin=its_end) as process:
        os.close(its_end)
        os.write(terminal, f"{answer}\n".encode())
        output, question = process.communicate(timeout=30)
    os.close(terminal)
    assert question == "Write these 1 customers to Binotel? [y/N] "
    assert output.splitlines()[-1].endswith(expected)
    assert (gone["name"] in {customer["name"] for customer in base.values()}) is (answer == "y")
