"""customerData entries -> Customers; backups of them: written, read back, compared."""

import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from binotel_core import BinotelError
from common.calls.call import clean
from common.files import written_whole

_NO_LABELS: Mapping[str, str] = {}
COMPRESSION = 6  # the default, 9, takes twice the time for files a few percent smaller
OWNER_ONLY = 0o600
GOOD_PATTERN = "customers-????-??-??T????.json.gz"
SUSPICIOUS = "-suspicious"


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
    def from_entry(cls, entry: Mapping[str, Any]) -> "Customer":
        """The Customer of an entry. Raises BinotelError for one without an id."""
        identity = _text(entry.get("id"))
        if not identity:
            raise BinotelError(
                "A customer in Binotel's answer has no id.", "The API may have changed: please report it."
            )
        numbers = entry.get("numbers")
        return cls(
            id=identity,
            name=_text(entry.get("name")),
            numbers=tuple(_text(number) for number in _values(numbers) if _text(number)),
            description=_text(entry.get("description")),
            email=_text(entry.get("email")),
            # The same few texts again and again, which take memory only once.
            employee_number=sys.intern(_text(entry.get("assignedToEmployeeNumber"))),
            employee=sys.intern(_text(entry.get("assignedToEmployee"))),
            labels=_labels(entry.get("labels")),
        )

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
    """All customers at one moment, by id, and all labels: id -> name."""

    made_at: datetime
    customers: Mapping[str, Customer]
    labels: Mapping[str, str]

    @classmethod
    def of(cls, made_at: datetime, customers: Any, labels: Any) -> "Backup":
        """From the server's own answers, customerData and listOfLabels; or from customers one by one."""
        entries = customers if isinstance(customers, Iterator) else _values(customers)
        return cls(
            made_at,
            {customer.id: customer for customer in map(Customer.from_entry, entries)},
            _labels(labels),
        )


def write_backup(path: Path, made_at: datetime, customers: Any, labels: Any) -> None:
    """Write what the server sent to `path`, for its owner's eyes only; the file appears whole or not at all.

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
    for entry in _values(customers):
        yield f"{before}{json.dumps(entry)}"
        before = ",\n"
    yield "\n]}\n"


def read_backup(path: Path) -> Backup:
    """The backup at `path`. Raises BackupError."""
    try:
        # Customer by customer: all of them at once would take several times the memory.
        with gzip.open(path, "rt", encoding="ascii") as file:
            made_at, labels, customers = file.readline(), file.readline(), file.readline()
            head = json.loads(f"{made_at}{labels}{customers}]}}")
            lines = (line.rstrip(",\n") for line in iter(file.readline, "]}\n"))
            backup = Backup.of(datetime.fromisoformat(head["made_at"]), map(json.loads, lines), head["labels"])
            _read_to_end(file)
            return backup
    except FileNotFoundError:
        raise BackupError(f"{path}: there is no such file. Name one that backup_customers.py has made.") from None
    except OSError as error:  # gzip's own among them
        raise BackupError(f"{path} cannot be read: {error.strerror or error}. Name another backup.") from error
    except (EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError, BinotelError) as error:
        raise BackupError(f"{path} is no whole backup of customers: {error}. Name another one.") from error


def _read_to_end(file: TextIO) -> None:
    """Only at its end does gzip look whether all of it is as it was written."""
    if file.read():
        raise ValueError("it goes on after its end")


def good_backups(folder: Path) -> list[Path]:
    """Those in a folder that nothing was wrong with, the oldest first."""
    return sorted(folder.glob(GOOD_PATTERN))


def _values(content: Any) -> list[Any]:
    """The entries of what the server keys by id, or sends as a list (or as "" when there are none)."""
    values = list(content.values()) if isinstance(content, dict) else content or []
    if not isinstance(values, list) or not all(isinstance(value, (dict, str)) for value in values):
        raise BinotelError("Binotel's answer is not a list of entries.", "The API may have changed: please report it.")
    return values


def _labels(content: Any) -> Mapping[str, str]:
    """id -> name."""
    entries = [label if isinstance(label, dict) else {"id": label, "name": label} for label in _values(content)]
    labels = {sys.intern(_text(label.get("id"))): sys.intern(_text(label.get("name"))) for label in entries}
    return labels or _NO_LABELS


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list, bool)) else str(value)
