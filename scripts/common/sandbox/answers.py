"""What the API answers: it checks signatures, the quota and parameters as Binotel does, and signs its answers."""

import hashlib
import heapq
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from binotel_core import METHODS, QUOTA_FREE_REQUESTS, QUOTA_WINDOW_SECONDS, Method, sign
from common.sandbox.company import (
    COMPANY_ID,
    EMPLOYEES,
    GOING_ON_DISPOSITIONS,
    LINES,
    LOST_DISPOSITIONS,
    MENUS,
    OFFLINE_LINE,
    VOICE_FILES,
    Company,
    Entry,
    PlacedCall,
    day_limits,
    local,
    seen_at,
)
from common.sandbox.customers import Customers
from common.sandbox.recordings import LINK_SECONDS, Recordings
from common.sandbox.refusal import Refusal
from common.sandbox.version4 import content_in_4, params_in_2

KEY = "sandbox-key"
SECRET = "sandbox-secret"  # noqa: S105 - no secret: everybody may use the sandbox
HISTORY_DAYS = 366  # how far back the company's history goes, seen from now
RECENT_DAYS = 14
RING_SECONDS = 4  # of a call that is placed; one that is not answered rings three times as long
TALK_SECONDS = 16
PHONE_FIELDS = ("phone_number", "phoneNumber1", "phoneNumber2", "externalNumber")
PRESENCE_STATES = ("active", "work in crm", "break in work", "inactive")


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
        self.offline = {OFFLINE_LINE}  # lines
        self._time_scale = time_scale
        self._key = key
        self._secret = secret
        self._heavy_times: list[float] = []
        self._placed: dict[str, PlacedCall] = {}
        self._presence = {f"55{line}": PRESENCE_STATES[0] for line in EMPLOYEES}
        self._lock = threading.Lock()
        self.recordings = Recordings(self._find, secret, clock, LINK_SECONDS * time_scale)

    def take_fault(self, method: str) -> str:
        """The way in which this answer is to fail, or ""."""
        with self._lock:
            waiting = self.faults.get(method)
            return waiting.pop(0) if waiting else ""

    def log(self, arrived: float, method: str, code: int) -> None:
        self.requests.append({"time": arrived, "method": method, "code": code})

    def answer(self, name: str, body: bytes, version: str = "2.0") -> dict[str, Any]:
        """The answer to a request, signed where the version signs, or an error as the API sends it.

        name: the method's, in METHODS
        """
        params, is_known = self._params(body, version)
        try:
            answer = {"status": "success"} | self._content_for(name, params, version, is_known)
        except Refusal as refusal:
            answer = {"status": "error", "code": refusal.code, "message": str(refusal)}
        return self._signed(answer, version, is_known)

    def refusal(self, code: str, message: str, body: bytes, version: str = "2.0") -> dict[str, Any]:
        """An error as the API sends it for whoever sent `body`, signed as an answer is; its code is a text here."""
        answer = {"status": "error", "code": code, "message": message}
        return self._signed(answer, version, self._params(body, version)[1])

    def _signed(self, answer: dict[str, Any], version: str, is_known: bool) -> dict[str, Any]:
        return answer | {"signature": sign(answer, self._secret)} if is_known and version == "2.0" else answer

    def _content_for(self, name: str, params: dict[str, Any], version: str, is_known: bool) -> dict[str, Any]:
        if name not in METHODS:
            raise Refusal(102, "No such method")
        if not is_known:
            raise Refusal(121, "Your key or secret is wrong")
        if version == "2.0":
            return self._content(METHODS[name], params)
        return content_in_4(self._content(METHODS[name], params_in_2(METHODS[name], params)), self.clock())

    def _params(self, body: bytes, version: str) -> tuple[dict[str, Any], bool]:
        """A request's parameters, and whether it comes from the company."""
        is_4 = version == "4.0"
        try:
            params = json.loads(body)
            key, proof = params.pop("key"), params.pop("secret" if is_4 else "signature")
            return params, key == self._key and proof == (self._secret if is_4 else sign(params, self._secret))
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}, False

    def _content(self, method: Method, params: dict[str, Any]) -> dict[str, Any]:
        name = method.name
        self._spend_quota(method)
        if any(params.get(required) in (None, "", []) for required in method.required):
            raise Refusal(103, "Not enough data")
        if name == "stats/call-record":
            return {"url": self.recordings.link(str(params["callID"]), self.base_url.removesuffix("/api/2.0"))}
        if name == "getcall/list-of-getcalls-for-period":
            asked = [call for call in self._period(method, params) if "getCallData" in call]
            return {"listOfGetCalls": {call["getCallData"]["id"]: call["getCallData"] for call in asked}}
        if not name.startswith("stats/"):
            with self._lock:
                match name.partition("/")[0]:
                    case "customers":
                        return self._customers(name, params)
                    case "calls":
                        return self._place_or_change(method, params)
                    case _:
                        return self._settings(name, params)
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

    def _settings(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "settings/change-employee-presence-state":
                if params["presenceState"] not in PRESENCE_STATES or str(params["employeeID"]) not in self._presence:
                    raise Refusal(104, "Wrong data")
                self._presence[str(params["employeeID"])] = params["presenceState"]
                return {}
            case "settings/list-of-employees":
                return {
                    "listOfEmployees": {
                        email: {
                            "employeeID": f"55{line}",
                            "email": email,
                            "name": name,
                            "mobilePhoneNumber": "",
                            "presenceState": self._presence[f"55{line}"],
                            "department": "",
                            "extNumber": line,
                            "extHash": hashlib.sha256(f"{self._secret} {line}".encode()).hexdigest()[:16],
                            "extStatus": {"status": "offline" if line in self.offline else "online"},
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
        phones = [str(params[field]) for field in PHONE_FIELDS if field in params]
        trunk = str(params.get("trunkNumber") or params.get("pbxNumber") or next(iter(LINES)))
        if (
            trunk not in LINES
            or ("voiceFileID" in method.required and str(params["voiceFileID"]) not in VOICE_FILES)
            or ("ivrName" in method.required and params["ivrName"] not in MENUS)
        ):
            raise Refusal(104, "Wrong data")
        if name == "ext-to-phone" and (line not in EMPLOYEES or line in self.offline):
            raise Refusal(150, "Can't call to the ext")
        if not all(re.fullmatch(r"\+?[0-9]{3,15}", phone) and not phone.endswith("7") for phone in phones):
            raise Refusal(151, "Can't call to the external number")
        legs = {"id": "", "name": f"Звонок {len(self._placed):07}"} if len(phones) > 1 else None
        identities = [self._place(line, phone, trunk, params, legs) for phone in phones]
        return {"generalCallID": identities[0]} if method.answer else {}

    def _place(self, line: str, phone: str, trunk: str, params: dict[str, Any], legs: Entry | None) -> str:
        """The id of a call that begins. `legs` is the customerData of one of two that make a conversation."""
        identity = f"8{len(self._placed) + 1:010}"
        start, scale = self.clock(), self._time_scale
        disposition = {"8": "BUSY", "9": "NOANSWER"}.get(phone[-1], "ANSWER")
        answered = start + RING_SECONDS * scale if disposition == "ANSWER" else None
        talk = min(TALK_SECONDS, seconds(params.get("limitCallTime") or TALK_SECONDS))
        name, email = EMPLOYEES.get(line, ("", ""))
        known = (customer for number, customer in self.company.callers if number[-9:] == phone[-9:])
        entry = {
            "companyID": COMPANY_ID,
            "generalCallID": identity,
            "callID": identity,
            "startTime": str(int(start)),
            "callType": "1",
            "internalNumber": line,
            "internalAdditionalData": "",
            "externalNumber": phone,
            "customerData": legs or next(known, ""),
            "employeeName": name,
            "employeeEmail": email,
            "isNewCall": "0",
            "trunkNumber": trunk,
        }
        if not legs:
            entry["srcNumber"] = line
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
                return (
                    call for call in self._visible(now - 86400, now) if call["disposition"] in GOING_ON_DISPOSITIONS
                )
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
            yield seen_at(now, call)

    def _find(self, identity: str) -> Entry | None:
        if identity in self._placed:
            return self._placed[identity].seen_at(self.clock())
        if not re.fullmatch(r"7[0-9]{5}[0-9]{5}", identity):  # a day of these centuries and a number
            return None
        day = date.fromordinal(int(identity[:6]))
        return next((call for call in self._visible(*day_limits(day)) if call["callID"] == identity), None)


def seconds(value: Any) -> int:
    if not re.fullmatch(r"[0-9]{1,11}", str(value)):
        raise Refusal(104, "Wrong data")
    return int(value)


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
