"""Make the pictures in docs/pictures/ from the sandbox: the report's first sheet, and the mail on a phone.

    python docs/make_pictures.py        (make pictures)

It needs LibreOffice, Chromium and poppler: apt-get install libreoffice-calc chromium poppler-utils
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
WORKBOOK = ROOT / "demo" / "reports" / "calls-2024-05-01.xlsx"
PAGE = ROOT / "demo" / "mail" / "calls-2024-05-01.html"
LANGUAGES = ("en", "uk")
DOTS_PER_INCH = 110
CROPPED = ("-x", 20, "-y", 78, "-W", 1230, "-H", 716)  # a page has margins, and a line that repeats the title
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
    run("chromium", *CHROMIUM, f"--user-data-dir={folder}/chromium", f"--window-size={PHONE}",
        f"--screenshot={picture}", PAGE.as_uri())  # fmt: skip


def run(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
