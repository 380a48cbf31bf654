# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Loops: what the macros `all`, `exists`, `exists_one`, `map` and `filter` become, and the general
fold of the language for any other comprehension.

Laws: a fold iterates over a list, or over the keys of a map; `exists` and `all` absorb faults as
`||` and `&&` do, the others return the first; loop variables live in registers of the activation,
numbered by the planner so that nested loops never share one. A turn is paid for before it is made,
so that a loop ends at the turn that there are no steps for, and so do all that it is inside of.
"""

from __future__ import annotations

from typing import Any

from .access import adapt, index, is_map, keys
from .activation import Activation, extent
from .nodes import Node, placed
from .values import Fault, type_name


class Turning(Node):
    """What all loops have: the `weight` of a turn, the steps that its body takes at most, but for
    loops in it. The planner knows it: so many nodes are planned for the body."""

    __slots__ = ("weight",)
    weight: int


def elements(value: Any, activation: Activation, position: int) -> Any:
    """What a fold iterates over: a list, or the keys of a map as a list; or a Fault."""
    kind = type(value)
    if kind is list or kind is tuple or kind is Fault:
        return value
    if is_map(value):
        found = keys(value)
        activation.steps -= extent(found)
        return activation.spent(position) if activation.steps < 0 else placed(found, position)
    return Fault("no_such_overload", ("comprehension", type_name(value)), position)


def not_bool(macro: str, value: Any, position: int) -> Fault:
    """The Fault of a predicate that is neither true nor false."""
    if type(value) is Fault:
        return value
    return Fault("no_such_overload", (macro, type_name(value)), position)


class Exists(Turning):
    """`range.exists(x, predicate)`, or with `universal` `range.all(x, predicate)`."""

    __slots__ = ("range", "register", "predicate", "universal")

    def __init__(
        self, range: Node, register: int, predicate: Node, universal: bool, position: int
    ) -> None:
        self.range = range
        self.register = register
        self.predicate = predicate
        self.universal = universal
        self.position = position
        self.weight = 1

    def value(self, activation: Activation) -> Any:
        members = elements(self.range.value(activation), activation, self.position)
        if type(members) is Fault:
            return members
        fault = None
        registers = activation.registers
        for member in members:
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            registers[self.register] = adapt(member)
            found = self.predicate.truth(activation)
            if found == 2:
                if fault is None:
                    macro = "all" if self.universal else "exists"
                    fault = not_bool(macro, activation.other, self.position)
            elif (found == 0) == self.universal:
                return found == 1
        return self.universal if fault is None else fault


class ExistsOne(Turning):
    """`range.exists_one(x, predicate)`."""

    __slots__ = ("range", "register", "predicate")

    def __init__(self, range: Node, register: int, predicate: Node, position: int) -> None:
        self.range = range
        self.register = register
        self.predicate = predicate
        self.position = position
        self.weight = 1

    def value(self, activation: Activation) -> Any:
        members = elements(self.range.value(activation), activation, self.position)
        if type(members) is Fault:
            return members
        found = 0
        for member in members:
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            activation.registers[self.register] = adapt(member)
            truth = self.predicate.truth(activation)
            if truth == 2:
                return not_bool("exists_one", activation.take_other(), self.position)
            found += truth
        return found == 1


class Collect(Turning):
    """`range.map(x, result)`, `range.map(x, predicate, result)`, `range.filter(x, predicate)`.

    `predicate` is None for the plain map, `result` is None for the filter.
    """

    __slots__ = ("range", "register", "predicate", "result")

    def __init__(
        self,
        range: Node,
        register: int,
        predicate: Node | None,
        result: Node | None,
        position: int,
    ) -> None:
        self.range = range
        self.register = register
        self.predicate = predicate
        self.result = result
        self.position = position
        self.weight = 1

    def value(self, activation: Activation) -> Any:
        members = elements(self.range.value(activation), activation, self.position)
        if type(members) is Fault:
            return members
        made = []
        for member in members:
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            member = adapt(member)
            activation.registers[self.register] = member
            if self.predicate is not None:
                chosen = self.predicate.truth(activation)
                if chosen == 0:
                    continue
                if chosen == 2:
                    return not_bool("filter", activation.take_other(), self.position)
            if self.result is not None:
                member = self.result.value(activation)
            if type(member) is Fault:
                return placed(member, self.position)
            made.append(member)
        return made


class Fold(Turning):
    """Any comprehension, as the language defines it: an accumulator, a condition, a step."""

    __slots__ = (
        "range",
        "register",
        "second",
        "accumulator",
        "initial",
        "condition",
        "step",
        "result",
    )

    def __init__(
        self,
        range: Node,
        register: int,
        second: int,
        accumulator: int,
        initial: Node,
        condition: Node,
        step: Node,
        result: Node,
        position: int,
    ) -> None:
        self.range = range
        self.register = register
        self.second = second  # -1 where the fold has one variable
        self.accumulator = accumulator
        self.initial = initial
        self.condition = condition
        self.step = step
        self.result = result
        self.position = position
        self.weight = 1

    def value(self, activation: Activation) -> Any:
        source = self.range.value(activation)
        members = elements(source, activation, self.position)
        if type(members) is Fault:
            return members
        registers = activation.registers
        registers[self.accumulator] = self.initial.value(activation)
        for number, member in enumerate(members):
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            if self.second < 0:
                registers[self.register] = adapt(member)
            else:
                self.bind(registers, source, number, member)
            if self.condition.truth(activation) == 0:
                break
            registers[self.accumulator] = self.step.value(activation)
        return self.result.value(activation)

    def bind(self, registers: list[Any], source: Any, number: int, member: Any) -> None:
        """Two variables: index and element of a list, key and value of a map."""
        if not is_map(source):
            registers[self.register] = number
            registers[self.second] = adapt(member)
        else:
            key = adapt(member)
            registers[self.register] = key
            registers[self.second] = index(source, key)
