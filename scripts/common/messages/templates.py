"""The templates of mails and messages, each beside the module that fills it in."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

# Every value is escaped in HTML: the names of customers are anybody's text.
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1]),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
MAX_NAME_LENGTH = 40


def render(name: str, content: dict[str, Any]) -> str:
    """The text that a template makes of `content`; `name` is its path in scripts/common, "reports/report_mail.html"."""
    return _environment.get_template(name).render(content | {"short": short, "unbroken": _unbroken})


def compile_all() -> None:
    """Compile every template, which is slow, before the first one is needed."""
    for name in _environment.list_templates(["html", "txt"]):
        _environment.get_template(name)


def short(name: str, most: int = MAX_NAME_LENGTH) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _unbroken(text: str) -> str:
    """With non-breaking hyphens: a date stays on one line."""
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")
