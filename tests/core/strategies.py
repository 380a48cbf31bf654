"""Values of the core for properties, and how tests compare them: 1, 1u, 1.0 and true are equal in
Python and are not one value."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from taskman_authz._fast import nodes
from taskman_authz._fast.activation import Activation
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import INT_MAX, INT_MIN, UINT_MAX, CelType, Fault, UInt

# Where 64-bit and 32-bit arithmetic turns over, and where doubles stop holding every integer.
EDGES = sorted(
    {
        edge + step
        for edge in (INT_MIN, -(2**53), -(2**32), -(2**31), 0, 2**31, 2**32, 2**53, INT_MAX)
        for step in (-2, -1, 0, 1, 2)
        if INT_MIN <= edge + step <= INT_MAX
    }
)
INTS = st.one_of(st.sampled_from(EDGES), st.integers(INT_MIN, INT_MAX), st.integers(-20, 20))
UINTS = st.one_of(
    st.sampled_from([edge for edge in EDGES if edge >= 0] + [2**63, UINT_MAX - 1, UINT_MAX]),
    st.integers(0, UINT_MAX),
    st.integers(0, 20),
).map(UInt)
FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 0.5, 2.0**53, 2.0**63, -(2.0**63), 2.0**64]),
    st.integers(-20, 20).map(float),
)
DOUBLES = st.one_of(FINITE, st.sampled_from([math.inf, -math.inf, math.nan]))
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["", "a", "b", "ab", "é"]))
OCTETS = st.binary(max_size=4)
TIMESTAMPS = st.one_of(
    st.integers(-(10**18), 10**18).map(Timestamp), st.integers(-2, 2).map(Timestamp)
)
DURATIONS = st.one_of(
    st.integers(-(10**18), 10**18).map(Duration), st.integers(-2, 2).map(Duration)
)
TYPES = st.sampled_from(["int", "string", "map"]).map(CelType)
NUMBERS = st.one_of(INTS, UINTS, FINITE)
KEYS = st.one_of(st.integers(-3, 3), st.integers(0, 3).map(UInt), TEXTS)
# Without NaN, which is not equal to itself.
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, OCTETS, TIMESTAMPS, DURATIONS, TYPES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=6,
)


def same(left: Any, right: Any) -> bool:
    """Whether two values are one: of one type and equal all the way down, NaN to itself, a zero to
    one of its sign only; Faults by their code."""
    if type(left) is not type(right):
        return False
    if type(left) is Fault:
        return left.code == right.code
    if type(left) is float:
        return repr(left) == repr(right)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        if list(left) != list(right):
            return False
        return all(map(same, left, right)) and all(map(same, left.values(), right.values()))
    return bool(left == right)


def constant(value: Any, position: int = 0) -> nodes.Constant:
    """A node that is a value; or a Fault, which no planner makes."""
    return nodes.Constant(value, position)


def constants(*values: Any) -> tuple[nodes.Constant, ...]:
    """Nodes at the positions 0, 1, 2, …"""
    return tuple(constant(value, position) for position, value in enumerate(values))


def value_of(node: nodes.Node, *registers: Any) -> Any:
    """The value of a node that reads no attribute; loop variables lie in `registers`."""
    activation = Activation(0, len(registers), 0)
    activation.registers = list(registers)
    return nodes.evaluate(node, activation)


def is_fault(found: Any, code: str, *details: Any, position: int | None = None) -> bool:
    """Whether something is a Fault with this code and, where they are given, these details and
    this position."""
    return (
        type(found) is Fault
        and found.code == code
        and (not details or found.details == details)
        and (position is None or found.position == position)
    )
