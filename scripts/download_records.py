"""Keep an archive of the calls' recordings: every one, whole, once. To be run every hour or two.

    python scripts/download_records.py                 those of yesterday and today, and of days that were missed
    python scripts/download_records.py 2024-05-01
    python scripts/download_records.py --since 7d

They go to RECORDS_URL, a folder or a bucket (2024/05/01/093015-in-0965074747-902-744924436.mp3), with a list of each
day beside them (records.csv). What is there is not downloaded again; what is not there yet is tried by later runs for
RECORDS_PATIENCE_HOURS after the call, and what is no recording until three runs, hours apart, have found it so.
"""

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, timedelta

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import ApiError, BinotelError, SignatureError, account_id
from common.calls.call import SETTLED_SECONDS, Call, calls_with_entries, clean
from common.calls.days import days_since, entries_of_day, last_second, wanted_days
from common.job import Job, print_out, run
from common.progress import progress_bar
from common.recordings.download import (
    MEGABYTE,
    Content,
    Downloader,
    DownloadError,
    NotThereError,
    RefusedError,
    UnfitError,
    UnreachableError,
)
from common.recordings.recordings import Day, Key, ListError, key_of
from common.recordings.refusals import ENOUGH_TIMES, SECONDS_APART, is_enough, one_more
from common.recordings.storage import Archive
from common.recordings.threads import in_threads
from common.settings import UsageError
from common.state.store import Store

MAX_CAUGHT_UP = 31
MAX_WORKERS = 32
MAX_FAILURES_IN_A_ROW = 10
MAX_NAMED = 10  # recordings in a message
GIVEN_UP = "Given up: to have it tried again, remove its row from the day's records.csv."

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "days", nargs="*", metavar="DAY", help="2024-05-01, today or yesterday (default: all days since the last run)"
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
    store = Store(settings.database_url, settings.key, job.name, keep_days=400)
    where = account_id(settings.records_url)  # the URL may hold a password
    name, until = f"incomplete days of {where}", f"days until then were seen to for {where}"
    known = store.get_all([name, until])
    # What was remembered while the clock was ahead is not believed.
    incomplete = {day for day in map(date.fromisoformat, known.get(name, [])) if day <= today}
    is_default = not days
    if is_default:
        days = missed_days(today, date.fromisoformat(known.get(until, str(today))))
        incomplete |= set(days)

    def remember() -> None:
        store.put({name: sorted(map(str, incomplete)), **({until: str(today)} if is_default else {})})

    def begin(day: date) -> None:
        """Remember a day, so that it comes again whatever happens in the middle of it."""
        incomplete.add(day)
        remember()

    # The newest first: what is wrong with an old day must not keep it from being archived.
    days = sorted({*days, *incomplete}, reverse=True)
    with progress_bar(job) as show:
        keeper = Keeper(job, archive, store, where, len(days), show)
        try:
            for day in days:
                if keeper.bring_up_to_date(day, begin):
                    incomplete.discard(day)
                else:
                    log.info("%s comes again in the next run: it was not over, or is not complete", day)
            remember()
        except BaseException:
            log.info("Until then: %s. Run this again to go on", keeper.summary)
            raise
        finally:
            archive.remove_unfinished()
    print_out(keeper.summary)


def missed_days(today: date, until: date) -> list[date]:
    """Today, yesterday, and the days before it until the last one that was seen to; at most a month.

    A month, too, where that one lies in the future, remembered while the clock was ahead.
    """
    back = MAX_CAUGHT_UP if until > today else min(MAX_CAUGHT_UP, max(1, (today - until).days))
    return [today - timedelta(days=days) for days in range(back + 1)]


class Keeper:
    """Brings the archive up to date, a day at a time, and counts."""

    def __init__(
        self,
        job: Job,
        archive: Archive,
        store: Store,
        where: str,
        days: int,
        show: Callable[[float, str, float], None],
    ) -> None:
        self._job = job
        self._archive = archive
        self._store = store
        self._where = where
        self._days = days
        self._days_done = 0
        self._show = show
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        max_bytes = job.settings.record_max_mb * MEGABYTE
        self._downloader = Downloader(
            job.client.record_url,
            job.arguments.workers,
            max_bytes,
            https_only=job.settings.api_url.startswith("https:"),
        )

    @property
    def summary(self) -> str:
        size = f" ({self._downloader.received / MEGABYTE:.1f} MB)" if self._counts["downloaded"] else ""
        names = ("already there", "not yet available", "failed")
        return ", ".join([f"{self._counts['downloaded']} downloaded{size}", *(f"{self._counts[n]} {n}" for n in names)])

    def bring_up_to_date(self, day: date, begin: Callable[[date], None]) -> bool:
        """Download what is missing of a day; gives whether nothing of it is left for a later run.

        begin: called before, but not before Binotel's answer has shown that the clock can be trusted
        """
        timezone = self._job.settings.timezone
        last = last_second(day, timezone)
        is_over = self._job.now().timestamp() > last.timestamp() + SETTLED_SECONDS
        try:
            entries = entries_of_day(day, self._job.client, self._job.archive, self._job.now())
        except (ApiError, SignatureError):  # an answer all the same, and nothing against the clock
            begin(day)
            raise
        begin(day)
        try:
            recordings = Day(self._archive, day)
        except ListError as error:
            self._job.fail(str(error))
            return False
        wanted: dict[Key, Wanted] = {}
        try:
            for call, entry in calls_with_entries(entries, timezone, self._job.fail):
                key = key_of(call, clean(entry.get("callID")))
                if not call.can_be_recorded or key in wanted or recordings.is_given_up(key):
                    continue
                if recordings.is_there(key) or recordings.take_up(key, call):
                    self._counts["already there"] += 1
                else:
                    wanted[key] = Wanted(key, call, recordings.name(key, call))
            is_complete = self._download(list(wanted.values()), recordings, day)
        except Exception:  # but not Ctrl-C, after which nothing may take long: the next run finds the files
            with suppress(OSError):  # a full disk, perhaps, which is told of already
                recordings.save()
            raise
        recordings.save()
        self._days_done += 1
        return is_complete and is_over

    def _download(self, wanted: list[Wanted], recordings: Day, day: date) -> bool:
        """Download these recordings and note them; gives whether nothing is left for a later run."""
        never_came: list[Wanted] = []
        refused: dict[Key, tuple[Wanted, UnfitError]] = {}
        settled: dict[Key, bool] = {}  # of those refused that are too late to wait: whether again, in the same way
        left = failures_in_a_row = 0
        todo = wanted
        while todo:
            again: list[Wanted] = []
            with closing(self._fetched(todo, recordings.folder)) as results:
                for one, result in results:
                    failed_before, failures_in_a_row = failures_in_a_row, 0
                    before = refused.pop(one.key, None)
                    match result:
                        case Content():
                            recordings.note(one.key, one.call, one.name, result)
                            self._counts["downloaded"] += 1
                        case NotThereError() if self._is_late(one.call) and not before:
                            never_came.append(one)
                        case NotThereError():
                            self._counts["not yet available"] += 1
                            left += 1
                        case RefusedError() if not self._is_late(one.call):
                            self._counts["not yet available"] += 1
                            left += 1
                        case UnfitError():
                            refused[one.key] = one, result
                            if before:
                                settled[one.key] = before[1].kind == result.kind
                            elif self._is_late(one.call):
                                again.append(one)  # when all others are through: what is odd may have passed by then
                        case DownloadError() | ApiError() | BinotelError(retry_reads=True):
                            self._fail(f"{shown(one)}: {result} It will be tried again.")
                            left += 1
                            if isinstance(result, UnreachableError) or getattr(result, "retry_reads", False):
                                failures_in_a_row = failed_before + 1
                        case _:
                            raise result
                    if failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
                        raise BinotelError(
                            f"{failures_in_a_row} downloads in a row failed, so this run was given up.",
                            "Check the network, the firewall and the proxy: recordings come from another server than "
                            "the API. Then run this again.",
                        )
            todo = again
        given_up, waiting = self._judged(list(refused.values()), settled, day)
        for one, result in given_up:
            self._fail(f"{shown(one)}: {result} {GIVEN_UP}")
        if waiting:
            hours = SECONDS_APART // 3600
            who = f"1 recording of {day} waits" if len(waiting) == 1 else f"{len(waiting)} recordings of {day} wait"
            reasons = "; ".join(f"{shown(one)}: {result}".rstrip(".") for one, result in waiting[:MAX_NAMED])
            self._fail(
                f"{who} for later runs: {reasons}{and_more(waiting)}. Given up is only what is refused so in "
                f"{ENOUGH_TIMES} runs, {hours} hours apart, or still after RECORDS_PATIENCE_HOURS.",
                len(waiting),
            )
        if never_came:
            # Together, so that none is given up and not told of.
            hours = self._job.settings.records_patience_hours
            named = "; ".join(map(shown, never_came[:MAX_NAMED]))
            self._fail(
                f"More than {hours} hours after these calls there is no recording: {named}{and_more(never_came)}. "
                f"{GIVEN_UP}",
                len(never_came),
            )
        for one in [*(one for one, _ in given_up), *never_came]:
            recordings.note(one.key, one.call, one.name, None)
        return not left and not waiting

    def _fetched(
        self, wanted: list[Wanted], folder: str
    ) -> Generator[tuple[Wanted, Content | BaseException], None, None]:
        """Each of these with its content, which is in the archive then, or with what went wrong."""

        def fetch(one: Wanted) -> Content:
            with self._archive.new_file(f"{folder}/{one.name}") as file:
                return self._downloader.download(one.key[0 if self._job.client.is_4 else 1], file)

        # While some download, as many ask for links or write to disk, so that no connection waits for these.
        threads = 2 * self._job.arguments.workers + 1
        done = 0
        with closing(in_threads(fetch, wanted, threads, self._downloader.stop)) as results:
            for outcome in results:
                self._show_progress(done, len(wanted))
                if outcome is not None:
                    done += 1
                    yield outcome

    def _judged(
        self, refused: list[tuple[Wanted, UnfitError]], settled: dict[Key, bool], day: date
    ) -> tuple[list[tuple[Wanted, UnfitError]], list[tuple[Wanted, UnfitError]]]:
        """(those that are given up, those that wait for a later run), which is remembered."""
        name = f"refused recordings of {day} for {self._where}"
        known = self._store.get_all([name]).get(name) or {}
        now = time.time()
        given_up, waiting, remembered = [], [], {}
        for one, result in refused:
            identity = " ".join(one.key)
            refusal = one_more(known.get(identity), result.kind, now)
            if is_enough(refusal) or settled.get(one.key):
                given_up.append((one, result))
            else:
                waiting.append((one, result))
                remembered[identity] = refusal
        if remembered != known:
            self._store.put({name: remembered or None})
        return given_up, waiting

    def _fail(self, message: str, count: int = 1) -> None:
        self._job.fail(message)
        self._counts["failed"] += count

    def _is_late(self, call: Call) -> bool:
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


def and_more(items: Sequence[object]) -> str:
    return f" and {len(items) - MAX_NAMED} more" if len(items) > MAX_NAMED else ""


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
