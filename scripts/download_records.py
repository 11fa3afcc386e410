"""Keep an archive of the calls' recordings: every one, whole, once. To be run every hour or two.

    python scripts/download_records.py                 those of yesterday and today
    python scripts/download_records.py 2024-05-01
    python scripts/download_records.py --since 7d      also after the computer was off for some days

They go to RECORDS_URL, a folder or a bucket (2024/05/01/093015-in-0965074747-902-744924436.mp3), with a list of each
day beside them (records.csv). What is there is not downloaded again; what is not there yet is tried by later runs for
RECORDS_PATIENCE_HOURS after the call.
"""

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date

from binotel_core import ApiError, BinotelError, account_id
from common.archive import Archive
from common.calls import Call, clean
from common.days import calls_of_day, days_since, wanted_days
from common.download import MEGABYTE, Content, Downloader, DownloadError, NotThereError, UnreachableError
from common.job import Job, UsageError, run
from common.progress import progress_bar
from common.recordings import Day, Key, key_of
from common.store import Store
from common.threads import in_threads

MAX_WORKERS = 32
# While some download, as many ask for links, and as many write to disk: no connection waits for these.
THREADS_PER_WORKER = 3
MAX_FAILURES_IN_A_ROW = 10
MAX_NAMED = 10  # recordings in a message

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "days", nargs="*", metavar="DAY", help="2024-05-01, today or yesterday (default: both of these)"
    )
    parser.add_argument("--since", metavar="7d", help="today and so many days before it")
    parser.add_argument(
        "--workers", type=int, default=4, metavar="N", help=f"downloads at once, 1 to {MAX_WORKERS} (default: 4)"
    )


@dataclass(frozen=True)
class Wanted:
    """A recording that is to be downloaded."""

    key: Key
    call: Call
    name: str


def main(job: Job) -> None:
    """Bring day after day up to date. A day that is not complete is remembered, and comes again by itself."""
    arguments, settings = job.arguments, job.settings
    if not 1 <= arguments.workers <= MAX_WORKERS:
        raise UsageError(f"--workers {arguments.workers}: use 1 to {MAX_WORKERS}.")
    today = job.now().date()
    days = wanted_days(arguments.days, today) if arguments.days else []
    if arguments.since is not None:
        days += days_since(arguments.since, today)
    archive = Archive(settings.records_url, settings.state_dir / f"{job.name}-{account_id(settings.key)}")
    store = Store(settings.database_url, settings.key, job.name)
    name = f"incomplete days of {settings.records_url}"
    incomplete = {date.fromisoformat(day) for day in store.get_all([name]).get(name, [])}
    days = sorted({*(days or wanted_days(["yesterday", "today"], today)), *incomplete})
    with progress_bar(job) as show:
        keeper = Keeper(job, archive, len(days), show)
        try:
            for day in days:
                # Remembered first, so that it comes again whatever happens in the middle of it.
                store.put({name: sorted(map(str, incomplete | {day}))})
                incomplete = incomplete - {day} if keeper.bring_up_to_date(day) else incomplete | {day}
            store.put({name: sorted(map(str, incomplete))})
        finally:
            archive.remove_unfinished()
    print(keeper.summary)


class Keeper:
    """Brings the archive up to date, a day at a time, and counts."""

    def __init__(self, job: Job, archive: Archive, days: int, show: Callable[[float, str, float], None]) -> None:
        self._job = job
        self._archive = archive
        self._days = days
        self._days_done = 0
        self._show = show
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        max_bytes = job.settings.record_max_mb * MEGABYTE
        self._downloader = Downloader(job.client.record_url, job.arguments.workers, max_bytes)

    @property
    def summary(self) -> str:
        size = f" ({self._downloader.received / MEGABYTE:.1f} MB)" if self._counts["downloaded"] else ""
        names = ("already there", "not yet available", "failed")
        return ", ".join([f"{self._counts['downloaded']} downloaded{size}", *(f"{self._counts[n]} {n}" for n in names)])

    def bring_up_to_date(self, day: date) -> bool:
        """Download what is missing of a day; gives whether all of it is there now, or was given up."""
        recordings = Day(self._archive, day)
        wanted = []
        try:
            for call, entry in calls_of_day(day, self._job):
                if not call.can_be_recorded:
                    continue
                key = key_of(call, clean(entry.get("callID")))
                if recordings.is_there(key) or recordings.take_up(key, call):
                    self._counts["already there"] += 1
                elif not recordings.is_given_up(key):
                    wanted.append(Wanted(key, call, recordings.name(key, call)))
            is_complete = self._download(wanted, recordings)
        except BaseException:
            with suppress(OSError):  # a full disk, perhaps, which is told of already
                recordings.save()
            raise
        recordings.save()
        self._days_done += 1
        return is_complete

    def _download(self, wanted: list[Wanted], recordings: Day) -> bool:
        """Download these recordings and note them; gives whether nothing is left for a later run."""

        def fetch(one: Wanted) -> Content:
            with self._archive.new_file(f"{recordings.folder}/{one.name}") as file:
                return self._downloader.download(one.key[1], file)

        threads = self._job.arguments.workers * THREADS_PER_WORKER
        given_up: list[Wanted] = []
        left = done = failures_in_a_row = 0
        with closing(in_threads(fetch, wanted, threads, self._downloader.stop)) as results:
            for outcome in results:
                self._show_progress(done, len(wanted))
                if outcome is None:
                    continue
                one, result = outcome
                done += 1
                failures_in_a_row = failures_in_a_row + 1 if isinstance(result, UnreachableError) else 0
                match result:
                    case Content():
                        recordings.note(one.key, one.call, one.name, result)
                        self._counts["downloaded"] += 1
                    case NotThereError() if self._is_given_up(one.call):
                        recordings.note(one.key, one.call, one.name, None)
                        given_up.append(one)
                    case NotThereError():
                        self._counts["not yet available"] += 1
                        left += 1
                    case DownloadError() | ApiError(retry_reads=True):
                        log.error("%s: %s It will be tried again.", shown(one), result)
                        self._counts["failed"] += 1
                        left += 1
                    case _:
                        raise result
                if failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
                    raise BinotelError(
                        f"{failures_in_a_row} downloads in a row failed, so this run was given up.",
                        "Check the network, the firewall and the proxy: recordings come from another server than the "
                        "API. Then run this again.",
                    )
        self._counts["failed"] += len(given_up)
        if given_up:
            more = f" and {len(given_up) - MAX_NAMED} more" if len(given_up) > MAX_NAMED else ""
            log.error(
                "Binotel has no recording of these calls, and %d hours have passed, so they are given up: %s%s.",
                self._job.settings.records_patience_hours,
                "; ".join(map(shown, given_up[:MAX_NAMED])),
                more,
            )
        self._job.failed = bool(self._counts["failed"])
        return not left

    def _is_given_up(self, call: Call) -> bool:
        """Whether its recording would be there by now, if ever."""
        hours = (time.time() - call.unix_start) / 3600
        return hours > self._job.settings.records_patience_hours

    def _show_progress(self, done: int, of: int) -> None:
        seconds = time.monotonic() - self._began
        share = (self._days_done + done / of) / self._days
        size = self._downloader.received / MEGABYTE
        words = f"day {self._days_done + 1}/{self._days}, {done}/{of} files, {size:.1f} MB, {size / seconds:.1f} MB/s"
        self._show(share, words, seconds * (1 - share) / share if share else 0)


def shown(one: Wanted) -> str:
    """A recording as a message names it."""
    return f"{one.call.start:%Y-%m-%d %H:%M} {one.call.number} ({one.key[0]})"


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
