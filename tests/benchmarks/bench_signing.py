"""Signatures a second, and the time to decode and verify an answer of 2,000 calls against json.loads alone.

python tests/benchmarks/bench_signing.py
"""

import json
import time
from collections.abc import Callable
from datetime import date

from goals import by_turns, end, goal

from binotel_core import decode_answer, php_json, sign, signed_body
from common.sandbox.company import Company

SECRET = "secret"
GOAL_RATIO = 3
PARAMS = {"startTime": 1714510800, "stopTime": 1714597199}


def seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def main() -> None:
    count = 20_000
    began = time.perf_counter()
    for _ in range(count):
        signed_body(PARAMS, "key", SECRET)
    print(f"signed requests a second: {count / (time.perf_counter() - began):,.0f}")

    calls = Company(1, 2400).calls_of_day(date(2024, 5, 1))[:2000]
    answer = {"status": "success", "callDetails": {call["generalCallID"]: call for call in calls}}
    answer["signature"] = sign(answer, SECRET)
    bodies = {
        "as PHP writes it": php_json(answer).encode(),
        "written another way, so encoded anew": json.dumps(answer, ensure_ascii=False).encode(),
    }
    for name, body in bodies.items():
        assert decode_answer(body, SECRET) == answer
        ratios = by_turns(
            lambda body=body: seconds(lambda: decode_answer(body, SECRET)),
            lambda body=body: seconds(lambda: json.loads(body)),
            rounds=41,
        )
        what = f"2,000 calls ({len(body) / 1e6:.2f} MB) {name}: decoded and verified, in times of json.loads"
        goal(what, ratios, at_most=GOAL_RATIO)
    end()


if __name__ == "__main__":
    main()
