"""The library `lists`: parts, order, and that neither loops nor sharing make it work for ever."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.relations import equals
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import Fault, UInt
from taskman_authz.cel import ext
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, error, implementations, refused, value
from tests.core.strategies import (
    DURATIONS,
    FINITE,
    INTS,
    NUMBERS,
    OCTETS,
    TEXTS,
    TIMESTAMPS,
    UINTS,
    VALUES,
)

ENV = env_of(ext.LISTS, tasks="list(map(string, dyn))", x="dyn")
FUNCTIONS = implementations(ext.LISTS)
SMALL = implementations(ext.LISTS, Limits(value_size=1_000, evaluation_steps=20_000))
SORTABLE = st.one_of(
    *(
        st.lists(kind, max_size=8)
        for kind in (INTS, UINTS, FINITE, st.booleans(), TEXTS, OCTETS, TIMESTAMPS, DURATIONS)
    )
)
TASKS = [{"name": "foo", "size": 3}, {"name": "bar", "size": 1}, {"name": "baz", "size": 3}]


@pytest.mark.parametrize("text, expected", [
    ("[1, 2, 3].slice(1, 3)", [2, 3]),
    ("[1, 2, 3].slice(3, 3)", []),
    ("[[1], [2, 3], []].flatten()", [1, 2, 3]),
    ("[1, [2, [3]]].flatten()", [1, 2, [3]]),
    ("[1, [2, [3, [4]]]].flatten(0)", [1, [2, [3, [4]]]]),
    ("[1, [2, [3, [4]]]].flatten(2)", [1, 2, 3, [4]]),
    ("[1, [2, [3, [4]]]].flatten(9223372036854775807)", [1, 2, 3, 4]),
    ("[1, 1u, 1.0, '1', true, [1], [1.0], {1: 1}, {1u: 1.0}].distinct()",
     [1, "1", True, [1], {1: 1}]),
    ("lists.range(0)", []),
    ("lists.range(3)", [0, 1, 2]),
    ("[1, 'a'].reverse()", ["a", 1]),
    ("[].sort()", []),
    ("[3, 1, 2].sort()", [1, 2, 3]),
    ("['b', 'B', 'a'].sort()", ["B", "a", "b"]),
    ("[true, false].sort()", [False, True]),
    ("[duration('1h'), duration('1s')].sort() == [duration('1s'), duration('1h')]", True),
    ("tasks.sortBy(t, t.size).map(t, t.name)", ["bar", "foo", "baz"]),
    ("tasks.sortBy(t, t.name)[0].name", "bar"),
    ("[3, 1, 2].sortBy(i, -i)", [3, 2, 1]),
    ("[3, 1, 2].filter(i, i > 1).sortBy(i, i)", [2, 3]),
    ("[[3, 4], [2, 1]].sortBy(l, l.sortBy(i, i)[0])", [[2, 1], [3, 4]]),
    ("[2, 1].map(i, [i, 0].sortBy(j, j))", [[0, 2], [0, 1]]),
    ("[].sortBy(i, i)", []),
])  # fmt: skip
def test_value(text, expected):
    assert value(ENV, text, tasks=TASKS, x=0) == expected


@pytest.mark.parametrize("text, code", [
    ("[1].slice(0, 2)", "index_out_of_range"),
    ("[1].slice(-1, 1)", "index_out_of_range"),
    ("[1, 2].slice(2, 1)", "invalid_argument"),
    ("[1].flatten(-1)", "invalid_argument"),
    ("lists.range(-1)", "invalid_argument"),
    ("lists.range(9223372036854775807)", "limit_exceeded"),
    ("[dyn(1), dyn('a')].sort()", "invalid_argument"),
    ("[dyn(1), dyn(1u)].sort()", "invalid_argument"),
    ("[1.0, 0.0 / 0.0].sort()", "invalid_argument"),
    ("dyn([[1]]).sort()", "no_such_overload"),
    ("[dyn(null)].sort()", "no_such_overload"),
    ("tasks.sortBy(t, t.missing)", "no_such_key"),
    ("tasks.sortBy(t, dyn([t.size]))", "no_such_overload"),
    ("dyn('abc').reverse()", "no_such_overload"),
    ("dyn({1: 2}).distinct()", "no_such_overload"),
])  # fmt: skip
def test_error(text, code):
    assert error(ENV, text, tasks=TASKS, x=0) == code


@pytest.mark.parametrize("text, code", [
    ("[[1]].sort()", "no_matching_overload"),
    ("[{1: 2}].sortBy(m, m)", "no_matching_overload"),
    ("[1].sortBy(1, 2)", "macro_argument"),
    ("[1].sortBy(a.b, 2)", "macro_argument"),
    ("[1].sortBy(x, y)", "undeclared_reference"),
    ("'abc'.reverse()", "no_matching_overload"),
    ("[1].slice('a', 2)", "no_matching_overload"),
])  # fmt: skip
def test_refused(text, code):
    assert refused(ENV, text) == {code}


def key(member):
    return member.ns if type(member) in (Timestamp, Duration) else member


@given(SORTABLE)
def test_sorting_is_that_of_the_values(values):
    found = FUNCTIONS["sort", 1](values)
    assert [key(member) for member in found] == sorted(map(key, values))
    assert found == FUNCTIONS["sort", 1](tuple(values))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers()), max_size=8))
def test_sorting_by_keys_keeps_the_order_of_equal_keys(pairs):
    found = FUNCTIONS["@sortByAssociatedKeys", 2](pairs, [first for first, _ in pairs])
    assert found == sorted(pairs, key=lambda pair: pair[0])


@given(st.lists(VALUES, max_size=6).flatmap(lambda some: st.permutations(some + some[:3])))
def test_distinct_keeps_the_first_of_equal_values(values):
    expected: list = []
    for member in values:
        if not any(equals(other, member) is True for other in expected):
            expected.append(member)
    found = FUNCTIONS["distinct", 1](values)
    assert len(found) == len(expected)
    assert all(left is right for left, right in zip(found, expected, strict=True))


def test_distinct_tells_apart_what_only_a_double_takes_for_equal():
    values = [2**53, 2**53 + 1, 2.0**53, UInt(2**53), UInt(2**53 + 1)]
    assert FUNCTIONS["distinct", 1](values) == [2**53, 2**53 + 1]


def test_nan_is_equal_to_nothing():
    values = [math.nan, math.nan, [math.nan], [math.nan]]
    assert len(FUNCTIONS["distinct", 1](values)) == 4


def test_many_distinct_values_take_no_quadratic_time():
    values = [{"id": number, "tags": [number]} for number in range(20_000)]
    assert len(FUNCTIONS["distinct", 1](values)) == 20_000


def flat(values, depth):
    for member in values:
        if isinstance(member, (list, tuple)) and depth:
            yield from flat(member, depth - 1)
        else:
            yield member


@given(
    st.recursive(st.lists(NUMBERS), lambda inner: st.lists(inner, max_size=3)), st.integers(0, 4)
)
def test_flatten_takes_away_so_many_levels(values, depth):
    assert FUNCTIONS["flatten", 2](values, depth) == list(flat(values, depth))


@pytest.mark.parametrize("name", ["flatten", "distinct"])
def test_lists_that_hold_themselves_come_to_an_end(name):
    loop: list = []
    loop.append(loop)
    empty: list = []
    for _ in range(100):
        empty = [empty, empty]
    for values in (loop, [loop, loop], empty, [empty, empty]):
        for arguments in ((values, 1_000), (values,)):
            implementation = SMALL.get((name, len(arguments)))
            if implementation is not None:
                assert type(implementation(*arguments)) in (list, Fault)
    assert SMALL["flatten", 2](empty, 1_000).details == ("evaluation_steps", 20_000)
    assert SMALL["flatten", 2](loop, 1_000_000).details == ("evaluation_steps", 20_000)


def test_a_range_is_bounded():
    assert len(SMALL["lists.range", 1](1_000)) == 1_000
    assert SMALL["lists.range", 1](1_001).details == ("value_size", 1_000)


@given(st.lists(VALUES, max_size=5), st.integers(-1, 6), st.integers(-1, 6))
def test_a_slice_is_the_slice_or_an_error(values, start, end):
    found = FUNCTIONS["slice", 3](values, start, end)
    if 0 <= start <= end <= len(values):
        assert found == values[start:end]
    else:
        assert type(found) is Fault
