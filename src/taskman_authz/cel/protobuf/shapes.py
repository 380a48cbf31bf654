"""A message's fields: how each is read, whether it is set, how a literal writes it.

Laws: an unset field reads as its default (language definition, "Field Selection"), an unset
wrapper as null; presence is the field's own: has() of a field without presence asks whether it has
a value other than the default, of a list or map whether it is empty. A field's names are those of
its `.proto`; an extension's is its full name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ..._fast.access import adapt, entries, is_map
from ..._fast.values import Fault
from ..types import Type, list_of, map_of
from . import well_known
from .elements import Element, Embedded, Scalar, element_of, mismatch
from .equality import map_entry
from .values import MessageValue, too_deep

if TYPE_CHECKING:
    from .schema import Schema


class Place:
    """Where a field's raw value lies in a message."""

    __slots__ = ("descriptor", "get", "is_set", "name")

    def __init__(self, described: FieldDescriptor) -> None:
        descriptor: Any = described
        self.descriptor = descriptor
        self.name: str = descriptor.full_name if descriptor.is_extension else descriptor.name
        self.get: Callable[[Message], Any]
        self.is_set: Callable[[Message], bool]
        if descriptor.is_extension:
            self.get = lambda message: message.Extensions[descriptor]
            self.is_set = lambda message: message.HasExtension(descriptor)
        else:
            self.get = attrgetter(self.name)
            self.is_set = lambda message: message.HasField(self.name)

    def put(self, message: Message, raw: Any) -> None:
        """Set a scalar."""
        if self.descriptor.is_extension:
            message.Extensions[self.descriptor] = raw
        else:
            setattr(message, self.name, raw)


class ScalarField:
    """One scalar."""

    __slots__ = ("convert", "element", "get", "has_presence", "place", "type")

    def __init__(self, place: Place, element: Scalar) -> None:
        self.place = place
        self.get = place.get
        self.element = element
        self.convert = element.convert
        self.type: Type = element.type
        self.has_presence = place.descriptor.has_presence

    def read(self, message: Message, own: bool) -> Any:
        """The core value."""
        raw = self.get(message)
        return raw if self.convert is None else self.convert(raw)

    def has(self, message: Message) -> bool:
        """Whether it is set."""
        if self.has_presence:
            return self.place.is_set(message)
        raw = self.place.get(message)
        return bool(raw) or (type(raw) is float and math.copysign(1.0, raw) < 0.0)

    def write(self, message: Message, value: Any) -> Fault | None:
        """Set it to a core value."""
        raw = self.element.encode(value)
        if type(raw) is Fault:
            return raw
        self.place.put(message, raw)
        return None


class MessageField:
    """One message."""

    __slots__ = ("element", "is_wrapper", "keeps_null", "place", "refuses_null", "type")

    def __init__(self, place: Place, element: Embedded) -> None:
        name = element.shape.name
        self.place = place
        self.element = element
        self.type: Type = element.type
        self.is_wrapper = name in well_known.WRAPPERS
        self.keeps_null = name in well_known.WITH_NULL
        self.refuses_null = name in well_known.CONTAINERS

    def read(self, message: Message, own: bool) -> Any:
        """The core value: of an unset field the empty message, of an unset wrapper null."""
        if self.is_wrapper and not self.place.is_set(message):
            return None
        return self.element.read(self.place.get(message), own)

    def has(self, message: Message) -> bool:
        """Whether it is set."""
        return self.place.is_set(message)

    def write(self, message: Message, value: Any) -> Fault | None:
        """Set it to a core value; null leaves it unset, where the type has no null."""
        if value is None and not self.keeps_null:
            return mismatch(self.type.name, value) if self.refuses_null else None
        part = self.place.get(message)
        part.SetInParent()
        return self.element.shape.fill(part, value)


class ListField:
    """Many of one element."""

    __slots__ = ("element", "place", "type")

    def __init__(self, place: Place, element: Element) -> None:
        self.place = place
        self.element = element
        self.type: Type = list_of(element.type)

    def read(self, message: Message, own: bool) -> list[Any]:
        """The core values of all."""
        return self.element.read_all(self.place.get(message), own)

    def has(self, message: Message) -> bool:
        """Whether there is one."""
        return len(self.place.get(message)) > 0

    def write(self, message: Message, value: Any) -> Fault | None:
        """Set it to the members of a list."""
        if type(value) is not list and type(value) is not tuple:
            return mismatch("list", value)
        container, element = self.place.get(message), self.element
        for member in map(adapt, value):
            if type(member) is Fault:
                return member
            if isinstance(element, Embedded):
                fault = element.shape.fill(container.add(), member)
                if fault is not None:
                    return fault
            else:
                raw = element.encode(member)
                if type(raw) is Fault:
                    return raw
                container.append(raw)
        return None


class MapField:
    """Keys to elements."""

    __slots__ = ("element", "key", "place", "type")

    def __init__(self, place: Place, key: Scalar, element: Element) -> None:
        self.place = place
        self.key = key
        self.element = element
        self.type: Type = map_of(key.type, element.type)

    def read(self, message: Message, own: bool) -> dict[Any, Any]:
        """The core map."""
        container = self.place.get(message)
        keys = list(container)
        members = self.element.read_all([container[key] for key in keys], own)
        return dict(zip(self.key.read_all(keys, own), members, strict=True))

    def has(self, message: Message) -> bool:
        """Whether there is an entry."""
        return len(self.place.get(message)) > 0

    def write(self, message: Message, value: Any) -> Fault | None:
        """Set it to the entries of a map."""
        found: Any = entries(value) if is_map(value) else mismatch("map", value)
        if type(found) is Fault:
            return found
        container = self.place.get(message)
        for key, member in found.items():
            fault = self.write_entry(container, adapt(key), adapt(member))
            if fault is not None:
                return fault
        return None

    def write_entry(self, container: Any, key: Any, member: Any) -> Fault | None:
        raw = key if type(key) is Fault else self.key.encode(key)
        if type(raw) is Fault:
            return raw
        if type(member) is Fault:
            return member
        element = self.element
        if isinstance(element, Embedded):
            return element.shape.fill(container[raw], member)
        held = element.encode(member)
        if type(held) is Fault:
            return held
        container[raw] = held
        return None


Field = ScalarField | MessageField | ListField | MapField


def field_of(descriptor: FieldDescriptor, schema: Schema) -> Field:
    """The field that a descriptor describes."""
    place = Place(descriptor)
    entry = map_entry(descriptor)
    if entry is not None:
        parts = entry.fields_by_name
        key = element_of(parts["key"], schema)
        assert isinstance(key, Scalar)
        return MapField(place, key, element_of(parts["value"], schema))
    element = element_of(descriptor, schema)
    if descriptor.is_repeated:
        return ListField(place, element)
    if isinstance(element, Embedded):
        return MessageField(place, element)
    return ScalarField(place, element)


class Shape:
    """What one type of message is in a schema."""

    __slots__ = ("descriptor", "fields", "name", "reads", "schema", "writes")

    def __init__(self, descriptor: Descriptor, schema: Schema) -> None:
        self.descriptor = descriptor
        self.name = descriptor.full_name
        self.schema = schema
        self.reads = well_known.READ.get(self.name)
        self.writes = well_known.WRITE.get(self.name)
        self.fields: dict[str, Field] = {}  # those that were asked for

    def field(self, name: str) -> Field | None:
        """The field of this name, or the extension of this full name."""
        return self.fields.get(name) or self._made(name)

    def _made(self, name: str) -> Field | None:
        descriptor = self.descriptor.fields_by_name.get(name)
        if descriptor is None and "." in name:
            descriptor = self.schema.extension(name, self.descriptor)
        if descriptor is None:
            return None
        found = self.fields[name] = field_of(descriptor, self.schema)
        return found

    def value(self, message: Message, own: bool = False) -> Any:
        """A message of this type as a core value, or a Fault."""
        if self.reads is None:
            return MessageValue(message, self, own)
        try:
            return self.reads(message, self.schema, own)
        except RecursionError:  # a Value that was nested by hand, deeper than bytes can say
            return too_deep()

    def new(self) -> Message:
        """An empty message of this type."""
        return GetMessageClass(self.descriptor)()

    def fill(self, message: Message, value: Any) -> Fault | None:
        """Make an empty message of this type what a core value is."""
        if self.writes is not None:
            return self.writes(message, value, self.schema)
        if type(value) is not MessageValue or value.type_name != self.name:
            return mismatch(self.name, value)
        if type(message) is type(value.message):
            message.CopyFrom(value.message)
        else:  # the same type from another pool
            message.MergeFromString(value.message.SerializePartialToString())
        return None
