"""Arithmetic is exact or a fault: within 64 bits it is Python's, outside it overflows, compiled
or not."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz._fast import numbers
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import INT_MAX, INT_MIN, UINT_MAX, Fault, UInt
from taskman_authz.limits import DEFAULT
from tests.core.strategies import (
    DOUBLES,
    DURATIONS,
    EDGES,
    INTS,
    OCTETS,
    TEXTS,
    TIMESTAMPS,
    UINTS,
    VALUES,
    constant,
    is_fault,
    same,
    value_of,
)


def truncated(left, right):
    """The quotient cut towards zero, of integers of any size."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


EXACT = {
    "_+_": lambda left, right: left + right,
    "_-_": lambda left, right: left - right,
    "_*_": lambda left, right: left * right,
    "_/_": truncated,
    "_%_": lambda left, right: left - right * truncated(left, right),
}
OPERATORS = {
    "_+_": numbers.ADD,
    "_-_": numbers.SUBTRACT,
    "_*_": numbers.MULTIPLY,
    "_/_": numbers.DIVIDE,
    "_%_": numbers.MODULO,
}
FUNCTIONS = {
    "_+_": numbers.add,
    "_-_": numbers.subtract,
    "_*_": numbers.multiply,
    "_/_": numbers.divide,
    "_%_": numbers.modulo,
}
BY_ZERO = {"_/_": "division_by_zero", "_%_": "modulus_by_zero"}
OPERATIONS = st.sampled_from(sorted(FUNCTIONS))


def expected(operation, left, right, kind, lowest, highest):
    """What exact arithmetic gives, held to a range."""
    if right == 0 and operation in BY_ZERO:
        return Fault(BY_ZERO[operation])
    number = EXACT[operation](int(left), int(right))
    return kind(number) if lowest <= number <= highest else Fault("overflow", (operation,))


def applied(operation, left, right):
    """The value of the operation as a program has it, its operator at 2."""
    one, other = constant(left), constant(right, 1)
    if operation == "_+_":
        return value_of(numbers.Add(one, other, numbers.VALUE_SIZE, 2))
    return value_of(numbers.Arithmetic(OPERATORS[operation], one, other, 2))


# -- integers ----------------------------------------------------------------------------------


@given(OPERATIONS, INTS, INTS)
@example("_/_", INT_MIN, -1)
@example("_%_", INT_MIN, -1)
@example("_*_", INT_MIN, -1)
@example("_-_", 0, INT_MIN)
@example("_+_", INT_MAX, 1)
@example("_+_", INT_MIN, -1)
def test_ints_are_exact_within_64_bits_and_overflow_outside(operation, left, right):
    wanted = expected(operation, left, right, int, INT_MIN, INT_MAX)
    assert same(FUNCTIONS[operation](left, right), wanted)
    assert same(applied(operation, left, right), wanted)


@pytest.mark.parametrize("operation", sorted(FUNCTIONS))
def test_ints_are_exact_at_every_edge(operation):
    for left in EDGES:
        for right in EDGES:
            wanted = expected(operation, left, right, int, INT_MIN, INT_MAX)
            found = FUNCTIONS[operation](left, right)
            assert same(found, wanted), (left, right, found)


SMALL = st.integers(-(2**30) + 1, 2**30 - 1) | st.integers(-3, 3)
NEAR = INTS | SMALL | st.sampled_from([2**30 - 1, 2**30, -(2**30), -(2**30) + 1])


@given(OPERATIONS, NEAR, SMALL)
@example("_/_", INT_MIN, -1)
@example("_*_", INT_MIN, -1)
@example("_%_", -7, 2)
def test_arithmetic_with_a_small_constant_is_arithmetic(operation, left, right):
    node = numbers.WithInt(OPERATORS[operation], constant(left), right, 2)
    assert same(value_of(node), expected(operation, left, right, int, INT_MIN, INT_MAX))


@given(OPERATIONS, VALUES, SMALL)
def test_arithmetic_of_any_value_with_a_small_constant_is_arithmetic(operation, left, right):
    node = numbers.WithInt(OPERATORS[operation], constant(left), right, 2)
    assert same(value_of(node), FUNCTIONS[operation](left, right))


@pytest.mark.parametrize("number", [2**30, -(2**30), INT_MAX, INT_MIN])
def test_a_constant_whose_products_may_not_fit_is_not_small(number):
    assert not numbers.is_small(number)


@given(OPERATIONS, UINTS, UINTS)
@example("_+_", UInt(UINT_MAX), UInt(1))
@example("_-_", UInt(0), UInt(1))
@example("_*_", UInt(2**32), UInt(2**32))
def test_uints_are_exact_within_64_bits_and_overflow_outside(operation, left, right):
    wanted = expected(operation, left, right, UInt, 0, UINT_MAX)
    assert same(FUNCTIONS[operation](left, right), wanted)
    assert same(applied(operation, left, right), wanted)


@given(INTS, INTS)
def test_a_remainder_has_the_sign_of_the_left_and_completes_the_quotient(left, right):
    quotient, remainder = numbers.divide(left, right), numbers.modulo(left, right)
    if type(quotient) is int:
        assert quotient * right + remainder == left
        assert remainder == 0 or (remainder < 0) == (left < 0)


@given(INTS)
@example(INT_MIN)
@example(INT_MAX)
def test_negation_overflows_at_the_lowest_int_only(number):
    wanted = Fault("overflow", ("-_",)) if number == INT_MIN else -number
    assert same(numbers.negate(number), wanted)


# -- doubles -----------------------------------------------------------------------------------


def bits(number):
    """A double as its bits, so that signs of zeros count; all NaN are one."""
    return "nan" if number != number else struct.pack("d", number)


@given(DOUBLES, DOUBLES)
def test_doubles_are_those_of_ieee_754(left, right):
    assert bits(numbers.add(left, right)) == bits(left + right)
    assert bits(numbers.subtract(left, right)) == bits(left - right)
    assert bits(numbers.multiply(left, right)) == bits(left * right)
    assert bits(numbers.negate(left)) == bits(-left)
    if right:
        assert bits(numbers.divide(left, right)) == bits(left / right)


@given(DOUBLES)
def test_division_by_a_zero_is_infinite_with_the_sign_of_both(number):
    undefined = number != number or number == 0
    for zero in (0.0, -0.0):
        found = numbers.divide(number, zero)
        if undefined:
            assert math.isnan(found)
        else:
            positive = (number > 0) == (math.copysign(1, zero) > 0)
            assert found == (math.inf if positive else -math.inf)


def test_doubles_have_no_remainder():
    assert is_fault(applied("_%_", 1.5, 1.0), "no_such_overload", "_%_", "double", "double")


# -- texts, octets, lists ----------------------------------------------------------------------


@given(st.sampled_from([TEXTS, OCTETS]).flatmap(lambda kind: st.tuples(kind, kind)))
def test_texts_and_octets_are_put_together(pair):
    assert same(applied("_+_", *pair), pair[0] + pair[1])


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_lists_are_put_together_and_left_alone(left, right):
    before = list(left), list(right)
    for one, other in ((left, right), (tuple(left), right), (left, tuple(right))):
        assert list(applied("_+_", one, other)) == left + right
    assert applied("_+_", left, right) is not left
    assert (left, right) == before


def test_what_is_put_together_is_bounded():
    assert numbers.VALUE_SIZE == DEFAULT.value_size
    node = numbers.Add(constant("ab"), constant("cd"), 4, 2)
    assert value_of(node) == "abcd"
    for left, right in (("ab", "cde"), (b"ab", b"cde"), ([1, 2], [3, 4, 5]), ((1, 2), [3, 4, 5])):
        node = numbers.Add(constant(left), constant(right), 4, 2)
        assert is_fault(value_of(node), "limit_exceeded", "value_size", 4, position=2)


# -- times -------------------------------------------------------------------------------------


@given(TIMESTAMPS, DURATIONS)
def test_times_are_added_in_nanoseconds(timestamp, duration):
    assert applied("_+_", timestamp, duration).ns == timestamp.ns + duration.ns
    assert applied("_+_", duration, timestamp).ns == timestamp.ns + duration.ns
    assert applied("_-_", timestamp, duration).ns == timestamp.ns - duration.ns
    assert same(applied("_-_", timestamp, timestamp), Duration(0))


@pytest.mark.parametrize(
    ("operation", "left", "right"),
    [
        ("_+_", Duration(INT_MAX), Duration(1)),
        ("_-_", Duration(INT_MIN), Duration(1)),
        ("_+_", Timestamp(253_402_300_799_999_999_999), Duration(1)),
        ("_-_", Timestamp(-62_135_596_800_000_000_000), Duration(1)),
        ("_-_", Timestamp(253_402_300_799_000_000_000), Timestamp(-62_135_596_800_000_000_000)),
    ],
)
def test_times_overflow(operation, left, right):
    assert is_fault(applied(operation, left, right), "overflow", position=2)


@pytest.mark.parametrize("value", [Duration(1), Duration(INT_MIN), Timestamp(0)])
def test_times_have_no_opposite_because_no_overload_says_so(value):
    assert is_fault(numbers.negate(value), "no_such_overload")


# -- what is not defined -----------------------------------------------------------------------

SUMS = {int, UInt, float, str, bytes, list, tuple, Duration}


def is_defined(operation, left, right):
    kinds = {type(left), type(right)}
    if operation in ("_+_", "_-_") and kinds == {Timestamp, Duration}:
        return operation == "_+_" or type(left) is Timestamp
    if operation == "_-_" and kinds == {Timestamp}:
        return True
    if operation == "_+_" and kinds <= {list, tuple}:
        return True
    if len(kinds) == 2:
        return False
    if operation == "_+_":
        return kinds <= SUMS
    if operation == "_-_":
        return kinds <= {int, UInt, float, Duration}
    return kinds <= ({int, UInt} if operation == "_%_" else {int, UInt, float})


@given(OPERATIONS, VALUES, VALUES)
@example("_+_", 1, 1.0)
@example("_+_", 1, UInt(1))
@example("_+_", True, 1)
@example("_*_", "a", 3)
def test_types_are_not_mixed(operation, left, right):
    found = applied(operation, left, right)
    assert is_fault(found, "no_such_overload") is not is_defined(operation, left, right)
    if is_fault(found, "no_such_overload"):
        assert found.details[0] == operation and found.position == 2


@pytest.mark.parametrize("value", [UInt(1), True, None, "a", [], Timestamp(0)])
def test_only_signed_values_have_an_opposite(value):
    assert is_fault(numbers.negate(value), "no_such_overload")


@given(OPERATIONS, VALUES)
def test_the_first_fault_among_the_operands_is_the_answer(operation, value):
    one, other = Fault("overflow", (), 7), Fault("division_by_zero", (), 8)
    assert applied(operation, one, other) is one
    assert applied(operation, value, other) is other
    assert applied(operation, one, value) is one
    assert (one.position, other.position) == (7, 8)


@given(OPERATIONS)
def test_a_fault_of_the_operation_has_the_place_of_the_operator(operation):
    assert applied(operation, None, None).position == 2
    assert type(FUNCTIONS[operation](None, None)) is Fault
    assert FUNCTIONS[operation](None, None).position == -1
