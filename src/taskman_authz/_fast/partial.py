# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Evaluation where not everything is known: nodes for unknowns, and values known in part.

An unknown is a Fault whose code is `unknown` and whose details are the attributes (texts) that
would have to be known. Only a plan made for it has these nodes (`cel.partial.PartialPlan`), so the
plain plan never asks whether something is unknown.

Laws: what decides, decides whatever the unknown is; where nothing does, an unknown beats an error,
and several are one that has the attributes of all. What needs the whole of a value that is known
in part does not know it. In a loop that makes a value of its turns (`map`, `filter`,
`exists_one`), an error in any turn is the answer.
"""

from __future__ import annotations

from typing import Any

from .access import index, index_optional
from .activation import Activation
from .folds import not_bool
from .nodes import Node, placed, value_of
from .values import Fault, ObjectValue, OptionalValue

UNKNOWN = "unknown"


class Incomplete(ObjectValue):
    """A value that is known in part. The room above knows which parts are."""

    __slots__ = ()

    def whole(self) -> Fault:
        """The unknown that it is where all of it is needed."""
        raise NotImplementedError

    def part(self, key: Any) -> Any:
        """`value[key]`"""
        raise NotImplementedError

    def optional_part(self, key: Any) -> Any:
        """`value[?key]`"""
        raise NotImplementedError

    def elements(self) -> Any:
        """The list or dict that a loop goes over, whose members may be known in part; an unknown
        where it is not known what there is to go over."""
        raise NotImplementedError

    def same_as(self, other: Any) -> Any:
        return self.whole()


def is_unknown(value: Any) -> bool:
    """Whether a value is not known, as far as it can be a value of an expression."""
    if type(value) is Fault:
        fault: Fault = value
        return fault.code == UNKNOWN
    return False


def union(first: Fault | None, second: Fault) -> Fault:
    """An unknown with the attributes of both."""
    if first is None:
        return second
    attributes = dict.fromkeys(first.details + second.details)
    return Fault(UNKNOWN, tuple(attributes), first.position)


def settled(value: Any) -> Any:
    """A value, all of which is needed: an unknown where it is known in part."""
    held = value
    while type(held) is OptionalValue:
        optional: OptionalValue = held
        if not optional.present:
            return value
        held = optional.held[0]
    return held.whole() if isinstance(held, Incomplete) else value


class Settled(Node):
    """All of what a node came to."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node
        self.position = node.position

    def value(self, activation: Activation) -> Any:
        return settled(self.node.value(activation))


class Junction(Node):
    """`a && b`, where false `decides`; `a || b`, where true does."""

    __slots__ = ("operands", "decides", "function")

    def __init__(
        self, operands: tuple[Node, ...], decides: bool, function: str, position: int
    ) -> None:
        self.operands = operands
        self.decides = decides
        self.function = function
        self.position = position

    def value(self, activation: Activation) -> Any:
        decides = True if self.decides else False
        neutral = not decides
        fault = unknown = None
        for operand in self.operands:
            value = value_of(operand, activation)
            if value is decides:
                return decides
            if is_unknown(value):
                unknown = union(unknown, value)
            elif value is not neutral and fault is None:
                fault = not_bool(self.function, value, self.position)
        if unknown is not None:
            return unknown
        return neutral if fault is None else fault


class Strict(Node):
    """A part that needs all of its operands. They lie in registers, from `register` up, which
    `node` reads."""

    __slots__ = ("operands", "register", "node")

    def __init__(self, operands: tuple[Node, ...], register: int, node: Node) -> None:
        self.operands = operands
        self.register = register
        self.node = node
        self.position = node.position

    def value(self, activation: Activation) -> Any:
        unknown = None
        register = self.register
        for operand in self.operands:
            value = value_of(operand, activation)
            if is_unknown(value):
                unknown = union(unknown, value)
            activation.registers[register] = value
            register += 1
        return self.node.value(activation) if unknown is None else unknown


class Step(Node):
    """`operand[key]`, or if `optional` `operand[?key]`: a part of what may be known in part."""

    __slots__ = ("operand", "key", "optional")

    def __init__(self, operand: Node, key: Node, optional: bool, position: int) -> None:
        self.operand = operand
        self.key = key
        self.optional = optional
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        key = self.key.value(activation)
        if is_unknown(operand):
            return union(operand, key) if is_unknown(key) else operand
        if is_unknown(key):
            return key
        if type(operand) is Fault:
            return operand
        if type(key) is Fault:
            return key
        if isinstance(operand, Incomplete):
            found = operand.optional_part(key) if self.optional else operand.part(key)
        else:
            found = index_optional(operand, key) if self.optional else index(operand, key)
        return placed(found, self.position)


class Opened(Node):
    """What a loop goes over, where that may be known in part."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node
        self.position = node.position

    def value(self, activation: Activation) -> Any:
        value = self.node.value(activation)
        return value.elements() if isinstance(value, Incomplete) else value


class Noted(Node):
    """A part of a loop's turn. Where it is unknown, its attributes are noted in a register of the
    loop, which goes on with `other` in its place."""

    __slots__ = ("node", "register", "other")

    def __init__(self, node: Node, register: int, other: Any) -> None:
        self.node = node
        self.register = register
        self.other = other
        self.position = node.position

    def value(self, activation: Activation) -> Any:
        value = self.node.value(activation)
        if not is_unknown(value):
            return value
        noted = activation.registers[self.register]
        if noted is None:
            noted = activation.registers[self.register] = {}
        noted.update(dict.fromkeys(value.details))
        return self.other


class Loop(Node):
    """A loop that knows what was noted in its turns. `decides` is the value that stands all the
    same: true of `exists`, false of `all`, None of the others, where a fault does."""

    __slots__ = ("node", "register", "decides")

    def __init__(self, node: Node, register: int, decides: Any) -> None:
        self.node = node
        self.register = register
        self.decides = decides
        self.position = node.position

    def value(self, activation: Activation) -> Any:
        activation.registers[self.register] = None
        value = self.node.value(activation)
        noted = activation.registers[self.register]
        if noted is None:
            return value
        stands = type(value) is Fault if self.decides is None else value is self.decides
        return value if stands else Fault(UNKNOWN, tuple(noted), self.position)
