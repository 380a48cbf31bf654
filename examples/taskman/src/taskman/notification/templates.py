"""Templates: texts with variables that they declare, rendered in a sandbox. Pure.

Laws: a template gets the variables that it declares, all of them, and nothing else. It can neither
reach into Python nor grow without end: no calls, no operators that multiply, few filters, no more
than `LONGEST` characters of output. What a secret variable holds is not in what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jinja2
import msgspec
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..chassis.errors import InvalidInput, NotFound
from ..chassis.fields import read_text

LONGEST = 10_000  # characters of a body
LONGEST_SUBJECT = 500
LONGEST_VALUE = 2_000  # characters of a variable
HIDDEN = "***"
FILTERS = ("capitalize", "default", "length", "lower", "title", "trim", "truncate", "upper")


class Variable(msgspec.Struct, frozen=True):
    """What a template declares."""

    name: str
    secret: bool = False


class Template(NamedTuple):
    """A text with variables, for a type of notification."""

    name: str
    type: str
    subject: str
    body: str
    variables: tuple[Variable, ...]


class Written(NamedTuple):
    """What is said: the subject and body that go out, and the body that is shown later."""

    subject: str
    body: str
    shown: str


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError(operator)

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def _sandbox() -> _Sandbox:
    made = _Sandbox(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    kept: dict[str, Callable[..., Any]] = {name: made.filters[name] for name in FILTERS}
    made.filters.clear()
    made.filters.update(kept)
    made.globals.clear()
    return made


_SANDBOX = _sandbox()


def read_plain(field: str, subject: str, body: str) -> Written:
    """A text that somebody wrote themselves."""
    said = read_text(f"{field}.body", body, LONGEST)
    return Written(_line(read_text(f"{field}.subject", subject, LONGEST_SUBJECT)), said, said)


def render(template: Template, variables: Mapping[str, str]) -> Written:
    """A template with values for its variables. Raises InvalidInput, NotFound where what is kept
    is no template."""
    declared = {each.name for each in template.variables}
    for name in declared - variables.keys():
        raise InvalidInput("template.variables", f"expected `{name}`")
    if variables.keys() - declared:
        known = ", ".join(sorted(declared)) or "none"
        raise InvalidInput("template.variables", f"expected no others than: {known}")
    for name, value in variables.items():
        read_text(f"template.variables.{name}", value, LONGEST_VALUE, 0)
    secret = {each.name for each in template.variables if each.secret}
    shown = {name: HIDDEN if name in secret else value for name, value in variables.items()}
    return Written(
        _line(_render(template, template.subject, shown, LONGEST_SUBJECT)),
        _render(template, template.body, variables, LONGEST),
        _render(template, template.body, shown, LONGEST),
    )


def _render(template: Template, text: str, variables: Mapping[str, str], longest: int) -> str:
    try:
        return _bounded(_SANDBOX.from_string(text).generate(**variables), longest)
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError) as error:
        raise NotFound(f"the template `{template.name}` cannot be used") from error


def _bounded(parts: Iterable[str], longest: int) -> str:
    found, size = [], 0
    for part in parts:
        size += len(part)
        if size > longest:
            raise ValueError("longer than it may be")
        found.append(part)
    return "".join(found)


def _line(text: str) -> str:
    """A text on one line: a subject is a header."""
    return " ".join(text.split())
