"""Values as people and programs read them: as CEL writes them, and as JSON.

JSON follows the mapping that protobuf has for its own values: bytes in base64, times as RFC 3339,
durations in seconds with an `s`, numbers that JSON lacks as text, an optional as its value or null.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .._fast.times import (
    Duration,
    Timestamp,
    duration_text,
    from_datetime,
    from_timedelta,
    timestamp_text,
)
from .._fast.values import CelType, OptionalValue, UInt

_NOT_FINITE = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}


def cel_text(value: Any) -> str:
    """`value` as an expression that has this value: `{"a": [1, 2u, b"\\x00"]}`."""
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, UInt):
        return f"{int(value)}u"
    if isinstance(value, float) and not math.isfinite(value):
        return f'double("{_NOT_FINITE[repr(float(value))]}")'
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, bytes):
        return 'b"' + "".join(_byte_text(byte) for byte in value) + '"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{cel_text(k)}: {cel_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(cel_text, value)) + "]"
    return _other_text(value)


def _other_text(value: Any) -> str:
    if isinstance(value, OptionalValue):
        return f"optional.of({cel_text(value.content)})" if value.present else "optional.none()"
    timed = _time_text(value)
    if timed is not None:
        function = "timestamp" if isinstance(value, (datetime, Timestamp)) else "duration"
        return f'{function}("{timed}")'
    return value.name if isinstance(value, CelType) else str(value)


def json_value(value: Any) -> Any:
    """`value` as something that `json.dumps` writes."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_FINITE[repr(float(value))]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {_key(key): json_value(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(member) for member in value]
    if isinstance(value, OptionalValue):
        return json_value(value.content)
    timed = _time_text(value)
    if timed is not None:
        return timed
    return value.name if isinstance(value, CelType) else str(value)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(json_value(key))


def _time_text(value: Any) -> str | None:
    """The text of a point or a span of time, the language's or Python's; None of anything else."""
    if isinstance(value, datetime):
        value = from_datetime(value)
    elif isinstance(value, timedelta):
        value = from_timedelta(value)
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    return duration_text(value) if isinstance(value, Duration) else None


def _byte_text(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\x{byte:02x}"
