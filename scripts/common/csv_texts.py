"""CSV that a Ukrainian Excel opens with a double click and leaves as it is, and that can be read back."""

import functools
import re

CSV_DELIMITER = ";"
CSV_ENCODING = "utf-8-sig"  # Excel takes what has no byte order mark for Windows-1251
LONGEST_CELL = 32_767  # UTF-16 units; Excel takes what is longer for damage, or for the row below

# Where another program may begin a new cell although we do not: Windows has the list separator as a setting.
_CELL_BEGINS = "^|[,|\t\r\n]"
# What a formula begins with, also in the forms of other scripts.
_SIGNS = "=+@\\-\u207a-\u207c\u208a-\u208c\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
_FORMULA = f"[\"']*[{_SIGNS}]"  # a program may take away the quotes
_TO_GUARD = re.compile(f"({_CELL_BEGINS})(?={_FORMULA})")
_GUARDED = re.compile(f"({_CELL_BEGINS})'(?={_FORMULA})")

_HARMLESS = re.compile(f"[^{_SIGNS}\\d#\t]*")  # unless it is one of:
_TRUTHS = frozenset(("true", "false", "істина", "хибність", "истина", "ложь"))
_PHONE = re.compile(r"\+?[0-9]+")
_DIGIT = re.compile(r"\d")
_ERROR = re.compile(r"#\S+")  # such as #N/A
_TIME_OF_A_ZONE = re.compile(r":\d\d[+-]\d\d:?\d\d$")  # 2024-05-01 10:00:00+03:00 stays what it is everywhere
_WORDS = re.compile(r"[^\W\d_]+")
# What may stand beside digits in a time, a date or an amount: one letter, half-days, currencies, weekdays and months by
# how they begin. Of a text with any other word no program makes a value.
_VALUE_WORDS = re.compile(
    r"\w|am|pm|дп|пп|рр|uah|usd|eur|грн|руб"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|пон|вів|вто|сер|сре|чет|ятн|суб|нед|вос|пн|вт|ср|чт|пт|сб|нд|вс"
    r"|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    r"|січ|лют|бер|кві|тра|чер|лип|вер|жов|лис|гру|янв|фев|мар|апр|май|мая|июн|июл|авг|сен|окт|ноя|дек)\w*",
    re.IGNORECASE,
)


def guarded(text: str) -> str:
    """A text that spreadsheets leave as it is, also where they split lines by a comma, a tab or a |.

    A tab goes before what would become a number, a date or another value (and lose its leading zero), an apostrophe
    before each place at which a formula would begin.
    """
    return f"\t{text}" if _PHONE.fullmatch(text) else _guarded(text)


@functools.lru_cache(maxsize=1000)  # of the texts in a list, numbers apart, most come again and again
def _guarded(text: str) -> str:
    if _HARMLESS.fullmatch(text):
        return f"\t{text}" if text.lower() in _TRUTHS else text
    text = _TO_GUARD.sub(r"\1'", text)
    return f"\t{text}" if text.startswith("\t") or _is_value(text) else text


def unguarded(text: str) -> str:
    """The text that guarded() was given."""
    return _GUARDED.sub(r"\1", text.removeprefix("\t"))


def _is_value(text: str) -> bool:
    """Whether a program may take a text for a number, a date, a time, an amount or an error."""
    if text.startswith("'") or _TIME_OF_A_ZONE.search(text):
        return False
    if _DIGIT.search(text):
        return all(map(_VALUE_WORDS.fullmatch, _WORDS.findall(text)))
    return bool(_ERROR.fullmatch(text))


def fit_for_cell(text: str) -> str:
    """As much of a text as a spreadsheet's cell holds."""
    if len(text) <= LONGEST_CELL // 2:  # no letter takes more than two units
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
