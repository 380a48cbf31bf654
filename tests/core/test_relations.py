"""Equality is between all values, order within a type; both across the numeric types."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

import msgspec
import pydantic
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from taskman_authz._fast import relations
from taskman_authz._fast.access import EntityValue
from taskman_authz._fast.relations import VALUE_DEPTH, compare, equals, member_of
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import INT_MAX, UINT_MAX, CelType, Fault, MixedMap, UInt
from tests.core.strategies import (
    DOUBLES,
    DURATIONS,
    NUMBERS,
    OCTETS,
    SCALARS,
    TEXTS,
    TIMESTAMPS,
    VALUES,
    constant,
    is_fault,
    value_of,
)

EXACT = 2**53  # up to here every integer is a double of its own
ORDERED = st.sampled_from([NUMBERS, TEXTS, OCTETS, st.booleans(), TIMESTAMPS, DURATIONS])
PAIRS = ORDERED.flatmap(lambda kind: st.tuples(kind, kind))
OPERATORS = {
    "_<_": lambda one: one < 0,
    "_<=_": lambda one: one <= 0,
    "_>_": lambda one: one > 0,
    "_>=_": lambda one: one >= 0,
}


def ordered(left, right, operator):
    """`left operator right` as a program has it, the operands at 0 and 1, the operator at 2."""
    return value_of(relations.Order(constant(left), constant(right, 1), operator, 2))


# -- equality ----------------------------------------------------------------------------------


@given(VALUES)
def test_a_value_equals_itself(value):
    assert equals(value, value) is True


@given(VALUES, VALUES)
def test_equality_is_symmetric(left, right):
    assert equals(left, right) is equals(right, left)


@given(VALUES, VALUES, VALUES)
@example(1, UInt(1), 1.0)
@example({1: [1]}, {UInt(1): (1.0,)}, {1.0: [UInt(1)]})
def test_equality_is_transitive_where_doubles_are_exact(first, second, third):
    assume(not any(_has_wide_numbers(value) for value in (first, second, third)))
    if equals(first, second) and equals(second, third):
        assert equals(first, third) is True


def _has_wide_numbers(value):
    if isinstance(value, (list, tuple)):
        return any(map(_has_wide_numbers, value))
    if isinstance(value, dict):
        return any(map(_has_wide_numbers, value.values()))
    return isinstance(value, (int, float)) and abs(value) > EXACT


@given(NUMBERS, NUMBERS)
@example(EXACT + 1, float(EXACT))
@example(INT_MAX, 2.0**63)
@example(UInt(UINT_MAX), 2.0**64)
@example(UInt(2**63), -(2**63))
def test_numbers_are_equal_across_types_by_what_they_are_worth(left, right):
    doubles = type(left) is float or type(right) is float
    expected = float(left) == float(right) if doubles else int(left) == int(right)
    assert equals(left, right) is expected


@given(SCALARS, SCALARS)
def test_values_of_different_types_are_not_equal(left, right):
    numbers = {int, UInt, float}
    if type(left) is not type(right) and not {type(left), type(right)} <= numbers:
        assert equals(left, right) is False


@pytest.mark.parametrize(
    ("left", "right"),
    [(True, 1), (False, 0), (True, 1.0), (None, False), (None, 0), ("", None), ("a", b"a")]
    + [([], {}), (Timestamp(0), Duration(0)), (Timestamp(0), 0), (CelType("int"), "int")]
    + [({}, None), ([True], [1]), ({"a": True}, {"a": 1}), ({True: 1}, {1: 1})],
)
def test_what_python_or_another_language_confuses_is_not_equal(left, right):
    assert equals(left, right) is equals(right, left) is False


@pytest.mark.parametrize("value", [[math.nan], {"a": math.nan}, [{"a": [math.nan]}], (math.nan,)])
def test_what_holds_nan_is_not_even_equal_to_itself(value):
    assert equals(value, value) is False


@given(VALUES)
def test_nan_equals_nothing(value):
    for left, right in ((math.nan, value), (value, math.nan), (math.nan, math.nan)):
        assert equals(left, right) is False
        assert equals([left], [right]) is False
        assert equals({"a": left}, {"a": right}) is False


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_lists_are_equal_by_their_elements(left, right):
    expected = len(left) == len(right) and all(map(equals, left, right))
    assert equals(left, right) is equals(tuple(left), right) is expected


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_maps_are_equal_whatever_holds_them_and_in_any_order(value):
    turned = dict(reversed(value.items()))
    for other in (turned, MappingProxyType(turned), MixedMap(turned.items())):
        assert equals(value, other) is equals(other, value) is True
    assert equals(value, {**value, "another": 1}) is False


def test_an_object_equals_the_map_of_its_attributes():
    value = SimpleNamespace(a=1, b=[SimpleNamespace(c=2.0)])
    assert equals(value, {"a": UInt(1), "b": [{"c": 2}]}) is True
    assert equals(value, {"a": 1, "b": []}) is False
    entity = EntityValue("user", "1", value, False)
    assert equals(entity, {"id": "1", "type": "user", "a": 1, "b": [{"c": 2}]}) is True


@dataclass
class Team:
    name: str
    size: int = 1


class Mapped(Team):
    """As a database mapper makes it: what is not loaded is not there."""

    def __init__(self, **loaded):
        vars(self).update(loaded)


class Model(pydantic.BaseModel, extra="allow"):
    name: str


class Struct(msgspec.Struct):
    name: str


def test_objects_whose_classes_declare_all_that_they_hold_are_equal_by_it():
    assert equals(Team("a"), Team("a")) is equals(Team("a"), {"name": "a", "size": 1}) is True
    assert equals(Team("a"), Team("a", 2)) is False
    assert equals(Model(name="a"), Struct("a")) is equals(Struct("a"), {"name": "a"}) is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Mapped(name="a"), Mapped(name="a")),
        (dataclass(Mapped)(name="a"), dataclass(Mapped)(name="a")),
        (Model(name="a", level=1), Model(name="a", level=2)),
    ],
)
def test_objects_that_may_hold_more_than_is_there_equal_only_themselves(one, other):
    assert equals(one, one) is True
    assert is_fault(equals(one, other), "no_such_overload")
    assert is_fault(equals({"name": "a"}, other), "no_such_overload")
    entities = [EntityValue("user", "1", each, False) for each in (one, other)]
    assert is_fault(equals(*entities), "no_such_overload")
    assert is_fault(member_of(one, [other]), "no_such_overload")


def test_mixed_maps_are_equal_key_by_key():
    assert equals(MixedMap([(True, 1), (1, 2)]), MixedMap([(1, 2), (True, 1)])) is True
    assert equals(MixedMap([(True, 1), (1, 2)]), MixedMap([(1, 1), (True, 2)])) is False


# -- faults within -----------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda each: [each], lambda each: {"k": each}])
def test_what_cannot_be_read_makes_equality_a_fault(wrap):
    assert is_fault(equals(wrap(2**63), wrap(1)), "overflow")
    assert is_fault(equals(wrap(1), wrap(object())), "unsupported_type")


def test_a_list_may_shrink_while_it_is_compared():
    members: list[object] = []
    others: list[object] = []

    class Emptying:
        def __str__(self):
            members.clear()
            others.clear()
            return "x"

    members[:] = [{Emptying()}, *range(1_000)]
    others[:] = [{Emptying()}, *range(1_000)]
    assert type(equals(members, others)) in (bool, Fault)


def test_a_difference_decides_before_a_fault():
    assert equals([2**63, 1], [1, 2]) is equals([1, 2**63], [2, 1]) is False
    assert equals({"a": 2**63, "b": 1}, {"a": 1, "b": 2}) is False
    assert is_fault(equals([2**63, object()], [1, 1]), "overflow")


def test_membership_decides_before_a_fault():
    assert member_of(1, [2**63, 1]) is member_of(1, [1, 2**63]) is True
    assert is_fault(member_of(3, [2**63, 1]), "overflow")


def nested(levels, value=0):
    for _ in range(levels):
        value = [value]
    return value


def test_values_are_compared_to_a_depth():
    assert equals(nested(VALUE_DEPTH), nested(VALUE_DEPTH)) is True
    assert equals(nested(VALUE_DEPTH), nested(VALUE_DEPTH, 1)) is False
    deep = equals(nested(VALUE_DEPTH + 1), nested(VALUE_DEPTH + 1))
    assert is_fault(deep, "limit_exceeded", "value_depth", VALUE_DEPTH)


def test_values_that_contain_themselves_are_a_fault():
    one, other = {}, {}
    one["self"] = one
    other["self"] = other
    for left, right in ((one, other), ([one], [other]), (nested(100_000), nested(100_000))):
        assert is_fault(equals(left, right), "limit_exceeded")
    assert is_fault(member_of([nested(100_000)], [nested(100_000)]), "limit_exceeded")


# -- order -------------------------------------------------------------------------------------


@given(PAIRS)
def test_order_is_antisymmetric_and_agrees_with_equality(pair):
    left, right = pair
    found = compare(left, right, "")
    assert found in (-1, 0, 1)
    assert compare(right, left, "") == -found
    assert equals(left, right) is (found == 0)


@given(ORDERED.flatmap(lambda kind: st.tuples(kind, kind, kind)))
def test_order_is_transitive_where_doubles_are_exact(triple):
    assume(not any(map(_has_wide_numbers, triple)))
    first, second, third = triple
    if compare(first, second, "") <= 0 and compare(second, third, "") <= 0:
        assert compare(first, third, "") <= 0


@given(PAIRS)
def test_the_four_operators_say_what_the_comparison_says(pair):
    left, right = pair
    for number, name in enumerate(relations.ORDER_NAMES):
        expected = OPERATORS[name](compare(left, right, name))
        assert ordered(left, right, number) is expected


@given(st.one_of(NUMBERS, DOUBLES))
def test_nan_has_no_order(number):
    for operator in range(4):
        assert ordered(math.nan, number, operator) is False
        assert ordered(number, math.nan, operator) is False


@given(VALUES, VALUES)
def test_values_of_different_types_have_no_order(left, right):
    numbers = {int, UInt, float}
    kinds = {type(left), type(right)}
    lists = kinds & {list, tuple, dict, type(None), CelType}
    if (len(kinds) == 2 and not kinds <= numbers) or lists:
        assert is_fault(ordered(left, right, 0), "no_such_overload", position=2)


def test_booleans_and_octets_have_an_order():
    assert compare(False, True, "") == -1
    assert compare(b"a", b"\xff", "") == -1


@given(PAIRS)
def test_the_first_fault_among_the_operands_is_the_answer(pair):
    one, other = Fault("overflow", (), 7), Fault("division_by_zero", (), 8)
    for node in (
        *(lambda a, b, n=n: relations.Order(a, b, n, 2) for n in range(4)),
        lambda a, b: relations.Equal(a, b, 2),
        lambda a, b: relations.NotEqual(a, b, 2),
        lambda a, b: relations.In(a, b, 2),
    ):
        assert value_of(node(constant(one), constant(other))) is one
        assert value_of(node(constant(pair[0]), constant(other))) is other
        assert value_of(node(constant(one), constant(pair[1]))) is one


# -- membership --------------------------------------------------------------------------------


@given(VALUES, st.lists(VALUES, max_size=4))
def test_membership_in_a_list_is_equality_with_a_member(value, members):
    expected = any(equals(value, member) for member in members)
    assert member_of(value, members) is member_of(value, tuple(members)) is expected


@given(st.dictionaries(TEXTS, VALUES, max_size=4), TEXTS)
def test_membership_in_a_map_is_having_the_key(value, key):
    for container in (value, MappingProxyType(value), SimpleNamespace(**value)):
        private = key.startswith("_") and type(container) is SimpleNamespace
        assert member_of(key, container) is (key in value and not private)


def test_numbers_are_one_key_and_bools_another():
    assert member_of(1.0, {1: "x"}) is member_of(UInt(1), {1: "x"}) is True
    assert member_of(True, {1: "x"}) is member_of(1, {True: "x"}) is False
    assert member_of(None, {"a": 1}) is member_of([], {"a": 1}) is False


@pytest.mark.parametrize("container", [None, 1, "abc", b"abc", True, Timestamp(0)])
def test_other_values_have_no_members(container):
    node = relations.In(constant("a"), constant(container), 4)
    assert is_fault(value_of(node), "no_such_overload", position=4)


# -- nodes -------------------------------------------------------------------------------------


@given(VALUES, VALUES)
def test_the_operators_are_these_relations(left, right):
    one, other = constant(left), constant(right)
    assert value_of(relations.Equal(one, other, 0)) is equals(left, right)
    assert value_of(relations.NotEqual(one, other, 0)) is (not equals(left, right))


@given(st.one_of(VALUES, TEXTS), TEXTS)
def test_equality_with_a_text_is_equality(value, text):
    for negated in (False, True):
        node = relations.EqualText(constant(value), text, negated, 0)
        assert value_of(node) is (equals(value, text) != negated)


@given(st.one_of(VALUES, TEXTS), st.lists(TEXTS, max_size=3))
def test_membership_in_constant_texts_is_membership(value, texts):
    node = relations.InTexts(constant(value), frozenset(texts), False, 0)
    assert value_of(node) is member_of(value, texts)


def test_a_fault_within_gets_the_place_of_the_operator():
    one, other = constant([2**63]), constant([1])
    for node in (relations.Equal(one, other, 5), relations.NotEqual(one, other, 5)):
        assert is_fault(value_of(node), "overflow", position=5)
    assert is_fault(value_of(relations.In(constant(1), one, 5)), "overflow", position=5)


@given(VALUES)
def test_a_text_is_compared_with_a_fault_no_more_than_anything_else(value):
    fault = Fault("overflow", (), 1)
    assert value_of(relations.EqualText(constant(fault), "a", True, 0)) is fault
    assert value_of(relations.InTexts(constant(fault), frozenset("a"), False, 0)) is fault
