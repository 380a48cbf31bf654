# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Loops over pairs: index and element of a list, key and value of a map. What the macros with two
variables become.

Laws: as in `folds`; a map that is made has no key twice, and its keys are of the types that keys
have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .access import adapt, entries, index, is_map
from .activation import Activation, extent
from .folds import Turning, elements, not_bool
from .nodes import Node, placed
from .values import Fault, MixedMap, UInt, type_name

_KEYS = frozenset({str, int, UInt, bool})
_GONE = Fault("no_such_key", ("",))


class Loop(Turning):
    """What loops over pairs have in common: the `range`, and the registers of both variables."""

    __slots__ = ("range", "first", "second")
    range: Node
    first: int
    second: int

    def bind(self, registers: list[Any], source: Any, number: int, member: Any) -> None:
        """Set the variables for the `number`th member of the range."""
        if type(source) is list or not is_map(source):
            registers[self.first] = number
            registers[self.second] = adapt(member)
        elif type(source) is dict:
            members: dict[Any, Any] = source
            registers[self.first] = adapt(member)
            # By the key itself: found again unless somebody changes the dict meanwhile.
            registers[self.second] = adapt(members.get(member, _GONE))
        else:
            key = adapt(member)
            registers[self.first] = key
            registers[self.second] = index(source, key)


class ExistsPair(Loop):
    """`range.exists(k, v, predicate)`, or with `universal` `range.all(k, v, predicate)`."""

    __slots__ = ("predicate", "universal")

    def __init__(
        self,
        range: Node,
        first: int,
        second: int,
        predicate: Node,
        universal: bool,
        position: int,
    ) -> None:
        self.range = range
        self.first = first
        self.second = second
        self.predicate = predicate
        self.universal = universal
        self.position = position
        self.weight = 1

    def value(self, activation: Activation) -> Any:
        source = self.range.value(activation)
        members = elements(source, activation, self.position)
        if type(members) is Fault:
            return members
        decides = False if self.universal else True
        neutral = not decides
        fault = None
        for number, member in enumerate(members):
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            self.bind(activation.registers, source, number, member)
            value = self.predicate.value(activation)
            if value is decides:
                return decides
            if value is not neutral and fault is None:
                fault = not_bool("all" if self.universal else "exists", value, self.position)
        return neutral if fault is None else fault


class ExistsOnePair(Loop):
    """`range.existsOne(k, v, predicate)`."""

    __slots__ = ("predicate",)

    def __init__(
        self, range: Node, first: int, second: int, predicate: Node, position: int
    ) -> None:
        self.range = range
        self.first = first
        self.second = second
        self.predicate = predicate
        self.position = position
        self.weight = 1

    def value(self, activation: Activation) -> Any:
        source = self.range.value(activation)
        members = elements(source, activation, self.position)
        if type(members) is Fault:
            return members
        found = 0
        for number, member in enumerate(members):
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            self.bind(activation.registers, source, number, member)
            value = self.predicate.value(activation)
            if value is True:
                found += 1
            elif value is not False:
                return not_bool("existsOne", value, self.position)
        return found == 1


class Transform(Loop):
    """What the transforms have in common: the `result` of each pair, and the `predicate` that says
    which pairs have one (None: all have)."""

    __slots__ = ("predicate", "result")

    def __init__(
        self,
        range: Node,
        first: int,
        second: int,
        predicate: Node | None,
        result: Node,
        position: int,
    ) -> None:
        self.range = range
        self.first = first
        self.second = second
        self.predicate = predicate
        self.result = result
        self.position = position
        self.weight = 1

    def transformed(self, activation: Activation) -> Any:
        """The result of the pair that is bound, `SKIPPED`, or a Fault."""
        if self.predicate is not None:
            chosen = self.predicate.value(activation)
            if chosen is False:
                return SKIPPED
            if chosen is not True:
                return not_bool("transform", chosen, self.position)
        return placed(self.result.value(activation), self.position)


SKIPPED = object()


class TransformList(Transform):
    """`range.transformList(k, v, result)`, `range.transformList(k, v, predicate, result)`."""

    __slots__ = ()

    def value(self, activation: Activation) -> Any:
        source = self.range.value(activation)
        members = elements(source, activation, self.position)
        if type(members) is Fault:
            return members
        made = []
        for number, member in enumerate(members):
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            self.bind(activation.registers, source, number, member)
            value = self.transformed(activation)
            if type(value) is Fault:
                return value
            if value is not SKIPPED:
                made.append(value)
        return made


class TransformMap(Transform):
    """`range.transformMap(k, v, result)`, `range.transformMap(k, v, predicate, result)`."""

    __slots__ = ()

    def value(self, activation: Activation) -> Any:
        source = self.range.value(activation)
        members = elements(source, activation, self.position)
        if type(members) is Fault:
            return members
        made = MapBuilder()
        for number, member in enumerate(members):
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            self.bind(activation.registers, source, number, member)
            value = self.transformed(activation)
            if type(value) is Fault:
                return value
            if value is not SKIPPED:
                fault = made.insert(activation.registers[self.first], value)
                if fault is not None:
                    return placed(fault, self.position)
        return made.made()


class TransformEntries(Transform):
    """`range.transformMapEntry(k, v, result)`, `range.transformMapEntry(k, v, predicate, result)`:
    a result is a map, of which all entries are taken."""

    __slots__ = ()

    def value(self, activation: Activation) -> Any:
        source = self.range.value(activation)
        members = elements(source, activation, self.position)
        if type(members) is Fault:
            return members
        made = MapBuilder()
        for number, member in enumerate(members):
            activation.steps -= self.weight
            if activation.steps < 0:
                return activation.spent(self.position)
            self.bind(activation.registers, source, number, member)
            value = self.transformed(activation)
            if type(value) is Fault:
                return value
            if value is not SKIPPED:
                activation.steps -= extent(value)
                fault = made.insert_all(value)
                if fault is not None:
                    return placed(fault, self.position)
        return made.made()


# -- maps, entry by entry -------------------------------------------------------------------------


class MapBuilder:
    """A map that grows. `insert` and `insert_all` give a Fault, or None."""

    __slots__ = ("bools", "others")

    def __init__(self) -> None:
        # Apart, because a dict takes True for 1.
        self.bools: dict[Any, Any] = {}
        self.others: dict[Any, Any] = {}

    def insert(self, key: Any, value: Any) -> Fault | None:
        """One more entry."""
        if type(key) not in _KEYS:
            if type(key) is Fault:
                return key
            return Fault("no_such_overload", ("map key", type_name(key)))
        members = self.bools if type(key) is bool else self.others
        if key in members:
            return Fault("duplicate_key", (key,))
        members[key] = value
        return None

    def insert_all(self, value: Any) -> Any:
        """All entries of a map."""
        found: Any = entries(value) if is_map(value) else not_a_map(value)
        if type(found) is Fault:
            return found
        # A list: to adapt a key may run the caller's code, which may change the map.
        for key, member in list(found.items()):
            fault = self.insert(adapt(key), member)
            if fault is not None:
                return fault
        return None

    def made(self) -> Any:
        """The map."""
        if self.bools and self.others:
            return MixedMap([*self.bools.items(), *self.others.items()])
        return self.bools or self.others


def not_a_map(value: Any) -> Fault:
    return Fault("no_such_overload", (MAP_INSERT, "map", type_name(value)))


# The function that a transform of maps calls for each pair, where no node here stands for it.
MAP_INSERT = "cel.@mapInsert"


def insert_entry(value: Any, key: Any, member: Any) -> Any:
    """A map and one more entry."""
    made = MapBuilder()
    fault = made.insert_all(value) or made.insert(key, member)
    return made.made() if fault is None else fault


def insert_entries(value: Any, other: Any) -> Any:
    """A map and all entries of another."""
    made = MapBuilder()
    fault = made.insert_all(value) or made.insert_all(other)
    return made.made() if fault is None else fault


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    (MAP_INSERT, 2): insert_entries,
    (MAP_INSERT, 3): insert_entry,
}
