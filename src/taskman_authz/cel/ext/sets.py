"""The library `sets`: lists taken as sets, by the equality of the language.

Law: the work grows with the sum of the lists' sizes, not with their product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._fast.access import adapt
from ..._fast.activation import Activation
from ..._fast.values import Fault
from ..functions import Implementation, metered
from ..library import Library
from .membership import Members
from .overloads import made, takes

LATEST = 0

# fmt: off
OVERLOADS = """
0  sets.contains    sets_contains_list_list    (list(T), list(T)) -> bool
0  sets.equivalent  sets_equivalent_list_list  (list(T), list(T)) -> bool
0  sets.intersects  sets_intersects_list_list  (list(T), list(T)) -> bool
"""
# fmt: on

Comparison = Callable[..., Any]


def comparison(function: str) -> Callable[[Comparison], Implementation]:
    """An implementation that takes two lists, and a meter."""
    kinds = [(left, right) for left in (list, tuple) for right in (list, tuple)]

    def decorate(compare: Comparison) -> Implementation:
        return metered(takes(function, *kinds)(compare))

    return decorate


def members_of(values: Any, meter: Activation) -> Any:
    """The members of a list, to look in; or the Fault of one."""
    members = Members(meter)
    return members.add_all(values) or members


@comparison("sets.contains")
def contains(values: Any, others: Any, *, meter: Activation) -> Any:
    """Whether all of `others` are in `values`."""
    members = members_of(values, meter)
    return members if type(members) is Fault else holds_all(members, others)


@comparison("sets.equivalent")
def equivalent(values: Any, others: Any, *, meter: Activation) -> Any:
    """Whether each is in the other."""
    members = members_of(values, meter)
    if type(members) is Fault:
        return members
    found = holds_all(members, others)
    if found is not True:
        return found
    members = members_of(others, meter)
    return members if type(members) is Fault else holds_all(members, values)


@comparison("sets.intersects")
def intersects(values: Any, others: Any, *, meter: Activation) -> Any:
    """Whether some value is in both."""
    members = members_of(values, meter)
    if type(members) is Fault:
        return members
    for other in others:
        found = members.find(adapt(other))
        if found is not False:
            return found
    return False


def holds_all(members: Members, others: Any) -> Any:
    for other in others:
        found = members.find(adapt(other))
        if found is not True:
            return found
    return True


IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("sets.contains", 2): contains,
    ("sets.equivalent", 2): equivalent,
    ("sets.intersects", 2): intersects,
}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("sets", version, LATEST, OVERLOADS, IMPLEMENTATIONS)
