"""Reading and comparing texts where they lie, in slots, plain dicts and the bytes of messages: what
decisions spend most of their time on.

The one part of the core with two sources. The header beside this file holds the compiled twin of
every function here, in C, because what Cython makes of this one takes three times as long; the
same tests run on both. Whoever uses it imports the module, not names, and cimports it.

Law: an answer 2 says that this is not the way: whoever asked evaluates the node, which finds out
what there is. Nothing has been paid then.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..activation import Activation
    from ..nodes import Attribute, TextTest

_double = Struct("<d")


def identity(value: object) -> int:
    """The `id` of a value, which to ask for is an event that audits may hear of."""
    return id(value)


def same_text(left: str, right: str) -> bool:
    """Whether two texts are equal."""
    return left == right


def held(read: Attribute, activation: Activation) -> Any:
    """The value of an attribute that lies in its slot, which may be unset, or in plain dicts;
    None for any other."""
    if read.kept:
        return activation.slots[read.slot]
    if read.depth == 1 and activation.variables is not None:
        holder = activation.variables.get(read.name)
        if type(holder) is dict:
            return holder.get(read.member)
    return None


def is_text(node: TextTest, activation: Activation) -> int:
    """Whether what a node tests is its text: 1 or 0."""
    value = None if node.read is None else held(node.read, activation)
    return value == node.text if type(value) is str else 2


def are_same(read: Attribute, other: Attribute, activation: Activation) -> int:
    """Whether two attributes are the same text: 1 or 0. Pays for the comparison."""
    left = held(read, activation)
    if type(left) is not str:
        return 2
    right = held(other, activation)
    if type(right) is not str:
        return 2
    activation.steps -= len(left) >> 6
    return left == right


def has_text(node: TextTest, activation: Activation) -> int:
    """Whether what a node tests is a list of texts that has its text: 1 or 0. Pays for going over
    the list."""
    value = None if node.read is None else held(node.read, activation)
    if type(value) is not list:
        return 2
    steps = len(value) * (1 + (node.size >> 6))
    if steps > activation.steps:
        return 2
    for member in value:
        if type(member) is not str:
            return 2
        if member == node.text:
            break
    else:
        member = None
    activation.steps -= steps
    return member is not None


def same_bytes(data: bytes, start: int, other: int, length: int) -> bool:
    """Whether so many bytes are the same at two places."""
    return data[start : start + length] == data[other : other + length]


def place(data: bytes, start: int, stop: int) -> int:
    """Where a text, which is not empty, is remembered: below 256."""
    return (data[start] * 7 + data[stop - 1] * 31 + stop - start) & 255


def is_spelt(text: str, data: bytes, start: int, stop: int) -> bool:
    """Whether a text is these bytes, in ASCII."""
    return text.isascii() and text.encode() == data[start:stop]


def is_ascii(data: bytes, start: int, stop: int) -> bool:
    """Whether bytes are all ASCII."""
    return data[start:stop].isascii()


def double_at(data: bytes, start: int) -> float:
    """The double in eight bytes, the lowest first."""
    found: float = _double.unpack_from(data, start)[0]
    return found


def find(data: bytes, start: int, stop: int, texts: tuple[str, ...]) -> int:
    """Which of some texts, all in ASCII, these bytes are; -1: none."""
    found = data[start:stop]
    for number, text in enumerate(texts):
        if text.encode() == found:
            return number
    return -1
