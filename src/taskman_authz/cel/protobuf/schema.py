"""Which messages, enums and extensions an environment knows, and in which mode.

A `Schema` of an environment knows the files that its embedder named. Where a message comes to an
environment without any, the schema is that of the message's own pool (`schema_of_pool`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from ..._fast.access import is_map
from ..._fast.relations import VALUE_DEPTH
from ..._fast.times import Duration, Timestamp
from ..._fast.values import Fault, UInt, type_name
from . import sources
from .enums import EnumValue
from .shapes import Shape
from .values import MessageValue

# What holds a core value in an `Any`.
PACKED_IN: Mapping[type, str] = {
    type(None): "google.protobuf.Value",
    bool: "google.protobuf.BoolValue",
    int: "google.protobuf.Int64Value",
    UInt: "google.protobuf.UInt64Value",
    float: "google.protobuf.DoubleValue",
    str: "google.protobuf.StringValue",
    bytes: "google.protobuf.BytesValue",
    list: "google.protobuf.ListValue",
    tuple: "google.protobuf.ListValue",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
}


class Schema:
    """Messages by full name; `strong_enums` makes enums types of their own."""

    def __init__(self, sources_: Iterable[Any] = (), strong_enums: bool = False) -> None:
        names = sources.Names(sources.files(sources_))
        self.messages: Mapping[str, Descriptor] = names.messages
        self.enums: Mapping[str, EnumDescriptor] = names.enums
        self.extensions: Mapping[str, FieldDescriptor] = names.extensions
        self.strong_enums = strong_enums
        self._shapes: dict[Descriptor, Shape] = {}

    def message(self, name: str) -> Descriptor | None:
        """The message type of this full name."""
        return self.messages.get(name)

    def extension(self, name: str, extended: Descriptor) -> FieldDescriptor | None:
        """The extension of this full name of a message, in the pool of that message."""
        found = self.extensions.get(name)
        return None if found is None else in_pool_of(extended, found)

    def shape(self, descriptor: Descriptor) -> Shape:
        """What a message type is here, whether the schema names it or not."""
        found = self._shapes.get(descriptor)
        if found is None:
            found = self._shapes[descriptor] = Shape(descriptor, self)
        return found

    def shape_of(self, message: Message) -> Shape:
        """What the type of a message is here."""
        descriptor: Any = message.DESCRIPTOR
        return self.shape(descriptor)

    def new(self, name: str) -> Message | None:
        """An empty message of the type of this full name."""
        descriptor = self.message(name)
        return None if descriptor is None else self.shape(descriptor).new()

    def value(self, message: Message) -> Any:
        """The core value of a message that a caller passed, or a Fault."""
        return self.shape_of(message).value(message)

    def packed(self, value: Any) -> Any:
        """The message that stands for a core value in an `Any`, or a Fault."""
        if type(value) is MessageValue:
            return value.message
        name = PACKED_IN.get(type(value))
        if name is None:
            if not is_map(value):
                return Fault("type_mismatch", ("google.protobuf.Any", type_name(value)))
            name = "google.protobuf.Struct"
        descriptor = self.message(name)
        assert descriptor is not None, "every schema knows the well-known types"
        shape = self.shape(descriptor)
        made = shape.new()
        return shape.fill(made, value) or made

    def enum_name(self, value: EnumValue) -> str | None:
        """The name of an enum's value, if it has one."""
        enum = self.enums.get(value.type_name)
        found = enum.values_by_number.get(value.number) if enum else None
        return found.name if found else None

    def bound(self, variables: Any) -> Any:
        """A caller's variables, in which messages are values of this schema: those passed as they
        are, and those in lists and dicts."""
        bound = {}
        for name in variables:
            value = variables[name]
            bound[name] = value if type(value) in _LEAVES else self._bound(value, VALUE_DEPTH)
        return bound

    def _bound(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _LEAVES or depth == 0:
            return value
        if kind is dict:
            return {key: self._bound(member, depth - 1) for key, member in value.items()}
        if kind is list or kind is tuple:
            return [self._bound(member, depth - 1) for member in value]
        return self.value(value) if isinstance(value, Message) else value


_LEAVES = frozenset({type(None), bool, int, UInt, float, str, bytes, EnumValue, MessageValue})


class PoolSchema(Schema):
    """All that a pool declares, and the well-known types."""

    def __init__(self, pool: DescriptorPool) -> None:
        super().__init__()
        self._names = sources.PoolNames(pool)

    def message(self, name: str) -> Descriptor | None:
        return self._names.message(name)

    def extension(self, name: str, extended: Descriptor) -> FieldDescriptor | None:
        found = self._names.extension(name)
        return None if found is None else in_pool_of(extended, found)


def in_pool_of(extended: Descriptor, extension: FieldDescriptor) -> FieldDescriptor | None:
    """An extension as the pool of the extended message has it; None if it extends another."""
    owner = extension.containing_type
    if owner is None or owner.full_name != extended.full_name:
        return None
    if owner is extended:
        return extension
    found = sources.PoolNames(extended.file.pool).extension(extension.full_name)
    return found if found is not None and found.containing_type is extended else None


@lru_cache(maxsize=64)  # pools are few: the process's own, and perhaps one a registry
def schema_of_pool(pool: DescriptorPool) -> PoolSchema:
    """The schema of messages that come to an environment which names none."""
    return PoolSchema(pool)


def converter(kind: type[Message]) -> Callable[[Any], Any]:
    """What makes core values of a class's messages in an environment that names none."""
    descriptor: Any = kind.DESCRIPTOR
    return schema_of_pool(descriptor.file.pool).shape(descriptor).value
