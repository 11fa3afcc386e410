"""Write what the scripts say of themselves (--help, and call_method.py --list) into docs/en/jobs.md.

    python docs/write_help.py

Between <!-- help: NAME --> and <!-- /help --> stands what scripts/NAME.py --help prints; a test says when it is stale.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "en" / "jobs.md"


def with_fresh_help(text: str) -> str:
    """The page with what the scripts say now."""

    def fresh(match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        return f"<!-- {kind}: {name} -->\n```\n{said(name, kind)}\n```\n<!-- /{kind} -->"

    return re.sub(r"<!-- (help|list): (\w+) -->\n.*?<!-- /\1 -->", fresh, text, flags=re.DOTALL)


def said(name: str, option: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / f"{name}.py"), f"--{option}"]
    environment = os.environ | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    result = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=True)
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(with_fresh_help(PAGE.read_text("utf-8")), "utf-8")
