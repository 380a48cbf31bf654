"""Values as the literals that write them: the way back from `_fast.lexis`.

Law: the literal of a value, parsed, is that value again (in NaN and the infinities, which no
literal writes, a call of `double`).
"""

from __future__ import annotations

import math
import re
from typing import Any

from .._fast.scanner import KEYWORDS
from .._fast.values import UInt

SIMPLE = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", "'": r"\'",
}  # fmt: skip
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEYWORD_NAMES = frozenset(KEYWORDS) | {"in"}


def literal_text(value: Any) -> str:
    """The literal of null, a bool, number, string or bytes; of anything else its Python form."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, UInt):
        return f"{int(value)}u"
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, str):
        return f"'{''.join(map(character_text, value))}'"
    if isinstance(value, bytes):
        return f"b'{''.join(map(octet_text, value))}'"
    return str(value)


def double_text(value: float) -> str:
    """The shortest literal of a double; NaN and infinities as what makes them."""
    if math.isfinite(value):
        text = repr(value)
        return text if "." in text or "e" in text else f"{text}.0"
    return f"double('{value}')"


def character_text(char: str) -> str:
    """A character inside of a string in single quotes."""
    if char in SIMPLE:
        return SIMPLE[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def octet_text(octet: int) -> str:
    """An octet inside of bytes in single quotes."""
    char = chr(octet)
    if char in SIMPLE:
        return SIMPLE[char]
    return char if 0x20 <= octet < 0x7F else f"\\x{octet:02x}"


def field_text(name: str) -> str:
    """A field's name behind a dot or before a colon: in backticks where it must be."""
    if PLAIN_NAME.fullmatch(name) and name not in KEYWORD_NAMES:
        return name
    return f"`{name}`"
