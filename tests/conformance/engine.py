"""The only file of this suite that knows our API: a case in, an `Answer` out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from taskman_authz import cel
from taskman_authz.cel import ext, stdlib
from taskman_authz.cel.decls import Declarations, FunctionDecl, overload
from taskman_authz.cel.notation import parse_type
from taskman_authz.errors import CompileError, EvaluationError

from . import messages
from .cases import Case, Json
from .needs import PROTOBUF, needs
from .types import type_text
from .values import Form, actual_form, expected_form, python_value

# What cases may need that our environments give: grows as libraries come, never shrinks.
LIBRARIES = {
    "bindings": ext.BINDINGS,
    "block": ext.BLOCK,
    "encoders": ext.ENCODERS,
    "math": ext.MATH,
    "network": ext.NETWORK,
    "optionals": ext.OPTIONALS,
    "protos": ext.PROTOS,
    "strings": ext.STRINGS,
    "two-variable comprehensions": ext.COMPREHENSIONS,
}
SUPPORTED = frozenset({PROTOBUF, *LIBRARIES})


@dataclass(frozen=True)
class Answer:
    """What the engine said: a value, or an error of ours, or a crash, which is any other."""

    form: Form | None = None
    type: str | None = None
    error: str | None = None
    crash: str | None = None


def evaluate(case: Case) -> Answer:
    """Compile and, unless the case is about types only, evaluate."""
    try:
        return _evaluate(case)
    except CompileError as error:
        return Answer(error="; ".join(issue.message for issue in error.issues))
    except EvaluationError as error:
        return Answer(error=error.message)
    except Exception as error:  # whatever it is, the suite goes on and the case fails
        return Answer(crash=f"crash: {type(error).__name__}: {error}")


def type_name(type: Json) -> str:
    """How we write a `cel.expr.Type`."""
    return str(parse_type(type_text(type)))


def _evaluate(case: Case) -> Answer:
    env = environment(case)
    if case.check_only:
        return Answer(type=str(env.check(case.expression).type))
    program = env.compile(case.expression, check=case.check)
    return Answer(actual_form(program.evaluate(_bindings(case))), str(program.type))


def environment(
    case: Case, base: Declarations = stdlib.STANDARD, libraries: Iterable[cel.Library] = ()
) -> cel.Env:
    """What a case is compiled in; `libraries` besides what it needs."""
    declared = list(functions(case))
    return cel.Env(
        {name: type_text(type) for name, type in variables(case)},
        container=case.container,
        messages=messages.files(),
        strong_enums=case.strong_enums,
        macros=case.macros,
        libraries=[*libraries, *(LIBRARIES[need] for need in needs(case) if need in LIBRARIES)],
        declarations=base.extended(functions=declared) if declared else base,
    )


def variables(case: Case) -> Iterator[tuple[str, Json]]:
    """The names that a case declares, with their types."""
    for declaration in case.declarations:
        if "ident" in declaration:
            yield declaration["name"], declaration["ident"]["type"]


def functions(case: Case) -> Iterator[FunctionDecl]:
    """The functions that a case declares."""
    for declaration in case.declarations:
        if "function" in declaration:
            overloads = declaration["function"]["overloads"]
            yield FunctionDecl(
                declaration["name"],
                tuple(overload(one["overloadId"], _signature(one)) for one in overloads),
            )


def _signature(one: Json) -> str:
    parameters = [type_text(parameter) for parameter in one.get("params", ())]
    target = f"{parameters.pop(0)}." if one.get("isInstanceFunction") else ""
    return f"{target}({', '.join(parameters)}) -> {type_text(one['resultType'])}"


def _bindings(case: Case) -> dict[str, Any]:
    return {
        name: python_value(expected_form(binding["value"]))
        for name, binding in case.bindings.items()
    }
