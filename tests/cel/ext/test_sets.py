"""The library `sets`, against comparing each with each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.relations import equals
from taskman_authz._fast.values import UInt
from taskman_authz.cel import ext
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, error, implementations, refused, value
from tests.core.strategies import VALUES

ENV = env_of(ext.SETS)
FUNCTIONS = implementations(ext.SETS)
FEW = st.one_of(VALUES, st.sampled_from([0, 1, UInt(1), 1.0, 2, 2.5, "1", True, [1], [1.0]]))
LISTS = st.lists(FEW, max_size=5)


@pytest.mark.parametrize("text, expected", [
    ("sets.contains([], [])", True),
    ("sets.contains([], [1])", False),
    ("sets.contains([1, 2, 3, 4], [2, 3, 3])", True),
    ("sets.contains([1, 2.0, 3u], [1.0, 2u, 3])", True),
    ("sets.contains([[1], [2]], [[dyn(2.0)]])", True),
    ("sets.equivalent([], [])", True),
    ("sets.equivalent([1], [1, 1u, 1.0])", True),
    ("sets.equivalent([1, 2], [2])", False),
    ("sets.equivalent([2], [1, 2])", False),
    ("sets.intersects([1], [])", False),
    ("sets.intersects([1], [1, 2])", True),
    ("sets.intersects([[1], [2, 3]], [[1, 2], [2, 3.0]])", True),
    ("sets.intersects([{'a': 1}], [{'a': dyn(1u)}])", True),
])  # fmt: skip
def test_value(text, expected):
    assert value(ENV, text) is expected


def test_only_lists_of_one_type_are_compared():
    assert refused(ENV, "sets.contains([1], ['a'])") == {"no_matching_overload"}
    assert refused(ENV, "sets.contains([1], {1: 2})") == {"no_matching_overload"}
    assert error(ENV, "sets.contains([1], dyn({1: 2}))") == "no_such_overload"
    assert value(ENV, "sets.contains([dyn(1)], ['a'])") is False


def holds(values, others):
    return all(any(equals(one, other) is True for one in values) for other in others)


@given(LISTS, LISTS)
def test_sets_are_what_comparing_each_with_each_says(left, right):
    assert FUNCTIONS["sets.contains", 2](left, right) is holds(left, right)
    both = holds(left, right) and holds(right, left)
    assert FUNCTIONS["sets.equivalent", 2](left, tuple(right)) is both
    common = any(holds([one], [other]) for one in left for other in right)
    assert FUNCTIONS["sets.intersects", 2](tuple(left), right) is common


def test_large_sets_take_no_quadratic_time():
    many = list(range(50_000))
    assert FUNCTIONS["sets.equivalent", 2](many, many[::-1]) is True
    assert FUNCTIONS["sets.intersects", 2](many, [-number - 1 for number in many]) is False


def test_the_work_is_bounded_where_equality_cannot_be_told_by_marks():
    # All of these are one number to a double.
    alike = [[2**62 + low, 2**62 + high] for low in range(20) for high in range(20)]
    bounded = implementations(ext.SETS, Limits(evaluation_steps=40_000))
    assert bounded["sets.contains", 2](alike, alike).details == ("evaluation_steps", 40_000)
    assert FUNCTIONS["sets.contains", 2](alike, alike) is True


def test_a_member_that_cannot_be_read_is_an_error():
    for name in ("contains", "equivalent", "intersects"):
        fault = FUNCTIONS[f"sets.{name}", 2]([1 << 70], [1])
        assert fault.code == "overflow"
