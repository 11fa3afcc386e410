"""Work done in threads that nobody has to wait for."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

TICK_SECONDS = 0.25
LAST_SECONDS = 1.0  # for threads to end by themselves when the work is stopped


def in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], count: int, stop: threading.Event
) -> Generator[tuple[Item, Result | BaseException] | None, None, None]:
    """Each item with what `work` made of it, or with its exception, as they come; None when nothing came for a while.

    When the caller stops before the end, by an error or Ctrl-C, `stop` is set, which `work` has to look at. Threads
    that do not end within LAST_SECONDS are left to end with the process.
    """
    todo: queue.SimpleQueue[Item] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Item, Result | BaseException]] = queue.SimpleQueue()
    for item in items:
        todo.put(item)

    def worker() -> None:
        while not stop.is_set():
            try:
                item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((item, work(item)))
            except BaseException as error:
                done.put((item, error))

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(count, len(items)))]
    for thread in threads:
        thread.start()
    left = len(items)
    try:
        while left:
            try:
                result = done.get(timeout=TICK_SECONDS)
            except queue.Empty:
                yield None
            else:
                left -= 1
                yield result
    finally:
        if left:
            stop.set()
            deadline = time.monotonic() + LAST_SECONDS
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
