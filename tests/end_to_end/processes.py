"""Scripts as processes of their own, and the configuration that they read."""

import subprocess
import sys
from pathlib import Path

from common.sandbox.answers import KEY, SECRET

LOWERED = Path(__file__).with_name("lowered.py")


def start(script, *arguments, lowered=(), **options):
    """The script as a process, its output in pipes; `lowered` are a cap and a time scale for lowered.py."""
    before = [LOWERED, *lowered] if lowered else []
    command = [sys.executable, *map(str, before), str(script), *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    return subprocess.Popen(command, **({"cwd": "/"} | pipes | options))


def run(script, *arguments, **options):
    """(exit code, stdout, stderr) of the script; stderr without the time before each line."""
    with start(script, *arguments, **options) as process:
        output, errors = process.communicate(timeout=60)
    return process.returncode, output, without_time(script, errors)


def write_config(folder, address, **more):
    """The path of a config.env that is written into a folder, for the sandbox at an address, with more lines."""
    values = {"BINOTEL_KEY": KEY, "BINOTEL_SECRET": SECRET, "BINOTEL_API_URL": address, "REPORT_LANGUAGE": "en"} | more
    path = folder / "config.env"
    path.touch(0o600)
    path.write_text("".join(f"{key}={value}\n" for key, value in values.items()), "utf-8")
    return path


def without_time(script, errors):
    return "\n".join(line.partition(f"{script.stem}: ")[2] or line for line in errors.splitlines())
