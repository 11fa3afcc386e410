"""Entries of an answer, one or another of which may be unreadable: what can be read is read, the others are named."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from binotel_core import BinotelError, one_line

MAX_NAMED = 10
SHORTEST = 60  # as much of a value as is shown

T = TypeVar("T")


class UnreadableError(BinotelError):
    """An entry of Binotel's answer cannot be read: `str()` names it, the field, and what the field holds.

    what: "call", "customer"
    identity: what it is known by, if that can be read
    """

    def __init__(self, what: str, identity: str, field: str, value: object) -> None:
        shown = one_line(repr(value), SHORTEST)
        super().__init__(
            f"A {what} in Binotel's answer (id {one_line(identity, SHORTEST) or 'missing'}) cannot be read: "
            f"its {field} is {shown}.",
            "The API may have changed: please report it.",
        )


def readable(entries: Iterable[Any], read: Callable[[Any], T], tell: Callable[[str], None]) -> Iterator[T]:
    """What `read` makes of each entry, but of those for which it raises UnreadableError: these are told.

    tell: called with a sentence for each of the first ones, and with one for all others together
    """
    unreadable = 0
    for entry in entries:
        try:
            yield read(entry)
        except UnreadableError as error:
            unreadable += 1
            if unreadable <= MAX_NAMED:
                tell(f"{error} It was left out.")
    if unreadable > MAX_NAMED:
        tell(f"{unreadable - MAX_NAMED} more entries like these cannot be read, and were left out.")
