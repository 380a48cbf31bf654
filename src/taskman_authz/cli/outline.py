"""An expression's tree as lines of text, a step further in for each level."""

from __future__ import annotations

from collections.abc import Mapping

from .._fast.tree import (
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
from ..cel.literals import literal_text
from ..cel.parser import Parsed


def outline(parsed: Parsed) -> str:
    """A line for every node of the tree; of a macro, the call that was written."""
    lines: list[str] = []
    todo = [(0, "", parsed.expr)]
    while todo:
        depth, label, expr = todo.pop()
        name, children = described(expr, parsed.macro_calls)
        lines.append("  " * depth + label + name)
        todo += ((depth + 1, label, child) for label, child in reversed(children))
    return "\n".join(lines)


def described(expr: Expr, written: Mapping[int, Call]) -> tuple[str, list[tuple[str, Expr]]]:
    """What a node is, and what is below it, each with a label."""
    macro = written.get(expr.id)
    node: Expr = macro or expr
    match node:
        case Literal():
            return literal_text(node.value), []
        case Ident():
            return node.name, []
        case Select():
            return f"has .{node.field}" if node.test_only else f".{node.field}", [
                ("", node.operand)
            ]
        case Call():
            target = [] if node.target is None else [("on ", node.target)]
            kind = "macro" if macro else "call"
            return f"{kind} {node.function}", [*target, *(("", each) for each in node.args)]
        case ListExpr():
            optional = frozenset(node.optionals)
            return "list", [("?" * (n in optional), each) for n, each in enumerate(node.elements)]
        case MapExpr():
            return "map", [part for entry in node.entries for part in parts(entry)]
        case StructExpr():
            return node.type_name, [part for entry in node.entries for part in parts(entry)]
        case Comprehension():  # of a macro, and then it was written as a call
            return "fold", [("", node.iter_range), ("", node.loop_step), ("", node.result)]
    raise TypeError(node)


def parts(entry: Entry) -> list[tuple[str, Expr]]:
    """The key and the value of an entry."""
    mark = "?" * entry.optional
    if isinstance(entry.key, str):
        return [(f"{mark}{entry.key}: ", entry.value)]
    return [(f"{mark}key ", entry.key), ("value ", entry.value)]
