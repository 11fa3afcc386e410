"""Has it been too quiet for too long? Judged by the same weekday and hours of the weeks before."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

WEEKS = 8
FEWEST_WEEKS = 4  # that are known; a newer account is not judged
FEWEST_USUAL = 12  # calls that there would have been by now: with so many, chance alone leaves none in 160,000 cases
FEWEST_EVER = 3  # calls in the quietest of the weeks: a time in which there may be none proves nothing

StartsOf = Callable[[int, int], Sequence[int]]


class Silence(NamedTuple):
    """That no call has come since a moment, when so many usually do (on average)."""

    since: datetime
    usual: int


def silence(starts_of: StartsOf, opening: datetime, now: datetime) -> Silence | None:
    """The silence that it is now, if it is one.

    starts_of: gives when incoming calls began between two moments, both inclusive, in Unix seconds
    opening:   when the working hours began; aware, in the account's zone, as `now` is
    """
    since = opening
    if today := starts_of(int(opening.timestamp()), int(now.timestamp())):
        since = datetime.fromtimestamp(max(today), now.tzinfo)
    counts = []
    for week in range(1, WEEKS + 1):
        back = timedelta(weeks=week)
        # By the wall clock: the clocks may have been changed since. A day without calls was a holiday, or is not known.
        midnight = (opening - back).replace(hour=0, minute=0, second=0)
        if starts_of(int(midnight.timestamp()), int(midnight.timestamp()) + 86_399):
            counts.append(len(starts_of(int((since - back).timestamp()) + 1, int((now - back).timestamp()))))
    if len(counts) < FEWEST_WEEKS or min(counts) < FEWEST_EVER or sum(counts) < FEWEST_USUAL * len(counts):
        return None
    return Silence(since, round(sum(counts) / len(counts)))
