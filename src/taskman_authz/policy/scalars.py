"""Where each character of a YAML scalar's value stands in the text: carets need it.

Folding, indentation and chomping only ever add, drop or change white space, so the characters that
are not white space stand in the value in the order of the text. White space is told to stand right
after what precedes it.

Law: `offsets` never fails: where a value cannot be followed, the rest stands where that began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .yaml_reader import Extent

_PROPERTY = re.compile(r"[&!]\S*\s+")
_HEX_LENGTH = {"x": 2, "u": 4, "U": 8}
_CONTROL = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "N": "\x85", "_": "\xa0"}
_BLANK = frozenset(" tnrvfLP\t\n\r\x85\u2028\u2029")  # what follows `\` and yields white space


def offsets(text: str, extent: Extent) -> list[int]:
    """The offset in `text` of every character of the scalar's value, and of its end."""
    solid = _solid(text, extent)
    found: list[int] = []
    after = content_start(text, extent)
    for character in extent.value:
        if not character.isspace():
            start, after = next(solid, (after, after))
            found.append(start)
        else:
            found.append(after)
    found.append(after)
    return found


def value_start(text: str, extent: Extent) -> int:
    """Where the value begins after an anchor or a tag, with its opening quote or its header."""
    start = extent.start
    while match := _PROPERTY.match(text, start, extent.end):
        start = match.end()
    return start


def content_start(text: str, extent: Extent) -> int:
    """Where the content begins: after the opening quote or a block's header."""
    start = value_start(text, extent)
    if extent.style in ("|", ">"):
        line_end = text.find("\n", start, extent.end)
        return extent.end if line_end < 0 else line_end + 1
    return start + 1 if extent.style else start


def _solid(text: str, extent: Extent) -> Iterator[tuple[int, int]]:
    """Start and end of all that yields a character of the value which is not white space."""
    end = extent.end - 1 if extent.style in ("'", '"') else extent.end
    position = content_start(text, extent)
    while position < end:
        after, solid = _unit(text, position, extent.style)
        if solid:
            yield position, after
        position = after


def _unit(text: str, position: int, style: str) -> tuple[int, bool]:
    """The end of the character or escape at `position`, and whether it is not white space."""
    character = text[position]
    if style == "'" and character == "'":
        return position + 2, True
    if style != '"' or character != "\\":
        return position + 1, not character.isspace()
    escape = text[position + 1]
    if escape in _HEX_LENGTH:
        end = position + 2 + _HEX_LENGTH[escape]
        return end, not chr(int(text[position + 2 : end], 16)).isspace()
    if escape in _CONTROL:
        return position + 2, not _CONTROL[escape].isspace()
    return position + 2, escape not in _BLANK
