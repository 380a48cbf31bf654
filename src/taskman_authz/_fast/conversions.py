"""Conversions between the types of the language: `int("7")`, `string(1.5)`, `timestamp(0)`, …

Laws:
- A conversion is exact or, from double to int, cuts towards zero; what does not fit is an
  `overflow` fault, a text that is not one of the type's is `invalid_argument`.
- Texts are read and written the same on every machine: ASCII digits, a point, no blanks, no
  underscores.
- Pairs of types that the language does not convert give `no_such_overload`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeGuard

from .times import (
    SECOND,
    Duration,
    Timestamp,
    duration_text,
    parse_duration,
    parse_timestamp,
    timestamp_of,
    timestamp_text,
)
from .values import INT_MAX, INT_MIN, UINT_MAX, CelType, Fault, UInt, type_name, uint

# No 64-bit number has more digits; a longer text need not be read to be refused.
_DIGITS = 20
_BOOLS = {
    "1": True,
    "t": True,
    "true": True,
    "TRUE": True,
    "True": True,
    "0": False,
    "f": False,
    "false": False,
    "FALSE": False,
    "False": False,
}


def _no_overload(function: str, value: object) -> Fault:
    return Fault("no_such_overload", (function, type_name(value)))


def _is_int(value: object) -> TypeGuard[int]:
    """Whether a value is an int of the language: Python's bool is an int too, ours is not."""
    return type(value) is int or (isinstance(value, int) and not isinstance(value, (bool, UInt)))


def _digits(text: str, function: str) -> int | Fault:
    """The number that decimal digits mean."""
    if not (text.isascii() and text.isdigit()):
        return Fault("invalid_argument", (function, "not a decimal number"))
    significant = text.lstrip("0")
    if len(significant) > _DIGITS:
        return Fault("overflow", (function,))
    return int(significant or "0")


def to_int(value: object) -> object:
    """int(): of a uint, a double (cut towards zero), a decimal text, a timestamp (in seconds)."""
    if isinstance(value, UInt):
        return int(value) if value <= INT_MAX else Fault("overflow", ("int",))
    if _is_int(value):
        return value
    if isinstance(value, float):
        # Both ends are out: 2**63 is, and a double cannot tell -2**63 from what lies below it.
        return int(value) if INT_MIN < value < -INT_MIN else Fault("overflow", ("int",))
    if isinstance(value, str):
        return _text_to_int(value)
    if type(value) is Timestamp:
        return value.ns // SECOND
    return _no_overload("int", value)


def _text_to_int(text: str) -> int | Fault:
    signed = text[:1] in ("+", "-")
    number = _digits(text[1:] if signed else text, "int")
    if not isinstance(number, int):
        return number
    if text[0] == "-":
        number = -number
    return number if INT_MIN <= number <= INT_MAX else Fault("overflow", ("int",))


def to_uint(value: object) -> object:
    """uint(): of an int that is not negative, a double (cut towards zero), a decimal text."""
    if isinstance(value, UInt):
        return value
    if _is_int(value):
        return uint(value) if value >= 0 else Fault("overflow", ("uint",))
    if isinstance(value, float):
        return uint(int(value)) if 0 <= value < UINT_MAX + 1 else Fault("overflow", ("uint",))
    if isinstance(value, str):
        number = _digits(value, "uint")
        if not isinstance(number, int):
            return number
        return uint(number) if number <= UINT_MAX else Fault("overflow", ("uint",))
    return _no_overload("uint", value)


def to_double(value: object) -> object:
    """double(): of an int or uint (to the nearest double), or a text."""
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return _text_to_double(value)
    return _no_overload("double", value)


def _text_to_double(text: str) -> float | Fault:
    """A decimal number, with or without exponent; `NaN`, `Inf` and `Infinity` in any case."""
    # float() also takes blanks around the number, underscores within, and other scripts' digits.
    if text.isascii() and "_" not in text and not (text[:1].isspace() or text[-1:].isspace()):
        try:
            number = float(text)
        except ValueError:
            return Fault("invalid_argument", ("double", "not a number"))
        if math.isinf(number) and "n" not in text.lower():
            return Fault("overflow", ("double",))
        return number
    return Fault("invalid_argument", ("double", "not a number"))


def to_bool(value: object) -> object:
    """bool(): of one of the ten texts `1 t true TRUE True 0 f false FALSE False`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        known = _BOOLS.get(value)
        return known if known is not None else Fault("invalid_argument", ("bool", "not a bool"))
    return _no_overload("bool", value)


def to_string(value: object) -> object:
    """string(): of a number, a bool, UTF-8 bytes, a timestamp or a duration."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return Fault("invalid_argument", ("string", "invalid UTF-8"))
    if type(value) is Timestamp:
        return timestamp_text(value)
    if type(value) is Duration:
        return duration_text(value)
    return _no_overload("string", value)


def double_text(value: float) -> str:
    """The shortest decimal text that reads back as this double: `1`, `0.5`, `1e+06`, `-2.5e-07`.

    The definition leaves the form open; as in Go's `%g`, there is an exponent where it would be
    below -4 or above 5.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if abs(value) < 1e6 or "e" in text:
        return text.removesuffix(".0")
    sign = "-" if value < 0 else ""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    point = "." if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}{digits[1:]}e+{len(whole) - 1:02d}"


def to_bytes(value: object) -> object:
    """bytes(): of a string, as UTF-8."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError:
            return Fault("invalid_argument", ("bytes", "a lone surrogate"))
    return _no_overload("bytes", value)


def to_timestamp(value: object) -> object:
    """timestamp(): of RFC 3339 text, or of seconds since the epoch."""
    if type(value) is Timestamp:
        return value
    if isinstance(value, str):
        return parse_timestamp(value)
    if _is_int(value):
        return timestamp_of(value * SECOND, "timestamp")
    return _no_overload("timestamp", value)


def to_duration(value: object) -> object:
    """duration(): of a text such as `1h30m`."""
    if type(value) is Duration:
        return value
    if isinstance(value, str):
        return parse_duration(value)
    return _no_overload("duration", value)


def to_type(value: object) -> CelType:
    """type(): the type of a value, as a value."""
    return CelType(type_name(value))


def to_dyn(value: object) -> object:
    """dyn(): the value itself; it only tells the checker to let go."""
    return value


# Name and number of arguments → the function.
FUNCTIONS: dict[tuple[str, int], Callable[..., object]] = {
    ("int", 1): to_int,
    ("uint", 1): to_uint,
    ("double", 1): to_double,
    ("bool", 1): to_bool,
    ("string", 1): to_string,
    ("bytes", 1): to_bytes,
    ("timestamp", 1): to_timestamp,
    ("duration", 1): to_duration,
    ("type", 1): to_type,
    ("dyn", 1): to_dyn,
}
