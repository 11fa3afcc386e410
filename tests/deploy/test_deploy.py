"""Each file in deploy/ is read by the tool that it is for, or held against that tool's own schema."""

import functools
import py_compile
import re
import shutil
import subprocess
import sys

import kubernetes_validate
import pytest
import yaml
from lxml import etree

from common.settings import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
TASK = DEPLOY / "windows" / "binotel-loop.xml"
SCHEMA = etree.XMLSchema(etree.parse(PROJECT_ROOT / "tests" / "deploy" / "windows_task.xsd"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="Debian's package systemd is missing")
needs_cron = pytest.mark.skipif(not shutil.which("crontab"), reason="Debian's package cron is missing")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def commands():
    """Every script that a file of deploy/ starts, each with every option that it is given there."""
    for path in FILES:
        for script, rest in re.findall(r"\b([a-z_]+\.py)\b([^\n`]*)", path.read_text("utf-8")):
            if (DEPLOY / "airflow" / script).exists():
                continue
            yield from ((script, option) for option in ["--help", *re.findall(r"--[a-z][a-z-]*", rest)])


@functools.cache
def help_of(script):
    return run(sys.executable, PROJECT_ROOT / "scripts" / script, "--help").stdout


@pytest.fixture
def units(tmp_path):
    """The units with this project in place of /opt/binotel, for systemd looks whether a program is there."""
    copy = shutil.copytree(DEPLOY / "systemd", tmp_path / "units")
    for service in copy.glob("*.service"):
        text = service.read_text().replace("/opt/binotel/.venv/bin/python", sys.executable)
        service.write_text(text.replace("/opt/binotel", str(PROJECT_ROOT)))
    return sorted(path for path in copy.iterdir() if path.is_file())


@needs_systemd
def test_systemd_finds_no_fault_in_the_units(units):
    result = run("systemd-analyze", "verify", "--man=no", *units)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_what_a_service_could_do_to_its_machine_stays_little(service):
    # In tenths: systemd calls up to 2.0 "OK" and gives 9.6 to a service that may do everything.
    result = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", service)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("version", ["1.31", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_knows_every_field_of_a_manifest(path, version):
    # 1.31 is the first in which all that is used is stable: timeZone since 1.27, podFailurePolicy since 1.31.
    for manifest in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_every_pod_may_write_to_its_volumes_alone_and_finds_them():
    manifests = [manifest for path in MANIFESTS for manifest in yaml.safe_load_all(path.read_text())]
    claims = {each["metadata"]["name"] for each in manifests if each["kind"] == "PersistentVolumeClaim"}
    pods = [pod_of(each) for each in manifests if each["kind"] in ("CronJob", "Deployment")]
    assert len(pods) == 2
    for pod in pods:
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
        assert volumes["data"]["persistentVolumeClaim"]["claimName"] in claims
        assert pod["securityContext"]["runAsNonRoot"]
        assert f"useradd --uid {pod['securityContext']['runAsUser']} " in (PROJECT_ROOT / "Dockerfile").read_text()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def pod_of(manifest):
    spec = manifest["spec"]
    return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]


def test_python_compiles_the_dag(tmp_path):
    # Airflow itself, which has some 130 packages, is too much to install for one file.
    py_compile.compile(DEPLOY / "airflow" / "binotel_export.py", tmp_path / "dag.pyc", doraise=True)


def test_the_task_of_windows_follows_its_schema():
    SCHEMA.assertValid(etree.parse(TASK))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Interval>PT5M</Interval>", "<Interval>PT5S</Interval>"),
        ("<StartBoundary>2026-01-01T00:00:00</StartBoundary>", ""),
        ('Context="Author"', 'Context="Nobody"'),
        ("IgnoreNew", "Ignore"),
    ],
)
def test_a_task_with_a_fault_does_not_follow_it(old, new):
    text = TASK.read_text("utf-8")
    assert old in text
    assert not SCHEMA.validate(etree.fromstring(text.replace(old, new)))


def test_the_task_is_the_same_in_every_encoding_that_windows_may_read_it_in():
    text = TASK.read_bytes().decode("ascii")
    assert "encoding" not in text.splitlines()[0]
    assert etree.tostring(etree.fromstring(text.encode("utf-16"))) == etree.tostring(etree.fromstring(text))


@needs_cron
def test_cron_takes_the_crontab():
    result = run("crontab", "-n", DEPLOY / "cron" / "binotel.cron")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("script", "option"), sorted(set(commands())))
def test_every_script_takes_the_options_that_it_is_given(script, option):
    assert option in help_of(script)


def test_the_page_tells_of_every_file_and_of_no_other():
    page = (DEPLOY / "README.md").read_text("utf-8")
    named = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))
    there = {str(path.relative_to(DEPLOY)) for path in FILES} - {"README.md"}
    assert named == there


def test_there_is_no_secret_in_any_file():
    texts = "\n".join(path.read_text("utf-8") for path in FILES)
    assert re.findall(r"\w*(?:KEY|SECRET|PASSWORD|TOKEN)\w*\s*[=:].*|\w+://\S+:\S+@.*", texts) == []
