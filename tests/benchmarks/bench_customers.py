"""100,000 customers: seconds and peak memory of backup_customers.py and of restore_customers.py's plan, as processes.

    python tests/benchmarks/bench_customers.py [CUSTOMERS]

The server is the sandbox, which takes seconds to make such an answer: they are measured first, and taken off what the
scripts take. Its memory is not counted. The second backup compares with the first.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import processes
import requests

import backup_customers
import restore_customers
from binotel_core import Throttle, signed_body
from common.sandbox.answers import KEY, SECRET
from demo import running_sandbox

GOAL_SECONDS = 20
GOAL_MEGABYTES = 400
CONFIG = "BINOTEL_KEY=sandbox-key\nBINOTEL_SECRET=sandbox-secret\nBINOTEL_API_URL={api_url}\n"


def server_seconds(api_url: str, folder: str) -> float:
    """The time from asking for all customers to the last byte of the answer."""
    Throttle(f"sqlite:///{folder}/var/binotel.db", KEY).acquire("customers/list")
    began = time.perf_counter()
    answer = requests.post(f"{api_url}/customers/list.json", data=signed_body({}, KEY, SECRET), timeout=100)
    assert answer.content.startswith(b'{"status":"success"')
    return time.perf_counter() - began


def measure(what: str, server: float, script: str, *arguments: object) -> None:
    began = time.perf_counter()
    with processes.start(Path(script), *arguments, stdout=subprocess.PIPE) as process:
        output = process.stdout.read()
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    seconds = time.perf_counter() - began - server
    assert status == 0, errors[-2000:]
    peak = usage.ru_maxrss / 1024
    verdict = "ok" if peak < GOAL_MEGABYTES and seconds < GOAL_SECONDS else "GOAL MISSED"
    print(f"{what:>14} {seconds:>8.1f} {peak:>8.0f}  {verdict}   {output.splitlines()[-1]}", flush=True)


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    calls_per_day = str(round(customers / 0.6 / 0.75))  # of three callers for four calls, 60 % are known
    print(f"{'':>14} {'seconds':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as folder, running_sandbox("--calls-per-day", calls_per_day) as api_url:
        config = Path(folder) / "config.env"
        config.write_text(CONFIG.format(api_url=api_url))
        server = server_seconds(api_url, folder)
        print(f"{'server alone':>14} {server:>8.1f}")
        measure("first backup", server, backup_customers.__file__, "--config", config)
        [backup] = (Path(folder) / "backups").glob("*.json.gz")
        kept = backup.rename(backup.with_name("customers-2024-05-01T0300.json.gz"))
        measure("next backup", server, backup_customers.__file__, "--config", config)
        measure("plan", server, restore_customers.__file__, kept, "--config", config)
        asked = json.load(urllib.request.urlopen(api_url.replace("/api/2.0", "/sandbox/requests")))
        assert [request["code"] for request in asked] == [0] * 8


if __name__ == "__main__":
    main()
