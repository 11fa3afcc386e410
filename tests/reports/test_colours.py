"""Colours can be told apart, by the colour-blind and in grey print, too; texts can be read on what is behind them."""

import re
from html.parser import HTMLParser

import pytest

from common.labels import Labels
from common.messages.notice import notice_mail
from common.reports import workbook
from common.reports.report_mail import report_mail
from helpers import call, report, with_comparison

WHITE = "FFFFFF"
TEXT_CONTRAST, SHAPE_CONTRAST = 4.5, 3  # of WCAG 2.2, level AA
SEEN_CONTRAST = 2.5  # that which is left of it for the colour-blind

# How those see who lack one kind of cones: Machado, Oliveira and Fernandes 2009, severity 1.0, of linear RGB.
BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour):
    """Light of each primary, from 0 to 1."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(light):
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), light, strict=True))


def contrast(one, other):
    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


def seen_by(blindness, colour):
    light = linear(colour)
    seen = [sum(share * part for share, part in zip(row, light, strict=True)) for row in BLINDNESS[blindness]]
    return [min(1, max(0, part)) for part in seen]


def lightness(colour):
    """How bright grey print shows it: from 0, black, to 100."""
    bright = luminance(linear(colour))
    return 116 * bright ** (1 / 3) - 16 if bright > 0.008856 else 903.3 * bright


NEIGHBOURS = [(workbook.LOST, workbook.ANSWERED), (workbook.LOST, WHITE), (workbook.ANSWERED, WHITE)]


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_neighbours_in_the_chart_can_be_told_apart(one, other):
    assert contrast(linear(one), linear(other)) >= SHAPE_CONTRAST


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_the_colour_blind_can_tell_them_apart(one, other, blindness):
    assert contrast(seen_by(blindness, one), seen_by(blindness, other)) >= SEEN_CONTRAST


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_grey_print_tells_them_apart(one, other):
    assert abs(lightness(one) - lightness(other)) >= 25


def test_the_measure_knows_what_it_measures():
    assert contrast(linear("000000"), linear(WHITE)) == pytest.approx(21)
    assert contrast(linear("767676"), linear(WHITE)) == pytest.approx(4.54, abs=0.01)
    assert [round(lightness(colour)) for colour in ("000000", "777777", WHITE)] == [0, 50, 100]
    assert all(max(seen_by(name, WHITE)) - min(seen_by(name, WHITE)) < 0.01 for name in BLINDNESS)  # white stays white
    red, green = seen_by("deuteranopia", "FF0000"), seen_by("deuteranopia", "00FF00")
    assert abs(red[0] - green[0]) < 0.6 < abs(linear("FF0000")[0] - linear("00FF00")[0])


@pytest.mark.parametrize(
    ("text", "background"),
    [
        *((colour, WHITE) for colour in (workbook.DARK, workbook.GOOD, workbook.BAD, workbook.GREY, workbook.LINK)),
        *((colour, workbook.PALE) for colour in (workbook.DARK, workbook.GOOD, workbook.BAD, workbook.GREY)),
        (WHITE, workbook.DARK),  # headings
        *((colour, pale) for colour in ("000000", workbook.LINK) for pale in (workbook.PALE_RED, workbook.PALE_AMBER)),
        *(("000000", bar) for bar in (workbook.BAR, workbook.BAR_LOST)),
    ],
)
def test_the_workbooks_texts_can_be_read(text, background):
    assert contrast(linear(text), linear(background)) >= TEXT_CONTRAST


# --- Mails -------------------------------------------------------------------


@pytest.fixture
def pages():
    """Every kind of mail that is made of the page: with all that can be in it."""
    day = with_comparison(
        report(
            call(),
            call("10:05", "CANCEL", number="0501111111", customerData={"name": "Лікар"}),
            call("10:10", "CANCEL", number=""),
        ),
        answered_percent=-4.2,
        lost=-1,
        to_call=0,
    )
    labels = Labels("uk")
    bad = notice_mail("Помилка", labels, ["Речення"], error="No", to_do="Усе", command="run", lists=[("Хто", ["Я"])])
    good = notice_mail("Працює", labels, ["Речення"], is_good=True, notes=["Більше нічого"])
    return [report_mail(day, labels).html, bad.html, good.html]


def colour_of(style, name):
    found = re.search(rf"(?:^|[;\s]){name}:\s*#([0-9a-fA-F]{{6}})", style)
    return found and found[1].upper()


class Sheet:
    """What a page's <style> says for dark programs: (class, property) -> colour."""

    def __init__(self, html):
        dark = re.search(r"prefers-color-scheme: dark\) \{(.*?)\n\}", html, re.DOTALL)[1]
        self.rules = {}
        for selectors, style in re.findall(r"([^{}]+)\{([^{}]*)\}", dark):
            for selector in selectors.split(","):
                for name in ("color", "background"):
                    if colour := colour_of(style, name):
                        self.rules[selector.strip().removeprefix("."), name] = colour

    def of(self, classes, name):
        return next((self.rules[each, name] for each in reversed(classes) if (each, name) in self.rules), None)


def texts_of(html):
    """(text, colour, background) of each text of a page in light, and in dark: what its elements say, inside out."""
    sheet, found = Sheet(html), []
    void = {"br", "meta", "img", "hr"}

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []
            self.feed(html)

        def handle_starttag(self, tag, attributes):
            if tag in void:
                return
            given = dict(attributes)
            classes, style = (given.get("class") or "").split(), given.get("style") or ""
            light = {name: colour_of(style, name) for name in ("color", "background")}
            names = [*classes, "page a"] if tag == "a" else classes
            dark = {name: sheet.of(names, name) or light[name] for name in light}
            self.open.append((tag, light, dark))

        def handle_endtag(self, tag):
            while self.open and self.open.pop()[0] != tag:
                pass

        def handle_data(self, data):
            if not data.strip() or any(tag in ("style", "title") for tag, *_ in self.open):
                return
            for kind in (1, 2):
                of = {
                    name: next(colours[kind][name] for colours in reversed(self.open) if colours[kind][name])
                    for name in ("color", "background")
                }
                found.append((data.strip(), of["color"], of["background"]))

    Reader()
    return found


def test_the_mails_texts_can_be_read_in_light_and_in_dark(pages):
    for html in pages:
        texts = [text for text in texts_of(html) if text[0] != "\xa0" and text[0]]
        assert len({background for _, _, background in texts}) >= 4  # the page and its cards, in both
        assert [text for text in texts if contrast(linear(text[1]), linear(text[2])) < TEXT_CONTRAST] == []


def test_a_mails_bars_can_be_told_apart_in_light_and_in_dark(pages):
    sheet = Sheet(pages[0])
    light = [colour.upper() for colour in re.findall(r'bgcolor="#(\w+)" class="(?:lost|answered)"', pages[0])]
    assert {*light} == {workbook.LOST, workbook.ANSWERED}  # those of the workbook
    lost, answered, card = (sheet.of([name], "background") for name in ("lost", "answered", "card"))
    for one, other in ((lost, answered), (lost, card), (answered, card)):
        assert contrast(linear(one), linear(other)) >= SHAPE_CONTRAST
        assert min(contrast(seen_by(name, one), seen_by(name, other)) for name in BLINDNESS) >= SEEN_CONTRAST
