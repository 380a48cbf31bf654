# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Names for values within an expression: what `cel.bind` and `cel.block` become.

Law: a bound value is computed when it is first read, and once for each time that its block is
evaluated. It lies in a register of the activation, which no loop inside of it or of the block's
result uses.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation, Unset
from .nodes import Node


class Lazy(Node):
    """A bound value. Every place that reads it has this one node, so that a fault has the place
    where it came about."""

    __slots__ = ("register", "initial")

    def __init__(self, register: int, initial: Node, position: int) -> None:
        self.register = register
        self.initial = initial
        self.position = position

    def value(self, activation: Activation) -> Any:
        value = activation.registers[self.register]
        if type(value) is Unset:
            value = self.initial.value(activation)
            activation.registers[self.register] = value
        return value


class Block(Node):
    """`result`, in which the bound values of `bound` (registers) are computed anew."""

    __slots__ = ("bound", "result")

    def __init__(self, bound: tuple[int, ...], result: Node, position: int) -> None:
        self.bound = bound
        self.result = result
        self.position = position

    def value(self, activation: Activation) -> Any:
        for register in self.bound:
            activation.registers[register] = Unset()
        return self.result.value(activation)
