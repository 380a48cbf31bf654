# cython: boundscheck=False, wraparound=False
"""Equality, order and membership.

The language definition: equality is defined between all values ("Equality"), across the numeric
types too, false between values of different types; bool is no number; NaN equals nothing. Order
is defined within one type and across the numeric types ("Ordering"). A double is compared with an
integer as doubles are: the integer is rounded to one.
"""

from __future__ import annotations

from typing import Any

from . import native
from .access import adapt, entries, find, is_map, is_whole, missing
from .activation import Activation, extent
from .nodes import Attribute, Constant, Node, Test, TextTest, answer, placed
from .times import Duration, Timestamp, since
from .values import Fault, ObjectValue, OptionalValue, UInt, type_name

_MISSING = missing()
_NUMBERS = frozenset({int, UInt, float})
_ORDERED = frozenset({str, bytes, bool})
_KEYS = frozenset({str, int, UInt, bool, float})


# Equality recurses into lists and maps. A value may contain itself, and C has no RecursionError:
# an expression cannot write, nor a request carry, what is nested as deep as this.
VALUE_DEPTH = 200
# The steps of beginning to compare two lists or maps. With few members, and some value that shares
# its parts has very many of those, it is most of the work.
PAIR = 16


def equals(left: Any, right: Any, meter: Activation | None = None) -> Any:
    """Whether two values of the core, no Faults, are equal; a Fault where some member is one and
    no other member tells them apart.

    `meter` pays for what is compared: values that share their parts have more parts than memory.
    """
    return _equal(left, right, VALUE_DEPTH, Activation(0, 0, 0) if meter is None else meter)


def _equal(left: Any, right: Any, depth: int, meter: Activation) -> Any:
    kind = type(left)
    other = type(right)
    if kind is str:
        if other is not str:
            return False
        meter.steps -= extent(left)
        return native.same_text(left, right) if meter.steps >= 0 else meter.spent()
    if kind is int and other is int:
        return left == right
    if kind is bool or other is bool or left is None or right is None:
        return left is right
    if kind in _NUMBERS:
        return other in _NUMBERS and compare(left, right, "") == 0
    if kind is list or kind is tuple:
        return (other is list or other is tuple) and _equal_lists(left, right, depth, meter)
    if isinstance(left, ObjectValue):
        return left.same_as(right)
    if is_map(left):
        return is_map(right) and _equal_maps(left, right, depth, meter)
    if kind is Timestamp or kind is Duration:
        return other is kind and since(left, right) == 0
    if kind is OptionalValue:
        return other is kind and _equal_optionals(left, right, depth, meter)
    meter.steps -= extent(left)
    return other is kind and meter.steps >= 0 and left == right  # bytes and types


def _equal_lists(left: Any, right: Any, depth: int, meter: Activation) -> Any:
    if len(left) != len(right):
        return False
    meter.steps -= PAIR + len(left)
    if meter.steps < 0:
        return meter.spent()
    fault = None
    # Not by index: to adapt a member may run the caller's code, which may change the list.
    for one, other in zip(left, right, strict=False):
        found = _equal_members(one, other, depth, meter)
        if found is False:
            return False
        if found is not True and fault is None:
            fault = found
    return True if fault is None else fault


def _equal_maps(left: Any, right: Any, depth: int, meter: Activation) -> Any:
    if not is_whole(left) or not is_whole(right):
        if left is right:
            return True
        return Fault("no_such_overload", ("_==_", type_name(left), type_name(right)))
    left = _entries(left, meter)
    right = _entries(right, meter)
    if type(left) is Fault:
        return left
    if type(right) is Fault:
        return right
    if len(left) != len(right):
        return False
    meter.steps -= PAIR + 4 * len(left)
    if meter.steps < 0:
        return meter.spent()
    fault = None
    for key, member in list(left.items()):
        key = adapt(key)
        if type(key) not in _KEYS:  # the language has no word for such a key
            return key if type(key) is Fault else Fault("unsupported_type", (type_name(key),))
        other = find(right, key)
        found = False if other is _MISSING else _equal_members(member, other, depth, meter)
        if found is False:
            return False
        if found is not True and fault is None:
            fault = found
    return True if fault is None else fault


def _entries(value: Any, meter: Activation) -> Any:
    """The entries of a map, paid for where they are copied."""
    found = entries(value)
    if found is not value:
        meter.steps -= extent(found)
    return found


def _equal_optionals(
    left: OptionalValue, right: OptionalValue, depth: int, meter: Activation
) -> Any:
    if left.present and right.present:
        return _equal_members(left.held[0], right.held[0], depth, meter)
    return left.present == right.present


def _equal_members(left: Any, right: Any, depth: int, meter: Activation) -> Any:
    """Equality of what a list or map holds, not adapted yet."""
    left = adapt(left)
    right = adapt(right)
    if type(left) is Fault:
        return left
    if type(right) is Fault:
        return right
    if depth <= 0:
        return Fault("limit_exceeded", ("value_depth", VALUE_DEPTH))
    return _equal(left, right, depth - 1, meter)


def member_of(value: Any, container: Any, meter: Activation | None = None) -> Any:
    """`value in container`, a bool or a Fault; `meter` pays for what is compared."""
    if type(container) is list or type(container) is tuple:
        return _member_of_list(value, container, Activation(0, 0, 0) if meter is None else meter)
    if is_map(container):
        if meter is not None:
            meter.steps -= extent(value)
        found = find(container, value)
        return found if type(found) is Fault else found is not _MISSING
    return Fault("no_such_overload", ("@in", type_name(value), type_name(container)))


def _member_of_list(value: Any, container: Any, meter: Activation) -> Any:
    if type(value) is str and type(container) is list:
        return text_in_list(value, container, meter)
    meter.steps -= len(container)
    if meter.steps < 0:
        return meter.spent()
    fault = None
    for member in container:
        if type(member) is str and type(value) is str:
            meter.steps -= extent(value)
            if meter.steps < 0:
                return meter.spent()
            if native.same_text(value, member):
                return True
            continue
        found = _equal_members(value, member, VALUE_DEPTH, meter)
        if found is True:
            return True
        if found is not False and fault is None:
            fault = found
    return False if fault is None else fault


def text_in_list(wanted: str, members: list[Any], meter: Activation) -> Any:
    """Whether a text is in a list, or a Fault."""
    found = among(wanted, members, meter, -1)
    if found == 2:
        return meter.take_other()
    return found == 1


def among(wanted: str, members: list[Any], meter: Activation, position: int) -> int:
    """Whether a text is in a list, as what `Node.truth` gives, for the node at `position`. The most
    frequent case: mostly a list of texts, compared by length first."""
    fault = None
    size = len(wanted)
    meter.steps -= len(members) * (1 + (size >> 6))
    if meter.steps < 0:
        return answer(meter.spent(position), meter)
    for member in members:
        if type(member) is str:
            text: str = member
            if native.same_text(text, wanted):
                return 1
        else:
            found = _equal_members(wanted, member, VALUE_DEPTH, meter)
            if found is True:
                return 1
            if found is not False and fault is None:
                fault = found
    return 0 if fault is None else answer(placed(fault, position), meter)


def compare(left: Any, right: Any, function: str) -> Any:
    """-1, 0 or 1; 2 where either is NaN; or a Fault where the values have no order."""
    kind = type(left)
    other = type(right)
    if kind is other and (kind is Timestamp or kind is Duration):
        ahead = since(left, right)
        return -1 if ahead < 0 else 1 if ahead > 0 else 0
    if kind in _NUMBERS and other in _NUMBERS:
        if kind is float or other is float:
            left = float(left)
            right = float(right)
        return -1 if left < right else 1 if left > right else 0 if left == right else 2
    if kind is other and kind in _ORDERED:
        return -1 if left < right else 1 if left > right else 0
    if kind is Fault:
        return left
    if other is Fault:
        return right
    return Fault("no_such_overload", (function, type_name(left), type_name(right)))


class Equal(Test):
    """`a == b`."""

    __slots__ = ("left", "right", "first", "second")

    def __init__(self, left: Node, right: Node, position: int) -> None:
        self.left = left
        self.right = right
        self.position = position
        # Both or neither.
        self.first: Attribute | None = None
        self.second: Attribute | None = None
        if isinstance(left, Attribute) and isinstance(right, Attribute):
            self.first, self.second = left, right

    def truth(self, activation: Activation) -> int:
        if self.first is not None and self.second is not None:
            found = native.are_same(self.first, self.second, activation)
            if found != 2:
                return found
        left = self.left.value(activation)
        if type(left) is Fault:
            return answer(left, activation)
        right = self.right.value(activation)
        if type(left) is str and type(right) is str:
            text: str = left
            activation.steps -= len(text) >> 6
            return native.same_text(text, right)
        if type(right) is Fault:
            return answer(right, activation)
        return answer(placed(equals(left, right, activation), self.position), activation)


class NotEqual(Test):
    """`a != b`."""

    __slots__ = ("left", "right")

    def __init__(self, left: Node, right: Node, position: int) -> None:
        self.left = left
        self.right = right
        self.position = position

    def truth(self, activation: Activation) -> int:
        left = self.left.value(activation)
        if type(left) is Fault:
            return answer(left, activation)
        right = self.right.value(activation)
        if type(right) is Fault:
            return answer(right, activation)
        found = answer(placed(equals(left, right, activation), self.position), activation)
        return found if found == 2 else 1 - found


class EqualText(TextTest):
    """`a == 'text'`, or with `negated` `a != 'text'`: what most conditions are made of."""

    __slots__ = ("operand", "negated")

    def __init__(self, operand: Node, text: str, negated: bool, position: int) -> None:
        self.operand = operand
        self.reads(operand, text)
        self.negated = negated
        self.position = position

    def truth(self, activation: Activation) -> int:
        found = native.is_text(self, activation)
        if found != 2:
            return found != self.negated
        value = self.operand.value(activation)
        if type(value) is str:
            return native.same_text(value, self.text) != self.negated
        return answer(value, activation) if type(value) is Fault else self.negated


class EqualInt(Test):
    """`a == 1`, or with `negated` `a != 1`."""

    __slots__ = ("operand", "constant", "number", "negated")

    def __init__(self, operand: Node, constant: int, negated: bool, position: int) -> None:
        self.operand = operand
        self.constant = constant
        self.number = constant  # compiled: a C integer
        self.negated = negated
        self.position = position

    def truth(self, activation: Activation) -> int:
        value = self.operand.value(activation)
        if type(value) is int:
            x: int = value
            return not self.negated if x == self.number else self.negated
        if type(value) is Fault:
            return answer(value, activation)
        found = answer(placed(equals(value, self.constant), self.position), activation)
        return 1 - found if self.negated and found != 2 else found


# The operators of order; `Order.operator` is one of them.
LESS, LESS_EQUAL, GREATER, GREATER_EQUAL = 0, 1, 2, 3
ORDER_NAMES = ("_<_", "_<=_", "_>_", "_>=_")


class Order(Test):
    """`a < b`, `a <= b`, `a > b`, `a >= b`."""

    __slots__ = ("left", "right", "operator")

    def __init__(self, left: Node, right: Node, operator: int, position: int) -> None:
        self.left = left
        self.right = right
        self.operator = operator
        self.position = position

    def truth(self, activation: Activation) -> int:
        left = self.left.value(activation)
        if type(left) is Fault:
            return answer(left, activation)
        right = self.right.value(activation)
        if type(left) is int and type(right) is int:
            a: int = left  # C integers where compiled: core ints are within 64 bits
            b: int = right
            if self.operator == 0:
                return a < b
            if self.operator == 1:
                return a <= b
            return a > b if self.operator == 2 else a >= b
        activation.steps -= min(extent(left), extent(right))
        return self.ordered(compare(left, right, ORDER_NAMES[self.operator]), activation)

    def ordered(self, comparison: Any, activation: Activation) -> int:
        """What a comparison means for the operator."""
        if type(comparison) is Fault:
            return answer(placed(comparison, self.position), activation)
        sign: int = comparison
        if self.operator == 0:
            return sign == -1
        if self.operator == 1:
            return sign == -1 or sign == 0
        return sign == 1 or (self.operator == 3 and sign == 0)


class OrderInt(Order):
    """`a < 1` and so on, with a constant."""

    __slots__ = ("number",)

    def __init__(self, left: Node, right: Constant, operator: int, position: int) -> None:
        super().__init__(left, right, operator, position)
        self.number: int = right.constant  # compiled: a C integer

    def truth(self, activation: Activation) -> int:
        left = self.left.value(activation)
        if type(left) is int:
            x: int = left
            if self.operator == 2:
                return x > self.number
            if self.operator == 0:
                return x < self.number
            return x <= self.number if self.operator == 1 else x >= self.number
        if type(left) is Fault:
            return answer(left, activation)
        constant: Any = self.right.value(activation)
        return self.ordered(compare(left, constant, ORDER_NAMES[self.operator]), activation)


class In(Test):
    """`a in b`."""

    __slots__ = ("member", "container")

    def __init__(self, member: Node, container: Node, position: int) -> None:
        self.member = member
        self.container = container
        self.position = position

    def truth(self, activation: Activation) -> int:
        member = self.member.value(activation)
        if type(member) is Fault:
            return answer(member, activation)
        container = self.container.value(activation)
        if type(container) is Fault:
            return answer(container, activation)
        return answer(placed(member_of(member, container, activation), self.position), activation)


class TextIn(TextTest):
    """`'x' in a`."""

    __slots__ = ("container",)

    def __init__(self, text: str, container: Node, position: int) -> None:
        self.container = container
        self.reads(container, text)
        self.position = position

    def truth(self, activation: Activation) -> int:
        found = native.has_text(self, activation)
        if found != 2:
            return found
        container = self.container.value(activation)
        if type(container) is list:
            return among(self.text, container, activation, self.position)
        if type(container) is Fault:
            return answer(container, activation)
        member = member_of(self.text, container, activation)
        return answer(placed(member, self.position), activation)


class InTexts(Test):
    """`a in ['x', 'y']`, all strings and constant, or with `negated` `!(a in ['x', 'y'])`."""

    __slots__ = ("member", "texts", "negated")

    def __init__(self, member: Node, texts: frozenset[str], negated: bool, position: int) -> None:
        self.member = member
        self.texts = texts
        self.negated = negated
        self.position = position

    def truth(self, activation: Activation) -> int:
        member = self.member.value(activation)
        if type(member) is str:
            return not self.negated if member in self.texts else self.negated
        return answer(member, activation) if type(member) is Fault else self.negated
