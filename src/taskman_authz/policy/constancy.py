"""Conditions that always come to the same: those that fold to a constant, and those whose parts
contradict each other whatever is asked.

Law: only what is certain is told. `x && !x` is false wherever `x` can be evaluated, and never true.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from .._fast.expansion import start_of
from .._fast.nodes import Constant, Node
from .._fast.tree import Call, Comprehension, Expr, Ident, ListExpr, Literal, Select
from ..cel import Source
from ..issues import Issue

AND, OR, NOT = "_&&_", "_||_", "!_"
EXACT = (str, int, bool)  # literals that are equal only if they are the same


class Constancy(NamedTuple):
    """That a part never is true, or never is false: which part says so, and what it goes against,
    if anything."""

    never: bool
    part: Expr
    against: Expr | None = None


def never_or_always(tree: Expr, node: Node, source: Source) -> Iterator[Issue]:
    """An issue where a condition, its tree and what was planned of it, always comes to the same."""
    found = constancy(tree)
    if found is None and type(node) is Constant and type(node.constant) is bool:
        found = Constancy(not node.constant, tree)
    if found is not None:
        yield issue_of(found, "the condition", source)


def issue_of(found: Constancy, what: str, source: Source) -> Issue:
    """What to say of a constancy in `what`."""
    value = "false" if found.never else "true"
    message = f"{what} is always {value}"
    hint = ""
    if found.against is not None:
        place = source.place(start_of(found.against))
        other = f"what stands at {place.line}:{place.column}"
        hint = f"never both it and {other}" if found.never else f"where it is not true, {other} is"
    return Issue(source.place(start_of(found.part)), f"always_{value}", message, hint)


def constancy(tree: Expr) -> Constancy | None:
    """That a tree never is true (`never` is true) or never false; None where it may be both."""
    if type(tree) is Literal and type(tree.value) is bool:
        return Constancy(not tree.value, tree)
    if type(tree) is not Call:
        return None
    if tree.function == NOT:
        inner = constancy(tree.args[0])
        return None if inner is None else inner._replace(never=not inner.never)
    if tree.function in (AND, OR):
        return _junction(list(operands(tree, tree.function)), tree.function == AND)
    return None


def operands(tree: Expr, function: str) -> Iterator[Expr]:
    """The operands of a junction, those of the same junction in it in their place."""
    if type(tree) is Call and tree.function == function:
        for operand in tree.args:
            yield from operands(operand, function)
    else:
        yield tree


def _junction(parts: list[Expr], is_and: bool) -> Constancy | None:
    """A part that is never true makes an `&&` so; of `||` all must be; and the other way round."""
    found = [constancy(part) for part in parts]
    for each in found:
        if each is not None and each.never is is_and:
            return each
    if all(each is not None for each in found):
        return found[0]
    return _opposed(parts, is_and)


def _opposed(parts: list[Expr], is_and: bool) -> Constancy | None:
    """Two parts of which one at least is false (of `||` true) wherever they can be evaluated."""
    negated = [part.args[0] for part in parts if isinstance(part, Call) and part.function == NOT]
    if negated:
        denied = [shape(part) for part in negated]
        for part in parts:
            if not _is_call(part, NOT) and (own := shape(part)) in denied:
                return Constancy(is_and, negated[denied.index(own)], part)
    wanted = "_==_" if is_and else "_!=_"
    compared = [_compared(part) for part in parts if _is_call(part, wanted)]
    tests = [each for each in compared if each is not None]
    for one, other in combinations(tests, 2):
        if one.value != other.value and type(one.value) is type(other.value):
            if shape(one.tested) == shape(other.tested):
                return Constancy(is_and, other.part, one.part)
    return None


def _is_call(tree: Expr, function: str) -> bool:
    return type(tree) is Call and tree.function == function


class _Test(NamedTuple):
    """A comparison of something with a literal."""

    part: Expr
    tested: Expr
    value: Any


def _compared(part: Any) -> _Test | None:
    for value, tested in (part.args, part.args[::-1]):
        if type(value) is Literal and type(value.value) in EXACT and type(tested) is not Literal:
            return _Test(part, tested, value.value)
    return None


def shape(tree: Any) -> Any:
    """What a tree says, places and ids aside: equal shapes say the same."""
    kind = type(tree)
    if kind is Ident:
        return kind, tree.name
    if kind is Select:
        return kind, shape(tree.operand), tree.field, tree.test_only
    if kind is Literal:
        return kind, type(tree.value), tree.value
    if kind is Call:
        target = tree.target and shape(tree.target)
        return kind, tree.function, target, *map(shape, tree.args)
    if kind is ListExpr:
        return kind, tree.optionals, *map(shape, tree.elements)
    if kind is Comprehension:
        names = tree.iter_var, tree.iter_var2, tree.accu_var
        parts = (
            tree.iter_range,
            tree.accu_init,
            tree.loop_condition,
            tree.loop_step,
            tree.result,
        )
        return kind, names, *map(shape, parts)
    return kind, tree.id  # a map or a message: equal to itself only
