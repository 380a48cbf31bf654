"""A message as a value of the language: fields are read when they are asked for.

Law: the message is never changed. One that the engine made is `own`: it may lie in a program as a
constant, so a caller is given a copy of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message import Error as ProtobufError
from google.protobuf.message import Message

from ..._fast.values import Fault, ObjectValue
from .equality import same_messages

if TYPE_CHECKING:
    from .shapes import Shape

MESSAGE_DEPTH = 100  # protobuf's own limit, in all its languages


class MessageValue(ObjectValue):
    """A message that is no well-known type; `shape` knows its fields."""

    __slots__ = ("message", "own", "shape")

    def __init__(self, message: Message, shape: Shape, own: bool = False) -> None:
        self.message = message
        self.shape = shape
        self.own = own

    @property
    def type_name(self) -> str:
        return self.shape.name

    def member(self, name: str) -> Any:
        field = self.shape.fields.get(name) or self.shape.field(name)
        if field is None:
            return Fault("no_such_field", (name,))
        try:
            return field.read(self.message, self.own)
        except RecursionError:
            return too_deep()

    def has_member(self, name: str) -> Any:
        field = self.shape.field(name)
        return Fault("no_such_field", (name,)) if field is None else field.has(self.message)

    def same_as(self, other: Any) -> Any:
        if type(other) is not MessageValue:
            return False
        try:
            return same_messages(self.message, other.message, self.shape.schema)
        except RecursionError:
            return too_deep()

    def is_zero(self) -> bool:
        """Whether nothing is set in it."""
        return self.message.ByteSize() == 0

    def plain(self) -> Message | Fault:
        return copied(self.message) if self.own else self.message

    def __repr__(self) -> str:
        return f"<{self.shape.name}>"


def copied(message: Message) -> Message | Fault:
    """A new message that is the same."""
    copy = type(message)()
    try:
        copy.CopyFrom(message)
    except ProtobufError:
        return too_deep()
    return copy


def too_deep() -> Fault:
    """The fault of a message that is nested deeper than protobuf reads or writes."""
    return Fault("limit_exceeded", ("message_depth", MESSAGE_DEPTH))
