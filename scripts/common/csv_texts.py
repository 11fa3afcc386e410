"""CSV that a Ukrainian Excel opens with a double click and leaves as it is, and that can be read back."""

import re

CSV_DELIMITER = ";"
CSV_ENCODING = "utf-8-sig"  # Excel takes what has no byte order mark for Windows-1251


def guarded(text: str) -> str:
    """A text that Excel neither makes a number of, without its leading zero, nor runs as a formula."""
    if re.fullmatch(r"\+?[0-9]+", text):
        return f"\t{text}"
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def unguarded(text: str) -> str:
    """The text that guarded() was given."""
    text = text.removeprefix("\t")
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


_FORMULA_STARTS = ("=", "+", "-", "@")
