"""Files appear whole or not at all."""

import errno
import logging
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from common import files
from common.files import keep_temporary_files_in, target_of, temporary_folder, tried, written_whole


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "calls.txt"
    with written_whole(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = tmp_path / "calls.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="No space"), written_whole(path) as temporary:  # noqa: PT012
        temporary.write_text("ha")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_kill_9_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "calls.txt"
    path.write_text("old")
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom common.files import written_whole\n"
        "with written_whole(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('ha')\n    print('writing', flush=True)\n    time.sleep(600)\n"
    )
    environment = os.environ | {"PYTHONPATH": "scripts"}
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_names_the_file_that_was_wanted(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory") as caught, written_whole(tmp_path / "folder") as temporary:
        temporary.write_text("x")
    assert caught.value.filename == str(tmp_path / "folder")


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_permissions_are_those_of_the_file_that_is_replaced_else_the_usual_ones(tmp_path):
    path = tmp_path / "calls.txt"
    mask = os.umask(0o027)
    try:
        with written_whole(path) as temporary:
            temporary.write_text("1")
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    with written_whole(path) as temporary:
        temporary.write_text("2")
    assert path.stat().st_mode & 0o777 == 0o604


# --- Temporary files ---------------------------------------------------------

HOLD = """
import sys, tempfile, time
from pathlib import Path
from common import files
files.keep_temporary_files_in(Path(sys.argv[1]))
(files.temporary_folder() / "names of customers").write_text("x")
if sys.argv[2:]:  # in the middle of copying
    copy = Path(sys.argv[2])
    copy.touch()
    (files.temporary_folder() / f"copy{files.WHERE}").write_text(str(copy))
tempfile.NamedTemporaryFile(delete=False)
print(files.temporary_folder(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def hold(tmp_path):
    """A function that starts a process which has temporary files below a folder; gives the process and its folder."""
    processes = []

    def hold(*words):
        command = [sys.executable, "-c", HOLD, str(tmp_path / "tmp"), *map(str, words)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "scripts"}
        )
        processes.append(process)
        return process, Path(process.stdout.readline().strip())

    yield hold
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_a_killed_process_leaves_the_next_one_removes_and_nothing_of_one_that_lives(hold, tmp_path):
    copy = tmp_path / ".calls.tmp"
    (killed, left), (_, held) = hold(copy), hold()
    killed.kill()
    killed.wait()
    assert len(list(left.iterdir())) == 3
    keep_temporary_files_in(tmp_path / "tmp")
    assert not left.exists()
    assert not copy.exists()
    assert len(list(held.iterdir())) == 2
    assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == [held.name, f"{held.name}.lock"]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_temporary_files_are_their_owners_alone_and_those_of_libraries_are_there_too(tmp_path):
    keep_temporary_files_in(tmp_path / "tmp")
    folder = temporary_folder()
    assert folder.is_relative_to(tmp_path / "tmp")
    assert (folder.stat().st_mode & 0o777, (tmp_path / "tmp").stat().st_mode & 0o777) == (0o700, 0o700)
    with tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == folder
    with written_whole(tmp_path / "calls.txt") as temporary:
        assert temporary.is_relative_to(folder)
        assert temporary.stat().st_mode & 0o077 == 0
        assert not (tmp_path / "calls.txt").exists()


def test_nothing_is_left_when_the_process_has_ended(tmp_path):
    program = HOLD.replace("time.sleep(600)", "")
    command = [sys.executable, "-c", program, str(tmp_path / "tmp")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": "scripts"})
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_earlier_versions_left_is_removed_when_it_is_old(tmp_path):
    old, new = tmp_path / ".calls-2024-05-01.xlsx.abc.tmp", tmp_path / ".customers-1.xlsx.abc.tmp"
    theirs = tmp_path / ".theirs.tmp"
    for path in (old, new, theirs):
        path.touch()
    for path in (old, theirs):
        os.utime(path, (0, 0))
    with written_whole(tmp_path / "calls.txt") as temporary:
        temporary.write_text("x")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([new.name, theirs.name, "calls.txt"])


# --- File systems that can less ----------------------------------------------


@pytest.mark.parametrize("code", ["EINVAL", "ENOSYS", "ENOTSUP", "EPERM", "EACCES", "ENOTTY"])
@pytest.mark.parametrize("what", ["os.fsync", "os.chmod", "fcntl.flock"])
def test_what_makes_a_file_safer_is_tried_and_its_lack_told_once(what, code, tmp_path, monkeypatch, caplog):
    def fail(*_, **__):
        raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))

    monkeypatch.setattr(what, fail)
    monkeypatch.setattr(files, "_told", set())
    keep_temporary_files_in(tmp_path / "tmp")
    path = tmp_path / "calls.txt"
    with caplog.at_level(logging.DEBUG, "common.files"):
        for text in ("one", "two"):
            with written_whole(path) as temporary:
                temporary.write_text(text)
    assert path.read_text() == "two"
    told = [record.message for record in caplog.records if record.name == "common.files"]
    assert len(told) == len(set(told))
    # filelock takes one that is forbidden for one that somebody has.
    assert told or (what, code) == ("fcntl.flock", "EACCES")
    assert {record.levelno for record in caplog.records if record.name == "common.files"} <= {logging.DEBUG}


@pytest.mark.parametrize("code", ["EIO", "ENOSPC", "EDQUOT"])
@pytest.mark.parametrize("what", ["os.fsync", "os.replace"])
def test_what_makes_a_file_whole_is_required(what, code, tmp_path, monkeypatch):
    path = tmp_path / "calls.txt"
    path.write_text("old")

    def fail(*_, **__):
        raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))

    monkeypatch.setattr(what, fail)
    with pytest.raises(OSError, match=os.strerror(getattr(errno, code))) as caught, written_whole(path) as temporary:
        temporary.write_text("new")
    assert caught.value.filename == str(path)
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_only_what_a_file_system_cannot_do_is_passed_over():
    def fail():
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        tried("Anything", fail)


# --- Links -------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="needs links")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_written_through_and_stays(is_there, tmp_path):
    target, link = tmp_path / "there" / "real.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    if is_there:
        target.write_text("old")
    link.symlink_to(target)
    with written_whole(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (target.read_text(), sorted(path.name for path in target.parent.iterdir())) == ("new", ["real.txt"])


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
def test_a_link_to_itself_and_what_is_no_file_are_refused_by_name(tmp_path):
    loop, pipe, link = tmp_path / "loop", tmp_path / "pipe", tmp_path / "to a pipe"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path, reason in ((loop, "lead to no file"), (pipe, "no ordinary file"), (link, "no ordinary file")):
        with pytest.raises(OSError, match=reason) as caught:
            target_of(path)
        assert caught.value.filename == str(path)
