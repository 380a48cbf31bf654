"""The only file of this suite that knows our API: a case in, an `Answer` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskman_authz import cel
from taskman_authz.errors import CompileError, EvaluationError

from .cases import Case
from .types import type_text
from .values import Form, actual_form, expected_form, python_value

# What cases may need that our environments give: grows as libraries come, never shrinks.
SUPPORTED: frozenset[str] = frozenset()


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


def _evaluate(case: Case) -> Answer:
    program = _environment(case).compile(case.expression, check=case.check)
    deduced = str(program.type) if case.check else None
    if case.check_only:
        return Answer(type=deduced)
    return Answer(actual_form(program.evaluate(_bindings(case))), deduced)


def _environment(case: Case) -> cel.Env:
    variables = {
        declaration["name"]: type_text(declaration["ident"]["type"])
        for declaration in case.declarations
        if "ident" in declaration
    }
    return cel.Env(variables=variables, container=case.container, macros=case.macros)


def _bindings(case: Case) -> dict[str, Any]:
    return {
        name: python_value(expected_form(binding["value"]))
        for name, binding in case.bindings.items()
    }
