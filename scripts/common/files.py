"""Files that appear whole or not at all."""

import glob
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LEFT_BEHIND_SECONDS = 3600  # a temporary file that nobody has written to for so long is that of a run that was killed


@contextmanager
def written_whole(path: Path, permissions: int | None = None) -> Iterator[Path]:
    """A temporary file beside `path` to write to; it takes the place of `path` when the block ends without an error.

    permissions: of the new file; those of the old one, or of any new file, unless given

    A crash at any moment leaves either the old file or the new one. Folders are made as needed. Raises OSError that
    names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - LEFT_BEHIND_SECONDS:
                left.unlink()
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        sync(temporary)
        temporary.chmod(_permissions(path) if permissions is None else permissions)
        temporary.replace(path)
        if os.name == "posix":
            sync(path.parent)
    except OSError as error:
        if error.filename is None or str(error.filename).endswith(".tmp"):
            error.filename = str(path)  # what the user knows
        raise
    finally:
        if temporary:
            with suppress(OSError):
                temporary.unlink()


def _permissions(path: Path) -> int:
    """Those of the file that is replaced, else what any new file would get (a temporary one is its owner's alone)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def sync(path: Path) -> None:
    """Have the system write to disk what a file, or a folder's list of names, holds."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
