"""Recordings: the throughput of download_records.py beside that of aria2c, which is given finished links.

    python tests/benchmarks/bench_records.py [WORKERS ...]

200 recordings of 100 to 900 kB from the sandbox, whose every answer comes 50 ms late, and then at once. Measured is the
time from the first request of a client, for a link or a recording, until its process ends: so neither Python's start
nor the list of the day counts, but writing to disk does: both have the system write each file out (fsync), aria2c one
after the other. So a busy disk slows aria2c alone, and a good share says little of the script: beside it stand how long
an fsync takes, and the share in memory (/dev/shm), where it takes nothing. Needs aria2c (Debian's aria2).

Also: the peak memory of the script for a day of small recordings, and of one with recordings 40 times as large.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import Process, Queue
from pathlib import Path
from statistics import median

from goals import by_turns, end, goal, measured, not_measured, shown

import download_records
from common.sandbox.answers import KEY, SECRET, Sandbox
from common.sandbox.recordings import recording
from common.sandbox.server import Server
from helpers import DAY

RECORDINGS = 200
BYTES_A_SECOND = 2000  # of the sandbox's recordings
GOAL_SHARE = 0.95
MEMORY = Path("/dev/shm")
PAIRS = {0.05: 3, 0: 9}  # by latency; without any, a run takes less than a second, and the disk's moods count
CONFIG = "BINOTEL_KEY={}\nBINOTEL_SECRET={}\nBINOTEL_API_URL={}\nRECORDS_URL={}\nRECORD_MAX_MB=1000\n"


def serve(smallest: int, largest: int, count: int, latency: float, answers: Queue, requests: Queue) -> None:
    """The sandbox with recordings of the wanted sizes; tells its address, and when asked, the first request's time."""
    sandbox = Sandbox(calls_per_day=10)
    rng = random.Random(1)
    [call] = [call for call in sandbox.company.calls_of_day(DAY) if call["disposition"] == "ANSWER"][:1]
    calls = [
        call
        | {
            "generalCallID": f"{DAY.toordinal()}{number:05}",
            "callID": f"{DAY.toordinal()}{number:05}",
            "startTime": str(int(call["startTime"]) + number),
            "billsec": str(rng.randint(smallest, largest) // BYTES_A_SECOND),
        }
        for number in range(count)
    ]
    by_id = {call["callID"]: call for call in calls}
    contents = {identity: recording(call) for identity, call in by_id.items()} if largest < 10**7 else {}
    sandbox.company.calls_of_day = lambda day: calls if day == DAY else []
    # What makes the sandbox slow, and no real server: going through the day for each recording, and making it.
    sandbox.recordings._find = by_id.get
    if contents:
        sandbox.recordings.content = lambda path, query: contents[path.removeprefix("/records/").removesuffix(".mp3")]
    sandbox._spend_quota = lambda method: None
    sandbox.latency = latency
    server = Server(sandbox)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answers.put(sandbox.base_url)
    while requests.get():
        times = [request["time"] for request in sandbox.requests if "record" in request["method"]]
        answers.put(
            (
                min(times),
                [sandbox.recordings.link(identity, sandbox.base_url.removesuffix("/api/2.0")) for identity in by_id],
            )
        )
        sandbox.requests.clear()


def fsync_milliseconds() -> float:
    """What it takes to have half a megabyte written to the disk, the median of 20."""
    times = []
    for _ in range(20):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(500_000))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return median(times)


class Bench:
    """The sandbox in a process of its own, and what is measured against it."""

    def __init__(self, smallest: int, largest: int, count: int, latency: float) -> None:
        self.answers, self.requests = Queue(), Queue()
        self.process = Process(
            target=serve, args=(smallest, largest, count, latency, self.answers, self.requests), daemon=True
        )
        self.process.start()
        self.url = self.answers.get()

    def began(self) -> float:
        self.requests.put(True)
        self.first, self.links = self.answers.get()
        return self.first

    def script(self, workers: int) -> float:
        """Seconds of the script; its peak megabytes are kept."""
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config.env"
            config.write_text(CONFIG.format(KEY, SECRET, self.url, Path(folder) / "records"))
            command = [sys.executable, download_records.__file__, DAY, "--workers", workers, "--config", config]
            code, output, errors, self.peak = measured(command)
            ended = time.time()
            assert code == 0, output + errors
            self.size = sum(path.stat().st_size for path in Path(folder).rglob("*.mp3"))
        return ended - self.began()

    def aria2c(self, workers: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            links = Path(folder) / "links"
            links.write_text("".join(f"{link}\n out={number}.mp3\n" for number, link in enumerate(self.links)))
            options = ["-q", "-j", str(workers), "-x1", "-s1", "--file-allocation=none", "-d", folder, "-i", str(links)]
            subprocess.run(["aria2c", *options], check=True)
            ended = time.time()
            assert sum(path.stat().st_size for path in Path(folder).rglob("*.mp3")) == self.size
        return ended - self.began()

    def speed(self, client: Callable[[int], float], workers: int) -> float:
        """Megabytes a second."""
        seconds = client(workers)
        return self.size / 1e6 / seconds

    def close(self) -> None:
        self.process.terminate()


def main() -> None:
    for latency, pairs in PAIRS.items():
        bench = Bench(100_000, 900_000, RECORDINGS, latency)
        for workers in map(int, sys.argv[1:] or ["1", "4", "16"]):
            what = f"{latency:g} s latency, {workers} workers: share of aria2c's speed"
            if not shutil.which("aria2c"):
                not_measured(what, "install aria2c (Debian's package aria2)")
                continue
            bench.script(workers)  # once for the links, and to warm up what the disk holds
            ours, theirs = (partial(bench.speed, client, workers) for client in (bench.script, bench.aria2c))
            milliseconds = fsync_milliseconds()
            goal(what, by_turns(ours, theirs, pairs), at_least=GOAL_SHARE)
            if not latency and MEMORY.is_dir():
                tempfile.tempdir = str(MEMORY)
                shares = sorted(by_turns(ours, theirs, pairs))
                tempfile.tempdir = None
                spread = f"{shown(median(shares))} ({shown(shares[0])} to {shown(shares[-1])})"
                print(f"   an fsync took {milliseconds:.1f} ms; in memory the share is {spread}", flush=True)
        bench.close()
    peaks = []
    for size in (1_000_000, 40_000_000):
        bench = Bench(size, size, 8, 0)
        bench.script(4)
        peaks.append(bench.peak)
        bench.close()
    print(f"peak megabytes with recordings of 1 MB: {peaks[0]:.0f}, of 40 MB: {peaks[1]:.0f}")
    goal("megabytes that recordings 40 times as large add", peaks[1] - peaks[0], at_most=10)
    end()


if __name__ == "__main__":
    main()
