"""Where recordings are kept: a folder or a bucket. A file there is whole, or it is not there."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from binotel_core import one_line, within
from common.files import sync, target_of
from common.recordings.download import most_seconds
from common.settings import SettingsError

PART = ".part"
# Stores in which a file appears when it is complete. Elsewhere it is written under another name and renamed.
OBJECT_STORES = frozenset(("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"))
# How s3fs is told to upload piece by piece, so that memory does not grow with the file.
UPLOAD_OPTIONS: dict[str, dict[str, Any]] = {
    protocol: {"chunksize": 8 * 2**20, "max_concurrency": 1} for protocol in ("s3", "s3a")
}
AMAZON = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")  # what the names of its servers end with


class Archive:
    """Files under a folder or an fsspec URL, named by paths with slashes; threads may share it.

    url:     a folder's path, or a URL such as s3://bucket/prefix
    scratch: a folder of our own for what is on its way to a bucket; it is emptied

    Raises SettingsError when the URL needs a package that is missing; the methods raise OSError with a sentence.
    """

    def __init__(self, url: str, scratch: Path) -> None:
        self._url = url.rstrip("/")
        self._protocol = url.partition("://")[0] if "://" in url else "file"
        self._is_object_store = self._protocol in OBJECT_STORES
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, **_options(self._protocol))
        except (ImportError, ValueError) as error:
            is_package = isinstance(error, ImportError) and self._protocol in UPLOAD_OPTIONS
            remedy = " Run pip install -r requirements-s3.txt." if is_package else ""
            raise SettingsError(f"RECORDS_URL cannot be used: {one_line(str(error))}.{remedy}") from None
        self._is_folder = isinstance(self._files, LocalFileSystem)
        self._scratch = scratch
        self._unfinished: set[Path] = set()
        shutil.rmtree(scratch, ignore_errors=True)

    def sizes(self, folder: str) -> dict[str, int]:
        """The bytes of each file in a folder, by its name; nothing when there is no such folder."""
        anew = {"refresh": True} if self._is_object_store else {}
        try:
            listed = self._told(self._files.ls, self._path(folder), detail=True, can_miss=True, **anew)
        except FileNotFoundError:
            return {}
        return {entry["name"].rpartition("/")[2]: entry["size"] for entry in listed if entry["type"] == "file"}

    def remove_parts(self, folder: str) -> None:
        """Remove what a killed run left unfinished in a folder."""
        for name in self.sizes(folder):
            if name.endswith(PART):
                self._told(self._files.rm_file, self._path(f"{folder}/{name}"))

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._told(self._files.rm_file, self._path(path))

    def open(self, path: str) -> BinaryIO:
        """The file's content, to be read; raises FileNotFoundError when it is not there."""
        return self._told(self._files.open, self._path(path), "rb", can_miss=True)  # type: ignore[no-any-return]

    @contextmanager
    def new_file(self, path: str) -> Iterator[BinaryIO]:
        """A file to write to, which is at `path` when the block ends without an error, and nowhere otherwise."""
        part = Path(self._path(path) + PART) if self._is_folder else self._scratch / path.replace("/", "-")
        self._unfinished.add(part)
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                yield file
                file.flush()
            if self._is_folder:
                sync(part)
                part.replace(target_of(Path(self._path(path))))
            else:
                self._upload(part, path)
        except OSError as error:
            if error.filename is None:
                error.filename = str(part)
            raise
        finally:
            self._remove(part)

    def settle(self, folder: str) -> None:
        """Have the system keep the names of the files in a folder, which are whole already, over a power cut."""
        if self._is_folder and os.name == "posix":
            sync(Path(self._path(folder)))

    def remove_unfinished(self) -> None:
        """Remove the files of blocks that have not ended, in threads that nobody waits for any more."""
        for part in list(self._unfinished):
            self._remove(part)

    def _remove(self, part: Path) -> None:
        with suppress(OSError):
            part.unlink()
        self._unfinished.discard(part)

    def _upload(self, source: Path, path: str) -> None:
        target = self._path(path)
        size = source.stat().st_size
        if self._is_object_store:
            options = UPLOAD_OPTIONS.get(self._protocol, {})
            self._told(self._files.put_file, str(source), target, size=size, **options)
        else:
            self._told(self._files.put_file, str(source), target + PART, size=size)
            self._told(self._files.mv, target + PART, target)

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}" if self._root else path

    def _told(
        self,
        do: Callable[..., Any],
        *arguments: Any,
        can_miss: bool = False,
        size: int = 0,
        **options: Any,
    ) -> Any:
        """What `do` returns; what goes wrong with a bucket, in its library's own words, becomes an OSError.

        can_miss: FileNotFoundError is an answer
        size:     the bytes that are uploaded, for which a bucket has time
        """
        if self._is_folder:
            return do(*arguments, **options)
        try:
            return within(most_seconds(size), partial(do, *arguments, **options))
        except Exception as error:
            if can_miss and isinstance(error, FileNotFoundError):
                raise
            reason = one_line(str(error)) or type(error).__name__
            remedy = "Check RECORDS_URL, its credentials and the network"
            raise OSError(errno.EIO, f"{reason.rstrip('.')}. {remedy}", self._url) from error


def _options(protocol: str) -> dict[str, Any]:
    """What s3fs is told of a store that is not Amazon's: not all know the checksums that Amazon's has come to want."""
    if protocol not in UPLOAD_OPTIONS:
        return {}
    configured = {name: value for key in ("s3", "s3a") for name, value in fsspec.config.conf.get(key, {}).items()}
    endpoint = (
        configured.get("endpoint_url")
        or (configured.get("client_kwargs") or {}).get("endpoint_url")
        or _endpoint_of_amazons_tools()
    )
    host = urlsplit(endpoint or "").hostname
    if not host or host.endswith(AMAZON):
        return {}
    unasked = dict.fromkeys(("request_checksum_calculation", "response_checksum_validation"), "when_required")
    return {"config_kwargs": unasked | (configured.get("config_kwargs") or {})}


def _endpoint_of_amazons_tools() -> str | None:
    """Where they would look for a bucket, from the environment or ~/.aws/config; None for Amazon's own."""
    import botocore.session  # only those who use such a bucket have it
    from botocore.configprovider import ConfiguredEndpointProvider

    session = botocore.session.Session()
    try:
        return ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), "s3").provide()  # type: ignore[no-any-return]
    except botocore.exceptions.BotoCoreError:
        return None  # what is wrong with the files is told when the bucket is first asked
