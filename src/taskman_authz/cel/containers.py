"""How a name in an expression becomes the full names that it may stand for.

In the container `a.b`, the name `c.d` may be `a.b.c.d`, `a.c.d` or `c.d`, in this order; `.c.d`
is only `c.d` (language definition, "Name Resolution"). An alias replaces the first part of a name
and then stands alone: nothing else is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class Container:
    """The namespace in which names are resolved; "" is the root."""

    __slots__ = ("aliases", "name", "prefixes")

    def __init__(self, name: str = "", aliases: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.aliases = MappingProxyType(dict(aliases or {}))
        parts = name.split(".") if name else []
        longest_first = range(len(parts), 0, -1)
        self.prefixes = tuple(".".join(parts[:count]) + "." for count in longest_first)

    def candidates(self, name: str) -> tuple[str, ...]:
        """The full names that `name` may stand for, the first that exists is meant."""
        if name.startswith("."):
            return (name[1:],)
        if self.aliases:
            first, dot, rest = name.partition(".")
            if first in self.aliases:
                return (self.aliases[first] + dot + rest,)
        return (*(prefix + name for prefix in self.prefixes), name)


ROOT = Container()
