"""Types of the checker as the wire has them (`cel.expr.Type`)."""

from __future__ import annotations

from collections.abc import Callable

from ..types import Kind, Type
from ..v1 import expr_pb2 as wire

PRIMITIVES = {
    Kind.BOOL: wire.Type.BOOL,
    Kind.INT: wire.Type.INT64,
    Kind.UINT: wire.Type.UINT64,
    Kind.DOUBLE: wire.Type.DOUBLE,
    Kind.STRING: wire.Type.STRING,
    Kind.BYTES: wire.Type.BYTES,
}
WELL_KNOWN = {
    Kind.ANY: wire.Type.ANY,
    Kind.TIMESTAMP: wire.Type.TIMESTAMP,
    Kind.DURATION: wire.Type.DURATION,
}


def type_bytes(type: Type) -> bytes:
    """A type, serialised. (Its size is bounded where it is made: `types.TYPE_SIZE`.)"""
    return message(type).SerializeToString()


def message(type: Type) -> wire.Type:
    kind = type.kind
    if kind in PRIMITIVES:
        primitive = PRIMITIVES[kind]
        return wire.Type(wrapper=primitive) if type.nullable else wire.Type(primitive=primitive)
    if kind in WELL_KNOWN:
        return wire.Type(well_known=WELL_KNOWN[kind])
    return OTHERS[kind](type)


def list_type(type: Type) -> wire.Type:
    made = wire.ListType(elem_type=type_bytes(type.parameters[0]))
    return wire.Type(list_type=made.SerializeToString())


def map_type(type: Type) -> wire.Type:
    key, value = map(type_bytes, type.parameters)
    made = wire.MapType(key_type=key, value_type=value)
    return wire.Type(map_type=made.SerializeToString())


def abstract_type(type: Type) -> wire.Type:
    parameters = map(type_bytes, type.parameters)
    made = wire.AbstractType(name=type.name, parameter_types=parameters)
    return wire.Type(abstract_type=made.SerializeToString())


def type_type(type: Type) -> wire.Type:
    instance = type_bytes(type.parameters[0]) if type.parameters else b""
    return wire.Type(type=instance)


OTHERS: dict[Kind, Callable[[Type], wire.Type]] = {
    Kind.DYN: lambda type: wire.Type(dyn=b""),
    Kind.ERROR: lambda type: wire.Type(error=b""),
    Kind.NULL: lambda type: wire.Type(null=0),  # type: ignore[arg-type]
    Kind.LIST: list_type,
    Kind.MAP: map_type,
    Kind.TYPE: type_type,
    Kind.PARAM: lambda type: wire.Type(type_param=type.name),
    Kind.OPAQUE: abstract_type,
    Kind.STRUCT: lambda type: wire.Type(message_type=type.name),
}
