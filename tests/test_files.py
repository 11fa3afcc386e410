"""Files appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from common.files import written_whole


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
    assert len(list(tmp_path.iterdir())) == 2
    [left] = tmp_path.glob(".*")
    with written_whole(path) as temporary:
        temporary.write_text("new")
    assert left.exists()  # another process may be writing it
    os.utime(left, (0, 0))
    with written_whole(path) as temporary:
        temporary.write_text("newer")
    assert [found.read_text() for found in tmp_path.iterdir()] == ["newer"]  # the killed run's rubbish is gone


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
