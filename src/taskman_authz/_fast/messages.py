# cython: boundscheck=False, wraparound=False
"""Bytes of requests to Python values, for the messages that clients send.

Laws: only the plain form is read here: known fields, each at most once, entries of maps as key and
value, values of one kind, no deeper than they may be. Of anything else, wrong or merely unusual,
`None` is the answer, and protobuf itself reads it or says what is wrong. What is read here is what
protobuf would have read, keys in sorted order. Whoever reads only some properties names those, and
nothing is made of the others; but they are looked at, and are of the plain form too.
"""

from __future__ import annotations

from typing import Any

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
VALUE = DEFAULTS = 0x12
DISTINCT = 0x18
NULL_VALUE, NUMBER, STRING, BOOL, STRUCT, LIST = 0x08, 0x11, 0x1A, 0x20, 0x2A, 0x32

# Short texts that were read last, each where `native.place` puts it: keys, kinds, actions and roles
# come again and again, and need not be made again.
_KNOWN: list[str | None] = [None] * 256
LONGEST_KNOWN = 32  # bytes

FEW = 8  # names


class Unusual(Exception):
    """Not the plain form."""


class Names:
    """The names of the properties of a kind that are read, into a copy of the list `blank`, a place
    each; or where that is None, into a dict."""

    __slots__ = ("are_few", "blank", "cells", "numbers", "texts")

    def __init__(self, texts: tuple[str, ...], blank: list[object] | None = None) -> None:
        self.texts = texts
        self.blank = blank
        self.numbers = {text: number for number, text in enumerate(texts)}
        # Then it is quicker to look for them among the bytes than to make texts of those.
        self.are_few = len(texts) <= FEW and "".join(texts).isascii()
        # Their bytes, each where `native.place` puts it.
        self.cells: list[tuple[bytes, ...] | None] = [None] * 256
        for text in texts:
            name = text.encode()
            place = native.place(name, 0, len(name)) if name else 0
            self.cells[place] = (*(self.cells[place] or ()), name)


class Wanted:
    """What is read of properties, of each kind; None: all of them, into a dict."""

    __slots__ = ("action", "context", "resource", "subject")

    def __init__(
        self,
        subject: Names | None = None,
        action: Names | None = None,
        resource: Names | None = None,
        context: Names | None = None,
    ) -> None:
        self.subject = subject
        self.action = action
        self.resource = resource
        self.context = context


class Fields:
    """The fields of a CheckRequest. Properties that were not sent are None, others are as the
    reader's `wanted` says. `place` and `sifted` are for whoever decides: which item of a batch it
    is, and what that depends on."""

    __slots__ = (
        "action",
        "action_properties",
        "company_id",
        "context",
        "context_properties",
        "place",
        "resource",
        "resource_properties",
        "sifted",
        "subject",
        "subject_properties",
    )

    subject: str
    action: str
    resource: str
    context: dict[str, str]
    subject_properties: Any
    action_properties: Any
    resource_properties: Any
    context_properties: Any
    company_id: str
    place: int
    sifted: bytes | None

    def fill(self, defaults: Fields) -> None:
        """Take what is left out from others. A name and properties go together: nobody is given
        the properties of somebody else."""
        if not self.subject and self.subject_properties is None:
            self.subject = defaults.subject
            self.subject_properties = defaults.subject_properties
        if not self.action and self.action_properties is None:
            self.action = defaults.action
            self.action_properties = defaults.action_properties
        if not self.resource and self.resource_properties is None:
            self.resource = defaults.resource
            self.resource_properties = defaults.resource_properties
        if not self.context and self.context_properties is None:
            self.context = defaults.context
            self.context_properties = defaults.context_properties
        if not self.company_id:
            self.company_id = defaults.company_id


ALL = Wanted()
_EMPTY: dict[str, str] = {}


def _fields() -> Fields:
    """Fields of which nothing is there. Compiled, `__new__` and assignments take a fifth of a call
    of the class."""
    made = Fields.__new__(Fields)
    made.subject = made.action = made.resource = made.company_id = ""
    made.context = _EMPTY
    made.subject_properties = None
    made.action_properties = None
    made.resource_properties = None
    made.context_properties = None
    made.sifted = None
    made.place = 0
    return made


def read_check(data: bytes, depth: int, wanted: Wanted = ALL) -> Fields | None:
    """The fields of the bytes of a CheckRequest with properties up to `depth` levels deep."""
    if depth > DEEPEST:
        return None
    try:
        return Reader(data, wanted).check(len(data), depth)
    except (Unusual, UnicodeDecodeError):
        return None


def read_batch(data: bytes, depth: int, most: int) -> list[Fields] | None:
    """Those of a BatchCheckRequest of at most so many items, what they leave out filled in."""
    if depth > DEEPEST:
        return None
    try:
        return Reader(data, ALL).batch(depth, most)
    except (Unusual, UnicodeDecodeError):
        return None


def is_distinct(data: bytes) -> bool | None:
    """Whether a BatchCheckRequest asks for distinct answers; None where that is not plain."""
    reader = Reader(data, ALL)
    try:
        reader.outline(len(data))
    except Unusual:
        return None
    return reader.is_distinct


class Former:
    """Where properties were, and what was made of them."""

    __slots__ = ("length", "made", "start")

    def __init__(self) -> None:
        self.start = 0
        self.length = 0
        self.made: Any = None


class Reader:
    """Goes over the bytes of one message once. Items of a batch are often alike: `former` has what
    was made of the properties of one, a kind each."""

    __slots__ = (
        "data",
        "defaults",
        "defaults_end",
        "end",
        "former",
        "is_distinct",
        "items",
        "position",
        "wanted",
    )

    def __init__(self, data: bytes, wanted: Wanted) -> None:
        self.data = data
        self.end = len(data)
        self.position = 0
        # Of a batch, when its `outline` is known.
        self.items = 0
        self.defaults = 0
        self.defaults_end = -1
        self.is_distinct = False
        self.wanted = wanted
        self.former: list[Former] | None = None

    def outline(self, most: int) -> None:
        """Go over the parts of a BatchCheckRequest of at most so many items, and back."""
        while self.position < self.end:
            tag = self.byte()
            if tag == DISTINCT:
                self.is_distinct = self.bit() == 1
                continue
            stop = self.stop(self.end)
            if tag == ITEM and self.items < most:
                self.items += 1
            elif tag == DEFAULTS and self.defaults_end < 0:
                self.defaults = self.position
                self.defaults_end = stop
            else:
                raise Unusual
            self.position = stop
        self.position = 0

    def next_item(self) -> int:
        """Go to the next item. Returns where that ends; -1: there is none."""
        while self.position < self.end:
            tag = self.byte()
            if tag == DISTINCT:
                self.position += 1
                continue
            stop = self.stop(self.end)
            if tag == ITEM:
                return stop
            self.position = stop
        return -1

    def default_fields(self, depth: int) -> Fields | None:
        """What items leave out, where there is such."""
        if self.defaults_end < 0:
            return None
        position = self.position
        self.position = self.defaults
        made = self.check(self.defaults_end, depth)
        self.position = position
        return made

    def batch(self, depth: int, most: int) -> list[Fields]:
        """All items, what they leave out filled in."""
        self.outline(most)
        defaults = self.default_fields(depth)
        found: list[Fields] = []
        stop = self.next_item()
        while stop >= 0:
            found.append(self.item(stop, depth, defaults))
            stop = self.next_item()
        return found

    def item(self, end: int, depth: int, defaults: Fields | None) -> Fields:
        """An item that ends there."""
        if self.former is None:
            self.former = [Former(), Former(), Former(), Former()]
        made = self.check(end, depth)
        if defaults is not None:
            made.fill(defaults)
        return made

    def check(self, end: int, depth: int) -> Fields:
        made = _fields()
        seen = 0  # a bit a field
        while self.position < end:
            tag = self.byte()
            if tag == CONTEXT:
                if made.context is _EMPTY:
                    made.context = {}
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
                made.subject_properties = self.properties(tag, end, depth, self.wanted.subject)
            elif tag == ACTION_PROPERTIES:
                made.action_properties = self.properties(tag, end, depth, self.wanted.action)
            elif tag == RESOURCE_PROPERTIES:
                made.resource_properties = self.properties(tag, end, depth, self.wanted.resource)
            elif tag == CONTEXT_PROPERTIES:
                made.context_properties = self.properties(tag, end, depth, self.wanted.context)
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

    def properties(self, tag: int, within: int, depth: int, wanted: Names | None) -> Any:
        """A Struct: the former one of this field, where it is the same."""
        end = self.stop(within)
        if self.former is None:
            return self.read(end, depth, wanted)
        start = self.position
        former = self.former[(tag - SUBJECT_PROPERTIES) >> 3]
        if former.made is not None and former.length == end - start:
            if native.same_bytes(self.data, start, former.start, end - start):
                self.position = end
                return former.made
        former.made = self.read(end, depth, wanted)
        former.start = start
        former.length = end - start
        return former.made

    def read(self, end: int, depth: int, wanted: Names | None) -> Any:
        if wanted is None or wanted.blank is None:
            return self.struct(end, depth, wanted)
        return self.values(end, depth, wanted.blank[:], wanted)

    def struct(self, end: int, depth: int, wanted: Names | None) -> dict[str, object]:
        if depth == 0:
            raise Unusual
        made: dict[str, object] = {}
        former = ""
        is_sorted = True  # as our own client sends them
        while self.position < end:
            stop = self.entry(end)
            key = self.key(stop)
            if self.stop(stop) != stop:
                raise Unusual
            if wanted is not None and key not in wanted.numbers:
                self.skip(stop, depth)
                continue
            made[key] = self.value(stop, depth)
            if key < former:
                is_sorted = False
            former = key
        return made if is_sorted else {key: made[key] for key in sorted(made)}

    def values(self, end: int, depth: int, made: list[object], wanted: Names) -> list[object]:
        """The wanted values of a Struct, those that are there."""
        if depth == 0:
            raise Unusual
        while self.position < end:
            stop = self.entry(end)
            number = self.number(stop, wanted)
            if self.stop(stop) != stop:
                raise Unusual
            if number < 0:
                self.skip(stop, depth)
            else:
                made[number] = self.value(stop, depth)
        return made

    def number(self, end: int, wanted: Names) -> int:
        """The key of an entry by its place among the wanted ones, or -1; and the tag of its
        value."""
        if not wanted.are_few:
            return wanted.numbers.get(self.key(end), -1)
        if self.byte() != KEY:
            raise Unusual
        stop = self.stop(end)
        start = self.position
        self.position = stop
        found = native.find(self.data, start, stop, wanted.texts)
        if found < 0 and not native.is_ascii(self.data, start, stop):
            self.data[start:stop].decode("utf-8")
        if self.byte() != VALUE:
            raise Unusual
        return found

    def entry(self, end: int) -> int:
        """The beginning of an entry of a Struct. Returns where it ends."""
        if self.byte() != FIELD:
            raise Unusual
        return self.stop(end)

    def skip(self, end: int, depth: int) -> None:
        """Go over a value that ends there, as `value` does, and make nothing of it."""
        if self.position == end:
            raise Unusual
        kind = self.byte()
        if kind == STRING:
            self.skip_text(end)
        elif kind == NUMBER:
            if self.position + 8 > end:
                raise Unusual
            self.position += 8
        elif kind == BOOL or kind == NULL_VALUE:
            if self.bit() and kind == NULL_VALUE:
                raise Unusual
        elif kind == STRUCT and depth > 1:
            inner = self.stop(end)
            while self.position < inner:
                stop = self.entry(inner)
                if self.byte() != KEY:
                    raise Unusual
                self.skip_text(stop)
                if self.byte() != VALUE or self.stop(stop) != stop:
                    raise Unusual
                self.skip(stop, depth - 1)
        elif kind == LIST and depth > 1:
            inner = self.stop(end)
            while self.position < inner:
                if self.byte() != ELEMENT:
                    raise Unusual
                self.skip(self.stop(inner), depth - 1)
        else:
            raise Unusual
        if self.position != end:
            raise Unusual

    def skip_text(self, end: int) -> None:
        stop = self.stop(end)
        start = self.position
        self.position = stop
        if not native.is_ascii(self.data, start, stop):
            self.data[start:stop].decode("utf-8")

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
            number = native.double_at(self.data, self.position)
            self.position += 8
            if INT_LOW <= number < INT_HIGH and number % 1.0 == 0.0:
                found = int(number)
            else:
                found = number
        elif kind == BOOL or kind == NULL_VALUE:
            bit = self.bit()
            if kind == NULL_VALUE and bit:
                raise Unusual
            found = bit == 1 if kind == BOOL else None
        elif kind == STRUCT:
            found = self.struct(self.stop(end), depth - 1, None)
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

    def bit(self) -> int:
        """A bool, in one byte."""
        found = self.byte()
        if found > 1:
            raise Unusual
        return found

    def byte(self) -> int:
        if self.position >= self.end:
            raise Unusual
        byte = self.data[self.position]
        self.position += 1
        return byte
