"""What the names of the standard library do: name and number of arguments → implementation.

The target of a member call is the first argument. Whether a name may be called as a member, and on
which types, is said by `stdlib`; an implementation checks the types of values itself, because an
argument may be dyn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from .._fast import conversions, numbers, optionals, patterns, relations, texts, times, values
from .._fast.access import index
from .._fast.activation import Activation
from .._fast.values import Fault, type_name
from ..limits import DEFAULT, Limits

Implementation = Callable[..., Any]
Implementations = Mapping[tuple[str, int], Implementation]


class Limited:
    """An implementation that bounds what it makes: it takes the environment's limits by name. As a
    decorator, `@Limited`; called without an environment, the limits are the default ones."""

    def __init__(self, function: Implementation) -> None:
        self.function = function

    def __call__(self, *arguments: Any, **meter: Any) -> Any:
        return self.function(*arguments, limits=DEFAULT, **meter)

    def within(self, limits: Limits) -> Implementation:
        """The implementation with these limits."""
        return partial(self.function, limits=limits)


# What a call costs, or what gives that for the sizes of the arguments.
Cost = int | Callable[..., int]


class Described(msgspec.Struct, frozen=True):
    """An implementation of which the planner knows more: what a call costs (None: as the extents of
    its arguments say), whether it is pure (always gives the same for the same arguments), and
    whether it is metered (takes the activation as `meter` and pays its steps itself)."""

    function: Implementation
    cost: Cost | None = None
    pure: bool = True
    metered: bool = False

    def __call__(self, *arguments: Any) -> Any:
        if self.metered:
            return self.function(*arguments, meter=Activation(0, 0, 0))
        return self.function(*arguments)

    def within(self, limits: Limits) -> Implementation:
        """The implementation with these limits."""
        held = limited(self.function, limits)
        return self if held is self.function else msgspec.structs.replace(self, function=held)


def metered(function: Implementation) -> Described:
    """As a decorator: an implementation that pays for its steps."""
    return Described(function, metered=True)


def limited(implementation: Implementation, limits: Limits) -> Implementation:
    """An implementation, held to the limits if it takes any."""
    if isinstance(implementation, (Limited, Described)):
        return implementation.within(limits)
    if implementation is patterns.matches and limits.regex_length != patterns.REGEX_LENGTH:
        return partial(patterns.matches, limit=limits.regex_length)
    return implementation


def within(limits: Limits, implementations: Implementations) -> Implementations:
    """The implementations, held to the limits of an environment."""
    held = {}
    for key, implementation in implementations.items():
        bounded = limited(implementation, limits)
        if bounded is not implementation:
            held[key] = bounded
    return {**implementations, **held} if held else implementations


def joined(known: Implementations, added: Implementations) -> Implementations:
    """Both. Where both have a function, that of `added` gets what the known one does not take: a
    library can add an overload, but cannot change what an expression already means."""
    both = {**known, **added}
    for key in known.keys() & added.keys():
        both[key] = _either(known[key], added[key])
    return both


def _either(first: Implementation, second: Implementation) -> Implementation:
    one, other = described(first), described(second)

    def call(*arguments: Any, meter: Activation) -> Any:
        found = called(one, arguments, meter)
        if type(found) is Fault and found.code == "no_such_overload":
            return called(other, arguments, meter)
        return found

    def cost(*sizes: int) -> int:
        return max(price(one, sizes), price(other, sizes))

    priced = one.cost is not None or other.cost is not None
    both = Described(call, cost if priced else None, one.pure and other.pure, metered=True)
    return first if first is second else both


def described(implementation: Implementation) -> Described:
    """An implementation and what is known of it."""
    return implementation if type(implementation) is Described else Described(implementation)


def called(implementation: Described, arguments: Iterable[Any], meter: Activation) -> Any:
    """What a call gives, its steps paid by `meter`."""
    if implementation.metered:
        return implementation.function(*arguments, meter=meter)
    return implementation.function(*arguments)


def price(implementation: Described, sizes: Iterable[int]) -> int:
    """What a call with arguments of these sizes costs; 1 of which nobody has said it."""
    cost = implementation.cost
    if cost is None:
        return 1
    return max(0, cost if isinstance(cost, int) else cost(*sizes))


def in_zone(function: Implementation) -> Described:
    """A function that takes the name of a time zone. A name that is none is looked for on disk."""

    def call(*arguments: Any, meter: Activation) -> Any:
        found = function(*arguments)
        return found if type(found) is not Fault or meter.pay(UNKNOWN_ZONE) else meter.spent()

    return metered(call)


UNKNOWN_ZONE = 2_000  # steps

STANDARD: dict[tuple[str, int], Implementation] = {
    **texts.FUNCTIONS,
    **times.FUNCTIONS,
    **{key: in_zone(function) for key, function in times.IN_ZONES.items()},
    **conversions.FUNCTIONS,
    ("_+_", 2): numbers.add,
    ("_-_", 2): numbers.subtract,
    ("_*_", 2): numbers.multiply,
    ("_/_", 2): numbers.divide,
    ("_%_", 2): numbers.modulo,
    ("-_", 1): numbers.negate,
    ("_[_]", 2): index,
    ("matches", 2): metered(patterns.matches),
}

# They take as long for a large value as for a small one.
CONSTANT_TIME = frozenset(
    {
        *(conversions.to_type, conversions.to_dyn),
        *(values.some, optionals.none, optionals.has_value, optionals.value_inside),
        *(optionals.either, optionals.value_or, optionals.first, optionals.last),
        optionals.some_unless_zero,
    }
)


def contains(container: Any, member: Any) -> Any:
    """`contains` of policy conditions: a part of a string, or a member of a list."""
    if type(container) is list or type(container) is tuple:
        return relations.member_of(member, container)
    if type(container) is not str:
        return Fault("no_such_overload", ("contains", type_name(container), type_name(member)))
    return texts.contains(container, member)


POLICY: dict[tuple[str, int], Implementation] = {**STANDARD, ("contains", 2): contains}
