# cython: boundscheck=False, wraparound=False
"""Reading: what a caller passed becomes a value of the language, and values have members.

Laws: every value that enters an evaluation passes through `adapt`, so no int in the core is wider
than 64 bits and no unknown object reaches an operator; an object with attributes is a map whose
entries are read lazily, one at a time, only by public name, and whose methods are none; a failure
is a Fault, also where the caller's own code fails.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from .times import Duration, Timestamp, from_datetime, from_timedelta, in_utc
from .values import (
    NONE,
    TYPE_NAMES,
    UINT_MAX,
    CelType,
    Fault,
    MixedMap,
    ObjectValue,
    OptionalValue,
    UInt,
    some,
    type_name,
    uint,
)

_MISSING = object()


class EntityValue:
    """A subject, resource or action: `type` and `id` (for an action `name` is `id`), and any
    object that holds the other attributes. In the language it is a map."""

    __slots__ = ("kind", "id", "attributes", "is_action")

    def __init__(self, kind: str, id: str, attributes: Any, is_action: bool) -> None:
        self.kind = kind
        self.id = id
        self.attributes = attributes
        self.is_action = is_action


TYPE_NAMES[EntityValue] = "map"


def fits(value: Any) -> bool:
    """Whether an int is within 64 bits, signed."""
    if -1073741824 < value < 1073741824:  # most are, and this is quicker than the rest
        return True
    try:
        number: int = value  # compiled: the conversion to a C integer raises
    except OverflowError:
        return False
    above = number >> 63
    return above == 0 or above == -1


def adapt(value: Any) -> Any:
    """The core value for what a caller passed, or a Fault."""
    kind = type(value)
    if kind is str or kind is dict:
        return value
    if kind is int:
        return value if fits(value) else Fault("overflow", ("int",))
    if kind is bool or kind is list or kind is float:
        return value
    return None if value is None else _adapt_other(value)


def _adapt_other(value: Any) -> Any:
    kind: Any = type(value)
    if kind is datetime:
        made = in_utc(value)
        if made is not None:
            return made
    if kind in _CORE_KINDS or isinstance(value, ObjectValue):
        return value
    if kind is UInt:
        return value if 0 <= value <= UINT_MAX else Fault("overflow", ("uint",))
    convert = _conversion(kind)
    if convert is None:
        return value
    try:
        return convert(value)
    except Exception:  # the caller's own code failed: an error inside is a value
        return _unsupported(value)


@lru_cache(maxsize=1_024)  # classes are few; asking the abstract ones anew costs a microsecond
def _conversion(kind: Any) -> Callable[[Any], Any] | None:
    """What makes a core value of a class's objects; None where they are read as they are."""
    for find_converter in _FINDERS:
        found = find_converter(kind)
        if found is not None:
            return found
    for base, convert in _CONVERSIONS:
        if issubclass(kind, base):
            return convert
    if issubclass(kind, type) or any("__call__" in base.__dict__ for base in kind.__mro__):
        return _unsupported
    return None if _keeps_attributes(kind) else _unsupported


def add_finder(find_converter: Callable[[type], Callable[[Any], Any] | None]) -> None:
    """Ask `find_converter` first what makes core values of a class's objects; it gives None for a
    class that it does not know. It is asked once a class."""
    _FINDERS.append(find_converter)
    _conversion.cache_clear()


_FINDERS: list[Callable[[type], Callable[[Any], Any] | None]] = []


def _keeps_attributes(kind: type) -> bool:
    """Whether a class's objects have attributes of their own: not those of a builtin, nor a date
    or a Decimal, which are values that the language has no word for."""
    if kind.__module__ == "builtins":
        return False
    return kind.__dictoffset__ != 0 or any("__slots__" in base.__dict__ for base in kind.__mro__)


def _unsupported(value: Any) -> Fault:
    return Fault("unsupported_type", (type(value).__name__,))


_CORE_KINDS = frozenset(
    {bytes, tuple, Timestamp, Duration, CelType, Fault, MixedMap, EntityValue, OptionalValue}
)
# Subclasses and relatives of what the language knows, in the order in which they are tried.
_CONVERSIONS: tuple[tuple[type, Callable[[Any], Any] | None], ...] = (
    (Enum, lambda v: adapt(v.value)),
    (OptionalValue, lambda v: _adapt_optional(v)),
    (str, lambda v: str.__str__(v)),
    (UInt, lambda v: adapt(uint(v))),
    (int, lambda v: adapt(int(v))),
    (float, lambda v: float(v)),
    (datetime, from_datetime),
    (timedelta, from_timedelta),
    (UUID, lambda v: str(v)),
    (bytes, lambda v: bytes(v)),
    (bytearray, lambda v: bytes(v)),
    (memoryview, lambda v: bytes(v)),
    (Mapping, None),
    (Set, lambda v: sorted(v, key=str)),
    (Sequence, lambda v: list(v)),
)


# -- maps -----------------------------------------------------------------------------------------


def is_map(value: Any) -> bool:
    """Whether a core value is a map of the language: whatever has members, objects too."""
    kind = type(value)
    if kind is dict:
        return True
    return not (
        value is None or kind in _OPAQUE_KINDS or kind is Fault or isinstance(value, ObjectValue)
    )


_OPAQUE_KINDS = frozenset(
    {bool, int, UInt, float, str, bytes, list, tuple, Timestamp, Duration, CelType, OptionalValue}
)


def select(value: Any, name: str) -> Any:
    """`value.name`, a core value or a Fault."""
    if type(value) is dict:
        members: dict[Any, Any] = value
        found = members.get(name, _MISSING)
    elif type(value) is OptionalValue:
        return select_optional(value, name)
    else:
        found = _read(value, name)
    return Fault("no_such_key", (name,)) if found is _MISSING else adapt(found)


def has(value: Any, name: str) -> Any:
    """`has(value.name)`: True, False or a Fault (a value without members)."""
    if type(value) is not dict:
        if isinstance(value, ObjectValue):
            return value.has_member(name)
        if type(value) is OptionalValue:
            inside = _inside(value)
            return False if inside is NONE else has(inside, name)
        if type(value) is EntityValue and _own_member(value, name) is _MISSING:
            return value.attributes is not None and has(adapt(value.attributes), name)
    found = _read(value, name)
    return found if type(found) is Fault else found is not _MISSING


def _read(value: Any, name: str) -> Any:
    """What a map holds under a name, not adapted; `missing()`; or a Fault."""
    kind = type(value)
    if kind is dict:
        members: dict[Any, Any] = value
        return members.get(name, _MISSING)
    if kind is EntityValue:
        return _read_entity(value, name)
    if kind is Fault:
        return value
    if isinstance(value, ObjectValue):
        return value.member(name)
    if not is_map(value):
        return Fault("no_such_overload", (f".{name}", type_name(value)))
    if kind is MixedMap:
        return value.others.get(name, _MISSING)
    try:
        if isinstance(value, Mapping):
            return value.get(name, _MISSING)  # never `value[name]`, which a defaultdict answers
        if name.startswith("_"):
            return _MISSING
        found = getattr(value, name, _MISSING)
        if found is _MISSING:
            # There, if the class has it: a property that failed with AttributeError.
            return Fault("unreadable", (name,)) if hasattr(kind, name) else _MISSING
        is_method = callable(found) and callable(getattr(kind, name, None))
        return _MISSING if is_method else found
    except Exception:  # the caller's own code failed: an error inside is a value
        return Fault("unreadable", (name,))


def _read_entity(value: EntityValue, name: str) -> Any:
    found = _own_member(value, name)
    if found is not _MISSING or value.attributes is None:
        return found
    return _read(adapt(value.attributes), name)


def _own_member(value: EntityValue, name: str) -> Any:
    """The member that an entity has whatever its attributes are; or `missing()`."""
    if value.is_action:
        return value.id if name == "name" else _MISSING
    if name == "id":
        return value.id
    return value.kind if name == "type" else _MISSING


def find(value: Any, key: Any) -> Any:
    """What a map holds under a key of any type, not adapted; `missing()`; or a Fault.

    Numbers are equal across types (1 == 1u == 1.0), bool is no number (a dict thinks so).
    """
    kind = type(key)
    if kind is str:
        return _read(value, key)
    if kind is not bool and kind is not int and kind is not UInt and kind is not float:
        return _MISSING
    if type(value) is MixedMap:
        return (value.bools if kind is bool else value.others).get(key, _MISSING)
    if type(value) is not dict and not isinstance(value, Mapping):
        return _MISSING
    try:
        return _find_number(value, key)
    except Exception:  # the caller's own code failed: an error inside is a value
        return Fault("unreadable", (key,))


def _find_number(value: Any, key: Any) -> Any:
    found = value.get(key, _MISSING)
    if found is not _MISSING and (key == 0 or key == 1):
        # A dict finds True under 1: only the stored key itself tells which it is.
        is_bool = type(key) is bool
        keys = (_stored(value, key),) if type(value) is dict else value
        if not any(k == key and (type(k) is bool) == is_bool for k in keys):
            return _MISSING
    return found


class _Probe:
    """Equal to what a key is equal to, and remembers that: a dict does not say which key it found,
    and to go over all of them takes long."""

    __slots__ = ("key", "met")

    def __init__(self, key: Any) -> None:
        self.key = self.met = key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        self.met = other
        return bool(other == self.key)


def _stored(value: dict[Any, Any], key: Any) -> Any:
    """The key under which a dict finds what it holds for `key`."""
    probe: Any = _Probe(key)
    value.get(probe)
    return probe.met


def missing() -> Any:
    """What `find` gives for a key that is not there."""
    return _MISSING


def index(value: Any, key: Any) -> Any:
    """`value[key]`, a core value or a Fault."""
    kind = type(value)
    if kind is Fault:
        return value
    if type(key) is Fault:
        return key
    if kind is list or kind is tuple:
        return _index_list(value, key)
    if kind is OptionalValue:
        return index_optional(value, key)
    if not is_map(value):
        return Fault("no_such_overload", ("_[_]", type_name(value), type_name(key)))
    if type(key) not in _KEY_KINDS:
        return Fault("no_such_overload", ("_[_]", "map", type_name(key)))
    found = find(value, key)
    return Fault("no_such_key", (key,)) if found is _MISSING else adapt(found)


_KEY_KINDS = frozenset({bool, int, UInt, float, str})


def _index_list(value: Any, key: Any) -> Any:
    kind = type(key)
    if kind is float and key.is_integer():
        key = int(key)
    elif kind is not int and kind is not UInt:
        return Fault("no_such_overload", ("_[_]", "list", type_name(key)))
    if 0 <= key < len(value):
        return adapt(value[key])
    return Fault("index_out_of_range", (key, len(value)))


# -- optional values ------------------------------------------------------------------------------


def select_optional(value: Any, name: str) -> Any:
    """`value.?name`, and `value.name` of an optional: an optional, none where nothing is there; or
    a Fault, where `value` is nothing that could have members."""
    if type(value) is OptionalValue:
        value = _inside(value)
    if type(value) is dict:
        members: dict[Any, Any] = value
        found = members.get(name, _MISSING)
        return NONE if found is _MISSING else _present(adapt(found))
    if value is NONE:
        return value
    if type(value) is EntityValue:
        found = _own_member(value, name)
        if found is not _MISSING:
            return some(found)
        return NONE if value.attributes is None else select_optional(adapt(value.attributes), name)
    if isinstance(value, ObjectValue):
        there = value.has_member(name)
        if there is not True:
            return NONE if there is False else there
    found = _read(value, name)
    return NONE if found is _MISSING else _present(adapt(found))


def index_optional(value: Any, key: Any) -> Any:
    """`value[?key]`, and `value[key]` of an optional: as `select_optional`."""
    if type(value) is OptionalValue:
        value = _inside(value)
        if value is NONE:
            return value
    found = index(value, key)
    if type(found) is not Fault:
        return _present(found)
    return NONE if found.code in ("no_such_key", "index_out_of_range") else found


def _inside(value: Any) -> Any:
    """The content of an optional, of those inside of it too; `NONE` where one has none."""
    while type(value) is OptionalValue:
        optional: OptionalValue = value
        if not optional.present:
            return NONE
        value = optional.held[0]
    return value


def _adapt_optional(value: Any) -> Any:
    """The core's optional for a caller's own."""
    depth = 0
    while isinstance(value, OptionalValue):
        optional: OptionalValue = value
        if not optional.present:
            break
        value = optional.held[0]
        depth += 1
    found = NONE if isinstance(value, OptionalValue) else adapt(value)
    for _ in range(depth):
        found = _present(found)
    return found


def _present(value: Any) -> Any:
    return value if type(value) is Fault else some(value)


# -- all of a map ---------------------------------------------------------------------------------


def keys(value: Any) -> Any:
    """The keys of a map as a list, not adapted; or a Fault."""
    found = value if isinstance(value, Mapping) else entries(value)
    if type(found) is Fault:
        return found
    try:
        return list(found)
    except Exception:  # the caller's own code failed: an error inside is a value
        return Fault("unreadable", ("map",))


def entries(value: Any) -> Any:
    """A map as a dict or a MixedMap, its members not adapted; or a Fault."""
    kind = type(value)
    if kind is dict or kind is MixedMap:
        return value
    try:
        if kind is EntityValue:
            return _entity_entries(value)
        return dict(value) if isinstance(value, Mapping) else _attributes(value)
    except Exception:  # the caller's own code failed: an error inside is a value
        return Fault("unreadable", ("map",))


def _entity_entries(value: EntityValue) -> Any:
    known = {"name": value.id} if value.is_action else {"id": value.id, "type": value.kind}
    attributes = adapt(value.attributes)
    if attributes is None:
        return known
    others = entries(attributes) if is_map(attributes) else attributes
    return others if type(others) is Fault else {**others, **known}


def _attributes(value: Any) -> dict[str, Any]:
    """The public attributes that an object itself has: those of its class, properties among them,
    are read by name only."""
    names = list(getattr(value, "__dict__", ()))
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
    found = {name: getattr(value, name, _MISSING) for name in names if not name.startswith("_")}
    return {name: member for name, member in found.items() if member is not _MISSING}


def is_whole(value: Any) -> bool:
    """Whether `entries` tells everything that a map holds. Of an object that is known only where
    its class declares its fields and all of them are loaded: what a database mapper has not loaded
    yet, or what a class keeps to itself, is not among them."""
    if type(value) is EntityValue:
        value = value.attributes
    if value is None or type(value) is dict:
        return True
    try:
        if isinstance(value, (Mapping, MixedMap, SimpleNamespace)):
            return True
        kind: Any = type(value)
        fields = _declared_fields(kind)
        if fields is None or getattr(value, "__pydantic_extra__", None):
            return False
    except Exception:  # the caller's own code failed
        return False
    found = entries(value)
    return type(found) is not Fault and fields.issubset(found)


@lru_cache(maxsize=1_024)
def _declared_fields(kind: Any) -> frozenset[str] | None:
    """The public fields that a class declares, of which there is one at least; None of others."""
    # A class below one that declares its fields may hold more than those.
    own = vars(kind)
    names: Any = own.get("__pydantic_fields__") or getattr(kind, "__struct_fields__", ())
    if "__dataclass_fields__" in own:
        names = [field.name for field in dataclasses.fields(kind)]
    return frozenset(name for name in names if not name.startswith("_")) or None
