"""Expressions as a tree: what the parser makes and every later stage reads.

The node kinds are those of the CEL syntax message (`cel.expr.Expr`): literal, identifier, select,
call, list, map, struct, comprehension. Operators are calls with the names of the language
definition (`_+_`, `_&&_`, `_?_:_`, `_[_]`, `@in`, `!_`, `-_`, `_?._`, `_[?_]`).

INVARIANT: a tree is never changed once the parser has returned it.
"""

from __future__ import annotations

from typing import Any


class Expr:
    """A node. `id` is unique in its tree (from 1); `position` is the offset in code points into
    the source of what a caret should point at (an operator's own place, a member's name).
    `height` counts the levels of nodes from here down; it is the parser's, who bounds it, and 0
    on nodes that somebody else made."""

    __slots__ = ("height", "id", "position")

    height: int
    id: int
    position: int


class Literal(Expr):
    """None, bool, int, UInt, float, str or bytes, as a value of the core."""

    __slots__ = ("value",)

    def __init__(self, id: int, position: int, value: Any) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.value = value


class Ident(Expr):
    """A name; a leading dot (`.a`, absolute) is part of it."""

    __slots__ = ("name",)

    def __init__(self, id: int, position: int, name: str) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.name = name


class Select(Expr):
    """`operand.field`, or with `test_only` the presence test that `has(operand.field)` becomes."""

    __slots__ = ("operand", "field", "test_only")

    def __init__(
        self, id: int, position: int, operand: Expr, field: str, test_only: bool = False
    ) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.operand = operand
        self.field = field
        self.test_only = test_only


class Call(Expr):
    """`function(args)`, or `target.function(args)` where `target` is not None."""

    __slots__ = ("function", "target", "args")

    def __init__(
        self, id: int, position: int, function: str, target: Expr | None, args: tuple[Expr, ...]
    ) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.function = function
        self.target = target
        self.args = args


class ListExpr(Expr):
    """`[a, ?b]`: `elements` is a tuple of Expr, `optionals` the indices written with `?`."""

    __slots__ = ("elements", "optionals")

    def __init__(
        self,
        id: int,
        position: int,
        elements: tuple[Expr, ...],
        optionals: tuple[int, ...] = (),
    ) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.elements = elements
        self.optionals = optionals


class Entry:
    """`key: value` of a map (`key` an Expr) or a struct (`key` a field name, str)."""

    __slots__ = ("id", "position", "key", "value", "optional")

    def __init__(
        self, id: int, position: int, key: Expr | str, value: Expr, optional: bool = False
    ) -> None:
        self.id = id
        self.position = position
        self.key = key
        self.value = value
        self.optional = optional


class MapExpr(Expr):
    """`{k: v, ?k: v}`: a tuple of Entry."""

    __slots__ = ("entries",)

    def __init__(self, id: int, position: int, entries: tuple[Entry, ...]) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.entries = entries


class StructExpr(Expr):
    """`pkg.Type{field: v}`: `type_name` as written, a tuple of Entry."""

    __slots__ = ("type_name", "entries")

    def __init__(self, id: int, position: int, type_name: str, entries: tuple[Entry, ...]) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.type_name = type_name
        self.entries = entries


class Comprehension(Expr):
    """The fold that every iterating macro becomes (`cel.expr.Expr.Comprehension`).

    `iter_var2` is "" for one-variable folds. `macro` is the name of the standard macro that it was
    made from ("" if none): a hint that lets the planner choose a tighter loop, never a meaning.
    """

    __slots__ = (
        "iter_range",
        "iter_var",
        "iter_var2",
        "accu_var",
        "accu_init",
        "loop_condition",
        "loop_step",
        "result",
        "macro",
    )

    def __init__(
        self,
        id: int,
        position: int,
        iter_range: Expr,
        iter_var: str,
        iter_var2: str,
        accu_var: str,
        accu_init: Expr,
        loop_condition: Expr,
        loop_step: Expr,
        result: Expr,
        macro: str = "",
    ) -> None:
        self.id = id
        self.position = position
        self.height = 0
        self.iter_range = iter_range
        self.iter_var = iter_var
        self.iter_var2 = iter_var2
        self.accu_var = accu_var
        self.accu_init = accu_init
        self.loop_condition = loop_condition
        self.loop_step = loop_step
        self.result = result
        self.macro = macro


# -- for the parser: nodes with their heights, made without Python's argument passing ------------


def make_literal(id: int, position: int, value: Any) -> Literal:
    node: Literal = Literal.__new__(Literal)
    node.id = id
    node.position = position
    node.height = 1
    node.value = value
    return node


def make_ident(id: int, position: int, name: str) -> Ident:
    node: Ident = Ident.__new__(Ident)
    node.id = id
    node.position = position
    node.height = 1
    node.name = name
    return node


def make_select(id: int, position: int, operand: Expr, field: str, test_only: bool) -> Select:
    node: Select = Select.__new__(Select)
    node.id = id
    node.position = position
    node.height = operand.height + 1
    node.operand = operand
    node.field = field
    node.test_only = test_only
    return node


def make_call(
    id: int, position: int, function: str, target: Expr | None, args: tuple[Expr, ...]
) -> Call:
    node: Call = Call.__new__(Call)
    node.id = id
    node.position = position
    node.height = highest(args, 0 if target is None else target.height) + 1
    node.function = function
    node.target = target
    node.args = args
    return node


def make_list(
    id: int, position: int, elements: tuple[Expr, ...], optionals: tuple[int, ...]
) -> ListExpr:
    node = ListExpr(id, position, elements, optionals)
    node.height = highest(elements, 0) + 1
    return node


def make_map(id: int, position: int, entries: tuple[Entry, ...]) -> MapExpr:
    node = MapExpr(id, position, entries)
    keys = highest(tuple([entry.key for entry in entries]), 0)
    node.height = highest(tuple([entry.value for entry in entries]), keys) + 1
    return node


def make_struct(id: int, position: int, name: str, entries: tuple[Entry, ...]) -> StructExpr:
    node = StructExpr(id, position, name, entries)
    node.height = highest(tuple([entry.value for entry in entries]), 0) + 1
    return node


def highest(nodes: tuple[Any, ...], height: int) -> int:
    """The greatest of `height` and the heights of `nodes`."""
    node: Expr
    for node in nodes:
        if node.height > height:
            height = node.height
    return height


def qualified_name(node: Expr) -> str:
    """The name that a chain of selects on an identifier writes."""
    parts = []
    while isinstance(node, Select):
        parts.append(node.field)
        node = node.operand
    assert isinstance(node, Ident)
    parts.append(node.name)
    return ".".join(reversed(parts))
