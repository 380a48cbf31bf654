"""What the checker and the planner are told about messages: their types, fields and constants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..decls import FieldEntry, VariableDecl
from ..library import Library
from ..types import INT, WELL_KNOWN, Type, message_type
from . import enums
from .literals import construction
from .schema import Schema


class MessageTypes:
    """A `decls.TypeProvider` over a schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def find_type(self, name: str) -> Type | None:
        if name in self.schema.messages:
            return WELL_KNOWN.get(name) or message_type(name)
        enum = self.schema.enums.get(name) if self.schema.strong_enums else None
        return None if enum is None else enums.enum_type(enum)

    def find_field(self, type_name: str, field: str) -> Type | None:
        descriptor = self.schema.message(type_name)
        if descriptor is None:
            return None
        found = self.schema.shape(descriptor).field(field)
        return None if found is None else found.type

    def field_names(self, type_name: str) -> Iterable[str]:
        descriptor = self.schema.message(type_name)
        return () if descriptor is None else descriptor.fields_by_name

    def type_names(self) -> Iterable[str]:
        return self.schema.messages

    def find_constant(self, name: str) -> VariableDecl | None:
        enum_name, _, value_name = name.rpartition(".")
        enum = self.schema.enums.get(enum_name)
        value = enum.values_by_name.get(value_name) if enum else None
        if enum is None or value is None:
            return None
        if self.schema.strong_enums and enum_name != enums.NULL_VALUE:
            constant = enums.EnumValue(enum_name, value.number)
            return VariableDecl(name, enums.enum_type(enum), constant)
        return VariableDecl(name, INT, value.number)

    def construction(
        self, type_name: str, entries: Sequence[FieldEntry]
    ) -> Callable[..., Any] | None:
        descriptor = self.schema.message(type_name)
        if descriptor is None:
            return None
        return construction(self.schema.shape(descriptor), entries)

    def library(self) -> Library:
        """The conversions of enums, where they are types of their own."""
        found = self.schema.enums.values() if self.schema.strong_enums else ()
        return enums.library(found)
