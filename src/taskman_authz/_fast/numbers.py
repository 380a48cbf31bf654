# cython: boundscheck=False, wraparound=False, cdivision=True
"""Arithmetic, and what else `+` and `-` mean.

The language definition ("Arithmetic"): no mixing of numeric types, 64-bit integers whose overflow
is an error, doubles as IEEE 754, `/` and `%` truncate towards zero, `%` is for integers only.

Laws: int operands are within 64 bits (`access.adapt` sees to it), so they fit C integers; each
function computes so that the compiled twin, whose integers wrap, and the plain twin, whose
integers grow, notice the same overflow.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation, extent
from .nodes import Node
from .times import Duration, Timestamp
from .times import add as add_times
from .times import subtract as subtract_times
from .values import UINT_MAX, Fault, UInt, type_name, uint

# Code points, bytes or elements. The same as `limits.Limits.value_size`, which the core cannot see.
VALUE_SIZE = 10_000_000

_HALF = 2147483648  # products of two numbers below this in size fit 64 bits


def _overflow(function: str) -> Fault:
    return Fault("overflow", (function,))


def _no_overload(function: str, left: Any, right: Any) -> Fault:
    return Fault("no_such_overload", (function, type_name(left), type_name(right)))


def _unsigned(number: int, function: str) -> Any:
    return uint(number) if 0 <= number <= UINT_MAX else _overflow(function)


def add(left: Any, right: Any, size: int = VALUE_SIZE) -> Any:
    """`left + right` for every type that has it; a Fault without place otherwise, and where the
    whole would be larger than `size`."""
    kind = type(left)
    if kind is int and type(right) is int:
        return _add_ints(left, right)
    if kind is type(right):
        if kind is float:
            return left + right
        if kind is str or kind is bytes or kind is list or kind is tuple:
            return _concatenate(left, right, size)
        if kind is UInt:
            return _unsigned(int(left) + int(right), "_+_")
    if kind is list and type(right) is tuple or kind is tuple and type(right) is list:
        return _concatenate(list(left), list(right), size)
    if kind is Timestamp or kind is Duration:
        return add_times(left, right)
    return _no_overload("_+_", left, right)


def _add_ints(left: Any, right: Any) -> Any:
    x = left
    y = right
    total = x + y
    if (
        ((x ^ total) & (y ^ total)) < 0
        or total > 9223372036854775807
        or (total < 0 and ~total > 9223372036854775807)
    ):
        return _overflow("_+_")
    return total


def _concatenate(left: Any, right: Any, size: int) -> Any:
    if len(left) + len(right) > size:
        return Fault("limit_exceeded", ("value_size", size))
    return left + right


def subtract(left: Any, right: Any) -> Any:
    """`left - right`; a Fault without place where it is not defined."""
    kind = type(left)
    if kind is int and type(right) is int:
        return _subtract_ints(left, right)
    if kind is float and type(right) is float:
        return left - right
    if kind is UInt and type(right) is UInt:
        return _unsigned(int(left) - int(right), "_-_")
    if kind is Timestamp or kind is Duration:
        return subtract_times(left, right)
    return _no_overload("_-_", left, right)


def _subtract_ints(left: Any, right: Any) -> Any:
    x = left
    y = right
    total = x - y
    if (
        ((x ^ y) & (x ^ total)) < 0
        or total > 9223372036854775807
        or (total < 0 and ~total > 9223372036854775807)
    ):
        return _overflow("_-_")
    return total


def multiply(left: Any, right: Any) -> Any:
    """`left * right`; a Fault without place where it is not defined."""
    kind = type(left)
    if kind is int and type(right) is int:
        x = left
        y = right
        if -_HALF < x < _HALF and -_HALF < y < _HALF:
            return x * y
        return _signed(int(left) * int(right), "_*_")
    if kind is float and type(right) is float:
        return left * right
    if kind is UInt and type(right) is UInt:
        return _unsigned(int(left) * int(right), "_*_")
    return _no_overload("_*_", left, right)


def _signed(number: Any, function: str) -> Any:
    """An int of any size, or the Fault of one that is wider than 64 bits."""
    return number if -(2**63) <= number < 2**63 else _overflow(function)


def divide(left: Any, right: Any) -> Any:
    """`left / right`, truncated for integers; a Fault without place where it is not defined."""
    kind = type(left)
    if kind is int and type(right) is int:
        if right == 0:
            return Fault("division_by_zero")
        quotient = abs(left) // abs(right)
        return _signed(quotient if (left < 0) == (right < 0) else -quotient, "_/_")
    if kind is float and type(right) is float:
        return divide_doubles(left, right)
    if kind is UInt and type(right) is UInt:
        return uint(int(left) // int(right)) if right else Fault("division_by_zero")
    return _no_overload("_/_", left, right)


def divide_doubles(left: float, right: float) -> float:
    """IEEE 754 division, which Python refuses for a zero divisor."""
    if right != 0.0:
        return left / right
    if left == 0.0 or left != left:
        return _NAN
    # The sign of a zero shows only in how it is written.
    return _INFINITY if (left > 0) == (str(right)[0] != "-") else -_INFINITY


_NAN = float("nan")
_INFINITY = float("inf")


def modulo(left: Any, right: Any) -> Any:
    """`left % right`, with the sign of the left; a Fault without place where it is not defined."""
    kind = type(left)
    if kind is int and type(right) is int:
        x = left
        y = right
        if y == 0:
            return Fault("modulus_by_zero")
        if x >= 0 and y > 0:
            return x % y
        remainder = abs(left) % abs(right)
        return -remainder if left < 0 else remainder
    if kind is UInt and type(right) is UInt:
        return uint(int(left) % int(right)) if right else Fault("modulus_by_zero")
    return _no_overload("_%_", left, right)


def negate(value: Any) -> Any:
    """`-value` of an int or double; a Fault without place otherwise."""
    kind = type(value)
    if kind is int:
        return _signed(-value, "-_")
    if kind is float:
        return -value
    return Fault("no_such_overload", ("-_", type_name(value)))


class Add(Node):
    """`a + b`. `size` bounds what is put together of strings, bytes and lists."""

    __slots__ = ("left", "right", "size")

    def __init__(self, left: Node, right: Node, size: int, position: int) -> None:
        self.left = left
        self.right = right
        self.size = size
        self.position = position

    def value(self, activation: Activation) -> Any:
        left = self.left.value(activation)
        if type(left) is Fault:
            return left
        right = self.right.value(activation)
        if type(right) is Fault:
            return right
        if type(left) is int and type(right) is int:
            total = _add_ints(left, right)
        else:
            activation.steps -= extent(left) + extent(right)
            if activation.steps < 0:
                return activation.spent(self.position)
            total = add(left, right, self.size)
        if type(total) is Fault:
            total.position = self.position
        return total


# The operators of arithmetic; `Arithmetic.operator` and `WithInt.operator` are one of them.
ADD, SUBTRACT, MULTIPLY, DIVIDE, MODULO = 0, 1, 2, 3, 4


def calculate(operator: int, left: Any, right: Any) -> Any:
    """`left + right`, `left - right` and so on; a Fault without place where it is not defined."""
    if operator == 4:
        return modulo(left, right)
    if operator == 2:
        return multiply(left, right)
    if operator == 1:
        return subtract(left, right)
    return divide(left, right) if operator == 3 else add(left, right)


class Arithmetic(Node):
    """`a - b`, `a * b`, `a / b`, `a % b`."""

    __slots__ = ("operator", "left", "right")

    def __init__(self, operator: int, left: Node, right: Node, position: int) -> None:
        self.operator = operator
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
        result = calculate(self.operator, left, right)
        if type(result) is Fault:
            result.position = self.position
        return result


def is_small(number: int) -> bool:
    """Whether sums and products with another such number surely fit 64 bits."""
    return -1073741824 < number < 1073741824


class WithInt(Node):
    """`a + 1`, `a - 1`, `a * 2`, `a / 2`, `a % 2`, with a small constant."""

    __slots__ = ("operator", "operand", "constant", "number")

    def __init__(self, operator: int, operand: Node, constant: int, position: int) -> None:
        self.operator = operator
        self.operand = operand
        self.constant = constant
        self.number = constant  # compiled: a C integer
        self.position = position

    def value(self, activation: Activation) -> Any:
        value = self.operand.value(activation)
        if type(value) is int:
            x = value
            if -1073741824 < x < 1073741824:  # as is_small, in numbers that C can read
                if self.operator == 4 and x >= 0 and self.number > 0:
                    return x % self.number
                if self.operator == 2:
                    return x * self.number
                if self.operator == 0:
                    return x + self.number
                if self.operator == 1:
                    return x - self.number
        elif type(value) is Fault:
            return value
        result = calculate(self.operator, value, self.constant)
        if type(result) is Fault:
            result.position = self.position
        return result
