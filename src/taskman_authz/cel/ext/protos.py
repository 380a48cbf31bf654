"""Extension fields of proto2 messages: `proto.getExt(msg, pkg.field)`, `proto.hasExt(msg,
pkg.field)`, which read and ask for what is also written ``msg.`pkg.field` ``.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._fast.expansion import Expander, Expansion, MacroTable
from ..._fast.tree import Expr, Ident, Select
from .. import messages
from ..library import Library
from .overloads import made


def field_name(expr: Expr) -> str:
    """The full name that an expression writes, `a.b.c`; "" if it is no name."""
    parts: list[str] = []
    while isinstance(expr, Select) and not expr.test_only:
        parts.append(expr.field)
        expr = expr.operand
    if not isinstance(expr, Ident):
        return ""
    return ".".join((expr.name.lstrip("."), *reversed(parts)))


def reading(shape: Callable[[Expansion, Select], Select]) -> Expander:
    """The expander of a macro that reads an extension of its first argument."""

    def expand(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
        if not (isinstance(target, Ident) and target.name == "proto"):
            return None
        name = field_name(args[1])
        if not name:
            return expansion.refuse(args[1], *messages.extension_expected(expansion.name))
        return shape(expansion, expansion.select(args[0], name))

    return expand


get_ext = reading(lambda expansion, select: select)
has_ext = reading(lambda expansion, select: expansion.presence(select))

MACROS = MacroTable({("getExt", 2, True): get_ext, ("hasExt", 2, True): has_ext})
LATEST = 0


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("protos", version, LATEST, "", {}, {0: MACROS})
