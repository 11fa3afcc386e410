"""A made-up Ukrainian company and its calls: the same ones for the same seed and day."""

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

Entry = dict[str, Any]

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
