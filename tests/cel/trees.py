"""Trees as nested tuples and as text, so that tests can compare and show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taskman_authz._fast.tree import (
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
from taskman_authz.cel.literals import literal_text


def shape(expr: Expr) -> Any:
    """The tree without ids and places: equal for equal trees. Values are told apart by type and
    by how they print: 1, 1u, 1.0 and true are four things, and -0.0 is not 0.0."""
    match expr:
        case Literal():
            return "literal", type(expr.value).__name__, repr(expr.value)
        case Ident():
            return "ident", expr.name
        case Select():
            return "select", shape(expr.operand), expr.field, expr.test_only
        case Call():
            target = None if expr.target is None else shape(expr.target)
            return "call", expr.function, target, tuple(map(shape, expr.args))
        case ListExpr():
            return "list", tuple(map(shape, expr.elements)), tuple(expr.optionals)
        case MapExpr():
            return "map", tuple(map(entry_shape, expr.entries))
        case StructExpr():
            return "message", expr.type_name, tuple(map(entry_shape, expr.entries))
        case Comprehension():
            names = expr.iter_var, expr.iter_var2, expr.accu_var, expr.macro
            return "fold", names, tuple(map(shape, children(expr)))
    raise TypeError(expr)


def entry_shape(entry: Entry) -> Any:
    key = shape(entry.key) if isinstance(entry.key, Expr) else entry.key
    return key, shape(entry.value), entry.optional


def children(expr: Expr) -> list[Expr]:
    """The nodes directly below a node."""
    match expr:
        case Select():
            return [expr.operand]
        case Call():
            return [*([] if expr.target is None else [expr.target]), *expr.args]
        case ListExpr():
            return list(expr.elements)
        case MapExpr():
            return [node for entry in expr.entries for node in (entry.key, entry.value)]
        case StructExpr():
            return [entry.value for entry in expr.entries]
        case Comprehension():
            parts = expr.iter_range, expr.accu_init, expr.loop_condition, expr.loop_step
            return [*parts, expr.result]
    return []


def nodes(expr: Expr) -> Iterator[Expr]:
    """All nodes of a tree."""
    todo = [expr]
    while todo:
        node = todo.pop()
        yield node
        todo += children(node)


def height(expr: Expr) -> int:
    return 1 + max(map(height, children(expr)), default=0)


def entries(expr: Expr) -> tuple[Entry, ...]:
    return expr.entries if isinstance(expr, (MapExpr, StructExpr)) else ()


def written(expr: Expr) -> str:
    """A tree as text, every call with its name: what the cases in `cases/` are compared with."""
    match expr:
        case Literal():
            return literal_text(expr.value)
        case Ident():
            return expr.name
        case Select():
            selected = f"{written(expr.operand)}.{expr.field}"
            return f"has({selected})" if expr.test_only else selected
        case Call():
            target = "" if expr.target is None else f"{written(expr.target)}."
            return f"{target}{expr.function}({', '.join(map(written, expr.args))})"
        case ListExpr():
            elements = (
                "?" * (i in expr.optionals) + written(e) for i, e in enumerate(expr.elements)
            )
            return f"[{', '.join(elements)}]"
        case MapExpr():
            return f"{{{', '.join(map(entry_written, expr.entries))}}}"
        case StructExpr():
            return f"{expr.type_name}{{{', '.join(map(entry_written, expr.entries))}}}"
        case Comprehension():
            variables = ", ".join(filter(None, (expr.iter_var, expr.iter_var2)))
            start = f"{variables} in {written(expr.iter_range)}, {expr.accu_var} = "
            parts = expr.accu_init, expr.loop_condition, expr.loop_step, expr.result
            return f"fold({start}{'; '.join(map(written, parts))})"
    raise TypeError(expr)


def entry_written(entry: Entry) -> str:
    key = written(entry.key) if isinstance(entry.key, Expr) else entry.key
    return f"{'?' * entry.optional}{key}: {written(entry.value)}"
