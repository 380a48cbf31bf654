"""A compiled expression: `program.evaluate({...})`, plain Python values in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._fast.access import entries
from .._fast.activation import Path
from .._fast.evaluator import Evaluator
from .._fast.nodes import Node
from .._fast.times import Duration, Timestamp
from .._fast.values import Fault
from ..errors import EvaluationError
from ..issues import Issue
from .messages import fault_message
from .source import Source
from .times import to_datetime, to_timedelta
from .types import Type


class Program(Evaluator):
    """An expression that can be evaluated any number of times, by any number of threads.

    `evaluate(variables)` gives the value as plain Python: None, bool, int, `UInt`, float, str,
    bytes, list, dict, `cel.Timestamp` (a datetime), `cel.Duration` (a timedelta) or `cel.CelType`.
    Raises EvaluationError where the value is an error. `value(variables)` gives the core's value,
    which may be a Fault. `type` is the type that the checker found.
    """

    __slots__ = ("source", "type")

    def __init__(
        self, node: Node, paths: list[Path], registers: int, source: Source, type: Type
    ) -> None:
        super().__init__(node, paths, registers)
        self.source = source
        self.type = type

    def finish(self, value: Any) -> Any:
        if type(value) is Fault:
            raise evaluation_error(value, self.source)
        return plain(value)

    def __repr__(self) -> str:
        return f"<Program {self.source.text!r}: {self.type}>"


def plain(value: Any) -> Any:
    """A value of the core as plain Python. Containers are new ones: a caller may change them."""
    kind = type(value)
    if kind is list or kind is tuple:
        return [plain(member) for member in value]
    if kind is Timestamp:
        return to_datetime(value)
    if kind is Duration:
        return to_timedelta(value)
    if kind is dict:
        return {key: plain(member) for key, member in value.items()}
    found = entries(value)
    if found is not value:
        return plain(found)
    return dict(value) if isinstance(value, Mapping) else value


def evaluation_error(fault: Fault, source: Source) -> EvaluationError:
    """The exception of a fault, with the place where it happened and a caret under it."""
    message = fault_message(fault)
    if fault.position < 0:
        return EvaluationError(fault.code, message)
    issue = Issue(source.place(fault.position), fault.code, message)
    place = "\n".join(issue.render().splitlines()[1:])
    return EvaluationError(fault.code, message, fault.position, place)
