"""Optional values: a value that may be there or not.

`a.?b`, `a[?b]` read what may be missing; `[?a]`, `{?k: v}` and `T{?f: v}` leave out what is not
there. `optional.of`, `optional.ofNonZeroValue` and `optional.none` make optionals; `hasValue`,
`value`, `or`, `orValue`, `optMap` and `optFlatMap` take them apart. What follows the first `?` in a
chain of members is optional too: `a.?b.c` is none where `b` or `c` is missing.

Versions: 1 adds `optFlatMap`; 2 adds `first` and `last` of lists, `optional.unwrap` and
`unwrapOpt`.
"""

from __future__ import annotations

import msgspec

from ..._fast import optionals
from ..._fast.expansion import Expander, Expansion, MacroTable
from ..._fast.tree import Call, Expr
from ..._fast.values import CelType
from ..decls import VariableDecl
from ..library import Library
from ..macros import variable
from ..types import DYN, optional_of, type_of
from .bindings import bound
from .overloads import made

LATEST = 2
TARGET = "@target"  # the optional that `optMap` was called on: no name that can be written

OVERLOADS = """
0  _?._  select_optional_field  (dyn, string) -> optional(V)
0  _[?_]  list_optindex_optional_int  (list(V), int) -> optional(V)
0  _[?_]  optional_list_optindex_optional_int  (optional(list(V)), int) -> optional(V)
0  _[?_]  map_optindex_optional_value  (map(K, V), K) -> optional(V)
0  _[?_]  optional_map_optindex_optional_value  (optional(map(K, V)), K) -> optional(V)
0  _[_]  optional_list_index_int  (optional(list(V)), int) -> optional(V)
0  _[_]  optional_map_index_value  (optional(map(K, V)), K) -> optional(V)
0  optional.none  optional_none  () -> optional(V)
0  optional.of  optional_of  (V) -> optional(V)
0  optional.ofNonZeroValue  optional_ofNonZeroValue  (V) -> optional(V)
0  hasValue  optional_hasValue  optional(V).() -> bool
0  value  optional_value  optional(V).() -> V
0  or  optional_or_optional  optional(V).(optional(V)) -> optional(V)
0  orValue  optional_orValue_value  optional(V).(V) -> V
2  first  list_first  list(V).() -> optional(V)
2  last  list_last  list(V).() -> optional(V)
2  optional.unwrap  optional_unwrap  (list(optional(V))) -> list(V)
2  unwrapOpt  optional_unwrapOpt  list(optional(V)).() -> list(V)
"""

TYPE = VariableDecl("optional_type", type_of(optional_of(DYN)), CelType("optional_type"))


def mapped(flat: bool) -> Expander:
    """The expander of `e.optMap(x, t)`, or if `flat` of `e.optFlatMap(x, t)`: `t`, itself an
    optional if `flat`, with x for the value of `e` where it has one."""

    def expand(e: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
        name = variable(e, args[0])
        if not name or target is None:
            return args[0]
        result: Expr = bound(e, name, e.member_call("value", e.ident(TARGET)), args[1])
        if not flat:
            result = optional(e, "of", result)
        there = e.member_call("hasValue", e.ident(TARGET))
        chosen = e.call("_?_:_", there, result, optional(e, "none"))
        return bound(e, TARGET, target, chosen, "optFlatMap" if flat else "optMap")

    return expand


def optional(e: Expansion, function: str, *args: Expr) -> Call:
    """`optional.function(args)`"""
    return e.member_call(function, e.ident("optional"), *args)


MACROS = {
    0: MacroTable({("optMap", 2, True): mapped(flat=False)}),
    1: MacroTable({("optFlatMap", 2, True): mapped(flat=True)}),
}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    found = made("optionals", version, LATEST, OVERLOADS, optionals.FUNCTIONS, MACROS, [TYPE])
    return msgspec.structs.replace(found, optional_syntax=True)
