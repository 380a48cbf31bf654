"""Conversions are exact, refuse what does not fit, and read and write one form of text."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz._fast.conversions import FUNCTIONS, double_text
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import INT_MAX, INT_MIN, UINT_MAX, CelType, Fault, MixedMap, UInt

ints = st.integers(INT_MIN, INT_MAX)
uints = st.integers(0, UINT_MAX).map(UInt)


def convert(function, value):
    return FUNCTIONS[function, 1](value)


def exactly(found, value):
    """Same value and same type: 1, 1u, 1.0 and true are equal in Python."""
    return type(found) is type(value) and (found == value or found != found and value != value)


@pytest.mark.parametrize(
    "function, value, expected",
    [
        ("int", UInt(42), 42),
        ("int", UInt(INT_MAX), INT_MAX),
        ("int", -123.456, -123),
        ("int", 1.9, 1),
        ("int", -7.9, -7),
        ("int", float(2**55 + 1), 2**55),
        ("int", "987", 987),
        ("int", "-0", 0),
        ("int", "+7", 7),
        ("int", "007", 7),
        ("int", "-9223372036854775808", INT_MIN),
        ("int", Timestamp(1_095_379_199_000_000_000), 1_095_379_199),
        ("int", Timestamp(-1), -1),
        ("uint", 1729, UInt(1729)),
        ("uint", 3.14159265, UInt(3)),
        ("uint", float(2**63), UInt(2**63)),
        ("uint", "300", UInt(300)),
        ("uint", "18446744073709551615", UInt(UINT_MAX)),
        ("double", INT_MAX, 9.223372036854775807e18),
        ("double", UInt(UINT_MAX), 1.8446744073709551615e19),
        ("double", "6.02214e23", 6.02214e23),
        ("double", "-84.32e7", -843200000.0),
        ("double", "-0.0", -0.0),
        ("double", ".5", 0.5),
        ("double", "5.", 5.0),
        ("double", "NaN", math.nan),
        ("double", "Inf", math.inf),
        ("double", "-Infinity", -math.inf),
        ("double", "1e-400", 0.0),
        ("bool", "TRUE", True),
        ("bool", "f", False),
        ("string", 123, "123"),
        ("string", UInt(9876), "9876"),
        ("string", True, "true"),
        ("string", b"\xc3\xbf", "ÿ"),
        ("string", Timestamp(0), "1970-01-01T00:00:00Z"),
        ("string", Duration(1_500_000_000), "1.5s"),
        ("bytes", "ÿ", b"\xc3\xbf"),
        ("timestamp", 1, Timestamp(1_000_000_000)),
        ("timestamp", "1970-01-01T00:00:01Z", Timestamp(1_000_000_000)),
        ("duration", "1m", Duration(60_000_000_000)),
    ],
)
def test_a_conversion_keeps_the_value(function, value, expected):
    assert exactly(convert(function, value), expected)


@pytest.mark.parametrize(
    "function, value, code",
    [
        ("int", UInt(INT_MAX + 1), "overflow"),
        ("int", float(2**63), "overflow"),
        ("int", float(-(2**63)), "overflow"),  # a double cannot tell it from what lies below
        ("int", 1e99, "overflow"),
        ("int", math.nan, "overflow"),
        ("int", -math.inf, "overflow"),
        ("int", "9223372036854775808", "overflow"),
        ("int", "9" * 10_000, "overflow"),
        ("int", "", "invalid_argument"),
        ("int", "-", "invalid_argument"),
        ("int", " 1", "invalid_argument"),
        ("int", "1_000", "invalid_argument"),
        ("int", "0x1f", "invalid_argument"),
        ("int", "1.0", "invalid_argument"),
        ("int", "٣", "invalid_argument"),
        ("int", "²", "invalid_argument"),
        ("uint", -1, "overflow"),
        ("uint", -0.5, "overflow"),
        ("uint", float(2**64), "overflow"),
        ("uint", math.nan, "overflow"),
        ("uint", "18446744073709551616", "overflow"),
        ("uint", "-1", "invalid_argument"),
        ("uint", "+1", "invalid_argument"),
        ("double", "", "invalid_argument"),
        ("double", "1 ", "invalid_argument"),
        ("double", "1_0.5", "invalid_argument"),
        ("double", "٣", "invalid_argument"),
        ("double", "one", "invalid_argument"),
        ("double", "1e400", "overflow"),
        ("bool", "TrUe", "invalid_argument"),
        ("bool", "yes", "invalid_argument"),
        ("bool", "", "invalid_argument"),
        ("string", b"\x00\xff", "invalid_argument"),
        ("string", b"\xed\xa0\x80", "invalid_argument"),  # a surrogate, as bytes
        ("bytes", "\ud800", "invalid_argument"),
        ("timestamp", INT_MAX, "overflow"),
        ("timestamp", "yesterday", "invalid_argument"),
        ("duration", "soon", "invalid_argument"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(function, value, code):
    fault = convert(function, value)
    assert (type(fault), fault.code, fault.details[0]) == (Fault, code, function)


VALUES = {
    "null_type": None,
    "bool": True,
    "int": -1,
    "uint": UInt(1),
    "double": 1.5,
    "string": "1",
    "bytes": b"1",
    "list": [1],
    "map": {"a": 1},
    "type": CelType("int"),
    "google.protobuf.Timestamp": Timestamp(0),
    "google.protobuf.Duration": Duration(0),
}
TAKEN = {
    "int": {"int", "uint", "double", "string", "google.protobuf.Timestamp"},
    "uint": {"int", "uint", "double", "string"},
    "double": {"int", "uint", "double", "string"},
    "bool": {"bool", "string"},
    "string": {"bool", "int", "uint", "double", "string", "bytes"}
    | {"google.protobuf.Timestamp", "google.protobuf.Duration"},
    "bytes": {"string", "bytes"},
    "timestamp": {"int", "string", "google.protobuf.Timestamp"},
    "duration": {"string", "google.protobuf.Duration"},
}


@pytest.mark.parametrize("function", sorted(TAKEN))
@pytest.mark.parametrize("name", sorted(VALUES))
def test_other_types_have_no_overload(function, name):
    found = convert(function, VALUES[name])
    refused = type(found) is Fault and found.code == "no_such_overload"
    assert refused == (name not in TAKEN[function])
    if refused:
        assert found.details == (function, name)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_type_names_the_type_and_dyn_changes_nothing(name):
    assert convert("type", VALUES[name]) == CelType(name)
    assert convert("dyn", VALUES[name]) is VALUES[name]


def test_every_mapping_is_a_map_and_a_subclass_is_its_base():
    class Name(str):
        pass

    assert convert("type", MixedMap([(True, 1), (1, 2)])) == CelType("map")
    assert convert("type", Name("a")) == CelType("string")
    assert convert("type", (1, 2)) == CelType("list")


@given(ints)
@example(INT_MIN)
def test_an_int_survives_its_text(number):
    assert exactly(convert("int", convert("string", number)), number)


@given(uints)
def test_a_uint_survives_its_text(number):
    assert exactly(convert("uint", convert("string", number)), number)


@given(st.floats())
@example(-0.0)
@example(5e-324)
@example(4.468743327960138e16)
@example(5.960464477539063e-08)
@example(-1234567.5)
def test_a_double_survives_its_text(number):
    back = convert("double", convert("string", number))
    assert exactly(back, number)
    assert math.isnan(number) or math.copysign(1, back) == math.copysign(1, number)


@given(st.text())
def test_a_string_survives_its_bytes(text):
    encoded = convert("bytes", text)
    assert type(encoded) is Fault or convert("string", encoded) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_cut_towards_zero_or_refused(number):
    found = convert("int", number)
    if INT_MIN < number < 2**63:
        assert exactly(found, math.trunc(number))
    else:
        assert found.code == "overflow"


@given(st.text(max_size=12) | st.text("+-0123456789.eEinfaNIxX_ ", max_size=12))
def test_no_text_makes_a_conversion_raise(text):
    for function in TAKEN:
        convert(function, text)


@pytest.mark.parametrize(
    "number, text",
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (123.456, "123.456"),
        (-4.5e-3, "-0.0045"),
        (100000.0, "100000"),
        (999999.5, "999999.5"),
        (1000000.0, "1e+06"),
        (123456789.0, "1.23456789e+08"),
        (1e30, "1e+30"),
        (1e100, "1e+100"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5e-7, "-2.5e-07"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_double_is_written_as_short_as_it_reads_back(number, text):
    assert double_text(number) == text
