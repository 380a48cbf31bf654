"""`cel.expr.Type` as text: `list(int)`, `map(string, dyn)`, `google.protobuf.Timestamp`.

These are the names of the language definition, which our environments take as they are.
"""

from __future__ import annotations

from .cases import Json

PRIMITIVES = {
    "BOOL": "bool",
    "INT64": "int",
    "UINT64": "uint",
    "DOUBLE": "double",
    "STRING": "string",
    "BYTES": "bytes",
}
WELL_KNOWN = {
    "ANY": "google.protobuf.Any",
    "TIMESTAMP": "google.protobuf.Timestamp",
    "DURATION": "google.protobuf.Duration",
}


def type_text(type: Json) -> str:
    """The text of a `cel.expr.Type` in JSON. Raises KeyError for a kind that it does not know."""
    ((kind, payload),) = type.items()
    if kind in _ATOMS:
        return _ATOMS[kind]
    if kind == "primitive":
        return PRIMITIVES[payload]
    if kind == "wrapper":
        return f"wrapper({PRIMITIVES[payload]})"
    if kind == "wellKnown":
        return WELL_KNOWN[payload]
    if kind in ("messageType", "typeParam"):
        return str(payload)
    return _composed(kind, payload)


_ATOMS = {"dyn": "dyn", "null": "null_type", "error": "error"}


def _composed(kind: str, payload: Json) -> str:
    if kind == "listType":
        return f"list({type_text(payload['elemType'])})"
    if kind == "mapType":
        return f"map({type_text(payload['keyType'])}, {type_text(payload['valueType'])})"
    if kind == "type":
        return f"type({type_text(payload)})" if payload else "type"
    if kind == "abstractType":
        parameters = ", ".join(type_text(inner) for inner in payload.get("parameterTypes", ()))
        return f"{payload['name']}({parameters})" if parameters else str(payload["name"])
    raise KeyError(kind)
