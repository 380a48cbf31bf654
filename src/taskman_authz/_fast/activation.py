"""What one evaluation reads: attribute slots, comprehension registers, condition results.

Laws: an attribute path is resolved at most once in an evaluation, when a node first reads it, and
all conditions of a policy set read the same slot. An activation belongs to one evaluation in one
thread.
"""
# cython: boundscheck=False, wraparound=False, initializedcheck=False

from __future__ import annotations

from typing import Any

from .access import adapt, select
from .values import Fault


class Unset:
    """What lies in a slot that no node has read yet. Asked for by type, which is one comparison."""

    __slots__ = ()


UNSET = Unset()


class Path:
    """An attribute path, `subject.department`: the variable (its number among the roots and its
    name) and the members below it."""

    __slots__ = ("root", "name", "members")

    def __init__(self, root: int, name: str, members: tuple[str, ...]) -> None:
        self.root = root
        self.name = name
        self.members = members

    def resolve(self, activation: Activation) -> Any:
        """The value at the path, or the Fault of the first member that is not there."""
        value = activation.variable(self.root, self.name)
        for member in self.members:
            value = select(value, member)
        return value


class Activation:
    """The memory of one evaluation.

    `variables` maps names to what the caller passed; or, for a decision, `roots` holds the
    variables by number. `paths` are the paths of the slots.
    """

    __slots__ = ("variables", "roots", "paths", "slots", "registers", "results")

    def __init__(
        self, paths: list[Path], registers: int, variables: Any = None, results: int = 0
    ) -> None:
        self.paths = paths
        self.variables = variables
        self.roots: tuple[Any, ...] | None = None
        self.slots: list[Any] = [UNSET] * len(paths)
        self.registers: list[Any] = [None] * registers
        self.results: list[Any] = [UNSET] * results

    def variable(self, root: int, name: str) -> Any:
        """The adapted value of a variable, or a Fault."""
        if self.roots is not None:
            return adapt(self.roots[root])
        variables = self.variables
        if type(variables) is dict:
            value = variables.get(name, UNSET)
        else:
            value = variables[name] if name in variables else UNSET
        return Fault("no_such_attribute", (name,)) if value is UNSET else adapt(value)

    def read(self, slot: int) -> Any:
        """The value in a slot, resolved when it is read first."""
        value = self.slots[slot]
        if type(value) is Unset:
            path = self.paths[slot]
            value = path.resolve(self)
            self.slots[slot] = value
        return value

    def clear(self) -> None:
        """Forget everything that was read."""
        self.variables = None
        self.roots = None
        for number in range(len(self.slots)):
            self.slots[number] = UNSET
        for number in range(len(self.registers)):
            self.registers[number] = None
