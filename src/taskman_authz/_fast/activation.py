# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""What one evaluation reads: attribute slots, comprehension registers, condition results.

Laws: an attribute path is resolved at most once in an evaluation, when a node first reads it, and
all conditions of a policy set read the same slot. An activation belongs to one evaluation in one
thread.
"""

from __future__ import annotations

import sys
from typing import Any

from .access import adapt, find, missing, select
from .values import Fault


class Unset:
    """What lies in a slot that no node has read yet. Asked for by type, which is one comparison."""

    __slots__ = ()


_UNSET = Unset()
_MISSING = missing()


class Path:
    """An attribute path, `subject.department`: the variable (its number among the roots and its
    name) and the members below it."""

    __slots__ = ("root", "name", "members")

    def __init__(self, root: int, name: str, members: tuple[str, ...]) -> None:
        self.root = root
        # Interned: a dict then finds a name by identity, without comparing characters.
        self.name = sys.intern(name)
        self.members = tuple(map(sys.intern, members))

    def resolve(self, activation: Activation) -> Any:
        """The value at the path, or the Fault of the first member that is not there."""
        value = activation.root(self.root, self.name)
        for member in self.members:
            if type(value) is dict:  # and then there is nothing to adapt on the way
                members: dict[str, Any] = value
                value = members.get(member, _UNSET)
                if type(value) is Unset:
                    return Fault("no_such_key", (member,))
            else:
                value = select(adapt(value), member)
        return value if type(value) is str else adapt(value)


class Activation:
    """The memory of one evaluation.

    `variables` maps names to what the caller passed; `roots` holds by number what was found there,
    or for a decision, which has no names, what it is about. `slots` holds what paths led to.
    `observer` is who watches, where a plan has nodes that are watched (`observed`).
    """

    __slots__ = ("variables", "roots", "slots", "registers", "observer", "touched")

    def __init__(self, slots: int, registers: int, roots: int) -> None:
        self.variables: Any = None
        self.observer: Any = None
        self.touched = False  # whether anything lies in the roots or slots
        self.roots: list[Any] = [_UNSET] * roots
        self.slots: list[Any] = [_UNSET] * slots
        self.registers: list[Any] = [None] * registers

    def root(self, number: int, name: str) -> Any:
        """The value of a variable, not adapted, or a Fault."""
        value = self.roots[number]
        if type(value) is not Unset:
            return value
        if type(self.variables) is dict:
            variables: dict[str, Any] = self.variables
            value = variables.get(name, _MISSING)
        else:
            value = find(self.variables, name)
        if value is _MISSING:
            value = Fault("no_such_attribute", (name,))
        self.roots[number] = value
        self.touched = True
        return value

    def clear(self) -> None:
        """Forget everything that was read."""
        unset = _UNSET
        self.variables = None
        if self.touched:
            self.touched = False
            roots = self.roots
            for number in range(len(roots)):
                roots[number] = unset
            slots = self.slots
            for number in range(len(slots)):
                slots[number] = unset
        registers = self.registers
        for number in range(len(registers)):
            registers[number] = None
