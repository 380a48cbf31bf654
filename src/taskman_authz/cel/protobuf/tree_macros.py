"""What was written for the macros of a tree from outside: believed where it is true.

Law: a call is kept only if this environment's macro makes of it the very tree that stands there.
So an unparser never shows anything but what is evaluated, no call stands inside of itself, and the
planner may take a comprehension for the macro that it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..._fast.expansion import Expansion, MacroTable
from ..._fast.lexis import Problem
from ..._fast.tree import Call, Comprehension, Expr, make_call
from ...errors import CompileError
from ..planner import dotted
from ..v1 import expr_pb2 as wire
from .tree_parts import children, head
from .tree_reader import Reader, deserialised


def macro_calls(reader: Reader, macros: MacroTable, given: Mapping[int, bytes]) -> dict[int, Call]:
    """The calls of `given` that are true of the tree that was read. Their comprehensions get the
    name of the macro."""
    found: dict[int, Call] = {}
    reader.known, reader.nodes, reader.count = reader.nodes, {}, 0
    for id, data in given.items():
        standing = reader.known.get(id)
        call = None if standing is None else written_call(reader, id, data)
        if standing is None or call is None:
            continue
        pairs = alike(expansion(macros, call), standing, reader.known)
        if pairs is not None:
            found[id] = call
            for made, node in pairs:
                node.macro = made.macro
    return found


def written_call(reader: Reader, id: int, data: bytes) -> Call | None:
    """A macro's call, in which parts with an id of the tree are those; None if it is none."""
    reader.ids = set()
    try:
        message = deserialised(wire.Expr, data)
        if message.WhichOneof("expr_kind") != "call_expr":
            return None
        below, make = reader.call(0, reader.positions.get(id, -1), message.call_expr)
        call = make(*map(reader.tree, below))
    except CompileError:
        return None
    assert isinstance(call, Call)
    return call


def expansion(macros: MacroTable, call: Call) -> Expr | None:
    """What a call becomes; None if it is no macro's, or wrong."""
    expander = macros.find(call.function, len(call.args), call.target is not None)
    problems: list[Problem] = []
    if expander is None:
        return None
    made = expander(Expansion(call.function, call.position, 1, problems), call.target, call.args)
    return None if problems else made


def alike(
    made: Expr | None, standing: Expr, known: Mapping[int, Expr]
) -> list[tuple[Comprehension, Comprehension]] | None:
    """The comprehensions that an expansion made, each with the one that stands in its place; None
    where the expansion is not what stands there. A part of the tree is only alike to itself."""
    pairs: list[tuple[Comprehension, Comprehension]] = []
    todo = [(made, standing)]
    while todo:
        one, other = todo.pop()
        if one is other:
            continue
        if one is None or known.get(one.id) is one:
            return None
        one = resolved(one, other)
        if type(one) is not type(other) or head(one) != head(other):
            return None
        if isinstance(one, Comprehension) and isinstance(other, Comprehension):
            pairs.append((one, other))
        below, beside = children(one), children(other)
        if len(below) != len(beside):
            return None
        todo += zip(below, beside, strict=True)
    return pairs


def resolved(made: Expr, standing: Expr) -> Expr:
    """A call of `a.b.f` as the checker leaves it, without a target, if that stands in its place."""
    if isinstance(made, Call) and isinstance(standing, Call) and standing.target is None:
        namespace = None if made.target is None else dotted(made.target)
        if namespace is not None:
            name = f"{namespace}.{made.function}"
            return make_call(made.id, made.position, name, None, made.args)
    return made
