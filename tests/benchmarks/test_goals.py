"""A benchmark that misses a goal, or breaks, is counted; memory is that of the child alone."""

import subprocess
import sys
from pathlib import Path

import goals
import pytest

HERE = Path(__file__).parent
HOLDS = "from goals import end, goal\ngoal('ratio', [1, 3, 2], at_most=2)\nend()\n"
MISSES = "from goals import end, goal\ngoal('lost', 1, at_most=0)\ngoal('share', 0.5, at_least=0.95)\nend()\n"
BREAKS = "from goals import end, goal\ngoal('fine', 1, at_most=2)\nraise SystemExit(0)\n"


def run(*command):
    result = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout.splitlines()


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "bench_it.py"
        path.write_text(f"import sys\nsys.path.insert(0, {str(HERE)!r})\n{text}")
        return path

    return write


def test_a_goal_is_a_line_with_the_median_and_the_spread(write):
    assert run(write(HOLDS)) == (0, ["ratio: goal <= 2 / got 2 (1 to 3) / holds", "goals: 1 held, 0 missed"])


def test_the_exit_code_is_the_number_of_goals_missed(write):
    assert run(write(MISSES)) == (
        2,
        [
            "lost: goal <= 0 / got 1 / MISSED",
            "share: goal >= 0.95 / got 0.50 / MISSED",
            "goals: 0 held, 2 missed",
        ],
    )


def test_all_run_and_the_missed_goals_of_all_are_counted_with_those_that_broke(tmp_path):
    for name, text in {"bench_a": MISSES, "bench_b": BREAKS, "bench_c": "raise ValueError", "bench_d": HOLDS}.items():
        (tmp_path / f"{name}.py").write_text(text)
    for name in ("goals.py", "run_all.py"):
        (tmp_path / name).write_text((HERE / name).read_text())
    code, lines = run(tmp_path / "run_all.py")
    assert code == 4
    assert [line for line in lines if line.startswith("==")] == ["== bench_a", "== bench_b", "== bench_c", "== bench_d"]
    assert lines[-2:] == ["did not come to an end: bench_b, bench_c", "goals missed: 4"]


@pytest.mark.skipif(sys.platform != "linux", reason="counted otherwise elsewhere")
def test_the_memory_of_a_process_is_its_own_and_not_that_of_its_parent():
    ballast = b"x" * 200_000_000
    code, output, errors, megabytes = goals.measured(["/bin/true"])
    assert (code, output, errors, len(ballast)) == (0, "", "", 200_000_000)
    assert megabytes < 15
    code, output, _, megabytes = goals.measured([sys.executable, "-c", "x = b'x' * 100_000_000; print(len(x))"])
    assert (code, output) == (0, "100000000\n")
    assert 100 < megabytes < 150
