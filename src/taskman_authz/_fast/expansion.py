"""Macros: the table that the parser looks calls up in, and what an expander builds its tree with.

Law: an expander uses every argument at most once in what it returns: ids are unique in a tree,
and its size stays proportional to the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .lexis import Problem
from .tree import (
    Call,
    Comprehension,
    Entry,
    Expr,
    Ident,
    ListExpr,
    Literal,
    MapExpr,
    Select,
    highest,
    make_call,
    make_ident,
    make_list,
    make_literal,
    make_map,
    make_select,
)

ACCUMULATOR = "@result"  # no name that can be written

# What a macro's call becomes: given the target (None for a global call) and the arguments, the
# tree that replaces the call; None where it is an ordinary call after all.
Expander: TypeAlias = Callable[["Expansion", Expr | None, tuple[Expr, ...]], Expr | None]


class MacroTable:
    """Macros by (name, count of arguments, whether it is called on a target); the count -1 stands
    for any that has no entry of its own."""

    __slots__ = ("entries", "names")

    def __init__(self, entries: Mapping[tuple[str, int, bool], Expander]) -> None:
        self.entries = dict(entries)
        self.names = frozenset(name for name, _, _ in entries)

    def find(self, name: str, count: int, member: bool) -> Expander | None:
        """The expander for such a call, or None."""
        found = self.entries.get((name, count, member))
        return self.entries.get((name, -1, member)) if found is None else found

    def __or__(self, other: MacroTable) -> MacroTable:
        """Both tables' macros; where both have one, that of `other`."""
        return MacroTable(self.entries | other.entries)


class Expansion:
    """One call of a macro on its way to a tree: makes nodes with fresh ids at the place of the
    call, and records what is wrong with its arguments."""

    __slots__ = ("name", "next_id", "position", "problems")

    def __init__(self, name: str, position: int, next_id: int, problems: list[Problem]) -> None:
        self.name = name
        self.position = position
        self.next_id = next_id
        self.problems = problems

    def new_id(self) -> int:
        id = self.next_id
        self.next_id = id + 1
        return id

    def literal(self, value: Any) -> Literal:
        return make_literal(self.new_id(), self.position, value)

    def ident(self, name: str) -> Ident:
        return make_ident(self.new_id(), self.position, name)

    def accumulator(self) -> Ident:
        return self.ident(ACCUMULATOR)

    def select(self, operand: Expr, field: str) -> Select:
        return make_select(self.new_id(), self.position, operand, field, False)

    def presence(self, select: Select) -> Select:
        """`select` as a question: is the field there?"""
        return make_select(self.new_id(), select.position, select.operand, select.field, True)

    def call(self, function: str, *args: Expr) -> Call:
        return make_call(self.new_id(), self.position, function, None, args)

    def member_call(self, function: str, target: Expr, *args: Expr) -> Call:
        return make_call(self.new_id(), self.position, function, target, args)

    def list_of(self, *elements: Expr) -> ListExpr:
        return make_list(self.new_id(), self.position, elements, ())

    def map_of(self, *entries: Entry) -> MapExpr:
        return make_map(self.new_id(), self.position, entries)

    def entry(self, key: Expr, value: Expr) -> Entry:
        return Entry(self.new_id(), self.position, key, value)

    def fold(
        self,
        iter_range: Expr,
        variables: tuple[str, ...],
        accu_init: Expr,
        loop_condition: Expr,
        loop_step: Expr,
        result: Expr,
        accu_var: str = ACCUMULATOR,
        hint: str = "",
    ) -> Comprehension:
        """The comprehension over `iter_range` with one or two `variables`. `hint` is the name of
        the standard macro whose expansion this is."""
        second = variables[1] if len(variables) > 1 else ""
        parts = (iter_range, accu_init, loop_condition, loop_step, result)
        node = Comprehension(
            self.new_id(), self.position, iter_range, variables[0], second, accu_var,
            accu_init, loop_condition, loop_step, result, hint,
        )  # fmt: skip
        node.height = highest(parts, 0) + 1
        return node

    def refuse(self, expr: Expr, code: str, message: str, hint: str = "") -> Expr:
        """Records that the argument `expr` is wrong; the expander returns what this returns."""
        place = start_of(expr)
        self.problems.append(Problem(code, place, place, (message, hint)))
        return expr


def start_of(expr: Expr) -> int:
    """The offset of what an expression begins with, parentheses left out."""
    while True:
        if isinstance(expr, Select):
            expr = expr.operand
        elif isinstance(expr, Call) and expr.target is not None:
            expr = expr.target
        elif isinstance(expr, Call) and expr.args and expr.args[0].position < expr.position:
            expr = expr.args[0]
        else:
            return expr.position
