"""Literals: from text to value, and from value to text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.values import INT_MAX, INT_MIN, UINT_MAX, UInt
from taskman_authz.cel.literals import field_text, literal_text
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.errors import CompileError

VALUES = {
    "null": None,
    "true": True,
    "false": False,
    "0": 0,
    "007": 7,
    "0x1F": 31,
    "-0xf": -15,
    "9223372036854775807": INT_MAX,
    "-9223372036854775808": INT_MIN,
    "-0x8000000000000000": INT_MIN,
    "0x7FFFFFFFFFFFFFFF": INT_MAX,
    "0u": UInt(0),
    "00u": UInt(0),
    "18446744073709551615U": UInt(UINT_MAX),
    "0xFFFFFFFFFFFFFFFFu": UInt(UINT_MAX),
    f"{'0' * 5000}1": 1,
    "1.5": 1.5,
    ".5": 0.5,
    "-.5e-1": -0.05,
    "1e3": 1000.0,
    "1E+3": 1000.0,
    "1.0e-400": 0.0,
    "-0.0": -0.0,
    "''": "",
    '""': "",
    "''''''": "",
    "'a\"b'": 'a"b',
    "'''a'b''c'''": "a'b''c",
    '"""a\nb"""': "a\nb",
    "'''a\r\nb\rc'''": "a\nb\nc",
    "r'''a\r\nb\\n'''": "a\nb\\n",
    r"r'\n'": "\\n",
    r"R'\'": "\\",
    r"'\a\b\f\n\r\t\v\\\?\"\'\`'": "\a\b\f\n\r\t\v\\?\"'`",
    r"'\x41\X42\103\u0044\U00000045'": "ABCDE",
    r"'\xff\377'": "\xff\xff",
    r"'\U0001F600'": "\U0001f600",
    r"'\U0010FFFF'": "\U0010ffff",
    "'é😀'": "é😀",
    "b'é'": b"\xc3\xa9",
    r"b'\xff\377\101é'": b"\xff\xffA\xc3\xa9",
    r"B'\n\\'": b"\n\\",
    r"br'\xff'": rb"\xff",
    r"bR'''\'''": b"\\",
    'b"""a"b"""': b'a"b',
}  # fmt: skip
REFUSED = {
    "9223372036854775808": "literal_out_of_range",
    "-9223372036854775809": "literal_out_of_range",
    "--9223372036854775808": "literal_out_of_range",
    "18446744073709551616u": "literal_out_of_range",
    "0x8000000000000000": "literal_out_of_range",
    "0x10000000000000000u": "literal_out_of_range",
    "9" * 5000: "literal_out_of_range",
    "1e309": "literal_out_of_range",
    "-1.99e90000009": "literal_out_of_range",
    "1a": "invalid_number",
    "0xg": "invalid_number",
    "0X1": "invalid_number",
    "1_000": "invalid_number",
    "1e": "invalid_number",
    "1ux": "invalid_number",
    "1.5u": "invalid_number",
    r"'\q'": "invalid_escape",
    r"'\x4'": "invalid_escape",
    r"'\u004'": "invalid_escape",
    r"'\400'": "invalid_escape",
    r"'\18'": "invalid_escape",
    r"'\1'": "invalid_escape",
    "'\\\n'": "invalid_escape",
    r"'\ud800'": "invalid_escape",
    r"'\ud83d\ude00'": "invalid_escape",
    r"'\U00110000'": "invalid_escape",
    r"b'\u0041'": "invalid_escape",
    r"b'\U00000041'": "invalid_escape",
    "'a": "unterminated_string",
    "'a\n'": "unterminated_string",
    "'a\r'": "unterminated_string",
    "'a\\'": "unterminated_string",
    '"""a""': "unterminated_string",
    "'\ud800'": "invalid_character",
    "rb'a'": "syntax_error",
    "u'a'": "syntax_error",
}


def value(text):
    return parse(Source(text)).expr.value


def same(one, other):
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("text, expected", VALUES.items())
def test_a_literal_has_its_value_and_its_type(text, expected):
    assert same(value(text), expected)


@pytest.mark.parametrize("text, code", REFUSED.items())
def test_a_literal_that_is_none_is_refused(text, code):
    with pytest.raises(CompileError) as raised:
        parse(Source(text))
    assert {issue.code for issue in raised.value.issues} == {code}


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(INT_MIN, INT_MAX),
        st.integers(0, UINT_MAX).map(UInt),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8")),
        st.binary(),
    )
)
def test_the_literal_of_a_value_is_read_as_that_value(original):
    assert same(value(literal_text(original)), original)


def test_doubles_that_no_literal_writes_are_calls():
    assert [literal_text(n) for n in (math.inf, -math.inf, math.nan)] == [
        "double('inf')",
        "double('-inf')",
        "double('nan')",
    ]


@given(st.text("abz_09-./ ", min_size=1))
def test_a_field_is_read_as_it_was_written(name):
    assert parse(Source(f"a.{field_text(name)}")).expr.field == name


def test_a_field_is_in_backticks_only_where_it_must_be():
    names = ["a", "for", "in", "true", "a-b", "1a"]
    assert [field_text(name) for name in names] == ["a", "for", "`in`", "`true`", "`a-b`", "`1a`"]
