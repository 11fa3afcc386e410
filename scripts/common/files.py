"""Files that appear whole or not at all, and what is on the way to them."""

import atexit
import errno
import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

LEFT_BEHIND_SECONDS = 3600
OLD_NAMES = (".calls-*.tmp", ".customers-*.tmp")  # what earlier versions left beside their files when they were killed
# What a file system answers that has no such thing: SMB, sshfs, FUSE. Not EIO or ENOSPC: there something went wrong.
CANNOT = frozenset(
    (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES, errno.ENOTTY, errno.EROFS)
)
WHERE = ".where"  # a file that tells of a temporary one in another folder

log = logging.getLogger(__name__)
_told: set[str] = set()
_parent: Path | None = None
_own: tuple[Path, filelock.BaseFileLock] | None = None


def tried(what: str, do: Callable[[], object]) -> None:
    """Do what makes a file safer, where the file system can; where not, that is told once. Raises other OSErrors.

    what: the beginning of a sentence
    """
    try:
        do()
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        if what not in _told:
            _told.add(what)
            log.debug("%s is not possible on this file system: %s", what, error.strerror)


def sync(path: Path) -> None:
    """Have the system write to disk what a file, or a folder's list of names, holds: a power cut may come."""

    def write() -> None:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    tried(f"Making {'names' if path.is_dir() else 'files'} outlive a power cut", write)


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


def target_of(path: Path) -> Path:
    """The file that is to be written or replaced where `path` may be a link to it.

    Raises OSError for a link that leads nowhere but to itself, and for what is no ordinary file.
    """
    try:
        target = path.resolve() if path.is_symlink() else path
    except RuntimeError:  # as Python before 3.13 says it
        raise OSError(errno.ELOOP, "Links that lead to each other lead to no file", str(path)) from None
    if target.is_symlink():
        raise OSError(errno.ELOOP, "Links that lead to each other lead to no file", str(path))
    if target.exists() and not target.is_file() and not target.is_dir():
        raise OSError(errno.EINVAL, "It is no ordinary file, so nothing is written there", str(path))
    return target


@contextmanager
def written_whole(path: Path, permissions: int | None = None) -> Iterator[Path]:
    """A temporary file to write to; what it holds is in the place of `path` when the block ends without an error.

    permissions: of the new file; those of the old one, or of any new file, unless given

    A crash at any moment leaves either the old file or the new one. A link is written through. Folders are made as
    needed. Raises OSError that names `path`.
    """
    target = target_of(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_old(target.parent)
    folder = temporary_folder()
    temporary = folder / f"{secrets.token_hex(4)}-{target.name}"
    # It is copied there first: what is moved from another folder has that one's group, or cannot be moved at all.
    copy = target.parent / f".{temporary.name}.tmp"
    where = folder / f"{temporary.name}{WHERE}"
    try:
        temporary.touch(0o600)
        yield temporary
        where.write_text(str(copy.absolute()), "utf-8")
        copy.touch(0o600)
        shutil.copyfile(temporary, copy)
        sync(copy)
        wanted = _permissions(target) if permissions is None else permissions
        tried("Setting who may read a file", lambda: copy.chmod(wanted))
        copy.replace(target)
        if os.name == "posix":
            sync(target.parent)
    except OSError as error:
        if error.filename is None or Path(error.filename) in (temporary, copy):
            error.filename, error.filename2 = str(path), None  # what the user knows
        raise
    finally:
        for left in (temporary, copy, where):
            with suppress(OSError):
                left.unlink()


def _permissions(path: Path) -> int:
    """Those of the file that is replaced, else what any new file would get (a temporary one is its owner's alone)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _remove_old(folder: Path) -> None:
    for left in (left for pattern in OLD_NAMES for left in folder.glob(pattern)):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - LEFT_BEHIND_SECONDS:
                left.unlink()


# --- Temporary files ---------------------------------------------------------


def keep_temporary_files_in(parent: Path) -> None:
    """Have temporary files be made below `parent` from now on, and remove there what no living process holds."""
    global _parent, _own
    _parent, _own, tempfile.tempdir = parent, None, None
    for path in parent.glob("*.lock"):
        lock = filelock.FileLock(path, timeout=0, fallback_to_soft=False)
        with suppress(OSError, filelock.Timeout), lock:
            _remove(path.with_suffix(""))
            path.unlink()


def temporary_folder() -> Path:
    """A folder of this process alone, which only its user can read; it is gone when the process has ended.

    Libraries make their temporary files there, too. Raises OSError.
    """
    global _own
    if _own is None:
        parent = _parent or Path(tempfile.mkdtemp(prefix="binotel-"))
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = parent / secrets.token_hex(8)
        lock = filelock.FileLock(folder.with_suffix(".lock"), timeout=0, fallback_to_soft=False)
        # Where a file system has no locks, nobody else looks after what a killed process leaves there.
        with suppress(filelock.Timeout):  # as filelock calls it where the system forbids it
            tried("Locking a folder for temporary files", lock.acquire)
        folder.mkdir(mode=0o700)
        _own = folder, lock
        tempfile.tempdir = str(folder)
        atexit.register(_end, folder, lock, os.getpid(), is_for_all=_parent is not None)
    return _own[0]


def _end(folder: Path, lock: filelock.BaseFileLock, process: int, *, is_for_all: bool) -> None:
    if os.getpid() == process:  # not one that was forked
        _remove(folder)
        lock.release()
        with suppress(OSError):
            folder.with_suffix(".lock").unlink()
            if not is_for_all:
                folder.parent.rmdir()


def _remove(folder: Path) -> None:
    for where in folder.glob(f"*{WHERE}"):
        with suppress(OSError, UnicodeDecodeError):
            Path(where.read_text("utf-8")).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
