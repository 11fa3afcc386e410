"""When what is refused again and again is given up for good: no one odd answer decides that."""

from typing import Any

ENOUGH_TIMES = 3
SECONDS_APART = 6 * 3600


def one_more(before: dict[str, Any] | None, kind: str, now: float) -> dict[str, Any]:
    """What is to be remembered of a recording that was refused in this run: `kind`, how many `times`, when `last`.

    before: what was remembered, if anything
    kind:   the same for what is refused in the same way; another one begins to count anew
    now:    in Unix seconds. What follows soon on the last time does not count, nor what lies in the future.
    """
    if not before or before["kind"] != kind or before["last"] > now:
        return {"kind": kind, "times": 1, "last": now}
    if now - before["last"] < SECONDS_APART:
        return before
    return {"kind": kind, "times": before["times"] + 1, "last": now}


def is_enough(refusal: dict[str, Any]) -> bool:
    return bool(refusal["times"] >= ENOUGH_TIMES)
