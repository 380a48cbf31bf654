"""The messages of `google.protobuf` that are not messages in the language (language definition,
"Dynamic Values"): wrappers, times, JSON, and `Any`, which is whatever it holds.

`READ` makes a core value of such a message, `WRITE` fills one with a core value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError, Message

from ..._fast.times import SECOND, Duration, Timestamp, duration_of, timestamp_of
from ..._fast.values import Fault, UInt, type_name
from . import json_values

if TYPE_CHECKING:
    from .schema import Schema

Read = Callable[[Any, "Schema", bool], Any]
Write = Callable[[Any, Any, "Schema"], Fault | None]

PREFIX = "google.protobuf."
ANY = PREFIX + "Any"
URL = "type.googleapis.com/"

WRAPPERS = frozenset(
    PREFIX + name
    for name in (
        "BoolValue",
        "BytesValue",
        "DoubleValue",
        "FloatValue",
        "Int32Value",
        "Int64Value",
        "StringValue",
        "UInt32Value",
        "UInt64Value",
    )
)
WITH_NULL = frozenset({ANY, PREFIX + "Value"})  # null is among their values
CONTAINERS = frozenset({PREFIX + "ListValue", PREFIX + "Struct"})  # null is no list and no map


# -- wrappers and times ---------------------------------------------------------------------------


def _read_wrapper(message: Any, schema: Schema, own: bool) -> Any:
    return message.value


def _read_unsigned(message: Any, schema: Schema, own: bool) -> Any:
    return UInt(message.value)


def _write_wrapper(message: Message, value: Any, schema: Schema) -> Fault | None:
    field = schema.shape_of(message).field("value")
    assert field is not None
    return field.write(message, value)


def _nanoseconds(message: Any) -> int:
    return int(message.seconds) * SECOND + int(message.nanos)


def _read_timestamp(message: Any, schema: Schema, own: bool) -> Any:
    return timestamp_of(_nanoseconds(message), "timestamp")


def _read_duration(message: Any, schema: Schema, own: bool) -> Any:
    return duration_of(_nanoseconds(message), "duration")


def _write_timestamp(message: Any, value: Any, schema: Schema) -> Fault | None:
    if type(value) is not Timestamp:
        return Fault("type_mismatch", (PREFIX + "Timestamp", type_name(value)))
    message.seconds, message.nanos = divmod(value.ns, SECOND)
    return None


def _write_duration(message: Any, value: Any, schema: Schema) -> Fault | None:
    if type(value) is not Duration:
        return Fault("type_mismatch", (PREFIX + "Duration", type_name(value)))
    seconds, nanos = divmod(abs(value.ns), SECOND)  # both parts have the sign of the whole
    sign = -1 if value.ns < 0 else 1
    message.seconds, message.nanos = sign * seconds, sign * nanos
    return None


# -- Any ------------------------------------------------------------------------------------------


def _read_any(message: Any, schema: Schema, own: bool) -> Any:
    """The message in an `Any`, and in an `Any` in it, and so on."""
    while True:
        name = message.type_url.rpartition("/")[2]
        held = schema.new(name)
        if held is None:
            return Fault("unknown_message", (name,))
        try:
            held.ParseFromString(message.value)
        except DecodeError:
            return Fault("invalid_message", (name,))
        if name != ANY:
            return schema.shape_of(held).value(held, own)
        message = held


def _write_any(message: Any, value: Any, schema: Schema) -> Fault | None:
    held = schema.packed(value)
    if type(held) is Fault:
        return held
    message.type_url = URL + held.DESCRIPTOR.full_name
    message.value = held.SerializePartialToString(deterministic=True)
    return None


READ: Mapping[str, Read] = {
    **dict.fromkeys(WRAPPERS, _read_wrapper),
    PREFIX + "UInt32Value": _read_unsigned,
    PREFIX + "UInt64Value": _read_unsigned,
    PREFIX + "Timestamp": _read_timestamp,
    PREFIX + "Duration": _read_duration,
    PREFIX + "Value": json_values.read_value,
    PREFIX + "Struct": json_values.read_struct,
    PREFIX + "ListValue": json_values.read_list,
    ANY: _read_any,
}

WRITE: Mapping[str, Write] = {
    **dict.fromkeys(WRAPPERS, _write_wrapper),
    PREFIX + "Timestamp": _write_timestamp,
    PREFIX + "Duration": _write_duration,
    PREFIX + "Value": json_values.write_value,
    PREFIX + "Struct": json_values.write_struct,
    PREFIX + "ListValue": json_values.write_list,
    ANY: _write_any,
}
