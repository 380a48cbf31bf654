"""Serialised trees in the notation of the reference implementation's tests, read by the official
descriptors: the witness that what `cel.protobuf` writes is what others read.

A parsed tree has the kinds of its parts (as `debug` writes ours), a checked one their types and
references: `_+_(\\n  x~int^x,\\n  1~int\\n)~int^add_int64`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from taskman_authz._fast.values import UInt

from . import messages
from .debug import PARTS, constant, enclosed, indented

KINDS = {
    "ident_expr": "Expr_IdentExpr",
    "select_expr": "Expr_SelectExpr",
    "call_expr": "Expr_CallExpr",
    "list_expr": "Expr_ListExpr",
    "struct_expr": "Expr_StructExpr",
    "comprehension_expr": "Expr_ComprehensionExpr",
}
PRIMITIVES = (None, "bool", "int", "uint", "double", "string", "bytes")
WELL_KNOWN = (None, "any", "timestamp", "duration")
FOLD = "iter_range", "accu_var", "accu_init", "loop_condition", "loop_step", "result"

# What is said about a part: of an Expr, or of an entry (None).
Adorn = Callable[[Any], str]


def message(name: str, data: bytes) -> Any:
    """The message `cel.expr.<name>`, by the official descriptors."""
    found = messages.expressions().FindMessageTypeByName(f"cel.expr.{name}")
    return GetMessageClass(found).FromString(data)


def parsed(data: bytes) -> str:
    """A serialised `ParsedExpr`."""
    return shown(message("ParsedExpr", data).expr, kind)


def checked(data: bytes) -> str:
    """A serialised `CheckedExpr`."""
    found = message("CheckedExpr", data)

    def adorn(expr: Any) -> str:
        if expr is None:
            return ""
        said = f"~{type_text(found.type_map[expr.id])}" if expr.id in found.type_map else ""
        if expr.id in found.reference_map:
            reference = found.reference_map[expr.id]
            # The reference implementation's are in the order of the alphabet.
            said += f"^{'|'.join(sorted(reference.overload_id)) or reference.name}"
        return said

    return shown(found.expr, adorn)


def kind(expr: Any) -> str:
    if expr is None:
        return "^#*expr.Expr_CreateStruct_Entry#"
    field = expr.WhichOneof("expr_kind")
    if field == "const_expr":
        name = expr.const_expr.WhichOneof("constant_kind").title().replace("_", "")
        return f"^#*expr.Constant_{name}#"
    return f"^#*expr.{KINDS[field]}#"


def shown(expr: Any, adorn: Adorn) -> str:
    field = expr.WhichOneof("expr_kind")
    inside = getattr(expr, field)
    return SHOW[field](inside, adorn) + adorn(expr)


def literal(found: Any, adorn: Adorn) -> str:
    field = found.WhichOneof("constant_kind")
    value = getattr(found, field)
    if field == "null_value":
        return constant(None)
    return constant(UInt(value) if field == "uint64_value" else value)


def select(found: Any, adorn: Adorn) -> str:
    mark = "~test-only~" if found.test_only else ""
    return f"{shown(found.operand, adorn)}.{found.field}{mark}"


def call(found: Any, adorn: Adorn) -> str:
    target = f"{shown(found.target, adorn)}." if found.HasField("target") else ""
    args = (shown(arg, adorn) for arg in found.args)
    return target + found.function + enclosed("(", args, ")")


def list_literal(found: Any, adorn: Adorn) -> str:
    marks = found.optional_indices
    elements = ("?" * (i in marks) + shown(one, adorn) for i, one in enumerate(found.elements))
    return enclosed("[", elements, "]")


def struct(found: Any, adorn: Adorn) -> str:
    return found.message_name + enclosed("{", entries(found, adorn), "}")


def entries(found: Any, adorn: Adorn) -> Iterator[str]:
    for entry in found.entries:
        key = entry.field_key if entry.HasField("field_key") else shown(entry.map_key, adorn)
        yield f"{'?' * entry.optional_entry}{key}:{shown(entry.value, adorn)}{adorn(None)}"


def fold(found: Any, adorn: Adorn) -> str:
    parts = [f"// Variable\n{found.iter_var}"]
    if found.iter_var2:
        parts.append(f"// Variable2\n{found.iter_var2}")
    for name, field in zip(PARTS, FOLD, strict=True):
        part = getattr(found, field)
        text = shown(part, adorn) if isinstance(part, Message) else part
        parts.append(f"// {name}\n{text}")
    inside = ",\n".join(parts)
    return f"__comprehension__(\n{indented(inside)})"


SHOW: dict[str, Callable[[Any, Adorn], str]] = {
    "const_expr": literal,
    "ident_expr": lambda found, adorn: found.name,
    "select_expr": select,
    "call_expr": call,
    "list_expr": list_literal,
    "struct_expr": struct,
    "comprehension_expr": fold,
}


def type_text(type: Any) -> str:
    """A `cel.expr.Type` as the reference implementation writes it."""
    field = type.WhichOneof("type_kind")
    inside = getattr(type, field)
    return TYPES[field](inside) if field in TYPES else field


def type_type(type: Any) -> str:
    return f"type({type_text(type)})" if type.WhichOneof("type_kind") else "type"


def abstract_type(type: Any) -> str:
    parameters = ", ".join(map(type_text, type.parameter_types))
    return f"{type.name}({parameters})" if parameters else type.name


TYPES: dict[str, Callable[[Any], str]] = {
    "primitive": lambda number: str(PRIMITIVES[number]),
    "wrapper": lambda number: f"wrapper({PRIMITIVES[number]})",
    "well_known": lambda number: str(WELL_KNOWN[number]),
    "list_type": lambda type: f"list({type_text(type.elem_type)})",
    "map_type": lambda type: f"map({type_text(type.key_type)}, {type_text(type.value_type)})",
    "message_type": str,
    "type_param": str,
    "type": type_type,
    "abstract_type": abstract_type,
}
