"""The documents promise only what is there, and say what the scripts say of themselves."""

import importlib.util
import re

import pytest

from common.labels import LANGUAGES, Labels
from common.reports.summary import summary
from common.settings import DEFAULTS, PROJECT_ROOT
from helpers import call, period, with_comparison

OUTSIDE_DOCS = [PROJECT_ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deploy/README.md")]
PAGES = sorted([*OUTSIDE_DOCS, *(PROJECT_ROOT / "docs").rglob("*.md")])
TEXTS = {str(page.relative_to(PROJECT_ROOT)): page.read_text("utf-8") for page in PAGES}
PYTHON = [
    (page, block) for page, text in TEXTS.items() for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
]
SCRIPTS = sorted(path.stem for path in (PROJECT_ROOT / "scripts").glob("*.py"))
FOLDERS = ("", "scripts", "scripts/common", *(f"deploy/{kind}" for kind in ("airflow", "kubernetes", "systemd")))


def each(pattern):
    """(page, what the pattern finds) for all pages, each once."""
    return sorted({(page, found) for page, text in TEXTS.items() for found in re.findall(pattern, text)})


@pytest.mark.parametrize(
    ("page", "name"), each(r"(?<![\w/.-])(?:[\w-]+[/\\])*[\w-]+\.(?:py|env|txt|md|service|timer|yaml|xml)(?!\.?\w)")
)
def test_every_file_that_is_named_is_there(page, name):
    path = re.sub("^(opt/)?binotel/", "", name.replace("\\", "/"))
    places = [(PROJECT_ROOT / page).parent, *(PROJECT_ROOT / folder for folder in FOLDERS)]
    assert path.rpartition("/")[2] == "config.env" or any((place / path).exists() for place in places)


@pytest.mark.parametrize(("page", "folder"), each(r"`((?:scripts|tests|docs|deploy)/[\w/-]*)`"))
def test_every_folder_that_is_named_is_there(page, folder):
    assert (PROJECT_ROOT / folder).is_dir()


@pytest.mark.parametrize(("page", "command"), each(rf"\b(?:{'|'.join(SCRIPTS)})\.py [^\n`]*--[^\n`]*"))
def test_every_option_in_a_command_is_one_of_the_script(page, command):
    if page.startswith("deploy/"):
        return  # tests/deploy holds them to the scripts
    script, _, rest = command.partition(".py ")
    [said] = re.findall(rf"<!-- help: {script} -->(.*?)<!-- /help -->", TEXTS["docs/en/jobs.md"], re.DOTALL)
    known = set(re.findall(r"(?<![\w-])--[a-z-]+", said))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)) - known == set()


@pytest.mark.parametrize(("page", "link"), each(r"\]\(([^)\s]+)\)"))
def test_every_link_and_picture_leads_somewhere(page, link):
    if link.startswith("https://"):
        return
    path, _, heading = link.partition("#")
    target = ((PROJECT_ROOT / page).parent / path).resolve() if path else PROJECT_ROOT / page
    assert target.is_file()
    if heading:
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize(("page", "target"), each(r"(?m)(?:^|`)make (\w+)"))
def test_every_make_target_that_is_named_is_there(page, target):
    assert re.search(rf"^{target}:", (PROJECT_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_every_make_target_is_explained_to_those_who_contribute():
    makefile = (PROJECT_ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    of_users = {"setup", "update", "clean"}
    assert targets - set(re.findall(r"make (\w+)", TEXTS["CONTRIBUTING.md"])) == of_users


def test_every_picture_is_shown_and_soon_loaded():
    shown = {found for _, found in each(r"\]\([./a-z]*pictures/([\w.-]+)\)")}
    pictures = {picture.name: picture.stat().st_size for picture in (PROJECT_ROOT / "docs" / "pictures").iterdir()}
    assert shown == set(pictures)
    assert max(pictures.values()) <= 150_000


@pytest.mark.parametrize(("page", "key"), each(r"(?m)(?:`|^)([A-Z]+_[A-Z_]+)[`=]"))
def test_every_key_that_is_named_is_there(page, key):
    others = {"BINOTEL_CONFIG", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "LIMIT_SECONDS"}
    begins = key.endswith("_") and any(known.startswith(key) for known in DEFAULTS)
    assert begins or key in {*others, *DEFAULTS}


def test_the_readme_is_one_sitting():
    assert len(TEXTS["README.md"].splitlines()) <= 200
    contributing = TEXTS["CONTRIBUTING.md"]
    assert len(contributing.splitlines()) <= 80


@pytest.mark.parametrize("language", ["uk", "ru"])
def test_the_readme_says_as_much_in_other_languages(language):
    english, other = TEXTS["README.md"], TEXTS[f"docs/{language}/README.md"]

    def skeleton(text):
        text = re.sub(r"(?m)#.*$", "", re.sub(r"(?m)^## .*$", "HEADING", text))  # comments beside commands differ
        commands = re.findall(r"```\n(.*?)```", text, re.DOTALL)
        words = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        return text.count("HEADING"), [re.sub(" +\n", "\n", command) for command in commands], sorted(words)

    assert skeleton(other) == skeleton(english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_managers_page_has_the_words_of_the_report_and_says_as_much_in_each_language(language):
    text, english = TEXTS[f"docs/{language}/manager.md"], TEXTS["docs/en/manager.md"]
    assert [text.count(sign) for sign in ("\n## ", "\n| ", "\n- ", "\n1. ", "![")] == [
        english.count(sign) for sign in ("\n## ", "\n| ", "\n- ", "\n1. ", "![")
    ]
    labels = Labels(language)
    figures = "tile to call,answered percent,called_back,got_through,tried,nobody,rung in lost,picked up,new callers"
    words = [labels[name] for name in figures.split(",")]
    assert [word for word in words if word not in text] == []


def test_what_scripts_say_of_themselves_is_in_the_docs():
    spec = importlib.util.spec_from_file_location("write_help", PROJECT_ROOT / "docs" / "write_help.py")
    write_help = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write_help)
    text = TEXTS["docs/en/jobs.md"]
    assert sorted(re.findall(r"<!-- help: (\w+) -->", text)) == SCRIPTS
    # Where argparse breaks its lines is not the same in all versions of Python.
    assert write_help.with_fresh_help(text).split() == text.split(), "docs/en/jobs.md is stale: run make docs"


def test_every_key_of_the_summary_is_told():
    told = set(re.findall(r"`([\w.]+)`", TEXTS["docs/en/summary.md"]))

    def keys(value):
        for name, held in value.items():
            yield name
            for row in held if isinstance(held, list) else [held]:
                if isinstance(row, dict):
                    yield from keys(row)

    source = {"callTrackingData": {"utm_source": "google", "domain": "shop.example.com"}}
    lost = call("10:00", "CANCEL", dstNumbers=[{"dstNumber": "800 > 901"}], **source)
    made = with_comparison(period(lost, call(number="0501111111")))
    found = set(keys(summary(made)))
    assert found - {name.removeprefix("...") for name in told} == {
        "called_back_within_1_h",  # in short: ..._1_h
        "called_back_within_24_h",
    }


def test_the_example_of_the_api_runs_as_it_stands(make_sandbox, clock, tmp_path, capsys, monkeypatch):
    sandbox = make_sandbox(clock=clock.time, calls_per_day=5)
    core_alone, with_scripts = (block for page, block in PYTHON if page == "docs/en/api-from-python.md")
    assert "common." not in core_alone
    example = core_alone + with_scripts
    for old, new in (
        ("/opt/binotel/var/binotel.db", f"{tmp_path}/binotel.db"),
        ('"key"', '"sandbox-key"'),
        ('"secret", throttle=', f'"sandbox-secret", base_url="{sandbox.base_url}", throttle='),
    ):
        assert old in example
        example = example.replace(old, new)
    monkeypatch.setattr("binotel_core.SqliteLedger.__init__.__defaults__", (clock.time,))
    monkeypatch.setattr("binotel_core.Throttle.__init__.__kwdefaults__", {"time_scale": 1, "sleep": clock.sleep})
    exec(compile(example, "docs", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) > 200


@pytest.mark.parametrize(("page", "example"), PYTHON)
def test_every_example_in_python_is_python(page, example):
    compile(example, page, "exec")


def test_what_the_image_is_made_of_is_there_and_what_only_tests_need_is_not_in_it():
    dockerfile = (PROJECT_ROOT / "Dockerfile").read_text("utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile, re.MULTILINE) for name in line.split()}
    requirements = {"requirements.txt", "requirements-s3.txt", "requirements-postgresql.txt"}
    assert copied == requirements | {"binotel_core.py", "scripts"}
    not_ignored = re.findall(r"^!(.*)$", (PROJECT_ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert set(not_ignored) == copied
    assert set(re.findall(r"-r (\S+)", dockerfile)) == requirements
