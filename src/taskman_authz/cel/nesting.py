"""How deep loops lie in one another. Each multiplies what all the others cost, so that is bounded.

A loop is in another one if it is in what that does each turn. What it goes over, it goes over once;
and a name for a value (`cel.bind`) is written as a loop, but makes no turn.
"""

from __future__ import annotations

from .._fast.tree import Call, Comprehension, Expr, ListExpr, MapExpr, Select, StructExpr


def children(tree: Expr) -> list[Expr]:
    """The parts of a tree, in the order in which they are evaluated."""
    if isinstance(tree, Select):
        return [tree.operand]
    if isinstance(tree, Call):
        return [*tree.args] if tree.target is None else [tree.target, *tree.args]
    if isinstance(tree, ListExpr):
        return list(tree.elements)
    if isinstance(tree, MapExpr):
        pairs = [(entry.key, entry.value) for entry in tree.entries]
        return [part for pair in pairs for part in pair if isinstance(part, Expr)]
    if isinstance(tree, StructExpr):
        return [entry.value for entry in tree.entries]
    if isinstance(tree, Comprehension):
        outside = [tree.iter_range, tree.accu_init]
        return [*outside, tree.loop_condition, tree.loop_step, tree.result]
    return []


def is_binding(tree: Comprehension) -> bool:
    """Whether a comprehension goes over nothing, and only names its initial value."""
    return isinstance(tree.iter_range, ListExpr) and not tree.iter_range.elements


def too_deep(tree: Expr, limit: int) -> int:
    """The place of the first loop that lies within `limit` others; -1 if there is none."""
    pending = [(tree, 0)]
    while pending:
        part, depth = pending.pop()
        inside: tuple[Expr, ...] = ()
        if isinstance(part, Comprehension) and not is_binding(part):
            if depth == limit:
                return part.position
            inside = part.loop_condition, part.loop_step
        for child in reversed(children(part)):
            pending.append((child, depth + any(child is each for each in inside)))
    return -1
