"""Mails for administrators: what happened, why, what to do; readable on any screen, light or dark."""

import re
from itertools import product
from pathlib import Path

import pytest

import common
from common.labels import LANGUAGES, Labels
from common.messages.notice import notice_mail

PAGE = (Path(common.__file__).parent / "messages" / "page.html").read_text("utf-8")


def test_it_says_what_happened_why_what_to_do_and_the_rest():
    mail = notice_mail(
        "Помилка: backup",
        Labels("uk"),
        ["Копії немає.", "Не працює з 01.05.2024 03:00."],
        error="The disk is full. Free some space.",
        to_do="Усуньте причину.",
        command="python x.py --once backup",
        lists=[("Додані", []), ("Видалені", ["1 Лікар", "2 <b>&"])],
        notes=["Файл налаштувань: c"],
    )
    assert (mail.subject, mail.text) == (
        "Помилка: backup",
        "Помилка: backup\n\nКопії немає.\nНе працює з 01.05.2024 03:00.\n\n"
        "Повідомлення програми:\nThe disk is full. Free some space.\n\n"
        "Що робити:\nУсуньте причину.\n\n    python x.py --once backup\n\n"
        "Видалені:\n1 Лікар\n2 <b>&\n\nФайл налаштувань: c\n",
    )
    assert '<html lang="uk">' in mail.html
    assert (
        re.sub(r"\s+", " ", re.sub("<style>.*</style>|<[^>]*>", " ", mail.html, flags=re.DOTALL)).split()
        == (
            "Помилка: backup Помилка: backup Копії немає. Не працює з 01.05.2024 03:00. "
            "Повідомлення програми The disk is full. Free some space. "
            "Що робити Усуньте причину. python x.py --once backup "
            "Видалені 1 Лікар 2 &lt;b&gt;&amp; Файл налаштувань: c"
        ).split()
    )


def test_a_good_one_is_short():
    mail = notice_mail("Works again", Labels("en"), ["There is nothing to do."], is_good=True)
    assert mail.text == "Works again\n\nThere is nothing to do.\n"
    assert 'class="good"' in mail.html
    assert 'class="bad"' not in mail.html


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def colours(what, where):
    return re.findall(rf"(?<![a-z-]){what}: ?(#[0-9a-f]{{6}})", where)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_colour_of_text_can_be_read_on_every_background(mode):
    style = re.search("<style>.*</style>", PAGE, re.DOTALL)[0]
    where = style if mode == "dark" else PAGE.replace(style, "")
    texts, backgrounds = colours("color", where), colours("background", where)
    assert len(texts) >= 5
    assert len(backgrounds) >= 3
    assert {pair: contrast(*pair) for pair in product(texts, backgrounds) if contrast(*pair) < 4.5} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_class_that_is_light_in_itself_is_dark_in_the_dark(language):
    html = notice_mail("x", Labels(language), ["x"], error="x", to_do="x", notes=["x"]).html
    used = set(re.findall('class="([a-z]+)"', html))
    assert used <= set(re.findall(r"\.([a-z]+)[ ,]", re.search("@media.*</style>", html, re.DOTALL)[0]))
