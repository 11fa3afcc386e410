"""Signing, byte for byte as PHP does it: against published and measured values, and against php-cli itself."""

import json
import random
import shutil
import struct
import subprocess

import pytest

from binotel_core import PHP_MAX_DEPTH, php_json, sign, signed_body

VENDOR_KEY = "6po1f4-7oPzCo1"
VENDOR_SECRET = "8weKdP-o2b12d-f6a2P8-eBw4c4-0d2g88wb"


def test_the_vendors_published_request_comes_out_byte_for_byte():
    assert signed_body({"timestamp": 1390528862}, VENDOR_KEY, VENDOR_SECRET) == (
        b'{"timestamp":1390528862,"signature":"51188d8e42baff9ee4769969924c025b","key":"6po1f4-7oPzCo1"}'
    )


def test_no_parameters_are_signed_as_an_empty_php_array():
    # md5 of "secret[]", by md5sum
    assert sign({}, "secret") == "08db308775096042b855992249e19e04"
    assert signed_body({}, "k", "secret") == b'{"signature":"08db308775096042b855992249e19e04","key":"k"}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/", r'"\/"'),
        ("é", r'"\u00e9"'),
        ("😀", r'"\ud83d\ude00"'),
        ("\x7f", '"\x7f"'),
        ("\\u007f", r'"\\u007f"'),
        ("\\\x7f", '"\\\\\x7f"'),
        ("\\ud83d", r'"\\ud83d"'),
        ("\\ud8😀", r'"\\ud8\ud83d\ude00"'),
        ("\\\\ud83d\\😀", r'"\\\\ud83d\\\ud83d\ude00"'),
        ('\x00\x1f\b\f\n\r\t"', r'"\u0000\u001f\b\f\n\r\t\""'),
        ({}, "[]"),
        ({"a": {}}, '{"a":[]}'),
        ("{}", '"{}"'),
        ({"0": "a", "1": "b"}, '["a","b"]'),
        ({"1": "a", "0": "b"}, '{"1":"a","0":"b"}'),
        ({"00": 1}, '{"00":1}'),
        ({"-5": 1}, '{"-5":1}'),
        ((1, 2), "[1,2]"),
        (1.0, "1"),
        (1e3, "1000"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (-123.456, "-123.456"),
        (0.0001, "0.0001"),
        (0.00001, "1.0e-5"),
        (1e-7, "1.0e-7"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (7.488878651444069e16, "74888786514440690"),
        (1e17, "1.0e+17"),
        (1e25, "1.0e+25"),
        (1.5e300, "1.5e+300"),
        (9223372036854775807, "9223372036854775807"),
        (9223372036854775808, "9.223372036854776e+18"),
        (-9223372036854775808, "-9223372036854775808"),
        (-9223372036854775809, "-9.223372036854776e+18"),
        ([True, False, None], "[true,false,null]"),
    ],
)
def test_values_are_written_as_php_was_measured_to_write_them(value, expected):
    assert php_json(value) == expected


def test_names_sort_with_capitals_before_lower_case():
    params = {"status": 1, "a": 2, "Z": 3}
    assert sign(params, "s") == sign({"Z": 3, "a": 2, "status": 1}, "s")
    assert signed_body(params, "k", "s").startswith(b'{"Z":3,"a":2,"status":1,"signature":"')


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "NaN or infinity"),
        ([float("-inf")], "NaN or infinity"),
        (10**400, "integer of this size"),
        ("\ud800", "half a surrogate pair"),
        ({"\udfff": 1}, "half a surrogate pair"),
        ("😀\ude00", "half a surrogate pair"),
        ("\\ud83d\ude00", "half a surrogate pair"),
        ("\\ud8\ud83d", "half a surrogate pair"),
        ({1: "a"}, "names of type str"),
        ({"a": {None: 1}}, "names of type str"),
        ({"when": object()}, "no form for object"),
        (b"bytes", "no form for bytes"),
        ({"a": [{1, 2}]}, "no form for set"),
    ],
)
def test_what_php_cannot_encode_is_a_clear_error(value, reason):
    with pytest.raises(ValueError, match=reason):
        php_json(value)


def test_nesting_is_allowed_as_deep_as_php_allows_it():
    assert php_json(nested(PHP_MAX_DEPTH)) == "[" * PHP_MAX_DEPTH + "]" * PHP_MAX_DEPTH
    assert php_json(nested(PHP_MAX_DEPTH - 1, 0.5)) == "[" * (PHP_MAX_DEPTH - 1) + "0.5" + "]" * (PHP_MAX_DEPTH - 1)
    for innermost in ([], {}, "a", 0.5):
        with pytest.raises(ValueError, match="nested deeper than 512"):
            php_json(nested(PHP_MAX_DEPTH + 1, innermost))


def nested(depth, innermost=()):
    """`depth` lists in one another, with `innermost` in the last one, where it is not empty."""
    value = [innermost] if innermost != () else []
    for _ in range(depth - 1):
        value = [value]
    return value


# 9 comes before 10, "10" before "1a", and "1a" before "9": PHP gives such names no definite order.
@pytest.mark.parametrize("name", ["9", "1a", "00", "-5", "1.5", " 3", "+4", "", "-", "1e400", "9223372036854775808"])
def test_names_that_are_not_words_are_refused(name):
    with pytest.raises(ValueError, match="not words"):
        sign({"status": 1, name: 3}, "secret")


@pytest.mark.parametrize("name", ["signature", "key"])
def test_parameters_that_every_request_carries_are_refused(name):
    with pytest.raises(ValueError, match="added to every request"):
        signed_body({name: "x"}, "k", "s")


# --- The oracle --------------------------------------------------------------

# For every line: how PHP encodes the decoded value as it is, and the signature of the sorted one.
ORACLE = """
while (($line = fgets(STDIN)) !== false) {
    $value = json_decode($line, true);
    if (json_last_error()) { echo json_last_error_msg(), "\\n\\n"; continue; }
    echo json_encode($value), "\\n";
    if (is_array($value)) ksort($value);
    echo md5("secret" . json_encode($value)), "\\n";
}
"""
needs_php = pytest.mark.skipif(not shutil.which("php"), reason="php-cli is not installed")


def php_results(values):
    """(json_encode, signature) of every value, from one PHP process."""
    lines = "\n".join(json.dumps(value) for value in values)
    command = ["php", "-d", "serialize_precision=-1", "-r", ORACLE]
    output = subprocess.run(command, input=lines.encode(), capture_output=True, check=True).stdout.decode().split("\n")
    return list(zip(output[0::2], output[1::2], strict=False))


def assert_php_agrees(values):
    for value, (encoded, signature) in zip(values, php_results(values), strict=True):
        assert php_json(value) == encoded
        if isinstance(value, dict):
            assert sign(value, "secret") == signature


@needs_php
def test_php_agrees_on_every_character_of_unicode():
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    texts = ["".join(characters[start : start + 200]) for start in range(0, len(characters), 200)]
    assert sum(map(len, texts)) == 0x110000 - 2048
    assert_php_agrees([{f"a{text}": index, "text": text, "names": {text: index}} for index, text in enumerate(texts)])


@needs_php
def test_php_agrees_on_20000_generated_values():
    generate = Generator(random.Random(20240501))
    values = [generate.params() for _ in range(20_000)]
    assert_php_agrees(values)


@needs_php
def test_php_agrees_on_floats_of_every_size():
    rng = random.Random(1)
    floats = [value for bits in range(20_000) if (value := random_float(rng)) == value and abs(value) != float("inf")]
    floats += [
        digit * 10.0**power for power in range(-30, 31) for digit in (1, 1.5, 9.999999999999999, 7.488878651444069)
    ]
    floats += [-0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64]
    assert_php_agrees(floats)


@needs_php
def test_php_agrees_on_the_order_of_words():
    rng = random.Random(2)
    words = ["a", "A", "_", "~", ":", "é", "aa", "a1", "Z9", "e1", "INF", "startTime", "😀"]
    values = []
    for _ in range(5_000):
        names = rng.sample(words, rng.randint(1, 8))
        values.append({name: index for index, name in enumerate(names)})
    assert_php_agrees(values)


@needs_php
def test_php_cannot_encode_what_is_refused():
    results = php_results(["\ud800", 10**400])
    assert results == [("Single unpaired high surrogate in Unicode escape", ""), ("", "")] or results[0][0].startswith(
        "Single"
    )
    with pytest.raises(ValueError, match="surrogate"):
        php_json("\ud800")


def random_float(rng):
    return struct.unpack("<d", rng.randbytes(8))[0]


class Generator:
    """Random JSON values with everything on which PHP and Python differ."""

    def __init__(self, rng):
        self.rng = rng

    def params(self):
        count = self.rng.randint(0, 6)
        values = {self.text() if self.rng.random() < 0.2 else self.name(): self.value(3) for _ in range(count)}
        # What is no word has its own test.
        return {name: value for name, value in values.items() if name[:1] > "9"}

    def value(self, depth):
        kind = self.rng.randrange(12 if depth else 8)
        if kind < 3:
            return self.text()
        if kind == 3:
            return self.rng.choice([0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**19, 10**40])
        if kind == 4:
            return self.rng.randint(-(10**20), 10**20) // 10 ** self.rng.randint(0, 20)
        if kind == 5:
            value = random_float(self.rng)
            return value if value == value and abs(value) != float("inf") else 0.5
        if kind == 6:
            return self.rng.choice([1, -1]) * self.rng.random() * 10.0 ** self.rng.randint(-8, 20)
        if kind == 7:
            return self.rng.choice([True, False, None, 0.0, -0.0, 1.0])
        if kind < 10:
            return [self.value(depth - 1) for _ in range(self.rng.randint(0, 4))]
        if kind == 10:
            return {str(index): self.value(depth - 1) for index in range(self.rng.randint(0, 4))}
        return {self.name(): self.value(depth - 1) for _ in range(self.rng.randint(0, 4))}

    def name(self):
        rng = self.rng
        return rng.choice(
            [self.text(), str(rng.randint(0, 3)), str(rng.randint(-20, 99999)), f"0{rng.randint(0, 9)}", "startTime"]
        )

    def text(self):
        return "".join(self.character() for _ in range(self.rng.randint(0, 8)))

    def character(self):
        kind = self.rng.randrange(8)
        if kind == 0:
            return self.rng.choice("/\\\"\x7f{}[]:,0<>&'")
        if kind == 1:
            return chr(self.rng.randrange(0x20))
        if kind < 4:
            return chr(self.rng.randrange(0x20, 0x80))
        if kind < 6:
            return self.rng.choice("абвгґдеєжзиіїйклмнопрстуфхцчшщьюяАБЄІЇ")
        if kind == 6:
            return chr(self.rng.randrange(0x80, 0xD800))
        return chr(self.rng.randrange(0xE000, 0x110000))
