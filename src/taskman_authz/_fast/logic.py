"""What absorbs faults: `&&`, `||`, `?:` and `!`.

The law of the language definition ("Logical Operators"): `false && x` and `x && false` are false
whatever x is, an error included; likewise true for `||`. Only where no operand decides is the
first Fault the answer. An operand that is not bool counts as an error.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation
from .nodes import Node, Test, answer, linked
from .values import Fault, type_name


def _not_bool(function: str, value: Any, position: int) -> Any:
    """What an operand comes to that is no bool: itself if it is a Fault."""
    if type(value) is Fault:
        return value
    return Fault("no_such_overload", (function, type_name(value)), position)


def _undecided(function: str, activation: Activation, position: int) -> int:
    """What a node's truth is by an operand that is neither true nor false, and was put aside."""
    return answer(_not_bool(function, activation.other, position), activation)


class And(Test):
    """`a && b && …`, flattened: one operand or more."""

    __slots__ = ("operands", "first", "second", "rest")

    def __init__(self, operands: tuple[Node, ...], position: int) -> None:
        self.operands = operands
        self.first = operands[0]  # which decides mostly
        self.second = operands[1] if len(operands) == 2 else None  # of two, as most are
        self.rest = linked(operands[1:])
        self.position = position

    def truth(self, activation: Activation) -> int:
        found = self.first.truth(activation)
        if found == 0:
            return 0
        if found == 1 and self.second is not None:
            found = self.second.truth(activation)
            return found if found != 2 else _undecided("_&&_", activation, self.position)
        return self.decided_by_others(found, activation)

    def decided_by_others(self, found: int, activation: Activation) -> int:
        """The truth, where the first operand came to `found`, which does not decide."""
        fault = None
        if found == 2:
            fault = _not_bool("_&&_", activation.other, self.position)
        link = self.rest
        while link is not None:
            found = link.node.truth(activation)
            if found == 0:
                return 0
            if found == 2 and fault is None:
                fault = _not_bool("_&&_", activation.other, self.position)
            link = link.rest
        return 1 if fault is None else answer(fault, activation)


class Or(Test):
    """`a || b || …`, flattened: one operand or more."""

    __slots__ = ("operands", "first", "second", "rest")

    def __init__(self, operands: tuple[Node, ...], position: int) -> None:
        self.operands = operands
        self.first = operands[0]  # which decides mostly
        self.second = operands[1] if len(operands) == 2 else None  # of two, as most are
        self.rest = linked(operands[1:])
        self.position = position

    def truth(self, activation: Activation) -> int:
        found = self.first.truth(activation)
        if found == 1:
            return 1
        if found == 0 and self.second is not None:
            found = self.second.truth(activation)
            return found if found != 2 else _undecided("_||_", activation, self.position)
        return self.decided_by_others(found, activation)

    def decided_by_others(self, found: int, activation: Activation) -> int:
        """The truth, where the first operand came to `found`, which does not decide."""
        fault = None
        if found == 2:
            fault = _not_bool("_||_", activation.other, self.position)
        link = self.rest
        while link is not None:
            found = link.node.truth(activation)
            if found == 1:
                return 1
            if found == 2 and fault is None:
                fault = _not_bool("_||_", activation.other, self.position)
            link = link.rest
        return 0 if fault is None else answer(fault, activation)


class Not(Test):
    """`!a`."""

    __slots__ = ("operand",)

    def __init__(self, operand: Node, position: int) -> None:
        self.operand = operand
        self.position = position

    def truth(self, activation: Activation) -> int:
        found = self.operand.truth(activation)
        if found == 2:
            return _undecided("!_", activation, self.position)
        return 1 - found


class Conditional(Node):
    """`a ? b : c`: only the chosen branch is evaluated."""

    __slots__ = ("condition", "chosen", "other")

    def __init__(self, condition: Node, chosen: Node, other: Node, position: int) -> None:
        self.condition = condition
        self.chosen = chosen
        self.other = other
        self.position = position

    def value(self, activation: Activation) -> Any:
        found = self.condition.truth(activation)
        if found == 1:
            return self.chosen.value(activation)
        if found == 0:
            return self.other.value(activation)
        return _not_bool("_?_:_", activation.take_other(), self.position)


class NotStrictlyFalse(Test):
    """`@not_strictly_false(a)`: false only where a is false; the loop condition of the macros."""

    __slots__ = ("operand",)

    def __init__(self, operand: Node, position: int) -> None:
        self.operand = operand
        self.position = position

    def truth(self, activation: Activation) -> int:
        return 1 if self.operand.truth(activation) else 0
