"""Message literals: `pkg.Msg{field: value}`.

What a literal may write is resolved once, when it is planned; evaluated, it makes one message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import Error as ProtobufError

from ..._fast.values import Fault, OptionalValue, type_name
from ..decls import FieldEntry
from .shapes import Field, Shape
from .values import too_deep


def construction(shape: Shape, entries: Sequence[FieldEntry]) -> Callable[..., Any]:
    """What makes the value of a literal of its entries' values, or gives a Fault."""
    written: list[tuple[Field, FieldEntry]] = []
    for entry in entries:
        field = shape.field(entry.name)
        fault = None
        if field is None:
            fault = Fault("no_such_field", (entry.name,), entry.position)
        elif any(entry.name == other.name for _, other in written):
            fault = Fault("duplicate_field", (entry.name,), entry.position)
        if fault is not None or field is None:
            return lambda *values: fault
        written.append((field, entry))

    def construct(*values: Any) -> Any:
        message = shape.new()
        for (field, entry), value in zip(written, values, strict=True):
            fault = _write(field, message, entry, value)
            if fault is not None:
                return Fault(fault.code, fault.details, entry.position)
        return shape.value(message, True)

    return construct


def _write(field: Field, message: Any, entry: FieldEntry, value: Any) -> Fault | None:
    if entry.optional:
        if type(value) is not OptionalValue:
            return Fault("type_mismatch", ("optional_type", type_name(value)))
        if not value.present:
            return None
        value = value.content
    try:
        return field.write(message, value)
    except (TypeError, ValueError):  # a closed enum without this number, text that is no UTF-8
        return Fault("invalid_field", (entry.name,))
    except (ProtobufError, RecursionError):
        return too_deep()
