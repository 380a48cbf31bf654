"""What conditions may read: the types of a schema, for the kinds that they are about, and the names
of their file.

Law: what a name stands for depends on both, and is worked out once for each kind of condition.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..cel import Env
from ..cel.types import Type
from ..cel.unparser import unparse
from .definitions import Definition, Scope
from .rewriting import Named, absolute, rewritten
from .schema import Schema, as_sent


class Typing:
    """What conditions about some kinds of a schema may read. It remembers what names stand for."""

    def __init__(self, schema: Schema | None, kinds: tuple[str, ...] | None, env: Env) -> None:
        self.types: Mapping[str, Type] = {} if schema is None else schema.types(kinds)
        self.fallbacks: Mapping[str, str] = {} if schema is None else schema.fallbacks
        sent = {name: as_sent(type) for name, type in self.types.items()}
        self.env = env.with_types(sent) if sent else env
        self.known: dict[tuple[Definition, bool], Named] = {}

    def named(self, made: Definition, absolute: bool = False) -> Named:
        """What a definition stands for; if `absolute`, wherever that is put."""
        key = made, absolute
        if key not in self.known:
            self.known[key] = self._absolute(made) if absolute else self._written(made)
        return self.known[key]

    def _absolute(self, made: Definition) -> Named:
        found = self.named(made)
        return found._replace(text=absolute(self.env.parse(found.text)))

    def _written(self, made: Definition) -> Named:
        if made.parsed is None:
            return Named(made.text)
        found = rewritten(made.parsed, View(self, made.scope), self.env.limits)
        text = unparse(self.env.parse(found.source))
        return Named(f"({text})", found.type)


class View:
    """A typing as the conditions of one file see it, with the names of that file."""

    def __init__(self, typing: Typing, scope: Scope) -> None:
        self.typing = typing
        self.scope = scope
        self.types = typing.types
        self.fallbacks = typing.fallbacks
        self.broken = False

    def named(self, name: str, absolute: bool) -> Named | None:
        made = self.scope.names.get(name)
        if made is None:
            return None
        if made.broken:  # which is told at its own place
            self.broken = True
            return Named("null")
        return self.typing.named(made, absolute)
