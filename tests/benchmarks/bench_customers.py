"""100,000 customers: seconds and peak memory of backup_customers.py and of restore_customers.py's plan, as processes.

    python tests/benchmarks/bench_customers.py [CUSTOMERS]

The server is the sandbox, which takes seconds to make such an answer: they are measured first, and taken off what the
scripts take. Its memory is not counted. The second backup compares with the first.
"""

import json
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import requests
from goals import end, goal, measured

import backup_customers
import restore_customers
from binotel_core import QUOTA_WINDOW_SECONDS, SqliteLedger, Throttle, signed_body
from common.sandbox.answers import KEY, SECRET
from demo import running_sandbox

GOAL_SECONDS = 20
GOAL_MEGABYTES = 400
CONFIG = "BINOTEL_KEY=sandbox-key\nBINOTEL_SECRET=sandbox-secret\nBINOTEL_API_URL={api_url}\n"


def server_seconds(api_url: str, folder: str) -> float:
    """The time from asking for all customers to the last byte of the answer."""
    Throttle(SqliteLedger(f"{folder}/var/binotel.db"), KEY).acquire("customers/list")
    began = time.perf_counter()
    answer = requests.post(f"{api_url}/customers/list.json", data=signed_body({}, KEY, SECRET), timeout=100)
    assert answer.content.startswith(b'{"status":"success"')
    return time.perf_counter() - began


def measure(what: str, server: float, script: str, *arguments: object) -> None:
    began = time.perf_counter()
    code, output, errors, peak = measured([sys.executable, script, *arguments])
    seconds = time.perf_counter() - began - server
    assert code == 0, errors[-2000:]
    print(f"{what}: {output.splitlines()[-1]}")
    goal(f"{what}: seconds without the server's", seconds, at_most=GOAL_SECONDS)
    goal(f"{what}: peak megabytes", peak, at_most=GOAL_MEGABYTES)


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    calls_per_day = str(round(customers / 0.6 / 0.75))  # of three callers for four calls, 60 % are known
    with tempfile.TemporaryDirectory() as folder, running_sandbox("--calls-per-day", calls_per_day) as api_url:
        config = Path(folder) / "config.env"
        config.write_text(CONFIG.format(api_url=api_url))
        server = server_seconds(api_url, folder)
        print(f"the server alone: {server:.1f} s")
        measure("first backup", server, backup_customers.__file__, "--config", config)
        [backup] = (Path(folder) / "backups").glob("*.json.gz")
        kept = backup.rename(backup.with_name("customers-2024-05-01T0300.json.gz"))
        measure("next backup", server, backup_customers.__file__, "--config", config)
        time.sleep(QUOTA_WINDOW_SECONDS)  # or it would be the wait for the quota that is measured
        measure("plan", server, restore_customers.__file__, kept, "--config", config)
        asked = json.load(urllib.request.urlopen(api_url.replace("/api/2.0", "/sandbox/requests")))
        assert [request["code"] for request in asked] == [0] * 8
    end()


if __name__ == "__main__":
    main()
