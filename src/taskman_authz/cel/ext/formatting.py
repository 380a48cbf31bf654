"""`format`: a text with clauses such as `%s` and `%.2f`, and the values that take their places.

The specification of the strings extension says what each clause takes and writes. Nothing depends
on the machine's language: the decimal separator is a point.

Laws: a value that holds itself is written until the limit of a value's size, never for ever; a
clause that takes no value of this type is a Fault that names the clause.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

from ..._fast.access import adapt, entries, is_map
from ..._fast.activation import Activation, extent
from ..._fast.calls import CALL, WORK
from ..._fast.times import SECOND, Duration, Timestamp, timestamp_text
from ..._fast.tree import ListExpr
from ..._fast.values import CelType, Fault, UInt
from ...limits import Limits
from ..check_messages import shown
from ..constants import ConstantCall, Flaw
from ..functions import Limited, metered
from ..types import Kind
from .overloads import no_overload, takes

PRECISION = 6  # where a clause does not say it
CLAUSE = re.compile(r"%(?:%|(?:\.(?P<precision>[0-9]*))?(?P<conversion>[^%])?)", re.DOTALL)
SURROGATES = re.compile("[\udc80-\udcff]+")  # what bytes that are no UTF-8 are read as


def invalid(why: str) -> Fault:
    return Fault("invalid_argument", ("format", why))


@metered
@Limited
@takes("format", (str, list), (str, tuple))
def format_text(template: str, arguments: list[Any], *, limits: Limits, meter: Activation) -> Any:
    """The template with the arguments in the places of its clauses, in their order."""
    parts: list[str] = []
    room = limits.value_size
    used = end = 0
    for clause in CLAUSE.finditer(template):
        parts.append(template[end : clause.start()])
        end = clause.end()
        piece: Any = "%"
        if clause[0] != "%%":
            if used >= len(arguments):
                return invalid(f"there is no argument for `{clause[0]}`, the clause {used + 1}")
            piece = converted(clause, adapt(arguments[used]), room, limits, meter)
            used += 1
        if type(piece) is Fault:
            return piece
        parts.append(piece)
        room -= len(piece)
        if room < 0:
            break
    parts.append(template[end:])
    if sum(map(len, parts)) > limits.value_size:
        return Fault("limit_exceeded", ("value_size", limits.value_size))
    return "".join(parts)


def converted(
    clause: re.Match[str], value: Any, room: int, limits: Limits, meter: Activation
) -> Any:
    """What a clause writes for a value: a str or a Fault."""
    if type(value) is Fault:
        return value
    precision = precision_of(clause, limits)
    if type(precision) is Fault:
        return precision
    if not meter.pay(CALL + WORK * extent(value)):
        return meter.spent()
    conversion = clause["conversion"]
    if conversion == "s":
        return text_of(value, room, limits, meter)
    found = CONVERSIONS[conversion](value, precision)
    return no_overload(f"%{conversion}", value) if found is None else found


def precision_of(clause: re.Match[str], limits: Limits) -> Any:
    """How many digits a clause asks for; a Fault if it is no clause."""
    conversion = clause["conversion"]
    if conversion is None:
        return invalid(f"`{clause[0]}` is no whole clause")
    digits = clause["precision"]
    precision = PRECISION
    if digits is not None:
        if not digits:
            return invalid(f"`{clause[0]}` has no digits behind its point")
        significant = digits.lstrip("0") or "0"
        most = limits.format_precision
        if len(significant) > len(str(most)) or int(significant) > most:
            return Fault("limit_exceeded", ("format_precision", most))
        precision = int(significant)
    if conversion != "s" and conversion not in CONVERSIONS:
        return invalid(f"`{clause[0]}` is no clause")
    return precision


# -- templates that are constants ---------------------------------------------------------------


def format_flaws(call: ConstantCall, limits: Limits) -> Iterator[Flaw]:
    """Clauses that are none, and, where the arguments are written out, how many there are and
    what types they have."""
    template, arguments = call.parts
    text = call.value(0)
    if type(text) is not str:
        return
    clauses = [clause for clause in CLAUSE.finditer(text) if clause[0] != "%%"]
    found = [(clause, precision_of(clause, limits)) for clause in clauses]
    wrong = [(clause, fault) for clause, fault in found if type(fault) is Fault]
    for clause, fault in wrong:
        yield Flaw(template, fault, clause.start())
    if wrong or type(arguments) is not ListExpr or arguments.optionals:
        return
    given = arguments.elements
    if len(given) < len(clauses):
        clause = clauses[len(given)]
        why = f"there is no argument for `{clause[0]}`, the clause {len(given) + 1}"
        yield Flaw(template, invalid(why), clause.start())
    elif len(clauses) < len(given):
        why = f"there is no clause for the argument {len(clauses) + 1}"
        yield Flaw(given[len(clauses)], invalid(why))
    for clause, argument in zip(clauses, given, strict=False):
        conversion, kind = clause["conversion"], call.types[argument.id]
        if conversion in TAKES and kind.kind in KNOWN - TAKES[conversion]:
            fault = Fault("no_such_overload", (f"%{conversion}", shown(kind)))
            yield Flaw(argument, fault)


INTEGERS = frozenset({Kind.INT, Kind.UINT})
NUMBERS = INTEGERS | {Kind.DOUBLE}
# What a value of such a type is, is known before it is evaluated.
KNOWN = NUMBERS | {
    *(Kind.NULL, Kind.BOOL, Kind.STRING, Kind.BYTES, Kind.LIST, Kind.MAP, Kind.TYPE),
    *(Kind.TIMESTAMP, Kind.DURATION),
}
TAKES: dict[str, frozenset[Kind]] = {
    "d": NUMBERS,
    "f": NUMBERS,
    "e": NUMBERS,
    "b": INTEGERS | {Kind.BOOL},
    "o": INTEGERS,
    "x": INTEGERS | {Kind.STRING, Kind.BYTES},
    "X": INTEGERS | {Kind.STRING, Kind.BYTES},
}


# -- numbers: None for a value that the clause does not take ------------------------------------


def special(value: float) -> str | None:
    """NaN and the infinities, which all clauses write alike."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return None


def decimal(value: Any, precision: int) -> str | None:
    """`%d`"""
    if type(value) is float:
        return double(value)
    return str(int(value)) if is_integer(value) else None


def double(value: float) -> str:
    """The shortest decimal number that reads back as this double, without an exponent."""
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return special(value) or text.removesuffix(".0")


def fixed(value: Any, precision: int) -> str | None:
    """`%f`; the digits are those of the double itself, and halves of it go to the even one."""
    if type(value) is float or is_integer(value):
        return special(value) or f"{float(value):.{precision}f}"
    return None


def scientific(value: Any, precision: int) -> str | None:
    """`%e`"""
    if type(value) is float or is_integer(value):
        return special(value) or f"{float(value):.{precision}e}"
    return None


def binary(value: Any, precision: int) -> str | None:
    """`%b`"""
    return f"{int(value):b}" if type(value) is bool or is_integer(value) else None


def octal(value: Any, precision: int) -> str | None:
    """`%o`"""
    return f"{int(value):o}" if is_integer(value) else None


def hexadecimal(value: Any, precision: int) -> Any:
    """`%x`; of a string, its UTF-8."""
    if type(value) is str:
        try:
            return value.encode().hex()
        except UnicodeEncodeError:
            return invalid("a lone surrogate")
    if type(value) is bytes:
        return value.hex()
    return f"{int(value):x}" if is_integer(value) else None


def upper_hexadecimal(value: Any, precision: int) -> Any:
    """`%X`"""
    found = hexadecimal(value, precision)
    return found.upper() if type(found) is str else found


def is_integer(value: Any) -> bool:
    return type(value) is int or type(value) is UInt


CONVERSIONS: dict[str, Callable[[Any, int], Any]] = {
    "d": decimal,
    "f": fixed,
    "e": scientific,
    "b": binary,
    "o": octal,
    "x": hexadecimal,
    "X": upper_hexadecimal,
}


# -- `%s` ---------------------------------------------------------------------------------------


def text_of(value: Any, room: int, limits: Limits, meter: Activation) -> Any:
    """Any value of the language as text; a Fault if that has more than `room` characters.

    Without recursion: `pending` holds what is still to be written, the next one last; a text as it
    is, a value in a tuple of one.
    """
    too_large = Fault("limit_exceeded", ("value_size", limits.value_size))
    texts: list[str] = []
    pending: list[Any] = [(value,)]
    while pending:
        item = pending.pop()
        if type(item) is tuple:
            # Every pending item takes a character at least, but for the value just taken.
            if not meter.pay(WORK):
                return meter.spent()
            item = opened(item[0], pending) if len(pending) <= room else too_large
            if type(item) is Fault:
                return item
        texts.append(item)
        room -= len(item)
        if room < 0:
            return too_large
    return "".join(texts)


def opened(value: Any, pending: list[Any]) -> Any:
    """The text of a value without parts. Of a list or a map the bracket that it begins with: what
    comes behind it is made pending."""
    write = SIMPLE.get(type(value))
    if write is not None:
        return write(value)
    if type(value) is list or type(value) is tuple:
        return opened_list(value, pending)
    if is_map(value):
        return opened_map(value, pending)
    return value if type(value) is Fault else no_overload("%s", value)


def opened_list(value: Sequence[Any], pending: list[Any]) -> str:
    pending.append("]")
    for number in range(len(value) - 1, -1, -1):
        pending.append((adapt(value[number]),))
        if number:
            pending.append(", ")
    return "["


def opened_map(value: Any, pending: list[Any]) -> Any:
    """Entries stand in the order of their keys' texts."""
    found = entries(value)
    if type(found) is Fault:
        return found
    named = []
    for key, member in found.items():
        write = KEYS.get(type(adapt(key)))
        if write is None:
            return no_overload("map key", key)
        named.append((write(adapt(key)), member))
    named.sort(key=itemgetter(0))
    pending.append("}")
    for number in range(len(named) - 1, -1, -1):
        key, member = named[number]
        pending.append((adapt(member),))
        pending.append(f", {key}: " if number else f"{key}: ")
    return "{"


def bytes_text(value: bytes) -> str:
    """Bytes as UTF-8; what is not is replaced, a run of it by one character."""
    return SURROGATES.sub("\ufffd", value.decode("utf-8", "surrogateescape"))


KEYS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    UInt: lambda value: str(int(value)),
    str: lambda value: value,
}
SIMPLE: dict[type, Callable[[Any], str]] = {
    **KEYS,
    type(None): lambda value: "null",
    float: double,
    bytes: bytes_text,
    Timestamp: timestamp_text,
    Duration: lambda value: f"{double(value.ns / SECOND)}s",
    CelType: lambda value: value.name,
}
