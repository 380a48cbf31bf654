"""Where the rules of a set are from: the place of each policy, and its condition as it was
compiled, the names that files define and the types of schemas worked in.

A decision needs none of it. Whoever looks into one does: what explains it, or measures which
clauses tests have seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._fast.rows import RuleRow
from ..cel import Env, Source
from ..issues import Place
from .loader import Text
from .resolver import Condition, Entry
from .yaml_reader import Path

BUNDLE = "<bundle>"
Key = tuple[str, str | None]  # a policy's id and its company


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
    """The origins of a set's rules. Of those of a bundle nobody knows more than their conditions'
    texts, which `env` reads."""

    __slots__ = ("_env", "_known")

    def __init__(self, known: Mapping[Key, Origin], env: Env | None = None) -> None:
        self._known = known
        self._env = env

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> Origins:
        """The origins of policies that stand in documents."""
        return cls({_key(entry): _origin(entry) for entry in entries})

    def changed(self, entries: Iterable[Entry]) -> Origins:
        """These origins, and those of other policies."""
        return Origins(
            {**self._known, **{_key(each): _origin(each) for each in entries}}, self._env
        )

    def of(self, row: RuleRow) -> Origin | None:
        """The origin of a rule; None where nobody knows."""
        known = self._known.get((row.id, row.company))
        if known is not None or self._env is None:
            return known
        condition = Condition(Source(row.text, BUNDLE), self._env) if row.text else None
        return Origin(Text(BUNDLE, ""), (), condition)


def _key(entry: Entry) -> Key:
    return entry.policy.id, entry.document.company or None


def _origin(entry: Entry) -> Origin:
    path = (entry.document.number, "policies", entry.number)
    return Origin(entry.document.text, path, entry.condition)
