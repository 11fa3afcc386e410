"""How far a long job has come, for a person who watches."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from common.job import Job, is_watched

BAR_FORMAT = "{percentage:3.0f}%|{bar:20}| {desc}"  # fits into 80 columns


@contextmanager
def progress_bar(job: Job) -> Iterator[Callable[[float, str, float], None]]:
    """A bar on a terminal; gives a function that takes the part that is done (0 to 1), words, and the seconds left.

    Nobody else sees it, nor who asked for the steps (-v) or for silence (-q).
    """
    shown = is_watched() and not (job.arguments.verbose or job.arguments.quiet)
    if not shown:
        yield lambda _done, _words, _seconds_left: None
        return
    quota_log = logging.getLogger("binotel.quota")
    quota_log.setLevel(logging.WARNING)  # the bar tells how long it takes
    try:
        with tqdm(total=1.0, bar_format=BAR_FORMAT, leave=False) as bar, logging_redirect_tqdm():

            def show(done: float, words: str, seconds_left: float) -> None:
                bar.n = done
                bar.set_description_str(f"{words}, {tqdm.format_interval(seconds_left)} left")

            yield show
    finally:
        quota_log.setLevel(logging.NOTSET)
