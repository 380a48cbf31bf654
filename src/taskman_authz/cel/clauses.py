"""The clauses of a condition: the parts that answer yes or no to one question each.

They are the operands of `&&` and `||` and what `?:` asks, wherever they stand; of a condition
without any of these, the whole. `deciding` names those that made the value what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._fast.tree import Call, Comprehension, Expr, Literal
from .._fast.values import Fault
from .explanation import (
    NONE,
    Explanation,
    Names,
    Seen,
    Writer,
    children,
    names_only,
    operands,
    watched,
)
from .expression import Expression
from .parser import Parsed
from .source import Source

AND, OR, NOT, CHOICE = "_&&_", "_||_", "!_", "_?_:_"
JUNCTIONS = (AND, OR)


class Clause(NamedTuple):
    """A clause: the `id` of its node, its text, and where it begins in the condition's."""

    id: int
    text: str
    position: int


def clauses(parsed: Parsed) -> tuple[Clause, ...]:
    """The clauses of a condition, in the order in which they are written."""
    writer = Writer(parsed.macro_calls)
    found = list(_asked(parsed.expr, parsed.macro_calls)) or [parsed.expr]
    return tuple(Clause(tree.id, writer.text(tree), tree.position) for tree in found)


def _asked(tree: Expr, macro_calls: Mapping[int, Call]) -> Iterator[Expr]:
    written = macro_calls.get(tree.id, tree)
    if isinstance(written, Call) and written.function in JUNCTIONS:
        for operand in operands(written, written.function):
            if not isinstance(operand, Literal):
                yield operand
            yield from _asked(operand, macro_calls)
        return
    if isinstance(written, Call) and written.function == CHOICE:
        yield written.args[0]
    for part in children(written):
        yield from _asked(part, macro_calls)


# -- what decided ---------------------------------------------------------------------------------


class Decided(NamedTuple):
    """A condition's explanation, and those of the clauses that decided, in their order."""

    whole: Explanation
    deciding: tuple[Explanation, ...]


def decided(expression: Expression, source: Source, variables: Any) -> Decided:
    """What every part of a condition came to over `variables` (as the core has them), and which
    clauses decided: of a false `&&` the first that is false, of a true one all, of a failed one
    those that failed; of `||` the other way round."""
    explainer, seen = watched(expression, source, variables)
    tree = expression.parsed.expr
    found = deciding(tree, seen)
    whole = explainer.part(tree, seen)
    return Decided(whole, tuple(explainer.part(part, seen, names) for part, names in found))


def deciding(tree: Expr, seen: Seen, names: Names = NONE) -> list[tuple[Expr, Names]]:
    """The clauses that made a part what it came to, and the names that they may read."""
    if isinstance(tree, Comprehension) and names_only(tree):
        return deciding(tree.result, seen, names | {tree.accu_var})
    if not isinstance(tree, Call):
        return [(tree, names)]
    if tree.function in JUNCTIONS:
        found = [each for each in operands(tree, tree.function) if each.id in seen]
        chosen = _chosen(found, seen, seen.get(tree.id), tree.function == OR)
        return [one for each in chosen for one in deciding(each, seen, names)]
    if tree.function == NOT and isinstance(tree.args[0], (Call, Comprehension)):
        inner = deciding(tree.args[0], seen, names)
        return [(tree, names)] if [each for each, _ in inner] == [tree.args[0]] else inner
    if tree.function == CHOICE:
        asked = deciding(tree.args[0], seen, names)
        taken = [branch for branch in tree.args[1:] if branch.id in seen]
        return asked + [one for branch in taken for one in deciding(branch, seen, names)]
    return [(tree, names)]


def _chosen(found: list[Expr], seen: Seen, value: Any, decides: bool) -> list[Expr]:
    """The operands that made a junction what it came to, where one that is `decides` is enough."""
    if value is decides:
        return [each for each in found if seen[each.id] is decides][:1]
    if type(value) is bool:
        return found
    return [each for each in found if type(seen[each.id]) is Fault] or found
