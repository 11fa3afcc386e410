"""Names that a spreadsheet takes for something else: the real writers' files have each unchanged, as a text."""

import csv
import itertools
import re
import shutil
import subprocess

import openpyxl
import pytest
from lxml import etree
from openpyxl.utils.escape import unescape

from common.csv_texts import LONGEST_CELL, guarded, unguarded
from common.labels import Labels
from common.reports.files import save
from helpers import call, report

# Two spaces between them.
NUMBERS = (
    "0  007  0671234567  +380671234567  12345678901234567890  1,5  1.5  1 000  1'000  5%  (5)  −5  -1  +1  +1+1  1e5  "
    "1E+5  1e-5  $5  5 €  5 грн  ₴5  UAH 5  1/2  1 1/2  １２  ٣٤"
).split("  ")
DATES = (
    "05.10  05.10.24  1-2  1-2-24  1/2/2024  2024-05-01  2024-05-01T10:00:00Z  10:30  1:2  10:30 PM  25:01:01  1:30.5  "
    "5 мая  8 марта  5 травня 2024  1.5.2024 г.  січ.24  Jan 5  May 2024  5-Mar  Wed, May 1, 2024  1 трав. 2024 р.  "
    "2024年5月1日"
).split("  ")
NAMED = "TRUE  true  FALSE  ІСТИНА  хибність  ИСТИНА  ложь  #N/A  #REF!  #Н/Д  #ССЫЛКА!".split("  ")
SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−"
LED = ("\t", "\r", "\n", "\r\n", " ", "\xa0", "\ufeff", "\u200b", "'", '"', "''", "\u3000")
BEFORE = ("x,", "x;", "x|", 'x,"', "x,'", ",", ",,")
FORMULAS = [
    *(sign + rest for sign in SIGNS for rest in ("", "1+1", "A1", "cmd|' /C calc'!A0")),
    *(f"{before}{sign}1+1{after}" for before in BEFORE for sign in SIGNS for after in ("", ",")),
    *(f"{led}=1+1" for led in LED),
    *("{=1+1}", "%=1", '=HYPERLINK("http://example.com";"x")', "=1+1;=1+1", "05,-1", ";-)", "О'Коннор, -5"),
]
ESCAPES = (
    "_x000D_  _x005F_  _x005F_x000D_  _x0041_x0042_  a_x000a_b  _x000D  x000D_  __x000D__  _X000D_  _x00zz_  &amp;  "
    '&#13;  <b>  ]]>  \\n  \\  "  ""  a"b  "a"  \'  \'a  \'\'  a;b  a,b  a|b  %41'
).split("  ")
STRANGE = [
    *("☕😀", "👩\u200d⚕️ Лікар", "👨\u200d👩\u200d👧", "Д" * 300, "Клієнт 5", "№5", "a@b.com"),
    *("\x00\x01\x02", "\x07\x0b\x1b", "\ud800", "\udfffx\ud800", "\ufffe\uffff"),
    *(f"a{letter}b" for letter in "\x85\xa0\xad\u061c\u2028\u200b\u200d\u200f\u202e\u2060\u2066\ufeff"),
]
NAMES = [*NUMBERS, *DATES, *NAMED, *FORMULAS, *ESCAPES, *STRANGE]
LONG_NAMES = ["x" * LONGEST_CELL, "x" * 40_000, "😀" * 20_000, "a" + "😀" * 20_000, "1" * 40_000, "=" + "x" * 40_000]
COLUMNS = (3, 6, 13)  # of the list of calls: customer, employee, our number's name
FORMULA = re.compile(f'"*[{re.escape(SIGNS)}]')


@pytest.fixture(scope="module")
def made():
    """A report with a call of each name."""
    named = ({"customerData": {"name": name}, "employeeName": name, "didName": name} for name in NAMES)
    return report(*(call(f"10:{index // 60:02}:{index % 60:02}", **more) for index, more in enumerate(named)))


@pytest.fixture(scope="module")
def files(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spreadsheets")
    for ending in ("xlsx", "csv"):
        save(made, [], folder / f"calls.{ending}", Labels("en"))
    return folder


def names_of(made):
    return [(call.customer, call.employee, call.our_number_name) for call in made.calls]


def read_csv(path, separator):
    """The rows as Excel splits them: a quote counts at the beginning of a cell alone, as Python's csv has it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_there_are_hundreds_of_them():
    assert len(set(NAMES)) > 400


def test_every_name_is_a_text_of_the_workbook(made, files):
    rows = list(openpyxl.load_workbook(files / "calls.xlsx")["Calls"].iter_rows(min_row=2))
    assert [tuple(unescape(row[column].value) for column in COLUMNS) for row in rows] == names_of(made)
    assert {row[column].data_type for row in rows for column in COLUMNS} == {"s"}


def test_every_name_is_a_text_of_the_csv(made, files):
    rows = read_csv(files / "calls.csv", ";")[1:]
    cells = [tuple(row[column] for column in COLUMNS) for row in rows]
    assert [tuple(map(unguarded, row)) for row in cells] == names_of(made)
    assert [text for row in cells for text in row if FORMULA.match(text)] == []
    values = {name for row in names_of(made)[: len(NUMBERS + DATES + NAMED)] for name in row}
    assert {name for name in values if guarded(name)[0] not in "\t'"} == set()


@pytest.mark.parametrize("separator", [",", "|"])
def test_no_name_is_a_formula_where_another_sign_separates(separator, files):
    texts = [text for row in read_csv(files / "calls.csv", separator) for text in row]
    assert [text for text in texts if FORMULA.match(text)] == []


def test_what_begins_as_a_value_but_is_none_stays_as_it_is():
    plain = [
        "Клієнт 5",
        "ТОВ Ромашка 2000",
        "a@b.com",
        "Олег;=1+1",
        "О'Коннор, -5",
        ";-)",
        "x - y",
        "093015-in-902.mp3",
    ]
    assert [guarded(text) for text in plain] == plain


@pytest.mark.parametrize("name", LONG_NAMES, ids=lambda name: f"{name[:2]} {len(name)}")
def test_a_name_that_is_too_long_for_a_cell_is_cut_there(name, tmp_path):
    made = report(call(customerData={"name": name}))
    for ending in ("xlsx", "csv"):
        save(made, [], tmp_path / f"calls.{ending}", Labels("en"))
    of_csv = read_csv(tmp_path / "calls.csv", ";")[1][3]
    of_workbook = openpyxl.load_workbook(tmp_path / "calls.xlsx")["Calls"]["D2"].value
    for text in (unguarded(of_csv), of_workbook):
        assert name.startswith(text)
    for text in (of_csv, of_workbook):
        assert len(text.encode("utf-16-le")) // 2 in (LONGEST_CELL, LONGEST_CELL - 1)


@pytest.mark.parametrize("letters", ["\t',=\"5а", "\n'|+ 1Ж"])
def test_a_guarded_text_is_read_back(letters):
    texts = {"".join(text) for length in range(6) for text in itertools.product(letters, repeat=length)}
    assert {text for text in texts if unguarded(guarded(text)) != text} == set()


def test_what_older_versions_guarded_is_read_back():
    assert [unguarded(text) for text in ("\t0671234567", "\t+380671234567", "'=1+1", "'-1", "'a", "Олена")] == [
        *("0671234567", "+380671234567", "=1+1", "-1", "'a", "Олена")
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (68, "0:01:08"), (86_399, "23:59:59"), (86_400, "24:00:00"), (90_061, "25:01:01")],
)
def test_a_duration_of_more_than_a_day_is_hours_in_csv(seconds, text, tmp_path):
    save(report(call(billsec=seconds)), [], tmp_path / "calls.csv", Labels("en"))
    assert read_csv(tmp_path / "calls.csv", ";")[1][9] == text


# --- LibreOffice -------------------------------------------------------------

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
ENGLISH, UKRAINIAN = 1033, 1058


@pytest.fixture(scope="module")
def opened(files, tmp_path_factory):
    """A function that has LibreOffice open a file; gives the rows of the calls, of each cell (type, formula, text)."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("opened")

    def opened(path, *how):
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        command = [program, profile, "--headless", *how, "--convert-to", "fods", "--outdir", folder, path]
        subprocess.run(command, capture_output=True, timeout=120, check=True)
        tree = etree.parse(folder / "calls.fods", etree.XMLParser(huge_tree=True))
        sheets = tree.iter(f"{TABLE}table")
        [sheet] = [sheet for sheet in sheets if sheet.get(f"{TABLE}name") in ("Calls", "calls")]
        return [list(cells_of(row)) for row in sheet.iter(f"{TABLE}table-row")]

    return opened


def cells_of(row):
    for cell in row.iter(f"{TABLE}table-cell"):
        times = min(int(cell.get(f"{TABLE}number-columns-repeated", 1)), 20)
        shown = "\n".join("".join(words_of(line)) for line in cell.iter(f"{TEXT}p"))
        yield from itertools.repeat((cell.get(f"{OFFICE}value-type"), cell.get(f"{TABLE}formula"), shown), times)


def words_of(line):
    yield line.text or ""
    for part in line:
        if part.tag == f"{TEXT}s":
            yield " " * int(part.get(f"{TEXT}c", 1))
        elif part.tag == f"{TEXT}tab":
            yield "\t"
        else:
            yield from words_of(part)
        yield part.tail or ""


def test_libreoffice_finds_every_name_in_the_workbook(made, files, opened):
    rows = opened(files / "calls.xlsx")[1 : len(NAMES) + 1]
    assert [tuple(row[column] for column in COLUMNS) for row in rows] == [
        tuple(("string", None, name) for name in row) for row in names_of(made)
    ]


@pytest.mark.parametrize("language", [ENGLISH, UKRAINIAN])
def test_libreoffice_finds_every_name_in_the_csv(language, made, files, opened):
    rows = opened(files / "calls.csv", f"--infilter=CSV:{ord(';')},34,76,1,,{language},false,true")[1 : len(NAMES) + 1]
    cells = [
        tuple((kind, formula, unguarded(text)) for kind, formula, text in (row[column] for column in COLUMNS))
        for row in rows
    ]
    assert cells == [tuple(("string", None, name) for name in row) for row in names_of(made)]


@pytest.mark.parametrize("separator", [",", "|"])
def test_libreoffice_finds_no_formula_where_another_sign_separates(separator, files, opened):
    rows = opened(files / "calls.csv", f"--infilter=CSV:{ord(separator)},34,76,1,,{ENGLISH},false,true")
    assert len(rows) > len(NAMES)
    assert [cell for row in rows for cell in row if cell[1]] == []
