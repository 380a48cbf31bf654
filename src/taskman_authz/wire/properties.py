"""Attributes ↔ `google.protobuf.Struct`.

Laws: numbers of a Struct are doubles, and those without a fraction, within 64 bits, are read as
ints; what a Struct cannot carry exactly (an integer beyond a double, a time, bytes) is refused
where it is written, never changed. Keys are read in sorted order, because protobuf keeps none and
a decision must not depend on a process' hashes. Depth is bounded on both sides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

import msgspec
from google.protobuf.struct_pb2 import Struct, Value
from pydantic import BaseModel

from .._fast.values import UInt
from ..errors import RequestError
from ..limits import Limits
from ..request import failed

# A double d stands for an integer of 64 bits when it has no fraction and INT_LOW <= d < INT_HIGH.
INT_LOW = -(2.0**63)
INT_HIGH = 2.0**63


def read_properties(struct: Struct, field: str, limits: Limits) -> dict[str, Any]:
    """The attributes in a Struct. Raises `RequestError` naming `field`."""
    try:
        return _read_fields(struct, limits.property_depth)
    except _TooDeepError:
        raise RequestError(field, f"deeper than {limits.property_depth} levels") from None
    except _NoKindError:
        raise RequestError(field, "holds a value of no kind") from None


class _TooDeepError(Exception):
    """More levels than the limit allows."""


class _NoKindError(Exception):
    """A Value in which nothing is set, not even null."""


def _read_fields(struct: Struct, depth: int) -> dict[str, Any]:
    if depth == 0:
        raise _TooDeepError
    fields = struct.fields
    return {name: _read_value(fields[name], depth) for name in sorted(fields)}


def _read_value(value: Value, depth: int) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and INT_LOW <= number < INT_HIGH else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _read_fields(value.struct_value, depth - 1)
    if kind == "list_value":
        if depth == 1:
            raise _TooDeepError
        return [_read_value(element, depth - 1) for element in value.list_value.values]
    if kind == "null_value":
        return None
    raise _NoKindError


def write_properties(
    struct: Struct, attributes: Any, known: tuple[str, ...], field: str, limits: Limits
) -> None:
    """Put into a Struct the `attributes` of a mapping or of an object of a class that declares
    them, but those `known` from the request's own fields. Raises `RequestError` naming the
    attribute (`subject.manager.since`)."""
    if attributes is None:
        return
    try:
        found = _attributes(attributes, field)
        if found is None:
            raise _unsupported(field, attributes)
        rest = {name: value for name, value in found.items() if name not in known}
        _Writer(field, limits.property_depth).fields(struct, rest, field, 1)
    except RequestError:
        raise
    except UnicodeEncodeError:
        raise RequestError(field, "holds text that UTF-8 cannot encode") from None
    except Exception as error:  # the caller's own code
        raise failed(field) from error


class _Writer:
    """Writes the attributes of one field of a request into a Struct."""

    def __init__(self, field: str, depth: int) -> None:
        self.field = field
        self.depth = depth

    def fields(self, struct: Struct, attributes: Mapping[Any, Any], path: str, level: int) -> None:
        self.check_level(level)
        for name, value in attributes.items():
            if not isinstance(name, str):
                raise RequestError(path, f"expected names that are strings, found {_kind(name)}")
            self.value(struct.fields[name], value, f"{path}.{name}", level)

    def value(self, message: Value, value: Any, path: str, level: int) -> None:
        plain = _plain(value)
        if plain is None:
            message.null_value = 0  # type: ignore[assignment]  # NullValue has this one member
        elif isinstance(plain, str):
            message.string_value = plain
        elif isinstance(plain, bool):
            message.bool_value = plain
        elif isinstance(plain, (int, float)):
            message.number_value = _number(plain, path)
        elif isinstance(plain, (list, tuple)):
            self.check_level(level + 1)
            message.list_value.SetInParent()  # an empty list is a list
            for index, element in enumerate(plain):
                self.value(message.list_value.values.add(), element, f"{path}[{index}]", level + 1)
        elif (attributes := _attributes(plain, path)) is not None:
            message.struct_value.SetInParent()
            self.fields(message.struct_value, attributes, path, level + 1)
        else:
            raise _unsupported(path, value)

    def check_level(self, level: int) -> None:
        if level > self.depth:
            raise RequestError(self.field, f"deeper than {self.depth} levels")


def _plain(value: Any) -> Any:
    """What the core would take a value for, where that is something simpler."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Set):
        return sorted(value, key=str)
    return value


def _attributes(value: Any, path: str) -> Mapping[Any, Any] | None:
    """The attributes of a mapping or of an object whose class declares them; None of others."""
    if isinstance(value, Mapping):
        return value
    names = _declared(type(value))  # type: ignore[arg-type]  # classes are hashable
    if names is None:
        return None
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = getattr(value, name)
        except Exception as error:  # the caller's own code
            raise failed(f"{path}.{name}") from error
    if isinstance(value, BaseModel):
        found.update(value.model_extra or {})
    return found


@lru_cache(maxsize=1_000)
def _declared(kind: type) -> tuple[str, ...] | None:
    """The public fields and properties that a class declares; None of a class without fields.

    Properties are among them because in process a condition could read them: an attribute that
    is absent on one road only could make two decisions of one question.
    """
    if issubclass(kind, BaseModel):
        names = [*kind.model_fields, *kind.model_computed_fields]
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif issubclass(kind, msgspec.Struct):
        names = [*kind.__struct_fields__]
    else:
        return None
    for base in kind.__mro__:
        if base not in _FOUNDATIONS:
            names += [
                n for n, v in vars(base).items() if isinstance(v, (property, cached_property))
            ]
    return tuple(dict.fromkeys(name for name in names if not name.startswith("_")))


_FOUNDATIONS = frozenset({object, BaseModel, msgspec.Struct})


def _number(value: int | float, path: str) -> float:
    if isinstance(value, float):
        return float(value)
    if isinstance(value, UInt):
        raise _unsupported(path, value)
    # The bound first: a larger int cannot even be made a float.
    if not INT_LOW <= value < INT_HIGH or int(float(value)) != value:
        raise RequestError(path, "an integer that a double cannot hold; send it as a string")
    return float(value)


def _unsupported(path: str, value: Any) -> RequestError:
    return RequestError(path, f"expected what JSON can say, found {_kind(value)}")


def _kind(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
