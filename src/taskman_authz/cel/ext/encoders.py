"""The library `encoders`: base64.

Law: decoding takes the standard alphabet, with padding or without, and lets line ends be; encoding
writes padding.
"""

from __future__ import annotations

import binascii
import re
from typing import Any

from ..._fast.values import Fault
from ...limits import DEFAULT, Limits
from ..functions import Implementation, Limited
from ..library import Library
from .overloads import made, takes

LATEST = 0

# fmt: off
OVERLOADS = """
0  base64.decode  base64_decode_string  (string) -> bytes
0  base64.encode  base64_encode_bytes   (bytes) -> string
"""
# fmt: on

LINE_ENDS = str.maketrans("", "", "\r\n")
BASE64 = re.compile(r"[A-Za-z0-9+/]*")


@takes("base64.decode", (str,))
def decode(text: str) -> Any:
    """The bytes that a text stands for."""
    written = text.translate(LINE_ENDS)
    digits = written.rstrip("=")
    padded = len(digits) + (-len(digits)) % 4
    whole = len(digits) % 4 != 1 and len(written) in (len(digits), padded)
    if not whole or not BASE64.fullmatch(digits):
        return Fault("invalid_argument", ("base64.decode", "not base64"))
    return binascii.a2b_base64(digits.ljust(padded, "="))


@Limited
@takes("base64.encode", (bytes,))
def encode(value: bytes, *, limits: Limits = DEFAULT) -> Any:
    """Bytes as text."""
    if (len(value) + 2) // 3 * 4 > limits.value_size:
        return Fault("limit_exceeded", ("value_size", limits.value_size))
    return binascii.b2a_base64(value, newline=False).decode("ascii")


IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("base64.decode", 1): decode,
    ("base64.encode", 1): encode,
}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("encoders", version, LATEST, OVERLOADS, IMPLEMENTATIONS)
