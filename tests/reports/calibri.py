"""How wide a text is in Calibri, the workbook's font: from the widths of Carlito, which has the same."""

import math

# Hundredths of the font's size, rounded up, each before the characters that are so wide.
_REGULAR = (
    "22' 23\xa0ilії 24j 25,’‘ 26.IІЇ· 27:; 30` 31()-[]f 32J{} 33! 34t 35rг 36ґ 39/\\т 40\"sz 42L“” 43cГзс 44xхҐ "
    "45эє 46FSkvy|у 47?Zgкчь 48aЗавя 49ETYЕТЁ 50#*+<=>^_e~её–×−• 51$0123456789л 52KPXРХп«» 53bdhnopquУор "
    "54CБСЬбийнъ 55BRВКЭцЄ 56ЧЯд 57V 58AА 61Л 62DЪ 63GHНПф 64Ц 65NUДИЙ 67OОы 68Qм 69&ж… 70Ф 72%w 73шю 75щ 77Ы "
    "80mЖ 86MМ 87Ш 88Ю 89WЩ 90@ 91—→←"
)
_BOLD = (
    "23\xa0 24' 25ilії 26,j’‘ 27.IІЇ· 28:; 30` 31- 32()f 33![] 34J 35t{} 36rг 37ґ 39т 40sz 42cс 43/L\\з "
    '44"ГэєҐ“” 46Fxх 47? 48SZgkvy|у 49EЕЗчЁ 50#*+<=>T^_a~Тавкья–×−• 51$0123456789eеё 52Y 53CСл '
    "54PbdhnopquРЭбопрЄ«» 55KXУХн 56BБВЬийъ 57RКЧц 58Я 59д 60V 61AА 63DHЛНП 64GЪ 66NUИЙЦ 68OДОф 69Q 71& 72мы… "
    "73%Ф 74ж 75w 76ю 77ш 79щ 80Ы 82m 84Ж 88MМ 90@Ш 91W—→← 92Ю 93Щ"
)
_ELSEWHERE = 100  # what is not in it comes from another font: ▲ ✓ ✗ ↺
_WIDTHS = [
    {letter: int(part[:2]) for part in face.split(" ") for letter in part[2:].replace("\xa0", "\xa0 ")}
    for face in (_REGULAR, _BOLD)
]

PIXELS_OF_POINT = 96 / 72
PIXELS_OF_CHARACTER = 7  # a column's width is told in digits of 11 points
LINE = 1.22  # times the font's size


def text_pixels(text, points=11, *, bold=False):
    """How wide a line is."""
    return sum(_WIDTHS[bold].get(letter, _ELSEWHERE) for letter in text) / 100 * points * PIXELS_OF_POINT


def lines_of(text, pixels, points=11, *, bold=False):
    """How many lines a text takes that is wrapped between its words; no number is enough for too long a word."""
    lines, line = 1, ""
    for word in text.split(" "):
        if text_pixels(word, points, bold=bold) > pixels:
            return math.inf
        longer = f"{line} {word}".strip()
        if text_pixels(longer, points, bold=bold) <= pixels:
            line = longer
        else:
            lines, line = lines + 1, word
    return lines
