"""Make the pictures in docs/pictures/ from the sandbox: a report's first sheet, a mail on a phone, calls in Datasette.

    python docs/make_pictures.py        (make pictures)

It needs LibreOffice, Chromium and poppler: apt-get install libreoffice-calc chromium poppler-utils
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
WORKBOOK = ROOT / "demo" / "reports" / "calls-2024-05-01.xlsx"
PAGE = ROOT / "demo" / "mail" / "calls-2024-05-01.html"
LANGUAGES = ("en", "uk")
DOTS_PER_INCH = 110
CROPPED = ("-x", 20, "-y", 78, "-W", 1230, "-H", 716)  # a page has margins, and a line that repeats the title
DATABASE = ROOT / "demo" / "var" / "binotel-2.0.db"
METADATA = ROOT / "deploy" / "datasette" / "metadata.yml"
PORT = 8019
SCREEN = "1200,800"
PHONE = "412,938"  # pixels: down to the list's end in both languages
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
