"""A made-up Ukrainian company and its calls: the same ones for the same seed and day."""

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

from common.sandbox.visitors import calltracking, getcall

Entry = dict[str, Any]
Caller = tuple[str, Any]  # a number, and the customerData that belongs to it

ACCOUNT_ZONE = ZoneInfo("Europe/Kyiv")
COMPANY_ID = "10881"
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
NOBODYS_LINE = "909"  # at the front door
VOICE_FILES = {"81": "Привітання", "82": "Нагадування про візит"}
MENUS = ("Оцінка якості", "Головне меню")
LINES = {"0443334001": "Головна", "0443334002": "Реклама", "0673334003": ""}
ADVERTISED = "0443334002"
# Groups of lines, which ring when one of our numbers is called.
GROUPS = {"900": ("901", "902", "903", "904", "905", NOBODYS_LINE), "800": ("906", "907", "908")}
GROUP_OF_NUMBER = {"0443334001": "900", ADVERTISED: "800", "0673334003": "900"}
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
GOING_ON_DISPOSITIONS = ("", "ONLINE")
SPOKEN_DISPOSITIONS = ("ANSWER", "TRANSFER")
RECORDED_DISPOSITIONS = (*SPOKEN_DISPOSITIONS, "VM-SUCCESS", "SUCCESS")
NEWCOMERS_CODE = "068"  # of an operator whose numbers nobody else here has
MOST_NEWCOMERS = 500  # of a day: no number is given to two


class Company:
    """The calls of a made-up company: the same ones for the same seed and day, whenever they are asked for."""

    def __init__(self, seed: int, calls_per_day: int) -> None:
        self._seed = seed
        self._calls_per_day = calls_per_day
        self.calls_of_day = functools.lru_cache(maxsize=64)(self._make_day)
        rng = random.Random(f"{seed} customers")
        self.callers: list[Caller] = []  # who have called before, whatever the day
        for index in range(max(40, calls_per_day * 3 // 4)):
            number = f"0{rng.choice((39, 44, 50, 63, 66, 67, 73, 95, 97))}{rng.randrange(10**7):07}"
            name = f"{rng.choice(LAST_NAMES)} {rng.choice(FIRST_NAMES)}"
            if index < len(HOSTILE_NAMES):
                name = HOSTILE_NAMES[index]
            known = index < len(HOSTILE_NAMES) or rng.random() < 0.6
            self.callers.append((number, {"id": str(6600 + index), "name": name} if known else rng.choice(("", []))))
        strangers = [number for number, known in self.callers if not known]
        self._outside = {number: _from_outside(rng, number) for number in strangers if rng.random() < 0.3}

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
        newcomers = _newcomers(day)
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
            calls += self._phone_to_phone(rng, self._moment(rng, day))
            calls.append(self._asked_for(rng, self._moment(rng, day), next(newcomers)))
        while len(calls) < wanted:
            calls += self._conversation(rng, self._moment(rng, day), last, newcomers)
        calls = sorted(calls[: max(wanted, 2)], key=lambda call: int(call["startTime"]))
        have_called: set[str] = set()
        for index, call in enumerate(calls):
            call["generalCallID"] = call["callID"] = f"{day.toordinal()}{index:05}"
            number = call["externalNumber"][-10:]
            call["isNewCall"] = str(int(number.startswith(NEWCOMERS_CODE) and number not in have_called))
            have_called.add(number)
            if asked := call.get("getCallData"):
                asked.update(generalCallID=call["generalCallID"], isNewNumber=call["isNewCall"])
        return calls

    def _moment(self, rng: random.Random, day: date) -> int:
        hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
        moment = time_of_day(hour, rng.randrange(60), rng.randrange(60))
        return int(datetime.combine(day, moment, ACCOUNT_ZONE).timestamp())

    def _conversation(self, rng: random.Random, start: int, last: int, newcomers: Iterator[Caller]) -> list[Entry]:
        """A call and what follows from it: a lost caller tries again, and is called back or not."""
        if rng.random() < 0.3:
            return [self._call(rng, start, "1")]
        caller = next(newcomers, None) if rng.random() < 0.12 else None
        caller = caller or rng.choice(self.callers)
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

    def _asked_for(self, rng: random.Random, start: int, caller: Caller) -> Entry:
        """A call that a visitor of the site has asked for."""
        call = self._call(rng, start, "1", "ANSWER", caller)
        return call | {"getCallData": getcall(rng, start, caller[0])}

    def _phone_to_phone(self, rng: random.Random, start: int) -> list[Entry]:
        """The two entries that a call between two numbers outside makes."""
        legs = {"id": "", "name": f"Звонок {rng.randrange(10**7):07}"}
        numbers = [number for number, _ in rng.sample(self.callers, 2)]
        one, other = (self._call(rng, start, "1", "ANSWER", (number, legs)) for number in numbers)
        for leg in (one, other):
            leg |= {"internalNumber": "", "employeeName": "", "employeeEmail": "", "billsec": one["billsec"]}
            leg["trunkNumber"] = one["trunkNumber"]
            del leg["srcNumber"]
        return [one, other]

    def _call(
        self,
        rng: random.Random,
        start: int,
        call_type: str,
        disposition: str = "",
        caller: Caller | None = None,
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
        spoken = disposition in SPOKEN_DISPOSITIONS
        our_number = rng.choice(list(LINES))
        group = GROUP_OF_NUMBER[our_number]
        line = rng.choice(GROUPS[group]) if spoken and incoming else group if incoming else rng.choice(list(EMPLOYEES))
        name, email = EMPLOYEES.get(line, ("", ""))
        outside = self._outside.get(number)
        number = rng.choice((number,) * 8 + (f"38{number}", f"+38{number}")) if number else number
        entry: Entry = {
            "companyID": COMPANY_ID,
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
            "isNewCall": "0",
        }
        if outside:
            entry["customerDataFromOutside"] = outside
        if incoming:
            entry |= {"did": our_number, "didNumber": our_number, "didName": LINES[our_number]}
            if spoken and rng.random() < 0.8:  # others choose the line in a menu
                entry["internalAdditionalData"] = f"{group} > "
            entry["dstNumbers"] = _rung(rng, entry, group)
            if our_number == ADVERTISED:
                entry["callTrackingData"] = calltracking(rng, start)
        else:
            entry["trunkNumber"] = our_number
        if disposition.startswith("SMS"):
            entry["smsContent"] = "Ваше замовлення готове"
        if rng.random() < 0.3:
            entry["startTime"], entry["callType"], entry["billsec"] = start, int(call_type), int(entry["billsec"])
            entry["waitsec"] = str(entry["waitsec"])
        return entry


def _newcomers(day: date) -> Iterator[Caller]:
    """Callers who had never called before that day: their numbers are in no other."""
    for index in range(MOST_NEWCOMERS):
        yield f"{NEWCOMERS_CODE}{(day.toordinal() * MOST_NEWCOMERS + index) * 7919 % 10**7:07}", ""


def _from_outside(rng: random.Random, number: str) -> Entry:
    """What the company's own CRM knows of a number."""
    name = f"{rng.choice(LAST_NAMES)} {rng.choice(FIRST_NAMES)} (CRM)"
    return {"id": number[1:], "externalNumber": number, "name": name, "linkToCrmUrl": None}


def _rung(rng: random.Random, call: Entry, group: str) -> list[Entry]:
    """The lines that an incoming call was put through to: of a lost one some, of an answered one perhaps only one."""
    line, is_spoken = call["internalNumber"], call["disposition"] in SPOKEN_DISPOSITIONS
    in_vain = rng.sample([other for other in GROUPS[group] if other != line], 2)
    if is_spoken:
        in_vain = in_vain[: rng.choice((0, 0, 0, 1))] if call["internalAdditionalData"] else []
    waited, items = call["waitsec"], []
    for other in in_vain:
        wait = rng.randint(0, waited)
        waited -= wait
        items.append(_rung_in(group, other, wait, rng.choice(("NOANSWER", "NOANSWER", "BUSY"))))
    if is_spoken:
        item = _rung_in(group, line, waited, call["disposition"]) | {"billsec": call["billsec"]}
        items.append(item if call["internalAdditionalData"] else item | {"dstNumber": line})
    return items


def _rung_in(group: str, line: str, wait: int, disposition: str) -> Entry:
    name, email = EMPLOYEES.get(line, ("", ""))
    return {
        "dstNumber": f"{group} > {line}",
        "waitsec": str(wait),
        "billsec": "0",
        "disposition": disposition,
        "employeeName": name,
        "employeeEmail": email,
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
        disposition = self.disposition if is_over else "ONLINE" if talked else ""
        return self.entry | {"disposition": disposition, "waitsec": round(waited), "billsec": str(round(talked))}


def seen_at(now: float, call: Entry) -> Entry:
    """A call as it looks at a moment after it has begun: it rings, they talk, or it is over."""
    answered = int(call["startTime"]) + int(call["waitsec"])
    if answered + int(call["billsec"]) <= now:
        return call
    rung = _rung_so_far(call, int(now) - int(call["startTime"]))
    if answered <= now:
        return call | rung | {"disposition": "ONLINE", "billsec": str(int(now) - answered)}
    if rung and call["internalAdditionalData"]:
        # Who will answer is not known yet: the group rings.
        group = {"internalNumber": call["internalAdditionalData"].removesuffix(" > "), "internalAdditionalData": ""}
        rung |= group | {"employeeName": "", "employeeEmail": ""}
    return call | rung | {"disposition": "", "waitsec": int(now) - int(call["startTime"]), "billsec": "0"}


def _rung_so_far(call: Entry, seconds: int) -> Entry:
    """The dstNumbers of an incoming call that has gone on for so many seconds; nothing for one that has none."""
    if "dstNumbers" not in call:
        return {}
    items: list[Entry] = []
    for item in call["dstNumbers"]:
        wait, is_answer = int(item["waitsec"]), item["disposition"] in SPOKEN_DISPOSITIONS
        if seconds < wait:
            items.append(item | {"disposition": "", "waitsec": str(seconds), "billsec": "0"})
            break
        seconds -= wait
        items.append(item | {"disposition": "ONLINE", "billsec": str(seconds)} if is_answer else item)
    return {"dstNumbers": items}


def local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, ACCOUNT_ZONE)


def day_limits(day: date) -> tuple[int, int]:
    """The first and the last second of the account's calendar day, in Unix seconds."""
    first, after = (datetime.combine(start, time_of_day(), ACCOUNT_ZONE) for start in (day, day + timedelta(days=1)))
    return int(first.timestamp()), int(after.timestamp()) - 1
