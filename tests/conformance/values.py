"""`cel.expr.Value` and our values in one comparable form, and the way from the one to an input.

The form is a tuple `(kind, payload)`: kinds apart are values apart (1, 1u and 1.0 differ, so do
0.0 and -0.0), NaN is itself, maps have no order. Times are nanoseconds, read here by a small
reader of their JSON form, so that our own reader is not its own witness.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import any_pb2, json_format
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import CelType, MixedMap, UInt
from taskman_authz.cel.protobuf import EnumValue

from . import messages
from .cases import Json

Form = tuple[Any, ...]
NANOSECONDS = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMESTAMP, DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"


def expected_form(value: Json) -> Form:
    """The form of a `cel.expr.Value` in JSON. Raises KeyError for a kind that it does not know."""
    ((kind, payload),) = value.items()
    form: Form = _READ[kind](payload)
    return form


def actual_form(value: Any) -> Form:
    """The form of what `Program.evaluate` gave."""
    if value is None:
        return ("null",)
    for type_, kind in _SCALARS:
        if isinstance(value, type_):
            return (kind, int(value) if kind == "uint" else value)
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, (list, tuple)):
        return ("list", tuple(actual_form(item) for item in value))
    if isinstance(value, (Mapping, MixedMap)):
        return _map((actual_form(key), actual_form(item)) for key, item in value.items())
    if isinstance(value, CelType):
        return ("type", value.name)
    if isinstance(value, EnumValue):
        return ("enum", (value.type_name, value.number))
    if isinstance(value, Message):
        return _message(value)
    if isinstance(value, datetime):
        since = datetime.__sub__(value, EPOCH)
        return ("timestamp", _microseconds(since) * 1000 + getattr(value, "below", 0))
    if isinstance(value, timedelta):
        return ("duration", _microseconds(value) * 1000 + getattr(value, "below", 0))
    return ("unknown", repr(value))


def python_value(form: Form) -> Any:
    """What a caller would pass for a value of this form."""
    kind = form[0]
    if kind == "null":
        return None
    payload = form[1]
    if kind == "double":
        return float(payload)
    if kind == "list":
        return [python_value(item) for item in payload]
    if kind == "map":
        entries = [(python_value(key), python_value(item)) for key, item in payload]
        mixed = len({type(key) is bool for key, _ in entries}) > 1
        return MixedMap(entries) if mixed else dict(entries)
    return _FROM_FORM.get(kind, lambda same: same)(payload)


def show(form: Form) -> str:
    """A form for people."""
    kind = form[0]
    if kind == "null":
        return "null"
    if kind == "list":
        return f"[{', '.join(show(item) for item in form[1])}]"
    if kind == "map":
        entries = sorted(f"{show(key)}: {show(item)}" for key, item in form[1])
        return f"{{{', '.join(entries)}}}"
    payload = form[1] if kind in ("double", "type", "unknown") else repr(form[1])
    return f"{payload} ({kind})"


# bool before int and UInt before int: the former are kinds of the latter in Python.
_SCALARS: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),
    (UInt, "uint"),
    (int, "int"),
    (str, "string"),
    (bytes, "bytes"),
)


def _double(value: float) -> Form:
    return ("double", "NaN" if math.isnan(value) else repr(float(value)))


def _map(entries: Any) -> Form:
    return ("map", frozenset(entries))


def _microseconds(value: timedelta) -> int:
    return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds


def _object(payload: Json) -> Form:
    name = payload["@type"].rpartition("/")[2]
    if name == TIMESTAMP:
        return ("timestamp", _timestamp(payload["value"]))
    if name == DURATION:
        return ("duration", _duration(payload["value"]))
    return _message(_unpacked(payload))


def _unpacked(payload: Json) -> Message:
    """The message that the JSON form of an `Any` holds."""
    pool = messages.pool()
    any_type = GetMessageClass(pool.FindMessageTypeByName(any_pb2.Any.DESCRIPTOR.full_name))
    packed: Any = json_format.ParseDict(payload, any_type(), descriptor_pool=pool)
    name = packed.type_url.rpartition("/")[2]
    return GetMessageClass(pool.FindMessageTypeByName(name)).FromString(packed.value)


def _message(message: Message) -> Form:
    name = message.DESCRIPTOR.full_name
    return ("message", (name, message.SerializePartialToString(deterministic=True)))


def _from_message(payload: tuple[str, bytes]) -> Message:
    name, data = payload
    return GetMessageClass(messages.pool().FindMessageTypeByName(name)).FromString(data)


def _enum(payload: Json) -> Form:
    return ("enum", (payload["type"], payload.get("value", 0)))


def _timestamp(text: str) -> int:
    found = re.fullmatch(r"(\d+-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", text)
    if found is None:
        raise ValueError(f"not the JSON form of a timestamp: {text}")
    whole = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) - EPOCH
    return _microseconds(whole) * 1000 + int((found[2] or "0").ljust(9, "0"))


def _duration(text: str) -> int:
    found = re.fullmatch(r"(-?)(\d+)(?:\.(\d{1,9}))?s", text)
    if found is None:
        raise ValueError(f"not the JSON form of a duration: {text}")
    size = int(found[2]) * NANOSECONDS + int((found[3] or "0").ljust(9, "0"))
    return -size if found[1] else size


_READ: dict[str, Any] = {
    "nullValue": lambda _: ("null",),
    "boolValue": lambda payload: ("bool", payload),
    "int64Value": lambda payload: ("int", int(payload)),
    "uint64Value": lambda payload: ("uint", int(payload)),
    "doubleValue": lambda payload: _double(float(payload)),
    "stringValue": lambda payload: ("string", payload),
    "bytesValue": lambda payload: ("bytes", base64.b64decode(payload)),
    "typeValue": lambda payload: ("type", payload),
    "listValue": lambda payload: ("list", tuple(map(expected_form, payload.get("values", ())))),
    "mapValue": lambda payload: _map(
        (expected_form(entry["key"]), expected_form(entry["value"]))
        for entry in payload.get("entries", ())
    ),
    "objectValue": _object,
    "enumValue": _enum,
}


_FROM_FORM: dict[str, Any] = {
    "uint": UInt,
    "type": CelType,
    "timestamp": Timestamp,
    "duration": Duration,
    "message": _from_message,
    "enum": lambda payload: EnumValue(*payload),
}
