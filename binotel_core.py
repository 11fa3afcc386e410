"""Binotel's REST API, 2.0 and 4.0, from Python: signed, within the quota, with answers that are checked.

    from binotel_core import BinotelClient, SqliteLedger, Throttle

    client = BinotelClient("key", "secret", throttle=Throttle(SqliteLedger("binotel.db"), "key"))
    client.call("stats/call-details", {"generalCallID": ["2255713", "2256039"]})["callDetails"]
    client.call("calls/hangup-call", {"generalCallID": "22661891"})
    for call in client.calls_per_day(1714560000):
        print(call["externalNumber"], call["disposition"])

It needs requests alone: copied into another project, this file does the same there. `client.call` reaches every method
in `METHODS`, with parameters under API 2.0's names, and returns the whole answer; a `base_url` that ends in /4.0 has it
speak API 4.0, under that one's names. What goes wrong raises a `BinotelError` that says what happened and what to do:

    ApiError        the server understood the request and refused it (`code`, `message`, `hint`)
    TransportError  no usable answer came: the network, a proxy, a server in trouble
    SignatureError  an answer came that is not signed with our secret
    ClockError      this computer's clock and the server's are more than a day apart

Facts about the server come from the vendor's README of the PHP SDK for API 2.0 ("the vendor's README" below); those
about 4.0, which nobody documents, from clients and answers that are public.
"""

import errno
import functools
import hashlib
import ipaddress
import json
import logging
import math
import os
import queue
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import urlsplit

import requests
import urllib3

API_URL, API_4_URL = "https://api.binotel.com/api/2.0", "https://api.binotel.com/api/4.0"
ASK_BINOTEL = "Write to support@binotel.ua."
_CHANGED = f"The API may have changed. {ASK_BINOTEL}"
_CERTIFICATES = "Check the computer's clock and its certificates; a proxy that opens TLS needs its own certificate."

_T = TypeVar("_T")

log = logging.getLogger("binotel")
quota_log = logging.getLogger("binotel.quota")  # by itself, for those who show the waiting in another way


# --- Errors ------------------------------------------------------------------


class BinotelError(Exception):
    """Whatever went wrong: `str()` is what happened followed by what to do; `hint` is the remedy alone, a sentence."""

    # Whether the same request may be sent again: one that writes or dials only if it surely was not carried out.
    retry_reads = retry_writes = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint


class ApiError(BinotelError):
    """The server refused the request: `method`, its `code` (0 where it gave none) and `message`, and our `hint`."""

    def __init__(self, method: str, code: int, message: str, hint: str = "") -> None:
        self.method, self.code, self.message = method, code, one_line(message)
        problem = f"Binotel refused {method} with code {code}: {self.message.rstrip('.')}."
        super().__init__(problem, f"{_HINTS.get(code, '')} {hint}".strip())
        self.retry_reads = code in (_SERVER_FAULT, _TOO_FREQUENT)
        self.retry_writes = code == _TOO_FREQUENT


class TransportError(BinotelError):
    """No usable answer: the server was not reached, broke off, or sent something that is not an answer of the API."""

    def __init__(self, message: str, hint: str, *, retry: bool = False, reached: bool = True) -> None:
        super().__init__(message, hint)
        self.retry_reads, self.retry_writes = retry, retry and not reached


class SignatureError(BinotelError):
    """A successful answer whose signature is missing or does not match its content and our secret."""


class ClockError(BinotelError):
    """This computer's clock and the server's are more than a day apart, so that no moment can be believed."""


class TookTooLongError(TimeoutError):
    """What within() was given took longer: unlike what a socket raises, whatever it waited for."""


_MISSING_DATA, _WRONG_DATA, _SERVER_FAULT, _TOO_FREQUENT, _WRONG_KEY = 103, 104, 105, 106, 121
# What a user can do about each code that the API documents.
_HINTS = {
    102: "Check the method's name.",
    _MISSING_DATA: "Pass every required parameter.",
    _WRONG_DATA: "Check the parameters' values.",
    _SERVER_FAULT: "The fault is on Binotel's side: try again later.",
    _TOO_FREQUENT: "Something else uses the same key: let all that use it share one DATABASE_URL, or wait a minute.",
    120: "Binotel has disabled the company's account. " + ASK_BINOTEL,
    _WRONG_KEY: "Check BINOTEL_KEY and BINOTEL_SECRET: copy both again, without spaces, from Binotel's letter.",
    150: "The internal line did not answer or is offline: check that its phone is switched on and registered.",
    151: "The outside number could not be reached: check it.",
}


# --- The methods -------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """What the API says of one method (the vendor's README)."""

    name: str
    gap: int  # seconds after the heavy request before it, once the minute's free ones are spent; 0 for a light method
    required: tuple[str, ...]  # names of the parameters without which the server answers 103
    optional: tuple[str, ...]  # names of the others that it knows
    answer: str  # the key under which a successful answer carries its content; "" where it has none
    meaning: str  # what it does, in a line
    cap: int | None = None  # most entries of an answer, if it is stated: one that holds as many may be cut off
    max_days: int | None = None  # longest period that may be asked for, in days, if it is stated
    writes: bool = False  # changes data or dials: must never be sent twice
    in_4: "Method | None" = None  # as API 4.0 has it, its parameters in the same order, where that is different
    only_4: bool = False  # API 2.0 does not have it

    def params_in_4(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters under API 4.0's names, where they have 2.0's."""
        other = self.in_4 or self
        renamed = dict(zip(self.required + self.optional, other.required + other.optional, strict=True))
        named = {renamed.get(name, name): value for name, value in params.items()}
        if isinstance(named.get(_LIST_4), (str, int)):  # 2.0 takes one by itself
            named[_LIST_4] = [named[_LIST_4]]
        return named


def _read(name: str, gap: int, params: str, meaning: str, answer: str = "callDetails", **more: Any) -> Method:
    """A Method; in `params`, those that may be left out stand in brackets. in_4: its name and parameters there."""
    required = tuple(name for name in params.split() if name[0] != "[")
    optional = tuple(name.strip("[]") for name in params.split() if name[0] == "[")
    if in_4 := more.pop("in_4", ""):
        name_4, _, params_4 = in_4.partition(" ")
        more["in_4"] = _read(name_4, gap, params_4, meaning, answer, **more)
    return Method(name, gap, required, optional, answer, meaning, **more)


def _write(name: str, params: str, meaning: str, answer: str = "", **more: Any) -> Method:
    return _read(name, 0, params, meaning, answer, writes=True, **more)


def _to_phone(name: str, params: str, meaning: str) -> Method:
    return _write(name, params.format("phone_number"), meaning, in_4=f"{name} {params.format('externalNumber')}")


DAY_METHOD = "stats/list-of-calls-per-day"
LINE_METHOD = "stats/list-of-calls-by-internal-number-for-period"
DIAL_METHOD = "calls/ext-to-phone"
RECORD_METHOD, _RECORD_4 = "stats/call-record", "stats/call-record generalCallID"
_RECENT, _GETCALLS = "stats/recent-calls-by-internal-number", "getcall/list-of-getcalls-for-period"
_PERIOD, _ID = "startTime stopTime", "generalCallID"
_CUSTOMER = "[description] [email] [assignedToEmployeeNumber] [labels]"
_DIAL = "[callTimeToExt] [limitCallTime] [playbackWaiting] [{}] [callerIdForEmployee] [async]"
_JOIN = "{0}1 {0}2 {1} [limitCallTime] [playbackWaiting]"
_DIAL_2, _JOIN_2 = f"ext_number phone_number {_DIAL.format('trunkNumber')}", _JOIN.format("phoneNumber", "trunkNumber")
_DIAL_4 = f"calls/internal-number-to-external-number internalNumber externalNumber {_DIAL.format('pbxNumber')}"
_JOIN_4 = f"calls/external-number-to-external-number {_JOIN.format('externalNumber', 'pbxNumber')}"
_LIST_4 = "externalNumbers"
_BY_NUMBER_4 = f"stats/history-by-external-number {_LIST_4}"
_TO_OURS, _OURS = "calls/external-number-to-incoming-call", "externalNumber pbxNumber [pbxNumberInExternalCall]"
_PRESENCE, _STATES = "settings/change-employee-presence-state", "active, work in crm, break in work or inactive"

# The 29 methods of the vendor's README, three that only its later samples use, and three that only API 4.0 has.
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        _read("stats/incoming-calls-for-period", 10, _PERIOD, "incoming calls of a period", cap=2000),
        _read("stats/outgoing-calls-for-period", 10, _PERIOD, "outgoing calls of a period", cap=2000),
        _read("stats/all-incoming-calls-since", 10, "timestamp", "incoming calls from a time until now", cap=1000),
        _read("stats/all-outgoing-calls-since", 10, "timestamp", "outgoing calls from a time until now", cap=1000),
        _read(LINE_METHOD, 10, f"internalNumber {_PERIOD}", "calls of one line in a period", cap=2000, max_days=7),
        _read(DAY_METHOD, 5, "[dayInTimestamp]", "all calls of a day (today)"),
        _read("stats/list-of-lost-calls-for-today", 10, "", "today's lost calls"),
        _read("stats/online-calls", 5, "", "calls that are going on"),
        _read("stats/history-by-number", 5, "number", "calls with a number, or with several", in_4=_BY_NUMBER_4),
        _read("stats/history-by-customer-id", 5, "customerID", "calls with a customer, or with several"),
        _read(_RECENT, 5, "internalNumber", "a line's last calls, at most 2 weeks old", cap=50),
        _read("stats/call-details", 5, "generalCallID", "a call, or several, by their ids"),
        _read(RECORD_METHOD, 0, "callID", "a link to a recording, good for 15 minutes", "url", in_4=_RECORD_4),
        _read("customers/list", 10, "", 'all customers of "My clients"', "customerData"),
        _read("customers/take-by-id", 0, "customerID", "a customer, or several, by their ids", "customerData"),
        _read("customers/take-by-label", 10, "labelID", "the customers with a label", "customerData"),
        _read("customers/search", 0, "subject", "customers by a part of the name or a number", "customerData"),
        _write("customers/create", f"name numbers {_CUSTOMER}", "makes a customer", "customerID"),
        _write("customers/update", f"id [name] [numbers] {_CUSTOMER}", "changes what is passed of a customer"),
        _write("customers/delete", "customerID", "deletes a customer, or several"),
        _read("customers/listOfLabels", 5, "", "the labels of customers", "listOfLabels"),
        _write(DIAL_METHOD, _DIAL_2, "calls a line, then joins it with a number", _ID, in_4=_DIAL_4),
        _write("calls/phone-to-phone", _JOIN_2, "calls a number, then joins it with another", _ID, in_4=_JOIN_4),
        _to_phone("calls/attended-call-transfer", "generalCallID {}", "transfers a call that is going on"),
        _write("calls/hangup-call", "generalCallID", "ends a call"),
        _to_phone("calls/call-with-announcement", "{} voiceFileID", "calls a number and plays a voice file"),
        _read("settings/list-of-employees", 5, "", "employees and their lines", "listOfEmployees"),
        _read("settings/list-of-routes", 0, "", "what happens to incoming calls", "listOfRoutes"),
        _read("settings/list-of-voice-files", 0, "", "the voice files", "listOfVoiceFiles"),
        # Nobody documents the limits of these two: the strictest of their kind are assumed.
        _read("stats/calltracking-calls-for-period", 10, _PERIOD, "calls with marketing data in a period", cap=2000),
        _read("stats/list-of-calls-for-period", 10, _PERIOD, "all calls of a period", cap=2000, max_days=1),
        _to_phone("calls/call-with-interactive-voice-response", "{} ivrName", "calls a number and plays a menu"),
        _write(_TO_OURS, _OURS, "calls a number, then treats it as a call to one of ours", _ID, only_4=True),
        _write(_PRESENCE, "employeeID presenceState", f"sets an employee's state: {_STATES}", only_4=True),
        _read(_GETCALLS, 10, _PERIOD, "requests for a call back in a period", "listOfGetCalls", only_4=True),
    )
}


# --- Signing -----------------------------------------------------------------

PHP_MAX_DEPTH = 512  # json_encode() refuses arrays nested deeper than this

_scan = json.JSONDecoder().raw_decode
_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

# What of json.dumps's text PHP writes otherwise (U+007F) or not at all (half a surrogate pair). An escaped backslash is
# passed over as a whole, so that what follows it is not taken for an escape.
_ESCAPES = re.compile(r"\\\\|\\u007f|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\ud[89a-f][0-9a-f]{2}")

_PLAIN_TYPES = frozenset((str, bool, type(None)))
_KEY_TYPES = frozenset((str,))


def php_json(value: Any) -> str:
    """`value` as PHP's json_encode() writes it after json_decode() to arrays, byte for byte, in ASCII and U+007F.

    Unlike Python, PHP escapes slashes, writes an empty object as `[]` and one whose keys are 0, 1, 2 ... as a list, has
    its own form for floats, and makes floats of integers past 64 bits. Checked against php-cli in tests/core. Raises
    ValueError for what PHP cannot encode: NaN, infinity, half a surrogate pair, nesting deeper than PHP_MAX_DEPTH.
    """
    text = _encode(value, 1)
    if "\\u007f" in text or "\\ud" in text:
        text = _ESCAPES.sub(_php_escape, text)
    return text.replace("/", "\\/")


def _php_escape(match: re.Match[str]) -> str:
    escape = match[0]
    if escape.startswith("\\ud") and len(escape) == len(r"\ud83d"):
        raise ValueError("PHP cannot encode half a surrogate pair: the text is not valid Unicode.")
    return "\x7f" if escape == "\\u007f" else escape


def _encode(value: Any, depth: int) -> str:
    """`value` in PHP's form but for the escapes of characters: what Python writes the same way, json does at once."""
    if _is_plain(value, depth):
        return _dumps(value)
    if isinstance(value, (int, float)):
        return _php_float(value)
    is_object = isinstance(value, dict) and any(key != str(index) for index, key in enumerate(value))
    parts = []
    # No comprehension here: its frames would halve the depth that Python allows.
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        name = f"{_dumps(key)}:" if is_object else ""
        parts.append(name + _encode(item, depth + 1))
    return f"{{{','.join(parts)}}}" if is_object else f"[{','.join(parts)}]"


def _is_plain(value: Any, depth: int) -> bool:
    """Whether json.dumps writes all of `value` the way PHP does. Raises ValueError for what neither can write."""
    # Answers of 50,000 values come through here: sets of types are much faster than a look at each value.
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return True
    if kind is int or kind is float:
        return kind is int and -(2**63) <= value < 2**63
    if depth > PHP_MAX_DEPTH:
        raise ValueError(f"PHP cannot encode arrays nested deeper than {PHP_MAX_DEPTH}.")
    items = value
    if kind is dict:
        if not _KEY_TYPES.issuperset(map(type, value)):
            raise ValueError("PHP's JSON has names of type str only: write {'1': ...}, not {1: ...}.")
        if not value or "0" in value:  # PHP may see a list
            return False
        items = value.values()
    elif kind is not list and kind is not tuple:
        raise ValueError(f"PHP's JSON has no form for {kind.__name__}: pass str, int, float, bool, None, list or dict.")
    if _PLAIN_TYPES.issuperset(map(type, items)):
        return True
    for item in items:  # noqa: SIM110 - a generator's frames would halve the depth that Python allows
        if type(item) is not str and not _is_plain(item, depth + 1):
            return False
    return True


def _php_float(value: float) -> str:
    """A float, or an integer too large for PHP, as PHP writes it with serialize_precision = -1."""
    try:
        text = repr(float(value))  # the shortest digits that read back, as PHP's; only where powers begin differs
    except OverflowError:
        raise ValueError("PHP cannot encode an integer of this size: it becomes infinity.") from None
    mantissa, _, power = text.partition("e")
    if mantissa.strip("-") in ("nan", "inf"):
        raise ValueError("PHP cannot encode NaN or infinity.")
    if not power:
        return text.removesuffix(".0")
    if int(power) == 16:
        return mantissa.replace(".", "").ljust(17 + mantissa.count("-"), "0")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}e{int(power):+d}"


def _ksort(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in the order of PHP's ksort(), for names that are words: all that the API has.

    Raises ValueError for other names, which PHP sorts in intricate ways.
    """
    if not all(name[:1] > "9" for name in params):
        raise ValueError("The API has no parameters whose names are not words.")
    return {name: params[name] for name in sorted(params)}


def sign(params: Mapping[str, Any], secret: str) -> str:
    """The signature of what a request or an answer has besides it and `key`: md5 in hex (the vendor's README).

    Raises ValueError for a value that PHP cannot encode.
    """
    text = secret + php_json(_ksort(params))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def signed_body(params: Mapping[str, Any], key: str, secret: str) -> bytes:
    """The body of a request: the sorted parameters, then `signature`, then `key`, as JSON (the vendor's README).

    Raises ValueError for a value that PHP cannot encode, or a parameter named `signature` or `key`.
    """
    if "signature" in params or "key" in params:
        raise ValueError("'signature' and 'key' are added to every request: leave them out of the parameters.")
    return php_json(_ksort(params) | {"signature": sign(params, secret), "key": key}).encode()


def verify(answer: Mapping[str, Any], secret: str) -> None:
    """Raise SignatureError unless a successful answer carries the signature of its content, made as a request's is."""
    try:
        expected = sign({name: value for name, value in answer.items() if name != "signature"}, secret)
    except ValueError as error:
        raise SignatureError(f"The signature of Binotel's answer cannot be computed: {error}", ASK_BINOTEL) from None
    if answer.get("signature") == expected:
        return
    problem = "The signature of Binotel's answer does not match its content."
    raise SignatureError(
        problem if "signature" in answer else "Binotel's answer has no signature.",
        "Something between here and Binotel changes answers, or this is not Binotel: check BINOTEL_API_URL and any "
        "proxy. If all is well there, BINOTEL_VERIFY_ANSWERS=no accepts answers unchecked.",
    )


def decode_answer(body: bytes, secret: str | None) -> Any:
    """The JSON in the body of an answer; one with `"status": "success"` is verified, unless `secret` is None.

    Raises ValueError when the body is not JSON, SignatureError as verify() does.
    """
    # The server is PHP, so the text it sent is nearly always the text it signed, but for the order of the top level:
    # then there is no need to write all of it anew, which would take twice the time of reading it.
    text = body.decode("utf-8-sig")
    try:
        members = _members(text)
        answer: Any = {name: value for name, (value, _, _) in members.items()}
    except (ValueError, IndexError):
        members, answer = {}, json.loads(text)
    if secret is None or not isinstance(answer, dict) or answer.get("status") != "success":
        return answer
    with suppress(ValueError, KeyError):
        signed, before = hashlib.md5(secret.encode(), usedforsecurity=False), "{"
        for name in _ksort({name: None for name in answer if name != "signature"}):
            _, first, last = members[name]
            signed.update(f"{before}{php_json(name)}:".encode())
            # PHP's JSON is ASCII: a place in the text is one in the body, of which no copy is made.
            signed.update(memoryview(body)[first:last] if len(body) == len(text) else text[first:last].encode())
            before = ","
        signed.update(b"}")
        if answer.get("signature") == signed.hexdigest():
            return answer
    verify(answer, secret)
    return answer


def _members(text: str) -> dict[str, tuple[Any, int, int]]:
    """The members of a compact JSON object, with where each value begins and ends. Raises ValueError or IndexError."""
    members: dict[str, tuple[Any, int, int]] = {}
    end = 0
    while text[end] == ("," if members else "{"):
        name, colon = _scan(text, end + 1)
        if not isinstance(name, str) or text[colon] != ":":
            raise ValueError("not compact JSON")
        value, end = _scan(text, colon + 1)
        members[name] = (value, colon + 1, end)
    if text[end:] != "}":
        raise ValueError("not compact JSON")
    return members


# --- The quota ---------------------------------------------------------------

QUOTA_FREE_REQUESTS, QUOTA_WINDOW_SECONDS = 5, 60  # so many heavy requests in so many seconds need no gap
# The server counts from when requests arrive, and a first request arrives late by its TLS handshake.
QUOTA_GAP_MARGIN_SECONDS, QUOTA_WINDOW_MARGIN_SECONDS = 0.25, 1
QUOTA_KEPT_SECONDS = 2 * QUOTA_WINDOW_SECONDS  # more than is needed, since interrupted requests leave gaps

# When a request may start: of when the account's last ones were reserved and start, newest first, and of now.
StartOf = Callable[[Sequence[tuple[float, float]], float], float]
# How many seconds it is until then, and a function that gives the place back.
Reservation = tuple[float, Callable[[], None]]


class Ledger(Protocol):
    """Where the heavy requests of all that use a key are noted: see SqliteLedger.reserve()."""

    def reserve(self, account: str, start_of: StartOf) -> Reservation: ...


class SqliteLedger:
    """A ledger in an SQLite file, made when missing, for all processes of this machine; `clock` gives Unix seconds."""

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = Path(path), clock

    def reserve(self, account: str, start_of: StartOf) -> Reservation:
        """Note a request that starts when `start_of` says, in one transaction, so that processes come one by one.

        account: its account_id(). Raises BinotelError when the file cannot be used.
        """
        with self._transaction() as connection:
            now = self._clock()
            last = "SELECT reserved_at, starts_at FROM heavy_requests WHERE account = ? ORDER BY id DESC LIMIT ?"
            start = start_of(connection.execute(last, (account, QUOTA_FREE_REQUESTS)).fetchall(), now)
            old = (account, now - QUOTA_KEPT_SECONDS)
            connection.execute("DELETE FROM heavy_requests WHERE account = ? AND starts_at < ?", old)
            new = "INSERT INTO heavy_requests (account, reserved_at, starts_at) VALUES (?, ?, ?)"
            number = connection.execute(new, (account, now, start)).lastrowid
        return start - now, functools.partial(self._give_back, number)

    def _give_back(self, number: int | None) -> None:
        with suppress(BinotelError), self._transaction() as connection:
            connection.execute("DELETE FROM heavy_requests WHERE id = ?", (number,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_not_emptied(self._path)
            with closing(sqlite3.connect(self._path, PATIENCE_SECONDS, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")  # a transaction that reads first could not write then
                for statement in _LEDGER:
                    connection.execute(statement)
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else one_line(str(error))
            problem = f"The database that keeps Binotel's quota ({self._path}) cannot be used: {reason}."
            raise BinotelError(problem, file_remedy(error)) from error


PATIENCE_SECONDS = 60.0  # for another process that has the database for itself
# As all versions have made it.
_LEDGER = (
    "CREATE TABLE IF NOT EXISTS heavy_requests (id INTEGER NOT NULL, account VARCHAR(16) NOT NULL, "
    "reserved_at FLOAT NOT NULL, starts_at FLOAT NOT NULL, PRIMARY KEY (id))",
    "CREATE INDEX IF NOT EXISTS heavy_requests_of_account ON heavy_requests (account, id)",
)


def check_not_emptied(path: Path) -> None:
    """Raise sqlite3.DatabaseError for an SQLite file of zero bytes that had more before: it is no fresh start.

    A file beside it tells that it had. A process that was killed while it made the database leaves none. A file that
    is missing is made, for its user alone: what is kept in it concerns people.
    """
    had_more = path.with_name(f"{path.name}.made")

    def is_emptied() -> bool:
        return had_more.exists() and path.exists() and not path.stat().st_size

    if is_emptied() and is_emptied():  # once may be the moment in which another process begins it anew
        raise sqlite3.DatabaseError("it is empty, and was not before")
    size = path.stat().st_size if path.exists() else None
    if size and not had_more.exists():
        with suppress(OSError):
            had_more.touch(0o600)
    if size is None:
        had_more.unlink(missing_ok=True)
        path.touch(0o600)  # SQLite would make it readable by everybody


def file_remedy(error: Exception) -> str:
    """What to do when an SQLite file cannot be used."""
    if "was not before" in str(error):
        return "Bring back a copy of it; or remove it, to begin anew without what was remembered."
    if re.search("not a database|malformed", str(error)):
        return "Check DATABASE_URL. If it is right, move the file away: it is made anew, without what was remembered."
    return "Check DATABASE_URL, who may write in its folder, and the free space."


def account_id(key: str) -> str:
    """A name for the account that does not give its key away: the start of a hash, 16 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


class Throttle:
    """Lets heavy requests through no faster than Binotel's quota allows, over all that share the ledger.

    The quota belongs to the key (the vendor's README): 5 heavy requests a minute are free, every further one must come
    its method's gap after the one before. Not documented, so read in the way that satisfies every reading: one count
    for all heavy methods, a sliding minute, and the gap counted from the previous heavy request of any method.

    account:    the API key; only a hash of it is stored
    time_scale: shrinks the quota's times for tests against the sandbox (its option --time-scale)

    The attribute `granted` says how many heavy requests it has let through.
    """

    def __init__(
        self, ledger: Ledger, account: str, *, time_scale: float = 1, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ledger, self._account = ledger, account_id(account)
        self._time_scale, self._sleep = time_scale, sleep
        self.granted = 0

    def acquire(self, method: str) -> None:
        """Wait until a request of `method` may start; a light one never waits. Raises what the ledger raises."""
        if not (gap := METHODS[method].gap):
            return
        wait_seconds, give_back = self._ledger.reserve(self._account, functools.partial(self._start, gap))
        self.granted += 1
        if wait_seconds <= 0:
            return
        quota_log.info("Waiting %.1f s for Binotel's quota", wait_seconds)
        try:
            self._sleep(wait_seconds)
        except BaseException:
            self.granted -= 1
            give_back()  # interrupted: the request will not be made, so nobody needs to keep clear of it
            raise

    def _start(self, gap: int, newest_first: Sequence[tuple[float, float]], now: float) -> float:
        """The first moment that the quota allows: max(now, last, min(last + gap, fifth last + a minute))."""
        # A reservation made in the future means that the clock was set back since: when its request really started
        # is unknown, so it counts as starting just now.
        starts = [start if reserved <= now else min(start, now) for reserved, start in newest_first]
        start = max([now, *starts[:1]])
        if len(starts) < QUOTA_FREE_REQUESTS:
            return start
        gap_over = starts[0] + (gap + QUOTA_GAP_MARGIN_SECONDS) * self._time_scale
        window_over = starts[-1] + (QUOTA_WINDOW_SECONDS + QUOTA_WINDOW_MARGIN_SECONDS) * self._time_scale
        return max(start, min(gap_over, window_over))


# --- The client --------------------------------------------------------------

CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 15, 90  # heavy answers are long in the making
RINGS_SECONDS, RINGS_MARGIN_SECONDS = 30, 30  # how long a line rings by default (the vendor's README)
RETRY_PAUSES_SECONDS = (2, 4, 8, 16, 32)
ANSWER_SECONDS = 300  # for an answer with all its tries
MAX_ANSWER_BYTES = 256 << 20
PIECE_BYTES = 64 << 10
CLOCKS_APART_SECONDS, CLOCKS_APART_MOST_SECONDS = 600, 86400
CONNECTIONS_KEPT = 100  # for as many threads that call at once


class BinotelClient:
    """Calls methods of the API, also from several threads: signs, waits for the quota, retries, checks what comes back.

    key, secret:    from Binotel (support@binotel.ua), which must also know the address the requests come from
    throttle:       the quota's keeper, made for the same key
    base_url:       https:// anywhere, or http:// to this machine itself (the sandbox); ValueError otherwise
    verify_answers: refuse successful answers that are not signed with our secret; API 4.0 signs none
    pauses:         seconds before each further try of what failed for now, RETRY_PAUSES_SECONDS unless others are given

    The attribute `clock_ahead_seconds` says how far this computer's clock is ahead of the server's, as of its last
    answer.
    """

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        throttle: Throttle,
        base_url: str = API_URL,
        verify_answers: bool = True,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
        pauses: Sequence[float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key, self._secret, self._verify_answers = key, secret, verify_answers
        self._base_url = check_base_url(base_url)
        self.is_4 = is_version_4(self._base_url)
        self._throttle, self._timeout, self._pauses, self._sleep = throttle, timeout, pauses, sleep
        self._is_clock_told = False
        self.clock_ahead_seconds = 0.0
        self._session = requests.Session()
        headers = {**self._session.headers, "Content-Type": "application/json"}
        self._prepared = functools.cache(lambda url: requests.Request("POST", url, headers).prepare())
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS_KEPT))
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS_KEPT))
        # A proxy from the environment cannot reach this machine's own addresses.
        self._session.trust_env = self._base_url.startswith("https:")
        self._options = self._session.merge_environment_settings(self._base_url, {}, True, None, None)

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call `method` ("stats/call-details") and return the server's whole answer, checked.

        params: under the names in METHODS, API 2.0's; or, with an address of API 4.0, under that one's; times are Unix
                seconds

        A read is tried up to 6 times, in ANSWER_SECONDS at the most, when the network, the server (5xx, 105) or the
        quota (106) fails it; what writes or dials only if it surely was not carried out. Raises ApiError,
        TransportError, SignatureError or ClockError; ValueError for an unknown method or a value that cannot be sent.
        """
        if method not in METHODS:
            raise ValueError(f"Binotel's API has no method {method!r}.")
        body, timeout = self._body(METHODS[method], params or {}), self._timeout
        seconds_left = float(ANSWER_SECONDS)
        pauses = iter(RETRY_PAUSES_SECONDS if self._pauses is None else self._pauses)
        if method == DIAL_METHOD:  # answered when the line has picked up
            rings = str((params or {}).get("callTimeToExt") or RINGS_SECONDS)
            rings_seconds = int(rings) if re.fullmatch("[0-9]{1,4}", rings) else RINGS_SECONDS
            timeout = timeout[0], rings_seconds + RINGS_MARGIN_SECONDS
            seconds_left = max(seconds_left, sum(timeout))
        told, tries = "", 0
        while True:
            tries += 1
            self._throttle.acquire(method)  # the wait for the quota has no part in it
            began = time.monotonic()
            try:
                answer = self._call_once(method, body, seconds_left, timeout)
            except BinotelError as error:
                pause_seconds = next(pauses, math.inf)
                seconds_left -= time.monotonic() - began + pause_seconds
                retry = error.retry_writes if METHODS[method].writes else error.retry_reads
                if not retry or seconds_left <= 0:
                    raise
                if str(error) != told:  # one line for each cause, however often it is met
                    told = str(error)
                    log.info("%s Trying again", told)
            else:
                if told:
                    log.info("%s was answered at try %d", method, tries)
                return answer
            self._sleep(pause_seconds)

    def _body(self, method: Method, params: Mapping[str, Any]) -> bytes:
        if not self.is_4:
            if method.only_4:
                remedy = f"With a key of API 4.0, set BINOTEL_API_URL={API_4_URL}."
                raise BinotelError(f"API 2.0 has no method {method.name}.", remedy)
            return signed_body(params, self._key, self._secret)
        named = method.params_in_4(params)
        if {"key", "secret"} & named.keys():
            raise ValueError("'key' and 'secret' are added to every request: leave them out of the parameters.")
        return json.dumps(named | {"key": self._key, "secret": self._secret}, allow_nan=False).encode()

    def calls_per_day(self, moment: datetime | int) -> list[Any]:
        """All calls, both ways, of the account's calendar day that holds `moment`, as the server's own entries.

        moment: Unix seconds or an aware datetime. Raises what call() raises.
        """
        seconds = int(moment.timestamp()) if isinstance(moment, datetime) else moment
        return self.entries(DAY_METHOD, {"dayInTimestamp": seconds})

    def record_url(self, call_id: str) -> str:
        """A link to a call's recording, good for 15 minutes (the vendor's README); "" when there is none, or none yet.

        call_id: its callID; with API 4.0 the call's generalCallID

        Assumed: without a recording the server answers with code 104 or an empty link. Raises what call() raises.
        """
        try:
            url = self.call(RECORD_METHOD, {"callID": call_id})["url"]
            return str((url.get("url") if isinstance(url, dict) else url) or "")
        except ApiError as error:
            if error.code == _WRONG_DATA:
                return ""
            raise

    def entries(self, method: str, params: Mapping[str, Any]) -> list[Any]:
        """The entries in the answer of a method whose answer is a list of them, as they were sent: usually objects.

        Raises what call() raises.
        """
        content = self.call(method, params)[METHODS[method].answer]
        # The server keys them by id, or sends a list: always when there are none.
        if isinstance(content, (dict, list)):
            return list(content.values()) if isinstance(content, dict) else content
        problem = f"Binotel's answer to {method} is no list of entries: {_start(repr(content).encode())}."
        raise TransportError(problem, _CHANGED)

    def _call_once(self, method: str, body: bytes, seconds: float, timeout: tuple[float, float]) -> dict[str, Any]:
        wire = (METHODS[method].in_4 if self.is_4 else None) or METHODS[method]
        content = self._post(wire, body, seconds, timeout)
        if self.is_4 and self._secret:  # what a proxy shows of a request, which an error would show cut off
            content = content.replace(json.dumps(self._secret)[1:-1].encode(), b"***")
        try:
            answer: Any = decode_answer(content, self._secret if self._verify_answers and not self.is_4 else None)
        except (ValueError, RecursionError):
            problem, remedy = "not whole JSON", "It was cut off or is not Binotel's: try again later, and check"
            if content.lstrip().startswith(b"<"):
                problem, remedy = "a web page", "A proxy or a firewall may stand in between: check it, and"
            problem = f"The answer to {method} is {problem}: {_start(content)}."
            raise TransportError(problem, f"{remedy} BINOTEL_API_URL.", retry=True) from None
        status = answer.get("status") if isinstance(answer, dict) else None
        if status == "error":
            code = re.fullmatch(r"([0-9]{1,6})(\.0)?", str(answer.get("code")))
            number = int(code[1]) if code else 0
            other = f"API {'2.0' if self.is_4 else '4.0'}, set BINOTEL_API_URL={API_URL if self.is_4 else API_4_URL}."
            hint = f"If the key is one of {other}" if number in (_MISSING_DATA, _WRONG_KEY) else ""
            raise ApiError(wire.name, number, str(answer.get("message") or "no message"), hint)
        if status != "success":
            problem = f"The answer to {method} is not of the API's shape: {_start(content)}."
            raise TransportError(problem, "Check BINOTEL_API_URL.", retry=True)
        if (key := wire.answer) and key not in answer and self.is_4 and "listOfEmployees" in answer:
            answer[key] = answer["listOfEmployees"]  # as voice files have been seen
        if key and key not in answer:
            raise TransportError(f"Binotel's answer to {method} has no {key!r}.", _CHANGED)
        return dict(answer)

    def _post(self, asked: Method, body: bytes, seconds: float, timeout: tuple[float, float]) -> bytes:
        method, url = asked.name, f"{self._base_url}/{asked.name}.json"
        host = urlsplit(url).netloc
        try:
            # As session.post() does it, but for what is the same each time, cookies and passwords from ~/.netrc.
            request = self._prepared(url).copy()
            request.prepare_body(body, None)
            response, content = within(seconds, lambda: self._send(request, timeout))
        except TookTooLongError:
            problem = f"{host} did not answer {method} within {ANSWER_SECONDS} s, all tries together."
            raise TransportError(problem, _remedy(asked, "Try again later.")) from None
        except (OSError, urllib3.exceptions.LocationValueError, UnicodeError) as error:  # requests' own are OSErrors
            raise _connection_error(error, url, asked, timeout) from error
        if response.status_code == 200:
            if len(content) > MAX_ANSWER_BYTES:
                problem = f"The answer to {method} has more than {MAX_ANSWER_BYTES >> 20} MB."
                raise TransportError(problem, "Ask for less, or check BINOTEL_API_URL.")
            self._compare_clocks(response.headers.get("Date", ""), host, asked.writes)
            return content
        status = one_line(f"{response.status_code} {response.reason or ''}")
        problem = f"{host} answered {method} with HTTP {status}."
        if response.status_code in (401, 403):
            raise TransportError(problem, _register(url))
        if response.status_code == 429 or response.status_code >= 500:
            raise TransportError(problem, "The server is in trouble: try again later.", retry=True)
        raise TransportError(problem, "Check BINOTEL_API_URL.")

    def _send(self, request: requests.PreparedRequest, timeout: tuple[float, float]) -> tuple[requests.Response, bytes]:
        """The response, and its content: when that is too large, no more of it than shows that."""
        pieces: list[bytes] = []
        with self._session.send(request, timeout=timeout, allow_redirects=False, **self._options) as response:
            size = 0
            for piece in response.iter_content(PIECE_BYTES):  # of what is compressed, as little is opened at a time
                pieces.append(piece)
                size += len(piece)
                if size > MAX_ANSWER_BYTES:
                    break
        return response, b"".join(pieces)

    def _compare_clocks(self, date: str, host: str, writes: bool) -> None:
        """Warn when the server's clock and this computer's are far apart. Raises ClockError where nothing was done."""
        ours, theirs = datetime.now(UTC), None
        with suppress(ValueError):
            theirs = parsedate_to_datetime(date).replace(tzinfo=UTC)  # HTTP knows no other zone
        self.clock_ahead_seconds = (ours - theirs).total_seconds() if theirs else 0
        seconds = abs(self.clock_ahead_seconds)
        if seconds < CLOCKS_APART_SECONDS:
            return
        problem = f"This computer's clock says {ours:%Y-%m-%d %H:%M} UTC, that of {host} {theirs:%Y-%m-%d %H:%M}."
        if seconds > CLOCKS_APART_MOST_SECONDS and not writes:
            raise ClockError(problem, "Nothing was done: set this computer's clock, and run this again.")
        if not self._is_clock_told:
            log.warning("%s Set this computer's clock.", problem)
        self._is_clock_told = True


def check_base_url(url: str) -> str:
    """`url` without a slash at its end. Raises ValueError unless it is https://, or http:// to this machine itself."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", url):
        raise ValueError(f"{url!r} must begin with https:// and be a plain address (http:// is for the sandbox alone).")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.port == 0 or not all(0 < len(label) < 64 for label in host.split(".")):
        raise ValueError(f"{url!r} has no valid host or port.")
    if parts.scheme != "https" and not is_loopback(host):
        raise ValueError(f"{url!r} must begin with https:// (http:// is for the sandbox on this machine alone).")
    return url.rstrip("/")


def within(seconds: float, do: Callable[[], _T]) -> _T:
    """What `do` gives or raises; TookTooLongError when it takes longer. Then nobody waits for it any more.

    Timeouts of sockets begin anew with each byte that comes: only a thread that is left alone ends a wait for sure.
    """
    outcome: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put((do(), None))
        except BaseException as error:
            outcome.put((None, error))

    try:
        worker = _idle_workers.pop()  # beginning a thread takes longer than many an answer
    except IndexError:
        worker = queue.SimpleQueue()
        threading.Thread(target=_work_on, args=(worker,), daemon=True).start()
    worker.put(work)
    try:
        result, error = outcome.get(timeout=max(0, seconds))
    except queue.Empty:
        raise TookTooLongError(errno.ETIMEDOUT, f"It took longer than {seconds:g} s") from None
    if error:
        raise error
    return cast(_T, result)


_idle_workers: list[queue.SimpleQueue[Callable[[], None]]] = []


def _work_on(todo: queue.SimpleQueue[Callable[[], None]]) -> None:
    while True:
        todo.get()()
        _idle_workers.append(todo)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle_workers.clear)  # threads do not come along


def is_version_4(base_url: str) -> bool:
    """Whether an address is that of API 4.0, not of 2.0."""
    return base_url.rstrip("/").endswith("/4.0")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is surely this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def one_line(text: str, max_length: int = 200) -> str:
    """A foreign text fit for a message: one line, printable, not endless."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 5 * max_length])
    return " ".join(printable.split())[:max_length]


def _start(content: bytes) -> str:
    return repr(one_line(content[:80].decode(errors="replace")))


def _register(url: str) -> str:
    is_sandbox = is_loopback(urlsplit(url).hostname or "")
    remedy = f"Has Binotel registered this server's IP address? {ASK_BINOTEL}"
    return "Is scripts/sandbox.py running, and on this port?" if is_sandbox else remedy


def _connection_error(error: Exception, url: str, asked: Method, timeout: tuple[float, float]) -> TransportError:
    """What a connection that failed means; whether the request can have reached the server decides on repeating it."""
    known, chain, method = requests.exceptions, repr(error), asked.name
    host, cause, register = urlsplit(url).netloc, _root_cause(error), _register(url)
    if isinstance(error, known.SSLError):
        return TransportError(f"No secure connection to {host}: {cause}.", _CERTIFICATES)
    if isinstance(error, known.ProxyError):
        return TransportError(f"The proxy to {host} failed: {cause}.", "Check HTTPS_PROXY.", retry=True)
    if isinstance(error, known.ConnectTimeout):
        problem = f"{host} did not accept a connection within {timeout[0]:g} s."
        return TransportError(problem, f"Check the network and the firewall. {register}", retry=True, reached=False)
    if isinstance(error, known.ReadTimeout):
        problem = f"{host} did not answer {method} within {timeout[1]:g} s."
        return TransportError(problem, _remedy(asked, "Try again later."), retry=True)
    if isinstance(error, (known.InvalidURL, known.InvalidSchema, urllib3.exceptions.LocationValueError, UnicodeError)):
        return TransportError(f"{url} cannot be asked: {cause}.", "Check BINOTEL_API_URL and HTTPS_PROXY.")
    if not isinstance(error, known.RequestException):
        return TransportError(f"{host} cannot be asked: {one_line(str(error))}.", "Check REQUESTS_CA_BUNDLE, if set.")
    if "NameResolutionError" in chain:
        remedy = "Check the internet connection, DNS and BINOTEL_API_URL."
        return TransportError(f"The name {host} cannot be resolved.", remedy, retry=True, reached=False)
    if "NewConnectionError" in chain:
        reason = cause.rpartition(": ")[2]
        problem = "refused the connection" if "refused" in reason.lower() else f"cannot be reached: {reason}"
        remedy = f"Check BINOTEL_API_URL, the network and the firewall. {register}"
        return TransportError(f"{host} {problem}.", remedy, retry=True, reached=False)
    problem = f"The connection to {host} broke off during {method}: {cause}."
    return TransportError(problem, _remedy(asked, "Check the network; try again later."), retry=True)


def _remedy(asked: Method, remedy: str) -> str:
    """What to do when nobody knows whether a request was carried out: a read may be repeated."""
    if not asked.writes:
        return remedy
    what = (
        "The phone may ring, or have rung" if asked.name.startswith("calls/") else "It may have been done all the same"
    )
    return f"{what}: look before you do it again."


def _root_cause(error: BaseException) -> str:
    """The innermost reason in requests' and urllib3's nested errors, in a few words."""
    while error.args and isinstance(inner := getattr(error.args[0], "reason", error.args[-1]), BaseException):
        error = inner
    text = error.args[-1] if error.args and isinstance(error.args[-1], str) else str(error)
    return one_line(text).rstrip(".")
