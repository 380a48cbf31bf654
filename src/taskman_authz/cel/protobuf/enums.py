"""Enums as types of their own (`strong_enums`), as the language definition has them: a value is
equal to itself only, has a type, and converts to and from int (language definition,
"Enumerations"). Without it an enum's values are ints ("Appendix 1: Legacy Behavior").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

from ..._fast.values import Fault, ObjectValue, type_name
from ..decls import FunctionDecl, Overload
from ..functions import Implementation
from ..library import Library
from ..types import INT, STRING, Type, opaque_type

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# An enum of one value, which stands for null in JSON: never a type of its own.
NULL_VALUE = "google.protobuf.NullValue"


class EnumValue(ObjectValue):
    """A value of the enum of full name `type_name`; its `number` need not have a name."""

    __slots__ = ("_type_name", "number")

    def __init__(self, type_name: str, number: int) -> None:
        self._type_name = type_name
        self.number = number

    @property
    def type_name(self) -> str:
        return self._type_name

    def same_as(self, other: Any) -> bool:
        return bool(self == other)

    def is_zero(self) -> bool:
        """Whether it is the value that an unset field has in proto3."""
        return self.number == 0

    def __eq__(self, other: object) -> bool:
        if type(other) is not EnumValue:
            return False
        return bool(other.number == self.number and other.type_name == self.type_name)

    def __hash__(self) -> int:
        return hash((self._type_name, self.number))

    def __int__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"{self._type_name}({self.number})"


def enum_type(enum: EnumDescriptor) -> Type:
    """An enum as a type of the checker."""
    return opaque_type(enum.full_name)


def library(enums: Iterable[EnumDescriptor]) -> Library:
    """`pkg.Enum(1)`, `pkg.Enum('NAME')` and `int(value)` of each enum."""
    declared: list[FunctionDecl] = []
    made: dict[tuple[str, int], Implementation] = {("int", 1): _to_int}
    for enum in enums:
        name, found = enum.full_name, enum_type(enum)
        conversions = (
            Overload(f"int64_to_{name}", (INT,), found),
            Overload(f"string_to_{name}", (STRING,), found),
        )
        to_int = Overload(f"{name}_to_int64", (found,), INT)
        declared += [FunctionDecl(name, conversions), FunctionDecl("int", (to_int,))]
        made[name, 1] = _conversion(enum)
    return Library("enums", functions=tuple(declared), implementations=made if declared else {})


def _to_int(value: Any) -> Any:
    if type(value) is EnumValue:
        return value.number
    return Fault("no_such_overload", ("int", type_name(value)))


def _conversion(enum: EnumDescriptor) -> Callable[[Any], Any]:
    name = enum.full_name
    numbers = {value.name: value.number for value in enum.values}

    def convert(value: Any) -> Any:
        if type(value) is int:
            if INT32_MIN <= value <= INT32_MAX:
                return EnumValue(name, value)
            return Fault("overflow", (name,))
        if type(value) is str:
            if value in numbers:
                return EnumValue(name, numbers[value])
            return Fault("invalid_argument", (name, "the enum has no such name"))
        if type(value) is EnumValue and value.type_name == name:
            return value
        return Fault("no_such_overload", (name, type_name(value)))

    return convert
