"""Binotel's REST API 2.0 from Python: signed, within the quota, with answers that are checked.

    from datetime import datetime
    from zoneinfo import ZoneInfo
    from binotel_core import BinotelClient, Throttle

    client = BinotelClient("key", "secret", throttle=Throttle("sqlite:///binotel.db", "key"))

    client.call("stats/call-details", {"generalCallID": ["2255713", "2256039"]})["callDetails"]
    client.call("customers/create", {"name": "Olena", "numbers": ["0671234567"]})["customerID"]
    client.call("calls/ext-to-phone", {"ext_number": "902", "phone_number": "0443334023"})["generalCallID"]
    client.call("calls/hangup-call", {"generalCallID": "22661891"})
    client.call("settings/list-of-employees")["listOfEmployees"]

    for call in client.calls_per_day(datetime(2024, 5, 1, tzinfo=ZoneInfo("Europe/Kyiv"))):
        print(call["externalNumber"], call["disposition"])

`client.calls_for_period` gives the calls of any period, complete; `client.record_url` a link to a call's recording.
`client.call` reaches every method in `METHODS`, with parameters under the server's own names, and returns its whole
answer. What goes wrong raises a `BinotelError`, whose text says what happened and what to do about it:

    ApiError        the server understood the request and refused it (`code`, `message`, `hint`)
    TransportError  no usable answer came: the network, a proxy, a server in trouble
    SignatureError  an answer came that is not signed with our secret
    IncompleteError the calls of a single second are more than an answer can hold

Facts about the server come from the vendor's README of the PHP SDK for API 2.0 ("the vendor's README" below).
"""

import bisect
import functools
import hashlib
import importlib
import ipaddress
import itertools
import json
import logging
import math
import re
import socket
import sqlite3
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import sqlalchemy
import urllib3
from sqlalchemy.schema import CreateIndex, CreateTable

API_URL = "https://api.binotel.com/api/2.0"

_T = TypeVar("_T")

log = logging.getLogger("binotel")
quota_log = logging.getLogger("binotel.quota")  # by itself, for those who show the waiting in another way


# --- Errors ------------------------------------------------------------------


class BinotelError(Exception):
    """Whatever went wrong between us and Binotel: `str()` is what happened followed by what to do.

    `hint` is the remedy alone, a sentence. `retry_reads` and `retry_writes` tell whether the same request may be sent
    again: a request that writes or dials only when it surely was not carried out.
    """

    retry_reads = False
    retry_writes = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint


class ApiError(BinotelError):
    """The server refused the request: `method`, its `code` (0 where it gave none) and `message`, and our `hint`."""

    def __init__(self, method: str, code: int, message: str) -> None:
        message = one_line(message)
        super().__init__(f"Binotel refused {method} with code {code}: {message.rstrip('.')}.", _HINTS.get(code, ""))
        self.method = method
        self.code = code
        self.message = message
        self.retry_reads = code in (_CODE_SERVER_FAULT, _CODE_TOO_FREQUENT)
        self.retry_writes = code == _CODE_TOO_FREQUENT


class TransportError(BinotelError):
    """No usable answer: the server was not reached, broke off, or sent something that is not an answer of the API."""

    def __init__(self, message: str, hint: str, *, retry: bool = False, reached: bool = True) -> None:
        super().__init__(message, hint)
        self.retry_reads = retry
        self.retry_writes = retry and not reached


class IncompleteError(BinotelError):
    """The calls of a single second are as many as an answer can hold, so some of them cannot be had."""

    def __init__(self, method: str, second: int) -> None:
        moment = datetime.fromtimestamp(second, UTC)
        super().__init__(
            f"{method} cannot show all calls of one second, {moment:%Y-%m-%d %H:%M:%S} UTC ({second}).", _ASK_BINOTEL
        )
        self.second = second


class SignatureError(BinotelError):
    """A successful answer whose signature is missing or does not match its content and our secret."""


_CODE_WRONG_DATA = 104
_CODE_SERVER_FAULT = 105
_CODE_TOO_FREQUENT = 106

_ASK_BINOTEL = "Write to support@binotel.ua."

# What a user can do about each code that the API documents.
_HINTS = {
    102: "Check the method's name.",
    103: "Pass every required parameter.",
    _CODE_WRONG_DATA: "Check the parameters' values.",
    _CODE_SERVER_FAULT: "The fault is on Binotel's side: try again later.",
    _CODE_TOO_FREQUENT: (
        "Something else uses the same key: let everything that uses it share one DATABASE_URL, or wait a minute."
    ),
    120: "Binotel has disabled the company's account. " + _ASK_BINOTEL,
    121: "Check BINOTEL_KEY and BINOTEL_SECRET: copy both again, without spaces, from Binotel's letter.",
    150: "The internal line did not answer or is offline: check that its phone is switched on and registered.",
    151: "The outside number could not be reached: check it.",
}


# --- The methods -------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """What the API says of one method (the vendor's README).

    gap:       seconds that a heavy request must come after the one before it, once the minute's free ones are spent;
               0 for a light method, which has no limit
    cap:       most entries an answer can hold: one that holds as many may be cut off; None where no cap is stated
    required:  names of the parameters without which the server answers 103
    optional:  names of the others that it knows
    answer:    the key under which a successful answer carries its content; "" where it has none
    writes:    changes data or dials: must never be sent twice
    max_days:  longest period that may be asked for, in days; None where no limit is stated
    meaning:   what it does, in a line
    """

    name: str
    gap: int = 0
    cap: int | None = None
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    answer: str = ""
    writes: bool = False
    max_days: int | None = None
    meaning: str = ""


def _stats(name: str, gap: int, required: str, meaning: str, **more: Any) -> Method:
    return Method(f"stats/{name}", gap, required=tuple(required.split()), answer="callDetails", meaning=meaning, **more)


def _read(name: str, gap: int, required: str, answer: str, meaning: str) -> Method:
    return Method(name, gap, required=tuple(required.split()), answer=answer, meaning=meaning)


def _write(name: str, required: str, meaning: str, optional: str = "", answer: str = "") -> Method:
    needed, other = tuple(required.split()), tuple(optional.split())
    return Method(name, required=needed, optional=other, answer=answer, writes=True, meaning=meaning)


_PERIOD = "startTime stopTime"
_CUSTOMER = "description email assignedToEmployeeNumber labels"
_EXT_TO_PHONE = "callTimeToExt limitCallTime playbackWaiting trunkNumber callerIdForEmployee async"
_LINE = "list-of-calls-by-internal-number-for-period"

# The 29 methods of the vendor's README, and three that only its later samples use.
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        _stats("incoming-calls-for-period", 10, _PERIOD, "incoming calls of a period", cap=2000),
        _stats("outgoing-calls-for-period", 10, _PERIOD, "outgoing calls of a period", cap=2000),
        _stats("all-incoming-calls-since", 10, "timestamp", "incoming calls from a time until now", cap=1000),
        _stats("all-outgoing-calls-since", 10, "timestamp", "outgoing calls from a time until now", cap=1000),
        _stats(_LINE, 10, f"internalNumber {_PERIOD}", "calls of one line in a period", cap=2000, max_days=7),
        _stats("list-of-calls-per-day", 5, "", "all calls of a day (today)", optional=("dayInTimestamp",)),
        _stats("list-of-lost-calls-for-today", 10, "", "today's lost calls"),
        _stats("online-calls", 5, "", "calls that are going on"),
        _stats("history-by-number", 5, "number", "calls with a number, or with several"),
        _stats("history-by-customer-id", 5, "customerID", "calls with a customer, or with several"),
        _stats(
            "recent-calls-by-internal-number", 5, "internalNumber", "a line's last calls, at most 2 weeks old", cap=50
        ),
        _stats("call-details", 5, "generalCallID", "a call, or several, by their ids"),
        _read("stats/call-record", 0, "callID", "url", "a link to a call's recording, good for 15 minutes"),
        _read("customers/list", 10, "", "customerData", 'all customers of "My clients"'),
        _read("customers/take-by-id", 0, "customerID", "customerData", "a customer, or several, by their ids"),
        _read("customers/take-by-label", 10, "labelID", "customerData", "the customers with a label"),
        _read("customers/search", 0, "subject", "customerData", "customers by a part of the name or a number"),
        _write("customers/create", "name numbers", "makes a customer", _CUSTOMER, "customerID"),
        _write("customers/update", "id", "changes what is passed of a customer", f"name numbers {_CUSTOMER}"),
        _write("customers/delete", "customerID", "deletes a customer, or several"),
        _read("customers/listOfLabels", 5, "", "listOfLabels", "the labels of customers"),
        _write(
            "calls/ext-to-phone",
            "ext_number phone_number",
            "calls a line, then joins it with a number",
            _EXT_TO_PHONE,
            "generalCallID",
        ),
        _write(
            "calls/phone-to-phone",
            "phoneNumber1 phoneNumber2 trunkNumber",
            "calls a number, then joins it with another",
            "limitCallTime playbackWaiting",
            "generalCallID",
        ),
        _write("calls/attended-call-transfer", "generalCallID phone_number", "transfers a call that is going on"),
        _write("calls/hangup-call", "generalCallID", "ends a call"),
        _write("calls/call-with-announcement", "phone_number voiceFileID", "calls a number and plays a voice file"),
        _read("settings/list-of-employees", 5, "", "listOfEmployees", "employees and their lines"),
        _read("settings/list-of-routes", 0, "", "listOfRoutes", "what happens to incoming calls"),
        _read("settings/list-of-voice-files", 0, "", "listOfVoiceFiles", "the voice files"),
        # Nobody documents the limits of these two: the strictest of their kind are assumed.
        _stats("calltracking-calls-for-period", 10, _PERIOD, "calls with marketing data in a period", cap=2000),
        _stats("list-of-calls-for-period", 10, _PERIOD, "all calls of a period", cap=2000, max_days=1),
        _write("calls/call-with-interactive-voice-response", "phone_number ivrName", "calls a number and plays a menu"),
    )
}


# --- Signing -----------------------------------------------------------------

PHP_MAX_DEPTH = 512  # json_encode() refuses arrays nested deeper than this

_scan = json.JSONDecoder().raw_decode
_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

# json.dumps escapes what PHP does not (U+007F), and lets through what PHP refuses (half a surrogate pair).
_DELETE = re.compile(r"\\u007f")
_SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\ud[89a-f][0-9a-f]{2}")

_NUMERIC_KEY = re.compile(r"[ \t\n\r\v\f]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\r\v\f]*")
_PLAIN_TYPES = frozenset((str, bool, type(None)))
_KEY_TYPES = frozenset((str,))
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


def php_json(value: Any) -> str:
    """`value` as PHP's json_encode() writes it after json_decode() to arrays, byte for byte, in ASCII and U+007F.

    Takes what JSON has: dict with str keys, list or tuple, str, int, float, bool, None. Unlike Python, PHP escapes
    slashes, writes an empty object as `[]` and an object whose keys are 0, 1, 2 ... as a list, has its own form for
    floats, and turns integers past 64 bits into floats. Checked against php-cli in tests/test_php_json.py.

    Raises ValueError for what PHP cannot encode: NaN and infinity, half a surrogate pair, nesting deeper than
    PHP_MAX_DEPTH, other types.
    """
    text = _encode(value, 1)
    if "\\u007f" in text:
        text = _DELETE.sub(lambda match: match[0] if _is_literal(match) else "\x7f", text)
    if "\\ud" in text:
        for match in _SURROGATES.finditer(text):
            # A pair is whole; a half is none, and a pair whose first half is only text leaves its second half alone.
            if (len(match[0]) == len(r"\ud83d\ude00")) == _is_literal(match):
                raise ValueError("PHP cannot encode half a surrogate pair: the text is not valid Unicode.")
    return text.replace("/", "\\/")


def _encode(value: Any, depth: int) -> str:
    """`value` in PHP's form but for the escapes of characters: what Python writes the same way, json does at once."""
    if _is_plain(value, depth):
        return _dumps(value)
    if isinstance(value, float):
        return _php_float(value)
    if isinstance(value, int):
        return _php_float(_float_of(value))
    parts = []
    if isinstance(value, dict) and not _is_php_list(value):
        # No comprehensions here: their frames would halve the depth that Python allows.
        for key, item in value.items():
            parts.append(f"{_dumps(key)}:{_encode(item, depth + 1)}")
        return "{" + ",".join(parts) + "}"
    for item in value.values() if isinstance(value, dict) else value:
        parts.append(_encode(item, depth + 1))  # noqa: PERF401
    return "[" + ",".join(parts) + "]"


def _is_plain(value: Any, depth: int) -> bool:
    """Whether json.dumps writes all of `value` the way PHP does. Raises ValueError for what neither can write.

    Answers of 50,000 values come through here: sets of types are much faster than a look at each value.
    """
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return True
    if kind is int:
        return _INT64_MIN <= value <= _INT64_MAX  # type: ignore[no-any-return]
    if kind is float:
        return False
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


def _is_php_list(value: dict[str, Any]) -> bool:
    """Whether PHP sees a list in these names: none, or 0, 1, 2 ... in this order."""
    return all(key == str(index) for index, key in enumerate(value))


def _float_of(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("PHP cannot encode an integer of this size: it becomes infinity.") from None


def _php_float(value: float) -> str:
    """A float as PHP writes it with serialize_precision = -1: Python's shortest digits, laid out in PHP's way."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("PHP cannot encode NaN or infinity.")
    mantissa, _, exponent = float.__repr__(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.DIGITS times ten to the power of `point`.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return f"{sign}0"
    if -4 < point <= 17:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        tail = digits[point:]
        return f"{sign}{digits[:point].ljust(point, '0')}{'.' if tail else ''}{tail}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}e{point - 1:+d}"


def _is_literal(match: re.Match[str]) -> bool:
    """Whether what looks like an escape follows an escaped backslash, so that it is text."""
    start = match.start()
    while start and match.string[start - 1] == "\\":
        start -= 1
    return (match.start() - start) % 2 == 1


def _ksort(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in the order of PHP 8's ksort()."""
    # Names that begin with a letter or an underscore, as all of the API's do, sort by their bytes.
    if all(key[:1] > "9" for key in params):
        return {key: params[key] for key in sorted(params)}
    ordered = sorted(params, key=functools.cmp_to_key(_compare_keys))
    for index, key in enumerate(ordered):
        if any(_compare_keys(key, later) > 0 for later in ordered[index + 1 :]):
            raise ValueError("PHP gives these names no definite order: numbers among names that begin with a digit.")
    return {key: params[key] for key in ordered}


def _compare_keys(one: str, other: str) -> int:
    """How PHP 8.2 orders two names: numbers by value, everything else by its bytes."""
    if not (_NUMERIC_KEY.fullmatch(one) and _NUMERIC_KEY.fullmatch(other)):
        return (one > other) - (one < other)
    try:
        first: float = int(one)
        second: float = int(other)
    except ValueError:
        first, second = float(one), float(other)
    if max(abs(first), abs(second)) >= 2**63:
        first, second = float(one), float(other)
    return (first > second) - (first < second)


def sign(params: Mapping[str, Any], secret: str) -> str:
    """The signature of a request or an answer: md5 of the secret and the sorted parameters, in lower-case hex.

    `params` is without `signature` and `key`. Source: the vendor's README, which publishes a vector. Raises
    ValueError for a value that PHP cannot encode.
    """
    return _md5(secret + php_json(_ksort(params)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def signed_body(params: Mapping[str, Any], key: str, secret: str) -> bytes:
    """The body of a request: the sorted parameters, then `signature`, then `key`, as JSON (the vendor's README).

    Raises ValueError for a value that PHP cannot encode, or a parameter named `signature` or `key`.
    """
    if "signature" in params or "key" in params:
        raise ValueError("'signature' and 'key' are added to every request: leave them out of the parameters.")
    return php_json(_ksort(params) | {"signature": sign(params, secret), "key": key}).encode()


def verify(answer: Mapping[str, Any], secret: str) -> None:
    """Raise SignatureError unless `answer`, a decoded successful answer, carries the signature of its content.

    The server signs its answers as it wants requests signed, over everything but `signature` itself.
    """
    try:
        expected = sign({name: value for name, value in answer.items() if name != "signature"}, secret)
    except ValueError as error:
        raise SignatureError(f"The signature of Binotel's answer cannot be computed: {error}", _ASK_BINOTEL) from None
    if "signature" not in answer:
        problem = "Binotel's answer has no signature."
    elif answer["signature"] != expected:
        problem = "The signature of Binotel's answer does not match its content."
    else:
        return
    raise SignatureError(
        problem,
        "Something between here and Binotel changes answers, or this is not Binotel: check BINOTEL_API_URL and any "
        "proxy. If all is well there, BINOTEL_VERIFY_ANSWERS=no accepts answers unchecked.",
    )


def decode_answer(body: bytes, secret: str | None) -> Any:
    """The JSON in the body of an answer; one with `"status": "success"` is verified, unless `secret` is None.

    Raises ValueError when the body is not JSON, SignatureError as verify() does.

    The server is PHP, so the text it sent is nearly always the text it signed, but for the order of the top level.
    When that text's signature is right there is no need to write all of it anew, which would take twice the time of
    reading it.
    """
    text = body.decode("utf-8-sig")
    try:
        answer, places = _split_top_level(text)
    except (ValueError, IndexError):
        answer, places = json.loads(text), {}
    if secret is None or not isinstance(answer, dict) or answer.get("status") != "success":
        return answer
    try:
        names = _ksort({name: None for name in answer if name != "signature"})
        signed = hashlib.md5(f"{secret}{{".encode(), usedforsecurity=False)
        for before, name in zip(itertools.chain([""], itertools.repeat(",")), names, strict=False):
            signed.update(f"{before}{php_json(name)}:".encode())
            first, last = places[name]
            # PHP's JSON is ASCII: a place in the text is one in the body, of which no copy is made.
            signed.update(memoryview(body)[first:last] if len(body) == len(text) else text[first:last].encode())
        signed.update(b"}")
        is_right = answer.get("signature") == signed.hexdigest()
    except (ValueError, KeyError):
        is_right = False
    if not is_right:
        verify(answer, secret)
    return answer


def _split_top_level(text: str) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """The members of the object that compact JSON holds, and from where to where each value stands in the text.

    Raises ValueError or IndexError for other texts.
    """
    values: dict[str, Any] = {}
    places: dict[str, tuple[int, int]] = {}
    if text[0] != "{":
        raise ValueError("not an object")
    end = 0
    while text[end] in "{,":
        name, colon = _scan(text, end + 1)
        if not isinstance(name, str) or text[colon] != ":":
            raise ValueError("not compact JSON")
        values[name], end = _scan(text, colon + 1)
        places[name] = (colon + 1, end)
    if text[end:] != "}":
        raise ValueError("not compact JSON")
    return values, places


# --- The quota ---------------------------------------------------------------

QUOTA_FREE_REQUESTS = 5  # heavy requests in a window that need no gap
QUOTA_WINDOW_SECONDS = 60
# The server counts from when requests arrive, and a first request arrives late by its TLS handshake.
QUOTA_GAP_MARGIN_SECONDS = 0.25
QUOTA_WINDOW_MARGIN_SECONDS = 1
PATIENCE_SECONDS = 60.0  # for a database that another process has for itself
HALTED_SECONDS = 30.0  # after that, a process that is in the middle of a server's transaction loses it
LEDGER_WINDOWS = 2  # how far back the ledger goes: more than is needed, since interrupted requests leave gaps in it


class Database:
    """Tables in the project's database, shared by processes, and with PostgreSQL by machines.

    url:     an SQLAlchemy URL: of an SQLite file, made when missing, or postgresql+psycopg://user:password@host/name
    account: the API key; a transaction has for itself what concerns the account (with SQLite, all of the database)
    part:    the name of the tables that `steps` make
    steps:   make and upgrade these tables, each once in the life of a database; a later version adds steps at the end
    clock:   Unix seconds; by default the server's clock, for machines may differ, and with SQLite this machine's
    patience_seconds: how long to wait for another process that has it, or for a server that is away
    keeps_connection: whether a connection to a server is kept for the next transaction, not made anew for each
    """

    def __init__(
        self,
        url: str,
        account: str,
        part: str,
        steps: Sequence[Callable[[sqlalchemy.Connection], object]],
        *,
        clock: Callable[[], float] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        keeps_connection: bool = False,
    ) -> None:
        self._engine = (_shared_engine if keeps_connection else database_engine)(url, patience_seconds)
        self._lock = int.from_bytes(hashlib.sha256(account.encode()).digest()[:8], signed=True)
        self._part = part
        self._steps = steps
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._is_ready = False
        self._is_server = is_server(url)

    def run(self, work: Callable[[sqlalchemy.Connection, float], _T], more_patience_seconds: float = 0) -> _T:
        """What `work` gives, called in one transaction with the connection and the time.

        A server that is away is waited for; then all of `work` is done again. Raises sqlalchemy.exc.SQLAlchemyError, or
        OSError when an SQLite file's folder cannot be made, or BinotelError when a newer version has made the tables.
        """

        def once() -> _T:
            try:
                with (
                    self._engine.connect() as connection,
                    given_up_after(self._patience_seconds + 2, connection.connection.driver_connection),
                    connection.begin(),
                ):
                    if self._is_server:
                        connection.execute(_LOCK, {"lock": self._lock})
                    if not self._is_ready:
                        self._prepare(connection)
                    result = work(connection, self._now(connection))
            except sqlalchemy.exc.DBAPIError:
                self._is_ready = False  # the file may have been removed meanwhile
                raise
            self._is_ready = True
            return result

        # An SQLite file that another process has is waited for by SQLite itself.
        patience_seconds = self._patience_seconds if self._is_server else 0
        return when_database_answers(once, patience_seconds + more_patience_seconds)

    def insert_or_update(self, table: sqlalchemy.Table) -> Any:
        """A statement that inserts rows; where there is one with that primary key already, it is updated."""
        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._engine.dialect.name}")  # the other one is slow
        statement = dialect.insert(table)
        values = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
        return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=values)

    def _now(self, connection: sqlalchemy.Connection) -> float:
        if self._clock:
            return self._clock()
        return float(connection.execute(_SERVER_CLOCK).scalar_one()) if self._is_server else time.time()

    def _prepare(self, connection: sqlalchemy.Connection) -> None:
        """Take the steps that this database lacks."""
        if self._steps_taken(connection) == len(self._steps):
            return
        if self._is_server:
            connection.execute(_LOCK, {"lock": 0})  # other accounts make the same tables
        connection.execute(CreateTable(_STEPS_TAKEN, if_not_exists=True))
        for step in self._steps[self._steps_taken(connection) :]:
            step(connection)
        row = {"part": self._part, "steps": len(self._steps)}
        connection.execute(self.insert_or_update(_STEPS_TAKEN), row)

    def _steps_taken(self, connection: sqlalchemy.Connection) -> int:
        if not sqlalchemy.inspect(connection).has_table(_STEPS_TAKEN.name):
            return 0
        mine = _STEPS_TAKEN.c.part == self._part
        taken = connection.execute(sqlalchemy.select(_STEPS_TAKEN.c.steps).where(mine)).scalar() or 0
        if taken > len(self._steps):
            raise BinotelError(
                "A newer version of these scripts has changed the database, and this one does not know it.",
                "Update the scripts on this computer, or use another DATABASE_URL.",
            )
        return taken


_STEPS_TAKEN = sqlalchemy.Table(
    "schema_steps",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("part", sqlalchemy.String(100), primary_key=True),
    sqlalchemy.Column("steps", sqlalchemy.Integer, nullable=False),
)
_LOCK = sqlalchemy.text("SELECT pg_advisory_xact_lock(:lock)")
_SERVER_CLOCK = sqlalchemy.text("SELECT extract(epoch FROM clock_timestamp())")
# What a server says of a DATABASE_URL that is wrong: waiting would not help.
_WRONG_URL = re.compile(
    "authentication failed|does not exist|pg_hba.conf|not known|permission denied|support SSL|certificate",
    re.IGNORECASE,
)


_BROKEN_FILE = re.compile("not a database|malformed")


def when_database_answers(work: Callable[[], _T], patience_seconds: float) -> _T:
    """What `work` gives; while it finds the database away or locked, it is called again, for so long at the most."""
    deadline, pause, is_told = time.monotonic() + patience_seconds, 0.5, patience_seconds < 10
    while True:
        try:
            return work()
        except sqlalchemy.exc.DBAPIError as error:
            # It is invalidated, too, when the server has ended it because this process was halted.
            is_away = isinstance(error, sqlalchemy.exc.OperationalError) or error.connection_invalidated
            if not is_away or time.monotonic() + pause > deadline or _WRONG_URL.search(str(error.orig)):
                raise
            if not is_told:
                log.info("Waiting for the database, for up to %.0f s: %s", patience_seconds, database_reason(error))
            is_told = True
            time.sleep(pause)
            pause = min(2 * pause, 10)


def database_reason(error: Exception) -> str:
    """Why a database cannot be used, without the statement and its parameters, and without a full stop."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, BinotelError):
        return str(error).rstrip(".")
    text = str(getattr(error, "orig", None) or error)
    first, _, rest = text.partition("\n")  # what follows there is advice that leads nowhere
    return one_line(f"{first} {rest}" if first.endswith(":") else first).rstrip(".")


def database_remedy(error: Exception) -> str:
    """What to do when a database cannot be used, where the reason does not say it."""
    if isinstance(error, BinotelError):
        return ""
    if type(getattr(error, "orig", None)).__module__.startswith("psycopg"):
        return "Check DATABASE_URL, the server, and the network to it."
    if _BROKEN_FILE.search(str(error)):
        return "Check DATABASE_URL. If it is right, move the file away: it is made anew, without what was remembered."
    return "Check DATABASE_URL, who may write in its folder, and the free space."


@contextmanager
def given_up_after(seconds: float, dbapi_connection: Any) -> Iterator[None]:
    """Cut a connection to a server that stops answering while its machine, or what is in between, keeps it open.

    Then sqlalchemy.exc.OperationalError is raised. Nothing else ends such a wait, not even a signal. A file of SQLite
    has no such trouble.

    dbapi_connection: the driver's own
    """
    if isinstance(dbapi_connection, sqlite3.Connection):
        yield
        return
    own = socket.fromfd(dbapi_connection.fileno(), -1, -1)  # a second handle, which nobody else can close

    def cut() -> None:
        with suppress(OSError):
            own.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        own.close()


def is_server(url: str) -> bool:
    """Whether a database's URL is that of a PostgreSQL server."""
    return sqlalchemy.make_url(url).get_backend_name() == "postgresql"


def database_engine(
    url: str, patience_seconds: float = PATIENCE_SECONDS, pool: type[sqlalchemy.Pool] = sqlalchemy.NullPool
) -> sqlalchemy.Engine:
    """A database as SQLAlchemy knows it. A connection is closed when it is given back, unless `pool` keeps it.

    patience_seconds: how long to wait for another process that has an SQLite file or a lock for itself
    """
    if is_server(url):
        return _server_engine(url, patience_seconds, pool)
    arguments = {"timeout": patience_seconds, "isolation_level": None}
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=arguments)

    def begin(connection: sqlalchemy.Connection) -> None:
        # Python's sqlite3 would begin a transaction that reads first and fails when it has to write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def connect(*_: object) -> None:
        if engine.url.database:
            # What is in it concerns customers, so it is made for its user alone.
            Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    sqlalchemy.event.listen(engine, "begin", begin)
    sqlalchemy.event.listen(engine, "do_connect", connect)
    return engine


def _server_engine(url: str, patience_seconds: float, pool: type[sqlalchemy.Pool]) -> sqlalchemy.Engine:
    of_session = {
        # The server finds out within 20 seconds that a machine is gone, and drops its locks.
        "tcp_keepalives_idle": 10,
        "tcp_keepalives_interval": 3,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
        # A process that is halted (a laptop that sleeps) must not hold up all others: both in milliseconds.
        "idle_in_transaction_session_timeout": math.ceil(HALTED_SECONDS * 1000),
        "lock_timeout": math.ceil(patience_seconds * 1000),
    }
    arguments = {
        "application_name": "binotel",
        "connect_timeout": min(10, max(2, math.ceil(patience_seconds))),  # seconds; libpq knows no less than 2
        # And a process that the server is gone.
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": min(10_000, max(5_000, math.ceil(patience_seconds * 1000))),  # milliseconds
    }
    kept: dict[str, Any] = {} if pool is sqlalchemy.NullPool else {"pool_size": 1, "max_overflow": -1}
    engine = sqlalchemy.create_engine(
        url,
        poolclass=pool,
        # Who waited for the account's lock must see what was done meanwhile, whatever the server's default is.
        isolation_level="READ COMMITTED",
        connect_args=arguments,
        **kept,
    )

    def set_up(connection: Any, _record: object) -> None:
        # Not as options of the connection, which poolers refuse.
        with given_up_after(patience_seconds + 2, connection):
            connection.execute("; ".join(f"SET {name} = {value}" for name, value in of_session.items()))
            connection.commit()

    sqlalchemy.event.listen(engine, "connect", set_up)
    return engine


@functools.cache
def _shared_engine(url: str, patience_seconds: float) -> sqlalchemy.Engine:
    """One for all accounts of a process that is about it all the time."""
    return database_engine(url, patience_seconds, sqlalchemy.QueuePool)


def account_id(key: str) -> str:
    """A name for the account that does not give its key away: the start of a hash, 16 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


HEAVY_REQUESTS = sqlalchemy.Table(
    "heavy_requests",
    sqlalchemy.MetaData(),
    # SQLite counts by itself in a column of type INTEGER alone.
    sqlalchemy.Column("id", sqlalchemy.BigInteger().with_variant(sqlalchemy.Integer, "sqlite"), primary_key=True),
    sqlalchemy.Column("account", sqlalchemy.String(16), nullable=False),
    sqlalchemy.Column("reserved_at", sqlalchemy.Float, nullable=False),
    sqlalchemy.Column("starts_at", sqlalchemy.Float, nullable=False),
)
_OF_ACCOUNT = sqlalchemy.Index("heavy_requests_of_account", HEAVY_REQUESTS.c.account, HEAVY_REQUESTS.c.id)
# Once released, a step stays as it is, and so does the table that it makes: a new column is a step of its own.
LEDGER_STEPS = (
    lambda connection: connection.execute(CreateTable(HEAVY_REQUESTS, if_not_exists=True)),
    lambda connection: connection.execute(CreateIndex(_OF_ACCOUNT, if_not_exists=True)),
)


class Throttle:
    """Lets heavy requests through no faster than Binotel's quota allows, over all processes that share the database.

    The quota belongs to the key (the vendor's README): 5 heavy requests a minute are free, every further one must come
    its method's gap after the one before. Not documented, so read in the way that satisfies every reading: one count
    for all heavy methods, a sliding minute, and the gap counted from the previous heavy request of any method.

    database_url: see Database
    account:      the API key; only a hash of it is stored
    time_scale:   shrinks the quota's times for tests against the sandbox (its option --time-scale)
    clock, sleep: Unix seconds, and how to wait so many of them
    """

    def __init__(
        self,
        database_url: str,
        account: str,
        *,
        time_scale: float = 1,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._account = account_id(account)
        self._time_scale = time_scale
        self._sleep = sleep
        self._url = sqlalchemy.make_url(database_url)
        self._database = Database(database_url, account, "heavy requests", LEDGER_STEPS, clock=clock)

    def acquire(self, method: str) -> None:
        """Wait until a request of `method`, a name in METHODS, may start. A light method never waits.

        The moment is reserved in one transaction and slept out outside of it, so a process that is killed locks
        nothing. Raises BinotelError when the database cannot be used.
        """
        gap = METHODS[method].gap
        if not gap:
            return
        try:
            reservation, wait_seconds = self._reserve(gap)
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            raise BinotelError(
                f"The database that keeps Binotel's quota ({self._url.database}) cannot be used: "
                f"{database_reason(error)}.",
                database_remedy(error),
            ) from error
        if wait_seconds <= 0:
            return
        quota_log.info("Waiting %.1f s for Binotel's quota", wait_seconds)
        try:
            self._sleep(wait_seconds)
        except BaseException:
            # Interrupted: the request will not be made, so nobody needs to keep clear of it.
            forget = HEAVY_REQUESTS.delete().where(HEAVY_REQUESTS.c.id == reservation)
            with suppress(sqlalchemy.exc.SQLAlchemyError):
                self._database.run(lambda connection, _: connection.execute(forget))
            raise

    def _reserve(self, gap: int) -> tuple[int, float]:
        """Put the next request into the ledger; return its row's id and the seconds until it may start."""
        ledger = HEAVY_REQUESTS
        mine = ledger.c.account == self._account
        gap_seconds = (gap + QUOTA_GAP_MARGIN_SECONDS) * self._time_scale
        window_seconds = (QUOTA_WINDOW_SECONDS + QUOTA_WINDOW_MARGIN_SECONDS) * self._time_scale

        def reserve(connection: sqlalchemy.Connection, now: float) -> tuple[int, float]:
            newest_first = ledger.select().where(mine).order_by(ledger.c.id.desc()).limit(QUOTA_FREE_REQUESTS)
            rows = connection.execute(newest_first).all()
            # A reservation made in the future means that the clock was set back since: when its request really started
            # is unknown, so it counts as starting just now.
            starts = [row.starts_at if row.reserved_at <= now else min(row.starts_at, now) for row in rows]
            start = max([now, *starts[:1]])
            if len(starts) == QUOTA_FREE_REQUESTS:
                start = max(start, min(starts[0] + gap_seconds, starts[-1] + window_seconds))
            connection.execute(ledger.delete().where(mine, ledger.c.starts_at < now - LEDGER_WINDOWS * window_seconds))
            reservation = {"account": self._account, "reserved_at": now, "starts_at": start}
            inserted = connection.execute(ledger.insert().values(reservation).returning(ledger.c.id))
            return inserted.scalar_one(), start - now

        return self._database.run(reserve)


# --- Periods -----------------------------------------------------------------

INCOMING = "incoming"
OUTGOING = "outgoing"
LINE = "line"  # both ways, of one internal number

DAY_METHOD = "stats/list-of-calls-per-day"
_PERIOD_METHODS = {
    INCOMING: "stats/incoming-calls-for-period",
    OUTGOING: "stats/outgoing-calls-for-period",
    LINE: "stats/list-of-calls-by-internal-number-for-period",
}
_DAY_SECONDS = 86400
_SURE = 2.0  # standard deviations by which a window is planned to stay below its cap
_WORTHWHILE = 0.85  # a window may be cut off, so it must promise to save this much against days
_MUCH_SHORTER = 0.9  # a window that was cut off is tried again at so much of its length at the most
_SURGE = 3.0  # a day of so many times the expected calls, or such a part of them, is no chance
_DAYS_OF_A_SURGE, _DAYS_OF_A_LULL = 10, 2  # in a row: after those it is how things are now
_WEEKS_REMEMBERED = 15


@dataclass(frozen=True)
class PeriodRequest:
    """A heavy request of a plan. Its answer holds the calls of `ways` from `first` to `last`, both inclusive."""

    method: str
    params: dict[str, Any]
    ways: tuple[str, ...]
    first: int
    last: int


class PeriodPlan:
    """Which requests to make for all calls of a period, in the least time; chosen on the way.

    Two ways lead to the same calls: list-of-calls-per-day (both directions, no cap, 5 s a day) and the methods for a
    period (one direction, 10 s, at most 2,000 calls). Long windows suit a quiet company, days a busy one. An answer
    with as many calls as the cap may be cut off, so it is not used: the window is halved.

    start, stop:     Unix seconds, both inclusive; the attribute `stop` may be moved later on the way
    direction:       "incoming", "outgoing" or "both"
    timezone:        the account's, which decides where its days begin
    internal_number: the calls of this line alone, both ways; there is no request by day for them
    caps:            other caps than those in METHODS, for tests

    Use: `while request := plan.next_request(): plan.accept(request, entries of the answer)`. A plan that is given the
    same answers again, in the same order, is in the same state: that is how an interrupted one goes on.
    """

    def __init__(
        self,
        start: int,
        stop: int,
        direction: str = "both",
        *,
        timezone: tzinfo,
        internal_number: str | None = None,
        caps: Mapping[str, int] | None = None,
    ) -> None:
        ways = (INCOMING, OUTGOING) if direction == "both" else (direction,)
        if internal_number is not None:
            ways = (LINE,)
        if direction not in (INCOMING, OUTGOING, "both"):
            raise ValueError(f"{direction!r} is not a direction: use incoming, outgoing or both.")
        self.stop = stop
        self._timezone = timezone
        self._line = internal_number
        self._caps = {name: method.cap for name, method in METHODS.items()} | dict(caps or {})
        self._start = start
        self._next = dict.fromkeys(ways, start)  # the first second of each way that is not known yet
        self._density = {way: _Density() for way in ways}
        self._crowd: _Crowd | None = None
        self._accepted = 0

    @property
    def known_until(self) -> int:
        """The last second up to which everything is known."""
        return min(self._next.values()) - 1

    @property
    def share_known(self) -> float:
        """Which part of the period is known, from 0 to 1, on the average of both ways."""
        seconds = sum(first - self._start for first in self._next.values())
        return seconds / len(self._next) / (self.stop - self._start + 1) if self.stop >= self._start else 1

    def seconds_left(self) -> float:
        """How long the quota will take for what is left, as far as the calls so far tell; a rough estimate."""
        day_gap = METHODS[DAY_METHOD].gap
        days = math.ceil((self.stop - self.known_until) / _DAY_SECONDS)
        window_gap, windows = METHODS[_PERIOD_METHODS[INCOMING]].gap, 0
        for way, first in self._next.items():
            if first <= self.stop:
                windows += math.ceil((self.stop - first + 1) / (self._window(way, first) - first + 1))
        is_known = all(density.is_known for density in self._density.values())
        by_day = self._line is None and (not is_known or days * day_gap <= windows * window_gap)
        gap, requests = (day_gap, days) if by_day else (window_gap, windows)
        return gap * max(0, requests - max(0, QUOTA_FREE_REQUESTS - self._accepted))

    def next_request(self) -> PeriodRequest | None:
        """The request to make now, or None when everything is known."""
        first = min(self._next.values())
        if first > self.stop:
            return None
        behind = [way for way in self._next if self._next[way] == first]
        windows = {way: self._window(way, first) for way in behind}
        if self._line is None and self._days_are_cheaper(first, windows):
            day_first, day_last = self._day(first)
            ways = tuple(way for way in self._next if self._next[way] <= day_last)
            midday = min((day_first + day_last) // 2, self.stop)  # today may not have come that far
            return PeriodRequest(DAY_METHOD, {"dayInTimestamp": midday}, ways, first, day_last)
        way = min(behind, key=lambda way: windows[way])  # the busiest one, which shows the most
        params: dict[str, Any] = {"startTime": first, "stopTime": windows[way]}
        if self._line is not None:
            params["internalNumber"] = self._line
        return PeriodRequest(_PERIOD_METHODS[way], params, (way,), first, windows[way])

    def accept(self, request: PeriodRequest, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Learn from an answer, and return those of its calls that are new and of the period, in time order.

        An answer that may be cut off gives none. Raises IncompleteError when it is that of a single second, and
        TransportError for calls that were not asked for, or that cannot be read.
        """
        self._accepted += 1
        cap = self._caps[request.method]
        if cap is not None and len(entries) >= cap:
            self._split(request)
            return []
        timed = sorted(((_start_of(entry), entry) for entry in entries), key=lambda pair: pair[0])
        lowest = self._day(request.first)[0] if request.method == DAY_METHOD else request.first
        if timed and not lowest <= timed[0][0] <= timed[-1][0] <= request.last:
            raise TransportError(
                f"Binotel's answer to {request.method} has calls from outside the time asked for.",
                "Check TIMEZONE: it must be the time zone of the account, usually Europe/Kyiv.",
            )
        calls = []
        for moment, entry in timed:
            way = self._way_of(entry)
            if request.method != DAY_METHOD and way not in request.ways:
                raise TransportError(
                    f"Binotel's answer to {request.method} has a call whose callType is "
                    f"{one_line(repr(entry.get('callType')))}.",
                    "The API may have changed. " + _ASK_BINOTEL,
                )
            if way in request.ways and self._next[way] <= moment <= self.stop:
                calls.append(entry)
        for way in request.ways:
            moments = [moment for moment, entry in timed if self._way_of(entry) == way]
            self._learn(way, lowest, request.last, moments)
            self._next[way] = min(request.last, self.stop) + 1
        if self._crowd:
            self._crowd.left -= sum(self._way_of(call) == self._crowd.way for call in calls)
            if self._crowd.left <= 0 or self.known_until >= self._crowd.last:
                self._crowd = None
        return calls

    def _way_of(self, entry: Mapping[str, Any]) -> str:
        return LINE if self._line is not None else way_of(entry)

    def _day(self, moment: int) -> tuple[int, int]:
        """The first and the last second of the calendar day that holds `moment`."""
        day = datetime.fromtimestamp(moment, self._timezone).date()
        first, after = (
            int(datetime.combine(start, datetime.min.time(), self._timezone).timestamp())
            for start in (day, day + timedelta(days=1))
        )
        return first, after - 1

    def _days_are_cheaper(self, first: int, windows: dict[str, int]) -> bool:
        """Whether the stretch that the shortest window would cover takes less time day by day."""
        if any(not self._density[way].is_known for way in windows):
            return True  # a day is never asked for in vain, and shows how busy the company is
        shortest = min(windows.values())
        length = shortest - first + 1
        share = sum(METHODS[_PERIOD_METHODS[way]].gap * length / (last - first + 1) for way, last in windows.items())
        days = length / _DAY_SECONDS
        if shortest == self.stop:
            return math.ceil(days) * METHODS[DAY_METHOD].gap <= share
        return days * METHODS[DAY_METHOD].gap * _WORTHWHILE <= share

    def _window(self, way: str, first: int) -> int:
        """The last second of a window from `first` that will probably stay below the cap."""
        method = METHODS[_PERIOD_METHODS[way]]
        density = self._density[way]
        longest = self.stop
        if method.max_days:
            longest = min(longest, first + method.max_days * _DAY_SECONDS - 1)
        if self._crowd and first <= self._crowd.last:
            # Where one way is crowded, the other mostly is, too: it follows as far as the first one has come.
            ahead = max(self._next.values())
            if ahead > first and way != self._crowd.way:
                longest = min(longest, ahead - 1)
            elif first == self._crowd.first:
                longest = min(longest, first + self._crowd.longest - 1)
            else:
                longest = min(longest, (first + self._crowd.last) // 2)
        room = density.calls_to_expect((self._caps[method.name] or math.inf) - 1)
        moment = first
        while moment <= longest:
            day_first, day_last = self._day(moment)
            expected = density.expected_on(datetime.fromtimestamp(moment, self._timezone).weekday())
            left = expected * density.share_after(moment - day_first)
            if left > room:
                return min(longest, max(first, day_first + density.second_by_which(1 - (left - room) / expected)))
            room -= left
            moment = day_last + 1
        return longest

    def _learn(self, way: str, first: int, last: int, moments: list[int]) -> None:
        """Count the whole days of an answer."""
        index = 0
        day_first, day_last = self._day(first)
        while day_last <= last:
            begin = bisect.bisect_left(moments, day_first, index)
            index = bisect.bisect_right(moments, day_last, begin)
            if day_first >= first:
                weekday = datetime.fromtimestamp(day_first, self._timezone).weekday()
                self._density[way].learn(weekday, [moment - day_first for moment in moments[begin:index]])
            day_first, day_last = self._day(day_last + 1)

    def _split(self, request: PeriodRequest) -> None:
        if request.first == request.last:
            raise IncompleteError(request.method, request.first)
        length = request.last - request.first + 1
        known_ahead = max(self._next.values()) - request.first  # of the other way, which was not cut off so far
        longest = known_ahead if 0 < known_ahead < _MUCH_SHORTER * length else length // 2
        self._crowd = _Crowd(request.ways[0], request.first, request.last, longest, self._caps[request.method] or 0)


@dataclass
class _Crowd:
    """The window of `way` that was cut off: how long to try next from its start, and how many calls it still has."""

    way: str
    first: int
    last: int
    longest: int
    left: int


class _Density:
    """How many calls are to be expected: a typical day of each weekday, and how a day spreads over its hours."""

    def __init__(self) -> None:
        self._counts: dict[int, deque[int]] = {}
        self._hours = [0.01] * 25  # a day has up to 25; never nothing
        self._surge = 1.0
        self._strange: list[int] = []  # days in a row on which all was different
        self._days = 0

    @property
    def is_known(self) -> bool:
        """Whether it shows enough to plan by: some calls, or three days without any."""
        return self._days >= 3 or any(map(any, self._counts.values()))

    def learn(self, weekday: int, seconds: list[int]) -> None:
        """A day on which calls began so many seconds after midnight."""
        count = len(seconds)
        self._days += 1
        for second in seconds:
            self._hours[second // 3600] += 1
        self._surge = 1.0
        usual = self.expected_on(weekday)
        self._strange.append(count)
        if usual >= 10 and count > _SURGE * usual:
            self._surge = count / usual
        elif usual < 10 or weekday not in self._counts or count >= usual / _SURGE:
            self._strange.clear()
        if len(self._strange) >= (_DAYS_OF_A_SURGE if self._surge > 1 else _DAYS_OF_A_LULL):
            # No exception any more: what was usual is over.
            self._counts.clear()
            self._surge = 1.0
            self._strange.clear()
        if not self._strange:
            self._counts.setdefault(weekday, deque(maxlen=_WEEKS_REMEMBERED)).append(count)

    def expected_on(self, weekday: int) -> float:
        """Calls on a whole day; a weekday not seen yet may be as busy as the busiest one."""
        counts = self._counts.get(weekday)
        if counts:
            return self._surge * statistics.fmean(counts)
        return self._surge * max(map(statistics.fmean, self._counts.values()), default=0.0)

    def calls_to_expect(self, limit: float) -> float:
        """How many calls to plan for so that the real number, which differs by chance, stays within `limit`."""
        seen = max(1, sum(map(sum, self._counts.values())))
        spread = 1 + _SURE / math.sqrt(seen)
        return ((math.sqrt(_SURE**2 + 4 * spread * limit) - _SURE) / (2 * spread)) ** 2

    def share_after(self, second: int) -> float:
        """Which part of a day's calls begins from this second on."""
        hour, rest = divmod(second, 3600)
        return (sum(self._hours[hour:]) - self._hours[hour] * rest / 3600) / sum(self._hours)

    def second_by_which(self, share: float) -> int:
        """The second of the day by which this part of its calls has begun."""
        wanted = share * sum(self._hours)
        for hour, weight in enumerate(self._hours):
            if wanted <= weight:
                return int((hour + max(0.0, wanted) / weight) * 3600) - 1
            wanted -= weight
        return _DAY_SECONDS - 1


def way_of(entry: Mapping[str, Any]) -> str:
    """INCOMING or OUTGOING, whichever a callDetails entry is. The server sends its numbers in more than one form."""
    return INCOMING if str(entry.get("callType")).strip().removesuffix(".0") == "0" else OUTGOING


def _start_of(entry: Mapping[str, Any]) -> int:
    start = re.fullmatch(r"([0-9]{1,11})(\.[0-9]*)?", str(entry.get("startTime")).strip())
    if start is None:
        value = one_line(repr(entry.get("startTime")))
        raise TransportError(
            f"A call in Binotel's answer has a startTime that cannot be read: {value}.",
            "The API may have changed. " + _ASK_BINOTEL,
        )
    return int(start[1])


# --- The client --------------------------------------------------------------

CONNECT_TIMEOUT_SECONDS = 15
READ_TIMEOUT_SECONDS = 90  # heavy answers are long in the making
RETRY_PAUSES_SECONDS = (2, 4, 8, 16, 32)
CONNECTIONS_KEPT = 100  # for as many threads that call at once


class BinotelClient:
    """Calls methods of the API: signs, waits for the quota, retries what may be retried, checks what comes back.

    One client may be used by several threads.

    key, secret:    from Binotel (support@binotel.ua), which must also know the address the requests come from
    throttle:       the quota's keeper, made for the same key
    base_url:       https:// anywhere, or http:// to this machine itself (the sandbox); ValueError otherwise
    verify_answers: refuse successful answers that are not signed with our secret
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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = key
        self._secret = secret
        self._throttle = throttle
        self._base_url = check_base_url(base_url)
        self._verify_answers = verify_answers
        self._timeout = timeout
        self._sleep = sleep
        self._session = requests.Session()
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS_KEPT))
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS_KEPT))
        # A proxy from the environment cannot reach this machine's own addresses.
        self._session.trust_env = self._base_url.startswith("https:")

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call `method` ("stats/call-details") and return the server's whole answer, checked.

        params: under the server's own names, as in METHODS; times are Unix seconds.

        A read is tried up to 6 times over about a minute when the network, the server (5xx, 105) or the quota (106)
        fails it. What writes or dials is sent again only if it surely was not carried out.

        Raises ApiError, TransportError or SignatureError; ValueError for an unknown method or a value that cannot be
        sent.
        """
        if method not in METHODS:
            raise ValueError(f"Binotel's API has no method {method!r}.")
        body = signed_body(params or {}, self._key, self._secret)
        for pause_seconds in RETRY_PAUSES_SECONDS:
            try:
                return self._call_once(method, body)
            except BinotelError as error:
                if not (error.retry_writes if METHODS[method].writes else error.retry_reads):
                    raise
                log.info("%s Trying again in %d s.", error, pause_seconds)
            self._sleep(pause_seconds)
        return self._call_once(method, body)

    def calls_per_day(self, moment: datetime | int) -> list[dict[str, Any]]:
        """All calls, both ways, of the account's calendar day that holds `moment`, as the server's own entries.

        moment: Unix seconds or an aware datetime. One heavy request, for which no cap is stated (the vendor's README).
        """
        seconds = int(moment.timestamp()) if isinstance(moment, datetime) else moment
        return self.entries(DAY_METHOD, {"dayInTimestamp": seconds})

    def calls_for_period(
        self, start: datetime, stop: datetime, direction: str = "both", *, internal_number: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """All calls that begin from `start` to `stop`, both inclusive, in time order, as the server's own entries.

        start, stop:     aware datetimes in the account's time zone, which decides where its days begin
        direction:       "incoming", "outgoing" or "both"
        internal_number: the calls of this line alone, both ways

        Complete or not at all: an answer that may be cut off is asked for again in parts (see PeriodPlan). Raises
        IncompleteError when the calls of one second are too many, and what call() raises.
        """
        if start.tzinfo is None:
            raise ValueError("The period needs a time zone: pass aware datetimes.")
        plan = PeriodPlan(
            math.ceil(start.timestamp()),
            math.floor(stop.timestamp()),
            direction,
            timezone=start.tzinfo,
            internal_number=internal_number,
        )
        ahead: list[dict[str, Any]] = []
        while request := plan.next_request():
            entries = self.entries(request.method, request.params)
            ahead = sorted([*ahead, *plan.accept(request, entries)], key=_start_of)
            ready = bisect.bisect_right(ahead, plan.known_until, key=_start_of)
            yield from ahead[:ready]
            del ahead[:ready]

    def record_url(self, call_id: str) -> str:
        """A link to the recording of the call with this callID, good for 15 minutes (the vendor's README); "" when
        there is none, or none yet: it appears some minutes after the call.

        Raises what call() raises. What the server answers when there is no recording is not documented; assumed is
        code 104 or an empty link.
        """
        try:
            return str(self.call("stats/call-record", {"callID": call_id})["url"] or "")
        except ApiError as error:
            if error.code == _CODE_WRONG_DATA:
                return ""
            raise

    def entries(self, method: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The entries in the answer of a method whose answer is a list of them; raises what call() raises."""
        content = self.call(method, params)[METHODS[method].answer]
        # The server keys them by id, or sends a list: always when there are none.
        entries = list(content.values()) if isinstance(content, dict) else content
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise TransportError(
                "Binotel's answer is not a list of entries.", "The API may have changed. " + _ASK_BINOTEL
            )
        return entries

    def _call_once(self, method: str, body: bytes) -> dict[str, Any]:
        self._throttle.acquire(method)
        content = self._post(method, body).content
        try:
            answer: Any = decode_answer(content, self._secret if self._verify_answers else None)
        except (ValueError, RecursionError):
            raise _not_json(method, content) from None
        status = answer.get("status") if isinstance(answer, dict) else None
        if status == "error":
            code = re.fullmatch(r"([0-9]{1,6})(\.0)?", str(answer.get("code")))
            raise ApiError(method, int(code[1]) if code else 0, str(answer.get("message") or "no message"))
        if status != "success":
            raise TransportError(
                f"The answer to {method} is not of the API's shape: {_start(content)}.",
                "Check BINOTEL_API_URL.",
                retry=True,
            )
        key = METHODS[method].answer
        if key and key not in answer:
            raise TransportError(
                f"Binotel's answer to {method} has no {key!r}.", "The API may have changed. " + _ASK_BINOTEL
            )
        return dict(answer)

    def _post(self, method: str, body: bytes) -> requests.Response:
        url = f"{self._base_url}/{method}.json"
        parts = urlsplit(url)
        host = parts.netloc
        register = f"Has Binotel registered this server's IP address? {_ASK_BINOTEL}"
        if is_loopback(parts.hostname or ""):
            register = "Is scripts/sandbox.py running, and on this port?"
        try:
            response = self._session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise TransportError(
                f"No secure connection to {host}: {_root_cause(error)}.",
                "Check the computer's clock and its certificates; a proxy that opens TLS needs its own certificate.",
            ) from error
        except requests.exceptions.ProxyError as error:
            raise TransportError(
                f"The proxy to {host} failed: {_root_cause(error)}.", "Check HTTPS_PROXY.", retry=True
            ) from error
        except requests.exceptions.ConnectTimeout as error:
            raise TransportError(
                f"{host} did not accept a connection within {self._timeout[0]:g} s.",
                f"Check the network and the firewall. {register}",
                retry=True,
                reached=False,
            ) from error
        except requests.exceptions.ReadTimeout as error:
            raise TransportError(
                f"{host} did not answer {method} within {self._timeout[1]:g} s.", "Try again later.", retry=True
            ) from error
        except (*_UNUSABLE_ADDRESS, UnicodeError) as error:
            raise TransportError(
                f"{url} cannot be asked: {_root_cause(error)}.", "Check BINOTEL_API_URL and HTTPS_PROXY."
            ) from error
        except requests.exceptions.RequestException as error:
            raise _connection_error(error, host, method, register) from error
        except OSError as error:
            raise TransportError(
                f"{host} cannot be asked: {one_line(str(error))}.", "Check REQUESTS_CA_BUNDLE, if you set it."
            ) from error
        if response.status_code == 200:
            return response
        problem = (
            f"{host} answered {method} with HTTP {response.status_code} {one_line(response.reason or '')}".rstrip()
            + "."
        )
        if response.status_code in (401, 403):
            raise TransportError(problem, register)
        if response.status_code == 429 or response.status_code >= 500:
            raise TransportError(problem, "The server is in trouble: try again later.", retry=True)
        raise TransportError(problem, "Check BINOTEL_API_URL.")


# What requests raises, or lets through from urllib3, when an address or a proxy's address makes no sense.
_UNUSABLE_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.URLSchemeUnknown,
)


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


def _connection_error(error: Exception, host: str | None, method: str, register: str) -> TransportError:
    """What a broken connection means; whether the request can have reached the server decides on sending it again."""
    chain = repr(error)
    if "NameResolutionError" in chain:
        return TransportError(
            f"The name {host} cannot be resolved.",
            "Check the internet connection, DNS and BINOTEL_API_URL.",
            retry=True,
            reached=False,
        )
    if "NewConnectionError" in chain:
        reason = _root_cause(error).rpartition(": ")[2]
        refused = "refused the connection" if "refused" in reason.lower() else f"cannot be reached: {reason}"
        return TransportError(
            f"{host} {refused}.",
            f"Check BINOTEL_API_URL, the network and the firewall. {register}",
            retry=True,
            reached=False,
        )
    return TransportError(
        f"The connection to {host} broke off during {method}: {_root_cause(error)}.",
        "Check the network; try again later.",
        retry=True,
    )


def _root_cause(error: BaseException) -> str:
    """The innermost reason in requests' and urllib3's nested errors, in a few words."""
    while error.args and isinstance(inner := getattr(error.args[0], "reason", error.args[-1]), BaseException):
        error = inner
    text = error.args[-1] if error.args and isinstance(error.args[-1], str) else str(error)
    return one_line(text).rstrip(".")


def _not_json(method: str, content: bytes) -> TransportError:
    if content.lstrip().startswith(b"<"):
        return TransportError(
            f"The answer to {method} is a web page: {_start(content)}.",
            "A proxy or a firewall may stand in between: check it, and BINOTEL_API_URL.",
            retry=True,
        )
    return TransportError(
        f"The answer to {method} is not whole JSON: {_start(content)}.",
        "It was cut off or is not Binotel's: try again later, and check BINOTEL_API_URL.",
        retry=True,
    )


def _start(content: bytes) -> str:
    """The start of an answer, fit for a message."""
    return repr(one_line(content[:80].decode(errors="replace")))
