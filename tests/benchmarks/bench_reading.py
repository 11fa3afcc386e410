"""The time to decode an answer of 2,000 calls and to read them as Calls, in times of json.loads, in both versions.

    python tests/benchmarks/bench_reading.py

Calls of the sandbox's kind, which name who was rung and where from: at the commit before they were read whole it was
GOAL_RATIO / 1.5.
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
GOAL_RATIO = 3.6
LONG_AFTER = 2e9  # all recordings are uploaded


def seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def main() -> None:
    calls = Company(1, 2400).calls_of_day(date(2024, 5, 1))[:2000]
    for version in ("2.0", "4.0"):
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
        goal(f"API {version}, 2,000 calls decoded and read, in times of json.loads", ratios, at_most=GOAL_RATIO)
    end()


if __name__ == "__main__":
    main()
