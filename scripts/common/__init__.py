"""What the scripts share. Who imports any of it can import binotel_core, too."""

import os
import sys
from pathlib import Path
from types import TracebackType

_ROOT = Path(__file__).resolve().parents[2]
# It stands above scripts/, where Python does not look by itself. Last, so that no file beside it hides another module.
sys.path.append(str(_ROOT))


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Where a package is missing, say which Python has it: the traceback would help nobody."""
    is_script = sys.argv and Path(sys.argv[0]).resolve().parent == _ROOT / "scripts"
    if not (is_script and isinstance(error, ModuleNotFoundError)):
        sys.__excepthook__(kind, error, trace)
        return
    python = _ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    first = "" if python.exists() else f"run make setup in {_ROOT} (README shows how it is done on Windows), then "
    name = Path(sys.argv[0]).name
    print(  # noqa: T201 - what prints otherwise cannot be imported
        f"{Path(sys.argv[0]).stem}: {sys.executable} lacks the package {error.name}: "
        f"{first}start {name} with the project's own Python, {python}.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(2)


sys.excepthook = _tell
