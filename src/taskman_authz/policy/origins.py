"""Where the rules of a set are from: the place of each policy, and its condition as it was
compiled, the names that files define and the types of schemas worked in.

A decision needs none of it. Whoever looks into one does: what explains it, or measures which
clauses tests have seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .._fast.rules import RuleRow
from ..cel import Env, Source
from ..issues import Place
from .loader import Text
from .resolver import Condition, Entry
from .yaml_reader import Path


class Origin(NamedTuple):
    """A policy at `path` of a `text`, and its condition, None if it has none."""

    text: Text
    path: Path
    condition: Condition | None

    @property
    def place(self) -> Place:
        """Where the policy begins: its id."""
        return self.text.place((*self.path, "id"))

    @property
    def source(self) -> Source | None:
        """The condition; its places are those of the file."""
        return None if self.condition is None else self.condition.source

    @property
    def env(self) -> Env | None:
        """What the condition was compiled in."""
        return None if self.condition is None else self.condition.env


class Origins:
    """The origins of a set's rules."""

    __slots__ = ("_known",)

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._known = {
            (entry.policy.id, entry.document.company or None): Origin(
                entry.document.text,
                (entry.document.number, "policies", entry.number),
                entry.condition,
            )
            for entry in entries
        }

    def of(self, row: RuleRow) -> Origin | None:
        """The origin of a rule; None where nobody knows."""
        return self._known.get((row.id, row.company))
