"""What a prompt asks of a text that is being typed: how could it go on, and is it finished?

Laws: nothing raises, and nothing is called: of what stands before a dot only fields are read. Where
the grammar of record accepts nothing (within a string, say) nothing is offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .._fast import syntax
from .._fast.access import adapt
from .._fast.values import type_name
from ..errors import AuthzError
from .decls import Function
from .env import Env
from .expected import acceptable
from .lexemes import lexemes
from .notation import NAMES
from .types import DYN, Kind, Type, is_dyn
from .wrapping import BINDERS

# What macros are called on that is no value.
NAMESPACES = {
    "cel": ("accuVar", "bind", "block", "index", "iterVar"),
    "math": ("greatest", "least"),
    "proto": ("getExt", "hasExt"),
}
_NAMESPACED = frozenset(name for names in NAMESPACES.values() for name in names)
_ITERABLE = frozenset((Kind.LIST, Kind.MAP, Kind.DYN))
_OPTIONAL = frozenset(("optMap", "optFlatMap"))
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OPENERS = {")": "(", "]": "[", "}": "{"}


class Completion(NamedTuple):
    """What could stand from `start` to the end of the text."""

    start: int
    words: list[str]


def unfinished(text: str, env: Env) -> bool:
    """Whether nothing is wrong with `text` but that it goes on: a bracket or a long string is open,
    an operand is missing. (Not of a text with nothing in it.)"""
    limits = env.limits
    bounds = limits.expression_length, limits.expression_depth, limits.expression_nodes, 1
    for problem in syntax.parse(text, env.macros, *bounds).problems:
        if problem.code == "unterminated_string":
            return bool(re.match("[rRbB]*('''|\"\"\")", text[problem.position :]))
        return problem.code == "unexpected_end" and len(lexemes(text)) > 1
    return False


def completions(text: str, env: Env, values: Mapping[str, Any]) -> Completion:
    """How `text` could go on where it ends, in an environment and over the values that are known
    of its variables."""
    word = _WORD.search(text)
    start = word.start() if word else len(text)
    found = [lexeme.text for lexeme in lexemes(text[:start])[:-1]]
    is_word = any(each.position == start for each in lexemes(text[:start] + "x")[:-1])
    terminals = acceptable(text[:start]) if is_word else set()  # not in a string or a comment
    offered: Iterator[str] = iter(())
    if found and found[-1] == "." or found[-2:] == [".", "?"]:
        if "IDENT" in terminals:
            path = len(found) - (1 if found[-1] == "." else 2)
            offered = _members(found[_operand(found, path) : path], env, values)
            if found[-1] == "?":
                offered = (each for each in offered if not each.endswith("("))
    elif "LPAR" in terminals and "IDENT" in terminals:
        offered = _roots(found, env)
    elif "IN" in terminals:
        offered = iter(("in",))
    return Completion(start, sorted({each for each in offered if each.startswith(text[start:])}))


# -- where an expression begins ------------------------------------------------------------------


def _roots(found: Sequence[str], env: Env) -> Iterator[str]:
    """What an expression may begin with."""
    yield from ("true", "false", "null")
    declared = env.declarations
    yield from (name.partition(".")[0] + "." * ("." in name) for name in declared.variables)
    for name, function in declared.functions.items():
        first, dot, _ = name.partition(".")
        if first.isidentifier() and any(not each.member for each in function.overloads):
            yield f"{first}." if dot else f"{name}("
    for name, _, member in env.macros.entries:
        if not member:
            yield f"{name}("
    yield from (f"{space}." for space, names in NAMESPACES.items() if env.macros.names & {*names})
    for macro, opening, name in zip(found, found[1:], found[2:], strict=False):
        if macro in BINDERS and opening == "(" and name.isidentifier():
            yield name


# -- behind a dot --------------------------------------------------------------------------------


def _operand(found: Sequence[str], end: int) -> int:
    """Where the operand begins that ends before lexeme `end`."""
    index = end
    while index > 0:
        index -= 1
        if found[index] in _OPENERS:
            index = _opening(found, index)
            before = found[index - 1] if index else ""
            if before in _OPENERS or before.isidentifier() and before != "in":
                continue  # called, or indexed
        if index and found[index - 1] == "?":
            index -= 1
        if not index or found[index - 1] != ".":
            break
        index -= 1
    return index


def _opening(found: Sequence[str], closing: int) -> int:
    """The bracket that the one at `closing` closes."""
    depth = 0
    for index in range(closing, -1, -1):
        depth += (found[index] in _OPENERS) - (found[index] in _OPENERS.values())
        if depth == 0:
            return index
    return 0


def _members(operand: Sequence[str], env: Env, values: Mapping[str, Any]) -> Iterator[str]:
    """The fields and functions of what `operand` is."""
    text = "".join(operand)
    if text not in env.declarations.variables:
        within = [f"{name}(" for name in _in_namespace(text, env)]
        yield from within
        if within:
            return
    type = _type(" ".join(operand), env)
    if "(" not in operand:
        value = _value(" ".join(operand), env, values)
        if isinstance(value, Mapping):
            yield from (key for key in value if isinstance(key, str) and key.isidentifier())
        if is_dyn(type) and value is not None:
            type = NAMES.get(type_name(adapt(value)), DYN)
    if type.kind is Kind.STRUCT:
        yield from env.declarations.field_names(type)
    yield from (
        f"{name}("
        for name, function in env.declarations.functions.items()
        if name.isidentifier() and _takes(function, type)
    )
    if type.kind in _ITERABLE:
        names = {name for name, _, member in env.macros.entries if member}
        yield from (f"{name}(" for name in names - _NAMESPACED - _OPTIONAL)
    if type.kind in (Kind.OPAQUE, Kind.DYN):
        yield from (f"{name}(" for name in _OPTIONAL & env.macros.names)


def _in_namespace(space: str, env: Env) -> Iterator[str]:
    """The functions and macros whose names begin with `space` and a dot."""
    for name in env.declarations.functions:
        first, _, rest = name.rpartition(".")
        if first == space and rest.isidentifier():
            yield rest
    yield from env.macros.names & {*NAMESPACES.get(space, ())}


def _takes(function: Function, type: Type) -> bool:
    """Whether the function is a member of a type."""
    return any(
        each.member and (is_dyn(type) or _fits(each.arguments[0], type))
        for each in function.overloads
    )


def _fits(parameter: Type, type: Type) -> bool:
    if parameter.kind is Kind.OPAQUE or type.kind is Kind.OPAQUE:
        return parameter.name == type.name
    return parameter.kind in (type.kind, Kind.PARAM, Kind.DYN)


def _type(text: str, env: Env) -> Type:
    try:
        return env.check(text).type
    except AuthzError:
        return DYN


def _value(text: str, env: Env, values: Mapping[str, Any]) -> Any:
    """The value of a path of fields, or None."""
    try:
        return env.compile(text).evaluate(values)
    except AuthzError:
        return None
