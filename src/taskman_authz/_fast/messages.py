"""Bytes of requests to Python values, for the messages that clients send.

Laws: only the plain form is read here: known fields, each at most once, entries of maps as key and
value, values of one kind, no deeper than they may be. Of anything else, wrong or merely unusual,
`None` is the answer, and protobuf itself reads it or says what is wrong. What is read here is what
protobuf would have read, keys in sorted order.
"""

from __future__ import annotations

from struct import Struct

from . import native

DEEPEST = 32  # levels of properties; the C stack holds many more, and protobuf allows no more

# A double d stands for an integer of 64 bits when it has no fraction and INT_LOW <= d < INT_HIGH.
INT_LOW = -(2.0**63)
INT_HIGH = 2.0**63

# A field's number and its type, in one byte.
SUBJECT, ACTION, RESOURCE, CONTEXT = 0x0A, 0x12, 0x1A, 0x22
SUBJECT_PROPERTIES, ACTION_PROPERTIES, RESOURCE_PROPERTIES = 0x2A, 0x32, 0x3A
CONTEXT_PROPERTIES, COMPANY = 0x42, 0x4A
ITEM = FIELD = ELEMENT = KEY = 0x0A
VALUE = 0x12
NULL_VALUE, NUMBER, STRING, BOOL, STRUCT, LIST = 0x08, 0x11, 0x1A, 0x20, 0x2A, 0x32

# Short texts that were read last, each where `native.place` puts it: keys, kinds, actions and roles
# come again and again, and need not be made again.
_KNOWN: list[str | None] = [None] * 256
LONGEST_KNOWN = 32  # bytes

_double = Struct("<d").unpack_from


class Unusual(Exception):
    """Not the plain form."""


class Fields:
    """The fields of a CheckRequest. Properties that were not sent are None."""

    __slots__ = (
        "action",
        "action_properties",
        "company_id",
        "context",
        "context_properties",
        "resource",
        "resource_properties",
        "subject",
        "subject_properties",
    )

    def __init__(self) -> None:
        self.subject = ""
        self.action = ""
        self.resource = ""
        self.context: dict[str, str] = {}
        self.subject_properties: dict[str, object] | None = None
        self.action_properties: dict[str, object] | None = None
        self.resource_properties: dict[str, object] | None = None
        self.context_properties: dict[str, object] | None = None
        self.company_id = ""


def read_check(data: bytes, depth: int) -> Fields | None:
    """The fields of the bytes of a CheckRequest with properties up to `depth` levels deep."""
    if depth > DEEPEST:
        return None
    try:
        return Reader(data).check(len(data), depth)
    except (Unusual, UnicodeDecodeError):
        return None


def read_batch(data: bytes, depth: int, most: int) -> list[Fields] | None:
    """Those of a BatchCheckRequest of at most so many items."""
    if depth > DEEPEST:
        return None
    try:
        return Reader(data).batch(depth, most)
    except (Unusual, UnicodeDecodeError):
        return None


class Reader:
    """Goes over the bytes of one message once. Items of a batch are often alike: `former` has where
    the properties of one began, how long they were and what was made of them."""

    __slots__ = ("data", "end", "former", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.end = len(data)
        self.position = 0
        self.former: dict[int, tuple[int, int, dict[str, object]]] | None = None

    def batch(self, depth: int, most: int) -> list[Fields]:
        found: list[Fields] = []
        self.former = {}
        while self.position < self.end:
            if self.byte() != ITEM or len(found) == most:
                raise Unusual
            found.append(self.check(self.stop(self.end), depth))
        return found

    def check(self, end: int, depth: int) -> Fields:
        made = Fields()
        seen = 0  # a bit a field
        while self.position < end:
            tag = self.byte()
            if tag == CONTEXT:
                self.context_entry(made.context, end)
                continue
            if tag > COMPANY or seen >> (tag >> 3) & 1:
                raise Unusual
            seen |= 1 << (tag >> 3)
            if tag == SUBJECT:
                made.subject = self.text(end)
            elif tag == ACTION:
                made.action = self.text(end)
            elif tag == RESOURCE:
                made.resource = self.text(end)
            elif tag == SUBJECT_PROPERTIES:
                made.subject_properties = self.properties(tag, self.stop(end), depth)
            elif tag == ACTION_PROPERTIES:
                made.action_properties = self.properties(tag, self.stop(end), depth)
            elif tag == RESOURCE_PROPERTIES:
                made.resource_properties = self.properties(tag, self.stop(end), depth)
            elif tag == CONTEXT_PROPERTIES:
                made.context_properties = self.properties(tag, self.stop(end), depth)
            elif tag == COMPANY:
                made.company_id = self.text(end)
            else:
                raise Unusual
        if len(made.context) > 1:
            made.context = {key: made.context[key] for key in sorted(made.context)}
        return made

    def context_entry(self, into: dict[str, str], end: int) -> None:
        stop = self.stop(end)
        key = self.key(stop)
        into[key] = self.text(stop)
        if self.position != stop:
            raise Unusual

    def properties(self, tag: int, end: int, depth: int) -> dict[str, object]:
        """The Struct that ends there: the former one of this field, where it is the same."""
        if self.former is None:
            return self.struct(end, depth)
        start = self.position
        former = self.former.get(tag)
        if former is not None and former[1] == end - start:
            if native.same_bytes(self.data, start, former[0], end - start):
                self.position = end
                return former[2]
        made = self.struct(end, depth)
        self.former[tag] = (start, end - start, made)
        return made

    def struct(self, end: int, depth: int) -> dict[str, object]:
        if depth == 0:
            raise Unusual
        made: dict[str, object] = {}
        former = ""
        is_sorted = True  # as our own client sends them
        while self.position < end:
            if self.byte() != FIELD:
                raise Unusual
            stop = self.stop(end)
            key = self.key(stop)
            if self.stop(stop) != stop:
                raise Unusual
            made[key] = self.value(stop, depth)
            if key < former:
                is_sorted = False
            former = key
        return made if is_sorted else {key: made[key] for key in sorted(made)}

    def key(self, end: int) -> str:
        """The key of an entry, and the tag of its value."""
        if self.byte() != KEY:
            raise Unusual
        key = self.text(end)
        if self.byte() != VALUE:
            raise Unusual
        return key

    def value(self, end: int, depth: int) -> object:
        """A value that ends there."""
        if self.position == end:
            raise Unusual
        kind = self.byte()
        found: object = None
        if kind == STRING:
            found = self.text(end)
        elif kind == NUMBER:
            if self.position + 8 > end:
                raise Unusual
            number = _double(self.data, self.position)[0]
            self.position += 8
            if INT_LOW <= number < INT_HIGH and number % 1.0 == 0.0:
                found = int(number)
            else:
                found = number
        elif kind == BOOL or kind == NULL_VALUE:
            bit = self.byte()
            if bit > 1 or (kind == NULL_VALUE and bit):
                raise Unusual
            found = bit == 1 if kind == BOOL else None
        elif kind == STRUCT:
            found = self.struct(self.stop(end), depth - 1)
        elif kind == LIST and depth > 1:
            found = self.elements(self.stop(end), depth - 1)
        else:
            raise Unusual
        if self.position != end:
            raise Unusual
        return found

    def elements(self, end: int, depth: int) -> list[object]:
        made: list[object] = []
        while self.position < end:
            if self.byte() != ELEMENT:
                raise Unusual
            made.append(self.value(self.stop(end), depth))
        return made

    def text(self, end: int) -> str:
        stop = self.stop(end)
        start = self.position
        self.position = stop
        if not 0 < stop - start <= LONGEST_KNOWN:
            return self.data[start:stop].decode("utf-8")
        place = native.place(self.data, start, stop)
        known = _KNOWN[place]
        if known is not None and native.is_spelt(known, self.data, start, stop):
            return known
        found = _KNOWN[place] = self.data[start:stop].decode("utf-8")
        return found

    def stop(self, end: int) -> int:
        """Reads a length: where the field that is so long ends, within what ends there."""
        length = self.byte()
        if length > 127:
            length = self.rest(length & 127)
        if length > end - self.position:
            raise Unusual
        return self.position + length

    def rest(self, low: int) -> int:
        """The rest of a length of two to four bytes, as all messages that are taken have."""
        shift = 7
        while shift < 28:
            byte = self.byte()
            low |= (byte & 127) << shift
            if byte < 128:
                return low
            shift += 7
        raise Unusual

    def byte(self) -> int:
        if self.position >= self.end:
            raise Unusual
        byte = self.data[self.position]
        self.position += 1
        return byte
