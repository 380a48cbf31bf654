"""Equality of messages, field by field (language definition, "Equality"; it is that of protobuf's
own MessageDifferencer, but for the double NaN, which equals nothing, and for `Any`, which is
compared by what it holds).

Messages are the same if they are of one type, the same fields are set, all to the same values, and
their unknown fields are the same. Where the type in an `Any` is not known, its bytes are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

if TYPE_CHECKING:
    from .schema import Schema

ANY = "google.protobuf.Any"


def same_messages(left: Message, right: Message, schema: Schema) -> bool:
    """Whether two messages are the same; `schema` knows what an `Any` may hold."""
    name = left.DESCRIPTOR.full_name
    if name != right.DESCRIPTOR.full_name:
        return False
    if name == ANY:
        return _same_any(left, right, schema)
    ours, theirs = left.ListFields(), right.ListFields()  # both by number
    if len(ours) != len(theirs):
        return False
    for (field, value), (other, that) in zip(ours, theirs, strict=True):
        if field.number != other.number or not _same_field(field, value, that, schema):
            return False
    return _same_unknown(UnknownFieldSet(left), UnknownFieldSet(right))


def _same_any(left: Any, right: Any, schema: Schema) -> bool:
    held = _held(left, schema)
    other = _held(right, schema)
    if held is not None and other is not None:
        return same_messages(held, other, schema)
    return bool(left.type_url == right.type_url and left.value == right.value)


def _held(packed: Any, schema: Schema) -> Message | None:
    """The message in an `Any`; None where its type is not known or its bytes are not one."""
    made = schema.new(packed.type_url.rpartition("/")[2])
    if made is None:
        return None
    try:
        made.ParseFromString(packed.value)
    except DecodeError:
        return None
    return made


def map_entry(field: FieldDescriptor) -> Descriptor | None:
    """The message of a map's entries; None if a field is no map."""
    entry = field.message_type
    if entry is None or not entry.has_options:
        return None
    return entry if entry.GetOptions().map_entry else None


def _same_field(field: FieldDescriptor, left: Any, right: Any, schema: Schema) -> bool:
    if not field.is_repeated:
        return _same_element(field, left, right, schema)
    if len(left) != len(right):
        return False
    entry = map_entry(field)
    if entry is not None:
        value = entry.fields_by_name["value"]
        return all(
            key in right and _same_element(value, left[key], right[key], schema) for key in left
        )
    pairs = zip(left, right, strict=True)
    return all(_same_element(field, one, other, schema) for one, other in pairs)


def _same_element(field: FieldDescriptor, left: Any, right: Any, schema: Schema) -> bool:
    if field.message_type is not None:
        return same_messages(left, right, schema)
    return bool(left == right)


def _same_unknown(left: UnknownFieldSet, right: UnknownFieldSet) -> bool:
    if len(left) != len(right):
        return False
    return not len(left) or _by_number(left) == _by_number(right)


def _by_number(unknown: UnknownFieldSet) -> dict[int, list[Any]]:
    """Unknown fields, those of one number in their order: the order of numbers says nothing."""
    found: dict[int, list[Any]] = {}
    for index in range(len(unknown)):
        field = unknown[index]
        group = isinstance(field.data, UnknownFieldSet)
        data = _by_number(field.data) if group else field.data
        found.setdefault(field.field_number, []).append((field.wire_type, data))
    return found
