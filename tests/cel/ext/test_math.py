"""The library `math`: against Python's own arithmetic, and what the macros refuse."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.values import INT_MAX, INT_MIN, UINT_MAX, Fault, UInt
from taskman_authz.cel import ext
from tests.cel.ext.evaluating import env_of, error, implementations, refused, value
from tests.core.strategies import DOUBLES, FINITE, INTS, NUMBERS, UINTS, same

ENV = env_of(ext.MATH, numbers="list(dyn)", x="dyn")
FUNCTIONS = implementations(ext.MATH)


@pytest.mark.parametrize("text, expected", [
    ("math.greatest(1)", 1),
    ("math.least(2u, 1u)", UInt(1)),
    ("math.greatest(1, 1.0)", 1),
    ("math.greatest(1.0, 1u)", 1.0),
    ("math.least(1, 2u, -3.5)", -3.5),
    ("math.greatest([1, 5, 3])", 5),
    ("math.greatest(size('abc'), 2)", 3),
    ("math.greatest(numbers)", 7.0),
    ("math.least(x, 10)", 4),
    ("math.round(2.5)", 3.0),
    ("math.round(-2.5)", -3.0),
    ("math.round(0.49999999999999994)", 0.0),
    ("math.round(4503599627370497.5)", 4503599627370498.0),
    ("math.round(-0.3)", -0.0),
    ("math.ceil(-0.3)", -0.0),
    ("math.trunc(-0.3)", -0.0),
    ("math.floor(1e300)", 1e300),
    ("math.ceil(1.0 / 0.0)", math.inf),
    ("math.abs(-0.0)", 0.0),
    ("math.abs(18446744073709551615u)", UInt(UINT_MAX)),
    ("math.sign(-0.0)", 0.0),
    ("math.sign(0.0 / 0.0)", math.nan),
    ("math.sqrt(81)", 9.0),
    ("math.sqrt(2u)", math.sqrt(2)),
    ("math.sqrt(-1)", math.nan),
    ("math.sqrt(1.0 / 0.0)", math.inf),
    ("math.bitShiftLeft(1, 63)", INT_MIN),
    ("math.bitShiftLeft(1, 64)", 0),
    ("math.bitShiftRight(-1, 0)", -1),
    ("math.bitShiftRight(-1, 63)", 1),
    ("math.bitNot(-9223372036854775808)", INT_MAX),
])  # fmt: skip
def test_value(text, expected):
    assert same(value(ENV, text, numbers=[3, 7.0, UInt(2)], x=4), expected)


@pytest.mark.parametrize("text", [
    "math.greatest()",
    "math.least('a')",
    "math.least(true)",
    "math.greatest(null, 1)",
    "math.greatest([])",
    "math.greatest([1, 'a'])",
    "math.greatest([[1]])",
    "math.greatest(1, [2])",
    "math.greatest({1: 2})",
    "math.greatest(1, 2, b'')",
])  # fmt: skip
def test_literals_that_are_no_numbers_are_refused_by_the_macro(text):
    assert refused(ENV, text) == {"macro_argument"}


@pytest.mark.parametrize("text", [
    "math.greatest(size('a') == 1, 2)",
    "math.least(string(1))",
    "math.abs('a')",
    "math.ceil(1)",
    "math.bitAnd(1, 2u)",
    "math.bitShiftLeft(1, 2u)",
])  # fmt: skip
def test_wrong_types_are_refused_by_the_checker(text):
    assert refused(ENV, text) == {"no_matching_overload"}


@pytest.mark.parametrize("text, code", [
    ("math.greatest(dyn('a'))", "no_such_overload"),
    ("math.greatest(dyn(true), 1)", "no_such_overload"),
    ("math.greatest(dyn([]))", "invalid_argument"),
    ("math.greatest(1, 0.0 / 0.0)", "invalid_argument"),
    ("math.least(0.0 / 0.0, 1)", "invalid_argument"),
    ("math.greatest(numbers)", "overflow"),
    ("math.abs(-9223372036854775808)", "overflow"),
    ("math.bitShiftLeft(1, -1)", "invalid_argument"),
    ("math.bitShiftRight(1u, -1)", "invalid_argument"),
    ("math.bitAnd(dyn(1), dyn(2u))", "no_such_overload"),
    ("math.bitNot(dyn(true))", "no_such_overload"),
    ("math.isNaN(dyn(1))", "no_such_overload"),
    ("math.sqrt(dyn('4'))", "no_such_overload"),
])  # fmt: skip
def test_error(text, code):
    assert error(ENV, text, numbers=[1, 1 << 70], x=0) == code


def test_a_call_on_another_target_is_no_macro():
    assert "undeclared_reference" in refused(ENV, "x.greatest(1)")


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_greatest_and_least_are_one_of_the_numbers_and_no_other_is_beyond(numbers):
    for name, beyond in (("math.@max", 1), ("math.@min", -1)):
        found = FUNCTIONS[name, 1](numbers)
        assert any(found is number for number in numbers)
        # Integers are compared with doubles as doubles: exact only among themselves.
        for number in numbers:
            exact = float not in (type(found), type(number))
            left, right = (number, found) if exact else (float(number), float(found))
            assert (left <= right) if beyond == 1 else (left >= right)


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_as_a_list_of_them(left, right):
    for name in ("math.@max", "math.@min"):
        assert FUNCTIONS[name, 2](left, right) is FUNCTIONS[name, 1]([left, right])


@given(FINITE)
def test_rounding_is_exact(number):
    exact = Decimal(number)
    assert FUNCTIONS["math.floor", 1](number) == math.floor(number)
    assert FUNCTIONS["math.ceil", 1](number) == math.ceil(number)
    assert FUNCTIONS["math.trunc", 1](number) == math.trunc(number)
    assert FUNCTIONS["math.round", 1](number) == exact.to_integral_value(ROUND_HALF_UP)


@given(DOUBLES)
def test_rounding_keeps_the_sign_and_what_is_not_finite(number):
    for name in ("floor", "ceil", "trunc", "round"):
        found = FUNCTIONS[f"math.{name}", 1](number)
        assert type(found) is float
        assert math.copysign(1, found) == math.copysign(1, number) or math.isnan(number)
        assert math.isfinite(number) or same(found, number)


@given(DOUBLES)
def test_a_double_is_nan_or_infinite_or_finite(number):
    found = [FUNCTIONS[f"math.{name}", 1](number) for name in ("isNaN", "isInf", "isFinite")]
    assert found.count(True) == 1
    assert found == [math.isnan(number), math.isinf(number), math.isfinite(number)]


@given(st.one_of(INTS, UINTS, FINITE))
def test_a_number_is_its_sign_times_its_size(number):
    size, sign = FUNCTIONS["math.abs", 1](number), FUNCTIONS["math.sign", 1](number)
    assert type(sign) is type(number)
    if number == INT_MIN and type(number) is int:
        assert type(size) is Fault
    else:
        assert type(size) is type(number)
        assert size >= 0
        assert size * sign == number


def bits(number: int) -> str:
    return f"{int(number) & UINT_MAX:064b}"


@given(st.one_of(st.tuples(INTS, INTS), st.tuples(UINTS, UINTS)), st.integers(0, 70))
def test_bits_are_the_64_of_the_number(pair, offset):
    left, right = pair
    for name, table in (("bitAnd", "0001"), ("bitOr", "0111"), ("bitXor", "0110")):
        found = FUNCTIONS[f"math.{name}", 2](left, right)
        expected = [
            table[int(a) * 2 + int(b)] for a, b in zip(bits(left), bits(right), strict=True)
        ]
        assert (type(found), bits(found)) == (type(left), "".join(expected))
    flipped = FUNCTIONS["math.bitNot", 1](left)
    assert bits(flipped) == bits(left).translate({48: "1", 49: "0"})
    up, down = (FUNCTIONS[f"math.bitShift{way}", 2](left, offset) for way in ("Left", "Right"))
    assert bits(up) == (bits(left) + "0" * offset)[-64:]
    assert bits(down) == ("0" * offset + bits(left))[:64]
    for found in (flipped, up, down):
        assert type(found) is type(left)
        assert INT_MIN <= found <= (UINT_MAX if type(left) is UInt else INT_MAX)
