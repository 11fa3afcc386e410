"""customerData entries -> Customers; backups of them: written, read back, compared."""

import gzip
import hashlib
import json
import logging
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from binotel_core import METHODS, BinotelClient, BinotelError, one_line
from common.calls.call import clean, object_in
from common.calls.entries import SHORTEST, UnreadableError, readable
from common.files import written_whole

_NO_LABELS: Mapping[str, str] = {}
COMPRESSION = 6  # the default, 9, takes twice the time for files a few percent smaller
OWNER_ONLY = 0o600
GOOD_PATTERN = "customers-????-??-??T????.json.gz"
SUSPICIOUS = "-suspicious"

log = logging.getLogger(__name__)


class BackupError(BinotelError):
    """A backup cannot be written or read: `str()` says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of "My clients": what can be written back, exactly as the server sent it.

    employee_number: the internal number of the employee who looks after the customer, or ""
    labels:          id -> name
    """

    id: str
    name: str
    numbers: tuple[str, ...]
    description: str
    email: str
    employee_number: str
    employee: str
    labels: Mapping[str, str]

    @classmethod
    def from_entry(cls, entry: Any, key: str = "") -> "Customer":
        """The Customer of an entry. Raises UnreadableError for one that has no id, or a field that cannot be right.

        key: under which the server sent it, "" in a list; names an entry that has no id
        """
        if not isinstance(entry, dict):
            raise UnreadableError("customer", key, "", entry)
        identity = _id(entry)
        if not identity:
            raise UnreadableError("customer", key, "id", entry.get("id"))
        employee, assigned = object_in(entry, "assignedToEmployee"), entry.get("assignedToEmployee")  # API 4.0
        if employee or (isinstance(assigned, (list, dict)) and not any(assigned)):
            number = employee.get("internalNumber") or entry.get("assignedToEmployeeNumber")
            entry = entry | {"assignedToEmployeeNumber": number, "assignedToEmployee": employee.get("name")}
        try:
            return cls(
                id=identity,
                name=_text("name", entry.get("name")),
                numbers=tuple(filter(None, map(_number, _list(entry, "numbers")))),
                description=_text("description", entry.get("description")),
                email=_text("email", entry.get("email")),
                # The same few texts again and again, which take memory only once.
                employee_number=sys.intern(_text("assignedToEmployeeNumber", entry.get("assignedToEmployeeNumber"))),
                employee=sys.intern(_text("assignedToEmployee", entry.get("assignedToEmployee"))),
                labels=dict(map(_label, _labels(entry))) or _NO_LABELS,
            )
        except _FieldError as error:
            raise UnreadableError("customer", identity, error.field, entry.get(error.field)) from None

    @property
    def shown(self) -> str:
        """In a list for people."""
        return f"{clean(self.id)} {clean(self.name)} ({clean(', '.join(self.numbers))})"


# What a customer is compared by, under the names that people are shown.
FIELDS: dict[str, Callable[[Customer], Any]] = {
    "name": lambda customer: customer.name,
    "numbers": lambda customer: sorted(customer.numbers),
    "description": lambda customer: customer.description,
    "email": lambda customer: customer.email,
    "employee": lambda customer: customer.employee_number,
    "labels": lambda customer: sorted(customer.labels.values()),
}


def changed_fields(one: Customer, other: Customer) -> list[str]:
    return [name for name, value in FIELDS.items() if value(one) != value(other)]


@dataclass(frozen=True)
class Backup:
    """All customers at one moment, by id.

    unreadable: the ids of those who are there and cannot be read; "" among them if there are some without an id
    """

    made_at: datetime
    customers: Mapping[str, Customer]
    unreadable: frozenset[str]

    @classmethod
    def of(cls, made_at: datetime, entries: Iterable[tuple[str, Any]], tell: Callable[[str], None]) -> "Backup":
        """From entries with their keys, as of keyed(). `tell` is called with a sentence for the unreadable ones."""
        unreadable = set()

        def read(keyed_entry: tuple[str, Any]) -> Customer:
            key, entry = keyed_entry
            try:
                return Customer.from_entry(entry, key)
            except UnreadableError:
                unreadable.add(_id(entry) or key)
                raise

        customers = {customer.id: customer for customer in readable(entries, read, tell)}
        return cls(made_at, customers, frozenset(unreadable))

    def knows(self, identity: str) -> bool:
        """Whether a customer with this id was there, readable or not."""
        return identity in self.customers or identity in self.unreadable


def what_is_wrong(now: Backup, before: Backup | None, before_is: str) -> str:
    """Why customers cannot be all that there are; "" when they can.

    before_is: what is said of `before`: "the last backup"
    """
    if not now.customers:
        return f"Binotel lists no customers {'that can be read' if now.unreadable else 'at all'}."
    if before is None:
        return ""
    numbers = {number for customer in now.customers.values() for number in customer.numbers}
    # One who was restored has a new id, and the same numbers.
    still_there = sum(
        identity in now.customers or not numbers.isdisjoint(old.numbers) for identity, old in before.customers.items()
    )
    if still_there * 2 < len(before.customers):
        return f"Of the {len(before.customers)} customers of {before_is}, Binotel lists only {still_there}."
    return ""


def list_of(client: BinotelClient, method: str, params: Mapping[str, Any] | None = None) -> Any:
    """The object or list of entries in a method's answer, as it was sent.

    Raises BinotelError for anything else, as null or "": that does not say that there are none.
    """
    content = client.call(method, params)[METHODS[method].answer]
    if not isinstance(content, (dict, list)):
        problem = f"Binotel's answer to {method} is no list: its {METHODS[method].answer} is"
        raise BinotelError(
            f"{problem} {one_line(repr(content), SHORTEST)}.",
            "Run this again later; if it stays so, the API may have changed: please report it.",
        )
    return content


def keyed(content: Any) -> Iterable[tuple[str, Any]]:
    """(key, entry) of what the server keys by id, or sends as a list: then the keys are ""."""
    return content.items() if isinstance(content, dict) else (("", entry) for entry in content)


def write_backup(path: Path, made_at: datetime, customers: Any, labels: Any) -> None:
    """Write what the server sent, as of list_of(), to `path`, for its owner's eyes only: whole, also the unreadable.

    Raises BackupError when it does not read back as it was written, OSError when it cannot be written.
    """
    written = hashlib.sha256()
    with written_whole(path, OWNER_ONLY) as temporary:
        with gzip.open(temporary, "wb", COMPRESSION) as file:
            for text in _parts(made_at, customers, labels):
                part = text.encode("ascii")
                written.update(part)
                file.write(part)
        back = hashlib.sha256()
        try:
            with gzip.open(temporary, "rb") as file:
                while part := file.read(1 << 20):
                    back.update(part)
        except (OSError, EOFError, zlib.error) as error:
            raise BackupError(f"{path} cannot be read back: {error}. Check the disk.") from error
        if back.digest() != written.digest():
            raise BackupError(f"{path} does not read back as it was written, so it was not kept. Check the disk.")


def _parts(made_at: datetime, customers: Any, labels: Any) -> Iterator[str]:
    """The JSON of a backup, customer by customer: all of it at once would take twice the memory."""
    yield f'{{"made_at": {json.dumps(made_at.isoformat())},\n"labels": {json.dumps(labels)},\n"customers": ['
    before = "\n"
    for _, entry in keyed(customers):
        yield f"{before}{json.dumps(entry)}"
        before = ",\n"
    yield "\n]}\n"


def read_backup(path: Path, tell: Callable[[str], None] = log.warning) -> Backup:
    """The backup at `path`. `tell` is called with a sentence for customers that cannot be read. Raises BackupError."""
    try:
        # Customer by customer: all of them at once would take several times the memory.
        with gzip.open(path, "rt", encoding="ascii") as file:
            made_at, labels, customers = file.readline(), file.readline(), file.readline()
            head = json.loads(f"{made_at}{labels}{customers}]}}")
            lines = (line.rstrip(",\n") for line in iter(file.readline, "]}\n"))
            entries = (("", json.loads(line)) for line in lines)
            backup = Backup.of(datetime.fromisoformat(head["made_at"]), entries, tell)
            _read_to_end(file)
            return backup
    except FileNotFoundError:
        raise BackupError(f"{path}: there is no such file. Name one that backup_customers.py has made.") from None
    except OSError as error:  # gzip's own among them
        raise BackupError(f"{path} cannot be read: {error.strerror or error}. Name another backup.") from error
    except (EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path} is no whole backup of customers: {error}. Name another one.") from error


def _read_to_end(file: TextIO) -> None:
    """Only at its end does gzip look whether all of it is as it was written."""
    if file.read():
        raise ValueError("it goes on after its end")


def good_backups(folder: Path) -> list[Path]:
    """Those in a folder that nothing was wrong with, the oldest first."""
    return sorted(folder.glob(GOOD_PATTERN))


def ids_of(entries: Iterable[tuple[str, Any]]) -> set[str]:
    """The ids of entries with their keys, as of keyed()."""
    return {_id(entry) or key for key, entry in entries}


def label_of(entry: Any) -> tuple[str, str]:
    """(id, name) of a label in the list of them. Raises UnreadableError."""
    try:
        return _label(entry)
    except _FieldError:
        raise UnreadableError("label", _id(entry), "entry", entry) from None


class _FieldError(Exception):
    """A field holds what it cannot hold."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def _id(entry: Any) -> str:
    """The id of an entry; "" when it has none that can be read."""
    identity = entry.get("id") if isinstance(entry, dict) else None
    return str(identity) if isinstance(identity, str) or type(identity) is int else ""


def _labels(entry: Mapping[str, Any]) -> Iterable[Any]:
    """A customer's labels, as they were sent; a single one may stand there by itself."""
    labels = entry.get("labels")
    return [labels] if isinstance(labels, dict) and "id" in labels else _list(entry, "labels")


def _label(entry: Any) -> tuple[str, str]:
    if not (identity := _id(entry)):
        raise _FieldError("labels")
    return sys.intern(identity), sys.intern(_text("labels", entry.get("name")))


def _number(value: Any) -> str:
    if value is None:
        raise _FieldError("numbers")
    return _text("numbers", value)


def _list(entry: Mapping[str, Any], field: str) -> Iterable[Any]:
    """What a field lists: the server sends a list, or an object of what a list would hold, or "" or null for none."""
    value = entry.get(field)
    if value is None or value == "":
        return ()
    if not isinstance(value, (dict, list)):
        raise _FieldError(field)
    return value.values() if isinstance(value, dict) else value


def _text(field: str, value: Any) -> str:
    """A text of a field: the server sends the same one as a text or as a number, or null for none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if type(value) is not int:  # a bool is one to isinstance()
        raise _FieldError(field)
    return str(value)
