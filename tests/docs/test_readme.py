"""The README promises only what is there."""

import re

import pytest

from common.settings import DEFAULTS, PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"(?:scripts[/\\])?\w[\w.]*\.(?:py|env)\b", README)) - {"config.env"})
)
def test_every_file_that_it_names_is_there(name):
    name = name.replace("\\", "/")
    assert any((PROJECT_ROOT / folder / name).exists() for folder in ("", "scripts", "tests/benchmarks"))


def test_every_make_target_that_it_names_is_there():
    makefile = (PROJECT_ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`?make (\w+)`?$|`make (\w+)`", README, re.MULTILINE))
    targets = {one or other for one, other in named}
    assert targets == {"demo", "test", "setup", "lint", "bench", "clean"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_every_key_that_it_names_is_there():
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", README)) - {
        "BINOTEL_CONFIG",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
    }
    assert {key for key in named if not any(known.startswith(key) for known in DEFAULTS)} == set()


def test_the_example_of_the_api_runs_as_it_stands(make_sandbox, clock, tmp_path, capsys, monkeypatch):
    sandbox = make_sandbox(clock=clock.time, calls_per_day=5)
    example = next(block for block in PYTHON if "BinotelClient" in block)
    for old, new in (
        ("/opt/binotel/var/binotel.db", f"{tmp_path}/binotel.db"),
        ('"key"', '"sandbox-key"'),
        ('"secret", throttle=', f'"sandbox-secret", base_url="{sandbox.base_url}", throttle='),
    ):
        assert old in example
        example = example.replace(old, new)
    monkeypatch.setattr("binotel_core.SqliteLedger.__init__.__defaults__", (clock.time,))
    monkeypatch.setattr("binotel_core.Throttle.__init__.__kwdefaults__", {"time_scale": 1, "sleep": clock.sleep})
    exec(compile(example, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) > 200


@pytest.mark.parametrize("example", PYTHON, ids=lambda example: example.split("\n")[0])
def test_every_example_in_python_is_python(example):
    compile(example, "README.md", "exec")


def test_what_the_image_is_made_of_is_there_and_what_only_tests_need_is_not_in_it():
    dockerfile = (PROJECT_ROOT / "Dockerfile").read_text("utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile, re.MULTILINE) for name in line.split()}
    requirements = {"requirements.txt", "requirements-s3.txt", "requirements-postgresql.txt"}
    assert copied == requirements | {"pyproject.toml", "binotel_core.py", "scripts"}
    not_ignored = re.findall(r"^!(.*)$", (PROJECT_ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert set(not_ignored) == copied
    assert set(re.findall(r"-r (\S+)", dockerfile)) == requirements


def test_what_only_tests_need_is_not_among_what_running_needs():
    def packages(kind):
        text = (PROJECT_ROOT / f"requirements{kind}.txt").read_text("utf-8")
        return set(re.findall(r"^([\w-]+)[\[=]", text, re.MULTILINE))

    assert {"requests", "SQLAlchemy", "openpyxl", "schedule", "apprise"} <= packages("")
    assert (packages("-s3"), packages("-postgresql"), packages("-demo")) == ({"s3fs"}, {"psycopg"}, {"aiosmtpd"})
    assert {"pytest", "moto", "ruff"} <= packages("-dev")
    assert packages("-dev") & packages("") == set()
