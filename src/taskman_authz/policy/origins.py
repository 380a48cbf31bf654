"""Where the rules of a set are from: the place of each policy, and its condition as it was written.

A decision needs none of it. Whoever looks into one does: what explains it, measures which clauses
tests have seen, or changes conditions to see whether anybody notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .._fast.rules import RuleRow
from ..cel import Env, Source
from ..issues import Place
from .loader import ConditionPlaces, Text
from .yaml_reader import Path

Key = tuple[str, str | None]  # a policy's id and its company


class Origin(NamedTuple):
    """A policy at `path` of a `text`, and its condition ("" if it has none)."""

    text: Text
    path: Path
    condition: str

    @property
    def place(self) -> Place:
        """Where the policy begins: its id."""
        return self.text.place((*self.path, "id"))

    @property
    def source(self) -> Source:
        """The condition; its places are those of the file."""
        places = ConditionPlaces(self.text, (*self.path, "condition"))
        return Source(self.condition, self.text.name, places)


class Origins:
    """The origins of a set's rules, and the environment that their conditions were compiled in."""

    __slots__ = ("_known", "env")

    def __init__(self, env: Env, known: Mapping[Key, Origin]) -> None:
        self.env = env
        self._known = known

    def of(self, row: RuleRow) -> Origin | None:
        """The origin of a rule; None where nobody knows."""
        return self._known.get((row.id, row.company))
