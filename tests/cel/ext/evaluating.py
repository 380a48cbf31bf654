"""What the tests of the extension libraries share: short ways to the value of an expression and to
the code of its error, checked or not, and a witness."""

from __future__ import annotations

from typing import Any

from taskman_authz._fast.activation import Activation
from taskman_authz.cel import Env, Library
from taskman_authz.cel.functions import called, described, limited
from taskman_authz.errors import CompileError, EvaluationError
from taskman_authz.limits import DEFAULT, Limits


def env_of(*libraries: Library, limits: Limits = DEFAULT, **types: str) -> Env:
    return Env(types, libraries=libraries, limits=limits)


def outcome(env: Env, text: str, variables: dict[str, Any], check: bool) -> tuple[str, Any]:
    """("value", …), ("refused", codes) or ("error", code)"""
    try:
        return "value", env.compile(text, check=check).evaluate(variables)
    except CompileError as error:
        return "refused", {issue.code for issue in error.issues}
    except EvaluationError as error:
        return "error", error.code


def value(env: Env, text: str, /, **variables: Any) -> Any:
    """The value of an expression, which is the same checked and unchecked."""
    checked = outcome(env, text, variables, check=True)
    assert checked[0] == "value", (text, checked)
    unchecked = outcome(env, text, variables, check=False)
    assert repr(checked) == repr(unchecked), text
    return checked[1]


def error(env: Env, text: str, /, **variables: Any) -> str:
    """The code of the error that an expression evaluates to, checked and unchecked."""
    checked = outcome(env, text, variables, check=True)
    assert checked[0] == "error", (text, checked)
    assert checked == outcome(env, text, variables, check=False), text
    return str(checked[1])


def refused(env: Env, text: str, /) -> set[str]:
    """The codes of what is wrong with an expression before it is evaluated."""
    found = outcome(env, text, {}, check=True)
    assert found[0] == "refused", (text, found)
    return set(found[1])


def implementations(library: Library, limits: Limits = DEFAULT) -> dict[tuple[str, int], Any]:
    """What a library's functions do, held to limits."""

    def held(implementation: Any) -> Any:
        found = described(limited(implementation, limits))

        def call(*arguments: Any) -> Any:
            return called(found, arguments, Activation(0, 0, 0, limits.evaluation_steps))

        return call

    return {key: held(found) for key, found in library.implementations.items()}
