# cython: binding=False
"""A planned expression that can be asked again and again.

Law: it is immutable but for a spare activation, which is kept because making one costs more than
evaluating a small expression.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .activation import STEPS, Activation
from .nodes import Node


class Evaluator:
    """A planned expression with spare activations. `Program` is its face in the language room."""

    __slots__ = ("node", "slots", "registers", "roots", "steps", "spare")

    def __init__(
        self, node: Node, slots: int, registers: int, roots: int, steps: int = STEPS
    ) -> None:
        self.node = node
        self.slots = slots
        self.registers = registers
        self.roots = roots
        self.steps = steps  # that an evaluation may take
        self.spare: Activation | None = None

    def value(self, variables: Any) -> Any:
        """The core value of the expression over `variables`, or a Fault."""
        return self.run(variables)

    def run(self, variables: Any) -> Any:
        """`value`, for the core."""
        activation = self.spare
        if activation is None or activation.taken:
            activation = self.another()
        # Since this was asked no other thread has run: the interpreter lets go only at calls and
        # loops.
        activation.taken = True
        if type(variables) is dict:  # as in `read_from`, without a call
            activation.variables = variables
        else:
            activation.read_from(variables)
        found = self.node.truth(activation)
        value = activation.take_other() if found == 2 else found == 1
        if activation.steps < 0:
            value = activation.ended(value, self.node.position)
        activation.clear()
        return value

    def another(self) -> Activation:
        """An activation that nobody else uses, which becomes the spare one."""
        made = Activation(self.slots, self.registers, self.roots, self.steps)
        made.taken = True
        self.spare = made
        return made

    def observe(self, variables: Any, observer: Callable[[int, Any], Any]) -> Any:
        """The core value, where the plan is a watched one (`observed`)."""
        activation = Activation(self.slots, self.registers, self.roots, self.steps)
        activation.read_from(variables)
        activation.observer = observer
        value = self.node.value(activation)
        return value if activation.steps >= 0 else activation.ended(value, self.node.position)

    def evaluate(self, variables: Any = None, budget: int | None = None) -> Any:
        """The value of the expression over `variables` (names to values) as plain Python; with a
        `budget`, only if that does not cost more."""
        if budget is not None:
            return self.within(variables, budget)
        value = self.run(_NOTHING if variables is None else variables)
        if value is True or value is False or type(value) is str or type(value) is int:
            return value
        if type(value) is float or value is None:
            return value
        return self.finish(value)

    def within(self, variables: Any, budget: int) -> Any:
        """`evaluate` with a budget: a subclass knows what parts cost."""
        raise NotImplementedError

    def finish(self, value: Any) -> Any:
        """What becomes of a value that is not plain: a subclass converts it, or raises."""
        return value


_NOTHING: dict[str, Any] = {}
