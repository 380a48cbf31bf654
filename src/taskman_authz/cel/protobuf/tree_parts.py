"""What stands below a part of a tree, for those that go over trees without recursion."""

from __future__ import annotations

from typing import Any

from ..._fast.tree import (
    Call,
    Comprehension,
    Entry,
    Expr,
    Ident,
    ListExpr,
    Literal,
    MapExpr,
    Select,
    StructExpr,
)


def children(node: Expr) -> tuple[Expr, ...]:
    """The parts directly below a part, in the order in which they are written."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.args if node.target is None else (node.target, *node.args)
        case ListExpr():
            return node.elements
        case MapExpr() | StructExpr():
            return tuple(part for entry in node.entries for part in entry_parts(entry))
        case Comprehension():
            ends = node.accu_init, node.loop_condition, node.loop_step, node.result
            return (node.iter_range, *ends)
    return ()


def entry_parts(entry: Entry) -> tuple[Expr, ...]:
    key = entry.key
    return (key, entry.value) if isinstance(key, Expr) else (entry.value,)


def head(node: Expr) -> Any:
    """All of a part but what stands below it, where it stands and which macro it was made from:
    equal where the parts are."""
    match node:
        case Literal():
            return type(node.value), repr(node.value)
        case Ident():
            return node.name
        case Select():
            return node.field, node.test_only
        case Call():
            return node.function, node.target is None
        case ListExpr():
            return tuple(node.optionals)
        case MapExpr():
            return tuple(entry.optional for entry in node.entries)
        case StructExpr():
            return node.type_name, tuple((entry.key, entry.optional) for entry in node.entries)
        case Comprehension():
            return node.iter_var, node.iter_var2, node.accu_var
    raise TypeError(node)
