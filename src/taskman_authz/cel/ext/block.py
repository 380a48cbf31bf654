"""`cel.block([a, b, …], result)`: what an optimiser makes of an expression with common parts.

`cel.index(n)` is the `n`th of the list, in `result` and in the parts behind it; each is computed
when it is first read, and once. `cel.iterVar(depth, number)` and `cel.accuVar(depth, number)` name
the variables of loops without hiding anybody's.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._fast.expansion import Expander, Expansion, MacroTable
from ..._fast.tree import Expr, ListExpr, Literal
from .. import messages
from ..library import Library
from ..macros import BLOCK, index_name
from .bindings import in_namespace
from .overloads import made


def block(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
    """`cel.block([a, b], r)`"""
    if not in_namespace(target):
        return None
    if not isinstance(args[0], ListExpr):
        return expansion.refuse(args[0], *messages.block_expected(expansion.name))
    return expansion.call(BLOCK, *args)


def numbered(shape: Callable[..., str]) -> Expander:
    """The expander of `cel.macro(n, …)` to the name that `shape` makes of the numbers."""

    def expand(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
        if not in_namespace(target):
            return None
        numbers = []
        for argument in args:
            number = written_number(argument)
            if number < 0:
                return expansion.refuse(argument, *messages.number_expected(expansion.name))
            numbers.append(number)
        return expansion.ident(shape(*numbers))

    return expand


def written_number(argument: Expr) -> int:
    """The int that an argument writes; -1 if it writes none from 0."""
    if isinstance(argument, Literal) and type(argument.value) is int:
        return max(argument.value, -1)
    return -1


LATEST = 0
OVERLOADS = f"0  {BLOCK}  cel_block_list  (list(dyn), A) -> A"
MACROS = MacroTable(
    {
        ("block", 2, True): block,
        ("index", 1, True): numbered(index_name),
        ("iterVar", 2, True): numbered("@it:{}:{}".format),
        ("accuVar", 2, True): numbered("@ac:{}:{}".format),
    }
)


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("block", version, LATEST, OVERLOADS, {}, {0: MACROS})
