"""What an evaluation came to, as a caller is given it: plain Python, or an exception."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .._fast.access import EntityValue, adapt, entries
from .._fast.activation import Activation
from .._fast.calls import WORK
from .._fast.relations import VALUE_DEPTH
from .._fast.times import Duration, Timestamp
from .._fast.values import Fault, MixedMap, ObjectValue, OptionalValue, UInt
from ..errors import EvaluationError
from .messages import fault_message
from .optional import Optional
from .source import Source
from .times import to_datetime, to_timedelta


def plain(value: Any, depth: int = VALUE_DEPTH, meter: Activation | None = None) -> Any:
    """A value of the core as plain Python, or the Fault of a part of it. Containers are new ones,
    all the way down: a caller may change them. An object of the caller's own is given back.

    `meter` pays for the members: a value that shares its parts has more of them than memory."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is Timestamp:
        return to_datetime(value)
    if kind is Duration:
        return to_timedelta(value)
    meter = meter or Activation(0, 0, 0)
    if kind is list or kind is tuple:
        return _plain_list(value, depth, meter)
    if kind is OptionalValue:
        return _plain_optional(value, depth, meter)
    if kind is MixedMap:
        members = _plain_list(value.values(), depth, meter)
        return members if type(members) is Fault else MixedMap(zip(value, members, strict=True))
    if kind is EntityValue or isinstance(value, Mapping):
        found = entries(value)
        if type(found) is Fault:
            return found
        found = dict(found)  # to adapt a member may run the caller's code, which may change it
        members = _plain_list(found.values(), depth, meter)
        return members if type(members) is Fault else dict(zip(found, members, strict=True))
    return value.plain() if isinstance(value, ObjectValue) else value


_PLAIN = frozenset({type(None), bool, int, UInt, float, str, bytes})


def _plain_list(members: Collection[Any], depth: int, meter: Activation) -> Any:
    if depth <= 0:
        return Fault("limit_exceeded", ("value_depth", VALUE_DEPTH))
    if not meter.pay(WORK * len(members)):
        return meter.spent()
    made = []
    for member in tuple(members):  # as they are now: see above
        found = plain(adapt(member), depth - 1, meter)
        if type(found) is Fault:
            return found
        made.append(found)
    return made


def _plain_optional(optional: OptionalValue, depth: int, meter: Activation) -> Any:
    if not optional.present:
        return Optional.none()
    found = _plain_list((optional.content,), depth, meter)
    return found if type(found) is Fault else Optional.of(found[0])


def evaluation_error(fault: Fault, source: Source) -> EvaluationError:
    """The exception of a fault, with the place where it happened and a caret under it."""
    message = fault_message(fault)
    if fault.position < 0:
        return EvaluationError(fault.code, message)
    return EvaluationError(fault.code, message, fault.position, source.place(fault.position))
