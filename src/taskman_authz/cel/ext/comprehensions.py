"""Macros with two variables: index and element of a list, key and value of a map.

`all`, `exists`, `existsOne` (also `exists_one`), `transformList`, `transformMap` and
`transformMapEntry`; the transforms also with a predicate before what they make.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._fast import pairs
from ..._fast.expansion import Expander, Expansion, MacroTable
from ..._fast.tree import Expr
from .. import messages
from ..library import Library
from ..macros import variable
from .overloads import made

Variables = tuple[str, str]
INSERT = pairs.MAP_INSERT


def over_pairs(shape: Callable[..., Expr]) -> Expander:
    """The expander of `e.macro(k, v, …)`: `shape` is given the range, both names and the rest."""

    def expand(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
        first, second = variable(expansion, args[0]), variable(expansion, args[1])
        if not first or not second:
            return args[0]
        if first == second:
            return expansion.refuse(args[1], *messages.variables_alike(first))
        return shape(expansion, target, (first, second), *args[2:])

    return expand


def all_(e: Expansion, over: Expr, names: Variables, condition: Expr) -> Expr:
    """`e.all(k, v, p)`: until one is false."""
    start = e.literal(True)
    going = e.call("@not_strictly_false", e.accumulator())
    step = e.call("_&&_", e.accumulator(), condition)
    return e.fold(over, names, start, going, step, e.accumulator(), hint=e.name)


def exists(e: Expansion, over: Expr, names: Variables, condition: Expr) -> Expr:
    """`e.exists(k, v, p)`: until one is true."""
    start = e.literal(False)
    going = e.call("@not_strictly_false", e.call("!_", e.accumulator()))
    step = e.call("_||_", e.accumulator(), condition)
    return e.fold(over, names, start, going, step, e.accumulator(), hint=e.name)


def exists_one(e: Expansion, over: Expr, names: Variables, condition: Expr) -> Expr:
    """`e.existsOne(k, v, p)`: count all."""
    start, always = e.literal(0), e.literal(True)
    counted = e.call("_+_", e.accumulator(), e.literal(1))
    step = e.call("_?_:_", condition, counted, e.accumulator())
    result = e.call("_==_", e.accumulator(), e.literal(1))
    return e.fold(over, names, start, always, step, result, hint=e.name)


def transform_list(e: Expansion, over: Expr, names: Variables, *rest: Expr) -> Expr:
    """`e.transformList(k, v, t)` and `e.transformList(k, v, p, t)`"""
    start, always = e.list_of(), e.literal(True)
    grown = e.call("_+_", e.accumulator(), e.list_of(rest[-1]))
    step = where(e, rest, grown)
    return e.fold(over, names, start, always, step, e.accumulator(), hint=e.name)


def transform_map(e: Expansion, over: Expr, names: Variables, *rest: Expr) -> Expr:
    """`e.transformMap(k, v, t)` and `e.transformMap(k, v, p, t)`"""
    start, always = e.map_of(), e.literal(True)
    grown = e.call(INSERT, e.accumulator(), e.ident(names[0]), rest[-1])
    step = where(e, rest, grown)
    return e.fold(over, names, start, always, step, e.accumulator(), hint=e.name)


def transform_entries(e: Expansion, over: Expr, names: Variables, *rest: Expr) -> Expr:
    """`e.transformMapEntry(k, v, {k: t})` and `e.transformMapEntry(k, v, p, {k: t})`"""
    start, always = e.map_of(), e.literal(True)
    grown = e.call(INSERT, e.accumulator(), rest[-1])
    step = where(e, rest, grown)
    return e.fold(over, names, start, always, step, e.accumulator(), hint=e.name)


def where(e: Expansion, rest: tuple[Expr, ...], grown: Expr) -> Expr:
    """`grown`; if there is a predicate, only where it is true."""
    return e.call("_?_:_", rest[0], grown, e.accumulator()) if len(rest) == 2 else grown


LATEST = 0
OVERLOADS = f"""
0  {INSERT}  @mapInsert_map_map        (map(K, V), map(K, V)) -> map(K, V)
0  {INSERT}  @mapInsert_map_key_value  (map(K, V), K, V) -> map(K, V)
"""
MACROS = MacroTable(
    {
        ("all", 3, True): over_pairs(all_),
        ("exists", 3, True): over_pairs(exists),
        ("existsOne", 3, True): over_pairs(exists_one),
        ("exists_one", 3, True): over_pairs(exists_one),
        ("transformList", 3, True): over_pairs(transform_list),
        ("transformList", 4, True): over_pairs(transform_list),
        ("transformMap", 3, True): over_pairs(transform_map),
        ("transformMap", 4, True): over_pairs(transform_map),
        ("transformMapEntry", 3, True): over_pairs(transform_entries),
        ("transformMapEntry", 4, True): over_pairs(transform_entries),
    }
)


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("comprehensions", version, LATEST, OVERLOADS, pairs.FUNCTIONS, {0: MACROS})
