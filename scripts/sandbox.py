"""A local stand-in for api.binotel.com, to try and to test everything without a key.

It serves every method for a made-up Ukrainian company: checks the signature, the parameters and the quota as Binotel
does, signs its answers, and makes the same calls for the same seed and day. Its recordings can be downloaded; its
customers can be changed until it ends.

A call that is placed rings, is answered, and appears in the lists; a number that ends in 9 does not answer, one in 8 is
busy, one in 7 cannot be reached, and line 908 is offline.

    python scripts/sandbox.py --port 8020

For tests, GET /sandbox/requests lists what was asked, and POST /sandbox/faults makes the next answers fail:
{"method": "stats/call-details", "fault": "http-500", "count": 2}. Downloads of recordings go by the method "records".
"""

import argparse
import functools
import hashlib
import heapq
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from binotel_core import METHODS, QUOTA_FREE_REQUESTS, QUOTA_WINDOW_SECONDS, Method, php_json, sign

KEY = "sandbox-key"
SECRET = "sandbox-secret"  # noqa: S105 - no secret: everybody may use the sandbox

# Answers that are not the API's: (HTTP status, type, body).
FOREIGN_ANSWERS = {
    "http-500": (500, "text/html", b"<html><body>Internal Server Error</body></html>"),
    "html": (200, "text/html", b"<html><body>Please log in to the network</body></html>"),
    "not-an-answer": (200, "application/json", b'["success"]'),
    "http-403": (
        403,
        "application/xml",
        b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
    ),
    "http-404": (404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>"),
}
FAULTS = (*FOREIGN_ANSWERS, "hang", "cut-body", "bad-signature", "no-signature", "code-104", "code-105", "code-106")
# A download of a recording, under whatever link, goes by this name, and may fail in these ways.
RECORDS = "records"
RECORD_FAULTS = (*FOREIGN_ANSWERS, "hang", "cut-body", "wrong-length", "redirect")

RECORD_LINK_SECONDS = 15 * 60
RECORD_UPLOAD_SECONDS = 2 * 60
HISTORY_DAYS = 366  # how far back the company's history goes, seen from now
RECENT_DAYS = 14
RING_SECONDS = 4  # of a call that is placed; one that is not answered rings three times as long
TALK_SECONDS = 16

Entry = dict[str, Any]


# --- The company and its calls -----------------------------------------------

ACCOUNT_ZONE = ZoneInfo("Europe/Kyiv")
GROUP_LINE = "900"
EMPLOYEES = {
    "901": ("Олена Коваль", "olena@example.com"),
    "902": ("Андрій Шевченко", "andrii@example.com"),
    "903": ("Наталія Бондаренко", "nataliia@example.com"),
    "904": ("Ігор Ткаченко", "ihor@example.com"),
    "905": ("Марія Кравчук", "mariia@example.com"),
    "906": ("Юрій Мельник", "yurii@example.com"),
    "907": ("Ірина Поліщук", "iryna@example.com"),
    "908": ("Євген Ґудзь", "yevhen@example.com"),
}
OFFLINE_LINE = "908"
VOICE_FILES = {"81": "Привітання", "82": "Нагадування про візит"}
MENUS = ("Оцінка якості", "Головне меню")
LINES = {"0443334001": "Головна", "0443334002": "Реклама", "0673334003": ""}
FIRST_NAMES = "Олександр Тетяна Сергій Оксана Василь Ганна Дмитро Людмила Петро Софія Михайло Віра".split()
LAST_NAMES = "Лисенко Гончар Руденко Савчук Марченко Петренко Мороз Кузьменко Білоус Зінченко".split()
HOSTILE_NAMES = (
    '=HYPERLINK("http://example.com","Натисніть")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "О'Коннор Марʼяна",
    "Кавʼярня ☕😀",
    "Перший рядок\nдругий рядок",
    "Знаки\x07\x0b\x1b та \x7f",
    "Д" * 300,
    "   Пробіли спереду",
    '<b>Жирний</b> & "лапки" / скісна \\',
)
LABELS = ("VIP", "Боржник", "Постачальник", '<i>Мітка</i> & "лапки"')
# How busy each hour of the day is: business hours with a lunch dip, and a few calls at night.
HOUR_WEIGHTS = (1, 0, 0, 0, 0, 0, 1, 3, 20, 60, 85, 80, 55, 25, 60, 75, 70, 50, 20, 8, 4, 3, 2, 1)
WEEKDAY_WEIGHTS = (1.1, 1.05, 1.0, 1.0, 0.95, 0.3, 0.1)
CLOSED_DAYS = ((1, 1), (12, 25))
LOST_DISPOSITIONS = ("NOANSWER", "CANCEL", "BUSY", "VM", "VM-SUCCESS", "CHANUNAVAIL", "CONGESTION")
# What a day holds besides ordinary calls: (callType, disposition).
RARITIES = (
    *(("0", disposition) for disposition in LOST_DISPOSITIONS),
    ("1", "SMS-SENDING"),
    ("1", "SMS-SUCCESS"),
    ("1", "SMS-FAILED"),
    ("0", "SUCCESS"),
    ("0", "FAILED"),
    ("1", "CHANUNAVAIL"),
    ("0", "UNHEARD-OF"),
)
RARITIES_FROM_CALLS_PER_DAY = 50
RECORDED_DISPOSITIONS = ("ANSWER", "TRANSFER", "VM-SUCCESS", "SUCCESS")


class Company:
    """The calls of a made-up company: the same ones for the same seed and day, whenever they are asked for."""

    def __init__(self, seed: int, calls_per_day: int) -> None:
        self._seed = seed
        self._calls_per_day = calls_per_day
        self.calls_of_day = functools.lru_cache(maxsize=64)(self._make_day)
        rng = random.Random(f"{seed} customers")
        self.callers: list[tuple[str, Any]] = []  # (number, customerData)
        for index in range(max(40, calls_per_day * 3 // 4)):
            number = f"0{rng.choice((39, 44, 50, 63, 66, 67, 73, 95, 97))}{rng.randrange(10**7):07}"
            name = f"{rng.choice(LAST_NAMES)} {rng.choice(FIRST_NAMES)}"
            if index < len(HOSTILE_NAMES):
                name = HOSTILE_NAMES[index]
            known = index < len(HOSTILE_NAMES) or rng.random() < 0.6
            self.callers.append((number, {"id": str(6600 + index), "name": name} if known else rng.choice(("", []))))

    def calls_between(self, start: int, stop: int) -> Iterator[Entry]:
        """The calls that start from `start` to `stop`, both inclusive, in Unix seconds, in time order."""
        day = local(start).date()
        while day <= local(stop).date():
            for call in self.calls_of_day(day):
                if start <= int(call["startTime"]) <= stop:
                    yield call
            day += timedelta(days=1)

    def _make_day(self, day: date) -> list[Entry]:
        if (day.month, day.day) in CLOSED_DAYS:
            return []
        rng = random.Random(f"{self._seed} {day}")
        first, last = day_limits(day)
        wanted = round(self._calls_per_day * WEEKDAY_WEIGHTS[day.weekday()] * rng.uniform(0.9, 1.1))
        # Midnight's seconds, where an off-by-one of a period shows.
        calls = [self._call(rng, first, "0", "NOANSWER"), self._call(rng, last, "0", "CANCEL")]
        if last + 1 - first != 24 * 3600:
            # The hours around the change of the clocks.
            calls += [self._call(rng, first + minutes * 60, "0") for minutes in range(90, 330, 20)]
        if self._calls_per_day >= RARITIES_FROM_CALLS_PER_DAY:
            for call_type, disposition in RARITIES:
                calls.append(self._call(rng, self._moment(rng, day), call_type, disposition))
            strange_callers = [("", ""), *self.callers[: len(HOSTILE_NAMES)]]  # a hidden number among them
            calls += [self._call(rng, self._moment(rng, day), "0", caller=caller) for caller in strange_callers]
        while len(calls) < wanted:
            calls += self._conversation(rng, self._moment(rng, day), last)
        calls = sorted(calls[: max(wanted, 2)], key=lambda call: int(call["startTime"]))
        for index, call in enumerate(calls):
            call["generalCallID"] = call["callID"] = f"{day.toordinal()}{index:05}"
        return calls

    def _moment(self, rng: random.Random, day: date) -> int:
        hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
        moment = time_of_day(hour, rng.randrange(60), rng.randrange(60))
        return int(datetime.combine(day, moment, ACCOUNT_ZONE).timestamp())

    def _conversation(self, rng: random.Random, start: int, last: int) -> list[Entry]:
        """A call and what follows from it: a lost caller tries again, and is called back or not."""
        if rng.random() < 0.3:
            return [self._call(rng, start, "1")]
        caller = rng.choice(self.callers)
        calls = [self._call(rng, start, "0", caller=caller)]
        while calls[-1]["disposition"] in LOST_DISPOSITIONS and rng.random() < 0.35:
            start += round(rng.expovariate(1 / 400)) + 30
            calls.append(self._call(rng, start, "0", caller=caller))
        while calls[-1]["disposition"] in LOST_DISPOSITIONS and rng.random() < 0.6:
            start += round(rng.expovariate(1 / 1500)) + 60
            calls.append(self._call(rng, start, "1", rng.choice(("ANSWER", "ANSWER", "ANSWER", "NOANSWER")), caller))
            if calls[-1]["disposition"] == "ANSWER":
                break
        return [call for call in calls if int(call["startTime"]) <= last]

    def _call(
        self,
        rng: random.Random,
        start: int,
        call_type: str,
        disposition: str = "",
        caller: tuple[str, Any] | None = None,
    ) -> Entry:
        number, customer = caller or rng.choice(self.callers)
        incoming = call_type == "0"
        if not disposition:
            answered = rng.random() < (0.8 if incoming else 0.65)
            disposition = (
                rng.choice(("ANSWER",) * 15 + ("TRANSFER",)) if answered else rng.choice(LOST_DISPOSITIONS[:4])
            )
            if not incoming and disposition == "VM":
                disposition = "NOANSWER"
        spoken = disposition in ("ANSWER", "TRANSFER")
        line = rng.choice(list(EMPLOYEES)) if spoken or not incoming else GROUP_LINE
        name, email = EMPLOYEES.get(line, ("", ""))
        did = rng.choice(list(LINES))
        number = rng.choice((number,) * 8 + (f"38{number}", f"+38{number}")) if number else number
        entry: Entry = {
            "companyID": "10881",
            "generalCallID": "",
            "callID": "",
            "startTime": str(start),
            "callType": call_type,
            "internalNumber": line,
            "internalAdditionalData": "",
            "externalNumber": number,
            "srcNumber": number if incoming else line,
            "customerData": customer,
            "employeeName": name,
            "employeeEmail": email,
            "waitsec": round(rng.expovariate(1 / 12)) + 2,
            "billsec": str(round(rng.lognormvariate(4.6, 0.9)) + 1 if spoken else 0),
            "disposition": disposition,
            "isNewCall": str(rng.randrange(2)),
            "did": did,
            "didNumber": did,
            "didName": LINES[did],
        }
        if incoming:
            entry["dstNumbers"] = [
                {"dstNumber": tried} for tried in ([line] if spoken else rng.sample(list(EMPLOYEES), 2))
            ]
            if did == "0443334002":
                entry["callTrackingData"] = {
                    "utm_source": "google",
                    "utm_medium": "cpc",
                    "domain": "https://example.com/",
                }
        else:
            entry["trunkNumber"] = did
        if disposition.startswith("SMS"):
            entry["smsContent"] = "Ваше замовлення готове"
        if rng.random() < 0.3:
            entry["startTime"], entry["callType"], entry["billsec"] = start, int(call_type), int(entry["billsec"])
            entry["waitsec"] = str(entry["waitsec"])
        return entry


class Customers:
    """The company's "My clients", which can be changed: with the server's rules, in memory."""

    def __init__(self, callers: list[tuple[str, Any]], seed: int) -> None:
        rng = random.Random(f"{seed} My clients")
        self.labels = {str(7000 + index): name for index, name in enumerate(LABELS)}
        self.customers: dict[str, Entry] = {}
        namesakes: Counter[str] = Counter()
        for number, known in callers:
            if not known:
                continue
            namesakes[known["name"]] += 1
            count = namesakes[known["name"]]
            name = known["name"] if count == 1 else f"{known['name']} {count}"
            more = {
                "description": rng.choice(("", "", "Постійний клієнт", *HOSTILE_NAMES)),
                "email": rng.choice(("", "client@example.com")),
                "assignedToEmployeeNumber": rng.choice(("", *EMPLOYEES)),
                "labels": rng.sample(list(self.labels), rng.choice((0, 0, 1, 2))),
            }
            numbers = [number, *([f"0800{number[-6:]}"] if rng.random() < 0.1 else [])]
            self.customers[known["id"]] = self._made(known["id"], {"name": name, "numbers": numbers} | more)

        self._last_id = 6600 + len(callers)

    def create(self, params: dict[str, Any]) -> str:
        self._check(params, "")
        self._last_id += 1
        identity = str(self._last_id)
        self.customers[identity] = self._made(identity, params)
        return identity

    def update(self, params: dict[str, Any]) -> None:
        identity = str(params["id"])
        customer = self._known(identity)
        self._check(params, identity)
        before = {name: customer[name] for name in ("name", "numbers", "description", "email")}
        before["assignedToEmployeeNumber"] = customer["assignedToEmployeeNumber"]
        before["labels"] = [label["id"] for label in customer["labels"] or []]
        self.customers[identity] = self._made(identity, before | params)

    def delete(self, identities: list[str]) -> None:
        for identity in identities:
            self._known(identity)
        for identity in identities:
            del self.customers[identity]

    def search(self, subject: str) -> list[Entry]:
        wanted = subject.lower()
        return [
            customer
            for customer in self.customers.values()
            if wanted in customer["name"].lower() or any(wanted in number for number in customer["numbers"])
        ]

    def _known(self, identity: str) -> Entry:
        if identity not in self.customers:
            raise Refusal(104, "Wrong data")
        return self.customers[identity]

    def _check(self, params: dict[str, Any], identity: str) -> None:
        """Names and numbers belong to one customer; employees and labels exist."""
        others = [customer for customer in self.customers.values() if customer["id"] != identity]
        numbers = params.get("numbers", [])
        if not isinstance(numbers, list) or not all(isinstance(number, str) and number for number in numbers):
            raise Refusal(104, "Wrong data")
        taken = {number for customer in others for number in customer["numbers"]}
        if (
            ("name" in params and not params["name"])
            or ("numbers" in params and not numbers)
            or params.get("name") in {customer["name"] for customer in others}
            or len(set(numbers)) < len(numbers)
            or taken & set(numbers)
            or str(params.get("assignedToEmployeeNumber", "")) not in ("", *EMPLOYEES)
            or not {str(label) for label in params.get("labels", [])} <= self.labels.keys()
        ):
            raise Refusal(104, "Wrong data")

    def _made(self, identity: str, params: dict[str, Any]) -> Entry:
        line = str(params.get("assignedToEmployeeNumber", ""))
        labels = [{"id": str(label), "name": self.labels[str(label)]} for label in params.get("labels", [])]
        return {
            "id": identity,
            "name": params["name"],
            "description": params.get("description", ""),
            "email": params.get("email", ""),
            "assignedToEmployeeID": line and f"55{line}",
            "assignedToEmployeeNumber": line,
            "assignedToEmployee": EMPLOYEES.get(line, ("", ""))[0],
            "numbers": list(params.get("numbers", [])),
            "labels": labels or "",
        }


@dataclass
class PlacedCall:
    """A call that somebody asked for: it goes on from `start` to `stop`, answered at `answered` if at all."""

    entry: Entry
    start: float
    stop: float
    answered: float | None
    disposition: str

    def seen_at(self, now: float) -> Entry:
        is_over = now >= self.stop
        until = min(now, self.stop)
        talked = until - self.answered if self.answered is not None and until >= self.answered else 0
        waited = until - self.start - talked
        disposition = self.disposition if is_over else "ONLINE"
        return self.entry | {"disposition": disposition, "waitsec": round(waited), "billsec": str(round(talked))}


def local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, ACCOUNT_ZONE)


def day_limits(day: date) -> tuple[int, int]:
    """The first and the last second of the account's calendar day, in Unix seconds."""
    first, after = (datetime.combine(start, time_of_day(), ACCOUNT_ZONE) for start in (day, day + timedelta(days=1)))
    return int(first.timestamp()), int(after.timestamp()) - 1


def recording(call: Entry) -> bytes:
    """The call's recording: an MP3 as long as the talk, silent, with the call's id as its title."""
    title = b"\x03" + str(call["callID"]).encode()
    tag = b"TIT2" + len(title).to_bytes(4) + b"\0\0" + title
    frame = bytes.fromhex("fff328c4") + bytes(68)  # MPEG-2 layer III, 16 kbit/s, 16 kHz, mono: 36 ms
    frames = int(call["billsec"]) * 1000 // 36 + 1
    return b"ID3\x03\0\0" + len(tag).to_bytes(4) + tag + frame * frames


# --- The server --------------------------------------------------------------


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """An error as the API answers it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Sandbox:
    """What the server knows and remembers: the company, the quota, what was asked, and which answers are to fail."""

    def __init__(
        self,
        *,
        seed: int = 1,
        calls_per_day: int = 200,
        time_scale: float = 1,
        key: str = KEY,
        secret: str = SECRET,
        latency: float = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.latency = latency
        self.company = Company(seed, calls_per_day)
        self.customers = Customers(self.company.callers, seed)
        self.clock = clock
        self.requests: list[dict[str, Any]] = []
        self.faults: dict[str, list[str]] = {}
        self.base_url = ""
        self._time_scale = time_scale
        self._key = key
        self._secret = secret
        self._heavy_times: list[float] = []
        self._placed: dict[str, PlacedCall] = {}
        self._lock = threading.Lock()

    def take_fault(self, method: str) -> str:
        """The way in which this answer is to fail, or ""."""
        with self._lock:
            waiting = self.faults.get(method)
            return waiting.pop(0) if waiting else ""

    def log(self, arrived: float, method: str, code: int) -> None:
        self.requests.append({"time": arrived, "method": method, "code": code})

    def answer(self, name: str, body: bytes) -> dict[str, Any]:
        """The answer to a request, signed, or an error as the API sends it."""
        try:
            answer = {"status": "success"} | self._content(name, body)
        except Refusal as refusal:
            return {"status": "error", "code": refusal.code, "message": str(refusal)}
        return answer | {"signature": sign(answer, self._secret)}

    def _content(self, name: str, body: bytes) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            raise Refusal(102, "No such method")
        try:
            params = json.loads(body)
            known = params.pop("key") == self._key and params.pop("signature") == sign(params, self._secret)
        except (ValueError, KeyError, TypeError, AttributeError):
            known = False
        if not known:
            raise Refusal(121, "Your key or secret is wrong")
        self._spend_quota(method)
        if any(params.get(required) in (None, "", []) for required in method.required):
            raise Refusal(103, "Not enough data")
        if name == "stats/call-record":
            return {"url": self._record_link(str(params["callID"]))}
        if not name.startswith("stats/"):
            with self._lock:
                match name.partition("/")[0]:
                    case "customers":
                        return self._customers(name, params)
                    case "calls":
                        return self._place_or_change(method, params)
                    case _:
                        return self._settings(name)
        calls = list(self._calls(method, params))
        if method.cap is not None and len(calls) > method.cap:
            # Nobody documents which calls are missing: here it may be any.
            kept = sorted(random.Random(len(calls)).sample(range(len(calls)), method.cap))
            calls = [calls[index] for index in kept]
        return {"callDetails": {call["generalCallID"]: call for call in calls}}

    def _customers(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        base = self.customers
        match name:
            case "customers/list":
                return {"customerData": base.customers}
            case "customers/take-by-id":
                wanted = {str(identity) for identity in listed(params["customerID"])}
                return {"customerData": {key: value for key, value in base.customers.items() if key in wanted}}
            case "customers/take-by-label":
                wanted = {str(identity) for identity in listed(params["labelID"])}
                found = {
                    key: value
                    for key, value in base.customers.items()
                    if wanted & {label["id"] for label in value["labels"] or []}
                }
                return {"customerData": found}
            case "customers/search":
                return {"customerData": {found["id"]: found for found in base.search(str(params["subject"]))}}
            case "customers/create":
                return {"customerID": base.create(params)}
            case "customers/update":
                base.update(params)
                return {}
            case "customers/delete":
                base.delete([str(identity) for identity in listed(params["customerID"])])
                return {}
            case _:  # customers/listOfLabels
                return {"listOfLabels": {key: {"id": key, "name": name} for key, name in base.labels.items()}}

    def _settings(self, name: str) -> dict[str, Any]:
        match name:
            case "settings/list-of-employees":
                return {
                    "listOfEmployees": {
                        email: {
                            "employeeID": f"55{line}",
                            "email": email,
                            "name": name,
                            "mobilePhoneNumber": "",
                            "presenceState": "active",
                            "department": "",
                            "extNumber": line,
                            "extHash": hashlib.sha256(f"{self._secret} {line}".encode()).hexdigest()[:16],
                            "extStatus": {"status": "offline" if line == OFFLINE_LINE else "online"},
                        }
                        for line, (name, email) in EMPLOYEES.items()
                    }
                }
            case "settings/list-of-routes":
                routes = [{"id": str(91 + index), "name": name, "description": ""} for index, name in enumerate(MENUS)]
                return {"listOfRoutes": {"routeWithTime": routes[:1], "route": routes[1:]}}
            case _:  # settings/list-of-voice-files
                files = {key: {"id": key, "name": name, "type": "announcement"} for key, name in VOICE_FILES.items()}
                return {"listOfVoiceFiles": files}

    def _place_or_change(self, method: Method, params: dict[str, Any]) -> dict[str, Any]:
        """The calls/* methods: a call is placed, transferred or ended."""
        name = method.name.removeprefix("calls/")
        if name in ("attended-call-transfer", "hangup-call"):
            call = self._placed.get(str(params["generalCallID"]))
            now = self.clock()
            is_answered = call is not None and call.answered is not None and call.answered <= now
            if call is None or now >= call.stop or (name != "hangup-call" and not is_answered):
                raise Refusal(104, "Wrong data")
            if name == "hangup-call":
                call.stop, call.disposition = now, call.disposition if is_answered else "CANCEL"
            else:
                call.disposition = "TRANSFER"
            return {}
        line = str(params.get("ext_number", ""))
        phone = str(params.get("phone_number") or params["phoneNumber1"])
        trunk = str(params.get("trunkNumber") or next(iter(LINES)))
        if (
            trunk not in LINES
            or ("voiceFileID" in method.required and str(params["voiceFileID"]) not in VOICE_FILES)
            or ("ivrName" in method.required and params["ivrName"] not in MENUS)
        ):
            raise Refusal(104, "Wrong data")
        if name == "ext-to-phone" and (line not in EMPLOYEES or line == OFFLINE_LINE):
            raise Refusal(150, "Can't call to the ext")
        if not re.fullmatch(r"\+?[0-9]{3,15}", phone) or phone.endswith("7"):
            raise Refusal(151, "Can't call to the external number")
        return {"generalCallID": self._place(line, phone, trunk, params)} if method.answer else {}

    def _place(self, line: str, phone: str, trunk: str, params: dict[str, Any]) -> str:
        identity = f"8{len(self._placed) + 1:010}"
        start, scale = self.clock(), self._time_scale
        disposition = {"8": "BUSY", "9": "NOANSWER"}.get(phone[-1], "ANSWER")
        answered = start + RING_SECONDS * scale if disposition == "ANSWER" else None
        talk = min(TALK_SECONDS, seconds(params.get("limitCallTime") or TALK_SECONDS))
        name, email = EMPLOYEES.get(line, ("", ""))
        known = (customer for number, customer in self.company.callers if number[-9:] == phone[-9:])
        entry = {
            "companyID": "10881",
            "generalCallID": identity,
            "callID": identity,
            "startTime": str(int(start)),
            "callType": "1",
            "internalNumber": line,
            "internalAdditionalData": "",
            "externalNumber": phone,
            "srcNumber": line,
            "customerData": next(known, ""),
            "employeeName": name,
            "employeeEmail": email,
            "isNewCall": "0",
            "did": trunk,
            "didNumber": trunk,
            "didName": LINES[trunk],
            "trunkNumber": trunk,
        }
        stop = (answered + talk * scale) if answered is not None else start + 3 * RING_SECONDS * scale
        self._placed[identity] = PlacedCall(entry, start, stop, answered, disposition)
        return identity

    def _spend_quota(self, method: Method) -> None:
        if not method.gap:
            return
        with self._lock:
            now = self.clock()
            recent = [moment for moment in self._heavy_times if moment > now - QUOTA_WINDOW_SECONDS * self._time_scale]
            if len(recent) >= QUOTA_FREE_REQUESTS and now - recent[-1] < method.gap * self._time_scale:
                raise Refusal(106, "Requests are too frequent")
            self._heavy_times = [*recent, now]

    def _calls(self, method: Method, params: dict[str, Any]) -> Iterable[Entry]:
        now = int(self.clock())
        today = day_limits(local(now).date())
        match method.name.removeprefix("stats/"):
            case "incoming-calls-for-period":
                return self._period(method, params, "0")
            case "outgoing-calls-for-period":
                return self._period(method, params, "1")
            case "list-of-calls-for-period":
                return self._period(method, params)
            case "calltracking-calls-for-period":
                return (call for call in self._period(method, params) if "callTrackingData" in call)
            case "list-of-calls-by-internal-number-for-period":
                line = str(params["internalNumber"])
                return (call for call in self._period(method, params) if call["internalNumber"] == line)
            case "all-incoming-calls-since":
                return self._visible(max(seconds(params["timestamp"]), self._oldest(now)), now, "0")
            case "all-outgoing-calls-since":
                return self._visible(max(seconds(params["timestamp"]), self._oldest(now)), now, "1")
            case "list-of-calls-per-day":
                day = (
                    local(seconds(params["dayInTimestamp"])).date() if "dayInTimestamp" in params else local(now).date()
                )
                return self._visible(*day_limits(day))
            case "list-of-lost-calls-for-today":
                return (call for call in self._visible(*today, "0") if call["disposition"] in LOST_DISPOSITIONS)
            case "online-calls":
                return (call for call in self._visible(now - 86400, now) if call["disposition"] == "ONLINE")
            case "history-by-number":
                wanted = {str(number)[-9:] for number in listed(params["number"])}
                return (call for call in self._history(HISTORY_DAYS) if call["externalNumber"][-9:] in wanted)
            case "history-by-customer-id":
                wanted = {str(identity) for identity in listed(params["customerID"])}
                return (
                    call
                    for call in self._history(HISTORY_DAYS)
                    if call["customerData"] and call["customerData"]["id"] in wanted
                )
            case "recent-calls-by-internal-number":
                line = str(params["internalNumber"])
                return [call for call in self._history(RECENT_DAYS) if call["internalNumber"] == line][-50:]
            case _:  # call-details
                return [call for identity in listed(params["generalCallID"]) if (call := self._find(str(identity)))]

    def _period(self, method: Method, params: dict[str, Any], call_type: str = "") -> Iterable[Entry]:
        start, stop = seconds(params["startTime"]), seconds(params["stopTime"])
        if stop < start or (method.max_days and stop - start > method.max_days * 86400):
            raise Refusal(104, "Wrong data")
        return self._visible(start, stop, call_type)

    def _oldest(self, now: int) -> int:
        """How far back whoever asks for everything until now is answered: not for the calls of decades."""
        return now - HISTORY_DAYS * 86400

    def _history(self, days: int) -> Iterable[Entry]:
        now = int(self.clock())
        return self._visible(now - days * 86400, now)

    def _visible(self, start: int, stop: int, call_type: str = "") -> Iterable[Entry]:
        """The calls of a period as they look now: none from the future, and those that go on marked so."""
        now = self.clock()
        placed = [call.seen_at(now) for call in list(self._placed.values()) if start <= int(call.start) <= stop]
        made_up = self.company.calls_between(start, stop)
        for call in heapq.merge(made_up, placed, key=lambda call: int(call["startTime"])):
            if int(call["startTime"]) > now or (call_type and str(call["callType"]) != call_type):
                continue
            if call["generalCallID"] in self._placed:
                yield call
                continue
            over = int(call["startTime"]) + int(call["waitsec"]) + int(call["billsec"]) <= now
            yield call if over else call | {"disposition": "ONLINE", "billsec": 0}

    def _find(self, identity: str) -> Entry | None:
        if identity in self._placed:
            return self._placed[identity].seen_at(self.clock())
        if not re.fullmatch(r"7[0-9]{5}[0-9]{5}", identity):  # a day of these centuries and a number
            return None
        day = date.fromordinal(int(identity[:6]))
        return next((call for call in self._visible(*day_limits(day)) if call["callID"] == identity), None)

    def _record_link(self, call_id: str) -> str:
        call = self._find(call_id)
        if not call or call["disposition"] not in RECORDED_DISPOSITIONS or not self._uploaded(call):
            raise Refusal(104, "Wrong data")
        expires = int(self.clock() + RECORD_LINK_SECONDS * self._time_scale)
        signature = self._record_signature(call_id, expires)
        root = self.base_url.removesuffix("/api/2.0")
        return f"{root}/records/{call_id}.mp3?AWSAccessKeyId=SANDBOX&Expires={expires}&Signature={signature}"

    def _uploaded(self, call: Entry) -> bool:
        end = int(call["startTime"]) + int(call["waitsec"]) + int(call["billsec"])
        return end + RECORD_UPLOAD_SECONDS <= self.clock()

    def _record_signature(self, call_id: str, expires: int) -> str:
        return hashlib.sha256(f"{self._secret} {call_id} {expires}".encode()).hexdigest()[:28]

    def recording(self, path: str, query: str) -> bytes | None:
        """The recording behind a link, or None when the link has expired or was never given."""
        call_id = path.removeprefix("/records/").removesuffix(".mp3")
        values = {name: given[0] for name, given in parse_qs(query).items()}
        expires = values.get("Expires", "")
        if not expires.isdecimal() or int(expires) < self.clock():
            return None
        if values.get("Signature") != self._record_signature(call_id, int(expires)):
            return None
        call = self._find(call_id)
        return recording(call) if call else None


def seconds(value: Any) -> int:
    if not re.fullmatch(r"[0-9]{1,11}", str(value)):
        raise Refusal(104, "Wrong data")
    return int(value)


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


class Handler(BaseHTTPRequestHandler):
    """HTTP in front of a Sandbox (`server.sandbox`)."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/sandbox/faults":
            self._add_fault(body)
        elif match := re.fullmatch(r"/api/2\.0/([^/]+/[^/]+)\.json", self.path):
            self._answer(match[1], body)
        else:
            self._send(404, "text/html", b"<html><body>Not Found</body></html>")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/sandbox/requests":
            self._send(200, "application/json", json.dumps(self.server.sandbox.requests).encode())
        elif parts.path.startswith("/records/"):
            self._send_recording(parts.path, parts.query)
        else:
            self._send(404, "text/html", b"<html><body>Not Found</body></html>")

    def _add_fault(self, body: bytes) -> None:
        try:
            wanted = json.loads(body)
            method, fault, count = wanted["method"], wanted["fault"], int(wanted.get("count", 1))
        except (ValueError, TypeError, KeyError):
            method = fault = ""
            count = 0
        if (method in METHODS and fault in FAULTS) or (method == RECORDS and fault in RECORD_FAULTS):
            self.server.sandbox.faults.setdefault(method, []).extend([fault] * count)
            self._send(200, "application/json", b"{}")
        else:
            usage = '{"method": "stats/call-details", "fault": FAULT, "count": 2}, where FAULT is one of: '
            of_records = f"; or, for the method {RECORDS}, one of: {', '.join(RECORD_FAULTS)}"
            self._send(400, "text/plain", f"send {usage}{', '.join(FAULTS)}{of_records}\n".encode())

    def _answer(self, method: str, body: bytes) -> None:
        sandbox = self.server.sandbox
        arrived = sandbox.clock()
        fault = sandbox.take_fault(method)
        time.sleep(sandbox.latency)
        if fault == "hang":
            sandbox.log(arrived, method, 0)
            self._hang()
        elif fault in FOREIGN_ANSWERS:
            status, kind, content = FOREIGN_ANSWERS[fault]
            sandbox.log(arrived, method, status)
            self._send(status, kind, content)
        else:
            answer: dict[str, Any] = {"status": "error", "code": fault[5:], "message": "Injected by the sandbox"}
            if not fault.startswith("code-"):
                answer = sandbox.answer(method, body)
            sandbox.log(arrived, method, int(answer.get("code", 0)))
            if fault == "bad-signature":
                answer["signature"] = "0" * 32
            if fault == "no-signature":
                answer.pop("signature", None)
            self._send(200, "application/json", php_json(answer).encode(), cut=fault == "cut-body")

    def _send_recording(self, path: str, query: str) -> None:
        sandbox = self.server.sandbox
        arrived = sandbox.clock()
        fault = sandbox.take_fault(RECORDS)
        time.sleep(sandbox.latency)
        content = sandbox.recording(path, query)
        wanted = re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", self.headers.get("Range", ""))
        more = {}
        if fault in FOREIGN_ANSWERS:
            status, kind, body = FOREIGN_ANSWERS[fault]
        elif fault == "redirect":
            status, kind, body, more = 302, "text/plain", b"", {"Location": "http://records.example.com/"}
        elif content is None:
            status, kind, body = FOREIGN_ANSWERS["http-403"]
        elif wanted is None:
            status, kind, body, more = 200, "audio/mpeg", content, {"Accept-Ranges": "bytes"}
        elif int(wanted[1]) >= len(content):
            status, kind, body, more = 416, "application/xml", b"", {"Content-Range": f"bytes */{len(content)}"}
        else:
            status, kind, body = 206, "audio/mpeg", content[int(wanted[1]) : int(wanted[2]) + 1 if wanted[2] else None]
            more = {"Content-Range": f"bytes {wanted[1]}-{int(wanted[1]) + len(body) - 1}/{len(content)}"}
        sandbox.log(arrived, RECORDS, status)
        if fault == "wrong-length":
            more["Content-Length"] = str(len(body) + 1000)
        self._send(status, kind, body, more, cut=fault in ("cut-body", "hang"))
        if fault == "hang":
            self._hang()
        self.close_connection = self.close_connection or fault == "wrong-length"

    def _hang(self) -> None:
        self.server.stopping.wait(3600)
        self.close_connection = True

    def _send(
        self, status: int, kind: str, body: bytes, more: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing on stderr: GET /sandbox/requests is the log."""


class Server(ThreadingHTTPServer):
    """A Sandbox on a port of this machine's own address; port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), Handler)
        sandbox.base_url = f"http://127.0.0.1:{self.server_address[1]}/api/2.0"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that goes away is no error of ours
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        self.stopping.set()
        super().server_close()


def main() -> None:
    first_line, _, more = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=first_line, epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8020, help="port on 127.0.0.1; 0 takes a free one (default: 8020)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another company (default: 1)")
    parser.add_argument("--calls-per-day", type=int, default=200, help="on an ordinary working day (default: 200)")
    parser.add_argument("--time-scale", type=float, default=1, help="0.01 makes the quota's times 100 times shorter")
    parser.add_argument("--latency", type=float, default=0, help="seconds that every answer takes longer (default: 0)")
    parser.add_argument("--key", default=KEY, help=f"the key to accept (default: {KEY})")
    parser.add_argument("--secret", default=SECRET, help=f"its secret (default: {SECRET})")
    options = vars(parser.parse_args())
    port = options.pop("port")
    try:
        server = Server(Sandbox(**options), port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"sandbox: port {port} cannot be used: {reason}. Choose another one with --port.")
    with server:
        print(f"sandbox ready: {server.sandbox.base_url}", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
