"""What is wanted and the archive does not know: asked for, and kept answer by answer."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from binotel_core import DAY_METHOD, BinotelClient
from common.calls.archive import Archive, Stretch, Wanted, merged
from common.calls.call import id_of, start_of
from common.calls.days import of_day
from common.calls.period import INCOMING, LINE, OUTGOING, PeriodPlan, PeriodRequest

TAUGHT_SECONDS = 105 * 86400  # 15 weeks show how busy a company is

log = logging.getLogger(__name__)


def collect(
    wanted: Wanted,
    client: BinotelClient,
    archive: Archive,
    *,
    is_fresh: bool = False,
    on_request: Callable[[PeriodPlan, PeriodRequest], None],
) -> list[Any]:
    """Have the archive hold all calls that are wanted; gives the entries that cannot be read, so cannot stand there.

    wanted:     of some directions, or of a line
    is_fresh:   ask also for what the archive knows
    on_request: called before each request

    Whoever is interrupted and calls this again goes on after the last answer. Raises what PeriodPlan and the client
    raise.
    """
    line = wanted.of.removeprefix("line ") or None
    plan = PeriodPlan(
        wanted.first,
        wanted.last,
        "both" if len(wanted.ways) > 1 else wanted.ways[0],
        timezone=archive.timezone,
        internal_number=line,
        known={} if is_fresh else known_of(wanted, archive),
    )
    if not line:
        _teach(plan, wanted, archive)
    if plan.share_known:
        log.info("%.0f %% of the time is in the archive: Binotel is not asked for it", 100 * plan.share_known)
    unread: list[Any] = []
    while request := plan.next_request():
        on_request(plan, request)
        began = time.time()
        entries = client.entries(request.method, request.params)
        new = plan.accept(request, entries)
        log.debug("%s %s: %d entries, %d new", request.method, request.params, len(entries), len(new))
        if not plan.is_cut_off(request, entries):
            asked = began - client.clock_ahead_seconds
            stretch = _stretch_of(request, wanted, archive)
            fit = [entry for entry in entries if _is_of(stretch, entry)]
            archive.keep(fit, stretch, asked, is_complete=len(fit) == len(entries))
            unread += [entry for entry in new if not _is_of(stretch, entry)]
    return unread


def known_of(wanted: Wanted, archive: Archive) -> dict[str, list[Stretch]]:
    """Of each way that a plan has, what the archive knows."""
    known = {way: archive.covered(way, wanted.first, wanted.last) for way in wanted.ways}
    if not wanted.of:
        return known
    # Where all calls are known, so are those of a line.
    both = [
        (max(one[0], other[0]), min(one[1], other[1]))
        for one in known[INCOMING]
        for other in known[OUTGOING]
        if max(one[0], other[0]) <= min(one[1], other[1])
    ]
    return {LINE: merged([*archive.covered(wanted.of, wanted.first, wanted.last), *both])}


def _is_of(stretch: Wanted, entry: Any) -> bool:
    return bool(id_of(entry)) and stretch.first <= start_of(entry) <= stretch.last


def _teach(plan: PeriodPlan, wanted: Wanted, archive: Archive) -> None:
    """Let a plan know how busy the company was, of the time that the archive knows."""
    for way in wanted.ways:
        left, pieces = TAUGHT_SECONDS, []
        for first, last in reversed(archive.covered(way, wanted.first - TAUGHT_SECONDS, wanted.last)):
            if left > 0:
                pieces.append((max(first, last - left), last))
                left -= last - first
        for first, last in reversed(pieces):
            plan.learn(way, first, last, archive.starts(way, first, last))


def _stretch_of(request: PeriodRequest, wanted: Wanted, archive: Archive) -> Wanted:
    """What an answer is all of."""
    if request.method == DAY_METHOD:
        return of_day(datetime.fromtimestamp(request.last, archive.timezone).date(), archive.timezone)
    return Wanted(request.first, request.last, wanted.ways if wanted.of else request.ways, wanted.of)
