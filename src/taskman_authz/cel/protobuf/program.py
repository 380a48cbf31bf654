"""A program of an environment with messages: what comes in is read by the environment's schema."""

from __future__ import annotations

from typing import Any

from ..program import Program
from .schema import Schema


class MessageProgram(Program):
    """As a `Program`; messages among the variables, also in lists and dicts, are values of
    `schema`, which knows what their `Any` may hold and what their enums are."""

    __slots__ = ("schema",)

    def __init__(self, schema: Schema, *parts: Any) -> None:
        super().__init__(*parts)
        self.schema = schema

    def value(self, variables: Any) -> Any:
        return super().value(self.core_variables(variables))

    def evaluate(self, variables: Any = None, budget: int | None = None) -> Any:
        # With a budget, `within` comes back with them.
        given = self.core_variables(variables) if budget is None else variables
        return super().evaluate(given, budget)

    def core_variables(self, variables: Any) -> Any:
        return self.schema.bound(variables or {})
