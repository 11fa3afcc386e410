"""Signatures a second, and the time to decode and verify an answer of 2,000 calls against json.loads alone.

python tests/benchmarks/bench_signing.py
"""

import json
import statistics
import time
from collections.abc import Callable
from datetime import date

from binotel_core import decode_answer, php_json, sign, signed_body
from common.sandbox.company import Company

SECRET = "secret"
GOAL_RATIO = 3
PARAMS = {"startTime": 1714510800, "stopTime": 1714597199}


def seconds_each(functions: dict[str, Callable[[], object]], rounds: int = 40) -> dict[str, float]:
    """The median time of each function; they take turns, so that a busy machine slows all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


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
        times = seconds_each(
            {
                "loads": lambda body=body: json.loads(body),
                "decode and verify": lambda body=body: decode_answer(body, SECRET),
            }
        )
        ratio = times["decode and verify"] / times["loads"]
        print(
            f"an answer of 2,000 calls, {len(body) / 1e6:.2f} MB, {name}: json.loads {times['loads'] * 1e3:.1f} ms, "
            f"decoded and verified {times['decode and verify'] * 1e3:.1f} ms: {ratio:.2f} times "
            f"({'ok' if ratio < GOAL_RATIO else 'GOAL MISSED'})"
        )


if __name__ == "__main__":
    main()
