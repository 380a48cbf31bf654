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
from ..limits import Limits

Implementation = Callable[..., Any]
Implementations = Mapping[tuple[str, int], Implementation]


def within(limits: Limits, implementations: Implementations) -> Implementations:
    """The implementations, held to limits that are not the core's own."""
    bounded = limits.regex_length != patterns.REGEX_LENGTH
    if bounded and implementations.get(("matches", 2)) is patterns.matches:
        matches = partial(patterns.matches, limit=limits.regex_length)
        return {**implementations, ("matches", 2): matches}
    return implementations


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
