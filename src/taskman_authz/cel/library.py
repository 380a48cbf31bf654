"""Extension libraries: what an environment may add to the standard library.

A `Library` declares functions (overloads for the checker), says what they do (implementations over
core values), and may bring macros and types. `function` makes one from a Python function.

Laws: a library is immutable and is added as a whole; an implementation gives a core value or a
Fault and never raises; names are the reference implementation's, so that an expression means the
same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .._fast.access import adapt
from .._fast.values import Fault, ObjectValue
from ..errors import ArgumentError, require
from .constants import ConstantCheck
from .decls import FunctionDecl, VariableDecl, overload
from .functions import Cost, Described, Implementation
from .macros import MacroTable

NO_MACROS = MacroTable({})


class Library(msgspec.Struct, frozen=True):
    """What an environment can opt into. `version` counts as the reference implementation's does."""

    name: str
    version: int = 0
    functions: tuple[FunctionDecl, ...] = ()
    implementations: Mapping[tuple[str, int], Implementation] = {}
    macros: MacroTable = NO_MACROS
    variables: tuple[VariableDecl, ...] = ()  # constants and types
    optional_syntax: bool = False  # `a.?b`, `a[?b]`, `[?a]`, `{?k: v}`
    constants: Mapping[str, ConstantCheck] = {}  # by ids of overloads


def function(
    name: str,
    signature: str,
    implementation: Callable[..., Any],
    *,
    pure: bool = True,
    cost: Cost | None = None,
) -> Library:
    """A library of one function in Python: `function("greet", "(string) -> string", greet)`, or
    for a member function `"string.(string) -> string"`.

    With `pure` false a call with constants is not computed when a program is compiled, but each
    time that it is evaluated. `cost` is what a call costs, in steps and in the units of
    `Program.estimate`, or a function that gives it for the sizes of the arguments and gives no less
    for larger ones; where it is not given, larger arguments take more steps, and a call costs 1.

    It is called with core values, which for all types but timestamps and durations are plain
    Python; of a protobuf message it is given the message. What it raises becomes an error of the
    evaluation. Raises CompileError for a bad signature.
    """
    require("name", name, str, "a name")
    require("signature", signature, str, "a signature such as `(string) -> string`")
    if not callable(implementation):
        raise ArgumentError.of("implementation", "a function", implementation)
    if cost is not None and type(cost) is not int and not callable(cost):
        raise ArgumentError.of("cost", "a whole number or a function", cost)
    declared = overload(f"{name}_{signature}", signature)

    def call(*arguments: Any) -> Any:
        try:
            return adapt(implementation(*map(_given, arguments)))
        except Exception as error:  # a function of the embedder's failed: an error is a value
            return Fault("invalid_argument", (name, type(error).__name__))

    return Library(
        name,
        functions=(FunctionDecl(name, (declared,)),),
        implementations={(name, len(declared.arguments)): Described(call, cost, pure)},
    )


def _given(value: Any) -> Any:
    return value.plain() if isinstance(value, ObjectValue) else value
