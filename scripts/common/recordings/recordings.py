"""A day's recordings: what each file is called, and the list that lies beside them."""

import csv
import functools
import hashlib
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import cast

from common.calls.call import INCOMING, Call
from common.csv_texts import CSV_DELIMITER, CSV_ENCODING, guarded, unguarded
from common.recordings.download import CHUNK_BYTES, Content
from common.recordings.storage import Archive

MANIFEST = "records.csv"
COLUMNS = (
    "file",
    "generalCallID",
    "callID",
    "time",
    "direction",
    "number",
    "line",
    "employee",
    "seconds",
    "bytes",
    "sha256",
)
LONGEST_PART = 40  # of a file's name

Key = tuple[str, str]  # generalCallID and callID


class ListError(Exception):
    """A day's list cannot be read: a sentence with a remedy."""


class Day:
    """The recordings of a day: the folder they are in, and its list (records.csv), with a row for each of them.

    A row without a file is that of a recording which was given up: it is not asked for again.

    Raises ListError when the list cannot be read.
    """

    def __init__(self, archive: Archive, day: date) -> None:
        self.folder = f"{day:%Y/%m/%d}"
        self._archive = archive
        archive.remove_parts(self.folder)
        self._sizes = archive.sizes(self.folder)
        self._is_changed = False
        self.rows: dict[Key, dict[str, str]] = {}
        if MANIFEST in self._sizes:
            self._read()

    def is_there(self, key: Key) -> bool:
        """Whether the file of a recording is there and whole."""
        row = self.rows.get(key)
        return row is not None and str(self._sizes.get(row["file"])) == row["bytes"]

    def is_given_up(self, key: Key) -> bool:
        return key in self.rows and not self.rows[key]["file"]

    def name(self, key: Key, call: Call) -> str:
        """What the file of a call's recording is called, such as 093015-in-0965074747-902-744924436.mp3."""
        if key in self.rows:
            return self.rows[key]["file"]
        ids = key if key[0] != key[1] else key[:1]  # a call may have several recordings
        parts = (f"{call.start:%H%M%S}", _direction(call), call.number or "hidden", call.line or "none")
        return "-".join([*map(_safe, parts), *map(_safe_id, ids)]) + ".mp3"

    def take_up(self, key: Key, call: Call) -> bool:
        """Whether the file is there, although the list does not know of it, since a run was killed: it is noted."""
        name = self.name(key, call)
        if key in self.rows or name not in self._sizes:
            return False
        digest, size = hashlib.sha256(), 0
        with self._archive.open(f"{self.folder}/{name}") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
        self.note(key, call, name, Content(size, digest.hexdigest()))
        return True

    def note(self, key: Key, call: Call, name: str, content: Content | None) -> None:
        """Write into the list that a file is there; without content, that there will be none."""
        self._is_changed = True
        self.rows[key] = {
            "file": name if content else "",
            "generalCallID": key[0],
            "callID": key[1],
            "time": call.start.isoformat(" "),
            "direction": _direction(call),
            "number": call.number,
            "line": call.line,
            "employee": call.employee,
            "seconds": str(call.talk_seconds),
            "bytes": str(content.size) if content else "",
            "sha256": content.sha256 if content else "",
        }

    def save(self) -> None:
        """Write the list, in the order of the calls' times, if it has changed."""
        if not self._is_changed:
            return
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=CSV_DELIMITER)
        writer.writerow(COLUMNS)
        for row in sorted(self.rows.values(), key=_in_time_order):
            writer.writerow([guarded(row[column]) for column in COLUMNS])
        with self._archive.new_file(f"{self.folder}/{MANIFEST}") as file:
            file.write(text.getvalue().encode(CSV_ENCODING, "backslashreplace"))
        self._archive.settle(
            self.folder
        )  # once for all files of the day: what is not listed is looked for, or had again
        self._is_changed = False

    def _read(self) -> None:
        path = f"{self.folder}/{MANIFEST}"
        with self._archive.open(path) as file:
            content = file.read()
        try:
            self.rows = {(row["generalCallID"], row["callID"]): row for row in _rows_of(content)}
        except (ValueError, csv.Error, KeyError, TypeError, AttributeError):
            raise ListError(
                f"The list {path} cannot be read: was it saved by another program? Move it away: a new one is made of "
                "the files that are there."
            ) from None


def _rows_of(content: bytes) -> Iterator[dict[str, str]]:
    """The rows of a list. Raises ValueError, csv.Error, KeyError, TypeError or AttributeError for what is none."""
    reader = csv.DictReader(io.StringIO(content.decode(CSV_ENCODING), newline=""), delimiter=CSV_DELIMITER)
    for row in reader:
        texts = {column: unguarded(row[column]) for column in COLUMNS}
        _in_time_order(texts)
        yield texts


class Addresses:
    """Where the recordings of calls are that we keep: in a folder, for a bucket has no addresses that people can open.

    url: RECORDS_URL
    """

    def __init__(self, url: str) -> None:
        self._folder = None if "://" in url else Path(url).absolute()
        self._of_day = functools.lru_cache(maxsize=2)(self._read)  # calls come in time order

    def __call__(self, call: Call) -> str:
        """A file:// address, or ""."""
        if not self._folder or not call.can_be_recorded:
            return ""
        return self._of_day(call.start.date()).get(call.general_call_id, "")

    def _read(self, day: date) -> dict[str, str]:
        folder = cast("Path", self._folder) / f"{day:%Y/%m/%d}"
        try:
            rows = list(_rows_of((folder / MANIFEST).read_bytes()))
        except (OSError, ValueError, csv.Error, KeyError, TypeError, AttributeError):
            return {}  # a report has more to say than where its recordings are
        return {row["generalCallID"]: (folder / row["file"]).as_uri() for row in rows if row["file"]}


def _in_time_order(row: dict[str, str]) -> tuple[float, str, str]:
    return datetime.fromisoformat(row["time"]).timestamp(), row["generalCallID"], row["callID"]


def key_of(call: Call, call_id: str) -> Key:
    return call.general_call_id, call_id or call.general_call_id


def _direction(call: Call) -> str:
    return "in" if call.call_type == INCOMING else "out"


def _safe(part: str) -> str:
    """A part of a file's name that any system, shell and URL can hold."""
    return re.sub("[^0-9A-Za-z]+", "_", part.removeprefix("+"))[:LONGEST_PART]


def _safe_id(identity: str) -> str:
    """An id as a part of a file's name: two ids never make one name, not even where "a" and "A" are one."""
    safe = _safe(identity)
    if safe == identity.lower():
        return safe
    digest = hashlib.sha256(identity.encode(errors="backslashreplace")).hexdigest()[:12]
    return f"{safe[: LONGEST_PART - 1 - len(digest)]}_{digest}"
