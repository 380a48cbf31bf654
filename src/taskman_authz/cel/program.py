"""A compiled expression: `program.evaluate({...})`, plain Python values in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .._fast.access import EntityValue, adapt, entries
from .._fast.evaluator import Evaluator
from .._fast.nodes import Node, placed
from .._fast.relations import VALUE_DEPTH
from .._fast.times import Duration, Timestamp
from .._fast.values import Fault, MixedMap, ObjectValue, OptionalValue, UInt
from ..errors import EvaluationError
from .checker import Checked
from .layout import Layout
from .messages import fault_message
from .observation import Observable
from .optional import Optional
from .parser import Parsed
from .source import Source
from .times import to_datetime, to_timedelta
from .types import Type


class Origin(Protocol):
    """Where a program is from, and can be compiled again."""

    def parse(self, source: Source) -> Parsed:
        """Its tree."""

    def check_tree(self, parsed: Parsed) -> Checked:
        """That tree, checked. Raises CompileError where it was not and does not."""

    def observable(self, source: Source) -> Observable:
        """The expression as one whose parts can be watched."""


class Program(Evaluator):
    """An expression that can be evaluated any number of times, by any number of threads.

    `evaluate(variables)` gives the value as plain Python: None, bool, int, `UInt`, float, str,
    bytes, list, dict (`MixedMap` where both bools and numbers are keys), `cel.Timestamp` (a
    datetime), `cel.Duration` (a timedelta), `cel.CelType`, `cel.Optional`, or an object of the
    caller's own. Raises EvaluationError where the value is an error. `value(variables)` gives the
    core's value, which may be a Fault. `type` is the type that the checker found.
    """

    __slots__ = ("origin", "source", "type")

    def __init__(
        self, node: Node, layout: Layout, source: Source, type: Type, origin: Origin
    ) -> None:
        super().__init__(node, layout.slots, layout.registers, len(layout.roots))
        self.source = source
        self.type = type
        self.origin = origin

    def observable(self) -> Observable:
        """The same expression as one whose parts can be watched. It is compiled anew: a program
        keeps no tree."""
        return self.origin.observable(self.source)

    def core_variables(self, variables: Any) -> Any:
        """What the core is given for the variables that `evaluate` is given."""
        return variables or {}

    def finish(self, value: Any) -> Any:
        if type(value) is Fault:
            raise evaluation_error(value, self.source)
        found = placed(plain(value), self.node.position)
        if type(found) is Fault:
            raise evaluation_error(found, self.source)
        return found

    def __repr__(self) -> str:
        return f"<Program {self.source.text!r}: {self.type}>"


def plain(value: Any, depth: int = VALUE_DEPTH) -> Any:
    """A value of the core as plain Python, or the Fault of a part of it. Containers are new ones,
    all the way down: a caller may change them. An object of the caller's own is given back."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is Timestamp:
        return to_datetime(value)
    if kind is Duration:
        return to_timedelta(value)
    if kind is list or kind is tuple:
        return _plain_list(value, depth)
    if kind is OptionalValue:
        return _plain_optional(value, depth)
    if kind is MixedMap:
        members = _plain_list(value.values(), depth)
        return members if type(members) is Fault else MixedMap(zip(value, members, strict=True))
    if kind is EntityValue or isinstance(value, Mapping):
        found = entries(value)
        if type(found) is Fault:
            return found
        members = _plain_list(found.values(), depth)
        return members if type(members) is Fault else dict(zip(found, members, strict=True))
    return value.plain() if isinstance(value, ObjectValue) else value


_PLAIN = frozenset({type(None), bool, int, UInt, float, str, bytes})


def _plain_list(members: Iterable[Any], depth: int) -> Any:
    if depth <= 0:
        return Fault("limit_exceeded", ("value_depth", VALUE_DEPTH))
    made = []
    for member in members:
        found = plain(adapt(member), depth - 1)
        if type(found) is Fault:
            return found
        made.append(found)
    return made


def _plain_optional(optional: OptionalValue, depth: int) -> Any:
    if not optional.present:
        return Optional.none()
    found = _plain_list((optional.content,), depth)
    return found if type(found) is Fault else Optional.of(found[0])


def evaluation_error(fault: Fault, source: Source) -> EvaluationError:
    """The exception of a fault, with the place where it happened and a caret under it."""
    message = fault_message(fault)
    if fault.position < 0:
        return EvaluationError(fault.code, message)
    return EvaluationError(fault.code, message, fault.position, source.place(fault.position))
