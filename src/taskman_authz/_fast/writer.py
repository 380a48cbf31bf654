"""Requests to the bytes of messages, for questions in their usual form: texts and plain dicts.

Laws: what is written is the message that protobuf would write, its keys in sorted order. Of what is
unusual, or wrong, `None` is the answer, and whoever asked writes it by protobuf, and says what is
wrong.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from . import native
from .messages import DEEPEST, Unusual

_double = Struct("<d").pack

LOW, HIGH = -(2.0**63), 2.0**63  # between them a reader takes a double for an integer

ENTITY = ("type", "id")  # what a message has of an entity in other fields
NAMED = ("name",)
NOTHING = ()

PLACES = b"\x12"  # the field of a BatchCheckResponse, packed

# The parts of a question, a bit each.
SUBJECT, ACTION, RESOURCE, CONTEXT, COMPANY = 1, 2, 4, 8, 16
EVERY = 31


class Writer:
    """Writes the questions of one batch, with properties up to `depth` levels deep. `made` has the
    bytes of dicts that were written, by their identity: the next question often has the same.
    `parts` are those of a question that are written."""

    __slots__ = ("depth", "made", "parts")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.parts = EVERY
        self.made: dict[int, tuple[Any, bytes, tuple[str, ...]]] = {}

    def defaults(self, requests: list[Any]) -> bytes | None:
        """The bytes of what some questions have in common, as the same objects; they are written
        without it from here on. None where there is nothing, or something unusual about it."""
        shared = EVERY
        for request in requests:
            shared &= in_common(requests[0], request)
        if len(requests) < 2 or not shared:
            return None
        self.parts = shared
        found = self.check(requests[0])
        self.parts = EVERY if found is None else EVERY & ~shared
        return found

    def check(self, request: Any) -> bytes | None:
        """The bytes of the CheckRequest that a request is: an object with its fields."""
        if self.depth > DEEPEST:
            return None
        try:
            return self.question(request)
        except (Unusual, UnicodeEncodeError):
            return None

    def question(self, request: Any) -> bytes:
        subject, written = request.subject, self.parts
        if request.roles and (type(subject) is not dict or "roles" not in subject):
            raise Unusual
        parts: list[bytes] = []
        if written & SUBJECT:
            self.put(parts, b"\x0a", joined(request.subject_type, ":", request.subject_id))
            self.properties(parts, b"\x2a", subject, ENTITY)
        if written & ACTION:
            self.put(parts, b"\x12", text(request.action))
            self.properties(parts, b"\x32", request.action_attributes, NAMED)
        if written & RESOURCE:
            self.put(parts, b"\x1a", joined(request.resource_type, "/", request.resource_id))
            self.properties(parts, b"\x3a", request.resource, ENTITY)
        if written & CONTEXT:
            self.properties(parts, b"\x42", request.context, NOTHING)
        company = request.company_id
        if written & COMPANY and company is not None:
            if company == "":
                raise Unusual
            self.put(parts, b"\x4a", text(company))
        return b"".join(parts)

    def put(self, parts: list[bytes], tag: bytes, data: bytes) -> None:
        parts.append(tag)
        parts.append(size(len(data)))
        parts.append(data)

    def properties(
        self, parts: list[bytes], tag: bytes, attributes: Any, known: tuple[str, ...]
    ) -> None:
        if attributes is None:
            return
        if type(attributes) is not dict:
            raise Unusual
        key = native.identity(attributes)
        made = self.made.get(key)
        if made is None or made[2] is not known:
            data = self.struct(attributes, known, 1)
            # Held, so that no other dict has its identity meanwhile.
            self.made[key] = attributes, data, known
        else:
            data = made[1]
        if data:
            self.put(parts, tag, data)

    def struct(self, attributes: dict[Any, Any], known: tuple[str, ...], level: int) -> bytes:
        if level > self.depth:
            raise Unusual
        for key in attributes:
            if type(key) is not str:
                raise Unusual
        parts: list[bytes] = []
        for key in sorted(attributes):
            if key in known:
                continue
            name, value = text(key), self.value(attributes[key], level)
            entry = b"".join((b"\x0a", size(len(name)), name, b"\x12", size(len(value)), value))
            self.put(parts, b"\x0a", entry)
        return b"".join(parts)

    def value(self, value: Any, level: int) -> bytes:
        kind = type(value)
        if kind is str:
            data = text(value)
            return b"".join((b"\x1a", size(len(data)), data))
        if kind is bool:
            return b"\x20\x01" if value else b"\x20\x00"
        if kind is int:
            if not LOW <= value < HIGH or int(float(value)) != value:
                raise Unusual
            return b"\x11" + _double(float(value))
        if kind is float:
            return b"\x11" + _double(value)
        if value is None:
            return b"\x08\x00"
        if kind is dict:
            data = self.struct(value, NOTHING, level + 1)
            return b"".join((b"\x2a", size(len(data)), data))
        if kind is not list:
            raise Unusual
        if level >= self.depth:
            raise Unusual
        parts: list[bytes] = []
        for element in value:
            self.put(parts, b"\x0a", self.value(element, level + 1))
        data = b"".join(parts)
        return b"".join((b"\x32", size(len(data)), data))


def in_common(one: Any, other: Any) -> int:
    """The parts of a question that another one has too."""
    found = 0
    if (
        one.subject is other.subject
        and one.subject_id == other.subject_id
        and one.subject_type == other.subject_type
    ):
        found |= SUBJECT
    if one.action_attributes is other.action_attributes and one.action == other.action:
        found |= ACTION
    if (
        one.resource is other.resource
        and one.resource_id == other.resource_id
        and one.resource_type == other.resource_type
    ):
        found |= RESOURCE
    if one.context is other.context:
        found |= CONTEXT
    if one.company_id == other.company_id:
        found |= COMPANY
    return found


def joined(kind: Any, separator: str, id: Any) -> bytes:
    """A subject or a resource, which the other side takes apart at the first separator."""
    if type(kind) is not str or type(id) is not str or separator in kind:
        raise Unusual
    return text(kind + separator + id)


def text(value: Any) -> bytes:
    """The bytes of a text."""
    if type(value) is not str:
        raise Unusual
    made: str = value
    return made.encode("utf-8")


def size(length: int) -> bytes:
    """A length, as a varint."""
    if length < 128:
        return _SHORT[length]
    made = b""
    while length > 127:
        made += _LONG[length & 127]
        length >>= 7
    return made + _SHORT[length]


def framed(data: bytes, tag: bytes) -> bytes:
    """A message as a field of another one."""
    return b"".join((tag, size(len(data)), data))


def told_once(answers: list[Any]) -> tuple[list[Any], bytes]:
    """Some answers, each but once, and the bytes of a BatchCheckResponse's `places`: which of them
    is that of each item."""
    told: list[Any] = []
    equal: dict[Any, int] = {}
    same: dict[int, int] = {}  # by identity, which is quicker: `answers` holds them
    places = bytearray()
    former: Any = None
    place = -1
    for answer in answers:
        if place < 0 or answer is not former:  # as it most often is
            former = answer
            key = native.identity(answer)
            known = same.get(key)
            if known is None:
                known = same[key] = equal.setdefault(answer, len(told))
                if known == len(told):
                    told.append(answer)
            place = known
        if place < 128:
            places.append(place)
        else:
            places += size(place)
    return told, framed(bytes(places), PLACES) if places else b""


_SHORT = [bytes([number]) for number in range(128)]
_LONG = [bytes([number | 128]) for number in range(128)]
