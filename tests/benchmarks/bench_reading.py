"""The time to decode an answer of 2,000 calls and to read them as Calls, in times of json.loads, in both versions.

    python tests/benchmarks/bench_reading.py

BEFORE is what the same measurement gave, in the same run, at commit 3abd2c7: there nobody read who was rung, or what
led a caller here.
"""

import json
import time
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from goals import by_turns, end, goal

from binotel_core import decode_answer, php_json, sign
from common.calls.call import Call
from common.sandbox.company import Company
from common.sandbox.version4 import call_in_4

SECRET = "secret"
KYIV = ZoneInfo("Europe/Kyiv")
BEFORE = {"2.0": 2.6, "4.0": 2.31}
GOAL_RATIO = 1.5  # of it
LONG_AFTER = 2e9  # all recordings are uploaded


def seconds(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def main() -> None:
    calls = Company(1, 2400).calls_of_day(date(2024, 5, 1))[:2000]
    for version, before in BEFORE.items():
        entries = calls if version == "2.0" else [call_in_4(call, LONG_AFTER) for call in calls]
        answer = {"status": "success", "callDetails": {call["generalCallID"]: call for call in entries}}
        if version == "2.0":
            answer["signature"] = sign(answer, SECRET)
        body = php_json(answer).encode()

        def read(body: bytes = body, secret: str | None = SECRET if version == "2.0" else None) -> list[Call]:
            answer = decode_answer(body, secret)
            return [Call.from_entry(entry, KYIV) for entry in answer["callDetails"].values()]

        assert len(read()) == len(calls)
        ratios = by_turns(lambda: seconds(read), lambda body=body: seconds(lambda: json.loads(body)), rounds=41)
        goal(
            f"API {version}, 2,000 calls decoded and read, in times of json.loads", ratios, at_most=GOAL_RATIO * before
        )
    end()


if __name__ == "__main__":
    main()
