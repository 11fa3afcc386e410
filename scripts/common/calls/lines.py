"""The internal lines of employees: what the server lists of them, in either version's shape."""

from typing import Any, NamedTuple

from common.calls.call import clean, object_in
from common.calls.entries import UnreadableError

ONLINE, OFFLINE = "online", "offline"
STATUSES = {"online": ONLINE, "inuse": ONLINE, "ringing": ONLINE, "offline": OFFLINE}  # extStatus (the API's facts)
OF_ENDPOINT = frozenset(("internalNumber", "login", "password"))  # fields that one has


class Line(NamedTuple):
    """An internal line.

    employee: whose it is: the name, else the e-mail address, else ""
    status:   ONLINE, OFFLINE, or "" where the server says neither
    """

    number: str
    employee: str
    status: str


def lines_of(entry: Any) -> list[Line]:
    """The lines of an employee: one, or in API 4.0 one of each of the employee's endpoints. Raises UnreadableError."""
    if not isinstance(entry, dict):
        raise UnreadableError("person among the employees", "", "", entry)
    endpoints = entry.get("endpointData") or []
    if isinstance(endpoints, dict) and OF_ENDPOINT.isdisjoint(endpoints):
        endpoints = list(endpoints.values())  # some by id
    if not isinstance(endpoints, list):
        endpoints = [endpoints]
    employee = clean(entry.get("name")) or clean(entry.get("email"))
    lines = []
    for name, status, of in (
        ("extNumber", "extStatus", entry),
        *(("internalNumber", "status", endpoint) for endpoint in endpoints),
    ):
        number = of.get(name) if isinstance(of, dict) else of
        if not (number is None or isinstance(number, str) or type(number) is int):
            raise UnreadableError("person among the employees", str(entry.get("employeeID", "")), name, number)
        if number:
            said = of.get(status) if isinstance(of, dict) else None
            text = clean(object_in(of, status).get("status") if isinstance(said, (dict, list)) else said)
            lines.append(Line(str(number), employee, STATUSES.get(text.lower(), "")))
    return lines
