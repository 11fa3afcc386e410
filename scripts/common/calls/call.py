"""A callDetails entry -> a Call: its types, its time zone, what it means."""

import dataclasses
import functools
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from common.calls.entries import UnreadableError, readable
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
_JOINER = "\u200d"  # makes one picture of several


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A call (or an SMS, or a fax) as the reports need it. Texts are clean: one line, no control characters.

    start:        aware, in the account's time zone
    call_type:    INCOMING, OUTGOING, or what the server sent
    number:       the other side's, as the server sent it; "" or a word when hidden
    line:         the internal number
    employee:     name, else e-mail address, else ""
    customer:     name in "My clients", or ""
    wait_seconds: until it was answered or given up
    our_number:   the company's number that was called, or called from
    """

    general_call_id: str
    start: datetime
    call_type: str
    number: str
    line: str
    employee: str
    customer: str
    disposition: str
    wait_seconds: int
    talk_seconds: int
    our_number: str
    our_number_name: str

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
        customer, outside = object_in(entry, "customerData"), object_in(entry, "customerDataFromOutside")
        employee, our_number = object_in(entry, "employeeData"), object_in(entry, "pbxNumberData")
        return cls(
            general_call_id=general_call_id,
            start=datetime.fromtimestamp(start, timezone),
            call_type=clean(entry.get("callType")),
            number=clean(entry.get("externalNumber")),
            line=clean(entry.get("internalNumber")),
            employee=first_text(
                (entry, "employeeName"), (employee, "name"), (entry, "employeeEmail"), (employee, "email")
            ),
            customer=first_text((customer, "name"), (outside, "name")),
            disposition=disposition_of(clean(entry.get("disposition"))),
            wait_seconds=_seconds(entry.get("waitsec")),
            talk_seconds=_seconds(entry.get("billsec")),
            our_number=first_text((entry, "didNumber"), (our_number, "number"), (entry, "did"), (entry, "trunkNumber")),
            our_number_name=first_text((entry, "didName"), (our_number, "name")),
        )

    @property
    def unix_start(self) -> float:
        """When it began in Unix seconds: what to compare and to subtract, since times of one zone compare as the wall
        clock shows them, which repeats an hour in autumn."""
        return self.start.timestamp()

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
        return re.sub("[^0-9]", "", self.number)[-SIGNIFICANT_DIGITS:]


@dataclasses.dataclass
class Calls:
    """The Calls of callDetails entries, made anew each time they are gone through: a year's need no memory.

    unreadable, sentences: how many entries could not be read, and what there is to say of them: known when they were
                           gone through to the end
    """

    entries: Iterable[Any]
    timezone: ZoneInfo
    unreadable: int = dataclasses.field(default=0, init=False)
    sentences: list[str] = dataclasses.field(default_factory=list, init=False)

    def __iter__(self) -> Iterator[Call]:
        sentences: list[str] = []
        self.unreadable = yield from readable(
            self.entries, lambda entry: Call.from_entry(entry, self.timezone), sentences.append
        )
        self.sentences = sentences


def calls_with_entries(
    entries: Iterable[Any], timezone: ZoneInfo, tell: Callable[[str], None]
) -> Iterator[tuple[Call, dict[str, Any]]]:
    """Each Call with the callDetails entry that it is made of; what cannot be read is told: see readable()."""
    return readable(entries, lambda entry: (Call.from_entry(entry, timezone), entry), tell)


def object_in(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a field holds that should be an object; an empty one for what the server sends where it has none.

    It sends "", [], null, nothing at all, or a list with the object in it.
    """
    value = entry.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def first_text(*places: tuple[Mapping[str, Any], str]) -> str:
    """The first of these fields that holds a text, as clean() gives it; "" where none does."""
    for fields, name in places:
        if text := clean(fields.get(name)):
            return text
    return ""


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


def dialable(number: str) -> str:
    """A number as a phone dials it from anywhere, as far as it tells: +380671234567; "" when it is hidden."""
    digits = re.sub("[^0-9]", "", number)
    if match := re.fullmatch("(?:38)?(0[0-9]{9})", digits):
        return f"+38{match[1]}"
    return f"+{digits}" if digits and number.startswith("+") else digits


def in_time_order(call: Call) -> tuple[float, str]:
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


def _seconds(value: Any) -> int:
    """Whole seconds, which the server sends as a number or a string; 0 where it sends neither."""
    text = clean(value)
    if text.isdecimal() and text.isascii():
        return int(text) if len(text) <= MOST_DIGITS else 0
    seconds = re.fullmatch(r"([0-9]{1,11})\.[0-9]*", text)
    return int(seconds[1]) if seconds else 0
