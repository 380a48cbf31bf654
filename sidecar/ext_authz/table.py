"""A table of routes that was read: who asks, and what a request asks by its method and path.

Laws: a table is immutable. The path alone says which routes are meant, then the method which of
them: a method that none of them has is not looked for among less specific paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from taskman_authz.cel import Optional, Program
from taskman_authz.errors import EvaluationError, RequestError
from taskman_authz.integrations.enforcement import Check

from .patterns import PathTree

Programs = Mapping[str, Program]

# What a client says to be taken for another request than the one that is decided on.
OVERRIDES = (
    *("x-original-url", "x-rewrite-url"),
    *("x-http-method", "x-http-method-override", "x-method-override"),
)


class SubjectRule(NamedTuple):
    """Who asks, if `id` gives a text."""

    type: str
    id: Program
    attributes: Programs


class Route(NamedTuple):
    """What a request asks, which one to a public route does not. `path` is as it was written."""

    method: str
    path: str
    is_public: bool
    parameters: tuple[str, ...]
    check: Check | None
    attributes: Programs
    context: Programs
    reads_query: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Table(NamedTuple):
    """Routes by path, then by method, and what holds for all of them."""

    claims: str
    subjects: tuple[SubjectRule, ...]
    company: Program | None
    headers: Programs
    removed: tuple[str, ...]  # headers besides `OVERRIDES`
    routes: PathTree[dict[str, Route]]
    listed: tuple[Route, ...]  # the same in the order in which they are written
    revision: str  # of the text

    def find(self, method: str, path: tuple[str, ...]) -> tuple[Route, dict[str, str]] | None:
        """The route of a request, and its parameters."""
        found = self.routes.find(path)
        route = found and found[0].get(method)
        if not found or not route:
            return None
        return route, dict(zip(route.parameters, found[1], strict=True))


def values(programs: Programs, variables: Mapping[str, Any], field: str) -> dict[str, Any]:
    """What expressions give, but for those that say that there is nothing. Raises RequestError."""
    found: dict[str, Any] = {}
    for name, program in programs.items():
        value = _value(program, variables, f"{field}.{name}")
        if not isinstance(value, Optional):
            found[name] = value
        elif value.has_value:
            found[name] = value.value
    return found


def text(program: Program, variables: Mapping[str, Any], field: str) -> str:
    """The text that an expression gives; "" where it says that there is none. Raises
    RequestError."""
    value = _value(program, variables, field)
    if isinstance(value, Optional):
        value = value.or_else("")
    if type(value) is not str:
        raise RequestError(field, "what was sent gives no text")
    return value


def text_if_any(program: Program, variables: Mapping[str, Any], field: str) -> str:
    """As `text`; "" also where what it reads is not there."""
    try:
        return text(program, variables, field)
    except AbsentError:
        return ""


class AbsentError(RequestError):
    """What an expression reads is not there."""


def _value(program: Program, variables: Mapping[str, Any], field: str) -> Any:
    try:
        return program.evaluate(variables)
    except EvaluationError as error:
        kind = AbsentError if error.code == "no_such_key" else RequestError
        # Not the message of the evaluation, which may hold a value.
        raise kind(field, f"cannot be read from what was sent ({error.code})") from None
