"""A day of the archive: file names that are safe everywhere, and a list that can be written and read back."""

import re
import threading
from datetime import date

import pytest

from common.recordings import download
from common.recordings.download import Content
from common.recordings.recordings import Day, key_of
from common.recordings.storage import Archive
from helpers import DAY, at, call

CONTENT = Content(3, "5" * 64)


@pytest.fixture
def archive(tmp_path):
    return Archive(str(tmp_path / "records"), tmp_path / "scratch")


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, "093015-in-0965074747-902-744924436.mp3"),
        ({"callType": 1}, "093015-out-0965074747-902-744924436.mp3"),
        ({"externalNumber": "+380965074747"}, "093015-in-380965074747-902-744924436.mp3"),
        ({"externalNumber": "", "internalNumber": None}, "093015-in-hidden-none-744924436.mp3"),
        ({"externalNumber": "../../etc/passwd"}, "093015-in-_etc_passwd-902-744924436.mp3"),
        ({"externalNumber": "C:\\con\0|'\"; rm *"}, "093015-in-C_con_rm_-902-744924436.mp3"),
        ({"internalNumber": "9" * 300}, f"093015-in-0965074747-{'9' * 40}-744924436.mp3"),
    ],
)
def test_the_name_of_a_file_is_safe_everywhere(more, name, archive):
    one = call("09:30:15", number=more.pop("externalNumber", "0965074747"), generalCallID="744924436", **more)
    assert Day(archive, DAY).name(key_of(one, ""), one) == name


def test_two_recordings_of_one_call_have_two_files(archive):
    one = call("09:30:15", generalCallID="7")
    day = Day(archive, DAY)
    names = [day.name(("7", call_id), one) for call_id in ("7", "8", "7", "9")]
    assert names == [f"093015-in-0671234567-902-{ids}.mp3" for ids in ("7", "7-8", "7", "7-9")]


@pytest.mark.parametrize(
    "ids",
    [("7/8", "7_8", "7-8", "7//8"), ("a", "A"), ("9" * 50, "9" * 51, "9" * 40), ("7", "+7", " 7"), ("ї", "є", "_")],
)
def test_two_ids_never_have_one_file(ids, archive):
    one, day = call("09:30:15", generalCallID="1"), Day(archive, DAY)
    names = [day.name(key, one) for identity in ids for key in ((identity, identity), ("1", identity), (identity, "1"))]
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch("[0-9A-Za-z_-]{1,160}[.]mp3", name) for name in names)


def test_the_list_is_in_the_order_of_time_where_the_clocks_repeat_an_hour(archive):
    autumn = date(2024, 10, 27)
    calls = [call(at("03:10", autumn, fold=1), generalCallID="2"), call(at("03:50", autumn), generalCallID="1")]
    day = Day(archive, autumn)
    for one in calls:
        day.note(key_of(one, ""), one, f"{one.general_call_id}.mp3", CONTENT)
    day.save()
    assert [key[0] for key in Day(archive, autumn).rows] == ["1", "2"]


def test_the_list_is_read_back_as_it_was_written(archive):
    hostile = "=cmd|' /C calc'!A0; \"x\"\n\ud83d"
    calls = [
        call("10:00", generalCallID="2", employeeName=hostile, number="+380671234567"),
        call("09:00", generalCallID="001"),
        call("11:00", generalCallID="3", callType="1"),
    ]
    day = Day(archive, DAY)
    for one in calls:
        key = key_of(one, "")
        day.note(key, one, day.name(key, one), None if one is calls[2] else CONTENT)
    day.save()
    again = Day(archive, DAY)
    assert again.rows == day.rows
    assert list(again.rows) == [("001", "001"), ("2", "2"), ("3", "3")]  # in time order
    assert [again.is_given_up(key) for key in again.rows] == [False, False, True]
    assert again.rows["2", "2"]["employee"].startswith("=cmd")
    before = archive.sizes(day.folder)
    again.save()  # nothing has changed
    assert archive.sizes(day.folder) == before


def test_what_excel_might_run_or_spoil_is_guarded_in_the_list(archive, tmp_path):
    day, one = Day(archive, DAY), call("10:00", generalCallID="2", employeeName="=1+1")
    day.note(("2", "2"), one, "x.mp3", CONTENT)
    day.save()
    text = (tmp_path / "records/2024/05/01/records.csv").read_text("utf-8-sig")
    assert text.splitlines()[1].split(";")[:8] == [
        "x.mp3",
        "\t2",
        "\t2",
        "2024-05-01 10:00:00+03:00",
        "in",
        "\t0671234567",
        "\t902",
        "'=1+1",
    ]


@pytest.mark.parametrize("done", ["ls", "put_file", "mv"])
def test_a_bucket_that_does_not_answer_holds_nobody_for_longer(done, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LONGEST_SECONDS", 0.05)
    archive, never = Archive("memory://slow", tmp_path / "scratch"), threading.Event()
    monkeypatch.setattr(archive._files, done, lambda *_, **__: never.wait(30))
    with pytest.raises(OSError, match=r"longer than 0[.]05 s[.] Check RECORDS_URL"), archive.new_file("x.mp3") as file:  # noqa: PT012
        archive.sizes("")
        file.write(b"ID3")
    never.set()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_file_is_not_there_when_the_block_fails(archive, tmp_path):
    with pytest.raises(ZeroDivisionError), archive.new_file("a/b.mp3") as file:  # noqa: PT012
        file.write(b"half")
        file.flush()
        assert [path.name for path in (tmp_path / "records/a").iterdir()] == ["b.mp3.part"]
        raise ZeroDivisionError
    assert list((tmp_path / "records/a").iterdir()) == []


@pytest.mark.parametrize("url", ["memory://archive/{}", "file://{}/records", "{}/records"])
def test_files_are_kept_in_any_storage(url, tmp_path):
    archive = Archive(url.format(tmp_path), tmp_path / "scratch")
    assert archive.sizes("2024/05") == {}
    for content in (b"old", b"new one"):
        with archive.new_file("2024/05/x.mp3") as file:
            file.write(content)
    assert archive.sizes("2024/05") == {"x.mp3": 7}
    with archive.open("2024/05/x.mp3") as file:
        assert file.read() == b"new one"
    assert not (tmp_path / "scratch").exists() or list((tmp_path / "scratch").iterdir()) == []
