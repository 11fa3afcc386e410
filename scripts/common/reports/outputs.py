"""Where a script's reports go: the options that all of them share, and the files."""

import argparse
import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from common.calls.call import Call
from common.labels import Labels
from common.reports.figures import Report
from common.reports.files import FORMATS, format_of, save
from common.settings import UsageError


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", metavar="FORMATS", help=f"some of {','.join(FORMATS)} (default: xlsx)")
    parser.add_argument("--output", metavar="PATH", type=_path, help="another folder, or a file for a single report")
    parser.add_argument("--no-mail", action="store_true", help="write the files, send nothing")
    parser.add_argument("--fresh", action="store_true", help="ask Binotel also for calls that it was asked for before")


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return Path(text)


def wanted_paths(names: list[str], arguments: argparse.Namespace, reports_dir: Path) -> dict[str, list[Path]]:
    """Where the files of each report go, by the report's name.

    Raises UsageError for what cannot be, and OSError when nothing can be written there: before anything is asked.
    """
    paths = _paths(names, arguments, reports_dir)
    for path in {path for of_report in paths.values() for path in of_report}:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, and a file is to be written there: remove it, or use --output.")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied", str(path.parent))
    return paths


def _paths(names: list[str], arguments: argparse.Namespace, reports_dir: Path) -> dict[str, list[Path]]:
    output: Path | None = arguments.output
    ending = output.suffix if output and not output.is_dir() else ""
    named = format_of(output) if output and ending else ""
    default = named or "xlsx"
    formats = list(
        dict.fromkeys((default if arguments.format is None else arguments.format).lower().replace(" ", "").split(","))
    )
    if unknown := [name for name in formats if name not in FORMATS]:
        raise UsageError(f"There is no format {unknown[0]!r}: --format takes some of {','.join(FORMATS)}.")
    if output and named:
        if len(names) > 1 or len(formats) > 1:
            raise UsageError(f"{output} is one file: name a folder for several days or formats.")
        if formats != [named]:
            raise UsageError(f"{output} says {named}, and --format says {formats[0]}: leave one of them out.")
        return {names[0]: [output]}
    if ending:
        endings = ", ".join(FORMATS.values())
        raise UsageError(f"{output} does not end in {endings}. Is it a folder? Then make it first.")
    folder = output or reports_dir
    return {name: [folder / f"calls-{name}{FORMATS[each]}" for each in formats] for name in names}


def formats_of(paths: list[Path]) -> str:
    """xlsx,csv"""
    return ",".join(map(format_of, paths))


def write_files(
    report: Report,
    entries: Iterable[dict[str, Any]],
    paths: list[Path],
    labels: Labels,
    recording: Callable[[Call], str],
    tell: Callable[[Path], None],
) -> None:
    """Write a report's files (see save() in files.py), and tell the path of each that is made. Raises OSError."""
    for path in paths:
        save(report, entries, path, labels, recording)
        tell(path)
