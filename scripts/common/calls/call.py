"""A callDetails entry -> a Call: its types, its time zone, what it means."""

import dataclasses
import functools
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from common.calls.entries import UnreadableError, readable
from common.calls.phone import KAZAKHSTAN, country_of, dialable, shown_number
from common.csv_texts import fit_for_cell

INCOMING = "0"
OUTGOING = "1"

ANSWERED_DISPOSITIONS = frozenset(("ANSWER", "TRANSFER"))
# An incoming call that ended so was lost: nobody spoke to the caller.
LOST_DISPOSITIONS = frozenset(("NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL", "VM", "VM-SUCCESS"))
MESSAGE_DISPOSITIONS = frozenset(("SMS-SENDING", "SMS-SUCCESS", "SMS-FAILED", "SUCCESS", "FAILED"))  # SMS and fax
RECORDED_DISPOSITIONS = frozenset(("ANSWER", "TRANSFER", "VM-SUCCESS", "SUCCESS"))  # of what there can be a recording
GOING_ON_DISPOSITIONS = frozenset(("", "ONLINE", "CALLING"))
KNOWN_DISPOSITIONS = ANSWERED_DISPOSITIONS | LOST_DISPOSITIONS | MESSAGE_DISPOSITIONS | GOING_ON_DISPOSITIONS

EARLIEST_START = 946_684_800  # 2000-01-01: Binotel was not there before
DAY_SECONDS = 86400

# A call that began so long ago is surely over, and in the lists as what it became.
SETTLED_SECONDS = 3 * 3600

# The two calls that phone-to-phone makes begin within so long, and name whom they call after their conversation.
LEGS_APART_SECONDS = 90
_NAME_OF_LEGS = re.compile("Звонок [0-9]+")

# Numbers are compared by their last digits: 0671234567 and +380671234567 are one number.
SIGNIFICANT_DIGITS = 9

# What is not written as it is: control characters, and what else XML 1.0 forbids (halves of surrogate pairs and two
# that are no characters); and what turns the writing around or cannot be seen, so that one name looks like another.
NOT_SHOWN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
SHORT = 200  # texts that are worth remembering
MOST_DIGITS = 11  # of a time in seconds: what has more is in milliseconds
_NAMES_OF_SOURCE = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "domain")
_FIELDS_OF_RUNG = frozenset(("dstNumber", "internalNumber", "disposition"))
_JOINER = "\u200d"  # makes one picture of several


class Rung(NamedTuple):
    """A line that an incoming call was put through to, and what came of it there; "" for what is not known."""

    line: str
    group: str
    employee: str
    disposition: str
    wait_seconds: int
    talk_seconds: int


class Source(NamedTuple):
    """What led a caller here, as call tracking or a GetCall tells it; "" for what it does not.

    domain: of the site
    page:   the address on it
    """

    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str
    domain: str
    page: str


class Call(NamedTuple):
    """A call (or an SMS, or a fax) as the reports need it. Texts are clean: one line, no control characters.

    start:           aware, in the account's time zone
    unix_start:      the same in Unix seconds: what to compare and to subtract, since times of one zone compare as the
                     wall clock shows them, which repeats an hour in autumn
    call_type:       INCOMING, OUTGOING, or what the server sent
    number:          the other side's, as the server sent it; "" or a word when hidden
    line:            the internal number
    group:           of lines, through which an answered call came; "" where it did not
    employee:        name, else e-mail address, else ""
    customer:        name in "My clients", else the one from outside, else ""
    is_client:       whether it is one of "My clients"
    is_new:          whether the server says that the number had never called
    wait_seconds:    until it was answered or given up
    our_number:      the company's number that was called, or called from
    rung:            the lines that it was put through to, in their order
    source:          None where nothing is known of it
    recording_state: "uploading", "uploaded", "" where there is none or the server does not tell
    legs_name:       a name that the server made up for the two calls of one conversation; see one_call_each()
    first_number:    of a call between two numbers outside, the one that was called before `number`
    """

    general_call_id: str
    start: datetime
    unix_start: int
    call_type: str
    number: str
    line: str
    group: str
    employee: str
    customer: str
    is_client: bool
    is_new: bool
    disposition: str
    wait_seconds: int
    talk_seconds: int
    our_number: str
    our_number_name: str
    rung: tuple[Rung, ...]
    source: Source | None
    recording_state: str
    legs_name: str
    first_number: str = ""

    @classmethod
    def from_entry(cls, entry: Any, timezone: ZoneInfo) -> "Call":
        """The Call of a callDetails entry. Raises UnreadableError for one without an id or without a time."""
        if not isinstance(entry, dict):
            raise UnreadableError("call", "", "", entry)
        general_call_id = id_of(entry)
        if not general_call_id:
            raise UnreadableError("call", "", "generalCallID", entry.get("generalCallID"))
        start = start_of(entry)
        if not start:
            raise UnreadableError("call", general_call_id, "startTime", entry.get("startTime"))
        client, our_number = object_in(entry, "customerData"), object_in(entry, "pbxNumberData")
        customer = clean(client.get("name")) or clean(object_in(entry, "customerDataFromOutside").get("name"))
        call_type, line = clean(entry.get("callType")), clean(entry.get("internalNumber"))
        group, employee = _group_and_line(clean(entry.get("internalAdditionalData")))[0], _employee(entry)
        disposition = disposition_of(clean(entry.get("disposition")))
        wait_seconds, talk_seconds = _seconds(entry.get("waitsec")), _seconds(entry.get("billsec"))
        legs_name = customer if call_type == OUTGOING and not line and _NAME_OF_LEGS.fullmatch(customer) else ""
        rung = _rung(entry)
        if not rung and line and call_type == INCOMING and disposition in ANSWERED_DISPOSITIONS:
            # Who answers was rung, whether the server says so or not.
            rung = (Rung(line, group, employee, disposition, wait_seconds, talk_seconds),)
        return cls(
            general_call_id=general_call_id,
            start=datetime.fromtimestamp(start, timezone),
            unix_start=start,
            call_type=call_type,
            number=clean(entry.get("externalNumber")),
            line=line,
            group=group,
            employee=employee,
            customer=customer,
            is_client=bool(clean(client.get("id")) or clean(client.get("name"))) and not legs_name,
            is_new=entry.get("isNewCall") in (1, "1"),
            disposition=disposition,
            wait_seconds=wait_seconds,
            talk_seconds=talk_seconds,
            our_number=clean(entry.get("didNumber"))
            or clean(our_number.get("number"))
            or clean(entry.get("did"))
            or clean(entry.get("trunkNumber")),
            our_number_name=clean(entry.get("didName")) or clean(our_number.get("name")),
            rung=rung,
            source=_source(entry),
            recording_state=clean(entry.get("recordingStatus")),
            legs_name=legs_name,
        )

    @property
    def is_conversation(self) -> bool:
        """A call in the sense of every total: not an SMS, not a fax."""
        return self.disposition not in MESSAGE_DISPOSITIONS

    @property
    def is_incoming(self) -> bool:
        return self.call_type == INCOMING and self.is_conversation

    @property
    def is_outgoing(self) -> bool:
        return self.call_type == OUTGOING and self.is_conversation

    @property
    def is_answered(self) -> bool:
        return self.disposition in ANSWERED_DISPOSITIONS

    @property
    def is_lost(self) -> bool:
        return self.call_type == INCOMING and self.disposition in LOST_DISPOSITIONS

    @property
    def has_message(self) -> bool:
        """Whether the caller left a message in the voice mail."""
        return self.disposition == "VM-SUCCESS"

    @property
    def can_be_recorded(self) -> bool:
        """Whether there can be a recording of it."""
        return self.disposition in RECORDED_DISPOSITIONS

    def is_going_on(self, now: float) -> bool:
        """Whether it has not ended at a moment, in Unix seconds, as far as its state tells."""
        return goes_on(self.disposition, self.unix_start, self.talk_seconds, now)

    @property
    def number_key(self) -> str:
        """What two forms of one number have in common; "" for a hidden number."""
        return key_of(self.number)

    @property
    def number_keys(self) -> tuple[str, ...]:
        """Of everybody who is called: of a call between two numbers outside, the keys of both."""
        return (self.number_key, key_of(self.first_number)) if self.first_number else (self.number_key,)

    @property
    def shown_number(self) -> str:
        """The number as people are shown it: one form for all that can be called from anywhere, else as it came."""
        country = country_of(self.start.tzinfo)  # type: ignore[arg-type]
        shown = shown_number(self.number, country)
        return f"{shown_number(self.first_number, country)} → {shown}" if self.first_number else shown

    @property
    def dialable(self) -> str:
        """The number as a phone dials it, from anywhere if that can be told; "" for a hidden one."""
        return dialable(self.number, country_of(self.start.tzinfo))  # type: ignore[arg-type]

    @property
    def cabinet_page(self) -> str:
        """The address of its page in the account's cabinet; "" for a hidden number.

        Its form is that of a link in a webhook of 2024.
        """
        if not self.number_key:
            return ""
        country = country_of(self.start.tzinfo)  # type: ignore[arg-type]
        return (
            f"https://my.binotel.{'kz' if country == KAZAKHSTAN else 'ua'}/f/pbx/#/calls/by-number"
            f"?subject={quote(self.number, safe='')}&sacte=ovl-link-pb-{quote(self.general_call_id, safe='')}"
        )


@dataclasses.dataclass
class Calls:
    """The Calls of callDetails entries. Those of a list are kept; others are made anew each time they are gone through,
    for a year's may be more than memory holds.

    unreadable, sentences: how many entries could not be read, and what there is to say of them: known when they were
                           gone through to the end
    """

    entries: Iterable[Any]
    timezone: ZoneInfo
    unreadable: int = dataclasses.field(default=0, init=False)
    sentences: list[str] = dataclasses.field(default_factory=list, init=False)
    _kept: list[Call] | None = dataclasses.field(default=None, init=False)

    def __iter__(self) -> Iterator[Call]:
        if self._kept is not None:
            yield from self._kept
            return
        sentences: list[str] = []
        calls = one_call_each(self._read(sentences.append))
        if isinstance(self.entries, list):
            self._kept, self.sentences = list(calls), sentences
            yield from self._kept
        else:
            yield from calls
            self.sentences = sentences

    def _read(self, tell: Callable[[str], None]) -> Iterator[Call]:
        self.unreadable = yield from readable(self.entries, lambda entry: Call.from_entry(entry, self.timezone), tell)


def one_call_each(calls: Iterable[Call]) -> Iterator[Call]:
    """Calls in time order, with one for each conversation: the two legs of phone-to-phone are made one call.

    It stands in the first leg's place. Each leg has the name that the server made up for both of them.
    """
    held: list[Call] = []  # from the first leg on whose other one may come yet
    for call in calls:
        if not (held or call.legs_name):
            yield call
            continue
        firsts = [index for index, first in enumerate(held) if _are_legs(first, call)]
        if firsts:
            held[firsts[0]] = _of_legs(held[firsts[0]], call)
        else:
            held.append(call)
        while held and not (_is_leg(held[0]) and call.unix_start - held[0].unix_start <= LEGS_APART_SECONDS):
            yield held.pop(0)
    yield from held


def _is_leg(call: Call) -> bool:
    return bool(call.legs_name) and not call.first_number


def _are_legs(first: Call, other: Call) -> bool:
    return (
        _is_leg(first)
        and first.legs_name == other.legs_name
        and first.general_call_id != other.general_call_id
        and abs(other.unix_start - first.unix_start) <= LEGS_APART_SECONDS
    )


def _of_legs(one: Call, other: Call) -> Call:
    """The call that two legs are: as long as the later one, and with its result."""
    first, later = sorted((one, other), key=lambda leg: (leg.unix_start, len(leg.general_call_id), leg.general_call_id))
    return later._replace(
        general_call_id=first.general_call_id,
        start=first.start,
        unix_start=first.unix_start,
        our_number=later.our_number or first.our_number,
        our_number_name=later.our_number_name or first.our_number_name,
        first_number=first.number,
    )


def calls_with_entries(
    entries: Iterable[Any], timezone: ZoneInfo, tell: Callable[[str], None]
) -> Iterator[tuple[Call, dict[str, Any]]]:
    """Each Call with the callDetails entry that it is made of; what cannot be read is told: see readable()."""
    return readable(entries, lambda entry: (Call.from_entry(entry, timezone), entry), tell)


def object_in(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a field holds that should be an object; an empty one for what the server sends where it has none.

    It sends "", [], null, nothing at all, or a list with the object in it, which PHP may write as {"0": ...}, too.
    """
    value = entry.get(name)
    if not value:
        return {}
    if isinstance(value, dict) and not next(iter(value)).isdecimal():
        return value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((item for item in items if isinstance(item, dict)), {})


def start_of(entry: Any) -> int:
    """When a callDetails entry began, in Unix seconds; 0 where that cannot be, or cannot be read."""
    start = _seconds(entry.get("startTime")) if isinstance(entry, dict) else 0
    return start if EARLIEST_START <= start <= time.time() + DAY_SECONDS else 0


def id_of(entry: Any) -> str:
    """A callDetails entry's generalCallID, else its callID, else ""."""
    return clean(entry.get("generalCallID")) or clean(entry.get("callID")) if isinstance(entry, dict) else ""


def goes_on(disposition: str, start: float, talk_seconds: int, now: float) -> bool:
    """Whether a call that began at `start` has not ended at `now`, both in Unix seconds, as far as its state tells.

    A state that nobody knows is no end either, unless somebody has spoken. After three hours it was left behind.
    """
    is_known = disposition in KNOWN_DISPOSITIONS or talk_seconds > 0
    return (disposition in GOING_ON_DISPOSITIONS or not is_known) and start > now - SETTLED_SECONDS


@functools.lru_cache(1000)
def disposition_of(text: str) -> str:
    """A call's state or result as it is compared: NOANSWER, however it is written; one that is not known, as it is."""
    known = text.upper().replace(" ", "")
    return known if known in KNOWN_DISPOSITIONS else text


def in_time_order(call: Call) -> tuple[int, str]:
    """What to sort calls by."""
    return call.unix_start, call.general_call_id


def clean(value: Any) -> str:
    """A value from the server as one line of text that any file format can hold; "" for whatever is no text.

    Characters that control something or cannot be seen become U+FFFD, so that it shows that something was there.
    """
    if isinstance(value, str):
        # Half of what comes are ids and numbers; of the rest, most has come before.
        if value.isascii() and value.isalnum() and len(value) < SHORT:
            return value
        return _cleaned_before(value) if len(value) < SHORT else _cleaned(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _cleaned(text: str) -> str:
    return fit_for_cell(" ".join(NOT_SHOWN.sub(_shown, text).split()))


_cleaned_before = functools.lru_cache(10_000)(_cleaned)


def _shown(match: re.Match[str]) -> str:
    """What is seen in place of a character that is not: U+FFFD, but for what holds the parts of a picture together."""
    if match[0] == _JOINER and match.start():
        before, after = match.string[match.start() - 1], match.string[match.end() : match.end() + 1]
        if _is_pictorial(before) and _is_pictorial(after):
            return _JOINER
    return "\N{REPLACEMENT CHARACTER}"


def _is_pictorial(character: str) -> bool:
    """Whether it is a picture, or what follows one and changes its look (a variation selector, the colour of skin)."""
    return bool(character) and (character == "\ufe0f" or unicodedata.category(character) in ("So", "Sk"))


def key_of(number: str) -> str:
    """What two forms of one number have in common; "" for a hidden number."""
    digits = number if number.isdecimal() and number.isascii() else re.sub("[^0-9]", "", number)
    return digits[-SIGNIFICANT_DIGITS:]


def _employee(entry: Mapping[str, Any]) -> str:
    """Who spoke, or was rung: the name, else the e-mail address, in either version's place."""
    if name := clean(entry.get("employeeName")):
        return name
    employee = object_in(entry, "employeeData")
    return clean(employee.get("name")) or clean(entry.get("employeeEmail")) or clean(employee.get("email"))


@functools.lru_cache(1000)
def _group_and_line(text: str) -> tuple[str, str]:
    """Those in "801 > 901", "801 > " or "901", each "" where there is none."""
    first, arrow, _ = text.partition(">")
    return first.strip() if arrow else "", text.rpartition(">")[2].strip()


def _rung(entry: Mapping[str, Any]) -> tuple[Rung, ...]:
    """The lines that were rung: API 2.0 lists them in dstNumbers, 4.0 in historyData."""
    for name in ("dstNumbers", "historyData"):
        items = entry.get(name)
        if isinstance(items, dict):
            items = items.values() if _FIELDS_OF_RUNG.isdisjoint(items) else [items]
        if items and not isinstance(items, (str, int, float)):
            rung = [_rung_by(item) for item in items if item and isinstance(item, dict)]
            if rung:
                return tuple(rung)
    return ()


def _rung_by(item: Mapping[str, Any]) -> Rung:
    group, line = _group_and_line(clean(item.get("dstNumber")))
    return Rung(
        line or clean(item.get("internalNumber")),
        group or _group_and_line(clean(item.get("internalAdditionalData")))[0],
        _employee(item),
        disposition_of(clean(item.get("disposition"))),
        _seconds(item.get("waitsec")),
        _seconds(item.get("billsec")),
    )


def _source(entry: Mapping[str, Any]) -> Source | None:
    tracking, asked = object_in(entry, "callTrackingData"), object_in(entry, "getCallData")
    if not (tracking or asked):
        return None
    page = clean(asked.get("fullUrl")) or clean(tracking.get("fullUrl"))
    names = [clean(tracking.get(name)) or clean(asked.get(name)) for name in _NAMES_OF_SOURCE]
    source = Source._make([*names, page])
    return source if any(source) else None


def _seconds(value: Any) -> int:
    """Whole seconds, which the server sends as a number or a string; 0 where it sends neither."""
    if type(value) is str and len(value) <= MOST_DIGITS and value.isdecimal() and value.isascii():
        return int(value)
    if type(value) is int and 0 <= value < 10**MOST_DIGITS:
        return value
    text = clean(value)
    if text.isdecimal() and text.isascii():
        return int(text) if len(text) <= MOST_DIGITS else 0
    seconds = re.fullmatch(r"([0-9]{1,11})\.[0-9]*", text)
    return int(seconds[1]) if seconds else 0
