"""The core copied into somebody else's project: signed, throttled, with requests and nothing else."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import venv
from datetime import date

import pytest

from common.settings import PROJECT_ROOT

PROGRAM = """
import sys
from binotel_core import BinotelClient, SqliteLedger, Throttle

throttle = Throttle(SqliteLedger("state/binotel.db"), "sandbox-key", time_scale=0.1)
client = BinotelClient("sandbox-key", "sandbox-secret", base_url=sys.argv[1], throttle=throttle)
for _ in range(7):
    calls = client.calls_per_day(1714560000)
print(len(calls), client.call("customers/search", {"subject": "067"})["status"])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment that has requests and what requests needs."""
    folder = tmp_path_factory.mktemp("alone") / "venv"
    venv.create(folder, with_pip=False)
    [packages] = folder.glob("lib/python*/site-packages")
    wanted, copied = ["requests"], set()
    while wanted:
        distribution = importlib.metadata.distribution(wanted.pop())
        if distribution.name in copied:
            continue
        copied.add(distribution.name)
        wanted += [re.match(r"[\w.-]+", line)[0] for line in distribution.requires or [] if "extra ==" not in line]
        for file in distribution.files:
            if ".." not in file.parts:
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), packages / file)
    assert copied == {"requests", "urllib3", "idna", "certifi", "charset-normalizer"}
    return folder / "bin" / "python"


@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="environments look otherwise there")
def test_the_copied_file_asks_for_calls_within_the_quota(make_sandbox, python, tmp_path):
    sandbox = make_sandbox(time_scale=0.1)
    shutil.copy(PROJECT_ROOT / "binotel_core.py", tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)
    expected = len(sandbox.company.calls_of_day(date(2024, 5, 1)))
    command = [python, "program.py", sandbox.base_url]
    result = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == (f"{expected} success\n", "")
    assert [request["code"] for request in sandbox.requests] == [0] * 8
    times = [request["time"] for request in sandbox.requests]
    assert times[6] - times[5] >= 0.5  # the seventh has waited
