"""Equality, order and membership.

The language definition: equality is defined between all values ("Equality"), across the numeric
types too, false between values of different types; bool is no number; NaN equals nothing. Order
is defined within one type and across the numeric types ("Ordering"). A double is compared with an
integer as doubles are: the integer is rounded to one.
"""
# cython: boundscheck=False, wraparound=False

from __future__ import annotations

from typing import Any

from .access import EntityValue, adapt, entries, is_map, lookup, missing
from .activation import Activation
from .nodes import Node
from .times import Duration, Timestamp
from .values import CelType, Fault, UInt, type_name

_MISSING = missing()
_NUMBERS = frozenset({int, UInt, float})
_ORDERED = frozenset({str, bytes, bool})


def equals(left: Any, right: Any) -> bool:
    """Whether two values of the core are equal. Neither is a Fault."""
    kind = type(left)
    if kind is str:
        return type(right) is str and left == right
    other = type(right)
    if kind is int and other is int:
        return left == right
    if kind is bool or other is bool or left is None or right is None:
        return left is right
    if kind in _NUMBERS:
        return other in _NUMBERS and compare(left, right, "", -1) == 0
    return _equals_other(left, right)


def _equals_other(left: Any, right: Any) -> bool:
    kind = type(left)
    if kind is Timestamp or kind is Duration:
        return type(right) is kind and left.ns == right.ns
    if kind is bytes or kind is CelType:
        return type(right) is kind and left == right
    if kind is list or kind is tuple:
        return (type(right) is list or type(right) is tuple) and _equal_lists(left, right)
    if is_map(left) and is_map(right):
        return _equal_maps(entries(left), entries(right))
    if type(right) in _PLAIN_KINDS or kind in _PLAIN_KINDS:
        return False
    return bool(left == right)  # objects of the caller's own classes


_PLAIN_KINDS = frozenset(
    {str, bytes, int, UInt, float, list, tuple, dict, Timestamp, Duration, CelType, EntityValue}
)


def _equal_lists(left: Any, right: Any) -> bool:
    if len(left) != len(right):
        return False
    for number in range(len(left)):
        if not _equal_raw(left[number], right[number]):
            return False
    return True


def _equal_maps(left: Any, right: Any) -> bool:
    if len(left) != len(right):
        return False
    for key, value in left.items():
        other = lookup(right, key)
        if other is _MISSING or not _equal_raw(value, other):
            return False
    return True


def _equal_raw(left: Any, right: Any) -> bool:
    """Equality of members, which may not have been adapted yet."""
    left = adapt(left)
    right = adapt(right)
    if type(left) is Fault or type(right) is Fault:
        return False
    return equals(left, right)


def member_of(value: Any, container: Any, position: int) -> Any:
    """`value in container`, a bool or a Fault."""
    if type(container) is list or type(container) is tuple:
        for member in container:
            if type(member) is str:
                if type(value) is str and value == member:
                    return True
            elif _equal_raw(value, member):
                return True
        return False
    if is_map(container):
        return lookup(container, value) is not _MISSING
    return Fault("no_such_overload", ("@in", type_name(value), type_name(container)), position)


def compare(left: Any, right: Any, function: str, position: int) -> Any:
    """-1, 0 or 1; 2 where either is NaN; or a Fault where the values have no order."""
    kind = type(left)
    other = type(right)
    if kind in _NUMBERS and other in _NUMBERS:
        if kind is float or other is float:
            left = float(left)
            right = float(right)
        return -1 if left < right else 1 if left > right else 0 if left == right else 2
    if kind is other and kind in _ORDERED:
        return -1 if left < right else 1 if left > right else 0
    if kind is other and (kind is Timestamp or kind is Duration):
        return -1 if left.ns < right.ns else 1 if left.ns > right.ns else 0
    if kind is Fault:
        return left
    if other is Fault:
        return right
    return Fault("no_such_overload", (function, type_name(left), type_name(right)), position)


class Equal(Node):
    """`a == b`."""

    __slots__ = ("left", "right")

    def __init__(self, left: Node, right: Node, position: int) -> None:
        self.left = left
        self.right = right
        self.position = position

    def value(self, activation: Activation) -> Any:
        left = self.left.value(activation)
        if type(left) is Fault:
            return left
        right = self.right.value(activation)
        if type(right) is Fault:
            return right
        return equals(left, right)


class NotEqual(Node):
    """`a != b`."""

    __slots__ = ("left", "right")

    def __init__(self, left: Node, right: Node, position: int) -> None:
        self.left = left
        self.right = right
        self.position = position

    def value(self, activation: Activation) -> Any:
        left = self.left.value(activation)
        if type(left) is Fault:
            return left
        right = self.right.value(activation)
        if type(right) is Fault:
            return right
        return not equals(left, right)


class EqualText(Node):
    """`a == 'text'`, or with `negated` `a != 'text'`: what most conditions are made of."""

    __slots__ = ("operand", "text", "negated")

    def __init__(self, operand: Node, text: str, negated: bool, position: int) -> None:
        self.operand = operand
        self.text = text
        self.negated = negated
        self.position = position

    def value(self, activation: Activation) -> Any:
        value = self.operand.value(activation)
        if type(value) is str:
            return (value == self.text) != self.negated
        return value if type(value) is Fault else self.negated


# The operators of order; `Order.operator` is one of them.
LESS, LESS_EQUAL, GREATER, GREATER_EQUAL = 0, 1, 2, 3
ORDER_NAMES = ("_<_", "_<=_", "_>_", "_>=_")


class Order(Node):
    """`a < b`, `a <= b`, `a > b`, `a >= b`."""

    __slots__ = ("left", "right", "operator")

    def __init__(self, left: Node, right: Node, operator: int, position: int) -> None:
        self.left = left
        self.right = right
        self.operator = operator
        self.position = position

    def value(self, activation: Activation) -> Any:
        left = self.left.value(activation)
        if type(left) is Fault:
            return left
        right = self.right.value(activation)
        if type(left) is int and type(right) is int:
            a = left  # C integers where compiled: core ints are within 64 bits
            b = right
            if self.operator == 0:
                return a < b
            if self.operator == 1:
                return a <= b
            return a > b if self.operator == 2 else a >= b
        return self.ordered(compare(left, right, ORDER_NAMES[self.operator], self.position))

    def ordered(self, comparison: Any) -> Any:
        """What a comparison means for the operator."""
        if type(comparison) is Fault:
            return comparison
        if self.operator == 0:
            return comparison == -1
        if self.operator == 1:
            return comparison == -1 or comparison == 0
        return comparison == 1 or (self.operator == 3 and comparison == 0)


class In(Node):
    """`a in b`."""

    __slots__ = ("member", "container")

    def __init__(self, member: Node, container: Node, position: int) -> None:
        self.member = member
        self.container = container
        self.position = position

    def value(self, activation: Activation) -> Any:
        member = self.member.value(activation)
        if type(member) is Fault:
            return member
        container = self.container.value(activation)
        if type(container) is Fault:
            return container
        return member_of(member, container, self.position)


class InTexts(Node):
    """`a in ['x', 'y']`, all strings and constant."""

    __slots__ = ("member", "texts")

    def __init__(self, member: Node, texts: frozenset[str], position: int) -> None:
        self.member = member
        self.texts = texts
        self.position = position

    def value(self, activation: Activation) -> Any:
        member = self.member.value(activation)
        if type(member) is str:
            return member in self.texts
        return member if type(member) is Fault else False
