"""Constants that cannot be right: what a call is certain to fail at, whatever the variables are.

A pattern that does not compile, a duration or a time that is none, a divisor of zero, an index past
the end of a list that is written out. The language evaluates them to errors, which `||` and `?:`
may absorb, so only an environment with `strict_constants` refuses them.

Laws: only what fails wherever it is evaluated is told, at the constant, within it where that can be
said. A call is known by the id of its one overload, so a function of the same name that means
another thing is left alone. Libraries say what is to be known of theirs (`Library.constants`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from .._fast.activation import Activation
from .._fast.patterns import remembered, steps_of
from .._fast.times import Timestamp
from .._fast.tree import Expr, ListExpr, Literal
from .._fast.values import Fault
from ..limits import Limits
from . import functions
from .check_messages import Said
from .messages import fault_message
from .stdlib import STANDARD_FUNCTIONS
from .types import Type


class ConstantCall(NamedTuple):
    """A call as a check of constants sees it: its `parts`, a target first, and the types found.
    `patterns` pays for what planning the patterns of the expression takes."""

    parts: tuple[Expr, ...]
    types: Mapping[int, Type]
    patterns: Activation

    def value(self, number: int) -> Any:
        """The constant that part `number` writes; `NOTHING` if it is none."""
        part = self.parts[number]
        return part.value if type(part) is Literal else NOTHING


class Flaw(NamedTuple):
    """What evaluating `part` comes to; in a text, at code point `offset` of it."""

    part: Expr
    fault: Fault
    offset: int = -1

    @property
    def said(self) -> Said:
        return self.fault.code, fault_message(self.fault), ""

    def position(self, text: str) -> int:
        """Where in the text of the expression a caret should point."""
        return self.part.position if self.offset < 0 else _within(text, self.part, self.offset)


ConstantCheck = Callable[[ConstantCall, Limits], Iterator[Flaw]]
NOTHING = object()

_QUOTE = re.compile(r"""([rR]?)('{3}|"{3}|'|")""")
_RAW = re.compile(r".", re.DOTALL)
_ESCAPED = re.compile(
    r"\\(?:[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)|.", re.DOTALL
)


def _within(text: str, literal: Expr, offset: int) -> int:
    """Where a literal writes code point `offset` of its text."""
    opened = _QUOTE.match(text, literal.position)
    if opened is None:
        return literal.position
    written = (_RAW if opened[1] else _ESCAPED).finditer(text, opened.end())
    found = next(islice(written, offset, None), None)
    return literal.position if found is None else found.start()


def argument(number: int, evaluate: Callable[[Any], Any]) -> ConstantCheck:
    """Argument `number` is a constant of which `evaluate` gives a Fault."""

    def check(call: ConstantCall, limits: Limits) -> Iterator[Flaw]:
        value = call.value(number)
        found = None if value is NOTHING else evaluate(value)
        if type(found) is Fault:
            yield Flaw(call.parts[number], found)

    return check


# -- patterns -------------------------------------------------------------------------------------


Compile = Callable[[str, Limits, Activation], Any]


def planned(text: str, limits: Limits, meter: Activation) -> Any:
    """What `matches` looks for, or the Fault of a pattern; `meter` pays for planning it."""
    if meter.steps < 0:
        return meter.spent()
    found = remembered(text, limits.regex_length)
    return found if meter.pay(steps_of(found, "")) else meter.spent()


def pattern(number: int, compile: Compile = planned) -> ConstantCheck:
    """Argument `number` is a regular expression of which `compile` gives a Fault."""

    def check(call: ConstantCall, limits: Limits) -> Iterator[Flaw]:
        text = call.value(number)
        found = compile(text, limits, call.patterns) if type(text) is str else None
        if type(found) is Fault:
            wrong = found.code == "invalid_regex"
            place = _pattern_offset(text, found, limits, call.patterns) if wrong else -1
            yield Flaw(call.parts[number], found, place)

    return check


def _pattern_offset(text: str, fault: Fault, limits: Limits, meter: Activation) -> int:
    """Where a pattern goes wrong: at the part that RE2 names, if it is there once; else where the
    longest of its beginnings ends that is a pattern. -1: nowhere in particular."""
    part = str(fault.details[0]).partition(": ")[2]
    if part and part != text and text.count(part) == 1:
        return text.index(part)
    for end in range(len(text), -1, -1):
        if type(planned(text[:end], limits, meter)) is not Fault:
            return end
    return -1


# -- the standard library -------------------------------------------------------------------------


def _divisor(code: str) -> ConstantCheck:
    return argument(1, lambda value: Fault(code) if value == 0 else value)


def _list_index(call: ConstantCall, limits: Limits) -> Iterator[Flaw]:
    container, index = call.parts[0], call.value(1)
    if type(container) is ListExpr and not container.optionals and index is not NOTHING:
        size = len(container.elements)
        if not 0 <= index < size:
            yield Flaw(call.parts[1], Fault("index_out_of_range", (index, size)))


def _zones() -> Iterator[tuple[str, ConstantCheck]]:
    """The functions of timestamps that take the name of a time zone."""
    for function in STANDARD_FUNCTIONS:
        for overload in function.overloads:
            if overload.id.startswith("timestamp_to_") and len(overload.arguments) == 2:
                yield overload.id, argument(1, _in_zone(functions.STANDARD[function.name, 2]))


def _in_zone(implementation: functions.Implementation) -> Callable[[Any], Any]:
    return lambda zone: implementation(Timestamp(0), zone)


def _conversions() -> Iterator[tuple[str, ConstantCheck]]:
    for name in ("bool", "double", "duration", "int", "timestamp", "uint"):
        short = {"int": "int64", "uint": "uint64"}.get(name, name)
        yield f"string_to_{short}", argument(0, functions.STANDARD[name, 1])


STANDARD: Mapping[str, ConstantCheck] = {
    **dict(_conversions()),
    **dict(_zones()),
    "matches": pattern(1),
    "matches_string": pattern(1),
    "divide_int64": _divisor("division_by_zero"),
    "divide_uint64": _divisor("division_by_zero"),
    "modulo_int64": _divisor("modulus_by_zero"),
    "modulo_uint64": _divisor("modulus_by_zero"),
    "index_list": _list_index,
}
