"""Of the bytes of a question those that its decision depends on.

The header beside this file holds the compiled twin, in C; the same tests run on both.

Law: what is left out was looked at as `messages.Reader` looks at it, and more strictly where that
is quicker; what is kept is kept as it stands, in its order, so that two questions of which the same
is kept say the same. `None` says that this is not the way: whoever asked reads the message.
"""

from __future__ import annotations

from typing import Any

from . import place

LONGEST = 512  # bytes that are kept
NEAR = 1_024  # places for what was looked up lately

RESOURCE, LAST = 0x1A, 0x4A
PROPERTIES = (0x2A, 0x32, 0x3A, 0x42)  # of subject, action, resource and context
FIELD = KEY = 0x0A
VALUE = 0x12
NULL_VALUE, NUMBER, STRING, BOOL, STRUCT, LIST = 0x08, 0x11, 0x1A, 0x20, 0x2A, 0x32


def new_near() -> list[Any]:
    """Places where nothing is yet. Each is for a dict, a key of it, and its value: what is found
    again there need not be made, and hashed, as the dict wants it."""
    return [None] * (3 * NEAR)


def put(near: list[Any], known: dict[bytes, Any], kept: bytes, value: object) -> None:
    """Note what `known` has under `kept`."""
    place = _place_of(kept)
    near[place : place + 3] = known, kept, value


def sift(
    near: list[Any],
    known: dict[bytes, Any] | None,
    data: bytes,
    start: int,
    stop: int,
    cells: tuple[list[tuple[bytes, ...] | None] | None, ...],
    keeps_id: bool,
    longest: int,
    depth: int,
) -> Any:
    """What `near` has of `known` under what is kept of a CheckRequest; where there is nothing, what
    is kept. That is everything but the resource's id, unless `keeps_id`, and the properties, of
    each kind in the order of their fields, that are not among its `cells` (by `native.place`; None:
    all are kept). `depth` is how deep properties may be, `longest` how long an id may."""
    out = bytearray()
    while start < stop:
        tag = data[start]
        begin, end = _span(data, start + 1, stop)
        if tag & 7 != 2 or not 8 < tag <= LAST or end < 0:
            return None
        kept = cells[PROPERTIES.index(tag)] if tag in PROPERTIES else None
        if kept is not None:
            out.append(tag)
            if not _properties(out, data, begin, end, kept, depth):
                return None
            out.append(0)  # where no entry begins
        elif tag == RESOURCE and not keeps_id:
            id = data.find(b"/", begin, end) + 1
            if not id or not 0 < end - id <= longest or not _is_text(data, id, end):
                return None
            out.append(tag)
            out += data[begin:id]
        else:
            out += data[start:end]
        start = end
    if len(out) > LONGEST:
        return None
    sifted = bytes(out)
    number = _place_of(sifted)
    if known is not None and near[number] is known and near[number + 1] == sifted:
        return near[number + 2]
    return sifted


def _place_of(kept: bytes) -> int:
    return hash(kept) % NEAR * 3


def _properties(
    out: bytearray,
    data: bytes,
    start: int,
    stop: int,
    kept: list[tuple[bytes, ...] | None],
    depth: int,
) -> bool:
    """Keep some entries of a Struct. Whether all are in the plain form."""
    while start < stop:
        begin, end = _span(data, start + 1, stop)
        if data[start] != FIELD or begin >= end or data[begin] != KEY:
            return False
        key, value = _span(data, begin + 1, end)
        if value < 0:
            return False
        names = kept[place(data, key, value) if key < value else 0]
        if names is not None and data[key:value] in names:
            out += data[start:end]
        elif not _is_text(data, key, value) or not _is_entry_value(data, value, end, depth):
            return False
        start = end
    return True


def _is_entry_value(data: bytes, start: int, stop: int, depth: int) -> bool:
    """Whether there is the tag of a value, and one that ends there."""
    if start >= stop or data[start] != VALUE:
        return False
    start, end = _span(data, start + 1, stop)
    return end == stop and _is_value(data, start, stop, depth)


def _is_value(data: bytes, start: int, stop: int, depth: int) -> bool:
    """Whether this is a Value in the plain form."""
    if start >= stop:
        return False
    kind = data[start]
    start += 1
    if kind == NUMBER:
        return stop - start == 8
    if kind == BOOL or kind == NULL_VALUE:
        return stop - start == 1 and data[start] <= (1 if kind == BOOL else 0)
    start, end = _span(data, start, stop)
    if end != stop:
        return False
    if kind == STRING:
        return _is_text(data, start, stop)
    if (kind != STRUCT and kind != LIST) or depth <= 1:
        return False
    while start < stop:
        begin, end = _span(data, start + 1, stop)
        if end < 0 or data[start] != FIELD:
            return False
        if kind == LIST:
            if not _is_value(data, begin, end, depth - 1):
                return False
        else:
            if begin >= end or data[begin] != KEY:
                return False
            key, value = _span(data, begin + 1, end)
            if value < 0 or not _is_text(data, key, value):
                return False
            if not _is_entry_value(data, value, end, depth - 1):
                return False
        start = end
    return True


def _span(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where what has its length here begins and ends; an end of -1: it is not all there."""
    length, shift = 0, 0
    while start < stop and shift < 28:
        byte = data[start]
        length |= (byte & 127) << shift
        start += 1
        shift += 7
        if byte < 128:
            return (start, start + length) if length <= stop - start else (0, -1)
    return 0, -1


def _is_text(data: bytes, start: int, stop: int) -> bool:
    """Whether bytes are UTF-8."""
    try:
        data[start:stop].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
