"""Loops: `exists` and `all` are `||` and `&&` over the elements, the others stop at a fault."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import folds, logic, nodes, numbers
from taskman_authz._fast.values import Fault, MixedMap, type_name
from tests.core.strategies import KEYS, VALUES, constant, constants, is_fault, same, value_of

FAULTS = st.sampled_from(["overflow", "no_such_key"]).map(Fault)
PREDICATES = st.lists(st.one_of(st.booleans(), FAULTS, VALUES), max_size=5)
X = nodes.Local(0, 1)


def looked_up(results):
    """A node that gives for the element 0, 1, 2, … of a loop the result of that number."""
    return nodes.Call(lambda number: results[number], (X,), 1)


def over(results):
    """A range of as many elements as there are results: their numbers."""
    return constant(list(range(len(results))))


def run(node):
    return value_of(node, None, None, None)


def agrees(found, expected):
    if type(found) is not Fault or type(expected) is not Fault:
        return same(found, expected)
    return found.code == expected.code


# -- exists and all ----------------------------------------------------------------------------


@given(PREDICATES)
def test_exists_is_the_or_of_the_predicate_over_the_elements(results):
    found = run(folds.Exists(over(results), 0, looked_up(results), False, 7))
    assert agrees(found, value_of(logic.Or(constants(False, *results), 7)))


@given(PREDICATES)
def test_all_is_the_and_of_the_predicate_over_the_elements(results):
    found = run(folds.Exists(over(results), 0, looked_up(results), True, 7))
    assert agrees(found, value_of(logic.And(constants(True, *results), 7)))


@pytest.mark.parametrize("universal", [False, True])
def test_the_loop_ends_where_the_answer_is_known(universal):
    seen = []
    deciding = nodes.Call(lambda x: seen.append(x) or (x == 1) != universal, (X,), 0)
    assert run(folds.Exists(constant([0, 1, 2]), 0, deciding, universal, 0)) is not universal
    assert seen == [0, 1]


def test_null_is_no_bool_and_decides_nothing():
    for universal, macro in ((False, "exists"), (True, "all")):
        node = folds.Exists(constant([1]), 0, constant(None), universal, 7)
        assert is_fault(run(node), "no_such_overload", macro, "null_type", position=7)


# -- exists_one --------------------------------------------------------------------------------


@given(PREDICATES)
def test_exists_one_counts_all_and_stops_at_the_first_fault(results):
    found = run(folds.ExistsOne(over(results), 0, looked_up(results), 7))
    odd = next((result for result in results if type(result) is not bool), None)
    if all(type(result) is bool for result in results):
        assert found is (results.count(True) == 1)
    elif type(odd) is Fault:
        assert found.code == odd.code
    else:
        assert is_fault(found, "no_such_overload", "exists_one", type_name(odd), position=7)


# -- map and filter ----------------------------------------------------------------------------


@given(st.lists(st.booleans(), max_size=6))
def test_filter_keeps_the_elements_and_their_order(results):
    node = folds.Collect(over(results), 0, looked_up(results), None, 7)
    assert run(node) == [number for number, result in enumerate(results) if result]


@given(st.lists(VALUES, max_size=5))
def test_map_gives_a_result_for_each_element(results):
    assert same(run(folds.Collect(over(results), 0, None, looked_up(results), 7)), results)


@given(st.lists(st.tuples(st.booleans(), VALUES), max_size=5))
def test_map_with_a_predicate_gives_those_that_it_chooses(pairs):
    chosen, results = looked_up([pair[0] for pair in pairs]), looked_up([p[1] for p in pairs])
    found = run(folds.Collect(over(pairs), 0, chosen, results, 7))
    assert same(found, [result for choose, result in pairs if choose])


@given(st.lists(st.booleans(), max_size=3), FAULTS, st.lists(st.booleans(), max_size=3))
def test_map_and_filter_stop_at_the_first_fault(before, fault, after):
    results = [*before, fault, *after]
    for predicate, result in ((looked_up(results), None), (None, looked_up(results))):
        found = run(folds.Collect(over(results), 0, predicate, result, 7))
        assert is_fault(found, fault.code)


def test_a_filter_that_is_no_bool_is_a_fault():
    for value in (None, 1, "true"):
        node = folds.Collect(constant([1]), 0, constant(value), None, 7)
        assert is_fault(run(node), "no_such_overload", "filter", type_name(value), position=7)


def test_the_range_is_left_alone():
    members = [1, 2, 3]
    kept = run(folds.Collect(constant(members), 0, constant(True), None, 0))
    assert kept == members and kept is not members


# -- ranges ------------------------------------------------------------------------------------


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_map_is_gone_through_by_its_keys(value):
    for range in (value, MappingProxyType(value)):
        assert same(run(folds.Collect(constant(range), 0, None, X, 0)), list(value))


def test_an_object_is_gone_through_by_its_attributes():
    value = SimpleNamespace(a=1, _b=2, c=3)
    assert run(folds.Collect(constant(value), 0, None, X, 0)) == ["a", "c"]


def test_a_mixed_map_is_gone_through_with_both_keys():
    value = MixedMap([(1, "a"), (True, "b")])
    assert same(run(folds.Collect(constant(value), 0, None, X, 0)), [True, 1])


@pytest.mark.parametrize("value", [None, 1, True, "abc", b"abc"])
def test_other_values_cannot_be_gone_through(value):
    for node in (
        folds.Exists(constant(value), 0, constant(True), False, 7),
        folds.ExistsOne(constant(value), 0, constant(True), 7),
        folds.Collect(constant(value), 0, None, X, 7),
    ):
        found = run(node)
        assert is_fault(found, "no_such_overload", "comprehension", type_name(value), position=7)


def test_a_range_that_is_a_fault_is_the_answer():
    fault = Fault("no_such_key", ("a",), 3)
    for node in (
        folds.Exists(constant(fault), 0, constant(True), False, 7),
        folds.ExistsOne(constant(fault), 0, constant(True), 7),
        folds.Collect(constant(fault), 0, None, X, 7),
    ):
        assert run(node) is fault


def test_elements_are_adapted_and_one_that_cannot_be_is_a_fault_where_it_is_read():
    members = constant([2**63, 1])
    reads = logic.Not(X, 2)
    assert is_fault(run(folds.Exists(members, 0, reads, False, 7)), "overflow", position=1)
    assert run(folds.Collect(members, 0, None, constant("x"), 7)) == ["x", "x"]
    assert is_fault(run(folds.Collect(members, 0, constant(True), None, 7)), "overflow", position=7)


# -- the general fold --------------------------------------------------------------------------

ACCUMULATOR = nodes.Local(2, 3)


def fold(range, second, initial, condition, step, result):
    return run(folds.Fold(range, 0, second, 2, initial, condition, step, result, 7))


def added(left, right):
    return numbers.Add(left, right, numbers.VALUE_SIZE, 5)


@given(st.lists(st.integers(-99, 99), max_size=6))
def test_a_fold_accumulates(members):
    total = fold(
        constant(members), -1, constant(0), constant(True), added(ACCUMULATOR, X), ACCUMULATOR
    )
    assert total == sum(members)


def test_a_fold_ends_where_its_condition_is_false_and_only_there():
    seen = []
    step = nodes.Call(lambda x: seen.append(x) or x, (X,), 0)
    condition = nodes.Call(lambda x: x != 2, (X,), 0)
    assert fold(constant([0, 1, 2, 3]), -1, constant(9), condition, step, ACCUMULATOR) == 1
    assert seen == [0, 1]
    no_bool = constant(None)
    assert fold(constant([4, 5]), -1, constant(9), no_bool, step, ACCUMULATOR) == 5


def test_two_variables_are_index_and_element_of_a_list():
    step = added(ACCUMULATOR, nodes.MakeList((X, nodes.Local(1, 1)), 0))
    found = fold(constant(["a", "b"]), 1, constant([]), constant(True), step, ACCUMULATOR)
    assert found == [0, "a", 1, "b"]


@pytest.mark.parametrize("kind", [dict, MappingProxyType, lambda value: SimpleNamespace(**value)])
def test_two_variables_are_key_and_value_of_a_map(kind):
    step = added(ACCUMULATOR, nodes.MakeList((X, nodes.Local(1, 1)), 0))
    range = constant(kind({"a": 1, "b": 2}))
    found = fold(range, 1, constant([]), constant(True), step, ACCUMULATOR)
    assert found == ["a", 1, "b", 2]


def test_a_fault_in_a_fold_is_an_ordinary_value_of_the_accumulator():
    fault = Fault("overflow", (), 1)
    assert fold(constant([1]), -1, constant(0), constant(True), constant(fault), constant(5)) == 5
    assert (
        fold(constant([1]), -1, constant(0), constant(True), constant(fault), ACCUMULATOR) is fault
    )
