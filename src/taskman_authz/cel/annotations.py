"""Types of the language from what Python programs say about their data: annotations, dataclasses,
pydantic models, TypedDicts, enums, protobuf messages, classes that SQLAlchemy maps.

Laws: a type is what the value becomes when it is read (`_fast.access`): a set is a list, an enum's
member its value, a UUID a string; where Python says less than the language could check (`Any`,
unions, classes that nobody annotated) it is dyn. A class that refers to itself refers by name.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, NewType, TypeVar, Union

from .._fast.values import CelType, UInt
from ..errors import CompileError
from ..issues import Issue, Issues, Place
from .bridge import is_message_class
from .optional import Optional
from .types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    WELL_KNOWN,
    Type,
    is_nullable,
    list_of,
    map_of,
    message_type,
    object_type,
    optional_of,
    wrapper_of,
)
from .unification import assignable, most_general

# In the order in which they are tried: a bool is an int, a UInt too.
VALUES: tuple[tuple[type, Type], ...] = (
    (type(None), NULL),
    (bool, BOOL),
    (UInt, UINT),
    (int, INT),
    (float, DOUBLE),
    (str, STRING),
    (bytes, BYTES),
    (bytearray, BYTES),
    (memoryview, BYTES),
    (datetime, TIMESTAMP),
    (timedelta, DURATION),
    (uuid.UUID, STRING),
    (CelType, TYPE),
)
# What wraps another annotation and says nothing about the value.
TRANSPARENT = frozenset(
    getattr(typing, name)
    for name in ("Final", "NotRequired", "ReadOnly", "Required")
    if hasattr(typing, name)
)

# Whose objects say something of a type that is not read here: `Any`, `ForwardRef`, `TypeVarTuple`.
TYPING = ("typing", "typing_extensions", "annotationlib")


def annotated_type(annotation: Any) -> Type:
    """The type of values that fit `annotation`: a class, or what stands behind a parameter's
    colon. Raises CompileError for one that names something unknown."""
    return _Reading().read(annotation)


class _Reading:
    """One annotation being read; `inside` are the classes around the place."""

    def __init__(self) -> None:
        self.inside: set[type] = set()

    def read(self, annotation: Any) -> Type:
        if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
            return self.read_class(annotation)
        if annotation is None:
            return NULL
        origin = typing.get_origin(annotation)
        if origin is None:
            return self.read_name(annotation)
        arguments = typing.get_args(annotation)
        if origin is Annotated or origin in TRANSPARENT:
            return self.read(arguments[0])
        if origin is Union or origin is types.UnionType:
            return common(map(self.read, arguments))
        if origin is Literal:
            return common(self.read(type(value)) for value in arguments)
        return self.read_generic(origin, arguments)

    def read_name(self, annotation: Any) -> Type:
        """What is neither a class nor has arguments."""
        if isinstance(annotation, NewType):
            return self.read(annotation.__supertype__)
        if isinstance(annotation, TypeVar):
            return self.read(annotation.__bound__) if annotation.__bound__ else DYN
        alias = getattr(annotation, "__value__", None)  # the type statement of Python 3.12
        if alias is not None:
            return self.read(alias)
        if isinstance(annotation, str) or type(annotation).__module__ in TYPING:
            return DYN
        message = f"expected a type, found a value of type `{type(annotation).__name__}`"
        raise CompileError(Issues((Issue(Place("<annotation>"), "invalid_type", message),)))

    def read_generic(self, origin: Any, arguments: tuple[Any, ...]) -> Type:
        """A class with arguments in brackets."""
        if not isinstance(origin, type):
            return DYN
        if issubclass(origin, Optional):
            return optional_of(self.read(arguments[0]))
        if issubclass(origin, Mapping):
            return map_of(*map(self.read, arguments)) if len(arguments) == 2 else MAP
        if issubclass(origin, tuple) and Ellipsis not in arguments:
            return list_of(common(map(self.read, arguments)))
        if issubclass(origin, (Sequence, Set)):
            return list_of(self.read(arguments[0]))
        return self.read_class(origin)

    def read_class(self, cls: type) -> Type:
        if cls is object:
            return DYN
        if issubclass(cls, Enum):
            return common(self.read(type(member.value)) for member in cls)
        for base, found in VALUES:
            if issubclass(cls, base):
                return found
        if issubclass(cls, Optional):
            return optional_of(DYN)
        if is_message_class(cls):
            name = cls.DESCRIPTOR.full_name  # type: ignore[attr-defined]
            return WELL_KNOWN.get(name) or message_type(name)
        fields = self.fields_reader(cls)
        if fields is not None:
            return self.read_object(cls, fields)
        if issubclass(cls, Mapping):
            return MAP
        return LIST if issubclass(cls, (Sequence, Set)) else DYN

    def fields_reader(self, cls: type) -> Callable[[type], Mapping[str, Any]] | None:
        """How the fields of a class with fields are found."""
        if dataclasses.is_dataclass(cls):
            return _dataclass_fields
        if issubclass(cls, dict) and hasattr(cls, "__required_keys__"):
            return _hints  # a TypedDict, of typing or of typing_extensions
        if hasattr(cls, "__pydantic_fields__"):
            return _model_fields
        return _mapped_fields if hasattr(cls, "__mapper__") else None

    def read_object(self, cls: type, fields: Callable[[type], Mapping[str, Any]]) -> Type:
        name = f"{cls.__module__}.{cls.__qualname__}".replace(".<locals>", "")
        if cls in self.inside:
            return message_type(name)
        self.inside.add(cls)
        try:
            found = {field: self.read(hint) for field, hint in fields(cls).items()}
        finally:
            self.inside.discard(cls)
        return object_type(name, found)


def common(found: Iterable[Type]) -> Type:
    """The type of what may be any of these: with null, one that may be null; dyn where they do
    not go together."""
    types = set(found)
    nullable = NULL in types and len(types) > 1
    if nullable:
        types.discard(NULL)
    if not types or any(not assignable(one, other) for one in types for other in types):
        return DYN
    whole = functools.reduce(most_general, sorted(types, key=str))
    if not nullable or is_nullable(whole):
        return whole
    return DYN if whole.parameters else wrapper_of(whole)


def _hints(cls: type) -> dict[str, Any]:
    """Annotations of a class, with names in quotes looked up."""
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        message = f"the annotations of `{cls.__qualname__}` cannot be read: {error}"
        raise CompileError(
            Issues((Issue(Place("<annotation>"), "invalid_type", message),))
        ) from None


def _properties(cls: type) -> dict[str, Any]:
    """What properties say that they return, those aside that every pydantic model has."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("pydantic."):
            continue
        for name, member in vars(base).items():
            if isinstance(member, (property, functools.cached_property)):
                getter = member.fget if isinstance(member, property) else member.func
                found[name] = _returned(getter)
    return found


def _returned(getter: Any) -> Any:
    try:
        return typing.get_type_hints(getter, include_extras=True).get("return", Any)
    except (NameError, TypeError):
        return Any


def _public(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an expression can read: no private name, and nothing that belongs to the class."""
    return {
        name: hint
        for name, hint in fields.items()
        if not name.startswith("_") and typing.get_origin(hint) is not ClassVar
    }


def _dataclass_fields(cls: type) -> dict[str, Any]:
    hints = _hints(cls)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    return _public({**_properties(cls), **fields})


def _model_fields(cls: Any) -> dict[str, Any]:
    computed = cls.__pydantic_decorators__.computed_fields
    return _public(
        {
            **_properties(cls),
            **{name: field.info.return_type for name, field in computed.items()},
            **{name: field.annotation for name, field in cls.__pydantic_fields__.items()},
        }
    )


def _mapped_fields(cls: Any) -> dict[str, Any]:
    """The columns of a class that SQLAlchemy maps; of what other tables hold nothing is said."""
    mapper = cls.__mapper__
    columns = {each.key: _column(each.columns[0]) for each in mapper.column_attrs}
    related = {each.key: Any for each in mapper.relationships}
    return _public({**_properties(cls), **related, **columns})


def _column(column: Any) -> Any:
    try:
        found = column.type.python_type
    except NotImplementedError:  # a type that is any value, as of JSON
        return Any
    return found | None if column.nullable else found
