"""Numbers of telephones: as a phone dials them from anywhere, in the forms that the server may have noted them in."""

import functools
import re
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

# Where Binotel has accounts. What a number without a country's code means depends on that, and the account's time zone
# tells it.
UKRAINE, KAZAKHSTAN, GEORGIA = "UA", "KZ", "GE"
_COUNTRIES = {"Asia/Tbilisi": GEORGIA} | {
    f"Asia/{city}": KAZAKHSTAN for city in ("Almaty", "Aqtau", "Aqtobe", "Atyrau", "Oral", "Qostanay", "Qyzylorda")
}
# What can be called from anywhere. 0800... and its kind can be called from the country alone, as it is.
_ORDINARY = frozenset(
    (
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
    )
)


# Shorter ones are nobody's abroad, but may be somebody's here: a local number is not to be taken for one of an island.
_SHORTEST_ABROAD = 10


def country_of(timezone: ZoneInfo) -> str:
    """The country of an account with this time zone; Ukraine where it tells nothing."""
    return _COUNTRIES.get(timezone.key, UKRAINE)


@functools.lru_cache(100_000)  # callers call again
def international(number: str, country: str) -> str:
    """A number with its country's code, +380671234567; "" for a hidden one, an internal line, a short code or 0800...

    number:  as the server sent it, or as people write it
    country: of the account, see country_of()
    """
    code, usual = _usual(country)
    if found := usual.fullmatch(number):
        return f"+{code}{found[1]}"
    parsed = _parsed(number, country)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if parsed else ""


@functools.cache
def _usual(country: str) -> tuple[int, re.Pattern[str]]:
    """A country's code, and nearly all of its numbers: to parse one takes thirty times as long, and finds the same."""
    known: Any = PhoneMetadata.metadata_for_region(country)
    kinds = "|".join(kind.national_number_pattern for kind in (known.fixed_line, known.mobile))
    return known.country_code, re.compile(rf"(?:\+?{known.country_code}|{known.national_prefix})({kinds})")


def shown_number(number: str, country: str) -> str:
    """A number as people are shown it: one form for all that can be called from anywhere, else as it came."""
    return international(number, country) or number


def dialable(number: str, country: str) -> str:
    """A number as a phone dials it, from anywhere if that can be told; "" for a hidden one."""
    digits = _digits(number)
    return international(number, country) or (f"+{digits}" if digits and number.startswith("+") else digits)


def forms_of(number: str, country: str) -> list[str]:
    """The ways in which the server may have noted a number: as it is dialled in the country, and with its own's code.

    The first one means the same number when it is given here again.
    """
    parsed = _parsed(number, country)
    if not parsed:
        return [_digits(number), f"+{_digits(number)}"]
    # Without its code, a number of another country would be one of this: 501234567 is one of Poland, and of Ukraine.
    if parsed.country_code == phonenumbers.country_code_for_region(country):
        dialled = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    else:
        dialled = phonenumbers.format_out_of_country_calling_number(parsed, country)
    abroad = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    return [_digits(dialled), abroad.removeprefix("+"), abroad]


def _parsed(number: str, country: str) -> PhoneNumber | None:
    """What can be called from anywhere; None for everything else."""
    if not re.fullmatch(r"[+0-9\s()./\u2010-\u2015-]+", number):  # as people write it, with any space and hyphen
        return None
    digits = _digits(number)
    for form in (number, f"+{digits}")[: 1 + (len(digits) >= _SHORTEST_ABROAD)]:
        with suppress(NumberParseException):
            parsed = phonenumbers.parse(form, country)
            if phonenumbers.number_type(parsed) in _ORDINARY:
                return parsed
    return None


def _digits(number: str) -> str:
    return re.sub("[^0-9]", "", number)
