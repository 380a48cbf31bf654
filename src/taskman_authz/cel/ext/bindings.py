"""`cel.bind(name, value, result)`: `result`, in which `name` stands for `value`.

The value is computed when it is first read, and once; where nothing reads it, never.
"""

from __future__ import annotations

from ..._fast.expansion import Expansion, MacroTable
from ..._fast.tree import Comprehension, Expr, Ident
from ..library import Library
from ..macros import variable
from .overloads import made

UNUSED = "#unused"  # the variable of a fold over nothing: no name that can be written


def bound(
    expansion: Expansion, name: str, value: Expr, result: Expr, hint: str = ""
) -> Comprehension:
    """The fold over an empty list whose accumulator is the name."""
    return expansion.fold(
        expansion.list_of(),
        (UNUSED,),
        value,
        expansion.literal(False),
        expansion.ident(name),
        result,
        accu_var=name,
        hint=hint,
    )


def in_namespace(target: Expr | None) -> bool:
    """Whether a call is written `cel.something(…)`."""
    return isinstance(target, Ident) and target.name == "cel"


def bind(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
    """`cel.bind(x, e, r)`"""
    if not in_namespace(target):
        return None
    name = variable(expansion, args[0])
    return bound(expansion, name, args[1], args[2]) if name else args[0]


LATEST = 0


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("bindings", version, LATEST, "", {}, {0: MacroTable({("bind", 3, True): bind})})
