"""Entries of an answer, one or another of which may be unreadable: what can be read is read, the others are named."""

from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar

from binotel_core import BinotelError, one_line

MAX_NAMED = 10
SHORTEST = 60  # as much of a value as is shown

T = TypeVar("T")


class UnreadableError(BinotelError):
    """An entry of Binotel's answer cannot be read: `str()` names it, the field, and what the field holds.

    what: "call", "customer"
    identity: what it is known by, if that can be read
    field: which of its fields; "" for all of it
    """

    def __init__(self, what: str, identity: str, field: str, value: object) -> None:
        shown, where = one_line(repr(value), SHORTEST), f"its {field}" if field else "it"
        super().__init__(
            f"A {what} in Binotel's answer (id {one_line(identity, SHORTEST) or 'missing'}) cannot be read: "
            f"{where} is {shown}.",
            "The API may have changed: please report it.",
        )


def readable(entries: Iterable[Any], read: Callable[[Any], T], tell: Callable[[str], None]) -> Generator[T, None, int]:
    """What `read` makes of each entry, but of those for which it raises UnreadableError: these are told, and counted.

    tell: called with a sentence for each of the first ones, and with one for all others together; with none twice
    """
    unreadable = untold = 0
    told: set[str] = set()
    for entry in entries:
        try:
            yield read(entry)
        except UnreadableError as error:
            unreadable += 1
            sentence = f"{error} It was left out."
            if sentence in told:
                continue  # an entry may stand in several answers
            if len(told) < MAX_NAMED:
                told.add(sentence)
                tell(sentence)
            else:
                untold += 1
    if untold:
        tell(f"{untold} more entries like these cannot be read, and were left out.")
    return unreadable
