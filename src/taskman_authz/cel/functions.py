"""What the names of the standard library do: name and number of arguments → implementation.

The target of a member call is the first argument. Whether a name may be called as a member, and on
which types, is said by `stdlib`; an implementation checks the types of values itself, because an
argument may be dyn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._fast import conversions, numbers, patterns, relations, texts, times
from .._fast.access import index
from .._fast.values import Fault, type_name
from ..limits import DEFAULT, Limits

Implementation = Callable[..., Any]
Implementations = Mapping[tuple[str, int], Implementation]


class Limited:
    """An implementation that bounds what it makes: it takes the environment's limits by name. As a
    decorator, `@Limited`; called without an environment, the limits are the default ones."""

    def __init__(self, function: Implementation) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments, limits=DEFAULT)

    def within(self, limits: Limits) -> Implementation:
        """The implementation with these limits."""
        return partial(self.function, limits=limits)


def within(limits: Limits, implementations: Implementations) -> Implementations:
    """The implementations, held to the limits of an environment."""
    held = {
        key: implementation.within(limits)
        for key, implementation in implementations.items()
        if type(implementation) is Limited
    }
    bounded = limits.regex_length != patterns.REGEX_LENGTH
    if bounded and implementations.get(("matches", 2)) is patterns.matches:
        held["matches", 2] = partial(patterns.matches, limit=limits.regex_length)
    return {**implementations, **held} if held else implementations


def joined(known: Implementations, added: Implementations) -> Implementations:
    """Both. Where both have a function, that of `added` gets what the known one does not take: a
    library can add an overload, but cannot change what an expression already means."""
    both = {**known, **added}
    for key in known.keys() & added.keys():
        both[key] = _either(known[key], added[key])
    return both


def _either(first: Implementation, second: Implementation) -> Implementation:
    def call(*arguments: Any) -> Any:
        found = first(*arguments)
        if type(found) is Fault and found.code == "no_such_overload":
            return second(*arguments)
        return found

    return first if first is second else call


STANDARD: dict[tuple[str, int], Implementation] = {
    **texts.FUNCTIONS,
    **times.FUNCTIONS,
    **conversions.FUNCTIONS,
    ("_+_", 2): numbers.add,
    ("_-_", 2): numbers.subtract,
    ("_*_", 2): numbers.multiply,
    ("_/_", 2): numbers.divide,
    ("_%_", 2): numbers.modulo,
    ("-_", 1): numbers.negate,
    ("_[_]", 2): index,
}


def contains(container: Any, member: Any) -> Any:
    """`contains` of policy conditions: a part of a string, or a member of a list."""
    if type(container) is list or type(container) is tuple:
        return relations.member_of(member, container)
    if type(container) is not str:
        return Fault("no_such_overload", ("contains", type_name(container), type_name(member)))
    return texts.contains(container, member)


POLICY: dict[tuple[str, int], Implementation] = {**STANDARD, ("contains", 2): contains}
