"""What a program is made of: a node gives a value or a fault, and a fault has a place."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import nodes
from taskman_authz._fast.activation import Activation, Path
from taskman_authz._fast.values import Fault, MixedMap, UInt
from tests.core.strategies import KEYS, VALUES, constant, constants, is_fault, same, value_of

# `a`, `a.b`, `a.b.c`, `z`
PATHS = [
    Path(0, "a", ()),
    Path(0, "a", ("b",)),
    Path(0, "a", ("b", "c")),
    Path(1, "z", ()),
]


def over(variables):
    activation = Activation(len(PATHS), 0, 1 + max(path.root for path in PATHS))
    activation.read_from(variables)
    return activation


def read(slot, variables, position=4):
    return nodes.evaluate(nodes.Attribute(slot, PATHS[slot], position), over(variables))


# -- names -------------------------------------------------------------------------------------


@given(VALUES)
def test_a_constant_is_its_value(value):
    assert value_of(constant(value)) is value


@given(VALUES)
def test_a_path_is_read_member_by_member(value):
    assert same(read(2, {"a": {"b": {"c": value}}}), value)


def test_a_path_breaks_where_a_member_is_missing():
    assert is_fault(read(3, {}), "no_such_attribute", "z", position=4)
    assert is_fault(read(1, {"a": {}}), "no_such_key", "b", position=4)
    assert is_fault(read(2, {"a": {}}), "no_such_key", "b", position=4)
    assert is_fault(read(2, {"a": {"b": 1}}), "no_such_overload", ".c", "int", position=4)


def test_a_path_is_resolved_once_and_its_fault_has_the_place_of_each_reader():
    reads = []

    class Counting(dict):
        def get(self, key, default=None):
            reads.append(key)
            return super().get(key, default)

    activation = over({"a": Counting(b={})})
    for position in (4, 9):
        assert same(nodes.evaluate(nodes.Attribute(1, PATHS[1], position), activation), {})
        fault = nodes.evaluate(nodes.Attribute(2, PATHS[2], position), activation)
        assert is_fault(fault, "no_such_key", "c", position=position)
    assert reads == ["b", "b"]


def test_a_variable_of_null_is_there():
    assert read(3, {"z": None}) is None


def test_variables_may_be_any_mapping():
    assert read(1, MappingProxyType({"a": {"b": 1}})) == 1
    assert is_fault(read(3, MappingProxyType({"a": 1})), "no_such_attribute", "z")


def test_a_loop_variable_is_read_from_its_register():
    assert value_of(nodes.Local(1, 0), "a", "b") == "b"
    assert is_fault(value_of(nodes.Local(0, 6), Fault("overflow")), "overflow", position=6)


# -- members -----------------------------------------------------------------------------------


@given(st.dictionaries(KEYS, VALUES, max_size=3), KEYS)
def test_members_and_indices_read_maps(value, key):
    found = value_of(nodes.Index(constant(value), constant(key), 5))
    if key in value:
        assert same(found, value[key])
    else:
        assert is_fault(found, "no_such_key", key, position=5)
    if type(key) is str:
        assert same(value_of(nodes.Member(constant(value), key, 5)), found)
        assert value_of(nodes.Has(constant(value), key, 5)) is (key in value)


@pytest.mark.parametrize("value", [None, 1, "a", [], True])
def test_values_without_members_are_faults_at_their_place(value):
    for node in (nodes.Member(constant(value), "a", 5), nodes.Has(constant(value), "a", 5)):
        assert is_fault(value_of(node), "no_such_overload", position=5)
    node = nodes.Index(constant(value), constant(None), 5)
    assert is_fault(value_of(node), "no_such_overload", position=5)


def test_what_a_member_cannot_be_is_a_fault_at_the_place_of_the_reader():
    value = constant({"a": 2**63, "b": [object()]})
    assert is_fault(value_of(nodes.Member(value, "a", 5)), "overflow", position=5)
    assert is_fault(value_of(nodes.Index(value, constant("a"), 5)), "overflow", position=5)
    inner = nodes.Index(nodes.Member(value, "b", 4), constant(0), 5)
    assert is_fault(value_of(inner), "unsupported_type", position=5)


# -- literals ----------------------------------------------------------------------------------


@given(st.lists(VALUES, max_size=4))
def test_a_list_literal_is_a_new_list_each_time(values):
    node = nodes.MakeList(constants(*values), 0)
    first, second = value_of(node), value_of(node)
    assert same(first, values) and same(second, values)
    assert first is not second


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_map_literal_is_a_new_map_each_time(value):
    node = nodes.MakeMap(constants(*value), constants(*value.values()), 0)
    first, second = value_of(node), value_of(node)
    assert same(first, value) and same(second, value)
    assert first is not second


@pytest.mark.parametrize("key", [None, 1.0, b"a", [], {}])
def test_a_key_is_a_bool_int_uint_or_string(key):
    node = nodes.MakeMap(constants(key), constants(1), 5)
    assert is_fault(value_of(node), "no_such_overload", position=5)


@pytest.mark.parametrize(
    "pair", [("a", "a"), (1, 1), (1, UInt(1)), (True, True), (UInt(0), UInt(0))]
)
@pytest.mark.parametrize("others", [(), (True,), (False, 7)])
def test_a_key_is_in_a_map_once(pair, others):
    keys = (pair[0], *(other for other in others if other is not pair[0]), pair[1])
    node = nodes.MakeMap(constants(*keys), constants(*keys), 5)
    assert is_fault(value_of(node), "duplicate_key", pair[1], position=5)


def test_bools_and_numbers_are_keys_apart():
    made = value_of(nodes.MakeMap(constants(True, 1, 0, False), constants("a", "b", "c", "d"), 5))
    assert type(made) is MixedMap
    assert made.items() == [(True, "a"), (False, "d"), (1, "b"), (0, "c")]
    assert same(value_of(nodes.MakeMap(constants(True), constants(1), 5)), {True: 1})


# -- calls -------------------------------------------------------------------------------------


@given(st.lists(VALUES, max_size=4))
def test_a_call_passes_its_arguments_in_order(values):
    node = nodes.Call(lambda *arguments: list(arguments), constants(*values), 5)
    assert same(value_of(node), values)


def test_a_fault_of_a_function_gets_the_place_of_the_call():
    shared = Fault("overflow")
    node = nodes.Call(lambda: shared, (), 5)
    assert is_fault(value_of(node), "overflow", position=5)
    assert shared.position == -1


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_the_first_fault_among_the_operands_is_the_answer(before, after):
    one, other = Fault("overflow", (), 7), Fault("no_such_key", ("a",), 8)
    operands = constants(*before, one, *after, other)
    keys = constants(*range(len(operands)))

    def never(*_):
        raise AssertionError("a strict function is not called with a fault")

    for node in (
        nodes.MakeList(operands, 5),
        nodes.MakeMap(keys, operands, 5),
        nodes.MakeMap(operands[len(before) :], keys[len(before) :], 5),
        nodes.Call(never, operands, 5),
        nodes.Member(constant(one), "a", 5),
        nodes.Has(constant(one), "a", 5),
        nodes.Index(constant(one), constant(other), 5),
    ):
        assert value_of(node) is one
    assert value_of(nodes.Index(constant({}), constant(other), 5)) is other


def test_a_place_is_given_once():
    assert nodes.placed(Fault("overflow", (), 3), 5).position == 3
    assert nodes.placed(Fault("overflow", (), -1), 5).position == 5
    assert nodes.placed("value", 5) == "value"
