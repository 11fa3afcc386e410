"""Make the pictures in docs/pictures/ from the sandbox: a report's first sheet, its mail and its message on a phone,
and the calls in Datasette.

    python docs/make_pictures.py        (make pictures)

It needs LibreOffice, Chromium and poppler: apt-get install libreoffice-calc chromium poppler-utils
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from common.calls.archive import Archive  # noqa: E402 - found only now
from common.calls.call import Calls  # noqa: E402
from common.calls.days import of_day  # noqa: E402
from common.labels import Labels  # noqa: E402
from common.reports.compared import compared  # noqa: E402
from common.reports.figures import Report  # noqa: E402
from common.reports.report_mail import report_in_short  # noqa: E402
from common.reports.selection import Selection  # noqa: E402
from common.sandbox.answers import KEY  # noqa: E402

DAY, KYIV = date(2024, 5, 1), ZoneInfo("Europe/Kyiv")
PICTURES = ROOT / "docs" / "pictures"
WORKBOOK = ROOT / "demo" / "reports" / "calls-2024-05-01.xlsx"
PAGE = ROOT / "demo" / "mail" / "calls-2024-05-01.html"
LANGUAGES = ("en", "uk")
DOTS_PER_INCH = 96
CROPPED = ("-x", 17, "-y", 68, "-W", 1073, "-H", 638)  # a page has margins, and a line that repeats the title
DATABASE = ROOT / "demo" / "var" / "binotel-2.0.db"
METADATA = ROOT / "deploy" / "datasette" / "metadata.yml"
PORT = 8019
SCREEN = "1200,800"
PHONE = "412,938"  # pixels
CHAT_SIZE = "412,660"
CHAT = """<!DOCTYPE html><meta charset="utf-8">
<body style="margin:0;padding:14px;background:#cfe0c3;font:15px/1.4 sans-serif;color:#111">
<div style="background:#fff;border-radius:12px;padding:10px 12px;max-width:350px">
<b style="color:#1a5fb4">Binotel</b><br><b>{title}</b><br>{words}</div>
<style>a {{ color: #1a5fb4 }}</style>"""
# Quiet, without a sandbox of its own (for root), and asking nobody on the network for anything.
CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
).split()


def main() -> None:
    for program, package in (("soffice", "libreoffice-calc"), ("pdftoppm", "poppler-utils"), ("chromium", "chromium")):
        if not shutil.which(program):
            sys.exit(f"{program} is missing: install it, on Debian with apt-get install {package}.")
    PICTURES.mkdir(exist_ok=True)
    for language in LANGUAGES:
        demo = [sys.executable, str(ROOT / "scripts" / "demo.py"), language]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
        with tempfile.TemporaryDirectory() as folder:
            take_sheet(Path(folder), PICTURES / f"report-{language}.png")
            take_page(Path(folder), PICTURES / f"mail-{language}.png")
            take_message(Path(folder), language, PICTURES / f"chat-{language}.png")
    with tempfile.TemporaryDirectory() as folder, running_datasette() as address:
        take_screen(Path(folder), address, SCREEN, PICTURES / "datasette.png")
    for picture in sorted(PICTURES.iterdir()):
        print(picture)


def take_sheet(folder: Path, picture: Path) -> None:
    """The workbook's first page as it is printed."""
    run("soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf", WORKBOOK,
        "--outdir", folder)  # fmt: skip
    pdf = folder / WORKBOOK.with_suffix(".pdf").name
    run(
        "pdftoppm", "-png", "-r", DOTS_PER_INCH, *CROPPED, "-f", 1, "-l", 1, "-singlefile", pdf, picture.with_suffix("")
    )


def take_page(folder: Path, picture: Path) -> None:
    """The mail as a phone shows it, as far down as a screen reaches."""
    take_screen(folder, PAGE.as_uri(), PHONE, picture)


def take_message(folder: Path, language: str, picture: Path) -> None:
    """The report in short, as a chat shows it: a bubble, with numbers that the chat finds by itself."""
    labels, archive = Labels(language), Archive(f"sqlite:///{DATABASE}", KEY, KYIV)
    entries = list(archive.entries(of_day(DAY, KYIV), time.time()))
    report = compared(Report.of(Selection.of_day(DAY, KYIV), Calls(entries, KYIV)), archive)
    message = report_in_short(report, labels, None)
    words = re.sub(r"(\+[0-9]{9,})", r"<a>\1</a>", html.escape(message.text)).replace("\n", "<br>")
    page = folder / "chat.html"
    page.write_text(CHAT.format(title=html.escape(message.subject), words=words), "utf-8")
    take_screen(folder, page.as_uri(), CHAT_SIZE, picture)


def take_screen(folder: Path, address: str, size: str, picture: Path) -> None:
    run("chromium", *CHROMIUM, f"--user-data-dir={folder}/chromium", f"--window-size={size}",
        f"--screenshot={picture}", address)  # fmt: skip


@contextmanager
def running_datasette() -> Iterator[str]:
    """The demo's calls in a browser; gives the page's address."""
    database = DATABASE.with_name("binotel.db")
    shutil.copy(DATABASE, database)
    command = [sys.executable, "-m", "datasette", str(database), "--metadata", str(METADATA), "--port", str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            time.sleep(5)
            yield f"http://127.0.0.1:{PORT}/binotel/call_list"
        finally:
            process.terminate()
            database.unlink()


def run(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
