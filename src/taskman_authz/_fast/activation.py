# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""What one evaluation reads: attribute slots, comprehension registers, condition results; and the
steps that it may take.

Laws: an attribute path is resolved at most once in an evaluation, when a node first reads it, and
all conditions of a policy set read the same slot. An activation belongs to one evaluation in one
thread, or to those of a batch, one after the other. Steps that are spent stay spent: whoever began
the evaluation asks, and then no value counts that `||` or a macro has made of the fault.

A step is about what evaluating one node takes. What a text of an expression bounds is not counted:
a turn of a loop pays for its body, and whatever goes over a value pays for the value's `extent`.
Both are the same on either twin. As the budget is spent in about a second, no loop looks whether
somebody wants to interrupt it.
"""

from __future__ import annotations

import sys
from typing import Any

from .access import EntityValue, adapt, find, missing, select
from .values import Fault, MixedMap


class Unset:
    """What lies in a slot that no node has read yet. Asked for by type, which is one comparison."""

    __slots__ = ()


_UNSET = Unset()


def unset() -> Any:
    """What lies in such a slot."""
    return _UNSET


_MISSING = missing()

# The same as `limits.Limits.evaluation_steps`, which the core cannot see.
STEPS = 10_000_000


def extent(value: Any) -> int:
    """The steps of going over a value: one for an element, one for 64 characters or bytes."""
    kind = type(value)
    if kind is int or kind is bool:
        return 0
    if kind is str:
        text: str = value
        return len(text) >> 6
    if kind is list or kind is dict or kind is tuple or kind is MixedMap:
        return len(value)
    if kind is EntityValue:
        return extent(value.attributes)
    return len(value) >> 6 if kind is bytes else 0


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

    `variables` maps names to what the caller passed, or where that is no plain dict, `mapping`
    does; `holder` is the one numbered `near` where that was read last (compiled: see `native`).
    `roots` holds by number what was found there, or for a decision, which has no names, what it is
    about. `slots` holds what paths led to.
    `observer` is who watches, where a plan has nodes that are watched (`observed`). `steps` are
    left of the `allowed` ones, which the limit of this name gives; below zero there are none.
    """

    __slots__ = (
        "variables",
        "mapping",
        "near",
        "holder",
        "roots",
        "slots",
        "registers",
        "looping",
        "observer",
        "touched",
        "taken",
        "other",
        "steps",
        "allowed",
        "limit",
        "stop",
    )

    def __init__(
        self,
        slots: int,
        registers: int,
        roots: int,
        steps: int = STEPS,
        limit: str = "evaluation_steps",
    ) -> None:
        self.steps = steps
        self.allowed = steps
        self.limit = limit
        self.stop: Fault | None = None
        self.variables: dict[str, Any] | None = None
        self.mapping: Any = None
        self.near = -1
        self.holder: Any = None
        self.observer: Any = None
        self.touched = False  # whether anything lies in the roots, slots or mapping
        self.taken = False  # whether an evaluation is using it
        self.other: Any = None  # what a node came to that is neither true nor false
        self.roots: list[Any] = [_UNSET] * roots
        self.slots: list[Any] = [_UNSET] * slots
        self.registers: list[Any] = [None] * registers
        self.looping = registers > 0

    def root(self, number: int, name: str) -> Any:
        """The value of a variable, not adapted, or a Fault."""
        value = self.roots[number]
        if type(value) is not Unset:
            return value
        if self.variables is not None:
            value = self.variables.get(name, _MISSING)
        else:
            value = find(self.mapping, name)
        if value is _MISSING:
            value = Fault("no_such_attribute", (name,))
        self.roots[number] = value
        self.touched = True
        return value

    def read_from(self, variables: Any) -> None:
        """Read names of what a caller passed."""
        if type(variables) is dict:
            self.variables = variables
        else:
            self.mapping = variables
            self.touched = True

    def pay(self, steps: int) -> bool:
        """Whether so many more steps may be taken: for functions that are no nodes."""
        if self.steps >= 0:
            self.steps = self.steps - steps if steps <= self.steps else -1
        return self.steps >= 0

    def spent(self, position: int = -1) -> Fault:
        """The Fault of whatever would take more steps than are left."""
        if self.stop is None:
            self.stop = Fault("limit_exceeded", (self.limit, self.allowed), position)
        return self.stop

    def ended(self, value: Any, position: int) -> Any:
        """What an evaluation came to, whose steps are spent: a Fault, whatever became of that."""
        stop = self.spent(position)
        return value if type(value) is Fault and value.code == stop.code else stop

    def take_other(self) -> Any:
        """What a node has put aside."""
        value = self.other
        self.other = None
        return value

    def again(self) -> None:
        """Forget what an evaluation took and found, but not what it is about."""
        self.steps = self.allowed
        if self.stop is not None:
            self.stop = None
        if self.other is not None:
            self.other = None
        if self.looping:
            registers = self.registers
            for number in range(len(registers)):
                registers[number] = None

    def unset(self, numbers: list[int]) -> None:
        """Forget what lies in some slots."""
        slots = self.slots
        for number in numbers:
            slots[number] = _UNSET

    def clear(self) -> None:
        """Forget everything that was read, and that steps were taken."""
        unset = _UNSET
        self.variables = None
        if self.near >= 0:
            self.near = -1
            self.holder = None
        self.again()
        if self.touched:
            self.touched = False
            self.mapping = None
            roots = self.roots
            for number in range(len(roots)):
                roots[number] = unset
            slots = self.slots
            for number in range(len(slots)):
                slots[number] = unset
        self.taken = False  # last: from here on another thread may use it
