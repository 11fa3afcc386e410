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
BREAKS_AT_ITS_END = f"import atexit, os\natexit.register(os._exit, 3)\n{HOLDS}"
HAS_NO_GOAL = "from goals import end\nend()\n"
CANNOT = "from goals import end, not_measured\nnot_measured('share', 'install aria2c')\nend()\n"


def run(*command):
    result = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout.splitlines()


@pytest.fixture
def write(tmp_path):
    def write(text, name="bench_it"):
        path = tmp_path / f"{name}.py"
        path.write_text(f"import sys\nsys.path.insert(0, {str(HERE)!r})\n{text}")
        return path

    return write


def test_a_goal_is_a_line_with_the_median_and_the_spread(write):
    assert run(write(HOLDS)) == (
        0,
        ["ratio: goal <= 2 / got 2 (1 to 3) / holds", "goals: 1 held, 0 missed, 0 not measured"],
    )


def test_the_exit_code_is_the_number_of_goals_missed(write):
    assert run(write(MISSES)) == (
        2,
        [
            "lost: goal <= 0 / got 1 / MISSED",
            "share: goal >= 0.95 / got 0.50 / MISSED",
            "goals: 0 held, 2 missed, 0 not measured",
        ],
    )


def test_what_cannot_be_measured_is_told_and_neither_holds_nor_is_missed(write):
    assert run(write(CANNOT)) == (
        0,
        ["share: NOT MEASURED: install aria2c", "goals: 0 held, 0 missed, 1 not measured"],
    )


def test_all_run_and_the_missed_goals_of_all_are_counted_with_those_that_broke(write):
    texts = (MISSES, BREAKS, "raise ValueError", BREAKS_AT_ITS_END, HAS_NO_GOAL, CANNOT, HOLDS)
    names = [write(text, f"bench_{letter}").with_suffix("") for letter, text in zip("abcdefg", texts, strict=True)]
    code, lines = run(HERE / "run_all.py", *names)
    assert code == 6
    assert [line for line in lines if line.startswith("==")] == [f"== {name.stem}" for name in names]
    assert lines[-2:] == [
        "did not come to an end: bench_b, bench_c, bench_d, bench_e",
        "goals missed: 6, not measured: 1",
    ]


def test_when_all_goals_hold_the_exit_code_says_so(write):
    code, lines = run(HERE / "run_all.py", write(HOLDS, "bench_a").with_suffix(""))
    assert (code, lines[-1]) == (0, "goals missed: 0, not measured: 0")


def test_settings_of_whoever_runs_a_benchmark_stay_out_of_it(write, monkeypatch):
    monkeypatch.setenv("BINOTEL_KEY", "his own")
    monkeypatch.setenv("ALERT_URLS", "his own")
    assert run(write("import goals, os\nprint('BINOTEL_KEY' in os.environ or 'ALERT_URLS' in os.environ)")) == (
        0,
        ["False"],
    )


@pytest.mark.skipif(sys.platform != "linux", reason="counted otherwise elsewhere")
def test_the_memory_of_a_process_is_its_own_and_not_that_of_its_parent():
    ballast = b"x" * 200_000_000
    code, output, errors, megabytes = goals.measured(["/bin/true"])
    assert (code, output, errors, len(ballast)) == (0, "", "", 200_000_000)
    assert megabytes < 15
    code, output, _, megabytes = goals.measured([sys.executable, "-c", "x = b'x' * 100_000_000; print(len(x))"])
    assert (code, output) == (0, "100000000\n")
    assert 100 < megabytes < 150
