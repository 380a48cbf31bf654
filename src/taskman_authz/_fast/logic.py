"""What absorbs faults: `&&`, `||`, `?:` and `!`.

The law of the language definition ("Logical Operators"): `false && x` and `x && false` are false
whatever x is, an error included; likewise true for `||`. Only where no operand decides is the
first Fault the answer. An operand that is not bool counts as an error.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation
from .nodes import Node, linked
from .values import Fault, type_name


def _not_bool(function: str, value: Any, position: int) -> Any:
    """What an operand comes to that is no bool: itself if it is a Fault."""
    if type(value) is Fault:
        return value
    return Fault("no_such_overload", (function, type_name(value)), position)


class And(Node):
    """`a && b && …`, flattened."""

    __slots__ = ("operands", "links")

    def __init__(self, operands: tuple[Node, ...], position: int) -> None:
        self.operands = operands
        self.links = linked(operands)
        self.position = position

    def value(self, activation: Activation) -> Any:
        fault = None
        link = self.links
        while link is not None:
            value = link.node.value(activation)
            if value is False:
                return False
            if value is not True and fault is None:
                fault = _not_bool("_&&_", value, self.position)
            link = link.rest
        return True if fault is None else fault


class Or(Node):
    """`a || b || …`, flattened."""

    __slots__ = ("operands", "links")

    def __init__(self, operands: tuple[Node, ...], position: int) -> None:
        self.operands = operands
        self.links = linked(operands)
        self.position = position

    def value(self, activation: Activation) -> Any:
        fault = None
        link = self.links
        while link is not None:
            value = link.node.value(activation)
            if value is True:
                return True
            if value is not False and fault is None:
                fault = _not_bool("_||_", value, self.position)
            link = link.rest
        return False if fault is None else fault


class Not(Node):
    """`!a`."""

    __slots__ = ("operand",)

    def __init__(self, operand: Node, position: int) -> None:
        self.operand = operand
        self.position = position

    def value(self, activation: Activation) -> Any:
        value = self.operand.value(activation)
        if value is True:
            return False
        if value is False:
            return True
        return _not_bool("!_", value, self.position)


class Conditional(Node):
    """`a ? b : c`: only the chosen branch is evaluated."""

    __slots__ = ("condition", "chosen", "other")

    def __init__(self, condition: Node, chosen: Node, other: Node, position: int) -> None:
        self.condition = condition
        self.chosen = chosen
        self.other = other
        self.position = position

    def value(self, activation: Activation) -> Any:
        condition = self.condition.value(activation)
        if condition is True:
            return self.chosen.value(activation)
        if condition is False:
            return self.other.value(activation)
        return _not_bool("_?_:_", condition, self.position)


class NotStrictlyFalse(Node):
    """`@not_strictly_false(a)`: false only where a is false; the loop condition of the macros."""

    __slots__ = ("operand",)

    def __init__(self, operand: Node, position: int) -> None:
        self.operand = operand
        self.position = position

    def value(self, activation: Activation) -> Any:
        return self.operand.value(activation) is not False
