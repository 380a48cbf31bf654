"""A second evaluator, slow and plain: it walks the tree as the parser made it and does what the
language definition says for each node, with no plan, no slots, no folding and no special loops.

Law: it shares with the planner only the functions of the core, never a node.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskman_authz._fast import relations
from taskman_authz._fast.access import adapt, has, index, keys, select
from taskman_authz._fast.nodes import make_map
from taskman_authz._fast.tree import (
    Call,
    Comprehension,
    Expr,
    Ident,
    ListExpr,
    Literal,
    MapExpr,
    Select,
)
from taskman_authz._fast.values import CelType, Fault, type_name
from taskman_authz.cel.functions import STANDARD
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source

TYPES = frozenset("bool bytes double int list map null_type string type uint".split())
ORDER = {
    "_<_": lambda found: found == -1,
    "_<=_": lambda found: found in (-1, 0),
    "_>_": lambda found: found == 1,
    "_>=_": lambda found: found in (0, 1),
}


def evaluate(text: str, variables: Mapping[str, Any]) -> Any:
    """The core's value of an expression, or a Fault without a place."""
    return _value(parse(Source(text)).expr, {name: adapt(v) for name, v in variables.items()})


def _value(tree: Expr, scope: Mapping[str, Any]) -> Any:
    match tree:
        case Literal():
            return tree.value
        case Ident():
            return _named(tree.name, scope)
        case Select():
            operand = _value(tree.operand, scope)
            return has(operand, tree.field) if tree.test_only else select(operand, tree.field)
        case ListExpr():
            return _strict(tree.elements, scope, lambda *values: list(values))
        case MapExpr():
            parts = [part for entry in tree.entries for part in (entry.key, entry.value)]
            return _strict(parts, scope, lambda *values: make_map(_pairs(values)))
        case Comprehension():
            return _fold(tree, scope)
        case Call():
            return _call(tree, scope)
    raise AssertionError(tree)


def _named(name: str, scope: Mapping[str, Any]) -> Any:
    if name in scope:
        return scope[name]
    return CelType(name) if name in TYPES else Fault("no_such_attribute", (name,))


def _pairs(values: Any) -> list[tuple[Any, Any]]:
    return list(zip(values[::2], values[1::2], strict=True))


def _strict(parts: Any, scope: Mapping[str, Any], function: Any) -> Any:
    values = []
    for part in parts:
        values.append(_value(part, scope))
        if type(values[-1]) is Fault:
            return values[-1]
    return function(*values)


def _call(tree: Call, scope: Mapping[str, Any]) -> Any:
    name = tree.function
    if name in ("_&&_", "_||_"):
        return _logical(name, tree, scope)
    if name == "_?_:_":
        condition = _value(tree.args[0], scope)
        if type(condition) is bool:
            return _value(tree.args[1 if condition else 2], scope)
        return _not_bool(name, condition)
    if name == "@not_strictly_false":
        return _value(tree.args[0], scope) is not False
    parts = tree.args if tree.target is None else (tree.target, *tree.args)
    return _strict(parts, scope, _function(name, len(parts)))


def _logical(name: str, tree: Call, scope: Mapping[str, Any]) -> Any:
    decides = name == "_||_"
    values = [_value(argument, scope) for argument in tree.args]
    if any(value is decides for value in values):
        return decides
    odd = [value for value in values if type(value) is not bool]
    return _not_bool(name, odd[0]) if odd else not decides


def _not_bool(name: str, value: Any) -> Any:
    return value if type(value) is Fault else Fault("no_such_overload", (name, type_name(value)))


def _function(name: str, count: int) -> Any:
    if name == "_==_":
        return relations.equals
    if name == "_!=_":
        return lambda left, right: _negated(relations.equals(left, right))
    if name == "!_":
        return lambda value: not value if type(value) is bool else _not_bool(name, value)
    if name == "@in":
        return relations.member_of
    if name == "_[_]":
        return index
    if name in ORDER:
        return lambda left, right: _ordered(name, relations.compare(left, right, name))
    return STANDARD[name, count]


def _negated(value: Any) -> Any:
    return value if type(value) is Fault else not value


def _ordered(name: str, found: Any) -> Any:
    return found if type(found) is Fault else ORDER[name](found)


def _fold(tree: Comprehension, scope: Mapping[str, Any]) -> Any:
    source = _value(tree.iter_range, scope)
    if type(source) is Fault:
        return source
    if type(source) not in (list, tuple, dict):
        return Fault("no_such_overload", ("comprehension", type_name(source)))
    outer = {**scope, tree.accu_var: _value(tree.accu_init, scope)}
    for member in source if type(source) in (list, tuple) else keys(source):
        inner = {**outer, tree.iter_var: adapt(member)}
        if _value(tree.loop_condition, inner) is False:
            break
        outer[tree.accu_var] = _value(tree.loop_step, inner)
    return _value(tree.result, outer)
