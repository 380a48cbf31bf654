"""`&&`, `||`, `?:` and `!`: faults are absorbed where another operand decides, in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import logic, nodes
from taskman_authz._fast.values import Fault, type_name
from tests.core.strategies import VALUES, constant, constants, is_fault, value_of

FAULTS = st.sampled_from(["overflow", "no_such_key", "division_by_zero"]).map(Fault)
NOT_BOOL = st.one_of(VALUES, FAULTS).filter(lambda value: type(value) is not bool)
OPERANDS = st.lists(st.one_of(st.booleans(), NOT_BOOL), min_size=1, max_size=5)


def both(*values):
    return value_of(logic.And(constants(*values), 99))


def either(*values):
    return value_of(logic.Or(constants(*values), 99))


def first_fault(values, function):
    """What the first operand that is no bool comes to."""
    odd = next(value for value in values if type(value) is not bool)
    if type(odd) is Fault:
        return odd
    return Fault("no_such_overload", (function, type_name(odd)), 99)


def agrees(found, expected):
    if type(expected) is not Fault:
        return found is expected
    return (found.code, found.details) == (expected.code, expected.details)


@given(OPERANDS)
def test_and_is_false_where_any_operand_is_whatever_the_others_are(values):
    if any(value is False for value in values):
        expected = False
    elif all(value is True for value in values):
        expected = True
    else:
        expected = first_fault(values, "_&&_")
    assert agrees(both(*values), expected)


@given(OPERANDS)
def test_or_is_true_where_any_operand_is_whatever_the_others_are(values):
    if any(value is True for value in values):
        expected = True
    elif all(value is False for value in values):
        expected = False
    else:
        expected = first_fault(values, "_||_")
    assert agrees(either(*values), expected)


def test_null_is_no_bool_and_neither_true_nor_false():
    assert is_fault(both(None, True), "no_such_overload", "_&&_", "null_type", position=99)
    assert is_fault(either(None, False), "no_such_overload", "_||_", "null_type", position=99)


@given(st.lists(st.one_of(st.booleans(), FAULTS), min_size=1, max_size=5), st.randoms())
def test_the_order_of_operands_changes_no_answer(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    for operator in (both, either):
        before, after = operator(*values), operator(*shuffled)
        assert before is after or type(before) is type(after) is Fault


@given(st.lists(st.one_of(st.booleans(), FAULTS), min_size=1, max_size=5))
def test_de_morgan(values):
    negated = tuple(logic.Not(operand, 0) for operand in constants(*values))
    assert value_of(logic.Not(logic.And(constants(*values), 0), 0)) is value_of(
        logic.Or(negated, 0)
    )


@given(st.one_of(st.booleans(), NOT_BOOL))
def test_not_turns_a_bool_and_passes_a_fault_on(value):
    found = value_of(logic.Not(constant(value), 4))
    if type(value) is bool:
        assert found is (not value)
    elif type(value) is Fault:
        assert found is value
    else:
        assert is_fault(found, "no_such_overload", "!_", type_name(value), position=4)


@given(st.one_of(VALUES, FAULTS), st.one_of(VALUES, FAULTS))
def test_only_the_chosen_branch_counts(chosen, other):
    def choose(condition):
        return value_of(
            logic.Conditional(constant(condition), constant(chosen), constant(other), 4)
        )

    assert choose(True) is chosen
    assert choose(False) is other


def test_only_the_chosen_branch_is_evaluated():
    evaluated = []
    branches = [nodes.Call(lambda n=n: evaluated.append(n), (), 0) for n in range(2)]
    value_of(logic.Conditional(constant(False), *branches, 0))
    assert evaluated == [1]


@given(NOT_BOOL)
def test_a_condition_is_a_bool(value):
    found = value_of(logic.Conditional(constant(value), constant(1), constant(2), 4))
    if type(value) is Fault:
        assert found is value
    else:
        assert is_fault(found, "no_such_overload", "_?_:_", type_name(value), position=4)


@given(st.one_of(VALUES, FAULTS))
def test_a_loop_ends_at_false_only(value):
    assert value_of(logic.NotStrictlyFalse(constant(value), 0)) is (value is not False)


@pytest.mark.parametrize(("operator", "deciding"), [(logic.And, False), (logic.Or, True)])
def test_nothing_is_evaluated_behind_the_operand_that_decides(operator, deciding):
    evaluated = []
    tail = nodes.Call(lambda: evaluated.append(1), (), 0)
    assert value_of(operator((constant(deciding), tail), 0)) is deciding
    assert evaluated == []
