"""Every script explains itself."""

import subprocess
import sys

import pytest

from common.settings import PROJECT_ROOT

SCRIPTS = sorted(path.name for path in (PROJECT_ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_shown_with_an_example(name):
    command = [sys.executable, PROJECT_ROOT / "scripts" / name, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"python scripts/{name}" in result.stdout


@pytest.mark.parametrize("name", ["export_calls_for_period.py", "restore_customers.py"])
def test_what_is_missing_is_told_with_how_to_call_it(name):
    command = [sys.executable, PROJECT_ROOT / "scripts" / name]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_python_without_the_packages_is_told_which_one_has_them(name):
    command = [sys.executable, "-S", PROJECT_ROOT / "scripts" / name]  # -S: without what is installed
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert "lacks the package" in result.stderr
    assert f"start {name} with the project's own Python, {PROJECT_ROOT / '.venv'}" in result.stderr


def test_a_wrong_option_is_told_with_the_right_one():
    command = [sys.executable, PROJECT_ROOT / "scripts" / "export_calls_per_day.py", "--formt", "xlsx"]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("error: unrecognized arguments: --formt. Did you mean --format?\n")
