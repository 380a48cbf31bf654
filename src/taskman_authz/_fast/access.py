"""Reading: what a caller passed becomes a value of the language, and values have members.

Laws: every value that enters an evaluation passes through `adapt`, so no int in the core is wider
than 64 bits and no unknown object reaches an operator; attributes of objects are read lazily, one
at a time, only by public name; a failure is a Fault.
"""
# cython: boundscheck=False, wraparound=False

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from .times import Duration, Timestamp, from_datetime, from_timedelta
from .values import TYPE_NAMES, CelType, Fault, MixedMap, UInt, type_name

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
    try:
        number: int = value  # compiled: the conversion to a C integer raises
    except OverflowError:
        return False
    if number >= 0:
        return number <= 9223372036854775807
    return ~number <= 9223372036854775807


def adapt(value: Any) -> Any:
    """The core value for what a caller passed, or a Fault."""
    kind = type(value)
    if kind is str or kind is dict or kind is bool or kind is list or kind is float:
        return value
    if kind is int:
        return value if fits(value) else Fault("overflow", ("int",))
    return None if value is None else _adapt_other(value)


def _adapt_other(value: Any) -> Any:
    kind = type(value)
    if kind in _CORE_KINDS:
        return value
    if isinstance(value, Enum):
        return adapt(value.value)
    for base, convert in _CONVERSIONS:
        if isinstance(value, base):
            return convert(value)
    if callable(value) or isinstance(value, type):
        return Fault("unsupported_type", (kind.__name__,))
    return value if _has_attributes(kind) else Fault("unsupported_type", (kind.__name__,))


def _has_attributes(kind: type) -> bool:
    """Whether objects of a class are read by attribute: a class somebody wrote, not a builtin."""
    return kind.__module__ != "builtins"


def _adapt_int(value: Any) -> Any:
    return adapt(int(value))


_CORE_KINDS = frozenset(
    {UInt, bytes, tuple, Timestamp, Duration, CelType, Fault, MixedMap, EntityValue}
)
# Subclasses and relatives of what the language knows, in the order in which they are tried.
_CONVERSIONS: tuple[tuple[Any, Any], ...] = (
    (str, lambda v: str.__str__(v)),
    (int, _adapt_int),
    (float, lambda v: float(v)),
    (datetime, from_datetime),
    (timedelta, from_timedelta),
    (UUID, lambda v: str(v)),
    (bytearray, lambda v: bytes(v)),
    (memoryview, lambda v: bytes(v)),
    (Mapping, lambda v: v),
    (Set, lambda v: sorted(v, key=str)),
    (Sequence, lambda v: list(v)),
)


def is_map(value: Any) -> bool:
    """Whether a value is a map of the language (an entity is one)."""
    kind = type(value)
    return kind is dict or kind is MixedMap or kind is EntityValue or isinstance(value, Mapping)


def select(value: Any, name: str) -> Any:
    """`value.name`, a core value or a Fault."""
    if type(value) is dict:
        found = value.get(name, _MISSING)
        if found is _MISSING:
            return Fault("no_such_key", (name,))
        return adapt(found)
    return _select_other(value, name)


def _select_other(value: Any, name: str) -> Any:
    if type(value) is EntityValue:
        return _select_entity(value, name)
    if type(value) is Fault:
        return value
    if type(value) is MixedMap or isinstance(value, Mapping):
        try:
            return adapt(value[name])
        except KeyError:
            return Fault("no_such_key", (name,))
    if _is_opaque(value):
        return Fault("no_such_overload", (f".{name}", type_name(value)))
    return _attribute(value, name)


def _is_opaque(value: Any) -> bool:
    """Whether a value has no members: everything of the language but maps."""
    kind = type(value)
    return value is None or kind in _OPAQUE_KINDS


_OPAQUE_KINDS = frozenset(
    {bool, int, UInt, float, str, bytes, list, tuple, Timestamp, Duration, CelType}
)


def _select_entity(value: EntityValue, name: str) -> Any:
    if name == "id" and not value.is_action:
        return value.id
    if name == "type" and not value.is_action:
        return value.kind
    if name == "name" and value.is_action:
        return value.id
    if value.attributes is None:
        return Fault("no_such_key", (name,))
    attributes = adapt(value.attributes)
    return select(attributes, name)


def _attribute(value: Any, name: str) -> Any:
    if name.startswith("_"):
        return Fault("no_such_field", (name,))
    try:
        found = getattr(value, name, _MISSING)
    except Exception:  # a property of a caller's object failed: an error inside is a value
        return Fault("no_such_field", (name,))
    return Fault("no_such_field", (name,)) if found is _MISSING else adapt(found)


def has(value: Any, name: str) -> Any:
    """`has(value.name)`: True, False or a Fault (a value without members)."""
    if type(value) is dict:
        return name in value
    if type(value) is Fault:
        return value
    if type(value) is not EntityValue and is_map(value):
        return name in value
    found = _select_other(value, name)
    if type(found) is not Fault:
        return True
    return False if found.code in ("no_such_key", "no_such_field") else found


def entries(value: Any) -> Any:
    """A map of the language as something with `items()`: an entity becomes a dict."""
    if type(value) is not EntityValue:
        return value
    known = {"name": value.id} if value.is_action else {"id": value.id, "type": value.kind}
    attributes = value.attributes
    if attributes is None:
        return known
    if not isinstance(attributes, Mapping):
        attributes = {k: v for k, v in vars(attributes).items() if not k.startswith("_")}
    return {**attributes, **known}


def lookup(value: Any, key: Any) -> Any:
    """The member of a map under a key of any type, adapted; `missing()` where there is none.

    Numbers are equal across types (1 == 1u == 1.0), bool is no number (a dict thinks so).
    """
    if type(value) is EntityValue:
        value = entries(value)
    kind = type(key)
    if kind is str:
        try:
            return adapt(value[key])
        except KeyError:
            return _MISSING
    if kind is bool or kind is int or kind is UInt or kind is float:
        return _lookup_number(value, key)
    return _MISSING


def missing() -> Any:
    """What `lookup` gives for a key that is not there."""
    return _MISSING


def _lookup_number(value: Any, key: Any) -> Any:
    try:
        found = value[key]
    except KeyError:
        return _MISSING
    if (key == 0 or key == 1) and type(value) is not MixedMap:
        # A dict finds True under 1: only the stored key itself tells which it is.
        is_bool = type(key) is bool
        if not any(k == key and (type(k) is bool) == is_bool for k in value):
            return _MISSING
    return adapt(found)


def index(value: Any, key: Any, position: int) -> Any:
    """`value[key]`, a core value or a Fault."""
    if type(value) is Fault:
        return value
    if type(key) is Fault:
        return key
    if type(value) is list or type(value) is tuple:
        return _index_list(value, key, position)
    if is_map(value):
        if type(key) not in _KEY_KINDS:
            return Fault("no_such_overload", ("_[_]", "map", type_name(key)), position)
        found = lookup(value, key)
        return Fault("no_such_key", (key,), position) if found is _MISSING else found
    if type(key) is str and not _is_opaque(value):
        return select(value, key)
    return Fault("no_such_overload", ("_[_]", type_name(value), type_name(key)), position)


_KEY_KINDS = frozenset({bool, int, UInt, float, str})


def _index_list(value: Any, key: Any, position: int) -> Any:
    kind = type(key)
    if kind is float and key.is_integer():
        key = int(key)
    elif kind is not int and kind is not UInt:
        return Fault("no_such_overload", ("_[_]", "list", type_name(key)), position)
    if 0 <= key < len(value):
        return adapt(value[key])
    return Fault("index_out_of_range", (key, len(value)), position)
