"""A JSON value as what its variable was declared to be: what `printing` writes, read back.

JSON has no times, no bytes and one sort of number, so the declared type says what a text or a
number is. What is dyn stays as JSON has it.

Law: a value that is none of its type is refused, with where it is in the variable, never its text.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .._fast.times import parse_duration, parse_timestamp
from .._fast.values import Fault, UInt
from ..cel.check_messages import shown
from ..cel.types import Kind, Type
from ..errors import CompileError
from ..issues import Issue, Issues, Place

NONE = Fault("invalid_value")  # what is no value of a type
HINTS = {
    Kind.BYTES: "a text in base64",
    Kind.DURATION: "a text such as `1h30m`",
    Kind.TIMESTAMP: "a text such as `2026-01-15T10:30:00Z`",
}


def as_declared(place: str, type: Type, value: Any) -> Any:
    """`value` as one of `type`; `place` is what it is called. Raises CompileError."""
    if value is None and type.nullable:
        return None
    if type.kind in CONTAINERS:
        members = CONTAINERS[type.kind](place, type, value)
        return members if members is not NONE else _refuse(place, type, value)
    if type.kind not in SCALARS:
        return value
    try:
        found = SCALARS[type.kind](value)
    except (ValueError, OverflowError):
        found = NONE
    return found if not isinstance(found, Fault) else _refuse(place, type, value)


def _list(place: str, type: Type, value: Any) -> Any:
    if not isinstance(value, list):
        return NONE
    (member,) = type.parameters
    return [as_declared(f"{place}[{number}]", member, each) for number, each in enumerate(value)]


def _map(place: str, type: Type, value: Any) -> Any:
    if not isinstance(value, dict):
        return NONE
    key, member = type.parameters
    return {
        _key(place, key, name): as_declared(f"{place}[{name!r}]", member, each)
        for name, each in value.items()
    }


def _key(place: str, type: Type, name: str) -> Any:
    """A key, which JSON has as text."""
    if type.kind in (Kind.DYN, Kind.STRING):
        return name
    try:
        return as_declared(f"key of {place}", type, json.loads(name))
    except ValueError:
        _refuse(f"key of {place}", type, name)


def _object(place: str, type: Type, value: Any) -> Any:
    if not isinstance(value, dict):
        return NONE
    fields = type.fields or {}
    return {
        name: as_declared(f"{place}.{name}", fields[name], each) if name in fields else each
        for name, each in value.items()
    }


def _number(value: Any) -> int | Fault:
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else NONE


def _unsigned(value: Any) -> Any:
    number = _number(value)
    return UInt(number) if isinstance(number, int) and 0 <= number < 1 << 64 else NONE


def _text(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: read(value) if isinstance(value, str) else NONE


CONTAINERS: Mapping[Kind, Callable[[str, Type, Any], Any]] = {
    Kind.LIST: _list,
    Kind.MAP: _map,
    Kind.STRUCT: _object,
}
SCALARS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.BOOL: lambda value: value if isinstance(value, bool) else NONE,
    Kind.BYTES: _text(lambda text: base64.b64decode(text, validate=True)),
    Kind.DOUBLE: lambda value: float(value) if type(value) in (int, float) else NONE,
    Kind.DURATION: _text(parse_duration),
    Kind.INT: _number,
    Kind.NULL: lambda value: value if value is None else NONE,
    Kind.STRING: _text(str),
    Kind.TIMESTAMP: _text(parse_timestamp),
    Kind.UINT: _unsigned,
}


def _refuse(place: str, type: Type, value: Any) -> NoReturn:
    found = {bool: "a bool", str: "a text", list: "a list", dict: "an object"}
    what = "null" if value is None else found.get(value.__class__, "a number")
    none = " that is none" if value.__class__ is str and type.kind in HINTS else ""
    message = f"expected `{shown(type)}`, found {what}{none}"
    issue = Issue(Place(f"<{place}>"), "invalid_value", message, HINTS.get(type.kind, ""))
    raise CompileError(Issues((issue,)))
