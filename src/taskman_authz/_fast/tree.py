"""Expressions as a tree: what the parser makes and every later stage reads.

The node kinds are those of the CEL syntax message (`cel.expr.Expr`): literal, identifier, select,
call, list, map, struct, comprehension. Operators are calls with the names of the language
definition (`_+_`, `_&&_`, `_?_:_`, `_[_]`, `@in`, `!_`, `-_`, `_?._`, `_[?_]`).

INVARIANT: a tree is never changed once the parser has returned it.
"""

from __future__ import annotations


class Expr:
    """A node. `id` is unique in its tree (from 1); `position` is the offset in code points into
    the source of what a caret should point at (an operator's own place, a member's name)."""

    __slots__ = ("id", "position")


class Literal(Expr):
    """None, bool, int, UInt, float, str or bytes, as a value of the core."""

    __slots__ = ("value",)

    def __init__(self, id, position, value):
        self.id = id
        self.position = position
        self.value = value


class Ident(Expr):
    """A name; a leading dot (`.a`, absolute) is part of it."""

    __slots__ = ("name",)

    def __init__(self, id, position, name):
        self.id = id
        self.position = position
        self.name = name


class Select(Expr):
    """`operand.field`, or with `test_only` the presence test that `has(operand.field)` becomes."""

    __slots__ = ("operand", "field", "test_only")

    def __init__(self, id, position, operand, field, test_only=False):
        self.id = id
        self.position = position
        self.operand = operand
        self.field = field
        self.test_only = test_only


class Call(Expr):
    """`function(args)`, or `target.function(args)` where `target` is not None."""

    __slots__ = ("function", "target", "args")

    def __init__(self, id, position, function, target, args):
        self.id = id
        self.position = position
        self.function = function
        self.target = target
        self.args = args


class ListExpr(Expr):
    """`[a, ?b]`: `elements` is a tuple of Expr, `optionals` the indices written with `?`."""

    __slots__ = ("elements", "optionals")

    def __init__(self, id, position, elements, optionals=()):
        self.id = id
        self.position = position
        self.elements = elements
        self.optionals = optionals


class Entry:
    """`key: value` of a map (`key` an Expr) or a struct (`key` a field name, str)."""

    __slots__ = ("id", "position", "key", "value", "optional")

    def __init__(self, id, position, key, value, optional=False):
        self.id = id
        self.position = position
        self.key = key
        self.value = value
        self.optional = optional


class MapExpr(Expr):
    """`{k: v, ?k: v}`: a tuple of Entry."""

    __slots__ = ("entries",)

    def __init__(self, id, position, entries):
        self.id = id
        self.position = position
        self.entries = entries


class StructExpr(Expr):
    """`pkg.Type{field: v}`: `type_name` as written, a tuple of Entry."""

    __slots__ = ("type_name", "entries")

    def __init__(self, id, position, type_name, entries):
        self.id = id
        self.position = position
        self.type_name = type_name
        self.entries = entries


class Comprehension(Expr):
    """The fold that every iterating macro becomes (`cel.expr.Expr.Comprehension`).

    `iter_var2` is "" for one-variable folds. `macro` is the name of the macro that it was made
    from ("" if none): a hint that lets the planner choose a tighter loop, never a meaning.
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
        id,
        position,
        iter_range,
        iter_var,
        iter_var2,
        accu_var,
        accu_init,
        loop_condition,
        loop_step,
        result,
        macro="",
    ):
        self.id = id
        self.position = position
        self.iter_range = iter_range
        self.iter_var = iter_var
        self.iter_var2 = iter_var2
        self.accu_var = accu_var
        self.accu_init = accu_init
        self.loop_condition = loop_condition
        self.loop_step = loop_step
        self.result = result
        self.macro = macro
