"""The types of expressions: what a declaration says and what the checker deduces.

Laws: a type never changes; two types that read the same are the same object, so `is` compares
them and a dict finds them by address. `str()` writes a type in the notation of the language
definition, and `parse_type` reads it back. A type larger than `TYPE_SIZE` holds `dyn` instead of
its parameters: an expression can otherwise double a type with each macro.
"""

from __future__ import annotations

import enum
import threading
import weakref
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from ..limits import DEFAULT


class Kind(enum.Enum):
    """What sort of type. A wrapper (a number, string or bool that may be null) has the kind of
    what it wraps."""

    DYN = enum.auto()  # any value at all; checked when it is evaluated
    ANY = enum.auto()  # google.protobuf.Any: dyn with a name
    ERROR = enum.auto()  # of an expression that is already reported as wrong
    NULL = enum.auto()
    BOOL = enum.auto()
    INT = enum.auto()
    UINT = enum.auto()
    DOUBLE = enum.auto()
    STRING = enum.auto()
    BYTES = enum.auto()
    TIMESTAMP = enum.auto()
    DURATION = enum.auto()
    LIST = enum.auto()
    MAP = enum.auto()
    TYPE = enum.auto()  # of a type as a value
    PARAM = enum.auto()  # a type parameter: stands for one type that is not known yet
    OPAQUE = enum.auto()  # abstract: a name and parameters, as `optional_type(int)`
    STRUCT = enum.auto()  # with named fields: a message or an object


TYPE_SIZE: Final = DEFAULT.type_size

_interned: weakref.WeakValueDictionary[tuple[Any, ...], Type] = weakref.WeakValueDictionary()
_interning = threading.Lock()


class Type:
    """A type. Made by the constants and functions below, never directly.

    `name` is what `type(x)` is called when evaluated (`list`), `text` and `str()` the whole
    (`list(int)`). `nullable` marks a wrapper. `generic` says that a type parameter occurs in it.
    `fields` is None unless the type carries its fields with it; an `open` object may have others,
    of type dyn.
    """

    __slots__ = (
        "__weakref__",
        "fields",
        "generic",
        "kind",
        "name",
        "nullable",
        "open",
        "parameters",
        "size",
        "text",
    )

    kind: Kind
    name: str
    parameters: tuple[Type, ...]
    nullable: bool
    fields: Mapping[str, Type] | None
    open: bool
    generic: bool
    size: int
    text: str

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a type does not change")

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.text}>"

    def __copy__(self) -> Type:
        return self

    def __deepcopy__(self, memo: object) -> Type:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        fields = None if self.fields is None else dict(self.fields)
        return _make, (self.kind, self.name, self.parameters, self.nullable, fields, self.open)


def _make(
    kind: Kind,
    name: str,
    parameters: tuple[Type, ...] = (),
    nullable: bool = False,
    fields: Mapping[str, Type] | None = None,
    is_open: bool = False,
) -> Type:
    """The one type of this description."""
    shape = None if fields is None else tuple(sorted(fields.items(), key=lambda item: item[0]))
    key = (kind, name, parameters, nullable, shape, is_open)
    found = _interned.get(key)
    if found is not None:
        return found
    size = 1 + sum(parameter.size for parameter in parameters)
    if size > TYPE_SIZE:
        return _make(kind, name, (DYN,) * len(parameters), nullable, fields, is_open)
    made = Type.__new__(Type)
    for slot, value in (
        ("kind", kind),
        ("name", name),
        ("parameters", parameters),
        ("nullable", nullable),
        ("fields", None if fields is None else dict(fields)),
        ("open", is_open),
        ("generic", kind is Kind.PARAM or any(p.generic for p in parameters)),
        ("size", size),
        ("text", _notation(name, parameters, nullable)),
    ):
        object.__setattr__(made, slot, value)
    with _interning:  # two threads may have made it; both must get the same one
        return _interned.setdefault(key, made)


def _notation(name: str, parameters: tuple[Type, ...], nullable: bool) -> str:
    text = name
    if parameters:
        text += "(" + ", ".join(parameter.text for parameter in parameters) + ")"
    return f"wrapper({text})" if nullable else text


DYN: Final = _make(Kind.DYN, "dyn")
ANY: Final = _make(Kind.ANY, "google.protobuf.Any")
ERROR: Final = _make(Kind.ERROR, "error")
NULL: Final = _make(Kind.NULL, "null_type")
BOOL: Final = _make(Kind.BOOL, "bool")
INT: Final = _make(Kind.INT, "int")
UINT: Final = _make(Kind.UINT, "uint")
DOUBLE: Final = _make(Kind.DOUBLE, "double")
STRING: Final = _make(Kind.STRING, "string")
BYTES: Final = _make(Kind.BYTES, "bytes")
TIMESTAMP: Final = _make(Kind.TIMESTAMP, "google.protobuf.Timestamp")
DURATION: Final = _make(Kind.DURATION, "google.protobuf.Duration")
TYPE: Final = _make(Kind.TYPE, "type")  # of a type of which nothing more is known


def list_of(element: Type) -> Type:
    """`list(element)`."""
    return _make(Kind.LIST, "list", (element,))


def map_of(key: Type, value: Type) -> Type:
    """`map(key, value)`."""
    return _make(Kind.MAP, "map", (key, value))


def type_of(instance: Type) -> Type:
    """`type(instance)`: the type of the type `instance` as a value."""
    return _make(Kind.TYPE, "type", (instance,))


def type_param(name: str) -> Type:
    """A type parameter, as the `A` of `list(A)`."""
    return _make(Kind.PARAM, name)


def opaque_type(name: str, *parameters: Type) -> Type:
    """An abstract type: values of it are only made and taken apart by functions."""
    return _make(Kind.OPAQUE, name, parameters)


def optional_of(value: Type) -> Type:
    """`optional_type(value)`: a value, or none."""
    return opaque_type("optional_type", value)


def wrapper_of(primitive: Type) -> Type:
    """`wrapper(primitive)`: the primitive, or null."""
    return _make(primitive.kind, primitive.name, nullable=True)


def message_type(name: str) -> Type:
    """A type with fields that the environment's provider knows by this name."""
    return _make(Kind.STRUCT, name)


def object_type(name: str, fields: Mapping[str, Type], *, open: bool = False) -> Type:
    """A type with these fields, as an attribute of a request has. An unknown field is an issue,
    or dyn where the object is `open`. A field of the type itself is `message_type(name)`."""
    return _make(Kind.STRUCT, name, fields=fields, is_open=open)


LIST: Final = list_of(DYN)
MAP: Final = map_of(DYN, DYN)

# What the messages of google.protobuf are in the language (language definition, "Protocol Buffer
# Data Conversion").
WELL_KNOWN: Final[Mapping[str, Type]] = {
    "google.protobuf.Any": ANY,
    "google.protobuf.BoolValue": wrapper_of(BOOL),
    "google.protobuf.BytesValue": wrapper_of(BYTES),
    "google.protobuf.DoubleValue": wrapper_of(DOUBLE),
    "google.protobuf.Duration": DURATION,
    "google.protobuf.FloatValue": wrapper_of(DOUBLE),
    "google.protobuf.Int32Value": wrapper_of(INT),
    "google.protobuf.Int64Value": wrapper_of(INT),
    "google.protobuf.ListValue": LIST,
    "google.protobuf.NullValue": NULL,
    "google.protobuf.StringValue": wrapper_of(STRING),
    "google.protobuf.Struct": map_of(STRING, DYN),
    "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.UInt32Value": wrapper_of(UINT),
    "google.protobuf.UInt64Value": wrapper_of(UINT),
    "google.protobuf.Value": DYN,
}

_NULLABLE = frozenset({Kind.OPAQUE, Kind.STRUCT, Kind.ANY, Kind.DURATION, Kind.TIMESTAMP})


def is_dyn(type: Type) -> bool:
    """Whether nothing is known before evaluation."""
    return type is DYN or type is ANY


def is_optional(type: Type) -> bool:
    """Whether `type` is `optional_type(T)`."""
    return type.kind is Kind.OPAQUE and type.name == "optional_type"


def is_nullable(type: Type) -> bool:
    """Whether null is a value of `type`."""
    return type is NULL or type is DYN or type.nullable or type.kind in _NULLABLE


def may_be_bool(type: Type) -> bool:
    """Whether a condition may have this type: bool, a wrapper of bool, or not known before
    evaluation. Anything else can never be true."""
    return type.kind is Kind.BOOL or is_dyn(type)
