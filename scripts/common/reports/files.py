"""A Report -> files: XLSX, CSV, JSON of the server's entries, JSON of the figures."""

import csv
import errno
import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from common.calls.call import Call
from common.csv_texts import CSV_DELIMITER, CSV_ENCODING, fit_for_cell, guarded
from common.files import written_whole
from common.labels import Labels
from common.reports.figures import Report
from common.reports.summary import summary
from common.reports.tables import Kind, Link, Value, calls_table

FORMATS = {"xlsx": ".xlsx", "csv": ".csv", "json": ".json", "summary": ".summary.json"}  # and how their files end


def format_of(path: Path) -> str:
    """The format that a file's name tells; "" for none of ours."""
    return next((name for name, ending in reversed(FORMATS.items()) if path.name.lower().endswith(ending)), "")


def save(
    report: Report,
    entries: Iterable[dict[str, Any]],
    path: Path,
    labels: Labels,
    recording: Callable[[Call], str] = lambda _: "",
) -> None:
    """Write a report to `path` in the format that its ending names; the file appears whole or not at all.

    entries:   the server's own, which JSON holds unchanged
    recording: see calls_table()

    Raises OSError, also when the report is empty and the file that is there is not.
    """
    if not report.count and _has_calls(path):
        raise OSError(
            errno.ENOTEMPTY,
            f"Binotel lists no calls for {report.selection.name} any more; the report with calls was kept",
            str(path),
        )
    with written_whole(path) as temporary:
        match format_of(path):
            case "xlsx":
                from common.reports.workbook import save_workbook  # openpyxl is slow to import

                save_workbook(report, labels, temporary, recording)
            case "csv":
                _save_csv(report, labels, recording, temporary)
            case "json":
                _save_json(entries, temporary)
            case "summary":
                text = json.dumps(summary(report), ensure_ascii=False, indent=1)
                temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
            case _:
                raise ValueError(f"{path.name!r} does not end as a format we know: {', '.join(FORMATS.values())}.")


def _has_calls(path: Path) -> bool:
    """Whether there is a report with calls in it, which an empty one must not replace."""
    if not path.is_file():
        return False
    kind = format_of(path)
    if kind == "xlsx":
        from common.reports.workbook import holds_calls

        with suppress(BadZipFile):
            return holds_calls(path)
        return False
    with path.open("rb") as file:
        start = file.read(10_000)
    if kind == "summary":
        return any(re.findall(rb'"(?:incoming|outgoing)": ([1-9])', start))
    return start.count(b"\n") > 1 if kind == "csv" else start.strip() != b"[]"


def _save_csv(report: Report, labels: Labels, recording: Callable[[Call], str], path: Path) -> None:
    """The list of calls so that a Ukrainian Excel opens it with a double click: BOM, semicolons."""
    table = calls_table(report, labels, recording)
    with path.open("w", encoding=CSV_ENCODING, newline="") as file:
        # Quoted, so that a program that splits lines by other signs as well finds the ends of texts all the same.
        writer = csv.writer(file, delimiter=CSV_DELIMITER, quoting=csv.QUOTE_ALL)
        writer.writerow(table.headings)
        for row in table.rows():
            writer.writerow([_csv_text(value, kind) for value, kind in zip(row, table.kinds, strict=True)])
        if report.unreadable:
            writer.writerow([labels.format("unreadable calls", count=report.unreadable)])


def _csv_text(value: Value, kind: Kind) -> str:
    match value:
        case Link():
            return value.url if kind is Kind.LINK else value.text
        case datetime():
            return value.isoformat(" ")
        case timedelta():  # str() would count days apart
            minutes, seconds = divmod(value // timedelta(seconds=1), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case str() if kind in (Kind.TEXT, Kind.LINES, Kind.PHONE):
            return fit_for_cell(guarded(value))
    return str(value)


def _save_json(entries: Iterable[dict[str, Any]], path: Path) -> None:
    # What UTF-8 has no form for (half a surrogate pair) stays the escape it was.
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        before = "["
        for entry in entries:
            file.write(f"{before}\n{json.dumps(entry, ensure_ascii=False, indent=1)}")
            before = ","
        file.write("[]\n" if before == "[" else "\n]\n")
