"""The values of the language that Python has no word for, and the value that an error is.

null, bool, int, double, string, bytes, list and map are None, bool, int, float, str, bytes, list
(or tuple) and dict (or any Mapping). uint is `UInt`, a type is `CelType`; timestamps and
durations are in `times`.

Law: an error or an unknown is a `Fault`, an ordinary value that every node passes on and that
`&&`, `||`, `?:` and the macros may absorb. Nothing in the core raises for what a policy does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1


class UInt(int):
    """An unsigned 64-bit integer. Equal to, and hashed as, the int of the same number."""

    __slots__ = ()

    def __new__(cls, value: Any = 0) -> UInt:
        found = int.__new__(cls, value)
        if not 0 <= int(found) <= UINT_MAX:
            raise ValueError(f"expected an integer from 0 to {UINT_MAX}, found {int(found)}")
        return found

    def __repr__(self) -> str:
        return f"{int(self)}u"


def uint(number: int) -> UInt:
    """The UInt of a number that is known to be in range; made without asking."""
    return int.__new__(UInt, number)


class CelType:
    """A type as a value, as `type(x)` gives it. Equal by name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(other) is CelType and other.name == self.name

    def __hash__(self) -> int:
        return hash(("CelType", self.name))

    def __repr__(self) -> str:
        return self.name


class ObjectValue:
    """A value of a type of its own, which no other type's operations take: a protobuf message, the
    value of an enum. The rooms above say by subclasses what it is; the core only asks.

    The methods give core values or Faults and never raise; by default there are no members, and
    nothing is the same but the value itself.
    """

    __slots__ = ()

    @property
    def type_name(self) -> str:
        """The full name of its type in the language."""
        raise NotImplementedError

    def member(self, name: str) -> Any:
        """`value.name`."""
        return Fault("no_such_overload", (f".{name}", self.type_name))

    def has_member(self, name: str) -> Any:
        """`has(value.name)`."""
        return Fault("no_such_overload", (f".{name}", self.type_name))

    def same_as(self, other: Any) -> Any:
        """`value == other`, where `other` is any core value but a Fault."""
        return self is other

    def is_zero(self) -> bool:
        """Whether it is what its type begins with: a message without fields."""
        return False

    def plain(self) -> Any:
        """What a caller is given for it."""
        return self


class OptionalValue:
    """A value of the core that may be there (`present`) or not: then it is none, and `content`
    is None."""

    __slots__ = ("held", "present")

    def __init__(self, present: bool, content: Any) -> None:
        self.present = present
        # In a tuple: a tuple lets go of a long chain link by link, a class of C a frame a link.
        self.held: tuple[Any, ...] = (content,) if present else ()

    @property
    def content(self) -> Any:
        return self.held[0] if self.present else None

    def __repr__(self) -> str:
        return f"optional.of({self.content!r})" if self.present else "optional.none()"


NONE = OptionalValue(False, None)


def some(content: Any) -> OptionalValue:
    """The optional that has this value; made without calling its class, which takes longer."""
    made: OptionalValue = OptionalValue.__new__(OptionalValue)
    made.present = True
    made.held = (content,)
    return made


class Fault:
    """An error as a value: a stable `code`, the `details` that its message is made of, and the
    `position` in the source of the part that failed (-1 until a node that knows sets it).

    A message is only made when somebody reads it (`cel.messages.fault_message`): most faults are
    absorbed, or end as "condition failed" without anybody asking.
    """

    __slots__ = ("code", "details", "position")

    def __init__(self, code: str, details: tuple[Any, ...] = (), position: int = -1) -> None:
        self.code = code
        self.details = details
        self.position = position

    def __repr__(self) -> str:
        return f"Fault({self.code!r}, {self.details!r}, {self.position})"


class MixedMap:
    """A map with both bool and number keys, which a dict would confuse (True == 1).

    A read-only Mapping in all but name. Made only by map literals that need it.
    """

    __slots__ = ("bools", "others")

    def __init__(self, entries: Iterable[tuple[Any, Any]]) -> None:
        pairs = list(entries)
        self.bools = {k: v for k, v in pairs if type(k) is bool}
        self.others = {k: v for k, v in pairs if type(k) is not bool}

    def __getitem__(self, key: Any) -> Any:
        return self.bools[key] if type(key) is bool else self.others[key]

    def __contains__(self, key: object) -> bool:
        return key in (self.bools if type(key) is bool else self.others)

    def __iter__(self) -> Iterator[Any]:
        yield from self.bools
        yield from self.others

    def __len__(self) -> int:
        return len(self.bools) + len(self.others)

    def keys(self) -> list[Any]:
        return list(self)

    def values(self) -> list[Any]:
        return [*self.bools.values(), *self.others.values()]

    def items(self) -> list[tuple[Any, Any]]:
        return [*self.bools.items(), *self.others.items()]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{k!r}: {v!r}" for k, v in self.items()) + "}"


# Python type → type of the language. `times` adds its two: it stands above this module.
TYPE_NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    tuple: "list",
    dict: "map",
    MixedMap: "map",
    CelType: "type",
    OptionalValue: "optional_type",
}


def type_name(value: object) -> str:
    """The name of a value's type as the language says it, for `type(x)` and for messages.

    Any Mapping is a map, as is an object with attributes; a subclass is what its base is.
    """
    if isinstance(value, ObjectValue):
        return value.type_name
    for base in type(value).__mro__:
        name = TYPE_NAMES.get(base)
        if name is not None:
            return name
    return "map"
