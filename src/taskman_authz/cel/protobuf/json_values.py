"""`Value`, `Struct` and `ListValue`: JSON in messages (language definition, "JSON Data
Conversion").

Laws: read, a number is a double; written, what JSON has no word for gets the form that protobuf's
own JSON gives it: an integer beyond 2^53 - 1 and a double that is no number become strings, bytes
base64, a message its JSON. A key that is no string, or a value that has no JSON, is a fault.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import Error as JsonError
from google.protobuf.json_format import MessageToDict

from ..._fast.access import adapt, entries, is_map
from ..._fast.times import Duration, Timestamp
from ..._fast.values import Fault, UInt, type_name
from .enums import EnumValue
from .values import MessageValue

if TYPE_CHECKING:
    from .schema import Schema

INTEROPERABLE = 2**53 - 1


def read_value(message: Any, schema: Schema, own: bool) -> Any:
    """A `Value`; one in which nothing is set is null."""
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "struct_value":
        return read_struct(message.struct_value, schema, own)
    if kind == "list_value":
        return read_list(message.list_value, schema, own)
    return getattr(message, kind)


def read_struct(message: Any, schema: Schema, own: bool) -> dict[str, Any]:
    """A `Struct` as a map."""
    fields = message.fields
    return {name: read_value(fields[name], schema, own) for name in fields}


def read_list(message: Any, schema: Schema, own: bool) -> list[Any]:
    """A `ListValue` as a list."""
    return [read_value(member, schema, own) for member in message.values]


def write_value(message: Any, value: Any, schema: Schema) -> Fault | None:
    """Make a `Value` what a core value is in JSON."""
    kind = type(value)
    if value is None:
        message.null_value = 0
    elif kind is bool:
        message.bool_value = value
    elif kind is str:
        message.string_value = value
    elif kind is float:
        _write_double(message, value)
    elif kind is int or kind is UInt:
        _write_integer(message, int(value))
    elif kind is bytes:
        message.string_value = base64.b64encode(value).decode("ascii")
    elif kind is list or kind is tuple:
        message.list_value.SetInParent()
        return write_list(message.list_value, value, schema)
    elif is_map(value):
        message.struct_value.SetInParent()
        return write_struct(message.struct_value, value, schema)
    else:
        return _write_other(message, value, schema)
    return None


def _write_double(message: Any, value: float) -> None:
    if math.isnan(value):
        message.string_value = "NaN"
    elif math.isinf(value):
        message.string_value = "Infinity" if value > 0 else "-Infinity"
    else:
        message.number_value = value


def _write_integer(message: Any, value: int) -> None:
    if -INTEROPERABLE <= value <= INTEROPERABLE:
        message.number_value = float(value)
    else:
        message.string_value = str(value)


def _write_other(message: Any, value: Any, schema: Schema) -> Fault | None:
    """A message, a time or an enum's value; a type has no JSON."""
    if type(value) is EnumValue:
        name = schema.enum_name(value)
        return write_value(message, value.number if name is None else name, schema)
    if type(value) is MessageValue:
        held: Any = value.message
    elif type(value) is Timestamp or type(value) is Duration:
        held = schema.packed(value)
    else:
        return Fault("type_mismatch", ("google.protobuf.Value", type_name(value)))
    try:
        json = MessageToDict(held, descriptor_pool=held.DESCRIPTOR.file.pool)
    except (JsonError, TypeError, ValueError):  # it holds an Any of a type that is not known
        return Fault("invalid_message", (type_name(value),))
    return write_value(message, json, schema)


def write_struct(message: Any, value: Any, schema: Schema) -> Fault | None:
    """Make a `Struct` what a map is in JSON."""
    found = entries(value) if is_map(value) else value
    if type(found) is Fault:
        return found
    if not is_map(found):
        return Fault("type_mismatch", ("map", type_name(value)))
    for key, member in found.items():
        name, held = adapt(key), adapt(member)
        for part in (name, held):
            if type(part) is Fault:
                return part
        if type(name) is not str:
            return Fault("type_mismatch", ("string", type_name(name)))
        fault = write_value(message.fields[name], held, schema)
        if fault is not None:
            return fault
    return None


def write_list(message: Any, value: Any, schema: Schema) -> Fault | None:
    """Make a `ListValue` what a list is in JSON."""
    if type(value) is not list and type(value) is not tuple:
        return Fault("type_mismatch", ("list", type_name(value)))
    for member in map(adapt, value):
        if type(member) is Fault:
            return member
        fault = write_value(message.values.add(), member, schema)
        if fault is not None:
            return fault
    return None
