# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Optional values: what makes them, and what takes them apart.

Laws: what is not there is none, what is wrong (a member of a number, an index that is no number)
stays a fault; `or` and `orValue` evaluate their argument only where it is needed; an optional holds
any value, another optional too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .access import EntityValue, adapt, index_optional, is_map, keys, missing, select_optional
from .activation import Activation, extent
from .nodes import Node, make_map, placed, value_of
from .times import Duration, Timestamp
from .values import NONE, Fault, ObjectValue, OptionalValue, some, type_name

_MISSING = missing()

# -- functions ------------------------------------------------------------------------------------


def none() -> OptionalValue:
    """`optional.none()`"""
    return NONE


def some_unless_zero(value: Any) -> Any:
    """`optional.ofNonZeroValue(value)`: none of null, false, zero, what is empty, the epoch, and a
    message without fields."""
    zero = is_zero(value)
    if zero is False:
        return some(value)
    return NONE if zero is True else zero


def is_zero(value: Any) -> Any:
    """Whether a value is the one that its type begins with, or a Fault."""
    if value is None:
        return True
    if isinstance(value, (bool, int, float, str, bytes, list, tuple, dict)):
        return not value
    if type(value) is EntityValue:
        return False
    if type(value) is Timestamp or type(value) is Duration:
        return value.ns == 0
    if isinstance(value, ObjectValue):
        return value.is_zero()
    if not is_map(value):
        return False
    found = keys(value)
    return found if type(found) is Fault else not found


def has_value(optional: Any) -> Any:
    """`optional.hasValue()`"""
    if type(optional) is OptionalValue:
        return optional.present
    return _no_overload("hasValue", optional)


def value_inside(optional: Any) -> Any:
    """`optional.value()`"""
    if type(optional) is not OptionalValue:
        return _no_overload("value", optional)
    return optional.content if optional.present else Fault("no_value")


def either(optional: Any, other: Any) -> Any:
    """`optional.or(other)`"""
    if type(optional) is not OptionalValue:
        return _no_overload("or", optional)
    if optional.present:
        return optional
    return other if type(other) in (OptionalValue, Fault) else _no_overload("or", optional, other)


def value_or(optional: Any, other: Any) -> Any:
    """`optional.orValue(other)`"""
    if type(optional) is not OptionalValue:
        return _no_overload("orValue", optional)
    return optional.content if optional.present else other


def unwrap(optionals: Any) -> Any:
    """`optional.unwrap(list)`: what is inside of those that have a value."""
    if type(optionals) is not list and type(optionals) is not tuple:
        return _no_overload("optional.unwrap", optionals)
    made = []
    for member in optionals:
        optional = adapt(member)
        if type(optional) is Fault:
            return optional
        if type(optional) is not OptionalValue:
            return _no_overload("optional.unwrap", optional)
        if optional.present:
            made.append(optional.content)
    return made


def first(members: Any) -> Any:
    """`list.first()`"""
    if type(members) is not list and type(members) is not tuple:
        return _no_overload("first", members)
    return index_optional(members, 0)


def last(members: Any) -> Any:
    """`list.last()`"""
    if type(members) is not list and type(members) is not tuple:
        return _no_overload("last", members)
    return index_optional(members, len(members) - 1)


def _no_overload(function: str, *values: Any) -> Fault:
    return Fault("no_such_overload", (function, *map(type_name, values)))


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("optional.none", 0): none,
    ("optional.of", 1): some,
    ("optional.ofNonZeroValue", 1): some_unless_zero,
    ("optional.unwrap", 1): unwrap,
    ("unwrapOpt", 1): unwrap,
    ("hasValue", 1): has_value,
    ("value", 1): value_inside,
    ("or", 2): either,
    ("orValue", 2): value_or,
    ("first", 1): first,
    ("last", 1): last,
    ("_?._", 2): select_optional,
    ("_[?_]", 2): index_optional,
}


# -- nodes ----------------------------------------------------------------------------------------


class OptionalMember(Node):
    """`operand.?name`."""

    __slots__ = ("operand", "name")

    def __init__(self, operand: Node, name: str, position: int) -> None:
        self.operand = operand
        self.name = name
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        if type(operand) is Fault:
            return operand
        return placed(select_optional(operand, self.name), self.position)


class OptionalIndex(Node):
    """`operand[?key]`."""

    __slots__ = ("operand", "key")

    def __init__(self, operand: Node, key: Node, position: int) -> None:
        self.operand = operand
        self.key = key
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        if type(operand) is Fault:
            return operand
        key = self.key.value(activation)
        if type(key) is Fault:
            return key
        activation.steps -= extent(key)
        return placed(index_optional(operand, key), self.position)


class Either(Node):
    """`optional.or(other)`, or with `unwraps` `optional.orValue(other)`."""

    __slots__ = ("optional", "other", "unwraps")

    def __init__(self, optional: Node, other: Node, unwraps: bool, position: int) -> None:
        self.optional = optional
        self.other = other
        self.unwraps = unwraps
        self.position = position

    def value(self, activation: Activation) -> Any:
        found = self.optional.value(activation)
        if type(found) is OptionalValue:
            optional: OptionalValue = found
            if optional.present:
                return optional.held[0] if self.unwraps else found
            other = self.other.value(activation)
            if self.unwraps:
                return other
            return placed(either(found, other), self.position)
        if type(found) is Fault:
            return found
        return placed(_no_overload("orValue" if self.unwraps else "or", found), self.position)


class MemberOr(Node):
    """`operand.?name.orValue(other)`, which is how most policies ask, without an optional."""

    __slots__ = ("operand", "name", "other")

    def __init__(self, operand: Node, name: str, other: Node, position: int) -> None:
        self.operand = operand
        self.name = name
        self.other = other
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        if type(operand) is dict:
            members: dict[Any, Any] = operand
            found = members.get(self.name, _MISSING)
            if found is _MISSING:
                return self.other.value(activation)
            return placed(adapt(found), self.position)
        if type(operand) is Fault:
            return operand
        found = select_optional(operand, self.name)
        if type(found) is Fault:
            return placed(found, self.position)
        optional: OptionalValue = found
        return optional.held[0] if optional.present else self.other.value(activation)


class MapOptional(Node):
    """`optional.optMap(x, result)`, or if `flat` `optional.optFlatMap(x, result)`."""

    __slots__ = ("optional", "register", "result", "flat")

    def __init__(
        self, optional: Node, register: int, result: Node, flat: bool, position: int
    ) -> None:
        self.optional = optional
        self.register = register
        self.result = result
        self.flat = flat
        self.position = position

    def value(self, activation: Activation) -> Any:
        found = self.optional.value(activation)
        if type(found) is OptionalValue:
            optional: OptionalValue = found
            if not optional.present:
                return found
            activation.registers[self.register] = optional.held[0]
            result = self.result.value(activation)
            return result if self.flat or type(result) is Fault else some(result)
        if type(found) is Fault:
            return found
        return placed(_no_overload("optFlatMap" if self.flat else "optMap", found), self.position)


class MakeOptionalList(Node):
    """`[a, ?b]`: `optionals` says of each element whether it is written with `?`."""

    __slots__ = ("elements", "optionals")

    def __init__(
        self, elements: tuple[Node, ...], optionals: tuple[bool, ...], position: int
    ) -> None:
        self.elements = elements
        self.optionals = optionals
        self.position = position

    def value(self, activation: Activation) -> Any:
        made = []
        for number in range(len(self.elements)):
            value = value_of(self.elements[number], activation)
            if self.optionals[number]:
                if is_none(value):
                    continue
                value = opened(value)
            if type(value) is Fault:
                return placed(value, self.position)
            made.append(value)
        return made


class MakeOptionalMap(Node):
    """`{k: v, ?k: v}`, likewise."""

    __slots__ = ("keys", "members", "optionals")

    def __init__(
        self,
        keys: tuple[Node, ...],
        members: tuple[Node, ...],
        optionals: tuple[bool, ...],
        position: int,
    ) -> None:
        self.keys = keys
        self.members = members
        self.optionals = optionals
        self.position = position

    def value(self, activation: Activation) -> Any:
        made = []
        for number in range(len(self.keys)):
            key = value_of(self.keys[number], activation)
            if type(key) is Fault:
                return key
            value = value_of(self.members[number], activation)
            if self.optionals[number]:
                if is_none(value):
                    continue
                value = opened(value)
            if type(value) is Fault:
                return placed(value, self.position)
            made.append((key, value))
        return placed(make_map(made), self.position)


def is_none(value: Any) -> bool:
    """Whether an element written with `?` adds nothing."""
    if type(value) is OptionalValue:
        optional: OptionalValue = value
        return not optional.present
    return False


def opened(value: Any) -> Any:
    """What an element written with `?` adds otherwise; or a Fault, where it is no optional."""
    if type(value) is OptionalValue:
        optional: OptionalValue = value
        return optional.held[0]
    if type(value) is Fault:
        return value
    return Fault("no_such_overload", ("?", type_name(value)))
