"""What a field holds one or many of: a scalar or a message, read into the language and written
from it (language definition, "Protocol Buffer Data Conversion").

Laws: reading never fails for scalars; writing takes values of the field's own type only, so an int
is no double; what is out of a narrower type's range is an `overflow` fault, except for doubles in
a float field, which become what the nearest float is, infinity too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from ..._fast.values import Fault, UInt, type_name
from ..types import BOOL, BYTES, DOUBLE, INT, STRING, UINT, WELL_KNOWN, Type, wrapper_of
from ..types import message_type as message_type_of
from .enums import INT32_MAX, INT32_MIN, NULL_VALUE, EnumValue, enum_type

if TYPE_CHECKING:
    from .schema import Schema
    from .shapes import Shape

UINT32_MAX = 2**32 - 1


def mismatch(wanted: str, value: Any) -> Fault:
    """The fault of a value of the wrong type."""
    return Fault("type_mismatch", (wanted, type_name(value)))


class Scalar:
    """A number, bool, string, bytes or enum. `convert` makes a core value of a raw one (None: it
    is one already), `encode` a raw one of a core value, or a Fault."""

    __slots__ = ("convert", "encode", "type")

    def __init__(
        self,
        declared: Type,
        encode: Callable[[Any], Any],
        convert: Callable[[Any], Any] | None = None,
    ) -> None:
        self.type = declared
        self.encode = encode
        self.convert = convert

    def read_all(self, raws: Any, own: bool) -> list[Any]:
        """The core values of many."""
        return list(raws) if self.convert is None else [self.convert(raw) for raw in raws]


class Embedded:
    """A message, of whatever `shape`."""

    __slots__ = ("shape", "type")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.type = WELL_KNOWN.get(shape.name) or message_type_of(shape.name)

    def read(self, raw: Message, own: bool) -> Any:
        """The value of a message."""
        return self.shape.value(raw, own)

    def read_all(self, raws: Any, own: bool) -> list[Any]:
        """The values of many; a Fault stands for one that has none."""
        value = self.shape.value
        return [value(raw, own) for raw in raws]


Element = Scalar | Embedded


def _plain(declared: Type, kind: type) -> Scalar:
    """A scalar that is the same in both worlds."""

    def encode(value: Any) -> Any:
        return value if type(value) is kind else mismatch(declared.name, value)

    return Scalar(declared, encode)


def _int32(value: Any) -> Any:
    if type(value) is not int:
        return mismatch("int", value)
    return value if INT32_MIN <= value <= INT32_MAX else Fault("overflow", ("int32",))


def _uint32(value: Any) -> Any:
    if type(value) is not UInt:
        return mismatch("uint", value)
    return int(value) if value <= UINT32_MAX else Fault("overflow", ("uint32",))


def _uint64(value: Any) -> Any:
    return int(value) if type(value) is UInt else mismatch("uint", value)


_INT32 = Scalar(INT, _int32)
_INT64 = _plain(INT, int)
_UINT32 = Scalar(UINT, _uint32, UInt)
_UINT64 = Scalar(UINT, _uint64, UInt)
_DOUBLE = _plain(DOUBLE, float)

SCALARS: dict[int, Scalar] = {
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_FLOAT: _DOUBLE,
    FieldDescriptor.TYPE_DOUBLE: _DOUBLE,
    FieldDescriptor.TYPE_BOOL: _plain(BOOL, bool),
    FieldDescriptor.TYPE_STRING: _plain(STRING, str),
    FieldDescriptor.TYPE_BYTES: _plain(BYTES, bytes),
}


def _null(value: Any) -> Any:
    return 0 if value is None or (type(value) is int and value == 0) else mismatch("null", value)


# Read as null. Its constant NULL_VALUE is the int 0, which may be written as well.
NULL = Scalar(wrapper_of(INT), _null, lambda raw: None)


def enum_element(enum: EnumDescriptor, strong: bool) -> Scalar:
    """An enum as a type of its own, or as int."""
    name = enum.full_name
    if name == NULL_VALUE:
        return NULL

    def encode(value: Any) -> Any:
        if type(value) is EnumValue and value.type_name == name:
            return value.number
        return mismatch(name, value) if strong else _int32(value)

    if strong:
        return Scalar(enum_type(enum), encode, lambda raw: EnumValue(name, raw))
    return Scalar(INT, encode)


def element_of(field: FieldDescriptor, schema: Schema) -> Element:
    """What a field holds one or many of."""
    if field.message_type is not None:
        return Embedded(schema.shape(field.message_type))
    if field.enum_type is not None:
        return enum_element(field.enum_type, schema.strong_enums)
    return SCALARS[field.type]
