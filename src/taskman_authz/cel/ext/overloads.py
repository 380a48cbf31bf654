"""What the extension libraries are made with: tables of overloads by version, and the check of
the types of arguments.

A row of a table is `since  function  overload_id  signature`, where `since` is the version of the
library that brought the overload, counted as the reference implementation does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from ..._fast.values import Fault, type_name
from ...errors import ArgumentError
from ..constants import ConstantCheck
from ..decls import FunctionDecl, VariableDecl, functions_of
from ..functions import Implementation, Implementations
from ..library import NO_MACROS, Library
from ..macros import MacroTable


def no_overload(function: str, *arguments: Any) -> Fault:
    """The fault of a call with arguments of these types."""
    return Fault("no_such_overload", (function, *map(type_name, arguments)))


def takes(function: str, *kinds: tuple[type, ...]) -> Callable[[Implementation], Implementation]:
    """Call an implementation of `function` only with arguments whose types are one of `kinds`."""
    accepted = frozenset(kinds)
    counts = {len(each) for each in kinds}

    def decorate(implementation: Implementation) -> Implementation:
        @wraps(implementation)
        def checked(*arguments: Any, **named: Any) -> Any:
            if tuple(map(type, arguments)) in accepted:
                return implementation(*arguments, **named)
            return no_overload(function, *arguments)

        # The same for one argument and for two, at a third of the cost.
        @wraps(implementation)
        def checked_one(only: Any) -> Any:
            return (
                implementation(only) if (type(only),) in accepted else no_overload(function, only)
            )

        @wraps(implementation)
        def checked_two(first: Any, second: Any) -> Any:
            if (type(first), type(second)) in accepted:
                return implementation(first, second)
            return no_overload(function, first, second)

        code = getattr(implementation, "__code__", None)
        if code is not None and code.co_kwonlyargcount:  # limits, or a meter
            return checked
        if counts == {1}:
            return checked_one
        return checked_two if counts == {2} else checked

    return decorate


def declared(table: str, version: int) -> tuple[FunctionDecl, ...]:
    """The functions of a table with the overloads that `version` has."""
    rows = (line.split(None, 1) for line in table.splitlines() if line.strip())
    return functions_of("\n".join(row for since, row in rows if int(since) <= version))


def made(
    name: str,
    version: int,
    latest: int,
    table: str,
    implementations: Implementations,
    macros: Mapping[int, MacroTable] | None = None,
    variables: Iterable[VariableDecl] = (),
    constants: Mapping[str, ConstantCheck] | None = None,
) -> Library:
    """A library as of `version`; `macros` are by the version that brought them. Raises
    ArgumentError for a version that there is not."""
    if type(version) is not int:
        raise ArgumentError.of("version", f"a version of `{name}` from 0 to {latest}", version)
    if not 0 <= version <= latest:
        raise ArgumentError("version", f"a version of `{name}` from 0 to {latest}", str(version))
    functions = declared(table, version)
    shapes = {(one.name, len(each.arguments)) for one in functions for each in one.overloads}
    chosen = NO_MACROS
    for since, added in (macros or {}).items():
        chosen = chosen | added if since <= version else chosen
    return Library(
        name,
        version,
        functions,
        {key: found for key, found in implementations.items() if key in shapes},
        chosen,
        tuple(variables),
        constants=constants or {},
    )
