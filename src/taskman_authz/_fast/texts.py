"""The standard functions of strings, and `size`.

Law: every function takes core values and gives a core value or a `Fault`; arguments of other types
give `no_such_overload`, never an exception. A string is counted in code points.
"""

from __future__ import annotations

from collections.abc import Callable

from .access import is_map, keys
from .patterns import matches
from .values import Fault, type_name

_SIZED = (str, bytes, list, tuple, dict)


def size(value: object) -> int | Fault:
    """Code points of a string, bytes of bytes, elements of a list, entries of a map."""
    if isinstance(value, _SIZED):
        return len(value)
    if not is_map(value):
        return Fault("no_such_overload", ("size", type_name(value)))
    found = keys(value)
    return found if type(found) is Fault else len(found)


def contains(text: object, part: object) -> bool | Fault:
    """Whether `part` occurs in `text`; the empty string occurs in every string."""
    if isinstance(text, str) and isinstance(part, str):
        return part in text
    return Fault("no_such_overload", ("contains", type_name(text), type_name(part)))


def starts_with(text: object, prefix: object) -> bool | Fault:
    """Whether `text` begins with `prefix`."""
    if isinstance(text, str) and isinstance(prefix, str):
        return text.startswith(prefix)
    return Fault("no_such_overload", ("startsWith", type_name(text), type_name(prefix)))


def ends_with(text: object, suffix: object) -> bool | Fault:
    """Whether `text` ends with `suffix`."""
    if isinstance(text, str) and isinstance(suffix, str):
        return text.endswith(suffix)
    return Fault("no_such_overload", ("endsWith", type_name(text), type_name(suffix)))


# Name and number of arguments (a member call's target is the first) → the function.
FUNCTIONS: dict[tuple[str, int], Callable[..., object]] = {
    ("size", 1): size,
    ("contains", 2): contains,
    ("startsWith", 2): starts_with,
    ("endsWith", 2): ends_with,
    ("matches", 2): matches,
}
